//! The grace window of what could not be collected (domain section 2): letters and tries on its days, and what becomes of
//! an order that is not paid in it.

use chrono::{DateTime, Duration, Utc};

use super::super::cancel::leave;
use super::super::cards;
use super::super::desk::{Concerns, Desk, Problem, enqueue, happened, lock_campaign};
use super::super::letters::{AtTheEnd, CardNews};
use super::super::money::{self, say};
use super::super::payment::{Loaded, close_pages, frozen};
use super::{balance, close, forgive, new_charge, tell};
use crate::domain::card::Decline;
use crate::domain::due::{DueState, Grace, REMINDED_ON, grace, grace_ends};
use crate::domain::ids::OrderId;
use crate::domain::payment::RefundPurpose;
use crate::store::campaigns::CampaignRow;
use crate::store::dues::DueRow;
use crate::store::orders::OrderRow;
use crate::store::{Tx, dues, jobs, orders};

/// The card said no: the grace window begins, or goes on.
pub(super) fn refused(
    desk: &Desk,
    tx: &mut Tx,
    loaded: &mut Loaded,
    decline: Decline,
    said: &str,
) -> Result<(), Problem> {
    let Loaded {
        campaign,
        order,
        page,
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
    // Each attempt that is refused is told of, also where another card is refused on the same day.
    let once = format!("declined:{}:attempt:{}", due.kind, page.attempt);
    remind(desk, tx, campaign, order, &due, &once)?;
    enqueue(tx, jobs::DUE, &order.id.to_string(), now.naive_utc())
}

/// Tells the holder what the bank said, and how it can be paid.
fn remind(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &OrderRow,
    due: &DueRow,
    once: &str,
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
    tell(desk, tx, campaign, order, once, news)
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
    let campaign = lock_campaign(tx, campaign)?;
    let mut order = orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
    let Some(mut due) = dues::of_order(tx.conn, id)?.filter(|due| due.state.is_open()) else {
        return Ok(None);
    };
    // A dispute over what was paid before holds the order: nothing more is charged, and nothing is given up. Its end asks
    // for this again.
    if money::dispute_is_open(tx, id)? {
        return Ok(Some(tx.now + Duration::days(1)));
    }
    if owes_nothing(tx, &mut order, &due)? {
        return Ok(None);
    }
    let open = orders::payments_of(tx.conn, id)?
        .iter()
        .any(|page| page.state.is_open());
    match due.state {
        DueState::Announced if tx.now < due.charge_at.and_utc() => {
            return Ok(Some(due.charge_at.and_utc()));
        }
        // Not before the goods are there: their arrival asks for this again.
        DueState::Announced
            if !balance::goods_are_there(&order, &orders::lines_of(tx.conn, id)?) =>
        {
            return Ok(None);
        }
        // It was told long ago, and the goods came later than was said then.
        DueState::Announced if balance::is_stale(&due, tx.now) => {
            return balance::announce_again(desk, tx, &campaign, &order, due).map(Some);
        }
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
            let once = format!("declined:{}:{}", due.kind, due.reminded);
            remind(desk, tx, &campaign, &order, &due, &once)?;
            Ok(Some(tx.now + Duration::seconds(1)))
        }
    }
}

/// Ends what is collected from an order that owes nothing any more, or less than cards can be charged: units left it
/// meanwhile. What is being charged just now goes back when it is heard of.
fn owes_nothing(tx: &mut Tx, order: &mut OrderRow, due: &DueRow) -> Result<bool, Problem> {
    if order.owed >= money::currency(&order.currency)?.min_charge() {
        return Ok(false);
    }
    if order.owed > 0 {
        forgive(tx, order)?;
    } else {
        cards::let_go(tx, order.id)?;
    }
    close_pages(tx, order.id)?;
    close(tx, due.clone(), DueState::Dropped)?;
    money::keep(tx, order)?;
    Ok(true)
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
pub(in crate::workflows) fn with_new_card(
    _desk: &Desk,
    tx: &mut Tx,
    order: &OrderRow,
) -> Result<(), Problem> {
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

/// A dispute that held an order is over: its collecting goes on.
///
/// # Errors
/// What the database says.
pub fn settled(tx: &mut Tx, order: OrderId) -> Result<(), Problem> {
    if dues::of_order(tx.conn, order)?.is_some_and(|due| due.state.is_open()) {
        let now = tx.now.naive_utc();
        enqueue(tx, jobs::DUE, &order.to_string(), now)?;
    }
    Ok(())
}
