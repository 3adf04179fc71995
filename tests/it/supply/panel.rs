//! Purchase orders in the panel: what waits, the ways out, and their forms.

use chrono::Duration;
use muster::domain::purchase_order::{EtaState, PurchaseOrderState};
use muster::domain::staff::Role;
use muster::workflows::purchase;

use super::{backup, dates, in_days, ordered, po, with_terms};
use crate::admin::panel::Panel;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn a_minimum_is_said_before_sending_with_the_ways_out(db: TestDatabase) {
        let shop = Shop::open(db).await;
        with_terms(&shop, |s| s.minimum_units = Some(8)).await;
        let other = backup(&shop, |_| {}).await;
        let campaign = shop.publish(shop.example_a()).await;
        shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        shop.advance(Duration::days(7) + Duration::minutes(1)).await;
        let draft = shop.purchase_orders(&campaign).await.remove(0);
        let panel = Panel::of(&shop, Role::Manager).await;
        let here = format!("/admin/purchase-orders/{}", draft.id);
        let page = panel.get(&here).await;
        page.is(200).says("under what Kasten Woodworks takes").says("With 2 units more it can.").says("$30.00 less");
        page.says("15 days earlier").says("Add units").says("Split between two suppliers").says("Olaria Norte");
        let add = format!("{here}/ways/add-units");
        panel.get(&add).await.is(200).says("value=\"2\"").says("Add them and send it");
        let first = shop.supplier.id.to_string();
        for (units, words) in [("", "Write how many units"), ("many", "Write a whole number in digits"), ("-3", "from 0 to")] {
            panel.post(&add, &[("supplier_id", &first), ("added_units", units)]).await.is(422).says(words);
        }
        panel.post(&add, &[("supplier_id", "nobody"), ("added_units", "2")]).await.is(422).says("Choose one of your suppliers");
        let split = format!("{here}/ways/split");
        panel.get(&split).await.is(200).says("name=\"split.units.set\"");
        let pair = [("supplier_id", first.as_str()), ("split.supplier_id", &other.id.to_string()), ("split.units.set", "9")];
        panel.post(&split, &pair).await.is(422).says("from 0 to 6").says("value=\"9\"");
        let pair = [pair[0], pair[1], ("split.units.set", "3")];
        panel.post(&split, &pair).await.is(422).says("It was not sent.");
        panel.get(&format!("{here}/ways/replace")).await.is(409);
        panel.get(&format!("{here}/ways/nonsense")).await.is(404);
        panel.post(&add, &[("supplier_id", &first), ("added_units", "2")]).await.leads_to(&here);
        let sent = po(&shop, &draft).await;
        assert_eq!((sent.state, sent.units, sent.added_units), (PurchaseOrderState::Sent, 8, 2));
        panel.post(&add, &[("supplier_id", &first), ("added_units", "2")]).await.is(409);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_refused_order_waits_on_today_until_it_is_replaced(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, order) = ordered(&shop).await;
        let other = backup(&shop, |_| {}).await;
        let id = order.id;
        shop.write(move |desk, tx| purchase::reject(desk, tx, id, "The kiln broke.")).await.unwrap();
        let panel = Panel::of(&shop, Role::Manager).await;
        let here = format!("/admin/purchase-orders/{id}");
        panel.get("/admin").await.is(200).says("Kasten Woodworks rejected PO-0001").says("Choose another supplier").says(&here);
        panel.get(&here).await.is(200).says("The supplier rejected it").says("The kiln broke.").says("Replace by another supplier");
        let replace = format!("{here}/ways/replace");
        panel.get(&replace).await.is(200).says("Take it back and send the new one").says("$30.00 less, 15 days earlier");
        let to = other.id.to_string();
        panel.post(&replace, &[("supplier_id", &to), ("reason", "")]).await.is(422).says("why it is replaced");
        let done = panel.post(&replace, &[("supplier_id", &to), ("reason", "They refused.")]).await;
        let new = shop.purchase_orders(&campaign).await.pop().unwrap();
        done.leads_to(&format!("/admin/purchase-orders/{}", new.id));
        panel.get(&here).await.is(200).says("Replaced").says("They refused.");
        let today = panel.get("/admin").await;
        assert!(!today.body.contains("rejected PO-0001"));
        let version = format!("/admin/purchase-orders/{}/ways/version", new.id);
        panel.get(&version).await.is(200).says("Send Olaria Norte a new version");
        panel.post(&version, &[("added_units", "1"), ("reason", "One more for the window.")]).await.is(303);
        let again = shop.purchase_orders(&campaign).await.pop().unwrap();
        assert_eq!((again.number, again.version, again.units), (Some(2), 2, 7));
        shop.audit().await;
        shop.close().await;
    }

    async fn staff_decide_about_a_date_that_waits(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, order) = ordered(&shop).await;
        let id = order.id;
        let say = async |days: i64, why: &'static str| {
            let arrives = (shop.now() + Duration::days(days)).date_naive();
            shop.write(move |desk, tx| purchase::set_date(desk, tx, id, arrives, why)).await.unwrap().id
        };
        let first = say(20, "").await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let here = format!("/admin/purchase-orders/{id}");
        panel.get("/admin").await.is(200).says("Kasten Woodworks names a date").says("Decide");
        panel.get(&here).await.is(200).says("Pass on").says("Keep to ourselves").says("Edit and pass on").says("in 1 day");
        let viewer = Panel::of(&shop, Role::Viewer).await;
        viewer.get(&here).await.is(200);
        viewer.post(&format!("{here}/dates/{first}/pass-on"), &[]).await.is(403);
        for stray in ["pass-on", "keep"] {
            let got = panel.get(&format!("{here}/dates/{first}/{stray}")).await;
            assert!(got.status >= 400, "a GET decides nothing");
        }
        panel.post(&format!("{here}/dates/{first}/keep"), &[]).await.leads_to(&here);
        assert_eq!(dates(&shop, &campaign).await[0].state, EtaState::Withheld);
        let second = say(25, "The glaze is late.").await;
        let edit = format!("{here}/dates/{second}/edit");
        panel.get(&edit).await.is(200).says("The glaze is late.").says(&in_days(&shop, 27));
        panel.post(&edit, &[("ship_date", "soon"), ("reason", "x")]).await.is(422).says("Write a day").says("value=\"soon\"");
        panel.post(&edit, &[("ship_date", &in_days(&shop, 3)), ("reason", "x")]).await.is(422).says("Write a day from");
        let good = in_days(&shop, 30);
        panel.post(&edit, &[("ship_date", &good), ("reason", "A second firing.")]).await.leads_to(&here);
        assert_eq!(shop.batch(&campaign).await.ship_date.unwrap().to_string(), good);
        panel.get(&here).await.is(200).says("Dates of the batch").says("A second firing.").says("Passed on by").says("\u{2192}");
        let other = dates(&shop, &campaign).await[0].id;
        panel.post(&format!("{here}/dates/{other}/pass-on"), &[]).await.is(409);
        panel.post(&format!("{here}/dates/nonsense/pass-on"), &[]).await.is(404);
        shop.audit().await;
        shop.close().await;
    }
}
