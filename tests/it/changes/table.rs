//! Each way of paying, each kind of change, each thing that may happen meanwhile: what it comes to, by our books and by the
//! provider's own lists.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::ids::OrderId;
use muster::domain::order::OrderState;
use muster::store::campaigns::CampaignRow;
use muster::workflows::changes::Came;
use serde_json::json;

use super::{RUN_OUT, asks, changes_of, offer};
use crate::cards::{completes, deadline_passes, saves};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

const DECLINED: &str = "4000000000000002";

/// What an order over two sets is changed to.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    More,
    Less,
    Swap,
    Same,
}

impl Kind {
    fn wanted(self) -> &'static [(&'static str, i64)] {
        match self {
            Kind::More => &[("set", 4)],
            Kind::Less => &[("set", 1)],
            Kind::Swap => &[("set", 1), ("lid", 10)],
            Kind::Same => &[("set", 2)],
        }
    }

    fn total(self) -> i64 {
        match self {
            Kind::More => 40_000,
            Kind::Less => 10_000,
            Kind::Swap | Kind::Same => 20_000,
        }
    }
}

/// What happens while it is to be paid.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Meanwhile {
    Paid,
    DeclinedThenPaid,
    RanOut,
    Cancelled,
    CancelledThenPaid,
    Deadline,
}

use Meanwhile as M;

const KINDS: [Kind; 4] = [Kind::More, Kind::Less, Kind::Swap, Kind::Same];
const MEANWHILE: [Meanwhile; 6] = [
    M::Paid,
    M::DeclinedThenPaid,
    M::RanOut,
    M::Cancelled,
    M::CancelledThenPaid,
    M::Deadline,
];

/// What the provider has of an amount that an order costs, before anything is collected later.
fn share(mode: &str, total: i64) -> i64 {
    match mode {
        "charge_now" => total,
        "deposit" => total / 5,
        _ => 0,
    }
}

/// What the provider charged in the end, and what of it went back.
fn end(mode: &str, kind: Kind, meanwhile: Meanwhile) -> (i64, i64) {
    let is_paid = kind == Kind::More && mode != "charge_on_success";
    let first = share(mode, 20_000);
    match meanwhile {
        M::CancelledThenPaid if is_paid => {
            let all = share(mode, kind.total());
            (all, all)
        }
        M::Cancelled | M::CancelledThenPaid => (first, first),
        M::RanOut if is_paid => (first, 0),
        _ if mode == "charge_on_success" => (kind.total(), 0),
        _ => {
            let last = share(mode, kind.total());
            (first.max(last), first.max(last) - last)
        }
    }
}

async fn pays(shop: &Shop, order: OrderId, came: Came, card: &str) {
    if came == Came::ToPay {
        completes(shop, order, card).await;
    }
}

async fn lives(shop: &Shop, order: OrderId, kind: Kind, meanwhile: Meanwhile) {
    let came = asks(shop, order, kind.wanted())
        .await
        .expect("it can be changed");
    shop.audit().await;
    match meanwhile {
        M::Paid => pays(shop, order, came, GOOD_CARD).await,
        M::DeclinedThenPaid => {
            pays(shop, order, came, DECLINED).await;
            shop.audit().await;
            pays(shop, order, came, GOOD_CARD).await;
        }
        M::RanOut => shop.advance(RUN_OUT).await,
        M::Cancelled => {
            shop.cancel(order).await.expect("it may leave");
            shop.settle().await;
        }
        M::CancelledThenPaid => {
            // Before the provider hears that the page is not wanted any more.
            shop.cancel(order).await.expect("it may leave");
            pays(shop, order, came, GOOD_CARD).await;
        }
        M::Deadline => {}
    }
    shop.audit().await;
}

async fn all(shop: &Shop, campaign: &CampaignRow) -> Vec<(OrderId, Kind, Meanwhile)> {
    let mut orders = Vec::new();
    for meanwhile in MEANWHILE {
        for kind in KINDS {
            let email = format!("s{}@mail.example", orders.len());
            let order = saves(shop, campaign, &email, 2, GOOD_CARD).await;
            orders.push((order, kind, meanwhile));
        }
    }
    orders
}

async fn live(db: TestDatabase, mode: &str) {
    let shop = Shop::open(db).await;
    let mut body = offer(&shop, mode);
    body["steps"] = json!([1]);
    for (at, price) in [10_000, 1_000].into_iter().enumerate() {
        body["options"][at]["prices"] = json!([price]);
        body["options"][at]["cap"] = json!(null);
    }
    let campaign = shop.publish(body).await;
    let orders = all(&shop, &campaign).await;
    let last_minutes = campaign.deadline.and_utc() - Duration::minutes(10);
    for (order, kind, meanwhile) in &orders {
        if *meanwhile != M::Deadline {
            lives(&shop, *order, *kind, *meanwhile).await;
        }
    }
    shop.advance(last_minutes - shop.now()).await;
    let late = || {
        orders
            .iter()
            .filter(|(_, _, meanwhile)| *meanwhile == M::Deadline)
    };
    for (order, kind, _) in late() {
        asks(&shop, *order, kind.wanted())
            .await
            .expect("joining is open");
    }
    deadline_passes(&shop, &campaign).await;
    if mode != "charge_on_success" {
        // The page that may still be paid is waited for.
        shop.expect_state(&campaign, CampaignState::Open).await;
    }
    shop.audit().await;
    for (order, _, _) in late() {
        let open = shop
            .payments(*order)
            .await
            .pop()
            .is_some_and(|page| page.state.is_open());
        if open {
            completes(&shop, *order, GOOD_CARD).await;
        }
    }
    shop.advance(Duration::minutes(10)).await;
    shop.expect_state(&campaign, CampaignState::Ordered).await;
    for (order, kind, meanwhile) in &orders {
        let row = shop.order(*order).await;
        let left = matches!(meanwhile, M::Cancelled | M::CancelledThenPaid);
        let state = if left {
            OrderState::Cancelled
        } else {
            OrderState::Backordered
        };
        assert_eq!(row.state, state, "{kind:?} {meanwhile:?}: {row:#?}");
        let (charged, refunded) = end(mode, *kind, *meanwhile);
        let at_provider = shop.at_provider(*order).await;
        assert_eq!(at_provider, (charged, refunded), "{kind:?} {meanwhile:?}");
        assert_eq!(
            (row.charged, row.refunded),
            (charged, refunded),
            "{kind:?} {meanwhile:?}"
        );
        let open = changes_of(&shop, *order).await;
        assert!(open.iter().all(|change| change.closed_at.is_some()));
    }
    shop.audit().await;
    shop.close().await;
}

both_databases! {
    async fn changed_orders_that_are_paid_at_once(db: TestDatabase) {
        live(db, "charge_now").await;
    }

    async fn changed_orders_that_are_charged_on_success(db: TestDatabase) {
        live(db, "charge_on_success").await;
    }

    async fn changed_orders_with_a_deposit(db: TestDatabase) {
        live(db, "deposit").await;
    }
}
