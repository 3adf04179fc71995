//! What a seller has written, read for pages: the newest stand on the campaign's page, all of them here, page by page.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use chrono_tz::Tz;
use serde::Deserialize;

use super::{Shop, trouble};
use crate::domain::ids::{CampaignId, PostId};
use crate::domain::text::markdown_to_html;
use crate::store::posts::{self, CorrectionRow, PostRow};
use crate::store::{Conn, campaigns, merchants};
use crate::web::pages::private;
use crate::web::theme;
use crate::web::view::{Html, Link, Moment, Shell, Update, UpdatesPage};
use crate::workflows::desk::{Problem, offer};

/// How many stand on one page.
pub const SHOWN: i64 = 10;

/// Some updates of a campaign, newest first, with what follows them.
#[derive(Debug, Default)]
pub struct Written {
    rows: Vec<PostRow>,
    corrections: Vec<CorrectionRow>,
    more: bool,
}

/// Reads `limit` updates of a campaign, those before `before`.
///
/// # Errors
/// What the database says.
pub fn read(
    conn: &mut Conn,
    campaign: CampaignId,
    before: Option<PostId>,
    limit: i64,
) -> Result<Written, Problem> {
    let mut rows = posts::of_campaign(conn, campaign, before, limit + 1)?;
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    if rows.is_empty() {
        return Ok(Written::default());
    }
    let ids: Vec<PostId> = rows.iter().map(|row| row.id).collect();
    Ok(Written {
        corrections: posts::corrections_of(conn, &ids)?,
        rows,
        more,
    })
}

impl Written {
    /// As pages show them.
    pub fn shown(&self, zone: Tz) -> Vec<Update> {
        let moment = |at: chrono::NaiveDateTime| Moment::new(at.and_utc(), zone);
        let text = |markdown: &str| Html::sanitized(markdown_to_html(markdown));
        let one = |row: &PostRow| Update {
            id: row.id.to_string(),
            title: row.title.clone(),
            when: moment(row.posted_at),
            body: text(&row.body),
            corrections: self
                .corrections
                .iter()
                .filter(|c| c.post_id == row.id)
                .map(|c| (moment(c.written_at), text(&c.body)))
                .collect(),
        };
        self.rows.iter().map(one).collect()
    }

    /// The way to those before them.
    pub fn earlier(&self, slug: &str) -> Option<Link> {
        let last = self.rows.last().filter(|_| self.more)?;
        Some(Link::new(
            format!("/c/{slug}/updates?before={}", last.id),
            "Earlier updates",
        ))
    }
}

/// Before which update a page begins.
#[derive(Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    before: String,
}

/// `GET /c/{slug}/updates`
pub async fn page(
    shop: web::Data<Shop>,
    request: HttpRequest,
    slug: web::Path<String>,
    asked: Option<web::Query<Asked>>,
) -> HttpResponse {
    let shell = Shell::public(theme::of(&request), &format!("/c/{slug}"), shop.sandbox());
    let before = asked.map(|a| a.into_inner().before).unwrap_or_default();
    let before: Option<PostId> = before.parse().ok();
    let wanted = slug.into_inner();
    let found = shop
        .office
        .read(move |conn| {
            let campaign = campaigns::by_slug(conn, &wanted)?
                .filter(|row| row.state.is_public())
                .ok_or(Problem::NotFound("campaign"))?;
            let merchant = merchants::by_id(conn, campaign.merchant_id)?
                .ok_or(Problem::NotFound("merchant"))?;
            let zone = offer(&campaign)?.time_zone;
            let some = read(conn, campaign.id, before, SHOWN)?;
            Ok::<_, Problem>((campaign, merchant, zone, some))
        })
        .await;
    match found {
        Ok((campaign, merchant, zone, some)) => private(
            StatusCode::OK,
            &UpdatesPage {
                shell: shell.of_seller(&merchant.slug),
                updates: some.shown(zone),
                earlier: some.earlier(&campaign.slug),
                campaign: Link::new(format!("/c/{}", campaign.slug), &campaign.title),
            },
        ),
        Err(problem) => trouble::page(shell, &problem),
    }
}
