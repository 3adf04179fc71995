//! A sold-out option, lived through in the browser: on the list, a mail, taken, paid.

use muster::domain::order::{OrderState, PaymentState};

use super::paying::{come_back, fill_in, give_the_card, order_of, reach_the_pay_page};
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
    fill_in(&browser, "ana@mail.example", "2").await;
    browser.click("Put me on the waiting list").await;
    browser.wait_for_text("Wait for it?").await;
    browser.click("Put me on the waiting list").await;
    browser.wait_for_text("You are next in line").await;

    shop.cancel(full).await.unwrap();
    shop.settle().await;
    browser.goto(&shop.url("/sandbox/mail")).await;
    browser.wait_for_text("are yours until").await;
    let order = order_of(&shop, &campaign, "ana@mail.example").await.id;
    browser.click(&format!("/o/{order}")).await;
    browser.wait_for_text("Units came free for you").await;
    browser.wait_for_text("left").await;
    browser
        .click("Encomenda com obrigação de pagar $200.00")
        .await;
    browser.wait_for_text("Your units are kept").await;
    reach_the_pay_page(&browser, &shop, "Cards to try").await;
    give_the_card(&browser, GOOD_CARD, "Pay $200.00").await;
    let awaits = "Your payment is being confirmed";
    come_back(&browser, &shop, awaits, "You are in").await;
    let row = shop.order(order).await;
    assert_eq!(
        (row.state, row.payment_state),
        (OrderState::Confirmed, PaymentState::Paid)
    );
    assert_eq!(browser.console_errors().await, Vec::<String>::new());
    shop.audit().await;
    shop.close().await;
}
