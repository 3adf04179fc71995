//! What the audit reads: everything, in one snapshot.

use std::collections::HashMap;

use diesel::connection::Connection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable};

use super::campaigns::CampaignRow;
use super::orders::{OrderRow, sum_of};
use super::schema::{
    batch_stock, campaigns, counters, journal_entries, journal_postings, line_cancellations,
    orders, purchase_orders, receipt_lines, receipts,
};
use super::stock::{CancellationRow, StockRow};
use super::{Conn, StoreError};
use crate::domain::ids::{BatchId, EntryId, MerchantId, OptionId, OrderId};

/// Runs reads in one snapshot of the database.
///
/// # Errors
/// What `read` answers, or what the database says.
pub fn snapshot<T, E>(conn: &mut Conn, read: impl FnOnce(&mut Conn) -> Result<T, E>) -> Result<T, E>
where
    E: From<diesel::result::Error> + From<StoreError>,
{
    conn.transaction(|conn| {
        #[cfg(feature = "postgres")]
        if let Conn::Postgres(c) = conn {
            diesel::sql_query("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
                .execute(c)?;
        }
        read(conn)
    })
}

/// Entries whose postings do not add up to nought: rule 1.
pub fn unbalanced(conn: &mut Conn) -> Result<Vec<(EntryId, String, i64)>, StoreError> {
    let sum =
        || diesel::dsl::sql::<Nullable<BigInt>>("CAST(SUM(journal_postings.amount) AS BIGINT)");
    let rows: Vec<(EntryId, String, Option<i64>)> = journal_entries::table
        .inner_join(journal_postings::table)
        .group_by((journal_entries::id, journal_entries::once))
        .having(sum().ne(0))
        .select((journal_entries::id, journal_entries::once, sum()))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(id, once, sum)| (id, once, sum.unwrap_or(0)))
        .collect())
}

/// Orders in the order of their ids, after `after`.
pub fn orders_after(
    conn: &mut Conn,
    after: Option<OrderId>,
    limit: i64,
) -> Result<Vec<OrderRow>, StoreError> {
    let mut query = orders::table
        .select(OrderRow::as_select())
        .order(orders::id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(orders::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// A posting of an order: the order, the entry's kind, the account, the amount.
pub type OrderPosting = (OrderId, String, String, i64);

/// The postings of these orders.
pub fn postings_of(conn: &mut Conn, ids: &[OrderId]) -> Result<Vec<OrderPosting>, StoreError> {
    let rows: Vec<(Option<OrderId>, String, String, i64)> = journal_entries::table
        .inner_join(journal_postings::table)
        .filter(journal_entries::order_id.eq_any(ids))
        .select((
            journal_entries::order_id,
            journal_entries::kind,
            journal_postings::account,
            journal_postings::amount,
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .filter_map(|(order, kind, account, amount)| Some((order?, kind, account, amount)))
        .collect())
}

/// Every campaign.
pub fn campaigns(conn: &mut Conn) -> Result<Vec<CampaignRow>, StoreError> {
    Ok(campaigns::table
        .select(CampaignRow::as_select())
        .order(campaigns::id.asc())
        .load(conn)?)
}

/// By merchant: purchase orders issued, the highest number, and what the counter says.
pub fn purchase_order_numbers(
    conn: &mut Conn,
) -> Result<Vec<(MerchantId, i64, i64, i64)>, StoreError> {
    let numbers: Vec<(MerchantId, Option<i64>)> = purchase_orders::table
        .filter(purchase_orders::number.is_not_null())
        .filter(purchase_orders::version.eq(1))
        .select((purchase_orders::merchant_id, purchase_orders::number))
        .load(conn)?;
    let counted: HashMap<MerchantId, i64> = counters::table
        .filter(counters::kind.eq("purchase_order"))
        .select((counters::merchant_id, counters::value))
        .load::<(MerchantId, i64)>(conn)?
        .into_iter()
        .collect();
    let mut by_merchant: HashMap<MerchantId, (i64, i64)> = HashMap::new();
    for (merchant, number) in numbers {
        let (issued, highest) = by_merchant.entry(merchant).or_insert((0, 0));
        *issued += 1;
        *highest = (*highest).max(number.unwrap_or(0));
    }
    Ok(by_merchant
        .into_iter()
        .map(|(merchant, (issued, highest))| {
            let counted = counted.get(&merchant).copied().unwrap_or(0);
            (merchant, issued, highest, counted)
        })
        .collect())
}

/// The units that left these orders.
pub fn cancellations_of(
    conn: &mut Conn,
    ids: &[OrderId],
) -> Result<Vec<CancellationRow>, StoreError> {
    Ok(line_cancellations::table
        .filter(line_cancellations::order_id.eq_any(ids))
        .select(CancellationRow::as_select())
        .load(conn)?)
}

/// The stock of every batch.
pub fn stock(conn: &mut Conn) -> Result<Vec<StockRow>, StoreError> {
    Ok(batch_stock::table
        .select(StockRow::as_select())
        .load(conn)?)
}

/// An option of a batch with the good and damaged units that were counted of it.
pub type CountedUnits = (BatchId, OptionId, i64, i64);

/// What the receipts of every batch say, option by option.
pub fn counted(conn: &mut Conn) -> Result<Vec<CountedUnits>, StoreError> {
    let rows: Vec<(BatchId, OptionId, Option<i64>, Option<i64>)> = receipts::table
        .inner_join(receipt_lines::table)
        .group_by((receipts::batch_id, receipt_lines::option_id))
        .select((
            receipts::batch_id,
            receipt_lines::option_id,
            sum_of("receipt_lines.good"),
            sum_of("receipt_lines.damaged"),
        ))
        .load(conn)?;
    Ok(rows
        .into_iter()
        .map(|(batch, option, good, damaged)| {
            (batch, option, good.unwrap_or(0), damaged.unwrap_or(0))
        })
        .collect())
}
