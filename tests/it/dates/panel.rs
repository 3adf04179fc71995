//! A batch's dates in the panel: looked at before they are sent, decided once, listed with every answer.

use chrono::Duration;
use muster::domain::order::OrderState;
use muster::domain::purchase_order::EtaState;
use muster::domain::staff::Role;
use muster::store::{etas, notices};
use muster::workflows::purchase;

use super::{Late, ordered, said};
use crate::admin::panel::{Answer, Panel};
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

/// The value of a hidden field.
fn hidden(page: &Answer, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let at = page
        .body
        .find(&mark)
        .unwrap_or_else(|| panic!("no {name} in {}", page.body));
    let rest = &page.body[at + mark.len()..];
    rest[..rest.find('"').unwrap()].to_owned()
}

async fn notices_of(shop: &Shop, late: &Late) -> usize {
    let batch = late.batch;
    shop.read(move |c| notices::of_batch(c, batch, None, 100))
        .await
        .len()
}

both_databases! {
    async fn a_date_is_looked_at_before_it_is_sent_and_sent_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered(&shop, &["a@mail.example", "b@mail.example", "c@mail.example"]).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let here = format!("/admin/batches/{}/dates", late.batch);
        let form = format!("{here}/new");
        let back = |page: &str| format!("href=\"{page}\"");
        panel.get(&format!("/admin/batches/{}", late.batch)).await.is(200).says(&back(&here));
        panel.get(&format!("/admin/campaigns/{}", late.campaign.slug)).await.is(200).says(&back(&here));
        panel.get(&here).await.is(200).says("Nobody was asked yet").says("the promised one stands").says(&back(&form));
        panel.get(&form).await.is(200).says("First you see what it would do").says(&said(late.promised()));
        let new = late.after(45).to_string();
        for (pairs, words) in [
            (vec![("reason", "The kiln broke.")], "tick that it is not known"),
            (vec![("ship_date", "soon"), ("reason", "The kiln broke.")], "Write a day, such as"),
            (vec![("ship_date", new.as_str()), ("unknown", "1"), ("reason", "x")], "not both"),
            (vec![("ship_date", new.as_str()), ("reason", " ")], "shoppers read it"),
            (vec![("ship_date", "2020-01-01"), ("reason", "The kiln broke.")], "Write a day from"),
            (vec![("ship_date", new.as_str()), ("stop_loss", "2020-01-01"), ("reason", "The kiln broke.")], "Write a day after"),
        ] {
            let wrong = panel.post(&form, &pairs).await;
            wrong.is(422).says(words);
            for (name, value) in pairs.iter().filter(|(name, _)| name.ends_with("date")) {
                wrong.says(&format!("name=\"{name}\"")).says(&format!("value=\"{value}\""));
            }
        }
        let typed = [("ship_date", new.as_str()), ("reason", "The kiln broke.")];
        let shown = panel.post(&form, &typed).await;
        shown.is(200).says("Orders not shipped yet").says("3 orders, $540.00 goes back").says("Set it and tell 3 shoppers");
        shown.says(&format!("Answer by the end of {}", said(late.after(30)))).says("The kiln broke.");
        let (mark, key) = (hidden(&shown, "shown"), hidden(&shown, "form_key"));
        let sent: Vec<(&str, &str)> = [&typed[..], &[("shown", &mark), ("form_key", &key), ("do", "save")]].concat();
        let changed: Vec<(&str, &str)> = [&sent[..], &[("do", "change")]].concat();
        panel.post(&form, &changed).await.is(200).says("Show what it would do").says(&new).says("The kiln broke.</textarea>");
        assert_eq!(notices_of(&shop, &late).await, 0, "nothing is sent before the press");
        // One shopper leaves meanwhile: what was seen is not true any more.
        let leaves = late.orders[2];
        shop.write(move |desk, tx| {
            let by = muster::workflows::cancel::By::Staff { name: "Ines".into(), reason: "Asked for it.".into() };
            muster::workflows::cancel::cancel(desk, tx, leaves, &by)
        }).await.unwrap();
        let again = panel.post(&form, &sent).await;
        again.is(200).says("Since you looked").says("Set it and tell 2 shoppers");
        let (mark, key) = (hidden(&again, "shown"), hidden(&again, "form_key"));
        let sent: Vec<(&str, &str)> = [&typed[..], &[("shown", &mark), ("form_key", &key), ("do", "save")]].concat();
        for _ in 0..2 {
            panel.post(&form, &sent).await.leads_to(&here);
        }
        shop.settle().await;
        assert_eq!(notices_of(&shop, &late).await, 2);
        let page = panel.get(&here).await;
        page.is(200).says("No answer yet").says("2 told").says("The kiln broke.").says(&said(late.after(31)));
        shop.audit().await;
        shop.close().await;
    }

    async fn answers_are_listed_and_filtered(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered(&shop, &["a@mail.example", "b@mail.example", "c@mail.example"]).await;
        late.moves(&shop, None).await;
        let visitor = Visitor::of(&shop);
        visitor.post(&late.page(&shop, 0).await, &[("answer", "wait")]).await.is(303);
        visitor.post(&late.page(&shop, 1).await, &[("answer", "cancel")]).await.is(303);
        shop.settle().await;
        let panel = Panel::of(&shop, Role::Viewer).await;
        let here = format!("/admin/batches/{}/dates", late.batch);
        let number = async |n: usize| muster::workflows::desk::order_number(shop.order(late.orders[n]).await.number);
        let all = [number(0).await, number(1).await, number(2).await];
        let page = panel.get(&here).await;
        page.is(200).says("All (3)").says("Keeps waiting (1)").says("Cancelled (1)").says("No answer yet (1)");
        for (stand, shown) in [("agreed", 0), ("refused", 1), ("silent", 2)] {
            let page = panel.get(&format!("{here}?stand={stand}")).await;
            page.is(200).says(&all[shown]);
            for other in all.iter().filter(|n| **n != all[shown]) {
                assert!(!page.body.contains(other.as_str()), "{stand} shows {other}");
            }
        }
        panel.get(&format!("{here}?stand=nonsense")).await.is(200).says("All (3)");
        panel.get(&format!("{here}?cursor=nonsense")).await.is(404);
        let newest = late.notice(&shop, 0).await.id;
        panel.get(&format!("{here}?cursor={newest}")).await.is(200).says("href=\"/admin/batches/");
        // Who may not decide sees no way to.
        assert!(!page.body.contains("Set a date"));
        panel.get(&format!("{here}/new")).await.is(403);
        panel.post(&format!("{here}/new"), &[("unknown", "1"), ("reason", "x")]).await.is(403);
        panel.post(&format!("/admin/batches/{}/will-not-ship", late.batch), &[("reason", "x")]).await.is(403);
        panel.get("/admin/batches/nonsense/dates").await.is(404);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_suppliers_date_is_seen_with_what_it_would_do(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered(&shop, &["a@mail.example"]).await;
        let po = shop.purchase_orders(&late.campaign).await.pop().unwrap().id;
        let arrives = late.after(40);
        let date = shop.write(move |desk, tx| purchase::set_date(desk, tx, po, arrives, "The glaze is late")).await.unwrap().id;
        let panel = Panel::of(&shop, Role::Manager).await;
        let here = format!("/admin/batches/{}/dates", late.batch);
        panel.get("/admin").await.is(200).says("names a date").says(&format!("href=\"{here}\""));
        let page = panel.get(&here).await;
        page.is(200).says("The glaze is late.").says("1 must answer").says("$200.00 goes back if none of them does").says("Keep to ourselves");
        let deeds = format!("/admin/purchase-orders/{po}/dates/{date}");
        panel.get(&format!("{deeds}/edit?from=batch")).await.is(200).says("name=\"from\" value=\"batch\"");
        panel.post(&format!("{deeds}/pass-on"), &[("from", "batch")]).await.leads_to(&here);
        shop.settle().await;
        let batch = late.batch;
        assert_eq!(shop.read(move |c| etas::of_batch(c, batch)).await[0].state, EtaState::PassedOn);
        panel.get(&here).await.is(200).says("1 told").says("No answer yet (1)");
        shop.audit().await;
        shop.close().await;
    }

    async fn what_will_not_be_shipped_goes_back_after_one_more_question(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered(&shop, &["a@mail.example", "b@mail.example"]).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let here = format!("/admin/batches/{}", late.batch);
        let form = format!("{here}/will-not-ship");
        let dates = format!("{here}/dates");
        let page = panel.get(&form).await;
        page.is(200).says("2 orders and $400.00 go back").says("can&#39;t be undone").says("Give it up and refund $400.00");
        let key = hidden(&page, "form_key");
        panel.post(&form, &[("form_key", &key), ("reason", " ")]).await.is(422).says("Write the reason");
        panel.post(&form, &[("form_key", "x"), ("reason", "The mould is lost.")]).await.is(422).says("did not arrive whole");
        assert_eq!(shop.order(late.orders[0]).await.state, OrderState::Backordered);
        for _ in 0..2 {
            panel.post(&form, &[("form_key", &key), ("reason", "The mould is lost.")]).await.leads_to(&dates);
        }
        panel.get(&dates).await.is(200).says("The rest will not be shipped").says("The mould is lost.");
        shop.settle().await;
        for order in &late.orders {
            let order = shop.order(*order).await;
            assert_eq!((order.state, order.refunded), (OrderState::Cancelled, order.charged));
        }
        panel.get(&form).await.is(409);
        panel.get(&format!("{dates}/new")).await.is(409);
        panel.post(&format!("{dates}/new"), &[("unknown", "1"), ("reason", "x")]).await.is(409);
        let page = panel.get(&dates).await;
        assert!(!page.is(200).body.contains("Set a date"));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_later_last_day_is_asked_for_with_the_date(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let late = ordered(&shop, &["a@mail.example"]).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        let here = format!("/admin/batches/{}/dates", late.batch);
        let (beyond, later) = (late.after(90), late.after(120));
        let (ships, stop) = (beyond.to_string(), later.to_string());
        let form = format!("{here}/new");
        let without = panel.post(&form, &[("ship_date", &ships), ("reason", "x")]).await;
        without.is(200).says("counts as not known");
        let pairs = [("ship_date", ships.as_str()), ("stop_loss", &stop), ("reason", "A new mould.")];
        let shown = panel.post(&form, &pairs).await;
        shown.is(200).says("Later last day to agree to").says(&said(later));
        let (mark, key) = (hidden(&shown, "shown"), hidden(&shown, "form_key"));
        panel.post(&form, &[&pairs[..], &[("shown", &mark), ("form_key", &key)]].concat()).await.leads_to(&here);
        shop.settle().await;
        panel.get(&here).await.is(200).says("asked to agree to a last day of").says(&said(later));
        let visitor = Visitor::of(&shop);
        let page = late.page(&shop, 0).await;
        visitor.get(&page).await.is(200).says(&said(beyond)).says("You also agree to a later last day of all");
        visitor.post(&page, &[("answer", "wait")]).await.is(303);
        late.until(&shop, beyond - Duration::days(1), 8).await;
        assert_eq!(shop.order(late.orders[0]).await.state, OrderState::Backordered, "the old last day is over");
        let order = shop.order(late.orders[0]).await;
        visitor.get(&visitor.path_of(&order, "")).await.is(200).says(&format!("{}: the last day", said(later)));
        shop.audit().await;
        shop.close().await;
    }
}
