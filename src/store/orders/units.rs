//! Paid units of a batch, as a judgement and a purchase order count them, and those of options that are not produced.

use diesel::prelude::*;

use super::super::schema::{order_lines, orders};
use super::super::{Conn, StoreError};
use super::sum_of;
use crate::domain::ids::{BatchId, OptionId, OrderId};
use crate::domain::order::{LineState, OrderState};

/// Units of paid orders of a batch by option: what a judgement and a purchase order count. A dispute before the
/// judgement has cancelled its order; one after it takes no unit away (domain section 1, committed).
pub fn paid_units(conn: &mut Conn, batch: BatchId) -> Result<Vec<(OptionId, i64)>, StoreError> {
    let rows: Vec<(OptionId, Option<i64>)> = {
        orders::table
            .inner_join(order_lines::table)
            .filter(orders::batch_id.eq(batch))
            .filter(orders::state.eq_any(OrderState::PAID))
            .group_by(order_lines::option_id)
            .select((
                order_lines::option_id,
                sum_of("order_lines.quantity - order_lines.cancelled"),
            ))
            .load(conn)?
    };
    Ok(rows.into_iter().map(|(o, n)| (o, n.unwrap_or(0))).collect())
}

/// Units of paid orders of a batch by option, as [`paid_units`], without those that were sold from left-over stock: what a
/// supplier's order is for.
pub fn units_to_buy(conn: &mut Conn, batch: BatchId) -> Result<Vec<(OptionId, i64)>, StoreError> {
    let rows: Vec<(OptionId, Option<i64>)> = orders::table
        .inner_join(order_lines::table)
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq_any(OrderState::PAID))
        .filter(orders::quote.not_like(FROM_STOCK))
        .group_by(order_lines::option_id)
        .select((
            order_lines::option_id,
            sum_of("order_lines.quantity - order_lines.cancelled"),
        ))
        .load(conn)?;
    Ok(rows.into_iter().map(|(o, n)| (o, n.unwrap_or(0))).collect())
}

/// The quote of an order from left-over stock, and of no other, has this in it.
const FROM_STOCK: &str = "%\"from_stock\":true%";

/// Paid units of an option that were shown one unit price at joining.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidUnits {
    /// The option.
    pub option: OptionId,
    /// The unit price shown, minor units.
    pub shown: i64,
    /// Units.
    pub units: i64,
}

/// Units of paid orders of a batch, as [`paid_units`], by option and the price shown: what a judgement looks at.
pub fn paid_at_prices(conn: &mut Conn, batch: BatchId) -> Result<Vec<PaidUnits>, StoreError> {
    let rows: Vec<(OptionId, i64, Option<i64>)> = orders::table
        .inner_join(order_lines::table)
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq_any(OrderState::PAID))
        .group_by((order_lines::option_id, order_lines::unit_price))
        .select((
            order_lines::option_id,
            order_lines::unit_price,
            sum_of("order_lines.quantity - order_lines.cancelled"),
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(option, shown, units)| PaidUnits {
            option,
            shown,
            units: units.unwrap_or(0),
        })
        .filter(|paid| paid.units > 0)
        .collect())
}

/// An option of a batch is not produced: no unit of it is wanted any more. Whose units were, and how many.
pub fn drop_lines(
    conn: &mut Conn,
    batch: BatchId,
    option: OptionId,
) -> Result<Vec<(OrderId, i64)>, StoreError> {
    let wanted: Vec<(OrderId, i64)> = orders::table
        .inner_join(order_lines::table)
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq_any(OrderState::PAID))
        .filter(order_lines::option_id.eq(option))
        .filter(order_lines::cancelled.lt(order_lines::quantity))
        .select((orders::id, order_lines::quantity - order_lines::cancelled))
        .load(conn)?;
    let paid = orders::table
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq_any(OrderState::PAID))
        .select(orders::id);
    diesel::update(
        order_lines::table
            .filter(order_lines::option_id.eq(option))
            .filter(order_lines::order_id.eq_any(paid))
            .filter(order_lines::cancelled.lt(order_lines::quantity)),
    )
    .set((
        order_lines::state.eq(LineState::Dropped),
        order_lines::cancelled.eq(order_lines::quantity),
    ))
    .execute(conn)?;
    Ok(wanted)
}
