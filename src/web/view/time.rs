//! Days, moments, what is left until them, and what happens in which order.

use askama::Template;
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;

use super::Html;

/// A local date: "1 September 2026".
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub NaiveDate);

impl Day {
    /// "1 September 2026".
    pub fn text(&self) -> String {
        self.0.format("%-d %B %Y").to_string()
    }

    /// A `<time>` element.
    pub fn html(&self) -> Html {
        Html::sanitized(format!(
            "<time datetime=\"{}\">{}</time>",
            self.0.format("%Y-%m-%d"),
            self.text()
        ))
    }
}

/// A moment, told in one zone: "Sunday 31 May 2026, 20:00, Lisbon time".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The instant.
    pub at: DateTime<Utc>,
    /// The zone it is told in: the campaign's.
    pub zone: Tz,
}

impl Moment {
    /// A moment told in a zone.
    pub fn new(at: DateTime<Utc>, zone: Tz) -> Self {
        Self { at, zone }
    }

    /// "2026-05-31T18:00:00Z".
    pub fn rfc3339(&self) -> String {
        self.at.to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// "Sunday 31 May 2026, 20:00".
    pub fn text(&self) -> String {
        self.local("%A %-d %B %Y, %H:%M")
    }

    /// The local date of it: "31 May 2026".
    pub fn day(&self) -> String {
        self.local("%-d %B %Y")
    }

    /// "20:00".
    pub fn clock(&self) -> String {
        self.local("%H:%M")
    }

    /// "Lisbon time", "UTC".
    pub fn zone_name(&self) -> String {
        let name = self.zone.name();
        match name.rsplit_once('/') {
            Some(("Etc", _)) | None => "UTC".to_owned(),
            Some((_, city)) => format!("{} time", city.replace('_', " ")),
        }
    }

    /// A `<time>` with the zone's name. `static/live.js` adds the visitor's own time where that differs.
    pub fn html(&self) -> Html {
        Html::sanitized(format!(
            "<time datetime=\"{}\" data-local=\"{}\">{}, {}</time>",
            self.rfc3339(),
            self.clock(),
            self.text(),
            self.zone_name()
        ))
    }

    /// A `<time>` with the date alone.
    pub fn day_html(&self) -> Html {
        Html::sanitized(format!(
            "<time datetime=\"{}\">{}</time>",
            self.rfc3339(),
            self.day()
        ))
    }

    fn local(&self, format: &str) -> String {
        self.at.with_timezone(&self.zone).format(format).to_string()
    }
}

/// Time left until a deadline, in words and as the exact moment. It never ticks; `static/live.js` refreshes it each
/// minute by the server's clock, so a page kept in memory may be as old as a minute.
#[derive(Clone, Debug, Template)]
#[template(path = "part/countdown.html")]
pub struct Countdown {
    /// The clock when the page was drawn.
    pub now: DateTime<Utc>,
    /// The deadline, or the opening.
    pub until: Moment,
    /// "Closes", "Opens", "Kept until".
    pub verb: &'static str,
    /// What follows the moment: "No late orders."
    pub after: &'static str,
}

impl askama::filters::HtmlSafe for Countdown {}

impl Countdown {
    /// Until joining ends.
    pub fn closes(now: DateTime<Utc>, until: Moment) -> Self {
        Self {
            now,
            until,
            verb: "Closes",
            after: "No late orders.",
        }
    }

    /// Until an offer of a waiting list ends.
    pub fn offered(now: DateTime<Utc>, until: Moment) -> Self {
        Self {
            now,
            until,
            verb: "Kept until",
            after: "Then they go to the next in line.",
        }
    }

    /// Until a hold ends.
    pub fn held(now: DateTime<Utc>, until: Moment) -> Self {
        Self {
            now,
            until,
            verb: "Kept until",
            after: "After that they are offered to others, and nothing was charged.",
        }
    }

    /// Until joining begins.
    pub fn opens(now: DateTime<Utc>, until: Moment) -> Self {
        Self {
            now,
            until,
            verb: "Opens",
            after: "Nothing can be ordered before.",
        }
    }

    /// "10 days 6 hours left".
    pub fn left(&self) -> String {
        match left(self.now, self.until.at) {
            Some(text) if self.verb == "Opens" => format!("Opens in {text}"),
            Some(text) => format!("{text} left"),
            None if self.verb == "Opens" => "Opening".to_owned(),
            None if self.verb == "Kept until" => "The time is over".to_owned(),
            None => "The deadline has passed".to_owned(),
        }
    }

    /// The clock when the page was drawn, for the script.
    pub fn now_rfc3339(&self) -> String {
        self.now.to_rfc3339_opts(SecondsFormat::Secs, true)
    }
}

/// "10 days 6 hours", "3 hours 20 minutes", "1 minute"; none once it has passed.
pub fn left(now: DateTime<Utc>, until: DateTime<Utc>) -> Option<String> {
    let seconds = (until - now).num_seconds();
    if seconds <= 0 {
        return None;
    }
    let minutes = (seconds + 59) / 60;
    let (days, hours, rest) = (minutes / 1440, minutes / 60 % 24, minutes % 60);
    let parts = if days > 0 {
        [(days, "day"), (hours, "hour")]
    } else {
        [(hours, "hour"), (rest, "minute")]
    };
    let words: Vec<String> = parts
        .iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, unit)| plural(*n, unit))
        .collect();
    Some(words.join(" "))
}

/// "1 day", "2 days".
pub fn plural(n: i64, unit: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {unit}{s}", grouped(n))
}

/// A weight in grams: "500 g", "2 kg", "10.5 kg".
pub fn weight(grams: i64) -> String {
    let (whole, part) = (grams / 1_000, grams % 1_000);
    match (whole, part) {
        (0, _) => format!("{grams} g"),
        (_, 0) => format!("{whole} kg"),
        (_, _) => format!("{}.{}", whole, format!("{part:03}").trim_end_matches('0')) + " kg",
    }
}

/// "12,480".
pub fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut out = String::new();
    for (i, c) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    if n < 0 {
        out.insert(0, '\u{2212}');
    }
    out
}

/// Whether an entry of a timeline is behind, now, or ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimelineState {
    /// Happened: solid.
    Done,
    /// Waited for: saffron.
    Now,
    /// Ahead: hollow.
    Next,
}

/// One entry of a timeline.
#[derive(Clone, Debug)]
pub struct TimelineItem {
    /// Behind, now or ahead.
    pub state: TimelineState,
    /// When it happened; nothing where the title says it.
    pub when: Option<Moment>,
    /// What happened, or happens.
    pub title: String,
    /// A sentence more.
    pub text: Option<String>,
}

impl TimelineItem {
    /// Something that happened.
    pub fn done(when: Moment, title: impl Into<String>) -> Self {
        Self::new(TimelineState::Done, title).at(when)
    }

    /// What is waited for.
    pub fn now(title: impl Into<String>) -> Self {
        Self::new(TimelineState::Now, title)
    }

    /// What comes.
    pub fn next(title: impl Into<String>) -> Self {
        Self::new(TimelineState::Next, title)
    }

    /// With the moment.
    pub fn at(mut self, when: Moment) -> Self {
        self.when = Some(when);
        self
    }

    /// With a sentence more.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    fn new(state: TimelineState, title: impl Into<String>) -> Self {
        Self {
            state,
            when: None,
            title: title.into(),
            text: None,
        }
    }

    /// Class of the entry.
    pub fn class(&self) -> &'static str {
        match self.state {
            TimelineState::Done => "",
            TimelineState::Now => "now",
            TimelineState::Next => "next",
        }
    }
}

/// What happened and what comes, oldest first.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "part/timeline.html")]
pub struct Timeline {
    /// In order.
    pub items: Vec<TimelineItem>,
}

impl askama::filters::HtmlSafe for Timeline {}
