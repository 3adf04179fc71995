//! The waiting list of a campaign whose options are sold out (domain section 2: freed units are offered again).
//!
//! An order that waits holds nothing and counts nowhere. Units that come free are not sold past it: what is waited for is
//! kept for those who wait, in strict order. [`freed`] is called wherever units come free or a cap rises, and puts down
//! the work that [`look`] does: it ends offers that nobody answered, offers what is there to the next in line, and tells
//! them.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDateTime, Utc};

mod accept;
mod tell;

pub use accept::accept;
pub use tell::tell_extended;

use super::desk::{
    Concerns, Desk, Problem, ends_at, enqueue, happened, lock_campaign, takes_orders,
};
use super::letters::WhyEnded;
use super::payment::free;
use crate::domain::campaign::Failure;
use crate::domain::ids::{CampaignId, HappeningId, OptionId, OrderId};
use crate::domain::order::{OrderEvent, OrderState};
use crate::domain::waiting::{Line, WaitAnswer, offer_ends, remind_at};
use crate::store::campaigns::{CampaignRow, Moved};
use crate::store::misc::HappeningRow;
use crate::store::orders::{LineRow, OrderRow};
use crate::store::waiting::WaitingRow;
use crate::store::{Conn, StoreError, Tx, campaigns, jobs, misc, orders, waiting};

/// Offers made, or ended, in one transaction.
const AT_ONCE: usize = 100;
/// Places read at once.
const PAGE: i64 = 400;

/// Units that are waited for in a campaign, by option: they are kept for those who wait.
///
/// # Errors
/// What the database says.
pub fn units(conn: &mut Conn, campaign: CampaignId) -> Result<HashMap<OptionId, i64>, StoreError> {
    let waited = waiting::waited(conn, campaign)?;
    Ok(waited.into_iter().map(|w| (w.option, w.units)).collect())
}

/// Whether these lines could be taken without taking what others wait for.
///
/// # Errors
/// What the database says.
pub fn leaves_room(
    conn: &mut Conn,
    campaign: CampaignId,
    lines: &[LineRow],
) -> Result<bool, Problem> {
    let waited = units(conn, campaign)?;
    if waited.is_empty() {
        return Ok(true);
    }
    let options = campaigns::options_of(conn, campaign)?;
    Ok(lines.iter().all(|line| {
        let cap = options
            .iter()
            .find(|o| o.id == line.option_id)
            .and_then(|o| Some((o.cap?, o.taken)));
        let waited = waited.get(&line.option_id).copied().unwrap_or(0);
        cap.is_none_or(|(cap, taken)| taken + waited + line.quantity <= cap)
    }))
}

/// Units came free, a cap rose, or joining ended: where anybody waits, the list is looked at. Part of the change itself,
/// so that no crash can lose it.
///
/// # Errors
/// What the database says.
pub fn freed(tx: &mut Tx, campaign: CampaignId) -> Result<(), Problem> {
    if waiting::any_open(tx.conn, campaign)? {
        let now = tx.now.naive_utc();
        enqueue(tx, jobs::WAITING, &campaign.to_string(), now)?;
    }
    Ok(())
}

/// Puts those of some new orders that wait on the list, in their order. The campaign is locked by the caller.
///
/// # Errors
/// What the database says.
pub fn put_on(tx: &mut Tx, campaign: CampaignId, new: &[OrderRow]) -> Result<(), StoreError> {
    let waits = |order: &&OrderRow| order.state == OrderState::Waitlisted;
    if !new.iter().any(|order| waits(&order)) {
        return Ok(());
    }
    let now = tx.now.naive_utc();
    let first = waiting::last_place(tx.conn, campaign)? + 1;
    let rows: Vec<WaitingRow> = new
        .iter()
        .filter(waits)
        .zip(first..)
        .map(|(order, place)| WaitingRow::new(order.id, campaign, place, now))
        .collect();
    waiting::insert(tx.conn, &rows)?;
    for order in new.iter().filter(waits) {
        let row = HappeningRow {
            id: HappeningId::new(),
            merchant_id: order.merchant_id,
            campaign_id: Some(campaign),
            order_id: Some(order.id),
            actor: "shopper".to_owned(),
            kind: "waiting".to_owned(),
            detail: "Put on the waiting list. Nothing is charged for waiting.".to_owned(),
            at: now,
        };
        misc::happened(tx.conn, &row)?;
    }
    jobs::put(tx.conn, jobs::WAITING, &campaign.to_string(), now, now)
}

/// An order's place in line: 1 for the next; none where it does not wait, or is offered units already.
///
/// # Errors
/// What the database says.
pub fn place_of(conn: &mut Conn, order: &OrderRow) -> Result<Option<i64>, Problem> {
    if order.state != OrderState::Waitlisted {
        return Ok(None);
    }
    match waiting::of_order(conn, order.id)? {
        Some(row) if row.answer.is_none() && row.offered_at.is_none() => {
            Ok(Some(waiting::before(conn, &row)? + 1))
        }
        _ => Ok(None),
    }
}

/// What there is to do on a list next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// More of the same, now.
    More,
    /// Nothing until then.
    At(DateTime<Utc>),
    /// Nothing any more.
    Done,
}

/// Looks at a campaign's list: ends what has lapsed, offers what is free, tells who was not told, some at a time.
///
/// # Errors
/// What the database says.
pub fn look(desk: &Desk, tx: &mut Tx, id: CampaignId) -> Result<Looked, Problem> {
    let campaign = lock_campaign(tx, id)?;
    let now = tx.now.naive_utc();
    if !takes_orders(&campaign, now) {
        return end(desk, tx, &campaign);
    }
    let mut more = lapse(desk, tx, &campaign)?;
    more |= give(desk, tx, &campaign)?;
    more |= tell::listed(desk, tx, &campaign)?;
    tell::remind(desk, tx, &campaign)?;
    if more {
        return Ok(Looked::More);
    }
    if !waiting::any_open(tx.conn, id)? {
        return Ok(Looked::Done);
    }
    let next = waiting::offers(tx.conn, id)?
        .iter()
        .filter_map(next_of)
        .chain([ends_at(&campaign)])
        .min();
    Ok(next.map_or(Looked::Done, |at| Looked::At(at.and_utc())))
}

/// When an offer wants something done.
fn next_of(row: &WaitingRow) -> Option<NaiveDateTime> {
    let (offered, ends) = (row.offered_at?, row.offer_ends?);
    let reminder =
        remind_at(offered.and_utc(), ends.and_utc()).filter(|_| row.reminded_at.is_none());
    Some(reminder.map_or(ends, |at| at.naive_utc().min(ends)))
}

/// Ends the list of a campaign that takes no more orders, some places at a time.
fn end(desk: &Desk, tx: &mut Tx, campaign: &CampaignRow) -> Result<Looked, Problem> {
    let some = waiting::open(tx.conn, campaign.id, 0, PAGE)?;
    let now = tx.now.naive_utc();
    let why = why_ended(tx, campaign)?;
    let mut gone = Vec::with_capacity(some.len());
    for row in some {
        // Promised until then: it cannot be taken any more.
        let kept_until = row.offer_ends.filter(|ends| *ends > now);
        let order = close(tx, row, WaitAnswer::Ended)?;
        let (kind, detail) = said_ended(&why, kept_until.is_some());
        happened(tx, Concerns::order(&order), "system", kind, detail)?;
        gone.push((order, kept_until.map(|at| at.and_utc())));
    }
    let more = i64::try_from(gone.len()).unwrap_or(0) == PAGE;
    if !gone.is_empty() {
        changed(tx, campaign)?;
        tell::list_ended(desk, tx, campaign, &why, &gone)?;
    }
    Ok(if more { Looked::More } else { Looked::Done })
}

/// Why a campaign takes no more orders.
fn why_ended(tx: &mut Tx, campaign: &CampaignRow) -> Result<WhyEnded, Problem> {
    let batch = campaigns::batch_of(tx.conn, campaign.id)?;
    let cancelled = batch.filter(|batch| batch.failure == Some(Failure::Cancelled));
    Ok(match cancelled {
        Some(batch) => WhyEnded::Cancelled(batch.failure_note.unwrap_or_default()),
        None if ends_at(campaign) < campaign.deadline => WhyEnded::Early,
        None => WhyEnded::Deadline,
    })
}

/// What an order's timeline says of the end of its waiting; `kept` where units were to be kept for it longer.
fn said_ended(why: &WhyEnded, kept: bool) -> (&'static str, String) {
    match (why, kept) {
        (WhyEnded::Cancelled(reason), _) => (
            "waiting_cancelled",
            format!("Nothing was charged. The seller cancelled the campaign: {reason}"),
        ),
        (WhyEnded::Early, true) => (
            "offer_cut_short",
            "Joining was ended before the deadline, and the offer with it. Nothing was charged."
                .to_owned(),
        ),
        (WhyEnded::Early | WhyEnded::Deadline, _) => (
            "waiting_ended",
            "Joining has ended. Nothing came free for this order in time, and nothing was charged."
                .to_owned(),
        ),
    }
}

/// Ends offers that nobody answered; whether there may be more.
fn lapse(desk: &Desk, tx: &mut Tx, campaign: &CampaignRow) -> Result<bool, Problem> {
    let now = tx.now.naive_utc();
    let over: Vec<WaitingRow> = waiting::offers(tx.conn, campaign.id)?
        .into_iter()
        .filter(|row| row.offer_ends.is_some_and(|ends| ends <= now))
        .take(AT_ONCE)
        .collect();
    let more = over.len() == AT_ONCE;
    for row in over {
        let order = close(tx, row, WaitAnswer::Lapsed)?;
        happened(
            tx,
            Concerns::order(&order),
            "system",
            "offer_lapsed",
            "The offer was not answered in time. Nothing was charged; the units go to the next in line.",
        )?;
        tell::lapsed(desk, tx, campaign, &order)?;
        changed(tx, campaign)?;
    }
    Ok(more)
}

/// Takes an order that waits from the list, unserved: what was kept for it is free.
fn close(tx: &mut Tx, row: WaitingRow, answer: WaitAnswer) -> Result<OrderRow, Problem> {
    let now = tx.now.naive_utc();
    let mut order = orders::by_id(tx.conn, row.order_id)?.ok_or(Problem::NotFound("order"))?;
    order.state = order.state.after(OrderEvent::RanOut)?;
    order.closed_at = Some(now);
    answered(tx, row, answer)?;
    unkeep(tx, &mut order)?;
    orders::save(tx.conn, &order)?;
    Ok(order)
}

/// Frees what is kept for an order, and cancels its lines.
fn unkeep(tx: &mut Tx, order: &mut OrderRow) -> Result<(), Problem> {
    if order.units_taken {
        free(tx, order)
    } else {
        orders::cancel_lines(tx.conn, order.id)?;
        // What it waited for is kept for nobody, or for those behind it.
        freed(tx, order.campaign_id)
    }
}

fn answered(tx: &mut Tx, mut row: WaitingRow, answer: WaitAnswer) -> Result<(), Problem> {
    row.answer = Some(answer);
    row.answered_at = Some(tx.now.naive_utc());
    waiting::save(tx.conn, &row)?;
    Ok(())
}

/// An order that waits, or is offered units, leaves: it is cancelled by the caller, who has locked the campaign.
///
/// # Errors
/// What the database says.
pub fn left(tx: &mut Tx, order: &mut OrderRow) -> Result<(), Problem> {
    if let Some(row) = waiting::of_order(tx.conn, order.id)? {
        answered(tx, row, WaitAnswer::Left)?;
    }
    unkeep(tx, order)?;
    let now = tx.now.naive_utc();
    campaigns::count(tx.conn, order.campaign_id, Moved::default(), now)?;
    Ok(())
}

/// Pages that show the list are drawn anew.
fn changed(tx: &mut Tx, campaign: &CampaignRow) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    campaigns::count(tx.conn, campaign.id, Moved::default(), now)?;
    tx.touch(campaign.id);
    Ok(())
}

/// Offers what is free to those who wait, in their order; whether there may be more to offer.
fn give(desk: &Desk, tx: &mut Tx, campaign: &CampaignRow) -> Result<bool, Problem> {
    let Some(until) = offer_ends(tx.now, ends_at(campaign).and_utc()) else {
        return Ok(false);
    };
    let waited = units(tx.conn, campaign.id)?;
    let options = campaigns::options_of(tx.conn, campaign.id)?;
    // Somebody who waits only for what has no cap any more may stand anywhere.
    let anywhere = options
        .iter()
        .any(|option| option.cap.is_none() && waited.contains_key(&option.id));
    let room = options
        .into_iter()
        .filter_map(|option| Some((option.id, option.available()?)));
    let mut line = Line::new(room);
    let (mut after, mut offered) = (0, 0);
    loop {
        let some = waiting::open(tx.conn, campaign.id, after, PAGE)?;
        let ids: Vec<OrderId> = some.iter().map(|row| row.order_id).collect();
        let mut lines: HashMap<OrderId, Vec<LineRow>> = HashMap::new();
        for its in orders::lines_of_all(tx.conn, &ids)? {
            lines.entry(its.order_id).or_default().push(its);
        }
        let full = i64::try_from(some.len()).unwrap_or(0) == PAGE;
        for row in some {
            after = row.place;
            if row.offered_at.is_some() {
                continue;
            }
            let its = lines.remove(&row.order_id).unwrap_or_default();
            let wants: Vec<(OptionId, i64)> =
                its.iter().map(|l| (l.option_id, l.quantity)).collect();
            if line.serve(&wants) {
                offer(desk, tx, campaign, (row, &wants), until)?;
                offered += 1;
                if offered == AT_ONCE {
                    return Ok(true);
                }
            }
        }
        if !full || !(anywhere || line.has_room()) {
            return Ok(false);
        }
    }
}

/// Keeps units for an order until `until`, and tells its shopper.
fn offer(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    (mut row, wants): (WaitingRow, &[(OptionId, i64)]),
    until: DateTime<Utc>,
) -> Result<(), Problem> {
    for (option, units) in wants {
        if !campaigns::take(tx.conn, *option, *units)? {
            return Err(StoreError::Conflict("an option's cap").into());
        }
    }
    let mut order = orders::by_id(tx.conn, row.order_id)?.ok_or(Problem::NotFound("order"))?;
    order.units_taken = true;
    order.hold_expires_at = until.naive_utc();
    orders::save(tx.conn, &order)?;
    row.offered_at = Some(tx.now.naive_utc());
    row.offer_ends = Some(until.naive_utc());
    waiting::save(tx.conn, &row)?;
    happened(
        tx,
        Concerns::order(&order),
        "system",
        "offered",
        "Units came free and are kept for this order.",
    )?;
    tell::offered(desk, tx, campaign, &order, until, false)?;
    changed(tx, campaign)
}
