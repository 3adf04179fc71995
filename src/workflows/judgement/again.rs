//! The second judgement, over what was collected from saved cards (domain section 2).

use super::super::desk::{Concerns, Problem, enqueue, happened, offer};
use super::super::money::say;
use super::{Paid, Why, WhyAgain, does_not_fit, drop_options};
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::OptionId;
use crate::domain::money::thousands;
use crate::domain::outcome::{self, Dropped, JudgeInput, Judgement};
use crate::domain::price::Threshold;
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::{Conn, Tx, campaigns, jobs, orders};

/// What came of judging again what was collected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Again {
    /// The threshold is met. Options that fell under their minimum were dropped, and are settled as work.
    Enough,
    /// It is not.
    Short {
        /// What is missing, such as `3 units`.
        missing: String,
    },
}

/// Judges again, at the step that was judged, what was collected from saved cards: option minimums first, then the
/// threshold (domain section 2). Nothing is dropped while it is too little.
///
/// # Errors
/// What the database says.
pub fn judge_again(
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
) -> Result<Again, Problem> {
    let draft = offer(campaign)?;
    let step = batch.step.unwrap_or(0);
    let judged = collected_at(tx.conn, campaign, batch, &draft)?;
    let why = keep(tx, campaign, batch, &judged, &draft)?;
    let success = match judged {
        Judgement::Missed {
            collected, target, ..
        } => {
            let missing = say_missing(target - collected, &draft);
            return Ok(Again::Short { missing });
        }
        Judgement::Success(success) => success,
    };
    let gone: Vec<Dropped> = success.why.iter().flat_map(|r| r.dropped.clone()).collect();
    if gone.is_empty() {
        return Ok(Again::Enough);
    }
    let now = tx.now.naive_utc();
    for option in &gone {
        for dropped in orders::holders_of(tx.conn, batch.id, option.option)? {
            orders::unsettle_one(tx.conn, dropped)?;
        }
    }
    drop_options(tx, campaign, batch, step, gone.iter())?;
    let mut said = "Judged again on what was collected.".to_owned();
    for option in why.not_made() {
        said.push_str(&format!(" Not made: {}.", option.said(&draft)));
    }
    happened(
        tx,
        Concerns::campaign(campaign),
        "system",
        "judged_again",
        said,
    )?;
    campaigns::set_settled(tx.conn, batch.id, None)?;
    enqueue(tx, jobs::SETTLE, &batch.id.to_string(), now)?;
    Ok(Again::Enough)
}

/// Keeps with the batch how it was judged again, beside how it was judged first, for the pages that explain the price.
fn keep(
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    judged: &Judgement<OptionId>,
    draft: &CampaignDraft,
) -> Result<Why, Problem> {
    let rows = campaigns::options_of(tx.conn, campaign.id)?;
    let why = Why::of(judged, draft, &rows);
    let Some(mut first) = Why::read(batch)? else {
        return Ok(why);
    };
    if first.again.as_ref().is_none_or(|known| known.why != why) {
        first.again = Some(Box::new(WhyAgain {
            at: tx.now.naive_utc(),
            enough: matches!(judged, Judgement::Success(_)),
            why: why.clone(),
        }));
        campaigns::set_why(tx.conn, batch.id, &serde_json::to_string(&first)?)?;
        tx.touch(campaign.id);
    }
    Ok(why)
}

/// What is missing after the cards were charged, such as `3 units`.
///
/// # Errors
/// What the database says.
pub fn missing(tx: &mut Tx, campaign: &CampaignRow, batch: &BatchRow) -> Result<String, Problem> {
    missing_now(tx.conn, campaign, batch)
}

/// As [`missing`], for pages.
///
/// # Errors
/// What the database says.
pub fn missing_now(
    conn: &mut Conn,
    campaign: &CampaignRow,
    batch: &BatchRow,
) -> Result<String, Problem> {
    let draft = offer(campaign)?;
    Ok(say_missing(count_missing(conn, campaign, batch)?, &draft))
}

/// As [`missing_now`], as a number: units, or minor units of goods value, whichever the threshold counts.
///
/// # Errors
/// What the database says.
pub fn count_missing(
    conn: &mut Conn,
    campaign: &CampaignRow,
    batch: &BatchRow,
) -> Result<i64, Problem> {
    let draft = offer(campaign)?;
    Ok(match collected_at(conn, campaign, batch, &draft)? {
        Judgement::Missed {
            collected, target, ..
        } => target - collected,
        Judgement::Success(_) => 0,
    })
}

/// As a sentence: `1 unit is missing`, `3 units are missing`, `$50.00 is missing`.
pub fn is_missing(missing: &str) -> String {
    let are = if missing.ends_with("units") {
        "are"
    } else {
        "is"
    };
    format!("{missing} {are} missing")
}

/// As a sentence about what is over: `1 unit was missing`, `3 units were missing`.
pub fn was_missing(missing: &str) -> String {
    let were = if missing.ends_with("units") {
        "were"
    } else {
        "was"
    };
    format!("{missing} {were} missing")
}

fn say_missing(missing: i64, draft: &CampaignDraft) -> String {
    match (draft.threshold, missing) {
        (Threshold::Units(_), 1) => "1 unit".to_owned(),
        (Threshold::Units(_), units) => {
            format!("{} units", thousands(u64::try_from(units).unwrap_or(0)))
        }
        (Threshold::Amount(_), amount) => say(amount, draft.currency.code()),
    }
}

fn collected_at(
    conn: &mut Conn,
    campaign: &CampaignRow,
    batch: &BatchRow,
    draft: &CampaignDraft,
) -> Result<Judgement<OptionId>, Problem> {
    let rows = campaigns::options_of(conn, campaign.id)?;
    let paid = Paid::of(
        &rows,
        draft,
        &orders::units_at_prices(conn, batch.id, true)?,
    );
    let input = JudgeInput {
        step: Some(usize::try_from(batch.step.unwrap_or(0)).unwrap_or(0)),
        ..paid.input(draft)
    };
    outcome::judge(&input).map_err(does_not_fit)
}
