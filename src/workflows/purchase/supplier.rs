//! What follows after a purchase order was sent: the supplier's answer, silence, or that it is not wanted any more.

use chrono::{DateTime, Duration, Utc};

use super::super::desk::{Concerns, Desk, Post, Problem, happened, merchant, purchase_number};
use super::super::letters::Letter;
use super::super::signs;
use super::Document;
use crate::domain::ids::{BatchId, PurchaseOrderId};
use crate::domain::purchase_order::{PurchaseOrderEvent, PurchaseOrderState};
use crate::store::merchants::MerchantRow;
use crate::store::purchase_orders::PurchaseOrderRow;
use crate::store::{Tx, campaigns, purchase_orders};

/// Gives up a batch's purchase orders: whoever was sent one is told that it is not wanted any more.
///
/// # Errors
/// What the database says.
pub fn cancel_all(desk: &Desk, tx: &mut Tx, batch: BatchId) -> Result<(), Problem> {
    for mut row in purchase_orders::of_batch(tx.conn, batch)? {
        let before = row.state;
        let Ok(after) = before.after(PurchaseOrderEvent::Cancelled) else {
            continue;
        };
        row.state = after;
        purchase_orders::save(tx.conn, &row, before)?;
        if before != PurchaseOrderState::Draft {
            tell_cancelled(desk, tx, &row)?;
        }
    }
    Ok(())
}

fn tell_cancelled(desk: &Desk, tx: &mut Tx, row: &PurchaseOrderRow) -> Result<(), Problem> {
    let merchant: MerchantRow = merchant(tx, row.merchant_id)?;
    let document: Document = serde_json::from_str(&row.document)?;
    desk.post(
        tx,
        Post {
            once: format!("purchase_order_cancelled:{}:{}", row.id, row.version),
            to: &document.supplier_email,
            reply_to: Some(&merchant.email),
            concerns: Some(Concerns {
                merchant: merchant.id,
                campaign: None,
                order: None,
            }),
            purchase_order: Some(row.id),
            letter: Letter::PurchaseOrderCancelled {
                merchant: merchant.name.clone(),
                supplier: document.supplier.clone(),
                number: purchase_number(row.number.unwrap_or(0)),
                units: row.units,
                link: desk.links.supplier_url(row.id, row.version),
            },
        },
    )?;
    Ok(())
}

/// The supplier says yes, by its link. Saying it twice changes nothing.
///
/// # Errors
/// A conflict where the purchase order stands otherwise.
pub fn acknowledge(
    tx: &mut Tx,
    id: PurchaseOrderId,
    note: Option<&str>,
) -> Result<PurchaseOrderRow, Problem> {
    let mut row =
        purchase_orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("purchase order"))?;
    if row.state == PurchaseOrderState::Acknowledged {
        return Ok(row);
    }
    let from = row.state;
    row.state = row.state.after(PurchaseOrderEvent::Acknowledged)?;
    row.acknowledged_at = Some(tx.now.naive_utc());
    row.note = note.map(str::to_owned);
    purchase_orders::save(tx.conn, &row, from)?;
    let batch = campaigns::batch(tx.conn, row.batch_id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign =
        campaigns::by_id(tx.conn, batch.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    let said = purchase_number(row.number.unwrap_or(0));
    happened(
        tx,
        Concerns::campaign(&campaign),
        "supplier",
        "acknowledged",
        match note {
            Some(note) => format!("{said} was acknowledged: {note}"),
            None => format!("{said} was acknowledged."),
        },
    )?;
    signs::sign(tx, &campaign)?;
    Ok(row)
}

/// The supplier has not answered: reminded on the third day, staff told on the fifth. When to look again.
///
/// # Errors
/// What the database says.
pub fn unanswered(
    desk: &Desk,
    tx: &mut Tx,
    id: PurchaseOrderId,
) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(row) = purchase_orders::by_id(tx.conn, id)? else {
        return Ok(None);
    };
    let (PurchaseOrderState::Sent, Some(number), Some(sent_at)) =
        (row.state, row.number, row.sent_at)
    else {
        return Ok(None);
    };
    let merchant: MerchantRow = merchant(tx, row.merchant_id)?;
    let document: Document = serde_json::from_str(&row.document)?;
    let days = (tx.now.naive_utc() - sent_at).num_days();
    let number = purchase_number(number);
    let concerns = Concerns {
        merchant: merchant.id,
        campaign: None,
        order: None,
    };
    if days >= 3 {
        desk.post(
            tx,
            Post {
                once: format!("purchase_order_reminder:{}:{}", row.id, row.version),
                to: &document.supplier_email,
                reply_to: Some(&merchant.email),
                concerns: Some(concerns),
                purchase_order: Some(row.id),
                letter: Letter::PurchaseOrderReminder {
                    merchant: merchant.name.clone(),
                    supplier: document.supplier.clone(),
                    number: number.clone(),
                    units: row.units,
                    issued_at: sent_at.and_utc(),
                    link: desk.links.supplier_url(row.id, row.version),
                },
            },
        )?;
    }
    if days >= 5 {
        desk.tell_staff(
            tx,
            concerns,
            &format!("unanswered:{}:{}", row.id, row.version),
            &format!("{} has not answered {number} for 5 days", document.supplier),
            vec![format!(
                "{number} over {} units was sent and reminded. Call them.",
                row.units
            )],
            &format!("/admin/purchase-orders/{}", row.id),
        )?;
        return Ok(None);
    }
    let next = if days < 3 { 3 } else { 5 };
    Ok(Some((sent_at + Duration::days(next)).and_utc()))
}
