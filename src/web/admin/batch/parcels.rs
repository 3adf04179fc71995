//! The pick list, one parcel's page, and the parcels as a file.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use super::{href, load, one, title};
use crate::domain::day::parse_local;
use crate::domain::draft::{CampaignDraft, FieldError};
use crate::domain::ids::{OrderId, ShipmentId};
use crate::domain::shipment::{DeliveredBy, ShipmentState, tracking_link};
use crate::domain::text::optional_line;
use crate::store::campaigns::CampaignRow;
use crate::store::orders::{LineRow, OrderRow};
use crate::store::shipments::{Packing, ShipmentLineRow, ShipmentRow};
use crate::store::{Conn, campaigns, orders, shipments};
use crate::web::admin::form::{Pairs, Typed, problems_of};
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::{Cell, Facts, Table, fact, id, short, zone_of};
use crate::web::admin::sheet::{as_text, csv_answer};
use crate::web::pages;
use crate::web::view::{Badge, Field, Link, PanelShell, Problems, grouped, plural};
use crate::workflows::desk::{Problem, offer, order_number};
use crate::workflows::join::Address;
use crate::workflows::ship::{self, Handed, parcel_number};

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

/// An option's name, by its code.
pub(super) fn name_of(terms: &CampaignDraft, sku: &str) -> String {
    let option = terms.options.iter().find(|o| o.sku == sku);
    option.map_or_else(|| sku.to_owned(), |o| o.name.clone())
}

/// `GET /admin/batches/{id}/pick`
pub async fn pick_list(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
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
    let mut units: BTreeMap<String, i64> = BTreeMap::new();
    for line in &lines {
        *units.entry(line.sku.clone()).or_default() += line.units().to_pick();
    }
    let contents = |order: &OrderRow| {
        let mut inside: Vec<String> = lines
            .iter()
            .filter(|l| l.order_id == order.id && l.units().to_pick() > 0)
            .map(|l| format!("{} \u{d7} {}", l.units().to_pick(), name_of(&terms, &l.sku)))
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
    let unit_rows = units.iter().filter(|(_, n)| **n > 0).map(|(sku, n)| {
        vec![
            Cell::text(format!("{} ({sku})", name_of(&terms, sku))),
            Cell::number(grouped(*n)),
        ]
    });
    let page = PickPage {
        shell: staff.shell("batches"),
        title: "Pick list".to_owned(),
        batch: Link::new(href(&batch), title(&campaign, &batch)),
        ready: count,
        packed,
        units: Table::new(
            "Units to fetch",
            vec![("Option", false), ("Units", true)],
            unit_rows.collect(),
        ),
        more: count > AT_ONCE,
        orders: Table::new(
            "Orders to pack",
            vec![
                ("Order", false),
                ("Shopper", false),
                ("To", false),
                ("In the parcel", false),
            ],
            rows.collect(),
        ),
    };
    Ok(pages::private(StatusCode::OK, &page))
}

/// `POST /admin/batches/{id}/pick`: packs what the list shows.
pub async fn pick(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
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

/// A parcel with all it hangs on.
pub(super) struct Known {
    pub(super) parcel: ShipmentRow,
    pub(super) inside: Vec<ShipmentLineRow>,
    pub(super) order: OrderRow,
    pub(super) lines: Vec<LineRow>,
    pub(super) campaign: CampaignRow,
}

pub(super) fn load_parcel(
    conn: &mut Conn,
    merchant: crate::domain::ids::MerchantId,
    id: ShipmentId,
) -> Result<Known, Problem> {
    let parcel = shipments::by_id(conn, id)?
        .filter(|p| p.merchant_id == merchant)
        .ok_or(Problem::NotFound("shipment"))?;
    let order = orders::by_id(conn, parcel.order_id)?.ok_or(Problem::NotFound("order"))?;
    Ok(Known {
        inside: shipments::lines_of(conn, &[id])?,
        lines: orders::lines_of(conn, order.id)?,
        campaign: campaigns::by_id(conn, order.campaign_id)?
            .ok_or(Problem::NotFound("campaign"))?,
        order,
        parcel,
    })
}

async fn known(staff: &Staff, path: &str) -> Result<Known, Refusal> {
    let (merchant, id) = (staff.merchant.id, id(path)?);
    Ok(staff
        .office
        .read(move |conn| load_parcel(conn, merchant, id))
        .await?)
}

/// `/admin/shipments/{id}`
#[derive(Template)]
#[template(path = "admin/parcel.html")]
struct ParcelPage {
    shell: PanelShell,
    title: String,
    href: String,
    batch: Link,
    order: Link,
    badge: Badge,
    stopped: Option<String>,
    lines: Table,
    facts: Facts,
    follow: Option<Link>,
    problems: Problems,
    handover: Vec<Field>,
    may_hand_over: bool,
    may_deliver: bool,
    on_its_way: bool,
}

/// `GET /admin/shipments/{id}`
pub async fn parcel(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let known = known(&staff, &path).await?;
    let page = known.draw(&staff, &Typed::default(), Problems::default())?;
    Ok(pages::private(StatusCode::OK, &page))
}

impl Known {
    fn draw(
        &self,
        staff: &Staff,
        typed: &Typed,
        problems: Problems,
    ) -> Result<ParcelPage, Refusal> {
        let parcel = &self.parcel;
        let zone = zone_of(&self.campaign);
        let terms = offer(&self.campaign)?;
        let rows = self.inside.iter().map(|held| {
            let line = self.lines.iter().find(|l| l.option_id == held.option_id);
            let sku = line.map_or("", |l| l.sku.as_str());
            vec![
                Cell::text(format!("{} ({sku})", name_of(&terms, sku))),
                Cell::number(grouped(held.units)),
            ]
        });
        let mut facts = vec![
            fact("Packed", short(parcel.picked_at, zone)),
            fact("Packed by", parcel.picked_by.clone()),
        ];
        let at = |name, at: Option<_>| at.map(|at| fact(name, short(at, zone)));
        facts.extend(parcel.carrier.clone().map(|c| fact("Carrier", c)));
        facts.extend(
            parcel
                .tracking_number
                .clone()
                .map(|t| fact("Tracking number", t)),
        );
        facts.extend(at("Handed over", parcel.handed_over_at));
        facts.extend(at("Recorded", parcel.recorded_at));
        facts.extend(at("Arrived", parcel.delivered_at));
        facts.extend(parcel.delivered_by.map(|by| fact("Says", by.to_string())));
        let stopped = parcel.state == ShipmentState::Stopped;
        let waits = stopped || parcel.state == ShipmentState::Picked;
        let ships = staff.person.role.may_ship();
        Ok(ParcelPage {
            shell: staff.shell("batches"),
            title: format!("Parcel {}", parcel_number(parcel.number)),
            href: format!("/admin/shipments/{}", parcel.id),
            batch: Link::new(
                format!("/admin/batches/{}", parcel.batch_id),
                &self.campaign.title,
            ),
            order: Link::new(
                format!("/admin/orders/{}", self.order.id),
                order_number(self.order.number),
            ),
            badge: Badge::state(parcel.state.as_str()),
            stopped: parcel
                .stopped_at
                .filter(|_| stopped)
                .map(|at| short(at, zone)),
            lines: Table::new(
                "What is in it",
                vec![("Option", false), ("Units", true)],
                rows.collect(),
            ),
            follow: parcel.tracking_number.as_deref().and_then(|number| {
                let href = tracking_link(parcel.carrier.as_deref(), number)?;
                Some(Link::new(href, "Follow it at the carrier's"))
            }),
            facts,
            handover: handover_fields(parcel, typed, &problems, stopped),
            problems,
            may_hand_over: ships && waits,
            may_deliver: ships && parcel.state == ShipmentState::HandedOver,
            on_its_way: ships && parcel.state == ShipmentState::HandedOver,
        })
    }
}

fn handover_fields(
    parcel: &ShipmentRow,
    typed: &Typed,
    problems: &Problems,
    stopped: bool,
) -> Vec<Field> {
    let or = |name: &str, known: &Option<String>| {
        typed
            .some(name)
            .map_or_else(|| known.clone().unwrap_or_default(), str::to_owned)
    };
    let at = Field::input(
        "datetime-local",
        "handed_over_at",
        "When the carrier took it",
    )
    .value(typed.get("handed_over_at"))
    .problems(problems);
    vec![
        Field::text("carrier", "Carrier")
            .value(or("carrier", &parcel.carrier))
            .max_length(100)
            .optional()
            .problems(problems),
        Field::text("tracking_number", "Tracking number")
            .value(or("tracking_number", &parcel.tracking_number))
            .max_length(100)
            .optional()
            .problems(problems),
        if stopped {
            at.hint("In the campaign's zone. It must be before it was stopped.")
        } else {
            at.hint("In the campaign's zone; left empty: now.")
                .optional()
        },
    ]
}

/// `POST /admin/shipments/{id}/handover`
pub async fn hand_over(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.ships()?;
    let known = known(&staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    let mut errors = Vec::new();
    let mut line = |name: &str| {
        optional_line(typed.some(name), 100).unwrap_or_else(|message| {
            errors.push(FieldError::new(name, message));
            None
        })
    };
    let (carrier, tracking_number) = (line("carrier"), line("tracking_number"));
    let zone = zone_of(&known.campaign);
    let at = typed
        .some("handed_over_at")
        .map(|text| parse_local(text, zone));
    if at == Some(None) {
        errors.push(FieldError::new("handed_over_at", "write a date and a time"));
    }
    let handed = Handed {
        at: at.flatten(),
        carrier,
        tracking_number,
        by: staff.name(),
    };
    let (merchant, id) = (staff.merchant.id, known.parcel.id);
    if errors.is_empty() {
        let done = staff
            .office
            .write(move |desk, tx| ship::hand_over(desk, tx, merchant, id, &handed))
            .await;
        match done {
            Ok(_) => {
                let to = format!("/admin/shipments/{id}");
                return staff.done("The handover is recorded, and the shopper is told.", &to);
            }
            Err(Problem::Invalid(wrong)) => errors = wrong,
            Err(problem) => return Err(problem.into()),
        }
    }
    let page = known.draw(&staff, &typed, problems_of(&errors))?;
    Ok(pages::private(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

/// `POST /admin/shipments/{id}/delivered`
pub async fn delivered(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.ships()?;
    let known = known(&staff, &path).await?;
    let (merchant, id, by) = (staff.merchant.id, known.parcel.id, staff.name());
    staff
        .office
        .write(move |_, tx| ship::arrived(tx, merchant, id, None, DeliveredBy::Staff, &by))
        .await?;
    staff.done("The parcel has arrived.", &format!("/admin/shipments/{id}"))
}

const HEAD: [&str; 16] = [
    "parcel",
    "order",
    "name",
    "line1",
    "line2",
    "city",
    "region",
    "postal_code",
    "country",
    "email",
    "contents",
    "state",
    "carrier",
    "tracking",
    "handed_over_at",
    "delivered_at",
];

/// `GET /admin/batches/{id}/parcels.csv`: every parcel that is packed or on its way. Filled in, it can be imported.
pub async fn export(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.ships()?;
    let (merchant, id) = (staff.merchant.clone(), id(&path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let (campaign, batch) = load(conn, &merchant, id)?;
        let terms = offer(&campaign)?;
        let mut rows = vec![HEAD.map(str::to_owned).to_vec()];
        for state in [ShipmentState::Picked, ShipmentState::HandedOver] {
            for parcel in shipments::in_state(conn, batch.id, state, 100_000)? {
                let known = load_parcel(conn, merchant.id, parcel.id)?;
                rows.push(csv_row(&known, &terms)?);
            }
        }
        Ok((rows, campaign.slug, batch.number))
    });
    let (rows, slug, number) = found.await?;
    csv_answer(&format!("{slug}-{number}-parcels"), rows)
}

fn csv_row(known: &Known, terms: &CampaignDraft) -> Result<Vec<String>, Problem> {
    let Known {
        parcel,
        inside,
        order,
        lines,
        ..
    } = known;
    let address: Address = serde_json::from_str(&order.address)?;
    let contents: Vec<String> = inside
        .iter()
        .map(|held| {
            let line = lines.iter().find(|l| l.option_id == held.option_id);
            let sku = line.map_or("", |l| l.sku.as_str());
            format!("{} x {} ({sku})", held.units, name_of(terms, sku))
        })
        .collect();
    let text = |value: &Option<String>| value.as_deref().map_or_else(String::new, as_text);
    let at = |at: Option<chrono::NaiveDateTime>| {
        at.map_or_else(String::new, |at| at.and_utc().to_rfc3339())
    };
    Ok(vec![
        parcel_number(parcel.number),
        order_number(order.number),
        as_text(&order.name),
        as_text(&address.line1),
        text(&address.line2),
        as_text(&address.city),
        text(&address.region),
        text(&address.postal_code),
        address.country.code().to_owned(),
        as_text(&order.email),
        as_text(&contents.join("; ")),
        parcel.state.to_string(),
        text(&parcel.carrier),
        text(&parcel.tracking_number),
        at(parcel.handed_over_at),
        at(parcel.delivered_at),
    ])
}
