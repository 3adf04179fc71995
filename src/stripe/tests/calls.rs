//! What each call asks for, and what is made of its answer.

use chrono::{DateTime, TimeZone, Utc};
use serde_json::{Value, json};

use super::fake::{Asked, Fake};
use super::objects::{balance, charge, dispute, list, refund, session, with};
use crate::domain::currency::Currency;
use crate::domain::ids::{OrderId, RefundId};
use crate::workflows::ports::{
    Balance, CallError, NewPage, NewRefund, Page, PageLine, PageStatus, Provider, ProviderDispute,
    ProviderRefundStatus, Tag,
};

const ORDER: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

fn order() -> OrderId {
    ORDER.parse().unwrap()
}

fn at(seconds: i64) -> DateTime<Utc> {
    Utc.timestamp_opt(seconds, 0).unwrap()
}

fn c(code: &str) -> Currency {
    Currency::parse(code).unwrap()
}

fn tag_of(tag: &Tag) -> Value {
    json!({"order": tag.order.to_string(), "purpose": tag.purpose, "attempt": tag.attempt.to_string()})
}

fn new_page(currency: Currency, unit_amount: i64) -> NewPage {
    NewPage {
        tag: Tag::join(order(), 2),
        currency,
        lines: vec![
            PageLine {
                name: "Kit & Wärme <b>".to_owned(),
                unit_amount,
                quantity: 3,
            },
            PageLine {
                name: "Shipping".to_owned(),
                unit_amount,
                quantity: 1,
            },
        ],
        email: "ada+1@example.com".to_owned(),
        expires_at: at(1_800_001_860),
        success_url: "https://shop.example/o/1?t=a&paid=1".to_owned(),
        cancel_url: "https://shop.example/o/1?t=a".to_owned(),
    }
}

fn new_refund(currency: Currency, amount: i64) -> NewRefund {
    NewRefund {
        tag: Tag::refund(order(), RefundId::new(), 1),
        intent: "pi_1".to_owned(),
        currency,
        amount,
    }
}

fn form(asked: &Asked) -> Vec<(&str, &str)> {
    asked
        .form
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect()
}

#[actix_web::test]
async fn a_page_is_asked_for_with_cards_lines_expiry_and_our_ids_under_our_key() {
    let fake = Fake::start();
    fake.answers(200, session());
    let page = fake
        .provider()
        .create_page(new_page(Currency::USD, 1_500), "join:1:2".to_owned())
        .await
        .unwrap();
    assert_eq!(page.url.as_deref(), Some("http://127.0.0.1/pay/cs_test_1"));
    let asked = fake.only();
    assert_eq!(asked.method, "POST");
    assert_eq!(asked.path, "/sandbox/stripe/v1/checkout/sessions");
    assert_eq!(asked.key.as_deref(), Some("join:1:2"));
    assert_eq!(asked.authorization, "Bearer sk_test_fake");
    assert_eq!(asked.version, "2026-08-26.dahlia");
    assert_eq!(
        form(&asked),
        [
            ("cancel_url", "https://shop.example/o/1?t=a"),
            ("client_reference_id", ORDER),
            ("customer_email", "ada+1@example.com"),
            ("expires_at", "1800001860"),
            ("line_items[0][price_data][currency]", "usd"),
            (
                "line_items[0][price_data][product_data][name]",
                "Kit & Wärme <b>"
            ),
            ("line_items[0][price_data][unit_amount]", "1500"),
            ("line_items[0][quantity]", "3"),
            ("line_items[1][price_data][currency]", "usd"),
            ("line_items[1][price_data][product_data][name]", "Shipping"),
            ("line_items[1][price_data][unit_amount]", "1500"),
            ("line_items[1][quantity]", "1"),
            ("metadata[attempt]", "2"),
            ("metadata[order]", ORDER),
            ("metadata[purpose]", "join"),
            ("mode", "payment"),
            ("payment_intent_data[metadata][attempt]", "2"),
            ("payment_intent_data[metadata][order]", ORDER),
            ("payment_intent_data[metadata][purpose]", "join"),
            ("payment_method_types[0]", "card"),
            ("success_url", "https://shop.example/o/1?t=a&paid=1"),
        ]
    );
    fake.stop().await;
}

#[actix_web::test]
async fn the_same_row_gives_the_same_bytes_each_time() {
    let fake = Fake::start();
    let provider = fake.provider();
    let refund_row = new_refund(Currency::USD, 500);
    for _ in 0..8 {
        fake.answers(200, session());
        let page = new_page(Currency::USD, 1_500);
        provider.create_page(page, "a".to_owned()).await.unwrap();
        fake.answers(200, refund());
        let refund = refund_row.clone();
        provider
            .create_refund(refund, "b".to_owned())
            .await
            .unwrap();
    }
    let asked = fake.asked();
    assert_eq!(asked.len(), 16);
    assert!(asked.iter().step_by(2).all(|one| one.body == asked[0].body));
    let refunds: Vec<_> = asked.iter().skip(1).step_by(2).collect();
    assert!(refunds.iter().all(|one| one.body == refunds[0].body));
    fake.stop().await;
}

#[actix_web::test]
async fn amounts_go_out_and_come_back_in_the_providers_units() {
    for (code, ours, theirs) in [
        ("usd", 1_500, 1_500),
        ("jpy", 1_500, 1_500),
        ("isk", 1_500, 150_000),
        ("ugx", 5_000, 500_000),
        ("kwd", 5_120, 5_120),
        ("mga", 250_000, 2_500),
    ] {
        let fake = Fake::start();
        let provider = fake.provider();
        fake.answers(
            200,
            with(session(), json!({"currency": code, "amount_total": theirs})),
        );
        let page = new_page(c(code), ours);
        let page = provider.create_page(page, "k".to_owned()).await.unwrap();
        assert_eq!(page.amount, Some(ours), "{code}");
        fake.answers(
            200,
            with(refund(), json!({"currency": code, "amount": theirs})),
        );
        let refund = new_refund(c(code), ours);
        let refund = provider
            .create_refund(refund, "r".to_owned())
            .await
            .unwrap();
        assert_eq!(refund.amount, ours, "{code}");
        let asked = fake.asked();
        let price = &asked[0].form;
        assert_eq!(price["line_items[0][price_data][currency]"], code);
        let unit = &price["line_items[0][price_data][unit_amount]"];
        assert_eq!(*unit, theirs.to_string());
        assert_eq!(asked[1].form["amount"], theirs.to_string());
        fake.stop().await;
    }
}

#[actix_web::test]
async fn an_amount_that_cannot_be_charged_is_refused_without_asking() {
    let fake = Fake::start();
    let provider = fake.provider();
    let page = provider
        .create_page(new_page(c("kwd"), 5_124), "k".to_owned())
        .await;
    assert!(matches!(page, Err(CallError::Refused { param, .. }) if param == "amount"));
    let refund = provider
        .create_refund(new_refund(c("isk"), i64::MAX), "k".to_owned())
        .await;
    assert!(matches!(refund, Err(CallError::Refused { .. })));
    assert!(fake.asked().is_empty());
    fake.stop().await;
}

#[actix_web::test]
async fn keys_and_ids_that_cannot_be_sent_are_refused_without_asking() {
    let fake = Fake::start();
    let provider = fake.provider();
    for key in ["", "two words", "zeile\n", &"k".repeat(256)] {
        let page = new_page(Currency::USD, 1_500);
        let answer = provider.create_page(page, key.to_owned()).await;
        assert!(matches!(answer, Err(CallError::Refused { .. })), "{key}");
    }
    for id in ["", "re_1/../x", "re_1?expand", "re 1"] {
        assert!(provider.page(id.to_owned()).await.unwrap_err().is_missing());
        assert!(
            provider
                .refund(id.to_owned())
                .await
                .unwrap_err()
                .is_missing()
        );
    }
    assert!(fake.asked().is_empty());
    fake.stop().await;
}

#[actix_web::test]
async fn a_page_is_retrieved_with_its_intent_amount_and_tag() {
    let fake = Fake::start();
    let tag = Tag::join(order(), 1);
    fake.answers(
        200,
        with(
            session(),
            json!({"status": "complete", "payment_status": "paid", "payment_intent": "pi_7",
                "url": null, "metadata": tag_of(&tag)}),
        ),
    );
    let page = fake.provider().page("cs_test_1".to_owned()).await.unwrap();
    assert_eq!(
        page,
        Page {
            id: "cs_test_1".to_owned(),
            status: Some(PageStatus::Paid),
            url: None,
            intent: Some("pi_7".to_owned()),
            amount: Some(4_500),
            tag: Some(tag),
        }
    );
    let asked = fake.only();
    assert_eq!(asked.method, "GET");
    assert_eq!(asked.path, "/sandbox/stripe/v1/checkout/sessions/cs_test_1");
    assert_eq!((asked.key, asked.body.as_str()), (None, ""));
    assert!(asked.query.is_empty());
    fake.stop().await;
}

#[actix_web::test]
async fn a_page_stands_where_the_provider_says_and_is_never_guessed() {
    let fake = Fake::start();
    let provider = fake.provider();
    for (status, payment_status, expected) in [
        (json!("open"), "unpaid", Some(PageStatus::Open)),
        (json!("complete"), "paid", Some(PageStatus::Paid)),
        (
            json!("complete"),
            "no_payment_required",
            Some(PageStatus::Paid),
        ),
        (json!("complete"), "unpaid", Some(PageStatus::Unpaid)),
        (json!("expired"), "unpaid", Some(PageStatus::Expired)),
        (json!("complete"), "half_paid", None),
        (json!("resting"), "paid", None),
        (json!(null), "paid", None),
    ] {
        let fields = json!({"status": status, "payment_status": payment_status});
        fake.answers(200, with(session(), fields));
        let page = provider.page("cs_test_1".to_owned()).await.unwrap();
        assert_eq!(page.status, expected, "{status} {payment_status}");
    }
    fake.stop().await;
}

#[actix_web::test]
async fn a_page_of_somebody_else_has_no_tag() {
    let fake = Fake::start();
    let provider = fake.provider();
    for metadata in [
        json!({}),
        json!(null),
        json!({"order": "1001", "purpose": "join", "attempt": "1"}),
        json!({"order": ORDER, "purpose": "join", "attempt": "first"}),
        json!({"order": ORDER, "attempt": "1"}),
    ] {
        fake.answers(200, with(session(), json!({"metadata": metadata})));
        let page = provider.page("cs_test_1".to_owned()).await.unwrap();
        assert_eq!(page.tag, None, "{metadata}");
    }
    fake.stop().await;
}

#[actix_web::test]
async fn an_open_page_is_expired_under_our_key() {
    let fake = Fake::start();
    fake.answers(
        200,
        with(session(), json!({"status": "expired", "url": null})),
    );
    let page = fake
        .provider()
        .expire_page("cs_test_1".to_owned(), "expire:1".to_owned())
        .await
        .unwrap();
    assert_eq!(page.status, Some(PageStatus::Expired));
    let asked = fake.only();
    assert_eq!(asked.method, "POST");
    assert_eq!(
        asked.path,
        "/sandbox/stripe/v1/checkout/sessions/cs_test_1/expire"
    );
    assert_eq!(asked.key.as_deref(), Some("expire:1"));
    assert_eq!(asked.body, "");
    fake.stop().await;
}

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
            ("metadata[purpose]", &format!("refund:{id}")),
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
    let tag = Tag::join(order(), 1);
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
    let ours =
        json!({"amount": 150, "currency": "isk", "metadata": tag_of(&Tag::join(order(), 1))});
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
                status: word.to_owned(),
                reason: "fraudulent".to_owned(),
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
