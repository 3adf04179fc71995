//! How mails say dates, amounts and lines.

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;

use crate::workflows::letters::{LetterLine, PurchaseLetterLine};

/// A moment in a campaign's zone: `Sunday 31 May 2026, 20:00 (Europe/Lisbon)`. A zone that is not known: UTC, and the
/// words say so.
pub fn moment(at: DateTime<Utc>, zone: &str) -> String {
    let zone = zone.parse().unwrap_or(Tz::UTC);
    let local = at.with_timezone(&zone);
    format!("{} ({})", local.format("%A %-d %B %Y, %H:%M"), zone.name())
}

/// The day of a moment in a campaign's zone, for subjects: `31 May 2026`.
pub fn day_of(at: DateTime<Utc>, zone: &str) -> String {
    let zone: Tz = zone.parse().unwrap_or(Tz::UTC);
    day(at.with_timezone(&zone).date_naive())
}

/// A date: `1 September 2026`.
pub fn day(date: NaiveDate) -> String {
    date.format("%-d %B %Y").to_string()
}

/// A text in one line, without control characters: what may stand in a header.
pub fn one_line(text: &str) -> String {
    text.split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// `1 unit`, `12 units`.
pub fn units(count: i64) -> String {
    match count {
        1 => "1 unit".to_owned(),
        n => format!("{n} units"),
    }
}

/// A row of what an order costs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// What it is.
    pub label: String,
    /// How much.
    pub amount: String,
    /// Whether it is a sum.
    pub sum: bool,
}

/// What an order costs, row by row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows(pub Vec<Row>);

impl Rows {
    /// The lines of an order, and what it costs to ship them.
    pub fn of(lines: &[LetterLine], shipping: Option<&str>) -> Self {
        let mut rows = Self::default();
        for line in lines {
            let label = format!("{} \u{d7} {}", line.quantity, one_line(&line.name));
            rows.add(label, &line.amount);
        }
        rows.add("Shipping", shipping.unwrap_or("free"));
        rows
    }

    /// One row more.
    pub fn add(&mut self, label: impl Into<String>, amount: &str) {
        self.push(label.into(), amount, false);
    }

    /// A sum.
    pub fn sum(&mut self, label: &str, amount: &str) {
        self.push(label.to_owned(), amount, true);
    }

    fn push(&mut self, label: String, amount: &str, sum: bool) {
        let amount = amount.to_owned();
        self.0.push(Row { label, amount, sum });
    }

    /// In plain text: labels to the left, amounts to the right.
    pub fn text(&self) -> String {
        let table = self.0.iter().map(|row| vec![&row.label, &row.amount]);
        columns(&table.collect::<Vec<_>>(), &[Side::Left, Side::Right])
    }
}

/// The lines of a purchase order in plain text.
pub fn purchase_text(lines: &[PurchaseLetterLine]) -> String {
    let head = ["Code", "Name", "Units", "Unit cost", "Cost"].map(str::to_owned);
    let mut table = vec![head.to_vec()];
    table.extend(lines.iter().map(|line| {
        vec![
            one_line(&line.sku),
            one_line(&line.name),
            line.units.to_string(),
            line.unit_cost.clone(),
            line.cost.clone(),
        ]
    }));
    use Side::{Left, Right};
    columns(&table, &[Left, Left, Right, Right, Right])
}

/// The lines of a purchase order as CSV. A text that a spreadsheet would take for a formula gets an apostrophe.
///
/// # Errors
/// What the CSV writer says; it writes to memory, so nothing is expected.
pub fn purchase_csv(lines: &[PurchaseLetterLine]) -> Result<String, String> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let wrong = |error: csv::Error| format!("the purchase order's CSV: {error}");
    writer
        .write_record(["sku", "name", "units", "unit_cost", "cost"])
        .map_err(wrong)?;
    for line in lines {
        writer
            .write_record([
                &no_formula(&line.sku),
                &no_formula(&line.name),
                &line.units.to_string(),
                &line.unit_cost,
                &line.cost,
            ])
            .map_err(wrong)?;
    }
    let bytes = writer.into_inner().map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

fn no_formula(text: &str) -> String {
    let text = one_line(text);
    if text.starts_with(['=', '+', '-', '@']) {
        format!("'{text}")
    } else {
        text
    }
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

/// A table in plain text, its columns as wide as their widest cell and two blanks apart.
fn columns<T: AsRef<str>>(table: &[Vec<T>], sides: &[Side]) -> String {
    let width = |column: usize| {
        let cells = table.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.as_ref().chars().count()).max()
    };
    let widths: Vec<usize> = (0..sides.len()).map(|c| width(c).unwrap_or(0)).collect();
    let line = |row: &Vec<T>| {
        let cells = row.iter().zip(sides).zip(&widths);
        let padded = cells.map(|((cell, side), width)| match side {
            Side::Left => format!("{:<width$}", cell.as_ref()),
            Side::Right => format!("{:>width$}", cell.as_ref()),
        });
        let line = padded.collect::<Vec<_>>().join("  ");
        line.trim_end().to_owned()
    };
    table.iter().map(line).collect::<Vec<_>>().join("\n")
}
