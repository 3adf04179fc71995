//! Accepting an offer: from then on it is an order like any that was just placed (domain sections 2 to 4).

use super::super::desk::{
    Concerns, Desk, Problem, ends_at, enqueue, happened, lock_campaign, payment_subject,
    takes_orders,
};
use super::super::join::{Accepted, FrozenQuote, first_page, new_page, plan_page, price_anew};
use crate::domain::ids::OrderId;
use crate::domain::order::{OrderEvent, OrderState};
use crate::domain::waiting::WaitAnswer;
use crate::store::campaigns::{CampaignRow, Moved};
use crate::store::orders::{OrderRow, PaymentRow};
use crate::store::waiting::WaitingRow;
use crate::store::{Tx, campaigns, jobs, orders, waiting};

/// Accepts what an order is offered: a hold with a payment page, at the price shown now. Accepting twice is answered as
/// the first time.
///
/// # Errors
/// A conflict where nothing is offered (`not-offered`), or not any more (`offer-over`); where the total rose over the one
/// agreed to (`price-changed`); terms that are not in force; what the database says.
pub fn accept(
    desk: &Desk,
    tx: &mut Tx,
    id: OrderId,
    accepted: &Accepted,
) -> Result<OrderRow, Problem> {
    let order = orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
    let campaign = lock_campaign(tx, order.campaign_id)?;
    let mut order = orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
    let Some(row) = waiting::of_order(tx.conn, id)? else {
        return Err(not_offered());
    };
    match (order.state, row.answer) {
        (_, Some(WaitAnswer::Accepted)) => return Ok(order),
        (OrderState::Waitlisted, None) => {}
        _ => return Err(over()),
    }
    in_time(desk, tx, &campaign, &row)?;
    let (frozen, mode) = price_anew(tx.conn, &campaign, &order, accepted, tx.now)?;
    let batch = campaigns::batch_of(tx.conn, campaign.id)?.ok_or(Problem::NotFound("batch"))?;
    let plan = plan_page(tx, desk.provider_rate, desk.hold_minutes)?;
    let (kind, amount) = first_page(mode, &frozen);

    order.state = order.state.after(OrderEvent::Accepted)?;
    order.batch_id = batch.id;
    order.quote = serde_json::to_string(&frozen)?;
    order.total = frozen.quote.total;
    order.mode = mode;
    order.hold_expires_at = plan.hold_expires_at.naive_utc();
    order.terms_version = accepted.terms_version.unwrap_or(order.terms_version);
    order.joined_from.clone_from(&accepted.from);
    keep(tx, &order, &frozen, row)?;
    begin_to_pay(tx, &campaign, &new_page(id, 1, amount, plan, kind))?;
    happened(
        tx,
        Concerns::order(&order),
        "shopper",
        "accepted",
        "The units that came free were accepted; they are held until they are paid.",
    )?;
    tx.touch(campaign.id);
    Ok(order)
}

/// Whether the offer stands. The clock is read again: the hold is granted only if it reads before the end at the commit,
/// not only when this began.
fn in_time(
    desk: &Desk,
    tx: &Tx,
    campaign: &CampaignRow,
    place: &WaitingRow,
) -> Result<(), Problem> {
    let Some(until) = place.offer_ends else {
        return Err(not_offered());
    };
    let now = tx.now.naive_utc();
    let late = desk.clock.now().naive_utc().max(now);
    if late >= until || late >= ends_at(campaign) || !takes_orders(campaign, now) {
        return Err(over());
    }
    Ok(())
}

/// The order and its lines at their new price, and the place in the list as answered.
fn keep(
    tx: &mut Tx,
    order: &OrderRow,
    frozen: &FrozenQuote,
    mut place: WaitingRow,
) -> Result<(), Problem> {
    let mut lines = orders::lines_of(tx.conn, order.id)?;
    for line in &mut lines {
        let priced = frozen
            .lines
            .iter()
            .zip(&frozen.quote.lines)
            .find(|(agreed, _)| agreed.sku == line.sku);
        if let Some((_, priced)) = priced {
            line.unit_price = priced.unit_price;
        }
    }
    waiting::take_up(tx.conn, order, &lines)?;
    place.answer = Some(WaitAnswer::Accepted);
    place.answered_at = Some(tx.now.naive_utc());
    waiting::save(tx.conn, &place)?;
    Ok(())
}

/// Puts the order's first page down, counts it, and asks for it to be made.
fn begin_to_pay(tx: &mut Tx, campaign: &CampaignRow, page: &PaymentRow) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    orders::insert_payment(tx.conn, page)?;
    let moved = Moved {
        orders: 1,
        open_payments: 1,
        ..Moved::default()
    };
    campaigns::count(tx.conn, campaign.id, moved, now)?;
    if campaign.first_order_at.is_none() {
        campaigns::set_first_order(tx.conn, campaign.id, now)?;
    }
    let subject = payment_subject(page.order_id, page.attempt);
    enqueue(tx, jobs::PAYMENT, &subject, page.planned_at)
}

fn not_offered() -> Problem {
    Problem::conflict(
        "not-offered",
        "Nothing is offered to this order. A mail comes when units come free.",
    )
}

fn over() -> Problem {
    Problem::conflict("offer-over", "This offer has ended. Nothing was charged.")
}
