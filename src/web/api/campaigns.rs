//! Campaigns: the list, one of them, and what a merchant's program does with them.

use actix_web::HttpResponse;
use actix_web::web::Path;
use chrono::{DateTime, Utc};
use serde_json::{Map, Value};

use super::answer::{Answer, Response, change};
use super::ask::Ask;
use super::bodies::{self, CampaignBody, CampaignPatch, ExtendBody, NothingBody, ReasonBody};
use super::document::{Public, Refusals};
use super::fields::{Errors, Reader};
use super::paging::{List, PageAsked};
use super::views::{self, Batch, Campaign};
use crate::domain::campaign::CampaignState;
use crate::domain::draft::{CampaignDraft, CampaignInput, FieldError, lock_violations};
use crate::domain::ids::{CampaignId, MerchantId};
use crate::domain::slug::is_valid_slug;
use crate::store::campaigns::CampaignRow;
use crate::store::{Conn, Tx, campaigns as store};
use crate::workflows::campaigns as workflow;
use crate::workflows::desk::{Problem, offer};

/// Every state that the public sees.
const PUBLIC: [CampaignState; 8] = [
    CampaignState::Interest,
    CampaignState::Scheduled,
    CampaignState::Open,
    CampaignState::Collecting,
    CampaignState::Ordered,
    CampaignState::Fulfilling,
    CampaignState::Completed,
    CampaignState::Failed,
];

/// A name in addresses that can be one: anything else is not found without asking the database.
pub(super) fn slug(path: &str) -> Result<String, Problem> {
    if is_valid_slug(path) {
        Ok(path.to_owned())
    } else {
        Err(Problem::NotFound("campaign"))
    }
}

/// The public campaign of this name.
pub(super) fn public(conn: &mut Conn, slug: &str) -> Result<CampaignRow, Problem> {
    store::by_slug(conn, slug)?
        .filter(|row| row.state.is_public())
        .ok_or(Problem::NotFound("campaign"))
}

/// A campaign of the merchant's own, as it is kept.
///
/// # Errors
/// That there is none.
pub(super) fn own(
    conn: &mut Conn,
    merchant: MerchantId,
    slug: &str,
) -> Result<CampaignRow, Problem> {
    store::by_slug(conn, slug)?
        .filter(|row| row.merchant_id == merchant)
        .ok_or(Problem::NotFound("campaign"))
}

fn shown(tx: &mut Tx, row: &CampaignRow) -> Result<Answer, Problem> {
    Answer::ok(&views::campaign(tx.conn, row)?)
}

/// Campaigns, newest first. Drafts are never shown.
#[utoipa::path(get, path = "/campaigns", operation_id = "listCampaigns", tag = "Campaigns",
    params(
        ("limit" = Option<i64>, Query, description = "Entries of a page, 1 to 100; 20 where it is left out."),
        ("cursor" = Option<String>, Query, description = "The next_cursor of the page before."),
    ),
    responses((status = 200, description = "A page of the list.", body = List<Campaign>), Public))]
pub(super) async fn list(ask: Ask) -> Response {
    let page = PageAsked::of(&ask)?;
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let after = page.after.map(CampaignId);
            let mut rows = store::published(conn, &PUBLIC, after, page.rows())?;
            let next_cursor = page.cut(&mut rows, |row| row.id.0);
            let data = rows
                .iter()
                .map(|row| views::campaign(conn, row))
                .collect::<Result<_, _>>()?;
            Answer::ok(&List { data, next_cursor })
        })
        .await?;
    Ok(answer.respond())
}

/// One campaign. With a merchant's key its own drafts, too.
#[utoipa::path(get, path = "/campaigns/{slug}", operation_id = "getCampaign", tag = "Campaigns",
    params(("slug" = String, Path, description = "The campaign's name in addresses.")),
    security((), ("key" = [])),
    responses((status = 200, description = "The campaign.", body = Campaign), Public))]
pub(super) async fn one(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.maybe_merchant().await?;
    let slug = slug(&path)?;
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let row = store::by_slug(conn, &slug)?
                .filter(|row| row.state.is_public() || Some(row.merchant_id) == merchant)
                .ok_or(Problem::NotFound("campaign"))?;
            Answer::ok(&views::campaign(conn, &row)?)
        })
        .await?;
    Ok(answer.respond())
}

/// Reads the body that makes a campaign.
///
/// # Errors
/// Everything that is wrong with it.
pub fn input(body: &Value, now: DateTime<Utc>) -> Result<CampaignInput, Vec<FieldError>> {
    let mut e = Errors::default();
    let input = bodies::campaign(body, &mut e);
    if e.is_empty() {
        return Ok(input);
    }
    let more = input.check(now).err().unwrap_or_default();
    Err(e.with(more))
}

/// Makes a draft of a campaign.
#[utoipa::path(post, path = "/campaigns", operation_id = "createCampaign", tag = "Campaigns",
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = CampaignBody, security(("key" = [])),
    responses((status = 201, description = "The draft.", body = Campaign,
        headers(("Location" = String, description = "Where it is."))), Refusals))]
pub(super) async fn create(ask: Ask) -> Response {
    let merchant = ask.merchant().await?;
    let body = ask.json()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |_, tx| {
        let input = input(&body, tx.now).map_err(Problem::Invalid)?;
        let row = workflow::create(tx, merchant, input)?;
        let location = format!("/api/v1/campaigns/{}", row.slug);
        Answer::created(location, &views::campaign(tx.conn, &row)?)
    })
    .await
}

/// Changes a campaign by a JSON merge patch; after the first order only what the rules leave open.
#[utoipa::path(patch, path = "/campaigns/{slug}", operation_id = "changeCampaign", tag = "Campaigns",
    params(("slug" = String, Path, description = "The campaign's name in addresses.")),
    request_body(content((CampaignPatch = "application/merge-patch+json"), (CampaignPatch = "application/json"))),
    security(("key" = [])),
    responses((status = 200, description = "The campaign.", body = Campaign), Refusals))]
pub(super) async fn edit(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let slug = slug(&path)?;
    let patch = ask.json()?;
    change(&ask.office, None, move |_, tx| {
        let row = workflow::own(tx, merchant, &slug)?;
        let old = offer(&row)?;
        let mut before = old.to_input();
        // A new title alone does not move the campaign to another address.
        before.slug = Some(row.slug.clone());
        let mut e = Errors::default();
        let input = patched(&before, &patch, &mut e)?;
        let refused = if e.is_empty() {
            match workflow::edit(tx, merchant, &slug, input) {
                Err(Problem::Invalid(errors)) => errors,
                done => return shown(tx, &done?),
            }
        } else {
            // What the state forbids is told first: the offer as it is meets the same refusal.
            workflow::edit(tx, merchant, &slug, before.clone())?;
            let more = input.check_change(tx.now, &old).err().unwrap_or_default();
            e.with(more)
        };
        if row.first_order_at.is_some() {
            locked_besides(tx, &old, &before, &patch, &refused)?;
        }
        Err(Problem::Invalid(refused))
    })
    .await
}

/// An offer with a patch over it.
fn patched(
    before: &CampaignInput,
    patch: &Value,
    e: &mut Errors,
) -> Result<CampaignInput, Problem> {
    if Reader::body(patch, e).is_none() {
        return Ok(before.clone());
    }
    let mut merged = serde_json::to_value(before)?;
    merge(&mut merged, patch);
    Ok(bodies::campaign(&merged, e))
}

/// Refuses a patch as `locked` where, apart from its wrong fields, it changes what is locked.
fn locked_besides(
    tx: &Tx,
    old: &CampaignDraft,
    before: &CampaignInput,
    patch: &Value,
    wrong: &[FieldError],
) -> Result<(), Problem> {
    let mut good = patch.clone();
    if let Value::Object(fields) = &mut good {
        fields.retain(|name, _| {
            !wrong.iter().any(|error| {
                let first = error.field.split(['.', '[']).next();
                first == Some(name.as_str())
            })
        });
    }
    let mut e = Errors::default();
    let input = patched(before, &good, &mut e)?;
    match input.check_change(tx.now, old) {
        Ok(new) if e.is_empty() => {
            let violations = lock_violations(old, &new);
            if violations.is_empty() {
                Ok(())
            } else {
                Err(Problem::locked(violations))
            }
        }
        _ => Ok(()),
    }
}

/// Lays a merge patch over a value (RFC 7396).
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    if let Value::Object(target) = target {
        for (name, value) in patch {
            if value.is_null() {
                target.remove(name);
            } else {
                merge(target.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
    }
}

/// Nothing is sent with the call; what is sent all the same is refused by name.
///
/// # Errors
/// When the body is no JSON. What is wrong with it otherwise is given back: a conflict is told before it.
pub(super) fn nothing(ask: &Ask) -> Result<Vec<FieldError>, super::answer::Fault> {
    let body = ask.json_or_nothing()?;
    let mut e = Errors::default();
    if let Some(reader) = Reader::body(&body, &mut e) {
        reader.end(&mut e);
    }
    Ok(e.all())
}

/// Tells what was wrong with a body, after the workflow had nothing against it; what that did is taken back.
pub(super) fn then_refuse(wrong: &[FieldError]) -> Result<(), Problem> {
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(Problem::Invalid(wrong.to_vec()))
    }
}

/// Publishes a draft: it opens now or at its time, or, with `interest`, asks first who would buy. Once more, in state
/// `interest`: opens it, or announces it where its `opens_at` lies ahead (change that to null to open it now); the dates
/// are checked again, and everybody who answered is told when it opens.
#[utoipa::path(post, path = "/campaigns/{slug}/publish", operation_id = "publishCampaign", tag = "Campaigns",
    params(("slug" = String, Path, description = "The campaign's name in addresses."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gives the first answer again.")),
    request_body = Option<NothingBody>, security(("key" = [])),
    responses((status = 200, description = "The campaign, and what the seller should still add.", body = Campaign), Refusals))]
pub(super) async fn publish(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let slug = slug(&path)?;
    let wrong = nothing(&ask)?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |desk, tx| {
        let row = workflow::publish(desk, tx, merchant, &slug)?;
        then_refuse(&wrong)?;
        let mut campaign = views::campaign(tx.conn, &row)?;
        campaign.warnings = workflow::missing_for_publication(tx, merchant)?
            .into_iter()
            .map(|what| format!("Add {what} before shoppers come."))
            .collect();
        Answer::ok(&campaign)
    })
    .await
}

/// Moves the deadline, once, before it passes. Every shopper is told and may leave for a full refund.
#[utoipa::path(post, path = "/campaigns/{slug}/extend", operation_id = "extendCampaign", tag = "Campaigns",
    params(("slug" = String, Path, description = "The campaign's name in addresses."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = ExtendBody, security(("key" = [])),
    responses((status = 200, description = "The campaign.", body = Campaign), Refusals))]
pub(super) async fn extend(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let slug = slug(&path)?;
    let body = ask.json()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |_, tx| {
        let mut e = Errors::default();
        let read = bodies::extension(&body, &mut e);
        if let Some((deadline, ships_by)) = read.filter(|_| e.is_empty()) {
            let row = workflow::extend(tx, merchant, &slug, deadline, ships_by)?;
            return shown(tx, &row);
        }
        // The present deadline is never a later one: what comes back is a conflict, or a wrong field like ours.
        let present = workflow::own(tx, merchant, &slug)?.deadline.and_utc();
        match workflow::extend(tx, merchant, &slug, present, None) {
            Err(problem @ Problem::Conflict { .. }) => Err(problem),
            Ok(_) | Err(_) => Err(Problem::Invalid(e.all())),
        }
    })
    .await
}

/// Ends joining before the deadline, once the threshold is collected.
#[utoipa::path(post, path = "/campaigns/{slug}/close", operation_id = "closeCampaign", tag = "Campaigns",
    params(("slug" = String, Path, description = "The campaign's name in addresses."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key gives the first answer again.")),
    request_body = Option<NothingBody>, security(("key" = [])),
    responses((status = 200, description = "The campaign.", body = Campaign), Refusals))]
pub(super) async fn close(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let slug = slug(&path)?;
    let wrong = nothing(&ask)?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |_, tx| {
        let row = workflow::close(tx, merchant, &slug)?;
        then_refuse(&wrong)?;
        shown(tx, &row)
    })
    .await
}

/// Cancels a campaign: everybody gets the money back.
#[utoipa::path(post, path = "/campaigns/{slug}/cancel", operation_id = "cancelCampaign", tag = "Campaigns",
    params(("slug" = String, Path, description = "The campaign's name in addresses."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = ReasonBody, security(("key" = [])),
    responses((status = 200, description = "The campaign.", body = Campaign), Refusals))]
pub(super) async fn cancel(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let slug = slug(&path)?;
    let body = ask.json()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |desk, tx| {
        let mut e = Errors::default();
        let reason = bodies::reason(&body, &mut e).filter(|_| e.is_empty());
        // Without a reason the workflow refuses in any case; a conflict is told first.
        let said = reason.as_deref().unwrap_or_default();
        match workflow::cancel(desk, tx, merchant, &slug, said) {
            Err(Problem::Invalid(_)) if !e.is_empty() => Err(Problem::Invalid(e.all())),
            Err(problem) => Err(problem),
            Ok(row) => shown(tx, &row),
        }
    })
    .await
}

/// A campaign's batches with their purchase orders.
#[utoipa::path(get, path = "/campaigns/{slug}/batches", operation_id = "listBatches", tag = "Campaigns",
    params(("slug" = String, Path, description = "The campaign's name in addresses.")),
    security(("key" = [])),
    responses((status = 200, description = "All batches.", body = List<Batch>), Refusals))]
pub(super) async fn batches(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let slug = slug(&path)?;
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let row = own(conn, merchant, &slug)?;
            let data = store::batches_of(conn, row.id)?
                .iter()
                .map(|batch| views::batch(conn, batch))
                .collect::<Result<_, _>>()?;
            Answer::ok(&List {
                data,
                next_cursor: None,
            })
        })
        .await?;
    Ok::<HttpResponse, _>(answer.respond())
}
