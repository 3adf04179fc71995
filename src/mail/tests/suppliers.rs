use super::letters::{page, written};
use super::{date, utc};
use crate::workflows::letters::{Letter, PurchaseLetterLine, WhyWithdrawn};

pub(super) fn purchase_line(sku: &str, name: &str, units: i64, cost: &str) -> PurchaseLetterLine {
    PurchaseLetterLine {
        sku: sku.to_owned(),
        name: name.to_owned(),
        units,
        unit_cost: "$48.00".to_owned(),
        cost: cost.to_owned(),
    }
}

fn purchase_order(version: i32, lines: Vec<PurchaseLetterLine>) -> Letter {
    Letter::PurchaseOrder {
        merchant: "Fern & Kiln".to_owned(),
        merchant_address: "Rua das Flores 12\n1200-195 Lisboa".to_owned(),
        supplier: "Olaria Norte".to_owned(),
        number: "PO-0031".to_owned(),
        version,
        campaign: "Ridge pour-over set".to_owned(),
        lines,
        units: 132,
        total: "$6,336.00".to_owned(),
        issued_at: utc("2026-05-31T20:10:00Z"),
        wanted_by: Some(date("2026-08-28")),
        link: "https://shop.example.org/s/token".to_owned(),
    }
}

fn two_lines() -> Vec<PurchaseLetterLine> {
    vec![
        purchase_line("RPO-CHALK", "Chalk glaze", 120, "$5,760.00"),
        purchase_line("RPO-SLATE", "Slate, \"matt\"", 12, "$576.00"),
    ]
}

#[test]
fn a_purchase_order_carries_its_lines_in_the_mail_and_as_csv() {
    let letter = purchase_order(1, two_lines());
    insta::assert_snapshot!("purchase_order", page(&letter));
    insta::assert_snapshot!("purchase_order_html", written(&letter).html);
    let attached = written(&letter).attachments;
    assert_eq!(attached.len(), 1);
    assert_eq!(attached[0].name, "PO-0031-v1.csv");
    assert_eq!(attached[0].media_type, "text/csv; charset=utf-8");
    insta::assert_snapshot!("purchase_order_csv", attached[0].text);
    insta::assert_snapshot!(
        "purchase_order_version_2",
        page(&purchase_order(2, two_lines()))
    );
}

#[test]
fn a_text_that_a_spreadsheet_would_run_is_defused() {
    let letter = purchase_order(1, vec![purchase_line("-1", "=1+1", 1, "$48.00")]);
    let csv = &written(&letter).attachments[0].text;
    assert_eq!(
        csv,
        "sku,name,units,unit_cost,cost\n'-1,'=1+1,1,$48.00,$48.00\n"
    );
}

#[test]
fn a_silent_supplier_is_reminded() {
    let letter = Letter::PurchaseOrderReminder {
        merchant: "Fern & Kiln".to_owned(),
        supplier: "Olaria Norte".to_owned(),
        number: "PO-0031".to_owned(),
        units: 1,
        issued_at: utc("2026-05-31T20:10:00Z"),
        link: "https://shop.example.org/s/token".to_owned(),
    };
    insta::assert_snapshot!("purchase_order_reminder", page(&letter));
}

#[test]
fn a_supplier_hears_that_an_order_is_not_wanted_any_more() {
    let letter = Letter::PurchaseOrderCancelled {
        merchant: "Fern & Kiln".to_owned(),
        supplier: "Olaria Norte".to_owned(),
        number: "PO-0031".to_owned(),
        units: 12,
        why: WhyWithdrawn::CampaignEnded,
        link: "https://shop.example.org/s/token".to_owned(),
    };
    insta::assert_snapshot!("purchase_order_cancelled", page(&letter));
}

#[test]
fn a_supplier_hears_why_another_order_takes_the_place_of_its_own() {
    let letter = Letter::PurchaseOrderCancelled {
        merchant: "Fern & Kiln".to_owned(),
        supplier: "Olaria Norte".to_owned(),
        number: "PO-0031".to_owned(),
        units: 12,
        why: WhyWithdrawn::Replaced("The kiln is out of order until June.".to_owned()),
        link: "https://shop.example.org/s/token".to_owned(),
    };
    insta::assert_snapshot!("purchase_order_replaced", page(&letter));
}
