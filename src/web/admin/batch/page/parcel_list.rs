//! The parcels on a batch's page: its orders as whoever packs them sees them, narrowed by a filter, page by page.

use serde::Deserialize;

use super::Known;
use crate::domain::country::Country;
use crate::domain::order::{Delivery, OrderState};
use crate::domain::shipment::ShipmentState;
use crate::store::campaigns::BatchRow;
use crate::store::orders::{LineRow, OrderRow};
use crate::store::shipments::{Packing, ShipmentRow};
use crate::web::admin::batch::href;
use crate::web::admin::guard::escape;
use crate::web::admin::kit::{Cell, Table};
use crate::web::view::{Badge, Choice, Field, Link, Pager, Tone, grouped, plural};
use crate::workflows::desk::order_number;
use crate::workflows::ship::parcel_number;

/// How many orders the list of parcels shows.
pub(super) const ROWS: i64 = 25;

/// The filter of the parcels, as it stands in the address.
#[derive(Deserialize, Default, Clone)]
#[serde(default)]
pub struct Asked {
    pub(super) q: String,
    state: String,
    pub(super) country: String,
    pub(super) cursor: String,
}

/// What the list of parcels may be narrowed to, with the words for it.
const STATES: [(&str, &str, Packing); 7] = [
    ("ready", "Ready to pack", Packing::Ready),
    ("part", "Part ready", Packing::PartReady),
    ("picked", "Packed", Packing::Picked),
    ("stopped", "Stopped", Packing::Stopped),
    ("backordered", "Backordered", Packing::Backordered),
    ("shipped", "On its way", Packing::OnItsWay),
    ("delivered", "Delivered", Packing::Delivered),
];

impl Asked {
    pub(super) fn packing(&self) -> Option<Packing> {
        STATES
            .iter()
            .find(|(word, ..)| *word == self.state)
            .map(|(.., packing)| *packing)
    }

    fn href(&self, batch: &BatchRow, cursor: Option<&str>) -> String {
        let wanted = [
            ("q", self.q.as_str()),
            ("state", &self.state),
            ("country", &self.country),
            ("cursor", cursor.unwrap_or_default()),
        ];
        let parts: Vec<String> = wanted
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", escape(value)))
            .collect();
        format!("{}?{}#h-ship", href(batch), parts.join("&"))
    }
}

impl Known {
    pub(super) fn filters(&self, asked: &Asked) -> Vec<Field> {
        let mut states = vec![Choice::new("", "All")];
        states.extend(
            STATES
                .iter()
                .map(|(word, label, _)| Choice::new(*word, *label)),
        );
        let mut countries = vec![Choice::new("", "All")];
        countries.extend(self.countries.iter().map(|code| {
            let name = Country::parse(code).map_or(code.as_str(), |c| c.name());
            Choice::new(code, name)
        }));
        vec![
            Field::input("search", "q", "Find name, mail or number")
                .value(&asked.q)
                .optional(),
            Field::select("state", "State", states).value(&asked.state),
            Field::select("country", "Country", countries).value(&asked.country),
        ]
    }

    pub(super) fn parcel_table(&self) -> Table {
        let rows = self.listed.iter().map(|(order, lines, parcels)| {
            let wanted: i64 = lines.iter().map(|l| l.units().wanted()).sum();
            let tracking = parcels.iter().map(parcel_words).collect::<Vec<_>>();
            vec![
                Cell::Document(Link::new(
                    format!("/admin/orders/{}", order.id),
                    order_number(order.number),
                )),
                Cell::text(&order.name),
                Cell::text(&order.country),
                Cell::number(grouped(wanted)),
                Cell::Badge(standing(order, lines, parcels)),
                match parcels.last() {
                    Some(last) => Cell::Link(Link::new(
                        format!("/admin/shipments/{}", last.id),
                        tracking.join("; "),
                    )),
                    None => Cell::text("none yet"),
                },
            ]
        });
        Table::new(
            "Parcels of this batch",
            vec![
                ("Order", false),
                ("Shopper", false),
                ("To", false),
                ("Units", true),
                ("State", false),
                ("Parcel", false),
            ],
            rows.collect(),
        )
    }

    pub(super) fn pager(&self, asked: &Asked) -> Option<Pager> {
        let count = i64::try_from(self.listed.len()).unwrap_or(0);
        let next = self
            .listed
            .last()
            .filter(|_| count == ROWS)
            .map(|(o, ..)| asked.href(&self.batch, Some(&o.id.to_string())));
        (next.is_some() || !asked.cursor.is_empty()).then(|| Pager {
            shown: plural(count, "order"),
            first: (!asked.cursor.is_empty()).then(|| asked.href(&self.batch, None)),
            next,
        })
    }
}

/// A parcel in the list: its tracking number where it has one.
fn parcel_words(parcel: &ShipmentRow) -> String {
    let number = parcel_number(parcel.number);
    match (&parcel.tracking_number, parcel.state) {
        (_, ShipmentState::Stopped) => format!("{number}, do not ship"),
        (Some(tracking), _) => format!("{number}, {tracking}"),
        (None, _) => number,
    }
}

/// Where an order stands for whoever packs.
fn standing(order: &OrderRow, lines: &[LineRow], parcels: &[ShipmentRow]) -> Badge {
    let sum = |f: fn(&LineRow) -> i64| lines.iter().map(f).sum::<i64>();
    let (to_pick, waits) = (
        sum(|l| l.units().to_pick()),
        sum(|l| l.units().unallocated()),
    );
    let stopped = parcels.iter().any(|p| p.state == ShipmentState::Stopped);
    if order.state == OrderState::Cancelled && stopped {
        return Badge::new(Tone::Bad, "Cancelled, do not ship");
    }
    if !order.state.awaits_goods() {
        return Badge::state(order.state.as_str());
    }
    if parcels.iter().any(|p| p.state == ShipmentState::Picked) {
        return Badge::new(Tone::Wait, "Packed");
    }
    match (to_pick, waits, order.delivery) {
        (0, ..) => Badge::state(order.state.as_str()),
        (_, 0, _) | (_, _, Delivery::AsAvailable) => Badge::new(Tone::Wait, "Ready to pack"),
        _ => Badge::new(
            Tone::Wait,
            format!("Part ready, {to_pick} of {}", to_pick + waits),
        ),
    }
}
