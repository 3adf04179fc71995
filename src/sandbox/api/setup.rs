//! SetupIntents: a card saved without a payment.

use serde_json::{Value, json};

use super::super::books::{Books, new_id, text, text_or_none};
use super::super::cards::{self, Asks, Charge};
use super::super::errors::{Refusal, Reply};
use super::super::form::Form;
use super::super::store::Record;
use super::payments::{self, Present, Try};
use super::{intents, methods};

/// Keeps a new setup intent and tells of it.
pub fn make(
    b: &mut Books,
    customer: Option<String>,
    description: Option<String>,
    metadata: Value,
    usage: &str,
) -> Reply<Record> {
    let id = new_id("seti_1", 23);
    let secret = format!("{id}_secret_{}", new_id("", 25));
    let body = json!({
        "id": id,
        "object": "setup_intent",
        "application": null,
        "automatic_payment_methods": null,
        "cancellation_reason": null,
        "client_secret": secret,
        "created": b.now,
        "customer": customer,
        "customer_account": null,
        "description": description,
        "excluded_payment_method_types": null,
        "flow_directions": null,
        "last_setup_error": null,
        "latest_attempt": null,
        "livemode": false,
        "mandate": null,
        "metadata": if metadata.is_object() { metadata } else { json!({}) },
        "next_action": null,
        "on_behalf_of": null,
        "payment_method": null,
        "payment_method_configuration_details": null,
        "payment_method_options": {
            "card": { "mandate_options": null, "network": null, "request_three_d_secure": "automatic" },
        },
        "payment_method_types": ["card"],
        "single_use_mandate": null,
        "status": "requires_payment_method",
        "usage": usage,
    });
    let mut r = b.record("setup_intent", id, body);
    r.customer = customer;
    r.tag = Some("requires_payment_method".into());
    b.insert(&r)?;
    b.event("setup_intent.created", &r.body)?;
    Ok(r)
}

/// `POST /v1/setup_intents`.
pub fn create(b: &mut Books, mut form: Form) -> Reply {
    let customer = form.text("customer")?;
    if let Some(id) = &customer {
        b.refer("customer", id, "customer")?;
    }
    let description = form.text("description")?;
    let metadata = Value::Object(form.metadata("metadata")?.unwrap_or_default());
    let usage = form.choice("usage", &["off_session", "on_session"])?;
    let confirm = form.boolean("confirm")?.unwrap_or(false);
    let method = method(b, &mut form)?;
    let return_url = form.address("return_url")?;
    form.texts("payment_method_types")?;
    form.without_effect(&[
        "automatic_payment_methods",
        "mandate_data",
        "payment_method_options",
        "use_stripe_sdk",
    ]);
    form.finish()?;
    if let Some(m) = &method {
        payments::usable(m, customer.as_deref())?;
    }
    let usage = usage.unwrap_or_else(|| "off_session".into());
    let mut r = make(b, customer, description, metadata, &usage)?;
    if let Some(m) = &method {
        r.body["payment_method"] = json!(m.id);
        intents::set_status(&mut r, "requires_confirmation");
        b.save(&r)?;
    }
    if confirm {
        attempt(b, r, return_url.as_deref())
    } else {
        Ok(r.body)
    }
}

fn method(b: &mut Books, form: &mut Form) -> Reply<Option<Record>> {
    match form.text("payment_method")? {
        Some(id) => Ok(Some(methods::named(b, &id)?)),
        None => Ok(None),
    }
}

/// `GET /v1/setup_intents/{id}`.
pub fn retrieve(b: &mut Books, id: &str, mut form: Form) -> Reply {
    form.text("client_secret")?;
    form.finish()?;
    Ok(b.get("setup_intent", id, "intent")?.body)
}

/// `POST /v1/setup_intents/{id}/confirm`.
pub fn confirm(b: &mut Books, id: &str, mut form: Form) -> Reply {
    let mut r = b.get("setup_intent", id, "intent")?;
    let method = method(b, &mut form)?;
    let return_url = form.address("return_url")?;
    form.without_effect(&[
        "client_secret",
        "mandate_data",
        "payment_method_options",
        "use_stripe_sdk",
    ]);
    form.finish()?;
    if matches!(text(&r.body, "status"), "succeeded" | "canceled") {
        return Err(unexpected(&r));
    }
    if let Some(m) = &method {
        payments::usable(m, text_or_none(&r.body, "customer").as_deref())?;
        r.body["payment_method"] = json!(m.id);
    }
    attempt(b, r, return_url.as_deref())
}

fn unexpected(r: &Record) -> super::super::errors::Failure {
    let message = format!(
        "You cannot do this with a SetupIntent that has a status of {}.",
        text(&r.body, "status")
    );
    let mut refusal = Refusal::invalid(message).code("setup_intent_unexpected_state");
    refusal.with.insert("setup_intent".into(), r.body.clone());
    refusal.into()
}

fn attempt(b: &mut Books, mut r: Record, return_url: Option<&str>) -> Reply {
    let Some(id) = text_or_none(&r.body, "payment_method") else {
        let message = "You cannot confirm this SetupIntent because it's missing a payment method.";
        return Err(Refusal::invalid(message)
            .code("setup_intent_unexpected_state")
            .into());
    };
    let mut method = b.refer("payment_method", &id, "payment_method")?;
    match save(b, &mut r, &mut method, Present::Unasked)? {
        Try::Paid => Ok(r.body),
        Try::Declined(refusal) => Err((*refusal).into()),
        Try::Asks => {
            ask(b, &mut r, return_url)?;
            Ok(r.body)
        }
    }
}

/// The intent waits for the card's holder.
pub fn ask(b: &mut Books, r: &mut Record, return_url: Option<&str>) -> Reply<()> {
    intents::set_status(r, "requires_action");
    let url = format!("{}/sandbox/authenticate/{}", b.public_url, r.id);
    r.body["next_action"] = json!({
        "type": "redirect_to_url", "redirect_to_url": { "return_url": return_url, "url": url },
    });
    b.save(r)?;
    b.event("setup_intent.requires_action", &r.body)?;
    Ok(())
}

/// Tries to save a card.
pub fn save(b: &mut Books, r: &mut Record, method: &mut Record, present: Present) -> Reply<Try> {
    let refusal = match cards::look_up(text(&method.hidden, "number")) {
        Err(refusal) => Some(*refusal),
        Ok(card) => match (card.asks, present, card.charge) {
            (Asks::Never, _, Charge::Declined(no)) if !card.saves => Some(no.refusal()),
            (Asks::Never, ..) => None,
            (_, Present::Yes, _) => None,
            (_, Present::No, _) => Some(Refusal::card(
                "setup_intent_authentication_failure",
                None,
                cards::NOT_AUTHENTICATED,
            )),
            _ => return Ok(Try::Asks),
        },
    };
    if let Some(mut refusal) = refusal {
        intents::set_status(r, "requires_payment_method");
        r.body["payment_method"] = Value::Null;
        r.body["next_action"] = Value::Null;
        r.body["last_setup_error"] = refusal.body()["error"].take();
        b.save(r)?;
        b.event("setup_intent.setup_failed", &r.body)?;
        refusal.with.insert("setup_intent".into(), r.body.clone());
        return Ok(Try::Declined(Box::new(refusal)));
    }
    intents::set_status(r, "succeeded");
    r.body["payment_method"] = json!(method.id);
    r.body["next_action"] = Value::Null;
    r.body["last_setup_error"] = Value::Null;
    b.save(r)?;
    method.hidden["set_up"] = json!(true);
    match (text_or_none(&r.body, "customer"), &method.customer) {
        (Some(customer), None) => methods::attach_to(b, method, &customer)?,
        _ => b.save(method)?,
    }
    b.event("setup_intent.succeeded", &r.body)?;
    Ok(Try::Paid)
}

/// `POST /v1/setup_intents/{id}/cancel`.
pub fn cancel(b: &mut Books, id: &str, mut form: Form) -> Reply {
    let words = ["abandoned", "duplicate", "requested_by_customer"];
    let reason = form.choice("cancellation_reason", &words)?;
    form.finish()?;
    let mut r = b.get("setup_intent", id, "intent")?;
    if matches!(text(&r.body, "status"), "succeeded" | "canceled") {
        return Err(unexpected(&r));
    }
    cancel_now(b, &mut r, reason.as_deref())?;
    Ok(r.body)
}

/// The intent ends without a card.
pub fn cancel_now(b: &mut Books, r: &mut Record, reason: Option<&str>) -> Reply<()> {
    intents::set_status(r, "canceled");
    r.body["cancellation_reason"] = json!(reason);
    r.body["next_action"] = Value::Null;
    b.save(r)?;
    b.event("setup_intent.canceled", &r.body)?;
    Ok(())
}
