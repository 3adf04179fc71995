//! The list of campaigns.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::draw::picture;
use super::drawn;
use super::load::{self, Facts, covers};
use crate::domain::campaign::{CampaignState, Failure};
use crate::domain::ids::CampaignId;
use crate::store::Conn;
use crate::store::campaigns::{self, CampaignRow};
use crate::store::misc::PictureRow;
use crate::web::snapshot::Drawing;
use crate::web::view::{
    Badge, Day, EndedRow, Featured, HomePage, Moment, Offer, Pager, Shell, Sort, Standing, Tone,
    left, plural, state_word,
};
use crate::workflows::desk::{Problem, offer, takes_orders};
use crate::workflows::judgement::next_step;

/// Open campaigns on one page.
const PER_PAGE: usize = 24;
/// The last page there is.
pub const MOST_PAGES: u16 = 20;
/// The most campaigns of the other lists.
const OTHERS: i64 = 12;

/// Draws one page of the list; none past its end.
///
/// # Errors
/// What the database says.
pub fn draw(
    conn: &mut Conn,
    shell: Shell,
    sort: Sort,
    number: u16,
    now: DateTime<Utc>,
) -> Result<Option<Drawing>, Problem> {
    let most = i64::from(MOST_PAGES) * 24 + 1;
    let mut open = Vec::new();
    let mut making = Vec::new();
    for row in campaigns::published(conn, &[CampaignState::Open], None, most)? {
        // One whose joining has ended is counted, not joined.
        if takes_orders(&row, now.naive_utc()) {
            let draft = offer(&row)?;
            // The most there is where no further step comes.
            let missing = next_step(conn, &row, &draft)?.map_or(i64::MAX, |(_, missing)| missing);
            open.push((missing, row));
        } else {
            making.push(row);
        }
    }
    let nearest = open
        .iter()
        .min_by_key(|(missing, _)| *missing)
        .map(|(_, row)| row.clone());
    order(&mut open, sort);
    let skip = usize::from(number - 1) * PER_PAGE;
    if number > 1 && skip >= open.len() {
        return Ok(None);
    }
    let more = open.len() > skip + PER_PAGE && number < MOST_PAGES;
    let shown: Vec<CampaignRow> = open
        .into_iter()
        .skip(skip)
        .take(PER_PAGE)
        .map(|(_, row)| row)
        .collect();
    let asking = campaigns::published(conn, &[CampaignState::Interest], None, OTHERS)?;
    let states = [CampaignState::Scheduled];
    let scheduled = campaigns::published(conn, &states, None, OTHERS)?;
    let states = [
        CampaignState::Collecting,
        CampaignState::Ordered,
        CampaignState::Fulfilling,
    ];
    making.extend(campaigns::published(conn, &states, None, OTHERS)?);
    let states = [CampaignState::Completed, CampaignState::Failed];
    let ended = campaigns::published(conn, &states, None, OTHERS)?;
    let mut list = List::new(conn, now);
    let featured = match nearest {
        Some(row) => Some(list.featured(row)?),
        None => None,
    };
    let page = HomePage {
        shell,
        events: featured.as_ref().map(|f| format!("{}/events", f.href)),
        featured,
        pager: pager(sort, number, shown.len(), more),
        open: list.offers(shown)?,
        sort,
        asking: list.offers(asking)?,
        scheduled: list.offers(scheduled)?,
        making: list.offers(making)?,
        ended: list.ended(ended)?,
    };
    Ok(Some(Drawing {
        campaign: None,
        until: list.until,
        html: drawn(page, |page, theme| page.shell.theme = theme),
    }))
}

fn pager(sort: Sort, number: u16, shown: usize, more: bool) -> Option<Pager> {
    if number == 1 && !more {
        return None;
    }
    let at = |n: u16| format!("/?sort={}&page={n}#list", sort.value());
    let first = usize::from(number - 1) * PER_PAGE + 1;
    Some(Pager {
        shown: format!("Campaigns {first} to {}", first + shown - 1),
        first: (number > 1).then(|| at(1)),
        next: more.then(|| at(number + 1)),
    })
}

/// Sorts campaigns, each with the units missing to its next step.
fn order(open: &mut [(i64, CampaignRow)], sort: Sort) {
    match sort {
        Sort::Closing => open.sort_by_key(|(_, row)| (row.deadline, row.id)),
        Sort::Newest => open.sort_by_key(|(_, row)| std::cmp::Reverse(row.id)),
        Sort::Nearest => open.sort_by_key(|(missing, row)| (*missing, row.id)),
    }
}

/// Makes entries of campaigns.
pub struct List<'a> {
    conn: &'a mut Conn,
    now: DateTime<Utc>,
    /// When the first of them says something else by itself.
    pub until: Option<DateTime<Utc>>,
}

impl<'a> List<'a> {
    /// A list drawn at `now`.
    pub fn new(conn: &'a mut Conn, now: DateTime<Utc>) -> Self {
        Self {
            conn,
            now,
            until: None,
        }
    }

    fn facts(&mut self, row: CampaignRow) -> Result<Facts, Problem> {
        let facts = load::facts(self.conn, row)?;
        if let Some(turn) = facts.next_turn(self.now) {
            self.until = Some(self.until.map_or(turn, |until| until.min(turn)));
        }
        Ok(facts)
    }

    /// Entries of running campaigns.
    ///
    /// # Errors
    /// What the database says.
    pub fn offers(&mut self, rows: Vec<CampaignRow>) -> Result<Vec<Offer>, Problem> {
        let ids: Vec<CampaignId> = rows.iter().map(|r| r.id).collect();
        let covers = covers(self.conn, &ids)?;
        let mut out = Vec::with_capacity(rows.len());
        for row in rows {
            let facts = self.facts(row)?;
            out.push(one(&facts, &covers, self.now));
        }
        Ok(out)
    }

    fn featured(&mut self, row: CampaignRow) -> Result<Featured, Problem> {
        let facts = self.facts(row)?;
        Ok(Featured {
            title: facts.campaign.title.clone(),
            href: format!("/c/{}", facts.campaign.slug),
            picture: facts.pictures.first().map(picture),
            badge: badge(&facts, self.now),
            steps: facts.steps(self.now),
        })
    }

    /// Entries of campaigns that ended.
    ///
    /// # Errors
    /// What the database says.
    pub fn ended(&mut self, rows: Vec<CampaignRow>) -> Result<Vec<EndedRow>, Problem> {
        let mut out = Vec::with_capacity(rows.len());
        for row in rows {
            let facts = self.facts(row)?;
            out.push(EndedRow {
                title: facts.campaign.title.clone(),
                href: format!("/c/{}", facts.campaign.slug),
                badge: badge(&facts, self.now),
                promised: Day(facts.draft.promised_ship_date).text(),
                shipped: match facts.campaign.state {
                    CampaignState::Failed => "no order placed".to_owned(),
                    _ => "shipped".to_owned(),
                },
            });
        }
        Ok(out)
    }
}

/// Its state, with what matters most of it.
fn badge(facts: &Facts, now: DateTime<Utc>) -> Badge {
    let word = facts.campaign.state.as_str();
    match facts.standing(now) {
        Standing::Open => match left(now, facts.campaign.deadline.and_utc()) {
            Some(left) => Badge::new(Tone::Live, format!("Open, {left} left")),
            None => Badge::state(word),
        },
        Standing::Collecting { judged: false } => Badge::new(Tone::Wait, "Being counted"),
        Standing::Failed(ending) => {
            let why = facts.campaign.failure.unwrap_or(Failure::Cancelled);
            let why = state_word(&why.as_str().replace('-', " "));
            Badge::new(
                Tone::Idle,
                match (ending.orders, ending.orders - ending.refunded_orders) {
                    (0, _) => format!("{why}, nobody had paid"),
                    (1, 0) => format!("{why}, the one order refunded"),
                    (n, 0) => format!("{why}, all {n} orders refunded"),
                    (n, rest) => format!("{why}, {} of {n} orders refunded", n - rest),
                },
            )
        }
        _ => Badge::campaign(word),
    }
}

fn one(facts: &Facts, covers: &HashMap<CampaignId, PictureRow>, now: DateTime<Utc>) -> Offer {
    let steps = facts.steps(now);
    let price = steps.rows.get(steps.current).map(|r| r.price.clone());
    let standing = facts.standing(now);
    let price_note = match (&standing, steps.rows.get(steps.current + 1)) {
        (Standing::Interest { .. }, _) => "planned at first".to_owned(),
        (Standing::Scheduled { .. }, _) => "at first".to_owned(),
        (Standing::Open, Some(next)) => format!("now, {} from {}", next.price, next.from),
        (Standing::Open, None) => "now, the lowest price".to_owned(),
        (Standing::Collecting { judged: false }, _) => "reached so far".to_owned(),
        (Standing::Failed(_), _) => "was not reached".to_owned(),
        _ => "is paid by all".to_owned(),
    };
    let opens = |opens: &Moment| format!("Opens on {}, {}.", opens.text(), opens.zone_name());
    Offer {
        title: facts.campaign.title.clone(),
        href: format!("/c/{}", facts.campaign.slug),
        picture: covers.get(&facts.campaign.id).map(picture),
        badge: badge(facts, now),
        seller: facts.merchant.name.clone(),
        text: match &standing {
            Standing::Interest { over: true, .. } => {
                "Asking is over; the seller decides whether it opens.".to_owned()
            }
            Standing::Interest { .. } => {
                "Say how many, and up to what price. Nothing is charged.".to_owned()
            }
            Standing::Scheduled { opens: at } => opens(at),
            Standing::Ordered { .. } => {
                format!("{} ordered from the supplier.", plural(steps.units, "unit"))
            }
            _ => steps.headline(),
        },
        meter: match &standing {
            Standing::Scheduled { .. } | Standing::Interest { .. } => None,
            _ => Some(facts.meter()),
        },
        price: price.unwrap_or_default(),
        price_note,
    }
}
