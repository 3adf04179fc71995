use super::*;
use crate::domain::tariff::{Area, ShippingRule, TaxRule};
use proptest::prelude::*;

fn steps(counts: &[i64]) -> Steps {
    Steps::try_from(counts.to_vec()).unwrap()
}

fn germany() -> Country {
    Country::parse("DE").unwrap()
}

/// Free shipping everywhere, no tax.
fn plain() -> Tariff {
    Tariff {
        currency: Currency::USD,
        shipping: vec![ShippingRule {
            countries: vec![Area::Rest],
            price: 0,
            bands: vec![],
        }],
        tax: vec![],
    }
}

#[test]
fn the_step_shown_counts_the_others_only() {
    let steps = steps(&[1, 5, 10]);
    for (others, step) in [(0, 0), (1, 0), (4, 0), (5, 1), (9, 1), (10, 2), (1_000, 2)] {
        assert_eq!(shown_step(&steps, others), step, "{others}");
        assert_eq!(step_reached(&steps, others), step, "{others}");
    }
    assert_eq!(steps.next(4), Some((1, 1)));
    assert_eq!(steps.next(0), Some((1, 5)));
    assert_eq!(steps.next(10), None);
}

#[test]
fn what_is_missing_to_the_next_step_leaves_out_who_waits_for_a_later_one() {
    // Worked example B: eight without limit, four wait for step 10, seven for step 20.
    let steps = steps(&[1, 10, 20]);
    assert_eq!(next_by_limits(&steps, &[8, 4, 7]), Some((2, 1)));
    assert_eq!(next_by_limits(&steps, &[8, 0, 7]), Some((1, 2)));
    assert_eq!(next_by_limits(&steps, &[8, 4, 9]), None);
}

#[test]
fn steps_start_at_one_and_rise() {
    assert_eq!(Steps::try_from(vec![]), Err(StepsError::Number));
    assert_eq!(Steps::try_from(vec![5, 10]), Err(StepsError::First));
    assert_eq!(
        Steps::try_from(vec![1, 5, 5]),
        Err(StepsError::NotRising { at: 2 })
    );
    assert_eq!(
        Steps::try_from(vec![1, MAX_UNITS + 1]),
        Err(StepsError::TooLarge { at: 1 })
    );
    assert_eq!(
        Steps::try_from((1..=21).collect::<Vec<_>>()),
        Err(StepsError::Number)
    );
    assert!(Steps::try_from((1..=20).collect::<Vec<_>>()).is_ok());
    assert!(serde_json::from_str::<Steps>("[1,5,10]").is_ok());
    assert!(serde_json::from_str::<Steps>("[1,5,4]").is_err());
}

#[test]
fn prices_never_rise_and_can_be_charged() {
    let two = steps(&[1, 5]);
    let table = |prices: &[i64], code: &str| {
        PriceTable::new(prices.to_vec(), &two, Currency::parse(code).unwrap())
    };
    assert!(table(&[100, 100], "usd").is_ok());
    assert_eq!(
        table(&[100], "usd"),
        Err(PriceTableError::Number { steps: 2 })
    );
    assert_eq!(
        table(&[100, 101], "usd"),
        Err(PriceTableError::Rising { at: 1 })
    );
    assert_eq!(
        table(&[100, 0], "usd"),
        Err(PriceTableError::NotPositive { at: 1 })
    );
    assert_eq!(
        table(&[1_000, 995], "kwd"),
        Err(PriceTableError::NotGranular {
            at: 1,
            granularity: 10
        })
    );
}

#[test]
fn shipping_and_tax_are_computed_again_and_are_part_of_the_one_refund() {
    let tariff = Tariff {
        currency: Currency::EUR,
        shipping: vec![ShippingRule {
            countries: vec![Area::Rest],
            price: 500,
            bands: vec![],
        }],
        tax: vec![TaxRule {
            countries: vec![Area::Rest],
            rate_basis_points: 1_000,
            included: false,
            name: None,
        }],
    };
    let line = |unit_price| QuoteLine {
        unit_price,
        quantity: 2,
        weight_grams: 0,
    };
    let charged = quote(&[line(10_000)], germany(), &tariff).unwrap().total;
    assert_eq!(charged, 20_000 + 500 + 2_000 + 50);
    let back = refund_difference(charged, &[line(9_000)], germany(), &tariff);
    assert_eq!(
        back,
        Ok(2_200),
        "the goods' 2,000 and their tax; shipping is kept"
    );
    assert_eq!(
        refund_difference(charged, &[], germany(), &tariff),
        Ok(charged)
    );
}

#[test]
fn an_order_that_was_charged_less_than_it_costs_now_gets_nothing_and_owes_nothing() {
    let kept = [QuoteLine {
        unit_price: 100,
        quantity: 2,
        weight_grams: 0,
    }];
    assert_eq!(refund_difference(150, &kept, germany(), &plain()), Ok(0));
}

#[test]
fn a_threshold_in_json_is_a_kind_and_a_target() {
    let json = serde_json::to_string(&Threshold::Units(40)).unwrap();
    assert_eq!(json, r#"{"kind":"units","target":40}"#);
    assert_eq!(
        serde_json::from_str::<Threshold>(&json).unwrap(),
        Threshold::Units(40)
    );
}

prop_compose! {
    /// Steps and never-rising prices for them.
    fn ladder()(
        rungs in prop::collection::vec((1i64..50, 0i64..50), 0..8),
        last in 1i64..5_000,
    ) -> (Vec<i64>, Vec<i64>) {
        let mut counts = vec![1];
        let mut prices = vec![last];
        for (up, down) in rungs {
            counts.push(counts.last().unwrap() + up);
            prices.insert(0, prices[0] + down);
        }
        (counts, prices)
    }
}

proptest! {
    #[test]
    fn more_units_never_reach_an_earlier_step(
        (counts, _) in ladder(),
        units in 0i64..500,
        more in 0i64..100,
    ) {
        let steps = steps(&counts);
        prop_assert!(steps.reached(units) <= steps.reached(units + more));
    }

}
