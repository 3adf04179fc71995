//! Telling people, the public record, what is sold from stock, and data in and out.

mod exchange;
mod posts;
mod record;
mod sale;
mod signs;

use chrono::Duration;
use muster::domain::campaign::{BatchState, CampaignState};
use muster::domain::ids::{BatchId, OptionId};
use muster::store::campaigns::CampaignRow;
use muster::store::posts::recipients;
use muster::store::stock::StockRow;
use muster::store::{campaigns, orders, stock};
use muster::workflows::stock_sale;

use crate::support::shop::Shop;

/// The campaign's deadline has passed, and the order is with the supplier.
pub async fn ordered(shop: &Shop, campaign: &CampaignRow) {
    let left = campaign.deadline.and_utc() - shop.now() + Duration::hours(1);
    shop.advance(left).await;
    shop.expect_state(campaign, CampaignState::Ordered).await;
}

/// So many good units of its first option arrive; paid lines are given theirs. Batch and option.
pub async fn arrived(shop: &Shop, campaign: &CampaignRow, good: i64) -> (BatchId, OptionId) {
    let id = campaign.id;
    shop.write(move |_, tx| {
        let batch = campaigns::batch_of(tx.conn, id)?.unwrap();
        let option = campaigns::options_of(tx.conn, id)?[0].id;
        let mut given = 0;
        for order in recipients(tx.conn, id, None, 1000)? {
            for mut line in orders::lines_of(tx.conn, order.id)? {
                line.allocated = line.quantity;
                line.state = line.units().state();
                given += line.quantity;
                orders::save_line(tx.conn, &line)?;
            }
        }
        let row = StockRow {
            ordered: good,
            good,
            allocated: given,
            ..StockRow::new(batch.id, option)
        };
        stock::save(tx.conn, &row)?;
        let now = tx.now.naive_utc();
        let (from, to) = (CampaignState::Ordered, CampaignState::Fulfilling);
        campaigns::move_state(tx.conn, id, from, to, None, now)?;
        campaigns::move_batch(
            tx.conn,
            batch.id,
            BatchState::Ordered,
            BatchState::Fulfilling,
        )?;
        tx.touch(id);
        Ok((batch.id, option))
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
    shop.write(move |_, tx| stock_sale::put_on_sale(tx, batch, option, units, "Ana"))
        .await
        .unwrap();
}

/// What is on sale, and what is given to orders.
pub async fn stock_of(shop: &Shop, batch: BatchId, option: OptionId) -> (i64, i64) {
    let row = shop
        .read(move |conn| stock::of_option(conn, batch, option))
        .await
        .unwrap();
    let given: i64 = shop
        .read(move |conn| {
            let some = muster::store::orders::of_batch(conn, batch, None, 1000)?;
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
