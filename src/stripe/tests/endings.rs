//! How calls end other than well, and what follows: domain section 4.

use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;

use serde_json::json;

use super::fake::Fake;
use super::objects::{error, session};
use crate::domain::currency::Currency;
use crate::domain::ids::{OrderId, RefundId};
use crate::stripe::{StripeConfig, StripeProvider};
use crate::workflows::ports::{CallError, NewRefund, Provider, Tag};

fn word(error: &CallError) -> &'static str {
    match error {
        CallError::Unknown(_) => "unknown",
        CallError::Later(_) => "later",
        CallError::Broken(_) => "broken",
        CallError::Refused { .. } => "refused",
    }
}

async fn refund(provider: &StripeProvider) -> CallError {
    let refund = NewRefund {
        tag: Tag::refund(
            OrderId::new(),
            RefundId::new(),
            crate::domain::payment::RefundPurpose::Missed,
            1,
        ),
        intent: "pi_1".to_owned(),
        currency: Currency::USD,
        amount: 500,
    };
    let answer = provider.create_refund(refund, "key".to_owned()).await;
    answer.unwrap_err()
}

fn at(base: &str) -> Result<StripeProvider, String> {
    StripeProvider::new(StripeConfig {
        secret_key: "sk_test_fake".to_owned(),
        api_base: Some(base.to_owned()),
        timeout: Duration::from_secs(20),
        calls_per_second: None,
    })
}

#[actix_web::test]
async fn each_answer_of_the_provider_has_its_meaning_and_is_asked_for_once() {
    let fake = Fake::start();
    let provider = fake.provider();
    let cases = [
        (429, "invalid_request_error", Some("rate_limit"), "later"),
        (429, "invalid_request_error", Some("lock_timeout"), "later"),
        (400, "rate_limit_error", None, "later"),
        (
            409,
            "idempotency_error",
            Some("idempotency_key_in_use"),
            "unknown",
        ),
        (
            400,
            "invalid_request_error",
            Some("idempotency_key_in_use"),
            "unknown",
        ),
        (409, "invalid_request_error", None, "unknown"),
        (408, "api_error", None, "unknown"),
        (424, "api_error", None, "broken"),
        (500, "api_error", None, "broken"),
        (503, "api_error", None, "broken"),
        (401, "invalid_request_error", None, "later"),
        (403, "invalid_request_error", None, "later"),
        (
            400,
            "invalid_request_error",
            Some("parameter_missing"),
            "refused",
        ),
        (402, "card_error", Some("card_declined"), "refused"),
        (
            404,
            "invalid_request_error",
            Some("resource_missing"),
            "refused",
        ),
        (400, "idempotency_error", None, "refused"),
    ];
    for (status, kind, code, expected) in cases {
        fake.answers(status, error(kind, code));
        let ending = refund(&provider).await;
        assert_eq!(word(&ending), expected, "{status} {kind} {code:?}");
    }
    assert_eq!(fake.asked().len(), cases.len());
    fake.stop().await;
}

#[actix_web::test]
async fn a_refusal_carries_code_parameter_and_sentence() {
    let fake = Fake::start();
    let provider = fake.provider();
    let code = Some("charge_already_refunded");
    fake.answers(400, error("invalid_request_error", code));
    let ending = refund(&provider).await;
    let CallError::Refused {
        code,
        param,
        message,
    } = &ending
    else {
        panic!("{ending:?}");
    };
    assert_eq!(code, "charge_already_refunded");
    assert_eq!(
        (param.as_str(), message.as_str()),
        ("amount", "It says no.")
    );
    assert!(!ending.is_missing());
    fake.stop().await;
}

#[actix_web::test]
async fn other_parameters_under_a_used_key_are_named_idempotency_error() {
    let fake = Fake::start();
    fake.answers(400, error("idempotency_error", None));
    let ending = refund(&fake.provider()).await;
    assert!(matches!(ending, CallError::Refused { code, .. } if code == "idempotency_error"));
    fake.stop().await;
}

#[actix_web::test]
async fn what_the_provider_does_not_have_is_missing_with_or_without_its_code() {
    let fake = Fake::start();
    let provider = fake.provider();
    for code in [Some("resource_missing"), None] {
        fake.answers(404, error("invalid_request_error", code));
        let ending = provider.page("cs_gone".to_owned()).await.unwrap_err();
        assert!(ending.is_missing());
    }
    fake.stop().await;
}

#[actix_web::test]
async fn no_answer_in_time_is_unknown() {
    let fake = Fake::start();
    fake.never_answers();
    let provider = fake.provider_within(Duration::from_millis(100));
    assert_eq!(word(&refund(&provider).await), "unknown");
    assert_eq!(fake.asked().len(), 1);
    fake.stop().await;
}

#[actix_web::test]
async fn an_answer_that_cannot_be_read_is_unknown_whatever_its_status() {
    let fake = Fake::start();
    let provider = fake.provider();
    for (status, body) in [
        (200, "{}".to_owned()),
        (200, "<html>".to_owned()),
        (200, String::new()),
        (200, json!({"id": "re_1", "amount": "500"}).to_string()),
        (200, session().to_string()),
        (400, "<html>".to_owned()),
        (502, "<html>bad gateway</html>".to_owned()),
        (302, String::new()),
    ] {
        fake.answers_text(status, &body);
        let ending = refund(&provider).await;
        assert_eq!(word(&ending), "unknown", "{status} {body}");
    }
    fake.stop().await;
}

#[actix_web::test]
async fn a_refused_connection_did_nothing_and_is_tried_later() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let provider = at(&format!("http://{address}/")).unwrap();
    assert_eq!(word(&refund(&provider).await), "later");
}

#[actix_web::test]
async fn a_connection_that_breaks_after_the_request_is_unknown() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut some = [0; 16];
        stream.read(&mut some).unwrap()
    });
    let provider = at(&format!("http://{address}/")).unwrap();
    assert_eq!(word(&refund(&provider).await), "unknown");
    assert!(server.join().unwrap() > 0);
}

#[test]
fn a_wrong_address_or_key_is_refused_with_a_sentence() {
    for base in [
        "",
        "127.0.0.1:8080",
        "ftp://127.0.0.1/",
        "http://",
        "http://127.0.0.1/?a=b",
    ] {
        assert!(at(base).err().unwrap().contains("write it like"), "{base}");
    }
    for base in [
        "http://127.0.0.1:1",
        "http://127.0.0.1:1/sandbox/stripe",
        "https://a.example/x/",
    ] {
        assert!(at(base).is_ok(), "{base}");
    }
    for key in ["", "sk_test_1 sk_test_2", "sk_test_\n"] {
        let config = StripeConfig {
            secret_key: key.to_owned(),
            api_base: None,
            timeout: Duration::from_secs(1),
            calls_per_second: None,
        };
        assert!(StripeProvider::new(config).is_err(), "{key:?}");
    }
}

#[test]
fn the_key_is_never_shown() {
    let config = StripeConfig {
        secret_key: "sk_live_secret".to_owned(),
        api_base: None,
        timeout: Duration::from_secs(1),
        calls_per_second: None,
    };
    assert!(!format!("{config:?}").contains("secret\""));
    assert!(!format!("{config:?}").contains("sk_live"));
}
