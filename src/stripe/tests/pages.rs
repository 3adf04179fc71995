//! Payment pages, and what holds for every call: keys, ids, amounts, the same bytes.

use serde_json::json;

use super::fake::Fake;
use super::objects::{refund, session, with};
use super::rows::{ORDER, c, form, new_page, new_refund, order, tag_of};
use crate::domain::currency::Currency;
use crate::domain::payment::PaymentKind;
use crate::workflows::ports::{CallError, Page, PageStatus, Provider, Tag};

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
async fn every_currency_of_the_table_goes_to_the_provider_and_comes_back() {
    let fake = Fake::start();
    let provider = fake.provider();
    for currency in Currency::all() {
        let ours = currency.min_charge();
        let theirs = currency.to_provider(ours).unwrap();
        let code = currency.code();
        let fields = json!({"currency": code, "amount_total": theirs});
        fake.answers(200, with(session(), fields));
        let page = new_page(currency, ours);
        let page = provider.create_page(page, "k".to_owned()).await.unwrap();
        assert_eq!(page.amount, Some(ours), "{code}");
    }
    for (asked, currency) in fake.asked().iter().zip(Currency::all()) {
        let sent = &asked.form["line_items[0][price_data][currency]"];
        assert_eq!(sent, currency.code());
    }
    fake.stop().await;
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
    let tag = Tag::payment(order(), PaymentKind::Join, 1);
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
            currency: Some(Currency::USD),
            card: None,
            tag: Some(tag),
        }
    );
    let asked = fake.only();
    assert_eq!(asked.method, "GET");
    assert_eq!(asked.path, "/sandbox/stripe/v1/checkout/sessions/cs_test_1");
    assert_eq!((asked.key, asked.body.as_str()), (None, ""));
    let query: Vec<_> = asked.query.values().map(String::as_str).collect();
    assert_eq!(
        query,
        [
            "setup_intent.payment_method",
            "payment_intent.payment_method"
        ]
    );
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
