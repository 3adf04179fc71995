//! The whole way once, by programs only: supplier, campaign, orders, judgement, purchase order, books.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use super::caller::{Api, usd};
use crate::support::database::TestDatabase;

fn supplier(costs: Value) -> Value {
    json!({
        "name": "Steel & Sons", "email": "orders@steel.example", "minimum_units": 5, "case_pack": 5,
        "lead_time_days": 20, "unit_costs": costs, "currency": "usd",
    })
}

both_databases! {
    async fn suppliers_are_checked_and_listed(db: TestDatabase) {
        let api = Api::start(&db).await;
        let made = api.post("/suppliers", supplier(json!({"raw": 900}))).send().await.expect(201);
        assert!(made["id"].is_string());
        assert_eq!(made["unit_costs"], json!({"raw": 900}));
        assert_eq!(made["capacity_units"], Value::Null);
        let list = api.get("/suppliers?limit=1").send().await.expect(200);
        assert_eq!(list, json!({"data": [made], "next_cursor": null}));
        assert_eq!(api.post("/suppliers", json!({})).send().await.wrong_fields(), [
            "currency", "email", "lead_time_days", "name", "unit_costs",
        ]);
        let wrong = json!({
            "name": "\n", "email": "x", "minimum_units": 0, "capacity_units": -1, "case_pack": "five",
            "lead_time_days": 100_000, "unit_costs": {"raw": -5, "black": 1.5}, "currency": "xxx", "phone": 1,
        });
        assert_eq!(api.post("/suppliers", wrong).send().await.wrong_fields(), [
            "capacity_units", "case_pack", "currency", "email", "lead_time_days", "minimum_units", "name", "phone",
            "unit_costs.black", "unit_costs.raw",
        ]);
    }

    async fn enough_people_paid_and_the_suppliers_order_goes_out(db: TestDatabase) {
        let api = Api::start(&db).await;
        let bare = api.post("/suppliers", supplier(json!({}))).send().await.expect(201);
        let able = api.post("/suppliers", supplier(json!({"raw": 900}))).send().await.expect(201);
        let mut body = api.pens();
        body["supplier_ids"] = json!([bare["id"]]);
        let slug = api.open(body).await;
        let first = api.buy(&slug, "a@example.com", "raw", 2).await;
        api.buy(&slug, "b@example.com", "raw", 2).await;
        let batches = format!("/campaigns/{slug}/batches");
        let before = api.get(&batches).send().await.expect(200);
        assert_eq!((&before["data"][0]["state"], &before["data"][0]["units_paid"]), (&json!("gathering"), &json!(4)));

        api.shop.advance(Duration::days(8)).await;
        let shown = api.get(&format!("/campaigns/{slug}")).anonymous().send().await.expect(200);
        assert_eq!((&shown["state"], &shown["current_step"]), (&json!("collecting"), &json!(1)));
        let batch = api.get(&batches).send().await.expect(200)["data"][0].clone();
        let po = &batch["purchase_orders"][0];
        assert_eq!((&po["state"], &po["number"], &batch["eta"]), (&json!("draft"), &Value::Null, &Value::Null));
        let path = format!("/purchase-orders/{}", po["id"].as_str().expect("an id"));
        let draft = api.get(&path).send().await.expect(200);
        assert_eq!((&draft["blocked"], &draft["supplier_url"]), (&json!("missing_cost"), &Value::Null));

        let send = format!("{path}/send");
        let blocked = api.ask(Method::POST, &send).send().await;
        assert_eq!(blocked.refused(409), "purchase-order-blocked");
        for wrong in [json!("nobody"), json!(5), json!(slug)] {
            let got = api.post(&send, json!({"supplier_id": wrong})).send().await;
            assert_eq!(got.wrong_fields(), ["supplier_id"]);
        }
        let (_, stranger) = api.shop.merchant("Stranger").await;
        api.get(&path).key(&stranger).send().await.expect(404);
        api.ask(Method::POST, &send).key(&stranger).send().await.expect(404);
        let to = json!({"supplier_id": able["id"]});
        let sent = api.post(&send, to.clone()).once("send-1").send().await.expect(200);
        assert_eq!((&sent["state"], &sent["number"], &sent["units"]), (&json!("sent"), &json!(1), &json!(5)));
        assert_eq!(sent["total"], usd(4500));
        assert_eq!(sent["lines"][0]["case_fill"], 1);
        assert!(sent["supplier_url"].as_str().expect("a link").starts_with("https://shop.example/s/"));
        assert_eq!(api.post(&send, to.clone()).once("send-1").send().await.expect(200), sent);
        assert_eq!(api.post(&send, to).send().await.refused(409), "wrong-state");

        api.shop.work().await;
        let order = api.get(&first).anonymous().send().await.expect(200);
        assert_eq!((&order["state"], &order["payment_state"]), (&json!("backordered"), &json!("partly_refunded")));
        assert_eq!(order["totals"], json!({"charged": usd(4500), "refunded": usd(400), "kept": usd(4100)}));
        assert_eq!(order["lines"][0]["unit_price"], usd(2000));
        assert_eq!(order["lines"][0]["final_unit_price"], usd(1800));
        let (id, query) = first.split_once('?').expect("a token");
        let late = api.ask(Method::POST, &format!("{id}/cancel?{query}")).anonymous().send().await;
        assert_eq!(late.refused(409), "order-sent-to-supplier");
        // Staff give it all back also then, with a reason.
        let refund = format!("{id}/refund");
        assert_eq!(api.post(&refund, json!({})).send().await.wrong_fields(), ["reason"]);
        let gone = api.post(&refund, json!({"reason": "Please"})).send().await.expect(200);
        assert_eq!((&gone["state"], &gone["totals"]["kept"]), (&json!("cancelled"), &usd(0)));
    }

    async fn receipts_are_read_by_the_shopper_and_by_the_merchant(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        let order = api.buy(&slug, "a@example.com", "raw", 2).await;
        api.buy(&slug, "b@example.com", "raw", 1).await;
        let shown = api.get(&order).anonymous().send().await.expect(200);
        let own = api.get(&order.replace("?t=", "/receipts?t=")).anonymous().send().await.expect(200);
        let total = &shown["totals"]["charged"];
        assert_eq!((&own["data"][0]["number"], &own["data"][0]["total"]), (&json!("R-00001"), total));
        let wrong = order.replace("?t=", "/receipts?t=x");
        assert_eq!(api.get(&wrong).anonymous().send().await.refused(404), "not-found");
        let all = api.get("/documents?limit=1").send().await.expect(200);
        assert_eq!(all["data"][0]["number"], json!("R-00002"));
        let cursor = all["next_cursor"].as_str().unwrap();
        let rest = api.get(&format!("/documents?cursor={cursor}")).send().await.expect(200);
        assert_eq!(rest, json!({"data": own["data"], "next_cursor": null}));
        api.get("/documents").anonymous().send().await.expect(401);
    }

    async fn the_journal_balances_and_is_read_page_by_page(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        for email in ["a@example.com", "b@example.com"] {
            api.buy(&slug, email, "raw", 1).await;
        }
        let mut entries = 0;
        let mut path = format!("/journal?campaign={slug}&limit=1");
        loop {
            let page = api.get(&path).send().await.expect(200);
            for entry in page["data"].as_array().expect("entries") {
                entries += 1;
                let postings = entry["postings"].as_array().expect("postings");
                let sum: i64 = postings.iter().map(|p| p["amount"]["amount"].as_i64().expect("an amount")).sum();
                assert_eq!(sum, 0, "{entry:#}");
            }
            let Some(cursor) = page["next_cursor"].as_str() else { break };
            path = format!("/journal?campaign={slug}&limit=1&cursor={cursor}");
        }
        assert_eq!(entries, 2);
        assert_eq!(api.get("/journal?campaign=nothing").send().await.refused(404), "not-found");
        let (_, stranger) = api.shop.merchant("Stranger").await;
        api.get(&format!("/journal?campaign={slug}")).key(&stranger).send().await.expect(404);
        let theirs = api.get("/journal").key(&stranger).send().await.expect(200);
        assert_eq!(theirs["data"], json!([]));
    }
}
