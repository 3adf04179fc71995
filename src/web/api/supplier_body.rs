//! Reading a supplier: the types only. What makes one good is checked by the workflow, for the panel too.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fields::{Errors, Reader};
use crate::domain::draft::FieldError;
use crate::workflows::suppliers::SupplierInput;

/// A supplier as it was written, or everything that is wrong with it.
///
/// # Errors
/// One entry for each wrong field: of a wrong type, unknown, or breaking a rule.
pub(super) fn supplier(body: &Value) -> Result<SupplierInput, Vec<FieldError>> {
    let mut e = Errors::default();
    let Some(input) = read(body, &mut e) else {
        return Err(e.all());
    };
    let all = e.with(input.clone().check().err().unwrap_or_default());
    if all.is_empty() { Ok(input) } else { Err(all) }
}

fn read(body: &Value, e: &mut Errors) -> Option<SupplierInput> {
    let mut r = Reader::body(body, e)?;
    let input = SupplierInput {
        name: r.string("name", e),
        email: r.string("email", e),
        address: r.string("address", e),
        minimum_units: r.integer("minimum_units", e),
        capacity_units: r.integer("capacity_units", e),
        case_pack: r.integer("case_pack", e),
        lead_time_days: r.integer("lead_time_days", e),
        unit_costs: costs(&mut r, e),
        currency: r.string("currency", e),
    };
    r.end(e);
    Some(input)
}

fn costs(r: &mut Reader, e: &mut Errors) -> Option<BTreeMap<String, i64>> {
    let entries = r.entries("unit_costs", e);
    let say = r#"the cost of one unit by the option's code, such as {"walnut": 9600}"#;
    let entries = r.required("unit_costs", entries, e, say)?;
    let mut costs = BTreeMap::new();
    for (sku, cost) in entries {
        match cost.as_i64() {
            Some(cost) => {
                costs.insert(sku.clone(), cost);
            }
            None => e.add(format!("unit_costs.{sku}"), "write a whole number"),
        }
    }
    Some(costs)
}
