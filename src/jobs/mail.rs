//! One mail: handed to the server, or kept where none is set.

use chrono::Duration;

use super::{Next, Trouble, unreadable};
use crate::domain::ids::MailId;
use crate::store::{mails, merchants};
use crate::workflows::desk::Problem;
use crate::workflows::letters::Written;
use crate::workflows::notices;
use crate::workflows::office::Office;
use crate::workflows::ports::{Delivered, MailError, Outgoing};

/// How long a mail is tried before it counts as refused.
const DAYS: i64 = 3;

/// Sends a mail. A repeat after a crash has the same Message-ID.
pub(super) async fn send(office: &Office, subject: &str, attempts: i32) -> Result<Next, Trouble> {
    let id: MailId = subject.parse().map_err(|_| unreadable(subject))?;
    let found = office
        .read(move |conn| -> Result<_, Problem> {
            let Some(row) = mails::by_id(conn, id)? else {
                return Ok(None);
            };
            let merchant = match row.merchant_id {
                Some(id) => merchants::by_id(conn, id)?,
                None => None,
            };
            Ok(Some((row, merchant)))
        })
        .await?;
    let Some((row, merchant)) = found else {
        return Ok(Next::Done);
    };
    if row.state != "queued" {
        return Ok(Next::Done);
    }
    let attachments = match &row.attachments {
        Some(json) => serde_json::from_str(json).map_err(Problem::from)?,
        None => Vec::new(),
    };
    let outgoing = Outgoing {
        message_id: row.id.to_string(),
        from_name: merchant.map_or_else(|| "muster".to_owned(), |m| m.name),
        reply_to: row.reply_to.clone(),
        to: row.recipient.clone(),
        written: Written {
            subject: row.subject.clone(),
            text: row.body_text.clone(),
            html: row.body_html.clone(),
            attachments,
        },
    };
    let (state, problem) = match office.mailer().send(outgoing).await {
        Ok(Delivered::Sent) => ("sent", None),
        Ok(Delivered::Kept) => ("kept", None),
        Err(MailError::Refused(why)) => ("refused", Some(why)),
        Err(MailError::Later(why)) => {
            if office.now().naive_utc() - row.created_at > Duration::days(DAYS) {
                ("refused", Some(format!("tried for {DAYS} days: {why}")))
            } else {
                let told = why.clone();
                office
                    .write(move |_, tx| -> Result<(), Problem> {
                        mails::set_problem(tx.conn, id, &told)?;
                        Ok(())
                    })
                    .await?;
                let wait = Duration::seconds(30 << attempts.clamp(0, 8));
                return Err(Trouble {
                    what: why,
                    again_in: Some(wait.min(Duration::hours(2))),
                });
            }
        }
    };
    let is_notice = row.kind == notices::MAIL_KIND;
    office
        .write(move |desk, tx| -> Result<(), Problem> {
            let now = tx.now.naive_utc();
            mails::set_state(tx.conn, id, state, problem.as_deref(), now)?;
            if is_notice {
                notices::mail_heard(desk, tx, id, state != "refused")?;
            }
            Ok(())
        })
        .await?;
    Ok(Next::Done)
}
