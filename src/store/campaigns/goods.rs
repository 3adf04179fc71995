//! Batches from their goods' side, and when their shoppers last heard of it.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::super::schema::{batches, campaigns};
use super::super::{Conn, StoreError};
use super::{BatchRow, CampaignRow};
use crate::domain::campaign::BatchState;
use crate::domain::ids::{BatchId, CampaignId, MerchantId};

/// A merchant's batches with their campaigns, newest first, before `before`.
pub fn batches_of_merchant(
    conn: &mut Conn,
    merchant: MerchantId,
    state: Option<BatchState>,
    before: Option<BatchId>,
    limit: i64,
) -> Result<Vec<(BatchRow, CampaignRow)>, StoreError> {
    let mut query = batches::table
        .inner_join(campaigns::table)
        .filter(campaigns::merchant_id.eq(merchant))
        .filter(campaigns::published_at.is_not_null())
        .select((BatchRow::as_select(), CampaignRow::as_select()))
        .order(batches::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(batches::state.eq(state));
    }
    if let Some(before) = before {
        query = query.filter(batches::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Notes when everything ordered for a batch had arrived or was given up, and when its last parcel had arrived.
pub fn set_goods(
    conn: &mut Conn,
    id: BatchId,
    received_at: Option<NaiveDateTime>,
    completed_at: Option<NaiveDateTime>,
) -> Result<(), StoreError> {
    diesel::update(batches::table.find(id))
        .set((
            batches::received_at.eq(received_at),
            batches::completed_at.eq(completed_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes when something was last heard of a campaign.
pub fn set_last_sign(
    conn: &mut Conn,
    id: CampaignId,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::update(campaigns::table.find(id))
        .set((
            campaigns::last_sign_at.eq(now),
            campaigns::version.eq(campaigns::version + 1),
            campaigns::updated_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}
