//! In each of the three ways to pay: the merchant extends, the merchant cancels, a shopper leaves. All of it pressed on the
//! pages.

use chrono::Duration;
use muster::domain::campaign::{CampaignState, Failure};
use muster::domain::card::CardState;
use muster::domain::ids::OrderId;
use muster::domain::order::OrderState;
use muster::domain::staff::Role;
use muster::store::campaigns::CampaignRow;
use muster::store::dues;
use serde_json::Value;

use super::{deadline_passes, saved, saves, with_deposit};
use crate::admin::panel::Panel;
use crate::shop::Visitor;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// How shoppers pay, and what two units at 100.00 are charged at joining.
struct Mode {
    offer: fn(&Shop) -> Value,
    at_joining: i64,
    /// What the button says that cancels.
    button: &'static str,
}

const MODES: [Mode; 3] = [
    Mode {
        offer: |shop| shop.example_a(),
        at_joining: 20_000,
        button: "Cancel and refund $200.00",
    },
    Mode {
        offer: |shop| saved(shop),
        at_joining: 0,
        button: "Cancel this order",
    },
    Mode {
        offer: |shop| with_deposit(shop, "kept"),
        at_joining: 4_000,
        button: "Cancel and refund $40.00",
    },
];

/// Presses *cancel* on the order's page.
async fn leaves(shop: &Shop, order: OrderId, button: &str) {
    let visitor = Visitor::of(shop);
    let row = shop.order(order).await;
    let cancel = visitor.path_of(&row, "/cancel");
    visitor
        .get(&visitor.path_of(&row, ""))
        .await
        .is(200)
        .says("/cancel?t=");
    visitor.get(&cancel).await.is(200).says(button);
    let left = visitor.post(&cancel, &[]).await;
    left.is(303);
    let seen = visitor.get(left.to.as_deref().unwrap()).await;
    seen.is(200).says("Your order is cancelled");
    shop.settle().await;
}

/// All that was charged went back, and no card is kept.
async fn has_it_back(shop: &Shop, order: OrderId, charged: i64) {
    let row = shop.order(order).await;
    assert_eq!(
        (row.state, row.charged, row.refunded, row.owed),
        (OrderState::Cancelled, charged, charged, 0),
        "{row:#?}"
    );
    assert_eq!(shop.at_provider(order).await, (charged, charged));
    let cards = shop.read(move |c| dues::cards_of(c, order)).await;
    assert!(
        cards.iter().all(|card| card.state == CardState::Detached),
        "{cards:?}"
    );
}

fn of(campaign: &CampaignRow, below: &str) -> String {
    format!("/admin/campaigns/{}{below}", campaign.slug)
}

both_databases! {
    async fn a_shopper_leaves_before_the_deadline_and_after_in_each_way_to_pay(db: TestDatabase) {
        let shop = Shop::open(db).await;
        for mode in MODES {
            let campaign = shop.publish((mode.offer)(&shop)).await;
            let early = saves(&shop, &campaign, "a@mail.example", 2, GOOD_CARD).await;
            leaves(&shop, early, mode.button).await;
            has_it_back(&shop, early, mode.at_joining).await;
            let now = shop.campaign(&campaign).await;
            assert_eq!((now.committed_units, now.collected_units), (0, 0));
            // Pressed twice, or in another tab.
            let visitor = Visitor::of(&shop);
            let row = shop.order(early).await;
            visitor.post(&visitor.path_of(&row, "/cancel"), &[]).await.is(303);
            shop.settle().await;
            has_it_back(&shop, early, mode.at_joining).await;
            // With the supplier it is not cancelled on the page any more.
            let late = saves(&shop, &campaign, "b@mail.example", 6, GOOD_CARD).await;
            deadline_passes(&shop, &campaign).await;
            shop.expect_state(&campaign, CampaignState::Ordered).await;
            let row = shop.order(late).await;
            visitor.post(&visitor.path_of(&row, "/cancel"), &[]).await.is(409).says("Write to the seller");
            assert_eq!(shop.order(late).await.state, OrderState::Backordered);
            shop.audit().await;
        }
        shop.close().await;
    }

    async fn the_merchant_cancels_in_each_way_to_pay_and_everybody_has_all_of_it_back(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        for (n, mode) in MODES.into_iter().enumerate() {
            let campaign = shop.publish((mode.offer)(&shop)).await;
            let email = format!("a{n}@mail.example");
            let order = saves(&shop, &campaign, &email, 2, GOOD_CARD).await;
            panel.get(&of(&campaign, "/cancel")).await.is(200);
            panel.post(&of(&campaign, "/cancel"), &[("reason", " ")]).await.is(422).says("Write the reason");
            panel.post(&of(&campaign, "/cancel"), &[("reason", "The kiln cracked.")]).await
                .leads_to(&of(&campaign, ""));
            shop.settle().await;
            let failed = shop.campaign(&campaign).await;
            assert_eq!((failed.state, failed.failure), (CampaignState::Failed, Some(Failure::Cancelled)));
            has_it_back(&shop, order, mode.at_joining).await;
            let visitor = Visitor::of(&shop);
            let row = shop.order(order).await;
            visitor.get(&visitor.path_of(&row, "")).await.is(200).says("The kiln cracked.");
            let told = shop.mail_to(&email).await;
            let last = told.last().unwrap();
            assert!(last.contains("was cancelled"), "{told:?}");
            assert_eq!(last.contains("nothing was charged"), mode.at_joining == 0, "{told:?}");
            panel.post(&of(&campaign, "/cancel"), &[("reason", "Again.")]).await.is(409);
            shop.audit().await;
        }
        shop.close().await;
    }

    async fn the_merchant_extends_once_in_each_way_to_pay_and_who_does_not_wait_leaves(db: TestDatabase) {
        let shop = Shop::open(db).await;
        let panel = Panel::of(&shop, Role::Manager).await;
        for (n, mode) in MODES.into_iter().enumerate() {
            let campaign = shop.publish((mode.offer)(&shop)).await;
            let (waits, goes) = (format!("a{n}@mail.example"), format!("b{n}@mail.example"));
            let stays = saves(&shop, &campaign, &waits, 6, GOOD_CARD).await;
            let leaver = saves(&shop, &campaign, &goes, 2, GOOD_CARD).await;
            let at = |days: i64| (shop.now() + Duration::days(days)).format("%Y-%m-%dT%H:%M").to_string();
            let extend = of(&campaign, "/extend");
            panel.get(&extend).await.is(200);
            panel.post(&extend, &[("deadline", "soon")]).await.is(422).says("such as 2026-12-01T18:00");
            panel.post(&extend, &[("deadline", &at(3))]).await.is(422).says("after the present deadline");
            panel.post(&extend, &[("deadline", &at(12))]).await.leads_to(&of(&campaign, ""));
            panel.post(&extend, &[("deadline", &at(14))]).await.is(409);
            shop.settle().await;
            for email in [&waits, &goes] {
                let told = shop.mail_to(email).await;
                assert!(told.last().unwrap().contains("now ends on"), "{told:?}");
            }
            let button = if mode.at_joining == 0 { mode.button } else { "Cancel and refund $" };
            leaves(&shop, leaver, button).await;
            // Joined when six had: shown 90.00 each.
            has_it_back(&shop, leaver, mode.at_joining * 9 / 10).await;
            shop.advance(Duration::days(8)).await;
            shop.expect_state(&campaign, CampaignState::Open).await;
            deadline_passes(&shop, &campaign).await;
            shop.expect_state(&campaign, CampaignState::Ordered).await;
            let row = shop.order(stays).await;
            assert_eq!((row.state, row.final_total), (OrderState::Backordered, Some(54_000)));
            shop.audit().await;
        }
        shop.close().await;
    }
}
