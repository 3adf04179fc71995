//! The whole way once: enough people paid and the supplier's order went out; or too few, and everybody has the money
//! back.

use chrono::Duration;
use muster::domain::campaign::{CampaignState, Failure};
use muster::domain::order::{OrderState, PaymentState};
use muster::domain::payment::{AttemptState, RefundPurpose, RefundState};
use muster::domain::purchase_order::PurchaseOrderState;
use serde_json::json;

use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn worked_example_a_at_eight_units_the_first_three_get_twenty_back_each(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        // Worked example A: charged 200, 200, 200 (4 before it), 180 (6 before it).
        let mut placed = Vec::new();
        for (i, charged) in [20000, 20000, 20000, 18000].into_iter().enumerate() {
            let order = shop.join_and_pay(&campaign, &format!("s{i}@mail.example"), 2).await;
            assert_eq!(shop.order(order).await.charged, charged);
            placed.push(order);
            shop.audit().await;
        }
        shop.advance(Duration::days(8)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        // Judged at 8 units, step 5: the first three get 20 back each.
        for (order, back) in placed.iter().zip([2000, 2000, 2000, 0]) {
            let order = shop.order(*order).await;
            assert_eq!(order.refunded, back);
            assert_eq!(order.state, OrderState::Backordered);
            let paid = if back > 0 { PaymentState::PartlyRefunded } else { PaymentState::Paid };
            assert_eq!(order.payment_state, paid);
            assert_eq!(order.final_total, Some(order.charged - back));
            assert_eq!(shop.at_provider(order.id).await, (order.charged, back));
        }
        let sent = shop.purchase_orders(&campaign).await;
        assert_eq!(sent.len(), 1);
        assert_eq!(sent[0].state, PurchaseOrderState::Sent);
        assert_eq!((sent[0].number, sent[0].units, sent[0].units_paid), (Some(1), 8, 8));
        assert_eq!(shop.mail_to("orders@kasten.example").await.len(), 1);
        assert_eq!(shop.mail_to("s0@mail.example").await.len(), 3, "confirmed, step, succeeded");
        shop.audit().await;
        shop.close().await;
    }

    async fn worked_example_a_with_four_units_fails_and_all_are_refunded_in_full(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let first = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        let second = shop.join_and_pay(&campaign, "b@mail.example", 2).await;
        shop.advance(Duration::days(8)).await;
        let failed = shop.campaign(&campaign).await;
        assert_eq!(failed.state, CampaignState::Failed);
        assert_eq!(failed.failure, Some(Failure::Missed));
        for order in [first, second] {
            let order = shop.order(order).await;
            assert_eq!((order.charged, order.refunded, order.refund_due), (20000, 20000, 0));
            assert_eq!(order.state, OrderState::Cancelled);
            assert_eq!(order.payment_state, PaymentState::Refunded);
            let refunds = shop.refunds(order.id).await;
            assert_eq!(refunds.len(), 1);
            assert_eq!(refunds[0].purpose, RefundPurpose::Missed);
            assert_eq!(refunds[0].state, RefundState::Succeeded);
            assert_eq!(shop.at_provider(order.id).await, (20000, 20000));
        }
        assert_eq!(shop.mail_to("a@mail.example").await.len(), 2, "confirmed, failed");
        assert!(shop.mail_to("orders@kasten.example").await.is_empty());
        shop.audit().await;
        shop.close().await;
    }

    async fn an_order_that_is_not_paid_runs_out_and_frees_its_units(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = shop.example_a();
        body["options"][0]["cap"] = json!(5);
        let campaign = shop.publish(body).await;
        let placed = shop.join(&campaign, "a@mail.example", 5).await;
        let refused = shop.running.app.office.join(shop.wish(&campaign, "b@mail.example", 1)).await;
        assert!(refused.unwrap_err().to_string().contains("sold out"));
        shop.advance(Duration::minutes(46)).await;
        assert_eq!(shop.order(placed.order.id).await.state, OrderState::Expired);
        shop.join(&campaign, "b@mail.example", 5).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn a_shopper_leaves_before_the_order_goes_out_and_gets_everything_back(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        for _ in 0..2 {
            shop.running.app.office
                .write(move |desk, tx| {
                    muster::workflows::cancel::cancel(desk, tx, order, &muster::workflows::cancel::By::Shopper)
                })
                .await
                .unwrap();
            shop.settle().await;
        }
        let order = shop.order(order).await;
        assert_eq!((order.state, order.refunded), (OrderState::Cancelled, 20000));
        assert_eq!(shop.campaign(&campaign).await.committed_units, 0);
        assert_eq!(shop.refunds(order.id).await.len(), 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn what_is_held_at_the_deadline_is_paid_or_runs_out_before_the_judgement(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        shop.join_and_pay(&campaign, "a@mail.example", 4).await;
        shop.advance(Duration::days(7) - Duration::minutes(10)).await;
        let late = shop.join(&campaign, "b@mail.example", 2).await.order.id;
        shop.settle().await;
        shop.advance(Duration::minutes(15)).await;
        shop.expect_state(&campaign, CampaignState::Open).await;
        let closed = shop.running.app.office.join(shop.wish(&campaign, "c@mail.example", 1)).await;
        assert!(closed.unwrap_err().to_string().contains("deadline"));
        // Held before the deadline and paid after it: it counts.
        assert_eq!(shop.pay(late, crate::support::shop::GOOD_CARD).await, 303);
        shop.settle().await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(shop.order(late).await.state, OrderState::Backordered);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_declined_card_charges_nothing_and_another_may_be_tried(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let order = shop.join(&campaign, "a@mail.example", 1).await.order.id;
        shop.settle().await;
        assert_eq!(shop.pay(order, "4000000000009995").await, 402);
        shop.settle().await;
        assert_eq!(shop.order(order).await.charged, 0);
        assert_eq!(shop.pay(order, crate::support::shop::GOOD_CARD).await, 303);
        shop.settle().await;
        assert_eq!(shop.order(order).await.state, OrderState::Confirmed);
        assert_eq!(shop.payments(order).await[0].state, AttemptState::Paid);
        shop.audit().await;
        shop.close().await;
    }
}
