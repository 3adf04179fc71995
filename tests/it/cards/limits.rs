//! "Only if it gets that cheap" (domain section 3, worked example B).

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::order::{OrderState, PaymentState};
use muster::store::dues;
use serde_json::{Value, json};

use super::{FAILS_LATER, completes, deadline_passes, joins, saved};
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

fn example_b(shop: &Shop) -> Value {
    let mut body = saved(shop);
    body["steps"] = json!([1, 10, 20]);
    body["threshold"]["target"] = json!(5);
    body
}

both_databases! {
    async fn worked_example_b_with_the_furthest_step_reached(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(example_b(&shop)).await;
        let mut placed = Vec::new();
        for (email, units, limit) in [("a", 8, None), ("b", 4, Some(1)), ("c", 9, Some(2))] {
            let email = format!("{email}@mail.example");
            let order = joins(&shop, &campaign, &email, units, limit).await;
            assert_eq!(completes(&shop, order, GOOD_CARD).await, 303);
            placed.push(order);
        }
        // Shown: the price of the later of the limit and the current step.
        assert_eq!(shop.order(placed[0]).await.total, 80_000);
        assert_eq!(shop.order(placed[1]).await.total, 36_000);
        assert_eq!(shop.order(placed[2]).await.total, 72_000);
        shop.audit().await;
        deadline_passes(&shop, &campaign).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        for (order, paid) in placed.iter().zip([64_000, 32_000, 72_000]) {
            assert_eq!(shop.at_provider(*order).await, (paid, 0));
        }
        assert_eq!(shop.purchase_orders(&campaign).await[0].units, 21);
        shop.audit().await;
        shop.close().await;
    }

    async fn worked_example_b_with_seven_the_last_group_is_released_uncharged(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(example_b(&shop)).await;
        let mut placed = Vec::new();
        for (email, units, limit) in [("a", 8, None), ("b", 4, Some(1)), ("c", 7, Some(2))] {
            let email = format!("{email}@mail.example");
            let order = joins(&shop, &campaign, &email, units, limit).await;
            assert_eq!(completes(&shop, order, GOOD_CARD).await, 303);
            placed.push(order);
        }
        let id = campaign.id;
        assert_eq!(shop.read(move |c| dues::limits_of(c, id)).await, [(0, 8), (1, 4), (2, 7)]);
        deadline_passes(&shop, &campaign).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(shop.at_provider(placed[0]).await, (72_000, 0));
        assert_eq!(shop.at_provider(placed[1]).await, (36_000, 0));
        assert_eq!(shop.at_provider(placed[2]).await, (0, 0));
        let row = shop.order(placed[2]).await;
        assert_eq!((row.state, row.payment_state), (OrderState::Cancelled, PaymentState::Unpaid));
        let told = shop.mail_to("c@mail.example").await;
        assert!(told.last().unwrap().contains("released"), "{told:?}");
        assert_eq!(shop.purchase_orders(&campaign).await[0].units, 12);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_threshold_in_money_is_counted_at_the_step_reached_and_then_at_the_step_judged(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = example_b(&shop);
        body["threshold"] = json!({"kind": "amount", "target": 70_000});
        let campaign = shop.publish(body).await;
        let counted = async || -> [Value; 3] {
            let url = shop.url(&format!("/api/v1/campaigns/{}", campaign.slug));
            let said: Value = shop.http.get(url).send().await.unwrap().json().await.unwrap();
            let of = |name: &str| said["threshold"][name].clone();
            [said["current_step"].clone(), of("committed"), of("collected")]
        };
        let mut placed = Vec::new();
        for (email, units, limit, card) in [
            ("a", 8, None, GOOD_CARD), ("b", 4, Some(1), FAILS_LATER), ("c", 7, Some(2), GOOD_CARD),
        ] {
            let email = format!("{email}@mail.example");
            let order = joins(&shop, &campaign, &email, units, limit).await;
            assert_eq!(completes(&shop, order, card).await, 303);
            placed.push(order);
        }
        // 8 and 4 reach the step from 10; the 7 wait for the one from 20 and count for nothing here.
        assert_eq!(counted().await, [json!(1), json!(108_000), json!(0)]);
        let visitor = Visitor::of(&shop);
        visitor.get(&format!("/c/{}", campaign.slug)).await.says("$1,080.00");
        deadline_passes(&shop, &campaign).await;
        shop.expect_state(&campaign, CampaignState::Collecting).await;
        // 8 units alone would be worth 800.00: the step stays as judged.
        assert_eq!(counted().await, [json!(1), json!(108_000), json!(72_000)]);
        shop.advance(Duration::days(8)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(counted().await, [json!(1), json!(72_000), json!(72_000)]);
        assert_eq!(shop.at_provider(placed[0]).await, (72_000, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn counters_by_option_are_made_of_the_orders_that_are_kept(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(example_b(&shop)).await;
        let mut placed = Vec::new();
        for (email, units, limit) in [("a", 3, None), ("b", 4, Some(1)), ("c", 2, Some(1))] {
            let email = format!("{email}@mail.example");
            let order = joins(&shop, &campaign, &email, units, limit).await;
            assert_eq!(completes(&shop, order, GOOD_CARD).await, 303);
            placed.push(order);
        }
        joins(&shop, &campaign, "d@mail.example", 1, None).await;
        shop.cancel(placed[1]).await.unwrap();
        shop.settle().await;
        let id = campaign.id;
        let by_option = async |shop: &Shop| {
            let all = shop.read(move |c| dues::limits_by_option(c, id)).await;
            all.into_iter().map(|(_, step, units)| (step, units)).collect::<Vec<_>>()
        };
        assert_eq!(by_option(&shop).await, [(0, 3), (1, 2)]);
        let stopped = shop.stop().await;
        stopped.db.execute(
            include_str!("../../../migrations/postgres/2026-11-30-000026a_limits/down.sql"),
            include_str!("../../../migrations/sqlite/2026-11-30-000026a_limits/down.sql"),
        );
        stopped.db.execute(
            include_str!("../../../migrations/postgres/2026-11-30-000026a_limits/up.sql"),
            include_str!("../../../migrations/sqlite/2026-11-30-000026a_limits/up.sql"),
        );
        let shop = stopped.start().await;
        assert_eq!(by_option(&shop).await, [(0, 3), (1, 2)]);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_limit_needs_a_saved_card_and_a_step_that_there_is(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(example_b(&shop)).await;
        let mut wish = shop.wish(&campaign, "a@mail.example", 1);
        wish.limit_step = Some(3);
        let said = shop.running.app.office.join(wish).await.unwrap_err();
        assert!(format!("{said:?}").contains("limit_step"), "{said:?}");
        let now = shop.publish(shop.example_a()).await;
        let mut wish = shop.wish(&now, "a@mail.example", 1);
        wish.limit_step = Some(1);
        let said = shop.running.app.office.join(wish).await.unwrap_err();
        assert!(format!("{said:?}").contains("limit_step"), "{said:?}");
        shop.close().await;
    }
}
