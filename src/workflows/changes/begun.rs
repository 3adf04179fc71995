//! The row of a change, as it begins: what was agreed, what is held for it, and who agreed to it.

use chrono::NaiveDateTime;

use super::super::desk::{Problem, merchant};
use super::{Offer, Wish};
use crate::domain::change::ChangeState;
use crate::domain::ids::ChangeId;
use crate::domain::payment::PagePlan;
use crate::store::changes::ChangeRow;
use crate::store::{Tx, changes};

/// A change as its row begins.
pub(super) struct Begun<'a> {
    pub(super) id: ChangeId,
    pub(super) offer: &'a Offer,
    /// The payment of what it costs more; none: it takes effect at once.
    pub(super) attempt: Option<i32>,
    pub(super) hold_expires_at: NaiveDateTime,
    pub(super) form_key: Option<String>,
    pub(super) asked_by: Option<String>,
    /// Under which terms its shopper agreed to it, and from where.
    pub(super) agreed: Option<(i32, String)>,
}

impl Begun<'_> {
    /// Keeps the change's row.
    ///
    /// # Errors
    /// What the database says.
    pub(super) fn keep(self, tx: &mut Tx) -> Result<ChangeRow, Problem> {
        let (now, offer) = (tx.now.naive_utc(), self.offer);
        let planned = self.attempt.is_some();
        let goes_to = offer.goes_to.as_ref().map(serde_json::to_string);
        let row = ChangeRow {
            id: self.id,
            order_id: offer.order.id,
            state: if planned {
                ChangeState::Planned
            } else {
                ChangeState::Done
            },
            attempt: self.attempt,
            had: serde_json::to_string(&offer.before)?,
            wanted: serde_json::to_string(&offer.wanted)?,
            held: serde_json::to_string(&offer.entering)?,
            form_key: self.form_key,
            hold_expires_at: self.hold_expires_at,
            created_at: now,
            closed_at: (!planned).then_some(now),
            asked_by: self.asked_by,
            goes_to: goes_to.transpose()?,
            delivery: offer.delivery,
            agreed_at: self.agreed.is_some().then_some(now),
            agreed_terms: self.agreed.as_ref().map(|(terms, _)| *terms),
            agreed_from: self.agreed.map(|(_, from)| from),
        };
        changes::insert(tx.conn, &row)?;
        Ok(row)
    }
}

/// Keeps the row of a change that is wished now. Its shopper agrees to it by wishing it.
///
/// # Errors
/// What the database says.
pub(super) fn begin(
    tx: &mut Tx,
    wish: &Wish,
    offer: &Offer,
    (attempt, plan): (Option<i32>, PagePlan),
) -> Result<ChangeRow, Problem> {
    let agreed = match (&wish.by, &wish.from) {
        (None, Some(from)) => {
            let terms = merchant(tx, offer.order.merchant_id)?.terms_version;
            Some((terms, from.clone()))
        }
        _ => None,
    };
    let begun = Begun {
        id: ChangeId::new(),
        offer,
        attempt,
        hold_expires_at: plan.hold_expires_at.naive_utc(),
        form_key: wish.form_key.clone(),
        asked_by: wish.by.clone(),
        agreed,
    };
    begun.keep(tx)
}
