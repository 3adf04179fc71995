//! An option is not made: one order loses a line, another all it had.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::order::{LineState, OrderState};

use super::at_each_step;
use super::people::{ended, wait_until};
use crate::minimum::{black_45_and_red_16, black_and_red, states};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn an_option_is_dropped_and_its_price_goes_back_once(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let campaign = shop.publish(black_and_red(shop, 40)).await;
            let orders = black_45_and_red_16(shop, &campaign).await;
            (campaign, orders)
        };
        at_each_step(db, before, async |shop: &Shop, (campaign, [black, both, red])| {
            wait_until(shop, campaign.deadline.and_utc() + Duration::minutes(5)).await;
            shop.expect_state(campaign, CampaignState::Ordered).await;
            ended(shop, *black, OrderState::Backordered, [300_500, 30_000, 0]).await;
            ended(shop, *both, OrderState::Backordered, [162_500, 27_000, 0]).await;
            ended(shop, *red, OrderState::Cancelled, [18_500, 18_500, 0]).await;
            assert_eq!(states(shop, *both).await[0], ("lid".to_owned(), LineState::Dropped));
            let sent = shop.purchase_orders(campaign).await;
            assert_eq!((sent.len(), sent[0].number, sent[0].units), (1, Some(1), 45));
            assert_eq!(shop.mail_to("red@mail.example").await.len(), 2, "confirmed, cancelled");
        }).await;
    }
}
