//! Answers: what a call gives back, refusals as RFC 9457 problems, and the same answer again to the same key.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use diesel::Connection;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ask::Keyed;
use crate::store::{Conn, StoreError, Tx, misc};
use crate::web::guard::{Refusal, TooMany};
use crate::workflows::desk::{Desk, Problem};
use crate::workflows::office::Office;

/// What a call gives back. Kept as it is where the call carries a key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// The HTTP status.
    #[serde(skip)]
    pub(super) status: u16,
    /// Where the new thing is.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) location: Option<String>,
    /// The JSON.
    pub(super) body: Value,
}

impl Answer {
    /// 200 with this.
    pub(super) fn ok(body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self {
            status: 200,
            location: None,
            body: serde_json::to_value(body)?,
        })
    }

    /// 201 with this, which is found there.
    pub(super) fn created(location: String, body: &impl Serialize) -> Result<Self, Problem> {
        Ok(Self {
            status: 201,
            location: Some(location),
            body: serde_json::to_value(body)?,
        })
    }

    fn refused(refusal: &Refusal) -> Self {
        Self {
            status: refusal.status.as_u16(),
            location: None,
            body: problem_body(refusal),
        }
    }

    /// The response.
    pub(super) fn respond(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = HttpResponse::build(status);
        // Orders and money are nobody's business but the caller's.
        response.insert_header((CACHE_CONTROL, "no-store"));
        if let Some(location) = &self.location {
            response.insert_header((LOCATION, location.as_str()));
        }
        if status.is_client_error() || status.is_server_error() {
            response.content_type("application/problem+json");
        } else {
            response.content_type("application/json");
        }
        response.body(self.body.to_string())
    }
}

fn problem_body(refusal: &Refusal) -> Value {
    let mut body = serde_json::json!({
        "type": refusal.kind,
        "title": refusal.title,
        "status": refusal.status.as_u16(),
        "detail": refusal.detail,
    });
    if refusal.status == StatusCode::UNPROCESSABLE_ENTITY {
        body["errors"] = refusal
            .errors
            .iter()
            .map(|error| serde_json::json!({"field": error.field, "message": error.message}))
            .collect();
    }
    body
}

/// A refusal as an RFC 9457 problem.
pub fn problem(refusal: &Refusal) -> HttpResponse {
    let mut response = Answer::refused(refusal).respond();
    if let Some(seconds) = refusal.retry_after {
        response.headers_mut().insert(RETRY_AFTER, seconds.into());
    }
    if refusal.status == StatusCode::UNAUTHORIZED {
        response.headers_mut().insert(
            WWW_AUTHENTICATE,
            actix_web::http::header::HeaderValue::from_static("Bearer"),
        );
    }
    response
}

/// How a call ends otherwise.
#[derive(Debug)]
pub(super) struct Fault(pub(super) Refusal);

impl Fault {
    pub(super) fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self(Refusal::new(status, kind, title, detail))
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.detail)
    }
}

impl ResponseError for Fault {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse<BoxBody> {
        problem(&self.0)
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Self(problem.into())
    }
}

impl From<StoreError> for Fault {
    fn from(e: StoreError) -> Self {
        Problem::from(e).into()
    }
}

impl From<TooMany> for Fault {
    fn from(too_many: TooMany) -> Self {
        Self(too_many.into())
    }
}

/// What every handler gives.
pub(super) type Response = Result<HttpResponse, Fault>;

/// Whether a problem is an answer for good, as opposed to one that another try may not meet.
pub(super) fn is_answer(problem: &Problem) -> bool {
    matches!(
        problem,
        Problem::NotFound(_) | Problem::Conflict { .. } | Problem::Invalid(_)
    )
}

/// Where a key stands.
pub(super) enum Claim {
    /// Nobody used it, or its first call never came to an answer.
    Open,
    /// Its first call's answer.
    Answered(Box<Answer>),
    /// Another request used it.
    Reused,
}

/// Claims a key for a request, in the caller's transaction.
pub(super) fn claim(tx: &mut Tx, keyed: &Keyed) -> Result<Claim, Problem> {
    let now = tx.now.naive_utc();
    if misc::claim_api_key(tx.conn, &keyed.scope, &keyed.key, &keyed.request, now)? {
        return Ok(Claim::Open);
    }
    let Some(kept) = misc::api_answer(tx.conn, &keyed.scope, &keyed.key)? else {
        return Err(Problem::Again("a key was released in between".into()));
    };
    if kept.request_hash != keyed.request {
        return Ok(Claim::Reused);
    }
    let (Some(status), Some(body)) = (kept.status, kept.body) else {
        return Ok(Claim::Open);
    };
    let mut answer: Answer = serde_json::from_str(&body)?;
    answer.status = u16::try_from(status)
        .map_err(|_| Problem::Internal(format!("a kept answer has the status {status}")))?;
    Ok(Claim::Answered(Box::new(answer)))
}

/// Keeps the answer to a claimed key.
pub(super) fn keep(tx: &mut Tx, keyed: &Keyed, answer: &Answer) -> Result<(), Problem> {
    let body = serde_json::to_string(answer)?;
    let status = i32::from(answer.status);
    misc::keep_api_answer(tx.conn, &keyed.scope, &keyed.key, status, &body)?;
    Ok(())
}

/// A problem as the answer that is kept for it.
pub(super) fn refused(problem: Problem) -> Answer {
    Answer::refused(&problem.into())
}

/// What is told where a key was used for something else.
pub(super) fn reused() -> Problem {
    Problem::conflict(
        "idempotency-key-reused",
        "This Idempotency-Key was used for another request already. Make a new key for a new request.",
    )
}

/// Runs a call that changes something. With a key, claim, effect and answer are one transaction: the call happens
/// once, and its repeat, even after a crash, is given the first answer.
pub(super) async fn change<F>(office: &Office, keyed: Option<Keyed>, effect: F) -> Response
where
    F: Fn(&Desk, &mut Tx) -> Result<Answer, Problem> + Send + 'static,
{
    let Some(keyed) = keyed else {
        return Ok(office.write(effect).await?.respond());
    };
    let (answer, again) = office
        .write(move |desk, tx| -> Result<(Answer, bool), Problem> {
            match claim(tx, &keyed)? {
                Claim::Answered(answer) => return Ok((*answer, true)),
                Claim::Reused => return Err(reused()),
                Claim::Open => {}
            }
            let answer = match taken_back_on_error(tx, |tx| effect(desk, tx)) {
                Ok(answer) => answer,
                Err(problem) if is_answer(&problem) => refused(problem),
                Err(problem) => return Err(problem),
            };
            keep(tx, &keyed, &answer)?;
            Ok((answer, false))
        })
        .await?;
    Ok(replayed(&answer, again))
}

/// The response, marked where it is an earlier call's.
pub(super) fn replayed(answer: &Answer, again: bool) -> HttpResponse {
    let mut response = answer.respond();
    if again {
        response.headers_mut().insert(
            actix_web::http::header::HeaderName::from_static("idempotency-replayed"),
            actix_web::http::header::HeaderValue::from_static("true"),
        );
    }
    response
}

/// Runs a step so that its failure takes back only itself: a refusal is kept without half of an effect.
fn taken_back_on_error<T>(
    tx: &mut Tx,
    step: impl FnOnce(&mut Tx) -> Result<T, Problem>,
) -> Result<T, Problem> {
    let now = tx.now;
    let (value, effects) = tx.conn.transaction(|conn: &mut Conn| {
        let mut inner = Tx::new(conn, now);
        let value = step(&mut inner)?;
        Ok::<_, Problem>((value, inner.effects))
    })?;
    for campaign in effects.touched {
        tx.touch(campaign);
    }
    tx.effects.work |= effects.work;
    Ok(value)
}
