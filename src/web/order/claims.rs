//! Reporting what is wrong with what arrived, or did not; the photos of it; and the proof that it was sent back.

use std::path::PathBuf;

use actix_multipart::Multipart;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, web};
use futures_util::TryStreamExt;

use super::{Opened, new_key};
use crate::domain::claim::{ClaimKind, MAX_TEXT, MOST_PHOTOS};
use crate::domain::draft::FieldError;
use crate::domain::ids::{ClaimId, PhotoId};
use crate::store::claims as rows;
use crate::web::guard::{Client, Limit};
use crate::web::order::page::Facts;
use crate::web::pages::{private, see_other};
use crate::web::shop::{allow, trouble};
use crate::web::upload::{Broken, take};
use crate::web::view::{Choice, Field, Problems, ReportPage};
use crate::workflows::claims::{Case, Report, Who, check, report};
use crate::workflows::desk::Problem;
use crate::workflows::forms::is_first;
use crate::workflows::office::Office;
use crate::workflows::pictures::{self, MAX_BYTES};

/// Puts the routes in.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/o/{id}/claims")
                .route(web::get().to(ask))
                .route(web::post().to(send)),
        )
        .route("/o/{id}/claims/photos/{photo}", web::get().to(photo))
        .route("/o/{id}/claims/{claim}/sent", web::post().to(sent));
}

/// What was typed.
#[derive(Default)]
struct Typed {
    kind: String,
    text: String,
    form_key: String,
    units: Vec<(String, String)>,
    photos: Vec<Vec<u8>>,
    too_large: bool,
    too_many: bool,
}

impl Typed {
    fn of(&self, sku: &str) -> &str {
        let found = self.units.iter().find(|(s, _)| s == sku);
        found.map_or("", |(_, typed)| typed.as_str())
    }
}

/// Quantities as they were typed: what is left empty or nought is none, what is no number is wrong.
pub(super) fn quantities(typed: &[(String, String)]) -> Vec<(String, i64)> {
    typed
        .iter()
        .filter(|(_, n)| !matches!(n.trim(), "" | "0"))
        .map(|(sku, n)| (sku.clone(), n.trim().parse().unwrap_or(-1)))
        .collect()
}

/// Errors at the form's own fields.
pub fn at_fields(errors: &[FieldError], lines: &[(String, i64)]) -> Problems {
    let mut problems = Problems::default();
    for error in errors {
        let index = error.field.strip_prefix("lines[");
        let index = index.and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
        let field = match index.and_then(|i| lines.get(i)) {
            Some((sku, _)) => format!("qty_{sku}"),
            None => error.field.clone(),
        };
        problems.add(field, error.message.clone());
    }
    problems
}

/// A field for the units of a line.
pub(super) fn units_field(
    case: &Case,
    (sku, most): (&str, i64),
    typed: &str,
    problems: &Problems,
) -> Field {
    let name = case
        .line(sku)
        .map_or_else(|| sku.to_owned(), |l| case.name_of(l.option_id));
    Field::input("number", format!("qty_{sku}"), name)
        .hint(format!("0 to {most}"))
        .inputmode("numeric")
        .range(Some("0".to_owned()), Some(most.to_string()))
        .value(typed)
        .optional()
        .problems(problems)
}

fn page(opened: &Opened, (facts, typed, problems): (&Facts, &Typed, Problems)) -> HttpResponse {
    let Some(case) = facts.case() else {
        return see_other(&opened.path(""));
    };
    let choices = [
        (ClaimKind::Damaged, "It arrived damaged"),
        (ClaimKind::Wrong, "It is not what I ordered"),
        (ClaimKind::Lost, "It never arrived"),
        (ClaimKind::Returned, "I want to send it back"),
        (ClaimKind::Refused, "I did not accept the parcel"),
    ];
    let choices = choices.map(|(kind, label)| Choice::new(kind.as_str(), label));
    let free = case
        .lines
        .iter()
        .map(|l| (l.sku.as_str(), case.claimable(l)));
    let units = free
        .filter(|(_, most)| *most > 0)
        .map(|(sku, most)| units_field(case, (sku, most), typed.of(sku), &problems));
    let limit = u32::try_from(MAX_TEXT).unwrap_or(u32::MAX);
    let status = if problems.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let page = ReportPage {
        kind: Field::select("kind", "What is the matter?", choices.to_vec())
            .value(&typed.kind)
            .problems(&problems),
        units: units.collect(),
        units_error: problems.of("lines").map(str::to_owned),
        text: Field::area("text", "In your words", 5)
            .hint("What you see, and what you would like: the same again, or the money.")
            .value(&typed.text)
            .max_length(limit)
            .optional()
            .problems(&problems),
        photos_error: problems.of("photos").map(str::to_owned),
        most_photos: MOST_PHOTOS,
        shell: opened.shell("/claims"),
        form: opened.form(facts, "/claims", problems),
    };
    private(status, &page)
}

/// `GET /o/{id}/claims?t=`
async fn ask(opened: Opened) -> HttpResponse {
    match opened.read().await {
        Ok(facts) => {
            let typed = Typed {
                form_key: new_key(),
                ..Typed::default()
            };
            page(&opened, (&facts, &typed, Problems::default()))
        }
        Err(e) => opened.refused(&e),
    }
}

/// Why a form with files could not be read.
fn broken(e: Broken) -> Problem {
    match e {
        Broken::Form(e) => Problem::field("", format!("The form did not arrive whole: {e}.")),
        Broken::Endless => Problem::field("photos", "These photos are too large to be read."),
    }
}

async fn read_form(mut form: Multipart) -> Result<Typed, Problem> {
    let mut typed = Typed::default();
    let mut read = 0;
    while let Some(mut part) = form.try_next().await.map_err(|e| broken(Broken::Form(e)))? {
        let name = part.name().unwrap_or_default().to_owned();
        if name == "photos" {
            let (bytes, more) = take(&mut part, MAX_BYTES, &mut read)
                .await
                .map_err(broken)?;
            typed.too_large |= more;
            // Browsers send an empty file where none was chosen.
            if typed.photos.len() >= MOST_PHOTOS && !bytes.is_empty() {
                typed.too_many = true;
            } else if !bytes.is_empty() {
                typed.photos.push(bytes);
            }
            continue;
        }
        let (bytes, _) = take(&mut part, 16 * 1024, &mut read)
            .await
            .map_err(broken)?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        match name.as_str() {
            "kind" => typed.kind = text,
            "text" => typed.text = text,
            "form_key" => typed.form_key = text,
            other => {
                if let Some(sku) = other.strip_prefix("qty_")
                    && typed.units.len() < 200
                {
                    typed.units.push((sku.to_owned(), text));
                }
            }
        }
    }
    Ok(typed)
}

/// `POST /o/{id}/claims?t=`
async fn send(opened: Opened, client: Client, form: Multipart) -> HttpResponse {
    if let Err(many) = allow(&opened.request, Limit::ApiWrite, client) {
        let busy = Problem::Busy("too many reports".to_owned());
        let answer = opened.trouble(&busy);
        return trouble::again_in(answer, many.retry_after);
    }
    let typed = match read_form(form).await {
        Ok(typed) => typed,
        Err(e) => return trouble::page(opened.shell("/claims"), &e),
    };
    let problem = match kept(&opened, &typed).await {
        Ok(()) => return see_other(&format!("{}&done=reported", opened.path(""))),
        Err(problem) => problem,
    };
    let Problem::Invalid(errors) = problem else {
        return opened.trouble(&problem);
    };
    let problems = at_fields(&errors, &quantities(&typed.units));
    match opened.read().await {
        Ok(facts) => page(&opened, (&facts, &typed, problems)),
        Err(e) => opened.refused(&e),
    }
}

/// Keeps the report. Its fields are looked at before its photos are kept, so that nobody fills the disk with forms that
/// are refused.
async fn kept(opened: &Opened, typed: &Typed) -> Result<(), Problem> {
    let kind = typed.kind.trim().parse::<ClaimKind>();
    let mut report_now = Report {
        order: opened.id,
        kind: kind.map_err(|_| Problem::field("kind", "Choose what is the matter."))?,
        lines: quantities(&typed.units),
        text: typed.text.clone(),
        photos: Vec::new(),
    };
    let (look, key, order) = (report_now.clone(), typed.form_key.clone(), opened.id);
    let looked = opened
        .office
        .read(move |conn| -> Result<(), Problem> {
            let case = crate::workflows::claims::read(conn, order)?;
            check(&case, &look, &Who::Shopper).map(|_| ())
        })
        .await;
    // A form that was sent before is answered as the first time, though its units are claimed by now.
    let again = looked.is_err() && was_sent(opened, &key).await?;
    if again {
        return Ok(());
    }
    looked?;
    if typed.too_large {
        return Err(at_photos(pictures::too_many_bytes()));
    }
    if typed.too_many {
        let say = format!("Choose at most {MOST_PHOTOS} photos.");
        return Err(Problem::field("photos", say));
    }
    let dir: PathBuf = opened.office.settings().data_dir.clone();
    for bytes in &typed.photos {
        let stored = pictures::keep_private(&dir, bytes.clone()).await;
        report_now.photos.push(stored.map_err(at_photos)?);
    }
    let form = format!("claim:{}", opened.id);
    opened
        .office
        .write(move |desk, tx| -> Result<(), Problem> {
            if is_first(tx, &form, &key)? {
                report(desk, tx, &report_now, &Who::Shopper)?;
            }
            Ok(())
        })
        .await
}

async fn was_sent(opened: &Opened, key: &str) -> Result<bool, Problem> {
    let (form, key) = (format!("claim:{}", opened.id), key.to_owned());
    opened
        .office
        .read(move |conn| crate::workflows::forms::was_sent(conn, &form, &key))
        .await
}

/// What is wrong with a picture, at the field that takes several.
fn at_photos(problem: Problem) -> Problem {
    match problem {
        Problem::Invalid(errors) => Problem::Invalid(
            errors
                .into_iter()
                .map(|e| FieldError::new("photos", e.message))
                .collect(),
        ),
        other => other,
    }
}

/// `GET /o/{id}/claims/photos/{photo}?t=`
async fn photo(opened: Opened, path: web::Path<(String, String)>) -> HttpResponse {
    let (_, photo) = path.into_inner();
    let found = match photo.parse::<PhotoId>() {
        Ok(photo) => {
            let order = opened.id;
            opened
                .office
                .read(move |conn| -> Result<_, Problem> {
                    let row = rows::photo(conn, photo)?.ok_or(Problem::NotFound("photo"))?;
                    let claim = rows::by_id(conn, row.claim_id)?;
                    let mine = claim.is_some_and(|c| c.order_id == order);
                    mine.then_some(row.file).ok_or(Problem::NotFound("photo"))
                })
                .await
        }
        Err(_) => Err(Problem::NotFound("photo")),
    };
    match found {
        Ok(file) => served(&opened.office, file).await,
        Err(e) => opened.refused(&e),
    }
}

/// A private photo as an answer that nobody keeps.
pub async fn served(office: &Office, file: String) -> HttpResponse {
    let dir = office.settings().data_dir.clone();
    let found = web::block(move || pictures::read_private(&dir, &file)).await;
    let Some((bytes, media_type)) = found.ok().flatten() else {
        return HttpResponse::NotFound()
            .content_type("text/plain; charset=utf-8")
            .body("There is no such photo.");
    };
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'"))
        .insert_header((header::CACHE_CONTROL, "private, no-store"))
        .body(bytes)
}

/// `POST /o/{id}/claims/{claim}/sent?t=`
async fn sent(
    opened: Opened,
    path: web::Path<(String, String)>,
    form: web::Form<Vec<(String, String)>>,
) -> HttpResponse {
    let (_, claim) = path.into_inner();
    let Ok(claim) = claim.parse::<ClaimId>() else {
        return opened.refused(&Problem::NotFound("claim"));
    };
    let mut typed = form.into_inner().into_iter();
    let proof = typed.find(|(name, _)| name.starts_with("proof"));
    let proof = proof.map_or_else(String::new, |(_, value)| value);
    let (order, words) = (opened.id, proof.clone());
    let done = opened
        .office
        .write(move |desk, tx| {
            let before = rows::by_id(tx.conn, claim)?.filter(|c| c.order_id == order);
            // Pressed twice: it is known already.
            match before {
                None => Err(Problem::NotFound("claim")),
                Some(row) if row.return_proof.as_deref() == Some(words.trim()) => Ok(row),
                Some(_) => {
                    crate::workflows::claims::returns::mark_sent(desk, tx, order, claim, &words)
                }
            }
        })
        .await;
    match done {
        Ok(_) => see_other(&format!("{}&done=sent", opened.path(""))),
        Err(Problem::Invalid(errors)) => {
            let say = errors
                .first()
                .map_or_else(String::new, |e| e.message.clone());
            super::show_with(&opened, (claim, proof, say)).await
        }
        Err(e) => opened.trouble(&e),
    }
}
