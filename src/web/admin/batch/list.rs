//! The list of batches.

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use crate::domain::campaign::BatchState;
use crate::store::{Conn, campaigns, shipments, stock};
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::{Cell, ListPage, PAGE, Table, id};
use crate::web::view::{Choice, Empty, Field, Link, Pager, grouped, state_word};
use crate::workflows::desk::Problem;

/// The filter, as it stands in the address.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    state: String,
    cursor: String,
}

impl Asked {
    fn href(&self, cursor: Option<&str>) -> String {
        let mut parts = Vec::new();
        for (name, value) in [
            ("state", self.state.as_str()),
            ("cursor", cursor.unwrap_or_default()),
        ] {
            if !value.is_empty() {
                parts.push(format!("{name}={value}"));
            }
        }
        if parts.is_empty() {
            "/admin/batches".to_owned()
        } else {
            format!("/admin/batches?{}", parts.join("&"))
        }
    }
}

/// One batch with what its row says.
fn row(
    conn: &mut Conn,
    batch: &campaigns::BatchRow,
    campaign: &campaigns::CampaignRow,
) -> Result<Vec<Cell>, Problem> {
    let goods = stock::of_batch(conn, batch.id)?;
    let sum = |f: fn(&stock::StockRow) -> i64| goods.iter().map(f).sum::<i64>();
    let (ready, picked) = shipments::packing_counts(conn, batch.id)?;
    let (ordered, good, given) = (sum(|s| s.ordered), sum(|s| s.good), sum(|s| s.allocated));
    Ok(vec![
        Cell::Link(Link::new(
            format!("/admin/batches/{}", batch.id),
            format!("{}, batch {}", campaign.title, batch.number),
        )),
        Cell::state(batch.state.as_str()),
        Cell::number(grouped(ordered)),
        Cell::number(grouped(good)),
        Cell::number(grouped(given)),
        Cell::number(grouped(ready)),
        Cell::number(grouped(picked)),
    ])
}

/// `GET /admin/batches`
pub async fn list(staff: Staff, asked: web::Query<Asked>) -> Result<HttpResponse, Refusal> {
    let merchant = staff.merchant.id;
    let state: Option<BatchState> = asked.state.parse().ok();
    let before = match asked.cursor.as_str() {
        "" => None,
        cursor => Some(id(cursor)?),
    };
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let all = campaigns::batches_of_merchant(conn, merchant, state, before, PAGE)?;
        let last = all.last().map(|(batch, _)| batch.id);
        let rows = all
            .iter()
            .map(|(batch, campaign)| row(conn, batch, campaign))
            .collect::<Result<Vec<_>, Problem>>()?;
        Ok((rows, last))
    });
    let (rows, last) = found.await?;
    let count = i64::try_from(rows.len()).unwrap_or(0);
    let next = last
        .filter(|_| count == PAGE)
        .map(|id| asked.href(Some(&id.to_string())));
    let mut states = vec![Choice::new("", "All")];
    states.extend(
        BatchState::ALL
            .iter()
            .map(|s| Choice::new(s.as_str(), state_word(s.as_str()))),
    );
    let page = ListPage {
        shell: staff.shell("batches"),
        title: "Batches".into(),
        lead: Some("What is bought in one go: its purchase orders, arrivals and parcels.".into()),
        actions: vec![],
        filters: vec![Field::select("state", "State", states).value(&asked.state)],
        action: "/admin/batches".into(),
        table: Table::new(
            "Batches",
            vec![
                ("Batch", false),
                ("State", false),
                ("Bought", true),
                ("Good", true),
                ("Given to orders", true),
                ("Ready to pack", true),
                ("Wait for the carrier", true),
            ],
            rows,
        ),
        empty: Empty {
            text: "No batch fits. Each campaign has one from its publishing on.".into(),
            action: None,
        },
        pager: (next.is_some() || !asked.cursor.is_empty()).then(|| Pager {
            shown: match count {
                1 => "1 batch".to_owned(),
                n => format!("{} batches", grouped(n)),
            },
            first: (!asked.cursor.is_empty()).then(|| asked.href(None)),
            next,
        }),
    };
    Ok(page.answer())
}
