//! What everybody who joined is told, and whether anything was said at all.

use super::{Next, Trouble, unreadable};
use crate::domain::ids::{CampaignId, IdeaId, PostId};
use crate::workflows::office::Office;
use crate::workflows::{ideas, interest, posts, signs};

/// Writes an update to everybody who joined, some at a time.
pub(super) async fn post(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: PostId = subject.parse().map_err(|_| unreadable(subject))?;
    // Each letter is written once, so starting from the first again after a crash does no harm.
    let mut after = None;
    loop {
        after = office
            .write(move |desk, tx| posts::tell(desk, tx, id, after))
            .await?;
        if after.is_none() {
            return Ok(Next::Done);
        }
    }
}

/// Tells those who answered an interest check what became of it, some at a time.
pub(super) async fn interest(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let (id, told) = subject
        .split_once(':')
        .and_then(|(id, word)| Some((id.parse().ok()?, interest::Told::parse(word)?)))
        .ok_or_else(|| unreadable(subject))?;
    let mut after = None;
    loop {
        after = office
            .write(move |desk, tx| interest::tell(desk, tx, id, told, after))
            .await?;
        if after.is_none() {
            return Ok(Next::Done);
        }
    }
}

/// Tells those who voted for an idea that a campaign came of it, some at a time.
pub(super) async fn idea(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: IdeaId = subject.parse().map_err(|_| unreadable(subject))?;
    let mut after = None;
    loop {
        after = office
            .write(move |desk, tx| ideas::tell(desk, tx, id, after))
            .await?;
        if after.is_none() {
            return Ok(Next::Done);
        }
    }
}

/// Looks whether a campaign has been quiet too long.
pub(super) async fn quiet(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: CampaignId = subject.parse().map_err(|_| unreadable(subject))?;
    let next = office
        .write(move |desk, tx| signs::look(desk, tx, id))
        .await?;
    Ok(next.map_or(Next::Done, Next::At))
}
