//! The headers that tell a browser what our pages never do.

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{
    CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS,
};
use actix_web::middleware::Next;

use super::guards;
use crate::web::tongue;

/// The headers that depend on the settings.
pub(super) struct Policy {
    content: HeaderValue,
    https: bool,
}

impl Policy {
    /// The policy of a server with this public origin.
    pub(super) fn new(origin: &str, https: bool) -> Self {
        // Joining is a form whose answer leads on to the provider's page, and browsers hold the policy against
        // that too.
        let content = format!(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; font-src 'self'; \
             connect-src 'self'; form-action 'self' https://checkout.stripe.com {origin}; base-uri 'none'; \
             frame-ancestors 'none'"
        );
        Self {
            content: HeaderValue::from_str(&content)
                .unwrap_or_else(|_| HeaderValue::from_static("default-src 'none'")),
            https,
        }
    }
}

/// Middleware that sets the headers where a handler has not set its own.
///
/// # Errors
/// What the service behind it answers.
pub async fn security_headers<B: MessageBody>(
    req: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let signed = ["/o/", "/s/", "/d/", "/i/", "/v/"]
        .iter()
        .any(|link| req.path().starts_with(link));
    let written = tongue::of(req.headers());
    let mut res = tongue::during(written, next.call(req)).await?;
    let policy = guards(res.request()).map(|guards| {
        let policy = &guards.headers;
        (policy.content.clone(), policy.https)
    });
    let headers = res.headers_mut();
    let mut set = |name: HeaderName, value: HeaderValue| {
        if !headers.contains_key(&name) {
            headers.insert(name, value);
        }
    };
    if let Some((content, https)) = policy {
        set(CONTENT_SECURITY_POLICY, content);
        if https {
            let year = HeaderValue::from_static("max-age=31536000");
            set(STRICT_TRANSPORT_SECURITY, year);
        }
    }
    set(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    // A signed link is a key: no other page learns of it.
    let referrer = if signed { "no-referrer" } else { "same-origin" };
    set(REFERRER_POLICY, HeaderValue::from_static(referrer));
    set(
        HeaderName::from_static("permissions-policy"),
        HeaderValue::from_static(
            "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
        ),
    );
    Ok(res)
}
