//! A campaign whose supplier's order was sent, and what people do with its goods.

use chrono::{DateTime, Duration, Utc};
use muster::domain::campaign::CampaignState;
use muster::domain::ids::{BatchId, OrderId, ShipmentId};
use muster::domain::order::Delivery;
use muster::domain::payment::RefundPurpose;
use muster::store::campaigns::CampaignRow;
use muster::store::orders::LineRow;
use muster::store::shipments::ShipmentRow;
use muster::store::stock::StockRow;
use muster::store::{campaigns, merchants, orders, shipments, stock};
use muster::workflows::desk::{Problem, lock_campaign};
use muster::workflows::part::{Left, Which, take_out};
use muster::workflows::receive::{Count, Counted, Received, receive};
use muster::workflows::ship::{self, Handed, NewParcel, When};
use muster::workflows::{money, short};
use serde_json::{Value, json};

use crate::support::shop::{GOOD_CARD, Shop};

/// A batch whose purchase order is out, and its orders.
pub struct Scene {
    pub campaign: CampaignRow,
    pub batch: BatchId,
    pub orders: Vec<OrderId>,
}

/// Somebody's wish: sets, cups, and how they are to be sent.
pub type Wish = (i64, i64, Delivery);

pub const ONE: Delivery = Delivery::OneParcel;
pub const SOME: Delivery = Delivery::AsAvailable;

/// Orders are placed and paid, one after the other, and the supplier's order goes out. Prices hold tax, and shipping costs.
pub async fn ordered(shop: &Shop, wishes: &[Wish]) -> Scene {
    ordered_with(shop, wishes, |_| {}).await
}

/// As [`ordered`], of a campaign that differs.
pub async fn ordered_with(shop: &Shop, wishes: &[Wish], differs: impl FnOnce(&mut Value)) -> Scene {
    let mut supplier = shop.supplier.clone();
    supplier.unit_costs = json!({"set": 4000, "cup": 900}).to_string();
    shop.write(move |_, tx| Ok(merchants::save_supplier(tx.conn, &supplier)?))
        .await
        .unwrap();
    let mut body = shop.example_a();
    body["threshold"]["target"] = json!(1);
    body["options"] = json!([
        {"sku": "set", "name": "Full set", "prices": [10000, 9000, 8000]},
        {"sku": "cup", "name": "Cup", "prices": [1999, 1999, 1899]},
    ]);
    body["shipping"] = json!([{"countries": ["*"], "price": 500}]);
    body["tax"] = json!([{"countries": ["PT"], "rate_basis_points": 2300, "included": true}]);
    differs(&mut body);
    let campaign = shop.publish(body).await;
    let mut orders = Vec::new();
    for (n, (sets, cups, delivery)) in wishes.iter().enumerate() {
        let mut wish = shop.wish(&campaign, &format!("s{n}@mail.example"), 1);
        wish.lines = [("set", *sets), ("cup", *cups)]
            .into_iter()
            .filter(|(_, units)| *units > 0)
            .map(|(sku, units)| (sku.to_owned(), units))
            .collect();
        wish.delivery = *delivery;
        let placed = shop.running.app.office.join(wish).await.unwrap();
        shop.settle().await;
        assert_eq!(shop.pay(placed.order.id, GOOD_CARD).await, 303);
        shop.settle().await;
        orders.push(placed.order.id);
    }
    shop.advance(Duration::days(7) + Duration::minutes(5)).await;
    shop.expect_state(&campaign, CampaignState::Ordered).await;
    let batch = shop.batch(&campaign).await;
    assert!(batch.settled_at.is_some());
    Scene {
        campaign,
        batch: batch.id,
        orders,
    }
}

pub fn count(lines: &[(&str, i64, i64)]) -> Count {
    Count {
        lines: lines
            .iter()
            .map(|(sku, good, damaged)| Counted {
                sku: (*sku).to_owned(),
                good: *good,
                damaged: *damaged,
            })
            .collect(),
        by: "Ines".into(),
        ..Count::default()
    }
}

impl Scene {
    pub async fn receive(&self, shop: &Shop, count: Count) -> Result<Received, Problem> {
        let (merchant, batch) = (shop.merchant, self.batch);
        shop.write(move |_, tx| receive(tx, merchant, batch, &count))
            .await
    }

    /// Good units are counted.
    pub async fn arrive(&self, shop: &Shop, sets: i64, cups: i64) -> Received {
        let mut lines = Vec::new();
        if sets > 0 {
            lines.push(("set", sets, 0));
        }
        if cups > 0 {
            lines.push(("cup", cups, 0));
        }
        self.receive(shop, count(&lines)).await.unwrap()
    }

    pub async fn declare_short(
        &self,
        shop: &Shop,
        sku: &str,
        units: i64,
    ) -> Result<Vec<short::Declared>, Problem> {
        let (merchant, batch, sku) = (shop.merchant, self.batch, sku.to_owned());
        shop.write(move |_, tx| {
            short::declare(tx, merchant, batch, &[(sku.clone(), units)], "Ines")
        })
        .await
    }

    /// Units of the first line with this code: allocated, packed, shipped, delivered.
    pub async fn units(&self, shop: &Shop, order: usize, sku: &str) -> (i64, i64, i64, i64) {
        let line = self.line(shop, order, sku).await;
        (line.allocated, line.picked, line.shipped, line.delivered)
    }

    pub async fn line(&self, shop: &Shop, order: usize, sku: &str) -> LineRow {
        let id = self.orders[order];
        let lines = shop.read(move |c| orders::lines_of(c, id)).await;
        lines.into_iter().find(|l| l.sku == sku).unwrap()
    }

    pub async fn stock(&self, shop: &Shop, sku: &str) -> StockRow {
        let (campaign, batch, sku) = (self.campaign.id, self.batch, sku.to_owned());
        shop.read(move |c| {
            let option = campaigns::options_of(c, campaign)?
                .into_iter()
                .find(|o| o.sku == sku)
                .unwrap();
            Ok(stock::of_option(c, batch, option.id)?
                .unwrap_or_else(|| StockRow::new(batch, option.id)))
        })
        .await
    }

    pub async fn parcels(&self, shop: &Shop, order: usize) -> Vec<ShipmentRow> {
        let id = self.orders[order];
        shop.read(move |c| shipments::of_order(c, id)).await
    }

    /// Everything that can be packed is packed.
    pub async fn pick(&self, shop: &Shop) -> usize {
        let (merchant, batch) = (shop.merchant, self.batch);
        shop.write(move |_, tx| ship::pick_ready(tx, merchant, batch, 100, "Ines"))
            .await
            .unwrap()
    }

    /// A program records a parcel.
    pub async fn send(
        &self,
        shop: &Shop,
        order: usize,
        lines: &[(&str, i64)],
        when: When,
    ) -> Result<ShipmentRow, Problem> {
        let new = NewParcel {
            order: self.orders[order],
            lines: lines.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect(),
            carrier: Some("UPS".into()),
            tracking_number: Some("1Z999".into()),
            when,
            by: "API".into(),
        };
        let merchant = shop.merchant;
        shop.write(move |desk, tx| ship::record(desk, tx, merchant, &new))
            .await
    }

    /// Units leave an order as they do when a shopper refuses a delay.
    pub async fn cancel(&self, shop: &Shop, order: usize, units: &[(&str, i64)]) -> Left {
        let id = self.orders[order];
        let units: Vec<(String, i64)> = units.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect();
        shop.write(move |_, tx| {
            let row = orders::by_id(tx.conn, id)?.unwrap();
            let campaign = lock_campaign(tx, row.campaign_id)?;
            let mut order = orders::by_id(tx.conn, id)?.unwrap();
            let lines = orders::lines_of(tx.conn, id)?;
            let which = if units.is_empty() {
                Which::Unshipped
            } else {
                let option = |sku: &str| lines.iter().find(|l| l.sku == sku).unwrap().option_id;
                Which::These(units.iter().map(|(s, n)| (option(s), *n)).collect())
            };
            let left = take_out(tx, &campaign, &mut order, &which, RefundPurpose::Delay)?;
            money::keep(tx, &mut order)?;
            Ok(left)
        })
        .await
        .unwrap()
    }
}

/// The carrier takes a parcel.
pub async fn hand_over(
    shop: &Shop,
    parcel: ShipmentId,
    at: Option<DateTime<Utc>>,
) -> Result<ShipmentRow, Problem> {
    let merchant = shop.merchant;
    let handed = Handed {
        at,
        carrier: Some("UPS".into()),
        tracking_number: Some("1Z999".into()),
        by: "Ines".into(),
    };
    shop.write(move |desk, tx| ship::hand_over(desk, tx, merchant, parcel, &handed))
        .await
}

/// The word of a conflict.
pub fn conflict<T: std::fmt::Debug>(result: Result<T, Problem>) -> &'static str {
    match result {
        Err(Problem::Conflict { kind, .. }) => kind,
        other => panic!("no conflict: {other:?}"),
    }
}

/// The wrong fields.
pub fn wrong<T: std::fmt::Debug>(result: Result<T, Problem>) -> Vec<String> {
    match result {
        Err(Problem::Invalid(errors)) => errors.into_iter().map(|e| e.field).collect(),
        other => panic!("nothing wrong: {other:?}"),
    }
}
