//! The batches of a campaign: what is bought in one go, judged by itself (domain section 2, trigger).

use std::collections::HashMap;

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use super::super::schema::{batches, campaigns, options, orders};
use super::super::{Conn, StoreError, each_backend};
use crate::domain::campaign::{BatchState, Failure};
use crate::domain::ids::{BatchId, CampaignId};
use crate::domain::order::OrderState;
use crate::domain::purchase_order::Blocked;

/// A batch's row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = batches)]
pub struct BatchRow {
    /// Its id.
    pub id: BatchId,
    /// Whose batch it is.
    pub campaign_id: CampaignId,
    /// 1 for the first.
    pub number: i32,
    /// Where it stands.
    pub state: BatchState,
    /// The step judged, as an index.
    pub step: Option<i32>,
    /// When it was judged.
    pub judged_at: Option<NaiveDateTime>,
    /// Units that are paid for, at the judgement.
    pub units_paid: i64,
    /// When every order of it had its final price, or its refund committed.
    pub settled_at: Option<NaiveDateTime>,
    /// What keeps its purchase order from being sent.
    pub blocked: Option<Blocked>,
    /// Since when.
    pub blocked_since: Option<NaiveDateTime>,
    /// On how many days staff were warned of it.
    pub blocked_warned: i32,
    /// The day its goods arrive, as last set; none where that is not known.
    pub arrives: Option<NaiveDate>,
    /// The day its parcels go out, as last set; none where that is not known.
    pub ship_date: Option<NaiveDate>,
    /// The first day on which shoppers cannot change their address any more; none: until it is picked.
    pub address_lock: Option<NaiveDate>,
    /// When everything ordered had arrived or was given up.
    pub received_at: Option<NaiveDateTime>,
    /// When its last parcel had arrived.
    pub completed_at: Option<NaiveDateTime>,
    /// How its judgement came about, as JSON.
    pub why: Option<String>,
    /// When saved cards began to be charged.
    pub collecting_since: Option<NaiveDateTime>,
    /// When nothing more was to be collected from saved cards, and that was enough.
    pub collected_at: Option<NaiveDateTime>,
    /// While too little was collected: until when the merchant may buy what is missing.
    pub short_until: Option<NaiveDateTime>,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What was said about it.
    pub failure_note: Option<String>,
    /// Paid orders, at the judgement; of a further batch that was cancelled before it, then.
    pub orders_paid: i64,
}

impl BatchRow {
    /// A new batch that gathers orders.
    pub fn gathering(campaign: CampaignId, number: i32) -> Self {
        Self {
            id: BatchId::new(),
            campaign_id: campaign,
            number,
            state: BatchState::Gathering,
            step: None,
            judged_at: None,
            units_paid: 0,
            settled_at: None,
            blocked: None,
            blocked_since: None,
            blocked_warned: 0,
            arrives: None,
            ship_date: None,
            address_lock: None,
            received_at: None,
            completed_at: None,
            why: None,
            collecting_since: None,
            collected_at: None,
            short_until: None,
            failure: None,
            failure_note: None,
            orders_paid: 0,
        }
    }

    /// Whether it failed without an order in it: nobody came after the batch before.
    pub fn is_empty(&self) -> bool {
        self.state == BatchState::Failed && self.orders_paid == 0 && self.number > 1
    }
}

/// The newest batch of a campaign: the one that gathers orders, or was judged last. The campaign's counters are its.
pub fn batch_of(conn: &mut Conn, id: CampaignId) -> Result<Option<BatchRow>, StoreError> {
    Ok(batches::table
        .filter(batches::campaign_id.eq(id))
        .select(BatchRow::as_select())
        .order(batches::number.desc())
        .first(conn)
        .optional()?)
}

/// The id of a campaign's newest batch.
pub fn newest_batch(conn: &mut Conn, id: CampaignId) -> Result<Option<BatchId>, StoreError> {
    Ok(batches::table
        .filter(batches::campaign_id.eq(id))
        .select(batches::id)
        .order(batches::number.desc())
        .first(conn)
        .optional()?)
}

/// All batches of a campaign.
pub fn batches_of(conn: &mut Conn, id: CampaignId) -> Result<Vec<BatchRow>, StoreError> {
    Ok(batches::table
        .filter(batches::campaign_id.eq(id))
        .select(BatchRow::as_select())
        .order(batches::number.asc())
        .load(conn)?)
}

/// All batches of these campaigns, each campaign's first to last.
pub fn batches_of_all(
    conn: &mut Conn,
    ids: &[CampaignId],
) -> Result<HashMap<CampaignId, Vec<BatchRow>>, StoreError> {
    let rows = batches::table
        .filter(batches::campaign_id.eq_any(ids))
        .select(BatchRow::as_select())
        .order(batches::number.asc())
        .load::<BatchRow>(conn)?;
    let mut all: HashMap<CampaignId, Vec<BatchRow>> = HashMap::new();
    for row in rows {
        all.entry(row.campaign_id).or_default().push(row);
    }
    Ok(all)
}

/// The batch with this id.
pub fn batch(conn: &mut Conn, id: BatchId) -> Result<Option<BatchRow>, StoreError> {
    let found = each_backend!(conn, c => batches::table
        .find(id)
        .select(BatchRow::as_select())
        .first(c)
        .optional()?);
    Ok(found)
}

/// Changes a batch's state where it is still `from`.
pub fn move_batch(
    conn: &mut Conn,
    id: BatchId,
    from: BatchState,
    to: BatchState,
) -> Result<(), StoreError> {
    let changed = diesel::update(
        batches::table
            .filter(batches::id.eq(id))
            .filter(batches::state.eq(from)),
    )
    .set(batches::state.eq(to))
    .execute(conn)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict("the batch's state"))
    }
}

/// Keeps the outcome of a judgement.
pub fn set_judged(
    conn: &mut Conn,
    id: BatchId,
    step: i32,
    (units_paid, orders_paid): (i64, i64),
    why: &str,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::update(batches::table.find(id))
        .set((
            batches::step.eq(step),
            batches::judged_at.eq(now),
            batches::units_paid.eq(units_paid),
            batches::orders_paid.eq(orders_paid),
            batches::why.eq(why),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps how a batch was judged, where more is to be said of it.
pub fn set_why(conn: &mut Conn, id: BatchId, why: &str) -> Result<(), StoreError> {
    diesel::update(batches::table.find(id))
        .set(batches::why.eq(why))
        .execute(conn)?;
    Ok(())
}

/// Notes how far the collecting of a batch is.
pub fn set_collecting(
    conn: &mut Conn,
    id: BatchId,
    since: Option<NaiveDateTime>,
    ended: Option<NaiveDateTime>,
    short_until: Option<NaiveDateTime>,
) -> Result<(), StoreError> {
    diesel::update(batches::table.find(id))
        .set((
            batches::collecting_since.eq(since),
            batches::collected_at.eq(ended),
            batches::short_until.eq(short_until),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes that every order of a batch is settled.
pub fn set_settled(
    conn: &mut Conn,
    id: BatchId,
    now: Option<NaiveDateTime>,
) -> Result<(), StoreError> {
    diesel::update(batches::table.find(id))
        .set(batches::settled_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Notes what blocks a batch's purchase order, and on how many days staff were warned.
pub fn set_blocked(
    conn: &mut Conn,
    id: BatchId,
    blocked: Option<Blocked>,
    since: Option<NaiveDateTime>,
    warned: i32,
) -> Result<(), StoreError> {
    diesel::update(batches::table.find(id))
        .set((
            batches::blocked.eq(blocked),
            batches::blocked_since.eq(since),
            batches::blocked_warned.eq(warned),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes why a batch failed.
pub fn set_batch_failure(
    conn: &mut Conn,
    id: BatchId,
    failure: Failure,
    note: Option<&str>,
) -> Result<(), StoreError> {
    diesel::update(batches::table.find(id))
        .set((batches::failure.eq(failure), batches::failure_note.eq(note)))
        .execute(conn)?;
    Ok(())
}

/// Keeps what is paid for in a batch that ends without a judgement.
pub fn set_counted(
    conn: &mut Conn,
    id: BatchId,
    (units_paid, orders_paid): (i64, i64),
) -> Result<(), StoreError> {
    diesel::update(batches::table.find(id))
        .set((
            batches::units_paid.eq(units_paid),
            batches::orders_paid.eq(orders_paid),
        ))
        .execute(conn)?;
    Ok(())
}

/// A campaign's next batch begins to gather: its counters start from nought, and what is not paid yet is its own.
pub fn begin_batch(
    conn: &mut Conn,
    before: BatchId,
    batch: &BatchRow,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    each_backend!(conn, c => diesel::insert_into(batches::table).values(batch).execute(c)?);
    diesel::update(campaigns::table.find(batch.campaign_id))
        .set((
            campaigns::committed_units.eq(0),
            campaigns::collected_units.eq(0),
            campaigns::collected_orders.eq(0),
            campaigns::best_step_told.eq(0),
            campaigns::version.eq(campaigns::version + 1),
            campaigns::updated_at.eq(now),
        ))
        .execute(conn)?;
    diesel::update(options::table.filter(options::campaign_id.eq(batch.campaign_id)))
        .set((options::committed.eq(0), options::collected.eq(0)))
        .execute(conn)?;
    diesel::update(
        orders::table
            .filter(orders::batch_id.eq(before))
            .filter(orders::state.eq_any([OrderState::Pending, OrderState::Waitlisted])),
    )
    .set(orders::batch_id.eq(batch.id))
    .execute(conn)?;
    Ok(())
}

/// The newest batch of every campaign.
pub fn newest_batches(conn: &mut Conn) -> Result<HashMap<CampaignId, BatchId>, StoreError> {
    let rows: Vec<(CampaignId, BatchId)> = batches::table
        .order(batches::number.asc())
        .select((batches::campaign_id, batches::id))
        .load(conn)?;
    Ok(rows.into_iter().collect())
}
