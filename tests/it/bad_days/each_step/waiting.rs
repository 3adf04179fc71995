//! A sold-out option: a hold runs out, who waited is offered the units, takes them and pays.

use chrono::Duration;
use muster::domain::order::OrderState;
use muster::store::waiting;
use muster::workflows::join::Accepted;

use super::at_each_step;
use super::people::{ended, pays, wait_until};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};
use crate::waiting::{five, waits};

both_databases! {
    async fn units_that_came_free_are_offered_once_taken_once_and_paid_once(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let campaign = shop.publish(five(shop)).await;
            let held = shop.join(&campaign, "held@mail.example", 5).await.order.id;
            shop.settle().await;
            let order = waits(shop, &campaign, "bo@mail.example", 2).await;
            (held, order, shop.now())
        };
        at_each_step(db, before, async |shop: &Shop, (held, order, began)| {
            wait_until(shop, *began + Duration::hours(1)).await;
            let id = *order;
            let place = shop.read(move |c| waiting::of_order(c, id)).await.expect("a place");
            assert!(place.offered_at.is_some());
            // Pressed again after a crash: the second time nothing more happens.
            let accepted = Accepted { total: Some(20_000), terms_version: Some(1), from: "127.0.0.1".into() };
            shop.write(move |desk, tx| muster::workflows::waiting::accept(desk, tx, id, &accepted))
                .await
                .expect("it is offered");
            shop.settle().await;
            pays(shop, *order, GOOD_CARD).await;
            ended(shop, *order, OrderState::Confirmed, [20_000, 0, 0]).await;
            ended(shop, *held, OrderState::Expired, [0, 0, 0]).await;
        }).await;
    }
}
