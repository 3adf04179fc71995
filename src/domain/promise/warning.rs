//! When staff are warned of a date that comes near (domain section 6; for the stop-loss the same way).

use chrono::NaiveDate;

/// Days before D on which staff are warned about unshipped orders.
pub const PROMISE_WARNINGS: &[i64] = &[14, 7, 3];

/// Days before the stop-loss date on which staff are warned, with the number of orders and the money concerned.
pub const STOP_LOSS_WARNINGS: &[i64] = &[14, 7, 1];

/// The nearest warning that is due for a date: one of `days` (falling). None before the first and after the date
/// itself. It stays due until the next one is, so that a downtime delays a warning and does not lose it; whoever sends
/// it keeps that it was sent.
pub fn warning_due(date: NaiveDate, days: &[i64], today: NaiveDate) -> Option<i64> {
    let left = date.signed_duration_since(today).num_days();
    let reached = |warning: &i64| (0..=*warning).contains(&left);
    days.iter().copied().rev().find(reached)
}
