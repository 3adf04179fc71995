//! The hosted pay page and the bank's question (3-D Secure).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use askama::Template;
use serde_json::Value;

use super::Sandbox;
use super::books::{Books, number, text, text_or_none};
use super::cards::{CARDS, Charge};
use super::errors::{Failure, Reply};
use super::lane::LaneError;
use super::pay_try::{self, Tried, Typed};
use super::store;

/// The pages of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.service(
        web::resource("/pay/{session}")
            .route(web::get().to(show))
            .route(web::post().to(press)),
    );
    cfg.service(
        web::resource("/authenticate/{intent}")
            .route(web::get().to(ask))
            .route(web::post().to(answer)),
    );
}

/// One line of what is paid.
struct Line {
    what: String,
    note: String,
    amount: String,
}

/// One card to try.
struct ToTry {
    number: String,
    note: &'static str,
    tone: &'static str,
}

#[derive(PartialEq, Eq, Clone, Copy)]
enum State {
    Open,
    Asks,
    Expired,
    Complete,
}

#[derive(Template)]
#[template(path = "sandbox/pay.html")]
struct PayPage {
    state: State,
    saves: bool,
    total: String,
    lines: Vec<Line>,
    image: Option<String>,
    cancel_url: Option<String>,
    done_url: String,
    until: String,
    email: Option<String>,
    typed: Typed,
    error: Option<String>,
    field: &'static str,
    cards: Vec<ToTry>,
}

#[derive(Template)]
#[template(path = "sandbox/authenticate.html")]
struct AskPage {
    open: bool,
    amount: String,
}

/// What a page may load and send; no script, no inline style. A form may lead to the shop, wherever it is.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self' data: http: https:; form-action 'self' http: \
                      https:; base-uri 'none'; frame-ancestors 'none'";

/// A rendered page, or 500 where a template fails.
pub fn html(status: StatusCode, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(text) => HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header((header::REFERRER_POLICY, "same-origin"))
            .body(text),
        Err(e) => {
            log::error!("sandbox: a page could not be made: {e}");
            HttpResponse::InternalServerError().body("The sandbox could not make this page.")
        }
    }
}

/// 303.
pub fn see_other(to: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, to))
        .finish()
}

/// The fields of a posted form, by name.
pub fn fields(body: &[u8]) -> std::collections::HashMap<String, String> {
    url::form_urlencoded::parse(body)
        .map(|(name, value)| (name.into_owned(), value.chars().take(200).collect()))
        .collect()
}

fn broken(e: &LaneError) -> HttpResponse {
    log::error!("sandbox: pay page: {e}");
    HttpResponse::ServiceUnavailable()
        .insert_header((header::RETRY_AFTER, "1"))
        .body("The sandbox can't keep its books at the moment; nothing was charged. Try again.")
}

#[derive(Template)]
#[template(path = "sandbox/missing.html")]
struct MissingPage;

fn missing() -> HttpResponse {
    html(StatusCode::NOT_FOUND, &MissingPage)
}

/// Whether a refusal can be told apart from broken books.
fn unrefused<T>(reply: Reply<T>) -> Result<Option<T>, diesel::result::Error> {
    match reply {
        Ok(value) => Ok(Some(value)),
        Err(Failure::Broken(e)) => Err(e),
        Err(Failure::Refused(r)) => {
            log::warn!("sandbox: pay page: {}", r.message);
            Ok(None)
        }
    }
}

async fn show(sandbox: web::Data<Sandbox>, id: web::Path<String>) -> HttpResponse {
    let id = id.into_inner();
    match sandbox.read(move |b| page(b, &id, Typed::default())).await {
        Ok(Some(page)) => html(StatusCode::OK, &page),
        Ok(None) => missing(),
        Err(e) => broken(&e),
    }
}

async fn press(
    sandbox: web::Data<Sandbox>,
    id: web::Path<String>,
    body: web::Bytes,
) -> HttpResponse {
    let id = id.into_inner();
    let mut form = fields(&body);
    let mut take = |name: &str| form.remove(name).unwrap_or_default().trim().to_string();
    let typed = Typed {
        card: take("card"),
        exp: take("exp"),
        cvc: take("cvc"),
        email: take("email"),
        outcome: take("outcome"),
    };
    let done = sandbox
        .write(None, move |b| {
            let Some(tried) = unrefused(pay_try::press(b, &id, &typed))? else {
                return Ok(None);
            };
            let page = match &tried {
                Tried::Done(_) | Tried::Missing => None,
                _ => page(b, &id, typed)?,
            };
            Ok(Some((tried, page)))
        })
        .await;
    match done {
        Ok(Some((Tried::Done(address), _))) => see_other(&address),
        Ok(Some((Tried::Declined(words, field), Some(mut page)))) => {
            page.error = Some(words);
            page.field = field.unwrap_or_default();
            html(StatusCode::PAYMENT_REQUIRED, &page)
        }
        Ok(Some((Tried::Asks, Some(mut page)))) => {
            page.state = State::Asks;
            html(StatusCode::OK, &page)
        }
        Ok(Some((Tried::Expired, Some(page)))) => html(StatusCode::GONE, &page),
        Ok(_) => missing(),
        Err(e) => broken(&e),
    }
}

fn page(b: &mut Books, id: &str, typed: Typed) -> Result<Option<PayPage>, diesel::result::Error> {
    let Some(r) = store::find(b.conn, id)?.filter(|r| r.kind == "checkout.session") else {
        return Ok(None);
    };
    let lines = r.hidden["lines"].as_array().cloned().unwrap_or_default();
    let currency = text(&r.body, "currency");
    let expires_at = number(&r.body, "expires_at");
    let state = match text(&r.body, "status") {
        "complete" => State::Complete,
        "open" if expires_at > b.now => State::Open,
        _ => State::Expired,
    };
    Ok(Some(PayPage {
        state,
        saves: text(&r.body, "mode") == "setup",
        total: money(number(&r.body, "amount_total"), currency),
        image: lines
            .iter()
            .find_map(|l| text_or_none(&l["shown"], "image")),
        lines: lines.iter().map(|l| line(l, currency)).collect(),
        cancel_url: text_or_none(&r.body, "cancel_url")
            .map(|u| u.replace("{CHECKOUT_SESSION_ID}", id)),
        done_url: pay_try::success_address(&r.body),
        until: moment(expires_at),
        email: text_or_none(&r.body, "customer_email"),
        typed,
        error: None,
        field: "",
        cards: to_try(),
    }))
}

fn line(l: &Value, currency: &str) -> Line {
    let quantity = number(l, "quantity");
    let name = text(l, "description");
    Line {
        what: if quantity == 1 {
            name.into()
        } else {
            format!("{quantity} \u{d7} {name}")
        },
        note: text(&l["shown"], "description").into(),
        amount: money(number(l, "amount_total"), currency),
    }
}

fn to_try() -> Vec<ToTry> {
    CARDS
        .iter()
        .map(|c| ToTry {
            number: grouped(c.number),
            note: c.note,
            tone: match c.charge {
                Charge::Declined(_) => "bad",
                Charge::Pays if c.asks == super::cards::Asks::Never => "good",
                _ => "wait",
            },
        })
        .collect()
}

fn grouped(number: &str) -> String {
    let digits: Vec<char> = number.chars().collect();
    digits
        .chunks(4)
        .map(|c| c.iter().collect::<String>())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A moment as `31 May 2027, 10:00 UTC`.
pub fn moment(unix: i64) -> String {
    chrono::DateTime::from_timestamp(unix, 0)
        .map(|t| t.format("%-d %B %Y, %H:%M UTC").to_string())
        .unwrap_or_default()
}

/// Money with its minor units, as many as the currency has.
pub fn money(amount: i64, currency: &str) -> String {
    let places = match currency {
        "bif" | "clp" | "djf" | "gnf" | "jpy" | "kmf" | "krw" | "mga" | "pyg" | "rwf" | "ugx"
        | "vnd" | "vuv" | "xaf" | "xof" | "xpf" => 0,
        "bhd" | "jod" | "kwd" | "omr" | "tnd" => 3,
        _ => 2,
    };
    let unit = 10_u64.pow(places);
    let (whole, rest) = (amount.unsigned_abs() / unit, amount.unsigned_abs() % unit);
    let sign = if amount < 0 { "\u{2212}" } else { "" };
    let whole = thousands(whole);
    let digits = match places {
        0 => whole,
        n => format!("{whole}.{rest:0n$}", n = n as usize),
    };
    match currency {
        "usd" => format!("{sign}${digits}"),
        "eur" => format!("{sign}€{digits}"),
        "gbp" => format!("{sign}£{digits}"),
        other => format!("{sign}{digits} {}", other.to_uppercase()),
    }
}

async fn ask(sandbox: web::Data<Sandbox>, id: web::Path<String>) -> HttpResponse {
    let id = id.into_inner();
    let found = sandbox.read(move |b| store::find(b.conn, &id)).await;
    match found {
        Ok(Some(r)) => {
            let amount = number(&r.body, "amount");
            let amount = if amount == 0 {
                String::new()
            } else {
                money(amount, text(&r.body, "currency"))
            };
            let open = text(&r.body, "status") == "requires_action";
            html(StatusCode::OK, &AskPage { open, amount })
        }
        Ok(None) => missing(),
        Err(e) => broken(&e),
    }
}

async fn answer(
    sandbox: web::Data<Sandbox>,
    id: web::Path<String>,
    body: web::Bytes,
) -> HttpResponse {
    let id = id.into_inner();
    let yes = match fields(&body).get("outcome").map(String::as_str) {
        Some("succeed") => true,
        Some("fail") => false,
        _ => return HttpResponse::UnprocessableEntity().body("outcome must be succeed or fail"),
    };
    let here = format!("/sandbox/authenticate/{id}");
    let done = sandbox
        .write(None, move |b| {
            Ok(unrefused(pay_try::answer_bank(b, &id, yes))?.flatten())
        })
        .await;
    match done {
        Ok(Some(back)) => see_other(back.as_deref().unwrap_or(&here)),
        Ok(None) => missing(),
        Err(e) => broken(&e),
    }
}

/// Digits in groups of three: "15,274".
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
