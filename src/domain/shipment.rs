//! A parcel's life (domain section 5). *Shipped* means handed over to the carrier, not a label printed.

use super::words::{WrongState, words};

words! {
    /// Why a parcel goes out.
    ShipmentKind {
        /// An order's goods.
        Order = "order",
        /// Sent again for what was lost, damaged or wrong.
        Reship = "reship",
    }
}

words! {
    /// Where a parcel stands.
    ShipmentState {
        /// Its units are locked against edits, not against cancelling.
        Picked = "picked",
        /// Something in it was cancelled: it must not go out.
        Stopped = "stopped",
        HandedOver = "handed_over",
        Delivered = "delivered",
        Lost = "lost",
        /// It came back.
        Returned = "returned",
    }
}

words! {
    /// Who says that a parcel arrived.
    DeliveredBy {
        Carrier = "carrier",
        Staff = "staff",
        Shopper = "shopper",
        /// Nobody did: 21 days after it was handed over.
        Assumed = "assumed",
    }
}

/// What can happen to a parcel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShipmentEvent {
    /// Something in it was cancelled.
    Stopped,
    /// The carrier took it.
    HandedOver,
    /// The carrier took it before it was stopped, which became known later.
    HandedOverBeforeStop,
    /// It arrived.
    Delivered,
    /// It is lost.
    Lost,
    /// It came back.
    Returned,
}

impl ShipmentState {
    /// The state after an event.
    ///
    /// # Errors
    /// [`WrongState`] where the event does not apply, which names both.
    pub fn after(self, event: ShipmentEvent) -> Result<Self, WrongState> {
        use ShipmentEvent as E;
        use ShipmentState as S;
        match (self, event) {
            (S::Picked, E::Stopped) => Ok(S::Stopped),
            (S::Picked, E::HandedOver) => Ok(S::HandedOver),
            (S::Stopped, E::HandedOverBeforeStop) => Ok(S::HandedOver),
            (S::HandedOver, E::Delivered) => Ok(S::Delivered),
            // One that was assumed to have arrived may turn out lost.
            (S::HandedOver | S::Delivered, E::Lost) => Ok(S::Lost),
            (S::HandedOver | S::Delivered | S::Lost, E::Returned) => Ok(S::Returned),
            // What was given up may arrive all the same.
            (S::Lost, E::Delivered) => Ok(S::Delivered),
            (S::Picked | S::Stopped | S::HandedOver | S::Delivered | S::Lost | S::Returned, _) => {
                Err(WrongState {
                    what: "parcel",
                    state: self.as_str(),
                    event: format!("{event:?}"),
                })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stopped_parcel_goes_out_only_if_it_had_gone_before() {
        let stopped = ShipmentState::Picked.after(ShipmentEvent::Stopped).unwrap();
        assert!(stopped.after(ShipmentEvent::HandedOver).is_err());
        assert_eq!(
            stopped.after(ShipmentEvent::HandedOverBeforeStop),
            Ok(ShipmentState::HandedOver)
        );
    }

    #[test]
    fn what_came_back_takes_nothing_more() {
        for event in [
            ShipmentEvent::HandedOver,
            ShipmentEvent::Delivered,
            ShipmentEvent::Lost,
            ShipmentEvent::Returned,
        ] {
            assert!(ShipmentState::Returned.after(event).is_err());
        }
    }
}
