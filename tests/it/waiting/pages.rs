//! The list on pages, in the API and in the panel, as somebody without script sees them.

use muster::domain::order::OrderState;
use muster::domain::staff::Role;
use reqwest::Method;
use serde_json::{Value, json};

use super::{five, is_offered, waits};
use crate::admin::panel::Panel;
use crate::api::caller::{Api, order_path, usd, wish};
use crate::shop::{Visitor, but, typed};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

both_databases! {
    async fn a_shopper_waits_is_offered_accepts_and_pays(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(five(&shop)).await;
        let full = shop.join_and_pay(&campaign, "full@mail.example", 5).await;
        let visitor = Visitor::of(&shop);
        let page = visitor.get(&format!("/c/{}", campaign.slug)).await;
        page.is(200).says("sold out").says("Put me on the waiting list");
        let form = typed("ada@mail.example", "2");
        visitor.fill_in(&campaign, &form).await.is(409).says("Sold out.").says("Put me on the waiting list");
        let form = but(form, "step", "wait");
        let shown = visitor.fill_in(&campaign, &form).await;
        shown.is(200).says("Nothing is charged for waiting").says("1 Mill Lane");
        assert_eq!(visitor.orders_of(&campaign).await.len(), 1, "nothing is placed by looking");
        let key = shown.hidden("form_key");
        let sent: Vec<(&str, &str)> = form.iter().copied().chain([("form_key", key.as_str())]).collect();
        let placed = visitor.fill_in(&campaign, &sent).await;
        let order = visitor.orders_of(&campaign).await.remove(0);
        assert_eq!(order.state, OrderState::Waitlisted);
        assert_eq!(placed.is(303).to.as_deref(), Some(visitor.path_of(&order, "").as_str()));
        assert_eq!(visitor.fill_in(&campaign, &sent).await.to, placed.to, "the same form is the same order");
        shop.settle().await;
        let at = visitor.path_of(&order, "");
        visitor.get(&at).await.is(200).says("You are next in line").says("Leave the waiting list");
        visitor.get(&format!("/c/{}", campaign.slug)).await.says("1 person waits");

        shop.cancel(full).await.unwrap();
        shop.settle().await;
        let offer = visitor.get(&at).await;
        offer.is(200).says("Units came free for you").says("data-until").says("obligation to pay").says("$200.00");
        let total = offer.hidden("confirmed_total");
        let terms = offer.hidden("terms");
        let yes = [("confirmed_total", total.as_str()), ("terms", terms.as_str())];
        let accepted = visitor.post(&visitor.path_of(&order, "/accept"), &yes).await;
        assert_eq!(accepted.is(303).to.as_deref(), Some(visitor.path_of(&order, "/pay").as_str()));
        visitor.post(&visitor.path_of(&order, "/accept"), &yes).await.is(303);
        visitor.get(&at).await.is(200).says("Not paid yet").says("data-until");
        shop.settle().await;
        visitor.get(&visitor.path_of(&order, "/pay")).await.is(303);
        assert_eq!(shop.pay(order.id, GOOD_CARD).await, 303);
        shop.settle().await;
        assert_eq!(shop.order(order.id).await.state, OrderState::Confirmed);
        shop.audit().await;
        shop.close().await;
    }

    async fn who_declines_leaves_and_who_missed_it_is_told(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(five(&shop)).await;
        let full = shop.join_and_pay(&campaign, "full@mail.example", 5).await;
        let first = waits(&shop, &campaign, "a@mail.example", 5).await;
        let second = waits(&shop, &campaign, "b@mail.example", 5).await;
        shop.cancel(full).await.unwrap();
        shop.settle().await;
        let visitor = Visitor::of(&shop);
        let row = shop.order(first).await;
        visitor.get(&visitor.path_of(&row, "/cancel")).await.is(200);
        visitor.post(&visitor.path_of(&row, "/cancel"), &[]).await.is(303);
        shop.settle().await;
        visitor.get(&visitor.path_of(&row, "")).await.is(200).says("You cancelled this order").says("nothing was charged");
        assert!(is_offered(&shop, second).await);
        shop.advance(super::DAY).await;
        let row = shop.order(second).await;
        visitor.get(&visitor.path_of(&row, "")).await.is(200).says("The offer has ended");
        let late = [("confirmed_total", "50000"), ("terms", "1")];
        visitor.post(&visitor.path_of(&row, "/accept"), &late).await.is(409).says("This offer has ended");
        shop.audit().await;
        shop.close().await;
    }

    async fn staff_see_the_list_in_its_order(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(five(&shop)).await;
        shop.join_and_pay(&campaign, "four@mail.example", 4).await;
        let one = shop.join_and_pay(&campaign, "one@mail.example", 1).await;
        waits(&shop, &campaign, "a@mail.example", 1).await;
        waits(&shop, &campaign, "b@mail.example", 2).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let href = format!("/admin/campaigns/{}", campaign.slug);
        panel.get(&href).await.is(200).says("Waited for").says("3 by 2").says("Waiting list");
        shop.cancel(one).await.unwrap();
        shop.settle().await;
        panel.get(&href).await.says("2 by 1");
        panel.get(&format!("{href}/waiting")).await.is(200).says("offered until").says("2 \u{d7} set").says("Waitlisted");
        panel.get("/admin/orders?state=waitlisted").await.is(200).says("Ana Sousa");
        shop.close().await;
    }

    async fn a_program_waits_and_accepts(db: TestDatabase) {
        let api = Api::start(&db).await;
        let mut body = api.pens();
        body["options"][0]["cap"] = json!(3);
        let slug = api.open(body).await;
        let first = api.join(&slug, wish("a@example.com", "raw", 3)).await.expect(201);
        api.shop.pay(first["checkout_url"].as_str().expect("a page")).await;
        let mut asks = wish("b@example.com", "raw", 2);
        assert_eq!(api.join(&slug, asks.clone()).await.refused(409), "sold-out");
        asks["waitlist"] = json!(true);
        let waits = api.join(&slug, asks).await.expect(201);
        assert_eq!((&waits["state"], &waits["queue_position"]), (&json!("waitlisted"), &json!(1)));
        assert_eq!((&waits["checkout_url"], &waits["hold_expires_at"]), (&Value::Null, &Value::Null));
        let path = order_path(&waits);
        let order = api.get(&path).anonymous().send().await.expect(200);
        assert_eq!((&order["queue_position"], &order["payment_state"]), (&json!(1), &json!("unpaid")));
        let shown = api.get(&format!("/campaigns/{slug}")).anonymous().send().await.expect(200);
        assert_eq!((&shown["options"][0]["available"], &shown["options"][0]["waiting"]), (&json!(0), &json!(1)));
        let below = |below: &str| path.replacen('?', &format!("/{below}?"), 1);
        let early = api.ask(Method::POST, &below("accept")).anonymous().send().await;
        assert_eq!(early.refused(409), "not-offered");

        let leave = order_path(&first).replacen('?', "/cancel?", 1);
        api.ask(Method::POST, &leave).anonymous().send().await.expect(200);
        api.shop.advance(chrono::Duration::seconds(1)).await;
        let order = api.get(&path).anonymous().send().await.expect(200);
        assert_eq!((&order["state"], &order["queue_position"]), (&json!("waitlisted"), &Value::Null));
        assert!(order["hold_expires_at"].is_string(), "until when it stands");
        let too_much = json!({"total": usd(1)});
        let refused = api.ask(Method::POST, &below("accept")).anonymous().body(too_much).send().await;
        assert_eq!(refused.refused(409), "price-changed");
        let taken = api.ask(Method::POST, &below("accept")).anonymous().send().await.expect(200);
        assert_eq!(taken["state"], "pending");
        api.shop.advance(chrono::Duration::seconds(1)).await;
        let order = api.get(&path).anonymous().send().await.expect(200);
        api.shop.pay(order["checkout_url"].as_str().expect("a page")).await;
        let order = api.get(&path).anonymous().send().await.expect(200);
        assert_eq!(order["state"], "confirmed");
    }
}
