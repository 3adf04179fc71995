//! How a judgement came about, round by round: kept with the batch, so that staff and shoppers can read why the price is
//! what it is (domain section 3).

use chrono::NaiveDateTime;
use serde::{Deserialize, Serialize};

use super::super::desk::Problem;
use super::super::money::say;
use super::super::payment::say_threshold;
use super::say_collected;
use crate::domain::draft::{CampaignDraft, PaymentMode};
use crate::domain::money::thousands;
use crate::domain::outcome::{Judgement, Round};
use crate::domain::price::Threshold;
use crate::store::campaigns::{BatchRow, OptionRow};

/// How a judgement came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// First to last; nothing is dropped in the last.
    pub rounds: Vec<WhyRound>,
    /// What was held against the threshold in the end: units, or minor units.
    pub collected: i64,
    /// What the merchant bears because cancellations lowered the step, minor units.
    pub borne_by_merchant: i64,
    /// How what was collected from saved cards was judged again, once it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<Box<WhyAgain>>,
}

/// How what was collected was judged, at the step that was judged before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyAgain {
    /// When.
    pub at: NaiveDateTime,
    /// Whether it is enough; while it is not, nothing is dropped.
    pub enough: bool,
    /// How it came about.
    pub why: Why,
}

/// One round of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhyRound {
    /// Units that count for each step.
    pub counted: Vec<i64>,
    /// The step reached, as an index.
    pub step: usize,
    /// The options that fell under their minimum.
    pub dropped: Vec<NotMade>,
}

impl WhyRound {
    fn units(&self) -> i64 {
        self.counted.get(self.step).copied().unwrap_or(0)
    }
}

/// An option that is not produced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotMade {
    /// Its code.
    pub sku: String,
    /// Its paid units.
    pub units: i64,
    /// The units it needed.
    pub minimum: i64,
}

impl NotMade {
    /// Its name as shoppers read it.
    pub fn name<'a>(&'a self, draft: &'a CampaignDraft) -> &'a str {
        let named = draft.options.iter().find(|o| o.sku == self.sku);
        named.map_or(&self.sku, |o| &o.name)
    }

    /// Such as `Red, 16 of 20 units`.
    pub fn said(&self, draft: &CampaignDraft) -> String {
        format!(
            "{}, {} of {} units",
            self.name(draft),
            count(self.units),
            count(self.minimum)
        )
    }
}

impl Why {
    /// Units that counted when what was collected was judged again; none where it was not.
    pub fn units_again(&self) -> Option<i64> {
        Some(self.again.as_deref()?.why.units())
    }

    /// Of a judgement over these options.
    pub fn of<K>(judged: &Judgement<K>, draft: &CampaignDraft, rows: &[OptionRow]) -> Self {
        let (rounds, collected, borne_by_merchant) = match judged {
            Judgement::Success(success) => {
                let collected = match draft.threshold {
                    Threshold::Units(_) => success.units,
                    Threshold::Amount(_) => success.goods_value,
                };
                (&success.why, collected, success.borne_by_merchant)
            }
            Judgement::Missed { collected, why, .. } => (why, *collected, 0),
        };
        let round = |round: &Round| WhyRound {
            counted: round.counted.clone(),
            step: round.step,
            dropped: round
                .dropped
                .iter()
                .filter_map(|gone| {
                    let row = rows.iter().find(|row| row.id == gone.option)?;
                    Some(NotMade {
                        sku: row.sku.clone(),
                        units: gone.units,
                        minimum: gone.minimum,
                    })
                })
                .collect(),
        };
        Self {
            rounds: rounds.iter().map(round).collect(),
            collected,
            borne_by_merchant,
            again: None,
        }
    }

    /// As kept with a batch; none before it is judged.
    ///
    /// # Errors
    /// When the row is damaged.
    pub fn read(batch: &BatchRow) -> Result<Option<Self>, Problem> {
        Ok(batch.why.as_deref().map(serde_json::from_str).transpose()?)
    }

    /// The step reached in the end, as an index.
    pub fn step(&self) -> usize {
        self.rounds.last().map_or(0, |round| round.step)
    }

    /// The units that count for it.
    pub fn units(&self) -> i64 {
        self.rounds.last().map_or(0, WhyRound::units)
    }

    /// The options that are not produced.
    pub fn not_made(&self) -> impl Iterator<Item = &NotMade> {
        let again = self.again.iter().filter(|again| again.enough);
        let rounds = self.rounds.iter();
        let rounds = rounds.chain(again.flat_map(|again| &again.why.rounds));
        rounds.flat_map(|round| &round.dropped)
    }

    /// Whether a threshold is met by what was held against it.
    pub fn meets(&self, threshold: Threshold) -> bool {
        self.collected >= threshold.target()
    }

    /// What came together, such as `45 of 60 units`, with what is not in it.
    pub fn with_not_made(&self, short: &str, draft: &CampaignDraft) -> String {
        let gone: Vec<String> = self
            .not_made()
            .map(|option| {
                format!(
                    "{} ({} of the {} it needs)",
                    option.name(draft),
                    count(option.units),
                    count(option.minimum)
                )
            })
            .collect();
        if gone.is_empty() {
            short.to_owned()
        } else {
            format!("{short}, without {},", gone.join(" and "))
        }
    }

    /// Line by line, for staff: what was judged, and what was judged again.
    pub fn lines(&self, draft: &CampaignDraft) -> Vec<String> {
        let mut lines = self.told(draft);
        if self.borne_by_merchant > 0 {
            lines.push(format!(
                "Some joined at a better price than this one, before others cancelled: you bear {}.",
                say(self.borne_by_merchant, draft.currency.code())
            ));
        }
        if let Some(again) = &self.again {
            lines.push("Then what was collected was judged again, at the same step.".to_owned());
            lines.extend(again.told(draft));
        }
        lines
    }

    /// What was judged, line by line, for everybody.
    pub fn told(&self, draft: &CampaignDraft) -> Vec<String> {
        let counted = match draft.payment_mode {
            PaymentMode::ChargeOnSuccess => "promised",
            PaymentMode::ChargeNow | PaymentMode::Deposit => "paid",
        };
        self.told_as(draft, counted, "everybody gets the money back")
    }

    fn told_as(&self, draft: &CampaignDraft, counted: &str, short: &str) -> Vec<String> {
        let mut lines = Vec::new();
        let counts = draft.steps.counts();
        for (at, round) in self.rounds.iter().enumerate() {
            let from = counts.get(round.step).copied().unwrap_or(1);
            lines.push(format!(
                "{} {}: the price from {} holds.",
                said_units(round.units()),
                if at == 0 { counted } else { "left" },
                said_units(from)
            ));
            for gone in &round.dropped {
                lines.push(format!(
                    "{} has {} of its minimum of {}: it is not made, and its price goes back.",
                    gone.name(draft),
                    count(gone.units),
                    count(gone.minimum)
                ));
            }
        }
        let said = match draft.threshold {
            Threshold::Units(_) => said_units(self.collected),
            Threshold::Amount(_) => say_collected(self.collected, draft),
        };
        lines.push(format!(
            "{said} against the threshold of {}: {}.",
            say_threshold(draft),
            if self.meets(draft.threshold) {
                "it goes ahead"
            } else {
                short
            }
        ));
        lines
    }
}

impl WhyAgain {
    /// What was judged again, line by line, for everybody.
    pub fn told(&self, draft: &CampaignDraft) -> Vec<String> {
        self.why
            .told_as(draft, "collected", "that is too little for now")
    }
}

fn count(n: i64) -> String {
    thousands(u64::try_from(n).unwrap_or(0))
}

fn said_units(n: i64) -> String {
    if n == 1 {
        "1 unit".to_owned()
    } else {
        format!("{} units", count(n))
    }
}
