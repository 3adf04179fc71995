//! Steps, prices and the arithmetic of the judgement (domain section 3).
//!
//! Steps are unit counts; an option has a price at each. The furthest step whose count is reached is the current one.
//! A shopper is shown, and charged, the price at the step reached without his own order; everybody finally pays the
//! price of the step judged, never more than what was shown. How a batch is judged is in [`super::outcome`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::country::Country;
use super::currency::Currency;
use super::ids::OptionId;
use super::money::MoneyError;
use super::tariff::{QuoteLine, Tariff, TariffError, quote};

/// At most so many steps.
pub const MAX_STEPS: usize = 20;
/// No step and no order goes beyond so many units.
pub const MAX_UNITS: i64 = 1_000_000;

/// The unit counts at which the price changes: rising, the first is 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<i64>", into = "Vec<i64>")]
pub struct Steps(Vec<i64>);

/// Why a list is not a list of steps; the text says what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepsError {
    /// None, or more than [`MAX_STEPS`].
    #[error("give 1 to 20 steps")]
    Number,
    /// The first count is not 1.
    #[error("the first step is always 1: the price for the first unit")]
    First,
    /// A count is not above the one before it.
    #[error("each step must be a larger number of units than the one before it")]
    NotRising {
        /// Index of the offending count.
        at: usize,
    },
    /// A count is above [`MAX_UNITS`].
    #[error("a step can be 1000000 units at most")]
    TooLarge {
        /// Index of the offending count.
        at: usize,
    },
}

impl StepsError {
    /// The index of the count that is wrong; `None` where the list as a whole is.
    pub fn index(self) -> Option<usize> {
        match self {
            StepsError::Number => None,
            StepsError::First => Some(0),
            StepsError::NotRising { at } | StepsError::TooLarge { at } => Some(at),
        }
    }
}

impl TryFrom<Vec<i64>> for Steps {
    type Error = StepsError;

    fn try_from(counts: Vec<i64>) -> Result<Self, Self::Error> {
        if counts.is_empty() || counts.len() > MAX_STEPS {
            return Err(StepsError::Number);
        }
        if counts[0] != 1 {
            return Err(StepsError::First);
        }
        if let Some(before) = counts.windows(2).position(|pair| pair[1] <= pair[0]) {
            return Err(StepsError::NotRising { at: before + 1 });
        }
        if let Some(at) = counts.iter().position(|count| *count > MAX_UNITS) {
            return Err(StepsError::TooLarge { at });
        }
        Ok(Steps(counts))
    }
}

impl From<Steps> for Vec<i64> {
    fn from(steps: Steps) -> Self {
        steps.0
    }
}

impl Steps {
    /// The unit counts, the first is 1.
    pub fn counts(&self) -> &[i64] {
        &self.0
    }

    /// How many steps there are: at least one.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The furthest step that so many units reach, as an index; the first if none.
    pub fn reached(&self, units: i64) -> usize {
        self.0
            .partition_point(|count| *count <= units)
            .saturating_sub(1)
    }

    /// The step after the current one and how many units are missing to it; `None` at the last.
    pub fn next(&self, units: i64) -> Option<(usize, i64)> {
        let next = self.reached(units) + 1;
        self.0
            .get(next)
            .map(|count| (next, count.saturating_sub(units)))
    }
}

/// The index of the furthest step that `committed_units` reach; the first if none (domain section 3).
pub fn step_reached(steps: &Steps, committed_units: i64) -> usize {
    steps.reached(committed_units)
}

/// The index of the step whose price a shopper is shown and charged: the one reached by everybody else's committed
/// units, without his own order (domain section 3).
pub fn shown_step(steps: &Steps, committed_by_others: i64) -> usize {
    steps.reached(committed_by_others)
}

/// An option's price at each step, minor units: above nought, never rising.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Vec<i64>", into = "Vec<i64>")]
pub struct PriceTable(Vec<i64>);

/// Why a list is not a list of prices; the text says what to write instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceTableError {
    /// Not one price for each step.
    #[error("give one price for each of the {steps} steps")]
    Number {
        /// How many are wanted.
        steps: usize,
    },
    /// A price is nought or less.
    #[error("a price must be above 0")]
    NotPositive {
        /// Index of the offending price.
        at: usize,
    },
    /// A price is above the one before it.
    #[error("a price cannot be higher than at the step before it")]
    Rising {
        /// Index of the offending price.
        at: usize,
    },
    /// A price cannot be charged in this currency.
    #[error("in this currency a price must be a multiple of {granularity} minor units")]
    NotGranular {
        /// Index of the offending price.
        at: usize,
        /// What it must be a multiple of.
        granularity: i64,
    },
}

impl PriceTableError {
    /// The index of the price that is wrong; `None` where the list as a whole is.
    pub fn index(self) -> Option<usize> {
        match self {
            PriceTableError::Number { .. } => None,
            PriceTableError::NotPositive { at }
            | PriceTableError::Rising { at }
            | PriceTableError::NotGranular { at, .. } => Some(at),
        }
    }
}

impl TryFrom<Vec<i64>> for PriceTable {
    type Error = PriceTableError;

    fn try_from(prices: Vec<i64>) -> Result<Self, Self::Error> {
        if prices.is_empty() || prices.len() > MAX_STEPS {
            return Err(PriceTableError::Number {
                steps: prices.len().clamp(1, MAX_STEPS),
            });
        }
        if let Some(at) = prices.iter().position(|price| *price <= 0) {
            return Err(PriceTableError::NotPositive { at });
        }
        if let Some(before) = prices.windows(2).position(|pair| pair[1] > pair[0]) {
            return Err(PriceTableError::Rising { at: before + 1 });
        }
        Ok(PriceTable(prices))
    }
}

impl From<PriceTable> for Vec<i64> {
    fn from(table: PriceTable) -> Self {
        table.0
    }
}

impl PriceTable {
    /// One price for each step, each chargeable in `currency` as far as the granularity goes.
    pub fn new(
        prices: Vec<i64>,
        steps: &Steps,
        currency: Currency,
    ) -> Result<PriceTable, PriceTableError> {
        if prices.len() != steps.len() {
            return Err(PriceTableError::Number { steps: steps.len() });
        }
        if let Some(at) = prices
            .iter()
            .position(|price| !currency.is_granular(*price))
        {
            let granularity = currency.granularity();
            return Err(PriceTableError::NotGranular { at, granularity });
        }
        PriceTable::try_from(prices)
    }

    /// The prices, minor units, in the order of the steps.
    pub fn prices(&self) -> &[i64] {
        &self.0
    }

    /// The price at the step with index `step`, minor units; beyond the last step the last price.
    pub fn price_at(&self, step: usize) -> i64 {
        let at = step.min(self.0.len() - 1);
        self.0[at]
    }
}

/// The furthest step reached by units with limits, as an index; the first if none. `by_limit` holds the units of the
/// orders that join only if a step is reached, by that step's index; those without a limit are under the first. A step
/// is reached when the units of all orders whose limit is that step or an earlier one come to its count (domain
/// section 3).
pub fn reached_by_limits(steps: &Steps, by_limit: &[i64]) -> usize {
    let mut sum = 0i64;
    let mut furthest = 0;
    for (step, count) in steps.counts().iter().enumerate() {
        sum = sum.saturating_add(by_limit.get(step).copied().unwrap_or(0));
        if sum >= *count {
            furthest = step;
        }
    }
    furthest
}

/// The step after the furthest one reached and how many units are missing to it, limits respected; `None` at the last.
pub fn next_by_limits(steps: &Steps, by_limit: &[i64]) -> Option<(usize, i64)> {
    let next = reached_by_limits(steps, by_limit) + 1;
    let counted = by_limit.iter().take(next + 1).sum::<i64>();
    let count = steps.counts().get(next)?;
    Some((next, count.saturating_sub(counted)))
}

/// The index of the step whose price a shopper with a limit is shown: the later of the limit and the step reached by
/// everybody else (domain section 3).
pub fn shown_step_with_limit(steps: &Steps, others_by_limit: &[i64], limit: usize) -> usize {
    let last = steps.len() - 1;
    reached_by_limits(steps, others_by_limit).max(limit.min(last))
}

/// The deposit on a total, minor units: so many percent of it, rounded half up to the currency's granularity, at least what
/// cards can be charged. Where the rest would be less than that, all of it is paid at once.
pub fn deposit_of(total: i64, percent: i32, currency: Currency) -> i64 {
    let granularity = currency.granularity();
    let share = i128::from(total) * i128::from(percent);
    let parts = (share + i128::from(granularity) * 50) / (i128::from(granularity) * 100);
    let share = i64::try_from(parts * i128::from(granularity)).unwrap_or(total);
    let deposit = share.max(currency.min_charge()).min(total);
    if total - deposit < currency.min_charge() {
        total
    } else {
        deposit
    }
}

/// What must be collected for the supplier's order to go out (domain section 1). In JSON
/// `{"kind": "units", "target": 40}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "target", rename_all = "snake_case")]
pub enum Threshold {
    /// So many units.
    Units(i64),
    /// So much goods value, minor units: at the price of the step reached, without shipping and tax.
    Amount(i64),
}

impl Threshold {
    /// The number to come to: units or minor units.
    pub fn target(self) -> i64 {
        match self {
            Threshold::Units(target) | Threshold::Amount(target) => target,
        }
    }

    /// The word for the kind: `units` or `amount`.
    pub fn kind(self) -> &'static str {
        match self {
            Threshold::Units(_) => "units",
            Threshold::Amount(_) => "amount",
        }
    }
}

/// Why a batch cannot be judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PriceError {
    /// A line names an option that the campaign does not have.
    #[error("there is no option {0}")]
    UnknownOption(OptionId),
    /// A line has no units, or fewer than none.
    #[error("an order line needs at least one unit")]
    NoUnits,
    /// A sum is too large or mixes currencies.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

/// What some units come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tally {
    /// All units.
    pub units: i64,
    /// The step they reach, as an index.
    pub step: usize,
    /// Their value at the price of that step, minor units, without shipping and tax.
    pub goods_value: i64,
}

impl Tally {
    /// The part of the tally that counts for a threshold: units or minor units.
    pub fn counted(&self, threshold: Threshold) -> i64 {
        match threshold {
            Threshold::Units(_) => self.units,
            Threshold::Amount(_) => self.goods_value,
        }
    }

    /// Whether a threshold is met.
    pub fn meets(&self, threshold: Threshold) -> bool {
        self.counted(threshold) >= threshold.target()
    }
}

/// Adds up units by option: how many there are, and what they are worth at the price of a step.
///
/// # Errors
/// An option that there is not; a sum that does not fit.
pub fn tally_at(
    prices: &BTreeMap<OptionId, PriceTable>,
    step: usize,
    units: impl Iterator<Item = (OptionId, i64)>,
) -> Result<Tally, PriceError> {
    let overflow = PriceError::Money(MoneyError::Overflow);
    let mut tally = Tally {
        units: 0,
        step,
        goods_value: 0,
    };
    for (option, quantity) in units {
        let table = prices
            .get(&option)
            .ok_or(PriceError::UnknownOption(option))?;
        tally.units = tally.units.checked_add(quantity).ok_or(overflow)?;
        tally.goods_value = table
            .price_at(step)
            .checked_mul(quantity)
            .and_then(|value| tally.goods_value.checked_add(value))
            .ok_or(overflow)?;
    }
    Ok(tally)
}

/// The unit price in the end: that of the step judged, never more than the one shown at joining (domain section 3).
pub fn final_unit_price(shown: i64, at_step_judged: i64) -> i64 {
    shown.min(at_step_judged)
}

/// What goes back to one order in one partial refund, minor units: what it was charged less its kept lines at their
/// final prices, with shipping and tax computed again by the tariff frozen at joining (domain section 3). Never
/// negative, never more than `charged`. With no line kept all of it goes back.
///
/// `charged` is what was captured for the order and has not gone back already.
pub fn refund_difference(
    charged: i64,
    kept: &[QuoteLine],
    country: Country,
    tariff: &Tariff,
) -> Result<i64, TariffError> {
    if charged < 0 {
        return Err(TariffError::Invalid);
    }
    let total = quote(kept, country, tariff)?.total;
    Ok(charged.saturating_sub(total).max(0))
}

#[cfg(test)]
#[path = "tests/price.rs"]
mod tests;
