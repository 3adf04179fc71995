//! Cards that are saved at the provider for one order each: kept while something may be charged to them, and taken from
//! their customer there when they are no longer needed (domain section 4).

use super::collect;
use super::desk::{Concerns, Desk, Problem, enqueue, happened, lock_campaign};
use super::money;
use super::ports::CardOnFile;
use crate::domain::card::CardState;
use crate::domain::ids::OrderId;
use crate::store::dues::CardRow;
use crate::store::orders::OrderRow;
use crate::store::{Tx, campaigns, dues, jobs, orders};

/// Keeps a card for an order; one that was there before is let go.
///
/// # Errors
/// What the database says.
pub fn keep(tx: &mut Tx, order: OrderId, card: &CardOnFile) -> Result<CardRow, Problem> {
    let row = row(tx, order, card, CardState::Saved);
    if dues::card(tx.conn, &row.method_id)?.is_none() {
        let_go(tx, order)?;
        dues::save_card(tx.conn, &row)?;
    }
    Ok(row)
}

fn row(tx: &Tx, order: OrderId, card: &CardOnFile, state: CardState) -> CardRow {
    CardRow {
        method_id: card.method.clone(),
        order_id: order,
        customer_id: card.customer.clone(),
        brand: card.brand.clone(),
        last4: card.last4.clone(),
        exp_year: card.expiry.year,
        exp_month: i32::try_from(card.expiry.month).unwrap_or(12),
        state,
        saved_at: tx.now.naive_utc(),
        expiry_told_at: None,
        detached_at: None,
    }
}

/// An order's card is not needed any more: it is taken from its customer at the provider.
///
/// # Errors
/// What the database says.
pub fn let_go(tx: &mut Tx, order: OrderId) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    if let Some(card) = dues::card_of(tx.conn, order)? {
        let method = &card.method_id;
        dues::move_card(tx.conn, method, CardState::Saved, CardState::Unwanted, now)?;
        enqueue(tx, jobs::DETACH, method, now)?;
    }
    Ok(())
}

/// A card that was saved and is not wanted: kept as such, so that it is taken from its customer.
///
/// # Errors
/// What the database says.
pub fn refuse(tx: &mut Tx, order: OrderId, card: &CardOnFile) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    let before = dues::card_of(tx.conn, order)?;
    if before.is_some_and(|before| before.method_id == card.method) {
        return let_go(tx, order);
    }
    let row = row(tx, order, card, CardState::Unwanted);
    if dues::save_card(tx.conn, &row)? {
        enqueue(tx, jobs::DETACH, &card.method, now)?;
    }
    Ok(())
}

/// Whether a card is still to be taken from its customer.
///
/// # Errors
/// What the database says.
pub fn is_unwanted(tx: &mut Tx, method: &str) -> Result<bool, Problem> {
    let card = dues::card(tx.conn, method)?;
    Ok(card.is_some_and(|card| card.state == CardState::Unwanted))
}

/// The provider took a card from its customer: its order's money says so.
///
/// # Errors
/// What the database says.
pub fn detached(tx: &mut Tx, method: &str) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    let card = dues::card(tx.conn, method)?.ok_or(Problem::NotFound("card"))?;
    let (from, to) = (CardState::Unwanted, CardState::Detached);
    if !dues::move_card(tx.conn, method, from, to, now)? {
        return Ok(());
    }
    let order = orders::by_id(tx.conn, card.order_id)?.ok_or(Problem::NotFound("order"))?;
    lock_campaign(tx, order.campaign_id)?;
    let mut order = orders::by_id(tx.conn, card.order_id)?.ok_or(Problem::NotFound("order"))?;
    money::keep(tx, &mut order)?;
    let detail = format!("{} is not kept any more.", card.said());
    happened(tx, Concerns::order(&order), "system", "card_let_go", detail)
}

/// Another card was saved for an order that waits: it takes the place of the first, and is charged at once where that was
/// refused. One that nothing can be charged to any more is let go.
///
/// # Errors
/// What the database says.
pub fn replaced(
    desk: &Desk,
    tx: &mut Tx,
    order: &mut OrderRow,
    card: &CardOnFile,
) -> Result<(), Problem> {
    if order.owed <= 0 {
        return refuse(tx, order.id, card);
    }
    let known = dues::card_of(tx.conn, order.id)?.is_some_and(|c| c.method_id == card.method);
    if known {
        return Ok(());
    }
    let row = keep(tx, order.id, card)?;
    let detail = format!("{} is kept for this order now.", row.said());
    happened(
        tx,
        Concerns::order(order),
        "shopper",
        "card_changed",
        detail,
    )?;
    let campaign =
        campaigns::by_id(tx.conn, order.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    collect::watch_ending(tx, &campaign, order.id)?;
    collect::with_new_card(desk, tx, order)?;
    money::keep(tx, order)
}
