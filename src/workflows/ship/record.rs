//! A parcel that was packed elsewhere is recorded: by a program, or by staff on an order's page.

use chrono::{DateTime, Utc};

use super::handover::{Handed, check_time, take};
use super::pack::{insert, pack, parcel_number};
use super::{Loaded, load_order};
use crate::domain::draft::FieldError;
use crate::domain::ids::{MerchantId, OptionId, OrderId};
use crate::domain::order::{Delivery, OrderState};
use crate::domain::shipment::{ShipmentKind, ShipmentState};
use crate::store::orders::{LineRow, OrderRow};
use crate::store::shipments::ShipmentRow;
use crate::store::{Tx, shipments, stock};
use crate::workflows::desk::{Concerns, Desk, Problem, happened, order_number};

/// When a recorded parcel went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// It is packed, and the carrier did not take it yet.
    NotYet,
    /// Now.
    Now,
    /// Then.
    At(DateTime<Utc>),
}

/// A parcel to be recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewParcel {
    /// Whose.
    pub order: OrderId,
    /// What is in it: option codes and units.
    pub lines: Vec<(String, i64)>,
    /// Who carries it.
    pub carrier: Option<String>,
    /// Where it can be followed.
    pub tracking_number: Option<String>,
    /// When it went out.
    pub when: When,
    /// The person who says so.
    pub by: String,
}

/// Records a parcel. A packed one with the same things in it is taken, so that a pick list and a program do not pack
/// twice.
///
/// # Errors
/// A conflict where the units are not there (`not-allocated`), were cancelled (`stopped`), or the shopper wants one
/// parcel (`one-parcel`); wrong fields.
pub fn record(
    desk: &Desk,
    tx: &mut Tx,
    merchant: MerchantId,
    new: &NewParcel,
) -> Result<ShipmentRow, Problem> {
    can_record(tx, merchant, new.order)?;
    let (campaign, order, lines) = load_order(tx, merchant, new.order)?;
    let units = wanted_units(&lines, &new.lines)?;
    let mut loaded = match packed_already(tx, &order, &units, new.when)? {
        Some(parcel) => Loaded {
            inside: shipments::lines_of(tx.conn, &[parcel.id])?,
            campaign,
            order,
            lines,
            parcel,
        },
        None => packed_now(tx, campaign, order, lines, &units, new)?,
    };
    let at = match new.when {
        When::NotYet => {
            let parcel = &mut loaded.parcel;
            parcel.carrier = new.carrier.clone().or(parcel.carrier.take());
            parcel.tracking_number = new
                .tracking_number
                .clone()
                .or(parcel.tracking_number.take());
            shipments::save(tx.conn, parcel, ShipmentState::Picked)?;
            let detail = format!("Parcel {} is packed.", parcel_number(parcel.number));
            happened(
                tx,
                Concerns::order(&loaded.order),
                &new.by,
                "picked",
                detail,
            )?;
            return Ok(loaded.parcel);
        }
        When::Now => None,
        When::At(at) => Some(at),
    };
    let handed = Handed {
        at,
        carrier: new.carrier.clone(),
        tracking_number: new.tracking_number.clone(),
        by: new.by.clone(),
    };
    take(desk, tx, loaded, &handed)
}

/// Says whether parcels of the merchant's order can be recorded at all.
///
/// # Errors
/// That there is no such order; a conflict where nothing of it is ordered.
pub fn can_record(tx: &mut Tx, merchant: MerchantId, order: OrderId) -> Result<(), Problem> {
    let (_, order, _) = load_order(tx, merchant, order)?;
    // Units of an order from stock are its own while its payment is under way, and it has nothing to send before it is
    // paid.
    let unpaid = order.confirmed_at.is_none();
    if unpaid
        || matches!(
            order.state,
            OrderState::Pending
                | OrderState::Expired
                | OrderState::Waitlisted
                | OrderState::Confirmed
        )
    {
        return Err(Problem::conflict(
            "wrong-state",
            format!(
                "Order {} is {}: it has nothing that could be sent.",
                order_number(order.number),
                order.state
            ),
        ));
    }
    Ok(())
}

/// The named units by option, or what is wrong with them.
fn wanted_units(
    lines: &[LineRow],
    named: &[(String, i64)],
) -> Result<Vec<(OptionId, i64)>, Problem> {
    let mut errors = Vec::new();
    let mut units: Vec<(OptionId, i64)> = Vec::new();
    if named.is_empty() {
        errors.push(FieldError::new(
            "lines",
            "Write what is in the parcel, at least one option.",
        ));
    }
    for (at, (sku, quantity)) in named.iter().enumerate() {
        let Some(line) = lines.iter().find(|l| l.sku == *sku) else {
            errors.push(FieldError::new(
                format!("lines[{at}].sku"),
                format!("This order has no option {sku}."),
            ));
            continue;
        };
        if units.iter().any(|(option, _)| *option == line.option_id) {
            errors.push(FieldError::new(
                format!("lines[{at}].sku"),
                "Write each option once.",
            ));
        } else if *quantity < 1 || *quantity > line.quantity {
            errors.push(FieldError::new(
                format!("lines[{at}].quantity"),
                format!("Write 1 to {}, as many as were ordered.", line.quantity),
            ));
        } else {
            units.push((line.option_id, *quantity));
        }
    }
    if errors.is_empty() {
        Ok(units)
    } else {
        Err(Problem::Invalid(errors))
    }
}

/// A parcel that waits for its carrier, or was stopped after it went out, with exactly these things in it.
fn packed_already(
    tx: &mut Tx,
    order: &OrderRow,
    units: &[(OptionId, i64)],
    when: When,
) -> Result<Option<ShipmentRow>, Problem> {
    for parcel in shipments::of_order(tx.conn, order.id)? {
        let stopped_later = match (parcel.state, when, parcel.stopped_at) {
            (ShipmentState::Stopped, When::At(at), Some(stop)) => at.naive_utc() < stop,
            _ => false,
        };
        let usable = parcel.kind == ShipmentKind::Order
            && (parcel.state == ShipmentState::Picked || stopped_later);
        if !usable {
            continue;
        }
        let mut inside: Vec<(OptionId, i64)> = shipments::lines_of(tx.conn, &[parcel.id])?
            .iter()
            .map(|l| (l.option_id, l.units))
            .collect();
        let mut named = units.to_vec();
        inside.sort_unstable();
        named.sort_unstable();
        if inside == named {
            return Ok(Some(parcel));
        }
    }
    Ok(None)
}

/// Packs what lies there for the order. What was cancelled after it went out is taken as a stopped parcel that had gone.
fn packed_now(
    tx: &mut Tx,
    campaign: crate::store::campaigns::CampaignRow,
    order: OrderRow,
    mut lines: Vec<LineRow>,
    units: &[(OptionId, i64)],
    new: &NewParcel,
) -> Result<Loaded, Problem> {
    if order.owed > 0 && order.state != OrderState::Cancelled {
        return Err(Problem::conflict(
            "balance-unpaid",
            "The balance of this order is not paid yet. It can be packed once it is.",
        ));
    }
    let to_pick = |option: OptionId| {
        let line = lines.iter().find(|l| l.option_id == option);
        line.map_or(0, |l| l.units().to_pick())
    };
    let there = units
        .iter()
        .all(|(option, units)| *units <= to_pick(*option))
        && order.state != OrderState::Cancelled;
    if !there {
        let went_before = match new.when {
            When::At(at) => was_cancelled_after(tx, &order, &lines, units, at)?,
            When::Now | When::NotYet => false,
        };
        if !went_before {
            return Err(not_there(&order, &lines, units));
        }
    }
    let at = match new.when {
        When::At(at) => {
            let paid = order.confirmed_at.unwrap_or(order.created_at);
            check_time(at, tx.now, paid, "paid")?;
            at.min(tx.now).naive_utc()
        }
        When::Now | When::NotYet => tx.now.naive_utc(),
    };
    let (parcel, inside) = if there {
        wants_one_parcel(&order, &lines, units)?;
        pack(tx, &order, &mut lines, units, &new.by, at)?
    } else {
        let (mut parcel, inside) = insert(tx, &order, units, &new.by, at, ShipmentState::Stopped)?;
        parcel.stopped_at = Some(tx.now.naive_utc());
        (parcel, inside)
    };
    Ok(Loaded {
        campaign,
        order,
        lines,
        parcel,
        inside,
    })
}

/// Whether these units were still wanted at `at`, and are not any more only because of what was cancelled since.
fn was_cancelled_after(
    tx: &mut Tx,
    order: &OrderRow,
    lines: &[LineRow],
    units: &[(OptionId, i64)],
    at: DateTime<Utc>,
) -> Result<bool, Problem> {
    let after: Vec<_> = stock::cancellations_of(tx.conn, order.id)?
        .into_iter()
        .filter(|c| c.at > at.naive_utc())
        .collect();
    Ok(units.iter().all(|(option, units)| {
        let line = lines.iter().find(|l| l.option_id == *option);
        let since: i64 = after
            .iter()
            .filter(|c| c.option_id == *option)
            .map(|c| c.units)
            .sum();
        line.is_some_and(|l| *units <= l.units().to_pick() + since)
    }))
}

fn not_there(order: &OrderRow, lines: &[LineRow], units: &[(OptionId, i64)]) -> Problem {
    let number = order_number(order.number);
    let cancelled = lines.iter().any(|l| {
        units
            .iter()
            .any(|(o, n)| *o == l.option_id && l.shipped + l.picked + n > l.units().wanted())
    });
    if order.state == OrderState::Cancelled || cancelled {
        return Problem::conflict(
            "stopped",
            format!(
                "Some of this is not wanted any more, or went out already: order {number} is {}. Look at its parcels. If the carrier took it before it was cancelled, record the time of the handover.",
                order.state
            ),
        );
    }
    let there: Vec<String> = lines
        .iter()
        .map(|l| format!("{} of {}", l.units().to_pick(), l.sku))
        .collect();
    Problem::conflict(
        "not-allocated",
        format!(
            "Not all of this lies there for order {number}. It can be sent now: {}.",
            there.join(", ")
        ),
    )
}

/// Who wants one parcel gets one: with all that is still to come.
fn wants_one_parcel(
    order: &OrderRow,
    lines: &[LineRow],
    units: &[(OptionId, i64)],
) -> Result<(), Problem> {
    let all = lines.iter().all(|l| {
        let inside = units
            .iter()
            .find(|(o, _)| *o == l.option_id)
            .map_or(0, |(_, n)| *n);
        inside + l.picked >= l.units().unshipped()
    });
    if all || order.delivery == Delivery::AsAvailable {
        return Ok(());
    }
    Err(Problem::conflict(
        "one-parcel",
        format!(
            "The shopper of order {} wants everything in one parcel. Pack all that is still to come, or wait for the rest.",
            order_number(order.number)
        ),
    ))
}
