//! Everybody of a cancelled campaign is refunded at the provider, at the pace the provider allows: how near the calls come
//! to it. Wanted: at least 0.95 of the limit. `cargo bench --bench refunds` (the built-in provider answers).

mod support;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::NaiveDateTime;
use muster::app::{App, Role};
use muster::domain::payment::{RefundAttemptState, RefundState};
use muster::store::refunds;
use muster::workflows::accounts;
use muster::workflows::desk::Problem;
use muster::workflows::office::Office;
use serde_json::Value;
use support::http::{self, Connection};
use support::server::{Server, free_address};

/// How many orders are refunded.
const ORDERS: usize = 1_500;
/// Calls in a second that the provider allows: what it grants a live key.
const RATE: &str = "100";
/// How many shoppers pay at once.
const PAYERS: usize = 8;

fn main() {
    let (data, database) = support::place();
    let threads = support::threads();
    let key = threads.block_on(make(&database, data.path()));
    let address = free_address();
    let rate = format!("--provider-rate={RATE}");
    let (server, _) = Server::start(&database, data.path(), address, &[&rate]);
    let watcher =
        App::build(support::config(&database, data.path()), Role::Command).expect("a view");
    threads.block_on(async {
        let pages = joined(address).await;
        assert_eq!(pages.len(), ORDERS, "everybody got a payment page");
        let paid = http::load(
            address,
            PAYERS,
            ORDERS,
            move |n| http::post_form(&pages[n], "card=4242424242424242"),
            |answer| answer.status == 303,
        )
        .await;
        assert_eq!(paid.bad, 0, "everybody paid");
        let cancel = http::post_json_as(
            "/api/v1/campaigns/ridge/cancel",
            r#"{"reason": "The kiln cracked."}"#,
            &key,
        );
        // The last payments are still on their way to the books.
        tokio::time::sleep(Duration::from_secs(5)).await;
        let answer = Connection::open(address).await.ask(&cancel).await;
        assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
        let calls = until_refunded(&watcher.office).await;
        let (first, last) = (calls.iter().min(), calls.iter().max());
        let took = match (first, last) {
            (Some(first), Some(last)) => (*last - *first).as_seconds_f64(),
            _ => f64::NAN,
        };
        let limit: f64 = RATE.parse().unwrap_or(f64::NAN);
        let reached = (ORDERS as f64 - 1.0) / took;
        println!(
            "{ORDERS} refunds in {took:.1} s: {reached:.1} calls/s, {:.3} of the limit of {RATE} (wanted: 0.95)",
            reached / limit
        );
        server.stop().await;
    });
    watcher.office.stop();
}

/// A shop with an open campaign; the key of a program that speaks for it.
async fn make(database: &str, data: &Path) -> String {
    let app = App::build(support::config(database, data), Role::Command).expect("a shop");
    let key = app
        .office
        .write(|desk, tx| {
            let campaign = support::open_campaign(desk, tx, "ridge", None)?;
            accounts::create_api_key(tx, campaign.merchant_id)
        })
        .await
        .expect("a campaign");
    app.office.stop();
    key
}

/// Everybody joins; the paths of their payment pages.
async fn joined(address: std::net::SocketAddr) -> Vec<String> {
    let pages = Arc::new(Mutex::new(Vec::with_capacity(ORDERS)));
    let kept = pages.clone();
    http::load(
        address,
        PAYERS,
        ORDERS,
        |n| http::post_json("/api/v1/campaigns/ridge/orders", &support::body(n)),
        move |answer| {
            let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
            let path = body["checkout_url"]
                .as_str()
                .and_then(|url| url.find("/sandbox/").map(|at| url[at..].to_owned()));
            let found = path.is_some();
            kept.lock().expect("the list").extend(path);
            found
        },
    )
    .await;
    std::mem::take(&mut *pages.lock().expect("the list"))
}

/// Waits until every refund has succeeded; when each was asked for.
async fn until_refunded(office: &Office) -> Vec<NaiveDateTime> {
    let all = i64::try_from(ORDERS).unwrap_or(i64::MAX);
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let calls = office
            .read(move |conn| -> Result<_, Problem> {
                let done = refunds::all_in_states(conn, &[RefundState::Succeeded], all)?;
                let mut calls = Vec::new();
                if done.len() == ORDERS {
                    for refund in done {
                        let mine = refunds::attempts_of(conn, refund.id)?;
                        let sent = mine
                            .iter()
                            .filter(|c| c.state == RefundAttemptState::Succeeded);
                        calls.extend(sent.filter_map(|c| c.first_sent_at));
                    }
                }
                Ok(calls)
            })
            .await
            .expect("a database");
        if calls.len() == ORDERS {
            return calls;
        }
    }
}
