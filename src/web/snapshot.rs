//! Public pages from memory: drawn once per change, compressed once, and served without the database.
//!
//! A page is kept once for each way of writing amounts that was asked for; there are few.
//!
//! A kept page is drawn anew when its campaign was touched, when its minute is over (a countdown stands on it), when the
//! clock jumped, and when another process changed what it shows, which is looked up at most once a second. One request
//! draws, the others are served the page as it was; in a rush a page is drawn at most every 200 ms.

use std::collections::HashMap;
use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::{Duration, Instant};

use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use chrono::{DateTime, TimeDelta, Utc};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use tokio::sync::broadcast;

use super::pages::CONTENT_SECURITY_POLICY;
use super::theme;
use super::tongue;
use super::view::{Sort, Theme};
use crate::domain::ids::CampaignId;
use crate::domain::written::Written;
use crate::store::Conn;
use crate::workflows::desk::Problem;
use crate::workflows::office::Office;

/// A page that carries nothing of its visitor.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Page {
    /// The list of campaigns, in an order, from a page of it.
    Home(Sort, u16),
    /// A campaign, by its slug.
    Campaign(String),
    /// A merchant, by its slug.
    Merchant(String),
}

/// A page's model, ready to be drawn in every theme.
pub struct Drawing {
    /// Draws it.
    pub html: Box<dyn Fn(Theme) -> Result<String, String> + Send + Sync>,
    /// The campaign it is about; none for lists.
    pub campaign: Option<CampaignId>,
    /// When it says something else without anybody having done anything.
    pub until: Option<DateTime<Utc>>,
}

/// Draws public pages.
pub trait Painter: Send + Sync + 'static {
    /// What the page depends on: another number means that it is to be drawn anew. None: there is no such page.
    ///
    /// # Errors
    /// What the database says.
    fn print(&self, conn: &mut Conn, page: &Page) -> Result<Option<u64>, Problem>;

    /// The page's model. None: there is no such page.
    ///
    /// # Errors
    /// What the database says.
    fn draw(
        &self,
        conn: &mut Conn,
        page: &Page,
        now: DateTime<Utc>,
    ) -> Result<Option<Drawing>, Problem>;
}

/// A page is drawn at most so often.
const PACE: Duration = Duration::from_millis(200);
/// How often what other processes did is looked up.
const LOOK: Duration = Duration::from_secs(1);
/// A countdown is true for so long.
const MINUTE: TimeDelta = TimeDelta::seconds(60);

/// One page in one theme, compressed.
struct Encoded {
    plain: (Bytes, HeaderValue),
    gzip: (Bytes, HeaderValue),
    brotli: (Bytes, HeaderValue),
}

/// A drawn page.
struct Shown {
    drawing: Drawing,
    themes: [OnceLock<Result<Encoded, String>>; 3],
    print: u64,
    wanted: u64,
    at: DateTime<Utc>,
    drawn: Instant,
}

impl Shown {
    fn in_theme(&self, theme: Theme) -> &Result<Encoded, String> {
        self.themes[index(theme)].get_or_init(|| encode((self.drawing.html)(theme)?))
    }

    fn is_ready(&self, theme: Theme) -> bool {
        self.themes[index(theme)].get().is_some()
    }
}

fn index(theme: Theme) -> usize {
    match theme {
        Theme::Auto => 0,
        Theme::Light => 1,
        Theme::Dark => 2,
    }
}

/// The place of one page.
struct Slot {
    page: Page,
    written: Written,
    shown: RwLock<Arc<Shown>>,
    /// Rises with each change that is heard of.
    wanted: AtomicU64,
    /// When the version was last looked up, in milliseconds since the start.
    looked: AtomicU64,
    flight: tokio::sync::Mutex<()>,
}

impl Slot {
    fn shown(&self) -> Arc<Shown> {
        match self.shown.read() {
            Ok(shown) => shown.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        }
    }
}

#[derive(Default)]
struct Slots {
    by_path: HashMap<String, Arc<Slot>>,
    by_campaign: HashMap<CampaignId, Vec<Arc<Slot>>>,
    lists: Vec<Arc<Slot>>,
}

struct Inner {
    office: Office,
    painter: Arc<dyn Painter>,
    touched: Mutex<broadcast::Receiver<CampaignId>>,
    slots: RwLock<Slots>,
    first: tokio::sync::Mutex<()>,
    start: Instant,
}

/// The kept pages of this process. Cheap to clone.
#[derive(Clone)]
pub struct Snapshots {
    inner: Arc<Inner>,
}

impl Snapshots {
    /// Keeps pages drawn by `painter`.
    pub fn new(office: Office, painter: Arc<dyn Painter>) -> Self {
        let touched = Mutex::new(office.signals().touched.subscribe());
        Self {
            inner: Arc::new(Inner {
                office,
                painter,
                touched,
                slots: RwLock::default(),
                first: tokio::sync::Mutex::default(),
                start: Instant::now(),
            }),
        }
    }

    /// The answer to a request for a page; `key` is its address, the same for the same page. None: there is no such
    /// page.
    ///
    /// # Errors
    /// When the page was never drawn and can't be now.
    pub async fn answer(
        &self,
        request: &HttpRequest,
        key: &str,
        page: impl FnOnce() -> Page,
    ) -> Result<Option<HttpResponse>, Problem> {
        self.hear();
        let written = tongue::of(request.headers());
        // Most visitors' addresses are looked up without making a key.
        let own_key = (written != Written::default()).then(|| format!("{key} {}", written.index()));
        let key = own_key.as_deref().unwrap_or(key);
        let slot = match self.slot(key) {
            Some(slot) => slot,
            None => match self.first(key, page(), written).await? {
                Some(slot) => slot,
                None => return Ok(None),
            },
        };
        if self.is_old(&slot) {
            // One draws, the others are served what there is. A visitor who goes away meanwhile leaves it marked.
            if let Ok(_one) = slot.flight.try_lock()
                && !self.refresh(&slot, key).await
            {
                return Ok(None);
            }
        }
        let shown = slot.shown();
        let theme = theme_of(request);
        if !shown.is_ready(theme) {
            let shown = shown.clone();
            let _ = tokio::task::spawn_blocking(move || shown.in_theme(theme).is_ok()).await;
        }
        match shown.in_theme(theme) {
            Ok(encoded) => Ok(Some(encoded.answer(request.headers()))),
            Err(why) => Err(Problem::Internal(why.clone())),
        }
    }

    /// Takes in which campaigns were touched.
    fn hear(&self) {
        let mut receiver = match self.inner.touched.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        let mut last = None;
        loop {
            match receiver.try_recv() {
                Ok(campaign) if last == Some(campaign) => {}
                Ok(campaign) => {
                    last = Some(campaign);
                    self.with_slots(|slots| {
                        let its = slots.by_campaign.get(&campaign);
                        for slot in slots.lists.iter().chain(its.into_iter().flatten()) {
                            slot.wanted.fetch_add(1, Ordering::Release);
                        }
                    });
                }
                Err(broadcast::error::TryRecvError::Lagged(_)) => self.with_slots(|slots| {
                    for slot in slots.by_path.values() {
                        slot.wanted.fetch_add(1, Ordering::Release);
                    }
                }),
                Err(_) => return,
            }
        }
    }

    fn with_slots<T>(&self, f: impl FnOnce(&Slots) -> T) -> T {
        match self.inner.slots.read() {
            Ok(slots) => f(&slots),
            Err(poisoned) => f(&poisoned.into_inner()),
        }
    }

    fn change_slots(&self, f: impl FnOnce(&mut Slots)) {
        match self.inner.slots.write() {
            Ok(mut slots) => f(&mut slots),
            Err(poisoned) => f(&mut poisoned.into_inner()),
        }
    }

    fn slot(&self, key: &str) -> Option<Arc<Slot>> {
        self.with_slots(|slots| slots.by_path.get(key).cloned())
    }

    fn millis(&self) -> u64 {
        u64::try_from(self.inner.start.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn is_old(&self, slot: &Slot) -> bool {
        let shown = slot.shown();
        shown.wanted != slot.wanted.load(Ordering::Acquire) || self.is_over(&shown) || {
            let look = u64::try_from(LOOK.as_millis()).unwrap_or(u64::MAX);
            self.millis() >= slot.looked.load(Ordering::Relaxed).saturating_add(look)
        }
    }

    /// Whether its minute is over, or the clock was turned back.
    fn is_over(&self, shown: &Shown) -> bool {
        let now = self.inner.office.now();
        now < shown.at
            || now >= shown.at + MINUTE
            || shown.drawing.until.is_some_and(|until| now >= until)
    }

    /// Draws a page for the first time. What there is not leaves nothing behind, and holds nobody up.
    async fn first(
        &self,
        key: &str,
        page: Page,
        written: Written,
    ) -> Result<Option<Arc<Slot>>, Problem> {
        let (painter, asked) = (self.inner.painter.clone(), page.clone());
        let office = &self.inner.office;
        let there = office.read(move |conn| painter.print(conn, &asked)).await?;
        if there.is_none() {
            return Ok(None);
        }
        let _one = self.inner.first.lock().await;
        if let Some(slot) = self.slot(key) {
            return Ok(Some(slot));
        }
        let Some(shown) = self.draw(&page, written, 0).await? else {
            return Ok(None);
        };
        let campaign = shown.drawing.campaign;
        let slot = Arc::new(Slot {
            page,
            written,
            shown: RwLock::new(Arc::new(shown)),
            // Something may have been touched while it was drawn, before it could be marked: the first look is due.
            wanted: AtomicU64::new(0),
            looked: AtomicU64::new(0),
            flight: tokio::sync::Mutex::default(),
        });
        self.change_slots(|slots| {
            match campaign {
                Some(campaign) => {
                    let its = slots.by_campaign.entry(campaign).or_default();
                    its.push(slot.clone());
                }
                None => slots.lists.push(slot.clone()),
            }
            slots.by_path.insert(key.to_owned(), slot.clone());
        });
        Ok(Some(slot))
    }

    async fn draw(
        &self,
        page: &Page,
        written: Written,
        wanted: u64,
    ) -> Result<Option<Shown>, Problem> {
        let (painter, page) = (self.inner.painter.clone(), page.clone());
        let at = self.inner.office.now();
        self.inner
            .office
            .read(move |conn| {
                let Some(print) = painter.print(conn, &page)? else {
                    return Ok(None);
                };
                let draw = || painter.draw(conn, &page, at);
                let Some(drawing) = tongue::within(written, draw)? else {
                    return Ok(None);
                };
                let shown = Shown {
                    drawing,
                    themes: Default::default(),
                    print,
                    wanted,
                    at,
                    drawn: Instant::now(),
                };
                if let Err(why) = shown.in_theme(Theme::Auto) {
                    return Err(Problem::Internal(why.clone()));
                }
                Ok(Some(shown))
            })
            .await
    }

    /// Looks whether a page is still true, and draws it anew where it is not; whether there still is one. Called by
    /// one request at a time.
    async fn refresh(&self, slot: &Arc<Slot>, key: &str) -> bool {
        let shown = slot.shown();
        let wanted = slot.wanted.load(Ordering::Acquire);
        if shown.wanted == wanted && !self.is_over(&shown) {
            slot.looked.store(self.millis(), Ordering::Relaxed);
            let (painter, page) = (self.inner.painter.clone(), slot.page.clone());
            let office = &self.inner.office;
            match office.read(move |conn| painter.print(conn, &page)).await {
                Ok(Some(print)) if print == shown.print => return true,
                Ok(_) => {}
                Err(e) => {
                    log::warn!("{key} is shown as it was: {e}");
                    return true;
                }
            }
        } else if let Some(rest) = PACE.checked_sub(shown.drawn.elapsed()) {
            tokio::time::sleep(rest).await;
        }
        let wanted = slot.wanted.load(Ordering::Acquire);
        let looked = self.millis();
        match self.draw(&slot.page, slot.written, wanted).await {
            Ok(Some(new)) => {
                slot.looked.store(looked, Ordering::Relaxed);
                match slot.shown.write() {
                    Ok(mut place) => *place = Arc::new(new),
                    Err(poisoned) => *poisoned.into_inner() = Arc::new(new),
                }
                true
            }
            Ok(None) => {
                self.forget(slot, key);
                false
            }
            Err(e) => {
                log::error!("{key} is shown as it was: {e}");
                true
            }
        }
    }

    fn forget(&self, slot: &Arc<Slot>, key: &str) {
        self.change_slots(|slots| {
            slots.by_path.remove(key);
            slots.by_campaign.retain(|_, its| {
                its.retain(|s| !Arc::ptr_eq(s, slot));
                !its.is_empty()
            });
            slots.lists.retain(|s| !Arc::ptr_eq(s, slot));
        });
    }
}

/// The theme, without parsing cookies where there are none.
fn theme_of(request: &HttpRequest) -> Theme {
    if request.headers().contains_key(header::COOKIE) {
        theme::of(request)
    } else {
        Theme::Auto
    }
}

fn encode(html: String) -> Result<Encoded, String> {
    let hash = Sha256::digest(html.as_bytes());
    let hash: String = hash[..12].iter().map(|b| format!("{b:02x}")).collect();
    let tag = |ending: &str| {
        HeaderValue::from_str(&format!("\"{hash}{ending}\"")).map_err(|e| e.to_string())
    };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(6));
    encoder
        .write_all(html.as_bytes())
        .map_err(|e| e.to_string())?;
    let gzip = encoder.finish().map_err(|e| e.to_string())?;
    let mut brotli = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 5,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut html.as_bytes(), &mut brotli, &parameters)
        .map_err(|e| e.to_string())?;
    Ok(Encoded {
        plain: (Bytes::from(html), tag("")?),
        gzip: (Bytes::from(gzip), tag("-gz")?),
        brotli: (Bytes::from(brotli), tag("-br")?),
    })
}

const VARY: HeaderValue = HeaderValue::from_static("Accept-Encoding, Accept-Language, Cookie");
const NO_CACHE: HeaderValue = HeaderValue::from_static("no-cache");
const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const POLICY: HeaderValue = HeaderValue::from_static(CONTENT_SECURITY_POLICY);
const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
const REFERRER: HeaderValue = HeaderValue::from_static("same-origin");

impl Encoded {
    fn answer(&self, head: &HeaderMap) -> HttpResponse {
        let ((body, tag), coding) = if accepts(head, "br") {
            (&self.brotli, Some(HeaderValue::from_static("br")))
        } else if accepts(head, "gzip") {
            (&self.gzip, Some(HeaderValue::from_static("gzip")))
        } else {
            (&self.plain, None)
        };
        let known = knows(head, tag);
        let mut answer = if known {
            HttpResponse::NotModified()
        } else {
            HttpResponse::Ok()
        };
        answer
            .insert_header((header::ETAG, tag.clone()))
            .insert_header((header::CACHE_CONTROL, NO_CACHE))
            .insert_header((header::VARY, VARY));
        if known {
            return answer.finish();
        }
        answer
            .insert_header((header::CONTENT_TYPE, HTML))
            .insert_header((header::CONTENT_SECURITY_POLICY, POLICY))
            .insert_header((header::X_CONTENT_TYPE_OPTIONS, NOSNIFF))
            .insert_header((header::REFERRER_POLICY, REFERRER));
        if let Some(coding) = coding {
            answer.insert_header((header::CONTENT_ENCODING, coding));
        }
        answer.body(body.clone())
    }
}

/// Whether a coding is named in `Accept-Encoding`, and not with a weight of nought.
fn accepts(head: &HeaderMap, coding: &str) -> bool {
    let Some(asked) = head.get(header::ACCEPT_ENCODING) else {
        return false;
    };
    let Ok(asked) = asked.to_str() else {
        return false;
    };
    asked.split(',').any(|part| {
        let mut pieces = part.split(';').map(str::trim);
        let named = pieces
            .next()
            .is_some_and(|n| n.eq_ignore_ascii_case(coding));
        let weight = pieces.find_map(|p| p.strip_prefix("q="));
        named && weight.is_none_or(|q| q.parse::<f32>().is_ok_and(|q| q > 0.0))
    })
}

fn knows(head: &HeaderMap, tag: &HeaderValue) -> bool {
    let (Some(asked), Ok(tag)) = (head.get(header::IF_NONE_MATCH), tag.to_str()) else {
        return false;
    };
    let Ok(asked) = asked.to_str() else {
        return false;
    };
    let mut tags = asked.split(',').map(str::trim);
    tags.any(|t| t == "*" || t.strip_prefix("W/").unwrap_or(t) == tag)
}
