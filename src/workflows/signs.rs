//! Signs of life of a seller, and the quiet alarm: from the supplier's order on somebody says something at least every 21
//! days, or staff are warned; after 30 days the campaign's page says so.

use chrono::{DateTime, Duration, NaiveDateTime, Utc};

use super::desk::{Concerns, Desk, Problem, enqueue, offer};
use crate::domain::campaign::{BatchState, CampaignState};
use crate::domain::day::day_of;
use crate::domain::ids::CampaignId;
use crate::domain::order::OrderState;
use crate::store::campaigns::{CampaignRow, Moved};
use crate::store::{Conn, Tx, campaigns, jobs, orders};

/// Days of silence after which staff are warned.
pub const WARNED_AFTER: i64 = 21;
/// Days of silence after which the campaign's page says so.
pub const SHOWN_AFTER: i64 = 30;

/// Something was heard of a campaign: an update, a date that was passed on, the supplier's word, an arrival, a parcel that
/// left. The alarm is set anew.
///
/// # Errors
/// What the database says.
pub fn sign(tx: &mut Tx, campaign: &CampaignRow) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    campaigns::set_last_sign(tx.conn, campaign.id, now)?;
    tx.touch(campaign.id);
    let watched = match campaign.state {
        CampaignState::Collecting | CampaignState::Ordered | CampaignState::Fulfilling => true,
        // An earlier batch of it was judged.
        CampaignState::Open => campaigns::batches_of(tx.conn, campaign.id)?.len() > 1,
        CampaignState::Draft
        | CampaignState::Interest
        | CampaignState::Scheduled
        | CampaignState::Completed
        | CampaignState::Failed => false,
    };
    if !watched {
        return Ok(());
    }
    let due = now + Duration::days(WARNED_AFTER);
    enqueue(tx, jobs::QUIET, &campaign.id.to_string(), due)
}

/// Whether anybody waits for goods of a campaign: a supplier has the order of one of its batches, and some order of that
/// batch was not sent whole. Units that nobody ordered may still be to come.
///
/// # Errors
/// What the database says.
pub fn waits(conn: &mut Conn, campaign: &CampaignRow) -> Result<bool, Problem> {
    let over = [CampaignState::Completed, CampaignState::Failed];
    if campaign.published_at.is_none() || over.contains(&campaign.state) {
        return Ok(false);
    }
    let unsent = [
        OrderState::Confirmed,
        OrderState::Backordered,
        OrderState::PartlyShipped,
    ];
    for batch in campaigns::batches_of(conn, campaign.id)? {
        let ordered = matches!(batch.state, BatchState::Ordered | BatchState::Fulfilling);
        if ordered && orders::any_in(conn, batch.id, &unsent)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Since when a campaign has been quiet, and for how many whole days, where somebody waits to hear of it ([`waits`]).
pub fn quiet(
    campaign: &CampaignRow,
    waits: bool,
    now: DateTime<Utc>,
) -> Option<(NaiveDateTime, i64)> {
    let last = campaign.last_sign_at.filter(|_| waits)?;
    Some((last, (now.naive_utc() - last).num_days()))
}

/// Looks whether a campaign has been quiet too long: warns staff once for each silence, and has the public page drawn
/// anew when it must say so. When to look again.
///
/// # Errors
/// What the database says.
pub fn look(desk: &Desk, tx: &mut Tx, id: CampaignId) -> Result<Option<DateTime<Utc>>, Problem> {
    let Some(campaign) = campaigns::by_id(tx.conn, id)? else {
        return Ok(None);
    };
    let somebody_waits = waits(tx.conn, &campaign)?;
    let Some((last, days)) = quiet(&campaign, somebody_waits, tx.now) else {
        // Before the supplier's order nobody waits; its sending is a sign that sets the alarm.
        return Ok(None);
    };
    let after = |days: i64| Some((last + Duration::days(days)).and_utc());
    if days < WARNED_AFTER {
        return Ok(after(WARNED_AFTER));
    }
    let zone = offer(&campaign)?.time_zone;
    let since = day_of(last.and_utc(), zone).format("%-d %B %Y");
    let shown = day_of((last + Duration::days(SHOWN_AFTER)).and_utc(), zone).format("%-d %B %Y");
    desk.tell_staff(
        tx,
        Concerns::campaign(&campaign),
        &format!("quiet:{id}:{}", last.and_utc().timestamp()),
        &format!("{}: nothing was heard for {WARNED_AFTER} days", campaign.title),
        vec![
            format!("Shoppers last heard something on {since}."),
            format!(
                "Write to them, even where there is nothing new. On {shown} the campaign's page begins to say that \
                 you are quiet."
            ),
        ],
        &format!("/admin/campaigns/{}/updates", campaign.slug),
    )?;
    if days < SHOWN_AFTER {
        return Ok(after(SHOWN_AFTER));
    }
    // Another version: every process draws the page anew.
    let now = tx.now.naive_utc();
    campaigns::count(tx.conn, id, Moved::default(), now)?;
    tx.touch(id);
    Ok(None)
}
