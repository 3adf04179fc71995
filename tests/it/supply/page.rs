//! The supplier's page: its forms, and what it says where there are none.

use chrono::Duration;
use muster::domain::campaign::BatchState;
use muster::domain::purchase_order::{EtaState, PurchaseOrderState};
use muster::workflows::purchase::ways::{Plan, replace};

use super::{FIRST, STAFF, address, backup, batch_is, dates, in_days, on_order, ordered, po, told};
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

both_databases! {
    async fn nonsense_is_refused_at_its_field_and_changes_nothing(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, order) = ordered(&shop).await;
        let visitor = Visitor::of(&shop);
        let here = address(&shop, &order);
        let date = format!("{here}/date");
        let (yesterday, today, far) = (in_days(&shop, -1), in_days(&shop, 0), in_days(&shop, 900));
        for (arrives, words) in [
            ("", "write a day"), ("soon", "write a day"), ("2027-13-40", "write a day"),
            (yesterday.as_str(), "a day after today"), (today.as_str(), "a day after today"), (far.as_str(), "write a day up to"),
        ] {
            let said = visitor.post(&date, &[("arrives", arrives), ("reason", "The clay is here.")]).await;
            said.is(422).says(words).says("aria-describedby=\"arrives-e").says("The clay is here.");
        }
        let long = "x".repeat(501);
        visitor.post(&date, &[("arrives", &in_days(&shop, 20)), ("reason", &long)]).await.is(422).says("at most 500");
        let shipped = format!("{here}/shipped");
        visitor.post(&shipped, &[("carrier", " "), ("tracking", "123")]).await.is(422).says("who carries it").says("value=\"123\"");
        let wrong = [("carrier", "D\u{7}HL"), ("tracking", long.as_str())];
        visitor.post(&shipped, &wrong).await.is(422).says("2 things to correct");
        visitor.post(&format!("{here}/reject"), &[("reason", "  ")]).await.is(422).says("why you cannot deliver");
        for below in ["acknowledge", "production", "date", "shipped"] {
            visitor.get(&format!("{here}/{below}")).await.is(200).says("We have the order");
        }
        visitor.get(&format!("{here}/reject")).await.is(200).says("Reject the order").says("Keep the order");
        assert_eq!(po(&shop, &order).await.state, PurchaseOrderState::Sent);
        assert!(dates(&shop, &campaign).await.is_empty());
        for below in ["acknowledge", "production", "date", "shipped", "reject"] {
            visitor.post(&format!("/s/nonsense/{below}"), &[("reason", "x")]).await.is(404);
        }
        shop.audit().await;
        shop.close().await;
    }

    async fn a_supplier_makes_it_names_the_day_and_ships(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, order) = ordered(&shop).await;
        let visitor = Visitor::of(&shop);
        let here = address(&shop, &order);
        let back = |seen: &crate::shop::Seen| assert_eq!((seen.status, seen.to.as_deref()), (303, Some(here.as_str())));
        let first = in_days(&shop, 30);
        for _ in 0..2 {
            back(&visitor.post(&format!("{here}/date"), &[("arrives", &first), ("reason", "")]).await);
        }
        assert_eq!(po(&shop, &order).await.state, PurchaseOrderState::Acknowledged, "who names a day has the order");
        let given = dates(&shop, &campaign).await;
        assert_eq!((given.len(), given[0].state), (1, EtaState::Waiting), "a double submit is one date");
        assert_eq!(given[0].ship_date.unwrap() - given[0].arrives.unwrap(), Duration::days(2), "two days of handling");
        assert_eq!(shop.batch(&campaign).await.arrives, None, "shoppers do not know it yet");
        for _ in 0..2 {
            back(&visitor.post(&format!("{here}/production"), &[]).await);
        }
        visitor.get(&here).await.is(200).says("You are making it").says("Move the date");
        let later = in_days(&shop, 40);
        visitor.post(&format!("{here}/date"), &[("arrives", &later)]).await.is(422).says("write why the date moves");
        back(&visitor.post(&format!("{here}/date"), &[("arrives", &later), ("reason", "A kiln failed")]).await);
        let given = dates(&shop, &campaign).await;
        assert_eq!((given[0].state, given[1].state), (EtaState::Superseded, EtaState::Waiting));
        visitor.post(&format!("{here}/reject"), &[("reason", "No")]).await.is(409).says("You are making it");
        for _ in 0..2 {
            back(&visitor.post(&format!("{here}/shipped"), &[("carrier", "DHL"), ("tracking", "0034")]).await);
        }
        back(&visitor.post(&format!("{here}/shipped"), &[("carrier", "DHL"), ("tracking", "0043")]).await);
        visitor.get(&here).await.is(200).says("It is on its way").says("DHL, 0043").says("A kiln failed");
        let now = po(&shop, &order).await;
        assert_eq!((now.state, now.tracking_number.as_deref()), (PurchaseOrderState::InTransit, Some("0043")));
        assert!(now.acknowledged_at.is_some() && now.in_production_at.is_some() && now.shipped_at.is_some());
        let id = campaign.id;
        let happened = shop.read(move |c| muster::store::misc::happenings_of_campaign(c, id, 50)).await;
        let count = |kind: &str| happened.iter().filter(|h| h.kind == kind).count();
        assert_eq!((count("in_production"), count("date_set"), count("supplier_shipped")), (1, 2, 2));
        assert_eq!(told(&shop.mail_to(FIRST).await, "waits for your answer"), 0);
        assert_eq!(on_order(&shop, &campaign).await, 6);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_refusal_is_told_at_once_and_again_while_nobody_acts(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, order) = ordered(&shop).await;
        let visitor = Visitor::of(&shop);
        let here = address(&shop, &order);
        visitor.post(&format!("{here}/date"), &[("arrives", &in_days(&shop, 30))]).await.is(303);
        for _ in 0..2 {
            visitor.post(&format!("{here}/reject"), &[("reason", "The kiln broke.")]).await.is(303);
        }
        let page = visitor.get(&here).await;
        page.is(200).says("You rejected this order").says("The kiln broke.");
        assert!(!page.html.contains(&format!("action=\"{here}")), "no form is left");
        for (below, form) in [("acknowledge", ("note", "")), ("production", ("note", "")), ("shipped", ("carrier", "DHL"))] {
            visitor.post(&format!("{here}/{below}"), &[form]).await.is(409).says("You rejected this order");
        }
        visitor.post(&format!("{here}/date"), &[("arrives", "nonsense")]).await.is(409);
        visitor.get(&format!("{here}/reject")).await.is(303);
        assert_eq!(dates(&shop, &campaign).await[0].state, EtaState::Superseded);
        assert_eq!(on_order(&shop, &campaign).await, 0);
        shop.settle().await;
        for (days, mails) in [(0, 1), (1, 2), (1, 2), (1, 3), (2, 4), (5, 4)] {
            shop.advance(Duration::days(days)).await;
            assert_eq!(told(&shop.mail_to(STAFF).await, "rejected PO-0001"), mails);
        }
        batch_is(&shop, &campaign, BatchState::Ordered).await;
        assert_eq!(told(&shop.mail_to(FIRST).await, "waits for your answer"), 0, "who said no is not reminded");
        shop.audit().await;
        shop.close().await;
    }

    async fn an_older_version_and_a_replaced_order_say_so_and_take_no_answer(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, order) = ordered(&shop).await;
        let other = backup(&shop, |_| {}).await;
        let visitor = Visitor::of(&shop);
        let merchant = shop.merchant;
        let same = Plan { supplier: order.supplier_id, ..Plan::default() };
        let id = order.id;
        let second = shop.write(move |desk, tx| replace(desk, tx, merchant, id, &same, "Two weeks more.")).await.unwrap();
        assert_eq!((second.number, second.version, second.replaces), (order.number, 2, Some(order.id)));
        let (old, new) = (address(&shop, &order), address(&shop, &second));
        visitor.get(&old).await.is(200).says("This order was replaced").says(&new).says("Two weeks more.");
        for below in ["acknowledge", "date", "shipped", "production"] {
            let said = visitor.post(&format!("{old}/{below}"), &[("arrives", &in_days(&shop, 9)), ("carrier", "x")]).await;
            said.is(409).says("This order was replaced");
        }
        visitor.post(&format!("{new}/acknowledge"), &[]).await.is(303);
        let id = second.id;
        let plan = Plan { supplier: Some(other.id), ..Plan::default() };
        shop.write(move |desk, tx| replace(desk, tx, merchant, id, &plan, "Too slow.")).await.unwrap();
        let gone = visitor.get(&new).await;
        gone.is(200).says("it is not with you").says("Too slow.");
        assert!(!gone.html.contains(&format!("action=\"{new}")));
        visitor.post(&format!("{new}/production"), &[]).await.is(409);
        visitor.get(&format!("{new}/print")).await.is(200).says("PO-0001");
        shop.settle().await;
        let mails = shop.mail_to(FIRST).await;
        assert_eq!(told(&mails, "version 2"), 1, "{mails:?}");
        assert_eq!(told(&mails, "is replaced: please do not deliver"), 1, "{mails:?}");
        batch_is(&shop, &campaign, BatchState::Ordered).await;
        shop.audit().await;
        shop.close().await;
    }
}
