//! What is still to be paid of an order, and by which card (domain sections 2 and 4).

use chrono::{DateTime, Duration, Utc};

use super::Facts;
use crate::domain::campaign::CampaignState;
use crate::domain::card::Decline;
use crate::domain::draft::PaymentMode;
use crate::domain::due::{DueState, REMINDED_ON, balance_when};
use crate::domain::order::OrderState;
use crate::domain::payment::{AttemptState, PaymentKind};
use crate::store::Conn;
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::dues::{self, CardRow, DueRow};
use crate::store::orders::OrderRow;
use crate::web::shop::threshold_words;
use crate::web::view::{DuePart, Moment, MoneyRow, TimelineItem, Tone};
use crate::workflows::collect::{at_the_end, goods_are_there, may_buy};
use crate::workflows::desk::{Problem, ends_at};
use crate::workflows::judgement::{is_missing, missing_now};
use crate::workflows::letters::AtTheEnd;
use crate::workflows::money::nonzero_said;

/// What was read of it.
pub(super) struct Owes {
    due: Option<DueRow>,
    card: Option<CardRow>,
    /// What is missing after the cards were charged, while the seller may buy it.
    missing: Option<String>,
}

/// Reads it.
///
/// # Errors
/// What the database says.
pub(super) fn read(
    conn: &mut Conn,
    order: &OrderRow,
    campaign: &CampaignRow,
    batch: Option<&BatchRow>,
) -> Result<Owes, Problem> {
    let short = batch.filter(|b| {
        b.short_until.is_some()
            && b.collected_at.is_none()
            && campaign.state == CampaignState::Collecting
    });
    let missing = match short {
        Some(batch) => Some(missing_now(conn, campaign, batch)?),
        None => None,
    };
    if order.mode == PaymentMode::ChargeNow {
        return Ok(Owes {
            due: None,
            card: None,
            missing,
        });
    }
    Ok(Owes {
        due: dues::of_order(conn, order.id)?,
        card: dues::card_of(conn, order.id)?,
        missing,
    })
}

impl Facts {
    /// The card that is charged, as its holder knows it.
    fn card_words(&self) -> String {
        let card = self.owes.card.as_ref();
        card.map_or_else(|| "your card".to_owned(), CardRow::said)
    }

    /// What is to be paid, was refused, or is missing: stands first on the page. None where nothing is owed.
    pub(super) fn due_part(
        &self,
        below: &dyn Fn(&str) -> String,
        now: DateTime<Utc>,
    ) -> Option<DuePart> {
        if !self.order.state.is_paid() {
            return None;
        }
        if self.order.owed <= 0 {
            return self.short_part(now);
        }
        let mut part = DuePart {
            tone: Tone::Live,
            icon: "card",
            title: String::new(),
            lines: Vec::new(),
            pay: None,
            card: self.may_save_a_card().then(|| below("/card")),
        };
        let due = self.owes.due.as_ref().filter(|due| due.state.is_open());
        let pay = || {
            let words = format!("Pay {} now", self.say(self.order.owed));
            Some((below("/pay"), words))
        };
        match due.map(|due| (due, due.state)) {
            Some((due, DueState::Declined)) => {
                self.declined(due, &mut part);
                if !self.is_confirming() {
                    part.pay = pay();
                }
            }
            Some((due, DueState::Announced)) => {
                self.announced(due, &mut part);
                part.pay = pay();
            }
            Some(_) => {
                part.tone = Tone::Wait;
                part.title = "Your card is being charged".to_owned();
                part.lines = vec![format!(
                    "{} is charged to {}. A mail tells you when it is done, and what to do if your bank says no.",
                    self.say(self.order.owed),
                    self.card_words()
                )];
                part.card = None;
            }
            None => self.saved(&mut part),
        }
        Some(part)
    }

    /// Whether another card may be saved now.
    fn may_save_a_card(&self) -> bool {
        let waits = matches!(
            self.order.state,
            OrderState::Confirmed | OrderState::Backordered | OrderState::PartlyShipped
        );
        let charged = self
            .payments
            .iter()
            .any(|p| p.state.is_open() && p.kind == PaymentKind::Charge);
        waits && !charged && !self.is_confirming()
    }

    /// Whether a page was completed and the money is not there yet.
    fn is_confirming(&self) -> bool {
        self.payments
            .iter()
            .any(|p| p.state == AttemptState::Processing)
    }

    /// A card is kept, or a deposit paid, and nothing is asked for yet.
    fn saved(&self, part: &mut DuePart) {
        let (owed, card) = (self.say(self.order.owed), self.card_words());
        if self.order.mode == PaymentMode::Deposit {
            part.title = "Your deposit is paid".to_owned();
            part.lines.push(format!(
                "{} was paid. {owed}, or less if a better price is reached, is charged to {card} {}; you are told 3 days ahead.",
                self.say(self.order.money().kept()),
                balance_when(self.order.delivery, self.order.units)
            ));
            part.lines.push(format!(
                "If it is not paid within 7 days after that, {}",
                self.at_its_end()
            ));
            return;
        }
        part.title = "Your card is saved, nothing is charged".to_owned();
        let ends = ends_at(&self.campaign);
        let decided = matches!(self.campaign.state, CampaignState::Open);
        part.lines.push(if decided {
            format!(
                "{} is charged if it comes together: {owed} at most, after {}.",
                capital(&card),
                self.moment(ends).day()
            )
        } else {
            format!("{} is charged in a moment: {owed} at most.", capital(&card))
        });
        if let Some(step) = self.waits_for() {
            part.lines.push(format!(
                "You are in only if {step} is reached. If it is not, your order is released and nothing is charged."
            ));
        }
        let expiry = self.owes.card.as_ref().and_then(CardRow::expiry);
        if let Some(expiry) = expiry.filter(|expiry| decided && expiry.is_over_by(ends.and_utc())) {
            part.tone = Tone::Wait;
            part.lines.push(format!(
                "This card is good until {expiry} only, which is before it would be charged. Save another one, or it will be declined."
            ));
        }
    }

    /// The balance is charged on a day that is told.
    fn announced(&self, due: &DueRow, part: &mut DuePart) {
        part.tone = Tone::Wait;
        part.title = "The rest is charged soon".to_owned();
        let on = self.moment(due.charge_at);
        let later = match goods_are_there(&self.order, &self.lines) {
            true => String::new(),
            false => format!(
                ", or {}, if that is later",
                balance_when(self.order.delivery, self.order.units)
            ),
        };
        part.lines = vec![
            format!(
                "{} is charged to {} on {}{later}. You may pay it now, or save another card.",
                self.say(self.order.owed),
                self.card_words(),
                on.day()
            ),
            format!(
                "If your bank says no, you have 7 days to pay in another way; then {}",
                self.at_its_end()
            ),
        ];
    }

    /// The card said no.
    fn declined(&self, due: &DueRow, part: &mut DuePart) {
        part.tone = Tone::Bad;
        part.icon = "alert";
        part.title = "Your card was declined".to_owned();
        let owed = self.say(self.order.owed);
        let why = due.said.clone().unwrap_or_default();
        part.lines.push(format!(
            "{} was not charged to {}. Your bank says: {why}",
            owed,
            self.card_words()
        ));
        let until = due.ends_at.map(|at| self.moment(at));
        if let Some(until) = until {
            part.lines.push(format!(
                "Pay it, or save another card, until {}. After that {}",
                said(until),
                self.at_its_end()
            ));
        }
        part.lines.push(match due.decline.unwrap_or(Decline::Soft) {
            Decline::Soft => match self.next_try(due) {
                Some(at) => format!("The same card is tried again by itself on {}.", at.day()),
                None => "The same card is not tried again.".to_owned(),
            },
            Decline::Authentication => {
                "Your bank wants you to confirm it yourself: pay it with the button.".to_owned()
            }
            Decline::Hard => "This card is not tried again.".to_owned(),
        });
        if self.is_confirming() {
            part.lines
                .push("A payment of yours is being confirmed.".to_owned());
        }
    }

    /// When the same card is tried again.
    fn next_try(&self, due: &DueRow) -> Option<Moment> {
        let next = usize::try_from(due.reminded).ok()?;
        let days = REMINDED_ON.get(next)?;
        Some(self.moment(due.opened_at + Duration::days(*days)))
    }

    /// What becomes of the order, and of its deposit, that is not paid in time.
    fn at_its_end(&self) -> String {
        match at_the_end(&self.order) {
            Ok(AtTheEnd::DepositBack(kept)) => {
                format!(
                    "your order is cancelled, and your deposit of {kept} goes back to your card."
                )
            }
            Ok(AtTheEnd::DepositKept(kept)) => format!(
                "your order is cancelled, and the seller keeps your deposit of {kept}, as was said when you joined."
            ),
            Ok(AtTheEnd::NothingCharged) | Err(_) => {
                "your order is cancelled, and nothing is charged.".to_owned()
            }
        }
    }

    /// Too little came in when the cards were charged.
    fn short_part(&self, now: DateTime<Utc>) -> Option<DuePart> {
        let missing = self.owes.missing.as_ref()?;
        let batch = self.batch.as_ref()?;
        let until = self.moment(batch.short_until?);
        let back = match nonzero_said(self.order.money().kept(), &self.order.currency) {
            Some(kept) => format!("{kept} goes back to you, by itself"),
            None => "nothing is charged".to_owned(),
        };
        let line = if may_buy(&self.campaign, batch, now.naive_utc()) {
            format!(
                "Until {} the seller may buy what is missing. If not, it fails, and {back}. Until then you may still leave.",
                said(until)
            )
        } else {
            format!("The time to buy it is over: it is decided in a moment. If it fails, {back}.")
        };
        Some(DuePart {
            tone: Tone::Wait,
            icon: "clock",
            title: is_missing(missing),
            lines: vec![
                "Not every card could be charged, and too little came in.".to_owned(),
                line,
            ],
            pay: None,
            card: None,
        })
    }

    /// What the total is called: of a saved card it is the most.
    pub(super) fn sum_words(&self) -> &'static str {
        let saved = self.order.mode == PaymentMode::ChargeOnSuccess;
        if saved && self.order.charged == 0 && self.order.state.is_live() {
            "Total, at most"
        } else {
            "Total"
        }
    }

    /// What is not collected yet, and what the seller keeps of an order that is over.
    pub(super) fn owed_rows(&self) -> Vec<MoneyRow> {
        let order = &self.order;
        let mut rows = Vec::new();
        if order.owed > 0 && order.state.is_paid() {
            let label = match order.mode {
                PaymentMode::Deposit => "Charged when the goods arrive",
                PaymentMode::ChargeOnSuccess | PaymentMode::ChargeNow => {
                    "Charged if it comes together"
                }
            };
            let label = match &self.owes.due {
                Some(due) if due.state.is_open() => "Not charged yet",
                _ => label,
            };
            rows.push(MoneyRow::new(label, self.say(order.owed)));
        }
        if order.forfeited > 0 {
            let row = MoneyRow::new("Kept by the seller", self.say(order.forfeited));
            rows.push(row.note("the deposit, because the rest was not paid"));
        }
        rows
    }

    /// What is waited for before it counts.
    pub(super) fn waited_for(&self) -> &'static str {
        match self.order.mode {
            PaymentMode::ChargeOnSuccess => "Your card is waited for",
            PaymentMode::Deposit => "Your deposit is waited for",
            PaymentMode::ChargeNow => "Your payment is waited for",
        }
    }

    /// What the decision means for the money.
    pub(super) fn enough_words(&self) -> String {
        let enough = threshold_words(&self.draft);
        match self.order.mode {
            PaymentMode::ChargeNow => format!(
                "With {enough} paid for it is ordered, and the price is settled. With less everything goes back, by itself."
            ),
            PaymentMode::ChargeOnSuccess => format!(
                "With {enough} the price is settled and your card is charged. With less nothing is charged, and the card is not kept."
            ),
            PaymentMode::Deposit => format!(
                "With {enough} paid for it is ordered, and the price is settled. With less your deposit goes back, by itself."
            ),
        }
    }

    /// What becomes of the money of a campaign that failed.
    pub(super) fn failed_words(&self) -> &'static str {
        if self.order.charged == 0 {
            "Nothing was charged, and no card is kept."
        } else {
            "Everything you paid goes back to your card, by itself."
        }
    }

    /// What runs between the judgement and the supplier's order.
    pub(super) fn charging_ahead(&self, items: &mut Vec<TimelineItem>) {
        let charging = self
            .batch
            .as_ref()
            .is_some_and(|b| b.collecting_since.is_some() && b.collected_at.is_none());
        let short = self.batch.as_ref().and_then(|batch| batch.short_until);
        if let Some(until) = short.filter(|_| charging) {
            let text = format!(
                "Until {} the seller may buy what is missing. If not, everybody gets the money back, by itself.",
                said(self.moment(until))
            );
            let title = "Not enough came in when the cards were charged";
            items.push(TimelineItem::now(title).text(text));
            items.push(TimelineItem::next(
                "If it is made up: the order goes to the supplier",
            ));
            return;
        }
        if charging {
            items.push(TimelineItem::now("The cards are charged").text(
                "Who is declined has 7 days to pay in another way. Until the supplier's order goes out you may still leave.",
            ));
            items.push(TimelineItem::next("The order goes to the supplier"));
            return;
        }
        items.push(
            TimelineItem::now("The supplier's order is made ready")
                .text("Until it goes out you may still leave."),
        );
    }

    /// The balance, among what comes.
    pub(super) fn balance_ahead(&self, items: &mut Vec<TimelineItem>) {
        if self.order.mode != PaymentMode::Deposit || self.order.owed <= 0 {
            return;
        }
        let due = self.owes.due.as_ref().filter(|due| due.state.is_open());
        let title = match due {
            Some(due) if due.state == DueState::Announced => format!(
                "{}: {} is charged",
                self.moment(due.charge_at).day(),
                self.say(self.order.owed)
            ),
            Some(_) => return,
            None => format!(
                "{}: {} is charged",
                capital(balance_when(self.order.delivery, self.order.units)),
                self.say(self.order.owed)
            ),
        };
        items.push(TimelineItem::next(title));
    }
}

fn said(moment: Moment) -> String {
    format!("{}, {}", moment.text(), moment.zone_name())
}

/// A sentence's beginning.
fn capital(text: &str) -> String {
    let mut text = text.to_owned();
    if let Some(first) = text.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    text
}
