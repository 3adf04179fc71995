//! What shoppers answered, order by order.

use chrono::NaiveDateTime;
use chrono_tz::Tz;
use serde::Deserialize;

use crate::domain::day::day_of;
use crate::domain::ids::NoticeId;
use crate::store::answers::{AnswerRow, Stand};
use crate::web::admin::dates::brief;
use crate::web::admin::guard::Refusal;
use crate::web::admin::kit::{Cell, Table, id};
use crate::web::view::{Badge, Choice, Field, Link, Pager, Tone, grouped, plural};
use crate::workflows::desk::order_number;
use crate::workflows::money::say;

/// How many answers a page shows.
pub const ROWS: i64 = 50;

/// The filter, as it stands in the address.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub struct Asked {
    stand: String,
    cursor: String,
}

impl Asked {
    /// Which answers are asked for; none: all.
    pub fn stand(&self) -> Option<Stand> {
        self.stand.parse().ok()
    }

    /// Where the list goes on.
    pub fn before(&self) -> Result<Option<NoticeId>, Refusal> {
        match self.cursor.as_str() {
            "" => Ok(None),
            cursor => id(cursor).map(Some),
        }
    }

    fn href(&self, batch: &str, cursor: &str) -> String {
        let mut parts = Vec::new();
        // An unknown word is no filter, and does not come back.
        let stand = self.stand().map_or("", Stand::as_str);
        for (name, value) in [("stand", stand), ("cursor", cursor)] {
            if !value.is_empty() {
                parts.push(format!("{name}={value}"));
            }
        }
        format!("{batch}/dates?{}#h-answers", parts.join("&"))
    }
}

/// Where an answer stands, as staff read it.
pub fn word(stand: Stand) -> Badge {
    let (tone, words) = match stand {
        Stand::Agreed => (Tone::Good, "Keeps waiting"),
        Stand::BySilence => (Tone::Live, "No answer, so agreed"),
        Stand::Refused => (Tone::Idle, "Cancelled"),
        Stand::Silent => (Tone::Wait, "No answer yet"),
        Stand::Undelivered => (Tone::Bad, "Not delivered"),
        Stand::OnItsWay => (Tone::Wait, "Mail on its way"),
        Stand::Left => (Tone::Idle, "Left without an answer"),
    };
    Badge::new(tone, words)
}

/// The filter.
pub fn filters(counts: &[(Stand, i64)], asked: &Asked) -> Vec<Field> {
    let all: i64 = counts.iter().map(|(_, n)| n).sum();
    let mut choices = vec![Choice::new("", format!("All ({})", grouped(all)))];
    for stand in Stand::ALL {
        let found = counts.iter().find(|(s, _)| s == stand);
        let n = found.map_or(0, |(_, n)| *n);
        choices.push(Choice::new(
            stand.as_str(),
            format!("{} ({})", word(*stand).text, grouped(n)),
        ));
    }
    vec![Field::select("stand", "Answer", choices).value(asked.stand().map_or("", Stand::as_str))]
}

/// The list.
pub fn table(rows: &[AnswerRow], zone: Tz) -> Table {
    let rows = rows.iter().map(|row| {
        let stand = row.stand.parse::<Stand>().ok();
        let badge = stand.map_or_else(|| Badge::state(&row.stand), word);
        vec![
            Cell::Document(Link::new(
                format!("/admin/orders/{}", row.order_id),
                order_number(row.number),
            )),
            Cell::text(&row.name),
            Cell::text(row.revised.map_or_else(|| "Not known".to_owned(), brief)),
            Cell::Badge(badge),
            Cell::text(when(row, stand, zone)),
            Cell::number(say(row.charged - row.back, &row.currency)),
        ]
    });
    Table::new(
        "Answers, the last one asked first",
        vec![
            ("Order", false),
            ("Shopper", false),
            ("Date named", false),
            ("Answer", false),
            ("When", false),
            ("With you", true),
        ],
        rows.collect(),
    )
}

/// When it was said, or until when it can be.
fn when(row: &AnswerRow, stand: Option<Stand>, zone: Tz) -> String {
    let on = |what: &str, at: Option<NaiveDateTime>| {
        at.map_or_else(String::new, |at| {
            format!("{what} {}", brief(day_of(at.and_utc(), zone)))
        })
    };
    let until = |what: &str| {
        let day = row.last_day;
        day.map_or_else(String::new, |day| format!("{what} {}", brief(day)))
    };
    match stand {
        Some(Stand::Agreed) => on("said", row.waited_at),
        Some(Stand::Refused) => on("said", row.cancelled_at),
        Some(Stand::BySilence) => until("waits to"),
        Some(Stand::Silent) => until("answers by"),
        Some(Stand::Undelivered) => "mail not taken".to_owned(),
        Some(Stand::OnItsWay) => String::new(),
        Some(Stand::Left) | None => on("asked", row.sent_at),
    }
}

/// What follows.
pub fn pager(rows: &[AnswerRow], asked: &Asked, batch: &str) -> Option<Pager> {
    let count = i64::try_from(rows.len()).unwrap_or(0);
    let next = rows
        .last()
        .filter(|_| count == ROWS)
        .map(|row| asked.href(batch, &row.id.to_string()));
    let later = !asked.cursor.is_empty();
    (next.is_some() || later).then(|| Pager {
        shown: plural(count, "order"),
        first: later.then(|| asked.href(batch, "")),
        next,
    })
}
