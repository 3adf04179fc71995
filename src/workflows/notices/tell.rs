//! A date is told to everybody whom it concerns, in rounds: each order is looked at once, in the order of their ids. A
//! round that died begins anew, and writes to nobody twice.

use chrono::NaiveDate;

use super::super::desk::{AT_ONCE, Desk, Problem};
use super::super::stock_sale::is_from_stock;
use super::around::{Around, Subject, cursor, subjects};
use super::write::{Said, write};
use crate::domain::campaign::BatchState;
use crate::domain::ids::{BatchId, EtaId, OrderId};
use crate::domain::promise::{Batch, Forecast, News, Plan, Planned, SYSTEM_NOTICE_DAYS};
use crate::domain::purchase_order::EtaState;
use crate::store::{Tx, etas, promises};

/// Whether a batch's shoppers can still be told of dates.
pub(super) fn is_over(state: BatchState) -> bool {
    matches!(state, BatchState::Completed | BatchState::Failed)
}

/// A batch's date as the delay rule reads it: somebody named it, or nobody knows it.
pub(super) fn forecast(ship_date: Option<NaiveDate>) -> Forecast {
    ship_date.map_or(Forecast::NotKnown, Forecast::Named)
}

/// Tells some more shoppers of a date that was passed on, those after `after`; the last one looked at, while there are
/// more. A date that a later one overtook is not told any more.
///
/// # Errors
/// What the database says.
pub fn tell_some(
    desk: &Desk,
    tx: &mut Tx,
    id: EtaId,
    after: Option<OrderId>,
) -> Result<Option<OrderId>, Problem> {
    let eta = etas::by_id(tx.conn, id)?.ok_or(Problem::NotFound("date"))?;
    let around = Around::lock(tx, eta.batch_id)?;
    let last = etas::last_passed_on(tx.conn, eta.batch_id)?;
    let overtaken = last.is_none_or(|last| last.id != id);
    let given_up = promises::given_up(tx.conn, eta.batch_id)?.is_some();
    let waits = eta.state != EtaState::PassedOn;
    if waits || overtaken || given_up || is_over(around.batch.state) {
        return Ok(None);
    }
    let news = News {
        ships: forecast(eta.ship_date),
        stop_loss: etas::stop_loss_of(tx.conn, id)?,
    };
    let some = promises::unshipped(tx.conn, eta.batch_id, after, AT_ONCE)?;
    let next = cursor(&some, AT_ONCE);
    let today = around.today(tx.now);
    let all = subjects(tx.conn, some, around.zone())?;
    let told = |s: &Subject| s.rows.iter().any(|row| row.eta_id == Some(id));
    let planned: Vec<(&Subject, Planned)> = all
        .iter()
        // The units of an order from stock are there: the batch's date is not theirs.
        .filter(|s| !told(s) && !is_from_stock(&s.order))
        .filter_map(
            |s| match s.case().plan_notice(news, around.draft.delay_policy, today) {
                Plan::Notice(planned) => Some((s, planned)),
                Plan::Unneeded(_) => None,
            },
        )
        .collect();
    let said = Said {
        reason: &eta.reason,
        by: eta.passed_on_by.as_deref().unwrap_or(&eta.set_by),
        eta: Some(id),
        by_system: false,
    };
    write(desk, tx, &around, &said, &planned)?;
    Ok(next)
}

/// Asks some more shoppers of a batch that gathered when an extension moved the ship date: that is a first notice (domain
/// section 2). Each is asked once. A batch that was judged before keeps its date.
///
/// # Errors
/// What the database says.
pub fn tell_extended(
    desk: &Desk,
    tx: &mut Tx,
    id: BatchId,
    after: Option<OrderId>,
) -> Result<Option<OrderId>, Problem> {
    let around = Around::lock(tx, id)?;
    let judged = around.batch.judged_at;
    let extended = around
        .campaign
        .extended_at
        .is_some_and(|at| judged.is_none_or(|judged| at <= judged));
    let overtaken = etas::last_passed_on(tx.conn, id)?.is_some();
    let going = matches!(
        around.batch.state,
        BatchState::Gathering | BatchState::Collecting | BatchState::Ordered
    );
    if !extended || overtaken || !going {
        return Ok(None);
    }
    let ships_by = around.draft.promised_ship_date;
    let news = News {
        ships: Forecast::Named(ships_by),
        stop_loss: None,
    };
    let some = promises::unshipped(tx.conn, id, after, AT_ONCE)?;
    let next = cursor(&some, AT_ONCE);
    let today = around.today(tx.now);
    let all = subjects(tx.conn, some, around.zone())?;
    let planned: Vec<(&Subject, Planned)> = all
        .iter()
        .filter(|s| s.promise.first_date < ships_by && s.rows.is_empty())
        .filter_map(
            |s| match s.case().plan_notice(news, around.draft.delay_policy, today) {
                Plan::Notice(planned) => Some((s, planned)),
                Plan::Unneeded(_) => None,
            },
        )
        .collect();
    let reason = format!(
        "The deadline of the campaign was extended to {}, and the ship date moved with it.",
        around
            .draft
            .deadline
            .with_timezone(&around.zone())
            .format("%-d %B %Y, %H:%M")
    );
    let said = Said {
        reason: &reason,
        by: "staff",
        eta: None,
        by_system: false,
    };
    write(desk, tx, &around, &said, &planned)?;
    Ok(next)
}

/// Sends the system's own notice to some more orders of a batch for which one is due today, so that no promise passes in
/// silence (domain section 6).
///
/// # Errors
/// What the database says.
pub fn tell_unasked(
    desk: &Desk,
    tx: &mut Tx,
    id: BatchId,
    after: Option<OrderId>,
) -> Result<Option<OrderId>, Problem> {
    let around = Around::lock(tx, id)?;
    let failed = around.batch.state == BatchState::Failed;
    if failed || promises::given_up(tx.conn, id)?.is_some() {
        return Ok(None);
    }
    let today = around.today(tx.now);
    let until = today + chrono::Days::new(SYSTEM_NOTICE_DAYS);
    let some = promises::due_between(tx.conn, id, (today, until), after, AT_ONCE)?;
    let next = cursor(&some, AT_ONCE);
    let batch = Batch {
        ships: forecast(around.batch.ship_date),
        fully_received: around.batch.received_at.is_some(),
    };
    let all = subjects(tx.conn, some, around.zone())?;
    let planned: Vec<(&Subject, Planned)> = all
        .iter()
        .filter_map(|s| {
            let batch = match is_from_stock(&s.order) {
                true => Batch {
                    ships: forecast(Some(s.promise.first_date)),
                    fully_received: true,
                },
                false => batch,
            };
            let due = s
                .case()
                .due_for_system_notice(batch, around.draft.delay_policy, today)?;
            Some((s, due))
        })
        .collect();
    let (dated, unknown): (Vec<_>, Vec<_>) = planned
        .into_iter()
        .partition(|(_, plan)| plan.revised.is_some());
    // What was said of the date that is known is the reason for it.
    let last = etas::last_passed_on(tx.conn, id)?.map(|eta| eta.reason);
    let none = format!("{} gave no new date.", around.merchant.name);
    for (planned, reason) in [(dated, last.as_ref().unwrap_or(&none)), (unknown, &none)] {
        let said = Said {
            reason,
            by: "system",
            eta: None,
            by_system: true,
        };
        write(desk, tx, &around, &said, &planned)?;
    }
    Ok(next)
}
