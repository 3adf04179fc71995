//! A cardholder disputes: before the judgement, after it, heard late, heard never.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::ids::OrderId;
use muster::domain::order::{OrderState, PaymentState};
use muster::domain::payment::RefundState;
use muster::store::campaigns::CampaignRow;
use serde_json::json;

use super::agrees;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

const DISPUTED: &str = "4000000000000259";

async fn join_and_dispute(shop: &Shop, campaign: &CampaignRow, email: &str, units: i64) -> OrderId {
    let id = shop.join(campaign, email, units).await.order.id;
    shop.settle().await;
    assert_eq!(shop.pay(id, DISPUTED).await, 303);
    shop.settle().await;
    id
}

/// The provider decides every open dispute.
async fn decide(shop: &Shop, outcome: &str) {
    let open = shop.provider("disputes?limit=100").await;
    for dispute in open["data"].as_array().unwrap() {
        let id = dispute["id"].as_str().unwrap();
        let done = shop
            .http
            .post(shop.url(&format!("/sandbox/disputes/{id}")))
            .form(&[("outcome", outcome)])
            .send()
            .await
            .unwrap();
        assert_eq!(done.status(), 303);
    }
    shop.settle().await;
}

both_databases! {
    async fn a_dispute_before_the_judgement_cancels_the_order_and_holds_its_refund(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = join_and_dispute(&shop, &campaign, "a@mail.example", 2).await;
        let order = shop.order(id).await;
        assert_eq!((order.state, order.payment_state), (OrderState::Cancelled, PaymentState::Disputed));
        assert_eq!((order.refund_due, order.refunded), (20000, 0));
        assert_eq!(shop.campaign(&campaign).await.committed_units, 0);
        let refund = shop.refunds(id).await.pop().unwrap();
        assert!(refund.held && refund.state == RefundState::Queued, "{refund:?}");
        shop.audit().await;
        shop.advance(Duration::days(2)).await;
        decide(&shop, "won").await;
        let order = shop.order(id).await;
        assert_eq!((order.refund_due, order.refunded), (0, 20000));
        assert_eq!(order.payment_state, PaymentState::Refunded);
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn a_lost_dispute_drops_the_refund_and_closes_the_books(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = join_and_dispute(&shop, &campaign, "a@mail.example", 2).await;
        // Silence loses, after a week; the campaign has failed by then.
        shop.advance(Duration::days(9)).await;
        shop.expect_state(&campaign, CampaignState::Failed).await;
        let order = shop.order(id).await;
        assert_eq!((order.refund_due, order.refunded, order.lost), (0, 0, 20000));
        assert_eq!(shop.refunds(id).await[0].state, RefundState::Dropped);
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn a_dispute_after_the_judgement_keeps_the_order_and_holds_the_difference(db: TestDatabase) {
        let shop = Shop::open(db).await;
        for outcome in ["won", "lost"] {
            let campaign = shop.publish(shop.example_a()).await;
            // Webhooks come ten minutes later: the dispute is heard of after the judgement.
            shop.join_and_pay(&campaign, "a@mail.example", 4).await;
            shop.advance(Duration::days(7) - Duration::minutes(2)).await;
            let id = shop.join(&campaign, "b@mail.example", 2).await.order.id;
            shop.settle().await;
            shop.faults(json!({"webhooks": "delay"})).await;
            assert_eq!(shop.pay(id, DISPUTED).await, 303);
            shop.advance(Duration::minutes(4)).await;
            shop.audit().await;
            shop.faults(json!({"webhooks": "normal"})).await;
            shop.advance(Duration::hours(1)).await;
            shop.expect_state(&campaign, CampaignState::Ordered).await;
            let order = shop.order(id).await;
            assert_eq!(order.state, OrderState::Backordered);
            shop.audit().await;
            decide(&shop, outcome).await;
            shop.audit().await;
            let order = shop.order(id).await;
            assert_eq!(order.state, OrderState::Backordered);
            if outcome == "won" {
                assert_eq!((order.refunded, order.lost), (2000, 0), "{order:#?}");
            } else {
                assert_eq!((order.refunded, order.lost), (0, 20000), "{order:#?}");
            }
            shop.advance(Duration::days(2)).await;
            agrees(&shop, &[id]).await;
        }
        shop.close().await;
    }

    async fn a_dispute_that_no_webhook_told_is_found_before_money_goes_out_twice(db: TestDatabase) {
        let shop = Shop::open(db).await;
        shop.faults(json!({"webhooks": "drop"})).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = join_and_dispute(&shop, &campaign, "a@mail.example", 2).await;
        shop.advance(Duration::minutes(30)).await;
        shop.audit().await;
        shop.advance(Duration::days(8)).await;
        shop.expect_state(&campaign, CampaignState::Failed).await;
        let mails = shop.mail_to("a@mail.example").await;
        assert!(!mails.iter().any(|m| m.contains("another way")), "{mails:?}");
        shop.advance(Duration::days(2)).await;
        let order = shop.order(id).await;
        assert_eq!((order.refund_due, order.refunded, order.lost), (0, 0, 20000), "{order:#?}");
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn a_dispute_told_before_the_payment_is_not_lost(db: TestDatabase) {
        let shop = Shop::open(db).await;
        shop.faults(json!({"webhooks": "reorder"})).await;
        let campaign = shop.publish(shop.example_a()).await;
        let mut orders = Vec::new();
        for n in 0..6 {
            orders.push(join_and_dispute(&shop, &campaign, &format!("s{n}@mail.example"), 1).await);
        }
        shop.advance(Duration::minutes(10)).await;
        for id in &orders {
            let order = shop.order(*id).await;
            assert_eq!(order.state, OrderState::Cancelled, "{order:#?}");
            assert_eq!(order.payment_state, PaymentState::Disputed);
        }
        assert_eq!(shop.campaign(&campaign).await.committed_units, 0);
        shop.audit().await;
        shop.close().await;
    }
}
