//! Refunds by staff: units that will not be shipped, and amounts out of goodwill.

use chrono::Duration;
use muster::domain::order::OrderState;
use muster::domain::payment::RefundPurpose;
use muster::domain::shipment::ShipmentState;
use muster::domain::staff::Role;
use muster::store::shipments;

use super::goods::{ordered, pair, parcel, shipped};
use crate::admin::panel::Panel;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

/// Its charge is disputed.
const DISPUTED: &str = "4000000000000259";

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let rest = &page[page.find(&mark).unwrap_or_else(|| panic!("{name}: {page}")) + mark.len()..];
    rest[..rest.find('"').unwrap()].to_owned()
}

both_databases! {
    async fn units_leave_after_the_amount_was_shown(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let order = ordered(&shop, pair(&shop), 6, 1).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let href = format!("/admin/orders/{order}");
        panel.get(&href).await.is(200).says("Refund a part").says("Cancel this order");
        let path = format!("{href}/refund");
        panel.get(&path).await.is(200).says("Full set");
        for (form, says) in [
            (vec![("qty_set", "7"), ("reason", "x")], "from 1 to 6"),
            (vec![("qty_set", "-2"), ("reason", "x")], "from 1 to 6"),
            (vec![("reason", "x")], "how many units, or an amount"),
            (vec![("qty_set", "1"), ("amount", "2"), ("reason", "x")], "not both"),
            (vec![("amount", "1.234"), ("reason", "x")], "decimal"),
            (vec![("amount", "99999"), ("reason", "x")], "at most $565.00"),
            (vec![("amount", "-1"), ("reason", "x")], "amount"),
            (vec![("qty_set", "1"), ("reason", " ")], "Write the reason"),
        ] {
            let page = panel.post(&path, &form).await;
            page.is(422);
            assert!(page.body.to_lowercase().contains(&says.to_lowercase()), "{says}: {}", page.body);
        }
        let shown = panel.post(&path, &[("qty_set", "2"), ("reason", "The kiln broke.")]).await;
        shown.is(200).says("Refund $180.00").says("The kiln broke.");
        assert_eq!(shop.order(order).await.refund_due, 0, "looking gives nothing back");
        let key = hidden(&shown.body, "form_key");
        let press = [("qty_set", "2"), ("reason", "The kiln broke."), ("shown", "18000"), ("form_key", key.as_str())];
        for _ in 0..2 {
            panel.post(&path, &press).await.leads_to(&href);
        }
        let stale = [("qty_set", "2"), ("reason", "Again."), ("shown", "1"), ("form_key", "another-key")];
        panel.post(&path, &stale).await.is(409).says("$180.00");
        shop.settle().await;
        let row = shop.order(order).await;
        assert_eq!((row.state, row.money().kept(), row.allowances), (OrderState::Backordered, 4 * 9000 + 2500, 0));
        assert_eq!(shop.refunds(order).await.pop().unwrap().purpose, RefundPurpose::Change);
        // Out of goodwill: the order stays as it is.
        let shown = panel.post(&path, &[("amount", "10.00"), ("reason", "It took long.")]).await;
        let key = hidden(&shown.body, "form_key");
        let press = [("amount", "10.00"), ("reason", "It took long."), ("shown", "1000"), ("form_key", key.as_str())];
        for _ in 0..2 {
            panel.post(&path, &press).await.leads_to(&href);
        }
        shop.settle().await;
        let row = shop.order(order).await;
        assert_eq!((row.state, row.allowances), (OrderState::Backordered, 1000));
        panel.get(&href).await.says("It took long.").says("manager");
        let mails = shop.mail_to("a@mail.example").await;
        assert!(mails.iter().any(|s| s.contains("a part is not shipped, $180.00")) && mails.iter().any(|s| s.contains("$10.00 goes back")), "{mails:?}");
        // The rest too: with nothing left the order is cancelled whole.
        let press = [("qty_set", "4"), ("qty_lid", "1"), ("reason", "No clay."), ("shown", "37500"), ("form_key", "the-last-key")];
        panel.post(&path, &press).await.leads_to(&href);
        shop.settle().await;
        let row = shop.order(order).await;
        assert_eq!((row.state, row.refunded), (OrderState::Cancelled, row.charged));
        panel.get(&path).await.is(409);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_refund_larger_than_what_is_left_is_refused(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let order = ordered(&shop, pair(&shop), 6, 1).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let href = format!("/admin/orders/{order}");
        let path = format!("{href}/refund");
        let gives = async |amount: &str, shown: &str, key: &str| {
            let form = [("amount", amount), ("reason", "It took long."), ("shown", shown), ("form_key", key)];
            panel.post(&path, &form).await
        };
        // 565.00 are kept; what is on its way back already is not there a second time.
        gives("560.00", "56000", "the-first-key").await.leads_to(&href);
        gives("5.01", "501", "the-second-key").await.is(422).says("at most $5.00");
        shop.settle().await;
        gives("5.01", "501", "the-third-key").await.is(422).says("at most $5.00");
        gives("5.00", "500", "the-fourth-key").await.leads_to(&href);
        gives("0.01", "1", "the-fifth-key").await.is(422).says("at most $0.00");
        shop.settle().await;
        let row = shop.order(order).await;
        assert_eq!((row.money().kept(), row.refunded), (0, row.charged));
        assert_eq!(shop.at_provider(order).await, (row.charged, row.charged));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_whole_order_is_cancelled_after_the_suppliers_order_until_it_ships(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(pair(&shop)).await;
        let first = super::goods::bought(&shop, &campaign, "a@mail.example", (3, 0)).await;
        let second = super::goods::bought(&shop, &campaign, "b@mail.example", (3, 1)).await;
        shop.advance(Duration::days(8)).await;
        let packed = parcel(&shop.running.app.office, first, &[("set", 3)], false).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        panel.post(&format!("/admin/orders/{first}/cancel"), &[("reason", "Your address does not exist.")]).await.leads_to(&format!("/admin/orders/{first}"));
        shop.settle().await;
        let row = shop.order(first).await;
        assert_eq!((row.state, row.refunded), (OrderState::Cancelled, row.charged));
        assert_eq!(shop.read(move |c| shipments::by_id(c, packed)).await.unwrap().state, ShipmentState::Stopped);
        shipped(&shop, second, &[("set", 1)]).await;
        panel.get(&format!("/admin/orders/{second}/cancel")).await.is(409);
        panel.post(&format!("/admin/orders/{second}/cancel"), &[("reason", "x")]).await.is(409);
        // Of what was partly shipped the rest goes, and costs what it costs by itself.
        let path = format!("/admin/orders/{second}/refund");
        panel.post(&path, &[("qty_set", "3"), ("reason", "x")]).await.is(422).says("from 1 to 2");
        let press = [("qty_set", "2"), ("qty_lid", "1"), ("reason", "No clay."), ("shown", "20000"), ("form_key", "key-of-rest")];
        panel.post(&path, &press).await.leads_to(&format!("/admin/orders/{second}"));
        shop.settle().await;
        let row = shop.order(second).await;
        assert_eq!((row.state, row.money().kept()), (OrderState::Shipped, 9500));
        shop.audit().await;
        shop.close().await;
    }

    async fn while_a_dispute_is_open_what_is_owed_is_held_and_nothing_is_given_for_goodwill(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(pair(&shop)).await;
        let order = shop.join(&campaign, "a@mail.example", 6).await.order.id;
        shop.settle().await;
        // The dispute is heard of after the supplier's order went out.
        shop.faults(serde_json::json!({"webhooks": "delay"})).await;
        assert_eq!(shop.pay(order, DISPUTED).await, 303);
        let heard = shop.running.app.office.read_here(|c| muster::store::orders::by_id(c, order)).unwrap();
        drop(heard);
        shop.advance(Duration::days(8)).await;
        let row = shop.order(order).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let path = format!("/admin/orders/{order}/refund");
        if row.state.is_paid() {
            let amount = [("amount", "5"), ("reason", "x")];
            panel.post(&path, &amount).await.is(409).says("disputes this payment");
            let press = [("qty_set", "1"), ("reason", "x"), ("shown", "9000"), ("form_key", "key-of-dispute")];
            panel.post(&path, &press).await.leads_to(&format!("/admin/orders/{order}"));
            assert!(shop.refunds(order).await.last().unwrap().held);
        } else {
            panel.get(&path).await.is(409);
        }
        shop.audit().await;
        shop.close().await;
    }
}
