//! The provider's refusals, in Stripe's own shape: a status, a `type`, and where it has them `code`, `decline_code`,
//! `param`. [`Failure::Refused`] is told to the caller; [`Failure::Broken`] means our own books could not be kept, and
//! rolls the request back.

use serde_json::{Map, Value, json};

/// Why a request was not answered with 200.
#[derive(Debug)]
pub enum Failure {
    /// The provider says no. What was written before stays written (a declined charge is kept).
    Refused(Box<Refusal>),
    /// The books could not be read or written; nothing of the request stays.
    Broken(diesel::result::Error),
}

impl From<diesel::result::Error> for Failure {
    fn from(e: diesel::result::Error) -> Self {
        Failure::Broken(e)
    }
}

/// What every operation gives: the object, or why not.
pub type Reply<T = Value> = Result<T, Failure>;

/// One error body.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Stripe's `error.type`.
    pub kind: &'static str,
    /// Stripe's `error.code`.
    pub code: Option<String>,
    /// Stripe's `error.decline_code`.
    pub decline_code: Option<String>,
    /// The parameter that is to blame.
    pub param: Option<String>,
    /// What a person reads.
    pub message: String,
    /// Objects that come with the error, such as `payment_intent`.
    pub with: Map<String, Value>,
}

impl Refusal {
    /// A request that cannot be done as asked: 400.
    pub fn invalid(message: impl Into<String>) -> Self {
        Refusal {
            status: 400,
            kind: "invalid_request_error",
            code: None,
            decline_code: None,
            param: None,
            message: message.into(),
            with: Map::new(),
        }
    }

    /// An object nobody has: 404.
    pub fn missing(what: &str, id: &str, param: &str) -> Self {
        Refusal {
            status: 404,
            ..Refusal::invalid(format!("No such {what}: '{id}'"))
        }
        .code("resource_missing")
        .param(param)
    }

    /// The bank's no: 402.
    pub fn card(code: &str, decline_code: Option<&str>, message: &str) -> Self {
        let mut r = Refusal {
            status: 402,
            kind: "card_error",
            ..Refusal::invalid(message)
        };
        r.code = Some(code.into());
        r.decline_code = decline_code.map(Into::into);
        r
    }

    /// A key used again for something else: 400 `idempotency_error`.
    pub fn idempotency(message: impl Into<String>) -> Self {
        Refusal {
            kind: "idempotency_error",
            ..Refusal::invalid(message)
        }
    }

    /// The provider's own fault.
    pub fn server(message: &str) -> Self {
        Refusal {
            status: 500,
            kind: "api_error",
            ..Refusal::invalid(message)
        }
    }

    /// Another status than the constructor's.
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Adds `error.code`.
    pub fn code(mut self, code: &str) -> Self {
        self.code = Some(code.into());
        self
    }

    /// Adds `error.param`.
    pub fn param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// The JSON body.
    pub fn body(&self) -> Value {
        let mut e = self.with.clone();
        e.insert("type".into(), json!(self.kind));
        e.insert("message".into(), json!(self.message));
        let optional = [
            ("code", &self.code),
            ("decline_code", &self.decline_code),
            ("param", &self.param),
        ];
        for (name, value) in optional {
            if let Some(value) = value {
                e.insert(name.into(), json!(value));
            }
        }
        if let Some(code) = &self.code {
            e.insert(
                "doc_url".into(),
                json!(format!("https://stripe.com/docs/error-codes/{code}")),
            );
        }
        json!({ "error": e })
    }
}

impl From<Box<Refusal>> for Failure {
    fn from(r: Box<Refusal>) -> Self {
        Failure::Refused(r)
    }
}

impl From<Refusal> for Failure {
    fn from(r: Refusal) -> Self {
        Failure::Refused(Box::new(r))
    }
}
