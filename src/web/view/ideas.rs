//! Votes for what to run next: an idea's page, and a vote behind its signed link.

use askama::Template;

use super::{Field, Html, Link, Problems, Shell, grouped};

/// An idea in its merchant's list.
#[derive(Clone, Debug)]
pub struct IdeaCard {
    /// What it is.
    pub title: String,
    /// The beginning of what it would be.
    pub summary: String,
    /// Its page.
    pub href: String,
    /// Confirmed votes.
    pub votes: i64,
    /// Where it stands.
    pub stand: IdeaStand,
}

/// Where an idea stands, as the public sees it.
#[derive(Clone, Debug)]
pub enum IdeaStand {
    /// Votes are taken.
    Open,
    /// Votes are not taken any more.
    Ended,
    /// A campaign came of it; none where that is not seen any more.
    Running(Option<Link>),
}

impl IdeaCard {
    /// "12 votes".
    pub fn votes_words(&self) -> String {
        votes_words(self.votes)
    }
}

fn votes_words(votes: i64) -> String {
    match votes {
        0 => "No votes yet".to_owned(),
        1 => "1 vote".to_owned(),
        n => format!("{} votes", grouped(n)),
    }
}

/// `/m/{slug}/ideas/{id}`
#[derive(Clone, Debug, Template)]
#[template(path = "shop/idea.html")]
pub struct IdeaPage {
    /// Frame.
    pub shell: Shell,
    /// Whose idea it is.
    pub seller: Link,
    /// What it is.
    pub title: String,
    /// What it would be, from Markdown, sanitized.
    pub body: Html,
    /// Confirmed votes.
    pub votes: i64,
    /// Where it stands.
    pub stand: IdeaStand,
    /// Where a vote goes.
    pub action: String,
    /// The address that votes.
    pub email: Field,
    /// The box "tell me" is ticked.
    pub tells: bool,
    /// What is wrong.
    pub problems: Problems,
}

impl IdeaPage {
    /// The field for the address.
    pub fn field(typed: &str, problems: &Problems) -> Field {
        Field::input("email", "email", "E-mail")
            .value(typed)
            .hint("One vote for each address. A mail asks you to confirm it.")
            .autocomplete("email")
            .max_length(254)
            .problems(problems)
    }

    fn icons(&self) -> &'static str {
        if self.problems.is_empty() {
            ""
        } else {
            "alert"
        }
    }

    fn votes_words(&self) -> String {
        votes_words(self.votes)
    }
}

/// `/v/{token}`
#[derive(Clone, Debug, Template)]
#[template(path = "shop/vote.html")]
pub struct VotePage {
    /// Frame, private.
    pub shell: Shell,
    /// Whose idea it is.
    pub seller: Link,
    /// The idea.
    pub idea: Link,
    /// Who voted.
    pub email: String,
    /// Whether it counts.
    pub counts: bool,
    /// Whether votes are taken.
    pub open: bool,
    /// Confirmed votes of all.
    pub votes: i64,
    /// Whether this voter is told when a campaign comes of it.
    pub tells: bool,
    /// Where the vote is confirmed or changed.
    pub action: String,
}

impl VotePage {
    fn votes_words(&self) -> String {
        votes_words(self.votes)
    }
}
