//! An old backup is restored while shoppers wait in line: places and order are kept, and what came free is offered anew.

use chrono::Duration;
use muster::domain::order::OrderState;

use super::restore::{backup, on_line, restore};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};
use crate::waiting::{accept, five, is_offered, place, taken, waits};

#[actix_web::test]
async fn who_waits_keeps_the_place_and_is_offered_what_came_free_again() {
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old.tar.gz");
    let campaign = shop.publish(five(&shop)).await;
    let full = shop.join_and_pay(&campaign, "ana@mail.example", 5).await;
    let first = waits(&shop, &campaign, "bo@mail.example", 3).await;
    let second = waits(&shop, &campaign, "cy@mail.example", 2).await;
    let third = waits(&shop, &campaign, "dee@mail.example", 1).await;
    backup(&shop, &file).await;
    // After the backup the units come free and are offered, and somebody goes on the list.
    shop.cancel(full).await.unwrap();
    shop.settle().await;
    assert!(is_offered(&shop, first).await && is_offered(&shop, second).await);
    waits(&shop, &campaign, "late@mail.example", 1).await;
    let places = [
        place(&shop, first).await.place,
        place(&shop, second).await.place,
        place(&shop, third).await.place,
    ];

    let shop = restore(shop, &file).await;
    for (order, known) in [first, second, third].into_iter().zip(places) {
        assert_eq!(shop.order(order).await.state, OrderState::Waitlisted);
        assert_eq!(place(&shop, order).await.place, known);
        assert!(
            !is_offered(&shop, order).await,
            "that it left is not known yet"
        );
    }
    assert_eq!(shop.order(full).await.state, OrderState::Confirmed);
    let new = shop.wish(&campaign, "new@mail.example", 1);
    assert!(shop.running.app.office.join(new).await.is_err());

    // The provider knows of the refund: its order leaves again, and its units go to the same two.
    let (code, said) = on_line(&shop, "reconcile").await;
    assert_eq!(code, Some(0), "{said}");
    shop.advance(Duration::minutes(10)).await;
    assert_eq!(shop.order(full).await.state, OrderState::Cancelled);
    assert_eq!(shop.at_provider(full).await, (50_000, 50_000));
    assert!(is_offered(&shop, first).await && is_offered(&shop, second).await);
    assert!(!is_offered(&shop, third).await);
    assert_eq!(taken(&shop, &campaign).await, 5, "what is offered is kept");
    accept(&shop, first, None).await.unwrap();
    assert_eq!(shop.pay(first, GOOD_CARD).await, 303);
    shop.settle().await;
    assert_eq!(shop.order(first).await.state, OrderState::Confirmed);
    shop.audit().await;
    shop.close().await;
}
