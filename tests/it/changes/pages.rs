//! The pages and the API of a change.

use muster::domain::order::OrderState;
use serde_json::json;

use super::{asks, offer, wants};
use crate::cards::completes;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

pub async fn get(shop: &Shop, path: &str) -> String {
    let answer = shop.http.get(shop.url(path)).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

/// Sends a form; the status, where it leads, and the page.
pub async fn post(shop: &Shop, path: &str, form: &[(&str, &str)]) -> (u16, String, String) {
    let answer = shop
        .http
        .post(shop.url(path))
        .form(form)
        .send()
        .await
        .unwrap();
    let to = answer.headers().get("location");
    let to = to.map_or("", |to| to.to_str().unwrap()).to_owned();
    (answer.status().as_u16(), to, answer.text().await.unwrap())
}

/// The value of a hidden field.
pub fn hidden(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let (_, rest) = page
        .split_once(&mark)
        .unwrap_or_else(|| panic!("{name} is in {page}"));
    let value = rest.split('"').next().unwrap();
    value.replace("&#34;", "\"").replace("&#38;", "&")
}

both_databases! {
    async fn the_form_shows_the_total_then_the_page_pays_and_the_order_says_so(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(offer(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        let token = shop.running.app.office.desk().links.order_token(order);
        let at = |below: &str| format!("/o/{order}{below}?t={token}");
        assert!(get(&shop, &at("")).await.contains("Change what you ordered"));
        assert!(get(&shop, &at("/change")).await.contains("you have 1, $100.00 each"));
        // What is wrong is said at its field, and nothing typed is lost.
        let (status, _, page) = post(&shop, &at("/change"), &[("qty_set", "two"), ("qty_lid", "7")]).await;
        assert!(status == 422 && page.contains("value=\"two\"") && page.contains("value=\"7\""), "{page}");
        let (status, _, page) = post(&shop, &at("/change"), &[("qty_set", "1"), ("qty_lid", "21")]).await;
        assert!(status == 409 && page.contains("there are 20 left"), "{page}");
        let (status, _, page) = post(&shop, &at("/change"), &[("qty_set", "1")]).await;
        assert!(status == 200 && page.contains("That is what you have already."), "{page}");
        let (status, to, _) = post(&shop, &at("/change"), &[("qty_set", "0"), ("qty_lid", "0")]).await;
        assert!(status == 303 && to == at("/cancel"), "{to}");
        let (status, _, page) = post(&shop, &at("/change"), &[("qty_set", "2"), ("qty_lid", "1")]).await;
        assert!(status == 200 && page.contains("$110.00 more") && page.contains("$210.00"), "{page}");
        let key = hidden(&page, "form_key");
        let agreed = hidden(&page, "shown");
        let sends = [
            ("qty_set", "2"), ("qty_lid", "1"), ("shown", agreed.as_str()), ("form_key", key.as_str()),
            ("step", "agree"),
        ];
        // Twice, as by a double click.
        for _ in 0..2 {
            let (status, to, _) = post(&shop, &at("/change"), &sends).await;
            assert_eq!((status, to), (303, at("/pay")));
        }
        shop.settle().await;
        let page = get(&shop, &at("")).await;
        assert!(page.contains("Your change is not paid yet") && page.contains("Pay $110.00"), "{page}");
        assert!(!page.contains("Change what you ordered"));
        assert_eq!(shop.payments(order).await.len(), 2);
        completes(&shop, order, GOOD_CARD).await;
        let page = get(&shop, &at("")).await;
        assert!(page.contains("became 2 × Full set, $200.00; 1 × Lid, $10.00 ($210.00 in all)"), "{page}");
        assert!(page.contains("$110.00 was charged for it."));
        // A few words stand out on the timeline, not the whole sentence.
        for title in ["You asked for a change", "You changed your order"] {
            assert!(page.contains(&format!("<b>{title}</b><p>")), "{title}: {page}");
        }
        // The back button and the same form again do no harm.
        let (status, to, _) = post(&shop, &at("/change"), &sends).await;
        assert_eq!((status, to), (303, format!("{}&done=altered", at(""))));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_change_is_taken_back_on_the_page_and_a_smaller_one_needs_no_payment(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(offer(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        let token = shop.running.app.office.desk().links.order_token(order);
        let at = |below: &str| format!("/o/{order}{below}?t={token}");
        asks(&shop, order, &[("set", 3)]).await.unwrap();
        let (status, to, _) = post(&shop, &at("/change/back"), &[]).await;
        assert_eq!((status, to), (303, at("")));
        shop.settle().await;
        let (_, _, page) = post(&shop, &at("/change"), &[("qty_set", "1")]).await;
        assert!(page.contains("$100.00 less") && page.contains("Change the order"), "{page}");
        let (key, agreed) = (hidden(&page, "form_key"), hidden(&page, "shown"));
        let form = [("qty_set", "1"), ("shown", agreed.as_str()), ("form_key", key.as_str())];
        let (status, to, _) = post(&shop, &at("/change"), &form).await;
        assert_eq!((status, to), (303, format!("{}&done=altered", at(""))));
        shop.settle().await;
        assert_eq!(wants(&shop, order).await, [("set".into(), 1, 10_000)]);
        assert_eq!(shop.at_provider(order).await, (20_000, 10_000));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_program_asks_first_and_then_changes_the_order(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(offer(&shop, "charge_now")).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        let token = shop.running.app.office.desk().links.order_token(order);
        let call = async |body: serde_json::Value| {
            let url = shop.url(&format!("/api/v1/orders/{order}/change?t={token}"));
            let answer = shop.http.post(url).json(&body).send().await.unwrap();
            let status = answer.status().as_u16();
            (status, answer.json::<serde_json::Value>().await.unwrap())
        };
        let lines = json!([{"sku": "set", "quantity": 2}]);
        let (status, said) = call(json!({"lines": lines, "dry_run": true})).await;
        assert_eq!((status, &said["state"], &said["to_pay"]["amount"]), (200, &json!("offered"), &json!(10_000)));
        assert_eq!(said["total"], json!({"amount": 20_000, "currency": "usd"}));
        let low = json!({"amount": 19_999, "currency": "usd"});
        let (status, said) = call(json!({"lines": lines, "agreed_total": low})).await;
        assert_eq!((status, &said["type"]), (409, &json!("price-changed")));
        for _ in 0..2 {
            let (status, said) = call(json!({"lines": lines})).await;
            assert_eq!((status, &said["state"], &said["to_pay"]["amount"]), (200, &json!("to_pay"), &json!(10_000)));
        }
        shop.settle().await;
        let order_url = shop.url(&format!("/api/v1/orders/{order}?t={token}"));
        let shown: serde_json::Value = shop.http.get(order_url).send().await.unwrap().json().await.unwrap();
        assert!(shown["checkout_url"].is_string(), "{shown}");
        completes(&shop, order, GOOD_CARD).await;
        let (status, said) = call(json!({"lines": [{"sku": "lid", "quantity": 1}]})).await;
        assert_eq!((status, &said["state"], &said["back"]["amount"]), (200, &json!("done"), &json!(19_000)));
        let (status, said) = call(json!({"lines": [{"sku": "mug", "quantity": 1}], "more": 1})).await;
        assert_eq!((status, &said["errors"][0]["field"]), (422, &json!("more")));
        shop.cancel(order).await.unwrap();
        let (status, said) = call(json!({"lines": [{"sku": "mug", "quantity": 0}]})).await;
        assert_eq!((status, &said["type"]), (409, &json!("order-ended")));
        shop.settle().await;
        assert_eq!(shop.order(order).await.state, OrderState::Cancelled);
        shop.audit().await;
        shop.close().await;
    }
}
