//! Rule 7 and the second half of rule 6: no more is given than arrived, no more is sent than was given, each unit sent was
//! paid for and wanted when it went out; purchase orders cover what they were made for; the books know what was sent.

use std::collections::HashMap;

use chrono::NaiveDateTime;

use super::Books;
use crate::domain::ids::{BatchId, OptionId, OrderId, ShipmentId};
use crate::domain::ledger::Revenue;
use crate::domain::shipment::{ShipmentKind, ShipmentState, revenue};
use crate::store::orders::{LineRow, OrderRow};
use crate::store::shipments::ShipmentRow;
use crate::store::stock::CancellationRow;
use crate::store::{Conn, audit as reads, purchase_orders, shipments};
use crate::workflows::desk::Problem;
use crate::workflows::money;
use crate::workflows::part::cost_of;

/// What went out of one page of orders.
pub(super) struct Sent {
    parcels: HashMap<OrderId, Vec<ShipmentRow>>,
    inside: HashMap<ShipmentId, Vec<(OptionId, i64)>>,
    cancelled: HashMap<OrderId, Vec<CancellationRow>>,
}

impl Sent {
    /// Reads what went out of these orders.
    pub(super) fn read(conn: &mut Conn, ids: &[OrderId]) -> Result<Self, Problem> {
        let mut sent = Self {
            parcels: HashMap::new(),
            inside: HashMap::new(),
            cancelled: HashMap::new(),
        };
        let rows = shipments::of_orders(conn, ids)?;
        let parcels: Vec<ShipmentId> = rows.iter().map(|p| p.id).collect();
        for line in shipments::lines_of(conn, &parcels)? {
            let inside = sent.inside.entry(line.shipment_id).or_default();
            inside.push((line.option_id, line.units));
        }
        for row in rows {
            sent.parcels.entry(row.order_id).or_default().push(row);
        }
        for row in reads::cancellations_of(conn, ids)? {
            sent.cancelled.entry(row.order_id).or_default().push(row);
        }
        Ok(sent)
    }

    /// Units of an option in an order's own parcels that satisfy a condition, with the time they went out.
    fn units(
        &self,
        order: OrderId,
        option: OptionId,
        counts: impl Fn(&ShipmentRow) -> bool,
    ) -> Vec<(Option<NaiveDateTime>, i64)> {
        let empty = Vec::new();
        let parcels = self.parcels.get(&order).unwrap_or(&empty);
        parcels
            .iter()
            .filter(|p| p.kind == ShipmentKind::Order && counts(p))
            .map(|p| {
                let inside = self.inside.get(&p.id);
                let units = inside
                    .iter()
                    .flat_map(|lines| lines.iter())
                    .filter(|(o, _)| *o == option)
                    .map(|(_, n)| n)
                    .sum();
                (p.handed_over_at, units)
            })
            .collect()
    }
}

fn went_out(parcel: &ShipmentRow) -> bool {
    !matches!(parcel.state, ShipmentState::Picked | ShipmentState::Stopped)
}

/// One order's lines against its parcels and its cancellations.
pub(super) fn check_order(books: &mut Books, sent: &Sent, order: &OrderRow, lines: &[LineRow]) {
    let id = Some(order.id);
    for line in lines {
        let name = &line.sku;
        if line.shipped + line.picked > line.allocated || line.allocated > line.quantity {
            books.found(
                7,
                id,
                format!(
                    "{name}: {} are sent and {} packed, {} allocated of {}",
                    line.shipped, line.picked, line.allocated, line.quantity
                ),
            );
        }
        *books
            .allocated
            .entry((order.batch_id, line.option_id))
            .or_insert(0) += line.allocated;
        let mut out = sent.units(order.id, line.option_id, went_out);
        let packed: i64 = sent
            .units(order.id, line.option_id, |p| {
                p.state == ShipmentState::Picked
            })
            .iter()
            .map(|(_, n)| n)
            .sum();
        let total: i64 = out.iter().map(|(_, n)| n).sum();
        if total != line.shipped || packed != line.picked {
            books.found(
                7,
                id,
                format!(
                    "{name}: its parcels hold {total} sent and {packed} packed units, the line says {} and {}",
                    line.shipped, line.picked
                ),
            );
        }
        out.sort_unstable();
        let empty = Vec::new();
        let cancelled = sent.cancelled.get(&order.id).unwrap_or(&empty);
        let mut so_far = 0;
        for (at, units) in out.iter().filter(|(_, units)| *units > 0) {
            let Some(at) = at else { continue };
            so_far += units;
            let gone: i64 = cancelled
                .iter()
                .filter(|c| c.option_id == line.option_id && c.at <= *at)
                .map(|c| c.units)
                .sum();
            let paid = order.confirmed_at.is_some_and(|paid| paid <= *at);
            if !paid || so_far > line.quantity - gone {
                books.found(
                    7,
                    id,
                    format!(
                        "{name}: {so_far} units had gone out by {at}, when {} of it were paid and wanted",
                        if paid { line.quantity - gone } else { 0 }
                    ),
                );
            }
        }
    }
}

/// The books' revenue against what went out, priced by itself.
pub(super) fn check_revenue(
    books: &mut Books,
    order: &OrderRow,
    lines: &[LineRow],
    journal: &HashMap<String, i64>,
) -> Result<(), Problem> {
    let of = |account: &str| -> i64 {
        ["handed_over", "handed_over_unpaid"]
            .iter()
            .map(|kind| {
                -journal
                    .get(&format!("{kind}/{account}"))
                    .copied()
                    .unwrap_or(0)
            })
            .sum()
    };
    let currency = money::currency(&order.currency)?;
    let booked = Revenue {
        currency,
        goods: of("revenue_goods"),
        shipping: of("revenue_shipping"),
        tax: of("tax_payable"),
    };
    let sent: i64 = lines.iter().map(|l| l.shipped).sum();
    if sent == 0 && (booked.goods, booked.shipping, booked.tax) == (0, 0, 0) {
        return Ok(());
    }
    let should = revenue(&cost_of(order, lines, |l| l.shipped)?, currency);
    if booked != should {
        books.found(
            7,
            Some(order.id),
            format!(
                "{sent} units went out: goods {}, shipping {}, tax {} should be booked; it is {}, {}, {}",
                should.goods,
                should.shipping,
                should.tax,
                booked.goods,
                booked.shipping,
                booked.tax
            ),
        );
    }
    Ok(())
}

/// Each batch's stock against its receipts and its orders.
pub(super) fn check_stock(conn: &mut Conn, books: &mut Books) -> Result<(), Problem> {
    let counted: HashMap<(BatchId, OptionId), (i64, i64)> = reads::counted(conn)?
        .into_iter()
        .map(|(batch, option, good, damaged)| ((batch, option), (good, damaged)))
        .collect();
    let mut allocated = std::mem::take(&mut books.allocated);
    for row in reads::stock(conn)? {
        let key = (row.batch_id, row.option_id);
        let name = format!("option {} of batch {}", row.option_id, row.batch_id);
        let (good, damaged) = counted.get(&key).copied().unwrap_or((0, 0));
        if (good, damaged) != (row.good, row.damaged) {
            books.found(
                7,
                None,
                format!(
                    "{name}: receipts count {good} good and {damaged} damaged, the stock says {} and {}",
                    row.good, row.damaged
                ),
            );
        }
        let lines = allocated.remove(&key).unwrap_or(0);
        if lines != row.allocated {
            books.found(
                7,
                None,
                format!(
                    "{name}: lines have {lines} units, the stock gave {}",
                    row.allocated
                ),
            );
        }
        if row.allocated + row.reshipped > row.good + row.restocked {
            books.found(
                7,
                None,
                format!(
                    "{name}: {} units are given of {} that arrived",
                    row.allocated + row.reshipped,
                    row.good + row.restocked
                ),
            );
        }
    }
    for ((batch, option), units) in allocated.into_iter().filter(|(_, units)| *units > 0) {
        books.found(
            7,
            None,
            format!("option {option} of batch {batch}: lines have {units} units of no stock"),
        );
    }
    Ok(())
}

/// Purchase orders that were issued cover the paid units they were made for.
pub(super) fn check_units_bought(conn: &mut Conn, books: &mut Books) -> Result<(), Problem> {
    for (id, units, paid) in purchase_orders::too_small(conn)? {
        books.found(
            6,
            None,
            format!("purchase order {id} is over {units} units, made for {paid} paid ones"),
        );
    }
    Ok(())
}
