//! Purchase orders.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::purchase_orders;
use super::{Conn, StoreError, each_backend};
use crate::domain::ids::{BatchId, MerchantId, PurchaseOrderId, SupplierId};
use crate::domain::purchase_order::PurchaseOrderState;

/// A purchase order's row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = purchase_orders)]
pub struct PurchaseOrderRow {
    /// Its id.
    pub id: PurchaseOrderId,
    /// Who buys.
    pub merchant_id: MerchantId,
    /// The batch it is for.
    pub batch_id: BatchId,
    /// From whom.
    pub supplier_id: Option<SupplierId>,
    /// Its number, once it is issued.
    pub number: Option<i64>,
    /// Its version.
    pub version: i32,
    /// Where it stands.
    pub state: PurchaseOrderState,
    /// What is bought.
    pub units: i64,
    /// The paid units it was made for.
    pub units_paid: i64,
    /// Its content as JSON; frozen when it is issued.
    pub document: String,
    /// When it was drafted.
    pub created_at: NaiveDateTime,
    /// When it was issued.
    pub sent_at: Option<NaiveDateTime>,
    /// When the supplier said yes.
    pub acknowledged_at: Option<NaiveDateTime>,
    /// What the supplier noted.
    pub note: Option<String>,
    /// Units that staff added, beyond safety and full cases.
    pub added_units: i64,
    /// The purchase order whose place it takes.
    pub replaces: Option<PurchaseOrderId>,
    /// When the supplier began to make it.
    pub in_production_at: Option<NaiveDateTime>,
    /// When the supplier shipped it.
    pub shipped_at: Option<NaiveDateTime>,
    /// By whom.
    pub carrier: Option<String>,
    /// Where it can be followed.
    pub tracking_number: Option<String>,
    /// When all of it had arrived or was given up.
    pub received_at: Option<NaiveDateTime>,
    /// When it was closed.
    pub closed_at: Option<NaiveDateTime>,
    /// When the supplier said no.
    pub rejected_at: Option<NaiveDateTime>,
    /// Why, in the supplier's words.
    pub rejected_because: Option<String>,
    /// When it was replaced or cancelled.
    pub withdrawn_at: Option<NaiveDateTime>,
    /// Why, as the supplier reads it.
    pub withdrawn_because: Option<String>,
}

/// Keeps a draft.
pub fn insert(conn: &mut Conn, row: &PurchaseOrderRow) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(purchase_orders::table).values(row).execute(c)?;
    });
    Ok(())
}

/// The purchase order with this id.
pub fn by_id(conn: &mut Conn, id: PurchaseOrderId) -> Result<Option<PurchaseOrderRow>, StoreError> {
    Ok(purchase_orders::table
        .find(id)
        .select(PurchaseOrderRow::as_select())
        .first(conn)
        .optional()?)
}

/// A batch's purchase orders, oldest first.
pub fn of_batch(conn: &mut Conn, batch: BatchId) -> Result<Vec<PurchaseOrderRow>, StoreError> {
    Ok(purchase_orders::table
        .filter(purchase_orders::batch_id.eq(batch))
        .select(PurchaseOrderRow::as_select())
        .order(purchase_orders::id.asc())
        .load(conn)?)
}

/// Issued purchase orders over fewer units than they were made for, with both.
pub fn too_small(conn: &mut Conn) -> Result<Vec<(PurchaseOrderId, i64, i64)>, StoreError> {
    Ok(purchase_orders::table
        .filter(purchase_orders::number.is_not_null())
        .filter(purchase_orders::units.lt(purchase_orders::units_paid))
        .select((
            purchase_orders::id,
            purchase_orders::units,
            purchase_orders::units_paid,
        ))
        .load(conn)?)
}

/// A merchant's purchase orders, newest first.
pub fn of_merchant(
    conn: &mut Conn,
    merchant: MerchantId,
    limit: i64,
) -> Result<Vec<PurchaseOrderRow>, StoreError> {
    Ok(purchase_orders::table
        .filter(purchase_orders::merchant_id.eq(merchant))
        .select(PurchaseOrderRow::as_select())
        .order(purchase_orders::id.desc())
        .limit(limit)
        .load(conn)?)
}

/// A merchant's purchase orders in a state, oldest first.
pub fn in_state(
    conn: &mut Conn,
    merchant: MerchantId,
    state: PurchaseOrderState,
    limit: i64,
) -> Result<Vec<PurchaseOrderRow>, StoreError> {
    Ok(purchase_orders::table
        .filter(purchase_orders::merchant_id.eq(merchant))
        .filter(purchase_orders::state.eq(state))
        .select(PurchaseOrderRow::as_select())
        .order(purchase_orders::id.asc())
        .limit(limit)
        .load(conn)?)
}

/// Keeps what became of a purchase order that is still in the state `from`.
pub fn save(
    conn: &mut Conn,
    row: &PurchaseOrderRow,
    from: PurchaseOrderState,
) -> Result<(), StoreError> {
    let changed = diesel::update(
        purchase_orders::table
            .filter(purchase_orders::id.eq(row.id))
            .filter(purchase_orders::state.eq(from)),
    )
    .set((
        purchase_orders::supplier_id.eq(row.supplier_id),
        purchase_orders::number.eq(row.number),
        purchase_orders::state.eq(row.state),
        purchase_orders::units.eq(row.units),
        purchase_orders::units_paid.eq(row.units_paid),
        purchase_orders::document.eq(&row.document),
        purchase_orders::sent_at.eq(row.sent_at),
        purchase_orders::acknowledged_at.eq(row.acknowledged_at),
        purchase_orders::note.eq(&row.note),
        purchase_orders::added_units.eq(row.added_units),
        purchase_orders::replaces.eq(row.replaces),
        purchase_orders::in_production_at.eq(row.in_production_at),
        purchase_orders::shipped_at.eq(row.shipped_at),
        purchase_orders::carrier.eq(&row.carrier),
        purchase_orders::tracking_number.eq(&row.tracking_number),
        purchase_orders::received_at.eq(row.received_at),
        purchase_orders::closed_at.eq(row.closed_at),
        purchase_orders::rejected_at.eq(row.rejected_at),
        purchase_orders::rejected_because.eq(&row.rejected_because),
        purchase_orders::withdrawn_at.eq(row.withdrawn_at),
        purchase_orders::withdrawn_because.eq(&row.withdrawn_because),
    ))
    .execute(conn)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict("the purchase order's state"))
    }
}
