//! Money on its way back: refunds, their calls, and disputes.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::{disputes, orders, refund_attempts, refunds};
use super::{Conn, StoreError, each_backend};
use crate::domain::ids::{CampaignId, MerchantId, OrderId, RefundId};
use crate::domain::payment::{DisputeState, RefundAttemptState, RefundPurpose, RefundState};

/// A refund's row: one movement of money that is owed.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = refunds)]
pub struct RefundRow {
    /// Its id.
    pub id: RefundId,
    /// Whose money it is.
    pub order_id: OrderId,
    /// The page it was paid by.
    pub payment_attempt: i32,
    /// The campaign.
    pub campaign_id: CampaignId,
    /// Why it goes back.
    pub purpose: RefundPurpose,
    /// How much, in minor units.
    pub amount: i64,
    /// The code of its currency.
    pub currency: String,
    /// Where it stands.
    pub state: RefundState,
    /// Whether an open dispute holds it.
    pub held: bool,
    /// The present call's number.
    pub attempt: i32,
    /// How many calls the provider took and then failed.
    pub failures: i32,
    /// Staff's proof that it was paid otherwise.
    pub proof: Option<String>,
    /// When it was committed.
    pub created_at: NaiveDateTime,
    /// When it last changed.
    pub updated_at: NaiveDateTime,
}

/// A call's row: what may have moved money once.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = refund_attempts)]
pub struct RefundAttemptRow {
    /// The refund.
    pub refund_id: RefundId,
    /// 1 for the first call.
    pub attempt: i32,
    /// Where it stands.
    pub state: RefundAttemptState,
    /// Its key.
    pub idempotency_key: String,
    /// The refund's id at the provider.
    pub provider_id: Option<String>,
    /// What went wrong.
    pub problem: Option<String>,
    /// When it was first sent.
    pub first_sent_at: Option<NaiveDateTime>,
    /// When it was first found absent from the provider's list.
    pub looked_at: Option<NaiveDateTime>,
    /// When it was committed.
    pub created_at: NaiveDateTime,
}

/// A dispute's row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = disputes)]
pub struct DisputeRow {
    /// Its id at the provider.
    pub provider_id: String,
    /// The order whose payment is disputed.
    pub order_id: OrderId,
    /// How much, in minor units.
    pub amount: i64,
    /// Where it stands.
    pub state: DisputeState,
    /// The provider's own word.
    pub provider_state: String,
    /// Why, in the provider's word.
    pub reason: String,
    /// When it was opened.
    pub opened_at: NaiveDateTime,
    /// When it ended.
    pub closed_at: Option<NaiveDateTime>,
    /// Until when the provider takes an answer; none: it takes none.
    pub due_by: Option<NaiveDateTime>,
    /// Which of the order's payments it is about.
    pub attempt: i32,
}

/// Keeps a new refund and its first call.
pub fn insert(
    conn: &mut Conn,
    refund: &RefundRow,
    call: &RefundAttemptRow,
) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(refunds::table).values(refund).execute(c)?;
        diesel::insert_into(refund_attempts::table).values(call).execute(c)?;
    });
    Ok(())
}

/// Keeps a further call.
pub fn insert_attempt(conn: &mut Conn, call: &RefundAttemptRow) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(refund_attempts::table).values(call).execute(c)?;
    });
    Ok(())
}

/// The refund with this id.
pub fn by_id(conn: &mut Conn, id: RefundId) -> Result<Option<RefundRow>, StoreError> {
    let found = each_backend!(conn, c => refunds::table
        .find(id)
        .select(RefundRow::as_select())
        .first(c)
        .optional()?);
    Ok(found)
}

/// The refund a provider's id belongs to.
pub fn by_provider(conn: &mut Conn, provider_id: &str) -> Result<Option<RefundRow>, StoreError> {
    Ok(refunds::table
        .inner_join(refund_attempts::table)
        .filter(refund_attempts::provider_id.eq(provider_id))
        .select(RefundRow::as_select())
        .first(conn)
        .optional()?)
}

/// An order's refunds.
pub fn of_order(conn: &mut Conn, order: OrderId) -> Result<Vec<RefundRow>, StoreError> {
    let found = each_backend!(conn, c => refunds::table
        .filter(refunds::order_id.eq(order))
        .select(RefundRow::as_select())
        .order((refunds::created_at.asc(), refunds::id.asc()))
        .load(c)?);
    Ok(found)
}

/// The calls of a refund, first to last.
pub fn attempts_of(conn: &mut Conn, id: RefundId) -> Result<Vec<RefundAttemptRow>, StoreError> {
    Ok(refund_attempts::table
        .filter(refund_attempts::refund_id.eq(id))
        .select(RefundAttemptRow::as_select())
        .order(refund_attempts::attempt.asc())
        .load(conn)?)
}

/// One call of a refund.
pub fn attempt(
    conn: &mut Conn,
    id: RefundId,
    number: i32,
) -> Result<Option<RefundAttemptRow>, StoreError> {
    let found = each_backend!(conn, c => refund_attempts::table
        .find((id, number))
        .select(RefundAttemptRow::as_select())
        .first(c)
        .optional()?);
    Ok(found)
}

/// Keeps what became of a refund.
pub fn save(conn: &mut Conn, refund: &RefundRow) -> Result<(), StoreError> {
    diesel::update(refunds::table.find(refund.id))
        .set((
            refunds::state.eq(refund.state),
            refunds::held.eq(refund.held),
            refunds::attempt.eq(refund.attempt),
            refunds::failures.eq(refund.failures),
            refunds::proof.eq(&refund.proof),
            refunds::updated_at.eq(refund.updated_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Gives a dropped refund another purpose.
pub fn set_purpose(
    conn: &mut Conn,
    id: RefundId,
    purpose: RefundPurpose,
) -> Result<(), StoreError> {
    diesel::update(refunds::table.find(id))
        .set(refunds::purpose.eq(purpose))
        .execute(conn)?;
    Ok(())
}

/// Keeps what became of a call.
pub fn save_attempt(conn: &mut Conn, call: &RefundAttemptRow) -> Result<(), StoreError> {
    diesel::update(refund_attempts::table.find((call.refund_id, call.attempt)))
        .set((
            refund_attempts::state.eq(call.state),
            refund_attempts::provider_id.eq(&call.provider_id),
            refund_attempts::problem.eq(&call.problem),
            refund_attempts::first_sent_at.eq(call.first_sent_at),
            refund_attempts::looked_at.eq(call.looked_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// A merchant's refunds in these states, newest first.
pub fn in_states(
    conn: &mut Conn,
    merchant: MerchantId,
    states: &[RefundState],
    limit: i64,
) -> Result<Vec<RefundRow>, StoreError> {
    Ok(refunds::table
        .inner_join(orders::table)
        .filter(orders::merchant_id.eq(merchant))
        .filter(refunds::state.eq_any(states))
        .select(RefundRow::as_select())
        .order((refunds::created_at.desc(), refunds::id.desc()))
        .limit(limit)
        .load(conn)?)
}

/// Every refund in these states: for the reconciler.
pub fn all_in_states(
    conn: &mut Conn,
    states: &[RefundState],
    limit: i64,
) -> Result<Vec<RefundRow>, StoreError> {
    Ok(refunds::table
        .filter(refunds::state.eq_any(states))
        .select(RefundRow::as_select())
        .order((refunds::created_at.asc(), refunds::id.asc()))
        .limit(limit)
        .load(conn)?)
}

/// Keeps a dispute, new or changed.
pub fn save_dispute(conn: &mut Conn, dispute: &DisputeRow) -> Result<(), StoreError> {
    let changed = diesel::update(disputes::table.find(&dispute.provider_id))
        .set((
            disputes::state.eq(dispute.state),
            disputes::provider_state.eq(&dispute.provider_state),
            disputes::closed_at.eq(dispute.closed_at),
            disputes::due_by.eq(dispute.due_by),
        ))
        .execute(conn)?;
    if changed == 0 {
        each_backend!(conn, c => {
            diesel::insert_into(disputes::table).values(dispute).execute(c)?;
        });
    }
    Ok(())
}

/// The dispute with this id at the provider.
pub fn dispute(conn: &mut Conn, provider_id: &str) -> Result<Option<DisputeRow>, StoreError> {
    Ok(disputes::table
        .find(provider_id)
        .select(DisputeRow::as_select())
        .first(conn)
        .optional()?)
}

/// An order's disputes.
pub fn disputes_of(conn: &mut Conn, order: OrderId) -> Result<Vec<DisputeRow>, StoreError> {
    let found = each_backend!(conn, c => disputes::table
        .filter(disputes::order_id.eq(order))
        .select(DisputeRow::as_select())
        .load(c)?);
    Ok(found)
}

/// Visits every call that the provider took, with its refund, some at a time.
pub fn each_done_attempt(
    conn: &mut Conn,
    mut visit: impl FnMut(&RefundRow, &RefundAttemptRow),
) -> Result<(), StoreError> {
    let mut after: Option<RefundId> = None;
    loop {
        let mut query = refunds::table
            .select(RefundRow::as_select())
            .order(refunds::id.asc())
            .limit(300)
            .into_boxed();
        if let Some(after) = after {
            query = query.filter(refunds::id.gt(after));
        }
        let rows: Vec<RefundRow> = query.load(conn)?;
        let ids: Vec<RefundId> = rows.iter().map(|r| r.id).collect();
        let calls: Vec<RefundAttemptRow> = refund_attempts::table
            .filter(refund_attempts::refund_id.eq_any(&ids))
            .filter(refund_attempts::provider_id.is_not_null())
            .select(RefundAttemptRow::as_select())
            .load(conn)?;
        for call in &calls {
            if let Some(refund) = rows.iter().find(|r| r.id == call.refund_id) {
                visit(refund, call);
            }
        }
        match rows.last() {
            Some(last) if rows.len() == 300 => after = Some(last.id),
            _ => return Ok(()),
        }
    }
}
