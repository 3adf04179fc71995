//! Cards that end before they are charged: their holders are told a week ahead, and may save another.

use chrono::{DateTime, Datelike, Duration, NaiveTime, Utc};

use super::super::desk::{Desk, Problem, ends_at, lock_campaign};
use super::super::letters::CardNews;
use super::tell;
use crate::domain::campaign::CampaignState;
use crate::domain::card::{CardExpiry, told_of_expiry_on};
use crate::domain::draft::PaymentMode;
use crate::domain::ids::{CampaignId, OrderId};
use crate::store::campaigns::CampaignRow;
use crate::store::{Tx, dues, jobs, orders};
use crate::workflows::desk::{enqueue, offer};

/// How many holders are told in one transaction.
const AT_ONCE: i64 = 200;

/// Has a holder told in time whose card ends before the deadline.
///
/// # Errors
/// What the database says.
pub fn watch_ending(tx: &mut Tx, campaign: &CampaignRow, order: OrderId) -> Result<(), Problem> {
    let charged_on = ends_at(campaign).and_utc();
    let card = dues::card_of(tx.conn, order)?;
    let day = card
        .and_then(|card| card.expiry())
        .and_then(|expiry| told_of_expiry_on(expiry, charged_on));
    if let Some(day) = day {
        let at = day.and_time(NaiveTime::MIN).max(tx.now.naive_utc());
        enqueue(tx, jobs::CARDS_END, &campaign.id.to_string(), at)?;
    }
    Ok(())
}

/// Tells some holders whose cards end before the deadline; when to look again, none where the campaign is not open.
///
/// # Errors
/// What the database says.
pub fn tell_ending(
    desk: &Desk,
    tx: &mut Tx,
    id: CampaignId,
) -> Result<Option<DateTime<Utc>>, Problem> {
    let campaign = lock_campaign(tx, id)?;
    let saves = offer(&campaign)?.payment_mode == PaymentMode::ChargeOnSuccess;
    if campaign.state != CampaignState::Open || !saves {
        return Ok(None);
    }
    let charged_on = ends_at(&campaign).and_utc();
    // A week ahead of now: no later card is due to be told of.
    let ahead = (tx.now + Duration::days(8)).min(charged_on + Duration::days(1));
    let Some(last) = CardExpiry::new(ahead.year(), ahead.month()) else {
        return Ok(None);
    };
    let today = tx.now.date_naive();
    let mut told = 0;
    let some = dues::ending_cards(tx.conn, id, last, AT_ONCE)?;
    for card in &some {
        let Some(expiry) = card.expiry() else {
            continue;
        };
        if told_of_expiry_on(expiry, charged_on).is_none_or(|day| today < day) {
            continue;
        }
        dues::set_expiry_told(tx.conn, &card.method_id, tx.now.naive_utc())?;
        let order = orders::by_id(tx.conn, card.order_id)?.ok_or(Problem::NotFound("order"))?;
        let news = CardNews::Ends {
            card: card.said(),
            expiry: expiry.to_string(),
            charged_on,
        };
        let once = format!("card_ends:{}", card.method_id);
        tell(desk, tx, &campaign, &order, &once, news)?;
        told += 1;
    }
    let more = told > 0 && i64::try_from(some.len()).unwrap_or(0) == AT_ONCE;
    Ok(Some(if more {
        tx.now + Duration::seconds(1)
    } else {
        tx.now + Duration::days(1)
    }))
}
