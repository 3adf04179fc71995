//! The supplier's side: answers by link, dates, and the ways out where an order cannot stay with its supplier.

mod api;
mod dates;
mod page;
mod panel;
mod ways;

use chrono::Duration;
use muster::domain::campaign::BatchState;
use muster::domain::ids::SupplierId;
use muster::domain::purchase_order::PurchaseOrderState;
use muster::store::campaigns::CampaignRow;
use muster::store::etas::EtaRow;
use muster::store::merchants::{self, SupplierRow};
use muster::store::purchase_orders::PurchaseOrderRow;
use muster::store::{etas, stock};
use serde_json::json;

use crate::support::shop::Shop;

/// Another supplier, cheaper and faster than the shop's first.
pub async fn backup(shop: &Shop, change: impl FnOnce(&mut SupplierRow)) -> SupplierRow {
    let mut row = SupplierRow {
        id: SupplierId::new(),
        name: "Olaria Norte".into(),
        email: "po@olaria.example".into(),
        lead_time_days: 20,
        unit_costs: json!({"set": 3500, "mug": 900}).to_string(),
        ..shop.supplier.clone()
    };
    change(&mut row);
    let kept = row.clone();
    shop.write(move |_, tx| Ok(merchants::insert_supplier(tx.conn, &kept)?))
        .await
        .unwrap();
    row
}

/// Changes what the shop's first supplier takes.
pub async fn with_terms(shop: &Shop, change: impl FnOnce(&mut SupplierRow)) {
    let mut row = shop.supplier.clone();
    change(&mut row);
    shop.write(move |_, tx| Ok(merchants::save_supplier(tx.conn, &row)?))
        .await
        .unwrap();
}

/// A campaign of six paid units whose order went out.
pub async fn ordered(shop: &Shop) -> (CampaignRow, PurchaseOrderRow) {
    let campaign = shop.publish(shop.example_a()).await;
    shop.join_and_pay(&campaign, "a@mail.example", 6).await;
    shop.advance(Duration::days(7) + Duration::minutes(1)).await;
    let po = shop.purchase_orders(&campaign).await.pop().unwrap();
    assert_eq!(po.state, PurchaseOrderState::Sent);
    (campaign, po)
}

/// A supplier's address of its order.
pub fn address(shop: &Shop, po: &PurchaseOrderRow) -> String {
    let links = &shop.running.app.office.desk().links;
    format!("/s/{}", links.supplier_token(po.id, po.version))
}

/// A day so many days from now, as forms send it.
pub fn in_days(shop: &Shop, days: i64) -> String {
    (shop.now() + Duration::days(days)).date_naive().to_string()
}

pub async fn po(shop: &Shop, row: &PurchaseOrderRow) -> PurchaseOrderRow {
    let id = row.id;
    shop.read(move |c| muster::store::purchase_orders::by_id(c, id))
        .await
        .unwrap()
}

pub async fn dates(shop: &Shop, campaign: &CampaignRow) -> Vec<EtaRow> {
    let batch = shop.batch(campaign).await.id;
    shop.read(move |c| etas::of_batch(c, batch)).await
}

/// Units on order, all options together.
pub async fn on_order(shop: &Shop, campaign: &CampaignRow) -> i64 {
    let batch = shop.batch(campaign).await.id;
    let rows = shop.read(move |c| stock::of_batch(c, batch)).await;
    rows.iter().map(|row| row.ordered).sum()
}

pub async fn batch_is(shop: &Shop, campaign: &CampaignRow, state: BatchState) {
    assert_eq!(shop.batch(campaign).await.state, state);
}

/// How many of these subjects say it.
pub fn told(mails: &[String], words: &str) -> usize {
    mails.iter().filter(|m| m.contains(words)).count()
}

pub const STAFF: &str = "hello@fern.example";
pub const FIRST: &str = "orders@kasten.example";
