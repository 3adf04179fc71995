//! The worker: leases what is due, runs it side by side, ends or puts off each.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration as StdDuration;

use chrono::{DateTime, Duration, Utc};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::{LEASE_ENDED, Next, run};
use crate::store::jobs::JobRow;
use crate::store::{jobs, misc, promises};
use crate::workflows::desk::Problem;
use crate::workflows::office::Office;

/// How many pieces of work run side by side.
const SIDE_BY_SIDE: usize = 192;
/// How many of them are charges, refunds and cards let go at most: a bank takes a second for an answer, and a hundred thousand
/// of them must keep nobody's page or letter waiting.
const CALLS: usize = 160;
/// How often rows are looked at where nobody in this process put them down.
const LOOK: StdDuration = StdDuration::from_millis(500);
/// The longest wait between two tries of work that failed.
const LONGEST_WAIT_SECONDS: i64 = 300;

/// The setting that is there while an old backup has been restored and not reconciled: money, purchase orders and mail
/// wait.
pub const FROZEN: &str = "frozen_since";

/// The worker of this process; cheap to clone.
#[derive(Clone)]
pub struct Worker {
    inner: Arc<Inner>,
}

struct Inner {
    office: Office,
    running: AtomicUsize,
    /// Of these, charges and refunds.
    calls: AtomicUsize,
    /// Rung when a piece of work ended.
    ended: Notify,
    stop: watch::Sender<bool>,
    looped: Mutex<Option<JoinHandle<()>>>,
    /// How often each piece of work was tried in this move of the sandbox's clock.
    tries: Mutex<HashMap<(String, String), u32>>,
}

impl Worker {
    /// A worker that does nothing until it is started or asked.
    pub fn new(office: Office) -> Self {
        Self {
            inner: Arc::new(Inner {
                office,
                running: AtomicUsize::new(0),
                calls: AtomicUsize::new(0),
                ended: Notify::new(),
                stop: watch::Sender::new(false),
                looped: Mutex::new(None),
                tries: Mutex::new(HashMap::new()),
            }),
        }
    }

    /// Starts working in the background. `alone`: no other process works on this database, so leases that are left
    /// over belong to nobody.
    ///
    /// # Errors
    /// What the database says.
    pub async fn start(&self, alone: bool) -> Result<(), Problem> {
        self.inner
            .office
            .write(move |_, tx| -> Result<(), Problem> {
                if alone {
                    jobs::free_all(tx.conn)?;
                }
                let now = tx.now.naive_utc();
                for kind in [jobs::RECONCILE, jobs::HOUSEKEEPING] {
                    if jobs::find(tx.conn, kind, "all")?.is_none() {
                        jobs::put(tx.conn, kind, "all", now, now)?;
                    }
                }
                // Batches older than the watch over their days.
                for batch in promises::watched(tx.conn)? {
                    let batch = batch.to_string();
                    if jobs::find(tx.conn, jobs::PROMISE, &batch)?.is_none() {
                        jobs::put(tx.conn, jobs::PROMISE, &batch, now, now)?;
                    }
                }
                Ok(())
            })
            .await?;
        let this = self.clone();
        let looped = tokio::spawn(async move { this.work().await });
        *self
            .inner
            .looped
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(looped);
        Ok(())
    }

    /// Takes nothing new and waits until what runs has ended: no work is cut.
    pub async fn stop(&self) {
        let _ = self.inner.stop.send_replace(true);
        let looped = self
            .inner
            .looped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(looped) = looped {
            let _ = looped.await;
        }
        self.idle().await;
    }

    async fn idle(&self) {
        loop {
            let ended = self.inner.ended.notified();
            if self.inner.running.load(Ordering::SeqCst) == 0 {
                return;
            }
            // A bell that was rung just before is made good by looking again.
            let _ = tokio::time::timeout(StdDuration::from_millis(50), ended).await;
        }
    }

    async fn work(&self) {
        let mut stop = self.inner.stop.subscribe();
        let mut told = true;
        loop {
            if *stop.borrow() {
                return;
            }
            let bell = self.inner.office.signals().work.clone();
            let rung = bell.notified();
            let room = SIDE_BY_SIDE.saturating_sub(self.inner.running.load(Ordering::SeqCst));
            let took = if room == 0 {
                0
            } else {
                match self.lease(room, None, told).await {
                    Ok(leased) => {
                        let took = leased.len();
                        for job in leased {
                            self.spawn(job);
                        }
                        took
                    }
                    Err(e) => {
                        log::error!("work can't be leased: {e}");
                        0
                    }
                }
            };
            if took > 0 && took == room {
                let ended = self.inner.ended.notified();
                let _ = tokio::time::timeout(StdDuration::from_millis(20), ended).await;
                continue;
            }
            told = false;
            if took > 0 {
                continue;
            }
            let ended = self.inner.ended.notified();
            let full = self.inner.calls.load(Ordering::SeqCst) >= CALLS;
            tokio::select! {
                () = rung => told = true,
                () = ended, if full => told = true,
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.wait_for(|stopped| *stopped) => return,
            }
        }
    }

    /// Leases what is due; with `max_tries`, only what was tried less often in this move of the clock. `told`: somebody
    /// has just put work down; otherwise a read comes first, because an idle worker writes nothing.
    async fn lease(
        &self,
        room: usize,
        max_tries: Option<u32>,
        told: bool,
    ) -> Result<Vec<JobRow>, Problem> {
        let office = &self.inner.office;
        let now = office.now().naive_utc();
        let due = told
            || office
                .read(move |conn| Ok::<_, Problem>(jobs::is_any_due(conn, now)?))
                .await?;
        if !due {
            return Ok(Vec::new());
        }
        // A lease outlives the client's time-out twice over, for two calls one after the other.
        let timeout = i64::try_from(office.settings().provider_timeout.as_secs()).unwrap_or(60);
        let lease = Duration::seconds(4 * timeout + 10);
        let exhausted = self.exhausted(max_tries);
        let calls = CALLS.saturating_sub(self.inner.calls.load(Ordering::SeqCst));
        let more = |room: usize| i64::try_from(room + exhausted.len()).unwrap_or(64);
        let room = jobs::Room {
            all: more(room),
            calls: more(calls),
        };
        office
            .write(move |_, tx| -> Result<Vec<JobRow>, Problem> {
                let now = tx.now.naive_utc();
                let mut leased = Vec::new();
                if misc::setting(tx.conn, FROZEN)?.is_some() {
                    return Ok(leased);
                }
                for job in jobs::lease_within(tx.conn, room, now, lease)? {
                    if exhausted.contains(&(job.kind.clone(), job.subject.clone())) {
                        jobs::release(tx.conn, &job)?;
                    } else {
                        leased.push(job);
                    }
                }
                Ok(leased)
            })
            .await
    }

    fn exhausted(&self, max_tries: Option<u32>) -> Vec<(String, String)> {
        let Some(max) = max_tries else {
            return Vec::new();
        };
        self.inner
            .tries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .filter(|(_, tries)| **tries >= max)
            .map(|(job, _)| job.clone())
            .collect()
    }

    fn spawn(&self, job: JobRow) -> JoinHandle<()> {
        let ended = Ended::of(self.inner.clone(), &job);
        let this = self.clone();
        tokio::spawn(async move {
            this.one(job).await;
            drop(ended);
        })
    }

    /// Runs one piece of work and keeps what became of it.
    async fn one(&self, job: JobRow) {
        let office = &self.inner.office;
        let outcome = run(office, &job).await;
        let kept = match outcome {
            Ok(Next::Kept) => Ok(true),
            Ok(next) => {
                let next = match next {
                    Next::At(at) => Some(at.naive_utc()),
                    Next::Done | Next::Kept => None,
                };
                let job = job.clone();
                office
                    .write(move |_, tx| -> Result<bool, Problem> {
                        Ok(jobs::done(tx.conn, &job, next, tx.now.naive_utc())?)
                    })
                    .await
            }
            Err(trouble) => {
                *self
                    .inner
                    .tries
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .entry((job.kind.clone(), job.subject.clone()))
                    .or_insert(0) += 1;
                log::warn!("{} {}: {}", job.kind, job.subject, trouble.what);
                let wait = trouble.again_in.unwrap_or_else(|| backoff(job.attempts));
                let job = job.clone();
                office
                    .write(move |_, tx| -> Result<bool, Problem> {
                        let next = (tx.now + wait).naive_utc();
                        Ok(jobs::failed(tx.conn, &job, &trouble.what, Some(next))?)
                    })
                    .await
            }
        };
        match kept {
            Ok(true) => {}
            // Whoever has it now decides what becomes of it.
            Ok(false) => log::warn!("{} {}: {LEASE_ENDED}", job.kind, job.subject),
            // The lease ends by itself, and the work is done again.
            Err(e) => log::error!("{} {}: its end can't be kept: {e}", job.kind, job.subject),
        }
    }

    /// A move of the sandbox's clock begins.
    pub fn begin_move(&self) {
        self.inner
            .tries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    /// When the earliest work is due that was tried less than `max_tries` times in this move.
    ///
    /// # Errors
    /// What the database says.
    pub async fn next_due(&self, max_tries: u32) -> Result<Option<DateTime<Utc>>, Problem> {
        let exhausted = self.exhausted(Some(max_tries));
        let limit = i64::try_from(exhausted.len() + 1).unwrap_or(1000);
        self.inner
            .office
            .read(move |conn| {
                if misc::setting(conn, FROZEN)?.is_some() {
                    return Ok(None);
                }
                Ok(jobs::earliest(conn, limit)?
                    .into_iter()
                    .find(|job| !exhausted.contains(&(job.kind.clone(), job.subject.clone())))
                    .map(|job| job.run_at.and_utc()))
            })
            .await
    }

    /// Does everything that is due now, once each, and comes back when it, and what ran already, has ended.
    ///
    /// # Errors
    /// What the database says.
    pub async fn run_due(&self, max_tries: u32) -> Result<usize, Problem> {
        let mut done = 0;
        loop {
            let leased = self.lease(SIDE_BY_SIDE, Some(max_tries), true).await?;
            let calls = leased.iter().filter(|job| jobs::is_call(job.priority));
            let more = leased.len() == SIDE_BY_SIDE || calls.count() == CALLS;
            done += leased.len();
            let running: Vec<_> = leased.into_iter().map(|job| self.spawn(job)).collect();
            for one in running {
                let _ = one.await;
            }
            if !more {
                break;
            }
        }
        self.idle().await;
        Ok(done)
    }

    /// Works until nothing is due any more: for tests and commands.
    ///
    /// # Errors
    /// What the database says.
    pub async fn run_until_idle(&self, max_tries: u32) -> Result<(), Problem> {
        self.begin_move();
        while self
            .next_due(max_tries)
            .await?
            .is_some_and(|at| at <= self.inner.office.now())
        {
            self.run_due(max_tries).await?;
        }
        Ok(())
    }
}

/// Counts a piece of work as ended, also where it panicked.
struct Ended {
    inner: Arc<Inner>,
    is_call: bool,
}

impl Ended {
    /// It begins.
    fn of(inner: Arc<Inner>, job: &JobRow) -> Self {
        let is_call = jobs::is_call(job.priority);
        inner.running.fetch_add(1, Ordering::SeqCst);
        inner
            .calls
            .fetch_add(usize::from(is_call), Ordering::SeqCst);
        Self { inner, is_call }
    }
}

impl Drop for Ended {
    fn drop(&mut self) {
        let calls = usize::from(self.is_call);
        self.inner.calls.fetch_sub(calls, Ordering::SeqCst);
        self.inner.running.fetch_sub(1, Ordering::SeqCst);
        self.inner.ended.notify_waiters();
        self.inner.ended.notify_one();
    }
}

/// 1, 2, 4 ... seconds, at most five minutes.
fn backoff(attempts: i32) -> Duration {
    let power = u32::try_from(attempts.clamp(0, 16)).unwrap_or(0);
    Duration::seconds(2i64.saturating_pow(power).min(LONGEST_WAIT_SECONDS))
}
