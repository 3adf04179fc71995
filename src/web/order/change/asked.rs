//! A change that the seller asks for: what it comes to, who sells, the terms, and the button that leads to its payment.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};

use super::super::{Opened, Query, form_of, read, refused, shell};
use super::{Desk, said, table};
use crate::web::pages::{private, see_other};
use crate::web::shop::{seller, terms};
use crate::web::view::{ChangeReviewPage, Problems};
use crate::workflows::changes::asked_for;
use crate::workflows::money::say;
use crate::workflows::office::Office;

/// `GET /o/{id}/change/asked?t=`
pub(super) async fn look(
    office: web::Data<Office>,
    request: HttpRequest,
    id: web::Path<String>,
    query: Query,
) -> HttpResponse {
    let opened = match Opened::new(&office, &id, query) {
        Ok(opened) => opened,
        Err(e) => return refused(&office, &request, &e),
    };
    let desk = Desk {
        office: &office,
        request: &request,
        opened,
    };
    desk.asked().await
}

/// `POST /o/{id}/change/asked?t=`: agreed to; on to the provider's page.
pub(super) async fn agree(
    office: web::Data<Office>,
    request: HttpRequest,
    id: web::Path<String>,
    query: Query,
) -> HttpResponse {
    match Opened::new(&office, &id, query) {
        Ok(opened) => see_other(&opened.path("/pay")),
        Err(e) => refused(&office, &request, &e),
    }
}

impl Desk<'_> {
    async fn asked(&self) -> HttpResponse {
        let facts = match read(self.office, self.opened.id).await {
            Ok(facts) => facts,
            Err(e) => return self.trouble(&e),
        };
        let order = facts.order.clone();
        let found = self.office.read(move |conn| asked_for(conn, &order)).await;
        let open = |attempt| {
            let mut pages = facts.payments.iter();
            pages.any(|page| Some(page.attempt) == attempt && !page.close_wanted)
        };
        let offer = match found {
            Ok(Some((row, offer))) if row.asked_by.is_some() && open(row.attempt) => offer,
            Ok(_) => return see_other(&self.opened.path("")),
            Err(e) => return self.trouble(&e),
        };
        let pay = say(offer.moved.pay, &offer.order.currency);
        let mut lines = vec![format!(
            "{} asks for this change. If you do not want it, your order stays as it is and nothing is charged.",
            facts.seller().name
        )];
        lines.extend(said(&offer));
        let page = ChangeReviewPage {
            shell: shell(
                self.office,
                self.request,
                &self.opened.path("/change/asked"),
            ),
            form: form_of(&facts, &self.opened, "/change/asked", Problems::default()),
            title: facts.title().to_owned(),
            headline: format!("{pay} more"),
            lines,
            money: table(&offer),
            fields: Vec::new(),
            agreed_total: offer.wanted.quote.total,
            changed: None,
            seller: seller(facts.seller()),
            terms: terms(facts.seller()),
            button: Some((self.words(&offer.order.country), pay)),
            next: "You pay by card on the payment provider's page. Until then your order stays as it is.",
            edits: false,
        };
        private(StatusCode::OK, &page)
    }
}
