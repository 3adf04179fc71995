//! The pages that say no: what happened, and what to do.

use askama::Template;

use super::{Link, Shell};

/// An error page. It says what to do; staff and log have their own words for what happened.
#[derive(Clone, Debug, Template)]
#[template(path = "shop/refusal.html")]
pub struct RefusalPage {
    /// Frame.
    pub shell: Shell,
    /// HTTP status.
    pub status: u16,
    /// What happened, short.
    pub title: String,
    /// What happened and what became of it.
    pub text: String,
    /// The way on; the first one is the button.
    pub ways: Vec<Link>,
}

impl RefusalPage {
    /// The page of a status, with its usual words; [`RefusalPage::saying`] puts others.
    pub fn new(shell: Shell, status: u16) -> Self {
        let (title, text) = words(status);
        let ways = match status {
            403 | 410 => vec![
                Link::new("/orders/link", "Send me my link again"),
                Link::new("/", "See the campaigns"),
            ],
            409 if shell.back != "/" => vec![
                Link::new(shell.back.clone(), "Look at the page again"),
                Link::new("/", "See the campaigns"),
            ],
            429 | 500 | 503 => vec![
                Link::new(shell.back.clone(), "Try again"),
                Link::new("/", "See the campaigns"),
            ],
            _ => vec![
                Link::new("/", "See the campaigns"),
                Link::new("/orders/link", "Find my order"),
            ],
        };
        Self {
            shell,
            status,
            title: title.to_owned(),
            text: text.to_owned(),
            ways,
        }
    }

    /// With words of one's own.
    pub fn saying(mut self, title: impl Into<String>, text: impl Into<String>) -> Self {
        self.title = title.into();
        self.text = text.into();
        self
    }

    /// With ways of one's own.
    pub fn ways(mut self, ways: Vec<Link>) -> Self {
        self.ways = ways;
        self
    }
}

fn words(status: u16) -> (&'static str, &'static str) {
    match status {
        400 => (
            "This could not be read",
            "The request was not complete. Go back, look at what you sent, and send it again.",
        ),
        403 => (
            "This link does not open it",
            "The address is not complete, or it belongs to something else. Open the link in your mail once more, or \
             have it sent again.",
        ),
        404 => (
            "There is no such page",
            "The address may have a slip of the pen in it, or what stood here was never published.",
        ),
        405 => (
            "This page cannot do that",
            "It was asked in a way it does not know. Go back and use the button on the page.",
        ),
        409 => (
            "It has changed in the meantime",
            "Somebody, or the clock, was faster. Nothing was charged by this. Look at the page again and decide anew.",
        ),
        410 => (
            "This link has expired",
            "It was good for a while only. Have a new one sent to your address.",
        ),
        413 => (
            "That is too big",
            "The server takes less than that in one go. Send something smaller.",
        ),
        422 => (
            "Something is not filled in right",
            "Go back, and look at the marked fields. Nothing was charged.",
        ),
        429 => (
            "Too many requests",
            "This came faster than the server lets one address ask. Wait a minute, then try again.",
        ),
        503 => (
            "The server is busy",
            "It cannot take this at the moment. Nothing was charged by this request. Try again in a minute.",
        ),
        _ => (
            "The server made a mistake",
            "It is written down, and staff can see it. Whatever was paid stays on the books. Try again in a minute; \
             your order's page says what really happened.",
        ),
    }
}
