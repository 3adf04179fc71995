//! A supplier's view of its purchase order.

use chrono::Duration;
use muster::domain::purchase_order::PurchaseOrderState;

use super::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn a_supplier_acknowledges_by_its_link_without_an_account(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let visitor = Visitor::of(&shop);
        shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        shop.advance(Duration::days(8)).await;
        let po = shop.purchase_orders(&campaign).await.pop().unwrap();
        let links = &shop.running.app.office.desk().links;
        let path = format!("/s/{}", links.supplier_token(po.id, po.version));
        let page = visitor.get(&path).await;
        page.is(200).says("PO-0001").says("6 units").says("$240.00").says("Kasten Woodworks").says("We have the order");
        visitor.get(&format!("{path}/print")).await.is(200).says("PO-0001");
        let csv = visitor.get(&format!("{path}/csv")).await;
        assert_eq!(csv.is(200).headers["content-type"], "text/csv; charset=utf-8");
        csv.says("sku,name,units,unit_cost,cost,currency").says("set,Full set,6,$40.00,$240.00,usd");
        let long = "x".repeat(2001);
        let act = format!("{path}/acknowledge");
        visitor.post(&act, &[("note", &long)]).await.is(422).says("at most 2000 characters");
        let said = visitor.post(&act, &[("note", "Ships in week 9.")]).await;
        assert_eq!((said.status, said.to.as_deref()), (303, Some(path.as_str())));
        visitor.post(&act, &[("note", "twice")]).await.is(303);
        visitor.get(&path).await.is(200).says("You acknowledged it").says("Ships in week 9.");
        let po = shop.purchase_orders(&campaign).await.pop().unwrap();
        assert_eq!(po.state, PurchaseOrderState::Acknowledged);
        let other = links.supplier_token(po.id, po.version + 1);
        for foreign in ["/s/nonsense".to_owned(), format!("/s/{other}"), format!("/s/{other}/csv")] {
            visitor.get(&foreign).await.is(404);
        }
        shop.close().await;
    }
}
