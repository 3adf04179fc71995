//! What follows from each bad ending of a call: the kinds of answer of domain section 4.

use ::stripe::{ApiErrors, ApiErrorsCode, ApiErrorsType, StripeError};

use crate::workflows::ports::CallError;

/// How the client names a connection that was never made. It is made before a byte of the request goes out, so nothing
/// happened; the cause itself is not kept by the client.
const NOT_CONNECTED: &str = "client error (Connect)";

/// The meaning of a failed call.
pub(super) fn meaning(error: StripeError) -> CallError {
    match error {
        StripeError::Stripe(answer, status) => answered(*answer, status),
        StripeError::Timeout => CallError::Unknown("no answer in time".to_owned()),
        StripeError::JSONDeserialize(why) => {
            CallError::Unknown(format!("an answer that can't be read: {why}"))
        }
        StripeError::ClientError(why) if never_sent(&why) => {
            CallError::Later(format!("not connected: {why}"))
        }
        StripeError::ClientError(why) => CallError::Unknown(format!("connection broke: {why}")),
        StripeError::ConfigError(why) => CallError::Later(format!("not sent: {why}")),
    }
}

fn never_sent(why: &str) -> bool {
    why == NOT_CONNECTED || why.contains("Connection refused")
}

/// The meaning of an error that the provider answered.
fn answered(answer: ApiErrors, status: u16) -> CallError {
    let message = sentence(&answer, status);
    let in_use = answer.code == Some(ApiErrorsCode::IdempotencyKeyInUse);
    let rated = answer.type_.as_str() == "rate_limit_error"
        || answer.code == Some(ApiErrorsCode::RateLimit);
    match status {
        _ if in_use => CallError::Unknown(message),
        // Something fell between us and it, or the same key is at work there: it may have happened.
        408 | 409 => CallError::Unknown(message),
        429 => CallError::Later(message),
        // A failure at whom the provider itself asked is one of its own: the key would only repeat it.
        424 | 500.. => CallError::Broken(message),
        _ if rated => CallError::Later(message),
        // The key is wrong, revoked or not allowed to do this. It says nothing about the call, nothing happened, and
        // once the operator has changed the key the same call goes through: money owed must not be given up for it.
        401 | 403 => CallError::Later(message),
        400.. => CallError::Refused {
            code: code(&answer, status),
            param: answer.param.unwrap_or_default(),
            message,
        },
        // Neither done nor refused: not a word of the provider's.
        _ => CallError::Unknown(message),
    }
}

/// The provider's code, or the one that it means where it gives none.
fn code(answer: &ApiErrors, status: u16) -> String {
    if answer.type_ == ApiErrorsType::IdempotencyError {
        return "idempotency_error".to_owned();
    }
    match &answer.code {
        Some(code) => code.as_str().to_owned(),
        None if status == 404 => "resource_missing".to_owned(),
        None => String::new(),
    }
}

/// The provider's sentence, with what the log needs where it gives none.
pub(super) fn sentence(answer: &ApiErrors, status: u16) -> String {
    match &answer.message {
        Some(message) => message.clone(),
        None => format!("{} ({status})", answer.type_.as_str()),
    }
}
