//! PaymentIntents: create, retrieve, update, confirm, cancel.

use serde_json::{Value, json};

use super::super::books::{Books, new_id, number, text};
use super::super::errors::{Refusal, Reply};
use super::super::form::Form;
use super::super::store::Record;
use super::payments::{self, Present, Try};
use super::{amount, currency, merge_metadata, methods};

/// What a new intent is made of.
#[derive(Default)]
pub struct New {
    /// Minor units.
    pub amount: i64,
    /// Lower case.
    pub currency: String,
    /// Whom the card is saved for.
    pub customer: Option<String>,
    /// For the merchant.
    pub description: Option<String>,
    /// The merchant's own.
    pub metadata: Value,
    /// Where the receipt goes.
    pub receipt_email: Option<String>,
    /// Whether the card is saved, and for what.
    pub setup_future_usage: Option<String>,
}

/// Keeps a new intent and tells of it.
pub fn make(b: &mut Books, new: New) -> Reply<Record> {
    let id = new_id("pi_3", 23);
    let secret = format!("{id}_secret_{}", new_id("", 25));
    let mut body = json!({
        "id": id,
        "object": "payment_intent",
        "amount": new.amount,
        "amount_capturable": 0,
        "amount_details": { "tip": {} },
        "amount_received": 0,
        "capture_method": "automatic_async",
        "client_secret": secret,
        "confirmation_method": "automatic",
        "created": b.now,
        "currency": new.currency,
        "customer": new.customer,
        "description": new.description,
        "livemode": false,
        "metadata": if new.metadata.is_object() { new.metadata } else { json!({}) },
        "payment_method_options": {
            "card": { "installments": null, "mandate_options": null, "network": null, "request_three_d_secure": "automatic" },
        },
        "payment_method_types": ["card"],
        "receipt_email": new.receipt_email,
        "setup_future_usage": new.setup_future_usage,
        "status": "requires_payment_method",
    });
    super::add_nulls(&mut body, &INTENT_NULLS);
    let mut r = b.record("payment_intent", id, body);
    r.customer = new.customer;
    r.tag = Some("requires_payment_method".into());
    b.insert(&r)?;
    b.event("payment_intent.created", &r.body)?;
    Ok(r)
}

/// Parameters that change nothing for a card in the sandbox.
const WITHOUT_EFFECT: [&str; 7] = [
    "mandate_data",
    "payment_method_options",
    "radar_options",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_group",
    "use_stripe_sdk",
];

/// `POST /v1/payment_intents`.
pub fn create(b: &mut Books, mut form: Form) -> Reply {
    let given = form
        .integer("amount")?
        .ok_or_else(|| form.missing("amount"))?;
    let amount = amount(given, "amount")?;
    let currency = currency(&form.need_text("currency")?, "currency")?;
    let customer = form.text("customer")?;
    if let Some(id) = &customer {
        b.refer("customer", id, "customer")?;
    }
    let receipt_email = form.text("receipt_email")?;
    if let Some(address) = &receipt_email {
        super::email(address, "receipt_email")?;
    }
    let description = form.text("description")?;
    let metadata = Value::Object(form.metadata("metadata")?.unwrap_or_default());
    let usage = form.choice("setup_future_usage", &["off_session", "on_session"])?;
    form.choice("capture_method", &["automatic", "automatic_async"])?;
    form.choice("confirmation_method", &["automatic"])?;
    for kind in form.texts("payment_method_types")? {
        if kind != "card" {
            let message = format!("The payment method type \"{kind}\" is invalid.");
            return Err(Refusal::invalid(message)
                .param("payment_method_types")
                .into());
        }
    }
    let automatic = form.object("automatic_payment_methods")?;
    let confirm = form.boolean("confirm")?.unwrap_or(false);
    let how = how(b, &mut form, confirm)?;
    form.finish()?;
    if let Some(method) = &how.method {
        payments::usable(method, customer.as_deref())?;
    }

    let new = New {
        amount,
        currency,
        customer,
        description,
        metadata,
        receipt_email,
        setup_future_usage: usage,
    };
    let mut r = make(b, new)?;
    if automatic.is_some() {
        r.body["automatic_payment_methods"] =
            json!({ "allow_redirects": "always", "enabled": true });
    }
    choose(&mut r, how.method.as_ref());
    b.save(&r)?;
    if confirm {
        attempt(b, r, how)
    } else {
        Ok(r.body)
    }
}

/// How a confirmation is meant.
struct How {
    method: Option<Record>,
    off_session: bool,
    error_on_action: bool,
    return_url: Option<String>,
}

fn how(b: &mut Books, form: &mut Form, confirms: bool) -> Reply<How> {
    let off_session = match form.text("off_session")?.as_deref() {
        None | Some("false") => false,
        Some("true" | "one_off" | "recurring") => true,
        Some(_) => {
            return Err(Refusal::invalid("Invalid off_session")
                .param("off_session")
                .into());
        }
    };
    if off_session && !confirms {
        let message = "You can only set `off_session` when `confirm=true`.";
        return Err(Refusal::invalid(message).param("off_session").into());
    }
    let error_on_action = form.boolean("error_on_requires_action")?.unwrap_or(false);
    let return_url = form.address("return_url")?;
    let method = match form.text("payment_method")? {
        Some(id) => Some(methods::named(b, &id)?),
        None => None,
    };
    form.without_effect(&WITHOUT_EFFECT);
    Ok(How {
        method,
        off_session,
        error_on_action,
        return_url,
    })
}

/// The method stands on the intent.
fn choose(r: &mut Record, method: Option<&Record>) {
    if let Some(method) = method {
        r.body["payment_method"] = json!(method.id);
        set_status(r, "requires_confirmation");
    }
}

/// Changes the state, in the answer and for lists.
pub fn set_status(r: &mut Record, status: &str) {
    r.body["status"] = json!(status);
    r.tag = Some(status.into());
}

/// `GET /v1/payment_intents/{id}`.
pub fn retrieve(b: &mut Books, id: &str, mut form: Form) -> Reply {
    form.text("client_secret")?;
    form.finish()?;
    Ok(b.get("payment_intent", id, "intent")?.body)
}

/// `POST /v1/payment_intents/{id}`: description and metadata; the amount while nothing is paid.
pub fn update(b: &mut Books, id: &str, mut form: Form) -> Reply {
    let mut r = b.get("payment_intent", id, "intent")?;
    let metadata = form.metadata("metadata")?;
    let description = form.text("description")?;
    let given = form.integer("amount")?;
    form.finish()?;
    if let Some(given) = given {
        let given = amount(given, "amount")?;
        if matches!(text(&r.body, "status"), "succeeded" | "canceled") {
            return Err(unexpected(&r, "updated"));
        }
        r.body["amount"] = json!(given);
    }
    if let Some(description) = description {
        r.body["description"] = json!(description);
    }
    merge_metadata(&mut r.body, metadata);
    b.save(&r)?;
    Ok(r.body)
}

fn unexpected(r: &Record, deed: &str) -> super::super::errors::Failure {
    let message = format!(
        "This PaymentIntent could not be {deed} because it has a status of {}.",
        text(&r.body, "status")
    );
    let mut refusal = Refusal::invalid(message).code("payment_intent_unexpected_state");
    refusal.with.insert("payment_intent".into(), r.body.clone());
    refusal.into()
}

/// `POST /v1/payment_intents/{id}/confirm`.
pub fn confirm(b: &mut Books, id: &str, mut form: Form) -> Reply {
    let mut r = b.get("payment_intent", id, "intent")?;
    let how = how(b, &mut form, true)?;
    let usage = form.choice("setup_future_usage", &["off_session", "on_session"])?;
    form.text("client_secret")?;
    form.choice("capture_method", &["automatic", "automatic_async"])?;
    form.text("receipt_email")?;
    form.finish()?;
    let status = text(&r.body, "status");
    if !matches!(
        status,
        "requires_payment_method" | "requires_confirmation" | "requires_action"
    ) {
        return Err(unexpected(&r, "confirmed"));
    }
    if let Some(method) = &how.method {
        let customer = super::super::books::text_or_none(&r.body, "customer");
        payments::usable(method, customer.as_deref())?;
    }
    if let Some(usage) = usage {
        r.body["setup_future_usage"] = json!(usage);
    }
    choose(&mut r, how.method.as_ref());
    attempt(b, r, how)
}

fn attempt(b: &mut Books, mut r: Record, how: How) -> Reply {
    let Some(id) = super::super::books::text_or_none(&r.body, "payment_method") else {
        let message =
            "You cannot confirm this PaymentIntent because it's missing a payment method.";
        let mut refusal = Refusal::invalid(message).code("payment_intent_unexpected_state");
        refusal.with.insert("payment_intent".into(), r.body.clone());
        return Err(refusal.into());
    };
    let mut method = b.refer("payment_method", &id, "payment_method")?;
    let present = if how.off_session {
        Present::Away
    } else {
        Present::Unasked
    };
    match payments::charge(b, &mut r, &mut method, present)? {
        Try::Paid => Ok(r.body),
        Try::Declined(refusal) => Err((*refusal).into()),
        Try::Asks if how.error_on_action => {
            let refusal = super::super::cards::AUTHENTICATION_REQUIRED.refusal();
            let refusal = payments::decline(b, &mut r, &mut method, refusal)?;
            Err((*refusal).into())
        }
        Try::Asks => {
            payments::ask(b, &mut r, how.return_url.as_deref())?;
            Ok(r.body)
        }
    }
}

/// `POST /v1/payment_intents/{id}/cancel`.
pub fn cancel(b: &mut Books, id: &str, mut form: Form) -> Reply {
    let words = [
        "abandoned",
        "duplicate",
        "fraudulent",
        "requested_by_customer",
    ];
    let reason = form.choice("cancellation_reason", &words)?;
    form.finish()?;
    let mut r = b.get("payment_intent", id, "intent")?;
    let status = text(&r.body, "status");
    if matches!(status, "succeeded" | "canceled") {
        let message = format!(
            "You cannot cancel this PaymentIntent because it has a status of {status}. Only a PaymentIntent with one of \
             the following statuses may be canceled: requires_payment_method, requires_capture, requires_reauthorization, \
             requires_confirmation, requires_action, processing."
        );
        let mut refusal = Refusal::invalid(message).code("payment_intent_unexpected_state");
        refusal.with.insert("payment_intent".into(), r.body.clone());
        return Err(refusal.into());
    }
    cancel_now(b, &mut r, reason.as_deref())?;
    Ok(r.body)
}

/// The intent ends without money.
pub fn cancel_now(b: &mut Books, r: &mut Record, reason: Option<&str>) -> Reply<()> {
    set_status(r, "canceled");
    r.body["canceled_at"] = json!(b.now);
    r.body["cancellation_reason"] = json!(reason);
    r.body["next_action"] = Value::Null;
    b.save(r)?;
    b.event("payment_intent.canceled", &r.body)?;
    Ok(())
}

/// What the intent asks for, in minor units.
pub fn amount_of(r: &Record) -> i64 {
    number(&r.body, "amount")
}

/// Fields that the object has and that are null here.
const INTENT_NULLS: [&str; 20] = [
    "application",
    "application_fee_amount",
    "automatic_payment_methods",
    "canceled_at",
    "cancellation_reason",
    "customer_account",
    "excluded_payment_method_types",
    "last_payment_error",
    "latest_charge",
    "next_action",
    "on_behalf_of",
    "payment_method",
    "payment_method_configuration_details",
    "processing",
    "review",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
];
