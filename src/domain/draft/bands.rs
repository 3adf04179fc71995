//! The bands of a shipping rule's input (domain section 3): rising bounds of one kind, prices that never fall.

use super::check::{Errors, at};
use super::lists::shipping_price;
use super::*;
use crate::domain::tariff::{Band, MAX_BANDS, Measure};

/// The largest bound: a ton, or a million units.
const MOST: i64 = 1_000_000;

pub(super) fn bands(
    e: &mut Errors,
    field: &str,
    input: Vec<BandInput>,
    currency: Option<Currency>,
) -> Vec<Band> {
    if input.len() > MAX_BANDS {
        e.add(field, format!("give at most {MAX_BANDS} bands"));
        return vec![];
    }
    let last = input.len().saturating_sub(1);
    let mut bands: Vec<Band> = Vec::with_capacity(input.len());
    for (index, input) in input.into_iter().enumerate() {
        let path = at(field, Some(index));
        bound(e, &path, &input, (index, last), bands.last());
        let price_field = format!("{path}.price");
        let say = "what orders of this size pay on top; 0 is nothing";
        let Some(price) = e.required(&price_field, input.price, say) else {
            continue;
        };
        shipping_price(e, &price_field, price, currency);
        if bands.last().is_some_and(|before| price < before.price) {
            e.add(
                &price_field,
                "must not be less than that of the band before: an order that loses units would cost more",
            );
        }
        bands.push(Band {
            up_to_units: input.up_to_units,
            up_to_grams: input.up_to_grams,
            price,
        });
    }
    bands
}

/// One bound, of the same kind as the others, beyond the one before; only the last band may go without.
fn bound(
    e: &mut Errors,
    path: &str,
    input: &BandInput,
    (index, last): (usize, usize),
    before: Option<&Band>,
) {
    let before = before.and_then(Band::bound);
    let (name, bound) = match (input.up_to_units, input.up_to_grams) {
        (None, None) if index == last && index > 0 => return,
        (None, None) => {
            e.add(
                path,
                "write up_to_units or up_to_grams; only the last of several bands may go without",
            );
            return;
        }
        (Some(_), Some(_)) => {
            e.add(path, "write either up_to_units or up_to_grams, not both");
            return;
        }
        (Some(units), None) => ("up_to_units", (Measure::Units, units)),
        (None, Some(grams)) => ("up_to_grams", (Measure::Grams, grams)),
    };
    let field = format!("{path}.{name}");
    if !(1..=MOST).contains(&bound.1) {
        e.add(&field, format!("write a whole number from 1 to {MOST}"));
    }
    if before.is_some_and(|(measure, _)| measure != bound.0) {
        e.add(
            path,
            "must go by the same as the band before: units or weight",
        );
    } else if before.is_some_and(|(_, most)| bound.1 <= most) {
        e.add(field, "must be more than in the band before");
    }
}

/// Where shipping goes by weight, every option must have one.
pub(super) fn weights(e: &mut Errors, rules: &[ShippingRule], options: Option<&[OptionDraft]>) {
    let by_weight = rules
        .iter()
        .any(|rule| rule.measure() == Some(Measure::Grams));
    if !by_weight {
        return;
    }
    for (index, option) in options.unwrap_or_default().iter().enumerate() {
        if option.weight_grams.is_none() {
            e.add(
                format!("options[{index}].weight_grams"),
                "is required, because shipping goes by weight: the weight of one unit in grams",
            );
        }
    }
}
