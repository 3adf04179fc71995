//! Disputes: a shopper's bank takes the money back until somebody is right. Stripe's own test words decide:
//! `winning_evidence` wins, `losing_evidence`, `close` and silence lose.

use serde_json::{Map, Value, json};

use super::super::books::{Books, new_id, number, text};
use super::super::errors::{Failure, Refusal, Reply};
use super::super::form::Form;
use super::super::store::Record;
use super::merge_metadata;

/// How long evidence can be given, in seconds.
const TO_ANSWER: i64 = 7 * 24 * 3600;

/// Evidence that is text. What is a file at Stripe is taken as its id.
const EVIDENCE: [&str; 27] = [
    "access_activity_log",
    "billing_address",
    "cancellation_policy",
    "cancellation_policy_disclosure",
    "cancellation_rebuttal",
    "customer_communication",
    "customer_email_address",
    "customer_name",
    "customer_purchase_ip",
    "customer_signature",
    "duplicate_charge_documentation",
    "duplicate_charge_explanation",
    "duplicate_charge_id",
    "product_description",
    "receipt",
    "refund_policy",
    "refund_policy_disclosure",
    "refund_refusal_explanation",
    "service_date",
    "service_documentation",
    "shipping_address",
    "shipping_carrier",
    "shipping_date",
    "shipping_documentation",
    "shipping_tracking_number",
    "uncategorized_file",
    "uncategorized_text",
];

/// A dispute opens: the charge's money leaves the balance.
pub fn open(b: &mut Books, charge: &mut Record) -> Reply<()> {
    let id = new_id("du_1", 23);
    let (amount, currency) = (
        number(&charge.body, "amount"),
        text(&charge.body, "currency").to_string(),
    );
    let taken = b.book("adjustment", -amount, &currency, &id)?;
    let taken = b.get("balance_transaction", &taken, "id")?.body;
    let r = made(b, charge, id, "needs_response", &[taken]);
    b.insert(&r)?;
    charge.body["disputed"] = json!(true);
    b.save(charge)?;
    b.event("charge.dispute.created", &r.body)?;
    b.event("charge.dispute.funds_withdrawn", &r.body)?;
    Ok(())
}

/// The bank only asks: no money leaves the balance, and the charge can be refunded.
pub fn inquire(b: &mut Books, charge: &Record) -> Reply<()> {
    let r = made(b, charge, new_id("du_1", 23), INQUIRY, &[]);
    b.insert(&r)?;
    b.event("charge.dispute.created", &r.body)?;
    Ok(())
}

/// An inquiry that waits for an answer; it ends as `warning_closed`.
const INQUIRY: &str = "warning_needs_response";

fn made(b: &Books, charge: &Record, id: String, status: &'static str, taken: &[Value]) -> Record {
    let inquires = status == INQUIRY;
    let mut evidence = Map::new();
    for field in EVIDENCE {
        evidence.insert(field.into(), Value::Null);
    }
    evidence.insert("enhanced_evidence".into(), json!({}));
    let body = json!({
        "id": id,
        "object": "dispute",
        "amount": number(&charge.body, "amount"),
        "balance_transactions": taken,
        "charge": charge.id,
        "created": b.now,
        "currency": text(&charge.body, "currency"),
        "enhanced_eligibility_types": [],
        "evidence": evidence,
        "evidence_details": {
            "due_by": b.now + TO_ANSWER, "enhanced_eligibility": {}, "has_evidence": false, "past_due": false,
            "submission_count": 0,
        },
        "is_charge_refundable": inquires,
        "livemode": false,
        "metadata": {},
        "payment_intent": charge.payment_intent,
        "payment_method_details": {
            "card": {
                "brand": "visa", "case_type": if inquires { "inquiry" } else { "chargeback" }, "network": "visa",
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        "reason": "fraudulent",
        "status": status,
    });
    let mut r = b.record("dispute", id, body);
    r.charge = Some(charge.id.clone());
    r.payment_intent = charge.payment_intent.clone();
    r.tag = Some(status.into());
    r.due_at = Some(b.now + TO_ANSWER);
    r
}

/// `POST /v1/disputes/{id}`: evidence and metadata.
pub fn update(b: &mut Books, id: &str, mut form: Form) -> Reply {
    let metadata = form.metadata("metadata")?;
    let submit = form.boolean("submit")?.unwrap_or(true);
    let mut given = Vec::new();
    if let Some(mut evidence) = form.object("evidence")? {
        for field in EVIDENCE {
            if let Some(words) = evidence.text_up_to(field, most_of(field))? {
                given.push((field, words));
            }
        }
        evidence.finish()?;
    }
    form.finish()?;
    let mut r = b.get("dispute", id, "dispute")?;
    merge_metadata(&mut r.body, metadata);
    if given.is_empty() {
        b.save(&r)?;
        return Ok(r.body);
    }
    still_open(&r)?;
    // The test word decides also at the end of what a person wrote.
    let word = given
        .iter()
        .filter_map(|(_, words)| words.split_whitespace().next_back())
        .find(|w| w.ends_with("_evidence"));
    let word = word.map(String::from);
    for (field, words) in given {
        r.body["evidence"][field] = json!(words);
    }
    r.body["evidence_details"]["has_evidence"] = json!(true);
    if !submit {
        b.save(&r)?;
        b.event("charge.dispute.updated", &r.body)?;
        return Ok(r.body);
    }
    let count = number(&r.body["evidence_details"], "submission_count") + 1;
    r.body["evidence_details"]["submission_count"] = json!(count);
    match word.as_deref() {
        Some("winning_evidence") => decide(b, &mut r, true)?,
        Some("losing_evidence") => decide(b, &mut r, false)?,
        _ => {
            r.body["status"] = json!("under_review");
            r.tag = Some("under_review".into());
            b.save(&r)?;
            b.event("charge.dispute.updated", &r.body)?;
        }
    }
    Ok(r.body)
}

/// How long a field may be.
fn most_of(field: &str) -> usize {
    let long = field.ends_with("_disclosure")
        || field.ends_with("_explanation")
        || field.ends_with("_rebuttal")
        || matches!(
            field,
            "access_activity_log" | "product_description" | "uncategorized_text"
        );
    if long { 20_000 } else { 5_000 }
}

fn still_open(r: &Record) -> Result<(), Failure> {
    if matches!(
        r.tag.as_deref(),
        Some("needs_response" | "under_review" | INQUIRY)
    ) {
        return Ok(());
    }
    let message = format!(
        "This dispute is already closed: its status is {}.",
        text(&r.body, "status")
    );
    Err(Refusal::invalid(message).into())
}

/// `POST /v1/disputes/{id}/close`: gives in.
pub fn close(b: &mut Books, id: &str, form: Form) -> Reply {
    form.finish()?;
    let mut r = b.get("dispute", id, "dispute")?;
    still_open(&r)?;
    decide(b, &mut r, false)?;
    Ok(r.body)
}

/// Somebody is right. Won: the money is back on the balance. An inquiry took none, and is closed either way.
pub fn decide(b: &mut Books, r: &mut Record, won: bool) -> Reply<()> {
    if r.tag.as_deref() == Some(INQUIRY) {
        r.body["status"] = json!("warning_closed");
        r.tag = Some("warning_closed".into());
        r.due_at = None;
        b.save(r)?;
        b.event("charge.dispute.closed", &r.body)?;
        return Ok(());
    }
    let status = if won { "won" } else { "lost" };
    r.body["status"] = json!(status);
    r.tag = Some(status.into());
    r.due_at = None;
    r.body["evidence_details"]["past_due"] = json!(!won);
    if won {
        let currency = text(&r.body, "currency").to_string();
        let back = b.book("adjustment", number(&r.body, "amount"), &currency, &r.id)?;
        let back = b.get("balance_transaction", &back, "id")?.body;
        if let Some(all) = r.body["balance_transactions"].as_array_mut() {
            all.push(back);
        }
        r.body["is_charge_refundable"] = json!(true);
        if let Some(id) = &r.charge {
            let mut charge = b.get("charge", id, "charge")?;
            charge.hidden["dispute_won"] = json!(true);
            b.save(&charge)?;
        }
    }
    b.save(r)?;
    b.event("charge.dispute.closed", &r.body)?;
    if won {
        b.event("charge.dispute.funds_reinstated", &r.body)?;
    }
    Ok(())
}
