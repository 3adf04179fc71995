//! What of a batch is where, by option: ordered, arrived, given to orders (domain section 5). The table's CHECKs see to it
//! that no more is given than arrived.

use chrono::NaiveDateTime;
use diesel::prelude::*;

mod counts;
mod given;

pub use counts::*;
pub use given::*;

use super::schema::{allocations, batch_stock, line_cancellations};
use super::{Conn, StoreError, each_backend};
use crate::domain::ids::{AllocationId, BatchId, CancellationId, OptionId, OrderId};
use crate::domain::payment::RefundPurpose;

/// Where the units of one option of a batch are.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = batch_stock)]
pub struct StockRow {
    /// The batch.
    pub batch_id: BatchId,
    /// The option.
    pub option_id: OptionId,
    /// On purchase orders that stand.
    pub ordered: i64,
    /// Arrived, good.
    pub good: i64,
    /// Arrived, damaged.
    pub damaged: i64,
    /// Never to come.
    pub short: i64,
    /// Given to orders, those handed over included.
    pub allocated: i64,
    /// Sent again for what was lost, damaged or wrong.
    pub reshipped: i64,
    /// Came back and can be sold.
    pub restocked: i64,
    /// Came back and cannot.
    pub scrapped: i64,
    /// Left over and offered for sale at once.
    pub on_sale: i64,
    /// Units declared short whose lines were not refunded yet.
    pub short_due: i64,
}

impl StockRow {
    /// An option of a batch of which nothing has happened yet.
    pub fn new(batch: BatchId, option: OptionId) -> Self {
        Self {
            batch_id: batch,
            option_id: option,
            ordered: 0,
            good: 0,
            damaged: 0,
            short: 0,
            allocated: 0,
            reshipped: 0,
            restocked: 0,
            scrapped: 0,
            on_sale: 0,
            short_due: 0,
        }
    }

    /// Units that lie there and are nobody's.
    pub fn free(&self) -> i64 {
        self.good + self.restocked - self.allocated - self.reshipped
    }

    /// Units that are ordered and may still arrive.
    pub fn awaited(&self) -> i64 {
        (self.ordered - self.good - self.damaged - self.short).max(0)
    }
}

/// The stock of a batch, by option; options of which nothing has happened are left out.
pub fn of_batch(conn: &mut Conn, batch: BatchId) -> Result<Vec<StockRow>, StoreError> {
    Ok(batch_stock::table
        .filter(batch_stock::batch_id.eq(batch))
        .select(StockRow::as_select())
        .load(conn)?)
}

/// The stock of one option of a batch.
pub fn of_option(
    conn: &mut Conn,
    batch: BatchId,
    option: OptionId,
) -> Result<Option<StockRow>, StoreError> {
    Ok(batch_stock::table
        .find((batch, option))
        .select(StockRow::as_select())
        .first(conn)
        .optional()?)
}

/// Keeps the stock of one option, new or changed. The campaign is locked by the caller.
pub fn save(conn: &mut Conn, row: &StockRow) -> Result<(), StoreError> {
    let changed = diesel::update(batch_stock::table.find((row.batch_id, row.option_id)))
        .set((
            batch_stock::ordered.eq(row.ordered),
            batch_stock::good.eq(row.good),
            batch_stock::damaged.eq(row.damaged),
            batch_stock::short.eq(row.short),
            batch_stock::allocated.eq(row.allocated),
            batch_stock::reshipped.eq(row.reshipped),
            batch_stock::restocked.eq(row.restocked),
            batch_stock::scrapped.eq(row.scrapped),
            batch_stock::on_sale.eq(row.on_sale),
            batch_stock::short_due.eq(row.short_due),
        ))
        .execute(conn)?;
    if changed == 0 {
        each_backend!(conn, c => {
            diesel::insert_into(batch_stock::table).values(row).execute(c)?;
        });
    }
    Ok(())
}

/// Units of a batch that are on sale from stock, by option; options of which there are none are left out.
pub fn on_sale(conn: &mut Conn, batch: BatchId) -> Result<Vec<(OptionId, i64)>, StoreError> {
    Ok(batch_stock::table
        .filter(batch_stock::batch_id.eq(batch))
        .filter(batch_stock::on_sale.gt(0))
        .select((batch_stock::option_id, batch_stock::on_sale))
        .load(conn)?)
}

/// Takes units that are on sale for an order, where there are so many; whether there were. From then on they are given to
/// nobody else. The statement guards the number, so that no other process can sell them twice.
pub fn take_on_sale(
    conn: &mut Conn,
    batch: BatchId,
    option: OptionId,
    units: i64,
) -> Result<bool, StoreError> {
    let changed = diesel::update(
        batch_stock::table
            .filter(batch_stock::batch_id.eq(batch))
            .filter(batch_stock::option_id.eq(option))
            .filter(batch_stock::on_sale.ge(units)),
    )
    .set((
        batch_stock::on_sale.eq(batch_stock::on_sale - units),
        batch_stock::allocated.eq(batch_stock::allocated + units),
    ))
    .execute(conn)?;
    Ok(changed == 1)
}

/// Puts units that were taken for an order on sale again.
pub fn put_on_sale(
    conn: &mut Conn,
    batch: BatchId,
    option: OptionId,
    units: i64,
) -> Result<(), StoreError> {
    diesel::update(batch_stock::table.find((batch, option)))
        .set((
            batch_stock::on_sale.eq(batch_stock::on_sale + units),
            batch_stock::allocated.eq(batch_stock::allocated - units),
        ))
        .execute(conn)?;
    Ok(())
}

/// A log of units given to a line, or taken back (negative).
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = allocations)]
pub struct AllocationRow {
    /// Its id.
    pub id: AllocationId,
    /// Of which batch.
    pub batch_id: BatchId,
    /// To which order.
    pub order_id: OrderId,
    /// Of which option.
    pub option_id: OptionId,
    /// How many; negative: taken back.
    pub units: i64,
    /// Why, for staff.
    pub why: String,
    /// When.
    pub at: NaiveDateTime,
}

/// Keeps what was given or taken back.
pub fn log_allocations(conn: &mut Conn, rows: &[AllocationRow]) -> Result<(), StoreError> {
    // SQLite takes 32,766 values in one statement.
    for some in rows.chunks(4000) {
        each_backend!(conn, c => {
            diesel::insert_into(allocations::table).values(some).execute(c)?;
        });
    }
    Ok(())
}

/// Units that left an order, and when.
#[derive(Debug, Clone, Queryable, Selectable, Insertable)]
#[diesel(table_name = line_cancellations)]
pub struct CancellationRow {
    /// Its id.
    pub id: CancellationId,
    /// The order.
    pub order_id: OrderId,
    /// The option.
    pub option_id: OptionId,
    /// How many.
    pub units: i64,
    /// Why.
    pub purpose: RefundPurpose,
    /// When.
    pub at: NaiveDateTime,
}

/// Keeps which units left.
pub fn log_cancellations(conn: &mut Conn, rows: &[CancellationRow]) -> Result<(), StoreError> {
    each_backend!(conn, c => {
        diesel::insert_into(line_cancellations::table).values(rows).execute(c)?;
    });
    Ok(())
}

/// The units that left an order, first to last.
pub fn cancellations_of(
    conn: &mut Conn,
    order: OrderId,
) -> Result<Vec<CancellationRow>, StoreError> {
    let found = each_backend!(conn, c => line_cancellations::table
        .filter(line_cancellations::order_id.eq(order))
        .select(CancellationRow::as_select())
        .order((line_cancellations::at.asc(), line_cancellations::id.asc()))
        .load(c)?);
    Ok(found)
}

/// Takes units out of what left an order: they are wanted again, because they had been handed over before.
pub fn undo_cancellation(
    conn: &mut Conn,
    row: &CancellationRow,
    units: i64,
) -> Result<(), StoreError> {
    let one = line_cancellations::table.find(row.id);
    if units >= row.units {
        diesel::delete(one).execute(conn)?;
    } else {
        diesel::update(one)
            .set(line_cancellations::units.eq(row.units - units))
            .execute(conn)?;
    }
    Ok(())
}
