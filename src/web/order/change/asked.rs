//! A change that the seller asks for: what it comes to, who sells, the terms, and the button that leads to its payment.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::super::Opened;
use super::review::{drawn, said};
use crate::domain::country::Country;
use crate::domain::ids::ChangeId;
use crate::web::guard::Client;
use crate::web::pages::{private, see_other};
use crate::web::tongue::say;
use crate::web::view::ChangeReviewPage;
use crate::workflows::changes::{agree as agrees, asked_for};

/// `GET /o/{id}/change/asked?t=`
pub(super) async fn look(opened: Opened) -> HttpResponse {
    let facts = match opened.read().await {
        Ok(facts) => facts,
        Err(e) => return opened.trouble(&e),
    };
    let order = facts.order.clone();
    let found = opened
        .office
        .read(move |conn| asked_for(conn, &order))
        .await;
    let open = |attempt| {
        let mut pages = facts.payments.iter();
        pages.any(|page| Some(page.attempt) == attempt && !page.close_wanted)
    };
    let (change, offer) = match found {
        Ok(Some((row, offer))) if row.asked_by.is_some() && open(row.attempt) => (row.id, offer),
        Ok(_) => return see_other(&opened.path("")),
        Err(e) => return opened.trouble(&e),
    };
    let pay = say(offer.moved.pay, &offer.order.currency);
    let mut lines = vec![format!(
        "{} asks for this change. If you do not want it, your order stays as it is and nothing is charged.",
        facts.seller().name
    )];
    lines.extend(said(&offer));
    let country = Country::parse(offer.country());
    let page = ChangeReviewPage {
        headline: format!("{pay} more"),
        lines,
        fields: vec![("change".to_owned(), change.to_string())],
        button: Some((opened.button_words(country), pay)),
        next: "You pay by card on the payment provider's page. Until then your order stays as it is.",
        take_back: Some(opened.path("/change/back")),
        ..drawn(&opened, &facts, &offer, "/change/asked")
    };
    private(StatusCode::OK, &page)
}

/// `POST /o/{id}/change/asked?t=`: agreed to, which is kept; on to the provider's page. What was asked for meanwhile in its
/// place is shown first.
pub(super) async fn agree(
    opened: Opened,
    client: Client,
    form: web::Form<Vec<(String, String)>>,
) -> HttpResponse {
    let agreed = form.iter().find(|(name, _)| name == "change");
    let Some(change) = agreed.and_then(|(_, id)| id.parse::<ChangeId>().ok()) else {
        return see_other(&opened.path("/change/asked"));
    };
    let (id, from) = (opened.id, client.to_string());
    let done = opened
        .office
        .write(move |_, tx| agrees(tx, id, change, &from))
        .await;
    match done {
        Ok(true) => see_other(&opened.path("/pay")),
        Ok(false) => see_other(&opened.path("/change/asked")),
        Err(e) => opened.trouble(&e),
    }
}
