//! One parcel: its page, its handover and its arrival.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use askama::Template;

use crate::domain::day::parse_local;
use crate::domain::draft::{CampaignDraft, FieldError};
use crate::domain::ids::{MerchantId, ShipmentId};
use crate::domain::shipment::{DeliveredBy, ShipmentState, tracking_link};
use crate::domain::text::optional_line;
use crate::store::campaigns::CampaignRow;
use crate::store::orders::{LineRow, OrderRow};
use crate::store::shipments::{ShipmentLineRow, ShipmentRow};
use crate::store::{Conn, campaigns, orders, shipments};
use crate::web::admin::form::{Pairs, Typed, problems_of};
use crate::web::admin::guard::{Refusal, Staff};
use crate::web::admin::kit::{Cell, Facts, Table, fact, id, short, zone_of};
use crate::web::pages;
use crate::web::view::{Badge, Field, Link, PanelShell, Problems, grouped};
use crate::workflows::desk::{Problem, offer, order_number};
use crate::workflows::ship::{self, Handed, parcel_number};

/// An option's name, by its code.
pub(super) fn name_of(terms: &CampaignDraft, sku: &str) -> String {
    let option = terms.options.iter().find(|o| o.sku == sku);
    option.map_or_else(|| sku.to_owned(), |o| o.name.clone())
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
    merchant: MerchantId,
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
pub async fn page(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
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
