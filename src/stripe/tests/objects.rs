//! The smallest objects that the client's strict parser takes.

use serde_json::{Value, json};

/// `base` with the fields of `more` put over it.
pub fn with(mut base: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        base[name] = value.clone();
    }
    base
}

pub fn session() -> Value {
    json!({
        "id": "cs_test_1", "object": "checkout.session", "created": 1_800_000_000,
        "expires_at": 1_800_001_860, "livemode": false, "mode": "payment",
        "automatic_tax": {"enabled": false, "liability": null, "provider": null, "status": null},
        "custom_fields": [],
        "custom_text": {"after_submit": null, "shipping_address": null, "submit": null,
            "terms_of_service_acceptance": null},
        "payment_method_types": ["card"], "payment_status": "unpaid", "shipping_options": [],
        "status": "open", "url": "http://127.0.0.1/pay/cs_test_1", "payment_intent": null,
        "amount_total": 4500, "currency": "usd", "metadata": {}
    })
}

pub fn intent() -> Value {
    json!({
        "id": "pi_1", "object": "payment_intent", "amount": 4500, "amount_capturable": 0,
        "amount_received": 0, "capture_method": "automatic_async",
        "confirmation_method": "automatic", "created": 1_800_000_000, "currency": "usd",
        "livemode": false, "metadata": {}, "payment_method_types": ["card"],
        "status": "requires_payment_method", "customer": "cus_1"
    })
}

pub fn setup() -> Value {
    json!({
        "id": "seti_1", "object": "setup_intent", "created": 1_800_000_000, "livemode": false,
        "payment_method_types": ["card"], "status": "succeeded", "usage": "off_session",
        "customer": "cus_1", "payment_method": method()
    })
}

pub fn method() -> Value {
    json!({
        "id": "pm_1", "object": "payment_method", "created": 1_800_000_000, "livemode": false,
        "billing_details": {"address": null, "email": null, "name": null, "phone": null,
            "tax_id": null},
        "type": "card", "customer": "cus_1",
        "card": {"brand": "visa", "exp_month": 3, "exp_year": 2031, "funding": "credit",
            "last4": "4242"}
    })
}

pub fn refund() -> Value {
    json!({
        "id": "re_1", "object": "refund", "amount": 4500, "created": 1_800_000_000,
        "currency": "usd", "status": "succeeded", "payment_intent": "pi_1", "metadata": {}
    })
}

pub fn charge() -> Value {
    json!({
        "id": "ch_1", "object": "charge", "amount": 4500, "amount_captured": 4500,
        "amount_refunded": 0, "captured": true, "created": 1_800_000_000, "currency": "usd",
        "billing_details": {"address": null, "email": null, "name": null, "phone": null,
            "tax_id": null},
        "disputed": false, "livemode": false, "metadata": {}, "paid": true, "refunded": false,
        "status": "succeeded", "payment_intent": "pi_1"
    })
}

pub fn dispute() -> Value {
    json!({
        "id": "dp_1", "object": "dispute", "amount": 4500, "balance_transactions": [],
        "charge": "ch_1", "created": 1_800_000_000, "currency": "usd",
        "enhanced_eligibility_types": [], "evidence": {"enhanced_evidence": {}},
        "evidence_details": {"due_by": null, "has_evidence": false, "past_due": false,
            "submission_count": 0, "enhanced_eligibility": {}},
        "is_charge_refundable": false, "livemode": false, "metadata": {},
        "payment_intent": "pi_1", "reason": "fraudulent", "status": "needs_response"
    })
}

pub fn balance(available: Value, pending: Value) -> Value {
    json!({
        "object": "balance", "livemode": false, "available": available, "pending": pending
    })
}

pub fn list(url: &str, data: Vec<Value>, has_more: bool) -> Value {
    json!({"object": "list", "url": url, "has_more": has_more, "data": data})
}

pub fn error(kind: &str, code: Option<&str>) -> Value {
    json!({"error": {"type": kind, "code": code, "message": "It says no.", "param": "amount"}})
}
