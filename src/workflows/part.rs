//! Units leave an order, some or all that were not handed over, and their price goes back (domain sections 3 and 5 to 7).
//!
//! What goes back is always what is kept beyond what the rest costs by itself. So a step that is done again, in another
//! order, or after a restored backup, finds nothing left to give back.

use super::cancel::leave;
use super::collect::look_again_at_balance;
use super::counts;
use super::desk::{Concerns, Problem, enqueue, happened};
use super::judgement::look_again;
use super::money;
use super::payment::frozen;
use super::stock_sale::is_from_stock;
use crate::domain::country::Country;
use crate::domain::ids::{AllocationId, CancellationId, OptionId, OrderId};
use crate::domain::order::{LineState, OrderState, goods_event};
use crate::domain::payment::RefundPurpose;
use crate::domain::shipment::{ShipmentEvent, ShipmentKind, ShipmentState};
use crate::domain::tariff::{Quote, QuoteLine, quote};
use crate::store::campaigns::CampaignRow;
use crate::store::orders::{LineRow, OrderRow};
use crate::store::stock::{AllocationRow, CancellationRow};
use crate::store::{Tx, jobs, orders, shipments, stock};

/// Which units of an order leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All that were not handed over.
    Unshipped,
    /// These, none more than were not handed over.
    These(Vec<(OptionId, i64)>),
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Left {
    /// Units that left.
    pub units: i64,
    /// What goes back, minor units.
    pub back: i64,
    /// Whether nothing of the order is left.
    pub whole: bool,
}

/// Takes units out of a paid order and commits the refund of what the rest does not cost. Parcels that hold any of them
/// are stopped, their stock is free for others. An order of which nothing is left, and nothing was handed over, is
/// cancelled whole, shipping included. The campaign is locked by the caller, who keeps the order and tells the shopper.
/// Units may leave before the judgement too: it prices what is left ([`super::judgement::settle`]).
///
/// # Errors
/// A wrong field where more units are named than could leave; what the database says.
pub fn take_out(
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &mut OrderRow,
    which: &Which,
    purpose: RefundPurpose,
) -> Result<Left, Problem> {
    let mut lines = orders::lines_of(tx.conn, order.id)?;
    let leaving = leaving(&lines, which)?;
    let units: i64 = leaving.iter().map(|(_, units)| units).sum();
    if units == 0 || !order.state.is_paid() {
        return Ok(Left::default());
    }
    let unshipped: i64 = lines.iter().map(|l| l.units().unshipped()).sum();
    let shipped: i64 = lines.iter().map(|l| l.shipped).sum();
    if units == unshipped && shipped == 0 {
        let back = leave(tx, campaign, order, purpose)?;
        return Ok(Left {
            units,
            back,
            whole: true,
        });
    }
    release(tx, order, &mut lines, &leaving, purpose)?;
    counts::leave(tx, order, &leaving, false)?;
    let costs = cost_of(order, &lines, |line| line.units().wanted())?.total;
    let costs = order.final_total.unwrap_or(order.total).min(costs);
    order.final_total = Some(costs);
    let keep = costs - order.allowances - order.lost;
    let back = money::refund_down_to(tx, order, purpose, keep)?;
    follow_goods(order, &lines)?;
    money::keep(tx, order)?;
    tx.touch(campaign.id);
    look_again(tx, campaign)?;
    look_again_at_balance(tx, order)?;
    say_back(tx, order, back)?;
    Ok(Left {
        units,
        back,
        whole: false,
    })
}

/// Says on the order's timeline what goes back.
///
/// # Errors
/// What the database says.
pub fn say_back(tx: &mut Tx, order: &OrderRow, back: i64) -> Result<(), Problem> {
    let Some(said) = money::nonzero_said(back, &order.currency) else {
        return Ok(());
    };
    let detail = if money::dispute_is_open(tx, order.id)? {
        format!("{said} is owed back; it waits until the bank has decided the dispute.")
    } else {
        format!("{said} goes back to the card.")
    };
    happened(
        tx,
        Concerns::order(order),
        "system",
        "refund_committed",
        detail,
    )
}

/// The units that leave, by option.
fn leaving(lines: &[LineRow], which: &Which) -> Result<Vec<(OptionId, i64)>, Problem> {
    match which {
        Which::Unshipped => Ok(lines
            .iter()
            .map(|l| (l.option_id, l.units().unshipped()))
            .filter(|(_, units)| *units > 0)
            .collect()),
        Which::These(these) => {
            for (at, (option, units)) in these.iter().enumerate() {
                let line = lines.iter().find(|l| l.option_id == *option);
                let most = line.map_or(0, |l| l.units().unshipped());
                if *units < 1 || *units > most {
                    return Err(Problem::field(
                        format!("lines[{at}].quantity"),
                        format!(
                            "{most} of it can be cancelled: what is wanted and not handed over. Write 1 to {most}."
                        ),
                    ));
                }
            }
            Ok(these.clone())
        }
    }
}

/// Marks units of lines as cancelled, stops the parcels that hold them, and frees their stock.
///
/// # Errors
/// What the database says.
pub fn release(
    tx: &mut Tx,
    order: &OrderRow,
    lines: &mut [LineRow],
    leaving: &[(OptionId, i64)],
    purpose: RefundPurpose,
) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    stop_parcels(tx, order.id, lines, leaving)?;
    let mut freed = Vec::new();
    for line in lines.iter_mut() {
        let units = leaving
            .iter()
            .find(|(option, _)| *option == line.option_id)
            .map_or(0, |(_, units)| *units);
        if units == 0 {
            continue;
        }
        line.cancelled += units;
        // Backordered units leave first; of the others the stock is free again.
        let over = (line.allocated - line.units().wanted().max(line.shipped)).max(0);
        line.allocated -= over;
        if over > 0 {
            freed.push((line.option_id, over));
        }
        line.state = if order.state == OrderState::Confirmed && line.units().wanted() > 0 {
            LineState::Confirmed
        } else {
            line.units().state()
        };
        orders::save_line(tx.conn, line)?;
    }
    let rows: Vec<CancellationRow> = leaving
        .iter()
        .filter(|(_, units)| *units > 0)
        .map(|(option, units)| CancellationRow {
            id: CancellationId::new(),
            order_id: order.id,
            option_id: *option,
            units: *units,
            purpose,
            at: now,
        })
        .collect();
    stock::log_cancellations(tx.conn, &rows)?;
    give_stock_back(tx, order, &freed)
}

fn give_stock_back(
    tx: &mut Tx,
    order: &OrderRow,
    freed: &[(OptionId, i64)],
) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    // What came from sale goes back on sale; of the rest others may be waiting.
    let on_sale = is_from_stock(order);
    for (option, units) in freed {
        let mut row = stock::of_option(tx.conn, order.batch_id, *option)?
            .ok_or_else(|| Problem::Internal(format!("order {} has no stock", order.id)))?;
        row.allocated -= units;
        if on_sale {
            row.on_sale += units;
        }
        stock::save(tx.conn, &row)?;
        let log = AllocationRow {
            id: AllocationId::new(),
            batch_id: order.batch_id,
            order_id: order.id,
            option_id: *option,
            units: -units,
            why: "cancelled".to_owned(),
            at: now,
        };
        stock::log_allocations(tx.conn, &[log])?;
    }
    // Also where nobody waits for these units: the batch may be done without this order.
    if !freed.is_empty() {
        enqueue(tx, jobs::ALLOCATE, &order.batch_id.to_string(), now)?;
    }
    Ok(())
}

/// A parcel that holds a unit that leaves must not go out: it is stopped, and what else is in it is to be picked again.
fn stop_parcels(
    tx: &mut Tx,
    order: OrderId,
    lines: &mut [LineRow],
    leaving: &[(OptionId, i64)],
) -> Result<(), Problem> {
    for mut parcel in shipments::of_order(tx.conn, order)? {
        // What is sent again is of other units: those were handed over once already.
        if parcel.state != ShipmentState::Picked || parcel.kind == ShipmentKind::Reship {
            continue;
        }
        let inside = shipments::lines_of(tx.conn, &[parcel.id])?;
        let hit = inside
            .iter()
            .any(|l| leaving.iter().any(|(o, n)| *o == l.option_id && *n > 0));
        if !hit {
            continue;
        }
        let from = parcel.state;
        parcel.state = parcel.state.after(ShipmentEvent::Stopped)?;
        parcel.stopped_at = Some(tx.now.naive_utc());
        shipments::save(tx.conn, &parcel, from)?;
        for held in &inside {
            if let Some(line) = lines.iter_mut().find(|l| l.option_id == held.option_id) {
                line.picked -= held.units;
                line.state = line.units().state();
                orders::save_line(tx.conn, line)?;
            }
        }
    }
    Ok(())
}

/// What so many units of each line cost by themselves, at the final price where it is judged, by the tariff frozen at
/// joining. Nothing where no unit is left.
///
/// # Errors
/// When the order's row is damaged.
pub fn cost_of(
    order: &OrderRow,
    lines: &[LineRow],
    units: impl Fn(&LineRow) -> i64,
) -> Result<Quote, Problem> {
    let agreed = frozen(order)?;
    let mut kept = Vec::with_capacity(lines.len());
    for priced in &agreed.lines {
        // In the quote's order, so that tax is rounded line by line as it was at joining.
        let line = lines
            .iter()
            .find(|l| l.sku == priced.sku)
            .ok_or_else(|| Problem::Internal(format!("order {} lost a line", order.id)))?;
        let quantity = units(line);
        if quantity > 0 {
            kept.push(QuoteLine {
                unit_price: line.final_price.unwrap_or(line.unit_price),
                quantity,
                weight_grams: priced.grams(),
            });
        }
    }
    let country = Country::parse(&order.country)
        .ok_or_else(|| Problem::Internal(format!("{} is not a country", order.country)))?;
    quote(&kept, country, &agreed.tariff).map_err(|e| Problem::Internal(e.to_string()))
}

/// What goes back if everything unshipped of a partly shipped order leaves: what is kept less what the shipped part costs
/// by itself, minor units.
///
/// # Errors
/// When the order's row is damaged.
pub fn unshipped_price(order: &OrderRow, lines: &[LineRow]) -> Result<i64, Problem> {
    let shipped = |line: &LineRow| line.shipped.min(line.units().wanted());
    let costs = cost_of(order, lines, shipped)?.total;
    let costs = order.final_total.unwrap_or(order.total).min(costs);
    let keep = costs - order.allowances - order.lost;
    Ok((order.money().kept() - keep.max(0)).max(0))
}

/// Moves the order's state to what the units of its lines say.
///
/// # Errors
/// A conflict where its state does not allow that.
pub fn follow_goods(order: &mut OrderRow, lines: &[LineRow]) -> Result<(), Problem> {
    let units: Vec<_> = lines.iter().map(LineRow::units).collect();
    if let Some(event) = goods_event(&units) {
        use crate::domain::order::OrderEvent as E;
        // What is handed over in one go has arrived at the earliest after that.
        if event == E::Delivered && order.state.awaits_goods() {
            order.state = order.state.after(E::ShippedAll)?;
        }
        let there = match event {
            E::ShippedAll => order.state == OrderState::Shipped,
            _ => false,
        };
        if !there {
            order.state = order.state.after(event)?;
        }
    }
    Ok(())
}
