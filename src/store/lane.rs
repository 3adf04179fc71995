//! The write lane: one writer with a bounded queue, in whose transaction everybody waiting shares one commit.
//!
//! A durable commit costs the same for one change as for sixty. The lane takes what is waiting (up to [`BATCH`]) without
//! adding delay, gives each its own savepoint, commits once, and only then answers. What fails takes back its own
//! savepoint; where the commit itself fails, each is tried again in a transaction of its own. Requests of one kind
//! that come in a rush (joins) are handed to their workflow together, so that a counter is written once for all.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use chrono::{DateTime, Utc};
use diesel::Connection;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use tokio::sync::oneshot;

use super::{Conn, StoreError};
use crate::domain::ids::{CampaignId, OrderId};

/// How many waiting changes share one commit at most.
pub const BATCH: usize = 64;
/// How many changes may wait before more are turned away.
pub const QUEUE: usize = 4096;
/// How often a change that met another machine's is tried again.
const RETRIES: usize = 5;

/// A write transaction: its connection, its time, and what the world must hear of once it is committed.
pub struct Tx<'a> {
    /// The connection, inside the transaction.
    pub conn: &'a mut Conn,
    /// The clock's reading for this change.
    pub now: DateTime<Utc>,
    /// What is to be told after the commit.
    pub effects: Effects,
}

impl<'a> Tx<'a> {
    /// A transaction's face on a connection.
    pub fn new(conn: &'a mut Conn, now: DateTime<Utc>) -> Self {
        Self {
            conn,
            now,
            effects: Effects::default(),
        }
    }

    /// Something was heard of an order that somebody may be waiting for.
    pub fn heard(&mut self, order: OrderId) {
        self.effects.heard.push(order);
    }

    /// The public face of a campaign changed.
    pub fn touch(&mut self, campaign: CampaignId) {
        if !self.effects.touched.contains(&campaign) {
            self.effects.touched.push(campaign);
        }
    }
}

/// What is told after a commit.
#[derive(Debug, Default, Clone)]
pub struct Effects {
    /// Campaigns whose public face changed.
    pub touched: Vec<CampaignId>,
    /// Orders somebody may be waiting to hear of: their page came, or will not come.
    pub heard: Vec<OrderId>,
    /// Whether work was put down that is due.
    pub work: bool,
}

impl Effects {
    fn add(&mut self, other: Effects) {
        for campaign in other.touched {
            if !self.touched.contains(&campaign) {
                self.touched.push(campaign);
            }
        }
        self.heard.extend(other.heard);
        self.work |= other.work;
    }
}

/// Requests of one kind that are worked off together.
pub trait Group: Send + 'static {
    /// What is asked.
    type Request: Send + 'static;
    /// What is answered to each.
    type Answer: Send + 'static;

    /// Works off all requests in the given transaction; as many answers as requests, in their order. On an error all
    /// of it is taken back, and the requests are tried one by one.
    ///
    /// # Errors
    /// What the database says.
    fn run(&self, tx: &mut Tx, requests: &[Self::Request])
    -> Result<Vec<Self::Answer>, StoreError>;
}

/// Why a change was not taken.
#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    /// Too many are waiting.
    #[error("too many changes are waiting")]
    Full,
    /// The program is stopping.
    #[error("the program is stopping")]
    Stopped,
}

trait Change: Send {
    /// Runs the change; whether it wants to be kept. An error that may pass is given back.
    fn run(&mut self, tx: &mut Tx) -> Run;
    /// Tells the caller, after the commit.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

enum Run {
    Keep,
    TakeBack,
    Passing,
}

struct Closure<T, E, F> {
    f: F,
    result: Option<Result<T, E>>,
    reply: Option<oneshot::Sender<Result<T, E>>>,
}

impl<T, E, F> Change for Closure<T, E, F>
where
    F: Fn(&mut Tx) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send + IsPassing,
{
    fn run(&mut self, tx: &mut Tx) -> Run {
        let result = (self.f)(tx);
        let run = match &result {
            Ok(_) => Run::Keep,
            Err(e) if e.is_passing() => Run::Passing,
            Err(_) => Run::TakeBack,
        };
        self.result = Some(result);
        run
    }

    fn answer(mut self: Box<Self>, committed: Result<(), StoreError>) {
        let result = match (committed, self.result.take()) {
            (Err(e), Some(Ok(_)) | None) => Err(E::from(e)),
            (_, Some(result)) => result,
            (Ok(()), None) => Err(E::from(StoreError::Conflict("the change did not run"))),
        };
        if let Some(reply) = self.reply.take() {
            // A caller who went away needs no answer; the change stands.
            let _ = reply.send(result);
        }
    }
}

/// Whether an error may be gone when the same step is run again.
pub trait IsPassing {
    /// See the trait.
    fn is_passing(&self) -> bool;
}

impl IsPassing for StoreError {
    fn is_passing(&self) -> bool {
        StoreError::is_passing(self)
    }
}

enum Item<G: Group> {
    Change(Box<dyn Change>),
    Grouped(G::Request, oneshot::Sender<Result<G::Answer, StoreError>>),
    Stop,
}

/// The lane's entrance; cheap to clone.
pub struct Lane<G: Group> {
    inner: Arc<Inner<G>>,
}

struct Inner<G: Group> {
    entrance: SyncSender<Item<G>>,
    name: String,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl<G: Group> Clone for Lane<G> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
        }
    }
}

/// Opens the writer's connection: at the start, and again when it broke.
pub type Connect = Box<dyn Fn() -> Result<Conn, StoreError> + Send>;
/// Reads the clock.
pub type Now = Box<dyn Fn() -> DateTime<Utc> + Send>;
/// Hears what was committed.
pub type OnCommit = Box<dyn Fn(Effects) + Send>;

/// Stands at each commit. The program itself leaves it [`Open`]; tests close it at a chosen moment, so that a process
/// can die after any commit and before any other.
pub trait Gate: Send {
    /// Whether a commit may be made; where not, it fails as if the database had refused it.
    fn lets_through(&self) -> bool;
    /// A commit was made; nobody has heard of it yet.
    fn committed(&self);
}

/// Lets every commit through.
pub struct Open;

impl Gate for Open {
    fn lets_through(&self) -> bool {
        true
    }

    fn committed(&self) {}
}

impl<G: Group> Lane<G> {
    /// Starts the writer on a connection of its own.
    ///
    /// # Errors
    /// When the thread can't be started.
    pub fn start(
        connect: Connect,
        group: G,
        now: Now,
        on_commit: OnCommit,
    ) -> Result<Self, StoreError> {
        Self::start_behind(Box::new(Open), connect, group, now, on_commit)
    }

    /// Starts the writer behind a gate.
    ///
    /// # Errors
    /// When the thread can't be started.
    pub fn start_behind(
        gate: Box<dyn Gate>,
        connect: Connect,
        group: G,
        now: Now,
        on_commit: OnCommit,
    ) -> Result<Self, StoreError> {
        let (entrance, exit) = sync_channel(QUEUE);
        let conn = connect()?;
        let name = uuid::Uuid::now_v7().simple().to_string();
        let me = name.clone();
        let thread = std::thread::Builder::new()
            .name("write-lane".into())
            .spawn(move || {
                Writer {
                    connect,
                    conn,
                    group,
                    now,
                    on_commit,
                    gate,
                    me,
                }
                .work(&exit)
            })
            .map_err(|e| StoreError::Setup(format!("can't start the writer: {e}")))?;
        Ok(Self {
            inner: Arc::new(Inner {
                entrance,
                name,
                thread: Mutex::new(Some(thread)),
            }),
        })
    }

    fn enter(&self, item: Item<G>) -> Result<(), LaneError> {
        self.inner.entrance.try_send(item).map_err(|e| match e {
            TrySendError::Full(_) => LaneError::Full,
            TrySendError::Disconnected(_) => LaneError::Stopped,
        })
    }

    /// The writer's name among the machines of one database.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// Runs a change in the lane's next transaction and answers when it is committed. `f` may be run more than once,
    /// each time on a clean slate.
    ///
    /// # Errors
    /// What `f` answers, or that the commit failed, or [`LaneError`].
    pub async fn write<T, E, F>(&self, f: F) -> Result<T, E>
    where
        F: Fn(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + From<LaneError> + IsPassing + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.enter(Item::Change(Box::new(Closure {
            f,
            result: None,
            reply: Some(reply),
        })))?;
        answer.await.map_err(|_| LaneError::Stopped)?
    }

    /// Works off one request together with others of its kind.
    ///
    /// # Errors
    /// What the database says, or [`LaneError`].
    pub async fn grouped(
        &self,
        request: G::Request,
    ) -> Result<Result<G::Answer, StoreError>, LaneError> {
        let (reply, answer) = oneshot::channel();
        self.enter(Item::Grouped(request, reply))?;
        answer.await.map_err(|_| LaneError::Stopped)
    }

    /// Lets what is waiting finish, then ends the writer.
    pub fn stop(&self) {
        let _ = self.inner.entrance.send(Item::Stop);
        let thread = match self.inner.thread.lock() {
            Ok(mut guard) => guard.take(),
            Err(poisoned) => poisoned.into_inner().take(),
        };
        if let Some(thread) = thread {
            let _ = thread.join();
        }
    }
}

struct Writer<G: Group> {
    connect: Connect,
    conn: Conn,
    group: G,
    now: Now,
    on_commit: OnCommit,
    gate: Box<dyn Gate>,
    me: String,
}

type Waiting<G> = (
    <G as Group>::Request,
    oneshot::Sender<Result<<G as Group>::Answer, StoreError>>,
);

impl<G: Group> Writer<G> {
    fn work(mut self, exit: &Receiver<Item<G>>) {
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
        super::notify::tell(&mut self.conn, &self.me, effects)?;
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
fn begin(conn: &mut Conn) -> diesel::QueryResult<()> {
    match conn {
        Conn::Sqlite(c) => AnsiTransactionManager::begin_transaction_sql(c, "BEGIN IMMEDIATE"),
        #[cfg(feature = "postgres")]
        Conn::Postgres(c) => AnsiTransactionManager::begin_transaction(c),
    }
}

fn commit(conn: &mut Conn) -> diesel::QueryResult<()> {
    super::each_backend!(conn, c => AnsiTransactionManager::commit_transaction(c))
}

fn rollback(conn: &mut Conn) {
    let done = super::each_backend!(conn, c => AnsiTransactionManager::rollback_transaction(c));
    if let Err(e) = done {
        log::error!("a transaction could not be taken back: {e}");
    }
}

/// Runs a change in a transaction of its own on this connection, without a lane: for commands and set-up.
///
/// # Errors
/// What `f` answers, or what the database says.
pub fn write_on<T, E: From<StoreError>>(
    conn: &mut Conn,
    now: DateTime<Utc>,
    f: impl FnOnce(&mut Tx) -> Result<T, E>,
) -> Result<T, E> {
    begin(conn).map_err(StoreError::from)?;
    let mut tx = Tx::new(conn, now);
    match f(&mut tx) {
        Ok(value) => {
            commit(conn).map_err(StoreError::from)?;
            Ok(value)
        }
        Err(e) => {
            rollback(conn);
            Err(e)
        }
    }
}
