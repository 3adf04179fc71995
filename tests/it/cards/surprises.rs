//! Where the provider does what nobody asked for: charges less, takes a deposit too late, lets a cardholder dispute one.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::card::CardState;
use muster::domain::due::DueState;
use muster::domain::ids::OrderId;
use muster::domain::order::{OrderState, PaymentState};
use muster::domain::payment::{DisputeState, RefundPurpose};
use muster::store::{dues, refunds};
use muster::workflows::dispute;
use serde_json::json;

use super::{arrive, completes, deadline_passes, due_of, joins, saved, saves, with_deposit};
use crate::support::database::TestDatabase;
use crate::support::provider::Between;
use crate::support::shop::{GOOD_CARD, Shop};

const DISPUTED: &str = "4000000000000259";

/// A deposit that is disputed after the campaign succeeded, with its balance told: the shop, and the order.
async fn disputed_while_the_balance_is_told(db: TestDatabase) -> (Shop, OrderId) {
    let shop = Shop::open(db).await;
    // Nobody is told of the dispute, so that it does not cancel the order before the judgement.
    shop.faults(json!({"webhooks": "drop"})).await;
    let campaign = shop.publish(with_deposit(&shop, "kept")).await;
    let order = joins(&shop, &campaign, "a@mail.example", 6, None).await;
    completes(&shop, order, DISPUTED).await;
    shop.advance(Duration::minutes(5)).await;
    let (merchant, slug) = (shop.merchant, campaign.slug.clone());
    shop.write(move |_, tx| muster::workflows::campaigns::close(tx, merchant, &slug))
        .await
        .unwrap();
    shop.advance(Duration::minutes(2)).await;
    shop.expect_state(&campaign, CampaignState::Ordered).await;
    arrive(&shop, &campaign, 6).await;
    assert_eq!(due_of(&shop, order).await, Some(DueState::Announced));
    shop.faults(json!({"webhooks": "normal"})).await;
    let list = shop.provider("disputes?limit=1").await;
    let id = list["data"][0]["id"].as_str().unwrap().to_owned();
    let said = shop.running.app.office.provider().dispute(id).await;
    let said = said.unwrap();
    shop.write(move |desk, tx| dispute::heard(desk, tx, &said))
        .await
        .unwrap();
    let known = shop.read(move |c| refunds::disputes_of(c, order)).await;
    assert_eq!(known[0].state, DisputeState::Open);
    (shop, order)
}

/// The bank decides the dispute.
async fn decide(shop: &Shop, outcome: &str) {
    let list = shop.provider("disputes?limit=1").await;
    let id = list["data"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/sandbox/disputes/{id}");
    let form = [("outcome", outcome)];
    let done = shop.http.post(shop.url(&path)).form(&form).send().await;
    assert_eq!(done.unwrap().status(), 303);
    shop.settle().await;
}

both_databases! {
    async fn a_charge_of_less_than_is_owed_goes_back_and_the_rest_of_the_story_goes_on(db: TestDatabase) {
        let between = Between::new();
        *between.charge.lock().unwrap() = |charge| charge.amount -= 1_000;
        let shop = Shop::open_with(db, 5, between.seams()).await;
        let campaign = shop.publish(saved(&shop)).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, GOOD_CARD).await;
        deadline_passes(&shop, &campaign).await;
        assert_eq!(due_of(&shop, order).await, Some(DueState::Declined));
        let row = shop.order(order).await;
        assert_eq!((row.charged, row.owed, row.collected), (53_000, 54_000, false));
        assert_eq!(shop.refunds(order).await[0].purpose, RefundPurpose::Late);
        assert_eq!(shop.at_provider(order).await, (53_000, 53_000));
        shop.expect_state(&campaign, CampaignState::Collecting).await;
        shop.audit().await;
        // On the second day it is tried again, and all of it comes.
        *between.charge.lock().unwrap() = |_| {};
        shop.advance(Duration::days(2)).await;
        let row = shop.order(order).await;
        assert_eq!((row.charged, row.refunded, row.owed), (107_000, 53_000, 0));
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn a_charge_that_is_never_right_ends_with_the_grace_window(db: TestDatabase) {
        let between = Between::new();
        *between.charge.lock().unwrap() = |charge| charge.amount -= 1_000;
        let shop = Shop::open_with(db, 5, between.seams()).await;
        let campaign = shop.publish(saved(&shop)).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, GOOD_CARD).await;
        deadline_passes(&shop, &campaign).await;
        shop.advance(Duration::days(10)).await;
        shop.expect_state(&campaign, CampaignState::Failed).await;
        let row = shop.order(order).await;
        assert_eq!((row.state, row.owed, row.refund_due), (OrderState::Cancelled, 0, 0));
        // Charged on days 0, 2, 4 and 6, and given back each time.
        assert_eq!((row.charged, row.refunded), (4 * 53_000, 4 * 53_000));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_deposit_paid_after_its_order_was_cancelled_goes_back_and_its_card_is_let_go(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(with_deposit(&shop, "kept")).await;
        let order = joins(&shop, &campaign, "a@mail.example", 6, None).await;
        shop.cancel(order).await.unwrap();
        assert_eq!(completes(&shop, order, GOOD_CARD).await, 303);
        let row = shop.order(order).await;
        assert_eq!((row.state, row.charged, row.refunded), (OrderState::Cancelled, 12_000, 12_000));
        let cards = shop.read(move |c| dues::cards_of(c, order)).await;
        let states: Vec<CardState> = cards.into_iter().map(|card| card.state).collect();
        assert_eq!(states, [CardState::Detached]);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_dispute_holds_the_balance_that_was_told_until_it_is_won(db: TestDatabase) {
        let (shop, order) = disputed_while_the_balance_is_told(db).await;
        shop.advance(Duration::days(4)).await;
        assert_eq!(due_of(&shop, order).await, Some(DueState::Announced));
        assert_eq!(shop.at_provider(order).await, (12_000, 0));
        shop.audit().await;
        decide(&shop, "won").await;
        shop.advance(Duration::minutes(5)).await;
        // It is charged, and this card's holder disputes that as well.
        let row = shop.order(order).await;
        assert_eq!((row.payment_state, row.charged, row.owed), (PaymentState::Disputed, 54_000, 0));
        let known = shop.read(move |c| refunds::disputes_of(c, order)).await;
        let mut states: Vec<DisputeState> = known.into_iter().map(|row| row.state).collect();
        states.sort_by_key(|state| state.is_over());
        assert_eq!(states, [DisputeState::Open, DisputeState::Won]);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_lost_dispute_of_the_deposit_asks_for_no_balance(db: TestDatabase) {
        let (shop, order) = disputed_while_the_balance_is_told(db).await;
        decide(&shop, "lost").await;
        shop.advance(Duration::days(5)).await;
        let row = shop.order(order).await;
        assert_eq!((row.state, row.owed, row.lost), (OrderState::Cancelled, 0, 12_000));
        assert_eq!(due_of(&shop, order).await, Some(DueState::Dropped));
        assert_eq!(shop.at_provider(order).await.0, 12_000);
        shop.audit().await;
        shop.close().await;
    }
}
