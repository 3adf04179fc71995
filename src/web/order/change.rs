//! Changing what an order is over and where it goes: the form, the new total, and the way to pay what it costs more.

mod asked;
mod form;
mod review;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::Opened;
use super::edit;
use crate::domain::order::Delivery;
use crate::web::guard::Client;
use crate::web::pages::see_other;
use crate::web::shop::quantity;
use crate::web::view::Problems;
use crate::workflows::change::Typed;
use crate::workflows::changes::{Came, Shown, Wish, change, preview, take_back};
use crate::workflows::desk::Problem;

/// Puts the routes in.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/o/{id}/change")
                .route(web::get().to(ask))
                .route(web::post().to(work)),
        )
        .service(
            web::resource("/o/{id}/change/asked")
                .route(web::get().to(asked::look))
                .route(web::post().to(asked::agree)),
        )
        .service(
            web::resource("/o/{id}/change/back")
                .route(web::get().to(super::back))
                .route(web::post().to(drop_it)),
        );
}

/// What a form sent.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Option codes and what was typed for each; none: the lines stay.
    units: Vec<(String, String)>,
    /// Where it is to go; none: the form did not ask.
    pub(super) address: Option<Typed>,
    pub(super) delivery: Option<Delivery>,
    /// What was shown before the button that agrees.
    shown: Option<String>,
    form_key: Option<String>,
    edits: bool,
    /// It began at the page of the address.
    from_address: bool,
}

impl Sent {
    pub(super) fn read(pairs: &[(String, String)]) -> Self {
        let get = |wanted: &str| {
            let mut found = pairs.iter().filter(|(name, _)| name == wanted);
            found.next().map(|(_, value)| value.as_str())
        };
        let units = pairs.iter().filter_map(|(name, value)| {
            let sku = name.strip_prefix("qty_")?;
            Some((sku.to_owned(), value.clone()))
        });
        let key = get("form_key").filter(|key| key.len() <= 64 && !key.is_empty());
        let typed = || edit::typed_of(|name| get(name).unwrap_or_default().to_owned());
        Self {
            units: units.take(200).collect(),
            address: get("line1")
                .map(|_| typed())
                .filter(|typed| get("address_was") != Some(edit::shown_of(typed).as_str())),
            delivery: get("delivery").and_then(|word| word.parse().ok()),
            shown: get("shown").map(str::to_owned),
            form_key: key.map(|key| format!("form:{key}")),
            edits: get("step") == Some("edit"),
            from_address: get("from") == Some("address"),
        }
    }

    /// The same, of the form that asks for an address alone.
    pub(super) fn of_address(pairs: &[(String, String)]) -> Self {
        Self {
            units: Vec::new(),
            shown: None,
            from_address: true,
            ..Self::read(pairs)
        }
    }

    /// What is wished, of this address; what is wrong with it, at its field.
    fn wish(&self, opened: &Opened, client: Client) -> Result<Wish, Problems> {
        let mut problems = Problems::default();
        let mut lines = Vec::new();
        for (sku, typed) in &self.units {
            match quantity(typed) {
                Ok(n) => lines.push((sku.clone(), n)),
                Err(why) => problems.add(format!("qty_{sku}"), why),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Wish {
            lines: (!self.units.is_empty()).then_some(lines),
            address: self.address.clone(),
            delivery: self.delivery,
            form_key: self.form_key.clone(),
            from: Some(client.to_string()),
            ..Wish::of(opened.id)
        })
    }

    /// All of it, as hidden fields.
    fn pairs(&self) -> Vec<(String, String)> {
        let units = self.units.iter();
        let mut pairs: Vec<(String, String)> = units
            .map(|(sku, n)| (format!("qty_{sku}"), n.clone()))
            .collect();
        let mut put = |name: &str, value: &str| pairs.push((name.to_owned(), value.to_owned()));
        if let Some(typed) = &self.address {
            for (name, value) in edit::pairs_of(typed) {
                put(name, value);
            }
        }
        if let Some(delivery) = self.delivery {
            put("delivery", delivery.as_str());
        }
        if self.from_address {
            put("from", "address");
        }
        pairs
    }
}

/// `GET /o/{id}/change?t=`
async fn ask(opened: Opened) -> HttpResponse {
    form::show(
        &opened,
        &Sent::default(),
        Problems::default(),
        StatusCode::OK,
    )
    .await
}

/// `POST /o/{id}/change?t=`: first the new total, then, with it agreed to, the change.
async fn work(
    opened: Opened,
    client: Client,
    form: web::Form<Vec<(String, String)>>,
) -> HttpResponse {
    let sent = Sent::read(&form);
    if sent.edits {
        return again(&opened, &sent, Problems::default(), StatusCode::OK).await;
    }
    let wish = match sent.wish(&opened, client) {
        Ok(wish) => wish,
        Err(problems) => {
            return again(&opened, &sent, problems, StatusCode::UNPROCESSABLE_ENTITY).await;
        }
    };
    let mut units = wish.lines.iter().flatten();
    if wish.lines.is_some() && units.all(|(_, n)| *n == 0) {
        return see_other(&opened.path("/cancel"));
    }
    match sent.shown.as_deref().and_then(Shown::read) {
        None => review(&opened, &sent, wish, None).await,
        Some(shown) => agree(&opened, &sent, wish, shown).await,
    }
}

/// What the form of an address leads to where it names another country: the new total, where that is another one; none where
/// it is a correction, or nothing can be priced any more.
pub(super) async fn priced(
    opened: &Opened,
    sent: &Sent,
    client: Client,
) -> Result<Option<HttpResponse>, Problem> {
    let Ok(wish) = sent.wish(opened, client) else {
        return Ok(None);
    };
    let now = opened.office.now();
    let found = opened.office.read(move |conn| preview(conn, &wish, now));
    match found.await {
        Ok(offer) if !offer.is_correction() && !offer.is_nothing() => {
            Ok(Some(review::page(opened, sent, &offer, None).await))
        }
        Ok(_) | Err(Problem::Conflict { .. }) => Ok(None),
        Err(e) => Err(e),
    }
}

/// `POST /o/{id}/change/back?t=`: the shopper takes back a change that is not paid yet.
async fn drop_it(opened: Opened) -> HttpResponse {
    let id = opened.id;
    match opened.office.write(move |_, tx| take_back(tx, id)).await {
        Ok(()) => see_other(&opened.path("")),
        Err(e) => opened.trouble(&e),
    }
}

/// The new total, before the button that agrees to it; what costs the same is done at once. `before`: what was shown when it
/// was last looked at.
async fn review(opened: &Opened, sent: &Sent, wish: Wish, before: Option<Shown>) -> HttpResponse {
    let (now, asked) = (opened.office.now(), wish.clone());
    let found = opened.office.read(move |conn| preview(conn, &asked, now));
    let offer = match found.await {
        Ok(offer) => offer,
        Err(e) => return refused(opened, sent, &wish, e).await,
    };
    if offer.is_nothing() {
        let mut problems = Problems::default();
        problems.add("lines", "That is what you have already.");
        return again(opened, sent, problems, StatusCode::OK).await;
    }
    if offer.is_correction() {
        // By what it was just now: else it is looked at first.
        let wish = Wish {
            shown: Some(offer.shown()),
            ..wish
        };
        return done(opened, sent, wish, "changed").await;
    }
    review::page(opened, sent, &offer, before.as_ref()).await
}

/// Makes the change that was shown.
async fn agree(opened: &Opened, sent: &Sent, wish: Wish, shown: Shown) -> HttpResponse {
    let wish = Wish {
        shown: Some(shown),
        ..wish
    };
    done(opened, sent, wish, "altered").await
}

async fn done(opened: &Opened, sent: &Sent, wish: Wish, word: &str) -> HttpResponse {
    let asked = wish.clone();
    let came = opened
        .office
        .write(move |desk, tx| change(desk, tx, &asked))
        .await;
    match came {
        Ok(Came::ToPay) => see_other(&opened.path("/pay")),
        Ok(Came::Done | Came::Nothing) => see_other(&format!("{}&done={word}", opened.path(""))),
        Err(Problem::Conflict {
            kind: "price-changed",
            ..
        }) => {
            let (shown, wish) = (
                wish.shown.clone(),
                Wish {
                    shown: None,
                    ..wish
                },
            );
            Box::pin(review(opened, sent, wish, shown)).await
        }
        Err(e) => refused(opened, sent, &wish, e).await,
    }
}

/// The form it began at, as it was typed.
async fn again(
    opened: &Opened,
    sent: &Sent,
    problems: Problems,
    status: StatusCode,
) -> HttpResponse {
    if sent.from_address {
        edit::show(opened, sent, problems, status).await
    } else {
        form::show(opened, sent, problems, status).await
    }
}

/// What was wished cannot be: the form again, where another wish may help.
async fn refused(opened: &Opened, sent: &Sent, wish: &Wish, problem: Problem) -> HttpResponse {
    let mut problems = Problems::default();
    let status = match &problem {
        Problem::Conflict {
            kind: "sold-out" | "limit-per-shopper",
            message,
        } => {
            problems.add("lines", message.clone());
            StatusCode::CONFLICT
        }
        Problem::Invalid(errors) => {
            let lines = wish.lines.as_deref().unwrap_or_default();
            for error in errors {
                problems.add(form::field_of(error, lines), error.message.clone());
            }
            StatusCode::UNPROCESSABLE_ENTITY
        }
        _ => return opened.trouble(&problem),
    };
    again(opened, sent, problems, status).await
}
