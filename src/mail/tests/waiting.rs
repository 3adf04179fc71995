//! What those read who wait.

use super::{about, date, utc};
use crate::mail::Templates;
use crate::workflows::letters::{Letter, Waiting, WhyEnded};
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
    let ended = |why, kept: Option<&str>| Waiting::Ended {
        why,
        kept_until: kept.map(utc),
    };
    let until = Some("2026-05-22T12:10:00Z");
    insta::assert_snapshot!("waiting_ended", page(ended(WhyEnded::Deadline, None)));
    insta::assert_snapshot!("waiting_ended_early", page(ended(WhyEnded::Early, until)));
    let early = page(ended(WhyEnded::Early, None));
    assert!(!early.contains("sooner than we wrote"), "{early}");
    let cancelled = || WhyEnded::Cancelled("The kiln broke.".to_owned());
    insta::assert_snapshot!("waiting_cancelled", page(ended(cancelled(), None)));
    let kept = page(ended(cancelled(), until));
    assert!(kept.contains("cannot be taken any more"), "{kept}");
    let extended = |place, before: Option<&str>| Waiting::Extended {
        place,
        ends: utc("2026-06-14T19:00:00Z"),
        ships_by: date("2026-09-15"),
        ships_by_before: before.map(date),
    };
    let moved = extended(Some(3), Some("2026-09-01"));
    insta::assert_snapshot!("waiting_extended", page(moved));
    let offered_to = page(extended(None, None));
    assert!(
        offered_to.contains("are kept until the same time as before"),
        "{offered_to}"
    );
    let about = about();
    let news = offered(Some("$196.50"), false);
    let html = Templates
        .write(&Letter::Waiting { about, news })
        .unwrap()
        .html;
    insta::assert_snapshot!("waiting_offered_html", html);
    let news = ended(
        WhyEnded::Cancelled("<img src=x> The kiln broke.".to_owned()),
        until,
    );
    let about = super::about();
    let html = Templates
        .write(&Letter::Waiting { about, news })
        .unwrap()
        .html;
    for said in [
        "The kiln broke.",
        "cannot be taken any more",
        "Nothing was charged",
    ] {
        assert!(html.contains(said), "{html}");
    }
    assert!(!html.contains("<img"), "{html}");
}
