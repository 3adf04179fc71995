//! The shopper says that a parcel arrived.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{Opened, Query, refused, shell};
use crate::domain::ids::ShipmentId;
use crate::domain::shipment::DeliveredBy;
use crate::store::shipments;
use crate::web::pages::see_other;
use crate::web::shop::trouble;
use crate::workflows::desk::Problem;
use crate::workflows::office::Office;
use crate::workflows::ship;

/// Which parcel it is.
#[derive(Deserialize)]
pub(super) struct Arrived {
    #[serde(default)]
    parcel: String,
}

/// `POST /o/{id}/arrived?t=`
pub(super) async fn arrived(
    office: web::Data<Office>,
    request: HttpRequest,
    id: web::Path<String>,
    query: Query,
    form: web::Form<Arrived>,
) -> HttpResponse {
    let opened = match Opened::new(&office, &id, query) {
        Ok(opened) => opened,
        Err(e) => return refused(&office, &request, &e),
    };
    let (order, parcel) = (opened.id, form.parcel.parse::<ShipmentId>());
    let done = office
        .write(move |_, tx| {
            let Ok(parcel) = parcel else {
                return Err(Problem::NotFound("parcel"));
            };
            let row = shipments::by_id(tx.conn, parcel)?
                .filter(|p| p.order_id == order)
                .ok_or(Problem::NotFound("parcel"))?;
            ship::arrived(
                tx,
                row.merchant_id,
                parcel,
                None,
                DeliveredBy::Shopper,
                "shopper",
            )?;
            Ok(())
        })
        .await;
    let back = opened.path("");
    match done {
        Ok(()) => see_other(&format!("{back}&arrived=1")),
        Err(e) => trouble::page(shell(&office, &request, &back), &e),
    }
}
