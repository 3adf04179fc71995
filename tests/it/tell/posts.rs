//! What the seller writes to everybody who joined.

use futures_util::future::join_all;
use muster::domain::staff::Role;
use muster::store::{mails, posts};
use muster::workflows::posts::{NewPost, write};
use serde_json::{Value, json};

use crate::admin::panel::Panel;
use crate::api::caller::Api;
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

fn post(title: &str) -> NewPost {
    NewPost {
        title: title.to_owned(),
        body: "We fire on **2 June**. See [the plan](/plan) <script>alert(1)</script>.".to_owned(),
        by: "Ana".to_owned(),
        once: None,
    }
}

both_databases! {
    async fn an_update_goes_once_to_each_who_paid_and_stands_on_the_pages(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        // One address with two orders, one order, one that left, one that has not paid.
        let first = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        shop.join_and_pay(&campaign, "b@mail.example", 1).await;
        let left = shop.join_and_pay(&campaign, "c@mail.example", 1).await;
        shop.cancel(left).await.unwrap();
        shop.join(&campaign, "d@mail.example", 1).await;
        shop.settle().await;

        let panel = Panel::of(&shop, Role::Manager).await;
        let href = format!("/admin/campaigns/{}/updates", campaign.slug);
        panel.get(&href).await.is(200).says("2 shoppers");
        let new = format!("{href}/new");
        panel.get(&new).await.is(200).says("Look at it first");
        panel.post(&new, &[("title", " "), ("body", "")]).await.is(422).says("Write what shoppers should know");
        let typed = [("title", "The kiln is booked"), ("body", "We fire on **2 June**. <script>alert(1)</script>")];
        let asked = panel.post(&new, &typed).await;
        asked.is(200).says("Send it to 2 shoppers").says("<strong>2 June</strong>").says("&lt;script&gt;");
        assert!(shop.mail_to("a@mail.example").await.iter().all(|s| !s.contains("kiln is booked")), "looking sends nothing");
        let mark = "name=\"once\" value=\"";
        let once = asked.body.split(mark).nth(1).unwrap().split('"').next().unwrap().to_owned();
        let mut edit = typed.to_vec();
        edit.push(("once", &once));
        edit.push(("do", "edit"));
        panel.post(&new, &edit).await.is(200).says("The kiln is booked").says("Look at it first");
        let mut send = typed.to_vec();
        send.push(("once", &once));
        send.push(("do", "save"));
        // A double click.
        panel.post(&new, &send).await.leads_to(&href);
        panel.post(&new, &send).await.leads_to(&href);
        shop.settle().await;

        let id = campaign.id;
        let kept = shop.read(move |c| posts::of_campaign(c, id, None, 10)).await;
        assert_eq!((kept.len(), kept[0].recipients), (1, 2));
        assert!(kept[0].told_at.is_some());
        let subject = "Ridge pour-over set: The kiln is booked".to_owned();
        for (address, letters) in [("a", 1), ("b", 1), ("c", 0), ("d", 0)] {
            let got = shop.mail_to(&format!("{address}@mail.example")).await;
            assert_eq!(got.iter().filter(|s| **s == subject).count(), letters, "{address}: {got:?}");
        }
        let letter = shop.read(|c| mails::delivered(c, 1000)).await.into_iter().find(|m| m.subject == subject).unwrap();
        assert!(letter.body_text.contains("We fire on **2 June**."), "{}", letter.body_text);
        assert!(letter.body_html.contains("<strong>2 June</strong>") && !letter.body_html.contains("<script>"));

        // A correction stands under it, and nobody is written to again.
        let one = format!("{href}/{}", kept[0].id);
        panel.get(&one).await.is(200).says("We fire on");
        panel.post(&one, &[("body", ""), ("once", "k")]).await.is(422);
        panel.post(&one, &[("body", "On 3 June, that is."), ("once", "k")]).await.leads_to(&href);
        panel.post(&one, &[("body", "On 3 June, that is."), ("once", "k")]).await.leads_to(&href);
        shop.settle().await;
        let post_id = kept[0].id;
        assert_eq!(shop.read(move |c| posts::corrections_of(c, &[post_id])).await.len(), 1);
        assert_eq!(shop.mail_to("a@mail.example").await.iter().filter(|s| **s == subject).count(), 1);

        let visitor = Visitor::of(&shop);
        let page = visitor.get(&format!("/c/{}", campaign.slug)).await;
        page.is(200).says("The kiln is booked").says("On 3 June, that is.").says("<strong>2 June</strong>");
        let order = shop.order(first).await;
        visitor.get(&visitor.path_of(&order, "")).await.is(200).says("What the seller wrote").says("The kiln is booked");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_viewer_reads_updates_and_writes_none(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let panel = Panel::of(&shop, Role::Viewer).await;
        let href = format!("/admin/campaigns/{}/updates", campaign.slug);
        panel.get(&href).await.is(200).says("will stand here");
        panel.get(&format!("{href}/new")).await.is(403);
        panel.post(&format!("{href}/new"), &[("title", "x"), ("body", "y"), ("once", "k")]).await.is(403);
        panel.get("/admin/campaigns/another/updates").await.is(404);
        shop.close().await;
    }

    async fn after_ten_updates_the_page_goes_on_by_key(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        for n in 1..=12 {
            let (merchant, slug) = (shop.merchant, campaign.slug.clone());
            let new = post(&format!("Update number {n}."));
            shop.write(move |_, tx| write(tx, merchant, &slug, &new)).await.unwrap();
        }
        let visitor = Visitor::of(&shop);
        let page = visitor.get(&format!("/c/{}", campaign.slug)).await;
        page.is(200).says("Update number 12.").says("Update number 3.").says("Earlier updates");
        assert!(!page.html.contains("Update number 2."), "ten stand there");
        let (newest, older) = (page.html.find("number 12.").unwrap(), page.html.find("number 11.").unwrap());
        assert!(newest < older, "newest first");
        let href = format!("/c/{}/updates?before=", campaign.slug);
        let key = page.html.split(&href).nth(1).unwrap().split('"').next().unwrap();
        let rest = visitor.get(&format!("{href}{key}")).await;
        rest.is(200).says("Update number 2.").says("Update number 1.");
        assert!(!rest.html.contains("Update number 3.") && !rest.html.contains("Earlier updates"));
        visitor.get(&format!("/c/{}/updates?before=nonsense", campaign.slug)).await.is(200).says("number 12.");
        visitor.get("/c/no-such-campaign/updates").await.is(404);
        shop.close().await;
    }

    async fn many_who_write_the_same_form_write_one_update(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        let (merchant, id) = (shop.merchant, campaign.id);
        let all = join_all((0..8).map(|_| {
            let slug = campaign.slug.clone();
            let new = NewPost { once: Some("one form".to_owned()), ..post("Once") };
            shop.write(move |_, tx| write(tx, merchant, &slug, &new))
        })).await;
        let ids: std::collections::BTreeSet<_> = all.into_iter().map(|p| p.unwrap().id.to_string()).collect();
        assert_eq!(ids.len(), 1);
        shop.settle().await;
        assert_eq!(shop.read(move |c| posts::of_campaign(c, id, None, 10)).await.len(), 1);
        let letters = shop.read(|c| mails::delivered(c, 1000)).await;
        let update = letters.iter().find(|m| m.kind == "update").unwrap();
        assert!(update.body_html.contains(&format!("href=\"{}/plan\"", shop.running.app.public_url)), "{}", update.body_html);
        assert_eq!(letters.iter().filter(|m| m.kind == "update").count(), 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn programs_read_and_write_updates(db: TestDatabase) {
        let api = Api::start(&db).await;
        let draft = api.post("/campaigns", api.pens()).send().await.expect(201);
        let path = format!("/campaigns/{}/updates", draft["slug"].as_str().unwrap());
        let body = json!({"title": "News", "body": "All **well**."});
        assert_eq!(api.post(&path, body.clone()).send().await.refused(409), "wrong-state");
        // What the state forbids is told before what is wrong.
        assert_eq!(api.post(&path, json!({"title": 7})).send().await.refused(409), "wrong-state");
        api.get(&path).anonymous().send().await.expect(404);

        let mut pens = api.pens();
        pens["title"] = json!("Steel pens");
        let slug = api.open(pens).await;
        api.buy(&slug, "a@example.com", "raw", 2).await;
        let path = format!("/campaigns/{slug}/updates");
        let wrong = api.post(&path, json!({"title": "a\nb", "body": "", "mail": true})).send().await;
        assert_eq!(wrong.wrong_fields(), ["body", "mail", "title"]);
        assert_eq!(api.post(&path, json!({})).send().await.wrong_fields(), ["body", "title"]);
        api.post(&path, body.clone()).anonymous().send().await.expect(401);
        let made = api.post(&path, body.clone()).once("k1").send().await.expect(201);
        assert_eq!((&made["recipients"], &made["html"]), (&json!(1), &json!("<p>All <strong>well</strong>.</p>\n")));
        let again = api.post(&path, body.clone()).once("k1").send().await.expect(201);
        assert_eq!(again, made);
        let mut second = body;
        second["title"] = json!("More");
        api.post(&path, second).send().await.expect(201);
        let list = api.get(&format!("{path}?limit=1")).anonymous().send().await.expect(200);
        assert_eq!(list["data"][0]["title"], "More");
        assert_eq!(list["data"][0].get("recipients"), None, "how many got it is the merchant's");
        let next = list["next_cursor"].as_str().unwrap();
        let rest = api.get(&format!("{path}?cursor={next}")).anonymous().send().await.expect(200);
        assert_eq!((&rest["data"][0]["title"], &rest["next_cursor"]), (&json!("News"), &Value::Null));

        let one = format!("{path}/{}/corrections", made["id"].as_str().unwrap());
        assert_eq!(api.post(&one, json!({"body": " "})).send().await.wrong_fields(), ["body"]);
        let corrected = api.post(&one, json!({"body": "Nearly."})).send().await.expect(201);
        assert_eq!(corrected["corrections"][0]["body"], "Nearly.");
        assert_eq!(corrected["body"], "All **well**.", "what was sent stays");
        let (_, foreign) = api.shop.merchant("Other Shop").await;
        api.post(&one, json!({"body": "x"})).key(&foreign).send().await.expect(404);
        api.post(&format!("{path}/nonsense/corrections"), json!({"body": "x"})).send().await.expect(404);
    }
}
