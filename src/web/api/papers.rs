//! Receipts and credit notes: for whoever has the order's link, and for the merchant.

use actix_web::web::Path;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Answer, Response};
use super::ask::Ask;
use super::document::{Public, Refusals};
use super::orders::opened;
use super::paging::{List, PageAsked};
use crate::domain::ids::PaperId;
use crate::domain::money::Money;
use crate::domain::paper::Paper;
use crate::store::papers::{self as rows, PaperRow};
use crate::workflows::desk::Problem;
use crate::workflows::papers::content;

/// A receipt or a credit note, as it was issued.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    id: Uuid,
    /// Such as `R-00012` or `C-00003`; without gaps for each kind and merchant.
    number: String,
    /// `receipt` or `credit_note`.
    kind: String,
    order_id: Uuid,
    /// The order's number as people say it.
    order: String,
    issued_at: DateTime<Utc>,
    buyer: DocumentBuyer,
    lines: Vec<DocumentLine>,
    shipping: Money,
    /// At most one rate applies to an order; null where no tax is due.
    #[schema(required)]
    tax: Option<DocumentTax>,
    /// What was paid, or went back.
    total: Money,
    /// How it was paid.
    paid: String,
    /// The number of the receipt that a credit note corrects.
    #[schema(required)]
    corrects: Option<String>,
}

/// Who buys.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DocumentBuyer {
    /// Name and address, line by line.
    lines: Vec<String>,
    email: String,
    /// ISO 3166-1 code.
    country: String,
}

/// One line.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DocumentLine {
    name: String,
    /// Null where the line is a sum of money.
    #[schema(required)]
    sku: Option<String>,
    quantity: i64,
    /// Contains the tax where it is included.
    unit_price: Money,
    amount: Money,
    tax: Money,
}

/// The tax by its rate.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DocumentTax {
    /// Such as `VAT 19 %`.
    label: String,
    /// Hundredths of a percent.
    rate_basis_points: i64,
    /// Whether prices contain it.
    included: bool,
    /// The total without it.
    net: Money,
    amount: Money,
}

fn shown(row: &PaperRow) -> Result<Document, Problem> {
    let paper: Paper = content(row)?;
    let money = |amount| Money::new(amount, paper.currency);
    Ok(Document {
        id: row.id.0,
        number: row.kind.number(row.number),
        kind: row.kind.as_str().to_owned(),
        order_id: row.order_id.0,
        order: paper.order,
        issued_at: paper.issued_at,
        buyer: DocumentBuyer {
            lines: paper.buyer.lines,
            email: paper.buyer.email,
            country: paper.buyer.country,
        },
        lines: paper
            .lines
            .into_iter()
            .map(|line| DocumentLine {
                name: line.name,
                sku: line.sku,
                quantity: line.quantity,
                unit_price: money(line.unit_price),
                amount: money(line.amount),
                tax: money(line.tax),
            })
            .collect(),
        shipping: money(paper.shipping),
        tax: paper.tax.map(|tax| DocumentTax {
            label: tax.label,
            rate_basis_points: tax.rate_basis_points,
            included: tax.included,
            net: money(tax.net),
            amount: money(tax.amount),
        }),
        total: money(paper.total),
        paid: paper.paid,
        corrects: paper.corrects.map(|corrects| corrects.number),
    })
}

/// An order's receipts and credit notes, oldest first, by its link.
#[utoipa::path(get, path = "/orders/{order_id}/receipts", operation_id = "listReceipts", tag = "Orders",
    params(("order_id" = String, Path, description = "The order."),
        ("t" = String, Query, description = "The token that joining gave.")),
    responses((status = 200, description = "All of them.", body = List<Document>), Public))]
pub(super) async fn of_order(ask: Ask, path: Path<String>) -> Response {
    let id = opened(&ask, &path)?;
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let rows = rows::of_orders(conn, &[id])?;
            let data = rows.iter().map(shown).collect::<Result<Vec<_>, _>>()?;
            Answer::ok(&List {
                data,
                next_cursor: None,
            })
        })
        .await?;
    Ok(answer.respond())
}

/// The merchant's receipts and credit notes, newest first.
#[utoipa::path(get, path = "/documents", operation_id = "listDocuments", tag = "Journal",
    params(("limit" = Option<i64>, Query, description = "Entries of a page, 1 to 100; 20 where it is left out."),
        ("cursor" = Option<String>, Query, description = "The next_cursor of the page before.")),
    security(("key" = [])),
    responses((status = 200, description = "A page of the list.", body = List<Document>), Refusals))]
pub(super) async fn list(ask: Ask) -> Response {
    let merchant = ask.merchant().await?;
    let page = PageAsked::of(&ask)?;
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let before = page.after.map(PaperId);
            let mut rows = rows::of_merchant(conn, merchant, None, before, page.rows())?;
            let next_cursor = page.cut(&mut rows, |row| row.id.0);
            let data = rows.iter().map(shown).collect::<Result<Vec<_>, _>>()?;
            Answer::ok(&List { data, next_cursor })
        })
        .await?;
    Ok(answer.respond())
}
