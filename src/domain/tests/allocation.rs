use chrono::DateTime;
use proptest::prelude::*;
use uuid::Uuid;

use super::*;

fn option(n: u8) -> OptionId {
    OptionId(Uuid::from_u128(u128::from(n) + 1))
}

fn claim(n: usize, option_n: u8, units: i64, paid: i64, first: Option<i64>) -> Claim {
    let at = |secs| DateTime::from_timestamp(secs, 0).unwrap().naive_utc();
    Claim {
        order: OrderId(Uuid::from_u128(n as u128 + 1000)),
        option: option(option_n),
        units,
        paid_at: at(paid),
        put_first: first.map(at),
    }
}

fn some_claims() -> impl Strategy<Value = Vec<Claim>> {
    let one = (
        0..3u8,
        1..6i64,
        0..20i64,
        prop::option::weighted(0.2, 0..5i64),
    );
    prop::collection::vec(one, 0..30).prop_map(|all| {
        all.into_iter()
            .enumerate()
            .map(|(n, (option, units, paid, first))| claim(n, option, units, paid, first))
            .collect()
    })
}

fn some_free() -> impl Strategy<Value = BTreeMap<OptionId, i64>> {
    prop::collection::vec(0..40i64, 3).prop_map(|units| {
        let by_option = units.into_iter().enumerate();
        by_option
            .map(|(n, units)| (option(u8::try_from(n).unwrap()), units))
            .collect()
    })
}

/// One unit after the other, each to whoever is first of all that still want one: slow, and plainly right.
fn unit_by_unit(free: &BTreeMap<OptionId, i64>, waiting: &[Claim]) -> BTreeMap<OrderId, i64> {
    let mut got: BTreeMap<OrderId, i64> = BTreeMap::new();
    for (option, units) in free {
        for _ in 0..*units {
            let wants = |c: &&Claim| {
                c.option == *option && got.get(&c.order).copied().unwrap_or(0) < c.units
            };
            let before = |a: &&Claim, b: &&Claim| match (a.put_first, b.put_first) {
                (Some(a_at), Some(b_at)) => (a_at, a.order).cmp(&(b_at, b.order)),
                (Some(_), None) => std::cmp::Ordering::Less,
                (None, Some(_)) => std::cmp::Ordering::Greater,
                (None, None) => (a.paid_at, a.order).cmp(&(b.paid_at, b.order)),
            };
            let Some(first) = waiting.iter().filter(wants).min_by(before) else {
                break;
            };
            *got.entry(first.order).or_default() += 1;
        }
    }
    got
}

#[test]
fn the_oldest_payment_is_served_first_and_the_last_one_in_part() {
    let waiting = vec![
        claim(1, 0, 3, 20, None),
        claim(2, 0, 2, 10, None),
        claim(3, 0, 2, 30, None),
    ];
    let shares = allocate(&BTreeMap::from([(option(0), 4)]), waiting.clone());
    let got: Vec<_> = shares.iter().map(|s| (s.order, s.units, s.whole)).collect();
    assert_eq!(
        got,
        [(waiting[1].order, 2, true), (waiting[0].order, 2, false)]
    );
}

#[test]
fn an_order_put_first_is_served_before_older_payments() {
    let waiting = vec![claim(1, 0, 2, 10, None), claim(2, 0, 2, 99, Some(5))];
    let shares = allocate(&BTreeMap::from([(option(0), 2)]), waiting.clone());
    assert_eq!(shares.len(), 1);
    assert_eq!(shares[0].order, waiting[1].order);
}

#[test]
fn units_are_taken_back_from_the_newest_payment_and_last_from_those_put_first() {
    let have = vec![
        claim(1, 0, 2, 10, None),
        claim(2, 0, 2, 20, None),
        claim(3, 0, 2, 99, Some(5)),
    ];
    let shares = take_back(option(0), 5, have.clone());
    let got: Vec<_> = shares.iter().map(|s| (s.order, s.units)).collect();
    assert_eq!(
        got,
        [(have[1].order, 2), (have[0].order, 2), (have[2].order, 1)]
    );
}

proptest! {
    #[test]
    fn it_agrees_with_giving_unit_by_unit(free in some_free(), waiting in some_claims()) {
        let mut got: BTreeMap<OrderId, i64> = BTreeMap::new();
        for share in allocate(&free, waiting.clone()) {
            *got.entry(share.order).or_default() += share.units;
        }
        prop_assert_eq!(got, unit_by_unit(&free, &waiting));
    }

    #[test]
    fn never_more_is_given_than_is_free_or_wanted(free in some_free(), waiting in some_claims()) {
        let shares = allocate(&free, waiting.clone());
        for (option, units) in &free {
            let given: i64 = shares.iter().filter(|s| s.option == *option).map(|s| s.units).sum();
            prop_assert!(given <= *units);
        }
        for share in &shares {
            let wanted = waiting.iter().find(|c| c.order == share.order).unwrap().units;
            prop_assert!(share.units > 0 && share.units <= wanted);
            prop_assert_eq!(share.whole, share.units == wanted);
        }
    }

    #[test]
    fn doing_it_again_with_what_is_left_gives_nothing(free in some_free(), waiting in some_claims()) {
        let shares = allocate(&free, waiting.clone());
        let mut left = free.clone();
        let mut still = waiting;
        for share in &shares {
            *left.get_mut(&share.option).unwrap() -= share.units;
            still.iter_mut().find(|c| c.order == share.order).unwrap().units -= share.units;
        }
        still.retain(|c| c.units > 0);
        prop_assert!(allocate(&left, still).is_empty());
    }

    #[test]
    fn nobody_older_goes_without_while_somebody_newer_is_served(free in some_free(), waiting in some_claims()) {
        let shares = allocate(&free, waiting.clone());
        let got = |c: &Claim| shares.iter().find(|s| s.order == c.order).map_or(0, |s| s.units);
        for older in &waiting {
            for newer in waiting.iter().filter(|n| n.option == older.option && older.rank() < n.rank()) {
                prop_assert!(got(newer) == 0 || got(older) == older.units);
            }
        }
    }
}
