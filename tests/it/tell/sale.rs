//! What is left over is sold as it is there.

use chrono::Duration;
use futures_util::future::join_all;
use muster::domain::campaign::CampaignState;
use muster::domain::order::{LineState, OrderState, PaymentState};
use muster::domain::shipment::{DeliveredBy, ShipmentState};
use muster::store::{campaigns, orders, shipments};
use muster::workflows::cancel::{By, cancel};
use muster::workflows::desk::Problem;
use muster::workflows::ship::{
    Handed, NewParcel, When, arrived as delivered, hand_over, pick_ready, record,
};
use serde_json::{Value, json};

use super::{arrived, left_over, offer, ordered, put_on_sale, stock_of};
use crate::goods::scene::{conflict, wrong};
use crate::shop::{Visitor, typed};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

async fn shown(shop: &Shop, slug: &str) -> Value {
    let url = shop.url(&format!("/api/v1/campaigns/{slug}"));
    shop.http
        .get(url)
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap()
}

both_databases! {
    async fn what_is_left_over_is_bought_on_the_campaigns_page(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, batch, option) = left_over(&shop, shop.example_a()).await;
        assert_eq!(shown(&shop, &campaign.slug).await["options"][0]["available"], 2);
        let visitor = Visitor::of(&shop);
        let page = visitor.get(&format!("/c/{}", campaign.slug)).await;
        page.is(200).says("Buy what is left over").says("Buy one that is there, $90.00").says("2 left");
        let form = typed("b@mail.example", "1");
        let review = visitor.fill_in(&campaign, &form).await;
        review.is(200).says("nothing has to come together").says("until it is packed").says("$90.00");
        visitor.fill_in(&campaign, &typed("b@mail.example", "3")).await.is(409).says("There are 2 left");
        let order = visitor.join(&campaign, "b@mail.example", "1").await;
        assert_eq!((order.state, order.total), (OrderState::Pending, 9000));
        assert_eq!(stock_of(&shop, batch, option).await, (1, 7), "held units are nobody else's");
        shop.settle().await;
        assert_eq!(shop.pay(order.id, GOOD_CARD).await, 303);
        shop.settle().await;
        let id = order.id;
        let paid = shop.order(id).await;
        assert_eq!((paid.state, paid.payment_state), (OrderState::Backordered, PaymentState::Paid));
        assert_eq!((paid.final_total, paid.settled, paid.charged), (Some(9000), true, 9000));
        let line = shop.read(move |c| orders::lines_of(c, id)).await.remove(0);
        assert_eq!((line.state, line.allocated, line.final_price), (LineState::Allocated, 1, Some(9000)));
        let ships = (shop.now() + Duration::days(2)).format("%-d %B %Y").to_string();
        let letters = shop.mail_to("b@mail.example").await;
        assert_eq!(letters, [format!("Order M-0002: you paid $90.00; Ridge pour-over set ships by {ships}")]);
        let mine = visitor.get(&visitor.path_of(&paid, "")).await;
        mine.is(200).says("It is there and set aside for you").says(&ships).says("until it is packed");
        shop.audit().await;

        // Until it is packed it may be given back; the unit is on sale again.
        let cancel = visitor.path_of(&paid, "/cancel");
        visitor.get(&cancel).await.is(200).says("Cancel and refund $90.00");
        visitor.post(&cancel, &[]).await.is(303);
        shop.settle().await;
        let gone = shop.order(id).await;
        assert_eq!((gone.state, gone.payment_state, gone.refunded), (OrderState::Cancelled, PaymentState::Refunded, 9000));
        assert_eq!(stock_of(&shop, batch, option).await, (2, 6));
        shop.audit().await;
        shop.close().await;
    }

    async fn the_last_unit_goes_to_one_and_comes_back_when_nobody_pays(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, batch, option) = left_over(&shop, shop.example_a()).await;
        put_on_sale(&shop, batch, option, 1).await;
        let joins = (0..16).map(|n| {
            let wish = shop.wish(&campaign, &format!("s{n}@mail.example"), 1);
            shop.running.app.office.join(wish)
        });
        let (got, missed): (Vec<_>, Vec<_>) = join_all(joins).await.into_iter().partition(Result::is_ok);
        assert_eq!(got.len(), 1);
        assert!(missed.iter().all(|e| {
            matches!(e, Err(Problem::Conflict { kind: "sold-out" | "campaign-closed", .. }))
        }));
        assert_eq!(stock_of(&shop, batch, option).await, (0, 7));
        let visitor = Visitor::of(&shop);
        let page = visitor.get(&format!("/c/{}", campaign.slug)).await;
        assert!(!page.is(200).html.contains("Buy what is left over"));
        shop.audit().await;
        shop.advance(Duration::hours(1)).await;
        let order = got[0].as_ref().unwrap().order.id;
        assert_eq!(shop.order(order).await.state, OrderState::Expired);
        assert_eq!(stock_of(&shop, batch, option).await, (1, 6));
        shop.audit().await;
        shop.join_and_pay(&campaign, "z@mail.example", 1).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn what_was_bought_from_stock_and_never_ships_is_refunded_by_itself(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, _, _) = left_over(&shop, shop.example_a()).await;
        // Everybody else has everything: nobody watches the batch any more but for this order.
        let merchant = shop.merchant;
        let batch = shop.batch(&campaign).await.id;
        shop.write(move |_, tx| pick_ready(tx, merchant, batch, 10, "Ines")).await.unwrap();
        let order = shop.join_and_pay(&campaign, "b@mail.example", 1).await;
        shop.settle().await;
        let promised = (shop.now() + Duration::days(2)).date_naive();
        shop.advance(Duration::days(1)).await;
        let asked = shop.read(move |c| muster::store::notices::of_order(c, order)).await;
        assert_eq!(asked.len(), 1, "the day before, the system itself asks: {asked:#?}");
        assert_eq!((asked[0].replaces, asked[0].revised), (promised, None));
        shop.advance(Duration::days(30)).await;
        assert_eq!(shop.order(order).await.state, OrderState::Backordered, "30 days after the promised one");
        shop.advance(Duration::days(2)).await;
        let row = shop.order(order).await;
        assert_eq!((row.state, row.refunded), (OrderState::Cancelled, 9000));
        shop.audit().await;
        shop.close().await;
    }

    async fn caps_rise_with_what_is_on_sale_and_limits_hold(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = shop.example_a();
        body["options"][0]["cap"] = json!(6);
        body["options"][0]["per_shopper"] = json!(6);
        let (campaign, ..) = left_over(&shop, body).await;
        let now = shown(&shop, &campaign.slug).await;
        assert_eq!((&now["options"][0]["cap"], &now["options"][0]["available"]), (&json!(8), &json!(2)));
        let again = shop.wish(&campaign, "a@mail.example", 1);
        let refused = shop.running.app.office.join(again).await.unwrap_err();
        assert!(matches!(refused, Problem::Conflict { kind: "limit-per-shopper", .. }), "{refused}");
        shop.join_and_pay(&campaign, "b@mail.example", 2).await;
        assert_eq!(shown(&shop, &campaign.slug).await["options"][0]["available"], 0);
        shop.audit().await;
        shop.close().await;
    }

    async fn only_what_nobody_waits_for_is_put_on_sale(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        let early = shop.batch(&campaign).await.id;
        let id = campaign.id;
        let option = shop.read(move |c| campaigns::options_of(c, id)).await[0].id;
        assert_eq!(conflict(offer(&shop, early, option, 1).await), "wrong-state");
        ordered(&shop, &campaign).await;
        let (batch, option) = arrived(&shop, &campaign, 5).await;
        assert_eq!(wrong(offer(&shop, batch, option, 1).await), ["units"], "one is still waited for");
        arrived(&shop, &campaign, 3).await;
        for units in [3, -1] {
            assert_eq!(wrong(offer(&shop, batch, option, units).await), ["units"], "{units}");
        }
        put_on_sale(&shop, batch, option, 2).await;
        assert_eq!(stock_of(&shop, batch, option).await, (2, 6));
        put_on_sale(&shop, batch, option, 0).await;
        assert_eq!(stock_of(&shop, batch, option).await, (0, 6));
        shop.audit().await;
        shop.close().await;
    }

    async fn who_waits_gets_no_unit_of_an_order_from_stock_and_an_unpaid_one_is_not_packed(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, batch, option) = left_over(&shop, shop.example_a()).await;
        let order = shop.join(&campaign, "b@mail.example", 2).await.order.id;
        shop.settle().await;
        assert_eq!(stock_of(&shop, batch, option).await, (0, 8));
        let merchant = shop.merchant;
        let pick = async || shop.write(move |_, tx| pick_ready(tx, merchant, batch, 100, "Ana")).await.unwrap();
        assert_eq!(pick().await, 1, "the first order alone");
        let new = NewParcel {
            order, lines: vec![("set".into(), 2)], carrier: None, tracking_number: None, when: When::Now, by: "Ana".into(),
        };
        let unpaid = new.clone();
        assert_eq!(conflict(shop.write(move |desk, tx| record(desk, tx, merchant, &unpaid)).await), "wrong-state");
        let bought = async || -> Vec<i64> {
            let units = shop.read(move |c| orders::units_to_buy(c, batch)).await;
            units.into_iter().map(|(_, n)| n).collect()
        };
        assert_eq!(shop.pay(order, GOOD_CARD).await, 303);
        shop.settle().await;
        assert_eq!(bought().await, [6], "no supplier is asked for what lies there");
        assert_eq!(pick().await, 1);
        let parcel = shop.write(move |desk, tx| record(desk, tx, merchant, &new)).await.unwrap();
        assert!(parcel.handed_over_at.is_some());
        assert_eq!(shop.order(order).await.state, OrderState::Shipped);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_batch_that_waited_for_a_payment_alone_is_completed_when_it_runs_out(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, batch, option) = left_over(&shop, shop.example_a()).await;
        shop.join(&campaign, "b@mail.example", 1).await;
        shop.settle().await;
        let merchant = shop.merchant;
        shop.write(move |desk, tx| {
            pick_ready(tx, merchant, batch, 100, "Ana")?;
            for parcel in shipments::in_state(tx.conn, batch, ShipmentState::Picked, 10)? {
                hand_over(desk, tx, merchant, parcel.id, &Handed { by: "Ana".into(), ..Handed::default() })?;
                delivered(tx, merchant, parcel.id, None, DeliveredBy::Staff, "Ana")?;
            }
            Ok(())
        }).await.unwrap();
        shop.expect_state(&campaign, CampaignState::Fulfilling).await;
        shop.advance(Duration::hours(1)).await;
        shop.expect_state(&campaign, CampaignState::Completed).await;
        assert_eq!(stock_of(&shop, batch, option).await, (2, 6));
        shop.audit().await;
        // What is left over is sold all the same, and sent.
        let order = shop.join_and_pay(&campaign, "c@mail.example", 2).await;
        let picked = shop.write(move |_, tx| pick_ready(tx, merchant, batch, 100, "Ana")).await.unwrap();
        assert_eq!((picked, shop.order(order).await.state), (1, OrderState::Backordered));
        shop.audit().await;
        shop.close().await;
    }

    async fn staff_may_cancel_what_is_packed_and_its_parcel_stops(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, batch, option) = left_over(&shop, shop.example_a()).await;
        let order = shop.join_and_pay(&campaign, "b@mail.example", 1).await;
        let merchant = shop.merchant;
        shop.write(move |_, tx| pick_ready(tx, merchant, batch, 100, "Ana")).await.unwrap();
        let by = By::Staff { name: "Ana".into(), reason: "It is chipped.".into() };
        shop.write(move |desk, tx| cancel(desk, tx, order, &by)).await.unwrap();
        shop.settle().await;
        let row = shop.order(order).await;
        assert_eq!((row.state, row.refunded), (OrderState::Cancelled, 9000));
        let parcels = shop.read(move |c| shipments::of_order(c, order)).await;
        assert_eq!(parcels[0].state, ShipmentState::Stopped);
        assert_eq!(stock_of(&shop, batch, option).await, (2, 6));
        shop.audit().await;
        shop.close().await;
    }

    async fn what_is_packed_is_not_cancelled_here(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, batch, _) = left_over(&shop, shop.example_a()).await;
        let order = shop.join_and_pay(&campaign, "b@mail.example", 1).await;
        let merchant = shop.merchant;
        shop.write(move |_, tx| pick_ready(tx, merchant, batch, 100, "Ana")).await.unwrap();
        let told = shop.cancel(order).await.unwrap_err();
        assert!(told.to_string().contains("packed"), "{told}");
        let visitor = Visitor::of(&shop);
        let row = shop.order(order).await;
        assert!(!visitor.get(&visitor.path_of(&row, "")).await.html.contains("Cancel this order"));
        shop.audit().await;
        shop.close().await;
    }
}
