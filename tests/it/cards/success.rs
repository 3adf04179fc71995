//! A card saved at joining is charged once the campaign succeeded, and let go.

use chrono::Duration;
use muster::domain::campaign::{CampaignState, Failure};
use muster::domain::card::CardState;
use muster::domain::ids::OrderId;
use muster::domain::order::{OrderState, PaymentState};
use muster::domain::staff::Role;
use muster::store::dues;
use muster::workflows::join::JoinRequest;
use serde_json::json;

use super::{FAILS_LATER, deadline_passes, joins, saved, saves};
use crate::admin::panel::Panel;
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

async fn card_of(shop: &Shop, order: OrderId) -> Vec<CardState> {
    let cards = shop.read(move |c| dues::cards_of(c, order)).await;
    cards.into_iter().map(|card| card.state).collect()
}

both_databases! {
    async fn everybody_pays_the_price_of_the_step_judged_after_the_deadline(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let first = saves(&shop, &campaign, "a@mail.example", 6, GOOD_CARD).await;
        let last = saves(&shop, &campaign, "b@mail.example", 2, GOOD_CARD).await;
        let row = shop.order(first).await;
        assert_eq!((row.state, row.payment_state), (OrderState::Confirmed, PaymentState::Saved));
        assert_eq!((row.charged, row.owed, row.collected), (0, 60_000, false));
        let now = shop.campaign(&campaign).await;
        assert_eq!((now.committed_units, now.collected_units), (8, 0));
        assert_eq!(shop.at_provider(first).await, (0, 0));
        shop.audit().await;
        deadline_passes(&shop, &campaign).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        // Example A: eight units, step 5.
        assert_eq!(shop.at_provider(first).await, (54_000, 0));
        assert_eq!(shop.at_provider(last).await, (18_000, 0));
        let row = shop.order(first).await;
        assert_eq!((row.state, row.payment_state), (OrderState::Backordered, PaymentState::Paid));
        assert_eq!((row.final_total, row.owed), (Some(54_000), 0));
        assert_eq!(card_of(&shop, first).await, [CardState::Detached]);
        assert_eq!(shop.purchase_orders(&campaign).await[0].units, 8);
        let told = shop.mail_to("a@mail.example").await;
        for said in ["card is saved", "is charged to your card", "was charged"] {
            assert_eq!(told.iter().filter(|subject| subject.contains(said)).count(), 1, "{told:?}");
        }
        shop.audit().await;
        shop.close().await;
    }

    async fn a_missed_threshold_charges_nobody_and_lets_the_cards_go(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let order = saves(&shop, &campaign, "a@mail.example", 4, GOOD_CARD).await;
        deadline_passes(&shop, &campaign).await;
        let failed = shop.campaign(&campaign).await;
        assert_eq!((failed.state, failed.failure), (CampaignState::Failed, Some(Failure::Missed)));
        let row = shop.order(order).await;
        assert_eq!((row.state, row.payment_state), (OrderState::Cancelled, PaymentState::Unpaid));
        assert_eq!(card_of(&shop, order).await, [CardState::Detached]);
        assert_eq!(shop.at_provider(order).await, (0, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn who_leaves_before_the_deadline_is_not_charged_and_does_not_count(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let stays = saves(&shop, &campaign, "a@mail.example", 5, GOOD_CARD).await;
        let leaves = saves(&shop, &campaign, "b@mail.example", 5, GOOD_CARD).await;
        shop.cancel(leaves).await.unwrap();
        shop.settle().await;
        assert_eq!(shop.campaign(&campaign).await.committed_units, 5);
        assert_eq!(card_of(&shop, leaves).await, [CardState::Detached]);
        deadline_passes(&shop, &campaign).await;
        assert_eq!(shop.at_provider(leaves).await, (0, 0));
        assert_eq!(shop.at_provider(stays).await, (45_000, 0));
        shop.audit().await;
        shop.close().await;
    }

    async fn too_little_collected_gives_the_merchant_two_days_to_buy_the_rest(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let pays = saves(&shop, &campaign, "a@mail.example", 4, GOOD_CARD).await;
        let fails = saves(&shop, &campaign, "b@mail.example", 2, FAILS_LATER).await;
        deadline_passes(&shop, &campaign).await;
        shop.expect_state(&campaign, CampaignState::Collecting).await;
        assert_eq!(shop.order(fails).await.payment_state, PaymentState::Failed);
        shop.advance(Duration::days(7)).await;
        // Four of five: nobody is refunded yet.
        let batch = shop.batch(&campaign).await;
        assert!(batch.short_until.is_some(), "{batch:?}");
        assert_eq!(shop.order(fails).await.state, OrderState::Cancelled);
        assert_eq!(shop.order(pays).await.payment_state, PaymentState::Paid);
        assert!(shop.mail_to("a@mail.example").await.last().unwrap().contains("1 unit"));
        let (visitor, panel) = (Visitor::of(&shop), Panel::of(&shop, Role::Manager).await);
        visitor.get(&format!("/c/{}", campaign.slug)).await.is(200).says("4 of 5 needed").says("4 units ordered");
        visitor.get(&visitor.path_of(&shop.order(pays).await, "")).await.is(200)
            .says("Not enough came in when the cards were charged").says("If it is made up");
        // The form begins with what is missing, and with the seller's country where the address tells it.
        let form = panel.get(&format!("/admin/campaigns/{}/buy", campaign.slug)).await;
        form.is(200).says("1 unit").says("name=\"qty.set\"").says("value=\"1\"").says("Choose");
        shop.audit().await;
        // Others cannot join any more; the merchant can, at the price that everybody pays.
        let wish = shop.wish(&campaign, "c@mail.example", 1);
        shop.running.app.office.join(wish).await.unwrap_err();
        let wish = JoinRequest {
            buys_missing: true,
            ..shop.wish(&campaign, "hello@fern.example", 1)
        };
        let bought = shop.running.app.office.join(wish).await.unwrap().order;
        assert_eq!(bought.total, 9_000);
        shop.settle().await;
        assert_eq!(super::completes(&shop, bought.id, GOOD_CARD).await, 303);
        shop.advance(Duration::minutes(2)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(shop.purchase_orders(&campaign).await[0].units, 5);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_limit_per_shopper_does_not_keep_the_merchant_from_buying_what_is_missing(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = saved(&shop);
        body["options"][0]["per_shopper"] = json!(2);
        let campaign = shop.publish(body).await;
        saves(&shop, &campaign, "a@mail.example", 2, GOOD_CARD).await;
        for fails in ["b@mail.example", "c@mail.example"] {
            saves(&shop, &campaign, fails, 2, FAILS_LATER).await;
        }
        deadline_passes(&shop, &campaign).await;
        shop.advance(Duration::days(7)).await;
        assert!(shop.batch(&campaign).await.short_until.is_some());
        // A shopper who asks in the same moment is turned away alone.
        let wish = JoinRequest {
            buys_missing: true,
            ..shop.wish(&campaign, "hello@fern.example", 3)
        };
        let shopper = shop.wish(&campaign, "d@mail.example", 1);
        let office = &shop.running.app.office;
        let (bought, refused) = tokio::join!(office.join(wish), office.join(shopper));
        refused.unwrap_err();
        let bought = bought.unwrap().order;
        shop.settle().await;
        assert_eq!(super::completes(&shop, bought.id, GOOD_CARD).await, 303);
        shop.advance(Duration::minutes(2)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn left_short_after_two_days_everybody_gets_the_money_back(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let pays = saves(&shop, &campaign, "a@mail.example", 4, GOOD_CARD).await;
        saves(&shop, &campaign, "b@mail.example", 2, FAILS_LATER).await;
        deadline_passes(&shop, &campaign).await;
        shop.advance(Duration::days(7)).await;
        shop.advance(Duration::hours(48) + Duration::minutes(1)).await;
        let failed = shop.campaign(&campaign).await;
        assert_eq!((failed.state, failed.failure), (CampaignState::Failed, Some(Failure::Shortfall)));
        assert_eq!(shop.at_provider(pays).await, (36_000, 36_000));
        assert!(shop.purchase_orders(&campaign).await.iter().all(|po| po.sent_at.is_none()));
        shop.audit().await;
        shop.close().await;
    }

    async fn what_the_merchant_bought_of_an_option_that_is_left_out_all_the_same_goes_back(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = saved(&shop);
        body["options"] = json!([
            {"sku": "set", "name": "Black", "prices": [10000, 9000, 8000]},
            {"sku": "lid", "name": "Red", "prices": [2000, 1800, 1500], "minimum": 5},
        ]);
        let campaign = shop.publish(body).await;
        let wish = |email: &str, lines: &[(&str, i64)]| {
            let lines = lines.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect();
            JoinRequest { lines, ..shop.wish(&campaign, email, 1) }
        };
        let office = &shop.running.app.office;
        let orders = [("a@mail.example", vec![("set", 3), ("lid", 2)], GOOD_CARD), ("b@mail.example", vec![("lid", 3)], FAILS_LATER)];
        for (email, lines, card) in &orders {
            let id = office.join(wish(email, lines)).await.unwrap().order.id;
            shop.settle().await;
            super::completes(&shop, id, card).await;
        }
        deadline_passes(&shop, &campaign).await;
        shop.advance(Duration::days(7)).await;
        assert!(shop.batch(&campaign).await.short_until.is_some(), "three black of five");
        let own = JoinRequest { buys_missing: true, ..wish("hello@fern.example", &[("set", 2), ("lid", 1)]) };
        let own = office.join(own).await.unwrap().order.id;
        shop.settle().await;
        assert_eq!(super::completes(&shop, own, GOOD_CARD).await, 303);
        shop.advance(Duration::minutes(2)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(shop.purchase_orders(&campaign).await[0].units, 5);
        assert_eq!(shop.at_provider(own).await, (19_800, 1_800), "without the red one");
        shop.audit().await;
        shop.close().await;
    }

    async fn an_option_that_too_few_paid_for_is_left_out_after_collecting(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = saved(&shop);
        body["options"] = json!([
            {"sku": "set", "name": "Black", "prices": [10000, 9000, 8000]},
            {"sku": "lid", "name": "Red", "prices": [2000, 1800, 1500], "minimum": 3},
        ]);
        let campaign = shop.publish(body).await;
        let lines = async |email: &str, lines: &[(&str, i64)], card: &str| {
            let mut wish = shop.wish(&campaign, email, 1);
            wish.lines = lines.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect();
            let id = shop.running.app.office.join(wish).await.unwrap().order.id;
            shop.settle().await;
            super::completes(&shop, id, card).await;
            id
        };
        let both = lines("a@mail.example", &[("set", 5), ("lid", 2)], GOOD_CARD).await;
        lines("b@mail.example", &[("lid", 1)], FAILS_LATER).await;
        deadline_passes(&shop, &campaign).await;
        // Eight units at step 5: 5 x 90 and 2 x 18.
        assert_eq!(shop.at_provider(both).await, (48_600, 0));
        shop.advance(Duration::days(7)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        // Two red of three are paid: red is left out, the step stays.
        assert_eq!(shop.at_provider(both).await, (48_600, 3_600));
        assert_eq!(shop.purchase_orders(&campaign).await[0].units, 5);
        // Both judgements are explained, to staff and to the shopper.
        let panel = Panel::of(&shop, Role::Viewer).await;
        panel.get(&format!("/admin/campaigns/{}", campaign.slug)).await.is(200)
            .says("8 units promised: the price from 5 units holds.")
            .says("Then what was collected was judged again, at the same step.")
            .says("7 units collected: the price from 5 units holds.")
            .says("Red has 2 of its minimum of 3: it is not made, and its price goes back.")
            .says("5 units left: the price from 5 units holds.");
        let visitor = Visitor::of(&shop);
        let row = shop.order(both).await;
        visitor.get(&visitor.path_of(&row, "")).await.is(200)
            .says("It came together: the price is settled. 8 units promised")
            .says("What was collected was judged. 7 units collected")
            .says("Red has 2 of its minimum of 3");
        let why = shop.batch(&campaign).await.why.unwrap();
        assert!(why.contains("\"enough\":true"), "{why}");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_card_saved_after_the_hold_ended_is_not_kept_where_it_is_over(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(saved(&shop)).await;
        let order = joins(&shop, &campaign, "a@mail.example", 6, None).await;
        shop.faults(json!({"webhooks": "drop"})).await;
        let session = shop.payments(order).await[0].session_id.clone().unwrap();
        let pay = shop.url(&format!("/sandbox/pay/{session}"));
        let paid = shop.http.post(pay).form(&[("card", GOOD_CARD)]).send().await;
        assert_eq!(paid.unwrap().status(), 303);
        // Complete there is in time, whenever we learn of it.
        shop.advance(Duration::hours(1)).await;
        assert_eq!(shop.order(order).await.payment_state, PaymentState::Saved);
        shop.audit().await;
        shop.close().await;
    }
}
