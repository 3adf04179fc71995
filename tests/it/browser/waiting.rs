//! A sold-out option, lived through in the browser: on the list, a mail, taken, paid.

use muster::domain::order::{OrderState, PaymentState};

use crate::shop::Visitor;
use crate::support::browser::Browser;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};
use crate::waiting::five;

#[actix_web::test]
async fn who_waited_for_a_sold_out_option_takes_it_from_the_mail_and_pays() {
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let campaign = shop.publish(five(&shop)).await;
    let full = shop.join_and_pay(&campaign, "full@mail.example", 5).await;
    let browser = Browser::open().await;
    browser
        .goto(&shop.url(&format!("/c/{}", campaign.slug)))
        .await;
    browser.wait_for_text("sold out").await;
    browser.fill("qty_set", "2").await;
    browser.fill("E-mail", "ana@mail.example").await;
    browser.fill("Name", "Ana Sousa").await;
    browser.fill("Ship to", "Portugal").await;
    browser.fill("Street and number", "Rua das Flores 12").await;
    browser.fill("Postal code", "4050-262").await;
    browser.fill("Town", "Porto").await;
    browser.fill("terms", "on").await;
    browser.click("Put me on the waiting list").await;
    browser.wait_for_text("Wait for it?").await;
    browser.click("Put me on the waiting list").await;
    browser.wait_for_text("You are next in line").await;

    shop.cancel(full).await.unwrap();
    shop.settle().await;
    browser.goto(&shop.url("/sandbox/mail")).await;
    browser.wait_for_text("are yours until").await;
    let orders = Visitor::of(&shop).orders_of(&campaign).await;
    let order = orders
        .iter()
        .find(|o| o.email == "ana@mail.example")
        .expect("the order that the browser placed")
        .id;
    browser.click(&format!("/o/{order}")).await;
    browser.wait_for_text("Units came free for you").await;
    browser.wait_for_text("left").await;
    browser
        .click("Encomenda com obrigação de pagar $200.00")
        .await;
    browser.wait_for_text("Your units are kept").await;
    shop.settle().await;
    browser.wait_for_text("Cards to try").await;
    browser.fill("Card number", GOOD_CARD).await;
    browser.fill("Valid until", "12 / 40").await;
    browser.fill("Security code", "123").await;
    browser.click("Pay $200.00").await;
    browser
        .wait_for_text("Your payment is being confirmed")
        .await;
    shop.settle().await;
    browser.wait_for_text("You are in").await;
    let row = shop.order(order).await;
    assert_eq!(
        (row.state, row.payment_state),
        (OrderState::Confirmed, PaymentState::Paid)
    );
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    shop.audit().await;
    shop.close().await;
}
