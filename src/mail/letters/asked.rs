//! The letters to people who have no order: interest checks and votes.

use askama::Template;

use crate::mail::words::{day, day_of, moment};
use crate::workflows::letters::{Asked, Asking};

letter!(Letter, "email/asked.html", "email/asked.txt" {
    about: &'a Asking,
    news: &'a Asked,
    deadline: String,
    ships_by: String,
    opens: Option<String>,
});

/// HTML and plain text.
pub(super) fn write(
    about: &Asking,
    news: &Asked,
    subject: &str,
) -> askama::Result<(String, String)> {
    let zone = about.time_zone.as_str();
    let (deadline, ships_by) = match news {
        Asked::Opened {
            deadline, ships_by, ..
        } => (moment(*deadline, zone), day(*ships_by)),
        _ => (String::new(), String::new()),
    };
    let opens = match news {
        Asked::Running { opens, .. } => opens.map(|at| moment(at, zone)),
        _ => None,
    };
    Letter {
        about,
        news,
        deadline,
        ships_by,
        opens,
    }
    .write(subject)
}

/// The subject.
pub(in crate::mail) fn subject(about: &Asking, news: &Asked) -> String {
    let title = &about.title;
    match news {
        Asked::Answered { .. } => format!("{title}: your answer is kept, nothing is charged"),
        Asked::Again { .. } => format!("{title}: you answered before"),
        Asked::Opened {
            price, deadline, ..
        } => format!(
            "{title} is open: join at {price} or less until {}",
            day_of(*deadline, &about.time_zone)
        ),
        Asked::Cancelled { .. } => format!("{title} will not open: nothing was charged"),
        Asked::Vote { counts: false } => format!("Confirm your vote for {title}"),
        Asked::Vote { counts: true } => format!("Your vote for {title} counts already"),
        Asked::Running { campaign, .. } => format!("{title}: a campaign came of it, {campaign}"),
    }
}
