//! What the sandbox needs of the program: its due work, so that a moved clock is followed, and its kept mail.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::jobs::Worker;
use crate::sandbox::hooks::{Hooks, Mail, Mailbox, Pending, Work};
use crate::store::mails;
use crate::workflows::desk::Problem;
use crate::workflows::office::Office;

/// The most mails the sandbox's mailbox shows.
const SHOWN: i64 = 5000;

struct DueWork(Worker);

impl Work for DueWork {
    fn begin_move(&self) {
        self.0.begin_move();
    }

    fn next_due(&self, max_tries: u32) -> Pending<'_, Option<DateTime<Utc>>> {
        Box::pin(async move {
            self.0.next_due(max_tries).await.unwrap_or_else(|e| {
                log::error!("due work can't be read: {e}");
                None
            })
        })
    }

    fn run_due(&self, max_tries: u32) -> Pending<'_, ()> {
        Box::pin(async move {
            if let Err(e) = self.0.run_due(max_tries).await {
                log::error!("due work can't be run: {e}");
            }
        })
    }
}

struct KeptMail(Office);

impl Mailbox for KeptMail {
    fn list(&self) -> Pending<'_, Result<Vec<Mail>, String>> {
        Box::pin(async move {
            let rows = self
                .0
                .read(|conn| Ok::<_, Problem>(mails::delivered(conn, SHOWN)?))
                .await
                .map_err(|e| e.to_string())?;
            Ok(rows
                .into_iter()
                .map(|row| Mail {
                    to: row.recipient,
                    subject: row.subject,
                    text: row.body_text,
                    html: row.body_html,
                    at: row.sent_at.unwrap_or(row.created_at).and_utc(),
                })
                .collect())
        })
    }
}

/// The hooks of this program.
pub fn hooks(worker: &Worker, office: &Office) -> Hooks {
    Hooks {
        work: Arc::new(DueWork(worker.clone())),
        mailbox: Arc::new(KeptMail(office.clone())),
    }
}
