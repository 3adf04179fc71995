//! Requests that change something come from our own pages or from programs, never from another site's page.
//!
//! Browsers say where a request was started: `Sec-Fetch-Site`, or else `Origin`. Cached pages therefore need no token in
//! their forms.

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, ORIGIN};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpRequest, HttpResponse};

use super::{Refusal, guards};
use crate::web::view::Shell;
use crate::web::{api, pages, theme};

/// Middleware that refuses what another site's page started, and gives words to what the router refuses without any: a
/// method that an address does not have.
///
/// # Errors
/// What the service behind it answers.
pub async fn refuse_cross_site<B: MessageBody + 'static>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let own = guards(req.request()).map_or("", |guards| guards.origin.as_str());
    if is_ours(req.method(), req.path(), req.headers(), own) {
        let answer = next.call(req).await?;
        if answer.status() == StatusCode::METHOD_NOT_ALLOWED
            && !answer.headers().contains_key(CONTENT_TYPE)
        {
            let words = no_such_method(answer.request());
            return Ok(answer.into_response(words).map_into_right_body());
        }
        return Ok(answer.map_into_left_body());
    }
    let refusal = Refusal::new(
        StatusCode::FORBIDDEN,
        "cross-site",
        "The request came from another site",
        "This was sent from another site's page, so nothing was done. Open the page here and send it again.",
    );
    let answer = if req.path().starts_with("/api/") {
        api::problem(&refusal)
    } else {
        HttpResponse::build(refusal.status)
            .content_type("text/plain; charset=utf-8")
            .body(refusal.detail)
    };
    Ok(req.into_response(answer).map_into_right_body())
}

fn no_such_method(request: &HttpRequest) -> HttpResponse {
    let path = request.path();
    if path.starts_with("/api/") || path.starts_with("/webhooks/") {
        return api::problem(&Refusal::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "Not with this method",
            "This address is asked with another method.",
        ));
    }
    let is_sandbox = guards(request).is_some_and(|guards| guards.spare_loopback);
    let shell = Shell::public(theme::of(request), "/", is_sandbox);
    pages::refuse(shell, StatusCode::METHOD_NOT_ALLOWED)
}

fn is_ours(method: &Method, path: &str, headers: &HeaderMap, own: &str) -> bool {
    if method.is_safe() || path == "/webhooks/stripe" || path.starts_with("/sandbox/") {
        return true;
    }
    // A page cannot make a browser send somebody else's key.
    if path.starts_with("/api/") && headers.contains_key(AUTHORIZATION) {
        return true;
    }
    if let Some(site) = headers.get("sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    headers
        .get(ORIGIN)
        .is_none_or(|origin| origin.to_str().is_ok_and(|origin| origin == own))
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    fn passes(method: Method, path: &str, lines: &[(&'static str, &'static str)]) -> bool {
        let headers = lines
            .iter()
            .map(|(name, value)| {
                (
                    HeaderName::from_static(name),
                    HeaderValue::from_static(value),
                )
            })
            .collect();
        is_ours(&method, path, &headers, "https://shop.example")
    }

    #[test]
    fn a_form_on_another_site_is_refused() {
        for said in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("sec-fetch-site", "nonsense"),
            ("origin", "https://evil.example"),
            ("origin", "http://shop.example"),
            ("origin", "null"),
        ] {
            assert!(
                !passes(Method::POST, "/c/keyboard/orders", &[said]),
                "{said:?}"
            );
            assert!(!passes(
                Method::POST,
                "/api/v1/campaigns/keyboard/orders",
                &[said]
            ));
            assert!(passes(Method::GET, "/c/keyboard", &[said]));
            assert!(passes(Method::POST, "/webhooks/stripe", &[said]));
            assert!(passes(Method::POST, "/sandbox/clock", &[said]));
            let key = ("authorization", "Bearer mk_x");
            assert!(passes(Method::POST, "/api/v1/campaigns", &[said, key]));
            assert!(!passes(Method::POST, "/admin/campaigns", &[said, key]));
        }
    }

    #[test]
    fn our_own_forms_and_programs_are_served() {
        for said in [
            &[
                ("sec-fetch-site", "same-origin"),
                ("origin", "http://localhost:8080"),
            ][..],
            &[("sec-fetch-site", "none")],
            &[("origin", "https://shop.example")],
            &[],
        ] {
            assert!(passes(Method::POST, "/c/keyboard/orders", said), "{said:?}");
        }
    }
}
