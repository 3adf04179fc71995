//! Programs count deliveries and send parcels.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::caller::Api;
use crate::support::database::TestDatabase;

/// Two orders of two and one pens, whose goods are ordered: the batch's path, and the orders' paths.
async fn ordered(api: &Api) -> (String, String, [String; 2]) {
    let supplier = json!({
        "name": "Steel & Sons", "email": "orders@steel.example", "lead_time_days": 20,
        "unit_costs": {"raw": 900, "black": 900}, "currency": "usd",
    });
    let supplier = api.post("/suppliers", supplier).send().await.expect(201);
    let mut body = api.pens();
    body["supplier_ids"] = json!([supplier["id"]]);
    let slug = api.open(body).await;
    let first = api.buy(&slug, "a@example.com", "raw", 2).await;
    let second = api.buy(&slug, "b@example.com", "raw", 2).await;
    api.shop.advance(Duration::days(8)).await;
    api.shop.work().await;
    let batches = api
        .get(&format!("/campaigns/{slug}/batches"))
        .send()
        .await
        .expect(200);
    assert_eq!(batches["data"][0]["state"], "ordered", "{batches:#}");
    let batch = format!("/batches/{}", batches["data"][0]["id"].as_str().unwrap());
    (slug, batch, [first, second])
}

fn id_of(path: &str) -> &str {
    path.split_once('?').unwrap().0.rsplit('/').next().unwrap()
}

both_databases! {
    async fn a_delivery_is_counted_once_and_its_units_go_to_who_paid_first(db: TestDatabase) {
        let api = Api::start(&db).await;
        let (_, batch, [first, second]) = ordered(&api).await;
        let receipts = format!("{batch}/receipts");
        let body = json!({"lines": [{"sku": "raw", "good": 3, "damaged": 0}]});
        let got = api.post(&receipts, body.clone()).once("r1").send().await.expect(201);
        assert_eq!((&got["allocated_units"], &got["allocated_orders"]), (&json!(3), &json!(2)));
        assert_eq!(api.post(&receipts, body).once("r1").send().await.expect(201), got, "the same answer");
        let shown = api.get(&batch).send().await.expect(200);
        assert_eq!(shown["state"], "fulfilling");
        let raw = shown["stock"].as_array().unwrap().iter().find(|s| s["sku"] == "raw").unwrap().clone();
        assert_eq!((&raw["good"], &raw["allocated"], &raw["waiting"]), (&json!(3), &json!(3), &json!(1)));
        assert_eq!(shown["receipts"].as_array().unwrap().len(), 1);
        let one = api.get(&first).anonymous().send().await.expect(200);
        assert_eq!((&one["lines"][0]["allocated"], &one["lines"][0]["state"]), (&json!(2), &json!("allocated")));
        assert!(one["timeline"].as_array().unwrap().iter().any(|t| t["kind"] == "allocated"));
        let two = api.get(&second).anonymous().send().await.expect(200);
        assert_eq!((&two["lines"][0]["allocated"], &two["lines"][0]["state"]), (&json!(1), &json!("backordered")));

        let many = json!({"lines": [{"sku": "raw", "good": 50}]});
        assert_eq!(api.post(&receipts, many).send().await.refused(409), "over-ordered");
        assert_eq!(api.post(&receipts, json!({"lines": [{"sku": "raw", "good": -1}, {"sku": "x", "good": 1}]})).send().await.wrong_fields(),
            ["lines[0].good", "lines[1].sku"]);
        assert_eq!(api.post(&receipts, json!({"lines": 3, "spam": 1})).send().await.wrong_fields(), ["lines", "spam"]);
        let (_, stranger) = api.shop.merchant("Stranger").await;
        api.get(&batch).key(&stranger).send().await.expect(404);
        api.post(&receipts, json!({"lines": []})).key(&stranger).send().await.expect(404);
        api.get("/batches/nonsense").send().await.expect(404);
    }

    async fn parcels_are_recorded_handed_over_and_arrive(db: TestDatabase) {
        let api = Api::start(&db).await;
        let (slug, batch, [first, second]) = ordered(&api).await;
        let order = id_of(&first).to_owned();
        let parcel = |quantity: Value| json!({
            "order_id": order, "lines": [{"sku": "raw", "quantity": quantity}], "carrier": "DHL", "tracking_number": "JD1",
        });
        assert_eq!(api.post("/shipments", parcel(json!(2))).send().await.refused(409), "not-allocated");
        api.post(&format!("{batch}/receipts"), json!({"lines": [{"sku": "raw", "good": 4}]})).send().await.expect(201);
        assert_eq!(api.post("/shipments", parcel(json!(0))).send().await.wrong_fields(), ["lines[0].quantity"]);
        assert_eq!(api.post("/shipments", json!({"order_id": "x", "lines": []})).send().await.wrong_fields(), ["order_id"]);
        assert_eq!(api.post("/shipments", json!({})).send().await.wrong_fields(), ["lines", "order_id"]);
        let mut wrong = parcel(json!(2));
        wrong["handed_over_at"] = json!("soon");
        assert_eq!(api.post("/shipments", wrong).send().await.wrong_fields(), ["handed_over_at"]);
        assert_eq!(api.post("/shipments", parcel(json!(1))).send().await.refused(409), "one-parcel");

        let mut packed = parcel(json!(2));
        packed["handed_over_at"] = Value::Null;
        let packed = api.post("/shipments", packed).once("s1").send().await.expect(201);
        assert_eq!((&packed["state"], &packed["handed_over_at"]), (&json!("picked"), &Value::Null));
        let path = format!("/shipments/{}", packed["id"].as_str().unwrap());
        assert_eq!(api.ask(Method::POST, &format!("{path}/delivered")).send().await.refused(409), "wrong-state");
        let sent = api.ask(Method::POST, &format!("{path}/handover")).send().await.expect(200);
        assert_eq!((&sent["state"], &sent["carrier"]), (&json!("handed_over"), &json!("DHL")));
        assert!(sent["tracking_url"].as_str().unwrap().contains("JD1"));
        let shown = api.get(&first).anonymous().send().await.expect(200);
        assert_eq!((&shown["state"], &shown["lines"][0]["shipped"]), (&json!("shipped"), &json!(2)));
        let there = api.ask(Method::POST, &format!("{path}/delivered")).send().await.expect(200);
        assert_eq!((&there["state"], &there["delivered_by"]), (&json!("delivered"), &json!("staff")));
        assert_eq!(api.get(&first).anonymous().send().await.expect(200)["state"], "delivered");

        let other = json!({"order_id": id_of(&second), "lines": [{"sku": "raw", "quantity": 2}], "carrier": "DHL", "tracking_number": "JD2"});
        let now = api.post("/shipments", other).send().await.expect(201);
        assert_eq!(now["state"], "handed_over");
        let list = api.get(&format!("/campaigns/{slug}/shipments?limit=1")).send().await.expect(200);
        assert_eq!((list["data"][0]["id"].clone(), list["next_cursor"].is_string()), (packed["id"].clone(), true));
        let (_, stranger) = api.shop.merchant("Stranger").await;
        api.post("/shipments", parcel(json!(2))).key(&stranger).send().await.expect(404);
        api.ask(Method::POST, &format!("{path}/handover")).key(&stranger).send().await.expect(404);
    }

    async fn units_are_declared_short(db: TestDatabase) {
        let api = Api::start(&db).await;
        let (_, batch, [_, second]) = ordered(&api).await;
        let short = format!("{batch}/short");
        assert_eq!(api.post(&short, json!({"lines": [{"sku": "raw", "quantity": 99}]})).send().await.wrong_fields(), ["lines[0].quantity"]);
        assert_eq!(api.post(&short, json!({})).send().await.wrong_fields(), ["lines"]);
        let got = api.post(&short, json!({"lines": [{"sku": "raw", "quantity": 2}]})).once("d1").send().await.expect(200);
        assert_eq!(got["lines"], json!([{"sku": "raw", "quantity": 2, "refunded_units": 2}]));
        api.shop.work().await;
        let order = api.get(&second).anonymous().send().await.expect(200);
        assert_eq!((&order["state"], &order["payment_state"]), (&json!("cancelled"), &json!("refunded")));
    }
}
