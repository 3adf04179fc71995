//! What will never come is refunded, newest payment first.

use muster::domain::campaign::{BatchState, CampaignState};
use muster::domain::order::OrderState;
use muster::domain::payment::RefundPurpose;
use muster::domain::purchase_order::PurchaseOrderState;
use muster::domain::shipment::DeliveredBy;
use muster::workflows::ship::{self, When};

use super::scene::{ONE, SOME, conflict, count, ordered, wrong};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn the_newest_payments_that_get_nothing_are_refunded_and_told(db: TestDatabase) {
        let shop = Shop::open(db).await;
        // Ten sets at 80.00, shipping 5.00 an order.
        let scene = ordered(&shop, &[(4, 0, ONE), (3, 1, ONE), (3, 0, ONE)]).await;
        scene.arrive(&shop, 6, 1).await;
        let declared = scene.declare_short(&shop, "set", 4).await.unwrap();
        assert_eq!((declared[0].short, declared[0].refunded), (4, 4));
        shop.settle().await;
        shop.advance(chrono::Duration::minutes(1)).await;
        let last = shop.order(scene.orders[2]).await;
        assert_eq!((last.state, last.refunded), (OrderState::Cancelled, last.charged), "shipping included");
        let second = shop.order(scene.orders[1]).await;
        assert_eq!(second.state, OrderState::Backordered);
        let short: Vec<_> = shop.refunds(second.id).await.into_iter().filter(|r| r.purpose == RefundPurpose::Short).collect();
        assert_eq!(short.iter().map(|r| r.amount).collect::<Vec<_>>(), [8000]);
        assert_eq!(scene.line(&shop, 1, "set").await.units().unallocated(), 0, "what is left of it is there");
        assert_eq!(shop.order(scene.orders[0]).await.refund_due, 0);
        for (n, words) in [(1, "$80.00 goes back"), (2, "goes back")] {
            let mails = shop.mail_to(&format!("s{n}@mail.example")).await;
            assert!(mails.iter().any(|m| m.contains("will not arrive") && m.contains(words)), "{mails:?}");
        }
        assert_eq!(shop.purchase_orders(&scene.campaign).await[0].state, PurchaseOrderState::Received);
        assert_eq!(scene.stock(&shop, "set").await.short_due, 0);
        shop.audit().await;
        shop.close().await;
    }

    async fn what_only_safety_units_miss_refunds_nobody(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 0, ONE)]).await;
        scene.arrive(&shop, 1, 0).await;
        // One more is still expected, and one of it is given up: the line gets nothing.
        assert_eq!(scene.declare_short(&shop, "set", 1).await.unwrap()[0].refunded, 1);
        shop.settle().await;
        assert_eq!(shop.order(scene.orders[0]).await.state, OrderState::Backordered);
        assert_eq!(scene.line(&shop, 0, "set").await.cancelled, 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn damaged_units_can_be_given_up(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(1, 0, ONE), (1, 0, ONE)]).await;
        scene.receive(&shop, count(&[("set", 1, 1)])).await.unwrap();
        assert_eq!(wrong(scene.declare_short(&shop, "set", 2).await), ["lines[0].quantity"]);
        assert_eq!(scene.declare_short(&shop, "set", 1).await.unwrap()[0].refunded, 1);
        shop.settle().await;
        assert_eq!(shop.order(scene.orders[1]).await.state, OrderState::Cancelled);
        assert_eq!(shop.order(scene.orders[0]).await.state, OrderState::Backordered);
        shop.audit().await;
        shop.close().await;
    }

    async fn wrong_declarations_are_told(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 0, ONE)]).await;
        assert_eq!(wrong(scene.declare_short(&shop, "mug", 1).await), ["lines[0].sku"]);
        assert_eq!(wrong(scene.declare_short(&shop, "set", 0).await), ["lines[0].quantity"]);
        assert_eq!(wrong(scene.declare_short(&shop, "set", 3).await), ["lines[0].quantity"]);
        assert_eq!(wrong(scene.declare_short(&shop, "cup", 1).await), ["lines[0].quantity"], "nothing of it is awaited");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_hundred_orders_are_refunded_some_at_a_time(db: TestDatabase) {
        let shop = Shop::open(db.in_memory()).await;
        let wishes = vec![(1, 0, ONE); 60];
        let scene = ordered(&shop, &wishes).await;
        scene.declare_short(&shop, "set", 60).await.unwrap();
        shop.settle().await;
        shop.advance(chrono::Duration::minutes(1)).await;
        for id in &scene.orders {
            let order = shop.order(*id).await;
            assert_eq!((order.state, order.refunded), (OrderState::Cancelled, order.charged));
        }
        shop.audit().await;
        shop.close().await;
    }

    async fn a_batch_is_completed_when_all_arrived_and_nothing_is_awaited(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(1, 0, SOME), (1, 0, ONE)]).await;
        scene.arrive(&shop, 1, 0).await;
        let parcel = scene.send(&shop, 0, &[("set", 1)], When::Now).await.unwrap();
        let merchant = shop.merchant;
        shop.write(move |_, tx| ship::arrived(tx, merchant, parcel.id, None, DeliveredBy::Staff, "Ines")).await.unwrap();
        assert_eq!(shop.order(scene.orders[0]).await.state, OrderState::Delivered);
        shop.expect_state(&scene.campaign, CampaignState::Fulfilling).await;
        scene.declare_short(&shop, "set", 1).await.unwrap();
        shop.settle().await;
        shop.advance(chrono::Duration::minutes(1)).await;
        shop.expect_state(&scene.campaign, CampaignState::Completed).await;
        assert_eq!(shop.batch(&scene.campaign).await.state, BatchState::Completed);
        assert_eq!(conflict(scene.declare_short(&shop, "set", 1).await), "wrong-state");
        shop.audit().await;
        shop.close().await;
    }
}
