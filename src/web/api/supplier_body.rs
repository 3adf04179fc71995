//! Reading a supplier.

use std::collections::BTreeMap;

use serde_json::Value;

use super::bodies::SupplierInput;
use super::fields::{Errors, Reader};
use crate::domain::currency::Currency;
use crate::domain::draft::MAX_SKU;
use crate::domain::price::MAX_UNITS;
use crate::domain::text::{clean_line, clean_text, normalize_email};

/// Longest lead time, in days.
const MAX_LEAD_TIME: i64 = 730;
/// Highest cost of one unit, in minor units: with the most units there are it still fits a sum.
const MAX_COST: i64 = 1_000_000_000;

/// Reads a supplier, or says everything that is wrong with it.
pub(super) fn supplier(body: &Value, e: &mut Errors) -> Option<SupplierInput> {
    let mut r = Reader::body(body, e)?;
    let name = r.text("name", e);
    let name = r.required("name", name, e, "the supplier's name");
    let name = name.and_then(|text| e.keep("name", clean_line(text, 120)));
    let email = r.text("email", e);
    let email = r.required("email", email, e, "where purchase orders go");
    let email = email.and_then(|text| e.keep("email", normalize_email(text)));
    let address = r.text("address", e).unwrap_or_default();
    let address = e.keep("address", clean_text(address, 500));
    let minimum_units = units(&mut r, "minimum_units", e);
    let capacity_units = units(&mut r, "capacity_units", e);
    if let (Some(Some(least)), Some(Some(most))) = (minimum_units, capacity_units)
        && least > most
    {
        e.add("capacity_units", "must not be under the minimum");
    }
    let case_pack = units(&mut r, "case_pack", e).map(|pack| pack.unwrap_or(1));
    let days = r.integer("lead_time_days", e);
    let days = r.required("lead_time_days", days, e, "days from order to arrival");
    let lead_time_days =
        days.and_then(|days| within("lead_time_days", days, (0, MAX_LEAD_TIME), e));
    let unit_costs = costs(&mut r, e);
    let currency = r.text("currency", e);
    let currency = r.required("currency", currency, e, "such as usd or eur");
    let currency = currency.and_then(|code| e.keep("currency", code.trim().parse::<Currency>()));
    if let (Some(costs), Some(currency)) = (&unit_costs, currency) {
        for (sku, cost) in costs {
            if !currency.is_granular(*cost) {
                let step = currency.granularity();
                e.add(
                    format!("unit_costs.{sku}"),
                    format!("write a multiple of {step}"),
                );
            }
        }
    }
    r.end(e);
    Some(SupplierInput {
        name: name?,
        email: email?,
        address: address?,
        minimum_units: minimum_units?,
        capacity_units: capacity_units?,
        case_pack: case_pack?,
        lead_time_days: i32::try_from(lead_time_days?).ok()?,
        unit_costs: unit_costs?,
        currency: currency?,
    })
}

fn within(field: &str, value: i64, (least, most): (i64, i64), e: &mut Errors) -> Option<i64> {
    let fits = (least..=most).contains(&value);
    if !fits {
        e.add(
            field,
            format!("write a whole number from {least} to {most}"),
        );
    }
    fits.then_some(value)
}

/// A count of units that may be left out; none where it is wrong.
fn units(r: &mut Reader, name: &'static str, e: &mut Errors) -> Option<Option<i64>> {
    match r.integer(name, e) {
        None => Some(None),
        Some(count) => within(name, count, (1, MAX_UNITS), e).map(Some),
    }
}

fn costs(r: &mut Reader, e: &mut Errors) -> Option<BTreeMap<String, i64>> {
    let entries = r.entries("unit_costs", e);
    let say = r#"the cost of one unit by the option's code, such as {"walnut": 9600}"#;
    let entries = r.required("unit_costs", entries, e, say)?;
    let mut costs = BTreeMap::new();
    for (sku, cost) in entries {
        let field = format!("unit_costs.{sku}");
        let fits = (1..=MAX_SKU).contains(&sku.len())
            && sku
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !fits {
            e.add(
                "unit_costs",
                "an option's code has the characters A-Z a-z 0-9 . _ -",
            );
            continue;
        }
        match cost.as_i64() {
            None => e.add(field, "write a whole number"),
            Some(cost) => {
                if let Some(cost) = within(&field, cost, (0, MAX_COST), e) {
                    costs.insert(sku.clone(), cost);
                }
            }
        }
    }
    Some(costs)
}
