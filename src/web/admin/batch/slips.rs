//! Packing slips for paper: number and name at the top left, the address where a window envelope shows it, lines with
//! boxes to tick, no prices.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::parcel::{Known, load_parcel, name_of};
use super::{href, one};
use crate::domain::shipment::ShipmentState;
use crate::store::shipments;
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::{id, moment, zone_of};
use crate::web::pages;
use crate::web::shop::address_lines;
use crate::workflows::desk::{Problem, offer, order_number};
use crate::workflows::join::Address;
use crate::workflows::ship::parcel_number;

/// Most slips on one page: a browser has to print it.
const MOST: i64 = 500;

/// One parcel's slip.
struct Slip {
    order: String,
    parcel: String,
    name: String,
    address: Vec<String>,
    lines: Vec<(i64, String, String)>,
    packed: String,
    rest: i64,
}

/// `/admin/batches/{id}/slips`
#[derive(Template)]
#[template(path = "admin/slips.html")]
struct SlipsPage {
    title: String,
    back: String,
    seller: Vec<String>,
    slips: Vec<Slip>,
}

impl Known {
    fn slip(&self) -> Result<Slip, Problem> {
        let address: Address = serde_json::from_str(&self.order.address)?;
        let terms = offer(&self.campaign)?;
        let mut lines: Vec<(i64, String, String)> = self
            .inside
            .iter()
            .map(|held| {
                let line = self.lines.iter().find(|l| l.option_id == held.option_id);
                let sku = line.map_or("", |l| l.sku.as_str());
                (held.units, name_of(&terms, sku), sku.to_owned())
            })
            .collect();
        lines.sort_by(|a, b| a.2.cmp(&b.2));
        let rest = self
            .lines
            .iter()
            .map(|l| (l.units().unshipped() - l.picked).max(0))
            .sum();
        Ok(Slip {
            order: order_number(self.order.number),
            parcel: parcel_number(self.parcel.number),
            name: self.order.name.clone(),
            address: address_lines(&address),
            lines,
            packed: moment(self.parcel.picked_at, zone_of(&self.campaign)).day(),
            rest,
        })
    }
}

fn page(staff: &Staff, title: String, back: String, slips: Vec<Slip>) -> HttpResponse {
    let mut seller = vec![staff.merchant.name.clone()];
    seller.extend(staff.merchant.address.lines().map(str::to_owned));
    let page = SlipsPage {
        title,
        back,
        seller,
        slips,
    };
    pages::private(StatusCode::OK, &page)
}

/// `GET /admin/batches/{id}/slips`: those of all packed parcels that wait for the carrier.
pub async fn of_batch(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.ships()?;
    let (_, batch) = one(&staff, &path).await?;
    let (merchant, id) = (staff.merchant.id, batch.id);
    let slips = staff.office.read(move |conn| -> Result<_, Problem> {
        shipments::in_state(conn, id, ShipmentState::Picked, MOST)?
            .into_iter()
            .map(|parcel| load_parcel(conn, merchant, parcel.id)?.slip())
            .collect::<Result<Vec<_>, Problem>>()
    });
    let slips = slips.await?;
    Ok(page(
        &staff,
        "Packing slips".to_owned(),
        href(&batch),
        slips,
    ))
}

/// `GET /admin/shipments/{id}/slip`
pub async fn of_parcel(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.ships()?;
    let (merchant, id) = (staff.merchant.id, id(&path)?);
    let known = staff
        .office
        .read(move |conn| load_parcel(conn, merchant, id))
        .await?;
    let slip = known.slip()?;
    let title = format!("Packing slip {}", slip.parcel);
    Ok(page(
        &staff,
        title,
        format!("/admin/shipments/{id}"),
        vec![slip],
    ))
}
