//! Telling people, the public record, what is sold from stock, and data in and out.

mod exchange;
mod posts;
mod record;
mod sale;
mod signs;

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::ids::{BatchId, OptionId};
use muster::store::campaigns::CampaignRow;
use muster::store::{campaigns, orders, stock};
use muster::workflows::desk::Problem;
use muster::workflows::receive::{Count, receive};
use muster::workflows::stock_sale;

use crate::goods::scene::count;
use crate::support::shop::Shop;

/// The campaign's deadline has passed, and the order is with the supplier.
pub async fn ordered(shop: &Shop, campaign: &CampaignRow) {
    let left = campaign.deadline.and_utc() - shop.now() + Duration::hours(1);
    shop.advance(left).await;
    shop.expect_state(campaign, CampaignState::Ordered).await;
}

/// So many good units of its first option arrive; paid lines are given theirs. Batch and option.
pub async fn arrived(shop: &Shop, campaign: &CampaignRow, good: i64) -> (BatchId, OptionId) {
    let (id, merchant) = (campaign.id, shop.merchant);
    shop.write(move |_, tx| {
        let batch = campaigns::batch_of(tx.conn, id)?.unwrap();
        let option = campaigns::options_of(tx.conn, id)?.remove(0);
        let more = Count {
            confirm: true,
            ..count(&[(&option.sku, good, 0)])
        };
        receive(tx, merchant, batch.id, &more)?;
        Ok((batch.id, option.id))
    })
    .await
    .unwrap()
}

/// Six are paid, eight arrive, and the two that are left over are put on sale.
pub async fn left_over(shop: &Shop, body: serde_json::Value) -> (CampaignRow, BatchId, OptionId) {
    let campaign = shop.publish(body).await;
    shop.join_and_pay(&campaign, "a@mail.example", 6).await;
    ordered(shop, &campaign).await;
    let (batch, option) = arrived(shop, &campaign, 8).await;
    put_on_sale(shop, batch, option, 2).await;
    (shop.campaign(&campaign).await, batch, option)
}

pub async fn put_on_sale(shop: &Shop, batch: BatchId, option: OptionId, units: i64) {
    offer(shop, batch, option, units).await.unwrap();
}

/// Staff offer so many units of an option.
pub async fn offer(
    shop: &Shop,
    batch: BatchId,
    option: OptionId,
    units: i64,
) -> Result<(), Problem> {
    let merchant = shop.merchant;
    shop.write(move |_, tx| {
        let known = campaigns::batch(tx.conn, batch)?.unwrap();
        let all = campaigns::options_of(tx.conn, known.campaign_id)?;
        let sku = &all.iter().find(|o| o.id == option).unwrap().sku;
        stock_sale::put_on_sale(tx, merchant, batch, sku, units, "Ana")
    })
    .await
}

/// What is on sale, and what is given to orders.
pub async fn stock_of(shop: &Shop, batch: BatchId, option: OptionId) -> (i64, i64) {
    let row = shop
        .read(move |conn| stock::of_option(conn, batch, option))
        .await
        .unwrap();
    let given: i64 = shop
        .read(move |conn| {
            let some = orders::of_batch(conn, batch, None, 1000)?;
            let ids: Vec<_> = some.iter().map(|order| order.id).collect();
            orders::lines_of_all(conn, &ids)
        })
        .await
        .iter()
        .filter(|line| line.option_id == option)
        .map(|line| line.allocated)
        .sum();
    assert_eq!(row.allocated, given, "the stock knows what its lines have");
    (row.on_sale, row.allocated)
}
