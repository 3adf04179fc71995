//! Batches: what was ordered, what arrived, whom it was given to, and its parcels.

mod counting;
mod dates;
mod deeds;
mod list;
mod page;
mod parcel;
mod parcels_file;
mod pick;
mod slips;
mod tracking;

use actix_web::web;

use super::guard::{Refusal, Staff};
use super::kit::id;
use crate::domain::ids::BatchId;
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::merchants::MerchantRow;
use crate::store::{Conn, campaigns};
use crate::workflows::desk::Problem;

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/batches", web::get().to(list::list))
        .route("/batches/{id}", web::get().to(page::page))
        .route("/batches/{id}/receipts", web::get().to(counting::form))
        .route("/batches/{id}/receipts", web::post().to(counting::keep))
        .route(
            "/batches/{id}/correction",
            web::get().to(counting::correction),
        )
        .route(
            "/batches/{id}/correction",
            web::post().to(counting::correct),
        )
        .route("/batches/{id}/short", web::get().to(deeds::short))
        .route("/batches/{id}/short", web::post().to(deeds::do_short))
        .route("/batches/{id}/first", web::get().to(deeds::first))
        .route("/batches/{id}/first", web::post().to(deeds::do_first))
        .route("/batches/{id}/sale", web::get().to(deeds::sale))
        .route("/batches/{id}/sale", web::post().to(deeds::do_sale))
        .route("/batches/{id}/pick", web::get().to(pick::list))
        .route("/batches/{id}/pick", web::post().to(pick::pack))
        .route("/batches/{id}/slips", web::get().to(slips::of_batch))
        .route(
            "/batches/{id}/parcels.csv",
            web::get().to(parcels_file::export),
        )
        .route("/batches/{id}/tracking", web::get().to(tracking::form))
        .route("/batches/{id}/tracking", web::post().to(tracking::look))
        .route(
            "/batches/{id}/tracking/keep",
            web::post().to(tracking::keep),
        )
        .route("/shipments/{id}", web::get().to(parcel::page))
        .route(
            "/shipments/{id}/handover",
            web::post().to(parcel::hand_over),
        )
        .route(
            "/shipments/{id}/delivered",
            web::post().to(parcel::delivered),
        )
        .route("/shipments/{id}/slip", web::get().to(slips::of_parcel))
        .configure(dates::configure);
}

/// The merchant's own batch, with its campaign.
fn load(
    conn: &mut Conn,
    merchant: &MerchantRow,
    id: BatchId,
) -> Result<(CampaignRow, BatchRow), Problem> {
    let batch = campaigns::batch(conn, id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = campaigns::by_id(conn, batch.campaign_id)?
        .filter(|c| c.merchant_id == merchant.id)
        .ok_or(Problem::NotFound("batch"))?;
    Ok((campaign, batch))
}

async fn one(staff: &Staff, path: &str) -> Result<(CampaignRow, BatchRow), Refusal> {
    let (merchant, id) = (staff.merchant.clone(), id(path)?);
    Ok(staff
        .office
        .read(move |conn| load(conn, &merchant, id))
        .await?)
}

fn title(campaign: &CampaignRow, batch: &BatchRow) -> String {
    format!("{}, batch {}", campaign.title, batch.number)
}

fn href(batch: &BatchRow) -> String {
    format!("/admin/batches/{}", batch.id)
}
