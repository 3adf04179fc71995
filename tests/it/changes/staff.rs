//! Staff change an order for its shopper.

use chrono::Duration;
use muster::domain::change::ChangeState;
use muster::domain::ids::OrderId;
use muster::domain::order::OrderState;
use muster::domain::staff::Role;
use serde_json::json;

use super::pages::hidden;
use super::{changes_of, mails_of, offer, taken, wants};
use crate::admin::panel::{Answer, Panel};
use crate::cards::{completes, saves};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// What was never shown.
const FORGED: &str = r#"{"had":[["set",2,10000]],"was":20000,"lines":[["set",3,10000]],"shipping":0,"tax":0,"total":30000,"pay":0,"back":0}"#;

/// Asks for a change in the panel, and agrees to what the review shows.
pub async fn agrees(panel: &Panel<'_>, order: OrderId, wanted: &[(&str, &str)]) -> Answer {
    let path = format!("/admin/orders/{order}/change");
    let shown = panel.post(&path, wanted).await;
    shown.is(200);
    let (agreed, key) = (
        hidden(&shown.body, "shown"),
        hidden(&shown.body, "form_key"),
    );
    let mut form = wanted.to_vec();
    form.extend([
        ("shown", agreed.as_str()),
        ("form_key", key.as_str()),
        ("do", "save"),
    ]);
    // Twice, as by a double click.
    panel.post(&path, &form).await;
    let answer = panel.post(&path, &form).await;
    panel.shop.settle().await;
    answer
}

both_databases! {
    async fn a_smaller_order_takes_effect_at_staffs_word(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let campaign = shop.publish(offer(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 3).await;
        let href = format!("/admin/orders/{order}");
        panel.get(&href).await.is(200).says("Change what is ordered");
        panel.get(&format!("{href}/change")).await.is(200).says("3 ordered, $100.00 each").says("20 at most");
        panel.post(&format!("{href}/change"), &[("qty_set", "1"), ("qty_lid", "0")]).await
            .is(200).says("$200.00 less").says("Change the order, $200.00 goes back").says("3 \u{d7} Full set, $300.00");
        agrees(&panel, order, &[("qty_set", "1"), ("qty_lid", "0")]).await.leads_to(&href);
        assert_eq!(wants(&shop, order).await, [("set".into(), 1, 10_000)]);
        assert_eq!(shop.at_provider(order).await, (30_000, 20_000));
        let made = changes_of(&shop, order).await;
        assert_eq!((made.len(), made[0].state), (1, ChangeState::Done));
        let who = made[0].asked_by.clone().expect("the person");
        panel.get(&href).await.says(&format!("({who})"));
        let told = mails_of(&shop, order).await;
        let letter = told.iter().find(|mail| mail.kind == "order_changed").expect("the letter");
        assert!(letter.body_text.contains("is changed, as Fern & Kiln asked."), "{}", letter.body_text);
        assert!(letter.body_text.contains("$200.00 goes back"), "{}", letter.body_text);
        shop.audit().await;
        shop.close().await;
    }

    async fn what_costs_more_is_paid_by_the_shopper_whom_a_letter_leads_there(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Owner).await;
        let campaign = shop.publish(offer(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        let href = format!("/admin/orders/{order}");
        agrees(&panel, order, &[("qty_set", "2"), ("qty_lid", "1")]).await.leads_to(&href);
        // Nothing is different but what is held; staff see what is waited for.
        assert_eq!(wants(&shop, order).await, [("set".into(), 1, 10_000)]);
        assert_eq!((taken(&shop, &campaign, "set").await, changes_of(&shop, order).await.len()), (2, 1));
        let page = panel.get(&href).await;
        page.says("A change waits for its payment").says("The shopper pays $110.00 for it").says("Take it back");
        assert!(!page.body.contains("Change what is ordered"));
        panel.get(&format!("{href}/change")).await.is(409).says("waits for its payment");
        shop.audit().await;
        // The letter says who, what, how much and until when, and leads to a page that says who sells.
        let told = mails_of(&shop, order).await;
        let letters: Vec<_> = told.iter().filter(|mail| mail.kind == "change_asked").collect();
        assert_eq!(letters.len(), 1);
        let text = &letters[0].body_text;
        for words in ["Fern & Kiln asks for a change", "$110.00 more", "2 \u{d7} Full set, $200.00", "nothing changes and nothing is charged"] {
            assert!(text.contains(words), "{words}: {text}");
        }
        let (_, link) = text.split_once("/o/").expect("a link");
        let path = format!("/o/{}", link.split_whitespace().next().unwrap());
        let look = shop.http.get(shop.url(&path)).send().await.unwrap().text().await.unwrap();
        for words in ["Fern &#38; Kiln asks for this change", "$110.00 more", "Sold by", "To pay now", "I do not want this change"] {
            assert!(look.contains(words), "{words}: {look}");
        }
        // Longer than a page that somebody stands before: the letter has to be read first.
        shop.advance(Duration::hours(20)).await;
        // What is agreed to is this change, and none that was asked for in its place.
        for (change, leads) in [(order.to_string(), "change/asked"), (hidden(&look, "change"), "pay")] {
            let form = [("change", change)];
            let agreed = shop.http.post(shop.url(&path)).form(&form).send().await.unwrap();
            assert_eq!(agreed.status(), 303);
            let location = agreed.headers()["location"].to_str().unwrap();
            assert!(location.starts_with(&format!("/o/{order}/{leads}")), "{location}");
        }
        // What was agreed to is kept, once, and told.
        let agreed = changes_of(&shop, order).await.pop().expect("the change");
        assert_eq!((agreed.agreed_terms, agreed.agreed_from.as_deref()), (Some(1), Some("127.0.0.1")));
        assert!(agreed.agreed_at.is_some());
        let token = shop.running.app.office.desk().links.order_token(order);
        let page = shop.http.get(shop.url(&format!("/o/{order}?t={token}"))).send().await.unwrap().text().await.unwrap();
        assert!(page.contains("You agreed to the change") && page.contains("terms, version 1"), "{page}");
        completes(&shop, order, GOOD_CARD).await;
        assert_eq!(wants(&shop, order).await, [("lid".into(), 1, 1_000), ("set".into(), 2, 10_000)]);
        assert_eq!(shop.at_provider(order).await, (21_000, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn unpaid_taken_back_or_overtaken_by_the_end_of_joining_it_leaves_the_order(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let campaign = shop.publish(offer(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        // Enough others that the merchant may close it early.
        shop.join_and_pay(&campaign, "b@mail.example", 5).await;
        let href = format!("/admin/orders/{order}");
        for end in ["it runs out", "staff take it back", "joining ends"] {
            agrees(&panel, order, &[("qty_set", "4"), ("qty_lid", "0")]).await.leads_to(&href);
            assert_eq!(taken(&shop, &campaign, "set").await, 9, "{end}");
            match end {
                "it runs out" => shop.advance(Duration::hours(25)).await,
                "staff take it back" => {
                    panel.post(&format!("{href}/change/back"), &[]).await.leads_to(&href);
                    shop.settle().await;
                    panel.post(&format!("{href}/change/back"), &[]).await.is(409);
                }
                _ => {
                    panel.post(&format!("/admin/campaigns/{}/close", campaign.slug), &[]).await.is(303);
                    shop.advance(Duration::minutes(5)).await;
                }
            }
            let last = changes_of(&shop, order).await.pop().expect("a change");
            assert_eq!(last.state, ChangeState::Dropped, "{end}");
            shop.audit().await;
        }
        let told = mails_of(&shop, order).await;
        assert_eq!(told.iter().filter(|mail| mail.kind == "change_ran_out").count(), 3);
        assert!(shop.campaign(&campaign).await.closed_at.is_some());
        panel.get(&format!("{href}/change")).await.is(409);
        shop.close().await;
    }

    async fn with_a_saved_card_less_takes_effect_at_once_and_more_only_the_shopper_can_agree_to(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let campaign = shop.publish(offer(&shop, "charge_on_success")).await;
        let order = saves(&shop, &campaign, "a@mail.example", 2, GOOD_CARD).await;
        let href = format!("/admin/orders/{order}");
        let more = [("qty_set", "3"), ("qty_lid", "0")];
        panel.post(&format!("{href}/change"), &more).await.is(422).says("agreed to $200.00 at most");
        let forged = [more.as_slice(), &[("shown", FORGED), ("form_key", "x"), ("do", "save")]].concat();
        panel.post(&format!("{href}/change"), &forged).await.is(422).says("agreed to $200.00 at most");
        assert_eq!(shop.order(order).await.total, 20_000);
        let less = [("qty_set", "1"), ("qty_lid", "0")];
        panel.post(&format!("{href}/change"), &less).await
            .is(200).says("Nothing is to be paid now").says("Collected later, at most");
        agrees(&panel, order, &less).await.leads_to(&href);
        let row = shop.order(order).await;
        assert_eq!((row.charged, row.owed, row.total), (0, 10_000, 10_000));
        shop.audit().await;
        shop.close().await;
    }

    async fn only_who_manages_may_and_what_is_wrong_is_said_at_its_field(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(offer(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        let href = format!("/admin/orders/{order}");
        let path = format!("{href}/change");
        for role in [Role::Viewer, Role::Fulfilment] {
            let panel = Panel::of(&shop, role).await;
            panel.get(&path).await.is(403);
            panel.post(&path, &[("qty_set", "1")]).await.is(403);
            panel.post(&format!("{path}/back"), &[]).await.is(403);
            let page = panel.get(&href).await;
            assert!(!page.body.contains("Change what is ordered"), "{role}");
        }
        let panel = Panel::of(&shop, Role::Manager).await;
        panel.get("/admin/orders/019aaaaa-0000-7000-8000-000000000000/change").await.is(404);
        panel.post(&path, &[("qty_set", "two"), ("qty_lid", "7")]).await
            .is(422).says("value=\"two\"").says("value=\"7\"").says("Write a whole number");
        panel.post(&path, &[("qty_set", "2"), ("qty_lid", "21")]).await.is(422).says("there are 20 left").says("value=\"21\"");
        panel.post(&path, &[("qty_set", "0"), ("qty_lid", "0")]).await.is(422).says("Cancel it instead");
        panel.post(&path, &[("qty_set", "2"), ("qty_lid", "0")]).await.is(422).says("This is what is ordered already.");
        panel.post(&path, &[("qty_set", "2"), ("qty_lid", "3"), ("do", "edit")]).await.is(200).says("value=\"3\"");
        // Others leave between the review and the word: the total rises, and is shown again.
        let others = shop.join_and_pay(&campaign, "b@mail.example", 5).await;
        let shown = panel.post(&path, &[("qty_set", "3"), ("qty_lid", "0")]).await;
        shown.is(200).says("$70.00 more");
        let (agreed, key) = (hidden(&shown.body, "shown"), hidden(&shown.body, "form_key"));
        shop.cancel(others).await.unwrap();
        shop.settle().await;
        let form = [("qty_set", "3"), ("qty_lid", "0"), ("shown", agreed.as_str()), ("form_key", key.as_str())];
        panel.post(&path, &form).await.is(409).says("The new total was $270.00 when you last saw it, and is $300.00 now.")
            .says("Full set costs $100.00 each now, not $90.00, because others left.").says("$100.00 more");
        assert!(changes_of(&shop, order).await.is_empty());
        // What is over is not changed.
        shop.cancel(order).await.unwrap();
        shop.settle().await;
        panel.get(&path).await.is(409).says("This order has ended.");
        assert_eq!(shop.order(order).await.state, OrderState::Cancelled);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_deposit_rises_with_the_order_by_the_same_letter(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let mut body = offer(&shop, "deposit");
        body["deposit_percent"] = json!(20);
        let campaign = shop.publish(body).await;
        let order = saves(&shop, &campaign, "a@mail.example", 2, GOOD_CARD).await;
        agrees(&panel, order, &[("qty_set", "4"), ("qty_lid", "0")]).await.is(303);
        completes(&shop, order, GOOD_CARD).await;
        let row = shop.order(order).await;
        assert_eq!((row.charged, row.owed, row.total), (8_000, 32_000, 40_000));
        shop.audit().await;
        shop.close().await;
    }
}
