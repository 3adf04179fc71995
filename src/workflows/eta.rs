//! A batch's dates: set by staff or its supplier, kept with who and why, passed on to shoppers (domain section 5).

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::desk::{Concerns, Problem, enqueue, happened, lock_campaign};
use super::signs;
use crate::domain::ids::{BatchId, EtaId, PurchaseOrderId};
use crate::domain::purchase_order::{EtaSource, EtaState};
use crate::store::etas::EtaRow;
use crate::store::{Tx, campaigns, etas, jobs};

/// How long staff may look at a supplier's date before it is passed on by itself.
pub const HELD_HOURS: i64 = 24;

/// A date to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDates {
    /// The purchase order it concerns, where it came from one's supplier.
    pub purchase_order: Option<PurchaseOrderId>,
    /// The day the goods arrive; none: not known.
    pub arrives: Option<NaiveDate>,
    /// The day the parcels go out; none: not known.
    pub ship_date: Option<NaiveDate>,
    /// Who it comes from.
    pub source: EtaSource,
    /// The person's or the supplier's name.
    pub by: String,
    /// Why, as shoppers read it.
    pub reason: String,
}

/// Keeps a date of a batch. One of staff counts at once and shoppers are told; a supplier's waits for staff, a day at the
/// longest. A date that waited gives way to it.
///
/// # Errors
/// What the database says.
pub fn set(tx: &mut Tx, batch: BatchId, dates: &NewDates) -> Result<EtaRow, Problem> {
    let known = campaigns::batch(tx.conn, batch)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = lock_campaign(tx, known.campaign_id)?;
    let now = tx.now.naive_utc();
    for mut earlier in etas::of_batch(tx.conn, batch)? {
        if earlier.state == EtaState::Waiting {
            earlier.state = EtaState::Superseded;
            etas::save(tx.conn, &earlier, EtaState::Waiting)?;
        }
    }
    let row = EtaRow {
        id: EtaId::new(),
        batch_id: batch,
        purchase_order_id: dates.purchase_order,
        arrives: dates.arrives,
        ship_date: dates.ship_date,
        source: dates.source,
        set_by: dates.by.clone(),
        reason: dates.reason.clone(),
        set_at: now,
        state: EtaState::Waiting,
        passed_on_at: None,
        passed_on_by: None,
    };
    etas::insert(tx.conn, &row)?;
    happened(
        tx,
        Concerns::campaign(&campaign),
        &dates.by,
        "date_set",
        match dates.arrives {
            Some(day) => format!("The goods arrive on {day}: {}", dates.reason),
            None => format!("When the goods arrive is not known: {}", dates.reason),
        },
    )?;
    tx.touch(campaign.id);
    if dates.source == EtaSource::Supplier {
        let due = now + Duration::hours(HELD_HOURS);
        enqueue(tx, jobs::DATES_TOLD, &row.id.to_string(), due)?;
        return Ok(row);
    }
    pass_on(tx, row.id, &dates.by)
}

/// Passes a waiting date on: it counts from now on, and shoppers are told by the work that follows. Passing on twice
/// changes nothing.
///
/// # Errors
/// A conflict where it was withheld or a later one took its place.
pub fn pass_on(tx: &mut Tx, id: EtaId, by: &str) -> Result<EtaRow, Problem> {
    let row = etas::by_id(tx.conn, id)?.ok_or(Problem::NotFound("date"))?;
    let batch = campaigns::batch(tx.conn, row.batch_id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = lock_campaign(tx, batch.campaign_id)?;
    let mut row = etas::by_id(tx.conn, id)?.ok_or(Problem::NotFound("date"))?;
    match row.state {
        EtaState::PassedOn => return Ok(row),
        EtaState::Waiting => {}
        EtaState::Withheld | EtaState::Superseded => {
            return Err(Problem::conflict(
                "wrong-state",
                "This date is not waiting any more: a later one took its place, or it was withheld.",
            ));
        }
    }
    let now = tx.now.naive_utc();
    row.state = EtaState::PassedOn;
    row.passed_on_at = Some(now);
    row.passed_on_by = Some(by.to_owned());
    etas::save(tx.conn, &row, EtaState::Waiting)?;
    etas::set_of_batch(tx.conn, row.batch_id, row.arrives, row.ship_date)?;
    signs::sign(tx, &campaign)?;
    enqueue(tx, jobs::DATES_TOLD, &row.id.to_string(), now)?;
    Ok(row)
}

/// Staff keep a supplier's date to themselves.
///
/// # Errors
/// A conflict where it does not wait any more.
pub fn withhold(tx: &mut Tx, id: EtaId, by: &str) -> Result<EtaRow, Problem> {
    let mut row = etas::by_id(tx.conn, id)?.ok_or(Problem::NotFound("date"))?;
    if row.state != EtaState::Waiting {
        return Err(Problem::conflict(
            "wrong-state",
            "This date is not waiting any more.",
        ));
    }
    row.state = EtaState::Withheld;
    row.passed_on_by = Some(by.to_owned());
    etas::save(tx.conn, &row, EtaState::Waiting)?;
    Ok(row)
}

/// When a supplier's waiting date passes on by itself.
pub fn passes_at(row: &EtaRow) -> DateTime<Utc> {
    (row.set_at + Duration::hours(HELD_HOURS)).and_utc()
}
