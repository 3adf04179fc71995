//! The trigger `at_threshold`: a batch is judged as soon as its paid orders would succeed with no option dropped (domain
//! section 2, trigger).

use super::super::desk::{Concerns, Desk, Problem, happened};
use super::super::{batches, changes};
use super::{Paid, decide, does_not_fit, gathering};
use crate::domain::campaign::CampaignState;
use crate::domain::draft::{CampaignDraft, Trigger};
use crate::domain::outcome::would_succeed_whole;
use crate::store::campaigns::CampaignRow;
use crate::store::{Tx, campaigns};

/// With the trigger `at_threshold`, ends joining once the paid orders would succeed with no option dropped; whether it did
/// so now. The caller asks for the judgement. With further batches joining goes on: the batch is judged here and now, with
/// the order that crosses whole in it, and the next one gathers; payment pages that are open belong to that one, so none
/// is waited for.
///
/// # Errors
/// What the database says.
pub fn close_by_trigger(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
) -> Result<bool, Problem> {
    if draft.trigger != Trigger::AtThreshold
        || campaign.state != CampaignState::Open
        || campaign.closed_at.is_some()
    {
        return Ok(false);
    }
    let now = tx.now.naive_utc();
    if draft.late_joins && now >= campaign.deadline {
        // Judged by its deadline, once what was held before it is paid or has run out.
        return Ok(false);
    }
    let paid = Paid::now(tx.conn, campaign, draft)?;
    if !would_succeed_whole(&paid.input(draft)).map_err(does_not_fit)? {
        return Ok(false);
    }
    if draft.late_joins {
        next_batch(desk, tx, campaign, draft)?;
        return Ok(false);
    }
    if !campaigns::close(tx.conn, campaign.id, now)? {
        return Ok(false);
    }
    changes::end_of_joining(tx, campaign.id)?;
    happened(
        tx,
        Concerns::campaign(campaign),
        "system",
        "threshold_reached",
        "The threshold is paid: joining has ended.",
    )?;
    tx.touch(campaign.id);
    Ok(true)
}

/// Judges the batch that gathers, which is whole, and begins the next one.
fn next_batch(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
) -> Result<(), Problem> {
    // Read again: its counts are kept with the batch.
    let campaign = campaigns::by_id(tx.conn, campaign.id)?.ok_or(Problem::NotFound("campaign"))?;
    let batch = gathering(tx, &campaign)?;
    batches::begin_next(tx, &campaign, &batch)?;
    changes::end_of_batch(tx, batch.id)?;
    decide(desk, tx, &campaign, &batch, draft)
}
