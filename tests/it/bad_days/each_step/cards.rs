//! Saved cards and deposits: charged once, fixed on a page, given up, released, short, whatever dies in between.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::ids::OrderId;
use muster::domain::order::OrderState;
use muster::store::campaigns::CampaignRow;
use muster::workflows::collect;

use super::at_each_step;
use super::movements;
use super::people::{ended, wait_until};
use crate::cards::{ASKS_ALWAYS, FAILS_LATER, arrive, saved, saves, with_deposit};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// By then the provider has told again what nobody took, and what died has been taken up.
const TOLD_AGAIN: Duration = Duration::minutes(3);

async fn deadline(shop: &Shop, campaign: &CampaignRow, after: Duration) {
    wait_until(shop, campaign.deadline.and_utc() + after).await;
    shop.advance(TOLD_AGAIN).await;
}

/// Pays what the saved card did not, unless the provider has the money already.
async fn pays_on_the_page(shop: &Shop, order: OrderId) {
    for _ in 0..5 {
        if !movements(shop, order).await.0.is_empty() {
            break;
        }
        let asked = shop
            .write(move |desk, tx| collect::pay(desk, tx, order))
            .await;
        drop(asked);
        shop.settle().await;
        let page = shop.payments(order).await.pop().expect("an attempt");
        match page.session_id {
            Some(_) => {
                shop.pay(order, GOOD_CARD).await;
            }
            None => shop.advance(Duration::minutes(1)).await,
        }
    }
    shop.advance(TOLD_AGAIN).await;
}

both_databases! {
    async fn saved_cards_are_charged_once_each_and_one_is_released(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let campaign = shop.publish(saved(shop)).await;
            let pays = saves(shop, &campaign, "a@mail.example", 6, GOOD_CARD).await;
            let mut wish = shop.wish(&campaign, "b@mail.example", 1);
            wish.limit_step = Some(2);
            let waits = shop.running.app.office.join(wish).await.unwrap().order.id;
            shop.settle().await;
            assert_eq!(shop.pay(waits, GOOD_CARD).await, 303);
            shop.settle().await;
            (campaign, pays, waits)
        };
        at_each_step(db, before, async |shop: &Shop, (campaign, pays, waits)| {
            deadline(shop, campaign, Duration::minutes(5)).await;
            shop.expect_state(campaign, CampaignState::Ordered).await;
            ended(shop, *pays, OrderState::Backordered, [54_000, 0, 0]).await;
            ended(shop, *waits, OrderState::Cancelled, [0, 0, 0]).await;
            let sent = shop.purchase_orders(campaign).await;
            assert_eq!((sent.len(), sent[0].units), (1, 6));
        }).await;
    }

    async fn a_card_that_says_no_is_fixed_on_the_page_and_never_charged_beside_it(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let campaign = shop.publish(saved(shop)).await;
            let asks = saves(shop, &campaign, "a@mail.example", 6, ASKS_ALWAYS).await;
            (campaign, asks)
        };
        at_each_step(db, before, async |shop: &Shop, (campaign, asks)| {
            deadline(shop, campaign, Duration::minutes(5)).await;
            pays_on_the_page(shop, *asks).await;
            shop.expect_state(campaign, CampaignState::Ordered).await;
            ended(shop, *asks, OrderState::Backordered, [54_000, 0, 0]).await;
        }).await;
    }

    async fn too_little_collected_goes_back_after_the_two_days(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let campaign = shop.publish(saved(shop)).await;
            let pays = saves(shop, &campaign, "a@mail.example", 4, GOOD_CARD).await;
            let fails = saves(shop, &campaign, "b@mail.example", 2, FAILS_LATER).await;
            wait_until(shop, campaign.deadline.and_utc() + Duration::days(6) + Duration::hours(1)).await;
            (campaign, pays, fails)
        };
        at_each_step(db, before, async |shop: &Shop, (campaign, pays, fails)| {
            deadline(shop, campaign, Duration::days(7) + Duration::hours(1)).await;
            deadline(shop, campaign, Duration::days(10)).await;
            shop.expect_state(campaign, CampaignState::Failed).await;
            ended(shop, *pays, OrderState::Cancelled, [36_000, 36_000, 0]).await;
            ended(shop, *fails, OrderState::Cancelled, [0, 0, 0]).await;
        }).await;
    }

    async fn a_balance_is_charged_once_beside_its_deposit(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let campaign = shop.publish(with_deposit(shop, "kept")).await;
            let pays = saves(shop, &campaign, "a@mail.example", 5, GOOD_CARD).await;
            let never = saves(shop, &campaign, "b@mail.example", 1, ASKS_ALWAYS).await;
            wait_until(shop, campaign.deadline.and_utc() + Duration::minutes(5)).await;
            arrive(shop, &campaign, 6).await;
            (campaign, pays, never, shop.now())
        };
        at_each_step(db, before, async |shop: &Shop, (campaign, pays, never, arrived)| {
            wait_until(shop, *arrived + Duration::days(3)).await;
            shop.advance(TOLD_AGAIN).await;
            wait_until(shop, *arrived + Duration::days(11)).await;
            shop.advance(TOLD_AGAIN).await;
            assert!(shop.campaign(campaign).await.collected_units >= 5);
            let (mut charged, refunded) = movements(shop, *pays).await;
            charged.sort_unstable();
            assert_eq!((charged, refunded), (vec![10_000, 35_000], vec![]));
            assert_eq!(movements(shop, *never).await, (vec![1_800], vec![]));
            assert_eq!(shop.order(*never).await.forfeited, 1_800);
        }).await;
    }
}
