//! The bands of a shipping rule as they are typed: one a line, `2 kg: 0`, `10 units: 4.50`, `more: 9`.

use crate::domain::currency::Currency;
use crate::domain::draft::BandInput;
use crate::domain::money::{Money, parse_decimal};
use crate::domain::tariff::{Band, Measure};

/// What a line looks like.
const SAY: &str =
    "write one band a line, such as 2 kg: 0 or 10 units: 4.50, and more: 9 for everything above";

/// The bands of a field; none where nothing was typed.
///
/// # Errors
/// The line that cannot be read, and how to write it.
pub fn read(typed: &str, currency: Currency) -> Result<Option<Vec<BandInput>>, String> {
    let mut bands = Vec::new();
    for (index, line) in typed.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let band = band(line, currency).map_err(|say| format!("line {}: {say}", index + 1))?;
        bands.push(band);
    }
    Ok((!bands.is_empty()).then_some(bands))
}

fn band(line: &str, currency: Currency) -> Result<BandInput, String> {
    let (size, price) = line.split_once(':').ok_or(SAY)?;
    let price = parse_decimal(price, currency).map_err(|e| e.to_string())?;
    let mut band = BandInput {
        price: Some(price),
        ..BandInput::default()
    };
    let size = size.trim().to_lowercase();
    if size == "more" {
        return Ok(band);
    }
    let digits = size
        .find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',')
        .unwrap_or(size.len());
    let (number, unit) = size.split_at(digits);
    match unit.trim() {
        "unit" | "units" => band.up_to_units = Some(number.parse().map_err(|_| SAY)?),
        "g" => band.up_to_grams = Some(number.parse().map_err(|_| SAY)?),
        "kg" => band.up_to_grams = Some(grams(number).ok_or(SAY)?),
        _ => return Err(SAY.to_owned()),
    }
    Ok(band)
}

/// Kilograms with up to three decimals, in grams.
fn grams(kilograms: &str) -> Option<i64> {
    let (whole, part) = kilograms.split_once(['.', ',']).unwrap_or((kilograms, ""));
    if part.len() > 3 {
        return None;
    }
    let part: i64 = format!("{part:0<3}").parse().ok()?;
    whole
        .parse::<i64>()
        .ok()?
        .checked_mul(1_000)?
        .checked_add(part)
}

/// Kept bands as they are typed.
pub fn typed(bands: &[Band], currency: Currency) -> String {
    let lines = bands.iter().map(|band| {
        let price = Money::new(band.price, currency).to_decimal();
        match band.bound() {
            Some((Measure::Units, most)) => format!("{most} units: {price}"),
            Some((Measure::Grams, most)) => format!("{}: {price}", crate::web::view::weight(most)),
            None => format!("more: {price}"),
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_read_as_they_are_shown() {
        let text = "500 g: 0.00\n2 kg: 3.50\n10.5 kg: 9.00\nmore: 12.00";
        let read = read(text, Currency::EUR).unwrap().unwrap();
        let bands: Vec<Band> = read
            .iter()
            .map(|b| Band {
                up_to_units: b.up_to_units,
                up_to_grams: b.up_to_grams,
                price: b.price.unwrap(),
            })
            .collect();
        assert_eq!(bands[2].up_to_grams, Some(10_500));
        assert_eq!(typed(&bands, Currency::EUR), text);
    }

    #[test]
    fn a_line_that_cannot_be_read_is_named() {
        for (text, line) in [
            ("10 units: 1\n5", "line 2"),
            ("2 stones: 1", "line 1"),
            ("1.2345 kg: 1", "line 1"),
            ("1.5 units: 1", "line 1"),
            ("2 kg: free", "line 1"),
        ] {
            let wrong = read(text, Currency::EUR).unwrap_err();
            assert!(wrong.starts_with(line), "{text}: {wrong}");
        }
        assert_eq!(read(" \n", Currency::EUR), Ok(None));
    }
}
