//! Dates: they wait for staff a day, then pass on by themselves; where two suppliers deliver, the later one counts.

use std::collections::BTreeMap;

use chrono::Duration;
use muster::domain::purchase_order::{EtaState, PurchaseOrderState};
use muster::workflows::desk::Problem;
use muster::workflows::eta;
use muster::workflows::purchase::ways::{Plan, Split, send_planned};
use muster::workflows::purchase::{last_date_of, set_date};

use super::{STAFF, backup, dates, ordered, told, with_terms};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

async fn says(
    shop: &Shop,
    po: muster::domain::ids::PurchaseOrderId,
    days: i64,
) -> muster::store::etas::EtaRow {
    let arrives = (shop.now() + Duration::days(days)).date_naive();
    shop.write(move |desk, tx| set_date(desk, tx, po, arrives, "The glaze is late."))
        .await
        .unwrap()
}

both_databases! {
    async fn a_date_passes_on_by_itself_after_a_day(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, order) = ordered(&shop).await;
        let date = says(&shop, order.id, 30).await;
        shop.settle().await;
        assert_eq!(told(&shop.mail_to(STAFF).await, "names a date"), 1);
        shop.advance(Duration::hours(23)).await;
        assert_eq!(dates(&shop, &campaign).await[0].state, EtaState::Waiting);
        shop.advance(Duration::hours(1) + Duration::minutes(1)).await;
        let passed = dates(&shop, &campaign).await.remove(0);
        assert_eq!((passed.state, passed.passed_on_by.as_deref()), (EtaState::PassedOn, Some("system")));
        let batch = shop.batch(&campaign).await;
        assert_eq!((batch.arrives, batch.ship_date), (date.arrives, date.ship_date));
        let late = shop.write(move |_, tx| eta::withhold(tx, date.id, "Ana")).await;
        assert!(matches!(late, Err(Problem::Conflict { kind: "wrong-state", .. })), "{late:?}");
        shop.audit().await;
        shop.close().await;
    }

    async fn staff_keep_a_date_or_change_it_before_it_passes(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, order) = ordered(&shop).await;
        let kept = says(&shop, order.id, 30).await.id;
        for _ in 0..2 {
            shop.write(move |_, tx| eta::withhold(tx, kept, "Ana")).await.unwrap();
        }
        shop.advance(Duration::days(2)).await;
        assert_eq!(shop.batch(&campaign).await.arrives, None, "what staff keep is never passed on");
        let next = says(&shop, order.id, 33).await;
        let ship = next.ship_date.unwrap() + Duration::days(5);
        let id = next.id;
        for (day, why, field) in [
            (next.arrives.unwrap() - Duration::days(1), "x", "ship_date"),
            (ship + Duration::days(2000), "x", "ship_date"),
            (ship, "  ", "reason"),
        ] {
            let wrong = shop.write(move |_, tx| eta::edit_and_pass_on(tx, id, day, why, "Ana")).await;
            let Err(Problem::Invalid(errors)) = wrong else { panic!("{wrong:?}") };
            assert_eq!(errors[0].field, field);
        }
        shop.write(move |_, tx| eta::edit_and_pass_on(tx, id, ship, "The glaze needs a second firing.", "Ana")).await.unwrap();
        let batch = shop.batch(&campaign).await;
        assert_eq!((batch.arrives, batch.ship_date), (next.arrives, Some(ship)));
        let twice = shop.write(move |_, tx| eta::edit_and_pass_on(tx, id, ship, "Again.", "Ana")).await;
        assert!(matches!(twice, Err(Problem::Conflict { .. })), "{twice:?}");
        shop.audit().await;
        shop.close().await;
    }

    async fn of_two_suppliers_dates_the_later_one_counts(db: TestDatabase) {
        let shop = Shop::open(db).await;
        with_terms(&shop, |s| s.capacity_units = Some(4)).await;
        let other = backup(&shop, |_| {}).await;
        let campaign = shop.publish(shop.example_a()).await;
        shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        shop.advance(Duration::days(7) + Duration::minutes(1)).await;
        let draft = shop.purchase_orders(&campaign).await.remove(0).id;
        let split = Split { supplier: other.id, units: BTreeMap::from([("set".to_owned(), 2)]) };
        let plan = Plan { split: Some(split), ..Plan::default() };
        let merchant = shop.merchant;
        shop.write(move |desk, tx| send_planned(desk, tx, merchant, draft, &plan)).await.unwrap();
        let orders = shop.purchase_orders(&campaign).await;
        assert!(orders.iter().all(|po| po.state == PurchaseOrderState::Sent) && orders.len() == 2);
        let slow = says(&shop, orders[1].id, 40).await;
        let fast = says(&shop, orders[0].id, 30).await;
        assert_eq!(dates(&shop, &campaign).await.iter().filter(|d| d.state == EtaState::Waiting).count(), 2);
        for id in [slow.id, fast.id] {
            shop.write(move |_, tx| eta::pass_on(tx, id, "Ana")).await.unwrap();
        }
        let batch = shop.batch(&campaign).await;
        assert_eq!((batch.arrives, batch.ship_date), (slow.arrives, slow.ship_date));
        let (batch, first) = (batch.id, orders[0].id);
        let last = shop.write(move |_, tx| last_date_of(tx.conn, batch, first)).await.unwrap().unwrap();
        assert_eq!(last.arrives, fast.arrives, "what each said stays as it was said");
        shop.audit().await;
        shop.close().await;
    }

    async fn staff_hear_of_goods_that_do_not_come(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (_, order) = ordered(&shop).await;
        says(&shop, order.id, 5).await;
        shop.advance(Duration::days(5)).await;
        let overdue = "has not arrived";
        assert_eq!(told(&shop.mail_to(STAFF).await, overdue), 0, "the day counts whole");
        shop.advance(Duration::days(1)).await;
        assert_eq!(told(&shop.mail_to(STAFF).await, overdue), 1);
        says(&shop, order.id, 4).await;
        shop.advance(Duration::days(3)).await;
        assert_eq!(told(&shop.mail_to(STAFF).await, overdue), 1);
        shop.advance(Duration::days(2)).await;
        assert_eq!(told(&shop.mail_to(STAFF).await, overdue), 2, "once for each day promised");
        shop.audit().await;
        shop.close().await;
    }
}
