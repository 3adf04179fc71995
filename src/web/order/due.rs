//! Paying what a saved card did not, and saving another card: each has a page of the provider's made, and leads there.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{Opened, Query, refused, shell};
use crate::domain::ids::OrderId;
use crate::store::Tx;
use crate::web::pages::see_other;
use crate::web::shop::trouble;
use crate::workflows::collect::{self, Led};
use crate::workflows::desk::{Desk, Problem};
use crate::workflows::office::Office;

/// `POST /o/{id}/pay?t=`
pub(super) async fn pay(
    office: web::Data<Office>,
    request: HttpRequest,
    id: web::Path<String>,
    query: Query,
) -> HttpResponse {
    lead_on(&office, &request, &id, query, collect::pay).await
}

/// `POST /o/{id}/card?t=`
pub(super) async fn card(
    office: web::Data<Office>,
    request: HttpRequest,
    id: web::Path<String>,
    query: Query,
) -> HttpResponse {
    lead_on(&office, &request, &id, query, collect::save_another_card).await
}

/// `GET /o/{id}/card?t=`: a reload or the address bar; back to the order.
pub(super) async fn back(
    office: web::Data<Office>,
    request: HttpRequest,
    id: web::Path<String>,
    query: Query,
) -> HttpResponse {
    match Opened::new(&office, &id, query) {
        Ok(opened) => see_other(&opened.path("")),
        Err(e) => refused(&office, &request, &e),
    }
}

async fn lead_on(
    office: &Office,
    request: &HttpRequest,
    id: &str,
    query: Query,
    deed: fn(&Desk, &mut Tx, OrderId) -> Result<Led, Problem>,
) -> HttpResponse {
    let opened = match Opened::new(office, id, query) {
        Ok(opened) => opened,
        Err(e) => return refused(office, request, &e),
    };
    let id = opened.id;
    let led = office.write(move |desk, tx| deed(desk, tx, id)).await;
    match led.and_then(Led::there) {
        Ok(()) => see_other(&opened.path("/pay")),
        Err(e) => trouble::page(shell(office, request, &opened.path("")), &e),
    }
}
