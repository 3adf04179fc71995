//! A call as it comes in: who asks, under which key, with what body.

use std::future::Future;
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::header::{AUTHORIZATION, CONTENT_TYPE};
use actix_web::http::{Method, StatusCode};
use actix_web::{FromRequest, HttpRequest, web};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::answer::Fault;
use crate::domain::ids::MerchantId;
use crate::store::merchants;
use crate::web::guard::{Client, Guards, Limit};
use crate::workflows::accounts::key_hash;
use crate::workflows::desk::Problem;
use crate::workflows::office::Office;

/// The largest body, in bytes: a campaign with the longest texts fits several times.
pub(super) const MAX_BODY: usize = 512 * 1024;

/// A call that carries an `Idempotency-Key`.
#[derive(Debug, Clone)]
pub(super) struct Keyed {
    /// Whose keys it is among: the merchant's, or everybody's without one.
    pub(super) scope: String,
    /// The key.
    pub(super) key: String,
    /// Hash of method, path and body.
    pub(super) request: Vec<u8>,
}

/// A call.
pub(super) struct Ask {
    pub(super) office: Office,
    pub(super) client: Client,
    guards: Option<web::Data<Guards>>,
    method: Method,
    target: String,
    query: String,
    bearer: Option<Result<String, Fault>>,
    idempotency_key: Option<Result<String, Fault>>,
    content_type: Option<String>,
    body: web::Bytes,
}

impl FromRequest for Ask {
    type Error = Fault;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Fault>>>>;

    fn from_request(req: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let body = web::Bytes::from_request(req, payload);
        let req = req.clone();
        Box::pin(async move {
            let office = req
                .app_data::<web::Data<Office>>()
                .ok_or_else(|| Problem::Internal("the app has no office".into()))?;
            let client = Client::extract(&req)
                .await
                .map_err(|e| Problem::Internal(e.to_string()))?;
            let body = body.await.map_err(|e| unreadable(&e))?;
            let header = |name| {
                req.headers()
                    .get(name)
                    .map(|value| value.to_str().unwrap_or("\u{fffd}").to_owned())
            };
            Ok(Self {
                office: office.get_ref().clone(),
                client,
                guards: req.app_data::<web::Data<Guards>>().cloned(),
                method: req.method().clone(),
                target: req.uri().to_string(),
                query: req.query_string().to_owned(),
                bearer: header(AUTHORIZATION.as_str()).map(bearer),
                idempotency_key: header("idempotency-key").map(idempotency_key),
                content_type: header(CONTENT_TYPE.as_str()),
                body,
            })
        })
    }
}

fn unreadable(e: &actix_web::Error) -> Fault {
    if matches!(e.as_error::<PayloadError>(), Some(PayloadError::Overflow)) {
        return Fault::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            "The body is too large",
            format!("Send at most {MAX_BODY} bytes."),
        );
    }
    Fault::new(
        StatusCode::BAD_REQUEST,
        "unreadable",
        "The body could not be read",
        "The connection broke off, or the body is not what its headers say. Send it again.",
    )
}

fn bearer(value: String) -> Result<String, Fault> {
    match value.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") && !key.trim().is_empty() => {
            Ok(key.trim().to_owned())
        }
        _ => Err(unknown_key()),
    }
}

fn idempotency_key(value: String) -> Result<String, Fault> {
    let fits = (1..=255).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_graphic());
    if fits {
        return Ok(value);
    }
    Err(Fault::new(
        StatusCode::BAD_REQUEST,
        "bad-idempotency-key",
        "The Idempotency-Key is not usable",
        "Write 1 to 255 visible ASCII characters without blanks, such as a UUID.",
    ))
}

fn unknown_key() -> Fault {
    Fault::new(
        StatusCode::UNAUTHORIZED,
        "unauthorized",
        "A key is needed",
        "Send a key of this server: Authorization: Bearer mk_... (made by muster api-key create).",
    )
}

impl Ask {
    /// The merchant whose key was sent; none where no key was sent.
    pub(super) async fn maybe_merchant(&self) -> Result<Option<MerchantId>, Fault> {
        let Some(bearer) = &self.bearer else {
            return Ok(None);
        };
        let hash = match bearer {
            Ok(key) => key_hash(key),
            Err(_) => return Err(unknown_key()),
        };
        let found: Option<MerchantId> = self
            .office
            .read(move |conn| -> Result<_, Problem> {
                Ok(merchants::merchant_of_key(conn, &hash)?)
            })
            .await?;
        found.map(Some).ok_or_else(unknown_key)
    }

    /// The merchant whose key was sent.
    pub(super) async fn merchant(&self) -> Result<MerchantId, Fault> {
        self.maybe_merchant().await?.ok_or_else(unknown_key)
    }

    /// The call's key, among a merchant's or everybody's.
    pub(super) fn keyed(&self, merchant: Option<MerchantId>) -> Result<Option<Keyed>, Fault> {
        let key = match &self.idempotency_key {
            None => return Ok(None),
            Some(Ok(key)) => key.clone(),
            Some(Err(fault)) => return Err(Fault(fault.0.clone())),
        };
        let mut hash = Sha256::new();
        for part in [
            self.method.as_str().as_bytes(),
            self.target.as_bytes(),
            &self.body,
        ] {
            hash.update(part.len().to_be_bytes());
            hash.update(part);
        }
        Ok(Some(Keyed {
            scope: merchant.map_or_else(|| "public".to_owned(), |id| id.to_string()),
            key,
            request: hash.finalize().to_vec(),
        }))
    }

    /// Counts a write without a merchant's key.
    pub(super) fn count(&self) -> Result<(), Fault> {
        match &self.guards {
            Some(guards) => Ok(guards.allow(Limit::ApiWrite, self.client)?),
            None => Ok(()),
        }
    }

    /// The JSON that was sent.
    pub(super) fn json(&self) -> Result<Value, Fault> {
        let is_json = self.content_type.as_deref().is_some_and(|header| {
            let essence = header.split(';').next().unwrap_or_default().trim();
            let essence = essence.to_ascii_lowercase();
            essence == "application/json"
                || essence.starts_with("application/") && essence.ends_with("+json")
        });
        if !is_json {
            return Err(Fault::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not-json",
                "The body is not JSON",
                "Send JSON with Content-Type: application/json.",
            ));
        }
        serde_json::from_slice(&self.body).map_err(|e| {
            Fault::new(
                StatusCode::BAD_REQUEST,
                "malformed-json",
                "The JSON is malformed",
                format!("It can't be read: {e}."),
            )
        })
    }

    /// The JSON that was sent, or an empty object where nothing was.
    pub(super) fn json_or_nothing(&self) -> Result<Value, Fault> {
        if self.body.is_empty() {
            Ok(Value::Object(Map::new()))
        } else {
            self.json()
        }
    }

    /// A parameter of the query.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    }
}
