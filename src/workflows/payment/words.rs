//! What a shopper reads of an order: amounts, lines, the confirmation.

use super::frozen;
use crate::domain::country::Country;
use crate::domain::draft::{CampaignDraft, PaymentMode};
use crate::domain::due::balance_when;
use crate::domain::payment::PaymentKind;
use crate::domain::price::Threshold;
use crate::domain::withdrawal::has_right;
use crate::store::Tx;
use crate::store::campaigns::CampaignRow;
use crate::store::dues;
use crate::store::orders::OrderRow;
use crate::workflows::batches;
use crate::workflows::desk::{Concerns, Desk, Problem, happened, merchant};
use crate::workflows::join::FrozenQuote;
use crate::workflows::letters::{Joined, JoinedBy, Letter, LetterLine};
use crate::workflows::money::{self, say};
use crate::workflows::papers;
use crate::workflows::stock_sale;
use crate::workflows::withdraw::information;

/// Tells the shopper that the order is paid.
pub(super) fn confirmation(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
    order: &OrderRow,
) -> Result<(), Problem> {
    let merchant = merchant(tx, order.merchant_id)?;
    let agreed = frozen(order)?;
    let chosen = agreed.withdrawal || merchant.withdrawal_everywhere;
    let withdrawal = match Country::parse(&order.country) {
        Some(country) if has_right(country, chosen) => {
            let exempt = agreed.lines.iter().filter(|l| l.made_to_order);
            let exempt: Vec<&str> = exempt.map(|l| l.name.as_str()).collect();
            information(&exempt, agreed.lines.len())
        }
        _ => Vec::new(),
    };
    let receipt = papers::newest_receipt(tx, order.id)?;
    let receipt = receipt.map(|number| desk.links.receipt_url(order.id, &number));
    if agreed.from_stock {
        let promised = agreed.promised.unwrap_or(draft.promised_ship_date);
        let letter = Letter::SoldFromStock {
            about: desk.about(&merchant, campaign, draft, order),
            lines: letter_lines(&agreed, None, &order.currency),
            shipping: money::nonzero_said(agreed.quote.shipping, &order.currency),
            tax: said_tax(&agreed, order),
            total: say(order.total, &order.currency),
            ships_by: promised,
            last_day: stock_sale::last_day(draft, promised),
            receipt,
            withdrawal,
        };
        return desk.tell_shopper(tx, &merchant, order, "order_confirmed", letter);
    }
    if let Some(by) = joined_by(tx, draft, order, &agreed)? {
        let joined = Joined {
            lines: letter_lines(&agreed, None, &order.currency),
            shipping: money::nonzero_said(agreed.quote.shipping, &order.currency),
            tax: said_tax(&agreed, order),
            total: say(order.total, &order.currency),
            by,
            deadline: campaign.deadline.and_utc(),
            threshold: say_threshold(draft),
            ships_by: draft.promised_ship_date,
            stop_loss: draft.stop_loss_date,
            withdrawal,
        };
        let letter = Letter::Joined {
            about: desk.about(&merchant, campaign, draft, order),
            joined: Box::new(joined),
        };
        return desk.tell_shopper(tx, &merchant, order, "order_confirmed", letter);
    }
    let mut about = desk.about(&merchant, campaign, draft, order);
    about.campaign = batches::title(tx.conn, campaign, order.batch_id)?;
    let letter = Letter::OrderConfirmed {
        about,
        lines: letter_lines(&agreed, None, &order.currency),
        shipping: money::nonzero_said(agreed.quote.shipping, &order.currency),
        tax: said_tax(&agreed, order),
        total: say(order.total, &order.currency),
        deadline: campaign.deadline.and_utc(),
        threshold: say_threshold(draft),
        ships_by: draft.promised_ship_date,
        stop_loss: draft.stop_loss_date,
        receipt,
        withdrawal,
    };
    desk.tell_shopper(tx, &merchant, order, "order_confirmed", letter)
}

/// Says on the order's timeline that it counts from now on, and why.
pub(super) fn say_confirmed(
    tx: &mut Tx,
    order: &OrderRow,
    kind: PaymentKind,
) -> Result<(), Problem> {
    let charged = say(order.charged, &order.currency);
    let (word, detail) = match kind {
        PaymentKind::Setup => {
            let card = dues::card_of(tx.conn, order.id)?.map(|card| card.said());
            let card = card.unwrap_or_else(|| "The card".to_owned());
            (
                "card_saved",
                format!("{card} is saved. Nothing was charged."),
            )
        }
        PaymentKind::Deposit => {
            let rest = say(order.owed, &order.currency);
            (
                "deposit_paid",
                format!(
                    "A deposit of {charged} was charged; {rest} is charged when the goods arrive."
                ),
            )
        }
        PaymentKind::Join | PaymentKind::Charge | PaymentKind::Fix | PaymentKind::Change => {
            ("paid", format!("{charged} was charged."))
        }
    };
    happened(tx, Concerns::order(order), "shopper", word, detail)
}

/// What makes an order count that is not paid in full; none where it is.
fn joined_by(
    tx: &mut Tx,
    draft: &CampaignDraft,
    order: &OrderRow,
    agreed: &FrozenQuote,
) -> Result<Option<JoinedBy>, Problem> {
    if order.owed == 0 {
        return Ok(None);
    }
    if order.mode == PaymentMode::Deposit {
        return Ok(Some(JoinedBy::Deposit {
            paid: say(order.charged, &order.currency),
            balance: say(order.owed, &order.currency),
            kept: agreed.deposit.is_some_and(|deposit| deposit.forfeited),
            when: balance_when(order.delivery, order.units).to_owned(),
        }));
    }
    let card = dues::card_of(tx.conn, order.id)?.map(|card| card.said());
    let step = usize::try_from(order.limit_step).unwrap_or(0);
    let waits_for = draft.steps.counts().get(step).filter(|_| step > 0);
    Ok(Some(JoinedBy::Card {
        card: card.unwrap_or_else(|| "your card".to_owned()),
        waits_for: waits_for.map(|units| format!("the price from {units} units")),
    }))
}

/// The threshold as people read it, such as `50 units`.
pub fn say_threshold(draft: &CampaignDraft) -> String {
    match draft.threshold {
        Threshold::Units(1) => "1 unit".to_owned(),
        Threshold::Units(units) => format!("{units} units"),
        Threshold::Amount(amount) => say(amount, draft.currency.code()),
    }
}

fn said_tax(agreed: &FrozenQuote, order: &OrderRow) -> Option<String> {
    let label = agreed.tax_label(&order.country);
    let kind = label.strip_prefix("Tax ").unwrap_or(&label);
    if agreed.quote.tax_added > 0 {
        let amount = say(agreed.quote.tax_added, &order.currency);
        Some(format!("{amount}, {kind}"))
    } else if agreed.quote.tax_included > 0 {
        let amount = say(agreed.quote.tax_included, &order.currency);
        Some(format!("{amount} included, {kind}"))
    } else {
        None
    }
}

/// An order's lines as people read them, at the prices charged or at final ones.
pub fn letter_lines(
    agreed: &FrozenQuote,
    prices: Option<&[i64]>,
    currency: &str,
) -> Vec<LetterLine> {
    agreed
        .lines
        .iter()
        .zip(&agreed.quote.lines)
        .enumerate()
        .map(|(i, (line, priced))| {
            let unit = prices
                .and_then(|p| p.get(i).copied())
                .unwrap_or(priced.unit_price);
            LetterLine {
                quantity: priced.quantity,
                name: line.name.clone(),
                amount: say(unit.saturating_mul(priced.quantity), currency),
            }
        })
        .collect()
}
