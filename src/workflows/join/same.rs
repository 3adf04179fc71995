//! Whether a form that comes again asks for the order that it placed.

use super::{FrozenQuote, JoinRequest};
use crate::domain::ids::OrderId;
use crate::store::changes::ChangeRow;
use crate::workflows::changes::Before;
use crate::workflows::desk::Problem;

/// Whether a wish asks for the very lines that were agreed.
pub(super) fn is_same(agreed: &FrozenQuote, wish: &JoinRequest) -> bool {
    let lines = agreed.lines.iter().zip(&agreed.quote.lines);
    asks_for(
        wish,
        lines
            .map(|(line, priced)| (line.sku.as_str(), priced.quantity))
            .collect(),
    )
}

fn asks_for(wish: &JoinRequest, mut had: Vec<(&str, i64)>) -> bool {
    let wanted = wish.lines.iter();
    let mut wanted: Vec<(&str, i64)> = wanted.map(|(sku, n)| (sku.as_str(), *n)).collect();
    had.sort_unstable();
    wanted.sort_unstable();
    had == wanted
}

/// Whether two wishes ask for one order.
pub(super) fn asks_for_the_same(first: &JoinRequest, again: &JoinRequest) -> bool {
    let lines = |wish: &JoinRequest| {
        let mut lines = wish.lines.clone();
        lines.sort_unstable();
        lines
    };
    first.email == again.email
        && first.limit_step.unwrap_or(0) == again.limit_step.unwrap_or(0)
        && lines(first) == lines(again)
}

/// Whether a wish asks for the lines that an order had before it was changed for the first time.
pub(super) fn was_same(changed: &[ChangeRow], order: OrderId, wish: &JoinRequest) -> bool {
    let first = changed.iter().find(|row| row.order_id == order);
    let before = first.and_then(|row| Before::read(row).ok());
    before.is_some_and(|before| {
        let lines = before.lines.iter();
        asks_for(
            wish,
            lines
                .map(|line| (line.sku.as_str(), line.quantity))
                .collect(),
        )
    })
}

pub(super) fn form_used() -> Problem {
    Problem::conflict(
        "form-used",
        "This form was used for another order already. Open the campaign again to join once more.",
    )
}
