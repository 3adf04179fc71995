//! What a campaign's page says of its batches, where it has or may have several.

use chrono::{DateTime, Utc};

use super::draw::threshold_words;
use super::load::Facts;
use crate::domain::campaign::{BatchState, Failure};
use crate::web::view::{BatchLine, BatchPart};

impl Facts {
    /// What one joins: the campaign, and its batch where there are several.
    pub(super) fn title_to_join(&self) -> String {
        let title = &self.campaign.title;
        let gathering = self
            .batches
            .iter()
            .find(|b| b.state == BatchState::Gathering);
        match gathering.filter(|batch| batch.number > 1) {
            Some(batch) => format!("{title}, batch {}", batch.number),
            None => title.clone(),
        }
    }

    /// Its batches, where further ones follow or followed the first.
    pub(super) fn batch_part(&self, now: DateTime<Utc>) -> Option<BatchPart> {
        if !self.draft.late_joins && self.batches.len() < 2 {
            return None;
        }
        let open = self.takes_orders(now);
        let gathering = self
            .batches
            .iter()
            .find(|b| b.state == BatchState::Gathering);
        let number = gathering.map_or(1, |batch| batch.number);
        let lines = self.batches.iter().filter(|batch| !batch.is_empty());
        let lines = lines.map(|batch| BatchLine {
            number: batch.number.into(),
            state: batch.state,
            units: match batch.state {
                BatchState::Gathering => self.campaign.committed_units,
                _ => batch.units_paid,
            },
            missed: batch
                .failure_note
                .clone()
                .filter(|_| batch.failure == Some(Failure::Missed)),
        });
        let shown = self.batch.as_ref().map(|batch| batch.number.into());
        Some(BatchPart {
            shown: shown.filter(|_| self.batches.len() > 1),
            title: match (open, number) {
                (false, _) => "Its batches".to_owned(),
                (true, 1) => "Batch by batch".to_owned(),
                (true, _) => format!("You join batch {number}"),
            },
            lines: match self.batches.len() {
                // The steps and the threshold below say it all.
                1 => Vec::new(),
                _ => lines.map(|line| line.said()).collect(),
            },
            joining: open.then(|| {
                let threshold = threshold_words(&self.draft);
                match number {
                    1 => format!(
                        "Once {threshold} are paid for, this batch is ordered, and the next one begins. Each has its own price and \
                         its own threshold, and counts from nought."
                    ),
                    _ => format!(
                        "It has its own price and its own threshold of {threshold}, and counts from nought: what was ordered \
                         before does not count for it. If it does not come together by the deadline, you get everything back."
                    ),
                }
            }),
        })
    }
}
