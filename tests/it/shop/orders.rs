//! An order behind its link.

use muster::domain::order::{OrderState, PaymentState};

use super::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

both_databases! {
    async fn an_order_opens_with_its_own_token_only(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let visitor = Visitor::of(&shop);
        let mine = visitor.join(&campaign, "a@mail.example", "1").await;
        let other = visitor.join(&campaign, "b@mail.example", "1").await;
        let page = visitor.get(&visitor.path_of(&mine, "")).await;
        page.is(200).says("M-0001").says("Not paid yet").says("Pay $100.00").says("noindex");
        assert_eq!(page.headers["cache-control"], "no-store");
        let foreign = visitor.path_of(&other, "").replace(&other.id.to_string(), &mine.id.to_string());
        let nobody = muster::domain::ids::OrderId::new();
        for path in [
            format!("/o/{}", mine.id),
            format!("/o/{}?t=", mine.id),
            format!("/o/{}?t=AAAA", mine.id),
            format!("/o/{}/cancel?t=AAAA", mine.id),
            format!("/o/{}/pay?t=AAAA", mine.id),
            format!("/o/{nobody}?t=AAAA"),
            "/o/nonsense?t=AAAA".to_owned(),
            foreign,
        ] {
            visitor.get(&path).await.is(404);
        }
        visitor.post(&format!("/o/{}/cancel?t=AAAA", mine.id), &[]).await.is(404);
        assert_eq!(shop.order(mine.id).await.state, OrderState::Pending);
        shop.close().await;
    }

    async fn who_comes_back_from_paying_is_thanked_without_any_webhook(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let visitor = Visitor::of(&shop);
        let order = visitor.join(&campaign, "a@mail.example", "2").await;
        shop.settle().await;
        shop.faults(serde_json::json!({"webhooks": "drop"})).await;
        assert_eq!(shop.pay(order.id, GOOD_CARD).await, 303);
        let back = format!("{}&paid=1", visitor.path_of(&order, ""));
        let thanks = visitor.get(&back).await;
        thanks.is(200).says("Your payment is being confirmed").says("http-equiv=\"refresh\"");
        // Coming back asked for the page at once; no webhook came.
        shop.running.app.worker.run_until_idle(3).await.unwrap();
        assert_eq!(shop.order(order.id).await.payment_state, PaymentState::Paid);
        visitor.get(&back).await.is(200).says("You are in").says("$200.00").says("3 more and everybody pays $90.00.");
        let page = visitor.get(&visitor.path_of(&order, "")).await;
        page.is(200).says("Charged to your card").says("Cancel this order");
        shop.close().await;
    }

    async fn a_shopper_leaves_and_has_everything_back(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let visitor = Visitor::of(&shop);
        let order = visitor.join(&campaign, "a@mail.example", "2").await;
        shop.settle().await;
        shop.pay(order.id, GOOD_CARD).await;
        shop.settle().await;
        let cancel = visitor.path_of(&order, "/cancel");
        visitor.get(&cancel).await.is(200).says("Cancel and refund $200.00");
        assert_eq!(shop.order(order.id).await.state, OrderState::Confirmed, "asking cancels nothing");
        let left = visitor.post(&cancel, &[]).await;
        left.is(303);
        visitor.get(&left.to.unwrap()).await.is(200).says("Your order is cancelled.");
        shop.settle().await;
        let gone = shop.order(order.id).await;
        assert_eq!((gone.state, gone.refunded), (OrderState::Cancelled, 20000));
        visitor.get(&visitor.path_of(&order, "")).await.is(200).says("\u{2212}$200.00");
        // Again: the same answer, and nothing more goes back.
        visitor.post(&cancel, &[]).await.is(303);
        visitor.get(&cancel).await.is(303);
        assert_eq!(shop.refunds(order.id).await.len(), 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn an_order_that_is_with_the_supplier_is_not_cancelled_here(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let visitor = Visitor::of(&shop);
        let order = shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        shop.advance(chrono::Duration::days(8)).await;
        let order = shop.order(order).await;
        let page = visitor.get(&visitor.path_of(&order, "")).await;
        page.is(200).says("Backordered").says("$90.00 in the end").says("The price fell");
        assert!(!page.html.contains("Cancel this order"));
        visitor.post(&visitor.path_of(&order, "/cancel"), &[]).await.is(409).says("Write to the seller");
        shop.close().await;
    }

    async fn links_are_sent_again_once_and_nobody_learns_who_ordered(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let visitor = Visitor::of(&shop);
        let first = visitor.join(&campaign, "a@mail.example", "1").await;
        let second = visitor.join(&campaign, "a@mail.example", "1").await;
        visitor.get("/orders").await.is(200).says("Find my order");
        let known = visitor.post("/orders", &[("email", " A@mail.example")]).await;
        let unknown = visitor.post("/orders/link", &[("email", "nobody@mail.example")]).await;
        assert_eq!((known.status, &known.to), (303, &unknown.to));
        visitor.get(known.to.as_deref().unwrap()).await.is(200).says("Look at your mail");
        visitor.post("/orders", &[("email", "a@mail.example")]).await.is(303);
        visitor.post("/orders", &[("email", "nonsense")]).await.is(422).says("nonsense");
        shop.settle().await;
        let letters = shop.mail_to("a@mail.example").await;
        assert_eq!(letters.len(), 1, "{letters:?}");
        assert!(shop.mail_to("nobody@mail.example").await.is_empty());
        let text = shop.read(|c| muster::store::mails::delivered(c, 10)).await[0].body_text.clone();
        for order in [first, second] {
            assert!(text.contains(&visitor.path_of(&order, "")), "{text}");
        }
        shop.advance(chrono::Duration::minutes(11)).await;
        visitor.post("/orders", &[("email", "a@mail.example")]).await.is(303);
        shop.settle().await;
        assert_eq!(shop.mail_to("a@mail.example").await.len(), 2);
        shop.close().await;
    }
}
