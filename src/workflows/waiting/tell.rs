//! What those who wait are told.

use chrono::{DateTime, Utc};

use super::super::batches;
use super::super::desk::{
    AT_ONCE, Desk, Post, Problem, ends_at, merchant, offer as offer_of, takes_orders,
};
use super::super::join::{Accepted, price_anew};
use super::super::letters::{About, Letter, Waiting, WhyEnded};
use super::super::money::say;
use super::super::payment::frozen;
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::CampaignId;
use crate::domain::waiting::remind_at;
use crate::store::campaigns::CampaignRow;
use crate::store::merchants::MerchantRow;
use crate::store::orders::OrderRow;
use crate::store::{Tx, campaigns, orders, waiting};

/// What an order is over, such as `2 × Red`, in the quote's order.
///
/// # Errors
/// When the row is damaged.
pub(super) fn wants(order: &OrderRow) -> Result<Vec<String>, Problem> {
    let agreed = frozen(order)?;
    let lines = agreed.lines.iter().zip(&agreed.quote.lines);
    Ok(lines
        .map(|(line, priced)| format!("{} \u{d7} {}", priced.quantity, line.name))
        .collect())
}

/// Writes to those who were put on the list and not told yet; whether there may be more.
pub(super) fn listed(desk: &Desk, tx: &mut Tx, campaign: &CampaignRow) -> Result<bool, Problem> {
    let untold = waiting::untold(tx.conn, campaign.id, AT_ONCE)?;
    if untold.is_empty() {
        return Ok(false);
    }
    let common = Common::of(desk, tx, campaign)?;
    let ends = ends_at(campaign).and_utc();
    let (first, _) = &untold[0];
    let next = waiting::before(tx.conn, first)? + 1;
    let mut posts = Vec::with_capacity(untold.len());
    // Those who are not told yet are the last on the list, one after the other.
    for (place, (_, order)) in (next..).zip(&untold) {
        let news = Waiting::Listed {
            wants: wants(order)?,
            place,
            ends,
        };
        let letter = common.letter(order, news);
        posts.push(Post::to_shopper(&common.merchant, order, "waiting", letter));
    }
    desk.post_many(tx, posts)?;
    for (row, _) in &untold {
        let mut row = row.clone();
        row.told_at = Some(tx.now.naive_utc());
        waiting::save(tx.conn, &row)?;
    }
    Ok(i64::try_from(untold.len()).unwrap_or(0) == AT_ONCE)
}

/// Writes that units are kept for an order.
pub(super) fn offered(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &OrderRow,
    until: DateTime<Utc>,
    again: bool,
) -> Result<(), Problem> {
    // Where it cannot be reckoned any more the page says why.
    let total = price_anew(tx.conn, campaign, order, &Accepted::default(), tx.now)
        .ok()
        .map(|(frozen, _)| say(frozen.quote.total, &order.currency));
    let news = Waiting::Offered {
        wants: wants(order)?,
        total,
        until,
        again,
    };
    one(desk, tx, campaign, order, news)
}

/// Writes once more to those whose offer ends soon.
pub(super) fn remind(desk: &Desk, tx: &mut Tx, campaign: &CampaignRow) -> Result<(), Problem> {
    for mut row in waiting::offers(tx.conn, campaign.id)? {
        let (Some(offered_at), Some(ends)) = (row.offered_at, row.offer_ends) else {
            continue;
        };
        let due = remind_at(offered_at.and_utc(), ends.and_utc()).is_some_and(|at| at <= tx.now);
        if !due || row.reminded_at.is_some() {
            continue;
        }
        if let Some(order) = orders::by_id(tx.conn, row.order_id)? {
            offered(desk, tx, campaign, &order, ends.and_utc(), true)?;
        }
        row.reminded_at = Some(tx.now.naive_utc());
        waiting::save(tx.conn, &row)?;
    }
    Ok(())
}

/// Writes that an offer was not answered.
pub(super) fn lapsed(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &OrderRow,
) -> Result<(), Problem> {
    one(desk, tx, campaign, order, Waiting::Lapsed)
}

/// Tells some more of those who wait, those after the place `after`, that the deadline moved; the last place told, while
/// there are more. The campaign's other orders are told by [`super::super::campaigns::tell_everybody`].
///
/// # Errors
/// What the database says.
pub fn tell_extended(
    desk: &Desk,
    tx: &mut Tx,
    id: CampaignId,
    after: i64,
) -> Result<Option<i64>, Problem> {
    let campaign = campaigns::by_id(tx.conn, id)?.ok_or(Problem::NotFound("campaign"))?;
    if !takes_orders(&campaign, tx.now.naive_utc()) {
        return Ok(None);
    }
    let some = waiting::open(tx.conn, id, after, AT_ONCE)?;
    let Some(first) = some.first() else {
        return Ok(None);
    };
    let common = Common::of(desk, tx, &campaign)?;
    let mut next = waiting::before(tx.conn, first)? + 1;
    let mut told = Vec::with_capacity(some.len());
    for row in &some {
        let order = orders::by_id(tx.conn, row.order_id)?.ok_or(Problem::NotFound("order"))?;
        let place = row.offered_at.is_none().then_some(next);
        next += i64::from(place.is_some());
        let news = Waiting::Extended {
            place,
            ends: ends_at(&campaign).and_utc(),
            ships_by: common.draft.promised_ship_date,
            ships_by_before: frozen(&order)?
                .promised
                .filter(|before| *before != common.draft.promised_ship_date),
        };
        told.push((order, news));
    }
    let posts = told.iter().map(|(order, news)| {
        let letter = common.letter(order, news.clone());
        Post::to_shopper(&common.merchant, order, "extended", letter)
    });
    desk.post_many(tx, posts.collect())?;
    let more = i64::try_from(some.len()).unwrap_or(0) == AT_ONCE;
    Ok(some.last().filter(|_| more).map(|row| row.place))
}

/// Writes that the list has ended, and why: to each order with until when units were to be kept for it.
pub(super) fn list_ended(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    why: &WhyEnded,
    gone: &[(OrderRow, Option<DateTime<Utc>>)],
) -> Result<(), Problem> {
    let common = Common::of(desk, tx, campaign)?;
    let posts = gone.iter().map(|(order, kept_until)| {
        let news = Waiting::Ended {
            why: why.clone(),
            kept_until: *kept_until,
        };
        Post::to_shopper(
            &common.merchant,
            order,
            "waiting_ended",
            common.letter(order, news),
        )
    });
    desk.post_many(tx, posts.collect())?;
    Ok(())
}

fn one(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &OrderRow,
    news: Waiting,
) -> Result<(), Problem> {
    let common = Common::of(desk, tx, campaign)?;
    let once = news.kind();
    desk.tell_shopper(
        tx,
        &common.merchant,
        order,
        once,
        common.letter(order, news),
    )
}

/// What all letters to those who wait for a campaign have in common.
struct Common<'a> {
    desk: &'a Desk,
    campaign: &'a CampaignRow,
    merchant: MerchantRow,
    draft: CampaignDraft,
    /// With the batch that is waited for, where the campaign has several.
    title: String,
}

impl<'a> Common<'a> {
    fn of(desk: &'a Desk, tx: &mut Tx, campaign: &'a CampaignRow) -> Result<Self, Problem> {
        // Whoever accepts an offer joins the newest batch, whichever it was when the waiting began.
        let newest = campaigns::batch_of(tx.conn, campaign.id)?;
        let newest = newest.ok_or(Problem::NotFound("batch"))?;
        Ok(Self {
            merchant: merchant(tx, campaign.merchant_id)?,
            draft: offer_of(campaign)?,
            title: batches::title(tx.conn, campaign, newest.id)?,
            desk,
            campaign,
        })
    }

    fn letter(&self, order: &OrderRow, news: Waiting) -> Letter {
        let known = self
            .desk
            .about(&self.merchant, self.campaign, &self.draft, order);
        let about = About {
            campaign: self.title.clone(),
            ..known
        };
        Letter::Waiting { about, news }
    }
}
