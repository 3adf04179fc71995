//! One payment page, from its planned creation to its end (domain sections 2 and 4).

use chrono::{DateTime, Duration, Utc};

use super::{Next, Trouble, unreadable};
use crate::domain::ids::OrderId;
use crate::domain::payment::AttemptState;
use crate::store::orders::{self, PaymentRow};
use crate::workflows::desk::Problem;
use crate::workflows::office::Office;
use crate::workflows::payment::{self, Sending};
use crate::workflows::ports::CallError;

/// Does the next thing for a page.
pub(super) async fn drive(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let (id, attempt) = subject
        .split_once(':')
        .and_then(|(order, attempt)| Some((order.parse().ok()?, attempt.parse().ok()?)))
        .ok_or_else(|| unreadable(subject))?;
    let page = office
        .read(move |conn| Ok::<_, Problem>(orders::payment(conn, id, attempt)?))
        .await?
        .ok_or_else(|| unreadable(subject))?;
    match page.state {
        AttemptState::Planned => make(office, id, attempt).await,
        AttemptState::Open | AttemptState::Processing => look(office, &page).await,
        // Its end is known. A page that was never told of, or was let go, may still have been paid: its webhooks
        // name it, and then it is asked for.
        AttemptState::Abandoned | AttemptState::Expired | AttemptState::Refused => {
            match &page.session_id {
                Some(session) => {
                    let said = office.provider().page(session.clone()).await?;
                    office
                        .write(move |desk, tx| payment::heard(desk, tx, id, attempt, &said))
                        .await?;
                    Ok(Next::Done)
                }
                None => Ok(Next::Done),
            }
        }
        AttemptState::Paid => Ok(Next::Done),
    }
}

/// Makes the page.
async fn make(office: &Office, id: OrderId, attempt: i32) -> Result<Next, Trouble> {
    let sending = office
        .write(move |desk, tx| payment::sending(desk, tx, id, attempt))
        .await?;
    let Sending::Go(rows) = sending else {
        return Ok(Next::Done);
    };
    let (order, page) = *rows;
    let request = payment::page_request(office.desk(), &order, &page)?;
    let key = page.idempotency_key.clone();
    match office.provider().create_page(request, key).await {
        Ok(said) => {
            let state = office
                .write(move |desk, tx| payment::heard(desk, tx, id, attempt, &said))
                .await?;
            Ok(match state {
                AttemptState::Open if page.close_wanted => Next::At(office.now()),
                AttemptState::Open => Next::At(next_look(&page, office.now())),
                _ => Next::Done,
            })
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
async fn look(office: &Office, page: &PaymentRow) -> Result<Next, Trouble> {
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
    let state = office
        .write(move |desk, tx| payment::heard(desk, tx, id, attempt, &said))
        .await?;
    Ok(match state {
        // A word that is not known is not known half a minute later: staff see it.
        AttemptState::Open if over && !is_known => Next::At(office.now() + Duration::hours(1)),
        AttemptState::Open if page.close_wanted || over => {
            // Open all the same: the expiry did not take. Again, soon.
            Next::At(office.now() + Duration::seconds(30))
        }
        AttemptState::Open => Next::At(next_look(page, office.now())),
        AttemptState::Processing => Next::At(office.now() + Duration::hours(1)),
        _ => Next::Done,
    })
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
