//! The stories that move money.

use chrono::{DateTime, Duration, Utc};
use muster::domain::campaign::{CampaignState, Failure};
use muster::domain::ids::OrderId;
use muster::domain::order::{OrderState, PaymentState};
use muster::domain::payment::{RefundPurpose, RefundState};
use muster::domain::purchase_order::PurchaseOrderState;
use muster::store::campaigns::CampaignRow;
use muster::store::merchants;
use serde_json::json;

use super::super::pages::ask_instead;
use super::people::{
    bank_decides, ended, joins, leaves, pays, pays_stray, staff_cancel, staff_pay_otherwise,
    wait_until,
};
use super::{at_each_step, movements};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

const REFUND_FAILS: &str = "4000000000005126";
const DISPUTED: &str = "4000000000000259";

/// A campaign of worked example A, with these orders paid.
async fn paid(shop: &Shop, units: &[i64]) -> (CampaignRow, Vec<OrderId>) {
    let campaign = shop.publish(shop.example_a()).await;
    let mut orders = Vec::new();
    for (n, units) in units.iter().enumerate() {
        let email = format!("s{n}@mail.example");
        orders.push(shop.join_and_pay(&campaign, &email, *units).await);
    }
    (campaign, orders)
}

async fn mails(shop: &Shop, address: &str, about: &str) -> usize {
    let all = shop.mail_to(address).await;
    all.iter().filter(|subject| subject.contains(about)).count()
}

both_databases! {
    async fn a_shopper_joins_and_pays(db: TestDatabase) {
        let before = async |shop: &Shop| paid(shop, &[1]).await.0;
        at_each_step(db, before, async |shop: &Shop, campaign: &CampaignRow| {
            let id = joins(shop, campaign, "a@mail.example", 2).await;
            pays(shop, id, GOOD_CARD).await;
            ended(shop, id, OrderState::Confirmed, [20000, 0, 0]).await;
            assert_eq!(shop.campaign(campaign).await.committed_units, 3);
            assert_eq!(shop.mail_to("a@mail.example").await.len(), 1);
        }).await;
    }

    async fn enough_paid_and_the_difference_goes_back(db: TestDatabase) {
        let before = async |shop: &Shop| paid(shop, &[5]).await;
        at_each_step(db, before, async |shop: &Shop, (campaign, orders): &(CampaignRow, Vec<OrderId>)| {
            wait_until(shop, campaign.deadline.and_utc() + Duration::minutes(5)).await;
            shop.expect_state(campaign, CampaignState::Ordered).await;
            ended(shop, orders[0], OrderState::Backordered, [50000, 5000, 0]).await;
            let sent = shop.purchase_orders(campaign).await;
            assert_eq!(sent.len(), 1);
            assert_eq!((sent[0].state, sent[0].number, sent[0].units), (PurchaseOrderState::Sent, Some(1), 5));
            assert_eq!(shop.mail_to("orders@kasten.example").await.len(), 1);
        }).await;
    }

    async fn too_few_paid_and_everybody_is_refunded(db: TestDatabase) {
        let before = async |shop: &Shop| paid(shop, &[2, 1]).await;
        at_each_step(db, before, async |shop: &Shop, (campaign, orders): &(CampaignRow, Vec<OrderId>)| {
            wait_until(shop, campaign.deadline.and_utc() + Duration::minutes(5)).await;
            assert_eq!(shop.campaign(campaign).await.failure, Some(Failure::Missed));
            ended(shop, orders[0], OrderState::Cancelled, [20000, 20000, 0]).await;
            ended(shop, orders[1], OrderState::Cancelled, [10000, 10000, 0]).await;
            assert_eq!(shop.mail_to("s0@mail.example").await.len(), 2, "confirmed, failed");
            assert!(shop.mail_to("orders@kasten.example").await.is_empty());
        }).await;
    }

    async fn a_refund_is_answered_500_after_it_was_made(db: TestDatabase) {
        let before = async |shop: &Shop| paid(shop, &[2]).await;
        at_each_step(db, before, async |shop: &Shop, (campaign, orders): &(CampaignRow, Vec<OrderId>)| {
            let deadline = campaign.deadline.and_utc();
            let api = if shop.now() < deadline { "error_after_effect" } else { "normal" };
            shop.faults(json!({"api": api, "webhooks": "drop"})).await;
            wait_until(shop, deadline + Duration::minutes(2)).await;
            shop.faults(json!({"api": "normal"})).await;
            wait_until(shop, deadline + Duration::hours(1)).await;
            ended(shop, orders[0], OrderState::Cancelled, [20000, 20000, 0]).await;
        }).await;
    }

    async fn a_shopper_who_paid_leaves(db: TestDatabase) {
        let before = async |shop: &Shop| paid(shop, &[2]).await;
        at_each_step(db, before, async |shop: &Shop, (campaign, orders): &(CampaignRow, Vec<OrderId>)| {
            leaves(shop, orders[0]).await;
            ended(shop, orders[0], OrderState::Cancelled, [20000, 20000, 0]).await;
            assert_eq!(shop.campaign(campaign).await.committed_units, 0);
            assert_eq!(shop.mail_to("s0@mail.example").await.len(), 2, "confirmed, cancelled");
        }).await;
    }

    async fn a_shopper_leaves_before_paying(db: TestDatabase) {
        let before = async |shop: &Shop| joined(shop).await;
        at_each_step(db, before, async |shop: &Shop, (_, id): &(CampaignRow, OrderId)| {
            leaves(shop, *id).await;
            shop.advance(Duration::minutes(1)).await;
            ended(shop, *id, OrderState::Cancelled, [0, 0, 0]).await;
            assert!(!shop.order(*id).await.units_taken);
        }).await;
    }

    async fn a_shopper_pays_in_one_tab_and_leaves_in_the_other(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let (campaign, id) = joined(shop).await;
            // The provider has the money, and nobody was told.
            shop.faults(json!({"webhooks": "delay"})).await;
            assert_eq!(shop.pay(id, GOOD_CARD).await, 303);
            (campaign, id)
        };
        at_each_step(db, before, async |shop: &Shop, (campaign, id): &(CampaignRow, OrderId)| {
            leaves(shop, *id).await;
            shop.advance(Duration::minutes(15)).await;
            ended(shop, *id, OrderState::Cancelled, [20000, 20000, 0]).await;
            assert_eq!(shop.campaign(campaign).await.committed_units, 0);
        }).await;
    }

    async fn a_page_is_paid_after_its_units_went_to_others(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let mut body = shop.example_a();
            body["options"][0]["cap"] = json!(5);
            let campaign = shop.publish(body).await;
            // Nobody is told of the page: the provider answers 500 to its making until the order has run out.
            shop.faults(json!({"api": "error_after_effect"})).await;
            let late = shop.join(&campaign, "a@mail.example", 2).await.order.id;
            shop.advance(Duration::minutes(75)).await;
            shop.faults(json!({"api": "normal"})).await;
            assert_eq!(shop.order(late).await.state, OrderState::Expired);
            shop.join_and_pay(&campaign, "b@mail.example", 4).await;
            late
        };
        at_each_step(db, before, async |shop: &Shop, late: &OrderId| {
            pays_stray(shop, *late, GOOD_CARD).await;
            ended(shop, *late, OrderState::Expired, [20000, 20000, 0]).await;
            assert_eq!(shop.refunds(*late).await[0].purpose, RefundPurpose::Late);
            assert_eq!(mails(shop, "a@mail.example", "").await, 1);
        }).await;
    }

    async fn a_refund_comes_back_twice_and_staff_pay_it_otherwise(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let (_, id) = joined(shop).await;
            assert_eq!(shop.pay(id, REFUND_FAILS).await, 303);
            shop.settle().await;
            shop.cancel(id).await.unwrap();
            shop.settle().await;
            assert_eq!(shop.order(id).await.refunded, 20000);
            (id, shop.now())
        };
        at_each_step(db, before, async |shop: &Shop, (id, start): &(OrderId, DateTime<Utc>)| {
            wait_until(shop, *start + Duration::hours(3)).await;
            let refund = shop.refunds(*id).await.pop().unwrap();
            assert_eq!((refund.failures, refund.attempt), (2, 2), "{refund:#?}");
            assert_eq!(movements(shop, *id).await, (vec![20000], vec![]), "nothing went back by card");
            staff_pay_otherwise(shop, refund.id).await;
            let order = shop.order(*id).await;
            assert_eq!((order.refunded, order.refund_due), (20000, 0));
            assert_eq!(order.payment_state, PaymentState::Refunded);
            assert_eq!(mails(shop, "a@mail.example", "another way").await, 1);
        }).await;
    }

    async fn a_payment_is_disputed(db: TestDatabase) {
        let before = async |shop: &Shop| joined(shop).await;
        at_each_step(db, before, async |shop: &Shop, (_, id): &(CampaignRow, OrderId)| {
            pays(shop, *id, DISPUTED).await;
            shop.advance(Duration::minutes(15)).await;
            let order = shop.order(*id).await;
            assert_eq!((order.state, order.payment_state), (OrderState::Cancelled, PaymentState::Disputed));
            assert_eq!((order.refund_due, order.refunded), (20000, 0));
            assert!(shop.refunds(*id).await[0].held, "until the bank has decided");
            assert_eq!(movements(shop, *id).await, (vec![20000], vec![]));
        }).await;
    }

    async fn a_dispute_is_lost(db: TestDatabase) {
        decided(db, "lost").await;
    }

    async fn a_dispute_is_won(db: TestDatabase) {
        decided(db, "won").await;
    }

    async fn a_blocked_purchase_order_fails_the_campaign_on_the_seventh_day(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let mut supplier = shop.supplier.clone();
            supplier.minimum_units = Some(100);
            shop.write(move |_, tx| Ok(merchants::save_supplier(tx.conn, &supplier)?)).await.unwrap();
            let (campaign, orders) = paid(shop, &[5]).await;
            shop.advance(Duration::days(7 + 6)).await;
            shop.expect_state(&campaign, CampaignState::Collecting).await;
            (campaign, orders)
        };
        at_each_step(db, before, async |shop: &Shop, (campaign, orders): &(CampaignRow, Vec<OrderId>)| {
            wait_until(shop, campaign.deadline.and_utc() + Duration::days(7) + Duration::hours(1)).await;
            assert_eq!(shop.campaign(campaign).await.failure, Some(Failure::Supplier));
            for (order, charged) in orders.iter().zip([50000]) {
                let row = shop.order(*order).await;
                assert_eq!((row.state, row.charged, row.refunded, row.refund_due), (OrderState::Cancelled, charged, charged, 0));
                // The difference at the judgement, the rest now: each once.
                let (charges, refunds) = movements(shop, *order).await;
                assert_eq!((charges, refunds.len()), (vec![charged], 2));
            }
            assert!(shop.mail_to("orders@kasten.example").await.is_empty());
            assert_eq!(mails(shop, "hello@fern.example", "cannot be sent").await, 3);
        }).await;
    }

    async fn staff_cancel_the_campaign(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let (campaign, mut orders) = paid(shop, &[2]).await;
            orders.push(shop.join(&campaign, "b@mail.example", 1).await.order.id);
            shop.settle().await;
            (campaign, orders)
        };
        at_each_step(db, before, async |shop: &Shop, (campaign, orders): &(CampaignRow, Vec<OrderId>)| {
            staff_cancel(shop, campaign).await;
            shop.advance(Duration::minutes(1)).await;
            assert_eq!(shop.campaign(campaign).await.failure, Some(Failure::Cancelled));
            ended(shop, orders[0], OrderState::Cancelled, [20000, 20000, 0]).await;
            ended(shop, orders[1], OrderState::Cancelled, [0, 0, 0]).await;
            assert!(shop.batch(campaign).await.settled_at.is_some());
        }).await;
    }

    async fn more_is_captured_than_was_asked_and_the_excess_goes_back(db: TestDatabase) {
        let before = async |shop: &Shop| asked_instead(shop, 25_000).await;
        at_each_step(db, before, async |shop: &Shop, (campaign, id): &(CampaignRow, OrderId)| {
            pays(shop, *id, GOOD_CARD).await;
            ended(shop, *id, OrderState::Confirmed, [25_000, 5_000, 0]).await;
            assert_eq!(shop.campaign(campaign).await.committed_units, 2);
            assert_eq!(mails(shop, "a@mail.example", "you paid $200.00").await, 1);
        }).await;
    }

    async fn less_is_captured_than_was_asked_which_does_not_count_and_goes_back(db: TestDatabase) {
        let before = async |shop: &Shop| asked_instead(shop, 100).await;
        at_each_step(db, before, async |shop: &Shop, (campaign, id): &(CampaignRow, OrderId)| {
            pays(shop, *id, GOOD_CARD).await;
            ended(shop, *id, OrderState::Cancelled, [100, 100, 0]).await;
            let campaign = shop.campaign(campaign).await;
            assert_eq!((campaign.committed_units, campaign.open_payments), (0, 0));
            assert!(!shop.order(*id).await.units_taken);
            assert_eq!(shop.mail_to("a@mail.example").await.len(), 1, "cancelled, never confirmed");
        }).await;
    }

    async fn an_order_of_a_failed_campaign_turns_out_to_be_paid(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let (campaign, id) = joined(shop).await;
            // The provider has the money, and nobody is told before the campaign is cancelled.
            shop.faults(json!({"webhooks": "drop"})).await;
            assert_eq!(shop.pay(id, GOOD_CARD).await, 303);
            (campaign, id)
        };
        at_each_step(db, before, async |shop: &Shop, (campaign, id): &(CampaignRow, OrderId)| {
            staff_cancel(shop, campaign).await;
            shop.advance(Duration::minutes(15)).await;
            assert_eq!(shop.campaign(campaign).await.failure, Some(Failure::Cancelled));
            ended(shop, *id, OrderState::Cancelled, [20000, 20000, 0]).await;
            let order = shop.order(*id).await;
            assert!(order.settled && !order.units_taken, "{order:#?}");
            // Whichever is heard first: the payment (where leases had to end before the campaign was cancelled), that the
            // campaign ended, or that there is money to give back.
            let told = shop.mail_to("a@mail.example").await;
            let last = told.last().map(String::as_str).unwrap_or_default();
            assert!(told.len() <= 2 && last.ends_with("$200.00 goes back to you"), "{told:?}");
        }).await;
    }

    async fn a_sent_purchase_order_is_cancelled_with_its_campaign(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let (campaign, orders) = paid(shop, &[4, 2]).await;
            shop.advance(Duration::days(8)).await;
            shop.expect_state(&campaign, CampaignState::Ordered).await;
            (campaign, orders)
        };
        at_each_step(db, before, async |shop: &Shop, (campaign, orders): &(CampaignRow, Vec<OrderId>)| {
            staff_cancel(shop, campaign).await;
            shop.advance(Duration::minutes(1)).await;
            assert_eq!(shop.campaign(campaign).await.failure, Some(Failure::Cancelled));
            let sent = shop.purchase_orders(campaign).await;
            assert_eq!(sent.len(), 1);
            assert_eq!((sent[0].state, sent[0].number), (PurchaseOrderState::Cancelled, Some(1)));
            // The difference went back at the judgement; the rest does now, each once.
            for (order, charged, difference) in [(orders[0], 40_000, 4_000), (orders[1], 20_000, 2_000)] {
                let row = shop.order(order).await;
                assert_eq!(row.state, OrderState::Cancelled);
                assert_eq!((row.charged, row.refunded, row.refund_due), (charged, charged, 0), "{row:#?}");
                let (charges, mut refunds) = movements(shop, order).await;
                refunds.sort_unstable();
                assert_eq!((charges, refunds), (vec![charged], vec![difference, charged - difference]));
            }
            let told = shop.mail_to("orders@kasten.example").await;
            assert_eq!(told.len(), 2, "sent, and cancelled once: {told:?}");
            assert!(told[1].ends_with("is cancelled: please do not deliver"), "{told:?}");
        }).await;
    }
}

/// Disputed, and the bank decides.
async fn decided(db: TestDatabase, outcome: &str) {
    let before = async |shop: &Shop| {
        let (campaign, id) = joined(shop).await;
        assert_eq!(shop.pay(id, DISPUTED).await, 303);
        shop.settle().await;
        (campaign, id)
    };
    at_each_step(
        db,
        before,
        async |shop: &Shop, (_, id): &(CampaignRow, OrderId)| {
            bank_decides(shop, outcome).await;
            shop.advance(Duration::days(2)).await;
            let (refunded, lost, state) = match outcome {
                "won" => (20000, 0, RefundState::Succeeded),
                _ => (0, 20000, RefundState::Dropped),
            };
            ended(shop, *id, OrderState::Cancelled, [20000, refunded, lost]).await;
            let refund = shop.refunds(*id).await.pop().unwrap();
            assert_eq!((refund.state, refund.held), (state, false));
        },
    )
    .await;
}

/// A campaign of worked example A, and an order that has its page and is not paid.
async fn joined(shop: &Shop) -> (CampaignRow, OrderId) {
    let campaign = shop.publish(shop.example_a()).await;
    let id = shop.join(&campaign, "a@mail.example", 2).await.order.id;
    shop.settle().await;
    (campaign, id)
}

/// As [`joined`]; the order's page charges another amount than it was asked to.
async fn asked_instead(shop: &Shop, amount: i64) -> (CampaignRow, OrderId) {
    let (campaign, id) = joined(shop).await;
    ask_instead(shop, id, amount).await;
    (campaign, id)
}
