//! The way to an order's payment and back: the page that waits for the provider's, and the thanks.

use chrono::{DateTime, Utc};

use super::Facts;
use crate::domain::campaign::CampaignState;
use crate::domain::draft::PaymentMode;
use crate::domain::order::OrderState;
use crate::domain::payment::{AttemptState, PaymentKind};
use crate::store::orders::PaymentRow;
use crate::web::shop::{asked, step_words, threshold_words};
use crate::web::view::{Asked, Countdown, QueuePage, Shell, ThanksPage, grouped};
use crate::workflows::desk::{ends_at, takes_orders};

impl Facts {
    /// The page that can be completed now, or is made: of an order that counts already, one that pays what is owed, or
    /// that saves another card.
    pub(super) fn open_page(&self) -> Option<&PaymentRow> {
        let pending = self.order.state == OrderState::Pending;
        let open = |p: &&PaymentRow| {
            matches!(p.state, AttemptState::Planned | AttemptState::Open)
                && !p.close_wanted
                && p.kind.is_page()
                && (pending || p.kind.is_later_page())
        };
        self.payments.iter().rev().find(open)
    }

    /// The page that is not made yet.
    pub fn planned(&self) -> Option<&PaymentRow> {
        self.open_page()
            .filter(|p| p.state == AttemptState::Planned)
    }

    /// Where it is paid.
    pub fn checkout(&self) -> Option<&str> {
        let open = self.open_page();
        open.filter(|p| p.state == AttemptState::Open)?
            .url
            .as_deref()
    }

    /// Whether there is nothing to pay at yet.
    pub fn waits_for_its_page(&self) -> bool {
        self.planned().is_some()
    }

    /// The page that was made and whose end was not heard of.
    pub fn unheard(&self) -> Option<i32> {
        let open = self.open_page()?;
        (open.state == AttemptState::Open).then_some(open.attempt)
    }

    /// Whether its payment is known.
    pub fn is_paid(&self) -> bool {
        self.order.state.is_paid()
    }

    /// Whether who comes back from paying is thanked: not where the order ended meanwhile, nor after a later page.
    pub fn may_thank(&self) -> bool {
        let processing = self
            .payments
            .iter()
            .any(|p| p.state == AttemptState::Processing);
        match self.order.state {
            OrderState::Pending => !processing,
            _ => {
                self.is_paid()
                    && self.order.refund_due == 0
                    && self.order.refunded == 0
                    && !self.has_later_page()
            }
        }
    }

    /// Whether a page was wanted after the one by which the order counts.
    pub fn has_later_page(&self) -> bool {
        let after = |p: &&PaymentRow| match p.kind {
            PaymentKind::Join | PaymentKind::Deposit => false,
            PaymentKind::Fix | PaymentKind::Charge | PaymentKind::Change => true,
            PaymentKind::Setup => self.order.confirmed_at.is_some_and(|at| p.planned_at > at),
        };
        self.payments.iter().any(|p| after(&p))
    }

    /// What is paid when, as it was agreed.
    fn asked(&self) -> Asked {
        let total = (self.order.total, self.order.currency.as_str());
        let deposit = self.agreed.deposit.map(|d| (d.amount, d.forfeited));
        asked(self.order.mode, total, deposit, || self.waits_for())
    }

    /// The step that the order waits for, in words; none where it is in in any case.
    pub(super) fn waits_for(&self) -> Option<String> {
        let step = usize::try_from(self.order.limit_step).ok()?;
        step_words(&self.draft, step)
    }

    /// Until when its units are kept.
    pub(super) fn held(&self, now: DateTime<Utc>) -> Countdown {
        Countdown::held(now, self.moment(self.order.hold_expires_at))
    }

    /// What the button of a page says.
    pub(super) fn pay_words(&self, page: &PaymentRow) -> String {
        match page.kind {
            PaymentKind::Setup => "Save the card".to_owned(),
            PaymentKind::Deposit => format!("Pay the deposit of {}", self.say(page.amount)),
            PaymentKind::Join | PaymentKind::Charge | PaymentKind::Fix | PaymentKind::Change => {
                format!("Pay {}", self.say(page.amount))
            }
        }
    }

    /// The page that waits for the payment page.
    pub fn queue(
        &self,
        shell: Shell,
        before: i64,
        order_href: String,
        now: DateTime<Utc>,
    ) -> QueuePage {
        let pending = self.order.state == OrderState::Pending;
        let says = match self.planned() {
            Some(page) if page.kind == PaymentKind::Setup => {
                "Nothing is charged there: your card is saved.".to_owned()
            }
            Some(page) => format!(
                "You will pay {}. Nothing is charged before you say so there.",
                self.say(page.amount)
            ),
            None => String::new(),
        };
        QueuePage {
            shell: shell.of_seller(&self.merchant.slug),
            title: self.agreed.title.clone(),
            before,
            says,
            held: pending.then(|| self.held(now)),
            order_href,
            events: None,
        }
    }

    /// Back from the provider's page.
    pub fn thanks(
        &self,
        shell: Shell,
        paid: bool,
        order_href: String,
        now: DateTime<Utc>,
    ) -> ThanksPage {
        ThanksPage {
            shell: shell.of_seller(&self.merchant.slug),
            title: self.agreed.title.clone(),
            campaign_href: self.campaign_href(),
            paid,
            total: self.say(self.order.total),
            asked: self.asked(),
            email: self.order.email.clone(),
            deadline: self.moment(ends_at(&self.campaign)),
            threshold: threshold_words(&self.draft),
            from_stock: self.agreed.from_stock.then(|| self.promised()),
            next_step: self.next_step(now),
            order_href,
        }
    }

    /// What is missing to the next step. Where orders may wait for a step the campaign's page says it.
    fn next_step(&self, now: DateTime<Utc>) -> Option<String> {
        if !takes_orders(&self.campaign, now.naive_utc())
            || self.stage() != CampaignState::Open
            || self.order.mode == PaymentMode::ChargeOnSuccess
        {
            return None;
        }
        let (step, missing) = self.draft.steps.next(self.campaign.committed_units)?;
        Some(match self.draft.options.as_slice() {
            [only] => format!(
                "{} more and everybody pays {}.",
                grouped(missing),
                self.say(only.prices.price_at(step))
            ),
            _ => format!("{} more and the prices fall.", grouped(missing)),
        })
    }
}
