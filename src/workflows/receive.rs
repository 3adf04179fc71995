//! A delivery is counted (domain section 5): good and damaged units per option, several times per batch. Good units go
//! to the lines that wait for them at once.

use super::allocate::{Allocated, allocate, complete_if_done, own_batch};
use super::batches;
use super::desk::{Concerns, Problem, happened, offer};
use super::dispute::nothing_left;
use super::eta;
use super::money;
use super::purchase::{Document, stock::reckon};
use super::signs;
use crate::domain::campaign::{BatchEvent, BatchState};
use crate::domain::draft::FieldError;
use crate::domain::ids::{BatchId, MerchantId, OptionId, PurchaseOrderId, ReceiptId};
use crate::domain::price::MAX_UNITS;
use crate::domain::purchase_order::{PurchaseOrderEvent, PurchaseOrderState};
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::stock::{ReceiptLineRow, ReceiptRow, StockRow};
use crate::store::{Conn, Tx, campaigns, orders, purchase_orders, stock};

/// What of one option was counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// The option's code.
    pub sku: String,
    /// Units that can be sold.
    pub good: i64,
    /// Units that cannot.
    pub damaged: i64,
}

/// A count to be kept.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Count {
    /// What was counted, each option once.
    pub lines: Vec<Counted>,
    /// What was noted; a correction needs it.
    pub note: Option<String>,
    /// The person who counted.
    pub by: String,
    /// The purchase order it came on, where that is known.
    pub purchase_order: Option<PurchaseOrderId>,
    /// Whether more than was ordered is meant.
    pub confirm: bool,
    /// Whether it corrects counts before it: units may be negative.
    pub correction: bool,
    /// What makes a second submit the same receipt.
    pub once: Option<String>,
}

/// What came of a count.
#[derive(Debug, Clone)]
pub struct Received {
    /// The receipt.
    pub receipt: ReceiptRow,
    /// Its lines.
    pub lines: Vec<ReceiptLineRow>,
    /// What was given to orders.
    pub allocated: Allocated,
}

/// Keeps a count, and gives its good units to the lines that wait, oldest payment first. The same `once` again answers
/// with the receipt that is there.
///
/// # Errors
/// A conflict where nothing is expected for the batch, or where it is more than was ordered and not confirmed
/// (`over-ordered`); wrong fields.
pub fn receive(
    tx: &mut Tx,
    merchant: MerchantId,
    batch: BatchId,
    count: &Count,
) -> Result<Received, Problem> {
    let (campaign, batch) = own_batch(tx, merchant, batch)?;
    if let Some(once) = &count.once
        && let Some(receipt) =
            stock::receipt_by_once(tx.conn, once)?.filter(|r| r.batch_id == batch.id)
    {
        return Ok(Received {
            lines: stock::receipt_lines_of(tx.conn, &[receipt.id])?,
            receipt,
            allocated: Allocated::default(),
        });
    }
    expects_goods(&batch)?;
    reckon(tx, batch.id)?;
    let lines = known_lines(tx, &campaign, &batch, count)?;
    if !count.confirm && !count.correction {
        ask_about_more(&lines)?;
    }
    let receipt = keep(tx, &batch, count, &lines)?;
    for (row, counted) in &lines {
        let mut row = row.clone();
        row.good += counted.good;
        row.damaged += counted.damaged;
        stock::save(tx.conn, &row)?;
    }
    arrived(tx, &batch)?;
    for mut order in stock::lost_orders(tx.conn, batch.id)? {
        nothing_left(tx, &campaign, &mut order)?;
        money::keep(tx, &mut order)?;
    }
    follow_purchase_orders(tx, &batch)?;
    let good: i64 = count.lines.iter().map(|l| l.good).sum();
    let damaged: i64 = count.lines.iter().map(|l| l.damaged).sum();
    let allocated = allocate(tx, batch.id, &format!("receipt {}", receipt.number))?;
    happened(
        tx,
        Concerns::campaign(&campaign),
        &count.by,
        "received",
        format!(
            "Receipt {}: {good} good and {damaged} damaged units; {} went to {} orders.",
            receipt.number, allocated.units, allocated.orders
        ),
    )?;
    signs::sign(tx, &campaign)?;
    complete_if_done(tx, &campaign, batch.id)?;
    Ok(Received {
        lines: stock::receipt_lines_of(tx.conn, &[receipt.id])?,
        receipt,
        allocated,
    })
}

/// Says whether a delivery of the merchant's batch can be counted now.
///
/// # Errors
/// That there is no such batch; a conflict where nothing is expected for it.
pub fn can_receive(tx: &mut Tx, merchant: MerchantId, batch: BatchId) -> Result<(), Problem> {
    let (_, batch) = own_batch(tx, merchant, batch)?;
    expects_goods(&batch)
}

/// Goods may arrive from the purchase order's sending on, also after the batch is completed.
fn expects_goods(batch: &BatchRow) -> Result<(), Problem> {
    match batch.state {
        BatchState::Ordered | BatchState::Fulfilling | BatchState::Completed => {}
        BatchState::Gathering | BatchState::Collecting | BatchState::Failed => {
            return Err(Problem::conflict(
                "wrong-state",
                format!(
                    "Batch {} is {}: no goods are expected for it. They are from the supplier's order on.",
                    batch.number, batch.state
                ),
            ));
        }
    }
    if batch.settled_at.is_none() {
        return Err(Problem::conflict(
            "not-settled",
            "The final prices of this batch are still being settled. Try again in a minute.",
        ));
    }
    Ok(())
}

/// The stock of each counted option, or everything that is wrong with the lines.
fn known_lines(
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    count: &Count,
) -> Result<Vec<(StockRow, Counted)>, Problem> {
    let options = campaigns::options_of(tx.conn, campaign.id)?;
    let known = stock::of_batch(tx.conn, batch.id)?;
    let mut errors = Vec::new();
    let mut wrong = |field: String, message: String| errors.push(FieldError::new(field, message));
    let mut lines: Vec<(StockRow, Counted)> = Vec::new();
    if count.lines.is_empty() {
        wrong(
            "lines".into(),
            "Write what arrived, at least one option.".into(),
        );
    }
    if count.correction && count.note.is_none() {
        wrong("note".into(), "Write why the count was wrong.".into());
    }
    if let Some(id) = count.purchase_order {
        let ours = purchase_orders::by_id(tx.conn, id)?.is_some_and(|p| p.batch_id == batch.id);
        if !ours {
            wrong(
                "purchase_order_id".into(),
                "This batch has no such purchase order.".into(),
            );
        }
    }
    for (at, line) in count.lines.iter().enumerate() {
        let Some(option) = options.iter().find(|o| o.sku == line.sku) else {
            wrong(
                format!("lines[{at}].sku"),
                format!("This campaign has no option {}.", line.sku),
            );
            continue;
        };
        if lines.iter().any(|(row, _)| row.option_id == option.id) {
            wrong(format!("lines[{at}].sku"), "Write each option once.".into());
            continue;
        }
        let row = known
            .iter()
            .find(|s| s.option_id == option.id)
            .cloned()
            .unwrap_or_else(|| StockRow::new(batch.id, option.id));
        for (field, message) in wrong_counts(&row, line, count.correction) {
            wrong(format!("lines[{at}].{field}"), message);
        }
        if line.good != 0 || line.damaged != 0 {
            lines.push((row, line.clone()));
        }
    }
    if errors.is_empty() && lines.is_empty() {
        errors.push(FieldError::new("lines", "Write how many units arrived."));
    }
    if errors.is_empty() {
        Ok(lines)
    } else {
        Err(Problem::Invalid(errors))
    }
}

/// What is wrong with the counts of a line, beside what is in stock; each with its field.
fn wrong_counts(row: &StockRow, line: &Counted, correction: bool) -> Vec<(&'static str, String)> {
    let counts = [
        ("good", line.good, row.good),
        ("damaged", line.damaged, row.damaged),
    ];
    let wrong: Vec<_> = counts
        .into_iter()
        .filter_map(|(field, units, has)| Some((field, wrong_units(units, has, correction)?)))
        .collect();
    let most = row.free() - row.on_sale;
    if wrong.is_empty() && most + line.good < 0 {
        let message = format!(
            "Only {most} good units are free; the others are given to orders or on sale. Take those back first."
        );
        return vec![("good", message)];
    }
    wrong
}

fn wrong_units(units: i64, has: i64, correction: bool) -> Option<String> {
    if !correction && units < 0 {
        Some("Write 0 or more. A wrong count is taken back with a correction.".to_owned())
    } else if units > MAX_UNITS {
        Some(format!("Write at most {MAX_UNITS}."))
    } else if has + units < 0 {
        Some(format!(
            "{has} were counted so far. Take back at most {has}."
        ))
    } else {
        None
    }
}

/// More than is still awaited, or would replace what was damaged, is asked about.
fn ask_about_more(lines: &[(StockRow, Counted)]) -> Result<(), Problem> {
    let more: Vec<String> = lines
        .iter()
        .filter_map(|(row, counted)| {
            let over = counted.good + counted.damaged - row.awaited() - row.damaged;
            (over > 0).then(|| {
                format!(
                    "{}: {over} more than the {} ordered",
                    counted.sku, row.ordered
                )
            })
        })
        .collect();
    if more.is_empty() {
        return Ok(());
    }
    Err(Problem::conflict(
        "over-ordered",
        format!(
            "This is more than was ordered ({}). Count again, or confirm that it is right.",
            more.join("; ")
        ),
    ))
}

fn keep(
    tx: &mut Tx,
    batch: &BatchRow,
    count: &Count,
    lines: &[(StockRow, Counted)],
) -> Result<ReceiptRow, Problem> {
    let last = stock::receipts_of(tx.conn, batch.id)?
        .last()
        .map_or(0, |r| r.number);
    let receipt = ReceiptRow {
        id: ReceiptId::new(),
        batch_id: batch.id,
        purchase_order_id: count.purchase_order,
        number: last + 1,
        counted_by: count.by.clone(),
        note: count.note.clone(),
        once: count.once.clone(),
        counted_at: tx.now.naive_utc(),
        correction: count.correction,
    };
    let rows: Vec<ReceiptLineRow> = lines
        .iter()
        .map(|(row, counted)| ReceiptLineRow {
            receipt_id: receipt.id,
            option_id: row.option_id,
            good: counted.good,
            damaged: counted.damaged,
        })
        .collect();
    stock::insert_receipt(tx.conn, &receipt, &rows)?;
    Ok(receipt)
}

/// The first goods move the batch.
fn arrived(tx: &mut Tx, batch: &BatchRow) -> Result<(), Problem> {
    if batch.state == BatchState::Ordered {
        batches::advance(tx, batch, BatchEvent::Arrived)?;
    }
    Ok(())
}

/// Moves the batch's purchase orders to what of them has arrived or was given up. Receipts that name their purchase
/// order count for it; the others fill them from the oldest on. The campaign is locked by the caller.
///
/// # Errors
/// What the database says.
pub fn follow_purchase_orders(tx: &mut Tx, batch: &BatchRow) -> Result<(), Problem> {
    let options = campaigns::options_of(tx.conn, batch.campaign_id)?;
    let receipts = stock::receipts_of(tx.conn, batch.id)?;
    let ids: Vec<ReceiptId> = receipts.iter().map(|r| r.id).collect();
    let mut loose: Vec<(OptionId, i64)> = Vec::new();
    let mut named: Vec<(PurchaseOrderId, OptionId, i64)> = Vec::new();
    for line in stock::receipt_lines_of(tx.conn, &ids)? {
        let units = line.good + line.damaged;
        let receipt = receipts.iter().find(|r| r.id == line.receipt_id);
        match receipt.and_then(|r| r.purchase_order_id) {
            Some(order) => named.push((order, line.option_id, units)),
            None => loose.push((line.option_id, units)),
        }
    }
    let known = stock::of_batch(tx.conn, batch.id)?;
    loose.extend(known.iter().map(|row| (row.option_id, row.short)));
    for mut order in purchase_orders::of_batch(tx.conn, batch.id)? {
        if !order.state.stands() || order.state == PurchaseOrderState::Closed {
            continue;
        }
        let document: Document = serde_json::from_str(&order.document)?;
        let (mut some, mut all) = (false, true);
        for line in &document.lines {
            let Some(option) = options.iter().find(|o| o.sku == line.sku) else {
                continue;
            };
            let its: i64 = named
                .iter()
                .filter(|(id, o, _)| *id == order.id && *o == option.id)
                .map(|(_, _, units)| units)
                .sum();
            let mut missing = (line.units - its).max(0);
            some |= its > 0;
            for (_, units) in loose
                .iter_mut()
                .filter(|(o, units)| *o == option.id && *units > 0)
            {
                let part = missing.min(*units);
                *units -= part;
                missing -= part;
                some |= part > 0;
            }
            all &= missing == 0;
        }
        let to = match (all, some) {
            (true, _) => PurchaseOrderEvent::ReceivedAll,
            (false, true) => PurchaseOrderEvent::ReceivedPart,
            (false, false) => continue,
        };
        let from = order.state;
        order.state = from.after(to)?;
        if order.state != from {
            let all_now = order.state == PurchaseOrderState::Received;
            order.received_at = all_now.then(|| tx.now.naive_utc());
            purchase_orders::save(tx.conn, &order, from)?;
        }
    }
    let awaited: i64 = known.iter().map(|row| row.awaited()).sum();
    let received_at = (awaited == 0).then(|| batch.received_at.unwrap_or(tx.now.naive_utc()));
    campaigns::set_goods(tx.conn, batch.id, received_at, batch.completed_at)?;
    if received_at.is_some() && batch.received_at.is_none() && !receipts.is_empty() {
        eta::all_received(tx, batch.id)?;
    }
    Ok(())
}

/// Where the units of one option of a batch are, for people and programs.
#[derive(Debug, Clone)]
pub struct OptionGoods {
    /// The option's code.
    pub sku: String,
    /// The option's name.
    pub name: String,
    /// Units that shoppers paid for and want.
    pub paid: i64,
    /// Units of them that wait for stock.
    pub waiting: i64,
    /// The stock.
    pub stock: StockRow,
}

/// A batch's goods, option by option.
///
/// # Errors
/// What the database says.
pub fn goods_of(
    conn: &mut Conn,
    campaign: &CampaignRow,
    batch: &BatchRow,
) -> Result<Vec<OptionGoods>, Problem> {
    let terms = offer(campaign)?;
    let known = stock::of_batch(conn, batch.id)?;
    let paid = orders::paid_units(conn, batch.id)?;
    let waiting = stock::waiting_units(conn, batch.id)?;
    let of = |all: &[(OptionId, i64)], id: OptionId| {
        all.iter().find(|(o, _)| *o == id).map_or(0, |(_, n)| *n)
    };
    Ok(campaigns::options_of(conn, campaign.id)?
        .into_iter()
        .map(|option| OptionGoods {
            name: terms
                .options
                .iter()
                .find(|o| o.sku == option.sku)
                .map_or_else(|| option.sku.clone(), |o| o.name.clone()),
            paid: of(&paid, option.id),
            waiting: of(&waiting, option.id),
            stock: known
                .iter()
                .find(|s| s.option_id == option.id)
                .cloned()
                .unwrap_or_else(|| StockRow::new(batch.id, option.id)),
            sku: option.sku,
        })
        .collect())
}
