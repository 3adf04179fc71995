use super::{date, utc};
use crate::mail::Templates;
use crate::workflows::letters::{Asked, Asking, Letter, Written};
use crate::workflows::ports::Scribe;

fn written(name: Option<&str>, title: &str, news: Asked) -> Written {
    let about = Asking {
        merchant: "Fern & Kiln".to_owned(),
        merchant_address: "Rua das Flores 12\n1200-195 Lisboa\nPortugal".to_owned(),
        title: title.to_owned(),
        url: "https://shop.example.org/c/ridge".to_owned(),
        time_zone: "Europe/Lisbon".to_owned(),
        name: name.map(str::to_owned),
        own_url: "https://shop.example.org/i/token".to_owned(),
    };
    Templates.write(&Letter::Asked { about, news }).unwrap()
}

/// Subject and plain text, as one page.
fn page(name: Option<&str>, title: &str, news: Asked) -> String {
    let written = written(name, title, news);
    format!("Subject: {}\n\n{}", written.subject, written.text)
}

fn lines() -> Vec<String> {
    vec![
        "2 × Full set, up to $85.00 each".to_owned(),
        "1 × Lid, up to $15.00 each".to_owned(),
    ]
}

fn opened() -> Asked {
    Asked::Opened {
        lines: lines(),
        join_url: "https://shop.example.org/i/token/join".to_owned(),
        price: "$100.00".to_owned(),
        deadline: utc("2026-05-31T19:00:00Z"),
        ships_by: date("2026-09-01"),
    }
}

#[test]
fn letters_about_an_interest_check() {
    let title = "Ridge pour-over set";
    let answered = Asked::Answered { lines: lines() };
    insta::assert_snapshot!(
        "interest_answered",
        page(Some("Inês Alves"), title, answered)
    );
    let again = Asked::Again { lines: lines() };
    insta::assert_snapshot!("interest_again", page(None, title, again));
    insta::assert_snapshot!("interest_opened", page(Some("Inês Alves"), title, opened()));
    let html = written(Some("Inês Alves"), title, opened()).html;
    insta::assert_snapshot!("interest_opened_html", html);
    let reason = "The clay pit is closed.\nWe look for another.".to_owned();
    let cancelled = Asked::Cancelled { reason };
    insta::assert_snapshot!("interest_cancelled", page(None, title, cancelled));
}

#[test]
fn letters_about_votes() {
    let title = "A travel mug";
    let vote = |counts| page(None, title, Asked::Vote { counts });
    insta::assert_snapshot!("vote_asked", vote(false));
    insta::assert_snapshot!("vote_counts", vote(true));
    let running = |opens: Option<&str>, open| {
        let news = Asked::Running {
            campaign: "Ridge travel mug".to_owned(),
            campaign_url: "https://shop.example.org/c/mug".to_owned(),
            opens: opens.map(utc),
            open,
        };
        page(None, title, news)
    };
    insta::assert_snapshot!("idea_running", running(None, true));
    let soon = running(Some("2026-05-31T19:00:00Z"), false);
    assert!(soon.contains("opens on Sunday 31 May 2026, 20:00 (Europe/Lisbon)"));
    assert!(running(None, false).contains("asks first who would buy it"));
}

#[test]
fn what_people_typed_is_never_markup() {
    let lines = vec!["1 × <b>bold</b>, up to $1.00 each".to_owned()];
    let letter = written(
        Some("<script>alert(1)</script>"),
        "<i>x</i>\nBcc: all@mail.example",
        Asked::Answered { lines },
    );
    assert!(!letter.html.contains("<script>") && !letter.html.contains("<b>bold"));
    assert!(!letter.subject.contains('\n'));
}
