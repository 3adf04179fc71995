//! Everything the server answers, put together.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, web};
use tokio::sync::watch;

use super::{assets, health, theme, webhooks};
use crate::workflows::office::Office;

/// What the site is made of; cheap to clone, one for each worker.
#[derive(Clone)]
pub struct Site {
    office: Office,
    sandbox: bool,
    live_stop: watch::Receiver<bool>,
}

impl Site {
    /// Puts the site together. `live_stop` ends streams when the server stops.
    pub fn new(office: Office, sandbox: bool, live_stop: watch::Receiver<bool>) -> Self {
        Self {
            office,
            sandbox,
            live_stop,
        }
    }

    /// Mounts everything.
    pub fn configure(&self, cfg: &mut web::ServiceConfig) {
        let _ = (&self.office, self.sandbox, &self.live_stop);
        cfg.configure(webhooks::configure)
            .configure(health::configure)
            .configure(assets::configure)
            .configure(theme::configure)
            .default_service(web::to(HttpResponse::NotFound));
    }
}

/// What every request passes.
///
/// # Errors
/// What the inner service answers.
pub async fn guard_requests(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    next.call(request).await
}
