//! Several processes work on one database: each piece of work is done by one of them, and a piece that two have had does
//! its work once.

use chrono::{Duration, NaiveDateTime, SubsecRound};
use muster::domain::payment::RefundState;
use muster::store::jobs::{self, JobRow};
use muster::store::{Conn, StoreError};
use tokio::sync::Semaphore;

use super::agrees;
use crate::support::database::TestDatabase;
use crate::support::provider::Between;
use crate::support::shop::Shop;

#[cfg(feature = "postgres")]
mod two_workers {
    use std::sync::Arc;

    use chrono::{DateTime, Duration, Utc};
    use futures_util::future::join_all;
    use muster::domain::campaign::{CampaignState, Failure};
    use muster::jobs::Worker;
    use muster::sandbox::hooks::{Hooks, Pending, Work};

    use muster::workflows::office::Office;

    use super::super::agrees;
    use super::until;
    use crate::support::database::TestDatabase;
    use crate::support::life::Life;
    use crate::support::shop::{GOOD_CARD, Shop};

    /// Two processes' workers, who both take what is due, once the sandbox's clock was told to them: they look at it
    /// five times a second.
    struct Both {
        workers: [Worker; 2],
        told: [Office; 2],
        ahead: Office,
    }

    impl Work for Both {
        fn begin_move(&self) {
            self.workers.iter().for_each(Worker::begin_move);
        }

        fn next_due(&self, max_tries: u32) -> Pending<'_, Option<DateTime<Utc>>> {
            Box::pin(async move { self.workers[0].next_due(max_tries).await.unwrap() })
        }

        fn run_due(&self, max_tries: u32) -> Pending<'_, ()> {
            Box::pin(async move {
                let now = self.ahead.now();
                until(|| self.told.iter().all(|office| office.now() >= now)).await;
                let workers = self.workers.iter();
                let ran = join_all(workers.map(|worker| worker.run_due(max_tries))).await;
                assert!(ran.iter().all(Result::is_ok), "{ran:?}");
            })
        }
    }

    #[actix_web::test]
    async fn on_one_database_do_each_piece_of_work_once() {
        let shop = Shop::open(TestDatabase::postgres()).await;
        let lives = [Life::ending_after(None), Life::ending_after(None)];
        let colleagues = lives.each_ref().map(|life| shop.colleague(life.seams()));
        let own = muster::hooks::hooks(&shop.running.app.worker, &shop.running.app.office);
        shop.running.app.sandbox.as_ref().unwrap().set_hooks(Hooks {
            work: Arc::new(Both {
                workers: colleagues.each_ref().map(|app| app.worker.clone()),
                told: colleagues.each_ref().map(|app| app.office.clone()),
                ahead: shop.running.app.office.clone(),
            }),
            ..own
        });
        let reached = shop.publish(shop.example_a()).await;
        let mut body = shop.example_a();
        body["threshold"]["target"] = serde_json::json!(500);
        let missed = shop.publish(body).await;
        let mut orders = Vec::new();
        for n in 0..6 {
            for campaign in [&reached, &missed] {
                let email = format!("s{n}@mail.example");
                orders.push(shop.join(campaign, &email, 1).await.order.id);
            }
        }
        shop.settle().await;
        for order in &orders {
            assert_eq!(shop.pay(*order, GOOD_CARD).await, 303);
        }
        shop.advance(Duration::days(8)).await;
        shop.expect_state(&reached, CampaignState::Ordered).await;
        let failed = shop.campaign(&missed).await;
        assert_eq!(failed.failure, Some(Failure::Missed));
        agrees(&shop, &orders).await;
        let did = lives.each_ref().map(|life| life.effects());
        assert!(did.iter().all(|did| !did.is_empty()), "both worked");
        let mut moved: Vec<&String> = did.iter().flatten().filter(|e| *e != "commit").collect();
        let made = moved.iter().filter(|e| **e == "page made").count();
        assert_eq!(made, orders.len(), "each page was made once");
        let mut refunds = 0;
        for order in &orders {
            refunds += shop.refunds(*order).await.len();
        }
        let made = moved.iter().filter(|e| **e == "refund made").count();
        assert_eq!(made, refunds, "each refund was sent once");
        moved.retain(|e| e.starts_with("mail "));
        let mails = moved.len();
        moved.sort();
        moved.dedup();
        assert_eq!(moved.len(), mails, "each mail was sent once");
        assert_eq!(shop.purchase_orders(&reached).await.len(), 1);
        assert_eq!(shop.mail_to("orders@kasten.example").await.len(), 1);
        for app in &colleagues {
            app.office.stop();
        }
        shop.close().await;
    }
}

#[cfg(feature = "postgres")]
mod one_server {
    use std::time::Duration;

    use diesel::prelude::*;
    use diesel::sql_query;
    use muster::domain::order::OrderState;

    use super::super::agrees;
    use crate::support::database::TestDatabase;
    use crate::support::life::Life;
    use crate::support::shop::{GOOD_CARD, Shop};

    const PATIENCE: Duration = Duration::from_secs(10);

    #[actix_web::test]
    async fn tells_every_machine_what_another_committed() {
        let shop = Shop::open(TestDatabase::postgres()).await;
        let campaign = shop.publish(shop.example_a()).await;
        let colleague = shop.colleague(Life::ending_after(None).seams());
        let signals = colleague.office.signals().clone();
        // It hears from some moment on, and is told by then that it may have missed something.
        tokio::time::timeout(PATIENCE, signals.work.notified())
            .await
            .expect("it hears");
        let mut touched = signals.touched.subscribe();
        let order = shop.join(&campaign, "a@mail.example", 1).await.order.id;
        let told = tokio::time::timeout(PATIENCE, touched.recv()).await;
        assert_eq!(told.expect("it is told").unwrap(), campaign.id);
        tokio::time::timeout(PATIENCE, signals.work.notified())
            .await
            .expect("there is work");
        let bell = signals.bells.listen(order);
        shop.settle().await;
        // The page's address is read from the database.
        assert_eq!(bell.wait(PATIENCE).await, None);
        colleague.office.stop();
        shop.close().await;
    }

    #[actix_web::test]
    async fn that_goes_and_comes_back_is_found_again() {
        let db = TestDatabase::postgres();
        let url = db.url().to_owned();
        let shop = Shop::open(db).await;
        let campaign = shop.publish(shop.example_a()).await;
        let before = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        cut_every_connection(&url);
        let after = shop.join(&campaign, "b@mail.example", 4).await.order.id;
        cut_every_connection(&url);
        shop.settle().await;
        assert_eq!(shop.pay(after, GOOD_CARD).await, 303);
        cut_every_connection(&url);
        shop.settle().await;
        for order in [before, after] {
            assert_eq!(shop.order(order).await.state, OrderState::Confirmed);
        }
        cut_every_connection(&url);
        shop.advance(chrono::Duration::days(8)).await;
        assert_eq!(shop.purchase_orders(&campaign).await.len(), 1);
        agrees(&shop, &[before, after]).await;
        shop.close().await;
    }

    fn cut_every_connection(url: &str) {
        let mut conn = PgConnection::establish(url).unwrap();
        let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                      WHERE datname = current_database() AND pid <> pg_backend_pid()";
        sql_query(others).execute(&mut conn).unwrap();
    }
}

both_databases! {
    async fn a_refund_whose_lease_ends_while_its_call_waits_for_its_turn_is_made_once(db: TestDatabase) {
        let between = Between::new();
        let shop = Shop::open_with(db, 5, between.seams()).await;
        let campaign = shop.publish(shop.example_a()).await;
        let id = shop.join_and_pay(&campaign, "a@mail.example", 2).await;
        shop.cancel(id).await.unwrap();
        between.turns.forget_permits(Semaphore::MAX_PERMITS);
        let worker = shop.running.app.worker.clone();
        let asked = || between.keys.lock().unwrap().len();
        let first = tokio::spawn(async move { worker.run_due(20).await });
        until(|| asked() == 1).await;
        // Its lease ends, the work is leased again, and the second call waits behind the first.
        shop.running.app.sandbox.as_ref().unwrap().set_hooks(muster::hooks::hooks(
            &muster::jobs::Worker::new(shop.running.app.office.clone()),
            &shop.running.app.office,
        ));
        shop.advance(Duration::minutes(5)).await;
        tokio::join!(shop.settle(), async {
            until(|| asked() == 2).await;
            between.turns.add_permits(1);
        });
        first.await.unwrap().unwrap();
        shop.settle().await;
        {
            let keys = between.keys.lock().unwrap();
            assert_eq!((keys.len(), &keys[0]), (2, &keys[1]), "the same key, twice");
        }
        let refund = shop.refunds(id).await.pop().unwrap();
        assert_eq!((refund.state, refund.attempt), (RefundState::Succeeded, 1));
        assert_eq!(shop.at_provider(id).await, (20000, 20000));
        agrees(&shop, &[id]).await;
        shop.close().await;
    }
}

both_databases! {
    async fn a_worker_whose_lease_ended_says_nothing_of_work_that_another_has(db: TestDatabase) {
        let shop = Shop::open(db).await;
        // To the second: PostgreSQL keeps microseconds.
        let now = shop.now().naive_utc().trunc_subsecs(0);
        shop.write(move |_, tx| Ok(jobs::put(tx.conn, jobs::MAIL, "a letter", now, now)?)).await.unwrap();
        let late = turn(&shop, now).await.expect("it is due");
        assert!(turn(&shop, now).await.is_none(), "one has it");
        let other = turn(&shop, now + Duration::minutes(2)).await.expect("the lease has ended");
        assert_ne!(late.lease, other.lease);
        let far = now + Duration::days(1);
        for (what, said) in [
            ("it is done", say(&shop, &late, move |c, job| jobs::done(c, job, None, now)).await),
            ("it is put off", say(&shop, &late, move |c, job| jobs::done(c, job, Some(far), now)).await),
            ("it failed", say(&shop, &late, move |c, job| jobs::failed(c, job, "no luck", Some(far))).await),
            ("it is given up", say(&shop, &late, move |c, job| jobs::failed(c, job, "no luck", None)).await),
            ("it is given back", say(&shop, &late, jobs::release).await),
        ] {
            assert!(!said, "{what}");
            let row = shop.read(|c| jobs::find(c, jobs::MAIL, "a letter")).await.expect("it is there");
            assert_eq!((row.lease, row.leased_until), (other.lease, other.leased_until), "{what}");
            assert_eq!((row.run_at, row.attempts, row.dead), (other.run_at, 0, false), "{what}");
        }
        // Who has it ends it, although it was asked for again meanwhile: then it stays, and is anybody's.
        shop.write(move |_, tx| Ok(jobs::put(tx.conn, jobs::MAIL, "a letter", now, now)?)).await.unwrap();
        assert!(say(&shop, &other, move |c, job| jobs::done(c, job, None, now)).await);
        let third = turn(&shop, now).await.expect("it was asked for again");
        assert!(!say(&shop, &other, move |c, job| jobs::done(c, job, None, now)).await);
        assert!(say(&shop, &third, move |c, job| jobs::done(c, job, None, now)).await);
        assert!(shop.read(|c| jobs::find(c, jobs::MAIL, "a letter")).await.is_none());
        shop.close().await;
    }
}

/// Leases the letter, if it is free at that time.
async fn turn(shop: &Shop, at: NaiveDateTime) -> Option<JobRow> {
    let leased = shop
        .write(move |_, tx| Ok(jobs::lease(tx.conn, 64, at, Duration::minutes(1))?))
        .await;
    let mut leased = leased.unwrap().into_iter();
    leased.find(|job| job.subject == "a letter")
}

/// Whether what a worker says of its work counts.
async fn say(
    shop: &Shop,
    job: &JobRow,
    what: impl Fn(&mut Conn, &JobRow) -> Result<bool, StoreError> + Send + 'static,
) -> bool {
    let job = job.clone();
    let said = shop.write(move |_, tx| Ok(what(tx.conn, &job)?)).await;
    said.unwrap()
}

/// Waits for what other tasks bring about.
async fn until(it_is_so: impl Fn() -> bool) {
    let waiting = async {
        while !it_is_so() {
            tokio::task::yield_now().await;
        }
    };
    let patience = std::time::Duration::from_secs(10);
    tokio::time::timeout(patience, waiting)
        .await
        .expect("it comes about");
}
