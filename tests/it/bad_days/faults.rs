//! Each fault of the provider, set at each stage of both stories, and taken back.

use chrono::Duration;
use muster::domain::campaign::{CampaignState, Failure};
use muster::domain::ids::OrderId;
use muster::domain::order::{OrderState, PaymentState};
use muster::store::campaigns::CampaignRow;
use serde_json::{Value, json};

use super::agrees;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// When a fault is set; it is taken back after the stage it was set for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Joining,
    Paying,
    Deadline,
}

fn normal() -> Value {
    json!({"webhooks": "normal", "api": "normal", "balance": "normal"})
}

/// Joins and pays with a fault on for one stage; the books are looked at while it is on, too.
async fn under(
    shop: &Shop,
    fault: &Value,
    stage: Stage,
    joins: &[i64],
) -> (CampaignRow, Vec<OrderId>) {
    let campaign = shop.publish(shop.example_a()).await;
    let mut orders = Vec::new();
    if stage == Stage::Joining {
        shop.faults(fault.clone()).await;
    }
    for (i, quantity) in joins.iter().enumerate() {
        let placed = shop
            .join(&campaign, &format!("s{i}@mail.example"), *quantity)
            .await;
        orders.push(placed.order.id);
    }
    shop.settle().await;
    shop.audit().await;
    if stage == Stage::Joining {
        shop.advance(Duration::minutes(1)).await;
        shop.audit().await;
        shop.faults(normal()).await;
        shop.advance(Duration::minutes(6)).await;
    }
    if stage == Stage::Paying {
        shop.faults(fault.clone()).await;
    }
    for order in &orders {
        assert_eq!(
            shop.pay(*order, GOOD_CARD).await,
            303,
            "{fault} at {stage:?}"
        );
    }
    shop.settle().await;
    shop.audit().await;
    if stage == Stage::Paying {
        shop.advance(Duration::minutes(5)).await;
        shop.audit().await;
        shop.faults(normal()).await;
    }
    shop.advance(Duration::hours(1)).await;
    for order in &orders {
        assert_eq!(
            shop.order(*order).await.state,
            OrderState::Confirmed,
            "{fault} at {stage:?}"
        );
    }
    if stage == Stage::Deadline {
        shop.faults(fault.clone()).await;
        shop.advance(Duration::days(7)).await;
        shop.audit().await;
        shop.advance(Duration::hours(3)).await;
        shop.audit().await;
        shop.faults(normal()).await;
    }
    shop.advance(Duration::days(8)).await;
    (campaign, orders)
}

async fn both_stories(db: TestDatabase, fault: Value) {
    let mut shop = Shop::open_with_timeout(db, 1).await;
    for stage in [Stage::Joining, Stage::Paying, Stage::Deadline] {
        let (campaign, orders) = under(&shop, &fault, stage, &[2, 2, 2]).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        for order in &orders {
            let order = shop.order(*order).await;
            assert_eq!(
                (order.state, order.refund_due),
                (OrderState::Backordered, 0),
                "{order:#?}"
            );
            assert_eq!(order.charged - order.refunded, order.final_total.unwrap());
        }
        agrees(&shop, &orders).await;
        shop = shop.restart().await;
        let (campaign, orders) = under(&shop, &fault, stage, &[2, 2]).await;
        let failed = shop.campaign(&campaign).await;
        assert_eq!(
            (failed.state, failed.failure),
            (CampaignState::Failed, Some(Failure::Missed))
        );
        for order in &orders {
            let order = shop.order(*order).await;
            assert_eq!(
                (order.charged, order.refunded, order.refund_due),
                (20000, 20000, 0)
            );
            assert_eq!(order.payment_state, PaymentState::Refunded);
        }
        agrees(&shop, &orders).await;
    }
    shop.close().await;
}

both_databases! {
    async fn webhooks_come_twice(db: TestDatabase) {
        both_stories(db, json!({"webhooks": "duplicate"})).await;
    }

    async fn webhooks_come_in_another_order(db: TestDatabase) {
        both_stories(db, json!({"webhooks": "reorder"})).await;
    }

    async fn webhooks_come_late(db: TestDatabase) {
        both_stories(db, json!({"webhooks": "delay"})).await;
    }

    async fn webhooks_never_come(db: TestDatabase) {
        both_stories(db, json!({"webhooks": "drop"})).await;
    }

    async fn the_provider_answers_500_after_the_effect(db: TestDatabase) {
        both_stories(db, json!({"api": "error_after_effect"})).await;
    }

    async fn the_provider_hangs_after_the_effect(db: TestDatabase) {
        both_stories(db, json!({"api": "hang_after_effect"})).await;
    }

    async fn the_provider_limits_the_rate(db: TestDatabase) {
        both_stories(db, json!({"api": "rate_limit"})).await;
    }

    async fn the_provider_is_down(db: TestDatabase) {
        both_stories(db, json!({"api": "down"})).await;
    }

    async fn the_balance_does_not_cover_the_refunds(db: TestDatabase) {
        both_stories(db, json!({"balance": "short"})).await;
    }

    async fn everything_at_once(db: TestDatabase) {
        both_stories(db, json!({"webhooks": "drop", "api": "error_after_effect", "balance": "short"})).await;
    }
}
