//! Deliveries: signed by the client crate's own signer, verified by ours.

use serde_json::{Value, json};
use stripe_webhook::Webhook;

use super::objects::{charge, dispute, intent, refund, session, with};
use crate::domain::ids::OrderId;
use crate::domain::payment::PaymentKind;
use crate::stripe::webhook::{Event, WebhookError, verify};
use crate::workflows::ports::Tag;

const SECRET: &str = "whsec_test";
const NOW: i64 = 1_800_000_000;

fn event(kind: &str, object: Value) -> String {
    json!({
        "id": "evt_1", "object": "event", "type": kind, "livemode": false,
        "created": NOW - 2, "pending_webhooks": 1, "data": {"object": object}
    })
    .to_string()
}

fn signed(payload: &str, secret: &str, at: i64) -> String {
    Webhook::generate_test_header(payload, secret, Some(at))
}

fn v1(header: &str) -> &str {
    header.split_once(",v1=").unwrap().1
}

fn deliver(kind: &str, object: Value) -> Event {
    let payload = event(kind, object);
    verify(&payload, &signed(&payload, SECRET, NOW), SECRET, NOW).unwrap()
}

#[test]
fn a_signed_event_says_what_happened_to_which_object() {
    let tag = Tag::payment(OrderId::new(), PaymentKind::Join, 1);
    let metadata = json!({"order": tag.order.to_string(), "purpose": "join", "attempt": "1"});
    let object = with(
        session(),
        json!({"metadata": metadata, "payment_intent": "pi_1"}),
    );
    assert_eq!(
        deliver("checkout.session.completed", object),
        Event {
            id: "evt_1".to_owned(),
            kind: "checkout.session.completed".to_owned(),
            object_id: "cs_test_1".to_owned(),
            object_kind: "checkout.session".to_owned(),
            tag: Some(tag),
            payment_intent: Some("pi_1".to_owned()),
            livemode: false,
            created: Some(NOW - 2),
        }
    );
}

#[test]
fn the_payment_intent_is_found_whether_it_is_named_shown_or_the_object_itself() {
    let expanded = with(
        refund(),
        json!({"payment_intent": {"id": "pi_2", "amount": 1}}),
    );
    let itself = json!({"id": "pi_3", "object": "payment_intent"});
    for (kind, object, expected) in [
        ("charge.succeeded", charge(), Some("pi_1")),
        ("charge.dispute.created", dispute(), Some("pi_1")),
        ("refund.failed", expanded, Some("pi_2")),
        ("payment_intent.succeeded", itself, Some("pi_3")),
        ("checkout.session.expired", session(), None),
    ] {
        let event = deliver(kind, object);
        assert_eq!(event.payment_intent.as_deref(), expected, "{kind}");
    }
}

#[test]
fn an_event_that_a_strict_parser_refuses_is_still_taken() {
    let event = deliver(
        "sun.risen",
        json!({"object": "balance", "metadata": {"order": 7}}),
    );
    assert_eq!((event.object_id.as_str(), event.tag), ("", None));
    let payload = json!({"id": "evt_2", "type": "x.y", "livemode": true, "data": {"object": {}}});
    let payload = payload.to_string();
    let event = verify(&payload, &signed(&payload, SECRET, NOW), SECRET, NOW).unwrap();
    assert!(event.livemode && event.object_kind.is_empty() && event.created.is_none());
}

#[test]
fn a_changed_payload_time_or_secret_breaks_the_signature() {
    let payload = event("refund.updated", refund());
    let header = signed(&payload, SECRET, NOW);
    let changed = payload.replace("4500", "9500");
    let bad = Err(WebhookError::BadSignature);
    assert_eq!(verify(&changed, &header, SECRET, NOW), bad);
    assert_eq!(verify(&payload, &header, "whsec_other", NOW), bad);
    let later = header.replace(&NOW.to_string(), &(NOW + 1).to_string());
    assert_eq!(verify(&payload, &later, SECRET, NOW), bad);
    let empty = signed(&payload, "", NOW);
    assert_eq!(verify(&payload, &empty, "", NOW), bad);
}

#[test]
fn a_header_that_is_none_is_a_bad_signature() {
    let payload = event("refund.updated", refund());
    let header = signed(&payload, SECRET, NOW);
    let good = v1(&header);
    for wrong in [
        String::new(),
        "nonsense".to_owned(),
        format!("t={NOW}"),
        format!("v1={good}"),
        format!("t={NOW},v1="),
        format!("t=now,v1={good}"),
        format!("t={NOW},v0={good}"),
        format!("t={NOW},v1={}", &good[..63]),
        format!("t={NOW},v1={good}0"),
        format!("t={},t={NOW},v1={good}", NOW - 1),
        format!("t=99999999999999999999,v1={good}"),
    ] {
        assert_eq!(
            verify(&payload, &wrong, SECRET, NOW),
            Err(WebhookError::BadSignature),
            "{wrong}"
        );
    }
}

#[test]
fn one_fitting_signature_of_several_is_enough() {
    let payload = event("refund.updated", refund());
    let old = signed(&payload, "whsec_old", NOW);
    let new = signed(&payload, SECRET, NOW);
    let both = format!("t={NOW},v1={},v1={},v0=00", v1(&old), v1(&new));
    assert!(verify(&payload, &both, SECRET, NOW).is_ok());
    assert!(verify(&payload, &both, "whsec_old", NOW).is_ok());
    assert!(verify(&payload, &both, "whsec_third", NOW).is_err());
}

#[test]
fn a_replay_is_too_old_after_five_minutes_and_so_is_a_time_to_come() {
    let payload = event("refund.updated", refund());
    let header = signed(&payload, SECRET, NOW);
    for now in [NOW - 300, NOW, NOW + 300] {
        assert!(verify(&payload, &header, SECRET, now).is_ok());
    }
    for now in [NOW - 301, NOW + 301, i64::MIN, i64::MAX] {
        assert_eq!(
            verify(&payload, &header, SECRET, now),
            Err(WebhookError::TooOld)
        );
    }
}

#[test]
fn what_is_signed_but_no_event_is_unreadable() {
    for payload in [
        "",
        "null",
        "[]",
        "{",
        r#"{"id": "evt_1"}"#,
        r#"{"id": "", "type": "a.b", "data": {"object": {}}}"#,
        r#"{"id": "evt_1", "type": 7, "data": {"object": {}}}"#,
        r#"{"id": "evt_1", "type": "a.b", "data": {"object": "re_1"}}"#,
    ] {
        assert_eq!(
            verify(payload, &signed(payload, SECRET, NOW), SECRET, NOW),
            Err(WebhookError::Unreadable),
            "{payload}"
        );
    }
}

#[test]
fn what_became_of_a_charge_names_its_intent_and_our_ids() {
    let tag = Tag::payment(OrderId::new(), PaymentKind::Charge, 2);
    let metadata = json!({"order": tag.order.to_string(), "purpose": "charge", "attempt": "2"});
    for kind in ["succeeded", "payment_failed", "canceled", "processing"] {
        let object = with(intent(), json!({"metadata": metadata}));
        let event = deliver(&format!("payment_intent.{kind}"), object);
        assert_eq!(event.tag.as_ref(), Some(&tag));
        assert_eq!(event.payment_intent.as_deref(), Some("pi_1"));
    }
}

#[test]
fn a_page_that_only_saves_a_card_is_told_of_without_a_payment_intent() {
    let object = with(
        session(),
        json!({"mode": "setup", "setup_intent": "seti_1", "amount_total": null}),
    );
    let event = deliver("checkout.session.completed", object);
    assert_eq!(event.object_id, "cs_test_1");
    assert_eq!(event.payment_intent, None);
}
