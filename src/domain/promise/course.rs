//! What an order's notices and answers, taken in the order of their days, make of its promise. Everything else in the
//! delay rule is read from this.

use chrono::NaiveDate;

use super::{
    FIRST_DELAY_DAYS, Notice, NoticeKind, NoticeState, Promise, Silence, days_after,
    standing::Consent,
};

/// Something that happened to an order, by the index of its notice. Of one day in this order: who answers had it first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Arrived(usize),
    Waited(usize),
    Cancelled,
}

/// Where an order's promise has come to.
#[derive(Debug, Clone)]
pub(super) struct Course {
    first_date: NaiveDate,
    /// The last agreed date, and whether the shopper said so.
    pub agreed: Option<(NaiveDate, Consent)>,
    /// Agreed to "not known".
    pub open_ended: bool,
    /// The stop-loss date, with what was agreed about it.
    pub stop_loss: NaiveDate,
    cancels_after: Option<NaiveDate>,
    /// The offers that arrived in time: indexes, in the order in which they arrived.
    offers: Vec<usize>,
    /// A cancellation came in.
    pub cancelled: bool,
}

impl Course {
    /// Follows the notices. With `presume`, what is on its way is taken to arrive that day: so a second notice is not
    /// written while the first one is in flight. Rights are always read without.
    pub fn of(promise: Promise, notices: &[Notice], presume: Option<NaiveDate>) -> Course {
        let mut course = Course {
            first_date: promise.first_date,
            agreed: None,
            open_ended: false,
            stop_loss: promise.stop_loss,
            cancels_after: Some(promise.first_date),
            offers: Vec::new(),
            cancelled: false,
        };
        let mut steps = Vec::new();
        for (index, notice) in notices.iter().enumerate() {
            let in_flight = notice.state == NoticeState::Prepared;
            let arrived = notice.arrived_on().or(presume.filter(|_| in_flight));
            if notice.kind != NoticeKind::Told {
                steps.extend(arrived.map(|day| (day, Step::Arrived(index))));
                steps.extend(notice.waited_on.map(|day| (day, Step::Waited(index))));
            }
            steps.extend(notice.cancelled_on.map(|day| (day, Step::Cancelled)));
        }
        steps.sort_unstable();
        for (day, step) in steps {
            match step {
                Step::Arrived(index) => course.arrived(index, &notices[index], day),
                Step::Waited(index) => course.waited(index, &notices[index], day),
                Step::Cancelled => {
                    course.cancelled = true;
                    break;
                }
            }
        }
        course
    }

    /// D + 30, which no silence moves.
    pub fn furthest_silent_day(&self) -> NaiveDate {
        days_after(self.first_date, FIRST_DELAY_DAYS)
    }

    /// An offer reached the mail server. Undelivered by the end of the last day counts as none (domain section 6). The
    /// first that counts decides what silence does; a further one offers again and moves nothing.
    fn arrived(&mut self, index: usize, notice: &Notice, day: NaiveDate) {
        if day > self.last_day() {
            return;
        }
        if self.offers.is_empty() {
            // What it said binds, within D + 30, also where it was written as a renewed one to a first that then was
            // not delivered: it is the first the shopper got.
            let furthest = self.furthest_silent_day();
            match notice.consequence {
                Some(said) if said.silence == Silence::Agrees => {
                    let date = said.last_day.min(furthest);
                    self.agreed = Some((date, Consent::Silence));
                    self.cancels_after = Some(date);
                }
                Some(said) => self.cancels_after = Some(said.last_day.min(furthest)),
                None => {}
            }
        }
        self.offers.push(index);
    }

    /// *Keep waiting*: agrees to the revised date, and to a later stop-loss date where one was asked for. It counts
    /// while the order stands and the date is not past; a date agreed to is never brought forward by it, and who agreed
    /// to "not known" has agreed to any.
    fn waited(&mut self, index: usize, notice: &Notice, day: NaiveDate) {
        let past = notice.revised.is_some_and(|date| day > date);
        if day > self.last_day() || past || !self.offers.contains(&index) {
            return;
        }
        if let Some(later) = notice.stop_loss {
            self.stop_loss = self.stop_loss.max(later);
        }
        match notice.revised {
            None => {
                self.open_ended = true;
                self.cancels_after = None;
            }
            Some(date) => {
                let date = self.agreed.map_or(date, |(agreed, _)| agreed.max(date));
                self.agreed = Some((date, Consent::Answer));
                if !self.open_ended {
                    self.cancels_after = Some(date);
                }
            }
        }
    }

    /// Whether any offer arrived in time.
    pub fn is_offered(&self) -> bool {
        !self.offers.is_empty()
    }

    /// The date in force.
    pub fn due(&self) -> NaiveDate {
        self.agreed.map_or(self.first_date, |(date, _)| date)
    }

    /// The last day by delay rule and stop-loss.
    pub fn last_day(&self) -> NaiveDate {
        self.promise().last_day()
    }

    /// The latest offer that goes past the date in force and is not answered, if any: the one that covers that date.
    pub fn open_offer<'n>(&self, notices: &'n [Notice]) -> Option<&'n Notice> {
        let due = self.due();
        self.offers
            .iter()
            .rev()
            .map(|index| &notices[*index])
            .find(|notice| notice.replaces >= due && notice.waited_on.is_none())
    }

    /// What is kept of it.
    pub fn promise(&self) -> Promise {
        Promise {
            first_date: self.first_date,
            agreed_date: self.agreed.map(|(date, _)| date),
            open_ended: self.open_ended,
            stop_loss: self.stop_loss,
            cancels_after: self.cancels_after,
        }
    }
}
