//! The control page `/sandbox`: the clock, what is to go wrong, open pay pages, disputes. Clock and faults answer JSON to
//! programs and lead a form back to the page.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Sandbox;
use super::api::disputes;
use super::books::{Books, number, text};
use super::faults::{ALLOWED, Complaint};
use super::moves::MoveError;
use super::pay::{fields, html, moment, money, see_other};
use super::store::{self, Filter, Page, delivery};
use crate::workflows::ports::Clock;

/// The pages of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.route("", web::get().to(show));
    cfg.route("/", web::get().to(show));
    cfg.service(
        web::resource("/clock")
            .route(web::get().to(clock))
            .route(web::post().to(set_clock)),
    );
    cfg.service(
        web::resource("/faults")
            .route(web::get().to(faults))
            .route(web::post().to(set_faults)),
    );
    cfg.route("/disputes/{id}", web::post().to(decide));
}

/// The longest move, in seconds: ten years.
const FARTHEST: i64 = 10 * 366 * 24 * 3600;

struct Fault {
    name: &'static str,
    label: &'static str,
    words: Vec<Choice>,
}

/// One thing that can be set: its word in the API, and what people read.
struct Choice {
    word: &'static str,
    label: &'static str,
    set: bool,
}

struct Open {
    id: String,
    what: String,
    until: String,
}

struct Dispute {
    id: String,
    what: String,
    open: bool,
    status: String,
}

#[derive(Template)]
#[template(path = "sandbox/control.html")]
struct ControlPage {
    now: String,
    ahead: String,
    faults: Vec<Fault>,
    any: bool,
    sessions: Vec<Open>,
    disputes: Vec<Dispute>,
    waiting: i64,
    balance: Vec<String>,
}

async fn show(sandbox: web::Data<Sandbox>) -> HttpResponse {
    let set = json!(sandbox.faults());
    let faults = ALLOWED
        .iter()
        .map(|(name, words)| Fault {
            name,
            label: said(name, ""),
            words: words
                .iter()
                .map(|word| Choice {
                    word,
                    label: said(name, word),
                    set: set[*name] == *word,
                })
                .collect(),
        })
        .collect();
    let any = sandbox.faults().any();
    let ahead = ahead(sandbox.inner.clock.offset_ms());
    let page = sandbox
        .read(move |b| {
            Ok(ControlPage {
                now: moment(b.now),
                ahead,
                faults,
                any,
                sessions: sessions(b)?,
                disputes: disputes_of(b)?,
                waiting: waiting(b)?,
                balance: balance(b)?,
            })
        })
        .await;
    match page {
        Ok(page) => html(StatusCode::OK, &page),
        Err(e) => unavailable(&e.to_string()),
    }
}

/// What people read for a fault, or for one of its words.
fn said(fault: &'static str, word: &'static str) -> &'static str {
    match (fault, word) {
        ("webhooks", "") => "How webhooks arrive",
        ("api", "") => "How the provider answers",
        ("balance", "") => "Money for refunds",
        ("webhooks", "normal") => "Once, at once",
        ("webhooks", "duplicate") => "Each twice",
        ("webhooks", "reorder") => "Held a moment, newest first",
        ("webhooks", "delay") => "Ten minutes late",
        ("webhooks", "drop") => "Never",
        ("api", "normal") => "As asked",
        ("api", "error_after_effect") => "Does it, then says it failed",
        ("api", "hang_after_effect") => "Does it, then says nothing",
        ("api", "rate_limit") => "Too many calls, nothing done",
        ("api", "down") => "Not at all",
        ("balance", "normal") => "As the books say",
        ("balance", "short") => "None: refunds stay pending",
        (_, "") => fault,
        (_, word) => word,
    }
}

fn ahead(offset_ms: i64) -> String {
    let hours = offset_ms / 3_600_000;
    match (hours / 24, hours % 24) {
        (0, 0) => "the machine's own time".into(),
        (days, hours) => format!("{days} days {hours} hours ahead of the machine's clock"),
    }
}

fn newest(
    b: &mut Books,
    kind: &str,
    tags: &[&str],
) -> Result<Vec<store::Record>, diesel::result::Error> {
    let page = Page {
        limit: 20,
        starting_after: None,
        ending_before: None,
    };
    let filter = Filter {
        tags: tags.iter().map(|t| t.to_string()).collect(),
        ..Filter::default()
    };
    match store::list(b.conn, kind, &filter, &page) {
        Ok((rows, _)) => Ok(rows),
        Err(super::errors::Failure::Broken(e)) => Err(e),
        Err(super::errors::Failure::Refused(_)) => Ok(Vec::new()),
    }
}

fn sessions(b: &mut Books) -> Result<Vec<Open>, diesel::result::Error> {
    let rows = newest(b, "checkout.session", &["open"])?;
    Ok(rows
        .into_iter()
        .map(|r| Open {
            what: money(number(&r.body, "amount_total"), text(&r.body, "currency")),
            until: moment(number(&r.body, "expires_at")),
            id: r.id,
        })
        .collect())
}

fn disputes_of(b: &mut Books) -> Result<Vec<Dispute>, diesel::result::Error> {
    let rows = newest(b, "dispute", &[])?;
    Ok(rows
        .into_iter()
        .map(|r| Dispute {
            what: money(number(&r.body, "amount"), text(&r.body, "currency")),
            status: text(&r.body, "status").replace('_', " "),
            open: r.due_at.is_some(),
            id: r.id,
        })
        .collect())
}

fn waiting(b: &mut Books) -> Result<i64, diesel::result::Error> {
    use diesel::prelude::*;
    delivery::table.count().get_result(b.conn)
}

fn balance(b: &mut Books) -> Result<Vec<String>, diesel::result::Error> {
    use diesel::prelude::*;
    let rows: Vec<(String, i64)> = store::account::table
        .order(store::account::currency)
        .load(b.conn)?;
    Ok(rows
        .into_iter()
        .map(|(currency, amount)| money(amount, &currency))
        .collect())
}

/// RFC 9457.
fn problem(status: StatusCode, kind: &str, title: &str, errors: &[Complaint]) -> HttpResponse {
    let errors: Vec<Value> = errors
        .iter()
        .map(|(field, message)| json!({ "field": field, "message": message }))
        .collect();
    HttpResponse::build(status).content_type("application/problem+json").body(
        json!({ "type": kind, "title": title, "status": status.as_u16(), "detail": title, "errors": errors })
            .to_string(),
    )
}

fn unavailable(detail: &str) -> HttpResponse {
    log::error!("sandbox: control page: {detail}");
    problem(
        StatusCode::SERVICE_UNAVAILABLE,
        "unavailable",
        "The sandbox can't keep its books.",
        &[],
    )
}

fn is_form(req: &HttpRequest) -> bool {
    let kind = req
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|v| v.to_str().ok());
    kind.is_some_and(|k| k.starts_with("application/x-www-form-urlencoded"))
}

fn time(now: DateTime<Utc>) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "now": now.to_rfc3339_opts(SecondsFormat::Secs, true) }))
}

async fn clock(sandbox: web::Data<Sandbox>) -> HttpResponse {
    time(sandbox.inner.clock.now())
}

/// What a request wants of the clock.
enum Wish {
    Advance(TimeDelta),
    To(DateTime<Utc>),
}

fn wish(req: &HttpRequest, body: &[u8]) -> Result<Wish, Complaint> {
    let said: Value = if is_form(req) {
        let form = fields(body);
        match (form.get("advance_seconds"), form.get("now")) {
            (Some(n), _) => json!({ "advance_seconds": n.parse::<i64>().ok() }),
            // A date and time field of a browser has no zone and may lack seconds; it means UTC.
            (None, Some(at)) if at.len() == 16 => json!({ "now": format!("{at}:00Z") }),
            (None, Some(at)) if !at.ends_with('Z') => json!({ "now": format!("{at}Z") }),
            (None, at) => json!({ "now": at }),
        }
    } else {
        serde_json::from_slice(body).unwrap_or(Value::Null)
    };
    match (&said["advance_seconds"], &said["now"]) {
        (n, Value::Null) if !n.is_null() => match n.as_i64() {
            Some(n) if (0..=FARTHEST).contains(&n) => Ok(Wish::Advance(TimeDelta::seconds(n))),
            _ => {
                let words = format!("must be a whole number from 0 to {FARTHEST}");
                Err(("advance_seconds".into(), words))
            }
        },
        (Value::Null, Value::String(at)) => match DateTime::parse_from_rfc3339(at) {
            Ok(at) => Ok(Wish::To(at.with_timezone(&Utc))),
            Err(_) => Err((
                "now".into(),
                "must be an RFC 3339 time, such as 2026-11-22T10:00:00Z".into(),
            )),
        },
        _ => Err((
            "".into(),
            "must be {\"advance_seconds\": n} or {\"now\": \"...\"}".into(),
        )),
    }
}

async fn set_clock(
    sandbox: web::Data<Sandbox>,
    req: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let wish = match wish(&req, &body) {
        Ok(wish) => wish,
        Err(complaint) => {
            let title = "The clock can't be set to this.";
            return problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                title,
                &[complaint],
            );
        }
    };
    let far = TimeDelta::seconds(FARTHEST);
    if matches!(wish, Wish::To(at) if at > sandbox.inner.clock.now() + far) {
        let complaint = ("now".into(), "must be at most ten years away".into());
        let title = "The clock can't be set to this.";
        return problem(
            StatusCode::UNPROCESSABLE_ENTITY,
            "invalid",
            title,
            &[complaint],
        );
    }
    // In a task of its own: who asked may hang up, a move that began is finished.
    let me = sandbox.get_ref().clone();
    let moved = tokio::spawn(async move {
        match wish {
            Wish::Advance(by) => me.advance_clock(by).await,
            Wish::To(at) => me.move_clock(at).await,
        }
    })
    .await;
    match moved {
        Ok(Ok(_)) if is_form(&req) => see_other("/sandbox"),
        Ok(Ok(now)) => time(now),
        Ok(Err(e @ MoveError::Backwards(_))) => {
            let complaint = ("now".into(), e.to_string());
            let title = "The clock only moves forward.";
            problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                title,
                &[complaint],
            )
        }
        Ok(Err(e)) => unavailable(&e.to_string()),
        Err(e) => unavailable(&e.to_string()),
    }
}

async fn faults(sandbox: web::Data<Sandbox>) -> HttpResponse {
    HttpResponse::Ok().json(sandbox.faults())
}

async fn set_faults(
    sandbox: web::Data<Sandbox>,
    req: HttpRequest,
    body: web::Bytes,
) -> HttpResponse {
    let change = if is_form(&req) {
        json!(fields(&body))
    } else {
        serde_json::from_slice(&body).unwrap_or(Value::Null)
    };
    let wanted = match sandbox.faults().changed(&change) {
        Ok(wanted) => wanted,
        Err(complaints) => {
            let title = "These faults can't be set.";
            return problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                title,
                &complaints,
            );
        }
    };
    match sandbox.set_faults(wanted).await {
        Ok(()) if is_form(&req) => see_other("/sandbox"),
        Ok(()) => HttpResponse::Ok().json(wanted),
        Err(e) => unavailable(&e.to_string()),
    }
}

async fn decide(
    sandbox: web::Data<Sandbox>,
    id: web::Path<String>,
    body: web::Bytes,
) -> HttpResponse {
    let won = match fields(&body).get("outcome").map(String::as_str) {
        Some("won") => true,
        Some("lost") => false,
        _ => {
            let complaint = ("outcome".into(), "must be won or lost".into());
            let title = "A dispute is won or lost.";
            return problem(
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid",
                title,
                &[complaint],
            );
        }
    };
    let id = id.into_inner();
    let done = sandbox
        .write(None, move |b| match store::find(b.conn, &id)? {
            Some(mut r) if r.kind == "dispute" && r.due_at.is_some() => {
                match disputes::decide(b, &mut r, won) {
                    Err(super::errors::Failure::Broken(e)) => Err(e),
                    _ => Ok(()),
                }
            }
            _ => Ok(()),
        })
        .await;
    match done {
        Ok(()) => see_other("/sandbox"),
        Err(e) => unavailable(&e.to_string()),
    }
}
