//! A date moves, lived through in the browser without script: staff look at what it would do and send it, one shopper
//! waits, another takes the money back.

use muster::domain::order::OrderState;
use muster::domain::staff::Role;
use serde_json::Value;

use crate::admin::panel::{PASSWORD, hire};
use crate::dates::{ordered, said};
use crate::support::browser::Browser;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

/// The link of a shopper's last mail that holds one with this answer.
pub async fn link_to(shop: &Shop, address: &str, answer: &str) -> String {
    let wanted = format!("?answer={answer}");
    let is_it = |word: &str| word.contains("/d/") && word.ends_with(&wanted);
    let link = mailed(shop, address, is_it).await;
    link.unwrap_or_else(|| panic!("no link to {answer} was mailed to {address}"))
}

/// The link in the last mail to an address that holds one to such a path.
pub async fn last_mail_with(shop: &Shop, address: &str, path: &str) -> String {
    let link = mailed(shop, address, |word| {
        word.starts_with("http") && word.contains(path)
    })
    .await;
    link.unwrap_or_else(|| panic!("no link to {path} was mailed to {address}"))
}

async fn mailed(shop: &Shop, address: &str, is_it: impl Fn(&str) -> bool) -> Option<String> {
    let mails = shop
        .http
        .get(shop.url("/sandbox/mail"))
        .header("accept", "application/json")
        .send()
        .await
        .expect("the mailbox answers");
    let mails: Vec<Value> = mails.json().await.expect("a list of mails");
    let mine = mails.iter().rev().filter(|mail| mail["to"] == address);
    mine.filter_map(|mail| mail["text"].as_str())
        .flat_map(str::split_whitespace)
        .find(|word| is_it(word))
        .map(str::to_owned)
}

both_databases! {
    async fn a_moved_date_from_the_panel_to_two_shoppers_answers(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered(&shop, &["a@mail.example", "b@mail.example", "c@mail.example"]).await;
        hire(&shop, "Fern & Kiln", "ines@fern.example", Role::Manager).await;
        let browser = Browser::open_without_javascript().await;
        browser.goto(&shop.url("/admin/login")).await;
        browser.fill("E-mail", "ines@fern.example").await;
        browser.fill("Password", PASSWORD).await;
        browser.click("Log in").await;
        browser.goto(&shop.url(&format!("/admin/batches/{}", late.batch))).await;
        browser.click("Dates, notices and answers").await;
        browser.wait_for_text("Nobody was asked yet").await;
        browser.click("Set a date").await;
        browser.fill("The goods arrive on", &late.after(12).to_string()).await;
        browser.fill("Why", "The kiln broke, the sets are fired again.").await;
        browser.click("Show what it would do").await;
        browser.wait_for_text("3 shoppers get a notice, at once.").await;
        browser.wait_for_text(&format!("Parcels go out on {}", said(late.after(14)))).await;
        browser.click("Change it").await;
        assert_eq!(browser.value_of("Why").await, "The kiln broke, the sets are fired again.");
        browser.click("Show what it would do").await;
        browser.click("Set it and tell 3 shoppers").await;
        browser.wait_for_text("The date counts now; 3 shoppers are being told.").await;
        shop.settle().await;

        browser.goto(&link_to(&shop, "a@mail.example", "wait").await).await;
        browser.wait_for_text("It will be late").await;
        browser.wait_for_text("The link in the mail decides nothing by itself").await;
        let keep = format!("Keep waiting to {}", said(late.after(14)));
        browser.click(&keep).await;
        browser.wait_for_text(&format!("You keep waiting until {}", said(late.after(14)))).await;
        browser.click("See your order").await;
        browser.wait_for_text("You wait until").await;

        browser.goto(&link_to(&shop, "b@mail.example", "cancel").await).await;
        browser.click("Cancel and refund $180.00").await;
        browser.wait_for_text("You cancelled this order").await;
        shop.settle().await;
        browser.click("See your order").await;
        browser.wait_for_text("$200.00 went back to you.").await;
        let order = shop.order(late.orders[1]).await;
        assert_eq!((order.state, order.refunded, order.charged), (OrderState::Cancelled, 20000, 20000));

        browser.goto(&shop.url(&format!("/admin/batches/{}/dates", late.batch))).await;
        for words in ["Keeps waiting", "Cancelled", "No answer, so agreed", "3 told"] {
            browser.wait_for_text(words).await;
        }
        browser.fill("Answer", "refused").await;
        browser.click("Filter").await;
        browser.wait_for_count("#h-answers ~ .scroll tbody tr", 1).await;
        browser.wait_for_text("Cancelled").await;
        shop.audit().await;
        let errors = browser.console_errors().await;
        assert!(errors.is_empty(), "{errors:#?}");
        shop.close().await;
    }
}
