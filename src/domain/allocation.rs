//! Who gets the units that arrived (domain section 5): orders that staff put first, then the oldest payment, each as many
//! as it still wants; part of a line may be given. Who has to give units back, or will never get them, is found in the
//! opposite order: the newest payment first.

use std::collections::BTreeMap;

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
    /// When the order was paid.
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
    let mut shares = Vec::new();
    for claim in in_order {
        let Some(left) = left.get_mut(&claim.option) else {
            continue;
        };
        let units = claim.units.min(*left);
        if units > 0 {
            *left -= units;
            shares.push(Share {
                order: claim.order,
                option: claim.option,
                units,
                whole: units == claim.units,
            });
        }
    }
    shares
}

#[cfg(test)]
#[path = "tests/allocation.rs"]
mod tests;
