//! Withdrawal from the contract, in two steps and with its periods.

use chrono::Duration;
use muster::domain::claim::{ClaimKind, ClaimOutcome, ClaimState};
use muster::domain::country::Country;
use muster::domain::ids::OrderId;
use muster::domain::order::OrderState;
use muster::domain::payment::RefundPurpose;
use muster::domain::shipment::DeliveredBy;
use muster::store::{claims, merchants};
use muster::workflows::claims::returns::mark_sent;
use muster::workflows::claims::{Report, Who, report};
use muster::workflows::desk::Problem;
use muster::workflows::withdraw::{Declaration, Declared, declare};
use serde_json::json;

use super::goods::{bought, delivered, ordered, pair, parcel, shipped};
use crate::shop::{Visitor, but, typed};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

pub async fn withdraws(
    shop: &Shop,
    order: OrderId,
    lines: &[(&str, i64)],
) -> Result<Declared, Problem> {
    let said = Declaration {
        order,
        lines: lines.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect(),
        name: "Ana Sousa".into(),
        email: "a@mail.example".into(),
    };
    shop.write(move |desk, tx| declare(desk, tx, &said)).await
}

fn refused(answer: &Result<Declared, Problem>) -> &'static str {
    match answer {
        Err(Problem::Conflict { kind, .. }) => kind,
        other => panic!("{other:?}"),
    }
}

both_databases! {
    async fn before_it_ships_everything_goes_back_at_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let order = ordered(&shop, pair(&shop), 6, 1).await;
        let visitor = Visitor::of(&shop);
        let row = shop.order(order).await;
        assert_eq!(row.state, OrderState::Backordered);
        visitor.get(&visitor.path_of(&row, "")).await.is(200).says("Withdraw from contract here");
        let path = visitor.path_of(&row, "/withdraw");
        let page = visitor.get(&path).await;
        page.is(200).says("Confirm withdrawal").says("Ana Sousa").says("a@mail.example");
        let key = page.hidden("form_key");
        let form = [("form_key", key.as_str()), ("qty_set", "6"), ("qty_lid", "1"), ("name", "Ana Sousa"), ("email", "a@mail.example")];
        for (field, value, says) in [
            ("qty_set", "7", "from 1 to 6"), ("qty_set", "x", "from 1 to 6"), ("name", "", "Write your name"),
            ("email", "nobody", "name@example.com"), ("form_key", "x", "Open the page again"),
        ] {
            visitor.post(&path, &but(form.to_vec(), field, value)).await.is(422).says(says);
        }
        visitor.post(&path, &[("form_key", key.as_str()), ("name", "A"), ("email", "a@mail.example")]).await.is(422).says("at least one unit");
        visitor.post(&path.replace("?t=", "?t=x"), &form).await.is(404);
        assert_eq!(shop.order(order).await.refund_due, 0);
        for _ in 0..2 {
            visitor.post(&path, &form).await.is(303);
        }
        shop.settle().await;
        let gone = shop.order(order).await;
        assert_eq!((gone.state, gone.refunded), (OrderState::Cancelled, gone.charged));
        let last = shop.refunds(order).await.pop().unwrap();
        assert_eq!((last.purpose, last.amount), (RefundPurpose::Withdrawal, 6 * 9000 + 2000 + 500));
        let mails = shop.mail_to("a@mail.example").await;
        assert_eq!(mails.iter().filter(|s| s.contains("your withdrawal of")).count(), 1, "{mails:?}");
        visitor.get(&visitor.path_of(&row, "")).await.says("You withdrew from this contract");
        visitor.get(&path).await.is(409);
        visitor.post(&path, &but(form.to_vec(), "form_key", "another-key")).await.is(409);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_part_leaves_and_the_rest_costs_what_it_costs_by_itself(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(pair(&shop)).await;
        let order = bought(&shop, &campaign, "a@mail.example", (3, 2)).await;
        bought(&shop, &campaign, "b@mail.example", (4, 0)).await;
        // While it is open: the count falls, and nothing else changes.
        withdraws(&shop, order, &[("set", 1)]).await.unwrap();
        assert_eq!(shop.campaign(&campaign).await.collected_units, 8);
        shop.advance(Duration::days(8)).await;
        let row = shop.order(order).await;
        assert_eq!(row.state, OrderState::Backordered);
        // Eight units: step 5, for the two sets that stayed.
        assert_eq!(row.money().kept(), 2 * 9000 + 2 * 2000 + 500);
        assert!(shop.mail_to("a@mail.example").await.iter().any(|s| s.contains("came together: $20.00 goes back")));
        parcel(&shop.running.app.office, order, &[("set", 2)], false).await;
        withdraws(&shop, order, &[("lid", 1), ("set", 1)]).await.unwrap();
        shop.settle().await;
        let row = shop.order(order).await;
        assert_eq!((row.state, row.money().kept()), (OrderState::Backordered, 9000 + 2000 + 500));
        let lines = shop.read(move |c| muster::store::orders::lines_of(c, order)).await;
        assert!(lines.iter().all(|l| l.picked == 0), "the parcel was stopped");
        shop.audit().await;
        shop.close().await;
    }

    async fn after_it_shipped_the_refund_waits_for_the_goods_or_their_proof(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let order = ordered(&shop, pair(&shop), 5, 1).await;
        let first = shipped(&shop, order, &[("set", 4)]).await;
        delivered(&shop.running.app.office, first, DeliveredBy::Carrier).await;
        // One set and the lid are not handed over: they leave at once, the others are to come back.
        let broken = Report { order, kind: ClaimKind::Damaged, lines: vec![("set".into(), 4)], text: "Broken.".into(), photos: Vec::new() };
        let claim = shop.write(move |desk, tx| report(desk, tx, &broken, &Who::Shopper)).await.unwrap();
        let declared = withdraws(&shop, order, &[("set", 5), ("lid", 1)]).await.unwrap();
        assert_eq!(declared.back, 9000 + 2000);
        let id = declared.claim.unwrap();
        let of = |id| shop.read(move |c| claims::by_id(c, id));
        assert_eq!(of(claim.id).await.unwrap().outcome, Some(ClaimOutcome::Refused), "it waits for nothing else");
        let day = shop.now().date_naive() + Duration::days(14);
        assert_eq!(of(id).await.unwrap().refund_by, Some(day));
        assert_eq!(refused(&withdraws(&shop, order, &[("set", 1)]).await), "no-right-of-withdrawal");
        shop.advance(Duration::days(11)).await;
        let warned = shop.mail_to("hello@fern.example").await;
        assert!(warned.iter().any(|s| s.contains("refund of a withdrawal is due by")), "{warned:?}");
        // No goods, no proof: it may wait, and does.
        shop.advance(Duration::days(5)).await;
        assert_eq!(of(id).await.unwrap().state, ClaimState::AwaitingReturn);
        shop.write(move |desk, tx| mark_sent(desk, tx, order, id, "RR123456785PT")).await.unwrap();
        shop.settle().await;
        let done = of(id).await.unwrap();
        assert_eq!((done.outcome, done.amount, done.resolved_by.as_deref()), (Some(ClaimOutcome::Refund), Some(4 * 9000 + 500), Some("system")));
        let row = shop.order(order).await;
        assert_eq!((row.money().kept(), row.refunded), (0, row.charged), "standard shipping included");
        assert_eq!(shop.refunds(order).await.pop().unwrap().purpose, RefundPurpose::Returned);
        shop.audit().await;
        shop.close().await;
    }

    async fn with_its_proof_it_goes_out_by_itself_on_the_last_day(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let order = ordered(&shop, pair(&shop), 5, 0).await;
        shipped(&shop, order, &[("set", 5)]).await;
        let id = withdraws(&shop, order, &[("set", 2)]).await.unwrap().claim.unwrap();
        shop.write(move |desk, tx| mark_sent(desk, tx, order, id, "RR1")).await.unwrap();
        shop.advance(Duration::days(13)).await;
        assert_eq!(shop.order(order).await.allowances, 0);
        shop.advance(Duration::days(1)).await;
        // Of a part the shipping stays: the rest costs as much to ship.
        assert_eq!(shop.order(order).await.allowances, 18000);
        shop.audit().await;
        shop.close().await;
    }

    async fn the_fifteenth_day_ends_it(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let order = ordered(&shop, pair(&shop), 6, 0).await;
        let first = shipped(&shop, order, &[("set", 4)]).await;
        delivered(&shop.running.app.office, first, DeliveredBy::Carrier).await;
        shop.advance(Duration::days(30)).await;
        // Something is still to come: it has no end yet.
        withdraws(&shop, order, &[("set", 1)]).await.unwrap();
        let second = shipped(&shop, order, &[("set", 1)]).await;
        delivered(&shop.running.app.office, second, DeliveredBy::Carrier).await;
        let end = (shop.now().date_naive() + Duration::days(15)).and_hms_opt(0, 0, 0).unwrap().and_utc();
        shop.advance(end - shop.now() - Duration::minutes(1)).await;
        withdraws(&shop, order, &[("set", 1)]).await.unwrap();
        shop.advance(Duration::minutes(2)).await;
        assert_eq!(refused(&withdraws(&shop, order, &[("set", 1)]).await), "withdrawal-ended");
        shop.audit().await;
        shop.close().await;
    }

    async fn what_is_made_to_order_is_exempt_and_said_so_before(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = pair(&shop);
        body["options"][1]["made_to_order"] = json!(true);
        let campaign = shop.publish(body).await;
        let visitor = Visitor::of(&shop);
        visitor.get(&format!("/c/{}", campaign.slug)).await.is(200).says("made to order, no withdrawal");
        let mut form = typed("a@mail.example", "6");
        form.push(("qty_lid", "1"));
        visitor.fill_in(&campaign, &form).await.is(200).says("No right of withdrawal, because it is made to order").says("until 14 days after");
        let order = bought(&shop, &campaign, "a@mail.example", (6, 1)).await;
        let answer = withdraws(&shop, order, &[("lid", 1)]).await;
        assert!(matches!(answer, Err(Problem::Invalid(_))), "{answer:?}");
        let mail = shop.read(|c| muster::store::mails::delivered(c, 10)).await;
        assert!(mail.iter().any(|m| m.body_text.contains("WITHDRAWAL") && m.body_text.contains("Lid")));
        withdraws(&shop, order, &[("set", 6)]).await.unwrap();
        shop.settle().await;
        assert_eq!(shop.order(order).await.money().kept(), 2500);
        shop.audit().await;
        shop.close().await;
    }

    async fn elsewhere_it_is_the_merchants_choice(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(pair(&shop)).await;
        let join = async |email: &str| {
            let mut wish = shop.wish(&campaign, email, 3);
            wish.address.country = Country::parse("US").unwrap();
            let id = shop.running.app.office.join(wish).await.unwrap().order.id;
            shop.settle().await;
            shop.pay(id, crate::support::shop::GOOD_CARD).await;
            shop.settle().await;
            id
        };
        let choose = async |chosen: bool| {
            let merchant = shop.merchant;
            shop.write(move |_, tx| {
                let mut row = merchants::by_id(tx.conn, merchant)?.unwrap();
                row.withdrawal_everywhere = chosen;
                Ok(merchants::save(tx.conn, &row)?)
            }).await.unwrap();
        };
        let before = join("a@mail.example").await;
        assert_eq!(refused(&withdraws(&shop, before, &[("set", 1)]).await), "no-right-of-withdrawal");
        choose(true).await;
        let during = join("b@mail.example").await;
        choose(false).await;
        withdraws(&shop, during, &[("set", 3)]).await.unwrap();
        assert_eq!(refused(&withdraws(&shop, before, &[("set", 1)]).await), "no-right-of-withdrawal");
        shop.settle().await;
        shop.audit().await;
        shop.close().await;
    }

    async fn the_button_speaks_the_shoppers_language(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let visitor = Visitor::of(&shop);
        for (country, words) in [
            ("GB", "Order with obligation to pay"), ("DE", "Zahlungspflichtig bestellen"),
            ("FR", "Commande avec obligation de paiement"), ("US", "Order with obligation to pay"),
        ] {
            let form = but(typed("a@mail.example", "1"), "country", country);
            visitor.fill_in(&campaign, &form).await.is(200).says(words);
        }
        shop.close().await;
    }
}
