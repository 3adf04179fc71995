//! What moves on a campaign's page while people look at it: server-sent events. Each change is drawn once, a quarter of
//! a second after it began, and sent to everybody who looks on.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use actix_web::web::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use futures_util::stream;
use serde_json::{Map, Value};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior};

use super::tongue;
use crate::domain::ids::CampaignId;
use crate::domain::written::Written;
use crate::store::{Conn, pages};
use crate::workflows::desk::Problem;
use crate::workflows::office::Office;

/// Says `true` when streams are to end: the program stops.
#[derive(Clone)]
pub struct LiveStop(pub watch::Receiver<bool>);

/// The most who may look on at once; each takes some 12 KiB.
pub const MOST: usize = 20_000;
/// Changes within this time are told together.
const GATHER: Duration = Duration::from_millis(250);
/// A line that says nothing, so that nobody in between hangs up.
const BEAT: Duration = Duration::from_secs(20);
/// How often what other processes did is looked up.
const LOOK: Duration = Duration::from_secs(2);

/// What a campaign's page says now.
pub struct Rendered {
    /// The campaign's version.
    pub version: i64,
    /// Another one than before: the page is to be drawn again as a whole.
    pub standing: String,
    /// Keys of `data-live` and what stands there.
    pub fragments: Map<String, Value>,
}

/// Draws what is told.
pub type Render = fn(&mut Conn, CampaignId, DateTime<Utc>) -> Result<Option<Rendered>, Problem>;

/// What is looked at, and how amounts are written there.
type Key = (CampaignId, Written);

struct Watched {
    said: watch::Sender<Bytes>,
    version: i64,
    standing: Option<String>,
}

struct Inner {
    office: Office,
    render: Render,
    watched: Mutex<HashMap<Key, Watched>>,
    on: Arc<AtomicUsize>,
    stop: LiveStop,
}

/// The streams of this process. Cheap to clone.
#[derive(Clone)]
pub struct Live {
    inner: Arc<Inner>,
}

impl Live {
    /// Starts telling; ends when `stop` says so.
    pub fn start(office: Office, stop: LiveStop, render: Render) -> Self {
        let live = Self {
            inner: Arc::new(Inner {
                office,
                render,
                watched: Mutex::default(),
                on: Arc::default(),
                stop,
            }),
        };
        tokio::spawn(live.clone().tell());
        live
    }

    fn with<T>(&self, f: impl FnOnce(&mut HashMap<Key, Watched>) -> T) -> T {
        match self.inner.watched.lock() {
            Ok(mut watched) => f(&mut watched),
            Err(poisoned) => f(&mut poisoned.into_inner()),
        }
    }

    /// One more who looks on.
    pub fn join(&self, campaign: CampaignId, version: i64, written: Written) -> HttpResponse {
        let on = self.inner.on.clone();
        if on.fetch_add(1, Ordering::Relaxed) >= MOST || *self.inner.stop.0.borrow() {
            on.fetch_sub(1, Ordering::Relaxed);
            return HttpResponse::build(StatusCode::SERVICE_UNAVAILABLE)
                .insert_header((header::RETRY_AFTER, "30"))
                .insert_header((header::CACHE_CONTROL, "no-store"))
                .finish();
        }
        let (said, first) = self.with(|watched| {
            let its = watched
                .entry((campaign, written))
                .or_insert_with(|| Watched {
                    said: watch::channel(Bytes::new()).0,
                    version,
                    standing: None,
                });
            (its.said.subscribe(), its.standing.is_none())
        });
        if first {
            // So that a change of its standing is known as one.
            let me = self.clone();
            tokio::spawn(async move { me.render((campaign, written)).await });
        }
        let listener = Listener {
            said,
            stop: self.inner.stop.0.clone(),
            beat: Instant::now(),
            greeted: false,
            _place: Place(on),
        };
        HttpResponse::Ok()
            .content_type("text/event-stream; charset=utf-8")
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .insert_header(("X-Accel-Buffering", "no"))
            .streaming(stream::unfold(listener, |mut listener| async move {
                let bytes = listener.next().await?;
                Some((Ok::<_, Infallible>(bytes), listener))
            }))
    }

    async fn tell(self) {
        let mut touched = self.inner.office.signals().touched.subscribe();
        let mut stop = self.inner.stop.0.clone();
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut changed: HashSet<CampaignId> = HashSet::new();
        let mut since: Option<Instant> = None;
        loop {
            let due = since.map(|s| s + GATHER);
            tokio::select! {
                heard = touched.recv() => match heard {
                    Ok(campaign) => { changed.insert(campaign); }
                    Err(RecvError::Lagged(_)) => changed.extend(self.with(|w| w.keys().map(|(id, _)| *id).collect::<Vec<_>>())),
                    Err(RecvError::Closed) => return,
                },
                () = async {
                    match due {
                        Some(at) => tokio::time::sleep_until(at).await,
                        None => std::future::pending().await,
                    }
                } => {
                    for campaign in changed.drain() {
                        for key in self.keys_of(campaign) {
                            self.render(key).await;
                        }
                    }
                }
                _ = look.tick() => changed.extend(self.changed_elsewhere().await),
                stopped = stop.changed() => if stopped.is_err() || *stop.borrow() {
                    self.with(HashMap::clear);
                    return;
                },
            }
            since = if changed.is_empty() {
                None
            } else {
                since
                    .filter(|s| s.elapsed() < GATHER)
                    .or(Some(Instant::now()))
            };
        }
    }

    /// Campaigns that are looked at and that another process changed.
    async fn changed_elsewhere(&self) -> Vec<CampaignId> {
        let known: HashMap<CampaignId, i64> = self.with(|watched| {
            watched.retain(|_, its| its.said.receiver_count() > 0);
            watched
                .iter()
                .map(|((id, _), its)| (*id, its.version))
                .collect()
        });
        if known.is_empty() {
            return Vec::new();
        }
        let ids: Vec<CampaignId> = known.keys().copied().collect();
        let read = move |conn: &mut Conn| Ok::<_, Problem>(pages::versions(conn, &ids)?);
        match self.inner.office.read(read).await {
            Ok(now) => now
                .into_iter()
                .filter(|(id, version)| known.get(id) != Some(version))
                .map(|(id, _)| id)
                .collect(),
            Err(e) => {
                log::warn!("those who look on are told later: {e}");
                Vec::new()
            }
        }
    }

    /// How a campaign is looked at: once for each way of writing amounts.
    fn keys_of(&self, campaign: CampaignId) -> Vec<Key> {
        self.with(|watched| {
            let its = watched.keys().filter(|(id, _)| *id == campaign);
            its.copied().collect()
        })
    }

    async fn render(&self, key: Key) {
        let (campaign, written) = key;
        let looked_at = self.with(|watched| {
            let its = watched.get(&key);
            its.is_some_and(|its| its.said.receiver_count() > 0)
        });
        if !looked_at {
            return;
        }
        let (render, now) = (self.inner.render, self.inner.office.now());
        let drawn = self
            .inner
            .office
            .read(move |conn| tongue::within(written, || render(conn, campaign, now)))
            .await;
        let mut new = match drawn {
            Ok(Some(new)) => new,
            Ok(None) => return,
            Err(e) => return log::warn!("those who look at {campaign} are told later: {e}"),
        };
        self.with(|watched| {
            let Some(its) = watched.get_mut(&key) else {
                return;
            };
            its.version = new.version;
            let before = its.standing.replace(new.standing.clone());
            if before.is_some_and(|before| before != new.standing) {
                new.fragments.insert("@reload".into(), Value::Bool(true));
            }
            let at = now.to_rfc3339_opts(SecondsFormat::Secs, true);
            new.fragments.insert("@now".into(), Value::String(at));
            let message = format!("data: {}\n\n", Value::Object(new.fragments));
            its.said.send_replace(Bytes::from(message));
        });
    }
}

/// A place among those who look on, free again when it is dropped.
struct Place(Arc<AtomicUsize>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Listener {
    said: watch::Receiver<Bytes>,
    stop: watch::Receiver<bool>,
    beat: Instant,
    greeted: bool,
    _place: Place,
}

impl Listener {
    /// What is sent next; none at the end.
    async fn next(&mut self) -> Option<Bytes> {
        if !self.greeted {
            self.greeted = true;
            // Asked again after five seconds where the line breaks.
            return Some(Bytes::from_static(b"retry: 5000\n\n"));
        }
        loop {
            if *self.stop.borrow() {
                return None;
            }
            tokio::select! {
                changed = self.said.changed() => {
                    changed.ok()?;
                    return Some(self.said.borrow_and_update().clone());
                }
                stopped = self.stop.changed() => if stopped.is_err() {
                    return None;
                },
                () = tokio::time::sleep_until(self.beat + BEAT) => {
                    self.beat = Instant::now();
                    return Some(Bytes::from_static(b":\n\n"));
                }
            }
        }
    }
}
