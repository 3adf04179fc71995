//! Campaigns by their dates: opening, judgement, the supplier's order, and what everybody is told.

use chrono::Duration;

use super::{Next, Trouble, in_turns, unreadable};
use crate::domain::campaign::{BatchState, CampaignState};
use crate::domain::ids::{BatchId, CampaignId, ClaimId, PurchaseOrderId};
use crate::workflows::campaigns::{self, Told};
use crate::workflows::desk::{Problem, ends_at};
use crate::workflows::interest;
use crate::workflows::judgement::{self, Judged};
use crate::workflows::notices;
use crate::workflows::office::Office;
use crate::workflows::purchase::{self, Sent};
use crate::workflows::waiting;
use crate::workflows::withdraw;

/// Does what a campaign's dates and state ask for now.
pub(super) async fn drive(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: CampaignId = subject.parse().map_err(|_| unreadable(subject))?;
    let row = office
        .write(move |_, tx| campaigns::open_if_due(tx, id))
        .await?;
    match row.state {
        // Where no time is set staff open it; once the deadline has passed they are told that it waits for them.
        CampaignState::Interest => {
            let deadline = row.deadline.and_utc();
            if office.now() < deadline {
                let opens = row.opens_at.map(|at| at.and_utc());
                let opens = opens.filter(|at| *at > office.now());
                return Ok(Next::At(opens.map_or(deadline, |at| at.min(deadline))));
            }
            office
                .write(move |desk, tx| interest::ended(desk, tx, id))
                .await?;
            Ok(Next::Done)
        }
        CampaignState::Scheduled => {
            let at = row.opens_at.unwrap_or(row.deadline).and_utc();
            Ok(Next::At(at.max(office.now() + Duration::seconds(1))))
        }
        CampaignState::Open => {
            let judged = office
                .write(move |desk, tx| judgement::judge(desk, tx, id))
                .await?;
            // With further batches one that was judged before may wait for its supplier's order.
            let waits = match order(office, id).await? {
                Some(Next::At(at)) => at,
                _ => ends_at(&row).and_utc(),
            };
            Ok(match judged {
                Judged::TooEarly => Next::At(waits.min(ends_at(&row).and_utc())),
                // The last page to close asks for this work at once; this is for the case that it could not.
                Judged::Waiting => Next::At(office.now() + Duration::minutes(10)),
                Judged::Decided => Next::At(office.now()),
            })
        }
        CampaignState::Collecting => Ok(match order(office, id).await? {
            None => Next::At(office.now()),
            Some(sent) => sent,
        }),
        // From here on it is its batch's days that count.
        CampaignState::Draft
        | CampaignState::Ordered
        | CampaignState::Fulfilling
        | CampaignState::Completed
        | CampaignState::Failed => Ok(Next::Done),
    }
}

/// Sends the supplier's orders of those batches that were judged, where nothing blocks them. When the first that is blocked
/// is to be looked at again, or that nothing is to be done before cards are charged; none where all were sent.
async fn order(office: &Office, id: CampaignId) -> Result<Option<Next>, Trouble> {
    let judged = office
        .read(move |conn| {
            let all = crate::store::campaigns::batches_of(conn, id)?;
            let judged = all
                .into_iter()
                .filter(|b| b.state == BatchState::Collecting);
            Ok::<_, Problem>(judged.map(|b| b.id).collect::<Vec<_>>())
        })
        .await?;
    let mut next = None;
    for batch in judged {
        let sent = office
            .write(move |desk, tx| purchase::send(desk, tx, batch, None))
            .await?;
        next = match (sent, next) {
            (Sent::Done, before) => before,
            (Sent::Collecting, before) => before.or(Some(Next::Done)),
            (Sent::Blocked(_, at), Some(Next::At(before))) => Some(Next::At(at.min(before))),
            (Sent::Blocked(_, at), _) => Some(Next::At(at)),
        };
    }
    Ok(next)
}

/// Applies a batch's outcome to its orders, some at a time.
pub(super) async fn settle(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: BatchId = subject.parse().map_err(|_| unreadable(subject))?;
    let step = || office.write(move |desk, tx| judgement::settle(desk, tx, id));
    in_turns(office, step).await
}

/// Tells everybody that a better step was reached.
pub(super) async fn tell_step(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let (id, step) = subject
        .split_once(':')
        .and_then(|(id, step)| Some((id.parse().ok()?, step.parse().ok()?)))
        .ok_or_else(|| unreadable(subject))?;
    tell(office, id, Told::Step(step)).await
}

/// Tells everybody that the deadline moved, and asks those whose ship date moved with it.
pub(super) async fn tell_extension(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: CampaignId = subject.parse().map_err(|_| unreadable(subject))?;
    // Who waits first: whoever is offered units and accepts meanwhile is among the others then.
    let mut place = Some(0);
    while let Some(after) = place {
        place = office
            .write(move |desk, tx| waiting::tell_extended(desk, tx, id, after))
            .await?;
    }
    tell(office, id, Told::Extension).await?;
    let batches = office
        .read(move |conn| Ok::<_, Problem>(crate::store::campaigns::batches_of(conn, id)?))
        .await?;
    for batch in batches {
        let (batch, mut after) = (batch.id, None);
        loop {
            after = office
                .write(move |desk, tx| notices::tell_extended(desk, tx, batch, after))
                .await?;
            if after.is_none() {
                break;
            }
        }
    }
    Ok(Next::Done)
}

async fn tell(office: &Office, id: CampaignId, told: Told) -> Result<Next, Trouble> {
    // Each letter is written once, so starting from the first again after a crash does no harm.
    let mut after = None;
    loop {
        after = office
            .write(move |desk, tx| campaigns::tell_everybody(desk, tx, id, told, after))
            .await?;
        if after.is_none() {
            return Ok(Next::Done);
        }
    }
}

/// Reminds a supplier who has not answered, tells staff of silence, of a refusal, and of goods that do not come.
pub(super) async fn supplier_answer(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: PurchaseOrderId = subject.parse().map_err(|_| unreadable(subject))?;
    let next = office
        .write(move |desk, tx| purchase::watch(desk, tx, id))
        .await?;
    Ok(next.map_or(Next::Done, Next::At))
}

/// Looks after a withdrawal's refund: its warning, and its last day.
pub(super) async fn withdrawal(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: ClaimId = subject.parse().map_err(|_| unreadable(subject))?;
    let next = office
        .write(move |desk, tx| withdraw::due(desk, tx, id))
        .await?;
    Ok(next.map_or(Next::Done, Next::At))
}
