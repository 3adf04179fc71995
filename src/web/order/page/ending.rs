//! How an order ended that will not be shipped: said first on its page, because a shopper who had not paid gets no letter.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::Facts;
use crate::domain::campaign::{CampaignState, Failure};
use crate::domain::draft::PaymentMode;
use crate::domain::order::OrderState;
use crate::domain::payment::{RefundPurpose, RefundState};
use crate::store::refunds::RefundRow;
use crate::web::shop::paying;
use crate::web::tongue::nonzero_said;
use crate::web::view::{Link, OrderEnd, Tone};
use crate::workflows::desk::takes_orders;
use crate::workflows::judgement::Why;

impl Facts {
    /// How it ended; none while it goes on.
    pub(super) fn ending(&self, now: DateTime<Utc>) -> Option<OrderEnd> {
        let failed = self.stage() == CampaignState::Failed;
        let over = match self.order.state {
            OrderState::Expired | OrderState::Cancelled => true,
            // It is settled in a moment; until then nobody may take it for one that goes on.
            _ => failed && self.order.state.is_live(),
        };
        if !over {
            return None;
        }
        let by_shopper = self.left_by_shopper();
        let withdrawn = self.order.state == OrderState::Cancelled
            && self.happenings.iter().any(|h| h.kind == "withdrawn")
            && !self.happenings.iter().any(|h| h.kind == "cancelled");
        let by_staff = self
            .happenings
            .iter()
            .any(|h| h.kind == "cancelled" && h.actor != "shopper" && h.actor != "system");
        let title = match (self.order.state, self.failure()) {
            (OrderState::Expired, _) if self.says("offer_lapsed") => "The offer has ended",
            (OrderState::Expired, _) if self.says("offer_cut_short") => "The offer has ended early",
            (OrderState::Expired, _) if self.says("waiting_cancelled") => {
                "The seller cancelled the campaign"
            }
            (OrderState::Expired, _) if self.says("waiting_ended") => "Nothing came free in time",
            (OrderState::Expired, _) => "The time to pay ran out",
            _ if by_shopper => "You cancelled this order",
            _ if withdrawn => "You withdrew from this contract",
            _ if self.says("released") => "The price you waited for was not reached",
            _ if self.says("not_paid") => "It was not paid in time",
            _ if by_staff => "The seller cancelled this order",
            _ if self.not_made() => "What you ordered is not made",
            _ if self.was_late() => "It will not be shipped",
            (_, Some(failure)) if failed => heading(failure, self.number.is_some()),
            _ => "This order is cancelled",
        };
        let mut lines = Vec::new();
        let late = self.was_late() && !by_shopper && !by_staff && !withdrawn;
        let let_go = self.says("released") || self.says("not_paid");
        if late || let_go {
            lines.extend(self.order.note.clone());
        } else if self.not_made() {
            lines.push("The campaign came together without it: too few were ordered.".to_owned());
        } else if failed && !by_shopper && !by_staff && !withdrawn {
            lines.extend(self.why());
        }
        lines.push(self.money_back());
        let again = takes_orders(&self.campaign, now.naive_utc());
        Some(OrderEnd {
            tone: if self.order.refund_due > 0 {
                Tone::Wait
            } else {
                Tone::Idle
            },
            title: title.to_owned(),
            lines,
            way: again
                .then(|| Link::new(self.campaign_href(), "See the campaign, it is still open")),
        })
    }

    /// Why its batch failed.
    fn failure(&self) -> Option<Failure> {
        self.batch.as_ref().and_then(|batch| batch.failure)
    }

    /// Whether this happened to it.
    fn says(&self, kind: &str) -> bool {
        self.happenings.iter().any(|h| h.kind == kind)
    }

    /// How its batch was judged, once it was.
    fn judged(&self) -> Option<Why> {
        let batch = self.batch.as_ref()?;
        Why::read(batch).ok().flatten()
    }

    /// How its batch was judged while it was in it, line by line, and how what was collected was judged again.
    pub(super) fn judged_told(&self) -> Vec<(NaiveDateTime, String)> {
        let judged_at = self.batch.as_ref().and_then(|batch| batch.judged_at);
        let (Some(at), Some(why)) = (judged_at, self.judged()) else {
            return Vec::new();
        };
        let was_in = |at: NaiveDateTime| {
            self.order.confirmed_at.is_some_and(|joined| joined <= at)
                && self.order.closed_at.is_none_or(|left| left > at)
        };
        let mut told = Vec::new();
        if was_in(at) && why.meets(self.draft.threshold) {
            let lines = why.told(&self.draft).join(" ");
            told.push((
                at,
                format!("It came together: the price is settled. {lines}"),
            ));
        }
        if let Some(again) = why.again.as_ref().filter(|again| was_in(again.at)) {
            let lines = again.told(&self.draft).join(" ");
            told.push((again.at, format!("What was collected was judged. {lines}")));
        }
        told
    }

    /// Whether the campaign came together with nothing of this order.
    fn not_made(&self) -> bool {
        self.happenings.iter().any(|h| h.kind == "not_made")
    }

    /// Whether it is refunded because it was not shipped in time, or will not be (domain section 6).
    fn was_late(&self) -> bool {
        let why =
            |r: &RefundRow| matches!(r.purpose, RefundPurpose::Delay | RefundPurpose::StopLoss);
        self.refunds.iter().any(why)
    }

    /// Why its batch failed, in one sentence.
    fn why(&self) -> Option<String> {
        let note = self
            .batch
            .as_ref()
            .and_then(|batch| batch.failure_note.clone());
        let note = note.unwrap_or_default();
        match self.failure()? {
            Failure::Missed => {
                let counted = paying(&self.draft).counted();
                let mut why = format!("It needed more orders: {note} were {counted}.");
                for gone in self.judged().iter().flat_map(Why::not_made) {
                    why.push_str(&format!(
                        " Not counted, being under its minimum: {}.",
                        gone.said(&self.draft)
                    ));
                }
                Some(why)
            }
            Failure::Cancelled if note.is_empty() => None,
            Failure::Cancelled => Some(format!("The seller writes: {note}")),
            Failure::Shortfall if !note.is_empty() => Some(format!("Too little came in: {note}.")),
            Failure::Shortfall => {
                Some("Nothing was left to order when the orders were counted.".to_owned())
            }
            Failure::Supplier => Some("The supplier could not take the order.".to_owned()),
            Failure::StopLoss => Some("It was not shipped by the last day.".to_owned()),
        }
    }

    /// What becomes of the money.
    pub fn money_back(&self) -> String {
        let order = &self.order;
        let said = |amount: i64| nonzero_said(amount, &order.currency);
        let due = |which: fn(&RefundRow) -> bool| {
            let these = self.refunds.iter().filter(|r| r.state.is_due() && which(r));
            said(these.map(|r| r.amount).sum())
        };
        if let Some(stuck) = due(|r| r.state == RefundState::Failed) {
            let seller = &self.merchant.name;
            return format!(
                "{stuck} could not be sent back to your card. {seller} owes it to you and needs another way: write to them."
            );
        }
        if let Some(held) = due(|r| r.held) {
            return format!(
                "{held} is owed to you and waits until your bank has decided the dispute: then it comes from your bank, or goes back to your card by itself."
            );
        }
        if let Some(kept) = said(order.forfeited) {
            return format!(
                "The seller keeps your deposit of {kept}, as was said when you joined."
            );
        }
        match (said(order.refund_due), said(order.refunded)) {
            _ if order.charged == 0 && order.mode == PaymentMode::ChargeOnSuccess => {
                "Nothing was charged, and nothing will be. No card is kept. There is nothing you need to do.".to_owned()
            }
            _ if order.charged == 0 => {
                "You had not paid: nothing was charged, and nothing will be. There is nothing you need to do.".to_owned()
            }
            (Some(due), None) => format!(
                "{due} is on its way back to your card, by itself. Banks take up to 10 days to show it."
            ),
            (Some(due), Some(done)) => {
                format!("{done} went back to you, {due} more is on its way, by itself.")
            }
            (None, Some(done)) => format!("{done} went back to you. Nothing is owed any more."),
            (None, None) if order.lost > 0 => {
                "Your bank gave you the money back itself.".to_owned()
            }
            (None, None) => "What you paid goes back to your card, by itself.".to_owned(),
        }
    }
}

fn heading(failure: Failure, several: bool) -> &'static str {
    match failure {
        Failure::Cancelled => "The seller cancelled the campaign",
        Failure::StopLoss => "It was not shipped in time",
        Failure::Missed | Failure::Shortfall | Failure::Supplier if several => {
            "Your batch did not come together"
        }
        Failure::Missed | Failure::Shortfall | Failure::Supplier => {
            "The campaign did not come together"
        }
    }
}
