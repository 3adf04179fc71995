//! What goes back to a shopper: committed here, with the call that follows as work (domain section 4).

use super::{add, book, dispute_is_open, money};
use crate::domain::ids::{ChangeId, OrderId, RefundId};
use crate::domain::ledger::Entry;
use crate::domain::payment::{
    AttemptState, DisputeState, RefundAttemptState, RefundPurpose, RefundState,
};
use crate::store::orders::OrderRow;
use crate::store::refunds::{RefundAttemptRow, RefundRow};
use crate::store::{Tx, dues, jobs, orders, refunds};
use crate::workflows::desk::{Problem, enqueue};

/// Commits a refund: deposits / refunds due. The call follows as work. Nothing happens for nought.
///
/// # Errors
/// What the database says; a second refund of the same purpose is refused by it.
pub fn commit_refund(
    tx: &mut Tx,
    order: &mut OrderRow,
    payment_attempt: i32,
    purpose: RefundPurpose,
    amount: i64,
) -> Result<(), Problem> {
    commit_as(tx, order, payment_attempt, purpose, amount, RefundId::new())
}

fn commit_as(
    tx: &mut Tx,
    order: &mut OrderRow,
    payment_attempt: i32,
    purpose: RefundPurpose,
    amount: i64,
    id: RefundId,
) -> Result<(), Problem> {
    if amount <= 0 {
        return Ok(());
    }
    let now = tx.now.naive_utc();
    // Known from the provider already, after an old backup was restored: nobody is refunded twice.
    let known = refunds::of_order(tx.conn, order.id)?
        .iter()
        .any(|r| r.payment_attempt == payment_attempt && r.purpose == purpose && purpose.is_once());
    if known {
        return Ok(());
    }
    let held = dispute_is_open(tx, order.id)?;
    let refund = RefundRow {
        id,
        order_id: order.id,
        payment_attempt,
        campaign_id: order.campaign_id,
        purpose,
        amount,
        currency: order.currency.clone(),
        state: RefundState::Queued,
        held,
        attempt: 1,
        failures: 0,
        proof: None,
        created_at: now,
        updated_at: now,
    };
    refunds::insert(tx.conn, &refund, &planned_call(&refund, 1, now))?;
    committed(tx, order, &refund)?;
    if !held {
        enqueue(tx, jobs::REFUND, &refund.id.to_string(), now)?;
    }
    Ok(())
}

/// Books a refund's commitment and moves the order's sums.
///
/// # Errors
/// What the database says.
pub fn committed(tx: &mut Tx, order: &mut OrderRow, refund: &RefundRow) -> Result<(), Problem> {
    let amount = money(order, refund.amount)?;
    let entry = if refund.purpose.is_allowance() {
        order.allowances = add(order.allowances, refund.amount)?;
        Entry::allowance_committed(order.id, amount)
    } else {
        Entry::refund_committed(order.id, amount)
    };
    let once = format!("refund_committed:{}", refund.id);
    book(tx, order, once, entry)?;
    order.refund_due = add(order.refund_due, refund.amount)?;
    Ok(())
}

/// A refund that gave way to the same one made before keeps its row, out of the way of the rule that each kind is made
/// once.
///
/// # Errors
/// What the database says.
pub fn rename_dropped(tx: &mut Tx, refund: &RefundRow) -> Result<(), Problem> {
    refunds::set_purpose(tx.conn, refund.id, RefundPurpose::Replaced)?;
    Ok(())
}

pub(super) fn planned_call(
    refund: &RefundRow,
    attempt: i32,
    now: chrono::NaiveDateTime,
) -> RefundAttemptRow {
    RefundAttemptRow {
        refund_id: refund.id,
        attempt,
        state: RefundAttemptState::Planned,
        idempotency_key: format!("muster-refund-{}-{attempt}", refund.id),
        provider_id: None,
        problem: None,
        first_sent_at: None,
        looked_at: None,
        created_at: now,
    }
}

/// What of each paid page did not go back yet, nor is on its way.
///
/// # Errors
/// What the database says.
pub fn rest_of_pages(tx: &mut Tx, order: &OrderRow) -> Result<Vec<(i32, i64)>, Problem> {
    let given = refunds::of_order(tx.conn, order.id)?;
    let disputes = refunds::disputes_of(tx.conn, order.id)?;
    let mut lost = order.lost + order.forfeited;
    let mut rests = Vec::new();
    for page in orders::payments_of(tx.conn, order.id)? {
        if page.state != AttemptState::Paid {
            continue;
        }
        let back = given
            .iter()
            .filter(|r| r.payment_attempt == page.attempt && r.state != RefundState::Dropped)
            .map(|r| r.amount);
        let rest = (page.amount - back.sum::<i64>()).max(0);
        let taken = disputes
            .iter()
            .filter(|d| d.attempt == page.attempt && d.state == DisputeState::Lost)
            .map(|d| d.amount);
        let gone = rest.min(taken.sum::<i64>()).min(lost);
        lost -= gone;
        rests.push((page.attempt, rest - gone));
    }
    // A forfeited deposit, and what a dispute took beyond its page, comes off the oldest.
    for (_, rest) in &mut rests {
        let gone = (*rest).min(lost);
        lost -= gone;
        *rest -= gone;
    }
    Ok(rests)
}

/// What an order has with the merchant beyond `keep`, page by page.
///
/// # Errors
/// What the database says.
pub fn beyond(tx: &mut Tx, order: &OrderRow, keep: i64) -> Result<Vec<(i32, i64)>, Problem> {
    let mut left = (order.money().kept() - keep.max(0)).max(0);
    let mut parts = Vec::new();
    for (attempt, rest) in rest_of_pages(tx, order)? {
        let part = rest.min(left);
        left -= part;
        parts.push((attempt, part));
    }
    Ok(parts)
}

/// Commits the refund of what a change of an order leaves beyond `keep`, page by page; how much that is. Its refunds have
/// the change's ids: a restored database that makes the change again makes the same refunds.
///
/// # Errors
/// As [`commit_refund`].
pub fn refund_of_change(
    tx: &mut Tx,
    order: &mut OrderRow,
    change: ChangeId,
    keep: i64,
) -> Result<i64, Problem> {
    let mut sum = 0;
    for (attempt, part) in beyond(tx, order, keep)? {
        let id = RefundId::of_change(change, attempt);
        commit_as(tx, order, attempt, RefundPurpose::Change, part, id)?;
        sum = add(sum, part)?;
    }
    Ok(sum)
}

/// Commits the refund of what an order has with the merchant beyond `keep`, page by page; how much that is. Who asks
/// again finds nothing beyond it, so that nobody is refunded twice.
///
/// # Errors
/// As [`commit_refund`].
pub fn refund_down_to(
    tx: &mut Tx,
    order: &mut OrderRow,
    purpose: RefundPurpose,
    keep: i64,
) -> Result<i64, Problem> {
    let mut sum = 0;
    for (attempt, part) in beyond(tx, order, keep)? {
        commit_refund(tx, order, attempt, purpose, part)?;
        sum = add(sum, part)?;
    }
    // What was not collected yet is asked for only as far as the order still costs it.
    let owed = order.owed.min((keep - order.money().kept()).max(0));
    if owed < order.owed {
        order.owed = owed;
        owes_less(tx, order.id)?;
    }
    Ok(sum)
}

/// Whatever is being collected from an order is looked at again.
fn owes_less(tx: &mut Tx, order: OrderId) -> Result<(), Problem> {
    if dues::of_order(tx.conn, order)?.is_some_and(|due| due.state.is_open()) {
        let now = tx.now.naive_utc();
        enqueue(tx, jobs::DUE, &order.to_string(), now)?;
    }
    Ok(())
}

/// Commits the refund of all that an order still has with the merchant; how much that is.
///
/// # Errors
/// As [`commit_refund`].
pub fn refund_rest(
    tx: &mut Tx,
    order: &mut OrderRow,
    purpose: RefundPurpose,
) -> Result<i64, Problem> {
    let mut sum = 0;
    for (attempt, rest) in rest_of_pages(tx, order)? {
        commit_refund(tx, order, attempt, purpose, rest)?;
        sum = add(sum, rest)?;
    }
    order.owed = 0;
    Ok(sum)
}

/// Commits an allowance: so much of what is kept goes back for one event, such as a claim, page by page; how much that is.
/// An event gives once: where it gave before, also where only the provider remembered, that amount is the answer and
/// nothing more goes back.
///
/// # Errors
/// As [`commit_refund`].
pub fn commit_allowance(
    tx: &mut Tx,
    order: &mut OrderRow,
    purpose: RefundPurpose,
    event: &str,
    amount: i64,
) -> Result<i64, Problem> {
    let pages = rest_of_pages(tx, order)?;
    let ids: Vec<RefundId> = pages
        .iter()
        .map(|(attempt, _)| RefundId::of_event(event, *attempt))
        .collect();
    let given = refunds::of_order(tx.conn, order.id)?
        .into_iter()
        .filter(|r| ids.contains(&r.id))
        .collect::<Vec<_>>();
    if !given.is_empty() {
        return Ok(given.iter().map(|r| r.amount).sum());
    }
    let mut left = amount.min(order.money().kept()).max(0);
    let mut sum = 0;
    for ((attempt, rest), id) in pages.into_iter().zip(ids) {
        let part = rest.min(left);
        commit_as(tx, order, attempt, purpose, part, id)?;
        left -= part;
        sum = add(sum, part)?;
    }
    Ok(sum)
}

/// A refund that is not due any more, because a dispute took the money: the reverse of its commitment.
///
/// # Errors
/// What the database says.
pub fn drop_refund(
    tx: &mut Tx,
    order: &mut OrderRow,
    refund: &mut RefundRow,
) -> Result<(), Problem> {
    let amount = money(order, refund.amount)?;
    let entry = if refund.purpose.is_allowance() {
        order.allowances -= refund.amount;
        Entry::allowance_dropped(order.id, amount)
    } else {
        Entry::refund_dropped(order.id, amount)
    };
    book(tx, order, format!("refund_dropped:{}", refund.id), entry)?;
    order.refund_due -= refund.amount;
    refund.state = RefundState::Dropped;
    refund.held = false;
    refund.updated_at = tx.now.naive_utc();
    refunds::save(tx.conn, refund)?;
    Ok(())
}
