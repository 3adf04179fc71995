//! What the supplier says by its link: yes, no, a date, that it is being made, that it is on its way (domain section 5).
//! Saying a thing twice changes nothing.

use chrono::{Duration, NaiveDate};

use super::super::desk::{Concerns, Desk, Problem, enqueue, happened, lock_campaign, offer};
use super::super::eta::{self, NewDates};
use super::super::signs;
use super::issue::said;
use super::{Document, stock};
use crate::domain::day::{day_end, day_of};
use crate::domain::draft::FieldError;
use crate::domain::ids::{BatchId, PurchaseOrderId};
use crate::domain::purchase_order::{EtaSource, EtaState, PurchaseOrderEvent, PurchaseOrderState};
use crate::domain::text::{clean_line, clean_text, optional_line};
use crate::store::campaigns::CampaignRow;
use crate::store::etas::EtaRow;
use crate::store::purchase_orders::PurchaseOrderRow;
use crate::store::{Conn, Tx, campaigns, etas, jobs, purchase_orders};

/// The longest reason, in characters.
const REASON: usize = 500;
/// The longest name of a carrier, and the longest number of a parcel, in characters.
const CARRIER: usize = 60;
/// How far ahead a date may lie, in days: the longest lead time there is.
pub const DATE_AHEAD: i64 = 730;

/// The purchase order, with its campaign locked.
pub(super) fn locked(
    tx: &mut Tx,
    id: PurchaseOrderId,
) -> Result<(PurchaseOrderRow, CampaignRow), Problem> {
    let none = || Problem::NotFound("purchase order");
    let row = purchase_orders::by_id(tx.conn, id)?.ok_or_else(none)?;
    let batch = campaigns::batch(tx.conn, row.batch_id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = lock_campaign(tx, batch.campaign_id)?;
    // Somebody may have been faster.
    let row = purchase_orders::by_id(tx.conn, id)?.ok_or_else(none)?;
    Ok((row, campaign))
}

fn keep(
    tx: &mut Tx,
    campaign: &CampaignRow,
    row: &PurchaseOrderRow,
    from: PurchaseOrderState,
    kind: &str,
    detail: String,
) -> Result<(), Problem> {
    purchase_orders::save(tx.conn, row, from)?;
    happened(tx, Concerns::campaign(campaign), "supplier", kind, detail)?;
    tx.touch(campaign.id);
    Ok(())
}

/// A reason as it is kept; empty where none was written.
pub(super) fn reason_of(text: &str) -> Result<String, Problem> {
    let text = clean_text(text, REASON).map_err(|why| Problem::field("reason", why))?;
    Ok(text.trim().to_owned())
}

/// The supplier says yes.
///
/// # Errors
/// A conflict where the purchase order stands otherwise.
pub fn acknowledge(
    tx: &mut Tx,
    id: PurchaseOrderId,
    note: Option<&str>,
) -> Result<PurchaseOrderRow, Problem> {
    let (mut row, campaign) = locked(tx, id)?;
    if row.acknowledged_at.is_some() && row.state.stands() {
        return Ok(row);
    }
    let from = row.state;
    row.state = row.state.after(PurchaseOrderEvent::Acknowledged)?;
    row.acknowledged_at = Some(tx.now.naive_utc());
    row.note = note.map(str::to_owned);
    let said = match note {
        Some(note) => format!("{} was acknowledged: {note}", said(&row)),
        None => format!("{} was acknowledged.", said(&row)),
    };
    keep(tx, &campaign, &row, from, "acknowledged", said)?;
    signs::sign(tx, &campaign)?;
    Ok(row)
}

/// The supplier says no, with a reason. Nothing is refunded by it: the batch stays ordered, and staff, who are told at
/// once and again on days 1, 3 and 5, choose another supplier. Promise and stop-loss go on as they are.
///
/// # Errors
/// A wrong reason; a conflict where it is too late, or the purchase order does not stand any more.
pub fn reject(
    desk: &Desk,
    tx: &mut Tx,
    id: PurchaseOrderId,
    reason: &str,
) -> Result<PurchaseOrderRow, Problem> {
    let (mut row, campaign) = locked(tx, id)?;
    if row.state == PurchaseOrderState::Rejected {
        return Ok(row);
    }
    let from = row.state;
    row.state = row.state.after(PurchaseOrderEvent::Rejected)?;
    let reason = reason_of(reason)?;
    if reason.is_empty() {
        let say = "write why you cannot deliver: the buyer reads it";
        return Err(Problem::field("reason", say));
    }
    let now = tx.now.naive_utc();
    row.rejected_at = Some(now);
    row.rejected_because = Some(reason.clone());
    let detail = format!("{} was rejected: {reason}", said(&row));
    keep(tx, &campaign, &row, from, "rejected", detail)?;
    eta::drop_waiting(tx, row.batch_id, row.id)?;
    stock::reckon(tx, row.batch_id)?;
    super::watch::tell_rejected(desk, tx, &row, 0)?;
    let again = now + Duration::days(1);
    enqueue(tx, jobs::SUPPLIER_ANSWER, &row.id.to_string(), again)?;
    Ok(row)
}

/// The supplier began to make it.
///
/// # Errors
/// A conflict where the purchase order stands otherwise.
pub fn in_production(tx: &mut Tx, id: PurchaseOrderId) -> Result<PurchaseOrderRow, Problem> {
    let (mut row, campaign) = locked(tx, id)?;
    if row.in_production_at.is_some() && row.state.stands() {
        return Ok(row);
    }
    let from = row.state;
    let now = tx.now.naive_utc();
    row.state = row.state.after(PurchaseOrderEvent::InProduction)?;
    row.in_production_at = Some(now);
    row.acknowledged_at = row.acknowledged_at.or(Some(now));
    let detail = format!("{} is in production.", said(&row));
    keep(tx, &campaign, &row, from, "in_production", detail)?;
    signs::sign(tx, &campaign)?;
    Ok(row)
}

/// How the goods are on their way, as it was typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shipping {
    /// By whom.
    pub carrier: String,
    /// Where it can be followed; may be empty.
    pub tracking: String,
}

/// The supplier shipped it. Said again with another carrier or number, these are corrected.
///
/// # Errors
/// Everything that is wrong with what was typed; a conflict where the purchase order stands otherwise.
pub fn shipped(
    tx: &mut Tx,
    id: PurchaseOrderId,
    shipping: &Shipping,
) -> Result<PurchaseOrderRow, Problem> {
    let (mut row, campaign) = locked(tx, id)?;
    let from = row.state;
    if row.state != PurchaseOrderState::InTransit {
        row.state = row.state.after(PurchaseOrderEvent::Shipped)?;
    }
    let (carrier, tracking) = checked(shipping)?;
    if from == PurchaseOrderState::InTransit
        && row.carrier.as_deref() == Some(carrier.as_str())
        && row.tracking_number == tracking
    {
        return Ok(row);
    }
    let now = tx.now.naive_utc();
    row.carrier = Some(carrier.clone());
    row.tracking_number = tracking;
    row.shipped_at = row.shipped_at.or(Some(now));
    row.acknowledged_at = row.acknowledged_at.or(Some(now));
    let number = row.tracking_number.as_deref();
    let detail = match number {
        Some(number) => format!("{} is on its way by {carrier}, {number}.", said(&row)),
        None => format!("{} is on its way by {carrier}.", said(&row)),
    };
    keep(tx, &campaign, &row, from, "supplier_shipped", detail)?;
    signs::sign(tx, &campaign)?;
    Ok(row)
}

fn checked(shipping: &Shipping) -> Result<(String, Option<String>), Problem> {
    let carrier = match shipping.carrier.trim() {
        "" => Err("write who carries it, such as DHL, or your own van".to_owned()),
        text => clean_line(text, CARRIER),
    };
    let tracking = optional_line(Some(&shipping.tracking), CARRIER);
    match (carrier, tracking) {
        (Ok(carrier), Ok(tracking)) => Ok((carrier, tracking)),
        (carrier, tracking) => {
            let carrier = carrier.err().map(|why| FieldError::new("carrier", why));
            let tracking = tracking.err().map(|why| FieldError::new("tracking", why));
            Err(Problem::Invalid(
                carrier.into_iter().chain(tracking).collect(),
            ))
        }
    }
}

/// Whether a supplier may set a date: its goods are awaited.
pub fn takes_dates(state: PurchaseOrderState) -> bool {
    use PurchaseOrderState as S;
    match state {
        S::Sent | S::Acknowledged | S::InProduction | S::InTransit | S::PartlyReceived => true,
        S::Draft | S::Received | S::Closed | S::Rejected | S::Cancelled | S::Replaced => false,
    }
}

/// The last date a purchase order's supplier gave; withheld ones count, for the supplier gave them.
///
/// # Errors
/// What the database says.
pub fn last_date_of(
    conn: &mut Conn,
    batch: BatchId,
    id: PurchaseOrderId,
) -> Result<Option<EtaRow>, Problem> {
    let all = etas::of_batch(conn, batch)?;
    Ok(all
        .into_iter()
        .rfind(|row| row.purchase_order_id == Some(id) && row.source == EtaSource::Supplier))
}

/// The supplier sets or moves the day the goods arrive. It waits for staff, 24 hours at the longest; whoever gives a
/// date has the order, so a purchase order without an answer is acknowledged by it.
///
/// # Errors
/// A day that is not in the future or out of reach, a date that moves without a reason; a conflict where nothing is
/// awaited any more.
pub fn set_date(
    desk: &Desk,
    tx: &mut Tx,
    id: PurchaseOrderId,
    arrives: NaiveDate,
    reason: &str,
) -> Result<EtaRow, Problem> {
    let (mut row, campaign) = locked(tx, id)?;
    if !takes_dates(row.state) {
        return Err(Problem::conflict(
            "wrong-state",
            format!("{} is {}: no date is asked for.", said(&row), row.state),
        ));
    }
    let terms = offer(&campaign)?;
    let last = last_date_of(tx.conn, row.batch_id, id)?;
    let reason = reason_of(reason)?;
    if let Some(last) = &last
        && last.arrives == Some(arrives)
        && matches!(last.state, EtaState::Waiting | EtaState::PassedOn)
    {
        return Ok(last.clone());
    }
    let today = day_of(tx.now, terms.time_zone);
    if arrives <= today {
        let say = format!("write a day after today, {}", today.format("%-d %B %Y"));
        return Err(Problem::field("arrives", say));
    }
    let farthest = today + Duration::days(DATE_AHEAD);
    if arrives > farthest {
        let say = format!("write a day up to {}", farthest.format("%-d %B %Y"));
        return Err(Problem::field("arrives", say));
    }
    let moves = last.is_some();
    if moves && reason.is_empty() {
        let say = "write why the date moves: the buyer and the shoppers read it";
        return Err(Problem::field("reason", say));
    }
    if row.state == PurchaseOrderState::Sent {
        acknowledge(tx, id, None)?;
        (row, _) = locked(tx, id)?;
    }
    let document: Document = serde_json::from_str(&row.document)?;
    let named = format!("{} named the day.", document.supplier);
    let dates = NewDates {
        purchase_order: Some(id),
        arrives: Some(arrives),
        ship_date: Some(arrives + Duration::days(terms.handling_days.into())),
        source: EtaSource::Supplier,
        by: document.supplier.clone(),
        reason: if reason.is_empty() { named } else { reason },
    };
    let kept = eta::set(tx, row.batch_id, &dates)?;
    super::watch::tell_date(desk, tx, &campaign, &row, &kept, &terms)?;
    let passed = day_end(arrives, terms.time_zone).naive_utc();
    enqueue(tx, jobs::SUPPLIER_ANSWER, &id.to_string(), passed)?;
    Ok(kept)
}
