use super::*;
use crate::domain::draft::DelayPolicy;

mod promise_mail;
mod promise_properties;
mod promise_reference;
mod promise_stop_loss;
mod promise_system;

const FTC: DelayPolicy = DelayPolicy::Ftc;
const ASK: DelayPolicy = DelayPolicy::AskAlways;

fn day(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

/// D + so many days, with D = 1 March 2027.
fn d(days: i64) -> NaiveDate {
    day("2027-03-01") + chrono::Duration::days(days)
}

fn named(date: NaiveDate) -> News {
    News {
        ships: Forecast::Named(date),
        stop_loss: None,
    }
}

const NOT_KNOWN: News = News {
    ships: Forecast::NotKnown,
    stop_loss: None,
};

/// One order, D = 1 March 2027, with all that was said about it.
struct Story {
    promise: Promise,
    notices: Vec<Notice>,
    goods: Goods,
    policy: DelayPolicy,
}

impl Story {
    fn new(policy: DelayPolicy) -> Story {
        Story::with_stop_loss(policy, d(120))
    }

    fn with_stop_loss(policy: DelayPolicy, stop_loss: NaiveDate) -> Story {
        Story {
            promise: Promise::new(d(0), stop_loss),
            notices: vec![],
            goods: Goods::Waiting,
            policy,
        }
    }

    fn case(&self) -> Case<'_> {
        Case {
            promise: self.promise,
            notices: &self.notices,
            goods: self.goods,
        }
    }

    fn plan(&self, news: News, today: NaiveDate) -> Plan {
        self.case().plan_notice(news, self.policy, today)
    }

    fn planned(&self, news: News, today: NaiveDate) -> Planned {
        match self.plan(news, today) {
            Plan::Notice(planned) => planned,
            Plan::Unneeded(why) => panic!("no notice: {why:?}"),
        }
    }

    /// Writes a notice; its mail is in flight.
    fn prepare(&mut self, planned: Planned) -> usize {
        self.notices.push(planned.prepared());
        self.notices.len() - 1
    }

    fn taken(&mut self, notice: usize, today: NaiveDate) {
        let notice = &mut self.notices[notice];
        notice.state = notice.state.after(NoticeEvent::Taken).unwrap();
        notice.sent_on = Some(today);
        self.promise = self.promise.following(&self.notices);
    }

    /// Plans what the news ask for and has the mail server take it.
    fn send(&mut self, news: News, today: NaiveDate) -> Planned {
        let planned = self.planned(news, today);
        let notice = self.prepare(planned);
        self.taken(notice, today);
        planned
    }

    fn answer(
        &mut self,
        notice: usize,
        answer: Answer,
        today: NaiveDate,
    ) -> Result<Answered, Refused> {
        let answered = self.case().answer(notice, answer, today)?;
        match answered {
            Answered::Until(_) | Answered::OpenEnded => {
                self.notices[notice].waited_on = Some(today);
            }
            Answered::Cancelled => self.notices[notice].cancelled_on = Some(today),
            Answered::Unchanged => {}
        }
        self.promise = self.promise.following(&self.notices);
        Ok(answered)
    }

    fn wait(&mut self, notice: usize, today: NaiveDate) -> Result<Answered, Refused> {
        self.answer(notice, Answer::Wait, today)
    }

    fn cancel(&mut self, notice: usize, today: NaiveDate) -> Result<Answered, Refused> {
        self.answer(notice, Answer::Cancel, today)
    }

    fn standing(&self, today: NaiveDate) -> Standing {
        self.case().standing(today)
    }

    /// The day of the refund that nobody asks for, and why.
    fn refund(&self) -> (NaiveDate, RefundCause) {
        let refund_day = self.promise.refund_day();
        let before = self.standing(refund_day.pred_opt().unwrap());
        assert!(!matches!(before, Standing::Lapsed { .. }), "{before:?}");
        match self.standing(refund_day) {
            Standing::Lapsed { cause, .. } => (refund_day, cause),
            other => panic!("not refunded: {other:?}"),
        }
    }
}

fn agrees(last_day: NaiveDate) -> Option<Consequence> {
    Some(Consequence {
        silence: Silence::Agrees,
        last_day,
    })
}

fn cancels(last_day: NaiveDate) -> Option<Consequence> {
    Some(Consequence {
        silence: Silence::Cancels,
        last_day,
    })
}

// The worked example of section 6: D = 1 March.

#[test]
fn worked_example_a_first_notice_of_24_days_and_a_renewed_one() {
    let mut story = Story::new(FTC);
    let first = story.send(named(day("2027-03-25")), day("2027-02-20"));
    assert_eq!(
        (first.kind, first.consequence),
        (NoticeKind::First, agrees(day("2027-03-25")))
    );
    assert_eq!(story.promise.agreed_date, Some(day("2027-03-25")));
    let renewed = story.send(named(day("2027-04-10")), day("2027-03-20"));
    assert_eq!(
        (renewed.kind, renewed.replaces, renewed.consequence),
        (
            NoticeKind::Renewed,
            day("2027-03-25"),
            cancels(day("2027-03-25"))
        )
    );
    let refunded = renewed.consequence.unwrap().refund_day();
    assert_eq!(refunded, Some(day("2027-03-26")));
    assert_eq!(
        story.refund(),
        (day("2027-03-26"), RefundCause::RenewedSilent)
    );
}

#[test]
fn worked_example_a_first_notice_of_45_days_is_refunded_on_1_april() {
    let mut story = Story::new(FTC);
    let first = story.send(named(day("2027-04-15")), day("2027-02-20"));
    assert_eq!(
        (first.kind, first.consequence),
        (NoticeKind::First, cancels(day("2027-03-31")))
    );
    assert_eq!(
        story.refund(),
        (day("2027-04-01"), RefundCause::FirstSilent)
    );
}

#[test]
fn worked_example_without_a_notice_the_system_sends_its_own_on_24_february() {
    let story = Story::new(FTC);
    let batch = Batch {
        ships: Forecast::NotKnown,
        fully_received: false,
    };
    let due = |today| {
        story
            .case()
            .due_for_system_notice(batch, FTC, day(today))
            .map(|planned| (planned.kind, planned.revised, planned.consequence))
    };
    assert_eq!(due("2027-02-23"), None);
    let unknown = Some((NoticeKind::First, None, cancels(day("2027-03-31"))));
    assert_eq!(due("2027-02-24"), unknown);
}

// The table, row by row, for both policies.

#[test]
fn no_notice_by_the_end_of_d_is_refunded_the_day_after() {
    for policy in [FTC, ASK] {
        let story = Story::new(policy);
        assert_eq!(story.standing(d(0)), Standing::Promised { until: d(0) });
        assert_eq!(story.refund(), (d(1), RefundCause::NoNotice));
    }
}

#[test]
fn what_silence_does_on_a_first_notice() {
    let unknown = NOT_KNOWN;
    for (policy, news, says, refunded, cause) in [
        (FTC, named(d(1)), agrees(d(1)), 2, RefundCause::AgreedPassed),
        (
            FTC,
            named(d(30)),
            agrees(d(30)),
            31,
            RefundCause::AgreedPassed,
        ),
        (
            FTC,
            named(d(31)),
            cancels(d(30)),
            31,
            RefundCause::FirstSilent,
        ),
        (FTC, unknown, cancels(d(30)), 31, RefundCause::FirstSilent),
        (ASK, named(d(1)), cancels(d(0)), 1, RefundCause::FirstSilent),
        (
            ASK,
            named(d(30)),
            cancels(d(0)),
            1,
            RefundCause::FirstSilent,
        ),
        (
            ASK,
            named(d(31)),
            cancels(d(0)),
            1,
            RefundCause::FirstSilent,
        ),
        (ASK, unknown, cancels(d(0)), 1, RefundCause::FirstSilent),
    ] {
        for sent in [-40, -1, 0] {
            let mut story = Story::new(policy);
            let planned = story.send(news, d(sent));
            assert_eq!(planned.kind, NoticeKind::First);
            assert_eq!(planned.consequence, says, "{policy} {news:?}");
            assert_eq!(story.refund(), (d(refunded), cause), "{policy} {news:?}");
        }
    }
}

#[test]
fn what_silence_does_on_a_renewed_notice() {
    for (policy, news) in [
        (FTC, named(d(21))),
        (FTC, named(d(60))),
        (FTC, NOT_KNOWN),
        (ASK, named(d(21))),
        (ASK, named(d(60))),
        (ASK, NOT_KNOWN),
    ] {
        // Also before D: once agreed, later notices are renewed ones.
        for sent in [-5, 10, 20] {
            let mut story = Story::new(policy);
            story.send(named(d(20)), d(-10));
            story.wait(0, d(-9)).unwrap();
            let planned = story.send(news, d(sent));
            assert_eq!(planned.kind, NoticeKind::Renewed);
            assert_eq!(planned.consequence, cancels(d(20)));
            assert_eq!(story.refund(), (d(21), RefundCause::RenewedSilent));
        }
    }
}

#[test]
fn who_keeps_waiting_has_agreed_to_the_revised_date() {
    for policy in [FTC, ASK] {
        for days in [1, 30, 31, 60] {
            let mut story = Story::new(policy);
            story.send(named(d(days)), d(-5));
            assert_eq!(story.wait(0, d(0)), Ok(Answered::Until(d(days))));
            assert_eq!(
                story.standing(d(days)),
                Standing::Agreed {
                    until: d(days),
                    consent: Consent::Answer
                }
            );
            assert_eq!(story.refund(), (d(days + 1), RefundCause::AgreedPassed));
        }
    }
}

#[test]
fn each_cause_of_a_refund_names_its_rule_and_only_what_is_asked_for_goes_at_once() {
    let sources: Vec<_> = RefundCause::ALL.iter().map(|c| c.source()).collect();
    assert!(sources.iter().all(|source| !source.is_empty()));
    let at_once: Vec<_> = RefundCause::ALL.iter().filter(|c| c.is_at_once()).collect();
    assert_eq!(
        at_once,
        [&RefundCause::Cancelled, &RefundCause::WillNotShip]
    );
}

// The list below the table.

#[test]
fn further_notices_after_a_first_whose_silence_cancels_offer_again_and_never_move_d_plus_30() {
    let mut story = Story::new(FTC);
    story.send(NOT_KNOWN, d(-20));
    for (news, sent) in [
        (named(d(45)), -10),
        (named(d(12)), 0),
        (named(d(50)), 5),
        (NOT_KNOWN, 30),
    ] {
        let planned = story.send(news, d(sent));
        assert_eq!(
            (planned.kind, planned.replaces, planned.consequence),
            (NoticeKind::Renewed, d(0), cancels(d(30)))
        );
        assert_eq!(story.refund(), (d(31), RefundCause::FirstSilent));
    }
    assert_eq!(story.wait(3, d(30)), Ok(Answered::Until(d(50))));
    assert_eq!(story.promise.cancels_after, Some(d(50)));
}

#[test]
fn who_agreed_to_not_known_needs_no_further_notice_is_told_dates_and_may_cancel() {
    let mut story = Story::new(FTC);
    story.send(NOT_KNOWN, d(-5));
    assert_eq!(story.wait(0, d(2)), Ok(Answered::OpenEnded));
    assert_eq!(
        (story.promise.open_ended, story.promise.cancels_after),
        (true, None)
    );
    assert_eq!(
        story.plan(NOT_KNOWN, d(3)),
        Plan::Unneeded(Unneeded::AgreedToNotKnown)
    );
    let told = story.send(named(d(60)), d(40));
    assert_eq!((told.kind, told.consequence), (NoticeKind::Told, None));
    assert_eq!(
        story.plan(named(d(60)), d(41)),
        Plan::Unneeded(Unneeded::AlreadySaid)
    );
    // A date that no longer holds is taken back.
    assert_eq!(story.send(NOT_KNOWN, d(50)).kind, NoticeKind::Told);
    let stop_loss = d(120);
    assert_eq!(story.standing(d(110)), Standing::OpenEnded { stop_loss });
    assert_eq!(story.refund(), (d(121), RefundCause::StopLoss));
    assert_eq!(story.wait(1, d(110)), Err(Refused::OnlyTold));
    assert_eq!(story.cancel(1, d(110)), Ok(Answered::Cancelled));
    assert_eq!(story.standing(d(110)), Standing::Cancelled);
}

#[test]
fn an_earlier_date_is_only_told_and_takes_nothing_away() {
    for policy in [FTC, ASK] {
        let mut story = Story::new(policy);
        let before = story.promise;
        for date in [d(-8), d(-3), d(0)] {
            let told = story.send(named(date), d(-10));
            assert_eq!((told.kind, told.consequence), (NoticeKind::Told, None));
            assert_eq!(story.promise, before);
            assert_eq!(story.cancel(0, d(-9)), Err(Refused::OnlyTold));
        }
        story.send(named(d(20)), d(-7));
        story.wait(3, d(-6)).unwrap();
        let agreed = story.promise;
        assert_eq!(story.send(named(d(10)), d(-5)).kind, NoticeKind::Told);
        assert_eq!(story.promise, agreed);
        assert_eq!(story.cancel(3, d(15)), Ok(Answered::Cancelled));
    }
}

#[test]
fn the_date_that_was_promised_is_no_news_and_neither_is_the_same_twice() {
    let mut story = Story::new(FTC);
    let already = Plan::Unneeded(Unneeded::AlreadySaid);
    assert_eq!(story.plan(named(d(0)), d(-20)), already);
    story.send(named(d(40)), d(-20));
    assert_eq!(story.plan(named(d(40)), d(-19)), already);
    // Back to the promise: that is told, as something else was said since.
    assert_eq!(story.send(named(d(0)), d(-18)).kind, NoticeKind::Told);
    assert_eq!(story.plan(named(d(0)), d(-17)), already);
}

#[test]
fn the_first_answer_stands_except_that_cancel_may_follow_wait() {
    let mut story = Story::new(FTC);
    story.send(named(d(40)), d(-5));
    story.wait(0, d(-4)).unwrap();
    assert_eq!(story.wait(0, d(-3)), Ok(Answered::Unchanged));
    assert_eq!(story.notices[0].answer(), Some((Answer::Wait, d(-4))));
    assert_eq!(story.cancel(0, d(39)), Ok(Answered::Cancelled));
    assert_eq!(story.notices[0].answer(), Some((Answer::Cancel, d(39))));
    assert_eq!(story.cancel(0, d(40)), Ok(Answered::Unchanged));
    assert_eq!(story.wait(0, d(40)), Err(Refused::Cancelled));
    assert_eq!(
        story.plan(NOT_KNOWN, d(40)),
        Plan::Unneeded(Unneeded::Cancelled)
    );
}

#[test]
fn nothing_is_answered_after_shipping_or_after_a_refund() {
    let mut story = Story::new(FTC);
    story.send(named(d(40)), d(-5));
    for (goods, refused, standing) in [
        (Goods::Shipped, Refused::Shipped, Standing::Shipped),
        (Goods::Cancelled, Refused::Cancelled, Standing::Cancelled),
    ] {
        story.goods = goods;
        assert_eq!(story.cancel(0, d(1)), Err(refused));
        assert_eq!(story.wait(0, d(1)), Err(refused));
        assert_eq!(story.standing(d(200)), standing);
        assert!(!story.case().may_cancel(d(200)));
        assert!(matches!(story.plan(NOT_KNOWN, d(1)), Plan::Unneeded(_)));
    }
    story.goods = Goods::PartShipped;
    assert_eq!(story.cancel(0, d(1)), Ok(Answered::Cancelled));
    assert_eq!(story.wait(9, d(1)), Err(Refused::NoNotice));
}

#[test]
fn waiting_ends_with_the_last_day_and_cancelling_does_not() {
    let mut story = Story::new(FTC);
    story.send(NOT_KNOWN, d(0));
    let late = Refused::TooLate { last_day: d(30) };
    assert_eq!(story.wait(0, d(31)), Err(late));
    assert_eq!(
        story.case().answer(0, Answer::Cancel, d(31)),
        Ok(Answered::Cancelled)
    );
    assert_eq!(story.wait(0, d(30)), Ok(Answered::OpenEnded));
}

#[test]
fn nobody_agrees_to_a_date_that_is_past() {
    let mut story = Story::new(FTC);
    story.send(NOT_KNOWN, d(-5));
    story.send(named(d(10)), d(1));
    let past = Refused::DatePassed { date: d(10) };
    assert_eq!(story.wait(1, d(11)), Err(past));
    assert_eq!(story.wait(1, d(10)), Ok(Answered::Until(d(10))));
}

#[test]
fn an_answer_to_an_older_notice_agrees_to_the_date_which_that_one_named() {
    let mut story = Story::new(FTC);
    story.send(named(d(45)), d(-10));
    story.send(named(d(50)), d(-5));
    assert_eq!(story.wait(0, d(3)), Ok(Answered::Until(d(45))));
    // The later notice was an offer past D, not past what is agreed now: that date wants one of its own.
    assert!(matches!(story.standing(d(40)), Standing::Agreed { until, .. } if until == d(45)));
    assert_eq!(story.wait(1, d(40)), Ok(Answered::Until(d(50))));
}

#[test]
fn a_date_that_is_past_or_only_derived_counts_as_not_known() {
    let story = Story::new(FTC);
    for ships in [Forecast::Named(d(-6)), Forecast::LeadTime(d(10))] {
        let news = News {
            ships,
            stop_loss: None,
        };
        let planned = story.planned(news, d(-5));
        assert_eq!((planned.revised, planned.beyond_stop_loss), (None, false));
    }
    assert_eq!(Forecast::Named(d(3)).known(d(3)), Some(d(3)));
}
