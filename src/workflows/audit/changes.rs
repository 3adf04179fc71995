//! Changes of orders: what is held for them is taken, each that is under way is being paid, and what is agreed of an order is
//! what its lines say (domain sections 3, 4 and 7).

use std::collections::HashMap;

use super::Books;
use crate::domain::ids::OrderId;
use crate::store::changes::{self as reads, ChangeRow};
use crate::store::orders::{LineRow, OrderRow, PaymentRow};
use crate::store::{Conn, StoreError};
use crate::workflows::desk::Problem;
use crate::workflows::payment::frozen;

/// The changes of a page of orders.
pub(super) struct Changes(HashMap<OrderId, Vec<ChangeRow>>);

impl Changes {
    pub(super) fn read(conn: &mut Conn, ids: &[OrderId]) -> Result<Self, StoreError> {
        let mut all: HashMap<OrderId, Vec<ChangeRow>> = HashMap::new();
        for row in reads::of_orders(conn, ids)? {
            all.entry(row.order_id).or_default().push(row);
        }
        Ok(Self(all))
    }
}

/// One order's changes: rule 4 counts what is held for them, and none is under way without a page that may be paid.
pub(super) fn check_order(
    books: &mut Books,
    changes: &Changes,
    order: &OrderRow,
    pages: &[PaymentRow],
) -> Result<(), Problem> {
    let none = Vec::new();
    for row in changes.0.get(&order.id).unwrap_or(&none) {
        let held = row.held()?;
        for (option, units) in &held {
            *books.taken.entry(*option).or_insert(0) += units;
            *books
                .by_shopper
                .entry((order.campaign_id, order.email.clone(), *option))
                .or_insert(0) += units;
        }
        let page = pages.iter().find(|page| Some(page.attempt) == row.attempt);
        if row.closed_at.is_none() && !page.is_some_and(|page| page.state.is_open()) {
            let what = format!("its change {} is under way, and no page pays it", row.id);
            books.found(5, Some(order.id), what);
        }
    }
    Ok(())
}

/// What is agreed is what the lines say; of lines of which units left, the lines alone say what is wanted.
pub(super) fn check_agreed(
    books: &mut Books,
    order: &OrderRow,
    lines: &[LineRow],
) -> Result<(), Problem> {
    let agreed = frozen(order)?;
    if agreed.quote.total != order.total {
        let what = format!(
            "its quote comes to {}, its total is {}",
            agreed.quote.total, order.total
        );
        books.found(2, Some(order.id), what);
    }
    for (frozen, priced) in agreed.lines.iter().zip(&agreed.quote.lines) {
        let line = lines.iter().find(|line| line.sku == frozen.sku);
        let same = line.is_some_and(|line| {
            line.unit_price == priced.unit_price
                && (line.quantity == priced.quantity || line.cancelled > 0)
        });
        if !same {
            let what = format!(
                "{}: {} at {} are agreed, and its line says something else",
                frozen.sku, priced.quantity, priced.unit_price
            );
            books.found(2, Some(order.id), what);
        }
    }
    let stray = lines
        .iter()
        .find(|line| line.cancelled == 0 && agreed.lines.iter().all(|l| l.sku != line.sku));
    if let Some(line) = stray {
        let what = format!("{}: it has units of it that are not agreed", line.sku);
        books.found(2, Some(order.id), what);
    }
    Ok(())
}
