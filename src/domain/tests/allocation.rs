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

fn at(secs: i64) -> NaiveDateTime {
    DateTime::from_timestamp(secs, 0).unwrap().naive_utc()
}

fn paid(secs: i64, units: i64) -> Paid {
    Paid {
        at: at(secs),
        units,
    }
}

#[test]
fn what_a_change_added_has_the_place_of_the_change() {
    // One at 10, five more at 50; another order has three at 20.
    let line = paid_when(paid(10, 1), &[(at(50), 6)], 6);
    assert_eq!(line, [paid(10, 1), paid(50, 5)]);
    let grown = by_payment(&claim(1, 0, 6, 10, None), &line, 0);
    let mut waiting = grown.clone();
    waiting.push(claim(2, 0, 3, 20, None));
    let shares = allocate(&BTreeMap::from([(option(0), 5)]), waiting.clone());
    let got: Vec<_> = shares.iter().map(|s| (s.order, s.units, s.whole)).collect();
    assert_eq!(
        got,
        [(waiting[0].order, 2, false), (waiting[2].order, 3, true)]
    );
    // All of it in two parts is whole.
    let shares = allocate(&BTreeMap::from([(option(0), 9)]), waiting);
    assert!(shares.iter().all(|s| s.whole), "{shares:?}");
    // What was given before was given to the oldest.
    let rest = by_payment(&claim(1, 0, 4, 10, None), &line, 2);
    assert_eq!(
        rest.iter()
            .map(|c| (c.paid_at, c.units))
            .collect::<Vec<_>>(),
        [(at(50), 4)]
    );
    // And short units are found at the newest.
    let shares = take_back(
        option(0),
        5,
        [grown, vec![claim(2, 0, 3, 20, None)]].concat(),
    );
    assert_eq!(shares.iter().map(|s| s.units).collect::<Vec<_>>(), [5]);
}

#[test]
fn a_smaller_order_gives_up_its_newest_units() {
    let changes = [(at(20), 5), (at(30), 2), (at(40), 4)];
    assert_eq!(
        paid_when(paid(10, 1), &changes, 4),
        [paid(10, 1), paid(20, 1), paid(40, 2)]
    );
    assert_eq!(paid_when(paid(10, 1), &changes, 1), [paid(10, 1)]);
    // An option that came with a change.
    assert_eq!(paid_when(paid(10, 0), &[(at(20), 3)], 3), [paid(20, 3)]);
}

proptest! {
    #[test]
    fn parts_by_payment_are_the_claim_and_none_is_lost(
        joined in 0..6i64,
        changes in prop::collection::vec(0..9i64, 0..5),
        given_up in 0..4i64,
        first in 0..4i64,
    ) {
        let changes: Vec<_> = changes.into_iter().zip(20..).map(|(n, secs)| (at(secs), n)).collect();
        let has = changes.last().map_or(joined, |c| c.1);
        let wanted = (has - given_up).max(0);
        let line = paid_when(paid(10, joined), &changes, wanted);
        prop_assert_eq!(line.iter().map(|p| p.units).sum::<i64>(), wanted);
        prop_assert!(line.windows(2).all(|w| w[0].at < w[1].at));
        let units = (wanted - first).max(0);
        if units > 0 {
            let parts = by_payment(&claim(1, 0, units, 10, None), &line, first);
            prop_assert_eq!(parts.iter().map(|c| c.units).sum::<i64>(), units);
            prop_assert!(parts.windows(2).all(|w| w[0].paid_at < w[1].paid_at));
        }
    }
}
