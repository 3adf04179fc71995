//! Paid units of a batch, as a judgement and a purchase order count them, and those of options that are not produced.

use diesel::prelude::*;

use super::super::schema::{order_lines, orders};
use super::super::{Conn, StoreError};
use super::sum_of;
use crate::domain::draft::PaymentMode;
use crate::domain::ids::{BatchId, OptionId, OrderId};
use crate::domain::order::{LineState, OrderState};

/// Units of orders of a batch that are paid for, by option. A dispute before the judgement has cancelled its order; one
/// after it takes no unit away (domain section 1, committed).
pub fn paid_units(conn: &mut Conn, batch: BatchId) -> Result<Vec<(OptionId, i64)>, StoreError> {
    let rows: Vec<(OptionId, Option<i64>)> = {
        orders::table
            .inner_join(order_lines::table)
            .filter(orders::batch_id.eq(batch))
            .filter(orders::state.eq_any(OrderState::PAID))
            .filter(orders::collected.eq(true))
            .group_by(order_lines::option_id)
            .select((
                order_lines::option_id,
                sum_of("order_lines.quantity - order_lines.cancelled"),
            ))
            .load(conn)?
    };
    Ok(rows.into_iter().map(|(o, n)| (o, n.unwrap_or(0))).collect())
}

/// Units of orders of a batch that are paid for, by option, without those that were sold from left-over stock: what a
/// supplier's order is for.
pub fn units_to_buy(conn: &mut Conn, batch: BatchId) -> Result<Vec<(OptionId, i64)>, StoreError> {
    let rows: Vec<(OptionId, Option<i64>)> = orders::table
        .inner_join(order_lines::table)
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq_any(OrderState::PAID))
        .filter(orders::collected.eq(true))
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

/// Units of an option that were shown one unit price at joining and wait for one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitsAtPrice {
    /// The option.
    pub option: OptionId,
    /// The unit price shown, minor units.
    pub shown: i64,
    /// The step that their orders wait for; 0: none.
    pub limit: i32,
    /// Units.
    pub units: i64,
}

/// Units of committed orders of a batch by option, the price shown and the step they wait for: what a judgement looks at.
/// `collected`: only those that are paid for, which is what is judged again after saved cards were charged.
pub fn units_at_prices(
    conn: &mut Conn,
    batch: BatchId,
    collected: bool,
) -> Result<Vec<UnitsAtPrice>, StoreError> {
    let which: &[bool] = if collected { &[true] } else { &[true, false] };
    let rows: Vec<(OptionId, i64, i32, Option<i64>)> = orders::table
        .inner_join(order_lines::table)
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq_any(OrderState::PAID))
        .filter(orders::collected.eq_any(which))
        .group_by((
            order_lines::option_id,
            order_lines::unit_price,
            orders::limit_step,
        ))
        .select((
            order_lines::option_id,
            order_lines::unit_price,
            orders::limit_step,
            sum_of("order_lines.quantity - order_lines.cancelled"),
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(option, shown, limit, units)| UnitsAtPrice {
            option,
            shown,
            limit,
            units: units.unwrap_or(0),
        })
        .filter(|paid| paid.units > 0)
        .collect())
}

/// The orders of a batch that want units of an option.
pub fn holders_of(
    conn: &mut Conn,
    batch: BatchId,
    option: OptionId,
) -> Result<Vec<OrderId>, StoreError> {
    Ok(orders::table
        .inner_join(order_lines::table)
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq_any(OrderState::PAID))
        .filter(order_lines::option_id.eq(option))
        .filter(order_lines::cancelled.lt(order_lines::quantity))
        .select(orders::id)
        .load(conn)?)
}

/// A further outcome is to be applied to an order.
pub fn unsettle_one(conn: &mut Conn, order: OrderId) -> Result<(), StoreError> {
    diesel::update(orders::table.find(order))
        .set(orders::settled.eq(false))
        .execute(conn)?;
    Ok(())
}

/// Units of one order that are not produced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DroppedUnits {
    /// Whose they are.
    pub order: OrderId,
    /// Units.
    pub units: i64,
    /// Whether they are paid for.
    pub collected: bool,
    /// The step that their order waits for.
    pub limit: i32,
    /// How their order is paid for.
    pub mode: PaymentMode,
}

/// An option of a batch is not produced: no unit of it is wanted any more in orders that the step takes in. Whose units
/// were, and how many.
pub fn drop_lines(
    conn: &mut Conn,
    batch: BatchId,
    option: OptionId,
    step: i32,
) -> Result<Vec<DroppedUnits>, StoreError> {
    let wanted: Vec<(OrderId, i64, bool, i32, PaymentMode)> = orders::table
        .inner_join(order_lines::table)
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq_any(OrderState::PAID))
        .filter(order_lines::option_id.eq(option))
        .filter(orders::limit_step.le(step))
        .filter(order_lines::cancelled.lt(order_lines::quantity))
        .select((
            orders::id,
            order_lines::quantity - order_lines::cancelled,
            orders::collected,
            orders::limit_step,
            orders::mode,
        ))
        .load(conn)?;
    let paid = orders::table
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq_any(OrderState::PAID))
        .filter(orders::limit_step.le(step))
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
    Ok(wanted
        .into_iter()
        .map(|(order, units, collected, limit, mode)| DroppedUnits {
            order,
            units,
            collected,
            limit,
            mode,
        })
        .collect())
}
