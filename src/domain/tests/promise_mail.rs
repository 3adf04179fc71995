//! Notices in flight, late, and given up.

use super::*;

#[test]
fn undelivered_by_the_end_of_the_last_day_counts_as_none() {
    for (sent, refund) in [
        (Some(d(0)), (d(31), RefundCause::FirstSilent)),
        (Some(d(1)), (d(1), RefundCause::NoNotice)),
        (None, (d(1), RefundCause::NoNotice)),
    ] {
        let mut story = Story::new(FTC);
        let planned = story.planned(NOT_KNOWN, d(-1));
        story.prepare(planned);
        let already = Plan::Unneeded(Unneeded::AlreadySaid);
        assert_eq!(story.plan(NOT_KNOWN, d(0)), already, "it is on its way");
        if let Some(sent) = sent {
            story.taken(0, sent);
        }
        assert_eq!(story.refund(), refund);
    }
}

#[test]
fn a_notice_that_came_back_is_written_again_as_the_first() {
    let mut story = Story::new(FTC);
    let planned = story.planned(NOT_KNOWN, d(-5));
    story.prepare(planned);
    story.notices[0].state = NoticeState::Prepared.after(NoticeEvent::GivenUp).unwrap();
    assert!(NoticeState::Undelivered.after(NoticeEvent::Taken).is_err());
    assert_eq!(story.send(NOT_KNOWN, d(-4)).kind, NoticeKind::First);
    assert_eq!(story.refund(), (d(31), RefundCause::FirstSilent));
}

#[test]
fn a_renewed_notice_whose_first_never_arrived_is_the_first_the_shopper_got() {
    let mut story = Story::new(FTC);
    let first = story.planned(named(d(24)), d(-5));
    story.prepare(first);
    let second = story.planned(named(d(28)), d(-5));
    assert_eq!(second.kind, NoticeKind::Renewed);
    let second = story.prepare(second);
    story.notices[0].state = NoticeState::Undelivered;
    story.taken(second, d(-4));
    // It said: refunded after D + 24. That binds.
    assert_eq!(story.promise.agreed_date, None);
    assert_eq!(story.refund(), (d(25), RefundCause::FirstSilent));
}

#[test]
fn who_answers_has_the_notice_whatever_the_mail_server_said() {
    let mut story = Story::new(FTC);
    let planned = story.planned(named(d(40)), d(-5));
    story.prepare(planned);
    assert_eq!(story.wait(0, d(-1)), Ok(Answered::Until(d(40))));
    assert_eq!(story.refund(), (d(41), RefundCause::AgreedPassed));
}
