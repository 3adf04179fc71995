//! The pages on which a shopper pays what the saved card did not, or saves another card.

use chrono::Duration;

use super::super::desk::{Desk, Problem, lock_campaign};
use super::super::payment::close_pages;
use super::add_attempt;
use crate::domain::due::DueState;
use crate::domain::ids::OrderId;
use crate::domain::order::OrderState;
use crate::domain::payment::{PAGE_MINUTES, PaymentKind};
use crate::store::orders::OrderRow;
use crate::store::{Tx, dues, orders};

/// What came of asking for a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AskedForPage {
    /// The page is there, or is being made.
    There,
    /// Another page is open: it is expired at the provider first. That is kept; whoever asked comes again.
    Closing,
}

impl AskedForPage {
    /// That there is a page to go to.
    ///
    /// # Errors
    /// A conflict where another one is being closed.
    pub fn there(self) -> Result<(), Problem> {
        match self {
            AskedForPage::There => Ok(()),
            AskedForPage::Closing => Err(Problem::conflict(
                "page-open",
                "Another payment page of this order is being closed. Press again in a minute.",
            )),
        }
    }
}

/// Has a page made on which the shopper pays what is owed, or finds the one that is there.
///
/// # Errors
/// A conflict where nothing is to be paid, or the card is being charged just now.
pub fn pay(_desk: &Desk, tx: &mut Tx, id: OrderId) -> Result<AskedForPage, Problem> {
    let order = locked(tx, id)?;
    let due = dues::of_order(tx.conn, id)?;
    let payable =
        due.is_some_and(|due| matches!(due.state, DueState::Declined | DueState::Announced));
    if order.owed <= 0 || !payable {
        return Err(match dues::of_order(tx.conn, id)? {
            Some(due) if due.state == DueState::Charging => Problem::conflict(
                "being-charged",
                "Your card is being charged just now. Look at this page again in a minute.",
            ),
            _ => Problem::conflict("nothing-owed", "Nothing is to be paid for this order."),
        });
    }
    let open: Vec<_> = orders::payments_of(tx.conn, id)?
        .into_iter()
        .filter(|page| page.state.is_open())
        .collect();
    let there = open.iter().any(|page| {
        page.kind == PaymentKind::Fix && !page.close_wanted && page.amount == order.owed
    });
    if there {
        return Ok(AskedForPage::There);
    }
    if !open.is_empty() {
        // Another page, or one over another amount: its end comes first.
        close_pages(tx, id)?;
        return Ok(AskedForPage::Closing);
    }
    let until = tx.now + Duration::minutes(PAGE_MINUTES);
    add_attempt(tx, &order, PaymentKind::Fix, order.owed, until)?;
    Ok(AskedForPage::There)
}

/// Has a page made on which the shopper saves another card, or finds the one that is there.
///
/// # Errors
/// A conflict where no card is needed, or it is being charged just now.
pub fn save_another_card(_desk: &Desk, tx: &mut Tx, id: OrderId) -> Result<AskedForPage, Problem> {
    let order = locked(tx, id)?;
    let waits = matches!(
        order.state,
        OrderState::Confirmed | OrderState::Backordered | OrderState::PartlyShipped
    );
    if order.owed <= 0 || !waits {
        return Err(Problem::conflict(
            "no-card-needed",
            "No card is needed for this order.",
        ));
    }
    let open: Vec<_> = orders::payments_of(tx.conn, id)?
        .into_iter()
        .filter(|page| page.state.is_open())
        .collect();
    if open
        .iter()
        .any(|page| page.kind == PaymentKind::Setup && !page.close_wanted)
    {
        return Ok(AskedForPage::There);
    }
    if !open.is_empty() {
        return Err(Problem::conflict(
            "page-open",
            "This order is being paid just now. Look at this page again in a minute.",
        ));
    }
    let until = tx.now + Duration::minutes(PAGE_MINUTES);
    add_attempt(tx, &order, PaymentKind::Setup, 0, until)?;
    Ok(AskedForPage::There)
}

fn locked(tx: &mut Tx, id: OrderId) -> Result<OrderRow, Problem> {
    let campaign = orders::campaign_of(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
    lock_campaign(tx, campaign)?;
    orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("order"))
}
