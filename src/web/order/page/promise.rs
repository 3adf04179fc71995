//! What a shopper was promised, the delay that waits for his answer, and what may be done about it (domain section 6).

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use super::Facts;
use crate::domain::day::day_of;
use crate::domain::promise::{
    Answer, Answered, Case, Goods, Notice, NoticeKind, NoticeState, Promise, Silence, Standing,
    day_after,
};
use crate::store::notices::{self, NoticeRow};
use crate::store::orders::{LineRow, OrderRow};
use crate::store::promises::GivenUpRow;
use crate::store::{Conn, promises};
use crate::web::tongue::nonzero_said;
use crate::web::view::{
    Badge, Day, DelayOffer, PromiseRow, PromiseTable, SilenceSaid, TermsRef, TimelineItem, Tone,
};
use crate::workflows::desk::Problem;
use crate::workflows::part::unshipped_price;

/// An order before the delay rule: what was promised, what was told, what was answered.
pub struct Consent {
    /// Its notices, first to last.
    pub rows: Vec<NoticeRow>,
    promise: Promise,
    notices: Vec<Notice>,
    goods: Goods,
    /// The seller said that the rest of the batch will not be shipped.
    given_up: Option<GivenUpRow>,
    /// What goes back if it is cancelled now, minor units.
    back: i64,
}

/// Reads it; none before the order was paid.
///
/// # Errors
/// What the database says; that the order's row is damaged.
pub fn read(
    conn: &mut Conn,
    order: &OrderRow,
    lines: &[LineRow],
    zone: chrono_tz::Tz,
) -> Result<Option<Consent>, Problem> {
    let Some(kept) = promises::of_order(conn, order.id)? else {
        return Ok(None);
    };
    let rows = notices::of_order(conn, order.id)?;
    Ok(Some(Consent {
        promise: kept.promise(),
        notices: rows.iter().map(|row| row.notice(zone)).collect(),
        goods: Goods::of(order.state),
        given_up: promises::given_up(conn, order.batch_id)?,
        back: back(order, lines)?,
        rows,
    }))
}

/// All of it, shipping included; of a partly shipped order what was paid less what the shipped part costs by itself.
fn back(order: &OrderRow, lines: &[LineRow]) -> Result<i64, Problem> {
    match Goods::of(order.state) {
        Goods::PartShipped => unshipped_price(order, lines),
        Goods::Waiting | Goods::Shipped | Goods::Cancelled => Ok(order.money().kept().max(0)),
    }
}

impl Consent {
    /// As the delay rule reads it.
    pub fn case(&self) -> Case<'_> {
        Case {
            promise: self.promise,
            notices: &self.notices,
            goods: self.goods,
        }
    }

    /// What the seller said, where the rest of the batch will not be shipped and this order still waits for its refund.
    pub fn given_up(&self) -> Option<&str> {
        let waits = matches!(self.goods, Goods::Waiting | Goods::PartShipped);
        let said = self.given_up.as_ref().filter(|_| waits);
        said.map(|row| row.reason.as_str())
    }

    /// Whether a part was handed to the carrier.
    pub fn part_shipped(&self) -> bool {
        self.goods == Goods::PartShipped
    }

    /// Whether *keep waiting* can be said to a notice, and was not.
    pub fn is_open(&self, index: usize, today: NaiveDate) -> bool {
        let is_new = matches!(
            self.case().answer(index, Answer::Wait, today),
            Ok(Answered::Until(_) | Answered::OpenEnded)
        );
        is_new && self.given_up().is_none()
    }

    /// The last notice that asked and reached the shopper, or is about to.
    pub fn last_asked(&self) -> Option<usize> {
        self.notices.iter().rposition(|n| {
            n.kind != NoticeKind::Told
                && (n.state != NoticeState::Undelivered || n.answer().is_some())
        })
    }

    /// The notice that waits for an answer: none but the last one that asked.
    fn waiting(&self, today: NaiveDate) -> Option<usize> {
        self.last_asked().filter(|at| self.is_open(*at, today))
    }

    /// The date that was said last: none in it where that was "not known".
    pub fn said_last(&self) -> Option<NaiveDate> {
        let heard = |n: &&Notice| n.state != NoticeState::Undelivered || n.waited_on.is_some();
        match self.notices.iter().rev().find(heard) {
            Some(notice) => notice.revised,
            None => Some(self.promise.due()),
        }
    }
}

impl Facts {
    /// The order before the delay rule; none before it was paid.
    pub fn consent(&self) -> Option<&Consent> {
        self.consent.as_ref()
    }

    /// The day it is, where the campaign is.
    pub fn today(&self, now: DateTime<Utc>) -> NaiveDate {
        day_of(now, self.draft.time_zone)
    }

    /// Where the order stands with its promise.
    pub fn standing(&self, now: DateTime<Utc>) -> Option<Standing> {
        let consent = self.consent()?;
        Some(consent.case().standing(self.today(now)))
    }

    /// Whether it can be cancelled because its date was moved.
    pub fn may_cancel_late(&self, now: DateTime<Utc>) -> bool {
        self.consent()
            .is_some_and(|c| self.order.state.is_paid() && c.case().may_cancel(self.today(now)))
    }

    /// What goes back if it is cancelled because of the delay.
    pub fn late_back(&self) -> Option<String> {
        nonzero_said(self.consent()?.back, &self.order.currency)
    }

    /// One of its notices as an offer to wait or to cancel.
    pub fn delay_offer(&self, index: usize, action: String) -> Option<DelayOffer> {
        let consent = self.consent()?;
        let (row, notice) = (consent.rows.get(index)?, consent.notices.get(index)?);
        let said = notice.consequence?;
        let stop_loss = consent.promise.stop_loss;
        let refund = Day(day_after(said.last_day.min(stop_loss)));
        Some(DelayOffer {
            action,
            replaces: Day(notice.replaces),
            revised: notice.revised.map(Day),
            later_last_day: notice.stop_loss.filter(|d| *d > stop_loss).map(Day),
            last_day: Day(stop_loss),
            beyond_last_day: notice.revised.is_none() && self.is_beyond(stop_loss),
            reason: row.reason.clone(),
            amount: self.late_back(),
            part_shipped: consent.part_shipped(),
            silence: match said.silence {
                Silence::Agrees => SilenceSaid::Agrees {
                    until: Day(said.last_day),
                    refund,
                },
                Silence::Cancels => SilenceSaid::Cancels {
                    last_day: Day(said.last_day),
                    refund,
                },
            },
            chosen: None,
        })
    }

    /// Whether the batch's known date lies after the last day of all, so that shoppers are told "not known".
    fn is_beyond(&self, stop_loss: NaiveDate) -> bool {
        let ships = self.batch.as_ref().and_then(|b| b.ship_date);
        ships.is_some_and(|date| date > stop_loss)
    }

    /// The delay that waits for an answer, as a form that posts to its notice's page.
    pub(super) fn open_delay(
        &self,
        now: DateTime<Utc>,
        action: impl Fn(&NoticeRow) -> String,
    ) -> Option<DelayOffer> {
        let consent = self.consent()?;
        let index = consent.waiting(self.today(now))?;
        self.delay_offer(index, action(&consent.rows[index]))
    }

    /// Every date he was told, newest first.
    pub(super) fn promise_table(
        &self,
        now: DateTime<Utc>,
        href: impl Fn(&NoticeRow) -> String,
    ) -> PromiseTable {
        let first = self
            .agreed
            .promised
            .unwrap_or(self.draft.promised_ship_date);
        let mut rows = vec![PromiseRow {
            told: self.moment(self.order.created_at),
            ships: Some(Day(first)),
            replaced: false,
            why: "When you joined".to_owned(),
            answer: None,
            href: None,
        }];
        let mut last_day = self.draft.stop_loss_date;
        if let Some(consent) = self.consent() {
            last_day = consent.promise.stop_loss;
            let today = self.today(now);
            for (index, row) in consent.rows.iter().enumerate() {
                rows.push(PromiseRow {
                    told: self.moment(row.sent_at.unwrap_or(row.prepared_at)),
                    ships: row.revised.map(Day),
                    replaced: false,
                    why: row.reason.clone(),
                    answer: self.answer_said(consent, index, today),
                    href: (row.kind != NoticeKind::Told).then(|| href(row)),
                });
            }
        }
        rows.reverse();
        // What did not arrive took nobody's place.
        let mut newer = false;
        for (at, row) in rows.iter_mut().enumerate() {
            row.replaced = newer;
            let undelivered = self.consent().is_some_and(|c| {
                let index = c.rows.len().checked_sub(at + 1);
                index.is_some_and(|i| c.rows[i].state == NoticeState::Undelivered)
            });
            newer |= !undelivered;
        }
        PromiseTable {
            rows,
            now: self.what_holds(now),
            last_day: self.still_waits().then_some(Day(last_day)),
            terms: (self.order.terms_version > 0).then(|| TermsRef {
                version: i64::from(self.order.terms_version),
                href: format!("/m/{}#terms", self.merchant.slug),
            }),
        }
    }

    fn answer_said(&self, consent: &Consent, index: usize, today: NaiveDate) -> Option<Badge> {
        let notice = consent.notices.get(index)?;
        let said = notice.consequence?;
        Some(match (notice.answer(), notice.state, said.silence) {
            (Some((Answer::Cancel, _)), ..) => Badge::new(Tone::Good, "You cancelled"),
            (Some((Answer::Wait, _)), ..) => Badge::new(Tone::Good, "You keep waiting"),
            (None, NoticeState::Undelivered, _) => Badge::new(Tone::Bad, "Not delivered"),
            _ if consent.waiting(today) == Some(index) => Badge::new(Tone::Wait, "Open"),
            (None, _, Silence::Agrees) => Badge::new(Tone::Idle, "None, so agreed"),
            (None, _, Silence::Cancels) => Badge::new(Tone::Idle, "None"),
        })
    }

    /// Whether anything of it is still to be shipped.
    fn still_waits(&self) -> bool {
        matches!(
            Goods::of(self.order.state),
            Goods::Waiting | Goods::PartShipped
        )
    }

    /// What happens if it is not shipped, and when, in a sentence.
    fn what_holds(&self, now: DateTime<Utc>) -> Option<String> {
        let back = self.late_back()?;
        if let Some(reason) = self.consent()?.given_up() {
            return Some(format!(
                "The seller will not ship what is left: {reason} {back} goes back to your card by itself."
            ));
        }
        let on = |day: NaiveDate| Day(day_after(day)).text();
        let day = |day: NaiveDate| Day(day).text();
        Some(match self.standing(now)? {
            Standing::Promised { until } => format!(
                "If it is not shipped by the end of {}, and nobody asked you to wait, {back} goes back to your card on {}.",
                day(until),
                on(until)
            ),
            Standing::Agreed { until, .. } => format!(
                "You wait until {}. If it is not shipped by the end of that day, and you do not agree to another, {back} \
                 goes back to your card on {}.",
                day(until),
                on(until)
            ),
            Standing::OpenEnded { stop_loss } => format!(
                "You wait without a date, and may cancel until it is shipped. If it is not shipped by the end of {}, {back} \
                 goes back to your card on {}.",
                day(stop_loss),
                on(stop_loss)
            ),
            Standing::Asked { until, .. } => format!(
                "Without your answer, and if it is not shipped by the end of {}, {back} goes back to your card on {}.",
                day(until),
                on(until)
            ),
            Standing::Lapsed { last_day, .. } => format!(
                "The last day was {}. {back} goes back to your card by itself.",
                day(last_day)
            ),
            Standing::Cancelled | Standing::Shipped => return None,
        })
    }

    /// When he was told of dates, for the timeline.
    pub(super) fn dates_told(&self) -> Vec<(NaiveDateTime, String)> {
        let rows = self
            .consent()
            .map(|c| c.rows.as_slice())
            .unwrap_or_default();
        let told = rows.iter().filter_map(|row| {
            let ships = match row.revised {
                Some(day) => format!("it ships by {}", Day(day).text()),
                None => "the date is not known".to_owned(),
            };
            let what = match row.kind {
                NoticeKind::Told => format!("You were told: {ships}."),
                NoticeKind::First | NoticeKind::Renewed => {
                    format!("The date moved: {ships}. You were asked whether you wait.")
                }
            };
            Some((row.sent_at?, what))
        });
        told.collect()
    }

    /// What comes of it, for the timeline: the date that holds now, and the last day of all.
    pub(super) fn promised_ahead(&self, items: &mut Vec<TimelineItem>, now: DateTime<Utc>) {
        let first = self
            .agreed
            .promised
            .unwrap_or(self.draft.promised_ship_date);
        let said = self.consent().map_or(Some(first), Consent::said_last);
        let (what, unknown) = match self.consent().is_some_and(Consent::part_shipped) {
            true => ("the rest is shipped to you", "The rest is shipped to you"),
            false => ("shipped to you", "Shipped to you"),
        };
        let given_up = self.consent().and_then(Consent::given_up);
        let lapsed = matches!(self.standing(now), Some(Standing::Lapsed { .. }));
        if let Some(reason) = given_up {
            let title = "It goes back: the seller will not ship what is left";
            items.push(TimelineItem::next(title).text(reason.to_owned()));
            return;
        }
        items.push(match said {
            _ if lapsed => TimelineItem::next("It goes back: what is not shipped is refunded")
                .text("The last day for shipping has passed. You need not ask."),
            Some(day) => TimelineItem::next(format!("By {}: {what}", Day(day).text())),
            None => TimelineItem::next(format!("{unknown}: the date is not known"))
                .text("You hear of a date as soon as there is one."),
        });
        let last = self
            .consent()
            .map_or(self.draft.stop_loss_date, |c| c.promise.stop_loss);
        if !lapsed {
            items.push(
                TimelineItem::next(format!("{}: the last day", Day(last).text()))
                    .text("What has not been shipped by then is refunded. You need not ask."),
            );
        }
    }
}
