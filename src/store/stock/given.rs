//! Which lines wait for units, which have them, and who comes first.

use chrono::NaiveDateTime;
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::super::schema::{allocations, disputes, order_lines, order_priorities, orders};
use super::super::{Conn, StoreError, each_backend};
use super::AllocationRow;
use crate::domain::allocation::Claim;
use crate::domain::ids::{BatchId, OptionId, OrderId};
use crate::domain::order::{LineState, OrderState};
use crate::domain::payment::DisputeState;
use crate::store::orders::{OrderRow, sum_of};

/// How many ids one statement takes: SQLite has 32,766 places.
const IDS: usize = 4000;

type ClaimRow = (
    OrderId,
    OptionId,
    i64,
    Option<NaiveDateTime>,
    NaiveDateTime,
    Option<NaiveDateTime>,
);

fn claims(rows: Vec<ClaimRow>) -> Vec<Claim> {
    rows.into_iter()
        .map(|(order, option, units, paid, placed, first)| Claim {
            order,
            option,
            units,
            paid_at: paid.unwrap_or(placed),
            put_first: first,
        })
        .collect()
}

macro_rules! claim_columns {
    ($units:expr) => {
        (
            orders::id,
            order_lines::option_id,
            $units,
            orders::confirmed_at,
            orders::created_at,
            order_priorities::at.nullable(),
        )
    };
}

/// Lines of a batch that wait for units, with how many. Orders with an open dispute are left out, unless `frozen_too`.
/// Who kept nothing with the merchant waits for nothing.
pub fn waiting(
    conn: &mut Conn,
    batch: BatchId,
    frozen_too: bool,
) -> Result<Vec<Claim>, StoreError> {
    let mut query = orders::table
        .inner_join(order_lines::table)
        .left_join(order_priorities::table)
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq_any([OrderState::Backordered, OrderState::PartlyShipped]))
        .filter((order_lines::quantity - order_lines::cancelled).gt(order_lines::allocated))
        .filter(orders::charged.gt(orders::refund_due + orders::refunded + orders::lost))
        .select(claim_columns!(
            order_lines::quantity - order_lines::cancelled - order_lines::allocated
        ))
        .into_boxed();
    if !frozen_too {
        query = query.filter(not(exists(
            disputes::table
                .filter(disputes::order_id.eq(orders::id))
                .filter(disputes::state.eq(DisputeState::Open)),
        )));
    }
    Ok(claims(query.load(conn)?))
}

/// Units that paid lines of a batch wait for, by option.
pub fn waiting_units(conn: &mut Conn, batch: BatchId) -> Result<Vec<(OptionId, i64)>, StoreError> {
    let rows: Vec<(OptionId, Option<i64>)> = orders::table
        .inner_join(order_lines::table)
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq_any(OrderState::PAID))
        .filter((order_lines::quantity - order_lines::cancelled).gt(order_lines::allocated))
        .group_by(order_lines::option_id)
        .select((
            order_lines::option_id,
            sum_of("order_lines.quantity - order_lines.cancelled - order_lines.allocated"),
        ))
        .load(conn)?;
    Ok(rows.into_iter().map(|(o, n)| (o, n.unwrap_or(0))).collect())
}

/// Ordered orders of a batch of which a dispute took everything.
pub fn lost_orders(conn: &mut Conn, batch: BatchId) -> Result<Vec<OrderRow>, StoreError> {
    Ok(orders::table
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq(OrderState::Backordered))
        .filter(orders::lost.gt(0))
        .filter(orders::charged.le(orders::refund_due + orders::refunded + orders::lost))
        .select(OrderRow::as_select())
        .load(conn)?)
}

/// Paid lines that have units of an option which are in no parcel yet, with how many.
pub fn unpicked(
    conn: &mut Conn,
    batch: BatchId,
    option: OptionId,
) -> Result<Vec<Claim>, StoreError> {
    Ok(claims(
        orders::table
            .inner_join(order_lines::table)
            .left_join(order_priorities::table)
            .filter(orders::batch_id.eq(batch))
            .filter(orders::confirmed_at.is_not_null())
            .filter(order_lines::option_id.eq(option))
            .filter(order_lines::allocated.gt(order_lines::picked + order_lines::shipped))
            .select(claim_columns!(
                order_lines::allocated - order_lines::picked - order_lines::shipped
            ))
            .load(conn)?,
    ))
}

/// Gives lines of an option all units that they still want.
pub fn give_all(conn: &mut Conn, option: OptionId, ids: &[OrderId]) -> Result<(), StoreError> {
    for some in ids.chunks(IDS) {
        diesel::update(
            order_lines::table
                .filter(order_lines::option_id.eq(option))
                .filter(order_lines::order_id.eq_any(some)),
        )
        .set((
            order_lines::allocated.eq(order_lines::quantity - order_lines::cancelled),
            order_lines::state.eq(LineState::Allocated),
        ))
        .execute(conn)?;
    }
    Ok(())
}

/// Gives one line some of the units that it wants.
pub fn give_part(
    conn: &mut Conn,
    order: OrderId,
    option: OptionId,
    units: i64,
) -> Result<(), StoreError> {
    diesel::update(order_lines::table.find((order, option)))
        .set(order_lines::allocated.eq(order_lines::allocated + units))
        .execute(conn)?;
    Ok(())
}

/// What was given to an order and taken back, first to last.
pub fn allocations_of(conn: &mut Conn, order: OrderId) -> Result<Vec<AllocationRow>, StoreError> {
    Ok(allocations::table
        .filter(allocations::order_id.eq(order))
        .select(AllocationRow::as_select())
        .order((allocations::at.asc(), allocations::id.asc()))
        .load(conn)?)
}

/// An order that staff put first.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = order_priorities)]
pub struct PriorityRow {
    /// The order.
    pub order_id: OrderId,
    /// Its batch.
    pub batch_id: BatchId,
    /// Why.
    pub reason: String,
    /// Who did it.
    pub set_by: String,
    /// When.
    pub at: NaiveDateTime,
}

/// Puts an order first. One that is first keeps its place and gets the new reason.
pub fn put_first(conn: &mut Conn, row: &PriorityRow) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(order_priorities::table)
            .values(row)
            .on_conflict(order_priorities::order_id)
            .do_update()
            .set((
                order_priorities::reason.eq(&row.reason),
                order_priorities::set_by.eq(&row.set_by),
            ))
            .execute(c)?;
    });
    Ok(())
}

/// Orders of a batch that were put first, first to last.
pub fn put_first_of(conn: &mut Conn, batch: BatchId) -> Result<Vec<PriorityRow>, StoreError> {
    Ok(order_priorities::table
        .filter(order_priorities::batch_id.eq(batch))
        .select(PriorityRow::as_select())
        .order(order_priorities::at.asc())
        .limit(200)
        .load(conn)?)
}
