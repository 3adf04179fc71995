//! The interest check: a campaign page without money, what staff read from it, and opening; and votes for what to run next.

mod answers;
mod api;
mod ideas;
mod opening;
mod panel;

use muster::domain::campaign::CampaignState;
use muster::domain::ids::InterestId;
use muster::store::campaigns::CampaignRow;
use muster::store::interest::{self, InterestRow};
use muster::store::jobs;
use muster::store::mails::{self, MailRow};
use muster::workflows::desk::enqueue;
use serde_json::{Value, json};

use crate::shop::{Seen, Visitor};
use crate::support::shop::Shop;

/// Worked example A with a lid beside the set, asked beforehand.
pub fn asks(shop: &Shop) -> Value {
    let mut offer = shop.example_a();
    offer["interest"] = json!(true);
    let set = offer["options"][0].clone();
    let lid = json!({"sku": "lid", "name": "Lid", "prices": [2000, 1500, 1500], "per_shopper": 3});
    offer["options"] = json!([set, lid]);
    offer
}

/// Publishes it: it asks.
pub async fn asking(shop: &Shop) -> CampaignRow {
    let campaign = shop.publish(asks(shop)).await;
    assert_eq!(campaign.state, CampaignState::Interest);
    campaign
}

/// Sends the form of the campaign's page.
pub async fn answers(shop: &Shop, campaign: &CampaignRow, form: &[(&str, &str)]) -> Seen {
    let path = format!("/c/{}/interest", campaign.slug);
    Visitor::of(shop).post(&path, form).await
}

/// Somebody would buy sets up to a price.
pub async fn would_buy(shop: &Shop, campaign: &CampaignRow, email: &str, sets: &str, up_to: &str) {
    let form = [("qty_set", sets), ("up_set", up_to), ("email", email)];
    let sent = answers(shop, campaign, &form).await;
    sent.is(303);
    assert_eq!(sent.to, Some(format!("/c/{}/interest/sent", campaign.slug)));
}

/// What an address answered.
pub async fn answer_of(shop: &Shop, campaign: &CampaignRow, email: &str) -> Option<InterestRow> {
    let (id, email) = (campaign.id, email.to_owned());
    shop.read(move |c| interest::by_email(c, id, &email)).await
}

/// Option, quantity and price of each line of an answer.
pub async fn lines_of(shop: &Shop, id: InterestId) -> Vec<(String, i64, i64)> {
    let lines = shop.read(move |c| interest::lines_of(c, &[id])).await;
    lines
        .into_iter()
        .map(|line| (line.sku, line.quantity, line.up_to))
        .collect()
}

/// The page of an answer.
pub fn path_of(shop: &Shop, row: &InterestRow) -> String {
    shop.running.app.office.desk().links.interest_path(row.id)
}

/// The letters to an address, oldest first.
pub async fn letters(shop: &Shop, email: &str) -> Vec<MailRow> {
    shop.settle().await;
    let all = shop.read(|c| mails::delivered(c, 1000)).await;
    all.into_iter().filter(|m| m.recipient == email).collect()
}

/// Lets housekeeping run, day by day from now on, as it does in a program that works.
pub async fn housekeeping(shop: &Shop) {
    shop.write(|_, tx| {
        let now = tx.now.naive_utc();
        enqueue(tx, jobs::HOUSEKEEPING, "all", now)
    })
    .await
    .unwrap();
}
