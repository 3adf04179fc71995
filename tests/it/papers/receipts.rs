//! A receipt for each payment, a credit note for each refund that is done, numbered without gaps.

use chrono::Duration;
use diesel::RunQueryDsl;
use muster::domain::ids::{MerchantId, OrderId};
use muster::domain::paper::{Paper, PaperKind};
use muster::domain::payment::RefundState;
use muster::store::{Conn, StoreError, merchants, papers, refunds};
use muster::workflows::refund::paid_otherwise;
use serde_json::{Value, json};

use crate::cards::{arrive, deadline_passes, saves, with_deposit};
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

const REFUND_FAILS: &str = "4000000000005126";
const DISPUTED: &str = "4000000000000259";

/// Example A with 6.00 shipping, and 23 % tax in the prices.
fn taxed(shop: &Shop) -> Value {
    let mut body = shop.example_a();
    body["shipping"] = json!([{"countries": ["*"], "price": 600}]);
    body["tax"] = json!([
        {"countries": ["PT"], "rate_basis_points": 2300, "included": true, "name": "IVA"},
    ]);
    body
}

async fn papers_of(shop: &Shop, order: OrderId) -> Vec<Paper> {
    let rows = shop.read(move |c| papers::of_orders(c, &[order])).await;
    rows.iter()
        .map(|row| muster::workflows::papers::content(row).unwrap())
        .collect()
}

/// Kind, number, total and tax of each.
fn said(papers: &[Paper]) -> Vec<(PaperKind, i64, i64, i64)> {
    let tax = |p: &Paper| p.tax.as_ref().map_or(0, |tax| tax.amount);
    papers
        .iter()
        .map(|p| (p.kind, p.number, p.total, tax(p)))
        .collect()
}

both_databases! {
    async fn what_comes_in_has_a_receipt_and_what_goes_back_a_credit_note(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(taxed(&shop)).await;
        let mut orders = Vec::new();
        for n in 0..3 {
            orders.push(shop.join_and_pay(&campaign, &format!("s{n}@mail.example"), 2).await);
        }
        shop.advance(Duration::days(8)).await;
        // Judged at 6 units: 90 each, so that 20 go back to the first two and to the third.
        use PaperKind::{CreditNote, Receipt};
        let first = papers_of(&shop, orders[0]).await;
        // 206.00 with 37.40 in the goods and 1.12 in shipping; 20.00 with 3.74.
        // Which refund is done first is not said.
        let note = first[1].number;
        assert_eq!(said(&first), [(Receipt, 1, 20_600, 3_852), (CreditNote, note, 2_000, 374)]);
        assert_eq!(first[1].corrects.as_ref().unwrap().number, "R-00001");
        assert_eq!((first[0].lines[0].quantity, first[0].lines[0].unit_price, first[0].shipping), (2, 10_000, 600));
        let last = papers_of(&shop, orders[2]).await;
        assert_eq!(said(&last), [(Receipt, 3, 20_600, 3_852), (CreditNote, last[1].number, 2_000, 374)]);
        // The page is drawn from what is frozen, for whoever has the order's link.
        let visitor = Visitor::of(&shop);
        let row = shop.order(orders[0]).await;
        let page = visitor.get(&visitor.path_of(&row, "")).await;
        let note = CreditNote.number(note);
        page.says("Receipt R-00001").says(&format!("Credit note {note}"));
        let receipt = visitor.get(&visitor.path_of(&row, "/receipts/R-00001")).await;
        receipt.is(200).says("Fern &#38; Kiln Lda.").says("Rua das Flores 12").says("$38.52 IVA 23 %").says("$167.48");
        visitor.get(&visitor.path_of(&row, &format!("/receipts/{note}"))).await.is(200).says("A better price was reached");
        // Another's receipt is not there, and neither is a number that does not exist.
        visitor.get(&visitor.path_of(&row, "/receipts/R-00002")).await.is(404);
        visitor.get(&visitor.path_of(&row, "/receipts/R-1")).await.is(404);
        visitor.get(&format!("/o/{}/receipts/R-00001?t=wrong", row.id)).await.is(404);
        shop.audit().await;
        shop.close().await;
    }

    async fn the_receipts_of_a_deposit_and_its_balance_say_the_tax_of_the_order(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = with_deposit(&shop, "returned");
        body["deposit_percent"] = json!(50);
        body["threshold"] = json!({"kind": "units", "target": 1});
        body["steps"] = json!([1]);
        body["options"] = json!([{"sku": "set", "name": "Full set", "prices": [1000]}]);
        body["tax"] = json!([{"countries": ["PT"], "rate_basis_points": 700, "included": true}]);
        let campaign = shop.publish(body).await;
        let order = saves(&shop, &campaign, "a@mail.example", 1, GOOD_CARD).await;
        deadline_passes(&shop, &campaign).await;
        arrive(&shop, &campaign, 1).await;
        shop.advance(Duration::days(3) + Duration::minutes(1)).await;
        // 10.00 holds 65; half of it holds 32.5, which is rounded once and not twice.
        use PaperKind::Receipt;
        let papers = papers_of(&shop, order).await;
        assert_eq!(said(&papers), [(Receipt, 1, 500, 33), (Receipt, 2, 500, 32)]);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_credit_note_says_the_tax_that_the_kept_lines_no_longer_carry(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = shop.example_a();
        let option = |sku: &str| json!({"sku": sku, "name": sku, "prices": [1000, 960]});
        body["steps"] = json!([1, 5]);
        body["options"] = json!([option("one"), option("two"), option("three")]);
        body["tax"] = json!([{"countries": ["PT"], "rate_basis_points": 1900, "included": true}]);
        body["supplier_ids"] = json!([]);
        let campaign = shop.publish(body).await;
        let mut orders = Vec::new();
        for (email, lines) in [("a@mail.example", vec!["one", "two", "three"]), ("b@mail.example", vec!["one", "two"])] {
            let mut wish = shop.wish(&campaign, email, 1);
            wish.lines = lines.into_iter().map(|sku| (sku.to_owned(), 1)).collect();
            orders.push(shop.running.app.office.join(wish).await.unwrap().order.id);
            shop.settle().await;
            assert_eq!(shop.pay(orders[orders.len() - 1], GOOD_CARD).await, 303);
            shop.settle().await;
        }
        shop.advance(Duration::days(7) + Duration::hours(1)).await;
        // Three times 1.60 in 10.00, three times 1.53 in 9.60: 21 less, where 1.20 by itself would hold 19.
        let papers = papers_of(&shop, orders[0]).await;
        let note = papers[1].number;
        assert_eq!(said(&papers), [(PaperKind::Receipt, 1, 3_000, 480), (PaperKind::CreditNote, note, 120, 21)]);
        shop.audit().await;
        shop.close().await;
    }

    async fn taxes_that_do_not_come_to_the_kept_lines_are_named(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(taxed(&shop)).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        shop.audit().await;
        shop.write(|_, tx| {
            let free = match tx.conn {
                Conn::Sqlite(_) => "DROP TRIGGER papers_kept",
                #[cfg(feature = "postgres")]
                Conn::Postgres(_) => "DROP TRIGGER papers_kept ON papers",
            };
            run(tx.conn, free)?;
            Ok(run(tx.conn, "UPDATE papers SET tax = tax - 1")?)
        })
        .await
        .unwrap();
        let found = shop.read(|c| Ok(muster::workflows::audit::audit(c, chrono::Utc::now()).unwrap())).await;
        assert!(found.iter().any(|b| b.rule == 10 && b.order == Some(order)), "{found:?}");
        shop.close().await;
    }

    async fn a_refund_that_is_done_twice_is_credited_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(taxed(&shop)).await;
        let id = shop.join(&campaign, "a@mail.example", 1).await.order.id;
        shop.settle().await;
        assert_eq!(shop.pay(id, REFUND_FAILS).await, 303);
        shop.settle().await;
        shop.cancel(id).await.unwrap();
        shop.settle().await;
        let once = papers_of(&shop, id).await;
        assert_eq!(said(&once).len(), 2);
        assert_eq!(once[0].tax, once[1].tax, "what goes back whole credits exactly the tax");
        shop.audit().await;
        // It comes back twice: it is still owed, and still credited.
        for _ in 0..2 {
            shop.advance(Duration::minutes(61)).await;
            shop.audit().await;
        }
        let refund = shop.refunds(id).await.pop().unwrap();
        assert_eq!(refund.state, RefundState::Failed);
        shop.write(move |_, tx| paid_otherwise(tx, refund.id, "Ana", "SEPA 123")).await.unwrap();
        assert_eq!(papers_of(&shop, id).await, once);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_lost_dispute_has_no_paper(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(taxed(&shop)).await;
        let id = shop.join(&campaign, "a@mail.example", 1).await.order.id;
        shop.settle().await;
        assert_eq!(shop.pay(id, DISPUTED).await, 303);
        shop.settle().await;
        shop.advance(Duration::days(8)).await;
        let disputes = shop.read(move |c| refunds::disputes_of(c, id)).await;
        assert_eq!(disputes[0].state, muster::domain::payment::DisputeState::Lost, "nobody answered");
        assert_eq!(said(&papers_of(&shop, id).await).len(), 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn each_merchant_counts_for_itself(db: TestDatabase) {
        let mut shop = Shop::open(db).await;
        let one = shop.publish(taxed(&shop)).await;
        let a = shop.join_and_pay(&one, "a@mail.example", 1).await;
        let first = shop.merchant;
        let another = shop.write(move |_, tx| {
            let mut row = merchants::by_id(tx.conn, first)?.unwrap();
            (row.id, row.slug) = (MerchantId::new(), "other".to_owned());
            merchants::insert(tx.conn, &row)?;
            Ok(row.id)
        });
        shop.merchant = another.await.unwrap();
        let mut body = taxed(&shop);
        body["supplier_ids"] = json!([]);
        let two = shop.publish(body).await;
        let b = shop.join_and_pay(&two, "b@mail.example", 1).await;
        let c = shop.join_and_pay(&one, "c@mail.example", 1).await;
        for (order, number) in [(a, 1), (b, 1), (c, 2)] {
            assert_eq!(papers_of(&shop, order).await[0].number, number);
        }
        shop.audit().await;
        shop.close().await;
    }

    async fn what_was_paid_before_there_were_papers_has_none_and_that_is_right(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(taxed(&shop)).await;
        let old = shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        // As the migration leaves an older database: the payment is there, its paper is not.
        shop.write(|_, tx| {
            let drop = match tx.conn {
                Conn::Sqlite(_) => "DROP TRIGGER papers_never_deleted",
                #[cfg(feature = "postgres")]
                Conn::Postgres(_) => "DROP TRIGGER papers_kept ON papers",
            };
            for statement in [
                drop,
                "DELETE FROM papers",
                "DELETE FROM counters WHERE kind = 'receipt'",
            ] {
                run(tx.conn, statement)?;
            }
            Ok(())
        })
        .await
        .unwrap();
        let found = shop.read(|c| Ok(muster::workflows::audit::audit(c, chrono::Utc::now()).unwrap())).await;
        assert!(found.iter().any(|b| b.rule == 10 && b.order == Some(old)), "{found:?}");
        let mark = "INSERT INTO paperless SELECT order_id, attempt FROM payments WHERE state = 'paid'";
        shop.write(move |_, tx| Ok(run(tx.conn, mark)?)).await.unwrap();
        shop.audit().await;
        // What goes back of it has none either; new payments begin with number 1.
        shop.cancel(old).await.unwrap();
        shop.settle().await;
        assert!(papers_of(&shop, old).await.is_empty());
        let new = shop.join_and_pay(&campaign, "b@mail.example", 1).await;
        assert_eq!(papers_of(&shop, new).await[0].number, 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_missing_number_or_paper_is_named(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(taxed(&shop)).await;
        shop.join_and_pay(&campaign, "a@mail.example", 1).await;
        shop.write(|_, tx| Ok(run(tx.conn, "UPDATE counters SET value = 7 WHERE kind = 'receipt'")?)).await.unwrap();
        let found = shop.read(|c| Ok(muster::workflows::audit::audit(c, chrono::Utc::now()).unwrap())).await;
        assert_eq!(found.len(), 1);
        assert!(found[0].to_string().starts_with("receipts: "), "{}", found[0]);
        // What is issued cannot be changed.
        let changed = shop.write(|_, tx| Ok(run(tx.conn, "UPDATE papers SET amount = 1, tax = 0")?)).await;
        assert!(changed.is_err());
        shop.write(|_, tx| Ok(run(tx.conn, "UPDATE counters SET value = 1 WHERE kind = 'receipt'")?)).await.unwrap();
        shop.close().await;
    }
}

fn run(conn: &mut Conn, statement: &str) -> Result<(), StoreError> {
    match conn {
        Conn::Sqlite(c) => diesel::sql_query(statement).execute(c)?,
        #[cfg(feature = "postgres")]
        Conn::Postgres(c) => diesel::sql_query(statement).execute(c)?,
    };
    Ok(())
}
