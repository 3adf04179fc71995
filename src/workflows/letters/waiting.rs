//! What shoppers are told who wait for a sold-out option.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// News of a waiting list. Nothing is charged for waiting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Waiting {
    /// It is on the list.
    Listed {
        /// What is waited for, such as `2 × Red`.
        wants: Vec<String>,
        /// Its place, 1 for the next.
        place: i64,
        /// Until when units can come free.
        ends: DateTime<Utc>,
    },
    /// Units came free and are kept for it.
    Offered {
        /// What is offered, such as `2 × Red`.
        wants: Vec<String>,
        /// What it costs now, such as `$96.50`; none where that could not be reckoned.
        total: Option<String>,
        /// Until when they are kept.
        until: DateTime<Utc>,
        /// Whether it was told of before.
        again: bool,
    },
    /// The offer was not answered in time.
    Lapsed,
    /// Joining ended before units came free, or before the offer was answered.
    Ended,
}

impl Waiting {
    /// The kept word for the kind of letter.
    pub fn kind(&self) -> &'static str {
        match self {
            Waiting::Listed { .. } => "waiting",
            Waiting::Offered { again: false, .. } => "waiting_offer",
            Waiting::Offered { again: true, .. } => "waiting_reminder",
            Waiting::Lapsed => "waiting_lapsed",
            Waiting::Ended => "waiting_ended",
        }
    }
}
