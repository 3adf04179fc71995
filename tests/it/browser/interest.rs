//! An interest check, lived through in the browser: an answer without script, the merchant opens, and the mail's link leads
//! to an order with the answer filled in.

use muster::domain::order::OrderState;
use muster::domain::staff::Role;
use muster::store::ideas as rows;
use muster::workflows::ideas::{self, Written};

use super::accessible::{axe, looks_well};
use crate::admin::panel::{PASSWORD, hire};
use crate::interest::{answer_of, asking, letters, path_of, would_buy};
use crate::shop::Visitor;
use crate::support::browser::Browser;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

#[actix_web::test]
async fn the_pages_of_an_interest_check_and_of_votes_keep_nobody_out() {
    let axe = axe();
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let campaign = asking(&shop).await;
    for (email, up_to) in [("a", "100"), ("b", "90"), ("c", "75.50")] {
        let email = format!("{email}@mail.example");
        would_buy(&shop, &campaign, &email, "2", up_to).await;
    }
    let answer = answer_of(&shop, &campaign, "a@mail.example")
        .await
        .expect("an answer");
    let merchant = shop.merchant;
    let idea = shop
        .write(move |desk, tx| {
            let written = Written {
                title: "A travel mug".to_owned(),
                body: "With a lid.".to_owned(),
            };
            let idea = ideas::add(tx, merchant, &written)?;
            ideas::vote(desk, tx, merchant, idea.id, "a@mail.example", true)?;
            Ok(idea.id)
        })
        .await
        .expect("an idea");
    let vote = shop
        .read(move |c| rows::vote_of(c, idea, "a@mail.example"))
        .await;
    let links = shop.running.app.office.desk().links.clone();
    let vote = links.vote_path(vote.expect("a vote").id);
    hire(&shop, "Fern & Kiln", "ines@fern.example", Role::Manager).await;

    let browser = Browser::open().await;
    let look = async |what: &str, path: &str| {
        browser.goto(&shop.url(path)).await;
        looks_well(&browser, &axe, what).await;
    };
    look("the first page", "/").await;
    look("a campaign that asks", &format!("/c/{}", campaign.slug)).await;
    browser.fill("qty_set", "1").await;
    browser.fill("up_set", "much").await;
    browser.fill("E-mail", "d@mail.example").await;
    browser.click("Send my answer").await;
    browser.wait_for_text("One thing to correct").await;
    looks_well(&browser, &axe, "what is wrong with an answer").await;
    look("an answer", &path_of(&shop, &answer)).await;
    look("a seller with ideas", "/m/fern-kiln").await;
    look("an idea", &format!("/m/fern-kiln/ideas/{idea}")).await;
    look("a vote", &vote).await;
    browser.goto(&shop.url("/admin/login")).await;
    browser.fill("E-mail", "ines@fern.example").await;
    browser.fill("Password", PASSWORD).await;
    browser.click("Log in").await;
    browser.wait_for_text("What the books say").await;
    let panel = format!("/admin/campaigns/{}", campaign.slug);
    look("what people would buy", &panel).await;
    look("who answered", &format!("{panel}/interest")).await;
    look("opening", &format!("{panel}/open")).await;
    look("the ideas", "/admin/ideas").await;
    look("an idea's form", &format!("/admin/ideas/{idea}")).await;
    look("a new campaign", "/admin/campaigns/new").await;
    shop.close().await;
}

both_databases! {
    async fn from_an_answer_without_script_to_a_paid_order(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = asking(&shop).await;
        let shopper = Browser::open_without_javascript().await;
        shopper.goto(&shop.url("/")).await;
        shopper.click("Ridge pour-over set").await;
        shopper.wait_for_text("Would you buy it?").await;
        shopper.fill("qty_set", "2").await;
        shopper.fill("up_set", "a lot").await;
        shopper.fill("E-mail", "ada@mail.example").await;
        shopper.click("Send my answer").await;
        shopper.wait_for_text("One thing to correct").await;
        assert_eq!(shopper.value_of("qty_set").await, "2");
        shopper.fill("up_set", "95").await;
        shopper.click("Send my answer").await;
        shopper.wait_for_text("Look at your mail").await;
        assert_eq!(letters(&shop, "ada@mail.example").await.len(), 1);

        hire(&shop, "Fern & Kiln", "ines@fern.example", Role::Manager).await;
        let staff = Browser::open().await;
        staff.goto(&shop.url(&format!("/admin/campaigns/{}", campaign.slug))).await;
        staff.fill("E-mail", "ines@fern.example").await;
        staff.fill("Password", PASSWORD).await;
        staff.click("Log in").await;
        staff.wait_for_text("1 answer, 2 units wanted in all.").await;
        staff.click("Open or schedule").await;
        staff.wait_for_text("the one who answered is told").await;
        staff.click("Open it, now or then").await;
        staff.wait_for_text("It is open").await;

        let row = answer_of(&shop, &campaign, "ada@mail.example").await.expect("an answer");
        let join = shop.url(&format!("{}/join", path_of(&shop, &row)));
        let mails = letters(&shop, "ada@mail.example").await;
        assert!(mails[1].body_text.contains(&join), "{}", mails[1].body_text);
        shopper.goto(&join).await;
        shopper.wait_for_text("Your answer is filled in below").await;
        assert_eq!(shopper.value_of("qty_set").await, "2");
        assert_eq!(shopper.value_of("email").await, "ada@mail.example");
        for (field, value) in [("Name", "Ana Sousa"), ("Ship to", "Portugal"), ("Street and number", "Rua das Flores 12"),
            ("Postal code", "4050-262"), ("Town", "Porto"), ("terms", "on")] {
            shopper.fill(field, value).await;
        }
        shopper.click("Show the exact total").await;
        shopper.wait_for_text("$200.00 in all").await;
        shopper.click("Encomenda com obrigação de pagar $200.00").await;
        shopper.wait_for_text("Your units are kept").await;
        shop.settle().await;
        let order = Visitor::of(&shop).orders_of(&campaign).await.remove(0);
        assert_eq!(shop.pay(order.id, GOOD_CARD).await, 303);
        shop.settle().await;
        assert_eq!(shop.order(order.id).await.state, OrderState::Confirmed);
        shop.audit().await;
        shop.close().await;
    }
}
