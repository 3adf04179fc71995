//! What a shopper was promised, and the delay that waits for his answer.

use chrono::{DateTime, Utc};

use super::Facts;
use crate::web::view::{Day, PromiseRow, PromiseTable, TermsRef};

impl Facts {
    /// Every date he was told, newest first.
    pub(super) fn promise_table(&self, _now: DateTime<Utc>) -> PromiseTable {
        let first = self
            .agreed
            .promised
            .unwrap_or(self.draft.promised_ship_date);
        PromiseTable {
            rows: vec![PromiseRow {
                told: self.moment(self.order.created_at),
                ships: Some(Day(first)),
                replaced: false,
                why: "When you joined".to_owned(),
                answer: None,
                href: None,
            }],
            now: None,
            last_day: Day(self.draft.stop_loss_date),
            terms: (self.order.terms_version > 0).then(|| TermsRef {
                version: i64::from(self.order.terms_version),
                href: format!("/m/{}#terms", self.merchant.slug),
            }),
        }
    }
}
