//! A campaign's batches on its page: where each stands, their purchase orders, and what blocks one.

use chrono::NaiveDateTime;

use super::Known;
use crate::domain::campaign::{BatchState, Failure};
use crate::domain::purchase_order::PurchaseOrderState;
use crate::store::campaigns::BatchRow;
use crate::web::admin::kit::{Cell, Table, short};
use crate::web::view::{Day, Link, grouped, plural, state_word};
use crate::workflows::batches;
use crate::workflows::desk::purchase_number;
use crate::workflows::money::say;
use crate::workflows::purchase::{Document, say_blocked};

/// A purchase order that cannot be sent.
pub(super) struct Blocked {
    /// Tells two apart on one page.
    pub id: String,
    /// What stands above it.
    pub title: String,
    /// Where the ways out are.
    pub href: String,
    /// What blocks it, and what follows.
    pub lines: Vec<String>,
}

impl Known {
    /// Units committed, units paid and paid orders of the batch that is shown.
    pub(super) fn counted_now(&self) -> (i64, i64, i64) {
        batches::counts_shown(&self.row, &self.batches)
    }

    /// The campaign's batches, where there are several.
    pub(super) fn batch_table(&self) -> Option<Table> {
        if self.batches.len() < 2 {
            return None;
        }
        let zone = self.draft.time_zone;
        let rows = self.batches.iter().map(|batch| {
            let units = match batch.state {
                BatchState::Gathering => self.row.collected_units,
                _ => batch.units_paid,
            };
            let when = match batch.judged_at {
                Some(at) => Cell::text(short(at, zone)),
                None => Cell::text("gathers"),
            };
            let ships = batch.ship_date.unwrap_or(self.draft.promised_ship_date);
            vec![
                Cell::Link(Link::new(
                    format!("/admin/batches/{}", batch.id),
                    format!("Batch {}", batch.number),
                )),
                Cell::state(batch.state.as_str()),
                Cell::number(grouped(units)),
                when,
                Cell::text(match batch.state {
                    BatchState::Failed => ended(batch),
                    _ => Day(ships).text(),
                }),
            ]
        });
        Some(Table::new(
            "Batches",
            vec![
                ("Batch", false),
                ("State", false),
                ("Paid units", true),
                ("Judged", false),
                ("Ships by", false),
            ],
            rows.collect(),
        ))
    }

    /// The purchase orders, with their batch where there are several.
    pub(super) fn order_table(&self) -> Table {
        let several = self.batches.len() > 1;
        let rows = self.orders.iter().map(|po| {
            let document: Option<Document> = serde_json::from_str(&po.document).ok();
            let supplier = document
                .as_ref()
                .map(|d| d.supplier.clone())
                .filter(|s| !s.is_empty());
            let total = document.map_or_else(String::new, |d| say(d.total, &d.currency));
            let name = po
                .number
                .map_or_else(|| "Draft".to_owned(), purchase_number);
            let mut cells = vec![
                Cell::Document(Link::new(format!("/admin/purchase-orders/{}", po.id), name)),
                Cell::state(po.state.as_str()),
                Cell::text(supplier.unwrap_or_else(|| "no supplier".into())),
                Cell::number(grouped(po.units)),
                Cell::number(total),
            ];
            if several {
                let batch = self.batches.iter().find(|batch| batch.id == po.batch_id);
                let number = batch.map_or_else(String::new, |batch| batch.number.to_string());
                cells.insert(1, Cell::text(number));
            }
            cells
        });
        let mut head = vec![
            ("Number", false),
            ("State", false),
            ("Supplier", false),
            ("Units", true),
            ("Total", true),
        ];
        if several {
            head.insert(1, ("Batch", false));
        }
        Table::new("Purchase orders", head, rows.collect())
    }

    /// The purchase orders that cannot be sent, and what follows where nobody does anything.
    pub(super) fn blocked(&self, now: NaiveDateTime) -> Vec<Blocked> {
        let several = self.batches.len() > 1;
        let blocked = self.batches.iter().filter_map(|batch| {
            let (blocked, since) = (batch.blocked?, batch.blocked_since?);
            let po = self
                .orders
                .iter()
                .rfind(|po| po.batch_id == batch.id && po.state == PurchaseOrderState::Draft)?;
            let document: Document = serde_json::from_str(&po.document).ok()?;
            let left = plural((7 - (now - since).num_days()).max(0), "day");
            let (of, fails) = match several {
                true => (
                    format!(" of batch {}", batch.number),
                    format!("batch {}", batch.number),
                ),
                false => (String::new(), "the campaign".to_owned()),
            };
            Some(Blocked {
                id: format!("h-blocked-{}", batch.number),
                title: format!("The supplier's order{of} cannot be sent"),
                href: format!("/admin/purchase-orders/{}", po.id),
                lines: vec![
                    say_blocked(blocked, &document),
                    format!(
                        "Left as it is, {fails} fails and everybody in it is refunded in {left}."
                    ),
                ],
            })
        });
        blocked.collect()
    }
}

/// Why a batch failed, in a few words.
fn ended(batch: &BatchRow) -> String {
    if batch.is_empty() {
        return "nobody joined it".to_owned();
    }
    let note = batch
        .failure_note
        .as_deref()
        .filter(|note| !note.is_empty());
    let why = state_word(batch.failure.unwrap_or(Failure::Cancelled).as_str());
    match note {
        Some(note) => format!("{why}: {note}"),
        None => why,
    }
}
