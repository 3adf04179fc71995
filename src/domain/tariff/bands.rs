//! What the size of an order adds to its shipping: bands by units or by weight (domain section 3).
//!
//! Bands never fall, so that an order that loses lines never ships for more than before: shipping is computed again for
//! the kept lines by the tariff frozen at joining.

use serde::{Deserialize, Serialize};

use super::{Area, ShippingRule, Tariff, TariffError, pick};
use crate::domain::country::Country;

/// Most bands of one shipping rule.
pub const MAX_BANDS: usize = 20;

/// How the size of an order is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Units of all lines.
    Units,
    /// The weight of all units, grams.
    Grams,
}

/// A part of the scale: what orders up to a bound add to the rule's price. One bound at most, the same kind in all bands
/// of a rule; a band without one is the last and takes every larger order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Band {
    /// Up to so many units, this number included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to_units: Option<i64>,
    /// Up to this weight in grams, it included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub up_to_grams: Option<i64>,
    /// Added to the rule's price, minor units.
    pub price: i64,
}

impl Band {
    /// Where it ends; none: never.
    pub fn bound(&self) -> Option<(Measure, i64)> {
        let units = self.up_to_units.map(|n| (Measure::Units, n));
        units.or(self.up_to_grams.map(|n| (Measure::Grams, n)))
    }

    fn takes(&self, size: Size) -> bool {
        self.bound()
            .is_none_or(|(measure, most)| size.by(measure) <= most)
    }
}

/// How large an order is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Units of all lines.
    pub units: i64,
    /// Their weight, grams.
    pub grams: i64,
}

impl Size {
    fn by(self, measure: Measure) -> i64 {
        match measure {
            Measure::Units => self.units,
            Measure::Grams => self.grams,
        }
    }
}

impl ShippingRule {
    /// What its bands measure; none where every order ships for the same price.
    pub fn measure(&self) -> Option<Measure> {
        self.bands.iter().find_map(|band| Some(band.bound()?.0))
    }

    /// What shipping an order of this size costs, minor units; `None` above the last band: such orders are not taken.
    ///
    /// # Errors
    /// When the sum does not fit, or a price is negative.
    pub fn cost(&self, size: Size) -> Result<Option<i64>, TariffError> {
        let added = match self.bands.iter().find(|band| band.takes(size)) {
            Some(band) => band.price,
            None if self.bands.is_empty() => 0,
            None => return Ok(None),
        };
        if self.price < 0 || added < 0 {
            return Err(TariffError::Invalid);
        }
        let sum = self.price.checked_add(added).ok_or(TariffError::Overflow)?;
        Ok(Some(sum))
    }

    /// The least that shipping costs by it, minor units.
    pub fn least(&self) -> i64 {
        let added = self.bands.first().map_or(0, |band| band.price);
        self.price.saturating_add(added)
    }

    /// The sizes at which its price can change: each bound, and the first size beyond it.
    fn turns(&self, measure: Measure) -> impl Iterator<Item = i64> + '_ {
        self.bands
            .iter()
            .filter_map(|band| band.bound())
            .filter(move |(by, _)| *by == measure)
            .flat_map(|(_, most)| [most, most.saturating_add(1)])
    }

    /// Whether every order that `old` ships goes by it too, for no more.
    pub fn is_as_good_as(&self, old: &ShippingRule) -> bool {
        let sizes = |measure| {
            let mut all: Vec<i64> = vec![1];
            all.extend(self.turns(measure));
            all.extend(old.turns(measure));
            all
        };
        let grams = sizes(Measure::Grams);
        sizes(Measure::Units).into_iter().all(|units| {
            grams.iter().all(|grams| {
                let size = Size {
                    units,
                    grams: *grams,
                };
                match (old.cost(size), self.cost(size)) {
                    (Ok(Some(before)), Ok(Some(after))) => after <= before,
                    (Ok(before), Ok(_)) => before.is_none(),
                    (Err(_), _) | (_, Err(_)) => false,
                }
            })
        })
    }
}

impl Tariff {
    /// The shipping rule for `country`; `None` where the campaign does not ship. The rule that names the country goes
    /// before the rest of the world, wherever it stands.
    pub fn shipping_for(&self, country: Country) -> Option<&ShippingRule> {
        pick(
            &self.shipping,
            |rule: &ShippingRule| -> &Vec<Area> { &rule.countries },
            country,
        )
    }

    /// What the tax of `country` is called with its rate, such as `VAT 19 %`.
    pub fn tax_label(&self, country: Country) -> String {
        self.tax_for(country)
            .map_or_else(|| "Tax".to_owned(), super::TaxRule::label)
    }

    /// What shipping an order of this size to `country` costs, minor units.
    ///
    /// # Errors
    /// Where it is not shipped to, or not orders of this size.
    pub fn shipping(&self, country: Country, size: Size) -> Result<i64, TariffError> {
        let rule = self
            .shipping_for(country)
            .ok_or(TariffError::NotShippedTo(country))?;
        rule.cost(size)?.ok_or(TariffError::TooLarge(country))
    }
}

#[cfg(test)]
mod tests {
    use super::super::{QuoteLine, quote};
    use super::*;
    use crate::domain::currency::Currency;
    use proptest::prelude::*;

    fn germany() -> Country {
        Country::parse("DE").unwrap()
    }

    fn by_weight(bands: &[(Option<i64>, i64)]) -> ShippingRule {
        ShippingRule {
            countries: vec![Area::Rest],
            price: 100,
            bands: bands
                .iter()
                .map(|(up_to_grams, price)| Band {
                    up_to_units: None,
                    up_to_grams: *up_to_grams,
                    price: *price,
                })
                .collect(),
        }
    }

    fn size(units: i64, grams: i64) -> Size {
        Size { units, grams }
    }

    #[test]
    fn a_band_ends_with_its_bound_and_the_next_begins_after_it() {
        let rule = by_weight(&[(Some(1_000), 0), (Some(5_000), 400), (None, 900)]);
        assert_eq!(rule.cost(size(1, 1_000)), Ok(Some(100)));
        assert_eq!(rule.cost(size(1, 1_001)), Ok(Some(500)));
        assert_eq!(rule.cost(size(1, 5_001)), Ok(Some(1_000)));
        assert_eq!(rule.least(), 100);
    }

    #[test]
    fn what_is_above_the_last_band_is_not_shipped() {
        let rule = by_weight(&[(Some(1_000), 0)]);
        assert_eq!(rule.cost(size(9, 1_000)), Ok(Some(100)));
        assert_eq!(rule.cost(size(1, 1_001)), Ok(None));
        let tariff = Tariff {
            currency: Currency::EUR,
            shipping: vec![rule],
            tax: vec![],
        };
        let heavy = QuoteLine {
            unit_price: 100,
            quantity: 3,
            weight_grams: 400,
        };
        assert_eq!(
            quote(&[heavy], germany(), &tariff),
            Err(TariffError::TooLarge(germany()))
        );
    }

    #[test]
    fn a_tariff_frozen_before_there_were_bands_still_reads() {
        let json = r#"{"countries":["DE"],"price":500}"#;
        let rule: ShippingRule = serde_json::from_str(json).unwrap();
        assert_eq!(rule.cost(size(1_000, 1_000_000)), Ok(Some(500)));
        assert_eq!(serde_json::to_string(&rule).unwrap(), json);
    }

    #[test]
    fn bands_that_cost_less_or_reach_further_are_as_good() {
        let old = by_weight(&[(Some(1_000), 0), (Some(5_000), 400)]);
        let cheaper = by_weight(&[(Some(2_000), 0), (None, 400)]);
        assert!(cheaper.is_as_good_as(&old));
        assert!(!old.is_as_good_as(&cheaper));
        assert!(old.is_as_good_as(&old));
    }

    prop_compose! {
        fn rule()(
            grams: bool,
            open: bool,
            price in 0i64..10_000,
            parts in prop::collection::vec((1i64..3_000, 0i64..2_000), 0..6),
        ) -> ShippingRule {
            let (mut bound, mut added) = (0, 0);
            let mut bands: Vec<Band> = parts.iter().map(|(wide, more)| {
                bound += wide;
                added += more;
                Band {
                    up_to_units: (!grams).then_some(bound),
                    up_to_grams: grams.then_some(bound),
                    price: added,
                }
            }).collect();
            if open && !bands.is_empty() {
                bands.push(Band { up_to_units: None, up_to_grams: None, price: added });
            }
            ShippingRule { countries: vec![Area::Rest], price, bands }
        }
    }

    proptest! {
        #[test]
        fn an_order_that_loses_lines_or_units_never_costs_more(
            rule in rule(),
            lines in prop::collection::vec((0i64..100_000, 1i64..50, 1i64..2_000, 0i64..50), 1..6),
            rate in 0i64..3_000,
            included: bool,
        ) {
            let tariff = Tariff {
                currency: Currency::EUR,
                shipping: vec![rule],
                tax: vec![super::super::TaxRule {
                    countries: vec![Area::Rest], rate_basis_points: rate, included, name: None,
                }],
            };
            let line = |l: &(i64, i64, i64, i64), gone: i64| QuoteLine {
                unit_price: l.0, quantity: l.1 - gone, weight_grams: l.2,
            };
            let whole: Vec<_> = lines.iter().map(|l| line(l, 0)).collect();
            let rest: Vec<_> = lines.iter().map(|l| line(l, l.3.min(l.1))).filter(|l| l.quantity > 0).collect();
            let Ok(before) = quote(&whole, germany(), &tariff) else { return Ok(()) };
            // What shipped as a whole ships in part.
            let after = quote(&rest, germany(), &tariff).unwrap();
            prop_assert!(after.total <= before.total);
            prop_assert!(after.shipping <= before.shipping && after.shipping >= 0);
            prop_assert_eq!(quote(&rest, germany(), &tariff).unwrap(), after);
        }

        #[test]
        fn a_rule_is_as_good_as_another_exactly_where_no_order_costs_more(
            old in rule(), new in rule(), units in 1i64..20_000, grams in 1i64..20_000,
        ) {
            prop_assume!(new.is_as_good_as(&old));
            let size = Size { units, grams };
            if let Some(before) = old.cost(size).unwrap() {
                prop_assert!(new.cost(size).unwrap().is_some_and(|after| after <= before));
            }
        }
    }
}
