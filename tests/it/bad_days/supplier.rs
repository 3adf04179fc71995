//! A purchase order that cannot go out.

use chrono::Duration;
use muster::domain::campaign::{CampaignState, Failure};
use muster::domain::order::OrderState;
use muster::domain::payment::RefundPurpose;
use muster::domain::purchase_order::PurchaseOrderState;
use muster::store::merchants;
use muster::workflows::desk::Problem;
use muster::workflows::{campaigns, purchase};
use serde_json::json;

use super::agrees;
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

async fn with_terms(shop: &Shop, minimum: Option<i64>, capacity: Option<i64>) {
    let mut supplier = shop.supplier.clone();
    supplier.minimum_units = minimum;
    supplier.capacity_units = capacity;
    shop.write(move |_, tx| {
        merchants::save_supplier(tx.conn, &supplier)?;
        Ok(())
    })
    .await
    .unwrap();
}

both_databases! {
    async fn a_blocked_purchase_order_warns_and_fails_on_the_seventh_day(db: TestDatabase) {
        let shop = Shop::open(db).await;
        with_terms(&shop, Some(100), None).await;
        let campaign = shop.publish(shop.example_a()).await;
        let a = shop.join_and_pay(&campaign, "a@mail.example", 4).await;
        let b = shop.join_and_pay(&campaign, "b@mail.example", 2).await;
        shop.advance(Duration::days(7) + Duration::minutes(1)).await;
        shop.expect_state(&campaign, CampaignState::Collecting).await;
        let warnings = |mails: Vec<String>| mails.iter().filter(|m| m.contains("cannot be sent")).count();
        assert_eq!(warnings(shop.mail_to("hello@fern.example").await), 0);
        for (days, warned) in [(1, 1), (2, 2), (2, 3)] {
            shop.advance(Duration::days(days)).await;
            assert_eq!(warnings(shop.mail_to("hello@fern.example").await), warned);
            shop.expect_state(&campaign, CampaignState::Collecting).await;
            shop.audit().await;
        }
        shop.advance(Duration::days(2)).await;
        let failed = shop.campaign(&campaign).await;
        assert_eq!((failed.state, failed.failure), (CampaignState::Failed, Some(Failure::Supplier)));
        for id in [a, b] {
            let order = shop.order(id).await;
            assert_eq!((order.state, order.refunded), (OrderState::Cancelled, order.charged));
            assert!(shop.refunds(id).await.iter().any(|r| r.purpose == RefundPurpose::Supplier));
        }
        assert!(shop.mail_to("orders@kasten.example").await.is_empty());
        agrees(&shop, &[a, b]).await;
        shop.close().await;
    }

    async fn a_purchase_order_is_cancelled_with_its_campaign_and_the_supplier_told_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let a = shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        shop.advance(Duration::days(8)).await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        let order = shop.purchase_orders(&campaign).await.remove(0);
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        shop.write(move |desk, tx| campaigns::cancel(desk, tx, merchant, &slug, "Kiln broke")).await.unwrap();
        shop.advance(Duration::days(10)).await;
        assert_eq!(shop.purchase_orders(&campaign).await[0].state, PurchaseOrderState::Cancelled);
        let mails = shop.mail_to("orders@kasten.example").await;
        assert_eq!(mails.len(), 2, "sent and cancelled, never reminded: {mails:?}");
        assert!(mails[1].ends_with("is cancelled: please do not deliver"), "{mails:?}");
        let late = shop.write(move |_, tx| purchase::acknowledge(tx, order.id, None)).await;
        assert!(late.is_err(), "nobody says yes to what is not wanted");
        agrees(&shop, &[a]).await;
        shop.close().await;
    }

    async fn what_was_judged_is_not_repriced(db: TestDatabase) {
        let shop = Shop::open(db).await;
        with_terms(&shop, Some(100), None).await;
        let campaign = shop.publish(shop.example_a()).await;
        let a = shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        shop.advance(Duration::days(7) + Duration::minutes(1)).await;
        shop.expect_state(&campaign, CampaignState::Collecting).await;
        let mut body = shop.example_a();
        let mut spec: serde_json::Value = serde_json::from_str(&campaign.spec).unwrap();
        spec["options"][0]["prices"] = json!([5000, 4500, 4000]);
        for key in ["deadline", "promised_ship_date", "stop_loss_date", "options"] {
            body[key] = spec[key].clone();
        }
        let input: muster::domain::draft::CampaignInput = serde_json::from_value(body).unwrap();
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        let cheaper = shop.write(move |_, tx| campaigns::edit(tx, merchant, &slug, input.clone())).await;
        assert!(matches!(cheaper, Err(Problem::Conflict { kind: "locked", .. })), "{cheaper:?}");
        agrees(&shop, &[a]).await;
        shop.close().await;
    }

    async fn a_campaign_without_a_supplier_fails_on_the_seventh_day(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = shop.example_a();
        body["supplier_ids"] = json!([]);
        let campaign = shop.publish(body).await;
        let a = shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        shop.advance(Duration::days(13)).await;
        shop.expect_state(&campaign, CampaignState::Collecting).await;
        shop.audit().await;
        shop.advance(Duration::days(2)).await;
        assert_eq!(shop.campaign(&campaign).await.failure, Some(Failure::Supplier));
        assert_eq!(shop.order(a).await.refunded, 60000);
        agrees(&shop, &[a]).await;
        shop.close().await;
    }

    async fn a_cancellation_that_unblocks_the_purchase_order_lets_it_go_out(db: TestDatabase) {
        let shop = Shop::open(db).await;
        with_terms(&shop, None, Some(6)).await;
        let campaign = shop.publish(shop.example_a()).await;
        let a = shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        let b = shop.join_and_pay(&campaign, "b@mail.example", 2).await;
        shop.advance(Duration::days(7) + Duration::minutes(1)).await;
        shop.expect_state(&campaign, CampaignState::Collecting).await;
        shop.cancel(b).await.unwrap();
        shop.settle().await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        let sent = shop.purchase_orders(&campaign).await.pop().unwrap();
        assert_eq!((sent.state, sent.units), (PurchaseOrderState::Sent, 6));
        assert!(shop.cancel(a).await.is_err(), "the purchase order was sent");
        agrees(&shop, &[a, b]).await;
        shop.close().await;
    }

    async fn when_everybody_leaves_a_blocked_batch_the_campaign_falls_short(db: TestDatabase) {
        let shop = Shop::open(db).await;
        with_terms(&shop, Some(100), None).await;
        let campaign = shop.publish(shop.example_a()).await;
        let a = shop.join_and_pay(&campaign, "a@mail.example", 4).await;
        let b = shop.join_and_pay(&campaign, "b@mail.example", 2).await;
        shop.advance(Duration::days(7) + Duration::minutes(1)).await;
        shop.cancel(a).await.unwrap();
        shop.settle().await;
        shop.expect_state(&campaign, CampaignState::Collecting).await;
        assert_eq!(shop.purchase_orders(&campaign).await[0].units, 2);
        shop.cancel(b).await.unwrap();
        shop.settle().await;
        let failed = shop.campaign(&campaign).await;
        assert_eq!((failed.state, failed.failure), (CampaignState::Failed, Some(Failure::Shortfall)));
        agrees(&shop, &[a, b]).await;
        shop.close().await;
    }
}
