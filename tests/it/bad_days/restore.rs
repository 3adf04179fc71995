//! An old backup is restored after money moved: nobody is refunded twice, and what was lost is listed.

use std::path::Path;
use std::process::{Command, Output};

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::claim::ClaimKind;
use muster::domain::order::OrderState;
use muster::domain::shipment::DeliveredBy;
use muster::store::claims;
use muster::workflows::claims::decide::Decision;
use serde_json::json;

use super::agrees;
use crate::after::claims::{decided, opened};
use crate::after::goods::{delivered, ordered, pair, shipped};
use crate::cards::{deadline_passes, saved, saves};
use crate::minimum::{black_45_and_red_16, black_and_red};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// Runs the program's command to its end.
async fn muster(settings: Vec<String>, command: &[&str]) -> Output {
    let command: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
    tokio::task::spawn_blocking(move || {
        Command::new(env!("CARGO_BIN_EXE_muster"))
            .args(settings)
            .args(command)
            .output()
            .expect("the program runs")
    })
    .await
    .unwrap()
}

pub(super) async fn backup(shop: &Shop, file: &Path) {
    let done = muster(shop.settings(), &["backup", file.to_str().unwrap()]).await;
    assert!(done.status.success(), "{done:?}");
}

pub(super) async fn restore(shop: Shop, file: &Path) -> Shop {
    let stopped = shop.stop().await;
    let done = muster(stopped.settings(), &["restore", file.to_str().unwrap()]).await;
    assert!(done.status.success(), "{done:?}");
    stopped.start().await
}

pub(super) async fn on_line(shop: &Shop, command: &str) -> (Option<i32>, String) {
    let mut settings = shop.settings();
    settings.push(format!("--public-url={}", shop.running.app.public_url));
    let done = muster(settings, &[command]).await;
    let said = String::from_utf8_lossy(&done.stdout).into_owned();
    (done.status.code(), said)
}

#[actix_web::test]
async fn nobody_is_refunded_twice_after_an_old_backup_is_restored() {
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("old.tar.gz");
    let campaign = shop.publish(shop.example_a()).await;
    let left = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
    let stays = shop.join_and_pay(&campaign, "b@mail.example", 2).await;
    let pays_later = shop.join(&campaign, "c@mail.example", 2).await.order.id;
    let again = shop.join_and_pay(&campaign, "d@mail.example", 1).await;
    shop.settle().await;
    backup(&shop, &file).await;
    // After the backup: two leave and are refunded, one pays, one joins.
    shop.cancel(left).await.unwrap();
    shop.cancel(again).await.unwrap();
    assert_eq!(shop.pay(pays_later, GOOD_CARD).await, 303);
    let lost = shop.join_and_pay(&campaign, "e@mail.example", 1).await;
    shop.settle().await;
    agrees(&shop, &[left, stays, pays_later, again, lost]).await;
    let shop = restore(shop, &file).await;
    // Money waits.
    assert_eq!(shop.order(left).await.state, OrderState::Confirmed);
    shop.cancel(again).await.unwrap();
    shop.advance(Duration::hours(1)).await;
    assert_eq!(shop.order(again).await.refund_due, 10000);
    assert_eq!(shop.at_provider(again).await, (10000, 10000));
    let (code, said) = on_line(&shop, "reconcile").await;
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains(&lost.to_string()),
        "the lost order is named: {said}"
    );
    let (code, said) = on_line(&shop, "audit").await;
    assert_eq!(code, Some(1), "the lost order's charge: {said}");
    shop.advance(Duration::hours(1)).await;
    // A person refunds the lost order at the provider.
    let charges = shop.provider("charges?limit=100").await;
    let charge = charges["data"]
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["metadata"]["order"] == lost.to_string())
        .unwrap();
    let made = shop
        .http
        .post(shop.url("/sandbox/stripe/v1/refunds"))
        .bearer_auth("sk_test_tests")
        .form(&[("charge", charge["id"].as_str().unwrap())])
        .send()
        .await
        .unwrap();
    assert_eq!(made.status(), 200);
    let (code, said) = on_line(&shop, "reconcile").await;
    assert_eq!(code, Some(0), "{said}");
    shop.audit().await;
    for (id, state) in [
        (left, OrderState::Cancelled),
        (again, OrderState::Cancelled),
        (stays, OrderState::Confirmed),
        (pays_later, OrderState::Confirmed),
    ] {
        assert_eq!(shop.order(id).await.state, state);
    }
    assert_eq!(
        shop.campaign(&campaign).await.committed_units,
        4,
        "who left does not count"
    );
    shop.advance(Duration::days(8)).await;
    shop.expect_state(&campaign, CampaignState::Failed).await;
    agrees(&shop, &[left, stays, pays_later, again]).await;
    for id in [left, stays, pays_later, again] {
        let (charged, back) = shop.at_provider(id).await;
        assert_eq!(charged, back);
    }
    let (code, said) = on_line(&shop, "audit").await;
    assert_eq!(code, Some(0), "{said}");
    shop.close().await;
}

#[actix_web::test]
async fn a_claim_that_was_refunded_after_the_backup_is_not_refunded_again() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let file = folder.path().join("old.tar.gz");
    let order = ordered(&shop, pair(&shop), 6, 0).await;
    let parcel = shipped(&shop, order, &[("set", 6)]).await;
    delivered(&shop.running.app.office, parcel, DeliveredBy::Carrier).await;
    let claim = opened(&shop, order, ClaimKind::Damaged, "set", 1)
        .await
        .unwrap();
    backup(&shop, &file).await;
    decided(&shop, claim, Decision::Refund { shown: None })
        .await
        .unwrap();
    shop.settle().await;
    let gone = shop.at_provider(order).await;
    let shop = restore(shop, &file).await;
    shop.advance(Duration::hours(1)).await;
    let (code, said) = on_line(&shop, "reconcile").await;
    assert_eq!(code, Some(0), "{said}");
    decided(&shop, claim, Decision::Refund { shown: None })
        .await
        .unwrap();
    shop.settle().await;
    shop.advance(Duration::hours(1)).await;
    assert_eq!(shop.at_provider(order).await, gone);
    let row = shop
        .read(move |conn| claims::by_id(conn, claim))
        .await
        .unwrap();
    assert_eq!(row.amount, Some(9000));
    shop.audit().await;
    shop.close().await;
}

#[actix_web::test]
async fn of_two_claims_over_the_same_amount_each_is_refunded_though_one_was_before_the_restore() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let file = folder.path().join("old.tar.gz");
    let order = ordered(&shop, pair(&shop), 6, 0).await;
    let parcel = shipped(&shop, order, &[("set", 6)]).await;
    delivered(&shop.running.app.office, parcel, DeliveredBy::Carrier).await;
    let mut claims = Vec::new();
    for kind in [ClaimKind::Damaged, ClaimKind::Wrong] {
        claims.push(opened(&shop, order, kind, "set", 1).await.unwrap());
    }
    backup(&shop, &file).await;
    // A better price went back before.
    let (charged, difference) = shop.at_provider(order).await;
    let refund = || Decision::Refund { shown: None };
    decided(&shop, claims[0], refund()).await.unwrap();
    shop.settle().await;
    let one = shop.at_provider(order).await.1 - difference;
    assert_eq!(one, 9_000);
    let shop = restore(shop, &file).await;
    // Staff decide the second one before the books know of the first again: its refund waits, over the same amount.
    decided(&shop, claims[1], refund()).await.unwrap();
    shop.advance(Duration::hours(1)).await;
    let (code, said) = on_line(&shop, "reconcile").await;
    assert_eq!(code, Some(0), "{said}");
    shop.advance(Duration::hours(1)).await;
    let both = (charged, difference + 2 * one);
    assert_eq!(
        shop.at_provider(order).await,
        both,
        "the second is not lost"
    );
    decided(&shop, claims[0], refund()).await.unwrap();
    shop.advance(Duration::hours(1)).await;
    assert_eq!(
        shop.at_provider(order).await,
        both,
        "nor the first repeated"
    );
    shop.audit().await;
    shop.close().await;
}

#[actix_web::test]
async fn a_card_that_was_charged_after_the_backup_is_not_charged_again() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let file = folder.path().join("old.tar.gz");
    let campaign = shop.publish(saved(&shop)).await;
    let order = saves(&shop, &campaign, "a@mail.example", 6, GOOD_CARD).await;
    backup(&shop, &file).await;
    deadline_passes(&shop, &campaign).await;
    assert_eq!(shop.at_provider(order).await, (54_000, 0));
    let shop = restore(shop, &file).await;
    shop.advance(Duration::hours(1)).await;
    let (code, said) = on_line(&shop, "reconcile").await;
    assert_eq!(code, Some(0), "{said}");
    shop.audit().await;
    shop.advance(Duration::hours(1)).await;
    shop.expect_state(&campaign, CampaignState::Ordered).await;
    assert_eq!(shop.at_provider(order).await, (54_000, 0));
    shop.audit().await;
    shop.close().await;
}

#[actix_web::test]
async fn a_campaign_that_ended_after_the_backup_ends_the_same_way_again() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let file = folder.path().join("old.tar.gz");
    let missed = shop.publish(shop.example_a()).await;
    let reached = shop.publish(shop.example_a()).await;
    let a = shop.join_and_pay(&missed, "a@mail.example", 2).await;
    let b = shop.join_and_pay(&missed, "b@mail.example", 2).await;
    let c = shop.join_and_pay(&reached, "c@mail.example", 4).await;
    let d = shop.join_and_pay(&reached, "d@mail.example", 4).await;
    backup(&shop, &file).await;
    shop.advance(Duration::days(8)).await;
    shop.expect_state(&missed, CampaignState::Failed).await;
    shop.expect_state(&reached, CampaignState::Ordered).await;
    agrees(&shop, &[a, b, c, d]).await;
    let shop = restore(shop, &file).await;
    shop.advance(Duration::days(1)).await;
    shop.expect_state(&missed, CampaignState::Open).await;
    let (code, said) = on_line(&shop, "reconcile").await;
    assert_eq!(code, Some(0), "{said}");
    shop.audit().await;
    shop.advance(Duration::hours(1)).await;
    shop.expect_state(&missed, CampaignState::Failed).await;
    shop.expect_state(&reached, CampaignState::Ordered).await;
    agrees(&shop, &[a, b, c, d]).await;
    assert_eq!(shop.at_provider(a).await, (20000, 20000));
    assert_eq!(shop.at_provider(c).await, (40000, 4000));
    let report = json!(shop.purchase_orders(&reached).await.len());
    assert_eq!(report, 1);
    shop.close().await;
}

#[actix_web::test]
async fn what_is_not_made_goes_back_once_though_an_old_backup_is_restored() {
    let folder = tempfile::tempdir().unwrap();
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let file = folder.path().join("old.tar.gz");
    let campaign = shop.publish(black_and_red(&shop, 40)).await;
    let placed = black_45_and_red_16(&shop, &campaign).await;
    backup(&shop, &file).await;
    shop.advance(Duration::days(8)).await;
    shop.expect_state(&campaign, CampaignState::Ordered).await;
    agrees(&shop, &placed).await;
    let shop = restore(shop, &file).await;
    shop.advance(Duration::days(1)).await;
    let (code, said) = on_line(&shop, "reconcile").await;
    assert_eq!(code, Some(0), "{said}");
    shop.audit().await;
    shop.advance(Duration::hours(1)).await;
    shop.expect_state(&campaign, CampaignState::Ordered).await;
    agrees(&shop, &placed).await;
    for (order, moved) in
        placed
            .into_iter()
            .zip([(300_500, 30_000), (162_500, 27_000), (18_500, 18_500)])
    {
        assert_eq!(shop.at_provider(order).await, moved);
    }
    assert_eq!(shop.order(placed[2]).await.state, OrderState::Cancelled);
    assert_eq!(shop.purchase_orders(&campaign).await[0].units, 45);
    shop.audit().await;
    shop.close().await;
}
