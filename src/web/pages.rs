//! Turns view models into answers.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, HttpResponseBuilder};
use askama::Template;

use super::view::{RefusalPage, Shell};

/// What a page may do: its own files and forms, pictures of its own, nothing inline, and in no frame. Checkout is
/// reached by redirect after a form, which browsers check against `form-action`, so that is left open.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
     connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

/// An answer with the headers every page has.
pub fn answer(status: StatusCode) -> HttpResponseBuilder {
    let mut builder = HttpResponse::build(status);
    builder
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::REFERRER_POLICY, "same-origin"));
    builder
}

/// A page of a person, or the answer to a form: never kept by anybody.
pub fn private(status: StatusCode, page: &impl Template) -> HttpResponse {
    match page.render() {
        Ok(html) => answer(status)
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(html),
        Err(error) => {
            log::error!("a page could not be drawn: {error}");
            answer(StatusCode::INTERNAL_SERVER_ERROR)
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .body("<!doctype html><title>Error</title><p>The page could not be drawn.</p>")
        }
    }
}

/// The error page of a status, with its usual words.
pub fn refuse(shell: Shell, status: StatusCode) -> HttpResponse {
    refusal(&RefusalPage::new(shell, status.as_u16()))
}

/// An error page with words of its own.
pub fn refusal(page: &RefusalPage) -> HttpResponse {
    let status = StatusCode::from_u16(page.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    private(status, page)
}

/// 303 to another page, after a form.
pub fn see_other(to: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, to))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}
