//! What the panel's pages are put together from: tables, lists with filters, facts.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use askama::Template;
use askama::filters::HtmlSafe;
use chrono::NaiveDateTime;
use chrono_tz::Tz;

use crate::domain::ids::CampaignId;
use crate::domain::slug::is_valid_slug;
use crate::store::campaigns::CampaignRow;
use crate::store::{Conn, campaigns};
use crate::web::pages;
use crate::web::view::{Badge, Empty, Field, Link, Moment, Pager, PanelShell};
use crate::workflows::desk::{Problem, offer};

use super::guard::{Refusal, Staff};

/// What stands in a cell.
#[derive(Clone, Debug)]
pub enum Cell {
    /// Words.
    Text(String),
    /// A number or an amount.
    Number(String),
    /// Words that lead on.
    Link(Link),
    /// A document's number that leads on.
    Document(Link),
    /// Somebody else's name for a thing, long and without blanks: may break anywhere.
    Code(String),
    /// A state.
    Badge(Badge),
    /// A bar: so much of so much, in words.
    Progress(i64, i64, String),
}

impl Cell {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Cell::Text(text.into())
    }

    /// A number or an amount.
    pub fn number(text: impl Into<String>) -> Self {
        Cell::Number(text.into())
    }

    /// A moment. Its date keeps to one line.
    pub fn when(at: NaiveDateTime, zone: Tz) -> Self {
        let moment = moment(at, zone);
        Cell::Text(format!(
            "{}, {}",
            moment.day().replace(' ', "\u{a0}"),
            moment.clock()
        ))
    }

    /// A state word of the product.
    pub fn state(word: &str) -> Self {
        Cell::Badge(Badge::state(word))
    }

    fn is_number(&self) -> bool {
        matches!(self, Cell::Number(_))
    }
}

/// A table of data; the first cell of a row is its header.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/part/table.html")]
pub struct Table {
    /// What it lists.
    pub caption: String,
    /// Heads of the columns, and whether they hold numbers.
    pub head: Vec<(&'static str, bool)>,
    /// Rows.
    pub rows: Vec<Vec<Cell>>,
    /// The sum's row; may be empty.
    pub foot: Vec<Cell>,
}

impl HtmlSafe for Table {}

impl Table {
    /// A table.
    pub fn new(
        caption: impl Into<String>,
        head: Vec<(&'static str, bool)>,
        rows: Vec<Vec<Cell>>,
    ) -> Self {
        Self {
            caption: caption.into(),
            head,
            rows,
            foot: Vec::new(),
        }
    }

    fn label(&self, at: &usize) -> &'static str {
        self.head.get(*at).map_or("", |(label, _)| *label)
    }
}

/// A list with what filters it.
#[derive(Template)]
#[template(path = "admin/list.html")]
pub struct ListPage {
    /// Frame.
    pub shell: PanelShell,
    /// Headline.
    pub title: String,
    /// A line under it.
    pub lead: Option<String>,
    /// Buttons beside it; the first is the filled one.
    pub actions: Vec<Link>,
    /// Fields of the filter; none draws no form.
    pub filters: Vec<Field>,
    /// Where the filter's form goes.
    pub action: String,
    /// The list.
    pub table: Table,
    /// Where nothing is listed.
    pub empty: Empty,
    /// What follows.
    pub pager: Option<Pager>,
}

impl ListPage {
    /// As an answer.
    pub fn answer(&self) -> HttpResponse {
        pages::private(StatusCode::OK, self)
    }
}

/// How many rows a page of a list has.
pub const PAGE: i64 = 50;

/// A moment in a zone.
pub fn moment(at: NaiveDateTime, zone: Tz) -> Moment {
    Moment::new(at.and_utc(), zone)
}

/// "31 May 2026, 20:00".
pub fn short(at: NaiveDateTime, zone: Tz) -> String {
    let moment = moment(at, zone);
    format!("{}, {}", moment.day(), moment.clock())
}

/// The zone a campaign's days are told in.
pub fn zone_of(campaign: &CampaignRow) -> Tz {
    offer(campaign).map_or(Tz::UTC, |draft| draft.time_zone)
}

/// The merchant's own campaign with this address.
pub fn own_campaign(
    conn: &mut Conn,
    staff: &crate::store::merchants::MerchantRow,
    slug: &str,
) -> Result<CampaignRow, Problem> {
    if !is_valid_slug(slug) {
        return Err(Problem::NotFound("campaign"));
    }
    campaigns::by_slug(conn, slug)?
        .filter(|c| c.merchant_id == staff.id)
        .ok_or(Problem::NotFound("campaign"))
}

/// A page's address kept for a workflow: an unknown shape is no page.
pub fn slug(path: &str) -> Result<String, Refusal> {
    if is_valid_slug(path) {
        Ok(path.to_owned())
    } else {
        Err(Refusal::NotFound)
    }
}

/// An id in a page's address: an unknown shape is no page.
pub fn id<T: std::str::FromStr>(path: &str) -> Result<T, Refusal> {
    path.parse().map_err(|_| Refusal::NotFound)
}

/// The merchant's newest campaigns, for choices.
pub fn newest_campaigns(
    conn: &mut Conn,
    merchant: crate::domain::ids::MerchantId,
) -> Result<Vec<CampaignRow>, Problem> {
    Ok(campaigns::of_merchant(conn, merchant, None, 200)?)
}

/// The title of a campaign among some.
pub fn title_of(all: &[CampaignRow], id: CampaignId) -> String {
    all.iter()
        .find(|c| c.id == id)
        .map_or_else(String::new, |c| c.title.clone())
}

/// Takes what could end a query's text or never be found: control characters.
pub fn searchable(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_control())
        .take(200)
        .collect::<String>()
        .trim()
        .to_owned()
}

/// Facts: a name and a value.
pub type Facts = Vec<(String, String)>;

/// One fact.
pub fn fact(name: &str, value: impl Into<String>) -> (String, String) {
    (name.to_owned(), value.into())
}

/// Runs a workflow and leaves a line about it.
pub async fn act<F>(staff: &Staff, f: F, said: &str, to: &str) -> Result<HttpResponse, Refusal>
where
    F: Fn(&crate::workflows::desk::Desk, &mut crate::store::Tx) -> Result<(), Problem>
        + Send
        + 'static,
{
    staff.office.write(f).await?;
    staff.done(said, to)
}
