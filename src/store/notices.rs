//! Notices to shoppers that a date moved, with what was answered (domain section 6). A notice's copy is its mail.

use chrono::{NaiveDate, NaiveDateTime};
use chrono_tz::Tz;
use diesel::prelude::*;

use super::kept::kept;
use super::schema::notices;
use super::{Conn, StoreError};
use crate::domain::day::day_of;
use crate::domain::ids::{BatchId, EtaId, MailId, NoticeId, OrderId};
use crate::domain::promise::{Consequence, Notice, NoticeKind, NoticeState, Silence};

/// A notice's row.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = notices, treat_none_as_default_value = false)]
pub struct NoticeRow {
    /// Its id: notices of an order are in the order in which they were prepared.
    pub id: NoticeId,
    /// The order.
    pub order_id: OrderId,
    /// Its batch.
    pub batch_id: BatchId,
    /// The date that was set; none where the system found that nobody had, or the deadline was extended.
    pub eta_id: Option<EtaId>,
    /// What it is.
    pub kind: NoticeKind,
    /// Where its mail stands.
    pub state: NoticeState,
    /// The date in force when it was prepared.
    pub replaces: NaiveDate,
    /// The revised ship date; none: not known.
    pub revised: Option<NaiveDate>,
    /// The later stop-loss date that *keep waiting* agrees to as well.
    pub stop_loss: Option<NaiveDate>,
    /// Why, as the shopper reads it.
    pub reason: String,
    /// The person's name, or `system`.
    pub sent_by: String,
    /// What silence does; none where it only tells.
    pub silence: Option<Silence>,
    /// The date agreed to, or the last day to answer.
    pub last_day: Option<NaiveDate>,
    /// When *keep waiting* was first said.
    pub waited_at: Option<NaiveDateTime>,
    /// When *cancel* was first said.
    pub cancelled_at: Option<NaiveDateTime>,
    /// The network address *keep waiting* came from.
    pub answered_from: Option<String>,
    /// Its mail.
    pub mail_id: Option<MailId>,
    /// When it was written.
    pub prepared_at: NaiveDateTime,
    /// When the mail server took it.
    pub sent_at: Option<NaiveDateTime>,
    /// The network address *cancel* came from.
    pub cancelled_from: Option<String>,
}

impl NoticeRow {
    /// The row as the delay rule reads it, with days in the campaign's zone.
    pub fn notice(&self, zone: Tz) -> Notice {
        let day = |at: Option<NaiveDateTime>| at.map(|at| day_of(at.and_utc(), zone));
        let consequence = match (self.silence, self.last_day) {
            (Some(silence), Some(last_day)) => Some(Consequence { silence, last_day }),
            _ => None,
        };
        Notice {
            kind: self.kind,
            state: self.state,
            revised: self.revised,
            replaces: self.replaces,
            stop_loss: self.stop_loss,
            consequence,
            sent_on: day(self.sent_at),
            waited_on: day(self.waited_at),
            cancelled_on: day(self.cancelled_at),
        }
    }
}

/// Keeps new notices. A second one of the same date to an order is refused.
pub fn insert(conn: &mut Conn, rows: &[NoticeRow]) -> Result<(), StoreError> {
    match conn {
        // In the same process a prepared statement for each row is cheaper than preparing a long one for all.
        Conn::Sqlite(c) => {
            for row in rows {
                kept!(diesel::insert_into(notices::table).values(row)).execute(c)?;
            }
        }
        // Over a wire it is the round trips.
        #[cfg(feature = "postgres")]
        Conn::Postgres(c) => {
            for some in rows.chunks(100) {
                diesel::insert_into(notices::table)
                    .values(some)
                    .execute(c)?;
            }
        }
    }
    Ok(())
}

/// The notice with this id.
pub fn by_id(conn: &mut Conn, id: NoticeId) -> Result<Option<NoticeRow>, StoreError> {
    Ok(notices::table
        .find(id)
        .select(NoticeRow::as_select())
        .first(conn)
        .optional()?)
}

/// The notice that a mail carries.
pub fn by_mail(conn: &mut Conn, mail: MailId) -> Result<Option<NoticeRow>, StoreError> {
    Ok(notices::table
        .filter(notices::mail_id.eq(mail))
        .select(NoticeRow::as_select())
        .first(conn)
        .optional()?)
}

/// An order's notices, first to last.
pub fn of_order(conn: &mut Conn, order: OrderId) -> Result<Vec<NoticeRow>, StoreError> {
    Ok(notices::table
        .filter(notices::order_id.eq(order))
        .select(NoticeRow::as_select())
        .order(notices::id.asc())
        .load(conn)?)
}

/// The notices of several orders, first to last.
pub fn of_orders(conn: &mut Conn, ids: &[OrderId]) -> Result<Vec<NoticeRow>, StoreError> {
    Ok(notices::table
        .filter(notices::order_id.eq_any(ids))
        .select(NoticeRow::as_select())
        .order(notices::id.asc())
        .load(conn)?)
}

/// A batch's notices, newest first, before `before`.
pub fn of_batch(
    conn: &mut Conn,
    batch: BatchId,
    before: Option<NoticeId>,
    limit: i64,
) -> Result<Vec<NoticeRow>, StoreError> {
    let mut query = notices::table
        .filter(notices::batch_id.eq(batch))
        .select(NoticeRow::as_select())
        .order(notices::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(notices::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Keeps what became of a notice's mail, where it is still in the state `from`.
pub fn save_state(conn: &mut Conn, row: &NoticeRow, from: NoticeState) -> Result<(), StoreError> {
    let changed = diesel::update(
        notices::table
            .filter(notices::id.eq(row.id))
            .filter(notices::state.eq(from)),
    )
    .set((
        notices::state.eq(row.state),
        notices::sent_at.eq(row.sent_at),
    ))
    .execute(conn)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict("the notice's state"))
    }
}

/// Keeps what was answered.
pub fn save_answer(conn: &mut Conn, row: &NoticeRow) -> Result<(), StoreError> {
    diesel::update(notices::table.find(row.id))
        .set((
            notices::waited_at.eq(row.waited_at),
            notices::cancelled_at.eq(row.cancelled_at),
            notices::answered_from.eq(&row.answered_from),
            notices::cancelled_from.eq(&row.cancelled_from),
        ))
        .execute(conn)?;
    Ok(())
}
