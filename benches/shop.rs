//! The program as it is started: until its first page, idle, and with whole joins over HTTP in the sandbox, payment
//! page's creation included, over 64 connections. Wanted: first page within 0.3 s on an existing database, at most
//! 40 MiB idle, at most 1.0 ms of the server's CPU for a join, 200 joins a second, none refused.
//! `cargo bench --bench shop` (Linux: it reads /proc).

mod support;

use std::path::Path;
use std::time::Duration;

use muster::app::{App, Role};
use muster::store::orders;
use serde_json::Value;
use support::http;
use support::server::{Server, free_address};
use support::{CALLERS, median, p99, per_second};

/// Joins of one round.
const JOINS: usize = 3_000;
/// How many rounds: the first one also warms up what is made once.
const ROUNDS: usize = 3;

fn main() {
    let (data, database) = support::place();
    let threads = support::threads();
    threads.block_on(make(&database, data.path()));
    let address = free_address();
    let starts: Vec<f64> = (0..5)
        .map(|_| {
            let (server, first) = Server::start(&database, data.path(), address, &[]);
            threads.block_on(async { server.stop().await });
            first.as_secs_f64()
        })
        .collect();
    println!(
        "first page: {:.3} s after the start (wanted: 0.3)",
        median(starts)
    );
    let (server, _) = Server::start(&database, data.path(), address, &[]);
    // Idle: what was due at the start is over.
    std::thread::sleep(Duration::from_secs(3));
    println!("idle memory: {:.1} MiB (wanted: 40)", server.memory());
    for round in 0..ROUNDS {
        let before = server.cpu();
        let done = threads.block_on(http::load(
            address,
            CALLERS,
            JOINS,
            move |n| {
                http::post_json(
                    "/api/v1/campaigns/ridge/orders",
                    &support::body(round * JOINS + n),
                )
            },
            |answer| {
                let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                answer.status == 201 && body["checkout_url"].is_string()
            },
        ));
        // What follows an answer (ended jobs, delivered webhooks) is the join's work too.
        std::thread::sleep(Duration::from_millis(500));
        let cpu = server.cpu() - before;
        println!(
            "joins over HTTP, {CALLERS} connections: {:.0}/s (wanted: 200), {:.2} ms of server CPU each (wanted: 1.0), p99 {:.0?}, refused {}, without page {}",
            per_second(done.answers, done.took),
            cpu.as_secs_f64() * 1000.0 / JOINS as f64,
            p99(done.waits),
            done.refused,
            done.bad - done.refused,
        );
        assert_eq!(done.refused, 0, "none is refused");
    }
    println!(
        "memory after {} joins: {:.1} MiB",
        ROUNDS * JOINS,
        server.memory()
    );
    threads.block_on(async { server.stop().await });
}

/// A database that existed before: the shop and its campaign.
async fn make(database: &str, data: &Path) {
    let app = App::build(support::config(database, data), Role::Command).expect("a shop");
    app.office
        .write(|desk, tx| support::open_campaign(desk, tx, "ridge", None))
        .await
        .expect("a campaign");
    let none = app
        .office
        .read(orders::queue_length)
        .await
        .expect("a database");
    assert_eq!(none, 0);
    app.office.stop();
}
