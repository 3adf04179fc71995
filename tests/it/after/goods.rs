//! Goods on their way: they arrive, are packed, handed over, delivered.

use chrono::Duration;
use muster::domain::ids::{OrderId, ShipmentId};
use muster::domain::order::Delivery;
use muster::domain::shipment::DeliveredBy;
use muster::store::orders::OrderRow;
use muster::store::{Tx, orders, shipments};
use muster::workflows::allocate::put_first;
use muster::workflows::desk::{Problem, order_number};
use muster::workflows::office::Office;
use muster::workflows::receive::{Count, Counted, receive};
use muster::workflows::ship::{self, NewParcel, When};
use serde_json::{Value, json};

use crate::support::shop::Shop;

/// A campaign of two things, shipped for $5.00, long enough for everything that can happen.
pub fn pair(shop: &Shop) -> Value {
    let mut body = shop.example_a();
    body["title"] = json!("Ridge pair");
    body["options"] = json!([
        {"sku": "set", "name": "Full set", "prices": [10000, 9000, 8000]},
        {"sku": "lid", "name": "Lid", "prices": [2000, 2000, 2000]},
    ]);
    body["shipping"] = json!([{"countries": ["*"], "price": 500}]);
    body
}

/// Joins with sets and lids, pays, and waits until the supplier's order is out.
pub async fn ordered(shop: &Shop, body: Value, sets: i64, lids: i64) -> OrderId {
    let campaign = shop.publish(body).await;
    let id = bought(shop, &campaign, "a@mail.example", (sets, lids)).await;
    shop.advance(Duration::days(8)).await;
    id
}

/// Joins with sets and lids, and pays.
pub async fn bought(
    shop: &Shop,
    campaign: &muster::store::campaigns::CampaignRow,
    email: &str,
    (sets, lids): (i64, i64),
) -> OrderId {
    let mut wish = shop.wish(campaign, email, sets);
    wish.lines = [("set", sets), ("lid", lids)]
        .into_iter()
        .filter(|(_, n)| *n > 0)
        .map(|(sku, n)| (sku.to_owned(), n))
        .collect();
    wish.delivery = Delivery::AsAvailable;
    let id = shop.running.app.office.join(wish).await.unwrap().order.id;
    shop.settle().await;
    assert_eq!(shop.pay(id, crate::support::shop::GOOD_CARD).await, 303);
    shop.settle().await;
    id
}

/// The units arrive and are packed into a parcel; `handed_over`: and the carrier takes it, now.
pub async fn parcel(
    office: &Office,
    order: OrderId,
    units: &[(&str, i64)],
    handed_over: bool,
) -> ShipmentId {
    let units: Vec<(String, i64)> = units.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect();
    office
        .write(move |desk, tx| -> Result<ShipmentId, Problem> {
            let row = orders::by_id(tx.conn, order)?.unwrap();
            let number = order_number(row.number);
            put_first(
                tx,
                row.merchant_id,
                row.batch_id,
                &number,
                "In a hurry",
                "Ana",
            )?;
            arrive(tx, &row, &units)?;
            let new = NewParcel {
                order,
                lines: units.clone(),
                carrier: handed_over.then(|| "CTT".to_owned()),
                tracking_number: None,
                when: if handed_over { When::Now } else { When::NotYet },
                by: "Ana".into(),
            };
            Ok(ship::record(desk, tx, row.merchant_id, &new)?.id)
        })
        .await
        .unwrap()
}

/// Good units are counted, as many as there are, whether ordered or not.
fn arrive(tx: &mut Tx, order: &OrderRow, units: &[(String, i64)]) -> Result<(), Problem> {
    let counted = |(sku, good): &(String, i64)| Counted {
        sku: sku.clone(),
        good: *good,
        damaged: 0,
    };
    let count = Count {
        lines: units.iter().map(counted).collect(),
        by: "Ana".into(),
        confirm: true,
        ..Count::default()
    };
    receive(tx, order.merchant_id, order.batch_id, &count).map(drop)
}

/// A parcel that was handed over.
pub async fn shipped(shop: &Shop, order: OrderId, units: &[(&str, i64)]) -> ShipmentId {
    parcel(&shop.running.app.office, order, units, true).await
}

/// A parcel arrives.
pub async fn delivered(office: &Office, parcel: ShipmentId, by: DeliveredBy) {
    office
        .write(move |_, tx| -> Result<(), Problem> {
            let row = shipments::by_id(tx.conn, parcel)?.unwrap();
            ship::arrived(tx, row.merchant_id, parcel, None, by, "Ana").map(drop)
        })
        .await
        .unwrap();
}

/// So many units of an option lie in stock and are nobody's.
pub async fn spare(shop: &Shop, order: OrderId, sku: &'static str, units: i64) {
    shop.write(move |_, tx| {
        let order = orders::by_id(tx.conn, order)?.unwrap();
        arrive(tx, &order, &[(sku.to_owned(), units)])
    })
    .await
    .unwrap();
}
