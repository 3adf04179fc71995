//! The document to the supplier: how many of what, and what stands in its way (domain section 5).

use super::words::{WrongState, words};

mod quantity;

pub use quantity::{
    PurchaseLine, SupplierTerms, Wanted, added_for_minimum, blocked, purchase_lines, share_within,
};

words! {
    /// Where a purchase order stands.
    PurchaseOrderState {
        Draft = "draft",
        Sent = "sent",
        Acknowledged = "acknowledged",
        InProduction = "in_production",
        InTransit = "in_transit",
        PartlyReceived = "partly_received",
        Received = "received",
        Closed = "closed",
        Rejected = "rejected",
        Cancelled = "cancelled",
        Replaced = "replaced",
    }
}

/// What can happen to a purchase order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PurchaseOrderEvent {
    /// The claim: numbered and frozen; its mail goes out.
    Sent,
    /// The supplier said yes.
    Acknowledged,
    /// The supplier said no.
    Rejected,
    /// The supplier began to make it.
    InProduction,
    /// The supplier shipped it.
    Shipped,
    /// A part of it arrived.
    ReceivedPart,
    /// All of it arrived, or what is missing was given up.
    ReceivedAll,
    /// Nothing more is expected of it.
    Closed,
    /// Another one takes its place. The supplier is told, if it was sent.
    Replaced,
    /// Given up: its campaign failed. The supplier is told, if it was sent.
    Cancelled,
}

impl PurchaseOrderState {
    /// The state after an event.
    ///
    /// # Errors
    /// [`WrongState`] where the event does not apply, which names both.
    pub fn after(self, event: PurchaseOrderEvent) -> Result<Self, WrongState> {
        use PurchaseOrderEvent as E;
        use PurchaseOrderState as S;
        match (self, event) {
            (S::Draft, E::Sent) => Ok(S::Sent),
            (S::Sent, E::Acknowledged) => Ok(S::Acknowledged),
            (S::Sent | S::Acknowledged, E::Rejected) => Ok(S::Rejected),
            // Who ships or makes it has said yes.
            (S::Sent | S::Acknowledged, E::InProduction) => Ok(S::InProduction),
            (S::Sent | S::Acknowledged | S::InProduction, E::Shipped) => Ok(S::InTransit),
            // Goods may stand at the door before anybody said a word.
            (
                S::Sent
                | S::Acknowledged
                | S::InProduction
                | S::InTransit
                | S::PartlyReceived
                | S::Received,
                E::ReceivedPart,
            ) => Ok(S::PartlyReceived),
            (
                S::Sent
                | S::Acknowledged
                | S::InProduction
                | S::InTransit
                | S::PartlyReceived
                | S::Received,
                E::ReceivedAll,
            ) => Ok(S::Received),
            (S::PartlyReceived | S::Received, E::Closed) => Ok(S::Closed),
            (S::Draft | S::Sent | S::Acknowledged | S::InProduction | S::Rejected, E::Replaced) => {
                Ok(S::Replaced)
            }
            (
                S::Draft | S::Sent | S::Acknowledged | S::InProduction | S::InTransit,
                E::Cancelled,
            ) => Ok(S::Cancelled),
            (
                S::Draft
                | S::Sent
                | S::Acknowledged
                | S::InProduction
                | S::InTransit
                | S::PartlyReceived
                | S::Received
                | S::Closed
                | S::Rejected
                | S::Cancelled
                | S::Replaced,
                _,
            ) => Err(WrongState {
                what: "purchase order",
                state: self.as_str(),
                event: format!("{event:?}"),
            }),
        }
    }
}

impl PurchaseOrderState {
    /// Whether its units are ordered and may still arrive, or have arrived.
    pub fn stands(self) -> bool {
        use PurchaseOrderState as S;
        match self {
            S::Sent
            | S::Acknowledged
            | S::InProduction
            | S::InTransit
            | S::PartlyReceived
            | S::Received
            | S::Closed => true,
            S::Draft | S::Rejected | S::Cancelled | S::Replaced => false,
        }
    }
}

words! {
    /// Who a batch's date comes from.
    EtaSource {
        Staff = "staff",
        Supplier = "supplier",
        System = "system",
    }
}

words! {
    /// Whether shoppers were told of a batch's date (domain section 5).
    EtaState {
        /// Staff pass it on, or it passes by itself after 24 hours.
        Waiting = "waiting",
        PassedOn = "passed_on",
        /// Staff decided that shoppers are not told.
        Withheld = "withheld",
        /// A later date came before it was passed on.
        Superseded = "superseded",
    }
}

words! {
    /// What keeps a purchase order from being sent (domain section 2: for 7 days, then the campaign fails).
    Blocked {
        NoSupplier = "no_supplier",
        UnderMinimum = "under_minimum",
        OverCapacity = "over_capacity",
        MissingCost = "missing_cost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use PurchaseOrderEvent as E;
    use PurchaseOrderState as S;

    #[test]
    fn who_rejected_is_replaced_and_never_comes_back() {
        assert_eq!(S::Acknowledged.after(E::Rejected), Ok(S::Rejected));
        assert_eq!(S::Rejected.after(E::Replaced), Ok(S::Replaced));
        for event in [E::Acknowledged, E::InProduction, E::Shipped, E::Rejected] {
            for over in [S::Rejected, S::Replaced, S::Cancelled, S::Closed] {
                assert!(over.after(event).is_err(), "{over} {event:?}");
            }
        }
        assert!(S::InTransit.after(E::Replaced).is_err(), "it is on its way");
        assert!(
            S::InProduction.after(E::Rejected).is_err(),
            "it is being made"
        );
    }

    #[test]
    fn only_what_was_sent_and_not_given_up_stands() {
        for state in S::ALL {
            let over = matches!(state, S::Draft | S::Rejected | S::Cancelled | S::Replaced);
            assert_eq!(state.stands(), !over, "{state}");
        }
    }
}
