//! What of a batch is on order.

use std::collections::BTreeMap;

use super::Document;
use crate::domain::ids::BatchId;
use crate::store::stock::StockRow;
use crate::store::{Tx, campaigns, purchase_orders, stock};
use crate::workflows::desk::Problem;

/// Sums what the batch's standing purchase orders say, option by option, into its stock. The campaign is locked by the
/// caller.
///
/// # Errors
/// What the database says.
pub fn reckon(tx: &mut Tx, batch: BatchId) -> Result<(), Problem> {
    let row = campaigns::batch(tx.conn, batch)?.ok_or(Problem::NotFound("batch"))?;
    let mut ordered: BTreeMap<String, i64> = BTreeMap::new();
    for order in purchase_orders::of_batch(tx.conn, batch)? {
        if !order.state.stands() {
            continue;
        }
        let document: Document = serde_json::from_str(&order.document)?;
        for line in document.lines {
            *ordered.entry(line.sku).or_default() += line.units;
        }
    }
    let known = stock::of_batch(tx.conn, batch)?;
    for option in campaigns::options_of(tx.conn, row.campaign_id)? {
        let units = ordered.get(&option.sku).copied().unwrap_or(0);
        let mut row = known
            .iter()
            .find(|s| s.option_id == option.id)
            .cloned()
            .unwrap_or_else(|| StockRow::new(batch, option.id));
        let is_new = row == StockRow::new(batch, option.id);
        if row.ordered != units || (is_new && units > 0) {
            row.ordered = units;
            stock::save(tx.conn, &row)?;
        }
    }
    Ok(())
}
