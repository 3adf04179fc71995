//! A shopper answers a notice. The first answer stands, except that *cancel* may follow *wait* until shipping; a
//! cancellation received before shipment always wins (domain section 6).

use chrono::NaiveDate;

use super::super::allocate::complete_if_done;
use super::super::desk::{Concerns, Desk, Problem, happened};
use super::around::{Around, Subject, subject};
use super::leave::{Why, leave};
use super::promised::follow;
use crate::domain::ids::NoticeId;
use crate::domain::promise::{Answer, Answered, RefundCause, Refused};
use crate::store::notices::NoticeRow;
use crate::store::{Tx, notices, orders};

/// How much of a network address is kept: more than the longest there is.
const ADDRESS: usize = 64;

pub(super) fn answer(
    desk: &Desk,
    tx: &mut Tx,
    id: NoticeId,
    said: Answer,
    from: &str,
) -> Result<Answered, Problem> {
    let none = || Problem::NotFound("notice");
    let row = notices::by_id(tx.conn, id)?.ok_or_else(none)?;
    let around = Around::lock(tx, row.batch_id)?;
    let order = orders::by_id(tx.conn, row.order_id)?.ok_or_else(none)?;
    let subject = subject(tx.conn, order, around.zone())?.ok_or_else(none)?;
    let index = subject.rows.iter().position(|row| row.id == id);
    let index = index.ok_or_else(none)?;
    let today = around.today(tx.now);
    let answered = subject
        .case()
        .answer(index, said, today)
        .map_err(|why| refused(why, said))?;
    let from: String = from.chars().take(ADDRESS).collect();
    let mut row = subject.rows[index].clone();
    let now = tx.now.naive_utc();
    match answered {
        Answered::Unchanged => return Ok(answered),
        Answered::Until(_) | Answered::OpenEnded => {
            row.waited_at = Some(now);
            row.answered_from = Some(from);
            notices::save_answer(tx.conn, &row)?;
            follow(tx, row.order_id)?;
            waits(tx, &subject, &row, answered)?;
        }
        Answered::Cancelled => {
            row.cancelled_at = Some(now);
            row.cancelled_from = Some(from);
            notices::save_answer(tx.conn, &row)?;
            follow(tx, row.order_id)?;
            let why = Why {
                cause: RefundCause::Cancelled,
                last_day: None,
                reason: None,
                by: "shopper",
            };
            let mut order = subject.order;
            leave(desk, tx, &around, &mut order, &why)?;
            complete_if_done(tx, &around.campaign, order.batch_id)?;
        }
    }
    tx.touch(around.campaign.id);
    Ok(answered)
}

fn waits(
    tx: &mut Tx,
    subject: &Subject,
    row: &NoticeRow,
    answered: Answered,
) -> Result<(), Problem> {
    let mut said = match answered {
        Answered::Until(date) => format!("The shopper keeps waiting until {}.", day(date)),
        Answered::OpenEnded | Answered::Cancelled | Answered::Unchanged => {
            "The shopper keeps waiting, without a date.".to_owned()
        }
    };
    if let Some(later) = row.stop_loss {
        said.push_str(&format!(" The last day is {} now.", day(later)));
    }
    happened(
        tx,
        Concerns::order(&subject.order),
        "shopper",
        "delay_waits",
        said,
    )
}

pub(super) fn day(date: NaiveDate) -> String {
    date.format("%-d %B %Y").to_string()
}

fn refused(why: Refused, said: Answer) -> Problem {
    match why {
        Refused::Shipped => Problem::conflict(
            "shipped",
            "Your order was handed to the carrier before, so there is nothing to answer any more.",
        ),
        Refused::Cancelled => Problem::conflict(
            "cancelled",
            match said {
                Answer::Wait => {
                    "Your order is cancelled already, so it cannot be waited for any more. Your order's page says what went back to you."
                }
                Answer::Cancel => {
                    "Your order is cancelled already. Your order's page says what went back to you."
                }
            },
        ),
        Refused::OnlyTold => Problem::conflict(
            "nothing-to-answer",
            "This mail only tells a date. What was promised to you stays, and there is nothing to answer.",
        ),
        Refused::TooLate { last_day } => Problem::conflict(
            "too-late",
            format!(
                "The last day to answer was {}. Your refund is on its way, you need not do anything.",
                day(last_day)
            ),
        ),
        Refused::DatePassed { date } => Problem::conflict(
            "date-passed",
            format!(
                "The date that this mail names, {}, has passed. You may still cancel, or wait for a new date.",
                day(date)
            ),
        ),
        Refused::NoNotice => Problem::NotFound("notice"),
    }
}
