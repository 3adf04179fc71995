//! What shoppers answer: the first answer stands, except that *cancel* may follow *wait* until shipping; a cancellation
//! received before shipment always wins.

use muster::domain::order::OrderState;
use muster::domain::promise::{Answer, Answered};
use muster::domain::shipment::ShipmentState;
use muster::workflows::cancel::may_cancel_late;
use muster::workflows::desk::Problem;
use muster::workflows::notices;
use muster::workflows::ship::When;

use super::{
    announce, answer, answers, at, days_after, days_before, is_refunded, last_notice, noon,
    notices_of, of_year, promise_of, promised, ships, ships_by, told, until, waits,
};
use crate::goods::scene::{ONE, SOME, conflict, hand_over};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

async fn may_cancel(shop: &Shop, order: muster::domain::ids::OrderId) -> bool {
    let now = shop.now();
    let row = shop.order(order).await;
    shop.write(move |_, tx| may_cancel_late(tx.conn, &row, now))
        .await
        .unwrap()
}

both_databases! {
    async fn who_keeps_waiting_may_still_cancel_until_it_is_shipped(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE)], |_| {}).await;
        let order = scene.orders[0];
        assert!(!may_cancel(&shop, order).await, "nothing was offered yet");
        assert_eq!(conflict(shop.cancel(order).await), "order-sent-to-supplier");
        ships_by(&shop, &scene, days_after(d, 50)).await;
        let notice = last_notice(&shop, order).await.id;
        assert_eq!(answer(&shop, notice, Answer::Wait).await.unwrap(), Answered::Until(days_after(d, 50)));
        assert_eq!(answer(&shop, notice, Answer::Wait).await.unwrap(), Answered::Unchanged);
        let row = last_notice(&shop, order).await;
        assert_eq!(row.answered_from.as_deref(), Some("203.0.113.7"));
        assert_eq!(promise_of(&shop, order).await.agreed_date, Some(days_after(d, 50)));
        noon(&shop, days_after(d, 35)).await;
        waits(&shop, order).await;
        assert!(may_cancel(&shop, order).await);
        assert_eq!(answer(&shop, notice, Answer::Cancel).await.unwrap(), Answered::Cancelled);
        is_refunded(&shop, order).await;
        let row = last_notice(&shop, order).await;
        assert_eq!(row.cancelled_from.as_deref(), Some("203.0.113.7"));
        assert!(row.waited_at.is_some(), "what was said first is kept");
        assert_eq!(answer(&shop, notice, Answer::Cancel).await.unwrap(), Answered::Unchanged);
        assert_eq!(conflict(answer(&shop, notice, Answer::Wait).await), "cancelled");
        assert_eq!(told(&shop, 0, "is cancelled").await, 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn an_answer_after_the_last_day_is_too_late(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE)], |_| {}).await;
        let order = scene.orders[0];
        noon(&shop, days_before(d, 10)).await;
        ships_by(&shop, &scene, days_after(d, 40)).await;
        let notice = last_notice(&shop, order).await.id;
        // The day counts whole; the refund comes at six.
        until(&shop, at(days_after(d, 31), "00:01")).await;
        assert_eq!(conflict(answer(&shop, notice, Answer::Wait).await), "too-late");
        assert_eq!(answer(&shop, notice, Answer::Cancel).await.unwrap(), Answered::Cancelled, "the right to the refund has begun");
        is_refunded(&shop, order).await;
        until(&shop, at(days_after(d, 31), "06:01")).await;
        assert_eq!(shop.refunds(order).await.len(), 1, "once");
        assert_eq!(conflict(answer(&shop, notice, Answer::Wait).await), "cancelled");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_cancellation_stops_the_parcel_that_is_packed(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE), (1, 0, ONE)], |_| {}).await;
        ships_by(&shop, &scene, days_after(d, 20)).await;
        scene.arrive(&shop, 2, 0).await;
        shop.settle().await;
        assert_eq!(scene.pick(&shop).await, 2);
        let offer = notices_of(&shop, scene.orders[0]).await.remove(0);
        answer(&shop, offer.id, Answer::Cancel).await.unwrap();
        is_refunded(&shop, scene.orders[0]).await;
        let parcel = scene.parcels(&shop, 0).await.remove(0);
        assert_eq!(parcel.state, ShipmentState::Stopped);
        assert_eq!(conflict(hand_over(&shop, parcel.id, None).await), "stopped");
        // What was shipped first is not cancelled any more.
        let other = scene.parcels(&shop, 1).await.remove(0);
        hand_over(&shop, other.id, None).await.unwrap();
        let offer = notices_of(&shop, scene.orders[1]).await.remove(0);
        for said in [Answer::Cancel, Answer::Wait] {
            assert_eq!(conflict(answer(&shop, offer.id, said).await), "shipped");
        }
        assert!(!may_cancel(&shop, scene.orders[1]).await);
        shop.audit().await;
        shop.close().await;
    }

    async fn of_a_partly_shipped_order_the_rest_is_cancelled(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 2, SOME), (1, 2, SOME)], |_| {}).await;
        ships_by(&shop, &scene, days_after(d, 40)).await;
        scene.arrive(&shop, 2, 0).await;
        for n in [0, 1] {
            scene.send(&shop, n, &[("set", 1)], When::Now).await.unwrap();
        }
        for order in &scene.orders {
            assert_eq!(shop.order(*order).await.state, OrderState::PartlyShipped);
        }
        // One by the notice, one on the order's own page.
        answers(&shop, scene.orders[0], Answer::Cancel).await.unwrap();
        shop.cancel(scene.orders[1]).await.unwrap();
        shop.settle().await;
        for order in &scene.orders {
            let row = shop.order(*order).await;
            assert_eq!(row.state, OrderState::Shipped, "{row:#?}");
            // The price fell by 10.00; the set by itself costs 90.00 and 5.00 for shipping.
            assert_eq!((row.charged, row.refunded, row.refund_due), (14498, 4998, 0), "{row:#?}");
        }
        assert_eq!(told(&shop, 0, "the rest is cancelled, $39.98 goes back to you").await, 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn an_older_notice_agrees_to_the_date_that_it_named(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE)], |_| {}).await;
        let order = scene.orders[0];
        ships_by(&shop, &scene, days_after(d, 40)).await;
        let older = last_notice(&shop, order).await.id;
        ships_by(&shop, &scene, days_after(d, 60)).await;
        assert_eq!(notices_of(&shop, order).await.len(), 2);
        assert_eq!(answer(&shop, older, Answer::Wait).await.unwrap(), Answered::Until(days_after(d, 40)));
        let newer = last_notice(&shop, order).await.id;
        assert_eq!(answer(&shop, newer, Answer::Wait).await.unwrap(), Answered::Until(days_after(d, 60)));
        // Nobody wrote again before that date.
        until(&shop, at(days_after(d, 61), "06:01")).await;
        is_refunded(&shop, order).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn who_agrees_to_not_known_is_told_dates_and_may_cancel(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE), (1, 0, ONE)], |_| {}).await;
        announce(&shop, scene.batch, ships(None)).await.unwrap();
        for order in &scene.orders {
            assert_eq!(answers(&shop, *order, Answer::Wait).await.unwrap(), Answered::OpenEnded);
        }
        until(&shop, at(days_after(d, 45), "12:00")).await;
        for order in &scene.orders {
            waits(&shop, *order).await;
            assert_eq!(notices_of(&shop, *order).await.len(), 1, "it needs no further notice");
        }
        ships_by(&shop, &scene, days_after(d, 70)).await;
        let told_row = last_notice(&shop, scene.orders[0]).await;
        assert_eq!((told_row.revised, told_row.silence), (Some(days_after(d, 70)), None));
        assert_eq!(conflict(answer(&shop, told_row.id, Answer::Wait).await), "nothing-to-answer");
        assert_eq!(answer(&shop, told_row.id, Answer::Cancel).await.unwrap(), Answered::Cancelled);
        is_refunded(&shop, scene.orders[0]).await;
        until(&shop, at(of_year(d, 7, 2), "05:59")).await;
        waits(&shop, scene.orders[1]).await;
        until(&shop, at(of_year(d, 7, 2), "06:01")).await;
        is_refunded(&shop, scene.orders[1]).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn nothing_is_answered_to_a_date_that_is_only_told_or_by_a_stranger(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE)], |_| {}).await;
        let order = scene.orders[0];
        ships_by(&shop, &scene, days_before(d, 10)).await;
        let notice = last_notice(&shop, order).await.id;
        for said in [Answer::Wait, Answer::Cancel] {
            assert_eq!(conflict(answer(&shop, notice, said).await), "nothing-to-answer");
        }
        assert_eq!(conflict(shop.cancel(order).await), "order-sent-to-supplier");
        let nobody = muster::domain::ids::NoticeId::new();
        let lost = shop.write(move |desk, tx| notices::answer(desk, tx, nobody, Answer::Cancel, "x")).await;
        assert!(matches!(lost, Err(Problem::NotFound("notice"))), "{lost:?}");
        let links = &shop.running.app.office.desk().links;
        assert_eq!(links.opens_notice(&links.order_token(order)), None);
        shop.audit().await;
        shop.close().await;
    }
}
