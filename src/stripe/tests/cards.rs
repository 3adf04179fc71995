//! Saved cards: pages that save them, charges without their holder, and what the bank says.

use serde_json::{Value, json};

use super::fake::Fake;
use super::objects::{error, intent, list, method, session, setup, with};
use super::rows::{ORDER, c, form, new_charge, new_page, tag_of};
use crate::domain::card::{CardExpiry, Decline};
use crate::domain::currency::Currency;
use crate::workflows::ports::{
    CallError, CardOnFile, Declined, IntentStatus, NewPage, PageMode, PageStatus, Provider,
    ProviderIntent,
};

fn card() -> CardOnFile {
    CardOnFile {
        customer: "cus_1".to_owned(),
        method: "pm_1".to_owned(),
        brand: "visa".to_owned(),
        last4: "4242".to_owned(),
        expiry: CardExpiry::new(2031, 3).unwrap(),
    }
}

fn saving_page() -> NewPage {
    NewPage {
        mode: PageMode::Save,
        lines: Vec::new(),
        ..new_page(Currency::USD, 1_500)
    }
}

async fn charge(fake: &Fake, status: u16, answer: Value) -> Result<ProviderIntent, CallError> {
    fake.answers(status, answer);
    let charge = new_charge(Currency::USD, 4_500);
    let provider = fake.provider();
    provider
        .create_charge(charge, "charge:1:3".to_owned())
        .await
}

/// The bank's no, with the intent that it leaves behind.
fn no(code: Value, bank: Value, left: Value) -> Value {
    json!({"error": {"type": "card_error", "code": code, "decline_code": bank,
        "message": "Your card was declined.", "charge": "ch_1", "payment_intent": left,
        "payment_method": method()}})
}

#[actix_web::test]
async fn a_page_that_saves_a_card_asks_for_a_customer_and_charges_nothing() {
    let fake = Fake::start();
    fake.answers(
        200,
        with(session(), json!({"mode": "setup", "amount_total": null})),
    );
    let page = fake
        .provider()
        .create_page(saving_page(), "join:1:2".to_owned())
        .await
        .unwrap();
    assert_eq!((page.status, page.amount), (Some(PageStatus::Open), None));
    assert_eq!(
        form(&fake.only()),
        [
            ("cancel_url", "https://shop.example/o/1?t=a"),
            ("client_reference_id", ORDER),
            ("currency", "usd"),
            ("customer_creation", "always"),
            ("customer_email", "ada+1@example.com"),
            ("expires_at", "1800001860"),
            ("metadata[attempt]", "2"),
            ("metadata[order]", ORDER),
            ("metadata[purpose]", "join"),
            ("mode", "setup"),
            ("payment_method_types[0]", "card"),
            ("setup_intent_data[metadata][attempt]", "2"),
            ("setup_intent_data[metadata][order]", ORDER),
            ("setup_intent_data[metadata][purpose]", "join"),
            ("success_url", "https://shop.example/o/1?t=a&paid=1"),
        ]
    );
    fake.stop().await;
}

#[actix_web::test]
async fn a_page_that_pays_and_saves_asks_for_what_paying_does_and_for_later_use() {
    let fake = Fake::start();
    let provider = fake.provider();
    let plain = new_page(Currency::USD, 1_500);
    let saving = NewPage {
        mode: PageMode::PayAndSave,
        ..plain.clone()
    };
    for page in [plain, saving] {
        fake.answers(200, session());
        provider.create_page(page, "k".to_owned()).await.unwrap();
    }
    let asked = fake.asked();
    let (plain, saving) = (form(&asked[0]), form(&asked[1]));
    let added: Vec<_> = saving.iter().filter(|one| !plain.contains(one)).collect();
    assert_eq!(
        added,
        [
            &("customer_creation", "always"),
            &("payment_intent_data[setup_future_usage]", "off_session"),
        ]
    );
    assert_eq!(saving.len(), plain.len() + 2);
    fake.stop().await;
}

#[actix_web::test]
async fn a_page_that_only_saves_a_card_cannot_have_lines() {
    let fake = Fake::start();
    let page = NewPage {
        mode: PageMode::Save,
        ..new_page(Currency::USD, 1_500)
    };
    let made = fake.provider().create_page(page, "k".to_owned()).await;
    assert!(matches!(made, Err(CallError::Refused { param, .. }) if param == "line_items"));
    assert!(fake.asked().is_empty());
    fake.stop().await;
}

#[actix_web::test]
async fn a_page_whose_card_is_saved_tells_it() {
    let fake = Fake::start();
    let provider = fake.provider();
    let complete = json!({"mode": "setup", "status": "complete", "amount_total": null,
        "payment_status": "no_payment_required", "customer": "cus_1", "setup_intent": setup()});
    fake.answers(200, with(session(), complete));
    let page = provider.page("cs_test_1".to_owned()).await.unwrap();
    assert_eq!(page.status, Some(PageStatus::Saved));
    assert_eq!(
        (page.card, page.amount, page.intent),
        (Some(card()), None, None)
    );

    let paid = with(
        intent(),
        json!({"status": "succeeded", "setup_future_usage": "off_session", "amount_received": 4500,
            "customer": null, "payment_method": method()}),
    );
    let complete = json!({"status": "complete", "payment_status": "paid", "customer": "cus_1",
        "payment_intent": paid});
    fake.answers(200, with(session(), complete));
    let page = provider.page("cs_test_1".to_owned()).await.unwrap();
    assert_eq!(
        (page.status, page.card),
        (Some(PageStatus::Paid), Some(card()))
    );
    assert_eq!(page.intent.as_deref(), Some("pi_1"));
    fake.stop().await;
}

#[actix_web::test]
async fn a_card_that_was_only_used_to_pay_is_not_told() {
    let fake = Fake::start();
    let paid = with(
        intent(),
        json!({"status": "succeeded", "payment_method": method()}),
    );
    let complete = json!({"status": "complete", "payment_status": "paid", "payment_intent": paid});
    fake.answers(200, with(session(), complete));
    let page = fake.provider().page("cs_test_1".to_owned()).await.unwrap();
    assert_eq!((page.status, page.card), (Some(PageStatus::Paid), None));
    fake.stop().await;
}

#[actix_web::test]
async fn a_page_counts_as_saved_only_where_its_intent_says_so() {
    let fake = Fake::start();
    let provider = fake.provider();
    let of = |status: &str| with(setup(), json!({"status": status}));
    for (status, intent, expected) in [
        ("open", json!(null), Some(PageStatus::Open)),
        (
            "open",
            of("requires_payment_method"),
            Some(PageStatus::Open),
        ),
        ("expired", of("canceled"), Some(PageStatus::Expired)),
        ("complete", of("succeeded"), Some(PageStatus::Saved)),
        ("complete", of("processing"), None),
        ("complete", of("on_the_moon"), None),
        ("complete", json!("seti_1"), None),
        ("complete", json!(null), None),
    ] {
        let fields = json!({"mode": "setup", "status": status, "setup_intent": intent,
            "customer": "cus_1", "payment_status": "no_payment_required"});
        fake.answers(200, with(session(), fields));
        let page = provider.page("cs_test_1".to_owned()).await.unwrap();
        assert_eq!(page.status, expected, "{status} {intent}");
        assert_eq!(page.card.is_some(), expected == Some(PageStatus::Saved));
    }
    fake.stop().await;
}

#[actix_web::test]
async fn a_saved_card_is_charged_at_once_without_its_holder_under_our_key() {
    let fake = Fake::start();
    let row = new_charge(Currency::USD, 4_500);
    let fields = json!({"status": "succeeded", "amount_received": 4500,
        "metadata": tag_of(&row.tag)});
    let made = charge(&fake, 200, with(intent(), fields)).await.unwrap();
    assert_eq!(
        made,
        ProviderIntent {
            id: "pi_1".to_owned(),
            status: IntentStatus::Succeeded,
            amount: 4_500,
            currency: Currency::USD,
            tag: Some(row.tag),
        }
    );
    let asked = fake.only();
    assert_eq!(asked.path, "/sandbox/stripe/v1/payment_intents");
    assert_eq!(asked.key.as_deref(), Some("charge:1:3"));
    assert_eq!(
        form(&asked),
        [
            ("amount", "4500"),
            ("confirm", "true"),
            ("currency", "usd"),
            ("customer", "cus_1"),
            ("metadata[about]", "Brass pen, order 1042"),
            ("metadata[attempt]", "3"),
            ("metadata[order]", ORDER),
            ("metadata[purpose]", "charge"),
            ("off_session", "true"),
            ("payment_method", "pm_1"),
            ("payment_method_types[0]", "card"),
        ]
    );
    fake.stop().await;
}

#[actix_web::test]
async fn the_same_charge_gives_the_same_bytes_each_time() {
    let fake = Fake::start();
    for _ in 0..8 {
        charge(&fake, 200, intent()).await.unwrap();
    }
    let asked = fake.asked();
    assert!(asked.iter().all(|one| one.body == asked[0].body));
    fake.stop().await;
}

#[actix_web::test]
async fn a_charge_goes_out_and_comes_back_in_the_providers_units() {
    let fake = Fake::start();
    let provider = fake.provider();
    for (code, ours, theirs) in [("jpy", 1_500, 1_500), ("isk", 1_500, 150_000)] {
        fake.answers(
            200,
            with(intent(), json!({"currency": code, "amount": theirs})),
        );
        let row = new_charge(c(code), ours);
        let made = provider.create_charge(row, "k".to_owned()).await.unwrap();
        assert_eq!(made.amount, ours, "{code}");
        let asked = fake.asked().pop().unwrap();
        assert_eq!(asked.form["amount"], theirs.to_string());
    }
    let asked = fake.asked().len();
    let row = new_charge(c("kwd"), 5_124);
    let refused = provider.create_charge(row, "k".to_owned()).await;
    assert!(matches!(refused, Err(CallError::Refused { param, .. }) if param == "amount"));
    assert_eq!(fake.asked().len(), asked);
    fake.stop().await;
}

#[actix_web::test]
async fn a_bank_that_says_no_is_an_answer_with_the_intent_it_leaves_behind() {
    let fake = Fake::start();
    let row = new_charge(Currency::USD, 4_500);
    let left = with(intent(), json!({"metadata": tag_of(&row.tag)}));
    for (code, bank, decline, words) in [
        (
            "card_declined",
            json!("insufficient_funds"),
            Decline::Soft,
            "card_declined/insufficient_funds",
        ),
        (
            "card_declined",
            json!("lost_card"),
            Decline::Hard,
            "card_declined/lost_card",
        ),
        (
            "expired_card",
            json!("expired_card"),
            Decline::Hard,
            "expired_card",
        ),
        (
            "processing_error",
            json!(null),
            Decline::Soft,
            "processing_error",
        ),
        ("a_new_word", json!(null), Decline::Soft, "a_new_word"),
        (
            "authentication_required",
            json!("authentication_required"),
            Decline::Authentication,
            "authentication_required",
        ),
    ] {
        let made = charge(&fake, 402, no(json!(code), bank, left.clone())).await;
        let expected = ProviderIntent {
            id: "pi_1".to_owned(),
            status: IntentStatus::Wanting(Some(Declined {
                decline,
                code: words.to_owned(),
                message: "Your card was declined.".to_owned(),
            })),
            amount: 4_500,
            currency: Currency::USD,
            tag: Some(row.tag.clone()),
        };
        assert_eq!(made.unwrap(), expected, "{code}");
    }
    fake.stop().await;
}

#[actix_web::test]
async fn a_no_that_names_no_intent_or_none_that_can_be_read_is_refused() {
    let fake = Fake::start();
    for left in [json!(null), json!({"id": "pi_1"})] {
        let answer = no(json!("card_declined"), json!("lost_card"), left);
        let made = charge(&fake, 402, answer).await;
        assert!(matches!(made, Err(CallError::Refused { code, .. }) if code == "card_declined"));
    }
    fake.stop().await;
}

#[actix_web::test]
async fn every_other_ending_of_a_charge_means_what_it_means_for_each_call() {
    let fake = Fake::start();
    let refused = "payment_intent_unexpected_state";
    let ending = charge(&fake, 400, error("invalid_request_error", Some(refused))).await;
    assert!(matches!(ending, Err(CallError::Refused { code, .. }) if code == refused));
    let ending = charge(
        &fake,
        429,
        error("invalid_request_error", Some("rate_limit")),
    )
    .await;
    assert!(matches!(ending, Err(CallError::Later(_))));
    let ending = charge(&fake, 500, error("api_error", None)).await;
    assert!(matches!(ending, Err(CallError::Broken(_))));
    let ending = charge(&fake, 200, json!({"id": "pi_1"})).await;
    assert!(matches!(ending, Err(CallError::Unknown(_))));
    fake.stop().await;
}

#[actix_web::test]
async fn an_intent_stands_where_the_provider_says_and_is_never_guessed() {
    let fake = Fake::start();
    let provider = fake.provider();
    let said = json!({"type": "card_error", "code": "card_declined", "decline_code": "lost_card",
        "message": "No."});
    let lost = Declined {
        decline: Decline::Hard,
        code: "card_declined/lost_card".to_owned(),
        message: "No.".to_owned(),
    };
    for (status, last, expected) in [
        ("succeeded", json!(null), IntentStatus::Succeeded),
        ("processing", json!(null), IntentStatus::Processing),
        ("canceled", said.clone(), IntentStatus::Cancelled),
        (
            "requires_payment_method",
            said,
            IntentStatus::Wanting(Some(lost)),
        ),
        (
            "requires_payment_method",
            json!(null),
            IntentStatus::Wanting(None),
        ),
        ("requires_action", json!(null), IntentStatus::Wanting(None)),
        (
            "requires_confirmation",
            json!(null),
            IntentStatus::Wanting(None),
        ),
        ("requires_capture", json!(null), IntentStatus::Unknown),
        ("on_the_moon", json!(null), IntentStatus::Unknown),
    ] {
        let fields = json!({"status": status, "last_payment_error": last});
        fake.answers(200, with(intent(), fields));
        let found = provider.intent("pi_1".to_owned()).await.unwrap();
        assert_eq!(found.status, expected, "{status}");
    }
    let asked = &fake.asked()[0];
    assert_eq!(asked.path, "/sandbox/stripe/v1/payment_intents/pi_1");
    assert_eq!((asked.method.as_str(), &asked.key), ("GET", &None));
    fake.stop().await;
}

#[actix_web::test]
async fn an_intent_is_over_what_was_asked_until_the_money_came() {
    let fake = Fake::start();
    let provider = fake.provider();
    for (status, expected) in [("processing", 4_500), ("succeeded", 4_400)] {
        let fields = json!({"status": status, "amount_received": 4_400});
        fake.answers(200, with(intent(), fields));
        let found = provider.intent("pi_1".to_owned()).await.unwrap();
        assert_eq!(found.amount, expected, "{status}");
    }
    fake.stop().await;
}

#[actix_web::test]
async fn an_intent_is_cancelled_under_our_key_unless_it_has_ended() {
    let fake = Fake::start();
    let provider = fake.provider();
    fake.answers(200, with(intent(), json!({"status": "canceled"})));
    let cancelled = provider
        .cancel_intent("pi_1".to_owned(), "cancel:1".to_owned())
        .await
        .unwrap();
    assert_eq!(cancelled.status, IntentStatus::Cancelled);
    let asked = fake.only();
    assert_eq!(asked.path, "/sandbox/stripe/v1/payment_intents/pi_1/cancel");
    assert_eq!(
        (asked.key.as_deref(), asked.body.as_str()),
        (Some("cancel:1"), "")
    );
    let ended = "payment_intent_unexpected_state";
    fake.answers(400, error("invalid_request_error", Some(ended)));
    let refused = provider
        .cancel_intent("pi_1".to_owned(), "cancel:2".to_owned())
        .await;
    assert!(matches!(refused, Err(CallError::Refused { code, .. }) if code == ended));
    fake.stop().await;
}

#[actix_web::test]
async fn the_intents_of_a_customer_are_listed_and_those_of_others_left_alone() {
    let fake = Fake::start();
    let provider = fake.provider();
    let row = new_charge(Currency::USD, 4_500);
    let ours = with(
        intent(),
        json!({"id": "pi_2", "metadata": tag_of(&row.tag)}),
    );
    let odd = with(intent(), json!({"id": "pi_3", "currency": "zzz"}));
    fake.answers(
        200,
        list("/v1/payment_intents", vec![ours, intent(), odd], true),
    );
    let first = provider.intents("cus_1".to_owned(), None).await.unwrap();
    let ids: Vec<_> = first.data.iter().map(|one| one.id.as_str()).collect();
    assert_eq!(ids, ["pi_2", "pi_1"]);
    assert_eq!(first.data[0].tag, Some(row.tag));
    assert_eq!(first.next.as_deref(), Some("pi_3"));
    fake.answers(200, list("/v1/payment_intents", vec![], false));
    let second = provider
        .intents("cus_1".to_owned(), first.next)
        .await
        .unwrap();
    assert!(second.data.is_empty() && second.next.is_none());
    let asked = fake.asked();
    assert_eq!(asked[0].path, "/sandbox/stripe/v1/payment_intents");
    assert_eq!(asked[0].query["customer"], "cus_1");
    assert_eq!(asked[0].query["limit"], "100");
    assert_eq!(asked[1].query["starting_after"], "pi_3");
    fake.stop().await;
}

#[actix_web::test]
async fn a_card_is_taken_from_its_customer_under_our_key() {
    let fake = Fake::start();
    fake.answers(200, with(method(), json!({"customer": null})));
    let detached = fake
        .provider()
        .detach_card("pm_1".to_owned(), "detach:1".to_owned())
        .await;
    assert!(detached.is_ok());
    let asked = fake.only();
    assert_eq!(asked.method, "POST");
    assert_eq!(asked.path, "/sandbox/stripe/v1/payment_methods/pm_1/detach");
    assert_eq!(
        (asked.key.as_deref(), asked.body.as_str()),
        (Some("detach:1"), "")
    );
    fake.stop().await;
}

#[actix_web::test]
async fn a_card_that_was_taken_before_or_is_not_there_counts_as_taken() {
    let fake = Fake::start();
    let provider = fake.provider();
    let missing = error("invalid_request_error", Some("resource_missing"));
    fake.answers(404, missing);
    let refused = error("invalid_request_error", None);
    fake.answers(400, refused.clone());
    fake.answers(200, with(method(), json!({"customer": null})));
    for key in ["detach:1", "detach:2"] {
        let taken = provider
            .detach_card("pm_1".to_owned(), key.to_owned())
            .await;
        assert!(taken.is_ok(), "{taken:?}");
    }
    let asked = fake.asked().pop().unwrap();
    assert_eq!(asked.method, "GET");
    assert_eq!(asked.path, "/sandbox/stripe/v1/payment_methods/pm_1");
    // One that its customer still has was refused for something else.
    fake.answers(400, refused).answers(200, method());
    let kept = provider
        .detach_card("pm_1".to_owned(), "detach:3".to_owned())
        .await;
    assert!(matches!(kept, Err(CallError::Refused { .. })));
    fake.answers(500, error("api_error", None));
    let broken = provider
        .detach_card("pm_1".to_owned(), "detach:4".to_owned())
        .await;
    assert!(matches!(broken, Err(CallError::Broken(_))));
    fake.stop().await;
}
