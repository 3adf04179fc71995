//! Suppliers: made and edited by staff and by the API, under one check (domain section 5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::desk::Problem;
use crate::domain::currency::Currency;
use crate::domain::draft::{FieldError, MAX_SKU};
use crate::domain::ids::{MerchantId, SupplierId};
use crate::domain::price::MAX_UNITS;
use crate::domain::text::{clean_line, clean_text, normalize_email};
use crate::store::merchants::SupplierRow;
use crate::store::{Tx, merchants};

/// Longest name, in characters.
pub const MAX_NAME: usize = 120;
/// Longest postal address, in characters.
pub const MAX_ADDRESS: usize = 500;
/// Most costs of one supplier.
pub const MAX_COSTS: usize = 500;
/// Longest lead time, in days.
pub const MAX_LEAD_DAYS: i64 = 730;
/// Highest cost of one unit, in minor units: with the most units there are it still fits a sum.
const MAX_COST: i64 = 1_000_000_000;

/// The body of `POST /suppliers`, as it came: every field may be missing, so that all that is wrong is told at once.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)] // the names are the contract's; SupplierDraft says what they mean
pub struct SupplierInput {
    pub name: Option<String>,
    pub email: Option<String>,
    pub address: Option<String>,
    pub minimum_units: Option<i64>,
    pub capacity_units: Option<i64>,
    pub case_pack: Option<i64>,
    pub lead_time_days: Option<i64>,
    pub unit_costs: Option<BTreeMap<String, i64>>,
    pub currency: Option<String>,
}

/// A supplier that keeps every rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SupplierDraft {
    /// Its name.
    pub name: String,
    /// Where purchase orders go.
    pub email: String,
    /// Its postal address; may be empty.
    pub address: String,
    /// The least units it takes an order for.
    pub minimum_units: Option<i64>,
    /// The most units it can make.
    pub capacity_units: Option<i64>,
    /// Units in a case, at least 1.
    pub case_pack: i64,
    /// Days from order to arrival.
    pub lead_time_days: i32,
    /// Cost of one unit by the option's code, minor units.
    pub unit_costs: BTreeMap<String, i64>,
    /// The currency of the costs.
    pub currency: Currency,
}

impl SupplierInput {
    /// A supplier, or everything that is wrong.
    ///
    /// # Errors
    /// One entry for each wrong field.
    pub fn check(self) -> Result<SupplierDraft, Vec<FieldError>> {
        let mut errors = Vec::new();
        let name = self.name.as_deref().unwrap_or_default();
        let name = kept(&mut errors, "name", clean_line(name, MAX_NAME));
        let email = self.email.as_deref().unwrap_or_default();
        let email = kept(&mut errors, "email", normalize_email(email));
        let address = self.address.as_deref().unwrap_or_default();
        let address = kept(&mut errors, "address", clean_text(address, MAX_ADDRESS));
        let minimum = self.minimum_units;
        let minimum_units = within(&mut errors, "minimum_units", minimum, 1, MAX_UNITS);
        let capacity = self.capacity_units;
        let capacity_units = within(&mut errors, "capacity_units", capacity, 1, MAX_UNITS);
        if let (Some(least), Some(most)) = (minimum_units, capacity_units)
            && least > most
        {
            errors.push(FieldError::new(
                "capacity_units",
                "must be at least the minimum",
            ));
        }
        let case_pack = within(&mut errors, "case_pack", self.case_pack, 1, MAX_UNITS);
        if self.lead_time_days.is_none() {
            errors.push(FieldError::new(
                "lead_time_days",
                "is required: days from order to arrival",
            ));
        }
        let days = self.lead_time_days;
        let days = within(&mut errors, "lead_time_days", days, 0, MAX_LEAD_DAYS);
        let code = self.currency.as_deref().unwrap_or_default().trim();
        let say = "write a currency code such as usd or eur";
        let currency = kept(&mut errors, "currency", Currency::parse(code).ok_or(say));
        let unit_costs = costs(&mut errors, self.unit_costs.unwrap_or_default(), currency);
        let draft = (|| {
            Some(SupplierDraft {
                name: name?,
                email: email?,
                address: address?,
                minimum_units,
                capacity_units,
                case_pack: case_pack.unwrap_or(1),
                lead_time_days: i32::try_from(days?).ok()?,
                unit_costs,
                currency: currency?,
            })
        })();
        match draft {
            Some(draft) if errors.is_empty() => Ok(draft),
            _ => Err(errors),
        }
    }
}

fn kept<T>(
    errors: &mut Vec<FieldError>,
    field: &str,
    result: Result<T, impl ToString>,
) -> Option<T> {
    result
        .map_err(|say| errors.push(FieldError::new(field, say.to_string())))
        .ok()
}

fn within(
    errors: &mut Vec<FieldError>,
    field: &str,
    value: Option<i64>,
    least: i64,
    most: i64,
) -> Option<i64> {
    let value = value?;
    if (least..=most).contains(&value) {
        return Some(value);
    }
    let say = format!("write a whole number from {least} to {most}");
    errors.push(FieldError::new(field, say));
    None
}

fn costs(
    errors: &mut Vec<FieldError>,
    input: BTreeMap<String, i64>,
    currency: Option<Currency>,
) -> BTreeMap<String, i64> {
    if input.len() > MAX_COSTS {
        errors.push(FieldError::new(
            "unit_costs",
            format!("give at most {MAX_COSTS} costs"),
        ));
        return BTreeMap::new();
    }
    for (sku, cost) in &input {
        let field = format!("unit_costs.{sku}");
        let fits = (1..=MAX_SKU).contains(&sku.len())
            && sku
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if !fits {
            errors.push(FieldError::new(
                field.as_str(),
                format!("write a SKU: 1 to {MAX_SKU} of the characters A-Z a-z 0-9 . _ -"),
            ));
        }
        if !(0..=MAX_COST).contains(cost) {
            let say = format!("write an amount from 0 to {MAX_COST}");
            errors.push(FieldError::new(field, say));
        } else if let Some(currency) = currency.filter(|c| !c.is_granular(*cost)) {
            let say = format!("write a multiple of {}", currency.granularity());
            errors.push(FieldError::new(field, say));
        }
    }
    input
}

/// Keeps a new supplier.
///
/// # Errors
/// Everything that is wrong with the input.
pub fn create(
    tx: &mut Tx,
    merchant: MerchantId,
    input: SupplierInput,
) -> Result<SupplierRow, Problem> {
    let draft = input.check().map_err(Problem::Invalid)?;
    let row = row(SupplierId::new(), merchant, draft, tx.now.naive_utc())?;
    merchants::insert_supplier(tx.conn, &row)?;
    Ok(row)
}

/// Changes a supplier. Purchase orders that were issued keep what they say.
///
/// # Errors
/// Everything that is wrong with the input; [`Problem::NotFound`], also where it is another merchant's.
pub fn edit(
    tx: &mut Tx,
    merchant: MerchantId,
    id: SupplierId,
    input: SupplierInput,
) -> Result<SupplierRow, Problem> {
    let old = merchants::supplier(tx.conn, id)?
        .filter(|s| s.merchant_id == merchant)
        .ok_or(Problem::NotFound("supplier"))?;
    let draft = input.check().map_err(Problem::Invalid)?;
    let row = row(id, merchant, draft, old.created_at)?;
    merchants::save_supplier(tx.conn, &row)?;
    Ok(row)
}

fn row(
    id: SupplierId,
    merchant_id: MerchantId,
    draft: SupplierDraft,
    created_at: chrono::NaiveDateTime,
) -> Result<SupplierRow, Problem> {
    Ok(SupplierRow {
        id,
        merchant_id,
        name: draft.name,
        email: draft.email,
        address: draft.address,
        currency: draft.currency.code().to_owned(),
        lead_time_days: draft.lead_time_days,
        minimum_units: draft.minimum_units,
        capacity_units: draft.capacity_units,
        case_pack: draft.case_pack,
        unit_costs: serde_json::to_string(&draft.unit_costs)?,
        created_at,
    })
}

/// The input that makes this very supplier: to fill in a form, or to lay a change over.
///
/// # Errors
/// When the row is damaged.
pub fn to_input(row: &SupplierRow) -> Result<SupplierInput, Problem> {
    Ok(SupplierInput {
        name: Some(row.name.clone()),
        email: Some(row.email.clone()),
        address: Some(row.address.clone()),
        minimum_units: row.minimum_units,
        capacity_units: row.capacity_units,
        case_pack: Some(row.case_pack),
        lead_time_days: Some(row.lead_time_days.into()),
        unit_costs: Some(serde_json::from_str(&row.unit_costs)?),
        currency: Some(row.currency.clone()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_that_is_wrong_is_told_at_once() {
        let wrong = SupplierInput {
            minimum_units: Some(0),
            capacity_units: Some(-1),
            case_pack: Some(0),
            unit_costs: Some(BTreeMap::from([("a b".to_owned(), -1)])),
            currency: Some("xxx".into()),
            ..SupplierInput::default()
        };
        let fields: Vec<String> = wrong
            .check()
            .unwrap_err()
            .into_iter()
            .map(|e| e.field)
            .collect();
        assert_eq!(
            fields,
            [
                "name",
                "email",
                "minimum_units",
                "capacity_units",
                "case_pack",
                "lead_time_days",
                "currency",
                "unit_costs.a b",
                "unit_costs.a b",
            ]
        );
    }

    #[test]
    fn a_supplier_has_a_case_of_one_unless_it_says_otherwise() {
        let input = SupplierInput {
            name: Some("Kasten".into()),
            email: Some("Orders@Kasten.example".into()),
            lead_time_days: Some(35),
            currency: Some("usd".into()),
            ..SupplierInput::default()
        };
        let draft = input.check().unwrap();
        assert_eq!(
            (draft.case_pack, draft.email.as_str()),
            (1, "orders@kasten.example")
        );
    }
}
