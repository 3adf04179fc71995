//! Each movement of money has exactly one paper, and the numbers have no gaps (domain section 7: documents).

use std::collections::HashMap;

use super::super::desk::Problem;
use super::super::papers::{add_up, carried, content};
use super::{Books, PAPERS};
use crate::domain::ids::OrderId;
use crate::domain::paper::PaperKind;
use crate::domain::payment::{AttemptState, RefundState};
use crate::store::orders::{LineRow, OrderRow, PaymentRow};
use crate::store::papers::{self as reads, PaperRow};
use crate::store::refunds::{self, RefundRow};
use crate::store::{Conn, StoreError};

/// The papers of a page of orders, and their payments that are older than papers.
pub(super) struct Issued {
    papers: HashMap<OrderId, Vec<PaperRow>>,
    before: HashMap<OrderId, Vec<i32>>,
}

impl Issued {
    pub(super) fn read(conn: &mut Conn, ids: &[OrderId]) -> Result<Self, StoreError> {
        let mut papers: HashMap<OrderId, Vec<PaperRow>> = HashMap::new();
        for row in reads::of_orders(conn, ids)? {
            papers.entry(row.order_id).or_default().push(row);
        }
        let mut before: HashMap<OrderId, Vec<i32>> = HashMap::new();
        for (order, attempt) in reads::paperless(conn, ids)? {
            before.entry(order).or_default().push(attempt);
        }
        Ok(Self { papers, before })
    }
}

/// One receipt for each payment, one credit note for each refund that is done. `undone` is what the bank sent back after it
/// was credited.
pub(super) fn check_order(
    books: &mut Books,
    issued: &Issued,
    order: &OrderRow,
    (pages, refunds): (&[PaymentRow], &[RefundRow]),
    undone: i64,
) {
    let none = (Vec::new(), Vec::new());
    let papers = issued.papers.get(&order.id).unwrap_or(&none.0);
    let before = issued.before.get(&order.id).unwrap_or(&none.1);
    let mut wrong = |what: String| books.found(PAPERS, Some(order.id), what);
    let expected = pages
        .iter()
        .filter(|p| p.state == AttemptState::Paid && !before.contains(&p.attempt));
    for page in expected.clone() {
        let own: Vec<i64> = papers
            .iter()
            .filter(|p| p.kind == PaperKind::Receipt && p.payment_attempt == page.attempt)
            .map(|p| p.amount)
            .collect();
        if own != [page.amount] {
            wrong(format!(
                "payment {} took {} and has receipts over {own:?}",
                page.attempt, page.amount
            ));
        }
    }
    let receipts = papers.iter().filter(|p| p.kind == PaperKind::Receipt);
    if receipts.count() != expected.count() {
        wrong("it has receipts of payments that were not made".to_owned());
    }
    let mut open = 0;
    let mut notes = 0;
    for refund in refunds {
        let own: Vec<i64> = papers
            .iter()
            .filter(|p| p.refund_id == Some(refund.id))
            .map(|p| p.amount)
            .collect();
        notes += own.len();
        let done = matches!(
            refund.state,
            RefundState::Succeeded | RefundState::PaidOtherwise
        ) && !before.contains(&refund.payment_attempt);
        let right = match done {
            true => own == [refund.amount],
            false => own.is_empty() || own == [refund.amount],
        };
        if !right {
            wrong(format!(
                "refund {} over {} is {} and has credit notes over {own:?}",
                refund.id, refund.amount, refund.state
            ));
        }
        if !done {
            open += own.iter().sum::<i64>();
        }
    }
    // Only a refund that was done once may be credited and owed.
    if open > undone {
        wrong(format!(
            "credit notes over {open} are of refunds that were never done"
        ));
    }
    let all = papers.iter().filter(|p| p.kind == PaperKind::CreditNote);
    if all.count() != notes {
        wrong("it has credit notes of refunds that it does not have".to_owned());
    }
}

/// The taxes of receipts less those of credit notes are the tax of the order's kept lines: where nothing is on its way, and
/// nothing lowers what is kept without lowering a line's price. Of an order that was sent to another country, papers say the
/// tax of the country that it went to when they were issued; what moves later makes up for the rest, or nothing moves.
pub(super) fn check_tax(
    conn: &mut Conn,
    books: &mut Books,
    issued: &Issued,
    order: &OrderRow,
    lines: &[LineRow],
) -> Result<(), Problem> {
    let none = Vec::new();
    let papers = issued.papers.get(&order.id).unwrap_or(&none);
    let aside = [
        order.refund_due,
        order.allowances,
        order.lost,
        order.forfeited,
        order.owed,
    ];
    let untaxed = papers.iter().all(|paper| paper.tax == 0);
    if untaxed || aside.iter().any(|sum| *sum != 0) || issued.before.contains_key(&order.id) {
        return Ok(());
    }
    let given = refunds::of_order(conn, order.id)?;
    if given.iter().any(|refund| refund.state.is_due()) {
        return Ok(());
    }
    for paper in papers {
        if content(paper)?.buyer.country != order.country {
            return Ok(());
        }
    }
    let (sum, said) = papers.iter().fold((0, 0), add_up);
    if let Some((costs, tax)) = carried(order, lines)?
        && sum == costs
        && said != tax
        && (costs == 0 || !is_at_bound(papers))
    {
        let what = format!("its papers say {said} of tax, its kept lines carry {tax}");
        books.found(PAPERS, Some(order.id), what);
    }
    Ok(())
}

/// Whether one of the papers could not say more tax, or less: then the others cannot be expected to make up for it.
fn is_at_bound(papers: &[PaperRow]) -> bool {
    let used_up = |receipt: &PaperRow| {
        let notes = papers.iter().filter(|p| {
            p.kind == PaperKind::CreditNote && p.payment_attempt == receipt.payment_attempt
        });
        let (sum, tax) = notes.fold((0, 0), |(sum, tax), p| (sum + p.amount, tax + p.tax));
        sum > 0 && tax >= receipt.tax
    };
    papers.iter().any(|paper| {
        let receipt = paper.kind == PaperKind::Receipt;
        paper.tax == 0 || paper.tax == paper.amount || (receipt && used_up(paper))
    })
}

/// Numbers from 1 up, each once, for each merchant and kind.
pub(super) fn check_numbers(conn: &mut Conn, books: &mut Books) -> Result<(), StoreError> {
    for ((merchant, kind), (issued, highest, counted)) in reads::numbers(conn)? {
        if issued != highest || counted != highest {
            books.found(
                PAPERS,
                None,
                format!(
                    "merchant {merchant} issued {issued} of {kind}, the highest number is {highest}, counted {counted}"
                ),
            );
        }
    }
    Ok(())
}
