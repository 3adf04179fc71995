//! A change that moved money after the backup that is in use was made: what its charge and its refunds say of it, and how
//! it is made again from that (domain section 7, rules 2 and 8).

use super::effect::Effect;
use super::offer::noted;
use super::page::drop_planned;
use super::{Offer, close_page, wanted};
use crate::domain::campaign::{BatchState, CampaignState};
use crate::domain::change::ChangeState;
use crate::domain::ids::RefundId;
use crate::domain::order::OrderState;
use crate::domain::payment::{PaymentKind, RefundPurpose};
use crate::store::campaigns::CampaignRow;
use crate::store::changes::ChangeRow;
use crate::store::orders::{OrderRow, PaymentRow};
use crate::store::refunds::RefundRow;
use crate::store::{Tx, campaigns, changes};
use crate::workflows::desk::{Desk, Problem};
use crate::workflows::money;
use crate::workflows::ports::ChangeNote;

/// What came of making a change again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// The books have it, or have it now.
    There,
    /// It does not fit the order as the books know it.
    Not,
}

/// What a page carries of the change that it pays for.
///
/// # Errors
/// What the database says.
pub fn note_of_page(tx: &mut Tx, page: &PaymentRow) -> Result<Option<ChangeNote>, Problem> {
    if page.kind != PaymentKind::Change {
        return Ok(None);
    }
    let of_page = super::page::of_page(tx, page)?;
    of_page.as_ref().map(note).transpose()
}

/// What a refund carries of the change that it belongs to.
///
/// # Errors
/// What the database says.
pub fn note_of_refund(tx: &mut Tx, refund: &RefundRow) -> Result<Option<ChangeNote>, Problem> {
    if refund.purpose != RefundPurpose::Change {
        return Ok(None);
    }
    let all = changes::of_order(tx.conn, refund.order_id)?;
    let mine = all
        .iter()
        .find(|row| RefundId::of_change(row.id, refund.payment_attempt) == refund.id);
    mine.map(note).transpose()
}

fn note(row: &ChangeRow) -> Result<ChangeNote, Problem> {
    let agreed = wanted(row)?;
    let lines = agreed.lines.iter().zip(&agreed.quote.lines);
    Ok(ChangeNote {
        change: row.id,
        lines: lines
            .map(|(line, priced)| (line.sku.clone(), priced.quantity, priced.unit_price))
            .collect(),
    })
}

/// The provider says that a page paid for this change. Where the books lost the change it is planned again, so that the
/// payment finds it; where it fits no more, the payment will find none and go back.
///
/// # Errors
/// What the database says.
pub fn paid_again(
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &OrderRow,
    attempt: i32,
    note: &ChangeNote,
) -> Result<Again, Problem> {
    let all = changes::of_order(tx.conn, order.id)?;
    if let Some(known) = all.iter().find(|row| row.id == note.change) {
        let mut known = known.clone();
        if known.state == ChangeState::Planned {
            // Its page was made anew since the backup.
            known.attempt = Some(attempt);
            changes::save(tx.conn, &known)?;
        }
        return Ok(Again::There);
    }
    let Some(offer) = fitting(tx, campaign, order, &all, note)? else {
        return Ok(Again::Not);
    };
    super::take(tx, &offer.entering)?;
    make_way(tx, campaign, order)?;
    insert(tx, note, &offer, Some(attempt))?;
    Ok(Again::There)
}

/// The provider says that this change gave so much of one page back. Where the books lost the change it takes effect again,
/// and commits its refunds under the ids that they have.
///
/// # Errors
/// What the database says.
pub fn refunded_again(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &OrderRow,
    (attempt, amount): (i32, i64),
    note: &ChangeNote,
) -> Result<Again, Problem> {
    let all = changes::of_order(tx.conn, order.id)?;
    if all.iter().any(|row| row.id == note.change) {
        return Ok(Again::Not);
    }
    let Some(offer) = fitting(tx, campaign, order, &all, note)? else {
        return Ok(Again::Not);
    };
    let keep = order.money().kept() - offer.moved.back;
    if !money::beyond(tx, order, keep)?.contains(&(attempt, amount)) {
        return Ok(Again::Not);
    }
    super::take(tx, &offer.entering)?;
    make_way(tx, campaign, order)?;
    insert(tx, note, &offer, None)?;
    let mut order = offer.order;
    let effect = Effect {
        campaign,
        change: note.change,
        by: None,
        before: offer.before,
        wanted: offer.wanted,
        paid: 0,
        receipt: None,
    };
    effect.take(desk, tx, &mut order)?;
    Ok(Again::There)
}

/// What the change makes of the order; none where the order ended, is judged, was changed later, or no
/// units are left.
fn fitting(
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &OrderRow,
    all: &[ChangeRow],
    note: &ChangeNote,
) -> Result<Option<Offer>, Problem> {
    let batch = campaigns::batch(tx.conn, order.batch_id)?;
    let gathers = batch.is_some_and(|batch| batch.state == BatchState::Gathering);
    let counts = order.state == OrderState::Confirmed && campaign.state == CampaignState::Open;
    let later = |row: &ChangeRow| row.state == ChangeState::Done && row.id > note.change;
    if !gathers || !counts || all.iter().any(later) {
        return Ok(None);
    }
    let offer = match noted(tx.conn, order.id, &note.lines) {
        Ok(offer) => offer,
        Err(Problem::Invalid(_)) => return Ok(None),
        Err(other) => return Err(other),
    };
    let options = campaigns::options_of(tx.conn, campaign.id)?;
    let fits = offer.entering.iter().all(|(id, units)| {
        let option = options.iter().find(|option| option.id == *id);
        option.is_some_and(|option| option.available().is_none_or(|left| left >= *units))
    });
    Ok(fits.then_some(offer))
}

/// Another change that the backup has under way ended since, or this one could not have been asked for.
fn make_way(tx: &mut Tx, campaign: &CampaignRow, order: &OrderRow) -> Result<(), Problem> {
    let Some(mut other) = changes::under_way(tx.conn, order.id)? else {
        return Ok(());
    };
    if let Some(attempt) = other.attempt {
        close_page(tx, order.id, attempt)?;
    }
    drop_planned(tx, campaign, &mut other)
}

fn insert(
    tx: &mut Tx,
    note: &ChangeNote,
    offer: &Offer,
    attempt: Option<i32>,
) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    let planned = attempt.is_some();
    let row = ChangeRow {
        id: note.change,
        order_id: offer.order.id,
        state: if planned {
            ChangeState::Planned
        } else {
            ChangeState::Done
        },
        attempt,
        had: serde_json::to_string(&offer.before)?,
        wanted: serde_json::to_string(&offer.wanted)?,
        held: serde_json::to_string(&offer.entering)?,
        form_key: None,
        asked_by: None,
        hold_expires_at: now,
        created_at: now,
        closed_at: (!planned).then_some(now),
    };
    Ok(changes::insert(tx.conn, &row)?)
}
