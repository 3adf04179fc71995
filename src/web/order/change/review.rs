//! What a change comes to, before the button that agrees to it.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::super::Opened;
use super::super::page::Facts;
use super::Sent;
use crate::domain::country::Country;
use crate::domain::draft::PaymentMode;
use crate::web::pages::private;
use crate::web::shop::{line_row_with_price, money_table, seller, terms};
use crate::web::tongue::say;
use crate::web::view::{ChangeReviewPage, MoneyRow, MoneyTable, Problems};
use crate::workflows::change::Destination;
use crate::workflows::changes::{Offer, Shown};
use crate::workflows::letters::parcels_said;

/// The page with the button that agrees. `before`: what was shown when it was last looked at, where that has moved.
pub(super) async fn page(
    opened: &Opened,
    sent: &Sent,
    offer: &Offer,
    before: Option<&Shown>,
) -> HttpResponse {
    let facts = match opened.read().await {
        Ok(facts) => facts,
        Err(e) => return opened.trouble(&e),
    };
    let Ok(shown) = offer.shown().written() else {
        return opened.trouble(&crate::workflows::desk::Problem::NotFound("change"));
    };
    let status = if before.is_some() {
        StatusCode::CONFLICT
    } else {
        StatusCode::OK
    };
    let currency = offer.order.currency.as_str();
    let (was, total) = (offer.before.total, offer.wanted.quote.total);
    // A higher price binds to pay it, also where only a card is saved for it.
    let binds = total > was;
    let now = if offer.moved.pay > 0 {
        offer.moved.pay
    } else {
        total
    };
    let mut fields = sent.pairs();
    fields.push(("shown".to_owned(), shown));
    let page = ChangeReviewPage {
        headline: match total - was {
            0 => "The same total".to_owned(),
            more if more > 0 => format!("{} more", say(more, currency)),
            less => format!("{} less", say(-less, currency)),
        },
        lines: said(offer),
        fields,
        changed: before.map_or_else(Vec::new, |before| before.moved(offer)),
        button: binds.then(|| {
            let country = Country::parse(offer.country());
            (opened.button_words(country), say(now, currency))
        }),
        next: if offer.moved.pay > 0 {
            "You pay by card on the payment provider's page. Until then your order stays as it is."
        } else {
            ""
        },
        edits: true,
        ..drawn(opened, &facts, offer, "/change")
    };
    private(status, &page)
}

/// What every such page says alike: the lines, the sum, who sells, the terms, where it goes, and what is said of withdrawal.
pub(super) fn drawn(
    opened: &Opened,
    facts: &Facts,
    offer: &Offer,
    below: &str,
) -> ChangeReviewPage {
    ChangeReviewPage {
        shell: opened.shell(below),
        form: opened.form(facts, below, Problems::default()),
        title: facts.title().to_owned(),
        headline: String::new(),
        lines: Vec::new(),
        money: table(offer),
        fields: Vec::new(),
        changed: Vec::new(),
        address: offer
            .goes_to
            .as_ref()
            .map(Destination::lines)
            .unwrap_or_default(),
        parcels: offer.delivery.map(parcels_said),
        withdrawal: offer.withdrawal(facts.seller().withdrawal_everywhere),
        seller: seller(facts.seller()),
        terms: terms(facts.seller()),
        button: None,
        next: "",
        edits: false,
        take_back: None,
    }
}

/// What happens to the money.
pub(super) fn said(offer: &Offer) -> Vec<String> {
    let currency = offer.order.currency.as_str();
    let say = |amount| say(amount, currency);
    let (was, total) = (offer.before.total, offer.wanted.quote.total);
    let mut lines = vec![format!(
        "Your order costs {} now, and {} after the change, shipping and tax included.",
        say(was),
        say(total)
    )];
    let moved = offer.moved;
    let deposit = offer.order.mode == PaymentMode::Deposit;
    if moved.pay > 0 {
        let what = if deposit {
            "The deposit rises with it: "
        } else {
            ""
        };
        lines.push(format!(
            "{what}{} is charged once you pay on the next page. If you do not pay there, the order stays as it is.",
            say(moved.pay)
        ));
    } else if moved.back > 0 {
        lines.push(format!(
            "{} goes back to the card you paid with, at once. Banks take some days to show it.",
            say(moved.back)
        ));
    }
    if !offer.entering.is_empty() {
        lines.push(
            "Should fewer arrive than were ordered, what you add comes after the orders that were paid before it."
                .to_owned(),
        );
    }
    match offer.order.mode {
        PaymentMode::ChargeOnSuccess => lines.push(format!(
            "Nothing is charged now. At most {} is charged to your saved card, and only if it comes together.",
            say(moved.owed)
        )),
        PaymentMode::Deposit if moved.owed > 0 => lines.push(format!(
            "{} at most is left to pay when the goods arrive.",
            say(moved.owed)
        )),
        PaymentMode::ChargeNow | PaymentMode::Deposit => {}
    }
    lines
}

/// The lines after the change, and what shipping and tax were where it goes to another country.
fn table(offer: &Offer) -> MoneyTable {
    let currency = offer.order.currency.as_str();
    let wanted = &offer.wanted;
    let lines = wanted.lines.iter().zip(&wanted.quote.lines);
    let rows = lines.map(|(line, priced)| line_row_with_price(&line.name, priced, currency));
    let mut movements = vec![MoneyRow::new("Before", say(offer.before.total, currency))];
    if offer.abroad().is_some() {
        let (had, to) = (&offer.agreed, &offer.order.country);
        let from = Country::parse(to).map_or(to.as_str(), |country| country.name());
        let tax = had.tax_label(to);
        let shipping = match had.quote.shipping {
            0 => "free".to_owned(),
            amount => say(amount, currency),
        };
        let mut of_it = vec![format!("shipping to {from} {shipping}")];
        if had.quote.tax() > 0 {
            of_it.push(format!("{tax} {}", say(had.quote.tax(), currency)));
        }
        movements[0] = movements[0].clone().note(of_it.join(", "));
    }
    if offer.moved.pay > 0 {
        movements.push(MoneyRow::new("To pay now", say(offer.moved.pay, currency)));
    }
    if offer.moved.back > 0 {
        let back = format!("\u{2212}{}", say(offer.moved.back, currency));
        movements.push(MoneyRow::new("Goes back to you", back));
    }
    let caption = "What it costs after the change";
    let quote = &wanted.quote;
    let tax = wanted.tax_label(offer.country());
    let sum = MoneyRow::new("New total", say(quote.total, currency));
    let mut table = MoneyTable {
        movements,
        ..money_table(caption, rows.collect(), (quote, &tax, currency), sum)
    };
    if let Some(country) = offer.abroad() {
        let to = format!("Shipping to {country}");
        let mut shipping = table.rows.iter_mut().filter(|row| row.label == "Shipping");
        if let Some(row) = shipping.next() {
            row.label = to;
        }
    }
    table
}
