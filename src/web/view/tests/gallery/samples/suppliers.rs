//! Examples of what a supplier sees.

use super::*;
use crate::web::view::*;

pub fn document() -> PoDocument {
    let line = |sku: &str, name: &str, units: i64, total: &str| PoLine {
        sku: sku.to_owned(),
        name: name.to_owned(),
        units,
        unit_cost: "$41.00".to_owned(),
        total: total.to_owned(),
    };
    PoDocument {
        number: "PO-0031".to_owned(),
        version: 1,
        date: moment("2026-06-01T08:00:00Z"),
        buyer: seller().imprint,
        supplier: vec!["Olaria Lopes".to_owned(), "Barcelos, Portugal".to_owned()],
        deliver_to: seller().imprint,
        campaign: "Ridge pour-over set".to_owned(),
        lines: vec![
            line("full-chalk", "Full set, chalk", 80, "$3,280.00"),
            line("dripper", "Dripper, chalk", 46, "$1,886.00"),
        ],
        units: 126,
        total: "$5,166.00".to_owned(),
        wanted_by: Some(day(2026, 8, 20)),
    }
}

pub fn acknowledged() -> SupplierState {
    SupplierState::Acknowledged {
        at: moment("2026-06-02T09:30:00Z"),
        note: Some("Our number is 5512.".to_owned()),
    }
}

pub fn in_transit() -> SupplierState {
    SupplierState::InTransit {
        at: moment("2026-08-10T09:30:00Z"),
        by: "DHL, 00340434161094042557".to_owned(),
    }
}

pub fn rejected() -> SupplierState {
    SupplierState::Rejected {
        at: moment("2026-06-02T09:30:00Z"),
        reason: "The kiln is out of order until September.".to_owned(),
    }
}

pub fn replaced(newer: bool) -> SupplierState {
    SupplierState::Replaced {
        at: Some(moment("2026-06-04T09:30:00Z")),
        newer: newer.then(|| Link::new("/s/def", "version 2")),
        reason: Some("12 units more.".to_owned()),
    }
}

pub fn supplier(state: SupplierState) -> SupplierPage {
    let none = Problems::default();
    let days = (day(2026, 6, 3), day(2028, 6, 1));
    SupplierPage {
        shell: Shell::private(Theme::Auto, "/s/abc", true),
        document: document(),
        buyer_name: "Fern & Kiln".to_owned(),
        buyer_email: Some("hello@fern-kiln.example".to_owned()),
        sent: moment("2026-06-01T08:00:00Z"),
        state,
        here: "/s/abc".to_owned(),
        note: SupplierPage::note_field("", &none),
        date: SupplierPage::date_fields("", "", days, true, &none),
        shipping: SupplierPage::shipping_fields("", "", &none),
        dates: vec![GivenDate {
            arrives: "20 August 2026".to_owned(),
            reason: "The glaze came late.".to_owned(),
            at: moment("2026-06-02T09:30:00Z"),
        }],
        problems: none,
    }
}

pub fn reject(problems: Problems) -> RejectPage {
    RejectPage {
        shell: Shell::private(Theme::Auto, "/s/abc/reject", true),
        number: "PO-0031".to_owned(),
        buyer_name: "Fern & Kiln".to_owned(),
        units: 126,
        here: "/s/abc".to_owned(),
        reason: RejectPage::reason_field("", &problems),
        problems,
    }
}

pub fn print() -> PurchaseOrderPage {
    PurchaseOrderPage {
        document: document(),
        back: "/s/abc".to_owned(),
    }
}
