//! A payment fills a batch, another is in the next one, which nobody fills.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::order::OrderState;
use serde_json::json;

use super::at_each_step;
use super::people::{ended, pays, wait_until};
use crate::batches::{late_joins, ordered, states};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

both_databases! {
    async fn a_batch_is_filled_and_the_next_one_missed(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let mut body = late_joins(shop);
            // One price, so that nothing but what is missed goes back; and soon over.
            body["deadline"] = json!((shop.now() + Duration::hours(2)).to_rfc3339());
            body["threshold"]["target"] = json!(2);
            body["steps"] = json!([1]);
            body["options"][0]["prices"] = json!([10000]);
            let campaign = shop.publish(body).await;
            let crosses = shop.join(&campaign, "s1@mail.example", 2).await.order.id;
            let late = shop.join(&campaign, "s2@mail.example", 1).await.order.id;
            shop.settle().await;
            (campaign, crosses, late)
        };
        at_each_step(db, before, async |shop: &Shop, (campaign, crosses, late)| {
            pays(shop, *crosses, GOOD_CARD).await;
            // Its page was open when the batch was filled: it is in the next one.
            pays(shop, *late, GOOD_CARD).await;
            wait_until(shop, campaign.deadline.and_utc() + Duration::minutes(5)).await;
            shop.expect_state(campaign, CampaignState::Ordered).await;
            assert_eq!(states(shop, campaign).await, [("ordered", 2), ("failed", 1)]);
            ended(shop, *crosses, OrderState::Backordered, [20000, 0, 0]).await;
            ended(shop, *late, OrderState::Cancelled, [10000, 10000, 0]).await;
            let all = crate::batches::batches(shop, campaign).await;
            let sent = ordered(shop, &all[0]).await;
            assert_eq!((sent.len(), sent[0].number, sent[0].units), (1, Some(1), 2));
            assert!(ordered(shop, &all[1]).await.is_empty());
            assert_eq!(shop.mail_to("s2@mail.example").await.len(), 2, "confirmed, failed");
        }).await;
    }
}
