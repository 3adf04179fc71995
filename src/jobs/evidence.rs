//! Sends an answer to a dispute, and hears whether the provider has it (domain section 4).

use super::{Next, Trouble, unreadable};
use crate::workflows::evidence;
use crate::workflows::office::Office;
use crate::workflows::ports::{CallError, ProviderDispute};

/// Does the next thing for an answer.
pub(super) async fn drive(office: &Office, subject: &str) -> Result<Next, Trouble> {
    let (id, attempt) = subject
        .rsplit_once(':')
        .and_then(|(id, attempt)| Some((id.to_owned(), attempt.parse::<i32>().ok()?)))
        .ok_or_else(|| unreadable(subject))?;
    let own = id.clone();
    let due = office
        .write(move |_, tx| evidence::next(tx, &own, attempt))
        .await?;
    let Some((new, key)) = due else {
        return Ok(Next::Done);
    };
    let submits = new.submits;
    match office.provider().answer_dispute(new, key).await {
        Ok(said) => taken(office, attempt, said).await,
        Err(CallError::Broken(why)) => {
            // What lies there already is not sent twice; what was only to be laid down may be laid down again.
            let said = office.provider().dispute(id.clone()).await?;
            if submits && said.submissions > 0 {
                return taken(office, attempt, said).await;
            }
            office
                .write(move |_, tx| evidence::anew(tx, &id, attempt, &why))
                .await?;
            Ok(Next::Done)
        }
        Err(CallError::Refused { code, message, .. }) => {
            let why = format!("{code} {message}").trim().to_owned();
            office
                .write(move |desk, tx| evidence::refused(desk, tx, &id, attempt, &why))
                .await?;
            Ok(Next::Done)
        }
        Err(e @ (CallError::Unknown(_) | CallError::Later(_))) => Err(e.into()),
    }
}

async fn taken(office: &Office, attempt: i32, said: ProviderDispute) -> Result<Next, Trouble> {
    office
        .write(move |desk, tx| evidence::taken(desk, tx, attempt, &said))
        .await?;
    Ok(Next::Done)
}
