//! The letters to those who wait for a sold-out option.

use askama::Template;

use crate::mail::words::moment;
use crate::workflows::letters::{About, Waiting};

letter!(Letter, "email/waiting.html", "email/waiting.txt" {
    about: &'a About,
    news: &'a Waiting,
    at: String,
});

/// HTML and plain text.
pub(super) fn write(
    about: &About,
    news: &Waiting,
    subject: &str,
) -> askama::Result<(String, String)> {
    let at = match news {
        Waiting::Listed { ends, .. } => moment(*ends, &about.time_zone),
        Waiting::Offered { until, .. } => moment(*until, &about.time_zone),
        Waiting::Lapsed | Waiting::Ended => String::new(),
    };
    Letter { about, news, at }.write(subject)
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
        Waiting::Ended => {
            format!("Order {number}: {campaign} has ended, nothing came free, nothing was charged")
        }
    }
}
