//! Paying what a saved card did not, and saving another card: each has a page of the provider's made, and leads there.

use actix_web::HttpResponse;

use super::Opened;
use crate::domain::ids::OrderId;
use crate::store::Tx;
use crate::web::pages::see_other;
use crate::workflows::collect::{self, AskedForPage};
use crate::workflows::desk::{Desk, Problem};

/// `POST /o/{id}/pay?t=`
pub(super) async fn pay(opened: Opened) -> HttpResponse {
    lead_on(&opened, collect::pay).await
}

/// `POST /o/{id}/card?t=`
pub(super) async fn card(opened: Opened) -> HttpResponse {
    lead_on(&opened, collect::save_another_card).await
}

async fn lead_on(
    opened: &Opened,
    deed: fn(&Desk, &mut Tx, OrderId) -> Result<AskedForPage, Problem>,
) -> HttpResponse {
    let id = opened.id;
    let asked = opened
        .office
        .write(move |desk, tx| deed(desk, tx, id))
        .await;
    match asked.and_then(AskedForPage::there) {
        Ok(()) => see_other(&opened.path("/pay")),
        Err(e) => opened.trouble(&e),
    }
}
