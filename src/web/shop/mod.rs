//! What shoppers see before they have an order: the list of campaigns, a campaign, joining, a merchant's page, and the
//! way back to a lost link.

mod batches;
mod cost;
mod draw;
mod form;
mod home;
mod ideas;
mod interest;
mod join;
mod linked;
mod links;
pub(in crate::web) mod load;
mod merchant;
pub(in crate::web) mod trouble;
mod trust;
pub(in crate::web) mod updates;

use std::sync::Arc;

use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::store::{self, Conn, campaigns};
use crate::web::guard::{Client, Guards, Limit, TooMany};
use crate::web::live::{Live, LiveStop, Rendered};
use crate::web::snapshot::{Drawing, Page, Painter, Snapshots};
use crate::web::view::{CampaignPage, JoinInput, Problems, Shell, Sort, Theme};
use crate::web::{order, supplier, theme, tongue};
use crate::workflows::desk::Problem;
use crate::workflows::office::Office;

pub(in crate::web) use cost::{
    asked, line_row, line_row_with_price, money_table, paying, step_words,
};
pub(in crate::web) use draw::{countries, said_lines, seller, terms, threshold_words};
pub(in crate::web) use form::quantity;
pub(in crate::web) use join::address_lines;
use load::{Facts, Records};

/// The public pages of this process: one value for all of its serving threads.
pub struct Shop {
    office: Office,
    snapshots: Snapshots,
    live: Live,
    records: Arc<Records>,
}

impl Shop {
    /// Puts the public pages together; called inside the async runtime, which keeps telling those who look on. They are
    /// let go when `stop` says so.
    pub fn new(office: Office, stop: LiveStop) -> Self {
        let records = Arc::new(Records::default());
        let painter = Arc::new(Pages {
            sandbox: office.settings().sandbox,
            records: records.clone(),
            counts: trust::Counts::default(),
        });
        Self {
            snapshots: Snapshots::new(office.clone(), painter),
            live: Live::start(office.clone(), stop, render_live),
            office,
            records,
        }
    }

    fn sandbox(&self) -> bool {
        self.office.settings().sandbox
    }

    /// A campaign's page with a form that was filled in.
    ///
    /// # Errors
    /// What the database says.
    async fn campaign_page(
        &self,
        facts: &Facts,
        shell: Shell,
        typed: (&JoinInput, Problems),
    ) -> Result<CampaignPage, Problem> {
        let (records, merchant) = (self.records.clone(), facts.merchant.id);
        let (currency, id) = (facts.campaign.currency.clone(), facts.campaign.id);
        let created = facts.campaign.created_at;
        let (flows, earlier) = self
            .office
            .read(move |conn| {
                let flows = records.of(conn, merchant, &currency)?;
                Ok::<_, Problem>((flows, earlier(conn, merchant, created, id)?))
            })
            .await?;
        Ok(facts.page(shell, self.office.now(), flows, earlier, typed))
    }
}

/// How many campaigns of the merchant came to an end before, and how many of them were refunded in full.
fn earlier(
    conn: &mut Conn,
    merchant: crate::domain::ids::MerchantId,
    before: chrono::NaiveDateTime,
    but: crate::domain::ids::CampaignId,
) -> Result<(i64, i64), Problem> {
    let ended = store::pages::ended_of(conn, merchant, before, but)?;
    let failed = ended
        .iter()
        .filter(|(_, failure)| failure.is_some())
        .count();
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    Ok((number(ended.len()), number(failed)))
}

/// Puts the routes in, for these pages, an order's and a supplier's. The app's data holds the [`Office`] and the [`Shop`].
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(both("/", home))
        .service(both("/c/{slug}", campaign))
        .route("/c/{slug}/events", web::get().to(events))
        .service(both("/c/{slug}/updates", updates::page))
        .service(
            web::resource("/c/{slug}/orders")
                .route(web::post().to(join::join))
                .route(web::get().to(join::back)),
        )
        .service(both("/m/{slug}", merchant))
        .configure(ideas::configure)
        .configure(interest::configure)
        .configure(links::configure)
        .configure(order::configure)
        .configure(supplier::configure);
}

/// A page that is asked for with GET or HEAD.
fn both<F, Args>(path: &str, handler: F) -> actix_web::Resource
where
    F: actix_web::Handler<Args>,
    Args: actix_web::FromRequest + 'static,
    F::Output: actix_web::Responder + 'static,
{
    web::resource(path)
        .route(web::get().to(handler.clone()))
        .route(web::head().to(handler))
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    sort: String,
    #[serde(default)]
    page: String,
}

async fn home(
    shop: web::Data<Shop>,
    request: HttpRequest,
    listed: Option<web::Query<Listed>>,
) -> HttpResponse {
    let (sort, number) = match &listed {
        Some(l) => (Sort::parse(&l.sort), l.page.parse().unwrap_or(1)),
        None => (Sort::default(), 1),
    };
    let number: u16 = number;
    let number = number.clamp(1, home::MOST_PAGES);
    // The plain address is looked up without making a key.
    let key = match (sort, number) {
        (Sort::Closing, 1) => None,
        _ => Some(format!("/?{}&{number}", sort.value())),
    };
    let key = key.as_deref().unwrap_or("/");
    shop.kept(&request, key, || Page::Home(sort, number)).await
}

async fn campaign(
    shop: web::Data<Shop>,
    request: HttpRequest,
    slug: web::Path<String>,
) -> HttpResponse {
    let key = request.path();
    shop.kept(&request, key, || Page::Campaign(slug.into_inner()))
        .await
}

async fn merchant(
    shop: web::Data<Shop>,
    request: HttpRequest,
    slug: web::Path<String>,
) -> HttpResponse {
    let key = request.path();
    shop.kept(&request, key, || Page::Merchant(slug.into_inner()))
        .await
}

async fn events(
    shop: web::Data<Shop>,
    request: HttpRequest,
    slug: web::Path<String>,
) -> HttpResponse {
    let asked = slug.into_inner();
    let found = shop
        .office
        .read(move |conn| Ok::<_, Problem>(store::pages::published(conn, &asked)?))
        .await;
    let shell = Shell::public(theme::of(&request), "/", shop.sandbox());
    match found {
        Ok(Some((id, version, _))) => shop.live.join(id, version, tongue::of(request.headers())),
        Ok(None) => trouble::page(shell, &Problem::NotFound("campaign")),
        Err(e) => trouble::page(shell, &e),
    }
}

impl Shop {
    async fn kept(
        &self,
        request: &HttpRequest,
        key: &str,
        page: impl FnOnce() -> Page,
    ) -> HttpResponse {
        let problem = match self.snapshots.answer(request, key, page).await {
            Ok(Some(answer)) => return answer,
            Ok(None) => Problem::NotFound("page"),
            Err(e) => e,
        };
        let shell = Shell::public(theme::of(request), "/", self.sandbox());
        trouble::page(shell, &problem)
    }
}

/// Draws the public pages.
struct Pages {
    sandbox: bool,
    records: Arc<Records>,
    counts: trust::Counts,
}

impl Painter for Pages {
    fn print(&self, conn: &mut Conn, page: &Page) -> Result<Option<u64>, Problem> {
        match page {
            Page::Home(..) => load::home_print(conn),
            Page::Campaign(slug) => load::campaign_print(conn, slug),
            Page::Merchant(slug) => load::merchant_print(conn, slug),
        }
    }

    fn draw(
        &self,
        conn: &mut Conn,
        page: &Page,
        now: DateTime<Utc>,
    ) -> Result<Option<Drawing>, Problem> {
        let shell = |back: &str| Shell::public(Theme::Auto, back, self.sandbox);
        match page {
            Page::Home(sort, number) => home::draw(conn, shell("/"), *sort, *number, now),
            Page::Merchant(slug) => {
                let shell = shell(&format!("/m/{slug}"));
                merchant::draw(conn, &self.counts, shell, slug, now)
            }
            Page::Campaign(slug) => {
                let Some(facts) = load::campaign(conn, slug)? else {
                    return Ok(None);
                };
                let flows = self
                    .records
                    .of(conn, facts.merchant.id, &facts.campaign.currency)?;
                let row = &facts.campaign;
                let earlier = earlier(conn, facts.merchant.id, row.created_at, row.id)?;
                let typed = (&join::empty(), Problems::default());
                let page = facts.page(shell(&format!("/c/{slug}")), now, flows, earlier, typed);
                Ok(Some(Drawing {
                    campaign: Some(facts.campaign.id),
                    until: facts.next_turn(now),
                    html: drawn(page, |page, theme| page.shell.theme = theme),
                }))
            }
        }
    }
}

type Html = Box<dyn Fn(Theme) -> Result<String, String> + Send + Sync>;

/// A model that draws itself in every theme.
fn drawn<P: Template + Clone + Send + Sync + 'static>(page: P, set: fn(&mut P, Theme)) -> Html {
    Box::new(move |theme| {
        let mut page = page.clone();
        set(&mut page, theme);
        page.render().map_err(|e| e.to_string())
    })
}

/// What those who look at a campaign are told.
fn render_live(
    conn: &mut Conn,
    id: crate::domain::ids::CampaignId,
    now: DateTime<Utc>,
) -> Result<Option<Rendered>, Problem> {
    let Some(row) = campaigns::by_id(conn, id)?.filter(|c| c.state.is_public()) else {
        return Ok(None);
    };
    let facts = load::facts(conn, row)?;
    let live = facts.live(now);
    Ok(Some(Rendered {
        version: facts.campaign.version,
        // Another standing has other parts: the page is drawn again as a whole.
        standing: format!(
            "{}:{}:{}",
            live.state,
            facts.sells(now),
            facts.batches.len()
        ),
        fragments: live.fragments(),
    }))
}

/// What is nowhere: the page that says so.
pub async fn nothing_here(shop: web::Data<Shop>, request: HttpRequest) -> HttpResponse {
    let shell = Shell::public(theme::of(&request), "/", shop.sandbox());
    trouble::page(shell, &Problem::NotFound("page"))
}

/// Counts what one address may do so often only; more than the limit is refused.
pub(in crate::web) fn allow(
    request: &HttpRequest,
    limit: Limit,
    client: Client,
) -> Result<(), TooMany> {
    match request.app_data::<web::Data<Guards>>() {
        Some(guards) => guards.allow(limit, client),
        None => Ok(()),
    }
}
