//! What can be made to go wrong: webhooks, the API, the balance. Kept in the books; a change names only what it changes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How webhooks go out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Webhooks {
    /// Once, at once.
    #[default]
    Normal,
    /// Each twice.
    Duplicate,
    /// Held for a moment, then newest first.
    Reorder,
    /// Ten minutes later, by the sandbox's clock.
    Delay,
    /// Never; still listed.
    Drop,
}

/// How the API answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Api {
    /// As asked.
    #[default]
    Normal,
    /// Does it, and answers 500; the key replays that 500.
    ErrorAfterEffect,
    /// Does it, and does not answer; the key replays the real answer.
    HangAfterEffect,
    /// 429, without effect.
    RateLimit,
    /// The connection breaks, without effect.
    Down,
}

/// Whether refunds are covered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Balance {
    /// As the books say.
    #[default]
    Normal,
    /// Nothing is available: refunds stay pending.
    Short,
}

/// What is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
pub struct Faults {
    /// Deliveries.
    pub webhooks: Webhooks,
    /// API calls.
    pub api: Api,
    /// Refunds.
    pub balance: Balance,
}

/// Name and allowed words of each fault, as the form and the errors list them.
pub const ALLOWED: [(&str, &[&str]); 3] = [
    (
        "webhooks",
        &["normal", "duplicate", "reorder", "delay", "drop"],
    ),
    (
        "api",
        &[
            "normal",
            "error_after_effect",
            "hang_after_effect",
            "rate_limit",
            "down",
        ],
    ),
    ("balance", &["normal", "short"]),
];

/// One thing wrong with a change: the field and what to write instead.
pub type Complaint = (String, String);

impl Faults {
    /// Whether anything is set.
    pub fn any(&self) -> bool {
        *self != Faults::default()
    }

    /// These faults with the changes named in a JSON object; or every complaint about it.
    pub fn changed(self, change: &Value) -> Result<Faults, Vec<Complaint>> {
        let Some(change) = change.as_object() else {
            return Err(vec![("".into(), "must be a JSON object".into())]);
        };
        let mut all = json!(self);
        let mut complaints = Vec::new();
        for (name, word) in change {
            let Some((_, words)) = ALLOWED.iter().find(|(n, _)| n == name) else {
                let names = ALLOWED.map(|(n, _)| n).join(", ");
                complaints.push((name.clone(), format!("is not known; known are {names}")));
                continue;
            };
            match word.as_str() {
                Some(w) if words.contains(&w) => all[name.as_str()] = word.clone(),
                _ => {
                    complaints.push((name.clone(), format!("must be one of {}", words.join(", "))))
                }
            }
        }
        if !complaints.is_empty() {
            return Err(complaints);
        }
        serde_json::from_value(all).map_err(|e| vec![("".into(), e.to_string())])
    }
}
