//! Campaigns: drafts, publishing, changing, ending.

use reqwest::Method;
use serde_json::{Value, json};

use super::caller::{Api, wish};
use crate::support::database::TestDatabase;

both_databases! {
    async fn a_draft_is_its_merchants_own_until_it_is_published(db: TestDatabase) {
        let api = Api::start(&db).await;
        let got = api.post("/campaigns", api.pens()).send().await;
        assert_eq!(got.header("location"), "/api/v1/campaigns/titanium-pens");
        let made = got.expect(201);
        assert_eq!(made["slug"], "titanium-pens");
        assert_eq!(made["state"], "draft");
        assert_eq!(made["opens_at"], Value::Null);
        let path = "/campaigns/titanium-pens";
        assert_eq!(api.get(path).send().await.expect(200)["state"], "draft");
        assert_eq!(api.get(path).anonymous().send().await.refused(404), "not-found");
        let (_, stranger) = api.shop.merchant("Stranger").await;
        api.get(path).key(&stranger).send().await.expect(404);
        api.post("/campaigns/titanium-pens/publish", json!({})).key(&stranger).send().await.expect(404);
        let list = api.get("/campaigns").send().await.expect(200);
        assert_eq!(list, json!({"data": [], "next_cursor": null}));
        assert_eq!(api.join("titanium-pens", wish("a@example.com", "raw", 1)).await.refused(404), "not-found");

        let open = api.ask(Method::POST, "/campaigns/titanium-pens/publish").send().await.expect(200);
        assert_eq!(open["state"], "open");
        let again = api.ask(Method::POST, "/campaigns/titanium-pens/publish").send().await;
        assert_eq!(again.refused(409), "already-published");
        let shown = api.get(path).anonymous().send().await.expect(200);
        assert_eq!(shown["threshold"], json!({"kind": "units", "target": 3, "collected": 0, "committed": 0}));
        assert_eq!(shown["steps"], json!([1, 3, 5]));
        assert_eq!(shown["current_step"], 0);
        assert_eq!(shown["time_zone"], "UTC");
        assert_eq!(shown["options"][0], json!({
            "sku": "raw", "name": "Raw", "prices": [2000, 1800, 1500], "minimum": null, "cap": 8,
            "per_shopper": null, "available": 8, "waiting": 0, "committed": 0, "made_to_order": false,
        }));
    }

    async fn the_list_is_read_page_by_page(db: TestDatabase) {
        let api = Api::start(&db).await;
        for title in ["First", "Second", "Third"] {
            let mut body = api.pens();
            body["title"] = json!(title);
            api.open(body).await;
        }
        let slugs = |page: &Value| -> Vec<String> {
            let data = page["data"].as_array().expect("data");
            data.iter().map(|c| c["slug"].as_str().expect("a slug").to_owned()).collect()
        };
        let first = api.get("/campaigns?limit=2").anonymous().send().await.expect(200);
        assert_eq!(slugs(&first), ["third", "second"]);
        let cursor = first["next_cursor"].as_str().expect("a cursor");
        let next = api.get(&format!("/campaigns?limit=2&cursor={cursor}")).send().await.expect(200);
        assert_eq!(slugs(&next), ["first"]);
        assert_eq!(next["next_cursor"], Value::Null);
        for wrong in ["limit=0", "limit=101", "limit=many", "cursor=here"] {
            let name = wrong.split('=').next().expect("a name");
            assert_eq!(api.get(&format!("/campaigns?{wrong}")).send().await.wrong_fields(), [name]);
        }
    }

    async fn everything_wrong_with_a_campaign_is_told_at_once(db: TestDatabase) {
        let api = Api::start(&db).await;
        let mut body = api.pens();
        body["title"] = json!(7);
        body["currency"] = json!("doubloons");
        body["threshold"] = json!({"kind": "units", "target": 0, "soon": true});
        body["steps"] = json!([1, 3.5, 5]);
        body["options"][1]["prices"] = json!([1, 2, 3]);
        body["options"][1]["cap"] = json!("many");
        body["payment_mode"] = json!("deposit");
        body["colour"] = json!("blue");
        let fields = api.post("/campaigns", body).send().await.wrong_fields();
        for field in ["title", "currency", "threshold.soon", "steps[1]", "options[1].cap", "deposit_percent", "colour"] {
            assert!(fields.iter().any(|f| f == field), "{field} in {fields:?}");
        }
        let mut past = api.pens();
        past["deadline"] = json!("2020-01-01T00:00:00Z");
        assert_eq!(api.post("/campaigns", past).send().await.wrong_fields(), ["deadline"]);
        assert_eq!(api.post("/campaigns", json!([])).send().await.expect(422)["errors"][0]["message"], "write a JSON object");
        let mut foreign = api.pens();
        foreign["supplier_ids"] = json!(["0190a8c0-0000-7000-8000-000000000000"]);
        assert_eq!(api.post("/campaigns", foreign).send().await.wrong_fields(), ["supplier_ids[0]"]);
    }

    async fn a_patch_changes_what_it_names_and_nothing_that_is_locked(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        let path = format!("/campaigns/{slug}");
        let patch = |body: Value| api.ask(Method::PATCH, &path).body(body);
        let changed = patch(json!({"title": "Pens of titanium"})).send().await.expect(200);
        assert_eq!(changed["title"], "Pens of titanium");
        assert_eq!(changed["slug"], slug.as_str());
        assert_eq!(changed["steps"], json!([1, 3, 5]));
        patch(json!({"threshold": {"target": 4}})).send().await.expect(200);
        assert_eq!(patch(json!({"deadline": null})).send().await.wrong_fields(), ["deadline"]);
        assert_eq!(patch(json!({"steps": "few"})).send().await.wrong_fields(), ["steps"]);

        api.join(&slug, wish("a@example.com", "raw", 1)).await.expect(201);
        let raised = json!({"threshold": {"target": 6}});
        assert_eq!(patch(raised).send().await.refused(409), "locked");
        let raised_and_wrong = json!({"threshold": {"target": 6}, "title": "", "colour": 1});
        assert_eq!(patch(raised_and_wrong).send().await.refused(409), "locked");
        patch(json!({"description": "More words."})).send().await.expect(200);

        api.post(&format!("{path}/cancel"), json!({"reason": "No steel."})).send().await.expect(200);
        assert_eq!(patch(json!({"title": 3})).send().await.refused(409), "campaign-ended");
    }

    async fn an_option_has_a_minimum_which_is_not_raised_after_the_first_order(db: TestDatabase) {
        let api = Api::start(&db).await;
        let mut pens = api.pens();
        pens["options"][0]["minimum"] = json!(9);
        let above_the_cap = api.post("/campaigns", pens.clone()).send().await;
        assert_eq!(above_the_cap.wrong_fields(), ["options[0].minimum"]);
        pens["options"][0]["minimum"] = json!(5);
        let options = |minimum: Value| {
            let mut options = pens["options"].clone();
            options[0]["minimum"] = minimum;
            json!({"options": options})
        };
        let slug = api.open(pens.clone()).await;
        let path = format!("/campaigns/{slug}");
        let patch = |body: Value| api.ask(Method::PATCH, &path).body(body);
        let shown = patch(options(json!(6))).send().await.expect(200);
        assert_eq!(shown["options"][0]["minimum"], 6);
        api.join(&slug, wish("a@example.com", "raw", 1)).await.expect(201);
        assert_eq!(patch(options(json!(7))).send().await.refused(409), "locked");
        let shown = patch(options(Value::Null)).send().await.expect(200);
        assert_eq!(shown["options"][0]["minimum"], Value::Null);
    }

    async fn a_deadline_moves_once_and_a_state_is_told_before_a_field(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        let path = format!("/campaigns/{slug}/extend");
        assert_eq!(api.post(&path, json!({"deadline": "soon"})).send().await.wrong_fields(), ["deadline"]);
        assert_eq!(api.post(&path, json!({})).send().await.wrong_fields(), ["deadline"]);
        assert_eq!(api.post(&path, json!({"deadline": api.in_days(1)})).send().await.wrong_fields(), ["deadline"]);
        let moved = api.post(&path, json!({"deadline": api.in_days(9), "promised_ship_date": api.day(45)}));
        let moved = moved.send().await.expect(200);
        assert_eq!(moved["deadline"], api.in_days(9));
        assert_eq!(moved["promised_ship_date"], api.day(45));
        let again = api.post(&path, json!({"deadline": api.in_days(10)})).send().await;
        assert_eq!(again.refused(409), "already-extended");
        assert_eq!(api.post(&path, json!({"deadline": 3})).send().await.refused(409), "already-extended");
    }

    async fn closing_needs_the_threshold_and_cancelling_a_reason(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        let close = format!("/campaigns/{slug}/close");
        assert_eq!(api.post(&close, json!({})).send().await.refused(409), "threshold-not-reached");
        // A conflict is told before what is wrong with the body.
        assert_eq!(api.post(&close, json!({"now": true})).send().await.refused(409), "threshold-not-reached");
        let cancel = format!("/campaigns/{slug}/cancel");
        for wrong in [json!({}), json!({"reason": " "}), json!({"reason": 1})] {
            assert_eq!(api.post(&cancel, wrong).send().await.wrong_fields(), ["reason"]);
        }
        let order = api.buy(&slug, "a@example.com", "raw", 1).await;
        let ended = api.post(&cancel, json!({"reason": "The mill closed."})).send().await.expect(200);
        assert_eq!(ended["state"], "failed");
        api.shop.work().await;
        let order = api.get(&order).anonymous().send().await.expect(200);
        assert_eq!((&order["state"], &order["payment_state"]), (&json!("cancelled"), &json!("refunded")));
        assert_eq!(order["totals"]["kept"]["amount"], 0);
        assert_eq!(api.post(&cancel, json!({})).send().await.refused(409), "campaign-ended");
    }
}
