//! The worked examples of domain section 6, from the staff's date to the refund.

use muster::domain::promise::{NoticeKind, NoticeState, RefundCause, Silence};
use muster::store::stock;
use serde_json::json;

use super::{
    at, days_after, days_before, is_refunded, last_notice, noon, notices_of, of_year, promise_of,
    promised, ships_by, told, until, waits,
};
use crate::goods::scene::ONE;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    /// D = 1 March. Notice on 20 Feb: 25 March, silence agrees. On 20 March: 10 April, silence is refunded on 26 March.
    async fn silence_agrees_once_and_is_refunded_the_second_time(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE)], |_| {}).await;
        let order = scene.orders[0];
        let before = promise_of(&shop, order).await;
        assert_eq!((before.first_date, before.cancels_after), (d, Some(d)));
        noon(&shop, of_year(d, 2, 20)).await;
        ships_by(&shop, &scene, of_year(d, 3, 25)).await;
        let first = last_notice(&shop, order).await;
        assert_eq!((first.kind, first.state), (NoticeKind::First, NoticeState::Sent));
        assert_eq!((first.silence, first.last_day), (Some(Silence::Agrees), Some(of_year(d, 3, 25))));
        assert_eq!(promise_of(&shop, order).await.agreed_date, Some(of_year(d, 3, 25)));
        noon(&shop, of_year(d, 3, 19)).await;
        waits(&shop, order).await;
        assert_eq!(notices_of(&shop, order).await.len(), 1, "it covers D: the system has nothing to say");
        noon(&shop, of_year(d, 3, 20)).await;
        ships_by(&shop, &scene, of_year(d, 4, 10)).await;
        let again = last_notice(&shop, order).await;
        assert_eq!((again.kind, again.silence, again.last_day), (NoticeKind::Renewed, Some(Silence::Cancels), Some(of_year(d, 3, 25))));
        until(&shop, at(of_year(d, 3, 26), "05:59")).await;
        waits(&shop, order).await;
        until(&shop, at(of_year(d, 3, 26), "06:01")).await;
        is_refunded(&shop, order).await;
        assert_eq!(told(&shop, 0, "goes back to you").await, 1);
        assert!(shop.order(order).await.note.unwrap().contains("nothing was answered by 25 March"));
        shop.audit().await;
        shop.close().await;
    }

    /// Had the first notice said 15 April: silence is refunded on 1 April (D + 30 = 31 March is the last day).
    async fn silence_on_a_date_beyond_thirty_days_is_refunded(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE)], |_| {}).await;
        let order = scene.orders[0];
        noon(&shop, of_year(d, 2, 20)).await;
        ships_by(&shop, &scene, of_year(d, 4, 15)).await;
        let first = last_notice(&shop, order).await;
        assert_eq!((first.silence, first.last_day), (Some(Silence::Cancels), Some(of_year(d, 3, 31))));
        until(&shop, at(of_year(d, 3, 31), "23:59")).await;
        waits(&shop, order).await;
        until(&shop, at(of_year(d, 4, 1), "06:01")).await;
        is_refunded(&shop, order).await;
        assert_eq!(notices_of(&shop, order).await.len(), 1);
        shop.audit().await;
        shop.close().await;
    }

    /// No notice at all: the system's own on 24 February.
    async fn where_nobody_writes_the_system_does(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE)], |_| {}).await;
        let order = scene.orders[0];
        until(&shop, at(days_before(d, 5), "05:59")).await;
        assert!(notices_of(&shop, order).await.is_empty());
        until(&shop, at(days_before(d, 5), "06:01")).await;
        let own = last_notice(&shop, order).await;
        assert_eq!((own.kind, own.state, own.revised, own.sent_by.as_str()), (NoticeKind::First, NoticeState::Sent, None, "system"));
        assert_eq!((own.silence, own.last_day), (Some(Silence::Cancels), Some(of_year(d, 3, 31))));
        assert_eq!(own.reason, "Fern & Kiln gave no new date.");
        until(&shop, at(of_year(d, 4, 1), "05:59")).await;
        waits(&shop, order).await;
        assert_eq!(notices_of(&shop, order).await.len(), 1, "it is said once");
        until(&shop, at(of_year(d, 4, 1), "06:01")).await;
        is_refunded(&shop, order).await;
        let subject = format!("the new ship date is not known, please answer by 31 March {}", d.format("%Y"));
        assert_eq!(told(&shop, 0, &subject).await, 1);
        shop.audit().await;
        shop.close().await;
    }

    /// Silence never agrees where the campaign says so: refunded after D, then after the agreed date.
    async fn by_ask_always_silence_never_agrees(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE), (1, 0, ONE)], |body| body["delay_policy"] = json!("ask_always")).await;
        noon(&shop, of_year(d, 2, 20)).await;
        ships_by(&shop, &scene, of_year(d, 3, 25)).await;
        for order in &scene.orders {
            let first = last_notice(&shop, *order).await;
            assert_eq!((first.silence, first.last_day), (Some(Silence::Cancels), Some(d)));
        }
        super::answers(&shop, scene.orders[0], muster::domain::promise::Answer::Wait).await.unwrap();
        until(&shop, at(days_after(d, 1), "06:01")).await;
        is_refunded(&shop, scene.orders[1]).await;
        waits(&shop, scene.orders[0]).await;
        // Nobody writes before the agreed date either: the system does, and silence is refunded after it.
        until(&shop, at(of_year(d, 3, 20), "06:01")).await;
        let renewed = last_notice(&shop, scene.orders[0]).await;
        assert_eq!((renewed.kind, renewed.sent_by.as_str()), (NoticeKind::Renewed, "system"));
        until(&shop, at(of_year(d, 3, 26), "06:01")).await;
        is_refunded(&shop, scene.orders[0]).await;
        shop.audit().await;
        shop.close().await;
    }

    /// An earlier date is only told, and takes nothing away; the day before, a fully received batch is a delay too.
    async fn an_earlier_date_is_only_told(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE)], |_| {}).await;
        let order = scene.orders[0];
        scene.arrive(&shop, 1, 0).await;
        shop.settle().await;
        let told_row = last_notice(&shop, order).await;
        let soon = days_after(shop.now().date_naive(), 2);
        assert_eq!((told_row.kind, told_row.revised, told_row.silence), (NoticeKind::Told, Some(soon), None));
        assert_eq!(promise_of(&shop, order).await.cancels_after, Some(d), "nothing was agreed to");
        let batch = scene.batch;
        assert!(shop.read(move |c| stock::of_batch(c, batch)).await.iter().all(|row| row.awaited() == 0));
        // It lies there, and nobody sends it.
        until(&shop, at(days_before(d, 2), "12:00")).await;
        assert_eq!(notices_of(&shop, order).await.len(), 1);
        until(&shop, at(days_before(d, 1), "06:01")).await;
        let own = last_notice(&shop, order).await;
        assert_eq!((own.kind, own.revised), (NoticeKind::First, None));
        shop.audit().await;
        shop.close().await;
    }

    /// A supplier's date is passed on by itself after a day, and then shoppers are told.
    async fn a_suppliers_date_reaches_shoppers_after_a_day(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE)], |_| {}).await;
        let po = shop.purchase_orders(&scene.campaign).await.remove(0).id;
        let arrives = days_after(d, 10);
        shop.write(move |desk, tx| muster::workflows::purchase::set_date(desk, tx, po, arrives, "The glaze is late.")).await.unwrap();
        shop.advance(chrono::Duration::hours(23)).await;
        assert!(notices_of(&shop, scene.orders[0]).await.is_empty());
        shop.advance(chrono::Duration::hours(2)).await;
        let first = last_notice(&shop, scene.orders[0]).await;
        assert_eq!((first.revised, first.silence), (Some(days_after(arrives, 2)), Some(Silence::Agrees)));
        assert_eq!((first.reason.as_str(), first.sent_by.as_str()), ("The glaze is late.", "system"));
        assert_eq!(RefundCause::NoNotice.source(), "16 CFR 435.2(c)(5)");
        shop.audit().await;
        shop.close().await;
    }
}
