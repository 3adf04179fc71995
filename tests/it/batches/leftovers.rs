//! What is left over of several batches, and who waits for one of them.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::ids::OptionId;
use muster::domain::order::OrderState;
use muster::store::campaigns::{self, BatchRow, CampaignRow};
use muster::workflows::receive::{Count, receive};
use serde_json::{Value, json};

use super::{batch_of, batches, late_joins, states};
use crate::goods::scene::count;
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;
use crate::tell::{offer, stock_of};
use crate::waiting::waits;

/// More than was ordered of a batch arrives.
async fn arrives(shop: &Shop, batch: &BatchRow, good: i64) {
    let (merchant, batch) = (shop.merchant, batch.id);
    shop.write(move |_, tx| {
        let more = Count {
            confirm: true,
            ..count(&[("set", good, 0)])
        };
        receive(tx, merchant, batch, &more)
    })
    .await
    .unwrap();
    shop.settle().await;
}

async fn option_of(shop: &Shop, campaign: &CampaignRow) -> OptionId {
    let id = campaign.id;
    let options = shop.read(move |c| campaigns::options_of(c, id)).await;
    options[0].id
}

async fn available(shop: &Shop, campaign: &CampaignRow) -> Value {
    let url = shop.url(&format!("/api/v1/campaigns/{}", campaign.slug));
    let shown: Value = shop
        .http
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    shown["options"][0]["available"].clone()
}

both_databases! {
    async fn left_over_units_are_sold_of_one_batch_after_the_other(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(late_joins(&shop)).await;
        // Six at 90 in the first batch, ten at 80 in the second.
        let first = shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        let second = shop.join_and_pay(&campaign, "b@mail.example", 10).await;
        shop.advance(Duration::days(8)).await;
        let all = batches(&shop, &campaign).await;
        let option = option_of(&shop, &campaign).await;
        arrives(&shop, &all[0], 8).await;
        offer(&shop, all[0].id, option, 2).await.unwrap();
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(available(&shop, &campaign).await, json!(2), "what is there is sold, whatever the other waits for");
        arrives(&shop, &all[1], 11).await;
        offer(&shop, all[1].id, option, 1).await.unwrap();
        shop.expect_state(&campaign, CampaignState::Fulfilling).await;
        assert_eq!(states(&shop, &campaign).await[..2], [("fulfilling", 6), ("fulfilling", 10)]);
        shop.audit().await;

        // The first batch's come first, at its price, and are of that batch.
        assert_eq!(available(&shop, &campaign).await, json!(2));
        Visitor::of(&shop).get(&format!("/c/{}", campaign.slug)).await.is(200).says("$90.00").says("2 left");
        let too_many = shop.running.app.office.join(shop.wish(&campaign, "c@mail.example", 3)).await;
        assert!(too_many.unwrap_err().to_string().contains("2 left"));
        let bought = shop.join_and_pay(&campaign, "c@mail.example", 2).await;
        let row = shop.order(bought).await;
        assert_eq!((row.state, row.final_total, batch_of(&shop, bought).await), (OrderState::Backordered, Some(18_000), 1));
        assert_eq!(stock_of(&shop, all[0].id, option).await, (0, 8));
        shop.audit().await;

        assert_eq!(available(&shop, &campaign).await, json!(1));
        let last = shop.join_and_pay(&campaign, "d@mail.example", 1).await;
        assert_eq!((shop.order(last).await.final_total, batch_of(&shop, last).await), (Some(8_000), 2));
        assert_eq!(stock_of(&shop, all[1].id, option).await, (0, 11));
        assert!(shop.running.app.office.join(shop.wish(&campaign, "e@mail.example", 1)).await.is_err(), "nothing is left");
        // What one gives back goes on sale again, of its own batch.
        shop.cancel(bought).await.unwrap();
        shop.settle().await;
        assert_eq!(stock_of(&shop, all[0].id, option).await, (2, 6));
        assert_eq!(stock_of(&shop, all[1].id, option).await, (0, 11));
        assert_eq!(available(&shop, &campaign).await, json!(2));
        for order in [first, second, last] {
            assert_eq!(shop.order(order).await.state, OrderState::Backordered);
        }
        shop.audit().await;
        shop.close().await;
    }

    async fn who_waits_is_told_of_which_batch(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = late_joins(&shop);
        body["options"][0]["cap"] = json!(8);
        let campaign = shop.publish(body).await;
        shop.join_and_pay(&campaign, "a@mail.example", 5).await;
        let leaves = shop.join_and_pay(&campaign, "b@mail.example", 3).await;
        waits(&shop, &campaign, "w@mail.example", 2).await;
        shop.cancel(leaves).await.unwrap();
        shop.settle().await;
        let told = shop.mail_to("w@mail.example").await;
        assert_eq!(told.len(), 2, "{told:#?}");
        for subject in &told {
            assert!(subject.contains("Ridge pour-over set, batch 2"), "{subject}");
        }
        shop.audit().await;
        shop.close().await;
    }
}
