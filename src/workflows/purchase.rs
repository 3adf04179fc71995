//! The supplier's order: drafted with the judgement, sent as soon as nothing blocks it, answered by link (domain
//! section 5). Ways out of a minimum, a capacity or a refusal are in `ways`.

use chrono::{DateTime, Duration, Utc};

mod answer;
mod document;
mod issue;
pub mod stock;
mod watch;
pub mod ways;
mod withdraw;

pub use answer::{
    DATE_AHEAD, Shipping, acknowledge, in_production, last_date_of, reject, set_date, shipped,
    takes_dates,
};
pub use document::{Document, document, say_blocked, terms, wanted};
pub use issue::send_mail_again;
pub use watch::watch;
pub use withdraw::cancel_all;

use super::batches;
use super::desk::{Concerns, Desk, Problem, happened, lock_campaign, offer};
use super::judgement::fail;
use crate::domain::campaign::{BatchState, Failure};
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::{BatchId, OptionId, PurchaseOrderId, SupplierId};
use crate::domain::purchase_order::{Blocked, PurchaseOrderState};
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::merchants::SupplierRow;
use crate::store::purchase_orders::PurchaseOrderRow;
use crate::store::{Tx, campaigns, merchants, orders, purchase_orders};

/// The supplier who is asked first.
fn first_supplier(
    tx: &mut Tx,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
) -> Result<Option<SupplierRow>, Problem> {
    for id in &draft.supplier_ids {
        if let Some(supplier) = merchants::supplier(tx.conn, *id)?
            && supplier.merchant_id == campaign.merchant_id
        {
            return Ok(Some(supplier));
        }
    }
    Ok(None)
}

/// Drafts the purchase order of a judged batch.
///
/// # Errors
/// What the database says.
pub fn draft(
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    draft: &CampaignDraft,
    paid: &[(OptionId, i64)],
) -> Result<PurchaseOrderId, Problem> {
    let supplier = first_supplier(tx, campaign, draft)?;
    let (document, _) = document(tx, (campaign, batch.id), draft, paid, 0, supplier.as_ref())?;
    let row = PurchaseOrderRow {
        supplier_id: supplier.map(|s| s.id),
        ..issue::blank(tx, campaign.merchant_id, batch.id, &document)?
    };
    purchase_orders::insert(tx.conn, &row)?;
    Ok(row.id)
}

/// What came of trying to send a batch's purchase order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It is with the supplier, now or before, or there is nothing to send.
    Done,
    /// Saved cards are still being charged: its end asks for this again.
    Collecting,
    /// Something stands in its way; look again then.
    Blocked(Blocked, DateTime<Utc>),
}

/// Days after which staff are warned of a blocked purchase order; after the last entry's seventh day it fails.
const WARNED_ON: [i64; 3] = [1, 3, 5];
const FAILS_AFTER_DAYS: i64 = 7;

/// Sends the purchase order of a batch that came together, or says what blocks it. With `supplier`, staff chose
/// whom it goes to.
///
/// Sending claims it and sums the paid units again in one transaction; cancellations are free until then. Nought
/// units: no purchase order, the batch fails (`shortfall`). Blocked for 7 days: it fails (`supplier`).
///
/// # Errors
/// What the database says.
pub fn send(
    desk: &Desk,
    tx: &mut Tx,
    id: BatchId,
    supplier: Option<SupplierId>,
) -> Result<Sent, Problem> {
    send_with(desk, tx, id, supplier, None)
}

/// Sends it with so many units that staff added; none: with those added before. Where it is still blocked, they are kept
/// for the next time.
///
/// # Errors
/// As [`send`].
pub fn send_with(
    desk: &Desk,
    tx: &mut Tx,
    id: BatchId,
    supplier: Option<SupplierId>,
    added: Option<i64>,
) -> Result<Sent, Problem> {
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = lock_campaign(tx, batch.campaign_id)?;
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    if batch.state != BatchState::Collecting {
        return Ok(Sent::Done);
    }
    let terms = offer(&campaign)?;
    // With saved cards: once collecting has ended, and each order of an option that is not produced has its price.
    if batch.collecting_since.is_some()
        && (batch.collected_at.is_none() || batch.settled_at.is_none())
    {
        return Ok(Sent::Collecting);
    }
    let paid: Vec<(OptionId, i64)> = orders::units_to_buy(tx.conn, batch.id)?
        .into_iter()
        .filter(|(_, units)| *units > 0)
        .collect();
    if paid.is_empty() {
        fail(desk, tx, &campaign, &batch, Failure::Shortfall, None)?;
        return Ok(Sent::Done);
    }
    let mut row = open_order(tx, &campaign, &batch, &terms, &paid)?;
    row.added_units = added.unwrap_or(row.added_units);
    // Units are added for one supplier's minimum: they stay with that one.
    let named = supplier.or(row.supplier_id.filter(|_| row.added_units > 0));
    let chosen = match named {
        Some(id) => {
            merchants::supplier(tx.conn, id)?.filter(|s| s.merchant_id == campaign.merchant_id)
        }
        None => first_supplier(tx, &campaign, &terms)?,
    };
    let added = row.added_units;
    let (document, stands) = document(
        tx,
        (&campaign, batch.id),
        &terms,
        &paid,
        added,
        chosen.as_ref(),
    )?;
    row.supplier_id = chosen.as_ref().map(|s| s.id);
    row.units = document.units();
    row.units_paid = document.units_paid();
    row.document = serde_json::to_string(&document)?;
    match (stands, chosen) {
        (None, Some(supplier)) => {
            issue::begin(tx, &batch)?;
            issue::issue(desk, tx, &campaign, row, &document, &supplier)?;
        }
        (stands, _) => {
            purchase_orders::save(tx.conn, &row, PurchaseOrderState::Draft)?;
            let stands = stands.unwrap_or(Blocked::NoSupplier);
            return wait(desk, tx, &campaign, &batch, stands, &document);
        }
    }
    Ok(Sent::Done)
}

fn open_order(
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    terms: &CampaignDraft,
    paid: &[(OptionId, i64)],
) -> Result<PurchaseOrderRow, Problem> {
    let draft_of = |tx: &mut Tx| -> Result<Option<PurchaseOrderRow>, Problem> {
        Ok(purchase_orders::of_batch(tx.conn, batch.id)?
            .into_iter()
            .find(|p| p.state == PurchaseOrderState::Draft))
    };
    if let Some(row) = draft_of(tx)? {
        return Ok(row);
    }
    draft(tx, campaign, batch, terms, paid)?;
    draft_of(tx)?.ok_or_else(|| Problem::Internal("a draft was not kept".into()))
}

fn wait(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    stands: Blocked,
    document: &Document,
) -> Result<Sent, Problem> {
    let now = tx.now.naive_utc();
    let since = batch.blocked_since.unwrap_or(now);
    let days = (now - since).num_days();
    let said = say_blocked(stands, document);
    if days >= FAILS_AFTER_DAYS {
        fail(desk, tx, campaign, batch, Failure::Supplier, Some(&said))?;
        return Ok(Sent::Done);
    }
    let due = WARNED_ON.iter().filter(|day| days >= **day).count();
    let warned = usize::try_from(batch.blocked_warned).unwrap_or(0);
    let which = batches::said(tx.conn, batch)?;
    if due > warned {
        desk.tell_staff(
            tx,
            Concerns::campaign(campaign),
            &format!("blocked:{}:{}", batch.id, WARNED_ON[due - 1]),
            &format!("{}: the supplier's order cannot be sent", campaign.title),
            vec![
                format!("{which}{said}"),
                format!(
                    "Left as it is, {} fails and everybody in it is refunded on {}.",
                    if which.is_empty() {
                        "the campaign"
                    } else {
                        "this batch"
                    },
                    (since + Duration::days(FAILS_AFTER_DAYS)).format("%-d %B %Y, %H:%M UTC")
                ),
            ],
            &format!("/admin/campaigns/{}", campaign.slug),
        )?;
    }
    if batch.blocked.is_none() {
        let said = format!("{which}{said}");
        happened(tx, Concerns::campaign(campaign), "system", "blocked", said)?;
    }
    let warned = i32::try_from(due.max(warned)).unwrap_or(i32::MAX);
    campaigns::set_blocked(tx.conn, batch.id, Some(stands), Some(since), warned)?;
    let next = WARNED_ON
        .iter()
        .chain([&FAILS_AFTER_DAYS])
        .map(|day| since + Duration::days(*day))
        .find(|at| *at > now)
        .unwrap_or(now + Duration::days(1));
    Ok(Sent::Blocked(stands, next.and_utc()))
}
