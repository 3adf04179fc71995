//! What a shopper agrees to when an order is changed is kept: who, when, which terms, and what is exempt from withdrawal.

use muster::domain::staff::Role;
use muster::store::refunds;
use muster::workflows::evidence;
use serde_json::{Value, json};

use super::pages::{get, hidden, post};
use super::staff::agrees;
use super::{changes_of, offer, wants};
use crate::admin::panel::Panel;
use crate::cards::completes;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

const DISPUTED: &str = "4000000000000259";
const EXEMPT: &str =
    "No right of withdrawal, because it is made to order or exempt for another reason: Lid.";

/// The lid is made to order.
fn made_to_order(shop: &Shop) -> Value {
    let mut body = offer(shop, "charge_now");
    body["options"][1]["made_to_order"] = json!(true);
    body
}

async fn frozen_exempt(shop: &Shop, order: muster::domain::ids::OrderId) -> Vec<String> {
    let agreed = muster::workflows::payment::frozen(&shop.order(order).await).unwrap();
    let exempt = agreed.lines.into_iter().filter(|line| line.made_to_order);
    exempt.map(|line| line.sku).collect()
}

both_databases! {
    async fn the_page_says_what_is_exempt_and_the_bank_hears_that_it_was_agreed_to(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(made_to_order(&shop)).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        let token = shop.running.app.office.desk().links.order_token(order);
        let path = format!("/o/{order}/change?t={token}");
        // More of what is not exempt says nothing of it.
        let (_, _, page) = post(&shop, &path, &[("qty_set", "2"), ("qty_lid", "0")]).await;
        assert!(!page.contains("right of withdrawal"), "{page}");
        let wanted = [("qty_set", "1"), ("qty_lid", "1")];
        let (_, _, page) = post(&shop, &path, &wanted).await;
        assert!(page.contains(EXEMPT) && page.contains("You may withdraw from the contract"), "{page}");
        let shown = hidden(&page, "shown");
        let form = [wanted.as_slice(), &[("shown", shown.as_str())]].concat();
        assert_eq!(post(&shop, &path, &form).await.0, 303);
        shop.settle().await;
        completes(&shop, order, DISPUTED).await;
        let made = changes_of(&shop, order).await.pop().expect("the change");
        assert_eq!((made.agreed_terms, made.agreed_from.as_deref()), (Some(1), Some("127.0.0.1")));
        assert_eq!(made.agreed_at, Some(made.created_at));
        let disputes = shop.read(move |c| refunds::disputes_of(c, order)).await;
        let row = shop.order(order).await;
        let known = shop.running.app.office.read(move |c| evidence::collect(c, &disputes[0], &row)).await.unwrap();
        let agreed = &known.parts.iter().find(|part| part.title == "What was agreed").expect("the part").lines;
        let said = agreed.join("\n");
        for words in [
            "A change of the order to 1 x Full set, 1 x Lid, $110.00 in all instead of $100.00, was shown and agreed to by a button",
            "from the address 127.0.0.1; the terms in force were version 1",
            "no right of withdrawal from Lid",
        ] {
            assert!(said.contains(words), "{words}: {said}");
        }
        shop.audit().await;
        shop.close().await;
    }

    async fn nothing_is_exempt_that_its_shopper_was_not_told_of(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let campaign = shop.publish(made_to_order(&shop)).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        // Staff swap a set for lids: less is to be paid, and nobody asks the shopper.
        agrees(&panel, order, &[("qty_set", "1"), ("qty_lid", "5")]).await.is(303);
        assert_eq!(wants(&shop, order).await, [("lid".into(), 5, 1_000), ("set".into(), 1, 10_000)]);
        assert!(frozen_exempt(&shop, order).await.is_empty());
        assert_eq!(changes_of(&shop, order).await[0].agreed_at, None);
        // What the shopper is asked for is shown first.
        let other = shop.join_and_pay(&campaign, "b@mail.example", 1).await;
        agrees(&panel, other, &[("qty_set", "1"), ("qty_lid", "1")]).await.is(303);
        let token = shop.running.app.office.desk().links.order_token(other);
        let page = get(&shop, &format!("/o/{other}/change/asked?t={token}")).await;
        assert!(page.contains(EXEMPT) && page.contains("I do not want this change"), "{page}");
        let form = [("change", hidden(&page, "change"))];
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let asked = format!("/o/{other}/change/asked?t={token}");
        assert_eq!(post(&shop, &asked, &form).await.0, 303);
        let page = get(&shop, &format!("/o/{other}?t={token}")).await;
        assert!(page.contains("No right of withdrawal: Lid."), "{page}");
        completes(&shop, other, crate::support::shop::GOOD_CARD).await;
        assert_eq!(frozen_exempt(&shop, other).await, ["lid"]);
        // And a change that is not wanted is taken back where it is read.
        agrees(&panel, other, &[("qty_set", "2"), ("qty_lid", "1")]).await.is(303);
        let back = format!("/o/{other}/change/back?t={token}");
        assert_eq!(post(&shop, &back, &form).await.0, 303);
        shop.settle().await;
        assert!(changes_of(&shop, other).await.iter().all(|change| change.closed_at.is_some()));
        shop.audit().await;
        shop.close().await;
    }
}
