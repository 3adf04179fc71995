//! What people and programs see of batches.

use chrono::Duration;
use muster::domain::staff::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::{batches, late_joins, ordered};
use crate::admin::panel::Panel;
use crate::api::caller::Api;
use crate::notices::{announce, ships};
use crate::shop::Visitor;
use crate::supply::address;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn the_pages_say_which_batch_one_joins_and_what_became_of_the_others(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(late_joins(&shop)).await;
        let visitor = Visitor::of(&shop);
        let path = format!("/c/{}", campaign.slug);
        visitor.get(&path).await.is(200).says("Batch by batch").says("Once 5 units are paid for, this batch is ordered");
        let first = shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        let second = shop.join_and_pay(&campaign, "b@mail.example", 2).await;
        visitor.get(&path).await.is(200)
            .says("You join batch 2")
            .says("Batch 1 of 6 units is ordered.")
            .says("Batch 2 gathers: 2 units so far.")
            .says("own threshold of 5 units");
        for (order, said) in [(first, ", batch 1"), (second, ", batch 2")] {
            let row = shop.order(order).await;
            visitor.get(&visitor.path_of(&row, "")).await.is(200).says(said);
        }
        let panel = Panel::of(&shop, Role::Manager).await;
        let href = format!("/admin/campaigns/{}", campaign.slug);
        panel.get(&href).await.is(200)
            .says("Batch 1").says("Batch 2").says("Further batches").says("batch 2: 1 paid order, 2 paid units")
            .says("Close now");
        panel.get("/admin/batches").await.is(200).says("batch 2").says("batch 1");
        shop.advance(Duration::days(8)).await;
        visitor.get(&path).await.is(200)
            .says("Its batches")
            .says("Batch 2 came to 2 of 5 units: it did not come together, and everybody in it is refunded.")
            .says("order is placed").says("Everybody in batch 1 pays $90.00");
        let row = shop.order(second).await;
        visitor.get(&visitor.path_of(&row, "")).await.is(200).says("Your batch did not come together");
        panel.get(&href).await.is(200).says("2 of 5 units").says("batch 1: 1 paid order, 6 paid units");
        panel.get("/admin/campaigns").await.is(200).says("6 of 5");
        shop.audit().await;
        shop.close().await;
    }

    async fn lists_papers_and_letters_name_the_batch_where_there_are_several(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let campaign = shop.publish(late_joins(&shop)).await;
        let first = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        // While there is one batch nobody reads of it.
        let listed = panel.get("/admin/orders").await;
        assert!(!listed.body.contains("data-l=\"Batch\""), "{}", listed.body);
        assert!(!panel.get(&format!("/admin/orders/{first}")).await.body.contains("<dt>Batch</dt>"));
        shop.join_and_pay(&campaign, "b@mail.example", 4).await;
        let second = shop.join_and_pay(&campaign, "c@mail.example", 2).await;
        panel.get(&format!("/admin/orders/{first}")).await.is(200).says("<dt>Batch</dt><dd>1</dd>");
        panel.get(&format!("/admin/orders/{second}")).await.is(200).says("<dt>Batch</dt><dd>2</dd>");
        let path = format!("/admin/orders?campaign={}", campaign.slug);
        panel.get(&path).await.is(200).says("data-l=\"Batch\"").says("<option value=\"2\">Batch 2</option>");
        let only = panel.get(&format!("{path}&batch=2")).await;
        only.is(200).says(&second.to_string());
        assert!(!only.body.contains(&first.to_string()), "{}", only.body);
        panel.get(&format!("{path}&batch=nonsense")).await.is(200).says(&first.to_string());
        // The supplier's order, on its page, on paper, as a file and by mail; and the letter of a moved date.
        let batch = batches(&shop, &campaign).await.remove(0);
        let po = ordered(&shop, &batch).await.remove(0);
        let visitor = Visitor::of(&shop);
        let link = address(&shop, &po);
        for below in ["", "/print"] {
            visitor.get(&format!("{link}{below}")).await.is(200).says("Ridge pour-over set, batch 1");
        }
        visitor.get(&format!("{link}/csv")).await.is(200).says("currency,batch").says(",usd,1");
        let paper = format!("/admin/purchase-orders/{}", po.id);
        panel.get(&paper).await.is(200).says("Ridge pour-over set, batch 1");
        panel.get(&format!("{paper}/print")).await.is(200).says("Ridge pour-over set, batch 1");
        panel.get(&format!("{paper}/lines.csv")).await.is(200).says("currency,batch");
        announce(&shop, batch.id, ships(None)).await.unwrap();
        shop.settle().await;
        let mails = shop.read(move |c| muster::store::mails::of_order(c, first)).await;
        let notice = mails.iter().find(|mail| mail.kind.contains("delay")).expect("a notice");
        assert!(notice.body_text.contains("Ridge pour-over set, batch 1"), "{}", notice.body_text);
        shop.audit().await;
        shop.close().await;
    }

    async fn the_form_takes_further_batches_and_says_what_they_need(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(late_joins(&shop)).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        panel.get("/admin/campaigns/new").await.is(200).says("Further batches until the deadline");
        let edit = format!("/admin/campaigns/{}/edit", campaign.slug);
        panel.get(&edit).await.is(200).says("<option value=\"1\" selected>Further batches");
        shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        panel.get(&edit).await.is(200).says("Further batches until the deadline");
        shop.close().await;
    }

    async fn the_api_takes_late_joins_and_lists_every_batch(db: TestDatabase) {
        let api = Api::start(&db).await;
        let mut body = api.pens();
        body["late_joins"] = json!(true);
        let refused = api.post("/campaigns", body.clone()).send().await;
        assert_eq!(refused.wrong_fields(), ["late_joins"]);
        body["trigger"] = json!("at_threshold");
        body["threshold"] = json!({"kind": "units", "target": 3});
        let slug = api.open(body).await;
        let path = format!("/campaigns/{slug}");
        let made = api.get(&path).anonymous().send().await.expect(200);
        assert_eq!((&made["late_joins"], &made["batch"]), (&json!(true), &json!(1)));
        api.buy(&slug, "ada@example.com", "raw", 3).await;
        api.buy(&slug, "bob@example.com", "raw", 1).await;
        let open = api.get(&path).anonymous().send().await.expect(200);
        assert_eq!((&open["state"], &open["batch"]), (&json!("open"), &json!(2)));
        assert_eq!((&open["threshold"]["collected"], &open["options"][0]["committed"]), (&json!(1), &json!(1)));
        let list = api.get(&format!("{path}/batches")).send().await.expect(200);
        let said: Vec<(&Value, &Value, &Value)> = list["data"].as_array().unwrap().iter()
            .map(|b| (&b["number"], &b["state"], &b["units_paid"]))
            .collect();
        assert_eq!(said[0], (&json!(1), &json!("collecting"), &json!(3)));
        assert_eq!((said[1].0, said[1].1), (&json!(2), &json!("gathering")));
        let locked = api.ask(Method::PATCH, &path).body(json!({"late_joins": false})).send().await;
        assert_eq!(locked.refused(409), "locked");
    }
}
