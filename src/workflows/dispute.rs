//! A cardholder disputes a payment (domain section 4): an inquiry is refunded at once where a refund is due; an open
//! dispute holds the order's refunds; won, they go out; lost, the books close through dispute losses.

use super::cancel::leave;
use super::desk::{Concerns, Desk, Problem, enqueue, happened, lock_campaign, merchant, offer};
use super::letters::{Letter, WhyCancelled};
use super::money::{self, say};
use super::ports::ProviderDispute;
use super::{collect, evidence, payment};
use crate::domain::campaign::BatchState;
use crate::domain::draft::PaymentMode;
use crate::domain::ids::OrderId;
use crate::domain::money::Money;
use crate::domain::order::OrderState;
use crate::domain::payment::{AttemptState, DisputeState, RefundPurpose, RefundState};
use crate::store::campaigns::CampaignRow;
use crate::store::orders::OrderRow;
use crate::store::refunds::DisputeRow;
use crate::store::{Conn, Tx, campaigns, jobs, misc, orders, refunds};

/// The provider's word for a dispute that it, or a card network, ended before it was raised, mostly by giving the
/// cardholder the money. Nothing follows it.
pub const PREVENTED: &str = "prevented";

/// Whether a dispute is over in the provider's words: it holds no money any more.
pub fn is_over(said: &ProviderDispute) -> bool {
    matches!(
        said.status.as_str(),
        "won" | "lost" | "warning_closed" | PREVENTED
    )
}

/// Whether the books have a dispute that is over as the provider says it is: as over, or as one of which nothing is booked.
///
/// # Errors
/// What the database says.
pub fn knows_as_over(conn: &mut Conn, said: &ProviderDispute) -> Result<bool, Problem> {
    if let Some(known) = refunds::dispute(conn, &said.id)? {
        return Ok(known.state.is_over() || known.provider_state == said.status);
    }
    // In another currency it is never in the books.
    let page = payment::page_of(conn, said.tag.as_ref(), said.intent.as_deref())?;
    let Some(page) = page else {
        return Ok(false);
    };
    let order = orders::by_id(conn, page.order_id)?;
    Ok(order.is_some_and(|order| order.currency != said.currency.code()))
}

/// The provider's word for a dispute's state as ours; none where it is not known: kept for staff, never guessed.
fn state_of(said: &ProviderDispute, was: Option<DisputeState>) -> Option<DisputeState> {
    match said.status.as_str() {
        "warning_needs_response" | "warning_under_review" => Some(DisputeState::Inquiry),
        "needs_response" | "under_review" => Some(DisputeState::Open),
        "won" | "warning_closed" => Some(DisputeState::Won),
        "lost" => Some(DisputeState::Lost),
        // Where the provider took the money, the cardholder has it; else a person finds out who has it.
        PREVENTED if said.withdrawn => Some(DisputeState::Lost),
        // It had taken the money, and has none of it any more: that is back.
        PREVENTED if was == Some(DisputeState::Open) => Some(DisputeState::Won),
        _ => None,
    }
}

/// What came of hearing a dispute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It is in the books.
    Known,
    /// Its payment is ours and not in the books yet: the payment is asked for first.
    TooEarly(OrderId, i32),
    /// Another system's charge at the same provider: left alone.
    Foreign,
}

/// Applies what the provider says of a dispute, once for each state.
///
/// # Errors
/// What the database says.
pub fn heard(desk: &Desk, tx: &mut Tx, said: &ProviderDispute) -> Result<Heard, Problem> {
    let page = payment::page_of(tx.conn, said.tag.as_ref(), said.intent.as_deref())?;
    let Some(page) = page else {
        return Ok(Heard::Foreign);
    };
    if page.state != AttemptState::Paid {
        return Ok(Heard::TooEarly(page.order_id, page.attempt));
    }
    let order = orders::by_id(tx.conn, page.order_id)?.ok_or(Problem::NotFound("order"))?;
    let campaign = lock_campaign(tx, order.campaign_id)?;
    let mut order = orders::by_id(tx.conn, page.order_id)?.ok_or(Problem::NotFound("order"))?;
    let before = refunds::dispute(tx.conn, &said.id)?;
    if said.currency.code() != order.currency {
        let heard = in_another_currency(desk, tx, &order, said)?;
        return unbooked(tx, &order, said).map(|()| heard);
    }
    let was = before.as_ref().map(|d| d.state);
    let Some(state) = state_of(said, was) else {
        let heard = left_for_staff(desk, tx, &order, page.attempt, (said, before))?;
        return unbooked(tx, &order, said).map(|()| heard);
    };
    let due_by = said.due_by.map(|at| at.naive_utc());
    if let Some(known) = before
        .as_ref()
        .filter(|d| d.due_by != due_by && !d.state.is_over())
    {
        let row = DisputeRow {
            due_by,
            ..known.clone()
        };
        refunds::save_dispute(tx.conn, &row)?;
    }
    if was.is_some_and(|was| was.is_over()) {
        // A refund may have been refused for it just before it ended. Of what was lost the cardholder has the money.
        if was == Some(DisputeState::Won) {
            unbooked(tx, &order, said)?;
        }
        return Ok(Heard::Known);
    }
    if was == Some(state) {
        return Ok(Heard::Known);
    }
    let now = tx.now.naive_utc();
    let over = matches!(state, DisputeState::Won | DisputeState::Lost);
    let row = DisputeRow {
        provider_id: said.id.clone(),
        order_id: order.id,
        amount: said.amount,
        state,
        provider_state: said.status.clone(),
        reason: said.reason.clone(),
        opened_at: before.as_ref().map_or(now, |d| d.opened_at),
        closed_at: over.then_some(now),
        due_by,
        attempt: page.attempt,
    };
    // A dispute that is heard of only at its end was open in between.
    let was_open = was == Some(DisputeState::Open);
    if was.is_none() && state == DisputeState::Inquiry {
        refunds::save_dispute(tx.conn, &row)?;
        evidence::asked(desk, tx, &order, &row)?;
    }
    if !was_open && matches!(state, DisputeState::Open | DisputeState::Lost) {
        opened(desk, tx, &campaign, &mut order, &row)?;
    }
    refunds::save_dispute(tx.conn, &row)?;
    match state {
        DisputeState::Won if was_open => won(tx, &mut order, &row)?,
        // The provider may have refused a refund for it all the same.
        DisputeState::Won => release(tx, &order)?,
        DisputeState::Lost => {
            lost(tx, &mut order, &row)?;
            nothing_left(tx, &campaign, &mut order)?;
        }
        DisputeState::Inquiry | DisputeState::Open => {}
    }
    money::keep(tx, &mut order)?;
    if over {
        collect::settled(tx, order.id)?;
    }
    if over && order.state.awaits_goods() {
        // While the dispute was open the order got no units.
        enqueue(tx, jobs::ALLOCATE, &order.batch_id.to_string(), now)?;
    }
    Ok(Heard::Known)
}

/// Nothing of what was heard is booked: where the dispute is over, what the provider refused to refund meanwhile goes out.
fn unbooked(tx: &mut Tx, order: &OrderRow, said: &ProviderDispute) -> Result<(), Problem> {
    if is_over(said) {
        release(tx, order)?;
    }
    Ok(())
}

/// Sends the refunds that a dispute held, unless another one still holds them.
fn release(tx: &mut Tx, order: &OrderRow) -> Result<(), Problem> {
    if money::dispute_is_open(tx, order.id)? {
        return Ok(());
    }
    let now = tx.now.naive_utc();
    for mut refund in refunds::of_order(tx.conn, order.id)? {
        if refund.held {
            refund.held = false;
            refunds::save(tx.conn, &refund)?;
            enqueue(tx, jobs::REFUND, &refund.id.to_string(), now)?;
        }
    }
    Ok(())
}

/// The bank disputes in another currency than was charged: nothing of it is booked, and staff are told, once for each of its
/// states.
fn in_another_currency(
    desk: &Desk,
    tx: &mut Tx,
    order: &OrderRow,
    said: &ProviderDispute,
) -> Result<Heard, Problem> {
    let detail = format!(
        "A dispute over {} ({}) concerns this order, which is in {}: nothing of it is booked. Look after it at the provider.",
        Money::new(said.amount, said.currency).format(),
        said.status.replace('_', " "),
        order.currency.to_uppercase()
    );
    let known = misc::happenings_of_order(tx.conn, order.id)?;
    if !known.iter().any(|h| h.detail == detail) {
        let path = format!("/admin/orders/{}", order.id);
        tell_unknown(desk, tx, order, said, detail, &path)?;
    }
    Ok(Heard::Known)
}

/// A state of which it is not known what to book: the dispute stays as it was, or is kept as an inquiry, which books nothing,
/// and staff are told, once for each such state.
fn left_for_staff(
    desk: &Desk,
    tx: &mut Tx,
    order: &OrderRow,
    attempt: i32,
    (said, before): (&ProviderDispute, Option<DisputeRow>),
) -> Result<Heard, Problem> {
    let is_known = |known: &DisputeRow| known.provider_state == said.status;
    if before
        .as_ref()
        .is_some_and(|d| d.state.is_over() || is_known(d))
    {
        return Ok(Heard::Known);
    }
    let mut row = before.unwrap_or_else(|| DisputeRow {
        provider_id: said.id.clone(),
        order_id: order.id,
        amount: said.amount,
        state: DisputeState::Inquiry,
        provider_state: String::new(),
        reason: said.reason.clone(),
        opened_at: tx.now.naive_utc(),
        closed_at: None,
        due_by: said.due_by.map(|at| at.naive_utc()),
        attempt,
    });
    row.provider_state.clone_from(&said.status);
    refunds::save_dispute(tx.conn, &row)?;
    let detail = match said.status.as_str() {
        PREVENTED => format!(
            "A dispute over {} was ended before it was raised, and the provider took nothing for it: the cardholder may have the money back all the same. Look there before anything is shipped or refunded.",
            say(said.amount, &order.currency)
        ),
        word => format!("The provider calls a dispute {word}: a person is needed."),
    };
    let path = evidence::path(&said.id);
    tell_unknown(desk, tx, order, said, detail, &path)?;
    Ok(Heard::Known)
}

fn tell_unknown(
    desk: &Desk,
    tx: &mut Tx,
    order: &OrderRow,
    said: &ProviderDispute,
    detail: String,
    path: &str,
) -> Result<(), Problem> {
    let concerns = Concerns::order(order);
    happened(tx, concerns, "system", "dispute_unknown", detail.clone())?;
    let number = super::desk::order_number(order.number);
    desk.tell_staff(
        tx,
        concerns,
        &format!("dispute_unknown:{}:{}", said.id, said.status),
        &format!("A dispute needs you: order {number}"),
        vec![detail],
        path,
    )
}

/// A dispute took all that was paid for ordered goods, and nothing was sent: the order gets no goods for nothing.
///
/// # Errors
/// What the database says.
pub fn nothing_left(
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &mut OrderRow,
) -> Result<(), Problem> {
    let shipped: i64 = orders::lines_of(tx.conn, order.id)?
        .iter()
        .map(|l| l.shipped)
        .sum();
    // While saved cards are charged it is not ordered yet: its units are not bought then.
    let uncounted =
        order.state == OrderState::Confirmed && order.mode == PaymentMode::ChargeOnSuccess;
    let waits = order.state == OrderState::Backordered || uncounted;
    if waits && shipped == 0 && order.lost > 0 && order.money().kept() <= 0 {
        leave(tx, campaign, order, RefundPurpose::Dispute)?;
        happened(
            tx,
            Concerns::order(order),
            "system",
            "cancelled",
            "The bank gave all of the money back, so the order is cancelled.",
        )?;
    }
    Ok(())
}

/// The money is gone for now. Before the judgement it cancels the order; its refund is due and held.
fn opened(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &mut OrderRow,
    row: &DisputeRow,
) -> Result<(), Problem> {
    // Kept as open first, so that what is committed below is held.
    let open = DisputeRow {
        state: DisputeState::Open,
        closed_at: None,
        ..row.clone()
    };
    refunds::save_dispute(tx.conn, &open)?;
    money::dispute_opened(tx, order, &row.provider_id, row.amount)?;
    for mut refund in refunds::of_order(tx.conn, order.id)? {
        if refund.state == RefundState::Queued {
            refund.held = true;
            refunds::save(tx.conn, &refund)?;
        }
    }
    let amount = say(row.amount, &order.currency);
    happened(
        tx,
        Concerns::order(order),
        "system",
        "disputed",
        format!(
            "The cardholder disputes {amount}: {}.",
            row.reason.replace('_', " ")
        ),
    )?;
    let gathers = campaigns::batch(tx.conn, order.batch_id)?
        .is_some_and(|batch| batch.state == BatchState::Gathering);
    if gathers && order.state == OrderState::Confirmed {
        let back = leave(tx, campaign, order, RefundPurpose::Dispute)?;
        let merchant = merchant(tx, order.merchant_id)?;
        let draft = offer(campaign)?;
        let letter = Letter::Cancelled {
            about: desk.about(&merchant, campaign, &draft, order),
            why: WhyCancelled::Disputed,
            back: money::nonzero_said(back, &order.currency),
        };
        desk.tell_shopper(tx, &merchant, order, "disputed", letter)?;
    }
    desk.tell_staff(
        tx,
        Concerns::order(order),
        &format!("disputed:{}", row.provider_id),
        &format!(
            "A dispute over {amount}: order {}",
            super::desk::order_number(order.number)
        ),
        vec![evidence::what_to_do(campaign, row)],
        &evidence::path(&row.provider_id),
    )
}

fn won(tx: &mut Tx, order: &mut OrderRow, row: &DisputeRow) -> Result<(), Problem> {
    money::dispute_won(tx, order, &row.provider_id, row.amount)?;
    release(tx, order)?;
    happened(
        tx,
        Concerns::order(order),
        "system",
        "dispute_won",
        if row.provider_state == PREVENTED {
            "The dispute was ended before it was decided, and the provider took nothing for it."
        } else {
            "The dispute was won."
        },
    )
}

fn lost(tx: &mut Tx, order: &mut OrderRow, row: &DisputeRow) -> Result<(), Problem> {
    let mut dropped = Vec::new();
    for mut refund in refunds::of_order(tx.conn, order.id)? {
        if refund.held {
            money::drop_refund(tx, order, &mut refund)?;
            dropped.push(refund);
        }
    }
    money::dispute_lost(tx, order, &row.provider_id, row.amount)?;
    // A dispute over a part takes no more than that: what was due of the rest goes out.
    for refund in dropped {
        let rest = money::rest_of_pages(tx, order)?
            .into_iter()
            .find(|(attempt, _)| *attempt == refund.payment_attempt)
            .map_or(0, |(_, rest)| rest);
        if rest > 0 {
            money::rename_dropped(tx, &refund)?;
            let (attempt, amount) = (refund.payment_attempt, refund.amount.min(rest));
            money::commit_refund(tx, order, attempt, refund.purpose, amount)?;
        }
    }
    happened(
        tx,
        Concerns::order(order),
        "system",
        "dispute_lost",
        "The dispute was lost: the cardholder has the money back from the bank.",
    )
}
