//! The steps by which a shopper orders and pays in the browser: the same in every story.

use muster::store::campaigns::CampaignRow;
use muster::store::orders::{self, OrderFilter, OrderRow};

use crate::support::browser::Browser;
use crate::support::shop::Shop;

/// Fills in the form of the campaign's page, which is open.
pub async fn fill_in(browser: &Browser, email: &str, quantity: &str) {
    browser.fill("qty_set", quantity).await;
    browser.fill("E-mail", email).await;
    browser.fill("Name", "Ana Sousa").await;
    browser.fill("Ship to", "Portugal").await;
    browser.fill("Street and number", "Rua das Flores 12").await;
    browser.fill("Postal code", "4050-262").await;
    browser.fill("Town", "Porto").await;
    browser.fill("terms", "on").await;
}

/// Fills in the form of the campaign's page, which is open, and sends it.
pub async fn ask_for_the_total(browser: &Browser, email: &str, quantity: &str) {
    fill_in(browser, email, quantity).await;
    browser.click("Show the exact total").await;
}

/// Waits for the provider's page, which is made in the background: who waits in the queue is led there. `shows`: what
/// stands on it.
pub async fn reach_the_pay_page(browser: &Browser, shop: &Shop, shows: &str) {
    shop.settle().await;
    browser.wait_for_text(shows).await;
}

/// Types a card into the provider's page, which is open, and presses its button.
pub async fn give_the_card(browser: &Browser, card: &str, button: &str) {
    browser.fill("Card number", card).await;
    browser.fill("Valid until", "12 / 40").await;
    browser.fill("Security code", "123").await;
    browser.click(button).await;
}

/// Back from the provider's page. Nothing has told the shop yet: it says so rather than guess (`awaits`), asks again by
/// itself, and says what it heard (`heard`).
pub async fn come_back(browser: &Browser, shop: &Shop, awaits: &str, heard: &str) {
    browser.wait_for_text(awaits).await;
    shop.settle().await;
    browser.wait_for_text(heard).await;
}

/// The order that a shopper placed.
pub async fn order_of(shop: &Shop, campaign: &CampaignRow, email: &str) -> OrderRow {
    let filter = OrderFilter {
        campaign: Some(campaign.id),
        ..OrderFilter::default()
    };
    let merchant = shop.merchant;
    let all = shop
        .read(move |c| orders::list(c, merchant, &filter, 100))
        .await;
    all.into_iter()
        .find(|o| o.email == email)
        .expect("the order that the browser placed")
}
