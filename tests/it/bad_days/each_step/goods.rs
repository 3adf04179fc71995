//! The stories of goods that move money: a handover, what will never come, a handover that becomes known after the
//! cancellation.

use chrono::{DateTime, Duration, Utc};
use muster::domain::ledger::Account;
use muster::domain::order::OrderState;
use muster::domain::shipment::ShipmentState;
use muster::store::journal;

use super::people::{ended, wait_until};
use super::{at_each_step, movements};
use crate::goods::scene::{ONE, SOME, Scene, hand_over, ordered};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

async fn balance(shop: &Shop, scene: &Scene, account: Account) -> i64 {
    let id = scene.orders[0];
    shop.read(move |c| journal::balance_of_order(c, id, account.as_str()))
        .await
}

both_databases! {
    async fn a_parcel_is_packed_handed_over_and_arrives(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let scene = ordered(shop, &[(1, 1, ONE)]).await;
            scene.arrive(shop, 1, 1).await;
            (scene, shop.now())
        };
        at_each_step(db, before, async |shop: &Shop, (scene, start): &(Scene, DateTime<Utc>)| {
            scene.pick(shop).await;
            let parcels = scene.parcels(shop, 0).await;
            assert_eq!(parcels.len(), 1, "packed once");
            hand_over(shop, parcels[0].id, None).await.unwrap();
            wait_until(shop, *start + Duration::days(21) + Duration::hours(1)).await;
            assert_eq!(shop.order(scene.orders[0]).await.state, OrderState::Delivered);
            let paid = shop.order(scene.orders[0]).await.charged;
            let booked = balance(shop, scene, Account::RevenueGoods).await
                + balance(shop, scene, Account::RevenueShipping).await
                + balance(shop, scene, Account::TaxPayable).await;
            assert_eq!((booked, balance(shop, scene, Account::CustomerDeposits).await), (-paid, 0));
            let mails = shop.mail_to("s0@mail.example").await;
            assert_eq!(mails.iter().filter(|m| m.contains("on its way")).count(), 1);
        }).await;
    }

    async fn what_will_never_come_is_refunded(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let scene = ordered(shop, &[(2, 0, ONE), (2, 0, ONE)]).await;
            scene.arrive(shop, 1, 0).await;
            scene
        };
        at_each_step(db, before, async |shop: &Shop, scene: &Scene| {
            if scene.stock(shop, "set").await.short == 0 {
                scene.declare_short(shop, "set", 3).await.unwrap();
            }
            shop.settle().await;
            shop.advance(Duration::minutes(2)).await;
            // The newest gets nothing, shipping included; the oldest keeps the one that came.
            ended(shop, scene.orders[1], OrderState::Cancelled, [20500, 20500, 0]).await;
            ended(shop, scene.orders[0], OrderState::Backordered, [20500, 10000, 0]).await;
            for n in [0, 1] {
                let mails = shop.mail_to(&format!("s{n}@mail.example")).await;
                assert_eq!(mails.iter().filter(|m| m.contains("will not arrive")).count(), 1, "{mails:?}");
            }
        }).await;
    }

    async fn a_handover_becomes_known_after_the_cancellation(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let scene = ordered(shop, &[(1, 0, SOME), (1, 0, SOME)]).await;
            scene.arrive(shop, 1, 0).await;
            scene.pick(shop).await;
            shop.advance(Duration::hours(1)).await;
            let taken = shop.now();
            shop.advance(Duration::hours(1)).await;
            (scene, taken)
        };
        at_each_step(db, before, async |shop: &Shop, (scene, taken): &(Scene, DateTime<Utc>)| {
            let id = scene.orders[0];
            let parcel = scene.parcels(shop, 0).await.remove(0);
            if parcel.state == ShipmentState::Picked {
                scene.cancel(shop, 0, &[]).await;
            }
            if scene.parcels(shop, 0).await[0].state == ShipmentState::Stopped {
                hand_over(shop, parcel.id, Some(*taken)).await.unwrap();
            }
            shop.settle().await;
            shop.advance(Duration::minutes(2)).await;
            // Whether the refund was on its way when it became known depends on when the program died.
            let (_, refunds) = movements(shop, id).await;
            let loss = balance(shop, scene, Account::MerchantLoss).await;
            if refunds.is_empty() {
                ended(shop, id, OrderState::Shipped, [10500, 0, 0]).await;
                assert_eq!(loss, 0);
            } else {
                ended(shop, id, OrderState::Cancelled, [10500, 10500, 0]).await;
                assert_eq!(loss, 10500);
            }
            assert_eq!(scene.units(shop, 0, "set").await, (1, 0, 1, 0));
            assert_eq!(scene.units(shop, 1, "set").await.0, 0, "it went out: nobody else has it");
        }).await;
    }
}
