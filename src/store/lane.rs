//! The write lane: one writer with a bounded queue, in whose transaction everybody waiting shares one commit.
//!
//! A durable commit costs the same for one change as for sixty. The lane takes what is waiting (up to [`BATCH`]) without
//! adding delay, gives each its own savepoint, commits once, and only then answers. What fails takes back its own
//! savepoint; where the commit itself fails, each is tried again in a transaction of its own. Requests of one kind
//! that come in a rush (joins) are handed to their workflow together, so that a counter is written once for all.

use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;

mod writer;

use self::writer::{Writer, begin, commit, rollback};
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

    /// Something was heard of an order that somebody may be waiting for: where it is paid, if its page came.
    pub fn heard(&mut self, order: OrderId, page: Option<String>) {
        self.effects.heard.push((order, page));
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
    /// Orders somebody may be waiting to hear of: their page came (and where it is paid), or something else happened.
    pub heard: Vec<(OrderId, Option<String>)>,
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
