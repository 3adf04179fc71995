//! The few traits behind which the outside lies.

use chrono::{DateTime, Utc};

/// The one clock, given to everything; the domain never reads it by itself.
pub trait Clock: Send + Sync {
    /// The present moment, in UTC.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}
