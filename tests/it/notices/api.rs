//! Dates by the API: tried, set, refused.

use chrono::Duration;
use serde_json::{Value, json};

use crate::api::caller::Api;
use crate::support::database::TestDatabase;

/// Two paid orders whose supplier's order went out: the batch's address, and an order's.
async fn ordered(api: &Api) -> (String, String) {
    let made = api.post("/suppliers", json!({
        "name": "Steel", "email": "po@steel.example", "lead_time_days": 20, "unit_costs": {"raw": 900}, "currency": "usd",
    })).send().await.expect(201);
    let mut body = api.pens();
    body["supplier_ids"] = json!([made["id"]]);
    let slug = api.open(body).await;
    let order = api.buy(&slug, "a@example.com", "raw", 2).await;
    api.buy(&slug, "b@example.com", "raw", 2).await;
    api.shop.advance(Duration::days(8)).await;
    let batches = api
        .get(&format!("/campaigns/{slug}/batches"))
        .send()
        .await
        .expect(200);
    let id = batches["data"][0]["id"].as_str().expect("an id").to_owned();
    (format!("/batches/{id}/eta"), order)
}

both_databases! {
    async fn a_date_is_tried_then_set_once(db: TestDatabase) {
        let api = Api::start(&db).await;
        let (path, order) = ordered(&api).await;
        let (arrives, ship) = (api.day(48), api.day(50));
        let body = |dry: bool| json!({"arrives": arrives, "reason": "The mill is late.", "dry_run": dry});
        let tried = api.post(&path, body(true)).send().await.expect(200);
        assert_eq!((&tried["id"], &tried["ship_date"]), (&json!(null), &json!(ship)));
        assert_eq!(tried["concerns"], json!({"unshipped": 2, "told": 0, "agrees": 2, "cancels": 0, "unneeded": 0}));
        assert_eq!(tried["silence"]["agreed_until"], json!(ship));
        let before = api.get(&order).send().await.expect(200);
        assert_eq!(before["promise"]["history"].as_array().map(Vec::len), Some(1), "nobody was told");
        let set = api.post(&path, body(false)).once("eta-1").send().await.expect(200);
        assert_eq!((&set["concerns"], &set["silence"]), (&tried["concerns"], &tried["silence"]));
        assert!(set["id"].is_string());
        assert_eq!(api.post(&path, body(false)).once("eta-1").send().await.expect(200), set);
        api.shop.work().await;
        let told = api.get(&order).send().await.expect(200);
        let promise = &told["promise"];
        assert_eq!((&promise["date"], &promise["last_day"]), (&json!(ship), &json!(ship)));
        let last = &promise["history"][1];
        assert_eq!((&last["date"], &last["kind"], &last["silence"], &last["answer"]), (&json!(ship), &json!("first"), &json!("agrees"), &json!(null)));
        let again = api.post(&path, body(true)).send().await.expect(200);
        assert_eq!(again["concerns"]["unneeded"], 2, "the same was said");
        let unknown = api.post(&path, json!({"arrives": null, "ship_date": null, "reason": "Nobody knows.", "dry_run": true}));
        let unknown: Value = unknown.send().await.expect(200);
        assert_eq!((&unknown["concerns"]["cancels"], &unknown["silence"]["answer_by"][0]["last_day"]), (&json!(2), &json!(ship)));
        // Who was asked may leave by the API, too.
        let cancel = order.replacen('?', "/cancel?", 1);
        let left = api.post(&cancel, json!({})).send().await.expect(200);
        assert_eq!(left["state"], "cancelled");
    }

    async fn wrong_dates_say_what_to_write(db: TestDatabase) {
        let api = Api::start(&db).await;
        let (path, _) = ordered(&api).await;
        let reason = "Late.";
        for (body, fields) in [
            (json!({}), vec!["reason"]),
            (json!({"arrives": "soon", "ship_date": 5, "reason": reason}), vec!["arrives", "ship_date"]),
            (json!({"arrives": api.day(-5), "reason": reason}), vec!["arrives"]),
            (json!({"ship_date": api.day(-1), "reason": reason}), vec!["ship_date"]),
            (json!({"arrives": api.day(50), "ship_date": api.day(49), "reason": reason}), vec!["ship_date"]),
            (json!({"ship_date": api.day(50), "reason": " "}), vec!["reason"]),
            (json!({"ship_date": api.day(50), "stop_loss": api.day(60), "reason": reason}), vec!["stop_loss"]),
            (json!({"ship_date": api.day(50), "reason": reason, "why": "x"}), vec!["why"]),
        ] {
            assert_eq!(api.post(&path, body.clone()).send().await.wrong_fields(), fields, "{body}");
        }
        let (_, stranger) = api.shop.merchant("Stranger").await;
        api.post(&path, json!({"reason": reason})).key(&stranger).send().await.expect(404);
    }
}
