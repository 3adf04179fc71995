//! What goes wrong after the door (domain section 5): a claim's life, and which of an order's units can be claimed.

use super::order::LineUnits;
use super::words::{WrongState, words};

/// Most claims of one order that are open at a time.
pub const MOST_OPEN: usize = 5;
/// Most claims of one order.
pub const MOST_CLAIMS: usize = 20;
/// Most photos of one claim.
pub const MOST_PHOTOS: usize = 5;
/// Longest text of a claim, in characters.
pub const MAX_TEXT: usize = 2000;

words! {
    /// What is the matter.
    ClaimKind {
        /// It never arrived.
        Lost = "lost",
        Damaged = "damaged",
        /// Something else arrived.
        Wrong = "wrong",
        /// It goes back, or came back.
        Returned = "returned",
        /// The shopper did not take the parcel.
        Refused = "refused",
        /// The shopper withdrew from the contract (domain section 6a).
        Withdrawal = "withdrawal",
    }
}

words! {
    /// Where a claim stands.
    ClaimState {
        /// Staff have to decide.
        Open = "open",
        /// The goods are to be sent back first.
        AwaitingReturn = "awaiting_return",
        /// The goods came back.
        Returned = "returned",
        Resolved = "resolved",
    }
}

words! {
    /// How a claim ended.
    ClaimOutcome {
        /// The same again, from stock.
        Reship = "reship",
        /// The full price of its units.
        Refund = "refund",
        /// A part of it; the shopper keeps the goods.
        PartialRefund = "partial_refund",
        /// Nothing, with a reason.
        Refused = "refused",
    }
}

/// What can happen to a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimEvent {
    /// Staff ask for the goods.
    ReturnAsked,
    /// The shopper says that the goods are on their way back.
    SentBack,
    /// The goods came back.
    Received,
    /// It was decided.
    Resolved,
}

impl ClaimState {
    /// The state after an event.
    ///
    /// # Errors
    /// [`WrongState`] where the event does not apply, which names both.
    pub fn after(self, event: ClaimEvent) -> Result<Self, WrongState> {
        use ClaimEvent as E;
        use ClaimState as S;
        match (self, event) {
            (S::Open, E::ReturnAsked) => Ok(S::AwaitingReturn),
            (S::AwaitingReturn, E::SentBack) => Ok(S::AwaitingReturn),
            // A refused parcel comes back without being asked for.
            (S::Open | S::AwaitingReturn, E::Received) => Ok(S::Returned),
            (S::Open | S::AwaitingReturn | S::Returned, E::Resolved) => Ok(S::Resolved),
            (S::Open | S::AwaitingReturn | S::Returned | S::Resolved, _) => Err(WrongState {
                what: "claim",
                state: self.as_str(),
                event: format!("{event:?}"),
            }),
        }
    }

    /// Whether it still waits for somebody.
    pub fn is_open(self) -> bool {
        self != ClaimState::Resolved
    }
}

/// Whether a claim keeps its units from being claimed once more: while it is open, once they are refunded in full, and
/// until what was sent again for them is on its way.
pub fn holds_units(outcome: Option<ClaimOutcome>, reship_waits: bool) -> bool {
    match outcome {
        None | Some(ClaimOutcome::Refund) => true,
        Some(ClaimOutcome::Reship) => reship_waits,
        Some(ClaimOutcome::PartialRefund | ClaimOutcome::Refused) => false,
    }
}

/// Units of a line that can be claimed: handed over, paid for, and not `held` by a claim already.
pub fn claimable(units: LineUnits, held: i64) -> i64 {
    (units.shipped.min(units.wanted()) - held).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const EVENTS: [ClaimEvent; 4] = [
        ClaimEvent::ReturnAsked,
        ClaimEvent::SentBack,
        ClaimEvent::Received,
        ClaimEvent::Resolved,
    ];

    #[test]
    fn goods_are_asked_for_sent_received_and_then_it_is_decided() {
        let mut state = ClaimState::Open;
        for (event, then) in EVENTS.into_iter().zip([
            ClaimState::AwaitingReturn,
            ClaimState::AwaitingReturn,
            ClaimState::Returned,
            ClaimState::Resolved,
        ]) {
            state = state.after(event).unwrap();
            assert_eq!(state, then);
        }
    }

    #[test]
    fn what_is_decided_stays_decided() {
        for event in EVENTS {
            assert!(ClaimState::Resolved.after(event).is_err());
        }
        assert!(ClaimState::Open.after(ClaimEvent::SentBack).is_err());
        assert!(ClaimState::Returned.after(ClaimEvent::Received).is_err());
    }

    #[test]
    fn a_claim_can_be_decided_in_every_open_state() {
        for state in ClaimState::ALL.iter().filter(|s| s.is_open()) {
            assert_eq!(state.after(ClaimEvent::Resolved), Ok(ClaimState::Resolved));
        }
    }

    proptest! {
        #[test]
        fn never_more_is_claimed_than_was_shipped_and_paid_for(
            quantity in 0i64..50, cancelled in 0i64..50, shipped in 0i64..50, held in 0i64..60,
        ) {
            let units = LineUnits { quantity, cancelled: cancelled.min(quantity), shipped: shipped.min(quantity), ..LineUnits::default() };
            let free = claimable(units, held);
            prop_assert!(free >= 0);
            prop_assert!(free <= units.shipped && free <= units.wanted());
            prop_assert!(free == 0 || free + held <= units.shipped.min(units.wanted()));
        }
    }
}
