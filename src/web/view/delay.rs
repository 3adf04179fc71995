//! A delay as its shopper sees it (domain section 6): the notice with its two equal answers, what silence does and when,
//! and what he was promised. The same box stands on the notice's own page and first on the order's.

use askama::Template;
use askama::filters::HtmlSafe;
use chrono::Datelike;

use super::time::{Day, Moment};
use super::{Badge, Link, Shell, Tone};
use crate::domain::promise::Answer;

/// What silence does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SilenceSaid {
    /// The shopper has agreed to the revised date.
    Agrees {
        /// The date.
        until: Day,
        /// The day of the refund, if it is not shipped by then.
        refund: Day,
    },
    /// It is cancelled.
    Cancels {
        /// The last day to answer, whole.
        last_day: Day,
        /// The day of the refund.
        refund: Day,
    },
}

/// A notice that can be answered, as a form with two equal choices. A GET decides nothing: mail scanners follow links.
#[derive(Clone, Debug, Template)]
#[template(path = "order/part/delay.html")]
pub struct DelayOffer {
    /// Where it posts to: the notice's own page.
    pub action: String,
    /// The date in force: the first one, or the last one agreed to.
    pub replaces: Day,
    /// The new date; none: not known.
    pub revised: Option<Day>,
    /// The campaign's last day moves to this one for who keeps waiting.
    pub later_last_day: Option<Day>,
    /// The day after which everything unshipped is refunded, as it is without an answer.
    pub last_day: Day,
    /// The known date lies after that day, so that it counts as not known.
    pub beyond_last_day: bool,
    /// Why, in the seller's words.
    pub reason: String,
    /// What goes back by cancelling: "$196.50". None where nothing was charged.
    pub amount: Option<String>,
    /// A part was handed to the carrier: it is kept, and only the rest goes back.
    pub part_shipped: bool,
    /// What silence does.
    pub silence: SilenceSaid,
    /// The answer the link came with: made to stand out, and nothing else.
    pub chosen: Option<Answer>,
}

impl HtmlSafe for DelayOffer {}

/// "19 June instead of 1 June 2026": the year is said once where it is the same.
fn instead(new: Day, old: Day) -> String {
    if new.0.year() == old.0.year() {
        format!("{} instead of {}", new.0.format("%-d %B"), old.text())
    } else {
        format!("{} instead of {}", new.text(), old.text())
    }
}

impl DelayOffer {
    /// The headline: both dates.
    pub fn title(&self) -> String {
        match (self.revised, self.later_last_day) {
            (Some(new), _) if new > self.replaces => {
                format!("It will be late: {}", instead(new, self.replaces))
            }
            (_, Some(later)) => {
                format!("The last day is to move: {}", instead(later, self.last_day))
            }
            (Some(new), None) => format!("The date moves: {}", instead(new, self.replaces)),
            (None, None) => format!(
                "It will be late: not by {}, and the new date is not known",
                self.replaces.text()
            ),
        }
    }

    fn wait_words(&self) -> &'static str {
        match self.chosen {
            Some(Answer::Cancel) => "btn plain",
            _ => "btn",
        }
    }

    fn cancel_words(&self) -> &'static str {
        match self.chosen {
            Some(Answer::Cancel) => "btn",
            _ => "btn plain",
        }
    }

    /// What the other button does, and until when it may still be pressed.
    fn wait_text(&self) -> String {
        let mut text = match self.revised {
            Some(day) => format!(
                "Ships by {}. Should it move again, we ask you again.",
                day.text()
            ),
            None => "No date is promised. You are told as soon as there is one, and you may cancel until it is shipped."
                .to_owned(),
        };
        if let Some(later) = self.later_last_day {
            text.push_str(&format!(
                " You also agree to a later last day of all: {}.",
                later.text()
            ));
        } else if self.revised.is_none() {
            text.push_str(&format!(
                " What is not shipped by {} is refunded all the same.",
                self.last_day.text()
            ));
        }
        text
    }

    fn wait_button(&self) -> String {
        match (self.revised, self.later_last_day) {
            (Some(day), _) => format!("Keep waiting to {}", day.text()),
            (None, Some(day)) => format!("Keep waiting, at most to {}", day.text()),
            (None, None) => "Keep waiting without a date".to_owned(),
        }
    }

    fn cancel_title(&self) -> &'static str {
        match (self.part_shipped, &self.amount) {
            (_, None) => "Cancel",
            (true, _) => "Cancel the rest, refund it",
            (false, _) => "Cancel, full refund",
        }
    }

    fn cancel_text(&self) -> String {
        match (&self.amount, self.part_shipped) {
            (None, _) => "Nothing was charged, so nothing has to go back.".to_owned(),
            (Some(amount), false) => format!(
                "{amount} goes back to the card you paid with, at once, shipping included. Banks take up to 10 days to show it."
            ),
            (Some(amount), true) => format!(
                "What was shipped stays yours. {amount} goes back to the card you paid with, at once: what you paid, less \
                 what the shipped part costs by itself. Banks take up to 10 days to show it."
            ),
        }
    }

    fn cancel_button(&self) -> String {
        cancel_words(self.amount.as_deref(), self.part_shipped)
    }

    /// What silence does, and on which day.
    pub fn silence_text(&self) -> String {
        let back = match (&self.amount, self.part_shipped) {
            (None, _) => "it is cancelled".to_owned(),
            (Some(amount), false) => format!("{amount} goes back to your card"),
            (Some(amount), true) => {
                format!("the rest is cancelled and {amount} goes back to your card")
            }
        };
        match self.silence {
            SilenceSaid::Agrees { until, refund } => format!(
                "If you say nothing, we take it that you wait until {}, because the delay is at most 30 days. If it is \
                 not shipped by the end of that day, {back} on {}, unless you agree to another date before.",
                until.text(),
                refund.text()
            ),
            SilenceSaid::Cancels { last_day, refund } => format!(
                "If you say nothing by the end of {}, {back} on {}, unless it is shipped by then.",
                last_day.text(),
                refund.text()
            ),
        }
    }

    /// The days that matter, for the notice's own page.
    pub fn days(&self) -> Vec<(&'static str, Day)> {
        let mut days = Vec::new();
        match self.silence {
            SilenceSaid::Agrees { until, refund } => {
                days.push(("Without an answer, shipped by", until));
                days.push(("Refunded, if it is not", refund));
            }
            SilenceSaid::Cancels { last_day, refund } => {
                days.push(("Last day to answer", last_day));
                days.push(("Refunded without an answer", refund));
            }
        }
        days.push(("Last day of all", self.last_day));
        days
    }
}

/// Words of a button that cancels.
pub fn cancel_words(amount: Option<&str>, part: bool) -> String {
    match (amount, part) {
        (None, _) => "Cancel this order".to_owned(),
        (Some(amount), false) => format!("Cancel and refund {amount}"),
        (Some(amount), true) => format!("Cancel the rest and refund {amount}"),
    }
}

/// *Cancel* after *keep waiting*, while that is possible: one button that posts to the notice's page.
#[derive(Clone, Debug)]
pub struct CancelInstead {
    /// Where it posts to.
    pub action: String,
    /// Until when, and what goes back.
    pub text: String,
    /// What the button says.
    pub button: String,
}

/// What a notice's page says where there is nothing to choose any more.
#[derive(Clone, Debug)]
pub struct DelayOutcome {
    /// Settled, awaited, over.
    pub tone: Tone,
    /// What was agreed, or why there is nothing to answer.
    pub title: String,
    /// A paragraph each: what happens by itself, and when.
    pub lines: Vec<String>,
    /// Where to go.
    pub way: Option<Link>,
}

/// What stands first on a notice's page.
#[derive(Clone, Debug)]
pub enum DelayStand {
    /// It can be answered.
    Open(Box<DelayOffer>),
    /// It was answered, or there is nothing to answer.
    Closed(DelayOutcome),
}

/// `/d/{token}`: one notice to one order.
#[derive(Clone, Debug, Template)]
#[template(path = "order/delay.html")]
pub struct DelayPage {
    /// Frame, private.
    pub shell: Shell,
    /// What the order is called in mails.
    pub number: String,
    /// The campaign's title.
    pub title: String,
    /// The order's own page.
    pub order_href: String,
    /// Where the answer stands.
    pub badge: Badge,
    /// The notice, or what became of it.
    pub stand: DelayStand,
    /// What was wrong with an answer that could not be read.
    pub error: Option<String>,
    /// Offered after *keep waiting*.
    pub cancel_instead: Option<CancelInstead>,
    /// Who sells.
    pub seller_name: String,
    /// Their page.
    pub seller_href: String,
}

impl DelayPage {
    fn headline(&self) -> String {
        match &self.stand {
            DelayStand::Open(offer) => offer.title(),
            DelayStand::Closed(outcome) => outcome.title.clone(),
        }
    }

    fn icons(&self) -> &'static str {
        match (&self.stand, self.error.is_some()) {
            (DelayStand::Open(_), true) => "calendar alert",
            (DelayStand::Open(_), false) => "calendar",
            (DelayStand::Closed(outcome), wrong) => match (outcome.tone, wrong) {
                (Tone::Good, false) => "check",
                (Tone::Good, true) => "check alert",
                (_, false) => "calendar",
                (_, true) => "calendar alert",
            },
        }
    }
}

/// One date a shopper was told.
#[derive(Clone, Debug)]
pub struct PromiseRow {
    /// When he was told.
    pub told: Moment,
    /// The date; none: not known.
    pub ships: Option<Day>,
    /// Whether a later one took its place.
    pub replaced: bool,
    /// Why it moved.
    pub why: String,
    /// His answer; none where nothing was asked.
    pub answer: Option<Badge>,
    /// The notice's page.
    pub href: Option<String>,
}

/// "What you were promised": every date, newest first, and the last day of all.
#[derive(Clone, Debug, Template)]
#[template(path = "order/part/promise.html")]
pub struct PromiseTable {
    /// Newest first; the last one is what was promised at joining.
    pub rows: Vec<PromiseRow>,
    /// What holds now, in a sentence: what happens if it is not shipped, and when.
    pub now: Option<String>,
    /// The stop-loss date, while anything is to be shipped.
    pub last_day: Option<Day>,
    /// Terms that were accepted.
    pub terms: Option<super::TermsRef>,
}

impl HtmlSafe for PromiseTable {}

impl PromiseTable {
    /// Whether any date moved.
    fn moved(&self) -> bool {
        self.rows.len() > 1
    }
}
