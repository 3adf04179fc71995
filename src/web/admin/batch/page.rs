//! One batch: state, purchase orders, receipts and allocation, parcels.

mod parcel_list;

use self::parcel_list::{Asked, ROWS};
use super::dates::answer_word;
use super::{href, load, title};
use crate::domain::ids::OrderId;
use crate::domain::purchase_order::{EtaState, PurchaseOrderState};
use crate::store::answers::Stand;
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::merchants::MerchantRow;
use crate::store::orders::{LineRow, OrderRow};
use crate::store::purchase_orders::PurchaseOrderRow;
use crate::store::shipments::ShipmentRow;
use crate::store::stock::{PriorityRow, ReceiptLineRow, ReceiptRow};
use crate::store::{Conn, answers, etas, orders, purchase_orders, shipments, stock};
use crate::web::admin::dates::day;
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::{Cell, Facts, Table, fact, id, searchable, short, zone_of};
use crate::web::pages;
use crate::web::view::{Badge, Day, Field, Link, Pager, PanelShell, grouped, plural};
use crate::workflows::desk::{Problem, offer, order_number, purchase_number};
use crate::workflows::receive::{OptionGoods, goods_of};
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;
use chrono::NaiveDateTime;
use chrono_tz::Tz;

/// All that the page says.
struct Known {
    campaign: CampaignRow,
    batch: BatchRow,
    orders: Vec<PurchaseOrderRow>,
    goods: Vec<OptionGoods>,
    receipts: Vec<(ReceiptRow, Vec<ReceiptLineRow>)>,
    first: Vec<(PriorityRow, i64)>,
    listed: Vec<(OrderRow, Vec<LineRow>, Vec<ShipmentRow>)>,
    countries: Vec<String>,
    ready: i64,
    picked: i64,
    answers: Vec<(Stand, i64)>,
    waits: bool,
}

fn read(
    conn: &mut Conn,
    merchant: &MerchantRow,
    id: crate::domain::ids::BatchId,
    asked: &Asked,
    after: Option<OrderId>,
) -> Result<Known, Problem> {
    let (campaign, batch) = load(conn, merchant, id)?;
    let text = searchable(&asked.q);
    let rows = shipments::packing(
        conn,
        id,
        asked.packing(),
        Some(text.as_str()).filter(|t| !t.is_empty()),
        Some(asked.country.as_str()).filter(|c| !c.is_empty()),
        after,
        ROWS,
    )?;
    let ids: Vec<OrderId> = rows.iter().map(|o| o.id).collect();
    let lines = orders::lines_of_all(conn, &ids)?;
    let parcels = shipments::of_orders(conn, &ids)?;
    let receipts = stock::receipts_of(conn, id)?;
    let receipt_ids: Vec<_> = receipts.iter().map(|r| r.id).collect();
    let counted = stock::receipt_lines_of(conn, &receipt_ids)?;
    let mut first = Vec::new();
    for row in stock::put_first_of(conn, id)? {
        let order = orders::by_id(conn, row.order_id)?.ok_or(Problem::NotFound("order"))?;
        first.push((row, order.number));
    }
    let (ready, picked) = shipments::packing_counts(conn, id)?;
    Ok(Known {
        orders: purchase_orders::of_batch(conn, id)?,
        goods: goods_of(conn, &campaign, &batch)?,
        receipts: receipts
            .into_iter()
            .map(|receipt| {
                let its = counted
                    .iter()
                    .filter(|l| l.receipt_id == receipt.id)
                    .cloned()
                    .collect();
                (receipt, its)
            })
            .collect(),
        first,
        listed: rows
            .into_iter()
            .map(|order| {
                let its = |id: OrderId| lines.iter().filter(move |l| l.order_id == id).cloned();
                let parcels = parcels.iter().filter(|p| p.order_id == order.id).cloned();
                (order.clone(), its(order.id).collect(), parcels.collect())
            })
            .collect(),
        countries: shipments::countries(conn, id)?,
        ready,
        picked,
        answers: answers::counts(conn, id)?,
        waits: etas::of_batch(conn, id)?
            .iter()
            .any(|date| date.state == EtaState::Waiting),
        campaign,
        batch,
    })
}

/// One field of the stepper.
struct Step {
    class: &'static str,
    name: &'static str,
    when: String,
}

/// `/admin/batches/{id}`
#[derive(Template)]
#[template(path = "admin/batch.html")]
struct BatchPage {
    shell: PanelShell,
    title: String,
    href: String,
    badge: Badge,
    line: String,
    steps: Vec<Step>,
    orders: Table,
    stock: Table,
    receipts: Table,
    first: Table,
    left_over: Vec<String>,
    ready: i64,
    picked: i64,
    filters: Vec<Field>,
    parcels: Table,
    pager: Option<Pager>,
    dates: Facts,
    waits: bool,
    facts: Facts,
    campaign: Link,
    ships: bool,
    manages: bool,
}

/// `GET /admin/batches/{id}`
pub async fn page(
    staff: Staff,
    path: web::Path<String>,
    asked: web::Query<Asked>,
) -> Result<HttpResponse, Refusal> {
    let (merchant, batch) = (staff.merchant.clone(), id(&path)?);
    let after = match asked.cursor.as_str() {
        "" => None,
        cursor => Some(id(cursor)?),
    };
    let asked = asked.into_inner();
    let filter = asked.clone();
    let known = staff
        .office
        .read(move |conn| read(conn, &merchant, batch, &filter, after))
        .await?;
    Ok(pages::private(StatusCode::OK, &known.draw(&staff, &asked)))
}

impl Known {
    fn draw(&self, staff: &Staff, asked: &Asked) -> BatchPage {
        let zone = zone_of(&self.campaign);
        let paid: i64 = self.goods.iter().map(|g| g.paid).sum();
        BatchPage {
            shell: staff.shell("batches"),
            title: title(&self.campaign, &self.batch),
            href: href(&self.batch),
            badge: Badge::state(self.batch.state.as_str()),
            line: self.line(paid),
            steps: self.steps(zone),
            orders: self.order_table(zone),
            stock: self.stock_table(),
            receipts: self.receipt_table(zone),
            first: self.first_table(zone),
            left_over: self.left_over(),
            ready: self.ready,
            picked: self.picked,
            filters: self.filters(asked),
            parcels: self.parcel_table(),
            pager: self.pager(asked),
            dates: self.dates(),
            waits: self.waits,
            facts: self.facts(zone),
            campaign: Link::new(
                format!("/admin/campaigns/{}", self.campaign.slug),
                &self.campaign.title,
            ),
            ships: staff.person.role.may_ship(),
            manages: staff.person.role.may_manage(),
        }
    }

    fn line(&self, paid: i64) -> String {
        let promised = offer(&self.campaign)
            .map(|d| format!(", promised {}", Day(d.promised_ship_date).text()))
            .unwrap_or_default();
        let now = self
            .batch
            .ship_date
            .map(|day| format!(", now {}", Day(day).text()))
            .unwrap_or_default();
        format!("{}{promised}{now}", plural(paid, "paid unit"))
    }

    fn standing(&self) -> Option<&PurchaseOrderRow> {
        self.orders.iter().find(|p| p.state.stands())
    }

    fn steps(&self, zone: Tz) -> Vec<Step> {
        use PurchaseOrderState as S;
        let Some(po) = self.standing() else {
            return Vec::new();
        };
        let day = |at: Option<NaiveDateTime>| {
            at.map_or_else(String::new, |at| {
                at.and_utc()
                    .with_timezone(&zone)
                    .format("%-d %b")
                    .to_string()
            })
        };
        let sum = |f: fn(&OptionGoods) -> i64| self.goods.iter().map(f).sum::<i64>();
        let arrived = sum(|g| g.stock.good + g.stock.damaged);
        let part = if arrived > 0 {
            format!(
                "{} of {}",
                grouped(arrived),
                grouped(sum(|g| g.stock.ordered))
            )
        } else {
            String::new()
        };
        let all = [
            (S::Sent, "Sent", day(po.sent_at)),
            (S::Acknowledged, "Acknowledged", day(po.acknowledged_at)),
            (S::InProduction, "In production", day(po.in_production_at)),
            (S::InTransit, "In transit", day(po.shipped_at)),
            (S::PartlyReceived, "Partly received", part),
            (S::Received, "Received", day(po.received_at)),
            (S::Closed, "Closed", day(po.closed_at)),
        ];
        let here = all
            .iter()
            .position(|(state, ..)| *state == po.state)
            .unwrap_or(0);
        all.into_iter()
            .enumerate()
            .map(|(at, (_, name, when))| Step {
                class: match at {
                    at if at == here => "now",
                    at if at > here => "next",
                    _ => "",
                },
                name,
                when,
            })
            .collect()
    }

    fn order_table(&self, zone: Tz) -> Table {
        let rows = self.orders.iter().map(|po| {
            let name = po
                .number
                .map_or_else(|| "draft".to_owned(), purchase_number);
            vec![
                Cell::Document(Link::new(
                    format!("/admin/purchase-orders/{}", po.id),
                    format!("{name}, version {}", po.version),
                )),
                Cell::state(po.state.as_str()),
                Cell::number(grouped(po.units)),
                Cell::text(po.sent_at.map_or_else(String::new, |at| short(at, zone))),
                Cell::text(po.tracking_number.clone().unwrap_or_default()),
            ]
        });
        Table::new(
            "Purchase orders of this batch",
            vec![
                ("Purchase order", false),
                ("State", false),
                ("Units", true),
                ("Sent", false),
                ("Tracking", false),
            ],
            rows.collect(),
        )
    }

    fn stock_table(&self) -> Table {
        let number = |n: i64| Cell::number(grouped(n));
        let rows = self.goods.iter().map(|goods| {
            let row = &goods.stock;
            let words = format!("{} of {}", grouped(row.allocated), grouped(goods.paid));
            vec![
                Cell::text(format!("{} ({})", goods.name, goods.sku)),
                number(row.ordered),
                number(row.good),
                number(row.damaged),
                number(row.short),
                number(row.awaited()),
                Cell::Progress(row.allocated, goods.paid.max(1), words),
                number(goods.waiting),
            ]
        });
        Table::new(
            "Receipts and allocation",
            vec![
                ("Option", false),
                ("Bought", true),
                ("Good", true),
                ("Damaged", true),
                ("Short", true),
                ("Expected", true),
                ("Given to orders", false),
                ("Waiting", true),
            ],
            rows.collect(),
        )
    }

    fn receipt_table(&self, zone: Tz) -> Table {
        let sku = |option| {
            self.goods
                .iter()
                .find(|g| g.stock.option_id == option)
                .map_or("", |g| g.sku.as_str())
        };
        let rows = self.receipts.iter().rev().map(|(receipt, lines)| {
            let counted: Vec<String> = lines
                .iter()
                .map(|l| {
                    let damaged = if l.damaged == 0 {
                        String::new()
                    } else {
                        format!(", {} damaged", l.damaged)
                    };
                    format!("{} {}{damaged}", l.good, sku(l.option_id))
                })
                .collect();
            let kind = if receipt.correction {
                "Correction"
            } else {
                "Receipt"
            };
            vec![
                Cell::text(format!("{kind} {}", receipt.number)),
                Cell::when(receipt.counted_at, zone),
                Cell::text(&receipt.counted_by),
                Cell::text(counted.join("; ")),
                Cell::text(receipt.note.clone().unwrap_or_default()),
            ]
        });
        Table::new(
            "Counted deliveries",
            vec![
                ("Receipt", false),
                ("Counted", false),
                ("By", false),
                ("Good units", false),
                ("Note", false),
            ],
            rows.collect(),
        )
    }

    fn first_table(&self, zone: Tz) -> Table {
        let rows = self.first.iter().map(|(row, number)| {
            vec![
                Cell::Document(Link::new(
                    format!("/admin/orders/{}", row.order_id),
                    order_number(*number),
                )),
                Cell::text(&row.reason),
                Cell::text(&row.set_by),
                Cell::when(row.at, zone),
            ]
        });
        Table::new(
            "Orders that go first",
            vec![
                ("Order", false),
                ("Reason", false),
                ("By", false),
                ("When", false),
            ],
            rows.collect(),
        )
    }

    /// What lies there for nobody.
    fn left_over(&self) -> Vec<String> {
        self.goods
            .iter()
            .filter(|g| g.stock.free() > 0)
            .map(|g| {
                let sale = match g.stock.on_sale {
                    0 => "none of them on sale".to_owned(),
                    n => format!("{} on sale at once", grouped(n)),
                };
                format!("{} of {}, {sale}.", plural(g.stock.free(), "unit"), g.name)
            })
            .collect()
    }

    /// What was promised, what is known, and what shoppers said to it.
    fn dates(&self) -> Facts {
        let mut facts = Vec::new();
        if let Ok(draft) = offer(&self.campaign) {
            facts.push(fact("Promised", Day(draft.promised_ship_date).text()));
            facts.push(fact("The goods arrive", day(self.batch.arrives)));
            facts.push(fact("Parcels go out", day(self.batch.ship_date)));
            facts.push(fact("Stop-loss", Day(draft.stop_loss_date).text()));
        }
        for (stand, n) in &self.answers {
            facts.push(fact(&answer_word(*stand).text, n.to_string()));
        }
        facts
    }

    fn facts(&self, zone: Tz) -> Facts {
        let mut facts = Vec::new();
        let received = self.batch.received_at;
        facts.extend(received.map(|at| fact("Everything arrived", short(at, zone))));
        let completed = self.batch.completed_at;
        facts.extend(completed.map(|at| fact("Completed", short(at, zone))));
        facts
    }
}
