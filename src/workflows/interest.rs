//! The interest check (domain section 2): shoppers say what they would buy, how many and up to what price. Nothing is
//! charged. An address answers once in a campaign; its answer is changed or taken back by the signed link in its mail
//! alone, so that a stranger can neither overwrite it nor find out that it is there.

use std::collections::HashSet;

use chrono::{Duration, NaiveDateTime};

use super::desk::{
    AT_ONCE, Concerns, Desk, Post, Problem, lock_campaign, merchant, offer, takes_orders,
};
use super::letters::{Asked, Asking, Letter};
use super::money::say;
use crate::domain::campaign::{CampaignState, Failure};
use crate::domain::draft::{CampaignDraft, FieldError};
use crate::domain::ids::{CampaignId, InterestId};
use crate::domain::interest::{Demand, MOST_UNITS};
use crate::domain::money::Money;
use crate::domain::price::PriceTable;
use crate::store::campaigns::CampaignRow;
use crate::store::interest::{self, InterestLineRow, InterestRow};
use crate::store::merchants::MerchantRow;
use crate::store::{Conn, Tx, campaigns};

mod advice;

pub use advice::advice;

/// An address hears that it answered again at most so often.
const AGAIN_SECONDS: i64 = 24 * 3600;
/// Days after a campaign's end until it is forgotten who answered.
const KEPT_AFTER_END: i64 = 7;
/// Days after which it is forgotten in any case.
const KEPT_AT_MOST: i64 = 365;
/// How many are erased in one transaction.
const ERASED_AT_ONCE: i64 = 500;

/// One option that somebody would buy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WishLine {
    /// The option's code.
    pub sku: String,
    /// How many.
    pub quantity: i64,
    /// The most a unit may cost, in minor units of the campaign's currency.
    pub up_to: i64,
}

/// An answer that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAnswer {
    /// Who answers, trimmed and lower-cased.
    pub email: String,
    /// The name, where one was given.
    pub name: Option<String>,
    /// What would be bought; each option once.
    pub lines: Vec<WishLine>,
}

/// Everything that is wrong with the lines of an answer, at `lines[i].quantity` and the like.
pub fn wrong_lines(draft: &CampaignDraft, lines: &[WishLine]) -> Vec<FieldError> {
    let mut errors = Vec::new();
    if lines.is_empty() {
        errors.push(FieldError::new(
            "lines",
            "Choose at least one: write how many you would buy.",
        ));
    }
    let mut seen = HashSet::new();
    for (i, line) in lines.iter().enumerate() {
        let mut wrong = |part: &str, say: String| {
            errors.push(FieldError::new(format!("lines[{i}].{part}"), say));
        };
        let Some(option) = draft.options.iter().find(|o| o.sku == line.sku) else {
            wrong("sku", "There is no such option here.".to_owned());
            continue;
        };
        if !seen.insert(line.sku.as_str()) {
            wrong("sku", "Name each option once.".to_owned());
        }
        let limit = option.per_shopper.map_or(MOST_UNITS, i64::from);
        if line.quantity < 1 || line.quantity > MOST_UNITS {
            wrong(
                "quantity",
                format!("Write a whole number from 1 to {MOST_UNITS}."),
            );
        } else if line.quantity > limit {
            wrong(
                "quantity",
                format!("Each shopper may have {limit} at most."),
            );
        }
        let most = draft.currency.max_charge();
        if !(1..=most).contains(&line.up_to) {
            let most = Money::new(most, draft.currency).format();
            wrong(
                "up_to",
                format!("Write the most that one may cost: more than nought, {most} at most."),
            );
        }
    }
    errors
}

/// The campaign of this name, locked, where it asks who would buy.
fn asking(tx: &mut Tx, slug: &str) -> Result<CampaignRow, Problem> {
    let row = campaigns::by_slug(tx.conn, slug)?
        .filter(|row| row.state.is_public())
        .ok_or(Problem::NotFound("campaign"))?;
    let row = lock_campaign(tx, row.id)?;
    must_ask(&row, tx.now.naive_utc())?;
    Ok(row)
}

/// Whether answers are taken; else what to do instead.
///
/// # Errors
/// A conflict, `interest-closed`.
pub fn must_ask(row: &CampaignRow, now: NaiveDateTime) -> Result<(), Problem> {
    let say = match row.state {
        CampaignState::Interest if now < row.deadline => return Ok(()),
        CampaignState::Interest => {
            "Asking is over: its date has passed. A mail tells those who answered if it opens."
        }
        CampaignState::Open => "It is open by now: join instead of answering.",
        CampaignState::Draft | CampaignState::Scheduled => {
            "It does not ask who would buy: it opens soon."
        }
        _ => "It does not ask any more who would buy.",
    };
    Err(Problem::conflict("interest-closed", say))
}

/// Whether a campaign asked until its deadline and was not opened: it waits for its merchant.
pub fn is_over(row: &CampaignRow, now: NaiveDateTime) -> bool {
    row.state == CampaignState::Interest && now >= row.deadline
}

/// The deadline of a campaign that asks has passed: its merchant's people are told once, and again where they move it and
/// it passes again.
///
/// # Errors
/// What the database says.
pub fn ended(desk: &Desk, tx: &mut Tx, id: CampaignId) -> Result<(), Problem> {
    let row = lock_campaign(tx, id)?;
    if !is_over(&row, tx.now.naive_utc()) {
        return Ok(());
    }
    let zone = offer(&row)?.time_zone;
    let deadline = row.deadline.and_utc().with_timezone(&zone);
    tx.touch(id);
    desk.tell_staff(
        tx,
        Concerns::campaign(&row),
        &format!("asking_over:{id}:{}", row.deadline.and_utc().timestamp()),
        &format!("{}: asking is over", row.title),
        vec![
            format!(
                "It asked who would buy until {}, and was not opened. It takes no answers any more.",
                deadline.format("%-d %B %Y, %H:%M")
            ),
            "Set a later deadline, with the dates after it, and it asks on or can be opened. Or end it, and those who answered are told."
                .to_owned(),
        ],
        &format!("/admin/campaigns/{}", row.slug),
    )
}

/// Keeps an answer and writes to its address. An address that has answered already hears so by mail, and its answer
/// stays; whoever sends the form learns nothing of it. The very same answer again is nothing new.
///
/// # Errors
/// Wrong lines; a conflict where the campaign does not ask.
pub fn answer(desk: &Desk, tx: &mut Tx, slug: &str, new: &NewAnswer) -> Result<(), Problem> {
    let campaign = asking(tx, slug)?;
    let draft = offer(&campaign)?;
    let errors = wrong_lines(&draft, &new.lines);
    if !errors.is_empty() {
        return Err(Problem::Invalid(errors));
    }
    let merchant = merchant(tx, campaign.merchant_id)?;
    let now = tx.now.naive_utc();
    let row = InterestRow {
        id: InterestId::new(),
        merchant_id: merchant.id,
        campaign_id: campaign.id,
        email: Some(new.email.clone()),
        name: new.name.clone(),
        created_at: now,
        changed_at: now,
    };
    if interest::insert(tx.conn, &row, &rows_of(&row, &new.lines))? {
        let news = Asked::Answered {
            lines: said(&draft, &new.lines),
        };
        let scene = Scene {
            campaign: &campaign,
            merchant: &merchant,
            draft: &draft,
        };
        let once = format!("interest_answered:{}", row.id);
        return match scene.post(desk, &row, once, news) {
            Some(post) => desk.post(tx, post),
            None => Ok(()),
        };
    }
    let Some(known) = interest::by_email(tx.conn, campaign.id, &new.email)? else {
        return Err(Problem::Again("an answer was taken back in between".into()));
    };
    let lines = kept_lines(tx.conn, known.id)?;
    if is_same(&lines, &new.lines) {
        return Ok(());
    }
    let window = tx.now.timestamp().div_euclid(AGAIN_SECONDS);
    let scene = Scene {
        campaign: &campaign,
        merchant: &merchant,
        draft: &draft,
    };
    let news = Asked::Again {
        lines: said(&draft, &lines),
    };
    let once = format!("interest_again:{}:{window}", known.id);
    match scene.post(desk, &known, once, news) {
        Some(post) => desk.post(tx, post),
        None => Ok(()),
    }
}

/// Changes an answer, by its link. Once the campaign has opened what counts is an order.
///
/// # Errors
/// Wrong lines; a conflict where the campaign does not ask any more; that it was taken back.
pub fn change(
    tx: &mut Tx,
    id: InterestId,
    name: Option<&str>,
    lines: &[WishLine],
) -> Result<InterestRow, Problem> {
    let row = kept(tx.conn, id)?;
    let campaign = lock_campaign(tx, row.campaign_id)?;
    must_ask(&campaign, tx.now.naive_utc())?;
    let draft = offer(&campaign)?;
    let errors = wrong_lines(&draft, lines);
    if !errors.is_empty() {
        return Err(Problem::Invalid(errors));
    }
    let now = tx.now.naive_utc();
    interest::change(tx.conn, id, name, &rows_of(&row, lines), now)?;
    kept(tx.conn, id)
}

/// Takes an answer back, by its link: it is deleted with its address and the letters about it. Again: nothing.
///
/// # Errors
/// What the database says.
pub fn take_back(tx: &mut Tx, id: InterestId) -> Result<(), Problem> {
    if let Some(row) = interest::by_id(tx.conn, id)? {
        lock_campaign(tx, row.campaign_id)?;
        interest::delete(tx.conn, &row)?;
    }
    Ok(())
}

/// The answer with this id, where it is there and its address was not erased.
///
/// # Errors
/// [`Problem::NotFound`], or what the database says.
pub fn kept(conn: &mut Conn, id: InterestId) -> Result<InterestRow, Problem> {
    interest::by_id(conn, id)?
        .filter(|row| row.email.is_some())
        .ok_or(Problem::NotFound("answer"))
}

/// The lines of an answer.
///
/// # Errors
/// What the database says.
pub fn kept_lines(conn: &mut Conn, id: InterestId) -> Result<Vec<WishLine>, Problem> {
    let rows = interest::lines_of(conn, &[id])?;
    Ok(rows.into_iter().map(line_of).collect())
}

fn line_of(row: InterestLineRow) -> WishLine {
    WishLine {
        sku: row.sku,
        quantity: row.quantity,
        up_to: row.up_to,
    }
}

fn rows_of(row: &InterestRow, lines: &[WishLine]) -> Vec<InterestLineRow> {
    lines
        .iter()
        .map(|line| InterestLineRow {
            interest_id: row.id,
            campaign_id: row.campaign_id,
            sku: line.sku.clone(),
            quantity: line.quantity,
            up_to: line.up_to,
        })
        .collect()
}

fn is_same(kept: &[WishLine], new: &[WishLine]) -> bool {
    kept.len() == new.len() && kept.iter().all(|line| new.contains(line))
}

/// Each line as people read it: `2 × Full set, up to $90.00 each`. An option that is not offered any more goes by its
/// code.
pub fn said(draft: &CampaignDraft, lines: &[WishLine]) -> Vec<String> {
    lines
        .iter()
        .map(|line| {
            let option = draft.options.iter().find(|o| o.sku == line.sku);
            let name = option.map_or(line.sku.as_str(), |o| o.name.as_str());
            let up_to = Money::new(line.up_to, draft.currency).format();
            format!("{} \u{d7} {name}, up to {up_to} each", line.quantity)
        })
        .collect()
}

/// What is wanted of a campaign against what is planned.
///
/// # Errors
/// What the database says; goods worth more than can be counted.
pub fn demand(
    conn: &mut Conn,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
) -> Result<Demand, Problem> {
    let wanted = interest::wanted(conn, campaign.id)?;
    let offered: Vec<(&str, &PriceTable)> = draft
        .options
        .iter()
        .map(|option| (option.sku.as_str(), &option.prices))
        .collect();
    Demand::of(&wanted, &draft.steps, &offered, draft.threshold)
        .map_err(|e| Problem::Internal(format!("{}: {e}", campaign.slug)))
}

/// What those who answered are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// It takes orders.
    Opened,
    /// It was cancelled before it did.
    Cancelled,
}

impl Told {
    /// The word in the work's subject.
    pub fn as_str(self) -> &'static str {
        match self {
            Told::Opened => "opened",
            Told::Cancelled => "cancelled",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Told> {
        [Told::Opened, Told::Cancelled]
            .into_iter()
            .find(|told| told.as_str() == word)
    }

    /// Whether it is still so.
    fn holds(self, campaign: &CampaignRow, now: NaiveDateTime) -> bool {
        match self {
            Told::Opened => takes_orders(campaign, now),
            Told::Cancelled => {
                campaign.state == CampaignState::Failed
                    && campaign.failure == Some(Failure::Cancelled)
            }
        }
    }
}

/// Asks for the letters to everybody who answered.
///
/// # Errors
/// What the database says.
pub fn tell_all(tx: &mut Tx, campaign: &CampaignRow, told: Told) -> Result<(), Problem> {
    if interest::count(tx.conn, campaign.id)? == 0 {
        return Ok(());
    }
    let subject = format!("{}:{}", campaign.id, told.as_str());
    let now = tx.now.naive_utc();
    super::desk::enqueue(tx, crate::store::jobs::INTEREST_TOLD, &subject, now)
}

/// Writes to some more of those who answered, those after `after`; the last one looked at, while there are more. Each
/// is written to once, however often this is done.
///
/// # Errors
/// What the database says.
pub fn tell(
    desk: &Desk,
    tx: &mut Tx,
    id: CampaignId,
    told: Told,
    after: Option<InterestId>,
) -> Result<Option<InterestId>, Problem> {
    let campaign = campaigns::by_id(tx.conn, id)?.ok_or(Problem::NotFound("campaign"))?;
    if !told.holds(&campaign, tx.now.naive_utc()) {
        return Ok(None);
    }
    let merchant = merchant(tx, campaign.merchant_id)?;
    let draft = offer(&campaign)?;
    let scene = Scene {
        campaign: &campaign,
        merchant: &merchant,
        draft: &draft,
    };
    let some = interest::of_campaign(tx.conn, id, after, AT_ONCE)?;
    let ids: Vec<InterestId> = some.iter().map(|row| row.id).collect();
    let all = interest::lines_of(tx.conn, &ids)?;
    let mut letters = Vec::with_capacity(some.len());
    for row in &some {
        let mine = all.iter().filter(|line| line.interest_id == row.id);
        let lines: Vec<WishLine> = mine.cloned().map(line_of).collect();
        let news = scene.news(desk, row, told, &lines);
        let once = format!("interest_{}:{}", told.as_str(), row.id);
        letters.extend(scene.post(desk, row, once, news));
    }
    desk.post_many(tx, letters)?;
    let more = i64::try_from(some.len()).unwrap_or(0) == AT_ONCE;
    Ok(some.last().filter(|_| more).map(|row| row.id))
}

/// What a letter about an answer is made from.
struct Scene<'a> {
    campaign: &'a CampaignRow,
    merchant: &'a MerchantRow,
    draft: &'a CampaignDraft,
}

impl<'a> Scene<'a> {
    fn news(&self, desk: &Desk, row: &InterestRow, told: Told, lines: &[WishLine]) -> Asked {
        match told {
            Told::Opened => Asked::Opened {
                lines: said(self.draft, lines),
                join_url: desk
                    .links
                    .url(&format!("{}/join", desk.links.interest_path(row.id))),
                price: say(self.first_price(lines), &self.campaign.currency),
                deadline: self.draft.deadline,
                ships_by: self.draft.promised_ship_date,
            },
            Told::Cancelled => Asked::Cancelled {
                reason: self.campaign.failure_note.clone().unwrap_or_default(),
            },
        }
    }

    /// The first price of the option that was answered for, where it is still offered.
    fn first_price(&self, lines: &[WishLine]) -> i64 {
        let mut options = self.draft.options.iter();
        let wanted = |sku: &str| lines.iter().any(|line| line.sku == sku);
        let option = options.find(|o| wanted(&o.sku));
        let option = option.or(self.draft.options.first());
        option.map_or(0, |o| o.prices.price_at(0))
    }

    /// The letter; none where the address was erased.
    fn post<'p>(
        &self,
        desk: &Desk,
        row: &'p InterestRow,
        once: String,
        news: Asked,
    ) -> Option<Post<'p>>
    where
        'a: 'p,
    {
        Some(Post {
            once,
            to: row.email.as_deref()?,
            reply_to: Some(&self.merchant.email),
            concerns: Some(Concerns::campaign(self.campaign)),
            purchase_order: None,
            letter: Letter::Asked {
                about: Asking {
                    merchant: self.merchant.name.clone(),
                    merchant_address: self.merchant.address.clone(),
                    title: self.campaign.title.clone(),
                    url: desk.links.url(&format!("/c/{}", self.campaign.slug)),
                    time_zone: self.draft.time_zone.name().to_owned(),
                    name: row.name.clone(),
                    own_url: desk.links.url(&desk.links.interest_path(row.id)),
                },
                news,
            },
        })
    }
}

/// Erases who answered where that is not needed any more: a week after the campaign's end, a year after the answer.
/// What was wanted stays, as numbers. Whether there is more to erase.
///
/// # Errors
/// What the database says.
pub fn forget(tx: &mut Tx) -> Result<bool, Problem> {
    let now = tx.now.naive_utc();
    let ended = now - Duration::days(KEPT_AFTER_END);
    let changed = now - Duration::days(KEPT_AT_MOST);
    let gone = interest::erase(tx.conn, ended, changed, ERASED_AT_ONCE)?;
    Ok(i64::try_from(gone).unwrap_or(0) == ERASED_AT_ONCE)
}
