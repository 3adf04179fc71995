//! Goods on their way, set down as rows: what packing and handing over leave behind.

use chrono::Duration;
use muster::domain::ids::{OrderId, ShipmentId};
use muster::domain::ledger::Revenue;
use muster::domain::shipment::{DeliveredBy, ShipmentKind, ShipmentState};
use muster::store::orders::OrderRow;
use muster::store::shipments::{self, ShipmentLineRow, ShipmentRow};
use muster::store::stock::{self, StockRow};
use muster::store::{campaigns, merchants, orders};
use muster::workflows::desk::Problem;
use muster::workflows::money;
use muster::workflows::office::Office;
use muster::workflows::part::{cost_of, follow_goods};
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
    let id = shop.running.app.office.join(wish).await.unwrap().order.id;
    shop.settle().await;
    assert_eq!(shop.pay(id, crate::support::shop::GOOD_CARD).await, 303);
    shop.settle().await;
    id
}

/// Packs units into a parcel; `handed_over`: and gives it to the carrier, now.
pub async fn parcel(
    office: &Office,
    order: OrderId,
    units: &[(&str, i64)],
    handed_over: bool,
) -> ShipmentId {
    let units: Vec<(String, i64)> = units.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect();
    office
        .write(move |_, tx| -> Result<ShipmentId, Problem> {
            let id = ShipmentId::new();
            let mut order = orders::by_id(tx.conn, order)?.unwrap();
            let now = tx.now.naive_utc();
            let mut lines = orders::lines_of(tx.conn, order.id)?;
            let before = shipped_cost(&order, &lines);
            let mut inside = Vec::new();
            for line in &mut lines {
                let Some((_, n)) = units.iter().find(|(sku, _)| *sku == line.sku) else {
                    continue;
                };
                let mut row = stock::of_option(tx.conn, order.batch_id, line.option_id)?
                    .unwrap_or_else(|| StockRow::new(order.batch_id, line.option_id));
                row.good += n;
                row.allocated += n;
                stock::save(tx.conn, &row)?;
                line.allocated += n;
                if handed_over {
                    line.shipped += n;
                } else {
                    line.picked += n;
                }
                line.state = line.units().state();
                orders::save_line(tx.conn, line)?;
                inside.push(ShipmentLineRow {
                    shipment_id: id,
                    option_id: line.option_id,
                    units: *n,
                });
            }
            let number = merchants::take_numbers(tx.conn, order.merchant_id, "shipment", 1)?;
            let row = ShipmentRow {
                id,
                merchant_id: order.merchant_id,
                batch_id: order.batch_id,
                order_id: order.id,
                number,
                kind: ShipmentKind::Order,
                state: if handed_over {
                    ShipmentState::HandedOver
                } else {
                    ShipmentState::Picked
                },
                claim_id: None,
                carrier: handed_over.then(|| "CTT".to_owned()),
                tracking_number: None,
                picked_at: now,
                picked_by: "Ana".into(),
                handed_over_at: handed_over.then_some(now),
                recorded_at: handed_over.then_some(now),
                delivered_at: None,
                delivered_by: None,
                stopped_at: None,
            };
            shipments::insert(tx.conn, &row, &inside)?;
            if handed_over {
                let after = shipped_cost(&order, &lines);
                let revenue = Revenue {
                    currency: money::currency(&order.currency)?,
                    goods: after.0 - before.0,
                    shipping: after.1 - before.1,
                    tax: 0,
                };
                let kept = order.money().kept();
                let loss = money::handed_over(tx, &order, &id.to_string(), revenue, kept)?;
                assert_eq!(loss, 0);
                follow_goods(&mut order, &lines)?;
                money::keep(tx, &mut order)?;
            }
            Ok(id)
        })
        .await
        .unwrap()
}

fn shipped_cost(order: &OrderRow, lines: &[orders::LineRow]) -> (i64, i64) {
    let cost = cost_of(order, lines, |line| line.shipped).unwrap();
    (cost.goods, cost.shipping)
}

/// A parcel that was handed over.
pub async fn shipped(shop: &Shop, order: OrderId, units: &[(&str, i64)]) -> ShipmentId {
    parcel(&shop.running.app.office, order, units, true).await
}

/// A parcel arrives.
pub async fn delivered(office: &Office, parcel: ShipmentId, by: DeliveredBy) {
    office
        .write(move |_, tx| -> Result<(), Problem> {
            let mut row = shipments::by_id(tx.conn, parcel)?.unwrap();
            let mut order = orders::by_id(tx.conn, row.order_id)?.unwrap();
            let mut lines = orders::lines_of(tx.conn, order.id)?;
            for inside in shipments::lines_of(tx.conn, &[parcel])? {
                for line in lines.iter_mut().filter(|l| l.option_id == inside.option_id) {
                    line.delivered += inside.units;
                    line.state = line.units().state();
                    orders::save_line(tx.conn, line)?;
                }
            }
            let from = row.state;
            row.state = ShipmentState::Delivered;
            row.delivered_at = Some(tx.now.naive_utc());
            row.delivered_by = Some(by);
            shipments::save(tx.conn, &row, from)?;
            follow_goods(&mut order, &lines)?;
            money::keep(tx, &mut order)
        })
        .await
        .unwrap();
}

/// So many units of an option lie in stock and are nobody's.
pub async fn spare(shop: &Shop, order: OrderId, sku: &'static str, units: i64) {
    shop.write(move |_, tx| {
        let order = orders::by_id(tx.conn, order)?.unwrap();
        let options = campaigns::options_of(tx.conn, order.campaign_id)?;
        let option = options.iter().find(|o| o.sku == sku).unwrap().id;
        let mut row = stock::of_option(tx.conn, order.batch_id, option)?
            .unwrap_or_else(|| StockRow::new(order.batch_id, option));
        row.good += units;
        Ok(stock::save(tx.conn, &row)?)
    })
    .await
    .unwrap();
}
