//! The counters that caps, steps and thresholds hang on: committed units, collected ones, and those that wait for a step
//! (domain sections 1 and 3). What is taken of an option is counted over the whole campaign; what is committed and collected
//! is counted for the newest batch, so that an order of an earlier one moves only what is taken. The campaign is locked by
//! the caller.

use super::batches::is_counted;
use super::desk::Problem;
use super::waiting;
use crate::domain::draft::PaymentMode;
use crate::domain::ids::{CampaignId, OptionId};
use crate::store::campaigns::Moved;
use crate::store::orders::OrderRow;
use crate::store::{Tx, campaigns, dues, orders};

/// An order counts from now on; as collected, where it is.
///
/// # Errors
/// What the database says.
pub fn enter(tx: &mut Tx, order: &OrderRow) -> Result<(), Problem> {
    if !is_counted(tx.conn, order.campaign_id, order.batch_id)? {
        return Ok(());
    }
    let lines = orders::lines_of(tx.conn, order.id)?;
    for line in &lines {
        let collected = if order.collected { line.quantity } else { 0 };
        campaigns::count_option(tx.conn, line.option_id, 0, line.quantity, collected)?;
    }
    let entering = lines.iter().map(|line| (line.option_id, line.quantity));
    moved(tx, order, entering, 1)
}

/// Units enter an order that counts already. They are taken; the order's sums of them are kept by the caller.
///
/// # Errors
/// What the database says.
pub fn grow(tx: &mut Tx, order: &OrderRow, entering: &[(OptionId, i64)]) -> Result<(), Problem> {
    for (option, units) in entering {
        let collected = if order.collected { *units } else { 0 };
        campaigns::count_option(tx.conn, *option, 0, *units, collected)?;
    }
    moved(tx, order, entering.iter().copied(), 0)
}

/// Units that were held for a change of an order are free again.
///
/// # Errors
/// What the database says.
pub fn let_go(tx: &mut Tx, campaign: CampaignId, held: &[(OptionId, i64)]) -> Result<(), Problem> {
    for (option, units) in held {
        campaigns::count_option(tx.conn, *option, -units, 0, 0)?;
    }
    waiting::freed(tx, campaign)
}

/// What was committed is collected now. The order is marked by the caller.
///
/// # Errors
/// What the database says.
pub fn collected(tx: &mut Tx, order: &OrderRow) -> Result<(), Problem> {
    if !is_counted(tx.conn, order.campaign_id, order.batch_id)? {
        return Ok(());
    }
    let mut sum = 0;
    for line in orders::lines_of(tx.conn, order.id)? {
        let units = line.units().wanted();
        campaigns::count_option(tx.conn, line.option_id, 0, 0, units)?;
        sum += units;
    }
    let now = tx.now.naive_utc();
    let moved = Moved {
        collected: sum,
        collected_orders: 1,
        ..Moved::default()
    };
    campaigns::count(tx.conn, order.campaign_id, moved, now)?;
    Ok(())
}

/// Units of an order count no longer; with the last of them, `whole`, the order does not either.
///
/// # Errors
/// What the database says.
pub fn leave(
    tx: &mut Tx,
    order: &OrderRow,
    leaving: &[(OptionId, i64)],
    whole: bool,
) -> Result<(), Problem> {
    let counted = is_counted(tx.conn, order.campaign_id, order.batch_id)?;
    for (option, units) in leaving {
        let committed = if counted { -units } else { 0 };
        let collected = if order.collected { committed } else { 0 };
        campaigns::count_option(tx.conn, *option, -units, committed, collected)?;
    }
    if counted {
        let gone = leaving.iter().map(|(option, units)| (*option, -units));
        moved(tx, order, gone, if whole { -1 } else { 0 })?;
    }
    waiting::freed(tx, order.campaign_id)
}

/// Units of an order that had left count again, as paid for; with the first of them, `whole`, the order does too. They are
/// taken from their options by the caller.
///
/// # Errors
/// What the database says.
pub fn again(
    tx: &mut Tx,
    order: &OrderRow,
    back: &[(OptionId, i64)],
    whole: bool,
) -> Result<(), Problem> {
    if !is_counted(tx.conn, order.campaign_id, order.batch_id)? {
        return Ok(());
    }
    for (option, units) in back {
        campaigns::count_option(tx.conn, *option, 0, *units, *units)?;
    }
    moved(tx, order, back.iter().copied(), i64::from(whole))
}

fn moved(
    tx: &mut Tx,
    order: &OrderRow,
    by_option: impl Iterator<Item = (OptionId, i64)>,
    orders: i64,
) -> Result<(), Problem> {
    let mut all = 0;
    for (option, units) in by_option {
        all += units;
        if order.mode == PaymentMode::ChargeOnSuccess {
            let waits = (option, order.limit_step);
            dues::count_limit(tx.conn, order.campaign_id, waits, units)?;
        }
    }
    let moved = Moved {
        committed: all,
        collected: if order.collected { all } else { 0 },
        collected_orders: if order.collected { orders } else { 0 },
        ..Moved::default()
    };
    campaigns::count(tx.conn, order.campaign_id, moved, tx.now.naive_utc())?;
    Ok(())
}
