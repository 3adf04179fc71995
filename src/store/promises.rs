//! What was promised to each shopper, and the batches of which the rest will not be shipped (domain section 6).

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use super::kept::kept;
use super::orders::OrderRow;
use super::schema::{batches, given_up, orders, promises};
use super::{Conn, StoreError, each_backend};
use crate::domain::campaign::BatchState;
use crate::domain::ids::{BatchId, CampaignId, OrderId};
use crate::domain::order::OrderState;
use crate::domain::promise::Promise;

/// The promise to one order.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = promises, treat_none_as_default_value = false)]
pub struct PromiseRow {
    /// The order.
    pub order_id: OrderId,
    /// Its campaign.
    pub campaign_id: CampaignId,
    /// Its batch.
    pub batch_id: BatchId,
    /// D: the ship date promised when it was placed.
    pub first_date: NaiveDate,
    /// The last date agreed to.
    pub agreed_date: Option<NaiveDate>,
    /// Whether "not known" was agreed to.
    pub open_ended: bool,
    /// The day after which what is unshipped is refunded, whatever was agreed.
    pub stop_loss: NaiveDate,
    /// The last day; none where nothing cancels by itself but the stop-loss.
    pub cancels_after: Option<NaiveDate>,
    /// When it last changed.
    pub updated_at: NaiveDateTime,
}

impl PromiseRow {
    /// The row as the delay rule reads it.
    pub fn promise(&self) -> Promise {
        Promise {
            first_date: self.first_date,
            agreed_date: self.agreed_date,
            open_ended: self.open_ended,
            stop_loss: self.stop_loss,
            cancels_after: self.cancels_after,
        }
    }

    /// The row with what the delay rule made of the promise.
    #[must_use]
    pub fn with(mut self, promise: Promise, now: NaiveDateTime) -> PromiseRow {
        self.first_date = promise.first_date;
        self.agreed_date = promise.agreed_date;
        self.open_ended = promise.open_ended;
        self.stop_loss = promise.stop_loss;
        self.cancels_after = promise.cancels_after;
        self.updated_at = now;
        self
    }
}

/// States of orders that a promise is still about: paid, and not all of it shipped.
const LIVE: [OrderState; 3] = [
    OrderState::Confirmed,
    OrderState::Backordered,
    OrderState::PartlyShipped,
];

/// Keeps a new order's promise; one that is there stays as it is.
pub fn insert(conn: &mut Conn, row: &PromiseRow) -> Result<(), StoreError> {
    let new = diesel::insert_into(promises::table)
        .values(row)
        .on_conflict_do_nothing();
    each_backend!(conn, c => kept!(new).execute(c)?);
    Ok(())
}

/// The promise to an order; none before it is paid.
pub fn of_order(conn: &mut Conn, order: OrderId) -> Result<Option<PromiseRow>, StoreError> {
    Ok(promises::table
        .find(order)
        .select(PromiseRow::as_select())
        .first(conn)
        .optional()?)
}

/// The promises to several orders.
pub fn of_orders(conn: &mut Conn, ids: &[OrderId]) -> Result<Vec<PromiseRow>, StoreError> {
    Ok(promises::table
        .filter(promises::order_id.eq_any(ids))
        .select(PromiseRow::as_select())
        .load(conn)?)
}

/// Keeps what became of a promise.
pub fn save(conn: &mut Conn, row: &PromiseRow) -> Result<(), StoreError> {
    diesel::update(promises::table.find(row.order_id))
        .set((
            promises::agreed_date.eq(row.agreed_date),
            promises::open_ended.eq(row.open_ended),
            promises::stop_loss.eq(row.stop_loss),
            promises::cancels_after.eq(row.cancels_after),
            promises::updated_at.eq(row.updated_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Unshipped orders of a batch whose last day lies before `today`, in the order of their ids, after `after`.
pub fn lapsed(
    conn: &mut Conn,
    batch: BatchId,
    today: NaiveDate,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<OrderId>, StoreError> {
    let mut query = promises::table
        .inner_join(orders::table)
        .filter(promises::batch_id.eq(batch))
        .filter(orders::state.eq_any(LIVE))
        .filter(
            promises::stop_loss
                .lt(today)
                .or(promises::cancels_after.lt(today)),
        )
        .select(promises::order_id)
        .order(promises::order_id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(promises::order_id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// A promise with its order.
pub type Promised = (PromiseRow, OrderRow);

/// Unshipped orders of a batch, in the order of their ids, after `after`.
pub fn unshipped(
    conn: &mut Conn,
    batch: BatchId,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<Promised>, StoreError> {
    let mut query = promises::table
        .inner_join(orders::table)
        .filter(promises::batch_id.eq(batch))
        .filter(orders::state.eq_any(LIVE))
        .select((PromiseRow::as_select(), OrderRow::as_select()))
        .order(promises::order_id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(promises::order_id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// The ids of unshipped orders of a batch, in their order, after `after`.
pub fn unshipped_ids(
    conn: &mut Conn,
    batch: BatchId,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<OrderId>, StoreError> {
    let mut query = promises::table
        .inner_join(orders::table)
        .filter(promises::batch_id.eq(batch))
        .filter(orders::state.eq_any(LIVE))
        .select(promises::order_id)
        .order(promises::order_id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(promises::order_id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Unshipped orders of a batch whose date in force lies between two days, both included, in the order of their ids,
/// after `after`. Who agreed to "not known" has none.
pub fn due_between(
    conn: &mut Conn,
    batch: BatchId,
    (from, to): (NaiveDate, NaiveDate),
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<Promised>, StoreError> {
    let first = promises::agreed_date
        .is_null()
        .and(promises::first_date.between(from, to));
    let agreed = promises::agreed_date
        .is_not_null()
        .and(promises::agreed_date.between(from, to));
    let mut query = promises::table
        .inner_join(orders::table)
        .filter(promises::batch_id.eq(batch))
        .filter(promises::open_ended.eq(false))
        .filter(orders::state.eq_any(LIVE))
        .filter(first.or(agreed))
        .select((PromiseRow::as_select(), OrderRow::as_select()))
        .order(promises::order_id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(promises::order_id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// How many unshipped orders of a batch were promised each date at joining.
pub fn unshipped_by_date(
    conn: &mut Conn,
    batch: BatchId,
) -> Result<Vec<(NaiveDate, i64)>, StoreError> {
    Ok(promises::table
        .inner_join(orders::table)
        .filter(promises::batch_id.eq(batch))
        .filter(orders::state.eq_any(LIVE))
        .group_by(promises::first_date)
        .order(promises::first_date.asc())
        .select((promises::first_date, diesel::dsl::count_star()))
        .load(conn)?)
}

/// The stop-loss dates of a batch's unshipped orders.
pub fn stop_losses(conn: &mut Conn, batch: BatchId) -> Result<Vec<NaiveDate>, StoreError> {
    Ok(promises::table
        .inner_join(orders::table)
        .filter(promises::batch_id.eq(batch))
        .filter(orders::state.eq_any(LIVE))
        .select(promises::stop_loss)
        .distinct()
        .order(promises::stop_loss.asc())
        .load(conn)?)
}

/// The first date that was promised to any unshipped order of a batch; none where it has none.
pub fn first_date(conn: &mut Conn, batch: BatchId) -> Result<Option<NaiveDate>, StoreError> {
    Ok(promises::table
        .inner_join(orders::table)
        .filter(promises::batch_id.eq(batch))
        .filter(orders::state.eq_any(LIVE))
        .select(diesel::dsl::min(promises::first_date))
        .first(conn)?)
}

/// Batches that are not over and have promises: those whose days are watched.
pub fn watched(conn: &mut Conn) -> Result<Vec<BatchId>, StoreError> {
    let with_promises = promises::table.select(promises::batch_id).distinct();
    Ok(batches::table
        .filter(batches::state.ne_all([BatchState::Completed, BatchState::Failed]))
        .filter(batches::id.eq_any(with_promises))
        .select(batches::id)
        .load(conn)?)
}

/// That the rest of a batch will not be shipped.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = given_up)]
pub struct GivenUpRow {
    /// The batch.
    pub batch_id: BatchId,
    /// Why, as shoppers read it.
    pub reason: String,
    /// Who said so.
    pub given_up_by: String,
    /// When.
    pub at: NaiveDateTime,
}

/// Keeps that the rest of a batch will not be shipped; what was said first stays.
pub fn give_up(conn: &mut Conn, row: &GivenUpRow) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(given_up::table)
            .values(row)
            .on_conflict_do_nothing()
            .execute(c)?;
    });
    Ok(())
}

/// Whether the merchant said that the rest of a batch will not be shipped.
pub fn given_up(conn: &mut Conn, batch: BatchId) -> Result<Option<GivenUpRow>, StoreError> {
    Ok(given_up::table
        .find(batch)
        .select(GivenUpRow::as_select())
        .first(conn)
        .optional()?)
}
