//! Which notice an order needs next: when a date is set, and when nobody set one (domain section 6).

use chrono::NaiveDate;

use super::course::Course;
use super::{
    Case, Consequence, Forecast, Goods, Notice, NoticeKind, NoticeState, SYSTEM_NOTICE_DAYS,
    Silence, days_before,
};
use crate::domain::draft::DelayPolicy;

/// What shoppers are to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct News {
    /// When it ships now.
    pub ships: Forecast,
    /// A later stop-loss date that *keep waiting* would agree to as well: "moved later only per shopper who agrees".
    /// None, or no later than the order's own: it stays.
    pub stop_loss: Option<NaiveDate>,
}

/// Where an order's batch is, as far as the system's own notice asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Batch {
    /// When it ships. Once all is received: the day of the last receipt + handling days, unless staff said otherwise
    /// since.
    pub ships: Forecast,
    /// Nothing is still to come.
    pub fully_received: bool,
}

/// A notice to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// What it is.
    pub kind: NoticeKind,
    /// The revised ship date it names; none: it says that the date is not known.
    pub revised: Option<NaiveDate>,
    /// The date in force: D, or the last agreed date.
    pub replaces: NaiveDate,
    /// The later stop-loss date that *keep waiting* agrees to as well; none where it stays.
    pub stop_loss: Option<NaiveDate>,
    /// What silence does; none where it only tells.
    pub consequence: Option<Consequence>,
    /// The date that is known lies after the stop-loss date and counts as not known: the notice adds that the refund
    /// comes the day after the stop-loss date, unless shipped.
    pub beyond_stop_loss: bool,
}

impl Planned {
    /// The notice, as it is kept until the mail server takes it.
    pub fn prepared(self) -> Notice {
        Notice {
            kind: self.kind,
            state: NoticeState::Prepared,
            revised: self.revised,
            replaces: self.replaces,
            stop_loss: self.stop_loss,
            consequence: self.consequence,
            sent_on: None,
            waited_on: None,
            cancelled_on: None,
        }
    }
}

/// What a date that was set means to one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plan {
    /// This notice goes out.
    Notice(Planned),
    /// None does.
    Unneeded(Unneeded),
}

/// Why an order gets no notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unneeded {
    /// All shipped.
    Shipped,
    /// Cancelled.
    Cancelled,
    /// Its last day is over: it is being refunded.
    Lapsed,
    /// The shopper agreed to "not known" and heard no date since: he "needs no further notice".
    AgreedToNotKnown,
    /// The last notice said the same, and still stands; or it is the date promised, and no other was ever said.
    AlreadySaid,
}

impl Case<'_> {
    /// What news of the ship date means to this order (domain section 6, the table and the list below it).
    ///
    /// - A date that does not lie after the one in force is only told: it takes no right away.
    /// - Who agreed to "not known" is told dates, and is asked nothing, but for a later stop-loss date.
    /// - Everything else is an offer: the first one, then renewed ones.
    /// - A date that is past, only derived, or after the stop-loss date counts as not known.
    pub fn plan_notice(&self, news: News, policy: DelayPolicy, today: NaiveDate) -> Plan {
        let course = self.presumed(today);
        if let Some(why) = self.done(&course, today) {
            return Plan::Unneeded(why);
        }
        let later = news.stop_loss.filter(|date| *date > course.stop_loss);
        let known = news.ships.known(today);
        let revised = known.filter(|date| *date <= later.unwrap_or(course.stop_loss));
        let due = course.due();
        let last = self.last_said();
        if course.open_ended && later.is_none() {
            // A date that was told and no longer holds is taken back; else "not known" is no news.
            let said = last.and_then(|notice| notice.revised);
            return match (said == revised, revised) {
                (true, None) => Plan::Unneeded(Unneeded::AgreedToNotKnown),
                (true, Some(_)) => Plan::Unneeded(Unneeded::AlreadySaid),
                (false, _) => Plan::Notice(told(revised, due)),
            };
        }
        if let Some(date) = revised.filter(|date| *date <= due && !course.open_ended) {
            let said = last.map_or(Some(due), |notice| notice.revised);
            return if said == Some(date) {
                Plan::Unneeded(Unneeded::AlreadySaid)
            } else {
                Plan::Notice(told(Some(date), due))
            };
        }
        let same = |notice: &Notice| {
            notice.kind != NoticeKind::Told
                && (notice.revised, notice.stop_loss) == (revised, later)
                && (notice.replaces, notice.waited_on) == (due, None)
        };
        if last.is_some_and(same) {
            return Plan::Unneeded(Unneeded::AlreadySaid);
        }
        Plan::Notice(offer(&course, revised, known, later, policy))
    }

    /// The notice that the system itself sends this day, if one is due, so that no promise passes in silence: from
    /// five days before the date in force on, where no notice covers that date, to an unshipped order whose batch is
    /// not fully received or whose date is later or not known; from the day before on, also to one of a fully
    /// received batch. After a downtime it is sent late, up to the date itself; after that it would count as none.
    ///
    /// It names the known date where that lies after the date it replaces, else it says *not known*. Of a fully
    /// received batch a date that has passed is the handling's, not the goods': only the day before makes it a delay.
    pub fn due_for_system_notice(
        &self,
        batch: Batch,
        policy: DelayPolicy,
        today: NaiveDate,
    ) -> Option<Planned> {
        let course = self.presumed(today);
        let due = course.due();
        let covered = course.open_ended || course.open_offer(self.notices).is_some();
        if self.done(&course, today).is_some() || covered || today > due {
            return None;
        }
        let late = match batch.ships {
            Forecast::Named(date) => date > due,
            Forecast::NotKnown => true,
            Forecast::LeadTime(_) => false,
        };
        let days = if late || !batch.fully_received {
            SYSTEM_NOTICE_DAYS
        } else {
            1
        };
        if today < days_before(due, days) {
            return None;
        }
        let known = batch.ships.known(today).filter(|date| *date > due);
        let revised = known.filter(|date| *date <= course.stop_loss);
        Some(offer(&course, revised, known, None, policy))
    }

    /// The order's course with what is in flight taken as sent today.
    fn presumed(&self, today: NaiveDate) -> Course {
        Course::of(self.promise, self.notices, Some(today))
    }

    /// Why the rule has nothing left to say to this order, if so.
    fn done(&self, course: &Course, today: NaiveDate) -> Option<Unneeded> {
        match self.goods {
            Goods::Shipped => Some(Unneeded::Shipped),
            Goods::Cancelled => Some(Unneeded::Cancelled),
            Goods::Waiting | Goods::PartShipped if course.cancelled => Some(Unneeded::Cancelled),
            Goods::Waiting | Goods::PartShipped => {
                (today > course.last_day()).then_some(Unneeded::Lapsed)
            }
        }
    }

    /// The last notice that the shopper got or is about to get.
    fn last_said(&self) -> Option<&Notice> {
        let heard = |n: &&Notice| n.state != NoticeState::Undelivered || n.arrived_on().is_some();
        self.notices.iter().rev().find(heard)
    }
}

fn told(revised: Option<NaiveDate>, replaces: NaiveDate) -> Planned {
    Planned {
        kind: NoticeKind::Told,
        revised,
        replaces,
        stop_loss: None,
        consequence: None,
        beyond_stop_loss: false,
    }
}

fn offer(
    course: &Course,
    revised: Option<NaiveDate>,
    known: Option<NaiveDate>,
    stop_loss: Option<NaiveDate>,
    policy: DelayPolicy,
) -> Planned {
    let (kind, consequence) = if course.is_offered() {
        (NoticeKind::Renewed, cancels(course.last_day()))
    } else {
        (NoticeKind::First, first_silence(course, revised, policy))
    };
    Planned {
        kind,
        revised,
        replaces: course.due(),
        stop_loss,
        consequence: Some(consequence),
        beyond_stop_loss: revised.is_none() && known.is_some(),
    }
}

/// What silence on the first notice does: up to D + 30 it agrees (16 CFR 435.2(b)(1)(ii)), else it cancels after D + 30
/// ((b)(1)(iii), (c)(2)) or after the stop-loss date, should that come sooner. It never agrees to a later stop-loss
/// date. By `ask_always` it never agrees: cancelled after D.
fn first_silence(course: &Course, revised: Option<NaiveDate>, policy: DelayPolicy) -> Consequence {
    let furthest = course.furthest_silent_day().min(course.stop_loss);
    match (policy, revised) {
        (DelayPolicy::AskAlways, _) => cancels(course.last_day()),
        (DelayPolicy::Ftc, Some(date)) if date <= furthest => Consequence {
            silence: Silence::Agrees,
            last_day: date,
        },
        (DelayPolicy::Ftc, _) => cancels(furthest),
    }
}

fn cancels(last_day: NaiveDate) -> Consequence {
    Consequence {
        silence: Silence::Cancels,
        last_day,
    }
}
