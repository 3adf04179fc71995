//! The one who writes: takes what waits, commits it together, and answers.

use std::sync::mpsc::Receiver;

use diesel::Connection;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use tokio::sync::oneshot;

use super::{
    BATCH, Change, Connect, Effects, Gate, Group, Item, LaneError, Now, OnCommit, RETRIES, Run, Tx,
};
use crate::store::{Conn, StoreError, each_backend, notify};

pub(super) struct Writer<G: Group> {
    pub(super) connect: Connect,
    pub(super) conn: Conn,
    pub(super) group: G,
    pub(super) now: Now,
    pub(super) on_commit: OnCommit,
    pub(super) gate: Box<dyn Gate>,
    pub(super) me: String,
}

type Waiting<G> = (
    <G as Group>::Request,
    oneshot::Sender<Result<<G as Group>::Answer, StoreError>>,
);

impl<G: Group> Writer<G> {
    pub(super) fn work(mut self, exit: &Receiver<Item<G>>) {
        let mut stopping = false;
        while !stopping {
            let Ok(first) = exit.recv() else { return };
            let mut changes = Vec::new();
            let mut grouped = Vec::new();
            let mut next = Some(first);
            while let Some(item) = next {
                match item {
                    Item::Change(change) => changes.push(change),
                    Item::Grouped(request, reply) => grouped.push((request, reply)),
                    Item::Stop => stopping = true,
                }
                next = if stopping || changes.len() + grouped.len() >= BATCH {
                    None
                } else {
                    exit.try_recv().ok()
                };
            }
            self.batch(changes, grouped);
        }
    }

    fn batch(&mut self, changes: Vec<Box<dyn Change>>, grouped: Vec<Waiting<G>>) {
        if changes.len() + grouped.len() == 0 {
            return;
        }
        let (requests, replies): (Vec<_>, Vec<_>) = grouped.into_iter().unzip();
        match self.together(changes, &requests) {
            Together::Committed(changes, answers) => {
                for change in changes {
                    change.answer(Ok(()));
                }
                for (reply, answer) in replies.into_iter().zip(answers) {
                    let _ = reply.send(Ok(answer));
                }
            }
            Together::Lost(changes) => {
                for change in changes {
                    change.answer(Err(StoreError::Lost));
                }
                for reply in replies {
                    let _ = reply.send(Err(StoreError::Lost));
                }
            }
            Together::Apart(changes) => {
                for change in changes {
                    self.alone(change);
                }
                for (request, reply) in requests.into_iter().zip(replies) {
                    let _ = reply.send(self.request_alone(request));
                }
            }
        }
    }

    /// Everything in one transaction, or nothing of it.
    fn together(
        &mut self,
        mut changes: Vec<Box<dyn Change>>,
        requests: &[G::Request],
    ) -> Together<G> {
        let single = changes.len() + usize::from(!requests.is_empty()) == 1;
        if self.begin().is_err() {
            return Together::Apart(changes);
        }
        let mut effects = Effects::default();
        let mut answers = Vec::new();
        let mut whole = true;
        if !requests.is_empty() {
            match self.savepoint(single, |group, tx| group.run(tx, requests)) {
                Ok((done, more)) => {
                    answers = done;
                    effects.add(more);
                }
                Err(_) => whole = false,
            }
        }
        if whole {
            for change in &mut changes {
                let ran = self.savepoint(single, |_, tx| match change.run(tx) {
                    Run::Keep => Ok(()),
                    Run::TakeBack => Err(Back::Refused),
                    Run::Passing => Err(Back::Passing),
                });
                match ran {
                    Ok(((), more)) => effects.add(more),
                    Err(Back::Refused) => {}
                    Err(Back::Passing | Back::Store) => {
                        whole = false;
                        break;
                    }
                }
            }
        }
        if whole {
            match self.commit(&effects) {
                Ok(()) => {
                    (self.on_commit)(effects);
                    return Together::Committed(changes, answers);
                }
                // It may have been made: nothing of it is run again.
                Err(StoreError::Lost) => return Together::Lost(changes),
                Err(_) => {}
            }
        }
        rollback(&mut self.conn);
        Together::Apart(changes)
    }

    /// Begins a transaction, on a new connection where the old one broke.
    fn begin(&mut self) -> Result<(), StoreError> {
        let failed = match begin(&mut self.conn) {
            Ok(()) => return Ok(()),
            Err(e) => StoreError::from(e),
        };
        if !failed.is_broken() {
            return Err(failed);
        }
        log::warn!("the writer connects anew: {failed}");
        self.conn = (self.connect)()?;
        Ok(begin(&mut self.conn)?)
    }

    fn commit(&mut self, effects: &Effects) -> Result<(), StoreError> {
        if !self.gate.lets_through() {
            return Err(LaneError::Stopped.into());
        }
        notify::tell(&mut self.conn, &self.me, effects)?;
        if let Err(e) = commit(&mut self.conn) {
            let e = StoreError::from(e);
            return Err(if e.is_broken() { StoreError::Lost } else { e });
        }
        self.gate.committed();
        Ok(())
    }

    /// Runs a step so that its failure takes back only itself.
    fn savepoint<T, E: From<diesel::result::Error>>(
        &mut self,
        single: bool,
        step: impl FnOnce(&G, &mut Tx) -> Result<T, E>,
    ) -> Result<(T, Effects), E> {
        let now = (self.now)();
        let group = &self.group;
        let run = |conn: &mut Conn| {
            let mut tx = Tx::new(conn, now);
            let value = step(group, &mut tx)?;
            Ok((value, tx.effects))
        };
        if single {
            let done = run(&mut self.conn);
            if done.is_err() {
                rollback(&mut self.conn);
                // The outer end still finds a transaction to commit, an empty one.
                begin(&mut self.conn).map_err(E::from)?;
            }
            done
        } else {
            self.conn.transaction(run)
        }
    }

    /// One change in a transaction of its own, again while it meets somebody else's.
    fn alone(&mut self, mut change: Box<dyn Change>) {
        let mut tries = 0;
        loop {
            tries += 1;
            let (ran, committed) = match self.own(|_, tx| match change.run(tx) {
                Run::Keep => Ok(()),
                Run::TakeBack => Err(Back::Refused),
                Run::Passing => Err(Back::Passing),
            }) {
                Ok(()) => (Back::Refused, Ok(())),
                Err(Failed::Step(back)) => (back, Ok(())),
                Err(Failed::Commit(e)) => (Back::Passing, Err(e)),
            };
            let lost = matches!(committed, Err(StoreError::Lost));
            if matches!(ran, Back::Passing | Back::Store) && !lost && tries < RETRIES {
                continue;
            }
            change.answer(committed);
            return;
        }
    }

    fn request_alone(&mut self, request: G::Request) -> Result<G::Answer, StoreError> {
        let requests = [request];
        let mut tries = 0;
        loop {
            tries += 1;
            let done = self.own(|group, tx| group.run(tx, &requests));
            let error = match done {
                Ok(mut answers) => match answers.pop() {
                    Some(answer) => return Ok(answer),
                    None => StoreError::Conflict("no answer was given"),
                },
                Err(Failed::Step(e) | Failed::Commit(e)) => e,
            };
            if !error.is_passing() || tries >= RETRIES {
                return Err(error);
            }
        }
    }

    fn own<T, E>(
        &mut self,
        step: impl FnOnce(&G, &mut Tx) -> Result<T, E>,
    ) -> Result<T, Failed<E>> {
        self.begin().map_err(Failed::Commit)?;
        let now = (self.now)();
        let mut tx = Tx::new(&mut self.conn, now);
        match step(&self.group, &mut tx) {
            Ok(value) => {
                let effects = std::mem::take(&mut tx.effects);
                if let Err(e) = self.commit(&effects) {
                    rollback(&mut self.conn);
                    return Err(Failed::Commit(e));
                }
                (self.on_commit)(effects);
                Ok(value)
            }
            Err(e) => {
                rollback(&mut self.conn);
                Err(Failed::Step(e))
            }
        }
    }
}

enum Together<G: Group> {
    Committed(Vec<Box<dyn Change>>, Vec<G::Answer>),
    Apart(Vec<Box<dyn Change>>),
    /// Whether it was committed is not known.
    Lost(Vec<Box<dyn Change>>),
}

enum Back {
    Refused,
    Passing,
    Store,
}

impl From<diesel::result::Error> for Back {
    fn from(_: diesel::result::Error) -> Self {
        Back::Store
    }
}

enum Failed<E> {
    Step(E),
    Commit(StoreError),
}

/// Begins a write transaction; on the embedded database it takes the write lock at once.
pub(super) fn begin(conn: &mut Conn) -> diesel::QueryResult<()> {
    match conn {
        Conn::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
        #[cfg(feature = "postgres")]
        Conn::Postgres(c) => AnsiTransactionManager::begin_transaction(c),
    }
}

pub(super) fn commit(conn: &mut Conn) -> diesel::QueryResult<()> {
    each_backend!(conn, c => AnsiTransactionManager::commit_transaction(c))
}

pub(super) fn rollback(conn: &mut Conn) {
    let done = each_backend!(conn, c => AnsiTransactionManager::rollback_transaction(c));
    if let Err(e) = done {
        log::error!("a transaction could not be taken back: {e}");
    }
}
