//! The promises of domain section 6: each paid order has one, it is what its notices and answers make of it, and nobody
//! waits for a refund longer than a day's run takes.

use std::collections::HashMap;

use chrono::{DateTime, Days, Utc};
use chrono_tz::Tz;

use super::{Books, PROMISES};
use crate::domain::ids::{CampaignId, OrderId};
use crate::domain::promise::{Notice, day_after};
use crate::store::orders::OrderRow;
use crate::store::{Conn, campaigns, notices, promises};
use crate::workflows::desk::{Problem, offer, order_number};
use crate::workflows::notices::morning_of;

/// Checks the promises of a page of orders.
pub(super) fn check(
    conn: &mut Conn,
    books: &mut Books,
    page: &[OrderRow],
    now: DateTime<Utc>,
) -> Result<(), Problem> {
    let ids: Vec<OrderId> = page.iter().map(|order| order.id).collect();
    let kept: HashMap<OrderId, _> = promises::of_orders(conn, &ids)?
        .into_iter()
        .map(|row| (row.order_id, row))
        .collect();
    let mut sent: HashMap<OrderId, Vec<_>> = HashMap::new();
    for row in notices::of_orders(conn, &ids)? {
        sent.entry(row.order_id).or_default().push(row);
    }
    for order in page {
        let number = order_number(order.number);
        let Some(row) = kept.get(&order.id) else {
            if order.state.is_paid() {
                let what = format!("{number} is {} and was promised nothing", order.state);
                books.found(PROMISES, Some(order.id), what);
            }
            continue;
        };
        let zone = zone(conn, books, order.campaign_id)?;
        let rows = sent.get(&order.id).map(Vec::as_slice).unwrap_or_default();
        let rows: Vec<Notice> = rows.iter().map(|row| row.notice(zone)).collect();
        let promise = row.promise();
        let should = promise.following(&rows);
        if promise != should {
            books.found(
                PROMISES,
                Some(order.id),
                format!("{number} keeps {promise:?}, its notices make {should:?}"),
            );
        }
        // The morning after the last day, and a day more for the run itself.
        let refunded_by = day_after(should.last_day()) + Days::new(1);
        if order.state.awaits_goods() && now > morning_of(refunded_by, zone) {
            books.found(
                PROMISES,
                Some(order.id),
                format!(
                    "{number} is {} and not shipped; its last day was {}",
                    order.state,
                    should.last_day()
                ),
            );
        }
    }
    Ok(())
}

fn zone(conn: &mut Conn, books: &mut Books, id: CampaignId) -> Result<Tz, Problem> {
    if let Some(zone) = books.zones.get(&id) {
        return Ok(*zone);
    }
    let campaign = campaigns::by_id(conn, id)?.ok_or(Problem::NotFound("campaign"))?;
    let zone = offer(&campaign)?.time_zone;
    books.zones.insert(id, zone);
    Ok(zone)
}
