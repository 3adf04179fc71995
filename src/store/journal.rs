//! The journal: append-only double entry of every movement of money (domain section 7).

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::kept::kept;
use super::schema::{journal_entries, journal_postings};
use super::{Conn, StoreError, each_backend};
use crate::domain::ids::{CampaignId, EntryId, MerchantId, OrderId};

/// An entry's row.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = journal_entries, treat_none_as_default_value = false)]
pub struct EntryRow {
    /// Its id.
    pub id: EntryId,
    /// Whose books it is in.
    pub merchant_id: MerchantId,
    /// The campaign it is about.
    pub campaign_id: Option<CampaignId>,
    /// The order it is about.
    pub order_id: Option<OrderId>,
    /// The code of its currency.
    pub currency: String,
    /// What happened.
    pub kind: String,
    /// What makes it unrepeatable.
    pub once: String,
    /// When.
    pub created_at: NaiveDateTime,
}

/// A posting's row: debit positive, credit negative.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = journal_postings)]
pub struct PostingRow {
    /// Its entry.
    pub entry_id: EntryId,
    /// Its place in the entry.
    pub position: i32,
    /// The account.
    pub account: String,
    /// Minor units.
    pub amount: i64,
}

/// Appends an entry. An entry with the same `once` is refused by the database: a movement is booked once.
pub fn append(
    conn: &mut Conn,
    entry: &EntryRow,
    postings: &[(&str, i64)],
) -> Result<(), StoreError> {
    if postings
        .iter()
        .map(|(_, amount)| i128::from(*amount))
        .sum::<i128>()
        != 0
    {
        return Err(StoreError::Damaged(format!(
            "entry {} does not balance",
            entry.once
        )));
    }
    let rows: Vec<PostingRow> = postings
        .iter()
        .zip(0..)
        .map(|((account, amount), position)| PostingRow {
            entry_id: entry.id,
            position,
            account: (*account).to_owned(),
            amount: *amount,
        })
        .collect();
    each_backend!(conn, c => {
        kept!(diesel::insert_into(journal_entries::table).values(entry)).execute(c)?;
        for row in &rows {
            kept!(diesel::insert_into(journal_postings::table).values(row)).execute(c)?;
        }
    });
    Ok(())
}

/// Whether a movement is booked.
pub fn has(conn: &mut Conn, once: &str) -> Result<bool, StoreError> {
    let found: Option<EntryId> = journal_entries::table
        .filter(journal_entries::once.eq(once))
        .select(journal_entries::id)
        .first(conn)
        .optional()?;
    Ok(found.is_some())
}

/// Entries with their postings, oldest first, after `after`.
pub fn list(
    conn: &mut Conn,
    merchant: MerchantId,
    campaign: Option<CampaignId>,
    order: Option<OrderId>,
    after: Option<EntryId>,
    limit: i64,
) -> Result<Vec<(EntryRow, Vec<PostingRow>)>, StoreError> {
    let mut query = journal_entries::table
        .filter(journal_entries::merchant_id.eq(merchant))
        .select(EntryRow::as_select())
        .order(journal_entries::id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(campaign) = campaign {
        query = query.filter(journal_entries::campaign_id.eq(campaign));
    }
    if let Some(order) = order {
        query = query.filter(journal_entries::order_id.eq(order));
    }
    if let Some(after) = after {
        query = query.filter(journal_entries::id.gt(after));
    }
    let entries: Vec<EntryRow> = query.load(conn)?;
    let ids: Vec<EntryId> = entries.iter().map(|e| e.id).collect();
    let mut postings: Vec<PostingRow> = journal_postings::table
        .filter(journal_postings::entry_id.eq_any(&ids))
        .select(PostingRow::as_select())
        .load(conn)?;
    postings.sort_by_key(|p| (p.entry_id, p.position));
    Ok(entries
        .into_iter()
        .map(|entry| {
            let its = postings
                .iter()
                .filter(|p| p.entry_id == entry.id)
                .cloned()
                .collect();
            (entry, its)
        })
        .collect())
}

/// Sums of a merchant's accounts by currency, optionally of one campaign.
pub fn balances(
    conn: &mut Conn,
    merchant: MerchantId,
    campaign: Option<CampaignId>,
) -> Result<Vec<(String, String, i64)>, StoreError> {
    let sums = journal_postings::table
        .inner_join(journal_entries::table)
        .group_by((journal_entries::currency, journal_postings::account))
        .select((
            journal_entries::currency,
            journal_postings::account,
            super::orders::sum_of("journal_postings.amount"),
        ))
        .filter(journal_entries::merchant_id.eq(merchant));
    let rows: Vec<(String, String, Option<i64>)> = match campaign {
        Some(campaign) => sums
            .filter(journal_entries::campaign_id.eq(campaign))
            .load(conn)?,
        None => sums.load(conn)?,
    };
    Ok(rows
        .into_iter()
        .map(|(currency, account, sum)| (currency, account, sum.unwrap_or(0)))
        .collect())
}

/// What an account comes to for one order: debits positive.
pub fn balance_of_order(conn: &mut Conn, order: OrderId, account: &str) -> Result<i64, StoreError> {
    let sum: Option<i64> = journal_postings::table
        .inner_join(journal_entries::table)
        .filter(journal_entries::order_id.eq(order))
        .filter(journal_postings::account.eq(account))
        .select(super::orders::sum_of("journal_postings.amount"))
        .first(conn)?;
    Ok(sum.unwrap_or(0))
}
