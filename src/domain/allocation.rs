//! Who gets the units that arrived (domain section 5): orders that staff put first, then the oldest payment, each as many
//! as it still wants; part of a line may be given. Units that a change added to an order have the place of that change. Who has to give units back, or will never get them, is found in the
//! opposite order: the newest payment first.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDateTime;

use super::ids::{OptionId, OrderId};

/// Units of one option that an order's line waits for, or has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The order.
    pub order: OrderId,
    /// The option.
    pub option: OptionId,
    /// How many units, above 0.
    pub units: i64,
    /// When they were paid.
    pub paid_at: NaiveDateTime,
    /// When staff put it first, if they did.
    pub put_first: Option<NaiveDateTime>,
}

impl Claim {
    /// What is compared: those put first in the order of being put, then the others by payment. The id, which grows with
    /// time, decides between payments of one instant.
    fn rank(&self) -> (bool, NaiveDateTime, OrderId) {
        match self.put_first {
            Some(at) => (false, at, self.order),
            None => (true, self.paid_at, self.order),
        }
    }
}

/// Units of a line that were paid at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paid {
    /// When.
    pub at: NaiveDateTime,
    /// How many.
    pub units: i64,
}

/// The units of a line by when they were paid, oldest first: those it joined with, then those that changes added. `changes`
/// says how many it had after each; fewer than before gives up the newest, and so does what left it since, down to `wanted`.
pub fn paid_when(joined: Paid, changes: &[(NaiveDateTime, i64)], wanted: i64) -> Vec<Paid> {
    let mut all = vec![joined];
    let mut has = joined.units;
    for (at, units) in changes {
        if *units > has {
            all.push(Paid {
                at: *at,
                units: units - has,
            });
        } else {
            give_up_newest(&mut all, has - units);
        }
        has = *units;
    }
    give_up_newest(&mut all, has - wanted);
    all.retain(|paid| paid.units > 0);
    all
}

fn give_up_newest(all: &mut [Paid], mut units: i64) {
    for paid in all.iter_mut().rev() {
        let gone = paid.units.min(units).max(0);
        paid.units -= gone;
        units -= gone;
    }
}

/// A claim in parts by when its units were paid. They are the line's from the one at `first` on: what was given before was
/// given to the oldest.
pub fn by_payment(claim: &Claim, line: &[Paid], first: i64) -> Vec<Claim> {
    let (mut at, mut left) = (0, claim.units);
    let mut parts = Vec::new();
    for paid in line {
        let begins = at.max(first);
        at += paid.units;
        let units = (at - begins).clamp(0, left);
        if units > 0 {
            left -= units;
            parts.push(Claim {
                units,
                paid_at: paid.at,
                ..claim.clone()
            });
        }
    }
    if left > 0 {
        parts.push(Claim {
            units: left,
            ..claim.clone()
        });
    }
    parts
}

/// Units for one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The order.
    pub order: OrderId,
    /// The option.
    pub option: OptionId,
    /// How many units, above 0.
    pub units: i64,
    /// Whether that is all that was claimed.
    pub whole: bool,
}

/// Gives free units to the lines that wait for them: those put first, then the oldest payment. Never more than are free.
pub fn allocate(free: &BTreeMap<OptionId, i64>, mut waiting: Vec<Claim>) -> Vec<Share> {
    waiting.sort_by_key(Claim::rank);
    share_out(free.clone(), waiting)
}

/// Finds the lines that `units` of one option are taken from: the newest payment first, those put first last.
pub fn take_back(option: OptionId, units: i64, mut have: Vec<Claim>) -> Vec<Share> {
    have.retain(|claim| claim.option == option);
    have.sort_by_key(Claim::rank);
    have.reverse();
    share_out(BTreeMap::from([(option, units)]), have)
}

fn share_out(mut left: BTreeMap<OptionId, i64>, in_order: Vec<Claim>) -> Vec<Share> {
    let mut claimed: HashMap<(OrderId, OptionId), i64> = HashMap::new();
    for claim in &in_order {
        *claimed.entry((claim.order, claim.option)).or_default() += claim.units;
    }
    let mut shares: Vec<Share> = Vec::new();
    let mut places: HashMap<(OrderId, OptionId), usize> = HashMap::new();
    for claim in in_order {
        let Some(left) = left.get_mut(&claim.option) else {
            continue;
        };
        let units = claim.units.min(*left);
        if units > 0 {
            *left -= units;
            let line = (claim.order, claim.option);
            let place = *places.entry(line).or_insert(shares.len());
            if place == shares.len() {
                shares.push(Share {
                    order: claim.order,
                    option: claim.option,
                    units: 0,
                    whole: false,
                });
            }
            let share = &mut shares[place];
            share.units += units;
            share.whole = claimed.get(&line) == Some(&share.units);
        }
    }
    shares
}

#[cfg(test)]
#[path = "tests/allocation.rs"]
mod tests;
