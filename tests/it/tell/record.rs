//! A merchant's public page: promised against actual, campaign by campaign.

use chrono::Duration;
use muster::store::purchase_orders;
use muster::workflows::desk::offer;
use muster::workflows::purchase;
use muster::workflows::ship::{NewParcel, When, record};
use serde_json::json;

use super::{arrived, ordered};
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn the_merchants_page_tells_promised_and_actual_and_the_money(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let visitor = Visitor::of(&shop);
        let mut missed = shop.example_a();
        missed["title"] = json!("Missed bowls");
        let missed = shop.publish(missed).await;
        shop.join_and_pay(&missed, "m@mail.example", 2).await;
        let campaign = shop.publish(shop.example_a()).await;
        let mut paid = Vec::new();
        for (n, units) in [3, 2, 1].into_iter().enumerate() {
            paid.push(shop.join_and_pay(&campaign, &format!("s{n}@mail.example"), units).await);
        }
        let page = visitor.get("/m/fern-kiln").await;
        page.is(200).says("Promised against actual").says("not shipped yet").says("$590.00").says("not placed");
        ordered(&shop, &campaign).await;
        let batch = shop.batch(&campaign).await;
        let po = shop.read(move |c| purchase_orders::of_batch(c, batch.id)).await[0].id;
        shop.write(move |_, tx| purchase::acknowledge(tx, po, None)).await.unwrap();
        shop.settle().await;
        let page = visitor.get("/m/fern-kiln").await;
        page.is(200).says("not shipped, refunded").says("Missed bowls").says("placed ").says(", acknowledged ");

        arrived(&shop, &campaign, 6).await;
        let (merchant, promised) = (shop.merchant, offer(&campaign).unwrap().promised_ship_date);
        for ((order, units), late) in paid.iter().zip([3, 2, 1]).zip([-1i64, 4, 12]) {
            let (order, units) = (*order, units);
            // Who was asked in time may wait for some days more.
            let day = (promised + Duration::days(late)).and_hms_opt(12, 0, 0).unwrap().and_utc();
            shop.advance(day - shop.now()).await;
            shop.write(move |desk, tx| {
                let new = NewParcel {
                    order, lines: vec![("set".into(), units)], carrier: Some("=DHL".into()),
                    tracking_number: Some("JD1".into()), when: When::Now, by: "Ana".into(),
                };
                record(desk, tx, merchant, &new)
            }).await.unwrap();
        }
        let page = visitor.get("/m/fern-kiln").await;
        page.is(200).says("median 4 days late, last 12 days late").says("Last sign of life");
        for person in ["mail.example", "Ana Sousa", "Porto, "] {
            assert!(!page.html.contains(person), "nothing personal: {person}");
        }
        shop.audit().await;
        shop.close().await;
    }

    async fn a_merchant_without_campaigns_has_no_record(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let page = Visitor::of(&shop).get("/m/fern-kiln").await;
        page.is(200);
        assert!(!page.html.contains("Promised against actual"));
        shop.close().await;
    }
}
