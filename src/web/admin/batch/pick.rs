//! The pick list: what is ready to be packed, and one press that packs it.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::parcel::name_of;
use super::{href, one, title};
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::OrderId;
use crate::store::orders::{LineRow, OrderRow};
use crate::store::shipments::Packing;
use crate::store::{orders, shipments};
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::{Cell, Table};
use crate::web::pages;
use crate::web::view::{Link, PanelShell, grouped, plural};
use crate::workflows::desk::{Problem, offer, order_number};
use crate::workflows::ship;

/// How many orders the pick list shows and one press packs.
const AT_ONCE: i64 = 200;
/// How many are packed in one transaction.
const CHUNK: i64 = 50;

/// `/admin/batches/{id}/pick`
#[derive(Template)]
#[template(path = "admin/pick.html")]
struct PickPage {
    shell: PanelShell,
    title: String,
    batch: Link,
    ready: i64,
    packed: i64,
    units: Table,
    orders: Table,
    more: bool,
}

/// `GET /admin/batches/{id}/pick`
pub async fn list(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.ships()?;
    let (campaign, batch) = one(&staff, &path).await?;
    let id = batch.id;
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let ready = shipments::packing(conn, id, Some(Packing::Ready), None, None, None, AT_ONCE)?;
        let ids: Vec<OrderId> = ready.iter().map(|o| o.id).collect();
        let counts = shipments::packing_counts(conn, id)?;
        Ok((orders::lines_of_all(conn, &ids)?, ready, counts))
    });
    let (lines, ready, (count, packed)) = found.await?;
    let terms = offer(&campaign)?;
    let page = PickPage {
        shell: staff.shell("batches"),
        title: "Pick list".to_owned(),
        batch: Link::new(href(&batch), title(&campaign, &batch)),
        ready: count,
        packed,
        units: units_to_fetch(&lines, &terms),
        more: count > AT_ONCE,
        orders: orders_to_pack(&ready, &lines, &terms),
    };
    Ok(pages::private(StatusCode::OK, &page))
}

fn units_to_fetch(lines: &[LineRow], terms: &CampaignDraft) -> Table {
    let mut units: BTreeMap<&str, i64> = BTreeMap::new();
    for line in lines {
        *units.entry(&line.sku).or_default() += line.units().to_pick();
    }
    let rows = units.iter().filter(|(_, n)| **n > 0).map(|(sku, n)| {
        vec![
            Cell::text(format!("{} ({sku})", name_of(terms, sku))),
            Cell::number(grouped(*n)),
        ]
    });
    Table::new(
        "Units to fetch",
        vec![("Option", false), ("Units", true)],
        rows.collect(),
    )
}

fn orders_to_pack(ready: &[OrderRow], lines: &[LineRow], terms: &CampaignDraft) -> Table {
    let contents = |order: &OrderRow| {
        let mut inside: Vec<String> = lines
            .iter()
            .filter(|l| l.order_id == order.id && l.units().to_pick() > 0)
            .map(|l| format!("{} \u{d7} {}", l.units().to_pick(), name_of(terms, &l.sku)))
            .collect();
        inside.sort();
        inside.join("; ")
    };
    let rows = ready.iter().map(|order| {
        vec![
            Cell::Document(Link::new(
                format!("/admin/orders/{}", order.id),
                order_number(order.number),
            )),
            Cell::text(&order.name),
            Cell::text(&order.country),
            Cell::text(contents(order)),
        ]
    });
    Table::new(
        "Orders to pack",
        vec![
            ("Order", false),
            ("Shopper", false),
            ("To", false),
            ("In the parcel", false),
        ],
        rows.collect(),
    )
}

/// `POST /admin/batches/{id}/pick`: packs what the list shows.
pub async fn pack(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.ships()?;
    let (_, batch) = one(&staff, &path).await?;
    let (merchant, id) = (staff.merchant.id, batch.id);
    let mut packed: i64 = 0;
    while packed < AT_ONCE {
        let by = staff.name();
        let some = staff
            .office
            .write(move |_, tx| ship::pick_ready(tx, merchant, id, CHUNK, &by))
            .await?;
        let some = i64::try_from(some).unwrap_or(0);
        packed += some;
        if some < CHUNK {
            break;
        }
    }
    let said = format!(
        "{} packed. Print their slips, and record the handover when the carrier was here.",
        plural(packed, "parcel")
    );
    staff.done(said, &href(&batch))
}
