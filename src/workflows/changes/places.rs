//! Whose turn it is with an order that a change let grow: what it added has the place of its own payment (domain section 5).

use std::collections::HashMap;

use chrono::NaiveDateTime;

use super::{Before, wanted};
use crate::domain::allocation::{Claim, Paid, by_payment, paid_when};
use crate::domain::ids::{BatchId, OptionId, OrderId};
use crate::store::changes::ChangeRow;
use crate::store::orders::LineRow;
use crate::store::{Conn, changes, orders, stock};
use crate::workflows::desk::Problem;

/// Units that lines of a batch wait for, by when they were paid. Orders with an open dispute are left out, unless
/// `frozen_too`.
///
/// # Errors
/// What the database says.
pub fn waiting_by_payment(
    conn: &mut Conn,
    batch: BatchId,
    frozen_too: bool,
) -> Result<Vec<Claim>, Problem> {
    let claims = stock::waiting(conn, batch, frozen_too)?;
    in_parts(conn, batch, claims, |line| line.allocated)
}

/// Units of an option that lines of a batch have and that are in no parcel yet, by when they were paid.
///
/// # Errors
/// What the database says.
pub fn unpicked_by_payment(
    conn: &mut Conn,
    batch: BatchId,
    option: OptionId,
) -> Result<Vec<Claim>, Problem> {
    let claims = stock::unpicked(conn, batch, option)?;
    in_parts(conn, batch, claims, |line| line.picked + line.shipped)
}

/// `first` is the first of a line's units that a claim is about.
fn in_parts(
    conn: &mut Conn,
    batch: BatchId,
    claims: Vec<Claim>,
    first: impl Fn(&LineRow) -> i64,
) -> Result<Vec<Claim>, Problem> {
    let changed = changes::done_in(conn, batch)?;
    if changed.is_empty() {
        return Ok(claims);
    }
    let mut by_order: HashMap<OrderId, Vec<&ChangeRow>> = HashMap::new();
    for row in &changed {
        by_order.entry(row.order_id).or_default().push(row);
    }
    let mut parts = Vec::with_capacity(claims.len());
    for claim in claims {
        let mine = by_order.get(&claim.order).map_or(&[][..], Vec::as_slice);
        let line = match mine.is_empty() {
            true => None,
            false => orders::lines_of(conn, claim.order)?
                .into_iter()
                .find(|line| line.option_id == claim.option),
        };
        match line {
            Some(line) => parts.extend(by_payment(
                &claim,
                &paid(&line, &claim, mine)?,
                first(&line),
            )),
            None => parts.push(claim),
        }
    }
    Ok(parts)
}

fn paid(line: &LineRow, claim: &Claim, changed: &[&ChangeRow]) -> Result<Vec<Paid>, Problem> {
    let mut joined = 0;
    let mut after: Vec<(NaiveDateTime, i64)> = Vec::with_capacity(changed.len());
    for (at, row) in changed.iter().enumerate() {
        if at == 0 {
            let before = Before::read(row)?.lines.into_iter();
            joined = before
                .filter(|l| l.sku == line.sku)
                .map(|l| l.quantity)
                .sum();
        }
        let agreed = wanted(row)?;
        let lines = agreed.lines.iter().zip(&agreed.quote.lines);
        let units = lines
            .filter(|(l, _)| l.sku == line.sku)
            .map(|(_, q)| q.quantity)
            .sum();
        after.push((row.closed_at.unwrap_or(row.created_at), units));
    }
    let joined = Paid {
        at: claim.paid_at,
        units: joined,
    };
    Ok(paid_when(joined, &after, line.units().wanted()))
}
