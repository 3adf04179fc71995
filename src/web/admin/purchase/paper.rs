//! A purchase order on paper and as CSV.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::{Known, one};
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::zone_of;
use crate::web::admin::sheet::{as_text, csv_answer, decimal};
use crate::web::pages;
use crate::web::view::{Day, Moment, PoDocument, PoLine, PurchaseOrderPage};
use crate::workflows::desk::purchase_number;
use crate::workflows::money::say;

/// `GET /admin/purchase-orders/{id}/print`
pub async fn print(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let known = one(&staff, &path).await?;
    let Known {
        row,
        document,
        campaign,
        ..
    } = &known;
    let with_name = |name: &str, address: &str| {
        let mut lines = vec![name.to_owned()];
        lines.extend(address.lines().map(str::to_owned));
        lines.retain(|l| !l.trim().is_empty());
        lines
    };
    let money = |amount: i64| say(amount, &document.currency);
    let page = PurchaseOrderPage {
        back: format!("/admin/purchase-orders/{}", row.id),
        document: PoDocument {
            number: known.title(),
            version: row.version.into(),
            date: Moment::new(
                row.sent_at.unwrap_or(row.created_at).and_utc(),
                zone_of(campaign),
            ),
            buyer: with_name(&document.merchant, &document.merchant_address),
            supplier: with_name(&document.supplier, &document.supplier_address),
            deliver_to: with_name(&document.merchant, &document.merchant_address),
            campaign: document.purpose(),
            lines: document
                .lines
                .iter()
                .map(|line| PoLine {
                    sku: line.sku.clone(),
                    name: line.name.clone(),
                    units: line.units,
                    unit_cost: line.unit_cost.map_or_else(String::new, money),
                    total: line
                        .unit_cost
                        .map_or_else(String::new, |c| money(c.saturating_mul(line.units))),
                })
                .collect(),
            units: document.units(),
            total: money(document.total),
            wanted_by: document.wanted_by.map(Day),
        },
    };
    Ok(pages::private(StatusCode::OK, &page))
}

/// `GET /admin/purchase-orders/{id}/lines.csv`
pub async fn csv(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let known = one(&staff, &path).await?;
    let document = &known.document;
    let head = [
        "sku",
        "name",
        "ordered",
        "safety",
        "added",
        "case_fill",
        "units",
        "unit_cost",
        "total",
        "currency",
    ];
    // A column of its own only where the campaign has several batches.
    let batch = document.batch.map(|batch| batch.to_string());
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    rows[0].extend(batch.as_ref().map(|_| "batch".to_owned()));
    for line in &document.lines {
        let money = |amount: i64| decimal(amount, &document.currency);
        let total = line.unit_cost.map(|c| c.saturating_mul(line.units));
        let mut cells = vec![
            as_text(&line.sku),
            as_text(&line.name),
            line.paid.to_string(),
            line.safety.to_string(),
            line.added.to_string(),
            line.case_fill.to_string(),
            line.units.to_string(),
            line.unit_cost.map_or_else(String::new, money),
            total.map_or_else(String::new, money),
            document.currency.clone(),
        ];
        cells.extend(batch.clone());
        rows.push(cells);
    }
    let name = known
        .row
        .number
        .map_or_else(|| "draft".into(), purchase_number);
    csv_answer(&format!("{name}-v{}", known.row.version), rows)
}
