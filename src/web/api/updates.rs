//! What a merchant writes to everybody who joined.

use actix_web::web::Path;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Answer, Response, change};
use super::ask::Ask;
use super::campaigns::{public, slug};
use super::document::{Public, Refusals};
use super::fields::{Errors, Reader};
use super::paging::{List, PageAsked};
use crate::domain::ids::PostId;
use crate::domain::text::markdown_to_html;
use crate::store::posts::{self, CorrectionRow, PostRow};
use crate::store::{Conn, Tx};
use crate::workflows::desk::Problem;
use crate::workflows::posts::{self as workflow, NewPost};

/// What is written to everybody who joined.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct UpdateBody {
    /// In one line, at most 120 characters.
    title: String,
    /// Markdown, at most 20,000 characters.
    body: String,
}

/// What stands under an update from now on. Nobody is written to.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct CorrectionBody {
    /// Markdown, at most 5,000 characters.
    body: String,
}

/// An update.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Update {
    id: Uuid,
    title: String,
    /// As it was written: Markdown.
    body: String,
    /// The same as HTML, sanitized.
    html: String,
    posted_at: DateTime<Utc>,
    /// What was put right since, first to last.
    corrections: Vec<Correction>,
    /// How many shoppers get it by mail; told to the merchant who wrote it.
    #[serde(skip_serializing_if = "Option::is_none")]
    recipients: Option<i64>,
}

/// A correction under an update.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Correction {
    /// Markdown.
    body: String,
    /// The same as HTML, sanitized.
    html: String,
    written_at: DateTime<Utc>,
}

fn shown(row: &PostRow, corrections: &[CorrectionRow], to_merchant: bool) -> Update {
    Update {
        id: row.id.0,
        title: row.title.clone(),
        html: markdown_to_html(&row.body),
        body: row.body.clone(),
        posted_at: row.posted_at.and_utc(),
        corrections: corrections
            .iter()
            .filter(|c| c.post_id == row.id)
            .map(|c| Correction {
                html: markdown_to_html(&c.body),
                body: c.body.clone(),
                written_at: c.written_at.and_utc(),
            })
            .collect(),
        recipients: to_merchant.then_some(row.recipients),
    }
}

fn one(conn: &mut Conn, row: &PostRow) -> Result<Update, Problem> {
    let corrections = posts::corrections_of(conn, &[row.id])?;
    Ok(shown(row, &corrections, true))
}

/// What the seller has written, newest first.
#[utoipa::path(get, path = "/campaigns/{slug}/updates", operation_id = "listUpdates", tag = "Updates",
    params(("slug" = String, Path, description = "The campaign's name in addresses."),
        ("limit" = Option<i64>, Query, description = "Entries of a page, 1 to 100; 20 where it is left out."),
        ("cursor" = Option<String>, Query, description = "The next_cursor of the page before.")),
    responses((status = 200, description = "A page of the list.", body = List<Update>), Public))]
pub(super) async fn list(ask: Ask, path: Path<String>) -> Response {
    let slug = slug(&path)?;
    let page = PageAsked::of(&ask)?;
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let campaign = public(conn, &slug)?;
            let before = page.after.map(PostId);
            let mut rows = posts::of_campaign(conn, campaign.id, before, page.rows())?;
            let next_cursor = page.cut(&mut rows, |row| row.id.0);
            let ids: Vec<PostId> = rows.iter().map(|row| row.id).collect();
            let corrections = posts::corrections_of(conn, &ids)?;
            let data = rows
                .iter()
                .map(|row| shown(row, &corrections, false))
                .collect();
            Answer::ok(&List { data, next_cursor })
        })
        .await?;
    Ok(answer.respond())
}

/// Writes to everybody who joined and was not cancelled: by mail, on the campaign's page and on their orders.
#[utoipa::path(post, path = "/campaigns/{slug}/updates", operation_id = "writeUpdate", tag = "Updates",
    params(("slug" = String, Path, description = "The campaign's name in addresses."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = UpdateBody, security(("key" = [])),
    responses((status = 201, description = "The update.", body = Update), Refusals))]
pub(super) async fn write(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let slug = slug(&path)?;
    let body = ask.json()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |_, tx| {
        let (new, e) = read(&body, true);
        let done = workflow::write(tx, merchant, &slug, &new);
        answered(tx, done, e)
    })
    .await
}

/// Puts a correction under an update. What was sent stays as it was, and nobody is written to again.
#[utoipa::path(post, path = "/campaigns/{slug}/updates/{id}/corrections", operation_id = "correctUpdate", tag = "Updates",
    params(("slug" = String, Path, description = "The campaign's name in addresses."),
        ("id" = String, Path, description = "The update."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = CorrectionBody, security(("key" = [])),
    responses((status = 201, description = "The update with its corrections.", body = Update), Refusals))]
pub(super) async fn correct(ask: Ask, path: Path<(String, String)>) -> Response {
    let merchant = ask.merchant().await?;
    let (name, id) = path.into_inner();
    let slug = slug(&name)?;
    let id: PostId = id.parse().map_err(|_| Problem::NotFound("update"))?;
    let body = ask.json()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |_, tx| {
        let (new, e) = read(&body, false);
        let done = workflow::correct(tx, merchant, &slug, id, &new);
        answered(tx, done, e)
    })
    .await
}

/// What was sent, as far as it can be read, and what is wrong with it.
fn read(body: &Value, titled: bool) -> (NewPost, Errors) {
    let mut e = Errors::default();
    let mut new = NewPost {
        title: String::new(),
        body: String::new(),
        by: "API".to_owned(),
        once: None,
    };
    if let Some(mut r) = Reader::body(body, &mut e) {
        if titled {
            let title = r.string("title", &mut e);
            let title = r.required("title", title, &mut e, "shoppers read it first");
            new.title = title.unwrap_or_default();
        }
        let text = r.string("body", &mut e);
        let text = r.required("body", text, &mut e, "what shoppers should know");
        new.body = text.unwrap_or_default();
        r.end(&mut e);
    }
    (new, e)
}

/// The update; or what is wrong, after what the state forbids.
fn answered(tx: &mut Tx, done: Result<PostRow, Problem>, e: Errors) -> Result<Answer, Problem> {
    match done {
        Err(Problem::Invalid(more)) => Err(Problem::Invalid(e.with(more))),
        Err(problem) => Err(problem),
        Ok(_) if !e.is_empty() => Err(Problem::Invalid(e.all())),
        Ok(row) => Ok(Answer {
            location: None,
            ..Answer::created(String::new(), &one(tx.conn, &row)?)?
        }),
    }
}
