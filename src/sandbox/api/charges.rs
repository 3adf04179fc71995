//! Charges: what refunds and disputes do to them. They are made by payments only.

use serde_json::json;

use super::super::books::{Books, number};
use super::super::errors::Reply;
use super::super::store::Record;

/// What is not refunded yet, in minor units.
pub fn remaining(charge: &Record) -> i64 {
    number(&charge.body, "amount_captured") - number(&charge.body, "amount_refunded")
}

/// Adds to (or, when a refund failed, takes from) what counts as refunded. Kept.
pub fn count_refund(b: &mut Books, charge: &mut Record, amount: i64) -> Reply<()> {
    let refunded = number(&charge.body, "amount_refunded") + amount;
    charge.body["amount_refunded"] = json!(refunded);
    charge.body["refunded"] = json!(refunded == number(&charge.body, "amount_captured"));
    b.save(charge)?;
    Ok(())
}
