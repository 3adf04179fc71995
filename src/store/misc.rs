//! Small tables: settings, stored webhooks, happenings, pictures, and answers to keyed API calls.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::kept::kept;
use super::schema::{api_answers, happenings, pictures, settings, webhook_events};
use super::{Conn, StoreError, each_backend};
use crate::domain::ids::{CampaignId, HappeningId, MerchantId, OrderId, PictureId};

/// The value of a setting of the server's own.
pub fn setting(conn: &mut Conn, name: &str) -> Result<Option<String>, StoreError> {
    Ok(settings::table
        .find(name)
        .select(settings::value)
        .first(conn)
        .optional()?)
}

/// How often something of a kind happened to orders of a campaign.
pub fn happened_to(conn: &mut Conn, campaign: CampaignId, kind: &str) -> Result<i64, StoreError> {
    Ok(happenings::table
        .filter(happenings::campaign_id.eq(campaign))
        .filter(happenings::order_id.is_not_null())
        .filter(happenings::kind.eq(kind))
        .count()
        .get_result(conn)?)
}

/// Keeps a setting.
pub fn set_setting(conn: &mut Conn, name: &str, value: &str) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(settings::table)
            .values((settings::name.eq(name), settings::value.eq(value)))
            .on_conflict(settings::name)
            .do_update()
            .set(settings::value.eq(value))
            .execute(c)?;
    });
    Ok(())
}

/// Forgets a setting.
pub fn clear_setting(conn: &mut Conn, name: &str) -> Result<(), StoreError> {
    diesel::delete(settings::table.find(name)).execute(conn)?;
    Ok(())
}

/// Stores a verified webhook once by its id; whether it was new.
pub fn store_webhook(
    conn: &mut Conn,
    id: &str,
    kind: &str,
    body: &str,
    now: NaiveDateTime,
) -> Result<bool, StoreError> {
    let new = each_backend!(conn, c => {
        diesel::insert_into(webhook_events::table)
            .values((
                webhook_events::id.eq(id),
                webhook_events::kind.eq(kind),
                webhook_events::body.eq(body),
                webhook_events::received_at.eq(now),
            ))
            .on_conflict_do_nothing()
            .execute(c)?
    });
    Ok(new == 1)
}

/// A stored webhook: its kind, its body, and whether it was worked off.
pub fn webhook(conn: &mut Conn, id: &str) -> Result<Option<(String, String, bool)>, StoreError> {
    let row: Option<(String, String, Option<NaiveDateTime>)> = webhook_events::table
        .find(id)
        .select((
            webhook_events::kind,
            webhook_events::body,
            webhook_events::done_at,
        ))
        .first(conn)
        .optional()?;
    Ok(row.map(|(kind, body, done)| (kind, body, done.is_some())))
}

/// Notes that a webhook was worked off, and how.
pub fn webhook_done(
    conn: &mut Conn,
    id: &str,
    outcome: &str,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::update(webhook_events::table.find(id))
        .set((
            webhook_events::done_at.eq(now),
            webhook_events::outcome.eq(outcome),
        ))
        .execute(conn)?;
    Ok(())
}

/// Throws away webhooks that were worked off before `before`, keeping their ids for a while is not needed: the
/// provider repeats for three days.
pub fn prune_webhooks(conn: &mut Conn, before: NaiveDateTime) -> Result<usize, StoreError> {
    Ok(diesel::delete(
        webhook_events::table
            .filter(webhook_events::done_at.is_not_null())
            .filter(webhook_events::received_at.lt(before)),
    )
    .execute(conn)?)
}

/// Something that happened.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = happenings, treat_none_as_default_value = false)]
pub struct HappeningRow {
    /// Its id.
    pub id: HappeningId,
    /// At whose shop.
    pub merchant_id: MerchantId,
    /// In which campaign.
    pub campaign_id: Option<CampaignId>,
    /// To which order.
    pub order_id: Option<OrderId>,
    /// Who did it: `system`, `shopper`, `supplier`, or a person of the staff by name.
    pub actor: String,
    /// A constant word for it.
    pub kind: String,
    /// The sentence for people.
    pub detail: String,
    /// When.
    pub at: NaiveDateTime,
}

/// Keeps what happened.
pub fn happened(conn: &mut Conn, row: &HappeningRow) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        kept!(diesel::insert_into(happenings::table).values(row)).execute(c)?;
    });
    Ok(())
}

/// What happened to an order, oldest first.
pub fn happenings_of_order(
    conn: &mut Conn,
    order: OrderId,
) -> Result<Vec<HappeningRow>, StoreError> {
    Ok(happenings::table
        .filter(happenings::order_id.eq(order))
        .select(HappeningRow::as_select())
        .order(happenings::id.asc())
        .load(conn)?)
}

/// What happened to a campaign as a whole, newest first.
pub fn happenings_of_campaign(
    conn: &mut Conn,
    campaign: CampaignId,
    limit: i64,
) -> Result<Vec<HappeningRow>, StoreError> {
    Ok(happenings::table
        .filter(happenings::campaign_id.eq(campaign))
        .filter(happenings::order_id.is_null())
        .select(HappeningRow::as_select())
        .order(happenings::id.desc())
        .limit(limit)
        .load(conn)?)
}

/// A picture's row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = pictures)]
pub struct PictureRow {
    /// Its id.
    pub id: PictureId,
    /// Whose picture it is.
    pub campaign_id: CampaignId,
    /// Its place.
    pub position: i32,
    /// Its file's name in the uploads.
    pub file: String,
    /// Its media type.
    pub media_type: String,
    /// Pixels.
    pub width: i32,
    /// Pixels.
    pub height: i32,
    /// What is seen.
    pub alt: String,
    /// When it came.
    pub created_at: NaiveDateTime,
}

/// Keeps a picture.
pub fn insert_picture(conn: &mut Conn, row: &PictureRow) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(pictures::table).values(row).execute(c)?;
    });
    Ok(())
}

/// A campaign's pictures in their order.
pub fn pictures_of(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<PictureRow>, StoreError> {
    Ok(pictures::table
        .filter(pictures::campaign_id.eq(campaign))
        .select(PictureRow::as_select())
        .order((pictures::position.asc(), pictures::id.asc()))
        .load(conn)?)
}

/// The first pictures of several campaigns.
pub fn pictures_of_all(
    conn: &mut Conn,
    campaigns: &[CampaignId],
) -> Result<Vec<PictureRow>, StoreError> {
    Ok(pictures::table
        .filter(pictures::campaign_id.eq_any(campaigns))
        .select(PictureRow::as_select())
        .order((pictures::position.asc(), pictures::id.asc()))
        .load(conn)?)
}

/// Changes a picture's text and place.
pub fn save_picture(
    conn: &mut Conn,
    id: PictureId,
    alt: &str,
    position: i32,
) -> Result<(), StoreError> {
    diesel::update(pictures::table.find(id))
        .set((pictures::alt.eq(alt), pictures::position.eq(position)))
        .execute(conn)?;
    Ok(())
}

/// Takes a picture out of its campaign; its row, if it was there.
pub fn delete_picture(
    conn: &mut Conn,
    campaign: CampaignId,
    id: PictureId,
) -> Result<Option<PictureRow>, StoreError> {
    let row: Option<PictureRow> = pictures::table
        .filter(pictures::id.eq(id))
        .filter(pictures::campaign_id.eq(campaign))
        .select(PictureRow::as_select())
        .first(conn)
        .optional()?;
    if row.is_some() {
        diesel::delete(pictures::table.find(id)).execute(conn)?;
    }
    Ok(row)
}

/// The kept answer to a keyed API call.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = api_answers)]
pub struct ApiAnswerRow {
    /// Hash of method, path and body.
    pub request_hash: Vec<u8>,
    /// The answer's status; none while it is being made.
    pub status: Option<i32>,
    /// The answer's body.
    pub body: Option<String>,
}

/// The kept answer to a key, if there is one.
pub fn api_answer(
    conn: &mut Conn,
    scope: &str,
    key: &str,
) -> Result<Option<ApiAnswerRow>, StoreError> {
    Ok(api_answers::table
        .find((scope, key))
        .select(ApiAnswerRow::as_select())
        .first(conn)
        .optional()?)
}

/// Claims a key for a request; whether nobody had it.
pub fn claim_api_key(
    conn: &mut Conn,
    scope: &str,
    key: &str,
    request_hash: &[u8],
    now: NaiveDateTime,
) -> Result<bool, StoreError> {
    let new = each_backend!(conn, c => {
        diesel::insert_into(api_answers::table)
            .values((
                api_answers::scope.eq(scope),
                api_answers::idempotency_key.eq(key),
                api_answers::request_hash.eq(request_hash),
                api_answers::created_at.eq(now),
            ))
            .on_conflict_do_nothing()
            .execute(c)?
    });
    Ok(new == 1)
}

/// Keeps the answer to a claimed key.
pub fn keep_api_answer(
    conn: &mut Conn,
    scope: &str,
    key: &str,
    status: i32,
    body: &str,
) -> Result<(), StoreError> {
    diesel::update(api_answers::table.find((scope, key)))
        .set((api_answers::status.eq(status), api_answers::body.eq(body)))
        .execute(conn)?;
    Ok(())
}

/// Gives up a claimed key whose request had no effect.
pub fn release_api_key(conn: &mut Conn, scope: &str, key: &str) -> Result<(), StoreError> {
    diesel::delete(api_answers::table.find((scope, key))).execute(conn)?;
    Ok(())
}

/// Throws away kept answers older than `before`.
pub fn prune_api_answers(conn: &mut Conn, before: NaiveDateTime) -> Result<usize, StoreError> {
    Ok(
        diesel::delete(api_answers::table.filter(api_answers::created_at.lt(before)))
            .execute(conn)?,
    )
}
