//! Counted arrivals.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::super::schema::{receipt_lines, receipts};
use super::super::{Conn, StoreError, each_backend};
use crate::domain::ids::{BatchId, OptionId, PurchaseOrderId, ReceiptId};

/// A counted arrival.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = receipts)]
pub struct ReceiptRow {
    /// Its id.
    pub id: ReceiptId,
    /// What arrived is of this batch.
    pub batch_id: BatchId,
    /// The purchase order it came on, where that was said.
    pub purchase_order_id: Option<PurchaseOrderId>,
    /// 1 for the batch's first.
    pub number: i32,
    /// Who counted.
    pub counted_by: String,
    /// What was noted.
    pub note: Option<String>,
    /// What makes a form's second submit the same receipt.
    pub once: Option<String>,
    /// When.
    pub counted_at: NaiveDateTime,
    /// Whether it corrects counts before it: its lines may be negative.
    pub correction: bool,
}

/// What of one option arrived.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = receipt_lines)]
pub struct ReceiptLineRow {
    /// The receipt.
    pub receipt_id: ReceiptId,
    /// The option.
    pub option_id: OptionId,
    /// Units that can be sold.
    pub good: i64,
    /// Units that cannot.
    pub damaged: i64,
}

/// Keeps a receipt.
pub fn insert_receipt(
    conn: &mut Conn,
    row: &ReceiptRow,
    lines: &[ReceiptLineRow],
) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(receipts::table).values(row).execute(c)?;
        diesel::insert_into(receipt_lines::table).values(lines).execute(c)?;
    });
    Ok(())
}

/// A batch's receipts, first to last.
pub fn receipts_of(conn: &mut Conn, batch: BatchId) -> Result<Vec<ReceiptRow>, StoreError> {
    Ok(receipts::table
        .filter(receipts::batch_id.eq(batch))
        .select(ReceiptRow::as_select())
        .order(receipts::number.asc())
        .load(conn)?)
}

/// The receipt that a form already made.
pub fn receipt_by_once(conn: &mut Conn, once: &str) -> Result<Option<ReceiptRow>, StoreError> {
    Ok(receipts::table
        .filter(receipts::once.eq(once))
        .select(ReceiptRow::as_select())
        .first(conn)
        .optional()?)
}

/// What arrived with these receipts.
pub fn receipt_lines_of(
    conn: &mut Conn,
    ids: &[ReceiptId],
) -> Result<Vec<ReceiptLineRow>, StoreError> {
    Ok(receipt_lines::table
        .filter(receipt_lines::receipt_id.eq_any(ids))
        .select(ReceiptLineRow::as_select())
        .load(conn)?)
}
