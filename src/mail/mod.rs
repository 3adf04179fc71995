//! The mail adapter: [`Templates`] writes the letters, [`Smtp`] hands them to a server, [`Kept`] leaves them in the
//! database, where staff read them. It decides nothing: who is written to, when, and how often is the workflows'.

mod letters;
mod smtp;
mod subject;
mod words;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use futures_util::future::BoxFuture;

pub use letters::Templates;
pub use smtp::Smtp;

use crate::workflows::ports::{Delivered, MailError, Mailer, Outgoing};

/// Sends nothing: a mail stays in the database, and staff or the sandbox's mailbox show it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Kept;

impl Mailer for Kept {
    fn send(&self, _mail: Outgoing) -> BoxFuture<'_, Result<Delivered, MailError>> {
        Box::pin(async { Ok(Delivered::Kept) })
    }
}

/// The mailer that the settings ask for: SMTP where `MUSTER_SMTP_URL` is set, else [`Kept`].
///
/// # Errors
/// A setting that can't be used: the sentence says what to write instead. It never repeats the password.
pub fn mailer(smtp_url: Option<&str>, public_url: &str) -> Result<Arc<dyn Mailer>, String> {
    match smtp_url {
        None => Ok(Arc::new(Kept)),
        Some(url) => Ok(Arc::new(Smtp::new(url, public_url)?)),
    }
}
