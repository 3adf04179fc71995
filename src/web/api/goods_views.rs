//! Goods as the API shows them: a batch with its stock, receipts, parcels.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::campaign::BatchState;
use crate::domain::ids::ShipmentId;
use crate::domain::shipment::{DeliveredBy, ShipmentState, tracking_link};
use crate::store::campaigns::{BatchRow, CampaignRow, OptionRow};
use crate::store::shipments::{ShipmentLineRow, ShipmentRow};
use crate::store::stock::{ReceiptLineRow, ReceiptRow};
use crate::store::{Conn, campaigns, shipments, stock};
use crate::workflows::desk::Problem;
use crate::workflows::receive::{Received, goods_of};
use crate::workflows::short::Declared;

/// A batch with where its units are.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchGoods {
    id: Uuid,
    /// The campaign's name in addresses.
    campaign: String,
    /// 1 for the first.
    number: i32,
    state: BatchState,
    stock: Vec<OptionStock>,
    receipts: Vec<Receipt>,
    /// When everything ordered had arrived or was given up.
    #[schema(required)]
    received_at: Option<DateTime<Utc>>,
    /// When its last parcel had arrived.
    #[schema(required)]
    completed_at: Option<DateTime<Utc>>,
}

/// Where the units of one option are.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct OptionStock {
    sku: String,
    /// Units that shoppers paid for and want.
    paid: i64,
    /// Units on purchase orders that stand.
    ordered: i64,
    /// Arrived, good.
    good: i64,
    /// Arrived, damaged.
    damaged: i64,
    /// Given up.
    short: i64,
    /// Ordered units that may still arrive.
    awaited: i64,
    /// Given to order lines, those handed over included.
    allocated: i64,
    /// Paid units that wait for stock.
    waiting: i64,
    /// Units that are nobody's.
    free: i64,
    /// Of those, offered for sale at once.
    on_sale: i64,
}

/// A counted arrival.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Receipt {
    id: Uuid,
    /// 1 for the batch's first.
    number: i32,
    counted_at: DateTime<Utc>,
    counted_by: String,
    #[schema(required)]
    note: Option<String>,
    /// Whether it corrects earlier counts.
    correction: bool,
    lines: Vec<ReceiptLine>,
}

/// What of one option arrived.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ReceiptLine {
    sku: String,
    good: i64,
    damaged: i64,
}

/// A count with what it led to.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Counted {
    receipt: Receipt,
    /// Units that went to orders at once.
    allocated_units: i64,
    /// How many orders got some.
    allocated_orders: i64,
    stock: Vec<OptionStock>,
}

/// Units declared short.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Short {
    lines: Vec<ShortLine>,
    stock: Vec<OptionStock>,
}

/// What of one option will not come.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShortLine {
    sku: String,
    quantity: i64,
    /// Units of orders that are refunded, newest payment first.
    refunded_units: i64,
}

/// A parcel to one shopper.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Shipment {
    id: Uuid,
    /// Its number at the merchant.
    number: i64,
    order_id: Uuid,
    batch_id: Uuid,
    state: ShipmentState,
    lines: Vec<ShipmentLine>,
    #[schema(required)]
    carrier: Option<String>,
    #[schema(required)]
    tracking_number: Option<String>,
    /// Where it can be followed, for known carriers.
    #[schema(required)]
    tracking_url: Option<String>,
    picked_at: DateTime<Utc>,
    #[schema(required)]
    handed_over_at: Option<DateTime<Utc>>,
    #[schema(required)]
    delivered_at: Option<DateTime<Utc>>,
    #[schema(required)]
    delivered_by: Option<DeliveredBy>,
}

/// What of one option is in a parcel.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ShipmentLine {
    sku: String,
    quantity: i64,
}

fn sku_of(options: &[OptionRow], id: crate::domain::ids::OptionId) -> String {
    options
        .iter()
        .find(|o| o.id == id)
        .map_or_else(String::new, |o| o.sku.clone())
}

fn stock_view(
    conn: &mut Conn,
    campaign: &CampaignRow,
    batch: &BatchRow,
) -> Result<Vec<OptionStock>, Problem> {
    Ok(goods_of(conn, campaign, batch)?
        .into_iter()
        .map(|goods| OptionStock {
            paid: goods.paid,
            ordered: goods.stock.ordered,
            good: goods.stock.good,
            damaged: goods.stock.damaged,
            short: goods.stock.short,
            awaited: goods.stock.awaited(),
            allocated: goods.stock.allocated,
            waiting: goods.waiting,
            free: goods.stock.free(),
            on_sale: goods.stock.on_sale,
            sku: goods.sku,
        })
        .collect())
}

fn receipt(row: &ReceiptRow, lines: &[ReceiptLineRow], options: &[OptionRow]) -> Receipt {
    Receipt {
        id: row.id.0,
        number: row.number,
        counted_at: row.counted_at.and_utc(),
        counted_by: row.counted_by.clone(),
        note: row.note.clone(),
        correction: row.correction,
        lines: options
            .iter()
            .flat_map(|option| {
                let its = lines
                    .iter()
                    .filter(|l| l.receipt_id == row.id && l.option_id == option.id);
                its.map(|line| ReceiptLine {
                    sku: option.sku.clone(),
                    good: line.good,
                    damaged: line.damaged,
                })
            })
            .collect(),
    }
}

fn around(conn: &mut Conn, batch: &BatchRow) -> Result<(CampaignRow, Vec<OptionRow>), Problem> {
    let campaign =
        campaigns::by_id(conn, batch.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    let options = campaigns::options_of(conn, campaign.id)?;
    Ok((campaign, options))
}

/// A batch with its goods.
pub(super) fn batch(conn: &mut Conn, row: &BatchRow) -> Result<BatchGoods, Problem> {
    let (campaign, options) = around(conn, row)?;
    let receipts = stock::receipts_of(conn, row.id)?;
    let ids: Vec<_> = receipts.iter().map(|r| r.id).collect();
    let lines = stock::receipt_lines_of(conn, &ids)?;
    Ok(BatchGoods {
        id: row.id.0,
        number: row.number,
        state: row.state,
        stock: stock_view(conn, &campaign, row)?,
        receipts: receipts
            .iter()
            .map(|r| receipt(r, &lines, &options))
            .collect(),
        received_at: row.received_at.map(|at| at.and_utc()),
        completed_at: row.completed_at.map(|at| at.and_utc()),
        campaign: campaign.slug,
    })
}

/// A count with what it led to.
pub(super) fn counted(
    conn: &mut Conn,
    row: &BatchRow,
    received: &Received,
) -> Result<Counted, Problem> {
    let (campaign, options) = around(conn, row)?;
    Ok(Counted {
        receipt: receipt(&received.receipt, &received.lines, &options),
        allocated_units: received.allocated.units,
        allocated_orders: i64::try_from(received.allocated.orders).unwrap_or(i64::MAX),
        stock: stock_view(conn, &campaign, row)?,
    })
}

/// Units declared short.
pub(super) fn short(
    conn: &mut Conn,
    row: &BatchRow,
    declared: Vec<Declared>,
) -> Result<Short, Problem> {
    let (campaign, _) = around(conn, row)?;
    Ok(Short {
        lines: declared
            .into_iter()
            .map(|one| ShortLine {
                sku: one.sku,
                quantity: one.short,
                refunded_units: one.refunded,
            })
            .collect(),
        stock: stock_view(conn, &campaign, row)?,
    })
}

/// Parcels, those of one campaign.
pub(super) fn parcels(conn: &mut Conn, rows: &[ShipmentRow]) -> Result<Vec<Shipment>, Problem> {
    let Some(first) = rows.first() else {
        return Ok(Vec::new());
    };
    let batch = campaigns::batch(conn, first.batch_id)?.ok_or(Problem::NotFound("batch"))?;
    let options = campaigns::options_of(conn, batch.campaign_id)?;
    let ids: Vec<ShipmentId> = rows.iter().map(|r| r.id).collect();
    let lines = shipments::lines_of(conn, &ids)?;
    Ok(rows
        .iter()
        .map(|row| shown(row, &lines, &options))
        .collect())
}

/// One parcel.
pub(super) fn parcel(conn: &mut Conn, row: &ShipmentRow) -> Result<Shipment, Problem> {
    parcels(conn, std::slice::from_ref(row))?
        .pop()
        .ok_or(Problem::NotFound("shipment"))
}

fn shown(row: &ShipmentRow, lines: &[ShipmentLineRow], options: &[OptionRow]) -> Shipment {
    let mut inside: Vec<ShipmentLine> = lines
        .iter()
        .filter(|l| l.shipment_id == row.id)
        .map(|l| ShipmentLine {
            sku: sku_of(options, l.option_id),
            quantity: l.units,
        })
        .collect();
    inside.sort_by(|a, b| a.sku.cmp(&b.sku));
    Shipment {
        id: row.id.0,
        number: row.number,
        order_id: row.order_id.0,
        batch_id: row.batch_id.0,
        state: row.state,
        lines: inside,
        carrier: row.carrier.clone(),
        tracking_number: row.tracking_number.clone(),
        tracking_url: row
            .tracking_number
            .as_deref()
            .and_then(|number| tracking_link(row.carrier.as_deref(), number)),
        picked_at: row.picked_at.and_utc(),
        handed_over_at: row.handed_over_at.map(|at| at.and_utc()),
        delivered_at: row.delivered_at.map(|at| at.and_utc()),
        delivered_by: row.delivered_by,
    }
}
