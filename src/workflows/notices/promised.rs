//! What was promised to one order: kept when it is paid, computed again with each notice and each answer.

use chrono_tz::Tz;

use super::super::desk::{Problem, enqueue, offer};
use super::super::payment::frozen;
use super::around::{Around, next_morning, subject};
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::{BatchId, OrderId};
use crate::domain::promise::Promise;
use crate::store::campaigns::CampaignRow;
use crate::store::orders::OrderRow;
use crate::store::promises::{self, PromiseRow};
use crate::store::{Tx, campaigns, jobs, orders};

/// Keeps what an order that is paid now was promised: the ship date shown when it was placed, and the stop-loss date. The
/// batch's days are watched from its first order on. Where an extension moved the date between placing and paying, the
/// shopper is asked like everybody else.
///
/// # Errors
/// What the database says.
pub fn promise(
    tx: &mut Tx,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
    order: &OrderRow,
) -> Result<(), Problem> {
    let shown = frozen(order)?.promised.unwrap_or(draft.promised_ship_date);
    keep(tx, order, Promise::new(shown, draft.stop_loss_date))?;
    let now = tx.now.naive_utc();
    let moved = shown != draft.promised_ship_date;
    if campaign.collected_orders == 0 || moved {
        watch(tx, order.batch_id, draft.time_zone)?;
    }
    if moved {
        enqueue(tx, jobs::EXTENSION_TOLD, &campaign.id.to_string(), now)?;
    }
    Ok(())
}

/// Keeps a new order's promise; one that is there stays as it is.
///
/// # Errors
/// What the database says.
pub fn keep(tx: &mut Tx, order: &OrderRow, new: Promise) -> Result<(), Problem> {
    let row = PromiseRow {
        order_id: order.id,
        campaign_id: order.campaign_id,
        batch_id: order.batch_id,
        first_date: new.first_date,
        agreed_date: new.agreed_date,
        open_ended: new.open_ended,
        stop_loss: new.stop_loss,
        cancels_after: new.cancels_after,
        updated_at: tx.now.naive_utc(),
    };
    Ok(promises::insert(tx.conn, &row)?)
}

/// Has a batch's days watched from the next morning on, also where it was over and left-over units of it are sold.
///
/// # Errors
/// What the database says.
pub fn watch(tx: &mut Tx, batch: BatchId, zone: Tz) -> Result<(), Problem> {
    let morning = next_morning(tx.now, zone).naive_utc();
    enqueue(tx, jobs::PROMISE, &batch.to_string(), morning)
}

/// Computes an order's promise again from all its notices and answers, and keeps it. Doing it twice changes nothing. The
/// campaign is locked by the caller.
pub(super) fn follow(tx: &mut Tx, order: OrderId) -> Result<(), Problem> {
    let order = orders::by_id(tx.conn, order)?.ok_or(Problem::NotFound("order"))?;
    let campaign = campaigns::by_id(tx.conn, order.campaign_id)?;
    let zone = offer(&campaign.ok_or(Problem::NotFound("campaign"))?)?.time_zone;
    let Some(subject) = subject(tx.conn, order, zone)? else {
        return Ok(());
    };
    let promise = subject.following();
    if promise != subject.promise.promise() {
        let now = tx.now.naive_utc();
        promises::save(tx.conn, &subject.promise.with(promise, now))?;
    }
    Ok(())
}

/// Whether a shopper may cancel an order for a full refund after the supplier's order went out: from the first offer to
/// wait on, and once the last day is over, until everything is shipped (domain section 6).
///
/// # Errors
/// What the database says.
pub fn may_cancel(
    conn: &mut crate::store::Conn,
    order: &OrderRow,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<bool, Problem> {
    if !order.state.awaits_goods() {
        return Ok(false);
    }
    let around = Around::read(conn, order.batch_id)?;
    let found = subject(conn, order.clone(), around.zone())?;
    Ok(found.is_some_and(|s| s.case().may_cancel(around.today(now))))
}
