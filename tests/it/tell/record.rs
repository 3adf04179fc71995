//! A merchant's public page: promised against actual, campaign by campaign.

use chrono::Duration;
use muster::domain::ids::ShipmentId;
use muster::domain::shipment::{ShipmentKind, ShipmentState};
use muster::store::shipments::{self, ShipmentLineRow, ShipmentRow};
use muster::store::{orders, purchase_orders};
use muster::workflows::{purchase, signs};
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

        let (_, option) = arrived(&shop, &campaign, 6).await;
        let (id, merchant) = (campaign.id, shop.merchant);
        let offered = shop.now();
        shop.write(move |_, tx| {
            let campaign = muster::store::campaigns::by_id(tx.conn, id)?.unwrap();
            let promised = muster::workflows::desk::offer(&campaign)?;
            for (number, (order, late)) in paid.iter().zip([-1i64, 4, 12]).enumerate() {
                let order = orders::by_id(tx.conn, *order)?.unwrap();
                let (first, last) = (promised.promised_ship_date, promised.stop_loss_date);
                orders::promise(tx.conn, &order, first, last, tx.now.naive_utc())?;
                let at = (first + Duration::days(late)).and_hms_opt(12, 0, 0).unwrap();
                let row = ShipmentRow {
                    id: ShipmentId::new(), merchant_id: merchant, batch_id: order.batch_id, order_id: order.id,
                    number: i64::try_from(number).unwrap() + 1, kind: ShipmentKind::Order, state: ShipmentState::HandedOver,
                    claim_id: None, carrier: Some("=DHL".into()), tracking_number: Some("JD1".into()),
                    picked_at: offered.naive_utc(), picked_by: "Ana".into(), handed_over_at: Some(at),
                    recorded_at: Some(at), delivered_at: None, delivered_by: None, stopped_at: None,
                };
                let line = ShipmentLineRow { shipment_id: row.id, option_id: option, units: 1 };
                shipments::insert(tx.conn, &row, &[line])?;
            }
            signs::sign(tx, &campaign)
        }).await.unwrap();
        let page = visitor.get("/m/fern-kiln").await;
        page.is(200).says("median 4 days late, last 12 days late").says("Last sign of life");
        for person in ["mail.example", "Ana Sousa", "Porto, "] {
            assert!(!page.html.contains(person), "nothing personal: {person}");
        }
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
