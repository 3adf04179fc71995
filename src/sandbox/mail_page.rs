//! The mailbox: what the program would have sent, as a page or as JSON.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;

use super::Sandbox;
use super::hooks::Mail;
use super::pay::{html, moment};

/// The page of this file.
pub fn routes(cfg: &mut web::ServiceConfig) {
    cfg.route("/mail", web::get().to(show));
}

struct Shown {
    mail: Mail,
    at: String,
    parts: Vec<Part>,
}

/// A piece of a mail's text: words, or an address that can be followed.
struct Part {
    words: String,
    link: bool,
}

#[derive(Template)]
#[template(path = "sandbox/mail.html")]
struct MailPage {
    mails: Vec<Shown>,
}

async fn show(sandbox: web::Data<Sandbox>, req: HttpRequest) -> HttpResponse {
    let mails = match sandbox.hooks() {
        Some(hooks) => hooks.mailbox.list().await,
        None => Ok(Vec::new()),
    };
    let mails = match mails {
        Ok(mails) => mails,
        Err(e) => {
            log::error!("sandbox: mailbox: {e}");
            return HttpResponse::ServiceUnavailable().body("The mailbox can't be read now.");
        }
    };
    let accept = req
        .headers()
        .get(header::ACCEPT)
        .and_then(|v| v.to_str().ok());
    if accept.is_some_and(|a| a.contains("application/json")) {
        return HttpResponse::Ok().json(mails);
    }
    // On the page the newest stands first; the JSON is oldest first (contracts).
    let mails = mails
        .into_iter()
        .rev()
        .map(|mail| Shown {
            at: moment(mail.at.timestamp()),
            parts: parts(&mail.text),
            mail,
        })
        .collect();
    html(StatusCode::OK, &MailPage { mails })
}

/// Takes a text apart at its web addresses.
fn parts(text: &str) -> Vec<Part> {
    let mut out = Vec::new();
    let mut words = String::new();
    for piece in text.split_inclusive(char::is_whitespace) {
        let address = piece.trim_end();
        if address.starts_with("http://") || address.starts_with("https://") {
            out.push(Part {
                words: std::mem::take(&mut words),
                link: false,
            });
            out.push(Part {
                words: address.into(),
                link: true,
            });
            words.push_str(&piece[address.len()..]);
        } else {
            words.push_str(piece);
        }
    }
    out.push(Part { words, link: false });
    out
}
