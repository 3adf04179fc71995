//! The supplier's forms: each a small one, kept by one workflow, harmless when it is sent twice.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::Deserialize;

use super::{Facts, open, refused, shell};
use crate::domain::day::parse_date;
use crate::domain::draft::FieldError;
use crate::domain::text::clean_text;
use crate::store::Tx;
use crate::web::pages::{private, see_other};
use crate::web::view::{Problems, RejectPage};
use crate::workflows::desk::{Desk, Problem};
use crate::workflows::office::Office;
use crate::workflows::purchase::{self, Shipping};

/// The longest note, in characters.
const NOTE: usize = 2000;

/// What was typed, in whichever form.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Typed {
    pub(super) note: String,
    pub(super) arrives: String,
    pub(super) reason: String,
    pub(super) carrier: String,
    pub(super) tracking: String,
}

type Form = Option<web::Form<Typed>>;

fn typed(form: Form) -> Typed {
    form.map(web::Form::into_inner).unwrap_or_default()
}

/// Errors as a form shows them: as sentences.
fn said(errors: &[FieldError]) -> Problems {
    let mut problems = Problems::default();
    for error in errors {
        problems.add(&error.field, format!("Please {}.", error.message));
    }
    problems
}

/// Keeps an answer and goes back to the order; what is wrong with it is drawn with what was typed, and where it comes too
/// late the page says how the order stands now.
async fn answer<F>(
    office: &Office,
    request: &HttpRequest,
    token: &str,
    typed: Typed,
    keep: F,
) -> HttpResponse
where
    F: Fn(&Facts, &Typed, &Desk, &mut Tx) -> Result<(), Problem> + Send + Sync + 'static,
{
    let facts = match open(office, token).await {
        Ok(facts) => facts,
        Err(e) => return refused(office, request, &e),
    };
    let here = facts.path("");
    let (theirs, same) = (facts, typed.clone());
    let kept = office
        .write(move |desk, tx| keep(&theirs, &same, desk, tx))
        .await;
    let (status, problems) = match kept {
        Ok(()) => return see_other(&here),
        Err(Problem::Invalid(errors)) => (StatusCode::UNPROCESSABLE_ENTITY, said(&errors)),
        Err(Problem::Conflict { .. }) => (StatusCode::CONFLICT, Problems::default()),
        Err(e) => return refused(office, request, &e),
    };
    match open(office, token).await {
        Ok(facts) => private(status, &facts.page(office, request, &typed, problems)),
        Err(e) => refused(office, request, &e),
    }
}

pub(super) async fn acknowledge(
    office: web::Data<Office>,
    request: HttpRequest,
    token: web::Path<String>,
    form: Form,
) -> HttpResponse {
    let keep = |facts: &Facts, typed: &Typed, _: &Desk, tx: &mut Tx| {
        let note = clean_text(&typed.note, NOTE).map_err(|why| Problem::field("note", why))?;
        let note = Some(note.as_str()).filter(|n| !n.trim().is_empty());
        purchase::acknowledge(tx, facts.row.id, note).map(|_| ())
    };
    answer(&office, &request, &token, typed(form), keep).await
}

pub(super) async fn in_production(
    office: web::Data<Office>,
    request: HttpRequest,
    token: web::Path<String>,
) -> HttpResponse {
    let keep = |facts: &Facts, _: &Typed, _: &Desk, tx: &mut Tx| {
        purchase::in_production(tx, facts.row.id).map(|_| ())
    };
    answer(&office, &request, &token, Typed::default(), keep).await
}

pub(super) async fn set_date(
    office: web::Data<Office>,
    request: HttpRequest,
    token: web::Path<String>,
    form: Form,
) -> HttpResponse {
    let keep = |facts: &Facts, typed: &Typed, desk: &Desk, tx: &mut Tx| {
        let arrives = parse_date(typed.arrives.trim());
        // That it is too late comes before what is wrong with a date.
        if !purchase::takes_dates(facts.row.state) {
            return Err(Problem::conflict("wrong-state", "No date is asked for."));
        }
        let Some(arrives) = arrives else {
            return Err(Problem::field("arrives", "write a day, such as 2027-06-05"));
        };
        purchase::set_date(desk, tx, facts.row.id, arrives, &typed.reason).map(|_| ())
    };
    answer(&office, &request, &token, typed(form), keep).await
}

pub(super) async fn shipped(
    office: web::Data<Office>,
    request: HttpRequest,
    token: web::Path<String>,
    form: Form,
) -> HttpResponse {
    let keep = |facts: &Facts, typed: &Typed, _: &Desk, tx: &mut Tx| {
        let shipping = Shipping {
            carrier: typed.carrier.clone(),
            tracking: typed.tracking.clone(),
        };
        purchase::shipped(tx, facts.row.id, &shipping).map(|_| ())
    };
    answer(&office, &request, &token, typed(form), keep).await
}

impl Facts {
    fn reject_page(
        &self,
        office: &Office,
        request: &HttpRequest,
        typed: &str,
        problems: Problems,
    ) -> HttpResponse {
        let status = if problems.is_empty() {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        };
        let page = RejectPage {
            shell: shell(office, request, &self.path("/reject")),
            number: self.number(),
            buyer_name: self.document.merchant.clone(),
            units: self.row.units,
            here: self.path(""),
            reason: RejectPage::reason_field(typed, &problems),
            problems,
        };
        private(status, &page)
    }
}

/// The question before it; what cannot be rejected any more is shown as it stands.
pub(super) async fn ask_reject(
    office: web::Data<Office>,
    request: HttpRequest,
    token: web::Path<String>,
) -> HttpResponse {
    match open(&office, &token).await {
        Ok(facts) if facts.can_reject() => {
            facts.reject_page(&office, &request, "", Problems::default())
        }
        Ok(facts) => see_other(&facts.path("")),
        Err(e) => refused(&office, &request, &e),
    }
}

pub(super) async fn reject(
    office: web::Data<Office>,
    request: HttpRequest,
    token: web::Path<String>,
    form: Form,
) -> HttpResponse {
    let facts = match open(&office, &token).await {
        Ok(facts) => facts,
        Err(e) => return refused(&office, &request, &e),
    };
    let reason = typed(form).reason;
    let (id, why) = (facts.row.id, reason.clone());
    let kept = office
        .write(move |desk, tx| purchase::reject(desk, tx, id, &why).map(|_| ()))
        .await;
    match kept {
        Ok(()) => see_other(&facts.path("")),
        Err(Problem::Invalid(errors)) => {
            facts.reject_page(&office, &request, &reason, said(&errors))
        }
        Err(Problem::Conflict { .. }) => match open(&office, &token).await {
            Ok(facts) => {
                let page = facts.page(&office, &request, &Typed::default(), Problems::default());
                private(StatusCode::CONFLICT, &page)
            }
            Err(e) => refused(&office, &request, &e),
        },
        Err(e) => refused(&office, &request, &e),
    }
}
