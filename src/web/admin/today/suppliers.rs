//! What waits on the supplier's side: a refusal, a date, an answer.

use chrono::{DateTime, NaiveDateTime, Utc};

use super::{MOST, Thing};
use crate::domain::campaign::BatchState;
use crate::domain::purchase_order::PurchaseOrderState;
use crate::store::merchants::MerchantRow;
use crate::store::{Conn, campaigns, etas, purchase_orders};
use crate::web::view::{Day, Link, left, plural};
use crate::workflows::desk::{Problem, purchase_number};
use crate::workflows::eta::passes_at;
use crate::workflows::purchase::Document;

/// Orders a supplier rejected and nobody replaced.
pub(super) fn rejected(
    conn: &mut Conn,
    merchant: &MerchantRow,
    now: DateTime<Utc>,
    things: &mut Vec<Thing>,
) -> Result<(), Problem> {
    let rejected = PurchaseOrderState::Rejected;
    for po in purchase_orders::in_state(conn, merchant.id, rejected, MOST)? {
        let batch = campaigns::batch(conn, po.batch_id)?.map(|batch| batch.state);
        let (Some(BatchState::Ordered | BatchState::Fulfilling), Some(at)) =
            (batch, po.rejected_at)
        else {
            continue;
        };
        let document: Document = serde_json::from_str(&po.document)?;
        things.push(Thing {
            tone: "bad",
            icon: "factory",
            title: format!(
                "{} rejected {}",
                document.supplier,
                purchase_number(po.number.unwrap_or(0))
            ),
            text: format!(
                "{} are with nobody. Their reason: {}",
                plural(po.units, "unit"),
                po.rejected_because.unwrap_or_default()
            ),
            when: format!(
                "since {}",
                plural((now.naive_utc() - at).num_days().max(0), "day")
            ),
            deed: Link::new(
                format!("/admin/purchase-orders/{}", po.id),
                "Choose another supplier",
            ),
            urgency: 1,
        });
    }
    Ok(())
}

/// Dates that wait to be passed on.
pub(super) fn dates(
    conn: &mut Conn,
    merchant: &MerchantRow,
    now: DateTime<Utc>,
    things: &mut Vec<Thing>,
) -> Result<(), Problem> {
    for date in etas::waiting_of(conn, merchant.id, MOST)? {
        let day = date
            .arrives
            .map_or_else(|| "not known".to_owned(), |d| Day(d).text());
        things.push(Thing {
            tone: "wait",
            icon: "factory",
            title: format!("{} names a date: {day}", date.set_by),
            text: format!(
                "{} Shoppers do not know it yet; it is passed on by itself.",
                date.reason
            ),
            when: left(now, passes_at(&date))
                .map_or_else(|| "now".to_owned(), |left| format!("{left} left")),
            deed: Link::new(format!("/admin/batches/{}/dates", date.batch_id), "Decide"),
            urgency: 1,
        });
    }
    Ok(())
}

/// Orders without an answer.
pub(super) fn unanswered(
    conn: &mut Conn,
    merchant: &MerchantRow,
    now: NaiveDateTime,
    things: &mut Vec<Thing>,
) -> Result<(), Problem> {
    for po in purchase_orders::of_merchant(conn, merchant.id, 100)? {
        let (PurchaseOrderState::Sent, Some(sent_at), Some(number)) =
            (po.state, po.sent_at, po.number)
        else {
            continue;
        };
        let days = (now - sent_at).num_days();
        if days < 3 {
            continue;
        }
        let document: Document = serde_json::from_str(&po.document)?;
        things.push(Thing {
            tone: if days >= 5 { "bad" } else { "wait" },
            icon: "factory",
            title: format!(
                "{} has not answered for {}",
                document.supplier,
                plural(days, "day")
            ),
            text: format!(
                "{}, {}. They were reminded on day 3.",
                purchase_number(number),
                plural(po.units, "unit")
            ),
            when: format!("since {}", sent_at.format("%-d %B")),
            deed: Link::new(
                format!("/admin/purchase-orders/{}", po.id),
                "Call or send again",
            ),
            urgency: if days >= 5 { 2 } else { 5 },
        });
    }
    Ok(())
}
