//! What was left over of a batch is sold as available at once, on the campaign's page (domain section 5): at the price of
//! the step judged, held and paid as every order, without threshold or judgement.
//!
//! Units of a hold are the order's from the moment it is granted: they leave what is on sale and count as allocated, so
//! that no other line is given them, and come back when the page ends unpaid. A paid order is settled at once. It counts
//! as every order does: in an option's taken, committed and collected units, in its cap, and in the limit per shopper.
//! Left-over units were bought beyond what was ordered, so putting some on sale raises a cap that leaves no room for them,
//! as the merchant may (domain section 2, after the first order).

use std::collections::HashMap;

use chrono::{Days, NaiveDate};

use super::allocate::{allocate, own_batch};
use super::desk::{Concerns, Problem, enqueue, happened, offer};
use super::money::say;
use super::notices;
use super::payment::frozen;
use crate::domain::campaign::{BatchState, CampaignState};
use crate::domain::day::day_of;
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::{AllocationId, BatchId, MerchantId, OptionId};
use crate::domain::order::{OrderEvent, OrderState};
use crate::domain::promise::Promise;
use crate::store::campaigns::{BatchRow, CampaignRow, OptionRow};
use crate::store::orders::{LineRow, OrderRow};
use crate::store::stock::AllocationRow;
use crate::store::{Conn, Tx, campaigns, jobs, orders, stock};

/// Days that lie at least between the promised day of an order from stock and the last day, on which it is refunded
/// unless it was shipped, where the campaign's own last day comes before that.
pub const LAST_DAY_AFTER: u64 = 30;

/// Whether a campaign is at a point where what is left over of a batch that arrived can be sold: past taking orders.
pub fn sells(state: CampaignState) -> bool {
    matches!(
        state,
        CampaignState::Collecting
            | CampaignState::Ordered
            | CampaignState::Fulfilling
            | CampaignState::Completed
    )
}

/// Whether goods of a batch have arrived.
fn has_arrived(batch: &BatchRow) -> bool {
    matches!(batch.state, BatchState::Fulfilling | BatchState::Completed)
}

/// Whether an order was made from left-over stock.
pub fn is_from_stock(order: &OrderRow) -> bool {
    // The word is only there where it is so: most orders are told apart without reading their quote.
    order.quote.contains("\"from_stock\"") && frozen(order).is_ok_and(|agreed| agreed.from_stock)
}

/// What a campaign sells from stock, by option; none where it does not.
///
/// # Errors
/// What the database says.
pub fn on_sale(
    conn: &mut Conn,
    campaign: &CampaignRow,
) -> Result<Option<HashMap<OptionId, i64>>, Problem> {
    Ok(sale_of(conn, campaign)?.map(|(_, units)| units))
}

/// A batch, and the units of it that are on sale, by option.
pub type Sale = (BatchRow, HashMap<OptionId, i64>);

/// The batch that a campaign sells left-over units of, with those units by option: where there are several, the first of
/// them that has any.
///
/// # Errors
/// What the database says.
pub fn sale_of(conn: &mut Conn, campaign: &CampaignRow) -> Result<Option<Sale>, Problem> {
    if !sells(campaign.state) {
        return Ok(None);
    }
    for batch in campaigns::batches_of(conn, campaign.id)? {
        if has_arrived(&batch) {
            let units: HashMap<_, _> = stock::on_sale(conn, batch.id)?.into_iter().collect();
            if !units.is_empty() {
                return Ok(Some((batch, units)));
            }
        }
    }
    Ok(None)
}

/// Units of an option that can be taken now, none without a limit: what is on sale where that is sold, and what the cap
/// leaves.
pub fn available(option: &OptionRow, on_sale: Option<&HashMap<OptionId, i64>>) -> Option<i64> {
    let under_cap = option.available();
    match on_sale {
        None => under_cap,
        Some(units) => {
            let there = units.get(&option.id).copied().unwrap_or(0);
            Some(under_cap.map_or(there, |left| left.min(there)))
        }
    }
}

/// The day an order from stock is promised to be shipped: the campaign's handling days from now.
pub fn ships_by(draft: &CampaignDraft, now: chrono::DateTime<chrono::Utc>) -> NaiveDate {
    let days = u64::try_from(draft.handling_days).unwrap_or(0);
    let today = day_of(now, draft.time_zone);
    today.checked_add_days(Days::new(days)).unwrap_or(today)
}

/// The day after which an order from stock is refunded unless it was shipped.
pub fn last_day(draft: &CampaignDraft, promised: NaiveDate) -> NaiveDate {
    let later = promised.checked_add_days(Days::new(LAST_DAY_AFTER));
    draft.stop_loss_date.max(later.unwrap_or(promised))
}

/// Offers so many left-over units of an option for sale at once, in the place of what was offered: units that lie there,
/// are nobody's, and for which no line waits. Lines that wait are served first.
///
/// # Errors
/// That there is no such batch; a conflict before anything arrived; a wrong field where there are not so many.
pub fn put_on_sale(
    tx: &mut Tx,
    merchant: MerchantId,
    batch: BatchId,
    sku: &str,
    units: i64,
    by: &str,
) -> Result<(), Problem> {
    let (campaign, batch) = own_batch(tx, merchant, batch)?;
    if !has_arrived(&batch) {
        return Err(Problem::conflict(
            "wrong-state",
            "Nothing has arrived yet that could be sold from stock.",
        ));
    }
    if !sells(campaign.state) {
        return Err(Problem::conflict(
            "wrong-state",
            "The campaign still takes orders for its next batch; what is left over is sold once it does not.",
        ));
    }
    let mut options = campaigns::options_of(tx.conn, campaign.id)?;
    let its = options
        .iter()
        .find(|row| row.sku == sku)
        .cloned()
        .ok_or_else(|| Problem::field("sku", "This campaign has no such option."))?;
    allocate(tx, batch.id, "stock was free")?;
    let row = stock::of_option(tx.conn, batch.id, its.id)?;
    let waiting: i64 = stock::waiting(tx.conn, batch.id, true)?
        .iter()
        .filter(|claim| claim.option == its.id)
        .map(|claim| claim.units)
        .sum();
    let most = row.as_ref().map_or(0, |row| row.free() - waiting).max(0);
    if !(0..=most).contains(&units) {
        let left = match most {
            1 => "1 unit is".to_owned(),
            n => format!("{n} units are"),
        };
        let say =
            format!("{left} left over: what lies there and nobody waits for. Write 0 to {most}.");
        return Err(Problem::field("units", say));
    }
    let Some(mut row) = row else { return Ok(()) };
    row.on_sale = units;
    stock::save(tx.conn, &row)?;
    let needed = its.taken + units;
    let raised = its.cap.is_some_and(|cap| cap < needed);
    let mut changed = campaign.clone();
    changed.updated_at = tx.now.naive_utc();
    if raised {
        raise_cap(&mut changed, &mut options, its.id, needed)?;
    }
    // Also where no cap moves: the campaign's page shows what is on sale.
    campaigns::save_offer(tx.conn, &changed, &options)?;
    let mut said = format!("{units} left-over units of {sku} are on sale.");
    if raised {
        said = format!("{units} left-over units of {sku} are on sale; the cap rose to {needed}.");
    }
    happened(tx, Concerns::campaign(&campaign), by, "on_sale", said)?;
    tx.touch(campaign.id);
    Ok(())
}

fn raise_cap(
    campaign: &mut CampaignRow,
    options: &mut [OptionRow],
    option: OptionId,
    cap: i64,
) -> Result<(), Problem> {
    let mut draft = offer(campaign)?;
    for row in options.iter_mut().filter(|row| row.id == option) {
        row.cap = Some(cap);
        let limit =
            i32::try_from(cap).map_err(|_| Problem::Internal("a cap does not fit".into()))?;
        for offered in draft.options.iter_mut().filter(|o| o.sku == row.sku) {
            offered.cap = Some(limit);
        }
    }
    campaign.spec = serde_json::to_string(&draft)?;
    Ok(())
}

/// Takes a line's units from what is on sale, where there are so many; whether there were.
///
/// # Errors
/// What the database says.
pub fn take(tx: &mut Tx, order: &OrderRow, line: &LineRow) -> Result<bool, Problem> {
    if !stock::take_on_sale(tx.conn, order.batch_id, line.option_id, line.quantity)? {
        return Ok(false);
    }
    let mut line = line.clone();
    line.allocated = line.quantity;
    orders::save_line(tx.conn, &line)?;
    let log = given(
        tx,
        order,
        &line,
        line.quantity,
        "held for a sale from stock",
    );
    stock::log_allocations(tx.conn, &[log])?;
    Ok(true)
}

/// Puts what an unpaid order from stock was to be given on sale again. Other orders are left as they are.
///
/// # Errors
/// What the database says.
pub fn put_back(tx: &mut Tx, order: &OrderRow, lines: &[LineRow]) -> Result<(), Problem> {
    if !is_from_stock(order) {
        return Ok(());
    }
    for line in lines.iter().filter(|line| line.allocated > 0) {
        let mut line = line.clone();
        stock::put_on_sale(tx.conn, order.batch_id, line.option_id, line.allocated)?;
        let log = given(tx, order, &line, -line.allocated, "not paid in time");
        stock::log_allocations(tx.conn, &[log])?;
        line.allocated = 0;
        orders::save_line(tx.conn, &line)?;
    }
    // The batch may have waited for this order alone.
    let now = tx.now.naive_utc();
    enqueue(tx, jobs::ALLOCATE, &order.batch_id.to_string(), now)
}

fn given(tx: &Tx, order: &OrderRow, line: &LineRow, units: i64, why: &str) -> AllocationRow {
    AllocationRow {
        id: AllocationId::new(),
        batch_id: order.batch_id,
        order_id: order.id,
        option_id: line.option_id,
        units,
        why: why.to_owned(),
        at: tx.now.naive_utc(),
    }
}

/// An order from stock is paid: it waits for nothing but to be picked, and its day is promised. The caller keeps the
/// order.
///
/// # Errors
/// What the database says.
pub fn sold(
    tx: &mut Tx,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
    order: &mut OrderRow,
) -> Result<(), Problem> {
    let promised = frozen(order)?
        .promised
        .unwrap_or_else(|| ships_by(draft, tx.now));
    order.state = order.state.after(OrderEvent::Ordered)?;
    order.final_total = Some(order.total);
    order.settled = true;
    for mut line in orders::lines_of(tx.conn, order.id)? {
        line.state = line.units().state();
        orders::save_line(tx.conn, &line)?;
        orders::set_final_price(tx.conn, order.id, line.option_id, line.unit_price)?;
    }
    let last = last_day(draft, promised);
    notices::keep_promise(tx, order, Promise::new(promised, last))?;
    tx.touch(campaign.id);
    happened(
        tx,
        Concerns::order(order),
        "system",
        "from_stock",
        format!(
            "It is there and set aside for you, for {}: it ships by {}.",
            say(order.total, &order.currency),
            promised.format("%-d %B %Y")
        ),
    )
}

/// Whether an order from stock can still be cancelled: nothing of it is in a parcel.
///
/// # Errors
/// What the database says.
pub fn is_unpicked(tx: &mut Tx, order: &OrderRow) -> Result<bool, Problem> {
    let lines = orders::lines_of(tx.conn, order.id)?;
    Ok(lines
        .iter()
        .all(|line| line.picked == 0 && line.shipped == 0))
}

/// Whether an order's state lets it be cancelled because it came from stock.
pub fn may_leave(order: &OrderRow) -> bool {
    matches!(order.state, OrderState::Pending | OrderState::Backordered) && is_from_stock(order)
}
