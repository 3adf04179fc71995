//! Webhook endpoints: where events are delivered. One belongs to the program beside the sandbox; others can be added.

use serde_json::{Value, json};

use super::super::books::{API_VERSION, Books, new_id};
use super::super::errors::{Refusal, Reply};
use super::super::form::Form;
use super::super::store::{self, Record};
use super::merge_metadata;

/// The id of the endpoint that belongs to the program itself.
pub const OWN: &str = "we_sandbox";

/// The most endpoints, as at Stripe.
const MOST: usize = 16;

/// A new endpoint; its secret is in `hidden`, and told once.
pub fn new(b: &Books, id: String, url: &str, events: &[String], secret: &str) -> Record {
    let body = json!({
        "id": id,
        "object": "webhook_endpoint",
        "api_version": API_VERSION,
        "application": null,
        "created": b.now,
        "description": null,
        "enabled_events": events,
        "livemode": false,
        "metadata": {},
        "status": "enabled",
        "url": url,
    });
    let mut r = b.record("webhook_endpoint", id, body);
    r.tag = Some("enabled".into());
    r.hidden = json!({ "secret": secret });
    r
}

/// `POST /v1/webhook_endpoints`.
pub fn create(b: &mut Books, mut form: Form) -> Reply {
    let url = form.address("url")?.ok_or_else(|| form.missing("url"))?;
    let events = form.texts("enabled_events")?;
    if events.is_empty() {
        return Err(form.missing("enabled_events"));
    }
    let description = form.text("description")?;
    let metadata = form.metadata("metadata")?;
    form.choice("api_version", &[API_VERSION])?;
    form.finish()?;
    if b.all("webhook_endpoint", &store::Filter::default())?.len() >= MOST {
        let message = "You have reached the maximum of 16 test webhook endpoints.";
        return Err(Refusal::invalid(message).into());
    }
    let secret = new_id("whsec_", 32);
    let mut r = new(b, new_id("we_1", 23), &url, &events, &secret);
    r.body["description"] = json!(description);
    merge_metadata(&mut r.body, metadata);
    b.insert(&r)?;
    let mut told = r.body;
    told["secret"] = json!(secret);
    Ok(told)
}

/// `POST /v1/webhook_endpoints/{id}`.
pub fn update(b: &mut Books, id: &str, mut form: Form) -> Reply {
    let url = form.address("url")?;
    let events = form.texts("enabled_events")?;
    let disabled = form.boolean("disabled")?;
    let description = form.text("description")?;
    let metadata = form.metadata("metadata")?;
    form.finish()?;
    let mut r = b.get("webhook_endpoint", id, "webhook_endpoint")?;
    if let Some(url) = url {
        r.body["url"] = json!(url);
    }
    if !events.is_empty() {
        r.body["enabled_events"] = json!(events);
    }
    if let Some(disabled) = disabled {
        let status = if disabled { "disabled" } else { "enabled" };
        r.body["status"] = json!(status);
        r.tag = Some(status.into());
    }
    if description.is_some() {
        r.body["description"] = json!(description);
    }
    merge_metadata(&mut r.body, metadata);
    b.save(&r)?;
    Ok(r.body)
}

/// `DELETE /v1/webhook_endpoints/{id}`.
pub fn delete(b: &mut Books, id: &str) -> Reply {
    let r: Record = b.get("webhook_endpoint", id, "webhook_endpoint")?;
    store::delete(b.conn, &r.id)?;
    Ok::<Value, _>(json!({ "id": r.id, "object": "webhook_endpoint", "deleted": true }))
}
