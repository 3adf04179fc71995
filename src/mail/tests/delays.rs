use super::{about, date};
use crate::domain::promise::{Consequence, NoticeKind, RefundCause, Silence};
use crate::mail::Templates;
use crate::workflows::letters::{Delay, DelayRefund, Letter, Written};
use crate::workflows::ports::Scribe;

fn written(letter: &Letter) -> Written {
    Templates.write(letter).unwrap()
}

fn page(letter: &Letter) -> String {
    let written = written(letter);
    format!("Subject: {}\n\n{}", written.subject, written.text)
}

/// The worked example: D = 1 March, told on 20 February.
fn first() -> Delay {
    Delay {
        kind: NoticeKind::First,
        replaces: date("2027-03-01"),
        revised: Some(date("2027-03-25")),
        reason: "The kiln is late.\nThe second firing takes three weeks.".to_owned(),
        by_system: false,
        consequence: Some(Consequence {
            silence: Silence::Agrees,
            last_day: date("2027-03-25"),
        }),
        stop_loss: date("2027-07-01"),
        later_stop_loss: None,
        beyond_stop_loss: false,
        back: "$196.50".to_owned(),
        part_shipped: false,
        may_cancel: true,
        wait_url: "https://shop.example.org/d/token?answer=wait".to_owned(),
        cancel_url: "https://shop.example.org/d/token?answer=cancel".to_owned(),
    }
}

fn cancels(last_day: &str) -> Option<Consequence> {
    Some(Consequence {
        silence: Silence::Cancels,
        last_day: date(last_day),
    })
}

fn notice(notice: Delay) -> Letter {
    Letter::Delay {
        about: about(),
        notice,
    }
}

fn refund(cause: RefundCause) -> DelayRefund {
    let asked_for = cause.is_at_once();
    DelayRefund {
        cause,
        last_day: (!asked_for).then(|| date("2027-03-25")),
        reason: (cause == RefundCause::WillNotShip).then(|| "The kiln burnt down.".to_owned()),
        back: Some("$196.50".to_owned()),
        held: false,
        part_shipped: false,
    }
}

fn refunded(refund: DelayRefund) -> Letter {
    Letter::DelayRefund {
        about: about(),
        refund,
    }
}

#[test]
fn a_notice_says_date_reason_silence_and_both_ways() {
    insta::assert_snapshot!("delay_first_agrees", page(&notice(first())));
    insta::assert_snapshot!("delay_first_agrees_html", written(&notice(first())).html);
    let later = Delay {
        revised: Some(date("2027-04-15")),
        consequence: cancels("2027-03-31"),
        ..first()
    };
    insta::assert_snapshot!("delay_first_cancels", page(&notice(later)));
    let renewed = Delay {
        kind: NoticeKind::Renewed,
        replaces: date("2027-03-25"),
        revised: Some(date("2027-04-10")),
        consequence: cancels("2027-03-25"),
        part_shipped: true,
        ..first()
    };
    insta::assert_snapshot!("delay_renewed_of_the_rest", page(&notice(renewed)));
}

#[test]
fn the_systems_own_notice_says_that_nobody_else_wrote() {
    let own = Delay {
        revised: None,
        reason: "Fern & Kiln gave no new date.".to_owned(),
        by_system: true,
        consequence: cancels("2027-03-31"),
        ..first()
    };
    insta::assert_snapshot!("delay_by_system", page(&notice(own)));
}

#[test]
fn a_date_beyond_the_stop_loss_and_a_later_stop_loss_are_said() {
    let beyond = Delay {
        revised: None,
        consequence: cancels("2027-03-31"),
        beyond_stop_loss: true,
        ..first()
    };
    insta::assert_snapshot!("delay_beyond_stop_loss", page(&notice(beyond)));
    let later = Delay {
        revised: Some(date("2027-08-15")),
        consequence: cancels("2027-03-31"),
        later_stop_loss: Some(date("2027-09-01")),
        ..first()
    };
    insta::assert_snapshot!("delay_later_stop_loss", page(&notice(later)));
}

#[test]
fn a_date_that_is_only_told_asks_nothing() {
    let told = Delay {
        kind: NoticeKind::Told,
        revised: Some(date("2027-02-20")),
        reason: "Everything has arrived, and the parcels are being packed.".to_owned(),
        consequence: None,
        may_cancel: false,
        ..first()
    };
    insta::assert_snapshot!("delay_told_earlier", page(&notice(told.clone())));
    let waiting = Delay {
        revised: Some(date("2027-05-20")),
        may_cancel: true,
        ..told
    };
    insta::assert_snapshot!("delay_told_who_may_cancel", page(&notice(waiting)));
}

#[test]
fn each_refund_says_why_it_comes() {
    for cause in RefundCause::ALL {
        let name = format!("delay_refund_{}", cause.as_str());
        insta::assert_snapshot!(name, page(&refunded(refund(*cause))));
    }
    let html = written(&refunded(refund(RefundCause::WillNotShip))).html;
    insta::assert_snapshot!("delay_refund_will_not_ship_html", html);
    let rest = DelayRefund {
        back: Some("$39.98".to_owned()),
        part_shipped: true,
        ..refund(RefundCause::StopLoss)
    };
    insta::assert_snapshot!("delay_refund_of_the_rest", page(&refunded(rest)));
    let held = DelayRefund {
        held: true,
        ..refund(RefundCause::Cancelled)
    };
    insta::assert_snapshot!("delay_refund_held", page(&refunded(held)));
}

#[test]
fn what_people_typed_is_shown_and_not_obeyed() {
    let evil = || "<script>alert(1)</script>\"'><img src=x>".to_owned();
    let mut who = about();
    (who.name, who.merchant) = (evil(), evil());
    let mut letters = vec![Letter::Delay {
        about: who.clone(),
        notice: Delay {
            reason: evil(),
            wait_url: evil(),
            cancel_url: evil(),
            back: evil(),
            ..first()
        },
    }];
    letters.extend(RefundCause::ALL.iter().map(|cause| Letter::DelayRefund {
        about: who.clone(),
        refund: DelayRefund {
            reason: Some(evil()),
            ..refund(*cause)
        },
    }));
    for letter in letters {
        let written = written(&letter);
        assert!(!written.html.contains("<script"), "{}", written.html);
        assert!(!written.html.contains("<img"), "{}", written.html);
        assert!(!written.text.contains('!'), "{}", written.text);
        assert!(!written.subject.contains('\n'));
    }
}
