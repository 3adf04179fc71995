//! A receipt or a credit note, on its own page and on paper.

use askama::Template;
use askama::filters::HtmlSafe;

use super::time::Moment;

/// A line of a paper.
#[derive(Clone, Debug)]
pub struct SheetLine {
    /// What it is.
    pub name: String,
    /// The option's code.
    pub sku: Option<String>,
    /// Units.
    pub quantity: String,
    /// Price of one.
    pub unit_price: String,
    /// The line's sum.
    pub amount: String,
}

/// The paper itself.
#[derive(Clone, Debug, Template)]
#[template(path = "order/part/paper.html")]
pub struct Sheet {
    /// "Receipt", "Credit note".
    pub title: &'static str,
    /// "R-00012".
    pub number: String,
    /// When it was issued.
    pub date: Moment,
    /// Who sells, line by line.
    pub seller: Vec<String>,
    /// The seller's imprint, line by line.
    pub imprint: Vec<String>,
    /// Who buys, line by line.
    pub buyer: Vec<String>,
    /// "M-2417".
    pub order: String,
    /// The campaign's title.
    pub campaign: String,
    /// The lines.
    pub lines: Vec<SheetLine>,
    /// Sums under them: shipping, added tax.
    pub sums: Vec<(String, String)>,
    /// What was paid, or went back.
    pub total: String,
    /// Tax by rate: name, what it is reckoned on, how much it is.
    pub tax: Option<(String, String, String)>,
    /// "Paid by card".
    pub paid: String,
    /// The receipt it corrects, and its date.
    pub corrects: Option<(String, Moment)>,
}

impl HtmlSafe for Sheet {}

/// A paper alone, for the printer.
#[derive(Clone, Debug, Template)]
#[template(path = "order/paper.html")]
pub struct SheetPage {
    /// The paper.
    pub sheet: Sheet,
    /// Where *back* leads.
    pub back: String,
}
