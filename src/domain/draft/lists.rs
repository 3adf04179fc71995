//! The lists of a campaign's input: options, shipping, tax, suppliers.

use std::collections::HashSet;

use super::bands;
use super::check::{Errors, at};
use super::*;
use crate::domain::money::{Money, parse_decimal};
use crate::domain::tariff::{Area, WHOLE};
use crate::domain::text::clean_line;

/// Longest name of a tax, in characters.
const MAX_TAX_NAME: usize = 40;

pub(super) fn options(
    e: &mut Errors,
    input: Option<Vec<OptionInput>>,
    steps: Option<&Steps>,
    currency: Option<Currency>,
    cheapest_shipping: i64,
) -> Option<Vec<OptionDraft>> {
    let input = e.required("options", input, "what shoppers can choose")?;
    if input.is_empty() || input.len() > MAX_OPTIONS {
        e.add("options", format!("give 1 to {MAX_OPTIONS} options"));
        return None;
    }
    let mut skus = HashSet::new();
    let mut drafts = Some(Vec::with_capacity(input.len()));
    for (index, input) in input.into_iter().enumerate() {
        let path = format!("options[{index}]");
        if let Some(sku) = &input.sku
            && !skus.insert(sku.trim().to_owned())
        {
            e.add(
                format!("{path}.sku"),
                "is already the sku of another option: write another",
            );
        }
        let draft = option(e, &path, input, steps, currency, cheapest_shipping);
        drafts = drafts.zip(draft).map(|(mut drafts, draft)| {
            drafts.push(draft);
            drafts
        });
    }
    drafts
}

fn option(
    e: &mut Errors,
    path: &str,
    input: OptionInput,
    steps: Option<&Steps>,
    currency: Option<Currency>,
    cheapest_shipping: i64,
) -> Option<OptionDraft> {
    let field = |name: &str| format!("{path}.{name}");
    let sku = e.required(&field("sku"), input.sku, "your name for the article");
    let sku = sku.and_then(|sku| e.keep(&field("sku"), clean_sku(&sku)));
    let name = e.required(&field("name"), input.name, "what shoppers read");
    let name = name.and_then(|name| e.keep(&field("name"), clean_line(&name, MAX_OPTION_NAME)));
    let minimum = e.optional(&field("minimum"), input.minimum, (1, i32::MAX));
    let cap = e.optional(&field("cap"), input.cap, (1, i32::MAX));
    if let (Some(minimum), Some(cap)) = (minimum, cap)
        && minimum > cap
    {
        let say = format!("is above the cap, so it could never be made: write at most {cap}");
        e.add(field("minimum"), say);
    }
    let per_shopper = e.optional(&field("per_shopper"), input.per_shopper, (1, i32::MAX));
    let weight_grams = e.optional(&field("weight_grams"), input.weight_grams, (1, i32::MAX));
    let prices = e.required(&field("prices"), input.prices, "one price for each step");
    let prices =
        prices.and_then(|prices| self::prices(e, &field("prices"), prices, steps, currency));
    if let (Some(table), Some(currency)) = (&prices, currency) {
        chargeable(e, &field("prices"), table, currency, cheapest_shipping);
    }
    let made_to_order = input.made_to_order.unwrap_or(false);
    Some(OptionDraft {
        sku: sku?,
        name: name?,
        prices: prices?,
        minimum,
        cap,
        per_shopper,
        weight_grams,
        made_to_order,
    })
}

fn clean_sku(sku: &str) -> Result<String, String> {
    let sku = sku.trim();
    let fits = (1..=MAX_SKU).contains(&sku.len())
        && sku
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    let say = || format!("write 1 to {MAX_SKU} of the characters A-Z a-z 0-9 . _ -");
    if fits { Ok(sku.to_owned()) } else { Err(say()) }
}

/// A price table, or the first thing wrong with it. Without good steps or currency there is nothing to compare with;
/// what can be said about the prices alone is said all the same.
fn prices(
    e: &mut Errors,
    field: &str,
    prices: Vec<i64>,
    steps: Option<&Steps>,
    currency: Option<Currency>,
) -> Option<PriceTable> {
    let table = match steps.zip(currency) {
        Some((steps, currency)) => PriceTable::new(prices, steps, currency),
        None => PriceTable::try_from(prices),
    };
    table
        .map_err(|error| e.add(at(field, error.index()), error.to_string()))
        .ok()
}

/// Each price, with the cheapest shipping, must be a charge that the provider takes.
fn chargeable(
    e: &mut Errors,
    field: &str,
    table: &PriceTable,
    currency: Currency,
    cheapest_shipping: i64,
) {
    let show = |amount| Money::new(amount, currency).format();
    for (index, price) in table.prices().iter().enumerate() {
        let (least, most) = (currency.min_charge(), currency.max_charge());
        if price.saturating_add(cheapest_shipping) < least {
            let say = format!(
                "must be at least {} with shipping: no smaller charge is taken",
                show(least)
            );
            e.add(at(field, Some(index)), say);
        }
        if *price > most {
            let say = format!("must be at most {}: no larger charge is taken", show(most));
            e.add(at(field, Some(index)), say);
        }
    }
}

pub(super) fn shipping(
    e: &mut Errors,
    input: Option<Vec<ShippingInput>>,
    currency: Option<Currency>,
) -> Vec<ShippingRule> {
    let say = r#"such as [{"countries": ["*"], "price": 0}]"#;
    let Some(input) = e.required("shipping", input, say) else {
        return vec![];
    };
    if input.is_empty() {
        e.add("shipping", format!("say where you ship to, {say}"));
    }
    let mut seen = HashSet::new();
    let mut rules = Vec::with_capacity(input.len());
    for (index, input) in input.into_iter().enumerate() {
        let path = format!("shipping[{index}]");
        let countries = areas(e, &path, input.countries, &mut seen);
        let field = format!("{path}.price");
        let say = "the price of shipping one order; 0 is free";
        let Some(price) = e.required(&field, input.price, say) else {
            continue;
        };
        shipping_price(e, &field, price, currency);
        let field = format!("{path}.bands");
        let bands = bands::bands(e, &field, input.bands.unwrap_or_default(), currency);
        rules.push(ShippingRule {
            countries,
            price,
            bands,
        });
    }
    rules
}

/// An amount of shipping: none negative, larger than a charge, or finer than the currency.
pub(super) fn shipping_price(e: &mut Errors, field: &str, price: i64, currency: Option<Currency>) {
    let most = currency.map_or(i64::MAX, Currency::max_charge);
    if price < 0 {
        e.add(field, "write 0 or more");
    } else if price > most {
        e.add(
            field,
            format!("write at most {most}: no larger charge is taken"),
        );
    } else if let Some(currency) = currency.filter(|currency| !currency.is_granular(price)) {
        let by = currency.granularity();
        e.add(
            field,
            format!("in this currency it must be a multiple of {by} minor units"),
        );
    }
}

pub(super) fn cheapest_shipping(rules: &[ShippingRule]) -> i64 {
    rules
        .iter()
        .map(|rule| rule.least().max(0))
        .min()
        .unwrap_or(0)
}

pub(super) fn tax(e: &mut Errors, input: Option<Vec<TaxInput>>) -> Vec<TaxRule> {
    let mut seen = HashSet::new();
    let mut rules = vec![];
    for (index, input) in input.unwrap_or_default().into_iter().enumerate() {
        let path = format!("tax[{index}]");
        let countries = areas(e, &path, input.countries, &mut seen);
        let say = "whether your prices already contain the tax: true or false";
        let included = e.required(&format!("{path}.included"), input.included, say);
        let rate = rate(e, &path, input.rate_basis_points, input.percent.as_deref());
        let name = input.name.filter(|name| !name.trim().is_empty());
        let name =
            name.and_then(|name| e.keep(&format!("{path}.name"), clean_line(&name, MAX_TAX_NAME)));
        if let (Some(included), Some(rate_basis_points)) = (included, rate) {
            rules.push(TaxRule {
                countries,
                rate_basis_points,
                included,
                name,
            });
        }
    }
    rules
}

/// A rate in hundredths of a percent, given as such or in percent.
fn rate(e: &mut Errors, path: &str, points: Option<i64>, percent: Option<&str>) -> Option<i64> {
    let field = format!("{path}.rate_basis_points");
    let points = match (points, percent) {
        (Some(points), None) => points,
        // Percent with two decimals is read like an amount with two decimals.
        (None, Some(text)) => match parse_decimal(text, Currency::EUR) {
            Ok(points) => points,
            Err(_) => {
                e.add(
                    format!("{path}.percent"),
                    "write a percentage such as 19 or 8.25",
                );
                return None;
            }
        },
        (Some(_), Some(_)) => {
            e.add(field, "write either rate_basis_points or percent, not both");
            return None;
        }
        (None, None) => {
            e.add(field, "is required: hundredths of a percent, 1900 for 19 %");
            return None;
        }
    };
    if !(0..=WHOLE).contains(&points) {
        e.add(
            field,
            format!("write 0 to {WHOLE} hundredths of a percent, 1900 for 19 %"),
        );
        return None;
    }
    Some(points)
}

/// The countries of one rule. A country stands in one rule of a list only.
fn areas(
    e: &mut Errors,
    path: &str,
    codes: Option<Vec<String>>,
    seen: &mut HashSet<Area>,
) -> Vec<Area> {
    let field = format!("{path}.countries");
    let codes = codes.unwrap_or_default();
    if codes.is_empty() {
        e.add(
            field,
            "is required: country codes such as [\"DE\", \"AT\"], or [\"*\"] for the rest",
        );
        return vec![];
    }
    let mut areas = Vec::with_capacity(codes.len().min(300));
    for (index, code) in codes.iter().enumerate() {
        match Area::parse(code.trim()) {
            None => {
                let say = "write a two-letter country code such as DE, or * for the rest";
                e.add(at(&field, Some(index)), say);
            }
            Some(area) if !seen.insert(area) => {
                e.add(
                    at(&field, Some(index)),
                    format!("{} stands here twice: keep one", area.code()),
                );
            }
            Some(area) => areas.push(area),
        }
    }
    areas
}

pub(super) fn suppliers(e: &mut Errors, ids: Option<Vec<String>>) -> Vec<SupplierId> {
    let ids = ids.unwrap_or_default();
    if ids.len() > MAX_SUPPLIERS {
        e.add(
            "supplier_ids",
            format!("give at most {MAX_SUPPLIERS} suppliers, the best first"),
        );
        return vec![];
    }
    let mut known = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        let field = at("supplier_ids", Some(index));
        let say = "write a supplier's id, as POST /suppliers answered it";
        let Some(id) = e.keep(&field, id.trim().parse::<SupplierId>().map_err(|_| say)) else {
            continue;
        };
        if known.contains(&id) {
            e.add(field, "stands here twice: keep one");
        } else {
            known.push(id);
        }
    }
    known
}
