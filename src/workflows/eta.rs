//! A batch's dates: set by staff or its supplier, kept with who and why, passed on to shoppers (domain section 5).

use chrono::{DateTime, Duration, NaiveDate, Utc};

use super::desk::{Concerns, Problem, enqueue, happened, lock_campaign, offer};
use super::signs;
use crate::domain::campaign::BatchState;
use crate::domain::day::day_of;
use crate::domain::ids::{BatchId, EtaId, PurchaseOrderId};
use crate::domain::purchase_order::{EtaSource, EtaState};
use crate::domain::text::clean_text;
use crate::store::campaigns::CampaignRow;
use crate::store::etas::EtaRow;
use crate::store::{Tx, campaigns, etas, jobs, purchase_orders};

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
/// longest. A date that waited gives way to it, but for one supplier's to another's.
///
/// # Errors
/// What the database says.
pub fn set(tx: &mut Tx, batch: BatchId, dates: &NewDates) -> Result<EtaRow, Problem> {
    let known = campaigns::batch(tx.conn, batch)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = lock_campaign(tx, known.campaign_id)?;
    let now = tx.now.naive_utc();
    for mut earlier in etas::of_batch(tx.conn, batch)? {
        let gives_way = dates.source != EtaSource::Supplier
            || earlier.purchase_order_id == dates.purchase_order;
        if earlier.state == EtaState::Waiting && gives_way {
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
        match (dates.arrives, dates.ship_date) {
            (Some(day), _) => format!("The goods arrive on {day}: {}", dates.reason),
            (None, Some(day)) => format!("The parcels go out by {day}: {}", dates.reason),
            (None, None) => format!("When the goods arrive is not known: {}", dates.reason),
        },
    )?;
    tx.touch(campaign.id);
    enqueue(tx, jobs::BALANCE, &row.batch_id.to_string(), now)?;
    if dates.source == EtaSource::Supplier {
        let due = now + Duration::hours(HELD_HOURS);
        enqueue(tx, jobs::DATES_TOLD, &row.id.to_string(), due)?;
        return Ok(row);
    }
    pass_on(tx, row.id, &dates.by)
}

/// Everything of a batch has arrived, or was given up: its parcels go out within the handling days from now on, and
/// shoppers are told where that is news. The campaign is locked by the caller.
///
/// # Errors
/// What the database says.
pub fn all_received(tx: &mut Tx, batch: BatchId) -> Result<(), Problem> {
    let known = campaigns::batch(tx.conn, batch)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = campaigns::by_id(tx.conn, known.campaign_id)?;
    let terms = offer(&campaign.ok_or(Problem::NotFound("campaign"))?)?;
    let today = day_of(tx.now, terms.time_zone);
    let ship_date = today + Duration::days(terms.handling_days.into());
    if known.ship_date == Some(ship_date) {
        return Ok(());
    }
    let dates = NewDates {
        purchase_order: None,
        arrives: Some(today),
        ship_date: Some(ship_date),
        source: EtaSource::System,
        by: "system".to_owned(),
        reason: "Everything has arrived, and the parcels are being packed.".to_owned(),
    };
    set(tx, batch, &dates).map(|_| ())
}

/// Passes a waiting date on: it counts from now on, and shoppers are told by the work that follows. Passing on twice
/// changes nothing.
///
/// # Errors
/// A conflict where it was withheld or a later one took its place.
pub fn pass_on(tx: &mut Tx, id: EtaId, by: &str) -> Result<EtaRow, Problem> {
    let (mut row, campaign) = locked(tx, id)?;
    match row.state {
        EtaState::PassedOn => return Ok(row),
        EtaState::Waiting => {}
        EtaState::Withheld | EtaState::Superseded => return Err(not_waiting()),
    }
    let now = tx.now.naive_utc();
    row.state = EtaState::PassedOn;
    row.passed_on_at = Some(now);
    row.passed_on_by = Some(by.to_owned());
    let (arrives, ship_date) = counted(tx, &row)?;
    row.ship_date = ship_date;
    etas::save(tx.conn, &row, EtaState::Waiting)?;
    etas::set_of_batch(tx.conn, row.batch_id, arrives, ship_date)?;
    if row.source == EtaSource::Supplier {
        let told = format!("{}'s date was passed on to shoppers.", row.set_by);
        happened(
            tx,
            Concerns::campaign(&campaign),
            by,
            "date_passed_on",
            told,
        )?;
    }
    signs::sign(tx, &campaign)?;
    enqueue(tx, jobs::DATES_TOLD, &row.id.to_string(), now)?;
    Ok(row)
}

/// The dates of a batch as they are with this one: where several suppliers deliver, the latest day that one of them gave
/// counts. What staff set counts as it is, and starts the reckoning anew.
fn counted(tx: &mut Tx, row: &EtaRow) -> Result<(Option<NaiveDate>, Option<NaiveDate>), Problem> {
    let (mut arrives, mut ship_date) = (row.arrives, row.ship_date);
    if row.source != EtaSource::Supplier || row.arrives.is_none() {
        return Ok((arrives, ship_date));
    }
    let all = etas::of_batch(tx.conn, row.batch_id)?;
    let told = |e: &&EtaRow| e.state == EtaState::PassedOn && e.id != row.id;
    let since = all
        .iter()
        .rposition(|e| told(&e) && e.source != EtaSource::Supplier)
        .map_or(0, |at| at + 1);
    for order in purchase_orders::of_batch(tx.conn, row.batch_id)? {
        if Some(order.id) == row.purchase_order_id || !order.state.stands() {
            continue;
        }
        let mut of_batch = all[since..].iter().filter(told);
        let last = of_batch.rfind(|e| e.purchase_order_id == Some(order.id));
        if let Some(last) = last.filter(|last| last.arrives > arrives) {
            (arrives, ship_date) = (last.arrives, last.ship_date.max(ship_date));
        }
    }
    Ok((arrives, ship_date))
}

/// Staff change what a waiting date says to shoppers, the ship date and the reason, and pass it on.
///
/// # Errors
/// A ship date that is not in the future or lies before the arrival, a missing reason; a conflict where it does not wait
/// any more.
pub fn edit_and_pass_on(
    tx: &mut Tx,
    id: EtaId,
    ship_date: NaiveDate,
    reason: &str,
    by: &str,
) -> Result<EtaRow, Problem> {
    let (mut row, campaign) = locked(tx, id)?;
    if row.state != EtaState::Waiting {
        return Err(not_waiting());
    }
    let today = day_of(tx.now, offer(&campaign)?.time_zone);
    let first = row.arrives.map_or(today, |day| day.max(today));
    let last = today + Duration::days(AHEAD);
    if ship_date < first || ship_date > last {
        let say = format!(
            "write a day from {} to {}",
            first.format("%-d %B %Y"),
            last.format("%-d %B %Y")
        );
        return Err(Problem::field("ship_date", say));
    }
    let reason = clean_text(reason, REASON).map_err(|why| Problem::field("reason", why))?;
    if reason.trim().is_empty() {
        let say = "write why the date moves: shoppers read it";
        return Err(Problem::field("reason", say));
    }
    row.ship_date = Some(ship_date);
    row.reason = reason;
    etas::save(tx.conn, &row, EtaState::Waiting)?;
    pass_on(tx, id, by)
}

/// The longest reason, in characters.
const REASON: usize = 500;
/// How far ahead a ship date may lie, in days.
const AHEAD: i64 = 1095;

/// Staff keep a supplier's date to themselves. Doing it twice changes nothing.
///
/// # Errors
/// A conflict where it does not wait any more.
pub fn withhold(tx: &mut Tx, id: EtaId, by: &str) -> Result<EtaRow, Problem> {
    let (mut row, campaign) = locked(tx, id)?;
    match row.state {
        EtaState::Withheld => return Ok(row),
        EtaState::Waiting => {}
        EtaState::PassedOn | EtaState::Superseded => return Err(not_waiting()),
    }
    row.state = EtaState::Withheld;
    row.passed_on_by = Some(by.to_owned());
    etas::save(tx.conn, &row, EtaState::Waiting)?;
    let kept = format!("{}'s date was not passed on to shoppers.", row.set_by);
    happened(tx, Concerns::campaign(&campaign), by, "date_withheld", kept)?;
    Ok(row)
}

/// The day after a supplier named a date it passes on by itself, unless staff decided, its order does not stand any more,
/// or its batch is over. When to look again, where it is too early. Called before shoppers are told of a date.
///
/// # Errors
/// What the database says.
pub fn due(tx: &mut Tx, id: EtaId) -> Result<Option<DateTime<Utc>>, Problem> {
    let (row, _) = locked(tx, id)?;
    if row.state != EtaState::Waiting {
        return Ok(None);
    }
    let batch = campaigns::batch(tx.conn, row.batch_id)?.ok_or(Problem::NotFound("batch"))?;
    let order = match row.purchase_order_id {
        Some(order) => purchase_orders::by_id(tx.conn, order)?,
        None => None,
    };
    let stands = order.is_none_or(|order| order.state.stands());
    if !stands || !matches!(batch.state, BatchState::Ordered | BatchState::Fulfilling) {
        supersede(tx, row)?;
        return Ok(None);
    }
    let at = passes_at(&row);
    if tx.now < at {
        return Ok(Some(at));
    }
    pass_on(tx, id, "system")?;
    Ok(None)
}

/// A purchase order does not stand any more: what its supplier said and waits for staff is not passed on. The campaign is
/// locked by the caller.
///
/// # Errors
/// What the database says.
pub fn drop_waiting(tx: &mut Tx, batch: BatchId, order: PurchaseOrderId) -> Result<(), Problem> {
    for row in etas::of_batch(tx.conn, batch)? {
        if row.state == EtaState::Waiting && row.purchase_order_id == Some(order) {
            supersede(tx, row)?;
        }
    }
    Ok(())
}

fn supersede(tx: &mut Tx, mut row: EtaRow) -> Result<(), Problem> {
    row.state = EtaState::Superseded;
    etas::save(tx.conn, &row, EtaState::Waiting)?;
    Ok(())
}

/// The date, with its campaign locked.
fn locked(tx: &mut Tx, id: EtaId) -> Result<(EtaRow, CampaignRow), Problem> {
    let none = || Problem::NotFound("date");
    let row = etas::by_id(tx.conn, id)?.ok_or_else(none)?;
    let batch = campaigns::batch(tx.conn, row.batch_id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = lock_campaign(tx, batch.campaign_id)?;
    let row = etas::by_id(tx.conn, id)?.ok_or_else(none)?;
    Ok((row, campaign))
}

fn not_waiting() -> Problem {
    Problem::conflict(
        "wrong-state",
        "This date is not waiting any more: it was passed on or withheld, or a later one took its place.",
    )
}

/// When a supplier's waiting date passes on by itself.
pub fn passes_at(row: &EtaRow) -> DateTime<Utc> {
    (row.set_at + Duration::hours(HELD_HOURS)).and_utc()
}
