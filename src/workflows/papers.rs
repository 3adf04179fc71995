//! Receipts and credit notes are issued by themselves (domain section 7).
//!
//! Each is issued in the very transaction that books its movement of money: a receipt when a capture is booked, a credit
//! note when a refund is recorded as done. Not earlier: a refund that is only committed may still be dropped, because a
//! dispute took the money or an earlier one was found, and a number once given is never taken back. So receipts less
//! credit notes are what was captured less what went back, at any moment; a lost dispute is a loss, not a lower price, and
//! has no paper. A refund that the bank sends back later stays credited: it is still owed, and is sent once more.
//!
//! The tax is computed again for what is kept (domain section 3): a paper says what lies between the papers before it and
//! the tax of the order's lines, so that all of them together say exactly that.

use chrono::{DateTime, Utc};

use super::change::lines_of;
use super::changes::{goes_to, wanted};
use super::desk::{Problem, merchant, offer, order_number};
use super::join::{Address, FrozenQuote};
use super::part::cost_of;
use super::payment::frozen;
use crate::domain::country::Country;
use crate::domain::ids::{OrderId, PaperId};
use crate::domain::order::OrderState;
use crate::domain::paper::{
    self, Amounts, Corrects, Paper, PaperBuyer, PaperKind, PaperSeller, tax_in_part,
};
use crate::domain::payment::{RefundPurpose, RefundState};
use crate::domain::tariff::TaxRule;
use crate::store::orders::{LineRow, OrderRow};
use crate::store::papers::{self, PaperRow};
use crate::store::refunds::RefundRow;
use crate::store::{Tx, campaigns, changes, merchants, orders, refunds};

/// Issues the receipt of a payment that was just booked; once, whoever asks again.
///
/// # Errors
/// What the database says; a damaged row.
pub fn receipt(tx: &mut Tx, order: &OrderRow, attempt: i32, amount: i64) -> Result<(), Problem> {
    let known = papers::of_orders(tx.conn, &[order.id])?;
    if amount <= 0 || receipt_of(&known, attempt).is_some() {
        return Ok(());
    }
    let agreed = frozen(order)?;
    let order = &as_paid_for(tx, order, attempt)?;
    let amounts = paid_for(tx, order, &agreed, (attempt, amount))?;
    let new = New {
        kind: PaperKind::Receipt,
        attempt,
        refund: None,
        amounts,
        paid: "Paid by card".to_owned(),
        corrects: None,
    };
    issue(tx, order, &agreed, new)
}

/// Issues the credit note of a refund that was just recorded as done; once, also where the bank sent it back and it was
/// done again. Of a payment older than the papers nothing is issued.
///
/// # Errors
/// What the database says; a damaged row.
pub fn credit_note(tx: &mut Tx, order: &OrderRow, refund: &RefundRow) -> Result<(), Problem> {
    let known = papers::of_orders(tx.conn, &[order.id])?;
    if known.iter().any(|p| p.refund_id == Some(refund.id)) {
        return Ok(());
    }
    let Some(receipt) = receipt_of(&known, refund.payment_attempt) else {
        return Ok(());
    };
    let agreed = frozen(order)?;
    let tax = tax_back(tx, order, refund, (receipt, &known), &agreed)?;
    // It corrects the receipt, by the tax of where the order went then.
    let country = content(receipt)?.buyer.country;
    let rule = Country::parse(&country).and_then(|country| agreed.tariff.tax_for(country));
    let reason = paper::said(refund.purpose).to_owned();
    let new = New {
        kind: PaperKind::CreditNote,
        attempt: refund.payment_attempt,
        refund: Some(refund),
        amounts: paper::sum(reason, refund.amount, tax, rule),
        paid: match refund.state {
            RefundState::PaidOtherwise => "Paid back in another way".to_owned(),
            _ => "Paid back to the card".to_owned(),
        },
        corrects: Some(Corrects {
            number: PaperKind::Receipt.number(receipt.number),
            issued_at: receipt.issued_at.and_utc(),
        }),
    };
    issue(tx, order, &agreed, new)
}

/// The tax that goes back with a refund. Where the order costs less, it is what the papers said beyond the tax of the lines
/// that are kept. An allowance, a payment that did not count, and what is paid for nothing that is kept, have their share of
/// the receipt's.
fn tax_back(
    tx: &mut Tx,
    order: &OrderRow,
    refund: &RefundRow,
    (receipt, known): (&PaperRow, &[PaperRow]),
    agreed: &FrozenQuote,
) -> Result<i64, Problem> {
    let grain = agreed.tariff.currency.granularity();
    let earlier = known
        .iter()
        .filter(|p| p.kind == PaperKind::CreditNote && p.payment_attempt == refund.payment_attempt);
    let before = earlier.fold((0, 0), |(sum, tax), p| (sum + p.amount, tax + p.tax));
    let share = tax_in_part((receipt.amount, receipt.tax), before, refund.amount, grain);
    let given = refunds::of_order(tx.conn, order.id)?;
    if refund.purpose.is_allowance() || did_not_count(receipt, &given) {
        return Ok(share);
    }
    let lines = orders::lines_of(tx.conn, order.id)?;
    // Where nothing is kept, each payment goes back with its own tax.
    let Some((costs, tax)) = carried(order, &lines)?.filter(|(costs, _)| *costs > 0) else {
        return Ok(share);
    };
    let (said, said_tax) = said_so_far(known, &given);
    let (sum, sum_tax) = (said - costs, said_tax - tax);
    if refund.amount > sum {
        return Ok(share);
    }
    let most = (receipt.tax - before.1).max(0).min(refund.amount);
    Ok(tax_in_part((sum, sum_tax), (0, 0), refund.amount, grain).min(most))
}

/// Whether a payment did not count, and all of it goes back or went back: it is none of the order's price.
fn did_not_count(receipt: &PaperRow, given: &[RefundRow]) -> bool {
    let back = given.iter().filter(|r| {
        r.payment_attempt == receipt.payment_attempt
            && r.purpose == RefundPurpose::Late
            && r.state != RefundState::Dropped
    });
    back.map(|r| r.amount).sum::<i64>() >= receipt.amount
}

/// What the papers of an order say of its price so far, and of the tax in it, minor units: without payments that did not
/// count, and without allowances, which lower no line's price.
fn said_so_far(known: &[PaperRow], given: &[RefundRow]) -> (i64, i64) {
    let of_price = |paper: &&PaperRow| {
        let refund = given.iter().find(|r| Some(r.id) == paper.refund_id);
        let receipt = receipt_of(known, paper.payment_attempt);
        !refund.is_some_and(|r| r.purpose.is_allowance())
            && receipt.is_some_and(|r| !did_not_count(r, given))
    };
    known.iter().filter(of_price).fold((0, 0), add_up)
}

/// A sum of papers with one more: a credit note takes off.
pub(super) fn add_up((sum, tax): (i64, i64), paper: &PaperRow) -> (i64, i64) {
    match paper.kind {
        PaperKind::Receipt => (sum + paper.amount, tax + paper.tax),
        PaperKind::CreditNote => (sum - paper.amount, tax - paper.tax),
    }
}

/// What an order costs now and the tax in it, minor units, as its kept lines carry it; none where its price is lower than
/// they come to by themselves.
///
/// # Errors
/// When the order's row is damaged.
pub(super) fn carried(order: &OrderRow, lines: &[LineRow]) -> Result<Option<(i64, i64)>, Problem> {
    if matches!(order.state, OrderState::Cancelled | OrderState::Expired) {
        return Ok(Some((0, 0)));
    }
    let now = cost_of(order, lines, |line| line.units().wanted())?;
    let price = order.final_total.unwrap_or(order.total);
    Ok((now.total == price).then(|| (now.total, now.tax())))
}

fn receipt_of(known: &[PaperRow], attempt: i32) -> Option<&PaperRow> {
    known
        .iter()
        .find(|p| p.kind == PaperKind::Receipt && p.payment_attempt == attempt)
}

fn rule_of<'a>(order: &OrderRow, agreed: &'a FrozenQuote) -> Option<&'a TaxRule> {
    agreed.tariff.tax_for(Country::parse(&order.country)?)
}

/// What a payment is for: the order line by line, as it was agreed or as it costs now, where the payment is all of it;
/// else a part of its price with the tax in that part.
fn paid_for(
    tx: &mut Tx,
    order: &OrderRow,
    agreed: &FrozenQuote,
    (attempt, amount): (i32, i64),
) -> Result<Amounts, Problem> {
    let rule = rule_of(order, agreed);
    let grain = agreed.tariff.currency.granularity();
    if let Some(row) = changes::under_way(tx.conn, order.id)?
        && row.attempt == Some(attempt)
    {
        // What a change costs more: the tax is the rest of the tax, where the whole difference is paid. Where less tax is due
        // in another country, or more than it costs more, a paper over the difference says as much of that as it can.
        let wanted = wanted(&row)?.quote;
        let more = (
            wanted.total - agreed.quote.total,
            wanted.tax() - agreed.quote.tax(),
        );
        let tax = match more {
            (total, tax) if total == amount => tax.clamp(0, amount),
            _ => tax_in_part((wanted.total, wanted.tax()), (0, 0), amount, grain),
        };
        let name = format!("Change of order {}", order_number(order.number));
        return Ok(paper::sum(name, amount, tax, rule));
    }
    let names = |stays: &dyn Fn(&str) -> bool| -> Vec<(String, String)> {
        let lines = agreed.lines.iter().filter(|line| stays(&line.sku));
        lines.map(|l| (l.sku.clone(), l.name.clone())).collect()
    };
    if amount == agreed.quote.total {
        return Ok(paper::whole(&names(&|_| true), &agreed.quote, rule));
    }
    let lines = orders::lines_of(tx.conn, order.id)?;
    let now = cost_of(order, &lines, |line| line.units().wanted())?;
    if amount == now.total {
        let wanted = |sku: &str| {
            let mut of = lines.iter().filter(|l| l.sku == sku);
            of.any(|l| l.units().wanted() > 0)
        };
        return Ok(paper::whole(&names(&wanted), &now, rule));
    }
    // A part, such as a deposit or the balance after it: with the parts before it, it holds the tax of the whole.
    let known = papers::of_orders(tx.conn, &[order.id])?;
    let before = said_so_far(&known, &refunds::of_order(tx.conn, order.id)?);
    let costs = carried(order, &lines)?.filter(|(total, _)| *total > 0);
    let whole = costs.unwrap_or((agreed.quote.total, agreed.quote.tax()));
    let tax = tax_in_part(whole, before, amount, grain);
    let name = format!("Payment for order {}", order_number(order.number));
    Ok(paper::sum(name, amount, tax, rule))
}

/// An order as the receipt of a payment says it: of a change's, it goes where the change sends it, by the taxes of there.
fn as_paid_for(tx: &mut Tx, order: &OrderRow, attempt: i32) -> Result<OrderRow, Problem> {
    let mut order = order.clone();
    let row = changes::under_way(tx.conn, order.id)?.filter(|row| row.attempt == Some(attempt));
    let to = row.as_ref().map(goes_to).transpose()?.flatten();
    if let Some(to) = to {
        to.put_into(&mut order)?;
    }
    Ok(order)
}

struct New<'a> {
    kind: PaperKind,
    attempt: i32,
    refund: Option<&'a RefundRow>,
    amounts: Amounts,
    paid: String,
    corrects: Option<Corrects>,
}

fn issue(tx: &mut Tx, order: &OrderRow, agreed: &FrozenQuote, new: New<'_>) -> Result<(), Problem> {
    let seller = merchant(tx, order.merchant_id)?;
    let campaign =
        campaigns::by_id(tx.conn, order.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    let address: Address = serde_json::from_str(&order.address)?;
    let number = merchants::take_numbers(tx.conn, order.merchant_id, new.kind.as_str(), 1)?;
    let tax = new.amounts.tax.as_ref().map_or(0, |tax| tax.amount);
    let total = new.amounts.total;
    let content = Paper {
        kind: new.kind,
        number,
        issued_at: tx.now,
        time_zone: offer(&campaign)?.time_zone.name().to_owned(),
        seller: PaperSeller {
            name: seller.name,
            address: seller.address,
            imprint: seller.imprint,
            email: seller.email,
        },
        buyer: PaperBuyer {
            lines: lines_of(&order.name, &address),
            email: order.email.clone(),
            country: order.country.clone(),
        },
        order: order_number(order.number),
        campaign: agreed.title.clone(),
        currency: agreed.tariff.currency,
        lines: new.amounts.lines,
        shipping: new.amounts.shipping,
        tax: new.amounts.tax,
        total,
        paid: new.paid,
        corrects: new.corrects,
    };
    let row = PaperRow {
        id: PaperId::new(),
        merchant_id: order.merchant_id,
        order_id: order.id,
        kind: new.kind,
        number,
        payment_attempt: new.attempt,
        refund_id: new.refund.map(|refund| refund.id),
        amount: total,
        tax,
        currency: order.currency.clone(),
        content: serde_json::to_string(&content)?,
        issued_at: tx.now.naive_utc(),
    };
    papers::insert(tx.conn, &row)?;
    Ok(())
}

/// What a kept paper says.
///
/// # Errors
/// When the row is damaged.
pub fn content(row: &PaperRow) -> Result<Paper, Problem> {
    Ok(serde_json::from_str(&row.content)?)
}

/// The number of an order's newest receipt, as people say it.
///
/// # Errors
/// What the database says.
pub fn newest_receipt(tx: &mut Tx, order: OrderId) -> Result<Option<String>, Problem> {
    let rows = papers::of_orders(tx.conn, &[order])?;
    let newest = rows.iter().rfind(|p| p.kind == PaperKind::Receipt);
    Ok(newest.map(|p| p.kind.number(p.number)))
}

/// An order's paper by its number as people say it.
///
/// # Errors
/// That there is none of this order.
pub fn of_order(
    conn: &mut crate::store::Conn,
    order: OrderId,
    number: &str,
) -> Result<Paper, Problem> {
    let (kind, number) = PaperKind::parse(number).ok_or(Problem::NotFound("receipt"))?;
    let rows = papers::of_orders(conn, &[order])?;
    let row = rows.iter().find(|p| p.kind == kind && p.number == number);
    content(row.ok_or(Problem::NotFound("receipt"))?)
}

/// The day a paper was issued, where it was issued.
pub fn zone(paper: &Paper) -> chrono_tz::Tz {
    paper.time_zone.parse().unwrap_or(chrono_tz::Tz::UTC)
}

/// A moment as a paper dates it.
pub fn dated(paper: &Paper, at: DateTime<Utc>) -> chrono::NaiveDate {
    crate::domain::day::day_of(at, zone(paper))
}
