//! The counters that caps, steps and thresholds hang on: committed units, collected ones, and those that wait for a step
//! (domain sections 1 and 3). The campaign is locked by the caller.

use super::desk::Problem;
use crate::domain::draft::PaymentMode;
use crate::domain::ids::OptionId;
use crate::store::campaigns::Moved;
use crate::store::orders::OrderRow;
use crate::store::{Tx, campaigns, dues, orders};

/// An order counts from now on; as collected, where it is.
///
/// # Errors
/// What the database says.
pub fn enter(tx: &mut Tx, order: &OrderRow) -> Result<(), Problem> {
    for line in orders::lines_of(tx.conn, order.id)? {
        let collected = if order.collected { line.quantity } else { 0 };
        campaigns::count_option(tx.conn, line.option_id, 0, line.quantity, collected)?;
    }
    moved(tx, order, order.units, 1)
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
    let units: i64 = entering.iter().map(|(_, units)| units).sum();
    moved(tx, order, units, 0)
}

/// Units that were held for a change of an order are free again.
///
/// # Errors
/// What the database says.
pub fn let_go(tx: &mut Tx, held: &[(OptionId, i64)]) -> Result<(), Problem> {
    for (option, units) in held {
        campaigns::count_option(tx.conn, *option, -units, 0, 0)?;
    }
    Ok(())
}

/// What was committed is collected now. The order is marked by the caller.
///
/// # Errors
/// What the database says.
pub fn collected(tx: &mut Tx, order: &OrderRow) -> Result<(), Problem> {
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
    for (option, units) in leaving {
        let collected = if order.collected { -units } else { 0 };
        campaigns::count_option(tx.conn, *option, -units, -units, collected)?;
    }
    let units: i64 = leaving.iter().map(|(_, units)| units).sum();
    moved(tx, order, -units, if whole { -1 } else { 0 })
}

fn moved(tx: &mut Tx, order: &OrderRow, units: i64, orders: i64) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    let moved = Moved {
        committed: units,
        collected: if order.collected { units } else { 0 },
        collected_orders: if order.collected { orders } else { 0 },
        ..Moved::default()
    };
    campaigns::count(tx.conn, order.campaign_id, moved, now)?;
    if order.mode == PaymentMode::ChargeOnSuccess {
        dues::count_limit(tx.conn, order.campaign_id, order.limit_step, units)?;
    }
    Ok(())
}
