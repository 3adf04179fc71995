//! Units by price as a picture: drawn by the server, with classes only, and a text that says the same.

use askama::Template;
use askama::filters::HtmlSafe;

use super::grouped;
use crate::domain::currency::Currency;
use crate::domain::interest::Curve;
use crate::domain::money::Money;

/// A price that is planned, drawn into the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    /// In minor units.
    pub price: i64,
    /// The units its step needs, where the curve is over all of them.
    pub needed: Option<i64>,
    /// Whether the units wanted at that price come to it.
    pub reached: bool,
}

/// A label of an axis: its place and its words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tick {
    /// Place along the axis.
    pub at: i64,
    /// What it says.
    pub text: String,
}

/// A planned price in the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Place from the left.
    pub x: i64,
    /// Place from the top; none where no count is drawn.
    pub y: Option<i64>,
    /// The count in words.
    pub text: String,
    /// `good` where it is reached, else `wait`.
    pub class: &'static str,
}

/// The picture.
#[derive(Clone, Debug, Template)]
#[template(path = "part/demand.html")]
pub struct DemandChart {
    /// Makes its ids unique on the page.
    pub key: String,
    /// What it shows: "Full set", "All options".
    pub title: String,
    /// What is seen, in a sentence.
    pub words: String,
    line: String,
    area: String,
    x_ticks: Vec<Tick>,
    y_ticks: Vec<Tick>,
    marks: Vec<Mark>,
}

impl HtmlSafe for DemandChart {}

/// Edges of the plot inside the picture of 400 by 220.
const LEFT: i64 = 44;
const RIGHT: i64 = 388;
const TOP: i64 = 16;
const BOTTOM: i64 = 184;
/// More points than the picture has room for.
const MOST_POINTS: usize = 172;

impl DemandChart {
    /// Draws a curve with the prices that are planned. None where nobody wants anything.
    pub fn new(
        key: &str,
        title: &str,
        curve: &Curve,
        planned: &[Planned],
        currency: Currency,
    ) -> Option<Self> {
        let points = curve.thinned(MOST_POINTS);
        let (first, last) = (points.first()?, points.last()?);
        let prices = || planned.iter().map(|p| p.price);
        let least = prices().fold(first.price, i64::min);
        let most = prices().fold(last.price, i64::max);
        let room = ((most - least) / 10).max(most / 20).max(1);
        let (low, high) = ((least - room).max(0), most.saturating_add(room));
        let counts = planned.iter().filter_map(|p| p.needed);
        let highest = counts.fold(curve.units(), i64::max);
        let y_step = nice(highest.max(1), 4);
        let top = (highest.max(1)).div_ceil_to(y_step);
        let x = |price: i64| scale(price, (low, high), (LEFT, RIGHT));
        let y = |units: i64| scale(units, (0, top), (BOTTOM, TOP));
        let mut line = format!("M{} {}", x(low), y(first.units));
        for (i, point) in points.iter().enumerate() {
            let next = points.get(i + 1).map_or(0, |p| p.units);
            line.push_str(&format!("H{}V{}", x(point.price), y(next)));
        }
        line.push_str(&format!("H{}", x(high)));
        let area = format!("{line}V{BOTTOM}H{LEFT}Z");
        let x_step = nice(high - low, 4);
        let from = low.div_ceil_to(x_step);
        let say = |amount: i64| Money::new(amount, currency).format();
        Some(Self {
            key: key.to_owned(),
            title: title.to_owned(),
            words: format!(
                "{} wanted at {} or less, {} at {}.",
                units(first.units),
                say(first.price),
                units(last.units),
                say(last.price)
            ),
            line,
            area,
            x_ticks: (0..8)
                .map(|i| from + i * x_step)
                .take_while(|price| *price <= high)
                .map(|price| Tick {
                    at: x(price),
                    text: say(price),
                })
                .collect(),
            y_ticks: (0..=6)
                .map(|i| i * y_step)
                .take_while(|count| *count <= top)
                .map(|count| Tick {
                    at: y(count),
                    text: grouped(count),
                })
                .collect(),
            marks: planned
                .iter()
                .map(|p| Mark {
                    x: x(p.price),
                    y: p.needed.map(y),
                    text: p.needed.map_or_else(String::new, grouped),
                    class: if p.reached { "good" } else { "wait" },
                })
                .collect(),
        })
    }
}

fn units(count: i64) -> String {
    match count {
        1 => "1 unit is".to_owned(),
        n => format!("{} units are", grouped(n)),
    }
}

/// A value's place: linear, in whole units of the picture.
fn scale(value: i64, (from, to): (i64, i64), (a, b): (i64, i64)) -> i64 {
    let span = i128::from((to - from).max(1));
    let place = i128::from(value - from) * i128::from(b - a) / span;
    a + i64::try_from(place).unwrap_or(0)
}

/// A round step with which at most so many lie in a span: 1, 2 or 5 times a power of ten.
fn nice(span: i64, parts: i64) -> i64 {
    let least = span.div_euclid(parts).max(1);
    let mut power = 1_i64;
    loop {
        for factor in [1, 2, 5] {
            let step = power.saturating_mul(factor);
            if step >= least {
                return step;
            }
        }
        power = power.saturating_mul(10);
    }
}

trait DivCeilTo {
    /// The next multiple of a step.
    fn div_ceil_to(self, step: i64) -> i64;
}

impl DivCeilTo for i64 {
    fn div_ceil_to(self, step: i64) -> i64 {
        self.saturating_add(step - 1) / step * step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_keeps_within_its_edges() {
        let usd = Currency::parse("usd").unwrap();
        let curve = Curve::of([(7500, 4), (9000, 10), (12_000, 1)]);
        let planned = [
            Planned {
                price: 9000,
                needed: Some(10),
                reached: true,
            },
            Planned {
                price: 8000,
                needed: Some(50),
                reached: false,
            },
        ];
        let chart = DemandChart::new("all", "All", &curve, &planned, usd).unwrap();
        for mark in &chart.marks {
            assert!((LEFT..=RIGHT).contains(&mark.x));
            assert!((TOP..=BOTTOM).contains(&mark.y.unwrap()));
        }
        assert!(chart.line.starts_with("M44 "), "{}", chart.line);
        assert!(chart.x_ticks.len() > 1 && chart.y_ticks.len() > 1);
        assert_eq!(
            chart.words,
            "15 units are wanted at $75.00 or less, 1 unit is at $120.00."
        );
        assert!(DemandChart::new("none", "None", &Curve::default(), &planned, usd).is_none());
    }

    #[test]
    fn steps_of_an_axis_are_round() {
        assert_eq!((nice(100, 4), nice(1, 4), nice(9, 4)), (50, 1, 2));
        assert_eq!(7_i64.div_ceil_to(5), 10);
    }
}
