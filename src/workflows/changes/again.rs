//! A change that moved money after the backup that is in use was made: what its charge and its refunds say of it, and how
//! it is made again from that (domain section 7, rules 2 and 8).

use super::effect::Effect;
use super::offer::noted;
use super::page::drop_planned;
use super::{Before, Begun, Offer, close_page, goes_to, wanted};
use crate::domain::campaign::{BatchState, CampaignState};
use crate::domain::change::ChangeState;
use crate::domain::country::Country;
use crate::domain::ids::RefundId;
use crate::domain::order::OrderState;
use crate::domain::payment::{PaymentKind, RefundPurpose};
use crate::store::campaigns::CampaignRow;
use crate::store::changes::ChangeRow;
use crate::store::orders::{OrderRow, PaymentRow};
use crate::store::refunds::RefundRow;
use crate::store::{Tx, campaigns, changes};
use crate::workflows::desk::{Concerns, Desk, Problem, happened};
use crate::workflows::money;
use crate::workflows::ports::ChangeNote;

/// Whom a change that staff asked for is said to come from once it is made again: names stay here.
const STAFF: &str = "staff";

/// What came of making a change again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remade {
    /// The books have it, or have it now.
    InBooks,
    /// It does not fit the order as the books know it, or is not known whole: it sent the order to another country.
    Unfit,
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
    let abroad = Before::read(row)?.country.is_some();
    let to = goes_to(row)?.filter(|_| abroad);
    Ok(ChangeNote {
        change: row.id,
        lines: lines
            .map(|(line, priced)| (line.sku.clone(), priced.quantity, priced.unit_price))
            .collect(),
        by_staff: row.asked_by.is_some(),
        country: to.map(|to| to.address.country),
    })
}

/// What a note says of its change, for staff: `2 × set`.
pub fn note_said(note: &ChangeNote) -> String {
    let lines = note.lines.iter();
    let mut said: Vec<String> = lines
        .map(|(sku, units, _)| format!("{units} \u{d7} {sku}"))
        .collect();
    let to = |country: Country| {
        let name = country.name();
        format!("in {name} at an address that the shopper has to tell once more")
    };
    said.extend(note.country.map(to));
    said.join(", ")
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
) -> Result<Remade, Problem> {
    let all = changes::of_order(tx.conn, order.id)?;
    if let Some(known) = all.iter().find(|row| row.id == note.change) {
        let mut known = known.clone();
        if known.state == ChangeState::Planned {
            // Its page was made anew since the backup.
            known.attempt = Some(attempt);
            changes::save(tx.conn, &known)?;
        }
        return Ok(Remade::InBooks);
    }
    if let Some(country) = note
        .country
        .filter(|_| order.state == OrderState::Confirmed)
    {
        address_lost(tx, order, country)?;
    }
    let Some(offer) = fitting(tx, campaign, order, &all, note)? else {
        return Ok(Remade::Unfit);
    };
    super::take(tx, &offer.entering)?;
    make_way(tx, campaign, order)?;
    insert(tx, note, &offer, Some(attempt))?;
    Ok(Remade::InBooks)
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
) -> Result<Remade, Problem> {
    let all = changes::of_order(tx.conn, order.id)?;
    if all.iter().any(|row| row.id == note.change) {
        return Ok(Remade::Unfit);
    }
    let Some(offer) = fitting(tx, campaign, order, &all, note)? else {
        return Ok(Remade::Unfit);
    };
    let keep = order.money().kept() - offer.moved.back;
    if !money::beyond(tx, order, keep)?.contains(&(attempt, amount)) {
        return Ok(Remade::Unfit);
    }
    super::take(tx, &offer.entering)?;
    make_way(tx, campaign, order)?;
    let row = insert(tx, note, &offer, None)?;
    let mut order = offer.order.clone();
    Effect::at_once(campaign, &row, offer).take(desk, tx, &mut order)?;
    Ok(Remade::InBooks)
}

/// Says that a change is not made again because the street is not known: parcels would go astray.
fn address_lost(tx: &mut Tx, order: &OrderRow, country: Country) -> Result<(), Problem> {
    let detail = format!(
        "It was to go to {}. The address was lost when this server was restored from a backup, so the order stays as it was. The change can be asked for again while joining is open.",
        country.name()
    );
    let concerns = Concerns::order(order);
    happened(tx, concerns, "system", "change_address_lost", detail)
}

/// What the change makes of the order; none where the order ended, is judged, was changed later, no units are left, or it
/// went to another country: the provider knows no addresses.
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
    if !gathers || !counts || all.iter().any(later) || note.country.is_some() {
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
) -> Result<ChangeRow, Problem> {
    let begun = Begun {
        id: note.change,
        offer,
        attempt,
        hold_expires_at: tx.now.naive_utc(),
        form_key: None,
        asked_by: note.by_staff.then(|| STAFF.to_owned()),
        // When and from where it was agreed to is lost.
        agreed: None,
    };
    begun.keep(tx)
}
