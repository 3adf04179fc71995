//! The parcels of a batch as a file.

use actix_web::{HttpResponse, web};

use super::load;
use super::parcel::{Known, load_parcel, name_of};
use crate::domain::draft::CampaignDraft;
use crate::domain::shipment::ShipmentState;
use crate::store::shipments;
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::id;
use crate::web::admin::sheet::{as_text, csv_answer};
use crate::workflows::desk::{Problem, offer, order_number};
use crate::workflows::join::Address;
use crate::workflows::ship::parcel_number;

const HEAD: [&str; 16] = [
    "parcel",
    "order",
    "name",
    "line1",
    "line2",
    "city",
    "region",
    "postal_code",
    "country",
    "email",
    "contents",
    "state",
    "carrier",
    "tracking",
    "handed_over_at",
    "delivered_at",
];

/// `GET /admin/batches/{id}/parcels.csv`: every parcel that is packed or on its way. Filled in, it can be imported.
pub async fn export(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.ships()?;
    let (merchant, id) = (staff.merchant.clone(), id(&path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let (campaign, batch) = load(conn, &merchant, id)?;
        let terms = offer(&campaign)?;
        let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
        for state in [ShipmentState::Picked, ShipmentState::HandedOver] {
            for parcel in shipments::in_state(conn, batch.id, state, 100_000)? {
                let known = load_parcel(conn, merchant.id, parcel.id)?;
                rows.push(csv_row(&known, &terms)?);
            }
        }
        Ok((rows, campaign.slug, batch.number))
    });
    let (rows, slug, number) = found.await?;
    csv_answer(&format!("{slug}-{number}-parcels"), rows)
}

fn csv_row(known: &Known, terms: &CampaignDraft) -> Result<Vec<String>, Problem> {
    let Known {
        parcel,
        inside,
        order,
        lines,
        ..
    } = known;
    let address: Address = serde_json::from_str(&order.address)?;
    let contents: Vec<String> = inside
        .iter()
        .map(|held| {
            let line = lines.iter().find(|l| l.option_id == held.option_id);
            let sku = line.map_or("", |l| l.sku.as_str());
            format!("{} x {} ({sku})", held.units, name_of(terms, sku))
        })
        .collect();
    let text = |value: &Option<String>| value.as_deref().map_or_else(String::new, as_text);
    let at = |at: Option<chrono::NaiveDateTime>| {
        at.map_or_else(String::new, |at| at.and_utc().to_rfc3339())
    };
    Ok(vec![
        parcel_number(parcel.number),
        order_number(order.number),
        as_text(&order.name),
        as_text(&address.line1),
        text(&address.line2),
        as_text(&address.city),
        text(&address.region),
        text(&address.postal_code),
        address.country.code().to_owned(),
        as_text(&order.email),
        as_text(&contents.join("; ")),
        parcel.state.to_string(),
        text(&parcel.carrier),
        text(&parcel.tracking_number),
        at(parcel.handed_over_at),
        at(parcel.delivered_at),
    ])
}
