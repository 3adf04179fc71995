//! What answers a dispute (domain section 4): collected from what is kept, frozen, sent to the provider, and its outcome.
//!
//! The answer is a committed row first, then a call by the `evidence` job under the row's key, then the recorded outcome.
//! What was sent on to the bank is sent once; before that it may be laid down at the provider as often as one likes.

mod collect;

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, Utc};

use super::desk::{Concerns, Desk, Problem, enqueue, happened, lock_campaign, offer, order_number};
use super::dispute::PREVENTED;
use super::money::say;
use super::ports::{EvidenceField, NewEvidence, ProviderDispute};
use crate::domain::day::day_of;
use crate::domain::ids::MerchantId;
use crate::domain::payment::{DisputeState, EvidenceState};
use crate::domain::text::clean_text;
use crate::store::campaigns::CampaignRow;
use crate::store::evidence::{self, EvidenceRow};
use crate::store::orders::OrderRow;
use crate::store::refunds::DisputeRow;
use crate::store::{Conn, Tx, campaigns, jobs, orders, refunds};

pub use collect::{Collected, Part, collect};

/// Staff are told so long before the last moment of an answer.
const REMINDER: Duration = Duration::days(2);
/// Longest words of staff, in characters.
pub const MAX_NOTE: usize = 5_000;

/// Where a dispute stands in the panel.
pub fn path(dispute: &str) -> String {
    format!("/admin/disputes/{dispute}")
}

/// Whether a text can be an id of the provider's.
pub fn is_id(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    (1..=100).contains(&text.len()) && text.bytes().all(fits)
}

/// What staff are asked to do about a dispute, and by when.
pub fn what_to_do(campaign: &CampaignRow, dispute: &DisputeRow) -> String {
    let day = dispute.due_by.and_then(|due| {
        let zone = offer(campaign).ok()?.time_zone;
        Some(day_of(due.and_utc(), zone).format("%-d %B %Y").to_string())
    });
    match day {
        Some(day) => format!(
            "What is known of the order is collected on one page. Send it to the provider before {day}."
        ),
        None => {
            "What is known of the order is collected on one page. The provider named no last day."
                .to_owned()
        }
    }
}

/// The bank asks before it raises a dispute: staff are told.
///
/// # Errors
/// What the database says.
pub fn asked(
    desk: &Desk,
    tx: &mut Tx,
    order: &OrderRow,
    dispute: &DisputeRow,
) -> Result<(), Problem> {
    let amount = say(dispute.amount, &order.currency);
    let reason = dispute.reason.replace('_', " ");
    let detail = format!("The cardholder's bank asks about {amount}: {reason}.");
    happened(tx, Concerns::order(order), "system", "inquired", detail)?;
    let campaign = campaign_of(tx.conn, order)?;
    desk.tell_staff(
        tx,
        Concerns::order(order),
        &format!("inquired:{}", dispute.provider_id),
        &format!(
            "A bank asks about {amount}: order {}",
            order_number(order.number)
        ),
        vec![what_to_do(&campaign, dispute)],
        &path(&dispute.provider_id),
    )
}

fn campaign_of(conn: &mut Conn, order: &OrderRow) -> Result<CampaignRow, Problem> {
    campaigns::by_id(conn, order.campaign_id)?.ok_or(Problem::NotFound("campaign"))
}

/// Tells staff of a dispute that nobody answered and that ends soon, once; when to look again for that, where it is not
/// time yet.
///
/// # Errors
/// What the database says.
pub fn remind(desk: &Desk, tx: &mut Tx, id: &str) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(dispute) = refunds::dispute(tx.conn, id)? else {
        return Ok(None);
    };
    let Some(due) = dispute.due_by.map(|due| due.and_utc()) else {
        return Ok(None);
    };
    let answered = is_answered(&evidence::of_dispute(tx.conn, id)?);
    if dispute.state.is_over() || answered || tx.now >= due {
        return Ok(None);
    }
    let at = due - REMINDER;
    if tx.now < at {
        return Ok(Some(at));
    }
    let order = orders::by_id(tx.conn, dispute.order_id)?.ok_or(Problem::NotFound("order"))?;
    let campaign = campaign_of(tx.conn, &order)?;
    desk.tell_staff(
        tx,
        Concerns::order(&order),
        &format!("dispute_ends:{id}"),
        &format!(
            "Nobody answered a dispute over {}: order {}",
            say(dispute.amount, &order.currency),
            order_number(order.number)
        ),
        vec![
            what_to_do(&campaign, &dispute),
            "A dispute that is not answered is lost.".to_owned(),
        ],
        &path(id),
    )?;
    Ok(None)
}

fn is_answered(rows: &[EvidenceRow]) -> bool {
    let counts = |row: &EvidenceRow| {
        row.submits && !matches!(row.state, EvidenceState::Refused | EvidenceState::Absent)
    };
    rows.iter().any(counts)
}

/// A merchant's dispute with its order.
///
/// # Errors
/// That there is none, or it is another's.
pub fn of_merchant(
    conn: &mut Conn,
    merchant: MerchantId,
    id: &str,
) -> Result<(DisputeRow, OrderRow), Problem> {
    let dispute = refunds::dispute(conn, id)?.ok_or(Problem::NotFound("dispute"))?;
    let order = orders::by_id(conn, dispute.order_id)?
        .filter(|order| order.merchant_id == merchant)
        .ok_or(Problem::NotFound("dispute"))?;
    Ok((dispute, order))
}

/// Why a dispute can't be answered now; none where it can.
pub fn why_not(
    dispute: &DisputeRow,
    rows: &[EvidenceRow],
    now: DateTime<Utc>,
) -> Option<&'static str> {
    let in_flight =
        |row: &EvidenceRow| matches!(row.state, EvidenceState::Planned | EvidenceState::Sent);
    match dispute.state {
        DisputeState::Won | DisputeState::Lost => Some("The bank has decided this dispute."),
        _ if dispute.provider_state == PREVENTED => {
            Some("It was ended before it was raised: there is nothing to answer.")
        }
        _ if is_answered(rows) => Some("It was sent to the provider. An answer is taken once."),
        _ if rows.iter().any(in_flight) => {
            Some("The provider is being told. Look again in a minute.")
        }
        _ if dispute.due_by.is_some_and(|due| now >= due.and_utc()) => {
            Some("The last day for an answer is over.")
        }
        DisputeState::Inquiry | DisputeState::Open => None,
    }
}

/// Commits an answer to a dispute: what is collected, as of now, with the words of staff. The call follows as work.
/// `submits`: it goes on to the bank; else it is only laid down at the provider.
///
/// # Errors
/// A conflict where it can't be answered; field `note` where the words are too long.
pub fn answer(
    tx: &mut Tx,
    (merchant, person): (MerchantId, &str),
    id: &str,
    note: &str,
    submits: bool,
) -> Result<(), Problem> {
    let (_, order) = of_merchant(tx.conn, merchant, id)?;
    lock_campaign(tx, order.campaign_id)?;
    let (dispute, order) = of_merchant(tx.conn, merchant, id)?;
    let rows = evidence::of_dispute(tx.conn, id)?;
    if let Some(why) = why_not(&dispute, &rows, tx.now) {
        return Err(Problem::conflict("dispute-closed", why));
    }
    let note = clean_text(note, MAX_NOTE).map_err(|say| Problem::field("note", say))?;
    let content = collect(tx.conn, &dispute, &order)?.fields(&note);
    let attempt = rows.last().map_or(0, |row| row.attempt) + 1;
    plan(
        tx,
        id,
        attempt,
        submits,
        serde_json::to_string(&content)?,
        person,
    )?;
    let detail = match submits {
        true => "What is known of the order is sent to the provider, for the bank.",
        false => "What is known of the order is laid down at the provider.",
    };
    happened(
        tx,
        Concerns::order(&order),
        person,
        "dispute_answered",
        detail,
    )
}

fn plan(
    tx: &mut Tx,
    id: &str,
    attempt: i32,
    submits: bool,
    content: String,
    person: &str,
) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    let row = EvidenceRow {
        dispute_id: id.to_owned(),
        attempt,
        state: EvidenceState::Planned,
        submits,
        content,
        idempotency_key: format!("muster-evidence-{id}-{attempt}"),
        prepared_by: person.to_owned(),
        problem: None,
        created_at: now,
        sent_at: None,
        done_at: None,
    };
    evidence::insert(tx.conn, &row)?;
    enqueue(tx, jobs::EVIDENCE, &format!("{id}:{attempt}"), now)
}

/// The call that is due for an answer, with its key; it is noted that it is about to be sent. None where nothing is.
///
/// # Errors
/// What the database says; a damaged row.
pub fn next(tx: &mut Tx, id: &str, attempt: i32) -> Result<Option<(NewEvidence, String)>, Problem> {
    let Some(mut row) = evidence::one(tx.conn, id, attempt)? else {
        return Ok(None);
    };
    if !matches!(row.state, EvidenceState::Planned | EvidenceState::Sent) {
        return Ok(None);
    }
    if row.state == EvidenceState::Planned {
        row.state = EvidenceState::Sent;
        row.sent_at = Some(tx.now.naive_utc());
        evidence::save(tx.conn, &row)?;
    }
    let fields: BTreeMap<EvidenceField, String> = serde_json::from_str(&row.content)?;
    let new = NewEvidence {
        dispute: row.dispute_id,
        fields,
        submits: row.submits,
    };
    Ok(Some((new, row.idempotency_key)))
}

fn end(
    tx: &mut Tx,
    id: &str,
    attempt: i32,
    state: EvidenceState,
    why: Option<&str>,
) -> Result<Option<EvidenceRow>, Problem> {
    let row = evidence::one(tx.conn, id, attempt)?;
    let open =
        |row: &EvidenceRow| matches!(row.state, EvidenceState::Planned | EvidenceState::Sent);
    let Some(mut row) = row.filter(open) else {
        return Ok(None);
    };
    row.state = state;
    row.problem = why.map(str::to_owned);
    row.done_at = Some(tx.now.naive_utc());
    evidence::save(tx.conn, &row)?;
    Ok(Some(row))
}

/// The provider has the answer; what it says of the dispute is applied.
///
/// # Errors
/// What the database says.
pub fn taken(
    desk: &Desk,
    tx: &mut Tx,
    attempt: i32,
    said: &ProviderDispute,
) -> Result<(), Problem> {
    end(tx, &said.id, attempt, EvidenceState::Done, None)?;
    super::dispute::heard(desk, tx, said)?;
    Ok(())
}

/// A received 5xx, and the provider does not have the answer: the same words again under a new key.
///
/// # Errors
/// What the database says.
pub fn anew(tx: &mut Tx, id: &str, attempt: i32, why: &str) -> Result<(), Problem> {
    let Some(row) = end(tx, id, attempt, EvidenceState::Absent, Some(why))? else {
        return Ok(());
    };
    plan(
        tx,
        id,
        attempt + 1,
        row.submits,
        row.content,
        &row.prepared_by,
    )
}

/// The provider did not take the answer: staff are told why.
///
/// # Errors
/// What the database says.
pub fn refused(desk: &Desk, tx: &mut Tx, id: &str, attempt: i32, why: &str) -> Result<(), Problem> {
    if end(tx, id, attempt, EvidenceState::Refused, Some(why))?.is_none() {
        return Ok(());
    }
    let dispute = refunds::dispute(tx.conn, id)?.ok_or(Problem::NotFound("dispute"))?;
    let order = orders::by_id(tx.conn, dispute.order_id)?.ok_or(Problem::NotFound("order"))?;
    desk.tell_staff(
        tx,
        Concerns::order(&order),
        &format!("evidence_refused:{id}:{attempt}"),
        &format!(
            "The provider did not take an answer: order {}",
            order_number(order.number)
        ),
        vec![why.to_owned()],
        &path(id),
    )
}
