//! What people are told who have no order: those who answered an interest check, and those who voted for an idea.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

/// What every such letter knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asking {
    /// The seller.
    pub merchant: String,
    /// The seller's postal address, in lines.
    pub merchant_address: String,
    /// The campaign's title, or the idea's.
    pub title: String,
    /// Its page.
    pub url: String,
    /// The campaign's zone, an IANA name: dates are said in it.
    pub time_zone: String,
    /// The name, where one was given.
    pub name: Option<String>,
    /// What this person said, behind its signed link: to change it, or to take it back.
    pub own_url: String,
}

/// What is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Asked {
    /// An answer to an interest check is kept.
    Answered {
        /// Each line, such as `2 × Full set, up to $90.00 each`.
        lines: Vec<String>,
    },
    /// Somebody answered again with this address: what is kept stays.
    Again {
        /// Each line that is kept.
        lines: Vec<String>,
    },
    /// The campaign takes orders now.
    Opened {
        /// Each line of the answer.
        lines: Vec<String>,
        /// The join form with the answer filled in.
        join_url: String,
        /// The price of the first option that is shown first, such as `$100.00`.
        price: String,
        /// When the campaign ends.
        deadline: DateTime<Utc>,
        /// The promised ship date.
        ships_by: NaiveDate,
    },
    /// The seller cancelled it before it opened.
    Cancelled {
        /// In the seller's words.
        reason: String,
    },
    /// A vote waits for its link to be used.
    Vote {
        /// Whether it counts already.
        counts: bool,
    },
    /// A campaign came of an idea.
    Running {
        /// The campaign's title.
        campaign: String,
        /// The campaign's page.
        campaign_url: String,
        /// When it opens; none where it is asked first who would buy.
        opens: Option<DateTime<Utc>>,
        /// Whether it takes orders now.
        open: bool,
    },
}

impl Asked {
    /// The kept word for the kind of letter.
    pub fn kind(&self) -> &'static str {
        match self {
            Asked::Answered { .. } => "interest_answered",
            Asked::Again { .. } => "interest_again",
            Asked::Opened { .. } => "interest_opened",
            Asked::Cancelled { .. } => "interest_cancelled",
            Asked::Vote { .. } => "vote_asked",
            Asked::Running { .. } => "idea_running",
        }
    }
}
