//! Where an order stands on a day, and what an answer does to it.

use chrono::NaiveDate;

use super::course::Course;
use super::{Answer, Case, Goods, NoticeKind, RefundCause};

/// How a shopper agreed to a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Said nothing to a first notice whose silence agrees.
    Silence,
    /// Pressed *keep waiting*.
    Answer,
}

/// Where an order stands with its promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// As promised when it was placed. No notice counts.
    Promised {
        /// D: the last day.
        until: NaiveDate,
    },
    /// The shopper agreed to a date, and nothing is asked of him. He may cancel until it is shipped.
    Agreed {
        /// The last agreed date: the last day.
        until: NaiveDate,
        /// How.
        consent: Consent,
    },
    /// The shopper agreed to "not known". He may cancel until it is shipped.
    OpenEnded {
        /// The last day.
        stop_loss: NaiveDate,
    },
    /// Refunded after the last day, unless shipped or answered by then.
    Asked {
        /// The date that *keep waiting* agrees to; none: not known.
        offered: Option<NaiveDate>,
        /// The last day.
        until: NaiveDate,
    },
    /// The last day is over: what is unshipped is cancelled and refunded.
    Lapsed {
        /// The day that was the last.
        last_day: NaiveDate,
        /// Why.
        cause: RefundCause,
    },
    /// Cancelled: refunded in full, as far as it was not shipped.
    Cancelled,
    /// All shipped: the rule is done with it.
    Shipped,
}

/// What an accepted answer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answered {
    /// Agreed until this date: keep the day in `waited_on`, then the promise anew.
    Until(NaiveDate),
    /// Agreed to "not known": keep the day in `waited_on`, then the promise anew.
    OpenEnded,
    /// Keep the day in `cancelled_on`; everything unshipped is refunded at once.
    Cancelled,
    /// The same was said before: nothing to keep.
    Unchanged,
}

/// Why an answer is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Everything was handed to the carrier before.
    #[error("the order has been shipped")]
    Shipped,
    /// The order was cancelled before, by whomever.
    #[error("the order has been cancelled")]
    Cancelled,
    /// The notice only tells: there is nothing to answer.
    #[error("this notice asks nothing")]
    OnlyTold,
    /// *Keep waiting* after the last day: the right to the refund has begun, it is on its way.
    #[error("the last day to answer was {last_day}")]
    TooLate {
        /// The last day.
        last_day: NaiveDate,
    },
    /// *Keep waiting* for a date that is past.
    #[error("the date {date} has passed")]
    DatePassed {
        /// The date the notice named.
        date: NaiveDate,
    },
    /// The order has no such notice.
    #[error("there is no such notice")]
    NoNotice,
}

impl Case<'_> {
    pub(super) fn course(&self) -> Course {
        Course::of(self.promise, self.notices, None)
    }

    /// Where the order stands on a day.
    pub fn standing(&self, today: NaiveDate) -> Standing {
        match self.goods {
            Goods::Shipped => return Standing::Shipped,
            Goods::Cancelled => return Standing::Cancelled,
            Goods::Waiting | Goods::PartShipped => {}
        }
        let course = self.course();
        let last_day = course.last_day();
        if course.cancelled {
            Standing::Cancelled
        } else if today > last_day {
            Standing::Lapsed {
                last_day,
                cause: self.cause(&course),
            }
        } else if course.open_ended {
            Standing::OpenEnded {
                stop_loss: course.stop_loss,
            }
        } else if let Some(notice) = course.open_offer(self.notices) {
            Standing::Asked {
                offered: notice.revised,
                until: last_day,
            }
        } else if let Some((until, consent)) = course.agreed {
            Standing::Agreed { until, consent }
        } else {
            Standing::Promised { until: last_day }
        }
    }

    /// Why the order's last day is its last. On the stop-loss date itself it is the stop-loss.
    fn cause(&self, course: &Course) -> RefundCause {
        if course.last_day() >= course.stop_loss {
            RefundCause::StopLoss
        } else if !course.is_offered() {
            RefundCause::NoNotice
        } else if course.agreed.is_none() {
            RefundCause::FirstSilent
        } else if course.open_offer(self.notices).is_some() {
            RefundCause::RenewedSilent
        } else {
            RefundCause::AgreedPassed
        }
    }

    /// Whether the shopper may cancel for a full refund by the delay rule alone: from the first offer on, and once the
    /// last day is over, until everything is shipped (16 CFR 435.2(c)(1); domain section 6).
    pub fn may_cancel(&self, today: NaiveDate) -> bool {
        let open = matches!(self.goods, Goods::Waiting | Goods::PartShipped);
        let course = self.course();
        open && !course.cancelled && (course.is_offered() || today > course.last_day())
    }

    /// What an answer to one of the notices (by index) does. The first answer stands, except that *cancel* may follow
    /// *keep waiting* until shipping; a cancellation received before shipment always wins (domain section 6). An
    /// answer to an older notice counts too: *keep waiting* agrees to the date which that one named.
    ///
    /// # Errors
    /// [`Refused`], which says why it is not taken.
    pub fn answer(
        &self,
        notice: usize,
        answer: Answer,
        today: NaiveDate,
    ) -> Result<Answered, Refused> {
        let asked = self.notices.get(notice).ok_or(Refused::NoNotice)?;
        match self.goods {
            Goods::Shipped => return Err(Refused::Shipped),
            Goods::Cancelled if answer == Answer::Cancel && asked.cancelled_on.is_some() => {
                return Ok(Answered::Unchanged);
            }
            Goods::Cancelled => return Err(Refused::Cancelled),
            Goods::Waiting | Goods::PartShipped => {}
        }
        match answer {
            Answer::Cancel if self.course().cancelled => Ok(Answered::Unchanged),
            // Who agreed to "not known" may also use the links of a notice that only tells.
            Answer::Cancel if asked.kind != NoticeKind::Told || self.may_cancel(today) => {
                Ok(Answered::Cancelled)
            }
            Answer::Cancel => Err(Refused::OnlyTold),
            Answer::Wait => self.wait(notice, today),
        }
    }

    fn wait(&self, notice: usize, today: NaiveDate) -> Result<Answered, Refused> {
        let before = self.course();
        let last_day = before.last_day();
        let mut notices = self.notices.to_vec();
        let asked = &mut notices[notice];
        if before.cancelled {
            return Err(Refused::Cancelled);
        } else if asked.kind == NoticeKind::Told {
            return Err(Refused::OnlyTold);
        } else if asked.waited_on.is_some() {
            return Ok(Answered::Unchanged);
        } else if today > last_day {
            return Err(Refused::TooLate { last_day });
        }
        match asked.revised {
            Some(date) if today > date => return Err(Refused::DatePassed { date }),
            _ => asked.waited_on = Some(today),
        }
        let after = self.promise.following(&notices);
        Ok(if after.open_ended {
            Answered::OpenEnded
        } else {
            Answered::Until(after.due())
        })
    }
}
