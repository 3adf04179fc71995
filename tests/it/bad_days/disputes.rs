//! A cardholder disputes: before the judgement, after it, heard late, heard never.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::currency::Currency;
use muster::domain::ids::OrderId;
use muster::domain::order::{OrderState, PaymentState};
use muster::domain::payment::{DisputeState, RefundState};
use muster::store::campaigns::CampaignRow;
use muster::store::refunds::{self, RefundRow};
use muster::workflows::judgement::judge;
use muster::workflows::{campaigns, dispute};
use serde_json::json;

use super::agrees;
use crate::support::database::TestDatabase;
use crate::support::provider::Between;
use crate::support::shop::{GOOD_CARD, Shop};

const DISPUTED: &str = "4000000000000259";
const INQUIRED: &str = "4000000000001976";

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
        let told = shop.mail_to("a@mail.example").await.pop().unwrap();
        assert!(told.ends_with("is cancelled: your bank decides about $200.00"), "{told}");
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
            if outcome == "won" {
                assert_eq!(order.state, OrderState::Backordered);
                assert_eq!((order.refunded, order.lost), (2000, 0), "{order:#?}");
            } else {
                // The bank gave all of it back, and nothing was sent: no goods for nothing.
                assert_eq!(order.state, OrderState::Cancelled);
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

    async fn a_dispute_that_was_prevented_with_the_money_taken_is_like_a_lost_one(db: TestDatabase) {
        let between = Between::new();
        *between.dispute.lock().unwrap() = |dispute| {
            assert!(dispute.withdrawn, "the provider's transactions say so");
            dispute.status = "prevented".into();
        };
        let shop = Shop::open_with(db, 5, between.seams()).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = join_and_dispute(&shop, &campaign, "a@mail.example", 2).await;
        let order = shop.order(id).await;
        assert_eq!(order.state, OrderState::Cancelled);
        assert_eq!((order.lost, order.refund_due, order.refunded), (20000, 0, 0), "{order:#?}");
        let dispute = shop.read(move |c| refunds::disputes_of(c, id)).await.remove(0);
        assert_eq!((dispute.state, dispute.provider_state.as_str()), (DisputeState::Lost, "prevented"));
        shop.audit().await;
        shop.advance(Duration::days(2)).await;
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn what_a_person_must_find_out_of_a_dispute_is_told_once_and_nothing_is_booked(db: TestDatabase) {
        let between = Between::new();
        let shop = Shop::open_with(db, 5, between.seams()).await;
        let campaign = shop.publish(shop.example_a()).await;
        let told = async || {
            let subjects = shop.mail_to("hello@fern.example").await;
            subjects.iter().filter(|s| s.contains("A dispute needs you")).count()
        };
        // Two units: prevented, and nothing was taken; whether the cardholder has the money only a person can see. One
        // unit: a bank that disputes in its own currency, so that the amount is none of this order's.
        *between.dispute.lock().unwrap() = |dispute| match dispute.amount {
            20_000 => {
                dispute.status = "prevented".into();
                dispute.withdrawn = false;
            }
            _ => dispute.currency = Currency::EUR,
        };
        let id = join_and_dispute(&shop, &campaign, "a@mail.example", 2).await;
        let order = shop.order(id).await;
        assert_eq!((order.state, order.payment_state), (OrderState::Confirmed, PaymentState::Paid));
        let dispute = shop.read(move |c| refunds::disputes_of(c, id)).await.remove(0);
        assert_eq!((dispute.state, dispute.provider_state.as_str()), (DisputeState::Inquiry, "prevented"));
        assert_eq!(told().await, 1);
        let other = join_and_dispute(&shop, &campaign, "b@mail.example", 1).await;
        assert_eq!(shop.order(other).await.state, OrderState::Confirmed);
        assert!(shop.read(move |c| refunds::disputes_of(c, other)).await.is_empty());
        assert_eq!(told().await, 2);
        shop.advance(Duration::days(3)).await;
        assert_eq!(told().await, 2, "once for each state");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_refund_that_a_dispute_held_goes_out_at_its_end_also_where_nothing_of_it_was_booked(db: TestDatabase) {
        let between = Between::new();
        *between.dispute.lock().unwrap() = |dispute| dispute.currency = Currency::EUR;
        let shop = Shop::open_with(db, 5, between.seams()).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = join_and_dispute(&shop, &campaign, "a@mail.example", 1).await;
        shop.cancel(id).await.unwrap();
        shop.settle().await;
        let refund = shop.refunds(id).await.pop().unwrap();
        assert!(refund.held && refund.state == RefundState::Queued, "the provider refuses it: {refund:?}");
        shop.audit().await;
        decide(&shop, "won").await;
        let order = shop.order(id).await;
        assert_eq!((order.refund_due, order.refunded), (0, 10_000), "{order:#?}");
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn an_open_dispute_that_is_prevented_with_nothing_taken_is_like_a_won_one(db: TestDatabase) {
        let between = Between::new();
        let shop = Shop::open_with(db, 5, between.seams()).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = join_and_dispute(&shop, &campaign, "a@mail.example", 2).await;
        assert_eq!(shop.order(id).await.payment_state, PaymentState::Disputed);
        *between.dispute.lock().unwrap() = |dispute| {
            dispute.status = "prevented".into();
            dispute.withdrawn = false;
        };
        decide(&shop, "won").await;
        let order = shop.order(id).await;
        assert_eq!((order.refund_due, order.refunded, order.lost), (0, 20_000, 0), "{order:#?}");
        assert_eq!(order.payment_state, PaymentState::Refunded);
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn an_inquiry_freezes_and_books_nothing(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let mut orders = Vec::new();
        for n in 0..2 {
            let id = shop.join(&campaign, &format!("s{n}@mail.example"), 2).await.order.id;
            shop.settle().await;
            assert_eq!(shop.pay(id, INQUIRED).await, 303);
            shop.settle().await;
            let order = shop.order(id).await;
            assert_eq!((order.state, order.payment_state), (OrderState::Confirmed, PaymentState::Paid));
            assert_eq!(shop.read(move |c| refunds::disputes_of(c, id)).await[0].state, DisputeState::Inquiry);
            orders.push(id);
        }
        assert_eq!(shop.campaign(&campaign).await.committed_units, 4);
        shop.audit().await;
        // A refund that is due goes out at once.
        shop.cancel(orders[0]).await.unwrap();
        shop.settle().await;
        assert_eq!(shop.order(orders[0]).await.refunded, 20000);
        // The bank asks no more; the campaign fails, and the other is refunded as anybody.
        shop.advance(Duration::days(9)).await;
        for id in &orders {
            let order = shop.order(*id).await;
            assert_eq!((order.refunded, order.lost, order.refund_due), (20000, 0, 0), "{order:#?}");
            assert_eq!(order.payment_state, PaymentState::Refunded);
        }
        agrees(&shop, &orders).await;
        shop.close().await;
    }

    async fn an_order_that_lost_everything_in_a_dispute_is_settled_without_a_refund(db: TestDatabase) {
        let between = Between::new();
        let shop = Shop::open_with(db, 5, between.seams()).await;
        let (campaign, id) = lost_before_it_was_settled(&shop).await;
        shop.settle().await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        let order = shop.order(id).await;
        assert_eq!((order.final_total, order.lost), (Some(18000), 20000), "{order:#?}");
        assert!(shop.refunds(id).await.is_empty(), "nothing is left to give back of");
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn of_what_a_dispute_left_no_more_goes_back_than_is_there(db: TestDatabase) {
        let between = Between::new();
        *between.dispute.lock().unwrap() = |dispute| dispute.amount = 19500;
        let shop = Shop::open_with(db, 5, between.seams()).await;
        let (_, id) = lost_before_it_was_settled(&shop).await;
        shop.settle().await;
        let refund = shop.refunds(id).await.pop().unwrap();
        assert_eq!(refund.amount, 500, "the difference is 2000, and 500 are there");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_lost_dispute_over_a_part_leaves_the_rest_to_be_refunded(db: TestDatabase) {
        let between = Between::new();
        *between.dispute.lock().unwrap() = |dispute| dispute.amount = 5000;
        let shop = Shop::open_with(db, 5, between.seams()).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = join_and_dispute(&shop, &campaign, "a@mail.example", 2).await;
        let order = shop.order(id).await;
        assert_eq!((order.state, order.refund_due), (OrderState::Cancelled, 20000));
        shop.audit().await;
        decide(&shop, "lost").await;
        let order = shop.order(id).await;
        assert_eq!((order.lost, order.refund_due), (5000, 15000), "{order:#?}");
        shop.audit().await;
        // The provider refunds nothing of a charge whose dispute was lost: it needs another way.
        shop.advance(Duration::days(1)).await;
        let due = |r: &RefundRow| r.state == RefundState::Failed && !r.held;
        assert!(shop.refunds(id).await.iter().any(due), "{:#?}", shop.refunds(id).await);
        let mails = shop.mail_to("a@mail.example").await;
        assert!(mails.iter().any(|m| m.contains("another way")), "{mails:?}");
        shop.audit().await;
        shop.close().await;
    }
}

/// A campaign that was judged, and an order of it that lost a dispute before it got its final price.
async fn lost_before_it_was_settled(shop: &Shop) -> (CampaignRow, OrderId) {
    // Nobody is told of the dispute, so that it does not cancel the order.
    shop.faults(json!({"webhooks": "drop"})).await;
    let campaign = shop.publish(shop.example_a()).await;
    let id = join_and_dispute(shop, &campaign, "a@mail.example", 2).await;
    let other = shop.join(&campaign, "b@mail.example", 4).await.order.id;
    shop.settle().await;
    assert_eq!(shop.pay(other, GOOD_CARD).await, 303);
    shop.advance(Duration::minutes(5)).await;
    assert_eq!(shop.order(id).await.state, OrderState::Confirmed);
    decide(shop, "lost").await;
    let (merchant, slug, judged) = (shop.merchant, campaign.slug.clone(), campaign.id);
    shop.write(move |_, tx| campaigns::close(tx, merchant, &slug))
        .await
        .unwrap();
    shop.write(move |desk, tx| judge(desk, tx, judged))
        .await
        .unwrap();
    let list = shop.provider("disputes?limit=1").await;
    let dispute = list["data"][0]["id"].as_str().unwrap().to_owned();
    let office = &shop.running.app.office;
    let said = office.provider().dispute(dispute).await.unwrap();
    shop.write(move |desk, tx| dispute::heard(desk, tx, &said))
        .await
        .unwrap();
    shop.audit().await;
    (campaign, id)
}
