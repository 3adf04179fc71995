//! A file of tracking numbers: looked at, then kept.

use std::sync::{Arc, Mutex};

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use futures_util::TryStreamExt;

use super::{href, one, title};
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::web::admin::form::{Pairs, Typed};
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::{Cell, Table};
use crate::web::pages;
use crate::web::view::{Badge, Link, PanelShell, Tone, plural};
use crate::workflows::desk::Problem;
use crate::workflows::tracking::file::{MAX_BYTES, MAX_ROWS, decode, read};
use crate::workflows::tracking::{Outcome, record};

/// `/admin/batches/{id}/tracking`
#[derive(Template)]
#[template(path = "admin/tracking.html")]
struct TrackingPage {
    shell: PanelShell,
    batch: Link,
    action: String,
    problem: Option<String>,
    most: usize,
    looked: Option<Looked>,
}

/// What a file would do.
struct Looked {
    text: String,
    rows: Table,
    good: usize,
    bad: usize,
    unused: String,
}

fn blank(staff: &Staff, campaign: &CampaignRow, batch: &BatchRow) -> TrackingPage {
    TrackingPage {
        shell: staff.shell("batches"),
        batch: Link::new(href(batch), title(campaign, batch)),
        action: format!("{}/tracking", href(batch)),
        problem: None,
        most: MAX_ROWS,
        looked: None,
    }
}

/// `GET /admin/batches/{id}/tracking`
pub async fn form(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.ships()?;
    let (campaign, batch) = one(&staff, &path).await?;
    let page = blank(&staff, &campaign, &batch);
    Ok(pages::private(StatusCode::OK, &page))
}

/// The file of a form, or why it was not taken.
async fn file_of(mut form: Multipart) -> Result<Vec<u8>, String> {
    let broken = |_| "The file did not arrive whole. Send it again.".to_owned();
    let mut bytes = Vec::new();
    while let Some(mut part) = form.try_next().await.map_err(broken)? {
        let is_file = part.name() == Some("file");
        while let Some(some) = part.try_next().await.map_err(broken)? {
            if is_file && bytes.len() <= MAX_BYTES {
                bytes.extend_from_slice(&some);
            }
        }
    }
    if bytes.len() > MAX_BYTES {
        return Err("The file is larger than 1 MB. Divide it into several.".to_owned());
    }
    if bytes.is_empty() {
        return Err("Choose a file.".to_owned());
    }
    Ok(bytes)
}

/// `POST /admin/batches/{id}/tracking`: says what each row would do.
pub async fn look(
    staff: Staff,
    path: web::Path<String>,
    form: Multipart,
) -> Result<HttpResponse, Refusal> {
    staff.ships()?;
    let (campaign, batch) = one(&staff, &path).await?;
    match file_of(form).await {
        Ok(bytes) => shown(&staff, &campaign, &batch, decode(&bytes)).await,
        Err(problem) => Ok(refused(&staff, &campaign, &batch, problem)),
    }
}

fn refused(
    staff: &Staff,
    campaign: &CampaignRow,
    batch: &BatchRow,
    problem: String,
) -> HttpResponse {
    let mut page = blank(staff, campaign, batch);
    page.problem = Some(problem);
    pages::private(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

/// The file's rows with what each would do: all is lived through and taken back.
async fn shown(
    staff: &Staff,
    campaign: &CampaignRow,
    batch: &BatchRow,
    text: String,
) -> Result<HttpResponse, Refusal> {
    let sheet = match read(&text) {
        Ok(sheet) => sheet,
        Err(problem) => return Ok(refused(staff, campaign, batch, problem)),
    };
    let outcomes = lived(staff, batch, sheet.rows.clone(), Keep::Nothing).await?;
    let bad = outcomes.iter().filter(|o| o.said.is_err()).count();
    let mut page = blank(staff, campaign, batch);
    page.looked = Some(Looked {
        text,
        good: outcomes.len() - bad,
        bad,
        rows: table(&outcomes),
        unused: sheet.unused.join(", "),
    });
    Ok(pages::private(StatusCode::OK, &page))
}

fn table(outcomes: &[Outcome]) -> Table {
    let rows = outcomes.iter().map(|outcome| {
        let (badge, said) = match &outcome.said {
            Ok(said) => (Badge::new(Tone::Good, "Good"), said),
            Err(why) => (Badge::new(Tone::Bad, "Left out"), why),
        };
        vec![
            Cell::number(outcome.line.to_string()),
            Cell::text(&outcome.about),
            Cell::Badge(badge),
            Cell::text(said),
        ]
    });
    Table::new(
        "Rows of the file",
        vec![
            ("Line", true),
            ("Row", false),
            ("Row's state", false),
            ("What happens", false),
        ],
        rows.collect(),
    )
}

/// What of a file is kept.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keep {
    /// Nothing: it is looked at.
    Nothing,
    /// All of it, or nothing where a row is bad.
    AllOrNothing,
    /// Its good rows.
    GoodRows,
}

/// Lives a file through; what is not kept is taken back.
async fn lived(
    staff: &Staff,
    batch: &BatchRow,
    rows: Vec<crate::workflows::tracking::file::Row>,
    keep: Keep,
) -> Result<Vec<Outcome>, Refusal> {
    let (merchant, id, by) = (staff.merchant.id, batch.id, staff.name());
    let seen: Arc<Mutex<Vec<Outcome>>> = Arc::default();
    let inner = seen.clone();
    let done = staff
        .office
        .write(move |desk, tx| {
            let outcomes = record(desk, tx, merchant, id, &rows, &by)?;
            let bad = outcomes.iter().any(|o| o.said.is_err());
            if let Ok(mut seen) = inner.lock() {
                seen.clone_from(&outcomes);
            }
            if keep == Keep::Nothing || (keep == Keep::AllOrNothing && bad) {
                return Err(Problem::conflict(TAKEN_BACK, "It was only looked at."));
            }
            Ok(outcomes)
        })
        .await;
    match done {
        Ok(outcomes) => Ok(outcomes),
        Err(Problem::Conflict { kind, .. }) if kind == TAKEN_BACK => {
            Ok(seen.lock().map(|seen| seen.clone()).unwrap_or_default())
        }
        Err(problem) => Err(problem.into()),
    }
}

const TAKEN_BACK: &str = "taken-back";

/// `POST /admin/batches/{id}/tracking/keep`: records what was looked at.
pub async fn keep(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.ships()?;
    let (campaign, batch) = one(&staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    let text = typed.get("text").to_owned();
    let sheet = match read(&text) {
        Ok(sheet) => sheet,
        Err(problem) => return Ok(refused(&staff, &campaign, &batch, problem)),
    };
    let keep = if typed.ticked("good_rows") {
        Keep::GoodRows
    } else {
        Keep::AllOrNothing
    };
    let outcomes = lived(&staff, &batch, sheet.rows, keep).await?;
    let bad = outcomes.iter().filter(|o| o.said.is_err()).count();
    if keep == Keep::AllOrNothing && bad > 0 {
        // Something changed since it was looked at.
        return shown(&staff, &campaign, &batch, text).await;
    }
    let good = i64::try_from(outcomes.len() - bad).unwrap_or(0);
    let left = i64::try_from(bad).unwrap_or(0);
    let said = if left == 0 {
        format!("{} recorded.", plural(good, "row"))
    } else {
        format!(
            "{} recorded, {} left out.",
            plural(good, "row"),
            plural(left, "row")
        )
    };
    staff.done(said, &href(&batch))
}
