//! The panel's pages about goods.

use muster::domain::order::OrderState;
use muster::domain::shipment::ShipmentState;
use muster::domain::staff::Role;
use muster::workflows::desk::order_number;
use muster::workflows::ship::parcel_number;

use super::scene::{ONE, SOME, ordered};
use crate::admin::panel::Panel;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn a_delivery_is_counted_packed_and_sent_from_the_panel(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 1, ONE), (1, 0, SOME)]).await;
        let panel = Panel::of(&shop, Role::Fulfilment).await;
        let here = format!("/admin/batches/{}", scene.batch);
        panel.get("/admin/batches").await.is(200).says("Ridge pour-over set, batch 1");
        panel.get(&here).await.is(200).says("Life of the purchase order").says("0 of 3").says("Count a delivery");
        panel.get(&format!("{here}/receipts")).await.is(200).says("3 expected");
        let form = format!("{here}/receipts");
        panel.post(&form, &[("key", "k"), ("good.0", "-1")]).await.is(422).says("Write 0 or more");
        panel.post(&form, &[("key", "k"), ("good.0", "x")]).await.is(422);
        panel.post(&form, &[("key", "k"), ("good.0", "9")]).await.is(200).says("more than was ordered").says("Keep this count, it is right").says("value=\"9\"");
        panel.post(&form, &[("key", "k"), ("good.0", "3"), ("good.1", "1")]).await.leads_to(&here);
        panel.post(&form, &[("key", "k"), ("good.0", "3"), ("good.1", "1")]).await.leads_to(&here);
        assert_eq!(scene.stock(&shop, "set").await.good, 3, "once");
        panel.get(&here).await.says("Receipt 1").says("3 of 3").says("2 ready to pack");
        panel.get(&format!("{here}/pick")).await.is(200).says("Units to fetch").says("Pack these 2 orders");
        panel.post(&format!("{here}/pick"), &[]).await.leads_to(&here);
        let parcel = scene.parcels(&shop, 0).await.remove(0);
        let number = order_number(shop.order(scene.orders[0]).await.number);
        panel.get(&format!("{here}/slips")).await.is(200).says(&number).says("Rua das Flores 12").says("Cup");
        let page = format!("/admin/shipments/{}", parcel.id);
        panel.get(&page).await.is(200).says(&parcel_number(parcel.number)).says("Record the handover");
        panel.get(&format!("{page}/slip")).await.is(200).says(&number);
        let csv = panel.get(&format!("{here}/parcels.csv")).await;
        csv.is(200).says("parcel,order,name").says("2 x Full set (set); 1 x Cup (cup)");
        panel.post(&format!("{page}/handover"), &[("handed_over_at", "yesterday")]).await.is(422).says("Write a date and a time");
        panel.post(&format!("{page}/handover"), &[("handed_over_at", "2999-01-01T10:00")]).await.is(422).says("in the future");
        panel.post(&format!("{page}/handover"), &[("carrier", "UPS"), ("tracking_number", "1Z9")]).await.leads_to(&page);
        panel.get(&page).await.says("tracknum=1Z9").says("It arrived");
        panel.post(&format!("{page}/delivered"), &[]).await.leads_to(&page);
        assert_eq!(scene.parcels(&shop, 0).await[0].state, ShipmentState::Delivered);
        assert_eq!(shop.order(scene.orders[0]).await.state, OrderState::Delivered);
        for state in ["ready", "part", "picked", "stopped", "backordered", "shipped", "delivered"] {
            panel.get(&format!("{here}?state={state}&q=Ana&country=PT")).await.is(200);
        }
        panel.get(&format!("{here}?q=x%25_&cursor=nonsense")).await.is(404);
        shop.settle().await;
        shop.audit().await;
        shop.close().await;
    }

    async fn each_role_does_what_it_may(db: TestDatabase) {
        let shop = Shop::open(db.in_memory()).await;
        let scene = ordered(&shop, &[(1, 0, ONE)]).await;
        let here = format!("/admin/batches/{}", scene.batch);
        let viewer = Panel::of(&shop, Role::Viewer).await;
        viewer.get(&here).await.is(200);
        for path in ["receipts", "correction", "short", "first", "sale", "pick", "slips", "parcels.csv", "tracking"] {
            viewer.get(&format!("{here}/{path}")).await.is(403);
        }
        for path in ["receipts", "correction", "short", "first", "sale", "pick"] {
            viewer.post(&format!("{here}/{path}"), &[("good.0", "1")]).await.is(403);
        }
        let packer = Panel::of(&shop, Role::Fulfilment).await;
        for path in ["receipts", "correction", "first", "pick", "slips", "parcels.csv", "tracking"] {
            packer.get(&format!("{here}/{path}")).await.is(200);
        }
        for path in ["short", "sale"] {
            packer.get(&format!("{here}/{path}")).await.is(403);
        }
        let manager = Panel::of(&shop, Role::Manager).await;
        for path in ["short", "sale"] {
            manager.get(&format!("{here}/{path}")).await.is(200);
        }
        manager.get("/admin/batches/nonsense").await.is(404);
        manager.get("/admin/shipments/nonsense").await.is(404);
        shop.audit().await;
        shop.close().await;
    }

    async fn staff_decide_what_will_not_come_who_goes_first_and_what_is_sold(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let scene = ordered(&shop, &[(2, 0, ONE), (1, 0, ONE)]).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let here = format!("/admin/batches/{}", scene.batch);
        panel.post(&format!("{here}/first"), &[("order", "M-1"), ("reason", "")]).await.is(422);
        let number = order_number(shop.order(scene.orders[1]).await.number);
        panel.post(&format!("{here}/first"), &[("order", &number), ("reason", "A birthday")]).await.leads_to(&here);
        panel.get(&here).await.says("Orders that go first").says("A birthday");
        panel.post(&format!("{here}/short"), &[("short.0", "9")]).await.is(422).says("Write 1 to 3");
        panel.post(&format!("{here}/short"), &[]).await.is(422);
        panel.post(&format!("{here}/short"), &[("short.0", "2")]).await.leads_to(&here);
        shop.settle().await;
        shop.advance(chrono::Duration::minutes(1)).await;
        assert_eq!(shop.order(scene.orders[0]).await.state, OrderState::Cancelled, "the one that does not go first");
        panel.post(&format!("{here}/receipts"), &[("key", "a"), ("good.0", "3"), ("confirm", "1")]).await.leads_to(&here);
        panel.get(&here).await.says("Left over").says("2 units of Full set");
        panel.post(&format!("{here}/sale"), &[("sku", "set"), ("units", "")]).await.is(422);
        panel.post(&format!("{here}/sale"), &[("sku", "set"), ("units", "3")]).await.is(422).says("2 units are left over: what lies there");
        panel.post(&format!("{here}/sale"), &[("sku", "set"), ("units", "2")]).await.leads_to(&here);
        panel.post(&format!("{here}/correction"), &[("key", "b"), ("good.0", "-1")]).await.is(422).says("Write why");
        panel.post(&format!("{here}/correction"), &[("key", "b"), ("good.0", "-1"), ("note", "Miscounted")]).await.is(422).says("on sale");
        panel.post(&format!("{here}/sale"), &[("sku", "set"), ("units", "0")]).await.leads_to(&here);
        panel.post(&format!("{here}/correction"), &[("key", "b"), ("good.0", "-1"), ("note", "Miscounted")]).await.leads_to(&here);
        panel.get(&here).await.says("Correction 2");
        shop.audit().await;
        shop.close().await;
    }
}
