//! The movements of an order's money: each books its journal entry, moves the order's sums, and asks for the work that
//! follows, all in the caller's transaction (domain sections 4 and 7).

mod disputes;

pub use disputes::{dispute_lost, dispute_opened, dispute_won};

use super::desk::{Concerns, Problem, enqueue, happened};
use super::papers;
use super::ports::{ProviderRefund, ProviderRefundStatus};
use crate::domain::currency::Currency;
use crate::domain::due::DueState;
use crate::domain::ids::{ChangeId, EntryId, OrderId, RefundId};
use crate::domain::ledger::{Account, Entry, LedgerError, Revenue};
use crate::domain::money::Money;
use crate::domain::order::PaymentState;
use crate::domain::payment::{
    AttemptState, DisputeState, RefundAttemptState, RefundPurpose, RefundState,
};
use crate::store::journal::EntryRow;
use crate::store::orders::{OrderRow, PaymentRow};
use crate::store::refunds::{RefundAttemptRow, RefundRow};
use crate::store::{Tx, dues, jobs, journal, orders, refunds};

/// A currency's code as kept in a row.
///
/// # Errors
/// When the row is damaged.
pub fn currency(code: &str) -> Result<Currency, Problem> {
    Currency::parse(code).ok_or_else(|| Problem::Internal(format!("{code} is not a currency")))
}

/// An amount as people read it.
pub fn say(amount: i64, code: &str) -> String {
    match Currency::parse(code) {
        Some(currency) => Money::new(amount, currency).format(),
        None => format!("{amount} {code}"),
    }
}

fn book(
    tx: &mut Tx,
    order: &OrderRow,
    once: String,
    entry: Result<Entry, LedgerError>,
) -> Result<(), Problem> {
    let entry = entry.map_err(|e| Problem::Internal(e.to_string()))?;
    let row = EntryRow {
        id: EntryId::new(),
        merchant_id: order.merchant_id,
        campaign_id: Some(order.campaign_id),
        order_id: Some(order.id),
        currency: entry.currency().code().to_owned(),
        kind: entry.kind().as_str().to_owned(),
        once,
        created_at: tx.now.naive_utc(),
    };
    let postings: Vec<(&str, i64)> = entry
        .postings()
        .iter()
        .map(|p| (p.account.as_str(), p.amount))
        .collect();
    journal::append(tx.conn, &row, &postings)?;
    Ok(())
}

fn money(order: &OrderRow, amount: i64) -> Result<Money, Problem> {
    Ok(Money::new(amount, currency(&order.currency)?))
}

/// Reads the order's payment state from its sums, open disputes and failed refunds, and keeps the order.
///
/// # Errors
/// What the database says.
pub fn keep(tx: &mut Tx, order: &mut OrderRow) -> Result<(), Problem> {
    let disputed = dispute_is_open(tx, order.id)?;
    let failed = refunds::of_order(tx.conn, order.id)?
        .iter()
        .any(|r| r.state == RefundState::Failed);
    order.payment_state = match order.money().state(disputed, failed) {
        PaymentState::Unpaid if order.owed > 0 => without_money(tx, order)?,
        state => state,
    };
    orders::save(tx.conn, order)?;
    Ok(())
}

/// Where the money of an order stands that nothing was charged for yet.
fn without_money(tx: &mut Tx, order: &OrderRow) -> Result<PaymentState, Problem> {
    let refused =
        dues::of_order(tx.conn, order.id)?.is_some_and(|due| due.state == DueState::Declined);
    Ok(if refused {
        PaymentState::Failed
    } else if dues::card_of(tx.conn, order.id)?.is_some() {
        PaymentState::Saved
    } else {
        PaymentState::Unpaid
    })
}

/// The merchant keeps what was paid as a deposit: deposits / forfeited. How much that is.
///
/// # Errors
/// What the database says.
pub fn forfeit(tx: &mut Tx, order: &mut OrderRow) -> Result<i64, Problem> {
    let amount = order.money().kept().max(0);
    if amount > 0 {
        let entry = Entry::deposit_forfeited(order.id, money(order, amount)?);
        book(tx, order, format!("forfeited:{}", order.id), entry)?;
        order.forfeited = add(order.forfeited, amount)?;
    }
    order.owed = 0;
    Ok(amount)
}

/// Whether an open dispute holds the order's refunds; an inquiry does not.
///
/// # Errors
/// What the database says.
pub fn dispute_is_open(tx: &mut Tx, order: OrderId) -> Result<bool, Problem> {
    Ok(refunds::disputes_of(tx.conn, order)?
        .iter()
        .any(|d| d.state == DisputeState::Open))
}

/// A page's money was captured: clearing / deposits. Books it once; whether it was new.
///
/// # Errors
/// What the database says.
pub fn captured(
    tx: &mut Tx,
    order: &mut OrderRow,
    page: &PaymentRow,
    amount: i64,
) -> Result<(), Problem> {
    let once = format!("capture:{}:{}", order.id, page.attempt);
    let entry = Entry::payment_captured(order.id, money(order, amount)?);
    book(tx, order, once, entry)?;
    order.charged = add(order.charged, amount)?;
    papers::receipt(tx, order, page.attempt, amount)
}

fn add(a: i64, b: i64) -> Result<i64, Problem> {
    a.checked_add(b)
        .ok_or_else(|| Problem::Internal("a sum does not fit".into()))
}

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

fn planned_call(refund: &RefundRow, attempt: i32, now: chrono::NaiveDateTime) -> RefundAttemptRow {
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

/// Goods of an order are handed over: what was a deposit is revenue and tax. `owed` is how much of it the price that is
/// kept for them pays; the rest, which goes back, went back or was lost in a dispute, the merchant bears: how much that
/// is. `once` is the parcel.
///
/// # Errors
/// What the database says.
pub fn handed_over(
    tx: &mut Tx,
    order: &OrderRow,
    once: &str,
    revenue: Revenue,
    owed: i64,
) -> Result<i64, Problem> {
    let wrong = |e: LedgerError| Problem::Internal(e.to_string());
    let deposit = journal::balance_of_order(tx.conn, order.id, Account::CustomerDeposits.as_str())?;
    let paid = revenue.up_to((-deposit).min(owed).max(0)).map_err(wrong)?;
    let unpaid = revenue.less(paid);
    if paid.sum().map_err(wrong)? > 0 {
        let entry = Entry::handed_over(order.id, paid);
        book(tx, order, format!("handed_over:{once}"), entry)?;
    }
    let loss = unpaid.sum().map_err(wrong)?;
    if loss > 0 {
        let entry = Entry::handed_over_unpaid(order.id, unpaid);
        book(tx, order, format!("handed_over_unpaid:{once}"), entry)?;
    }
    Ok(loss)
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

/// What the provider said of a refund's call, applied once.
///
/// # Errors
/// What the database says.
pub fn refund_heard(
    tx: &mut Tx,
    order: &mut OrderRow,
    refund: &mut RefundRow,
    call: &mut RefundAttemptRow,
    said: &ProviderRefund,
) -> Result<Heard, Problem> {
    call.provider_id = Some(said.id.clone());
    let heard = match (call.state, said.status) {
        (RefundAttemptState::Succeeded, ProviderRefundStatus::Succeeded)
        | (RefundAttemptState::Failed, _) => Heard::Nothing,
        (RefundAttemptState::Succeeded, ProviderRefundStatus::Failed) => {
            undone(tx, order, refund, call)?;
            failed(tx, order, refund, call, said)?
        }
        (_, ProviderRefundStatus::Succeeded) => {
            done(tx, order, refund, call)?;
            Heard::Done
        }
        (_, ProviderRefundStatus::Failed) => failed(tx, order, refund, call, said)?,
        (
            RefundAttemptState::Succeeded,
            ProviderRefundStatus::Pending | ProviderRefundStatus::Unknown,
        ) => Heard::Nothing,
        (_, ProviderRefundStatus::Pending) => {
            call.state = RefundAttemptState::Pending;
            refund.state = RefundState::Pending;
            Heard::Pending
        }
        (_, ProviderRefundStatus::Unknown) => {
            call.problem = Some("the provider gave a state that is not known".into());
            Heard::Pending
        }
    };
    // Shoppers read this as the day on which the money went: what is only repeated does not move it.
    if heard != Heard::Nothing {
        refund.updated_at = tx.now.naive_utc();
    }
    refunds::save_attempt(tx.conn, call)?;
    refunds::save(tx.conn, refund)?;
    keep(tx, order)?;
    Ok(heard)
}

/// What became of a refund after the provider was heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// Nothing new.
    Nothing,
    /// The money went back.
    Done,
    /// It is on its way.
    Pending,
    /// It failed once; a further call is planned.
    Again,
    /// It failed twice: the shopper is asked for another way.
    NeedsAnotherWay,
}

fn done(
    tx: &mut Tx,
    order: &mut OrderRow,
    refund: &mut RefundRow,
    call: &mut RefundAttemptRow,
) -> Result<(), Problem> {
    let once = format!("refund_done:{}:{}", refund.id, call.attempt);
    let entry = Entry::refund_done(order.id, money(order, refund.amount)?);
    book(tx, order, once, entry)?;
    order.refund_due -= refund.amount;
    order.refunded = add(order.refunded, refund.amount)?;
    call.state = RefundAttemptState::Succeeded;
    refund.state = RefundState::Succeeded;
    papers::credit_note(tx, order, refund)?;
    let said = say(refund.amount, &refund.currency);
    happened(
        tx,
        Concerns::order(order),
        "system",
        "refunded",
        format!("{said} went back to the card. Banks take up to 10 days to show it."),
    )
}

fn undone(
    tx: &mut Tx,
    order: &mut OrderRow,
    refund: &RefundRow,
    call: &RefundAttemptRow,
) -> Result<(), Problem> {
    let once = format!("refund_undone:{}:{}", refund.id, call.attempt);
    let entry = Entry::refund_undone(order.id, money(order, refund.amount)?);
    book(tx, order, once, entry)?;
    order.refunded -= refund.amount;
    order.refund_due = add(order.refund_due, refund.amount)?;
    Ok(())
}

fn failed(
    tx: &mut Tx,
    order: &OrderRow,
    refund: &mut RefundRow,
    call: &mut RefundAttemptRow,
    said: &ProviderRefund,
) -> Result<Heard, Problem> {
    call.state = RefundAttemptState::Failed;
    call.problem = Some(said.failure.clone().unwrap_or_else(|| "failed".into()));
    refund.failures += 1;
    let amount = say(refund.amount, &refund.currency);
    if refund.failures < 2 {
        next_call(tx, refund)?;
        happened(
            tx,
            Concerns::order(order),
            "system",
            "refund_failed",
            format!("The refund of {amount} came back from the bank; it is sent once more."),
        )?;
        Ok(Heard::Again)
    } else {
        refund.state = RefundState::Failed;
        happened(
            tx,
            Concerns::order(order),
            "system",
            "refund_needs_another_way",
            format!("The refund of {amount} came back twice; it needs another way."),
        )?;
        Ok(Heard::NeedsAnotherWay)
    }
}

/// Plans a further call with a new key; the refund is queued again.
///
/// # Errors
/// What the database says.
pub fn next_call(tx: &mut Tx, refund: &mut RefundRow) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    refund.attempt += 1;
    refund.state = RefundState::Queued;
    refund.updated_at = now;
    refunds::insert_attempt(tx.conn, &planned_call(refund, refund.attempt, now))?;
    refunds::save(tx.conn, refund)?;
    enqueue(tx, jobs::REFUND, &refund.id.to_string(), now)
}

/// Staff paid a failed refund in another way: refunds due / bank. With proof.
///
/// # Errors
/// A conflict where it did not fail; what the database says.
pub fn paid_otherwise(
    tx: &mut Tx,
    order: &mut OrderRow,
    refund: &mut RefundRow,
    proof: &str,
) -> Result<(), Problem> {
    if refund.state != RefundState::Failed {
        return Err(Problem::conflict(
            "wrong-state",
            "Only a refund that failed twice can be recorded as paid in another way.",
        ));
    }
    let entry = Entry::refund_paid_otherwise(order.id, money(order, refund.amount)?);
    book(
        tx,
        order,
        format!("refund_paid_otherwise:{}", refund.id),
        entry,
    )?;
    order.refund_due -= refund.amount;
    order.refunded = add(order.refunded, refund.amount)?;
    refund.state = RefundState::PaidOtherwise;
    papers::credit_note(tx, order, refund)?;
    refund.proof = Some(proof.to_owned());
    refund.updated_at = tx.now.naive_utc();
    refunds::save(tx.conn, refund)?;
    keep(tx, order)
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

/// An amount as people read it, where there is one.
pub fn nonzero_said(amount: i64, currency: &str) -> Option<String> {
    (amount > 0).then(|| say(amount, currency))
}
