//! Checkout Sessions: create, retrieve, list, expire, their line items; and what the pay page does to them.

use serde_json::{Map, Value, json};

use super::super::books::{Books, new_id, number, text, text_or_none};
use super::super::errors::{Refusal, Reply};
use super::super::form::Form;
use super::super::store::Record;
use super::{currency, intents, list_of, setup};

/// The shortest and the longest life of a session, in seconds.
pub const LIFE: (i64, i64) = (30 * 60, 24 * 60 * 60);

/// Parameters that a hosted page for cards takes and that change nothing here.
const WITHOUT_EFFECT: [&str; 8] = [
    "allow_promotion_codes",
    "billing_address_collection",
    "custom_text",
    "locale",
    "origin_context",
    "payment_method_options",
    "phone_number_collection",
    "submit_type",
];

/// `POST /v1/checkout/sessions`.
pub fn create(b: &mut Books, mut form: Form) -> Reply {
    let mode = form
        .choice("mode", &["payment", "setup"])?
        .ok_or_else(|| form.missing("mode"))?;
    form.choice("ui_mode", &["hosted_page"])?;
    let success_url = template_address(&mut form, "success_url")?;
    let success_url = success_url.ok_or_else(|| form.missing("success_url"))?;
    let cancel_url = template_address(&mut form, "cancel_url")?;
    let reference = form.text("client_reference_id")?;
    if reference.as_ref().is_some_and(|r| r.chars().count() > 200) {
        let message = "Invalid string: must be at most 200 characters";
        return Err(Refusal::invalid(message)
            .param("client_reference_id")
            .into());
    }
    let metadata = form.metadata("metadata")?.unwrap_or_default();
    let (customer, email) = payer(b, &mut form)?;
    let creation = form.choice("customer_creation", &["always", "if_required"])?;
    cards_only(&mut form)?;
    let expires_at = expiry(b, &mut form)?;
    let asked_currency = form.text("currency")?;
    let lines = lines(b, &mut form, &mode)?;
    let total: i64 = lines.iter().map(|l| number(l, "amount_total")).sum();
    if mode == "payment" && total <= 0 {
        let message = "The Checkout Session's total amount due must be greater than 0.";
        return Err(Refusal::invalid(message)
            .code("amount_too_small")
            .param("line_items")
            .into());
    }
    let line_currency = lines.first().map(|l| text(l, "currency").to_string());
    let currency = match (line_currency, asked_currency) {
        (Some(c), _) => Some(c),
        (None, Some(c)) => Some(currency(&c, "currency")?),
        (None, None) => None,
    };
    let intent = intent_data(&mut form, &mode)?;
    form.without_effect(&WITHOUT_EFFECT);
    form.finish()?;

    let id = new_id("cs_test_a1", 58);
    let paying = mode == "payment";
    let mut body = json!({
        "id": id,
        "object": "checkout.session",
        "adaptive_pricing": { "enabled": false },
        "amount_subtotal": paying.then_some(total),
        "amount_total": paying.then_some(total),
        "automatic_tax": { "enabled": false, "liability": null, "provider": null, "status": null },
        "branding_settings": {
            "background_color": "#f2f5f4", "border_style": "rounded", "button_color": "#0a4f57",
            "display_name": "muster", "font_family": "default", "icon": null, "logo": null,
        },
        "cancel_url": cancel_url,
        "client_reference_id": reference,
        "created": b.now,
        "currency": currency,
        "custom_fields": [],
        "custom_text": { "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null },
        "customer": customer,
        "customer_creation": creation.unwrap_or_else(|| "if_required".into()),
        "customer_email": email,
        "discounts": [],
        "excluded_payment_method_types": [],
        "expires_at": expires_at,
        "livemode": false,
        "metadata": metadata,
        "mode": mode,
        "payment_method_collection": "always",
        "payment_method_options": { "card": { "request_three_d_secure": "automatic" } },
        "payment_method_types": ["card"],
        "payment_status": if paying { "unpaid" } else { "no_payment_required" },
        "phone_number_collection": { "enabled": false },
        "redirect_on_completion": "always",
        "shipping_options": [],
        "status": "open",
        "success_url": success_url,
        "total_details": paying.then(|| json!({ "amount_discount": 0, "amount_shipping": 0, "amount_tax": 0 })),
        "ui_mode": "hosted_page",
        "url": format!("{}/sandbox/pay/{id}", b.public_url),
    });
    super::add_nulls(&mut body, &SESSION_NULLS);
    let mut r = b.record("checkout.session", id, body);
    r.customer = customer;
    r.tag = Some("open".into());
    r.due_at = Some(expires_at);
    r.hidden = json!({ "lines": lines, "intent": intent });
    b.insert(&r)?;
    Ok(r.body)
}

/// An address that may hold `{CHECKOUT_SESSION_ID}`.
fn template_address(form: &mut Form, field: &str) -> Reply<Option<String>> {
    let Some(address) = form.text(field)? else {
        return Ok(None);
    };
    match url::Url::parse(&address.replace("{CHECKOUT_SESSION_ID}", "cs")) {
        Ok(u) if matches!(u.scheme(), "http" | "https") => Ok(Some(address)),
        _ => Err(Refusal::invalid("Not a valid URL")
            .code("url_invalid")
            .param(field)
            .into()),
    }
}

fn payer(b: &mut Books, form: &mut Form) -> Reply<(Option<String>, Option<String>)> {
    let customer = form.text("customer")?;
    let email = form.text("customer_email")?;
    if customer.is_some() && email.is_some() {
        let message = "You may only specify one of these parameters: customer, customer_email.";
        return Err(Refusal::invalid(message).into());
    }
    if let Some(id) = &customer {
        b.refer("customer", id, "customer")?;
    }
    if let Some(email) = &email {
        super::email(email, "customer_email")?;
    }
    Ok((customer, email))
}

fn cards_only(form: &mut Form) -> Reply<()> {
    for kind in form.texts("payment_method_types")? {
        if kind != "card" {
            let message = format!(
                "The payment method type \"{kind}\" is invalid: this account takes cards only."
            );
            return Err(Refusal::invalid(message)
                .param("payment_method_types")
                .into());
        }
    }
    Ok(())
}

fn expiry(b: &Books, form: &mut Form) -> Reply<i64> {
    let at = form.integer("expires_at")?.unwrap_or(b.now + LIFE.1);
    let wrong = |words: &str| {
        let message =
            format!("The `expires_at` timestamp must be {words} from Checkout Session creation.");
        Err(Refusal::invalid(message).param("expires_at").into())
    };
    if at < b.now + LIFE.0 {
        return wrong("at least 30 minutes");
    }
    if at > b.now + LIFE.1 {
        return wrong("less than 24 hours");
    }
    Ok(at)
}

/// What the intent gets when the page is paid.
fn intent_data(form: &mut Form, mode: &str) -> Reply {
    let field = if mode == "payment" {
        "payment_intent_data"
    } else {
        "setup_intent_data"
    };
    let Some(mut data) = form.object(field)? else {
        return Ok(json!({}));
    };
    let mut out = Map::new();
    out.insert(
        "metadata".into(),
        Value::Object(data.metadata("metadata")?.unwrap_or_default()),
    );
    out.insert("description".into(), json!(data.text("description")?));
    if mode == "payment" {
        let email = data.text("receipt_email")?;
        out.insert("receipt_email".into(), json!(email));
        let usage = data.choice("setup_future_usage", &["off_session", "on_session"])?;
        out.insert("setup_future_usage".into(), json!(usage));
        out.insert(
            "statement_descriptor_suffix".into(),
            json!(data.text("statement_descriptor_suffix")?),
        );
        out.insert("transfer_group".into(), json!(data.text("transfer_group")?));
        data.choice("capture_method", &["automatic", "automatic_async"])?;
    }
    data.finish()?;
    Ok(Value::Object(out))
}

fn lines(b: &Books, form: &mut Form, mode: &str) -> Reply<Vec<Value>> {
    let given = form.objects("line_items")?;
    if mode == "setup" {
        if !given.is_empty() {
            let message = "You can not pass `line_items` in `setup` mode.";
            return Err(Refusal::invalid(message).param("line_items").into());
        }
        return Ok(Vec::new());
    }
    if given.is_empty() {
        return Err(form.missing("line_items"));
    }
    if given.len() > 100 {
        let message = "You can pass at most 100 line items.";
        return Err(Refusal::invalid(message).param("line_items").into());
    }
    let mut out: Vec<Value> = Vec::with_capacity(given.len());
    for item in given {
        let line = line(b, item)?;
        if out
            .first()
            .is_some_and(|first| first["currency"] != line["currency"])
        {
            let message = "All line items must have the same currency.";
            return Err(Refusal::invalid(message).param("line_items").into());
        }
        out.push(line);
    }
    Ok(out)
}

fn line(b: &Books, mut item: Form) -> Reply {
    if let Some(price) = item.text("price")? {
        let param = item.name_of("price");
        return Err(Refusal::missing("price", &price, &param).status(400).into());
    }
    let quantity = item
        .integer("quantity")?
        .ok_or_else(|| item.missing("quantity"))?;
    if !(1..=999_999).contains(&quantity) {
        let message = "This value must be greater than or equal to 1 and at most 999999.";
        return Err(Refusal::invalid(message)
            .param(item.name_of("quantity"))
            .into());
    }
    let metadata = item.metadata("metadata")?;
    let mut price = item
        .object("price_data")?
        .ok_or_else(|| item.missing("price_data"))?;
    let param = price.name_of("currency");
    let currency = currency(&price.need_text("currency")?, &param)?;
    let unit = price
        .integer("unit_amount")?
        .ok_or_else(|| price.missing("unit_amount"))?;
    if !(0..=99_999_999).contains(&unit) {
        let message = "Invalid unit amount: must be between 0 and 99999999.";
        return Err(Refusal::invalid(message)
            .param(price.name_of("unit_amount"))
            .into());
    }
    let tax = price.choice("tax_behavior", &["exclusive", "inclusive", "unspecified"])?;
    let mut product = price
        .object("product_data")?
        .ok_or_else(|| price.missing("product_data"))?;
    let name = product.need_text("name")?;
    let description = product.text("description")?;
    let images = product.texts("images")?;
    product.metadata("metadata")?;
    product.without_effect(&["tax_code", "unit_label"]);
    product.finish()?;
    price.finish()?;
    item.finish()?;
    let total = unit * quantity;
    Ok(json!({
        "id": new_id("li_1", 23),
        "object": "item",
        "adjustable_quantity": null,
        "amount_discount": 0,
        "amount_subtotal": total,
        "amount_tax": 0,
        "amount_total": total,
        "currency": currency,
        "description": name,
        "discounts": [],
        "metadata": metadata,
        "price": {
            "id": new_id("price_1", 23), "object": "price", "active": false, "billing_scheme": "per_unit",
            "created": b.now, "currency": currency, "custom_unit_amount": null, "livemode": false,
            "lookup_key": null, "metadata": {}, "nickname": null, "product": new_id("prod_", 14),
            "recurring": null, "tax_behavior": tax.unwrap_or_else(|| "unspecified".into()), "tiers_mode": null,
            "transform_quantity": null, "type": "one_time", "unit_amount": unit,
            "unit_amount_decimal": unit.to_string(),
        },
        "quantity": quantity,
        "taxes": [],
        // Only for the pay page; taken out of every answer.
        "shown": { "description": description, "image": images.first() },
    }))
}

/// The items of a session as the API shows them.
pub fn public_lines(r: &Record) -> Vec<Value> {
    let mut lines = r.hidden["lines"].as_array().cloned().unwrap_or_default();
    for line in &mut lines {
        if let Some(line) = line.as_object_mut() {
            line.remove("shown");
        }
    }
    lines
}

/// The list object that stands in `line_items` when it is expanded, and behind its own address.
pub fn line_items(r: &Record) -> Value {
    list_of(
        public_lines(r),
        false,
        &format!("/v1/checkout/sessions/{}/line_items", r.id),
    )
}

/// `POST /v1/checkout/sessions/{id}/expire`.
pub fn expire(b: &mut Books, id: &str, form: Form) -> Reply {
    form.finish()?;
    let mut r = b.get("checkout.session", id, "session")?;
    if text(&r.body, "status") != "open" {
        let message = format!(
            "Only Checkout Sessions with a status in [\"open\"] can be expired. This Checkout Session has a status of \
             `{}`.",
            text(&r.body, "status")
        );
        return Err(Refusal::invalid(message).into());
    }
    close_unpaid(b, &mut r)?;
    Ok(r.body)
}

/// The session ends without payment: on request, or because its time has come. Its intent, if a try made one, is
/// canceled with it.
pub fn close_unpaid(b: &mut Books, r: &mut Record) -> Reply<()> {
    r.body["status"] = json!("expired");
    r.body["url"] = Value::Null;
    r.tag = Some("expired".into());
    r.due_at = None;
    b.save(r)?;
    if let Some(id) = &r.payment_intent {
        let mut intent = b.get("payment_intent", id, "payment_intent")?;
        intents::cancel_now(b, &mut intent, Some("expired"))?;
    }
    if let Some(id) = text_or_none(&r.body, "setup_intent") {
        let mut intent = b.get("setup_intent", &id, "setup_intent")?;
        setup::cancel_now(b, &mut intent, Some("abandoned"))?;
    }
    b.event("checkout.session.expired", &r.body)?;
    Ok(())
}

/// The session is paid, or its card saved.
pub fn complete(b: &mut Books, r: &mut Record, details: Value) -> Reply<()> {
    r.body["status"] = json!("complete");
    if text(&r.body, "mode") == "payment" {
        r.body["payment_status"] = json!("paid");
    }
    r.body["customer_details"] = details;
    r.body["url"] = Value::Null;
    r.tag = Some("complete".into());
    r.due_at = None;
    b.save(r)?;
    b.event("checkout.session.completed", &r.body)?;
    Ok(())
}

/// Fields that the object has and that are null here.
const SESSION_NULLS: [&str; 27] = [
    "after_expiration",
    "allow_promotion_codes",
    "billing_address_collection",
    "client_secret",
    "collected_information",
    "consent",
    "consent_collection",
    "currency_conversion",
    "customer_account",
    "customer_details",
    "integration_identifier",
    "invoice",
    "invoice_creation",
    "locale",
    "origin_context",
    "payment_intent",
    "payment_link",
    "payment_method_configuration_details",
    "permissions",
    "recovered_from",
    "saved_payment_method_options",
    "setup_intent",
    "shipping_address_collection",
    "shipping_cost",
    "submit_type",
    "subscription",
    "wallet_options",
];
