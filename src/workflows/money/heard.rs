//! What became of a refund: as the provider says, or as staff paid it otherwise (domain section 4).

use super::refunds::planned_call;
use super::{add, book, keep, money, say};
use crate::domain::ledger::Entry;
use crate::domain::payment::{RefundAttemptState, RefundState};
use crate::store::orders::OrderRow;
use crate::store::refunds::{RefundAttemptRow, RefundRow};
use crate::store::{Tx, jobs, refunds};
use crate::workflows::desk::{Concerns, Problem, enqueue, happened};
use crate::workflows::papers;
use crate::workflows::ports::{ProviderRefund, ProviderRefundStatus};

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
