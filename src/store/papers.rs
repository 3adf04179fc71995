//! Receipts and credit notes: append-only, triggers refuse anything else.

use std::collections::HashMap;

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::schema::{counters, paperless, papers};
use super::{Conn, StoreError, each_backend};
use crate::domain::ids::{MerchantId, OrderId, PaperId, RefundId};
use crate::domain::paper::PaperKind;

/// A paper's row.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = papers)]
pub struct PaperRow {
    /// Its id.
    pub id: PaperId,
    /// Who issued it.
    pub merchant_id: MerchantId,
    /// The order it is about.
    pub order_id: OrderId,
    /// Receipt or credit note.
    pub kind: PaperKind,
    /// Its number, without gaps for merchant and kind.
    pub number: i64,
    /// The payment that came in, or that some of went back.
    pub payment_attempt: i32,
    /// The refund of a credit note.
    pub refund_id: Option<RefundId>,
    /// What moved, minor units.
    pub amount: i64,
    /// The tax in it.
    pub tax: i64,
    /// The code of its currency.
    pub currency: String,
    /// All that it says, as JSON.
    pub content: String,
    /// When it was issued.
    pub issued_at: NaiveDateTime,
}

/// Keeps a paper.
pub fn insert(conn: &mut Conn, row: &PaperRow) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(papers::table).values(row).execute(c)?;
    });
    Ok(())
}

/// The papers of these orders, oldest first.
pub fn of_orders(conn: &mut Conn, orders: &[OrderId]) -> Result<Vec<PaperRow>, StoreError> {
    Ok(papers::table
        .filter(papers::order_id.eq_any(orders))
        .select(PaperRow::as_select())
        .order(papers::id.asc())
        .load(conn)?)
}

/// A merchant's paper by its number.
pub fn by_number(
    conn: &mut Conn,
    merchant: MerchantId,
    kind: PaperKind,
    number: i64,
) -> Result<Option<PaperRow>, StoreError> {
    Ok(papers::table
        .filter(papers::merchant_id.eq(merchant))
        .filter(papers::kind.eq(kind))
        .filter(papers::number.eq(number))
        .select(PaperRow::as_select())
        .first(conn)
        .optional()?)
}

/// A merchant's papers, newest first, before one of them.
pub fn of_merchant(
    conn: &mut Conn,
    merchant: MerchantId,
    kind: Option<PaperKind>,
    before: Option<PaperId>,
    limit: i64,
) -> Result<Vec<PaperRow>, StoreError> {
    let mut query = papers::table
        .filter(papers::merchant_id.eq(merchant))
        .select(PaperRow::as_select())
        .order(papers::id.desc())
        .limit(limit)
        .into_boxed();
    if let Some(kind) = kind {
        query = query.filter(papers::kind.eq(kind));
    }
    if let Some(before) = before {
        query = query.filter(papers::id.lt(before));
    }
    Ok(query.load(conn)?)
}

/// Payments of these orders that were made before there were papers.
pub fn paperless(conn: &mut Conn, orders: &[OrderId]) -> Result<Vec<(OrderId, i32)>, StoreError> {
    Ok(paperless::table
        .filter(paperless::order_id.eq_any(orders))
        .select((paperless::order_id, paperless::payment_attempt))
        .load(conn)?)
}

/// Whose papers, of which kind.
pub type Series = (MerchantId, PaperKind);
/// Papers issued, the highest number, and what the counter says.
pub type Numbers = (i64, i64, i64);

/// How each series is numbered.
pub fn numbers(conn: &mut Conn) -> Result<Vec<(Series, Numbers)>, StoreError> {
    let mut found: HashMap<Series, Numbers> = HashMap::new();
    let all: Vec<(MerchantId, PaperKind, i64)> = papers::table
        .select((papers::merchant_id, papers::kind, papers::number))
        .load(conn)?;
    for (merchant, kind, number) in all {
        let (issued, highest, _) = found.entry((merchant, kind)).or_insert((0, 0, 0));
        *issued += 1;
        *highest = (*highest).max(number);
    }
    for kind in PaperKind::ALL {
        let counted: Vec<(MerchantId, i64)> = counters::table
            .filter(counters::kind.eq(kind.as_str()))
            .select((counters::merchant_id, counters::value))
            .load(conn)?;
        for (merchant, value) in counted {
            found.entry((merchant, *kind)).or_insert((0, 0, 0)).2 = value;
        }
    }
    Ok(found.into_iter().collect())
}
