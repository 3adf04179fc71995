use super::*;

fn filled() -> Typed {
    let mut typed = typed_new();
    for (name, value) in [
        ("title", "Ridge mug"),
        ("deadline", "2027-03-01T18:00"),
        ("promised_ship_date", "2027-04-01"),
        ("stop_loss_date", "2027-06-01"),
        ("time_zone", "Europe/Berlin"),
        ("threshold.target", "40"),
        ("steps.1", "50"),
        ("options.0.sku", "MUG"),
        ("options.0.name", "Mug"),
        ("options.0.prices.0", "24.50"),
        ("options.0.prices.1", "19"),
        ("options.0.minimum", "12"),
        ("shipping.0.price", "4,90"),
        ("tax.0.countries", "de at"),
        ("tax.0.percent", "19 %"),
        ("tax.0.included", "yes"),
        ("tax.1.included", "yes"),
    ] {
        typed.set(name, value);
    }
    typed
}

fn now() -> DateTime<Utc> {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

#[test]
fn a_filled_form_is_an_offer_and_shows_as_it_was_typed() {
    let mut typed = filled();
    compact(&mut typed);
    let (input, errors) = read(&typed, None, Locks::default());
    assert_eq!(errors, []);
    let draft = input.check(now()).unwrap();
    assert_eq!(draft.deadline.to_rfc3339(), "2027-03-01T17:00:00+00:00");
    assert_eq!(draft.options[0].prices.prices(), [2450, 1900]);
    assert_eq!(draft.shipping[0].price, 490);
    assert_eq!(draft.tax[0].rate_basis_points, 1900);
    let shown = typed_of(&draft);
    assert_eq!(shown.get("deadline"), "2027-03-01T18:00");
    assert_eq!(shown.get("options.0.prices.1"), "19.00");
    assert_eq!(shown.get("options.0.minimum"), "12");
    assert_eq!(shown.get("tax.0.countries"), "DE, AT");
    let (again, errors) = read(&shown, None, Locks::default());
    assert_eq!((again.check(now()), errors), (Ok(draft), vec![]));
}

#[test]
fn nonsense_is_said_at_its_field_and_once() {
    let mut typed = filled();
    for (name, value) in [
        ("deadline", "soon"),
        ("threshold.target", "many"),
        ("options.0.prices.1", "-3"),
        ("options.0.minimum", "few"),
        ("options.0.cap", "1.5"),
        ("shipping.0.countries", "XX"),
        ("tax.0.percent", "all"),
        ("handling_days", "99999999999999999999"),
    ] {
        typed.set(name, value);
    }
    compact(&mut typed);
    let (input, errors) = read(&typed, None, Locks::default());
    let checked = input.check(now()).unwrap_err();
    let problems = problems(&errors, &checked);
    let mut fields: Vec<&str> = problems.errors.iter().map(|e| e.field.as_str()).collect();
    fields.sort_unstable();
    assert_eq!(
        fields,
        [
            "deadline",
            "handling_days",
            "options.0.cap",
            "options.0.minimum",
            "options.0.prices.1",
            "shipping.0.countries",
            "tax.0.percent",
            "threshold.target",
        ]
    );
}

#[test]
fn a_locked_offer_stays_whatever_the_form_says() {
    let mut first = filled();
    compact(&mut first);
    let (input, _) = read(&first, None, Locks::default());
    let old = input.check(now()).unwrap();
    let locks = Locks {
        deadline: true,
        published: true,
        opened: true,
        ordered: true,
    };
    let mut typed = filled();
    typed.set("threshold.target", "1");
    typed.set("deadline", "nonsense");
    typed.set("steps.0", "7");
    typed.set("title", "Ridge mug, large");
    typed.set("options.0.prices.1", "18.00");
    restore(&mut typed, &old, locks);
    compact(&mut typed);
    let (input, errors) = read(&typed, Some(&old), locks);
    assert_eq!(errors, []);
    let new = input.check_change(now(), &old).unwrap();
    assert_eq!(
        (new.threshold, new.deadline, &new.steps),
        (old.threshold, old.deadline, &old.steps)
    );
    assert_eq!(new.options[0].prices.prices(), [2450, 1800]);
    assert!(crate::domain::draft::lock_violations(&old, &new).is_empty());
}

#[test]
fn a_step_taken_out_takes_its_prices_along() {
    let mut typed = filled();
    remove_step(&mut typed, 0);
    assert_eq!(
        (typed.get("steps.0"), typed.get("options.0.prices.0")),
        ("50", "19")
    );
}
