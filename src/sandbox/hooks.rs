//! What the sandbox asks of the program it stands beside: its due work, so that a moved clock can be followed by it, and
//! the mail it kept. The sandbox knows nothing else of it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

/// A boxed future, so that the traits can be objects.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// The program's own due work, as the moved clock sees it.
pub trait Work: Send + Sync {
    /// A move of the clock begins: items tried in an earlier move may be tried again.
    fn begin_move(&self);

    /// When the earliest item is due that was tried fewer than `max_tries` times since [`Work::begin_move`]. Items
    /// that are overdue count, with their (past) due time.
    fn next_due(&self, max_tries: u32) -> Pending<'_, Option<DateTime<Utc>>>;

    /// Does everything that is due now and was tried fewer than `max_tries` times in this move, once each, and comes
    /// back when it is done.
    fn run_due(&self, max_tries: u32) -> Pending<'_, ()>;
}

/// The mails the program kept instead of sending them.
pub trait Mailbox: Send + Sync {
    /// All of them, oldest first; the error is a text for staff.
    fn list(&self) -> Pending<'_, Result<Vec<Mail>, String>>;
}

/// One kept mail.
#[derive(Debug, Clone, Serialize)]
pub struct Mail {
    /// The address it went to.
    pub to: String,
    /// Its subject.
    pub subject: String,
    /// Its plain text part.
    pub text: String,
    /// Its HTML part.
    pub html: String,
    /// When, by the sandbox's clock.
    pub at: DateTime<Utc>,
}

/// Both hooks together.
#[derive(Clone)]
pub struct Hooks {
    /// Due work.
    pub work: Arc<dyn Work>,
    /// Kept mail.
    pub mailbox: Arc<dyn Mailbox>,
}
