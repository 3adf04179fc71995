//! Where batches touch: payments and cancellations across the line between two, caps over all of them, their ends.

use chrono::Duration;
use muster::domain::campaign::{CampaignState, Failure};
use muster::domain::change::ChangeState;
use muster::domain::ids::OrderId;
use muster::domain::order::OrderState;
use muster::domain::payment::RefundPurpose;
use muster::store::campaigns::CampaignRow;
use muster::store::merchants;
use muster::workflows::campaigns as staff;
use muster::workflows::changes::Came;
use muster::workflows::desk::Problem;
use serde_json::{Value, json};

use super::{batch_of, batches, counted, late_joins, ordered, states};
use crate::changes::{asks, changes_of};
use crate::goods::scene::{Scene, count};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

const DISPUTED: &str = "4000000000000259";

/// The supplier takes no order under this.
async fn supplier_minimum(shop: &Shop, units: i64) {
    let mut supplier = shop.supplier.clone();
    supplier.minimum_units = Some(units);
    shop.write(move |_, tx| Ok(merchants::save_supplier(tx.conn, &supplier)?))
        .await
        .unwrap();
}

/// Further batches over so many days.
fn for_days(shop: &Shop, days: i64) -> Value {
    let mut body = late_joins(shop);
    body["deadline"] = json!((shop.now() + Duration::days(days)).to_rfc3339());
    body
}

async fn close(shop: &Shop, campaign: &CampaignRow) -> Result<CampaignRow, Problem> {
    let (merchant, slug) = (shop.merchant, campaign.slug.clone());
    shop.write(move |_, tx| staff::close(tx, merchant, &slug))
        .await
}

async fn cancel(shop: &Shop, campaign: &CampaignRow) {
    let (merchant, slug) = (shop.merchant, campaign.slug.clone());
    shop.write(move |desk, tx| staff::cancel(desk, tx, merchant, &slug, "The kiln broke"))
        .await
        .unwrap();
    shop.settle().await;
}

/// Joins, and has its page, unpaid.
async fn holds(shop: &Shop, campaign: &CampaignRow, email: &str, units: i64) -> OrderId {
    let id = shop.join(campaign, email, units).await.order.id;
    shop.settle().await;
    id
}

async fn is_refunded(shop: &Shop, order: OrderId, purpose: RefundPurpose) {
    let row = shop.order(order).await;
    assert_eq!(row.state, OrderState::Cancelled, "{row:#?}");
    assert_eq!((row.refunded, row.refund_due), (row.charged, 0), "{row:#?}");
    let refunds = shop.refunds(order).await;
    assert!(refunds.iter().any(|r| r.purpose == purpose), "{refunds:#?}");
}

both_databases! {
    async fn a_change_that_is_not_paid_when_its_batch_comes_together_is_closed(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(late_joins(&shop)).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        assert_eq!(asks(&shop, order, &[("set", 3)]).await.unwrap(), Came::ToPay);
        assert_eq!(counted(&shop, &campaign).await.3, 3);
        shop.join_and_pay(&campaign, "b@mail.example", 4).await;
        shop.advance(Duration::minutes(1)).await;
        assert_eq!(states(&shop, &campaign).await, [("ordered", 5), ("gathering", 0)]);
        assert_eq!(changes_of(&shop, order).await[0].state, ChangeState::Dropped);
        assert_eq!(counted(&shop, &campaign).await, (0, 0, 0, 5));
        assert_eq!(shop.pay(order, GOOD_CARD).await, 410, "the page is closed");
        assert_eq!(shop.order(order).await.charged, 10_000);
        let refused = asks(&shop, order, &[("set", 3)]).await.unwrap_err();
        assert!(refused.to_string().contains("supplier's order was sent"), "{refused}");
        shop.audit().await;
        shop.close().await;
    }

    async fn what_is_held_before_the_trigger_and_paid_after_it_is_in_the_next_batch(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(late_joins(&shop)).await;
        shop.join_and_pay(&campaign, "a@mail.example", 4).await;
        let held = holds(&shop, &campaign, "b@mail.example", 2).await;
        assert_eq!(batch_of(&shop, held).await, 1);
        // Nobody waits for the open page: the batch is judged and ordered without it.
        shop.join_and_pay(&campaign, "c@mail.example", 2).await;
        assert_eq!(states(&shop, &campaign).await, [("ordered", 6), ("gathering", 0)]);
        assert_eq!((batch_of(&shop, held).await, shop.order(held).await.state), (2, OrderState::Pending));
        assert_eq!(counted(&shop, &campaign).await, (0, 0, 0, 8));
        shop.audit().await;
        assert_eq!(shop.pay(held, GOOD_CARD).await, 303);
        shop.settle().await;
        let row = shop.order(held).await;
        assert_eq!((row.state, row.charged, row.settled, batch_of(&shop, held).await), (OrderState::Confirmed, 20_000, false, 2));
        assert_eq!(counted(&shop, &campaign).await, (2, 2, 1, 8));
        // What was shown when it joined is still the most it pays.
        shop.join_and_pay(&campaign, "d@mail.example", 3).await;
        let row = shop.order(held).await;
        assert_eq!((row.state, row.final_total, row.refunded), (OrderState::Backordered, Some(18_000), 2_000));
        shop.audit().await;
        shop.close().await;
    }

    async fn an_order_whose_hold_ran_out_is_taken_into_the_batch_that_gathers(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(late_joins(&shop)).await;
        let late = holds(&shop, &campaign, "late@mail.example", 1).await;
        // The provider goes silent: its page is paid, and nobody hears of it before it counts as run out.
        shop.faults(json!({"webhooks": "drop", "api": "normal", "balance": "normal"})).await;
        assert_eq!(shop.pay(late, GOOD_CARD).await, 303);
        shop.faults(json!({"webhooks": "normal", "api": "normal", "balance": "normal"})).await;
        shop.join_and_pay(&campaign, "a@mail.example", 5).await;
        shop.advance(Duration::hours(2)).await;
        let row = shop.order(late).await;
        assert!(matches!(row.state, OrderState::Confirmed | OrderState::Backordered), "{row:#?}");
        shop.audit().await;
        shop.close().await;
    }

    async fn two_payments_at_the_same_moment_cross_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(late_joins(&shop)).await;
        shop.join_and_pay(&campaign, "a@mail.example", 3).await;
        let one = holds(&shop, &campaign, "b@mail.example", 3).await;
        let two = holds(&shop, &campaign, "c@mail.example", 4).await;
        assert_eq!((shop.pay(one, GOOD_CARD).await, shop.pay(two, GOOD_CARD).await), (303, 303));
        shop.settle().await;
        // Either crosses; the other is in the next batch, alone.
        let (first, second) = (batch_of(&shop, one).await, batch_of(&shop, two).await);
        let units = if first == 1 { (6, 4) } else { (7, 3) };
        assert_eq!(first + second, 3);
        assert_eq!(states(&shop, &campaign).await, [("ordered", units.0), ("gathering", 0)]);
        assert_eq!(counted(&shop, &campaign).await, (units.1, units.1, 1, 10));
        shop.audit().await;
        shop.close().await;
    }

    async fn who_leaves_an_earlier_batch_changes_nothing_in_the_one_that_gathers(db: TestDatabase) {
        let shop = Shop::open(db).await;
        supplier_minimum(&shop, 1_000).await;
        let campaign = shop.publish(for_days(&shop, 5)).await;
        let stays = shop.join_and_pay(&campaign, "a@mail.example", 4).await;
        let leaves = shop.join_and_pay(&campaign, "b@mail.example", 2).await;
        shop.join_and_pay(&campaign, "c@mail.example", 2).await;
        assert_eq!(states(&shop, &campaign).await, [("collecting", 6), ("gathering", 0)]);
        assert_eq!(counted(&shop, &campaign).await, (2, 2, 1, 8));
        let before = shop.order(stays).await.final_total;
        shop.cancel(leaves).await.unwrap();
        shop.settle().await;
        assert_eq!(counted(&shop, &campaign).await, (2, 2, 1, 6));
        is_refunded(&shop, leaves, RefundPurpose::Shopper).await;
        // After the judgement nobody else's price changes.
        assert_eq!((before, shop.order(stays).await.final_total), (Some(36_000), before));
        let first = ordered(&shop, &batches(&shop, &campaign).await[0]).await;
        assert_eq!((first[0].units_paid, first[0].number), (4, None));
        shop.audit().await;
        shop.close().await;
    }

    async fn caps_and_the_limit_per_shopper_are_over_all_batches(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = late_joins(&shop);
        body["options"][0]["cap"] = json!(12);
        body["options"][0]["per_shopper"] = json!(6);
        let campaign = shop.publish(body).await;
        shop.join_and_pay(&campaign, "a@mail.example", 5).await;
        assert_eq!(states(&shop, &campaign).await, [("ordered", 5), ("gathering", 0)]);
        let office = &shop.running.app.office;
        let refused = |wish| async move { office.join(wish).await.unwrap_err().to_string() };
        let over = refused(shop.wish(&campaign, "a@mail.example", 2)).await;
        assert!(over.contains("Each shopper may have 6"), "{over}");
        shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        shop.join_and_pay(&campaign, "b@mail.example", 5).await;
        assert_eq!(states(&shop, &campaign).await, [("ordered", 5), ("ordered", 6), ("gathering", 0)]);
        let over = refused(shop.wish(&campaign, "c@mail.example", 2)).await;
        assert!(over.contains("there are 1 left"), "{over}");
        shop.join_and_pay(&campaign, "c@mail.example", 1).await;
        assert_eq!(counted(&shop, &campaign).await, (1, 1, 1, 12));
        shop.audit().await;
        shop.close().await;
    }

    async fn the_last_batch_is_missed_and_refunded_while_the_others_go_on(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(late_joins(&shop)).await;
        let goes = shop.join_and_pay(&campaign, "a@mail.example", 5).await;
        let missed = shop.join_and_pay(&campaign, "b@mail.example", 3).await;
        shop.advance(Duration::days(8)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(shop.campaign(&campaign).await.failure, None);
        let all = batches(&shop, &campaign).await;
        assert_eq!(states(&shop, &campaign).await, [("ordered", 5), ("failed", 3)]);
        assert_eq!((all[1].failure, all[1].failure_note.as_deref()), (Some(Failure::Missed), Some("3 of 5 units")));
        is_refunded(&shop, missed, RefundPurpose::Missed).await;
        assert_eq!(shop.order(goes).await.state, OrderState::Backordered);
        let told = shop.mail_to("b@mail.example").await.pop().unwrap();
        assert!(told.contains("batch 2 did not come together"), "{told}");
        shop.audit().await;
        // The first one arrives and is sent: the campaign is completed.
        let scene = Scene { campaign: campaign.clone(), batch: all[0].id, orders: vec![goes] };
        scene.receive(&shop, count(&[("set", 5, 0)])).await.unwrap();
        shop.settle().await;
        shop.expect_state(&campaign, CampaignState::Fulfilling).await;
        scene.send(&shop, 0, &[("set", 5)], muster::workflows::ship::When::Now).await.unwrap();
        shop.advance(Duration::days(22)).await;
        shop.expect_state(&campaign, CampaignState::Completed).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn a_campaign_failed_only_when_all_its_batches_did(db: TestDatabase) {
        let shop = Shop::open(db).await;
        supplier_minimum(&shop, 1_000).await;
        let campaign = shop.publish(for_days(&shop, 20)).await;
        let first = shop.join_and_pay(&campaign, "a@mail.example", 5).await;
        shop.advance(Duration::days(3)).await;
        let second = shop.join_and_pay(&campaign, "b@mail.example", 6).await;
        assert_eq!(states(&shop, &campaign).await, [("collecting", 5), ("collecting", 6), ("gathering", 0)]);
        // Blocked for seven days, each fails in its turn, and joining goes on.
        shop.advance(Duration::days(5)).await;
        assert_eq!(states(&shop, &campaign).await, [("failed", 5), ("collecting", 6), ("gathering", 0)]);
        shop.expect_state(&campaign, CampaignState::Open).await;
        is_refunded(&shop, first, RefundPurpose::Supplier).await;
        assert_eq!(shop.order(second).await.state, OrderState::Confirmed);
        shop.audit().await;
        let third = shop.join_and_pay(&campaign, "c@mail.example", 1).await;
        shop.advance(Duration::days(5)).await;
        assert_eq!(states(&shop, &campaign).await, [("failed", 5), ("failed", 6), ("gathering", 0)]);
        shop.expect_state(&campaign, CampaignState::Open).await;
        shop.advance(Duration::days(9)).await;
        let row = shop.campaign(&campaign).await;
        assert_eq!((row.state, row.failure), (CampaignState::Failed, Some(Failure::Missed)));
        is_refunded(&shop, second, RefundPurpose::Supplier).await;
        is_refunded(&shop, third, RefundPurpose::Missed).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn the_last_day_ends_one_batch_and_not_the_other(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(late_joins(&shop)).await;
        let sent = shop.join_and_pay(&campaign, "a@mail.example", 5).await;
        let waits = shop.join_and_pay(&campaign, "b@mail.example", 5).await;
        let all = batches(&shop, &campaign).await;
        let scene = Scene { campaign: campaign.clone(), batch: all[0].id, orders: vec![sent] };
        scene.receive(&shop, count(&[("set", 5, 0)])).await.unwrap();
        // Still open: the campaign takes orders while its first batch is shipped.
        assert_eq!(states(&shop, &campaign).await, [("fulfilling", 5), ("ordered", 5), ("gathering", 0)]);
        shop.expect_state(&campaign, CampaignState::Open).await;
        scene.send(&shop, 0, &[("set", 5)], muster::workflows::ship::When::Now).await.unwrap();
        shop.audit().await;
        for _ in 0..5 {
            shop.advance(Duration::days(25)).await;
        }
        assert_eq!(states(&shop, &campaign).await, [("completed", 5), ("failed", 5), ("failed", 0)]);
        shop.expect_state(&campaign, CampaignState::Completed).await;
        let row = shop.order(waits).await;
        assert_eq!((row.state, row.refunded), (OrderState::Cancelled, row.charged));
        assert_eq!(shop.order(sent).await.state, OrderState::Delivered);
        shop.audit().await;
        shop.close().await;
    }

    async fn cancelling_the_campaign_cancels_every_batch(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(late_joins(&shop)).await;
        let first = shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        let second = shop.join_and_pay(&campaign, "b@mail.example", 2).await;
        let held = holds(&shop, &campaign, "c@mail.example", 1).await;
        cancel(&shop, &campaign).await;
        let row = shop.campaign(&campaign).await;
        assert_eq!((row.state, row.failure), (CampaignState::Failed, Some(Failure::Cancelled)));
        assert_eq!(row.failure_note.as_deref(), Some("The kiln broke"));
        for order in [first, second] {
            let row = shop.order(order).await;
            assert_eq!((row.state, row.refunded), (OrderState::Cancelled, row.charged));
        }
        assert_eq!(shop.order(held).await.state, OrderState::Cancelled);
        assert_eq!(counted(&shop, &campaign).await, (0, 0, 0, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn what_has_arrived_goes_on_when_the_rest_is_cancelled(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(late_joins(&shop)).await;
        let here = shop.join_and_pay(&campaign, "a@mail.example", 5).await;
        let gone = shop.join_and_pay(&campaign, "b@mail.example", 2).await;
        let all = batches(&shop, &campaign).await;
        let scene = Scene { campaign: campaign.clone(), batch: all[0].id, orders: vec![here] };
        scene.receive(&shop, count(&[("set", 5, 0)])).await.unwrap();
        cancel(&shop, &campaign).await;
        assert_eq!(states(&shop, &campaign).await[0].0, "fulfilling");
        shop.expect_state(&campaign, CampaignState::Fulfilling).await;
        assert_eq!(states(&shop, &campaign).await[1], ("failed", 2));
        is_refunded(&shop, gone, RefundPurpose::Cancelled).await;
        assert_eq!(shop.order(here).await.state, OrderState::Backordered);
        shop.audit().await;
        shop.close().await;
    }

    async fn closed_now_the_batch_that_gathers_is_judged_as_at_the_deadline(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(late_joins(&shop)).await;
        shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        // Nothing came together yet: there is nothing to close.
        assert!(close(&shop, &campaign).await.unwrap_err().to_string().contains("once the threshold is paid"));
        shop.join_and_pay(&campaign, "b@mail.example", 3).await;
        let short = shop.join_and_pay(&campaign, "c@mail.example", 4).await;
        let held = holds(&shop, &campaign, "d@mail.example", 1).await;
        close(&shop, &campaign).await.unwrap();
        shop.settle().await;
        // What is held is paid or runs out first.
        assert_eq!(states(&shop, &campaign).await, [("ordered", 5), ("gathering", 0)]);
        assert_eq!(shop.pay(held, GOOD_CARD).await, 303);
        shop.settle().await;
        assert_eq!(states(&shop, &campaign).await, [("ordered", 5), ("ordered", 5)]);
        assert_eq!(shop.order(short).await.state, OrderState::Backordered);
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(batches(&shop, &campaign).await.len(), 2);
        shop.audit().await;
        shop.close().await;
    }

    async fn an_extension_is_told_to_the_batch_that_gathers(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(late_joins(&shop)).await;
        shop.join_and_pay(&campaign, "a@mail.example", 5).await;
        let gathers = shop.join_and_pay(&campaign, "b@mail.example", 2).await;
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        let later = campaign.deadline.and_utc() + Duration::days(5);
        let ships = (shop.now() + Duration::days(70)).date_naive();
        shop.write(move |_, tx| staff::extend(tx, merchant, &slug, later, Some(ships))).await.unwrap();
        shop.settle().await;
        assert!(shop.mail_to("b@mail.example").await.iter().any(|m| m.contains("now ends on")));
        // The batch that was judged before keeps its date and hears nothing.
        assert!(!shop.mail_to("a@mail.example").await.iter().any(|m| m.contains("now ends on")));
        shop.audit().await;
        shop.advance(Duration::days(8)).await;
        shop.expect_state(&campaign, CampaignState::Open).await;
        shop.join_and_pay(&campaign, "c@mail.example", 3).await;
        assert_eq!(states(&shop, &campaign).await, [("ordered", 5), ("ordered", 5), ("gathering", 0)]);
        assert_eq!(batch_of(&shop, gathers).await, 2);
        shop.audit().await;
        shop.advance(Duration::days(5)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn a_dispute_in_the_batch_that_gathers_lowers_its_count_alone(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(late_joins(&shop)).await;
        shop.join_and_pay(&campaign, "a@mail.example", 5).await;
        shop.join_and_pay(&campaign, "b@mail.example", 2).await;
        let disputed = holds(&shop, &campaign, "c@mail.example", 2).await;
        assert_eq!(shop.pay(disputed, DISPUTED).await, 303);
        shop.settle().await;
        assert_eq!(shop.order(disputed).await.state, OrderState::Cancelled);
        assert_eq!(counted(&shop, &campaign).await, (2, 2, 1, 7));
        assert_eq!(states(&shop, &campaign).await, [("ordered", 5), ("gathering", 0)]);
        shop.audit().await;
        shop.close().await;
    }

    async fn an_option_under_its_minimum_keeps_only_its_own_batch_waiting(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = late_joins(&shop);
        body["options"] = json!([
            {"sku": "set", "name": "Full set", "prices": [10000, 9000, 8000]},
            {"sku": "lid", "name": "Lid", "prices": [1000, 900, 800], "minimum": 2},
        ]);
        let campaign = shop.publish(body).await;
        shop.join_and_pay(&campaign, "a@mail.example", 5).await;
        assert_eq!(states(&shop, &campaign).await, [("ordered", 5), ("gathering", 0)]);
        let lid = crate::minimum::pays(&shop, &campaign, "b@mail.example", &[("set", 5), ("lid", 1)]).await;
        // Six units would do; one lid is too few, and at the deadline it is left out.
        assert_eq!(states(&shop, &campaign).await, [("ordered", 5), ("gathering", 0)]);
        shop.audit().await;
        shop.advance(Duration::days(8)).await;
        assert_eq!(states(&shop, &campaign).await, [("ordered", 5), ("ordered", 5)]);
        assert_eq!(shop.order(lid).await.refunded, 6_000);
        assert_eq!(counted(&shop, &campaign).await.3, 10);
        shop.audit().await;
        shop.close().await;
    }
}
