//! The list of orders, and what lies under each.

use std::collections::HashMap;

use actix_web::{HttpResponse, web};
use serde::Deserialize;

use super::guard::{Refusal, Staff, escape};
use super::kit::{Cell, ListPage, PAGE, Table, id, newest_campaigns, searchable, title_of};
use super::{order, order_deeds};
use crate::domain::ids::CampaignId;
use crate::domain::order::{OrderState, PaymentState};
use crate::store::campaigns::{BatchRow, CampaignRow, batches_of, batches_of_all};
use crate::store::orders::{self, OrderFilter, OrderRow};
use crate::web::view::{Choice, Empty, Field, Link, Pager, grouped, plural, state_word};
use crate::workflows::desk::{Problem, order_number};
use crate::workflows::money::say;

/// Batches by campaign.
type Batches = HashMap<CampaignId, Vec<BatchRow>>;

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/orders", web::get().to(list))
        .route("/orders/{id}", web::get().to(order::page))
        .route("/orders/{id}/cancel", web::get().to(order_deeds::cancel))
        .route(
            "/orders/{id}/cancel",
            web::post().to(order_deeds::do_cancel),
        )
        .route(
            "/orders/{id}/refunds/{refund}/paid-otherwise",
            web::get().to(order_deeds::paid_otherwise),
        )
        .route(
            "/orders/{id}/refunds/{refund}/paid-otherwise",
            web::post().to(order_deeds::do_paid_otherwise),
        );
}

/// The filter, as it stands in the address.
#[derive(Deserialize, Default)]
#[serde(default)]
pub struct Asked {
    q: String,
    campaign: String,
    batch: String,
    state: String,
    money: String,
    cursor: String,
}

impl Asked {
    /// The address of this list, with what is filtered.
    fn href(&self, cursor: Option<&str>) -> String {
        let mut parts = Vec::new();
        let wanted = [
            ("q", self.q.as_str()),
            ("campaign", &self.campaign),
            ("batch", &self.batch),
            ("state", &self.state),
            ("money", &self.money),
            ("cursor", cursor.unwrap_or_default()),
        ];
        for (name, value) in wanted {
            if !value.is_empty() {
                parts.push(format!("{name}={}", escape(value)));
            }
        }
        if parts.is_empty() {
            "/admin/orders".to_owned()
        } else {
            format!("/admin/orders?{}", parts.join("&"))
        }
    }

    /// `batches`: of the chosen campaign.
    fn fields(&self, campaigns: Vec<Choice>, batches: &[BatchRow]) -> Vec<Field> {
        let words = |all: Vec<&'static str>| {
            let mut choices = vec![Choice::new("", "All")];
            choices.extend(
                all.into_iter()
                    .map(|word| Choice::new(word, state_word(word))),
            );
            choices
        };
        let states = OrderState::ALL.iter().map(|s| s.as_str()).collect();
        let money = PaymentState::ALL.iter().map(|s| s.as_str()).collect();
        let mut fields = vec![
            Field::input("search", "q", "Name, mail or number")
                .value(&self.q)
                .optional(),
            Field::select("campaign", "Campaign", campaigns).value(&self.campaign),
            Field::select("state", "State", words(states)).value(&self.state),
            Field::select("money", "Money", words(money)).value(&self.money),
        ];
        if batches.len() > 1 {
            let mut choices = vec![Choice::new("", "All")];
            choices.extend(batches.iter().map(|batch| {
                let number = batch.number.to_string();
                Choice::new(&number, format!("Batch {number}"))
            }));
            fields.insert(
                2,
                Field::select("batch", "Batch", choices).value(&self.batch),
            );
        }
        fields
    }
}

/// `batches`: of the campaigns of these orders.
fn table(rows: &[OrderRow], titles: &[CampaignRow], batches: &Batches) -> Table {
    // A column of its own only where a campaign has several.
    let of = |order: &OrderRow| {
        let all = batches
            .get(&order.campaign_id)
            .filter(|all| all.len() > 1)?;
        let batch = all.iter().find(|batch| batch.id == order.batch_id)?;
        Some(batch.number.to_string())
    };
    let several = rows.iter().any(|order| of(order).is_some());
    let row = |order: &OrderRow| {
        let zone = titles
            .iter()
            .find(|c| c.id == order.campaign_id)
            .map_or(chrono_tz::UTC, super::kit::zone_of);
        let mut cells = vec![
            Cell::Document(Link::new(
                format!("/admin/orders/{}", order.id),
                order_number(order.number),
            )),
            Cell::text(&order.name),
            Cell::text(title_of(titles, order.campaign_id)),
            Cell::text(&order.country),
            Cell::number(grouped(order.units)),
            Cell::number(say(order.total, &order.currency)),
            Cell::state(order.state.as_str()),
            Cell::state(order.payment_state.as_str()),
            Cell::when(order.created_at, zone),
        ];
        if several {
            cells.insert(3, Cell::text(of(order).unwrap_or_default()));
        }
        cells
    };
    let mut head = vec![
        ("Order", false),
        ("Shopper", false),
        ("Campaign", false),
        ("To", false),
        ("Units", true),
        ("Total", true),
        ("State", false),
        ("Money", false),
        ("Placed", false),
    ];
    if several {
        head.insert(3, ("Batch", false));
    }
    Table::new("Orders", head, rows.iter().map(row).collect())
}

/// Files of all orders and parcels, or of one campaign's.
fn files(staff: &Staff, campaign: &str) -> Vec<Link> {
    if !staff.person.role.may_manage() {
        return Vec::new();
    }
    let of = match campaign {
        "" => String::new(),
        slug => format!("?campaign={}", escape(slug)),
    };
    vec![
        Link::new(format!("/admin/export/orders.csv{of}"), "Orders as CSV"),
        Link::new(format!("/admin/export/shipments.csv{of}"), "Parcels as CSV"),
    ]
}

/// `GET /admin/orders`
pub async fn list(staff: Staff, asked: web::Query<Asked>) -> Result<HttpResponse, Refusal> {
    let merchant = staff.merchant.id;
    let text = searchable(&asked.q);
    let mut filter = OrderFilter {
        campaign: None,
        batch: None,
        state: asked.state.parse().ok(),
        payment_state: asked.money.parse().ok(),
        text: Some(text).filter(|t| !t.is_empty()),
        before: None,
    };
    if !asked.cursor.is_empty() {
        filter.before = Some(id(&asked.cursor)?);
    }
    let (slug, number) = (asked.campaign.clone(), asked.batch.clone());
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let campaigns = newest_campaigns(conn, merchant)?;
        let mut chosen = Vec::new();
        if !slug.is_empty() {
            let campaign = campaigns.iter().find(|c| c.slug == slug);
            let id = campaign.ok_or(Problem::NotFound("campaign"))?.id;
            filter.campaign = Some(id);
            chosen = batches_of(conn, id)?;
            let batch = chosen.iter().find(|b| b.number.to_string() == number);
            filter.batch = batch.map(|batch| batch.id);
        }
        let rows = orders::list(conn, merchant, &filter, PAGE)?;
        let mut ids: Vec<_> = rows.iter().map(|order| order.campaign_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let batches = batches_of_all(conn, &ids)?;
        Ok((rows, campaigns, chosen, batches))
    });
    let (rows, campaigns, chosen, batches) = found.await?;
    let count = i64::try_from(rows.len()).unwrap_or(0);
    let next = (count == PAGE)
        .then(|| rows.last().map(|o| asked.href(Some(&o.id.to_string()))))
        .flatten();
    let mut choices = vec![Choice::new("", "All")];
    choices.extend(campaigns.iter().map(|c| Choice::new(&c.slug, &c.title)));
    let page = ListPage {
        shell: staff.shell("orders"),
        title: "Orders".into(),
        lead: None,
        actions: [
            vec![Link::new("/admin/claims", "Claims and withdrawals")],
            files(&staff, &asked.campaign),
        ]
        .concat(),
        filters: asked.fields(choices, &chosen),
        action: "/admin/orders".into(),
        table: table(&rows, &campaigns, &batches),
        empty: Empty {
            text: "No order fits. Orders stand here as soon as somebody joins.".into(),
            action: None,
        },
        pager: (next.is_some() || !asked.cursor.is_empty()).then(|| Pager {
            shown: plural(count, "order"),
            first: (!asked.cursor.is_empty()).then(|| asked.href(None)),
            next,
        }),
    };
    Ok(page.answer())
}
