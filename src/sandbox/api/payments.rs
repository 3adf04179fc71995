//! One try to charge a card for an intent, wherever it comes from (API or pay page), and what follows from it: the
//! charge, the balance, a dispute, a saved card.

use serde_json::{Value, json};

use super::super::books::{Books, new_id, text, text_or_none};
use super::super::cards::{self, Asks, Charge};
use super::super::errors::{Refusal, Reply};
use super::super::store::Record;
use super::{disputes, intents, methods};

/// Where the card's holder is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Present {
    /// Not there: cannot be asked.
    Away,
    /// There, and not asked yet.
    Unasked,
    /// Asked, and said yes.
    Yes,
    /// Asked, and said no.
    No,
}

/// What came of a try.
pub enum Try {
    /// The money moved.
    Paid,
    /// The bank said no; the intent and a failed charge are kept.
    Declined(Box<Refusal>),
    /// The holder must be asked first.
    Asks,
}

/// Refuses a payment method that cannot be used for this customer.
pub fn usable(method: &Record, customer: Option<&str>) -> Reply<()> {
    if method.hidden["spent"] == true {
        let message = "The provided PaymentMethod was previously used with a PaymentIntent without Customer attachment, \
            shared with a connected account without Customer attachment, or was detached from a Customer. It may not be \
            used again. To use a PaymentMethod multiple times, you must attach it to a Customer first.";
        return Err(Refusal::invalid(message).param("payment_method").into());
    }
    match &method.customer {
        Some(owner) if customer != Some(owner) => {
            let message = "The customer does not have a payment method with the ID provided. The payment method belongs \
                to another customer.";
            Err(Refusal::invalid(message)
                .code("payment_method_customer_mismatch")
                .param("payment_method")
                .into())
        }
        _ => Ok(()),
    }
}

/// Tries to charge. The intent is kept in every case but [`Try::Asks`], which leaves it to the caller.
pub fn charge(
    b: &mut Books,
    intent: &mut Record,
    method: &mut Record,
    present: Present,
) -> Reply<Try> {
    let card = match cards::look_up(text(&method.hidden, "number")) {
        Ok(card) => card,
        Err(refusal) => return Ok(Try::Declined(decline(b, intent, method, *refusal)?)),
    };
    if methods::is_over(b, method) {
        let refusal = cards::EXPIRED.refusal();
        return Ok(Try::Declined(decline(b, intent, method, refusal)?));
    }
    let asks = match card.asks {
        Asks::Never => false,
        Asks::UntilSetUp => method.hidden["set_up"] != true,
        Asks::Always => true,
    };
    match present {
        Present::Unasked if asks => return Ok(Try::Asks),
        Present::Away if asks => {
            let refusal = cards::AUTHENTICATION_REQUIRED.refusal();
            return Ok(Try::Declined(decline(b, intent, method, refusal)?));
        }
        Present::No if asks => {
            let refusal = Refusal::card(
                "payment_intent_authentication_failure",
                None,
                cards::NOT_AUTHENTICATED,
            );
            return Ok(Try::Declined(refuse(b, intent, method, refusal)?));
        }
        _ => {}
    }
    if let Charge::Declined(no) = card.charge {
        return Ok(Try::Declined(decline(b, intent, method, no.refusal())?));
    }
    pay(b, intent, method, card)?;
    Ok(Try::Paid)
}

/// The intent waits for its holder.
pub fn ask(b: &mut Books, intent: &mut Record, return_url: Option<&str>) -> Reply<()> {
    intents::set_status(intent, "requires_action");
    let url = format!("{}/sandbox/authenticate/{}", b.public_url, intent.id);
    intent.body["next_action"] = json!({
        "type": "redirect_to_url",
        "redirect_to_url": { "return_url": return_url, "url": url },
    });
    b.save(intent)?;
    b.event("payment_intent.requires_action", &intent.body)?;
    Ok(())
}

fn pay(b: &mut Books, intent: &mut Record, method: &mut Record, card: &cards::Card) -> Reply<()> {
    let mut charge = new_charge(b, intent, method);
    let (amount, currency) = (
        intents::amount_of(intent),
        text(&intent.body, "currency").to_string(),
    );
    let balance = b.book("charge", amount, &currency, &charge.id)?;
    charge.body["balance_transaction"] = json!(balance);
    b.insert(&charge)?;
    intents::set_status(intent, "succeeded");
    intent.body["amount_received"] = json!(amount);
    intent.body["latest_charge"] = json!(charge.id);
    intent.body["payment_method"] = json!(method.id);
    intent.body["last_payment_error"] = Value::Null;
    intent.body["next_action"] = Value::Null;
    b.save(intent)?;
    keep_card(b, intent, method)?;
    b.event("charge.succeeded", &charge.body)?;
    b.event("payment_intent.succeeded", &intent.body)?;
    match card.charge {
        Charge::Disputed => disputes::open(b, &mut charge)?,
        Charge::Inquired => disputes::inquire(b, &charge)?,
        _ => {}
    }
    Ok(())
}

/// After a payment the card is saved for its customer, or spent.
fn keep_card(b: &mut Books, intent: &Record, method: &mut Record) -> Reply<()> {
    let saves = intent.body["setup_future_usage"].is_string();
    match (&intent.customer, &method.customer) {
        (Some(customer), None) if saves => {
            method.hidden["set_up"] = json!(true);
            methods::attach_to(b, method, customer)?;
        }
        (_, None) => {
            method.hidden["spent"] = json!(true);
            b.save(method)?;
        }
        _ => {}
    }
    Ok(())
}

/// The bank said no: a failed charge, an intent that wants another card, both told.
pub fn decline(
    b: &mut Books,
    intent: &mut Record,
    method: &mut Record,
    mut refusal: Refusal,
) -> Reply<Box<Refusal>> {
    let mut charge = new_charge(b, intent, method);
    charge.tag = Some("failed".into());
    let c = &mut charge.body;
    c["status"] = json!("failed");
    c["paid"] = json!(false);
    c["captured"] = json!(false);
    c["amount_captured"] = json!(0);
    c["failure_code"] = json!(refusal.code);
    c["failure_message"] = json!(refusal.message);
    let reason = refusal.decline_code.as_deref().or(refusal.code.as_deref());
    let declined = Verdict {
        network: "declined_by_network",
        reason,
        words: "The bank did not return any further details with this decline.",
        kind: "issuer_declined",
    };
    c["outcome"] = outcome(&declined);
    b.insert(&charge)?;
    intent.body["latest_charge"] = json!(charge.id);
    b.event("charge.failed", &charge.body)?;
    refusal.with.insert("charge".into(), json!(charge.id));
    refuse(b, intent, method, refusal)
}

/// The intent wants another card; no charge was made for this try.
fn refuse(
    b: &mut Books,
    intent: &mut Record,
    method: &mut Record,
    mut refusal: Refusal,
) -> Reply<Box<Refusal>> {
    intents::set_status(intent, "requires_payment_method");
    intent.body["payment_method"] = Value::Null;
    intent.body["next_action"] = Value::Null;
    let mut error = refusal.body()["error"].take();
    error["payment_method"] = method.body.clone();
    intent.body["last_payment_error"] = error;
    b.save(intent)?;
    b.event("payment_intent.payment_failed", &intent.body)?;
    refusal
        .with
        .insert("payment_intent".into(), intent.body.clone());
    refusal
        .with
        .insert("payment_method".into(), method.body.clone());
    Ok(Box::new(refusal))
}

fn new_charge(b: &Books, intent: &Record, method: &Record) -> Record {
    let id = new_id("ch_3", 23);
    let amount = intents::amount_of(intent);
    let of = |field: &str| intent.body[field].clone();
    let billing = method.body["billing_details"].clone();
    let outcome = outcome(&APPROVED);
    let card = card_details(&method.body["card"], amount);
    let mut body = json!({
        "id": id,
        "object": "charge",
        "amount": amount,
        "amount_captured": amount,
        "amount_refunded": 0,
        "billing_details": billing,
        "calculated_statement_descriptor": "MUSTER",
        "captured": true,
        "created": b.now,
        "currency": of("currency"),
        "customer": of("customer"),
        "description": of("description"),
        "disputed": false,
        "fraud_details": {},
        "livemode": false,
        "metadata": of("metadata"),
        "outcome": outcome,
        "paid": true,
        "payment_intent": intent.id,
        "payment_method": method.id,
        "payment_method_details": card,
        "radar_options": {},
        "receipt_email": of("receipt_email"),
        "refunded": false,
        "status": "succeeded",
    });
    super::add_nulls(&mut body, &CHARGE_NULLS);
    let mut r = b.record("charge", id, body);
    r.customer = text_or_none(&intent.body, "customer");
    r.payment_intent = Some(intent.id.clone());
    r.tag = Some("succeeded".into());
    r.hidden = json!({ "number": method.hidden["number"] });
    r
}

/// What the network said of a charge.
struct Verdict<'a> {
    network: &'a str,
    reason: Option<&'a str>,
    words: &'a str,
    kind: &'a str,
}

const APPROVED: Verdict = Verdict {
    network: "approved_by_network",
    reason: None,
    words: "Payment complete.",
    kind: "authorized",
};

fn outcome(v: &Verdict) -> Value {
    json!({
        "advice_code": null, "network_advice_code": null,
        "network_decline_code": v.reason.map(|_| "01"), "network_status": v.network, "reason": v.reason,
        "risk_level": "normal", "risk_score": 20, "seller_message": v.words, "type": v.kind,
    })
}

fn card_details(card: &Value, amount: i64) -> Value {
    json!({
        "type": "card",
        "card": {
            "amount_authorized": amount, "authorization_code": null, "brand": card["brand"],
            "checks": card["checks"], "country": card["country"], "exp_month": card["exp_month"],
            "exp_year": card["exp_year"], "fingerprint": card["fingerprint"], "funding": card["funding"],
            "installments": null, "last4": card["last4"], "mandate": null, "network": "visa",
            "network_token": { "used": false }, "network_transaction_id": null,
            "regulated_status": "unregulated", "three_d_secure": null, "wallet": null,
        },
    })
}

/// Fields that the object has and that are null here.
const CHARGE_NULLS: [&str; 17] = [
    "application",
    "application_fee",
    "application_fee_amount",
    "balance_transaction",
    "failure_balance_transaction",
    "failure_code",
    "failure_message",
    "on_behalf_of",
    "receipt_number",
    "receipt_url",
    "review",
    "shipping",
    "source_transfer",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
];
