//! A campaign's money: what the merchant holds of shoppers, and whether the provider has enough of it to give it back.

use super::Known;
use crate::web::admin::kit::{Facts, fact};
use crate::workflows::money::say;

impl Known {
    fn sum(&self, account: &str) -> i64 {
        self.sums.get(account).copied().unwrap_or(0)
    }

    /// Liabilities are credits, so they are negative in the books.
    pub(super) fn money(&self) -> Facts {
        let say = |amount: i64| say(amount, &self.row.currency);
        let due = -self.sum("refunds_due");
        let kept = -self.sum("customer_deposits");
        let mut facts = vec![
            fact("Shoppers' money with you", say(kept)),
            fact("Refunds on their way", say(due)),
            fact("Owed back if it failed today", say(kept + due)),
        ];
        if self.sum("disputes_held") != 0 {
            facts.push(fact("Held in disputes", say(self.sum("disputes_held"))));
        }
        if self.sum("dispute_losses") != 0 {
            facts.push(fact("Lost in disputes", say(self.sum("dispute_losses"))));
        }
        facts
    }

    /// What would be owed back against what lies at the provider.
    pub(super) fn exposed(&self) -> String {
        let owed = -self.sum("refunds_due") - self.sum("customer_deposits");
        let known = self.balance.as_deref().and_then(balances);
        let here = known
            .iter()
            .flatten()
            .find(|b| b.currency == self.row.currency);
        match here {
            None => "The provider's balance is not known yet.".to_owned(),
            Some(balance) => {
                let at_provider = balance.available.saturating_add(balance.pending);
                let said = format!(
                    "At the provider: {} available, {} on its way.",
                    say(balance.available, &self.row.currency),
                    say(balance.pending, &self.row.currency)
                );
                if owed > at_provider {
                    let missing = say(owed - at_provider, &self.row.currency);
                    format!(
                        "{said} {missing} would be missing for the refunds of this campaign alone: add funds, or stop payouts."
                    )
                } else {
                    format!("{said} Enough for the refunds of this campaign alone.")
                }
            }
        }
    }
}

/// What the jobs wrote down of the provider's balance.
#[derive(serde::Deserialize)]
pub struct KnownBalance {
    /// The currency's code.
    pub currency: String,
    /// Minor units.
    pub available: i64,
    /// Minor units.
    #[serde(default)]
    pub pending: i64,
    /// When it was asked for.
    #[serde(default)]
    pub at: Option<String>,
}

/// Reads it; none where it is not understood.
pub fn balances(setting: &str) -> Option<Vec<KnownBalance>> {
    serde_json::from_str(setting).ok()
}
