//! A purchase order: what is bought, how far it is, its dates, what stands in its way and the ways out.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, NaiveDate, Utc};

mod dates;
mod deeds;
mod paper;

use super::guard::{Refusal, Staff};
use super::kit::{Cell, Facts, Table, fact, id, short, zone_of};
use crate::domain::campaign::BatchState;
use crate::domain::ids::PurchaseOrderId;
use crate::domain::purchase_order::{PurchaseOrderEvent, PurchaseOrderState};
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::etas::EtaRow;
use crate::store::mails::MailRow;
use crate::store::merchants::MerchantRow;
use crate::store::purchase_orders::PurchaseOrderRow;
use crate::store::{Conn, Tx, campaigns, etas, mails, purchase_orders};
use crate::web::pages;
use crate::web::view::{Badge, Choice, Day, Field, Link, PanelShell, grouped, plural};
use crate::workflows::desk::{Problem, purchase_number};
use crate::workflows::money::say;
use crate::workflows::purchase::ways::{Way, ways};
use crate::workflows::purchase::{Document, say_blocked};

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    let at = |below: &str| format!("/purchase-orders/{{id}}{below}");
    cfg.route(&at(""), web::get().to(page))
        .route(&at("/send"), web::post().to(deeds::send))
        .route(&at("/mail"), web::post().to(deeds::mail_again))
        .route(&at("/ways/{deed}"), web::get().to(deeds::ask))
        .route(&at("/ways/{deed}"), web::post().to(deeds::act))
        .route(&at("/dates/{date}/pass-on"), web::post().to(dates::pass_on))
        .route(&at("/dates/{date}/keep"), web::post().to(dates::keep))
        .route(&at("/dates/{date}/edit"), web::get().to(dates::ask))
        .route(&at("/dates/{date}/edit"), web::post().to(dates::edit))
        .route(&at("/print"), web::get().to(paper::print))
        .route(&at("/lines.csv"), web::get().to(paper::csv));
}

struct Known {
    row: PurchaseOrderRow,
    document: Document,
    batch: BatchRow,
    campaign: CampaignRow,
    ways: Vec<Way>,
    dates: Vec<EtaRow>,
    mails: Vec<MailRow>,
    earlier: Vec<PurchaseOrderRow>,
}

impl Known {
    /// Whether it waits to be sent.
    fn is_draft(&self) -> bool {
        self.row.state == PurchaseOrderState::Draft && self.batch.state == BatchState::Collecting
    }

    /// Whether another one may take its place.
    fn is_replaceable(&self) -> bool {
        let runs = matches!(
            self.batch.state,
            BatchState::Ordered | BatchState::Fulfilling
        );
        let sent = self.row.state != PurchaseOrderState::Draft;
        runs && sent && self.row.state.after(PurchaseOrderEvent::Replaced).is_ok()
    }

    /// The day its supplier's goods are expected: the last date given, else by the lead time.
    fn expected(&self) -> Option<NaiveDate> {
        let mine = self.dates.iter().rev();
        let given = mine.filter(|d| d.purchase_order_id == Some(self.row.id));
        let given = given.map(|d| d.arrives).next();
        given.unwrap_or(self.document.wanted_by)
    }
}

fn load(
    conn: &mut Conn,
    merchant: &MerchantRow,
    id: PurchaseOrderId,
    now: DateTime<Utc>,
) -> Result<Known, Problem> {
    let row = purchase_orders::by_id(conn, id)?
        .filter(|po| po.merchant_id == merchant.id)
        .ok_or(Problem::NotFound("purchase order"))?;
    let batch = campaigns::batch(conn, row.batch_id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign =
        campaigns::by_id(conn, batch.campaign_id)?.ok_or(Problem::NotFound("campaign"))?;
    let sent = mails::of_merchant(conn, merchant.id, None, None, 200)?;
    let mut known = Known {
        document: serde_json::from_str(&row.document)?,
        ways: Vec::new(),
        dates: etas::of_batch(conn, batch.id)?,
        mails: sent
            .into_iter()
            .filter(|m| m.purchase_order_id == Some(id))
            .collect(),
        earlier: purchase_orders::of_batch(conn, batch.id)?
            .into_iter()
            .filter(|po| po.id != id)
            .collect(),
        row,
        batch,
        campaign,
    };
    if known.is_draft() || known.is_replaceable() {
        let mut tx = Tx::new(conn, now);
        known.ways = ways(&mut tx, &known.campaign, &known.row)?;
    }
    Ok(known)
}

async fn one(staff: &Staff, path: &str) -> Result<Known, Refusal> {
    let (merchant, id, now) = (staff.merchant.clone(), id(path)?, staff.office.now());
    Ok(staff
        .office
        .read(move |conn| load(conn, &merchant, id, now))
        .await?)
}

/// One field of the stepper.
struct Step {
    class: &'static str,
    name: String,
    when: String,
}

/// `/admin/purchase-orders/{id}`
#[derive(Template)]
#[template(path = "admin/purchase_order.html")]
struct OrderPage {
    shell: PanelShell,
    title: String,
    badge: Badge,
    line: String,
    campaign: Link,
    steps: Vec<Step>,
    blocked: Option<Vec<String>>,
    ways: Table,
    suppliers: Option<Field>,
    lines: Table,
    supplier: Vec<String>,
    facts: Facts,
    mails: Table,
    earlier: Table,
    dates: Table,
    waiting: Vec<dates::Waiting>,
    rejected: Option<String>,
    deeds: Vec<Link>,
    href: String,
    batch_href: String,
    issued: bool,
    draft: bool,
    manages: bool,
    supplier_href: Option<String>,
}

/// `GET /admin/purchase-orders/{id}`
pub async fn page(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let known = one(&staff, &path).await?;
    Ok(pages::private(StatusCode::OK, &draw(&staff, &known)))
}

fn draw(staff: &Staff, known: &Known) -> OrderPage {
    let Known {
        row,
        document,
        batch,
        campaign,
        ..
    } = known;
    let zone = zone_of(campaign);
    let title = known.title();
    let draft = known.is_draft();
    let links = &staff.office.desk().links;
    let days = batch
        .blocked_since
        .map(|since| 7 - (staff.office.now().naive_utc() - since).num_days());
    let mut choices: Vec<Choice> = Vec::new();
    for way in &known.ways {
        let can = if way.stands.is_none() {
            "can take it"
        } else {
            "blocked"
        };
        choices.push(Choice::new(
            way.supplier.id.to_string(),
            format!("{}, {}, {can}", way.supplier.name, known.cost_of(way)),
        ));
    }
    OrderPage {
        shell: staff.shell("campaigns"),
        badge: Badge::state(row.state.as_str()),
        line: format!(
            "{}, {} paid, version {}",
            plural(row.units, "unit"),
            grouped(row.units_paid),
            row.version
        ),
        campaign: Link::new(format!("/admin/campaigns/{}", campaign.slug), document.purpose()),
        steps: known.steps(zone),
        blocked: batch.blocked.filter(|_| draft).map(|blocked| {
            vec![
                say_blocked(blocked, document),
                format!(
                    "Choose another supplier, change the supplier's terms or costs, or let it be: in {} its batch fails \
                     and everybody in it is refunded.",
                    plural(days.unwrap_or(7).max(0), "day")
                ),
            ]
        }),
        ways: known.way_table(),
        suppliers: (draft && staff.person.role.may_manage() && !choices.is_empty()).then(|| {
            let chosen = row.supplier_id.map(|id| id.to_string()).unwrap_or_default();
            Field::select("supplier", "Supplier", choices).value(chosen)
        }),
        lines: known.line_table(),
        supplier: {
            let mut lines = vec![document.supplier.clone(), document.supplier_email.clone()];
            lines.extend(document.supplier_address.lines().map(str::to_owned));
            lines.retain(|l| !l.is_empty());
            lines
        },
        facts: known.facts(zone),
        dates: known.date_table(zone),
        waiting: known.waiting(zone, staff.office.now()),
        rejected: (row.state == PurchaseOrderState::Rejected)
            .then(|| row.rejected_because.clone().unwrap_or_default()),
        deeds: if staff.person.role.may_manage() {
            known.deeds()
        } else {
            Vec::new()
        },
        mails: known.mail_table(),
        earlier: known.earlier_table(),
        href: format!("/admin/purchase-orders/{}", row.id),
        batch_href: format!("/admin/batches/{}", batch.id),
        issued: row.state.stands(),
        draft,
        manages: staff.person.role.may_manage(),
        supplier_href: row
            .sent_at
            .map(|_| format!("/s/{}", links.supplier_token(row.id, row.version))),
        title,
    }
}

impl Known {
    fn title(&self) -> String {
        self.row
            .number
            .map_or_else(|| "Purchase order, draft".to_owned(), purchase_number)
    }

    fn facts(&self, zone: chrono_tz::Tz) -> Facts {
        let Known { row, document, .. } = self;
        let mut facts = vec![fact("Drafted", short(row.created_at, zone))];
        let at = |name: &str, at: Option<chrono::NaiveDateTime>| {
            at.map(|at| fact(name, short(at, zone)))
        };
        facts.extend(at("Sent", row.sent_at));
        facts.extend(at("Acknowledged", row.acknowledged_at));
        facts.extend(row.note.clone().map(|note| fact("Supplier's note", note)));
        facts.extend(at("In production", row.in_production_at));
        facts.extend(at("Shipped", row.shipped_at));
        let by = [row.carrier.clone(), row.tracking_number.clone()];
        let by: Vec<String> = by.into_iter().flatten().collect();
        if !by.is_empty() {
            facts.push(fact("By", by.join(", ")));
        }
        facts.extend(at("Rejected", row.rejected_at));
        facts.extend(at("Withdrawn", row.withdrawn_at));
        facts.extend(
            row.withdrawn_because
                .clone()
                .map(|why| fact("Because", why)),
        );
        facts.extend(
            document
                .wanted_by
                .map(|day| fact("Wanted by", Day(day).text())),
        );
        facts.push(fact("Safety", format!("{} %", document.safety_percent)));
        facts.push(fact("Added", grouped(row.added_units)));
        facts.push(fact("Case of", grouped(document.case_pack)));
        facts
    }

    /// The way of a purchase order, and how far this one came.
    fn steps(&self, zone: chrono_tz::Tz) -> Vec<Step> {
        use PurchaseOrderState as S;
        let row = &self.row;
        let when = |at: Option<chrono::NaiveDateTime>| {
            at.map_or_else(String::new, |at| {
                let at = at.and_utc().with_timezone(&zone);
                at.format("%-d %b").to_string()
            })
        };
        let way = [
            (S::Draft, Some(row.created_at)),
            (S::Sent, row.sent_at),
            (S::Acknowledged, row.acknowledged_at),
            (S::InProduction, row.in_production_at),
            (S::InTransit, row.shipped_at),
            (S::PartlyReceived, None),
            (S::Received, row.received_at),
            (S::Closed, row.closed_at),
        ];
        let name = |state: S| crate::web::view::state_word(state.as_str());
        let here = way.iter().position(|(state, _)| *state == row.state);
        let Some(here) = here else {
            // It left the way: what it came through, and how it ended.
            let came = way.iter().filter(|(_, at)| at.is_some());
            let mut steps: Vec<Step> = came
                .map(|(state, at)| Step {
                    class: "",
                    name: name(*state),
                    when: when(*at),
                })
                .collect();
            steps.push(Step {
                class: "now",
                name: name(row.state),
                when: when(row.withdrawn_at.or(row.rejected_at)),
            });
            return steps;
        };
        let last = way.len() - 1;
        way.iter()
            .enumerate()
            .map(|(at, (state, moment))| Step {
                class: match at {
                    at if at == here && at < last => "now",
                    at if at > here => "next",
                    _ => "",
                },
                name: name(*state),
                when: when(*moment),
            })
            .collect()
    }

    fn line_table(&self) -> Table {
        let document = &self.document;
        let money = |amount: i64| say(amount, &document.currency);
        let number = |n: i64| Cell::number(grouped(n));
        let rows = document.lines.iter().map(|line| {
            let total = line.unit_cost.map(|c| c.saturating_mul(line.units));
            vec![
                Cell::text(format!("{} ({})", line.name, line.sku)),
                number(line.paid),
                number(line.safety),
                number(line.added),
                number(line.case_fill),
                number(line.units),
                Cell::number(line.unit_cost.map_or_else(|| "missing".into(), money)),
                Cell::number(total.map_or_else(String::new, money)),
            ]
        });
        let sum = |f: fn(&crate::domain::purchase_order::PurchaseLine) -> i64| {
            Cell::number(grouped(document.lines.iter().map(f).sum()))
        };
        let mut table = Table::new(
            format!("Lines of {}", self.title()),
            vec![
                ("Option", false),
                ("Ordered", true),
                ("Safety", true),
                ("Added", true),
                ("Case fill", true),
                ("Bought", true),
                ("Unit cost", true),
                ("Total", true),
            ],
            rows.collect(),
        );
        table.foot = vec![
            Cell::text("Total"),
            sum(|l| l.paid),
            sum(|l| l.safety),
            sum(|l| l.added),
            sum(|l| l.case_fill),
            sum(|l| l.units),
            Cell::number(""),
            Cell::number(money(document.total)),
        ];
        table
    }

    /// What it would cost there.
    fn cost_of(&self, way: &Way) -> String {
        say(way.document.total, &way.document.currency)
    }

    /// The difference in cost and in days to this purchase order, in words.
    fn differences(&self, way: &Way) -> (String, String) {
        let mine = self.row.supplier_id.is_some() && self.document.total > 0;
        let cost = if !mine {
            String::new()
        } else if way.document.currency != self.document.currency {
            "another currency".to_owned()
        } else {
            let amount = |n: i64| say(n, &self.document.currency);
            match way.document.total - self.document.total {
                0 => "the same".to_owned(),
                n if n > 0 => format!("{} more", amount(n)),
                n => format!("{} less", amount(-n)),
            }
        };
        let days = match (self.expected().filter(|_| mine), way.document.wanted_by) {
            (Some(now), Some(then)) => match (then - now).num_days() {
                0 => "the same day".to_owned(),
                n if n > 0 => format!("{} later", plural(n, "day")),
                n => format!("{} earlier", plural(-n, "day")),
            },
            _ => String::new(),
        };
        (cost, days)
    }

    fn way_table(&self) -> Table {
        let rows = self.ways.iter().map(|way| {
            let stands = match (&way.stands, way.missing) {
                (None, _) => "Can take it as it is.".to_owned(),
                (Some(stands), None) => stands.clone(),
                (Some(stands), Some(more)) => {
                    format!("{stands} With {} more it can.", plural(more, "unit"))
                }
            };
            let href = format!("/admin/suppliers/{}", way.supplier.id);
            let (cost, days) = self.differences(way);
            let arrives = way.document.wanted_by.map(|day| Day(day).text());
            vec![
                Cell::Link(Link::new(href, &way.supplier.name)),
                Cell::text(stands),
                Cell::number(self.cost_of(way)),
                Cell::number(cost),
                Cell::number(arrives.unwrap_or_default()),
                Cell::number(days),
            ]
        });
        Table::new(
            "Who could take it",
            vec![
                ("Supplier", false),
                ("Whether", false),
                ("Total", true),
                ("Difference", true),
                ("Arrives", true),
                ("Later", true),
            ],
            rows.collect(),
        )
    }

    fn mail_table(&self) -> Table {
        let rows = self.mails.iter().map(|mail| {
            vec![
                Cell::Badge(super::order::mail_badge(&mail.state)),
                Cell::Link(Link::new(
                    format!("/admin/mails/{}", mail.id),
                    &mail.subject,
                )),
                Cell::text(mail.problem.clone().unwrap_or_default()),
            ]
        });
        Table::new(
            "Its mails",
            vec![("State", false), ("Subject", false), ("Problem", false)],
            rows.collect(),
        )
    }

    fn earlier_table(&self) -> Table {
        let rows = self.earlier.iter().map(|po| {
            let name = po
                .number
                .map_or_else(|| "Draft".to_owned(), purchase_number);
            vec![
                Cell::Document(Link::new(format!("/admin/purchase-orders/{}", po.id), name)),
                Cell::text(po.version.to_string()),
                Cell::state(po.state.as_str()),
                Cell::number(grouped(po.units)),
            ]
        });
        Table::new(
            "Others of this batch",
            vec![
                ("Number", false),
                ("Version", false),
                ("State", false),
                ("Units", true),
            ],
            rows.collect(),
        )
    }
}
