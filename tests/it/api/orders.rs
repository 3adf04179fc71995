//! Joining, the order by its link, and leaving.

use std::sync::atomic::Ordering;

use reqwest::Method;
use serde_json::{Value, json};

use super::caller::{Api, order_path, usd, wish};
use crate::support::database::TestDatabase;

both_databases! {
    async fn a_shopper_joins_pays_and_sees_the_order(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        let got = api.join(&slug, wish("  Ada@Example.COM ", "raw", 2)).await;
        let location = got.header("location").to_owned();
        let joined = got.expect(201);
        let path = order_path(&joined);
        assert_eq!(location, format!("/api/v1{path}"));
        assert_eq!(joined["state"], "pending");
        assert_eq!(joined["lines"], json!([{"sku": "raw", "quantity": 2, "unit_price": usd(2000)}]));
        assert_eq!(joined["total"], usd(4500));
        assert_eq!(joined["queue_position"], Value::Null);
        let url = joined["checkout_url"].as_str().expect("a page").to_owned();

        let order = api.get(&path).anonymous().send().await.expect(200);
        assert_eq!(order["payment_state"], "unpaid");
        assert_eq!(order["checkout_url"], url.as_str());
        assert_eq!(order["lines"][0]["state"], "held");
        api.shop.pay(&url).await;
        let order = api.get(&path).anonymous().send().await.expect(200);
        assert_eq!((&order["state"], &order["payment_state"]), (&json!("confirmed"), &json!("paid")));
        assert_eq!(order["checkout_url"], Value::Null);
        assert_eq!(order["totals"], json!({"charged": usd(4500), "refunded": usd(0), "kept": usd(4500)}));
        assert_eq!(order["promise"]["date"], api.day(40));
        assert_eq!(order["timeline"][0]["kind"], "placed");
        let shown = api.get(&format!("/campaigns/{slug}")).anonymous().send().await.expect(200);
        assert_eq!(shown["threshold"]["collected"], 2);
        assert_eq!(shown["options"][0]["available"], 6);

        let orders = api.get(&format!("/campaigns/{slug}/orders")).send().await.expect(200);
        assert_eq!(orders["data"][0]["email"], "ada@example.com");
        assert_eq!(orders["data"][0]["address"]["country"], "US");
        assert_eq!(orders["data"][0]["order_id"], joined["order_id"]);
    }

    async fn in_a_rush_the_page_follows_the_answer(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        api.shop.provider.is_rushed.store(true, Ordering::SeqCst);
        let joined = api.join(&slug, wish("a@example.com", "raw", 1)).await.expect(201);
        assert_eq!(joined["checkout_url"], Value::Null);
        assert_eq!(joined["queue_position"], 0);
        api.shop.provider.is_rushed.store(false, Ordering::SeqCst);
        api.shop.advance(chrono::Duration::seconds(30)).await;
        let order = api.get(&order_path(&joined)).anonymous().send().await.expect(200);
        assert!(order["checkout_url"].is_string(), "{order:#}");
        assert_eq!(order["queue_position"], Value::Null);
    }

    async fn every_wrong_field_of_a_wish_is_told_at_its_place(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        let nothing = api.join(&slug, json!({})).await.wrong_fields();
        assert_eq!(nothing, ["address", "email", "lines", "name"]);
        let all_wrong = json!({
            "email": "ada", "name": "a\u{0}b", "delivery": "by_owl", "limit_step": -1, "coupon": "x",
            "address": {"line1": 1, "city": " ", "country": "ZZ", "planet": "Mars"},
            "lines": [
                {"sku": "raw", "quantity": 0}, {"sku": "raw", "quantity": 1.5}, {"sku": "raw", "quantity": -1},
                {"sku": 5, "quantity": 99999999999999999u64}, {"quantity": "two", "size": 1}, 7,
            ],
        });
        assert_eq!(api.join(&slug, all_wrong).await.wrong_fields(), [
            "address.city", "address.country", "address.line1", "address.planet", "coupon", "delivery", "email",
            "limit_step", "lines[0].quantity", "lines[1].quantity", "lines[2].quantity", "lines[3].quantity",
            "lines[3].sku", "lines[4].quantity", "lines[4].size", "lines[4].sku", "lines[5]", "name",
        ]);
        let mut twice = wish("a@example.com", "raw", 1);
        twice["lines"] = json!([{"sku": "raw", "quantity": 1}, {"sku": "raw", "quantity": 2}]);
        assert_eq!(api.join(&slug, twice).await.wrong_fields(), ["lines[1].sku"]);
        assert_eq!(api.join(&slug, wish("a@example.com", "gold", 1)).await.wrong_fields(), ["lines[0].sku"]);
        let mut far = wish("a@example.com", "raw", 1);
        far["address"]["country"] = json!("FR");
        assert_eq!(api.join(&slug, far).await.wrong_fields(), ["address.country"]);
        let mut none = wish("a@example.com", "raw", 1);
        none["lines"] = json!([]);
        assert_eq!(api.join(&slug, none).await.wrong_fields(), ["lines"]);
        let shown = api.get(&format!("/campaigns/{slug}")).send().await.expect(200);
        assert_eq!(shown["options"][0]["available"], 8, "nothing was held");
    }

    async fn caps_and_limits_hold_and_are_told_before_wrong_fields(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        assert_eq!(api.join(&slug, wish("a@example.com", "raw", 9)).await.refused(409), "sold-out");
        api.join(&slug, wish("a@example.com", "raw", 8)).await.expect(201);
        assert_eq!(api.join(&slug, wish("b@example.com", "raw", 1)).await.refused(409), "sold-out");
        let mut wrong = wish("nobody", "raw", 1);
        wrong["address"]["country"] = json!("FR");
        assert_eq!(api.join(&slug, wrong.clone()).await.refused(409), "sold-out");
        wrong["email"] = json!("b@example.com");
        assert_eq!(api.join(&slug, wrong).await.refused(409), "sold-out");
        api.join(&slug, wish("a@example.com", "black", 2)).await.expect(201);
        let more = api.join(&slug, wish("A@example.com", "black", 1)).await;
        assert_eq!(more.refused(409), "limit-per-shopper");
        for wrong in [json!({"delivery": "by_owl"}), json!({"name": ""}), json!({"address": {"country": "FR"}})] {
            let mut more = wish("a@example.com", "black", 1);
            let (field, value) = wrong.as_object().and_then(|all| all.iter().next()).expect("a field");
            more[field] = value.clone();
            assert_eq!(api.join(&slug, more).await.refused(409), "limit-per-shopper", "{field}");
        }
        let mut far = wish("a@example.com", "black", 1);
        far["address"]["country"] = json!("FR");
        assert_eq!(api.join(&slug, far.clone()).await.refused(409), "limit-per-shopper");
        far["email"] = json!("c@example.com");
        assert_eq!(api.join(&slug, far).await.wrong_fields(), ["address.country"]);

        api.shop.advance(chrono::Duration::days(8)).await;
        assert_eq!(api.join(&slug, wish("c@example.com", "black", 1)).await.refused(409), "campaign-closed");
        assert_eq!(api.join(&slug, json!({})).await.refused(409), "campaign-closed");
    }

    async fn a_shopper_leaves_with_all_the_money_back(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        let path = api.buy(&slug, "a@example.com", "raw", 2).await;
        let (id, token) = path.split_once("?t=").expect("a token");
        for wrong in ["", "?t=", "?t=AAAA", "?t=%00"] {
            api.get(&format!("{id}{wrong}")).anonymous().send().await.expect(404);
            api.post(&format!("{id}/cancel{wrong}"), json!({})).anonymous().send().await.expect(404);
        }
        let other = api.buy(&slug, "b@example.com", "raw", 1).await;
        let (other, _) = other.split_once('?').expect("a token");
        api.get(&format!("{other}?t={token}")).send().await.expect(404);
        api.get("/orders/nonsense?t=x").send().await.expect(404);

        let cancel = format!("{id}/cancel?t={token}");
        let left = api.ask(Method::POST, &cancel).anonymous().send().await.expect(200);
        assert_eq!(left["state"], "cancelled");
        let again = api.ask(Method::POST, &cancel).anonymous().send().await.expect(200);
        assert_eq!(again["state"], "cancelled");
        api.shop.work().await;
        let order = api.get(&path).anonymous().send().await.expect(200);
        assert_eq!(order["payment_state"], "refunded");
        assert_eq!(order["totals"], json!({"charged": usd(4500), "refunded": usd(4500), "kept": usd(0)}));
        assert_eq!(api.shop.provider.refund_count(), 1);
    }

    async fn the_merchant_refunds_a_whole_order_with_a_reason(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        let path = api.buy(&slug, "a@example.com", "raw", 2).await;
        let (id, _) = path.split_once('?').expect("a token");
        let refund = format!("{id}/refund");
        assert_eq!(api.post(&refund, json!({})).send().await.wrong_fields(), ["reason"]);
        let (_, stranger) = api.shop.merchant("Stranger").await;
        api.post(&refund, json!({"reason": "Mine"})).key(&stranger).send().await.expect(404);
        let done = api.post(&refund, json!({"reason": "You asked us to."})).send().await.expect(200);
        assert_eq!(done["state"], "cancelled");
        api.shop.work().await;
        let order = api.get(&path).send().await.expect(200);
        assert_eq!(order["totals"]["refunded"], usd(4500));
    }
}
