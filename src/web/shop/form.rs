//! The join form as it comes in: everything typed is kept, and everything that is wrong is told at once.

use url::form_urlencoded;

use super::load::Facts;
use crate::domain::country::Country;
use crate::domain::order::Delivery;
use crate::domain::text::{clean_line, normalize_email, optional_line};
use crate::web::view::{JoinInput, Paying, Problems};
use crate::workflows::join::Address;

/// The most units of one option in one order.
pub const MOST: i64 = 10_000;
/// Longest line of name and address, in characters.
const LINE: usize = 200;
/// Longest form key, in characters.
const KEY: usize = 64;

/// What the form sends besides what is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sent {
    /// What was typed.
    pub input: JoinInput,
    /// The button that was pressed: `review`, `pay`, `edit`.
    pub step: String,
    /// The total that was shown, in minor units.
    pub confirmed_total: Option<i64>,
    /// What makes a second submit the same order.
    pub form_key: Option<String>,
}

impl Sent {
    /// Reads a form's body; fields it does not know are left out.
    pub fn read(body: &[u8]) -> Self {
        let mut sent = Sent::default();
        for (name, value) in form_urlencoded::parse(body) {
            let value = value.into_owned();
            let input = &mut sent.input;
            match name.as_ref() {
                "email" => input.email = value,
                "name" => input.name = value,
                "line1" => input.line1 = value,
                "line2" => input.line2 = value,
                "city" => input.city = value,
                "region" => input.region = value,
                "postal_code" => input.postal_code = value,
                "country" => input.country = value,
                "delivery" => input.delivery = value,
                "terms" => input.terms = value,
                "limit_step" => input.limit_step = value,
                "step" => sent.step = value,
                "confirmed_total" => sent.confirmed_total = value.trim().parse().ok(),
                "form_key" => {
                    let fits = (1..=KEY).contains(&value.len())
                        && value.bytes().all(|b| b.is_ascii_graphic());
                    sent.form_key = fits.then_some(value);
                }
                other => {
                    if let Some(sku) = other.strip_prefix("qty_") {
                        input.quantities.push((sku.to_owned(), value));
                    }
                }
            }
        }
        sent
    }
}

/// A form in which nothing is wrong.
#[derive(Debug, Clone)]
pub struct Checked {
    /// The shopper: trimmed and lower-cased.
    pub email: String,
    /// The shopper's name.
    pub name: String,
    /// Where it goes.
    pub address: Address,
    /// Option codes and quantities, each at least 1, in the campaign's order.
    pub lines: Vec<(String, i64)>,
    /// How the shopper wants the parcels.
    pub delivery: Delivery,
    /// The terms that were accepted.
    pub terms_version: i32,
    /// In only if the step with this index is reached.
    pub limit_step: Option<usize>,
}

/// Checks every field.
///
/// # Errors
/// Everything that is wrong, in the order of the fields.
pub fn check(facts: &Facts, input: &JoinInput) -> Result<Checked, Problems> {
    let mut problems = Problems::default();
    let lines = quantities(facts, input, &mut problems);
    let email = normalize_email(&input.email);
    if let Err(why) = email {
        problems.add("email", sentence(why));
    }
    let mut line = |field: &str, value: &str, missing: &str| match value.trim() {
        "" => {
            problems.add(field, missing);
            String::new()
        }
        value => clean_line(value, LINE).unwrap_or_else(|why| {
            problems.add(field, sentence(&why));
            String::new()
        }),
    };
    let name = line("name", &input.name, "Write your name.");
    let country = country(facts, input, &mut problems);
    let mut line = |field: &str, value: &str, missing: Option<&str>| {
        let cleaned = match missing {
            Some(missing) if value.trim().is_empty() => Err(missing.to_owned()),
            _ => optional_line(Some(value), LINE),
        };
        cleaned.unwrap_or_else(|why| {
            problems.add(field, sentence(&why));
            None
        })
    };
    let line1 = line("line1", &input.line1, Some("Write street and number."));
    let line2 = line("line2", &input.line2, None);
    let postal_code = line("postal_code", &input.postal_code, None);
    let city = line("city", &input.city, Some("Write the town."));
    let region = line("region", &input.region, None);
    let delivery = match input.delivery.trim() {
        "" => Ok(Delivery::OneParcel),
        word => word.parse(),
    };
    if delivery.is_err() {
        problems.add("delivery", "Choose how it is to be sent.");
    }
    let limit_step = limit(facts, input, &mut problems);
    let terms_version = accepted(facts, input, &mut problems);
    match (email, country, delivery) {
        (Ok(email), Some(country), Ok(delivery)) if problems.is_empty() => Ok(Checked {
            email,
            name,
            address: Address {
                line1: line1.unwrap_or_default(),
                line2,
                city: city.unwrap_or_default(),
                region,
                postal_code,
                country,
            },
            lines,
            delivery,
            terms_version,
            limit_step,
        }),
        _ => Err(problems),
    }
}

fn quantities(facts: &Facts, input: &JoinInput, problems: &mut Problems) -> Vec<(String, i64)> {
    let mut lines = Vec::new();
    let mut wrong = false;
    for option in &facts.draft.options {
        let field = format!("qty_{}", option.sku);
        match quantity(input.quantity(&option.sku)) {
            Ok(0) => {}
            Ok(n) => {
                if let Some(limit) = option.per_shopper.filter(|limit| n > i64::from(*limit)) {
                    problems.add(field, format!("Each shopper may have {limit} at most."));
                    wrong = true;
                } else {
                    lines.push((option.sku.clone(), n));
                }
            }
            Err(why) => {
                problems.add(field, why);
                wrong = true;
            }
        }
    }
    let known = |sku: &str| facts.draft.options.iter().any(|o| o.sku == sku);
    let gone = input
        .quantities
        .iter()
        .find(|(sku, typed)| !known(sku) && !matches!(typed.trim(), "" | "0"));
    if gone.is_some() {
        problems.add(
            "options",
            "One of the options you chose is not offered any more. Choose again.",
        );
    } else if lines.is_empty() && !wrong {
        problems.add("options", "Choose at least one: write how many you want.");
    }
    lines
}

/// A typed quantity; empty is none.
pub(in crate::web) fn quantity(typed: &str) -> Result<i64, String> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(0);
    }
    if !typed.bytes().all(|b| b.is_ascii_digit()) {
        return Err("Write a whole number, 0 for none.".to_owned());
    }
    match typed.parse::<i64>() {
        Ok(n) if n <= MOST => Ok(n),
        _ => Err("Write 10,000 at most.".to_owned()),
    }
}

fn country(facts: &Facts, input: &JoinInput, problems: &mut Problems) -> Option<Country> {
    let typed = input.country.trim();
    let Some(country) = Country::parse(typed) else {
        problems.add("country", "Choose the country it goes to.");
        return None;
    };
    if !facts.draft.tariff().ships_to(country) {
        problems.add(
            "country",
            format!("This campaign does not ship to {}.", country.name()),
        );
        return None;
    }
    Some(country)
}

/// The step that is waited for; none where the order is in in any case.
fn limit(facts: &Facts, input: &JoinInput, problems: &mut Problems) -> Option<usize> {
    let typed = input.limit_step.trim();
    if matches!(typed, "" | "0") {
        return None;
    }
    if facts.paying() != Paying::OnSuccess {
        problems.add(
            "",
            "Waiting for a price is not offered here any more. Join in any case, or do not join.",
        );
        return None;
    }
    let step = typed.parse::<usize>().ok();
    let step = step.filter(|at| *at < facts.draft.steps.len());
    if step.is_none() {
        problems.add(
            "limit_step",
            "Choose one of the prices, or to be in in any case.",
        );
    }
    step
}

fn accepted(facts: &Facts, input: &JoinInput, problems: &mut Problems) -> i32 {
    let in_force = facts.merchant.terms_version;
    if !facts.merchant.terms.trim().is_empty() {
        match input.terms.trim() {
            "" => problems.add("terms", "Accept the terms to join."),
            version if version == in_force.to_string() => {}
            _ => problems.add(
                "terms",
                "The seller's terms have changed. Read them again and accept the present ones.",
            ),
        }
    }
    in_force
}

/// With a capital letter and a full stop.
pub(super) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let mut out: String = match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    };
    if !out.ends_with(['.', '!', '?']) {
        out.push('.');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_quantity_is_none_and_nonsense_is_told() {
        assert_eq!(quantity("  "), Ok(0));
        assert_eq!(quantity("0"), Ok(0));
        assert_eq!(quantity(" 10000 "), Ok(10_000));
        for wrong in [
            "-1",
            "+1",
            "1.5",
            "1e3",
            "two",
            "10001",
            "99999999999999999999",
        ] {
            assert!(quantity(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_form_is_read_with_everything_typed() {
        let sent = Sent::read(
            b"qty_red=2&qty_blue=&email=+A%40B.example+&step=pay&confirmed_total=12x&form_key=k1&other=1",
        );
        assert_eq!(sent.input.quantity("red"), "2");
        assert_eq!(sent.input.email, " A@B.example ");
        assert_eq!(sent.confirmed_total, None);
        assert_eq!(sent.form_key.as_deref(), Some("k1"));
        assert_eq!(Sent::read(b"form_key=a%0Ab").form_key, None);
    }

    #[test]
    fn messages_are_sentences() {
        assert_eq!(sentence("write it"), "Write it.");
        assert_eq!(sentence("Done."), "Done.");
    }
}
