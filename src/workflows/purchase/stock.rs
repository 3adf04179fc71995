//! What of a batch is on order, reckoned anew from the purchase orders that stand.

use std::collections::BTreeMap;

use super::super::desk::Problem;
use super::Document;
use crate::domain::ids::{BatchId, OptionId};
use crate::store::stock::{self, StockRow};
use crate::store::{Tx, campaigns, purchase_orders};

/// Sums the units of a batch's standing purchase orders by option and keeps them as what is ordered. It is called
/// whenever one is issued, replaced, rejected or cancelled; calling it once more changes nothing. The campaign is
/// locked by the caller.
///
/// # Errors
/// What the database says.
pub fn reckon(tx: &mut Tx, batch: BatchId) -> Result<(), Problem> {
    let known = campaigns::batch(tx.conn, batch)?.ok_or(Problem::NotFound("batch"))?;
    let mut ordered: BTreeMap<OptionId, i64> = BTreeMap::new();
    let options = campaigns::options_of(tx.conn, known.campaign_id)?;
    for row in purchase_orders::of_batch(tx.conn, batch)? {
        if !row.state.stands() {
            continue;
        }
        let document: Document = serde_json::from_str(&row.document)?;
        for line in &document.lines {
            let option = options.iter().find(|option| option.sku == line.sku);
            let option = option.ok_or_else(|| {
                Problem::Internal(format!("{} is on order and no option", line.sku))
            })?;
            let sum = ordered.entry(option.id).or_default();
            *sum = sum.saturating_add(line.units);
        }
    }
    let kept = stock::of_batch(tx.conn, batch)?;
    for row in &kept {
        ordered.entry(row.option_id).or_default();
    }
    for (option, units) in ordered {
        let row = kept.iter().find(|row| row.option_id == option);
        let mut row = row.cloned().unwrap_or_else(|| StockRow::new(batch, option));
        if row.ordered != units {
            row.ordered = units;
            stock::save(tx.conn, &row)?;
        }
    }
    Ok(())
}
