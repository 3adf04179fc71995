//! What stands before every page and every call: who is asking, whether the request came from our own pages, how
//! often, which headers go out, and which status a workflow's problem becomes.
//!
//! The app makes one [`Guards`] from the office, puts it into the app's data, and wraps the app with
//! [`refuse_cross_site`] and [`security_headers`].

mod client;
mod headers;
mod limits;
mod origin;
mod refusal;

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};

pub use client::{Client, Trusted};
pub use headers::security_headers;
pub use limits::{Limit, Limits, TooMany};
pub use origin::refuse_cross_site;
pub use refusal::Refusal;

use crate::workflows::office::Office;

/// What the guards know of the settings, read once.
pub struct Guards {
    trusted: Trusted,
    limits: Limits,
    /// Scheme, host and port of the public URL, as browsers write them in `Origin`.
    origin: String,
    headers: headers::Policy,
    /// Whether callers on this machine are not counted: the sandbox.
    spare_loopback: bool,
}

impl Guards {
    /// Guards by the office's settings.
    ///
    /// # Errors
    /// A sentence that names the setting and says what to write instead.
    pub fn new(office: &Office) -> Result<Self, String> {
        let settings = office.settings();
        let public = url::Url::parse(office.desk().links.server())
            .map_err(|e| format!("MUSTER_PUBLIC_URL is not an address: {e}"))?;
        let origin = public.origin().ascii_serialization();
        Ok(Self {
            trusted: Trusted::parse(&settings.trusted_proxies)?,
            limits: Limits::default(),
            headers: headers::Policy::new(&origin, public.scheme() == "https"),
            origin,
            spare_loopback: settings.sandbox,
        })
    }

    /// Counts a call of this kind from this address.
    ///
    /// # Errors
    /// When there were too many, and in how many seconds there may be one again.
    pub fn allow(&self, limit: Limit, client: Client) -> Result<(), TooMany> {
        if self.spare_loopback && client.address().is_loopback() {
            return Ok(());
        }
        self.limits.count(limit, client)
    }
}

/// The guards of the app that serves a request.
pub(super) fn guards(req: &HttpRequest) -> Option<&Guards> {
    req.app_data::<web::Data<Guards>>()
        .map(|data| data.as_ref())
}

impl FromRequest for Client {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, Self::Error>>;

    fn from_request(req: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(match guards(req) {
            Some(guards) => guards.trusted.client(req.peer_addr(), req.headers()),
            None => Client::peer(req.peer_addr()),
        }))
    }
}
