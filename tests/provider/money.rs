//! Refunds, disputes and the balance.

use crate::driver::{s, serve};

#[actix_web::test]
async fn a_charge_is_refunded_up_to_its_amount_and_no_further() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let paid = shop.paid("4242424242424242").await;
    let intent = s(&paid, "/payment_intent/id");
    let charge = s(&paid, "/payment_intent/latest_charge/id");
    let of_intent = format!("payment_intent={intent}");
    let part =
        format!("{of_intent}&amount=1500&reason=requested_by_customer&metadata[purpose]=step");
    let refund = shop.ok("POST", "/v1/refunds", &part).await;
    assert_eq!(
        (s(&refund, "/status"), s(&refund, "/charge")),
        ("succeeded".into(), charge.clone())
    );
    let error = shop
        .refused(
            "POST",
            "/v1/refunds",
            &format!("charge={charge}&amount=3001"),
            400,
        )
        .await;
    assert_eq!(s(&error, "/param"), "amount");
    shop.ok(
        "POST",
        "/v1/refunds",
        &format!("charge={charge}&expand[]=charge"),
    )
    .await;
    let error = shop.refused("POST", "/v1/refunds", &of_intent, 400).await;
    assert_eq!(s(&error, "/code"), "charge_already_refunded");
    let list = shop.ok("GET", "/v1/refunds", &of_intent).await;
    assert_eq!(list["data"].as_array().map(Vec::len), Some(2));
    assert_eq!(
        shop.ok("GET", "/v1/refunds", &format!("charge={charge}&limit=1"))
            .await["has_more"],
        true
    );
    let path = format!("/v1/refunds/{}", s(&refund, "/id"));
    shop.ok("POST", &path, "metadata[note]=n").await;
    let query = "expand[]=charge&expand[]=payment_intent&expand[]=balance_transaction";
    let refund = shop.ok("GET", &path, query).await;
    assert_eq!(refund["charge"]["refunded"], true);
    let balance = shop.ok("GET", "/v1/balance", "").await;
    assert_eq!(balance["available"][0]["amount"], 0);
    let moves = shop.ok("GET", "/v1/balance_transactions", "").await;
    assert_eq!(moves["data"].as_array().map(Vec::len), Some(3));
    let path = format!("/v1/balance_transactions/{}", s(&moves, "/data/0/id"));
    shop.ok("GET", &path, "").await;
    for wrong in [
        "amount=5".to_string(),
        format!("{of_intent}&charge={charge}"),
    ] {
        shop.refused("POST", "/v1/refunds", &wrong, 400).await;
    }
    shop.refused("POST", "/v1/refunds", "payment_intent=pi_1", 404)
        .await;
    let unpaid = shop
        .ok("POST", "/v1/payment_intents", "amount=5&currency=usd")
        .await;
    let form = format!("payment_intent={}", s(&unpaid, "/id"));
    shop.refused("POST", "/v1/refunds", &form, 400).await;
    let told = shop.told().await;
    assert_eq!(told.iter().filter(|t| *t == "charge.refunded").count(), 2);
}

#[actix_web::test]
async fn an_inquiry_takes_no_money_and_ends_by_itself() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let paid = shop.paid("4000000000001976").await;
    let intent = s(&paid, "/payment_intent/id");
    let of_intent = format!("payment_intent={intent}");
    let list = shop.ok("GET", "/v1/disputes", &of_intent).await;
    assert_eq!(s(&list, "/data/0/status"), "warning_needs_response");
    assert_eq!(list["data"][0]["is_charge_refundable"], true);
    shop.ok("POST", "/v1/refunds", &of_intent).await;
    shop.advance(7 * 24 * 3600).await;
    let path = format!("/v1/disputes/{}", s(&list, "/data/0/id"));
    let dispute = shop.ok("GET", &path, "").await;
    assert_eq!(s(&dispute, "/status"), "warning_closed");
    let told = shop.told().await;
    assert!(!told.iter().any(|t| t == "charge.dispute.funds_withdrawn"));
}

#[actix_web::test]
async fn a_dispute_takes_the_money_until_somebody_is_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    for (deed, status, available) in [
        ("winning_evidence", "won", 4500),
        ("losing_evidence", "lost", 4500),
        ("close", "lost", 4500),
        ("won", "won", 9000),
        ("silence", "lost", 9000),
    ] {
        let paid = shop.paid("4000000000000259").await;
        let intent = s(&paid, "/payment_intent/id");
        assert_eq!(paid["payment_intent"]["latest_charge"]["disputed"], true);
        let list = shop
            .ok("GET", "/v1/disputes", &format!("payment_intent={intent}"))
            .await;
        let id = s(&list, "/data/0/id");
        let path = format!("/v1/disputes/{id}");
        let error = shop
            .refused(
                "POST",
                "/v1/refunds",
                &format!("payment_intent={intent}"),
                400,
            )
            .await;
        assert_eq!(s(&error, "/code"), "charge_disputed");
        match deed {
            "close" => drop(shop.ok("POST", &format!("{path}/close"), "").await),
            "silence" => shop.advance(7 * 24 * 3600).await,
            "won" => {
                let url = format!("{}/sandbox/disputes/{id}", shop.base);
                assert_eq!(shop.post_form(&url, "outcome=won").await.0, 303);
            }
            evidence => {
                shop.ok("POST", &path, "evidence[customer_name]=Ann&submit=false")
                    .await;
                let form = format!("evidence[uncategorized_text]={evidence}&metadata[by]=us");
                shop.ok("POST", &path, &form).await;
            }
        }
        let dispute = shop
            .ok("GET", &path, "expand[]=charge&expand[]=payment_intent")
            .await;
        assert_eq!(s(&dispute, "/status"), status, "{deed}");
        let balance = shop.ok("GET", "/v1/balance", "").await;
        assert_eq!(balance["available"][0]["amount"], available, "{deed}");
        shop.refused("POST", &format!("{path}/close"), "", 400)
            .await;
        if deed == "won" {
            shop.ok(
                "POST",
                "/v1/refunds",
                &format!("payment_intent={intent}&amount=1"),
            )
            .await;
            shop.ok(
                "POST",
                "/v1/refunds",
                &format!("payment_intent={intent}&amount=4499"),
            )
            .await;
            shop.paid("4242424242424242").await;
        }
    }
    let told = shop.told().await;
    for (kind, times) in [
        ("charge.dispute.created", 5),
        ("charge.dispute.funds_withdrawn", 5),
        ("charge.dispute.closed", 5),
        ("charge.dispute.funds_reinstated", 2),
    ] {
        assert_eq!(told.iter().filter(|t| *t == kind).count(), times, "{kind}");
    }
}
