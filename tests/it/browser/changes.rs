//! A changed order, lived through in the browser: another quantity, another option, the difference paid.

use super::accessible::{axe, looks_well};
use super::paying::{come_back, give_the_card, reach_the_pay_page};
use crate::changes::offer;
use crate::support::browser::Browser;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

#[actix_web::test]
async fn an_order_is_changed_and_the_difference_is_paid() {
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let campaign = shop.publish(offer(&shop, "charge_now")).await;
    let order = shop.join_and_pay(&campaign, "ana@mail.example", 1).await;
    let token = shop.running.app.office.desk().links.order_token(order);
    let browser = Browser::open().await;
    browser
        .goto(&shop.url(&format!("/o/{order}?t={token}")))
        .await;
    browser.click("Change what you ordered").await;
    browser.wait_for_text("What shall it be?").await;
    let axe = axe();
    looks_well(&browser, &axe, "changing an order").await;
    browser.fill("qty_set", "2").await;
    browser.fill("qty_lid", "1").await;
    browser.click("Show the new total").await;
    browser.wait_for_text("$110.00 more").await;
    let review = browser.visible_text().await;
    for said in ["Rua do Forno 1", "version 1", "$210.00"] {
        assert!(review.contains(said), "{said:?} is not in {review}");
    }
    looks_well(&browser, &axe, "the new total").await;
    // The address is in Portugal, where the law wants these words.
    browser
        .click("Encomenda com obrigação de pagar $110.00")
        .await;
    browser.wait_for_text("You will pay $110.00.").await;
    let queue = browser.url().await;
    browser
        .goto(&shop.url(&format!("/o/{order}?t={token}")))
        .await;
    browser.wait_for_text("Your change is not paid yet").await;
    looks_well(&browser, &axe, "a change that is not paid yet").await;
    browser.goto(&queue).await;
    reach_the_pay_page(&browser, &shop, "Cards to try").await;
    give_the_card(&browser, GOOD_CARD, "Pay $110.00").await;
    let awaits = "The provider has not told us yet";
    come_back(&browser, &shop, awaits, "$110.00 was charged for it.").await;
    let page = browser.visible_text().await;
    assert!(
        page.contains("2 × Full set") && page.contains("1 × Lid"),
        "{page}"
    );
    assert_eq!(shop.order(order).await.charged, 21_000);
    shop.audit().await;
    shop.close().await;
}
