//! Numbers, prices, the threshold, shipping and tax.

use super::*;

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
