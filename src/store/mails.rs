//! Mails: kept in the transaction that gives reason for them, sent afterwards, shown to staff.

use std::collections::HashSet;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::kept::kept;
use super::schema::mails;
use super::{Conn, StoreError};
use crate::domain::ids::{CampaignId, MailId, MerchantId, OrderId, PurchaseOrderId};

/// A mail's row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = mails, treat_none_as_default_value = false)]
pub struct MailRow {
    /// Its id; the Message-ID is made of it, so that a repeat after a crash is the same mail.
    pub id: MailId,
    /// What makes it unrepeatable.
    pub once: String,
    /// What it is about.
    pub kind: String,
    /// The merchant it speaks for.
    pub merchant_id: Option<MerchantId>,
    /// The campaign it is about.
    pub campaign_id: Option<CampaignId>,
    /// The order it is about.
    pub order_id: Option<OrderId>,
    /// The purchase order it carries.
    pub purchase_order_id: Option<PurchaseOrderId>,
    /// To whom.
    pub recipient: String,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// Its subject.
    pub subject: String,
    /// Its plain text.
    pub body_text: String,
    /// Its HTML.
    pub body_html: String,
    /// Attachments as JSON: name, media type, text.
    pub attachments: Option<String>,
    /// `queued`, `sent` (the server took it), `kept` (no server is set), `refused`.
    pub state: String,
    /// Why it was refused.
    pub problem: Option<String>,
    /// When it was written.
    pub created_at: NaiveDateTime,
    /// When it was sent or kept.
    pub sent_at: Option<NaiveDateTime>,
}

/// Keeps mails to be sent; one that was written already is left as it is. The ids of the new ones.
pub fn insert(conn: &mut Conn, rows: &[MailRow]) -> Result<Vec<MailId>, StoreError> {
    let mut new = Vec::with_capacity(rows.len());
    match conn {
        // In the same process a prepared statement for each row is cheaper than preparing a long one for all.
        Conn::Sqlite(c) => {
            for row in rows {
                let insert = diesel::insert_into(mails::table)
                    .values(row)
                    .on_conflict_do_nothing();
                if kept!(insert).execute(c)? == 1 {
                    new.push(row.id);
                }
            }
        }
        // Over a wire it is the round trips.
        #[cfg(feature = "postgres")]
        Conn::Postgres(c) => {
            for some in rows.chunks(100) {
                let kept: Vec<MailId> = diesel::insert_into(mails::table)
                    .values(some)
                    .on_conflict_do_nothing()
                    .returning(mails::id)
                    .get_results(c)?;
                new.extend(kept);
            }
        }
    }
    Ok(new)
}

/// The mail with this id.
pub fn by_id(conn: &mut Conn, id: MailId) -> Result<Option<MailRow>, StoreError> {
    Ok(mails::table
        .find(id)
        .select(MailRow::as_select())
        .first(conn)
        .optional()?)
}

/// Notes what became of a mail.
pub fn set_state(
    conn: &mut Conn,
    id: MailId,
    state: &str,
    problem: Option<&str>,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::update(mails::table.find(id))
        .set((
            mails::state.eq(state),
            mails::problem.eq(problem),
            mails::sent_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Notes trouble with a mail that is tried again.
pub fn set_problem(conn: &mut Conn, id: MailId, problem: &str) -> Result<(), StoreError> {
    diesel::update(mails::table.find(id))
        .set(mails::problem.eq(problem))
        .execute(conn)?;
    Ok(())
}

/// The mails to an order's shopper, oldest first.
pub fn of_order(conn: &mut Conn, order: OrderId) -> Result<Vec<MailRow>, StoreError> {
    Ok(mails::table
        .filter(mails::order_id.eq(order))
        .select(MailRow::as_select())
        .order(mails::id.asc())
        .load(conn)?)
}

/// Those of some orders whose shoppers were written a letter of this kind.
pub fn written_to(
    conn: &mut Conn,
    kind: &str,
    orders: &[OrderId],
) -> Result<HashSet<OrderId>, StoreError> {
    let some: Vec<Option<OrderId>> = mails::table
        .filter(mails::kind.eq(kind))
        .filter(mails::order_id.eq_any(orders))
        .select(mails::order_id)
        .load(conn)?;
    Ok(some.into_iter().flatten().collect())
}

/// A merchant's mails in a state, newest first.
pub fn of_merchant(
    conn: &mut Conn,
    merchant: MerchantId,
    state: Option<&str>,
    before: Option<MailId>,
    limit: i64,
) -> Result<Vec<MailRow>, StoreError> {
    let mut query = mails::table
        .filter(mails::merchant_id.eq(merchant))
        .select(MailRow::as_select())
        .order(mails::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(state) = state {
        query = query.filter(mails::state.eq(state));
    }
    if let Some(before) = before {
        query = query.filter(mails::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// What was sent or kept, oldest first: the sandbox's mailbox.
pub fn delivered(conn: &mut Conn, limit: i64) -> Result<Vec<MailRow>, StoreError> {
    let mut newest: Vec<MailRow> = mails::table
        .filter(mails::state.eq_any(["sent", "kept"]))
        .select(MailRow::as_select())
        .order(mails::id.desc())
        .limit(limit)
        .load(conn)?;
    newest.reverse();
    Ok(newest)
}
