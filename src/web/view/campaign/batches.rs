//! What a campaign's page says of its batches.

use crate::domain::campaign::BatchState;
use crate::web::view::{grouped, plural};

/// One batch of several.
#[derive(Clone, Debug)]
pub struct BatchLine {
    /// Its number.
    pub number: i64,
    /// Where it stands.
    pub state: BatchState,
    /// Units that were paid for when it was judged; those of the one that gathers, so far.
    pub units: i64,
    /// Where it failed for want of orders: how far it came, such as `45 of 60 units`.
    pub missed: Option<String>,
}

impl BatchLine {
    /// One sentence.
    pub fn said(&self) -> String {
        let units = plural(self.units, "unit");
        let number = grouped(self.number);
        match (self.state, &self.missed) {
            (BatchState::Gathering, _) => format!("Batch {number} gathers: {units} so far."),
            (BatchState::Collecting, _) => {
                format!(
                    "Batch {number} of {units} came together; its order to the supplier goes out next."
                )
            }
            (BatchState::Ordered, _) => format!("Batch {number} of {units} is ordered."),
            (BatchState::Fulfilling, _) => {
                format!("Batch {number} of {units} is arriving and being shipped.")
            }
            (BatchState::Completed, _) => format!("Batch {number} of {units} is completed."),
            (BatchState::Failed, Some(missed)) => format!(
                "Batch {number} came to {missed}: it did not come together, and everybody in it is refunded."
            ),
            (BatchState::Failed, None) => {
                format!("Batch {number} failed, and everybody in it is refunded.")
            }
        }
    }
}

/// The batches of a campaign that may have several.
#[derive(Clone, Debug)]
pub struct BatchPart {
    /// The number of the batch that prices, threshold and dates on the page are those of; none where there is one only.
    pub shown: Option<i64>,
    /// What stands above.
    pub title: String,
    /// Sentences, one for a batch.
    pub lines: Vec<String>,
    /// What it means for whoever joins now; nothing where nobody can.
    pub joining: Option<String>,
}
