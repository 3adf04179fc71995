//! The carrier takes a parcel.

use chrono::{DateTime, Duration, NaiveDateTime, SubsecRound, Utc};

use super::books::book;
use super::late::judge_late;
use super::pack::parcel_number;
use super::{Loaded, load};
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::{MerchantId, ShipmentId};
use crate::domain::order::OrderState;
use crate::domain::shipment::{ASSUMED_AFTER_DAYS, ShipmentEvent, ShipmentKind, ShipmentState};
use crate::store::shipments::ShipmentRow;
use crate::store::{Tx, jobs, orders, shipments};
use crate::workflows::batches;
use crate::workflows::desk::{
    Concerns, Desk, Problem, enqueue, happened, merchant as merchant_of, offer, order_number,
};
use crate::workflows::letters::{About, Letter, LetterLine};
use crate::workflows::money::{self, say};
use crate::workflows::part::follow_goods;
use crate::workflows::signs;

/// A handover to be recorded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Handed {
    /// When the carrier took it; none: now.
    pub at: Option<DateTime<Utc>>,
    /// Who carries it.
    pub carrier: Option<String>,
    /// Where it can be followed.
    pub tracking_number: Option<String>,
    /// The person who says so.
    pub by: String,
}

/// Records that the carrier took a parcel. Said again of one that is on its way, it completes carrier and tracking, and
/// changes nothing else.
///
/// # Errors
/// A conflict (`stopped`) where something in it was cancelled before; a wrong field where the time cannot be.
pub fn hand_over(
    desk: &Desk,
    tx: &mut Tx,
    merchant: MerchantId,
    id: ShipmentId,
    handed: &Handed,
) -> Result<ShipmentRow, Problem> {
    let loaded = load(tx, merchant, id)?;
    match loaded.parcel.state {
        ShipmentState::Picked | ShipmentState::Stopped => take(desk, tx, loaded, handed),
        ShipmentState::HandedOver | ShipmentState::Delivered => again(tx, loaded, handed),
        ShipmentState::Lost | ShipmentState::Returned => Err(Problem::conflict(
            "wrong-state",
            format!(
                "Parcel {} is {}: it was handed over before.",
                parcel_number(loaded.parcel.number),
                loaded.parcel.state
            ),
        )),
    }
}

/// The same handover once more.
fn again(tx: &mut Tx, loaded: Loaded, handed: &Handed) -> Result<ShipmentRow, Problem> {
    let mut parcel = loaded.parcel;
    let known = parcel.handed_over_at.unwrap_or(parcel.picked_at);
    if let Some(at) = handed.at
        && (at.naive_utc() - known).num_seconds().abs() > 60
    {
        return Err(Problem::conflict(
            "already-handed-over",
            format!(
                "Parcel {} was handed over on {} UTC already.",
                parcel_number(parcel.number),
                known.format("%Y-%m-%d %H:%M")
            ),
        ));
    }
    parcel.carrier = handed.carrier.clone().or(parcel.carrier);
    parcel.tracking_number = handed.tracking_number.clone().or(parcel.tracking_number);
    let state = parcel.state;
    shipments::save(tx.conn, &parcel, state)?;
    Ok(parcel)
}

/// Checks when it was: not in the future, not before it was paid or, where it was picked here, packed.
pub(super) fn check_time(
    at: DateTime<Utc>,
    now: DateTime<Utc>,
    not_before: NaiveDateTime,
    what: &str,
) -> Result<(), Problem> {
    // People's clocks and notes are minutes.
    if at > now + Duration::minutes(1) {
        return Err(Problem::field(
            "handed_over_at",
            "This is in the future. Write when the carrier took it, or leave it out for now.",
        ));
    }
    if at.naive_utc() + Duration::minutes(1) <= not_before {
        return Err(Problem::field(
            "handed_over_at",
            format!(
                "This is before it was {what}, on {} UTC. Write a later time.",
                not_before.format("%Y-%m-%d %H:%M")
            ),
        ));
    }
    Ok(())
}

pub(super) fn take(
    desk: &Desk,
    tx: &mut Tx,
    mut loaded: Loaded,
    handed: &Handed,
) -> Result<ShipmentRow, Problem> {
    let at = handed.at.unwrap_or(tx.now);
    let stopped = loaded.parcel.state == ShipmentState::Stopped;
    if stopped && handed.at.is_none() {
        return Err(is_stopped(&loaded.parcel));
    }
    let paid = loaded.order.confirmed_at.unwrap_or(loaded.order.created_at);
    check_time(at, tx.now, paid, "paid")?;
    check_time(at, tx.now, loaded.parcel.picked_at, "packed")?;
    // As the databases keep it.
    let at = at.min(tx.now).naive_utc().trunc_subsecs(6);
    let from = loaded.parcel.state;
    let of_order = loaded.parcel.kind == ShipmentKind::Order;
    if stopped {
        if !of_order {
            return Err(is_stopped(&loaded.parcel));
        }
        judge_late(tx, &mut loaded, at)?;
        loaded.parcel.state = from.after(ShipmentEvent::HandedOverBeforeStop)?;
    } else {
        if of_order {
            move_units(tx, &mut loaded)?;
        }
        loaded.parcel.state = from.after(ShipmentEvent::HandedOver)?;
    }
    let parcel = &mut loaded.parcel;
    parcel.carrier = handed.carrier.clone().or(parcel.carrier.take());
    parcel.tracking_number = handed
        .tracking_number
        .clone()
        .or(parcel.tracking_number.take());
    parcel.handed_over_at = Some(at);
    parcel.recorded_at = Some(tx.now.naive_utc());
    shipments::save(tx.conn, parcel, from)?;
    let assumed = at + Duration::days(ASSUMED_AFTER_DAYS);
    enqueue(
        tx,
        jobs::ASSUME_DELIVERED,
        &parcel.batch_id.to_string(),
        assumed,
    )?;
    if of_order {
        let loss = book(
            tx,
            &loaded.order,
            &loaded.lines,
            &loaded.parcel.id.to_string(),
        )?;
        // An order whose money went back stays cancelled, whatever was in the parcel.
        let wanted: i64 = loaded.lines.iter().map(|l| l.units().wanted()).sum();
        if loaded.order.state != OrderState::Cancelled || wanted > 0 {
            follow_goods(&mut loaded.order, &loaded.lines)?;
        }
        money::keep(tx, &mut loaded.order)?;
        if loss > 0 {
            say_loss(desk, tx, &loaded, loss)?;
        }
    }
    tell(desk, tx, &loaded, handed)?;
    Ok(loaded.parcel)
}

pub(super) fn is_stopped(parcel: &ShipmentRow) -> Problem {
    let when = parcel.stopped_at.map_or_else(String::new, |at| {
        format!(" on {} UTC", at.format("%Y-%m-%d %H:%M"))
    });
    Problem::conflict(
        "stopped",
        format!(
            "Parcel {} must not go out: something in it was cancelled{when}. Take it back and unpack it. If the carrier took it before that, record the time of the handover.",
            parcel_number(parcel.number)
        ),
    )
}

/// Picked units are shipped.
fn move_units(tx: &mut Tx, loaded: &mut Loaded) -> Result<(), Problem> {
    for held in &loaded.inside {
        let line = loaded
            .lines
            .iter_mut()
            .find(|l| l.option_id == held.option_id)
            .ok_or_else(|| Problem::Internal("a parcel holds what its order has not".into()))?;
        line.picked -= held.units;
        line.shipped += held.units;
        line.state = line.units().state();
        orders::save_line(tx.conn, line)?;
    }
    Ok(())
}

/// Staff see what the merchant bears.
fn say_loss(desk: &Desk, tx: &mut Tx, loaded: &Loaded, loss: i64) -> Result<(), Problem> {
    let order = &loaded.order;
    let amount = say(loss, &order.currency);
    let number = order_number(order.number);
    let parcel = parcel_number(loaded.parcel.number);
    happened(
        tx,
        Concerns {
            order: None,
            ..Concerns::order(order)
        },
        "system",
        "loss",
        format!(
            "Parcel {parcel} of order {number} holds goods that are not paid for: {amount} is the shop's loss."
        ),
    )?;
    desk.tell_staff(
        tx,
        Concerns::order(order),
        &format!("loss:{}", loaded.parcel.id),
        &format!("A loss of {amount}: order {number}"),
        vec![format!(
            "Parcel {parcel} was handed over before its goods were cancelled, which became known afterwards; or a dispute took the money. Its price is not there any more, so the books show it as the shop's loss. You may ask the shopper to send it back."
        )],
        &format!("/admin/orders/{}", order.id),
    )
}

/// The shopper is told, with the tracking number.
fn tell(desk: &Desk, tx: &mut Tx, loaded: &Loaded, handed: &Handed) -> Result<(), Problem> {
    let Loaded {
        campaign,
        order,
        lines,
        parcel,
        inside,
    } = loaded;
    let number = parcel_number(parcel.number);
    let by = match (&parcel.carrier, &parcel.tracking_number) {
        (Some(carrier), Some(tracking)) => format!(" with {carrier}, {tracking}"),
        (Some(carrier), None) => format!(" with {carrier}"),
        (None, Some(tracking)) => format!(", {tracking}"),
        (None, None) => String::new(),
    };
    let detail = format!("Parcel {number} is on its way{by}.");
    happened(tx, Concerns::order(order), &handed.by, "shipped", detail)?;
    signs::sign(tx, campaign)?;
    let merchant = merchant_of(tx, order.merchant_id)?;
    let terms = offer(campaign)?;
    let letter = Letter::Shipped {
        about: About {
            campaign: batches::title(tx.conn, campaign, order.batch_id)?,
            ..desk.about(&merchant, campaign, &terms, order)
        },
        parcel: number,
        lines: inside
            .iter()
            .map(|held| letter_line(lines, &terms, held.option_id, held.units))
            .collect(),
        carrier: parcel.carrier.clone(),
        tracking_number: parcel.tracking_number.clone(),
        rest: lines
            .iter()
            .map(|l| l.units().unshipped())
            .sum::<i64>()
            .max(0),
    };
    let once = format!("shipped:{}", parcel.id);
    desk.tell_shopper(tx, &merchant, order, &once, letter)
}

fn letter_line(
    lines: &[crate::store::orders::LineRow],
    terms: &CampaignDraft,
    option: crate::domain::ids::OptionId,
    units: i64,
) -> LetterLine {
    let sku = lines
        .iter()
        .find(|l| l.option_id == option)
        .map_or("", |l| l.sku.as_str());
    LetterLine {
        quantity: units,
        name: terms
            .options
            .iter()
            .find(|o| o.sku == sku)
            .map_or_else(|| sku.to_owned(), |o| o.name.clone()),
        amount: String::new(),
    }
}
