//! What shoppers answered to the notices of a batch: counts, a list by key, and what ends soon. Of each order the last
//! notice that asked counts.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::dsl::{count_star, exists, not, sql};
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text};

use super::schema::{notices, orders, promises};
use super::{Conn, StoreError};
use crate::domain::ids::{BatchId, EtaId, NoticeId, OrderId};
use crate::domain::order::OrderState;
use crate::domain::promise::{NoticeKind, NoticeState, Silence};
use crate::domain::words::words;

words! {
    /// Where the answer to an order's last notice stands.
    Stand {
        /// Said *keep waiting*.
        Agreed = "agreed",
        /// Said nothing, which agrees.
        BySilence = "by_silence",
        /// Said *cancel*.
        Refused = "refused",
        /// Said nothing yet, which cancels.
        Silent = "silent",
        /// Its mail was given up.
        Undelivered = "undelivered",
        /// Its mail is on its way.
        OnItsWay = "on_its_way",
        /// The order left without an answer: refunded after the last day, by the shopper elsewhere, or by staff.
        Left = "left",
    }
}

/// Tells them apart, on notices joined with their orders.
const STAND: &str = "CASE WHEN notices.cancelled_at IS NOT NULL THEN 'refused' \
     WHEN orders.state IN ('cancelled', 'expired') THEN 'left' \
     WHEN notices.waited_at IS NOT NULL THEN 'agreed' \
     WHEN notices.state = 'undelivered' THEN 'undelivered' \
     WHEN notices.state = 'prepared' THEN 'on_its_way' \
     WHEN notices.silence = 'agrees' THEN 'by_silence' ELSE 'silent' END";

/// What an order has with the merchant.
const KEPT: &str = "CAST(COALESCE(SUM(orders.charged - orders.refund_due - orders.refunded - orders.lost), 0) AS BIGINT)";

/// How many of the orders are partly shipped: of those only a part of it goes back.
const PART: &str =
    "CAST(COALESCE(SUM(CASE WHEN orders.state = 'partly_shipped' THEN 1 ELSE 0 END), 0) AS BIGINT)";

diesel::alias!(notices as later: Later, notices as asked: Asked);

/// The answer to an order's last notice, with what a list says of both.
#[derive(Debug, Clone, Queryable)]
pub struct AnswerRow {
    /// The notice.
    pub id: NoticeId,
    /// The order.
    pub order_id: OrderId,
    /// Its number at the merchant.
    pub number: i64,
    /// The shopper's name.
    pub name: String,
    /// The shopper's address.
    pub email: String,
    /// The code of its currency.
    pub currency: String,
    /// Paid for it.
    pub charged: i64,
    /// Gone back, or to go back.
    pub back: i64,
    /// Where the answer stands, as a word.
    pub stand: String,
    /// The date it named; none: not known.
    pub revised: Option<NaiveDate>,
    /// What silence does.
    pub silence: Option<Silence>,
    /// The date silence agrees to, or the last day to answer.
    pub last_day: Option<NaiveDate>,
    /// When the mail server took it.
    pub sent_at: Option<NaiveDateTime>,
    /// When *keep waiting* was said.
    pub waited_at: Option<NaiveDateTime>,
    /// When *cancel* was said.
    pub cancelled_at: Option<NaiveDateTime>,
}

/// How many orders of a batch stand where, by their last notice.
pub fn counts(conn: &mut Conn, batch: BatchId) -> Result<Vec<(Stand, i64)>, StoreError> {
    let rows: Vec<(String, i64)> = notices::table
        .inner_join(orders::table)
        .filter(notices::batch_id.eq(batch))
        .filter(notices::kind.ne(NoticeKind::Told))
        .filter(not(exists(
            later
                .filter(later.field(notices::order_id).eq(notices::order_id))
                .filter(later.field(notices::kind).ne(NoticeKind::Told))
                .filter(later.field(notices::id).gt(notices::id)),
        )))
        .group_by(sql::<Text>(STAND))
        .select((sql::<Text>(STAND), sql::<BigInt>("COUNT(*)")))
        .load(conn)?;
    rows.into_iter()
        .map(|(word, n)| {
            let stand = word.parse();
            stand
                .map(|stand: Stand| (stand, n))
                .map_err(|_| StoreError::Damaged(format!("an answer stands at {word}")))
        })
        .collect()
}

/// The answers of a batch, the last noticed order first, before `before`.
pub fn list(
    conn: &mut Conn,
    batch: BatchId,
    stand: Option<Stand>,
    before: Option<NoticeId>,
    limit: i64,
) -> Result<Vec<AnswerRow>, StoreError> {
    let mut query = notices::table
        .inner_join(orders::table)
        .filter(notices::batch_id.eq(batch))
        .filter(notices::kind.ne(NoticeKind::Told))
        .filter(not(exists(
            later
                .filter(later.field(notices::order_id).eq(notices::order_id))
                .filter(later.field(notices::kind).ne(NoticeKind::Told))
                .filter(later.field(notices::id).gt(notices::id)),
        )))
        .select((
            notices::id,
            notices::order_id,
            orders::number,
            orders::name,
            orders::email,
            orders::currency,
            orders::charged,
            orders::refund_due + orders::refunded,
            sql::<Text>(STAND),
            notices::revised,
            notices::silence,
            notices::last_day,
            notices::sent_at,
            notices::waited_at,
            notices::cancelled_at,
        ))
        .order(notices::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(stand) = stand {
        query = query.filter(
            sql::<Bool>(STAND)
                .sql(" = ")
                .bind::<Text, _>(stand.as_str()),
        );
    }
    if let Some(before) = before {
        query = query.filter(notices::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Orders of a batch that wait for their goods and whose last notice was not delivered: they count as not asked.
pub fn undelivered(conn: &mut Conn, batch: BatchId) -> Result<i64, StoreError> {
    Ok(notices::table
        .inner_join(orders::table)
        .filter(notices::batch_id.eq(batch))
        .filter(notices::state.eq(NoticeState::Undelivered))
        .filter(notices::kind.ne(NoticeKind::Told))
        .filter(notices::waited_at.is_null())
        .filter(orders::state.eq_any(AWAITS))
        .filter(not(exists(
            later
                .filter(later.field(notices::order_id).eq(notices::order_id))
                .filter(later.field(notices::kind).ne(NoticeKind::Told))
                .filter(later.field(notices::id).gt(notices::id)),
        )))
        .count()
        .get_result(conn)?)
}

const AWAITS: [OrderState; 3] = [
    OrderState::Confirmed,
    OrderState::Backordered,
    OrderState::PartlyShipped,
];

/// Unshipped orders of a batch that share a last day.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Ending {
    /// The day.
    pub day: NaiveDate,
    /// How many.
    pub orders: i64,
    /// What they have with the merchant, minor units.
    pub kept: i64,
    /// How many of them are partly shipped: less of theirs goes back.
    pub part: i64,
}

/// Unshipped orders by the last day of the delay rule, up to `until`, where the stop-loss does not come first. `asked`: only those that may still answer a notice
/// whose silence cancels; else only the others.
pub fn ending(
    conn: &mut Conn,
    batch: BatchId,
    until: NaiveDate,
    is_asked: bool,
) -> Result<Vec<Ending>, StoreError> {
    let open = exists(
        asked
            .filter(asked.field(notices::order_id).eq(promises::order_id))
            .filter(asked.field(notices::state).eq(NoticeState::Sent))
            .filter(asked.field(notices::silence).eq(Silence::Cancels))
            .filter(asked.field(notices::waited_at).is_null())
            .filter(asked.field(notices::last_day).eq(promises::cancels_after)),
    );
    let rows: Vec<(Option<NaiveDate>, i64, i64, i64)> = {
        let query = promises::table
            .inner_join(orders::table)
            .filter(promises::batch_id.eq(batch))
            .filter(promises::cancels_after.le(until))
            .filter(promises::cancels_after.lt(promises::stop_loss.nullable()))
            .filter(orders::state.eq_any(AWAITS))
            .group_by(promises::cancels_after)
            .select((
                promises::cancels_after,
                sql::<BigInt>("COUNT(*)"),
                sql::<BigInt>(KEPT),
                sql::<BigInt>(PART),
            ))
            .order(promises::cancels_after.asc());
        if is_asked {
            query.filter(open).load(conn)?
        } else {
            query.filter(not(open)).load(conn)?
        }
    };
    let whole = |(day, orders, kept, part): (Option<NaiveDate>, i64, i64, i64)| {
        Some(Ending {
            day: day?,
            orders,
            kept,
            part,
        })
    };
    Ok(rows.into_iter().filter_map(whole).collect())
}

/// Unshipped orders by the last day of all, up to `until`, where no other day comes first.
pub fn stop_loss(
    conn: &mut Conn,
    batch: BatchId,
    until: NaiveDate,
) -> Result<Vec<Ending>, StoreError> {
    Ok(promises::table
        .inner_join(orders::table)
        .filter(promises::batch_id.eq(batch))
        .filter(promises::stop_loss.le(until))
        .filter(
            promises::cancels_after
                .is_null()
                .or(promises::cancels_after.ge(promises::stop_loss.nullable())),
        )
        .filter(orders::state.eq_any(AWAITS))
        .group_by(promises::stop_loss)
        .select((
            promises::stop_loss,
            sql::<BigInt>("COUNT(*)"),
            sql::<BigInt>(KEPT),
            sql::<BigInt>(PART),
        ))
        .order(promises::stop_loss.asc())
        .load(conn)?)
}

/// The unshipped orders of a batch: how many, what they have with the merchant, and how many of them are partly shipped.
pub fn unshipped(conn: &mut Conn, batch: BatchId) -> Result<(i64, i64, i64), StoreError> {
    Ok(orders::table
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq_any(AWAITS))
        .select((
            sql::<BigInt>("COUNT(*)"),
            sql::<BigInt>(KEPT),
            sql::<BigInt>(PART),
        ))
        .first(conn)?)
}

/// How many notices of a batch stand where, by the date they tell of; none: nobody had set one.
pub fn told(
    conn: &mut Conn,
    batch: BatchId,
) -> Result<Vec<(Option<EtaId>, NoticeState, i64)>, StoreError> {
    Ok(notices::table
        .filter(notices::batch_id.eq(batch))
        .group_by((notices::eta_id, notices::state))
        .select((notices::eta_id, notices::state, count_star()))
        .load(conn)?)
}
