//! Every test card in every mode under every fault: what each order comes to, checked against our books and against the
//! provider's own list of charges and refunds.

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::ids::OrderId;
use muster::domain::order::OrderState::{self, Backordered, Cancelled, Expired};
use muster::store::campaigns::CampaignRow;
use serde_json::{Value, json};

use super::{arrive, completes, deadline_passes, joins};
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop};

/// What becomes of an order over 90.00: its state, what the provider charged, what of it went back.
type End = (OrderState, i64, i64);

/// A card, whether its order is cancelled by its shopper before the deadline, and its end by mode.
struct Row {
    card: &'static str,
    leaves: bool,
    charge_now: End,
    charge_on_success: End,
    deposit: End,
}

const fn row(card: &'static str, now: End, success: End, deposit: End) -> Row {
    Row {
        card,
        leaves: false,
        charge_now: now,
        charge_on_success: success,
        deposit,
    }
}

const fn leaving(card: &'static str, now: End, success: End, deposit: End) -> Row {
    Row {
        leaves: true,
        ..row(card, now, success, deposit)
    }
}

const IN: End = (Backordered, 9_000, 0);
const NEVER: End = (Expired, 0, 0);

const TABLE: [Row; 15] = [
    row("4242424242424242", IN, IN, IN),
    row("4000000000000002", NEVER, NEVER, NEVER),
    row("4000000000009995", NEVER, NEVER, NEVER),
    row("4000000000009987", NEVER, NEVER, NEVER),
    row("4000000000009979", NEVER, NEVER, NEVER),
    row("4000000000000069", NEVER, NEVER, NEVER),
    row("4000000000000127", NEVER, NEVER, NEVER),
    row("4000000000000119", NEVER, NEVER, NEVER),
    // Attaches, then every charge fails.
    row("4000000000000341", NEVER, (Cancelled, 0, 0), NEVER),
    // 3-D Secure at set-up, then charged without its holder.
    row("4000002500003155", IN, IN, IN),
    // 3-D Secure each time: without its holder it is never charged, and nobody presses the mail's link.
    row(
        "4000002760003184",
        IN,
        (Cancelled, 0, 0),
        (Cancelled, 1_800, 1_800),
    ),
    // A refund succeeds, and comes back later: it is owed in another way.
    leaving(
        "4000000000005126",
        (Cancelled, 9_000, 0),
        (Cancelled, 0, 0),
        (Cancelled, 1_800, 0),
    ),
    leaving(
        "4000000000007726",
        (Cancelled, 9_000, 9_000),
        (Cancelled, 0, 0),
        (Cancelled, 1_800, 1_800),
    ),
    // Disputed at once: before the judgement that cancels the order, and its refund waits. After it the order leaves when
    // the dispute is lost, because nobody answers it.
    row(
        "4000000000000259",
        (Cancelled, 9_000, 0),
        (Cancelled, 9_000, 0),
        (Cancelled, 1_800, 0),
    ),
    row("4000000000001976", IN, IN, IN),
];

fn body(shop: &Shop, mode: &str) -> Value {
    let mut body = shop.example_a();
    body["payment_mode"] = json!(mode);
    if mode == "deposit" {
        body["deposit_percent"] = json!(20);
    }
    body["steps"] = json!([1]);
    body["options"][0]["prices"] = json!([9000]);
    body
}

fn end_of(row: &Row, mode: &str) -> End {
    match mode {
        "charge_now" => row.charge_now,
        "charge_on_success" => row.charge_on_success,
        _ => row.deposit,
    }
}

/// A fault holds for a while; then all is well again, and what was held up is done.
async fn through(shop: &Shop, fault: &Value, what: impl Future<Output = ()>) {
    shop.faults(fault.clone()).await;
    what.await;
    shop.advance(Duration::minutes(2)).await;
    let well = json!({"webhooks": "normal", "api": "normal", "balance": "normal"});
    shop.faults(well).await;
    shop.advance(Duration::minutes(3)).await;
    if fault["webhooks"] == "drop" {
        // What no webhook told is asked for, as the worker does every six hours.
        let office = &shop.running.app.office;
        let report = muster::jobs::reconcile(office)
            .await
            .expect("it can be asked");
        assert!(report.left.is_empty(), "{:?}", report.left);
        shop.settle().await;
    }
}

async fn join_all(shop: &Shop, campaign: &CampaignRow) -> Vec<OrderId> {
    let mut placed = Vec::new();
    for n in 0..TABLE.len() {
        let email = format!("card{n}@mail.example");
        placed.push(joins(shop, campaign, &email, 1, None).await);
    }
    placed
}

async fn live(db: TestDatabase, mode: &str, fault: Value) {
    let shop = Shop::open_with_timeout(db, 1).await;
    let campaign = shop.publish(body(&shop, mode)).await;
    let good = joins(&shop, &campaign, "good@mail.example", 6, None).await;
    assert_eq!(completes(&shop, good, GOOD_CARD).await, 303);
    let mut placed = Vec::new();
    through(&shop, &fault, async {
        placed = join_all(&shop, &campaign).await;
    })
    .await;
    let webhooks = json!({"webhooks": fault.get("webhooks").unwrap_or(&json!("normal"))});
    through(&shop, &webhooks, async {
        for (order, row) in placed.iter().zip(&TABLE) {
            completes(&shop, *order, row.card).await;
        }
        // What no webhook told is asked for.
        shop.advance(Duration::minutes(50)).await;
        for (order, _) in placed.iter().zip(&TABLE).filter(|(_, row)| row.leaves) {
            shop.cancel(*order).await.expect("it can leave");
        }
    })
    .await;
    shop.audit().await;
    through(&shop, &fault, deadline_passes(&shop, &campaign)).await;
    shop.audit().await;
    through(&shop, &fault, shop.advance(Duration::days(8))).await;
    shop.expect_state(&campaign, CampaignState::Ordered).await;
    if mode == "deposit" {
        let units = shop.purchase_orders(&campaign).await[0].units;
        arrive(&shop, &campaign, units).await;
        through(&shop, &fault, shop.advance(Duration::days(3))).await;
        shop.advance(Duration::days(8)).await;
    }
    for (order, row) in placed.iter().zip(&TABLE) {
        let (state, charged, refunded) = end_of(row, mode);
        let now = shop.order(*order).await;
        assert_eq!(now.state, state, "{}: {now:#?}", row.card);
        assert_eq!(now.charged, charged, "{}: {now:#?}", row.card);
        assert_eq!(
            shop.at_provider(*order).await,
            (charged, refunded),
            "{}",
            row.card
        );
    }
    shop.audit().await;
    shop.close().await;
}

macro_rules! table {
    ($($name:ident: $mode:literal, $fault:tt;)+) => {
        both_databases! {$(
            async fn $name(db: TestDatabase) {
                live(db, $mode, json!($fault)).await;
            }
        )+}
    };
}

table! {
    paid_at_once: "charge_now", {};
    paid_at_once_webhooks_twice: "charge_now", {"webhooks": "duplicate"};
    paid_at_once_webhooks_out_of_order: "charge_now", {"webhooks": "reorder"};
    paid_at_once_no_webhooks: "charge_now", {"webhooks": "drop"};
    paid_at_once_errors_after_effect: "charge_now", {"api": "error_after_effect"};
    paid_at_once_hangs_after_effect: "charge_now", {"api": "hang_after_effect"};
    charged_on_success: "charge_on_success", {};
    charged_on_success_webhooks_twice: "charge_on_success", {"webhooks": "duplicate"};
    charged_on_success_webhooks_out_of_order: "charge_on_success", {"webhooks": "reorder"};
    charged_on_success_no_webhooks: "charge_on_success", {"webhooks": "drop"};
    charged_on_success_errors_after_effect: "charge_on_success", {"api": "error_after_effect"};
    charged_on_success_hangs_after_effect: "charge_on_success", {"api": "hang_after_effect"};
    charged_on_success_rate_limited: "charge_on_success", {"api": "rate_limit"};
    deposit: "deposit", {};
    deposit_webhooks_twice: "deposit", {"webhooks": "duplicate"};
    deposit_webhooks_out_of_order: "deposit", {"webhooks": "reorder"};
    deposit_no_webhooks: "deposit", {"webhooks": "drop"};
    deposit_errors_after_effect: "deposit", {"api": "error_after_effect"};
    deposit_hangs_after_effect: "deposit", {"api": "hang_after_effect"};
}
