//! An order leaves: by its shopper, by staff, or by a dispute (domain sections 2 and 4).

use chrono::{DateTime, Utc};

use super::desk::{Concerns, Desk, Problem, happened, lock_campaign, merchant, offer};
use super::judgement::look_again;
use super::letters::{Letter, WhyCancelled};
use super::money::{self, nonzero_said};
use super::notices;
use super::part::{release, say_back};
use super::payment::{close_pages, free};
use super::stock_sale;
use super::{cards, collect, counts, waiting};
use crate::domain::campaign::CampaignState;
use crate::domain::ids::OrderId;
use crate::domain::order::{OrderEvent, OrderState};
use crate::domain::payment::RefundPurpose;
use crate::store::campaigns::CampaignRow;
use crate::store::orders::OrderRow;
use crate::store::{Conn, Tx, orders};

/// Who cancels, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// The shopper.
    Shopper,
    /// A person of the staff, with a reason.
    Staff {
        /// The person's name.
        name: String,
        /// Why, as the shopper reads it.
        reason: String,
    },
}

/// Whether the shopper can still cancel with a full refund: until the purchase order is sent, or, where it is an order
/// from stock, until it is picked, which the cancelling itself looks at. Who waits may leave at any time.
pub fn can_cancel(order: &OrderRow, campaign: &CampaignRow) -> bool {
    let free = matches!(order.state, OrderState::Pending | OrderState::Confirmed)
        && matches!(
            campaign.state,
            CampaignState::Open | CampaignState::Collecting
        );
    free || order.state == OrderState::Waitlisted || stock_sale::may_leave(order)
}

/// Whether staff can still cancel the whole order: until something of it is handed over. Of one that is partly shipped
/// the rest is refunded by its units.
pub fn can_staff_cancel(order: &OrderRow, campaign: &CampaignRow) -> bool {
    // Its campaign may still take orders for another batch.
    let with_supplier =
        order.state == OrderState::Backordered && campaign.state != CampaignState::Failed;
    can_cancel(order, campaign) || with_supplier
}

/// Whether the shopper can cancel after the supplier's order went out: from the first offer to wait on, until everything
/// is handed over (domain section 6).
///
/// # Errors
/// What the database says.
pub fn may_cancel_late(
    conn: &mut Conn,
    order: &OrderRow,
    now: DateTime<Utc>,
) -> Result<bool, Problem> {
    notices::may_cancel(conn, order, now)
}

/// Cancels an order with a full refund; of one that is partly shipped, the rest. Cancelling twice is answered as the
/// first time.
///
/// # Errors
/// A conflict once the purchase order was sent, unless its ship date moved; for staff, once something of it was handed
/// over.
pub fn cancel(desk: &Desk, tx: &mut Tx, id: OrderId, by: &By) -> Result<OrderRow, Problem> {
    let order = orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
    let campaign = lock_campaign(tx, order.campaign_id)?;
    let mut order = orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
    if matches!(order.state, OrderState::Cancelled | OrderState::Expired) {
        return Ok(order);
    }
    let free = can_cancel(&order, &campaign);
    let allowed = match by {
        By::Shopper => free,
        By::Staff { .. } => can_staff_cancel(&order, &campaign),
    };
    if !allowed && *by == By::Shopper && may_cancel_late(tx.conn, &order, tx.now)? {
        notices::cancelled_by_shopper(desk, tx, &mut order)?;
        return Ok(order);
    }
    if !allowed {
        return Err(Problem::conflict(
            "order-sent-to-supplier",
            match by {
                By::Shopper => {
                    "The supplier's order was sent, so this order cannot be cancelled here any more. Write to the seller."
                }
                By::Staff { .. } => {
                    "This order cannot be cancelled as a whole any more: something of it was handed over, or it is closed. Refund its units that were not shipped."
                }
            },
        ));
    }
    let by_shopper = matches!(by, By::Shopper);
    if by_shopper && stock_sale::may_leave(&order) && !stock_sale::is_unpicked(tx, &order)? {
        return Err(Problem::conflict(
            "order-picked",
            "This order is packed already, so it cannot be cancelled here any more. Write to the seller.",
        ));
    }
    let (actor, detail) = match by {
        By::Shopper => ("shopper", "Cancelled by the shopper.".to_owned()),
        By::Staff { name, reason } => (name.as_str(), format!("Cancelled by staff: {reason}")),
    };
    // The merchant says that it will not be shipped: refunded at once (16 CFR 435.2(c)(4)).
    let purpose = if free {
        RefundPurpose::Shopper
    } else {
        RefundPurpose::Cancelled
    };
    let back = leave(tx, &campaign, &mut order, purpose)?;
    order.note = Some(detail.clone());
    money::keep(tx, &mut order)?;
    happened(tx, Concerns::order(&order), actor, "cancelled", detail)?;
    let merchant = merchant(tx, order.merchant_id)?;
    let draft = offer(&campaign)?;
    let letter = Letter::Cancelled {
        about: desk.about(&merchant, &campaign, &draft, &order),
        why: match by {
            By::Shopper => WhyCancelled::Shopper,
            By::Staff { reason, .. } => WhyCancelled::Staff(reason.clone()),
        },
        back: nonzero_said(back, &order.currency),
    };
    desk.tell_shopper(tx, &merchant, &order, "cancelled", letter)?;
    Ok(order)
}

/// Takes an order out of its batch and commits the refund of all that it paid; how much that is. Its units count no
/// longer; those of an open payment page are freed when the provider says that the page is closed.
///
/// # Errors
/// What the database says.
pub fn leave(
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &mut OrderRow,
    purpose: RefundPurpose,
) -> Result<i64, Problem> {
    let now = tx.now.naive_utc();
    let before = order.state;
    order.state = order.state.after(OrderEvent::Cancelled)?;
    order.closed_at = Some(now);
    let open = close_pages(tx, order.id)?;
    collect::drop_due(tx, order.id)?;
    cards::let_go(tx, order.id)?;
    if before == OrderState::Pending {
        orders::mark_cancelled(tx.conn, order.id)?;
        if open == 0 && order.units_taken {
            free(tx, order)?;
        }
    } else if before == OrderState::Waitlisted {
        waiting::left(tx, order)?;
    } else {
        let mut lines = orders::lines_of(tx.conn, order.id)?;
        let leaving: Vec<_> = lines
            .iter()
            .map(|l| (l.option_id, l.units().unshipped()))
            .collect();
        counts::leave(tx, order, &leaving, true)?;
        release(tx, order, &mut lines, &leaving, purpose)?;
        order.units_taken = false;
        order.collected = false;
    }
    tx.touch(campaign.id);
    look_again(tx, campaign)?;
    let back = money::refund_rest(tx, order, purpose)?;
    say_back(tx, order, back)?;
    Ok(back)
}
