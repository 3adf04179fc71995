//! What is missing to the next step (domain section 3).

use super::super::desk::Problem;
use crate::domain::draft::{CampaignDraft, PaymentMode};
use crate::domain::price::next_by_limits;
use crate::store::campaigns::CampaignRow;
use crate::store::{Conn, dues};

/// The index of the step after the one reached, and how many units are missing to it; none at the last. Orders that wait for
/// a later step count for that one only.
///
/// # Errors
/// What the database says.
pub fn next_step(
    conn: &mut Conn,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
) -> Result<Option<(usize, i64)>, Problem> {
    if draft.payment_mode != PaymentMode::ChargeOnSuccess {
        return Ok(draft.steps.next(campaign.committed_units));
    }
    let by_limit = units_by_limit(conn, campaign, draft)?;
    Ok(next_by_limits(&draft.steps, &by_limit))
}

/// Committed units by the step that they wait for: one sum for each step of the campaign.
///
/// # Errors
/// What the database says.
pub(in crate::workflows) fn units_by_limit(
    conn: &mut Conn,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
) -> Result<Vec<i64>, Problem> {
    let mut sums = vec![0; draft.steps.len()];
    for (step, units) in dues::limits_of(conn, campaign.id)? {
        let at = usize::try_from(step).ok();
        if let Some(sum) = at.and_then(|at| sums.get_mut(at)) {
            *sum = units;
        }
    }
    Ok(sums)
}
