//! What is unshipped leaves an order, and the shopper is told why: at once where somebody said so, else on the morning
//! after the last day (domain section 6).

use chrono::{DateTime, NaiveDate, Utc};

use super::super::desk::{Concerns, Desk, Problem, happened};
use super::super::letters::{DelayRefund, Letter};
use super::super::money::{self, nonzero_said};
use super::super::part::{Left, Which, take_out};
use super::answer::day;
use super::around::{Around, refund_day, subject};
use crate::domain::ids::{BatchId, OrderId};
use crate::domain::payment::RefundPurpose;
use crate::domain::promise::{Goods, RefundCause, Standing};
use crate::store::orders::OrderRow;
use crate::store::{Conn, Tx, orders, promises};

/// Why it leaves.
pub(in crate::workflows) struct Why<'a> {
    /// The rule.
    pub cause: RefundCause,
    /// The day that was the last, where one was.
    pub last_day: Option<NaiveDate>,
    /// The merchant's own words, where there are some.
    pub reason: Option<&'a str>,
    /// Who caused it.
    pub by: &'a str,
}

impl Why<'_> {
    /// What order page and staff read.
    fn said(&self, part: bool) -> String {
        let last = self.last_day.map(day).unwrap_or_default();
        let what = if part { "The rest" } else { "The order" };
        match self.cause {
            RefundCause::NoNotice => format!(
                "{what} is cancelled: it was not shipped by {last}, and no new date was told in time."
            ),
            RefundCause::FirstSilent | RefundCause::RenewedSilent => format!(
                "{what} is cancelled: the ship date moved, nothing was answered by {last}, and it was not shipped by then."
            ),
            RefundCause::AgreedPassed => format!(
                "{what} is cancelled: it was not shipped by {last}, the date that was agreed to."
            ),
            RefundCause::StopLoss => format!(
                "{what} is cancelled: it was not shipped by {last}, the last day for shipping."
            ),
            RefundCause::Cancelled if part => "The shopper cancelled the rest.".to_owned(),
            RefundCause::Cancelled => "Cancelled by the shopper.".to_owned(),
            RefundCause::WillNotShip => format!(
                "{what} will not be shipped, the seller says: {}",
                self.reason.unwrap_or_default()
            ),
        }
    }

    fn purpose(&self) -> RefundPurpose {
        match self.cause {
            RefundCause::StopLoss => RefundPurpose::StopLoss,
            RefundCause::NoNotice
            | RefundCause::FirstSilent
            | RefundCause::RenewedSilent
            | RefundCause::AgreedPassed
            | RefundCause::Cancelled
            | RefundCause::WillNotShip => RefundPurpose::Delay,
        }
    }
}

/// Everything unshipped leaves an order: all of it is refunded, shipping included, or, where a part was shipped, what was
/// paid less what that part costs by itself. Its parcels are stopped. The campaign is locked by the caller.
pub(in crate::workflows) fn leave(
    desk: &Desk,
    tx: &mut Tx,
    around: &Around,
    order: &mut OrderRow,
    why: &Why,
) -> Result<Left, Problem> {
    let part = Goods::of(order.state) == Goods::PartShipped;
    let said = why.said(part);
    happened(tx, Concerns::order(order), why.by, "cancelled", &*said)?;
    let left = take_out(
        tx,
        &around.campaign,
        order,
        &Which::Unshipped,
        why.purpose(),
    )?;
    order.note = Some(said);
    money::keep(tx, order)?;
    let letter = Letter::DelayRefund {
        about: around.about(desk, order),
        refund: DelayRefund {
            cause: why.cause,
            last_day: why.last_day,
            reason: why.reason.map(str::to_owned),
            back: nonzero_said(left.back, &order.currency),
            held: money::dispute_is_open(tx, order.id)?,
            part_shipped: part,
        },
    };
    desk.tell_shopper(tx, &around.merchant, order, "delay_refund", letter)?;
    Ok(left)
}

/// A shopper cancels an order that waits for its goods, on its own page.
///
/// # Errors
/// What the database says.
pub(in crate::workflows) fn cancelled_by_shopper(
    desk: &Desk,
    tx: &mut Tx,
    order: &mut OrderRow,
) -> Result<(), Problem> {
    let around = Around::lock(tx, order.batch_id)?;
    let why = Why {
        cause: RefundCause::Cancelled,
        last_day: None,
        reason: None,
        by: "shopper",
    };
    leave(desk, tx, &around, order, &why)?;
    super::super::allocate::complete_if_done(tx, &around.campaign, order.batch_id)
}

/// Whose refund it is time for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owed {
    /// Orders whose last day is over.
    Lapsed,
    /// Everything of a batch that will not be shipped.
    GivenUp,
}

/// How many refunds are looked up at once.
pub const REFUNDS_AT_ONCE: i64 = 50;

/// Some more orders of a batch that are owed a refund now, those after `after`.
///
/// # Errors
/// What the database says.
pub fn owed(
    conn: &mut Conn,
    batch: BatchId,
    owed: Owed,
    after: Option<OrderId>,
    now: DateTime<Utc>,
) -> Result<Vec<OrderId>, Problem> {
    match owed {
        Owed::Lapsed => {
            let zone = Around::read(conn, batch)?.zone();
            let today = refund_day(now, zone);
            Ok(promises::lapsed(
                conn,
                batch,
                today,
                after,
                REFUNDS_AT_ONCE,
            )?)
        }
        Owed::GivenUp if promises::given_up(conn, batch)?.is_some() => Ok(promises::unshipped_ids(
            conn,
            batch,
            after,
            REFUNDS_AT_ONCE,
        )?),
        Owed::GivenUp => Ok(Vec::new()),
    }
}

/// Refunds what is unshipped of one order, if it is still owed that: what was shipped, cancelled or agreed to since the
/// look-up is left alone.
///
/// # Errors
/// What the database says.
pub fn refund(desk: &Desk, tx: &mut Tx, id: OrderId, owed: Owed) -> Result<(), Problem> {
    let order = orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
    let around = Around::lock(tx, order.batch_id)?;
    let order = orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
    let Some(subject) = subject(tx.conn, order, around.zone())? else {
        return Ok(());
    };
    let given_up = match owed {
        Owed::GivenUp => promises::given_up(tx.conn, around.batch.id)?,
        Owed::Lapsed => None,
    };
    let standing = subject.case().standing(refund_day(tx.now, around.zone()));
    let (cause, last_day) = match (standing, &given_up) {
        (Standing::Shipped | Standing::Cancelled, _) => return Ok(()),
        (_, Some(_)) => (RefundCause::WillNotShip, None),
        (Standing::Lapsed { last_day, cause }, None) => (cause, Some(last_day)),
        (_, None) => return Ok(()),
    };
    let why = Why {
        cause,
        last_day,
        reason: given_up.as_ref().map(|given| given.reason.as_str()),
        by: "system",
    };
    let mut order = subject.order;
    leave(desk, tx, &around, &mut order, &why)?;
    Ok(())
}
