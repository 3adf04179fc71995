//! What keeps people out who cannot see well, or use no mouse: axe-core (`tests/axe`) looks at the main pages, narrow and
//! wide, and finds nothing.

use std::io::Read;

use chrono::Duration;
use flate2::read::GzDecoder;
use muster::domain::staff::Role;
use muster::workflows::accounts::{PasswordHash, add_staff};
use serde_json::Value;

use super::paying::ask_for_the_total;
use crate::batches::late_joins;
use crate::changes::offer;
use crate::dates::Late;
use crate::support::browser::Browser;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;
use crate::waiting::{five, waits};

const AXE: &[u8] = include_bytes!("../../axe/axe.min.js.gz");

/// Runs every rule and gives what is broken, and where.
const LOOK: &str = "
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ['violations']}).then(
    found => done(found.violations.map(v => v.id + ': ' + v.help + ': ' + v.nodes.map(n => n.html).join(' | '))),
    error => done(['axe-core failed: ' + error]));";

const PASSWORD: &str = "unrelated words";

/// The program that looks.
pub fn axe() -> String {
    let mut axe = String::new();
    GzDecoder::new(AXE)
        .read_to_string(&mut axe)
        .expect("axe-core");
    axe
}

/// Looks at the page that is open, at both widths.
pub async fn looks_well(browser: &Browser, axe: &str, what: &str) {
    for width in [390, 1280] {
        browser.set_window_size(width, 900).await;
        let client = browser.client();
        client.execute(axe, Vec::new()).await.expect("axe-core");
        let found: Value = client
            .execute_async(LOOK, Vec::new())
            .await
            .expect("an answer");
        let found = found.as_array().expect("a list");
        assert!(found.is_empty(), "{what} at {width}: {found:#?}");
    }
}

/// Somebody works for the merchant.
async fn hire(shop: &Shop) {
    shop.write(|_, tx| {
        let hash = PasswordHash::make(PASSWORD)?;
        add_staff(tx, "Fern & Kiln", "ines@fern.example", Role::Owner, &hash)
    })
    .await
    .expect("somebody works there");
}

/// Logs in to the panel.
async fn log_in(browser: &Browser, shop: &Shop) {
    browser.goto(&shop.url("/admin/login")).await;
    browser.fill("E-mail", "ines@fern.example").await;
    browser.fill("Password", PASSWORD).await;
    browser.click("Log in").await;
    browser.wait_for_text("What the books say").await;
}

#[actix_web::test]
async fn the_main_pages_keep_nobody_out() {
    let axe = axe();
    let shop = Shop::open(TestDatabase::sqlite()).await;
    hire(&shop).await;
    let ordered = shop.publish(shop.example_a()).await;
    let order = shop.join_and_pay(&ordered, "a@mail.example", 6).await;
    shop.advance(Duration::days(8)).await;
    let sent = shop.purchase_orders(&ordered).await.remove(0);
    let late = Late {
        batch: shop.batch(&ordered).await.id,
        orders: vec![order],
        campaign: ordered,
    };
    late.moves(&shop, Some(late.after(20))).await;
    let notice = late.page(&shop, 0).await;
    let open = shop.publish(shop.example_a()).await;
    shop.join_and_pay(&open, "b@mail.example", 2).await;
    let links = shop.running.app.office.desk().links.clone();

    let browser = Browser::open().await;
    let look = async |what: &str, address: &str| {
        browser.goto(address).await;
        looks_well(&browser, &axe, what).await;
    };
    look("the list of campaigns", &shop.url("/")).await;
    look("the log-in", &shop.url("/admin/login")).await;
    look("the order with a delay", &links.order_url(order)).await;
    look("a notice", &shop.url(&notice)).await;
    let supplier = links.supplier_url(sent.id, sent.version);
    look("the supplier's page", &supplier).await;
    let page = shop.url(&format!("/c/{}", open.slug));
    look("the campaign", &page).await;
    ask_for_the_total(&browser, "c@mail.example", "2").await;
    browser.wait_for_text("$200.00 in all").await;
    looks_well(&browser, &axe, "the exact total").await;
    log_in(&browser, &shop).await;
    looks_well(&browser, &axe, "the panel's first page").await;
    let batch = shop.url(&format!("/admin/batches/{}", late.batch));
    look("a batch", &batch).await;
    look("its dates", &format!("{batch}/dates")).await;
    look("a date's form", &format!("{batch}/dates/new")).await;
    shop.close().await;
}

/// Further batches, a waiting list with an offer, and changes by the shopper and by staff.
#[actix_web::test]
async fn lists_batches_and_changes_keep_nobody_out() {
    let axe = axe();
    let shop = Shop::open(TestDatabase::sqlite()).await;
    hire(&shop).await;
    let links = shop.running.app.office.desk().links.clone();
    let batches = shop.publish(late_joins(&shop)).await;
    shop.join_and_pay(&batches, "a@mail.example", 6).await;
    let second = shop.join_and_pay(&batches, "b@mail.example", 2).await;
    let full = shop.publish(five(&shop)).await;
    let leaves = shop.join_and_pay(&full, "c@mail.example", 2).await;
    shop.join_and_pay(&full, "d@mail.example", 3).await;
    let offered = waits(&shop, &full, "e@mail.example", 2).await;
    let waiting = waits(&shop, &full, "f@mail.example", 4).await;
    shop.cancel(leaves).await.expect("it is early");
    shop.settle().await;
    let changes = shop.publish(offer(&shop, "charge_now")).await;
    let changed = shop.join_and_pay(&changes, "g@mail.example", 1).await;

    let browser = Browser::open().await;
    let look = async |what: &str, address: &str| {
        browser.goto(address).await;
        looks_well(&browser, &axe, what).await;
    };
    let page = |slug: &str| shop.url(&format!("/c/{slug}"));
    look("a campaign with a second batch", &page(&batches.slug)).await;
    browser.wait_for_text("You join batch 2").await;
    look("an order of its second batch", &links.order_url(second)).await;
    look("the form of a waiting list", &page(&full.slug)).await;
    browser.wait_for_text("Put me on the waiting list").await;
    look("a place on the list", &links.order_url(waiting)).await;
    look("an offer from the list", &links.order_url(offered)).await;
    browser.wait_for_text("Units came free for you").await;
    let token = links.order_token(changed);
    let form = shop.url(&format!("/o/{changed}/change?t={token}"));
    look("the form of a change", &form).await;
    browser.fill("qty_set", "2").await;
    browser.click("Show the new total").await;
    browser.wait_for_text("$100.00 more").await;
    looks_well(&browser, &axe, "the review of a change").await;

    log_in(&browser, &shop).await;
    let list = shop.url(&format!("/admin/campaigns/{}/waiting", full.slug));
    look("the list in the panel", &list).await;
    let batch = shop.url(&format!("/admin/campaigns/{}", batches.slug));
    look("batches in the panel", &batch).await;
    let order = shop.url(&format!("/admin/orders/{changed}"));
    look("staff change an order", &format!("{order}/change")).await;
    browser.fill("qty_set", "2").await;
    browser.click("Show the difference").await;
    browser.wait_for_text("Ask the shopper for $100.00").await;
    looks_well(&browser, &axe, "the difference of a change by staff").await;
    browser.click("Ask the shopper for $100.00").await;
    browser
        .wait_for_text("A change waits for its payment")
        .await;
    looks_well(&browser, &axe, "a change that waits, in the panel").await;
    let asked = format!("/o/{changed}/change/asked?t={token}");
    look("what the seller asks for", &shop.url(&asked)).await;
    browser.wait_for_text("asks for this change").await;
    shop.close().await;
}
