//! Units that arrived are given to the lines that wait for them (domain section 5); orders are put first; a batch is
//! completed when nothing more is to come.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;

use super::batches;
use super::changes::waiting_by_payment;
use super::desk::{Concerns, Problem, enqueue, happened, lock_campaign, order_number};
use crate::domain::allocation::{Share, allocate as share_out};
use crate::domain::campaign::{BatchEvent, BatchState};
use crate::domain::ids::{AllocationId, BatchId, MerchantId, OptionId, OrderId};
use crate::domain::order::OrderState;
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::stock::{AllocationRow, PriorityRow};
use crate::store::{Tx, campaigns, jobs, orders, stock};

/// What was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Allocated {
    /// Units.
    pub units: i64,
    /// Orders that got some.
    pub orders: usize,
}

/// A batch of the merchant with its campaign, the campaign locked.
///
/// # Errors
/// That there is none; what the database says.
pub fn own_batch(
    tx: &mut Tx,
    merchant: MerchantId,
    id: BatchId,
) -> Result<(CampaignRow, BatchRow), Problem> {
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = lock_campaign(tx, batch.campaign_id)?;
    if campaign.merchant_id != merchant {
        return Err(Problem::NotFound("batch"));
    }
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    Ok((campaign, batch))
}

/// Gives a batch's free units to the lines that wait for them: put-first orders, then the oldest payment, part of a line
/// where there are not enough. Orders with an open dispute wait until it is decided. Units on sale are left alone. Doing
/// it twice changes nothing. The campaign is locked by the caller.
///
/// # Errors
/// What the database says.
pub fn allocate(tx: &mut Tx, batch: BatchId, why: &str) -> Result<Allocated, Problem> {
    let rows = stock::of_batch(tx.conn, batch)?;
    let free: BTreeMap<OptionId, i64> = rows
        .iter()
        .map(|row| (row.option_id, row.free() - row.on_sale))
        .filter(|(_, units)| *units > 0)
        .collect();
    if free.is_empty() {
        return Ok(Allocated::default());
    }
    let shares = share_out(&free, waiting_by_payment(tx.conn, batch, false)?);
    for mut row in rows {
        let of_option = |s: &&Share| s.option == row.option_id;
        let given: i64 = shares.iter().filter(of_option).map(|s| s.units).sum();
        if given == 0 {
            continue;
        }
        row.allocated += given;
        stock::save(tx.conn, &row)?;
        let whole: Vec<OrderId> = shares
            .iter()
            .filter(of_option)
            .filter(|s| s.whole)
            .map(|s| s.order)
            .collect();
        stock::give_all(tx.conn, row.option_id, &whole)?;
        for part in shares.iter().filter(of_option).filter(|s| !s.whole) {
            stock::give_part(tx.conn, part.order, part.option, part.units)?;
        }
    }
    let now = tx.now.naive_utc();
    let log: Vec<AllocationRow> = shares
        .iter()
        .map(|share| AllocationRow {
            id: AllocationId::new(),
            batch_id: batch,
            order_id: share.order,
            option_id: share.option,
            units: share.units,
            why: why.to_owned(),
            at: now,
        })
        .collect();
    stock::log_allocations(tx.conn, &log)?;
    if !shares.is_empty() {
        enqueue(tx, jobs::BALANCE, &batch.to_string(), now)?;
    }
    Ok(Allocated {
        units: shares.iter().map(|s| s.units).sum(),
        orders: shares
            .iter()
            .map(|s| s.order)
            .collect::<BTreeSet<_>>()
            .len(),
    })
}

/// What an order's log of allocations says to its shopper, first to last: when units were there for it. What was given
/// and taken back at one moment is told as one.
pub fn allocations_told(log: &[AllocationRow]) -> Vec<(NaiveDateTime, String)> {
    let mut moments: Vec<(NaiveDateTime, i64)> = Vec::new();
    for row in log {
        match moments.last_mut() {
            Some((at, units)) if *at == row.at => *units += row.units,
            _ => moments.push((row.at, row.units)),
        }
    }
    let said = |n: i64| match n {
        1 => "1 unit arrived and is kept for you.".to_owned(),
        n => format!("{n} units arrived and are kept for you."),
    };
    moments
        .into_iter()
        .filter(|(_, units)| *units > 0)
        .map(|(at, units)| (at, said(units)))
        .collect()
}

/// What the job does: gives out what is free, and sees whether the batch is done.
///
/// # Errors
/// What the database says.
pub fn run(tx: &mut Tx, id: BatchId) -> Result<(), Problem> {
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = lock_campaign(tx, batch.campaign_id)?;
    allocate(tx, id, "stock was free")?;
    complete_if_done(tx, &campaign, id)
}

/// Puts an order before all others of its batch when units are given out, with the reason.
///
/// # Errors
/// A wrong field without a reason; a conflict where it waits for nothing.
pub fn put_first(
    tx: &mut Tx,
    merchant: MerchantId,
    batch: BatchId,
    number: &str,
    reason: &str,
    by: &str,
) -> Result<OrderId, Problem> {
    let (_, batch) = own_batch(tx, merchant, batch)?;
    let reason = crate::domain::text::clean_line(reason, 300)
        .map_err(|message| Problem::field("reason", message))?;
    let digits = number.trim().trim_start_matches(['M', 'm', '-']);
    let order = match digits.parse::<i64>() {
        Ok(number) => orders::by_number(tx.conn, merchant, number)?,
        Err(_) => None,
    };
    let order = order.filter(|o| o.batch_id == batch.id).ok_or_else(|| {
        Problem::field(
            "order",
            "No order of this batch has that number. Write it as on the list, such as M-0012.",
        )
    })?;
    if !order.state.awaits_goods() {
        return Err(Problem::conflict(
            "wrong-state",
            format!(
                "Order {} is {}: it waits for no units.",
                order_number(order.number),
                order.state
            ),
        ));
    }
    let row = PriorityRow {
        order_id: order.id,
        batch_id: batch.id,
        reason: reason.clone(),
        set_by: by.to_owned(),
        at: tx.now.naive_utc(),
    };
    stock::put_first(tx.conn, &row)?;
    // For staff: shoppers are told when they have their units, not in which row they stand.
    happened(
        tx,
        Concerns {
            merchant,
            campaign: Some(order.campaign_id),
            order: None,
        },
        by,
        "put_first",
        format!("Order {} goes first: {reason}", order_number(order.number)),
    )?;
    Ok(order.id)
}

/// A batch is completed when every order of it arrived or has its money back, and nothing ordered is awaited; its
/// campaign, when that goes for all its batches. The campaign is locked by the caller.
///
/// # Errors
/// What the database says.
pub fn complete_if_done(tx: &mut Tx, campaign: &CampaignRow, id: BatchId) -> Result<(), Problem> {
    use OrderState as S;
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    if batch.state != BatchState::Fulfilling {
        return Ok(());
    }
    let awaited: i64 = stock::of_batch(tx.conn, id)?
        .iter()
        .map(|row| row.awaited())
        .sum();
    let open = [
        S::Pending,
        S::Confirmed,
        S::Waitlisted,
        S::Backordered,
        S::PartlyShipped,
        S::Shipped,
    ];
    if awaited > 0 || orders::any_in(tx.conn, id, &open)? {
        return Ok(());
    }
    complete(tx, campaign, &batch, "everything arrived")
}

/// Completes a batch, and its campaign where that goes for all its batches. The campaign is locked by the caller.
///
/// # Errors
/// What the database says.
pub fn complete(
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    why: &str,
) -> Result<(), Problem> {
    let (id, now) = (batch.id, tx.now.naive_utc());
    campaigns::set_goods(tx.conn, id, batch.received_at.or(Some(now)), Some(now))?;
    batches::advance(tx, batch, BatchEvent::Completed)?;
    tx.touch(campaign.id);
    happened(
        tx,
        Concerns::campaign(campaign),
        "system",
        "completed",
        format!("Batch {} is completed: {why}.", batch.number),
    )
}
