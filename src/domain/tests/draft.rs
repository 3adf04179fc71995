use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn now() -> DateTime<Utc> {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

/// A body as the API takes it: everything the contract names that this version serves.
fn body() -> Value {
    json!({
        "title": "Split keyboard",
        "slug": "split-keyboard",
        "description": "A *fine* keyboard.",
        "currency": "usd",
        "time_zone": "America/New_York",
        "threshold": {"kind": "units", "target": 40},
        "deadline": "2026-12-15T18:00:00-05:00",
        "promised_ship_date": "2027-02-01",
        "stop_loss_date": "2027-04-01",
        "handling_days": 3,
        "payment_mode": "charge_now",
        "trigger": "at_deadline",
        "steps": [1, 50, 100],
        "options": [
            {"sku": "BLK", "name": "Black", "prices": [9650, 9000, 8500], "minimum": 10, "cap": 100, "per_shopper": 2},
            {"sku": "RED", "name": "Red", "prices": [9650, 9000, 8500], "weight_grams": 800},
        ],
        "supplier_ids": ["018f3f6e-0000-7000-8000-000000000001"],
        "safety_percent": 2,
        "delay_policy": "ftc",
        "shipping": [{"countries": ["US", "CA"], "price": 900}, {"countries": ["*"], "price": 2500}],
        "tax": [{"countries": ["US"], "percent": "8.25", "included": false}],
    })
}

fn check(body: Value) -> Result<CampaignDraft, Vec<FieldError>> {
    serde_json::from_value::<CampaignInput>(body)
        .unwrap()
        .check(now())
}

/// The draft of the example with one part changed.
fn with(pointer: &str, value: Value) -> Result<CampaignDraft, Vec<FieldError>> {
    let mut body = body();
    set(&mut body, pointer, value);
    check(body)
}

fn set(body: &mut Value, pointer: &str, value: Value) {
    let (parent, key) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap();
    match parent {
        Value::Array(list) => list[key.parse::<usize>().unwrap()] = value,
        Value::Object(map) => drop(map.insert(key.to_owned(), value)),
        _ => panic!("nothing to set at {pointer}"),
    }
}

#[track_caller]
fn refused(pointer: &str, value: Value, field: &str, says: &str) {
    let errors = with(pointer, value.clone()).expect_err(&format!("{pointer} = {value}"));
    let found = errors
        .iter()
        .any(|error| error.field == field && error.message.contains(says));
    assert!(found, "{pointer} = {value}: {errors:?}");
    assert_eq!(errors.len(), 1, "one error only: {errors:?}");
}

#[test]
fn a_good_body_becomes_a_draft() {
    let draft = check(body()).unwrap();
    assert_eq!(
        draft.deadline,
        "2026-12-15T23:00:00Z".parse::<DateTime<Utc>>().unwrap()
    );
    assert_eq!(draft.time_zone, Tz::America__New_York);
    assert_eq!(draft.threshold, Threshold::Units(40));
    assert_eq!(draft.tax[0].rate_basis_points, 825);
    assert_eq!(
        draft
            .tariff()
            .shipping_for("US".parse().unwrap())
            .unwrap()
            .price,
        900
    );
    assert_eq!(draft.options[1].prices.price_at(2), 8_500);
}

#[test]
fn what_is_left_out_takes_its_default() {
    let mut body = body();
    let optional = [
        "slug",
        "description",
        "time_zone",
        "handling_days",
        "payment_mode",
        "trigger",
        "supplier_ids",
        "safety_percent",
        "delay_policy",
        "tax",
    ];
    for field in optional {
        body.as_object_mut().unwrap().remove(field);
    }
    let draft = check(body).unwrap();
    assert_eq!(draft.slug_or_title(), "split-keyboard");
    assert_eq!(
        (draft.time_zone, draft.handling_days, draft.safety_percent),
        (Tz::UTC, 2, 0)
    );
    assert_eq!(
        (draft.payment_mode, draft.trigger),
        (PaymentMode::ChargeNow, Trigger::AtDeadline)
    );
    assert_eq!(draft.delay_policy, DelayPolicy::Ftc);
    assert!(draft.tax.is_empty() && draft.supplier_ids.is_empty());
}

#[test]
fn an_empty_body_is_told_everything_it_lacks() {
    let errors = check(json!({})).unwrap_err();
    let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
    let wanted = [
        "title",
        "currency",
        "deadline",
        "promised_ship_date",
        "stop_loss_date",
        "steps",
        "shipping",
        "options",
        "threshold",
    ];
    assert_eq!(fields, wanted);
}

#[test]
fn all_errors_are_told_at_once_and_each_at_its_field() {
    let mut body = body();
    set(&mut body, "/title", json!(" "));
    set(&mut body, "/options/0/prices/1", json!(9_700));
    set(&mut body, "/options/1/sku", json!("BLK"));
    set(&mut body, "/shipping/0/price", json!(-1));
    let errors = check(body).unwrap_err();
    let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "title",
            "shipping[0].price",
            "options[0].prices[1]",
            "options[1].sku"
        ]
    );
}

#[test]
fn an_unknown_field_or_a_wrong_type_is_refused() {
    for (pointer, value) in [
        ("/colour", json!("red")),
        ("/options/0/colour", json!("red")),
        ("/threshold/unit", json!(1)),
        ("/title", json!(5)),
        ("/steps", json!([1, 2.5])),
        ("/options/0/prices/0", json!("96.50")),
        ("/options/0/cap", json!(1e30)),
    ] {
        let mut body = body();
        set(&mut body, pointer, value);
        assert!(
            serde_json::from_value::<CampaignInput>(body).is_err(),
            "{pointer}"
        );
    }
}

#[test]
fn dates_come_in_their_order() {
    refused(
        "/deadline",
        json!("2026-11-22T10:00:00Z"),
        "deadline",
        "in the future",
    );
    refused("/deadline", json!("tomorrow"), "deadline", "offset");
    refused(
        "/deadline",
        json!("2026-12-15T18:00:00"),
        "deadline",
        "offset",
    );
    refused(
        "/promised_ship_date",
        json!("2026-12-15"),
        "promised_ship_date",
        "deadline",
    );
    refused(
        "/promised_ship_date",
        json!("15.02.2027"),
        "promised_ship_date",
        "YYYY-MM-DD",
    );
    refused(
        "/stop_loss_date",
        json!("2027-02-01"),
        "stop_loss_date",
        "after the promised",
    );
    refused(
        "/stop_loss_date",
        json!("2127-02-01"),
        "stop_loss_date",
        "within 10 years",
    );
    refused(
        "/opens_at",
        json!("2026-12-15T23:00:00Z"),
        "opens_at",
        "before the deadline",
    );
    assert!(
        with("/opens_at", json!("2026-12-01T00:00:00Z"))
            .unwrap()
            .opens_at
            .is_some()
    );
    assert!(with("/promised_ship_date", json!("2026-12-16")).is_ok());
}

#[test]
fn a_deadline_at_midnight_ends_the_day_before() {
    // 05:00 UTC is midnight in New York.
    let mut body = body();
    set(&mut body, "/deadline", json!("2026-12-16T05:00:00Z"));
    set(&mut body, "/promised_ship_date", json!("2026-12-16"));
    assert!(check(body.clone()).is_ok());
    set(&mut body, "/deadline", json!("2026-12-16T05:00:01Z"));
    assert_eq!(check(body).unwrap_err()[0].field, "promised_ship_date");
}

#[test]
fn names_and_words_are_checked() {
    refused("/title", json!("x".repeat(121)), "title", "at most 120");
    refused("/title", json!("a\nb"), "title", "one line");
    refused(
        "/description",
        json!("x".repeat(20_001)),
        "description",
        "at most 20000",
    );
    refused("/slug", json!("Split Keyboard"), "slug", "lower-case");
    refused("/currency", json!("xyz"), "currency", "usd");
    refused("/time_zone", json!("Mars/Olympus"), "time_zone", "IANA");
    refused(
        "/trigger",
        json!("soon"),
        "trigger",
        "at_deadline, at_threshold",
    );
    refused("/payment_mode", json!("cash"), "payment_mode", "charge_now");
    refused(
        "/delay_policy",
        json!("never"),
        "delay_policy",
        "ftc, ask_always",
    );
    refused("/options/0/sku", json!("B K"), "options[0].sku", "A-Z");
    refused(
        "/options/0/sku",
        json!("x".repeat(41)),
        "options[0].sku",
        "1 to 40",
    );
    refused("/options/0/name", json!(""), "options[0].name", "write");
    refused(
        "/supplier_ids",
        json!(["acme"]),
        "supplier_ids[0]",
        "supplier's id",
    );
}

#[test]
fn what_belongs_to_one_way_of_paying_or_judging_is_said_plainly() {
    refused(
        "/late_joins",
        json!(true),
        "late_joins",
        "need the trigger at_threshold",
    );
    assert!(with("/payment_mode", json!("charge_on_success")).is_ok());
    refused(
        "/payment_mode",
        json!("deposit"),
        "deposit_percent",
        "is required",
    );
    refused(
        "/deposit_percent",
        json!(20),
        "deposit_percent",
        "leave it out",
    );
    assert!(!with("/interest", json!(false)).unwrap().interest);
    assert!(with("/interest", json!(true)).unwrap().interest);
    assert!(with("/late_joins", json!(false)).is_ok());
    assert!(with("/trigger", json!("at_threshold")).is_ok());
}

#[test]
fn a_draft_survives_as_json_and_as_the_input_it_came_from() {
    let draft = check(body()).unwrap();
    let json = serde_json::to_string(&draft).unwrap();
    assert_eq!(serde_json::from_str::<CampaignDraft>(&json).unwrap(), draft);
    assert_eq!(draft.to_input().check(now()).unwrap(), draft);
}

#[test]
fn text_can_be_changed_after_the_deadline_but_the_deadline_not_into_the_past() {
    let old = check(body()).unwrap();
    let later = old.deadline + chrono::Duration::days(1);
    let mut input = old.to_input();
    input.description = Some("Now in production.".to_owned());
    assert!(input.clone().check(later).is_err());
    assert!(input.clone().check_change(later, &old).is_ok());
    input.deadline = Some("2026-12-14T00:00:00Z".to_owned());
    assert_eq!(
        input.check_change(later, &old).unwrap_err()[0].field,
        "deadline"
    );
}

#[test]
fn a_title_without_latin_letters_still_has_an_address() {
    let mut body = body();
    body.as_object_mut().unwrap().remove("slug");
    set(&mut body, "/title", json!("日本酒"));
    assert_eq!(check(body).unwrap().slug_or_title(), "campaign");
}

#[path = "draft_amounts.rs"]
mod amounts;
#[path = "draft_lock.rs"]
mod lock;

proptest! {
    #[test]
    fn whatever_numbers_are_typed_the_check_answers(
        steps in prop::collection::vec(any::<i64>(), 0..4),
        prices in prop::collection::vec(any::<i64>(), 0..4),
        cap: Option<i64>,
        target: i64,
        price: i64,
        rate: i64,
        currency in prop::sample::select(vec!["usd", "kwd", "mga", "ugx", "idr"]),
    ) {
        let mut body = body();
        set(&mut body, "/currency", json!(currency));
        set(&mut body, "/steps", json!(steps));
        set(&mut body, "/options/0/prices", json!(prices));
        set(&mut body, "/options/1/prices", json!(prices));
        set(&mut body, "/options/0/cap", json!(cap));
        set(&mut body, "/options/1/cap", json!(cap));
        set(&mut body, "/threshold", json!({"kind": "amount", "target": target}));
        set(&mut body, "/shipping/0/price", json!(price));
        set(&mut body, "/tax/0", json!({"countries": ["*"], "rate_basis_points": rate, "included": true}));
        if let Err(errors) = check(body) {
            prop_assert!(!errors.is_empty());
        }
    }

    #[test]
    fn whatever_text_is_typed_the_check_answers(text in "\\PC*") {
        for field in ["title", "slug", "description", "currency", "time_zone", "deadline", "opens_at",
            "promised_ship_date", "stop_loss_date", "payment_mode", "trigger", "delay_policy"] {
            let _ = with(&format!("/{field}"), json!(text));
        }
    }
}
