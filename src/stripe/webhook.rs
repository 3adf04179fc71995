//! What the provider sends us: verified by its signature first, then read leniently. A correctly signed event may be one
//! that a strict parser refuses; it is stored and acknowledged all the same, and the object is asked for again (domain
//! section 4).

use std::collections::HashMap;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::convert;
use crate::workflows::ports::Tag;

/// How far the signature's time may lie from the machine's, in seconds, either way (the provider's own default).
const TOLERANCE: u64 = 300;

/// An event: what happened to which object. Never more than a hint to ask for the object again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id: the same for each repeat.
    pub id: String,
    /// Its type, such as `checkout.session.completed`.
    pub kind: String,
    /// The object's id; empty where it has none (a balance).
    pub object_id: String,
    /// What the object is, such as `checkout.session`; empty where it does not say.
    pub object_kind: String,
    /// Our ids on the object.
    pub tag: Option<Tag>,
    /// The payment intent that the object belongs to, or is.
    pub payment_intent: Option<String>,
    /// Whether it concerns real money.
    pub livemode: bool,
    /// When it happened, in Unix seconds; none where it does not say.
    pub created: Option<i64>,
}

/// Why an event was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WebhookError {
    /// The signature is missing or not the secret's.
    #[error("the signature does not fit")]
    BadSignature,
    /// The signature fits, but its time is more than five minutes away from ours: a replay, or a wrong clock.
    #[error("the signature's time is more than five minutes from ours")]
    TooOld,
    /// It is signed, but no event.
    #[error("the event can't be read")]
    Unreadable,
}

/// Verifies a delivery and reads its event.
///
/// `signature_header` is the `Stripe-Signature` header; `now_unix` the machine's time, never a moved clock.
///
/// # Errors
/// `BadSignature`, `TooOld`, `Unreadable`, looked for in that order.
pub fn verify(
    payload: &str,
    signature_header: &str,
    secret: &str,
    now_unix: i64,
) -> Result<Event, WebhookError> {
    let header = Header::read(signature_header).ok_or(WebhookError::BadSignature)?;
    if !header.is_signed(payload, secret) {
        return Err(WebhookError::BadSignature);
    }
    if now_unix.abs_diff(header.seconds) > TOLERANCE {
        return Err(WebhookError::TooOld);
    }
    read(payload).ok_or(WebhookError::Unreadable)
}

/// `t=1492774577,v1=5257...,v1=...,v0=...`: while a secret is rolled there is a `v1` for each.
struct Header<'a> {
    time: &'a str,
    seconds: i64,
    signatures: Vec<&'a str>,
}

impl<'a> Header<'a> {
    fn read(header: &'a str) -> Option<Self> {
        let mut time = None;
        let mut signatures = Vec::new();
        for (name, value) in header.split(',').filter_map(|part| part.split_once('=')) {
            match name.trim() {
                // Two times would leave open which one was signed.
                "t" if time.is_some() => return None,
                "t" => time = Some(value.trim()),
                "v1" => signatures.push(value.trim()),
                _ => {}
            }
        }
        let time = time?;
        Some(Self {
            time,
            seconds: time.parse().ok()?,
            signatures,
        })
    }

    fn is_signed(&self, payload: &str, secret: &str) -> bool {
        // Without a secret everybody could sign.
        if secret.is_empty() {
            return false;
        }
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
            return false;
        };
        mac.update(self.time.as_bytes());
        mac.update(b".");
        mac.update(payload.as_bytes());
        let expected: String = mac
            .finalize()
            .into_bytes()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.signatures
            .iter()
            .any(|one| bool::from(one.as_bytes().ct_eq(expected.as_bytes())))
    }
}

fn read(payload: &str) -> Option<Event> {
    let event: Value = serde_json::from_str(payload).ok()?;
    let object = event.get("data")?.get("object")?.as_object()?;
    let word = |name: &str| object.get(name).and_then(Value::as_str).unwrap_or_default();
    let (object_id, object_kind) = (word("id"), word("object"));
    let payment_intent = if object_kind == "payment_intent" {
        Some(object_id)
    } else {
        object.get("payment_intent").and_then(id)
    };
    Some(Event {
        id: named(&event, "id")?,
        kind: named(&event, "type")?,
        object_id: object_id.to_owned(),
        object_kind: object_kind.to_owned(),
        tag: object.get("metadata").and_then(tag),
        payment_intent: payment_intent
            .filter(|intent| !intent.is_empty())
            .map(str::to_owned),
        livemode: event.get("livemode").and_then(Value::as_bool) == Some(true),
        created: event.get("created").and_then(Value::as_i64),
    })
}

/// A word that an event must have.
fn named(event: &Value, name: &str) -> Option<String> {
    let word = event.get(name)?.as_str()?;
    (!word.is_empty()).then(|| word.to_owned())
}

/// An id, or the id of the object that stands in its place.
fn id(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("id")?.as_str())
}

fn tag(metadata: &Value) -> Option<Tag> {
    let words: HashMap<String, String> = metadata
        .as_object()?
        .iter()
        .filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned())))
        .collect();
    convert::tag(&words)
}
