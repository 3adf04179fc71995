//! What somebody is shown of a change before agreeing to it, and what of it has moved since.

use serde::{Deserialize, Serialize};

use super::super::money::say;
use super::Offer;

/// Option code, units, and what each costs in minor units.
type Line = (String, i64, i64);

/// The figures of a change as they were shown; all amounts in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    had: Vec<Line>,
    was: i64,
    lines: Vec<Line>,
    shipping: i64,
    tax: i64,
    total: i64,
    pay: i64,
    back: i64,
}

impl Shown {
    /// What is shown of this one.
    pub(super) fn of(offer: &Offer) -> Self {
        let (before, wanted) = (&offer.before, &offer.wanted);
        let had = before.lines.iter();
        let lines = wanted.lines.iter().zip(&wanted.quote.lines);
        Self {
            had: had
                .map(|l| (l.sku.clone(), l.quantity, l.unit_price))
                .collect(),
            was: before.total,
            lines: lines
                .map(|(line, priced)| (line.sku.clone(), priced.quantity, priced.unit_price))
                .collect(),
            shipping: wanted.quote.shipping,
            tax: wanted.quote.tax(),
            total: wanted.quote.total,
            pay: offer.moved.pay,
            back: offer.moved.back,
        }
    }

    /// As a form carries it.
    ///
    /// # Errors
    /// Never, for what was shown.
    pub fn written(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(self)
    }

    /// What a form carried; none where it cannot be read.
    pub fn read(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// What moved since this was shown, a sentence each; nothing where all is the same.
    pub fn moved(&self, now: &Offer) -> Vec<String> {
        let is = now.shown();
        let money = |amount| say(amount, &now.order.currency);
        let mut said = Vec::new();
        if self.had != is.had || self.was != is.was {
            said.push("The order itself was changed meanwhile.".to_owned());
        }
        if self.total != is.total {
            said.push(format!(
                "The new total was {} when you last saw it, and is {} now.",
                money(self.total),
                money(is.total)
            ));
        }
        for (line, (sku, _, price)) in now.wanted.lines.iter().zip(&is.lines) {
            let before = self.lines.iter().find(|(other, _, _)| other == sku);
            if let Some((_, _, before)) = before.filter(|(_, _, before)| before != price) {
                let why = if before < price {
                    "because others left"
                } else {
                    "because others joined, or the price was lowered"
                };
                said.push(format!(
                    "{} costs {} each now, not {}, {why}.",
                    line.name,
                    money(*price),
                    money(*before)
                ));
            }
        }
        if said.is_empty() && *self != is {
            said.push("What is charged or goes back for it is not what you last saw.".to_owned());
        }
        said
    }
}
