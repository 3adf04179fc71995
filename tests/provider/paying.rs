//! Sessions, the pay page, and what each test card does.

use serde_json::json;

use crate::driver::{s, serve};

#[actix_web::test]
async fn a_shopper_pays_once_and_the_shop_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let session = shop.session().await;
    assert_eq!(session["payment_intent"], json!(null));
    assert_eq!(session["amount_total"], 4500);
    let (status, page) = shop.page(&s(&session, "/url")).await;
    assert_eq!(status, 200);
    assert!(
        page.contains("Pay $45.00") && page.contains("2 × Brass pen"),
        "{page}"
    );

    let paid = shop.paid("4242424242424242").await;
    assert_eq!(s(&paid, "/payment_status"), "paid");
    assert_eq!(
        s(&paid, "/payment_intent/latest_charge/status"),
        "succeeded"
    );
    assert_eq!(s(&paid, "/payment_intent/metadata/order"), "order-1");
    let told = shop.told().await;
    for kind in [
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "checkout.session.completed",
    ] {
        assert_eq!(
            told.iter().filter(|t| *t == kind).count(),
            1,
            "{kind} in {told:?}"
        );
    }
}

#[actix_web::test]
async fn a_declined_card_says_why_keeps_what_was_typed_and_another_card_pays() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let declines = [
        (
            "4000000000000002",
            "card_declined",
            "generic_decline",
            "Your card was declined.",
        ),
        (
            "4000000000009995",
            "card_declined",
            "insufficient_funds",
            "insufficient funds",
        ),
        (
            "4000000000009987",
            "card_declined",
            "lost_card",
            "Your card was declined.",
        ),
        (
            "4000000000000069",
            "expired_card",
            "expired_card",
            "Your card has expired.",
        ),
        (
            "4000000000000127",
            "incorrect_cvc",
            "incorrect_cvc",
            "security code is incorrect",
        ),
        (
            "4000000000000119",
            "processing_error",
            "processing_error",
            "An error occurred while",
        ),
        (
            "4000000000000341",
            "card_declined",
            "generic_decline",
            "Your card was declined.",
        ),
    ];
    let session = shop.session().await;
    let url = s(&session, "/url");
    let path = format!("/v1/checkout/sessions/{}", s(&session, "/id"));
    for (card, code, decline_code, words) in declines {
        let form = format!("card={card}&exp=12+%2F+40&cvc=123");
        let (status, _, page) = shop.post_form(&url, &form).await;
        assert_eq!(status, 402, "{card}");
        let words = words.replace('\'', "&#39;");
        assert!(
            page.contains(&words) && page.contains("Nothing was charged"),
            "{card}: {page}"
        );
        assert!(
            page.contains(card) && page.contains("12 / 40"),
            "{card}: {page}"
        );
        let now = shop
            .ok("GET", &path, "expand[]=payment_intent.latest_charge")
            .await;
        assert_eq!(s(&now, "/payment_intent/status"), "requires_payment_method");
        assert_eq!(s(&now, "/payment_intent/last_payment_error/code"), code);
        assert_eq!(
            s(&now, "/payment_intent/last_payment_error/decline_code"),
            decline_code
        );
        assert_eq!(s(&now, "/payment_intent/latest_charge/failure_code"), code);
        assert_eq!(s(&now, "/payment_intent/latest_charge/status"), "failed");
    }
    for (form, words) in [
        ("card=", "Write the number on the card."),
        ("card=4242424242424241", "Your card number is incorrect."),
        (
            "card=5555555555554444",
            "Your request was in test mode, but used a non test card",
        ),
        (
            "card=4242424242424242&exp=13+%2F+40",
            "Write month and year",
        ),
        (
            "card=4242424242424242&exp=01%2F20",
            "expiration date is in the past",
        ),
    ] {
        let (status, _, page) = shop.post_form(&url, form).await;
        assert_eq!(status, 402, "{form}");
        assert!(
            page.contains(&words.replace('\'', "&#39;")),
            "{form}: {page}"
        );
    }
    let (status, ..) = shop.post_form(&url, "card=4242+4242+4242+4242").await;
    assert_eq!(status, 303);
    let told = shop.told().await;
    assert_eq!(
        told.iter()
            .filter(|t| *t == "payment_intent.payment_failed")
            .count(),
        7
    );
    assert_eq!(told.iter().filter(|t| *t == "charge.failed").count(), 7);
    assert_eq!(
        told.iter()
            .filter(|t| *t == "payment_intent.created")
            .count(),
        1
    );
    assert_eq!(told.iter().filter(|t| *t == "charge.succeeded").count(), 1);
}

#[actix_web::test]
async fn two_tabs_pay_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let session = shop.session().await;
    let url = s(&session, "/url");
    let form = "card=4242424242424242";
    let tabs = futures_util::future::join_all((0..8).map(|_| shop.post_form(&url, form))).await;
    for (status, to, _) in tabs {
        assert_eq!(status, 303);
        assert!(to.contains("/thanks?s=cs_test_"), "{to}");
    }
    let charges = shop.ok("GET", "/v1/charges", "").await;
    assert_eq!(charges["data"].as_array().map(Vec::len), Some(1));
    let (status, page) = shop.page(&url).await;
    assert_eq!(status, 200);
    assert!(
        page.contains("Already paid") && page.contains("$45.00 was charged once"),
        "{page}"
    );
}

#[actix_web::test]
async fn the_bank_asks_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    for card in ["4000002500003155", "4000002760003184"] {
        let session = shop.session().await;
        let path = format!("/v1/checkout/sessions/{}", s(&session, "/id"));
        let (status, _, page) = shop.pay(&session, &format!("card={card}")).await;
        assert_eq!(status, 200);
        assert!(
            page.contains("Your bank asks") && page.contains(card),
            "{page}"
        );
        let now = shop.ok("GET", &path, "expand[0]=payment_intent").await;
        assert_eq!(s(&now, "/payment_intent/status"), "requires_action");
        let (status, _, page) = shop
            .pay(&session, &format!("card={card}&outcome=fail"))
            .await;
        assert_eq!(status, 402);
        assert!(page.contains("unable to authenticate"), "{page}");
        let now = shop.ok("GET", &path, "expand[0]=payment_intent").await;
        let code = s(&now, "/payment_intent/last_payment_error/code");
        assert_eq!(code, "payment_intent_authentication_failure");
        let (status, ..) = shop
            .pay(&session, &format!("card={card}&outcome=succeed"))
            .await;
        assert_eq!(status, 303);
    }
}

#[actix_web::test]
async fn a_session_expires_by_request_or_by_time_and_takes_no_money_then() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let session = shop.session().await;
    let path = format!("/v1/checkout/sessions/{}", s(&session, "/id"));
    shop.pay(&session, "card=4000000000000002").await;
    let expired = shop.ok("POST", &format!("{path}/expire"), "").await;
    assert_eq!(
        (s(&expired, "/status"), &expired["url"]),
        ("expired".into(), &json!(null))
    );
    let intent = shop.ok("GET", &path, "expand[]=payment_intent").await;
    assert_eq!(s(&intent, "/payment_intent/status"), "canceled");
    let error = shop
        .refused("POST", &format!("{path}/expire"), "", 400)
        .await;
    assert!(
        s(&error, "/message").contains("status of `expired`"),
        "{error}"
    );
    let (status, _, page) = shop.pay(&session, "card=4242424242424242").await;
    assert_eq!(status, 410);
    assert!(
        page.contains("This page has expired") && page.contains("/back"),
        "{page}"
    );

    let late = shop.session().await;
    shop.advance(31 * 60).await;
    let (status, page) = shop.page(&s(&late, "/url")).await;
    assert_eq!(status, 200);
    assert!(page.contains("This page has expired"), "{page}");
    let told = shop.told().await;
    assert_eq!(
        told.iter()
            .filter(|t| *t == "checkout.session.expired")
            .count(),
        2
    );

    let paid = shop.paid("4242424242424242").await;
    let path = format!("/v1/checkout/sessions/{}/expire", s(&paid, "/id"));
    let error = shop.refused("POST", &path, "", 400).await;
    assert!(
        s(&error, "/message").contains("status of `complete`"),
        "{error}"
    );
    let (status, _) = shop
        .page(&format!("{}/sandbox/pay/cs_test_nobody", shop.base))
        .await;
    assert_eq!(status, 404);
}

#[actix_web::test]
async fn a_session_that_cannot_be_is_refused_with_the_parameter_to_blame() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let good = shop.session_form();
    let now = shop.sandbox.clock().now().timestamp();
    let at = |seconds: i64| {
        let start = good.find("expires_at=").expect("it is there") + "expires_at=".len();
        let end = good[start..].find('&').expect("more follows") + start;
        format!("{}{}{}", &good[..start], now + seconds, &good[end..])
    };
    let sessions = "/v1/checkout/sessions";
    for seconds in [29 * 60, 24 * 3600 + 60] {
        let error = shop.refused("POST", sessions, &at(seconds), 400).await;
        assert_eq!(s(&error, "/param"), "expires_at");
        assert_eq!(s(&error, "/type"), "invalid_request_error");
    }
    shop.ok("POST", sessions, &at(30 * 60 + 5)).await;
    shop.ok("POST", sessions, &at(24 * 3600 - 5)).await;
    let swapped = [
        ("unit_amount]=2000", "unit_amount]=0", 200, ""),
        (
            "currency]=usd",
            "currency]=zzz",
            400,
            "line_items[0][price_data][currency]",
        ),
        (
            "[quantity]=2",
            "[quantity]=0",
            400,
            "line_items[0][quantity]",
        ),
        ("ann@example.org", "ann", 400, "customer_email"),
        ("mode=payment", "mode=setup", 400, "line_items"),
    ];
    for (from, to, status, param) in swapped {
        let got = shop
            .call("POST", sessions, &good.replacen(from, to, 1), None)
            .await;
        assert_eq!(got.status, status, "{to}: {}", got.body);
        if status != 200 {
            assert_eq!(s(&got.body, "/error/param"), param, "{to}");
        }
    }
    for (extra, param, code) in [
        ("&colour=red", "colour", "parameter_unknown"),
        (
            "&line_items[0][price_data][colour]=red",
            "line_items[0][price_data][colour]",
            "parameter_unknown",
        ),
        (
            "&line_items[0][price]=price_1",
            "line_items[0][price]",
            "resource_missing",
        ),
    ] {
        let got = shop
            .raw("POST", sessions, &format!("{good}{extra}"), None)
            .await;
        let got = got.expect("an answer");
        assert_eq!(got.status, 400, "{extra}");
        assert_eq!(s(&got.body, "/error/param"), param);
        assert_eq!(s(&got.body, "/error/code"), code);
    }
    for (without, param) in [
        ("mode=payment&", "mode"),
        ("line_items[1][quantity]=1&", "line_items[1][quantity]"),
    ] {
        let got = shop
            .raw("POST", sessions, &good.replacen(without, "", 1), None)
            .await;
        let got = got.expect("an answer");
        assert_eq!(
            (got.status, s(&got.body, "/error/param")),
            (400, param.to_string())
        );
        assert_eq!(s(&got.body, "/error/code"), "parameter_missing");
    }
}

#[actix_web::test]
async fn a_card_is_saved_by_a_session_and_charged_later() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    for (card, later) in [
        ("4242424242424242", 200),
        ("4000002500003155", 200),
        ("4000002760003184", 402),
        ("4000000000000341", 402),
    ] {
        let customer = shop
            .ok("POST", "/v1/customers", "email=ann@example.org")
            .await;
        let customer = s(&customer, "/id");
        let form = format!(
            "mode=setup&currency=usd&customer={customer}&success_url={0}/ok&setup_intent_data[metadata][order]=o",
            shop.base
        );
        let session = shop.ok("POST", "/v1/checkout/sessions", &form).await;
        let (status, to, page) = shop
            .pay(&session, &format!("card={card}&outcome=succeed"))
            .await;
        assert_eq!((status, to), (303, format!("{}/ok", shop.base)), "{page}");
        let path = format!("/v1/checkout/sessions/{}", s(&session, "/id"));
        let session = shop
            .ok("GET", &path, "expand[]=setup_intent.payment_method")
            .await;
        assert_eq!(s(&session, "/payment_status"), "no_payment_required");
        assert_eq!(
            s(&session, "/setup_intent/payment_method/customer"),
            customer
        );
        let method = s(&session, "/setup_intent/payment_method/id");
        let form = format!(
            "amount=4500&currency=usd&customer={customer}&payment_method={method}&off_session=true&confirm=true"
        );
        let got = shop.call("POST", "/v1/payment_intents", &form, None).await;
        assert_eq!(got.status, later, "{card}: {}", got.body);
        if later == 402 {
            assert_eq!(s(&got.body, "/error/type"), "card_error");
            assert_eq!(
                s(&got.body, "/error/payment_intent/status"),
                "requires_payment_method"
            );
        }
        let detached = shop
            .ok("POST", &format!("/v1/payment_methods/{method}/detach"), "")
            .await;
        assert_eq!(detached["customer"], json!(null));
        let form = format!(
            "amount=100&currency=usd&customer={customer}&payment_method={method}&confirm=true"
        );
        shop.refused("POST", "/v1/payment_intents", &form, 400)
            .await;
    }
    let form = format!(
        "mode=setup&currency=usd&customer_creation=always&success_url={}/ok",
        shop.base
    );
    let session = shop.ok("POST", "/v1/checkout/sessions", &form).await;
    let (status, ..) = shop
        .pay(&session, "card=4000000000000002&email=bo@example.org")
        .await;
    assert_eq!(status, 402);
    let (status, _, page) = shop.pay(&session, "card=4000002760003184").await;
    assert!(status == 200 && page.contains("Your bank asks"), "{page}");
}
