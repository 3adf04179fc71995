//! Idempotency: a key's first answer is its only answer.

use serde_json::json;

use crate::driver::{s, serve};

#[actix_web::test]
async fn a_key_gives_its_first_answer_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let form = shop.session_form();
    let path = "/v1/checkout/sessions";
    let first = shop.call("POST", path, &form, Some("k1")).await;
    let again = shop.call("POST", path, &form, Some("k1")).await;
    assert_eq!(
        (first.status, first.replayed, again.replayed),
        (200, false, true)
    );
    assert_eq!(first.body, again.body);
    let crowd = (0..16).map(|_| shop.call("POST", path, &form, Some("k2")));
    let crowd = futures_util::future::join_all(crowd).await;
    assert!(crowd.iter().all(|g| g.body == crowd[0].body));
    assert_eq!(crowd.iter().filter(|g| !g.replayed).count(), 1);
    let all = shop.ok("GET", path, "").await;
    assert_eq!(all["data"].as_array().map(Vec::len), Some(2));
}

#[actix_web::test]
async fn a_key_cannot_be_used_for_something_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    shop.call("POST", "/v1/customers", "name=Ann", Some("k"))
        .await;
    for (path, form) in [
        ("/v1/customers", "name=Bo"),
        ("/v1/customers", ""),
        ("/v1/payment_intents", "amount=5&currency=usd"),
    ] {
        let got = shop.call("POST", path, form, Some("k")).await;
        assert_eq!(
            (got.status, s(&got.body, "/error/type")),
            (400, "idempotency_error".into())
        );
    }
    let long = "k".repeat(256);
    assert_eq!(
        shop.call("POST", "/v1/customers", "", Some(&long))
            .await
            .status,
        400
    );
}

#[actix_web::test]
async fn refusals_are_kept_too_until_a_day_has_gone() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let form = "amount=500&currency=usd&confirm=true&payment_method=pm_card_chargeDeclined";
    let first = shop
        .call("POST", "/v1/payment_intents", form, Some("k"))
        .await;
    assert_eq!(first.status, 402);
    let again = shop
        .call("POST", "/v1/payment_intents", form, Some("k"))
        .await;
    assert_eq!((again.status, again.replayed), (402, true));
    assert_eq!(again.body, first.body);
    shop.advance(24 * 3600 + 1).await;
    let later = shop
        .call("POST", "/v1/payment_intents", form, Some("k"))
        .await;
    assert_eq!((later.status, later.replayed), (402, false));
    assert_ne!(later.body["error"]["charge"], first.body["error"]["charge"]);
}

#[actix_web::test]
async fn an_error_after_the_effect_is_what_the_key_replays() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    shop.faults(json!({ "api": "error_after_effect" })).await;
    let first = shop
        .call("POST", "/v1/customers", "name=Ann", Some("k"))
        .await;
    assert_eq!(
        (first.status, s(&first.body, "/error/type")),
        (500, "api_error".into())
    );
    shop.faults(json!({ "api": "normal" })).await;
    let again = shop
        .call("POST", "/v1/customers", "name=Ann", Some("k"))
        .await;
    assert_eq!((again.status, again.replayed), (500, true));
    let all = shop.ok("GET", "/v1/customers", "").await;
    assert_eq!(all["data"].as_array().map(Vec::len), Some(1));
}

#[actix_web::test]
async fn an_answer_that_never_came_is_told_to_the_same_key() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    shop.faults(json!({ "api": "hang_after_effect" })).await;
    let short = reqwest::Client::new()
        .post(format!("{}/v1/customers", shop.api()))
        .timeout(std::time::Duration::from_millis(300))
        .bearer_auth("sk_test_1")
        .header("idempotency-key", "k")
        .body("name=Ann")
        .send()
        .await;
    assert!(short.is_err_and(|e| e.is_timeout()));
    let again = shop
        .call("POST", "/v1/customers", "name=Ann", Some("k"))
        .await;
    assert_eq!((again.status, again.replayed), (200, true));
    let all = shop.ok("GET", "/v1/customers", "").await;
    assert_eq!(all["data"].as_array().map(Vec::len), Some(1));
}

#[actix_web::test]
async fn rate_limit_and_broken_connection_leave_no_effect_and_the_key_free() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    shop.faults(json!({ "api": "rate_limit" })).await;
    let got = shop
        .call("POST", "/v1/customers", "name=Ann", Some("k"))
        .await;
    assert_eq!(
        (got.status, s(&got.body, "/error/code")),
        (429, "rate_limit".into())
    );
    assert_eq!(shop.call("GET", "/v1/balance", "", None).await.status, 429);
    shop.faults(json!({ "api": "down" })).await;
    for method in ["POST", "GET"] {
        let got = shop.raw(method, "/v1/customers", "", Some("k")).await;
        assert!(got.is_err(), "{method} was answered");
    }
    shop.faults(json!({ "api": "normal" })).await;
    assert_eq!(shop.ok("GET", "/v1/customers", "").await["data"], json!([]));
    let got = shop
        .call("POST", "/v1/customers", "name=Ann", Some("k"))
        .await;
    assert_eq!((got.status, got.replayed), (200, false));
}
