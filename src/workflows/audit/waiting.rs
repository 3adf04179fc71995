//! Rule 4 of waiting lists: who waits has a place, units are kept for who is offered them and for nobody else, and nobody
//! was overtaken.

use std::collections::{HashMap, HashSet};

use super::super::desk::Problem;
use super::Books;
use crate::domain::ids::{CampaignId, OptionId, OrderId};
use crate::store::{Conn, orders, waiting};

/// Places checked at once.
const PAGE: usize = 400;

pub(super) fn check(conn: &mut Conn, books: &mut Books) -> Result<(), Problem> {
    let mut orders_waiting = std::mem::take(&mut books.waiting);
    let places = waiting::all_open(conn)?;
    // What those further ahead in the same list wait for without an offer.
    let mut ahead: HashMap<CampaignId, HashSet<OptionId>> = HashMap::new();
    for some in places.chunks(PAGE) {
        let ids: Vec<OrderId> = some.iter().map(|row| row.order_id).collect();
        let mut wants: HashMap<OrderId, Vec<OptionId>> = HashMap::new();
        for line in orders::lines_of_all(conn, &ids)? {
            wants.entry(line.order_id).or_default().push(line.option_id);
        }
        for row in some {
            let id = Some(row.order_id);
            let offered = row.offered_at.is_some();
            match orders_waiting.remove(&row.order_id) {
                None => books.found(4, id, "it has a place on a waiting list and does not wait"),
                Some(kept) if kept != offered => books.found(
                    4,
                    id,
                    if offered {
                        "units are offered to it and not kept for it"
                    } else {
                        "it waits, and units are kept for it that were not offered"
                    },
                ),
                Some(_) => {}
            }
            let wants = wants.remove(&row.order_id).unwrap_or_default();
            let before = ahead.entry(row.campaign_id).or_default();
            if !offered {
                before.extend(wants);
            } else if wants.iter().any(|option| before.contains(option)) {
                books.found(
                    4,
                    id,
                    "it was offered units that somebody before it waits for",
                );
            }
        }
    }
    for id in orders_waiting.into_keys() {
        books.found(4, Some(id), "it waits without a place on a waiting list");
    }
    Ok(())
}
