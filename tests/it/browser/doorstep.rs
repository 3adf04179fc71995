//! From the supplier to the doorstep, in the browser: the supplier moves the date, one shopper waits and one leaves, goods
//! arrive in two receipts, parcels go out, and what never came is refunded after the stop-loss date.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::ids::OrderId;
use muster::domain::order::OrderState;
use muster::domain::staff::Role;
use muster::store::shipments;

use super::delays::{last_mail_with, link_to};
use crate::admin::panel::{PASSWORD, hire};
use crate::dates::{Late, ordered, said};
use crate::support::browser::Browser;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

/// The supplier says yes, begins, and names a later day.
async fn supplier_moves_the_date(browser: &Browser, shop: &Shop, late: &Late) {
    let link = last_mail_with(shop, "orders@kasten.example", "/s/").await;
    browser.goto(&link).await;
    browser.click("We have the order").await;
    browser.wait_for_text("You acknowledged it").await;
    browser.click("We have begun").await;
    browser.wait_for_text("You are making it").await;
    browser.fill("arrives", &late.after(12).to_string()).await;
    browser
        .fill("reason", "The kiln broke, the sets are fired again.")
        .await;
    browser.click("Tell the date").await;
    browser.wait_for_text("Dates you gave").await;
}

async fn log_in(browser: &Browser, shop: &Shop) {
    hire(shop, "Fern & Kiln", "ines@fern.example", Role::Manager).await;
    browser.goto(&shop.url("/admin/login")).await;
    browser.fill("E-mail", "ines@fern.example").await;
    browser.fill("Password", PASSWORD).await;
    browser.click("Log in").await;
    browser.wait_for_text("Today").await;
}

/// Two sets arrive, are packed for whoever paid first of those who wait, and the carrier takes them.
async fn two_sets_arrive_and_go_out(browser: &Browser, shop: &Shop, late: &Late, order: OrderId) {
    let here = shop.url(&format!("/admin/batches/{}", late.batch));
    browser.goto(&here).await;
    browser.click("Count a delivery").await;
    browser.fill("good.0", "2").await;
    browser.click("Keep this count").await;
    browser.wait_for_text("1 ready to pack").await;
    browser.click("Pick list").await;
    browser.click("Pack this order").await;
    browser
        .wait_for_text("1 packed and waiting for the carrier")
        .await;
    browser.goto(&format!("{here}/slips")).await;
    browser.wait_for_text("Rua das Flores 12").await;
    let parcel = shop
        .read(move |conn| shipments::of_order(conn, order))
        .await
        .remove(0);
    browser
        .goto(&shop.url(&format!("/admin/shipments/{}", parcel.id)))
        .await;
    browser.fill("Carrier", "UPS").await;
    browser.fill("Tracking number", "1Z9").await;
    browser
        .click("Record the handover and tell the shopper")
        .await;
    browser.wait_for_text("It arrived").await;
    shop.settle().await;
    assert_eq!(shop.order(order).await.state, OrderState::Shipped);
}

/// Nobody knows any more when the rest comes: it is looked at before it is sent.
async fn staff_say_that_the_date_is_not_known(browser: &Browser, shop: &Shop, late: &Late) {
    let dates = shop.url(&format!("/admin/batches/{}/dates", late.batch));
    browser.goto(&dates).await;
    browser.click("Set a date").await;
    browser.fill("The date is not known", "on").await;
    browser
        .fill("Why", "The workshop has closed; we look for another.")
        .await;
    browser.click("Show what it would do").await;
    browser.wait_for_text("1 shopper").await;
    browser.click("Set it and tell 1 shopper").await;
    browser.wait_for_text("The date counts now").await;
    shop.settle().await;
}

both_databases! {
    async fn from_the_supplier_to_the_doorstep(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mails = ["a@mail.example", "b@mail.example", "c@mail.example", "d@mail.example"];
        let late = ordered(&shop, &mails).await;
        let [a, b, c, d] = late.orders[..] else { panic!("four orders") };
        let browser = Browser::open().await;
        supplier_moves_the_date(&browser, &shop, &late).await;
        shop.settle().await;
        assert!(shop.mail_to("a@mail.example").await.iter().all(|s| !s.contains("late")), "nobody is told by a stray click");

        log_in(&browser, &shop).await;
        browser.goto(&shop.url(&format!("/admin/batches/{}/dates", late.batch))).await;
        browser.click("Pass on").await;
        browser.wait_for_text("Every date").await;
        shop.settle().await;

        // One waits, one leaves, two say nothing, which agrees: it is 14 days.
        browser.goto(&link_to(&shop, "a@mail.example", "wait").await).await;
        browser.click(&format!("Keep waiting to {}", said(late.after(14)))).await;
        browser.wait_for_text("You keep waiting until").await;
        browser.goto(&link_to(&shop, "b@mail.example", "cancel").await).await;
        browser.click("Cancel and refund").await;
        browser.wait_for_text("You cancelled this order").await;
        shop.settle().await;
        let left = shop.order(b).await;
        assert_eq!((left.state, left.refunded), (OrderState::Cancelled, left.charged));

        // Two receipts: the first is for who paid first, the second for the next who still waits.
        shop.advance(Duration::days(55)).await;
        two_sets_arrive_and_go_out(&browser, &shop, &late, a).await;
        two_sets_arrive_and_go_out(&browser, &shop, &late, c).await;

        // The last one agrees to wait without a date, and is refunded the day after the stop-loss date.
        staff_say_that_the_date_is_not_known(&browser, &shop, &late).await;
        browser.goto(&link_to(&shop, "d@mail.example", "wait").await).await;
        browser.click("Keep waiting").await;
        browser.wait_for_text("You keep waiting, without a date").await;
        shop.advance(Duration::days(50)).await;
        assert_eq!(shop.order(d).await.state, OrderState::Backordered, "agreed to wait");
        shop.advance(Duration::days(10)).await;
        let never = shop.order(d).await;
        assert_eq!((never.state, never.refunded), (OrderState::Cancelled, never.charged));
        browser.goto(&link_to(&shop, "d@mail.example", "wait").await).await;
        browser.click("See your order").await;
        browser.wait_for_text("went back to you").await;
        shop.expect_state(&late.campaign, CampaignState::Completed).await;
        for (order, state) in [(a, OrderState::Delivered), (c, OrderState::Delivered)] {
            assert_eq!(shop.order(order).await.state, state, "assumed after 21 days");
        }
        shop.audit().await;
        let errors = browser.console_errors().await;
        assert!(errors.is_empty(), "{errors:#?}");
        shop.close().await;
    }
}
