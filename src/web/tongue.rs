//! How amounts are written for a visitor: by his `Accept-Language`, while his page is drawn.
//!
//! What is told to everybody alike, papers, mails, the panel and the API, does not go through here.

use std::future::Future;

use actix_web::http::header::{ACCEPT_LANGUAGE, HeaderMap};

use crate::domain::currency::Currency;
use crate::domain::money::Money;
use crate::domain::written::Written;

tokio::task_local! {
    static WRITTEN: Written;
}

/// The languages that a visitor reads, as his browser names them; empty where it names none.
pub fn spoken(headers: &HeaderMap) -> &str {
    let named = headers.get(ACCEPT_LANGUAGE).and_then(|h| h.to_str().ok());
    named.unwrap_or_default()
}

/// How a visitor's language writes amounts.
pub fn of(headers: &HeaderMap) -> Written {
    Written::for_header(spoken(headers))
}

/// Draws so while a request is answered.
pub async fn during<F: Future>(written: Written, answer: F) -> F::Output {
    WRITTEN.scope(written, answer).await
}

/// Draws so what is drawn aside: in a reader's thread, for many.
pub fn within<T>(written: Written, draw: impl FnOnce() -> T) -> T {
    WRITTEN.sync_scope(written, draw)
}

/// An amount as the visitor reads it; as in English where nobody asks for another language.
pub fn say(amount: i64, code: &str) -> String {
    match Currency::parse(code) {
        Some(currency) => {
            let written = WRITTEN.try_with(|written| *written).unwrap_or_default();
            written.money(Money::new(amount, currency))
        }
        None => format!("{amount} {code}"),
    }
}

/// An amount as the visitor reads it, where there is one.
pub fn nonzero_said(amount: i64, code: &str) -> Option<String> {
    (amount > 0).then(|| say(amount, code))
}
