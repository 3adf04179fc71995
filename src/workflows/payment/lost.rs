//! Attempts that these books do not have, because an old backup was restored, and the provider's word for them.

use super::super::desk::Problem;
use super::super::ports::{ProviderCharge, Tag};
use crate::domain::ids::OrderId;
use crate::domain::payment::{AttemptState, PaymentKind};
use crate::store::orders::PaymentRow;
use crate::store::{Conn, Tx, changes, orders};

/// The attempt that money belongs to: the one that has its intent, or the one that its tag names, unless that is another by
/// now.
///
/// # Errors
/// What the database says.
pub fn page_of(
    conn: &mut Conn,
    tag: Option<&Tag>,
    intent: Option<&str>,
) -> Result<Option<PaymentRow>, Problem> {
    if let Some(intent) = intent
        && let Some(page) = orders::payment_by_intent(conn, intent)?
    {
        return Ok(Some(page));
    }
    let Some(tag) = tag else {
        return Ok(None);
    };
    let Some(page) = orders::payment(conn, tag.order, tag.attempt)? else {
        return Ok(None);
    };
    let another = page.intent_id.is_some() && intent.is_some();
    Ok((!another && may_be_of(conn, &page, tag)?).then_some(page))
}

/// Whether what carries this tag may speak of the attempt that has its number: since a restored backup that may be one of
/// another kind, or for another change.
///
/// # Errors
/// What the database says.
pub(super) fn may_be_of(conn: &mut Conn, page: &PaymentRow, tag: &Tag) -> Result<bool, Problem> {
    if tag.payment_kind() != Some(page.kind) {
        return Ok(false);
    }
    let Some(note) = &tag.change else {
        return Ok(true);
    };
    let all = changes::of_order(conn, page.order_id)?;
    let mine = all.iter().find(|row| row.attempt == Some(page.attempt));
    Ok(mine.is_none_or(|row| row.id == note.change))
}

/// The number that a lost attempt gets: its own, unless another has it by now.
///
/// # Errors
/// What the database says.
pub fn number_of_lost(tx: &mut Tx, tag: &Tag) -> Result<i32, Problem> {
    let pages = orders::payments_of(tx.conn, tag.order)?;
    let last = pages.last().map_or(0, |page| page.attempt);
    let taken = pages.iter().any(|page| page.attempt == tag.attempt);
    Ok(if taken { last + 1 } else { tag.attempt })
}

/// Makes a lost attempt's row again, as one that was never known to be made: what follows is what follows from any payment
/// that comes after all.
///
/// # Errors
/// What the database says.
pub fn make_again(
    tx: &mut Tx,
    (order, attempt): (OrderId, i32),
    kind: PaymentKind,
    charge: &ProviderCharge,
) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    let page = PaymentRow {
        order_id: order,
        attempt,
        state: AttemptState::Refused,
        amount: charge.amount,
        idempotency_key: format!("muster-{kind}-{order}-{attempt}"),
        planned_at: now,
        expires_at: now,
        sent_at: Some(now),
        session_id: None,
        url: None,
        intent_id: charge.intent.clone(),
        close_wanted: false,
        problem: Some("found at the provider after a restored backup".to_owned()),
        settled_at: None,
        kind,
        looked_at: None,
    };
    Ok(orders::insert_payment(tx.conn, &page)?)
}
