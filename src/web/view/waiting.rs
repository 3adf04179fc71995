//! What those see who wait for a sold-out option.

use askama::Template;

use super::time::{Countdown, Moment, grouped};
use super::{Badge, FieldError, MoneyTable, Seller, Shell, TermsRef};

/// What the page of the exact total says more where it shows an offer of a waiting list.
#[derive(Clone, Debug)]
pub struct OfferPart {
    /// What the order is called.
    pub number: String,
    /// Where its form posts to.
    pub action: String,
    /// Until when it stands.
    pub countdown: Countdown,
    /// The page that asks once more before it is declined.
    pub decline_href: String,
}

/// What is asked for, before it goes on the waiting list.
#[derive(Clone, Debug, Template)]
#[template(path = "shop/wait.html")]
pub struct WaitPage {
    /// Frame; `back` is the campaign's address, for this page is the answer to a POST.
    pub shell: Shell,
    /// The campaign's title.
    pub title: String,
    /// The campaign's slug.
    pub slug: String,
    /// What it would cost now.
    pub money: MoneyTable,
    /// Until when units can come free.
    pub deadline: Moment,
    /// Who sells.
    pub seller: Seller,
    /// The terms in force.
    pub terms: Option<TermsRef>,
    /// Name and address, line by line.
    pub address: Vec<String>,
    /// Where the mails go.
    pub email: String,
    /// Everything typed.
    pub fields: Vec<(String, String)>,
    /// Random, made for this rendering; the same one again is the same order.
    pub form_key: String,
    /// What was against it.
    pub problems: Vec<FieldError>,
}

/// An order that waits: its place, what it wants, and the way out.
#[derive(Clone, Debug, Template)]
#[template(path = "order/waiting.html")]
pub struct WaitingPage {
    /// Frame, private.
    pub shell: Shell,
    /// What the order is called.
    pub number: String,
    /// The campaign's title.
    pub title: String,
    /// The campaign's address.
    pub campaign_href: String,
    /// Its place in line, 1 for the next.
    pub place: i64,
    /// What it would cost now.
    pub money: MoneyTable,
    /// Until when units can come free.
    pub deadline: Moment,
    /// Where the mails go.
    pub email: String,
    /// Name and address, line by line.
    pub address: Vec<String>,
    /// The page that asks once more before it leaves.
    pub leave_href: String,
    /// Who sells.
    pub seller_name: String,
    /// Their page.
    pub seller_href: String,
}

impl WaitPage {
    /// Symbols of the page.
    fn icons(&self) -> &'static str {
        if self.problems.is_empty() {
            ""
        } else {
            "alert"
        }
    }
}

impl WaitingPage {
    fn badge(&self) -> Badge {
        Badge::state("waitlisted")
    }

    fn place_words(&self) -> String {
        match self.place {
            1 => "You are next in line".to_owned(),
            n => format!("You are number {} in line", grouped(n)),
        }
    }
}
