//! Cards that are saved at joining and charged later, deposits, and orders that wait for a step (domain sections 2 to 4).

use chrono::Duration;
use muster::domain::due::DueState;
use muster::domain::ids::OrderId;
use muster::store::campaigns::CampaignRow;
use muster::store::dues;
use muster::workflows::receive::receive;
use serde_json::{Value, json};

use crate::goods::scene::count;
use crate::support::shop::Shop;

mod asked;
mod deposit;
mod flight;
mod grace;
mod leaving;
mod letters;
mod limits;
mod many;
mod pages;
mod shown;
mod success;
mod surprises;
mod table;

/// Asks its holder at each payment.
pub const ASKS_ALWAYS: &str = "4000002760003184";
/// Can be saved; each charge is refused.
pub const FAILS_LATER: &str = "4000000000000341";

/// Worked example A, with a card that is saved and charged on success.
pub fn saved(shop: &Shop) -> Value {
    let mut body = shop.example_a();
    body["payment_mode"] = json!("charge_on_success");
    body
}

/// Worked example A with a deposit of 20 percent.
pub fn with_deposit(shop: &Shop, unpaid: &str) -> Value {
    let mut body = shop.example_a();
    body["payment_mode"] = json!("deposit");
    body["deposit_percent"] = json!(20);
    body["deposit_unpaid"] = json!(unpaid);
    body
}

/// Joins and has the page made.
pub async fn joins(
    shop: &Shop,
    campaign: &CampaignRow,
    email: &str,
    units: i64,
    limit: Option<usize>,
) -> OrderId {
    let mut wish = shop.wish(campaign, email, units);
    wish.limit_step = limit;
    let placed = shop.running.app.office.join(wish).await;
    shop.settle().await;
    placed.expect("there is room").order.id
}

/// Completes the last page of an order with a card, saying yes to the bank; the pay page's status.
pub async fn completes(shop: &Shop, order: OrderId, card: &str) -> u16 {
    let page = shop.payments(order).await.pop().expect("a payment");
    let session = page.session_id.expect("the page was made");
    let answer = shop
        .http
        .post(shop.url(&format!("/sandbox/pay/{session}")))
        .form(&[("card", card), ("outcome", "succeed")])
        .send()
        .await
        .expect("the pay page");
    shop.settle().await;
    answer.status().as_u16()
}

/// Joins, and saves the card or pays the deposit.
pub async fn saves(
    shop: &Shop,
    campaign: &CampaignRow,
    email: &str,
    units: i64,
    card: &str,
) -> OrderId {
    let order = joins(shop, campaign, email, units, None).await;
    completes(shop, order, card).await;
    order
}

/// The deadline passes, and what is due is done.
pub async fn deadline_passes(shop: &Shop, campaign: &CampaignRow) {
    let at = shop.campaign(campaign).await.deadline.and_utc() + Duration::minutes(5);
    shop.advance((at - shop.now()).max(Duration::zero())).await;
}

/// Where the collecting of an order stands.
pub async fn due_of(shop: &Shop, order: OrderId) -> Option<DueState> {
    let due = shop.read(move |c| dues::of_order(c, order)).await;
    due.map(|due| due.state)
}

/// Units of the batch arrive and are counted.
pub async fn arrive(shop: &Shop, campaign: &CampaignRow, units: i64) {
    let (merchant, batch) = (shop.merchant, shop.batch(campaign).await.id);
    let counted = count(&[("set", units, 0)]);
    shop.write(move |_, tx| receive(tx, merchant, batch, &counted))
        .await
        .expect("counted");
    shop.settle().await;
}

/// Pages on which the shopper pays what the card did not.
pub async fn asks_to_pay(shop: &Shop, order: OrderId) {
    shop.write(move |desk, tx| muster::workflows::collect::pay(desk, tx, order))
        .await
        .expect("something is owed");
    shop.settle().await;
}
