//! The list of campaigns, and what lies under each.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::guard::{Refusal, Staff};
use super::kit::{Cell, ListPage, PAGE, Table, zone_of};
use super::{campaign, collecting, confirm, offer, pictures};
use crate::domain::price::Threshold;
use crate::store::campaigns::{self, CampaignRow};
use crate::web::view::{Empty, Link, Pager, grouped, plural};
use crate::workflows::batches;
use crate::workflows::desk::{Problem, ends_at, offer as offer_of};

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/campaigns", web::get().to(list))
        .route("/campaigns/new", web::get().to(offer::new))
        .route("/campaigns/new", web::post().to(offer::create))
        .route("/campaigns/{slug}", web::get().to(campaign::page))
        .route(
            "/campaigns/{slug}/preview",
            web::get().to(campaign::preview),
        )
        .route("/campaigns/{slug}/edit", web::get().to(offer::edit))
        .route("/campaigns/{slug}/edit", web::post().to(offer::save))
        .route("/campaigns/{slug}/publish", web::get().to(confirm::publish))
        .route(
            "/campaigns/{slug}/publish",
            web::post().to(confirm::do_publish),
        )
        .route("/campaigns/{slug}/extend", web::get().to(confirm::extend))
        .route(
            "/campaigns/{slug}/extend",
            web::post().to(confirm::do_extend),
        )
        .route("/campaigns/{slug}/close", web::get().to(confirm::close))
        .route("/campaigns/{slug}/close", web::post().to(confirm::do_close))
        .route("/campaigns/{slug}/cancel", web::get().to(confirm::cancel))
        .route(
            "/campaigns/{slug}/cancel",
            web::post().to(confirm::do_cancel),
        )
        .route("/campaigns/{slug}/buy", web::get().to(collecting::buy))
        .route("/campaigns/{slug}/buy", web::post().to(collecting::do_buy))
        .route("/campaigns/{slug}/pictures", web::get().to(pictures::page))
        .route("/campaigns/{slug}/pictures", web::post().to(pictures::add))
        .route(
            "/campaigns/{slug}/pictures/{id}",
            web::post().to(pictures::change),
        );
}

/// Where a list goes on.
#[derive(Deserialize)]
pub struct Asked {
    cursor: Option<String>,
}

/// The row of a campaign in a list.
pub fn row(campaign: &CampaignRow) -> Vec<Cell> {
    let zone = zone_of(campaign);
    let meter = match offer_of(campaign).map(|draft| draft.threshold) {
        Ok(Threshold::Units(target)) => {
            let words = format!(
                "{} of {}",
                grouped(campaign.collected_units),
                grouped(target)
            );
            Cell::Progress(campaign.collected_units.clamp(0, target), target, words)
        }
        _ => Cell::text(plural(campaign.collected_units, "unit")),
    };
    vec![
        Cell::Link(Link::new(
            format!("/admin/campaigns/{}", campaign.slug),
            &campaign.title,
        )),
        Cell::state(campaign.state.as_str()),
        meter,
        Cell::number(grouped(campaign.collected_orders)),
        Cell::when(ends_at(campaign), zone),
    ]
}

/// The columns of such a list.
pub fn head() -> Vec<(&'static str, bool)> {
    vec![
        ("Campaign", false),
        ("State", false),
        ("Paid units against threshold", false),
        ("Paid orders", true),
        ("Closes", false),
    ]
}

/// `GET /admin/campaigns`
pub async fn list(staff: Staff, asked: web::Query<Asked>) -> Result<HttpResponse, Refusal> {
    let merchant = staff.merchant.id;
    let before = asked.cursor.as_deref().map(super::kit::id).transpose()?;
    let rows = staff.office.read(move |conn| -> Result<_, Problem> {
        let rows = campaigns::of_merchant(conn, merchant, before, PAGE)?;
        batches::with_counts_shown(conn, rows)
    });
    let rows = rows.await?;
    let next = (i64::try_from(rows.len()).unwrap_or(0) == PAGE)
        .then(|| {
            rows.last()
                .map(|c| format!("/admin/campaigns?cursor={}", c.id))
        })
        .flatten();
    let count = i64::try_from(rows.len()).unwrap_or(0);
    let mut actions = Vec::new();
    if staff.person.role.may_manage() {
        actions.push(Link::new("/admin/campaigns/new", "New campaign"));
        actions.push(Link::new("/admin/export/campaigns.csv", "All as CSV"));
    }
    actions.push(Link::new("/admin/ideas", "Ideas and votes"));
    let page = ListPage {
        shell: staff.shell("campaigns"),
        title: "Campaigns".into(),
        lead: None,
        empty: Empty {
            text: "Your campaigns will stand here.".into(),
            action: actions
                .first()
                .filter(|_| staff.person.role.may_manage())
                .cloned(),
        },
        actions,
        filters: vec![],
        action: "/admin/campaigns".into(),
        table: Table::new("Campaigns", head(), rows.iter().map(row).collect()),
        pager: (next.is_some() || before.is_some()).then(|| Pager {
            shown: plural(count, "campaign"),
            first: before.map(|_| "/admin/campaigns".to_owned()),
            next,
        }),
    };
    Ok(page.answer())
}
