//! Every combination of dates, answers and shipments, lived through day by day beside the plain reference.

use std::collections::BTreeSet;

use super::promise_reference::{Offer, Reference};
use super::*;
use proptest::prelude::*;

/// What somebody does on a day.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// Staff or the supplier set the ship date; none: not known. Perhaps with a later stop-loss date.
    Sets(Option<i64>, Option<i64>),
    /// The shopper answers one of his notices, counted from the latest.
    Answers(usize, Answer),
    /// A part, or all, is handed to the carrier.
    Ships { all: bool },
    /// Everything has arrived.
    Received,
}

/// One order's life, in the rule and in the reference.
struct Life {
    story: Story,
    reference: Reference,
    ships: Forecast,
    received: bool,
    /// Why it was refunded without being asked, if it was.
    refunded: Option<RefundCause>,
    /// Whether the mail server takes the next mail, in turns.
    mail: Vec<bool>,
}

fn number(date: NaiveDate) -> i64 {
    (date - d(0)).num_days()
}

impl Life {
    fn new(policy: DelayPolicy, stop_loss: i64, mail: Vec<bool>) -> Life {
        Life {
            story: Story::with_stop_loss(policy, d(stop_loss)),
            reference: Reference {
                policy,
                first_stop_loss: stop_loss,
                offers: vec![],
            },
            ships: Forecast::LeadTime(d(-3)),
            received: false,
            refunded: None,
            mail,
        }
    }

    fn is_open(&self) -> bool {
        matches!(self.story.goods, Goods::Waiting | Goods::PartShipped)
    }

    /// Sends what was planned, once it agrees with the table.
    fn deliver(&mut self, planned: Planned, today: i64) {
        let before = self.story.promise;
        let revised = planned.revised.map(number);
        if let Some(says) = planned.consequence {
            let (kind, silence, last_day) = self.reference.table(revised);
            assert_eq!(
                (planned.kind, says.silence, says.last_day),
                (kind, silence, d(last_day))
            );
            assert_eq!(planned.replaces, d(self.reference.due()));
        } else {
            assert_eq!(planned.kind, NoticeKind::Told);
        }
        let notice = self.story.prepare(planned);
        let taken = self.mail[notice % self.mail.len()];
        if taken {
            self.story.taken(notice, d(today));
        } else {
            self.story.notices[notice].state = NoticeState::Undelivered;
        }
        if taken && planned.kind != NoticeKind::Told {
            self.reference.offers.push(Offer {
                notice,
                date: revised,
                stop_loss: planned.stop_loss.map(number),
                replaces: number(planned.replaces),
                waited: false,
            });
        } else {
            assert_eq!(
                self.story.promise, before,
                "neither telling nor failing moves anything"
            );
        }
    }

    fn sets(&mut self, date: Option<i64>, stop_loss: Option<i64>, today: i64) {
        self.ships = date.map_or(Forecast::NotKnown, |x| Forecast::Named(d(x)));
        let news = News {
            ships: self.ships,
            stop_loss: stop_loss.map(d),
        };
        let limit = self.reference.stop_loss().max(stop_loss.unwrap_or(0));
        let known = date.filter(|x| *x >= today && *x <= limit);
        let open = self.reference.agreed_to_not_known();
        let moves = stop_loss.is_some_and(|later| later > self.reference.stop_loss());
        let earlier = known.is_some_and(|x| x <= self.reference.due());
        match self.story.plan(news, d(today)) {
            Plan::Notice(planned) => {
                assert_eq!(planned.revised, known.map(d));
                let only_told = if open { !moves } else { earlier };
                assert_eq!(planned.kind == NoticeKind::Told, only_told);
                self.deliver(planned, today);
            }
            Plan::Unneeded(Unneeded::AgreedToNotKnown) => assert!(open && known.is_none()),
            Plan::Unneeded(Unneeded::AlreadySaid) => {
                let heard = |n: &&Notice| n.state == NoticeState::Sent;
                let last = self.story.notices.iter().rev().find(heard);
                let said = last.map_or(Some(d(0)), |n| n.revised);
                assert_eq!(said, known.map(d));
            }
            Plan::Unneeded(other) => panic!("{other:?}"),
        }
    }

    fn answers(&mut self, back: usize, answer: Answer, today: i64) {
        let count = self.story.notices.len();
        let Some(notice) = count.checked_sub(1 + back % count.max(1)) else {
            return;
        };
        let is_known = self.story.notices[notice].state == NoticeState::Sent;
        if !is_known {
            return;
        }
        let answered = self.story.answer(notice, answer, d(today));
        let mut offers = self.reference.offers.iter_mut();
        match (offers.find(|o| o.notice == notice), answer) {
            (Some(_), Answer::Cancel) => {
                assert_eq!(answered, Ok(Answered::Cancelled), "cancelling always wins");
                self.story.goods = Goods::Cancelled;
            }
            (None, Answer::Cancel) => match answered {
                Ok(Answered::Cancelled) => self.story.goods = Goods::Cancelled,
                other => {
                    assert_eq!(other, Err(Refused::OnlyTold));
                    assert!(self.reference.offers.is_empty());
                }
            },
            (None, Answer::Wait) => assert_eq!(answered, Err(Refused::OnlyTold)),
            (Some(offer), Answer::Wait) if offer.waited => {
                assert_eq!(answered, Ok(Answered::Unchanged));
            }
            (Some(offer), Answer::Wait) => match offer.date {
                Some(x) if today > x => {
                    assert_eq!(answered, Err(Refused::DatePassed { date: d(x) }));
                }
                _ => {
                    offer.waited = true;
                    assert!(answered.is_ok());
                }
            },
        }
    }

    /// The morning's refund, the day's acts, the system's notice; then both must agree.
    fn live(&mut self, today: i64, acts: &[Act]) {
        if self.is_open() {
            let is_over = today > self.reference.last_day();
            let standing = self.story.standing(d(today));
            let lapsed = matches!(standing, Standing::Lapsed { .. });
            assert_eq!(lapsed, is_over, "day {today}");
            assert_eq!(self.story.promise.has_lapsed(d(today)), is_over);
            if let Standing::Lapsed { cause, .. } = standing {
                self.refunded = Some(cause);
                self.story.goods = Goods::Cancelled;
            }
        }
        for act in acts {
            match *act {
                _ if !self.is_open() => {}
                Act::Sets(date, stop_loss) => self.sets(date, stop_loss, today),
                Act::Answers(back, answer) => self.answers(back, answer, today),
                Act::Ships { all: true } => self.story.goods = Goods::Shipped,
                Act::Ships { all: false } => self.story.goods = Goods::PartShipped,
                Act::Received => self.received = true,
            }
        }
        self.system(today);
        self.check(today);
    }

    fn system(&mut self, today: i64) {
        let batch = Batch {
            ships: self.ships,
            fully_received: self.received,
        };
        let due = self.reference.due();
        let later = match self.ships {
            Forecast::Named(date) => number(date) > due,
            Forecast::NotKnown => true,
            Forecast::LeadTime(_) => false,
        };
        let ahead = if later || !self.received { 5 } else { 1 };
        let wanted = self.is_open()
            && !self.reference.agreed_to_not_known()
            && !self.reference.is_covered()
            && (due - ahead..=due).contains(&today);
        let policy = self.story.policy;
        let planned = self
            .story
            .case()
            .due_for_system_notice(batch, policy, d(today));
        assert_eq!(planned.is_some(), wanted, "day {today}");
        if let Some(planned) = planned {
            let revised = planned.revised.map(number);
            assert!(revised.is_none_or(|x| x > due && x >= today));
            assert_ne!(planned.kind, NoticeKind::Told);
            self.deliver(planned, today);
        }
    }

    fn check(&self, today: i64) {
        let promise = self.story.promise;
        let open = self.reference.agreed_to_not_known();
        assert_eq!(promise.open_ended, open);
        assert_eq!(promise.due(), d(self.reference.due()));
        assert_eq!(promise.stop_loss, d(self.reference.stop_loss()));
        assert_eq!(promise.last_day(), d(self.reference.last_day()));
        assert_eq!(promise.following(&self.story.notices), promise);
        assert_eq!(promise.cancels_after.is_none(), open);
        if !self.reference.offers.iter().any(|offer| offer.waited) {
            assert!(promise.last_day() <= d(30), "silence never moves D + 30");
        }
        if self.is_open() && today == self.reference.due() && !open {
            let told_in_time = self.reference.is_covered();
            let refunded_tomorrow = promise.refund_day() == d(today + 1);
            assert!(
                told_in_time || refunded_tomorrow,
                "no promise passes in silence"
            );
            if self.mail.iter().all(|taken| *taken) {
                assert!(told_in_time, "and with a mail server each has its notice");
            }
        }
    }

    /// Lives from long before D until long after the last stop-loss date.
    fn through(mut self, acts: &[(i64, Act)]) -> Life {
        for today in -30..=160 {
            let of_today: Vec<Act> = acts
                .iter()
                .filter(|(day, _)| *day == today)
                .map(|(_, act)| *act)
                .collect();
            self.live(today, &of_today);
            if !self.is_open() {
                break;
            }
        }
        assert!(!self.is_open(), "at the latest the stop-loss ends it");
        if self.story.goods == Goods::Shipped {
            assert_eq!(self.refunded, None, "nothing that was shipped is refunded");
        }
        self
    }
}

fn date() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![
        2 => Just(None),
        4 => prop::sample::select(vec![-1, 0, 1, 5, 6, 29, 30, 31, 32, 60]).prop_map(Some),
        4 => (-25i64..110).prop_map(Some),
    ]
}

fn act() -> impl Strategy<Value = Act> {
    let later = prop_oneof![5 => Just(None), 1 => (20i64..150).prop_map(Some)];
    let said = prop_oneof![3 => Just(Answer::Wait), 1 => Just(Answer::Cancel)];
    prop_oneof![
        5 => (date(), later).prop_map(|(date, later)| Act::Sets(date, later)),
        6 => (0usize..3, said).prop_map(|(back, answer)| Act::Answers(back, answer)),
        1 => any::<bool>().prop_map(|all| Act::Ships { all }),
        1 => Just(Act::Received),
    ]
}

fn policy() -> impl Strategy<Value = DelayPolicy> {
    prop::sample::select(DelayPolicy::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn a_life_goes_as_the_plain_reading_of_the_rule_says(
        policy in policy(),
        stop_loss in prop_oneof![Just(1i64), Just(30), Just(31), 1i64..100],
        mail in prop_oneof![
            2 => Just(vec![true]),
            1 => prop::collection::vec(any::<bool>(), 1..6),
        ],
        acts in prop::collection::vec((-30i64..120, act()), 0..14),
    ) {
        Life::new(policy, stop_loss, mail).through(&acts);
    }

    #[test]
    fn mails_in_flight_never_give_or_take_more_than_those_taken(
        policy in policy(),
        written in prop::collection::vec((-12i64..3, date(), prop::option::of(0i64..12)), 0..6),
    ) {
        let mut story = Story::with_stop_loss(policy, d(90));
        let mut on_its_way: Vec<(i64, usize)> = vec![];
        for today in -12..60 {
            for (_, date, delay) in written.iter().filter(|w| w.0 == today) {
                let before = story.promise;
                let news = News {
                    ships: date.map_or(Forecast::NotKnown, |x| Forecast::Named(d(x))),
                    stop_loss: None,
                };
                let Plan::Notice(planned) = story.plan(news, d(today)) else { continue };
                let notice = story.prepare(planned);
                prop_assert_eq!(story.promise.following(&story.notices), before);
                on_its_way.extend(delay.map(|days| (today + days, notice)));
            }
            for (_, notice) in on_its_way.iter().filter(|(day, _)| *day == today) {
                story.taken(*notice, d(today));
            }
        }
        let in_time = |n: &Notice| {
            n.kind != NoticeKind::Told && n.sent_on.is_some_and(|day| day <= d(0))
        };
        let (refund_day, cause) = story.refund();
        if story.notices.iter().any(in_time) {
            prop_assert!(cause != RefundCause::NoNotice);
            prop_assert!(refund_day <= d(31), "silence never moves D + 30");
        } else {
            prop_assert_eq!((refund_day, cause), (d(1), RefundCause::NoNotice));
        }
    }
}

#[test]
fn two_notices_two_answers_and_a_shipment_in_every_combination() {
    let dates = [None, Some(0), Some(10), Some(30), Some(31), Some(50)];
    let answers = [None, Some(Answer::Wait), Some(Answer::Cancel)];
    let mut ends = BTreeSet::new();
    for policy in [FTC, ASK] {
        for (first, second) in pairs(&dates) {
            for (sent, again) in [(-20, -10), (-7, 0), (-2, 8), (0, 28)] {
                for (answer, other) in pairs(&answers) {
                    for shipped in [None, Some(12), Some(31)] {
                        let mut acts = vec![
                            (sent, Act::Sets(first, None)),
                            (again, Act::Sets(second, None)),
                        ];
                        acts.extend(answer.map(|a| (sent + 1, Act::Answers(0, a))));
                        acts.extend(other.map(|a| (again + 2, Act::Answers(0, a))));
                        acts.extend(shipped.map(|day| (day, Act::Ships { all: true })));
                        let life = Life::new(policy, 45, vec![true]).through(&acts);
                        ends.extend(life.refunded);
                    }
                }
            }
        }
    }
    // With the system's own notices and a mail server nobody is refunded for want of a notice.
    let silent = [
        RefundCause::FirstSilent,
        RefundCause::RenewedSilent,
        RefundCause::StopLoss,
    ];
    assert_eq!(ends, BTreeSet::from(silent));
}

fn pairs<T: Copy>(of: &[T]) -> impl Iterator<Item = (T, T)> {
    of.iter().flat_map(|a| of.iter().map(|b| (*a, *b)))
}
