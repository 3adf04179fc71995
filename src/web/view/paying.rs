//! How an offer is paid, in words: all of it at once, by a card that is charged once it comes together, or by a deposit
//! with a balance (domain section 4).

use askama::Template;
use askama::filters::HtmlSafe;

use super::time::TimelineItem;
use super::{Moment, MoneyPlan, ThanksPage, Tone};

/// How an offer is paid.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Paying {
    /// All of it at joining.
    #[default]
    Now,
    /// A card is saved, and charged once it came together.
    OnSuccess,
    /// A part at joining, the rest when the goods arrive.
    Deposit {
        /// Percent of the total.
        percent: i32,
        /// Whether the seller keeps it where the rest is never paid.
        kept: bool,
    },
}

impl Paying {
    /// What joining means for the money; `at` is the price then: "$90.00 now".
    pub(super) fn joining(self, at: &str) -> (&'static str, String) {
        match self {
            Paying::Now => (
                "When you join: you pay, once",
                format!(
                    "The price of the moment ({at}) and shipping, by card. Until it is decided, the books carry \
                     your money as yours."
                ),
            ),
            Paying::OnSuccess => (
                "When you join: your card is saved, nothing is charged",
                format!(
                    "At most the price of the moment ({at}) and shipping is charged later, and only if it comes \
                     together. The payment provider keeps the card, for this order alone."
                ),
            ),
            Paying::Deposit { percent, .. } => (
                "When you join: you pay a deposit",
                format!(
                    "{percent} % of the price of the moment ({at}) and shipping, by card. The card is saved for the \
                     rest. Until it is decided, the books carry your deposit as yours."
                ),
            ),
        }
    }

    /// What leaving before the supplier's order means.
    pub(super) fn leaving(self) -> &'static str {
        match self {
            Paying::Now => "Cancel on your order's page, and all of it goes back to your card.",
            Paying::OnSuccess => {
                "Cancel on your order's page: nothing is charged, or what was charged goes back, and the card is not kept."
            }
            Paying::Deposit { .. } => {
                "Cancel on your order's page, and your deposit goes back to your card."
            }
        }
    }

    /// What a better price means.
    pub(super) fn cheaper(self) -> &'static str {
        match self {
            Paying::Now => {
                "If you paid more than the price reached, the difference goes back in one refund. "
            }
            Paying::OnSuccess => {
                "You are charged the price reached, never more than the one shown when you joined. "
            }
            Paying::Deposit { .. } => {
                "If a better price is reached than the one you joined at, less is left to pay. "
            }
        }
    }

    /// What missing the threshold means.
    pub(super) fn missed(self, threshold: &str) -> String {
        match self {
            Paying::Now => {
                format!("Under {threshold} everybody gets everything back, by itself.")
            }
            Paying::OnSuccess => {
                format!("Under {threshold} nothing is charged, and no card is kept.")
            }
            Paying::Deposit { .. } => {
                format!("Under {threshold} everybody gets the deposit back, by itself.")
            }
        }
    }

    /// What follows once enough came together.
    pub(super) fn enough(self) -> Vec<TimelineItem> {
        let ordered = "Enough: the order goes to the supplier";
        match self {
            Paying::Now => {
                vec![TimelineItem::next(ordered).text("Only for units that are paid for.")]
            }
            Paying::OnSuccess => vec![
                TimelineItem::next("Enough: the cards are charged").text(
                    "If your bank says no, you have 7 days to pay in another way; then your order is cancelled. Should \
                     too little come in, the seller may buy what is missing within 48 hours; else everybody gets the \
                     money back.",
                ),
                TimelineItem::next("Then the order goes to the supplier")
                    .text("Only for units that are paid for."),
            ],
            Paying::Deposit { kept, .. } => vec![
                TimelineItem::next(ordered)
                    .text("For units whose deposit is paid."),
                TimelineItem::next("When the goods arrive: the rest is charged").text(format!(
                    "You are told 3 days ahead. If your bank says no, you have 7 days to pay in another way; then your \
                     order is cancelled, and {}.",
                    fate(kept)
                )),
            ],
        }
    }

    /// What happens between the deadline and the judgement.
    pub(super) fn counting(self) -> &'static str {
        match self {
            Paying::Now | Paying::Deposit { .. } => "The paid orders are being counted",
            Paying::OnSuccess => "The orders are being counted",
        }
    }

    /// Whether units that are ordered from the supplier are paid in full.
    pub fn is_whole(self) -> bool {
        !matches!(self, Paying::Deposit { .. })
    }

    /// Whether who paid more than the price reached gets the difference back.
    pub fn goes_back(self) -> bool {
        self == Paying::Now
    }

    /// That units are counted which are not paid for yet: "paid for", "promised".
    pub fn counted(self) -> &'static str {
        match self {
            Paying::Now | Paying::Deposit { .. } => "paid for",
            Paying::OnSuccess => "promised",
        }
    }
}

/// What becomes of a deposit whose rest is never paid.
fn fate(kept: bool) -> &'static str {
    if kept {
        "the seller keeps the deposit"
    } else {
        "the deposit goes back to your card"
    }
}

/// How far the charging of saved cards is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charging {
    /// They are charged.
    Now,
    /// Too little came: until when the seller may buy what is missing.
    Short(Moment),
    /// Everything is in; or no cards are charged.
    Done,
}

impl Charging {
    /// What happens in these days, as a headline and what it means.
    pub(super) fn said(self) -> (String, String) {
        match self {
            Charging::Now => (
                "The price is settled, the cards are charged".to_owned(),
                "Whose bank says no has 7 days to pay in another way. Until the supplier's order goes out you may still \
                 leave."
                    .to_owned(),
            ),
            Charging::Short(until) => (
                "Not enough came in when the cards were charged".to_owned(),
                format!(
                    "Until {}, {}, the seller may buy what is missing. If not, everybody gets the money back, by itself.",
                    until.text(),
                    until.zone_name()
                ),
            ),
            Charging::Done => (
                "The price is settled, the supplier's order is made ready".to_owned(),
                "Who paid more gets the difference back. Until it is sent you may still leave."
                    .to_owned(),
            ),
        }
    }
}

impl MoneyPlan {
    /// Whether saved cards are being charged, or too little came.
    pub fn charges(&self) -> bool {
        self.paying == Paying::OnSuccess && self.charging != Charging::Done
    }

    /// What happens while they are.
    pub fn charging_words(&self) -> String {
        let (title, text) = self.charging.said();
        format!("{title}. {text}")
    }
}

/// What an order that is about to be placed costs, and when it is paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// All of it on the next page.
    Now,
    /// Nothing on the next page: a card is saved.
    Saved {
        /// It is in only if this is reached: "the price from 50 units".
        waits_for: Option<String>,
    },
    /// A part on the next page.
    Deposit {
        /// What is paid there.
        now: String,
        /// What is left.
        later: String,
        /// Whether the seller keeps the deposit where the rest is never paid.
        kept: bool,
    },
}

impl Asked {
    /// What is paid when, row by row.
    pub fn rows(&self, total: &str, deadline: Moment) -> Vec<(&'static str, String)> {
        match self {
            Asked::Now => vec![("Charged now", total.to_owned())],
            Asked::Saved { waits_for } => {
                let mut rows = vec![
                    ("Charged now", "nothing; your card is saved".to_owned()),
                    (
                        "Charged later",
                        format!(
                            "{total} at most, after {}, only if it comes together",
                            deadline.day()
                        ),
                    ),
                    (
                        "If your bank says no then",
                        "7 days to pay in another way, then the order is cancelled".to_owned(),
                    ),
                ];
                if let Some(step) = waits_for {
                    rows.push(("You are in", format!("only if {step} is reached")));
                }
                rows
            }
            Asked::Deposit { now, later, kept } => vec![
                ("Charged now", format!("{now}, the deposit")),
                (
                    "When the goods arrive",
                    format!("{later} at most, told 3 days ahead"),
                ),
                (
                    "If that is never paid",
                    format!("after 7 days the order is cancelled, and {}", fate(*kept)),
                ),
            ],
        }
    }

    /// What stands on the button after its words.
    pub fn amount(&self, total: &str) -> String {
        match self {
            Asked::Now | Asked::Saved { .. } => total.to_owned(),
            Asked::Deposit { now, .. } => format!("{total}, {now} now"),
        }
    }

    /// What the next page is for.
    pub fn next(&self) -> &'static str {
        match self {
            Asked::Now => "You pay by card on the payment provider's page.",
            Asked::Saved { .. } => "Your card is saved on the payment provider's page.",
            Asked::Deposit { .. } => {
                "You pay the deposit on the payment provider's page; the card is saved there."
            }
        }
    }
}

impl ThanksPage {
    /// The badge's word, once it is known.
    pub(super) fn word(&self) -> &'static str {
        match self.asked {
            Asked::Now => "paid",
            Asked::Saved { .. } => "saved",
            Asked::Deposit { .. } => "deposit_paid",
        }
    }

    /// What was, or will have been, paid now.
    pub(super) fn amount(&self) -> String {
        match &self.asked {
            Asked::Now => self.total.clone(),
            Asked::Saved { .. } => format!("{} at most", self.total),
            Asked::Deposit { now, .. } => now.clone(),
        }
    }

    /// What is done.
    pub(super) fn done(&self) -> String {
        let title = &self.title;
        match &self.asked {
            Asked::Now => format!("{} is paid for {title}.", self.total),
            Asked::Saved { .. } => format!("Your card is saved for {title}. Nothing was charged."),
            Asked::Deposit { now, .. } => format!("The deposit of {now} is paid for {title}."),
        }
    }

    /// What is being confirmed: a headline and a sentence.
    pub(super) fn confirming(&self) -> (&'static str, String) {
        match &self.asked {
            Asked::Now => (
                "Your payment is being confirmed",
                format!("The provider has not told us yet that {} is paid. This page asks again by itself; you need not pay twice.", self.total),
            ),
            Asked::Saved { .. } => (
                "Your card is being confirmed",
                "The provider has not told us yet that your card is saved. This page asks again by itself; you need not do it twice.".to_owned(),
            ),
            Asked::Deposit { now, .. } => (
                "Your payment is being confirmed",
                format!("The provider has not told us yet that {now} is paid. This page asks again by itself; you need not pay twice."),
            ),
        }
    }

    /// What becomes of the money, row by row.
    pub(super) fn fates(&self) -> Vec<(String, String)> {
        let (threshold, total) = (&self.threshold, &self.total);
        let less = "Less than that".to_owned();
        match &self.asked {
            Asked::Now => vec![
                (format!("{threshold} paid for"), "it is ordered".to_owned()),
                (less, format!("you get {total} back")),
            ],
            Asked::Saved { waits_for } => {
                let mut rows = vec![(
                    format!("{threshold} come together"),
                    format!("your card is charged, {total} at most"),
                )];
                if let Some(step) = waits_for {
                    rows.push((
                        "You are in".to_owned(),
                        format!("only if {step} is reached"),
                    ));
                }
                rows.push((less, "nothing is charged".to_owned()));
                rows
            }
            Asked::Deposit { now, later, .. } => vec![
                (format!("{threshold} paid for"), "it is ordered".to_owned()),
                (
                    "When the goods arrive".to_owned(),
                    format!("{later} at most, told 3 days ahead"),
                ),
                (less, format!("you get {now} back")),
            ],
        }
    }

    /// What leaving costs.
    pub(super) fn leaving(&self) -> &'static str {
        match self.asked {
            Asked::Saved { .. } => "Cancel, nothing charged",
            Asked::Now | Asked::Deposit { .. } => "Cancel, full refund",
        }
    }
}

/// What is to be paid of an order, or was refused: stands first on its page.
#[derive(Clone, Debug, Template)]
#[template(path = "order/part/due.html")]
pub struct DuePart {
    /// Awaited, refused, or running.
    pub tone: Tone,
    /// Its symbol.
    pub icon: &'static str,
    /// What it is about.
    pub title: String,
    /// A paragraph each.
    pub lines: Vec<String>,
    /// Where paying it posts to, and what that button says.
    pub pay: Option<(String, String)>,
    /// Where saving another card posts to.
    pub card: Option<String>,
}

impl HtmlSafe for DuePart {}
