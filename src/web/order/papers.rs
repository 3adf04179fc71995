//! An order's receipts and credit notes, to be read and printed.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::Opened;
use crate::domain::money::Money;
use crate::domain::paper::Paper;
use crate::store::papers::PaperRow;
use crate::web::pages::private;
use crate::web::view::{Link, Moment, Sheet, SheetLine, SheetPage, grouped};
use crate::workflows::papers;

/// Puts the route in.
pub fn configure(config: &mut web::ServiceConfig) {
    config.route("/o/{id}/receipts/{number}", web::get().to(show));
}

/// `GET /o/{id}/receipts/{number}?t=`
async fn show(opened: Opened, path: web::Path<(String, String)>) -> HttpResponse {
    let (_, number) = path.into_inner();
    let order = opened.id;
    let read = opened
        .office
        .read(move |conn| papers::of_order(conn, order, &number));
    match read.await {
        Ok(paper) => {
            let page = SheetPage {
                sheet: sheet(&paper),
                back: opened.path(""),
            };
            private(StatusCode::OK, &page)
        }
        Err(e) => opened.refused(&e),
    }
}

/// Where the papers of an order stand, oldest first.
pub(super) fn links(rows: &[PaperRow], below: &dyn Fn(&str) -> String) -> Vec<Link> {
    let link = |row: &PaperRow| {
        let number = row.kind.number(row.number);
        let text = format!("{} {number}", row.kind.title());
        Link::new(below(&format!("/receipts/{number}")), text)
    };
    rows.iter().map(link).collect()
}

/// A paper as it is drawn: from its frozen content alone.
pub(in crate::web) fn sheet(paper: &Paper) -> Sheet {
    let say = |amount: i64| Money::new(amount, paper.currency).format();
    let zone = papers::zone(paper);
    let lines_of = |text: &str| -> Vec<String> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    };
    let mut seller = vec![paper.seller.name.clone()];
    seller.extend(lines_of(&paper.seller.address));
    seller.push(paper.seller.email.clone());
    let mut sums = Vec::new();
    if paper.shipping > 0 {
        sums.push(("Shipping".to_owned(), say(paper.shipping)));
    }
    if let Some(tax) = paper.tax.as_ref().filter(|tax| !tax.included) {
        sums.push((tax.label.clone(), say(tax.amount)));
    }
    let lines = paper.lines.iter().map(|line| SheetLine {
        name: line.name.clone(),
        sku: line.sku.clone(),
        quantity: grouped(line.quantity),
        unit_price: say(line.unit_price),
        amount: say(line.amount),
    });
    Sheet {
        title: paper.kind.title(),
        number: paper.kind.number(paper.number),
        date: Moment::new(paper.issued_at, zone),
        seller,
        imprint: lines_of(&paper.seller.imprint),
        buyer: paper.buyer.lines.clone(),
        order: paper.order.clone(),
        campaign: paper.campaign.clone(),
        lines: lines.collect(),
        sums,
        total: say(paper.total),
        tax: paper
            .tax
            .as_ref()
            .map(|tax| (tax.label.clone(), say(tax.net), say(tax.amount))),
        paid: paper.paid.clone(),
        corrects: paper
            .corrects
            .as_ref()
            .map(|c| (c.number.clone(), Moment::new(c.issued_at, zone))),
    }
}
