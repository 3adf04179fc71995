//! A merchant's program buys what is missing after saved cards were charged.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use super::caller::{Api, order_path, usd, wish};
use crate::support::cards::Outcome;
use crate::support::database::TestDatabase;

/// Two of three units are paid for, one holder's card says no until it is too late. The campaign's path.
async fn one_is_missing(api: &Api) -> String {
    let mut body = api.pens();
    body["payment_mode"] = json!("charge_on_success");
    let slug = api.open(body).await;
    let mut orders = Vec::new();
    for (email, units) in [("ada@example.com", 2), ("bo@example.com", 1)] {
        let joined = api.join(&slug, wish(email, "raw", units)).await.expect(201);
        let url = joined["checkout_url"].as_str().expect("a page");
        api.shop.pay(url).await;
        orders.push(order_path(&joined));
    }
    let cards = &api.shop.provider.cards;
    cards.come_to(Outcome::declines("card_declined", "lost_card"));
    api.shop
        .advance(Duration::days(7) + Duration::minutes(1))
        .await;
    let (place, token) = orders[0].split_once('?').expect("a token");
    let pay = api.ask(Method::POST, &format!("{place}/pay?{token}"));
    let page = pay.anonymous().send().await.expect(200);
    api.shop
        .pay(page["checkout_url"].as_str().expect("a page"))
        .await;
    api.shop
        .advance(Duration::days(7) + Duration::minutes(1))
        .await;
    format!("/campaigns/{slug}")
}

fn own(units: i64) -> Value {
    let wish = wish("", "raw", units);
    json!({"name": "Mill Lane", "address": wish["address"], "lines": wish["lines"]})
}

both_databases! {
    async fn what_is_missing_is_read_and_bought_once(db: TestDatabase) {
        let api = Api::start(&db).await;
        let place = one_is_missing(&api).await;
        let gap = format!("{place}/shortfall");
        let short = api.get(&gap).send().await.expect(200);
        assert_eq!((&short["kind"], &short["target"], &short["missing"]), (&json!("units"), &json!(3), &json!(1)));
        assert_eq!(short["batch"], 1);
        assert_eq!(short["options"][0], json!({"sku": "raw", "name": "Raw", "unit_price": usd(1800), "available": 6}));
        let (_, other) = api.shop.merchant("Other").await;
        api.get(&gap).key(&other).send().await.expect(404);
        api.get(&gap).anonymous().send().await.expect(401);

        let buy = format!("{gap}/orders");
        api.post(&buy, own(1)).key(&other).send().await.expect(404);
        let nothing = api.post(&buy, json!({"lines": [{"sku": "raw", "quantity": 0}]})).send().await;
        assert_eq!(nothing.wrong_fields(), ["address", "lines[0].quantity", "name"]);
        let too_many = api.post(&buy, json!({"lines": [{"sku": "raw", "quantity": 7}]})).send().await;
        assert_eq!(too_many.refused(409), "sold-out", "a conflict is told first");
        let mut unknown = own(1);
        unknown["lines"][0]["sku"] = json!("blue");
        assert_eq!(api.post(&buy, unknown).send().await.wrong_fields(), ["lines[0].sku"]);

        let bought = api.post(&buy, own(1)).once("k").send().await.expect(201);
        assert_eq!((&bought["lines"][0]["unit_price"], &bought["total"]), (&usd(1800), &usd(2300)));
        let again = api.post(&buy, own(1)).once("k").send().await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.expect(201)["order_id"], bought["order_id"]);
        assert_eq!(api.post(&buy, own(2)).once("k").send().await.refused(409), "idempotency-key-reused");
        assert_eq!(api.get(&gap).send().await.expect(200)["missing"], 1, "it counts once it is paid");
        api.shop.pay(bought["checkout_url"].as_str().expect("a page")).await;
        api.shop.advance(Duration::minutes(2)).await;
        assert_eq!(api.get(&gap).send().await.refused(409), "nothing-missing");
        for key in ["l", "k"] {
            let late = api.post(&buy, own(1)).once(key).send().await;
            match key {
                "k" => assert_eq!(late.expect(201)["order_id"], bought["order_id"]),
                _ => assert_eq!(late.refused(409), "nothing-missing"),
            }
        }
        let mine = api.get(&order_path(&bought)).anonymous().send().await.expect(200);
        assert_eq!((&mine["state"], &mine["payment_state"]), (&json!("confirmed"), &json!("paid")));
        let shown = api.get(&place).anonymous().send().await.expect(200);
        assert_eq!((&shown["state"], &shown["threshold"]["collected"]), (&json!("collecting"), &json!(3)));
    }

    async fn nothing_is_bought_while_nothing_is_missing(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        let gap = format!("/campaigns/{slug}/shortfall");
        assert_eq!(api.get(&gap).send().await.refused(409), "nothing-missing");
        let buy = format!("{gap}/orders");
        assert_eq!(api.post(&buy, own(1)).send().await.refused(409), "nothing-missing");
        assert_eq!(api.post(&buy, json!({})).send().await.refused(409), "nothing-missing");
        assert_eq!(api.post(&buy, own(1)).once("k").send().await.refused(409), "nothing-missing");
        api.get("/campaigns/nothing-here/shortfall").send().await.expect(404);
    }

    async fn goods_value_of_saved_cards_leaves_out_who_waits_for_a_step(db: TestDatabase) {
        let api = Api::start(&db).await;
        let mut body = api.pens();
        body["payment_mode"] = json!("charge_on_success");
        body["threshold"] = json!({"kind": "amount", "target": 6000});
        let slug = api.open(body).await;
        let worth = async || {
            let shown = api.get(&format!("/campaigns/{slug}")).anonymous().send().await.expect(200);
            (shown["current_step"].clone(), shown["threshold"]["committed"].clone())
        };
        let saves = async |email: &str, sku: &str, units: i64, step: Value| {
            let mut asked = wish(email, sku, units);
            asked["limit_step"] = step;
            let joined = api.join(&slug, asked).await.expect(201);
            api.shop.pay(joined["checkout_url"].as_str().expect("a page")).await;
            order_path(&joined)
        };
        saves("ada@example.com", "raw", 2, Value::Null).await;
        let leaves = saves("bo@example.com", "black", 2, json!(2)).await;
        assert_eq!(worth().await, (json!(0), json!(4000)), "two wait for five");
        saves("cy@example.com", "raw", 1, json!(1)).await;
        assert_eq!(worth().await, (json!(2), json!(3 * 1500 + 2 * 1700)), "five are together");
        let (place, token) = leaves.split_once('?').expect("a token");
        api.ask(Method::POST, &format!("{place}/cancel?{token}")).anonymous().send().await.expect(200);
        assert_eq!(worth().await, (json!(1), json!(3 * 1800)));
    }
}
