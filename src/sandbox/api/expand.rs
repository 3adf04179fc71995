//! Expansion: an id in an answer is replaced by the object it names (`expand[]=payment_intent.latest_charge`).

use serde_json::{Value, json};

use super::super::books::{Books, text};
use super::super::errors::{Refusal, Reply};
use super::super::store::{self, Filter};
use super::{bodies, list_of, sessions};

/// The deepest path Stripe takes.
const DEEPEST: usize = 4;

/// What kind of object an expandable field holds; none where the field cannot be expanded.
fn target(kind: &str, field: &str) -> Option<&'static str> {
    Some(match (kind, field) {
        ("checkout.session", "line_items") => "list",
        ("charge", "refunds") => "refunds",
        (_, "payment_intent")
            if matches!(kind, "checkout.session" | "charge" | "refund" | "dispute") =>
        {
            "payment_intent"
        }
        ("checkout.session", "setup_intent") => "setup_intent",
        ("payment_intent", "latest_charge") | ("refund" | "dispute", "charge") => "charge",
        ("payment_intent" | "setup_intent", "payment_method") => "payment_method",
        ("charge", "balance_transaction")
        | ("refund", "balance_transaction" | "failure_balance_transaction") => {
            "balance_transaction"
        }
        ("balance_transaction", "source") => "source",
        (_, "customer")
            if matches!(
                kind,
                "checkout.session"
                    | "payment_intent"
                    | "setup_intent"
                    | "payment_method"
                    | "charge"
            ) =>
        {
            "customer"
        }
        _ => return None,
    })
}

/// Which kind of object an address is about; `listed` where it answers a list of them.
pub fn kind_of(path: &str) -> (&'static str, bool) {
    let parts: Vec<&str> = path.split('/').collect();
    let kind = match parts.as_slice() {
        ["checkout", "sessions", _, "line_items"] => "item",
        ["checkout", ..] => "checkout.session",
        ["customers", _, "payment_methods"] | ["payment_methods", ..] => "payment_method",
        ["customers", ..] => "customer",
        ["payment_intents", ..] => "payment_intent",
        ["setup_intents", ..] => "setup_intent",
        ["refunds", ..] => "refund",
        ["charges", ..] => "charge",
        ["disputes", ..] => "dispute",
        ["balance_transactions", ..] => "balance_transaction",
        _ => "",
    };
    let listed = match parts.as_slice() {
        ["checkout", rest @ ..] => matches!(rest, ["sessions"] | ["sessions", _, "line_items"]),
        [_] | ["customers", _, "payment_methods"] => true,
        _ => false,
    };
    (kind, listed)
}

/// Refuses, before anything happens, a path that names nothing expandable.
pub fn check(kind: &'static str, listed: bool, wanted: &[String]) -> Reply<()> {
    for path in wanted {
        let parts: Vec<&str> = path.split('.').collect();
        if parts.len() > DEEPEST {
            let message =
                format!("You cannot expand more than {DEEPEST} levels of a property ({path}).");
            return Err(Refusal::invalid(message).param("expand").into());
        }
        let steps = match (listed, parts.as_slice()) {
            (true, ["data", rest @ ..]) => rest,
            (true, _) => &["data"],
            (false, all) => all,
        };
        let mut here = kind;
        for field in steps {
            here = match target(here, field) {
                Some(next) => next,
                None => {
                    let message = format!("This property cannot be expanded ({path}).");
                    return Err(Refusal::invalid(message).param("expand").into());
                }
            };
        }
    }
    Ok(())
}

/// Expands every path in `wanted`, which [`check`] has let through.
pub fn expand(b: &mut Books, body: &mut Value, wanted: &[String]) -> Reply<()> {
    for path in wanted {
        let parts: Vec<&str> = path.split('.').collect();
        walk(b, body, &parts)?;
    }
    Ok(())
}

fn walk(b: &mut Books, body: &mut Value, parts: &[&str]) -> Reply<()> {
    let Some((field, rest)) = parts.split_first() else {
        return Ok(());
    };
    if text(body, "object") == "list" && *field == "data" {
        if let Some(items) = body["data"].as_array_mut() {
            for item in items {
                walk(b, item, rest)?;
            }
        }
        return Ok(());
    }
    fill(b, body, field)?;
    if body[*field].is_object() {
        walk(b, &mut body[*field], rest)
    } else {
        Ok(())
    }
}

fn fill(b: &mut Books, body: &mut Value, field: &str) -> Reply<()> {
    let id = text(body, "id").to_string();
    match (text(body, "object"), field) {
        ("checkout.session", "line_items") => {
            if let Some(r) = store::find(b.conn, &id)? {
                body["line_items"] = sessions::line_items(&r);
            }
        }
        ("charge", "refunds") => {
            let filter = Filter {
                charge: Some(id.clone()),
                ..Filter::default()
            };
            let rows = b.all("refund", &filter)?;
            body["refunds"] = list_of(bodies(rows), false, &format!("/v1/charges/{id}/refunds"));
        }
        _ => {
            if let Some(named) = body[field].as_str().map(String::from) {
                // An object that was deleted since stays an id, as it was.
                if let Some(r) = store::find(b.conn, &named)? {
                    body[field] = r.body;
                } else {
                    body[field] = json!(named);
                }
            }
        }
    }
    Ok(())
}
