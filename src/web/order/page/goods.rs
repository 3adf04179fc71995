//! Goods on a shopper's order page: what is there for the order, its parcels, and how far it is.

use chrono::NaiveDateTime;

use super::Facts;
use crate::domain::campaign::CampaignState;
use crate::domain::order::{Delivery, LineState, OrderState};
use crate::domain::shipment::{ShipmentKind, ShipmentState, tracking_link};
use crate::store::Conn;
use crate::store::orders::OrderRow;
use crate::store::shipments::{self, ShipmentLineRow, ShipmentRow};
use crate::store::stock::{self, AllocationRow};
use crate::web::view::{Badge, Link, OrderGoods, ParcelCard, TimelineItem, grouped};
use crate::workflows::allocate::allocations_told;
use crate::workflows::desk::Problem;
use crate::workflows::ship::parcel_number;

/// What was read of an order's goods.
pub(super) struct Goods {
    parcels: Vec<ShipmentRow>,
    inside: Vec<ShipmentLineRow>,
    log: Vec<AllocationRow>,
}

/// Reads an order's goods.
pub(super) fn read(conn: &mut Conn, order: &OrderRow) -> Result<Goods, Problem> {
    let parcels = shipments::of_order(conn, order.id)?;
    let ids: Vec<_> = parcels.iter().map(|p| p.id).collect();
    Ok(Goods {
        inside: shipments::lines_of(conn, &ids)?,
        log: stock::allocations_of(conn, order.id)?,
        parcels,
    })
}

impl Facts {
    /// What the page shows of goods; nothing before some are there.
    pub(super) fn order_goods(&self, arrived_action: &str) -> Option<OrderGoods> {
        let sum = |f: fn(&crate::store::orders::LineRow) -> i64| -> i64 {
            self.lines.iter().map(f).sum()
        };
        let there = sum(|l| l.units().to_pick() + l.picked);
        let waits = sum(|l| l.units().unallocated());
        let begun = there > 0 || !self.goods.parcels.is_empty();
        if !begun {
            return None;
        }
        let ready = match (there, waits) {
            (0, _) => None,
            (n, 0) => Some(format!("{} are there and are packed next.", units(n))),
            (n, rest) => Some(match self.order.delivery {
                Delivery::OneParcel => format!(
                    "{} are there for you; {} are still to come. You chose one parcel, so it goes out when all are there.",
                    units(n),
                    grouped(rest)
                ),
                Delivery::AsAvailable => format!(
                    "{} are there and are packed next; {} are still to come.",
                    units(n),
                    grouped(rest)
                ),
            }),
        };
        Some(OrderGoods {
            ready,
            lines: self.line_states(),
            parcels: self
                .goods
                .parcels
                .iter()
                .filter(|p| p.state != ShipmentState::Stopped)
                .map(|p| self.card(p))
                .collect(),
            arrived_action: arrived_action.to_owned(),
        })
    }

    fn line_states(&self) -> Vec<(String, Badge)> {
        self.lines
            .iter()
            .map(|line| {
                let said = match line.state {
                    LineState::Cancelled => 0,
                    LineState::Dropped => line.quantity,
                    _ => line.units().wanted().max(line.shipped),
                };
                let what = format!("{} \u{d7} {}", grouped(said), self.name_of(&line.sku));
                (what, Badge::state(line.state.as_str()))
            })
            .collect()
    }

    fn name_of(&self, sku: &str) -> String {
        let named = self.agreed.lines.iter().find(|l| l.sku == sku);
        named.map_or_else(|| sku.to_owned(), |l| l.name.clone())
    }

    fn card(&self, parcel: &ShipmentRow) -> ParcelCard {
        let inside = self
            .goods
            .inside
            .iter()
            .filter(|l| l.shipment_id == parcel.id);
        let lines = inside.map(|held| {
            let line = self.lines.iter().find(|l| l.option_id == held.option_id);
            let name = self.name_of(line.map_or("", |l| l.sku.as_str()));
            format!("{} \u{d7} {name}", grouped(held.units))
        });
        let follow = parcel.tracking_number.as_ref().map(|number| {
            let link = tracking_link(parcel.carrier.as_deref(), number);
            (number.clone(), link)
        });
        ParcelCard {
            id: parcel.id.to_string(),
            number: parcel_number(parcel.number),
            again: parcel.kind == ShipmentKind::Reship,
            badge: Badge::state(parcel.state.as_str()),
            lines: lines.collect(),
            carrier: parcel.carrier.clone(),
            tracking: follow.as_ref().map(|(number, _)| number.clone()),
            follow: follow.and_then(|(number, link)| Some(Link::new(link?, number))),
            on_its_way: parcel.state == ShipmentState::HandedOver,
            handed_over: parcel.handed_over_at.map(|at| self.moment(at)),
            arrived: parcel.delivered_at.map(|at| self.moment(at)),
        }
    }

    /// When units were there for it, for the timeline.
    pub(super) fn goods_told(&self) -> Vec<(NaiveDateTime, String)> {
        allocations_told(&self.goods.log)
    }

    /// What comes of the goods; whether they are still to be shipped.
    pub(super) fn goods_ahead(&self, items: &mut Vec<TimelineItem>) -> bool {
        let to_pick: i64 = self.lines.iter().map(|l| l.units().to_pick()).sum();
        let picked: i64 = self.lines.iter().map(|l| l.picked).sum();
        let waits: i64 = self.lines.iter().map(|l| l.units().unallocated()).sum();
        match self.order.state {
            OrderState::Delivered => return false,
            OrderState::Shipped => {
                items.push(
                    TimelineItem::now("It is on its way to you")
                        .text("If nobody says that it arrived, it counts as arrived 21 days after the carrier took it."),
                );
                return false;
            }
            _ => {}
        }
        let item = if picked > 0 {
            TimelineItem::now("A parcel is packed").text("The carrier takes it next.")
        } else if to_pick > 0 && waits == 0 {
            TimelineItem::now("Everything is there for you").text("It is packed next.")
        } else if to_pick > 0 {
            TimelineItem::now("A part is there for you").text("The rest is still to come.")
        } else if self.stage() == CampaignState::Ordered {
            TimelineItem::now("It is with the supplier").text("It was ordered, and is being made.")
        } else {
            TimelineItem::now("Goods arrive in parts").text(
                "Who paid first is served first. Yours are expected with one of the next deliveries.",
            )
        };
        items.push(item);
        true
    }
}

fn units(n: i64) -> String {
    if n == 1 {
        "1 unit of your order".to_owned()
    } else {
        format!("{} units of your order", grouped(n))
    }
}
