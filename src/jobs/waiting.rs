//! Waiting lists: offers, their ends, and what is told of them.

use super::{Next, Trouble, unreadable};
use crate::domain::ids::CampaignId;
use crate::workflows::office::Office;
use crate::workflows::waiting::{self, Looked};

/// Looks at a campaign's waiting list.
pub(super) async fn drive(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let id: CampaignId = subject.parse().map_err(|_| unreadable(subject))?;
    loop {
        let looked = office
            .write(move |desk, tx| waiting::look(desk, tx, id))
            .await?;
        match looked {
            Looked::More => {}
            Looked::At(at) => return Ok(Next::At(at)),
            Looked::Done => return Ok(Next::Done),
        }
    }
}
