//! The price steps: a stair that falls to the right, every dot a unit.

use askama::Template;
use askama::filters::HtmlSafe;

use super::time::{grouped, plural};

/// One price step.
#[derive(Clone, Debug)]
pub struct StepRow {
    /// Units from which it holds; the first is 1.
    pub from: i64,
    /// The option's price at it: "$90.00".
    pub price: String,
}

impl StepRow {
    /// A step.
    pub fn new(from: i64, price: impl Into<String>) -> Self {
        Self {
            from,
            price: price.into(),
        }
    }
}

/// What the figure can say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepsPhase {
    /// Not yet open.
    Scheduled,
    /// Orders are taken: how far the next step is.
    Open,
    /// Joining has ended and the step is not judged yet.
    Counting,
    /// Judged: what everybody pays.
    Settled,
    /// The campaign failed: nobody pays.
    Failed,
}

/// The figure. `current` is the furthest step reached by the units committed so far, or the step judged
/// (domain section 3).
#[derive(Clone, Debug, Template)]
#[template(path = "part/steps.html")]
pub struct Steps {
    /// Rising by count.
    pub rows: Vec<StepRow>,
    /// Index of the step reached.
    pub current: usize,
    /// Units ordered (committed), or the units judged.
    pub units: i64,
    /// Units that count for each step, where some orders wait for one; empty where all count for each.
    pub counted: Vec<i64>,
    /// The option whose prices these are, where there are several.
    pub option: Option<String>,
    /// What is said about it.
    pub phase: StepsPhase,
}

impl HtmlSafe for Steps {}

/// One field of the figure, ready to be drawn.
#[derive(Clone, Debug)]
pub struct StepField {
    /// Class: past, now, next, or none.
    pub class: &'static str,
    /// "$90.00".
    pub price: String,
    /// "Price now", "12 to go".
    pub tag: String,
    /// "from 50".
    pub from: String,
    /// At most five rectangles filled with a pattern of dots.
    pub rects: Vec<DotRect>,
}

/// A rectangle of dots: place and size in units of the 100 x 50 field, and its pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DotRect {
    /// Left edge.
    pub x: i64,
    /// Upper edge.
    pub y: i64,
    /// Width.
    pub w: i64,
    /// Height.
    pub h: i64,
    /// `on`, `next` or `off`.
    pub dots: &'static str,
}

/// Dots a field holds: ten columns of five.
const FIELD: i64 = 50;

impl Steps {
    /// Units that one dot stands for: 1 until a field would need more than 50 dots, then the next round number.
    pub fn units_per_dot(&self) -> i64 {
        let largest = (0..self.rows.len())
            .map(|i| self.span(i))
            .max()
            .unwrap_or(FIELD);
        let mut scale = 1_i64;
        loop {
            for factor in [1, 2, 5] {
                let n = scale.saturating_mul(factor);
                if n.saturating_mul(FIELD) >= largest {
                    return n;
                }
            }
            scale = scale.saturating_mul(10);
        }
    }

    /// The fields from left to right.
    pub fn fields(&self) -> Vec<StepField> {
        let n = self.units_per_dot();
        (0..self.rows.len()).map(|i| self.field(i, n)).collect()
    }

    /// Whether the fields need so much room that a narrow place shows them as a list.
    pub fn tight(&self) -> bool {
        let widest = self.rows.iter().map(|r| r.price.chars().count()).max();
        self.rows.len() * (widest.unwrap_or(0) * 10 + 19) > 288
    }

    /// The sentence under the figure.
    pub fn headline(&self) -> String {
        let price = |i: usize| self.rows.get(i).map_or("", |r| r.price.as_str());
        match (self.phase, self.missing()) {
            (StepsPhase::Open, Some(n)) => format!(
                "{} more and everybody pays {}.",
                grouped(n),
                price(self.current + 1)
            ),
            (StepsPhase::Open, None) if self.rows.len() == 1 => {
                format!("Everybody pays {}.", price(self.current))
            }
            (StepsPhase::Open, None) => "The lowest price is reached.".to_owned(),
            (StepsPhase::Scheduled, _) => format!("It starts at {}.", price(0)),
            (StepsPhase::Counting, _) => {
                "Joining has ended, the price is being settled.".to_owned()
            }
            (StepsPhase::Settled, _) => format!("Everybody pays {}.", price(self.current)),
            (StepsPhase::Failed, _) => "Nobody pays: it did not come together.".to_owned(),
        }
    }

    /// The small print under the sentence.
    pub fn small_print(&self) -> String {
        let mut out = Vec::new();
        if self.phase != StepsPhase::Scheduled {
            out.push(format!("{} ordered.", plural(self.units, "unit")));
        }
        if matches!(self.phase, StepsPhase::Open | StepsPhase::Counting) {
            out.extend(self.waiting());
        }
        if self.phase == StepsPhase::Open
            && let Some(now) = self.rows.get(self.current)
        {
            let lower = if self.missing().is_some() {
                ", whatever happens next"
            } else {
                ""
            };
            out.push(format!(
                "You join at {} and never pay more than that{lower}.",
                now.price
            ));
        }
        if let Some(option) = &self.option {
            out.push(format!(
                "Shown for {option}; the other prices fall at the same counts."
            ));
        }
        out.join(" ")
    }

    /// What a dot stands for; goes where the dots go.
    pub fn dot_words(&self) -> String {
        match self.units_per_dot() {
            1 => "Every dot is one unit.".to_owned(),
            n => format!("Every dot is {} units.", grouped(n)),
        }
    }

    /// Units missing to the next step.
    fn missing(&self) -> Option<i64> {
        let next = self.rows.get(self.current + 1)?;
        Some((next.from - self.units_for(self.current + 1)).max(1))
    }

    /// Units that count for step `i`: those of all orders, but for those that wait for a later one.
    fn units_for(&self, i: usize) -> i64 {
        self.counted.get(i).copied().unwrap_or(self.units)
    }

    /// What waits for a step that is not reached, a sentence each: "9 units wait for the price from 20."
    fn waiting(&self) -> Vec<String> {
        (self.current + 1..self.rows.len())
            .filter_map(|i| {
                let units = self.units_for(i) - self.units_for(i - 1);
                let wait = if units == 1 { "waits" } else { "wait" };
                (units > 0).then(|| {
                    format!(
                        "{} {wait} for the price from {}.",
                        plural(units, "unit"),
                        grouped(self.rows[i].from)
                    )
                })
            })
            .collect()
    }

    /// Units below which field `i` begins: the first takes the unit that step 1 counts, too.
    fn floor(&self, i: usize) -> i64 {
        if i == 0 { 0 } else { self.rows[i].from }
    }

    /// Units that field `i` stands for. The last one is open; it is as wide as the widest other, or what it holds.
    fn span(&self, i: usize) -> i64 {
        if let Some(next) = self.rows.get(i + 1) {
            return (next.from - self.floor(i)).max(1);
        }
        let widest = (0..i).map(|j| self.span(j)).max().unwrap_or(FIELD);
        widest.max(self.units - self.floor(i)).max(1)
    }

    fn field(&self, i: usize, n: i64) -> StepField {
        let row = &self.rows[i];
        let dots = ((self.span(i) + n - 1) / n).min(FIELD);
        let units = self.units_for(i.max(self.current));
        let on = ((units - self.floor(i)).max(0) / n).min(dots);
        let open = matches!(self.phase, StepsPhase::Open);
        let to_go = format!("{} to go", grouped((row.from - units).max(1)));
        let (class, tag) = match (self.phase, i) {
            (StepsPhase::Failed, _) => ("", String::new()),
            (StepsPhase::Scheduled, 0) => ("now", "First price".to_owned()),
            (StepsPhase::Scheduled, _) => ("", String::new()),
            (StepsPhase::Settled, i) if i == self.current => ("now", "Settled".to_owned()),
            (StepsPhase::Open, i) if i == self.current => ("now", "Price now".to_owned()),
            (_, i) if i == self.current => ("now", "Reached".to_owned()),
            (_, i) if i < self.current => ("past", "Reached".to_owned()),
            (StepsPhase::Open, i) if i == self.current + 1 => ("next", to_go),
            (StepsPhase::Open, _) => ("", to_go),
            _ => ("", "Not reached".to_owned()),
        };
        let awaited = open && i == self.current && self.missing().is_some();
        let mut rects = dot_rects(0, on, "on");
        rects.extend(dot_rects(on, dots, if awaited { "next" } else { "off" }));
        StepField {
            class,
            price: row.price.clone(),
            tag,
            from: format!("from {}", grouped(row.from)),
            rects,
        }
    }
}

/// Dots `from..to`, counted down the columns of five, as at most three rectangles.
fn dot_rects(from: i64, to: i64, dots: &'static str) -> Vec<DotRect> {
    let mut out = Vec::new();
    let mut at = from;
    while at < to {
        let (column, row) = (at / 5, at % 5);
        let (columns, rows) = if row == 0 && to - at >= 5 {
            ((to - at) / 5, 5)
        } else {
            (1, (5 - row).min(to - at))
        };
        out.push(DotRect {
            x: column * 10,
            y: row * 10,
            w: columns * 10,
            h: rows * 10,
            dots,
        });
        at += if rows == 5 { columns * 5 } else { rows };
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three(units: i64, current: usize) -> Steps {
        Steps {
            rows: vec![
                StepRow::new(1, "$100.00"),
                StepRow::new(50, "$90.00"),
                StepRow::new(100, "$80.00"),
            ],
            current,
            units,
            counted: Vec::new(),
            option: None,
            phase: StepsPhase::Open,
        }
    }

    fn dots(field: &StepField, kind: &str) -> i64 {
        let area = |r: &DotRect| r.w * r.h / 100;
        field
            .rects
            .iter()
            .filter(|r| r.dots == kind)
            .map(area)
            .sum()
    }

    #[test]
    fn each_unit_is_a_dot_and_the_missing_ones_are_saffron() {
        let fields = three(88, 1).fields();
        assert_eq!(dots(&fields[0], "on"), 50);
        assert_eq!((dots(&fields[1], "on"), dots(&fields[1], "next")), (38, 12));
        assert_eq!(dots(&fields[2], "off"), 50);
        assert!(fields.iter().all(|f| f.rects.len() <= 5));
        assert_eq!(fields[2].tag, "12 to go");
        assert_eq!(
            three(88, 1).headline(),
            "12 more and everybody pays $80.00."
        );
    }

    #[test]
    fn over_fifty_units_a_dot_stands_for_more_and_the_text_says_so() {
        let steps = Steps {
            rows: vec![StepRow::new(1, "$9.00"), StepRow::new(400, "$8.00")],
            current: 0,
            units: 123,
            counted: Vec::new(),
            option: None,
            phase: StepsPhase::Open,
        };
        assert_eq!(steps.units_per_dot(), 10);
        let fields = steps.fields();
        assert_eq!((dots(&fields[0], "on"), dots(&fields[0], "next")), (12, 28));
        assert_eq!(steps.dot_words(), "Every dot is 10 units.");
    }

    #[test]
    fn any_count_draws_at_most_five_rectangles_and_never_too_many_dots() {
        for units in 0..260 {
            let current = usize::from(units >= 50) + usize::from(units >= 100);
            for field in three(units, current).fields() {
                assert!(field.rects.len() <= 5, "{units}: {:?}", field.rects);
                let all: i64 = ["on", "next", "off"].iter().map(|k| dots(&field, k)).sum();
                assert!(all <= 50);
            }
        }
    }

    #[test]
    fn units_that_wait_for_a_step_count_for_it_alone() {
        let steps = Steps {
            rows: vec![
                StepRow::new(1, "$100.00"),
                StepRow::new(10, "$90.00"),
                StepRow::new(20, "$80.00"),
            ],
            counted: vec![8, 12, 19],
            current: 1,
            units: 19,
            option: None,
            phase: StepsPhase::Open,
        };
        assert_eq!(steps.headline(), "1 more and everybody pays $80.00.");
        let small = steps.small_print();
        assert!(
            small.contains("7 units wait for the price from 20."),
            "{small}"
        );
    }

    #[test]
    fn the_lowest_step_and_a_settled_price_are_said_plainly() {
        assert_eq!(three(140, 2).headline(), "The lowest price is reached.");
        let mut settled = three(140, 2);
        settled.phase = StepsPhase::Settled;
        assert_eq!(settled.headline(), "Everybody pays $80.00.");
    }
}
