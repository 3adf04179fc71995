//! Claims, withdrawals, refunds and changes, as programs use them.

use muster::domain::ids::OrderId;
use reqwest::Method;
use serde_json::{Value, json};

use super::goods::parcel;
use crate::api::caller::{Api, order_path, usd, wish};
use crate::support::database::TestDatabase;

/// A campaign of pens whose supplier's order goes out by itself.
async fn open(api: &Api) -> String {
    let supplier = json!({
        "name": "Nib Works", "email": "orders@nib.example", "lead_time_days": 20,
        "unit_costs": {"raw": 500, "black": 500}, "currency": "usd",
    });
    let supplier = api.post("/suppliers", supplier).send().await.expect(201);
    let mut body = api.pens();
    body["supplier_ids"] = json!([supplier["id"]]);
    api.open(body).await
}

/// Buys pens for Great Britain, where the law grants withdrawal.
async fn bought(api: &Api, slug: &str, units: i64) -> (String, String, OrderId) {
    let mut body = wish("a@example.com", "raw", units);
    body["delivery"] = json!("as_available");
    body["address"] =
        json!({"line1": "1 Mill Lane", "city": "Bath", "postal_code": "BA1 1AA", "country": "GB"});
    let joined = api.join(slug, body).await.expect(201);
    api.shop.pay(joined["checkout_url"].as_str().unwrap()).await;
    let path = order_path(&joined);
    let (id, token) = path.split_once("?t=").unwrap();
    let order = joined["order_id"].as_str().unwrap().parse().unwrap();
    (id.to_owned(), token.to_owned(), order)
}

both_databases! {
    async fn a_claim_is_reported_and_resolved(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = open(&api).await;
        let (id, token, order) = bought(&api, &slug, 4).await;
        let claims = format!("{id}/claims");
        let by_link = format!("{claims}?t={token}");
        let good = json!({"kind": "damaged", "lines": [{"sku": "raw", "quantity": 1}], "text": "Bent."});
        assert_eq!(api.post(&by_link, good.clone()).anonymous().send().await.refused(409), "nothing-shipped");
        api.shop.advance(chrono::Duration::days(8)).await;
        parcel(&api.shop.office, order, &[("raw", 4)], true).await;
        api.post(&claims, good.clone()).anonymous().send().await.expect(401);
        api.post(&format!("{claims}?t=AAAA"), good.clone()).anonymous().send().await.expect(404);
        let (_, stranger) = api.shop.merchant("Stranger").await;
        api.post(&claims, good.clone()).key(&stranger).send().await.expect(404);
        let wrong = json!({"kind": "withdrawal", "lines": [{"sku": "raw", "quantity": 0}], "more": 1});
        assert_eq!(api.post(&by_link, wrong).anonymous().send().await.wrong_fields(), ["kind", "lines[0].quantity", "more"]);
        let many = json!({"kind": "lost", "lines": [{"sku": "raw", "quantity": 5}]});
        assert_eq!(api.post(&by_link, many).anonymous().send().await.wrong_fields(), ["lines[0].quantity"]);
        let claim = api.post(&by_link, good.clone()).anonymous().once("k1").send().await.expect(201);
        let again = api.post(&by_link, good).anonymous().once("k1").send().await.expect(201);
        assert_eq!(claim, again);
        let listed = api.get(&claims).send().await.expect(200);
        assert_eq!(listed["data"].as_array().unwrap().len(), 1);
        let resolve = format!("/claims/{}/resolve", claim["claim_id"].as_str().unwrap());
        assert_eq!(api.post(&resolve, json!({"outcome": "partial_refund"})).send().await.wrong_fields(), ["amount", "reason"]);
        assert_eq!(api.post(&resolve, json!({"outcome": "maybe"})).send().await.wrong_fields(), ["outcome"]);
        assert_eq!(api.post(&resolve, json!({"outcome": "reship"})).send().await.refused(409), "no-stock");
        api.post(&resolve, json!({"outcome": "refund"})).key(&stranger).send().await.expect(404);
        let expected = json!({"outcome": "refund", "amount": usd(1)});
        assert_eq!(api.post(&resolve, expected).send().await.refused(409), "amount-changed");
        let done = api.post(&resolve, json!({"outcome": "refund"})).send().await.expect(200);
        assert_eq!((&done["state"], &done["amount"]), (&json!("resolved"), &usd(1800)));
        assert_eq!(api.post(&resolve, json!({"outcome": "refund"})).send().await.refused(409), "claim-moved-on");
        api.shop.work().await;
        let order = api.get(&format!("{id}?t={token}")).send().await.expect(200);
        assert_eq!(order["lines"][0]["shipped"], 4);
    }

    async fn a_shopper_withdraws_and_changes_the_address(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = open(&api).await;
        let (id, token, _) = bought(&api, &slug, 4).await;
        let own = format!("{id}?t={token}");
        let patch = |body: Value| api.ask(Method::PATCH, &own).anonymous().body(body);
        assert_eq!(patch(json!({})).send().await.wrong_fields(), ["address"]);
        assert_eq!(patch(json!({"delivery": "by_owl"})).send().await.wrong_fields(), ["delivery"]);
        let abroad = json!({"address": {"line1": "1 Rue", "city": "Paris", "country": "FR"}});
        assert_eq!(patch(abroad).send().await.wrong_fields(), ["address.country"]);
        patch(json!({"name": "Ada King", "address": {"line1": "2 Mill Lane", "city": "Bath", "country": "GB"}, "delivery": "as_available"})).send().await.expect(200);
        let listed = api.get(&format!("/campaigns/{slug}/orders")).send().await.expect(200);
        assert_eq!((&listed["data"][0]["name"], &listed["data"][0]["address"]["line1"]), (&json!("Ada King"), &json!("2 Mill Lane")));
        let shown = api.get(&own).anonymous().send().await.expect(200);
        assert!(!shown.to_string().contains("1 Mill Lane"), "{shown:#}");
        api.ask(Method::PATCH, &format!("{id}?t=AAAA")).anonymous().body(json!({"delivery": "one_parcel"})).send().await.expect(404);

        let withdraw = format!("{id}/withdraw?t={token}");
        let wrong = json!({"lines": [{"sku": "raw", "quantity": 9}], "email": "nobody"});
        assert_eq!(api.post(&withdraw, wrong).anonymous().send().await.wrong_fields(), ["email", "lines[0].quantity"]);
        let one = json!({"lines": [{"sku": "raw", "quantity": 1}]});
        let said = api.post(&withdraw, one.clone()).anonymous().once("w1").send().await.expect(200);
        assert_eq!((&said["refunded_now"], &said["claim"]), (&usd(2000), &Value::Null));
        assert_eq!(api.post(&withdraw, one).anonymous().once("w1").send().await.expect(200), said);
        let rest = api.post(&withdraw, json!({})).anonymous().send().await.expect(200);
        assert_eq!((&rest["order"]["state"], &rest["refunded_now"]), (&json!("cancelled"), &usd(6900)));
        assert_eq!(api.post(&withdraw, json!({})).anonymous().send().await.refused(409), "no-right-of-withdrawal");
        // Nobody withdraws where no right applies.
        let path = api.buy(&slug, "b@example.com", "raw", 1).await;
        let (other, token) = path.split_once("?t=").unwrap();
        let there = api.post(&format!("{other}/withdraw?t={token}"), json!({})).anonymous().send().await;
        assert_eq!(there.refused(409), "no-right-of-withdrawal");
    }

    async fn a_refund_larger_than_what_is_left_is_refused(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = open(&api).await;
        let (id, ..) = bought(&api, &slug, 4).await;
        api.shop.advance(chrono::Duration::days(8)).await;
        let refund = format!("{id}/refund");
        let gives = |amount: i64| json!({"reason": "You waited long.", "amount": usd(amount)});
        let after = api.post(&refund, gives(8000)).send().await.expect(200);
        assert_eq!(after["totals"]["kept"], usd(100));
        assert_eq!(api.post(&refund, gives(101)).send().await.wrong_fields(), ["amount"]);
        let after = api.post(&refund, gives(100)).send().await.expect(200);
        assert_eq!(after["totals"]["kept"], usd(0));
        assert_eq!(api.post(&refund, gives(1)).send().await.wrong_fields(), ["amount"]);
    }

    async fn the_merchant_refunds_lines_or_an_amount(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = open(&api).await;
        let (id, _, order) = bought(&api, &slug, 4).await;
        api.shop.advance(chrono::Duration::days(8)).await;
        let refund = format!("{id}/refund");
        let both = json!({"reason": "x", "lines": [{"sku": "raw", "quantity": 1}], "amount": usd(100)});
        assert_eq!(api.post(&refund, both).send().await.wrong_fields(), ["amount"]);
        let foreign = json!({"reason": "x", "amount": {"amount": 100, "currency": "eur"}});
        assert_eq!(api.post(&refund, foreign).send().await.wrong_fields(), ["amount.currency"]);
        assert_eq!(api.post(&refund, json!({"reason": "x", "amount": usd(999_999)})).send().await.wrong_fields(), ["amount"]);
        let unknown = json!({"reason": "x", "lines": [{"sku": "gold", "quantity": 1}]});
        assert_eq!(api.post(&refund, unknown).send().await.wrong_fields(), ["lines[0].sku"]);
        let part = json!({"reason": "You waited long.", "amount": usd(500)});
        for _ in 0..2 {
            let after = api.post(&refund, part.clone()).once("r1").send().await.expect(200);
            assert_eq!((&after["state"], &after["totals"]["kept"]), (&json!("backordered"), &usd(4 * 1800 + 900 - 500)));
        }
        // Without a key, the same amount for the same reason is the same gift.
        let gift = json!({"reason": "The box was wet.", "amount": usd(100)});
        for _ in 0..2 {
            let after = api.post(&refund, gift.clone()).send().await.expect(200);
            assert_eq!(after["totals"]["kept"], usd(4 * 1800 + 900 - 600));
        }
        let lines = json!({"reason": "No ink.", "lines": [{"sku": "raw", "quantity": 1}]});
        let after = api.post(&refund, lines).send().await.expect(200);
        assert_eq!(after["totals"]["kept"], usd(3 * 1800 + 900 - 600));
        parcel(&api.shop.office, order, &[("raw", 1)], true).await;
        assert_eq!(api.post(&refund, json!({"reason": "All."})).send().await.refused(409), "order-sent-to-supplier");
        let (_, stranger) = api.shop.merchant("Stranger").await;
        api.post(&refund, json!({"reason": "Mine", "amount": usd(1)})).key(&stranger).send().await.expect(404);
    }
}
