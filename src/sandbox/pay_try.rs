//! What happens in the books when somebody presses the button of the pay page.

use serde_json::{Value, json};

use super::api::payments::{self, Present, Try};
use super::api::{customers, intents, methods, sessions, setup};
use super::books::{Books, number, text, text_or_none};
use super::cards;
use super::errors::{Refusal, Reply};
use super::store::{self, Record};

/// What was typed on the pay page.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    /// As typed.
    pub card: String,
    /// As typed: month and year; may be absent.
    pub exp: String,
    /// As typed; may be absent.
    pub cvc: String,
    /// Where the session did not bring one.
    pub email: String,
    /// `succeed` or `fail`: what the holder said when he was asked.
    pub outcome: String,
}

/// What came of it.
pub enum Tried {
    /// Paid or saved (now or before): on to this address.
    Done(String),
    /// Not with this card; a field may be to blame.
    Declined(String, Option<&'static str>),
    /// The holder must be asked.
    Asks,
    /// Too late.
    Expired,
    /// There is no such page.
    Missing,
}

/// Where a paid session leads.
pub fn success_address(session: &Value) -> String {
    text(session, "success_url").replace("{CHECKOUT_SESSION_ID}", text(session, "id"))
}

/// One press of the button. Two tabs press after each other, since there is one writer: the second finds the session
/// complete and pays nothing.
pub fn press(b: &mut Books, id: &str, typed: &Typed) -> Reply<Tried> {
    let Some(mut session) = store::find(b.conn, id)?.filter(|r| r.kind == "checkout.session")
    else {
        return Ok(Tried::Missing);
    };
    match text(&session.body, "status") {
        "complete" => return Ok(Tried::Done(success_address(&session.body))),
        "open" => {}
        _ => return Ok(Tried::Expired),
    }
    if number(&session.body, "expires_at") <= b.now {
        sessions::close_unpaid(b, &mut session)?;
        return Ok(Tried::Expired);
    }
    let number: String = typed
        .card
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .collect();
    if number.is_empty() {
        return Ok(Tried::Declined(
            "Write the number on the card.".into(),
            Some("card"),
        ));
    }
    let card = match cards::look_up(&number) {
        Ok(card) => card,
        Err(refusal) => return Ok(Tried::Declined(refusal.message, Some("card"))),
    };
    let (month, year) = match expiry(b, &typed.exp) {
        Ok(expiry) => expiry,
        Err(words) => return Ok(Tried::Declined(words.into(), Some("exp"))),
    };
    let email = text_or_none(&session.body, "customer_email")
        .or_else(|| (!typed.email.is_empty()).then(|| typed.email.clone()));
    let billing = json!({ "email": email });
    let mut method = methods::make(
        b,
        &methods::Typed {
            number: card.number,
            month,
            year,
        },
        billing,
    )?;
    let present = match typed.outcome.as_str() {
        "succeed" => Present::Yes,
        "fail" => Present::No,
        _ => Present::Unasked,
    };
    if text(&session.body, "mode") == "payment" {
        pay(b, &mut session, &mut method, present)
    } else {
        save(b, &mut session, &mut method, present)
    }
}

fn pay(b: &mut Books, session: &mut Record, method: &mut Record, present: Present) -> Reply<Tried> {
    let mut intent = intent_of(b, session, method)?;
    match payments::charge(b, &mut intent, method, present)? {
        Try::Paid => finish(b, session, method),
        Try::Declined(refusal) => Ok(declined(&refusal)),
        Try::Asks => {
            payments::ask(
                b,
                &mut intent,
                text_or_none(&session.body, "url").as_deref(),
            )?;
            Ok(Tried::Asks)
        }
    }
}

fn declined(refusal: &Refusal) -> Tried {
    let field = match refusal.code.as_deref() {
        Some("incorrect_cvc") => "cvc",
        Some("expired_card") => "exp",
        _ => "card",
    };
    Tried::Declined(refusal.message.clone(), Some(field))
}

fn finish(b: &mut Books, session: &mut Record, method: &Record) -> Reply<Tried> {
    let email = &method.body["billing_details"]["email"];
    let details = json!({
        "address": null, "business_name": null, "email": email, "individual_name": null, "name": null, "phone": null,
        "tax_exempt": "none", "tax_ids": [],
    });
    sessions::complete(b, session, details)?;
    Ok(Tried::Done(success_address(&session.body)))
}

/// The session's intent: made at the first press of the button, as Stripe does, and kept for the next tries.
fn intent_of(b: &mut Books, session: &mut Record, method: &Record) -> Reply<Record> {
    if let Some(id) = &session.payment_intent {
        return b.get("payment_intent", id, "payment_intent");
    }
    let wanted = session.hidden["intent"].clone();
    let usage = text_or_none(&wanted, "setup_future_usage");
    let customer = customer_of(b, session, method, usage.is_some())?;
    let new = intents::New {
        amount: number(&session.body, "amount_total"),
        currency: text(&session.body, "currency").into(),
        customer,
        description: text_or_none(&wanted, "description"),
        metadata: wanted["metadata"].clone(),
        receipt_email: text_or_none(&wanted, "receipt_email"),
        setup_future_usage: usage,
    };
    let mut intent = intents::make(b, new)?;
    for field in ["transfer_group", "statement_descriptor_suffix"] {
        intent.body[field] = wanted[field].clone();
    }
    session.payment_intent = Some(intent.id.clone());
    session.body["payment_intent"] = json!(intent.id);
    b.save(session)?;
    Ok(intent)
}

/// The session's customer, made now where the session asks for one.
fn customer_of(
    b: &mut Books,
    session: &mut Record,
    method: &Record,
    needed: bool,
) -> Reply<Option<String>> {
    let always = text(&session.body, "customer_creation") == "always";
    if session.customer.is_none() && (always || needed) {
        let email = text_or_none(&method.body["billing_details"], "email");
        let made = customers::make(
            b,
            customers::New {
                email,
                ..Default::default()
            },
        )?;
        session.body["customer"] = json!(made.id);
        session.customer = Some(made.id);
        b.save(session)?;
    }
    Ok(session.customer.clone())
}

fn save(
    b: &mut Books,
    session: &mut Record,
    method: &mut Record,
    present: Present,
) -> Reply<Tried> {
    let customer = customer_of(b, session, method, false)?;
    let mut intent = match text_or_none(&session.body, "setup_intent") {
        Some(id) => b.get("setup_intent", &id, "setup_intent")?,
        None => {
            let wanted = session.hidden["intent"].clone();
            let description = text_or_none(&wanted, "description");
            let made = setup::make(
                b,
                customer,
                description,
                wanted["metadata"].clone(),
                "off_session",
            )?;
            session.body["setup_intent"] = json!(made.id);
            b.save(session)?;
            made
        }
    };
    match setup::save(b, &mut intent, method, present)? {
        Try::Paid => finish(b, session, method),
        Try::Declined(refusal) => Ok(declined(&refusal)),
        Try::Asks => {
            let here = text_or_none(&session.body, "url");
            setup::ask(b, &mut intent, here.as_deref())?;
            Ok(Tried::Asks)
        }
    }
}

/// `MM / YY` or `MM / YYYY`; absent means some years away.
fn expiry(b: &Books, typed: &str) -> Result<(i64, i64), &'static str> {
    if typed.trim().is_empty() {
        return Ok(methods::far_expiry(b));
    }
    let digits: Vec<&str> = typed
        .split(|c: char| !c.is_ascii_digit())
        .filter(|p| !p.is_empty())
        .collect();
    let (month, year) = match digits.as_slice() {
        [month, year] => (*month, *year),
        [both] if both.len() == 4 => both.split_at(2),
        _ => return Err("Write month and year, as on the card: 12 / 34."),
    };
    let (Ok(month), Ok(mut year)) = (month.parse::<i64>(), year.parse::<i64>()) else {
        return Err("Write month and year, as on the card: 12 / 34.");
    };
    if year < 100 {
        year += 2000;
    }
    let this_year = methods::year_of(b.now);
    if !(1..=12).contains(&month) || year > this_year + 50 {
        return Err("Write month and year, as on the card: 12 / 34.");
    }
    if (year, month) < (this_year, month_of(b.now)) {
        return Err("Your card's expiration date is in the past.");
    }
    Ok((month, year))
}

fn month_of(unix: i64) -> i64 {
    use chrono::Datelike;
    chrono::DateTime::from_timestamp(unix, 0).map_or(1, |t| i64::from(t.month()))
}

/// What the holder said on the page of an intent made through the API; gives where to go then, if anywhere.
pub fn answer_bank(b: &mut Books, id: &str, yes: bool) -> Reply<Option<Option<String>>> {
    let Some(mut r) = store::find(b.conn, id)? else {
        return Ok(None);
    };
    let back = text_or_none(&r.body["next_action"]["redirect_to_url"], "return_url");
    if text(&r.body, "status") != "requires_action" {
        return Ok(Some(back));
    }
    let method = text(&r.body, "payment_method").to_string();
    let mut method = b.get("payment_method", &method, "payment_method")?;
    let present = if yes { Present::Yes } else { Present::No };
    match r.kind {
        "payment_intent" => payments::charge(b, &mut r, &mut method, present).map(|_| ())?,
        "setup_intent" => setup::save(b, &mut r, &mut method, present).map(|_| ())?,
        _ => return Ok(None),
    }
    Ok(Some(back))
}
