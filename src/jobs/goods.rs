//! Goods by themselves: free units are given out, what will not come is refunded, parcels count as arrived.

use super::{Next, Trouble, in_turns, unreadable};
use crate::domain::ids::BatchId;
use crate::workflows::office::Office;
use crate::workflows::{allocate as units, ship, short};

/// Gives a batch's free units to the lines that wait.
pub(super) async fn allocate(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: BatchId = subject.parse().map_err(|_| unreadable(subject))?;
    office.write(move |_, tx| units::run(tx, id)).await?;
    Ok(Next::Done)
}

/// Refunds the lines that will get nothing, some at a time.
pub(super) async fn refund_short(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: BatchId = subject.parse().map_err(|_| unreadable(subject))?;
    let step = || office.write(move |desk, tx| short::refund_some(desk, tx, id));
    in_turns(office, step).await
}

/// Takes parcels for arrived of which nobody said so, some at a time.
pub(super) async fn assume_delivered(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: BatchId = subject.parse().map_err(|_| unreadable(subject))?;
    loop {
        let next = office
            .write(move |_, tx| ship::assume_delivered(tx, id))
            .await?;
        match next {
            Some(at) if at > office.now() => return Ok(Next::At(at)),
            Some(_) => {}
            None => return Ok(Next::Done),
        }
    }
}
