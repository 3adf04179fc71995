//! A supplier's view of its purchase order, and the order as a page to print.

use askama::Template;

use super::time::{Day, Moment, grouped};
use super::{Badge, Field, Shell};

/// One line of a purchase order.
#[derive(Clone, Debug)]
pub struct PoLine {
    /// The option's code.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// Units bought.
    pub units: i64,
    /// "$41.00".
    pub unit_cost: String,
    /// "$2,460.00".
    pub total: String,
}

impl PoLine {
    fn units_text(&self) -> String {
        grouped(self.units)
    }
}

/// A purchase order as it was issued: drawn the same for supplier, staff and printer.
#[derive(Clone, Debug, Template)]
#[template(path = "supplier/document.html")]
pub struct PoDocument {
    /// "PO-0031".
    pub number: String,
    /// From 1.
    pub version: i64,
    /// When it was issued.
    pub date: Moment,
    /// Who buys: name and address, line by line.
    pub buyer: Vec<String>,
    /// Who delivers: name and address, line by line.
    pub supplier: Vec<String>,
    /// Where it goes, line by line.
    pub deliver_to: Vec<String>,
    /// What it is for.
    pub campaign: String,
    /// What is bought.
    pub lines: Vec<PoLine>,
    /// Units in all.
    pub units: i64,
    /// What it costs in all.
    pub total: String,
    /// When the goods should be there.
    pub wanted_by: Option<Day>,
}

impl askama::filters::HtmlSafe for PoDocument {}

impl PoDocument {
    fn units_text(&self) -> String {
        grouped(self.units)
    }
}

/// How far a purchase order is, as its supplier sees it.
#[derive(Clone, Debug)]
pub enum SupplierState {
    /// Sent, no answer yet: the form is drawn.
    Sent,
    /// Acknowledged.
    Acknowledged {
        /// When.
        at: Moment,
        /// What was noted.
        note: Option<String>,
    },
    /// A later version or another order took its place.
    Replaced,
    /// No longer wanted.
    Cancelled,
    /// Done with.
    Closed,
}

/// `/s/{token}`
#[derive(Clone, Debug, Template)]
#[template(path = "supplier/supplier.html")]
pub struct SupplierPage {
    /// Frame, private.
    pub shell: Shell,
    /// The order.
    pub document: PoDocument,
    /// Who buys.
    pub buyer_name: String,
    /// Whom to ask.
    pub buyer_email: Option<String>,
    /// When it was sent.
    pub sent: Moment,
    /// How far it is.
    pub state: SupplierState,
    /// Where the form posts to (`note`, optional).
    pub acknowledge_action: String,
    /// What was typed as the note, with what is wrong with it ([`SupplierPage::note_field`]).
    pub note: Field,
    /// The page to print.
    pub print_href: String,
    /// The lines as CSV.
    pub csv_href: String,
}

impl SupplierPage {
    /// The field for the note, filled in.
    pub fn note_field(typed: &str, error: Option<String>) -> Field {
        let mut field = Field::area("note", "A word to the buyer", 3)
            .value(typed)
            .hint("A question, a date, your own order number.")
            .max_length(2000)
            .optional();
        field.error = error;
        field
    }

    fn badge(&self) -> Badge {
        Badge::state(match self.state {
            SupplierState::Sent => "sent",
            SupplierState::Acknowledged { .. } => "acknowledged",
            SupplierState::Replaced => "replaced",
            SupplierState::Cancelled => "cancelled",
            SupplierState::Closed => "closed",
        })
    }

    fn icons(&self) -> &'static str {
        match self.state {
            SupplierState::Sent if self.note.error.is_some() => "print check alert",
            SupplierState::Sent => "print check",
            SupplierState::Acknowledged { .. } => "print check",
            SupplierState::Replaced | SupplierState::Cancelled => "print alert",
            SupplierState::Closed => "print",
        }
    }
}

/// The purchase order alone, for paper.
#[derive(Clone, Debug, Template)]
#[template(path = "supplier/print.html")]
pub struct PurchaseOrderPage {
    /// The order.
    pub document: PoDocument,
    /// Where *back* leads.
    pub back: String,
}
