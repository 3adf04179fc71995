//! Ways out: another supplier, two of them, added units, a new version; cancelled while it is being made.

use std::collections::BTreeMap;

use chrono::Duration;
use muster::domain::campaign::{BatchState, CampaignState};
use muster::domain::ids::PurchaseOrderId;
use muster::domain::purchase_order::{EtaState, PurchaseOrderState};
use muster::store::campaigns::CampaignRow;
use muster::store::purchase_orders::PurchaseOrderRow;
use muster::workflows::campaigns;
use muster::workflows::desk::Problem;
use muster::workflows::purchase::ways::{Plan, Split, replace, send_planned};
use muster::workflows::purchase::{self, Document, Sent, set_date};
use serde_json::json;

use super::{FIRST, backup, batch_is, dates, on_order, ordered, po, told, with_terms};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

async fn put(
    shop: &Shop,
    id: PurchaseOrderId,
    plan: Plan,
    reason: &'static str,
) -> Result<PurchaseOrderRow, Problem> {
    let merchant = shop.merchant;
    shop.write(move |desk, tx| replace(desk, tx, merchant, id, &plan, reason))
        .await
}

async fn planned(shop: &Shop, id: PurchaseOrderId, plan: Plan) -> Result<Sent, Problem> {
    let merchant = shop.merchant;
    shop.write(move |desk, tx| send_planned(desk, tx, merchant, id, &plan))
        .await
}

fn document(po: &PurchaseOrderRow) -> Document {
    serde_json::from_str(&po.document).unwrap()
}

/// Paid: six sets and three mugs; the order waits.
async fn two_options(shop: &Shop) -> (CampaignRow, PurchaseOrderRow) {
    let mut body = shop.example_a();
    body["safety_percent"] = json!(10);
    body["options"] = json!([
        {"sku": "set", "name": "Full set", "prices": [10000, 9000, 8000]},
        {"sku": "mug", "name": "Mug", "prices": [2000, 1900, 1800]},
    ]);
    let campaign = shop.publish(body).await;
    let mut wish = shop.wish(&campaign, "a@mail.example", 6);
    wish.lines.push(("mug".into(), 3));
    let placed = shop.running.app.office.join(wish).await.unwrap();
    shop.settle().await;
    assert_eq!(
        shop.pay(placed.order.id, crate::support::shop::GOOD_CARD)
            .await,
        303
    );
    shop.advance(Duration::days(7) + Duration::minutes(1)).await;
    let draft = shop.purchase_orders(&campaign).await.remove(0);
    assert_eq!(draft.state, PurchaseOrderState::Draft);
    (campaign, draft)
}

both_databases! {
    async fn the_backup_takes_over_and_keeps_the_batch(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let other = backup(&shop, |_| {}).await;
        let mut body = shop.example_a();
        body["supplier_ids"] = json!([shop.supplier.id.to_string(), other.id.to_string()]);
        let campaign = shop.publish(body).await;
        shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        shop.advance(Duration::days(7) + Duration::minutes(1)).await;
        let old = shop.purchase_orders(&campaign).await.remove(0);
        let (id, day) = (old.id, (shop.now() + Duration::days(20)).date_naive());
        shop.write(move |desk, tx| set_date(desk, tx, id, day, "")).await.unwrap();
        let silent = put(&shop, old.id, Plan::default(), "  ").await;
        assert!(matches!(&silent, Err(Problem::Invalid(e)) if e[0].field == "reason"), "{silent:?}");
        let new = put(&shop, old.id, Plan::default(), "They are too slow.").await.unwrap();
        assert_eq!((new.supplier_id, new.number, new.version), (Some(other.id), Some(2), 1));
        assert_eq!((new.state, new.batch_id, new.replaces), (PurchaseOrderState::Sent, old.batch_id, Some(old.id)));
        assert_eq!((document(&new).total, new.units), (21_000, 6));
        assert_eq!(po(&shop, &old).await.state, PurchaseOrderState::Replaced);
        assert_eq!(dates(&shop, &campaign).await[0].state, EtaState::Superseded);
        assert_eq!(on_order(&shop, &campaign).await, 6);
        batch_is(&shop, &campaign, BatchState::Ordered).await;
        let twice = put(&shop, old.id, Plan::default(), "Again.").await;
        assert!(matches!(twice, Err(Problem::Conflict { kind: "wrong-state", .. })), "{twice:?}");
        let nobody = put(&shop, new.id, Plan::default(), "Neither.").await.unwrap();
        assert_eq!(nobody.supplier_id, old.supplier_id, "the first did not refuse; it may be asked again");
        shop.settle().await;
        assert_eq!(told(&shop.mail_to(FIRST).await, "PO-0001 from Fern & Kiln is replaced"), 1);
        assert_eq!(told(&shop.mail_to("po@olaria.example").await, "PO-0002 from Fern & Kiln: 6 units, $210.00"), 1);
        shop.audit().await;
        shop.close().await;
    }

    async fn who_refused_is_not_asked_again_unless_by_name(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, order) = ordered(&shop).await;
        let id = order.id;
        shop.write(move |desk, tx| purchase::reject(desk, tx, id, "The kiln broke.")).await.unwrap();
        let nobody = put(&shop, id, Plan::default(), "They refused.").await;
        assert!(matches!(&nobody, Err(Problem::Invalid(e)) if e[0].field == "supplier_id"), "{nobody:?}");
        let small = backup(&shop, |s| s.minimum_units = Some(10)).await;
        let to = |added_units| Plan { supplier: Some(small.id), added_units, ..Plan::default() };
        let blocked = put(&shop, id, to(None), "They refused.").await;
        assert!(matches!(blocked, Err(Problem::Conflict { kind: "purchase-order-blocked", .. })), "{blocked:?}");
        assert_eq!(po(&shop, &order).await.state, PurchaseOrderState::Rejected, "nothing changed");
        let wrong = put(&shop, id, to(Some(-1)), "They refused.").await;
        assert!(matches!(&wrong, Err(Problem::Invalid(e)) if e[0].field == "added_units"), "{wrong:?}");
        let named = Plan { supplier: order.supplier_id, ..Plan::default() };
        let again = put(&shop, id, named, "Agreed by telephone.").await.unwrap();
        assert_eq!((again.number, again.version, again.state), (Some(1), 2, PurchaseOrderState::Sent));
        let new = put(&shop, again.id, to(Some(4)), "Too slow after all.").await.unwrap();
        assert_eq!((new.units, new.units_paid, new.added_units, new.number), (10, 6, 4, Some(2)));
        assert_eq!(on_order(&shop, &campaign).await, 10);
        shop.audit().await;
        shop.close().await;
    }

    async fn added_units_come_to_the_minimum_and_go_by_what_was_paid(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let costs = json!({"set": 4000, "mug": 800}).to_string();
        with_terms(&shop, |s| { s.minimum_units = Some(20); s.unit_costs = costs; }).await;
        let (campaign, draft) = two_options(&shop).await;
        let some = Plan { added_units: Some(5), ..Plan::default() };
        assert!(matches!(planned(&shop, draft.id, some).await, Ok(Sent::Blocked(..))));
        let kept = po(&shop, &draft).await;
        assert_eq!((kept.state, kept.added_units, kept.units), (PurchaseOrderState::Draft, 5, 16), "kept for the next time");
        for added in [-1, i64::MAX] {
            let plan = Plan { added_units: Some(added), ..Plan::default() };
            assert!(matches!(planned(&shop, draft.id, plan).await, Err(Problem::Invalid(_))));
        }
        let enough = Plan { added_units: Some(9), ..Plan::default() };
        assert_eq!(planned(&shop, draft.id, enough).await.unwrap(), Sent::Done);
        let sent = po(&shop, &draft).await;
        assert_eq!((sent.state, sent.units, sent.units_paid), (PurchaseOrderState::Sent, 20, 9));
        let lines: Vec<_> = document(&sent).lines.iter().map(|l| (l.paid, l.safety, l.added, l.units)).collect();
        assert_eq!(lines, [(6, 1, 6, 13), (3, 1, 3, 7)]);
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(on_order(&shop, &campaign).await, 20);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_split_covers_what_was_paid_between_the_two(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let costs = json!({"set": 4000, "mug": 800}).to_string();
        with_terms(&shop, |s| { s.capacity_units = Some(6); s.unit_costs = costs; }).await;
        let other = backup(&shop, |s| s.case_pack = 4).await;
        let (campaign, draft) = two_options(&shop).await;
        let split = |supplier, units: &[(&str, i64)]| Plan {
            split: Some(Split { supplier, units: units.iter().map(|(s, n)| ((*s).to_owned(), *n)).collect::<BTreeMap<_, _>>() }),
            ..Plan::default()
        };
        for (wrong, field) in [
            (split(shop.supplier.id, &[("set", 2)]), "split.supplier_id"),
            (split(other.id, &[("set", 7)]), "split.units.set"),
            (split(other.id, &[("set", -1)]), "split.units.set"),
            (split(other.id, &[("cup", 1)]), "split.units.cup"),
            (split(other.id, &[]), "split.units"),
            (split(other.id, &[("set", 6), ("mug", 3)]), "split.units"),
        ] {
            let said = planned(&shop, draft.id, wrong).await;
            assert!(matches!(&said, Err(Problem::Invalid(e)) if e[0].field == field), "{field}: {said:?}");
        }
        let blocked = planned(&shop, draft.id, split(other.id, &[("set", 1)])).await;
        assert!(matches!(blocked, Err(Problem::Conflict { kind: "purchase-order-blocked", .. })), "{blocked:?}");
        assert_eq!(shop.purchase_orders(&campaign).await.len(), 1, "nothing was sent");
        planned(&shop, draft.id, split(other.id, &[("set", 4), ("mug", 1)])).await.unwrap();
        let sent = shop.purchase_orders(&campaign).await;
        let units: Vec<_> = sent.iter().map(|p| (p.number, p.units_paid, p.units)).collect();
        assert_eq!(units, [(Some(1), 4, 6), (Some(2), 5, 12)], "each with its safety and its cases");
        assert_eq!(on_order(&shop, &campaign).await, 18);
        let late = planned(&shop, draft.id, Plan::default()).await;
        assert!(matches!(late, Err(Problem::Conflict { kind: "wrong-state", .. })));
        let first = Plan { supplier: Some(other.id), ..Plan::default() };
        let twice = put(&shop, draft.id, first, "All to one.").await;
        assert!(matches!(twice, Err(Problem::Conflict { kind: "purchase-order-blocked", .. })), "one order each");
        let third = backup(&shop, |s| s.name = "Third".into()).await;
        let to = Plan { supplier: Some(third.id), ..Plan::default() };
        let new = put(&shop, draft.id, to, "Too slow.").await.unwrap();
        assert_eq!((new.units_paid, new.number), (4, Some(3)), "only the part that was replaced");
        shop.audit().await;
        shop.close().await;
    }

    async fn a_blocked_draft_goes_to_the_backup(db: TestDatabase) {
        let shop = Shop::open(db).await;
        with_terms(&shop, |s| s.minimum_units = Some(100)).await;
        let other = backup(&shop, |_| {}).await;
        let campaign = shop.publish(shop.example_a()).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        shop.advance(Duration::days(7) + Duration::minutes(1)).await;
        let draft = shop.purchase_orders(&campaign).await.remove(0);
        let plan = Plan { supplier: Some(other.id), ..Plan::default() };
        let sent = put(&shop, draft.id, plan, "Under the minimum.").await.unwrap();
        assert_eq!((sent.id, sent.state, sent.number), (draft.id, PurchaseOrderState::Sent, Some(1)));
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert!(shop.cancel(order).await.is_err(), "it is ordered");
        shop.settle().await;
        assert!(shop.mail_to(FIRST).await.is_empty(), "who was never sent anything hears nothing");
        shop.audit().await;
        shop.close().await;
    }

    async fn who_makes_it_hears_that_the_campaign_was_cancelled(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (campaign, order) = ordered(&shop).await;
        let id = order.id;
        let day = (shop.now() + Duration::days(20)).date_naive();
        shop.write(move |desk, tx| {
            purchase::in_production(tx, id)?;
            set_date(desk, tx, id, day, "").map(|_| ())
        }).await.unwrap();
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        shop.write(move |desk, tx| campaigns::cancel(desk, tx, merchant, &slug, "Kiln broke")).await.unwrap();
        shop.advance(Duration::days(2)).await;
        assert_eq!(po(&shop, &order).await.state, PurchaseOrderState::Cancelled);
        assert_eq!(told(&shop.mail_to(FIRST).await, "is cancelled: please do not deliver"), 1);
        assert_eq!(dates(&shop, &campaign).await[0].state, EtaState::Superseded, "no date is passed on any more");
        assert_eq!((on_order(&shop, &campaign).await, shop.batch(&campaign).await.arrives), (0, None));
        shop.audit().await;
        shop.close().await;
    }
}
