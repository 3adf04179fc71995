//! A parcel arrives: said by the carrier's file, staff or the shopper, else assumed.

use chrono::{DateTime, Duration, Utc};

use super::pack::parcel_number;
use super::{Loaded, load};
use crate::domain::ids::{BatchId, MerchantId, ShipmentId};
use crate::domain::order::OrderState;
use crate::domain::shipment::{
    ASSUMED_AFTER_DAYS, DeliveredBy, ShipmentEvent, ShipmentKind, ShipmentState,
};
use crate::store::shipments::ShipmentRow;
use crate::store::{Tx, campaigns, orders, shipments};
use crate::workflows::allocate::complete_if_done;
use crate::workflows::desk::{Concerns, Problem, happened, lock_campaign};
use crate::workflows::money;
use crate::workflows::part::follow_goods;

/// Records that a parcel arrived. Said again, nothing changes.
///
/// # Errors
/// A conflict where it was not handed over; a wrong field where the time cannot be.
pub fn arrived(
    tx: &mut Tx,
    merchant: MerchantId,
    id: ShipmentId,
    at: Option<DateTime<Utc>>,
    by: DeliveredBy,
    person: &str,
) -> Result<ShipmentRow, Problem> {
    let mut loaded = load(tx, merchant, id)?;
    match loaded.parcel.state {
        ShipmentState::Delivered => return Ok(loaded.parcel),
        ShipmentState::HandedOver | ShipmentState::Lost => {}
        ShipmentState::Picked | ShipmentState::Stopped | ShipmentState::Returned => {
            return Err(Problem::conflict(
                "wrong-state",
                format!(
                    "Parcel {} is {}: only one that was handed over can arrive.",
                    parcel_number(loaded.parcel.number),
                    loaded.parcel.state
                ),
            ));
        }
    }
    let at = at.unwrap_or(tx.now);
    if at > tx.now + Duration::minutes(1) {
        return Err(Problem::field(
            "delivered_at",
            "This is in the future. Write when it arrived, or leave it out for now.",
        ));
    }
    let handed = loaded
        .parcel
        .handed_over_at
        .unwrap_or(loaded.parcel.picked_at);
    if at.naive_utc() + Duration::minutes(1) <= handed {
        return Err(Problem::field(
            "delivered_at",
            format!(
                "This is before the carrier took it, on {} UTC. Write a later time.",
                handed.format("%Y-%m-%d %H:%M")
            ),
        ));
    }
    deliver(tx, &mut loaded, at.min(tx.now), by, person)?;
    complete_if_done(tx, &loaded.campaign, loaded.parcel.batch_id)?;
    Ok(loaded.parcel)
}

fn deliver(
    tx: &mut Tx,
    loaded: &mut Loaded,
    at: DateTime<Utc>,
    by: DeliveredBy,
    person: &str,
) -> Result<(), Problem> {
    let from = loaded.parcel.state;
    loaded.parcel.state = from.after(ShipmentEvent::Delivered)?;
    loaded.parcel.delivered_at = Some(at.naive_utc());
    loaded.parcel.delivered_by = Some(by);
    shipments::save(tx.conn, &loaded.parcel, from)?;
    let order = &mut loaded.order;
    if loaded.parcel.kind == ShipmentKind::Order {
        for held in &loaded.inside {
            if let Some(line) = loaded
                .lines
                .iter_mut()
                .find(|l| l.option_id == held.option_id)
            {
                line.delivered = (line.delivered + held.units).min(line.shipped);
                line.state = line.units().state();
                orders::save_line(tx.conn, line)?;
            }
        }
        if order.state != OrderState::Cancelled {
            follow_goods(order, &loaded.lines)?;
            money::keep(tx, order)?;
        }
    }
    let number = parcel_number(loaded.parcel.number);
    let detail = match by {
        DeliveredBy::Carrier => format!("Parcel {number} arrived, the carrier says."),
        DeliveredBy::Staff => format!("Parcel {number} arrived."),
        DeliveredBy::Shopper => format!("Parcel {number} arrived, the shopper says."),
        DeliveredBy::Assumed => format!(
            "Parcel {number} counts as arrived: it is {ASSUMED_AFTER_DAYS} days on its way, and nobody said otherwise."
        ),
    };
    happened(tx, Concerns::order(order), person, "delivered", detail)
}

/// How many parcels are taken for arrived in one transaction.
const CHUNK: i64 = 50;

/// Takes some of a batch's parcels for arrived that were handed over 21 days ago, and of which nobody said anything;
/// when to look again.
///
/// # Errors
/// What the database says.
pub fn assume_delivered(tx: &mut Tx, id: BatchId) -> Result<Option<DateTime<Utc>>, Problem> {
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = lock_campaign(tx, batch.campaign_id)?;
    let before = (tx.now - Duration::days(ASSUMED_AFTER_DAYS)).naive_utc();
    for parcel in shipments::unheard_of(tx.conn, id, before, CHUNK)? {
        let mut loaded = load(tx, campaign.merchant_id, parcel.id)?;
        let now = tx.now;
        deliver(tx, &mut loaded, now, DeliveredBy::Assumed, "system")?;
    }
    complete_if_done(tx, &campaign, id)?;
    let first = shipments::first_handover(tx.conn, id)?;
    Ok(first.map(|at| {
        (at + Duration::days(ASSUMED_AFTER_DAYS))
            .and_utc()
            .max(tx.now)
    }))
}
