use super::{about, date, line, utc};
use crate::domain::due::balance_when;
use crate::domain::order::Delivery;
use crate::mail::Templates;
use crate::workflows::letters::{AtTheEnd, CardNews, Joined, JoinedBy, Letter, Written};
use crate::workflows::ports::Scribe;

const CARD: &str = "Visa ending in 4242";

fn written(letter: &Letter) -> Written {
    Templates.write(letter).unwrap()
}

/// Subject and plain text, as one page.
fn page(letter: &Letter) -> String {
    let written = written(letter);
    format!("Subject: {}\n\n{}", written.subject, written.text)
}

fn news(news: CardNews) -> String {
    page(&Letter::Card {
        about: about(),
        news,
    })
}

fn joined(by: JoinedBy) -> Letter {
    Letter::Joined {
        about: about(),
        joined: Box::new(Joined {
            lines: vec![line(2, "Chalk glaze", "$180.00")],
            shipping: Some("$6.50".to_owned()),
            tax: Some("$3.80 included, VAT 19 %".to_owned()),
            total: "$186.50".to_owned(),
            by,
            deadline: utc("2026-05-31T19:00:00Z"),
            threshold: "50 units".to_owned(),
            ships_by: date("2026-09-01"),
            stop_loss: date("2026-12-01"),
            withdrawal: Vec::new(),
        }),
    }
}

fn card(waits_for: Option<&str>) -> Letter {
    joined(JoinedBy::Card {
        card: CARD.to_owned(),
        waits_for: waits_for.map(str::to_owned),
    })
}

fn deposit(kept: bool) -> Letter {
    joined(JoinedBy::Deposit {
        paid: "$37.30".to_owned(),
        balance: "$149.20".to_owned(),
        kept,
        when: balance_when(Delivery::OneParcel, 2).to_owned(),
    })
}

fn declined(asks: bool, again: Option<&str>, then: AtTheEnd) -> String {
    news(CardNews::Declined {
        amount: "$170.00".to_owned(),
        card: Some(CARD.to_owned()),
        why: "Your card has insufficient funds.".to_owned(),
        asks,
        again: again.map(utc),
        until: utc("2026-06-07T19:05:00Z"),
        then,
    })
}

#[test]
fn letters_about_joining_with_a_card_or_a_deposit() {
    insta::assert_snapshot!("card_saved", page(&card(None)));
    insta::assert_snapshot!(
        "card_saved_waits",
        page(&card(Some("the price from 100 units")))
    );
    insta::assert_snapshot!("card_saved_html", written(&card(None)).html);
    insta::assert_snapshot!("deposit_paid_kept", page(&deposit(true)));
    insta::assert_snapshot!("deposit_paid_returned", page(&deposit(false)));
}

#[test]
fn letters_about_charging_a_card() {
    let charging = |amount: &str, fell: bool, not_made: &[&str]| {
        news(CardNews::Charging {
            amount: amount.to_owned(),
            card: CARD.to_owned(),
            at_most: "$186.50".to_owned(),
            fell,
            not_made: not_made.iter().map(|&what| what.to_owned()).collect(),
            ships_by: date("2026-09-01"),
        })
    };
    insta::assert_snapshot!("card_charging", charging("$166.50", true, &[]));
    assert!(!charging("$186.50", false, &[]).contains("at the most"));
    let red = ["2 \u{d7} Red"];
    let without = charging("$166.50", false, &red);
    insta::assert_snapshot!("card_charging_without_an_option", without);
    assert!(!without.contains("the price fell"), "{without}");
    let both = charging("$166.50", true, &red);
    assert!(
        both.contains("the price fell, and what is not made is taken off"),
        "{both}"
    );
    let left = charging("$166.50", false, &[]);
    assert!(
        left.contains("what has left your order since is taken off"),
        "{left}"
    );
    let charged = |card: Option<&str>| {
        news(CardNews::Charged {
            amount: "$166.50".to_owned(),
            card: card.map(str::to_owned),
        })
    };
    insta::assert_snapshot!("card_charged", charged(Some(CARD)));
    insta::assert_snapshot!("card_paid_on_a_page", charged(None));
}

#[test]
fn letters_about_a_card_that_says_no() {
    let again = Some("2026-06-02T19:05:00Z");
    insta::assert_snapshot!(
        "card_declined",
        declined(false, again, AtTheEnd::NothingCharged)
    );
    let kept = AtTheEnd::DepositKept("$37.30".to_owned());
    insta::assert_snapshot!("card_asks_its_holder", declined(true, None, kept.clone()));
    let not_paid = |then| {
        news(CardNews::NotPaid {
            amount: "$149.20".to_owned(),
            then,
        })
    };
    insta::assert_snapshot!("card_not_paid", not_paid(AtTheEnd::NothingCharged));
    insta::assert_snapshot!("balance_not_paid_kept", not_paid(kept));
    let back = AtTheEnd::DepositBack("$37.30".to_owned());
    insta::assert_snapshot!("balance_not_paid_back", not_paid(back));
}

#[test]
fn a_letter_that_asks_for_something_has_one_button() {
    let html = |news: CardNews| {
        let about = about();
        written(&Letter::Card { about, news }).html
    };
    let asks = html(CardNews::BalanceAsked {
        amount: "$149.20".to_owned(),
        card: None,
        on: utc("2026-08-20T23:00:00Z"),
        then: AtTheEnd::NothingCharged,
    });
    assert!(
        asks.contains("Pay now") && !asks.contains("Open your order"),
        "{asks}"
    );
    let tells = html(CardNews::Released {
        waited_for: "the price from 100 units".to_owned(),
    });
    assert_eq!(tells.matches("Open your order").count(), 1, "{tells}");
}

#[test]
fn letters_about_what_was_not_reached() {
    insta::assert_snapshot!(
        "card_released",
        news(CardNews::Released {
            waited_for: "the price from 100 units".to_owned(),
        })
    );
    let short = |missing: &str, back: Option<&str>| {
        news(CardNews::Short {
            missing: missing.to_owned(),
            until: utc("2026-06-09T19:05:00Z"),
            back: back.map(str::to_owned),
        })
    };
    insta::assert_snapshot!("card_short", short("3 units", Some("$166.50")));
    insta::assert_snapshot!("card_short_uncharged", short("1 unit", None));
    let ships_by = date("2026-09-01");
    insta::assert_snapshot!("card_short_made_up", news(CardNews::MadeUp { ships_by }));
}

#[test]
fn letters_before_something_is_charged() {
    insta::assert_snapshot!(
        "card_ends",
        news(CardNews::Ends {
            card: CARD.to_owned(),
            expiry: "05/26".to_owned(),
            charged_on: utc("2026-05-31T19:00:00Z"),
        })
    );
    let balance = |card: Option<&str>, then| {
        news(CardNews::BalanceAsked {
            amount: "$149.20".to_owned(),
            card: card.map(str::to_owned),
            on: utc("2026-08-20T23:00:00Z"),
            then,
        })
    };
    let back = || AtTheEnd::DepositBack("$37.30".to_owned());
    insta::assert_snapshot!("balance_asked", balance(Some(CARD), back()));
    insta::assert_snapshot!("balance_asked_on_a_page", balance(None, back()));
}
