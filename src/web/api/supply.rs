//! Suppliers, purchase orders, and the journal: what only the merchant sees.

use std::collections::BTreeMap;

use actix_web::web::Path;
use serde_json::Value;

use super::answer::{Answer, Response, change};
use super::ask::Ask;
use super::bodies::{ReplaceBody, SendBody, SupplierBody};
use super::campaigns::{own, slug};
use super::document::Refusals;
use super::fields::{Errors, Reader};
use super::paging::{List, PageAsked};
use super::supplier_body;
use super::supply_views::{self, PurchaseOrder};
use super::views::{self, JournalEntry, Supplier};
use crate::domain::campaign::BatchState;
use crate::domain::ids::{EntryId, MerchantId, PurchaseOrderId, SupplierId};
use crate::domain::purchase_order::PurchaseOrderState;
use crate::store::purchase_orders::PurchaseOrderRow;
use crate::store::{Conn, campaigns, journal, merchants, purchase_orders};
use crate::workflows::desk::Problem;
use crate::workflows::purchase::ways::{self, Plan, Split};
use crate::workflows::purchase::{self, Document, Sent};
use crate::workflows::suppliers;

/// The merchant's suppliers.
#[utoipa::path(get, path = "/suppliers", operation_id = "listSuppliers", tag = "Suppliers",
    params(
        ("limit" = Option<i64>, Query, description = "Entries of a page, 1 to 100; 20 where it is left out."),
        ("cursor" = Option<String>, Query, description = "The next_cursor of the page before.")),
    security(("key" = [])),
    responses((status = 200, description = "A page of the list.", body = List<Supplier>), Refusals))]
pub(super) async fn suppliers(ask: Ask) -> Response {
    let merchant = ask.merchant().await?;
    let page = PageAsked::of(&ask)?;
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let mut rows = merchants::suppliers_of(conn, merchant)?;
            rows.retain(|row| page.after.is_none_or(|after| row.id.0 > after));
            let next_cursor = page.cut(&mut rows, |row| row.id.0);
            let data = rows.iter().map(views::supplier).collect::<Result<_, _>>()?;
            Answer::ok(&List { data, next_cursor })
        })
        .await?;
    Ok(answer.respond())
}

/// Makes a supplier.
#[utoipa::path(post, path = "/suppliers", operation_id = "createSupplier", tag = "Suppliers",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = SupplierBody, security(("key" = [])),
    responses((status = 201, description = "The supplier.", body = Supplier), Refusals))]
pub(super) async fn create_supplier(ask: Ask) -> Response {
    let merchant = ask.merchant().await?;
    let body = ask.json()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |_, tx| {
        let input = supplier_body::supplier(&body).map_err(Problem::Invalid)?;
        let row = suppliers::create(tx, merchant, input)?;
        Ok(Answer {
            location: None,
            ..Answer::created(String::new(), &views::supplier(&row)?)?
        })
    })
    .await
}

fn own_order(
    conn: &mut Conn,
    merchant: MerchantId,
    id: PurchaseOrderId,
) -> Result<PurchaseOrderRow, Problem> {
    purchase_orders::by_id(conn, id)?
        .filter(|row| row.merchant_id == merchant)
        .ok_or(Problem::NotFound("purchase order"))
}

fn order_id(path: &str) -> Result<PurchaseOrderId, Problem> {
    path.parse()
        .map_err(|_| Problem::NotFound("purchase order"))
}

/// A purchase order.
#[utoipa::path(get, path = "/purchase-orders/{id}", operation_id = "getPurchaseOrder", tag = "Suppliers",
    params(("id" = String, Path, description = "The purchase order.")),
    security(("key" = [])),
    responses((status = 200, description = "The purchase order.", body = PurchaseOrder), Refusals))]
pub(super) async fn purchase_order(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let id = order_id(&path)?;
    let desk = ask.office.desk().clone();
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let row = own_order(conn, merchant, id)?;
            Answer::ok(&supply_views::purchase_order(conn, &desk, &row)?)
        })
        .await?;
    Ok(answer.respond())
}

/// Sends a purchase order that was blocked, where nothing blocks it any more: as it is, to another supplier, with added
/// units, or split between two.
#[utoipa::path(post, path = "/purchase-orders/{id}/send", operation_id = "sendPurchaseOrder", tag = "Suppliers",
    params(("id" = String, Path, description = "The purchase order."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = Option<SendBody>, security(("key" = [])),
    responses((status = 200, description = "The purchase order.", body = PurchaseOrder), Refusals))]
pub(super) async fn send(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let id = order_id(&path)?;
    let body = ask.json_or_nothing()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |desk, tx| {
        let row = own_order(tx.conn, merchant, id)?;
        let batch = campaigns::batch(tx.conn, row.batch_id)?.ok_or(Problem::NotFound("batch"))?;
        if row.state != PurchaseOrderState::Draft || batch.state != BatchState::Collecting {
            return Err(Problem::conflict(
                "wrong-state",
                format!(
                    "This purchase order is {}; there is nothing to send.",
                    row.state
                ),
            ));
        }
        let mut e = Errors::default();
        let (plan, _) = planned(&body, false, &mut e);
        if !e.is_empty() {
            return Err(Problem::Invalid(e.all()));
        }
        if let Sent::Blocked(stands, _) = ways::send_planned(desk, tx, merchant, id, &plan)? {
            let now = own_order(tx.conn, merchant, id)?;
            let document: Document = serde_json::from_str(&now.document)?;
            return Err(Problem::conflict(
                "purchase-order-blocked",
                format!(
                    "{} It was not sent.",
                    purchase::say_blocked(stands, &document)
                ),
            ));
        }
        let row = own_order(tx.conn, merchant, id)?;
        Answer::ok(&supply_views::purchase_order(tx.conn, desk, &row)?)
    })
    .await
}

/// Puts another purchase order in the place of this one; it keeps the batch, and the old supplier is told why.
#[utoipa::path(post, path = "/purchase-orders/{id}/replace", operation_id = "replacePurchaseOrder", tag = "Suppliers",
    params(("id" = String, Path, description = "The purchase order."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = ReplaceBody, security(("key" = [])),
    responses((status = 200, description = "The purchase order that stands now.", body = PurchaseOrder), Refusals))]
pub(super) async fn replace(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let id = order_id(&path)?;
    let body = ask.json()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |desk, tx| {
        let row = own_order(tx.conn, merchant, id)?;
        ways::check_replaceable(tx, &row)?;
        let mut e = Errors::default();
        let (plan, reason) = planned(&body, true, &mut e);
        if !e.is_empty() {
            return Err(Problem::Invalid(e.all()));
        }
        let new = ways::replace(desk, tx, merchant, id, &plan, &reason)?;
        Answer::ok(&supply_views::purchase_order(tx.conn, desk, &new)?)
    })
    .await
}

/// The plan and, for a replacement, the reason. Whose suppliers they are the workflow checks.
fn planned(body: &Value, with_reason: bool, e: &mut Errors) -> (Plan, String) {
    let Some(mut r) = Reader::body(body, e) else {
        return (Plan::default(), String::new());
    };
    let supplier = supplier_id(&mut r, e);
    let added_units = r.integer("added_units", e);
    let split = r.object("split", e).and_then(|mut r| {
        let supplier = supplier_id(&mut r, e);
        let missing = !r.has("supplier_id");
        if missing {
            e.add("split.supplier_id", "is required: the second supplier");
        }
        let entries = r.entries("units", e);
        let say = r#"paid units by the option's code, such as {"walnut": 40}"#;
        let entries = r.required("units", entries, e, say);
        let mut units = BTreeMap::new();
        for (sku, value) in entries.into_iter().flatten() {
            match value.as_i64() {
                Some(n) => {
                    units.insert(sku.clone(), n);
                }
                None => e.add(format!("split.units.{sku}"), "write a whole number"),
            }
        }
        r.end(e);
        Some(Split {
            supplier: supplier?,
            units,
        })
    });
    let mut reason = String::new();
    if with_reason {
        let text = r.text("reason", e);
        let text = r.required("reason", text, e, "the old supplier reads it");
        reason = text.unwrap_or_default().to_owned();
    }
    r.end(e);
    let plan = Plan {
        supplier,
        added_units,
        split,
    };
    (plan, reason)
}

fn supplier_id(r: &mut Reader, e: &mut Errors) -> Option<SupplierId> {
    let text = r.text("supplier_id", e)?;
    let id = text.parse::<SupplierId>();
    if id.is_err() {
        let path = r.path("supplier_id");
        e.add(path, "There is no such supplier; make it first.");
    }
    id.ok()
}

/// The journal, oldest first: every movement of money as balanced postings.
#[utoipa::path(get, path = "/journal", operation_id = "listJournal", tag = "Journal",
    params(
        ("campaign" = Option<String>, Query, description = "Only of the campaign with this name in addresses."),
        ("limit" = Option<i64>, Query, description = "Entries of a page, 1 to 100; 20 where it is left out."),
        ("cursor" = Option<String>, Query, description = "The next_cursor of the page before.")),
    security(("key" = [])),
    responses((status = 200, description = "A page of the list.", body = List<JournalEntry>), Refusals))]
pub(super) async fn entries(ask: Ask) -> Response {
    let merchant = ask.merchant().await?;
    let page = PageAsked::of(&ask)?;
    let wanted = match ask.parameter("campaign") {
        Some(text) => Some(slug(&text)?),
        None => None,
    };
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let campaign = match wanted {
                None => None,
                Some(slug) => Some(own(conn, merchant, &slug)?.id),
            };
            let after = page.after.map(EntryId);
            let mut rows = journal::list(conn, merchant, campaign, None, after, page.rows())?;
            let next_cursor = page.cut(&mut rows, |(entry, _)| entry.id.0);
            let data = rows
                .iter()
                .map(|(entry, postings)| views::journal_entry(entry, postings))
                .collect::<Result<_, _>>()?;
            Answer::ok(&List { data, next_cursor })
        })
        .await?;
    Ok(answer.respond())
}
