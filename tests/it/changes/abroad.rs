//! An order is sent to another country: shipping and tax of there, the difference paid or given back.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::change::ChangeState;
use muster::domain::ids::OrderId;
use muster::domain::staff::Role;
use muster::workflows::change::Typed;
use muster::workflows::changes::{Came, Wish};
use muster::workflows::desk::Problem;
use serde_json::{Value, json};

use super::pages::{get, hidden, post};
use super::{RUN_OUT, changes_of, lines, mails_of, offer, wants, wishes};
use crate::admin::panel::Panel;
use crate::cards::{completes, deadline_passes, saves};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// To Portugal and Spain shipping costs five, to Germany fifteen, with less tax in it; nowhere else.
pub fn far(shop: &Shop, mode: &str) -> Value {
    let mut body = offer(shop, mode);
    body["shipping"] = json!([
        {"countries": ["PT", "ES"], "price": 500}, {"countries": ["DE"], "price": 1500},
    ]);
    body["tax"] = json!([
        {"countries": ["PT", "ES"], "rate_basis_points": 2300, "included": true},
        {"countries": ["DE"], "rate_basis_points": 1900, "included": true, "name": "MwSt"},
    ]);
    body
}

/// An address in a country.
pub fn there(country: &str) -> Typed {
    Typed {
        name: "Ana Sousa".to_owned(),
        line1: "Torstra\u{df}e 1".to_owned(),
        city: "Berlin".to_owned(),
        postal_code: "10119".to_owned(),
        country: country.to_owned(),
        ..Typed::default()
    }
}

/// Sends an order there; lines and parcels stay.
pub async fn sends(shop: &Shop, order: OrderId, country: &str) -> Result<Came, Problem> {
    let wish = Wish {
        address: Some(there(country)),
        ..Wish::of(order)
    };
    wishes(shop, wish).await
}

fn wrong(problem: Problem) -> (String, String) {
    match problem {
        Problem::Invalid(errors) => (errors[0].field.clone(), errors[0].message.clone()),
        other => panic!("{other:?}"),
    }
}

const FORM: [(&str, &str); 6] = [
    ("name", "Ana Sousa"),
    ("line1", "Torstra\u{df}e 1"),
    ("postal_code", "10119"),
    ("city", "Berlin"),
    ("country", "DE"),
    ("delivery", "one_parcel"),
];

fn with(country: &'static str) -> Vec<(&'static str, &'static str)> {
    let mut form = FORM.to_vec();
    form[4].1 = country;
    form
}

/// There and back, then judged: what was charged for it and what went back, as the provider has it.
async fn goes_and_comes(db: TestDatabase, mode: &str, (up, end): ((i64, i64), (i64, i64))) {
    let shop = Shop::open(db).await;
    let campaign = shop.publish(far(&shop, mode)).await;
    let order = saves(&shop, &campaign, "a@mail.example", 6, GOOD_CARD).await;
    for (mail, to) in [("b@mail.example", "DE"), ("c@mail.example", "ES")] {
        // One stays there, one costs the same there.
        let other = saves(&shop, &campaign, mail, 1, GOOD_CARD).await;
        if sends(&shop, other, to).await.unwrap() == Came::ToPay {
            completes(&shop, other, GOOD_CARD).await;
        }
        let row = shop.order(other).await;
        assert_eq!(
            (row.country.as_str(), changes_of(&shop, other).await.len()),
            (to, usize::from(to == "DE"))
        );
        shop.audit().await;
    }
    let came = sends(&shop, order, "DE").await.unwrap();
    assert_eq!(came == Came::ToPay, mode != "charge_on_success");
    if came == Came::ToPay {
        let row = shop.order(order).await;
        assert_eq!(
            (row.country.as_str(), row.total),
            ("PT", 60_500),
            "not before it is paid"
        );
        assert_eq!(
            sends(&shop, order, "DE").await.unwrap(),
            Came::ToPay,
            "the same wish"
        );
        shop.audit().await;
        completes(&shop, order, GOOD_CARD).await;
    }
    let row = shop.order(order).await;
    assert_eq!((row.country.as_str(), row.total), ("DE", 61_500));
    assert!(row.address.contains("Torstra"), "{}", row.address);
    assert_eq!(shop.at_provider(order).await, up, "{mode}");
    shop.audit().await;
    let mut home = there("PT");
    home.city = "Porto".to_owned();
    // Back, with another choice of parcels and one set less: one change.
    let wish = Wish {
        lines: Some(lines(&[("set", 5)])),
        address: Some(home),
        delivery: Some(muster::domain::order::Delivery::AsAvailable),
        ..Wish::of(order)
    };
    assert_eq!(wishes(&shop, wish).await.unwrap(), Came::Done);
    let row = shop.order(order).await;
    assert_eq!(
        (row.country.as_str(), row.total, row.units),
        ("PT", 50_500, 5)
    );
    assert_eq!(row.delivery, muster::domain::order::Delivery::AsAvailable);
    shop.audit().await;
    deadline_passes(&shop, &campaign).await;
    shop.expect_state(&campaign, CampaignState::Ordered).await;
    assert_eq!(shop.at_provider(order).await, end, "{mode}");
    shop.audit().await;
    // What costs something else elsewhere is too late now, and what costs the same is not.
    let (desk_says, same) = {
        let late = |country: &str| muster::workflows::change::Change {
            address: Some(there(country)),
            delivery: None,
        };
        let (far, near) = (late("DE"), late("ES"));
        let who = muster::workflows::claims::Who::Shopper;
        let refused = shop
            .write({
                let who = who.clone();
                move |desk, tx| {
                    muster::workflows::change::change(desk, tx, (None, order), &far, &who).map(drop)
                }
            })
            .await;
        let taken = shop
            .write(move |desk, tx| {
                muster::workflows::change::change(desk, tx, (None, order), &near, &who).map(drop)
            })
            .await;
        (wrong(refused.unwrap_err()), taken)
    };
    assert_eq!(desk_says.0, "country");
    assert!(
        desk_says.1.contains("while joining is open"),
        "{}",
        desk_says.1
    );
    same.unwrap();
    assert_eq!(shop.order(order).await.country, "ES");
    shop.audit().await;
    shop.close().await;
}

both_databases! {
    async fn what_is_paid_at_once_follows_the_country(db: TestDatabase) {
        goes_and_comes(db, "charge_now", ((61_500, 0), (61_500, 16_000))).await;
    }

    async fn what_a_saved_card_owes_follows_the_country(db: TestDatabase) {
        goes_and_comes(db, "charge_on_success", ((0, 0), (45_500, 0))).await;
    }

    async fn a_deposit_follows_the_country(db: TestDatabase) {
        goes_and_comes(db, "deposit", ((12_300, 0), (12_300, 2_200))).await;
    }

    async fn a_country_that_nothing_is_shipped_to_is_said_at_its_field(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(far(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        for (country, says) in [("US", "does not ship to United States"), ("Atlantis", "Choose the country")] {
            let (field, message) = wrong(sends(&shop, order, country).await.unwrap_err());
            assert!(field == "country" && message.contains(says), "{field}: {message}");
        }
        // Unpaid it stays where it was; while it is being paid the address is not corrected beside it.
        assert_eq!(sends(&shop, order, "DE").await.unwrap(), Came::ToPay);
        let change = muster::workflows::change::Change { address: Some(there("PT")), delivery: None };
        let refused = shop.write(move |desk, tx| {
            let who = muster::workflows::claims::Who::Shopper;
            muster::workflows::change::change(desk, tx, (None, order), &change, &who).map(drop)
        }).await;
        assert!(matches!(refused, Err(Problem::Conflict { kind: "change-under-way", .. })), "{refused:?}");
        shop.advance(RUN_OUT).await;
        let row = shop.order(order).await;
        assert_eq!((row.country.as_str(), row.total), ("PT", 10_500));
        assert_eq!(changes_of(&shop, order).await[0].state, ChangeState::Dropped);
        shop.audit().await;
        shop.close().await;
    }

    async fn the_page_of_the_address_leads_to_the_new_total(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(far(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        let token = shop.running.app.office.desk().links.order_token(order);
        let at = |below: &str| format!("/o/{order}{below}?t={token}");
        let page = get(&shop, &at("/edit")).await;
        assert!(page.contains("<option value=\"DE\"") && !page.contains("<option value=\"US\""), "{page}");
        let (status, _, page) = post(&shop, &at("/edit"), &with("US")).await;
        assert!(status == 422 && page.contains("does not ship to United States") && page.contains("Torstra"), "{page}");
        // The same there: kept at once.
        let (status, to, _) = post(&shop, &at("/edit"), &with("ES")).await;
        assert_eq!((status, to), (303, format!("{}&done=changed", at(""))));
        assert_eq!(shop.order(order).await.country, "ES");
        let (status, _, page) = post(&shop, &at("/edit"), &FORM).await;
        assert_eq!(status, 200, "{page}");
        for words in ["$10.00 more", "Shipping to Germany", "$15.00", "shipping to Spain $5.00", "Berlin", "MwSt 19 %"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        let (shown, key) = (hidden(&page, "shown"), hidden(&page, "form_key"));
        let mut form = FORM.to_vec();
        form.extend([("from", "address"), ("shown", shown.as_str()), ("form_key", key.as_str())]);
        // Something else first: what was typed is there.
        let edits = [form.as_slice(), &[("step", "edit")]].concat();
        let (status, _, page) = post(&shop, &at("/change"), &edits).await;
        assert!(status == 200 && page.contains("Where shall it go?") && page.contains("Torstra"), "{page}");
        for _ in 0..2 {
            let (status, to, _) = post(&shop, &at("/change"), &form).await;
            assert_eq!((status, to), (303, at("/pay")));
        }
        shop.settle().await;
        let page = get(&shop, &at("")).await;
        assert!(page.contains("Your change is not paid yet") && page.contains("sent to Ana Sousa, Torstra"), "{page}");
        completes(&shop, order, GOOD_CARD).await;
        let page = get(&shop, &at("")).await;
        assert!(page.contains("it goes to Germany, not to Spain") && page.contains("Berlin"), "{page}");
        assert!(!page.contains("Before: Ana Sousa"), "the address before is for staff");
        let told = mails_of(&shop, order).await;
        let letter = told.iter().find(|mail| mail.kind == "order_changed").expect("the letter");
        for words in ["Shipping to Spain, $5.00", "Shipping to Germany, $15.00", "It goes to:", "10119 Berlin"] {
            assert!(letter.body_text.contains(words), "{words}: {}", letter.body_text);
        }
        assert_eq!(shop.at_provider(order).await, (11_500, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn lines_and_address_change_together_and_what_moved_is_said(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(far(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        let others = shop.join_and_pay(&campaign, "b@mail.example", 5).await;
        let token = shop.running.app.office.desk().links.order_token(order);
        let path = format!("/o/{order}/change?t={token}");
        assert!(get(&shop, &path).await.contains("Send it elsewhere"));
        let both = [FORM.as_slice(), &[("qty_set", "3")]].concat();
        let (status, _, page) = post(&shop, &path, &both).await;
        assert!(status == 200 && page.contains("$80.00 more"), "{page}");
        let shown = hidden(&page, "shown");
        shop.cancel(others).await.unwrap();
        shop.settle().await;
        let form = [both.as_slice(), &[("shown", shown.as_str())]].concat();
        let (status, _, page) = post(&shop, &path, &form).await;
        assert_eq!(status, 409);
        for words in ["The new total was $285.00 when you last saw it, and is $315.00 now.", "$100.00 each now, not $90.00"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        // A lower one is shown first as well.
        let shown = hidden(&page, "shown");
        shop.join_and_pay(&campaign, "c@mail.example", 5).await;
        let form = [both.as_slice(), &[("shown", shown.as_str())]].concat();
        let (status, _, page) = post(&shop, &path, &form).await;
        assert!(status == 409 && page.contains("and is $285.00 now"), "{page}");
        let shown = hidden(&page, "shown");
        let form = [both.as_slice(), &[("shown", shown.as_str())]].concat();
        assert_eq!(post(&shop, &path, &form).await.0, 303);
        shop.settle().await;
        completes(&shop, order, GOOD_CARD).await;
        let row = shop.order(order).await;
        assert_eq!((row.country.as_str(), row.total, row.charged), ("DE", 28_500, 28_500));
        assert_eq!(wants(&shop, order).await, [("set".into(), 3, 9_000)]);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_program_changes_the_country(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(far(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        let token = shop.running.app.office.desk().links.order_token(order);
        let call = async |method: reqwest::Method, below: &str, body: Value| {
            let url = shop.url(&format!("/api/v1/orders/{order}{below}?t={token}"));
            let answer = shop.http.request(method, url).json(&body).send().await.unwrap();
            let status = answer.status().as_u16();
            (status, answer.json::<Value>().await.unwrap())
        };
        let berlin = |country: &str| json!({"line1": "Torstra\u{df}e 1", "city": "Berlin", "country": country});
        let (status, said) = call(reqwest::Method::PATCH, "", json!({"address": berlin("DE")})).await;
        assert_eq!((status, &said["errors"][0]["field"]), (422, &json!("address.country")), "{said}");
        let post = reqwest::Method::POST;
        let (status, said) = call(post.clone(), "/change", json!({"address": berlin("US")})).await;
        assert_eq!((status, &said["errors"][0]["field"]), (422, &json!("address.country")), "{said}");
        let (status, said) = call(post.clone(), "/change", json!({})).await;
        assert_eq!((status, &said["errors"][0]["field"]), (422, &json!("lines")), "{said}");
        let (status, said) = call(post.clone(), "/change", json!({"address": berlin("DE"), "dry_run": true})).await;
        assert_eq!((status, &said["to_pay"]["amount"], &said["shipping"]["amount"]), (200, &json!(1_000), &json!(1_500)));
        let (status, said) = call(post, "/change", json!({"address": berlin("DE"), "name": "Ana S."})).await;
        assert_eq!((status, &said["state"]), (200, &json!("to_pay")), "{said}");
        shop.settle().await;
        completes(&shop, order, GOOD_CARD).await;
        let row = shop.order(order).await;
        assert_eq!((row.country.as_str(), row.name.as_str(), row.charged), ("DE", "Ana S.", 11_500));
        let made = changes_of(&shop, order).await.pop().expect("the change");
        assert_eq!((made.agreed_terms, made.agreed_from.is_some()), (Some(1), true));
        shop.audit().await;
        shop.close().await;
    }

    async fn staff_send_an_order_elsewhere_by_the_same_rules(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let campaign = shop.publish(far(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        let href = format!("/admin/orders/{order}");
        let agrees = async |form: &[(&'static str, &'static str)]| {
            let shown = panel.post(&format!("{href}/address"), form).await;
            shown.is(200);
            let (figures, key) = (hidden(&shown.body, "shown"), hidden(&shown.body, "form_key"));
            let form = [form, &[("shown", figures.as_str()), ("form_key", key.as_str())]].concat();
            panel.post(&format!("{href}/change"), &form).await.leads_to(&href);
            shop.settle().await;
            shown
        };
        panel.post(&format!("{href}/address"), &with("US")).await.is(422).says("does not ship to United States");
        // More is asked of the shopper by letter.
        agrees(&FORM).await.says("Ask the shopper for $10.00").says("$15.00, before $5.00").says("Berlin");
        assert_eq!(shop.order(order).await.country, "PT");
        let told = mails_of(&shop, order).await;
        let letter = told.iter().find(|mail| mail.kind == "change_asked").expect("the letter");
        for words in ["Shipping to Germany, $15.00", "It would go to:", "10119 Berlin", "by "] {
            assert!(letter.body_text.contains(words), "{words}: {}", letter.body_text);
        }
        completes(&shop, order, GOOD_CARD).await;
        assert_eq!(shop.order(order).await.country, "DE");
        shop.audit().await;
        // Less goes back at once; the same is a correction.
        agrees(&with("PT")).await.says("$10.00 goes back");
        assert_eq!(shop.order(order).await.country, "PT");
        panel.post(&format!("{href}/address"), &with("ES")).await.leads_to(&href);
        assert_eq!(shop.order(order).await.country, "ES");
        assert_eq!(shop.at_provider(order).await, (11_500, 1_000));
        shop.audit().await;
        // After joining only what costs the same.
        shop.advance(Duration::days(8)).await;
        panel.post(&format!("{href}/address"), &FORM).await;
        assert_eq!(shop.order(order).await.country, "ES");
        shop.close().await;
    }
}
