//! Deliveries are counted, and units go to who paid first.

use chrono::Duration;
use muster::domain::campaign::{BatchState, CampaignState};
use muster::domain::order::{LineState, OrderState};
use muster::domain::purchase_order::PurchaseOrderState;
use muster::workflows::allocate::put_first;
use muster::workflows::receive::Count;
use muster::workflows::stock_sale::put_on_sale;
use serde_json::json;

use super::scene::{ONE, SOME, conflict, count, ordered, wrong};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn the_first_delivery_moves_everything_and_serves_who_paid_first(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(3, 0, SOME), (2, 1, SOME), (1, 0, ONE)]).await;
        let received = scene.arrive(&shop, 4, 1).await;
        assert_eq!((received.receipt.number, received.allocated.units, received.allocated.orders), (1, 5, 2));
        assert_eq!(scene.units(&shop, 0, "set").await, (3, 0, 0, 0));
        assert_eq!(scene.units(&shop, 1, "set").await, (1, 0, 0, 0), "a part of the line");
        assert_eq!(scene.units(&shop, 1, "cup").await, (1, 0, 0, 0));
        assert_eq!(scene.units(&shop, 2, "set").await, (0, 0, 0, 0));
        assert_eq!(scene.line(&shop, 0, "set").await.state, LineState::Allocated);
        assert_eq!(scene.line(&shop, 1, "set").await.state, LineState::Backordered);
        shop.expect_state(&scene.campaign, CampaignState::Fulfilling).await;
        assert_eq!(shop.batch(&scene.campaign).await.state, BatchState::Fulfilling);
        assert_eq!(shop.purchase_orders(&scene.campaign).await[0].state, PurchaseOrderState::PartlyReceived);
        shop.audit().await;

        scene.arrive(&shop, 2, 0).await;
        assert_eq!(scene.units(&shop, 1, "set").await.0, 2);
        assert_eq!(scene.units(&shop, 2, "set").await.0, 1);
        let po = &shop.purchase_orders(&scene.campaign).await[0];
        assert_eq!((po.state, po.received_at.is_some()), (PurchaseOrderState::Received, true));
        assert!(shop.batch(&scene.campaign).await.received_at.is_some());
        shop.audit().await;
        shop.close().await;
    }

    async fn the_same_form_sent_twice_is_one_receipt(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 0, ONE)]).await;
        let once = Count { once: Some("form:1".into()), ..count(&[("set", 1, 0)]) };
        let first = scene.receive(&shop, once.clone()).await.unwrap();
        let again = scene.receive(&shop, once).await.unwrap();
        assert_eq!(first.receipt.id, again.receipt.id);
        assert_eq!(scene.stock(&shop, "set").await.good, 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn more_than_was_ordered_is_asked_about(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 0, ONE)]).await;
        assert_eq!(conflict(scene.receive(&shop, count(&[("set", 3, 0)])).await), "over-ordered");
        assert_eq!(conflict(scene.receive(&shop, count(&[("set", 1, 2)])).await), "over-ordered");
        assert_eq!(scene.stock(&shop, "set").await.good, 0, "nothing was kept");
        let meant = Count { confirm: true, ..count(&[("set", 3, 0)]) };
        scene.receive(&shop, meant).await.unwrap();
        assert_eq!(scene.stock(&shop, "set").await.free(), 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn damaged_units_may_be_replaced_and_are_given_to_nobody(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 0, ONE)]).await;
        scene.receive(&shop, count(&[("set", 1, 1)])).await.unwrap();
        assert_eq!(scene.units(&shop, 0, "set").await.0, 1);
        assert_eq!(scene.stock(&shop, "set").await.awaited(), 0);
        scene.arrive(&shop, 1, 0).await;
        assert_eq!(scene.units(&shop, 0, "set").await.0, 2);
        shop.audit().await;
        shop.close().await;
    }

    async fn wrong_counts_are_told_at_their_fields(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 1, ONE)]).await;
        let fields = wrong(scene.receive(&shop, count(&[("set", -1, 0), ("mug", 1, 0), ("set", 1, 0), ("cup", 0, -2)])).await);
        assert_eq!(fields, ["lines[0].good", "lines[1].sku", "lines[2].sku", "lines[3].damaged"]);
        assert_eq!(wrong(scene.receive(&shop, count(&[])).await), ["lines"]);
        assert_eq!(wrong(scene.receive(&shop, count(&[("set", 0, 0)])).await), ["lines"]);
        let other = ordered(&shop, &[(1, 0, ONE)]).await;
        let foreign = shop.purchase_orders(&other.campaign).await[0].id;
        let named = Count { purchase_order: Some(foreign), ..count(&[("set", 1, 0)]) };
        assert_eq!(wrong(scene.receive(&shop, named).await), ["purchase_order_id"]);
        shop.audit().await;
        shop.close().await;
    }

    async fn nothing_is_counted_before_the_order_went_out(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(1, 0, ONE)]).await;
        let gathering = shop.publish(shop.example_a()).await;
        let batch = shop.batch(&gathering).await.id;
        let early = super::scene::Scene { campaign: gathering, batch, orders: vec![] };
        assert_eq!(conflict(early.receive(&shop, count(&[("set", 1, 0)])).await), "wrong-state");
        shop.audit().await;
        drop(scene);
        shop.close().await;
    }

    async fn a_correction_takes_back_what_was_counted_wrong_and_nothing_that_is_given(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 0, ONE)]).await;
        let five = Count { confirm: true, ..count(&[("set", 5, 0)]) };
        scene.receive(&shop, five).await.unwrap();
        let back = |units: i64, note: Option<&str>| Count {
            correction: true,
            note: note.map(str::to_owned),
            ..count(&[("set", units, 0)])
        };
        assert_eq!(wrong(scene.receive(&shop, back(-1, None)).await), ["note"]);
        assert_eq!(wrong(scene.receive(&shop, back(-4, Some("miscounted"))).await), ["lines[0].good"], "two are given");
        assert_eq!(wrong(scene.receive(&shop, back(-9, Some("miscounted"))).await), ["lines[0].good"], "more than was counted");
        scene.receive(&shop, back(-3, Some("miscounted"))).await.unwrap();
        assert_eq!(scene.stock(&shop, "set").await.good, 2);
        shop.audit().await;
        shop.close().await;
    }

    async fn an_order_put_first_is_served_before_older_payments(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 0, SOME), (2, 0, SOME)]).await;
        let number = shop.order(scene.orders[1]).await.number;
        let (merchant, batch) = (shop.merchant, scene.batch);
        let put = move |number: String, reason: &'static str| {
            shop_write(number, reason, merchant, batch)
        };
        let nobody = shop.write(put("M-99999".into(), "A gift")).await;
        assert_eq!(wrong(nobody), ["order"]);
        assert_eq!(wrong(shop.write(put(format!("M-{number:04}"), " ")).await), ["reason"]);
        shop.write(put(format!("M-{number:04}"), "A birthday")).await.unwrap();
        scene.arrive(&shop, 3, 0).await;
        assert_eq!(scene.units(&shop, 1, "set").await.0, 2);
        assert_eq!(scene.units(&shop, 0, "set").await.0, 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn what_is_left_over_can_be_put_on_sale_and_is_given_to_nobody_then(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 0, ONE)]).await;
        let more = Count { confirm: true, ..count(&[("set", 4, 0)]) };
        scene.receive(&shop, more).await.unwrap();
        let (merchant, batch) = (shop.merchant, scene.batch);
        let sell = move |units: i64| {
            move |_: &muster::workflows::desk::Desk, tx: &mut muster::store::Tx| put_on_sale(tx, merchant, batch, "set", units, "Ines")
        };
        assert_eq!(wrong(shop.write(sell(3)).await), ["units"]);
        shop.write(sell(2)).await.unwrap();
        assert_eq!(scene.stock(&shop, "set").await.on_sale, 2);
        shop.write(sell(0)).await.unwrap();
        assert_eq!(scene.stock(&shop, "set").await.on_sale, 0);
        shop.audit().await;
        shop.close().await;
    }

    async fn an_order_under_dispute_waits_until_it_is_decided(db: TestDatabase) {
        let shop = Shop::open(db).await;
        for outcome in ["won", "lost"] {
            shop.faults(json!({"webhooks": "normal"})).await;
            let scene = disputed(&shop).await;
            scene.arrive(&shop, 2, 0).await;
            assert_eq!(scene.units(&shop, 0, "set").await.0, 0, "frozen");
            assert_eq!(scene.units(&shop, 1, "set").await.0, 1);
            shop.audit().await;
            decide(&shop, outcome).await;
            let order = shop.order(scene.orders[0]).await;
            if outcome == "won" {
                assert_eq!((order.state, scene.units(&shop, 0, "set").await.0), (OrderState::Backordered, 1));
            } else {
                assert_eq!((order.state, scene.units(&shop, 0, "set").await.0), (OrderState::Cancelled, 0));
            }
            shop.audit().await;
        }
        shop.close().await;
    }
}

fn shop_write(
    number: String,
    reason: &'static str,
    merchant: muster::domain::ids::MerchantId,
    batch: muster::domain::ids::BatchId,
) -> impl Fn(
    &muster::workflows::desk::Desk,
    &mut muster::store::Tx,
) -> Result<muster::domain::ids::OrderId, muster::workflows::desk::Problem>
+ Send
+ 'static {
    move |_, tx| put_first(tx, merchant, batch, &number, reason, "Ines")
}

/// Two orders whose goods are ordered; the first is disputed since.
async fn disputed(shop: &Shop) -> super::scene::Scene {
    let mut body = shop.example_a();
    body["threshold"]["target"] = json!(1);
    let campaign = shop.publish(body).await;
    let other = shop.join_and_pay(&campaign, "o@mail.example", 1).await;
    shop.advance(Duration::days(7) - Duration::minutes(2)).await;
    // Webhooks come ten minutes later: the dispute is heard of after the judgement.
    let late = shop.join(&campaign, "l@mail.example", 1).await.order.id;
    shop.settle().await;
    shop.faults(json!({"webhooks": "delay"})).await;
    assert_eq!(shop.pay(late, "4000000000000259").await, 303);
    shop.advance(Duration::minutes(4)).await;
    shop.faults(json!({"webhooks": "normal"})).await;
    shop.advance(Duration::hours(1)).await;
    shop.expect_state(&campaign, CampaignState::Ordered).await;
    let batch = shop.batch(&campaign).await.id;
    super::scene::Scene {
        campaign,
        batch,
        orders: vec![late, other],
    }
}

/// The bank decides every dispute that is open.
async fn decide(shop: &Shop, outcome: &str) {
    let all = shop.provider("disputes?limit=100").await;
    for dispute in all["data"].as_array().unwrap() {
        let path = format!("/sandbox/disputes/{}", dispute["id"].as_str().unwrap());
        let form = [("outcome", outcome)];
        shop.http
            .post(shop.url(&path))
            .form(&form)
            .send()
            .await
            .unwrap();
    }
    shop.settle().await;
    shop.advance(Duration::days(1)).await;
}
