//! Waiting lists: who is offered units that came free, and until when (domain section 2: freed units are offered again).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, Utc};

use super::words::words;

words! {
    /// How waiting ended.
    WaitAnswer {
        Accepted = "accepted",
        Left = "left",
        Lapsed = "lapsed",
        Ended = "ended",
    }
}

/// How long an offer stands.
pub const OFFER_HOURS: i64 = 24;
/// An offer that would stand for less is not made.
pub const LEAST_MINUTES: i64 = 10;
/// How long before its end an offer is told of once more.
pub const REMIND_HOURS: i64 = 4;

/// Until when an offer made now stands, in a campaign that takes orders until `ends`; none where that is too near for
/// one.
pub fn offer_ends(now: DateTime<Utc>, ends: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let until = ends.min(now + Duration::hours(OFFER_HOURS));
    (until - now >= Duration::minutes(LEAST_MINUTES)).then_some(until)
}

/// When an offer is told of once more; none where it stands too short a time for that.
pub fn remind_at(offered: DateTime<Utc>, ends: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let at = ends - Duration::hours(REMIND_HOURS);
    (at - offered >= Duration::hours(REMIND_HOURS)).then_some(at)
}

/// Units that came free, given out in strict order: an order gets all that it wants or nothing, and nobody behind it gets
/// any of the options that it still waits for.
#[derive(Debug, Clone)]
pub struct Line<O> {
    /// Units left by option; an option that is not in it has no cap.
    room: BTreeMap<O, i64>,
    /// Options that somebody further ahead waits for.
    kept: BTreeSet<O>,
}

impl<O: Ord + Copy> Line<O> {
    /// With so many units left of each option that has a cap.
    pub fn new(room: impl IntoIterator<Item = (O, i64)>) -> Self {
        Self {
            room: room.into_iter().collect(),
            kept: BTreeSet::new(),
        }
    }

    /// Whether the next order in line gets what it wants: options and units. What it gets is taken from the room; what it
    /// waits on for is kept from those behind.
    pub fn serve(&mut self, wants: &[(O, i64)]) -> bool {
        let fits = wants.iter().all(|(option, units)| {
            !self.kept.contains(option) && self.room.get(option).is_none_or(|left| units <= left)
        });
        if !fits {
            self.kept.extend(wants.iter().map(|(option, _)| *option));
            return false;
        }
        for (option, units) in wants {
            if let Some(left) = self.room.get_mut(option) {
                *left -= units;
            }
        }
        true
    }

    /// Whether anybody further back could still get something.
    pub fn has_room(&self) -> bool {
        self.room
            .iter()
            .any(|(option, left)| *left > 0 && !self.kept.contains(option))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_overtaken_for_the_same_option() {
        let mut line = Line::new([("red", 1), ("blue", 1)]);
        assert!(!line.serve(&[("red", 2)]), "two are wanted, one is there");
        assert!(
            !line.serve(&[("red", 1)]),
            "the first in line waits for red"
        );
        assert!(line.serve(&[("blue", 1)]), "nobody else waits for blue");
        assert!(!line.serve(&[("blue", 1)]), "it is given away");
        assert!(!line.has_room());
    }

    #[test]
    fn who_waits_for_two_options_keeps_both() {
        let mut line = Line::new([("red", 5), ("blue", 0)]);
        assert!(!line.serve(&[("red", 1), ("blue", 1)]));
        assert!(!line.serve(&[("red", 1)]));
        assert!(line.serve(&[("green", 3)]), "green has no cap");
    }

    #[test]
    fn an_offer_stands_for_a_day_and_never_beyond_the_end() {
        let now: DateTime<Utc> = "2026-11-22T10:00:00Z".parse().unwrap();
        let in_minutes = |n| now + Duration::minutes(n);
        assert_eq!(offer_ends(now, in_minutes(9999)), Some(in_minutes(1440)));
        assert_eq!(offer_ends(now, in_minutes(30)), Some(in_minutes(30)));
        assert_eq!(offer_ends(now, in_minutes(9)), None);
        assert_eq!(remind_at(now, in_minutes(1440)), Some(in_minutes(1200)));
        assert_eq!(remind_at(now, in_minutes(300)), None);
    }
}
