//! One card in twenty says no when a campaign is charged.

use chrono::Duration;
use diesel::prelude::*;
use diesel::sql_types::Text;
use futures_util::future::join_all;
use muster::domain::campaign::CampaignState;
use muster::domain::ids::OrderId;
use muster::domain::order::OrderState;
use muster::store::dues;
use serde_json::Value;

use super::{deadline_passes, saved};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// Two of each of those that say no.
const ORDERS: usize = 160;
/// Declined, without money, lost, and one whose bank asks for its holder.
const SAY_NO: [&str; 4] = [
    "4000000000000002",
    "4000000000009995",
    "4000000000009987",
    "4000002760003184",
];

/// What became of the n-th card since it was saved.
fn became(n: usize) -> Option<&'static str> {
    (n % 20 == 19).then(|| SAY_NO[n / 20 % SAY_NO.len()])
}

/// Everybody joins and saves a card.
async fn all_join(shop: &Shop, campaign: &muster::store::campaigns::CampaignRow) -> Vec<OrderId> {
    let office = &shop.running.app.office;
    let wishes = (0..ORDERS).map(|n| shop.wish(campaign, &format!("s{n}@mail.example"), 1));
    let placed = join_all(wishes.map(|wish| office.join(wish))).await;
    let placed: Vec<OrderId> = placed.into_iter().map(|p| p.unwrap().order.id).collect();
    shop.settle().await;
    for some in placed.chunks(16) {
        let saved = join_all(some.iter().map(|id| shop.pay(*id, GOOD_CARD))).await;
        assert!(saved.iter().all(|status| *status == 303));
    }
    shop.settle().await;
    placed
}

/// From now on the provider knows another number behind a saved card.
async fn turn_bad(shop: &Shop, placed: &[OrderId]) {
    let books = shop.data_dir().join("sandbox.db");
    let mut conn = SqliteConnection::establish(books.to_str().unwrap()).unwrap();
    for (n, order) in placed.iter().enumerate() {
        let Some(number) = became(n) else { continue };
        let order = *order;
        let card = shop.read(move |c| dues::card_of(c, order)).await.unwrap();
        let query = "UPDATE object SET hidden = json_set(hidden, '$.number', ?) WHERE id = ?";
        let changed = diesel::sql_query(query)
            .bind::<Text, _>(number)
            .bind::<Text, _>(card.method_id)
            .execute(&mut conn);
        assert_eq!(changed.unwrap(), 1);
    }
}

/// How much the provider charged for each order, and what went back, of all its pages of lists.
async fn at_provider(shop: &Shop, what: &str) -> Vec<(String, i64)> {
    let (mut all, mut after) = (Vec::new(), String::new());
    loop {
        let page = shop.provider(&format!("{what}?limit=100{after}")).await;
        let data: Vec<Value> = page["data"].as_array().unwrap().clone();
        all.extend(
            data.iter()
                .filter(|one| one["status"] == "succeeded")
                .map(|one| {
                    let order = one["metadata"]["order"].as_str().unwrap();
                    (order.to_owned(), one["amount"].as_i64().unwrap())
                }),
        );
        match data.last() {
            Some(last) if page["has_more"] == true => {
                after = format!("&starting_after={}", last["id"].as_str().unwrap());
            }
            _ => return all,
        }
    }
}

both_databases! {
    async fn of_many_cards_one_in_twenty_says_no_and_the_others_are_charged_once(db: TestDatabase) {
        let shop = Shop::open(db.in_memory()).await;
        let campaign = shop.publish(saved(&shop)).await;
        let placed = all_join(&shop, &campaign).await;
        assert_eq!(shop.campaign(&campaign).await.committed_units, 160);
        turn_bad(&shop, &placed).await;
        deadline_passes(&shop, &campaign).await;
        shop.expect_state(&campaign, CampaignState::Collecting).await;
        assert_eq!(shop.campaign(&campaign).await.collected_units, 152);
        shop.audit().await;
        shop.advance(Duration::days(8)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(shop.purchase_orders(&campaign).await[0].units, 152);
        let mut charged = at_provider(&shop, "charges").await;
        charged.sort_unstable();
        let mut wanted = Vec::new();
        for (n, order) in placed.iter().enumerate() {
            let row = shop.order(*order).await;
            let pays = became(n).is_none();
            let (state, paid) = if pays { (OrderState::Backordered, 8_000) } else { (OrderState::Cancelled, 0) };
            assert_eq!((row.state, row.charged, row.owed), (state, paid, 0), "{n}: {row:#?}");
            if pays {
                wanted.push((order.to_string(), 8_000));
            }
        }
        wanted.sort_unstable();
        assert_eq!(charged, wanted, "once each, and nobody else");
        assert!(at_provider(&shop, "refunds").await.is_empty());
        shop.audit().await;
        shop.close().await;
    }
}
