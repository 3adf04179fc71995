//! The units of an order whose payment ran out, or came after that.

use chrono::NaiveDateTime;

use super::super::desk::{Problem, offer, takes_orders};
use super::super::{stock_sale, waiting};
use crate::store::campaigns::CampaignRow;
use crate::store::orders::OrderRow;
use crate::store::{Tx, campaigns, orders};

/// Whether the shopper's limits still leave room for an order whose hold was freed.
///
/// # Errors
/// What the database says.
pub(super) fn within_limit(
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &OrderRow,
) -> Result<bool, Problem> {
    let draft = offer(campaign)?;
    let has = orders::units_of_shoppers(tx.conn, campaign.id, &[order.email.as_str()])?;
    Ok(orders::lines_of(tx.conn, order.id)?.iter().all(|line| {
        let limit = draft
            .options
            .iter()
            .find(|o| o.sku == line.sku)
            .and_then(|o| o.per_shopper);
        let others: i64 = has
            .iter()
            .filter(|(_, option, _)| *option == line.option_id)
            .map(|(_, _, quantity)| quantity)
            .sum();
        limit.is_none_or(|limit| others + line.quantity <= i64::from(limit))
    }))
}

/// Whether what an order is about is still sold: while its campaign takes orders, and from stock after that.
pub(super) fn is_sold(campaign: &CampaignRow, order: &OrderRow, now: NaiveDateTime) -> bool {
    if stock_sale::is_from_stock(order) {
        stock_sale::sells(campaign.state)
    } else {
        takes_orders(campaign, now)
    }
}

/// Takes an expired order's units again where there is room for all of them.
///
/// # Errors
/// What the database says.
pub(super) fn take_again(tx: &mut Tx, order: &mut OrderRow) -> Result<bool, Problem> {
    let lines = orders::lines_of(tx.conn, order.id)?;
    let from_stock = stock_sale::is_from_stock(order);
    if !from_stock && !waiting::leaves_room(tx.conn, order.campaign_id, &lines)? {
        return Ok(false);
    }
    let mut taken = 0;
    for line in &lines {
        if !campaigns::take(tx.conn, line.option_id, line.quantity)? {
            break;
        }
        if from_stock && !stock_sale::take(tx, order, line)? {
            campaigns::count_option(tx.conn, line.option_id, -line.quantity, 0, 0)?;
            break;
        }
        taken += 1;
    }
    if taken < lines.len() {
        for line in &lines[..taken] {
            campaigns::count_option(tx.conn, line.option_id, -line.quantity, 0, 0)?;
        }
        let lines = orders::lines_of(tx.conn, order.id)?;
        stock_sale::put_back(tx, order, &lines)?;
        return Ok(false);
    }
    order.units_taken = true;
    Ok(true)
}

/// Frees an unpaid order's units.
///
/// # Errors
/// What the database says.
pub fn free(tx: &mut Tx, order: &mut OrderRow) -> Result<(), Problem> {
    let lines = orders::lines_of(tx.conn, order.id)?;
    for line in &lines {
        campaigns::count_option(tx.conn, line.option_id, -line.quantity, 0, 0)?;
    }
    stock_sale::put_back(tx, order, &lines)?;
    orders::cancel_lines(tx.conn, order.id)?;
    order.units_taken = false;
    waiting::freed(tx, order.campaign_id)
}
