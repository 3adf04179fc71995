//! What those read who wait.

use super::{about, utc};
use crate::mail::Templates;
use crate::workflows::letters::{Letter, Waiting};
use crate::workflows::ports::Scribe;

fn page(news: Waiting) -> String {
    let about = about();
    let written = Templates.write(&Letter::Waiting { about, news }).unwrap();
    format!("Subject: {}\n\n{}", written.subject, written.text)
}

fn wants() -> Vec<String> {
    vec![
        "2 \u{d7} Chalk glaze".to_owned(),
        "1 \u{d7} Slate".to_owned(),
    ]
}

#[test]
fn letters_about_a_waiting_list() {
    let offered = |total: Option<&str>, again| Waiting::Offered {
        wants: wants(),
        total: total.map(str::to_owned),
        until: utc("2026-05-22T12:10:00Z"),
        again,
    };
    insta::assert_snapshot!(
        "waiting_listed",
        page(Waiting::Listed {
            wants: wants(),
            place: 3,
            ends: utc("2026-05-31T19:00:00Z"),
        })
    );
    insta::assert_snapshot!("waiting_offered", page(offered(Some("$196.50"), false)));
    insta::assert_snapshot!("waiting_reminder", page(offered(None, true)));
    insta::assert_snapshot!("waiting_lapsed", page(Waiting::Lapsed));
    insta::assert_snapshot!("waiting_ended", page(Waiting::Ended));
    let about = about();
    let news = offered(Some("$196.50"), false);
    let html = Templates
        .write(&Letter::Waiting { about, news })
        .unwrap()
        .html;
    insta::assert_snapshot!("waiting_offered_html", html);
}
