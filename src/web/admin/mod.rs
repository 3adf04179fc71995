//! The merchant's panel: what staff see and decide. Handlers parse, run one workflow, and draw.
//!
//! Everything lies under `/admin`; pictures are served under `/uploads`. Every page works without script, an error stands
//! at its field with what was typed kept, and after a form the browser is sent on with one line about what was done.

use actix_session::SessionMiddleware;
use actix_session::config::{CookieContentSecurity, PersistentSession, TtlExtensionPolicy};
use actix_session::storage::CookieSessionStore;
use actix_web::cookie::{Key, SameSite, time::Duration};
use actix_web::middleware::from_fn;
use actix_web::{Scope, web};

use crate::workflows::office::Office;

mod addresses;
mod batch;
mod campaign;
mod campaigns;
mod claim_deeds;
mod claim_list;
mod claim_report;
mod claims;
mod collecting;
mod confirm;
mod dates;
mod disputes;
mod export;
mod form;
mod guard;
mod ideas;
mod interest;
mod kit;
mod limit;
mod login;
mod mails;
mod money;
mod offer;
mod offer_bands;
mod offer_form;
mod offer_view;
mod order;
mod order_change;
mod order_deeds;
mod orders;
mod papers;
mod pictures;
mod purchase;
mod refunds;
mod settings;
mod sheet;
mod suppliers;
mod today;
mod updates;
mod waiting;

/// Hours without a request after which a log-in ends.
pub const IDLE_HOURS: i64 = 12;
/// Most bytes of a form: three pages of 50,000 characters, percent-encoded.
const FORM_BYTES: usize = 2 * 1024 * 1024;

/// The session in a signed and encrypted cookie. It is enough to lay it around `/admin`: [`mount`] does.
pub fn session_middleware(office: &Office) -> SessionMiddleware<CookieSessionStore> {
    let links = &office.desk().links;
    let key = Key::from(&links.derive("session"));
    let life = PersistentSession::default()
        .session_ttl(Duration::hours(IDLE_HOURS))
        .session_ttl_extension_policy(TtlExtensionPolicy::OnEveryRequest);
    SessionMiddleware::builder(CookieSessionStore::default(), key)
        .cookie_name("muster_staff".to_owned())
        .cookie_path("/admin".to_owned())
        .cookie_http_only(true)
        .cookie_same_site(SameSite::Lax)
        .cookie_secure(links.server().starts_with("https://"))
        .cookie_content_security(CookieContentSecurity::Private)
        .session_lifecycle(life)
        .build()
}

/// Mounts the panel with its session and the pictures. Wants `web::Data<Office>` in the app.
pub fn mount(office: &Office) -> impl FnOnce(&mut web::ServiceConfig) + use<> {
    let session = session_middleware(office);
    move |cfg| {
        cfg.service(panel().wrap(session));
        cfg.route("/uploads/{file}", web::get().to(pictures::serve));
    }
}

/// Mounts the panel and the pictures; the caller lays [`session_middleware`] around the app.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.service(panel());
    cfg.route("/uploads/{file}", web::get().to(pictures::serve));
}

fn panel() -> Scope<
    impl actix_web::dev::ServiceFactory<
        actix_web::dev::ServiceRequest,
        Config = (),
        Response = actix_web::dev::ServiceResponse,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    web::scope("/admin")
        .app_data(
            web::FormConfig::default()
                .limit(FORM_BYTES)
                .error_handler(|e, _| guard::Refusal::Form(e.to_string()).into()),
        )
        .app_data(web::QueryConfig::default().error_handler(|_, _| guard::Refusal::NotFound.into()))
        .app_data(web::PathConfig::default().error_handler(|_, _| guard::Refusal::NotFound.into()))
        .wrap(from_fn(guard::frame))
        .configure(routes)
}

fn routes(cfg: &mut web::ServiceConfig) {
    cfg.route("", web::get().to(today::page))
        .route("/login", web::get().to(login::page))
        .route("/login", web::post().to(login::submit))
        .route("/logout", web::post().to(login::leave));
    campaigns::configure(cfg);
    ideas::configure(cfg);
    interest::configure(cfg);
    updates::configure(cfg);
    waiting::configure(cfg);
    orders::configure(cfg);
    order_change::configure(cfg);
    claims::configure(cfg);
    refunds::configure(cfg);
    addresses::configure(cfg);
    batch::configure(cfg);
    export::configure(cfg);
    purchase::configure(cfg);
    suppliers::configure(cfg);
    money::configure(cfg);
    disputes::configure(cfg);
    papers::configure(cfg);
    mails::configure(cfg);
    settings::configure(cfg);
}
