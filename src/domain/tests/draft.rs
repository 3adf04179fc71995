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
fn numbers_have_their_limits() {
    refused("/handling_days", json!(61), "handling_days", "0 to 60");
    refused("/safety_percent", json!(-1), "safety_percent", "0 to 50");
    refused("/options/0/cap", json!(0), "options[0].cap", "1 to");
    refused("/options/0/cap", json!(i64::MAX), "options[0].cap", "1 to");
    refused("/options/0/minimum", json!(0), "options[0].minimum", "1 to");
    refused(
        "/options/0/minimum",
        json!(101),
        "options[0].minimum",
        "at most 100",
    );
    refused(
        "/options/0/per_shopper",
        json!(-3),
        "options[0].per_shopper",
        "1 to",
    );
    refused(
        "/options/1/weight_grams",
        json!(0),
        "options[1].weight_grams",
        "1 to",
    );
    refused("/options", json!([]), "options", "1 to 100");
}

#[test]
fn prices_fit_steps_currency_and_provider() {
    refused(
        "/options/0/prices",
        json!([100, 90]),
        "options[0].prices",
        "each of the 3 steps",
    );
    refused(
        "/options/0/prices/2",
        json!(0),
        "options[0].prices[2]",
        "above 0",
    );
    refused(
        "/options/0/prices/0",
        json!(8_000),
        "options[0].prices[1]",
        "higher",
    );
    refused(
        "/options/0/prices/0",
        json!(100_000_000),
        "options[0].prices[0]",
        "$999,999.99",
    );
    refused("/steps", json!([1, 100, 50]), "steps[2]", "larger");
    refused(
        "/shipping/1/price",
        json!(100_000_000),
        "shipping[1].price",
        "at most",
    );
    let mut body = body();
    set(&mut body, "/currency", json!("kwd"));
    set(&mut body, "/options/0/prices/2", json!(8_501));
    set(&mut body, "/shipping/0/price", json!(905));
    let errors = check(body).unwrap_err();
    assert_eq!(errors[0].field, "shipping[0].price");
    assert_eq!(errors[1].field, "options[0].prices[2]");
    assert!(
        errors
            .iter()
            .all(|error| error.message.contains("multiple of 10"))
    );
}

#[test]
fn a_price_too_small_to_be_charged_needs_shipping_to_carry_it() {
    let mut body = body();
    set(&mut body, "/options/0/prices", json!([60, 49, 40]));
    assert!(
        check(body.clone()).is_ok(),
        "9 dollars of shipping come with it"
    );
    set(
        &mut body,
        "/shipping",
        json!([{"countries": ["*"], "price": 0}]),
    );
    let errors = check(body).unwrap_err();
    let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
    assert_eq!(fields, ["options[0].prices[1]", "options[0].prices[2]"]);
    assert!(errors[0].message.contains("$0.50"));
}

#[test]
fn a_threshold_can_be_reached() {
    refused("/threshold/target", json!(0), "threshold.target", "above 0");
    refused(
        "/threshold/target",
        json!(1_000_001),
        "threshold.target",
        "1000000",
    );
    refused(
        "/threshold/kind",
        json!("kilos"),
        "threshold.kind",
        "units, amount",
    );
    let mut body = body();
    set(&mut body, "/options/1/cap", json!(20));
    set(&mut body, "/threshold/target", json!(120));
    assert!(check(body.clone()).is_ok());
    set(&mut body, "/threshold/target", json!(121));
    assert!(check(body.clone()).unwrap_err()[0].message.contains("120"));
    set(
        &mut body,
        "/threshold",
        json!({"kind": "amount", "target": 1_158_001}),
    );
    assert!(check(body).unwrap_err()[0].message.contains("$11,580.00"));
}

#[test]
fn shipping_and_tax_name_each_country_once() {
    refused("/shipping", json!([]), "shipping", "where you ship");
    refused(
        "/shipping/0/countries",
        json!([]),
        "shipping[0].countries",
        "required",
    );
    refused(
        "/shipping/0/countries",
        json!(["UK"]),
        "shipping[0].countries[0]",
        "two-letter",
    );
    refused(
        "/shipping/0/countries",
        json!(["US", "us"]),
        "shipping[0].countries[1]",
        "twice",
    );
    refused(
        "/tax/0/countries",
        json!(["*", "*"]),
        "tax[0].countries[1]",
        "twice",
    );
    refused("/tax/0/percent", json!("a lot"), "tax[0].percent", "8.25");
    refused(
        "/tax/0/percent",
        json!("101"),
        "tax[0].rate_basis_points",
        "0 to 10000",
    );
    refused(
        "/tax/0/rate_basis_points",
        json!(5),
        "tax[0].rate_basis_points",
        "not both",
    );
    refused(
        "/tax/0/included",
        json!(null),
        "tax[0].included",
        "true or false",
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

#[test]
fn shipping_bands_rise_by_one_measure_and_reach_the_draft() {
    let bands =
        json!([{"up_to_units": 2, "price": 0}, {"up_to_units": 10, "price": 400}, {"price": 400}]);
    let draft = with("/shipping/1/bands", bands).unwrap();
    assert_eq!(draft.shipping[1].bands.len(), 3);
    let again = draft.to_input().check(now()).unwrap();
    assert_eq!(again.shipping, draft.shipping);
    for (bands, field) in [
        (
            json!([{"up_to_units": 2, "price": 5}, {"price": 4}]),
            "shipping[1].bands[1].price",
        ),
        (
            json!([{"up_to_units": 2, "price": 5}, {"up_to_units": 2, "price": 5}]),
            "shipping[1].bands[1].up_to_units",
        ),
        (
            json!([{"up_to_units": 2, "price": 5}, {"up_to_grams": 900, "price": 5}]),
            "shipping[1].bands[1]",
        ),
        (
            json!([{"up_to_units": 2, "up_to_grams": 2, "price": 5}]),
            "shipping[1].bands[0]",
        ),
        (json!([{"price": 5}]), "shipping[1].bands[0]"),
        (
            json!([{"price": 5}, {"up_to_units": 5, "price": 5}]),
            "shipping[1].bands[0]",
        ),
        (
            json!([{"up_to_units": 0, "price": 5}]),
            "shipping[1].bands[0].up_to_units",
        ),
        (
            json!([{"up_to_units": 1, "price": -5}]),
            "shipping[1].bands[0].price",
        ),
        (json!([{"up_to_units": 1}]), "shipping[1].bands[0].price"),
    ] {
        let errors = with("/shipping/1/bands", bands.clone()).unwrap_err();
        assert!(
            errors.iter().any(|e| e.field == field),
            "{bands}: {errors:?}"
        );
    }
}

#[test]
fn shipping_by_weight_asks_each_option_for_its_weight() {
    let bands = json!([{"up_to_grams": 2000, "price": 0}, {"price": 400}]);
    let errors = with("/shipping/1/bands", bands.clone()).unwrap_err();
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0].field, "options[0].weight_grams");
    let mut body = body();
    set(&mut body, "/shipping/1/bands", bands);
    set(&mut body, "/options/0/weight_grams", json!(750));
    assert!(check(body).is_ok());
}
