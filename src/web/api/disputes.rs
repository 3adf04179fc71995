//! Disputes: what a bank takes back or asks about, what is known of the order, and the answer.

use actix_web::web::Path;
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::{Answer, Response, change};
use super::ask::Ask;
use super::document::Refusals;
use super::fields::{Errors, Reader};
use super::paging::{List, PageAsked};
use crate::domain::ids::MerchantId;
use crate::domain::money::Money;
use crate::domain::payment::{DisputeState, EvidenceState};
use crate::store::evidence::{self as rows, EvidenceRow};
use crate::store::orders::OrderRow;
use crate::store::refunds::DisputeRow;
use crate::store::{Conn, orders};
use crate::workflows::desk::{Problem, order_number};
use crate::workflows::evidence::{self as workflow, collect, is_id, of_merchant, why_not};
use crate::workflows::money::currency;

/// A dispute.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Dispute {
    /// Its id at the provider.
    id: String,
    order_id: Uuid,
    /// The order's number as people say it.
    order: String,
    amount: Money,
    state: DisputeState,
    /// The provider's own word for the state.
    provider_state: String,
    /// Why, in the provider's word.
    reason: String,
    opened_at: DateTime<Utc>,
    /// The provider takes an answer before this moment; null where it named none.
    #[schema(required)]
    answer_before: Option<DateTime<Utc>>,
    /// When the bank decided.
    #[schema(required)]
    closed_at: Option<DateTime<Utc>>,
}

/// A dispute with all that is known of its order, and what was answered.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DisputeFile {
    dispute: Dispute,
    /// Why it can't be answered now; null where it can.
    #[schema(required)]
    not_answerable: Option<String>,
    /// What is known, as it would be sent now.
    evidence: Vec<EvidencePart>,
    /// First to last.
    answers: Vec<DisputeAnswer>,
}

/// One part of what is known.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EvidencePart {
    title: String,
    /// A sentence each.
    lines: Vec<String>,
}

/// An answer to a dispute.
#[derive(Debug, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DisputeAnswer {
    /// 1 for the first.
    attempt: i32,
    state: EvidenceState,
    /// Whether it goes on to the bank; else it is only laid down at the provider.
    submit: bool,
    /// Who sent it.
    by: String,
    created_at: DateTime<Utc>,
    /// When the provider had taken or refused it.
    #[schema(required)]
    done_at: Option<DateTime<Utc>>,
    /// Why it was not taken.
    #[schema(required)]
    problem: Option<String>,
}

/// An answer: what is known of the order goes to the provider, with words of one's own.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct EvidenceBody {
    /// Stands under what is collected; the bank reads it.
    #[schema(max_length = 5000)]
    note: Option<String>,
    /// True, and where it is left out: it goes on to the bank, once. False: it is only laid down at the provider.
    submit: Option<bool>,
}

fn dispute(row: &DisputeRow, order: &OrderRow) -> Result<Dispute, Problem> {
    Ok(Dispute {
        id: row.provider_id.clone(),
        order_id: order.id.0,
        order: order_number(order.number),
        amount: Money::new(row.amount, currency(&order.currency)?),
        state: row.state,
        provider_state: row.provider_state.clone(),
        reason: row.reason.clone(),
        opened_at: row.opened_at.and_utc(),
        answer_before: row.due_by.map(|at| at.and_utc()),
        closed_at: row.closed_at.map(|at| at.and_utc()),
    })
}

fn answered(row: EvidenceRow) -> DisputeAnswer {
    DisputeAnswer {
        attempt: row.attempt,
        state: row.state,
        submit: row.submits,
        by: row.prepared_by,
        created_at: row.created_at.and_utc(),
        done_at: row.done_at.map(|at| at.and_utc()),
        problem: row.problem,
    }
}

fn file(
    conn: &mut Conn,
    merchant: MerchantId,
    id: &str,
    now: DateTime<Utc>,
) -> Result<DisputeFile, Problem> {
    let (row, order) = of_merchant(conn, merchant, id)?;
    let answers = rows::of_dispute(conn, id)?;
    let parts = collect(conn, &row, &order)?.parts;
    Ok(DisputeFile {
        not_answerable: why_not(&row, &answers, now).map(str::to_owned),
        dispute: dispute(&row, &order)?,
        evidence: parts
            .into_iter()
            .map(|part| EvidencePart {
                title: part.title.to_owned(),
                lines: part.lines,
            })
            .collect(),
        answers: answers.into_iter().map(answered).collect(),
    })
}

/// The dispute of an address; what can be no id of the provider's is not asked for.
fn known(path: &str) -> Result<String, Problem> {
    match is_id(path) {
        true => Ok(path.to_owned()),
        false => Err(Problem::NotFound("dispute")),
    }
}

/// The merchant's disputes, newest first.
#[utoipa::path(get, path = "/disputes", operation_id = "listDisputes", tag = "Disputes",
    params(("limit" = Option<i64>, Query, description = "Entries of a page, 1 to 100; 20 where it is left out."),
        ("cursor" = Option<String>, Query, description = "The next_cursor of the page before.")),
    security(("key" = [])),
    responses((status = 200, description = "A page of the list.", body = List<Dispute>), Refusals))]
pub(super) async fn list(ask: Ask) -> Response {
    let merchant = ask.merchant().await?;
    let page = PageAsked::by(&ask, |text| is_id(text).then(|| text.to_owned()))?;
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            let mut found = rows::disputes_of(conn, merchant, page.after.as_deref(), page.rows())?;
            let next_cursor = page.cut(&mut found, |row| row.provider_id.clone());
            let mut data = Vec::with_capacity(found.len());
            for row in &found {
                let order = orders::by_id(conn, row.order_id)?.ok_or(Problem::NotFound("order"))?;
                data.push(dispute(row, &order)?);
            }
            Answer::ok(&List { data, next_cursor })
        })
        .await?;
    Ok(answer.respond())
}

/// One dispute: what is known of its order, and what was answered.
#[utoipa::path(get, path = "/disputes/{id}", operation_id = "getDispute", tag = "Disputes",
    params(("id" = String, Path, description = "The dispute's id at the provider.")),
    security(("key" = [])),
    responses((status = 200, description = "The dispute.", body = DisputeFile), Refusals))]
pub(super) async fn one(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let (id, now) = (known(&path)?, ask.office.now());
    let answer = ask
        .office
        .read(move |conn| -> Result<Answer, Problem> {
            Answer::ok(&file(conn, merchant, &id, now)?)
        })
        .await?;
    Ok(answer.respond())
}

/// Sends what is known of the order to the provider, with words of one's own. What goes on to the bank is taken once.
#[utoipa::path(post, path = "/disputes/{id}/evidence", operation_id = "answerDispute", tag = "Disputes",
    params(("id" = String, Path, description = "The dispute's id at the provider."),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body give the first answer again.")),
    request_body = Option<EvidenceBody>, security(("key" = [])),
    responses((status = 200, description = "The dispute, with the answer on its way.", body = DisputeFile), Refusals))]
pub(super) async fn answer(ask: Ask, path: Path<String>) -> Response {
    let merchant = ask.merchant().await?;
    let id = known(&path)?;
    let body = ask.json_or_nothing()?;
    change(&ask.office, ask.keyed(Some(merchant))?, move |_, tx| {
        let mut e = Errors::default();
        let (mut note, mut submits) = (String::new(), true);
        if let Some(mut r) = Reader::body(&body, &mut e) {
            note = r.string("note", &mut e).unwrap_or_default();
            submits = r.boolean("submit", &mut e).unwrap_or(true);
            r.end(&mut e);
        }
        let done = workflow::answer(tx, (merchant, "API"), &id, &note, submits);
        match done {
            Err(Problem::Invalid(more)) => return Err(Problem::Invalid(e.with(more))),
            Err(problem) => return Err(problem),
            Ok(()) if !e.is_empty() => return Err(Problem::Invalid(e.all())),
            Ok(()) => {}
        }
        Answer::ok(&file(tx.conn, merchant, &id, tx.now)?)
    })
    .await
}
