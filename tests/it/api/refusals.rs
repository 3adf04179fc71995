//! How calls are refused before a workflow sees them, and the description itself.

use muster::domain::draft::CampaignInput;
use reqwest::Method;
use serde_json::{Value, json};

use super::caller::Api;
use crate::support::database::TestDatabase;

both_databases! {
    async fn each_kind_of_bad_call_has_its_status(db: TestDatabase) {
        let api = Api::start(&db).await;
        let bearer = format!("Bearer {}", api.key);
        let auth = ("Authorization", bearer.as_str());
        let json_type = ("Content-Type", "application/json");
        let post = |headers: Vec<(&'static str, String)>, body: String| {
            let api = &api;
            async move {
                let headers: Vec<(&str, &str)> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
                api.raw(Method::POST, "/api/v1/campaigns", &headers, body).await
            }
        };
        let own = |pair: (&'static str, &str)| (pair.0, pair.1.to_owned());
        let good = || vec![own(auth), own(json_type)];
        assert_eq!(post(good(), "{\"title\": ".into()).await.refused(400), "malformed-json");
        assert_eq!(post(good(), String::new()).await.refused(400), "malformed-json");
        assert_eq!(post(good(), "[".repeat(5000)).await.refused(400), "malformed-json");
        assert_eq!(post(good(), "{\"title\": 1e999}".into()).await.refused(400), "malformed-json");
        assert_eq!(post(vec![own(auth)], "{}".into()).await.refused(415), "not-json");
        let form = ("Content-Type", "application/x-www-form-urlencoded".to_owned());
        assert_eq!(post(vec![own(auth), form], "title=x".into()).await.refused(415), "not-json");
        let large = format!("{{\"title\": \"{}\"}}", "x".repeat(600_000));
        assert_eq!(post(good(), large).await.refused(413), "too-large");

        for scheme in ["Bearer nonsense", "Bearer ", "Basic YTpi", "mk_"] {
            let got = api.raw(Method::GET, "/api/v1/suppliers", &[("Authorization", scheme)], "").await;
            assert_eq!(got.header("www-authenticate"), "Bearer");
            assert_eq!(got.refused(401), "unauthorized");
        }
        assert_eq!(api.get("/suppliers").anonymous().send().await.refused(401), "unauthorized");
        assert_eq!(api.get("/campaigns/x").key("mk_nobody").send().await.refused(401), "unauthorized");

        assert_eq!(api.get("/nowhere").send().await.refused(404), "not-found");
        assert_eq!(api.get("/campaigns/%00").send().await.refused(404), "not-found");
        assert_eq!(api.get("/campaigns/No Such%2F..").send().await.refused(404), "not-found");
        assert_eq!(api.raw(Method::GET, "/api/nowhere", &[], "").await.refused(404), "not-found");
        let wrong = api.ask(Method::DELETE, "/campaigns").send().await;
        assert_eq!(wrong.header("allow"), "GET, HEAD, POST");
        assert_eq!(wrong.refused(405), "method-not-allowed");
        assert_eq!(api.ask(Method::PUT, "/orders/x/cancel").send().await.refused(405), "method-not-allowed");
        let head = api.raw(Method::HEAD, "/api/v1/campaigns", &[], "").await;
        assert_eq!((head.status, head.body), (200, json!("")));
    }

    async fn the_description_is_whole_and_the_page_shows_it(db: TestDatabase) {
        let api = Api::start(&db).await;
        let document = api.document();
        assert!(document["openapi"].as_str().expect("a version").starts_with("3.1"));
        assert_eq!(document["components"]["securitySchemes"]["key"]["scheme"], "bearer");
        // Every reference leads somewhere, and every schema is one.
        let schemas = document["components"]["schemas"].as_object().expect("schemas");
        let text = document.to_string();
        for (at, _) in text.match_indices("#/components/schemas/") {
            let name: String = text[at + 21..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            assert!(schemas.contains_key(&name), "{name}");
        }
        for name in schemas.keys() {
            jsonschema::options()
                .with_draft(jsonschema::Draft::Draft202012)
                .build(&json!({"$ref": format!("#/components/schemas/{name}"), "components": document["components"]}))
                .expect("a schema");
        }
        // What the domain reads is what is described.
        let read = serde_json::to_value(CampaignInput::default()).expect("JSON");
        let names = |object: &Value| -> Vec<String> {
            let mut names: Vec<String> = object.as_object().expect("an object").keys().cloned().collect();
            names.sort();
            names
        };
        for body in ["CampaignBody", "CampaignPatch"] {
            assert_eq!(names(&schemas[body]["properties"]), names(&read), "{body}");
        }
        let mut operations = 0;
        let page = api.raw(Method::GET, "/api/docs", &[], "").await;
        let Value::String(page) = page.body else { panic!("a page") };
        for (path, methods) in document["paths"].as_object().expect("paths") {
            for (method, operation) in methods.as_object().expect("methods") {
                operations += 1;
                let heading = format!("{} /api/v1{path}", method.to_uppercase());
                assert!(page.contains(&heading), "{heading}");
                assert!(operation["operationId"].is_string() && operation["summary"].is_string());
                for name in path.split('{').skip(1).filter_map(|part| part.split('}').next()) {
                    let all = operation["parameters"].as_array().expect("parameters");
                    assert!(all.iter().any(|p| p["name"] == name && p["in"] == "path"), "{name} of {path}");
                }
            }
        }
        assert_eq!(operations, 55);
        assert!(!page.contains("<script"));
    }
}
