//! The provider uses words that nobody knows: they are kept for staff, and never guessed.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::order::{OrderState, PaymentState};
use muster::domain::payment::RefundState;
use muster::store::misc;
use muster::workflows::ports::ProviderRefundStatus;

use super::agrees;
use crate::support::database::TestDatabase;
use crate::support::provider::Between;
use crate::support::shop::{GOOD_CARD, Shop};

both_databases! {
    async fn a_page_in_a_state_that_nobody_knows_neither_counts_nor_ends(db: TestDatabase) {
        let between = Between::new();
        let shop = Shop::open_with(db, 5, between.seams()).await;
        let campaign = shop.publish(shop.example_a()).await;
        shop.advance(Duration::days(7) - Duration::minutes(50)).await;
        let id = shop.join(&campaign, "a@mail.example", 2).await.order.id;
        shop.settle().await;
        assert_eq!(shop.pay(id, GOOD_CARD).await, 303);
        *between.page.lock().unwrap() = |page| page.status = None;
        // Also past its end, when it was asked to expire, and past the deadline.
        for wait in [Duration::zero(), Duration::minutes(40), Duration::hours(5)] {
            shop.advance(wait).await;
            let order = shop.order(id).await;
            assert_eq!((order.state, order.charged), (OrderState::Pending, 0), "{order:#?}");
            assert!(order.units_taken, "its place is kept");
            let page = shop.payments(id).await.pop().unwrap();
            assert!(page.problem.is_some_and(|p| p.contains("not known")));
            shop.audit().await;
        }
        shop.expect_state(&campaign, CampaignState::Open).await;
        assert!(shop.campaign(&campaign).await.waiting_for.is_some(), "staff see why");
        *between.page.lock().unwrap() = |_| {};
        shop.advance(Duration::hours(2)).await;
        shop.expect_state(&campaign, CampaignState::Failed).await;
        let order = shop.order(id).await;
        assert_eq!((order.charged, order.refunded), (20000, 20000));
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn a_refund_in_a_state_that_nobody_knows_stays_due_and_is_made_once(db: TestDatabase) {
        let between = Between::new();
        let shop = Shop::open_with(db, 5, between.seams()).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        *between.refund.lock().unwrap() = |refund| refund.status = ProviderRefundStatus::Unknown;
        shop.cancel(id).await.unwrap();
        // Past the day for which the provider keeps a key, too.
        for wait in [Duration::zero(), Duration::hours(7), Duration::hours(40)] {
            shop.advance(wait).await;
            let order = shop.order(id).await;
            assert_eq!((order.refund_due, order.refunded), (20000, 0), "{order:#?}");
            assert_eq!(order.payment_state, PaymentState::Refunding);
            assert_eq!(shop.at_provider(id).await, (20000, 20000), "made, once");
            shop.audit().await;
        }
        *between.refund.lock().unwrap() = |_| {};
        shop.advance(Duration::hours(7)).await;
        let refund = shop.refunds(id).await.pop().unwrap();
        assert_eq!((refund.state, refund.attempt), (RefundState::Succeeded, 1));
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn a_dispute_in_a_state_that_nobody_knows_moves_nothing(db: TestDatabase) {
        let between = Between::new();
        let shop = Shop::open_with(db, 5, between.seams()).await;
        let campaign = shop.publish(shop.example_a()).await;
        *between.dispute.lock().unwrap() = |dispute| dispute.status = "in_limbo".into();
        let id = shop.join(&campaign, "a@mail.example", 2).await.order.id;
        shop.settle().await;
        assert_eq!(shop.pay(id, "4000000000000259").await, 303);
        shop.settle().await;
        let order = shop.order(id).await;
        assert_eq!((order.state, order.payment_state), (OrderState::Confirmed, PaymentState::Paid));
        let told = shop.read(move |conn| misc::happenings_of_order(conn, id)).await;
        assert!(told.iter().any(|h| h.detail.contains("in_limbo")), "{told:#?}");
        shop.audit().await;
        // The word becomes known: then it is what it is.
        *between.dispute.lock().unwrap() = |_| {};
        shop.advance(Duration::days(2)).await;
        assert_eq!(shop.order(id).await.state, OrderState::Cancelled);
        shop.advance(Duration::days(10)).await;
        let order = shop.order(id).await;
        assert_eq!((order.refund_due, order.refunded, order.lost), (0, 0, 20000), "{order:#?}");
        agrees(&shop, &[id]).await;
        shop.close().await;
    }
}
