//! What the provider knows and we do not: found by the reconciler, put into the books where that is safe (domain
//! section 7, rule 8).

use super::cancel::leave;
use super::changes::{self, Again};
use super::desk::{Desk, Problem, lock_campaign};
use super::money;
use super::payment;
use super::ports::{Page, PageStatus, ProviderCharge, ProviderRefund};
use crate::domain::draft::PaymentMode;
use crate::domain::ids::{OrderId, RefundId};
use crate::domain::order::OrderState;
use crate::domain::payment::{AttemptState, RefundAttemptState, RefundPurpose, RefundState};
use crate::store::campaigns::CampaignRow;
use crate::store::orders::{OrderRow, PaymentRow};
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

/// Matches a charge that carries our ids.
///
/// # Errors
/// What the database says.
pub fn charge(
    desk: &Desk,
    tx: &mut Tx,
    order: OrderId,
    attempt: i32,
    charge: &ProviderCharge,
) -> Result<Matched, Problem> {
    if !charge.paid {
        return Ok(Matched::Known);
    }
    if orders::payment(tx.conn, order, attempt)?.is_none() {
        attempt_lost(tx, order, attempt, charge)?;
    }
    let Some(page) = orders::payment(tx.conn, order, attempt)? else {
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
    payment::heard_paid(desk, tx, order, attempt, &said)?;
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

/// A charge of a saved card, a page in its place, or what a change costs, that was made since the backup: its row is made
/// again, with the change, so that what follows is what follows from any payment.
fn attempt_lost(
    tx: &mut Tx,
    order: OrderId,
    attempt: i32,
    charge: &ProviderCharge,
) -> Result<(), Problem> {
    let tag = charge.tag.as_ref();
    let kind = tag.and_then(|tag| tag.payment_kind());
    let Some(kind) = kind.filter(|kind| !kind.joins()) else {
        return Ok(());
    };
    let Some(row) = orders::by_id(tx.conn, order)? else {
        return Ok(());
    };
    let campaign = lock_campaign(tx, row.campaign_id)?;
    if let Some(note) = tag.and_then(|tag| tag.change.as_ref()) {
        changes::paid_again(tx, &campaign, &row, attempt, note)?;
    }
    let now = tx.now.naive_utc();
    let page = PaymentRow {
        order_id: order,
        attempt,
        state: AttemptState::Refused,
        amount: charge.amount,
        idempotency_key: format!("muster-{kind}-{order}-{attempt}"),
        planned_at: now,
        expires_at: now,
        sent_at: Some(now),
        session_id: None,
        url: None,
        intent_id: charge.intent.clone(),
        close_wanted: false,
        problem: Some("found at the provider after a restored backup".to_owned()),
        settled_at: None,
        kind,
        looked_at: None,
    };
    Ok(orders::insert_payment(tx.conn, &page)?)
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

/// A change that gave money back since the backup is made again, with its refunds; what to say where it can't be, and nothing
/// is booked: the order would keep lines that it does not pay for.
fn change_lost(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: OrderId,
    said: &ProviderRefund,
) -> Result<Option<String>, Problem> {
    let mut row = orders::by_id(tx.conn, order)?.ok_or(Problem::NotFound("order"))?;
    let page = match &said.intent {
        Some(intent) => orders::payment_by_intent(tx.conn, intent)?,
        None => None,
    };
    let note = said.tag.as_ref().and_then(|tag| tag.change.as_ref());
    if let Some(page) = page {
        let part = (page.attempt, said.amount);
        if let Some(note) = note
            && changes::refunded_again(desk, tx, campaign, &row, part, note)? == Again::There
        {
            return Ok(None);
        }
        if gives_way(tx, &mut row, part)? {
            return Ok(None);
        }
    }
    let lines = note.map_or_else(String::new, |note| {
        let lines = note.lines.iter();
        let lines: Vec<String> = lines
            .map(|(sku, units, _)| format!("{units} \u{d7} {sku}"))
            .collect();
        format!(" to {}", lines.join(", "))
    });
    Ok(Some(format!(
        "order {order}: refund {} over {} is of a change{lines} that is not in the books and does not fit the order as it is: change the order again in the panel, and this refund counts for it",
        said.id, said.amount
    )))
}

/// Whether so much of that page waits to go back, because the order ended or was changed again since: what went back
/// already comes off that.
fn gives_way(
    tx: &mut Tx,
    order: &mut OrderRow,
    (page, amount): (i32, i64),
) -> Result<bool, Problem> {
    let ended = matches!(order.state, OrderState::Cancelled | OrderState::Expired);
    let all = refunds::of_order(tx.conn, order.id)?;
    let waiting: Vec<RefundRow> = all
        .into_iter()
        .filter(|r| r.payment_attempt == page && r.state == RefundState::Queued)
        .filter(|r| !r.purpose.is_allowance() && (ended || r.purpose == RefundPurpose::Change))
        .collect();
    let mut rest = waiting.iter().map(|r| r.amount).sum::<i64>() - amount;
    if waiting.is_empty() || rest < 0 {
        return Ok(false);
    }
    let mut purpose = RefundPurpose::Change;
    for mut refund in waiting {
        // The last ones stay as they are, as far as they are owed beyond it.
        if refund.amount <= rest {
            rest -= refund.amount;
            continue;
        }
        purpose = refund.purpose;
        money::drop_refund(tx, order, &mut refund)?;
        money::rename_dropped(tx, &refund)?;
    }
    money::commit_refund(tx, order, page, purpose, rest)?;
    money::keep(tx, order)?;
    Ok(true)
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
