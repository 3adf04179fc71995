//! Changing what an order is over: how many of each, the new total with the button that agrees to it, and the notice on the
//! order's page while it is being paid.

use askama::Template;
use askama::filters::HtmlSafe;

use super::{Countdown, Field, MoneyTable, OrderForm, Seller, Shell, TermsRef};
use crate::domain::button::Words;

/// `/o/{id}/change?t=`: how many of each.
#[derive(Clone, Debug, Template)]
#[template(path = "order/change.html")]
pub struct ChangePage {
    /// Frame, private.
    pub shell: Shell,
    /// The form.
    pub form: OrderForm,
    /// The campaign's title.
    pub title: String,
    /// Units by option.
    pub units: Vec<Field>,
    /// What is wrong with the choice as a whole.
    pub units_error: Option<String>,
    /// Where it goes, and in how many parcels; none where that is fixed.
    pub parcels: Option<ParcelFields>,
    /// Where the whole order is cancelled.
    pub cancel_href: String,
}

/// The fields of where an order goes and in how many parcels.
#[derive(Clone, Debug)]
pub struct ParcelFields {
    /// Name and address, with the country.
    pub address: Vec<Field>,
    /// What it is, by which it is known whether another was typed.
    pub was: String,
    /// What is there is sent, the rest later.
    pub as_available: bool,
    /// Whether they are shown at once: something of them was typed, or is wrong.
    pub open: bool,
}

/// The new total, what moves, and the button that agrees.
#[derive(Clone, Debug, Template)]
#[template(path = "order/change_review.html")]
pub struct ChangeReviewPage {
    /// Frame, private.
    pub shell: Shell,
    /// The form.
    pub form: OrderForm,
    /// The campaign's title.
    pub title: String,
    /// What stands above it: "$110.00 more".
    pub headline: String,
    /// What happens to the money, sentence by sentence.
    pub lines: Vec<String>,
    /// The lines after the change, and what they come to.
    pub money: MoneyTable,
    /// Everything typed.
    pub fields: Vec<(String, String)>,
    /// What moved since it was last shown, a sentence each.
    pub changed: Vec<String>,
    /// Where it goes, line by line; empty: where it went.
    pub address: Vec<String>,
    /// How its parcels come; none: as they did.
    pub parcels: Option<&'static str>,
    /// What is said of withdrawal, sentence by sentence.
    pub withdrawal: Vec<String>,
    /// Who sells.
    pub seller: Seller,
    /// The terms in force.
    pub terms: Option<TermsRef>,
    /// The words of the button that binds to pay, in the shopper's language, and the amount; none where nothing more is to
    /// be paid.
    pub button: Option<(Words, String)>,
    /// What the provider's page is for, where one follows.
    pub next: &'static str,
    /// Whether the shopper may change something of it.
    pub edits: bool,
    /// Where the shopper takes it back, where the seller asked for it.
    pub take_back: Option<String>,
}

impl ChangeReviewPage {
    fn icons(&self) -> &'static str {
        match (!self.changed.is_empty(), self.button.is_some()) {
            (true, true) => "alert lock",
            (true, false) => "alert",
            (false, true) => "lock",
            (false, false) => "",
        }
    }
}

/// A change that is being paid: stands first on its order's page.
#[derive(Clone, Debug, Template)]
#[template(path = "order/part/change.html")]
pub struct ChangePart {
    /// What it is about.
    pub title: &'static str,
    /// A paragraph each.
    pub lines: Vec<String>,
    /// Until when its units are kept.
    pub countdown: Countdown,
    /// Where it is paid, and what that link says; none once it is being closed.
    pub pay: Option<(String, String)>,
    /// Where taking it back posts to.
    pub take_back: Option<String>,
}

impl HtmlSafe for ChangePart {}
