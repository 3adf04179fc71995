//! Votes for what to run next: staff write ideas, shoppers vote with an address once for each, and a vote counts once
//! its mailed link was used. Whoever wants to is told when a campaign comes of it.

use std::collections::HashMap;

use chrono::Duration;

use super::desk::{AT_ONCE, Concerns, Desk, Post, Problem, enqueue, merchant, offer};
use super::letters::{Asked, Asking, Letter};
use crate::domain::campaign::CampaignState;
use crate::domain::draft::{FieldError, MAX_TITLE};
use crate::domain::ids::{CampaignId, IdeaId, MerchantId, VoteId};
use crate::domain::interest::IdeaState;
use crate::domain::text::{clean_line, clean_text};
use crate::store::ideas::{self, IdeaRow, VoteRow};
use crate::store::merchants::MerchantRow;
use crate::store::{Conn, Tx, campaigns, jobs};

/// Longest text of an idea, in characters of Markdown.
pub const MAX_BODY: usize = 2_000;
/// Most ideas of one merchant.
pub const MOST: i64 = 200;
/// An address hears of its vote at most so often.
const AGAIN_SECONDS: i64 = 24 * 3600;
/// Days in which a vote is to be confirmed.
const CONFIRMED_WITHIN: i64 = 7;
/// Days after an idea's end, or the campaign that came of it, until it is forgotten who voted.
const KEPT_AFTER_END: i64 = 30;
/// Days after which it is forgotten in any case.
const KEPT_AT_MOST: i64 = 365;
/// How many are erased in one transaction.
const ERASED_AT_ONCE: i64 = 500;

/// States in which the public sees an idea.
pub const SHOWN: [IdeaState; 3] = [IdeaState::Open, IdeaState::Running, IdeaState::Ended];

/// What is written of an idea.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// What it is, in a few words.
    pub title: String,
    /// What it would be, as Markdown.
    pub body: String,
}

fn check(written: &Written) -> Result<Written, Problem> {
    let mut errors = Vec::new();
    let mut keep = |field: &str, text: Result<String, String>| {
        text.map_err(|why| errors.push(FieldError::new(field, why)))
            .unwrap_or_default()
    };
    let title = keep("title", clean_line(&written.title, MAX_TITLE));
    let body = keep("body", clean_text(&written.body, MAX_BODY));
    if errors.is_empty() {
        Ok(Written { title, body })
    } else {
        Err(Problem::Invalid(errors))
    }
}

/// Keeps a new idea; it is shown and voted for at once.
///
/// # Errors
/// Wrong fields; a conflict where there are too many.
pub fn add(tx: &mut Tx, merchant: MerchantId, written: &Written) -> Result<IdeaRow, Problem> {
    if ideas::count(tx.conn, merchant)? >= MOST {
        let say = format!("There are {MOST} ideas already. Change one that has ended.");
        return Err(Problem::conflict("too-many-ideas", say));
    }
    let Written { title, body } = check(written)?;
    let now = tx.now.naive_utc();
    let row = IdeaRow {
        id: IdeaId::new(),
        merchant_id: merchant,
        title,
        body,
        state: IdeaState::Open,
        campaign_id: None,
        votes: 0,
        created_at: now,
        changed_at: now,
    };
    ideas::insert(tx.conn, &row)?;
    Ok(row)
}

/// The merchant's own idea.
///
/// # Errors
/// That there is none, or it is another's.
pub fn own_idea(conn: &mut Conn, merchant: MerchantId, id: IdeaId) -> Result<IdeaRow, Problem> {
    ideas::by_id(conn, id)?
        .filter(|row| row.merchant_id == merchant)
        .ok_or(Problem::NotFound("idea"))
}

/// The merchant's own idea, locked.
fn own(tx: &mut Tx, merchant: MerchantId, id: IdeaId) -> Result<IdeaRow, Problem> {
    ideas::lock(tx.conn, id)?
        .filter(|row| row.merchant_id == merchant)
        .ok_or(Problem::NotFound("idea"))
}

/// Changes an idea's words.
///
/// # Errors
/// Wrong fields; that there is no such idea.
pub fn edit(
    tx: &mut Tx,
    merchant: MerchantId,
    id: IdeaId,
    written: &Written,
) -> Result<IdeaRow, Problem> {
    let Written { title, body } = check(written)?;
    let mut row = own(tx, merchant, id)?;
    (row.title, row.body) = (title, body);
    row.changed_at = tx.now.naive_utc();
    ideas::save(tx.conn, &row)?;
    Ok(row)
}

/// Opens, hides or ends an idea.
///
/// # Errors
/// A conflict where a campaign runs of it; that there is no such idea.
pub fn set_state(
    tx: &mut Tx,
    merchant: MerchantId,
    id: IdeaId,
    to: IdeaState,
) -> Result<IdeaRow, Problem> {
    let mut row = own(tx, merchant, id)?;
    // Hidden or not, what a campaign came of takes no votes again.
    let came = came(tx.conn, &row)?;
    let allowed = match to {
        IdeaState::Running => false,
        IdeaState::Hidden => true,
        IdeaState::Open | IdeaState::Ended => !came,
    };
    if !allowed {
        return Err(Problem::conflict(
            "wrong-state",
            "A campaign came of this idea. It can be hidden, no more.",
        ));
    }
    row.state = to;
    row.changed_at = tx.now.naive_utc();
    ideas::save(tx.conn, &row)?;
    Ok(row)
}

/// The campaign that was made of an idea, a draft or more.
fn made_of(conn: &mut Conn, row: &IdeaRow) -> Result<Option<campaigns::CampaignRow>, Problem> {
    Ok(match row.campaign_id {
        Some(id) => campaigns::by_id(conn, id)?,
        None => None,
    })
}

/// Whether a campaign came of an idea: it runs, or did, and the voters were told.
///
/// # Errors
/// What the database says.
pub fn came(conn: &mut Conn, row: &IdeaRow) -> Result<bool, Problem> {
    let made = made_of(conn, row)?;
    Ok(row.state == IdeaState::Running || made.is_some_and(|c| c.published_at.is_some()))
}

/// Says whether a draft can be made of an idea now, so that its voters are told when it is published.
///
/// # Errors
/// A conflict while the campaign that was made of it before lives, so that publishing that one still tells the voters, or
/// where they were told already; that there is no such idea.
pub fn can_be_made(tx: &mut Tx, merchant: MerchantId, id: IdeaId) -> Result<(), Problem> {
    let row = own(tx, merchant, id)?;
    lives_already(tx.conn, &row)?;
    if came(tx.conn, &row)? {
        return Err(Problem::conflict(
            "wrong-state",
            "A campaign came of this idea, and its voters were told.",
        ));
    }
    Ok(())
}

fn lives_already(conn: &mut Conn, row: &IdeaRow) -> Result<(), Problem> {
    let over = |state| matches!(state, CampaignState::Failed | CampaignState::Completed);
    match made_of(conn, row)?.filter(|first| !over(first.state)) {
        None => Ok(()),
        Some(first) => Err(Problem::conflict(
            "idea-in-use",
            format!(
                "A campaign was made of this idea already: {}. Go on with that one.",
                first.title
            ),
        )),
    }
}

/// Notes which draft was made of an idea; its voters are told when that is published. A campaign of which they were told
/// and that has ended stays the idea's.
///
/// # Errors
/// A conflict while the campaign that was made of it before lives, so that publishing that one still tells the voters, or
/// where this one is no draft any more; that there is no such idea.
pub fn made(
    tx: &mut Tx,
    merchant: MerchantId,
    id: IdeaId,
    campaign: CampaignId,
) -> Result<(), Problem> {
    let mut row = own(tx, merchant, id)?;
    lives_already(tx.conn, &row)?;
    let new = campaigns::by_id(tx.conn, campaign)?.ok_or(Problem::NotFound("campaign"))?;
    if new.state != CampaignState::Draft {
        return Err(Problem::conflict(
            "already-published",
            "This campaign is published already: voters are told when a draft is published.",
        ));
    }
    // When it is published the voters of one idea are told.
    if let Some(other) = ideas::of_campaign(tx.conn, campaign)?
        && other.id != row.id
    {
        return Err(Problem::conflict(
            "idea-in-use",
            format!(
                "This draft was made of another idea already: {}.",
                other.title
            ),
        ));
    }
    if !came(tx.conn, &row)? {
        row.campaign_id = Some(campaign);
        row.changed_at = tx.now.naive_utc();
        ideas::save(tx.conn, &row)?;
    }
    Ok(())
}

/// Slug and title of the campaigns that were made of some ideas, drafts too: for their merchant.
///
/// # Errors
/// What the database says.
pub fn made_of_all(
    conn: &mut Conn,
    all: &[IdeaRow],
) -> Result<HashMap<IdeaId, (String, String)>, Problem> {
    let mut found = HashMap::new();
    for row in all {
        if let Some(campaign) = made_of(conn, row)? {
            found.insert(row.id, (campaign.slug, campaign.title));
        }
    }
    Ok(found)
}

/// Slug and title of the public campaigns that came of some ideas.
///
/// # Errors
/// What the database says.
pub fn campaigns_of(
    conn: &mut Conn,
    all: &[IdeaRow],
) -> Result<HashMap<IdeaId, (String, String)>, Problem> {
    let mut found = HashMap::new();
    for row in all.iter().filter(|row| row.state == IdeaState::Running) {
        let Some(id) = row.campaign_id else { continue };
        let campaign = campaigns::by_id(conn, id)?.filter(|c| c.state.is_public());
        if let Some(campaign) = campaign {
            found.insert(row.id, (campaign.slug, campaign.title));
        }
    }
    Ok(found)
}

/// A campaign was published: if it was made of an idea, the idea runs, and its voters are told.
///
/// # Errors
/// What the database says.
pub fn came_of_it(tx: &mut Tx, campaign: CampaignId) -> Result<(), Problem> {
    let Some(row) = ideas::of_campaign(tx.conn, campaign)? else {
        return Ok(());
    };
    let Some(mut row) = ideas::lock(tx.conn, row.id)? else {
        return Ok(());
    };
    let now = tx.now.naive_utc();
    row.state = IdeaState::Running;
    row.changed_at = now;
    ideas::save(tx.conn, &row)?;
    enqueue(tx, jobs::IDEA_TOLD, &row.id.to_string(), now)
}

/// Casts a vote: a letter asks to confirm it. An address that has voted already hears so by mail, and whoever sends the
/// form learns nothing of it.
///
/// # Errors
/// A conflict where the idea is not voted for; that there is no such idea.
pub fn vote(
    desk: &Desk,
    tx: &mut Tx,
    merchant_id: MerchantId,
    id: IdeaId,
    email: &str,
    tells: bool,
) -> Result<(), Problem> {
    let idea = own(tx, merchant_id, id)?;
    match idea.state {
        IdeaState::Open => {}
        IdeaState::Hidden => return Err(Problem::NotFound("idea")),
        IdeaState::Ended | IdeaState::Running => {
            return Err(Problem::conflict(
                "votes-closed",
                "This idea takes no votes any more.",
            ));
        }
    }
    let merchant = merchant(tx, merchant_id)?;
    let new = VoteRow {
        id: VoteId::new(),
        idea_id: id,
        email: Some(email.to_owned()),
        tells,
        created_at: tx.now.naive_utc(),
        confirmed_at: None,
    };
    let row = if ideas::insert_vote(tx.conn, &new)? {
        new
    } else {
        ideas::vote_of(tx.conn, id, email)?
            .ok_or_else(|| Problem::Again("a vote was taken back in between".into()))?
    };
    let counts = row.confirmed_at.is_some();
    let window = tx.now.timestamp().div_euclid(AGAIN_SECONDS);
    let once = format!("vote:{}:{counts}:{window}", row.id);
    match letter(desk, &merchant, &idea, &row, once, Asked::Vote { counts }) {
        Some(post) => desk.post(tx, post),
        None => Ok(()),
    }
}

/// The vote behind a link, with its idea.
///
/// # Errors
/// [`Problem::NotFound`], or what the database says.
pub fn kept(conn: &mut Conn, id: VoteId) -> Result<(VoteRow, IdeaRow), Problem> {
    let vote = ideas::vote(conn, id)?
        .filter(|row| row.email.is_some())
        .ok_or(Problem::NotFound("vote"))?;
    let idea = ideas::by_id(conn, vote.idea_id)?.ok_or(Problem::NotFound("idea"))?;
    Ok((vote, idea))
}

/// Makes a vote count, by its link, and keeps whether its voter wants to be told. Once is enough.
///
/// # Errors
/// A conflict where the idea takes no votes any more; that it was taken back.
pub fn confirm(tx: &mut Tx, id: VoteId, tells: bool) -> Result<(), Problem> {
    let (vote, idea) = kept(tx.conn, id)?;
    let idea = ideas::lock(tx.conn, idea.id)?.ok_or(Problem::NotFound("idea"))?;
    if vote.confirmed_at.is_none() {
        if idea.state != IdeaState::Open {
            return Err(Problem::conflict(
                "votes-closed",
                "This idea takes no votes any more.",
            ));
        }
        ideas::confirm(tx.conn, &vote, tx.now.naive_utc())?;
    }
    ideas::set_tells(tx.conn, id, tells)?;
    Ok(())
}

/// Takes a vote back, by its link: it is deleted with its address and the letters about it. Again: nothing.
///
/// # Errors
/// What the database says.
pub fn take_back(tx: &mut Tx, id: VoteId) -> Result<(), Problem> {
    let Some(vote) = ideas::vote(tx.conn, id)? else {
        return Ok(());
    };
    let idea = ideas::lock(tx.conn, vote.idea_id)?.ok_or(Problem::NotFound("idea"))?;
    ideas::delete_vote(tx.conn, &vote, idea.merchant_id, tx.now.naive_utc())?;
    Ok(())
}

/// Writes to some more voters that a campaign came of their idea, those after `after`; the last one looked at, while
/// there are more. Each is written to once, however often this is done.
///
/// # Errors
/// What the database says.
pub fn tell(
    desk: &Desk,
    tx: &mut Tx,
    id: IdeaId,
    after: Option<VoteId>,
) -> Result<Option<VoteId>, Problem> {
    let idea = ideas::by_id(tx.conn, id)?.ok_or(Problem::NotFound("idea"))?;
    let campaign = made_of(tx.conn, &idea)?;
    let public =
        |row: &campaigns::CampaignRow| row.state.is_public() && row.state != CampaignState::Failed;
    let Some(campaign) = campaign.filter(public) else {
        return Ok(None);
    };
    let merchant = merchant(tx, idea.merchant_id)?;
    let zone = offer(&campaign)?.time_zone;
    let some = ideas::to_tell(tx.conn, id, after, AT_ONCE)?;
    let letters = some
        .iter()
        .filter_map(|vote| {
            let news = Asked::Running {
                campaign: campaign.title.clone(),
                campaign_url: desk.links.url(&format!("/c/{}", campaign.slug)),
                opens: campaign
                    .opens_at
                    .filter(|_| campaign.state == CampaignState::Scheduled)
                    .map(|at| at.and_utc()),
                open: campaign.state == CampaignState::Open,
            };
            let once = format!("idea_running:{}", vote.id);
            let mut post = letter(desk, &merchant, &idea, vote, once, news)?;
            if let Letter::Asked { about, .. } = &mut post.letter {
                zone.name().clone_into(&mut about.time_zone);
            }
            Some(post)
        })
        .collect();
    desk.post_many(tx, letters)?;
    let more = i64::try_from(some.len()).unwrap_or(0) == AT_ONCE;
    Ok(some.last().filter(|_| more).map(|vote| vote.id))
}

/// A letter about a vote; none where the address was erased.
fn letter<'a>(
    desk: &Desk,
    merchant: &'a MerchantRow,
    idea: &IdeaRow,
    vote: &'a VoteRow,
    once: String,
    news: Asked,
) -> Option<Post<'a>> {
    Some(Post {
        once,
        to: vote.email.as_deref()?,
        reply_to: Some(&merchant.email),
        concerns: Some(Concerns {
            merchant: merchant.id,
            campaign: None,
            order: None,
        }),
        purchase_order: None,
        letter: Letter::Asked {
            about: Asking {
                merchant: merchant.name.clone(),
                merchant_address: merchant.address.clone(),
                title: idea.title.clone(),
                url: desk
                    .links
                    .url(&format!("/m/{}/ideas/{}", merchant.slug, idea.id)),
                time_zone: "UTC".to_owned(),
                name: None,
                own_url: desk.links.url(&desk.links.vote_path(vote.id)),
            },
            news,
        },
    })
}

/// Throws unconfirmed votes away after a week, and erases who voted: 30 days after the idea's end or its campaign's
/// beginning, a year after the vote. Counts stay. Whether there is more to erase.
///
/// # Errors
/// What the database says.
pub fn forget(tx: &mut Tx) -> Result<bool, Problem> {
    let now = tx.now.naive_utc();
    let gone = ideas::erase(
        tx.conn,
        now - Duration::days(CONFIRMED_WITHIN),
        now - Duration::days(KEPT_AFTER_END),
        now - Duration::days(KEPT_AT_MOST),
        ERASED_AT_ONCE,
    )?;
    Ok(i64::try_from(gone).unwrap_or(0) == ERASED_AT_ONCE)
}
