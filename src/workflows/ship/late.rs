//! A handover that was before a cancellation and is recorded after it (domain section 5): the refund, while no call was
//! made for it, is dropped and the units count again; else the merchant bears the loss. Stock that was given to others
//! meanwhile is taken back from the newest allocation that is in no parcel.

use chrono::NaiveDateTime;

use super::Loaded;
use super::handover::is_stopped;
use super::pack::parcel_number;
use crate::domain::allocation::take_back;
use crate::domain::ids::{AllocationId, BatchId, OptionId, OrderId};
use crate::domain::order::OrderState;
use crate::domain::payment::{RefundAttemptState, RefundPurpose, RefundState};
use crate::domain::shipment::{ShipmentEvent, ShipmentKind, ShipmentState};
use crate::store::orders::{LineRow, OrderRow};
use crate::store::refunds::RefundRow;
use crate::store::shipments::ShipmentRow;
use crate::store::stock::{AllocationRow, CancellationRow};
use crate::store::{Tx, campaigns, orders, refunds, shipments, stock};
use crate::workflows::changes::unpicked_by_payment;
use crate::workflows::counts;
use crate::workflows::desk::{Concerns, Problem, happened};
use crate::workflows::money;
use crate::workflows::part::cost_of;

/// Moves the units of a stopped parcel that had gone out at `at`.
///
/// # Errors
/// A conflict where the cancellation came first, or where the goods went out twice.
pub(super) fn judge_late(
    tx: &mut Tx,
    loaded: &mut Loaded,
    at: NaiveDateTime,
) -> Result<(), Problem> {
    let cancelled = stock::cancellations_of(tx.conn, loaded.order.id)?;
    for held in &loaded.inside {
        let line = line_of(&loaded.lines, held.option_id)?;
        let before: i64 = cancelled
            .iter()
            .filter(|c| c.option_id == held.option_id && c.at <= at)
            .map(|c| c.units)
            .sum();
        if line.quantity - before < held.units {
            return Err(is_stopped(&loaded.parcel));
        }
        if line.shipped + held.units > line.quantity - before {
            return Err(Problem::conflict(
                "sent-again",
                format!(
                    "What is in parcel {} went out in another parcel as well. Ask the shopper to send one back, and record it as returned.",
                    parcel_number(loaded.parcel.number)
                ),
            ));
        }
    }
    stop_doubles(tx, loaded)?;
    for held in &loaded.inside {
        let line = loaded
            .lines
            .iter_mut()
            .find(|l| l.option_id == held.option_id)
            .ok_or_else(|| Problem::Internal("a parcel holds what its order has not".into()))?;
        line.shipped += held.units;
    }
    count_again(tx, loaded, &cancelled, at)?;
    let batch = loaded.order.batch_id;
    for line in &mut loaded.lines {
        let missing = line.shipped + line.picked - line.allocated;
        if missing > 0 {
            claim(tx, batch, loaded.order.id, line.option_id, missing)?;
            line.allocated += missing;
        }
        if loaded.inside.iter().any(|h| h.option_id == line.option_id) {
            line.state = line.units().state();
            orders::save_line(tx.conn, line)?;
        }
    }
    Ok(())
}

fn line_of(lines: &[LineRow], option: OptionId) -> Result<&LineRow, Problem> {
    lines
        .iter()
        .find(|l| l.option_id == option)
        .ok_or_else(|| Problem::Internal("a parcel holds what its order has not".into()))
}

/// Other parcels of the order that are packed and would send the same units once more are stopped.
fn stop_doubles(tx: &mut Tx, loaded: &mut Loaded) -> Result<(), Problem> {
    let parcels = shipments::of_order(tx.conn, loaded.order.id)?;
    for mut other in parcels {
        if other.state != ShipmentState::Picked || other.kind != ShipmentKind::Order {
            continue;
        }
        let too_many = loaded.inside.iter().any(|held| {
            loaded
                .lines
                .iter()
                .filter(|l| l.option_id == held.option_id)
                .any(|l| l.shipped + l.picked + held.units > l.units().wanted())
        });
        if !too_many {
            continue;
        }
        let inside = shipments::lines_of(tx.conn, &[other.id])?;
        if !inside
            .iter()
            .any(|i| loaded.inside.iter().any(|h| h.option_id == i.option_id))
        {
            continue;
        }
        stop(tx, &mut other, &mut loaded.lines)?;
    }
    Ok(())
}

fn stop(tx: &mut Tx, parcel: &mut ShipmentRow, lines: &mut [LineRow]) -> Result<(), Problem> {
    let from = parcel.state;
    parcel.state = from.after(ShipmentEvent::Stopped)?;
    parcel.stopped_at = Some(tx.now.naive_utc());
    shipments::save(tx.conn, parcel, from)?;
    for held in shipments::lines_of(tx.conn, &[parcel.id])? {
        if let Some(line) = lines.iter_mut().find(|l| l.option_id == held.option_id) {
            line.picked -= held.units;
            line.state = line.units().state();
            orders::save_line(tx.conn, line)?;
        }
    }
    Ok(())
}

/// Units that were shipped and cancelled count again, if their refund can still be dropped: all of them or none.
fn count_again(
    tx: &mut Tx,
    loaded: &mut Loaded,
    cancelled: &[CancellationRow],
    at: NaiveDateTime,
) -> Result<(), Problem> {
    let over: Vec<(OptionId, i64)> = loaded
        .lines
        .iter()
        .map(|l| (l.option_id, l.shipped - l.units().wanted()))
        .filter(|(option, units)| {
            *units > 0 && loaded.inside.iter().any(|h| h.option_id == *option)
        })
        .collect();
    if over.is_empty() {
        return Ok(());
    }
    let order = &mut loaded.order;
    let purposes: Vec<RefundPurpose> = cancelled
        .iter()
        .filter(|c| c.at > at)
        .map(|c| c.purpose)
        .collect();
    let unsent = unsent_refunds(tx, order, &purposes)?;
    let again = |line: &LineRow| {
        let units = over
            .iter()
            .find(|(o, _)| *o == line.option_id)
            .map_or(0, |(_, units)| *units);
        line.units().wanted() + units
    };
    let difference: i64 = refunds::of_order(tx.conn, order.id)?
        .iter()
        .filter(|r| r.purpose == RefundPurpose::Difference && r.state != RefundState::Dropped)
        .map(|r| r.amount)
        .sum();
    let costs = cost_of(order, &loaded.lines, again)?
        .total
        .min(order.total - difference);
    let keep = costs - order.allowances - order.lost;
    let droppable: i64 = unsent.iter().map(|r| r.amount).sum();
    let Some(purpose) = unsent.first().map(|r| r.purpose) else {
        return Ok(());
    };
    if order.money().kept() + droppable < keep || !room_for(tx, &over)? {
        return Ok(());
    }
    for mut refund in unsent {
        money::drop_refund(tx, order, &mut refund)?;
        money::rename_dropped(tx, &refund)?;
    }
    let whole = order.state == OrderState::Cancelled;
    if whole {
        order.units_taken = true;
        order.closed_at = None;
        order.collected = true;
    }
    counts::again(tx, order, &over, whole)?;
    for (option, units) in &over {
        take_from_cancelled(tx, &mut loaded.lines, cancelled, at, *option, *units)?;
    }
    let order = &mut loaded.order;
    order.final_total = Some(costs);
    money::refund_down_to(tx, order, purpose, keep)?;
    tx.touch(loaded.campaign.id);
    happened(
        tx,
        Concerns::order(order),
        "system",
        "counts_again",
        "The parcel was handed over before it was cancelled: it comes, and its price is not refunded.",
    )
}

/// Refunds of cancelled units for which no call was made.
fn unsent_refunds(
    tx: &mut Tx,
    order: &OrderRow,
    purposes: &[RefundPurpose],
) -> Result<Vec<RefundRow>, Problem> {
    let mut unsent = Vec::new();
    for refund in refunds::of_order(tx.conn, order.id)? {
        if refund.state != RefundState::Queued || !purposes.contains(&refund.purpose) {
            continue;
        }
        let call = refunds::attempt(tx.conn, refund.id, refund.attempt)?;
        if call.is_some_and(|c| c.state == RefundAttemptState::Planned && c.first_sent_at.is_none())
        {
            unsent.push(refund);
        }
    }
    Ok(unsent)
}

/// Whether the caps leave room for units that count again; takes it where they do.
fn room_for(tx: &mut Tx, over: &[(OptionId, i64)]) -> Result<bool, Problem> {
    for (at, (option, units)) in over.iter().enumerate() {
        if !campaigns::take(tx.conn, *option, *units)? {
            for (option, units) in &over[..at] {
                campaigns::count_option(tx.conn, *option, -units, 0, 0)?;
            }
            return Ok(false);
        }
    }
    Ok(true)
}

fn take_from_cancelled(
    tx: &mut Tx,
    lines: &mut [LineRow],
    cancelled: &[CancellationRow],
    at: NaiveDateTime,
    option: OptionId,
    units: i64,
) -> Result<(), Problem> {
    let mut left = units;
    for row in cancelled
        .iter()
        .filter(|c| c.option_id == option && c.at > at)
    {
        let part = left.min(row.units);
        if part > 0 {
            stock::undo_cancellation(tx.conn, row, part)?;
            left -= part;
        }
    }
    if let Some(line) = lines.iter_mut().find(|l| l.option_id == option) {
        line.cancelled -= units;
    }
    Ok(())
}

/// Units that went out are taken from what is free, then from the newest allocation that is in no parcel, then from the
/// newest parcel that did not go out.
fn claim(
    tx: &mut Tx,
    batch: BatchId,
    order: OrderId,
    option: OptionId,
    units: i64,
) -> Result<(), Problem> {
    let mut row = stock::of_option(tx.conn, batch, option)?
        .ok_or_else(|| Problem::Internal(format!("order {order} has no stock")))?;
    let free = row.free().clamp(0, units);
    let mut missing = units - free;
    // What is on sale gives way.
    row.on_sale = row.on_sale.min(row.free() - free);
    if missing > 0 {
        missing -= take_unpicked(tx, batch, order, option, missing)?;
    }
    if missing > 0 {
        stop_newest(tx, batch, order, option, missing)?;
        missing -= take_unpicked(tx, batch, order, option, missing)?;
    }
    if missing > 0 {
        return Err(Problem::conflict(
            "more-than-received",
            "More went out than was counted in. Correct the receipts of this batch first.",
        ));
    }
    // Taken from others and given here: only what was free is new.
    row.allocated += free;
    stock::save(tx.conn, &row)?;
    log(
        tx,
        batch,
        order,
        option,
        units,
        "handed over before it was cancelled",
    )
}

fn take_unpicked(
    tx: &mut Tx,
    batch: BatchId,
    order: OrderId,
    option: OptionId,
    units: i64,
) -> Result<i64, Problem> {
    let mut have = unpicked_by_payment(tx.conn, batch, option)?;
    have.retain(|c| c.order != order);
    let mut taken = 0;
    for share in take_back(option, units, have) {
        let mut lines = orders::lines_of(tx.conn, share.order)?;
        let Some(line) = lines.iter_mut().find(|l| l.option_id == option) else {
            continue;
        };
        line.allocated -= share.units;
        line.state = line.units().state();
        orders::save_line(tx.conn, line)?;
        let why = "went out in another order's parcel";
        log(tx, batch, share.order, option, -share.units, why)?;
        taken += share.units;
    }
    Ok(taken)
}

/// Stops the newest packed parcels that hold an option, so that their units can be taken.
fn stop_newest(
    tx: &mut Tx,
    batch: BatchId,
    order: OrderId,
    option: OptionId,
    units: i64,
) -> Result<(), Problem> {
    let mut left = units;
    let mut packed = shipments::in_state(tx.conn, batch, ShipmentState::Picked, i64::MAX)?;
    packed.reverse();
    for mut parcel in packed {
        if left <= 0 || parcel.order_id == order || parcel.kind != ShipmentKind::Order {
            continue;
        }
        let held: i64 = shipments::lines_of(tx.conn, &[parcel.id])?
            .iter()
            .filter(|l| l.option_id == option)
            .map(|l| l.units)
            .sum();
        if held > 0 {
            let mut lines = orders::lines_of(tx.conn, parcel.order_id)?;
            stop(tx, &mut parcel, &mut lines)?;
            left -= held;
        }
    }
    Ok(())
}

fn log(
    tx: &mut Tx,
    batch: BatchId,
    order: OrderId,
    option: OptionId,
    units: i64,
    why: &str,
) -> Result<(), Problem> {
    let row = AllocationRow {
        id: AllocationId::new(),
        batch_id: batch,
        order_id: order,
        option_id: option,
        units,
        why: why.to_owned(),
        at: tx.now.naive_utc(),
    };
    stock::log_allocations(tx.conn, &[row])?;
    Ok(())
}
