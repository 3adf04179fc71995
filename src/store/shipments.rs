//! Parcels to shoppers (domain section 5).

use chrono::NaiveDateTime;
use diesel::prelude::*;

mod lists;

pub use lists::*;

use super::schema::{shipment_lines, shipments};
use super::{Conn, StoreError, each_backend};
use crate::domain::ids::{BatchId, ClaimId, MerchantId, OptionId, OrderId, ShipmentId};
use crate::domain::shipment::{DeliveredBy, ShipmentKind, ShipmentState};

/// A parcel's row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = shipments)]
pub struct ShipmentRow {
    /// Its id.
    pub id: ShipmentId,
    /// Whose it is.
    pub merchant_id: MerchantId,
    /// The batch its goods are of.
    pub batch_id: BatchId,
    /// Whom it goes to.
    pub order_id: OrderId,
    /// Its number at the merchant, on the packing slip.
    pub number: i64,
    /// The order's goods, or sent again.
    pub kind: ShipmentKind,
    /// Where it stands.
    pub state: ShipmentState,
    /// What it is sent again for.
    pub claim_id: Option<ClaimId>,
    /// Who carries it.
    pub carrier: Option<String>,
    /// Where it can be followed.
    pub tracking_number: Option<String>,
    /// When it was picked.
    pub picked_at: NaiveDateTime,
    /// By whom.
    pub picked_by: String,
    /// When the carrier took it.
    pub handed_over_at: Option<NaiveDateTime>,
    /// When that was recorded here.
    pub recorded_at: Option<NaiveDateTime>,
    /// When it arrived.
    pub delivered_at: Option<NaiveDateTime>,
    /// Who says so.
    pub delivered_by: Option<DeliveredBy>,
    /// When it was stopped.
    pub stopped_at: Option<NaiveDateTime>,
}

/// What is in a parcel.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = shipment_lines)]
pub struct ShipmentLineRow {
    /// The parcel.
    pub shipment_id: ShipmentId,
    /// The option.
    pub option_id: OptionId,
    /// Units of it.
    pub units: i64,
}

/// Keeps a new parcel.
pub fn insert(
    conn: &mut Conn,
    row: &ShipmentRow,
    lines: &[ShipmentLineRow],
) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(shipments::table).values(row).execute(c)?;
        diesel::insert_into(shipment_lines::table).values(lines).execute(c)?;
    });
    Ok(())
}

/// The parcel with this id.
pub fn by_id(conn: &mut Conn, id: ShipmentId) -> Result<Option<ShipmentRow>, StoreError> {
    Ok(shipments::table
        .find(id)
        .select(ShipmentRow::as_select())
        .first(conn)
        .optional()?)
}

/// The merchant's parcel with this number.
pub fn by_number(
    conn: &mut Conn,
    merchant: MerchantId,
    number: i64,
) -> Result<Option<ShipmentRow>, StoreError> {
    Ok(shipments::table
        .filter(shipments::merchant_id.eq(merchant))
        .filter(shipments::number.eq(number))
        .select(ShipmentRow::as_select())
        .first(conn)
        .optional()?)
}

/// An order's parcels, first to last.
pub fn of_order(conn: &mut Conn, order: OrderId) -> Result<Vec<ShipmentRow>, StoreError> {
    Ok(shipments::table
        .filter(shipments::order_id.eq(order))
        .select(ShipmentRow::as_select())
        .order(shipments::id.asc())
        .load(conn)?)
}

/// What is in these parcels, each parcel's options in the order in which they were made.
pub fn lines_of(conn: &mut Conn, ids: &[ShipmentId]) -> Result<Vec<ShipmentLineRow>, StoreError> {
    Ok(shipment_lines::table
        .filter(shipment_lines::shipment_id.eq_any(ids))
        .select(ShipmentLineRow::as_select())
        .order((shipment_lines::shipment_id, shipment_lines::option_id))
        .load(conn)?)
}

/// Keeps what became of a parcel that is still in the state `from`.
pub fn save(conn: &mut Conn, row: &ShipmentRow, from: ShipmentState) -> Result<(), StoreError> {
    let changed = diesel::update(
        shipments::table
            .filter(shipments::id.eq(row.id))
            .filter(shipments::state.eq(from)),
    )
    .set((
        shipments::state.eq(row.state),
        shipments::carrier.eq(&row.carrier),
        shipments::tracking_number.eq(&row.tracking_number),
        shipments::handed_over_at.eq(row.handed_over_at),
        shipments::recorded_at.eq(row.recorded_at),
        shipments::delivered_at.eq(row.delivered_at),
        shipments::delivered_by.eq(row.delivered_by),
        shipments::stopped_at.eq(row.stopped_at),
    ))
    .execute(conn)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict("the parcel's state"))
    }
}
