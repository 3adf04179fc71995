//! Examples of a delay: its notice, every answer, and what the order's page says.

use super::samples::{moment, order, private, terms_ref};
use crate::domain::promise::Answer;
use crate::web::view::*;
use chrono::NaiveDate;

fn day(y: i32, m: u32, d: u32) -> Day {
    Day(NaiveDate::from_ymd_opt(y, m, d).unwrap())
}

/// 18 days late: silence agrees.
pub fn offer() -> DelayOffer {
    DelayOffer {
        action: "/d/abc".to_owned(),
        replaces: day(2026, 9, 1),
        revised: Some(day(2026, 9, 19)),
        later_last_day: None,
        last_day: day(2026, 12, 31),
        beyond_last_day: false,
        reason: "The chalk glaze came back with pinholes, and 60 sets are being fired again."
            .to_owned(),
        amount: Some("$86.50".to_owned()),
        part_shipped: false,
        silence: SilenceSaid::Agrees {
            until: day(2026, 9, 19),
            refund: day(2026, 9, 20),
        },
        chosen: None,
    }
}

/// Not known: silence cancels.
pub fn offer_not_known() -> DelayOffer {
    DelayOffer {
        revised: None,
        beyond_last_day: true,
        silence: SilenceSaid::Cancels {
            last_day: day(2026, 10, 1),
            refund: day(2026, 10, 2),
        },
        ..offer()
    }
}

/// Of a part that is still to come.
pub fn offer_of_the_rest() -> DelayOffer {
    DelayOffer {
        part_shipped: true,
        amount: Some("$40.00".to_owned()),
        chosen: Some(Answer::Cancel),
        ..offer()
    }
}

/// The last day of all is to move.
pub fn offer_of_a_later_last_day() -> DelayOffer {
    DelayOffer {
        replaces: day(2026, 12, 20),
        revised: Some(day(2027, 1, 20)),
        later_last_day: Some(day(2027, 2, 28)),
        silence: SilenceSaid::Cancels {
            last_day: day(2026, 12, 20),
            refund: day(2026, 12, 21),
        },
        ..offer()
    }
}

pub fn page(stand: DelayStand, badge: Badge) -> DelayPage {
    DelayPage {
        shell: private(),
        number: "M-2417".to_owned(),
        title: "Ridge pour-over set".to_owned(),
        order_href: "/o/1?t=abc".to_owned(),
        badge,
        stand,
        error: None,
        cancel_instead: None,
        seller_name: "Fern & Kiln".to_owned(),
        seller_href: "/m/fern-kiln".to_owned(),
    }
}

pub fn open(offer: DelayOffer) -> DelayPage {
    let badge = Badge::new(Tone::Wait, "Waiting for your answer");
    page(DelayStand::Open(Box::new(offer)), badge)
}

fn closed(tone: Tone, title: &str, lines: &[&str], way: Option<Link>) -> DelayStand {
    DelayStand::Closed(DelayOutcome {
        tone,
        title: title.to_owned(),
        lines: lines.iter().map(|l| (*l).to_owned()).collect(),
        way,
    })
}

pub fn waits() -> DelayPage {
    let stand = closed(
        Tone::Good,
        "You keep waiting until 19 September 2026",
        &[
            "You said so on 25 August 2026. If it is not shipped by the end of that day, $86.50 goes back to your card on 20 September 2026, unless you agree to another date before.",
        ],
        Some(Link::new("/o/1?t=abc", "See your order")),
    );
    let mut page = page(stand, Badge::new(Tone::Good, "You keep waiting"));
    page.cancel_instead = Some(CancelInstead {
        action: "/d/abc".to_owned(),
        text: "You may cancel until the parcel is with the carrier. $86.50 goes back to your card at once, shipping included.".to_owned(),
        button: cancel_words(Some("$86.50"), false),
    });
    page
}

pub fn over() -> DelayPage {
    let stand = closed(
        Tone::Wait,
        "The last day to answer was 1 October 2026",
        &[
            "Your refund is on its way: $86.50 goes back to your card by itself. There is nothing you need to do.",
        ],
        Some(Link::new("/o/1?t=abc", "See your order")),
    );
    page(stand, Badge::new(Tone::Wait, "Refund on its way"))
}

pub fn no_answer() -> DelayPage {
    let mut page = open(offer());
    page.error = Some("Press one of the two buttons: keep waiting, or cancel.".to_owned());
    page
}

fn row(told: &str, ships: Option<Day>, why: &str, answer: Option<Badge>) -> PromiseRow {
    PromiseRow {
        told: moment(told),
        ships,
        replaced: false,
        why: why.to_owned(),
        answer,
        href: None,
    }
}

/// Three dates, the last of them unanswered.
pub fn promise() -> PromiseTable {
    let agreed = Some(Badge::new(Tone::Good, "You kept waiting"));
    let open = Some(Badge::new(Tone::Wait, "open"));
    let mut rows = vec![
        row(
            "2026-09-10T08:00:00Z",
            None,
            "The second firing failed, too.",
            open,
        ),
        row(
            "2026-08-20T08:00:00Z",
            Some(day(2026, 9, 19)),
            "60 sets are being fired again.",
            agreed,
        ),
        row(
            "2026-05-21T13:00:00Z",
            Some(day(2026, 9, 1)),
            "When you joined",
            None,
        ),
    ];
    rows[0].href = Some("/d/abc".to_owned());
    rows[1].replaced = true;
    rows[2].replaced = true;
    PromiseTable {
        rows,
        now: Some("If it is not shipped by the end of 19 September 2026, and you do not agree to wait, $86.50 goes back to your card on 20 September 2026.".to_owned()),
        last_day: Some(day(2026, 12, 31)),
        terms: Some(terms_ref()),
    }
}

pub fn order_late() -> OrderPage {
    let mut page = order();
    page.state = "backordered".to_owned();
    page.delay = Some(offer_not_known());
    page.promise = Some(promise());
    page.cancel = Some(CancelOffer {
        until: "the order to the supplier goes out",
        href: "/o/1/cancel?t=abc".to_owned(),
        amount: Some("$86.50".to_owned()),
        late: true,
        part: false,
    });
    page.timeline
        .items
        .push(TimelineItem::next("Shipped to you: the date is not known"));
    page
}

/// Every page of a delay.
pub fn all() -> Vec<(String, String)> {
    let mut out = Vec::new();
    let mut put = |name: &str, html: String| out.push((name.to_owned(), html));
    put("delay", open(offer()).to_string());
    put("delay-not-known", open(offer_not_known()).to_string());
    put("delay-rest", open(offer_of_the_rest()).to_string());
    put(
        "delay-last-day",
        open(offer_of_a_later_last_day()).to_string(),
    );
    put("delay-waits", waits().to_string());
    put("delay-over", over().to_string());
    put("delay-no-answer", no_answer().to_string());
    put("order-late", order_late().to_string());
    out
}

#[test]
fn the_notice_says_both_answers_with_their_amount_and_day_and_what_silence_does() {
    let html = open(offer()).to_string();
    for words in [
        "It will be late: 19 September instead of 1 September 2026",
        "Keep waiting to 19 September 2026",
        "Cancel and refund $86.50",
        "shipping included",
        "we take it that you wait until 19 September 2026",
        "goes back to your card on 20 September 2026",
        "method=\"post\" action=\"/d/abc\"",
        "name=\"answer\" value=\"wait\"",
        "name=\"answer\" value=\"cancel\"",
        "noindex",
    ] {
        assert!(html.contains(words), "not said: {words}\n{html}");
    }
    let html = open(offer_not_known()).to_string();
    for words in [
        "the new date is not known",
        "Keep waiting without a date",
        "If you say nothing by the end of 1 October 2026, $86.50 goes back to your card on 2 October 2026",
        "lies after",
    ] {
        assert!(html.contains(words), "not said: {words}\n{html}");
    }
}

#[test]
fn of_a_partly_shipped_order_only_the_rest_goes_back() {
    let html = open(offer_of_the_rest()).to_string();
    assert!(html.contains("Cancel the rest and refund $40.00"), "{html}");
    assert!(html.contains("less what the shipped part costs by itself"));
    assert!(
        html.contains("decides nothing by itself"),
        "the link only pre-selects"
    );
}

#[test]
fn a_year_is_said_twice_only_where_it_changes() {
    let offer = offer_of_a_later_last_day();
    assert_eq!(
        offer.title(),
        "It will be late: 20 January 2027 instead of 20 December 2026"
    );
}
