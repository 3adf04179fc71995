//! Refunds that come back, that wait, that are made by hand.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::order::PaymentState;
use muster::domain::payment::RefundState;
use muster::workflows::refund::paid_otherwise;
use serde_json::json;

use super::agrees;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

const REFUND_FAILS: &str = "4000000000005126";
const REFUND_WAITS: &str = "4000000000007726";

both_databases! {
    async fn a_refund_that_comes_back_twice_is_paid_in_another_way(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = shop.join(&campaign, "a@mail.example", 2).await.order.id;
        shop.settle().await;
        assert_eq!(shop.pay(id, REFUND_FAILS).await, 303);
        shop.settle().await;
        shop.cancel(id).await.unwrap();
        shop.settle().await;
        assert_eq!(shop.order(id).await.payment_state, PaymentState::Refunded);
        shop.audit().await;
        // An hour later it comes back; it is sent once more with a new key.
        shop.advance(Duration::minutes(61)).await;
        let refund = shop.refunds(id).await.pop().unwrap();
        assert_eq!((refund.failures, refund.attempt), (1, 2));
        agrees(&shop, &[id]).await;
        // And comes back again.
        shop.advance(Duration::minutes(61)).await;
        let refund = shop.refunds(id).await.pop().unwrap();
        assert_eq!((refund.failures, refund.state), (2, RefundState::Failed));
        let order = shop.order(id).await;
        assert_eq!((order.refunded, order.refund_due), (0, 20000));
        assert_eq!(order.payment_state, PaymentState::Failed);
        let mails = shop.mail_to("a@mail.example").await;
        assert!(mails.iter().any(|m| m.contains("another way")), "{mails:?}");
        shop.audit().await;
        shop.advance(Duration::days(1)).await;
        agrees(&shop, &[id]).await;
        let refund = refund.id;
        assert!(shop.write(move |_, tx| paid_otherwise(tx, refund, "Ana", " ")).await.is_err());
        shop.write(move |_, tx| paid_otherwise(tx, refund, "Ana", "SEPA 4711")).await.unwrap();
        assert!(shop.write(move |_, tx| paid_otherwise(tx, refund, "Ana", "SEPA 4712")).await.is_err());
        let order = shop.order(id).await;
        assert_eq!((order.refunded, order.refund_due), (20000, 0));
        assert_eq!(order.payment_state, PaymentState::Refunded);
        shop.advance(Duration::days(8)).await;
        shop.expect_state(&campaign, CampaignState::Failed).await;
        assert_eq!(shop.refunds(id).await.len(), 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_refund_that_came_back_unheard_is_found_without_a_webhook(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = shop.join(&campaign, "a@mail.example", 2).await.order.id;
        shop.settle().await;
        assert_eq!(shop.pay(id, REFUND_FAILS).await, 303);
        shop.settle().await;
        shop.faults(json!({"webhooks": "drop"})).await;
        shop.cancel(id).await.unwrap();
        shop.advance(Duration::days(3)).await;
        let refund = shop.refunds(id).await.pop().unwrap();
        assert_eq!((refund.failures, refund.state), (2, RefundState::Failed));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_refund_that_takes_an_hour_is_followed(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = shop.join(&campaign, "a@mail.example", 2).await.order.id;
        shop.settle().await;
        assert_eq!(shop.pay(id, REFUND_WAITS).await, 303);
        shop.settle().await;
        shop.cancel(id).await.unwrap();
        shop.settle().await;
        let order = shop.order(id).await;
        assert_eq!((order.refund_due, order.payment_state), (20000, PaymentState::Refunding));
        assert_eq!(shop.refunds(id).await[0].state, RefundState::Pending);
        shop.audit().await;
        shop.advance(Duration::minutes(61)).await;
        assert_eq!(shop.refunds(id).await[0].state, RefundState::Succeeded);
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn a_refund_made_by_hand_at_the_provider_is_told_by_the_audit(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        let intent = shop.payments(id).await[0].intent_id.clone().unwrap();
        let made = shop.http.post(shop.url("/sandbox/stripe/v1/refunds")).bearer_auth("sk_test_tests")
            .form(&[("payment_intent", intent.as_str()), ("amount", "500")]).send().await.unwrap();
        assert_eq!(made.status(), 200);
        shop.settle().await;
        let found = muster::jobs::compare(&shop.running.app.office).await.unwrap();
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(&id.to_string()), "{found:?}");
        let report = muster::jobs::reconcile(&shop.running.app.office).await.unwrap();
        assert_eq!(report.left.len(), 1, "{report:?}");
        shop.close().await;
    }
}
