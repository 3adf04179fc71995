//! The sandbox's clock: machine time plus an offset that only grows. The offset lies in the sandbox's books, so that it
//! lasts over restarts; other processes with the same data folder look at it again every [`LOOK_AGAIN`].

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::SqliteConnection;

use super::store;
use crate::workflows::ports::Clock;

/// How long an offset read from the books is trusted.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// The name of the offset in the books: milliseconds, as text.
pub const OFFSET: &str = "clock_offset_ms";

/// Machine time plus the kept offset.
pub struct SandboxClock {
    offset_ms: AtomicI64,
    books: Mutex<(SqliteConnection, Instant)>,
}

impl SandboxClock {
    /// Reads the offset over `conn`, which it keeps.
    pub fn new(mut conn: SqliteConnection) -> Result<Arc<SandboxClock>, diesel::result::Error> {
        let offset = read(&mut conn)?;
        Ok(Arc::new(SandboxClock {
            offset_ms: AtomicI64::new(offset),
            books: Mutex::new((conn, Instant::now())),
        }))
    }

    /// The offset now in force, in milliseconds.
    pub fn offset_ms(&self) -> i64 {
        if let Ok(mut books) = self.books.try_lock()
            && books.1.elapsed() > LOOK_AGAIN
        {
            books.1 = Instant::now();
            match read(&mut books.0) {
                Ok(offset) => self.learn(offset),
                Err(e) => log::warn!("sandbox: the clock's offset can't be read: {e}"),
            }
        }
        self.offset_ms.load(Ordering::Acquire)
    }

    /// Takes over an offset that was kept; never a smaller one.
    pub fn learn(&self, offset_ms: i64) {
        self.offset_ms.fetch_max(offset_ms, Ordering::AcqRel);
    }

    /// The offset that would make it `time` now; none where that is in the past or out of reach.
    pub fn offset_for(&self, time: DateTime<Utc>) -> Option<i64> {
        let offset = (time - Utc::now()).num_milliseconds();
        (offset >= self.offset_ms()).then_some(offset)
    }
}

impl Clock for SandboxClock {
    fn now(&self) -> DateTime<Utc> {
        let now = Utc::now();
        now.checked_add_signed(TimeDelta::milliseconds(self.offset_ms()))
            .unwrap_or(now)
    }
}

fn read(conn: &mut SqliteConnection) -> Result<i64, diesel::result::Error> {
    let text = store::get_setting(conn, OFFSET)?;
    Ok(text.and_then(|t| t.parse().ok()).unwrap_or(0))
}
