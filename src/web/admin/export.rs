//! Files for spreadsheets, row by row, whatever their number: campaigns, orders, shipments and waiting lists, as the
//! program's `export` writes them.

use actix_web::http::header;
use actix_web::web::Bytes;
use actix_web::{HttpResponse, web};
use futures_util::stream::try_unfold;
use serde::Deserialize;

use super::guard::{Refusal, Staff};
use super::kit::own_campaign;
use crate::domain::staff::Role;
use crate::workflows::desk::Problem;
use crate::workflows::exchange::{Export, Scope, What, cell};

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/export/{what}.csv", web::get().to(csv));
}

/// Of which campaign.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    campaign: String,
}

/// `GET /admin/export/{what}.csv`
pub async fn csv(
    staff: Staff,
    path: web::Path<String>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, Refusal> {
    let what = match path.as_str() {
        "campaigns" => What::Campaigns,
        "orders" => What::Orders,
        "shipments" => What::Shipments,
        "waiting" => What::Waiting,
        _ => return Err(Refusal::NotFound),
    };
    // Rows of many shoppers at once are for who answers for them, and parcels for who packs them.
    if what != What::Shipments || staff.person.role != Role::Fulfilment {
        staff.manages()?;
    }
    let (merchant, slug) = (staff.merchant.clone(), asked.campaign.clone());
    let campaign = staff.office.read(move |conn| -> Result<_, Problem> {
        if slug.is_empty() {
            return Ok(None);
        }
        Ok(Some(own_campaign(conn, &merchant, &slug)?.id))
    });
    let scope = Scope {
        merchant: Some(staff.merchant.id),
        campaign: campaign.await?,
    };
    let head = record(what.columns().iter().map(|name| (*name).to_owned()))?;
    let office = staff.office.clone();
    // A page of rows is read when the browser has taken the one before.
    let begin = (Some(Export::new(what, scope)), Some(head));
    let rows = try_unfold(begin, move |(export, head)| {
        let office = office.clone();
        async move {
            if let Some(head) = head {
                return Ok(Some((Bytes::from(head), (export, None))));
            }
            let Some(mut export) = export else {
                return Ok(None);
            };
            let read = office.read(move |conn| -> Result<_, Problem> {
                let rows = export.next(conn)?;
                Ok((export, rows))
            });
            let (export, rows) = read.await?;
            let Some(rows) = rows else {
                return Ok(None);
            };
            let mut text = Vec::new();
            for row in rows {
                text.extend(record(row.iter().map(cell))?);
            }
            Ok::<_, Refusal>(Some((Bytes::from(text), (Some(export), None))))
        }
    });
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("attachment; filename=\"{path}.csv\""),
        ))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .streaming(rows))
}

fn record(cells: impl Iterator<Item = String>) -> Result<Vec<u8>, Refusal> {
    let broken = |e: String| Refusal::Problem(Problem::Internal(format!("csv: {e}")));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer
        .write_record(cells)
        .map_err(|e| broken(e.to_string()))?;
    writer.into_inner().map_err(|e| broken(e.to_string()))
}
