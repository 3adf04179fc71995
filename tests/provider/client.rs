//! The payment client reads what the provider answers: its parser is strict, and turns an odd object into an error.

use serde_json::json;
use stripe::{IdempotencyKey, RequestStrategy, StripeRequest};
use stripe_checkout::checkout_session::{
    CreateCheckoutSession, CreateCheckoutSessionLineItems, CreateCheckoutSessionLineItemsPriceData,
    ExpireCheckoutSession, ProductData, RetrieveCheckoutSession,
};
use stripe_core::balance::RetrieveForMyAccountBalance;
use stripe_core::charge::RetrieveCharge;
use stripe_core::event::ListEvent;
use stripe_core::payment_intent::{ListPaymentIntent, RetrievePaymentIntent};
use stripe_core::refund::{CreateRefund, ListRefund, RetrieveRefund};
use stripe_shared::{CheckoutSession, CheckoutSessionMode, CheckoutSessionStatus};
use stripe_types::Currency;

use crate::driver::{Served, s, serve};

fn once(key: &str) -> RequestStrategy {
    RequestStrategy::Idempotent(IdempotencyKey::new(key).expect("a key"))
}

async fn create(shop: &Served, key: &str) -> CheckoutSession {
    let mut product = ProductData::new("Brass pen");
    product.description = Some("one".into());
    let mut price = CreateCheckoutSessionLineItemsPriceData::new(Currency::USD);
    price.unit_amount = Some(4500);
    price.product_data = Some(product);
    let mut line = CreateCheckoutSessionLineItems::new();
    line.price_data = Some(price);
    line.quantity = Some(1);
    CreateCheckoutSession::new()
        .mode(CheckoutSessionMode::Payment)
        .success_url(format!("{}/ok", shop.base))
        .line_items(vec![line])
        .customize()
        .request_strategy(once(key))
        .send(&shop.client())
        .await
        .expect("a session")
}

#[actix_web::test]
async fn the_client_reads_every_object_we_use() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let client = shop.client();
    let open = create(&shop, "k1").await;
    assert_eq!(open.id, create(&shop, "k1").await.id);
    let expired = ExpireCheckoutSession::new(&open.id)
        .customize()
        .request_strategy(once("k2"))
        .send(&client)
        .await
        .expect("an expired session");
    assert_eq!(expired.status, Some(CheckoutSessionStatus::Expired));

    let session = create(&shop, "k3").await;
    let url = session.url.clone().expect("an open page");
    for card in ["4000000000009995", "4000002500003155", "4000000000000259"] {
        shop.post_form(&url, &format!("card={card}")).await;
        let session = RetrieveCheckoutSession::new(&session.id)
            .expand(vec![
                "payment_intent.latest_charge".into(),
                "line_items".into(),
            ])
            .send(&client)
            .await
            .expect("a session with its intent");
        assert!(
            session
                .payment_intent
                .is_some_and(|i| i.as_object().is_some()),
            "{card}"
        );
    }
    let paid = shop.paid("4242424242424242").await;
    let intent = s(&paid, "/payment_intent/id");
    let charge = s(&paid, "/payment_intent/latest_charge/id");
    RetrievePaymentIntent::new(intent.clone())
        .send(&client)
        .await
        .expect("an intent");
    ListPaymentIntent::new()
        .send(&client)
        .await
        .expect("intents");
    RetrieveCharge::new(charge)
        .send(&client)
        .await
        .expect("a charge");
    for (amount, key) in [(1000, "r1"), (3500, "r2")] {
        let refund = CreateRefund::new()
            .payment_intent(intent.clone())
            .amount(amount)
            .customize()
            .request_strategy(once(key))
            .send(&client)
            .await
            .expect("a refund");
        RetrieveRefund::new(refund.id.clone())
            .send(&client)
            .await
            .expect("the refund");
    }
    let refunds = ListRefund::new()
        .payment_intent(intent)
        .limit(1)
        .send(&client)
        .await;
    assert!(refunds.expect("refunds").has_more);
    RetrieveForMyAccountBalance::new()
        .send(&client)
        .await
        .expect("a balance");
    let events = ListEvent::new()
        .limit(100)
        .send(&client)
        .await
        .expect("events");
    assert!(events.data.len() > 10);
}

#[actix_web::test]
async fn the_client_can_tell_refusals_from_what_is_unknown() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let client = shop.client();
    let refund = |intent: &str| CreateRefund::new().payment_intent(intent.to_string());
    let refused = refund("pi_nobody")
        .customize()
        .request_strategy(once("k"))
        .send(&client)
        .await;
    let stripe::StripeError::Stripe(error, status) = refused.expect_err("refused") else {
        panic!("not a refusal");
    };
    assert_eq!(
        (status, error.param.as_deref()),
        (404, Some("payment_intent"))
    );
    shop.faults(json!({ "api": "rate_limit" })).await;
    let limited = RetrieveForMyAccountBalance::new().send(&client).await;
    assert!(
        matches!(limited, Err(stripe::StripeError::Stripe(_, 429))),
        "{limited:?}"
    );
    shop.faults(json!({ "api": "error_after_effect" })).await;
    let paid = refund("pi_nobody")
        .customize()
        .request_strategy(once("k2"))
        .send(&client)
        .await;
    assert!(
        matches!(paid, Err(stripe::StripeError::Stripe(_, 404))),
        "{paid:?}"
    );
    shop.faults(json!({ "api": "down" })).await;
    let gone = RetrieveForMyAccountBalance::new().send(&client).await;
    assert!(
        matches!(gone, Err(stripe::StripeError::ClientError(_))),
        "{gone:?}"
    );
}
