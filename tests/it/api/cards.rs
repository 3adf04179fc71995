//! Saved cards over the API: what an order says of them, and paying what a card did not.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use super::caller::{Api, order_path, usd, wish};
use crate::support::cards::Outcome;
use crate::support::database::TestDatabase;

both_databases! {
    async fn a_declined_card_is_shown_and_what_is_owed_is_paid_on_a_page(db: TestDatabase) {
        let api = Api::start(&db).await;
        let mut body = api.pens();
        body["payment_mode"] = json!("charge_on_success");
        let slug = api.open(body).await;
        let mut asked = wish("ada@example.com", "raw", 3);
        asked["limit_step"] = json!(1);
        let joined = api.join(&slug, asked).await.expect(201);
        let path = order_path(&joined);
        api.shop.pay(joined["checkout_url"].as_str().expect("a page")).await;
        let order = api.get(&path).anonymous().send().await.expect(200);
        assert_eq!((&order["payment_mode"], &order["limit_step"]), (&json!("charge_on_success"), &json!(1)));
        assert_eq!(order["payment_state"], "saved");
        assert_eq!(order["card"], json!({"brand": "visa", "last4": "4242", "expiry": "12/40"}));
        assert_eq!(order["due"], Value::Null);
        let (place, token) = path.split_once('?').expect("a token");
        let pay = format!("{place}/pay?{token}");
        let nothing = api.ask(Method::POST, &pay).anonymous().send().await;
        assert_eq!(nothing.refused(409), "nothing-owed");

        api.shop.provider.cards.come_to(Outcome::declines("card_declined", "lost_card"));
        api.shop.advance(Duration::days(7) + Duration::minutes(1)).await;
        let order = api.get(&path).anonymous().send().await.expect(200);
        assert_eq!(order["due"]["state"], "declined");
        assert_eq!(order["due"]["amount"], usd(5900));
        assert!(order["due"]["until"].is_string());

        let order = api.ask(Method::POST, &pay).anonymous().send().await.expect(200);
        let url = order["checkout_url"].as_str().expect("a page").to_owned();
        let again = api.ask(Method::POST, &pay).anonymous().send().await.expect(200);
        assert_eq!(again["checkout_url"], url.as_str());
        api.shop.pay(&url).await;
        let order = api.get(&path).anonymous().send().await.expect(200);
        assert_eq!((&order["due"]["state"], &order["payment_state"]), (&json!("paid"), &json!("paid")));
        assert_eq!(order["totals"]["kept"], usd(5900));
        let card = format!("{place}/card?{token}");
        assert_eq!(api.ask(Method::POST, &card).anonymous().send().await.refused(409), "no-card-needed");
    }

    async fn a_deposit_is_part_of_the_offer_and_of_the_order(db: TestDatabase) {
        let api = Api::start(&db).await;
        let mut body = api.pens();
        body["payment_mode"] = json!("deposit");
        body["deposit_percent"] = json!(25);
        let slug = api.open(body).await;
        let shown = api.get(&format!("/campaigns/{slug}")).anonymous().send().await.expect(200);
        assert_eq!((&shown["deposit_percent"], &shown["deposit_unpaid"]), (&json!(25), &json!("returned")));
        assert_eq!(shown["waiting_for_step"], json!([]));
        let path = api.buy(&slug, "ada@example.com", "raw", 3).await;
        let order = api.get(&path).anonymous().send().await.expect(200);
        assert_eq!(order["deposit"], json!({"amount": usd(1625), "balance": usd(4875), "unpaid": "returned"}));
        assert_eq!(order["payment_state"], "deposit_paid");
        assert_eq!(order["totals"], json!({"charged": usd(1625), "refunded": usd(0), "kept": usd(1625)}));
    }
}
