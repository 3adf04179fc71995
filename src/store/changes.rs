//! What shoppers change of their orders before the judgement, and the units that are held for it meanwhile.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::orders::{LineRow, OrderRow};
use super::schema::{changes, order_lines, orders};
use super::{Conn, StoreError, each_backend};
use crate::domain::change::ChangeState;
use crate::domain::ids::{BatchId, CampaignId, ChangeId, OptionId, OrderId};
use crate::domain::order::Delivery;

/// A change's row.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = changes, treat_none_as_default_value = false)]
pub struct ChangeRow {
    /// Its id.
    pub id: ChangeId,
    /// The order that it changes.
    pub order_id: OrderId,
    /// Where it stands.
    pub state: ChangeState,
    /// The payment of what it costs more; none where nothing is to be paid.
    pub attempt: Option<i32>,
    /// Lines and total before, as JSON.
    pub had: String,
    /// What is agreed once it takes effect, as JSON.
    pub wanted: String,
    /// The units that are taken for it while it is planned, as JSON: a list of option and units.
    pub held: String,
    /// What makes a form's second submit the same change.
    pub form_key: Option<String>,
    /// When its hold ends.
    pub hold_expires_at: NaiveDateTime,
    /// When it was asked for.
    pub created_at: NaiveDateTime,
    /// When it took effect or was dropped.
    pub closed_at: Option<NaiveDateTime>,
    /// Who of the staff asked for it; none: the order's shopper.
    pub asked_by: Option<String>,
    /// Name and address to which the order goes once it took effect, as JSON; none: as before.
    pub goes_to: Option<String>,
    /// How its parcels come then; none: as before.
    pub delivery: Option<Delivery>,
    /// When its shopper agreed to it; none: nobody had to, or not yet.
    pub agreed_at: Option<NaiveDateTime>,
    /// The version of the terms that was in force then.
    pub agreed_terms: Option<i32>,
    /// The network address from which it was agreed to.
    pub agreed_from: Option<String>,
}

impl ChangeRow {
    /// The units that are held for it: none once it is over.
    ///
    /// # Errors
    /// When the row is damaged.
    pub fn held(&self) -> Result<Vec<(OptionId, i64)>, StoreError> {
        if self.state != ChangeState::Planned {
            return Ok(Vec::new());
        }
        serde_json::from_str(&self.held)
            .map_err(|e| StoreError::Damaged(format!("what change {} holds: {e}", self.id)))
    }
}

/// Keeps a new change.
pub fn insert(conn: &mut Conn, row: &ChangeRow) -> Result<(), StoreError> {
    each_backend!(conn, c => diesel::insert_into(changes::table).values(row).execute(c)?);
    Ok(())
}

/// Keeps where a change stands, and which payment is its own.
pub fn save(conn: &mut Conn, row: &ChangeRow) -> Result<(), StoreError> {
    diesel::update(changes::table.find(row.id))
        .set((
            changes::state.eq(row.state),
            changes::attempt.eq(row.attempt),
            changes::hold_expires_at.eq(row.hold_expires_at),
            changes::closed_at.eq(row.closed_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps that a change's shopper agreed to it, where nothing says so yet.
pub fn save_consent(conn: &mut Conn, row: &ChangeRow) -> Result<(), StoreError> {
    diesel::update(
        changes::table
            .find(row.id)
            .filter(changes::agreed_at.is_null()),
    )
    .set((
        changes::agreed_at.eq(row.agreed_at),
        changes::agreed_terms.eq(row.agreed_terms),
        changes::agreed_from.eq(&row.agreed_from),
    ))
    .execute(conn)?;
    Ok(())
}

/// An order's changes, first to last.
pub fn of_order(conn: &mut Conn, order: OrderId) -> Result<Vec<ChangeRow>, StoreError> {
    of_orders(conn, &[order])
}

/// The changes of these orders, first to last.
pub fn of_orders(conn: &mut Conn, orders: &[OrderId]) -> Result<Vec<ChangeRow>, StoreError> {
    Ok(changes::table
        .filter(changes::order_id.eq_any(orders))
        .select(ChangeRow::as_select())
        .order((changes::created_at.asc(), changes::id.asc()))
        .load(conn)?)
}

/// The change of an order that is under way.
pub fn under_way(conn: &mut Conn, order: OrderId) -> Result<Option<ChangeRow>, StoreError> {
    Ok(changes::table
        .filter(changes::order_id.eq(order))
        .filter(changes::state.eq(ChangeState::Planned))
        .select(ChangeRow::as_select())
        .first(conn)
        .optional()?)
}

/// Whose changes under way are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnderWay {
    /// All of a batch's orders.
    InBatch(BatchId),
    /// Those of a campaign's orders that staff asked for.
    AskedByStaff(CampaignId),
}

/// Changes that are under way: the orders, and the attempts that pay for them.
pub fn pages_of(conn: &mut Conn, which: UnderWay) -> Result<Vec<(OrderId, i32)>, StoreError> {
    let planned = changes::table
        .inner_join(orders::table)
        .filter(changes::state.eq(ChangeState::Planned))
        .select((changes::order_id, changes::attempt));
    let rows: Vec<(OrderId, Option<i32>)> = match which {
        UnderWay::InBatch(batch) => planned.filter(orders::batch_id.eq(batch)).load(conn)?,
        UnderWay::AskedByStaff(campaign) => planned
            .filter(orders::campaign_id.eq(campaign))
            .filter(changes::asked_by.is_not_null())
            .load(conn)?,
    };
    let paid = rows
        .into_iter()
        .filter_map(|(order, attempt)| Some((order, attempt?)));
    Ok(paid.collect())
}

/// Changes of a batch's orders that took effect, first to last.
pub fn done_in(conn: &mut Conn, batch: BatchId) -> Result<Vec<ChangeRow>, StoreError> {
    Ok(changes::table
        .inner_join(orders::table)
        .filter(orders::batch_id.eq(batch))
        .filter(changes::state.eq(ChangeState::Done))
        .select(ChangeRow::as_select())
        .order((changes::closed_at.asc(), changes::id.asc()))
        .load(conn)?)
}

/// The change that a form already made.
pub fn by_form(
    conn: &mut Conn,
    order: OrderId,
    form_key: &str,
) -> Result<Option<ChangeRow>, StoreError> {
    Ok(changes::table
        .filter(changes::order_id.eq(order))
        .filter(changes::form_key.eq(form_key))
        .select(ChangeRow::as_select())
        .first(conn)
        .optional()?)
}

/// Units that are held for changes of these shoppers' orders: they count for the limit per shopper.
pub fn held_of_shoppers(
    conn: &mut Conn,
    campaign: CampaignId,
    emails: &[&str],
) -> Result<Vec<(String, OptionId, i64)>, StoreError> {
    let rows: Vec<(String, ChangeRow)> = changes::table
        .inner_join(orders::table)
        .filter(orders::campaign_id.eq(campaign))
        .filter(orders::email.eq_any(emails))
        .filter(changes::state.eq(ChangeState::Planned))
        .select((orders::email, ChangeRow::as_select()))
        .load(conn)?;
    let mut all = Vec::new();
    for (email, row) in rows {
        let held = row.held()?.into_iter();
        all.extend(held.map(|(option, units)| (email.clone(), option, units)));
    }
    Ok(all)
}

/// Keeps what is agreed of an order from now on: its quote, its total and how many units it has.
pub fn save_agreed(conn: &mut Conn, order: &OrderRow) -> Result<(), StoreError> {
    diesel::update(orders::table.find(order.id))
        .set((
            orders::quote.eq(&order.quote),
            orders::total.eq(order.total),
            orders::units.eq(order.units),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps a line as it is agreed from now on.
pub fn put_line(conn: &mut Conn, line: &LineRow) -> Result<(), StoreError> {
    each_backend!(conn, c => diesel::insert_into(order_lines::table)
        .values(line)
        .on_conflict((order_lines::order_id, order_lines::option_id))
        .do_update()
        .set((
            order_lines::quantity.eq(line.quantity),
            order_lines::unit_price.eq(line.unit_price),
            order_lines::state.eq(line.state),
        ))
        .execute(c)?);
    Ok(())
}

/// A line of which nothing is agreed any more.
pub fn delete_line(conn: &mut Conn, line: &LineRow) -> Result<(), StoreError> {
    diesel::delete(order_lines::table.find((line.order_id, line.option_id))).execute(conn)?;
    Ok(())
}
