//! Orders and their money in the panel.

use chrono::Duration;
use muster::domain::order::{OrderState, PaymentState};
use muster::domain::payment::RefundState;
use muster::domain::staff::Role;

use super::panel::Panel;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// Its refund succeeds and fails later.
const CLOSED_CARD: &str = "4000000000005126";

both_databases! {
    async fn an_order_is_found_read_and_cancelled_with_a_reason(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let campaign = shop.publish(shop.example_a()).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        let href = format!("/admin/orders/{order}");
        for query in ["", "?q=M-0001", "?q=sousa", "?q=Sousa", "?q=A%40MAIL", "?state=confirmed&money=paid", "?campaign=ridge-pour-over-set"] {
            panel.get(&format!("/admin/orders{query}")).await.is(200).says(&href);
        }
        for query in ["?q=nobody", "?q=M-9999", "?state=cancelled", "?money=unpaid", "?q=%00%25"] {
            let listed = panel.get(&format!("/admin/orders{query}")).await;
            listed.is(200);
            assert_eq!(listed.body.contains(&href), query == "?q=%00%25", "{query}");
        }
        panel.get(&href).await.is(200).says("Rua das Flores 12").says("$200.00").says("Cancel this order").says("/o/");
        let cancel = format!("{href}/cancel");
        panel.get(&cancel).await.is(200).says("Cancel and refund $200.00");
        panel.post(&cancel, &[("reason", "")]).await.is(422).says("Write the reason");
        assert_eq!(shop.order(order).await.state, OrderState::Confirmed);
        panel.post(&cancel, &[("reason", "Out of clay.")]).await.leads_to(&href);
        shop.settle().await;
        let kept = shop.order(order).await;
        assert_eq!((kept.state, kept.payment_state), (OrderState::Cancelled, PaymentState::Refunded));
        panel.get(&href).await.says("Out of clay.").says("Done. Banks take up to 10 days");
        panel.get(&cancel).await.is(409);
        panel.post(&cancel, &[("reason", "Again.")]).await.leads_to(&href);
        assert_eq!(shop.order(order).await.refunded, 20000, "cancelling twice pays once");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_refund_that_failed_twice_is_paid_otherwise_with_proof(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let campaign = shop.publish(shop.example_a()).await;
        let placed = shop.join(&campaign, "a@mail.example", 2).await;
        shop.settle().await;
        assert_eq!(shop.pay(placed.order.id, CLOSED_CARD).await, 303);
        shop.settle().await;
        let order = placed.order.id;
        let href = format!("/admin/orders/{order}");
        panel.post(&format!("{href}/cancel"), &[("reason", "Out of clay.")]).await.leads_to(&href);
        shop.advance(Duration::days(2)).await;
        let refund = shop.refunds(order).await.remove(0);
        assert_eq!(refund.state, RefundState::Failed);
        panel.get("/admin").await.says("A refund of $200.00 failed").says("Choose another way");
        let path = format!("{href}/refunds/{}/paid-otherwise", refund.id);
        panel.get(&href).await.says("It needs you").says(&path);
        panel.get(&path).await.is(200).says("a@mail.example");
        panel.post(&path, &[("proof", " ")]).await.is(422).says("Write how it was paid");
        panel.post(&path, &[("proof", "Transfer 4711, 3 May")]).await.leads_to(&href);
        panel.get(&href).await.says("Transfer 4711, 3 May").says("Done, in another way.");
        panel.post(&path, &[("proof", "Twice")]).await.is(409);
        let kept = shop.order(order).await;
        assert_eq!((kept.refunded, kept.refund_due), (20000, 0));
        panel.post(&format!("{href}/refunds/019aaaaa-0000-7000-8000-000000000000/paid-otherwise"), &[("proof", "x")]).await.is(404);
        shop.audit().await;
        shop.close().await;
    }

    async fn mails_are_read_with_what_became_of_them(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Viewer).await;
        let campaign = shop.publish(shop.example_a()).await;
        let placed = shop.join(&campaign, "a@mail.example", 1).await;
        shop.settle().await;
        assert_eq!(shop.pay(placed.order.id, GOOD_CARD).await, 303);
        shop.settle().await;
        let listed = panel.get("/admin/mails?state=kept").await;
        listed.is(200).says("a@mail.example");
        let mail = listed.body.split("/admin/mails/").nth(1).unwrap().split('"').next().unwrap().to_owned();
        panel.get(&format!("/admin/mails/{mail}")).await.is(200).says("Ridge pour-over set");
        panel.get("/admin/mails?state=nonsense&cursor=").await.is(200);
        panel.get("/admin/mails?cursor=nonsense").await.is(404);
        shop.close().await;
    }
}
