//! What an order costs and when it is paid, in the same words on every page that shows it: before joining, while it waits
//! for units, when it is changed, and afterwards.

use crate::domain::draft::{CampaignDraft, DepositUnpaid, PaymentMode};
use crate::domain::tariff::{LineQuote, Quote};
use crate::web::tongue::say;
use crate::web::view::{Asked, MoneyRow, MoneyTable, Paying, grouped};

/// How an offer is paid.
pub fn paying(draft: &CampaignDraft) -> Paying {
    match draft.payment_mode {
        PaymentMode::ChargeNow => Paying::Now,
        PaymentMode::ChargeOnSuccess => Paying::OnSuccess,
        PaymentMode::Deposit => Paying::Deposit {
            percent: draft.deposit_percent,
            kept: draft.deposit_unpaid == DepositUnpaid::Kept,
        },
    }
}

/// A step as it is waited for: "the price from 50 units"; nothing for the first.
pub fn step_words(draft: &CampaignDraft, step: usize) -> Option<String> {
    let from = draft.steps.counts().get(step).filter(|_| step > 0)?;
    Some(format!("the price from {} units", grouped(*from)))
}

/// What of an order's `total` is paid when, in minor units. `deposit`: its amount, and whether the seller keeps it where
/// the rest is never paid; where nothing is left beside it, all is paid at once.
pub fn asked(
    mode: PaymentMode,
    (total, currency): (i64, &str),
    deposit: Option<(i64, bool)>,
    waits_for: impl FnOnce() -> Option<String>,
) -> Asked {
    match (mode, deposit) {
        (PaymentMode::ChargeOnSuccess, _) => Asked::Saved {
            waits_for: waits_for(),
        },
        (PaymentMode::Deposit, Some((now, kept))) if now < total => Asked::Deposit {
            now: say(now, currency),
            later: say(total - now, currency),
            kept,
        },
        (PaymentMode::ChargeNow | PaymentMode::Deposit, _) => Asked::Now,
    }
}

/// A line of an order: how many of what, and what they come to.
pub fn line_row(name: &str, line: &LineQuote, currency: &str) -> MoneyRow {
    let label = format!("{} \u{d7} {name}", grouped(line.quantity));
    MoneyRow::new(label, say(line.goods, currency))
}

/// What each of a line's units costs; nothing where it has one.
pub fn each(line: &LineQuote, currency: &str) -> Option<String> {
    (line.quantity > 1).then(|| format!("{} each", say(line.unit_price, currency)))
}

/// [`line_row`] with the price of [`each`] below it.
pub fn line_row_with_price(name: &str, line: &LineQuote, currency: &str) -> MoneyRow {
    let row = line_row(name, line, currency);
    match each(line, currency) {
        Some(each) => row.note(each),
        None => row,
    }
}

/// The table of what an order costs: its lines, then shipping and added tax, then the sum, which says what tax is in it.
/// `tax`: what the tax is called, with its rate.
pub fn money_table(
    caption: &str,
    mut rows: Vec<MoneyRow>,
    (quote, tax, currency): (&Quote, &str, &str),
    mut sum: MoneyRow,
) -> MoneyTable {
    let shipping = match quote.shipping {
        0 => "free".to_owned(),
        amount => say(amount, currency),
    };
    rows.push(MoneyRow::new("Shipping", shipping));
    if quote.tax_added > 0 {
        rows.push(MoneyRow::new(tax, say(quote.tax_added, currency)));
    }
    if quote.tax_included > 0 {
        let included = say(quote.tax_included, currency);
        sum = sum.note(format!("{included} {tax} included"));
    }
    MoneyTable {
        caption: caption.to_owned(),
        rows,
        sum,
        movements: Vec::new(),
    }
}
