//! What is told to many, and what is sold from stock.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::ids::{BatchId, OptionId, OrderId};
use muster::domain::order::OrderState;
use muster::store::campaigns::CampaignRow;
use muster::workflows::campaigns::{Opening, schedule};
use muster::workflows::posts::{NewPost, write};

use super::at_each_step;
use super::people::{ended, joins, pays};
use crate::interest;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};
use crate::tell::{left_over, stock_of};

type Scene = (CampaignRow, BatchId, OptionId);

async fn letters(shop: &Shop, address: &str) -> usize {
    let all = shop.mail_to(address).await;
    all.iter()
        .filter(|subject| subject.contains("The kiln is booked"))
        .count()
}

both_databases! {
    async fn an_update_is_written_to_three_shoppers(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let campaign = shop.publish(shop.example_a()).await;
            for name in ["a", "b", "c"] {
                shop.join_and_pay(&campaign, &format!("{name}@mail.example"), 1).await;
            }
            campaign
        };
        at_each_step(db, before, async |shop: &Shop, campaign: &CampaignRow| {
            let (merchant, slug) = (shop.merchant, campaign.slug.clone());
            let new = NewPost {
                title: "The kiln is booked".into(), body: "We fire in June.".into(), by: "Ana".into(),
                once: Some("form".into()),
            };
            shop.write(move |_, tx| write(tx, merchant, &slug, &new)).await.expect("it is written");
            shop.settle().await;
            shop.advance(Duration::minutes(1)).await;
            for name in ["a", "b", "c"] {
                assert_eq!(letters(shop, &format!("{name}@mail.example")).await, 1, "{name}");
            }
        }).await;
    }

    async fn three_who_answered_are_told_that_it_opened(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let campaign = interest::asking(shop).await;
            for name in ["a", "b", "c"] {
                interest::would_buy(shop, &campaign, &format!("{name}@mail.example"), "1", "90").await;
            }
            shop.settle().await;
            campaign
        };
        at_each_step(db, before, async |shop: &Shop, campaign: &CampaignRow| {
            let (merchant, slug) = (shop.merchant, campaign.slug.clone());
            if shop.campaign(campaign).await.state == CampaignState::Interest {
                let opened = shop.write(move |desk, tx| schedule(desk, tx, merchant, &slug, Opening::Now)).await;
                opened.expect("it opens");
            }
            shop.settle().await;
            shop.advance(Duration::minutes(1)).await;
            for name in ["a", "b", "c"] {
                let all = shop.mail_to(&format!("{name}@mail.example")).await;
                assert_eq!(all.iter().filter(|s| s.contains(" is open: ")).count(), 1, "{name}: {all:?}");
            }
        }).await;
    }

    async fn a_left_over_unit_is_bought(db: TestDatabase) {
        let before = async |shop: &Shop| left_over(shop, shop.example_a()).await;
        at_each_step(db, before, async |shop: &Shop, (campaign, batch, option): &Scene| {
            let id = joins(shop, campaign, "b@mail.example", 2).await;
            pays(shop, id, GOOD_CARD).await;
            ended(shop, id, OrderState::Backordered, [18000, 0, 0]).await;
            assert_eq!(stock_of(shop, *batch, *option).await, (0, 8));
            assert_eq!(shop.mail_to("b@mail.example").await.len(), 1);
        }).await;
    }

    async fn a_left_over_unit_is_bought_and_given_back(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let scene = left_over(shop, shop.example_a()).await;
            let order = shop.join_and_pay(&scene.0, "b@mail.example", 1).await;
            (scene, order)
        };
        at_each_step(db, before, async |shop: &Shop, ((_, batch, option), order): &(Scene, OrderId)| {
            shop.cancel(*order).await.expect("until it is packed");
            shop.settle().await;
            ended(shop, *order, OrderState::Cancelled, [9000, 9000, 0]).await;
            assert_eq!(stock_of(shop, *batch, *option).await, (2, 6));
        }).await;
    }

    async fn a_left_over_unit_is_held_and_not_paid(db: TestDatabase) {
        let before = async |shop: &Shop| left_over(shop, shop.example_a()).await;
        at_each_step(db, before, async |shop: &Shop, (campaign, batch, option): &Scene| {
            let id = joins(shop, campaign, "b@mail.example", 2).await;
            let until = shop.order(id).await.hold_expires_at.and_utc() + Duration::minutes(5);
            super::people::wait_until(shop, until).await;
            ended(shop, id, OrderState::Expired, [0, 0, 0]).await;
            assert_eq!(stock_of(shop, *batch, *option).await, (2, 6));
        }).await;
    }
}
