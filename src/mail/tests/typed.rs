use super::after::news;
use super::letters::{cancelled, confirmed, failed, step, succeeded, succeeded_without, written};
use super::suppliers::purchase_line;
use super::{about, date, line, utc};
use crate::domain::text::markdown_to_html;
use crate::mail::words::one_line;
use crate::workflows::letters::{About, Letter, Stands, WhyCancelled, WhyFailed, WhyWithdrawn};

/// Every kind of letter, each text in it typed by somebody who means harm.
fn hostile() -> Vec<Letter> {
    let evil = || "<script>alert(1)</script>\"'><img src=x>".to_owned();
    let about = || About {
        merchant: evil(),
        merchant_address: evil(),
        campaign: evil(),
        campaign_url: evil(),
        time_zone: evil(),
        name: evil(),
        number: evil(),
        order_url: evil(),
    };
    let mut letters = vec![
        confirmed(),
        step(Some("$1")),
        succeeded(Some("$1")),
        succeeded_without(evil()),
        failed(WhyFailed::Missed(evil())),
        failed(WhyFailed::Cancelled(evil())),
        failed(WhyFailed::Shortfall(evil())),
        cancelled(WhyCancelled::Staff(evil()), Some("$1")),
        cancelled(WhyCancelled::Disputed, Some("$1")),
        cancelled(WhyCancelled::NotMade(evil()), Some("$1")),
    ];
    for letter in &mut letters {
        match letter {
            Letter::OrderConfirmed {
                about: who, lines, ..
            }
            | Letter::Succeeded {
                about: who, lines, ..
            } => {
                *who = about();
                lines[0].name = evil();
            }
            Letter::StepReached { about: who, .. }
            | Letter::Failed { about: who, .. }
            | Letter::Cancelled { about: who, .. } => *who = about(),
            _ => {}
        }
    }
    letters.extend(news(&evil()).into_iter().map(|news| Letter::After {
        about: about(),
        news,
    }));
    letters.extend([
        Letter::Extended {
            about: about(),
            deadline: utc("2026-06-14T19:00:00Z"),
            ships_by: date("2026-09-15"),
            ships_by_before: None,
            stands: Stands::Paid(evil()),
        },
        Letter::LinkAgain {
            server: evil(),
            orders: vec![(evil(), evil(), evil())],
        },
        Letter::RefundNeedsAnotherWay {
            about: about(),
            amount: evil(),
            answer_to: evil(),
        },
        Letter::PurchaseOrder {
            merchant: evil(),
            merchant_address: evil(),
            supplier: evil(),
            number: evil(),
            version: 2,
            campaign: evil(),
            lines: vec![purchase_line(&evil(), &evil(), 1, &evil())],
            units: 1,
            total: evil(),
            issued_at: utc("2026-05-31T20:10:00Z"),
            wanted_by: None,
            link: evil(),
        },
        Letter::PurchaseOrderReminder {
            merchant: evil(),
            supplier: evil(),
            number: evil(),
            units: 1,
            issued_at: utc("2026-05-31T20:10:00Z"),
            link: evil(),
        },
        Letter::PurchaseOrderCancelled {
            merchant: evil(),
            supplier: evil(),
            number: evil(),
            units: 1,
            why: WhyWithdrawn::CampaignEnded,
            link: evil(),
        },
        Letter::PurchaseOrderCancelled {
            merchant: evil(),
            supplier: evil(),
            number: evil(),
            units: 1,
            why: WhyWithdrawn::Replaced(evil()),
            link: evil(),
        },
        Letter::Update {
            about: about(),
            title: evil(),
            text: evil(),
            html: markdown_to_html(&evil()),
        },
        Letter::SoldFromStock {
            about: about(),
            lines: vec![line(1, &evil(), &evil())],
            shipping: Some(evil()),
            tax: Some(evil()),
            total: evil(),
            ships_by: date("2026-09-14"),
            last_day: date("2026-12-01"),
            receipt: Some("https://shop.example/o/1/receipts/R-00012?t=x".to_owned()),
            withdrawal: Vec::new(),
        },
        Letter::Staff {
            merchant: evil(),
            subject: evil(),
            lines: vec![evil()],
            link: evil(),
        },
    ]);
    letters
}

#[test]
fn markup_that_people_typed_is_shown_and_not_obeyed() {
    for letter in hostile() {
        let html = written(&letter).html;
        let kind = letter.kind();
        assert!(!html.contains("<script"), "{kind}: {html}");
        assert!(!html.contains("<img"), "{kind}: {html}");
        assert!(!html.contains("alert(1)</script>\""), "{kind}: {html}");
        assert!(html.contains("&#60;script&#62;"), "{kind}: {html}");
    }
}

#[test]
fn nothing_typed_makes_a_second_header() {
    let mut who = about();
    who.campaign = "Set\r\nBcc: all@example.org\u{0}\u{2028}\tend".to_owned();
    let letter = Letter::Failed {
        about: who,
        why: WhyFailed::Supplier,
        back: Some("$1.00".to_owned()),
    };
    assert_eq!(
        written(&letter).subject,
        "Set Bcc: all@example.org end will not be made: $1.00 goes back to you"
    );
    assert_eq!(one_line(" a\r\n\tb "), "a b");
}

#[test]
fn letters_speak_plainly() {
    let mut letters = hostile();
    letters.push(confirmed());
    for letter in letters {
        let written = written(&letter);
        assert!(!written.text.contains('!'), "{}", written.text);
        assert!(!written.subject.contains('!'), "{}", written.subject);
        assert!(!written.text.contains("\n\n\n"), "{}", written.text);
    }
}
