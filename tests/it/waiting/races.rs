//! Two things at one moment.

use chrono::Duration;
use muster::domain::order::OrderState;

use super::{DAY, accept, five, is_offered, taken, waits};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn two_orders_leave_at_once_and_each_unit_is_offered_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(five(&shop)).await;
        let a = shop.join_and_pay(&campaign, "a@mail.example", 3).await;
        let b = shop.join_and_pay(&campaign, "b@mail.example", 2).await;
        let mut list = Vec::new();
        for n in 0..6 {
            list.push(waits(&shop, &campaign, &format!("w{n}@mail.example"), 1).await);
        }
        let (left, right) = futures_util::join!(shop.cancel(a), shop.cancel(b));
        assert!(left.is_ok() && right.is_ok());
        shop.settle().await;
        for (n, order) in list.iter().enumerate() {
            assert_eq!(is_offered(&shop, *order).await, n < 5, "place {n}");
        }
        assert_eq!(taken(&shop, &campaign).await, 5);
        shop.audit().await;
        shop.close().await;
    }

    async fn who_accepts_as_the_offer_lapses_has_it_or_is_told_that_it_is_over(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(five(&shop)).await;
        let full = shop.join_and_pay(&campaign, "a@mail.example", 5).await;
        let first = waits(&shop, &campaign, "b@mail.example", 3).await;
        let second = waits(&shop, &campaign, "c@mail.example", 2).await;
        let third = waits(&shop, &campaign, "d@mail.example", 5).await;
        shop.cancel(full).await.unwrap();
        shop.settle().await;
        shop.advance(DAY - Duration::seconds(2)).await;
        let (yes, (), also) = futures_util::join!(
            accept(&shop, first, None),
            shop.advance(Duration::seconds(3)),
            accept(&shop, second, None),
        );
        shop.settle().await;
        for (order, answer) in [(first, yes), (second, also)] {
            let state = shop.order(order).await.state;
            let expected = if answer.is_ok() { OrderState::Pending } else { OrderState::Expired };
            assert_eq!(state, expected);
        }
        assert!(taken(&shop, &campaign).await <= 5);
        shop.audit().await;
        shop.advance(Duration::hours(2)).await;
        assert!(is_offered(&shop, third).await, "all of it came free again");
        shop.audit().await;
        shop.close().await;
    }
}
