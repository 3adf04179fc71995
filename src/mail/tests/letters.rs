use super::{about, date, line, utc};
use crate::domain::text::markdown_to_html;
use crate::mail::Templates;
use crate::mail::words::moment;
use crate::workflows::letters::{
    AfterDeposit, LessToPay, Letter, Stands, WhyCancelled, WhyFailed, Written,
};
use crate::workflows::ports::Scribe;

pub(super) fn written(letter: &Letter) -> Written {
    Templates.write(letter).unwrap()
}

/// Subject and plain text, as one page.
pub(super) fn page(letter: &Letter) -> String {
    let written = written(letter);
    format!("Subject: {}\n\n{}", written.subject, written.text)
}

pub(super) fn confirmed() -> Letter {
    Letter::OrderConfirmed {
        about: about(),
        lines: vec![
            line(2, "Chalk glaze", "$180.00"),
            line(1, "Slate", "$10.00"),
        ],
        shipping: Some("$6.50".to_owned()),
        tax: Some("$3.80 included, VAT 19 %".to_owned()),
        total: "$196.50".to_owned(),
        deadline: utc("2026-05-31T19:00:00Z"),
        threshold: "50 units".to_owned(),
        ships_by: date("2026-09-01"),
        stop_loss: date("2026-12-01"),
        receipt: Some("https://shop.example/o/1/receipts/R-00012?t=x".to_owned()),
        withdrawal: Vec::new(),
    }
}

pub(super) fn step(back: Option<&str>) -> Letter {
    Letter::StepReached {
        about: about(),
        units: "100".to_owned(),
        back: back.map(str::to_owned),
        less: None,
        deadline: utc("2026-05-31T19:00:00Z"),
    }
}

/// A better step, where something is still to be charged.
fn step_owed(left: Option<&str>, deposit: bool, back: Option<&str>) -> Letter {
    let mut letter = step(back);
    if let Letter::StepReached { less, .. } = &mut letter {
        *less = Some(LessToPay {
            less: "$20.00".to_owned(),
            left: left.map(str::to_owned),
            deposit,
        });
    }
    letter
}

pub(super) fn succeeded(back: Option<&str>) -> Letter {
    Letter::Succeeded {
        about: about(),
        lines: vec![
            line(2, "Chalk glaze", "$160.00"),
            line(1, "Slate", "$10.00"),
        ],
        shipping: None,
        total: "$170.00".to_owned(),
        charged: back.map_or("$170.00", |_| "$190.00").to_owned(),
        deposit: None,
        back: back.map(str::to_owned),
        ships_by: date("2026-09-01"),
        not_made: Vec::new(),
    }
}

pub(super) fn succeeded_without(what: String) -> Letter {
    let mut letter = succeeded(Some("$20.00"));
    if let Letter::Succeeded { not_made, .. } = &mut letter {
        not_made.push(what);
    }
    letter
}

/// Of a deposit of 38.00 over 190.00.
fn succeeded_deposit(balance: Option<&str>, missing: &[&str]) -> Letter {
    let mut letter = succeeded(None);
    if let Letter::Succeeded {
        charged,
        deposit,
        not_made,
        ..
    } = &mut letter
    {
        *charged = "$38.00".to_owned();
        *deposit = Some(AfterDeposit {
            balance: balance.map(str::to_owned),
        });
        not_made.extend(missing.iter().map(|&what| what.to_owned()));
    }
    letter
}

/// That both the text and the HTML of a letter say this.
fn says(letter: &Letter, words: &str) {
    let written = written(letter);
    assert!(written.text.contains(words), "{words}: {}", written.text);
    let plain = written.html.replace("<b>", "").replace("</b>", "");
    assert!(plain.contains(words), "{words}: {plain}");
}

/// That neither the text nor the HTML of a letter says this.
fn says_no(letter: &Letter, words: &str) {
    let written = written(letter);
    assert!(!written.text.contains(words), "{words}: {}", written.text);
    assert!(!written.html.contains(words), "{words}: {}", written.html);
}

pub(super) fn failed(why: WhyFailed) -> Letter {
    Letter::Failed {
        about: about(),
        why,
        back: Some("$196.50".to_owned()),
    }
}

pub(super) fn cancelled(why: WhyCancelled, back: Option<&str>) -> Letter {
    Letter::Cancelled {
        about: about(),
        why,
        back: back.map(str::to_owned),
    }
}

#[test]
fn a_paid_order_hears_what_is_charged_what_is_awaited_and_when_it_comes_back() {
    insta::assert_snapshot!("order_confirmed", page(&confirmed()));
    insta::assert_snapshot!("order_confirmed_html", written(&confirmed()).html);
}

fn from_stock() -> Letter {
    Letter::SoldFromStock {
        about: about(),
        lines: vec![line(1, "Chalk glaze", "$80.00")],
        shipping: Some("$6.50".to_owned()),
        tax: None,
        total: "$86.50".to_owned(),
        ships_by: date("2026-09-14"),
        last_day: date("2026-12-01"),
        receipt: Some("https://shop.example/o/1/receipts/R-00012?t=x".to_owned()),
        withdrawal: Vec::new(),
    }
}

fn update(title: &str, text: &str) -> Letter {
    Letter::Update {
        about: about(),
        title: title.to_owned(),
        text: text.to_owned(),
        html: markdown_to_html(text),
    }
}

#[test]
fn an_order_from_stock_hears_when_it_ships_and_how_long_it_may_be_cancelled() {
    insta::assert_snapshot!("sold_from_stock", page(&from_stock()));
    insta::assert_snapshot!("sold_from_stock_html", written(&from_stock()).html);
    let mut letter = from_stock();
    if let Letter::SoldFromStock { withdrawal, .. } = &mut letter {
        *withdrawal = vec!["You may withdraw within 14 days.".to_owned()];
    }
    let page = page(&letter);
    assert!(
        page.contains("WITHDRAWAL\n\nYou may withdraw within 14 days."),
        "{page}"
    );
}

#[test]
fn an_update_is_the_sellers_words_in_the_mails_frame() {
    let letter = update(
        "The kiln is booked",
        "We fire on **2 June**.\n\n- Chalk first\n- then slate",
    );
    insta::assert_snapshot!("update", page(&letter));
    insta::assert_snapshot!("update_html", written(&letter).html);
}

#[test]
fn a_better_step_says_what_would_go_back() {
    insta::assert_snapshot!("step_reached", page(&step(Some("$10.00"))));
    insta::assert_snapshot!("step_reached_nothing_back", page(&step(None)));
}

#[test]
fn a_better_step_says_what_is_charged_less_where_something_is_still_to_be_charged() {
    let saved = step_owed(Some("$170.00"), false, None);
    insta::assert_snapshot!("step_reached_card_saved", page(&saved));
    says(
        &saved,
        "your card is charged $170.00 for order M-2417, $20.00 less than was said",
    );
    says(&saved, "cancel on your order page, and nothing is charged");
    says_no(&saved, "what you paid");
    let deposit = step_owed(Some("$132.00"), true, None);
    insta::assert_snapshot!("step_reached_deposit", page(&deposit));
    says(
        &deposit,
        "the balance of your order M-2417 is $132.00, $20.00 less than was said",
    );
    says_no(&deposit, "of your deposit goes back");
    let all = step_owed(None, true, Some("$5.00"));
    says(
        &all,
        "nothing more is to be paid for order M-2417, $20.00 less",
    );
    says(
        &all,
        "and $5.00 of your deposit goes back to you without your asking",
    );
}

#[test]
fn success_says_the_final_price_and_the_difference() {
    insta::assert_snapshot!("succeeded", page(&succeeded(Some("$20.00"))));
    insta::assert_snapshot!("succeeded_nothing_back", page(&succeeded(None)));
    let without = succeeded_without("2 \u{d7} Clay glaze".to_owned());
    insta::assert_snapshot!("succeeded_without_an_option", page(&without));
}

#[test]
fn success_after_a_deposit_says_what_was_paid_and_what_is_charged_when_the_goods_arrive() {
    let letter = succeeded_deposit(Some("$132.00"), &[]);
    insta::assert_snapshot!("succeeded_deposit", page(&letter));
    says(
        &letter,
        "The balance of $132.00 is charged when the goods arrive; you are told 3 days ahead",
    );
    says_no(&letter, "Nothing more is charged");
    says_no(&letter, "You paid");
    let without = succeeded_deposit(Some("$132.00"), &["2 \u{d7} Clay glaze"]);
    says(
        &without,
        "what your order costs is computed without it, shipping and tax too",
    );
    says_no(&without, "in what goes back to you");
    let all = succeeded_deposit(None, &[]);
    says(
        &all,
        "Your price is final. Nothing more is charged, and nothing goes back.",
    );
}

#[test]
fn each_failure_says_why_and_that_the_money_goes_back() {
    let missed = failed(WhyFailed::Missed("43 of 50 units".to_owned()));
    insta::assert_snapshot!("failed_missed", page(&missed));
    let short = "45 of 60 units, without Red (16 of the 20 it needs),".to_owned();
    let without = failed(WhyFailed::Missed(short));
    insta::assert_snapshot!("failed_missed_without_an_option", page(&without));
    let reason = "The kiln broke.\nWe can't fire before autumn.".to_owned();
    insta::assert_snapshot!(
        "failed_cancelled",
        page(&failed(WhyFailed::Cancelled(reason)))
    );
    let nothing = failed(WhyFailed::Shortfall(String::new()));
    insta::assert_snapshot!("failed_shortfall", page(&nothing));
    let short = "3 units were missing after all cards were charged".to_owned();
    let short = failed(WhyFailed::Shortfall(short));
    says(
        &short,
        "will not be made: 3 units were missing after all cards were charged",
    );
    says_no(&short, "nothing was left to order");
    insta::assert_snapshot!("failed_supplier", page(&failed(WhyFailed::Supplier)));
}

#[test]
fn each_cancellation_says_why_and_where_the_money_is() {
    let back = Some("$196.50");
    let of = |why, back| page(&cancelled(why, back));
    insta::assert_snapshot!("cancelled_shopper", of(WhyCancelled::Shopper, back));
    insta::assert_snapshot!("cancelled_unpaid", of(WhyCancelled::Shopper, None));
    let staff = WhyCancelled::Staff("You wrote that the address is wrong.".to_owned());
    insta::assert_snapshot!("cancelled_staff", of(staff, back));
    insta::assert_snapshot!("cancelled_too_late", of(WhyCancelled::PaidTooLate, back));
    insta::assert_snapshot!("cancelled_paid_twice", of(WhyCancelled::PaidTwice, back));
    insta::assert_snapshot!("cancelled_not_owed", of(WhyCancelled::NotOwed, back));
    insta::assert_snapshot!(
        "cancelled_wrong_amount",
        of(WhyCancelled::WrongAmount, back)
    );
    insta::assert_snapshot!("cancelled_disputed", of(WhyCancelled::Disputed, back));
    let not_made = WhyCancelled::NotMade("2 \u{d7} Clay glaze".to_owned());
    insta::assert_snapshot!("cancelled_not_made", of(not_made, back));
}

#[test]
fn where_nothing_was_charged_no_cancellation_says_that_money_goes_back() {
    let not_made = WhyCancelled::NotMade("2 \u{d7} Clay glaze".to_owned());
    let letter = cancelled(not_made, None);
    insta::assert_snapshot!("cancelled_not_made_uncharged", page(&letter));
    says(&letter, "Nothing was charged for it, and nothing will be.");
    says_no(&letter, "goes back");
    let late = cancelled(WhyCancelled::SavedTooLate, None);
    insta::assert_snapshot!("cancelled_saved_too_late", page(&late));
    says(&late, "the units kept for you had gone to others");
    let left = cancelled(WhyCancelled::SavedAfterCancelling, None);
    says(
        &left,
        "the order had been cancelled already. It stays cancelled.",
    );
    for letter in [&late, &left] {
        says(
            letter,
            "Nothing is charged to that card, and it is not kept.",
        );
        assert!(written(letter).subject.contains("your card is not kept"));
    }
}

#[test]
fn a_moved_deadline_lets_everybody_leave() {
    let extended = |before, stands: Stands| Letter::Extended {
        about: about(),
        deadline: utc("2026-06-14T19:00:00Z"),
        ships_by: date("2026-09-15"),
        ships_by_before: before,
        stands,
    };
    let paid = || Stands::Paid("$196.50".to_owned());
    let unpaid = |saves| extended(None, Stands::Unpaid { saves });
    let before = Some(date("2026-09-01"));
    insta::assert_snapshot!("extended", page(&extended(before, paid())));
    insta::assert_snapshot!("extended_same_ship_date", page(&extended(None, paid())));
    insta::assert_snapshot!("extended_unpaid", page(&unpaid(false)));
    says(
        &unpaid(true),
        "You may still save your card on your order page",
    );
    let saved = extended(None, Stands::Saved);
    insta::assert_snapshot!("extended_card_saved", page(&saved));
    says(&saved, "your order M-2417 stays as it is");
    says_no(&saved, "go to others");
    let moved = extended(before, Stands::Saved);
    says(&moved, "A mail of its own asks whether you keep waiting");
}

#[test]
fn links_are_sent_again_one_for_each_order() {
    let order = |title: &str, number: &str, id: &str| {
        let link = format!("https://shop.example.org/o/{id}?t=abc");
        (title.to_owned(), number.to_owned(), link)
    };
    let letter = Letter::LinkAgain {
        server: "https://shop.example.org".to_owned(),
        orders: vec![
            order("Ridge pour-over set", "M-2417", "0190"),
            order("Datum titanium pen", "M-2422", "0191"),
        ],
    };
    insta::assert_snapshot!("link_again", page(&letter));
}

#[test]
fn a_refund_that_came_back_asks_for_another_way() {
    let letter = Letter::RefundNeedsAnotherWay {
        about: about(),
        amount: "$196.50".to_owned(),
        answer_to: "hello@fernandkiln.example".to_owned(),
    };
    insta::assert_snapshot!("refund_needs_another_way", page(&letter));
}

#[test]
fn staff_hear_what_waits_and_where() {
    let letter = Letter::Staff {
        merchant: "Fern & Kiln".to_owned(),
        subject: "PO-0031 is blocked: 12 units under the minimum".to_owned(),
        lines: vec![
            "Purchase order PO-0031 has 88 units; Olaria Norte takes 100 or more.".to_owned(),
            "If nothing changes by 7 June 2026 the campaign fails and $8,120.00 goes back."
                .to_owned(),
        ],
        link: "https://shop.example.org/admin".to_owned(),
    };
    insta::assert_snapshot!("staff", page(&letter));
}

#[test]
fn a_confirmation_says_how_to_withdraw_where_there_is_a_right() {
    let mut letter = confirmed();
    if let Letter::OrderConfirmed { withdrawal, .. } = &mut letter {
        *withdrawal = crate::workflows::withdraw::information(&["Slate"], 2);
    }
    insta::assert_snapshot!("order_confirmed_withdrawal", page(&letter));
}

#[test]
fn moments_are_said_in_the_campaigns_zone() {
    let at = utc("2026-05-31T19:00:00Z");
    assert_eq!(
        moment(at, "Europe/Lisbon"),
        "Sunday 31 May 2026, 20:00 (Europe/Lisbon)"
    );
    assert_eq!(
        moment(at, "Pacific/Auckland"),
        "Monday 1 June 2026, 07:00 (Pacific/Auckland)"
    );
    assert_eq!(moment(at, "Nowhere"), "Sunday 31 May 2026, 19:00 (UTC)");
}
