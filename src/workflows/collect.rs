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
mod page;

pub(super) use attempt::declined;
pub use attempt::{Find, absent, charge_request, heard, intent_cancelled, refused_for_good};
pub use balance::{Balances, ask as ask_balances};
pub use batch::{Looked, bought, look, may_buy, tell_short};
pub use ending::{tell_ending, watch_ending};
pub use page::{pay, save_another_card};

use super::cancel::leave;
use super::desk::{Concerns, Desk, Problem, enqueue, happened, merchant, offer, payment_subject};
use super::letters::{AtTheEnd, CardNews, Letter, WhyCancelled};
use super::money::{self, say};
use super::payment::{Loaded, close_pages, frozen, give_back};
use super::{cards, counts};
use crate::domain::card::Decline;
use crate::domain::due::{DueKind, DueState, Grace, REMINDED_ON, grace, grace_ends};
use crate::domain::ids::OrderId;
use crate::domain::order::OrderState;
use crate::domain::payment::{AttemptState, PaymentKind, RefundPurpose};
use crate::store::campaigns::{CampaignRow, Moved};
use crate::store::dues::DueRow;
use crate::store::orders::{OrderRow, PaymentRow};
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
    let row = PaymentRow {
        order_id: order.id,
        attempt,
        state: AttemptState::Planned,
        amount,
        idempotency_key: format!("muster-{kind}-{}-{attempt}", order.id),
        planned_at: now,
        expires_at: expires_at.naive_utc(),
        sent_at: None,
        session_id: None,
        url: None,
        intent_id: None,
        close_wanted: false,
        problem: None,
        settled_at: None,
        kind,
        looked_at: None,
    };
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
    if !counts {
        return give_back(desk, tx, loaded, WhyCancelled::PaidTooLate);
    }
    if loaded.order.owed <= 0 {
        return give_back(desk, tx, loaded, WhyCancelled::PaidTwice);
    }
    let due = dues::of_order(tx.conn, loaded.order.id)?;
    if amount < loaded.order.owed {
        if due.is_some() {
            return give_back(desk, tx, loaded, WhyCancelled::WrongAmount);
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

/// The card said no: the grace window begins, or goes on.
fn refused(
    desk: &Desk,
    tx: &mut Tx,
    loaded: &mut Loaded,
    decline: Decline,
    said: &str,
) -> Result<(), Problem> {
    let Loaded {
        campaign, order, ..
    } = loaded;
    let due = dues::of_order(tx.conn, order.id)?.filter(|due| due.state.is_open());
    let Some(mut due) = due else {
        return money::keep(tx, order);
    };
    let now = tx.now;
    if due.ends_at.is_none() {
        due.opened_at = now.naive_utc();
        due.ends_at = Some(grace_ends(now).naive_utc());
    }
    due.state = DueState::Declined;
    due.decline = Some(decline);
    due.said = Some(said.to_owned());
    due.reminded = due.reminded.max(1);
    dues::put(tx.conn, &due)?;
    let detail = format!("The card was not charged: {said}");
    happened(tx, Concerns::order(order), "system", "declined", detail)?;
    money::keep(tx, order)?;
    tx.touch(campaign.id);
    remind(desk, tx, campaign, order, &due)?;
    enqueue(tx, jobs::DUE, &order.id.to_string(), now.naive_utc())
}

/// Tells the holder what the bank said, and how it can be paid.
fn remind(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &OrderRow,
    due: &DueRow,
) -> Result<(), Problem> {
    let decline = due.decline.unwrap_or(Decline::Soft);
    let next = usize::try_from(due.reminded).ok();
    let again = next
        .and_then(|at| REMINDED_ON.get(at))
        .filter(|_| decline.can_be_retried())
        .map(|days| due.opened_at.and_utc() + Duration::days(*days));
    let news = CardNews::Declined {
        amount: say(order.owed, &order.currency),
        card: dues::card_of(tx.conn, order.id)?.map(|card| card.said()),
        why: due.said.clone().unwrap_or_default(),
        asks: decline == Decline::Authentication,
        again,
        until: due.ends_at.unwrap_or(due.opened_at).and_utc(),
        then: at_the_end(order)?,
    };
    let once = format!("declined:{}:{}", due.kind, due.reminded);
    tell(desk, tx, campaign, order, &once, news)
}

/// What becomes of an order, and of its deposit, that is not paid in time: as was said at joining.
///
/// # Errors
/// When the order's row is damaged.
pub fn at_the_end(order: &OrderRow) -> Result<AtTheEnd, Problem> {
    let kept = order.money().kept();
    let Some(kept) = money::nonzero_said(kept, &order.currency) else {
        return Ok(AtTheEnd::NothingCharged);
    };
    let agreed = frozen(order)?;
    Ok(match agreed.deposit {
        Some(deposit) if deposit.forfeited => AtTheEnd::DepositKept(kept),
        _ => AtTheEnd::DepositBack(kept),
    })
}

/// Does what the collecting of one order asks for now; when to look again.
///
/// # Errors
/// What the database says.
pub fn follow(desk: &Desk, tx: &mut Tx, id: OrderId) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(campaign) = orders::campaign_of(tx.conn, id)? else {
        return Ok(None);
    };
    let campaign = super::desk::lock_campaign(tx, campaign)?;
    let mut order = orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
    let Some(mut due) = dues::of_order(tx.conn, id)?.filter(|due| due.state.is_open()) else {
        return Ok(None);
    };
    let open = orders::payments_of(tx.conn, id)?
        .iter()
        .any(|page| page.state.is_open());
    match due.state {
        DueState::Announced if tx.now < due.charge_at.and_utc() => {
            return Ok(Some(due.charge_at.and_utc()));
        }
        // Not before the goods are there: their arrival asks for this again.
        DueState::Announced if !balance::has_arrived(tx, due.batch_id)? => return Ok(None),
        DueState::Announced => {
            if open {
                close_pages(tx, id)?;
                return Ok(Some(tx.now + Duration::seconds(30)));
            }
            due.state = DueState::Charging;
            dues::put(tx.conn, &due)?;
            new_charge(tx, &order)?;
            return Ok(None);
        }
        // The attempt itself goes on.
        DueState::Charging | DueState::Paid | DueState::GivenUp | DueState::Dropped => {
            return Ok(None);
        }
        DueState::Declined => {}
    }
    let opened = due.opened_at.and_utc();
    let ends = due.ends_at.map_or(grace_ends(opened), |at| at.and_utc());
    let decline = due.decline.unwrap_or(Decline::Soft);
    match grace(opened, ends, due.reminded, decline, tx.now) {
        Grace::Wait(until) => Ok(Some(until)),
        // A page may still be paid: it is expired at the provider first. Had it been completed, nothing more is charged.
        Grace::Over | Grace::Remind { retry: true, .. } if open => {
            close_pages(tx, id)?;
            Ok(Some(tx.now + Duration::seconds(30)))
        }
        Grace::Over => {
            give_up(desk, tx, &campaign, &mut order, due)?;
            Ok(None)
        }
        Grace::Remind { number, retry } => {
            due.reminded = number;
            if retry {
                due.state = DueState::Charging;
                dues::put(tx.conn, &due)?;
                new_charge(tx, &order)?;
                money::keep(tx, &mut order)?;
                return Ok(None);
            }
            dues::put(tx.conn, &due)?;
            remind(desk, tx, &campaign, &order, &due)?;
            Ok(Some(tx.now + Duration::seconds(1)))
        }
    }
}

/// It was not paid within the grace window: the order is cancelled, and its deposit kept or returned as was said.
fn give_up(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &mut OrderRow,
    due: DueRow,
) -> Result<(), Problem> {
    let then = at_the_end(order)?;
    let amount = say(order.owed, &order.currency);
    close(tx, due, DueState::GivenUp)?;
    if matches!(then, AtTheEnd::DepositKept(_)) {
        let kept = money::forfeit(tx, order)?;
        let detail = format!(
            "The deposit of {} stays with the seller, as was said at joining.",
            say(kept, &order.currency)
        );
        happened(tx, Concerns::order(order), "system", "forfeited", detail)?;
    }
    let detail = format!("{amount} was not paid in time: the order is cancelled.");
    order.note = Some(detail.clone());
    happened(tx, Concerns::order(order), "system", "not_paid", detail)?;
    leave(tx, campaign, order, RefundPurpose::Balance)?;
    money::keep(tx, order)?;
    let news = CardNews::NotPaid { amount, then };
    tell(desk, tx, campaign, order, "not_paid", news)
}

/// Another card was saved: where the first was refused, the new one is charged at once.
///
/// # Errors
/// What the database says.
pub(super) fn with_new_card(_desk: &Desk, tx: &mut Tx, order: &OrderRow) -> Result<(), Problem> {
    let Some(mut due) = dues::of_order(tx.conn, order.id)? else {
        return Ok(());
    };
    let open = orders::payments_of(tx.conn, order.id)?
        .iter()
        .any(|page| page.state.is_open());
    if due.state != DueState::Declined || open {
        return Ok(());
    }
    due.state = DueState::Charging;
    dues::put(tx.conn, &due)?;
    new_charge(tx, order)
}
