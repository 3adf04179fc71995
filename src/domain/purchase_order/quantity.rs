//! How many of what are bought: safety, cases, and the ways out of a supplier's minimum and capacity (domain section 5).

use serde::{Deserialize, Serialize};

use super::Blocked;
use crate::domain::money::split;

/// What the supplier's terms say that matters for the quantity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SupplierTerms {
    /// The least units the supplier takes an order for.
    pub minimum_units: Option<i64>,
    /// The most units the supplier can make.
    pub capacity_units: Option<i64>,
    /// Units in one case; each option is rounded up to whole cases.
    pub case_pack: i64,
}

/// What is wanted of one option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// The option's code.
    pub sku: String,
    /// The option's name.
    pub name: String,
    /// Units that shoppers paid for, as far as this purchase order is for them.
    pub paid: i64,
    /// The supplier's price for one unit, in minor units of his currency; none where he named none.
    pub unit_cost: Option<i64>,
}

/// One line of a purchase order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseLine {
    /// The option's code.
    pub sku: String,
    /// The option's name.
    pub name: String,
    /// Units that shoppers paid for.
    pub paid: i64,
    /// Units added for safety.
    pub safety: i64,
    /// Units that staff added.
    #[serde(default)]
    pub added: i64,
    /// Units added to fill the last case.
    pub case_fill: i64,
    /// What is bought: the sum of the four.
    pub units: i64,
    /// The supplier's price for one unit, in minor units of his currency; none where he named none.
    pub unit_cost: Option<i64>,
}

impl From<&PurchaseLine> for Wanted {
    fn from(line: &PurchaseLine) -> Self {
        Self {
            sku: line.sku.clone(),
            name: line.name.clone(),
            paid: line.paid,
            unit_cost: line.unit_cost,
        }
    }
}

/// How many of each option are bought: paid units, safety units (a percentage, rounded up) and the option's part of the
/// added units (by paid units, largest remainder), rounded up to the supplier's case pack (domain section 5). None on
/// overflow, and where units are added to nothing.
pub fn purchase_lines(
    wanted: &[Wanted],
    added: i64,
    safety_percent: i64,
    case_pack: i64,
) -> Option<Vec<PurchaseLine>> {
    let shares = if added == 0 {
        vec![0; wanted.len()]
    } else {
        let paid: Vec<i64> = wanted.iter().map(|w| w.paid).collect();
        split(added, &paid, 1)?
    };
    let lines = wanted.iter().zip(shares);
    lines
        .map(|(w, added)| line(w, added, safety_percent, case_pack.max(1)))
        .collect()
}

fn line(wanted: &Wanted, added: i64, safety_percent: i64, case_pack: i64) -> Option<PurchaseLine> {
    let safety = wanted.paid.checked_mul(safety_percent)?.checked_add(99)? / 100;
    let sum = wanted.paid.checked_add(safety)?.checked_add(added)?;
    let cases = sum.checked_add(case_pack - 1)? / case_pack;
    let units = cases.checked_mul(case_pack)?;
    Some(PurchaseLine {
        sku: wanted.sku.clone(),
        name: wanted.name.clone(),
        paid: wanted.paid,
        safety,
        added,
        case_fill: units - sum,
        units,
        unit_cost: wanted.unit_cost,
    })
}

fn sum(lines: &[PurchaseLine]) -> Option<i64> {
    lines
        .iter()
        .try_fold(0i64, |sum, l| sum.checked_add(l.units))
}

/// The most steps that are looked for a better answer; what is returned then is right, but may be a case too many.
const STEPS: i64 = 2000;

/// How many units staff must add to come to a supplier's minimum; 0 where it is come to. None where nothing is wanted.
pub fn added_for_minimum(
    wanted: &[Wanted],
    safety_percent: i64,
    case_pack: i64,
    minimum: i64,
) -> Option<i64> {
    let plain = purchase_lines(wanted, 0, safety_percent, case_pack)?;
    let short = minimum.checked_sub(sum(&plain)?)?;
    if short <= 0 {
        return Some(0);
    }
    // What fills cases now may be taken by what is added: with that much more it is certainly enough.
    let fill: i64 = plain.iter().map(|l| l.case_fill).sum();
    let enough = short.checked_add(fill)?;
    let steps = short..enough.min(short.saturating_add(STEPS));
    for added in steps {
        if sum(&purchase_lines(wanted, added, safety_percent, case_pack)?)? >= minimum {
            return Some(added);
        }
    }
    purchase_lines(wanted, enough, safety_percent, case_pack).map(|_| enough)
}

/// How many paid units of each option a supplier with this capacity can take, safety units and full cases included, in
/// proportion to what is wanted: the first part of a split. None on overflow, and where nothing is wanted.
pub fn share_within(
    wanted: &[Wanted],
    safety_percent: i64,
    case_pack: i64,
    capacity: i64,
) -> Option<Vec<i64>> {
    let paid: Vec<i64> = wanted.iter().map(|w| w.paid).collect();
    let all: i64 = paid.iter().try_fold(0i64, |sum, n| sum.checked_add(*n))?;
    let mut take = all.min(capacity.max(0));
    loop {
        let shares = split(take, &paid, 1)?;
        let part: Vec<Wanted> = wanted
            .iter()
            .zip(&shares)
            .map(|(w, share)| Wanted {
                paid: *share,
                ..w.clone()
            })
            .collect();
        let over = sum(&purchase_lines(&part, 0, safety_percent, case_pack)?)? - capacity;
        if over <= 0 || take == 0 {
            return Some(shares);
        }
        take = (take - over).max(0);
    }
}

/// What stands in the way of sending these lines to this supplier, if anything: minimum and capacity are compared
/// with the sum of units.
pub fn blocked(lines: &[PurchaseLine], supplier: Option<&SupplierTerms>) -> Option<Blocked> {
    let Some(terms) = supplier else {
        return Some(Blocked::NoSupplier);
    };
    let sum: i64 = lines.iter().map(|l| l.units).sum();
    if lines.iter().any(|l| l.unit_cost.is_none()) {
        Some(Blocked::MissingCost)
    } else if terms.minimum_units.is_some_and(|minimum| sum < minimum) {
        Some(Blocked::UnderMinimum)
    } else if terms.capacity_units.is_some_and(|capacity| sum > capacity) {
        Some(Blocked::OverCapacity)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wanted(paid: &[i64]) -> Vec<Wanted> {
        paid.iter()
            .enumerate()
            .map(|(at, paid)| Wanted {
                sku: format!("s{at}"),
                name: format!("Option {at}"),
                paid: *paid,
                unit_cost: Some(9600),
            })
            .collect()
    }

    #[test]
    fn safety_is_rounded_up_and_cases_are_filled() {
        let lines = purchase_lines(&wanted(&[86, 48]), 0, 3, 5).unwrap();
        let said: Vec<_> = lines
            .iter()
            .map(|l| (l.safety, l.case_fill, l.units))
            .collect();
        assert_eq!(said, [(3, 1, 90), (2, 0, 50)]);
    }

    #[test]
    fn added_units_go_by_largest_remainder_of_paid_units() {
        let lines = purchase_lines(&wanted(&[6, 3, 1]), 11, 0, 1).unwrap();
        let added: Vec<_> = lines.iter().map(|l| l.added).collect();
        assert_eq!(added, [7, 3, 1], "6.6, 3.3 and 1.1 of 11");
        assert_eq!(lines.iter().map(|l| l.units).sum::<i64>(), 21);
    }

    #[test]
    fn minimum_and_capacity_are_compared_with_the_sum() {
        let lines = purchase_lines(&wanted(&[10]), 0, 0, 1).unwrap();
        let terms = |minimum_units, capacity_units| SupplierTerms {
            minimum_units,
            capacity_units,
            case_pack: 1,
        };
        let stands = |minimum, capacity| blocked(&lines, Some(&terms(minimum, capacity)));
        assert_eq!(blocked(&lines, None), Some(Blocked::NoSupplier));
        assert_eq!(stands(Some(11), None), Some(Blocked::UnderMinimum));
        assert_eq!(stands(None, Some(9)), Some(Blocked::OverCapacity));
        assert_eq!(stands(Some(10), Some(10)), None);
    }

    #[test]
    fn overflow_is_said_and_not_wrapped() {
        assert_eq!(purchase_lines(&wanted(&[i64::MAX]), 0, 3, 5), None);
        assert_eq!(purchase_lines(&wanted(&[1]), i64::MAX, 0, 1), None);
        assert_eq!(purchase_lines(&wanted(&[]), 5, 0, 1), None);
    }

    proptest! {
        #[test]
        fn what_is_bought_covers_what_was_paid_and_fills_cases(
            paid in prop::collection::vec(1i64..10_000, 1..8),
            added in 0i64..5000,
            safety in 0i64..=100,
            case_pack in 1i64..200,
        ) {
            let lines = purchase_lines(&wanted(&paid), added, safety, case_pack).unwrap();
            prop_assert_eq!(lines.iter().map(|l| l.added).sum::<i64>(), added);
            for (line, paid) in lines.iter().zip(&paid) {
                prop_assert_eq!(line.units % case_pack, 0);
                prop_assert_eq!(line.units, line.paid + line.safety + line.added + line.case_fill);
                prop_assert!(line.units >= *paid && line.case_fill < case_pack);
            }
        }

        #[test]
        fn the_units_said_to_be_missing_come_to_the_minimum(
            paid in prop::collection::vec(1i64..200, 1..6),
            safety in 0i64..=20,
            case_pack in 1i64..40,
            minimum in 1i64..5000,
        ) {
            let wanted = wanted(&paid);
            let added = added_for_minimum(&wanted, safety, case_pack, minimum).unwrap();
            let with = |added| sum(&purchase_lines(&wanted, added, safety, case_pack).unwrap()).unwrap();
            prop_assert!(with(added) >= minimum);
            prop_assert_eq!(added == 0, with(0) >= minimum);
        }

        #[test]
        fn a_share_keeps_to_the_capacity_and_to_what_is_wanted(
            paid in prop::collection::vec(1i64..2000, 1..6),
            safety in 0i64..=20,
            case_pack in 1i64..40,
            capacity in 0i64..5000,
        ) {
            let wanted = wanted(&paid);
            let shares = share_within(&wanted, safety, case_pack, capacity).unwrap();
            prop_assert!(shares.iter().zip(&paid).all(|(share, paid)| (0..=*paid).contains(share)));
            let part: Vec<Wanted> = wanted
                .iter()
                .zip(&shares)
                .map(|(w, share)| Wanted { paid: *share, ..w.clone() })
                .collect();
            let units = sum(&purchase_lines(&part, 0, safety, case_pack).unwrap()).unwrap();
            prop_assert!(units <= capacity);
        }
    }
}
