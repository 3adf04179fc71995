//! The document to the supplier: how many of what, and what stands in its way (domain section 5).

use serde::{Deserialize, Serialize};

use super::words::{WrongState, words};

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
    /// Units added to fill the last case.
    pub case_fill: i64,
    /// What is bought: the sum of the three.
    pub units: i64,
    /// The supplier's price for one unit, in minor units of his currency; none where he named none.
    pub unit_cost: Option<i64>,
}

/// How many of one option are bought: paid units and safety units (a percentage, rounded up), rounded up to the
/// supplier's case pack (domain section 5). None on overflow.
pub fn purchase_line(
    sku: &str,
    name: &str,
    paid: i64,
    safety_percent: i64,
    case_pack: i64,
    unit_cost: Option<i64>,
) -> Option<PurchaseLine> {
    let safety = paid.checked_mul(safety_percent)?.checked_add(99)? / 100;
    let wanted = paid.checked_add(safety)?;
    let case_pack = case_pack.max(1);
    let cases = wanted.checked_add(case_pack - 1)? / case_pack;
    let units = cases.checked_mul(case_pack)?;
    Some(PurchaseLine {
        sku: sku.to_owned(),
        name: name.to_owned(),
        paid,
        safety,
        case_fill: units - wanted,
        units,
        unit_cost,
    })
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
    use super::*;

    #[test]
    fn safety_is_rounded_up_and_cases_are_filled() {
        let line = purchase_line("walnut", "Walnut", 86, 3, 5, Some(9600)).unwrap();
        assert_eq!((line.safety, line.case_fill, line.units), (3, 1, 90));
        let line = purchase_line("linear", "Linear", 48, 3, 5, Some(9600)).unwrap();
        assert_eq!((line.safety, line.case_fill, line.units), (2, 0, 50));
    }

    #[test]
    fn minimum_and_capacity_are_compared_with_the_sum() {
        let lines = [purchase_line("a", "A", 10, 0, 1, Some(1)).unwrap()];
        let terms = |minimum_units, capacity_units| SupplierTerms {
            minimum_units,
            capacity_units,
            case_pack: 1,
        };
        assert_eq!(blocked(&lines, None), Some(Blocked::NoSupplier));
        assert_eq!(
            blocked(&lines, Some(&terms(Some(11), None))),
            Some(Blocked::UnderMinimum)
        );
        assert_eq!(
            blocked(&lines, Some(&terms(None, Some(9)))),
            Some(Blocked::OverCapacity)
        );
        assert_eq!(blocked(&lines, Some(&terms(Some(10), Some(10)))), None);
    }

    #[test]
    fn overflow_is_said_and_not_wrapped() {
        assert_eq!(purchase_line("a", "A", i64::MAX, 3, 5, None), None);
    }
}
