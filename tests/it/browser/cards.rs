//! Saved cards, lived through in the browser: one that is declined and put right from the mail, and an order that waited
//! for a price in vain.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::order::{OrderState, PaymentState};
use muster::store::campaigns::CampaignRow;
use serde_json::json;

use super::paying::{ask_for_the_total, come_back, give_the_card, order_of, reach_the_pay_page};
use crate::support::browser::Browser;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// Can be saved; each charge is refused.
const FAILS_LATER: &str = "4000000000000341";

async fn opened(shop: &Shop) -> CampaignRow {
    let mut body = shop.example_a();
    body["payment_mode"] = json!("charge_on_success");
    shop.publish(body).await
}

/// From the campaign's page to a saved card.
async fn join(
    browser: &Browser,
    shop: &Shop,
    campaign: &CampaignRow,
    (limit, total): (&str, &str),
    card: &str,
) {
    browser
        .goto(&shop.url(&format!("/c/{}", campaign.slug)))
        .await;
    browser
        .wait_for_text("your card is saved, nothing is charged")
        .await;
    if !limit.is_empty() {
        browser.fill(limit, "on").await;
    }
    ask_for_the_total(browser, "ana@mail.example", "2").await;
    browser.wait_for_text(&format!("{total} in all")).await;
    browser.wait_for_text("nothing; your card is saved").await;
    browser
        .click(&format!("Encomenda com obrigação de pagar {total}"))
        .await;
    browser.wait_for_text("Your units are kept").await;
    reach_the_pay_page(browser, shop, "Nothing is charged today.").await;
    give_the_card(browser, card, "Save card").await;
    come_back(browser, shop, "Your card is being confirmed", "You are in").await;
}

#[actix_web::test]
async fn a_declined_card_is_put_right_from_the_mail() {
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let campaign = opened(&shop).await;
    let browser = Browser::open().await;
    join(&browser, &shop, &campaign, ("", "$200.00"), FAILS_LATER).await;
    let other = shop.join(&campaign, "bo@mail.example", 4).await.order.id;
    shop.settle().await;
    assert_eq!(shop.pay(other, GOOD_CARD).await, 303);
    shop.settle().await;
    shop.advance(Duration::days(7) + Duration::minutes(5)).await;

    browser.goto(&shop.url("/sandbox/mail")).await;
    browser.wait_for_text("To ana@mail.example").await;
    let order = order_of(&shop, &campaign, "ana@mail.example").await.id;
    browser.click(&format!("/o/{order}")).await;
    browser.wait_for_text("Your card was declined").await;
    browser.click("Pay $180.00 now").await;
    browser.wait_for_text("You will pay $180.00.").await;
    reach_the_pay_page(&browser, &shop, "Cards to try").await;
    give_the_card(&browser, GOOD_CARD, "Pay $180.00").await;
    let awaits = "The provider has not told us yet";
    come_back(&browser, &shop, awaits, "Charged to your card").await;
    let row = shop.order(order).await;
    assert_eq!(
        (row.charged, row.owed, row.payment_state),
        (18000, 0, PaymentState::Paid)
    );
    shop.expect_state(&campaign, CampaignState::Ordered).await;
    shop.audit().await;
    shop.close().await;
}

#[actix_web::test]
async fn an_order_that_waits_for_a_price_in_vain_is_released_uncharged() {
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let campaign = opened(&shop).await;
    let browser = Browser::open().await;
    let limit = "Only if it gets that cheap: from 10 units, $80.00";
    join(&browser, &shop, &campaign, (limit, "$160.00"), GOOD_CARD).await;
    browser.click("See your order").await;
    browser
        .wait_for_text("You are in only if the price from 10 units is reached.")
        .await;
    let page = browser.url().await;
    let other = shop.join(&campaign, "bo@mail.example", 5).await.order.id;
    shop.settle().await;
    assert_eq!(shop.pay(other, GOOD_CARD).await, 303);
    shop.settle().await;
    shop.advance(Duration::days(7) + Duration::minutes(5)).await;
    browser.goto(&page).await;
    browser
        .wait_for_text("The price you waited for was not reached")
        .await;
    browser
        .wait_for_text("nothing will be. No card is kept.")
        .await;
    browser.goto(&shop.url("/sandbox/mail")).await;
    browser.wait_for_text("To ana@mail.example").await;
    browser.wait_for_text("the price from 10 units").await;
    let row = order_of(&shop, &campaign, "ana@mail.example").await;
    assert_eq!((row.state, row.charged), (OrderState::Cancelled, 0));
    shop.audit().await;
    shop.close().await;
}
