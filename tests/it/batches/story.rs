//! Batch after batch, as shoppers fill them.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::order::OrderState;

use super::{batch_of, batches, counted, late_joins, ordered, states};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn two_batches_come_together_one_after_the_other(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(late_joins(&shop)).await;
        let first = shop.join_and_pay(&campaign, "a@mail.example", 4).await;
        let crosses = shop.join_and_pay(&campaign, "b@mail.example", 2).await;
        // The order that crosses is in it whole; the supplier's order is out, and joining goes on.
        shop.expect_state(&campaign, CampaignState::Open).await;
        assert_eq!(states(&shop, &campaign).await, [("ordered", 6), ("gathering", 0)]);
        assert_eq!(counted(&shop, &campaign).await, (0, 0, 0, 6));
        for order in [first, crosses] {
            let row = shop.order(order).await;
            assert_eq!((row.state, batch_of(&shop, order).await), (OrderState::Backordered, 1));
            // Six units reach the step of five.
            assert_eq!(row.final_total, Some(row.units * 9_000));
        }
        shop.audit().await;
        // The next ones are priced from nought, and judged alone.
        let third = shop.join_and_pay(&campaign, "c@mail.example", 3).await;
        assert_eq!((shop.order(third).await.total, batch_of(&shop, third).await), (30_000, 2));
        assert_eq!(counted(&shop, &campaign).await, (3, 3, 1, 9));
        let fourth = shop.join_and_pay(&campaign, "d@mail.example", 7).await;
        assert_eq!(states(&shop, &campaign).await, [("ordered", 6), ("ordered", 10), ("gathering", 0)]);
        let row = shop.order(fourth).await;
        assert_eq!((row.total, row.final_total, row.refunded), (70_000, Some(56_000), 14_000));
        assert_eq!(shop.order(third).await.final_total, Some(24_000));
        let all = batches(&shop, &campaign).await;
        let (one, two) = (ordered(&shop, &all[0]).await, ordered(&shop, &all[1]).await);
        assert_eq!((one.len(), one[0].units, one[0].number), (1, 6, Some(1)));
        assert_eq!((two.len(), two[0].units, two[0].number), (1, 10, Some(2)));
        shop.audit().await;
        // Nobody came after them: at the deadline the campaign is where its batches are.
        shop.advance(Duration::days(8)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(states(&shop, &campaign).await, [("ordered", 6), ("ordered", 10), ("failed", 0)]);
        shop.audit().await;
        shop.close().await;
    }
}
