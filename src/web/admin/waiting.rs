//! A campaign's waiting list, in its order. Nobody moves it: it is strict.

use actix_web::{HttpResponse, web};

use super::guard::{Refusal, Staff};
use super::kit::{Cell, ListPage, Table, own_campaign, short, slug, zone_of};
use crate::store::{orders, waiting};
use crate::web::view::{Badge, Empty, Link, Tone, grouped};
use crate::workflows::desk::{Problem, order_number};

/// Places shown.
const SHOWN: i64 = 200;

/// Puts the route in.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/campaigns/{slug}/waiting", web::get().to(list));
}

fn actions(staff: &Staff, slug: &str) -> Vec<Link> {
    let mut actions = vec![Link::new(
        format!("/admin/campaigns/{slug}"),
        "The campaign",
    )];
    if staff.person.role.may_manage() {
        let href = format!("/admin/export/waiting.csv?campaign={slug}");
        actions.push(Link::new(href, "The list as CSV"));
    }
    actions
}

/// `GET /admin/campaigns/{slug}/waiting`
async fn list(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let (merchant, slug) = (staff.merchant.clone(), slug(&path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let campaign = own_campaign(conn, &merchant, &slug)?;
        let list = waiting::list(conn, campaign.id, SHOWN)?;
        let ids: Vec<_> = list.iter().map(|(row, _)| row.order_id).collect();
        let lines = orders::lines_of_all(conn, &ids)?;
        Ok((campaign, list, lines))
    });
    let (campaign, list, lines) = found.await?;
    let zone = zone_of(&campaign);
    let mut place = 0;
    let rows = list.iter().map(|(row, order)| {
        let wants: Vec<String> = lines
            .iter()
            .filter(|line| line.order_id == order.id)
            .map(|line| format!("{} \u{d7} {}", grouped(line.quantity), line.sku))
            .collect();
        let (number, stands) = match row.offer_ends {
            Some(ends) => (
                String::new(),
                Badge::new(Tone::Wait, format!("offered until {}", short(ends, zone))),
            ),
            None => {
                place += 1;
                (grouped(place), Badge::state("waitlisted"))
            }
        };
        vec![
            Cell::Document(Link::new(
                format!("/admin/orders/{}", order.id),
                order_number(order.number),
            )),
            Cell::text(number),
            Cell::text(order.name.clone()),
            Cell::text(wants.join("; ")),
            Cell::Badge(stands),
            Cell::when(row.joined_at, zone),
        ]
    });
    let page = ListPage {
        shell: staff.shell("campaigns"),
        title: format!("Waiting for {}", campaign.title),
        lead: Some(
            "Units that come free are offered in this order, by themselves; each offer stands for 24 hours. Nobody can be moved."
                .to_owned(),
        ),
        actions: actions(&staff, &campaign.slug),
        filters: Vec::new(),
        action: format!("/admin/campaigns/{}/waiting", campaign.slug),
        table: Table::new(
            "Waiting list",
            vec![
                ("Order", false),
                ("Place", false),
                ("Shopper", false),
                ("Wants", false),
                ("Stands", false),
                ("Since", false),
            ],
            rows.collect(),
        ),
        empty: Empty {
            text: "Nobody waits. Where an option is sold out, shoppers may put themselves on the list.".into(),
            action: None,
        },
        pager: None,
    };
    Ok(page.answer())
}
