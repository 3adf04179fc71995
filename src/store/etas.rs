//! Every date that was set for a batch: who set it, why, and when shoppers were told (domain section 5).

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use super::schema::{batches, etas, purchase_orders};
use super::{Conn, StoreError, each_backend};
use crate::domain::ids::{BatchId, EtaId, MerchantId, PurchaseOrderId};
use crate::domain::purchase_order::{EtaSource, EtaState};

/// A date's row.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = etas)]
pub struct EtaRow {
    /// Its id.
    pub id: EtaId,
    /// The batch.
    pub batch_id: BatchId,
    /// The purchase order it concerns, where it came from one's supplier.
    pub purchase_order_id: Option<PurchaseOrderId>,
    /// The day the goods arrive; none: not known.
    pub arrives: Option<NaiveDate>,
    /// The day the parcels go out; none: not known.
    pub ship_date: Option<NaiveDate>,
    /// Who it comes from.
    pub source: EtaSource,
    /// The person's or the supplier's name.
    pub set_by: String,
    /// Why it moved, as shoppers read it.
    pub reason: String,
    /// When it was set.
    pub set_at: NaiveDateTime,
    /// Whether shoppers were told.
    pub state: EtaState,
    /// When it was passed on to shoppers.
    pub passed_on_at: Option<NaiveDateTime>,
    /// By whom; `system` where nobody did within 24 hours.
    pub passed_on_by: Option<String>,
}

/// Keeps a date.
pub fn insert(conn: &mut Conn, row: &EtaRow) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(etas::table).values(row).execute(c)?;
    });
    Ok(())
}

/// The date with this id.
pub fn by_id(conn: &mut Conn, id: EtaId) -> Result<Option<EtaRow>, StoreError> {
    Ok(etas::table
        .find(id)
        .select(EtaRow::as_select())
        .first(conn)
        .optional()?)
}

/// A batch's dates, first to last.
pub fn of_batch(conn: &mut Conn, batch: BatchId) -> Result<Vec<EtaRow>, StoreError> {
    Ok(etas::table
        .filter(etas::batch_id.eq(batch))
        .select(EtaRow::as_select())
        .order(etas::id.asc())
        .load(conn)?)
}

/// A merchant's dates that wait for staff, oldest first.
pub fn waiting_of(
    conn: &mut Conn,
    merchant: MerchantId,
    limit: i64,
) -> Result<Vec<EtaRow>, StoreError> {
    let mine = purchase_orders::table
        .filter(purchase_orders::merchant_id.eq(merchant))
        .select(purchase_orders::id.nullable());
    Ok(etas::table
        .filter(etas::state.eq(EtaState::Waiting))
        .filter(etas::purchase_order_id.eq_any(mine))
        .select(EtaRow::as_select())
        .order(etas::id.asc())
        .limit(limit)
        .load(conn)?)
}

/// Keeps what became of a date that is still in the state `from`.
pub fn save(conn: &mut Conn, row: &EtaRow, from: EtaState) -> Result<(), StoreError> {
    let changed = diesel::update(
        etas::table
            .filter(etas::id.eq(row.id))
            .filter(etas::state.eq(from)),
    )
    .set((
        etas::ship_date.eq(row.ship_date),
        etas::reason.eq(&row.reason),
        etas::state.eq(row.state),
        etas::passed_on_at.eq(row.passed_on_at),
        etas::passed_on_by.eq(&row.passed_on_by),
    ))
    .execute(conn)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict("the date's state"))
    }
}

/// Gives a batch the dates that count from now on.
pub fn set_of_batch(
    conn: &mut Conn,
    batch: BatchId,
    arrives: Option<NaiveDate>,
    ship_date: Option<NaiveDate>,
) -> Result<(), StoreError> {
    diesel::update(batches::table.find(batch))
        .set((
            batches::arrives.eq(arrives),
            batches::ship_date.eq(ship_date),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps the later stop-loss date that shoppers are asked about together with a date.
pub fn set_stop_loss(
    conn: &mut Conn,
    id: EtaId,
    stop_loss: Option<NaiveDate>,
) -> Result<(), StoreError> {
    diesel::update(etas::table.find(id))
        .set(etas::stop_loss.eq(stop_loss))
        .execute(conn)?;
    Ok(())
}

/// The later stop-loss date that shoppers are asked about together with a date; none where it stays.
pub fn stop_loss_of(conn: &mut Conn, id: EtaId) -> Result<Option<NaiveDate>, StoreError> {
    let found: Option<Option<NaiveDate>> = etas::table
        .find(id)
        .select(etas::stop_loss)
        .first(conn)
        .optional()?;
    Ok(found.flatten())
}

/// The last date of a batch that shoppers were, or are being, told of.
pub fn last_passed_on(conn: &mut Conn, batch: BatchId) -> Result<Option<EtaRow>, StoreError> {
    Ok(etas::table
        .filter(etas::batch_id.eq(batch))
        .filter(etas::state.eq(EtaState::PassedOn))
        .select(EtaRow::as_select())
        .order((etas::passed_on_at.desc(), etas::id.desc()))
        .first(conn)
        .optional()?)
}
