//! Parcels (domain section 5): packed from what is allocated, handed over to the carrier, arrived. *Shipped* means handed
//! over. With the handover the deposit becomes revenue; a handover that became known after a cancellation is judged by
//! when it was.

mod books;
mod deliver;
mod handover;
mod late;
mod pack;
mod record;

pub use books::revenue_booked;
pub use deliver::{arrived, assume_delivered};
pub use handover::{Handed, hand_over};
pub use pack::{parcel_number, pick_ready};
pub use record::{NewParcel, When, can_record, record};

use super::desk::{Problem, lock_campaign};
use crate::domain::ids::{MerchantId, OrderId, ShipmentId};
use crate::store::campaigns::CampaignRow;
use crate::store::orders::{LineRow, OrderRow};
use crate::store::shipments::{ShipmentLineRow, ShipmentRow};
use crate::store::{Tx, orders, shipments};

/// A parcel with all it hangs on, the campaign locked.
struct Loaded {
    campaign: CampaignRow,
    order: OrderRow,
    lines: Vec<LineRow>,
    parcel: ShipmentRow,
    inside: Vec<ShipmentLineRow>,
}

fn load_order(
    tx: &mut Tx,
    merchant: MerchantId,
    id: OrderId,
) -> Result<(CampaignRow, OrderRow, Vec<LineRow>), Problem> {
    let order = orders::by_id(tx.conn, id)?
        .filter(|o| o.merchant_id == merchant)
        .ok_or(Problem::NotFound("order"))?;
    let campaign = lock_campaign(tx, order.campaign_id)?;
    let order = orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
    let lines = orders::lines_of(tx.conn, id)?;
    Ok((campaign, order, lines))
}

fn load(tx: &mut Tx, merchant: MerchantId, id: ShipmentId) -> Result<Loaded, Problem> {
    let parcel = shipments::by_id(tx.conn, id)?
        .filter(|p| p.merchant_id == merchant)
        .ok_or(Problem::NotFound("shipment"))?;
    let (campaign, order, lines) = load_order(tx, merchant, parcel.order_id)?;
    let parcel = shipments::by_id(tx.conn, id)?.ok_or(Problem::NotFound("shipment"))?;
    let inside = shipments::lines_of(tx.conn, &[id])?;
    Ok(Loaded {
        campaign,
        order,
        lines,
        parcel,
        inside,
    })
}
