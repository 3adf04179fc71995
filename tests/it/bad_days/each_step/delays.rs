//! The stories of delays: everybody is told and most are refunded, a shopper refuses, a merchant will not ship.

use chrono::{Duration, NaiveDate};
use muster::domain::order::OrderState;
use muster::domain::promise::{Answer, NoticeState};
use muster::store::etas;
use muster::workflows::desk::Problem;
use muster::workflows::notices;

use super::at_each_step;
use super::people::{ended, wait_until};
use crate::goods::scene::{ONE, Scene};
use crate::notices::{
    answer, at, days_after, days_before, notices_of, promise_of, promised, ships, told, until,
};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn everybody_is_told_of_a_date(db: TestDatabase) {
        let before = async |shop: &Shop| promised(shop, &[(1, 0, ONE), (1, 0, ONE)], |_| {}).await;
        at_each_step(db, before, async |shop: &Shop, (scene, d): &(Scene, NaiveDate)| {
            let batch = scene.batch;
            let known = shop.read(move |c| etas::of_batch(c, batch)).await;
            if known.is_empty() {
                let moved = ships(Some(days_after(*d, 20)));
                let set = shop.write(move |desk, tx| notices::announce(desk, tx, batch, moved.clone(), "Ines")).await;
                set.expect("it is not over");
            }
            shop.settle().await;
            shop.advance(Duration::minutes(2)).await;
            for (n, order) in scene.orders.iter().enumerate() {
                let sent = notices_of(shop, *order).await;
                assert_eq!(sent.len(), 1, "written to once");
                assert_eq!(sent[0].state, NoticeState::Sent);
                assert_eq!(promise_of(shop, *order).await.agreed_date, Some(days_after(*d, 20)));
                assert_eq!(told(shop, n, "it ships by").await, 1);
            }
        }).await;
    }

    async fn the_system_writes_where_nobody_did(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let (scene, d) = promised(shop, &[(1, 0, ONE), (1, 0, ONE)], |_| {}).await;
            until(shop, at(days_before(d, 5), "05:58")).await;
            (scene, d)
        };
        at_each_step(db, before, async |shop: &Shop, (scene, d): &(Scene, NaiveDate)| {
            wait_until(shop, at(days_before(*d, 5), "06:05")).await;
            for order in &scene.orders {
                let sent = notices_of(shop, *order).await;
                assert_eq!((sent.len(), sent[0].state), (1, NoticeState::Sent), "written to once");
                assert_eq!(promise_of(shop, *order).await.cancels_after, Some(days_after(*d, 30)));
            }
        }).await;
    }

    async fn the_morning_after_the_last_day_refunds_everybody(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let (scene, d) = promised(shop, &[(1, 0, ONE), (1, 0, ONE), (1, 0, ONE)], |_| {}).await;
            until(shop, at(days_after(d, 31), "05:58")).await;
            (scene, d)
        };
        at_each_step(db, before, async |shop: &Shop, (scene, d): &(Scene, NaiveDate)| {
            wait_until(shop, at(days_after(*d, 31), "06:05")).await;
            for (n, order) in scene.orders.iter().enumerate() {
                ended(shop, *order, OrderState::Cancelled, [10500, 10500, 0]).await;
                assert_eq!(told(shop, n, "goes back to you").await, 1);
            }
        }).await;
    }

    async fn a_shopper_refuses_a_delay(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let (scene, d) = promised(shop, &[(1, 0, ONE), (1, 0, ONE)], |_| {}).await;
            crate::notices::ships_by(shop, &scene, days_after(d, 20)).await;
            (scene, d)
        };
        at_each_step(db, before, async |shop: &Shop, (scene, d): &(Scene, NaiveDate)| {
            let notice = notices_of(shop, scene.orders[0]).await.remove(0);
            match answer(shop, notice.id, Answer::Cancel).await {
                Ok(_) => {}
                Err(problem) => panic!("{problem:?}"),
            }
            shop.advance(Duration::minutes(2)).await;
            ended(shop, scene.orders[0], OrderState::Cancelled, [10500, 10500, 0]).await;
            assert_eq!(promise_of(shop, scene.orders[1]).await.agreed_date, Some(days_after(*d, 20)));
            ended(shop, scene.orders[1], OrderState::Backordered, [10500, 0, 0]).await;
        }).await;
    }

    async fn a_merchant_will_not_ship(db: TestDatabase) {
        let before = async |shop: &Shop| promised(shop, &[(1, 0, ONE), (1, 0, ONE)], |_| {}).await.0;
        at_each_step(db, before, async |shop: &Shop, scene: &Scene| {
            let batch = scene.batch;
            let said = shop.write(move |desk, tx| notices::give_up(desk, tx, batch, "The kiln burnt down.", "Ines")).await;
            assert!(matches!(said, Ok(()) | Err(Problem::Conflict { .. })), "{said:?}");
            shop.settle().await;
            shop.advance(Duration::minutes(2)).await;
            for order in &scene.orders {
                ended(shop, *order, OrderState::Cancelled, [10500, 10500, 0]).await;
            }
            shop.expect_state(&scene.campaign, muster::domain::campaign::CampaignState::Failed).await;
        }).await;
    }
}
