//! The waiting lists of campaigns.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::orders::{LineRow, OrderRow, sum_of};
use super::schema::{order_lines, orders, waiting};
use super::{Conn, StoreError, each_backend};
use crate::domain::ids::{CampaignId, OptionId, OrderId};
use crate::domain::order::LineState;
use crate::domain::waiting::WaitAnswer;

/// A place on a waiting list.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = waiting, treat_none_as_default_value = false)]
pub struct WaitingRow {
    /// Whose place it is.
    pub order_id: OrderId,
    /// On the list of which campaign.
    pub campaign_id: CampaignId,
    /// Rises with each who joins the list; never changes.
    pub place: i64,
    /// When it was put on the list.
    pub joined_at: NaiveDateTime,
    /// When its shopper was told of the place.
    pub told_at: Option<NaiveDateTime>,
    /// When units were offered to it.
    pub offered_at: Option<NaiveDateTime>,
    /// Until when the offer stands.
    pub offer_ends: Option<NaiveDateTime>,
    /// When the offer was told of once more.
    pub reminded_at: Option<NaiveDateTime>,
    /// How its waiting ended; none while it waits or is offered.
    pub answer: Option<WaitAnswer>,
    /// When that was.
    pub answered_at: Option<NaiveDateTime>,
}

impl WaitingRow {
    /// A new place.
    pub fn new(order: OrderId, campaign: CampaignId, place: i64, now: NaiveDateTime) -> Self {
        Self {
            order_id: order,
            campaign_id: campaign,
            place,
            joined_at: now,
            told_at: None,
            offered_at: None,
            offer_ends: None,
            reminded_at: None,
            answer: None,
            answered_at: None,
        }
    }

    /// Until when its offer stands, where one is open.
    pub fn open_offer(&self) -> Option<NaiveDateTime> {
        self.offer_ends.filter(|_| self.answer.is_none())
    }
}

/// Keeps new places.
pub fn insert(conn: &mut Conn, rows: &[WaitingRow]) -> Result<(), StoreError> {
    for row in rows {
        each_backend!(conn, c => diesel::insert_into(waiting::table).values(row).execute(c)?);
    }
    Ok(())
}

/// Keeps what became of a place.
pub fn save(conn: &mut Conn, row: &WaitingRow) -> Result<(), StoreError> {
    let changed = diesel::update(
        waiting::table
            .filter(waiting::order_id.eq(row.order_id))
            .filter(waiting::answer.is_null()),
    )
    .set((
        waiting::told_at.eq(row.told_at),
        waiting::offered_at.eq(row.offered_at),
        waiting::offer_ends.eq(row.offer_ends),
        waiting::reminded_at.eq(row.reminded_at),
        waiting::answer.eq(row.answer),
        waiting::answered_at.eq(row.answered_at),
    ))
    .execute(conn)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict("a place on a waiting list"))
    }
}

/// The last place given on a campaign's list; 0 where nobody ever waited.
pub fn last_place(conn: &mut Conn, campaign: CampaignId) -> Result<i64, StoreError> {
    let last: Option<i64> = waiting::table
        .filter(waiting::campaign_id.eq(campaign))
        .select(diesel::dsl::max(waiting::place))
        .first(conn)?;
    Ok(last.unwrap_or(0))
}

/// An order's place, open or not.
pub fn of_order(conn: &mut Conn, order: OrderId) -> Result<Option<WaitingRow>, StoreError> {
    Ok(waiting::table
        .find(order)
        .select(WaitingRow::as_select())
        .first(conn)
        .optional()?)
}

/// The places of these orders.
pub fn of_orders(conn: &mut Conn, ids: &[OrderId]) -> Result<Vec<WaitingRow>, StoreError> {
    Ok(waiting::table
        .filter(waiting::order_id.eq_any(ids))
        .select(WaitingRow::as_select())
        .load(conn)?)
}

/// Whether anybody waits on a campaign's list, or is offered something.
pub fn any_open(conn: &mut Conn, campaign: CampaignId) -> Result<bool, StoreError> {
    let one: Option<OrderId> = waiting::table
        .filter(waiting::campaign_id.eq(campaign))
        .filter(waiting::answer.is_null())
        .select(waiting::order_id)
        .first(conn)
        .optional()?;
    Ok(one.is_some())
}

/// Open places of a campaign in their order, after the place `after`.
pub fn open(
    conn: &mut Conn,
    campaign: CampaignId,
    after: i64,
    limit: i64,
) -> Result<Vec<WaitingRow>, StoreError> {
    Ok(waiting::table
        .filter(waiting::campaign_id.eq(campaign))
        .filter(waiting::answer.is_null())
        .filter(waiting::place.gt(after))
        .order(waiting::place.asc())
        .select(WaitingRow::as_select())
        .limit(limit)
        .load(conn)?)
}

/// Open offers of a campaign, the first to end first.
pub fn offers(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<WaitingRow>, StoreError> {
    Ok(waiting::table
        .filter(waiting::campaign_id.eq(campaign))
        .filter(waiting::answer.is_null())
        .filter(waiting::offered_at.is_not_null())
        .order((waiting::offer_ends.asc(), waiting::place.asc()))
        .select(WaitingRow::as_select())
        .load(conn)?)
}

/// Places without an offer whose shoppers were not told of them yet, with their orders, in the order of the places.
pub fn untold(
    conn: &mut Conn,
    campaign: CampaignId,
    limit: i64,
) -> Result<Vec<(WaitingRow, OrderRow)>, StoreError> {
    Ok(waiting::table
        .inner_join(orders::table.on(orders::id.eq(waiting::order_id)))
        .filter(waiting::campaign_id.eq(campaign))
        .filter(waiting::answer.is_null())
        .filter(waiting::offered_at.is_null())
        .filter(waiting::told_at.is_null())
        .order(waiting::place.asc())
        .select((WaitingRow::as_select(), OrderRow::as_select()))
        .limit(limit)
        .load(conn)?)
}

/// How many wait before a place without an offer.
pub fn before(conn: &mut Conn, row: &WaitingRow) -> Result<i64, StoreError> {
    Ok(waiting::table
        .filter(waiting::campaign_id.eq(row.campaign_id))
        .filter(waiting::answer.is_null())
        .filter(waiting::offered_at.is_null())
        .filter(waiting::place.lt(row.place))
        .count()
        .get_result(conn)?)
}

/// How much of one option is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waited {
    /// The option.
    pub option: OptionId,
    /// Orders that wait for it.
    pub orders: i64,
    /// Units that they want.
    pub units: i64,
}

/// What is waited for in a campaign, without offers that are open.
pub fn waited(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<Waited>, StoreError> {
    let rows: Vec<(OptionId, Option<i64>, i64)> = waiting::table
        .inner_join(order_lines::table.on(order_lines::order_id.eq(waiting::order_id)))
        .filter(waiting::campaign_id.eq(campaign))
        .filter(waiting::answer.is_null())
        .filter(waiting::offered_at.is_null())
        .group_by(order_lines::option_id)
        .select((
            order_lines::option_id,
            sum_of("order_lines.quantity"),
            diesel::dsl::count_star(),
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(option, units, orders)| Waited {
            option,
            orders,
            units: units.unwrap_or(0),
        })
        .collect())
}

/// A campaign's open places with their orders, in the order of the places.
pub fn list(
    conn: &mut Conn,
    campaign: CampaignId,
    limit: i64,
) -> Result<Vec<(WaitingRow, OrderRow)>, StoreError> {
    Ok(waiting::table
        .inner_join(orders::table.on(orders::id.eq(waiting::order_id)))
        .filter(waiting::campaign_id.eq(campaign))
        .filter(waiting::answer.is_null())
        .order(waiting::place.asc())
        .select((WaitingRow::as_select(), OrderRow::as_select()))
        .limit(limit)
        .load(conn)?)
}

/// Every place, page by page, for the audit.
pub fn all_open(conn: &mut Conn) -> Result<Vec<WaitingRow>, StoreError> {
    Ok(waiting::table
        .filter(waiting::answer.is_null())
        .order((waiting::campaign_id.asc(), waiting::place.asc()))
        .select(WaitingRow::as_select())
        .load(conn)?)
}

/// Keeps an order whose offer was accepted, with what was agreed then: it becomes an order like any that was just placed.
pub fn take_up(conn: &mut Conn, order: &OrderRow, lines: &[LineRow]) -> Result<(), StoreError> {
    diesel::update(orders::table.find(order.id))
        .set((
            orders::state.eq(order.state),
            orders::batch_id.eq(order.batch_id),
            orders::quote.eq(&order.quote),
            orders::total.eq(order.total),
            orders::mode.eq(order.mode),
            orders::hold_expires_at.eq(order.hold_expires_at),
            orders::terms_version.eq(order.terms_version),
            orders::joined_from.eq(&order.joined_from),
        ))
        .execute(conn)?;
    for line in lines {
        diesel::update(order_lines::table.find((line.order_id, line.option_id)))
            .set((
                order_lines::unit_price.eq(line.unit_price),
                order_lines::state.eq(LineState::Held),
            ))
            .execute(conn)?;
    }
    Ok(())
}
