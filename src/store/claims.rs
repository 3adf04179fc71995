//! Claims: what went wrong after the door, and withdrawals (domain sections 5 and 6a).

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;

use super::schema::{claim_lines, claim_photos, claims};
use super::{Conn, StoreError, each_backend};
use crate::domain::claim::{ClaimKind, ClaimOutcome, ClaimState};
use crate::domain::ids::{CampaignId, ClaimId, MerchantId, OptionId, OrderId, PhotoId, ShipmentId};

/// A claim's row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = claims)]
pub struct ClaimRow {
    /// Its id.
    pub id: ClaimId,
    /// At whose shop.
    pub merchant_id: MerchantId,
    /// In which campaign.
    pub campaign_id: CampaignId,
    /// The order.
    pub order_id: OrderId,
    /// The parcel it is about, where that is known.
    pub shipment_id: Option<ShipmentId>,
    /// What is the matter.
    pub kind: ClaimKind,
    /// Where it stands.
    pub state: ClaimState,
    /// Who reported it: `shopper`, or a person of the staff by name.
    pub reported_by: String,
    /// In which words.
    pub text: String,
    /// When.
    pub opened_at: NaiveDateTime,
    /// When the shopper said that the goods were on their way back.
    pub return_sent_at: Option<NaiveDateTime>,
    /// The shopper's proof of that.
    pub return_proof: Option<String>,
    /// When the goods came back.
    pub returned_at: Option<NaiveDateTime>,
    /// The last day for a withdrawal's refund.
    pub refund_by: Option<NaiveDate>,
    /// How it ended.
    pub outcome: Option<ClaimOutcome>,
    /// Why, as the shopper reads it.
    pub outcome_reason: Option<String>,
    /// What goes back, minor units of the order's currency.
    pub amount: Option<i64>,
    /// Who decided.
    pub resolved_by: Option<String>,
    /// When.
    pub resolved_at: Option<NaiveDateTime>,
    /// Where the goods are to be sent back to, in lines.
    pub return_address: Option<String>,
    /// By when.
    pub return_by: Option<NaiveDate>,
}

/// Units that a claim is about.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = claim_lines)]
pub struct ClaimLineRow {
    /// The claim.
    pub claim_id: ClaimId,
    /// The option.
    pub option_id: OptionId,
    /// How many.
    pub units: i64,
    /// Of them, came back and can be sold.
    pub restocked: i64,
    /// Of them, came back and cannot.
    pub scrapped: i64,
}

/// A photo that came with a claim.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = claim_photos)]
pub struct ClaimPhotoRow {
    /// Its id.
    pub id: PhotoId,
    /// The claim.
    pub claim_id: ClaimId,
    /// Its file's name in the uploads.
    pub file: String,
    /// Its media type.
    pub media_type: String,
    /// Pixels.
    pub width: i32,
    /// Pixels.
    pub height: i32,
    /// When it came.
    pub created_at: NaiveDateTime,
}

/// Keeps a new claim.
pub fn insert(
    conn: &mut Conn,
    claim: &ClaimRow,
    lines: &[ClaimLineRow],
    photos: &[ClaimPhotoRow],
) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(claims::table).values(claim).execute(c)?;
        diesel::insert_into(claim_lines::table).values(lines).execute(c)?;
        if !photos.is_empty() {
            diesel::insert_into(claim_photos::table).values(photos).execute(c)?;
        }
    });
    Ok(())
}

/// The claim with this id.
pub fn by_id(conn: &mut Conn, id: ClaimId) -> Result<Option<ClaimRow>, StoreError> {
    Ok(claims::table
        .find(id)
        .select(ClaimRow::as_select())
        .first(conn)
        .optional()?)
}

/// An order's claims, first to last.
pub fn of_order(conn: &mut Conn, order: OrderId) -> Result<Vec<ClaimRow>, StoreError> {
    Ok(claims::table
        .filter(claims::order_id.eq(order))
        .select(ClaimRow::as_select())
        .order(claims::id.asc())
        .load(conn)?)
}

/// What these claims are about.
pub fn lines_of(conn: &mut Conn, ids: &[ClaimId]) -> Result<Vec<ClaimLineRow>, StoreError> {
    Ok(claim_lines::table
        .filter(claim_lines::claim_id.eq_any(ids))
        .select(ClaimLineRow::as_select())
        .order((claim_lines::claim_id.asc(), claim_lines::option_id.asc()))
        .load(conn)?)
}

/// The photos of these claims, first to last.
pub fn photos_of(conn: &mut Conn, ids: &[ClaimId]) -> Result<Vec<ClaimPhotoRow>, StoreError> {
    Ok(claim_photos::table
        .filter(claim_photos::claim_id.eq_any(ids))
        .select(ClaimPhotoRow::as_select())
        .order(claim_photos::id.asc())
        .load(conn)?)
}

/// The photo with this id.
pub fn photo(conn: &mut Conn, id: PhotoId) -> Result<Option<ClaimPhotoRow>, StoreError> {
    Ok(claim_photos::table
        .find(id)
        .select(ClaimPhotoRow::as_select())
        .first(conn)
        .optional()?)
}

/// Keeps what became of a claim that is still in the state `from`.
pub fn save(conn: &mut Conn, row: &ClaimRow, from: ClaimState) -> Result<(), StoreError> {
    let changed = diesel::update(
        claims::table
            .filter(claims::id.eq(row.id))
            .filter(claims::state.eq(from)),
    )
    .set((
        claims::state.eq(row.state),
        claims::return_sent_at.eq(row.return_sent_at),
        claims::return_proof.eq(&row.return_proof),
        claims::returned_at.eq(row.returned_at),
        claims::outcome.eq(row.outcome),
        claims::outcome_reason.eq(&row.outcome_reason),
        claims::amount.eq(row.amount),
        claims::resolved_by.eq(&row.resolved_by),
        claims::resolved_at.eq(row.resolved_at),
        claims::return_address.eq(&row.return_address),
        claims::return_by.eq(row.return_by),
    ))
    .execute(conn)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict("the claim's state"))
    }
}

/// Keeps what became of a claim's units that came back.
pub fn save_line(conn: &mut Conn, row: &ClaimLineRow) -> Result<(), StoreError> {
    diesel::update(claim_lines::table.find((row.claim_id, row.option_id)))
        .set((
            claim_lines::restocked.eq(row.restocked),
            claim_lines::scrapped.eq(row.scrapped),
        ))
        .execute(conn)?;
    Ok(())
}

/// A merchant's claims, open or decided, newest first, before `before`.
pub fn of_merchant(
    conn: &mut Conn,
    merchant: MerchantId,
    open: bool,
    before: Option<ClaimId>,
    limit: i64,
) -> Result<Vec<ClaimRow>, StoreError> {
    let mut query = claims::table
        .filter(claims::merchant_id.eq(merchant))
        .select(ClaimRow::as_select())
        .order(claims::id.desc())
        .limit(limit)
        .into_boxed();
    query = if open {
        query.filter(claims::state.ne(ClaimState::Resolved))
    } else {
        query.filter(claims::state.eq(ClaimState::Resolved))
    };
    if let Some(before) = before {
        query = query.filter(claims::id.lt(before));
    }
    Ok(query.load(conn)?)
}
