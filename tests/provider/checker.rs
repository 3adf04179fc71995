//! The checker itself finds what is wrong.

use serde_json::json;

use crate::stripe_spec::Spec;

#[test]
fn the_checker_sees_wrong_requests_and_answers() {
    let spec = Spec::get();
    assert!(spec.operation("POST", "/v1/nothing").is_err());
    assert!(spec.operation("DELETE", "/v1/refunds").is_err());
    let create = spec
        .operation("POST", "/v1/checkout/sessions")
        .expect("a call");
    assert_eq!(create.id, "PostCheckoutSessions");
    let line = "line_items[0][price_data][product_data]";
    assert!(
        spec.check_request(&create, "mode=payment&expires_at=5")
            .is_empty()
    );
    for wrong in [
        "mode=rent".to_string(),
        "expires_at=soon".into(),
        format!("{line}[nam]=x"),
        "colour=red".into(),
        "mode=payment&mode=payment".into(),
    ] {
        assert!(!spec.check_request(&create, &wrong).is_empty(), "{wrong}");
    }
    let get = spec.operation("GET", "/v1/refunds/re_1").expect("a call");
    let good = json!({
        "id": "re_1", "object": "refund", "amount": 5, "charge": null, "created": 1, "currency": "usd",
        "balance_transaction": null, "metadata": {}, "payment_intent": null, "reason": null,
        "receipt_number": null, "source_transfer_reversal": null, "status": "succeeded", "transfer_reversal": null,
    });
    assert_eq!(spec.check_answer(&get, &good), Vec::<String>::new());
    for (field, value) in [
        ("amount", json!("5")),
        ("created", json!(null)),
        ("object", json!("refunds")),
        ("reason", json!("mood")),
        ("colour", json!("red")),
        ("charge", json!({ "object": "charge", "id": "ch_1" })),
    ] {
        let mut wrong = good.clone();
        wrong[field] = value;
        assert!(!spec.check_answer(&get, &wrong).is_empty(), "{field}");
    }
}
