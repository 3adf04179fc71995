//! The one decision on a batch (domain sections 2 and 3). What it means for each of its orders is in `settle`, how it is
//! explained in `why`.

use std::collections::BTreeMap;

mod again;
mod next;
mod settle;
mod trigger;
mod why;

pub use again::{Again, count_missing, is_missing, judge_again, missing, missing_now, was_missing};
pub use next::next_step;
pub(super) use next::units_by_limit;
pub use settle::{settle, settle_paid_late};
pub use trigger::close_by_trigger;
pub use why::{NotMade, Why, WhyAgain, WhyRound};

use super::batches;
use super::desk::{Concerns, Desk, Problem, ends_at, enqueue, happened, lock_campaign, offer};
use super::money::say;
use super::payment::say_threshold;
use super::purchase;
use super::waiting;
use crate::domain::campaign::{BatchEvent, CampaignState, Failure};
use crate::domain::draft::{CampaignDraft, PaymentMode, Trigger};
use crate::domain::ids::{CampaignId, CancellationId, OptionId};
use crate::domain::money::thousands;
use crate::domain::outcome::{self, Dropped, JudgeInput, Judgement, PaidLine, Success};
use crate::domain::payment::RefundPurpose;
use crate::domain::price::{PriceError, PriceTable, Tally, Threshold, reached_by_limits, tally_at};
use crate::store::campaigns::{BatchRow, CampaignRow, Moved, OptionRow};

use crate::store::orders::{DroppedUnits, UnitsAtPrice};
use crate::store::stock::CancellationRow;
use crate::store::{Conn, Tx, campaigns, dues, jobs, orders, stock};

/// Prices by option.
///
/// # Errors
/// What the database says.
pub fn prices(
    conn: &mut Conn,
    campaign: CampaignId,
    draft: &CampaignDraft,
) -> Result<BTreeMap<OptionId, PriceTable>, Problem> {
    Ok(table(&campaigns::options_of(conn, campaign)?, draft))
}

fn table(rows: &[OptionRow], draft: &CampaignDraft) -> BTreeMap<OptionId, PriceTable> {
    rows.iter()
        .filter_map(|row| {
            let option = draft.options.iter().find(|o| o.sku == row.sku)?;
            Some((row.id, option.prices.clone()))
        })
        .collect()
}

/// What the units of the batch that a campaign's state speaks of come to, at the price of the step reached; once it is
/// judged, of the step judged, whoever leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Those of confirmed orders that the step takes in.
    pub committed: Tally,
    /// Those of them that are paid.
    pub collected: Tally,
}

/// What the units of the batch that a campaign's state speaks of come to.
///
/// # Errors
/// What the database says.
pub fn counted(
    conn: &mut Conn,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
) -> Result<Counted, Problem> {
    let batch = batches::shown_of(conn, campaign)?;
    let rows = batches::options_shown(conn, campaign, batch.as_ref())?;
    let judged = batch.filter(|batch| batch.judged_at.is_some());
    let judged = judged.and_then(|batch| usize::try_from(batch.step?).ok());
    let step = match judged {
        Some(step) => step.min(draft.steps.len() - 1),
        None => current_step(conn, campaign, draft)?,
    };
    let prices = table(&rows, draft);
    let at_step = |units: fn(&OptionRow) -> i64| {
        let units = rows.iter().map(|row| (row.id, units(row)));
        tally_at(&prices, step, units).map_err(does_not_fit)
    };
    Ok(Counted {
        collected: at_step(|row| row.collected)?,
        committed: match is_uncharged(campaign, draft) {
            true => tally_committed(conn, campaign, &rows, (&prices, step))?,
            false => at_step(|row| row.committed)?,
        },
    })
}

/// Whether cards are saved and not charged yet, or not all of them.
fn is_uncharged(campaign: &CampaignRow, draft: &CampaignDraft) -> bool {
    draft.payment_mode == PaymentMode::ChargeOnSuccess
        && matches!(
            campaign.state,
            CampaignState::Open | CampaignState::Collecting
        )
}

/// What is held against the threshold until further: of [`counted`] what is paid; where cards are saved and not charged
/// yet, what is committed.
///
/// # Errors
/// What the database says.
pub fn tally_shown(
    conn: &mut Conn,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
) -> Result<Tally, Problem> {
    let counted = counted(conn, campaign, draft)?;
    Ok(if is_uncharged(campaign, draft) {
        counted.committed
    } else {
        counted.collected
    })
}

/// What the committed units come to that a step takes in, from counters alone: those of orders that wait for a further step
/// are left out.
///
/// # Errors
/// What the database says.
fn tally_committed(
    conn: &mut Conn,
    campaign: &CampaignRow,
    rows: &[OptionRow],
    (prices, step): (&BTreeMap<OptionId, PriceTable>, usize),
) -> Result<Tally, Problem> {
    let beyond = |limit: i32| usize::try_from(limit).is_ok_and(|limit| limit > step);
    let mut waiting: BTreeMap<OptionId, i64> = BTreeMap::new();
    for (option, limit, units) in dues::limits_by_option(conn, campaign.id)? {
        if beyond(limit) {
            *waiting.entry(option).or_insert(0) += units;
        }
    }
    let units = rows.iter().map(|row| {
        let waits = waiting.get(&row.id).copied().unwrap_or(0);
        (row.id, row.committed - waits)
    });
    tally_at(prices, step, units).map_err(does_not_fit)
}

/// What a tally comes to in the threshold's own kind, as people read it.
pub fn say_counted(tally: &Tally, draft: &CampaignDraft) -> String {
    say_collected(tally.counted(draft.threshold), draft)
}

/// Units, or goods value, as people read them: whichever the threshold counts.
fn say_collected(counted: i64, draft: &CampaignDraft) -> String {
    match draft.threshold {
        Threshold::Units(_) => thousands(u64::try_from(counted).unwrap_or(0)),
        Threshold::Amount(_) => say(counted, draft.currency.code()),
    }
}

/// What a judgement looks at: the paid units, and the prices and minimums of their options.
struct Paid {
    prices: BTreeMap<OptionId, PriceTable>,
    minimums: BTreeMap<OptionId, i64>,
    lines: Vec<PaidLine<OptionId>>,
}

impl Paid {
    fn of(rows: &[OptionRow], draft: &CampaignDraft, units: &[UnitsAtPrice]) -> Self {
        let minimum = |row: &OptionRow| {
            let option = draft.options.iter().find(|o| o.sku == row.sku)?;
            Some((row.id, i64::from(option.minimum?)))
        };
        let line = |paid: &UnitsAtPrice| PaidLine {
            key: paid.option,
            option: paid.option,
            quantity: paid.units,
            shown: paid.shown,
            limit: usize::try_from(paid.limit).unwrap_or(0),
        };
        Self {
            prices: table(rows, draft),
            minimums: rows.iter().filter_map(minimum).collect(),
            lines: units.iter().map(line).collect(),
        }
    }

    /// What the campaign's counters say is paid now; where cards are saved, what is committed.
    fn now(
        conn: &mut Conn,
        campaign: &CampaignRow,
        draft: &CampaignDraft,
    ) -> Result<Self, Problem> {
        let rows = campaigns::options_of(conn, campaign.id)?;
        if draft.payment_mode == PaymentMode::ChargeOnSuccess {
            let units = match campaigns::batch_of(conn, campaign.id)? {
                Some(batch) => orders::units_at_prices(conn, batch.id, false)?,
                None => Vec::new(),
            };
            return Ok(Self::of(&rows, draft, &units));
        }
        let units: Vec<UnitsAtPrice> = rows
            .iter()
            .filter(|row| row.collected > 0)
            .map(|row| UnitsAtPrice {
                limit: 0,
                option: row.id,
                // What was shown decides nothing; this way nothing is borne by the merchant.
                shown: i64::MAX,
                units: row.collected,
            })
            .collect();
        Ok(Self::of(&rows, draft, &units))
    }

    fn input<'a>(&'a self, draft: &'a CampaignDraft) -> JudgeInput<'a, OptionId> {
        JudgeInput {
            steps: &draft.steps,
            threshold: draft.threshold,
            prices: &self.prices,
            minimums: &self.minimums,
            step: None,
            lines: &self.lines,
        }
    }
}

fn does_not_fit(e: PriceError) -> Problem {
    Problem::Internal(e.to_string())
}

/// What would come of it if the paid orders of a campaign were judged now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// Whether it would go ahead, options under their minimum left out.
    pub succeeds: bool,
    /// How it would come about.
    pub why: Why,
}

/// What would come of it if a campaign's paid orders were judged now.
///
/// # Errors
/// What the database says.
pub fn outlook(
    conn: &mut Conn,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
) -> Result<Outlook, Problem> {
    let paid = Paid::now(conn, campaign, draft)?;
    let judged = outcome::judge(&paid.input(draft)).map_err(does_not_fit)?;
    let rows = campaigns::options_of(conn, campaign.id)?;
    Ok(Outlook {
        succeeds: matches!(judged, Judgement::Success(_)),
        why: Why::of(&judged, draft, &rows),
    })
}

/// The index of the furthest step that a campaign's committed orders reach, limits respected (domain section 3).
///
/// # Errors
/// What the database says.
pub fn current_step(
    conn: &mut Conn,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
) -> Result<usize, Problem> {
    step_after(conn, campaign, draft, 0)
}

/// As [`current_step`], where so many units were counted since the row was read.
///
/// # Errors
/// What the database says.
pub fn step_after(
    conn: &mut Conn,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
    units: i64,
) -> Result<usize, Problem> {
    if draft.payment_mode != PaymentMode::ChargeOnSuccess {
        return Ok(draft.steps.reached(campaign.committed_units + units));
    }
    let by_limit = units_by_limit(conn, campaign, draft)?;
    Ok(reached_by_limits(&draft.steps, &by_limit))
}

/// Units left a campaign, or its offer changed: what may follow from it is looked at. A purchase order that waits may fit
/// now, or has nothing left to buy; with the trigger `at_threshold` an option that nobody wants any more is under no
/// minimum.
///
/// # Errors
/// What the database says.
pub fn look_again(tx: &mut Tx, campaign: &CampaignRow) -> Result<(), Problem> {
    let asks = match campaign.state {
        CampaignState::Collecting => true,
        CampaignState::Open => offer(campaign)?.trigger == Trigger::AtThreshold,
        CampaignState::Draft
        | CampaignState::Interest
        | CampaignState::Scheduled
        | CampaignState::Ordered
        | CampaignState::Fulfilling
        | CampaignState::Completed
        | CampaignState::Failed => false,
    };
    if asks {
        let now = tx.now.naive_utc();
        enqueue(tx, jobs::CAMPAIGN, &campaign.id.to_string(), now)?;
    }
    Ok(())
}

/// What came of asking for the judgement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judged {
    /// Joining has not ended yet.
    TooEarly,
    /// Payment pages may still be paid: they are waited for.
    Waiting,
    /// It was decided, now or before.
    Decided,
}

/// Judges the campaign's batch that gathers, once, after joining has ended and every order held before it is settled.
/// Outcome, units, options that are not produced and draft purchase order are committed in the caller's transaction. With
/// further batches the one that is whole is judged at once, and joining goes on.
///
/// # Errors
/// What the database says.
pub fn judge(desk: &Desk, tx: &mut Tx, id: CampaignId) -> Result<Judged, Problem> {
    let campaign = lock_campaign(tx, id)?;
    let now = tx.now.naive_utc();
    if campaign.state != CampaignState::Open {
        return Ok(Judged::Decided);
    }
    let draft = offer(&campaign)?;
    if now < ends_at(&campaign) && !close_by_trigger(desk, tx, &campaign, &draft)? {
        return Ok(Judged::TooEarly);
    }
    waiting::freed(tx, id)?;
    if campaign.open_payments > 0 {
        let pages = campaign.open_payments;
        let why = format!(
            "{pages} payment {} may still be paid; the provider is asked about {}.",
            if pages == 1 { "page" } else { "pages" },
            if pages == 1 { "it" } else { "each" },
        );
        if campaign.waiting_for.as_deref() != Some(&why) {
            campaigns::set_waiting(tx.conn, id, Some(&why))?;
            tx.touch(id);
        }
        return Ok(Judged::Waiting);
    }
    let batch = gathering(tx, &campaign)?;
    decide(desk, tx, &campaign, &batch, &draft)?;
    Ok(Judged::Decided)
}

/// The batch of a campaign that gathers.
fn gathering(tx: &mut Tx, campaign: &CampaignRow) -> Result<BatchRow, Problem> {
    campaigns::batch_of(tx.conn, campaign.id)?
        .ok_or_else(|| Problem::Internal(format!("campaign {} has no batch", campaign.id)))
}

/// Judges a batch of which `campaign` still has the counts.
fn decide(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    draft: &CampaignDraft,
) -> Result<(), Problem> {
    let rows = campaigns::options_of(tx.conn, campaign.id)?;
    let units = orders::units_at_prices(tx.conn, batch.id, false)?;
    let paid = Paid::of(&rows, draft, &units);
    let judged = outcome::judge(&paid.input(draft)).map_err(does_not_fit)?;
    let why = Why::of(&judged, draft, &rows);
    let now = tx.now.naive_utc();
    let step = i32::try_from(why.step()).unwrap_or(i32::MAX);
    let kept = serde_json::to_string(&why)?;
    let counted = (why.units(), campaign.collected_orders);
    campaigns::set_judged(tx.conn, batch.id, step, counted, &kept, now)?;
    match judged {
        Judgement::Success(success) => succeed(tx, campaign, batch, draft, &success, &why),
        Judgement::Missed { collected, .. } => {
            let said = say_collected(collected, draft);
            let short = format!("{said} of {}", say_threshold(draft));
            fail(desk, tx, campaign, batch, Failure::Missed, Some(&short))
        }
    }
}

fn succeed(
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    draft: &CampaignDraft,
    success: &Success<OptionId>,
    why: &Why,
) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    batches::advance(tx, batch, BatchEvent::Succeeded)?;
    let gone = success.why.iter().flat_map(|round| &round.dropped);
    let step = i32::try_from(success.step).unwrap_or(i32::MAX);
    drop_options(tx, campaign, batch, step, gone)?;
    let mut wanted: BTreeMap<OptionId, i64> = BTreeMap::new();
    for line in &success.lines {
        *wanted.entry(line.option).or_insert(0) += line.quantity;
    }
    let wanted: Vec<(OptionId, i64)> = wanted.into_iter().collect();
    purchase::draft(tx, campaign, batch, draft, &wanted)?;
    let saved = draft.payment_mode == PaymentMode::ChargeOnSuccess;
    if saved {
        campaigns::set_collecting(tx.conn, batch.id, Some(now), None, None)?;
    }
    let mut said = format!(
        "{}The threshold of {} is {}: {} units at the price from {}.",
        batches::said(tx.conn, batch)?,
        say_threshold(draft),
        if saved {
            "reached, and the cards are charged"
        } else {
            "paid"
        },
        success.units,
        draft.steps.counts()[success.step]
    );
    for option in why.not_made() {
        said.push_str(&format!(" Not made: {}.", option.said(draft)));
    }
    happened(tx, Concerns::campaign(campaign), "system", "judged", said)?;
    tx.touch(campaign.id);
    enqueue(tx, jobs::CAMPAIGN, &campaign.id.to_string(), now)?;
    enqueue(tx, jobs::SETTLE, &batch.id.to_string(), now)
}

/// Options that are not produced: from now on no unit of them counts anywhere. Their price goes back when the orders are
/// settled.
fn drop_options<'a>(
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    step: i32,
    gone: impl Iterator<Item = &'a Dropped>,
) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    let counted = batches::is_counted(tx.conn, campaign.id, batch.id)?;
    let (mut all, mut paid) = (0, 0);
    let mut limits: BTreeMap<(OptionId, i32), i64> = BTreeMap::new();
    for option in gone {
        let wanted = orders::drop_lines(tx.conn, batch.id, option.option, step)?;
        let units: i64 = wanted.iter().map(|gone| gone.units).sum();
        let collected = wanted.iter().filter(|gone| gone.collected);
        let collected: i64 = collected.map(|gone| gone.units).sum();
        if counted {
            campaigns::count_option(tx.conn, option.option, -units, -units, -collected)?;
            all += units;
            paid += collected;
        } else {
            campaigns::count_option(tx.conn, option.option, -units, 0, 0)?;
        }
        // What the merchant bought itself waits for no step.
        let of_cards = |gone: &&DroppedUnits| gone.mode == PaymentMode::ChargeOnSuccess;
        for gone in wanted.iter().filter(of_cards) {
            *limits.entry((option.option, gone.limit)).or_insert(0) += gone.units;
        }
        let rows: Vec<CancellationRow> = wanted
            .into_iter()
            .map(|gone| CancellationRow {
                id: CancellationId::new(),
                order_id: gone.order,
                option_id: option.option,
                units: gone.units,
                purpose: RefundPurpose::OptionDropped,
                at: now,
            })
            .collect();
        for some in rows.chunks(LOGGED_AT_ONCE) {
            stock::log_cancellations(tx.conn, some)?;
        }
    }
    if all > 0 {
        let moved = Moved {
            committed: -all,
            collected: -paid,
            ..Moved::default()
        };
        campaigns::count(tx.conn, campaign.id, moved, now)?;
    }
    for (limit, units) in limits {
        dues::count_limit(tx.conn, campaign.id, limit, -units)?;
    }
    Ok(())
}

/// How many cancelled lines are written in one statement.
const LOGGED_AT_ONCE: usize = 400;

/// Ends a batch with everybody's money going back; with the last of its batches the campaign fails too. What it means for
/// each order follows as work.
///
/// # Errors
/// A conflict where the batch's state does not allow it; what the database says.
pub fn fail(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    failure: Failure,
    note: Option<&str>,
) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    batches::fail(tx, batch, failure, note)?;
    campaigns::set_settled(tx.conn, batch.id, None)?;
    campaigns::set_blocked(tx.conn, batch.id, None, None, 0)?;
    orders::unsettle(tx.conn, batch.id)?;
    purchase::cancel_all(desk, tx, batch.id)?;
    enqueue(tx, jobs::SETTLE, &batch.id.to_string(), now)?;
    let now_failed = campaigns::batch(tx.conn, batch.id)?.is_some_and(|batch| batch.is_empty());
    let said = match failure {
        Failure::Missed if now_failed => "Nobody joined it any more; the others go on.",
        Failure::Missed => "The threshold was missed. Everybody gets the money back.",
        Failure::Cancelled => "The campaign was cancelled. Everybody gets the money back.",
        Failure::Shortfall => "Too little was left to order. Everybody gets the money back.",
        Failure::Supplier => {
            "The supplier's order could not be placed. Everybody gets the money back."
        }
        Failure::StopLoss => "The last day has passed. What was not shipped is refunded.",
    };
    let said = format!("{}{said}", batches::said(tx.conn, batch)?);
    happened(tx, Concerns::campaign(campaign), "system", "failed", said)?;
    tx.touch(campaign.id);
    waiting::freed(tx, campaign.id)
}
