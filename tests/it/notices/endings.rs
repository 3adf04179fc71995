//! How it ends: the stop-loss date, for one shopper and not for another; the merchant who will not ship.

use muster::domain::campaign::{BatchState, CampaignState, Failure};
use muster::domain::order::OrderState;
use muster::domain::payment::RefundPurpose;
use muster::domain::promise::Answer;
use muster::workflows::desk::Problem;
use muster::workflows::notices::{self, Moved};

use super::{
    announce, answers, at, days_after, days_before, is_refunded, last_notice, noon, of_year,
    promise_of, promised, ships, told, until, waits,
};
use crate::goods::scene::{ONE, SOME, Scene, conflict, wrong};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

async fn gives_up(shop: &Shop, scene: &Scene, reason: &'static str) -> Result<(), Problem> {
    let batch = scene.batch;
    let said = shop
        .write(move |desk, tx| notices::give_up(desk, tx, batch, reason, "Ines"))
        .await;
    shop.settle().await;
    said
}

both_databases! {
    async fn the_stop_loss_refunds_and_the_campaign_fails_where_nothing_was_shipped(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE), (1, 0, ONE)], |_| {}).await;
        announce(&shop, scene.batch, ships(None)).await.unwrap();
        for order in &scene.orders {
            answers(&shop, *order, Answer::Wait).await.unwrap();
        }
        until(&shop, at(of_year(d, 7, 2), "05:59")).await;
        shop.expect_state(&scene.campaign, CampaignState::Ordered).await;
        until(&shop, at(of_year(d, 7, 2), "06:01")).await;
        for order in &scene.orders {
            is_refunded(&shop, *order).await;
            assert_eq!(shop.refunds(*order).await[0].purpose, RefundPurpose::StopLoss);
        }
        let failed = shop.campaign(&scene.campaign).await;
        assert_eq!((failed.state, failed.failure), (CampaignState::Failed, Some(Failure::StopLoss)));
        assert_eq!(told(&shop, 0, "is cancelled, $105.00 goes back to you").await, 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn where_something_was_shipped_it_is_completed(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 1, SOME), (1, 0, ONE)], |_| {}).await;
        announce(&shop, scene.batch, ships(None)).await.unwrap();
        for order in &scene.orders {
            answers(&shop, *order, Answer::Wait).await.unwrap();
        }
        scene.arrive(&shop, 1, 0).await;
        scene.send(&shop, 0, &[("set", 1)], muster::workflows::ship::When::Now).await.unwrap();
        until(&shop, at(of_year(d, 7, 2), "06:01")).await;
        let part = shop.order(scene.orders[0]).await;
        assert_eq!((part.state, part.refunded), (OrderState::Delivered, 1999), "{part:#?}");
        is_refunded(&shop, scene.orders[1]).await;
        shop.expect_state(&scene.campaign, CampaignState::Completed).await;
        assert_eq!(shop.batch(&scene.campaign).await.state, BatchState::Completed);
        shop.audit().await;
        shop.close().await;
    }

    /// Stop-loss can be moved later only per shopper who agrees.
    async fn who_agrees_to_a_later_stop_loss_keeps_waiting(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE), (1, 0, ONE), (1, 0, ONE)], |_| {}).await;
        let (last, later) = (of_year(d, 7, 1), of_year(d, 9, 1));
        announce(&shop, scene.batch, ships(None)).await.unwrap();
        for order in &scene.orders[..2] {
            answers(&shop, *order, Answer::Wait).await.unwrap();
        }
        noon(&shop, of_year(d, 3, 20)).await;
        let asked = Moved { stop_loss: Some(later), ..ships(Some(of_year(d, 8, 15))) };
        announce(&shop, scene.batch, asked).await.unwrap();
        answers(&shop, scene.orders[0], Answer::Wait).await.unwrap();
        assert_eq!(promise_of(&shop, scene.orders[0]).await.stop_loss, later);
        assert_eq!(promise_of(&shop, scene.orders[1]).await.stop_loss, last, "he said nothing to it");
        until(&shop, at(of_year(d, 4, 1), "06:01")).await;
        is_refunded(&shop, scene.orders[2]).await;
        until(&shop, at(days_after(last, 1), "06:01")).await;
        is_refunded(&shop, scene.orders[1]).await;
        waits(&shop, scene.orders[0]).await;
        shop.expect_state(&scene.campaign, CampaignState::Ordered).await;
        until(&shop, at(days_after(later, 1), "06:01")).await;
        is_refunded(&shop, scene.orders[0]).await;
        assert_eq!(shop.campaign(&scene.campaign).await.failure, Some(Failure::StopLoss));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_date_after_the_stop_loss_counts_as_not_known(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE)], |_| {}).await;
        let beyond = ships(Some(of_year(d, 7, 10)));
        let (batch, now, asked) = (scene.batch, shop.now(), beyond.clone());
        let seen = shop.write(move |_, tx| notices::preview(tx.conn, batch, &asked, now)).await.unwrap();
        assert!(seen.beyond_stop_loss && seen.cancels == 1 && seen.on_silence == 10500, "{seen:?}");
        assert_eq!(seen.answer_by, [(days_after(d, 30), 1, 10500)]);
        announce(&shop, scene.batch, beyond).await.unwrap();
        let first = last_notice(&shop, scene.orders[0]).await;
        assert_eq!((first.revised, first.last_day), (None, Some(days_after(d, 30))));
        shop.audit().await;
        shop.close().await;
    }

    async fn who_will_not_ship_refunds_at_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, _) = promised(&shop, &[(1, 0, ONE), (1, 0, ONE)], |_| {}).await;
        assert_eq!(wrong(gives_up(&shop, &scene, "  ").await), ["reason"]);
        gives_up(&shop, &scene, "The kiln burnt down.").await.unwrap();
        gives_up(&shop, &scene, "Again.").await.unwrap();
        for order in &scene.orders {
            is_refunded(&shop, *order).await;
            assert!(shop.order(*order).await.note.unwrap().contains("The kiln burnt down."));
        }
        let failed = shop.campaign(&scene.campaign).await;
        assert_eq!((failed.state, failed.failure), (CampaignState::Failed, Some(Failure::Cancelled)));
        assert_eq!(told(&shop, 0, "will not be shipped, $105.00 goes back to you").await, 1);
        assert_eq!(conflict(announce(&shop, scene.batch, ships(None)).await), "wrong-state");
        shop.audit().await;
        shop.close().await;
    }

    async fn who_will_not_ship_the_rest_keeps_what_was_shipped(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 1, SOME), (1, 0, ONE)], |_| {}).await;
        scene.arrive(&shop, 2, 0).await;
        scene.send(&shop, 0, &[("set", 1)], muster::workflows::ship::When::Now).await.unwrap();
        gives_up(&shop, &scene, "No more cups.").await.unwrap();
        let part = shop.order(scene.orders[0]).await;
        assert_eq!((part.state, part.refunded), (OrderState::Shipped, 1999));
        is_refunded(&shop, scene.orders[1]).await;
        shop.expect_state(&scene.campaign, CampaignState::Completed).await;
        noon(&shop, days_before(d, 1)).await;
        shop.audit().await;
        shop.close().await;
    }
}
