//! What a merchant might run next: read by everybody, written, ended, hidden and made into campaigns by the merchant.

use std::collections::HashMap;

use actix_web::web::Path;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Answer, Response, change};
use super::ask::Ask;
use super::campaigns::own;
use super::document::{Public, Refusals};
use super::fields::{Errors, Reader};
use super::paging::List;
use crate::domain::ids::IdeaId;
use crate::domain::interest::IdeaState;
use crate::domain::text::markdown_to_html;
use crate::store::ideas::{self as rows, IdeaRow};
use crate::store::{Conn, merchants};
use crate::workflows::desk::Problem;
use crate::workflows::ideas::{self as workflow, Written, own_idea};

/// Something a merchant might run next.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Idea {
    id: Uuid,
    title: String,
    /// As it was written: Markdown.
    text: String,
    /// The same as HTML, sanitized.
    html: String,
    /// `open`: votes are taken; `running`: a campaign came of it; `ended`; `hidden`: shown to its merchant only.
    state: IdeaState,
    /// Confirmed votes.
    votes: i64,
    /// The name in addresses of the campaign that came of it; for its merchant also of the draft that was made of it.
    #[schema(required)]
    campaign: Option<String>,
}

/// An idea.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct IdeaBody {
    title: String,
    /// Markdown: what it would be. Empty where it is left out.
    #[schema(max_length = 2000)]
    text: Option<String>,
}

/// What is changed of an idea; what is left out stays.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct IdeaPatch {
    title: Option<String>,
    /// Markdown.
    #[schema(max_length = 2000)]
    text: Option<String>,
    /// `open`, `ended` or `hidden`. Once a campaign came of it: only `hidden`.
    #[schema(pattern = "^(open|ended|hidden)$")]
    state: Option<String>,
}

/// The draft that was made of an idea.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct IdeaCampaignBody {
    /// The draft's name in addresses.
    slug: String,
}

fn shown(row: &IdeaRow, campaigns: &HashMap<IdeaId, (String, String)>) -> Idea {
    Idea {
        id: row.id.0,
        title: row.title.clone(),
        html: markdown_to_html(&row.body),
        text: row.body.clone(),
        state: row.state,
        votes: row.votes,
        campaign: campaigns.get(&row.id).map(|(slug, _)| slug.clone()),
    }
}

/// An idea as its merchant sees it.
fn answered(conn: &mut Conn, row: IdeaRow) -> Result<Idea, Problem> {
    let campaigns = workflow::made_of_all(conn, std::slice::from_ref(&row))?;
    Ok(shown(&row, &campaigns))
}

fn known(path: &str) -> Result<IdeaId, Problem> {
    path.parse().map_err(|_| Problem::NotFound("idea"))
}

/// What a merchant might run next, most votes first. Voting is done on the merchant's page, by mail.
#[utoipa::path(get, path = "/merchants/{slug}/ideas", operation_id = "listIdeas", tag = "Interest",
    params(("slug" = String, Path, description = "The merchant's name in addresses.")),
    responses((status = 200, description = "All ideas that are shown.", body = List<Idea>), Public))]
pub(super) async fn public(ask: Ask, path: Path<String>) -> Response {
    let slug = path.into_inner();
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let merchant = merchants::by_slug(conn, &slug)?.ok_or(Problem::NotFound("merchant"))?;
            let all = rows::of_merchant(conn, merchant.id, &workflow::SHOWN, workflow::MOST)?;
            let campaigns = workflow::campaigns_of(conn, &all)?;
            let data: Vec<Idea> = all.iter().map(|row| shown(row, &campaigns)).collect();
            Answer::ok(&List {
                data,
                next_cursor: None,
            })
        })
        .await?;
    Ok(answer.respond())
}

/// All ideas of the merchant, hidden ones too, most votes first.
#[utoipa::path(get, path = "/ideas", operation_id = "listOwnIdeas", tag = "Interest", security(("key" = [])),
    responses((status = 200, description = "All of them: 200 at most.", body = List<Idea>), Public))]
pub(super) async fn list(ask: Ask) -> Response {
    let merchant = ask.merchant().await?;
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let all = rows::of_merchant(conn, merchant, IdeaState::ALL, workflow::MOST)?;
            let campaigns = workflow::made_of_all(conn, &all)?;
            let data: Vec<Idea> = all.iter().map(|row| shown(row, &campaigns)).collect();
            Answer::ok(&List {
                data,
                next_cursor: None,
            })
        })
        .await?;
    Ok(answer.respond())
}

/// One idea of the merchant, with its votes.
#[utoipa::path(get, path = "/ideas/{id}", operation_id = "getIdea", tag = "Interest",
    params(("id" = String, Path, description = "The idea.")), security(("key" = [])),
    responses((status = 200, description = "The idea.", body = Idea), Public))]
pub(super) async fn one(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let id = known(&path)?;
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let row = own_idea(conn, merchant, id)?;
            Answer::ok(&answered(conn, row)?)
        })
        .await?;
    Ok(answer.respond())
}

/// Puts an idea on the merchant's page, where it is voted for at once.
#[utoipa::path(post, path = "/ideas", operation_id = "createIdea", tag = "Interest",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = IdeaBody, security(("key" = [])),
    responses((status = 201, description = "The idea.", body = Idea,
        headers(("Location" = String, description = "Where the idea is."))), Refusals))]
pub(super) async fn create(ask: Ask) -> Response {
    let merchant = ask.merchant().await?;
    let body = ask.json()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |_, tx| {
        let mut e = Errors::default();
        let mut new = Written {
            title: String::new(),
            body: String::new(),
        };
        if let Some(mut r) = Reader::body(&body, &mut e) {
            let title = r.string("title", &mut e);
            let title = r.required("title", title, &mut e, "what it is, in a few words");
            new.title = title.unwrap_or_default();
            new.body = r.string("text", &mut e).unwrap_or_default();
            r.end(&mut e);
        }
        let row = written(e, workflow::add(tx, merchant, &new))?;
        let location = format!("/api/v1/ideas/{}", row.id);
        Answer::created(location, &answered(tx.conn, row)?)
    })
    .await
}

/// Changes an idea's words, opens it to votes, ends the voting, or hides it.
#[utoipa::path(patch, path = "/ideas/{id}", operation_id = "editIdea", tag = "Interest",
    params(("id" = String, Path, description = "The idea."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = IdeaPatch, security(("key" = [])),
    responses((status = 200, description = "The idea.", body = Idea), Refusals))]
pub(super) async fn edit(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let id = known(&path)?;
    let body = ask.json()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |_, tx| {
        let mut row = own_idea(tx.conn, merchant, id)?;
        let mut e = Errors::default();
        let mut new = Written {
            title: row.title.clone(),
            body: row.body.clone(),
        };
        let (mut words, mut to) = (false, None);
        if let Some(mut r) = Reader::body(&body, &mut e) {
            for (name, part) in [("title", &mut new.title), ("text", &mut new.body)] {
                if let Some(text) = r.string(name, &mut e) {
                    (*part, words) = (text, true);
                }
            }
            let state = r.text("state", &mut e).map(|text| {
                let to = text.parse().ok().filter(|to| *to != IdeaState::Running);
                to.ok_or("write one of: open, ended, hidden")
            });
            to = state.and_then(|state| e.keep("state", state));
            r.end(&mut e);
        }
        // A state that does not allow it is told before a wrong field.
        if let Some(to) = to {
            row = workflow::set_state(tx, merchant, id, to)?;
        }
        let row = match words {
            true => written(e, workflow::edit(tx, merchant, id, &new))?,
            false => written(e, Ok(row))?,
        };
        Answer::ok(&answered(tx.conn, row)?)
    })
    .await
}

/// Notes which draft of a campaign was made of an idea. Once that is published, whoever voted and asked for it is told.
#[utoipa::path(post, path = "/ideas/{id}/campaign", operation_id = "makeCampaignOfIdea", tag = "Interest",
    params(("id" = String, Path, description = "The idea."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = IdeaCampaignBody, security(("key" = [])),
    responses((status = 200, description = "The idea.", body = Idea), Refusals))]
pub(super) async fn campaign(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let id = known(&path)?;
    let body = ask.json()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |_, tx| {
        workflow::can_be_made(tx, merchant, id)?;
        let mut e = Errors::default();
        let mut draft = None;
        if let Some(mut r) = Reader::body(&body, &mut e) {
            let slug = r.text("slug", &mut e);
            let slug = r.required("slug", slug, &mut e, "the draft that was made of it");
            draft = match slug.map(|slug| own(tx.conn, merchant, slug)) {
                Some(Ok(row)) => Some(row),
                Some(Err(Problem::NotFound(_))) => {
                    e.add("slug", "there is no such campaign; make its draft first");
                    None
                }
                Some(Err(other)) => return Err(other),
                None => None,
            };
            r.end(&mut e);
        }
        let Some(draft) = draft.filter(|_| e.is_empty()) else {
            return Err(Problem::Invalid(e.all()));
        };
        workflow::made(tx, merchant, id, draft.id)?;
        let row = own_idea(tx.conn, merchant, id)?;
        Answer::ok(&answered(tx.conn, row)?)
    })
    .await
}

/// What was written; or all that is wrong, after what the state forbids.
fn written(e: Errors, done: Result<IdeaRow, Problem>) -> Result<IdeaRow, Problem> {
    match done {
        Err(Problem::Invalid(more)) => Err(Problem::Invalid(
            e.with(
                more.into_iter()
                    .map(|mut error| {
                        if error.field == "body" {
                            error.field = "text".to_owned();
                        }
                        error
                    })
                    .collect(),
            ),
        )),
        Err(problem) => Err(problem),
        Ok(_) if !e.is_empty() => Err(Problem::Invalid(e.all())),
        Ok(row) => Ok(row),
    }
}
