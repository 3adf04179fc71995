//! One payment page, from its planned creation to its end (domain sections 2 and 4).

use chrono::{DateTime, Duration, Utc};

use super::{Next, Trouble, collect, unreadable};
use crate::domain::payment::AttemptState;
use crate::store::jobs::JobRow;
use crate::store::orders::{OrderRow, PaymentRow};
use crate::workflows::desk::Problem;
use crate::workflows::office::Office;
use crate::workflows::payment::{self, Due};
use crate::workflows::ports::{CallError, ChangeNote, Page};

/// Does the next thing for a page. `job`: the piece of work that this is, where it is one of its own.
pub(super) async fn drive(
    office: &Office,
    subject: &str,
    job: Option<&JobRow>,
) -> Result<Next, Trouble> {
    let (id, attempt) = subject
        .split_once(':')
        .and_then(|(order, attempt)| Some((order.parse().ok()?, attempt.parse().ok()?)))
        .ok_or_else(|| unreadable(subject))?;
    let due = office
        .write(move |desk, tx| payment::due(desk, tx, id, attempt))
        .await?;
    match due {
        Due::Make(rows) => make(office, job, *rows).await,
        Due::CancelFirst(left) => collect::cancel_left_behind(office, id, left).await,
        Due::Charge(rows) => collect::charge(office, job, *rows).await,
        Due::Find(rows) => collect::find(office, job, *rows).await,
        Due::Intent(intent) => collect::intent(office, id, attempt, intent).await,
        Due::Look(page) => look(office, job, page).await,
        Due::Ask(session) => {
            let said = office.provider().page(session).await?;
            office
                .write(move |desk, tx| payment::heard(desk, tx, id, attempt, &said))
                .await?;
            Ok(Next::Done)
        }
        Due::Nothing => Ok(Next::Done),
    }
}

/// Applies what the provider says of a page and ends this piece of work, in one commit: in a rush each commit counts.
async fn heard(
    office: &Office,
    job: Option<&JobRow>,
    page: &PaymentRow,
    said: Page,
    next: impl Fn(AttemptState, DateTime<Utc>) -> Option<DateTime<Utc>> + Send + 'static,
) -> Result<Next, Trouble> {
    let (job, id, attempt) = (job.cloned(), page.order_id, page.attempt);
    office
        .write(move |desk, tx| -> Result<(), Problem> {
            let state = payment::heard(desk, tx, id, attempt, &said)?;
            let next = next(state, tx.now);
            super::end_within(tx, job.as_ref(), next)
        })
        .await?;
    Ok(Next::Kept)
}

/// Makes the page.
async fn make(
    office: &Office,
    job: Option<&JobRow>,
    (order, page, change): (OrderRow, PaymentRow, Option<ChangeNote>),
) -> Result<Next, Trouble> {
    let (id, attempt) = (page.order_id, page.attempt);
    let request = payment::page_request(office.desk(), &order, &page, change)?;
    let key = page.idempotency_key.clone();
    match office.provider().create_page(request, key).await {
        Ok(said) => {
            let made = page.clone();
            heard(office, job, &page, said, move |state, now| match state {
                AttemptState::Open if made.close_wanted => Some(now),
                AttemptState::Open => Some(next_look(&made, now)),
                _ => None,
            })
            .await
        }
        Err(CallError::Broken(why)) => {
            // Nobody has the first page's address: a new attempt with a new key at once.
            office
                .write(move |desk, tx| payment::try_anew(desk, tx, id, attempt, true, &why))
                .await?;
            Ok(Next::Done)
        }
        Err(CallError::Refused { param, message, .. }) if param == "expires_at" => {
            office
                .write(move |desk, tx| payment::try_anew(desk, tx, id, attempt, false, &message))
                .await?;
            Ok(Next::Done)
        }
        Err(CallError::Refused { code, message, .. }) if code == "idempotency_error" => {
            office
                .write(move |desk, tx| payment::try_anew(desk, tx, id, attempt, true, &message))
                .await?;
            Ok(Next::Done)
        }
        Err(CallError::Refused { message, code, .. }) => {
            log::error!("the provider makes no page for order {id}: {code} {message}");
            office
                .write(move |desk, tx| payment::refused(desk, tx, id, attempt, &message))
                .await?;
            Ok(Next::Done)
        }
        Err(e @ (CallError::Unknown(_) | CallError::Later(_))) => Err(e.into()),
    }
}

/// Asks where the page stands; at its end, or when it is not wanted any more, it is expired first.
async fn look(office: &Office, job: Option<&JobRow>, page: PaymentRow) -> Result<Next, Trouble> {
    let (id, attempt) = (page.order_id, page.attempt);
    let Some(session) = page.session_id.clone() else {
        return Ok(Next::Done);
    };
    let over = office.now() >= page.expires_at.and_utc();
    if page.close_wanted || over {
        let key = format!("muster-expire-{id}-{attempt}");
        match office.provider().expire_page(session.clone(), key).await {
            Ok(_) | Err(CallError::Refused { .. }) => {}
            // Whatever became of it, the page itself says.
            Err(CallError::Broken(why)) => log::warn!("expiring {session}: {why}"),
            Err(e) => return Err(e.into()),
        }
    }
    let said = office.provider().page(session).await?;
    let is_known = said.status.is_some();
    let looked = page.clone();
    heard(office, job, &page, said, move |state, now| match state {
        // A word that is not known is not known half a minute later: staff see it.
        AttemptState::Open if over && !is_known => Some(now + Duration::hours(1)),
        // Open all the same: the expiry did not take. Again, soon.
        AttemptState::Open if looked.close_wanted || over => Some(now + Duration::seconds(30)),
        AttemptState::Open => Some(next_look(&looked, now)),
        AttemptState::Processing => Some(now + Duration::hours(1)),
        _ => None,
    })
    .await
}

/// When to ask for what no webhook told: soon after the page was made, then less often, and at its end.
fn next_look(page: &PaymentRow, now: DateTime<Utc>) -> DateTime<Utc> {
    let age = now - page.planned_at.and_utc();
    let wait = if age < Duration::minutes(4) {
        Duration::minutes(2)
    } else {
        Duration::minutes(7)
    };
    let end = page.expires_at.and_utc() + Duration::seconds(1);
    (now + wait).min(end.max(now + Duration::seconds(1)))
}
