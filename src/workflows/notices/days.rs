//! The days of a batch's promises: staff are warned before dates come, and a batch whose last day is over ends (domain
//! section 6).

use std::collections::BTreeMap;

use chrono::{DateTime, Days, NaiveDate, Utc};

use super::super::allocate::{complete, complete_if_done};
use super::super::desk::{AT_ONCE, Concerns, Desk, Problem};
use super::super::judgement::fail;
use super::super::money::say;
use super::answer::day;
use super::around::{
    Around, SHIPPED, UNSHIPPED, cursor, morning_of, next_morning, refund_day, subjects,
};
use super::tell::is_over;
use crate::domain::campaign::{BatchState, Failure};
use crate::domain::ids::BatchId;
use crate::domain::promise::{PROMISE_WARNINGS, STOP_LOSS_WARNINGS, day_after, warning_due};
use crate::store::{Conn, Tx, orders, promises};

/// What is at stake on one date: orders, and the minor units that go back unless they are shipped.
pub type AtStake = BTreeMap<NaiveDate, (i64, i64)>;

/// A warning to staff that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// A promised ship date comes near: the date, days ahead, unshipped orders.
    Promise(NaiveDate, i64, i64),
    /// A stop-loss date comes near: the date, days ahead, unshipped orders, their money.
    StopLoss(NaiveDate, i64, i64, i64),
}

/// The warnings that are due for a batch now; each stays due until the next one is, and is sent once.
///
/// # Errors
/// What the database says.
pub fn warnings(conn: &mut Conn, id: BatchId, now: DateTime<Utc>) -> Result<Vec<Warning>, Problem> {
    let around = Around::read(conn, id)?;
    let mut due = Vec::new();
    if around.batch.state == BatchState::Failed {
        return Ok(due);
    }
    let today = around.today(now);
    for (date, orders) in promises::unshipped_by_date(conn, id)? {
        if let Some(days) = warning_due(date, PROMISE_WARNINGS, today) {
            due.push(Warning::Promise(date, days, orders));
        }
    }
    let near = |date: &NaiveDate| warning_due(*date, STOP_LOSS_WARNINGS, today);
    let dates = promises::stop_losses(conn, id)?;
    if dates.iter().any(|date| near(date).is_some()) {
        for (date, (orders, money)) in at_stake(conn, &around)? {
            if let Some(days) = near(&date) {
                due.push(Warning::StopLoss(date, days, orders, money));
            }
        }
    }
    Ok(due)
}

/// What goes back after each stop-loss date.
fn at_stake(conn: &mut Conn, around: &Around) -> Result<AtStake, Problem> {
    let mut sums = AtStake::new();
    let mut after = None;
    loop {
        let some = promises::unshipped(conn, around.batch.id, after, AT_ONCE)?;
        after = cursor(&some, AT_ONCE);
        for subject in subjects(conn, some, around.zone())? {
            let (orders, money) = sums.entry(subject.promise.stop_loss).or_default();
            *orders += 1;
            *money += subject.back()?;
        }
        if after.is_none() {
            return Ok(sums);
        }
    }
}

/// Sends the warnings that were not sent yet.
///
/// # Errors
/// What the database says.
pub fn warn(desk: &Desk, tx: &mut Tx, id: BatchId, due: &[Warning]) -> Result<(), Problem> {
    let around = Around::read(tx.conn, id)?;
    let title = &around.campaign.title;
    for warning in due {
        let (once, subject, lines) = match warning {
            Warning::Promise(date, days, orders) => (
                format!("promise:{id}:{date}:{days}"),
                format!(
                    "{title}: {} not shipped, promised by {}",
                    orders_are(*orders),
                    day(*date)
                ),
                promise_lines(*date, *orders),
            ),
            Warning::StopLoss(date, days, orders, money) => {
                let money = say(*money, &around.campaign.currency);
                let orders = orders_are(*orders);
                (
                    format!("stop-loss:{id}:{date}:{days}"),
                    format!(
                        "{title}: {money} goes back after {} unless {orders} shipped",
                        day(*date)
                    ),
                    vec![
                        format!(
                            "The stop-loss date is {}, and {orders} not shipped.",
                            day(*date)
                        ),
                        format!(
                            "What is not handed to the carrier by the end of that day is refunded on {} without being asked: {money} as it stands. Only shoppers who agree to a later stop-loss date keep waiting; a new date with its notice can ask them.",
                            day(day_after(*date))
                        ),
                    ],
                )
            }
        };
        let path = format!("/admin/batches/{id}");
        let concerns = Concerns::campaign(&around.campaign);
        desk.tell_staff(tx, concerns, &once, &subject, lines, &path)?;
    }
    Ok(())
}

fn orders_are(orders: i64) -> String {
    match orders {
        1 => "1 order is".to_owned(),
        n => format!("{n} orders are"),
    }
}

fn promise_lines(date: NaiveDate, orders: i64) -> Vec<String> {
    let system = date.checked_sub_days(Days::new(5)).unwrap_or(date);
    vec![
        format!(
            "The promised ship date is {}, and {} not shipped.",
            day(date),
            orders_are(orders)
        ),
        format!(
            "If they will not be handed to the carrier by the end of that day, set a new date now: shoppers are told, and most may simply keep waiting. On {} the system itself writes to each of them whom no notice covers.",
            day(system)
        ),
        format!(
            "An order of which no notice was sent by the end of {} and that is not shipped by then is refunded on {}.",
            day(date),
            day(day_after(date))
        ),
    ]
}

/// Ends the day's work on a batch: where nothing unshipped is left and its last day is over, so is the batch. When to
/// look again; none where it is over.
///
/// # Errors
/// What the database says.
pub fn end_of_day(desk: &Desk, tx: &mut Tx, id: BatchId) -> Result<Option<DateTime<Utc>>, Problem> {
    let around = Around::lock(tx, id)?;
    let (zone, state) = (around.zone(), around.batch.state);
    if state == BatchState::Failed {
        return Ok(None);
    }
    let tomorrow = next_morning(tx.now, zone);
    if let Some(first) = promises::first_date(tx.conn, id)? {
        let ahead = Days::new(PROMISE_WARNINGS[0].unsigned_abs());
        let first_warning = first.checked_sub_days(ahead).unwrap_or(first);
        return Ok(Some(morning_of(first_warning, zone).max(tomorrow)));
    }
    // Left-over units may be sold of a batch that is over; nobody waits for one now.
    if is_over(state) {
        return Ok(None);
    }
    if !matches!(state, BatchState::Ordered | BatchState::Fulfilling) {
        return Ok(Some(tomorrow));
    }
    let last = around.draft.stop_loss_date;
    if refund_day(tx.now, zone) <= last {
        complete_if_done(tx, &around.campaign, id)?;
        return Ok(Some(morning_of(day_after(last), zone)));
    }
    let note = "The last day for shipping has passed.";
    end(desk, tx, &around, Failure::StopLoss, note)?;
    Ok(None)
}

/// Ends a batch of which nothing unshipped is left: failed where nothing was shipped, else completed. The campaign is
/// locked by the caller.
fn end(
    desk: &Desk,
    tx: &mut Tx,
    around: &Around,
    failure: Failure,
    note: &str,
) -> Result<(), Problem> {
    if orders::any_in(tx.conn, around.batch.id, &SHIPPED)? {
        let what = "what was not shipped is refunded";
        complete(tx, &around.campaign, &around.batch, what)
    } else {
        fail(
            desk,
            tx,
            &around.campaign,
            &around.batch,
            failure,
            Some(note),
        )
    }
}

/// Ends a batch of which the merchant said that the rest will not be shipped, once all of it is refunded.
///
/// # Errors
/// What the database says.
pub fn end_given_up(desk: &Desk, tx: &mut Tx, id: BatchId) -> Result<(), Problem> {
    let around = Around::lock(tx, id)?;
    let Some(given) = promises::given_up(tx.conn, id)? else {
        return Ok(());
    };
    let left = orders::any_in(tx.conn, id, &UNSHIPPED)?;
    if left || is_over(around.batch.state) {
        return Ok(());
    }
    end(desk, tx, &around, Failure::Cancelled, &given.reason)
}
