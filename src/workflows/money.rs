//! The movements of an order's money: each books its journal entry, moves the order's sums, and asks for the work that
//! follows, all in the caller's transaction (domain sections 4 and 7).

mod disputes;
mod heard;
mod refunds;

pub use disputes::{dispute_lost, dispute_opened, dispute_won};
pub use heard::{Heard, next_call, paid_otherwise, refund_heard};
pub use refunds::{
    beyond, commit_allowance, commit_refund, committed, drop_refund, refund_down_to,
    refund_of_change, refund_rest, rename_dropped, rest_of_pages,
};

use super::desk::Problem;
use super::papers;
use crate::domain::currency::Currency;
use crate::domain::due::DueState;
use crate::domain::ids::{EntryId, OrderId};
use crate::domain::ledger::{Account, Entry, LedgerError, Revenue};
use crate::domain::money::Money;
use crate::domain::order::PaymentState;
use crate::domain::payment::{DisputeState, RefundState};
use crate::store::journal::EntryRow;
use crate::store::orders::{OrderRow, PaymentRow};
use crate::store::{Tx, dues, journal, orders, refunds as rows};

/// A currency's code as kept in a row.
///
/// # Errors
/// When the row is damaged.
pub fn currency(code: &str) -> Result<Currency, Problem> {
    Currency::parse(code).ok_or_else(|| Problem::Internal(format!("{code} is not a currency")))
}

/// An amount as people read it.
pub fn say(amount: i64, code: &str) -> String {
    match Currency::parse(code) {
        Some(currency) => Money::new(amount, currency).format(),
        None => format!("{amount} {code}"),
    }
}

/// An amount as people read it, where there is one.
pub fn nonzero_said(amount: i64, currency: &str) -> Option<String> {
    (amount > 0).then(|| say(amount, currency))
}

fn book(
    tx: &mut Tx,
    order: &OrderRow,
    once: String,
    entry: Result<Entry, LedgerError>,
) -> Result<(), Problem> {
    let entry = entry.map_err(|e| Problem::Internal(e.to_string()))?;
    let row = EntryRow {
        id: EntryId::new(),
        merchant_id: order.merchant_id,
        campaign_id: Some(order.campaign_id),
        order_id: Some(order.id),
        currency: entry.currency().code().to_owned(),
        kind: entry.kind().as_str().to_owned(),
        once,
        created_at: tx.now.naive_utc(),
    };
    let postings: Vec<(&str, i64)> = entry
        .postings()
        .iter()
        .map(|p| (p.account.as_str(), p.amount))
        .collect();
    journal::append(tx.conn, &row, &postings)?;
    Ok(())
}

fn money(order: &OrderRow, amount: i64) -> Result<Money, Problem> {
    Ok(Money::new(amount, currency(&order.currency)?))
}

/// Reads the order's payment state from its sums, open disputes and failed refunds, and keeps the order.
///
/// # Errors
/// What the database says.
pub fn keep(tx: &mut Tx, order: &mut OrderRow) -> Result<(), Problem> {
    let disputed = dispute_is_open(tx, order.id)?;
    let failed = rows::of_order(tx.conn, order.id)?
        .iter()
        .any(|r| r.state == RefundState::Failed);
    order.payment_state = match order.money().state(disputed, failed) {
        PaymentState::Unpaid if order.owed > 0 => without_money(tx, order)?,
        state => state,
    };
    orders::save(tx.conn, order)?;
    Ok(())
}

/// Where the money of an order stands that nothing was charged for yet.
fn without_money(tx: &mut Tx, order: &OrderRow) -> Result<PaymentState, Problem> {
    let refused =
        dues::of_order(tx.conn, order.id)?.is_some_and(|due| due.state == DueState::Declined);
    Ok(if refused {
        PaymentState::Failed
    } else if dues::card_of(tx.conn, order.id)?.is_some() {
        PaymentState::Saved
    } else {
        PaymentState::Unpaid
    })
}

/// The merchant keeps what was paid as a deposit: deposits / forfeited. How much that is.
///
/// # Errors
/// What the database says.
pub fn forfeit(tx: &mut Tx, order: &mut OrderRow) -> Result<i64, Problem> {
    let amount = order.money().kept().max(0);
    if amount > 0 {
        let entry = Entry::deposit_forfeited(order.id, money(order, amount)?);
        book(tx, order, format!("forfeited:{}", order.id), entry)?;
        order.forfeited = add(order.forfeited, amount)?;
    }
    order.owed = 0;
    Ok(amount)
}

/// Whether an open dispute holds the order's refunds; an inquiry does not.
///
/// # Errors
/// What the database says.
pub fn dispute_is_open(tx: &mut Tx, order: OrderId) -> Result<bool, Problem> {
    Ok(rows::disputes_of(tx.conn, order)?
        .iter()
        .any(|d| d.state == DisputeState::Open))
}

/// A page's money was captured: clearing / deposits. Books it once; whether it was new.
///
/// # Errors
/// What the database says.
pub fn captured(
    tx: &mut Tx,
    order: &mut OrderRow,
    page: &PaymentRow,
    amount: i64,
) -> Result<(), Problem> {
    let once = format!("capture:{}:{}", order.id, page.attempt);
    let entry = Entry::payment_captured(order.id, money(order, amount)?);
    book(tx, order, once, entry)?;
    order.charged = add(order.charged, amount)?;
    papers::receipt(tx, order, page.attempt, amount)
}

fn add(a: i64, b: i64) -> Result<i64, Problem> {
    a.checked_add(b)
        .ok_or_else(|| Problem::Internal("a sum does not fit".into()))
}

/// Goods of an order are handed over: what was a deposit is revenue and tax. `owed` is how much of it the price that is
/// kept for them pays; the rest, which goes back, went back or was lost in a dispute, the merchant bears: how much that
/// is. `once` is the parcel.
///
/// # Errors
/// What the database says.
pub fn handed_over(
    tx: &mut Tx,
    order: &OrderRow,
    once: &str,
    revenue: Revenue,
    owed: i64,
) -> Result<i64, Problem> {
    let wrong = |e: LedgerError| Problem::Internal(e.to_string());
    let deposit = journal::balance_of_order(tx.conn, order.id, Account::CustomerDeposits.as_str())?;
    let paid = revenue.up_to((-deposit).min(owed).max(0)).map_err(wrong)?;
    let unpaid = revenue.less(paid);
    if paid.sum().map_err(wrong)? > 0 {
        let entry = Entry::handed_over(order.id, paid);
        book(tx, order, format!("handed_over:{once}"), entry)?;
    }
    let loss = unpaid.sum().map_err(wrong)?;
    if loss > 0 {
        let entry = Entry::handed_over_unpaid(order.id, unpaid);
        book(tx, order, format!("handed_over_unpaid:{once}"), entry)?;
    }
    Ok(loss)
}
