//! What a workflow's problem is to the outside: a status, a stable word, a sentence. What is for the log stays there.

use actix_web::http::StatusCode;

use super::TooMany;
use crate::domain::draft::FieldError;
use crate::workflows::desk::Problem;

/// A refusal as a page or the API tells it.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// A stable word for programs, such as `sold-out`.
    pub kind: &'static str,
    /// What it is in a few words.
    pub title: &'static str,
    /// What to do, for a person.
    pub detail: String,
    /// The wrong fields.
    pub errors: Vec<FieldError>,
    /// Seconds after which the same may be tried again.
    pub retry_after: Option<u64>,
}

impl Refusal {
    /// A refusal.
    pub fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            status,
            kind,
            title,
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// What failed on our side: the log learns what, under a reference that the caller is given.
    fn internal(what: &str) -> Self {
        let reference = format!("{:012x}", rand::random::<u64>() >> 16);
        log::error!("{reference}: {what}");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "Something went wrong on our side",
            format!(
                "It is not your fault. Try again; if it stays, name the reference {reference}."
            ),
        )
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        match problem {
            Problem::NotFound(what) => Self::new(
                StatusCode::NOT_FOUND,
                "not-found",
                "Not found",
                format!("There is no such {what}, or this link does not open it."),
            ),
            Problem::Conflict { kind, message } => {
                Self::new(StatusCode::CONFLICT, kind, conflict_title(kind), message)
            }
            Problem::Invalid(errors) => {
                let count = errors.len();
                let mut refusal = Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "invalid",
                    "Some fields are wrong",
                    if count == 1 {
                        "One field is wrong; it says what to write instead.".to_owned()
                    } else {
                        format!("{count} fields are wrong; each says what to write instead.")
                    },
                );
                refusal.errors = errors;
                refusal
            }
            Problem::Busy(why) => {
                log::warn!("busy: {why}");
                let mut refusal = Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "busy",
                    "Busy just now",
                    "Too many are asking at once. Nothing was done; try again in a moment.",
                );
                refusal.retry_after = Some(1);
                refusal
            }
            Problem::Again(why) => {
                log::warn!("not finished: {why}");
                let mut refusal = Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "busy",
                    "Busy just now",
                    "It could not be finished. Send the same request again; with the same Idempotency-Key it is done once.",
                );
                refusal.retry_after = Some(1);
                refusal
            }
            Problem::Internal(what) => Self::internal(&what),
        }
    }
}

impl From<TooMany> for Refusal {
    fn from(too_many: TooMany) -> Self {
        let mut refusal = Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "too-many-requests",
            "Too many requests",
            format!(
                "There were too many tries from your address. Try again in {} seconds.",
                too_many.retry_after
            ),
        );
        refusal.retry_after = Some(too_many.retry_after);
        refusal
    }
}

fn conflict_title(kind: &str) -> &'static str {
    match kind {
        "sold-out" => "Sold out",
        "campaign-closed" => "The campaign takes no orders",
        "limit-per-shopper" => "The limit per shopper is reached",
        "price-changed" => "The price has changed",
        "locked" => "Locked after the first order",
        "already-extended" => "Extended once already",
        "idea-in-use" => "A campaign was made of this idea",
        "already-published" => "Published already",
        "threshold-not-reached" => "The threshold is not reached",
        "campaign-ended" => "The campaign has ended",
        "seller-incomplete" => "The seller's data is not complete",
        "order-sent-to-supplier" => "The supplier's order was sent",
        "nothing-to-order" => "Nothing is left to order",
        "purchase-order-blocked" => "The purchase order is blocked",
        "nothing-shipped" => "Nothing was handed over yet",
        "too-many-claims" => "Several reports wait already",
        "claim-moved-on" => "The claim has moved on",
        "no-stock" => "Not in stock",
        "amount-changed" => "The amount has changed",
        "dispute-open" => "A dispute is open",
        "order-packed" => "The order is packed",
        "withdrawal-ended" => "The time to withdraw has ended",
        "no-right-of-withdrawal" => "No right of withdrawal",
        "idempotency-key-reused" => "The key was used for another request",
        _ => "Not possible in this state",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_for_the_log_is_never_told() {
        for problem in [
            Problem::Internal("SELECT secret FROM merchants".into()),
            Problem::Again("SELECT secret FROM merchants".into()),
            Problem::Busy("pool at postgres://user:password@host".into()),
        ] {
            let refusal = Refusal::from(problem);
            assert!(refusal.status.is_server_error());
            assert!(!refusal.detail.contains("secret") && !refusal.detail.contains("password"));
        }
    }
}
