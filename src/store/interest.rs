//! What shoppers said they would buy.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::orders::sum_of;
use super::schema::{campaigns, interest_lines, interests, mails, orders};
use super::{Conn, StoreError, each_backend};
use crate::domain::campaign::CampaignState;
use crate::domain::ids::{CampaignId, InterestId, MerchantId};
use crate::domain::interest::Wanted;
use crate::domain::order::OrderState;

/// An answer's row.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = interests, treat_none_as_default_value = false)]
pub struct InterestRow {
    /// Its id: answers of a campaign are in the order in which they came.
    pub id: InterestId,
    /// Whose campaign it is.
    pub merchant_id: MerchantId,
    /// The campaign.
    pub campaign_id: CampaignId,
    /// Who answered, trimmed and lower-cased; none once it was erased.
    pub email: Option<String>,
    /// The name, where one was given.
    pub name: Option<String>,
    /// When it came.
    pub created_at: NaiveDateTime,
    /// When it was last changed.
    pub changed_at: NaiveDateTime,
}

/// A line of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = interest_lines)]
pub struct InterestLineRow {
    /// The answer.
    pub interest_id: InterestId,
    /// Its campaign.
    pub campaign_id: CampaignId,
    /// The option's code.
    pub sku: String,
    /// How many.
    pub quantity: i64,
    /// The most a unit may cost, in minor units of the campaign's currency.
    pub up_to: i64,
}

/// Keeps an answer with its lines, unless its address has answered already. Whether it was new.
pub fn insert(
    conn: &mut Conn,
    row: &InterestRow,
    lines: &[InterestLineRow],
) -> Result<bool, StoreError> {
    let new = each_backend!(conn, c => {
        diesel::insert_into(interests::table).values(row).on_conflict_do_nothing().execute(c)?
    });
    if new == 1 {
        insert_lines(conn, lines)?;
    }
    Ok(new == 1)
}

fn insert_lines(conn: &mut Conn, lines: &[InterestLineRow]) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(interest_lines::table).values(lines).execute(c)?
    });
    Ok(())
}

/// Puts other lines and another name in the place of an answer's.
pub fn change(
    conn: &mut Conn,
    id: InterestId,
    name: Option<&str>,
    lines: &[InterestLineRow],
    now: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::delete(interest_lines::table.filter(interest_lines::interest_id.eq(id)))
        .execute(conn)?;
    insert_lines(conn, lines)?;
    diesel::update(interests::table.find(id))
        .set((interests::name.eq(name), interests::changed_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// Takes an answer out, with the letters that were written to its address about it.
pub fn delete(conn: &mut Conn, row: &InterestRow) -> Result<(), StoreError> {
    diesel::delete(interest_lines::table.filter(interest_lines::interest_id.eq(row.id)))
        .execute(conn)?;
    diesel::delete(interests::table.find(row.id)).execute(conn)?;
    if let Some(email) = &row.email {
        delete_mails(conn, row.campaign_id, std::slice::from_ref(email))?;
    }
    Ok(())
}

/// Letters about an interest check: their kinds.
const LETTERS: [&str; 4] = [
    "interest_answered",
    "interest_again",
    "interest_opened",
    "interest_cancelled",
];

/// Letters on their way stay until they are sent.
fn delete_mails(
    conn: &mut Conn,
    campaign: CampaignId,
    emails: &[String],
) -> Result<(), StoreError> {
    diesel::delete(
        mails::table
            .filter(mails::campaign_id.eq(campaign))
            .filter(mails::kind.eq_any(LETTERS))
            .filter(mails::recipient.eq_any(emails))
            .filter(mails::state.ne("queued")),
    )
    .execute(conn)?;
    Ok(())
}

/// The answer with this id.
pub fn by_id(conn: &mut Conn, id: InterestId) -> Result<Option<InterestRow>, StoreError> {
    Ok(interests::table
        .find(id)
        .select(InterestRow::as_select())
        .first(conn)
        .optional()?)
}

/// What an address answered.
pub fn by_email(
    conn: &mut Conn,
    campaign: CampaignId,
    email: &str,
) -> Result<Option<InterestRow>, StoreError> {
    Ok(interests::table
        .filter(interests::campaign_id.eq(campaign))
        .filter(interests::email.eq(email))
        .select(InterestRow::as_select())
        .first(conn)
        .optional()?)
}

/// The lines of some answers, by option.
pub fn lines_of(conn: &mut Conn, ids: &[InterestId]) -> Result<Vec<InterestLineRow>, StoreError> {
    Ok(interest_lines::table
        .filter(interest_lines::interest_id.eq_any(ids))
        .select(InterestLineRow::as_select())
        .order((interest_lines::interest_id.asc(), interest_lines::sku.asc()))
        .load(conn)?)
}

/// A campaign's answers in the order in which they came, after `after`.
pub fn of_campaign(
    conn: &mut Conn,
    campaign: CampaignId,
    after: Option<InterestId>,
    limit: i64,
) -> Result<Vec<InterestRow>, StoreError> {
    let mut query = interests::table
        .filter(interests::campaign_id.eq(campaign))
        .select(InterestRow::as_select())
        .order(interests::id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(interests::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// What is wanted of a campaign, summed up by option and price.
pub fn wanted(conn: &mut Conn, campaign: CampaignId) -> Result<Vec<Wanted>, StoreError> {
    let rows: Vec<(String, i64, Option<i64>)> = interest_lines::table
        .filter(interest_lines::campaign_id.eq(campaign))
        .group_by((interest_lines::sku, interest_lines::up_to))
        .select((
            interest_lines::sku,
            interest_lines::up_to,
            sum_of("interest_lines.quantity"),
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(sku, up_to, units)| Wanted {
            sku,
            up_to,
            units: units.unwrap_or(0),
        })
        .collect())
}

/// How many have answered.
pub fn count(conn: &mut Conn, campaign: CampaignId) -> Result<i64, StoreError> {
    Ok(interests::table
        .filter(interests::campaign_id.eq(campaign))
        .count()
        .get_result(conn)?)
}

/// How many of those who answered have an order that is paid and not cancelled.
pub fn count_ordered(conn: &mut Conn, campaign: CampaignId) -> Result<i64, StoreError> {
    let paid = orders::table
        .filter(orders::campaign_id.eq(campaign))
        .filter(orders::state.eq_any(OrderState::PAID))
        .select(orders::email.nullable());
    Ok(interests::table
        .filter(interests::campaign_id.eq(campaign))
        .filter(interests::email.eq_any(paid))
        .count()
        .get_result(conn)?)
}

/// Erases who answered where that is not needed any more: the campaign ended before `ended_before`, or the answer was
/// last changed before `changed_before`. At most so many; how many there were. What was wanted stays, as numbers.
pub fn erase(
    conn: &mut Conn,
    ended_before: NaiveDateTime,
    changed_before: NaiveDateTime,
    limit: i64,
) -> Result<usize, StoreError> {
    let over = campaigns::state
        .eq_any([CampaignState::Completed, CampaignState::Failed])
        .and(campaigns::updated_at.lt(ended_before));
    let rows: Vec<InterestRow> = interests::table
        .inner_join(campaigns::table.on(campaigns::id.eq(interests::campaign_id)))
        .filter(interests::email.is_not_null())
        .filter(over.or(interests::changed_at.lt(changed_before)))
        .select(InterestRow::as_select())
        .limit(limit)
        .load(conn)?;
    for row in &rows {
        diesel::update(interests::table.find(row.id))
            .set((
                interests::email.eq(None::<String>),
                interests::name.eq(None::<String>),
            ))
            .execute(conn)?;
        if let Some(email) = &row.email {
            delete_mails(conn, row.campaign_id, std::slice::from_ref(email))?;
        }
    }
    Ok(rows.len())
}
