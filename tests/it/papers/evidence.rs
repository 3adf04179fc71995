//! What answers a dispute: collected, laid down, sent once, and heard of whatever happens on the way.

use chrono::Duration;
use muster::domain::ids::{MerchantId, OrderId};
use muster::domain::payment::{DisputeState, EvidenceState};
use muster::store::evidence::{self as rows, EvidenceRow};
use muster::store::mails;
use muster::store::refunds::{self, DisputeRow};
use muster::workflows::change::{Change, change};
use muster::workflows::claims::Who;
use muster::workflows::desk::Problem;
use muster::workflows::evidence;
use serde_json::json;

use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

const DISPUTED: &str = "4000000000000259";
const INQUIRED: &str = "4000000000001976";

async fn disputed(shop: &Shop, card: &str) -> OrderId {
    let campaign = shop.publish(shop.example_a()).await;
    let id = shop.join(&campaign, "a@mail.example", 2).await.order.id;
    shop.settle().await;
    assert_eq!(shop.pay(id, card).await, 303);
    shop.settle().await;
    id
}

async fn dispute_of(shop: &Shop, order: OrderId) -> DisputeRow {
    let mut all = shop.read(move |c| refunds::disputes_of(c, order)).await;
    all.pop().unwrap()
}

async fn answers(shop: &Shop, dispute: &str) -> Vec<EvidenceRow> {
    let id = dispute.to_owned();
    shop.read(move |c| rows::of_dispute(c, &id)).await
}

async fn answer(shop: &Shop, dispute: &str, note: &str, submits: bool) -> Result<(), Problem> {
    let (merchant, id, note) = (shop.merchant, dispute.to_owned(), note.to_owned());
    shop.write(move |_, tx| evidence::answer(tx, (merchant, "Ana"), &id, &note, submits))
        .await
}

fn conflict(result: Result<(), Problem>) -> bool {
    matches!(result, Err(Problem::Conflict { .. }))
}

async fn staff_mails(shop: &Shop, words: &str) -> usize {
    let all = shop.read(|c| mails::delivered(c, 1000)).await;
    all.iter()
        .filter(|m| m.recipient == "hello@fern.example" && m.subject.contains(words))
        .count()
}

both_databases! {
    async fn what_is_known_is_laid_down_then_sent_once_and_wins(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let order = disputed(&shop, DISPUTED).await;
        let dispute = dispute_of(&shop, order).await;
        let id = dispute.provider_id.clone();
        assert!(dispute.due_by.is_some());
        assert_eq!(staff_mails(&shop, "A dispute over $200.00").await, 1);
        answer(&shop, &id, "", false).await.unwrap();
        assert!(conflict(answer(&shop, &id, "", true).await), "the first is on its way");
        shop.settle().await;
        let at_provider = shop.provider(&format!("disputes/{id}")).await;
        assert_eq!(at_provider["evidence_details"]["has_evidence"], json!(true));
        assert_eq!(at_provider["evidence_details"]["submission_count"], json!(0));
        let words = at_provider["evidence"]["uncategorized_text"].as_str().unwrap();
        for part in ["What was agreed", "terms, version 1", "from the address 127.0.0.1", "Receipt R-00001, $200.00"] {
            assert!(words.contains(part), "{part} is not in {words}");
        }
        assert_eq!(at_provider["evidence"]["customer_email_address"], json!("a@mail.example"));
        assert_eq!(dispute_of(&shop, order).await.state, DisputeState::Open);
        // Stripe's own test words decide.
        answer(&shop, &id, "winning_evidence", true).await.unwrap();
        shop.settle().await;
        assert_eq!(dispute_of(&shop, order).await.state, DisputeState::Won);
        let states: Vec<_> = answers(&shop, &id).await.iter().map(|a| (a.submits, a.state)).collect();
        assert_eq!(states, [(false, EvidenceState::Done), (true, EvidenceState::Done)]);
        assert!(conflict(answer(&shop, &id, "", true).await));
        shop.settle().await;
        assert_eq!(shop.order(order).await.refunded, 20_000, "the refund that was held goes out");
        shop.audit().await;
        shop.close().await;
    }

    async fn an_answer_goes_through_whatever_the_provider_does(db: TestDatabase) {
        let shop = Shop::open_with_timeout(db, 1).await;
        for (fault, tries) in [("error_after_effect", 1), ("hang_after_effect", 1), ("rate_limit", 1), ("down", 1)] {
            let order = disputed(&shop, DISPUTED).await;
            let id = dispute_of(&shop, order).await.provider_id;
            answer(&shop, &id, "", true).await.unwrap();
            shop.faults(json!({"api": fault})).await;
            shop.advance(Duration::minutes(2)).await;
            shop.faults(json!({"api": "normal"})).await;
            shop.advance(Duration::hours(2)).await;
            let last = answers(&shop, &id).await.pop().unwrap();
            assert_eq!(last.state, EvidenceState::Done, "{fault}: {last:?}");
            let said = shop.provider(&format!("disputes/{id}")).await;
            assert_eq!(said["evidence_details"]["submission_count"], json!(tries), "{fault}");
        }
        shop.audit().await;
        shop.close().await;
    }

    async fn staff_are_told_two_days_before_it_is_too_late(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let order = disputed(&shop, DISPUTED).await;
        let id = dispute_of(&shop, order).await.provider_id;
        shop.advance(Duration::days(4)).await;
        assert_eq!(staff_mails(&shop, "Nobody answered").await, 0);
        shop.advance(Duration::days(1) + Duration::hours(1)).await;
        assert_eq!(staff_mails(&shop, "Nobody answered a dispute over $200.00").await, 1);
        shop.advance(Duration::days(3)).await;
        assert_eq!(staff_mails(&shop, "Nobody answered").await, 1);
        assert_eq!(dispute_of(&shop, order).await.state, DisputeState::Lost);
        assert!(conflict(answer(&shop, &id, "", true).await), "it is decided");
        shop.audit().await;
        shop.close().await;
    }

    async fn an_inquiry_is_told_and_answered_as_well(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let order = disputed(&shop, INQUIRED).await;
        let dispute = dispute_of(&shop, order).await;
        assert_eq!(dispute.state, DisputeState::Inquiry);
        assert_eq!(staff_mails(&shop, "A bank asks about $200.00").await, 1);
        answer(&shop, &dispute.provider_id, "It was shipped.", true).await.unwrap();
        shop.settle().await;
        assert_eq!(answers(&shop, &dispute.provider_id).await[0].state, EvidenceState::Done);
        shop.audit().await;
        shop.close().await;
    }

    async fn nobody_else_answers_and_nothing_changes_meanwhile(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        for n in 0..3 {
            shop.join_and_pay(&campaign, &format!("s{n}@mail.example"), 2).await;
        }
        // It is disputed when the supplier has the order: it stands, and waits.
        let id = shop.join(&campaign, "a@mail.example", 2).await.order.id;
        shop.settle().await;
        assert_eq!(shop.pay(id, DISPUTED).await, 303);
        shop.settle().await;
        let dispute = dispute_of(&shop, id).await;
        let (own, stranger) = (dispute.provider_id.clone(), MerchantId::new());
        let refused = shop
            .write(move |_, tx| evidence::answer(tx, (stranger, "Eve"), &own, "", true))
            .await;
        assert!(matches!(refused, Err(Problem::NotFound(_))));
        let refused = shop
            .write(move |desk, tx| {
                let delivery = Some(muster::domain::order::Delivery::AsAvailable);
                change(desk, tx, (None, id), &Change { address: None, delivery }, &Who::Shopper).map(drop)
            })
            .await;
        assert!(conflict(refused));
        let long = answer(&shop, &dispute.provider_id, &"x".repeat(6_000), true).await;
        let Err(Problem::Invalid(errors)) = long else { panic!("{long:?}") };
        assert_eq!(errors[0].field, "note");
        shop.audit().await;
        shop.close().await;
    }
}
