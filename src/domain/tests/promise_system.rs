//! The system's own notice and the warnings to staff.

use super::*;

fn batch(ships: Forecast, fully_received: bool) -> Batch {
    Batch {
        ships,
        fully_received,
    }
}

/// The first day in a long time on which the system sends a notice, and the date it names.
fn first_due(story: &Story, batch: Batch) -> Option<(NaiveDate, Option<NaiveDate>)> {
    (-60..200).map(d).find_map(|today| {
        story
            .case()
            .due_for_system_notice(batch, story.policy, today)
            .map(|planned| (today, planned.revised))
    })
}

#[test]
fn five_days_before_d_where_not_all_is_received_or_the_date_is_later_or_not_known() {
    let story = Story::new(FTC);
    for (ships, fully_received, due) in [
        (Forecast::NotKnown, false, Some((d(-5), None))),
        (Forecast::LeadTime(d(9)), false, Some((d(-5), None))),
        (Forecast::Named(d(9)), false, Some((d(-5), Some(d(9))))),
        // A revised date must lie after the date it replaces.
        (Forecast::Named(d(0)), false, Some((d(-5), None))),
        (Forecast::Named(d(-9)), false, Some((d(-5), None))),
        (Forecast::Named(d(9)), true, Some((d(-5), Some(d(9))))),
        (Forecast::NotKnown, true, Some((d(-5), None))),
        // Received in time: only the day before, if it is still unshipped.
        (Forecast::Named(d(0)), true, Some((d(-1), None))),
        (Forecast::Named(d(-9)), true, Some((d(-1), None))),
        (Forecast::LeadTime(d(9)), true, Some((d(-1), None))),
    ] {
        let found = first_due(&story, batch(ships, fully_received));
        assert_eq!(found, due, "{ships:?} {fully_received}");
    }
}

#[test]
fn before_each_agreed_date_too_and_never_twice_for_one_date() {
    let late = batch(Forecast::NotKnown, false);
    for policy in [FTC, ASK] {
        let mut story = Story::new(policy);
        story.send(named(d(40)), d(-20));
        assert_eq!(first_due(&story, late), None, "D is covered");
        story.wait(0, d(-19)).unwrap();
        assert_eq!(first_due(&story, late), Some((d(35), None)));
        let planned = story
            .case()
            .due_for_system_notice(late, policy, d(35))
            .unwrap();
        assert_eq!(
            (planned.kind, planned.consequence),
            (NoticeKind::Renewed, cancels(d(40)))
        );
        story.prepare(planned);
        assert_eq!(first_due(&story, late), None, "in flight");
        story.taken(1, d(36));
        assert_eq!(first_due(&story, late), None);
        assert_eq!(story.wait(1, d(40)), Ok(Answered::OpenEnded));
        assert_eq!(first_due(&story, late), None, "nothing is left to cover");
    }
}

#[test]
fn a_date_that_silence_agreed_to_is_covered_by_a_notice_of_its_own() {
    let mut story = Story::new(FTC);
    story.send(named(d(20)), d(-20));
    let late = batch(Forecast::Named(d(25)), false);
    assert_eq!(first_due(&story, late), Some((d(15), Some(d(25)))));
}

#[test]
fn a_notice_that_only_tells_covers_nothing() {
    let mut story = Story::new(FTC);
    story.send(named(d(-3)), d(-20));
    let late = batch(Forecast::Named(d(9)), false);
    assert_eq!(first_due(&story, late), Some((d(-5), Some(d(9)))));
}

#[test]
fn after_a_downtime_it_is_sent_until_the_date_itself_and_not_after() {
    let story = Story::new(FTC);
    let late = batch(Forecast::NotKnown, false);
    let due = |days| {
        let case = story.case();
        case.due_for_system_notice(late, FTC, d(days)).is_some()
    };
    assert_eq!(
        [-6, -5, -2, 0, 1].map(due),
        [false, true, true, true, false]
    );
}

#[test]
fn shipped_and_cancelled_orders_get_none() {
    let mut story = Story::new(FTC);
    let late = batch(Forecast::NotKnown, false);
    for goods in [Goods::Shipped, Goods::Cancelled] {
        story.goods = goods;
        assert_eq!(first_due(&story, late), None);
    }
    story.goods = Goods::PartShipped;
    assert_eq!(first_due(&story, late), Some((d(-5), None)));
}

#[test]
fn a_known_date_after_the_stop_loss_is_said_not_to_be_known() {
    let story = Story::with_stop_loss(FTC, d(8));
    let late = batch(Forecast::Named(d(9)), false);
    let planned = story
        .case()
        .due_for_system_notice(late, FTC, d(-5))
        .unwrap();
    assert_eq!((planned.revised, planned.beyond_stop_loss), (None, true));
    assert_eq!(planned.consequence, cancels(d(8)));
}

#[test]
fn staff_are_warned_14_7_and_3_days_before_d_and_14_7_and_1_before_the_stop_loss() {
    let at = |days: &[i64], left: i64| warning_due(d(0), days, d(-left));
    for (left, promise, stop_loss) in [
        (15, None, None),
        (14, Some(14), Some(14)),
        (8, Some(14), Some(14)),
        (7, Some(7), Some(7)),
        (3, Some(3), Some(7)),
        (1, Some(3), Some(1)),
        (0, Some(3), Some(1)),
        (-1, None, None),
    ] {
        assert_eq!(at(PROMISE_WARNINGS, left), promise, "{left}");
        assert_eq!(at(STOP_LOSS_WARNINGS, left), stop_loss, "{left}");
    }
}

#[test]
fn the_calendar_s_end_is_no_overflow() {
    let promise = Promise::new(NaiveDate::MAX, NaiveDate::MAX);
    assert_eq!(promise.refund_day(), NaiveDate::MAX);
    let case = Case {
        promise: Promise::new(NaiveDate::MIN, NaiveDate::MAX),
        notices: &[],
        goods: Goods::Waiting,
    };
    let late = batch(Forecast::NotKnown, false);
    assert!(
        case.due_for_system_notice(late, FTC, NaiveDate::MIN)
            .is_some()
    );
}
