//! The signed link of an order: whether it opens, and what every page behind it answers alike.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::error::{ErrorInternalServerError, InternalError};
use actix_web::{Error, FromRequest, HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::page::{self, Facts};
use super::{frame, new_key};
use crate::domain::button::{ENGLISH, Words, button};
use crate::domain::country::Country;
use crate::domain::ids::OrderId;
use crate::web::shop::trouble;
use crate::web::tongue;
use crate::web::view::{OrderForm, Problems, Shell};
use crate::workflows::desk::{Problem, order_number};
use crate::workflows::office::Office;

/// What stands behind the `?` of an order's pages.
#[derive(Default, Deserialize)]
pub(super) struct Asked {
    /// The token.
    #[serde(default)]
    t: String,
    /// `1`: back from the provider's page, paid; `0`: back without.
    #[serde(default)]
    pub(super) paid: String,
    /// `1`: just cancelled.
    #[serde(default)]
    pub(super) cancelled: String,
    /// What was just done: `reported`, `sent`, `withdrawn`, `changed`, `altered`.
    #[serde(default)]
    pub(super) done: String,
    /// `1`: just said that a parcel arrived.
    #[serde(default)]
    pub(super) arrived: String,
}

/// A request below `/o/{id}` that came with the order's own token. A handler that takes one is not called without it: a
/// foreign token, a damaged one and an order there is not get the same page, which says nothing of the order.
pub(super) struct Opened {
    pub(super) office: web::Data<Office>,
    pub(super) request: HttpRequest,
    pub(super) id: OrderId,
    pub(super) asked: Asked,
}

impl FromRequest for Opened {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::by_its_token(request))
    }
}

impl Opened {
    fn by_its_token(request: &HttpRequest) -> Result<Self, Error> {
        let office = request
            .app_data::<web::Data<Office>>()
            .ok_or_else(|| ErrorInternalServerError("the app has no office"))?;
        let asked = web::Query::<Asked>::from_query(request.query_string());
        let asked = asked.map(web::Query::into_inner).unwrap_or_default();
        let id = request.match_info().get("id");
        let id = id.and_then(|id| id.parse::<OrderId>().ok());
        match id.filter(|id| office.desk().links.opens_order(*id, &asked.t)) {
            Some(id) => Ok(Self {
                office: office.clone(),
                request: request.clone(),
                id,
                asked,
            }),
            None => {
                let page = refused(office, request, &Problem::NotFound("order"));
                Err(InternalError::from_response("the link opens no order", page).into())
            }
        }
    }

    /// A page of the order, with its token.
    pub(super) fn path(&self, below: &str) -> String {
        format!("/o/{}{below}?t={}", self.id, self.asked.t)
    }

    /// The frame of a page of the order.
    pub(super) fn shell(&self, below: &str) -> Shell {
        frame(&self.office, &self.request, &self.path(below))
    }

    /// What is kept of the order.
    pub(super) async fn read(&self) -> Result<Facts, Problem> {
        let id = self.id;
        self.office.read(move |conn| page::read(conn, id)).await
    }

    /// What is around a form of the order.
    pub(super) fn form(&self, facts: &Facts, below: &str, problems: Problems) -> OrderForm {
        OrderForm {
            number: order_number(facts.order.number),
            order_href: self.path(""),
            action: self.path(below),
            form_key: new_key(),
            problems,
        }
    }

    /// What the button that binds says to a shopper of that country who reads these languages.
    pub(super) fn button_words(&self, country: Option<Country>) -> Words {
        let spoken = tongue::spoken(self.request.headers());
        country.map_or(ENGLISH, |country| button(country, spoken))
    }

    /// The error page of what was asked for; its way back is the order.
    pub(super) fn trouble(&self, problem: &Problem) -> HttpResponse {
        trouble::page(self.shell(""), problem)
    }

    /// The error page where there is nothing to go back to.
    pub(super) fn refused(&self, problem: &Problem) -> HttpResponse {
        refused(&self.office, &self.request, problem)
    }
}

/// An error page that gives nothing away of the address it stands at.
fn refused(office: &Office, request: &HttpRequest, problem: &Problem) -> HttpResponse {
    trouble::page(frame(office, request, "/"), problem)
}
