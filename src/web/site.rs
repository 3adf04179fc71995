//! Everything the server answers, put together.

use actix_web::web;
use tokio::sync::watch;

use super::guard::Guards;
use super::live::LiveStop;
use super::shop::{self, Shop};
use super::{admin, api, assets, health, theme};
use crate::workflows::office::Office;

/// What the site is made of; cheap to clone, one for each worker.
#[derive(Clone)]
pub struct Site {
    office: Office,
    guards: web::Data<Guards>,
    shop: web::Data<Shop>,
}

impl Site {
    /// Puts the site together, inside the async runtime. `live_stop` ends streams when the server stops.
    ///
    /// # Errors
    /// A sentence that names the setting.
    pub fn new(office: Office, live_stop: watch::Receiver<bool>) -> Result<Self, String> {
        let guards = web::Data::new(Guards::new(&office)?);
        let shop = web::Data::new(Shop::new(office.clone(), LiveStop(live_stop)));
        Ok(Self {
            office,
            guards,
            shop,
        })
    }

    /// Mounts everything.
    pub fn configure(&self, cfg: &mut web::ServiceConfig) {
        cfg.app_data(web::Data::new(self.office.clone()))
            .app_data(self.guards.clone())
            .app_data(self.shop.clone())
            // What is asked for most comes first: addresses are compared one after the other.
            .configure(shop::configure)
            .configure(assets::configure)
            .configure(api::configure)
            .configure(admin::mount(&self.office))
            .configure(health::configure)
            .configure(theme::configure)
            .default_service(web::to(shop::nothing_here));
    }
}
