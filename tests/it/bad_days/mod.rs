//! Bad days: the network, the provider, the shoppers and the machine at their worst. The campaign ends right all the
//! same, nobody is charged or refunded twice, and the books agree at each stage.

mod colleagues;
#[cfg(feature = "postgres")]
mod commits;
mod crashes;
mod disputes;
mod each_step;
mod faults;
mod pages;
mod races;
mod refunds;
mod restore;
mod restored_changes;
mod restored_waiting;
mod simulation;
mod supplier;
mod unknown;
mod webhooks;

use muster::domain::ids::OrderId;

use crate::support::shop::Shop;

/// Each order stands at the provider as in the books: one movement there for one here.
async fn agrees(shop: &Shop, orders: &[OrderId]) {
    shop.audit().await;
    for id in orders {
        let order = shop.order(*id).await;
        assert_eq!(
            shop.at_provider(*id).await,
            (order.charged, order.refunded),
            "charged and refunded at the provider and here: {order:#?}"
        );
    }
}
