//! What a shopper changes of an order until it is packed.

use chrono::Duration;
use muster::domain::order::Delivery;
use muster::domain::staff::Role;
use muster::store::misc;

use super::goods::{bought, ordered, pair, parcel};
use crate::admin::panel::Panel;
use crate::shop::{Visitor, but};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

fn moved() -> Vec<(&'static str, &'static str)> {
    vec![
        ("name", "Ana Sousa"),
        ("line1", "Rua Nova 1"),
        ("line2", ""),
        ("postal_code", "1000-001"),
        ("city", "Lisboa"),
        ("region", ""),
        ("delivery", "as_available"),
    ]
}

both_databases! {
    async fn an_address_is_changed_until_it_is_packed(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let order = ordered(&shop, pair(&shop), 6, 1).await;
        let visitor = Visitor::of(&shop);
        let row = shop.order(order).await;
        visitor.get(&visitor.path_of(&row, "")).await.is(200).says("Change address or parcels");
        let path = visitor.path_of(&row, "/edit");
        visitor.get(&path).await.is(200).says("Rua das Flores 12").says("Portugal");
        for (field, value, says) in [
            ("name", " ", "Write your name"), ("line1", "", "street and number"), ("city", "", "the town"),
            ("line2", "a\u{0}b", "error"),
        ] {
            visitor.post(&path, &but(moved(), field, value)).await.is(422).says(says);
        }
        let mut abroad = moved();
        abroad.push(("country", "Atlantis"));
        visitor.post(&path, &abroad).await.is(422).says("Choose the country");
        visitor.post(&path.replace("?t=", "?t=x"), &moved()).await.is(404);
        for _ in 0..2 {
            visitor.post(&path, &moved()).await.is(303);
        }
        let now = shop.order(order).await;
        assert!(now.address.contains("Rua Nova 1") && now.country == "PT");
        assert_eq!(now.delivery, Delivery::AsAvailable);
        let page = visitor.get(&visitor.path_of(&row, "")).await;
        page.is(200).says("Rua Nova 1").says("The delivery address was changed.");
        assert!(!page.html.contains("Rua das Flores"), "who has the link does not learn the old one");
        let history = shop.read(move |c| misc::happenings_of_order(c, order)).await;
        assert_eq!(history.iter().filter(|h| h.kind == "address_before").count(), 1);
        shop.settle().await;
        assert!(shop.mail_to("a@mail.example").await.iter().any(|s| s.contains("goes to another address")));
        let panel = Panel::of(&shop, Role::Manager).await;
        panel.get(&format!("/admin/orders/{order}")).await.says("Before: Ana Sousa, Rua das Flores 12");
        parcel(&shop.running.app.office, order, &[("set", 1)], false).await;
        visitor.get(&path).await.is(409).says("packed already");
        visitor.post(&path, &moved()).await.is(409);
        assert!(!visitor.get(&visitor.path_of(&row, "")).await.html.contains("Change address"));
        shop.audit().await;
        shop.close().await;
    }

    async fn staff_fix_the_day_and_may_still_change_one(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(pair(&shop)).await;
        let order = bought(&shop, &campaign, "a@mail.example", (6, 0)).await;
        let row = shop.order(order).await;
        let visitor = Visitor::of(&shop);
        let panel = Panel::of(&shop, Role::Manager).await;
        let path = format!("/admin/batches/{}/addresses", row.batch_id);
        panel.get(&path).await.is(200).says("First day without changes");
        panel.post(&path, &[("address_lock", "soon")]).await.is(422).says("YYYY-MM-DD").says("soon");
        let yesterday = (shop.now().date_naive() - Duration::days(1)).to_string();
        panel.post(&path, &[("address_lock", &yesterday)]).await.is(422).says("today or a later day");
        let tomorrow = (shop.now().date_naive() + Duration::days(1)).to_string();
        panel.post(&path, &[("address_lock", &tomorrow)]).await.leads_to(&format!("/admin/campaigns/{}", campaign.slug));
        let edit = visitor.path_of(&row, "/edit");
        visitor.post(&edit, &moved()).await.is(303);
        shop.advance(Duration::days(1)).await;
        visitor.get(&edit).await.is(409).says("labels are being made");
        visitor.post(&edit, &moved()).await.is(409);
        let address = format!("/admin/orders/{order}/address");
        panel.get(&address).await.is(200).says("Rua Nova 1");
        panel.post(&address, &but(moved(), "line1", "")).await.is(422).says("street and number");
        panel.post(&address, &but(moved(), "line1", "Rua Velha 2")).await.leads_to(&format!("/admin/orders/{order}"));
        assert!(shop.order(order).await.address.contains("Rua Velha 2"));
        panel.get("/admin/batches/nonsense/addresses").await.is(404);
        Panel::of(&shop, Role::Viewer).await.get(&path).await.is(403);
        shop.close().await;
    }
}
