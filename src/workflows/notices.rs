//! Delays: the shopper decides (domain section 6). A date that moves is told to every shopper whom it concerns, with what
//! silence will do; who answers is heard; who is owed a refund gets it without asking.

//!
//! Each order's promise is what its notices and their answers make of it (`domain/promise`); it is computed again whenever
//! one of them is sent, refused or answered. Whoever writes here locks the campaign first.

use std::collections::BTreeMap;

use chrono::{DateTime, Days, Duration, NaiveDate, Utc};

mod answer;
mod around;
mod days;
mod heard;
mod leave;
mod promised;
mod tell;
mod write;

pub use days::{Warning, end_given_up, end_of_day, warn, warnings};
pub use heard::{MAIL_KIND, mail_heard};
pub(in crate::workflows) use leave::cancelled_by_shopper;
pub use leave::{Owed, owed, refund};
pub use promised::{keep as keep_promise, may_cancel, promise, watch};
pub use tell::{tell_extended, tell_some, tell_unasked};

use super::desk::{AT_ONCE, Concerns, Desk, Problem, enqueue, happened};
use super::eta::{self, NewDates};
use super::stock_sale::is_from_stock;
use crate::domain::draft::FieldError;
use crate::domain::ids::{BatchId, NoticeId};
use crate::domain::promise::{Answer, Answered, News, NoticeKind, Plan, Silence};
use crate::domain::purchase_order::EtaSource;
use crate::domain::text::clean_text;
use crate::store::etas::{self, EtaRow};
use crate::store::promises::GivenUpRow;
use crate::store::{Conn, Tx, jobs, orders, promises};
pub(in crate::workflows) use around::morning_of;
use around::{Around, UNSHIPPED, cursor, subjects};
use tell::{forecast, is_over};

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

/// The longest reason, in characters.
const REASON: usize = 500;
/// How far from today a date may lie, in days.
const REACH: u64 = 1095;

fn is_open(around: &Around) -> Result<(), Problem> {
    if !is_over(around.batch.state) {
        return Ok(());
    }
    Err(Problem::conflict(
        "wrong-state",
        format!(
            "Batch {} is {}: nothing of it is still to be shipped.",
            around.batch.number, around.batch.state
        ),
    ))
}

/// Checks what staff wrote. The ship date follows from the arrival where it is left out.
///
/// # Errors
/// A conflict where the batch is over; wrong fields `arrives`, `ship_date`, `reason`, `stop_loss`.
pub fn moved(
    conn: &mut Conn,
    batch: BatchId,
    asked: Moved,
    now: DateTime<Utc>,
) -> Result<Moved, Problem> {
    let around = Around::read(conn, batch)?;
    is_open(&around)?;
    if promises::given_up(conn, batch)?.is_some() {
        return Err(Problem::conflict(
            "given-up",
            "You said that the rest of this batch will not be shipped: its orders are being refunded.",
        ));
    }
    let today = around.today(now);
    let handling = Duration::days(around.draft.handling_days.into());
    let follows = asked
        .arrives
        .and_then(|day| day.checked_add_signed(handling));
    let ship_date = asked.ship_date.or(follows);
    let mut errors = wrong_dates(&asked, ship_date, today);
    let last = around.draft.stop_loss_date;
    let farthest = today + Days::new(REACH);
    if let Some(day) = asked.stop_loss
        && (day <= last || day > farthest)
    {
        errors.push(FieldError::new(
            "stop_loss",
            format!(
                "write a day after {}, the stop-loss date as it is, and up to {}",
                answer::day(last),
                answer::day(farthest)
            ),
        ));
    }
    let reason = match clean_text(&asked.reason, REASON) {
        Ok(reason) if reason.trim().is_empty() => {
            let say = "write why the date moves: shoppers read it";
            errors.push(FieldError::new("reason", say));
            reason
        }
        Ok(reason) => reason,
        Err(why) => {
            errors.push(FieldError::new("reason", why));
            String::new()
        }
    };
    if !errors.is_empty() {
        return Err(Problem::Invalid(errors));
    }
    Ok(Moved {
        ship_date,
        reason,
        ..asked
    })
}

fn wrong_dates(asked: &Moved, ship_date: Option<NaiveDate>, today: NaiveDate) -> Vec<FieldError> {
    let farthest = today + Days::new(REACH);
    let oldest = today - Days::new(REACH);
    let mut errors = Vec::new();
    let far = asked.arrives.filter(|day| *day < oldest || *day > farthest);
    // The field that was written is the one to be mended.
    let field = match asked.ship_date {
        Some(_) => "ship_date",
        None => "arrives",
    };
    if far.is_some() {
        let say = format!("write a day up to {}", answer::day(farthest));
        errors.push(FieldError::new("arrives", say));
    } else if let Some(day) = ship_date {
        let first = asked.arrives.map_or(today, |arrives| arrives.max(today));
        if asked.ship_date.is_none() && day < today {
            let say = "with the handling days this is a ship date that has passed; write a later day, or the ship date";
            errors.push(FieldError::new(field, say));
        } else if asked.ship_date.is_some() && (day < first || day > farthest) {
            let say = format!(
                "write a day from {} to {}",
                answer::day(first),
                answer::day(farthest)
            );
            errors.push(FieldError::new(field, say));
        }
    }
    errors
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
    let around = Around::read(conn, batch)?;
    let today = around.today(now);
    let news = News {
        ships: forecast(moved.ship_date),
        stop_loss: moved.stop_loss,
    };
    let mut seen = Preview::default();
    let mut days: BTreeMap<NaiveDate, (i64, i64)> = BTreeMap::new();
    let mut after = None;
    loop {
        let some = promises::unshipped(conn, batch, after, AT_ONCE)?;
        after = cursor(&some, AT_ONCE);
        for subject in subjects(conn, some, around.zone())? {
            if is_from_stock(&subject.order) {
                continue;
            }
            seen.unshipped += 1;
            let plan = subject
                .case()
                .plan_notice(news, around.draft.delay_policy, today);
            let Plan::Notice(planned) = plan else {
                seen.unneeded += 1;
                continue;
            };
            seen.beyond_stop_loss |= planned.beyond_stop_loss;
            match planned.consequence {
                Some(said) if said.silence == Silence::Agrees => {
                    seen.agrees += 1;
                    seen.agreed_until = seen.agreed_until.max(Some(said.last_day));
                }
                Some(said) => {
                    let back = subject.back()?;
                    seen.cancels += 1;
                    seen.on_silence += back;
                    let (orders, money) = days.entry(said.last_day).or_default();
                    *orders += 1;
                    *money += back;
                }
                None => {
                    debug_assert_eq!(planned.kind, NoticeKind::Told);
                    seen.told += 1;
                }
            }
        }
        if after.is_none() {
            break;
        }
    }
    seen.answer_by = days
        .into_iter()
        .map(|(day, (orders, money))| (day, orders, money))
        .collect();
    Ok(seen)
}

/// Staff set a date, checked before ([`moved`]), and shoppers are told at once, by the work that follows.
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
    let _ = desk;
    let around = Around::lock(tx, batch)?;
    is_open(&around)?;
    let dates = NewDates {
        purchase_order: None,
        arrives: moved.arrives,
        ship_date: moved.ship_date,
        source: EtaSource::Staff,
        by: by.to_owned(),
        reason: moved.reason,
    };
    let row = eta::set(tx, batch, &dates)?;
    if moved.stop_loss.is_some() {
        etas::set_stop_loss(tx.conn, row.id, moved.stop_loss)?;
    }
    Ok(row)
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
    answer::answer(desk, tx, notice, answer, from)
}

/// Staff say that the rest of the batch will not be shipped: everything unshipped is refunded at once, in rounds (16 CFR
/// 435.2(c)(4)). Saying it twice changes nothing.
///
/// # Errors
/// A conflict where nothing was ordered yet or nothing is left to ship; a missing reason.
pub fn give_up(
    desk: &Desk,
    tx: &mut Tx,
    batch: BatchId,
    reason: &str,
    by: &str,
) -> Result<(), Problem> {
    let _ = desk;
    use crate::domain::campaign::BatchState as S;
    let around = Around::lock(tx, batch)?;
    if promises::given_up(tx.conn, batch)?.is_some() {
        return Ok(());
    }
    is_open(&around)?;
    if matches!(around.batch.state, S::Gathering | S::Collecting) {
        return Err(Problem::conflict(
            "wrong-state",
            "Nothing was ordered from the supplier yet. Cancel the campaign: everybody gets the money back.",
        ));
    }
    if !orders::any_in(tx.conn, batch, &UNSHIPPED)? {
        return Err(Problem::conflict(
            "nothing-to-ship",
            "Nothing of this batch is still to be shipped.",
        ));
    }
    let reason = clean_text(reason, REASON).map_err(|why| Problem::field("reason", why))?;
    if reason.trim().is_empty() {
        let say = "write why it will not be shipped: shoppers read it";
        return Err(Problem::field("reason", say));
    }
    let now = tx.now.naive_utc();
    let row = GivenUpRow {
        batch_id: batch,
        reason: reason.clone(),
        given_up_by: by.to_owned(),
        at: now,
    };
    promises::give_up(tx.conn, &row)?;
    happened(
        tx,
        Concerns::campaign(&around.campaign),
        by,
        "given_up",
        format!("What is not shipped will not be: it is refunded. {reason}"),
    )?;
    tx.touch(around.campaign.id);
    enqueue(tx, jobs::GIVEN_UP, &batch.to_string(), now)
}
