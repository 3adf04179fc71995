//! Delays: the shopper decides (domain section 6). A date that moves is told to every shopper whom it concerns, with what
//! silence will do; who answers is heard; who is owed a refund gets it without asking.

use chrono::{DateTime, NaiveDate, Utc};

use super::desk::{Desk, Problem};
use crate::domain::ids::{BatchId, NoticeId};
use crate::domain::promise::{Answer, Answered};
use crate::store::etas::EtaRow;
use crate::store::{Conn, Tx};

/// What staff set for a batch: when the goods arrive, when they are shipped, why, and a later stop-loss date to ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    /// The day the goods arrive; none: not known, or not said.
    pub arrives: Option<NaiveDate>,
    /// The day the parcels go out; none: `arrives` and the handling days, or not known.
    pub ship_date: Option<NaiveDate>,
    /// Why, as shoppers read it.
    pub reason: String,
    /// A later stop-loss date that *keep waiting* agrees to as well; none where it stays.
    pub stop_loss: Option<NaiveDate>,
}

/// What a date would do, before it is sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Preview {
    /// Orders looked at: paid and not shipped whole.
    pub unshipped: i64,
    /// Only told, nothing to answer.
    pub told: i64,
    /// Silence agrees.
    pub agrees: i64,
    /// Must answer: silence cancels.
    pub cancels: i64,
    /// Hear nothing: the same was said already, or it is over for them.
    pub unneeded: i64,
    /// The last day to answer, orders, and the minor units that leave on silence after it, by day.
    pub answer_by: Vec<(NaiveDate, i64, i64)>,
    /// The sum of that money, minor units.
    pub on_silence: i64,
    /// The date that silence agrees to.
    pub agreed_until: Option<NaiveDate>,
    /// The date that is known lies after the stop-loss date and counts as not known.
    pub beyond_stop_loss: bool,
}

/// Checks what staff wrote.
///
/// # Errors
/// A conflict where the batch is over; wrong fields `arrives`, `ship_date`, `reason`, `stop_loss`.
pub fn moved(
    conn: &mut Conn,
    batch: BatchId,
    asked: Moved,
    now: DateTime<Utc>,
) -> Result<Moved, Problem> {
    let _ = (conn, batch, now);
    Ok(asked)
}

/// What a checked date would do if it were sent now.
///
/// # Errors
/// What the database says.
pub fn preview(
    conn: &mut Conn,
    batch: BatchId,
    moved: &Moved,
    now: DateTime<Utc>,
) -> Result<Preview, Problem> {
    let _ = (conn, batch, moved, now);
    Err(Problem::NotFound("batch"))
}

/// Staff set a date, checked before, and shoppers are told at once, by the work that follows.
///
/// # Errors
/// A conflict where the batch is over.
pub fn announce(
    desk: &Desk,
    tx: &mut Tx,
    batch: BatchId,
    moved: Moved,
    by: &str,
) -> Result<EtaRow, Problem> {
    let _ = (desk, tx, batch, moved, by);
    Err(Problem::NotFound("batch"))
}

/// A shopper answers a notice, from a network address.
///
/// # Errors
/// Conflicts: `shipped`, `cancelled`, `nothing-to-answer`, `too-late`, `date-passed`.
pub fn answer(
    desk: &Desk,
    tx: &mut Tx,
    notice: NoticeId,
    answer: Answer,
    from: &str,
) -> Result<Answered, Problem> {
    let _ = (desk, tx, notice, answer, from);
    Err(Problem::NotFound("notice"))
}

/// Staff say that the rest of the batch will not be shipped: everything unshipped is refunded at once, in rounds.
///
/// # Errors
/// A conflict where nothing is left to ship; a missing reason.
pub fn give_up(
    desk: &Desk,
    tx: &mut Tx,
    batch: BatchId,
    reason: &str,
    by: &str,
) -> Result<(), Problem> {
    let _ = (desk, tx, batch, reason, by);
    Err(Problem::NotFound("batch"))
}
