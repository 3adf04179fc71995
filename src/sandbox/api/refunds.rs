//! Refunds: never more than the charge; pending while the balance is short; failing or late where the card says so.

use serde_json::{Value, json};

use super::super::books::{Books, new_id, number, text, text_or_none};
use super::super::cards::{self, Charge};
use super::super::errors::{Refusal, Reply};
use super::super::form::Form;
use super::super::store::Record;
use super::{amount, charges, merge_metadata};

/// How long after its creation a test card's refund fails or succeeds, in seconds.
const LATER: i64 = 3600;

/// `POST /v1/refunds`.
pub fn create(b: &mut Books, mut form: Form) -> Reply {
    let charge_id = form.text("charge")?;
    let intent_id = form.text("payment_intent")?;
    let reason = form.choice(
        "reason",
        &["duplicate", "fraudulent", "requested_by_customer"],
    )?;
    let metadata = form.metadata("metadata")?.unwrap_or_default();
    let given = form.integer("amount")?;
    form.without_effect(&["instructions_email"]);
    form.finish()?;
    let mut charge = charge_of(b, charge_id, intent_id)?;
    let id = charge.id.clone();
    if charge.body["disputed"] == true && charge.hidden["dispute_won"] != true {
        let message = format!("Charge {id} has been charged back; cannot issue a refund.");
        return Err(Refusal::invalid(message).code("charge_disputed").into());
    }
    let left = charges::remaining(&charge);
    if left == 0 {
        let message = format!("Charge {id} has already been refunded.");
        return Err(Refusal::invalid(message)
            .code("charge_already_refunded")
            .into());
    }
    let asked = match given {
        Some(n) => amount(n, "amount")?,
        None => left,
    };
    if asked > left {
        let message = format!(
            "Refund amount ({}) is greater than unrefunded amount on charge ({})",
            shown(asked, &charge),
            shown(left, &charge)
        );
        return Err(Refusal::invalid(message).param("amount").into());
    }
    let mut r = new(b, &charge, asked, reason, metadata);
    start(b, &mut r, &charge)?;
    b.insert(&r)?;
    charges::count_refund(b, &mut charge, asked)?;
    b.event("refund.created", &r.body)?;
    b.event("charge.refunded", &charge.body)?;
    Ok(r.body)
}

fn shown(amount: i64, charge: &Record) -> String {
    format!("{} {}", amount, text(&charge.body, "currency"))
}

fn charge_of(b: &mut Books, charge: Option<String>, intent: Option<String>) -> Reply<Record> {
    match (charge, intent) {
        (Some(id), None) => {
            let charge = b.get("charge", &id, "charge")?;
            if text(&charge.body, "status") != "succeeded" {
                let message = format!("Charge {id} did not succeed and cannot be refunded.");
                return Err(Refusal::invalid(message).param("charge").into());
            }
            Ok(charge)
        }
        (None, Some(id)) => {
            let intent = b.get("payment_intent", &id, "payment_intent")?;
            match text_or_none(&intent.body, "latest_charge") {
                Some(charge) if text(&intent.body, "status") == "succeeded" => {
                    b.get("charge", &charge, "charge")
                }
                _ => {
                    let message = format!(
                        "This PaymentIntent ({id}) does not have a successful charge to refund."
                    );
                    let code = "payment_intent_unexpected_state";
                    Err(Refusal::invalid(message)
                        .code(code)
                        .param("payment_intent")
                        .into())
                }
            }
        }
        (None, None) => {
            let message = "One of the following params should be provided for this request: payment_intent or charge.";
            Err(Refusal::invalid(message).code("parameter_missing").into())
        }
        (Some(_), Some(_)) => {
            let message = "You may only specify one of these parameters: charge, payment_intent.";
            Err(Refusal::invalid(message).into())
        }
    }
}

fn new(
    b: &Books,
    charge: &Record,
    asked: i64,
    reason: Option<String>,
    metadata: serde_json::Map<String, Value>,
) -> Record {
    let id = new_id("re_3", 23);
    let body = json!({
        "id": id,
        "object": "refund",
        "amount": asked,
        "balance_transaction": null,
        "charge": charge.id,
        "created": b.now,
        "currency": charge.body["currency"],
        "destination_details": {
            "card": { "reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund" },
            "type": "card",
        },
        "metadata": metadata,
        "payment_intent": charge.payment_intent,
        "reason": reason,
        "receipt_number": null,
        "source_transfer_reversal": null,
        "status": "pending",
        "transfer_reversal": null,
    });
    let mut r = b.record("refund", id, body);
    r.charge = Some(charge.id.clone());
    r.payment_intent = charge.payment_intent.clone();
    r.customer = charge.customer.clone();
    r.tag = Some("pending".into());
    r
}

/// The first state of a refund: the money goes out at once, or waits.
fn start(b: &mut Books, r: &mut Record, charge: &Record) -> Reply<()> {
    let (amount, currency) = (
        number(&r.body, "amount"),
        text(&r.body, "currency").to_string(),
    );
    if !b.covers(&currency, amount)? {
        r.body["pending_reason"] = json!("insufficient_funds");
        return Ok(());
    }
    pay_out(b, r)?;
    let card = cards::look_up(text(&charge.hidden, "number")).ok();
    match card.map(|c| c.charge) {
        Some(Charge::RefundPending) => {
            r.body["pending_reason"] = json!("processing");
            r.due_at = Some(b.now + LATER);
        }
        Some(Charge::RefundFails) => {
            succeed(r);
            r.due_at = Some(b.now + LATER);
        }
        _ => succeed(r),
    }
    Ok(())
}

fn pay_out(b: &mut Books, r: &mut Record) -> Reply<()> {
    let (amount, currency) = (
        number(&r.body, "amount"),
        text(&r.body, "currency").to_string(),
    );
    let balance = b.book("refund", -amount, &currency, &r.id)?;
    r.body["balance_transaction"] = json!(balance);
    Ok(())
}

fn succeed(r: &mut Record) {
    r.body["status"] = json!("succeeded");
    r.tag = Some("succeeded".into());
    if let Some(body) = r.body.as_object_mut() {
        body.remove("pending_reason");
    }
    r.due_at = None;
}

/// What becomes of a refund whose time has come: one that waits succeeds (where the balance covers it), one that
/// succeeded on a card that says so fails.
pub fn settle(b: &mut Books, mut r: Record) -> Reply<()> {
    r.due_at = None;
    let charge = match &r.charge {
        Some(id) => b.get("charge", id, "charge")?,
        None => return Ok(b.save(&r)?),
    };
    if r.tag.as_deref() == Some("succeeded") {
        return fail(b, r, charge);
    }
    if r.body["balance_transaction"].is_null() {
        let before = r.body.clone();
        start(b, &mut r, &charge)?;
        b.save(&r)?;
        return if r.body == before {
            Ok(())
        } else {
            told(b, &r)
        };
    }
    succeed(&mut r);
    b.save(&r)?;
    told(b, &r)
}

fn told(b: &mut Books, r: &Record) -> Reply<()> {
    b.event("refund.updated", &r.body)?;
    b.event("charge.refund.updated", &r.body)?;
    Ok(())
}

/// The bank sent the money back: it is on the balance again, and the charge can be refunded again.
fn fail(b: &mut Books, mut r: Record, mut charge: Record) -> Reply<()> {
    let (amount, currency) = (
        number(&r.body, "amount"),
        text(&r.body, "currency").to_string(),
    );
    let balance = b.book("refund_failure", amount, &currency, &r.id)?;
    r.body["status"] = json!("failed");
    r.body["failure_reason"] = json!("expired_or_canceled_card");
    r.body["failure_balance_transaction"] = json!(balance);
    r.tag = Some("failed".into());
    b.save(&r)?;
    charges::count_refund(b, &mut charge, -amount)?;
    b.event("refund.failed", &r.body)?;
    told(b, &r)?;
    b.event("charge.updated", &charge.body)?;
    Ok(())
}

/// `POST /v1/refunds/{id}`: metadata.
pub fn update(b: &mut Books, id: &str, mut form: Form) -> Reply {
    let metadata = form.metadata("metadata")?;
    form.finish()?;
    let mut r = b.get("refund", id, "refund")?;
    merge_metadata(&mut r.body, metadata);
    b.save(&r)?;
    b.event("refund.updated", &r.body)?;
    Ok(r.body)
}
