//! The public pages: drawn once, served from memory, told of changes.

use muster::domain::campaign::CampaignState;
use muster::store::merchants;
use muster::workflows::desk::Problem;

use super::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn a_campaigns_page_follows_every_change_and_says_when_it_is_the_same(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let visitor = Visitor::of(&shop);
        let path = format!("/c/{}", campaign.slug);
        let first = visitor.get(&path).await;
        first.is(200).says("Ridge pour-over set").says("0 of 5 needed").says("Fern &#38; Kiln");
        assert_eq!(first.headers["cache-control"], "no-cache");
        assert_eq!(first.headers["vary"], "Accept-Encoding, Accept-Language, Cookie");
        let tag = first.headers["etag"].to_str().unwrap().to_owned();
        let same = visitor.get_with(&path, &[("if-none-match", &tag)]).await;
        assert_eq!((same.status, same.html.len()), (304, 0));
        let mut seen = vec![tag.clone()];
        for (ask, coding) in [("gzip", "gzip"), ("gzip, br;q=0.9", "br")] {
            let answer = visitor.get_with(&path, &[("accept-encoding", ask)]).await;
            assert_eq!(answer.headers["content-encoding"], coding);
            seen.push(answer.headers["etag"].to_str().unwrap().to_owned());
        }
        let plain = visitor.get_with(&path, &[("accept-encoding", "gzip;q=0, br;q=0")]).await;
        assert!(!plain.headers.contains_key("content-encoding"));
        let dark = visitor.get_with(&path, &[("cookie", "muster_theme=dark")]).await;
        dark.is(200).says("data-theme=\"dark\"");
        seen.push(dark.headers["etag"].to_str().unwrap().to_owned());
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 4, "each has its own tag");
        shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        let changed = visitor.get_with(&path, &[("if-none-match", &tag)]).await;
        changed.is(200).says("2 of 5 needed").says("3 more and everybody pays $90.00.");
        visitor.get("/").await.is(200).says("Ridge pour-over set").says("3 more and everybody pays $90.00.");
        visitor.get("/?sort=nearest").await.is(200).says("Open now");
        visitor.get("/?page=7").await.is(404);
        shop.close().await;
    }

    async fn the_clock_that_jumps_is_seen_at_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let visitor = Visitor::of(&shop);
        let path = format!("/c/{}", campaign.slug);
        visitor.get(&path).await.is(200).says("7 days left");
        visitor.get("/").await.is(200);
        shop.advance(chrono::Duration::days(2)).await;
        visitor.get(&path).await.is(200).says("5 days left");
        shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        shop.advance(chrono::Duration::days(6)).await;
        shop.expect_state(&campaign, CampaignState::Failed).await;
        let failed = visitor.get(&path).await;
        failed.is(200).says("It did not come together").says("2 of 5 needed were paid for").says("refunded in full");
        assert!(!failed.html.contains("id=\"join\""));
        visitor.get("/").await.is(200).says("Missed, the one order refunded");
        shop.close().await;
    }

    async fn a_merchants_page_has_imprint_terms_and_privacy_from_markdown(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let visitor = Visitor::of(&shop);
        let id = shop.merchant;
        let change = move |_: &muster::workflows::desk::Desk, tx: &mut muster::store::Tx| {
            let mut row = merchants::by_id(tx.conn, id)?.ok_or(Problem::NotFound("merchant"))?;
            row.terms = "**Bold** terms <script>alert(1)</script>".into();
            merchants::save(tx.conn, &row)?;
            Ok::<_, Problem>(())
        };
        shop.running.app.office.write(change).await.unwrap();
        let page = visitor.get("/m/fern-kiln").await;
        page.is(200).says("<strong>Bold</strong> terms").says("Fern &amp; Kiln Lda.").says("id=\"privacy\"");
        page.says("Version 1.").says(&format!("/c/{}", campaign.slug));
        assert!(!page.html.contains("<script>alert"));
        shop.close().await;
    }

    async fn a_method_that_a_page_does_not_have_is_refused_with_words(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let ask = async |method: reqwest::Method, path: &str| {
            let answer = shop.http.request(method, shop.url(path)).send().await.unwrap();
            assert_eq!(answer.status(), 405, "{path}");
            let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
            (kind, answer.text().await.unwrap())
        };
        let page = format!("/c/{}", campaign.slug);
        for path in ["/", page.as_str(), "/m/fern-kiln"] {
            let (kind, said) = ask(reqwest::Method::DELETE, path).await;
            assert_eq!(kind, "text/html; charset=utf-8", "{path}");
            assert!(said.contains("This page cannot do that"), "{path}: {said}");
        }
        for (method, path) in [(reqwest::Method::GET, "/webhooks/stripe"), (reqwest::Method::DELETE, "/api/docs")] {
            let (kind, said) = ask(method, path).await;
            assert_eq!(kind, "application/problem+json", "{path}");
            assert!(said.contains("method-not-allowed"), "{path}: {said}");
        }
        shop.close().await;
    }

    async fn a_draft_is_not_shown(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let input = serde_json::from_value::<muster::domain::draft::CampaignInput>(shop.example_a()).unwrap();
        let id = shop.merchant;
        let row = shop.running.app.office
            .write(move |_, tx| muster::workflows::campaigns::create(tx, id, input.clone()))
            .await
            .unwrap();
        let visitor = Visitor::of(&shop);
        visitor.get(&format!("/c/{}", row.slug)).await.is(404);
        visitor.get("/").await.is(200).says("No campaign has been published here yet");
        shop.close().await;
    }

    async fn who_looks_on_is_told_of_a_join_and_of_the_end(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let mut answer = reqwest::get(shop.url(&format!("/c/{}/events", campaign.slug))).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/event-stream; charset=utf-8");
        shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        let mut heard = String::new();
        while !heard.contains("2 of 5 needed") {
            let bytes = answer.chunk().await.unwrap().expect("it goes on");
            heard.push_str(std::str::from_utf8(&bytes).unwrap());
        }
        let last = heard.lines().filter_map(|l| l.strip_prefix("data: ")).next_back().unwrap();
        let message: serde_json::Value = serde_json::from_str(last).unwrap();
        assert!(message["@now"].is_string() && message["stock-set"] == "2 ordered", "{message}");
        shop.advance(chrono::Duration::days(8)).await;
        while !heard.contains("\"@reload\":true") {
            let bytes = answer.chunk().await.unwrap().expect("it goes on");
            heard.push_str(std::str::from_utf8(&bytes).unwrap());
        }
        // The server stops although somebody looks on.
        shop.close().await;
        while let Ok(Some(_)) = answer.chunk().await {}
    }
}
