//! The provider's API: which address does what, lists and expansion. One file per kind of object.

pub mod balance;
pub mod charges;
pub mod customers;
pub mod disputes;
pub mod endpoints;
pub mod events;
pub mod expand;
pub mod intents;
pub mod methods;
pub mod payments;
pub mod refunds;
pub mod sessions;
pub mod setup;

use serde_json::{Value, json};

use super::books::Books;
use super::errors::{Refusal, Reply};
use super::form::Form;
use super::store::{self, Filter, Page, Record};

/// Answers a `POST`; `path` begins behind `/v1/`.
pub fn post(b: &mut Books, path: &str, mut form: Form) -> Reply {
    let wanted = form.texts("expand")?;
    // The answer to a POST is always one object.
    expand::check(expand::kind_of(path).0, false, &wanted)?;
    let parts: Vec<&str> = path.split('/').collect();
    let mut body = match parts.as_slice() {
        ["checkout", "sessions"] => sessions::create(b, form),
        ["checkout", "sessions", id, "expire"] => sessions::expire(b, id, form),
        ["payment_intents"] => intents::create(b, form),
        ["payment_intents", id] => intents::update(b, id, form),
        ["payment_intents", id, "confirm"] => intents::confirm(b, id, form),
        ["payment_intents", id, "cancel"] => intents::cancel(b, id, form),
        ["setup_intents"] => setup::create(b, form),
        ["setup_intents", id, "confirm"] => setup::confirm(b, id, form),
        ["setup_intents", id, "cancel"] => setup::cancel(b, id, form),
        ["payment_methods"] => methods::create(b, form),
        ["payment_methods", id, "attach"] => methods::attach(b, id, form),
        ["payment_methods", id, "detach"] => methods::detach(b, id, form),
        ["customers"] => customers::create(b, form),
        ["customers", id] => customers::update(b, id, form),
        ["refunds"] => refunds::create(b, form),
        ["refunds", id] => refunds::update(b, id, form),
        ["disputes", id] => disputes::update(b, id, form),
        ["disputes", id, "close"] => disputes::close(b, id, form),
        ["webhook_endpoints"] => endpoints::create(b, form),
        ["webhook_endpoints", id] => endpoints::update(b, id, form),
        _ => Err(unknown("POST", path)),
    }?;
    expand::expand(b, &mut body, &wanted)?;
    Ok(body)
}

/// Answers a `DELETE`.
pub fn delete(b: &mut Books, path: &str, form: Form) -> Reply {
    form.finish()?;
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["webhook_endpoints", id] => endpoints::delete(b, id),
        _ => Err(unknown("DELETE", path)),
    }
}

/// Answers a `GET`.
pub fn get(b: &mut Books, path: &str, mut form: Form) -> Reply {
    let wanted = form.texts("expand")?;
    let (kind, listed) = expand::kind_of(path);
    expand::check(kind, listed, &wanted)?;
    let parts: Vec<&str> = path.split('/').collect();
    let mut body = match parts.as_slice() {
        ["checkout", "sessions"] => list_sessions(b, form),
        ["checkout", "sessions", id] => one(b, "checkout.session", id, "session", form),
        ["checkout", "sessions", id, "line_items"] => list_lines(b, id, form),
        ["payment_intents"] => list(b, "payment_intent", path, form, &["customer"]),
        ["payment_intents", id] => intents::retrieve(b, id, form),
        ["setup_intents"] => list(b, "setup_intent", path, form, &["customer"]),
        ["setup_intents", id] => setup::retrieve(b, id, form),
        ["payment_methods"] => list(b, "payment_method", path, form, &["customer", "type"]),
        ["payment_methods", id] => one(b, "payment_method", id, "payment_method", form),
        ["customers"] => list(b, "customer", path, form, &["email"]),
        ["customers", id] => one(b, "customer", id, "customer", form),
        ["customers", id, "payment_methods"] => methods::list_of_customer(b, id, form),
        ["refunds"] => list(b, "refund", path, form, &["charge", "payment_intent"]),
        ["refunds", id] => one(b, "refund", id, "refund", form),
        ["charges"] => list(b, "charge", path, form, &["customer", "payment_intent"]),
        ["charges", id] => one(b, "charge", id, "charge", form),
        ["events"] => events::list(b, form),
        ["events", id] => one(b, "event", id, "id", form),
        ["disputes"] => list(b, "dispute", path, form, &["charge", "payment_intent"]),
        ["disputes", id] => one(b, "dispute", id, "dispute", form),
        ["balance"] => balance::retrieve(b, form),
        ["balance_transactions"] => balance::list(b, form),
        ["balance_transactions", id] => one(b, "balance_transaction", id, "id", form),
        ["webhook_endpoints"] => list(b, "webhook_endpoint", path, form, &[]),
        ["webhook_endpoints", id] => one(b, "webhook_endpoint", id, "webhook_endpoint", form),
        _ => Err(unknown("GET", path)),
    }?;
    expand::expand(b, &mut body, &wanted)?;
    Ok(body)
}

fn unknown(method: &str, path: &str) -> super::errors::Failure {
    let message = format!("Unrecognized request URL ({method}: /v1/{path}).");
    Refusal::invalid(message).status(404).into()
}

fn one(b: &mut Books, kind: &'static str, id: &str, param: &str, form: Form) -> Reply {
    form.finish()?;
    Ok(b.get(kind, id, param)?.body)
}

/// A list object.
pub fn list_of(data: Vec<Value>, has_more: bool, url: &str) -> Value {
    json!({ "object": "list", "data": data, "has_more": has_more, "url": url })
}

/// `limit`, `starting_after`, `ending_before`.
pub fn page(form: &mut Form) -> Reply<Page> {
    let limit = form.integer("limit")?.unwrap_or(10);
    if !(1..=100).contains(&limit) {
        let message = format!("Invalid limit: {limit} must be between 1 and 100");
        return Err(Refusal::invalid(message).param("limit").into());
    }
    let (after, before) = (form.text("starting_after")?, form.text("ending_before")?);
    if after.is_some() && before.is_some() {
        let message =
            "You may only specify one of these parameters: starting_after, ending_before.";
        return Err(Refusal::invalid(message).into());
    }
    Ok(Page {
        limit,
        starting_after: after,
        ending_before: before,
    })
}

/// `created`, a moment or `gt`, `gte`, `lt`, `lte`.
pub fn created(form: &mut Form, filter: &mut Filter) -> Reply<()> {
    if let Ok(Some(moment)) = form.clone().integer("created") {
        form.without_effect(&["created"]);
        (filter.from, filter.to) = (Some(moment), Some(moment));
        return Ok(());
    }
    let Some(mut range) = form.object("created")? else {
        return Ok(());
    };
    let tighter = |a: Option<i64>, b: Option<i64>| a.max(b);
    let gt = range.integer("gt")?.map(|t| t.saturating_add(1));
    filter.from = tighter(range.integer("gte")?, gt);
    let lt = range.integer("lt")?.map(|t| t.saturating_sub(1));
    filter.to = match (range.integer("lte")?, lt) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    range.finish()
}

/// A list whose filters are fields of the record.
fn list(b: &mut Books, kind: &'static str, path: &str, mut form: Form, by: &[&str]) -> Reply {
    let page = page(&mut form)?;
    let mut filter = Filter::default();
    if kind != "payment_method" && kind != "webhook_endpoint" {
        created(&mut form, &mut filter)?;
    }
    for field in by {
        let value = form.text(field)?;
        match *field {
            "customer" => filter.customer = value,
            "payment_intent" => filter.payment_intent = value,
            "charge" => filter.charge = value,
            "email" => filter.tags.extend(value),
            "type" if value.as_deref().is_some_and(|t| t != "card") => filter.tags.push("-".into()),
            _ => {}
        }
    }
    form.finish()?;
    let (rows, more) = store::list(b.conn, kind, &filter, &page)?;
    Ok(list_of(bodies(rows), more, &format!("/v1/{path}")))
}

/// What is answered of some records.
pub fn bodies(rows: Vec<Record>) -> Vec<Value> {
    rows.into_iter().map(|r| r.body).collect()
}

fn list_sessions(b: &mut Books, mut form: Form) -> Reply {
    let page = page(&mut form)?;
    let mut filter = Filter::default();
    created(&mut form, &mut filter)?;
    filter.customer = form.text("customer")?;
    filter.payment_intent = form.text("payment_intent")?;
    filter
        .tags
        .extend(form.choice("status", &["open", "complete", "expired"])?);
    form.finish()?;
    let (rows, more) = store::list(b.conn, "checkout.session", &filter, &page)?;
    Ok(list_of(bodies(rows), more, "/v1/checkout/sessions"))
}

fn list_lines(b: &mut Books, id: &str, mut form: Form) -> Reply {
    let page = page(&mut form)?;
    form.finish()?;
    let r = b.get("checkout.session", id, "session")?;
    let all = sessions::public_lines(&r);
    let at = |id: &Option<String>| {
        id.as_ref()
            .and_then(|id| all.iter().position(|l| l["id"] == id.as_str()))
    };
    let limit = page.limit as usize;
    let (from, to) = match (at(&page.starting_after), at(&page.ending_before)) {
        (Some(n), _) => (n + 1, all.len().min(n + 1 + limit)),
        (None, Some(n)) => (n.saturating_sub(limit), n),
        (None, None) => (0, all.len().min(limit)),
    };
    let more = if page.ending_before.is_some() {
        from > 0
    } else {
        to < all.len()
    };
    Ok(list_of(
        all[from..to].to_vec(),
        more,
        &format!("/v1/checkout/sessions/{id}/line_items"),
    ))
}

/// The currencies the provider takes.
const CURRENCIES: &str = " usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bhd bif bmd bnd bob brl bsd bwp byn \
    bzd cad cdf chf clp cny cop crc cve czk djf dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gnf gtq gyd hkd hnl htg huf \
    idr ils inr isk jmd jod jpy kes kgs khr kmf krw kwd kyd kzt lak lbp lkr lrd lsl mad mdl mga mkd mmk mnt mop mur mvr mwk \
    mxn myr mzn nad ngn nio nok npr nzd omr pab pen pgk php pkr pln pyg qar ron rsd rub rwf sar sbd scr sek sgd shp sle sos \
    srd std szl thb tjs tnd top try ttd twd tzs uah ugx uyu uzs vnd vuv wst xaf xcd xcg xof xpf yer zar zmw ";

/// A currency in the provider's spelling, lower case.
pub fn currency(given: &str, param: &str) -> Reply<String> {
    let lower = given.to_ascii_lowercase();
    if lower.len() == 3 && CURRENCIES.contains(&format!(" {lower} ")) {
        return Ok(lower);
    }
    Err(Refusal::invalid(format!("Invalid currency: {given}."))
        .param(param)
        .into())
}

/// Whether a text can be an e-mail address at all.
pub fn email(given: &str, param: &str) -> Reply<()> {
    let good = given.len() <= 512
        && !given.chars().any(|c| c.is_whitespace() || c.is_control())
        && given
            .split_once('@')
            .is_some_and(|(a, d)| !a.is_empty() && !d.is_empty() && !d.contains('@'));
    if good {
        return Ok(());
    }
    let message = format!("Invalid email address: {given}");
    Err(Refusal::invalid(message)
        .code("email_invalid")
        .param(param)
        .into())
}

/// An amount of money: whole, above nought, with at most eight digits.
pub fn amount(given: i64, param: &str) -> Reply<i64> {
    match given {
        1..=99_999_999 => Ok(given),
        n if n < 1 => Err(
            Refusal::invalid("This value must be greater than or equal to 1.")
                .code("parameter_invalid_integer")
                .param(param)
                .into(),
        ),
        _ => Err(Refusal::invalid("Amount must be no more than $999,999.99")
            .code("amount_too_large")
            .param(param)
            .into()),
    }
}

/// Merges `metadata` as Stripe does: an empty value takes a name away.
pub fn merge_metadata(body: &mut Value, change: Option<serde_json::Map<String, Value>>) {
    let Some(change) = change else { return };
    if !body["metadata"].is_object() {
        body["metadata"] = json!({});
    }
    if let Some(all) = body["metadata"].as_object_mut() {
        for (name, value) in change {
            if value == "" {
                all.remove(&name);
            } else {
                all.insert(name, value);
            }
        }
    }
}

/// Adds the fields that an object has and that are null here.
pub fn add_nulls(body: &mut Value, fields: &[&str]) {
    if let Some(body) = body.as_object_mut() {
        body.extend(fields.iter().map(|f| (f.to_string(), Value::Null)));
    }
}
