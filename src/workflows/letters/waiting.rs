//! What shoppers are told who wait for a sold-out option.

use chrono::{DateTime, NaiveDate, Utc};
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
    /// The merchant moved the deadline, once.
    Extended {
        /// Its place, 1 for the next; none where units are offered to it.
        place: Option<i64>,
        /// Until when units can come free now.
        ends: DateTime<Utc>,
        /// The promised ship date as it is now.
        ships_by: NaiveDate,
        /// The one before, where it moved.
        ships_by_before: Option<NaiveDate>,
    },
    /// Joining ended before units came free, or before the offer was answered.
    Ended {
        /// Why.
        why: WhyEnded,
        /// Until when units had been promised to be kept for it, where that is still ahead.
        kept_until: Option<DateTime<Utc>>,
    },
}

/// Why a waiting list ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhyEnded {
    /// The deadline passed.
    Deadline,
    /// Joining was ended before the deadline: enough had come together.
    Early,
    /// The merchant cancelled the campaign, in his words.
    Cancelled(String),
}

impl Waiting {
    /// The kept word for the kind of letter.
    pub fn kind(&self) -> &'static str {
        match self {
            Waiting::Listed { .. } => "waiting",
            Waiting::Offered { again: false, .. } => "waiting_offer",
            Waiting::Offered { again: true, .. } => "waiting_reminder",
            Waiting::Lapsed => "waiting_lapsed",
            Waiting::Extended { .. } => "waiting_extended",
            Waiting::Ended { .. } => "waiting_ended",
        }
    }
}
