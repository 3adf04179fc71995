//! What the provider knows and we do not: found by the reconciler, put into the books where that is safe (domain
//! section 7, rule 8).

mod of_change;

use of_change::change_lost;

use super::cancel::leave;
use super::changes;
use super::desk::{Desk, Problem, lock_campaign};
use super::money;
use super::payment;
use super::ports::{Page, PageStatus, ProviderCharge, ProviderRefund, Tag};
use crate::domain::draft::PaymentMode;
use crate::domain::ids::{OrderId, RefundId};
use crate::domain::order::OrderState;
use crate::domain::payment::{AttemptState, RefundAttemptState, RefundPurpose, RefundState};
use crate::store::campaigns::CampaignRow;
use crate::store::orders::PaymentRow;
use crate::store::refunds::{RefundAttemptRow, RefundRow};
use crate::store::{Tx, orders, refunds};

/// What came of matching one movement at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matched {
    /// Our books have it.
    Known,
    /// Our books have it now.
    Repaired(String),
    /// A person is needed.
    Left(String),
}

/// Matches a charge that carries our ids. `went_back`: all of it went back as too late for what it was for.
///
/// # Errors
/// What the database says.
pub fn charge(
    desk: &Desk,
    tx: &mut Tx,
    tag: &Tag,
    charge: &ProviderCharge,
    went_back: bool,
) -> Result<Matched, Problem> {
    if !charge.paid {
        return Ok(Matched::Known);
    }
    let order = tag.order;
    let page = match payment::page_of(tx.conn, Some(tag), charge.intent.as_deref())? {
        None => attempt_lost(tx, tag, charge, went_back)?,
        known => known,
    };
    let Some(page) = page else {
        return Ok(Matched::Left(format!(
            "charge {} over {} is for order {order}, which is not in this database: refund it at the provider",
            charge.id, charge.amount
        )));
    };
    if let Some(other) = in_another_currency(tx, order, charge)? {
        return Ok(Matched::Left(other));
    }
    if page.state == AttemptState::Paid {
        return Ok(if page.amount == charge.amount {
            Matched::Known
        } else {
            Matched::Left(format!(
                "order {order}: charge {} is over {}, our books say {}",
                charge.id, charge.amount, page.amount
            ))
        });
    }
    let said = Page {
        id: page.session_id.clone().unwrap_or_default(),
        status: Some(PageStatus::Paid),
        url: None,
        intent: charge.intent.clone(),
        amount: Some(charge.amount),
        currency: Some(charge.currency),
        card: None,
        tag: None,
    };
    payment::heard_paid(desk, tx, order, page.attempt, &said)?;
    Ok(Matched::Repaired(format!(
        "order {order}: charge {} over {} was not in the books",
        charge.id, charge.amount
    )))
}

/// What to say of a charge in another currency than its order's: it pays for nothing.
fn in_another_currency(
    tx: &mut Tx,
    order: OrderId,
    charge: &ProviderCharge,
) -> Result<Option<String>, Problem> {
    let row = orders::by_id(tx.conn, order)?.ok_or(Problem::NotFound("order"))?;
    let said = charge.said_against(&row.currency);
    Ok(said.map(|said| format!("order {order}: {said}")))
}

/// A charge or a page of an order that was made since the backup: its row is made again, with the change that it paid for,
/// so that what follows is what follows from any payment. None where the books do not have the order.
fn attempt_lost(
    tx: &mut Tx,
    tag: &Tag,
    charge: &ProviderCharge,
    went_back: bool,
) -> Result<Option<PaymentRow>, Problem> {
    let Some(kind) = tag.payment_kind() else {
        return Ok(None);
    };
    let Some(row) = orders::by_id(tx.conn, tag.order)? else {
        return Ok(None);
    };
    let campaign = lock_campaign(tx, row.campaign_id)?;
    let attempt = payment::number_of_lost(tx, tag)?;
    // What it paid for and was not made then is not made now either.
    if let Some(note) = tag.change.as_ref().filter(|_| !went_back) {
        changes::paid_again(tx, &campaign, &row, attempt, note)?;
    }
    payment::make_again(tx, (tag.order, attempt), kind, charge)?;
    Ok(orders::payment(tx.conn, tag.order, attempt)?)
}

/// Matches a refund that carries our ids.
///
/// # Errors
/// What the database says.
pub fn refund(
    desk: &Desk,
    tx: &mut Tx,
    order: OrderId,
    id: RefundId,
    purpose: RefundPurpose,
    attempt: i32,
    said: &ProviderRefund,
) -> Result<Matched, Problem> {
    let Some(row) = orders::by_id(tx.conn, order)? else {
        return Ok(Matched::Left(format!(
            "refund {} is of order {order}, which is not in this database",
            said.id
        )));
    };
    let campaign = lock_campaign(tx, row.campaign_id)?;
    if purpose == RefundPurpose::Change
        && refunds::by_id(tx.conn, id)?.is_none()
        && let Some(left) = change_lost(desk, tx, &campaign, order, said)?
    {
        return Ok(Matched::Left(left));
    }
    if refunds::by_id(tx.conn, id)?.is_none() {
        let made = make_known(tx, &campaign, order, id, purpose, attempt, said)?;
        if let Some(left) = made {
            return Ok(Matched::Left(left));
        }
    } else if refunds::attempt(tx.conn, id, attempt)?.is_none() {
        let mut refund = refunds::by_id(tx.conn, id)?.ok_or(Problem::NotFound("refund"))?;
        refund.attempt = refund.attempt.max(attempt);
        refunds::insert_attempt(tx.conn, &call(id, attempt, said, tx.now.naive_utc()))?;
        refunds::save(tx.conn, &refund)?;
    }
    let before = refunds::attempt(tx.conn, id, attempt)?
        .ok_or_else(|| Problem::Internal(format!("refund {id} lost its call")))?;
    super::refund::heard(desk, tx, id, attempt, said)?;
    let after = refunds::attempt(tx.conn, id, attempt)?
        .ok_or_else(|| Problem::Internal(format!("refund {id} lost its call")))?;
    Ok(
        if before.state == after.state && before.provider_id == after.provider_id {
            Matched::Known
        } else {
            Matched::Repaired(format!(
                "order {order}: refund {} over {} was not in the books as {}",
                said.id, said.amount, after.state
            ))
        },
    )
}

fn call(
    id: RefundId,
    attempt: i32,
    said: &ProviderRefund,
    now: chrono::NaiveDateTime,
) -> RefundAttemptRow {
    RefundAttemptRow {
        refund_id: id,
        attempt,
        state: RefundAttemptState::Sent,
        idempotency_key: format!("muster-refund-{id}-{attempt}"),
        provider_id: Some(said.id.clone()),
        problem: None,
        first_sent_at: Some(now),
        looked_at: None,
        created_at: now,
    }
}

/// Commits a refund that the provider made and our books lost; why not, where it does not fit them.
fn make_known(
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: OrderId,
    id: RefundId,
    purpose: RefundPurpose,
    attempt: i32,
    said: &ProviderRefund,
) -> Result<Option<String>, Problem> {
    let mut order = orders::by_id(tx.conn, order)?.ok_or(Problem::NotFound("order"))?;
    let page = match &said.intent {
        Some(intent) => orders::payment_by_intent(tx.conn, intent)?,
        None => None,
    };
    let Some(page) = page.filter(|p| p.order_id == order.id && p.state == AttemptState::Paid)
    else {
        return Ok(Some(format!(
            "order {}: refund {} is of a payment that is not in the books",
            order.id, said.id
        )));
    };
    // The same refund may have been committed again here, under another id, since the backup: that one gives way.
    for mut other in refunds::of_order(tx.conn, order.id)? {
        // Of some an order may have several: there only the very same amount is taken for the same refund. An allowance has
        // the id of its event, so that one under another id is another's, such as a second claim over the same amount.
        // What waits for a change of the order gave way before.
        let same = !purpose.is_allowance()
            && purpose != RefundPurpose::Change
            && other.payment_attempt == page.attempt
            && other.purpose == purpose
            && (purpose.is_once() || other.amount == said.amount);
        if same && other.state == RefundState::Queued {
            money::drop_refund(tx, &mut order, &mut other)?;
            money::rename_dropped(tx, &other)?;
        } else if same && purpose.is_once() && other.state != RefundState::Dropped {
            return Ok(Some(format!(
                "order {}: refund {} was made twice, once as {}",
                order.id, said.id, other.id
            )));
        }
    }
    let now = tx.now.naive_utc();
    let refund = RefundRow {
        id,
        order_id: order.id,
        payment_attempt: page.attempt,
        campaign_id: order.campaign_id,
        purpose,
        amount: said.amount,
        currency: order.currency.clone(),
        state: RefundState::Sent,
        held: false,
        attempt,
        failures: attempt - 1,
        proof: None,
        created_at: now,
        updated_at: now,
    };
    if said.amount > order.money().kept() {
        return Ok(Some(format!(
            "order {}: refund {} over {} is more than the order has",
            order.id, said.id, said.amount
        )));
    }
    refunds::insert(tx.conn, &refund, &call(id, attempt, said, now))?;
    money::committed(tx, &mut order, &refund)?;
    if matches!(
        purpose,
        RefundPurpose::Difference | RefundPurpose::OptionDropped
    ) && order.mode == PaymentMode::ChargeNow
    {
        let less = refunds::of_order(tx.conn, order.id)?
            .iter()
            .filter(|r| r.state != RefundState::Dropped)
            .filter(|r| {
                matches!(
                    r.purpose,
                    RefundPurpose::Difference | RefundPurpose::OptionDropped
                )
            })
            .map(|r| r.amount)
            .sum::<i64>();
        order.final_total = Some(order.total - less);
    }
    let counts = matches!(order.state, OrderState::Confirmed | OrderState::Backordered);
    if counts && !purpose.is_allowance() && order.owed == 0 && order.money().kept() == 0 {
        // Why everything went back is lost with the rows; that it did means that the order had left.
        leave(tx, campaign, &mut order, purpose)?;
    }
    money::keep(tx, &mut order)?;
    Ok(None)
}
