//! Banks that ask for their holder, and holders who do not answer; forms that are sent again with something else in them.

use chrono::Duration;
use muster::domain::campaign::{CampaignState, Failure};
use muster::domain::due::DueState;
use muster::domain::ids::OrderId;
use muster::domain::order::{OrderState, PaymentState};
use muster::domain::payment::AttemptState;
use muster::store::dues;
use muster::workflows::desk::Problem;
use muster::workflows::join::Placed;

use super::{ASKS_ALWAYS, asks_to_pay, deadline_passes, due_of, joins, saved, saves, with_deposit};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// Asks once, when it is saved.
const ASKS_ONCE: &str = "4000002500003155";

/// Types a card on the last page of an order and closes the bank's question; the page's status.
async fn walks_away(shop: &Shop, order: OrderId, card: &str) -> u16 {
    let page = shop.payments(order).await.pop().expect("a payment");
    let session = page.session_id.expect("the page was made");
    let pay = shop.url(&format!("/sandbox/pay/{session}"));
    let answer = shop.http.post(pay).form(&[("card", card)]).send().await;
    shop.settle().await;
    answer.expect("the pay page").status().as_u16()
}

fn is_refused(answer: &Result<Placed, Problem>) -> bool {
    matches!(
        answer,
        Err(Problem::Conflict {
            kind: "form-used",
            ..
        })
    )
}

both_databases! {
    async fn a_bank_that_is_not_answered_at_joining_saves_no_card(db: TestDatabase) {
        let shop = Shop::open(db).await;
        for mode in ["saved", "deposit"] {
            let offer = match mode {
                "saved" => saved(&shop),
                _ => with_deposit(&shop, "kept"),
            };
            let campaign = shop.publish(offer).await;
            let order = joins(&shop, &campaign, "a@mail.example", 6, None).await;
            assert_eq!(walks_away(&shop, order, ASKS_ONCE).await, 200, "{mode}: the bank asks");
            assert_eq!(shop.order(order).await.state, OrderState::Pending);
            shop.advance(Duration::minutes(50)).await;
            let row = shop.order(order).await;
            assert_eq!((row.state, row.payment_state, row.units_taken), (OrderState::Expired, PaymentState::Unpaid, false));
            assert!(shop.read(move |c| dues::cards_of(c, order)).await.is_empty());
            assert_eq!(shop.at_provider(order).await, (0, 0));
            deadline_passes(&shop, &campaign).await;
            assert_eq!(shop.campaign(&campaign).await.failure, Some(Failure::Missed));
            shop.audit().await;
        }
        shop.close().await;
    }

    async fn a_bank_that_is_not_answered_in_the_grace_window_charges_nothing(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let good = saves(&shop, &campaign, "a@mail.example", 5, GOOD_CARD).await;
        let asks = saves(&shop, &campaign, "b@mail.example", 2, ASKS_ALWAYS).await;
        deadline_passes(&shop, &campaign).await;
        assert_eq!(due_of(&shop, asks).await, Some(DueState::Declined));
        asks_to_pay(&shop, asks).await;
        assert_eq!(walks_away(&shop, asks, ASKS_ALWAYS).await, 200, "the bank asks");
        assert_eq!(due_of(&shop, asks).await, Some(DueState::Declined));
        shop.advance(Duration::minutes(50)).await;
        let pages = shop.payments(asks).await;
        assert_eq!(pages.last().unwrap().state, AttemptState::Expired);
        assert_eq!(due_of(&shop, asks).await, Some(DueState::Declined), "it may still be paid");
        shop.audit().await;
        // Once more, on the last day, and nobody answers again.
        shop.advance(Duration::days(6) + Duration::hours(22)).await;
        asks_to_pay(&shop, asks).await;
        walks_away(&shop, asks, ASKS_ALWAYS).await;
        shop.advance(Duration::hours(4)).await;
        let row = shop.order(asks).await;
        assert_eq!((row.state, row.payment_state), (OrderState::Cancelled, PaymentState::Unpaid));
        assert_eq!(due_of(&shop, asks).await, Some(DueState::GivenUp));
        assert_eq!(shop.at_provider(asks).await, (0, 0));
        assert_eq!(shop.at_provider(good).await, (45_000, 0));
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn a_form_that_is_sent_again_with_another_step_to_wait_for_is_refused(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let office = &shop.running.app.office;
        let wish = |limit: Option<usize>, units: i64| {
            let mut wish = shop.wish(&campaign, "a@mail.example", units);
            (wish.limit_step, wish.form_key) = (limit, Some("form-1".to_owned()));
            wish
        };
        let first = office.join(wish(Some(2), 2)).await.unwrap();
        let again = office.join(wish(Some(2), 2)).await.unwrap();
        assert_eq!(first.order.id, again.order.id);
        for other in [wish(None, 2), wish(Some(1), 2), wish(Some(2), 3)] {
            assert!(is_refused(&office.join(other).await));
        }
        // Both at once, in one commit or two: one order, and one refusal.
        for (n, (limit, units)) in [(Some(1), 2), (None, 3)].into_iter().enumerate() {
            let key = Some(format!("form-of-both-{n}"));
            let (mut one, mut two) = (wish(None, 2), wish(limit, units));
            (one.form_key, two.form_key) = (key.clone(), key);
            let (one, two) = tokio::join!(office.join(one), office.join(two));
            assert!(one.is_ok() != two.is_ok() && (is_refused(&one) || is_refused(&two)), "{one:?} {two:?}");
        }
        shop.settle().await;
        assert_eq!(shop.campaign(&campaign).await.orders, 3);
        shop.audit().await;
        shop.close().await;
    }
}
