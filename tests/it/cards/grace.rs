//! A card that says no: the grace window of seven days, its letters, its retries, and the pages that help.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::due::DueState;
use muster::domain::ids::OrderId;
use muster::domain::order::{OrderState, PaymentState};
use muster::domain::payment::{AttemptState, PaymentKind};
use muster::store::dues;
use muster::workflows::collect;

use super::{
    ASKS_ALWAYS, FAILS_LATER, asks_to_pay, completes, deadline_passes, due_of, saved, saves,
};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

async fn letters(shop: &Shop, email: &str) -> usize {
    let told = shop.mail_to(email).await;
    told.iter()
        .filter(|subject| subject.contains("not charged"))
        .count()
}

/// Saved cards, charged in a hundred days.
fn open_for_long(shop: &Shop) -> serde_json::Value {
    let mut body = saved(shop);
    let later = |days: i64| (shop.now() + Duration::days(days)).date_naive().to_string();
    body["deadline"] = serde_json::json!((shop.now() + Duration::days(100)).to_rfc3339());
    body["promised_ship_date"] = serde_json::json!(later(150));
    body["stop_loss_date"] = serde_json::json!(later(200));
    body
}

/// Completes the last page of an order with a card that ends next month.
async fn saves_one_that_ends(shop: &Shop, order: OrderId) {
    let page = shop.payments(order).await.pop().expect("a page");
    let session = page.session_id.expect("it was made");
    let next_month = (shop.now() + Duration::days(32))
        .format("%m / %y")
        .to_string();
    let form = [
        ("card", GOOD_CARD),
        ("exp", next_month.as_str()),
        ("expiry", next_month.as_str()),
    ];
    let pay = shop.url(&format!("/sandbox/pay/{session}"));
    assert_eq!(
        shop.http
            .post(pay)
            .form(&form)
            .send()
            .await
            .unwrap()
            .status(),
        303
    );
    shop.settle().await;
}

both_databases! {
    async fn a_card_is_tried_and_its_holder_told_on_days_0_2_4_and_6_and_given_up(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        saves(&shop, &campaign, "a@mail.example", 5, GOOD_CARD).await;
        let fails = saves(&shop, &campaign, "b@mail.example", 2, FAILS_LATER).await;
        deadline_passes(&shop, &campaign).await;
        let charges = async || {
            let all = shop.payments(fails).await;
            all.iter().filter(|p| p.kind == PaymentKind::Charge).count()
        };
        for (day, told) in [(0, 1), (1, 1), (2, 2), (3, 2), (4, 3), (6, 4)] {
            let at = campaign.deadline.and_utc() + Duration::days(day) + Duration::minutes(10);
            shop.advance((at - shop.now()).max(Duration::zero())).await;
            assert_eq!((letters(&shop, "b@mail.example").await, charges().await), (told, told), "day {day}");
            shop.audit().await;
        }
        shop.advance(Duration::days(1)).await;
        let row = shop.order(fails).await;
        assert_eq!((row.state, row.payment_state), (OrderState::Cancelled, PaymentState::Unpaid));
        assert_eq!(due_of(&shop, fails).await, Some(DueState::GivenUp));
        // Every intent that a refusal left behind is cancelled before the next begins: the last one stays as it is.
        let all = shop.payments(fails).await;
        let open = all.iter().filter(|p| p.state == AttemptState::Declined).count();
        assert_eq!(open, 1, "{all:#?}");
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn a_bank_that_wants_its_holder_is_not_asked_again_and_the_page_pays(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let asks = saves(&shop, &campaign, "a@mail.example", 6, ASKS_ALWAYS).await;
        deadline_passes(&shop, &campaign).await;
        assert_eq!(due_of(&shop, asks).await, Some(DueState::Declined));
        shop.advance(Duration::days(2)).await;
        assert_eq!(shop.payments(asks).await.len(), 2, "joined, charged once");
        assert_eq!(letters(&shop, "a@mail.example").await, 2);
        asks_to_pay(&shop, asks).await;
        // A second press finds the same page.
        asks_to_pay(&shop, asks).await;
        let pages = shop.payments(asks).await;
        assert_eq!(pages.len(), 3);
        assert_eq!(pages[1].state, AttemptState::Expired, "the old intent was cancelled first");
        assert_eq!(completes(&shop, asks, ASKS_ALWAYS).await, 303);
        shop.advance(Duration::minutes(2)).await;
        // It ends early when nothing is unpaid.
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(shop.at_provider(asks).await, (54_000, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn another_card_takes_the_place_of_the_first_and_is_charged_at_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, FAILS_LATER).await;
        deadline_passes(&shop, &campaign).await;
        shop.write(move |desk, tx| collect::save_another_card(desk, tx, order)).await.unwrap();
        shop.settle().await;
        assert_eq!(completes(&shop, order, GOOD_CARD).await, 303);
        shop.advance(Duration::minutes(2)).await;
        assert_eq!(shop.at_provider(order).await, (54_000, 0));
        let cards = shop.read(move |c| dues::cards_of(c, order)).await;
        assert_eq!(cards.len(), 2);
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn an_open_page_is_expired_before_the_card_is_tried_again(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        saves(&shop, &campaign, "a@mail.example", 5, GOOD_CARD).await;
        let fails = saves(&shop, &campaign, "b@mail.example", 2, FAILS_LATER).await;
        deadline_passes(&shop, &campaign).await;
        let second = campaign.deadline.and_utc() + Duration::days(2);
        shop.advance(second - shop.now() - Duration::minutes(5)).await;
        asks_to_pay(&shop, fails).await;
        shop.advance(Duration::minutes(15)).await;
        let all = shop.payments(fails).await;
        let kinds: Vec<_> = all.iter().map(|p| (p.kind, p.state)).collect();
        assert_eq!(
            kinds[1..],
            [
                (PaymentKind::Charge, AttemptState::Expired),
                (PaymentKind::Fix, AttemptState::Expired),
                (PaymentKind::Charge, AttemptState::Declined),
            ]
        );
        shop.audit().await;
        shop.close().await;
    }

    async fn a_page_completed_in_time_leaves_nothing_to_charge(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, FAILS_LATER).await;
        deadline_passes(&shop, &campaign).await;
        shop.faults(serde_json::json!({"webhooks": "drop"})).await;
        let second = campaign.deadline.and_utc() + Duration::days(2);
        shop.advance(second - shop.now() - Duration::minutes(1)).await;
        asks_to_pay(&shop, order).await;
        let session = shop.payments(order).await.pop().unwrap().session_id.unwrap();
        let pay = shop.url(&format!("/sandbox/pay/{session}"));
        shop.http.post(pay).form(&[("card", GOOD_CARD)]).send().await.unwrap();
        shop.advance(Duration::minutes(10)).await;
        assert_eq!(shop.at_provider(order).await, (54_000, 0));
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn a_page_that_saves_a_card_is_closed_before_another_takes_the_money(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, FAILS_LATER).await;
        deadline_passes(&shop, &campaign).await;
        shop.write(move |desk, tx| collect::save_another_card(desk, tx, order)).await.unwrap();
        shop.settle().await;
        let led = shop.write(move |desk, tx| collect::pay(desk, tx, order)).await;
        assert!(led.unwrap().there().unwrap_err().to_string().contains("is being closed"));
        shop.settle().await;
        let states: Vec<_> = shop.payments(order).await.into_iter().map(|p| p.state).collect();
        assert_eq!(states.last(), Some(&AttemptState::Expired));
        asks_to_pay(&shop, order).await;
        assert_eq!(completes(&shop, order, GOOD_CARD).await, 303);
        shop.advance(Duration::minutes(2)).await;
        assert_eq!(shop.at_provider(order).await, (54_000, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn nothing_is_to_be_paid_where_nothing_is_owed(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, GOOD_CARD).await;
        let refused = shop.write(move |desk, tx| collect::pay(desk, tx, order)).await;
        assert!(refused.is_err(), "it is charged on success only");
        deadline_passes(&shop, &campaign).await;
        let refused = shop.write(move |desk, tx| collect::pay(desk, tx, order)).await;
        assert!(refused.unwrap_err().to_string().contains("Nothing is to be paid"));
        shop.audit().await;
        shop.close().await;
    }

    async fn the_holder_of_a_card_that_ends_before_the_deadline_is_told_a_week_ahead(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(open_for_long(&shop)).await;
        let order = super::joins(&shop, &campaign, "a@mail.example", 6, None).await;
        saves_one_that_ends(&shop, order).await;
        let ends = async || {
            let told = shop.mail_to("a@mail.example").await;
            told.iter().filter(|subject| subject.contains("is good until")).count()
        };
        assert_eq!(ends().await, 0);
        shop.advance(Duration::days(65)).await;
        assert_eq!(ends().await, 1);
        shop.advance(Duration::days(10)).await;
        assert_eq!(ends().await, 1, "once");
        shop.audit().await;
        shop.close().await;
    }

    async fn so_is_the_holder_of_one_that_took_the_place_of_another(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(open_for_long(&shop)).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, GOOD_CARD).await;
        shop.write(move |desk, tx| collect::save_another_card(desk, tx, order)).await.unwrap();
        shop.settle().await;
        saves_one_that_ends(&shop, order).await;
        shop.advance(Duration::days(65)).await;
        let told = shop.mail_to("a@mail.example").await;
        assert!(told.iter().any(|subject| subject.contains("is good until")), "{told:?}");
        shop.audit().await;
        shop.close().await;
    }
}
