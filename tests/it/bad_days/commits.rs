//! The connection to PostgreSQL breaks while a commit is on its way. Whether it was made nobody can tell: everybody who
//! shares it is told so, nothing of it runs again by itself, and whoever asks again is answered by what is kept.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};

use futures_util::future::join_all;
use muster::domain::ids::OrderId;
use muster::store::campaigns::CampaignRow;
use muster::store::merchants;
use muster::workflows::desk::Problem;
use muster::workflows::join::Placed;
use tokio::sync::Notify;

use super::agrees;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};
use crate::support::wire::{Cut, Wire};

const SHOPPERS: [&str; 3] = ["a@mail.example", "b@mail.example", "c@mail.example"];

#[actix_web::test]
async fn that_was_made_though_nobody_heard_is_not_made_again() {
    let scene = Scene::set().await;
    scene
        .together(|wire, run| {
            assert_eq!(run, 1, "it runs once");
            wire.cut_after(0, Cut::BeforeItsAnswer);
            Ok(())
        })
        .await;
    assert_eq!(scene.times_kept().await, 1);
    let placed = scene.join_again().await;
    assert!(
        placed.iter().all(|placed| placed.again),
        "they are there already"
    );
    scene.ends_well(&placed).await;
}

#[actix_web::test]
async fn that_never_arrived_is_made_by_who_asks_again() {
    let scene = Scene::set().await;
    scene
        .together(|wire, run| {
            assert_eq!(run, 1, "it runs once");
            wire.cut_after(0, Cut::BeforeItArrives);
            Ok(())
        })
        .await;
    assert_eq!(scene.times_kept().await, 0);
    let placed = scene.join_again().await;
    assert!(
        placed.iter().all(|placed| !placed.again),
        "nothing was kept"
    );
    scene.ends_well(&placed).await;
}

#[actix_web::test]
async fn of_one_that_is_tried_alone_is_not_tried_once_more() {
    let scene = Scene::set().await;
    scene
        .together(|wire, run| {
            match run {
                // It meets somebody else's change, so that all of them are tried one by one.
                1 => return Err(Problem::Again("met another's".into())),
                2 => wire.cut_after(0, Cut::BeforeItsAnswer),
                more => panic!("it ran {more} times"),
            }
            Ok(())
        })
        .await;
    assert_eq!(scene.times_kept().await, 1);
    let placed = scene.join_again().await;
    scene.ends_well(&placed).await;
}

#[actix_web::test]
async fn of_a_join_that_is_tried_alone_is_not_tried_once_more() {
    let scene = Scene::set().await;
    scene
        .together(|wire, run| {
            match run {
                1 => return Err(Problem::Again("met another's".into())),
                // Its own commit passes, the first join's is cut.
                2 => wire.cut_after(1, Cut::BeforeItsAnswer),
                more => panic!("it ran {more} times"),
            }
            Ok(())
        })
        .await;
    assert_eq!(scene.times_kept().await, 1);
    let placed = scene.join_again().await;
    scene.ends_well(&placed).await;
}

struct Scene {
    shop: Shop,
    campaign: CampaignRow,
    wire: Arc<Wire>,
}

/// What a change does each time it runs, given how often it did.
type Step = fn(&Wire, usize) -> Result<(), Problem>;

impl Scene {
    async fn set() -> Self {
        let wire = Arc::new(Wire::lay());
        let shop = Shop::open(TestDatabase::postgres().over(wire.port())).await;
        let campaign = shop.publish(shop.example_a()).await;
        Self {
            shop,
            campaign,
            wire,
        }
    }

    /// A change and three joins wait for the writer and share what it does next. Whoever's commit is cut is told that
    /// nobody knows whether it was made.
    async fn together(&self, step: Step) {
        let (go, wait) = mpsc::channel::<()>();
        let (wait, busy) = (Mutex::new(wait), Arc::new(Notify::new()));
        let is_busy = busy.clone();
        let held = self.shop.write(move |_, _| {
            busy.notify_one();
            // Until nobody is left who could say more.
            let _ = wait.lock().expect("it waits").recv();
            Ok(())
        });
        let (runs, merchant) = (Arc::new(AtomicUsize::new(0)), self.shop.merchant);
        let (wire, ran) = (self.wire.clone(), runs.clone());
        let change = self.shop.write(move |_, tx| {
            let run = ran.fetch_add(1, Ordering::SeqCst) + 1;
            merchants::take_numbers(tx.conn, merchant, "probe", 1)?;
            step(&wire, run)
        });
        let joins = join_all(SHOPPERS.map(|email| self.join(email)));
        let (held, (changed, joined, ())) = tokio::join!(held, async {
            is_busy.notified().await;
            // By its turn each of the others was asked.
            tokio::join!(change, joins, async { drop(go) })
        });
        held.expect("the one before is not concerned");
        assert!(self.wire.was_cut());
        let told = |problem: &Problem| problem.to_string().contains("not known");
        let runs = runs.load(Ordering::SeqCst);
        let mut lost = joined.iter().filter_map(|placed| placed.as_ref().err());
        if runs == 1 {
            assert!(
                changed.is_err_and(|e| told(&e)),
                "the change shared the commit"
            );
            assert_eq!(lost.clone().count(), SHOPPERS.len(), "so did each join");
        } else {
            let lost = lost.clone().count() + usize::from(changed.is_err());
            assert_eq!(lost, 1, "one commit was cut");
        }
        assert!(lost.all(told), "{joined:#?}");
    }

    async fn join(&self, email: &str) -> Result<Placed, Problem> {
        let mut wish = self.shop.wish(&self.campaign, email, 2);
        wish.form_key = Some(format!("the form of {email}"));
        self.shop.running.app.office.join(wish).await
    }

    /// Each shopper presses the button again.
    async fn join_again(&self) -> Vec<Placed> {
        let mut placed = Vec::new();
        for email in SHOPPERS {
            placed.push(self.join(email).await.expect("the writer connects anew"));
        }
        placed
    }

    /// How often the change was kept.
    async fn times_kept(&self) -> i64 {
        let merchant = self.shop.merchant;
        let next = self
            .shop
            .write(move |_, tx| Ok(merchants::take_numbers(tx.conn, merchant, "probe", 1)?))
            .await;
        next.expect("the writer connects anew") - 1
    }

    /// There is one order for each shopper, and each is paid.
    async fn ends_well(self, placed: &[Placed]) {
        let shop = &self.shop;
        let orders: Vec<OrderId> = placed.iter().map(|placed| placed.order.id).collect();
        let campaign = shop.campaign(&self.campaign).await;
        assert_eq!((campaign.orders, campaign.open_payments), (3, 3));
        shop.settle().await;
        for order in &orders {
            assert_eq!(shop.pay(*order, GOOD_CARD).await, 303);
        }
        shop.settle().await;
        assert_eq!(shop.campaign(&self.campaign).await.collected_units, 6);
        agrees(shop, &orders).await;
        self.shop.close().await;
    }
}
