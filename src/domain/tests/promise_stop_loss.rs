//! The date after which everything unshipped is refunded.

use super::*;

#[test]
fn a_revised_date_after_the_stop_loss_counts_as_not_known() {
    let mut story = Story::with_stop_loss(FTC, d(40));
    assert_eq!(story.planned(named(d(40)), d(-5)).revised, Some(d(40)));
    let planned = story.send(named(d(41)), d(-5));
    assert_eq!((planned.revised, planned.beyond_stop_loss), (None, true));
    assert_eq!(planned.consequence, cancels(d(30)));
    assert_eq!(story.wait(0, d(0)), Ok(Answered::OpenEnded));
    assert_eq!(story.refund(), (d(41), RefundCause::StopLoss));
}

#[test]
fn a_stop_loss_before_d_plus_30_is_the_last_day_that_silence_has() {
    let mut story = Story::with_stop_loss(FTC, d(10));
    let planned = story.send(named(d(20)), d(-5));
    assert_eq!((planned.revised, planned.beyond_stop_loss), (None, true));
    assert_eq!(planned.consequence, cancels(d(10)));
    assert_eq!(story.refund(), (d(11), RefundCause::StopLoss));
}

#[test]
fn the_stop_loss_moves_later_only_for_who_agrees() {
    let news = |ships, later| News {
        ships: Forecast::Named(ships),
        stop_loss: Some(later),
    };
    let mut silent = Story::with_stop_loss(FTC, d(40));
    let planned = silent.send(news(d(60), d(80)), d(-5));
    assert_eq!(
        (planned.revised, planned.stop_loss, planned.consequence),
        (Some(d(60)), Some(d(80)), cancels(d(30)))
    );
    assert_eq!(silent.promise.stop_loss, d(40));
    assert_eq!(silent.refund(), (d(31), RefundCause::FirstSilent));
    let mut agreed = Story::with_stop_loss(FTC, d(40));
    agreed.send(news(d(20), d(80)), d(-5));
    assert_eq!(agreed.promise.stop_loss, d(40), "silence agrees to 20 days");
    agreed.wait(0, d(-5)).unwrap();
    assert_eq!(agreed.promise.stop_loss, d(80));
    // An earlier one is never asked for.
    let planned = agreed.planned(news(d(50), d(70)), d(0));
    assert_eq!(planned.stop_loss, None);
    assert_eq!(agreed.promise.following(&agreed.notices), agreed.promise);
}

#[test]
fn who_agreed_to_not_known_is_asked_again_only_for_a_later_stop_loss() {
    let mut story = Story::with_stop_loss(FTC, d(60));
    story.send(NOT_KNOWN, d(-5));
    story.wait(0, d(0)).unwrap();
    let news = News {
        ships: Forecast::NotKnown,
        stop_loss: Some(d(90)),
    };
    let planned = story.send(news, d(50));
    assert_eq!(
        (planned.kind, planned.consequence),
        (NoticeKind::Renewed, cancels(d(60)))
    );
    assert_eq!(story.refund(), (d(61), RefundCause::StopLoss));
    assert_eq!(story.wait(1, d(60)), Ok(Answered::OpenEnded));
    assert_eq!(story.refund(), (d(91), RefundCause::StopLoss));
}
