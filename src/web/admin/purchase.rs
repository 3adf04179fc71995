//! A purchase order: what is bought, what stands in its way and the ways out, sending it, paper and CSV.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::{DateTime, Utc};

use super::form::{Pairs, Typed};
use super::guard::{Refusal, Staff};
use super::kit::{Cell, Facts, Table, act, fact, id, short, zone_of};
use super::sheet::{as_text, csv_answer, decimal};
use crate::domain::campaign::CampaignState;
use crate::domain::ids::{PurchaseOrderId, SupplierId};
use crate::domain::purchase_order::PurchaseOrderState;
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::mails::MailRow;
use crate::store::merchants::{MerchantRow, SupplierRow};
use crate::store::purchase_orders::PurchaseOrderRow;
use crate::store::{Conn, Tx, campaigns, mails, merchants, orders, purchase_orders};
use crate::web::pages;
use crate::web::view::{
    Badge, Choice, Day, Field, Link, Moment, PanelShell, PoDocument, PoLine, PurchaseOrderPage,
    grouped, plural,
};
use crate::workflows::desk::{Desk, Problem, offer, purchase_number};
use crate::workflows::money::say;
use crate::workflows::purchase::{self, Document, Sent, say_blocked};

/// Mounts them.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/purchase-orders/{id}", web::get().to(page))
        .route("/purchase-orders/{id}/send", web::post().to(send))
        .route("/purchase-orders/{id}/mail", web::post().to(mail_again))
        .route("/purchase-orders/{id}/print", web::get().to(print))
        .route("/purchase-orders/{id}/lines.csv", web::get().to(csv));
}

/// Whether a supplier could take the order as it is, and what it would cost.
struct Way {
    supplier: SupplierRow,
    total: String,
    stands: Option<String>,
}

struct Known {
    row: PurchaseOrderRow,
    document: Document,
    batch: BatchRow,
    campaign: CampaignRow,
    ways: Vec<Way>,
    mails: Vec<MailRow>,
    earlier: Vec<PurchaseOrderRow>,
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
    let mut ways = Vec::new();
    if row.state == PurchaseOrderState::Draft {
        let draft = offer(&campaign)?;
        let paid: Vec<_> = orders::paid_units(conn, batch.id)?
            .into_iter()
            .filter(|(_, units)| *units > 0)
            .collect();
        for supplier in merchants::suppliers_of(conn, merchant.id)? {
            let mut tx = Tx::new(conn, now);
            let (document, stands) =
                purchase::document(&mut tx, &campaign, &draft, &paid, Some(&supplier))?;
            ways.push(Way {
                total: say(document.total, &document.currency),
                stands: stands.map(|s| say_blocked(s, &document)),
                supplier,
            });
        }
    }
    let sent = mails::of_merchant(conn, merchant.id, None, None, 200)?;
    Ok(Known {
        document: serde_json::from_str(&row.document)?,
        ways,
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
    })
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
    href: String,
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
    let draft =
        row.state == PurchaseOrderState::Draft && campaign.state == CampaignState::Collecting;
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
            format!("{}, {}, {can}", way.supplier.name, way.total),
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
        campaign: Link::new(format!("/admin/campaigns/{}", campaign.slug), &campaign.title),
        steps: known.steps(zone),
        blocked: batch.blocked.filter(|_| draft).map(|blocked| {
            vec![
                say_blocked(blocked, document),
                format!(
                    "Choose another supplier, change the supplier's terms or costs, or let it be: in {} the campaign fails \
                     and everybody is refunded.",
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
        facts: {
            let mut facts = vec![fact("Drafted", short(row.created_at, zone))];
            facts.extend(row.sent_at.map(|at| fact("Sent", short(at, zone))));
            facts.extend(row.acknowledged_at.map(|at| fact("Acknowledged", short(at, zone))));
            facts.extend(row.note.clone().map(|note| fact("Supplier's note", note)));
            facts.extend(document.wanted_by.map(|day| fact("Wanted by", Day(day).text())));
            facts.push(fact("Safety", format!("{} %", document.safety_percent)));
            facts.push(fact("Case of", grouped(document.case_pack)));
            facts
        },
        mails: known.mail_table(),
        earlier: known.earlier_table(),
        href: format!("/admin/purchase-orders/{}", row.id),
        issued: row.sent_at.is_some(),
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

    fn steps(&self, zone: chrono_tz::Tz) -> Vec<Step> {
        use PurchaseOrderState as S;
        let when = |at: Option<chrono::NaiveDateTime>| {
            at.map_or_else(String::new, |at| {
                let at = at.and_utc().with_timezone(&zone);
                at.format("%-d %b").to_string()
            })
        };
        let all = [
            (S::Draft, "Draft", when(Some(self.row.created_at))),
            (S::Sent, "Sent", when(self.row.sent_at)),
            (
                S::Acknowledged,
                "Acknowledged",
                when(self.row.acknowledged_at),
            ),
        ];
        let here = all.iter().position(|(state, ..)| *state == self.row.state);
        all.into_iter()
            .enumerate()
            .map(|(at, (_, name, when))| Step {
                class: match here {
                    Some(here) if at == here && at < 2 => "now",
                    Some(here) if at > here => "next",
                    Some(_) => "",
                    None => "next",
                },
                name: name.to_owned(),
                when,
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
            sum(|l| l.case_fill),
            sum(|l| l.units),
            Cell::number(""),
            Cell::number(money(document.total)),
        ];
        table
    }

    fn way_table(&self) -> Table {
        let rows = self.ways.iter().map(|way| {
            let stands = way
                .stands
                .clone()
                .unwrap_or_else(|| "Can take it as it is.".into());
            let href = format!("/admin/suppliers/{}", way.supplier.id);
            vec![
                Cell::Link(Link::new(href, &way.supplier.name)),
                Cell::text(stands),
                Cell::number(plural(way.supplier.lead_time_days.into(), "day")),
                Cell::number(&way.total),
            ]
        });
        Table::new(
            "Who could take it",
            vec![
                ("Supplier", false),
                ("Whether", false),
                ("Lead time", true),
                ("Total", true),
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

/// `POST /admin/purchase-orders/{id}/send`
pub async fn send(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = one(&staff, &path).await?;
    if known.row.state != PurchaseOrderState::Draft
        || known.campaign.state != CampaignState::Collecting
    {
        return Err(Problem::conflict(
            "wrong-state",
            "This purchase order is not waiting to be sent.",
        )
        .into());
    }
    let typed = Typed::from(form.into_inner());
    let supplier: Option<SupplierId> = typed.some("supplier").map(id).transpose()?;
    if supplier.is_some_and(|s| known.ways.iter().all(|w| w.supplier.id != s)) {
        return Err(Refusal::NotFound);
    }
    let campaign = known.campaign.id;
    let sent = staff
        .office
        .write(move |desk, tx| purchase::send(desk, tx, campaign, supplier))
        .await?;
    let href = format!("/admin/purchase-orders/{}", known.row.id);
    match sent {
        Sent::Done => staff.done("It is on its way to the supplier.", &href),
        Sent::Blocked(..) => staff.done("It is still blocked; see what stands in its way.", &href),
    }
}

/// `POST /admin/purchase-orders/{id}/mail`
pub async fn mail_again(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = one(&staff, &path).await?;
    let po = known.row.id;
    let f = move |desk: &Desk, tx: &mut Tx| purchase::send_mail_again(desk, tx, po);
    let said = "The mail goes out once more: same number, same content, same link.";
    act(&staff, f, said, &format!("/admin/purchase-orders/{po}")).await
}

/// `GET /admin/purchase-orders/{id}/print`
pub async fn print(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let known = one(&staff, &path).await?;
    let Known {
        row,
        document,
        campaign,
        ..
    } = &known;
    let with_name = |name: &str, address: &str| {
        let mut lines = vec![name.to_owned()];
        lines.extend(address.lines().map(str::to_owned));
        lines.retain(|l| !l.trim().is_empty());
        lines
    };
    let money = |amount: i64| say(amount, &document.currency);
    let page = PurchaseOrderPage {
        back: format!("/admin/purchase-orders/{}", row.id),
        document: PoDocument {
            number: known.title(),
            version: row.version.into(),
            date: Moment::new(
                row.sent_at.unwrap_or(row.created_at).and_utc(),
                zone_of(campaign),
            ),
            buyer: with_name(&document.merchant, &document.merchant_address),
            supplier: with_name(&document.supplier, &document.supplier_address),
            deliver_to: with_name(&document.merchant, &document.merchant_address),
            campaign: document.campaign.clone(),
            lines: document
                .lines
                .iter()
                .map(|line| PoLine {
                    sku: line.sku.clone(),
                    name: line.name.clone(),
                    units: line.units,
                    unit_cost: line.unit_cost.map_or_else(String::new, money),
                    total: line
                        .unit_cost
                        .map_or_else(String::new, |c| money(c.saturating_mul(line.units))),
                })
                .collect(),
            units: document.units(),
            total: money(document.total),
            wanted_by: document.wanted_by.map(Day),
        },
    };
    Ok(pages::private(StatusCode::OK, &page))
}

/// `GET /admin/purchase-orders/{id}/lines.csv`
pub async fn csv(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let known = one(&staff, &path).await?;
    let document = &known.document;
    let head = [
        "sku",
        "name",
        "ordered",
        "safety",
        "case_fill",
        "units",
        "unit_cost",
        "total",
        "currency",
    ];
    let mut rows = vec![head.map(str::to_owned).to_vec()];
    for line in &document.lines {
        let money = |amount: i64| decimal(amount, &document.currency);
        let total = line.unit_cost.map(|c| c.saturating_mul(line.units));
        rows.push(vec![
            as_text(&line.sku),
            as_text(&line.name),
            line.paid.to_string(),
            line.safety.to_string(),
            line.case_fill.to_string(),
            line.units.to_string(),
            line.unit_cost.map_or_else(String::new, money),
            total.map_or_else(String::new, money),
            document.currency.clone(),
        ]);
    }
    let name = known
        .row
        .number
        .map_or_else(|| "draft".into(), purchase_number);
    csv_answer(&format!("{name}-v{}", known.row.version), rows)
}
