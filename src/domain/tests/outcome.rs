use super::*;
use crate::domain::country::Country;
use crate::domain::currency::Currency;
use crate::domain::price::{refund_difference, shown_step, shown_step_with_limit};
use crate::domain::tariff::{Area, QuoteLine, ShippingRule, Tariff, TaxRule, quote};
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
            limit: 0,
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
            minimums: &BTreeMap::new(),
            step: None,
            lines: &self.lines,
        })
        .unwrap()
    }

    fn success(&self) -> Success<usize> {
        match self.judge() {
            Judgement::Success(success) => success,
            missed @ Judgement::Missed { .. } => panic!("{missed:?}"),
        }
    }

    fn missed(&self) -> (i64, i64) {
        match self.judge() {
            Judgement::Missed {
                collected, target, ..
            } => (collected, target),
            success @ Judgement::Success(_) => panic!("{success:?}"),
        }
    }
}

fn back(line: &FinalLine<usize>) -> i64 {
    let kept = [QuoteLine {
        unit_price: line.unit_price,
        quantity: line.quantity,
        weight_grams: 0,
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
    let judged = shop.success();
    assert_eq!(
        (
            judged.step,
            judged.units,
            judged.goods_value,
            judged.borne_by_merchant
        ),
        (1, 8, 720, 0)
    );
    assert_eq!(shop.steps.counts()[judged.step], 5);
    assert_eq!(
        judged.lines.iter().map(back).collect::<Vec<_>>(),
        [20, 20, 20, 0]
    );
}

#[test]
fn example_a_four_units_at_the_deadline_fail_and_everybody_is_refunded_in_full() {
    let mut shop = Shop::example_a();
    let charged = [shop.join(2), shop.join(2)];
    assert_eq!(shop.missed(), (4, 5));
    for charged in charged {
        assert_eq!(
            refund_difference(charged, &[], germany(), &plain()),
            Ok(charged)
        );
    }
}

#[test]
fn nobody_at_all_is_a_miss_not_an_accident() {
    assert_eq!(Shop::example_a().missed(), (0, 5));
}

#[test]
fn exactly_the_threshold_is_enough() {
    let mut shop = Shop::example_a();
    shop.join(5);
    let judged = shop.success();
    assert_eq!((judged.step, judged.units), (1, 5));
}

#[test]
fn a_threshold_in_money_counts_goods_at_the_price_of_the_step_reached() {
    // Five units at the first price would be 500; they reach the second step and are worth 450.
    let mut shop = Shop::new(&[1, 5], &[100, 90], Threshold::Amount(451));
    shop.join(5);
    assert_eq!(shop.missed(), (450, 451));
    shop.threshold = Threshold::Amount(450);
    assert_eq!(shop.success().goods_value, 450);
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
    let judged = shop.success();
    assert_eq!(judged.step, 1);
    assert_eq!(
        judged.lines.last().unwrap().unit_price,
        80,
        "never more than the price shown"
    );
    assert_eq!(judged.borne_by_merchant, 10);
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
            minimums: &BTreeMap::new(),
            step: None,
            lines,
        })
    };
    let mut line = shop.lines[0];
    line.option = stranger;
    assert_eq!(judged(&[line]), Err(PriceError::UnknownOption(stranger)));
    line.quantity = 0;
    assert_eq!(judged(&[line]), Err(PriceError::NoUnits));
}

/// A campaign of several options whose orders have limits.
struct Fair {
    steps: Steps,
    threshold: Threshold,
    prices: BTreeMap<OptionId, PriceTable>,
    minimums: BTreeMap<OptionId, i64>,
    options: Vec<OptionId>,
    lines: Vec<PaidLine<usize>>,
}

impl Fair {
    fn new(counts: &[i64], prices: &[i64], threshold: Threshold, minimums: &[i64]) -> Fair {
        let steps = steps(counts);
        let table = PriceTable::new(prices.to_vec(), &steps, Currency::USD).unwrap();
        let options: Vec<OptionId> = minimums.iter().map(|_| OptionId::new()).collect();
        Fair {
            threshold,
            prices: options.iter().map(|o| (*o, table.clone())).collect(),
            minimums: options
                .iter()
                .zip(minimums)
                .filter(|(_, minimum)| **minimum > 0)
                .map(|(option, minimum)| (*option, *minimum))
                .collect(),
            options,
            steps,
            lines: Vec::new(),
        }
    }

    fn join(&mut self, option: usize, quantity: i64, limit: usize) {
        let mut by_limit = vec![0; self.steps.len()];
        for line in &self.lines {
            by_limit[line.limit] += line.quantity;
        }
        let option = self.options[option];
        let step = shown_step_with_limit(&self.steps, &by_limit, limit);
        self.lines.push(PaidLine {
            key: self.lines.len(),
            option,
            quantity,
            shown: self.prices[&option].price_at(step),
            limit,
        });
    }

    fn judge_at(&self, step: Option<usize>) -> Judgement<usize> {
        judge(&JudgeInput {
            steps: &self.steps,
            threshold: self.threshold,
            prices: &self.prices,
            minimums: &self.minimums,
            step,
            lines: &self.lines,
        })
        .unwrap()
    }

    fn success(&self) -> Success<usize> {
        match self.judge_at(None) {
            Judgement::Success(success) => success,
            missed @ Judgement::Missed { .. } => panic!("{missed:?}"),
        }
    }
}

#[test]
fn example_b_all_twenty_one_pay_eighty_when_the_furthest_step_is_reached() {
    let mut fair = Fair::new(&[1, 10, 20], &[100, 90, 80], Threshold::Units(1), &[0]);
    fair.join(0, 8, 0);
    fair.join(0, 4, 1);
    fair.join(0, 9, 2);
    assert_eq!(
        fair.lines.iter().map(|l| l.shown).collect::<Vec<_>>(),
        [100, 90, 80],
        "who sets a limit is shown its price"
    );
    let judged = fair.success();
    assert_eq!((judged.step, judged.units), (2, 21));
    assert!(judged.lines.iter().all(|line| line.unit_price == 80));
    assert!(judged.released.is_empty());
    assert_eq!(judged.why[0].counted, [8, 12, 21]);
}

#[test]
fn example_b_with_seven_in_the_last_group_twelve_pay_ninety_and_the_seven_are_released() {
    let mut fair = Fair::new(&[1, 10, 20], &[100, 90, 80], Threshold::Units(1), &[0]);
    fair.join(0, 8, 0);
    fair.join(0, 4, 1);
    fair.join(0, 7, 2);
    let judged = fair.success();
    assert_eq!((judged.step, judged.units), (1, 12));
    assert!(judged.lines.iter().all(|line| line.unit_price == 90));
    assert_eq!(judged.released, [2]);
}

#[test]
fn example_c_red_is_dropped_and_then_the_threshold_is_missed() {
    let mut fair = Fair::new(&[1], &[100], Threshold::Units(60), &[30, 20]);
    fair.join(0, 45, 0);
    fair.join(1, 16, 0);
    let Judgement::Missed {
        collected,
        target,
        why,
    } = fair.judge_at(None)
    else {
        panic!("45 are fewer than 60");
    };
    assert_eq!((collected, target), (45, 60));
    assert_eq!(
        why[0].dropped,
        [Dropped {
            option: fair.options[1],
            units: 16,
            minimum: 20
        }]
    );
}

#[test]
fn a_dropped_option_can_lower_the_step_and_drop_another() {
    // 12 units reach step 10. Red (2 of 3) is dropped: 10 units are left, of them 1 joins only at step 11.
    let mut fair = Fair::new(
        &[1, 11, 12],
        &[100, 90, 80],
        Threshold::Units(1),
        &[0, 3, 4],
    );
    fair.join(0, 6, 0);
    fair.join(1, 2, 0);
    fair.join(2, 3, 0);
    fair.join(2, 1, 2);
    let judged = fair.success();
    assert_eq!(
        judged
            .why
            .iter()
            .map(|r| (r.step, r.dropped.len()))
            .collect::<Vec<_>>(),
        [(2, 1), (0, 1), (0, 0)]
    );
    assert_eq!((judged.units, judged.step), (6, 0));
    assert_eq!((judged.dropped, judged.released), (vec![1, 2], vec![3]));
}

#[test]
fn what_was_collected_is_judged_again_at_the_step_that_stays() {
    let mut fair = Fair::new(&[1, 10], &[100, 90], Threshold::Units(5), &[4]);
    fair.join(0, 6, 0);
    assert_eq!(fair.success().step, 0);
    let Judgement::Success(judged) = fair.judge_at(Some(1)) else {
        panic!("six are more than five");
    };
    assert_eq!((judged.step, judged.lines[0].unit_price), (1, 90));
    fair.lines[0].quantity = 3;
    assert!(matches!(
        fair.judge_at(Some(1)),
        Judgement::Missed { collected: 0, .. }
    ));
}

#[test]
fn at_threshold_waits_until_no_option_would_be_dropped() {
    let mut fair = Fair::new(&[1], &[100], Threshold::Units(5), &[0, 3]);
    fair.join(0, 9, 0);
    fair.join(1, 2, 0);
    let whole = |fair: &Fair| {
        would_succeed_whole(&JudgeInput {
            steps: &fair.steps,
            threshold: fair.threshold,
            prices: &fair.prices,
            minimums: &fair.minimums,
            step: None,
            lines: &fair.lines,
        })
        .unwrap()
    };
    assert!(!whole(&fair));
    fair.join(1, 1, 0);
    assert!(whole(&fair));
}

/// The judgement by its words, at a step that is given or at the furthest one reached: one option dropped at a time, every
/// count summed anew from the orders. The step, what is dropped, the units and their value.
fn by_its_words(fair: &Fair, given: Option<usize>) -> (usize, Vec<OptionId>, i64, i64) {
    let mut gone: Vec<OptionId> = Vec::new();
    loop {
        let kept = |line: &&PaidLine<usize>| !gone.contains(&line.option);
        let units_of = |limit: usize| -> i64 {
            let of = fair.lines.iter().filter(kept).filter(|l| l.limit <= limit);
            of.map(|l| l.quantity).sum()
        };
        let reached = (0..fair.steps.len())
            .rev()
            .find(|step| units_of(*step) >= fair.steps.counts()[*step])
            .unwrap_or(0);
        let step = given.unwrap_or(reached);
        let under = fair.options.iter().find(|option| {
            let mine = fair
                .lines
                .iter()
                .filter(kept)
                .filter(|l| l.option == **option);
            let is_there = mine.clone().next().is_some();
            let units: i64 = mine.filter(|l| l.limit <= step).map(|l| l.quantity).sum();
            is_there
                && fair
                    .minimums
                    .get(option)
                    .is_some_and(|minimum| units < *minimum)
        });
        match under {
            Some(option) => gone.push(*option),
            None => {
                let units = units_of(step);
                let bought = fair.lines.iter().filter(kept).filter(|l| l.limit <= step);
                let value = bought.map(|l| l.quantity * fair.prices[&l.option].price_at(step));
                let value = value.sum();
                return (step, gone, units, value);
            }
        }
    }
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
    fn the_judgement_is_what_its_words_say(
        (counts, prices) in ladder(),
        minimums in prop::collection::vec(prop_oneof![Just(0i64), 1i64..40], 1..5),
        orders in prop::collection::vec((0usize..5, 1i64..20, 0usize..9), 0..40),
        target in 1i64..150,
        in_money: bool,
        // The first judgement, or the second at the step that stays.
        again in prop::option::of(0usize..9),
    ) {
        let threshold = match in_money {
            true => Threshold::Amount(target * prices[0]),
            false => Threshold::Units(target),
        };
        let mut fair = Fair::new(&counts, &prices, threshold, &minimums);
        for (option, quantity, limit) in orders {
            fair.join(option % minimums.len(), quantity, limit % counts.len());
        }
        let again = again.map(|step| step % counts.len());
        let (step, gone, units, value) = by_its_words(&fair, again);
        let counted = if in_money { value } else { units };
        match fair.judge_at(again) {
            Judgement::Success(judged) => {
                prop_assert!(counted >= threshold.target());
                prop_assert_eq!((judged.step, judged.units, judged.goods_value), (step, units, value));
                let keys = |keys: &mut dyn Iterator<Item = &PaidLine<usize>>| -> Vec<usize> {
                    keys.map(|line| line.key).collect()
                };
                let mut lines = fair.lines.iter().filter(|l| l.limit > step);
                prop_assert_eq!(judged.released, keys(&mut lines));
                let mut lines = fair.lines.iter().filter(|l| l.limit <= step && gone.contains(&l.option));
                prop_assert_eq!(judged.dropped, keys(&mut lines));
                for line in &judged.lines {
                    // Whoever set a limit never pays more than its price.
                    let limit = fair.lines[line.key].limit;
                    prop_assert!(line.unit_price <= fair.prices[&line.option].price_at(limit));
                    prop_assert!(line.unit_price <= line.shown);
                }
            }
            Judgement::Missed { collected, .. } => {
                prop_assert!(counted < threshold.target());
                prop_assert_eq!(collected, counted);
            }
        }
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
            shipping: vec![ShippingRule { countries: vec![Area::Rest], price: shipping, bands: vec![] }],
            tax: vec![TaxRule { countries: vec![Area::Rest], rate_basis_points: rate, included, name: None }],
        };
        let total = |unit_price, quantity| {
            quote(&[QuoteLine { unit_price, quantity, weight_grams: 0 }], germany(), &tariff).unwrap().total
        };
        let mut shop = Shop::new(&counts, &prices, Threshold::Units(1));
        for (quantity, _) in &orders {
            shop.join(*quantity);
        }
        let mut stays = orders.iter().map(|order| order.1);
        shop.lines.retain(|_| stays.next().unwrap());
        prop_assume!(!shop.lines.is_empty());
        let Success { lines, step, .. } = shop.success();
        let (mut charged_sum, mut final_sum, mut back_sum) = (0, 0, 0);
        for line in &lines {
            prop_assert!(line.unit_price <= line.shown);
            prop_assert!(line.unit_price <= shop.prices[&shop.option].price_at(step));
            let charged = total(line.shown, line.quantity);
            let kept = [QuoteLine { unit_price: line.unit_price, quantity: line.quantity, weight_grams: 0 }];
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
            (Judgement::Success(a), Judgement::Success(mut b)) => {
                b.lines.reverse();
                prop_assert_eq!(a, b);
            }
            (a, b) => prop_assert_eq!(a, b),
        }
    }
}
