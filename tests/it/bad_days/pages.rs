//! Payment pages paid when they should not be: twice, after a cancellation, after their time.

use chrono::Duration;
use diesel::prelude::*;
use diesel::sql_types::Text;
use muster::domain::campaign::{CampaignState, Failure};
use muster::domain::ids::OrderId;
use muster::domain::order::OrderState;
use muster::domain::payment::{AttemptState, RefundPurpose};
use muster::domain::staff::Role;
use muster::jobs::{compare, reconcile};
use muster::workflows::campaigns;
use serde_json::{Value, json};

use super::agrees;
use crate::admin::panel::Panel;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

both_databases! {
    async fn two_tabs_pay_one_page_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = shop.join(&campaign, "a@mail.example", 2).await.order.id;
        shop.settle().await;
        let (a, b) = tokio::join!(shop.pay(id, GOOD_CARD), shop.pay(id, GOOD_CARD));
        assert!(a == 303 || b == 303, "{a} {b}");
        shop.settle().await;
        assert_eq!(shop.order(id).await.charged, 20000);
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn a_payment_after_the_shopper_cancelled_goes_back_or_is_refused(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        // Paid in one tab before the provider heard of the cancellation in the other.
        let id = shop.join(&campaign, "a@mail.example", 2).await.order.id;
        shop.settle().await;
        shop.cancel(id).await.unwrap();
        assert_eq!(shop.pay(id, GOOD_CARD).await, 303);
        shop.settle().await;
        let order = shop.order(id).await;
        assert_eq!((order.state, order.charged, order.refunded), (OrderState::Cancelled, 20000, 20000));
        assert_eq!(shop.refunds(id).await[0].purpose, RefundPurpose::Late);
        assert!(!order.units_taken);
        // And after it heard: the page is gone.
        let late = shop.join(&campaign, "b@mail.example", 2).await.order.id;
        shop.settle().await;
        shop.cancel(late).await.unwrap();
        shop.settle().await;
        assert_eq!(shop.payments(late).await[0].state, AttemptState::Expired);
        assert_eq!(shop.pay(late, GOOD_CARD).await, 410);
        shop.settle().await;
        assert_eq!(shop.order(late).await.charged, 0);
        agrees(&shop, &[id, late]).await;
        shop.close().await;
    }

    async fn a_page_that_ran_out_takes_no_money(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = shop.join(&campaign, "a@mail.example", 2).await.order.id;
        shop.settle().await;
        shop.advance(Duration::minutes(32)).await;
        assert_eq!(shop.pay(id, GOOD_CARD).await, 410);
        shop.settle().await;
        let order = shop.order(id).await;
        assert_eq!((order.state, order.units_taken), (OrderState::Expired, false));
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn a_campaign_cancelled_while_people_pay_gives_everything_back(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let paid = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        let open = shop.join(&campaign, "b@mail.example", 2).await.order.id;
        let racing = shop.join(&campaign, "c@mail.example", 2).await.order.id;
        shop.settle().await;
        let unmade = shop.join(&campaign, "d@mail.example", 1).await.order.id;
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        shop.write(move |desk, tx| campaigns::cancel(desk, tx, merchant, &slug, "Kiln broke")).await.unwrap();
        // Completed all the same, before the provider was asked to expire it.
        assert_eq!(shop.pay(racing, GOOD_CARD).await, 303);
        shop.audit().await;
        shop.settle().await;
        let failed = shop.campaign(&campaign).await;
        assert_eq!((failed.state, failed.failure), (CampaignState::Failed, Some(Failure::Cancelled)));
        assert_eq!(shop.pay(open, GOOD_CARD).await, 410);
        shop.settle().await;
        for (id, charged) in [(paid, 20000), (open, 0), (racing, 20000), (unmade, 0)] {
            let order = shop.order(id).await;
            assert_eq!((order.charged, order.refunded), (charged, charged), "{order:#?}");
            assert_eq!(order.state, OrderState::Cancelled);
            assert!(!order.units_taken);
        }
        assert!(shop.payments(unmade).await[0].session_id.is_none(), "never asked for");
        // Everybody is told, also who had not paid yet; nobody that an order is confirmed which never counted.
        let over = "Ridge pour-over set was cancelled";
        for address in ["b@mail.example", "d@mail.example"] {
            assert_eq!(shop.mail_to(address).await, [format!("{over}: nothing was charged")], "{address}");
        }
        let racer = shop.mail_to("c@mail.example").await;
        assert!(racer.iter().any(|s| s.ends_with("$200.00 goes back to you")), "{racer:?}");
        assert!(!racer.iter().any(|s| s.contains("confirmed")), "{racer:?}");
        agrees(&shop, &[paid, open, racing, unmade]).await;
        shop.close().await;
    }

    async fn a_capture_of_more_than_was_asked_goes_back_by_what_is_too_much(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let stays = shop.join(&campaign, "a@mail.example", 2).await.order.id;
        let leaves = shop.join(&campaign, "b@mail.example", 2).await.order.id;
        shop.settle().await;
        for id in [stays, leaves] {
            ask_instead(&shop, id, 25_000).await;
            assert_eq!(shop.pay(id, GOOD_CARD).await, 303);
        }
        shop.settle().await;
        for id in [stays, leaves] {
            let order = shop.order(id).await;
            assert_eq!((order.state, order.charged, order.refunded), (OrderState::Confirmed, 25_000, 5_000));
            assert_eq!(shop.payments(id).await[0].amount, 25_000);
            assert!(shop.payments(id).await[0].problem.is_some(), "staff read what was odd");
        }
        agrees(&shop, &[stays, leaves]).await;
        // Whoever leaves has all of it back, once; nobody more than was taken.
        shop.cancel(leaves).await.unwrap();
        shop.settle().await;
        assert_eq!(shop.order(leaves).await.refunded, 25_000);
        shop.advance(Duration::days(8)).await;
        assert_eq!(shop.order(stays).await.refunded, 25_000, "two units do not meet the threshold of five");
        agrees(&shop, &[stays, leaves]).await;
        shop.close().await;
    }

    async fn a_capture_of_less_than_was_asked_does_not_count_and_goes_back(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = shop.join(&campaign, "a@mail.example", 2).await.order.id;
        shop.settle().await;
        ask_instead(&shop, id, 100).await;
        assert_eq!(shop.pay(id, GOOD_CARD).await, 303);
        shop.settle().await;
        let order = shop.order(id).await;
        assert_eq!((order.state, order.charged, order.refunded), (OrderState::Cancelled, 100, 100));
        assert!(!order.units_taken);
        assert_eq!(shop.campaign(&campaign).await.committed_units, 0);
        assert_eq!(
            shop.mail_to("a@mail.example").await,
            [format!("Order {} is cancelled: $1.00 goes back to you", muster::workflows::desk::order_number(order.number))]
        );
        agrees(&shop, &[id]).await;
        shop.close().await;
    }

    async fn a_payment_in_another_currency_pays_for_nothing_and_staff_give_it_back(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let good = shop.join_and_pay(&campaign, "a@mail.example", 5).await;
        let id = shop.join(&campaign, "b@mail.example", 2).await.order.id;
        shop.settle().await;
        change_page(&shop, id, "$.currency", "eur").await;
        assert_eq!(shop.pay(id, GOOD_CARD).await, 303);
        shop.settle().await;
        let order = shop.order(id).await;
        assert_eq!((order.state, order.charged, order.units_taken), (OrderState::Expired, 0, false));
        let page = shop.payments(id).await.pop().unwrap();
        assert_eq!(page.state, AttemptState::Refused);
        assert!(page.problem.unwrap().contains("in EUR, and the order is in USD"));
        let staff = format!("/admin/orders/{id}");
        let manager = Panel::of(&shop, Role::Manager).await;
        manager.get(&staff).await.is(200).says("Refund it at the provider.");
        // The audit names it until somebody did.
        let office = &shop.running.app.office;
        let found = compare(office).await.unwrap();
        assert!(found.len() == 1 && found[0].contains("is in eur, the order is in usd"), "{found:#?}");
        let report = reconcile(office).await.unwrap();
        assert!(report.left.iter().any(|line| line.contains("is in eur")), "{report:#?}");
        assert_eq!(shop.order(id).await.charged, 0);
        let charges = shop.provider("charges?limit=10").await;
        let charges = charges["data"].as_array().unwrap().iter();
        let charge = charges.clone().find(|c| c["currency"] == "eur").expect("it was charged");
        let form = [("charge", charge["id"].as_str().unwrap())];
        let refunds = shop.url("/sandbox/stripe/v1/refunds");
        let back = shop.http.post(refunds).bearer_auth("sk_test_tests").form(&form).send().await.unwrap();
        assert_eq!(back.status(), 200, "{}", back.text().await.unwrap());
        shop.settle().await;
        shop.audit().await;
        // It holds nobody up.
        shop.advance(Duration::days(8)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        agrees(&shop, &[good]).await;
        shop.close().await;
    }

    async fn the_judgement_waits_for_a_page_while_the_provider_is_down(db: TestDatabase) {
        let shop = Shop::open_with_timeout(db, 1).await;
        let campaign = shop.publish(shop.example_a()).await;
        shop.join_and_pay(&campaign, "a@mail.example", 4).await;
        shop.advance(Duration::days(7) - Duration::minutes(20)).await;
        let last = shop.join(&campaign, "b@mail.example", 2).await.order.id;
        shop.settle().await;
        assert_eq!(shop.pay(last, GOOD_CARD).await, 303);
        shop.faults(json!({"api": "down", "webhooks": "drop"})).await;
        shop.advance(Duration::hours(5)).await;
        shop.expect_state(&campaign, CampaignState::Open).await;
        assert!(shop.campaign(&campaign).await.waiting_for.is_some());
        shop.audit().await;
        shop.faults(json!({"api": "normal", "webhooks": "normal"})).await;
        shop.advance(Duration::minutes(30)).await;
        // Paid in time, whenever we learn of it.
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        agrees(&shop, &[last]).await;
        shop.close().await;
    }

    async fn an_order_paid_late_is_taken_where_there_is_room_and_goes_back_where_there_is_none(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = shop.example_a();
        body["options"][0]["cap"] = json!(5);
        let campaign = shop.publish(body).await;
        // The provider answers 500 to every making of their pages, for more than an hour: the orders run out.
        shop.faults(json!({"api": "error_after_effect"})).await;
        let a = shop.join(&campaign, "a@mail.example", 2).await.order.id;
        let b = shop.join(&campaign, "b@mail.example", 2).await.order.id;
        shop.advance(Duration::minutes(75)).await;
        shop.faults(json!({"api": "normal"})).await;
        for id in [a, b] {
            let order = shop.order(id).await;
            assert_eq!((order.state, order.units_taken), (OrderState::Expired, false));
        }
        shop.audit().await;
        pay_stray(&shop, a).await;
        assert_eq!(shop.order(a).await.state, OrderState::Confirmed, "there was room");
        let c = shop.join_and_pay(&campaign, "c@mail.example", 3).await;
        pay_stray(&shop, b).await;
        let order = shop.order(b).await;
        assert_eq!((order.state, order.refunded), (OrderState::Expired, 20000), "there was none");
        assert_eq!(shop.refunds(b).await[0].purpose, RefundPurpose::Late);
        agrees(&shop, &[a, b, c]).await;
        shop.close().await;
    }
}

/// Makes the provider charge another amount on an order's page than it was asked to.
pub async fn ask_instead(shop: &Shop, order: OrderId, amount: i64) {
    change_page(shop, order, "$.amount_total", amount).await;
}

/// Changes the first page of an order in the provider's books.
async fn change_page(shop: &Shop, order: OrderId, field: &str, value: impl Into<Value>) {
    let session = shop.payments(order).await[0].session_id.clone().unwrap();
    let books = shop.data_dir().join("sandbox.db");
    let mut conn = SqliteConnection::establish(books.to_str().unwrap()).unwrap();
    let changed =
        diesel::sql_query("UPDATE object SET body = json_set(body, ?, json(?)) WHERE id = ?")
            .bind::<Text, _>(field)
            .bind::<Text, _>(value.into().to_string())
            .bind::<Text, _>(session)
            .execute(&mut conn)
            .unwrap();
    assert_eq!(changed, 1);
}

/// Pays a page of this order that exists at the provider although nobody was told of it.
async fn pay_stray(shop: &Shop, order: OrderId) {
    let all = shop.provider("checkout/sessions?limit=100").await;
    let open = all["data"].as_array().unwrap().iter();
    let stray = open
        .filter(|s| s["status"] == "open")
        .find(|s| s["metadata"]["order"] == order.to_string())
        .expect("a page that nobody was told of");
    let session = stray["id"].as_str().unwrap();
    let paid = shop
        .http
        .post(shop.url(&format!("/sandbox/pay/{session}")))
        .form(&[("card", GOOD_CARD)])
        .send()
        .await
        .unwrap();
    assert_eq!(paid.status(), 303);
    shop.settle().await;
}
