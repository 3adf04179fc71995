//! Refunds, lists, disputes and the balance: what each call asks for, and what is made of its answer.

use serde_json::json;

use super::fake::Fake;
use super::objects::{balance, charge, dispute, list, refund, with};
use super::rows::{ORDER, at, c, form, new_refund, order, tag_of};
use crate::domain::currency::Currency;
use crate::domain::payment::PaymentKind;
use crate::workflows::ports::{
    Balance, CallError, Provider, ProviderDispute, ProviderRefundStatus, Tag,
};

#[actix_web::test]
async fn a_refund_names_its_intent_amount_and_our_ids_under_our_key() {
    let fake = Fake::start();
    let row = new_refund(Currency::USD, 2_000);
    let id = row.tag.refund_id().unwrap();
    fake.answers(
        200,
        with(
            refund(),
            json!({"amount": 2_000, "status": "pending", "metadata": tag_of(&row.tag)}),
        ),
    );
    let made = fake
        .provider()
        .create_refund(row.clone(), "refund:1".to_owned())
        .await
        .unwrap();
    assert_eq!(made.status, ProviderRefundStatus::Pending);
    assert_eq!((made.amount, made.tag), (2_000, Some(row.tag)));
    let asked = fake.only();
    assert_eq!(asked.path, "/sandbox/stripe/v1/refunds");
    assert_eq!(asked.key.as_deref(), Some("refund:1"));
    assert_eq!(
        form(&asked),
        [
            ("amount", "2000"),
            ("metadata[attempt]", "1"),
            ("metadata[order]", ORDER),
            ("metadata[purpose]", &format!("refund:{}:{}", id.1, id.0)),
            ("payment_intent", "pi_1"),
        ]
    );
    fake.stop().await;
}

#[actix_web::test]
async fn a_refund_stands_where_the_provider_says_with_the_reason_it_failed() {
    let fake = Fake::start();
    let provider = fake.provider();
    for (word, expected) in [
        (json!("pending"), ProviderRefundStatus::Pending),
        (json!("succeeded"), ProviderRefundStatus::Succeeded),
        (json!("failed"), ProviderRefundStatus::Failed),
        (json!("canceled"), ProviderRefundStatus::Failed),
        (json!("requires_action"), ProviderRefundStatus::Unknown),
        (json!("on_the_moon"), ProviderRefundStatus::Unknown),
        (json!(null), ProviderRefundStatus::Unknown),
    ] {
        let fields = json!({"status": word, "failure_reason": "lost_or_stolen_card"});
        fake.answers(200, with(refund(), fields));
        let refund = provider.refund("re_1".to_owned()).await.unwrap();
        assert_eq!(refund.status, expected, "{word}");
        assert_eq!(refund.failure.as_deref(), Some("lost_or_stolen_card"));
        assert_eq!(refund.intent.as_deref(), Some("pi_1"));
    }
    let asked = &fake.asked()[0];
    assert_eq!(asked.path, "/sandbox/stripe/v1/refunds/re_1");
    assert_eq!((asked.method.as_str(), &asked.key), ("GET", &None));
    fake.stop().await;
}

#[actix_web::test]
async fn refunds_are_listed_by_intent_and_time_a_hundred_at_once() {
    let fake = Fake::start();
    let provider = fake.provider();
    let second = with(refund(), json!({"id": "re_2"}));
    fake.answers(200, list("/v1/refunds", vec![refund(), second], true));
    let first = provider
        .refunds(Some("pi_1".to_owned()), Some(at(1_800_000_000)), None)
        .await
        .unwrap();
    assert_eq!(first.data.len(), 2);
    assert_eq!(first.next.as_deref(), Some("re_2"));
    fake.answers(200, list("/v1/refunds", vec![], false));
    let last = provider.refunds(None, None, first.next).await.unwrap();
    assert!(last.data.is_empty() && last.next.is_none());
    let asked = fake.asked();
    assert_eq!(asked[0].path, "/sandbox/stripe/v1/refunds");
    let query = |at: usize| json!(asked[at].query);
    assert_eq!(
        query(0),
        json!({"limit": "100", "payment_intent": "pi_1", "created[gte]": "1800000000"})
    );
    assert_eq!(query(1), json!({"limit": "100", "starting_after": "re_2"}));
    fake.stop().await;
}

#[actix_web::test]
async fn charges_are_listed_by_time_with_what_was_captured() {
    let fake = Fake::start();
    let tag = Tag::payment(order(), PaymentKind::Join, 1);
    let ours = with(
        charge(),
        json!({"metadata": tag_of(&tag), "currency": "isk", "amount": 999_900,
            "amount_captured": 150_000}),
    );
    let declined = with(
        charge(),
        json!({"id": "ch_2", "paid": false, "captured": false, "amount_captured": 0,
            "status": "failed"}),
    );
    let data = vec![ours, declined];
    fake.answers(200, list("/v1/charges", data, true));
    let found = fake
        .provider()
        .charges(Some(at(1_800_000_000)), Some("ch_0".to_owned()))
        .await
        .unwrap();
    assert_eq!(found.next.as_deref(), Some("ch_2"));
    assert_eq!(found.data[0].tag, Some(tag));
    assert_eq!(found.data[0].intent.as_deref(), Some("pi_1"));
    assert_eq!(
        (found.data[0].amount, found.data[0].currency),
        (1_500, c("isk"))
    );
    assert!(found.data[0].paid && !found.data[1].paid);
    assert_eq!(
        json!(fake.only().query),
        json!({"limit": "100", "created[gte]": "1800000000", "starting_after": "ch_0"})
    );
    fake.stop().await;
}

#[actix_web::test]
async fn what_others_charge_in_units_we_have_not_is_left_alone_and_ours_is_never_dropped() {
    let fake = Fake::start();
    let provider = fake.provider();
    let foreign = json!({"id": "ch_9", "currency": "zzz"});
    let data = vec![charge(), with(charge(), foreign)];
    fake.answers(200, list("/v1/charges", data, true));
    let found = provider.charges(None, None).await.unwrap();
    assert_eq!(found.data.len(), 1);
    assert_eq!(found.next.as_deref(), Some("ch_9"));
    let ours = json!({"amount": 150, "currency": "isk", "metadata": tag_of(&Tag::payment(order(), PaymentKind::Join, 1))});
    fake.answers(200, list("/v1/refunds", vec![with(refund(), ours)], false));
    let found = provider.refunds(None, None, None).await;
    assert!(matches!(found, Err(CallError::Unknown(_))));
    fake.stop().await;
}

#[actix_web::test]
async fn a_dispute_keeps_the_providers_own_word() {
    let fake = Fake::start();
    let provider = fake.provider();
    for word in ["warning_needs_response", "won", "lost", "something_new"] {
        fake.answers(200, with(dispute(), json!({"status": word})));
        assert_eq!(
            provider.dispute("dp_1".to_owned()).await.unwrap(),
            ProviderDispute {
                id: "dp_1".to_owned(),
                intent: Some("pi_1".to_owned()),
                amount: 4_500,
                currency: Currency::USD,
                withdrawn: false,
                status: word.to_owned(),
                reason: "fraudulent".to_owned(),
                tag: None,
                due_by: None,
                has_evidence: false,
                submissions: 0,
            }
        );
    }
    assert_eq!(fake.asked()[0].path, "/sandbox/stripe/v1/disputes/dp_1");
    fake.stop().await;
}

#[actix_web::test]
async fn the_balance_is_one_row_per_currency_and_never_looks_larger_than_it_is() {
    let fake = Fake::start();
    fake.answers(
        200,
        balance(
            json!([
                {"amount": -700, "currency": "usd"},
                {"amount": 12_345, "currency": "isk"},
                {"amount": 1, "currency": "zzz"}
            ]),
            json!([{"amount": 9_000, "currency": "usd"}, {"amount": 50, "currency": "jpy"}]),
        ),
    );
    let row = |code: &str, available, pending| Balance {
        currency: c(code),
        available,
        pending,
    };
    assert_eq!(
        fake.provider().balance().await.unwrap(),
        [
            row("isk", 123, 0),
            row("jpy", 0, 50),
            row("usd", -700, 9_000)
        ]
    );
    assert_eq!(fake.only().path, "/sandbox/stripe/v1/balance");
    fake.stop().await;
}
