//! The batches of a campaign (domain section 2, trigger): a batch moves, and its campaign's state follows from all of them.
//! With further batches the newest one gathers, and the campaign's counters are its; an earlier one keeps what it had when
//! it was judged. The campaign is locked by the caller.

use super::desk::{Concerns, Problem, happened};
use crate::domain::campaign::{BatchEvent, BatchState, CampaignEvent, CampaignState, Failure};
use crate::domain::ids::{BatchId, CampaignId};
use crate::store::campaigns::{BatchRow, CampaignRow, OptionRow};
use crate::store::orders::OrderRow;
use crate::store::{Conn, Tx, campaigns, orders};

/// Something happened to a batch: it moves, and its campaign follows.
///
/// # Errors
/// A conflict where the batch's state does not allow it; what the database says.
pub fn advance(tx: &mut Tx, batch: &BatchRow, event: BatchEvent) -> Result<(), Problem> {
    let to = batch.state.after(event)?;
    campaigns::move_batch(tx.conn, batch.id, batch.state, to)?;
    follow(tx, batch)
}

/// A batch failed: it keeps why, and its campaign follows.
///
/// # Errors
/// A conflict where the batch's state does not allow it; what the database says.
pub fn fail(
    tx: &mut Tx,
    batch: &BatchRow,
    failure: Failure,
    note: Option<&str>,
) -> Result<(), Problem> {
    campaigns::set_batch_failure(tx.conn, batch.id, failure, note)?;
    let judged = campaigns::batch(tx.conn, batch.id)?.is_some_and(|row| row.judged_at.is_some());
    if batch.number > 1 && !judged {
        // Cancelled while it gathered: whether anybody was in it.
        let campaign = campaigns::by_id(tx.conn, batch.campaign_id)?;
        let counted = campaign.map_or((0, 0), |row| (row.collected_units, row.collected_orders));
        campaigns::set_counted(tx.conn, batch.id, counted)?;
    }
    advance(tx, batch, BatchEvent::Failed(failure))
}

/// Brings a campaign to what its batches come to, after one of them moved.
fn follow(tx: &mut Tx, moved: &BatchRow) -> Result<(), Problem> {
    let id = moved.campaign_id;
    let campaign = campaigns::by_id(tx.conn, id)?.ok_or(Problem::NotFound("campaign"))?;
    let all = campaigns::batches_of(tx.conn, id)?;
    let to = CampaignState::of_batches(all.iter().map(|batch| batch.state));
    let event = match campaign.state {
        state if state == to => return Ok(()),
        // Called off before it opened: its first batch gathers, and nobody is in it.
        CampaignState::Interest | CampaignState::Scheduled => CampaignEvent::CalledOff,
        CampaignState::Draft
        | CampaignState::Open
        | CampaignState::Collecting
        | CampaignState::Ordered
        | CampaignState::Fulfilling
        | CampaignState::Completed
        | CampaignState::Failed => CampaignEvent::Followed(to),
    };
    let to = campaign.state.after(event)?;
    // All failed, for the reason of the last one that anybody was in.
    let last = all.iter().find(|batch| batch.id == moved.id);
    let last = last.filter(|batch| !batch.is_empty());
    let last = last.or_else(|| all.iter().rev().find(|batch| !batch.is_empty()));
    let failure = last
        .and_then(|batch| Some((batch.failure?, batch.failure_note.as_deref())))
        .filter(|_| to == CampaignState::Failed);
    let now = tx.now.naive_utc();
    campaigns::move_state(tx.conn, id, campaign.state, to, failure, now)?;
    tx.touch(id);
    Ok(())
}

/// Whether a batch is the one whose units and orders its campaign's counters count: the newest.
///
/// # Errors
/// What the database says.
pub fn is_counted(conn: &mut Conn, campaign: CampaignId, batch: BatchId) -> Result<bool, Problem> {
    Ok(campaigns::newest_batch(conn, campaign)? == Some(batch))
}

/// Whether a batch was judged whose orders have not all got their final price yet: it is read from the offer.
///
/// # Errors
/// What the database says.
pub fn is_settling(conn: &mut Conn, campaign: CampaignId) -> Result<bool, Problem> {
    let all = campaigns::batches_of(conn, campaign)?;
    Ok(all.iter().any(|batch| {
        batch.state == BatchState::Collecting
            && batch.judged_at.is_some()
            && batch.settled_at.is_none()
    }))
}

/// An order that is paid now is in the batch that gathers, whichever gathered when it was placed.
///
/// # Errors
/// What the database says.
pub fn enter(tx: &mut Tx, campaign: &CampaignRow, order: &mut OrderRow) -> Result<(), Problem> {
    if campaign.state != CampaignState::Open {
        return Ok(());
    }
    let newest = campaigns::newest_batch(tx.conn, campaign.id)?;
    let newest = newest.ok_or(Problem::NotFound("batch"))?;
    if order.batch_id != newest {
        order.batch_id = newest;
        order.settled = false;
    }
    Ok(())
}

/// Whether an order's batch failed, so that what is paid for it only now goes back.
///
/// # Errors
/// What the database says.
pub fn has_failed(tx: &mut Tx, campaign: &CampaignRow, order: &OrderRow) -> Result<bool, Problem> {
    Ok(match campaign.state {
        CampaignState::Failed => true,
        // What is not paid yet is in the batch that gathers.
        CampaignState::Open => false,
        _ => campaigns::batch(tx.conn, order.batch_id)?
            .is_some_and(|batch| batch.state == BatchState::Failed),
    })
}

/// The next batch gathers from now on: the campaign's counters start from nought, and what is not paid yet is its own. The
/// caller judges the one before.
///
/// # Errors
/// What the database says.
pub fn begin_next(tx: &mut Tx, campaign: &CampaignRow, before: &BatchRow) -> Result<(), Problem> {
    let next = BatchRow::gathering(campaign.id, before.number + 1);
    let now = tx.now.naive_utc();
    campaigns::begin_batch(tx.conn, before.id, &next, now)?;
    tx.touch(campaign.id);
    happened(
        tx,
        Concerns::campaign(campaign),
        "system",
        "next_batch",
        format!(
            "Batch {} has come together: who pays from now on is in batch {}.",
            before.number, next.number
        ),
    )
}

/// A batch's number, where its campaign has several.
///
/// # Errors
/// What the database says.
pub fn number(conn: &mut Conn, batch: &BatchRow) -> Result<Option<i32>, Problem> {
    let several = batch.number > 1 || !is_counted(conn, batch.campaign_id, batch.id)?;
    Ok(several.then_some(batch.number))
}

/// What something said of a batch begins with, where its campaign has several: `Batch 2: `.
///
/// # Errors
/// What the database says.
pub fn said(conn: &mut Conn, batch: &BatchRow) -> Result<String, Problem> {
    let number = number(conn, batch)?;
    Ok(number.map_or_else(String::new, |number| format!("Batch {number}: ")))
}

/// The campaign's title in what is said of an order of this batch, with the batch where there are several: `Pens, batch 2`.
///
/// # Errors
/// What the database says.
pub fn title(conn: &mut Conn, campaign: &CampaignRow, batch: BatchId) -> Result<String, Problem> {
    let batch = campaigns::batch(conn, batch)?.ok_or(Problem::NotFound("batch"))?;
    Ok(match number(conn, &batch)? {
        None => campaign.title.clone(),
        Some(number) => format!("{}, batch {number}", campaign.title),
    })
}

/// The batch that a campaign's state speaks of: the one that gathers; then the newest of its least advanced batches that
/// did not fail; where all failed, the last one that anybody was in.
pub fn shown(all: &[BatchRow], state: CampaignState) -> Option<&BatchRow> {
    let speaks = |batch: &&BatchRow| CampaignState::of_batches([batch.state]) == state;
    let speaking = all.iter().rev().filter(speaks).find(|b| !b.is_empty());
    speaking.or_else(|| all.iter().rev().find(|batch| !batch.is_empty()))
}

/// As [`shown`], read from the store.
///
/// # Errors
/// What the database says.
pub fn shown_of(conn: &mut Conn, campaign: &CampaignRow) -> Result<Option<BatchRow>, Problem> {
    let all = campaigns::batches_of(conn, campaign.id)?;
    Ok(shown(&all, campaign.state).cloned())
}

/// A campaign's options with the counters of the batch that its state speaks of; what is taken stays the whole campaign's.
///
/// # Errors
/// What the database says.
pub fn options_shown(
    conn: &mut Conn,
    campaign: &CampaignRow,
    shown: Option<&BatchRow>,
) -> Result<Vec<OptionRow>, Problem> {
    let mut rows = campaigns::options_of(conn, campaign.id)?;
    if let Some(batch) = shown
        && !is_counted(conn, campaign.id, batch.id)?
    {
        let paid = orders::paid_units(conn, batch.id)?;
        for row in &mut rows {
            let units = paid.iter().find(|(option, _)| *option == row.id);
            row.collected = units.map_or(0, |(_, units)| *units);
            row.committed = row.collected;
        }
    }
    Ok(rows)
}

/// Units committed, units paid and paid orders of the batch that a campaign's state speaks of.
pub fn counts_shown(campaign: &CampaignRow, all: &[BatchRow]) -> (i64, i64, i64) {
    let newest = all.last().map(|batch| batch.id);
    match shown(all, campaign.state).filter(|batch| Some(batch.id) != newest) {
        Some(batch) => (batch.units_paid, batch.units_paid, batch.orders_paid),
        None => (
            campaign.committed_units,
            campaign.collected_units,
            campaign.collected_orders,
        ),
    }
}

/// Campaigns with the counts of the batch that the state of each speaks of, for lists.
///
/// # Errors
/// What the database says.
pub fn with_counts_shown(
    conn: &mut Conn,
    mut rows: Vec<CampaignRow>,
) -> Result<Vec<CampaignRow>, Problem> {
    let ids: Vec<CampaignId> = rows.iter().map(|row| row.id).collect();
    let all = campaigns::batches_of_all(conn, &ids)?;
    for row in &mut rows {
        if let Some(batches) = all.get(&row.id) {
            let (committed, collected, orders) = counts_shown(row, batches);
            row.committed_units = committed;
            row.collected_units = collected;
            row.collected_orders = orders;
        }
    }
    Ok(rows)
}

/// Units committed, units paid and paid orders of a whole campaign: of batches that were judged before, as they were then.
pub fn counts_whole(campaign: &CampaignRow, all: &[BatchRow]) -> (i64, i64, i64) {
    let newest = all.last().map(|batch| batch.id);
    let earlier = all
        .iter()
        .filter(|batch| Some(batch.id) != newest && batch.state != BatchState::Failed);
    let (units, orders) = earlier.fold((0, 0), |(units, orders), batch| {
        (units + batch.units_paid, orders + batch.orders_paid)
    });
    (
        campaign.committed_units + units,
        campaign.collected_units + units,
        campaign.collected_orders + orders,
    )
}
