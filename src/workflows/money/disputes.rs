//! What a dispute does to an order's money (domain sections 4 and 7).

use super::{add, book, money};
use crate::domain::ledger::{Account, Entry};
use crate::store::orders::OrderRow;
use crate::store::{Tx, journal};
use crate::workflows::desk::Problem;

/// A dispute took the money for now: held / clearing.
///
/// # Errors
/// What the database says.
pub fn dispute_opened(tx: &mut Tx, order: &OrderRow, id: &str, amount: i64) -> Result<(), Problem> {
    let entry = Entry::dispute_opened(order.id, money(order, amount)?);
    book(tx, order, format!("dispute_opened:{id}"), entry)
}

/// A dispute was won: the money came back.
///
/// # Errors
/// What the database says.
pub fn dispute_won(tx: &mut Tx, order: &OrderRow, id: &str, amount: i64) -> Result<(), Problem> {
    let entry = Entry::dispute_won(order.id, money(order, amount)?);
    book(tx, order, format!("dispute_won:{id}"), entry)
}

/// A dispute was lost: the money is gone, and so is what was owed of it.
///
/// # Errors
/// What the database says.
pub fn dispute_lost(
    tx: &mut Tx,
    order: &mut OrderRow,
    id: &str,
    amount: i64,
) -> Result<(), Problem> {
    let taken = amount.min(order.money().kept()).max(0);
    let deposit = journal::balance_of_order(tx.conn, order.id, Account::CustomerDeposits.as_str())?;
    let from_deposit = taken.min(-deposit).max(0);
    let entry = Entry::dispute_lost(order.id, money(order, amount)?, from_deposit);
    book(tx, order, format!("dispute_lost:{id}"), entry)?;
    order.lost = add(order.lost, taken)?;
    Ok(())
}
