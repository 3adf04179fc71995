//! A shopper changes what an order is over, before the judgement (domain sections 2 to 4).

use chrono::Duration;
use muster::domain::ids::OrderId;
use muster::store::campaigns::CampaignRow;
use muster::store::changes::ChangeRow;
use muster::store::mails::MailRow;
use muster::workflows::changes::{Came, Wish, change};
use muster::workflows::desk::Problem;
use serde_json::{Value, json};

use crate::support::shop::Shop;

pub mod abroad;
mod consent;
mod pages;
mod rights;
mod staff;
mod story;
mod table;

/// Worked example A with a second option and ten percent of the total as a deposit where one is paid.
pub fn offer(shop: &Shop, mode: &str) -> Value {
    let mut body = shop.example_a();
    body["payment_mode"] = json!(mode);
    if mode == "deposit" {
        body["deposit_percent"] = json!(20);
    }
    body["options"] = json!([
        {"sku": "set", "name": "Full set", "prices": [10000, 9000, 8000]},
        {"sku": "lid", "name": "Lid", "prices": [1000, 900, 800], "cap": 20},
    ]);
    body
}

/// What an order is to be over.
pub fn lines(wanted: &[(&str, i64)]) -> Vec<(String, i64)> {
    let owned = wanted.iter().map(|(sku, n)| ((*sku).to_owned(), *n));
    owned.collect()
}

/// Asks for a change.
pub async fn asks(shop: &Shop, order: OrderId, wanted: &[(&str, i64)]) -> Result<Came, Problem> {
    let wish = Wish {
        lines: Some(lines(wanted)),
        ..Wish::of(order)
    };
    wishes(shop, wish).await
}

/// Asks for what is wished.
pub async fn wishes(shop: &Shop, wish: Wish) -> Result<Came, Problem> {
    let came = shop.write(move |desk, tx| change(desk, tx, &wish)).await;
    shop.settle().await;
    came
}

/// An order's changes.
pub async fn changes_of(shop: &Shop, order: OrderId) -> Vec<ChangeRow> {
    shop.read(move |c| muster::store::changes::of_order(c, order))
        .await
}

/// Units by option code that an order wants, in the order of the codes.
pub async fn wants(shop: &Shop, order: OrderId) -> Vec<(String, i64, i64)> {
    let lines = shop
        .read(move |c| muster::store::orders::lines_of(c, order))
        .await;
    let wanted = lines
        .into_iter()
        .filter(|line| line.units().wanted() > 0)
        .map(|line| (line.sku.clone(), line.units().wanted(), line.unit_price));
    wanted.collect()
}

/// Units of an option that are taken.
pub async fn taken(shop: &Shop, campaign: &CampaignRow, sku: &str) -> i64 {
    let id = campaign.id;
    let options = shop
        .read(move |c| muster::store::campaigns::options_of(c, id))
        .await;
    let option = options.into_iter().find(|option| option.sku == sku);
    option.expect("the option").taken
}

/// By then an unpaid page has ended.
pub const RUN_OUT: Duration = Duration::minutes(50);

/// The mails about an order.
pub async fn mails_of(shop: &Shop, order: OrderId) -> Vec<MailRow> {
    shop.read(move |c| muster::store::mails::of_order(c, order))
        .await
}
