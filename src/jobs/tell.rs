//! What everybody who joined is told, and whether anything was said at all.

use super::{Next, Trouble, unreadable};
use crate::domain::ids::{CampaignId, PostId};
use crate::workflows::office::Office;
use crate::workflows::{posts, signs};

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

/// Looks whether a campaign has been quiet too long.
pub(super) async fn quiet(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: CampaignId = subject.parse().map_err(|_| unreadable(subject))?;
    let next = office
        .write(move |desk, tx| signs::look(desk, tx, id))
        .await?;
    Ok(next.map_or(Next::Done, Next::At))
}
