//! The demand curve against a slow, obvious reference, and against plans.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::domain::currency::Currency;

fn table(prices: &[i64], steps: &Steps) -> PriceTable {
    PriceTable::new(prices.to_vec(), steps, Currency::parse("usd").unwrap()).unwrap()
}

fn wanted(sku: &str, up_to: i64, units: i64) -> Wanted {
    Wanted {
        sku: sku.to_owned(),
        up_to,
        units,
    }
}

#[test]
fn at_a_price_count_the_units_of_those_ready_to_pay_at_least_that() {
    let curve = Curve::of([(9000, 2), (8000, 1), (9000, 3), (10_000, 1)]);
    let points: Vec<(i64, i64)> = curve.points().iter().map(|p| (p.price, p.units)).collect();
    assert_eq!(points, [(8000, 7), (9000, 6), (10_000, 1)]);
    for (price, units) in [
        (1, 7),
        (8000, 7),
        (8001, 6),
        (9000, 6),
        (9001, 1),
        (10_001, 0),
    ] {
        assert_eq!(curve.units_at(price), units, "at {price}");
    }
    assert_eq!(curve.best(), Some((8000, 56_000)));
    assert_eq!(Curve::default().best(), None);
}

#[test]
fn worked_example_a_asked_beforehand() {
    let steps = Steps::try_from(vec![1, 5, 10]).unwrap();
    let prices = table(&[100, 90, 80], &steps);
    let said = [
        wanted("set", 100, 2),
        wanted("set", 90, 4),
        wanted("set", 80, 3),
        wanted("gone", 500, 70),
    ];
    let demand = Demand::of(&said, &steps, &[("set", &prices)], Threshold::Units(5)).unwrap();
    let got: Vec<_> = demand
        .steps
        .iter()
        .map(|s| (s.units, s.reached, s.value, s.enough))
        .collect();
    assert_eq!(
        got,
        [
            (2, true, 200, false),
            (6, true, 540, true),
            (9, false, 720, true)
        ]
    );
    assert_eq!(demand.all.units(), 9, "what is not offered is left out");
    assert_eq!(demand.furthest(), Some(1));
    // Two join at 100; the four who would pay 90 never see it.
    assert_eq!(demand.by_itself(), Some(0));
}

#[test]
fn a_threshold_in_goods_value_is_met_by_value() {
    let steps = Steps::try_from(vec![1]).unwrap();
    let (set, lid) = (table(&[1000], &steps), table(&[200], &steps));
    let said = [wanted("set", 1000, 3), wanted("lid", 250, 5)];
    let offered = [("set", &set), ("lid", &lid)];
    for (target, enough) in [(4000, true), (4001, false)] {
        let demand = Demand::of(&said, &steps, &offered, Threshold::Amount(target)).unwrap();
        assert_eq!(demand.steps[0].by_option, [3, 5]);
        assert_eq!(
            (demand.steps[0].value, demand.steps[0].enough),
            (4000, enough)
        );
    }
}

#[test]
fn nobody_wants_what_nobody_answered() {
    let steps = Steps::try_from(vec![1, 5]).unwrap();
    let prices = table(&[100, 90], &steps);
    let demand = Demand::of(&[], &steps, &[("set", &prices)], Threshold::Units(5)).unwrap();
    assert_eq!((demand.furthest(), demand.by_itself()), (None, None));
    assert!(demand.all.points().is_empty());
}

#[test]
fn more_than_64_bits_hold_is_refused() {
    let steps = Steps::try_from(vec![1]).unwrap();
    let prices = table(&[99_999_999], &steps);
    let said = [wanted("set", i64::MAX, i64::MAX / 2)];
    let demand = Demand::of(&said, &steps, &[("set", &prices)], Threshold::Units(5));
    assert_eq!(demand, Err(MoneyError::Overflow));
}

proptest! {
    #[test]
    fn it_never_rises_with_the_price_and_every_price_is_as_counted_by_hand(
        said in vec((1..500_i64, 1..20_i64), 0..60), price in 0..520_i64,
    ) {
        let curve = Curve::of(said.iter().copied());
        let by_hand: i64 = said.iter().filter(|(up_to, _)| *up_to >= price).map(|(_, units)| units).sum();
        prop_assert_eq!(curve.units_at(price), by_hand);
        prop_assert!(curve.points().windows(2).all(|p| p[0].price < p[1].price && p[0].units > p[1].units));
        prop_assert_eq!(curve.units(), said.iter().map(|(_, units)| units).sum::<i64>());
    }

    #[test]
    fn options_come_to_the_whole_and_so_do_answers_that_were_summed_before(
        said in vec((0..3_usize, 1..200_i64, 1..20_i64), 0..60), price in 0..220_i64,
    ) {
        let skus = ["a", "b", "c"];
        let steps = Steps::try_from(vec![1, 20, 100]).unwrap();
        let tables = [table(&[150, 120, 90], &steps), table(&[100, 100, 60], &steps), table(&[50, 40, 30], &steps)];
        let offered: Vec<(&str, &PriceTable)> = skus.iter().copied().zip(&tables).collect();
        let lines: Vec<Wanted> = said.iter().map(|(i, up_to, units)| wanted(skus[*i], *up_to, *units)).collect();
        let demand = Demand::of(&lines, &steps, &offered, Threshold::Units(20)).unwrap();
        let parts: i64 = demand.options.iter().map(|curve| curve.units_at(price)).sum();
        prop_assert_eq!(demand.all.units_at(price), parts);
        // By hand: each line counts at a step where its option costs no more than it would pay.
        for (i, step) in demand.steps.iter().enumerate() {
            let counts = |(o, up_to, _): &&(usize, i64, i64)| tables[*o].price_at(i) <= *up_to;
            let units: i64 = said.iter().filter(counts).map(|(_, _, units)| units).sum();
            let value: i64 = said.iter().filter(counts).map(|(o, _, units)| tables[*o].price_at(i) * units).sum();
            prop_assert_eq!((step.units, step.value), (units, value));
            prop_assert_eq!(step.by_option.iter().sum::<i64>(), units);
            prop_assert_eq!(step.reached, units >= step.from);
        }
        prop_assert!(demand.steps.windows(2).all(|s| s[0].units <= s[1].units), "lower prices want no fewer");
        // Whoever joins as soon as it is cheap enough never gets further than all together.
        prop_assert!(demand.by_itself() <= demand.furthest());
        let mut summed: BTreeMap<(&str, i64), i64> = BTreeMap::new();
        for line in &lines {
            *summed.entry((&line.sku, line.up_to)).or_default() += line.units;
        }
        let summed: Vec<Wanted> = summed.into_iter().map(|((sku, up_to), units)| wanted(sku, up_to, units)).collect();
        prop_assert_eq!(Demand::of(&summed, &steps, &offered, Threshold::Units(20)).unwrap(), demand);
    }

    #[test]
    fn a_thinned_curve_keeps_its_ends(said in vec((1..500_i64, 1..20_i64), 1..80), most in 2..30_usize) {
        let curve = Curve::of(said);
        let few = curve.thinned(most);
        prop_assert!(few.len() <= most.max(2));
        prop_assert_eq!(few.first(), curve.points().first());
        prop_assert_eq!(few.last(), curve.points().last());
    }
}
