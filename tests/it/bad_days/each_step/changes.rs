//! Changes of an order: the difference is paid once, or goes back once, whatever dies in between.

use chrono::Duration;
use muster::domain::ids::OrderId;
use muster::domain::order::OrderState;
use muster::workflows::changes::{Wish, change};

use super::at_each_step;
use super::movements;
use super::people::{joins, pays};
use crate::changes::abroad::{far, there};
use crate::changes::{changes_of, lines};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// By then the provider has told again what nobody took.
const TOLD_AGAIN: Duration = Duration::minutes(3);

/// Sends the form of a change, however often: to these lines, sent there.
async fn asks(
    shop: &Shop,
    order: OrderId,
    wanted: &'static [(&'static str, i64)],
    country: &'static str,
) {
    let wish = Wish {
        address: Some(there(country)),
        lines: Some(lines(wanted)),
        form_key: Some("the form".to_owned()),
        ..Wish::of(order)
    };
    let came = shop.write(move |desk, tx| change(desk, tx, &wish)).await;
    shop.settle().await;
    came.expect("it can be changed");
}

/// Pays the difference, unless the provider has the money already.
async fn pays_more(shop: &Shop, order: OrderId) {
    for _ in 0..5 {
        if movements(shop, order).await.0.len() > 1 {
            break;
        }
        let page = shop.payments(order).await.pop().expect("an attempt");
        match page.session_id {
            Some(_) => assert_eq!(shop.pay(order, GOOD_CARD).await, 303),
            None => shop.advance(Duration::minutes(1)).await,
        }
    }
    shop.advance(TOLD_AGAIN).await;
}

async fn paid(shop: &Shop, units: i64) -> OrderId {
    let campaign = shop.publish(far(shop, "charge_now")).await;
    let order = joins(shop, &campaign, "a@mail.example", units).await;
    pays(shop, order, GOOD_CARD).await;
    order
}

async fn came_to(
    shop: &Shop,
    order: OrderId,
    (country, total): (&str, i64),
    (charged, refunded): (&[i64], &[i64]),
) {
    let row = shop.order(order).await;
    assert_eq!(
        (row.state, row.country.as_str(), row.total),
        (OrderState::Confirmed, country, total),
        "{row:#?}"
    );
    assert!(row.address.contains("Torstra"), "{}", row.address);
    let (mut all, back) = movements(shop, order).await;
    all.sort_unstable();
    assert_eq!((all.as_slice(), back.as_slice()), (charged, refunded));
    let made = changes_of(shop, order).await;
    assert!(made.len() == 1 && made[0].closed_at.is_some(), "{made:#?}");
}

both_databases! {
    async fn a_larger_order_is_paid_once_and_takes_effect_once(db: TestDatabase) {
        let before = async |shop: &Shop| paid(shop, 1).await;
        at_each_step(db, before, async |shop: &Shop, order: &OrderId| {
            asks(shop, *order, &[("set", 3), ("lid", 1)], "DE").await;
            pays_more(shop, *order).await;
            came_to(shop, *order, ("DE", 32_500), (&[10_500, 22_000], &[])).await;
        }).await;
    }

    async fn a_smaller_order_gives_the_difference_back_once(db: TestDatabase) {
        let before = async |shop: &Shop| paid(shop, 2).await;
        at_each_step(db, before, async |shop: &Shop, order: &OrderId| {
            asks(shop, *order, &[("set", 1), ("lid", 1)], "PT").await;
            shop.advance(TOLD_AGAIN).await;
            came_to(shop, *order, ("PT", 11_500), (&[20_500], &[9_000])).await;
        }).await;
    }
}
