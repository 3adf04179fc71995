//! People who try again until it works, and leave alone what is done.

use chrono::{DateTime, Duration, Utc};
use muster::domain::campaign::CampaignState;
use muster::domain::ids::{OrderId, RefundId};
use muster::domain::order::OrderState;
use muster::store::campaigns::CampaignRow;
use muster::workflows::{campaigns, refund};
use serde_json::Value;

use super::movements;
use crate::support::shop::Shop;

/// By then the provider has told again what nobody took.
const TOLD_AGAIN: Duration = Duration::minutes(1);

/// Joins with one form, however often it is sent.
pub async fn joins(shop: &Shop, campaign: &CampaignRow, email: &str, units: i64) -> OrderId {
    let mut wish = shop.wish(campaign, email, units);
    wish.form_key = Some(format!("the form of {email}"));
    let placed = shop.running.app.office.join(wish).await;
    shop.settle().await;
    placed.expect("there is room").order.id
}

/// Pays the order's page, unless the provider has the money already. A page that is not there yet is waited for.
pub async fn pays(shop: &Shop, order: OrderId, card: &str) {
    for _ in 0..5 {
        if !movements(shop, order).await.0.is_empty() {
            break;
        }
        let made = shop.payments(order).await.pop().and_then(|p| p.session_id);
        match made {
            Some(_) => assert_eq!(shop.pay(order, card).await, 303),
            None => shop.advance(Duration::minutes(1)).await,
        }
    }
    assert_eq!(movements(shop, order).await.0.len(), 1, "it was paid, once");
    shop.advance(TOLD_AGAIN).await;
}

/// Pays a page of which nobody was told, unless the provider has the money already.
pub async fn pays_stray(shop: &Shop, order: OrderId, card: &str) {
    if movements(shop, order).await.0.is_empty() {
        let all = shop.provider("checkout/sessions?limit=100").await;
        let mut open = all["data"].as_array().unwrap().iter();
        let stray = open
            .find(|s| s["status"] == "open" && s["metadata"]["order"] == order.to_string())
            .expect("a page that nobody was told of");
        let pay = shop.url(&format!("/sandbox/pay/{}", stray["id"].as_str().unwrap()));
        let paid = shop.http.post(pay).form(&[("card", card)]).send().await;
        assert_eq!(paid.unwrap().status(), 303);
    }
    shop.advance(TOLD_AGAIN).await;
}

/// The clock comes to this time, if it is not later already.
pub async fn wait_until(shop: &Shop, time: DateTime<Utc>) {
    let left = time - shop.now();
    shop.advance(left.max(Duration::zero())).await;
}

/// The shopper leaves.
pub async fn leaves(shop: &Shop, order: OrderId) {
    shop.cancel(order)
        .await
        .expect("free until the purchase order is sent");
    shop.settle().await;
}

/// Staff cancel the campaign.
pub async fn staff_cancel(shop: &Shop, campaign: &CampaignRow) {
    if shop.campaign(campaign).await.state != CampaignState::Failed {
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        shop.write(move |desk, tx| campaigns::cancel(desk, tx, merchant, &slug, "Kiln broke"))
            .await
            .expect("an open campaign can be cancelled");
    }
    shop.settle().await;
}

/// Staff pay a refund that came back twice by bank transfer, and record it.
pub async fn staff_pay_otherwise(shop: &Shop, id: RefundId) {
    let done = shop
        .write(move |_, tx| refund::paid_otherwise(tx, id, "Ana", "SEPA 4711"))
        .await;
    // The second time it is refused: it is recorded.
    drop(done);
    shop.settle().await;
}

/// The bank decides every dispute that is open.
pub async fn bank_decides(shop: &Shop, outcome: &str) {
    let all: Value = shop.provider("disputes?limit=100").await;
    for dispute in all["data"].as_array().unwrap() {
        let decide = format!("/sandbox/disputes/{}", dispute["id"].as_str().unwrap());
        let form = [("outcome", outcome)];
        let done = shop.http.post(shop.url(&decide)).form(&form).send().await;
        assert_eq!(done.unwrap().status(), 303);
    }
    shop.settle().await;
}

/// The order's end: its state; what it was charged, what of it went back, what a dispute took; and the same, movement by
/// movement, at the provider.
pub async fn ended(
    shop: &Shop,
    order: OrderId,
    state: OrderState,
    [charged, refunded, lost]: [i64; 3],
) {
    let row = shop.order(order).await;
    assert_eq!(row.state, state, "{row:#?}");
    assert_eq!(
        (row.charged, row.refunded, row.lost, row.refund_due),
        (charged, refunded, lost, 0),
        "{row:#?}"
    );
    let one = |amount: i64| Vec::from_iter((amount > 0).then_some(amount));
    assert_eq!(movements(shop, order).await, (one(charged), one(refunded)));
}
