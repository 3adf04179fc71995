//! The same key and body: the first answer again. The same key and another body: refused.

use muster::domain::ids::MerchantId;
use muster::store::misc;
use muster::workflows::desk::Problem;
use serde_json::json;

use super::caller::{Api, wish};
use crate::support::database::TestDatabase;

both_databases! {
    async fn a_repeated_call_happens_once(db: TestDatabase) {
        let api = Api::start(&db).await;
        let first = api.post("/campaigns", api.pens()).once("make-1").send().await;
        assert_eq!(first.header("idempotency-replayed"), "");
        let again = api.post("/campaigns", api.pens()).once("make-1").send().await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.header("location"), first.header("location"));
        assert_eq!(again.expect(201), first.expect(201));
        let mut other = api.pens();
        other["title"] = json!("Other");
        let other = api.post("/campaigns", other).once("make-1").send().await;
        assert_eq!(other.refused(409), "idempotency-key-reused");
        let elsewhere = api.post("/suppliers", api.pens()).once("make-1").send().await;
        assert_eq!(elsewhere.refused(409), "idempotency-key-reused");
        let (_, stranger) = api.shop.merchant("Stranger").await;
        let theirs = api.post("/campaigns", api.pens()).once("make-1").key(&stranger).send().await;
        assert_eq!(theirs.expect(201)["slug"], "titanium-pens-2", "keys are each merchant's own");
    }

    async fn a_refusal_is_the_answer_too(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        let close = format!("/campaigns/{slug}/close");
        let ask = || api.post(&close, json!({})).once("close-1");
        assert_eq!(ask().send().await.refused(409), "threshold-not-reached");
        api.buy(&slug, "a@example.com", "raw", 3).await;
        let again = ask().send().await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.refused(409), "threshold-not-reached");
        api.post(&close, json!({})).once("close-2").send().await.expect(200);
    }

    async fn a_repeated_join_is_the_same_order(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        let path = format!("/campaigns/{slug}/orders");
        let ask = |email: &str| api.post(&path, wish(email, "raw", 2)).anonymous().once("join-1");
        let first = ask("a@example.com").send().await.expect(201);
        let again = ask("a@example.com").send().await;
        assert_eq!(again.header("idempotency-replayed"), "true");
        assert_eq!(again.expect(201), first);
        assert_eq!(ask("b@example.com").send().await.refused(409), "idempotency-key-reused");
        let shown = api.get(&format!("/campaigns/{slug}")).send().await.expect(200);
        assert_eq!(shown["options"][0]["available"], 6);
    }

    async fn the_same_join_twice_at_once_is_one_order(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        let path = format!("/campaigns/{slug}/orders");
        let ask = || api.post(&path, wish("a@example.com", "raw", 2)).anonymous().once("join-1").send();
        let (a, b, c) = futures_util::join!(ask(), ask(), ask());
        let a = a.expect(201);
        assert_eq!(a, b.expect(201));
        assert_eq!(a, c.expect(201));
        let shown = api.get(&format!("/campaigns/{slug}")).send().await.expect(200);
        assert_eq!(shown["options"][0]["available"], 6);
    }

    async fn a_join_that_was_cut_before_its_answer_gives_the_same_order(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        let path = format!("/campaigns/{slug}/orders");
        let ask = || api.post(&path, wish("a@example.com", "raw", 2)).anonymous().once("join-1").send();
        let first = ask().await.expect(201);
        // As a crash between the commit of the order and that of the answer leaves it.
        api.shop
            .office
            .write(|_, tx| -> Result<(), Problem> {
                misc::release_api_key(tx.conn, "public", "join-1")?;
                Ok(())
            })
            .await
            .expect("the answer is forgotten");
        let again = ask().await.expect(201);
        assert_eq!(again["order_id"], first["order_id"]);
        let shown = api.get(&format!("/campaigns/{slug}")).send().await.expect(200);
        assert_eq!(shown["options"][0]["available"], 6);
    }

    async fn keys_that_cannot_be_kept_are_refused(db: TestDatabase) {
        let api = Api::start(&db).await;
        for wrong in ["", "two words", &"x".repeat(256)] {
            let got = api.post("/campaigns", api.pens()).once(wrong).send().await;
            assert_eq!(got.refused(400), "bad-idempotency-key");
        }
        let nobody = MerchantId::new().to_string();
        api.post("/campaigns", api.pens()).once(&nobody).send().await.expect(201);
    }
}
