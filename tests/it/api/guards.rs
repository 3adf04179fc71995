//! What stands before every call: other sites, too many calls, and the headers.

use reqwest::Method;

use super::caller::{Api, wish};
use crate::support::database::TestDatabase;

both_databases! {
    async fn another_sites_page_cannot_join_for_a_visitor(db: TestDatabase) {
        let api = Api::start(&db).await;
        let slug = api.open(api.pens()).await;
        let path = format!("/campaigns/{slug}/orders");
        let ask = || api.post(&path, wish("a@example.com", "raw", 1)).anonymous();
        for (name, value) in [("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")] {
            assert_eq!(ask().header(name, value).send().await.refused(403), "cross-site");
        }
        ask().header("Origin", "https://shop.example").send().await.expect(201);
        let with_key = api.post("/campaigns", api.pens()).header("Sec-Fetch-Site", "cross-site");
        with_key.send().await.expect(201);
    }

    async fn one_address_writes_sixty_times_a_minute_and_another_still_may(db: TestDatabase) {
        let api = Api::start(&db).await;
        let write = |from: &'static str| {
            api.post("/campaigns/none/orders", wish("a@example.com", "raw", 1))
                .anonymous()
                .header("X-Forwarded-For", from)
                .send()
        };
        for _ in 0..60 {
            write("203.0.113.7").await.expect(404);
        }
        let refused = write("198.51.100.1, 203.0.113.7").await;
        let wait: u64 = refused.header("retry-after").parse().expect("seconds");
        assert!(wait >= 1);
        assert_eq!(refused.refused(429), "too-many-requests");
        write("203.0.113.8").await.expect(404);
        api.get("/campaigns").anonymous().header("X-Forwarded-For", "203.0.113.7").send().await.expect(200);
    }

    async fn every_answer_carries_the_headers(db: TestDatabase) {
        let api = Api::start(&db).await;
        for path in ["/api/docs", "/api/v1/campaigns", "/api/v1/nowhere"] {
            let got = api.raw(Method::GET, path, &[], "").await;
            let policy = got.header("content-security-policy");
            assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"));
            assert!(policy.contains("form-action 'self' https://checkout.stripe.com https://shop.example;"));
            assert!(!policy.contains("unsafe"));
            assert_eq!(got.header("x-content-type-options"), "nosniff");
            assert_eq!(got.header("referrer-policy"), "same-origin");
            assert!(got.header("strict-transport-security").starts_with("max-age="));
        }
        let order = api.raw(Method::GET, "/o/anything?t=x", &[], "").await;
        assert_eq!(order.header("referrer-policy"), "no-referrer");
    }
}
