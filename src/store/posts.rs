//! What a merchant writes to everybody who joined a campaign, and the corrections under it.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::orders::OrderRow;
use super::schema::{batches, orders, post_corrections, posts};
use super::{Conn, StoreError, each_backend};
use crate::domain::ids::{CampaignId, CorrectionId, MerchantId, OrderId, PostId};
use crate::domain::order::OrderState;

/// An update's row.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = posts, treat_none_as_default_value = false)]
pub struct PostRow {
    /// Its id.
    pub id: PostId,
    /// Whose campaign it is.
    pub merchant_id: MerchantId,
    /// The campaign.
    pub campaign_id: CampaignId,
    /// Its title.
    pub title: String,
    /// What it says, as Markdown.
    pub body: String,
    /// Who of the staff wrote it.
    pub written_by: String,
    /// When.
    pub posted_at: NaiveDateTime,
    /// The form that wrote it: it is written once.
    pub once: Option<String>,
    /// How many shoppers were to get it.
    pub recipients: i64,
    /// When all of them had been written to.
    pub told_at: Option<NaiveDateTime>,
}

/// A correction's row.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = post_corrections, treat_none_as_default_value = false)]
pub struct CorrectionRow {
    /// Its id.
    pub id: CorrectionId,
    /// Under which update it stands.
    pub post_id: PostId,
    /// What it says, as Markdown.
    pub body: String,
    /// The form that wrote it.
    pub once: Option<String>,
    /// Who of the staff wrote it.
    pub written_by: String,
    /// When.
    pub written_at: NaiveDateTime,
}

/// Keeps an update; one of the same form is left as it is. Whether it was new.
pub fn insert(conn: &mut Conn, row: &PostRow) -> Result<bool, StoreError> {
    let new = each_backend!(conn, c => {
        diesel::insert_into(posts::table).values(row).on_conflict_do_nothing().execute(c)?
    });
    Ok(new == 1)
}

/// The update with this id.
pub fn by_id(conn: &mut Conn, id: PostId) -> Result<Option<PostRow>, StoreError> {
    Ok(posts::table
        .find(id)
        .select(PostRow::as_select())
        .first(conn)
        .optional()?)
}

/// The update that a form already wrote.
pub fn by_form(
    conn: &mut Conn,
    campaign: CampaignId,
    once: &str,
) -> Result<Option<PostRow>, StoreError> {
    Ok(posts::table
        .filter(posts::campaign_id.eq(campaign))
        .filter(posts::once.eq(once))
        .select(PostRow::as_select())
        .first(conn)
        .optional()?)
}

/// A campaign's updates, newest first, after `before`.
pub fn of_campaign(
    conn: &mut Conn,
    campaign: CampaignId,
    before: Option<PostId>,
    limit: i64,
) -> Result<Vec<PostRow>, StoreError> {
    let mut query = posts::table
        .filter(posts::campaign_id.eq(campaign))
        .select(PostRow::as_select())
        .order(posts::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(posts::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Notes that everybody was written to.
pub fn set_told(conn: &mut Conn, id: PostId, now: NaiveDateTime) -> Result<(), StoreError> {
    diesel::update(posts::table.find(id))
        .set(posts::told_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Keeps a correction; one of the same form is left as it is. Whether it was new.
pub fn correct(conn: &mut Conn, row: &CorrectionRow) -> Result<bool, StoreError> {
    let new = each_backend!(conn, c => {
        diesel::insert_into(post_corrections::table)
            .values(row)
            .on_conflict_do_nothing()
            .execute(c)?
    });
    Ok(new == 1)
}

/// The corrections under these updates, first to last.
pub fn corrections_of(conn: &mut Conn, ids: &[PostId]) -> Result<Vec<CorrectionRow>, StoreError> {
    Ok(post_corrections::table
        .filter(post_corrections::post_id.eq_any(ids))
        .select(CorrectionRow::as_select())
        .order(post_corrections::id.asc())
        .load(conn)?)
}

/// Orders of a campaign that are paid and not cancelled, in the order of their ids, after `after`.
pub fn recipients(
    conn: &mut Conn,
    campaign: CampaignId,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<OrderRow>, StoreError> {
    // By batch, because orders of a batch lie in the order of their ids.
    let its_batches = batches::table
        .filter(batches::campaign_id.eq(campaign))
        .select(batches::id);
    let mut query = orders::table
        .filter(orders::batch_id.eq_any(its_batches))
        .filter(orders::state.eq_any(OrderState::PAID))
        .select(OrderRow::as_select())
        .order(orders::id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(orders::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// How many shoppers have an order in a campaign that is paid and not cancelled.
pub fn count_recipients(conn: &mut Conn, campaign: CampaignId) -> Result<i64, StoreError> {
    Ok(orders::table
        .filter(orders::campaign_id.eq(campaign))
        .filter(orders::state.eq_any(OrderState::PAID))
        .select(diesel::dsl::count(orders::email).aggregate_distinct())
        .first(conn)?)
}
