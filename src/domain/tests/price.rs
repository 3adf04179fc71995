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
        }],
        tax: vec![],
    }
}

/// A campaign with one option, joined order after order as on the page.
struct Shop {
    steps: Steps,
    threshold: Threshold,
    prices: BTreeMap<OptionId, PriceTable>,
    option: OptionId,
    lines: Vec<PaidLine<usize>>,
}

impl Shop {
    fn example_a() -> Shop {
        Shop::new(&[1, 5, 10], &[100, 90, 80], Threshold::Units(5))
    }

    fn new(counts: &[i64], prices: &[i64], threshold: Threshold) -> Shop {
        let steps = steps(counts);
        let option = OptionId::new();
        let table = PriceTable::new(prices.to_vec(), &steps, Currency::USD).unwrap();
        let prices = BTreeMap::from([(option, table)]);
        Shop {
            steps,
            threshold,
            prices,
            option,
            lines: vec![],
        }
    }

    /// Pays for `quantity` units at the price shown; answers the amount charged.
    fn join(&mut self, quantity: i64) -> i64 {
        let others = self.lines.iter().map(|line| line.quantity).sum();
        let shown = self.prices[&self.option].price_at(shown_step(&self.steps, others));
        let key = self.lines.len();
        self.lines.push(PaidLine {
            key,
            option: self.option,
            quantity,
            shown,
        });
        shown * quantity
    }

    fn join_all(&mut self, quantities: &[i64]) {
        for quantity in quantities {
            self.join(*quantity);
        }
    }

    fn judge(&self) -> Judgement<usize> {
        judge(&JudgeInput {
            steps: &self.steps,
            threshold: self.threshold,
            prices: &self.prices,
            lines: &self.lines,
        })
        .unwrap()
    }
}

fn back(line: &FinalLine<usize>) -> i64 {
    let kept = [QuoteLine {
        unit_price: line.unit_price,
        quantity: line.quantity,
    }];
    refund_difference(line.shown * line.quantity, &kept, germany(), &plain()).unwrap()
}

#[test]
fn example_a_each_order_is_charged_the_price_shown_without_its_own_units() {
    let mut shop = Shop::example_a();
    let charged: Vec<_> = (0..4).map(|_| shop.join(2)).collect();
    assert_eq!(charged, [200, 200, 200, 180]);
}

#[test]
fn example_a_at_eight_units_the_first_three_orders_get_twenty_back_each() {
    let mut shop = Shop::example_a();
    shop.join_all(&[2; 4]);
    let Judgement::Success {
        step,
        units,
        goods_value,
        lines,
        borne_by_merchant,
    } = shop.judge()
    else {
        panic!("eight units are more than five");
    };
    assert_eq!(
        (step, units, goods_value, borne_by_merchant),
        (1, 8, 720, 0)
    );
    assert_eq!(shop.steps.counts()[step], 5);
    assert_eq!(lines.iter().map(back).collect::<Vec<_>>(), [20, 20, 20, 0]);
}

#[test]
fn example_a_four_units_at_the_deadline_fail_and_everybody_is_refunded_in_full() {
    let mut shop = Shop::example_a();
    let charged = [shop.join(2), shop.join(2)];
    assert_eq!(
        shop.judge(),
        Judgement::Missed {
            collected: 4,
            target: 5
        }
    );
    for charged in charged {
        assert_eq!(
            refund_difference(charged, &[], germany(), &plain()),
            Ok(charged)
        );
    }
}

#[test]
fn nobody_at_all_is_a_miss_not_an_accident() {
    assert_eq!(
        Shop::example_a().judge(),
        Judgement::Missed {
            collected: 0,
            target: 5
        }
    );
}

#[test]
fn exactly_the_threshold_is_enough() {
    let mut shop = Shop::example_a();
    shop.join(5);
    assert!(matches!(
        shop.judge(),
        Judgement::Success {
            step: 1,
            units: 5,
            ..
        }
    ));
}

#[test]
fn a_threshold_in_money_counts_goods_at_the_price_of_the_step_reached() {
    // Five units at the first price would be 500; they reach the second step and are worth 450.
    let mut shop = Shop::new(&[1, 5], &[100, 90], Threshold::Amount(451));
    shop.join(5);
    assert_eq!(
        shop.judge(),
        Judgement::Missed {
            collected: 450,
            target: 451
        }
    );
    shop.threshold = Threshold::Amount(450);
    assert!(matches!(
        shop.judge(),
        Judgement::Success {
            goods_value: 450,
            ..
        }
    ));
}

#[test]
fn when_cancellations_lower_the_step_the_merchant_bears_the_difference() {
    let mut shop = Shop::example_a();
    shop.join_all(&[2; 5]);
    assert_eq!(
        shop.join(1),
        80,
        "ten units are there: the third price is shown"
    );
    shop.lines.remove(0); // a cancellation before the judgement lowers the count to 9
    let Judgement::Success {
        step,
        lines,
        borne_by_merchant,
        ..
    } = shop.judge()
    else {
        panic!("nine units are more than five");
    };
    assert_eq!(step, 1);
    assert_eq!(
        lines.last().unwrap().unit_price,
        80,
        "never more than the price shown"
    );
    assert_eq!(borne_by_merchant, 10);
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
fn a_line_of_an_unknown_option_or_without_units_is_an_error() {
    let mut shop = Shop::example_a();
    shop.join(5);
    let stranger = OptionId::new();
    let judged = |lines: &[PaidLine<usize>]| {
        let (steps, prices) = (&shop.steps, &shop.prices);
        judge(&JudgeInput {
            steps,
            threshold: shop.threshold,
            prices,
            lines,
        })
    };
    let mut line = shop.lines[0];
    line.option = stranger;
    assert_eq!(judged(&[line]), Err(PriceError::UnknownOption(stranger)));
    line.quantity = 0;
    assert_eq!(judged(&[line]), Err(PriceError::NoUnits));
}

#[test]
fn shipping_and_tax_are_computed_again_and_are_part_of_the_one_refund() {
    let tariff = Tariff {
        currency: Currency::EUR,
        shipping: vec![ShippingRule {
            countries: vec![Area::Rest],
            price: 500,
        }],
        tax: vec![TaxRule {
            countries: vec![Area::Rest],
            rate_basis_points: 1_000,
            included: false,
        }],
    };
    let line = |unit_price| QuoteLine {
        unit_price,
        quantity: 2,
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

    #[test]
    fn nobody_pays_more_than_shown_and_the_differences_add_up(
        (counts, prices) in ladder(),
        orders in prop::collection::vec((1i64..20, any::<bool>()), 1..30),
        rate in 0i64..3_000,
        included: bool,
        shipping in 0i64..2_000,
    ) {
        let tariff = Tariff {
            currency: Currency::USD,
            shipping: vec![ShippingRule { countries: vec![Area::Rest], price: shipping }],
            tax: vec![TaxRule { countries: vec![Area::Rest], rate_basis_points: rate, included }],
        };
        let total = |unit_price, quantity| {
            quote(&[QuoteLine { unit_price, quantity }], germany(), &tariff).unwrap().total
        };
        let mut shop = Shop::new(&counts, &prices, Threshold::Units(1));
        for (quantity, _) in &orders {
            shop.join(*quantity);
        }
        let mut stays = orders.iter().map(|order| order.1);
        shop.lines.retain(|_| stays.next().unwrap());
        prop_assume!(!shop.lines.is_empty());
        let Judgement::Success { lines, step, .. } = shop.judge() else {
            return Err(TestCaseError::fail("one unit is enough"));
        };
        let (mut charged_sum, mut final_sum, mut back_sum) = (0, 0, 0);
        for line in &lines {
            prop_assert!(line.unit_price <= line.shown);
            prop_assert!(line.unit_price <= shop.prices[&shop.option].price_at(step));
            let charged = total(line.shown, line.quantity);
            let kept = [QuoteLine { unit_price: line.unit_price, quantity: line.quantity }];
            let back = refund_difference(charged, &kept, germany(), &tariff).unwrap();
            prop_assert!((0..=charged).contains(&back));
            charged_sum += charged;
            final_sum += total(line.unit_price, line.quantity);
            back_sum += back;
        }
        prop_assert_eq!(back_sum, charged_sum - final_sum);
    }

    #[test]
    fn judging_does_not_depend_on_the_order_of_the_lines(
        (counts, prices) in ladder(),
        quantities in prop::collection::vec(1i64..20, 1..20),
        target in 1i64..200,
    ) {
        let mut shop = Shop::new(&counts, &prices, Threshold::Units(target));
        shop.join_all(&quantities);
        let forward = shop.judge();
        shop.lines.reverse();
        match (forward, shop.judge()) {
            (Judgement::Success { lines: a, .. }, Judgement::Success { lines: mut b, .. }) => {
                b.reverse();
                prop_assert_eq!(a, b);
            }
            (a, b) => prop_assert_eq!(a, b),
        }
    }
}
