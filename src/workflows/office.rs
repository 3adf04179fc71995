//! Where adapters come in: the pool to read from, the lane to write through, the provider and the mailer to call
//! between transactions. Cheap to clone.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{Notify, broadcast};

use super::bells::Bells;

use super::desk::{Desk, Problem};
use super::join::{JoinRequest, Joins, Placed};
use super::names::Names;
use super::ports::{Mailer, Provider};
use crate::domain::ids::CampaignId;
use crate::store::{Conn, ConnPool, Effects, IsPassing, Lane, LaneError, StoreError, Tx};

/// What adapters need to know of the settings.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where uploads and the secret lie.
    pub data_dir: PathBuf,
    /// Whether the sandbox is on: the built-in provider, the mailbox, the movable clock.
    pub sandbox: bool,
    /// Whether a live key is used.
    pub live: bool,
    /// Whether mails are handed to a server.
    pub smtp: bool,
    /// What webhooks are signed with; none until it is known.
    pub webhook_secret: Option<String>,
    /// The networks whose forwarded addresses are believed.
    pub trusted_proxies: Vec<String>,
    /// Seconds until a call to the provider is given up.
    pub provider_timeout: std::time::Duration,
}

/// The way in.
#[derive(Clone)]
pub struct Office {
    inner: Arc<Inner>,
}

struct Inner {
    pool: ConnPool,
    lane: Lane<Joins>,
    desk: Arc<Desk>,
    provider: Arc<dyn Provider>,
    mailer: Arc<dyn Mailer>,
    settings: Settings,
    signals: Signals,
    names: Names,
}

/// What is told after a commit, in this process.
#[derive(Clone)]
pub struct Signals {
    /// Work was put down that is due.
    pub work: Arc<Notify>,
    /// Campaigns whose public face changed.
    pub touched: broadcast::Sender<CampaignId>,
    /// Orders of which something was heard.
    pub bells: Bells,
}

impl Default for Signals {
    fn default() -> Self {
        Self {
            work: Arc::new(Notify::new()),
            touched: broadcast::channel(1024).0,
            bells: Bells::default(),
        }
    }
}

impl Signals {
    /// Tells what was committed, here or on another machine.
    pub fn tell(&self, effects: Effects) {
        for campaign in effects.touched {
            // Nobody may be listening.
            let _ = self.touched.send(campaign);
        }
        for (order, page) in effects.heard {
            self.bells.ring(order, page);
        }
        if effects.work {
            self.work.notify_one();
        }
    }
}

impl Office {
    /// Puts it together.
    pub fn new(
        pool: ConnPool,
        lane: Lane<Joins>,
        desk: Arc<Desk>,
        provider: Arc<dyn Provider>,
        mailer: Arc<dyn Mailer>,
        settings: Settings,
        signals: Signals,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                pool,
                lane,
                desk,
                provider,
                mailer,
                settings,
                signals,
                names: Names::default(),
            }),
        }
    }

    /// What every workflow is given.
    pub fn desk(&self) -> &Arc<Desk> {
        &self.inner.desk
    }

    /// The payment provider.
    pub fn provider(&self) -> &dyn Provider {
        self.inner.provider.as_ref()
    }

    /// The mailer.
    pub fn mailer(&self) -> &dyn Mailer {
        self.inner.mailer.as_ref()
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// What is told after a commit.
    pub fn signals(&self) -> &Signals {
        &self.inner.signals
    }

    /// Names of campaigns that were looked up.
    pub fn names(&self) -> &Names {
        &self.inner.names
    }

    /// The clock's reading.
    pub fn now(&self) -> chrono::DateTime<chrono::Utc> {
        self.inner.desk.clock.now()
    }

    /// Reads, away from the threads that serve.
    ///
    /// # Errors
    /// What `f` answers; that no connection is free.
    pub async fn read<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: FnOnce(&mut Conn) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let pool = self.inner.pool.clone();
        tokio::task::spawn_blocking(move || {
            let mut conn = pool.get().map_err(StoreError::from)?;
            f(&mut conn)
        })
        .await
        .unwrap_or_else(|e| Err(StoreError::Setup(format!("a reader ended: {e}")).into()))
    }

    /// Reads on this thread: for commands and tests.
    ///
    /// # Errors
    /// As [`Office::read`].
    pub fn read_here<T, E: From<StoreError>>(
        &self,
        f: impl FnOnce(&mut Conn) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut conn = self.inner.pool.get().map_err(StoreError::from)?;
        f(&mut conn)
    }

    /// Runs a workflow in the lane's next transaction; answers when it is committed. `f` may run more than once.
    ///
    /// # Errors
    /// What `f` answers; that the lane is full.
    pub async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: Fn(&Desk, &mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + From<LaneError> + IsPassing + Send + 'static,
    {
        let desk = self.inner.desk.clone();
        self.inner.lane.write(move |tx| f(&desk, tx)).await
    }

    /// Places a join, together with others that wait.
    ///
    /// # Errors
    /// Why it was not granted.
    pub async fn join(&self, request: JoinRequest) -> Result<Placed, Problem> {
        self.inner.lane.grouped(request).await??
    }

    /// Lets what waits in the lane finish, and ends it.
    pub fn stop(&self) {
        self.inner.lane.stop();
    }
}
