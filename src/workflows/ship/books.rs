//! What handed-over goods bring, in the books.

use crate::domain::ids::OrderId;
use crate::domain::ledger::{Account, EntryKind, Revenue};
use crate::domain::order::LineUnits;
use crate::domain::shipment::revenue;
use crate::store::orders::{LineRow, OrderRow};
use crate::store::{Conn, Tx, audit};
use crate::workflows::desk::Problem;
use crate::workflows::money;
use crate::workflows::part::cost_of;

/// Units handed over whose price is kept: of units that were shipped and are cancelled all the same, the merchant bears it.
fn paid_for(units: LineUnits) -> i64 {
    units.shipped.min(units.wanted())
}

/// What was booked for an order's handed-over goods: all of it, and how much of that was paid from the deposit.
///
/// # Errors
/// What the database says.
pub fn revenue_booked(conn: &mut Conn, order: &OrderRow) -> Result<(Revenue, i64), Problem> {
    let mut booked = Revenue {
        currency: money::currency(&order.currency)?,
        goods: 0,
        shipping: 0,
        tax: 0,
    };
    let mut paid = 0;
    let ids: [OrderId; 1] = [order.id];
    for (_, kind, account, amount) in audit::postings_of(conn, &ids)? {
        let by_deposit = kind == EntryKind::HandedOver.as_str();
        if !by_deposit && kind != EntryKind::HandedOverUnpaid.as_str() {
            continue;
        }
        match account.as_str() {
            a if a == Account::RevenueGoods.as_str() => booked.goods -= amount,
            a if a == Account::RevenueShipping.as_str() => booked.shipping -= amount,
            a if a == Account::TaxPayable.as_str() => booked.tax -= amount,
            _ => continue,
        }
        if by_deposit {
            paid -= amount;
        }
    }
    Ok((booked, paid))
}

/// Books what the goods handed over so far bring by themselves, less what was booked before. Answers what the merchant
/// bears of it.
pub(super) fn book(
    tx: &mut Tx,
    order: &OrderRow,
    lines: &[LineRow],
    once: &str,
) -> Result<i64, Problem> {
    let currency = money::currency(&order.currency)?;
    let all = revenue(&cost_of(order, lines, |l| l.shipped)?, currency);
    let (before, paid_before) = revenue_booked(tx.conn, order)?;
    let new = all.less(before);
    let sum = new.sum().map_err(|e| Problem::Internal(e.to_string()))?;
    if sum <= 0 {
        return Ok(0);
    }
    let cap = order.final_total.unwrap_or(order.total);
    let kept = cost_of(order, lines, |l| paid_for(l.units()))?
        .total
        .min(cap);
    money::handed_over(tx, order, once, new, (kept - paid_before).max(0))
}
