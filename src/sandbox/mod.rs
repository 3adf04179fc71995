//! The built-in payment provider: Stripe's API on its own books, a hosted pay page, signed webhooks, the movable clock,
//! faults on demand and the mailbox, all under `/sandbox`. A stranger to the rest of the program: it uses the clock port
//! and nothing else, and the program reaches it over HTTP as it would reach the real provider.
//!
//! `store` keeps, `lane` writes (one thread, many requests in a commit), `books` is what one request sees, `api` is the
//! provider's API on it, `http` and `pay` are the two ways in, `deliver` the way out, `moves` the clock.

pub mod api;
mod books;
pub mod cards;
mod clock;
mod control;
mod deliver;
mod due;
mod errors;
pub mod faults;
mod form;
pub mod hooks;
mod http;
mod idempotency;
mod lane;
mod mail_page;
mod moves;
mod pay;
mod pay_try;
mod store;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use actix_web::web;
use chrono::Utc;
use diesel::SqliteConnection;
use serde_json::json;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use crate::workflows::ports::Clock;
use api::endpoints;
use books::{Books, new_id};
use clock::SandboxClock;
use faults::Faults;
use hooks::Hooks;
use lane::{Lane, LaneError};
use store::Readers;

/// What the sandbox is told at its start.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Where this program is reached, without a slash at the end; pay pages lie below it.
    pub public_url: String,
    /// Where events are delivered.
    pub webhook_url: String,
    /// What deliveries are signed with; none: one is made, and kept in the books.
    pub webhook_secret: Option<String>,
}

/// Why the sandbox does not open.
#[derive(Debug, thiserror::Error)]
#[error("the sandbox's books can't be opened: {0}")]
pub struct OpenError(String);

impl From<diesel::result::Error> for OpenError {
    fn from(e: diesel::result::Error) -> Self {
        OpenError(e.to_string())
    }
}

/// The sandbox; a copy is the same one.
#[derive(Clone)]
pub struct Sandbox {
    inner: Arc<Inner>,
}

struct Inner {
    config: SandboxConfig,
    secret: String,
    lane: Lane,
    readers: Readers,
    clock: Arc<SandboxClock>,
    faults: RwLock<Faults>,
    hooks: RwLock<Option<Hooks>>,
    /// Rung when events were written.
    wake: Notify,
    stop: watch::Sender<bool>,
    /// One move of the clock at a time.
    moving: tokio::sync::Mutex<()>,
    /// One round of deliveries at a time.
    delivering: tokio::sync::Mutex<()>,
    courier: reqwest::Client,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Sandbox {
    /// Opens (and makes) the books, `sandbox.db` in the data folder. Starts nothing but the writing thread; other
    /// processes may have the same books open.
    pub fn open(data_dir: &Path, config: SandboxConfig) -> Result<Sandbox, OpenError> {
        std::fs::create_dir_all(data_dir)
            .map_err(|e| OpenError(format!("{}: {e}", data_dir.display())))?;
        let path = data_dir.join("sandbox.db");
        let mut conn = store::connect(&path).map_err(OpenError)?;
        let first = conn_setup(&mut conn, &config)?;
        let clock = SandboxClock::new(store::connect(&path).map_err(OpenError)?)?;
        let lane = Lane::start(conn).map_err(|e| OpenError(e.to_string()))?;
        let courier = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .no_proxy()
            .build()
            .map_err(|e| OpenError(e.to_string()))?;
        Ok(Sandbox {
            inner: Arc::new(Inner {
                config,
                secret: first.secret,
                lane,
                readers: Readers::new(path),
                clock,
                faults: RwLock::new(first.faults),
                hooks: RwLock::new(None),
                wake: Notify::new(),
                stop: watch::Sender::new(false),
                moving: tokio::sync::Mutex::new(()),
                delivering: tokio::sync::Mutex::new(()),
                courier,
                tasks: Mutex::new(Vec::new()),
            }),
        })
    }

    /// Lets new books begin in the past, by so much: an example can then be lived through up to the present. Books
    /// that have a clock already are left alone.
    pub fn begin_earlier(data_dir: &Path, by: chrono::TimeDelta) -> Result<(), OpenError> {
        std::fs::create_dir_all(data_dir)
            .map_err(|e| OpenError(format!("{}: {e}", data_dir.display())))?;
        let mut conn = store::connect(&data_dir.join("sandbox.db")).map_err(OpenError)?;
        store::make_tables(&mut conn)?;
        if store::get_setting(&mut conn, clock::OFFSET)?.is_none() {
            let offset = by.num_milliseconds().saturating_neg().to_string();
            store::put_setting(&mut conn, clock::OFFSET, &offset)?;
        }
        Ok(())
    }

    /// The movable clock: for everything in this process, and in every other that opens the same data folder.
    pub fn clock(&self) -> Arc<dyn Clock> {
        self.inner.clock.clone()
    }

    /// What deliveries to the program are signed with.
    pub fn webhook_secret(&self) -> &str {
        &self.inner.secret
    }

    /// What a moved clock runs, and where the mailbox is.
    pub fn set_hooks(&self, hooks: Hooks) {
        *self
            .inner
            .hooks
            .write()
            .unwrap_or_else(PoisonError::into_inner) = Some(hooks);
    }

    /// The routes, all under `/sandbox`.
    pub fn configure(&self, cfg: &mut web::ServiceConfig) {
        cfg.app_data(web::Data::new(self.clone()));
        cfg.service(
            web::scope("/sandbox")
                .route("/stripe/v1/{tail:.*}", web::route().to(http::api))
                .configure(pay::routes)
                .configure(control::routes)
                .configure(mail_page::routes),
        );
    }

    /// Starts delivering and doing what is due, in the background, until [`Sandbox::stop`].
    pub fn start(&self) {
        let _ = self.inner.stop.send_replace(false);
        let mut tasks = self
            .inner
            .tasks
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if tasks.is_empty() {
            tasks.push(tokio::spawn(deliver::run_until_stopped(self.clone())));
            tasks.push(tokio::spawn(moves::tick_until_stopped(self.clone())));
        }
    }

    /// Ends the background work; what is not delivered stays in the books.
    pub async fn stop(&self) {
        let _ = self.inner.stop.send_replace(true);
        self.inner.wake.notify_waiters();
        let tasks = std::mem::take(
            &mut *self
                .inner
                .tasks
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        );
        for task in tasks {
            let _ = task.await;
        }
    }

    /// What is set to go wrong.
    pub fn faults(&self) -> Faults {
        *self
            .inner
            .faults
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets what goes wrong, durably. Refunds that waited for the balance go out when it is normal again.
    pub async fn set_faults(&self, faults: Faults) -> Result<(), LaneError> {
        let text = json!(faults).to_string();
        self.write(None, move |b| {
            store::put_setting(b.conn, FAULTS, &text)?;
            if faults.balance == faults::Balance::Normal {
                due::release_refunds(b)?;
            }
            Ok(())
        })
        .await?;
        *self
            .inner
            .faults
            .write()
            .unwrap_or_else(PoisonError::into_inner) = faults;
        self.run_own_due().await?;
        Ok(())
    }

    /// Does what the provider itself has due now.
    pub(crate) async fn run_own_due(&self) -> Result<(), LaneError> {
        loop {
            let done = self.write(None, due::run).await?;
            if (done as i64) < due::TOGETHER {
                return Ok(());
            }
        }
    }

    /// The list of endpoints says where this process delivers to.
    async fn claim_endpoint(&self) -> Result<(), LaneError> {
        let me = self.clone();
        self.inner
            .lane
            .write(move |conn| own_endpoint(conn, &me.inner.config, &me.inner.secret, true))
            .await
    }

    fn hooks(&self) -> Option<Hooks> {
        self.inner
            .hooks
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Writes in the lane; wakes the courier when events were written.
    async fn write<T, F>(&self, key: Option<String>, work: F) -> Result<T, LaneError>
    where
        F: FnOnce(&mut Books) -> Result<T, diesel::result::Error> + Send + 'static,
        T: Send + 'static,
    {
        let me = self.clone();
        let (value, events) = self
            .inner
            .lane
            .write(move |conn| {
                let mut books = me.books(conn, key.as_deref());
                let value = work(&mut books)?;
                Ok((value, books.events))
            })
            .await?;
        if events > 0 {
            self.inner.wake.notify_one();
        }
        Ok(value)
    }

    /// Reads on another thread.
    async fn read<T, F>(&self, work: F) -> Result<T, LaneError>
    where
        F: FnOnce(&mut Books) -> Result<T, diesel::result::Error> + Send + 'static,
        T: Send + 'static,
    {
        let me = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            me.inner
                .readers
                .read(|conn| work(&mut me.books(conn, None)))
        })
        .await;
        match done {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(e)) => Err(LaneError::Database(e.to_string())),
            Err(_) => Err(LaneError::Closed),
        }
    }

    fn books<'a>(&'a self, conn: &'a mut SqliteConnection, key: Option<&'a str>) -> Books<'a> {
        Books {
            conn,
            now: self.inner.clock.now().timestamp(),
            public_url: &self.inner.config.public_url,
            faults: self.faults(),
            key,
            events: 0,
        }
    }
}

const FAULTS: &str = "faults";
const SECRET: &str = "webhook_secret";

/// What the books say when they are opened.
struct First {
    secret: String,
    faults: Faults,
}

fn conn_setup(conn: &mut SqliteConnection, config: &SandboxConfig) -> Result<First, OpenError> {
    let first = conn.immediate_transaction(|conn| {
        store::make_tables(conn)?;
        let kept = store::get_setting(conn, SECRET)?;
        let secret = match (&config.webhook_secret, kept) {
            (Some(given), _) => given.clone(),
            (None, Some(kept)) => kept,
            (None, None) => {
                let made = new_id("whsec_", 32);
                store::put_setting(conn, SECRET, &made)?;
                made
            }
        };
        let faults = store::get_setting(conn, FAULTS)?;
        let faults = faults
            .and_then(|t| serde_json::from_str(&t).ok())
            .unwrap_or_default();
        own_endpoint(conn, config, &secret, false)?;
        Ok::<_, diesel::result::Error>(First { secret, faults })
    })?;
    Ok(first)
}

/// Keeps the program's own endpoint, for the list of endpoints. A process that only looks (`refresh` false) leaves what
/// the serving one wrote.
fn own_endpoint(
    conn: &mut SqliteConnection,
    config: &SandboxConfig,
    secret: &str,
    refresh: bool,
) -> Result<(), diesel::result::Error> {
    let kept = store::find(conn, endpoints::OWN)?;
    let mut books = Books {
        conn,
        now: Utc::now().timestamp(),
        public_url: &config.public_url,
        faults: Faults::default(),
        key: None,
        events: 0,
    };
    let all = ["*".to_string()];
    let fresh = endpoints::new(
        &books,
        endpoints::OWN.into(),
        &config.webhook_url,
        &all,
        secret,
    );
    match kept {
        None => books.insert(&fresh),
        Some(mut old) if refresh => {
            old.body["url"] = fresh.body["url"].clone();
            old.hidden = fresh.hidden;
            books.save(&old)
        }
        Some(_) => Ok(()),
    }
}
