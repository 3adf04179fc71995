//! Refunds that changes of orders gave, since a backup that is in use was made.

use crate::domain::ids::OrderId;
use crate::domain::order::OrderState;
use crate::domain::payment::{RefundPurpose, RefundState};
use crate::store::campaigns::CampaignRow;
use crate::store::orders::OrderRow;
use crate::store::refunds::RefundRow;
use crate::store::{Tx, orders, refunds};
use crate::workflows::changes::{self, Remade};
use crate::workflows::desk::{Desk, Problem};
use crate::workflows::money;
use crate::workflows::ports::ProviderRefund;

/// A change that gave money back since the backup is made again, with its refunds; what to say where it can't be, and nothing
/// is booked: the order would keep lines that it does not pay for.
///
/// # Errors
/// What the database says.
pub(super) fn change_lost(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: OrderId,
    said: &ProviderRefund,
) -> Result<Option<String>, Problem> {
    let mut row = orders::by_id(tx.conn, order)?.ok_or(Problem::NotFound("order"))?;
    let page = match &said.intent {
        Some(intent) => orders::payment_by_intent(tx.conn, intent)?,
        None => None,
    };
    let note = said.tag.as_ref().and_then(|tag| tag.change.as_ref());
    if let Some(page) = page {
        let part = (page.attempt, said.amount);
        if let Some(note) = note
            && changes::refunded_again(desk, tx, campaign, &row, part, note)? == Remade::InBooks
        {
            return Ok(None);
        }
        if gives_way(tx, &mut row, part)? {
            return Ok(None);
        }
    }
    let lines = note.map_or_else(String::new, |note| {
        format!(" to {}", changes::note_said(note))
    });
    Ok(Some(format!(
        "order {order}: refund {} over {} is of a change{lines} that is not in the books and does not fit the order as it is: change the order again in the panel, or cancel these units there once joining has ended, and this refund counts for it",
        said.id, said.amount
    )))
}

/// Whether so much of that page waits to go back, because the order ended or was changed again since: what went back
/// already comes off that.
fn gives_way(
    tx: &mut Tx,
    order: &mut OrderRow,
    (page, amount): (i32, i64),
) -> Result<bool, Problem> {
    let ended = matches!(order.state, OrderState::Cancelled | OrderState::Expired);
    let all = refunds::of_order(tx.conn, order.id)?;
    let mut waiting: Vec<RefundRow> = all
        .into_iter()
        .filter(|r| r.payment_attempt == page && r.state == RefundState::Queued)
        .filter(|r| !r.purpose.is_allowance())
        .collect();
    // What waits because the price fell counts only beside units that left: else the order would keep units for nothing.
    waiting.sort_by_key(|r| r.purpose != RefundPurpose::Change);
    let some_left = waiting.first().map(|r| r.purpose) == Some(RefundPurpose::Change);
    let mut rest = waiting.iter().map(|r| r.amount).sum::<i64>() - amount;
    if !(ended || some_left) || waiting.is_empty() || rest < 0 {
        return Ok(false);
    }
    let mut purpose = RefundPurpose::Change;
    for mut refund in waiting {
        // The last ones stay as they are, as far as they are owed beyond it.
        if refund.amount <= rest {
            rest -= refund.amount;
            continue;
        }
        purpose = refund.purpose;
        money::drop_refund(tx, order, &mut refund)?;
        money::rename_dropped(tx, &refund)?;
    }
    money::commit_refund(tx, order, page, purpose, rest)?;
    money::keep(tx, order)?;
    Ok(true)
}
