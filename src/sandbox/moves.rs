//! The clock moves forward. Every due time on the way is visited in order: the provider's own work, deliveries, and the
//! program's work run with that time before the clock goes on.

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};

use super::clock::OFFSET;
use super::deliver::{self, Tries};
use super::hooks::Hooks;
use super::lane::LaneError;
use super::{Sandbox, idempotency, store};
use crate::workflows::ports::Clock;

/// The longest a move may take, so that its answer comes within 60 seconds.
const LONGEST: Duration = Duration::from_secs(50);

/// How often an item is tried in one move: while faults are set, and otherwise.
const TRIES: (u32, u32) = (3, 20);

/// How often the program's work is asked to do the same due time before the move goes on without it.
const STUCK: u32 = 5;

/// Why the clock did not move.
#[derive(Debug, thiserror::Error)]
pub enum MoveError {
    /// It only goes forward.
    #[error("the clock only moves forward; it is {0} now")]
    Backwards(DateTime<Utc>),
    /// The books could not be kept.
    #[error(transparent)]
    Books(#[from] LaneError),
}

/// One move: what was tried in it, and when it must end.
struct Move<'a> {
    sandbox: &'a Sandbox,
    hooks: Option<Hooks>,
    tries: Tries,
    most: u32,
    until: Instant,
    /// The program's due time last seen after a run, and how often.
    stuck: Option<(DateTime<Utc>, u32)>,
}

impl Sandbox {
    /// Moves the clock to `target`, visiting each due time in order; gives the time it is then. Moves wait for each
    /// other.
    pub async fn move_clock(&self, target: DateTime<Utc>) -> Result<DateTime<Utc>, MoveError> {
        let _one_at_a_time = self.inner.moving.lock().await;
        if target < self.inner.clock.now() {
            return Err(MoveError::Backwards(self.inner.clock.now()));
        }
        self.move_on(target).await
    }

    /// Moves the clock by some time.
    pub async fn advance_clock(&self, by: TimeDelta) -> Result<DateTime<Utc>, MoveError> {
        let _one_at_a_time = self.inner.moving.lock().await;
        let now = self.inner.clock.now();
        match now.checked_add_signed(by) {
            Some(target) if by >= TimeDelta::zero() => self.move_on(target).await,
            _ => Err(MoveError::Backwards(now)),
        }
    }

    async fn move_on(&self, target: DateTime<Utc>) -> Result<DateTime<Utc>, MoveError> {
        let hooks = self.hooks();
        if let Some(hooks) = &hooks {
            hooks.work.begin_move();
        }
        let mut this = Move {
            sandbox: self,
            hooks,
            tries: Tries::new(),
            most: if self.faults().any() {
                TRIES.0
            } else {
                TRIES.1
            },
            until: Instant::now() + LONGEST,
            stuck: None,
        };
        // What is overdue already is done first, with the time it is.
        this.settle().await?;
        while Instant::now() < this.until {
            match this.next_due().await? {
                Some(due) if due <= target => {
                    self.set_clock(due).await?;
                    this.settle().await?;
                }
                _ => break,
            }
        }
        self.set_clock(target).await?;
        this.settle().await?;
        self.write(None, |b| idempotency::prune(b.conn, b.now))
            .await?;
        Ok(self.inner.clock.now())
    }

    /// Sets the clock, durably; a time that has gone by changes nothing.
    async fn set_clock(&self, to: DateTime<Utc>) -> Result<(), LaneError> {
        let Some(offset) = self.inner.clock.offset_for(to) else {
            return Ok(());
        };
        // Offsets are whole milliseconds: one more, so that the due moment itself has come.
        let offset = offset + 1;
        self.write(None, move |b| {
            store::put_setting(b.conn, OFFSET, &offset.to_string())
        })
        .await?;
        self.inner.clock.learn(offset);
        Ok(())
    }
}

impl Move<'_> {
    /// Runs everything that is due at the present time, until nothing is left or each was tried often enough.
    async fn settle(&mut self) -> Result<(), LaneError> {
        loop {
            self.sandbox.run_own_due().await?;
            deliver::deliver_due(self.sandbox, Some(&mut self.tries), self.most).await?;
            let ran = self.run_program().await;
            let now = self.sandbox.inner.clock.now();
            let more = match self.next_due().await? {
                Some(due) => due <= now,
                None => false,
            };
            if (!more && !ran) || Instant::now() >= self.until {
                return Ok(());
            }
        }
    }

    /// Runs the program's due work; whether there was any.
    async fn run_program(&mut self) -> bool {
        let Some(hooks) = self.hooks.clone() else {
            return false;
        };
        let now = self.sandbox.inner.clock.now();
        let Some(due) = self.program_due().await.filter(|due| *due <= now) else {
            return false;
        };
        hooks.work.run_due(self.most).await;
        self.stuck = match self.stuck {
            Some((time, times)) if time == due => Some((time, times + 1)),
            _ => Some((due, 1)),
        };
        true
    }

    /// The program's earliest due time, unless that one was tried often and stays.
    async fn program_due(&self) -> Option<DateTime<Utc>> {
        let due = self.hooks.as_ref()?.work.next_due(self.most).await?;
        match self.stuck {
            Some((time, times)) if time == due && times >= self.most.max(STUCK) => None,
            _ => Some(due),
        }
    }

    async fn next_due(&self) -> Result<Option<DateTime<Utc>>, LaneError> {
        let own = self.sandbox.read(|b| store::next_due(b.conn)).await?;
        let delivery = deliver::next_due(self.sandbox, &self.tries, self.most).await?;
        let time = |unix: Option<i64>| unix.and_then(|u| DateTime::from_timestamp(u, 0));
        let all = [time(own), time(delivery), self.program_due().await];
        Ok(all.into_iter().flatten().min())
    }
}

/// Does the provider's own due work each second, and forgets old keys now and then.
pub async fn tick_until_stopped(sandbox: Sandbox) {
    let mut stop = sandbox.inner.stop.subscribe();
    let mut beats: u32 = 0;
    loop {
        if let Err(e) = sandbox.tick(beats.is_multiple_of(600)).await {
            log::error!("sandbox: own work: {e}");
        }
        beats = beats.wrapping_add(1);
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            _ = stop.wait_for(|stopped| *stopped) => return,
        }
    }
}

impl Sandbox {
    async fn tick(&self, prunes: bool) -> Result<(), LaneError> {
        // A read first: an idle sandbox writes nothing.
        let next = self
            .read(|b| Ok(store::next_due(b.conn)?.is_some_and(|at| at <= b.now)))
            .await?;
        if next {
            self.run_own_due().await?;
        }
        if prunes {
            self.write(None, |b| idempotency::prune(b.conn, b.now))
                .await?;
        }
        Ok(())
    }
}
