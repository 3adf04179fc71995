//! Orders, their lines and their payment pages.

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

mod payments;
mod units;

pub use self::payments::*;
pub use self::units::*;
use super::kept::{kept, kept_update};
use super::schema::{order_lines, orders, payments as payment_pages};
use super::{Conn, StoreError, each_backend};
use crate::domain::draft::PaymentMode;
use crate::domain::ids::{BatchId, CampaignId, MerchantId, OptionId, OrderId};
use crate::domain::order::{Delivery, LineState, LineUnits, OrderMoney, OrderState, PaymentState};

/// An order's row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = orders, treat_none_as_default_value = false)]
pub struct OrderRow {
    /// Its id.
    pub id: OrderId,
    /// Its number at the merchant.
    pub number: i64,
    /// Whose campaign it is in.
    pub merchant_id: MerchantId,
    /// Its campaign.
    pub campaign_id: CampaignId,
    /// Its batch.
    pub batch_id: BatchId,
    /// Where it stands.
    pub state: OrderState,
    /// Where its money stands.
    pub payment_state: PaymentState,
    /// The shopper's address, trimmed and lower-cased: who the shopper is.
    pub email: String,
    /// The shopper's name.
    pub name: String,
    /// Where it goes, as JSON.
    pub address: String,
    /// The country it goes to.
    pub country: String,
    /// How the shopper wants the parcels.
    pub delivery: Delivery,
    /// The code of its currency.
    pub currency: String,
    /// Units of all lines.
    pub units: i64,
    /// Quote and tariff as frozen at joining, as JSON.
    pub quote: String,
    /// What is charged for it.
    pub total: i64,
    /// What it costs in the end, once judged.
    pub final_total: Option<i64>,
    /// Captured at the provider.
    pub charged: i64,
    /// Committed to go back, not done.
    pub refund_due: i64,
    /// Gone back.
    pub refunded: i64,
    /// Lost in disputes.
    pub lost: i64,
    /// Whether its units count against the caps.
    pub units_taken: bool,
    /// Whether the judgement's outcome was applied to it.
    pub settled: bool,
    /// When its hold ends.
    pub hold_expires_at: NaiveDateTime,
    /// The version of the terms that was accepted.
    pub terms_version: i32,
    /// The network address it was joined from.
    pub joined_from: String,
    /// What makes a form's second submit the same order.
    pub form_key: Option<String>,
    /// A note for the shopper and staff.
    pub note: Option<String>,
    /// When it was placed.
    pub created_at: NaiveDateTime,
    /// When it was paid.
    pub confirmed_at: Option<NaiveDateTime>,
    /// When it was cancelled or ran out.
    pub closed_at: Option<NaiveDateTime>,
    /// Given back, or to be given back, of goods that it keeps: goodwill, lost, returned.
    pub allowances: i64,
    /// How it is paid.
    pub mode: PaymentMode,
    /// It is in only if the step with this index is reached; 0: in any case.
    pub limit_step: i32,
    /// Whether its units count as paid for.
    pub collected: bool,
    /// What of its price was not collected yet: all of it while only a card is saved, the balance after a deposit.
    pub owed: i64,
    /// A deposit that the merchant keeps, because the balance was never paid.
    pub forfeited: i64,
}

impl OrderRow {
    /// Its money's sums.
    pub fn money(&self) -> OrderMoney {
        OrderMoney {
            charged: self.charged,
            refund_due: self.refund_due,
            refunded: self.refunded,
            lost: self.lost,
            forfeited: self.forfeited,
            owed: self.owed,
        }
    }
}

/// A line's row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = order_lines, treat_none_as_default_value = false)]
pub struct LineRow {
    /// Its order.
    pub order_id: OrderId,
    /// What was chosen.
    pub option_id: OptionId,
    /// The option's code.
    pub sku: String,
    /// Units.
    pub quantity: i64,
    /// The unit price shown, the most that will be paid.
    pub unit_price: i64,
    /// The unit price in the end, once judged.
    pub final_price: Option<i64>,
    /// Where it stands.
    pub state: LineState,
    /// Units that are not wanted any more.
    pub cancelled: i64,
    /// Units of the batch's stock given to it, those in parcels and those handed over included.
    pub allocated: i64,
    /// Units in parcels that were not handed over yet.
    pub picked: i64,
    /// Units handed over to the carrier.
    pub shipped: i64,
    /// Units that arrived.
    pub delivered: i64,
}

impl LineRow {
    /// How many of its units are where.
    pub fn units(&self) -> LineUnits {
        LineUnits {
            quantity: self.quantity,
            cancelled: self.cancelled,
            allocated: self.allocated,
            picked: self.picked,
            shipped: self.shipped,
            delivered: self.delivered,
        }
    }
}

#[diesel::declare_sql_function]
extern "SQL" {
    /// The text in lower case, as far as the database knows letters.
    fn lower(text: Text) -> Text;
}

/// The sum of a column as 64 bits: PostgreSQL makes it NUMERIC, and our sums fit by far.
pub(in crate::store) fn sum_of(column: &str) -> diesel::expression::SqlLiteral<Nullable<BigInt>> {
    diesel::dsl::sql(&format!("CAST(SUM({column}) AS BIGINT)"))
}

/// Keeps new orders with their lines and first pages.
pub fn insert(
    conn: &mut Conn,
    new: &[OrderRow],
    lines: &[LineRow],
    pages: &[PaymentRow],
) -> Result<(), StoreError> {
    match conn {
        // In the same process a prepared statement for each row is cheaper than preparing a long one for all.
        Conn::Sqlite(c) => {
            for row in new {
                kept!(diesel::insert_into(orders::table).values(row)).execute(c)?;
            }
            for row in lines {
                kept!(diesel::insert_into(order_lines::table).values(row)).execute(c)?;
            }
            for row in pages {
                kept!(diesel::insert_into(payment_pages::table).values(row)).execute(c)?;
            }
        }
        // Over a wire it is the round trips; one statement takes 65,535 values.
        #[cfg(feature = "postgres")]
        Conn::Postgres(c) => {
            for rows in new.chunks(64) {
                diesel::insert_into(orders::table).values(rows).execute(c)?;
            }
            for rows in lines.chunks(256) {
                diesel::insert_into(order_lines::table)
                    .values(rows)
                    .execute(c)?;
            }
            for rows in pages.chunks(128) {
                diesel::insert_into(payment_pages::table)
                    .values(rows)
                    .execute(c)?;
            }
        }
    }
    Ok(())
}

/// The order with this id.
pub fn by_id(conn: &mut Conn, id: OrderId) -> Result<Option<OrderRow>, StoreError> {
    let found = each_backend!(conn, c => orders::table
        .find(id)
        .select(OrderRow::as_select())
        .first(c)
        .optional()?);
    Ok(found)
}

/// The merchant's order with this number.
pub fn by_number(
    conn: &mut Conn,
    merchant: MerchantId,
    number: i64,
) -> Result<Option<OrderRow>, StoreError> {
    Ok(orders::table
        .filter(orders::merchant_id.eq(merchant))
        .filter(orders::number.eq(number))
        .select(OrderRow::as_select())
        .first(conn)
        .optional()?)
}

/// Whether any order of a batch is in one of these states.
pub fn any_in(conn: &mut Conn, batch: BatchId, states: &[OrderState]) -> Result<bool, StoreError> {
    let one: Option<OrderId> = orders::table
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq_any(states))
        .select(orders::id)
        .first(conn)
        .optional()?;
    Ok(one.is_some())
}

/// The campaign that an order is in.
pub fn campaign_of(conn: &mut Conn, id: OrderId) -> Result<Option<CampaignId>, StoreError> {
    let found = each_backend!(conn, c => orders::table
        .find(id)
        .select(orders::campaign_id)
        .first(c)
        .optional()?);
    Ok(found)
}

/// The order that a form already made.
pub fn by_form(
    conn: &mut Conn,
    campaign: CampaignId,
    form_keys: &[String],
) -> Result<Vec<OrderRow>, StoreError> {
    Ok(orders::table
        .filter(orders::campaign_id.eq(campaign))
        // Says what is clear, so that PostgreSQL sees it before it knows the keys: the index has no others.
        .filter(orders::form_key.is_not_null())
        .filter(orders::form_key.eq_any(form_keys))
        .select(OrderRow::as_select())
        .load(conn)?)
}

/// An order's lines.
pub fn lines_of(conn: &mut Conn, id: OrderId) -> Result<Vec<LineRow>, StoreError> {
    let found = each_backend!(conn, c => order_lines::table
        .filter(order_lines::order_id.eq(id))
        .select(LineRow::as_select())
        .order(order_lines::sku.asc())
        .load(c)?);
    Ok(found)
}

/// The lines of several orders.
pub fn lines_of_all(conn: &mut Conn, ids: &[OrderId]) -> Result<Vec<LineRow>, StoreError> {
    Ok(order_lines::table
        .filter(order_lines::order_id.eq_any(ids))
        .select(LineRow::as_select())
        .load(conn)?)
}

/// Keeps what became of an order: everything but what was agreed at joining.
pub fn save(conn: &mut Conn, order: &OrderRow) -> Result<(), StoreError> {
    let row = orders::id.eq(order.id);
    let changes = (
        orders::batch_id.eq(order.batch_id),
        orders::state.eq(order.state),
        orders::payment_state.eq(order.payment_state),
        orders::final_total.eq(order.final_total),
        orders::charged.eq(order.charged),
        orders::refund_due.eq(order.refund_due),
        orders::refunded.eq(order.refunded),
        orders::lost.eq(order.lost),
        orders::units_taken.eq(order.units_taken),
        orders::settled.eq(order.settled),
        orders::hold_expires_at.eq(order.hold_expires_at),
        orders::note.eq(&order.note),
        orders::confirmed_at.eq(order.confirmed_at),
        orders::closed_at.eq(order.closed_at),
        orders::allowances.eq(order.allowances),
        orders::collected.eq(order.collected),
        orders::owed.eq(order.owed),
        orders::forfeited.eq(order.forfeited),
    );
    each_backend!(conn, c => kept_update!(orders::table, row, changes).execute(c)?);
    Ok(())
}

/// All units of an order count, as when it was placed.
pub fn confirm_lines(conn: &mut Conn, id: OrderId) -> Result<(), StoreError> {
    diesel::update(order_lines::table.filter(order_lines::order_id.eq(id)))
        .set((
            order_lines::state.eq(LineState::Confirmed),
            order_lines::cancelled.eq(0),
        ))
        .execute(conn)?;
    Ok(())
}

/// An order's lines are cancelled; its units stay taken until its payment page is closed.
pub fn mark_cancelled(conn: &mut Conn, id: OrderId) -> Result<(), StoreError> {
    diesel::update(order_lines::table.filter(order_lines::order_id.eq(id)))
        .set(order_lines::state.eq(LineState::Cancelled))
        .execute(conn)?;
    Ok(())
}

/// No unit of an order is wanted, or taken, any more.
pub fn cancel_lines(conn: &mut Conn, id: OrderId) -> Result<(), StoreError> {
    diesel::update(order_lines::table.filter(order_lines::order_id.eq(id)))
        .set((
            order_lines::state.eq(LineState::Cancelled),
            order_lines::cancelled.eq(order_lines::quantity),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps a line's state and how many of its units are where.
pub fn save_line(conn: &mut Conn, line: &LineRow) -> Result<(), StoreError> {
    diesel::update(order_lines::table.find((line.order_id, line.option_id)))
        .set((
            order_lines::state.eq(line.state),
            order_lines::cancelled.eq(line.cancelled),
            order_lines::allocated.eq(line.allocated),
            order_lines::picked.eq(line.picked),
            order_lines::shipped.eq(line.shipped),
            order_lines::delivered.eq(line.delivered),
        ))
        .execute(conn)?;
    Ok(())
}

/// Keeps a line's final price.
pub fn set_final_price(
    conn: &mut Conn,
    id: OrderId,
    option: OptionId,
    price: i64,
) -> Result<(), StoreError> {
    let row = order_lines::order_id
        .eq(id)
        .and(order_lines::option_id.eq(option));
    let changes = (order_lines::final_price.eq(price),);
    each_backend!(conn, c => kept_update!(order_lines::table, row, changes).execute(c)?);
    Ok(())
}

/// Units that these shoppers hold or committed to, also for changes of their orders, by option: what their limit counts.
pub fn units_of_shoppers(
    conn: &mut Conn,
    campaign: CampaignId,
    emails: &[&str],
) -> Result<Vec<(String, OptionId, i64)>, StoreError> {
    let mut rows: Vec<(String, OptionId, i64)> = orders::table
        .inner_join(order_lines::table)
        .filter(orders::campaign_id.eq(campaign))
        .filter(orders::email.eq_any(emails))
        // What is waited for counts, too: it may become theirs.
        .filter(
            orders::units_taken
                .eq(true)
                .or(orders::state.eq(OrderState::Waitlisted)),
        )
        .select((
            orders::email,
            order_lines::option_id,
            order_lines::quantity - order_lines::cancelled,
        ))
        .load(conn)?;
    rows.extend(super::changes::held_of_shoppers(conn, campaign, emails)?);
    Ok(rows)
}

/// Orders of a batch in the order of their ids, after `after`.
pub fn of_batch(
    conn: &mut Conn,
    batch: BatchId,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<OrderRow>, StoreError> {
    let mut query = orders::table
        .filter(orders::batch_id.eq(batch))
        .select(OrderRow::as_select())
        .order(orders::id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(orders::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Orders of a batch to which its outcome was not applied yet.
pub fn unsettled(conn: &mut Conn, batch: BatchId, limit: i64) -> Result<Vec<OrderRow>, StoreError> {
    Ok(orders::table
        .filter(orders::batch_id.eq(batch))
        .filter(orders::settled.eq(false))
        .select(OrderRow::as_select())
        .order(orders::id.asc())
        .limit(limit)
        .load(conn)?)
}

/// Every order of a batch counts as unsettled again: a second outcome (a shortfall, a supplier who cannot) follows.
pub fn unsettle(conn: &mut Conn, batch: BatchId) -> Result<(), StoreError> {
    diesel::update(orders::table.filter(orders::batch_id.eq(batch)))
        .set(orders::settled.eq(false))
        .execute(conn)?;
    Ok(())
}

/// The purchase order went out: confirmed orders of the batch are backordered. How many.
pub fn backorder(conn: &mut Conn, batch: BatchId) -> Result<usize, StoreError> {
    let ids = orders::table
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq(OrderState::Confirmed))
        .select(orders::id);
    diesel::update(
        order_lines::table
            .filter(order_lines::order_id.eq_any(ids))
            .filter(order_lines::cancelled.lt(order_lines::quantity)),
    )
    .set(order_lines::state.eq(LineState::Backordered))
    .execute(conn)?;
    Ok(diesel::update(
        orders::table
            .filter(orders::batch_id.eq(batch))
            .filter(orders::state.eq(OrderState::Confirmed)),
    )
    .set(orders::state.eq(OrderState::Backordered))
    .execute(conn)?)
}

/// Which orders a list shows.
#[derive(Debug, Clone, Default)]
pub struct OrderFilter {
    /// Only of this campaign.
    pub campaign: Option<CampaignId>,
    /// Only of this batch.
    pub batch: Option<BatchId>,
    /// Only in this state.
    pub state: Option<OrderState>,
    /// Only with money in this state.
    pub payment_state: Option<PaymentState>,
    /// Only with this in e-mail or name, or with this number.
    pub text: Option<String>,
    /// Only placed before this one.
    pub before: Option<OrderId>,
}

/// A merchant's orders, newest first.
pub fn list(
    conn: &mut Conn,
    merchant: MerchantId,
    filter: &OrderFilter,
    limit: i64,
) -> Result<Vec<OrderRow>, StoreError> {
    let mut query = orders::table
        .filter(orders::merchant_id.eq(merchant))
        .select(OrderRow::as_select())
        .order(orders::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(campaign) = filter.campaign {
        query = query.filter(orders::campaign_id.eq(campaign));
    }
    if let Some(batch) = filter.batch {
        query = query.filter(orders::batch_id.eq(batch));
    }
    if let Some(state) = filter.state {
        query = query.filter(orders::state.eq(state));
    }
    if let Some(state) = filter.payment_state {
        query = query.filter(orders::payment_state.eq(state));
    }
    if let Some(before) = filter.before {
        query = query.filter(orders::id.lt(before));
    }
    if let Some(text) = &filter.text {
        let number = text
            .trim()
            .trim_start_matches(['M', 'm'])
            .trim_start_matches('-');
        if let Ok(number) = number.parse::<i64>() {
            query = query.filter(orders::number.eq(number));
        } else {
            let part = text.trim().to_lowercase().replace(['%', '_'], "");
            query = query.filter(
                orders::email
                    .like(format!("%{part}%"))
                    .or(lower(orders::name).like(format!("%{part}%"))),
            );
        }
    }
    Ok(query.load(conn)?)
}

/// A shopper's orders in all campaigns of this server, newest first: for sending links again.
pub fn of_email(conn: &mut Conn, email: &str, limit: i64) -> Result<Vec<OrderRow>, StoreError> {
    Ok(orders::table
        .filter(orders::email.eq(email))
        .select(OrderRow::as_select())
        .order(orders::id.desc())
        .limit(limit)
        .load(conn)?)
}

/// The sum of what confirmed and backordered orders of a batch still keep with the merchant: what would be owed back.
pub fn kept_in_campaign(
    conn: &mut Conn,
    campaign: CampaignId,
) -> Result<(i64, i64, i64), StoreError> {
    let row: (Option<i64>, Option<i64>, Option<i64>) = {
        orders::table
            .filter(orders::campaign_id.eq(campaign))
            .select((
                sum_of("orders.charged"),
                sum_of("orders.refunded"),
                sum_of("orders.refund_due"),
            ))
            .first(conn)?
    };
    Ok((row.0.unwrap_or(0), row.1.unwrap_or(0), row.2.unwrap_or(0)))
}
