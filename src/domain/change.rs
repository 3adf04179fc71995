//! Changing an order before the judgement: what its lines cost then, and what is charged or goes back (domain sections 3
//! and 4).

use super::draft::PaymentMode;
use super::words::{WrongState, words};

words! {
    /// Where a change of an order stands.
    ChangeState {
        /// What it costs more is being paid; its units are held.
        Planned = "planned",
        /// It took effect.
        Done = "done",
        /// It was not paid in time, or its order or campaign ended: the order stayed as it was.
        Dropped = "dropped",
    }
}

/// What ends a change that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeEvent {
    /// It was paid.
    Paid,
    /// Its page ended unpaid, or what it was made for is not there any more.
    Dropped,
}

impl ChangeState {
    /// The state after an event.
    ///
    /// # Errors
    /// What is over stays over.
    pub fn after(self, event: ChangeEvent) -> Result<Self, WrongState> {
        match (self, event) {
            (ChangeState::Planned, ChangeEvent::Paid) => Ok(ChangeState::Done),
            (ChangeState::Planned, ChangeEvent::Dropped) => Ok(ChangeState::Dropped),
            (ChangeState::Done | ChangeState::Dropped, _) => Err(WrongState {
                what: "change",
                state: self.as_str(),
                event: format!("{event:?}"),
            }),
        }
    }
}

/// What an order has of an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Had {
    /// Units that are wanted.
    pub quantity: i64,
    /// What each costs, minor units.
    pub unit_price: i64,
}

/// The price of each unit of a line of which so many are wanted. A line keeps the price shown when it joined; where it
/// grows, the lower of that and the price shown now is the price of all its units; a new one costs what is shown now.
pub fn unit_price(had: Option<Had>, wanted: i64, shown: i64) -> i64 {
    match had {
        None => shown,
        Some(had) if wanted <= had.quantity => had.unit_price,
        Some(had) => had.unit_price.min(shown),
    }
}

/// What an order keeps of what was paid, and what it is to cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// How it is paid.
    pub mode: PaymentMode,
    /// What is kept of what was charged, minor units.
    pub kept: i64,
    /// What of its price went back as an allowance or was lost in a dispute, minor units.
    pub less: i64,
    /// What it costs after the change, minor units.
    pub total: i64,
    /// The deposit on that; only with a deposit.
    pub deposit: i64,
    /// The least that cards can be charged, minor units.
    pub least: i64,
}

/// What a change moves; at most one of `pay` and `back` is more than nought. All in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Difference {
    /// What is paid before it takes effect.
    pub pay: i64,
    /// What goes back.
    pub back: i64,
    /// What of the price is not collected yet, once it took effect.
    pub owed: i64,
}

/// What is to be paid, goes back and is owed after a change. A larger deposit by less than cards can be charged is not asked
/// for: the rest is then larger by so much.
pub fn difference(at: Standing) -> Difference {
    let costs = (at.total - at.less).max(0);
    let keep = match at.mode {
        PaymentMode::ChargeNow => costs,
        PaymentMode::ChargeOnSuccess => at.kept.min(costs),
        PaymentMode::Deposit => {
            let keep = (at.deposit - at.less).max(0);
            if keep > at.kept && keep - at.kept < at.least && at.kept < costs {
                at.kept
            } else {
                keep
            }
        }
    };
    Difference {
        pay: (keep - at.kept).max(0),
        back: (at.kept - keep).max(0),
        owed: costs - keep,
    }
}

#[cfg(test)]
#[path = "tests/change.rs"]
mod tests;
