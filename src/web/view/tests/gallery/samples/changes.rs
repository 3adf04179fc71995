//! Examples of a change of an order.

use super::*;
use crate::web::view::*;

pub fn change(problems: Problems) -> ChangePage {
    ChangePage {
        shell: private(),
        units: units("two"),
        units_error: problems.of("lines").map(str::to_owned),
        parcels: Some(ParcelFields {
            address: edit().address,
            was: String::new(),
            as_available: false,
            open: true,
        }),
        title: "Ridge pour-over set".to_owned(),
        cancel_href: "/o/1/cancel?t=abc".to_owned(),
        form: order_form(problems),
    }
}

pub fn change_review(button: bool) -> ChangeReviewPage {
    let changed = button
        .then(|| "The new total was $176.50 when you last saw it, and is $186.50 now.".to_owned());
    ChangeReviewPage {
        shell: private(),
        form: order_form(Problems::default()),
        title: "Ridge pour-over set".to_owned(),
        headline: "$90.00 more".to_owned(),
        lines: vec!["Your order costs $96.50 now, and $186.50 after the change.".to_owned()],
        money: money(),
        fields: vec![("qty_set".to_owned(), "2".to_owned())],
        changed: changed.into_iter().collect(),
        address: vec!["Ana Reis".to_owned(), "Torstra\u{df}e 1".to_owned()],
        parcels: Some("Everything in one parcel."),
        withdrawal: vec!["No right of withdrawal: Slate.".to_owned()],
        seller: seller(),
        terms: Some(terms_ref()),
        button: button.then(|| (crate::domain::button::ENGLISH, "$90.00".to_owned())),
        next: if button {
            "You pay by card on the payment provider's page."
        } else {
            ""
        },
        edits: true,
        take_back: button.then(|| "/o/1/change/back?t=abc".to_owned()),
    }
}

pub fn order_with_change() -> OrderPage {
    let mut page = order();
    page.change = Some(ChangePart {
        title: "Your change is not paid yet",
        lines: vec!["You asked for 2 \u{d7} Full set.".to_owned()],
        countdown: Countdown {
            now: at("2026-05-21T13:00:00Z"),
            until: moment("2026-05-21T13:45:00Z"),
            verb: "Its units are kept until",
            after: "",
        },
        pay: Some(("/o/1/pay?t=abc".to_owned(), "Pay $90.00".to_owned())),
        take_back: Some("/o/1/change/back?t=abc".to_owned()),
    });
    page
}
