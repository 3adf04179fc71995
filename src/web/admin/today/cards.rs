//! What waits because cards were declined: shoppers who can still pay, and units that are missing in the end.

use chrono::{DateTime, Utc};

use super::Thing;
use crate::domain::draft::PaymentMode;
use crate::domain::due::DueState;
use crate::store::campaigns::CampaignRow;
use crate::store::{Conn, campaigns, dues};
use crate::web::admin::collecting;
use crate::web::view::{Link, left};
use crate::workflows::desk::{Problem, offer};
use crate::workflows::money::say;

/// Declined cards, unpaid balances, and missing units of a campaign.
pub(super) fn of_campaign(
    conn: &mut Conn,
    campaign: &CampaignRow,
    now: DateTime<Utc>,
    things: &mut Vec<Thing>,
) -> Result<(), Problem> {
    let draft = offer(campaign)?;
    if draft.payment_mode == PaymentMode::ChargeNow {
        return Ok(());
    }
    let Some(batch) = campaigns::batch_of(conn, campaign.id)? else {
        return Ok(());
    };
    let href = format!("/admin/campaigns/{}", campaign.slug);
    if let Some(short) = collecting::read_short(conn, campaign, &draft, &batch, now.naive_utc())?
        && let Some(until) = batch.short_until
    {
        things.push(Thing {
            tone: "bad",
            icon: "alert",
            title: format!("{}: {}", campaign.title, short.title),
            text: short.lines.join(" "),
            when: left(now, until.and_utc()).unwrap_or_else(|| "over".to_owned()),
            deed: Link::new(
                short.href.unwrap_or_else(|| href.clone()),
                "Buy the missing units",
            ),
            urgency: 0,
        });
    }
    let sums = dues::sums(conn, batch.id)?;
    let declined = sums
        .iter()
        .find(|(state, count, _)| *state == DueState::Declined && *count > 0);
    if let Some((_, count, sum)) = declined {
        let sum = say(*sum, &campaign.currency);
        let title = match (draft.payment_mode, count) {
            (PaymentMode::Deposit, 1) => "1 order has not paid its rest".to_owned(),
            (PaymentMode::Deposit, n) => format!("{n} orders have not paid their rest"),
            (_, 1) => "1 card was declined".to_owned(),
            (_, n) => format!("{n} cards were declined"),
        };
        things.push(Thing {
            tone: "wait",
            icon: "coins",
            title: format!("{}: {title}", campaign.title),
            text: format!(
                "{sum} can still be paid. Their holders are written to on days 0, 2, 4 and 6; after 7 days the orders are cancelled."
            ),
            when: "goes on by itself".into(),
            deed: Link::new(format!("{href}#h-collecting"), "See which"),
            urgency: 5,
        });
    }
    Ok(())
}
