//! Campaigns, their options with the counters that caps hang on, and their batches. Committed and collected units and
//! orders are those of the newest batch, the one that gathers; what is taken of an option is the whole campaign's.

use chrono::NaiveDateTime;
use diesel::prelude::*;

mod batches;
mod goods;
mod opening;

pub use batches::*;
pub use goods::*;
pub use opening::*;

use super::kept::kept_update;
use super::schema::{batches as batch_rows, campaigns, options};
use super::{Conn, StoreError, each_backend};
use crate::domain::campaign::{CampaignState, Failure};
use crate::domain::ids::{CampaignId, MerchantId, OptionId};

/// A campaign's row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = campaigns)]
pub struct CampaignRow {
    /// Its id.
    pub id: CampaignId,
    /// Whose it is.
    pub merchant_id: MerchantId,
    /// Its name in addresses.
    pub slug: String,
    /// Its name.
    pub title: String,
    /// The code of its currency.
    pub currency: String,
    /// Where it stands.
    pub state: CampaignState,
    /// Why it failed.
    pub failure: Option<Failure>,
    /// What staff said about it.
    pub failure_note: Option<String>,
    /// The checked offer as JSON.
    pub spec: String,
    /// When it opens by itself.
    pub opens_at: Option<NaiveDateTime>,
    /// When it ends.
    pub deadline: NaiveDateTime,
    /// When its deadline was moved, once at most.
    pub extended_at: Option<NaiveDateTime>,
    /// When joining ended before the deadline: closed by staff or by the trigger.
    pub closed_at: Option<NaiveDateTime>,
    /// When it was published.
    pub published_at: Option<NaiveDateTime>,
    /// When the first order was taken: from then on it is locked.
    pub first_order_at: Option<NaiveDateTime>,
    /// What the judgement waits for, in words for staff.
    pub waiting_for: Option<String>,
    /// Orders ever taken.
    pub orders: i64,
    /// Payment pages that may still be paid.
    pub open_payments: i64,
    /// Units of confirmed orders of the newest batch.
    pub committed_units: i64,
    /// Units of paid orders of the newest batch.
    pub collected_units: i64,
    /// Paid orders of the newest batch.
    pub collected_orders: i64,
    /// The best step that shoppers of the newest batch were told of.
    pub best_step_told: i32,
    /// Rises with each change.
    pub version: i64,
    /// When it was made.
    pub created_at: NaiveDateTime,
    /// When it last changed.
    pub updated_at: NaiveDateTime,
    /// When its shoppers last heard of it: an update, a date, an arrival, a parcel.
    pub last_sign_at: Option<NaiveDateTime>,
}

/// An option's row: its counters. Name and prices are in the campaign's offer.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = options)]
pub struct OptionRow {
    /// Its id.
    pub id: OptionId,
    /// Whose option it is.
    pub campaign_id: CampaignId,
    /// Its place in the list.
    pub position: i32,
    /// Its code, unique in the campaign.
    pub sku: String,
    /// The most units that can be taken.
    pub cap: Option<i64>,
    /// Units held or committed, in all batches: what the cap limits.
    pub taken: i64,
    /// Units of confirmed orders of the newest batch.
    pub committed: i64,
    /// Units of paid orders of the newest batch.
    pub collected: i64,
}

impl OptionRow {
    /// Units that can still be taken; none where there is no cap.
    pub fn available(&self) -> Option<i64> {
        self.cap.map(|cap| (cap - self.taken).max(0))
    }
}

/// Keeps a new campaign, its options and its first batch.
pub fn insert(
    conn: &mut Conn,
    campaign: &CampaignRow,
    its_options: &[OptionRow],
    batch: &BatchRow,
) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(campaigns::table).values(campaign).execute(c)?;
        diesel::insert_into(options::table).values(its_options).execute(c)?;
        diesel::insert_into(batch_rows::table).values(batch).execute(c)?;
    });
    Ok(())
}

/// The campaign with this id.
pub fn by_id(conn: &mut Conn, id: CampaignId) -> Result<Option<CampaignRow>, StoreError> {
    let found = each_backend!(conn, c => campaigns::table
        .find(id)
        .select(CampaignRow::as_select())
        .first(c)
        .optional()?);
    Ok(found)
}

/// The campaign with this name in addresses.
pub fn by_slug(conn: &mut Conn, slug: &str) -> Result<Option<CampaignRow>, StoreError> {
    Ok(campaigns::table
        .filter(campaigns::slug.eq(slug))
        .select(CampaignRow::as_select())
        .first(conn)
        .optional()?)
}

/// The campaign, locked until the transaction ends: everything that decides about it starts here.
pub fn lock(conn: &mut Conn, id: CampaignId) -> Result<Option<CampaignRow>, StoreError> {
    hold(conn, id)?;
    by_id(conn, id)
}

/// Locks the campaign until the transaction ends, without reading it. The embedded database is locked as a whole since
/// the transaction began.
#[cfg_attr(
    not(feature = "postgres"),
    allow(unused_variables, reason = "one writer there")
)]
pub fn hold(conn: &mut Conn, id: CampaignId) -> Result<(), StoreError> {
    #[cfg(feature = "postgres")]
    if let Conn::Postgres(c) = conn {
        campaigns::table
            .find(id)
            .select(campaigns::id)
            .for_update()
            .first::<CampaignId>(c)
            .optional()?;
    }
    Ok(())
}

/// The campaigns of a page, newest first, after `before`.
pub fn of_merchant(
    conn: &mut Conn,
    merchant: MerchantId,
    before: Option<CampaignId>,
    limit: i64,
) -> Result<Vec<CampaignRow>, StoreError> {
    let mut query = campaigns::table
        .filter(campaigns::merchant_id.eq(merchant))
        .select(CampaignRow::as_select())
        .order(campaigns::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(campaigns::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Published campaigns in one of these states, newest first, after `before`.
pub fn published(
    conn: &mut Conn,
    states: &[CampaignState],
    before: Option<CampaignId>,
    limit: i64,
) -> Result<Vec<CampaignRow>, StoreError> {
    let mut query = campaigns::table
        .filter(campaigns::state.eq_any(states))
        .select(CampaignRow::as_select())
        .order(campaigns::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(campaigns::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Every campaign id in one of these states: for starting work and for checks.
pub fn ids_in(conn: &mut Conn, states: &[CampaignState]) -> Result<Vec<CampaignId>, StoreError> {
    Ok(campaigns::table
        .filter(campaigns::state.eq_any(states))
        .select(campaigns::id)
        .load(conn)?)
}

/// A campaign's options in their order.
pub fn options_of(conn: &mut Conn, id: CampaignId) -> Result<Vec<OptionRow>, StoreError> {
    Ok(options::table
        .filter(options::campaign_id.eq(id))
        .select(OptionRow::as_select())
        .order(options::position.asc())
        .load(conn)?)
}

/// Keeps an edited offer.
pub fn save_offer(
    conn: &mut Conn,
    campaign: &CampaignRow,
    new_options: &[OptionRow],
) -> Result<(), StoreError> {
    diesel::update(campaigns::table.find(campaign.id))
        .set((
            campaigns::slug.eq(&campaign.slug),
            campaigns::title.eq(&campaign.title),
            campaigns::currency.eq(&campaign.currency),
            campaigns::spec.eq(&campaign.spec),
            campaigns::opens_at.eq(campaign.opens_at),
            campaigns::deadline.eq(campaign.deadline),
            campaigns::version.eq(campaigns::version + 1),
            campaigns::updated_at.eq(campaign.updated_at),
        ))
        .execute(conn)?;
    let kept: Vec<OptionId> = new_options.iter().map(|o| o.id).collect();
    diesel::delete(
        options::table
            .filter(options::campaign_id.eq(campaign.id))
            .filter(options::id.ne_all(kept)),
    )
    .execute(conn)?;
    for option in new_options {
        let changed = diesel::update(options::table.find(option.id))
            .set((
                options::position.eq(option.position),
                options::sku.eq(&option.sku),
                options::cap.eq(option.cap),
            ))
            .execute(conn)?;
        if changed == 0 {
            each_backend!(conn, c => diesel::insert_into(options::table).values(option).execute(c)?);
        }
    }
    Ok(())
}

/// Changes the state where it is still `from`; whether it was.
pub fn move_state(
    conn: &mut Conn,
    id: CampaignId,
    from: CampaignState,
    to: CampaignState,
    failure: Option<(Failure, Option<&str>)>,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let (failure, note) = match failure {
        Some((failure, note)) => (Some(failure), note),
        None => (None, None),
    };
    let changed = diesel::update(
        campaigns::table
            .filter(campaigns::id.eq(id))
            .filter(campaigns::state.eq(from)),
    )
    .set((
        campaigns::state.eq(to),
        campaigns::failure.eq(failure),
        campaigns::failure_note.eq(note),
        campaigns::waiting_for.eq(None::<String>),
        campaigns::version.eq(campaigns::version + 1),
        campaigns::updated_at.eq(now),
    ))
    .execute(conn)?;
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Conflict("the campaign's state"))
    }
}

/// Moves the deadline, once, while it has not passed and nobody closed or judged: the condition opposite to the
/// judgement's. Whether it was moved.
pub fn extend(
    conn: &mut Conn,
    id: CampaignId,
    deadline: NaiveDateTime,
    spec: &str,
    now: NaiveDateTime,
) -> Result<bool, StoreError> {
    let changed = diesel::update(
        campaigns::table
            .filter(campaigns::id.eq(id))
            .filter(campaigns::state.eq(CampaignState::Open))
            .filter(campaigns::extended_at.is_null())
            .filter(campaigns::closed_at.is_null())
            .filter(campaigns::deadline.gt(now)),
    )
    .set((
        campaigns::deadline.eq(deadline),
        campaigns::extended_at.eq(now),
        campaigns::spec.eq(spec),
        campaigns::version.eq(campaigns::version + 1),
        campaigns::updated_at.eq(now),
    ))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Ends joining before the deadline. Whether it was still running.
pub fn close(conn: &mut Conn, id: CampaignId, now: NaiveDateTime) -> Result<bool, StoreError> {
    let changed = diesel::update(
        campaigns::table
            .filter(campaigns::id.eq(id))
            .filter(campaigns::state.eq(CampaignState::Open))
            .filter(campaigns::closed_at.is_null()),
    )
    .set((
        campaigns::closed_at.eq(now),
        campaigns::version.eq(campaigns::version + 1),
        campaigns::updated_at.eq(now),
    ))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Says what the judgement waits for, for staff.
pub fn set_waiting(conn: &mut Conn, id: CampaignId, why: Option<&str>) -> Result<(), StoreError> {
    diesel::update(campaigns::table.find(id))
        .set(campaigns::waiting_for.eq(why))
        .execute(conn)?;
    Ok(())
}

/// Remembers the best step that shoppers were told of.
pub fn set_step_told(conn: &mut Conn, id: CampaignId, step: i32) -> Result<(), StoreError> {
    diesel::update(campaigns::table.find(id))
        .set(campaigns::best_step_told.eq(step))
        .execute(conn)?;
    Ok(())
}

/// How a campaign's counters move.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Moved {
    /// New orders.
    pub orders: i64,
    /// Payment pages that may be paid.
    pub open_payments: i64,
    /// Units of confirmed orders.
    pub committed: i64,
    /// Units of paid orders.
    pub collected: i64,
    /// Paid orders.
    pub collected_orders: i64,
}

/// Moves a campaign's counters and its version.
pub fn count(
    conn: &mut Conn,
    id: CampaignId,
    moved: Moved,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let row = campaigns::id.eq(id);
    let changes = (
        campaigns::orders.eq(campaigns::orders + moved.orders),
        campaigns::open_payments.eq(campaigns::open_payments + moved.open_payments),
        campaigns::committed_units.eq(campaigns::committed_units + moved.committed),
        campaigns::collected_units.eq(campaigns::collected_units + moved.collected),
        campaigns::collected_orders.eq(campaigns::collected_orders + moved.collected_orders),
        campaigns::version.eq(campaigns::version + 1),
        campaigns::updated_at.eq(now),
    );
    each_backend!(conn, c => kept_update!(campaigns::table, row, changes).execute(c)?);
    Ok(())
}

/// Notes the first order: from now on the offer is locked.
pub fn set_first_order(
    conn: &mut Conn,
    id: CampaignId,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::update(
        campaigns::table
            .filter(campaigns::id.eq(id))
            .filter(campaigns::first_order_at.is_null()),
    )
    .set(campaigns::first_order_at.eq(now))
    .execute(conn)?;
    Ok(())
}

/// Takes units of an option where the cap leaves room; whether it did. The statement guards the cap, so that no
/// other process can oversell either.
pub fn take(conn: &mut Conn, option: OptionId, units: i64) -> Result<bool, StoreError> {
    let changed = diesel::update(
        options::table.filter(options::id.eq(option)).filter(
            options::cap
                .is_null()
                .or((options::taken + units).nullable().le(options::cap)),
        ),
    )
    .set(options::taken.eq(options::taken + units))
    .execute(conn)?;
    Ok(changed == 1)
}

/// How an option's counters move; negative to give back.
pub fn count_option(
    conn: &mut Conn,
    option: OptionId,
    taken: i64,
    committed: i64,
    collected: i64,
) -> Result<(), StoreError> {
    diesel::update(options::table.find(option))
        .set((
            options::taken.eq(options::taken + taken),
            options::committed.eq(options::committed + committed),
            options::collected.eq(options::collected + collected),
        ))
        .execute(conn)?;
    Ok(())
}
