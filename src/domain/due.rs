//! What is collected from an order after joining: its price once the campaign succeeded, or the balance of a deposit
//! (domain sections 2 and 4). When its card is tried again, when its holder is reminded, and when it is given up.

use chrono::{DateTime, Duration, Utc};

use super::card::Decline;
use super::order::Delivery;
use super::words::words;

words! {
    /// What is collected.
    DueKind {
        /// The price, from the card that was saved at joining.
        Success = "success",
        /// What a deposit left open, when the goods arrive.
        Balance = "balance",
    }
}

words! {
    /// Where the collecting of one order stands.
    DueState {
        /// The shopper is told; it is charged later.
        Announced = "announced",
        /// The card is being charged.
        Charging = "charging",
        /// The card said no: the grace window runs.
        Declined = "declined",
        Paid = "paid",
        /// It was not paid within the grace window.
        GivenUp = "given_up",
        /// Not wanted any more: its order left before it was paid.
        Dropped = "dropped",
    }
}

/// When the balance of an order over so many units is charged, in words after "is charged": who wants one parcel pays when
/// everything is there, for nothing is sent before; who takes parts as they come pays with the first of them.
pub fn balance_when(delivery: Delivery, units: i64) -> &'static str {
    match delivery {
        Delivery::OneParcel | Delivery::AsAvailable if units == 1 => "when the goods arrive",
        Delivery::OneParcel => "when all of your goods are there",
        Delivery::AsAvailable => "when the first of your goods arrive",
    }
}

impl DueState {
    /// Whether it may still be paid.
    pub fn is_open(self) -> bool {
        match self {
            DueState::Announced | DueState::Charging | DueState::Declined => true,
            DueState::Paid | DueState::GivenUp | DueState::Dropped => false,
        }
    }
}

/// Length of the grace window in days (domain section 2).
pub const GRACE_DAYS: i64 = 7;
/// The days of the grace window on which its holder is written to and the card is tried again; the first is the refusal
/// itself.
pub const REMINDED_ON: [i64; 4] = [0, 2, 4, 6];
/// How long the merchant may buy what is missing, in hours, where too little was collected.
pub const SHORT_HOURS: i64 = 48;
/// How many days before a balance is charged its shopper is told.
pub const TOLD_AHEAD_DAYS: i64 = 3;

/// When the grace window of a refusal at `opened` ends.
pub fn grace_ends(opened: DateTime<Utc>) -> DateTime<Utc> {
    opened + Duration::days(GRACE_DAYS)
}

/// What the grace window asks for at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grace {
    /// Nothing before then.
    Wait(DateTime<Utc>),
    /// The holder is written to for the so-many-th time (1 is the first), and the card is tried again where that makes
    /// sense.
    Remind {
        /// How many letters that makes.
        number: i32,
        /// Whether the card is charged again.
        retry: bool,
    },
    /// It is over.
    Over,
}

/// What is to be done in a grace window that opened at `opened`, of which `reminded` letters were written. Letters that a
/// downtime held up are not written one after the other: the latest one due stands for them.
pub fn grace(
    opened: DateTime<Utc>,
    ends: DateTime<Utc>,
    reminded: i32,
    decline: Decline,
    now: DateTime<Utc>,
) -> Grace {
    if now >= ends {
        return Grace::Over;
    }
    let due = REMINDED_ON
        .iter()
        .filter(|day| now >= opened + Duration::days(**day))
        .count();
    let due = i32::try_from(due).unwrap_or(0);
    if due > reminded {
        return Grace::Remind {
            number: due,
            // The refusal itself is the first day's try.
            retry: due > 1 && decline.can_be_retried(),
        };
    }
    let next = usize::try_from(reminded.max(0))
        .ok()
        .and_then(|at| REMINDED_ON.get(at))
        .map(|day| opened + Duration::days(*day));
    Grace::Wait(next.unwrap_or(ends).min(ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i64) -> DateTime<Utc> {
        let start: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().unwrap();
        start + Duration::days(n)
    }

    #[test]
    fn a_holder_is_written_to_on_days_0_2_4_and_6_and_given_up_after_7() {
        let at = |now, reminded| grace(day(0), grace_ends(day(0)), reminded, Decline::Soft, now);
        let remind = |number, retry| Grace::Remind { number, retry };
        assert_eq!(at(day(0), 0), remind(1, false));
        assert_eq!(at(day(1), 1), Grace::Wait(day(2)));
        assert_eq!(at(day(2), 1), remind(2, true));
        assert_eq!(at(day(4), 2), remind(3, true));
        assert_eq!(at(day(6), 3), remind(4, true));
        assert_eq!(at(day(6), 4), Grace::Wait(day(7)));
        assert_eq!(at(day(7), 4), Grace::Over);
    }

    #[test]
    fn after_a_downtime_one_letter_stands_for_those_that_were_due() {
        let ends = grace_ends(day(0));
        let at = grace(day(0), ends, 1, Decline::Soft, day(5));
        assert_eq!(
            at,
            Grace::Remind {
                number: 3,
                retry: true
            }
        );
    }

    #[test]
    fn a_stolen_card_is_not_tried_again_its_holder_is_written_to() {
        for decline in [Decline::Hard, Decline::Authentication] {
            let at = grace(day(0), grace_ends(day(0)), 1, decline, day(2));
            let told = Grace::Remind {
                number: 2,
                retry: false,
            };
            assert_eq!(at, told);
        }
    }
}
