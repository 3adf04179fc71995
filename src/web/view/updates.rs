//! What a seller writes to everybody who joined, as pages show it.

use askama::Template;

use super::{Html, Link, Moment, Shell};

/// One update.
#[derive(Clone, Debug)]
pub struct Update {
    /// Its id: the anchor on its page.
    pub id: String,
    /// Its title.
    pub title: String,
    /// When it was written.
    pub when: Moment,
    /// What it says, sanitized.
    pub body: Html,
    /// Corrections under it, first to last.
    pub corrections: Vec<(Moment, Html)>,
}

/// `/c/{slug}/updates`: those that the campaign's page has no room for.
#[derive(Clone, Debug, Template)]
#[template(path = "shop/updates.html")]
pub struct UpdatesPage {
    /// Frame, with the seller's links in the footer.
    pub shell: Shell,
    /// The campaign.
    pub campaign: Link,
    /// Some updates, newest first.
    pub updates: Vec<Update>,
    /// Those before them.
    pub earlier: Option<Link>,
}
