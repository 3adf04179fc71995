//! What waits for staff because days come near.

use std::sync::Arc;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use muster::app::Seams;
use muster::domain::staff::Role;
use muster::workflows::ports::{Delivered, MailError, Mailer, Outgoing};

use super::{ordered, said};
use crate::admin::panel::Panel;
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

/// A mail server that does not know one address.
struct Picky(Arc<dyn Mailer>);

impl Mailer for Picky {
    fn send(&self, mail: Outgoing) -> BoxFuture<'_, Result<Delivered, MailError>> {
        if mail.to == "gone@mail.example" {
            return async { Err(MailError::Refused("no such mailbox".into())) }.boxed();
        }
        self.0.send(mail)
    }
}

both_databases! {
    async fn dates_that_come_near_wait_on_today(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered(&shop, &["a@mail.example", "b@mail.example"]).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let promised = format!("2 orders are promised by {} and not shipped", said(late.promised()));
        let today = panel.get("/admin").await;
        assert!(!today.is(200).body.contains(&promised), "that is weeks ahead");
        late.until(&shop, late.after(-14), 8).await;
        let today = panel.get("/admin").await;
        today.is(200).says(&promised).says("14 days").says("$400.00 in all").says(&format!("/admin/batches/{}/dates", late.batch));
        late.moves(&shop, None).await;
        let today = panel.get("/admin").await;
        assert!(!today.is(200).body.contains(&promised), "they were asked");
        late.until(&shop, late.after(20), 8).await;
        let today = panel.get("/admin").await;
        today.is(200).says("2 shoppers have not said whether they wait").says(&said(late.after(30))).says("?stand=silent");
        let visitor = Visitor::of(&shop);
        for order in 0..2 {
            visitor.post(&late.page(&shop, order).await, &[("answer", "wait")]).await.is(303);
        }
        let today = panel.get("/admin").await;
        assert!(!today.is(200).body.contains("have not said"), "both did");
        late.until(&shop, late.after(60 - 7), 8).await;
        panel.get("/admin").await.is(200).says("stop-loss in 7 days, 2 orders unshipped").says("$400.00 goes back by itself");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_notice_that_did_not_arrive_waits_on_today(db: TestDatabase) {
        let seams = Seams { mailer: Box::new(|mailer| Arc::new(Picky(mailer))), ..Seams::default() };
        let shop = Shop::open_with(db, 1, seams).await;
        let late = ordered(&shop, &["gone@mail.example", "b@mail.example"]).await;
        late.moves(&shop, None).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        panel.get("/admin").await.is(200).says("A notice of a delay did not arrive").says("?stand=undelivered");
        let here = format!("/admin/batches/{}/dates", late.batch);
        panel.get(&format!("{here}?stand=undelivered")).await.is(200).says("Not delivered (1)").says("1 not delivered").says("mail not taken");
        let visitor = Visitor::of(&shop);
        let order = shop.order(late.orders[0]).await;
        visitor.get(&visitor.path_of(&order, "")).await.is(200).says("Not delivered");
        // Its page still takes an answer: who answers has it.
        let page = late.page(&shop, 0).await;
        visitor.post(&page, &[("answer", "wait")]).await.is(303);
        let today = panel.get("/admin").await;
        assert!(!today.is(200).body.contains("did not arrive"));
        shop.audit().await;
        shop.close().await;
    }
}
