//! The end of collecting: minimums and threshold are judged again on what was collected, at the step that was judged. Where
//! that is too little, the merchant has two days to buy what is missing (domain section 2).

use chrono::{DateTime, Duration, NaiveDateTime};

use super::super::desk::{
    AT_ONCE, Concerns, Desk, Post, Problem, enqueue, happened, lock_campaign, merchant, offer,
};
use super::super::judgement::{self, Again};
use super::super::letters::{CardNews, Letter};
use super::super::money;
use crate::domain::campaign::{BatchState, CampaignState, Failure};
use crate::domain::draft::CampaignDraft;
use crate::domain::due::SHORT_HOURS;
use crate::domain::ids::{BatchId, OrderId};
use crate::domain::order::OrderState;
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::orders::OrderRow;
use crate::store::{Tx, campaigns, dues, jobs, mails, orders};

/// What came of looking at a batch whose cards are charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// There is nothing to collect, or it is over.
    Done,
    /// Look again then.
    At(DateTime<chrono::Utc>),
}

/// What the shoppers of a batch are told of what could not be collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortfall {
    /// Too little came: the merchant has two days to buy the rest.
    Begun,
    /// It was made up: the batch goes on.
    MadeUp,
}

impl Shortfall {
    /// The subject of the work that tells it.
    fn subject(self, batch: BatchId) -> String {
        let what = match self {
            Shortfall::Begun => "begun",
            Shortfall::MadeUp => "made_up",
        };
        format!("{batch}:{what}")
    }

    /// The batch, and what is to be told; none where the subject names neither.
    pub fn of_subject(subject: &str) -> Option<(BatchId, Self)> {
        let (batch, what) = subject.split_once(':')?;
        let what = match what {
            "begun" => Shortfall::Begun,
            "made_up" => Shortfall::MadeUp,
            _ => return None,
        };
        Some((batch.parse().ok()?, what))
    }
}

/// Looks whether everything is collected, and judges again what was.
///
/// # Errors
/// What the database says.
pub fn look(desk: &Desk, tx: &mut Tx, id: BatchId) -> Result<Looked, Problem> {
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = lock_campaign(tx, batch.campaign_id)?;
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    let collecting = batch.state == BatchState::Collecting
        && batch.collecting_since.is_some()
        && batch.collected_at.is_none();
    // Settling asks for this again once each order has its price.
    if !collecting || batch.settled_at.is_none() {
        return Ok(Looked::Done);
    }
    let (open, _) = dues::open_in_batch(tx.conn, id)?;
    if open > 0 {
        // Each asks for this again when it is paid or given up.
        return Ok(Looked::Done);
    }
    // What is bought to fill the gap may still be paid.
    if campaign.open_payments > 0 && batch.short_until.is_some() {
        return Ok(Looked::At(tx.now + Duration::minutes(1)));
    }
    let now = tx.now.naive_utc();
    match judgement::judge_again(tx, &campaign, &batch)? {
        Again::Enough => {
            campaigns::set_collecting(tx.conn, id, batch.collecting_since, Some(now), None)?;
            if batch.short_until.is_some() {
                let subject = Shortfall::MadeUp.subject(id);
                enqueue(tx, jobs::SHORTFALL_TOLD, &subject, now)?;
            }
            enqueue(tx, jobs::CAMPAIGN, &campaign.id.to_string(), now)?;
            tx.touch(campaign.id);
            Ok(Looked::Done)
        }
        Again::Short { missing } => short(desk, tx, &campaign, &batch, &missing),
    }
}

fn short(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    missing: &str,
) -> Result<Looked, Problem> {
    let now = tx.now.naive_utc();
    let Some(until) = batch.short_until else {
        return begin_short(desk, tx, campaign, batch, missing);
    };
    if now < until {
        return Ok(Looked::At(until.and_utc()));
    }
    let note = format!(
        "{} after all cards were charged",
        judgement::was_missing(missing)
    );
    judgement::fail(desk, tx, campaign, batch, Failure::Shortfall, Some(&note))?;
    Ok(Looked::Done)
}

fn begin_short(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    missing: &str,
) -> Result<Looked, Problem> {
    let until = (tx.now + Duration::hours(SHORT_HOURS)).naive_utc();
    campaigns::set_collecting(tx.conn, batch.id, batch.collecting_since, None, Some(until))?;
    let detail = format!(
        "After all cards were charged, {}. Until {} the seller may buy that; then everybody gets the money back.",
        judgement::is_missing(missing),
        until.format("%-d %B %Y, %H:%M UTC")
    );
    let concerns = Concerns::campaign(campaign);
    happened(tx, concerns, "system", "short", detail.clone())?;
    desk.tell_staff(
        tx,
        concerns,
        &format!("short:{}", batch.id),
        &format!("{}: {}", campaign.title, judgement::is_missing(missing)),
        vec![
            detail,
            "Buy the missing units on the campaign's page, and the supplier's order goes out."
                .to_owned(),
        ],
        &format!("/admin/campaigns/{}", campaign.slug),
    )?;
    let now = tx.now.naive_utc();
    let subject = Shortfall::Begun.subject(batch.id);
    enqueue(tx, jobs::SHORTFALL_TOLD, &subject, now)?;
    tx.touch(campaign.id);
    Ok(Looked::At(until.and_utc()))
}

/// Tells some more shoppers of a batch that too little was collected, or that this was made up; the last one told, none
/// when all are.
///
/// # Errors
/// What the database says.
pub fn tell_shortfall(
    desk: &Desk,
    tx: &mut Tx,
    id: BatchId,
    told: Shortfall,
    after: Option<OrderId>,
) -> Result<Option<OrderId>, Problem> {
    match told {
        Shortfall::Begun => tell_short(desk, tx, id, after),
        Shortfall::MadeUp => tell_made_up(desk, tx, id, after),
    }
}

/// Tells some more of those who heard that too little was collected that it goes on.
fn tell_made_up(
    desk: &Desk,
    tx: &mut Tx,
    id: BatchId,
    after: Option<OrderId>,
) -> Result<Option<OrderId>, Problem> {
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    // Overtaken: it was cancelled, or its supplier's order could not be placed.
    if batch.state == BatchState::Failed {
        return Ok(None);
    }
    let campaign =
        campaigns::by_id(tx.conn, batch.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    let draft = offer(&campaign)?;
    let some = orders::of_batch(tx.conn, id, after, AT_ONCE)?;
    let ids: Vec<OrderId> = some.iter().map(|order| order.id).collect();
    let heard = mails::written_to(tx.conn, SHORT, &ids)?;
    write(desk, tx, (&campaign, &draft), MADE_UP, &some, |order| {
        // Who lost an option meanwhile has a letter of its own.
        let concerned = order.settled && order.state.is_paid() && heard.contains(&order.id);
        concerned.then_some(CardNews::MadeUp {
            ships_by: draft.promised_ship_date,
        })
    })
}

/// Tells some more shoppers of a batch that too little was collected.
fn tell_short(
    desk: &Desk,
    tx: &mut Tx,
    id: BatchId,
    after: Option<OrderId>,
) -> Result<Option<OrderId>, Problem> {
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    // Locked, so that nobody hears of it after it was made up.
    let campaign = lock_campaign(tx, batch.campaign_id)?;
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    let Some(until) = batch.short_until else {
        return Ok(None);
    };
    let draft = offer(&campaign)?;
    let missing = judgement::missing(tx, &campaign, &batch)?;
    let some = orders::of_batch(tx.conn, id, after, AT_ONCE)?;
    write(desk, tx, (&campaign, &draft), SHORT, &some, |order| {
        let concerned = order.state == OrderState::Confirmed && order.settled;
        concerned.then(|| CardNews::Short {
            missing: missing.clone(),
            until: until.and_utc(),
            back: money::nonzero_said(order.money().kept(), &order.currency),
        })
    })
}

/// The kind of letter that says that too little was collected, and what makes it unrepeatable.
const SHORT: &str = "short_collected";
/// The kind of letter that says that it was made up.
const MADE_UP: &str = "short_made_up";

/// Writes to those of these orders that the news concerns; gives the last of them all, none where there are none.
fn write(
    desk: &Desk,
    tx: &mut Tx,
    (campaign, draft): (&CampaignRow, &CampaignDraft),
    kind: &'static str,
    some: &[OrderRow],
    news: impl Fn(&OrderRow) -> Option<CardNews>,
) -> Result<Option<OrderId>, Problem> {
    let merchant = merchant(tx, campaign.merchant_id)?;
    let posts = some
        .iter()
        .filter_map(|order| {
            let letter = Letter::Card {
                news: news(order)?,
                about: desk.about(&merchant, campaign, draft, order),
            };
            Some(Post::to_shopper(&merchant, order, kind, letter))
        })
        .collect();
    desk.post_many(tx, posts)?;
    Ok(some.last().map(|order| order.id))
}

/// Whether the merchant may buy what is missing just now.
pub fn may_buy(campaign: &CampaignRow, batch: &BatchRow, now: NaiveDateTime) -> bool {
    campaign.state == CampaignState::Collecting
        && batch.collected_at.is_none()
        && batch.short_until.is_some_and(|until| now < until)
}

/// What the merchant bought to fill the gap is paid: it has its price already, and the batch is judged again.
///
/// # Errors
/// What the database says.
pub fn bought(tx: &mut Tx, order: &mut OrderRow) -> Result<(), Problem> {
    order.final_total = Some(order.total);
    order.settled = true;
    for line in orders::lines_of(tx.conn, order.id)? {
        orders::set_final_price(tx.conn, order.id, line.option_id, line.unit_price)?;
    }
    let now = tx.now.naive_utc();
    enqueue(tx, jobs::COLLECT, &order.batch_id.to_string(), now)
}
