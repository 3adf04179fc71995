//! Purchase orders are not wanted any more, and their suppliers are told why.

use super::super::desk::{Concerns, Desk, Post, Problem, merchant, purchase_number};
use super::super::eta;
use super::super::letters::{Letter, WhyWithdrawn};
use super::{Document, stock};
use crate::domain::ids::BatchId;
use crate::domain::purchase_order::{PurchaseOrderEvent, PurchaseOrderState};
use crate::store::purchase_orders::PurchaseOrderRow;
use crate::store::{Tx, purchase_orders};

/// Gives up a batch's purchase orders: whoever was sent one is told that it is not wanted any more, also where it is in
/// production or on its way; what was received in part stays.
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
        row.withdrawn_at = Some(tx.now.naive_utc());
        purchase_orders::save(tx.conn, &row, before)?;
        eta::drop_waiting(tx, batch, row.id)?;
        if before != PurchaseOrderState::Draft {
            tell_withdrawn(desk, tx, &row, WhyWithdrawn::CampaignEnded)?;
        }
    }
    stock::reckon(tx, batch)
}

/// Tells a supplier that its order is not wanted any more, and why.
pub(super) fn tell_withdrawn(
    desk: &Desk,
    tx: &mut Tx,
    row: &PurchaseOrderRow,
    why: WhyWithdrawn,
) -> Result<(), Problem> {
    let merchant = merchant(tx, row.merchant_id)?;
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
                why,
                link: desk.links.supplier_url(row.id, row.version),
            },
        },
    )
}
