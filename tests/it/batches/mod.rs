//! Further batches of one campaign (domain section 2, trigger): each priced and judged from nought, until the deadline.

mod edges;
mod leftovers;
mod pages;
mod story;

use muster::domain::ids::OrderId;
use muster::store::campaigns::{self, BatchRow, CampaignRow};
use muster::store::orders;
use muster::store::purchase_orders::{self, PurchaseOrderRow};
use serde_json::{Value, json};

use crate::support::shop::Shop;

/// Worked example A with further batches: 5 units make one; from 5 units on a set costs 90, from 10 on 80.
pub fn late_joins(shop: &Shop) -> Value {
    let mut body = shop.example_a();
    body["trigger"] = json!("at_threshold");
    body["late_joins"] = json!(true);
    body
}

/// All batches of a campaign.
pub async fn batches(shop: &Shop, campaign: &CampaignRow) -> Vec<BatchRow> {
    let id = campaign.id;
    shop.read(move |c| campaigns::batches_of(c, id)).await
}

/// The states of a campaign's batches, with their units when they were judged.
pub async fn states(shop: &Shop, campaign: &CampaignRow) -> Vec<(&'static str, i64)> {
    let all = batches(shop, campaign).await;
    all.iter()
        .map(|b| (b.state.as_str(), b.units_paid))
        .collect()
}

/// The number of an order's batch.
pub async fn batch_of(shop: &Shop, order: OrderId) -> i32 {
    shop.read(move |c| {
        let row = orders::by_id(c, order)?.expect("an order");
        Ok(campaigns::batch(c, row.batch_id)?
            .expect("its batch")
            .number)
    })
    .await
}

/// The supplier's orders of a batch.
pub async fn ordered(shop: &Shop, batch: &BatchRow) -> Vec<PurchaseOrderRow> {
    let id = batch.id;
    shop.read(move |c| purchase_orders::of_batch(c, id)).await
}

/// What a campaign's counters say of the batch that gathers: committed units, paid ones, paid orders; and what is taken of
/// the first option over the whole campaign.
pub async fn counted(shop: &Shop, campaign: &CampaignRow) -> (i64, i64, i64, i64) {
    let row = shop.campaign(campaign).await;
    let id = campaign.id;
    let options = shop.read(move |c| campaigns::options_of(c, id)).await;
    (
        row.committed_units,
        row.collected_units,
        row.collected_orders,
        options[0].taken,
    )
}
