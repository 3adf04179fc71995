//! An old backup is restored after orders were changed: what the provider moved for a change tells what the change was, and
//! the order is over that again.

use chrono::Duration;
use muster::domain::ids::OrderId;
use muster::domain::order::OrderState;
use muster::domain::payment::{AttemptState, RefundPurpose};
use muster::store::campaigns::{self as stored, CampaignRow};
use muster::store::orders;
use muster::workflows::campaigns;
use muster::workflows::changes::{Came, Wish};
use muster::workflows::judgement::{judge, settle};
use muster::workflows::money;
use muster::workflows::part::{Which, take_out};

use super::restore::{backup, on_line, restore};
use crate::cards::completes;
use crate::changes::abroad::{far, sends};
use crate::changes::{asks, changes_of, lines, offer, taken, wants, wishes};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// A shop in which somebody has so many sets, and the backup that was made then.
async fn with_backup(sets: i64) -> (Shop, CampaignRow, OrderId, tempfile::TempDir) {
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let body = offer(&shop, "charge_now");
    with_backup_of(shop, body, sets).await
}

async fn with_backup_of(
    shop: Shop,
    body: serde_json::Value,
    sets: i64,
) -> (Shop, CampaignRow, OrderId, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let campaign = shop.publish(body).await;
    let order = shop.join_and_pay(&campaign, "a@mail.example", sets).await;
    shop.settle().await;
    backup(&shop, &folder.path().join("old.tar.gz")).await;
    (shop, campaign, order, folder)
}

async fn restored(shop: Shop, folder: &tempfile::TempDir) -> Shop {
    let shop = restore(shop, &folder.path().join("old.tar.gz")).await;
    shop.advance(Duration::hours(1)).await;
    shop
}

async fn reconciled(shop: &Shop, wanted: i32) -> String {
    let (code, said) = on_line(shop, "reconcile").await;
    assert_eq!(code, Some(wanted), "{said}");
    shop.settle().await;
    said
}

#[actix_web::test]
async fn a_change_that_was_paid_after_the_backup_is_made_again() {
    let (shop, campaign, order, folder) = with_backup(1).await;
    assert_eq!(
        asks(&shop, order, &[("set", 3), ("lid", 2)]).await.unwrap(),
        Came::ToPay
    );
    completes(&shop, order, GOOD_CARD).await;
    // Changed once more, with money back: the later one counts.
    assert_eq!(
        asks(&shop, order, &[("set", 2), ("lid", 2)]).await.unwrap(),
        Came::Done
    );
    let there = wants(&shop, order).await;
    let moved = shop.at_provider(order).await;
    assert_eq!(moved, (32_000, 10_000));
    let shop = restored(shop, &folder).await;
    assert_eq!(wants(&shop, order).await, [("set".into(), 1, 10_000)]);
    reconciled(&shop, 0).await;
    assert_eq!(wants(&shop, order).await, there);
    let row = shop.order(order).await;
    assert_eq!(
        (row.total, row.charged, row.refunded, row.refund_due),
        (22_000, 32_000, 10_000, 0)
    );
    assert_eq!(
        (
            taken(&shop, &campaign, "set").await,
            taken(&shop, &campaign, "lid").await
        ),
        (2, 2)
    );
    assert_eq!(shop.campaign(&campaign).await.committed_units, 4);
    shop.audit().await;
    // Asked once more, and later: nothing moves again.
    reconciled(&shop, 0).await;
    shop.advance(Duration::hours(1)).await;
    assert_eq!(shop.at_provider(order).await, moved);
    shop.audit().await;
    shop.close().await;
}

#[actix_web::test]
async fn changes_that_gave_back_after_the_backup_take_effect_again_in_their_order() {
    let (shop, campaign, order, folder) = with_backup(4).await;
    asks(&shop, order, &[("set", 3)]).await.unwrap();
    asks(&shop, order, &[("set", 2)]).await.unwrap();
    // And back again: paid.
    assert_eq!(
        asks(&shop, order, &[("set", 3)]).await.unwrap(),
        Came::ToPay
    );
    completes(&shop, order, GOOD_CARD).await;
    assert_eq!(shop.at_provider(order).await, (50_000, 20_000));
    let shop = restored(shop, &folder).await;
    reconciled(&shop, 0).await;
    shop.advance(Duration::hours(1)).await;
    assert_eq!(wants(&shop, order).await, [("set".into(), 3, 10_000)]);
    let row = shop.order(order).await;
    assert_eq!(
        (row.total, row.charged - row.refunded, row.refund_due),
        (30_000, 30_000, 0),
        "{row:#?}"
    );
    assert_eq!(taken(&shop, &campaign, "set").await, 3);
    shop.audit().await;
    shop.close().await;
}

#[actix_web::test]
async fn a_change_for_which_nothing_is_left_goes_back() {
    let (shop, campaign, order, folder) = with_backup(1).await;
    asks(&shop, order, &[("set", 1), ("lid", 15)])
        .await
        .unwrap();
    completes(&shop, order, GOOD_CARD).await;
    let shop = restored(shop, &folder).await;
    // Before anybody reconciles, others take lids: of twenty too few are left.
    let mut wish = shop.wish(&campaign, "c@mail.example", 8);
    wish.lines = vec![("lid".to_owned(), 8)];
    shop.running.app.office.join(wish).await.unwrap();
    reconciled(&shop, 0).await;
    shop.advance(Duration::hours(1)).await;
    assert_eq!(wants(&shop, order).await, [("set".into(), 1, 10_000)]);
    assert_eq!(shop.at_provider(order).await, (25_000, 15_000));
    let told = shop.mail_to("a@mail.example").await;
    assert!(told.iter().any(|s| s.contains("goes back")), "{told:?}");
    shop.audit().await;
    shop.close().await;
}

#[actix_web::test]
async fn a_change_that_was_paid_too_late_and_went_back_is_not_made_again() {
    let (shop, campaign, order, folder) = with_backup(1).await;
    asks(&shop, order, &[("set", 2)]).await.unwrap();
    // The shopper leaves, and pays the page that is still open.
    shop.cancel(order).await.unwrap();
    assert_eq!(shop.pay(order, GOOD_CARD).await, 303);
    shop.settle().await;
    let gone = shop.at_provider(order).await;
    assert_eq!(gone, (20_000, 20_000));
    let shop = restored(shop, &folder).await;
    reconciled(&shop, 0).await;
    shop.advance(Duration::hours(1)).await;
    let row = shop.order(order).await;
    assert_eq!((row.state, row.total), (OrderState::Cancelled, 10_000));
    assert_eq!(
        (row.charged, row.refunded, row.refund_due),
        (20_000, 20_000, 0)
    );
    assert_eq!(shop.at_provider(order).await, gone);
    assert_eq!(taken(&shop, &campaign, "set").await, 0);
    shop.audit().await;
    shop.close().await;
}

#[actix_web::test]
async fn who_cancels_before_the_books_know_of_the_change_gets_the_rest_back_and_no_more() {
    let (shop, _, order, folder) = with_backup(3).await;
    asks(&shop, order, &[("set", 1)]).await.unwrap();
    assert_eq!(shop.at_provider(order).await, (30_000, 20_000));
    let shop = restored(shop, &folder).await;
    shop.cancel(order).await.unwrap();
    reconciled(&shop, 0).await;
    shop.advance(Duration::hours(1)).await;
    let row = shop.order(order).await;
    assert_eq!(
        (row.state, row.refunded, row.refund_due),
        (OrderState::Cancelled, 30_000, 0)
    );
    assert_eq!(shop.at_provider(order).await, (30_000, 30_000));
    shop.audit().await;
    shop.close().await;
}

#[actix_web::test]
async fn a_change_that_fits_no_more_waits_for_a_person_and_is_not_refunded_twice() {
    let (shop, _, order, folder) = with_backup(3).await;
    asks(&shop, order, &[("set", 1)]).await.unwrap();
    let shop = restored(shop, &folder).await;
    // The shopper changes the order to something else before the books know of the first change.
    asks(&shop, order, &[("set", 2)]).await.unwrap();
    let said = reconciled(&shop, 1).await;
    assert!(said.contains("1 \u{d7} set"), "{said}");
    assert_eq!(shop.order(order).await.refunded, 0, "nothing is booked");
    // Money waits until somebody made the change again: then what went back comes off what waits.
    shop.advance(Duration::hours(1)).await;
    assert_eq!(shop.at_provider(order).await, (30_000, 20_000));
    asks(&shop, order, &[("set", 1)]).await.unwrap();
    reconciled(&shop, 0).await;
    shop.advance(Duration::hours(1)).await;
    let row = shop.order(order).await;
    assert_eq!(
        (row.total, row.refunded, row.refund_due),
        (10_000, 20_000, 0)
    );
    assert_eq!(shop.at_provider(order).await, (30_000, 20_000));
    shop.audit().await;
    shop.close().await;
}

#[actix_web::test]
async fn what_staff_asked_for_is_made_again_as_asked_by_staff() {
    let (shop, _, order, folder) = with_backup(2).await;
    let wish = Wish {
        lines: Some(lines(&[("set", 3)])),
        by: Some("Ines".to_owned()),
        ..Wish::of(order)
    };
    assert_eq!(wishes(&shop, wish).await.unwrap(), Came::ToPay);
    completes(&shop, order, GOOD_CARD).await;
    let wish = Wish {
        lines: Some(lines(&[("set", 1)])),
        by: Some("Ines".to_owned()),
        ..Wish::of(order)
    };
    assert_eq!(wishes(&shop, wish).await.unwrap(), Came::Done);
    let shop = restored(shop, &folder).await;
    reconciled(&shop, 0).await;
    assert_eq!(wants(&shop, order).await, [("set".into(), 1, 10_000)]);
    let made = changes_of(&shop, order).await;
    assert!(
        made.iter()
            .all(|change| change.asked_by.as_deref() == Some("staff")),
        "{made:#?}"
    );
    let told = shop.mail_to("a@mail.example").await;
    assert!(!told.is_empty());
    shop.audit().await;
    shop.close().await;
}

#[actix_web::test]
async fn a_change_to_another_country_whose_address_is_lost_goes_back_and_says_so() {
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let body = far(&shop, "charge_now");
    let (shop, _, order, folder) = with_backup_of(shop, body, 1).await;
    assert_eq!(sends(&shop, order, "DE").await.unwrap(), Came::ToPay);
    completes(&shop, order, GOOD_CARD).await;
    assert_eq!(shop.at_provider(order).await, (11_500, 0));
    // No more than the country is known to the provider.
    let said = shop.provider("checkout/sessions").await.to_string();
    assert!(
        said.contains("\"change_country\":\"DE\"") && !said.contains("Torstra"),
        "{said}"
    );
    let shop = restored(shop, &folder).await;
    reconciled(&shop, 0).await;
    shop.advance(Duration::hours(1)).await;
    // Nothing is sent to half an address: the order stays, the money is back.
    let row = shop.order(order).await;
    assert_eq!(
        (row.country.as_str(), row.total, row.refunded),
        ("PT", 10_500, 1_000)
    );
    assert_eq!(shop.at_provider(order).await, (11_500, 1_000));
    let told = shop.mail_to("a@mail.example").await;
    assert!(
        told.iter()
            .any(|s| s.contains("was not changed: $10.00 goes back")),
        "{told:?}"
    );
    let happened = shop
        .read(move |c| muster::store::misc::happenings_of_order(c, order))
        .await;
    let lost = happened
        .iter()
        .find(|h| h.kind == "change_address_lost")
        .expect("said");
    assert!(lost.detail.contains("to go to Germany"), "{}", lost.detail);
    shop.audit().await;
    shop.close().await;
}

#[actix_web::test]
async fn what_went_back_for_another_country_waits_for_who_knows_the_address() {
    let shop = Shop::open(TestDatabase::sqlite()).await;
    let body = far(&shop, "charge_now");
    let folder = tempfile::tempdir().unwrap();
    let campaign = shop.publish(body).await;
    let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
    assert_eq!(sends(&shop, order, "DE").await.unwrap(), Came::ToPay);
    completes(&shop, order, GOOD_CARD).await;
    backup(&shop, &folder.path().join("old.tar.gz")).await;
    assert_eq!(sends(&shop, order, "PT").await.unwrap(), Came::Done);
    assert_eq!(shop.at_provider(order).await, (11_500, 1_000));
    let shop = restored(shop, &folder).await;
    let said = reconciled(&shop, 1).await;
    assert!(
        said.contains("1 \u{d7} set, in Portugal at an address"),
        "{said}"
    );
    assert_eq!(shop.order(order).await.country, "DE");
    // Somebody asked, and changed it again: what went back counts for it.
    sends(&shop, order, "PT").await.unwrap();
    reconciled(&shop, 0).await;
    shop.advance(Duration::hours(1)).await;
    let row = shop.order(order).await;
    assert_eq!(
        (
            row.country.as_str(),
            row.total,
            row.refunded,
            row.refund_due
        ),
        ("PT", 10_500, 1_000, 0)
    );
    assert_eq!(shop.at_provider(order).await, (11_500, 1_000));
    shop.audit().await;
    shop.close().await;
}

#[actix_web::test]
async fn a_page_that_the_books_lost_is_not_taken_for_another_with_its_number() {
    let (shop, campaign, order, folder) = with_backup(1).await;
    asks(&shop, order, &[("set", 2)]).await.unwrap();
    completes(&shop, order, GOOD_CARD).await;
    assert_eq!(shop.at_provider(order).await, (20_000, 0));
    let shop = restored(shop, &folder).await;
    // The keys are forgotten by then, so that another page gets the same number.
    shop.advance(Duration::hours(25)).await;
    asks(&shop, order, &[("set", 1), ("lid", 3)]).await.unwrap();
    shop.settle().await;
    reconciled(&shop, 0).await;
    // What was paid for is made again, under a number of its own; the later wish gives way, and its page is never made.
    let pages = shop.payments(order).await;
    let stands: Vec<AttemptState> = pages.iter().map(|page| page.state).collect();
    assert_eq!(
        stands,
        [
            AttemptState::Paid,
            AttemptState::Refused,
            AttemptState::Paid
        ]
    );
    assert_ne!(pages[1].intent_id, pages[2].intent_id);
    assert_eq!(wants(&shop, order).await, [("set".into(), 2, 10_000)]);
    reconciled(&shop, 0).await;
    shop.advance(Duration::hours(7)).await;
    let row = shop.order(order).await;
    assert_eq!(
        (row.total, row.charged, row.refunded, row.refund_due),
        (20_000, 20_000, 0, 0)
    );
    assert_eq!(taken(&shop, &campaign, "set").await, 2);
    assert_eq!(taken(&shop, &campaign, "lid").await, 0);
    assert_eq!(shop.at_provider(order).await, (20_000, 0));
    shop.audit().await;
    shop.close().await;
}

#[actix_web::test]
async fn what_fits_no_more_after_joining_ended_counts_for_the_units_that_staff_cancel() {
    let (shop, campaign, order, folder) = with_backup(6).await;
    asks(&shop, order, &[("set", 5)]).await.unwrap();
    shop.settle().await;
    assert_eq!(shop.at_provider(order).await, (60_000, 10_000));
    let shop = restored(shop, &folder).await;
    // Joining ended before anybody reconciled.
    let (merchant, slug, id) = (shop.merchant, campaign.slug.clone(), campaign.id);
    let batch = shop.order(order).await.batch_id;
    shop.write(move |desk, tx| {
        campaigns::close(tx, merchant, &slug)?;
        judge(desk, tx, id)?;
        settle(desk, tx, batch)
    })
    .await
    .unwrap();
    let said = reconciled(&shop, 1).await;
    assert!(said.contains("cancel these units there"), "{said}");
    shop.write(move |_, tx| {
        let mut order = orders::by_id(tx.conn, order)?.expect("an order");
        let campaign = stored::by_id(tx.conn, order.campaign_id)?.expect("a campaign");
        let option = orders::lines_of(tx.conn, order.id)?[0].option_id;
        let which = Which::These(vec![(option, 1)]);
        take_out(tx, &campaign, &mut order, &which, RefundPurpose::Change)?;
        money::keep(tx, &mut order)
    })
    .await
    .unwrap();
    reconciled(&shop, 0).await;
    shop.advance(Duration::hours(1)).await;
    // Five at the price that six reached.
    assert_eq!(shop.at_provider(order).await, (60_000, 15_000));
    assert_eq!(shop.order(order).await.refunded, 15_000);
    shop.audit().await;
    shop.close().await;
}
