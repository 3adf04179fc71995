//! What calls about goods send: counts of deliveries, units that will not come, parcels.

use chrono::{DateTime, Utc};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::fields::{Errors, Reader};
use crate::domain::ids::{OrderId, PurchaseOrderId};
use crate::domain::text::optional_line;
use crate::workflows::receive::{Count, Counted};
use crate::workflows::ship::{Handed, NewParcel, When};

/// A counted delivery.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct ReceiptBody {
    /// Each option once.
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<CountedBody>,
    note: Option<String>,
    /// The purchase order it came on.
    purchase_order_id: Option<Uuid>,
    /// Whether more than was ordered is meant.
    confirm: Option<bool>,
    /// Whether it corrects earlier counts: units may be negative. Needs a note.
    correction: Option<bool>,
}

/// What of one option was counted.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct CountedBody {
    sku: String,
    /// Units that can be sold.
    good: i64,
    /// Units that cannot; 0 where it is left out.
    damaged: Option<i64>,
}

/// Reads a count.
pub(super) fn count(body: &Value, e: &mut Errors) -> Option<Count> {
    let mut r = Reader::body(body, e)?;
    let lines = r.each("lines", e, |value, at, e| {
        let mut r = Reader::at(value, at, e)?;
        let sku = r.string("sku", e);
        let sku = r.required("sku", sku, e, "the option's code");
        let good = r.integer("good", e);
        let good = r.required("good", good, e, "units that can be sold, 0 or more");
        let damaged = r.integer("damaged", e).unwrap_or(0);
        r.end(e);
        Some(Counted {
            sku: sku?,
            good: good?,
            damaged,
        })
    });
    let lines = r.required("lines", lines, e, "what arrived");
    let note = r.text("note", e);
    let note = e.keep("note", optional_line(note, 500));
    let purchase_order = r.text("purchase_order_id", e).map(|text| {
        let id: Option<PurchaseOrderId> = text.parse().ok();
        if id.is_none() {
            e.add("purchase_order_id", "write the purchase order's id");
        }
        id
    });
    let confirm = r.boolean("confirm", e).unwrap_or(false);
    let correction = r.boolean("correction", e).unwrap_or(false);
    r.end(e);
    Some(Count {
        lines: lines?,
        note: note?,
        by: "API".to_owned(),
        purchase_order: match purchase_order {
            Some(id) => Some(id?),
            None => None,
        },
        confirm,
        correction,
        once: None,
    })
}

/// Units that will not come.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct ShortBody {
    /// Each option once.
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<UnitsBody>,
}

/// An option and how many of it.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct UnitsBody {
    sku: String,
    #[schema(minimum = 1)]
    quantity: i64,
}

fn units(r: &mut Reader, e: &mut Errors) -> Option<Vec<(String, i64)>> {
    let lines = r.each("lines", e, |value, at, e| {
        let mut r = Reader::at(value, at, e)?;
        let sku = r.string("sku", e);
        let sku = r.required("sku", sku, e, "the option's code");
        let quantity = r.integer("quantity", e);
        let quantity = r.required("quantity", quantity, e, "how many, 1 or more");
        r.end(e);
        Some((sku?, quantity?))
    });
    r.required("lines", lines, e, "options and how many of each")
}

/// Reads units that will not come.
pub(super) fn short(body: &Value, e: &mut Errors) -> Option<Vec<(String, i64)>> {
    let mut r = Reader::body(body, e)?;
    let lines = units(&mut r, e);
    r.end(e);
    lines
}

/// A parcel that was packed.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct ShipmentBody {
    order_id: Uuid,
    /// What is in it, each option once.
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<UnitsBody>,
    carrier: Option<String>,
    tracking_number: Option<String>,
    /// When the carrier took it: now where it is left out. `null`: packed, and not handed over yet.
    handed_over_at: Option<DateTime<Utc>>,
}

/// A handover.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct HandoverBody {
    /// When the carrier took it: now where it is left out.
    handed_over_at: Option<DateTime<Utc>>,
    carrier: Option<String>,
    tracking_number: Option<String>,
}

/// An arrival.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct DeliveredBody {
    /// When it arrived: now where it is left out.
    delivered_at: Option<DateTime<Utc>>,
}

/// A moment, where one is written; wrong ones are told.
fn moment(r: &mut Reader, name: &'static str, e: &mut Errors) -> Option<DateTime<Utc>> {
    let text = r.text(name, e)?;
    let say = "write a time with its offset, such as 2026-12-01T18:00:00Z";
    let read = DateTime::parse_from_rfc3339(text).map_err(|_| say);
    Some(e.keep(name, read)?.with_timezone(&Utc))
}

fn line(r: &mut Reader, name: &'static str, e: &mut Errors) -> Option<String> {
    let text = r.text(name, e);
    e.keep(name, optional_line(text, 100)).flatten()
}

/// The order that a parcel is for, where it can be read.
pub(super) fn order_of(body: &Value) -> Option<OrderId> {
    body.get("order_id")?.as_str()?.parse().ok()
}

/// Reads a parcel.
pub(super) fn parcel(body: &Value, e: &mut Errors) -> Option<NewParcel> {
    let mut r = Reader::body(body, e)?;
    let order = r.text("order_id", e);
    let order = r.required("order_id", order, e, "the order that it is for");
    let order = order.and_then(|text| {
        let id: Result<OrderId, _> = text.parse();
        e.keep("order_id", id.map_err(|_| "write the order's id"))
    });
    let lines = units(&mut r, e);
    let carrier = line(&mut r, "carrier", e);
    let tracking_number = line(&mut r, "tracking_number", e);
    let at = moment(&mut r, "handed_over_at", e);
    let when = match (body.get("handed_over_at"), at) {
        (Some(Value::Null), _) => When::NotYet,
        (_, Some(at)) => When::At(at),
        (_, None) => When::Now,
    };
    r.end(e);
    Some(NewParcel {
        order: order?,
        lines: lines?,
        carrier,
        tracking_number,
        when,
        by: "API".to_owned(),
    })
}

/// Reads a handover.
pub(super) fn handover(body: &Value, e: &mut Errors) -> Option<Handed> {
    let mut r = Reader::body(body, e)?;
    let at = moment(&mut r, "handed_over_at", e);
    let carrier = line(&mut r, "carrier", e);
    let tracking_number = line(&mut r, "tracking_number", e);
    r.end(e);
    Some(Handed {
        at,
        carrier,
        tracking_number,
        by: "API".to_owned(),
    })
}

/// Reads an arrival.
pub(super) fn delivered(body: &Value, e: &mut Errors) -> Option<DateTime<Utc>> {
    let mut r = Reader::body(body, e)?;
    let at = moment(&mut r, "delivered_at", e);
    r.end(e);
    at
}
