//! The judgement of a batch (domain sections 2 and 3): which step is reached, which options are produced, which orders
//! are in it, what everybody finally pays, and why. One pure function from paid or committed lines to the outcome; asking
//! twice gives the same answer.
//!
//! Options under their minimum are dropped first, then step and threshold are judged on what is left, again until
//! nothing changes. Every drop lowers units only, so that the order in which options are dropped makes no difference.

use std::collections::{BTreeMap, BTreeSet};

use super::ids::OptionId;
use super::money::MoneyError;
use super::price::{
    PriceError, PriceTable, Steps, Tally, Threshold, final_unit_price, reached_by_limits,
};

/// One line of the batch. `key` is whatever the caller finds it again by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaidLine<K> {
    /// The caller's name for the line.
    pub key: K,
    /// What was bought.
    pub option: OptionId,
    /// Units, at least 1.
    pub quantity: i64,
    /// The unit price shown at joining, minor units.
    pub shown: i64,
    /// The order is in it only if the step with this index is reached; 0 without a limit.
    pub limit: usize,
}

/// All that a judgement looks at.
#[derive(Clone, Copy, Debug)]
pub struct JudgeInput<'a, K> {
    /// The campaign's steps.
    pub steps: &'a Steps,
    /// The campaign's threshold.
    pub threshold: Threshold,
    /// The prices of every option.
    pub prices: &'a BTreeMap<OptionId, PriceTable>,
    /// Units under which an option is not produced; options without a minimum are left out.
    pub minimums: &'a BTreeMap<OptionId, i64>,
    /// The step that was judged already, where only what was collected is judged again: it stays (domain section 2).
    pub step: Option<usize>,
    /// The lines of all orders that count and are neither cancelled nor disputed.
    pub lines: &'a [PaidLine<K>],
}

/// A line with the price it finally has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinalLine<K> {
    /// The caller's name for the line.
    pub key: K,
    /// What was bought.
    pub option: OptionId,
    /// Units.
    pub quantity: i64,
    /// The unit price shown at joining, minor units.
    pub shown: i64,
    /// The unit price in the end, minor units: never above `shown`.
    pub unit_price: i64,
}

/// An option that is not produced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Which.
    pub option: OptionId,
    /// Its units among the orders that the step took in.
    pub units: i64,
    /// The units it needed.
    pub minimum: i64,
}

/// One round of the judgement, for the explanation to staff and shoppers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// For each step the units that count for it: of all orders whose limit is that step or an earlier one.
    pub counted: Vec<i64>,
    /// The step reached, as an index.
    pub step: usize,
    /// The options that fell under their minimum at it. None in the last round.
    pub dropped: Vec<Dropped>,
}

/// The one decision on a batch (domain section 2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement<K> {
    /// The threshold was collected: the supplier's order goes out.
    Success(Success<K>),
    /// Too little: everybody gets the money back.
    Missed {
        /// What was collected, in the threshold's kind: units or minor units.
        collected: i64,
        /// What was needed.
        target: i64,
        /// How it came about, round by round.
        why: Vec<Round>,
    },
}

/// A batch that is bought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Success<K> {
    /// The step judged, as an index.
    pub step: usize,
    /// Units in the batch.
    pub units: i64,
    /// Goods value at the price of the step, minor units, without shipping and tax.
    pub goods_value: i64,
    /// Every line that is in it with its final price, in the order given.
    pub lines: Vec<FinalLine<K>>,
    /// Lines of options that are not produced, of orders that the step takes in, in the order given.
    pub dropped: Vec<K>,
    /// Lines of orders whose limit is beyond the step: released, uncharged, in the order given.
    pub released: Vec<K>,
    /// What the merchant bears because cancellations lowered the step after some had joined at a better price, minor
    /// units.
    pub borne_by_merchant: i64,
    /// How it came about, round by round.
    pub why: Vec<Round>,
}

/// Units by option and limit: all that the rounds look at.
type Sums = BTreeMap<OptionId, Vec<i64>>;

const OVERFLOW: PriceError = PriceError::Money(MoneyError::Overflow);

/// Judges a batch.
///
/// # Errors
/// A line without units or of an option that there is not; a sum that does not fit.
pub fn judge<K: Clone>(input: &JudgeInput<'_, K>) -> Result<Judgement<K>, PriceError> {
    let sums = sums(input)?;
    let (why, gone) = rounds(input, &sums)?;
    let step = why.last().map_or(0, |round| round.step);
    let tally = tally_at(input, &sums, &gone, step)?;
    if !tally.meets(input.threshold) {
        return Ok(Judgement::Missed {
            collected: tally.counted(input.threshold),
            target: input.threshold.target(),
            why,
        });
    }
    let mut success = Success {
        step,
        units: tally.units,
        goods_value: tally.goods_value,
        lines: Vec::with_capacity(input.lines.len()),
        dropped: Vec::new(),
        released: Vec::new(),
        borne_by_merchant: 0,
        why,
    };
    for line in input.lines {
        if line.limit > step {
            success.released.push(line.key.clone());
        } else if gone.contains(&line.option) {
            success.dropped.push(line.key.clone());
        } else {
            let judged = table(input, line.option)?.price_at(step);
            let unit_price = final_unit_price(line.shown, judged);
            success.borne_by_merchant = (judged - unit_price)
                .checked_mul(line.quantity)
                .and_then(|borne| success.borne_by_merchant.checked_add(borne))
                .ok_or(OVERFLOW)?;
            success.lines.push(FinalLine {
                key: line.key.clone(),
                option: line.option,
                quantity: line.quantity,
                shown: line.shown,
                unit_price,
            });
        }
    }
    Ok(Judgement::Success(success))
}

/// Whether a batch would succeed with no option dropped: what `at_threshold` waits for (domain section 2).
///
/// # Errors
/// As [`judge`].
pub fn would_succeed_whole<K: Clone>(input: &JudgeInput<'_, K>) -> Result<bool, PriceError> {
    Ok(match judge(input)? {
        Judgement::Success(success) => success.why.iter().all(|round| round.dropped.is_empty()),
        Judgement::Missed { .. } => false,
    })
}

fn table<'a, K>(input: &JudgeInput<'a, K>, option: OptionId) -> Result<&'a PriceTable, PriceError> {
    let found = input.prices.get(&option);
    found.ok_or(PriceError::UnknownOption(option))
}

fn sums<K>(input: &JudgeInput<'_, K>) -> Result<Sums, PriceError> {
    let mut sums = Sums::new();
    for line in input.lines {
        if line.quantity < 1 {
            return Err(PriceError::NoUnits);
        }
        table(input, line.option)?;
        let of_option = sums
            .entry(line.option)
            .or_insert_with(|| vec![0; input.steps.len()]);
        // A limit beyond the last step can never be reached: kept out of every step's count.
        if let Some(sum) = of_option.get_mut(line.limit) {
            *sum = sum.checked_add(line.quantity).ok_or(OVERFLOW)?;
        }
    }
    Ok(sums)
}

fn rounds<K>(
    input: &JudgeInput<'_, K>,
    sums: &Sums,
) -> Result<(Vec<Round>, BTreeSet<OptionId>), PriceError> {
    let mut why = Vec::new();
    let mut gone = BTreeSet::new();
    loop {
        let left = || sums.iter().filter(|(option, _)| !gone.contains(*option));
        let mut by_limit = vec![0i64; input.steps.len()];
        for (_, units) in left() {
            for (sum, units) in by_limit.iter_mut().zip(units) {
                *sum = sum.checked_add(*units).ok_or(OVERFLOW)?;
            }
        }
        let step = input
            .step
            .unwrap_or_else(|| reached_by_limits(input.steps, &by_limit));
        let dropped: Vec<Dropped> = left()
            .filter_map(|(option, units)| {
                let minimum = *input.minimums.get(option)?;
                let units = units.iter().take(step + 1).sum();
                let dropped = Dropped {
                    option: *option,
                    units,
                    minimum,
                };
                (units < minimum).then_some(dropped)
            })
            .collect();
        let counted = by_limit
            .iter()
            .scan(0i64, |sum, units| {
                *sum = sum.saturating_add(*units);
                Some(*sum)
            })
            .collect();
        gone.extend(dropped.iter().map(|d| d.option));
        let settled = dropped.is_empty();
        why.push(Round {
            counted,
            step,
            dropped,
        });
        if settled {
            return Ok((why, gone));
        }
    }
}

fn tally_at<K>(
    input: &JudgeInput<'_, K>,
    sums: &Sums,
    gone: &BTreeSet<OptionId>,
    step: usize,
) -> Result<Tally, PriceError> {
    let mut tally = Tally {
        units: 0,
        step,
        goods_value: 0,
    };
    for (option, by_limit) in sums.iter().filter(|(option, _)| !gone.contains(*option)) {
        let units: i64 = by_limit.iter().take(step + 1).sum();
        tally.units = tally.units.checked_add(units).ok_or(OVERFLOW)?;
        tally.goods_value = table(input, *option)?
            .price_at(step)
            .checked_mul(units)
            .and_then(|value| tally.goods_value.checked_add(value))
            .ok_or(OVERFLOW)?;
    }
    Ok(tally)
}

#[cfg(test)]
#[path = "tests/outcome.rs"]
mod tests;
