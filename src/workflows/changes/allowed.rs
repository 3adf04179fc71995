//! Whether an order may be changed now, and where it goes with it.

use chrono::{DateTime, Utc};

use super::super::change::locked;
use super::super::claims::{self, Who};
use super::super::desk::{Problem, takes_orders};
use super::super::stock_sale::is_from_stock;
use super::under_way;
use crate::domain::campaign::BatchState;
use crate::domain::ids::OrderId;
use crate::domain::order::OrderState;
use crate::domain::payment::DisputeState;
use crate::store::campaigns::CampaignRow;
use crate::store::orders::OrderRow;
use crate::store::{Conn, campaigns, changes, refunds};

/// Whether address and parcels of an order may be changed still.
///
/// # Errors
/// Why not.
pub(super) fn parcels_may_change(
    conn: &mut Conn,
    id: OrderId,
    who: &Who,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let case = claims::read(conn, id)?;
    let batch = campaigns::batch(conn, case.order.batch_id)?;
    match locked(&case, batch.as_ref(), who, now) {
        Some(why) => Err(Problem::conflict("order-packed", why)),
        None => Ok(()),
    }
}

/// Whether an order may be changed now; what to do, where it may not.
///
/// # Errors
/// Why not.
pub(super) fn allowed(
    conn: &mut Conn,
    order: &OrderRow,
    campaign: &CampaignRow,
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let refuse = |kind, say: &str| Err(Problem::conflict(kind, say));
    if is_from_stock(order) {
        return refuse(
            "order-from-stock",
            "What is there already cannot be changed. Cancel it while it is not packed, and order again.",
        );
    }
    match order.state {
        OrderState::Confirmed => {}
        OrderState::Pending => {
            return refuse(
                "order-not-paid",
                "This order is not paid yet. Pay it first, or cancel it and join again.",
            );
        }
        OrderState::Cancelled | OrderState::Expired => {
            return refuse(
                "order-ended",
                "This order has ended. Join again to order something else.",
            );
        }
        OrderState::Waitlisted => {
            return refuse(
                "order-waits",
                "This order waits for units and is not placed yet. Leave the list and go on it again to wait for something else.",
            );
        }
        OrderState::Backordered
        | OrderState::PartlyShipped
        | OrderState::Shipped
        | OrderState::Delivered => {
            return refuse(
                "order-sent-to-supplier",
                "The supplier's order was sent, so what you ordered cannot be changed here any more. Write to the seller.",
            );
        }
    }
    let batch = campaigns::batch(conn, order.batch_id)?;
    let gathers = batch.is_some_and(|batch| batch.state == BatchState::Gathering);
    let takes_orders = takes_orders(campaign, now.naive_utc());
    if !gathers && takes_orders {
        return refuse(
            "batch-judged",
            "Your batch has come together, so what you ordered cannot be changed any more. You can still cancel until the supplier's order goes out.",
        );
    }
    if !gathers || !takes_orders {
        return refuse(
            "campaign-closed",
            "Joining has ended, so what you ordered cannot be changed any more. You can still cancel until the supplier's order goes out.",
        );
    }
    let disputes = refunds::disputes_of(conn, order.id)?;
    if disputes.iter().any(|d| d.state == DisputeState::Open) {
        return refuse(
            "order-disputed",
            "A payment of this order is disputed. Until the bank has decided nothing of it can be changed.",
        );
    }
    if changes::under_way(conn, order.id)?.is_some() {
        return Err(under_way());
    }
    Ok(())
}
