//! What was answered to disputes.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::{dispute_evidence, disputes, orders};
use super::{Conn, StoreError, each_backend};
use crate::domain::ids::MerchantId;
use crate::domain::payment::EvidenceState;
use crate::store::refunds::DisputeRow;

/// An answer's row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = dispute_evidence)]
pub struct EvidenceRow {
    /// The dispute's id at the provider.
    pub dispute_id: String,
    /// 1 for the first.
    pub attempt: i32,
    /// Where it stands.
    pub state: EvidenceState,
    /// Whether it goes on to the bank; else it is only laid down at the provider.
    pub submits: bool,
    /// The provider's fields with their words, as JSON: frozen.
    pub content: String,
    /// Its key.
    pub idempotency_key: String,
    /// Who sent it.
    pub prepared_by: String,
    /// Why it was refused.
    pub problem: Option<String>,
    /// When it was committed.
    pub created_at: NaiveDateTime,
    /// When it was first sent.
    pub sent_at: Option<NaiveDateTime>,
    /// When the provider had taken or refused it.
    pub done_at: Option<NaiveDateTime>,
}

/// Keeps an answer that is about to be sent.
pub fn insert(conn: &mut Conn, row: &EvidenceRow) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(dispute_evidence::table).values(row).execute(c)?;
    });
    Ok(())
}

/// The answers to a dispute, first to last.
pub fn of_dispute(conn: &mut Conn, dispute: &str) -> Result<Vec<EvidenceRow>, StoreError> {
    Ok(dispute_evidence::table
        .filter(dispute_evidence::dispute_id.eq(dispute))
        .select(EvidenceRow::as_select())
        .order(dispute_evidence::attempt.asc())
        .load(conn)?)
}

/// One answer.
pub fn one(
    conn: &mut Conn,
    dispute: &str,
    attempt: i32,
) -> Result<Option<EvidenceRow>, StoreError> {
    Ok(dispute_evidence::table
        .find((dispute, attempt))
        .select(EvidenceRow::as_select())
        .first(conn)
        .optional()?)
}

/// Keeps what became of an answer.
pub fn save(conn: &mut Conn, row: &EvidenceRow) -> Result<(), StoreError> {
    diesel::update(dispute_evidence::table.find((&row.dispute_id, row.attempt)))
        .set((
            dispute_evidence::state.eq(row.state),
            dispute_evidence::problem.eq(&row.problem),
            dispute_evidence::sent_at.eq(row.sent_at),
            dispute_evidence::done_at.eq(row.done_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// A merchant's disputes, newest first; those after the one with this id.
pub fn disputes_of(
    conn: &mut Conn,
    merchant: MerchantId,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<DisputeRow>, StoreError> {
    let mut query = disputes::table
        .inner_join(orders::table)
        .filter(orders::merchant_id.eq(merchant))
        .select(DisputeRow::as_select())
        .order((disputes::opened_at.desc(), disputes::provider_id.desc()))
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        let opened: Option<NaiveDateTime> = disputes::table
            .inner_join(orders::table)
            .filter(disputes::provider_id.eq(after))
            .filter(orders::merchant_id.eq(merchant))
            .select(disputes::opened_at)
            .first(conn)
            .optional()?;
        let Some(opened) = opened else {
            return Ok(Vec::new());
        };
        let later = disputes::opened_at.lt(opened);
        let same = disputes::opened_at
            .eq(opened)
            .and(disputes::provider_id.lt(after.to_owned()));
        query = query.filter(later.or(same));
    }
    Ok(query.load(conn)?)
}
