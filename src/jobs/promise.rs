//! Promises: dates told to shoppers, the days of a batch, refunds of what is not shipped.

use futures_util::future::join_all;

use super::{Next, Trouble, unreadable};
use crate::domain::ids::{BatchId, EtaId};
use crate::workflows::desk::Problem;
use crate::workflows::office::Office;
use crate::workflows::{eta, notices};

/// Passes a supplier's date on once its day is over, and tells shoppers of a date that was passed on.
pub(super) async fn dates(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: EtaId = subject.parse().map_err(|_| unreadable(subject))?;
    let later = office.write(move |_, tx| eta::due(tx, id)).await?;
    if let Some(at) = later {
        return Ok(Next::At(at));
    }
    // Whoever was written to in a round is left alone by the next, so starting anew after a crash does no harm.
    let mut after = None;
    loop {
        after = office
            .write(move |desk, tx| notices::tell_some(desk, tx, id, after))
            .await?;
        if after.is_none() {
            return Ok(Next::Done);
        }
    }
}

/// One day of a batch: refunds of what lapsed, notices that nobody sent, warnings to staff. What goes wrong with one of
/// them keeps nobody else from theirs; it is tried again soon.
pub(super) async fn day(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: BatchId = subject.parse().map_err(|_| unreadable(subject))?;
    let refunded = refund_each(office, id, notices::Owed::Lapsed).await;
    let told = tell_unasked(office, id).await;
    let warned = warn(office, id).await;
    refunded.and(told).and(warned)?;
    let next = office
        .write(move |desk, tx| notices::end_of_day(desk, tx, id))
        .await?;
    Ok(next.map_or(Next::Done, Next::At))
}

/// Refunds everything of a batch that will not be shipped.
pub(super) async fn given_up(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: BatchId = subject.parse().map_err(|_| unreadable(subject))?;
    refund_each(office, id, notices::Owed::GivenUp).await?;
    office
        .write(move |desk, tx| notices::end_given_up(desk, tx, id))
        .await?;
    Ok(Next::Done)
}

/// Each order is refunded in a change of its own; the lane commits some together.
async fn refund_each(office: &Office, id: BatchId, owed: notices::Owed) -> Result<(), Problem> {
    let (mut after, mut trouble) = (None, None);
    loop {
        let now = office.now();
        let some = office
            .read(move |conn| notices::owed(conn, id, owed, after, now))
            .await?;
        let Some(last) = some.last().copied() else {
            break;
        };
        after = Some(last);
        let changes = some.into_iter().map(|order| async move {
            let change = office.write(move |desk, tx| notices::refund(desk, tx, order, owed));
            (order, change.await)
        });
        for (order, outcome) in join_all(changes).await {
            if let Err(problem) = outcome {
                log::error!("order {order} could not be refunded: {problem}");
                trouble.get_or_insert(problem);
            }
        }
    }
    trouble.map_or(Ok(()), Err)
}

async fn tell_unasked(office: &Office, id: BatchId) -> Result<(), Problem> {
    let mut after = None;
    loop {
        after = office
            .write(move |desk, tx| notices::tell_unasked(desk, tx, id, after))
            .await?;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn warn(office: &Office, id: BatchId) -> Result<(), Problem> {
    let now = office.now();
    let due = office
        .read(move |conn| notices::warnings(conn, id, now))
        .await?;
    if due.is_empty() {
        return Ok(());
    }
    office
        .write(move |desk, tx| notices::warn(desk, tx, id, &due))
        .await
}
