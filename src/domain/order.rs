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
    /// Units that came free were offered to it, and its shopper took them.
    Accepted,
    /// Its payment page ended unpaid; it waited, and its offer or its list came to an end.
    RanOut,
    /// The shopper or staff cancelled it, a dispute did, or its campaign failed.
    Cancelled,
    /// The purchase order it belongs to was sent.
    Ordered,
    /// Some of its units were handed over, others are still to come.
    ShippedPart,
    /// All that is left of it was handed over, or the rest of a partly shipped order was cancelled.
    ShippedAll,
    /// All that was handed over arrived.
    Delivered,
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
            (S::Waitlisted, E::Accepted) => Ok(S::Pending),
            (S::Pending | S::Waitlisted, E::RanOut) => Ok(S::Expired),
            (S::Pending | S::Confirmed | S::Waitlisted | S::Backordered, E::Cancelled) => {
                Ok(S::Cancelled)
            }
            (S::Confirmed, E::Ordered) => Ok(S::Backordered),
            (S::Backordered | S::PartlyShipped, E::ShippedPart) => Ok(S::PartlyShipped),
            // Cancelled, or the rest arrived: a handover that was before a cancellation and became known after it.
            (S::Backordered | S::PartlyShipped | S::Cancelled | S::Delivered, E::ShippedAll) => {
                Ok(S::Shipped)
            }
            (S::Shipped | S::Delivered, E::Delivered) => Ok(S::Delivered),
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

    /// The states of orders that are paid and have left nobody's count.
    pub const PAID: [OrderState; 5] = [
        OrderState::Confirmed,
        OrderState::Backordered,
        OrderState::PartlyShipped,
        OrderState::Shipped,
        OrderState::Delivered,
    ];

    /// Whether the order is paid and counts.
    pub fn is_paid(self) -> bool {
        Self::PAID.contains(&self)
    }

    /// Whether the order still waits for goods that were ordered for it.
    pub fn awaits_goods(self) -> bool {
        matches!(
            self,
            OrderState::Confirmed | OrderState::Backordered | OrderState::PartlyShipped
        )
    }

    /// Whether the order still wants its goods.
    pub fn is_live(self) -> bool {
        !matches!(self, OrderState::Cancelled | OrderState::Expired)
    }
}

/// How many units of one line are where. Units that are allocated include those in parcels and those handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineUnits {
    /// Ordered.
    pub quantity: i64,
    /// Not wanted any more.
    pub cancelled: i64,
    /// Given to the line from the batch's stock.
    pub allocated: i64,
    /// In parcels that were not handed over yet.
    pub picked: i64,
    /// Handed over to the carrier.
    pub shipped: i64,
    /// Arrived.
    pub delivered: i64,
}

impl LineUnits {
    /// Units that are paid for and wanted, handed over or not.
    pub fn wanted(self) -> i64 {
        self.quantity - self.cancelled
    }

    /// Units that are wanted and not handed over yet: what a cancellation, a refund or a delay is about.
    pub fn unshipped(self) -> i64 {
        (self.wanted() - self.shipped).max(0)
    }

    /// Units that still wait for stock: the line's backorder.
    pub fn unallocated(self) -> i64 {
        (self.wanted() - self.allocated).max(0)
    }

    /// Units that could be put into a parcel.
    pub fn to_pick(self) -> i64 {
        (self.allocated - self.picked - self.shipped).max(0)
    }

    /// Where the line stands once the purchase order was sent: the least advanced of its units.
    pub fn state(self) -> LineState {
        if self.wanted() == 0 && self.shipped == 0 {
            LineState::Cancelled
        } else if self.unallocated() > 0 {
            LineState::Backordered
        } else if self.to_pick() > 0 {
            LineState::Allocated
        } else if self.picked > 0 {
            LineState::Picked
        } else if self.delivered < self.shipped {
            LineState::Shipped
        } else {
            LineState::Delivered
        }
    }
}

/// What the units of an order's lines say happened to the order since its purchase order was sent, if anything.
pub fn goods_event(lines: &[LineUnits]) -> Option<OrderEvent> {
    let shipped: i64 = lines.iter().map(|l| l.shipped).sum();
    let unshipped: i64 = lines.iter().map(|l| l.unshipped()).sum();
    let delivered: i64 = lines.iter().map(|l| l.delivered).sum();
    match (shipped, unshipped) {
        (0, _) => None,
        (_, 0) if delivered == shipped => Some(OrderEvent::Delivered),
        (_, 0) => Some(OrderEvent::ShippedAll),
        _ => Some(OrderEvent::ShippedPart),
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
    /// A deposit that the merchant keeps for an order that is cancelled.
    pub forfeited: i64,
    /// Not collected yet of its price.
    pub owed: i64,
}

impl OrderMoney {
    /// What is kept for the order: charged - refunded - due back - lost in disputes - forfeited.
    pub fn kept(self) -> i64 {
        self.charged - self.refund_due - self.refunded - self.lost - self.forfeited
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
        } else if self.owed > 0 {
            PaymentState::DepositPaid
        } else if self.refunded > 0 && self.kept() + self.forfeited > 0 {
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
            OrderEvent::ShippedPart,
            OrderEvent::Delivered,
        ] {
            assert!(OrderState::Cancelled.after(event).is_err());
        }
    }

    fn units(quantity: i64, allocated: i64, picked: i64, shipped: i64) -> LineUnits {
        LineUnits {
            quantity,
            allocated,
            picked,
            shipped,
            ..LineUnits::default()
        }
    }

    #[test]
    fn a_line_is_as_far_as_the_last_of_its_units() {
        assert_eq!(units(10, 4, 4, 0).state(), LineState::Backordered);
        assert_eq!(units(10, 10, 4, 0).state(), LineState::Allocated);
        assert_eq!(units(10, 10, 4, 6).state(), LineState::Picked);
        assert_eq!(units(10, 10, 0, 10).state(), LineState::Shipped);
        let rest_cancelled = LineUnits {
            cancelled: 6,
            ..units(10, 4, 0, 4)
        };
        assert_eq!(rest_cancelled.state(), LineState::Shipped);
        assert_eq!(rest_cancelled.unshipped(), 0);
        let none = LineUnits {
            cancelled: 10,
            ..units(10, 0, 0, 0)
        };
        assert_eq!(none.state(), LineState::Cancelled);
    }

    #[test]
    fn an_order_is_shipped_when_nothing_of_it_is_still_to_come() {
        assert_eq!(goods_event(&[units(2, 2, 2, 0), units(1, 1, 1, 0)]), None);
        assert_eq!(
            goods_event(&[units(2, 2, 0, 2), units(1, 1, 1, 0)]),
            Some(OrderEvent::ShippedPart)
        );
        let rest_cancelled = LineUnits {
            cancelled: 1,
            ..units(1, 0, 0, 0)
        };
        assert_eq!(
            goods_event(&[units(2, 2, 0, 2), rest_cancelled]),
            Some(OrderEvent::ShippedAll)
        );
        let arrived = LineUnits {
            delivered: 2,
            ..units(2, 2, 0, 2)
        };
        assert_eq!(goods_event(&[arrived]), Some(OrderEvent::Delivered));
    }

    #[test]
    fn the_payment_state_follows_the_sums() {
        let money = |charged, refund_due, refunded, lost| OrderMoney {
            charged,
            refund_due,
            refunded,
            lost,
            ..OrderMoney::default()
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
