//! What a shopper does after ordering: changing where it goes, reporting what is wrong, withdrawing.

use askama::Template;
use askama::filters::HtmlSafe;

use super::{Badge, Day, Field, Picture, Problems, Shell};

/// A claim as its shopper sees it.
#[derive(Clone, Debug)]
pub struct ShownClaim {
    /// Which units, and what is the matter.
    pub title: String,
    /// Where it stands.
    pub badge: Badge,
    /// What follows, sentence by sentence.
    pub lines: Vec<String>,
    /// Where goods are to be sent, line by line; empty where none are.
    pub return_to: Vec<String>,
    /// What the shopper sent along.
    pub photos: Vec<Picture>,
    /// Set while the goods are awaited: where the proof goes, and its field.
    pub sent: Option<(String, Field)>,
}

/// The way out of the contract.
#[derive(Clone, Debug)]
pub struct WithdrawOffer {
    /// The page of it.
    pub href: String,
    /// The last day; none while not everything has arrived.
    pub last_day: Option<Day>,
    /// Names of options that are exempt.
    pub exempt: Vec<String>,
}

/// What of an order's page is about the time after ordering.
#[derive(Clone, Debug, Default, Template)]
#[template(path = "order/part/after.html")]
pub struct AfterPart {
    /// Its claims, newest first.
    pub claims: Vec<ShownClaim>,
    /// Where something can be reported, once something was handed over.
    pub report: Option<String>,
    /// Where what it is over is changed, while it can be.
    pub change: Option<String>,
    /// Where address and parcels are changed, while they can be.
    pub edit: Option<String>,
    /// Set while the shopper may withdraw.
    pub withdraw: Option<WithdrawOffer>,
}

impl HtmlSafe for AfterPart {}

/// A page of an order with one form.
#[derive(Clone, Debug)]
pub struct OrderForm {
    /// What the order is called.
    pub number: String,
    /// The order's own page.
    pub order_href: String,
    /// Where the form posts to, with the token.
    pub action: String,
    /// What makes a second submit the same deed.
    pub form_key: String,
    /// What is wrong.
    pub problems: Problems,
}

impl OrderForm {
    pub(super) fn icons(&self) -> &'static str {
        if self.problems.is_empty() {
            ""
        } else {
            "alert"
        }
    }
}

/// `/o/{id}/claims?t=`: something is wrong with what arrived, or did not.
#[derive(Clone, Debug, Template)]
#[template(path = "order/claim.html")]
pub struct ReportPage {
    /// Frame, private.
    pub shell: Shell,
    /// The form.
    pub form: OrderForm,
    /// What is the matter.
    pub kind: Field,
    /// Units by option.
    pub units: Vec<Field>,
    /// In which words.
    pub text: Field,
    /// What is wrong with the choice as a whole.
    pub units_error: Option<String>,
    /// What is wrong with the photos.
    pub photos_error: Option<String>,
    /// Most photos.
    pub most_photos: usize,
}

/// `/o/{id}/withdraw?t=`: the declaration, with the button that confirms it.
#[derive(Clone, Debug, Template)]
#[template(path = "order/withdraw.html")]
pub struct WithdrawPage {
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
    /// Name and e-mail.
    pub who: Vec<Field>,
    /// The last day; none while not everything has arrived.
    pub last_day: Option<Day>,
    /// Names of options that are exempt.
    pub exempt: Vec<String>,
    /// Whether something was handed over and is to be sent back.
    pub some_arrived: bool,
}

/// `/o/{id}/edit?t=`: where it goes, and in how many parcels.
#[derive(Clone, Debug, Template)]
#[template(path = "order/edit.html")]
pub struct EditPage {
    /// Frame, private.
    pub shell: Shell,
    /// The form.
    pub form: OrderForm,
    /// Name and address, with the country.
    pub address: Vec<Field>,
    /// Whether what shipping and tax come to elsewhere can be settled still.
    pub priced: bool,
    /// `as_available` is chosen.
    pub as_available: bool,
}
