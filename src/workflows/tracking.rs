//! A file of tracking numbers and times is recorded: looked at first, row by row, then kept whole, or its good rows
//! alone. The same file again changes nothing.

pub mod file;

use chrono::{DateTime, Days, NaiveDateTime, Utc};
use chrono_tz::Tz;
use diesel::Connection;

use self::file::{Column, Row};
use super::allocate::own_batch;
use super::desk::{Desk, Problem, offer};
use super::ship::{self, Handed};
use crate::domain::day::{day_end, instant, parse_date, parse_local};
use crate::domain::ids::{BatchId, MerchantId, OrderId, ShipmentId};
use crate::domain::shipment::{DeliveredBy, ShipmentKind, ShipmentState};
use crate::domain::text::optional_line;
use crate::store::orders::OrderRow;
use crate::store::shipments::ShipmentRow;
use crate::store::{Conn, Tx, orders, shipments};

/// What came, or would come, of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// The line in the file.
    pub line: u64,
    /// What the row names: an order's or a parcel's number, as it is written.
    pub about: String,
    /// What is recorded, or why nothing is.
    pub said: Result<String, String>,
}

/// Records the rows of a file, each by itself: what a bad row did is taken back, and it is reported. The caller takes back
/// everything where that is wanted.
///
/// # Errors
/// That there is no such batch; what the database says.
pub fn record(
    desk: &Desk,
    tx: &mut Tx,
    merchant: MerchantId,
    batch: BatchId,
    rows: &[Row],
    by: &str,
) -> Result<Vec<Outcome>, Problem> {
    let (campaign, batch) = own_batch(tx, merchant, batch)?;
    let zone = offer(&campaign)?.time_zone;
    let mut outcomes = Vec::with_capacity(rows.len());
    for row in rows {
        let about = [Column::Parcel, Column::Order]
            .into_iter()
            .filter_map(|c| row.get(c))
            .collect::<Vec<_>>()
            .join(", ");
        let said = taken_back_on_error(tx, |tx| one(desk, tx, merchant, batch.id, zone, row, by));
        let said = match said {
            Ok(said) => Ok(said),
            Err(Problem::Conflict { message, .. }) => Err(message),
            Err(Problem::Invalid(errors)) => {
                let all: Vec<String> = errors
                    .into_iter()
                    .map(|e| format!("{}: {}", e.field, e.message))
                    .collect();
                Err(all.join(" "))
            }
            Err(Problem::NotFound(what)) => Err(format!("There is no such {what} here.")),
            Err(problem) => return Err(problem),
        };
        outcomes.push(Outcome {
            line: row.line,
            about,
            said,
        });
    }
    Ok(outcomes)
}

fn taken_back_on_error<T>(
    tx: &mut Tx,
    step: impl FnOnce(&mut Tx) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let now = tx.now;
    let (value, effects) = tx.conn.transaction(|conn: &mut Conn| {
        let mut inner = Tx::new(conn, now);
        let value = step(&mut inner)?;
        Ok::<_, Problem>((value, inner.effects))
    })?;
    for campaign in effects.touched {
        tx.touch(campaign);
    }
    tx.effects.work |= effects.work;
    Ok(value)
}

fn one(
    desk: &Desk,
    tx: &mut Tx,
    merchant: MerchantId,
    batch: BatchId,
    zone: Tz,
    row: &Row,
    by: &str,
) -> Result<String, Problem> {
    let text = |column: Column, field: &str| {
        optional_line(row.get(column), 100).map_err(|message| Problem::field(field, message))
    };
    let carrier = text(Column::Carrier, "carrier")?;
    let tracking_number = text(Column::Tracking, "tracking")?;
    let handed = moment(row, Column::HandedOver, "handed_over_at", zone, tx.now)?;
    let delivered = moment(row, Column::Delivered, "delivered_at", zone, tx.now)?;
    let is_empty = tracking_number.is_none() && handed.is_none() && delivered.is_none();
    let parcel = find(tx, merchant, batch, row)?;
    let number = ship::parcel_number(parcel.number);
    if is_empty {
        return Ok(format!("Nothing to record for parcel {number}."));
    }
    let waits = matches!(parcel.state, ShipmentState::Picked | ShipmentState::Stopped);
    let mut said = Vec::new();
    let tells_more = handed.is_some() || tracking_number.is_some();
    if waits || (tells_more && parcel.state != ShipmentState::Returned) {
        let how = Handed {
            at: handed,
            carrier,
            tracking_number,
            by: by.to_owned(),
        };
        let before = (parcel.carrier.clone(), parcel.tracking_number.clone());
        let after = ship::hand_over(desk, tx, merchant, parcel.id, &how)?;
        said.push(if waits {
            format!("Parcel {number} is handed over.")
        } else if before == (after.carrier, after.tracking_number) {
            format!("Parcel {number} is known already.")
        } else {
            format!("Parcel {number} gets its tracking number.")
        });
    }
    if let Some(at) = delivered {
        let known = parcel.state == ShipmentState::Delivered;
        ship::arrived(tx, merchant, parcel.id, Some(at), DeliveredBy::Carrier, by)?;
        said.push(if known {
            "It is known as arrived.".to_owned()
        } else {
            "It arrived.".to_owned()
        });
    }
    Ok(said.join(" "))
}

/// The parcel that a row names, by its own number or by its order's.
fn find(
    tx: &mut Tx,
    merchant: MerchantId,
    batch: BatchId,
    row: &Row,
) -> Result<ShipmentRow, Problem> {
    let order = match row.get(Column::Order) {
        Some(text) => Some(order_of(tx, merchant, batch, text)?),
        None => None,
    };
    if let Some(text) = row.get(Column::Parcel) {
        let digits = text.trim_start_matches(['P', 'p', '-']);
        let found = match digits.parse::<i64>() {
            Ok(number) => shipments::by_number(tx.conn, merchant, number)?,
            Err(_) => None,
        };
        let parcel = found
            .filter(|p| p.batch_id == batch)
            .ok_or_else(|| Problem::field("parcel", format!("This batch has no parcel {text}.")))?;
        if order.is_some_and(|order| order.id != parcel.order_id) {
            return Err(Problem::field(
                "parcel",
                format!("Parcel {text} belongs to another order."),
            ));
        }
        return Ok(parcel);
    }
    let order =
        order.ok_or_else(|| Problem::field("order", "Neither order nor parcel is named."))?;
    the_one(tx, order.id, row)
}

fn order_of(
    tx: &mut Tx,
    merchant: MerchantId,
    batch: BatchId,
    text: &str,
) -> Result<OrderRow, Problem> {
    let digits = text.trim_start_matches(['M', 'm', '-']);
    let found = match digits.parse::<i64>() {
        Ok(number) => orders::by_number(tx.conn, merchant, number)?,
        Err(_) => None,
    };
    found
        .filter(|o| o.batch_id == batch)
        .ok_or_else(|| Problem::field("order", format!("This batch has no order {text}.")))
}

/// An order's parcel, where only one can be meant: the one that waits for its carrier, else the one with this tracking
/// number, else its only one.
fn the_one(tx: &mut Tx, order: OrderId, row: &Row) -> Result<ShipmentRow, Problem> {
    let mut all = shipments::of_order(tx.conn, order)?;
    all.retain(|p| p.kind == ShipmentKind::Order);
    let same: Vec<ShipmentId> = all
        .iter()
        .filter(|p| {
            p.tracking_number.is_some() && p.tracking_number.as_deref() == row.get(Column::Tracking)
        })
        .map(|p| p.id)
        .collect();
    let waits: Vec<ShipmentId> = all
        .iter()
        .filter(|p| p.state == ShipmentState::Picked)
        .map(|p| p.id)
        .collect();
    let chosen = match (same.as_slice(), waits.as_slice(), all.as_slice()) {
        ([one], _, _) | ([], [one], _) => Some(*one),
        ([], [], [one]) => Some(one.id),
        _ => None,
    };
    match chosen.and_then(|id| all.iter().find(|p| p.id == id)) {
        Some(parcel) => Ok(parcel.clone()),
        None if all.is_empty() => Err(Problem::field(
            "order",
            "No parcel of this order is packed. Pick it first.",
        )),
        None => {
            let numbers: Vec<String> = all.iter().map(|p| ship::parcel_number(p.number)).collect();
            Err(Problem::field(
                "parcel",
                format!(
                    "This order has several parcels: {}. Write which one, in a column parcel.",
                    numbers.join(", ")
                ),
            ))
        }
    }
}

/// A moment as files write it. A day alone means its end, or now if that is earlier: what was cancelled on that day comes
/// before it.
fn moment(
    row: &Row,
    column: Column,
    field: &str,
    zone: Tz,
    now: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(text) = row.get(column) else {
        return Ok(None);
    };
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(Some(at.with_timezone(&Utc)));
    }
    if let Some(at) = parse_local(&text.replacen(' ', "T", 1), zone) {
        return Ok(Some(at));
    }
    if let Ok(local) = NaiveDateTime::parse_from_str(text, "%d.%m.%Y %H:%M") {
        return Ok(Some(instant(local, zone)));
    }
    let day = parse_date(text)
        .or_else(|| chrono::NaiveDate::parse_from_str(text, "%d.%m.%Y").ok())
        .filter(|day| day.checked_add_days(Days::new(2)).is_some());
    match day {
        Some(day) => {
            let end = day_end(day, zone) - chrono::Duration::seconds(1);
            // A day that has not begun is in the future, and is told so.
            let begun = crate::domain::day::day_start(day, zone) <= now;
            Ok(Some(if begun { end.min(now) } else { end }))
        }
        None => Err(Problem::field(
            field,
            format!("{text} is no time. Write 2026-12-01 or 2026-12-01 18:00."),
        )),
    }
}
