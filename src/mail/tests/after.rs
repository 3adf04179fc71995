use super::letters::page;
use super::{about, date, utc};
use crate::domain::order::Delivery;
use crate::workflows::letters::{After, Letter, parcels_said};

/// Every news of an order after it was ordered, with these words in it.
pub(super) fn news(word: &str) -> Vec<After> {
    let word = || word.to_owned();
    let lines = || vec![format!("2 \u{d7} {}", word())];
    vec![
        After::ClaimOpened {
            what: "arrived damaged".to_owned(),
            lines: lines(),
            by_shopper: true,
        },
        After::ReturnAsked {
            lines: lines(),
            address: format!("{}\nRua das Flores 12", word()),
            by: date("2026-10-01"),
        },
        After::ReturnReceived { lines: lines() },
        After::Reship { lines: lines() },
        After::Refunded {
            lines: lines(),
            amount: Some("$180.00".to_owned()),
            held: false,
        },
        After::PartlyRefunded {
            amount: "$25.00".to_owned(),
            reason: word(),
            held: true,
        },
        After::Refused { reason: word() },
        After::Withdrawn {
            at: utc("2026-09-10T09:30:00Z"),
            lines: lines(),
            back: Some("$90.00".to_owned()),
            held: false,
            return_to: Some((word(), date("2026-09-24"))),
            refund_by: Some(date("2026-09-24")),
        },
        After::UnitsLeft {
            lines: lines(),
            amount: Some("$180.00".to_owned()),
            reason: word(),
            held: false,
        },
        After::Goodwill {
            amount: "$10.00".to_owned(),
            reason: word(),
        },
        After::AddressChanged {
            lines: vec![word(), "Rua Nova 1".to_owned()],
            by_shopper: false,
        },
        changed(None, Some("$90.00".to_owned())),
        After::ChangeAsked {
            before: lines(),
            cost: "$96.50".to_owned(),
            now: lines(),
            costs: "$186.50".to_owned(),
            goes_to: Some(vec![
                word(),
                "Torstra\u{df}e 1".to_owned(),
                "Germany".to_owned(),
            ]),
            parcels: Some(parcels_said(Delivery::AsAvailable).to_owned()),
            pay: "$90.00".to_owned(),
            later: Some("$10.00".to_owned()),
            until: utc("2026-05-22T13:00:00Z"),
            link: "https://muster.example/o/1/change/asked?t=abc".to_owned(),
        },
        After::ChangeRanOut { wanted: lines() },
        After::ChangeTooLate {
            back: "$90.00".to_owned(),
        },
    ]
}

fn changed(paid: Option<String>, back: Option<String>) -> After {
    let two = ("2 \u{d7} Full set, $180.00", "$186.50");
    let three = ("3 \u{d7} Full set, $270.00", "$276.50");
    let (was, is) = if back.is_some() {
        (three, two)
    } else {
        (two, three)
    };
    let receipt = "https://muster.example/o/1/receipts/R-0002?t=abc";
    After::OrderChanged {
        before: vec![was.0.to_owned()],
        cost: was.1.to_owned(),
        now: vec![is.0.to_owned()],
        costs: is.1.to_owned(),
        goes_to: paid
            .as_ref()
            .map(|_| vec!["Ada Lima".to_owned(), "Germany".to_owned()]),
        parcels: None,
        receipt: paid.as_ref().map(|_| receipt.to_owned()),
        paid,
        back,
        later: None,
        by_staff: false,
        withdrawal: Vec::new(),
    }
}

#[test]
fn a_change_that_was_paid_says_so_with_its_receipt() {
    let letter = Letter::After {
        about: about(),
        news: changed(Some("$90.00".to_owned()), None),
    };
    insta::assert_snapshot!("after_order_changed_paid", page(&letter));
}

#[test]
fn each_news_after_ordering_says_what_follows() {
    for news in news("Chalk glaze") {
        let name = format!("after_{}", news.kind());
        let letter = Letter::After {
            about: about(),
            news,
        };
        insta::assert_snapshot!(name, page(&letter));
    }
}
