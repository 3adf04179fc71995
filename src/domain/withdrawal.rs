//! Withdrawal from the contract (domain section 6a; Directive 2011/83/EU, Art. 9, 11, 13, 14): who has the right, until
//! when, and by when the money is back.

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;

use super::country::Country;
use super::day::{day_end, day_of};

/// Days from the last parcel's delivery in which a shopper may withdraw (Art. 9).
pub const DAYS: i64 = 14;
/// Days from the declaration until the money is back (Art. 13), and until the goods are sent back (Art. 14).
pub const REFUND_DAYS: i64 = 14;
/// So many days before the last day for the money staff are warned.
pub const WARN_DAYS: i64 = 3;

/// Whether an order to this country may be withdrawn from: by law, or because its merchant chose so.
pub fn has_right(country: Country, chosen: bool) -> bool {
    country.is_eu_eea_uk() || chosen
}

/// Until when an order may be withdrawn from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Period {
    /// Not everything has arrived: there is no end yet.
    Open,
    /// Before this instant: the 15th day after the last delivery, at its beginning.
    Until(DateTime<Utc>),
}

impl Period {
    /// The period of an order of which nothing is still to come and whose last parcel arrived at `last_delivery`; none:
    /// nothing arrived. The day of delivery does not count; a delivery on 1 March leaves the whole of 15 March.
    pub fn new(all_arrived: bool, last_delivery: Option<DateTime<Utc>>, zone: Tz) -> Self {
        match last_delivery.filter(|_| all_arrived) {
            None => Period::Open,
            Some(at) => Period::Until(day_end(day_of(at, zone) + Duration::days(DAYS), zone)),
        }
    }

    /// Whether it has not ended at `now`.
    pub fn is_open(self, now: DateTime<Utc>) -> bool {
        match self {
            Period::Open => true,
            Period::Until(end) => now < end,
        }
    }

    /// Its last whole day, where it has one.
    pub fn last_day(self, zone: Tz) -> Option<NaiveDate> {
        match self {
            Period::Open => None,
            Period::Until(end) => Some(day_of(end - Duration::seconds(1), zone)),
        }
    }
}

/// The last day for the refund, and for sending the goods back, after a declaration at `now`.
pub fn refund_by(now: DateTime<Utc>, zone: Tz) -> NaiveDate {
    day_of(now, zone) + Duration::days(REFUND_DAYS)
}

/// Units of a line that are withdrawn from: those that were not handed over leave first, for they need not come back.
///
/// `(unshipped, shipped)` of the `wished` ones.
pub fn split(wished: i64, unshipped: i64) -> (i64, i64) {
    let before = wished.min(unshipped.max(0));
    (before, wished - before)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::day::day_start;
    use proptest::prelude::*;

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn date(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn the_fifteenth_day_at_midnight_ends_it() {
        let berlin = Tz::Europe__Berlin;
        let period = Period::new(true, Some(utc("2026-03-01T11:00:00Z")), berlin);
        assert_eq!(period.last_day(berlin), Some(date("2026-03-15")));
        assert_eq!(period, Period::Until(day_start(date("2026-03-16"), berlin)));
        assert!(period.is_open(utc("2026-03-15T22:59:59Z")));
        assert!(!period.is_open(utc("2026-03-15T23:00:00Z")));
    }

    #[test]
    fn while_something_is_still_to_come_it_has_no_end() {
        let period = Period::new(false, Some(utc("2026-03-01T11:00:00Z")), Tz::UTC);
        assert_eq!(period, Period::Open);
        assert!(Period::new(true, None, Tz::UTC).is_open(utc("2099-01-01T00:00:00Z")));
    }

    #[test]
    fn the_right_is_by_law_or_chosen_by_the_merchant() {
        let of = |code: &str| Country::parse(code).unwrap();
        assert!(
            has_right(of("DE"), false) && has_right(of("GB"), false) && has_right(of("NO"), false)
        );
        assert!(!has_right(of("US"), false));
        assert!(has_right(of("US"), true));
    }

    #[test]
    fn what_was_not_handed_over_leaves_first() {
        assert_eq!(split(3, 2), (2, 1));
        assert_eq!(split(1, 2), (1, 0));
        assert_eq!(split(2, 0), (0, 2));
    }

    proptest! {
        #[test]
        fn everybody_has_at_least_fourteen_whole_days(
            seconds in 1_700_000_000i64..2_000_000_000, zone in 0usize..4,
        ) {
            let zone = [Tz::UTC, Tz::Europe__Lisbon, Tz::Pacific__Auckland, Tz::America__New_York][zone];
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            let Period::Until(end) = Period::new(true, Some(at), zone) else { panic!("it has arrived") };
            let period = Period::Until(end);
            // Clocks that go forward take an hour.
            prop_assert!(end - at >= Duration::days(14) - Duration::hours(1));
            prop_assert!(end - at <= Duration::days(15) + Duration::hours(1));
            prop_assert!(period.is_open(end - Duration::seconds(1)) && !period.is_open(end));
            prop_assert_eq!(period.last_day(zone), Some(day_of(at, zone) + Duration::days(14)));
        }

        #[test]
        fn a_later_delivery_never_shortens_the_period(a in 1_700_000_000i64..1_900_000_000, more in 0i64..10_000_000) {
            let of = |s| Period::new(true, DateTime::from_timestamp(s, 0), Tz::Europe__Berlin);
            match (of(a), of(a + more)) {
                (Period::Until(first), Period::Until(second)) => prop_assert!(second >= first),
                other => prop_assert!(false, "{other:?}"),
            }
        }

        #[test]
        fn a_split_loses_no_unit(wished in 0i64..100, unshipped in 0i64..100) {
            let (before, after) = split(wished, unshipped);
            prop_assert_eq!(before + after, wished);
            prop_assert!(before <= unshipped && before >= 0 && after >= 0);
        }
    }
}
