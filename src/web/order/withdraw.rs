//! Withdrawing from the contract: the declaration, and the button that confirms it (domain section 6a).

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::Opened;
use super::claims::{at_fields, quantities, units_field};
use crate::web::order::page::Facts;
use crate::web::pages::{private, see_other};
use crate::web::view::{Day, Field, Problems, WithdrawPage};
use crate::workflows::desk::Problem;
use crate::workflows::forms::is_first;
use crate::workflows::withdraw::{Declaration, declare};

/// Puts the routes in.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config.service(
        web::resource("/o/{id}/withdraw")
            .route(web::get().to(ask))
            .route(web::post().to(confirm)),
    );
}

/// What was typed.
struct Typed {
    units: Vec<(String, String)>,
    name: String,
    email: String,
    form_key: String,
}

fn page(
    opened: &Opened,
    (facts, typed, problems): (&Facts, Option<&Typed>, Problems),
) -> HttpResponse {
    let right = facts
        .case()
        .and_then(|case| Some((case, case.right(opened.office.now())?)));
    let Some((case, right)) = right else {
        let why = Problem::conflict(
            "no-right-of-withdrawal",
            "This order cannot be withdrawn from any more. If something is wrong with the goods, report it on the order's page.",
        );
        return opened.trouble(&why);
    };
    let units = right.lines.iter().map(|(sku, most)| {
        let typed = match typed {
            // All of it, unless less is written.
            None => most.to_string(),
            Some(typed) => {
                let found = typed.units.iter().find(|(s, _)| s == sku);
                found.map_or_else(String::new, |(_, n)| n.clone())
            }
        };
        units_field(case, (sku, *most), &typed, &problems)
    });
    let name = typed.map_or(facts.order.name.as_str(), |t| t.name.as_str());
    let email = typed.map_or(facts.order.email.as_str(), |t| t.email.as_str());
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = WithdrawPage {
        title: case.agreed.title.clone(),
        units: units.collect(),
        units_error: problems.of("lines").map(str::to_owned),
        who: vec![
            Field::text("name", "Your name")
                .value(name)
                .autocomplete("name")
                .max_length(200)
                .problems(&problems),
            Field::input("email", "email", "E-mail")
                .hint("The acknowledgement goes there.")
                .value(email)
                .autocomplete("email")
                .max_length(254)
                .problems(&problems),
        ],
        last_day: right.period.last_day(case.draft.time_zone).map(Day),
        exempt: right.exempt.clone(),
        some_arrived: case.lines.iter().any(|l| l.shipped > 0),
        shell: opened.shell("/withdraw"),
        form: opened.form(facts, "/withdraw", problems),
    };
    private(status, &page)
}

/// `GET /o/{id}/withdraw?t=`
async fn ask(opened: Opened) -> HttpResponse {
    match opened.read().await {
        Ok(facts) => page(&opened, (&facts, None, Problems::default())),
        Err(e) => opened.refused(&e),
    }
}

/// `POST /o/{id}/withdraw?t=`
async fn confirm(opened: Opened, form: web::Form<Vec<(String, String)>>) -> HttpResponse {
    let pairs = form.into_inner();
    let of = |wanted: &str| {
        let found = pairs.iter().find(|(name, _)| name == wanted);
        found.map_or_else(String::new, |(_, value)| value.clone())
    };
    let units = pairs.iter().filter_map(|(name, value)| {
        let sku = name.strip_prefix("qty_")?;
        Some((sku.to_owned(), value.clone()))
    });
    let typed = Typed {
        units: units.take(200).collect(),
        name: of("name"),
        email: of("email"),
        form_key: of("form_key"),
    };
    let declaration = Declaration {
        order: opened.id,
        lines: quantities(&typed.units),
        name: typed.name.clone(),
        email: typed.email.clone(),
    };
    let (key, form) = (typed.form_key.clone(), format!("withdraw:{}", opened.id));
    let done = opened
        .office
        .write(move |desk, tx| -> Result<(), Problem> {
            if is_first(tx, &form, &key)? {
                declare(desk, tx, &declaration)?;
            }
            Ok(())
        })
        .await;
    match done {
        Ok(()) => see_other(&format!("{}&done=withdrawn", opened.path(""))),
        Err(Problem::Invalid(errors)) => match opened.read().await {
            Ok(facts) => {
                let problems = at_fields(&errors, &quantities(&typed.units));
                page(&opened, (&facts, Some(&typed), problems))
            }
            Err(e) => opened.refused(&e),
        },
        Err(e) => opened.trouble(&e),
    }
}
