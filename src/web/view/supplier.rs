//! A supplier's view of its purchase order, and the order as a page to print.

use askama::Template;

use super::time::{Day, Moment, grouped};
use super::{Badge, Field, Link, Problems, Shell};

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
    /// Sent, no answer yet.
    Sent,
    /// Acknowledged.
    Acknowledged {
        /// When.
        at: Moment,
        /// What was noted.
        note: Option<String>,
    },
    /// Being made.
    InProduction {
        /// Since when.
        at: Moment,
    },
    /// On its way.
    InTransit {
        /// Since when.
        at: Moment,
        /// "DHL, 00340434".
        by: String,
    },
    /// A part of it arrived.
    PartlyReceived,
    /// It arrived.
    Received,
    /// The supplier said no.
    Rejected {
        /// When.
        at: Moment,
        /// Why.
        reason: String,
    },
    /// A later version or another order took its place.
    Replaced {
        /// When.
        at: Option<Moment>,
        /// The later version; none where it is another supplier's now.
        newer: Option<Link>,
        /// Why.
        reason: Option<String>,
    },
    /// No longer wanted.
    Cancelled,
    /// Done with.
    Closed,
}

/// A date the supplier gave.
#[derive(Clone, Debug)]
pub struct GivenDate {
    /// "5 June 2026".
    pub arrives: String,
    /// Why.
    pub reason: String,
    /// When it was given.
    pub at: Moment,
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
    /// This page; its forms post below it.
    pub here: String,
    /// `note` ([`SupplierPage::note_field`]).
    pub note: Field,
    /// `arrives` and `reason` ([`SupplierPage::date_fields`]).
    pub date: Vec<Field>,
    /// `carrier` and `tracking` ([`SupplierPage::shipping_fields`]).
    pub shipping: Vec<Field>,
    /// Dates given before, the last first.
    pub dates: Vec<GivenDate>,
    /// What is wrong with what was typed.
    pub problems: Problems,
}

impl SupplierPage {
    /// The field for the note, filled in.
    pub fn note_field(typed: &str, problems: &Problems) -> Field {
        Field::area("note", "A word to the buyer", 3)
            .value(typed)
            .hint("A question, your own order number.")
            .max_length(2000)
            .optional()
            .problems(problems)
    }

    /// The fields for a date, filled in; `days`: the first and the last that is taken, `moves`: one was given before.
    pub fn date_fields(
        arrives: &str,
        reason: &str,
        days: (Day, Day),
        moves: bool,
        problems: &Problems,
    ) -> Vec<Field> {
        let day = |day: Day| Some(day.0.format("%Y-%m-%d").to_string());
        let why = Field::area("reason", "Why", 2)
            .value(reason)
            .hint("The buyer and the shoppers read it.")
            .max_length(500)
            .problems(problems);
        vec![
            Field::input("date", "arrives", "The goods arrive on")
                .value(arrives)
                .range(day(days.0), day(days.1))
                .problems(problems),
            if moves { why } else { why.optional() },
        ]
    }

    /// The fields for the carrier, filled in.
    pub fn shipping_fields(carrier: &str, tracking: &str, problems: &Problems) -> Vec<Field> {
        vec![
            Field::text("carrier", "Carrier")
                .value(carrier)
                .max_length(60)
                .problems(problems),
            Field::text("tracking", "Tracking number")
                .value(tracking)
                .max_length(60)
                .optional()
                .problems(problems),
        ]
    }

    fn badge(&self) -> Badge {
        Badge::state(match self.state {
            SupplierState::Sent => "sent",
            SupplierState::Acknowledged { .. } => "acknowledged",
            SupplierState::InProduction { .. } => "in_production",
            SupplierState::InTransit { .. } => "in_transit",
            SupplierState::PartlyReceived => "partly_received",
            SupplierState::Received => "received",
            SupplierState::Rejected { .. } => "rejected",
            SupplierState::Replaced { .. } => "replaced",
            SupplierState::Cancelled => "cancelled",
            SupplierState::Closed => "closed",
        })
    }

    fn takes_production(&self) -> bool {
        matches!(self.state, SupplierState::Acknowledged { .. })
    }

    fn takes_date(&self) -> bool {
        self.takes_shipping() || matches!(self.state, SupplierState::PartlyReceived)
    }

    fn takes_shipping(&self) -> bool {
        matches!(
            self.state,
            SupplierState::Sent
                | SupplierState::Acknowledged { .. }
                | SupplierState::InProduction { .. }
                | SupplierState::InTransit { .. }
        )
    }

    fn takes_no(&self) -> bool {
        matches!(
            self.state,
            SupplierState::Sent | SupplierState::Acknowledged { .. }
        )
    }

    fn icons(&self) -> &'static str {
        match self.state {
            _ if !self.problems.is_empty() => "print check alert truck",
            SupplierState::Replaced { .. }
            | SupplierState::Cancelled
            | SupplierState::Rejected { .. } => "print alert",
            SupplierState::Sent | SupplierState::Acknowledged { .. } => "print check",
            SupplierState::InProduction { .. } | SupplierState::Received => "print check",
            SupplierState::InTransit { .. } => "print truck",
            SupplierState::PartlyReceived | SupplierState::Closed => "print",
        }
    }
}

/// `/s/{token}/reject`: asks once more.
#[derive(Clone, Debug, Template)]
#[template(path = "supplier/reject.html")]
pub struct RejectPage {
    /// Frame, private.
    pub shell: Shell,
    /// "PO-0031".
    pub number: String,
    /// Who buys.
    pub buyer_name: String,
    /// Units in all.
    pub units: i64,
    /// The order's page.
    pub here: String,
    /// `reason`.
    pub reason: Field,
    /// What is wrong with what was typed.
    pub problems: Problems,
}

impl RejectPage {
    /// The field for the reason, filled in.
    pub fn reason_field(typed: &str, problems: &Problems) -> Field {
        Field::area("reason", "Why you cannot deliver", 3)
            .value(typed)
            .hint("The buyer reads it.")
            .max_length(500)
            .problems(problems)
    }

    fn icons(&self) -> &'static str {
        if self.problems.is_empty() {
            ""
        } else {
            "alert"
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
