//! The price of a changed order, and what moves by it.

use proptest::prelude::*;

use crate::domain::change::{
    ChangeEvent, ChangeState, Difference, Had, Standing, difference, unit_price,
};
use crate::domain::draft::PaymentMode;

const AT_100: Option<Had> = Some(Had {
    quantity: 2,
    unit_price: 100,
});

#[test]
fn a_line_keeps_its_price_and_a_growing_one_takes_the_lower_one() {
    assert_eq!(unit_price(AT_100, 1, 90), 100);
    assert_eq!(unit_price(AT_100, 2, 90), 100);
    assert_eq!(unit_price(AT_100, 3, 90), 90);
    assert_eq!(unit_price(AT_100, 3, 110), 100);
    assert_eq!(unit_price(None, 1, 110), 110);
}

#[test]
fn what_is_over_stays_over() {
    assert_eq!(
        ChangeState::Planned.after(ChangeEvent::Paid),
        Ok(ChangeState::Done)
    );
    for over in [ChangeState::Done, ChangeState::Dropped] {
        for event in [ChangeEvent::Paid, ChangeEvent::Dropped] {
            assert!(over.after(event).is_err());
        }
    }
}

fn standing(mode: PaymentMode, kept: i64, total: i64, deposit: i64) -> Standing {
    Standing {
        mode,
        kept,
        less: 0,
        total,
        deposit,
        least: 50,
    }
}

#[test]
fn each_way_of_paying_moves_what_it_collects() {
    let moved = |pay, back, owed| Difference { pay, back, owed };
    use PaymentMode as M;
    for (mode, kept, total, deposit, expected) in [
        (M::ChargeNow, 10_000, 15_000, 0, moved(5_000, 0, 0)),
        (M::ChargeNow, 10_000, 6_000, 0, moved(0, 4_000, 0)),
        (M::ChargeOnSuccess, 0, 15_000, 0, moved(0, 0, 15_000)),
        (M::Deposit, 2_000, 20_000, 4_000, moved(2_000, 0, 16_000)),
        (M::Deposit, 2_000, 5_000, 1_000, moved(0, 1_000, 4_000)),
        // Ten cents more: cards cannot be charged that.
        (M::Deposit, 2_000, 10_050, 2_010, moved(0, 0, 8_050)),
    ] {
        let at = standing(mode, kept, total, deposit);
        assert_eq!(difference(at), expected, "{at:?}");
    }
}

fn modes() -> impl Strategy<Value = PaymentMode> {
    prop_oneof![
        Just(PaymentMode::ChargeNow),
        Just(PaymentMode::ChargeOnSuccess),
        Just(PaymentMode::Deposit),
    ]
}

proptest! {
    #[test]
    fn nobody_pays_more_for_a_unit_than_was_shown(
        had in 1..1_000i64, old in 1..100_000i64, wanted in 1..1_000i64, shown in 1..100_000i64
    ) {
        let line = Some(Had { quantity: had, unit_price: old });
        let price = unit_price(line, wanted, shown);
        prop_assert!(price <= old);
        prop_assert!(price >= old.min(shown));
        if wanted <= had {
            prop_assert_eq!(price, old);
        } else {
            prop_assert_eq!(price, old.min(shown));
        }
    }

    #[test]
    fn what_is_kept_and_owed_is_what_it_costs(
        mode in modes(), kept in 0..1_000_000i64, less in 0..1_000i64, total in 50..1_000_000i64, percent in 1..100i64
    ) {
        let deposit = total * percent / 100;
        let at = Standing { mode, kept, less, total, deposit, least: 50 };
        let moved = difference(at);
        prop_assert!(moved.pay >= 0 && moved.back >= 0 && moved.owed >= 0);
        prop_assert!(moved.pay == 0 || moved.back == 0);
        let keeps = kept + moved.pay - moved.back;
        prop_assert_eq!(keeps + moved.owed, (total - less).max(0));
        if mode == PaymentMode::ChargeNow {
            prop_assert_eq!(moved.owed, 0);
        }
        if mode == PaymentMode::ChargeOnSuccess {
            prop_assert_eq!(moved.pay, 0);
        }
    }
}
