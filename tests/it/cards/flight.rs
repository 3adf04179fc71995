//! Charges that are on their way while something else happens: their shopper leaves, a webhook comes first, nobody knows
//! whether they were made, another campaign is charged at the same second.

use std::sync::Arc;

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::ids::OrderId;
use muster::domain::order::{OrderState, PaymentState};
use muster::domain::payment::{AttemptState, PaymentKind, RefundPurpose};
use muster::jobs::{Worker, reconcile};
use muster::store::{Tx, campaigns, misc, orders};
use muster::workflows::campaigns::close;
use muster::workflows::desk::Problem;
use muster::workflows::judgement::{judge, settle};
use muster::workflows::money;
use muster::workflows::part::{Which, take_out};
use muster::workflows::ports::CallError;
use serde_json::json;
use tokio::sync::Semaphore;

use super::{deadline_passes, saved, saves};
use crate::support::database::TestDatabase;
use crate::support::provider::Between;
use crate::support::shop::{GOOD_CARD, Shop};

async fn open(db: TestDatabase) -> (Shop, Arc<Between>) {
    let between = Between::new();
    (Shop::open_with(db, 5, between.seams()).await, between)
}

fn goes_on(between: &Between) {
    between.answers.add_permits(Semaphore::MAX_PERMITS);
}

/// The charges of an order, as they stand.
async fn charges(shop: &Shop, order: OrderId) -> Vec<AttemptState> {
    let all = shop.payments(order).await;
    let charges = all.iter().filter(|p| p.kind == PaymentKind::Charge);
    charges.map(|p| p.state).collect()
}

/// Waits until the program has a webhook of this kind.
async fn is_told(shop: &Shop, kind: &str) {
    let events = shop.provider(&format!("events?type={kind}")).await;
    let id = events["data"][0]["id"]
        .as_str()
        .expect("it happened")
        .to_owned();
    loop {
        let id = id.clone();
        if shop.read(move |c| misc::webhook(c, &id)).await.is_some() {
            return;
        }
        tokio::task::yield_now().await;
    }
}

/// Units of an order leave it.
fn leave(tx: &mut Tx, order: OrderId, units: i64) -> Result<(), Problem> {
    let mut order = orders::by_id(tx.conn, order)?.expect("an order");
    let campaign = campaigns::by_id(tx.conn, order.campaign_id)?.expect("a campaign");
    let option = orders::lines_of(tx.conn, order.id)?[0].option_id;
    let which = Which::These(vec![(option, units)]);
    take_out(tx, &campaign, &mut order, &which, RefundPurpose::Change)?;
    money::keep(tx, &mut order)
}

both_databases! {
    async fn what_left_while_the_card_is_charged_goes_back_and_is_not_called_paid_twice(db: TestDatabase) {
        let (shop, between) = open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, GOOD_CARD).await;
        let stays = saves(&shop, &campaign, "b@mail.example", 5, GOOD_CARD).await;
        between.hold_answers();
        tokio::join!(deadline_passes(&shop, &campaign), async {
            between.charged(2).await;
            shop.write(move |_, tx| leave(tx, order, 6)).await.unwrap();
            goes_on(&between);
        });
        shop.settle().await;
        assert_eq!(shop.at_provider(order).await, (48_000, 48_000));
        assert_eq!(shop.at_provider(stays).await, (40_000, 0));
        let told = shop.mail_to("a@mail.example").await;
        let last = told.last().unwrap();
        assert!(last.contains("that you do not owe any more goes back"), "{told:?}");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_charge_that_was_planned_over_more_than_is_owed_by_then_is_never_sent(db: TestDatabase) {
        let (shop, _) = open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let order = saves(&shop, &campaign, "a@mail.example", 8, GOOD_CARD).await;
        let (merchant, slug, id, batch) = (shop.merchant, campaign.slug.clone(), campaign.id, shop.order(order).await.batch_id);
        shop.write(move |desk, tx| {
            close(tx, merchant, &slug)?;
            judge(desk, tx, id)?;
            settle(desk, tx, batch)?;
            leave(tx, order, 2)
        })
        .await
        .unwrap();
        shop.settle().await;
        assert_eq!(charges(&shop, order).await, [AttemptState::Refused, AttemptState::Paid]);
        assert_eq!(shop.at_provider(order).await, (54_000, 0), "six of eight");
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn who_leaves_while_the_card_is_charged_gets_the_money_back_once(db: TestDatabase) {
        let (shop, between) = open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let leaves = saves(&shop, &campaign, "a@mail.example", 6, GOOD_CARD).await;
        let stays = saves(&shop, &campaign, "b@mail.example", 5, GOOD_CARD).await;
        between.hold_answers();
        tokio::join!(deadline_passes(&shop, &campaign), async {
            between.charged(2).await;
            let waiting = shop.read(muster::store::orders::queue_length).await;
            assert_eq!(waiting, 0, "nobody's page waits for charges");
            let left = shop.cancel(leaves).await.unwrap();
            assert_eq!((left.state, left.charged, left.refund_due), (OrderState::Cancelled, 0, 0));
            shop.audit().await;
            goes_on(&between);
        });
        shop.settle().await;
        // Eleven units reached the step of ten.
        assert_eq!(shop.at_provider(leaves).await, (48_000, 48_000));
        let row = shop.order(leaves).await;
        assert_eq!((row.state, row.charged, row.refunded, row.owed), (OrderState::Cancelled, 48_000, 48_000, 0));
        let back = shop.refunds(leaves).await;
        assert_eq!(back.iter().map(|r| r.purpose).collect::<Vec<_>>(), [RefundPurpose::Late]);
        assert_eq!(shop.at_provider(stays).await, (40_000, 0));
        shop.advance(Duration::days(8)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(shop.purchase_orders(&campaign).await[0].units, 5);
        assert_eq!(shop.at_provider(leaves).await, (48_000, 48_000));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_webhook_and_the_reconciler_that_know_of_a_charge_before_its_answer_book_it_once(db: TestDatabase) {
        let (shop, between) = open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, GOOD_CARD).await;
        between.hold_answers();
        tokio::join!(deadline_passes(&shop, &campaign), async {
            between.charged(1).await;
            is_told(&shop, "payment_intent.succeeded").await;
            assert_eq!(charges(&shop, order).await, [AttemptState::Planned], "a webhook is a hint");
            let report = reconcile(&shop.running.app.office).await.unwrap();
            assert_eq!((report.repaired.len(), report.left.len()), (1, 0), "{report:?}");
            assert_eq!(shop.order(order).await.payment_state, PaymentState::Paid);
            shop.audit().await;
            goes_on(&between);
        });
        shop.settle().await;
        assert_eq!(charges(&shop, order).await, [AttemptState::Paid]);
        assert_eq!(shop.at_provider(order).await, (54_000, 0));
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        let told = shop.mail_to("a@mail.example").await;
        assert_eq!(told.iter().filter(|subject| subject.contains("was charged")).count(), 1, "{told:?}");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_charge_that_was_given_up_and_turns_up_later_goes_back_in_full(db: TestDatabase) {
        let (shop, between) = open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, GOOD_CARD).await;
        shop.faults(json!({"webhooks": "drop"})).await;
        // It is made and answered with a 500; the provider's lists do not have it yet.
        *between.unheard.lock().unwrap() = Some(CallError::Broken("500".into()));
        *between.intent.lock().unwrap() = |intent| intent.tag = None;
        let deadline = campaign.deadline.and_utc() - shop.now();
        shop.advance(deadline + Duration::seconds(5)).await;
        assert_eq!(charges(&shop, order).await, [AttemptState::Planned]);
        shop.audit().await;
        *between.unheard.lock().unwrap() = None;
        shop.advance(Duration::minutes(3)).await;
        assert_eq!(charges(&shop, order).await, [AttemptState::Abandoned, AttemptState::Paid]);
        assert_eq!(shop.at_provider(order).await, (108_000, 0), "charged twice there");
        assert_eq!(shop.order(order).await.charged, 54_000);
        // It turns up, as the worker asks every six hours.
        *between.intent.lock().unwrap() = |_| {};
        let report = reconcile(&shop.running.app.office).await.unwrap();
        assert_eq!((report.repaired.len(), report.left.len()), (1, 0), "{report:?}");
        shop.settle().await;
        assert_eq!(charges(&shop, order).await, [AttemptState::Paid, AttemptState::Paid]);
        assert_eq!(shop.at_provider(order).await, (108_000, 54_000));
        let row = shop.order(order).await;
        assert_eq!((row.state, row.charged, row.refunded), (OrderState::Backordered, 108_000, 54_000));
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn two_campaigns_with_the_same_shoppers_are_judged_at_the_same_second_by_two_workers(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let body = saved(&shop);
        let campaigns = [shop.publish(body.clone()).await, shop.publish(body).await];
        let mut placed = Vec::new();
        for n in 0..4 {
            for campaign in &campaigns {
                let email = format!("s{n}@mail.example");
                placed.push(saves(&shop, campaign, &email, 2, GOOD_CARD).await);
            }
        }
        assert_eq!(campaigns[0].deadline, campaigns[1].deadline);
        let other = Worker::new(shop.running.app.office.clone());
        {
            let moved = deadline_passes(&shop, &campaigns[0]);
            tokio::pin!(moved);
            while tokio::select! { () = &mut moved => false, _ = other.run_due(20) => true } {}
        }
        shop.settle().await;
        for campaign in &campaigns {
            shop.expect_state(campaign, CampaignState::Ordered).await;
            assert_eq!(shop.purchase_orders(campaign).await[0].units, 8);
            assert_eq!(shop.campaign(campaign).await.collected_units, 8);
        }
        for order in &placed {
            assert_eq!(shop.at_provider(*order).await, (18_000, 0));
            assert_eq!(charges(&shop, *order).await, [AttemptState::Paid]);
        }
        let told = shop.mail_to("s0@mail.example").await;
        assert_eq!(told.iter().filter(|subject| subject.contains("was charged")).count(), 2, "{told:?}");
        shop.audit().await;
        shop.close().await;
    }
}
