//! The dates of a batch as its pages list them: who set which, why, and what became of it.

use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;

use super::kit::{Cell, Table};
use crate::domain::purchase_order::EtaState;
use crate::store::etas::EtaRow;
use crate::web::view::{Day, state_word};
use crate::workflows::money::say;

/// A day in words.
pub fn day(day: Option<NaiveDate>) -> String {
    day.map_or_else(|| "Not known".to_owned(), |day| Day(day).text())
}

/// A day in few letters, for tables: "5 Jun 2027".
pub fn brief(day: NaiveDate) -> String {
    day.format("%-d\u{a0}%b\u{a0}%Y").to_string()
}

fn brief_or(day: Option<NaiveDate>) -> String {
    day.map_or_else(|| "Not known".to_owned(), brief)
}

/// A moment in few letters; it may break between its words.
fn at(at: NaiveDateTime, zone: Tz) -> String {
    let local = at.and_utc().with_timezone(&zone);
    local.format("%-d %b %Y, %H:%M").to_string()
}

/// What somebody wrote, as a sentence before another.
pub fn sentence(text: &str) -> String {
    if text.is_empty() || text.ends_with(['.', '!', '?']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}

/// What would go back of some orders: of those that are partly shipped only a part does.
pub fn amount_of((kept, partly_shipped): (i64, i64), currency: &str) -> String {
    let amount = say(kept, currency);
    if partly_shipped > 0 {
        format!("at most {amount}")
    } else {
        amount
    }
}

/// Every date of a batch, the last first, with what it replaced. With `told`, a column says whom each one reached.
pub fn table(dates: &[EtaRow], zone: Tz, told: Option<&dyn Fn(&EtaRow) -> String>) -> Table {
    let mut head = vec![
        ("Set", false),
        ("By", false),
        ("Arrives", false),
        ("Parcels go out", false),
        ("Why", false),
        ("State", false),
    ];
    head.extend(told.map(|_| ("Shoppers", false)));
    let rows = dates.iter().enumerate().rev().map(|(index, date)| {
        let before = index.checked_sub(1).map(|index| &dates[index]);
        let mut row = vec![
            Cell::text(at(date.set_at, zone)),
            Cell::text(&date.set_by),
            Cell::text(moved(before.map(|b| b.arrives), date.arrives)),
            Cell::text(moved(before.map(|b| b.ship_date), date.ship_date)),
            Cell::text(&date.reason),
            Cell::text(state(date, zone)),
        ];
        row.extend(told.map(|told| Cell::text(told(date))));
        row
    });
    Table::new("Every date", head, rows.collect())
}

fn moved(old: Option<Option<NaiveDate>>, new: Option<NaiveDate>) -> String {
    match old {
        Some(old) if old != new => format!("{} \u{2192} {}", brief_or(old), brief_or(new)),
        _ => brief_or(new),
    }
}

fn state(date: &EtaRow, zone: Tz) -> String {
    match (date.state, &date.passed_on_by, date.passed_on_at) {
        (EtaState::PassedOn, Some(by), Some(on)) if *by == date.set_by && on == date.set_at => {
            "Passed on at once".to_owned()
        }
        (EtaState::PassedOn, Some(by), Some(on)) => {
            format!("Passed on by {by}, {}", at(on, zone))
        }
        (EtaState::Withheld, Some(by), _) => format!("Kept back by {by}"),
        (state, ..) => state_word(state.as_str()),
    }
}
