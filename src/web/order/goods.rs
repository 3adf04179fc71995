//! The shopper says that a parcel arrived.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::Opened;
use crate::domain::ids::ShipmentId;
use crate::domain::shipment::DeliveredBy;
use crate::store::shipments;
use crate::web::pages::see_other;
use crate::workflows::desk::Problem;
use crate::workflows::ship;

/// Which parcel it is.
#[derive(Deserialize)]
pub(super) struct Arrived {
    #[serde(default)]
    parcel: String,
}

/// `POST /o/{id}/arrived?t=`
pub(super) async fn arrived(opened: Opened, form: web::Form<Arrived>) -> HttpResponse {
    let (order, parcel) = (opened.id, form.parcel.parse::<ShipmentId>());
    let done = opened
        .office
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
    match done {
        Ok(()) => see_other(&format!("{}&arrived=1", opened.path(""))),
        Err(e) => opened.trouble(&e),
    }
}
