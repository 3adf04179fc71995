//! Purchase orders by the API: sent with added units or split, replaced, read with versions and dates.

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::caller::Api;
use crate::support::database::TestDatabase;

async fn supplier(api: &Api, name: &str, minimum: Value) -> Value {
    let body = json!({
        "name": name, "email": format!("po@{}.example", name.to_lowercase()), "minimum_units": minimum,
        "lead_time_days": 20, "unit_costs": {"raw": 900}, "currency": "usd",
    });
    let made = api.post("/suppliers", body).send().await.expect(201);
    made["id"].clone()
}

/// Four paid units; the path of the purchase order.
async fn ordered(api: &Api, suppliers: &[&Value]) -> (String, String) {
    let mut body = api.pens();
    body["supplier_ids"] = json!(suppliers);
    let slug = api.open(body).await;
    api.buy(&slug, "a@example.com", "raw", 2).await;
    api.buy(&slug, "b@example.com", "raw", 2).await;
    api.shop.advance(Duration::days(8)).await;
    let path = format!("/campaigns/{slug}/batches");
    let batches = api.get(&path).send().await.expect(200);
    let id = batches["data"][0]["purchase_orders"][0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    (path, format!("/purchase-orders/{id}"))
}

both_databases! {
    async fn a_purchase_order_is_replaced_by_the_next_supplier(db: TestDatabase) {
        let api = Api::start(&db).await;
        let (first, second) = (supplier(&api, "Steel", json!(null)).await, supplier(&api, "Brass", json!(null)).await);
        let (batches, old) = ordered(&api, &[&first, &second]).await;
        let replace = format!("{old}/replace");
        assert_eq!(api.post(&replace, json!({})).send().await.wrong_fields(), ["reason"]);
        let wrong = json!({"supplier_id": "nobody", "added_units": "2", "split": 5, "reason": 1, "why": "x"});
        assert_eq!(api.post(&replace, wrong).send().await.wrong_fields(), [
            "added_units", "reason", "split", "supplier_id", "why",
        ]);
        let lost = json!({"supplier_id": uuid::Uuid::now_v7(), "reason": "x"});
        assert_eq!(api.post(&replace, lost).send().await.wrong_fields(), ["supplier_id"]);
        let (_, stranger) = api.shop.merchant("Stranger").await;
        api.post(&replace, json!({"reason": "x"})).key(&stranger).send().await.expect(404);

        let body = json!({"reason": "They are too slow."});
        let new = api.post(&replace, body.clone()).once("replace-1").send().await.expect(200);
        assert_eq!((&new["number"], &new["version"], &new["state"]), (&json!(2), &json!(1), &json!("sent")));
        assert_eq!((&new["supplier_id"], &new["units"]), (&second, &json!(4)));
        assert_eq!(json!(old), json!(format!("/purchase-orders/{}", new["replaces"].as_str().expect("an id"))));
        assert_eq!(api.post(&replace, body).once("replace-1").send().await.expect(200), new);
        let gone = api.get(&old).send().await.expect(200);
        assert_eq!((&gone["state"], &gone["withdrawal_reason"]), (&json!("replaced"), &json!("They are too slow.")));
        let late = api.post(&replace, json!({"nonsense": 1})).send().await;
        assert_eq!(late.refused(409), "wrong-state", "a conflict is told before a wrong field");

        let path = format!("/purchase-orders/{}", new["id"].as_str().expect("an id"));
        let same = json!({"supplier_id": second, "added_units": 3, "reason": "Some more."});
        let next = api.post(&format!("{path}/replace"), same).send().await.expect(200);
        assert_eq!((&next["number"], &next["version"], &next["units"]), (&json!(2), &json!(2), &json!(7)));
        assert_eq!(next["lines"][0]["added"], 3);
        let versions: Vec<_> = next["versions"].as_array().expect("versions").iter().map(|v| v["state"].clone()).collect();
        assert_eq!(versions, ["replaced", "sent"]);
        let batch = api.get(&batches).send().await.expect(200)["data"][0].clone();
        assert_eq!((&batch["state"], batch["purchase_orders"].as_array().map(Vec::len)), (&json!("ordered"), Some(3)));
    }

    async fn a_blocked_purchase_order_is_sent_with_more_or_by_two(db: TestDatabase) {
        let api = Api::start(&db).await;
        let (first, second) = (supplier(&api, "Steel", json!(6)).await, supplier(&api, "Brass", json!(null)).await);
        let (batches, draft) = ordered(&api, &[&first]).await;
        let send = format!("{draft}/send");
        assert_eq!(api.ask(Method::POST, &send).send().await.refused(409), "purchase-order-blocked");
        for (body, field) in [
            (json!({"added_units": -1}), "added_units"),
            (json!({"split": {"supplier_id": second}}), "split.units"),
            (json!({"split": {"units": {"raw": 1}}}), "split.supplier_id"),
            (json!({"split": {"supplier_id": second, "units": {"raw": 5}}}), "split.units.raw"),
            (json!({"split": {"supplier_id": second, "units": {"raw": "one"}}}), "split.units.raw"),
            (json!({"split": {"supplier_id": first, "units": {"raw": 1}}}), "split.supplier_id"),
        ] {
            assert_eq!(api.post(&send, body).send().await.wrong_fields(), [field]);
        }
        let few = api.post(&send, json!({"added_units": 1})).send().await;
        assert_eq!(few.refused(409), "purchase-order-blocked");
        assert_eq!(api.get(&draft).send().await.expect(200)["added_units"], 0, "refused: nothing is kept");
        let both = json!({"added_units": 3, "split": {"supplier_id": second, "units": {"raw": 1}}});
        let sent = api.post(&send, both).send().await.expect(200);
        assert_eq!((&sent["state"], &sent["units_paid"], &sent["units"]), (&json!("sent"), &json!(3), &json!(6)));
        let batch = api.get(&batches).send().await.expect(200)["data"][0].clone();
        let orders = batch["purchase_orders"].as_array().expect("orders");
        assert_eq!((orders.len(), &orders[1]["number"], &orders[1]["units"]), (2, &json!(2), &json!(1)));
        let read = api.get(&format!("/purchase-orders/{}", orders[1]["id"].as_str().expect("an id"))).send().await.expect(200);
        assert_eq!((&read["dates"], &read["replaces"]), (&json!([]), &Value::Null));
    }
}
