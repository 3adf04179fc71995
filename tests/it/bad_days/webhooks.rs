//! Webhooks that are forged, unsigned, old, foreign, early.

use chrono::Duration;
use hmac::{Hmac, KeyInit, Mac};
use muster::domain::order::OrderState;
use muster::domain::payment::{AttemptState, RefundState};
use serde_json::{Value, json};
use sha2::Sha256;

use super::agrees;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

fn signed(secret: &str, time: i64, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.{body}").as_bytes());
    let bytes = mac.finalize().into_bytes();
    let hex: String = bytes.iter().map(|b| format!("{b:02x}")).collect();
    format!("t={time},v1={hex}")
}

async fn post(shop: &Shop, signature: Option<String>, body: &str) -> u16 {
    let mut request = shop
        .http
        .post(shop.url("/webhooks/stripe"))
        .body(body.to_owned());
    if let Some(signature) = signature {
        request = request.header("stripe-signature", signature);
    }
    request.send().await.unwrap().status().as_u16()
}

fn secret(shop: &Shop) -> String {
    shop.running
        .app
        .office
        .settings()
        .webhook_secret
        .clone()
        .unwrap()
}

fn completed(id: &str, session: &str, order: &str) -> String {
    let object = json!({"id": session, "object": "checkout.session", "payment_status": "paid", "status": "complete",
        "payment_intent": "pi_forged", "metadata": {"order": order, "purpose": "join", "attempt": "1"}});
    let event: Value = json!({"id": id, "object": "event", "type": "checkout.session.completed", "livemode": false,
        "created": 1_780_000_000, "data": {"object": object}});
    event.to_string()
}

fn unix() -> i64 {
    chrono::Utc::now().timestamp()
}

both_databases! {
    async fn a_forged_webhook_pays_nothing(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = shop.join(&campaign, "a@mail.example", 2).await.order.id;
        shop.settle().await;
        let session = shop.payments(id).await[0].session_id.clone().unwrap();
        let body = completed("evt_forged", &session, &id.to_string());
        let good = secret(&shop);
        assert_eq!(post(&shop, None, &body).await, 400);
        assert_eq!(post(&shop, Some("t=1,v1=00".into()), &body).await, 400);
        assert_eq!(post(&shop, Some(signed("whsec_other", unix(), &body)), &body).await, 400);
        assert_eq!(post(&shop, Some(signed(&good, unix() - 301, &body)), &body).await, 400);
        assert_eq!(post(&shop, Some(signed(&good, unix(), &body)), &body.replace("paid", "unpaid")).await, 400);
        shop.settle().await;
        assert_eq!(shop.order(id).await.state, OrderState::Pending);
        // Signed well, and still only a hint to ask: the provider says that nobody paid.
        assert_eq!(post(&shop, Some(signed(&good, unix(), &body)), &body).await, 200);
        shop.settle().await;
        let order = shop.order(id).await;
        assert_eq!((order.state, order.charged), (OrderState::Pending, 0));
        // Objects that are not ours, or nobody's.
        for (n, body) in [
            completed("evt_1", "cs_test_foreign", "018f0000-0000-7000-8000-000000000000"),
            completed("evt_2", "../../v1/refunds", "not an id"),
            json!({"id": "evt_3", "type": "charge.dispute.created", "data": {"object": {"id": "du_foreign", "object": "dispute"}}}).to_string(),
            json!({"id": "evt_4", "type": "refund.failed", "data": {"object": {"id": "re_foreign", "object": "refund", "payment_intent": "pi_foreign"}}}).to_string(),
            json!({"id": "evt_5", "type": "balance.available", "data": {"object": {"object": "balance"}}}).to_string(),
        ].into_iter().enumerate() {
            assert_eq!(post(&shop, Some(signed(&good, unix(), &body)), &body).await, 200, "{n}");
        }
        let empty = "{}";
        assert_eq!(post(&shop, Some(signed(&good, unix(), empty)), empty).await, 400);
        shop.settle().await;
        agrees(&shop, &[id]).await;
        // And the real payment still counts, once.
        assert_eq!(shop.pay(id, GOOD_CARD).await, 303);
        shop.settle().await;
        assert_eq!(shop.order(id).await.charged, 20000);
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn a_repeated_webhook_is_stored_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        let session = shop.payments(id).await[0].session_id.clone().unwrap();
        let good = secret(&shop);
        for n in 0..5 {
            let body = completed(&format!("evt_{}", n / 3), &session, &id.to_string());
            assert_eq!(post(&shop, Some(signed(&good, unix(), &body)), &body).await, 200);
            shop.settle().await;
        }
        assert_eq!(shop.order(id).await.charged, 20000);
        assert_eq!(shop.mail_to("a@mail.example").await.len(), 1);
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn a_page_paid_before_our_own_answer_was_recorded_counts(db: TestDatabase) {
        let shop = Shop::open_with_timeout(db, 1).await;
        let campaign = shop.publish(shop.example_a()).await;
        shop.faults(json!({"api": "hang_after_effect"})).await;
        let id = shop.join(&campaign, "a@mail.example", 2).await.order.id;
        // The page is made, its answer never comes, and somebody pays it.
        let mut made = None;
        let (_, ()) = tokio::join!(shop.settle(), async {
            for _ in 0..500 {
                let open = shop.provider("checkout/sessions?limit=10").await;
                if let Some(one) = open["data"].as_array().and_then(|all| all.first()) {
                    let session = one["id"].as_str().unwrap().to_owned();
                    let paid = shop.http.post(shop.url(&format!("/sandbox/pay/{session}")))
                        .form(&[("card", GOOD_CARD)]).send().await.unwrap();
                    assert_eq!(paid.status(), 303);
                    made = Some(session);
                    return;
                }
                tokio::task::yield_now().await;
            }
        });
        assert!(made.is_some());
        shop.audit().await;
        shop.faults(json!({"api": "normal"})).await;
        shop.advance(Duration::minutes(3)).await;
        assert_eq!(shop.order(id).await.state, OrderState::Confirmed);
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn a_page_whose_making_was_answered_500_and_is_paid_all_the_same_goes_back(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        shop.faults(json!({"api": "error_after_effect"})).await;
        let id = shop.join(&campaign, "a@mail.example", 2).await.order.id;
        shop.settle().await;
        shop.faults(json!({"api": "normal"})).await;
        shop.advance(Duration::minutes(6)).await;
        assert_eq!(shop.pay(id, GOOD_CARD).await, 303);
        shop.settle().await;
        assert_eq!(shop.order(id).await.state, OrderState::Confirmed);
        // A page that nobody was given the address of, found all the same.
        let pages = shop.payments(id).await;
        assert_eq!(pages[0].state, AttemptState::Abandoned);
        let known = pages.last().unwrap().session_id.clone().unwrap();
        let all = shop.provider("checkout/sessions?limit=100").await;
        let stray = all["data"].as_array().unwrap().iter()
            .find(|s| s["status"] == "open" && s["id"] != known.as_str()).unwrap();
        let stray = stray["id"].as_str().unwrap();
        let paid = shop.http.post(shop.url(&format!("/sandbox/pay/{stray}")))
            .form(&[("card", GOOD_CARD)]).send().await.unwrap();
        assert_eq!(paid.status(), 303);
        shop.settle().await;
        let order = shop.order(id).await;
        assert_eq!((order.state, order.charged, order.refunded), (OrderState::Confirmed, 40000, 20000));
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn a_refund_keeps_its_day_when_it_is_told_again_a_day_later(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        shop.cancel(id).await.unwrap();
        shop.settle().await;
        let went = shop.refunds(id).await.pop().unwrap();
        assert_eq!(went.state, RefundState::Succeeded);
        shop.advance(Duration::days(1)).await;
        let object = shop.provider("refunds?limit=1").await["data"][0].clone();
        assert_eq!(object["status"], "succeeded");
        let event = json!({"id": "evt_again", "object": "event", "type": "refund.updated", "livemode": false,
            "created": unix(), "data": {"object": object}}).to_string();
        assert_eq!(post(&shop, Some(signed(&secret(&shop), unix(), &event)), &event).await, 200);
        shop.settle().await;
        let told_again = shop.refunds(id).await.pop().unwrap();
        assert_eq!((told_again.state, told_again.updated_at), (went.state, went.updated_at), "its day stays");
        agrees(&shop, &[id]).await;
        shop.close().await;
    }
}
