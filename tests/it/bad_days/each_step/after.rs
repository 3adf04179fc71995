//! The stories that move money after the supplier's order.

use chrono::{DateTime, Duration, Utc};
use muster::domain::claim::{ClaimKind, ClaimOutcome};
use muster::domain::ids::{ClaimId, OrderId};
use muster::domain::order::OrderState;
use muster::domain::payment::RefundPurpose;
use muster::store::claims;
use muster::workflows::claims::decide::{Decision, resolve};
use muster::workflows::claims::returns::mark_sent;
use muster::workflows::claims::{Report, Who, report};
use muster::workflows::desk::Problem;
use muster::workflows::forms::is_first;
use muster::workflows::give_back::{Request, What, give_back};
use muster::workflows::withdraw::{Declaration, declare};

use super::people::wait_until;
use super::{at_each_step, movements};
use crate::after::goods::{ordered, pair, shipped};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

/// Withdraws by one form, however often it is sent.
async fn withdraws(shop: &Shop, order: OrderId, lines: &[(&str, i64)]) {
    let said = Declaration {
        order,
        lines: lines.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect(),
        name: "Ana Sousa".into(),
        email: "a@mail.example".into(),
    };
    shop.write(move |desk, tx| -> Result<(), Problem> {
        if is_first(tx, "withdraw", "one-form-of-it")? {
            declare(desk, tx, &said)?;
        }
        Ok(())
    })
    .await
    .unwrap();
    shop.settle().await;
}

/// What went back at the provider, one after the other, the difference at the judgement first.
async fn went_back(shop: &Shop, order: OrderId, amounts: &[i64]) {
    let mut refunds = movements(shop, order).await.1;
    refunds.sort_unstable();
    let mut wanted = amounts.to_vec();
    wanted.sort_unstable();
    assert_eq!(refunds, wanted);
    assert_eq!(shop.order(order).await.refund_due, 0);
}

async fn letters(shop: &Shop, about: &str) -> usize {
    let all = shop.mail_to("a@mail.example").await;
    all.iter().filter(|s| s.contains(about)).count()
}

both_databases! {
    async fn a_shopper_withdraws_before_it_ships(db: TestDatabase) {
        let before = async |shop: &Shop| ordered(shop, pair(shop), 6, 1).await;
        at_each_step(db, before, async |shop: &Shop, order: &OrderId| {
            withdraws(shop, *order, &[("set", 6), ("lid", 1)]).await;
            let row = shop.order(*order).await;
            assert_eq!((row.state, row.refunded), (OrderState::Cancelled, row.charged));
            went_back(shop, *order, &[6000, 56500]).await;
            assert_eq!(letters(shop, "your withdrawal of").await, 1);
        }).await;
    }

    async fn a_claim_is_refunded(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let order = ordered(shop, pair(shop), 6, 1).await;
            shipped(shop, order, &[("set", 6), ("lid", 1)]).await;
            let wish = Report { order, kind: ClaimKind::Damaged, lines: vec![("set".into(), 2)], text: "Broken.".into(), photos: Vec::new() };
            let claim = shop.write(move |desk, tx| report(desk, tx, &wish, &Who::Shopper)).await.unwrap();
            shop.settle().await;
            (order, claim.id)
        };
        at_each_step(db, before, async |shop: &Shop, (order, claim): &(OrderId, ClaimId)| {
            let (merchant, id) = (shop.merchant, *claim);
            if shop.read(move |c| claims::by_id(c, id)).await.unwrap().state.is_open() {
                let decision = Decision::Refund { shown: Some(18000) };
                shop.write(move |desk, tx| resolve(desk, tx, Some(merchant), id, ("Ana", &decision))).await.unwrap();
            }
            shop.settle().await;
            went_back(shop, *order, &[6000, 18000]).await;
            let row = shop.order(*order).await;
            assert_eq!((row.state, row.allowances), (OrderState::Shipped, 18000));
            assert_eq!(letters(shop, "$180.00 goes back").await, 1);
        }).await;
    }

    async fn a_withdrawal_is_refunded_on_its_last_day(db: TestDatabase) {
        let before = async |shop: &Shop| {
            let order = ordered(shop, pair(shop), 6, 0).await;
            shipped(shop, order, &[("set", 6)]).await;
            withdraws(shop, order, &[("set", 6)]).await;
            let id = shop.read(move |c| claims::of_order(c, order)).await[0].id;
            shop.write(move |desk, tx| mark_sent(desk, tx, order, id, "RR1")).await.unwrap();
            shop.advance(Duration::days(10)).await;
            (order, id, shop.now())
        };
        at_each_step(db, before, async |shop: &Shop, (order, claim, start): &(OrderId, ClaimId, DateTime<Utc>)| {
            wait_until(shop, *start + Duration::days(5)).await;
            let id = *claim;
            let row = shop.read(move |c| claims::by_id(c, id)).await.unwrap();
            assert_eq!((row.outcome, row.amount), (Some(ClaimOutcome::Refund), Some(54500)));
            went_back(shop, *order, &[6000, 54500]).await;
            let warned = shop.mail_to("hello@fern.example").await;
            assert_eq!(warned.iter().filter(|s| s.contains("refund of a withdrawal is due")).count(), 1);
        }).await;
    }

    async fn staff_give_back_units_and_then_something_out_of_goodwill(db: TestDatabase) {
        let before = async |shop: &Shop| ordered(shop, pair(shop), 6, 1).await;
        at_each_step(db, before, async |shop: &Shop, order: &OrderId| {
            for (key, what) in [
                ("units-leave", What::Lines(vec![("set".to_owned(), 2)])),
                ("goodwill", What::Amount(700)),
            ] {
                let request = Request {
                    merchant: shop.merchant, order: *order, what, reason: "The kiln broke.".into(), shown: None, person: "Ana".into(), once: Some(key.to_owned()),
                };
                shop.write(move |desk, tx| -> Result<(), Problem> {
                    if is_first(tx, "refund", key)? {
                        give_back(desk, tx, &request)?;
                    }
                    Ok(())
                }).await.unwrap();
                shop.settle().await;
            }
            went_back(shop, *order, &[6000, 18000, 700]).await;
            let row = shop.order(*order).await;
            assert_eq!((row.state, row.allowances), (OrderState::Backordered, 700));
            let purposes: Vec<_> = shop.refunds(*order).await.iter().map(|r| r.purpose).collect();
            assert_eq!(purposes, [RefundPurpose::Difference, RefundPurpose::Change, RefundPurpose::Goodwill]);
        }).await;
    }

    async fn staff_cancel_an_order_after_the_suppliers_order(db: TestDatabase) {
        let before = async |shop: &Shop| ordered(shop, pair(shop), 6, 0).await;
        at_each_step(db, before, async |shop: &Shop, order: &OrderId| {
            let (id, by) = (*order, muster::workflows::cancel::By::Staff { name: "Ana".into(), reason: "No clay.".into() });
            shop.write(move |desk, tx| muster::workflows::cancel::cancel(desk, tx, id, &by)).await.unwrap();
            shop.settle().await;
            went_back(shop, *order, &[6000, 54500]).await;
            assert_eq!(shop.order(*order).await.state, OrderState::Cancelled);
        }).await;
    }
}
