//! Everybody at once: judged once, capped, limited, whatever comes in which order.

use chrono::Duration;
use futures_util::future::join_all;
use muster::domain::campaign::CampaignState;
use muster::domain::order::OrderState;
use muster::domain::purchase_order::PurchaseOrderState;
use muster::workflows::{campaigns, judgement, purchase};
use serde_json::json;

use super::agrees;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

both_databases! {
    async fn a_cap_is_never_exceeded_by_64_at_once(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = shop.example_a();
        body["options"][0]["cap"] = json!(50);
        let campaign = shop.publish(body).await;
        let joins = (0..64).map(|n| {
            let wish = shop.wish(&campaign, &format!("s{n}@mail.example"), 1 + n % 3);
            shop.running.app.office.join(wish)
        });
        let placed: Vec<_> = join_all(joins).await;
        let units: i64 = placed.iter().filter_map(|p| p.as_ref().ok()).map(|p| p.order.units).sum();
        assert_eq!(units, 50, "sold out to the last unit");
        assert!(placed.iter().filter_map(|p| p.as_ref().err()).all(|e| e.to_string().contains("left") || e.to_string().contains("sold out")));
        shop.audit().await;
        shop.close().await;
    }

    async fn a_shopper_never_has_more_than_the_limit(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = shop.example_a();
        body["options"][0]["per_shopper"] = json!(3);
        let campaign = shop.publish(body).await;
        let joins = (0..64).map(|n| {
            let wish = shop.wish(&campaign, if n % 2 == 0 { "a@mail.example" } else { "b@mail.example" }, 1);
            shop.running.app.office.join(wish)
        });
        let placed: Vec<_> = join_all(joins).await.into_iter().flatten().collect();
        assert_eq!(placed.len(), 6);
        shop.audit().await;
        // What is freed may be joined again.
        shop.cancel(placed[0].order.id).await.unwrap();
        shop.settle().await;
        shop.join(&campaign, &placed[0].order.email, 1).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn one_form_makes_one_order_however_often_it_is_sent(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let send = |email: &str| {
            let mut wish = shop.wish(&campaign, email, 2);
            wish.form_key = Some("form-1".into());
            shop.running.app.office.join(wish)
        };
        let all = join_all((0..16).map(|n| send(if n == 9 { "thief@mail.example" } else { "a@mail.example" }))).await;
        let mut ids = Vec::new();
        for placed in &all {
            match placed {
                Ok(placed) => ids.push((placed.order.id, placed.order.email.clone())),
                Err(e) => assert!(e.to_string().contains("form"), "{e}"),
            }
        }
        ids.dedup();
        assert_eq!(ids.len(), 1, "one order, shown to nobody else: {ids:?}");
        assert!(send("thief@mail.example").await.is_err());
        assert!(send("a@mail.example").await.unwrap().again);
        shop.audit().await;
        shop.close().await;
    }

    async fn a_batch_is_judged_once_however_many_ask(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let order = shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        let id = campaign.id;
        let deadline = campaign.deadline;
        let ask = |_| shop.write(move |desk, tx| {
            tx.now = deadline.and_utc();
            judgement::judge(desk, tx, id)
        });
        let judged = join_all((0..16).map(ask)).await;
        assert!(judged.iter().all(Result::is_ok), "{judged:?}");
        shop.audit().await;
        let batch = shop.batch(&campaign).await.id;
        let send = |_| shop.write(move |desk, tx| purchase::send(desk, tx, batch, None));
        assert!(join_all((0..16).map(send)).await.iter().all(Result::is_ok));
        shop.settle().await;
        let sent = shop.purchase_orders(&campaign).await;
        assert_eq!(sent.len(), 1);
        assert_eq!((sent[0].state, sent[0].number), (PurchaseOrderState::Sent, Some(1)));
        assert_eq!(shop.mail_to("orders@kasten.example").await.len(), 1);
        assert_eq!(shop.order(order).await.state, OrderState::Backordered);
        agrees(&shop, &[order]).await;
        shop.close().await;
    }

    async fn everybody_is_told_of_an_extension_who_is_still_to_pay_too(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        shop.join_and_pay(&campaign, "paid@mail.example", 1).await;
        shop.join(&campaign, "paying@mail.example", 1).await;
        let left = shop.join(&campaign, "left@mail.example", 1).await.order.id;
        shop.settle().await;
        shop.cancel(left).await.unwrap();
        let (merchant, slug, later) = (shop.merchant, campaign.slug.clone(), campaign.deadline.and_utc() + Duration::days(3));
        shop.write(move |_, tx| campaigns::extend(tx, merchant, &slug, later, None)).await.unwrap();
        shop.settle().await;
        let told = async |who: &str| {
            let mails = shop.mail_to(who).await;
            mails.into_iter().filter_map(|m| m.split_once(" now ends on ").map(|(_, end)| end.to_owned())).collect::<Vec<_>>()
        };
        let (paid, paying) = (told("paid@mail.example").await, told("paying@mail.example").await);
        assert!(paid.len() == 1 && paid[0].ends_with(": stay, or take back $100.00"), "{paid:?}");
        assert!(paying.len() == 1 && paying[0].ends_with(": stay, or leave"), "{paying:?}");
        assert!(told("left@mail.example").await.is_empty());
        shop.audit().await;
        shop.close().await;
    }

    async fn either_the_deadline_is_extended_or_the_batch_is_judged(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        shop.join_and_pay(&campaign, "a@mail.example", 6).await;
        let (merchant, slug, id) = (shop.merchant, campaign.slug.clone(), campaign.id);
        let (deadline, later) = (campaign.deadline.and_utc(), campaign.deadline.and_utc() + Duration::days(3));
        let extend = {
            let slug = slug.clone();
            shop.write(move |_, tx| campaigns::extend(tx, merchant, &slug, later, None))
        };
        let judge = shop.write(move |desk, tx| {
            tx.now = deadline;
            judgement::judge(desk, tx, id)
        });
        let (extended, judged) = tokio::join!(extend, judge);
        let now = shop.campaign(&campaign).await;
        match (extended, now.state) {
            (Ok(_), CampaignState::Open) => assert_eq!(now.deadline, later.naive_utc()),
            (Err(_), CampaignState::Collecting) => assert_eq!(now.deadline, deadline.naive_utc()),
            (extended, state) => panic!("{extended:?} {state} {judged:?}"),
        }
        assert!(shop.write(move |_, tx| campaigns::extend(tx, merchant, &slug, later + Duration::days(1), None)).await.is_err());
        shop.audit().await;
        shop.close().await;
    }

    async fn an_order_is_cancelled_or_in_the_purchase_order_never_both(db: TestDatabase) {
        let shop = Shop::open(db).await;
        for round in 0..4 {
            let campaign = shop.publish(shop.example_a()).await;
            let mut orders = Vec::new();
            for n in 0..4 {
                orders.push(shop.join_and_pay(&campaign, &format!("s{n}@mail.example"), 2).await);
            }
            let (id, deadline) = (campaign.id, campaign.deadline.and_utc());
            shop.write(move |desk, tx| {
                tx.now = deadline;
                judgement::judge(desk, tx, id)
            }).await.unwrap();
            let batch = shop.batch(&campaign).await.id;
            let send = async {
                for _ in 0..round { tokio::task::yield_now().await; }
                shop.write(move |desk, tx| purchase::send(desk, tx, batch, None)).await.unwrap();
            };
            let (cancelled, ()) = tokio::join!(join_all(orders.iter().map(|o| shop.cancel(*o))), send);
            let left = cancelled.iter().filter(|c| c.is_ok()).count();
            let units = 8 - 2 * i64::try_from(left).unwrap();
            let now = shop.campaign(&campaign).await;
            let sent = shop.purchase_orders(&campaign).await.pop().unwrap();
            if units == 0 {
                assert_eq!(now.state, CampaignState::Failed);
            } else {
                assert_eq!((now.state, sent.units, sent.units_paid), (CampaignState::Ordered, units, units));
            }
            shop.settle().await;
            agrees(&shop, &orders).await;
        }
        shop.close().await;
    }

    async fn close_now_ends_joining_and_waits_for_what_is_held(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        let close = {
            let slug = slug.clone();
            move || { let slug = slug.clone(); shop_close(merchant, slug) }
        };
        shop.join_and_pay(&campaign, "a@mail.example", 4).await;
        assert!(shop.write(close()).await.is_err(), "the threshold is not paid");
        shop.join_and_pay(&campaign, "b@mail.example", 2).await;
        let held = shop.join(&campaign, "c@mail.example", 2).await.order.id;
        shop.settle().await;
        shop.write(close()).await.unwrap();
        assert!(shop.write(close()).await.is_err());
        shop.settle().await;
        shop.expect_state(&campaign, CampaignState::Open).await;
        assert!(shop.running.app.office.join(shop.wish(&campaign, "d@mail.example", 1)).await.is_err());
        shop.audit().await;
        assert_eq!(shop.pay(held, GOOD_CARD).await, 303);
        shop.settle().await;
        shop.expect_state(&campaign, CampaignState::Ordered).await;
        assert_eq!(shop.purchase_orders(&campaign).await[0].units, 8);
        agrees(&shop, &[held]).await;
        shop.close().await;
    }

    async fn the_order_that_crosses_the_threshold_is_in_it_whole(db: TestDatabase) {
        let shop = Shop::open(db).await;
        for threshold in [json!({"kind": "units", "target": 5}), json!({"kind": "amount", "target": 45000})] {
            let mut body = shop.example_a();
            body["trigger"] = json!("at_threshold");
            body["threshold"] = threshold;
            let campaign = shop.publish(body).await;
            let first = shop.join_and_pay(&campaign, "a@mail.example", 4).await;
            shop.expect_state(&campaign, CampaignState::Open).await;
            let held = shop.join(&campaign, "b@mail.example", 1).await.order.id;
            let crossing = shop.join_and_pay(&campaign, "c@mail.example", 7).await;
            // Joining has ended; what is held runs out, then it is judged.
            assert!(shop.running.app.office.join(shop.wish(&campaign, "d@mail.example", 1)).await.is_err());
            shop.audit().await;
            shop.advance(Duration::minutes(35)).await;
            shop.expect_state(&campaign, CampaignState::Ordered).await;
            assert_eq!(shop.order(held).await.state, OrderState::Expired);
            assert_eq!(shop.purchase_orders(&campaign).await[0].units, 11);
            // Step 10: 80 each.
            assert_eq!(shop.order(first).await.final_total, Some(32000));
            assert_eq!(shop.order(crossing).await.final_total, Some(56000));
            agrees(&shop, &[first, held, crossing]).await;
        }
        shop.close().await;
    }

    async fn a_threshold_by_value_counts_at_the_step_reached(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = shop.example_a();
        body["threshold"] = json!({"kind": "amount", "target": 46000});
        let campaign = shop.publish(body).await;
        // Four at 100 and one more at 100 were charged; five at the step reached are 450: short.
        let a = shop.join_and_pay(&campaign, "a@mail.example", 4).await;
        let b = shop.join_and_pay(&campaign, "b@mail.example", 1).await;
        assert_eq!(shop.order(a).await.charged + shop.order(b).await.charged, 50000);
        shop.advance(Duration::days(8)).await;
        shop.expect_state(&campaign, CampaignState::Failed).await;
        agrees(&shop, &[a, b]).await;
        shop.close().await;
    }
}

fn shop_close(
    merchant: muster::domain::ids::MerchantId,
    slug: String,
) -> impl Fn(
    &muster::workflows::desk::Desk,
    &mut muster::store::Tx,
) -> Result<muster::store::campaigns::CampaignRow, muster::workflows::desk::Problem>
+ Send
+ 'static {
    move |_, tx| campaigns::close(tx, merchant, &slug)
}
