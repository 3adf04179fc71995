//! From a draft to orders: over an interest check where one is wanted, at once or at a time (domain section 2).

use chrono::{DateTime, SubsecRound, Utc};

use super::own;
use crate::domain::campaign::{CampaignEvent, CampaignState};
use crate::domain::draft::FieldError;
use crate::domain::ids::{CampaignId, MerchantId};
use crate::store::campaigns::CampaignRow;
use crate::store::{Tx, campaigns, jobs};
use crate::workflows::desk::{
    Concerns, Desk, Problem, enqueue, happened, lock_campaign, merchant, offer,
};
use crate::workflows::{ideas, interest};

/// What a publication warns of, or is refused for with a live key.
///
/// # Errors
/// What the database says.
pub fn missing_for_publication(tx: &mut Tx, id: MerchantId) -> Result<Vec<&'static str>, Problem> {
    Ok(merchant(tx, id)?.missing())
}

/// When a campaign that asks who would buy is to open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// At the time of its offer; at once where that names none, or it has passed.
    AsOffered,
    /// Now, whatever the offer says.
    Now,
    /// At this time.
    At(DateTime<Utc>),
}

/// Publishes a draft: it opens now or at its time, or asks first who would buy. One that asks is opened, or announced
/// for its time.
///
/// # Errors
/// A conflict where it is published already; an offer that has become wrong, such as a deadline that has passed; with a
/// live key, where imprint or terms are missing.
pub fn publish(
    desk: &Desk,
    tx: &mut Tx,
    merchant_id: MerchantId,
    slug: &str,
) -> Result<CampaignRow, Problem> {
    let row = own(tx, merchant_id, slug)?;
    let now = tx.now.naive_utc();
    match row.state {
        CampaignState::Draft => {}
        CampaignState::Interest => return open(desk, tx, &row, Opening::AsOffered),
        _ => {
            return Err(Problem::conflict(
                "already-published",
                "This campaign is published already.",
            ));
        }
    }
    let draft = may_be_published(desk, tx, &row)?;
    let (event, said) = if draft.interest {
        (CampaignEvent::Asked, "Asks who would buy.")
    } else if row.opens_at.unwrap_or(now) <= now {
        (CampaignEvent::Opened, "Open for orders.")
    } else {
        (CampaignEvent::Scheduled, "Announced.")
    };
    let to = row.state.after(event)?;
    campaigns::move_state(tx.conn, row.id, row.state, to, None, now)?;
    let opens_at = match to {
        CampaignState::Interest => row.opens_at.filter(|at| *at > now),
        // To the second: it is shown, and nobody means a fraction of one.
        _ => Some(row.opens_at.unwrap_or(now).max(now).trunc_subsecs(0)),
    };
    campaigns::set_published(tx.conn, row.id, opens_at, now)?;
    happened(tx, Concerns::campaign(&row), "staff", to.as_str(), said)?;
    enqueue(tx, jobs::CAMPAIGN, &row.id.to_string(), now)?;
    ideas::came_of_it(tx, row.id)?;
    tx.touch(row.id);
    lock_campaign(tx, row.id)
}

/// Opens a campaign that asks who would buy, or announces when it does.
///
/// # Errors
/// As [`publish`]; a time that is not before the deadline.
pub fn schedule(
    desk: &Desk,
    tx: &mut Tx,
    merchant_id: MerchantId,
    slug: &str,
    opening: Opening,
) -> Result<CampaignRow, Problem> {
    let row = own(tx, merchant_id, slug)?;
    if row.state != CampaignState::Interest {
        return Err(Problem::conflict(
            "wrong-state",
            "This campaign does not ask who would buy, or not any more.",
        ));
    }
    open(desk, tx, &row, opening)
}

fn open(
    desk: &Desk,
    tx: &mut Tx,
    row: &CampaignRow,
    opening: Opening,
) -> Result<CampaignRow, Problem> {
    let mut draft = may_be_published(desk, tx, row)?;
    let now = tx.now;
    let at = match opening {
        Opening::Now => now,
        Opening::AsOffered => row.opens_at.map_or(now, |at| at.and_utc().max(now)),
        Opening::At(at) => at.max(now),
    };
    if at >= draft.deadline {
        let say = "It must lie before the deadline.";
        return Err(Problem::Invalid(vec![FieldError::new("opens_at", say)]));
    }
    let at = at.trunc_subsecs(0);
    let opens_now = at <= now;
    let (event, said) = if opens_now {
        (CampaignEvent::Opened, "Open for orders.")
    } else {
        (CampaignEvent::Scheduled, "Announced.")
    };
    let to = row.state.after(event)?;
    campaigns::move_state(tx.conn, row.id, row.state, to, None, now.naive_utc())?;
    draft.opens_at = Some(at);
    let spec = serde_json::to_string(&draft)?;
    campaigns::set_opening(tx.conn, row.id, at.naive_utc(), &spec)?;
    happened(tx, Concerns::campaign(row), "staff", to.as_str(), said)?;
    enqueue(tx, jobs::CAMPAIGN, &row.id.to_string(), now.naive_utc())?;
    if opens_now {
        interest::tell_all(tx, row, interest::Told::Opened)?;
    }
    tx.touch(row.id);
    lock_campaign(tx, row.id)
}

/// The offer, checked again: time has passed since it was saved.
fn may_be_published(
    desk: &Desk,
    tx: &mut Tx,
    row: &CampaignRow,
) -> Result<crate::domain::draft::CampaignDraft, Problem> {
    let draft = offer(row)?;
    draft.to_input().check(tx.now).map_err(Problem::Invalid)?;
    let missing = missing_for_publication(tx, row.merchant_id)?;
    if desk.live && !missing.is_empty() {
        return Err(Problem::conflict(
            "seller-incomplete",
            format!(
                "Before shoppers can pay, add {} in the settings.",
                missing.join(", ")
            ),
        ));
    }
    Ok(draft)
}

/// Opens a campaign whose time has come, announced or still asking who would buy.
///
/// # Errors
/// What the database says.
pub fn open_if_due(tx: &mut Tx, id: CampaignId) -> Result<CampaignRow, Problem> {
    let row = lock_campaign(tx, id)?;
    let now = tx.now.naive_utc();
    let is_due = match row.state {
        CampaignState::Scheduled => row.opens_at.is_none_or(|at| at <= now),
        // Past its deadline it waits for staff: it would be open to nobody.
        CampaignState::Interest => row.opens_at.is_some_and(|at| at <= now) && now < row.deadline,
        _ => false,
    };
    if !is_due {
        return Ok(row);
    }
    let to = row.state.after(CampaignEvent::Opened)?;
    campaigns::move_state(tx.conn, id, row.state, to, None, now)?;
    happened(
        tx,
        Concerns::campaign(&row),
        "system",
        "open",
        "Open for orders.",
    )?;
    interest::tell_all(tx, &row, interest::Told::Opened)?;
    tx.touch(id);
    lock_campaign(tx, id)
}
