//! Parcels and packable orders, in lists.

use chrono::NaiveDateTime;
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::super::schema::{disputes, order_lines, orders, shipments};
use super::super::{Conn, StoreError};
use super::ShipmentRow;
use crate::domain::ids::{BatchId, CampaignId, OrderId, ShipmentId};
use crate::domain::order::{Delivery, OrderState};
use crate::domain::payment::DisputeState;
use crate::domain::shipment::ShipmentState;
use crate::store::orders::OrderRow;

/// Which orders of a batch a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Those that can be packed now: everything they want is there, or they take what is there.
    Ready,
    /// Those that have some of their units and wait for the others, because they want one parcel.
    PartReady,
    /// Those with a parcel that was not handed over yet.
    Picked,
    /// Those with a parcel that must not go out.
    Stopped,
    /// Those that wait for units.
    Backordered,
    /// Those with a parcel on its way.
    OnItsWay,
    /// Those that arrived.
    Delivered,
}

/// Some of the order's units lie there for it and are in no parcel.
macro_rules! has_to_pick {
    () => {
        exists(
            order_lines::table
                .filter(order_lines::order_id.eq(orders::id))
                .filter(order_lines::allocated.gt(order_lines::picked + order_lines::shipped)),
        )
    };
}

/// Some of the order's units are not there yet.
macro_rules! waits {
    () => {
        exists(
            order_lines::table
                .filter(order_lines::order_id.eq(orders::id))
                .filter(
                    (order_lines::quantity - order_lines::cancelled).gt(order_lines::allocated),
                ),
        )
    };
}

macro_rules! is_disputed {
    () => {
        exists(
            disputes::table
                .filter(disputes::order_id.eq(orders::id))
                .filter(disputes::state.eq(DisputeState::Open)),
        )
    };
}

macro_rules! has_parcel {
    ($($state:expr),+) => {
        exists(
            shipments::table
                .filter(shipments::order_id.eq(orders::id))
                .filter(shipments::state.eq_any([$($state),+])),
        )
    };
}

/// Orders of a batch as it is packed, in the order of their ids, after `after`. `text` is looked for in name and e-mail,
/// or is an order's number.
pub fn packing(
    conn: &mut Conn,
    batch: BatchId,
    which: Option<Packing>,
    text: Option<&str>,
    country: Option<&str>,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<OrderRow>, StoreError> {
    let mut query = orders::table
        .filter(orders::batch_id.eq(batch))
        .filter(orders::confirmed_at.is_not_null())
        .select(OrderRow::as_select())
        .order(orders::id.asc())
        .limit(limit)
        .into_boxed();
    let awaits = [OrderState::Backordered, OrderState::PartlyShipped];
    query = match which {
        None => query,
        Some(Packing::Ready) => query
            .filter(orders::state.eq_any(awaits))
            .filter(has_to_pick!())
            // A balance that is not paid keeps the parcel back.
            .filter(orders::owed.eq(0))
            .filter(orders::delivery.eq(Delivery::AsAvailable).or(not(waits!())))
            .filter(not(is_disputed!())),
        Some(Packing::PartReady) => query
            .filter(orders::state.eq_any(awaits))
            .filter(has_to_pick!())
            // A balance that is not paid keeps the parcel back.
            .filter(orders::owed.eq(0))
            .filter(orders::delivery.eq(Delivery::OneParcel))
            .filter(waits!()),
        Some(Packing::Picked) => query.filter(has_parcel!(ShipmentState::Picked)),
        Some(Packing::Stopped) => query.filter(has_parcel!(ShipmentState::Stopped)),
        Some(Packing::Backordered) => query.filter(orders::state.eq_any(awaits)).filter(waits!()),
        Some(Packing::OnItsWay) => query.filter(has_parcel!(ShipmentState::HandedOver)),
        Some(Packing::Delivered) => query.filter(orders::state.eq(OrderState::Delivered)),
    };
    if let Some(text) = text {
        let number = text.trim().trim_start_matches(['M', 'm', '-']);
        if let Ok(number) = number.parse::<i64>() {
            query = query.filter(orders::number.eq(number));
        } else {
            let part = text.trim().replace(['%', '_'], "");
            query = query.filter(
                orders::email
                    .like(format!("%{}%", part.to_lowercase()))
                    .or(orders::name.like(format!("%{part}%"))),
            );
        }
    }
    if let Some(country) = country {
        query = query.filter(orders::country.eq(country.to_owned()));
    }
    if let Some(after) = after {
        query = query.filter(orders::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// How many orders of a batch can be packed now, and how many have a parcel that waits for its carrier.
pub fn packing_counts(conn: &mut Conn, batch: BatchId) -> Result<(i64, i64), StoreError> {
    let ready = orders::table
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq_any([OrderState::Backordered, OrderState::PartlyShipped]))
        .filter(has_to_pick!())
        .filter(orders::owed.eq(0))
        .filter(orders::delivery.eq(Delivery::AsAvailable).or(not(waits!())))
        .filter(not(is_disputed!()))
        .count()
        .get_result(conn)?;
    let picked = shipments::table
        .filter(shipments::batch_id.eq(batch))
        .filter(shipments::state.eq(ShipmentState::Picked))
        .count()
        .get_result(conn)?;
    Ok((ready, picked))
}

/// The countries that a batch's parcels go to.
pub fn countries(conn: &mut Conn, batch: BatchId) -> Result<Vec<String>, StoreError> {
    Ok(orders::table
        .filter(orders::batch_id.eq(batch))
        .filter(orders::confirmed_at.is_not_null())
        .select(orders::country)
        .distinct()
        .order(orders::country.asc())
        .load(conn)?)
}

/// The parcels of these orders, first to last.
pub fn of_orders(conn: &mut Conn, ids: &[OrderId]) -> Result<Vec<ShipmentRow>, StoreError> {
    Ok(shipments::table
        .filter(shipments::order_id.eq_any(ids))
        .select(ShipmentRow::as_select())
        .order(shipments::id.asc())
        .load(conn)?)
}

/// A batch's parcels in a state, by number.
pub fn in_state(
    conn: &mut Conn,
    batch: BatchId,
    state: ShipmentState,
    limit: i64,
) -> Result<Vec<ShipmentRow>, StoreError> {
    Ok(shipments::table
        .filter(shipments::batch_id.eq(batch))
        .filter(shipments::state.eq(state))
        .select(ShipmentRow::as_select())
        .order(shipments::number.asc())
        .limit(limit)
        .load(conn)?)
}

/// A campaign's parcels in the order of their ids, after `after`.
pub fn of_campaign(
    conn: &mut Conn,
    campaign: CampaignId,
    after: Option<ShipmentId>,
    limit: i64,
) -> Result<Vec<ShipmentRow>, StoreError> {
    let mut query = shipments::table
        .inner_join(orders::table)
        .filter(orders::campaign_id.eq(campaign))
        .select(ShipmentRow::as_select())
        .order(shipments::id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(shipments::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// A batch's parcels that were handed over before a time and of which nobody said that they arrived.
pub fn unheard_of(
    conn: &mut Conn,
    batch: BatchId,
    before: NaiveDateTime,
    limit: i64,
) -> Result<Vec<ShipmentRow>, StoreError> {
    Ok(shipments::table
        .filter(shipments::batch_id.eq(batch))
        .filter(shipments::state.eq(ShipmentState::HandedOver))
        .filter(shipments::handed_over_at.le(before))
        .select(ShipmentRow::as_select())
        .order(shipments::id.asc())
        .limit(limit)
        .load(conn)?)
}

/// When the first of a batch's parcels that are on their way was handed over.
pub fn first_handover(
    conn: &mut Conn,
    batch: BatchId,
) -> Result<Option<NaiveDateTime>, StoreError> {
    Ok(shipments::table
        .filter(shipments::batch_id.eq(batch))
        .filter(shipments::state.eq(ShipmentState::HandedOver))
        .select(diesel::dsl::min(shipments::handed_over_at))
        .first(conn)?)
}
