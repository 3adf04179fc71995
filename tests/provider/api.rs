//! The API itself: every endpoint, lists, expansion, errors.

use serde_json::json;

use crate::driver::{s, serve};

#[actix_web::test]
async fn the_key_must_be_a_test_key_and_the_address_known() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let client = reqwest::Client::new();
    let url = format!("{}/v1/balance", shop.api());
    for key in ["", "sk_live_1", "sk_test_"] {
        let answer = client
            .get(&url)
            .bearer_auth(key)
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status().as_u16(), 401, "{key}");
        let body: serde_json::Value = answer.json().await.expect("JSON");
        assert_eq!(s(&body, "/error/type"), "invalid_request_error");
    }
    let answer = client
        .get(&url)
        .basic_auth("sk_test_1", Some(""))
        .send()
        .await
        .expect("answer");
    assert_eq!(answer.status().as_u16(), 200);
    let got = shop
        .raw("GET", "/v1/nothing", "", None)
        .await
        .expect("an answer");
    assert_eq!(got.status, 404);
    let error = shop.refused("GET", "/v1/charges/ch_1", "", 404).await;
    assert_eq!(
        (s(&error, "/code"), s(&error, "/param")),
        ("resource_missing".into(), "charge".into())
    );
}

#[actix_web::test]
async fn lists_are_paged_newest_first_and_narrowed() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let form = format!("email=s{n}@example.org&metadata[n]={n}");
        ids.push(s(&shop.ok("POST", "/v1/customers", &form).await, "/id"));
    }
    ids.reverse();
    let of = |list: &serde_json::Value| -> Vec<String> {
        list["data"]
            .as_array()
            .expect("data")
            .iter()
            .map(|c| s(c, "/id"))
            .collect()
    };
    let first = shop.ok("GET", "/v1/customers", "limit=2").await;
    assert_eq!(
        (of(&first), &first["has_more"]),
        (ids[..2].to_vec(), &json!(true))
    );
    let query = format!("limit=2&starting_after={}", ids[1]);
    let second = shop.ok("GET", "/v1/customers", &query).await;
    assert_eq!(
        (of(&second), &second["has_more"]),
        (ids[2..4].to_vec(), &json!(true))
    );
    let query = format!("limit=2&starting_after={}", ids[3]);
    let third = shop.ok("GET", "/v1/customers", &query).await;
    assert_eq!(
        (of(&third), &third["has_more"]),
        (ids[4..].to_vec(), &json!(false))
    );
    let query = format!("limit=2&ending_before={}", ids[3]);
    let back = shop.ok("GET", "/v1/customers", &query).await;
    assert_eq!(
        (of(&back), &back["has_more"]),
        (ids[1..3].to_vec(), &json!(true))
    );
    let one = shop
        .ok("GET", "/v1/customers", "email=s3@example.org")
        .await;
    assert_eq!(of(&one), ids[1..2].to_vec());
    for wrong in ["limit=0", "limit=101", "starting_after=cus_nobody"] {
        shop.refused("GET", "/v1/customers", wrong, 400).await;
    }
    let query = format!("starting_after={0}&ending_before={0}", ids[0]);
    shop.refused("GET", "/v1/customers", &query, 400).await;
    let now = shop.sandbox.clock().now().timestamp();
    let none = shop
        .ok("GET", "/v1/customers", &format!("created[gt]={}", now + 60))
        .await;
    assert_eq!(none["data"], json!([]));
    let all = shop
        .ok(
            "GET",
            "/v1/customers",
            &format!("created[gte]={}", now - 60),
        )
        .await;
    assert_eq!(of(&all).len(), 5);
    let form = "name=Ann&email=ann@example.org&phone=1&description=d&metadata[n]=&metadata[m]=1";
    let changed = shop
        .ok("POST", &format!("/v1/customers/{}", ids[0]), form)
        .await;
    assert_eq!(changed["metadata"], json!({ "m": "1" }));
    shop.ok("GET", &format!("/v1/customers/{}", ids[0]), "")
        .await;
}

#[actix_web::test]
async fn what_is_expanded_is_the_object_and_what_cannot_be_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let paid = shop.paid("4242424242424242").await;
    let id = s(&paid, "/id");
    let intent = s(&paid, "/payment_intent/id");
    let path = format!("/v1/checkout/sessions/{id}");
    let items = shop.ok("GET", &path, "expand[]=line_items").await;
    assert_eq!(
        items["line_items"]["data"].as_array().map(Vec::len),
        Some(2)
    );
    let listed = shop
        .ok("GET", &format!("{path}/line_items"), "limit=1")
        .await;
    assert_eq!(
        (
            listed["has_more"].clone(),
            s(&listed, "/data/0/description")
        ),
        (json!(true), "Brass pen".into())
    );
    let after = format!("starting_after={}", s(&listed, "/data/0/id"));
    let rest = shop.ok("GET", &format!("{path}/line_items"), &after).await;
    assert_eq!(s(&rest, "/data/0/description"), "Shipping");
    let query = format!("payment_intent={intent}&expand[]=data.payment_intent.latest_charge");
    let list = shop.ok("GET", "/v1/checkout/sessions", &query).await;
    assert_eq!(
        list["data"][0]["payment_intent"]["latest_charge"]["amount"],
        4500
    );
    let list = shop
        .ok("GET", "/v1/checkout/sessions", "status=open&limit=3")
        .await;
    assert_eq!(list["data"], json!([]));
    let charge = s(&paid, "/payment_intent/latest_charge/id");
    let path = format!("/v1/charges/{charge}");
    let query = "expand[]=balance_transaction&expand[]=refunds&expand[]=payment_intent";
    let charge = shop.ok("GET", &path, query).await;
    assert_eq!(charge["balance_transaction"]["net"], 4500);
    for wrong in [
        "expand[]=metadata",
        "expand[]=payment_intent.latest_charge.refunds.data.charge.x",
    ] {
        let error = shop.refused("GET", &path, wrong, 400).await;
        assert_eq!(s(&error, "/param"), "expand");
    }
    // Refused before anything happens.
    let wrong = format!("{}&expand[]=metadata", shop.session_form());
    shop.refused("POST", "/v1/checkout/sessions", &wrong, 400)
        .await;
    let all = shop.ok("GET", "/v1/checkout/sessions", "").await;
    assert_eq!(all["data"].as_array().map(Vec::len), Some(1));
}

#[actix_web::test]
async fn intents_are_made_confirmed_and_canceled() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let intents = "/v1/payment_intents";
    let made = shop
        .ok(
            "POST",
            intents,
            "amount=1000&currency=eur&metadata[order]=o",
        )
        .await;
    let path = format!("{intents}/{}", s(&made, "/id"));
    assert_eq!(s(&made, "/status"), "requires_payment_method");
    shop.ok("POST", &path, "amount=1200&description=d&metadata[order]=")
        .await;
    let confirm = format!("{path}/confirm");
    shop.refused("POST", &confirm, "", 400).await;
    let error = shop
        .refused(
            "POST",
            &confirm,
            "payment_method=pm_card_chargeDeclined",
            402,
        )
        .await;
    assert_eq!(s(&error, "/decline_code"), "generic_decline");
    assert!(s(&error, "/charge").starts_with("ch_"), "{error}");
    let paid = shop
        .ok(
            "POST",
            &confirm,
            "payment_method=pm_card_visa&expand[]=latest_charge",
        )
        .await;
    assert_eq!(
        (s(&paid, "/status"), paid["amount_received"].clone()),
        ("succeeded".into(), json!(1200))
    );
    let error = shop
        .refused("POST", &confirm, "payment_method=pm_card_visa", 400)
        .await;
    assert_eq!(s(&error, "/code"), "payment_intent_unexpected_state");
    shop.refused("POST", &format!("{path}/cancel"), "", 400)
        .await;
    shop.ok("GET", &path, "").await;
    let query = format!("payment_intent={}", s(&made, "/id"));
    let charges = shop.ok("GET", "/v1/charges", &query).await;
    assert_eq!(charges["data"].as_array().map(Vec::len), Some(2));

    let asks = "amount=1&currency=usd&confirm=true&payment_method=pm_card_authenticationRequired";
    let asked = shop
        .ok(
            "POST",
            intents,
            &format!("{asks}&return_url={}/back", shop.base),
        )
        .await;
    let bank = s(&asked, "/next_action/redirect_to_url/url");
    let (_, page) = shop.page(&bank).await;
    assert!(page.contains("Your bank asks"), "{page}");
    let (status, to, _) = shop.post_form(&bank, "outcome=succeed").await;
    assert_eq!((status, to), (303, format!("{}/back", shop.base)));
    let paid = shop
        .ok("GET", &format!("{intents}/{}", s(&asked, "/id")), "")
        .await;
    assert_eq!(s(&paid, "/status"), "succeeded");
    let error = shop
        .refused(
            "POST",
            intents,
            &format!("{asks}&error_on_requires_action=true"),
            402,
        )
        .await;
    assert_eq!(s(&error, "/code"), "authentication_required");

    let made = shop.ok("POST", intents, "amount=1000&currency=usd").await;
    let path = format!("{intents}/{}/cancel", s(&made, "/id"));
    let canceled = shop
        .ok("POST", &path, "cancellation_reason=abandoned")
        .await;
    assert_eq!(s(&canceled, "/status"), "canceled");
    for wrong in [
        "amount=0&currency=usd",
        "amount=1000000000&currency=usd",
        "amount=5&currency=abc",
    ] {
        shop.refused("POST", intents, wrong, 400).await;
    }
    shop.ok("GET", intents, "limit=2").await;
}

#[actix_web::test]
async fn cards_are_set_up_attached_listed_and_detached() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let customer = s(&shop.ok("POST", "/v1/customers", "name=Ann").await, "/id");
    let card = "type=card&card[number]=4242424242424242&card[exp_month]=4&card[exp_year]=2040&card[cvc]=123\
                &billing_details[name]=Ann&billing_details[address][city]=Porto";
    let method = s(&shop.ok("POST", "/v1/payment_methods", card).await, "/id");
    let path = format!("/v1/payment_methods/{method}");
    let attached = shop
        .ok(
            "POST",
            &format!("{path}/attach"),
            &format!("customer={customer}"),
        )
        .await;
    assert_eq!(s(&attached, "/customer"), customer);
    shop.ok("GET", &path, "expand[]=customer").await;
    shop.ok(
        "GET",
        "/v1/payment_methods",
        &format!("customer={customer}&type=card"),
    )
    .await;
    let list = shop
        .ok(
            "GET",
            &format!("/v1/customers/{customer}/payment_methods"),
            "",
        )
        .await;
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
    let other = s(&shop.ok("POST", "/v1/customers", "").await, "/id");
    let form =
        format!("amount=5&currency=usd&confirm=true&customer={other}&payment_method={method}");
    shop.refused("POST", "/v1/payment_intents", &form, 400)
        .await;
    shop.ok("POST", &format!("{path}/detach"), "").await;
    shop.refused("POST", &format!("{path}/detach"), "", 400)
        .await;
    let attach = "/v1/payment_methods/pm_card_chargeDeclined/attach";
    let error = shop
        .refused("POST", attach, &format!("customer={customer}"), 402)
        .await;
    assert_eq!(s(&error, "/code"), "card_declined");
    for wrong in [
        "number]=4242424242424241",
        "exp_month]=13",
        "exp_year]=2001",
    ] {
        let (field, _) = wrong.split_once('=').expect("a pair");
        let start = card.find(field).expect("the field");
        let end = card[start..].find('&').map_or(card.len(), |e| e + start);
        let form = format!("{}{wrong}{}", &card[..start], &card[end..]);
        let error = shop
            .refused("POST", "/v1/payment_methods", &form, 402)
            .await;
        assert_eq!(s(&error, "/type"), "card_error");
    }

    let setups = "/v1/setup_intents";
    let form = format!("customer={customer}&usage=off_session&metadata[order]=o");
    let made = shop.ok("POST", setups, &form).await;
    let path = format!("{setups}/{}", s(&made, "/id"));
    let form = "payment_method=pm_card_visa&expand[]=payment_method";
    let done = shop.ok("POST", &format!("{path}/confirm"), form).await;
    assert_eq!(
        (s(&done, "/status"), s(&done, "/payment_method/customer")),
        ("succeeded".into(), customer.clone())
    );
    shop.refused("POST", &format!("{path}/cancel"), "", 400)
        .await;
    let form = format!(
        "customer={customer}&confirm=true&payment_method=pm_card_authenticationRequiredOnSetup"
    );
    let asked = shop.ok("POST", setups, &form).await;
    let bank = s(&asked, "/next_action/redirect_to_url/url");
    shop.post_form(&bank, "outcome=fail").await;
    let path = format!("{setups}/{}", s(&asked, "/id"));
    let failed = shop.ok("GET", &path, "").await;
    assert_eq!(
        s(&failed, "/last_setup_error/code"),
        "setup_intent_authentication_failure"
    );
    shop.refused(
        "POST",
        &format!("{path}/confirm"),
        "payment_method=pm_card_chargeDeclined",
        402,
    )
    .await;
    shop.ok(
        "POST",
        &format!("{path}/cancel"),
        "cancellation_reason=abandoned",
    )
    .await;
    shop.ok("GET", setups, &format!("customer={customer}"))
        .await;
}

#[actix_web::test]
async fn events_are_listed_by_type_and_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    shop.paid("4242424242424242").await;
    let all = shop.ok("GET", "/v1/events", "limit=100").await;
    let one = shop.ok("GET", "/v1/events", "type=charge.succeeded").await;
    assert_eq!(one["data"].as_array().map(Vec::len), Some(1));
    let two = "types[]=charge.succeeded&types[]=payment_intent.succeeded";
    let two = shop.ok("GET", "/v1/events", two).await;
    assert_eq!(two["data"].as_array().map(Vec::len), Some(2));
    let path = format!("/v1/events/{}", s(&one, "/data/0/id"));
    let event = shop.ok("GET", &path, "").await;
    assert_eq!(s(&event, "/api_version"), "2026-08-26.dahlia");
    let now = shop.sandbox.clock().now().timestamp();
    let range = format!(
        "created[gte]={}&created[lte]={}&limit=100",
        now - 60,
        now + 60
    );
    assert_eq!(
        shop.ok("GET", "/v1/events", &range).await["data"],
        all["data"]
    );
    assert_eq!(
        shop.ok("GET", "/v1/events", &format!("created[lt]={}", now - 60))
            .await["data"],
        json!([])
    );
}

#[actix_web::test]
async fn another_endpoint_gets_what_it_asked_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let endpoints = "/v1/webhook_endpoints";
    // Signed with its own secret, so what arrives at the shop's address would be refused there: an address of its own.
    let form = format!(
        "url={}/elsewhere&enabled_events[]=charge.succeeded&metadata[a]=b",
        shop.base
    );
    let made = shop.ok("POST", endpoints, &form).await;
    assert!(s(&made, "/secret").starts_with("whsec_"));
    let path = format!("{endpoints}/{}", s(&made, "/id"));
    let kept = shop.ok("GET", &path, "").await;
    assert_eq!(kept.get("secret"), None);
    shop.paid("4242424242424242").await;
    let one = shop.ok("GET", "/v1/events", "type=charge.succeeded").await;
    assert_eq!(one["data"][0]["pending_webhooks"], 2);
    shop.ok("POST", &path, "disabled=true&description=off")
        .await;
    shop.ok("GET", endpoints, "").await;
    shop.ok("DELETE", &path, "").await;
    shop.refused("GET", &path, "", 404).await;
    assert_eq!(shop.told().await.len(), 4);
}
