//! Collecting after joining (domain sections 2 and 4): the price from saved cards once a campaign succeeded, the balance
//! of a deposit when goods arrive. One row says what is collected from an order; each attempt is a payment of its own.
//!
//! Never two charges for one order: a new attempt begins only where no other may still succeed; the intent that a refusal
//! left behind is cancelled first, and where that fails because it succeeded, nothing more is charged.

use chrono::{DateTime, Duration, Utc};

mod attempt;
mod balance;
mod batch;
mod ending;
mod gap;
mod grace;
mod page;

pub(super) use attempt::declined;
pub use attempt::{Find, absent, charge_request, heard, intent_cancelled, refused_for_good};
pub use balance::{
    Balances, ask as ask_balances, goods_are_there, look_again as look_again_at_balance,
};
pub use batch::{Looked, Shortfall, bought, look, may_buy, tell_shortfall};
pub use ending::{tell_ending, watch_ending};
pub use gap::{Gap, GapOption, OwnOrder, gap, not_made, own_order};
use grace::refused;
pub(super) use grace::with_new_card;
pub use grace::{at_the_end, follow, settled};
pub use page::{AskedForPage, pay, save_another_card};

use super::desk::{Concerns, Desk, Problem, enqueue, happened, merchant, offer, payment_subject};
use super::join::new_page;
use super::letters::{CardNews, Letter, WhyCancelled};
use super::money::{self, say};
use super::payment::{Loaded, close_pages, give_back};
use super::{cards, counts};
use crate::domain::card::Decline;
use crate::domain::due::{DueKind, DueState};
use crate::domain::ids::OrderId;
use crate::domain::order::OrderState;
use crate::domain::payment::{PagePlan, PaymentKind, RefundPurpose};
use crate::store::campaigns::{CampaignRow, Moved};
use crate::store::dues::DueRow;
use crate::store::orders::OrderRow;
use crate::store::{Tx, campaigns, dues, jobs, orders};

/// Begins to collect what an order owes. An amount that cards cannot be charged is borne by the merchant.
///
/// # Errors
/// What the database says.
pub fn begin(tx: &mut Tx, order: &mut OrderRow, kind: DueKind) -> Result<bool, Problem> {
    let currency = money::currency(&order.currency)?;
    if order.owed < currency.min_charge() {
        return forgive(tx, order).map(|()| false);
    }
    let now = tx.now.naive_utc();
    let due = DueRow {
        order_id: order.id,
        campaign_id: order.campaign_id,
        batch_id: order.batch_id,
        kind,
        state: DueState::Charging,
        amount: order.owed,
        opened_at: now,
        charge_at: now,
        ends_at: None,
        reminded: 0,
        decline: None,
        said: None,
        closed_at: None,
    };
    dues::put(tx.conn, &due)?;
    new_charge(tx, order)?;
    Ok(true)
}

fn forgive(tx: &mut Tx, order: &mut OrderRow) -> Result<(), Problem> {
    let said = say(order.owed, &order.currency);
    let left = order.final_total.unwrap_or(order.total) - order.owed;
    order.final_total = Some(left.max(0));
    order.owed = 0;
    if !order.collected {
        counts::collected(tx, order)?;
        order.collected = true;
    }
    cards::let_go(tx, order.id)?;
    let detail = format!("{said} is less than cards can be charged; the seller bears it.");
    happened(tx, Concerns::order(order), "system", "forgiven", detail)
}

/// Plans a charge of the saved card over what is owed: committed before the provider hears of it.
fn new_charge(tx: &mut Tx, order: &OrderRow) -> Result<(), Problem> {
    let now = tx.now;
    add_attempt(
        tx,
        order,
        PaymentKind::Charge,
        order.owed,
        now + Duration::days(1),
    )
}

/// Plans a charge over what is still owed in place of one over more that was never sent. Whether there is one: not where
/// nothing is being charged any more, or so little is owed that cards can't be charged it.
///
/// # Errors
/// What the database says.
pub fn charge_less(tx: &mut Tx, order: &OrderRow) -> Result<bool, Problem> {
    let charging = dues::of_order(tx.conn, order.id)?.filter(|due| due.state == DueState::Charging);
    let Some(mut due) = charging else {
        return Ok(false);
    };
    if order.owed < money::currency(&order.currency)?.min_charge() {
        return Ok(false);
    }
    due.amount = order.owed;
    dues::put(tx.conn, &due)?;
    new_charge(tx, order)?;
    Ok(true)
}

/// Plans a further attempt, page or charge, of an order.
fn add_attempt(
    tx: &mut Tx,
    order: &OrderRow,
    kind: PaymentKind,
    amount: i64,
    expires_at: DateTime<Utc>,
) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    let last = orders::payments_of(tx.conn, order.id)?
        .last()
        .map_or(0, |page| page.attempt);
    let attempt = last + 1;
    // It holds no units: who owes has them.
    let plan = PagePlan {
        planned_at: tx.now,
        expires_at,
        hold_expires_at: expires_at,
    };
    let row = new_page(order.id, attempt, amount, plan, kind);
    orders::insert_payment(tx.conn, &row)?;
    let moved = Moved {
        open_payments: 1,
        ..Moved::default()
    };
    campaigns::count(tx.conn, order.campaign_id, moved, now)?;
    let work = match kind {
        PaymentKind::Charge => jobs::CHARGE,
        _ => jobs::PAYMENT,
    };
    enqueue(tx, work, &payment_subject(order.id, attempt), now)
}

/// An order that left owes nothing any more.
///
/// # Errors
/// What the database says.
pub fn drop_due(tx: &mut Tx, order: OrderId) -> Result<(), Problem> {
    if let Some(due) = dues::of_order(tx.conn, order)?
        && due.state.is_open()
    {
        close(tx, due, DueState::Dropped)?;
    }
    Ok(())
}

/// Ends what is collected from an order; with the last of a batch, the batch is looked at.
fn close(tx: &mut Tx, mut due: DueRow, state: DueState) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    due.state = state;
    due.closed_at = Some(now);
    dues::put(tx.conn, &due)?;
    if due.kind == DueKind::Success {
        enqueue(tx, jobs::COLLECT, &due.batch_id.to_string(), now)?;
    }
    Ok(())
}

/// A charge, or the page in its place, brought the money. What is not owed any more goes back at once.
///
/// # Errors
/// What the database says.
pub(super) fn paid(
    desk: &Desk,
    tx: &mut Tx,
    loaded: &mut Loaded,
    amount: i64,
) -> Result<(), Problem> {
    let counts = matches!(
        loaded.order.state,
        OrderState::Confirmed
            | OrderState::Backordered
            | OrderState::PartlyShipped
            | OrderState::Shipped
            | OrderState::Delivered
    );
    let is_charge = loaded.page.kind == PaymentKind::Charge;
    if !counts {
        let why = if is_charge {
            WhyCancelled::NotOwed
        } else {
            WhyCancelled::PaidTooLate
        };
        return give_back(desk, tx, loaded, why);
    }
    let due = dues::of_order(tx.conn, loaded.order.id)?;
    if loaded.order.owed <= 0 {
        let paid = due.is_none_or(|due| due.state == DueState::Paid);
        let why = if paid {
            WhyCancelled::PaidTwice
        } else {
            WhyCancelled::NotOwed
        };
        return give_back(desk, tx, loaded, why);
    }
    if amount < loaded.order.owed {
        if due.is_some() {
            return too_little(desk, tx, loaded, amount);
        }
        // Nothing is asked for by these books: an old backup was restored, and they lost the judgement and its price.
        // What was charged is that price.
        loaded.order.owed = amount;
        loaded.order.final_total = Some(loaded.order.money().kept());
    }
    let Loaded {
        campaign,
        order,
        page,
    } = loaded;
    let (owed, excess) = (order.owed, amount - order.owed);
    order.owed = 0;
    if !order.collected {
        order.collected = true;
        counts::collected(tx, order)?;
    }
    money::commit_refund(tx, order, page.attempt, RefundPurpose::Late, excess)?;
    if let Some(due) = due {
        close(tx, due, DueState::Paid)?;
    }
    let card = dues::card_of(tx.conn, order.id)?.map(|card| card.said());
    cards::let_go(tx, order.id)?;
    close_pages(tx, order.id)?;
    let amount = say(owed, &order.currency);
    let detail = format!("{amount} was charged.");
    happened(tx, Concerns::order(order), "system", "charged", detail)?;
    if let Some(excess) = money::nonzero_said(excess, &order.currency) {
        let detail = format!("{excess} more was charged than is owed; it goes back to the card.");
        happened(tx, Concerns::order(order), "system", "overpaid", detail)?;
    }
    money::keep(tx, order)?;
    tx.touch(campaign.id);
    let news = CardNews::Charged {
        amount,
        card: card.filter(|_| page.kind == PaymentKind::Charge),
    };
    tell(
        desk,
        tx,
        campaign,
        order,
        &format!("charged:{}", page.attempt),
        news,
    )
}

/// Less was charged than is owed: it goes back, and what is owed is still to be paid.
fn too_little(desk: &Desk, tx: &mut Tx, loaded: &mut Loaded, amount: i64) -> Result<(), Problem> {
    let Loaded { order, page, .. } = loaded;
    money::commit_refund(tx, order, page.attempt, RefundPurpose::Late, amount)?;
    let (back, owed) = (
        say(amount, &order.currency),
        say(order.owed, &order.currency),
    );
    let detail = format!("{back} was charged instead of {owed}: it does not count, and goes back.");
    happened(tx, Concerns::order(order), "system", "wrong_amount", detail)?;
    let why = format!("{back} was charged instead of {owed}; that goes back to your card.");
    refused(desk, tx, loaded, Decline::Soft, &why)
}

/// Writes to the shopper.
pub(super) fn tell(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &OrderRow,
    once: &str,
    news: CardNews,
) -> Result<(), Problem> {
    let merchant = merchant(tx, order.merchant_id)?;
    let draft = offer(campaign)?;
    let letter = Letter::Card {
        about: desk.about(&merchant, campaign, &draft, order),
        news,
    };
    desk.tell_shopper(tx, &merchant, order, once, letter)
}
