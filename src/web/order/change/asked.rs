//! A change that the seller asks for: what it comes to, who sells, the terms, and the button that leads to its payment.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::super::Opened;
use super::{said, table};
use crate::domain::country::Country;
use crate::store::changes;
use crate::web::pages::{private, see_other};
use crate::web::shop::{seller, terms};
use crate::web::tongue::say;
use crate::web::view::{ChangeReviewPage, Problems};
use crate::workflows::changes::asked_for;
use crate::workflows::desk::Problem;

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
    let page = ChangeReviewPage {
        shell: opened.shell("/change/asked"),
        form: opened.form(&facts, "/change/asked", Problems::default()),
        title: facts.title().to_owned(),
        headline: format!("{pay} more"),
        lines,
        money: table(&offer),
        fields: vec![("change".to_owned(), change.to_string())],
        agreed_total: offer.wanted.quote.total,
        changed: None,
        seller: seller(facts.seller()),
        terms: terms(facts.seller()),
        button: Some((
            opened.button_words(Country::parse(&offer.order.country)),
            pay,
        )),
        next: "You pay by card on the payment provider's page. Until then your order stays as it is.",
        edits: false,
    };
    private(StatusCode::OK, &page)
}

/// `POST /o/{id}/change/asked?t=`: agreed to; on to the provider's page. What was asked for meanwhile in its place is shown
/// first.
pub(super) async fn agree(opened: Opened, form: web::Form<Vec<(String, String)>>) -> HttpResponse {
    let id = opened.id;
    let found = opened
        .office
        .read(move |conn| Ok::<_, Problem>(changes::under_way(conn, id)?))
        .await;
    let agreed = form.iter().find(|(name, _)| name == "change");
    match found {
        Ok(Some(row)) if agreed.is_some_and(|(_, change)| *change == row.id.to_string()) => {
            see_other(&opened.path("/pay"))
        }
        Ok(_) => see_other(&opened.path("/change/asked")),
        Err(e) => opened.trouble(&e),
    }
}
