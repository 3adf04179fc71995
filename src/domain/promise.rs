//! The delay rule (domain section 6; 16 CFR Part 435): what one order was promised, what its shopper agreed to, and the
//! day after which an unshipped order is refunded. Days are dates in the campaign's zone; whoever calls turns instants
//! into days (`day_of`), so that the last day counts whole.
//!
//! The order's [`Promise`] is what its [`Notice`]s and their answers make of it: always computed again from all of
//! them ([`Promise::following`]), never moved by hand. Notices on their way (`prepared`) keep a second one from being
//! written, and give or take no right before the mail server took them.

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};

use super::order::OrderState;
use super::words::{WrongState, words};

mod course;
mod plan;
mod standing;
mod warning;

pub use plan::{Batch, News, Plan, Planned, Unneeded};
pub use standing::{Answered, Consent, Refused, Standing};
pub use warning::{PROMISE_WARNINGS, STOP_LOSS_WARNINGS, warning_due};

/// How far after D the first notice's date may lie for silence to agree, and how long an unanswered later one is waited
/// for (16 CFR 435.2(b)(1)(ii), (iii)).
pub const FIRST_DELAY_DAYS: u64 = 30;

/// How many days before a promised date the system itself sends the notice that nobody sent (domain section 6).
pub const SYSTEM_NOTICE_DAYS: u64 = 5;

words! {
    /// What a notice is to its order (domain section 6, the table).
    NoticeKind {
        /// The one first offer to wait or to cancel (16 CFR 435.2(b)(1)).
        First = "first",
        /// A further offer: past an agreed date (16 CFR 435.2(b)(2)), or again where the first one's silence cancels.
        Renewed = "renewed",
        /// A date that is only told: an earlier one, or any to who agreed to "not known". Nothing to answer.
        Told = "told",
    }
}

words! {
    /// What it does when the shopper says nothing.
    Silence {
        /// The shopper has agreed to the revised date.
        Agrees = "agrees",
        /// After the last day what is unshipped is cancelled and refunded.
        Cancels = "cancels",
    }
}

words! {
    /// What a shopper answers to a notice.
    Answer {
        /// Agrees to the revised date.
        Wait = "wait",
        /// Wants everything unshipped refunded, at once.
        Cancel = "cancel",
    }
}

words! {
    /// Where a notice's mail stands.
    NoticeState {
        /// Written, not taken by the mail server yet: in flight.
        Prepared = "prepared",
        /// Taken by the mail server, or by the sandbox's mailbox.
        Sent = "sent",
        /// Given up: counts as none.
        Undelivered = "undelivered",
    }
}

/// What can happen to a notice's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoticeEvent {
    /// The mail server took it.
    Taken,
    /// The mail server refused it for good.
    GivenUp,
}

impl NoticeState {
    /// The state after an event.
    ///
    /// # Errors
    /// [`WrongState`] where the event does not apply, which names both. Another try is another notice.
    pub fn after(self, event: NoticeEvent) -> Result<Self, WrongState> {
        use NoticeEvent as E;
        use NoticeState as S;
        match (self, event) {
            (S::Prepared, E::Taken) => Ok(S::Sent),
            (S::Prepared, E::GivenUp) => Ok(S::Undelivered),
            (S::Sent | S::Undelivered, E::Taken | E::GivenUp) => Err(WrongState {
                what: "notice",
                state: self.as_str(),
                event: format!("{event:?}"),
            }),
        }
    }
}

words! {
    /// Why an order's unshipped lines are refunded (domain section 6). [`RefundCause::source`] names the rule.
    RefundCause {
        /// No notice was sent by the end of D.
        NoNotice = "no_notice",
        /// The first notice's silence cancels, and nobody answered.
        FirstSilent = "first_silent",
        /// A renewed notice was not answered by the end of the last agreed date.
        RenewedSilent = "renewed_silent",
        /// The last agreed date passed and no renewed notice was sent by then.
        AgreedPassed = "agreed_passed",
        /// The stop-loss date passed.
        StopLoss = "stop_loss",
        /// The shopper cancelled.
        Cancelled = "cancelled",
        /// The merchant said that it will not ship.
        WillNotShip = "will_not_ship",
    }
}

impl RefundCause {
    /// The rule it rests on.
    pub const fn source(self) -> &'static str {
        match self {
            RefundCause::NoNotice => "16 CFR 435.2(c)(5)",
            RefundCause::FirstSilent => "16 CFR 435.2(b)(1)(iii), (c)(2)",
            RefundCause::RenewedSilent | RefundCause::AgreedPassed => "16 CFR 435.2(b)(2), (c)(3)",
            RefundCause::StopLoss => "the campaign's stop-loss date",
            RefundCause::Cancelled => "16 CFR 435.2(c)(1)",
            RefundCause::WillNotShip => "16 CFR 435.2(c)(4)",
        }
    }

    /// Whether it is refunded at once, as what is asked for is; else with the day's automatic refunds, at 06:00 local
    /// (domain section 6).
    pub const fn is_at_once(self) -> bool {
        match self {
            RefundCause::Cancelled | RefundCause::WillNotShip => true,
            RefundCause::NoNotice
            | RefundCause::FirstSilent
            | RefundCause::RenewedSilent
            | RefundCause::AgreedPassed
            | RefundCause::StopLoss => false,
        }
    }
}

/// What silence does, as a notice says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consequence {
    /// What it does.
    pub silence: Silence,
    /// `agrees`: the date that is agreed to. `cancels`: the last day to answer; the refund comes the day after.
    pub last_day: NaiveDate,
}

impl Consequence {
    /// The day of the refund that silence brings; none where it agrees.
    pub fn refund_day(self) -> Option<NaiveDate> {
        match self.silence {
            Silence::Agrees => None,
            Silence::Cancels => Some(day_after(self.last_day)),
        }
    }
}

/// One notice to one order, as it is kept. An order's notices are given in the order in which they were prepared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Notice {
    /// What it is.
    pub kind: NoticeKind,
    /// Where its mail stands.
    pub state: NoticeState,
    /// The revised ship date it names; none: it says that the date is not known.
    pub revised: Option<NaiveDate>,
    /// The date in force when it was prepared: D, or the last agreed date.
    pub replaces: NaiveDate,
    /// The later stop-loss date that *keep waiting* agrees to as well; none where it stays.
    pub stop_loss: Option<NaiveDate>,
    /// What it says that silence does; none where it only tells.
    pub consequence: Option<Consequence>,
    /// The day the mail server took it.
    pub sent_on: Option<NaiveDate>,
    /// The day of the first *keep waiting*.
    pub waited_on: Option<NaiveDate>,
    /// The day of the first *cancel*, which may follow *keep waiting*.
    pub cancelled_on: Option<NaiveDate>,
}

impl Notice {
    /// The answer that stands, and its day: a cancellation, else the first *keep waiting*.
    pub fn answer(&self) -> Option<(Answer, NaiveDate)> {
        let waited = self.waited_on.map(|day| (Answer::Wait, day));
        let cancelled = self.cancelled_on.map(|day| (Answer::Cancel, day));
        cancelled.or(waited)
    }

    /// The day from which it counts: when the mail server took it. Who answers has it, whatever the mail server said.
    fn arrived_on(&self) -> Option<NaiveDate> {
        match (self.sent_on, self.waited_on) {
            (Some(sent), Some(waited)) => Some(sent.min(waited)),
            (sent, waited) => sent.or(waited),
        }
    }
}

/// What is kept of the promise to one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Promise {
    /// D: the ship date promised when the order was placed.
    pub first_date: NaiveDate,
    /// The last date the shopper agreed to, in words or by silence; none before any.
    pub agreed_date: Option<NaiveDate>,
    /// The shopper agreed to "not known": only the stop-loss refunds by itself, and he may cancel until shipped.
    pub open_ended: bool,
    /// The day after which everything unshipped is refunded, whatever was agreed.
    pub stop_loss: NaiveDate,
    /// The last day: unless shipped by its end, what is unshipped is cancelled and refunded; the right to it starts the
    /// day after. None where nothing cancels by itself but the stop-loss.
    pub cancels_after: Option<NaiveDate>,
}

impl Promise {
    /// The promise of a new order: without a notice it is cancelled after D (16 CFR 435.2(c)(5)).
    pub fn new(first_date: NaiveDate, stop_loss: NaiveDate) -> Promise {
        Promise {
            first_date,
            agreed_date: None,
            open_ended: false,
            stop_loss,
            cancels_after: Some(first_date),
        }
    }

    /// The promise as all notices and answers up to now make it: what is to be kept after a notice was sent or
    /// answered. Only D and the stop-loss date are taken from `self`. Doing it twice changes nothing.
    #[must_use]
    pub fn following(self, notices: &[Notice]) -> Promise {
        course::Course::of(self, notices, None).promise()
    }

    /// The date in force: the last agreed date, else D. For who agreed to "not known" the last date before that.
    pub fn due(&self) -> NaiveDate {
        self.agreed_date.unwrap_or(self.first_date)
    }

    /// The last day by delay rule and stop-loss, whichever is sooner.
    pub fn last_day(&self) -> NaiveDate {
        self.cancels_after
            .map_or(self.stop_loss, |day| day.min(self.stop_loss))
    }

    /// The day of the automatic refund of what is still unshipped then: the day after the last day.
    pub fn refund_day(&self) -> NaiveDate {
        day_after(self.last_day())
    }

    /// Whether the last day is over, so that what is unshipped is to be refunded.
    pub fn has_lapsed(&self, today: NaiveDate) -> bool {
        today > self.last_day()
    }
}

/// What there is left of an order to decide about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goods {
    /// Nothing was handed to the carrier.
    Waiting,
    /// A part was; the rest is decided about like a whole order.
    PartShipped,
    /// Everything that was not cancelled was handed to the carrier.
    Shipped,
    /// Cancelled: refunded, or its refund is committed.
    Cancelled,
}

impl Goods {
    /// What an order's state says of it.
    pub const fn of(state: OrderState) -> Goods {
        use OrderState as S;
        match state {
            S::Pending | S::Expired | S::Cancelled => Goods::Cancelled,
            S::Confirmed | S::Waitlisted | S::Backordered => Goods::Waiting,
            S::PartlyShipped => Goods::PartShipped,
            S::Shipped | S::Delivered => Goods::Shipped,
        }
    }
}

/// What is known of a batch's ship date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forecast {
    /// Somebody named it: staff, the supplier, or the receipt (arrival + handling days).
    Named(NaiveDate),
    /// Only computed from a lead time: counts as not known.
    LeadTime(NaiveDate),
    /// Nobody knows it.
    NotKnown,
}

impl Forecast {
    /// The ship date, where it counts as known: "a date that is past, or only derived from a lead time, counts as not
    /// known" (domain section 5).
    pub fn known(self, today: NaiveDate) -> Option<NaiveDate> {
        match self {
            Forecast::Named(date) => (date >= today).then_some(date),
            Forecast::LeadTime(_) | Forecast::NotKnown => None,
        }
    }
}

/// One order before the delay rule: everything the rule looks at.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What is kept of its promise.
    pub promise: Promise,
    /// All its notices, as prepared.
    pub notices: &'a [Notice],
    /// What is left to ship.
    pub goods: Goods,
}

/// The next date; at the end of the calendar the date itself.
pub fn day_after(date: NaiveDate) -> NaiveDate {
    days_after(date, 1)
}

/// A date so many days later; never past the end of the calendar.
fn days_after(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_add_days(Days::new(days))
        .unwrap_or(NaiveDate::MAX)
}

/// A date so many days earlier; never before the start of the calendar.
fn days_before(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_sub_days(Days::new(days))
        .unwrap_or(NaiveDate::MIN)
}

#[cfg(test)]
#[path = "tests/promise.rs"]
mod tests;
