//! Everything the server answers, put together.

use actix_web::{HttpResponse, web};
use tokio::sync::watch;

use super::guard::Guards;
use super::{admin, api, assets, health, theme, webhooks};
use crate::workflows::office::Office;

/// What the site is made of; cheap to clone, one for each worker.
#[derive(Clone)]
pub struct Site {
    office: Office,
    guards: web::Data<Guards>,
    live_stop: watch::Receiver<bool>,
}

impl Site {
    /// Puts the site together. `live_stop` ends streams when the server stops.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn new(office: Office, live_stop: watch::Receiver<bool>) -> Result<Self, String> {
        let guards = web::Data::new(Guards::new(&office)?);
        Ok(Self {
            office,
            guards,
            live_stop,
        })
    }

    /// Mounts everything.
    pub fn configure(&self, cfg: &mut web::ServiceConfig) {
        let _ = &self.live_stop;
        cfg.app_data(web::Data::new(self.office.clone()))
            .app_data(self.guards.clone())
            .configure(admin::mount(&self.office))
            .configure(api::configure)
            .configure(webhooks::configure)
            .configure(health::configure)
            .configure(assets::configure)
            .configure(theme::configure)
            .default_service(web::to(HttpResponse::NotFound));
    }
}
