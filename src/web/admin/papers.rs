//! Receipts and credit notes: the list, each for paper, and a CSV for the bookkeeper.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::guard::{Refusal, Staff};
use super::kit::{Cell, ListPage, PAGE, Table, id};
use super::sheet::{as_text, csv_answer, decimal};
use crate::domain::ids::{MerchantId, PaperId};
use crate::domain::paper::{Paper, PaperKind};
use crate::store::papers::{self as rows, PaperRow};
use crate::store::{Conn, StoreError};
use crate::web::order::sheet;
use crate::web::pages;
use crate::web::view::{Choice, Empty, Field, Link, Pager, SheetPage, plural};
use crate::workflows::desk::Problem;
use crate::workflows::money::say;
use crate::workflows::papers::{content, dated, zone};

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/documents", web::get().to(list))
        .route("/documents.csv", web::get().to(csv))
        .route("/documents/{number}", web::get().to(print));
}

/// Most papers of one CSV file.
const CSV_PAPERS: usize = 100_000;

/// The filter, as it stands in the address.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    kind: String,
    cursor: String,
}

impl Asked {
    fn href(&self, cursor: Option<PaperId>) -> String {
        let kind = self.kind.parse::<PaperKind>().ok();
        let mut parts: Vec<String> = Vec::new();
        parts.extend(kind.map(|kind| format!("kind={kind}")));
        parts.extend(cursor.map(|id| format!("cursor={id}")));
        match parts.is_empty() {
            true => "/admin/documents".to_owned(),
            false => format!("/admin/documents?{}", parts.join("&")),
        }
    }
}

/// The address of a paper in the panel.
pub fn href(row: &PaperRow) -> String {
    format!("/admin/documents/{}", row.kind.number(row.number))
}

/// Papers as a table; their order where they are of several.
pub fn table(papers: &[(PaperRow, Paper)]) -> Table {
    let row = |(row, paper): &(PaperRow, Paper)| {
        vec![
            Cell::Document(Link::new(href(row), row.kind.number(row.number))),
            Cell::text(row.kind.title()),
            Cell::when(row.issued_at, zone(paper)),
            Cell::Document(Link::new(
                format!("/admin/orders/{}", row.order_id),
                &paper.order,
            )),
            Cell::text(paper.buyer.lines.first().cloned().unwrap_or_default()),
            Cell::number(say(row.amount, &row.currency)),
            Cell::number(say(row.tax, &row.currency)),
        ]
    };
    let head = vec![
        ("Number", false),
        ("What", false),
        ("Issued", false),
        ("Order", false),
        ("Buyer", false),
        ("Total", true),
        ("Tax in it", true),
    ];
    Table::new(
        "Receipts and credit notes",
        head,
        papers.iter().map(row).collect(),
    )
}

fn with_content(rows: Vec<PaperRow>) -> Result<Vec<(PaperRow, Paper)>, Problem> {
    rows.into_iter()
        .map(|row| content(&row).map(|paper| (row, paper)))
        .collect()
}

/// An order's papers with what they say.
///
/// # Errors
/// What the database says; a damaged row.
pub fn of_order(
    conn: &mut Conn,
    order: crate::domain::ids::OrderId,
) -> Result<Vec<(PaperRow, Paper)>, Problem> {
    with_content(rows::of_orders(conn, &[order])?)
}

/// `GET /admin/documents`
pub async fn list(staff: Staff, asked: web::Query<Asked>) -> Result<HttpResponse, Refusal> {
    staff.sees_money()?;
    let merchant = staff.merchant.id;
    let before = match asked.cursor.as_str() {
        "" => None,
        text => Some(id::<PaperId>(text)?),
    };
    let kind = asked.kind.parse::<PaperKind>().ok();
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        with_content(rows::of_merchant(conn, merchant, kind, before, PAGE + 1)?)
    });
    let mut papers = found.await?;
    let page = usize::try_from(PAGE).unwrap_or(usize::MAX);
    let more = papers.len() > page;
    papers.truncate(page);
    let next = papers.last().filter(|_| more).map(|(row, _)| row.id);
    let choices = vec![
        Choice::new("", "All"),
        Choice::new("receipt", "Receipts"),
        Choice::new("credit_note", "Credit notes"),
    ];
    let count = i64::try_from(papers.len()).unwrap_or(0);
    let list = ListPage {
        shell: staff.shell("money"),
        title: "Receipts and credit notes".into(),
        lead: Some(
            "Issued by themselves when money came in or went back, and numbered without gaps."
                .into(),
        ),
        actions: vec![
            Link::new("/admin/documents.csv", "Export as CSV"),
            Link::new("/admin/money", "The books"),
        ],
        filters: vec![Field::select("kind", "What", choices).value(&asked.kind)],
        action: "/admin/documents".into(),
        table: table(&papers),
        empty: Empty {
            text: "None yet. The first payment gets the first receipt.".into(),
            action: None,
        },
        pager: (next.is_some() || before.is_some()).then(|| Pager {
            shown: plural(count, "paper"),
            first: before.map(|_| asked.href(None)),
            next: next.map(|id| asked.href(Some(id))),
        }),
    };
    Ok(list.answer())
}

/// `GET /admin/documents/{number}`
pub async fn print(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let (kind, number) = PaperKind::parse(&path).ok_or(Refusal::NotFound)?;
    let merchant = staff.merchant.id;
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let row = rows::by_number(conn, merchant, kind, number)?;
        let row = row.ok_or(Problem::NotFound("receipt"))?;
        content(&row).map(|paper| (row, paper))
    });
    let (row, paper) = found.await?;
    let page = SheetPage {
        sheet: sheet(&paper),
        back: format!("/admin/orders/{}", row.order_id),
    };
    Ok(pages::private(StatusCode::OK, &page))
}

/// `GET /admin/documents.csv`: newest first.
pub async fn csv(staff: Staff) -> Result<HttpResponse, Refusal> {
    staff.sees_money()?;
    let merchant = staff.merchant.id;
    let read = staff.office.read(move |conn| all(conn, merchant));
    csv_answer("documents", read.await?)
}

fn all(conn: &mut Conn, merchant: MerchantId) -> Result<Vec<Vec<String>>, Problem> {
    let head = [
        "number", "kind", "issued", "order", "buyer", "country", "total", "net", "tax", "tax_name",
        "currency", "corrects", "paid",
    ];
    let mut lines = vec![head.map(str::to_owned).to_vec()];
    let mut before = None;
    loop {
        let some: Result<Vec<PaperRow>, StoreError> =
            rows::of_merchant(conn, merchant, None, before, 500);
        let some = with_content(some?)?;
        lines.extend(some.iter().map(|(row, paper)| line(row, paper)));
        before = some.last().map(|(row, _)| row.id);
        if some.len() < 500 || lines.len() > CSV_PAPERS {
            return Ok(lines);
        }
    }
}

/// Of a credit note the amounts are negative, so that columns add up to what was kept.
fn line(row: &PaperRow, paper: &Paper) -> Vec<String> {
    let sign = match row.kind {
        PaperKind::Receipt => 1,
        PaperKind::CreditNote => -1,
    };
    let money = |amount: i64| decimal(sign * amount, &row.currency);
    let tax = paper.tax.as_ref();
    vec![
        row.kind.number(row.number),
        row.kind.as_str().to_owned(),
        dated(paper, paper.issued_at).to_string(),
        paper.order.clone(),
        as_text(paper.buyer.lines.first().map_or("", String::as_str)),
        paper.buyer.country.clone(),
        money(row.amount),
        money(row.amount - row.tax),
        money(row.tax),
        as_text(tax.map_or("", |tax| tax.label.as_str())),
        row.currency.clone(),
        paper
            .corrects
            .as_ref()
            .map_or_else(String::new, |c| c.number.clone()),
        paper.paid.clone(),
    ]
}
