//! A deposit at joining, the balance when the goods arrive (domain section 4).

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::due::DueState;
use muster::domain::ids::BatchId;
use muster::domain::order::{Delivery, OrderState, PaymentState};
use muster::domain::purchase_order::EtaSource;
use muster::workflows::change::{Change, change};
use muster::workflows::claims::Who;
use muster::workflows::eta::{self, NewDates};
use muster::workflows::exchange::{Export, Scope, What};
use muster::workflows::give_back::{self, give_back};
use muster::workflows::short;
use serde_json::json;

use super::{
    ASKS_ALWAYS, arrive, asks_to_pay, completes, deadline_passes, due_of, saves, with_deposit,
};
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// Staff say on which day the goods arrive.
async fn arrives_on(shop: &Shop, batch: BatchId, day: chrono::NaiveDate) {
    let dates = NewDates {
        purchase_order: None,
        arrives: Some(day),
        ship_date: Some(day + Duration::days(1)),
        source: EtaSource::Staff,
        by: "Ines".into(),
        reason: "The boat is on its way.".into(),
    };
    shop.write(move |_, tx| eta::set(tx, batch, &dates))
        .await
        .unwrap();
    shop.settle().await;
}

async fn never_paid(db: TestDatabase, policy: &str, (back, forfeited): (i64, i64)) {
    let shop = Shop::open(db).await;
    let campaign = shop.publish(with_deposit(&shop, policy)).await;
    let order = saves(&shop, &campaign, "a@mail.example", 6, ASKS_ALWAYS).await;
    deadline_passes(&shop, &campaign).await;
    arrive(&shop, &campaign, 6).await;
    shop.advance(Duration::days(3) + Duration::minutes(1)).await;
    assert_eq!(due_of(&shop, order).await, Some(DueState::Declined));
    let row = shop.order(order).await;
    assert_eq!(row.payment_state, PaymentState::DepositPaid);
    shop.audit().await;
    shop.advance(Duration::days(7)).await;
    let row = shop.order(order).await;
    assert_eq!(row.state, OrderState::Cancelled);
    assert_eq!(
        (row.refunded, row.forfeited, row.owed),
        (back, forfeited, 0)
    );
    assert_eq!(row.money().kept(), 0);
    // What is taken out as data adds up, the deposit that the seller keeps included.
    let exported = shop.running.app.office.read(|conn| {
        let mut export = Export::new(What::Orders, Scope::default());
        export.next(conn)
    });
    let exported = exported.await.unwrap().expect("an order").remove(0);
    let columns = What::Orders.columns();
    let cell = |name: &str| {
        let at = columns.iter().position(|column| *column == name);
        exported[at.expect("a column")].clone()
    };
    assert_eq!(cell("payment_mode"), "deposit");
    assert_eq!(cell("final_total"), 54_000);
    assert_eq!(
        (cell("final_shipping"), cell("final_tax")),
        (json!(0), json!(0))
    );
    assert_eq!(
        (cell("charged"), cell("refunded")),
        (json!(12_000), json!(back))
    );
    assert_eq!(
        (cell("forfeited"), cell("owed")),
        (json!(forfeited), json!(0))
    );
    assert_eq!((cell("kept"), cell("limit_step")), (json!(0), json!(null)));
    assert_eq!(shop.at_provider(order).await, (12_000, back));
    shop.audit().await;
    shop.close().await;
}

both_databases! {
    async fn a_deposit_counts_and_the_balance_is_charged_three_days_after_it_was_told(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(with_deposit(&shop, "returned")).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, GOOD_CARD).await;
        let row = shop.order(order).await;
        assert_eq!((row.state, row.payment_state), (OrderState::Confirmed, PaymentState::DepositPaid));
        assert_eq!((row.charged, row.owed), (12_000, 48_000));
        assert_eq!(shop.campaign(&campaign).await.collected_units, 6);
        shop.audit().await;
        deadline_passes(&shop, &campaign).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        // Step 5: 540 in all.
        let row = shop.order(order).await;
        assert_eq!((row.final_total, row.owed, row.refund_due), (Some(54_000), 42_000, 0));
        shop.audit().await;
        arrive(&shop, &campaign, 6).await;
        assert_eq!(due_of(&shop, order).await, Some(DueState::Announced));
        let told = shop.mail_to("a@mail.example").await;
        assert!(told.iter().any(|subject| subject.contains("the balance of $420.00")), "{told:?}");
        shop.advance(Duration::days(2)).await;
        assert_eq!(shop.at_provider(order).await, (12_000, 0));
        shop.advance(Duration::days(1) + Duration::minutes(1)).await;
        let row = shop.order(order).await;
        assert_eq!((row.payment_state, row.charged, row.owed), (PaymentState::Paid, 54_000, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_missed_threshold_gives_the_deposit_back(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(with_deposit(&shop, "kept")).await;
        let order = saves(&shop, &campaign, "a@mail.example", 4, GOOD_CARD).await;
        deadline_passes(&shop, &campaign).await;
        shop.expect_state(&campaign, CampaignState::Failed).await;
        assert_eq!(shop.at_provider(order).await, (8_000, 8_000));
        let row = shop.order(order).await;
        assert_eq!((row.owed, row.forfeited), (0, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_balance_that_is_never_paid_costs_the_deposit_where_that_was_said(db: TestDatabase) {
        never_paid(db, "kept", (0, 12_000)).await;
    }

    async fn a_balance_that_is_never_paid_gives_the_deposit_back_where_that_was_said(db: TestDatabase) {
        never_paid(db, "returned", (12_000, 0)).await;
    }

    async fn a_balance_can_be_paid_on_the_page_and_only_then_it_is_packed(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(with_deposit(&shop, "returned")).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, ASKS_ALWAYS).await;
        deadline_passes(&shop, &campaign).await;
        arrive(&shop, &campaign, 6).await;
        let picked = async || {
            let (merchant, batch) = (shop.merchant, shop.batch(&campaign).await.id);
            shop.write(move |_, tx| muster::workflows::ship::pick_ready(tx, merchant, batch, 10, "Ines"))
                .await
                .unwrap()
        };
        assert_eq!(picked().await, 0);
        asks_to_pay(&shop, order).await;
        assert_eq!(completes(&shop, order, ASKS_ALWAYS).await, 303);
        assert_eq!(shop.order(order).await.payment_state, PaymentState::Paid);
        assert_eq!(picked().await, 1);
        shop.advance(Duration::days(4)).await;
        assert_eq!(shop.at_provider(order).await, (54_000, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn who_owes_nothing_any_more_is_not_asked_and_keeps_what_was_paid(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = with_deposit(&shop, "kept");
        body["deposit_percent"] = json!(50);
        let campaign = shop.publish(body).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, ASKS_ALWAYS).await;
        deadline_passes(&shop, &campaign).await;
        arrive(&shop, &campaign, 6).await;
        shop.advance(Duration::days(3) + Duration::minutes(1)).await;
        assert_eq!(due_of(&shop, order).await, Some(DueState::Declined));
        let row = shop.order(order).await;
        assert_eq!((row.final_total, row.charged, row.owed), (Some(54_000), 30_000, 24_000));
        // Staff give back three of six: the deposit is more than the rest costs.
        let request = give_back::Request {
            merchant: shop.merchant,
            order,
            what: give_back::What::Lines(vec![("set".into(), 3)]),
            reason: "Three are scratched.".into(),
            shown: None,
            person: "Ines".into(),
            once: None,
        };
        shop.write(move |desk, tx| give_back(desk, tx, &request)).await.unwrap();
        shop.settle().await;
        let told = shop.mail_to("a@mail.example").await.len();
        assert_eq!(due_of(&shop, order).await, Some(DueState::Dropped));
        assert_eq!(shop.order(order).await.payment_state, PaymentState::PartlyRefunded);
        shop.audit().await;
        shop.advance(Duration::days(8)).await;
        let row = shop.order(order).await;
        assert_eq!((row.state, row.forfeited, row.owed), (OrderState::Backordered, 0, 0));
        assert_eq!(shop.at_provider(order).await, (30_000, 3_000));
        assert_eq!(shop.mail_to("a@mail.example").await.len(), told, "nothing is asked for");
        shop.audit().await;
        shop.close().await;
    }

    async fn goods_that_come_long_after_the_day_that_was_told_are_told_of_again(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(with_deposit(&shop, "kept")).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, GOOD_CARD).await;
        deadline_passes(&shop, &campaign).await;
        let batch = shop.batch(&campaign).await.id;
        let arrives = (shop.now() + Duration::days(3)).date_naive();
        arrives_on(&shop, batch, arrives).await;
        assert_eq!(due_of(&shop, order).await, Some(DueState::Announced));
        let asked = async || {
            let told = shop.mail_to("a@mail.example").await;
            told.iter().filter(|s| s.contains("the balance of $420.00")).count()
        };
        assert_eq!(asked().await, 1);
        // They come ten days later than was said: nothing is charged before it was told anew.
        shop.advance(Duration::days(13)).await;
        assert_eq!(shop.at_provider(order).await, (12_000, 0));
        arrive(&shop, &campaign, 6).await;
        assert_eq!((asked().await, shop.at_provider(order).await), (2, (12_000, 0)));
        shop.advance(Duration::days(3) + Duration::minutes(1)).await;
        assert_eq!(shop.at_provider(order).await, (54_000, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_balance_waits_for_the_orders_own_goods(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(with_deposit(&shop, "kept")).await;
        let first = saves(&shop, &campaign, "a@mail.example", 3, GOOD_CARD).await;
        let second = saves(&shop, &campaign, "b@mail.example", 3, GOOD_CARD).await;
        deadline_passes(&shop, &campaign).await;
        arrive(&shop, &campaign, 3).await;
        assert_eq!(due_of(&shop, first).await, Some(DueState::Announced));
        assert_eq!(due_of(&shop, second).await, None);
        shop.advance(Duration::days(4)).await;
        assert_eq!(shop.at_provider(first).await, (27_000, 0));
        assert_eq!(shop.at_provider(second).await, (6_000, 0));
        arrive(&shop, &campaign, 3).await;
        shop.advance(Duration::days(4)).await;
        assert_eq!(shop.at_provider(second).await, (27_000, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn who_wants_one_parcel_pays_the_rest_when_everything_is_there(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(with_deposit(&shop, "kept")).await;
        let order = saves(&shop, &campaign, "a@mail.example", 6, GOOD_CARD).await;
        let visitor = Visitor::of(&shop);
        let page = visitor.path_of(&shop.order(order).await, "");
        visitor.get(&page).await.is(200).says("when all of your goods are there; you are told 3 days ahead");
        deadline_passes(&shop, &campaign).await;
        arrive(&shop, &campaign, 4).await;
        shop.advance(Duration::days(4)).await;
        assert_eq!(due_of(&shop, order).await, None, "nothing of it is sent before the rest is there");
        assert_eq!(shop.at_provider(order).await, (12_000, 0));
        shop.audit().await;
        arrive(&shop, &campaign, 2).await;
        assert_eq!(due_of(&shop, order).await, Some(DueState::Announced));
        shop.advance(Duration::days(3) + Duration::minutes(1)).await;
        assert_eq!(shop.at_provider(order).await, (54_000, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn who_takes_parts_as_they_come_pays_the_rest_with_the_first(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(with_deposit(&shop, "kept")).await;
        let mut wish = shop.wish(&campaign, "a@mail.example", 6);
        wish.delivery = Delivery::AsAvailable;
        let order = shop.running.app.office.join(wish).await.unwrap().order.id;
        shop.settle().await;
        assert_eq!(completes(&shop, order, GOOD_CARD).await, 303);
        let visitor = Visitor::of(&shop);
        let page = visitor.path_of(&shop.order(order).await, "");
        visitor.get(&page).await.is(200).says("when the first of your goods arrive; you are told 3 days ahead");
        deadline_passes(&shop, &campaign).await;
        arrive(&shop, &campaign, 4).await;
        assert_eq!(due_of(&shop, order).await, Some(DueState::Announced));
        shop.advance(Duration::days(3) + Duration::minutes(1)).await;
        assert_eq!(shop.at_provider(order).await, (54_000, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_balance_follows_when_the_rest_will_not_come_or_parts_are_wanted_after_all(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(with_deposit(&shop, "kept")).await;
        let (a, b) = ("a@mail.example", "b@mail.example");
        let first = saves(&shop, &campaign, a, 3, GOOD_CARD).await;
        let second = saves(&shop, &campaign, b, 3, GOOD_CARD).await;
        deadline_passes(&shop, &campaign).await;
        let batch = shop.batch(&campaign).await.id;
        // The day that is known passes while only a part is there: nothing is charged.
        arrives_on(&shop, batch, (shop.now() + Duration::days(3)).date_naive()).await;
        assert_eq!(due_of(&shop, second).await, Some(DueState::Announced));
        arrive(&shop, &campaign, 2).await;
        shop.advance(Duration::days(4)).await;
        assert_eq!(shop.at_provider(first).await, (6_000, 0));
        shop.write(move |desk, tx| {
            let delivery = Some(Delivery::AsAvailable);
            change(desk, tx, (None, first), &Change { address: None, delivery }, &Who::Shopper).map(drop)
        }).await.unwrap();
        shop.advance(Duration::minutes(1)).await;
        assert_eq!(shop.at_provider(first).await, (27_000, 0));
        arrive(&shop, &campaign, 3).await;
        shop.advance(Duration::days(1)).await;
        assert_eq!(shop.at_provider(second).await, (6_000, 0), "one of its three is still missing");
        let merchant = shop.merchant;
        shop.write(move |_, tx| short::declare(tx, merchant, batch, &[("set".into(), 1)], "Ines").map(drop)).await.unwrap();
        shop.settle().await;
        shop.advance(Duration::days(4)).await;
        assert_eq!(shop.at_provider(second).await, (18_000, 0), "two of three at 90");
        assert_eq!(shop.order(second).await.payment_state, PaymentState::Paid);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_deposit_is_a_percentage_and_needs_one(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = with_deposit(&shop, "kept");
        body["deposit_percent"] = json!(null);
        let input: muster::domain::draft::CampaignInput = serde_json::from_value(body).unwrap();
        let errors = input.check(shop.now()).unwrap_err();
        assert_eq!(errors[0].field, "deposit_percent");
        let mut body = shop.example_a();
        body["deposit_percent"] = json!(20);
        let input: muster::domain::draft::CampaignInput = serde_json::from_value(body).unwrap();
        assert_eq!(input.check(shop.now()).unwrap_err()[0].field, "deposit_percent");
        shop.close().await;
    }
}
