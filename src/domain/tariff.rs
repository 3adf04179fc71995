//! Shipping and tax: the tariff frozen at joining, and what an order costs by it (domain section 3).
//!
//! Shipping goes by the country of the address, and may rise with the units or the weight of an order. At most one tax rule applies to a country; its rate
//! goes for goods, per line and half up, and for shipping. Included tax is extracted from the price, not added to it.
//! Everything is a multiple of the currency's granularity.

use serde::{Deserialize, Serialize};

use super::country::Country;
use super::currency::Currency;

mod bands;

pub use bands::{Band, MAX_BANDS, Measure, Size};

/// 100 percent, in basis points.
pub const WHOLE: i64 = 10_000;

/// Where a rule of a tariff applies. In JSON a country code or `*`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Area {
    /// One country.
    Country(Country),
    /// Every country that no other rule of the same list names: `*`.
    Rest,
}

impl Area {
    /// `*` or a country code in either case.
    pub fn parse(text: &str) -> Option<Area> {
        match text {
            "*" => Some(Area::Rest),
            code => Country::parse(code).map(Area::Country),
        }
    }

    /// `*` or the upper-case country code.
    pub fn code(self) -> &'static str {
        match self {
            Area::Rest => "*",
            Area::Country(country) => country.code(),
        }
    }
}

impl TryFrom<String> for Area {
    type Error = super::country::UnknownCountry;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Area::parse(&text).ok_or(super::country::UnknownCountry)
    }
}

impl From<Area> for String {
    fn from(area: Area) -> Self {
        area.code().to_owned()
    }
}

/// What shipping one order costs in some countries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShippingRule {
    /// Where the price applies.
    pub countries: Vec<Area>,
    /// Price of one order's shipping, minor units; 0 is free. Where there are bands, what each order pays before them.
    pub price: i64,
    /// What larger orders pay on top, rising; none: nothing.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bands: Vec<Band>,
}

/// The tax in some countries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaxRule {
    /// Where the rate applies.
    pub countries: Vec<Area>,
    /// Hundredths of a percent: 1900 is 19 %.
    pub rate_basis_points: i64,
    /// Whether prices already contain the tax (it is extracted) or not (it is added).
    pub included: bool,
    /// What it is called on papers, such as `VAT`; none: `Tax`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

impl TaxRule {
    /// Its name with its rate, as papers and pages say it: `VAT 19 %`, `Tax 8.25 %`.
    pub fn label(&self) -> String {
        let (whole, part) = (self.rate_basis_points / 100, self.rate_basis_points % 100);
        let rate = match part {
            0 => whole.to_string(),
            _ => format!("{whole}.{part:02}")
                .trim_end_matches('0')
                .to_owned(),
        };
        format!("{} {rate} %", self.name.as_deref().unwrap_or("Tax"))
    }
}

/// The rules for shipping and tax of one campaign; each order keeps the copy that was in force when it joined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tariff {
    /// The currency of all its amounts.
    pub currency: Currency,
    /// Where orders are shipped to, and for how much.
    pub shipping: Vec<ShippingRule>,
    /// Taxes; a country without a rule has none.
    #[serde(default)]
    pub tax: Vec<TaxRule>,
}

/// Why an order cannot be priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TariffError {
    /// The tariff has no shipping price for the country.
    #[error("this campaign does not ship to {}", .0.name())]
    NotShippedTo(Country),
    /// The order is above the last band of the country's shipping.
    #[error("orders as large as this are not shipped to {}; choose fewer units", .0.name())]
    TooLarge(Country),
    /// A quantity under 1, or a price or rate under 0.
    #[error("quantities start at 1; prices and rates cannot be negative")]
    Invalid,
    /// The total does not fit 64 bits.
    #[error("the total is too large; order fewer units")]
    Overflow,
}

/// What is bought: so many units at a price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuoteLine {
    /// Price of one unit, minor units.
    pub unit_price: i64,
    /// Units, at least 1.
    pub quantity: i64,
    /// Weight of one unit, grams; 0 where it is not known, which no tariff by weight takes.
    pub weight_grams: i64,
}

/// One line, priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineQuote {
    /// Price of one unit, minor units.
    pub unit_price: i64,
    /// Units.
    pub quantity: i64,
    /// `unit_price * quantity`, minor units; contains the tax where it is included.
    pub goods: i64,
    /// The line's tax, minor units: on top of `goods` or contained in it, see [`Quote::tax_added`].
    pub tax: i64,
}

/// An order, priced: all amounts in minor units of the tariff's currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    /// The lines in the order they were asked for.
    pub lines: Vec<LineQuote>,
    /// The sum of the lines' goods.
    pub goods: i64,
    /// Shipping; contains its tax where tax is included.
    pub shipping: i64,
    /// The tax on shipping.
    pub shipping_tax: i64,
    /// Tax on goods and shipping that comes on top of them.
    pub tax_added: i64,
    /// Tax on goods and shipping that they contain.
    pub tax_included: i64,
    /// What is paid: goods, shipping and added tax.
    pub total: i64,
}

impl Quote {
    /// All tax in the total, added or included. Fits, because it is a part of the total.
    pub fn tax(&self) -> i64 {
        self.tax_added.saturating_add(self.tax_included)
    }
}

impl Tariff {
    /// The tax rule for `country`; `None` where no tax is due.
    pub fn tax_for(&self, country: Country) -> Option<&TaxRule> {
        pick(&self.tax, |rule| &rule.countries, country)
    }

    /// Whether orders to `country` are taken.
    pub fn ships_to(&self, country: Country) -> bool {
        self.shipping_for(country).is_some()
    }
}

fn pick<R>(rules: &[R], areas: impl Fn(&R) -> &Vec<Area>, country: Country) -> Option<&R> {
    let named = rules
        .iter()
        .find(|rule| areas(rule).contains(&Area::Country(country)));
    named.or_else(|| rules.iter().find(|rule| areas(rule).contains(&Area::Rest)))
}

/// What `lines` cost, shipped to `country` by `tariff`. No lines cost nothing, shipping included: an order with no line
/// left is refunded whole (domain section 3). Lower prices never give a higher total.
pub fn quote(lines: &[QuoteLine], country: Country, tariff: &Tariff) -> Result<Quote, TariffError> {
    let size = size_of(lines)?;
    let shipping = match lines.is_empty() {
        true if tariff.ships_to(country) => 0,
        true => return Err(TariffError::NotShippedTo(country)),
        false => tariff.shipping(country, size)?,
    };
    let rule = tariff.tax_for(country);
    let granularity = tariff.currency.granularity();
    let tax_on = |amount| rule.map_or(Ok(0), |rule| tax(amount, rule, granularity));

    let mut priced = Vec::with_capacity(lines.len());
    let mut goods = 0i64;
    let shipping_tax = tax_on(shipping)?;
    let mut tax_sum = shipping_tax;
    for line in lines {
        if line.unit_price < 0 {
            return Err(TariffError::Invalid);
        }
        let value = line
            .unit_price
            .checked_mul(line.quantity)
            .ok_or(TariffError::Overflow)?;
        let line_tax = tax_on(value)?;
        goods = goods.checked_add(value).ok_or(TariffError::Overflow)?;
        tax_sum = tax_sum.checked_add(line_tax).ok_or(TariffError::Overflow)?;
        priced.push(LineQuote {
            unit_price: line.unit_price,
            quantity: line.quantity,
            goods: value,
            tax: line_tax,
        });
    }

    let included = rule.is_some_and(|rule| rule.included);
    let (tax_added, tax_included) = if included { (0, tax_sum) } else { (tax_sum, 0) };
    let total = goods
        .checked_add(shipping)
        .and_then(|sum| sum.checked_add(tax_added))
        .ok_or(TariffError::Overflow)?;
    Ok(Quote {
        lines: priced,
        goods,
        shipping,
        shipping_tax,
        tax_added,
        tax_included,
        total,
    })
}

/// How large an order of these lines is.
fn size_of(lines: &[QuoteLine]) -> Result<Size, TariffError> {
    let mut size = Size::default();
    for line in lines {
        if line.quantity < 1 || line.weight_grams < 0 {
            return Err(TariffError::Invalid);
        }
        let grams = line.weight_grams.checked_mul(line.quantity);
        let grams = grams.and_then(|grams| size.grams.checked_add(grams));
        let units = size.units.checked_add(line.quantity);
        (size.units, size.grams) = units.zip(grams).ok_or(TariffError::Overflow)?;
    }
    Ok(size)
}

/// The tax on `amount`, half up to the granularity. Included: the part of the amount that is tax.
fn tax(amount: i64, rule: &TaxRule, granularity: i64) -> Result<i64, TariffError> {
    if rule.rate_basis_points < 0 {
        return Err(TariffError::Invalid);
    }
    let rate = i128::from(rule.rate_basis_points);
    let whole = i128::from(WHOLE);
    let over = if rule.included { whole + rate } else { whole };
    let grain = over * i128::from(granularity);
    // Half up: floor((2 * amount * rate + grain) / (2 * grain)). Fits: amount and rate are below 2^63 each.
    let product = i128::from(amount)
        .checked_mul(rate)
        .and_then(|p| p.checked_mul(2))
        .ok_or(TariffError::Overflow)?;
    let grains = (product + grain) / (2 * grain);
    let tax = i64::try_from(grains)
        .ok()
        .and_then(|grains| grains.checked_mul(granularity));
    let tax = tax.ok_or(TariffError::Overflow)?;
    // Rounding to a coarse granularity must not find more tax in an amount than the amount itself.
    Ok(if rule.included { tax.min(amount) } else { tax })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn country(code: &str) -> Country {
        Country::parse(code).unwrap()
    }

    fn tariff(rate: i64, included: bool) -> Tariff {
        Tariff {
            currency: Currency::EUR,
            shipping: vec![
                ShippingRule {
                    countries: vec![Area::Rest],
                    price: 2_000,
                    bands: vec![],
                },
                ShippingRule {
                    countries: vec![Area::Country(country("DE"))],
                    price: 500,
                    bands: vec![],
                },
            ],
            tax: vec![TaxRule {
                countries: vec![Area::Country(country("DE"))],
                rate_basis_points: rate,
                included,
                name: None,
            }],
        }
    }

    fn line(unit_price: i64, quantity: i64) -> QuoteLine {
        QuoteLine {
            unit_price,
            quantity,
            weight_grams: 0,
        }
    }

    #[test]
    fn a_named_country_goes_before_the_rest_of_the_world() {
        let tariff = tariff(1_900, true);
        assert_eq!(tariff.shipping(country("DE"), Size::default()), Ok(500));
        assert_eq!(tariff.shipping(country("US"), Size::default()), Ok(2_000));
        assert!(tariff.tax_for(country("US")).is_none());
    }

    #[test]
    fn a_country_that_no_rule_covers_is_not_shipped_to() {
        let mut tariff = tariff(0, false);
        tariff.shipping.remove(0);
        assert_eq!(
            quote(&[line(100, 1)], country("US"), &tariff),
            Err(TariffError::NotShippedTo(country("US")))
        );
    }

    #[test]
    fn included_tax_is_extracted_and_not_paid_twice() {
        let quote = quote(&[line(11_900, 2)], country("DE"), &tariff(1_900, true)).unwrap();
        assert_eq!(quote.goods, 23_800);
        assert_eq!(quote.lines[0].tax, 3_800);
        assert_eq!(quote.shipping_tax, 80); // 500 * 19 / 119 = 79.83
        assert_eq!((quote.tax_added, quote.tax_included), (0, 3_880));
        assert_eq!(quote.total, 24_300);
        assert_eq!(quote.tax(), 3_880);
    }

    #[test]
    fn added_tax_comes_on_top_of_goods_and_shipping() {
        let quote = quote(&[line(1_000, 1)], country("DE"), &tariff(850, false)).unwrap();
        assert_eq!(quote.lines[0].tax, 85);
        assert_eq!(quote.shipping_tax, 43); // 42.5, half up
        assert_eq!(quote.total, 1_000 + 500 + 85 + 43);
    }

    #[test]
    fn tax_is_rounded_per_line_not_on_the_sum() {
        let mut tariff = tariff(1_000, false);
        tariff.shipping[1].price = 0;
        let quote = quote(&[line(5, 1), line(5, 1)], country("DE"), &tariff).unwrap();
        assert_eq!(quote.tax_added, 2, "half a cent twice, each rounded up");
    }

    #[test]
    fn where_no_tax_is_due_the_total_is_goods_and_shipping() {
        let quote = quote(&[line(100, 3)], country("US"), &tariff(1_900, true)).unwrap();
        assert_eq!((quote.total, quote.tax()), (2_300, 0));
    }

    #[test]
    fn an_order_with_no_line_left_costs_nothing_shipping_included() {
        let quote = quote(&[], country("DE"), &tariff(1_900, false)).unwrap();
        assert_eq!(quote.total, 0);
    }

    #[test]
    fn tax_in_a_three_decimal_currency_ends_in_nought() {
        let mut tariff = tariff(500, false);
        tariff.currency = Currency::parse("kwd").unwrap();
        let quote = quote(&[line(1_230, 1)], country("DE"), &tariff).unwrap();
        assert_eq!(quote.lines[0].tax, 60, "61.5 fils become 60");
        assert_eq!(quote.total % 10, 0);
    }

    #[test]
    fn a_tax_is_told_by_its_name_and_rate() {
        let mut rule = tariff(1_900, true).tax.remove(0);
        assert_eq!(rule.label(), "Tax 19 %");
        rule.name = Some("VAT".to_owned());
        rule.rate_basis_points = 550;
        assert_eq!(rule.label(), "VAT 5.5 %");
    }

    #[test]
    fn absurd_numbers_are_refused_not_wrapped() {
        let tariff = tariff(1_900, false);
        let de = country("DE");
        assert_eq!(
            quote(&[line(i64::MAX, 2)], de, &tariff),
            Err(TariffError::Overflow)
        );
        assert_eq!(
            quote(&[line(i64::MAX, 1)], de, &tariff),
            Err(TariffError::Overflow)
        );
        assert_eq!(
            quote(&[line(100, 0)], de, &tariff),
            Err(TariffError::Invalid)
        );
        assert_eq!(
            quote(&[line(-1, 1)], de, &tariff),
            Err(TariffError::Invalid)
        );
    }

    #[test]
    fn a_frozen_tariff_survives_as_json() {
        let tariff = tariff(1_900, true);
        let json = serde_json::to_string(&tariff).unwrap();
        assert!(json.contains(r#""countries":["*"]"#), "{json}");
        assert_eq!(serde_json::from_str::<Tariff>(&json).unwrap(), tariff);
    }

    proptest! {
        #[test]
        fn lower_prices_never_cost_more(
            lines in prop::collection::vec((0i64..10_000_000, 1i64..100, 0i64..=100), 1..6),
            rate in 0i64..=10_000,
            included: bool,
            code in prop::sample::select(vec!["eur", "jpy", "kwd", "mga", "isk"]),
        ) {
            let mut tariff = tariff(rate, included);
            tariff.currency = Currency::parse(code).unwrap();
            let grain = tariff.currency.granularity();
            tariff.shipping[1].price *= grain;
            let before: Vec<_> = lines.iter().map(|l| line(l.0 * grain, l.1)).collect();
            let after: Vec<_> =
                lines.iter().map(|l| line(l.0 * l.2 / 100 * grain, l.1)).collect();
            let before = quote(&before, country("DE"), &tariff).unwrap();
            let after = quote(&after, country("DE"), &tariff).unwrap();
            prop_assert!(after.total <= before.total);
            prop_assert!(after.tax() <= before.tax());
            prop_assert_eq!(before.total % grain, 0);
            prop_assert_eq!(before.tax() % grain, 0);
        }

        #[test]
        fn the_parts_of_a_quote_add_up(
            lines in prop::collection::vec((0i64..10_000_000, 1i64..100), 0..6),
            rate in 0i64..=10_000,
            included: bool,
        ) {
            let lines: Vec<_> = lines.iter().map(|l| line(l.0, l.1)).collect();
            let q = quote(&lines, country("DE"), &tariff(rate, included)).unwrap();
            prop_assert_eq!(q.goods, q.lines.iter().map(|l| l.goods).sum::<i64>());
            let tax: i64 = q.lines.iter().map(|l| l.tax).sum::<i64>() + q.shipping_tax;
            prop_assert_eq!(tax, q.tax());
            prop_assert_eq!(q.total, q.goods + q.shipping + q.tax_added);
            prop_assert!(q.tax_included <= q.goods + q.shipping);
        }
    }
}
