//! Orders, their lines and their money's states (domain sections 1 and 4).

use super::words::{WrongState, words};

words! {
    /// Where an order stands.
    OrderState {
        Pending = "pending",
        Confirmed = "confirmed",
        Waitlisted = "waitlisted",
        Backordered = "backordered",
        PartlyShipped = "partly_shipped",
        Shipped = "shipped",
        Delivered = "delivered",
        Cancelled = "cancelled",
        Expired = "expired",
    }
}

words! {
    /// Where an order's money stands. `partly_refunded` where money is kept.
    PaymentState {
        Unpaid = "unpaid",
        Saved = "saved",
        DepositPaid = "deposit_paid",
        Paid = "paid",
        Refunding = "refunding",
        PartlyRefunded = "partly_refunded",
        Refunded = "refunded",
        Failed = "failed",
        Disputed = "disputed",
    }
}

words! {
    /// Where one option x quantity of an order stands.
    LineState {
        Held = "held",
        Confirmed = "confirmed",
        Dropped = "dropped",
        Backordered = "backordered",
        Allocated = "allocated",
        Picked = "picked",
        Shipped = "shipped",
        Delivered = "delivered",
        Cancelled = "cancelled",
        Refunded = "refunded",
    }
}

words! {
    /// How a shopper wants the parcels (domain section 5).
    Delivery {
        OneParcel = "one_parcel",
        AsAvailable = "as_available",
    }
}

/// What can happen to an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderEvent {
    /// Its money was captured while it was held, or later while there was room.
    Paid,
    /// Its payment page ended unpaid.
    RanOut,
    /// The shopper or staff cancelled it, a dispute did, or its campaign failed.
    Cancelled,
    /// The purchase order it belongs to was sent.
    Ordered,
}

impl OrderState {
    /// The state after an event.
    ///
    /// # Errors
    /// [`WrongState`] where the event does not apply, which names both.
    pub fn after(self, event: OrderEvent) -> Result<OrderState, WrongState> {
        use OrderEvent as E;
        use OrderState as S;
        match (self, event) {
            (S::Pending | S::Expired, E::Paid) => Ok(S::Confirmed),
            (S::Pending, E::RanOut) => Ok(S::Expired),
            (S::Pending | S::Confirmed | S::Waitlisted | S::Backordered, E::Cancelled) => {
                Ok(S::Cancelled)
            }
            (S::Confirmed, E::Ordered) => Ok(S::Backordered),
            (
                S::Pending
                | S::Confirmed
                | S::Waitlisted
                | S::Backordered
                | S::PartlyShipped
                | S::Shipped
                | S::Delivered
                | S::Cancelled
                | S::Expired,
                _,
            ) => Err(WrongState {
                what: "order",
                state: self.as_str(),
                event: format!("{event:?}"),
            }),
        }
    }

    /// Whether the order still wants its goods.
    pub fn is_live(self) -> bool {
        !matches!(self, OrderState::Cancelled | OrderState::Expired)
    }
}

/// An order's money in whole minor units of its currency: what the payment state is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OrderMoney {
    /// Captured at the provider.
    pub charged: i64,
    /// Committed to go back, not done.
    pub refund_due: i64,
    /// Gone back.
    pub refunded: i64,
    /// Lost in disputes.
    pub lost: i64,
}

impl OrderMoney {
    /// What the merchant keeps: charged - refunded - due back - lost in disputes.
    pub fn kept(self) -> i64 {
        self.charged - self.refund_due - self.refunded - self.lost
    }

    /// The payment state these sums stand for. `disputed` and `failed` refunds are said by the caller, who knows
    /// of open disputes and of refunds that need another way.
    pub fn state(self, dispute_open: bool, refund_failed: bool) -> PaymentState {
        if dispute_open {
            PaymentState::Disputed
        } else if refund_failed {
            PaymentState::Failed
        } else if self.charged == 0 {
            PaymentState::Unpaid
        } else if self.refund_due > 0 {
            PaymentState::Refunding
        } else if self.refunded > 0 && self.kept() > 0 {
            PaymentState::PartlyRefunded
        } else if self.refunded > 0 || self.lost > 0 {
            PaymentState::Refunded
        } else {
            PaymentState::Paid
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_paid_then_goes_with_the_purchase_order() {
        let paid = OrderState::Pending.after(OrderEvent::Paid).unwrap();
        assert_eq!(paid.after(OrderEvent::Ordered), Ok(OrderState::Backordered));
    }

    #[test]
    fn a_cancelled_order_takes_nothing_more() {
        for event in [
            OrderEvent::Paid,
            OrderEvent::RanOut,
            OrderEvent::Cancelled,
            OrderEvent::Ordered,
        ] {
            assert!(OrderState::Cancelled.after(event).is_err());
        }
    }

    #[test]
    fn the_payment_state_follows_the_sums() {
        let money = |charged, refund_due, refunded, lost| OrderMoney {
            charged,
            refund_due,
            refunded,
            lost,
        };
        assert_eq!(money(0, 0, 0, 0).state(false, false), PaymentState::Unpaid);
        assert_eq!(money(9, 0, 0, 0).state(false, false), PaymentState::Paid);
        assert_eq!(
            money(9, 2, 0, 0).state(false, false),
            PaymentState::Refunding
        );
        assert_eq!(
            money(9, 0, 2, 0).state(false, false),
            PaymentState::PartlyRefunded
        );
        assert_eq!(
            money(9, 0, 9, 0).state(false, false),
            PaymentState::Refunded
        );
        assert_eq!(money(9, 0, 0, 0).state(true, false), PaymentState::Disputed);
    }
}
