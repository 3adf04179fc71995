use super::*;

fn locked(pointer: &str, value: Value) -> Vec<String> {
    let old = check(body()).unwrap();
    let new = with(pointer, value).unwrap();
    lock_violations(&old, &new)
        .into_iter()
        .map(|error| error.field)
        .collect()
}

#[test]
fn after_the_first_order_text_added_options_higher_caps_and_lower_prices_may_change() {
    let free: Vec<String> = vec![];
    assert_eq!(locked("/title", json!("Split keyboard, now louder")), free);
    assert_eq!(locked("/description", json!("More text")), free);
    assert_eq!(locked("/options/0/name", json!("Deep black")), free);
    assert_eq!(
        locked("/options/0/prices", json!([9_600, 9_000, 8_000])),
        free
    );
    assert_eq!(locked("/options/0/cap", json!(101)), free);
    assert_eq!(
        locked("/options/0/cap", json!(null)),
        free,
        "no cap is the highest"
    );
    assert_eq!(locked("/options/0/per_shopper", json!(3)), free);
    assert_eq!(locked("/options/0/minimum", json!(9)), free);
    assert_eq!(
        locked("/options/0/minimum", json!(null)),
        free,
        "no minimum is the lowest"
    );
    assert_eq!(locked("/shipping/0/price", json!(800)), free);
    assert_eq!(locked("/supplier_ids", json!([])), free);
    let mut options = body()["options"].as_array().unwrap().clone();
    options.push(json!({"sku": "BLU", "name": "Blue", "prices": [9_650, 9_000, 8_500]}));
    options.reverse();
    assert_eq!(locked("/options", json!(options)), free);
}

#[test]
fn after_the_first_order_what_shoppers_relied_on_is_locked() {
    for (pointer, value, field) in [
        ("/threshold/target", json!(41), "threshold"),
        ("/threshold/target", json!(39), "threshold"),
        ("/deadline", json!("2026-12-20T00:00:00Z"), "deadline"),
        (
            "/promised_ship_date",
            json!("2027-02-02"),
            "promised_ship_date",
        ),
        ("/stop_loss_date", json!("2027-03-31"), "stop_loss_date"),
        ("/stop_loss_date", json!("2027-04-02"), "stop_loss_date"),
        ("/time_zone", json!("UTC"), "time_zone"),
        ("/currency", json!("eur"), "currency"),
        ("/steps", json!([1, 50, 101]), "steps"),
        ("/trigger", json!("at_threshold"), "trigger"),
        ("/handling_days", json!(4), "handling_days"),
        ("/delay_policy", json!("ask_always"), "delay_policy"),
        ("/slug", json!("other"), "slug"),
        ("/tax", json!([]), "tax"),
        ("/options/0/prices/2", json!(8_501), "options[0].prices[2]"),
        ("/options/0/cap", json!(99), "options[0].cap"),
        ("/options/1/cap", json!(1_000), "options[1].cap"),
        ("/options/0/minimum", json!(11), "options[0].minimum"),
        ("/options/1/minimum", json!(1), "options[1].minimum"),
        ("/options/0/per_shopper", json!(1), "options[0].per_shopper"),
        ("/options/1/sku", json!("RED2"), "options"),
        ("/shipping/1/price", json!(2_501), "shipping"),
        (
            "/shipping",
            json!([{"countries": ["US", "CA"], "price": 900}]),
            "shipping",
        ),
    ] {
        assert_eq!(
            locked(pointer, value.clone()),
            [field],
            "{pointer} = {value}"
        );
    }
}

#[test]
fn a_rest_of_the_world_price_below_the_old_one_is_no_rise_for_anybody() {
    // Canada loses its own rule and falls to the rest of the world, which is dearer for it.
    let rules = json!([{"countries": ["US"], "price": 900}, {"countries": ["*"], "price": 2_000}]);
    assert_eq!(locked("/shipping", rules), ["shipping"]);
    let rules = json!([{"countries": ["*"], "price": 900}]);
    assert_eq!(locked("/shipping", rules), Vec::<String>::new());
}
