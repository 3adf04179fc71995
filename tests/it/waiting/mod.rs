//! Waiting lists: sold-out options, strict order, offers and their ends.

mod offers;
mod pages;
mod races;

use chrono::Duration;
use muster::domain::ids::OrderId;
use muster::store::campaigns::CampaignRow;
use muster::store::orders::OrderRow;
use muster::store::waiting::{self, WaitingRow};
use muster::workflows::desk::Problem;
use muster::workflows::join::{Accepted, Waits};
use serde_json::{Value, json};

use crate::support::shop::Shop;

/// A campaign of five sets at most.
pub fn five(shop: &Shop) -> Value {
    let mut body = shop.example_a();
    body["threshold"]["target"] = json!(2);
    body["options"][0]["cap"] = json!(5);
    body
}

/// Goes on the list.
pub async fn waits(shop: &Shop, campaign: &CampaignRow, email: &str, units: i64) -> OrderId {
    let mut wish = shop.wish(campaign, email, units);
    wish.waits = Waits::IfSoldOut;
    wish.form_key = Some(format!("the form of {email}"));
    let placed = shop.running.app.office.join(wish).await.unwrap();
    shop.settle().await;
    placed.order.id
}

/// Accepts what is offered.
pub async fn accept(shop: &Shop, order: OrderId, total: Option<i64>) -> Result<OrderRow, Problem> {
    let accepted = Accepted {
        total,
        terms_version: Some(1),
        from: "127.0.0.1".into(),
    };
    let done = shop
        .write(move |desk, tx| muster::workflows::waiting::accept(desk, tx, order, &accepted))
        .await;
    if done.is_ok() {
        shop.settle().await;
    }
    done
}

/// The order's place.
pub async fn place(shop: &Shop, order: OrderId) -> WaitingRow {
    shop.read(move |c| waiting::of_order(c, order))
        .await
        .expect("a place")
}

pub async fn is_offered(shop: &Shop, order: OrderId) -> bool {
    place(shop, order).await.open_offer().is_some()
}

/// Units taken of the only option.
pub async fn taken(shop: &Shop, campaign: &CampaignRow) -> i64 {
    let id = campaign.id;
    let options = shop
        .read(move |c| muster::store::campaigns::options_of(c, id))
        .await;
    options[0].taken
}

pub const DAY: Duration = Duration::hours(24);

/// Keeps an edited offer, as staff do.
pub async fn edit(shop: &Shop, campaign: &CampaignRow, body: Value) {
    let (merchant, slug) = (shop.merchant, campaign.slug.clone());
    let input: muster::domain::draft::CampaignInput = serde_json::from_value(body).unwrap();
    shop.write(move |_, tx| muster::workflows::campaigns::edit(tx, merchant, &slug, input.clone()))
        .await
        .unwrap();
    shop.settle().await;
}
