//! What a merchant writes to everybody who joined: kept, shown, and sent once to each (domain section 2, every shopper is
//! told; look.md, failures are shown). What was sent stays as it was; a correction stands under it.

use super::desk::{AT_ONCE, Concerns, Desk, Post, Problem, enqueue, happened, merchant, offer};
use super::letters::Letter;
use super::signs;
use crate::domain::draft::{FieldError, MAX_DESCRIPTION, MAX_TITLE};
use crate::domain::ids::{CorrectionId, MerchantId, OrderId, PostId};
use crate::domain::text::{clean_line, clean_text, markdown_to_html};
use crate::store::campaigns::CampaignRow;
use crate::store::posts::{CorrectionRow, PostRow};
use crate::store::{Conn, Tx, campaigns, jobs, posts};

/// Longest correction, in characters of Markdown.
pub const MAX_CORRECTION: usize = 5_000;

/// Something to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPost {
    /// Its title.
    pub title: String,
    /// What it says, as Markdown.
    pub body: String,
    /// Who of the staff writes it.
    pub by: String,
    /// What makes a second submit the same update.
    pub once: Option<String>,
}

/// How many shoppers would get an update now: each address that joined, is paid and was not cancelled, once.
///
/// # Errors
/// What the database says.
pub fn recipients(conn: &mut Conn, campaign: &CampaignRow) -> Result<i64, Problem> {
    Ok(posts::count_recipients(conn, campaign.id)?)
}

/// Checks what is written: title and text, without control characters.
///
/// # Errors
/// Each wrong field, with what to write instead.
pub fn check(title: &str, body: &str) -> Result<(String, String), Problem> {
    let mut errors = Vec::new();
    let title = clean_line(title, MAX_TITLE)
        .map_err(|why| errors.push(FieldError::new("title", why)))
        .unwrap_or_default();
    let body = clean_body(body, MAX_DESCRIPTION)
        .map_err(|why| errors.push(FieldError::new("body", why)))
        .unwrap_or_default();
    if errors.is_empty() {
        Ok((title, body))
    } else {
        Err(Problem::Invalid(errors))
    }
}

fn clean_body(body: &str, max: usize) -> Result<String, String> {
    let body = clean_text(body, max)?;
    if body.trim().is_empty() {
        return Err("write what shoppers should know".to_owned());
    }
    Ok(body)
}

/// Keeps an update, counts it as a sign of life, and asks for the letters. The same form again gives the same update.
///
/// # Errors
/// Wrong fields; a conflict where the campaign is a draft; that it is another merchant's.
pub fn write(
    tx: &mut Tx,
    merchant: MerchantId,
    slug: &str,
    new: &NewPost,
) -> Result<PostRow, Problem> {
    let campaign = campaigns_own(tx, merchant, slug)?;
    let (title, body) = check(&new.title, &new.body)?;
    if let Some(once) = &new.once
        && let Some(known) = posts::by_form(tx.conn, campaign.id, once)?
    {
        return Ok(known);
    }
    let now = tx.now.naive_utc();
    let row = PostRow {
        id: PostId::new(),
        merchant_id: merchant,
        campaign_id: campaign.id,
        title,
        body,
        written_by: new.by.clone(),
        posted_at: now,
        once: new.once.clone(),
        recipients: recipients(tx.conn, &campaign)?,
        told_at: None,
    };
    posts::insert(tx.conn, &row)?;
    happened(
        tx,
        Concerns::campaign(&campaign),
        &new.by,
        "posted",
        format!("Wrote to everybody who joined: {}", row.title),
    )?;
    signs::sign(tx, &campaign)?;
    enqueue(tx, jobs::POST_TOLD, &row.id.to_string(), now)?;
    Ok(row)
}

/// Puts a correction under an update: seen where the update is seen, and sent to nobody.
///
/// # Errors
/// A wrong field; that there is no such update.
pub fn correct(
    tx: &mut Tx,
    merchant: MerchantId,
    slug: &str,
    post: PostId,
    new: &NewPost,
) -> Result<PostRow, Problem> {
    let campaign = campaigns_own(tx, merchant, slug)?;
    let row = posts::by_id(tx.conn, post)?
        .filter(|row| row.campaign_id == campaign.id)
        .ok_or(Problem::NotFound("update"))?;
    let body = clean_body(&new.body, MAX_CORRECTION).map_err(|why| Problem::field("body", why))?;
    let correction = CorrectionRow {
        id: CorrectionId::new(),
        post_id: row.id,
        body,
        once: new.once.clone(),
        written_by: new.by.clone(),
        written_at: tx.now.naive_utc(),
    };
    if posts::correct(tx.conn, &correction)? {
        happened(
            tx,
            Concerns::campaign(&campaign),
            &new.by,
            "corrected",
            format!("Corrected the update \"{}\".", row.title),
        )?;
        signs::sign(tx, &campaign)?;
    }
    Ok(row)
}

/// The merchant's own campaign, locked; a draft has nobody to write to.
fn campaigns_own(tx: &mut Tx, merchant: MerchantId, slug: &str) -> Result<CampaignRow, Problem> {
    let campaign = super::campaigns::own(tx, merchant, slug)?;
    if campaign.state.is_public() {
        Ok(campaign)
    } else {
        Err(Problem::conflict(
            "wrong-state",
            "Nobody has seen this campaign yet. Publish it first.",
        ))
    }
}

/// Writes an update to some more shoppers, those after `after`; the last one looked at, while there are more. Each address
/// is written to once, however many orders it has and however often this is done.
///
/// # Errors
/// What the database says.
pub fn tell(
    desk: &Desk,
    tx: &mut Tx,
    id: PostId,
    after: Option<OrderId>,
) -> Result<Option<OrderId>, Problem> {
    let Some(row) = posts::by_id(tx.conn, id)?.filter(|row| row.told_at.is_none()) else {
        return Ok(None);
    };
    let campaign =
        campaigns::by_id(tx.conn, row.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    let merchant = merchant(tx, row.merchant_id)?;
    let draft = offer(&campaign)?;
    let some = posts::recipients(tx.conn, campaign.id, after, AT_ONCE)?;
    let html = for_mail(&row.body, desk.links.server());
    let letters = some
        .iter()
        .map(|order| Post {
            once: format!("post:{id}:{}", order.email),
            ..Post::to_shopper(
                &merchant,
                order,
                "post",
                Letter::Update {
                    about: desk.about(&merchant, &campaign, &draft, order),
                    title: row.title.clone(),
                    text: row.body.clone(),
                    html: html.clone(),
                },
            )
        })
        .collect();
    desk.post_many(tx, letters)?;
    let more = i64::try_from(some.len()).unwrap_or(0) == AT_ONCE;
    let last = some.last().filter(|_| more).map(|order| order.id);
    if last.is_none() {
        let now = tx.now.naive_utc();
        posts::set_told(tx.conn, id, now)?;
    }
    Ok(last)
}

/// An update's HTML as it stands in a mail: paths on this server with its name before them.
fn for_mail(markdown: &str, server: &str) -> String {
    markdown_to_html(markdown)
        .replace(" href=\"/", &format!(" href=\"{server}/"))
        .replace(" src=\"/", &format!(" src=\"{server}/"))
}
