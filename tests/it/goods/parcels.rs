//! Parcels are packed, handed over, and arrive.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::ledger::Account;
use muster::domain::order::{LineState, OrderState};
use muster::domain::shipment::{DeliveredBy, ShipmentState};
use muster::store::{journal, shipments};
use muster::workflows::ship::{self, When};

use super::scene::{ONE, SOME, conflict, hand_over, ordered, wrong};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

async fn balance(shop: &Shop, order: muster::domain::ids::OrderId, account: Account) -> i64 {
    shop.read(move |c| journal::balance_of_order(c, order, account.as_str()))
        .await
}

both_databases! {
    async fn what_is_there_is_packed_as_each_shopper_chose(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 0, ONE), (2, 0, SOME), (2, 0, ONE), (1, 0, SOME)]).await;
        scene.arrive(&shop, 5, 0).await;
        // 2, 2, 1 of 2, 0: the third wants one parcel.
        assert_eq!(scene.pick(&shop).await, 2);
        assert_eq!(scene.pick(&shop).await, 0, "they are packed");
        assert_eq!(scene.units(&shop, 0, "set").await, (2, 2, 0, 0));
        assert_eq!(scene.line(&shop, 0, "set").await.state, LineState::Picked);
        assert!(scene.parcels(&shop, 2).await.is_empty());
        let numbers: Vec<i64> = [0, 1].map(|n| n + 1).to_vec();
        let mut seen = Vec::new();
        for order in [0, 1] {
            seen.push(scene.parcels(&shop, order).await[0].number);
        }
        assert_eq!(seen, numbers, "numbered without gaps");
        shop.audit().await;
        scene.arrive(&shop, 2, 0).await;
        assert_eq!(scene.pick(&shop).await, 2);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_handover_turns_the_deposit_into_revenue_and_tax(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 1, SOME)]).await;
        let id = scene.orders[0];
        let paid = -balance(&shop, id, Account::CustomerDeposits).await;
        // Joined at 100.00 and 19.99; judged at three units, the first step: nothing goes back.
        assert_eq!(paid, 20000 + 1999 + 500);
        scene.arrive(&shop, 1, 1).await;
        let first = scene.send(&shop, 0, &[("set", 1)], When::Now).await.unwrap();
        assert_eq!(first.state, ShipmentState::HandedOver);
        // 100.00 with 18.70 tax in it, and shipping 5.00 with 0.93: 23 % included, half up.
        assert_eq!(balance(&shop, id, Account::RevenueGoods).await, -8130);
        assert_eq!(balance(&shop, id, Account::RevenueShipping).await, -407);
        assert_eq!(balance(&shop, id, Account::TaxPayable).await, -(1870 + 93));
        assert_eq!(shop.order(id).await.state, OrderState::PartlyShipped);
        shop.audit().await;
        scene.send(&shop, 0, &[("cup", 1)], When::Now).await.unwrap();
        scene.arrive(&shop, 1, 0).await;
        scene.send(&shop, 0, &[("set", 1)], When::Now).await.unwrap();
        assert_eq!(shop.order(id).await.state, OrderState::Shipped);
        assert_eq!(balance(&shop, id, Account::CustomerDeposits).await, 0, "nothing is owed any more");
        shop.settle().await;
        let mails = shop.mail_to("s0@mail.example").await;
        assert_eq!(mails.iter().filter(|m| m.contains("is on its way with UPS")).count(), 3, "{mails:?}");
        shop.audit().await;
        shop.close().await;
    }

    async fn who_wants_one_parcel_gets_one(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 1, ONE)]).await;
        scene.arrive(&shop, 2, 1).await;
        assert_eq!(conflict(scene.send(&shop, 0, &[("set", 2)], When::Now).await), "one-parcel");
        scene.send(&shop, 0, &[("set", 2), ("cup", 1)], When::Now).await.unwrap();
        assert_eq!(shop.order(scene.orders[0]).await.state, OrderState::Shipped);
        shop.audit().await;
        shop.close().await;
    }

    async fn what_cannot_be_sent_is_refused_with_the_reason(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 0, SOME)]).await;
        assert_eq!(conflict(scene.send(&shop, 0, &[("set", 1)], When::Now).await), "not-allocated");
        scene.arrive(&shop, 1, 0).await;
        assert_eq!(wrong(scene.send(&shop, 0, &[("mug", 1), ("set", 0), ("set", 9)], When::Now).await),
            ["lines[0].sku", "lines[1].quantity", "lines[2].quantity"]);
        assert_eq!(conflict(scene.send(&shop, 0, &[("set", 2)], When::Now).await), "not-allocated");
        let future = When::At(shop.now() + Duration::hours(1));
        assert_eq!(wrong(scene.send(&shop, 0, &[("set", 1)], future).await), ["handed_over_at"]);
        let before_paid = When::At(shop.now() - Duration::days(30));
        assert_eq!(wrong(scene.send(&shop, 0, &[("set", 1)], before_paid).await), ["handed_over_at"]);
        let pending = shop.publish(shop.example_a()).await;
        let unpaid = shop.join(&pending, "u@mail.example", 1).await.order.id;
        let early = super::scene::Scene { campaign: pending, batch: scene.batch, orders: vec![unpaid] };
        assert_eq!(conflict(early.send(&shop, 0, &[("set", 1)], When::Now).await), "wrong-state");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_packed_parcel_is_handed_over_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(1, 0, ONE)]).await;
        scene.arrive(&shop, 1, 0).await;
        let packed = scene.send(&shop, 0, &[("set", 1)], When::NotYet).await.unwrap();
        assert_eq!((packed.state, packed.handed_over_at), (ShipmentState::Picked, None));
        // A program that says the same again means the same parcel.
        let sent = scene.send(&shop, 0, &[("set", 1)], When::Now).await.unwrap();
        assert_eq!((sent.id, sent.state), (packed.id, ShipmentState::HandedOver));
        let again = hand_over(&shop, packed.id, None).await.unwrap();
        assert_eq!(again.handed_over_at, sent.handed_over_at);
        shop.advance(Duration::hours(3)).await;
        assert_eq!(conflict(hand_over(&shop, packed.id, Some(shop.now())).await), "already-handed-over");
        shop.settle().await;
        let mails = shop.mail_to("s0@mail.example").await;
        assert_eq!(mails.iter().filter(|m| m.contains("on its way")).count(), 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_parcel_of_which_nobody_says_anything_counts_as_arrived_after_21_days(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(1, 0, ONE), (1, 0, ONE)]).await;
        scene.arrive(&shop, 2, 0).await;
        let first = scene.send(&shop, 0, &[("set", 1)], When::Now).await.unwrap();
        let merchant = shop.merchant;
        let early = Some(shop.now() - Duration::days(1));
        let id = first.id;
        assert_eq!(wrong(shop.write(move |_, tx| ship::arrived(tx, merchant, id, early, DeliveredBy::Staff, "Ines")).await), ["delivered_at"]);
        shop.advance(Duration::days(3)).await;
        scene.send(&shop, 1, &[("set", 1)], When::Now).await.unwrap();
        shop.advance(Duration::days(17)).await;
        assert_eq!(shop.order(scene.orders[0]).await.state, OrderState::Shipped);
        shop.advance(Duration::days(1) + Duration::minutes(1)).await;
        assert_eq!(shop.order(scene.orders[0]).await.state, OrderState::Delivered);
        assert_eq!(shop.order(scene.orders[1]).await.state, OrderState::Shipped);
        shop.expect_state(&scene.campaign, CampaignState::Fulfilling).await;
        shop.advance(Duration::days(3)).await;
        assert_eq!(shop.order(scene.orders[1]).await.state, OrderState::Delivered);
        let row = shop.read(move |c| shipments::by_id(c, id)).await.unwrap();
        assert_eq!(row.delivered_by, Some(DeliveredBy::Assumed));
        shop.expect_state(&scene.campaign, CampaignState::Completed).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn a_cancelled_part_frees_its_stock_for_who_waits(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 0, SOME), (1, 0, SOME)]).await;
        scene.arrive(&shop, 2, 0).await;
        assert_eq!(scene.units(&shop, 1, "set").await.0, 0);
        scene.cancel(&shop, 0, &[("set", 1)]).await;
        shop.settle().await;
        assert_eq!(scene.units(&shop, 0, "set").await.0, 1);
        assert_eq!(scene.units(&shop, 1, "set").await.0, 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn the_shopper_says_on_the_page_that_it_arrived(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(1, 0, ONE)]).await;
        let id = scene.orders[0];
        let path = shop.running.app.office.desk().links.order_path(id);
        let page = async |path: &str| shop.http.get(shop.url(path)).send().await.unwrap().text().await.unwrap();
        assert!(!page(&path).await.contains("Your goods"));
        scene.arrive(&shop, 1, 0).await;
        let seen = page(&path).await;
        assert!(seen.contains("Your goods") && seen.contains("are packed next"), "{seen}");
        let parcel = scene.send(&shop, 0, &[("set", 1)], When::Now).await.unwrap();
        let seen = page(&path).await;
        assert!(seen.contains("https://www.ups.com/track?tracknum=1Z999") && seen.contains("It arrived"), "{seen}");
        let (base, query) = path.split_once('?').unwrap();
        let arrived = |query: &str, parcel: String| {
            let url = shop.url(&format!("{base}/arrived?{query}"));
            shop.http.post(url).form(&[("parcel", parcel)]).send()
        };
        assert_eq!(arrived("t=nonsense", parcel.id.to_string()).await.unwrap().status(), 404);
        assert_eq!(arrived(query, "x".into()).await.unwrap().status(), 404);
        for _ in 0..2 {
            assert_eq!(arrived(query, parcel.id.to_string()).await.unwrap().status(), 303);
        }
        assert_eq!(shop.order(id).await.state, OrderState::Delivered);
        let row = shop.read(move |c| shipments::by_id(c, parcel.id)).await.unwrap();
        assert_eq!(row.delivered_by, Some(DeliveredBy::Shopper));
        assert!(page(&path).await.contains("You said that the parcel arrived"));
        shop.audit().await;
        shop.close().await;
    }
}
