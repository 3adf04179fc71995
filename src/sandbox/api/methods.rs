//! PaymentMethods: cards, saved for a customer or not.

use serde_json::{Value, json};

use super::super::books::{Books, new_id, number, text};
use super::super::cards::{self, Charge};
use super::super::errors::{Refusal, Reply};
use super::super::form::Form;
use super::super::store::{self, Filter, Record};
use super::{bodies, list_of, page};

/// A card as it was typed.
pub struct Typed<'a> {
    /// Digits only.
    pub number: &'a str,
    /// 1 to 12.
    pub month: i64,
    /// Four digits.
    pub year: i64,
}

/// The expiry of a card whose holder was not asked for one: always some years away.
pub fn far_expiry(b: &Books) -> (i64, i64) {
    (12, year_of(b.now) + 4)
}

/// The year of a moment, near enough for cards.
pub fn year_of(unix: i64) -> i64 {
    use chrono::Datelike;
    chrono::DateTime::from_timestamp(unix, 0).map_or(2030, |t| i64::from(t.year()))
}

/// Whether the month that stands on a card is over.
pub fn is_over(b: &Books, method: &Record) -> bool {
    use chrono::Datelike;
    let Some(now) = chrono::DateTime::from_timestamp(b.now, 0) else {
        return false;
    };
    let card = &method.body["card"];
    (number(card, "exp_year"), number(card, "exp_month"))
        < (i64::from(now.year()), i64::from(now.month()))
}

/// Keeps a new card.
pub fn make(b: &mut Books, card: &Typed, billing: Value) -> Reply<Record> {
    let id = new_id("pm_1", 23);
    let last4: String = card
        .number
        .chars()
        .skip(card.number.len().saturating_sub(4))
        .collect();
    let body = json!({
        "id": id,
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": {
            "address": billing.get("address").cloned().unwrap_or_else(no_address),
            "email": billing.get("email"), "name": billing.get("name"), "phone": billing.get("phone"), "tax_id": null,
        },
        "card": {
            "brand": "visa",
            "checks": { "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass" },
            "country": "US",
            "display_brand": "visa",
            "exp_month": card.month,
            "exp_year": card.year,
            // The same for the same number, as a shop would see it.
            "fingerprint": format!("sandbox{last4}card0"),
            "funding": "credit",
            "generated_from": null,
            "last4": last4,
            "networks": { "available": ["visa"], "preferred": null },
            "regulated_status": "unregulated",
            "three_d_secure_usage": { "supported": true },
            "wallet": null,
        },
        "created": b.now,
        "customer": null,
        "customer_account": null,
        "livemode": false,
        "metadata": {},
        "type": "card",
    });
    let mut r = b.record("payment_method", id, body);
    r.hidden = json!({ "number": card.number });
    b.insert(&r)?;
    Ok(r)
}

fn no_address() -> Value {
    json!({ "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null })
}

/// A payment method by id; Stripe's ready-made names (`pm_card_visa`) make a new one.
pub fn named(b: &mut Books, id: &str) -> Reply<Record> {
    if let Some(card) = cards::by_alias(id) {
        let (month, year) = far_expiry(b);
        return make(
            b,
            &Typed {
                number: card.number,
                month,
                year,
            },
            json!({}),
        );
    }
    b.refer("payment_method", id, "payment_method")
}

/// `POST /v1/payment_methods`, for cards.
pub fn create(b: &mut Books, mut form: Form) -> Reply {
    form.choice("type", &["card"])?
        .ok_or_else(|| form.missing("type"))?;
    let mut card = form.object("card")?.ok_or_else(|| form.missing("card"))?;
    let number: String = card
        .need_text("number")?
        .chars()
        .filter(|c| !matches!(c, ' ' | '-'))
        .collect();
    let month = card
        .integer("exp_month")?
        .ok_or_else(|| card.missing("exp_month"))?;
    let year = card
        .integer("exp_year")?
        .ok_or_else(|| card.missing("exp_year"))?;
    card.text("cvc")?;
    card.finish()?;
    let mut billing = json!({});
    if let Some(mut given) = form.object("billing_details")? {
        for field in ["email", "name", "phone"] {
            billing[field] = json!(given.text(field)?);
        }
        if let Some(mut address) = given.object("address")? {
            billing["address"] = no_address();
            for field in ["city", "country", "line1", "line2", "postal_code", "state"] {
                billing["address"][field] = json!(address.text(field)?);
            }
            address.finish()?;
        }
        given.finish()?;
    }
    let metadata = form.metadata("metadata")?.unwrap_or_default();
    form.finish()?;
    if !(1..=12).contains(&month) {
        let refusal = Refusal::card(
            "invalid_expiry_month",
            None,
            "Your card's expiration month is invalid.",
        );
        return Err(refusal.param("exp_month").into());
    }
    if year < year_of(b.now) || year > year_of(b.now) + 50 {
        let refusal = Refusal::card(
            "invalid_expiry_year",
            None,
            "Your card's expiration year is invalid.",
        );
        return Err(refusal.param("exp_year").into());
    }
    let card = cards::look_up(&number)?;
    let mut r = make(
        b,
        &Typed {
            number: card.number,
            month,
            year,
        },
        billing,
    )?;
    r.body["metadata"] = Value::Object(metadata);
    b.save(&r)?;
    Ok(r.body)
}

/// `POST /v1/payment_methods/{id}/attach`.
pub fn attach(b: &mut Books, id: &str, mut form: Form) -> Reply {
    let customer = form.need_text("customer")?;
    form.finish()?;
    let mut r = named(b, id)?;
    b.refer("customer", &customer, "customer")?;
    if let Some(owner) = &r.customer {
        if *owner == customer {
            return Ok(r.body);
        }
        let message = "The payment method you provided has already been attached to a customer.";
        return Err(Refusal::invalid(message)
            .code("payment_method_unexpected_state")
            .into());
    }
    super::payments::usable(&r, None)?;
    let card = cards::look_up(text(&r.hidden, "number"))?;
    if let (false, Charge::Declined(no)) = (card.saves, card.charge) {
        return Err(no.refusal().into());
    }
    attach_to(b, &mut r, &customer)?;
    Ok(r.body)
}

/// The card is saved for a customer.
pub fn attach_to(b: &mut Books, r: &mut Record, customer: &str) -> Reply<()> {
    r.customer = Some(customer.into());
    r.body["customer"] = json!(customer);
    b.save(r)?;
    b.event("payment_method.attached", &r.body)?;
    Ok(())
}

/// `POST /v1/payment_methods/{id}/detach`: for good.
pub fn detach(b: &mut Books, id: &str, form: Form) -> Reply {
    form.finish()?;
    let mut r = b.get("payment_method", id, "payment_method")?;
    let Some(customer) = r.customer.take() else {
        let message = "The payment method you provided is not attached to a customer so detachment is impossible.";
        return Err(Refusal::invalid(message)
            .code("payment_method_unexpected_state")
            .into());
    };
    r.body["customer"] = Value::Null;
    r.hidden["spent"] = json!(true);
    b.save(&r)?;
    b.event_with(
        "payment_method.detached",
        &r.body,
        Some(json!({ "customer": customer })),
    )?;
    Ok(r.body)
}

/// `GET /v1/customers/{id}/payment_methods`.
pub fn list_of_customer(b: &mut Books, id: &str, mut form: Form) -> Reply {
    let page = page(&mut form)?;
    form.choice("type", &["card"])?;
    form.finish()?;
    b.get("customer", id, "customer")?;
    let filter = Filter {
        customer: Some(id.into()),
        ..Filter::default()
    };
    let (rows, more) = store::list(b.conn, "payment_method", &filter, &page)?;
    Ok(list_of(
        bodies(rows),
        more,
        &format!("/v1/customers/{id}/payment_methods"),
    ))
}
