//! Ideas for what to run next, and who voted for them.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::orders::sum_of;
use super::schema::{idea_votes, ideas, mails};
use super::{Conn, StoreError, each_backend};
use crate::domain::ids::{CampaignId, IdeaId, MerchantId, VoteId};
use crate::domain::interest::IdeaState;

/// An idea's row.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = ideas, treat_none_as_default_value = false)]
pub struct IdeaRow {
    /// Its id.
    pub id: IdeaId,
    /// Whose it is.
    pub merchant_id: MerchantId,
    /// What it is, in a few words.
    pub title: String,
    /// What it would be, as Markdown.
    pub body: String,
    /// Where it stands.
    pub state: IdeaState,
    /// The campaign that was made of it, a draft at first.
    pub campaign_id: Option<CampaignId>,
    /// Confirmed votes.
    pub votes: i64,
    /// When it was written.
    pub created_at: NaiveDateTime,
    /// When it, or its votes, last changed.
    pub changed_at: NaiveDateTime,
}

/// A vote's row.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = idea_votes, treat_none_as_default_value = false)]
pub struct VoteRow {
    /// Its id.
    pub id: VoteId,
    /// For which idea.
    pub idea_id: IdeaId,
    /// Who voted, trimmed and lower-cased; none once it was erased.
    pub email: Option<String>,
    /// Whether the voter wants to hear when a campaign comes of it.
    pub tells: bool,
    /// When it was cast.
    pub created_at: NaiveDateTime,
    /// When its link was used; until then it does not count.
    pub confirmed_at: Option<NaiveDateTime>,
}

/// Keeps a new idea.
pub fn insert(conn: &mut Conn, row: &IdeaRow) -> Result<(), StoreError> {
    each_backend!(conn, c => diesel::insert_into(ideas::table).values(row).execute(c)?);
    Ok(())
}

/// Keeps what staff changed of an idea.
pub fn save(conn: &mut Conn, row: &IdeaRow) -> Result<(), StoreError> {
    diesel::update(ideas::table.find(row.id))
        .set((
            ideas::title.eq(&row.title),
            ideas::body.eq(&row.body),
            ideas::state.eq(row.state),
            ideas::campaign_id.eq(row.campaign_id),
            ideas::changed_at.eq(row.changed_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// The idea with this id.
pub fn by_id(conn: &mut Conn, id: IdeaId) -> Result<Option<IdeaRow>, StoreError> {
    Ok(ideas::table
        .find(id)
        .select(IdeaRow::as_select())
        .first(conn)
        .optional()?)
}

/// Locks an idea until the transaction ends; the embedded database is locked as a whole.
#[cfg_attr(
    not(feature = "postgres"),
    allow(unused_variables, reason = "one writer there")
)]
pub fn lock(conn: &mut Conn, id: IdeaId) -> Result<Option<IdeaRow>, StoreError> {
    #[cfg(feature = "postgres")]
    if let Conn::Postgres(c) = conn {
        ideas::table
            .find(id)
            .select(ideas::id)
            .for_update()
            .first::<IdeaId>(c)
            .optional()?;
    }
    by_id(conn, id)
}

/// The idea a campaign was made of.
pub fn of_campaign(conn: &mut Conn, campaign: CampaignId) -> Result<Option<IdeaRow>, StoreError> {
    Ok(ideas::table
        .filter(ideas::campaign_id.eq(campaign))
        .select(IdeaRow::as_select())
        .first(conn)
        .optional()?)
}

/// A merchant's ideas in these states: those with most votes first.
pub fn of_merchant(
    conn: &mut Conn,
    merchant: MerchantId,
    states: &[IdeaState],
    limit: i64,
) -> Result<Vec<IdeaRow>, StoreError> {
    Ok(ideas::table
        .filter(ideas::merchant_id.eq(merchant))
        .filter(ideas::state.eq_any(states))
        .select(IdeaRow::as_select())
        .order((ideas::votes.desc(), ideas::id.asc()))
        .limit(limit)
        .load(conn)?)
}

/// How many ideas a merchant has.
pub fn count(conn: &mut Conn, merchant: MerchantId) -> Result<i64, StoreError> {
    Ok(ideas::table
        .filter(ideas::merchant_id.eq(merchant))
        .count()
        .get_result(conn)?)
}

/// What a kept page of a merchant's ideas depends on: another value means that one of them changed.
pub fn pulse(
    conn: &mut Conn,
    merchant: MerchantId,
) -> Result<(i64, i64, Option<NaiveDateTime>), StoreError> {
    let (count, votes, changed): (i64, Option<i64>, Option<NaiveDateTime>) = ideas::table
        .filter(ideas::merchant_id.eq(merchant))
        .select((
            diesel::dsl::sql::<diesel::sql_types::BigInt>("COUNT(*)"),
            sum_of("ideas.votes"),
            diesel::dsl::sql::<diesel::sql_types::Nullable<diesel::sql_types::Timestamp>>(
                "MAX(ideas.changed_at)",
            ),
        ))
        .first(conn)?;
    Ok((count, votes.unwrap_or(0), changed))
}

/// Keeps a vote, unless its address has cast one already. Whether it was new.
pub fn insert_vote(conn: &mut Conn, row: &VoteRow) -> Result<bool, StoreError> {
    let new = each_backend!(conn, c => {
        diesel::insert_into(idea_votes::table).values(row).on_conflict_do_nothing().execute(c)?
    });
    Ok(new == 1)
}

/// The vote with this id.
pub fn vote(conn: &mut Conn, id: VoteId) -> Result<Option<VoteRow>, StoreError> {
    Ok(idea_votes::table
        .find(id)
        .select(VoteRow::as_select())
        .first(conn)
        .optional()?)
}

/// The vote of an address.
pub fn vote_of(conn: &mut Conn, idea: IdeaId, email: &str) -> Result<Option<VoteRow>, StoreError> {
    Ok(idea_votes::table
        .filter(idea_votes::idea_id.eq(idea))
        .filter(idea_votes::email.eq(email))
        .select(VoteRow::as_select())
        .first(conn)
        .optional()?)
}

/// Makes a vote count. Whether it did not before.
pub fn confirm(conn: &mut Conn, row: &VoteRow, now: NaiveDateTime) -> Result<bool, StoreError> {
    let confirmed = diesel::update(
        idea_votes::table
            .find(row.id)
            .filter(idea_votes::confirmed_at.is_null()),
    )
    .set(idea_votes::confirmed_at.eq(now))
    .execute(conn)?;
    if confirmed == 1 {
        count_votes(conn, row.idea_id, 1, now)?;
    }
    Ok(confirmed == 1)
}

/// Changes whether a voter is told.
pub fn set_tells(conn: &mut Conn, id: VoteId, tells: bool) -> Result<(), StoreError> {
    diesel::update(idea_votes::table.find(id))
        .set(idea_votes::tells.eq(tells))
        .execute(conn)?;
    Ok(())
}

/// Takes a vote back, with the letters written to its address about the idea.
pub fn delete_vote(
    conn: &mut Conn,
    row: &VoteRow,
    merchant: MerchantId,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    let gone = diesel::delete(idea_votes::table.find(row.id)).execute(conn)?;
    if gone == 1 && row.confirmed_at.is_some() {
        count_votes(conn, row.idea_id, -1, now)?;
    }
    delete_mails(conn, row, merchant)
}

fn count_votes(
    conn: &mut Conn,
    idea: IdeaId,
    by: i64,
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::update(ideas::table.find(idea))
        .set((
            ideas::votes.eq(ideas::votes + by),
            ideas::changed_at.eq(now),
        ))
        .execute(conn)?;
    Ok(())
}

/// Letters about votes: their kinds.
const LETTERS: [&str; 2] = ["vote_asked", "idea_running"];

/// Letters on their way stay until they are sent. Those to one address at one merchant are about its votes.
fn delete_mails(conn: &mut Conn, row: &VoteRow, merchant: MerchantId) -> Result<(), StoreError> {
    if let Some(email) = &row.email {
        diesel::delete(
            mails::table
                .filter(mails::merchant_id.eq(merchant))
                .filter(mails::kind.eq_any(LETTERS))
                .filter(mails::recipient.eq(email))
                .filter(mails::state.ne("queued")),
        )
        .execute(conn)?;
    }
    Ok(())
}

/// Confirmed voters of an idea who want to be told, in the order of their ids, after `after`.
pub fn to_tell(
    conn: &mut Conn,
    idea: IdeaId,
    after: Option<VoteId>,
    limit: i64,
) -> Result<Vec<VoteRow>, StoreError> {
    let mut query = idea_votes::table
        .filter(idea_votes::idea_id.eq(idea))
        .filter(idea_votes::tells.eq(true))
        .filter(idea_votes::confirmed_at.is_not_null())
        .filter(idea_votes::email.is_not_null())
        .select(VoteRow::as_select())
        .order(idea_votes::id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(idea_votes::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// Throws away votes that were not confirmed in time, and erases who voted where that is not needed any more: the idea
/// has ended or runs since `ended_before`, or the vote is older than `cast_before`. At most so many; how many there were.
pub fn erase(
    conn: &mut Conn,
    unconfirmed_before: NaiveDateTime,
    ended_before: NaiveDateTime,
    cast_before: NaiveDateTime,
    limit: i64,
) -> Result<usize, StoreError> {
    let unconfirmed = idea_votes::confirmed_at
        .is_null()
        .and(idea_votes::created_at.lt(unconfirmed_before));
    let over = ideas::state
        .eq_any([IdeaState::Ended, IdeaState::Running])
        .and(ideas::changed_at.lt(ended_before));
    let rows: Vec<(VoteRow, MerchantId)> = idea_votes::table
        .inner_join(ideas::table.on(ideas::id.eq(idea_votes::idea_id)))
        .filter(idea_votes::email.is_not_null())
        .filter(
            unconfirmed
                .or(over)
                .or(idea_votes::created_at.lt(cast_before)),
        )
        .select((VoteRow::as_select(), ideas::merchant_id))
        .limit(limit)
        .load(conn)?;
    for (row, merchant) in &rows {
        delete_mails(conn, row, *merchant)?;
        if row.confirmed_at.is_none() {
            diesel::delete(idea_votes::table.find(row.id)).execute(conn)?;
        } else {
            diesel::update(idea_votes::table.find(row.id))
                .set(idea_votes::email.eq(None::<String>))
                .execute(conn)?;
        }
    }
    Ok(rows.len())
}
