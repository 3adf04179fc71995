//! The interest check (domain section 2): what shoppers say they would buy, up to what price, and what that means for
//! the steps a merchant plans. Nothing here is charged or promised; it is arithmetic over what was said.

use std::collections::BTreeMap;

use super::money::MoneyError;
use super::price::{PriceTable, Steps, Threshold};
use super::words::words;

/// The most units of one option in one answer.
pub const MOST_UNITS: i64 = 10_000;

words! {
    /// Where an idea for what to run next stands.
    IdeaState {
        /// Shown, and voted for.
        Open = "open",
        /// Shown to staff only.
        Hidden = "hidden",
        /// Shown, and not voted for any more.
        Ended = "ended",
        /// A campaign came of it.
        Running = "running",
    }
}

/// Units of an option that are wanted up to a price: one line of an answer, or the sum of many with the same price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The option's code.
    pub sku: String,
    /// The most a unit may cost, in minor units.
    pub up_to: i64,
    /// How many.
    pub units: i64,
}

/// A price, and the units wanted at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Point {
    /// In minor units.
    pub price: i64,
    /// Units of those ready to pay at least that.
    pub units: i64,
}

/// Units by price: prices rise, units fall. A price between two points has the units of the next higher one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Curve(Vec<Point>);

impl Curve {
    /// The curve of what is wanted, as pairs of the highest price and units.
    pub fn of(wanted: impl IntoIterator<Item = (i64, i64)>) -> Self {
        let mut by_price: BTreeMap<i64, i64> = BTreeMap::new();
        for (up_to, units) in wanted {
            let sum = by_price.entry(up_to).or_default();
            *sum = sum.saturating_add(units);
        }
        let mut points = Vec::with_capacity(by_price.len());
        let mut units = 0_i64;
        for (price, more) in by_price.into_iter().rev() {
            units = units.saturating_add(more);
            points.push(Point { price, units });
        }
        points.reverse();
        Self(points)
    }

    /// Every price somebody named, rising.
    pub fn points(&self) -> &[Point] {
        &self.0
    }

    /// Units of those ready to pay at least `price`.
    pub fn units_at(&self, price: i64) -> i64 {
        let next = self.0.partition_point(|point| point.price < price);
        self.0.get(next).map_or(0, |point| point.units)
    }

    /// All units wanted, at whatever price.
    pub fn units(&self) -> i64 {
        self.0.first().map_or(0, |point| point.units)
    }

    /// The price at which the goods are worth most, and that worth. Of several the lowest price: more people have it.
    pub fn best(&self) -> Option<(i64, i64)> {
        let worth = |p: &Point| Some((p.price, p.price.checked_mul(p.units)?));
        let all = self.0.iter().filter_map(worth);
        all.reduce(|best, next| if next.1 > best.1 { next } else { best })
    }

    /// At most so many of its points, the first and the last among them: for tables and pictures.
    pub fn thinned(&self, most: usize) -> Vec<Point> {
        let count = self.0.len();
        if count <= most || most < 2 {
            return self.0.clone();
        }
        (0..most)
            .map(|i| self.0[i * (count - 1) / (most - 1)])
            .collect()
    }
}

/// What is wanted at the prices of one step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepDemand {
    /// From how many units the step holds.
    pub from: i64,
    /// Units wanted of each option at its price there, in the order of the options.
    pub by_option: Vec<i64>,
    /// Their sum.
    pub units: i64,
    /// Whether they come to the step's count.
    pub reached: bool,
    /// What they are worth at these prices, in minor units.
    pub value: i64,
    /// Whether the threshold is met by them.
    pub enough: bool,
}

/// Everything that was said, against what is planned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Units by price, over all options.
    pub all: Curve,
    /// The same for each option, in the order of the options.
    pub options: Vec<Curve>,
    /// Each step.
    pub steps: Vec<StepDemand>,
}

impl Demand {
    /// Reckons up what is wanted against steps, prices and threshold. What is wanted of an option that is not offered
    /// any more is left out.
    ///
    /// # Errors
    /// When goods are worth more than 64 bits hold.
    pub fn of(
        wanted: &[Wanted],
        steps: &Steps,
        offered: &[(&str, &PriceTable)],
        threshold: Threshold,
    ) -> Result<Self, MoneyError> {
        let of_option = |sku: &str| {
            let mine = wanted.iter().filter(move |w| w.sku == sku);
            mine.map(|w| (w.up_to, w.units)).collect::<Vec<_>>()
        };
        let lists: Vec<Vec<(i64, i64)>> = offered.iter().map(|(sku, _)| of_option(sku)).collect();
        let options: Vec<Curve> = lists.iter().map(|l| Curve::of(l.iter().copied())).collect();
        let mut of_steps = Vec::with_capacity(steps.len());
        for (i, from) in steps.counts().iter().enumerate() {
            let mut step = StepDemand {
                from: *from,
                by_option: Vec::with_capacity(options.len()),
                units: 0,
                reached: false,
                value: 0,
                enough: false,
            };
            for (curve, (_, prices)) in options.iter().zip(offered) {
                let price = prices.price_at(i);
                let units = curve.units_at(price);
                let value = price.checked_mul(units).ok_or(MoneyError::Overflow)?;
                step.by_option.push(units);
                step.units = step.units.checked_add(units).ok_or(MoneyError::Overflow)?;
                step.value = step.value.checked_add(value).ok_or(MoneyError::Overflow)?;
            }
            step.reached = step.units >= *from;
            step.enough = match threshold {
                Threshold::Units(target) => step.units >= target,
                Threshold::Amount(target) => step.value >= target,
            };
            of_steps.push(step);
        }
        Ok(Self {
            all: Curve::of(lists.into_iter().flatten()),
            options,
            steps: of_steps,
        })
    }

    /// The furthest step whose count the units wanted at its prices come to.
    pub fn furthest(&self) -> Option<usize> {
        self.steps.iter().rposition(|step| step.reached)
    }

    /// The step to which orders come by themselves when everybody joins as soon as the price shown is low enough: no
    /// step before it keeps them from its successor. Further ones need people who join although it is still dearer.
    pub fn by_itself(&self) -> Option<usize> {
        let mut step = 0;
        if !self.steps.first()?.reached {
            return None;
        }
        while self
            .steps
            .get(step + 1)
            .is_some_and(|next| self.steps[step].units >= next.from)
        {
            step += 1;
        }
        Some(step)
    }
}

#[cfg(test)]
#[path = "tests/interest.rs"]
mod tests;
