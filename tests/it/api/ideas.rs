//! A merchant's program runs the votes for what to run next.

use reqwest::Method;
use serde_json::{Value, json};

use super::caller::Api;
use crate::support::database::TestDatabase;

both_databases! {
    async fn ideas_are_written_ended_hidden_and_made_into_campaigns(db: TestDatabase) {
        let api = Api::start(&db).await;
        assert_eq!(api.get("/ideas").send().await.expect(200), json!({"data": [], "next_cursor": null}));
        let wrong = api.post("/ideas", json!({"text": "x".repeat(3000), "titel": "Mug"})).send().await;
        assert_eq!(wrong.wrong_fields(), ["text", "titel", "title"]);
        let mug = json!({"title": "A travel mug", "text": "With a **lid**."});
        let made = api.post("/ideas", mug.clone()).once("k").send().await;
        let place = made.header("location").to_owned();
        let made = made.expect(201);
        assert_eq!(api.post("/ideas", mug).once("k").send().await.expect(201), made);
        assert_eq!((&made["state"], &made["votes"], &made["campaign"]), (&json!("open"), &json!(0), &Value::Null));
        assert!(made["html"].as_str().expect("HTML").contains("<strong>lid</strong>"));
        let one = place.strip_prefix("/api/v1").expect("a place").to_owned();
        assert_eq!(api.get(&one).send().await.expect(200), made);
        let public = "/merchants/mill-lane/ideas";
        assert_eq!(api.get(public).anonymous().send().await.expect(200)["data"], json!([made]));

        let (_, other) = api.shop.merchant("Other").await;
        let edit = async |body: Value| api.ask(Method::PATCH, &one).body(body).send().await;
        api.get(&one).key(&other).send().await.expect(404);
        api.ask(Method::PATCH, &one).body(json!({"title": "Mine"})).key(&other).send().await.expect(404);
        api.get("/ideas/nothing").send().await.expect(404);
        api.get("/ideas").anonymous().send().await.expect(401);
        assert_eq!(api.get("/ideas").key(&other).send().await.expect(200)["data"], json!([]));

        assert_eq!(edit(json!({"state": "running", "title": " "})).await.wrong_fields(), ["state", "title"]);
        let hidden = edit(json!({"state": "hidden", "title": "A mug, 350 ml"})).await.expect(200);
        assert_eq!((&hidden["state"], &hidden["title"], &hidden["text"]), (&json!("hidden"), &json!("A mug, 350 ml"), &made["text"]));
        assert_eq!(api.get(public).anonymous().send().await.expect(200)["data"], json!([]));
        assert_eq!(api.get("/ideas").send().await.expect(200)["data"][0]["state"], "hidden");
        assert_eq!(edit(json!({"state": "ended"})).await.expect(200)["state"], "ended");
        assert_eq!(edit(json!({"state": "open"})).await.expect(200)["state"], "open");

        let campaign = format!("{one}/campaign");
        let none = api.post(&campaign, json!({"slug": "not-there"})).send().await;
        assert_eq!(none.wrong_fields(), ["slug"]);
        let published = api.open(api.pens()).await;
        let late = api.post(&campaign, json!({"slug": published})).send().await;
        assert_eq!(late.refused(409), "already-published");
        let draft = api.post("/campaigns", api.pens()).send().await.expect(201);
        let slug = draft["slug"].as_str().expect("a slug").to_owned();
        let of_it = api.post(&campaign, json!({"slug": slug})).send().await.expect(200);
        assert_eq!((&of_it["campaign"], &of_it["state"]), (&json!(slug), &json!("open")));
        assert_eq!(api.get(public).anonymous().send().await.expect(200)["data"][0]["campaign"], Value::Null, "a draft is nobody's news");
        let second = api.post(&campaign, json!({})).send().await;
        assert_eq!(second.refused(409), "idea-in-use", "a conflict is told first");
        api.ask(Method::POST, &format!("/campaigns/{slug}/publish")).send().await.expect(200);
        let running = api.get(&one).send().await.expect(200);
        assert_eq!(running["state"], "running");
        assert_eq!(edit(json!({"state": "open", "title": 7})).await.refused(409), "wrong-state");
        assert_eq!(edit(json!({"state": "hidden"})).await.expect(200)["state"], "hidden");
    }
}
