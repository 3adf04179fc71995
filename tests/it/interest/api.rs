//! The interest check through the API: each answer is checked against the served description.

use reqwest::Method;
use serde_json::{Value, json};

use crate::api::caller::{Api, usd, wish};
use crate::support::database::TestDatabase;

/// Pens that are asked for first.
async fn asking(api: &Api) -> String {
    let mut body = api.pens();
    body["interest"] = json!(true);
    let made = api.post("/campaigns", body).send().await.expect(201);
    let slug = made["slug"].as_str().unwrap().to_owned();
    let path = format!("/campaigns/{slug}/publish");
    let asks = api.ask(Method::POST, &path).send().await.expect(200);
    assert_eq!(
        (&asks["state"], &asks["opens_at"]),
        (&json!("interest"), &Value::Null)
    );
    slug
}

fn said(email: &str, up_to: Value) -> Value {
    json!({"email": email, "lines": [{"sku": "raw", "quantity": 2, "up_to": up_to}]})
}

both_databases! {
    async fn a_program_answers_and_its_merchant_reads_the_curve(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = asking(&api).await;
        let path = format!("/campaigns/{slug}/interest");
        let taken = api.post(&path, said(" Ada@Example.com ", usd(1800))).anonymous().send().await.expect(201);
        assert_eq!(taken, json!({"slug": slug, "email": "ada@example.com",
            "lines": [{"sku": "raw", "quantity": 2, "up_to": usd(1800)}]}));
        // Whole minor units do as well; whether an address is known shows nowhere.
        let other = api.post(&path, said("ada@example.com", json!(900))).anonymous().send().await.expect(201);
        assert_eq!(other["lines"][0]["up_to"], usd(900));
        api.post(&path, said("bo@example.com", json!(2000))).anonymous().once("k1").send().await.expect(201);
        let again = api.post(&path, said("bo@example.com", json!(2000))).anonymous().once("k1").send().await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        let public = api.get(&format!("/campaigns/{slug}")).anonymous().send().await.expect(200);
        assert_eq!(public["state"], "interest");

        api.get(&path).anonymous().send().await.expect(401);
        let (_, stranger) = api.shop.merchant("Stranger").await;
        api.get(&path).key(&stranger).send().await.expect(404);
        let list = api.get(&format!("{path}?limit=1")).send().await.expect(200);
        assert_eq!(list["data"][0]["email"], "ada@example.com");
        assert_eq!(list["data"][0]["lines"], json!([{"sku": "raw", "quantity": 2, "up_to": usd(1800)}]));
        let cursor = list["next_cursor"].as_str().expect("there is another");
        let next = api.get(&format!("{path}?limit=1&cursor={cursor}")).send().await.expect(200);
        assert_eq!((&next["data"][0]["email"], &next["next_cursor"]), (&json!("bo@example.com"), &Value::Null));
        let curve = &list["curve"];
        assert_eq!((&curve["answers"], &curve["units"]), (&json!(2), &json!(4)));
        assert_eq!(curve["points"], json!([{"price": usd(1800), "units": 4}, {"price": usd(2000), "units": 2}]));
        assert_eq!(curve["options"][1], json!({"sku": "black", "points": []}));
        assert_eq!(curve["steps"][1],
            json!({"from": 3, "units": 4, "reached": true, "goods_value": usd(7200), "threshold_met": true}));
    }

    async fn what_is_wrong_is_named_and_a_conflict_comes_first(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = asking(&api).await;
        let path = format!("/campaigns/{slug}/interest");
        let wrong = |body: Value| api.post(&path, body).anonymous().send();
        assert_eq!(wrong(json!({})).await.wrong_fields(), ["email", "lines"]);
        assert_eq!(wrong(json!({"email": "a@example.com", "lines": []})).await.wrong_fields(), ["lines"]);
        for (line, field) in [
            (json!({"sku": "raw", "quantity": 0, "up_to": 1800}), "quantity"),
            (json!({"sku": "black", "quantity": 3, "up_to": 1800}), "quantity"),
            (json!({"sku": "none", "quantity": 1, "up_to": 1800}), "sku"),
            (json!({"sku": "raw", "quantity": 1}), "up_to"),
            (json!({"sku": "raw", "quantity": 1, "up_to": 0}), "up_to"),
            (json!({"sku": "raw", "quantity": 1, "up_to": -4}), "up_to"),
            (json!({"sku": "raw", "quantity": 1, "up_to": "4"}), "up_to"),
            (json!({"sku": "raw", "quantity": 1, "up_to": {"amount": 4, "currency": "eur"}}), "up_to.currency"),
            (json!({"sku": "raw", "quantity": 1, "up_to": 4, "limit": 1}), "limit"),
        ] {
            let body = json!({"email": "a@example.com", "lines": [line]});
            assert_eq!(wrong(body).await.wrong_fields(), [format!("lines[0].{field}")]);
        }
        let twice = json!({"sku": "raw", "quantity": 1, "up_to": 1800});
        let body = json!({"email": "a@example.com", "lines": [twice.clone(), twice]});
        assert_eq!(wrong(body).await.wrong_fields(), ["lines[1].sku"]);
        assert_eq!(api.join(&slug, wish("a@example.com", "raw", 1)).await.refused(409), "campaign-closed");
        let open = api.open(api.pens()).await;
        let path = format!("/campaigns/{open}/interest");
        assert_eq!(api.post(&path, json!({})).anonymous().send().await.refused(409), "interest-closed");
        api.post("/campaigns/nothing/interest", said("a@example.com", json!(1))).anonymous().send().await.expect(404);
    }

    async fn publishing_once_more_opens_or_announces_it(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = asking(&api).await;
        let publish = format!("/campaigns/{slug}/publish");
        let place = format!("/campaigns/{slug}");
        let at = api.in_days(2);
        api.ask(Method::PATCH, &place).body(json!({"opens_at": at})).send().await.expect(200);
        let later = api.ask(Method::POST, &publish).send().await.expect(200);
        assert_eq!((&later["state"], &later["opens_at"]), (&json!("scheduled"), &json!(at)));
        assert_eq!(api.ask(Method::POST, &publish).send().await.refused(409), "already-published");

        let mut body = api.pens();
        body["title"] = json!("Second pens");
        body["interest"] = json!(true);
        let made = api.post("/campaigns", body).send().await.expect(201);
        let publish = format!("/campaigns/{}/publish", made["slug"].as_str().unwrap());
        api.ask(Method::POST, &publish).send().await.expect(200);
        let open = api.ask(Method::POST, &publish).send().await.expect(200);
        assert_eq!(open["state"], "open");
    }
}
