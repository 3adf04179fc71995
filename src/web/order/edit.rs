//! Changing where an order goes and in how many parcels, until it is packed. Another country where shipping or tax come out
//! differently is a change of the order, which is agreed to with its new total ([`super::change`]).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::Opened;
use super::change::{Sent, priced};
use crate::domain::order::Delivery;
use crate::store::orders::OrderRow;
use crate::web::guard::Client;
use crate::web::order::page::Facts;
use crate::web::pages::{private, see_other};
use crate::web::view::{Choice, EditPage, Field, Problems};
use crate::workflows::change::{Change, Typed, change, countries_of};
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
pub fn address_fields(typed: &Typed, countries: Vec<Choice>, problems: &Problems) -> Vec<Field> {
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
        Field::select("country", "Country", countries)
            .value(&typed.country)
            .autocomplete("country")
            .problems(problems),
    ]
}

/// The countries that an order may be sent to.
///
/// # Errors
/// When the order's row is damaged.
pub fn country_choices(order: &OrderRow) -> Result<Vec<Choice>, Problem> {
    let countries = countries_of(order)?.into_iter();
    let choices = countries.map(|country| Choice::new(country.code(), country.name()));
    Ok(choices.collect())
}

/// An address as its fields are called in a form.
pub fn pairs_of(typed: &Typed) -> [(&'static str, &str); 7] {
    [
        ("name", &typed.name),
        ("line1", &typed.line1),
        ("line2", &typed.line2),
        ("postal_code", &typed.postal_code),
        ("city", &typed.city),
        ("region", &typed.region),
        ("country", &typed.country),
    ]
}

/// An address as one value: a form carries what it showed, so that one that was left as it was is no wish for it, should it be
/// another by then.
pub fn shown_of(typed: &Typed) -> String {
    pairs_of(typed).map(|(_, value)| value).join("|")
}

/// Whether a field is one of an address.
pub fn is_of_address(field: &str) -> bool {
    let nothing = Typed::default();
    pairs_of(&nothing).iter().any(|(name, _)| *name == field)
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

/// The form, as it was typed.
pub(super) async fn show(
    opened: &Opened,
    sent: &Sent,
    mut problems: Problems,
    status: StatusCode,
) -> HttpResponse {
    let facts = match opened.read().await {
        Ok(facts) => facts,
        Err(e) => return opened.refused(&e),
    };
    let now = opened.office.now();
    if let Some(why) = facts.why_locked(now) {
        return opened.trouble(&Problem::conflict("order-packed", why));
    }
    match page(opened, (&facts, sent), &mut problems) {
        Ok(page) => private(status, &page),
        Err(e) => opened.refused(&e),
    }
}

fn page(
    opened: &Opened,
    (facts, sent): (&Facts, &Sent),
    problems: &mut Problems,
) -> Result<EditPage, Problem> {
    let is = Typed::of(&facts.order)?;
    let typed = sent.address.as_ref().unwrap_or(&is);
    let delivery = sent.delivery.unwrap_or(facts.order.delivery);
    Ok(EditPage {
        address: address_fields(typed, country_choices(&facts.order)?, problems),
        priced: facts.may_change(opened.office.now()),
        as_available: delivery == Delivery::AsAvailable,
        shell: opened.shell("/edit"),
        form: opened.form(facts, "/edit", std::mem::take(problems)),
    })
}

/// `GET /o/{id}/edit?t=`
async fn ask(opened: Opened) -> HttpResponse {
    show(
        &opened,
        &Sent::default(),
        Problems::default(),
        StatusCode::OK,
    )
    .await
}

/// `POST /o/{id}/edit?t=`: a correction is kept at once; what costs something else is shown with its new total first.
async fn save(
    opened: Opened,
    client: Client,
    form: web::Form<Vec<(String, String)>>,
) -> HttpResponse {
    let sent = Sent::of_address(&form);
    let done = match priced(&opened, &sent, client).await {
        Ok(Some(review)) => return review,
        Ok(None) => correct(&opened, &sent).await,
        Err(e) => Err(e),
    };
    match done {
        Ok(()) => see_other(&format!("{}&done=changed", opened.path(""))),
        Err(Problem::Invalid(errors)) => {
            let mut problems = Problems::default();
            for e in errors {
                problems.add(e.field, e.message);
            }
            show(&opened, &sent, problems, StatusCode::UNPROCESSABLE_ENTITY).await
        }
        Err(e) => opened.trouble(&e),
    }
}

async fn correct(opened: &Opened, sent: &Sent) -> Result<(), Problem> {
    let wish = Change {
        address: sent.address.clone(),
        delivery: sent.delivery,
    };
    let order = opened.id;
    let done = opened
        .office
        .write(move |desk, tx| change(desk, tx, (None, order), &wish, &Who::Shopper));
    done.await.map(drop)
}
