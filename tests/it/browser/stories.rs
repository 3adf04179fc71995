//! Both ends of a campaign, lived through in the browser: enough people paid and the supplier's order went out; or too
//! few, and everybody has the money back.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::order::{OrderState, PaymentState};
use muster::domain::purchase_order::PurchaseOrderState;
use muster::store::campaigns::CampaignRow;

use super::paying::{ask_for_the_total, come_back, give_the_card, order_of, reach_the_pay_page};
use crate::minimum::{black_45_and_red_16, black_and_red};
use crate::shop::Visitor;
use crate::support::browser::Browser;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

const EMPTY_ACCOUNT: &str = "4000000000009995";

/// From the list of campaigns to the provider's pay page.
async fn join(browser: &Browser, shop: &Shop, email: &str) {
    browser.goto(&shop.url("/")).await;
    browser.wait_for_text("Enough of us").await;
    browser.click("Ridge pour-over set").await;
    browser.wait_for_text("What happens to your money").await;
    ask_for_the_total(browser, email, "2").await;
    place_the_order(browser, shop, email).await;
}

/// From the exact total to the provider's pay page.
async fn place_the_order(browser: &Browser, shop: &Shop, email: &str) {
    browser.wait_for_text("$200.00 in all").await;
    let review = browser.visible_text().await;
    for said in ["Rua do Forno 1", "Rua das Flores 12", "version 1", email] {
        assert!(review.contains(said), "{said:?} is not in {review}");
    }
    // The address is in Portugal, where the law wants these words.
    browser
        .click("Encomenda com obrigação de pagar $200.00")
        .await;
    browser.wait_for_text("Your units are kept").await;
    reach_the_pay_page(browser, shop, "Cards to try").await;
    assert!(browser.url().await.contains("/sandbox/pay/"));
}

/// Pays on the page that is open, is thanked, and looks at the order; the order's address.
async fn pay_and_look_at_the_order(browser: &Browser, shop: &Shop) -> String {
    give_the_card(browser, GOOD_CARD, "Pay $200.00").await;
    come_back(
        browser,
        shop,
        "Your payment is being confirmed",
        "You are in",
    )
    .await;
    browser.click("See your order").await;
    browser.wait_for_text("Where it is").await;
    browser.wait_for_text("Charged to your card").await;
    browser.url().await
}

/// Moves the clock in the sandbox past the campaign's deadline, with its form.
async fn move_the_clock_past(browser: &Browser, shop: &Shop, campaign: &CampaignRow) {
    let past = campaign.deadline + Duration::days(1);
    browser.goto(&shop.url("/sandbox")).await;
    let typed = past.format("%Y-%m-%dT%H:%M").to_string();
    browser.fill("To this time, in UTC", &typed).await;
    browser.click("Move").await;
    let now = past.format("It is %-d %B %Y, %H:%M UTC").to_string();
    browser.wait_for_text(&now).await;
}

async fn end(browser: &Browser, shop: Shop) {
    shop.audit().await;
    no_errors(browser).await;
    shop.close().await;
}

/// The console is quiet, but for the status of the page that refused a card (402) or a form (422), which it repeats.
async fn no_errors(browser: &Browser) {
    let mut errors = browser.console_errors().await;
    let refused = |e: &str, path: &str, status: &str| e.contains(path) && e.contains(status);
    errors.retain(|e| !refused(e, "/sandbox/pay/", "402") && !refused(e, "/orders", "422"));
    assert!(errors.is_empty(), "{errors:#?}");
}

both_databases! {
    async fn from_the_list_of_campaigns_to_the_suppliers_answer(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let browser = Browser::open().await;
        join(&browser, &shop, "ana@mail.example").await;
        give_the_card(&browser, EMPTY_ACCOUNT, "Pay $200.00").await;
        browser.wait_for_text("Your card has insufficient funds.").await;
        browser.wait_for_text("Nothing was charged.").await;
        let order_page = pay_and_look_at_the_order(&browser, &shop).await;
        shop.audit().await;
        for (email, quantity) in [("bo@mail.example", 2), ("cy@mail.example", 2)] {
            shop.join_and_pay(&campaign, email, quantity).await;
        }

        move_the_clock_past(&browser, &shop, &campaign).await;
        // 6 units came together: everybody pays the second step.
        browser.goto(&order_page).await;
        browser.wait_for_text("It is with the supplier").await;
        browser.wait_for_text("$100.00 each when you joined, $90.00 in the end").await;
        browser.wait_for_text("The price fell").await;
        browser.wait_for_text("\u{2212}$20.00").await;
        let order = order_of(&shop, &campaign, "ana@mail.example").await;
        assert_eq!((order.charged, order.refunded, order.final_total), (20000, 2000, Some(18000)));
        assert_eq!(order.state, OrderState::Backordered);

        browser.goto(&shop.url("/sandbox/mail")).await;
        browser.wait_for_text("To orders@kasten.example").await;
        browser.wait_for_text("Purchase order PO-0001").await;
        browser.click("/s/").await;
        browser.wait_for_text("Fern & Kiln orders 6 units").await;
        browser.wait_for_text("$240.00").await;
        browser.click("We have the order").await;
        browser.wait_for_text("You acknowledged it").await;
        shop.settle().await;
        assert_eq!(shop.purchase_orders(&campaign).await[0].state, PurchaseOrderState::Acknowledged);
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        end(&browser, shop).await;
    }
}

#[actix_web::test]
async fn from_the_list_of_campaigns_to_the_refund_on_the_order_page() {
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let campaign = shop.publish(shop.example_a()).await;
    let browser = Browser::open().await;
    join(&browser, &shop, "ana@mail.example").await;
    let order_page = pay_and_look_at_the_order(&browser, &shop).await;

    move_the_clock_past(&browser, &shop, &campaign).await;
    browser.goto(&order_page).await;
    browser.wait_for_text("Refunded").await;
    browser.wait_for_text("\u{2212}$200.00").await;
    assert_eq!(browser.count("a[href*='/cancel']").await, 0);
    let order = order_of(&shop, &campaign, "ana@mail.example").await;
    assert_eq!((order.charged, order.refunded), (20000, 20000));
    assert_eq!(order.state, OrderState::Cancelled);
    assert_eq!(order.payment_state, PaymentState::Refunded);
    shop.expect_state(&campaign, CampaignState::Failed).await;

    browser.goto(&shop.url("/sandbox/mail")).await;
    browser
        .wait_for_text("$200.00 goes back to the card you paid with")
        .await;
    browser
        .goto(&shop.url(&format!("/c/{}", campaign.slug)))
        .await;
    browser.wait_for_text("It did not come together").await;
    end(&browser, shop).await;
}

#[actix_web::test]
async fn an_option_that_too_few_ordered_is_not_made_and_its_price_goes_back() {
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let campaign = shop.publish(black_and_red(&shop, 40)).await;
    let [_, both, red] = black_45_and_red_16(&shop, &campaign).await;
    let browser = Browser::open().await;
    let page = shop.url(&format!("/c/{}", campaign.slug));
    browser.goto(&page).await;
    browser
        .wait_for_text("made if 20 are ordered, 16 so far")
        .await;
    move_the_clock_past(&browser, &shop, &campaign).await;
    browser.goto(&page).await;
    browser.wait_for_text("not made: 16 of 20 ordered").await;
    let order_page = async |id| {
        let order = shop.order(id).await;
        shop.url(&Visitor::of(&shop).path_of(&order, ""))
    };
    browser.goto(&order_page(both).await).await;
    browser
        .wait_for_text("dropped: too few were ordered, so it is not made")
        .await;
    browser.wait_for_text("\u{2212}$270.00").await;
    // What was charged and what went back, each on a paper of its own, and back again.
    browser.click("Receipt R-").await;
    browser.wait_for_text("Back to the order").await;
    assert!(browser.url().await.contains("/receipts/R-"));
    browser.click("Back to the order").await;
    browser.wait_for_text("Where it is").await;
    browser.click("Credit note C-").await;
    browser.wait_for_text("$270.00").await;
    browser.goto(&order_page(red).await).await;
    browser.wait_for_text("What you ordered is not made").await;
    browser.wait_for_text("\u{2212}$185.00").await;
    browser.goto(&shop.url("/sandbox/mail")).await;
    browser
        .wait_for_text("came together, but without 10 \u{d7} Red")
        .await;
    end(&browser, shop).await;
}

#[actix_web::test]
async fn the_campaigns_progress_moves_while_a_visitor_looks_on() {
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let campaign = shop.publish(shop.example_a()).await;
    let browser = Browser::open().await;
    browser
        .goto(&shop.url(&format!("/c/{}", campaign.slug)))
        .await;
    browser.wait_for_text("0 of 5").await;
    // What was typed stays, for nothing is loaded again.
    browser.fill("Name", "Ana Sou").await;
    shop.join_and_pay(&campaign, "bo@mail.example", 3).await;
    browser.wait_for_text("3 of 5").await;
    browser
        .wait_for_text("2 more and everybody pays $90.00.")
        .await;
    shop.join_and_pay(&campaign, "cy@mail.example", 2).await;
    browser.wait_for_text("5 needed, 5 ordered").await;
    browser
        .wait_for_text("5 more and everybody pays $80.00.")
        .await;
    assert_eq!(browser.value_of("Name").await, "Ana Sou");
    end(&browser, shop).await;
}

#[actix_web::test]
async fn a_shopper_without_javascript_joins_and_pays() {
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let campaign = shop.publish(shop.example_a()).await;
    let browser = Browser::open_without_javascript().await;
    browser.goto(&shop.url("/")).await;
    browser.click("Ridge pour-over set").await;
    ask_for_the_total(&browser, "ana@mail.example", "10001").await;
    // What is wrong is told at the field, and everything typed is kept.
    browser.wait_for_text("Write 10,000 at most.").await;
    assert_eq!(browser.value_of("Town").await, "Porto");
    browser.fill("qty_set", "2").await;
    browser.click("Show the exact total").await;
    place_the_order(&browser, &shop, "ana@mail.example").await;
    pay_and_look_at_the_order(&browser, &shop).await;
    let order = order_of(&shop, &campaign, "ana@mail.example").await;
    assert_eq!((order.state, order.charged), (OrderState::Confirmed, 20000));
    end(&browser, shop).await;
}
