//! Goods: deliveries counted, units given up, parcels sent and arrived. Only the merchant sees them.

use actix_web::web::Path;

use super::answer::{Answer, Response, change};
use super::ask::Ask;
use super::campaigns::{own, slug};
use super::document::Refusals;
use super::fields::Errors;
use super::goods_bodies::{
    self as bodies, DeliveredBody, HandoverBody, ReceiptBody, ShipmentBody, ShortBody,
};
use super::goods_views::{self as views, BatchGoods, Counted, Shipment, Short};
use super::paging::{List, PageAsked};
use crate::domain::ids::{BatchId, MerchantId, ShipmentId};
use crate::domain::shipment::DeliveredBy;
use crate::store::campaigns::BatchRow;
use crate::store::{Conn, campaigns, shipments};
use crate::workflows::desk::Problem;
use crate::workflows::{receive, ship, short as shorts};

/// The batch that an address names.
pub(super) fn batch_id(path: &str) -> Result<BatchId, Problem> {
    path.parse().map_err(|_| Problem::NotFound("batch"))
}

fn shipment_id(path: &str) -> Result<ShipmentId, Problem> {
    path.parse().map_err(|_| Problem::NotFound("shipment"))
}

/// The merchant's batch; another's is told nothing.
pub(super) fn own_batch(
    conn: &mut Conn,
    merchant: MerchantId,
    id: BatchId,
) -> Result<BatchRow, Problem> {
    let batch = campaigns::batch(conn, id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = campaigns::by_id(conn, batch.campaign_id)?;
    if campaign.is_some_and(|c| c.merchant_id == merchant) {
        Ok(batch)
    } else {
        Err(Problem::NotFound("batch"))
    }
}

/// A batch with where its units are: ordered, arrived, given to orders, left over.
#[utoipa::path(get, path = "/batches/{id}", operation_id = "getBatch", tag = "Goods",
    params(("id" = String, Path, description = "The batch.")),
    security(("key" = [])),
    responses((status = 200, description = "The batch.", body = BatchGoods), Refusals))]
pub(super) async fn batch(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let id = batch_id(&path)?;
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let row = own_batch(conn, merchant, id)?;
            Answer::ok(&views::batch(conn, &row)?)
        })
        .await?;
    Ok(answer.respond())
}

/// Counts a delivery. Good units go to the lines that wait at once, oldest payment first. More than was ordered is refused
/// (`over-ordered`) unless `confirm` says that it is right.
#[utoipa::path(post, path = "/batches/{id}/receipts", operation_id = "countDelivery", tag = "Goods",
    params(("id" = String, Path, description = "The batch."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = ReceiptBody, security(("key" = [])),
    responses((status = 201, description = "The receipt.", body = Counted), Refusals))]
pub(super) async fn receipts(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let id = batch_id(&path)?;
    let body = ask.json()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |_, tx| {
        receive::can_receive(tx, merchant, id)?;
        let mut e = Errors::default();
        let count = bodies::count(&body, &mut e).filter(|_| e.is_empty());
        let Some(count) = count else {
            return Err(Problem::Invalid(e.all()));
        };
        let received = receive::receive(tx, merchant, id, &count)?;
        let row = own_batch(tx.conn, merchant, id)?;
        let body = views::counted(tx.conn, &row, &received)?;
        Answer::created(format!("/api/v1/batches/{id}"), &body)
    })
    .await
}

/// Declares units short for good: lines that get nothing are refunded, newest payment first.
#[utoipa::path(post, path = "/batches/{id}/short", operation_id = "declareShort", tag = "Goods",
    params(("id" = String, Path, description = "The batch."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = ShortBody, security(("key" = [])),
    responses((status = 200, description = "What it means.", body = Short), Refusals))]
pub(super) async fn short(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let id = batch_id(&path)?;
    let body = ask.json()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |_, tx| {
        shorts::can_declare(tx, merchant, id)?;
        let mut e = Errors::default();
        let lines = bodies::short(&body, &mut e).filter(|_| e.is_empty());
        let Some(lines) = lines else {
            return Err(Problem::Invalid(e.all()));
        };
        let declared = shorts::declare(tx, merchant, id, &lines, "API")?;
        let row = own_batch(tx.conn, merchant, id)?;
        Answer::ok(&views::short(tx.conn, &row, declared)?)
    })
    .await
}

/// Records a parcel of units that are allocated to an order, handed over now, then, or not yet.
#[utoipa::path(post, path = "/shipments", operation_id = "createShipment", tag = "Goods",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = ShipmentBody, security(("key" = [])),
    responses((status = 201, description = "The parcel.", body = Shipment), Refusals))]
pub(super) async fn create(ask: Ask) -> Response {
    let merchant = ask.merchant().await?;
    let body = ask.json()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |desk, tx| {
        if let Some(order) = bodies::order_of(&body) {
            ship::can_record(tx, merchant, order)?;
        }
        let mut e = Errors::default();
        let parcel = bodies::parcel(&body, &mut e).filter(|_| e.is_empty());
        let Some(parcel) = parcel else {
            return Err(Problem::Invalid(e.all()));
        };
        let row = ship::record(desk, tx, merchant, &parcel)?;
        let body = views::parcel(tx.conn, &row)?;
        Ok(Answer {
            location: None,
            ..Answer::created(String::new(), &body)?
        })
    })
    .await
}

/// Records that the carrier took a parcel. One in which something was cancelled before is refused (`stopped`).
#[utoipa::path(post, path = "/shipments/{id}/handover", operation_id = "handOverShipment", tag = "Goods",
    params(("id" = String, Path, description = "The parcel."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = Option<HandoverBody>, security(("key" = [])),
    responses((status = 200, description = "The parcel.", body = Shipment), Refusals))]
pub(super) async fn handover(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let id = shipment_id(&path)?;
    let body = ask.json_or_nothing()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |desk, tx| {
        let mut e = Errors::default();
        let handed = bodies::handover(&body, &mut e).filter(|_| e.is_empty());
        let Some(handed) = handed else {
            return Err(Problem::Invalid(e.all()));
        };
        let row = ship::hand_over(desk, tx, merchant, id, &handed)?;
        Answer::ok(&views::parcel(tx.conn, &row)?)
    })
    .await
}

/// Records that a parcel arrived.
#[utoipa::path(post, path = "/shipments/{id}/delivered", operation_id = "deliverShipment", tag = "Goods",
    params(("id" = String, Path, description = "The parcel."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = Option<DeliveredBody>, security(("key" = [])),
    responses((status = 200, description = "The parcel.", body = Shipment), Refusals))]
pub(super) async fn delivered(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let id = shipment_id(&path)?;
    let body = ask.json_or_nothing()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |_, tx| {
        let mut e = Errors::default();
        let at = bodies::delivered(&body, &mut e);
        if !e.is_empty() {
            return Err(Problem::Invalid(e.all()));
        }
        let row = ship::arrived(tx, merchant, id, at, DeliveredBy::Staff, "API")?;
        Answer::ok(&views::parcel(tx.conn, &row)?)
    })
    .await
}

/// A campaign's parcels, first to last.
#[utoipa::path(get, path = "/campaigns/{slug}/shipments", operation_id = "listShipments", tag = "Goods",
    params(("slug" = String, Path, description = "The campaign's name in addresses."),
        ("limit" = Option<i64>, Query, description = "Entries of a page, 1 to 100; 20 where it is left out."),
        ("cursor" = Option<String>, Query, description = "The next_cursor of the page before.")),
    security(("key" = [])),
    responses((status = 200, description = "A page of the list.", body = List<Shipment>), Refusals))]
pub(super) async fn list(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let slug = slug(&path)?;
    let page = PageAsked::of(&ask)?;
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let campaign = own(conn, merchant, &slug)?;
            let after = page.after.map(ShipmentId);
            let mut rows = shipments::of_campaign(conn, campaign.id, after, page.rows())?;
            let next_cursor = page.cut(&mut rows, |row| row.id.0);
            let data = views::parcels(conn, &rows)?;
            Answer::ok(&List { data, next_cursor })
        })
        .await?;
    Ok(answer.respond())
}
