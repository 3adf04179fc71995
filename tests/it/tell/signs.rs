//! The quiet alarm: after 21 days staff are warned, after 30 everybody reads it.

use chrono::Duration;
use muster::domain::staff::Role;
use muster::store::{jobs, purchase_orders};
use muster::workflows::posts::{NewPost, write};
use muster::workflows::purchase::{self, Shipping};
use muster::workflows::receive::receive;
use muster::workflows::ship::{NewParcel, When, record};

use super::ordered;
use crate::admin::panel::Panel;
use crate::goods::scene::count;
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

async fn warnings(shop: &Shop) -> usize {
    let all = shop.mail_to("hello@fern.example").await;
    all.iter()
        .filter(|s| s.contains("nothing was heard for 21 days"))
        .count()
}

both_databases! {
    async fn who_is_quiet_is_warned_and_then_everybody_reads_it(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        ordered(&shop, &campaign).await;
        let visitor = Visitor::of(&shop);
        let path = format!("/c/{}", campaign.slug);
        let page = async || visitor.get(&path).await;
        let sent = shop.campaign(&campaign).await.last_sign_at.expect("the order went out");
        shop.advance(Duration::days(20)).await;
        assert_eq!(warnings(&shop).await, 0);
        shop.advance(Duration::days(1)).await;
        assert_eq!(warnings(&shop).await, 1);
        let panel = Panel::of(&shop, Role::Owner).await;
        panel.get("/admin").await.is(200).says("quiet for 21 days").says("Write to the shoppers");
        assert!(!page().await.html.contains("has not written"));
        shop.advance(Duration::days(9)).await;
        assert_eq!(warnings(&shop).await, 1, "once for each silence");
        page().await.is(200).says("The seller has not written since").says(&sent.format("%-d %B").to_string()).says("30 days.");
        panel.get("/admin").await.says("Its page says so to everybody");
        shop.advance(Duration::days(1)).await;
        page().await.says("31 days.");

        // The next sign ends it, and sets the alarm anew.
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        let new = NewPost { title: "All is well".into(), body: "The kiln is warm.".into(), by: "Ana".into(), once: None };
        shop.write(move |_, tx| write(tx, merchant, &slug, &new)).await.unwrap();
        assert!(!page().await.html.contains("has not written"));
        shop.advance(Duration::days(22)).await;
        assert_eq!(warnings(&shop).await, 2);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_suppliers_word_is_a_sign_and_before_its_order_nobody_waits(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = shop.example_a();
        let later = shop.now() + Duration::days(40);
        body["deadline"] = serde_json::json!(later.to_rfc3339());
        let campaign = shop.publish(body).await;
        shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        shop.advance(Duration::days(35)).await;
        assert_eq!(warnings(&shop).await, 0, "joining is no waiting");
        ordered(&shop, &campaign).await;
        shop.advance(Duration::days(15)).await;
        let batch = shop.batch(&campaign).await.id;
        let po = shop.read(move |c| purchase_orders::of_batch(c, batch)).await[0].id;
        shop.write(move |_, tx| purchase::acknowledge(tx, po, None)).await.unwrap();
        shop.advance(Duration::days(20)).await;
        assert_eq!(warnings(&shop).await, 0);
        shop.advance(Duration::days(1)).await;
        assert_eq!(warnings(&shop).await, 1);
        let id = campaign.id.to_string();
        assert!(shop.read(move |c| jobs::find(c, jobs::QUIET, &id)).await.is_some());
        shop.close().await;
    }

    async fn making_arriving_and_leaving_are_signs_too(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        ordered(&shop, &campaign).await;
        let batch = shop.batch(&campaign).await.id;
        let po = shop.read(move |c| purchase_orders::of_batch(c, batch)).await[0].id;
        let heard = async || {
            let last = shop.campaign(&campaign).await.last_sign_at.unwrap();
            (shop.now().naive_utc() - last).num_hours() == 0
        };
        let merchant = shop.merchant;
        let word = async |n: usize| {
            shop.write(move |desk, tx| {
                match n {
                    0 => purchase::in_production(tx, po).map(drop),
                    1 => purchase::shipped(tx, po, &Shipping { carrier: "DHL".into(), tracking: "J1".into() }).map(drop),
                    2 => receive(tx, merchant, batch, &count(&[("set", 6, 0)])).map(drop),
                    _ => record(desk, tx, merchant, &NewParcel {
                        order, lines: vec![("set".into(), 6)], carrier: None, tracking_number: None,
                        when: When::Now, by: "Ana".into(),
                    }).map(drop),
                }
            }).await.unwrap();
        };
        for n in 0..4 {
            shop.advance(Duration::days(1)).await;
            assert!(!heard().await, "{n}");
            word(n).await;
            assert!(heard().await, "{n}");
        }
        shop.audit().await;
        shop.close().await;
    }
}
