//! Config -> App: server and worker start and stop here. The only place that knows every part.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App as WebApp, HttpServer, middleware};
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::jobs::Worker;
use crate::mail::{Templates, mailer};
use crate::sandbox::{Sandbox, SandboxConfig};
use crate::secret;
use crate::store::{self, ConnPool, Gate, Hearing, Lane};
use crate::stripe::{StripeConfig, StripeProvider, endpoint};
use crate::web as pages;
use crate::workflows::desk::Desk;
use crate::workflows::join::Joins;
use crate::workflows::links::Links;
use crate::workflows::office::{Office, Settings, Signals};
use crate::workflows::ports::{Clock, Mailer, Provider, SystemClock};

/// What this process does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Pages, API, webhooks and background work.
    Everything,
    /// Pages only: background work is done by another process on the same database.
    Pages,
    /// Background work only.
    Work,
    /// A command that looks or repairs, and ends.
    Command,
}

/// The program, put together.
pub struct App {
    /// The way in.
    pub office: Office,
    /// The background worker.
    pub worker: Worker,
    /// The sandbox, where it is on.
    pub sandbox: Option<Sandbox>,
    /// The address people use.
    pub public_url: String,
    config: Config,
    listener: Option<TcpListener>,
    /// How many threads answer requests.
    threads: usize,
    /// Hears what other machines on the same database commit.
    hearing: Option<Hearing>,
}

/// The parts that need no provider: database, clock, secret.
pub struct Ground {
    /// The database.
    pub pool: ConnPool,
    /// The clock: the sandbox's, where it is on.
    pub clock: Arc<dyn Clock>,
    /// The sandbox, where it is on.
    pub sandbox: Option<Sandbox>,
    /// Signs links.
    pub links: Links,
}

/// Makes and migrates the database, opens the clock, reads the secret.
///
/// # Errors
/// A sentence for the operator.
pub fn ground(config: &Config, public_url: &str, connections: u32) -> Result<Ground, String> {
    std::fs::create_dir_all(&config.data_dir)
        .map_err(|e| format!("MUSTER_DATA_DIR: {}: {e}", config.data_dir.display()))?;
    let pool = store::open(&config.database, connections)
        .map_err(|e| format!("MUSTER_DATABASE_URL: {e}"))?;
    let secret = secret::read_or_make(&config.data_dir, config.secret.as_deref())?;
    let sandbox = if config.sandbox {
        let sandbox = Sandbox::open(
            &config.data_dir,
            SandboxConfig {
                public_url: public_url.to_owned(),
                webhook_url: format!("{public_url}/webhooks/stripe"),
                webhook_secret: config.webhook_secret.clone(),
            },
        )
        .map_err(|e| e.to_string())?;
        Some(sandbox)
    } else {
        None
    };
    let clock: Arc<dyn Clock> = match &sandbox {
        Some(sandbox) => sandbox.clock(),
        None => Arc::new(SystemClock),
    };
    Ok(Ground {
        pool,
        clock,
        sandbox,
        links: Links::new(public_url, &secret),
    })
}

/// Puts something in front of a port.
pub type Wrap<T> = Box<dyn FnOnce(Arc<T>) -> Arc<T>>;

/// What may stand between the program and what it moves: its commits, the provider, the mailer. Nothing does when it
/// runs. Tests stand there, to let the process die after any effect and to change what the provider says; no setting
/// leads here.
pub struct Seams {
    /// Stands at each commit of the write lane.
    pub gate: Box<dyn Gate>,
    /// Stands in front of the provider.
    pub provider: Wrap<dyn Provider>,
    /// Stands in front of the mailer.
    pub mailer: Wrap<dyn Mailer>,
    /// How many threads answer requests. Each reads the patterns of all routes when it starts, which is much for a life
    /// of a few requests.
    pub threads: usize,
}

impl Default for Seams {
    fn default() -> Self {
        Self {
            gate: Box::new(store::Open),
            provider: Box::new(|provider| provider),
            mailer: Box::new(|mailer| mailer),
            threads: 2,
        }
    }
}

impl App {
    /// Puts the program together. With [`Role::Everything`] and [`Role::Pages`] its port is taken, and answers wait.
    ///
    /// # Errors
    /// A sentence for the operator, which names the setting.
    pub fn build(config: Config, role: Role) -> Result<App, String> {
        Self::build_with(config, role, Seams::default())
    }

    /// Puts the program together with something at its seams.
    ///
    /// # Errors
    /// As [`App::build`].
    pub fn build_with(config: Config, role: Role, seams: Seams) -> Result<App, String> {
        let serves = matches!(role, Role::Everything | Role::Pages);
        let listener = if serves {
            Some(listen(config.listen)?)
        } else {
            None
        };
        let listening = listener
            .as_ref()
            .and_then(|l| l.local_addr().ok())
            .unwrap_or(config.listen);
        let public_url = config.public_url_at(listening);
        let provider_config = config.provider_at(&public_url)?;
        let live = provider_config.live;
        let provider = StripeProvider::new(StripeConfig {
            secret_key: provider_config.key,
            api_base: provider_config.base,
            timeout: config.timeout(),
            calls_per_second: config.rate(),
        })
        .map_err(|e| format!("STRIPE_SECRET_KEY: {e}"))?;
        let mailer = mailer(config.smtp_url.as_deref(), &public_url)?;
        let ground = ground(&config, &public_url, 8)?;
        let rate = config.rate().map(std::num::NonZeroU32::get);
        let webhook_secret = config.webhook_secret.clone().or_else(|| {
            ground
                .sandbox
                .as_ref()
                .map(|s| s.webhook_secret().to_owned())
        });
        let settings = Settings {
            data_dir: config.data_dir.clone(),
            sandbox: config.sandbox,
            live,
            smtp: config.smtp_url.is_some(),
            webhook_secret,
            trusted_proxies: config.trusted_proxies.clone(),
            provider_timeout: config.timeout(),
        };
        let desk = Arc::new(Desk {
            clock: ground.clock.clone(),
            scribe: Arc::new(Templates),
            links: ground.links.clone(),
            hold_minutes: config.hold_minutes,
            provider_rate: rate,
            live,
        });
        let signals = Signals::default();
        let lane = lane(&config, &ground, rate, &signals, seams.gate)?;
        let heard = signals.clone();
        let on_heard = Box::new(move |effects| heard.tell(effects));
        let hearing =
            Hearing::start(&config.database, lane.name(), on_heard).map_err(|e| e.to_string())?;
        let office = Office::new(
            ground.pool,
            lane,
            desk,
            (seams.provider)(Arc::new(provider)),
            (seams.mailer)(mailer),
            settings,
            signals,
        );
        Ok(App {
            worker: Worker::new(office.clone()),
            office,
            sandbox: ground.sandbox,
            public_url,
            config,
            listener,
            threads: seams.threads,
            hearing,
        })
    }

    /// Starts what the role asks for.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn start(mut self, role: Role) -> Result<Running, String> {
        let (stop_live, live_stop) = tokio::sync::watch::channel(false);
        if let Some(sandbox) = &self.sandbox {
            sandbox.set_hooks(crate::hooks::hooks(&self.worker, &self.office));
        }
        let mut server = None;
        if let Some(listener) = self.listener.take() {
            server = Some(serve(&self, listener, live_stop)?);
            if let Some(sandbox) = &self.sandbox {
                sandbox.start();
            }
        }
        if matches!(role, Role::Everything | Role::Work) {
            let alone = self.config.database.is_sqlite();
            self.worker.start(alone).await.map_err(|e| e.to_string())?;
        }
        Ok(Running {
            app: self,
            server,
            stop_live,
        })
    }
}

fn listen(address: SocketAddr) -> Result<TcpListener, String> {
    let listener = TcpListener::bind(address)
        .map_err(|e| format!("MUSTER_LISTEN: can't listen on {address}: {e}"))?;
    listener
        .set_nonblocking(true)
        .map_err(|e| format!("MUSTER_LISTEN: {e}"))?;
    Ok(listener)
}

fn lane(
    config: &Config,
    ground: &Ground,
    rate: Option<u32>,
    signals: &Signals,
    gate: Box<dyn Gate>,
) -> Result<Lane<Joins>, String> {
    let database = config.database.clone();
    let joins = Joins::new(ground.clock.clone(), config.hold_minutes, rate);
    let clock = ground.clock.clone();
    let signals = signals.clone();
    Lane::start_behind(
        gate,
        Box::new(move || store::connect(&database)),
        joins,
        Box::new(move || clock.now()),
        Box::new(move |effects| signals.tell(effects)),
    )
    .map_err(|e| e.to_string())
}

type Served = (ServerHandle, JoinHandle<std::io::Result<()>>);

fn serve(
    app: &App,
    listener: TcpListener,
    live_stop: tokio::sync::watch::Receiver<bool>,
) -> Result<Served, String> {
    let sandbox = app.sandbox.clone();
    let site = pages::Site::new(app.office.clone(), live_stop)?;
    let server = HttpServer::new(move || {
        let sandbox = sandbox.clone();
        let site = site.clone();
        WebApp::new()
            .wrap(middleware::from_fn(pages::guard::security_headers))
            .wrap(middleware::from_fn(pages::guard::refuse_cross_site))
            .configure(move |cfg| {
                if let Some(sandbox) = &sandbox {
                    sandbox.configure(cfg);
                }
                cfg.configure(endpoint::configure);
                site.configure(cfg);
            })
    })
    .workers(app.threads)
    .tcp_nodelay(true)
    .backlog(2048)
    .max_connections(25_000)
    .shutdown_timeout(30)
    .disable_signals()
    .listen(listener)
    .map_err(|e| format!("MUSTER_LISTEN: {e}"))?
    .run();
    let handle = server.handle();
    Ok((handle, tokio::spawn(server)))
}

/// The program, running.
pub struct Running {
    /// Its parts.
    pub app: App,
    server: Option<Served>,
    stop_live: tokio::sync::watch::Sender<bool>,
}

impl Running {
    /// Waits for SIGTERM or SIGINT.
    pub async fn until_told(&self) {
        let mut term =
            match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
                Ok(term) => term,
                Err(e) => {
                    log::error!("SIGTERM can't be heard: {e}");
                    std::future::pending::<()>().await;
                    return;
                }
            };
        tokio::select! {
            _ = term.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
        log::info!("stopping: what runs is ended first");
    }

    /// Stops cleanly: no request and no job is cut.
    pub async fn stop(mut self) {
        // Jobs first: with the built-in provider they call this very server.
        self.app.worker.stop().await;
        let _ = self.stop_live.send(true);
        if let Some(sandbox) = &self.app.sandbox {
            sandbox.stop().await;
        }
        if let Some((handle, task)) = self.server {
            handle.stop(true).await;
            let _ = tokio::time::timeout(Duration::from_secs(35), task).await;
        }
        let (office, hearing) = (self.app.office.clone(), self.app.hearing.take());
        let _ = tokio::task::spawn_blocking(move || {
            drop(hearing);
            office.stop();
        })
        .await;
    }
}
