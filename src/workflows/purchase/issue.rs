//! A purchase order is issued: numbered, frozen, mailed.

use chrono::Duration;

use super::super::batches;
use super::super::desk::{
    Concerns, Desk, Post, Problem, enqueue, happened, merchant, purchase_number,
};
use super::super::signs;
use super::document::purchase_letter;
use super::{Document, stock};
use crate::domain::campaign::BatchEvent;
use crate::domain::ids::{BatchId, MerchantId, PurchaseOrderId};
use crate::domain::purchase_order::{PurchaseOrderEvent, PurchaseOrderState};
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::merchants::SupplierRow;
use crate::store::purchase_orders::PurchaseOrderRow;
use crate::store::{Tx, campaigns, jobs, merchants, orders, purchase_orders};

/// A draft of which nothing is decided yet.
pub(super) fn blank(
    tx: &Tx,
    merchant: MerchantId,
    batch: BatchId,
    document: &Document,
) -> Result<PurchaseOrderRow, Problem> {
    Ok(PurchaseOrderRow {
        id: PurchaseOrderId::new(),
        merchant_id: merchant,
        batch_id: batch,
        supplier_id: None,
        number: None,
        version: 1,
        state: PurchaseOrderState::Draft,
        units: document.units(),
        units_paid: document.units_paid(),
        document: serde_json::to_string(document)?,
        created_at: tx.now.naive_utc(),
        sent_at: None,
        acknowledged_at: None,
        note: None,
        added_units: 0,
        replaces: None,
        in_production_at: None,
        shipped_at: None,
        carrier: None,
        tracking_number: None,
        received_at: None,
        closed_at: None,
        rejected_at: None,
        rejected_because: None,
        withdrawn_at: None,
        withdrawn_because: None,
    })
}

/// The batch is ordered from now on: its orders cannot be cancelled freely any more.
pub(super) fn begin(tx: &mut Tx, batch: &BatchRow) -> Result<(), Problem> {
    campaigns::set_blocked(tx.conn, batch.id, None, None, batch.blocked_warned)?;
    batches::advance(tx, batch, BatchEvent::Ordered)?;
    orders::backorder(tx.conn, batch.id)?;
    Ok(())
}

/// Issues a kept draft: the next number, unless it is a later version and has its own; then its mail and the watch over
/// the answer. From now on it counts as on order.
pub(super) fn issue(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    mut row: PurchaseOrderRow,
    document: &Document,
    supplier: &SupplierRow,
) -> Result<PurchaseOrderRow, Problem> {
    let now = tx.now.naive_utc();
    let number = match row.number {
        Some(number) => number,
        None => merchants::take_numbers(tx.conn, campaign.merchant_id, "purchase_order", 1)?,
    };
    row.state = row.state.after(PurchaseOrderEvent::Sent)?;
    row.number = Some(number);
    row.supplier_id = Some(supplier.id);
    row.sent_at = Some(now);
    purchase_orders::save(tx.conn, &row, PurchaseOrderState::Draft)?;
    stock::reckon(tx, row.batch_id)?;
    signs::sign(tx, campaign)?;
    happened(
        tx,
        Concerns::campaign(campaign),
        "system",
        "ordered",
        format!(
            "{} over {} units went to {}.",
            said(&row),
            row.units,
            supplier.name
        ),
    )?;
    let merchant = merchant(tx, campaign.merchant_id)?;
    let letter = purchase_letter(desk, &row, document, number, tx.now);
    desk.post(
        tx,
        Post {
            once: format!("purchase_order:{}:{}", row.id, row.version),
            to: &supplier.email,
            reply_to: Some(&merchant.email),
            concerns: Some(Concerns::campaign(campaign)),
            purchase_order: Some(row.id),
            letter,
        },
    )?;
    let reminder = now + Duration::days(3);
    enqueue(tx, jobs::SUPPLIER_ANSWER, &row.id.to_string(), reminder)?;
    Ok(row)
}

/// A purchase order's number as people say it, with its version from the second on.
pub(super) fn said(row: &PurchaseOrderRow) -> String {
    let number = purchase_number(row.number.unwrap_or(0));
    if row.version > 1 {
        format!("{number}, version {}", row.version)
    } else {
        number
    }
}

/// Sends the mail of an issued purchase order once more: same number, same content, same link.
///
/// # Errors
/// A conflict where it was not issued.
pub fn send_mail_again(desk: &Desk, tx: &mut Tx, id: PurchaseOrderId) -> Result<(), Problem> {
    let row = purchase_orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("purchase order"))?;
    let (Some(number), Some(sent_at)) = (row.number, row.sent_at) else {
        return Err(Problem::conflict(
            "wrong-state",
            "This purchase order was not sent yet.",
        ));
    };
    let document: Document = serde_json::from_str(&row.document)?;
    let merchant = merchant(tx, row.merchant_id)?;
    let letter = purchase_letter(desk, &row, &document, number, sent_at.and_utc());
    let once = format!(
        "purchase_order:{}:{}:{}",
        row.id,
        row.version,
        tx.now.timestamp()
    );
    desk.post(
        tx,
        Post {
            once,
            to: &document.supplier_email,
            reply_to: Some(&merchant.email),
            concerns: Some(Concerns {
                merchant: merchant.id,
                campaign: None,
                order: None,
            }),
            purchase_order: Some(row.id),
            letter,
        },
    )
}
