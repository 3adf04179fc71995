//! Our side: the rows that calls are made for.

use chrono::{DateTime, TimeZone, Utc};
use serde_json::{Value, json};

use super::fake::Asked;
use crate::domain::currency::Currency;
use crate::domain::ids::{OrderId, RefundId};
use crate::domain::payment::PaymentKind;
use crate::workflows::ports::{NewCharge, NewPage, NewRefund, PageLine, PageMode, Tag};

pub const ORDER: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

pub fn order() -> OrderId {
    ORDER.parse().unwrap()
}

pub fn at(seconds: i64) -> DateTime<Utc> {
    Utc.timestamp_opt(seconds, 0).unwrap()
}

pub fn c(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

pub fn tag_of(tag: &Tag) -> Value {
    json!({"order": tag.order.to_string(), "purpose": tag.purpose, "attempt": tag.attempt.to_string()})
}

pub fn new_page(currency: Currency, unit_amount: i64) -> NewPage {
    NewPage {
        tag: Tag::payment(order(), PaymentKind::Join, 2),
        mode: PageMode::Pay,
        currency,
        lines: vec![
            PageLine {
                name: "Kit & Wärme <b>".to_owned(),
                unit_amount,
                quantity: 3,
            },
            PageLine {
                name: "Shipping".to_owned(),
                unit_amount,
                quantity: 1,
            },
        ],
        email: "ada+1@example.com".to_owned(),
        expires_at: at(1_800_001_860),
        success_url: "https://shop.example/o/1?t=a&paid=1".to_owned(),
        cancel_url: "https://shop.example/o/1?t=a".to_owned(),
    }
}

pub fn new_charge(currency: Currency, amount: i64) -> NewCharge {
    NewCharge {
        tag: Tag::payment(order(), PaymentKind::Charge, 3),
        currency,
        amount,
        customer: "cus_1".to_owned(),
        method: "pm_1".to_owned(),
        description: "Brass pen, order 1042".to_owned(),
    }
}

pub fn new_refund(currency: Currency, amount: i64) -> NewRefund {
    NewRefund {
        tag: Tag::refund(
            order(),
            RefundId::new(),
            crate::domain::payment::RefundPurpose::Missed,
            1,
        ),
        intent: "pi_1".to_owned(),
        currency,
        amount,
    }
}

pub fn form(asked: &Asked) -> Vec<(&str, &str)> {
    asked
        .form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}
