//! Receipts and credit notes: what is frozen when one is issued (domain section 7), so that it can be drawn again
//! unchanged for ever.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::currency::Currency;
use super::payment::RefundPurpose;
use super::tariff::{Quote, TaxRule};
use super::words::words;

words! {
    /// What a paper is about.
    PaperKind {
        /// Money came in.
        Receipt = "receipt",
        /// Money went back.
        CreditNote = "credit_note",
    }
}

impl PaperKind {
    /// The number as people say it: `R-00012`, `C-00003`. Each kind counts by itself, from 1, merchant by merchant.
    pub fn number(self, number: i64) -> String {
        format!("{}-{number:05}", self.letter())
    }

    /// Reads a number as people say it.
    pub fn parse(text: &str) -> Option<(PaperKind, i64)> {
        let (letter, digits) = text.split_once('-')?;
        let kind = Self::ALL.iter().copied().find(|k| k.letter() == letter)?;
        let plain = (1..=18).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        let number = digits.parse().ok().filter(|n| plain && *n > 0)?;
        // One paper has one address.
        (kind.number(number) == text).then_some((kind, number))
    }

    /// What stands above it.
    pub fn title(self) -> &'static str {
        match self {
            PaperKind::Receipt => "Receipt",
            PaperKind::CreditNote => "Credit note",
        }
    }

    fn letter(self) -> &'static str {
        match self {
            PaperKind::Receipt => "R",
            PaperKind::CreditNote => "C",
        }
    }
}

/// Who sells, as of the day of issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperSeller {
    /// The name.
    pub name: String,
    /// The postal address, in lines.
    pub address: String,
    /// Who answers for it, as it was written: register and tax numbers stand there.
    pub imprint: String,
    /// Where answers go.
    pub email: String,
}

/// Who buys, as of the day of issue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperBuyer {
    /// The address of the order, in lines, the name first.
    pub lines: Vec<String>,
    /// The e-mail address.
    pub email: String,
    /// The country's code.
    pub country: String,
}

/// One line. All amounts in minor units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperLine {
    /// What it is.
    pub name: String,
    /// The option's code; none where the line is a sum of money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sku: Option<String>,
    /// Units.
    pub quantity: i64,
    /// Price of one; contains the tax where it is included.
    pub unit_price: i64,
    /// `quantity * unit_price`.
    pub amount: i64,
    /// The line's tax.
    pub tax: i64,
}

/// The tax of a paper: at most one rate applies to an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PaperTax {
    /// Name and rate, such as `VAT 19 %`.
    pub label: String,
    /// Hundredths of a percent.
    pub rate_basis_points: i64,
    /// Whether the amounts contain it; else it came on top.
    pub included: bool,
    /// What it is reckoned on: the total without it.
    pub net: i64,
    /// How much it is.
    pub amount: i64,
}

/// The receipt that a credit note corrects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrects {
    /// Its number as people say it.
    pub number: String,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
}

/// All that a paper says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    /// Receipt or credit note.
    pub kind: PaperKind,
    /// Its number, without gaps for its kind and merchant.
    pub number: i64,
    /// When it was issued: the moment the money's movement was booked.
    pub issued_at: DateTime<Utc>,
    /// The campaign's zone, an IANA name: its dates are days there.
    pub time_zone: String,
    /// Who sells.
    pub seller: PaperSeller,
    /// Who buys.
    pub buyer: PaperBuyer,
    /// The order's number as people say it.
    pub order: String,
    /// The campaign's title at joining.
    pub campaign: String,
    /// The currency of every amount.
    pub currency: Currency,
    /// What was paid for, or went back.
    pub lines: Vec<PaperLine>,
    /// Shipping; contains its tax where tax is included.
    pub shipping: i64,
    /// The tax, where there is any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax: Option<PaperTax>,
    /// What moved.
    pub total: i64,
    /// How it moved.
    pub paid: String,
    /// The receipt it corrects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub corrects: Option<Corrects>,
}

/// The amounts of a paper.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Amounts {
    /// The lines.
    pub lines: Vec<PaperLine>,
    /// Shipping.
    pub shipping: i64,
    /// The tax.
    pub tax: Option<PaperTax>,
    /// The sum.
    pub total: i64,
}

/// The amounts of an order as it was priced: `names` are code and name of each line, in the quote's order.
pub fn whole(names: &[(String, String)], quote: &Quote, rule: Option<&TaxRule>) -> Amounts {
    let lines = names.iter().zip(&quote.lines);
    let lines = lines.map(|((sku, name), line)| PaperLine {
        name: name.clone(),
        sku: Some(sku.clone()),
        quantity: line.quantity,
        unit_price: line.unit_price,
        amount: line.goods,
        tax: line.tax,
    });
    Amounts {
        lines: lines.collect(),
        shipping: quote.shipping,
        tax: tax_of(rule, quote.total, quote.tax()),
        total: quote.total,
    }
}

/// One sum of money with the tax in it.
pub fn sum(name: String, total: i64, tax: i64, rule: Option<&TaxRule>) -> Amounts {
    let on_top = rule.is_some_and(|rule| !rule.included);
    let amount = if on_top { total - tax } else { total };
    Amounts {
        lines: vec![PaperLine {
            name,
            sku: None,
            quantity: 1,
            unit_price: amount,
            amount,
            tax,
        }],
        shipping: 0,
        tax: tax_of(rule, total, tax),
        total,
    }
}

fn tax_of(rule: Option<&TaxRule>, total: i64, tax: i64) -> Option<PaperTax> {
    rule.map(|rule| PaperTax {
        label: rule.label(),
        rate_basis_points: rule.rate_basis_points,
        included: rule.included,
        net: total - tax,
        amount: tax,
    })
}

/// The tax in `part` of a sum that holds `tax` in all: half up to the granularity, so that parts which come to the whole
/// hold exactly its tax. `before` is what earlier parts came to, `given` the tax that was in them.
pub fn tax_in_part(
    (whole, tax): (i64, i64),
    (before, given): (i64, i64),
    part: i64,
    granularity: i64,
) -> i64 {
    if whole <= 0 || tax <= 0 || granularity < 1 {
        return 0;
    }
    let so_far = i128::from(before.saturating_add(part).clamp(0, whole));
    let grain = i128::from(whole) * i128::from(granularity);
    let grains = (2 * so_far * i128::from(tax) + grain) / (2 * grain);
    let so_far = i64::try_from(grains * i128::from(granularity)).unwrap_or(tax);
    (so_far.min(tax) - given).clamp(0, part.max(0))
}

/// Why money went back, as a credit note says it.
pub fn said(purpose: RefundPurpose) -> &'static str {
    use RefundPurpose as P;
    match purpose {
        P::Difference => "A better price was reached",
        P::Missed | P::Shortfall => "The campaign came to too few units",
        P::Cancelled | P::Supplier => "The campaign was cancelled",
        P::StopLoss | P::Delay => "Not shipped in time",
        P::Shopper => "Cancelled by the shopper",
        P::Short => "Goods that will not arrive",
        P::OptionDropped => "An option that was not made",
        P::Change => "Units that left the order",
        P::Withdrawal => "Withdrawal from the contract",
        P::Returned => "Returned goods",
        P::Claim => "Lost, damaged or wrong goods",
        P::Goodwill => "Price reduction",
        P::Late => "A payment that did not count",
        P::Balance => "A balance that was not paid",
        P::Dispute | P::Replaced => "Refund",
    }
}

#[cfg(test)]
#[path = "tests/paper.rs"]
mod tests;
