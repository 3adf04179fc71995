//! Picking: units that are allocated go into a parcel. It locks them against edits, not against cancelling.

use chrono::NaiveDateTime;

use crate::domain::ids::{BatchId, MerchantId, OptionId, ShipmentId};
use crate::domain::shipment::{ShipmentKind, ShipmentState};
use crate::store::orders::{LineRow, OrderRow};
use crate::store::shipments::{Packing, ShipmentLineRow, ShipmentRow};
use crate::store::{Tx, merchants, orders, shipments};
use crate::workflows::allocate::own_batch;
use crate::workflows::desk::{Concerns, Problem, happened};

/// A parcel's number as people say it.
pub fn parcel_number(number: i64) -> String {
    format!("P-{number:05}")
}

/// Packs a parcel of units that lie there for the order. The caller has checked how many that are.
pub(super) fn pack(
    tx: &mut Tx,
    order: &OrderRow,
    lines: &mut [LineRow],
    units: &[(OptionId, i64)],
    by: &str,
    at: NaiveDateTime,
) -> Result<(ShipmentRow, Vec<ShipmentLineRow>), Problem> {
    for (option, units) in units {
        let line = lines
            .iter_mut()
            .find(|l| l.option_id == *option)
            .ok_or_else(|| Problem::Internal(format!("order {} lost a line", order.id)))?;
        line.picked += units;
        line.state = line.units().state();
        orders::save_line(tx.conn, line)?;
    }
    insert(tx, order, units, by, at, ShipmentState::Picked)
}

/// Keeps a new parcel, numbered in the same transaction.
pub(super) fn insert(
    tx: &mut Tx,
    order: &OrderRow,
    units: &[(OptionId, i64)],
    by: &str,
    at: NaiveDateTime,
    state: ShipmentState,
) -> Result<(ShipmentRow, Vec<ShipmentLineRow>), Problem> {
    let number = merchants::take_numbers(tx.conn, order.merchant_id, "shipment", 1)?;
    let parcel = ShipmentRow {
        id: ShipmentId::new(),
        merchant_id: order.merchant_id,
        batch_id: order.batch_id,
        order_id: order.id,
        number,
        kind: ShipmentKind::Order,
        state,
        claim_id: None,
        carrier: None,
        tracking_number: None,
        picked_at: at,
        picked_by: by.to_owned(),
        handed_over_at: None,
        recorded_at: None,
        delivered_at: None,
        delivered_by: None,
        stopped_at: None,
    };
    let inside: Vec<ShipmentLineRow> = units
        .iter()
        .map(|(option, units)| ShipmentLineRow {
            shipment_id: parcel.id,
            option_id: *option,
            units: *units,
        })
        .collect();
    shipments::insert(tx.conn, &parcel, &inside)?;
    Ok((parcel, inside))
}

/// Picks some of the orders that can be packed now, each into one parcel; how many.
///
/// # Errors
/// That there is no such batch; what the database says.
pub fn pick_ready(
    tx: &mut Tx,
    merchant: MerchantId,
    batch: BatchId,
    limit: i64,
    by: &str,
) -> Result<usize, Problem> {
    let (_, batch) = own_batch(tx, merchant, batch)?;
    let ready = shipments::packing(
        tx.conn,
        batch.id,
        Some(Packing::Ready),
        None,
        None,
        None,
        limit,
    )?;
    let now = tx.now.naive_utc();
    for order in &ready {
        let mut lines = orders::lines_of(tx.conn, order.id)?;
        let units: Vec<(OptionId, i64)> = lines
            .iter()
            .map(|l| (l.option_id, l.units().to_pick()))
            .filter(|(_, units)| *units > 0)
            .collect();
        let (parcel, _) = pack(tx, order, &mut lines, &units, by, now)?;
        let detail = format!("Parcel {} is packed.", parcel_number(parcel.number));
        happened(tx, Concerns::order(order), by, "picked", detail)?;
    }
    Ok(ready.len())
}
