//! The letters to those who wait for a sold-out option.

use askama::Template;

use crate::mail::words::{day, day_of, moment};
use crate::workflows::letters::{About, Waiting, WhyEnded};

letter!(Letter, "email/waiting.html", "email/waiting.txt" {
    about: &'a About,
    news: &'a Waiting,
    at: String,
    ships_by: String,
    ships_by_before: Option<String>,
});

/// HTML and plain text.
pub(super) fn write(
    about: &About,
    news: &Waiting,
    subject: &str,
) -> askama::Result<(String, String)> {
    let at = match news {
        Waiting::Listed { ends, .. } | Waiting::Extended { ends, .. } => Some(*ends),
        Waiting::Offered { until, .. } => Some(*until),
        Waiting::Ended { kept_until, .. } => *kept_until,
        Waiting::Lapsed => None,
    };
    let (ships_by, before) = match news {
        Waiting::Extended {
            ships_by,
            ships_by_before,
            ..
        } => (day(*ships_by), *ships_by_before),
        _ => (String::new(), None),
    };
    Letter {
        about,
        news,
        at: at.map_or_else(String::new, |at| moment(at, &about.time_zone)),
        ships_by,
        ships_by_before: before.map(day),
    }
    .write(subject)
}

/// The subject.
pub(in crate::mail) fn subject(about: &About, news: &Waiting) -> String {
    let (number, campaign) = (&about.number, &about.campaign);
    match news {
        Waiting::Listed { place, .. } => {
            format!("Order {number}: you are on the waiting list of {campaign}, place {place}")
        }
        Waiting::Offered { until, again, .. } => {
            let until = moment(*until, &about.time_zone);
            if *again {
                format!("Order {number}: your units of {campaign} are kept only until {until}")
            } else {
                format!("Order {number}: units of {campaign} are yours until {until}")
            }
        }
        Waiting::Lapsed => {
            format!("Order {number}: the offer has ended, nothing was charged")
        }
        Waiting::Extended { ends, place, .. } => {
            let ends = day_of(*ends, &about.time_zone);
            match place {
                Some(place) => {
                    format!("{campaign} now ends on {ends}: you still wait, at place {place}")
                }
                None => format!("{campaign} now ends on {ends}: units are still kept for you"),
            }
        }
        Waiting::Ended { why, .. } => {
            let what = match why {
                WhyEnded::Deadline => "has ended, nothing came free",
                WhyEnded::Early => "has ended early",
                WhyEnded::Cancelled(_) => "was cancelled",
            };
            format!("Order {number}: {campaign} {what}, nothing was charged")
        }
    }
}
