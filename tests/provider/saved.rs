//! Saved cards through our own port: what the built-in provider does, in the words of the workflows.

use std::time::Duration;

use chrono::TimeDelta;
use muster::domain::card::Decline;
use muster::domain::currency::Currency;
use muster::domain::ids::OrderId;
use muster::domain::payment::PaymentKind;
use muster::stripe::{StripeConfig, StripeProvider};
use muster::workflows::ports::{
    CallError, CardOnFile, IntentStatus, NewCharge, NewPage, Page, PageLine, PageMode, PageStatus,
    Provider, ProviderIntent, Tag,
};
use serde_json::{Value, json};

use crate::driver::{Served, s, serve};

fn port(shop: &Served) -> StripeProvider {
    StripeProvider::new(StripeConfig {
        secret_key: "sk_test_shop".into(),
        api_base: Some(shop.api()),
        timeout: Duration::from_secs(1),
        calls_per_second: None,
    })
    .expect("a provider")
}

fn new_page(shop: &Served, mode: PageMode) -> NewPage {
    let kind = match mode {
        PageMode::Pay => PaymentKind::Join,
        PageMode::PayAndSave => PaymentKind::Deposit,
        PageMode::Save => PaymentKind::Setup,
    };
    let line = PageLine {
        name: "Brass pen".into(),
        unit_amount: 1_500,
        quantity: 1,
    };
    NewPage {
        tag: Tag::payment(OrderId::new(), kind, 1),
        mode,
        currency: Currency::USD,
        lines: (mode != PageMode::Save)
            .then_some(line)
            .into_iter()
            .collect(),
        email: "ann@example.org".into(),
        expires_at: shop.sandbox.clock().now() + TimeDelta::minutes(31),
        success_url: format!("{}/thanks", shop.base),
        cancel_url: format!("{}/back", shop.base),
    }
}

async fn made(shop: &Served, mode: PageMode) -> Page {
    let page = new_page(shop, mode);
    let key = page.tag.order.to_string();
    port(shop).create_page(page, key).await.expect("a page")
}

async fn press(shop: &Served, page: &Page, card: &str) -> u16 {
    let url = page.url.as_deref().expect("an open page");
    let form = format!("card={card}&exp=12/34&outcome=succeed");
    shop.post_form(url, &form).await.0
}

/// A card that a page saved.
async fn saved(shop: &Served, mode: PageMode, card: &str) -> CardOnFile {
    let page = made(shop, mode).await;
    assert_eq!(press(shop, &page, card).await, 303);
    let page = port(shop).page(page.id).await.expect("the page");
    page.card.expect("the card")
}

fn new_charge(card: &CardOnFile, attempt: i32) -> NewCharge {
    NewCharge {
        tag: Tag::payment(OrderId::new(), PaymentKind::Charge, attempt),
        currency: Currency::USD,
        amount: 4_500,
        customer: card.customer.clone(),
        method: card.method.clone(),
        description: "Brass pen, order 1042".into(),
    }
}

async fn charge(shop: &Served, card: &CardOnFile) -> Result<ProviderIntent, CallError> {
    let row = new_charge(card, 1);
    let key = row.tag.order.to_string();
    port(shop).create_charge(row, key).await
}

fn decline(intent: &ProviderIntent) -> Option<(Decline, &str)> {
    match &intent.status {
        IntentStatus::Wanting(Some(no)) => Some((no.decline, no.code.as_str())),
        _ => None,
    }
}

#[actix_web::test]
async fn a_page_saves_a_card_which_is_charged_until_it_is_detached() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let provider = port(&shop);
    let new = new_page(&shop, PageMode::Save);
    let tag = new.tag.clone();
    let page = provider.create_page(new, "k".into()).await.expect("a page");
    assert_eq!((page.status, page.amount), (Some(PageStatus::Open), None));
    let (_, shown) = shop.page(page.url.as_deref().expect("an address")).await;
    assert!(
        shown.contains("Save card") && !shown.contains('$'),
        "{shown}"
    );
    assert_eq!(press(&shop, &page, "4242424242424242").await, 303);
    let page = provider.page(page.id).await.expect("the page");
    assert_eq!(
        (page.status, page.tag),
        (Some(PageStatus::Saved), Some(tag.clone()))
    );
    let card = page.card.expect("the card");
    assert_eq!((card.brand.as_str(), card.last4.as_str()), ("visa", "4242"));
    assert_eq!(card.expiry.to_string(), "12/34");

    let row = new_charge(&card, 1);
    let first = provider
        .create_charge(row.clone(), "c1".into())
        .await
        .expect("an answer");
    assert_eq!(
        (first.status.clone(), first.amount),
        (IntentStatus::Succeeded, 4_500)
    );
    let again = provider.create_charge(row.clone(), "c1".into()).await;
    assert_eq!(again.expect("the same"), first);
    let second = charge(&shop, &card).await.expect("an answer");
    let listed = provider
        .intents(card.customer.clone(), None)
        .await
        .expect("a list");
    assert_eq!(listed.data, [second, first.clone()]);
    assert_eq!(first.tag, Some(row.tag));
    assert_eq!(provider.intent(first.id.clone()).await.expect("it"), first);
    let cancelled = provider.cancel_intent(first.id, "x".into()).await;
    let ended = "payment_intent_unexpected_state";
    assert!(matches!(cancelled, Err(CallError::Refused { code, .. }) if code == ended));

    for key in ["d1", "d2"] {
        let detached = provider.detach_card(card.method.clone(), key.into()).await;
        detached.expect("it is taken");
    }
    let detached = provider.detach_card("pm_nobody".into(), "d3".into()).await;
    detached.expect("it counts as taken");
    let refused = charge(&shop, &card).await;
    assert!(
        matches!(refused, Err(CallError::Refused { .. })),
        "{refused:?}"
    );
}

#[actix_web::test]
async fn a_page_pays_and_saves_the_card_for_later() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let provider = port(&shop);
    let page = made(&shop, PageMode::PayAndSave).await;
    // A card that the bank refuses leaves the page open.
    assert_eq!(press(&shop, &page, "4000000000009995").await, 402);
    assert_eq!(press(&shop, &page, "4000002500003155").await, 303);
    let page = provider.page(page.id).await.expect("the page");
    assert_eq!(
        (page.status, page.amount),
        (Some(PageStatus::Paid), Some(1_500))
    );
    let card = page.card.expect("the card");
    let later = charge(&shop, &card).await.expect("an answer");
    assert_eq!(later.status, IntentStatus::Succeeded);
    // The deposit and the balance are both this customer's.
    let listed = provider.intents(card.customer, None).await.expect("a list");
    let ids: Vec<_> = listed
        .data
        .iter()
        .map(|intent| Some(intent.id.as_str()))
        .collect();
    assert_eq!(ids, [Some(later.id.as_str()), page.intent.as_deref()]);

    let plain = made(&shop, PageMode::Pay).await;
    assert_eq!(press(&shop, &plain, "4242424242424242").await, 303);
    let plain = provider.page(plain.id).await.expect("the page");
    assert_eq!((plain.status, plain.card), (Some(PageStatus::Paid), None));
}

#[actix_web::test]
async fn each_saved_card_says_later_what_it_is_for() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    for (number, expected) in [
        ("4242424242424242", None),
        ("4000002500003155", None),
        (
            "4000002760003184",
            Some((Decline::Authentication, "authentication_required")),
        ),
        (
            "4000000000000341",
            Some((Decline::Soft, "card_declined/generic_decline")),
        ),
    ] {
        let card = saved(&shop, PageMode::Save, number).await;
        let intent = charge(&shop, &card).await.expect("an answer");
        assert_eq!(decline(&intent), expected, "{number}");
        if expected.is_none() {
            assert_eq!(intent.status, IntentStatus::Succeeded, "{number}");
        }
        let found = port(&shop).intent(intent.id.clone()).await.expect("it");
        assert_eq!(found, intent, "{number}");
    }
    // The bank already says no to these where they are to be saved.
    for number in ["4000000000009995", "4000000000009987", "4000000000009979"] {
        let page = made(&shop, PageMode::Save).await;
        assert_eq!(press(&shop, &page, number).await, 402, "{number}");
        let page = port(&shop).page(page.id).await.expect("the page");
        assert_eq!((page.status, page.card), (Some(PageStatus::Open), None));
    }
}

#[actix_web::test]
async fn a_card_whose_month_is_over_is_declined_for_good() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let card = saved(&shop, PageMode::Save, "4242424242424242").await;
    shop.advance(3_000 * 24 * 3_600).await;
    let intent = charge(&shop, &card).await.expect("an answer");
    assert_eq!(decline(&intent), Some((Decline::Hard, "expired_card")));
}

#[actix_web::test]
async fn the_shop_is_told_what_became_of_each_charge_with_our_ids() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let good = saved(&shop, PageMode::Save, "4242424242424242").await;
    let bad = saved(&shop, PageMode::Save, "4000000000000341").await;
    let told = shop.told().await;
    let completed = |kind: &&String| *kind == "checkout.session.completed";
    assert_eq!(told.iter().filter(completed).count(), 2, "{told:?}");
    let paid = charge(&shop, &good).await.expect("an answer");
    let declined = charge(&shop, &bad).await.expect("an answer");
    let cancelled = port(&shop)
        .cancel_intent(declined.id.clone(), "x".into())
        .await;
    assert_eq!(
        cancelled.expect("it was open").status,
        IntentStatus::Cancelled
    );
    shop.told().await;
    let events = shop.inbox.events.lock().expect("inbox");
    for (kind, intent) in [
        ("payment_intent.succeeded", &paid),
        ("payment_intent.payment_failed", &declined),
        ("payment_intent.canceled", &declined),
    ] {
        let of = |event: &&Value| event["type"] == kind;
        let event = events.iter().find(of).unwrap_or_else(|| panic!("{kind}"));
        assert_eq!(s(event, "/data/object/id"), intent.id, "{kind}");
        let order = intent.tag.as_ref().expect("a tag").order.to_string();
        assert_eq!(s(event, "/data/object/metadata/order"), order, "{kind}");
        assert_eq!(s(event, "/data/object/metadata/purpose"), "charge");
    }
}

#[actix_web::test]
async fn a_charge_whose_answer_is_lost_is_found_again_whatever_it_came_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let provider = port(&shop);
    let good = saved(&shop, PageMode::Save, "4242424242424242").await;
    let bad = saved(&shop, PageMode::Save, "4000000000000341").await;
    for (n, (card, pays)) in [(&good, true), (&bad, false)].into_iter().enumerate() {
        let row = new_charge(card, 1);
        let ask = async |key: String| provider.create_charge(row.clone(), key).await;
        shop.faults(json!({ "api": "rate_limit" })).await;
        assert!(matches!(
            ask(format!("a{n}")).await,
            Err(CallError::Later(_))
        ));
        shop.faults(json!({ "api": "error_after_effect" })).await;
        assert!(matches!(
            ask(format!("a{n}")).await,
            Err(CallError::Broken(_))
        ));
        shop.faults(json!({ "api": "normal" })).await;
        // The key repeats what was answered; the list knows better.
        assert!(matches!(
            ask(format!("a{n}")).await,
            Err(CallError::Broken(_))
        ));
        let listed = provider
            .intents(card.customer.clone(), None)
            .await
            .expect("a list");
        assert_eq!(listed.data.len(), 1);
        assert_eq!(listed.data[0].tag, Some(row.tag.clone()));
        assert_eq!(listed.data[0].status == IntentStatus::Succeeded, pays);
        assert_eq!(decline(&listed.data[0]).is_none(), pays);

        shop.faults(json!({ "api": "hang_after_effect" })).await;
        assert!(matches!(
            ask(format!("b{n}")).await,
            Err(CallError::Unknown(_))
        ));
        shop.faults(json!({ "api": "normal" })).await;
        let heard = ask(format!("b{n}")).await.expect("the answer");
        assert_eq!(heard.status == IntentStatus::Succeeded, pays);
        let listed = provider
            .intents(card.customer.clone(), None)
            .await
            .expect("a list");
        assert_eq!(listed.data.len(), 2);
    }
}

#[actix_web::test]
async fn a_page_that_was_to_save_a_card_runs_out_with_its_intent() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let page = made(&shop, PageMode::Save).await;
    let url = page.url.as_deref().expect("an address");
    let (status, _, asks) = shop.post_form(url, "card=4000002760003184").await;
    assert!(status == 200 && asks.contains("Your bank asks"), "{asks}");
    let path = format!("/v1/checkout/sessions/{}", page.id);
    let session = shop.ok("GET", &path, "expand[]=setup_intent").await;
    assert_eq!(s(&session, "/setup_intent/status"), "requires_action");
    let expired = port(&shop).expire_page(page.id.clone(), "x".into()).await;
    assert_eq!(
        expired.expect("it was open").status,
        Some(PageStatus::Expired)
    );
    let session = shop.ok("GET", &path, "expand[]=setup_intent").await;
    assert_eq!(s(&session, "/setup_intent/status"), "canceled");
    let asked = port(&shop).page(page.id).await.expect("the page");
    assert_eq!(
        (asked.status, asked.card),
        (Some(PageStatus::Expired), None)
    );
}

#[actix_web::test]
async fn what_our_port_asks_and_hears_is_as_described() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let expires = shop.sandbox.clock().now().timestamp() + 31 * 60;
    let form = format!(
        "mode=setup&currency=usd&customer_creation=always&customer_email=ann@example.org\
         &payment_method_types[0]=card&expires_at={expires}&success_url={0}/ok&cancel_url={0}/back\
         &client_reference_id=o&metadata[order]=o&setup_intent_data[metadata][order]=o",
        shop.base
    );
    let session = shop.ok("POST", "/v1/checkout/sessions", &form).await;
    shop.pay(&session, "card=4000000000000341").await;
    let path = format!("/v1/checkout/sessions/{}", s(&session, "/id"));
    let expand = "expand[0]=setup_intent.payment_method&expand[1]=payment_intent.payment_method";
    let session = shop.ok("GET", &path, expand).await;
    assert_eq!(s(&session, "/setup_intent/metadata/order"), "o");
    let (customer, method) = (
        s(&session, "/customer"),
        s(&session, "/setup_intent/payment_method/id"),
    );
    let form = format!(
        "amount=4500&currency=usd&customer={customer}&payment_method={method}&confirm=true\
         &off_session=true&payment_method_types[0]=card&metadata[about]=Brass+pen&metadata[order]=o"
    );
    let error = shop
        .refused("POST", "/v1/payment_intents", &form, 402)
        .await;
    let intent = s(&error, "/payment_intent/id");
    let query = format!("customer={customer}&limit=100");
    let list = shop.ok("GET", "/v1/payment_intents", &query).await;
    assert_eq!(s(&list, "/data/0/id"), intent);
    let path = format!("/v1/payment_intents/{intent}/cancel");
    shop.ok("POST", &path, "").await;
    let error = shop.refused("POST", &path, "", 400).await;
    assert_eq!(s(&error, "/code"), "payment_intent_unexpected_state");
    let path = format!("/v1/payment_methods/{method}");
    shop.ok("POST", &format!("{path}/detach"), "").await;
    shop.refused("POST", &format!("{path}/detach"), "", 400)
        .await;
    shop.ok("GET", &path, "").await;
}
