//! What shoppers are told when a ship date moves, and when what is not shipped goes back (domain section 6).

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

use crate::domain::promise::{Consequence, NoticeKind, RefundCause};

/// A notice that the ship date moved: both choices, and what silence does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delay {
    /// The first offer, a further one, or a date that is only told.
    pub kind: NoticeKind,
    /// The date in force until now.
    pub replaces: NaiveDate,
    /// The revised ship date; none: not known.
    pub revised: Option<NaiveDate>,
    /// Why, in the merchant's or the supplier's words.
    pub reason: String,
    /// Whether the system writes because nobody else did.
    pub by_system: bool,
    /// What silence does; none where the date is only told.
    pub consequence: Option<Consequence>,
    /// The day after which everything unshipped is refunded, whatever was agreed.
    pub stop_loss: NaiveDate,
    /// The later one that *keep waiting* agrees to as well.
    pub later_stop_loss: Option<NaiveDate>,
    /// The date that is known lies after the stop-loss date, so it counts as not known.
    pub beyond_stop_loss: bool,
    /// What goes back, such as `$196.50`.
    pub back: String,
    /// Whether a part was shipped: the rest is asked about.
    pub part_shipped: bool,
    /// Whether the shopper may cancel.
    pub may_cancel: bool,
    /// The page with *keep waiting* marked.
    pub wait_url: String,
    /// The page with *cancel* marked.
    pub cancel_url: String,
}

/// What was not shipped goes back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DelayRefund {
    /// The rule.
    pub cause: RefundCause,
    /// The day that was the last, where one was.
    pub last_day: Option<NaiveDate>,
    /// The merchant's words, where there are some.
    pub reason: Option<String>,
    /// What goes back; none where nothing was left to give back.
    pub back: Option<String>,
    /// Whether an open dispute holds it.
    pub held: bool,
    /// Whether a part was shipped and stays the shopper's.
    pub part_shipped: bool,
}
