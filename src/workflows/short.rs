//! Units that will never come (domain section 5): the lines that get nothing are refunded, newest payment first, some
//! orders in a transaction, so that ten thousand of them hold nobody up.

use super::allocate::{complete_if_done, own_batch};
use super::batches;
use super::changes::waiting_by_payment;
use super::desk::{Concerns, Desk, Problem, enqueue, happened, lock_campaign, merchant, offer};
use super::letters::{About, Letter, LetterLine};
use super::money::{self, nonzero_said};
use super::part::{Which, take_out};
use super::purchase::stock::reckon;
use super::receive::follow_purchase_orders;
use crate::domain::allocation::{Share, take_back};
use crate::domain::campaign::BatchState;
use crate::domain::draft::{CampaignDraft, FieldError};
use crate::domain::ids::{BatchId, MerchantId};
use crate::domain::payment::RefundPurpose;
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::merchants::MerchantRow;
use crate::store::stock::StockRow;
use crate::store::{Tx, campaigns, jobs, orders, stock};

/// How many orders are refunded in one transaction.
const CHUNK: usize = 50;

/// What a declaration means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declared {
    /// The option's code.
    pub sku: String,
    /// Units declared.
    pub short: i64,
    /// Units of orders that are refunded.
    pub refunded: i64,
}

/// Declares units of options short for good. Lines that wait and will get nothing are refunded by the work that follows.
///
/// # Errors
/// A conflict before the purchase order was sent or after everything ended; wrong fields.
pub fn declare(
    tx: &mut Tx,
    merchant: MerchantId,
    batch: BatchId,
    lines: &[(String, i64)],
    by: &str,
) -> Result<Vec<Declared>, Problem> {
    can_declare(tx, merchant, batch)?;
    let (campaign, batch) = own_batch(tx, merchant, batch)?;
    reckon(tx, batch.id)?;
    let declared = plan(tx, &campaign, &batch, lines)?;
    for (mut row, one) in declared.clone() {
        row.short += one.short;
        row.short_due += one.refunded;
        stock::save(tx.conn, &row)?;
        happened(
            tx,
            Concerns::campaign(&campaign),
            by,
            "short",
            format!(
                "{} units of {} will not come; {} units of orders are refunded.",
                one.short, one.sku, one.refunded
            ),
        )?;
    }
    follow_purchase_orders(tx, &batch)?;
    let now = tx.now.naive_utc();
    enqueue(tx, jobs::SHORT, &batch.id.to_string(), now)?;
    tx.touch(campaign.id);
    Ok(declared.into_iter().map(|(_, one)| one).collect())
}

/// Says whether units of the merchant's batch can be declared short now.
///
/// # Errors
/// That there is no such batch; a conflict where nothing is awaited.
pub fn can_declare(tx: &mut Tx, merchant: MerchantId, batch: BatchId) -> Result<(), Problem> {
    let (_, batch) = own_batch(tx, merchant, batch)?;
    let open = matches!(batch.state, BatchState::Ordered | BatchState::Fulfilling);
    if open && batch.settled_at.is_some() {
        return Ok(());
    }
    Err(Problem::conflict(
        "wrong-state",
        format!(
            "Batch {} is {}: nothing is awaited.",
            batch.number, batch.state
        ),
    ))
}

/// What declaring these units means: which are refunded, and all that is wrong with the lines.
fn plan(
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    lines: &[(String, i64)],
) -> Result<Vec<(StockRow, Declared)>, Problem> {
    let options = campaigns::options_of(tx.conn, campaign.id)?;
    let waiting = stock::waiting(tx.conn, batch.id, true)?;
    let mut errors = Vec::new();
    let mut planned: Vec<(StockRow, Declared)> = Vec::new();
    if lines.is_empty() {
        errors.push(FieldError::new(
            "lines",
            "Write which units will not come, at least one.",
        ));
    }
    for (at, (sku, short)) in lines.iter().enumerate() {
        let Some(option) = options.iter().find(|o| o.sku == *sku) else {
            errors.push(FieldError::new(
                format!("lines[{at}].sku"),
                format!("This campaign has no option {sku}."),
            ));
            continue;
        };
        if planned.iter().any(|(row, _)| row.option_id == option.id) {
            errors.push(FieldError::new(
                format!("lines[{at}].sku"),
                "Write each option once.",
            ));
            continue;
        }
        let row = stock::of_option(tx.conn, batch.id, option.id)?
            .unwrap_or_else(|| StockRow::new(batch.id, option.id));
        let wait: i64 = waiting
            .iter()
            .filter(|c| c.option == option.id)
            .map(|c| c.units)
            .sum();
        // Damaged units are not awaited any more, and still miss somebody.
        let unserved = (wait - row.free() - row.short_due).max(0);
        let most = row.awaited().max(unserved);
        if *short < 1 || *short > most {
            errors.push(FieldError::new(
                format!("lines[{at}].quantity"),
                if most == 0 {
                    "Nothing is awaited of this option. Leave it out.".to_owned()
                } else {
                    format!("{most} units are awaited or missing. Write 1 to {most}.")
                },
            ));
            continue;
        }
        let still = (row.awaited() - short).max(0);
        let refunded = (unserved - still).clamp(0, *short);
        let declared = Declared {
            sku: sku.clone(),
            short: *short,
            refunded,
        };
        planned.push((row, declared));
    }
    if errors.is_empty() {
        Ok(planned)
    } else {
        Err(Problem::Invalid(errors))
    }
}

/// Refunds some of the lines that get nothing, and tells their shoppers; whether there are more.
///
/// # Errors
/// What the database says.
pub fn refund_some(desk: &Desk, tx: &mut Tx, id: BatchId) -> Result<bool, Problem> {
    let batch = campaigns::batch(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
    let campaign = lock_campaign(tx, batch.campaign_id)?;
    let terms = offer(&campaign)?;
    let merchant = merchant(tx, campaign.merchant_id)?;
    let mut left = CHUNK;
    for row in stock::of_batch(tx.conn, id)? {
        if row.short_due == 0 {
            continue;
        }
        let waiting = waiting_by_payment(tx.conn, id, true)?;
        let shares = take_back(row.option_id, row.short_due, waiting);
        // Fewer wait than were declared: others left meanwhile.
        let found: i64 = shares.iter().map(|s| s.units).sum();
        let mut due = row.short_due.min(found);
        let some = shares.iter().take(left);
        for share in some {
            give_up(desk, tx, &campaign, &terms, &merchant, share)?;
            due -= share.units;
            left -= 1;
        }
        // The stock may have moved with the order.
        let mut now = stock::of_option(tx.conn, id, row.option_id)?.unwrap_or(row);
        now.short_due = due;
        stock::save(tx.conn, &now)?;
        if due > 0 {
            return Ok(true);
        }
    }
    complete_if_done(tx, &campaign, id)?;
    Ok(false)
}

fn give_up(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    terms: &CampaignDraft,
    merchant: &MerchantRow,
    share: &Share,
) -> Result<(), Problem> {
    let mut order = orders::by_id(tx.conn, share.order)?.ok_or(Problem::NotFound("order"))?;
    let lines = orders::lines_of(tx.conn, order.id)?;
    let line = lines
        .iter()
        .find(|l| l.option_id == share.option)
        .ok_or_else(|| Problem::Internal(format!("order {} lost a line", order.id)))?;
    let name = terms
        .options
        .iter()
        .find(|o| o.sku == line.sku)
        .map_or(line.sku.clone(), |o| o.name.clone());
    happened(
        tx,
        Concerns::order(&order),
        "system",
        "short",
        format!("{} \u{d7} {name} will not arrive any more.", share.units),
    )?;
    let which = Which::These(vec![(share.option, share.units)]);
    let left = take_out(tx, campaign, &mut order, &which, RefundPurpose::Short)?;
    money::keep(tx, &mut order)?;
    let price = line.final_price.unwrap_or(line.unit_price);
    let letter = Letter::ShortForGood {
        about: About {
            campaign: batches::title(tx.conn, campaign, order.batch_id)?,
            ..desk.about(merchant, campaign, terms, &order)
        },
        lines: vec![LetterLine {
            quantity: share.units,
            name,
            amount: money::say(price.saturating_mul(share.units), &order.currency),
        }],
        back: nonzero_said(left.back, &order.currency),
        whole: left.whole,
    };
    let once = format!("short:{}:{}", share.option, tx.now.timestamp_micros());
    desk.tell_shopper(tx, merchant, &order, &once, letter)
}
