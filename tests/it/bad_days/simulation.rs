//! Chance: shoppers, staff, the clock and the provider do what they like, in an order that a seed decides. The books
//! agree after each step, and in the end nobody has paid for nothing.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::ids::OrderId;
use muster::domain::order::OrderState;
use muster::domain::payment::RefundState;
use muster::store::campaigns::CampaignRow;
use muster::workflows::campaigns;
use muster::workflows::changes::{Wish, change, take_back};
use muster::workflows::join::Waits;
use serde_json::{Value, json};

use crate::support::database::TestDatabase;
use crate::support::shop::Shop;
use crate::waiting::accept;

/// Chance that can be repeated: SplitMix64.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number under `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[usize::try_from(self.below(all.len() as u64)).unwrap()]
    }
}

const CARDS: [&str; 8] = [
    "4242424242424242",
    "4242424242424242",
    "4242424242424242",
    "4242424242424242",
    "4000000000009995",
    "4000000000005126",
    "4000000000007726",
    "4000000000000259",
];

struct World {
    shop: Shop,
    dice: Dice,
    campaigns: Vec<CampaignRow>,
    orders: Vec<OrderId>,
    log: Vec<String>,
}

impl World {
    async fn step(&mut self) {
        let campaign = {
            let n = self.dice.below(self.campaigns.len() as u64);
            self.campaigns[usize::try_from(n).unwrap()].clone()
        };
        match self.dice.below(24) {
            0..=5 => {
                let email = format!("s{}@mail.example", self.dice.below(6));
                let units = 1 + i64::try_from(self.dice.below(4)).unwrap();
                let mut wish = self.shop.wish(&campaign, &email, units);
                if self.dice.below(2) == 0 {
                    wish.waits = Waits::IfSoldOut;
                }
                let placed = self.shop.running.app.office.join(wish).await;
                self.log.push(format!(
                    "{email} joins {units}: {:?}",
                    placed.as_ref().map(|p| p.order.id)
                ));
                if let Ok(placed) = placed {
                    self.orders.push(placed.order.id);
                }
                if self.dice.below(3) > 0 {
                    self.shop.settle().await;
                }
            }
            6..=11 if !self.orders.is_empty() => self.pay().await,
            12 | 13 if !self.orders.is_empty() => {
                let order = self.any_order();
                let done = self.shop.cancel(order).await;
                self.log.push(format!("{order} cancels: {}", done.is_ok()));
            }
            20..=23 if !self.orders.is_empty() => self.change().await,
            14 | 15 => self.faults().await,
            16 => self.staff(&campaign).await,
            _ => {
                let minutes = self.dice.pick(&[0, 1, 7, 20, 33, 60, 600, 2000]);
                self.log.push(format!("{minutes} minutes pass"));
                self.shop.advance(Duration::minutes(minutes)).await;
            }
        }
    }

    fn any_order(&mut self) -> OrderId {
        let n = self.dice.below(self.orders.len() as u64);
        self.orders[usize::try_from(n).unwrap()]
    }

    async fn pay(&mut self) {
        let order = self.any_order();
        let card = self.dice.pick(&CARDS);
        if self.shop.order(order).await.state == OrderState::Waitlisted {
            let taken = accept(&self.shop, order, None).await;
            self.log
                .push(format!("{order} takes what is offered: {}", taken.is_ok()));
        }
        let pages = self.shop.payments(order).await;
        let Some(session) = pages.iter().rev().find_map(|p| p.session_id.clone()) else {
            return;
        };
        let url = self.shop.url(&format!("/sandbox/pay/{session}"));
        let paid = self
            .shop
            .http
            .post(url)
            .form(&[("card", card)])
            .send()
            .await
            .unwrap();
        self.log
            .push(format!("{order} pays with {card}: {}", paid.status()));
        if self.dice.below(2) == 0 {
            self.shop.settle().await;
        }
    }

    async fn change(&mut self) {
        let order = self.any_order();
        let units = 1 + i64::try_from(self.dice.below(6)).unwrap();
        let wish = Wish {
            lines: Some(vec![("set".into(), units)]),
            // Large ones are asked for by staff.
            by: (units > 4).then(|| "Ines".to_owned()),
            ..Wish::of(order)
        };
        let back = self.dice.below(5) == 0;
        let done = self
            .shop
            .write(move |desk, tx| match back {
                true => take_back(tx, wish.order).map(|()| None),
                false => change(desk, tx, &wish).map(Some),
            })
            .await;
        self.log
            .push(format!("{order} is changed to {units}: {done:?}"));
        if self.dice.below(3) > 0 {
            self.shop.settle().await;
        }
    }

    async fn faults(&mut self) {
        let faults: Value = json!({
            "webhooks": self.dice.pick(&["normal", "duplicate", "reorder", "delay", "drop"]),
            "api": self.dice.pick(&["normal", "normal", "error_after_effect", "rate_limit", "down"]),
            "balance": self.dice.pick(&["normal", "normal", "short"]),
        });
        self.log.push(faults.to_string());
        self.shop.faults(faults).await;
    }

    async fn staff(&mut self, campaign: &CampaignRow) {
        let (merchant, slug) = (self.shop.merchant, campaign.slug.clone());
        let later = campaign.deadline.and_utc() + Duration::days(2);
        let what = self.dice.below(4);
        let done = self
            .shop
            .write(move |desk, tx| match what {
                0 => campaigns::extend(tx, merchant, &slug, later, None),
                1 | 2 => campaigns::close(tx, merchant, &slug),
                _ => campaigns::cancel(desk, tx, merchant, &slug, "No clay"),
            })
            .await;
        self.log.push(format!(
            "staff do {what} to {}: {}",
            campaign.slug,
            done.is_ok()
        ));
    }

    /// Everything is normal again, and enough time passes for all to end.
    async fn end(&mut self) {
        let normal = json!({"webhooks": "normal", "api": "normal", "balance": "normal"});
        self.shop.faults(normal).await;
        for _ in 0..4 {
            self.shop.advance(Duration::days(5)).await;
        }
        self.shop.audit().await;
        for campaign in &self.campaigns {
            let now = self.shop.campaign(campaign).await;
            assert!(
                matches!(now.state, CampaignState::Ordered | CampaignState::Failed),
                "{now:#?}"
            );
        }
        for id in &self.orders {
            let order = self.shop.order(*id).await;
            let refunds = self.shop.refunds(*id).await;
            let failed: i64 = refunds
                .iter()
                .filter(|r| r.state == RefundState::Failed)
                .map(|r| r.amount)
                .sum();
            assert_eq!(order.refund_due, failed, "{order:#?} {refunds:#?}");
            let (charged, back) = self.shop.at_provider(*id).await;
            assert_eq!(
                (charged, back),
                (order.charged, order.refunded),
                "{order:#?} {refunds:#?}"
            );
            assert!(order.units_taken == order.state.is_live(), "{order:#?}");
        }
    }
}

async fn live(db: TestDatabase, seed: u64, steps: usize) {
    let shop = Shop::open_with_timeout(db, 2).await;
    let mut body = shop.example_a();
    body["options"][0]["cap"] = json!(15);
    body["options"][0]["per_shopper"] = json!(6);
    let first = shop.publish(body.clone()).await;
    body["trigger"] = json!("at_threshold");
    body["threshold"]["target"] = json!(8);
    let second = shop.publish(body.clone()).await;
    body["late_joins"] = json!(true);
    body["threshold"]["target"] = json!(4);
    let third = shop.publish(body).await;
    let mut world = World {
        shop,
        dice: Dice::new(seed),
        campaigns: vec![first, second, third],
        orders: Vec::new(),
        log: vec![format!("seed {seed}")],
    };
    for _ in 0..steps {
        world.step().await;
        let log = Told(std::mem::take(&mut world.log));
        world.shop.audit().await;
        world.log = log.quietly();
    }
    let log = Told(std::mem::take(&mut world.log));
    world.end().await;
    drop(log.quietly());
    world.shop.close().await;
}

/// What led to a failure, printed with it.
struct Told(Vec<String>);

impl Told {
    fn quietly(mut self) -> Vec<String> {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0.join("\n"));
        }
    }
}

#[actix_web::test]
async fn whatever_happens_the_books_agree_sqlite() {
    for seed in 1..=10 {
        live(TestDatabase::sqlite(), seed, 30).await;
    }
}

#[actix_web::test]
async fn whatever_happens_the_books_agree_sqlite_too() {
    for seed in 11..=20 {
        live(TestDatabase::sqlite(), seed, 30).await;
    }
}

#[cfg(feature = "postgres")]
#[actix_web::test]
async fn whatever_happens_the_books_agree_postgres() {
    for seed in 101..=106 {
        live(TestDatabase::postgres(), seed, 30).await;
    }
}
