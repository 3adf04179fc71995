//! The form of a change: how many of each, where it goes, and in how many parcels.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::super::Opened;
use super::super::edit::{address_fields, country_choices, is_of_address, shown_of};
use super::super::page::Facts;
use super::Sent;
use crate::domain::draft::FieldError;
use crate::domain::order::Delivery;
use crate::web::pages::private;
use crate::web::tongue::say;
use crate::web::view::{ChangePage, Field, ParcelFields, Problems, grouped};
use crate::workflows::change::Typed;
use crate::workflows::changes::{Choice, choices};
use crate::workflows::desk::Problem;

/// The form, as it was typed or as the order is.
pub(super) async fn show(
    opened: &Opened,
    sent: &Sent,
    problems: Problems,
    status: StatusCode,
) -> HttpResponse {
    let (id, now) = (opened.id, opened.office.now());
    let choices = match opened.office.read(move |conn| choices(conn, id, now)).await {
        Ok(choices) => choices,
        Err(e) => return opened.trouble(&e),
    };
    let facts = match opened.read().await {
        Ok(facts) => facts,
        Err(e) => return opened.trouble(&e),
    };
    let parcels = match facts.why_locked(now) {
        Some(_) => None,
        None => match parcels(sent, &facts, &problems) {
            Ok(parcels) => Some(parcels),
            Err(e) => return opened.trouble(&e),
        },
    };
    let units = choices.iter().map(|choice| {
        let typed = sent.units.iter().find(|(sku, _)| *sku == choice.sku);
        let typed = typed.map(|(_, typed)| typed.clone());
        field(choice, typed, &facts.order.currency, &problems)
    });
    let page = ChangePage {
        units: units.collect(),
        units_error: problems.of("lines").map(str::to_owned),
        parcels,
        title: facts.title().to_owned(),
        cancel_href: opened.path("/cancel"),
        shell: opened.shell("/change"),
        form: opened.form(&facts, "/change", problems),
    };
    private(status, &page)
}

/// Where it goes and how, as it was typed or as it is.
fn parcels(sent: &Sent, facts: &Facts, problems: &Problems) -> Result<ParcelFields, Problem> {
    let is = Typed::of(&facts.order)?;
    let typed = sent.address.as_ref().unwrap_or(&is);
    let delivery = sent.delivery.unwrap_or(facts.order.delivery);
    let wrong = problems.errors.iter().any(|e| is_of_address(&e.field));
    Ok(ParcelFields {
        address: address_fields(typed, country_choices(&facts.order)?, problems),
        was: shown_of(&is),
        as_available: delivery == Delivery::AsAvailable,
        open: wrong || *typed != is || delivery != facts.order.delivery,
    })
}

/// The field of an option.
fn field(choice: &Choice, typed: Option<String>, currency: &str, problems: &Problems) -> Field {
    let mut hint = format!("{} each", say(choice.shown, currency));
    if choice.has > 0 {
        hint = if choice.costs == choice.shown {
            format!("you have {}, {hint}", grouped(choice.has))
        } else {
            format!(
                "you have {}, {} each; with more of it, {hint}",
                grouped(choice.has),
                say(choice.costs, currency)
            )
        };
    }
    if let Some(most) = choice.most {
        hint = format!("{hint}; {} at most", grouped(most));
    }
    let mut field = Field::text(format!("qty_{}", choice.sku), choice.name.clone())
        .value(typed.unwrap_or_else(|| choice.has.to_string()))
        .inputmode("numeric")
        .max_length(7)
        .problems(problems);
    field.hint = Some(hint);
    field
}

/// A workflow's name of a field as the form spells it.
pub(super) fn field_of(error: &FieldError, lines: &[(String, i64)]) -> String {
    let at = error.field.strip_prefix("lines[");
    let at = at.and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
    match at.and_then(|at| lines.get(at)) {
        Some((sku, _)) => format!("qty_{sku}"),
        None if is_of_address(&error.field) => error.field.clone(),
        None => "lines".to_owned(),
    }
}
