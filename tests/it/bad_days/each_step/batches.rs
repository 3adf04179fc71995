//! A payment fills a batch, another is in the next one, which nobody fills.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::order::OrderState;

use super::at_each_step;
use super::people::{ended, joins, pays, wait_until};
use crate::batches::{late_joins, ordered, states};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

both_databases! {
    async fn a_batch_is_filled_and_the_next_one_missed(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let campaign = shop.publish(late_joins(shop)).await;
            let first = shop.join_and_pay(&campaign, "s0@mail.example", 4).await;
            let crosses = shop.join(&campaign, "s1@mail.example", 1).await.order.id;
            shop.settle().await;
            (campaign, first, crosses)
        };
        at_each_step(db, before, async |shop: &Shop, (campaign, first, crosses)| {
            pays(shop, *crosses, GOOD_CARD).await;
            let late = joins(shop, campaign, "s2@mail.example", 1).await;
            pays(shop, late, GOOD_CARD).await;
            wait_until(shop, campaign.deadline.and_utc() + Duration::minutes(5)).await;
            shop.expect_state(campaign, CampaignState::Ordered).await;
            assert_eq!(states(shop, campaign).await, [("ordered", 5), ("failed", 1)]);
            ended(shop, *first, OrderState::Backordered, [40000, 4000, 0]).await;
            ended(shop, *crosses, OrderState::Backordered, [10000, 1000, 0]).await;
            ended(shop, late, OrderState::Cancelled, [10000, 10000, 0]).await;
            let all = crate::batches::batches(shop, campaign).await;
            let sent = ordered(shop, &all[0]).await;
            assert_eq!((sent.len(), sent[0].number, sent[0].units), (1, Some(1), 5));
            assert!(ordered(shop, &all[1]).await.is_empty());
            assert_eq!(shop.mail_to("s2@mail.example").await.len(), 2, "confirmed, failed");
        }).await;
    }
}
