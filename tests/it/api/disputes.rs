//! A merchant's program reads disputes with what is known of their orders, and answers them.

use muster::domain::currency::Currency;
use muster::store::orders;
use muster::workflows::desk::Problem;
use muster::workflows::dispute;
use muster::workflows::ports::ProviderDispute;
use serde_json::{Value, json};

use super::caller::{Api, usd};
use crate::support::database::TestDatabase;

/// A paid order, and the bank takes its money back; the dispute's id.
async fn disputed(api: &Api, slug: &str, email: &str) -> String {
    let path = api.buy(slug, email, "raw", 1).await;
    let order = path["/orders/".len()..]
        .split('?')
        .next()
        .expect("an id")
        .parse()
        .expect("an id");
    let due_by = api.shop.office.now() + chrono::Duration::days(7);
    let id = format!("dp_{}", email.split('@').next().expect("a name"));
    let said = id.clone();
    api.shop
        .office
        .write(move |desk, tx| -> Result<(), Problem> {
            let page = orders::payments_of(tx.conn, order)?.remove(0);
            let said = ProviderDispute {
                id: said.clone(),
                intent: page.intent_id,
                amount: 2500,
                currency: Currency::USD,
                withdrawn: true,
                status: "needs_response".into(),
                reason: "fraudulent".into(),
                tag: None,
                due_by: Some(due_by),
                has_evidence: false,
                submissions: 0,
            };
            dispute::heard(desk, tx, &said).map(drop)
        })
        .await
        .expect("it is heard");
    id
}

both_databases! {
    async fn disputes_are_listed_read_and_answered(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        assert_eq!(api.get("/disputes").send().await.expect(200)["data"], json!([]));
        for email in ["ada@example.com", "bo@example.com", "cy@example.com"] {
            disputed(&api, &slug, email).await;
            api.shop.clock.advance(chrono::Duration::minutes(1));
        }
        let first = api.get("/disputes?limit=2").send().await.expect(200);
        let ids = |page: &Value| -> Vec<String> {
            let all = page["data"].as_array().expect("a list").iter();
            all.map(|d| d["id"].as_str().expect("an id").to_owned()).collect()
        };
        assert_eq!(ids(&first), ["dp_cy", "dp_bo"]);
        let cursor = first["next_cursor"].as_str().expect("more");
        let rest = api.get(&format!("/disputes?limit=2&cursor={cursor}")).send().await.expect(200);
        assert_eq!((ids(&rest), &rest["next_cursor"]), (vec!["dp_ada".to_owned()], &Value::Null));
        assert_eq!(api.get("/disputes?cursor=a%20b&limit=0").send().await.wrong_fields(), ["cursor", "limit"]);

        let one = api.get("/disputes/dp_ada").send().await.expect(200);
        let about = &one["dispute"];
        assert_eq!((&about["state"], &about["amount"], &about["reason"]), (&json!("open"), &usd(2500), &json!("fraudulent")));
        assert!(about["answer_before"].is_string());
        assert_eq!((&one["not_answerable"], &one["answers"]), (&Value::Null, &json!([])));
        let agreed = one["evidence"].as_array().expect("parts").iter();
        let agreed: Vec<&Value> = agreed.filter(|part| part["title"] == "What was agreed").collect();
        assert!(!agreed.is_empty() && !agreed[0]["lines"].as_array().expect("lines").is_empty(), "{one:#}");

        // Another's, or none.
        let (_, other) = api.shop.merchant("Other").await;
        let send = "/disputes/dp_ada/evidence";
        for path in ["/disputes/dp_ada", "/disputes/dp_nobody", "/disputes/a%20b"] {
            api.get(path).key(&other).send().await.expect(404);
        }
        api.post(send, json!({})).key(&other).send().await.expect(404);
        api.post(send, json!({})).anonymous().send().await.expect(401);

        let long = api.post(send, json!({"note": "x".repeat(6000), "submit": "yes", "more": 1})).send().await;
        assert_eq!(long.wrong_fields(), ["more", "note", "submit"]);
        let sent = api.post(send, json!({"note": "It was shipped."})).once("k").send().await.expect(200);
        let answer = &sent["answers"][0];
        assert_eq!((&answer["attempt"], &answer["submit"], &answer["by"]), (&json!(1), &json!(true), &json!("API")));
        assert!(sent["not_answerable"].is_string(), "{sent:#}");
        let again = api.post(send, json!({"note": "It was shipped."})).once("k").send().await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.expect(200), sent);
        assert_eq!(api.get("/disputes/dp_ada").send().await.expect(200)["answers"].as_array().map(Vec::len), Some(1));
    }
}
