//! Handovers against cancellations: recorded in every order, judged by when they were.

use chrono::{DateTime, Duration, Utc};
use muster::domain::ids::{OrderId, ShipmentId};
use muster::domain::ledger::Account;
use muster::domain::order::OrderState;
use muster::domain::payment::{RefundPurpose, RefundState};
use muster::domain::shipment::ShipmentState;
use muster::store::{jobs, journal};
use muster::workflows::ship::When;

use super::scene::{ONE, SOME, Scene, conflict, hand_over, ordered};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

async fn loss(shop: &Shop, order: OrderId) -> i64 {
    shop.read(move |c| journal::balance_of_order(c, order, Account::MerchantLoss.as_str()))
        .await
}

async fn back(shop: &Shop, order: OrderId) -> Vec<(RefundPurpose, RefundState, i64)> {
    let all = shop.refunds(order).await;
    all.into_iter()
        .map(|r| (r.purpose, r.state, r.amount))
        .collect()
}

both_databases! {
    async fn a_stopped_parcel_is_refused_at_the_door(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 0, ONE)]).await;
        scene.arrive(&shop, 2, 0).await;
        scene.pick(&shop).await;
        let parcel = scene.parcels(&shop, 0).await.remove(0);
        let picked = shop.now();
        shop.advance(Duration::hours(2)).await;
        scene.cancel(&shop, 0, &[]).await;
        assert_eq!(scene.parcels(&shop, 0).await[0].state, ShipmentState::Stopped);
        assert_eq!(conflict(hand_over(&shop, parcel.id, None).await), "stopped");
        let now = shop.now();
        assert_eq!(conflict(hand_over(&shop, parcel.id, Some(now)).await), "stopped");
        assert_eq!(conflict(scene.send(&shop, 0, &[("set", 2)], When::Now).await), "stopped");
        assert_eq!(conflict(scene.send(&shop, 0, &[("set", 2)], When::At(now)).await), "stopped");
        assert!(picked < now);
        shop.settle().await;
        let order = shop.order(scene.orders[0]).await;
        assert_eq!((order.state, order.refunded), (OrderState::Cancelled, order.charged));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_handover_before_the_cancellation_drops_a_refund_that_was_not_sent(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 1, ONE)]).await;
        let id = scene.orders[0];
        scene.arrive(&shop, 2, 1).await;
        scene.pick(&shop).await;
        let parcel = scene.parcels(&shop, 0).await.remove(0);
        shop.advance(Duration::hours(1)).await;
        let taken = shop.now();
        shop.advance(Duration::hours(1)).await;
        let paid = shop.order(id).await.charged;
        scene.cancel(&shop, 0, &[]).await;
        assert_eq!(shop.order(id).await.refund_due, paid);
        hand_over(&shop, parcel.id, Some(taken)).await.unwrap();
        shop.settle().await;
        let order = shop.order(id).await;
        assert_eq!((order.state, order.refund_due, order.refunded), (OrderState::Shipped, 0, 0));
        assert_eq!(back(&shop, id).await, [(RefundPurpose::Replaced, RefundState::Dropped, paid)]);
        assert_eq!(loss(&shop, id).await, 0);
        assert_eq!(shop.campaign(&scene.campaign).await.committed_units, 3);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_handover_before_the_cancellation_is_a_loss_once_the_refund_went_out(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 1, ONE), (1, 0, ONE)]).await;
        let id = scene.orders[0];
        scene.arrive(&shop, 2, 1).await;
        scene.pick(&shop).await;
        let parcel = scene.parcels(&shop, 0).await.remove(0);
        shop.advance(Duration::hours(1)).await;
        let taken = shop.now();
        shop.advance(Duration::hours(1)).await;
        scene.cancel(&shop, 0, &[]).await;
        shop.settle().await;
        // The freed unit went to who waits.
        assert_eq!(scene.units(&shop, 1, "set").await.0, 1);
        let paid = shop.order(id).await.charged;
        hand_over(&shop, parcel.id, Some(taken)).await.unwrap();
        shop.settle().await;
        let order = shop.order(id).await;
        assert_eq!((order.state, order.refunded), (OrderState::Cancelled, paid));
        assert_eq!(loss(&shop, id).await, paid);
        assert_eq!(scene.units(&shop, 0, "set").await, (2, 0, 2, 0));
        assert_eq!(scene.units(&shop, 1, "set").await.0, 0, "taken back from the newest");
        let mails = shop.mail_to("hello@fern.example").await;
        assert!(mails.iter().any(|m| m.contains("A loss of")), "{mails:?}");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_parcel_nobody_had_packed_here_is_judged_the_same(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 0, SOME)]).await;
        scene.arrive(&shop, 2, 0).await;
        shop.advance(Duration::hours(1)).await;
        let taken = shop.now();
        shop.advance(Duration::hours(1)).await;
        scene.cancel(&shop, 0, &[("set", 1)]).await;
        let sent = scene.send(&shop, 0, &[("set", 2)], When::At(taken)).await.unwrap();
        assert_eq!(sent.state, ShipmentState::HandedOver);
        assert_eq!(shop.order(scene.orders[0]).await.state, OrderState::Shipped);
        assert_eq!(loss(&shop, scene.orders[0]).await, 0, "its refund was not sent yet");
        shop.settle().await;
        shop.audit().await;
        shop.close().await;
    }

    async fn what_is_packed_again_meanwhile_is_stopped(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(3, 0, SOME)]).await;
        scene.arrive(&shop, 3, 0).await;
        scene.pick(&shop).await;
        let first = scene.parcels(&shop, 0).await.remove(0);
        shop.advance(Duration::hours(1)).await;
        let taken = shop.now();
        shop.advance(Duration::hours(1)).await;
        scene.cancel(&shop, 0, &[("set", 1)]).await;
        shop.settle().await;
        assert_eq!(scene.pick(&shop).await, 1, "what is still wanted");
        hand_over(&shop, first.id, Some(taken)).await.unwrap();
        let states: Vec<_> = scene.parcels(&shop, 0).await.iter().map(|p| p.state).collect();
        assert_eq!(states, [ShipmentState::HandedOver, ShipmentState::Stopped]);
        assert_eq!(loss(&shop, scene.orders[0]).await, 10000, "the one whose money went back");
        shop.settle().await;
        shop.audit().await;
        shop.close().await;
    }

    async fn what_went_out_twice_is_told(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 0, SOME)]).await;
        scene.arrive(&shop, 2, 0).await;
        scene.pick(&shop).await;
        let first = scene.parcels(&shop, 0).await.remove(0);
        shop.advance(Duration::hours(1)).await;
        let taken = shop.now();
        shop.advance(Duration::hours(1)).await;
        scene.cancel(&shop, 0, &[("set", 1)]).await;
        shop.settle().await;
        scene.pick(&shop).await;
        let second = scene.parcels(&shop, 0).await.remove(1);
        hand_over(&shop, second.id, None).await.unwrap();
        assert_eq!(conflict(hand_over(&shop, first.id, Some(taken)).await), "sent-again");
        shop.audit().await;
        shop.close().await;
    }

    /// Cancellations of a part and of the rest, handovers recorded before, between and after them, with times before and
    /// after, refunds sent or not: whatever the order of it all, the rules hold.
    async fn handovers_and_cancellations_in_every_order(db: TestDatabase) {
        let shop = Shop::open(db.in_memory()).await;
        // Shipping once, two lines of several units, as available: two parcels.
        let all = permutations(&[Step::CancelPart, Step::CancelRest, Step::FirstGoes, Step::SecondGoes]);
        let ways: Vec<(Vec<Step>, bool, bool)> = all
            .into_iter()
            .flat_map(|steps| [(true, true), (true, false), (false, true), (false, false)].map(|(early, sent)| (steps.clone(), early, sent)))
            .collect();
        let wishes = vec![(2, 1, SOME); ways.len()];
        // Few enough at a time that joining stays quick.
        for (ways, wishes) in ways.chunks(32).zip(wishes.chunks(32)) {
            let scene = ordered(&shop, wishes).await;
            let n = i64::try_from(wishes.len()).unwrap();
            scene.arrive(&shop, 2 * n, n).await;
            for (order, (steps, early, sent)) in ways.iter().enumerate() {
                live(&shop, &scene, order, steps, *early, *sent).await;
            }
            shop.settle().await;
            shop.advance(Duration::hours(1)).await;
            shop.audit().await;
        }
        shop.close().await;
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    CancelPart,
    CancelRest,
    FirstGoes,
    SecondGoes,
}

fn permutations(of: &[Step]) -> Vec<Vec<Step>> {
    let Some((first, rest)) = of.split_first() else {
        return vec![Vec::new()];
    };
    let mut all = Vec::new();
    for shorter in permutations(rest) {
        for at in 0..=shorter.len() {
            let mut one = shorter.clone();
            one.insert(at, *first);
            all.push(one);
        }
    }
    all
}

/// One order's way: two parcels are packed, then the steps, a while apart. `early`: handovers are recorded with the time
/// right after packing, else with the present one. `sent`: refunds go out between the steps.
async fn live(shop: &Shop, scene: &Scene, order: usize, steps: &[Step], early: bool, sent: bool) {
    let first = scene
        .send(shop, order, &[("set", 2)], When::NotYet)
        .await
        .unwrap();
    let second = scene
        .send(shop, order, &[("cup", 1)], When::NotYet)
        .await
        .unwrap();
    let packed = shop.now();
    let how = format!("{steps:?}, early {early}, sent {sent}");
    let goes = |id: ShipmentId, at: DateTime<Utc>| {
        hand_over(shop, id, Some(if early { packed } else { at }))
    };
    for step in steps {
        tick(shop).await;
        let at = shop.now();
        match step {
            Step::CancelPart => {
                let there = scene.line(shop, order, "set").await.units().unshipped();
                if there > 0 {
                    scene.cancel(shop, order, &[("set", 1)]).await;
                }
            }
            Step::CancelRest => {
                scene.cancel(shop, order, &[]).await;
            }
            Step::FirstGoes => expect(goes(first.id, at).await, shop, first.id, early, &how).await,
            Step::SecondGoes => {
                expect(goes(second.id, at).await, shop, second.id, early, &how).await
            }
        }
        if sent {
            shop.settle().await;
        }
        let now = shop.now();
        let office = &shop.running.app.office;
        let breaches = office
            .read(move |conn| muster::workflows::audit::audit(conn, now))
            .await
            .unwrap();
        assert!(breaches.is_empty(), "{how}, after {step:?}: {breaches:#?}");
    }
}

/// A little later, without the work that is due.
async fn tick(shop: &Shop) {
    let _due = shop.read(jobs::next_due).await;
    tokio::task::yield_now().await;
}

/// Who went out before anything was cancelled is recorded; who did not is refused where it was stopped.
async fn expect(
    result: Result<muster::store::shipments::ShipmentRow, muster::workflows::desk::Problem>,
    shop: &Shop,
    id: ShipmentId,
    early: bool,
    how: &str,
) {
    match result {
        Ok(row) => assert_eq!(row.state, ShipmentState::HandedOver, "{how}"),
        Err(muster::workflows::desk::Problem::Conflict { kind, .. }) => {
            assert_eq!((kind, early), ("stopped", false), "{how}");
            let row = shop
                .read(move |c| muster::store::shipments::by_id(c, id))
                .await
                .unwrap();
            assert_eq!(row.state, ShipmentState::Stopped, "{how}");
        }
        Err(problem) => panic!("{how}: {problem:?}"),
    }
}
