//! Goods of the example: one batch has arrived early, a few more than were paid for. Some parcels are on their way, and
//! what is left over is on sale.

use super::{Filler, offers, said};
use crate::domain::shipment::ShipmentState;
use crate::store::{campaigns, shipments};
use crate::workflows::desk::Problem;
use crate::workflows::receive::{Count, Counted, receive};
use crate::workflows::ship::{Handed, hand_over, pick_ready};
use crate::workflows::stock_sale::put_on_sale;

/// Who of the seller's people does it.
const BY: &str = "Tom";
/// How many parcels have gone out so far.
const GONE: i64 = 5;

impl Filler<'_> {
    /// The goods of one campaign are counted, some are sent, and the rest is offered.
    pub(super) async fn goods_arrive(&self) -> Result<(), String> {
        let (slug, sku, good, left) = offers::ARRIVED;
        self.running
            .app
            .office
            .write(move |desk, tx| -> Result<(), Problem> {
                let campaign =
                    campaigns::by_slug(tx.conn, slug)?.ok_or(Problem::NotFound("campaign"))?;
                let batch =
                    campaigns::batch_of(tx.conn, campaign.id)?.ok_or(Problem::NotFound("batch"))?;
                let merchant = campaign.merchant_id;
                let count = Count {
                    lines: vec![Counted {
                        sku: sku.to_owned(),
                        good,
                        damaged: 1,
                    }],
                    note: Some("One glass is cracked.".to_owned()),
                    by: BY.to_owned(),
                    confirm: true,
                    ..Count::default()
                };
                receive(tx, merchant, batch.id, &count)?;
                pick_ready(tx, merchant, batch.id, GONE, BY)?;
                let packed = shipments::in_state(tx.conn, batch.id, ShipmentState::Picked, GONE)?;
                for parcel in packed {
                    let handed = Handed {
                        carrier: Some("DHL".to_owned()),
                        tracking_number: Some(format!("JD0146{:08}", parcel.number)),
                        by: BY.to_owned(),
                        ..Handed::default()
                    };
                    hand_over(desk, tx, merchant, parcel.id, &handed)?;
                }
                put_on_sale(tx, merchant, batch.id, sku, left, BY)
            })
            .await
            .map_err(|e| said(slug, &e))?;
        self.settle().await
    }
}
