//! Changing where an order goes and in how many parcels, until it is packed.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::Opened;
use crate::domain::country::Country;
use crate::domain::order::Delivery;
use crate::web::order::page::Facts;
use crate::web::pages::{private, see_other};
use crate::web::view::{EditPage, Field, Problems};
use crate::workflows::change::{Change, Typed, change};
use crate::workflows::claims::Who;
use crate::workflows::desk::Problem;

/// Puts the routes in.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/o/{id}/edit")
            .route(web::get().to(ask))
            .route(web::post().to(save)),
    );
}

/// The fields of name and address, filled in.
pub fn address_fields(typed: &Typed, problems: &Problems) -> Vec<Field> {
    let text = |name: &str, label: &str, value: &str, token| {
        Field::text(name, label)
            .value(value)
            .autocomplete(token)
            .max_length(200)
            .problems(problems)
    };
    vec![
        text("name", "Name", &typed.name, "name"),
        text("line1", "Street and number", &typed.line1, "address-line1"),
        text(
            "line2",
            "Flat, company, floor",
            &typed.line2,
            "address-line2",
        )
        .optional(),
        text(
            "postal_code",
            "Postal code",
            &typed.postal_code,
            "postal-code",
        )
        .optional(),
        text("city", "Town", &typed.city, "address-level2"),
        text("region", "Region", &typed.region, "address-level1").optional(),
    ]
}

/// What a form sent as an address.
pub fn typed_of(get: impl Fn(&str) -> String) -> Typed {
    Typed {
        name: get("name"),
        line1: get("line1"),
        line2: get("line2"),
        city: get("city"),
        region: get("region"),
        postal_code: get("postal_code"),
        country: get("country"),
    }
}

fn page(
    opened: &Opened,
    (facts, typed, delivery, problems): (&Facts, &Typed, Delivery, Problems),
) -> HttpResponse {
    let country = Country::parse(&facts.order.country);
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = EditPage {
        address: address_fields(typed, &problems),
        country: country.map_or("", Country::name).to_owned(),
        as_available: delivery == Delivery::AsAvailable,
        shell: opened.shell("/edit"),
        form: opened.form(facts, "/edit", problems),
    };
    private(status, &page)
}

/// `GET /o/{id}/edit?t=`
async fn ask(opened: Opened) -> HttpResponse {
    let facts = match opened.read().await {
        Ok(facts) => facts,
        Err(e) => return opened.refused(&e),
    };
    if let Some(why) = facts.why_locked(opened.office.now()) {
        let why = Problem::conflict("order-packed", why);
        return opened.trouble(&why);
    }
    match Typed::of(&facts.order) {
        Ok(typed) => {
            let now = (&facts, &typed, facts.order.delivery, Problems::default());
            page(&opened, now)
        }
        Err(e) => opened.refused(&e),
    }
}

/// `POST /o/{id}/edit?t=`
async fn save(opened: Opened, form: web::Form<Vec<(String, String)>>) -> HttpResponse {
    let pairs = form.into_inner();
    let get = |wanted: &str| {
        let found = pairs.iter().find(|(name, _)| name == wanted);
        found.map_or_else(String::new, |(_, value)| value.clone())
    };
    let typed = typed_of(get);
    let delivery = get("delivery").parse::<Delivery>().ok();
    let wish = Change {
        address: Some(typed.clone()),
        delivery,
    };
    let order = opened.id;
    let done = opened
        .office
        .write(move |desk, tx| change(desk, tx, (None, order), &wish, &Who::Shopper))
        .await;
    match done {
        Ok(_) => see_other(&format!("{}&done=changed", opened.path(""))),
        Err(Problem::Invalid(errors)) => match opened.read().await {
            Ok(facts) => {
                let mut problems = Problems::default();
                for e in errors {
                    problems.add(e.field, e.message);
                }
                let delivery = delivery.unwrap_or(facts.order.delivery);
                page(&opened, (&facts, &typed, delivery, problems))
            }
            Err(e) => opened.refused(&e),
        },
        Err(e) => opened.trouble(&e),
    }
}
