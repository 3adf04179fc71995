//! The API's way in: authorization, faults, idempotency, and the answer in Stripe's headers.

use actix_web::http::{Method, StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;

use super::errors::{Failure, Refusal};
use super::faults::Api;
use super::form::Form;
use super::idempotency::{self, Answer};
use super::lane::LaneError;
use super::{Sandbox, api};

/// The longest idempotency key.
const LONGEST_KEY: usize = 255;

/// How long a hanging answer is held back at most, in seconds of the machine.
const HANG: u64 = 600;

/// Every call under `/sandbox/stripe/v1/`.
pub async fn api(
    sandbox: web::Data<Sandbox>,
    req: HttpRequest,
    tail: web::Path<String>,
    body: web::Bytes,
) -> HttpResponse {
    let faults = sandbox.faults();
    if faults.api == Api::Down {
        return broken_connection();
    }
    if let Err(refusal) = authorized(&req) {
        return respond(&Answer::of(Err(*refusal)), None);
    }
    if faults.api == Api::RateLimit {
        let message = "Request rate limit exceeded (the sandbox was told to say so).";
        let refusal = Refusal::invalid(message).status(429).code("rate_limit");
        let mut response = respond(&Answer::of(Err(refusal)), None);
        let name = header::HeaderName::from_static("stripe-rate-limited-reason");
        response
            .headers_mut()
            .insert(name, header::HeaderValue::from_static("global-rate"));
        return response;
    }
    let path = tail.into_inner();
    let done = if *req.method() == Method::POST {
        write(&sandbox, &req, "POST", path, &body).await
    } else if *req.method() == Method::DELETE {
        write(&sandbox, &req, "DELETE", path, &body).await
    } else if *req.method() == Method::GET {
        read(&sandbox, path, req.query_string()).await
    } else {
        Ok((
            Answer::of(Err(Refusal::invalid("Unsupported method").status(405))),
            None,
        ))
    };
    match done {
        Ok((answer, key)) => {
            let writes = *req.method() == Method::POST;
            if faults.api == Api::HangAfterEffect && writes && !answer.replayed {
                hang(&sandbox).await;
            }
            respond(&answer, key.as_deref())
        }
        Err(LaneError::Full) => {
            let refusal = Refusal::invalid("Too many requests are waiting; nothing was done.");
            respond(
                &Answer::of(Err(refusal.status(429).code("rate_limit"))),
                None,
            )
        }
        Err(e) => {
            log::error!("sandbox: {} {}: {e}", req.method(), req.path());
            let message = "The sandbox could not keep its books; nothing was done.";
            respond(&Answer::of(Err(Refusal::server(message))), None)
        }
    }
}

type Done = Result<(Answer, Option<String>), LaneError>;

async fn write(
    sandbox: &Sandbox,
    req: &HttpRequest,
    method: &'static str,
    path: String,
    body: &web::Bytes,
) -> Done {
    let key = match key_of(req) {
        Ok(key) => key,
        Err(refusal) => return Ok((Answer::of(Err(*refusal)), None)),
    };
    let form = match std::str::from_utf8(body) {
        Ok(text) => Form::parse(text),
        Err(_) => Err(Refusal::invalid("The request body is not UTF-8.").into()),
    };
    let form = match form {
        Ok(form) => form,
        Err(Failure::Refused(r)) => return Ok((Answer::of(Err(*r)), key)),
        Err(Failure::Broken(e)) => return Err(LaneError::Database(e.to_string())),
    };
    let request = idempotency::fingerprint(method, &path, &form.canonical());
    let answer = sandbox
        .write(key.clone(), move |b| {
            idempotency::once(b, request, |b| match method {
                "DELETE" => api::delete(b, &path, form),
                _ => api::post(b, &path, form),
            })
        })
        .await?;
    Ok((answer, key))
}

async fn read(sandbox: &Sandbox, path: String, query: &str) -> Done {
    let query = query.to_string();
    let answer = sandbox
        .read(
            move |b| match Form::parse(&query).and_then(|form| api::get(b, &path, form)) {
                Ok(body) => Ok(Answer::of(Ok(body))),
                Err(Failure::Refused(r)) => Ok(Answer::of(Err(*r))),
                Err(Failure::Broken(e)) => Err(e),
            },
        )
        .await?;
    Ok((answer, None))
}

fn key_of(req: &HttpRequest) -> Result<Option<String>, Box<Refusal>> {
    let Some(value) = req.headers().get("idempotency-key") else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    if key.is_empty() || key.len() > LONGEST_KEY {
        let message = "Idempotency keys must be 1 to 255 printable ASCII characters long.";
        return Err(Refusal::invalid(message).into());
    }
    Ok(Some(key.to_string()))
}

/// `Bearer sk_test_...`, or the same as the user name of basic authorization, as Stripe takes both.
fn authorized(req: &HttpRequest) -> Result<(), Box<Refusal>> {
    let header = req
        .headers()
        .get(header::AUTHORIZATION)
        .and_then(|v| v.to_str().ok());
    let key = match header.and_then(|h| h.split_once(' ')) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => key.trim().to_string(),
        Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => {
            use base64::Engine;
            let pair = base64::engine::general_purpose::STANDARD.decode(pair.trim());
            let pair = pair
                .ok()
                .and_then(|p| String::from_utf8(p).ok())
                .unwrap_or_default();
            pair.split(':').next().unwrap_or_default().to_string()
        }
        _ => String::new(),
    };
    if key.starts_with("sk_test_") && key.len() > "sk_test_".len() {
        return Ok(());
    }
    let message = if key.is_empty() {
        "You did not provide an API key. Use `Authorization: Bearer sk_test_...`.".to_string()
    } else {
        let shown: String = key.chars().take(8).collect();
        format!(
            "Invalid API Key provided: {shown}****. The sandbox takes any key that begins with sk_test_."
        )
    };
    Err(Refusal::invalid(message).status(401).into())
}

fn respond(answer: &Answer, key: Option<&str>) -> HttpResponse {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = HttpResponse::build(status);
    response
        .content_type("application/json")
        .insert_header(("request-id", super::books::new_id("req_", 14)))
        .insert_header(("stripe-version", super::books::API_VERSION))
        .insert_header((header::CACHE_CONTROL, "no-cache, no-store"));
    if let Some(key) = key {
        response.insert_header(("idempotency-key", key));
    }
    if answer.replayed {
        response.insert_header(("idempotent-replayed", "true"));
    }
    response.body(answer.body.clone())
}

/// An answer whose body fails at once: the server drops the connection before a byte of it is sent, as when nobody
/// is there.
fn broken_connection() -> HttpResponse {
    let gone = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    HttpResponse::ServiceUnavailable()
        .force_close()
        .streaming(stream::once(async { Err::<web::Bytes, _>(gone) }))
}

/// Waits until the caller has given up (then this is dropped), the sandbox stops, or [`HANG`].
async fn hang(sandbox: &Sandbox) {
    let mut stop = sandbox.inner.stop.subscribe();
    let _ = tokio::time::timeout(
        std::time::Duration::from_secs(HANG),
        stop.wait_for(|stopped| *stopped),
    )
    .await;
}
