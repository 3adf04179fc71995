//! The write lane: one thread owns the only writing connection. It takes what is waiting, up to [`TOGETHER`], puts all of
//! it into one commit (a savepoint each) without adding delay, and only then answers. Sixty-four shoppers cost one
//! `fdatasync`.

use std::sync::mpsc;
use std::thread;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error;
use tokio::sync::oneshot;

/// The most requests in one commit.
const TOGETHER: usize = 64;

/// The most requests waiting; beyond it the lane says it is full.
const WAITING: usize = 4096;

/// Why the lane did not keep something.
#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    /// Too many are waiting; nothing was written.
    #[error("the sandbox's books are busy")]
    Full,
    /// The thread has ended; nothing was written.
    #[error("the sandbox's books are closed")]
    Closed,
    /// The database refused; nothing of this request was written.
    #[error("the sandbox's books: {0}")]
    Database(String),
}

trait Job: Send {
    fn run(&mut self, conn: &mut SqliteConnection);
    fn settle(self: Box<Self>, committed: Result<(), String>);
}

struct Typed<F, T> {
    work: Option<F>,
    done: Option<Result<T, Error>>,
    reply: oneshot::Sender<Result<T, LaneError>>,
}

impl<F, T> Job for Typed<F, T>
where
    F: FnOnce(&mut SqliteConnection) -> Result<T, Error> + Send,
    T: Send,
{
    fn run(&mut self, conn: &mut SqliteConnection) {
        if let Some(work) = self.work.take() {
            self.done = Some(conn.transaction(work));
        }
    }

    fn settle(self: Box<Self>, committed: Result<(), String>) {
        let answer = match (self.done, committed) {
            (_, Err(e)) => Err(LaneError::Database(e)),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (Some(Err(e)), Ok(())) => Err(LaneError::Database(e.to_string())),
            (None, Ok(())) => Err(LaneError::Closed),
        };
        // Whoever asked may have gone; what was written stays.
        let _ = self.reply.send(answer);
    }
}

/// The way to the writing thread; it ends when the last copy is dropped.
#[derive(Clone)]
pub struct Lane {
    queue: mpsc::SyncSender<Box<dyn Job>>,
}

impl Lane {
    /// Starts the thread on a connection that nobody else writes with.
    pub fn start(conn: SqliteConnection) -> std::io::Result<Lane> {
        let (queue, waiting) = mpsc::sync_channel(WAITING);
        thread::Builder::new()
            .name("sandbox-books".into())
            .spawn(move || write_until_closed(conn, &waiting))?;
        Ok(Lane { queue })
    }

    /// Has `work` done in a savepoint and waits until it is on the disk. A failed `work` leaves nothing behind.
    pub async fn write<T, F>(&self, work: F) -> Result<T, LaneError>
    where
        F: FnOnce(&mut SqliteConnection) -> Result<T, Error> + Send + 'static,
        T: Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Typed {
            work: Some(work),
            done: None,
            reply,
        });
        self.queue.try_send(job).map_err(|e| match e {
            mpsc::TrySendError::Full(_) => LaneError::Full,
            mpsc::TrySendError::Disconnected(_) => LaneError::Closed,
        })?;
        answer.await.map_err(|_| LaneError::Closed)?
    }
}

fn write_until_closed(mut conn: SqliteConnection, waiting: &mpsc::Receiver<Box<dyn Job>>) {
    let mut batch: Vec<Box<dyn Job>> = Vec::with_capacity(TOGETHER);
    while let Ok(first) = waiting.recv() {
        batch.push(first);
        while batch.len() < TOGETHER
            && let Ok(next) = waiting.try_recv()
        {
            batch.push(next);
        }
        let committed = conn
            .immediate_transaction(|conn| {
                for job in &mut batch {
                    job.run(conn);
                }
                Ok::<_, Error>(())
            })
            .map_err(|e| e.to_string());
        if let Err(e) = &committed {
            log::error!("sandbox: a commit failed: {e}");
        }
        for job in batch.drain(..) {
            job.settle(committed.clone());
        }
    }
    // Leaves one file behind, not three, when the program ends in peace.
    let _ = conn.batch_execute("PRAGMA wal_checkpoint(TRUNCATE)");
}
