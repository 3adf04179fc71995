//! The days of a batch: mails that do not arrive, downtimes, warnings to staff, an extension that moves the date.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{Duration, NaiveDate};
use diesel::RunQueryDsl;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use muster::app::Seams;
use muster::domain::draft::CampaignInput;
use muster::domain::promise::{NoticeKind, NoticeState, Silence};
use muster::store::jobs;
use muster::workflows::campaigns;
use muster::workflows::desk::Problem;
use muster::workflows::ports::{Delivered, MailError, Mailer, Outgoing};
use serde_json::json;

use super::{
    at, days_after, days_before, is_refunded, last_notice, noon, notices_of, of_year, promise_of,
    promised, ships_by, staff_told, told, until, waits,
};
use crate::goods::scene::{ONE, hand_over};
use crate::support::database::TestDatabase;
use crate::support::shop::Shop;

/// A mail server that refuses everything to one address while it is told to.
struct Refusing {
    inner: Arc<dyn Mailer>,
    on: Arc<AtomicBool>,
    later: bool,
}

impl Mailer for Refusing {
    fn send(&self, mail: Outgoing) -> BoxFuture<'_, Result<Delivered, MailError>> {
        async move {
            if mail.to != "s0@mail.example" || !self.on.load(Ordering::SeqCst) {
                return self.inner.send(mail).await;
            }
            Err(match self.later {
                true => MailError::Later("the mailbox is full".into()),
                false => MailError::Refused("no such mailbox".into()),
            })
        }
        .boxed()
    }
}

async fn shop_with(db: TestDatabase, later: bool) -> (Shop, Arc<AtomicBool>) {
    let on = Arc::new(AtomicBool::new(false));
    let switch = on.clone();
    let seams = Seams {
        mailer: Box::new(move |inner| {
            Arc::new(Refusing {
                inner,
                on: switch,
                later,
            })
        }),
        ..Seams::default()
    };
    (Shop::open_with(db, 5, seams).await, on)
}

both_databases! {
    async fn what_is_not_delivered_counts_as_none(db: TestDatabase) {
        let (shop, refuses) = shop_with(db, false).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE), (1, 0, ONE)], |_| {}).await;
        refuses.store(true, Ordering::SeqCst);
        ships_by(&shop, &scene, days_after(d, 20)).await;
        let lost = last_notice(&shop, scene.orders[0]).await;
        assert_eq!((lost.state, lost.sent_at), (NoticeState::Undelivered, None));
        assert_eq!(promise_of(&shop, scene.orders[0]).await.cancels_after, Some(d));
        assert_eq!(promise_of(&shop, scene.orders[1]).await.cancels_after, Some(days_after(d, 20)));
        assert_eq!(staff_told(&shop, "could not be delivered").await, 1);
        // The system tries again before D, each morning.
        until(&shop, at(days_before(d, 4), "12:00")).await;
        let tries = notices_of(&shop, scene.orders[0]).await;
        assert_eq!(tries.iter().filter(|n| n.sent_by == "system" && n.state == NoticeState::Undelivered).count(), 2);
        until(&shop, at(days_after(d, 1), "06:01")).await;
        is_refunded(&shop, scene.orders[0]).await;
        let note = shop.order(scene.orders[0]).await.note.unwrap();
        assert!(note.contains("no new date was told in time"), "{note}");
        waits(&shop, scene.orders[1]).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn a_mail_that_arrives_before_the_last_day_is_over_is_in_time(db: TestDatabase) {
        let (shop, refuses) = shop_with(db, true).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE)], |_| {}).await;
        let order = scene.orders[0];
        until(&shop, at(d, "10:00")).await;
        // The system's notice was sent before; this one offers again and waits for the mail server.
        refuses.store(true, Ordering::SeqCst);
        ships_by(&shop, &scene, days_after(d, 20)).await;
        assert_eq!(last_notice(&shop, order).await.state, NoticeState::Prepared);
        refuses.store(false, Ordering::SeqCst);
        shop.advance(Duration::hours(3)).await;
        let row = last_notice(&shop, order).await;
        assert_eq!((row.state, row.kind), (NoticeState::Sent, NoticeKind::Renewed));
        assert_eq!(promise_of(&shop, order).await.cancels_after, Some(days_after(d, 30)));
        shop.audit().await;
        shop.close().await;
    }

    /// What is overdue is judged by the time it really runs.
    async fn after_a_downtime_the_days_that_are_over_are_over(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE), (1, 0, ONE)], |_| {}).await;
        until(&shop, at(days_before(d, 6), "12:00")).await;
        // Nothing ran for a week: the work that was due in it is due at the end of it.
        let batch = scene.batch.to_string();
        let back = at(days_after(d, 1), "09:00").naive_utc();
        shop.write(move |_, tx| {
            let job = jobs::find(tx.conn, jobs::PROMISE, &batch)?.unwrap();
            assert!(jobs::lease(tx.conn, 64, job.run_at, Duration::seconds(1))?.iter().any(|j| j.kind == "promise"));
            let leased = jobs::find(tx.conn, jobs::PROMISE, &batch)?.unwrap();
            jobs::done(tx.conn, &leased, Some(back), tx.now.naive_utc())?;
            Ok(())
        })
        .await
        .unwrap();
        until(&shop, back.and_utc() + Duration::minutes(1)).await;
        for order in &scene.orders {
            assert!(notices_of(&shop, *order).await.is_empty(), "too late to ask");
            is_refunded(&shop, *order).await;
        }
        shop.audit().await;
        shop.close().await;
    }

    async fn one_order_that_fails_keeps_nobody_from_their_refund(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE), (1, 0, ONE), (1, 0, ONE)], |_| {}).await;
        until(&shop, at(days_after(d, 31), "05:55")).await;
        let set = |currency: &'static str| {
            shop.write(move |_, tx| {
                let sql = format!("UPDATE orders SET currency = '{currency}' WHERE number = 1");
                diesel::sql_query(sql).execute(tx.conn)?;
                Ok(())
            })
        };
        // Its row is damaged: nothing of it can be booked.
        set("???").await.unwrap();
        until(&shop, at(days_after(d, 31), "06:01")).await;
        for order in &scene.orders[1..] {
            is_refunded(&shop, *order).await;
        }
        waits(&shop, scene.orders[0]).await;
        set("usd").await.unwrap();
        shop.advance(Duration::minutes(10)).await;
        is_refunded(&shop, scene.orders[0]).await;
        shop.audit().await;
        shop.close().await;
    }

    async fn staff_are_warned_fourteen_seven_and_three_days_before(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE), (1, 0, ONE)], |_| {}).await;
        let warned = "not shipped, promised by";
        for (days, time, so_far) in [(15, "12:00", 0), (14, "06:01", 1), (8, "12:00", 1), (7, "06:01", 2), (4, "12:00", 2), (3, "06:01", 3)] {
            until(&shop, at(days_before(d, days), time)).await;
            assert_eq!(staff_told(&shop, warned).await, so_far, "{days} days before");
        }
        // Of the stop-loss date too, with the money.
        for order in &scene.orders {
            super::answers(&shop, *order, muster::domain::promise::Answer::Wait).await.unwrap();
        }
        let last = of_year(d, 7, 1);
        let warned = "$210.00 goes back after 1 July";
        for (days, time, so_far) in [(15, "12:00", 0), (14, "06:01", 1), (7, "06:01", 2), (2, "12:00", 2), (1, "06:01", 3), (0, "12:00", 3)] {
            until(&shop, at(days_before(last, days), time)).await;
            assert_eq!(staff_told(&shop, warned).await, so_far, "{days} days before");
        }
        shop.audit().await;
        shop.close().await;
    }

    async fn who_was_shipped_in_time_hears_nothing(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let (scene, d) = promised(&shop, &[(1, 0, ONE), (1, 0, ONE)], |_| {}).await;
        scene.arrive(&shop, 2, 0).await;
        shop.settle().await;
        scene.pick(&shop).await;
        let parcel = scene.parcels(&shop, 0).await.remove(0);
        hand_over(&shop, parcel.id, None).await.unwrap();
        until(&shop, at(days_before(d, 1), "06:01")).await;
        assert_eq!(notices_of(&shop, scene.orders[0]).await.len(), 1, "only that it is there early");
        assert_eq!(notices_of(&shop, scene.orders[1]).await.len(), 2);
        shop.audit().await;
        shop.close().await;
    }

    /// A day ends at the first instant of the next: a deadline then is before the promised day, at the start as later on.
    async fn a_deadline_may_be_the_first_instant_of_the_promised_day_and_no_later(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let mut body = shop.example_a();
        let promised: NaiveDate = body["promised_ship_date"].as_str().unwrap().parse().unwrap();
        let midnight = at(promised, "00:00");
        let late = midnight + Duration::seconds(1);
        let plain = body.clone();
        body["deadline"] = json!(late.to_rfc3339());
        let input: CampaignInput = serde_json::from_value(body.clone()).unwrap();
        assert_eq!(input.check(shop.now()).unwrap_err()[0].field, "promised_ship_date");
        body["deadline"] = json!(midnight.to_rfc3339());
        assert_eq!(shop.publish(body).await.deadline, midnight.naive_utc());
        let campaign = shop.publish(plain).await;
        let extend = async |to| {
            let (merchant, slug) = (shop.merchant, campaign.slug.clone());
            shop.write(move |_, tx| campaigns::extend(tx, merchant, &slug, to, None)).await
        };
        let refused = extend(late).await.unwrap_err();
        assert!(matches!(&refused, Problem::Invalid(e) if e[0].field == "deadline"), "{refused:?}");
        assert_eq!(extend(midnight).await.unwrap().deadline, midnight.naive_utc());
        shop.close().await;
    }

    /// The merchant may extend once; if it moves the promise, that is a first notice.
    async fn an_extension_that_moves_the_ship_date_asks(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let early = shop.join_and_pay(&campaign, "s0@mail.example", 6).await;
        // Placed before, paid after: promised what was shown.
        let between = shop.join(&campaign, "s1@mail.example", 1).await.order.id;
        shop.settle().await;
        let (merchant, slug) = (shop.merchant, campaign.slug.clone());
        let deadline = campaign.deadline.and_utc() + Duration::days(3);
        let d = promise_of(&shop, early).await.first_date;
        let moved = days_after(d, 10);
        shop.write(move |_, tx| campaigns::extend(tx, merchant, &slug, deadline, Some(moved))).await.unwrap();
        shop.settle().await;
        assert_eq!(shop.pay(between, crate::support::shop::GOOD_CARD).await, 303);
        shop.settle().await;
        let late = shop.join_and_pay(&shop.campaign(&campaign).await, "s2@mail.example", 1).await;
        for order in [early, between] {
            let first = last_notice(&shop, order).await;
            assert_eq!((first.kind, first.replaces, first.revised), (NoticeKind::First, d, Some(moved)));
            assert_eq!((first.silence, first.last_day), (Some(Silence::Agrees), Some(moved)));
            assert_eq!(promise_of(&shop, order).await.agreed_date, Some(moved));
            assert_eq!(notices_of(&shop, order).await.len(), 1, "asked once");
        }
        assert!(notices_of(&shop, late).await.is_empty());
        assert_eq!(promise_of(&shop, late).await.first_date, moved);
        assert_eq!(told(&shop, 0, "now ends on").await, 1);
        noon(&shop, days_before(d, 20)).await;
        shop.audit().await;
        shop.close().await;
    }
}
