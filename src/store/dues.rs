//! What is collected from orders after joining, the cards that were saved for it, and the units that wait for a step.

use chrono::NaiveDateTime;
use diesel::dsl::{exists, not};
use diesel::prelude::*;

use super::kept::kept;
use super::schema::{dues, limits, order_lines, orders, saved_cards};
use super::{Conn, StoreError, each_backend};
use crate::domain::card::{CardExpiry, CardState, Decline};
use crate::domain::due::{DueKind, DueState};
use crate::domain::ids::{BatchId, CampaignId, OptionId, OrderId};
use crate::domain::order::{Delivery, OrderState};
use crate::store::orders::OrderRow;

/// What is collected from one order.
#[derive(Debug, Clone, Queryable, Selectable, Insertable, AsChangeset)]
#[diesel(table_name = dues, treat_none_as_null = true, treat_none_as_default_value = false, primary_key(order_id))]
pub struct DueRow {
    /// The order.
    pub order_id: OrderId,
    /// Its campaign.
    pub campaign_id: CampaignId,
    /// Its batch.
    pub batch_id: BatchId,
    /// What is collected.
    pub kind: DueKind,
    /// Where it stands.
    pub state: DueState,
    /// How much.
    pub amount: i64,
    /// When it was asked for: the grace window is reckoned from here.
    pub opened_at: NaiveDateTime,
    /// The card is not charged before.
    pub charge_at: NaiveDateTime,
    /// When the grace window ends; none before a refusal.
    pub ends_at: Option<NaiveDateTime>,
    /// How many letters of the grace window went out.
    pub reminded: i32,
    /// What follows from the last refusal.
    pub decline: Option<Decline>,
    /// What the provider said of it.
    pub said: Option<String>,
    /// When it was paid or given up.
    pub closed_at: Option<NaiveDateTime>,
}

/// Keeps what is collected from an order; one that was there gives way.
pub fn put(conn: &mut Conn, row: &DueRow) -> Result<(), StoreError> {
    each_backend!(conn, c => kept!(diesel::insert_into(dues::table)
        .values(row)
        .on_conflict(dues::order_id)
        .do_update()
        .set(row))
    .execute(c)?);
    Ok(())
}

/// What is collected from an order.
pub fn of_order(conn: &mut Conn, order: OrderId) -> Result<Option<DueRow>, StoreError> {
    let found = each_backend!(conn, c => dues::table
        .find(order)
        .select(DueRow::as_select())
        .first(c)
        .optional()?);
    Ok(found)
}

/// The states in which something may still be paid.
const OPEN: [DueState; 3] = [DueState::Announced, DueState::Charging, DueState::Declined];

/// How many orders of a batch may still be paid, and how many of these were refused.
pub fn open_in_batch(conn: &mut Conn, batch: BatchId) -> Result<(i64, i64), StoreError> {
    let open = dues::table
        .filter(dues::batch_id.eq(batch))
        .filter(dues::state.eq_any(OPEN))
        .count()
        .get_result(conn)?;
    let declined = dues::table
        .filter(dues::batch_id.eq(batch))
        .filter(dues::state.eq(DueState::Declined))
        .count()
        .get_result(conn)?;
    Ok((open, declined))
}

/// Some orders of a batch from which something may still be collected, oldest first, after `after`.
pub fn open_orders(
    conn: &mut Conn,
    batch: BatchId,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<DueRow>, StoreError> {
    let mut query = dues::table
        .filter(dues::batch_id.eq(batch))
        .filter(dues::state.eq_any(OPEN))
        .select(DueRow::as_select())
        .order(dues::order_id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(dues::order_id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// The goods that an order's balance is for are there: some of them, where parts are sent as they come; all that are still
/// wanted, where it is one parcel.
macro_rules! goods_are_there {
    () => {{
        let given = order_lines::table
            .filter(order_lines::order_id.eq(orders::id))
            .filter(order_lines::allocated.gt(0));
        let awaited = order_lines::table
            .filter(order_lines::order_id.eq(orders::id))
            .filter(order_lines::allocated.lt(order_lines::quantity - order_lines::cancelled));
        exists(given).and(
            orders::delivery
                .eq(Delivery::AsAvailable)
                .or(not(exists(awaited))),
        )
    }};
}

/// Orders of a batch that paid a deposit and were not asked for the balance yet; `has_goods`: only those whose goods are
/// there.
pub fn with_balance(
    conn: &mut Conn,
    batch: BatchId,
    has_goods: bool,
    limit: i64,
) -> Result<Vec<OrderRow>, StoreError> {
    let asked = dues::table
        .filter(dues::batch_id.eq(batch))
        .select(dues::order_id);
    let mut all = orders::table
        .filter(orders::batch_id.eq(batch))
        .filter(orders::state.eq_any(OrderState::PAID))
        .filter(orders::owed.gt(0))
        .filter(orders::id.ne_all(asked))
        .select(OrderRow::as_select())
        .order(orders::id.asc())
        .limit(limit)
        .into_boxed();
    if has_goods {
        all = all.filter(goods_are_there!());
    }
    Ok(all.load(conn)?)
}

/// Orders of a batch that were told of their balance and whose goods are there, and from when on it is charged.
pub fn announced_with_goods(
    conn: &mut Conn,
    batch: BatchId,
) -> Result<Vec<(OrderId, NaiveDateTime)>, StoreError> {
    Ok(dues::table
        .inner_join(orders::table)
        .filter(dues::batch_id.eq(batch))
        .filter(dues::state.eq(DueState::Announced))
        .filter(goods_are_there!())
        .select((dues::order_id, dues::charge_at))
        .load(conn)?)
}

/// How many orders of a batch stand where, and over how much: for staff.
pub fn sums(conn: &mut Conn, batch: BatchId) -> Result<Vec<(DueState, i64, i64)>, StoreError> {
    let rows: Vec<(DueState, i64, Option<i64>)> = dues::table
        .filter(dues::batch_id.eq(batch))
        .group_by(dues::state)
        .select((
            dues::state,
            diesel::dsl::count_star(),
            super::orders::sum_of("dues.amount"),
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(state, orders, sum)| (state, orders, sum.unwrap_or(0)))
        .collect())
}

/// A card kept at the provider for one order.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = saved_cards, treat_none_as_default_value = false)]
pub struct CardRow {
    /// The payment method's id at the provider.
    pub method_id: String,
    /// The order it was saved for.
    pub order_id: OrderId,
    /// The customer there whom it belongs to.
    pub customer_id: String,
    /// Its brand.
    pub brand: String,
    /// Its last four digits.
    pub last4: String,
    /// The last year in which it is good.
    pub exp_year: i32,
    /// The last month of it.
    pub exp_month: i32,
    /// Where it stands.
    pub state: CardState,
    /// When it was saved.
    pub saved_at: NaiveDateTime,
    /// When its holder was told that it ends before it is charged.
    pub expiry_told_at: Option<NaiveDateTime>,
    /// When it was taken from its customer.
    pub detached_at: Option<NaiveDateTime>,
}

impl CardRow {
    /// The last month in which it is good; none where the row is damaged.
    pub fn expiry(&self) -> Option<CardExpiry> {
        CardExpiry::new(self.exp_year, u32::try_from(self.exp_month).ok()?)
    }

    /// As its holder knows it: `Visa ending in 4242`.
    pub fn said(&self) -> String {
        let mut brand: Vec<char> = self.brand.chars().collect();
        if let Some(first) = brand.first_mut() {
            *first = first.to_ascii_uppercase();
        }
        let brand: String = brand.into_iter().collect();
        format!("{} ending in {}", brand.replace('_', " "), self.last4)
    }
}

/// Keeps a card that was saved; whether it is new.
pub fn save_card(conn: &mut Conn, row: &CardRow) -> Result<bool, StoreError> {
    let kept = each_backend!(conn, c => diesel::insert_into(saved_cards::table)
        .values(row)
        .on_conflict(saved_cards::method_id)
        .do_nothing()
        .execute(c)?);
    Ok(kept == 1)
}

/// The card with this id at the provider.
pub fn card(conn: &mut Conn, method: &str) -> Result<Option<CardRow>, StoreError> {
    let found = each_backend!(conn, c => saved_cards::table
        .find(method)
        .select(CardRow::as_select())
        .first(c)
        .optional()?);
    Ok(found)
}

/// The card that an order is charged to.
pub fn card_of(conn: &mut Conn, order: OrderId) -> Result<Option<CardRow>, StoreError> {
    let found = each_backend!(conn, c => saved_cards::table
        .filter(saved_cards::order_id.eq(order))
        .filter(saved_cards::state.eq(CardState::Saved))
        .select(CardRow::as_select())
        .first(c)
        .optional()?);
    Ok(found)
}

/// All cards that were saved for an order, the last first.
pub fn cards_of(conn: &mut Conn, order: OrderId) -> Result<Vec<CardRow>, StoreError> {
    let found = each_backend!(conn, c => saved_cards::table
        .filter(saved_cards::order_id.eq(order))
        .select(CardRow::as_select())
        .order(saved_cards::saved_at.desc())
        .load(c)?);
    Ok(found)
}

/// Changes where a card stands, if it still stands where it did; whether it did.
pub fn move_card(
    conn: &mut Conn,
    method: &str,
    from: CardState,
    to: CardState,
    now: NaiveDateTime,
) -> Result<bool, StoreError> {
    let row = saved_cards::table
        .filter(saved_cards::method_id.eq(method))
        .filter(saved_cards::state.eq(from));
    let detached = (to == CardState::Detached).then_some(now);
    let changed = diesel::update(row)
        .set((
            saved_cards::state.eq(to),
            saved_cards::detached_at.eq(detached),
        ))
        .execute(conn)?;
    Ok(changed == 1)
}

/// Notes that a card's holder was told that it ends.
pub fn set_expiry_told(
    conn: &mut Conn,
    method: &str,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::update(saved_cards::table.find(method))
        .set(saved_cards::expiry_told_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Some cards that confirmed orders of a campaign wait to be charged to and whose holders were not told of their end,
/// with an expiry not after a month.
pub fn ending_cards(
    conn: &mut Conn,
    campaign: CampaignId,
    last: CardExpiry,
    limit: i64,
) -> Result<Vec<CardRow>, StoreError> {
    let month = i32::try_from(last.month).unwrap_or(12);
    Ok(saved_cards::table
        .inner_join(orders::table)
        .filter(orders::campaign_id.eq(campaign))
        .filter(orders::state.eq(OrderState::Confirmed))
        .filter(saved_cards::state.eq(CardState::Saved))
        .filter(saved_cards::expiry_told_at.is_null())
        .filter(
            saved_cards::exp_year.lt(last.year).or(saved_cards::exp_year
                .eq(last.year)
                .and(saved_cards::exp_month.le(month))),
        )
        .select(CardRow::as_select())
        .order(saved_cards::method_id.asc())
        .limit(limit)
        .load(conn)?)
}

/// Committed units of a campaign by the step that their orders wait for.
pub fn limits_of(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<(i32, i64)>, StoreError> {
    let rows: Vec<(i32, Option<i64>)> = limits::table
        .filter(limits::campaign_id.eq(campaign))
        .group_by(limits::step)
        .select((limits::step, super::orders::sum_of("limits.committed")))
        .order(limits::step.asc())
        .load(conn)?;
    Ok(rows.into_iter().map(|(s, n)| (s, n.unwrap_or(0))).collect())
}

/// As [`limits_of`], by option.
pub fn limits_by_option(
    conn: &mut Conn,
    campaign: CampaignId,
) -> Result<Vec<(OptionId, i32, i64)>, StoreError> {
    Ok(limits::table
        .filter(limits::campaign_id.eq(campaign))
        .select((limits::option_id, limits::step, limits::committed))
        .order((limits::option_id.asc(), limits::step.asc()))
        .load(conn)?)
}

/// Moves the committed units of an option that wait for a step.
pub fn count_limit(
    conn: &mut Conn,
    campaign: CampaignId,
    (option, step): (OptionId, i32),
    units: i64,
) -> Result<(), StoreError> {
    let changed = diesel::update(limits::table.find((campaign, option, step)))
        .set(limits::committed.eq(limits::committed + units))
        .execute(conn)?;
    if changed == 0 {
        let row = (
            limits::campaign_id.eq(campaign),
            limits::option_id.eq(option),
            limits::step.eq(step),
            limits::committed.eq(units),
        );
        each_backend!(conn, c => diesel::insert_into(limits::table).values(row).execute(c)?);
    }
    Ok(())
}
