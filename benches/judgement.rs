//! A campaign of 100,000 orders with saved cards is judged, and the cards are charged: the judgement alone, the time from
//! the end of joining until the first charge is asked for, how near the charges come to the pace that the provider allows,
//! what that takes of memory, and how long others wait meanwhile. Wanted: under 1 s, under 10 s, at least 0.95 of the
//! limit, at most 200 MiB above idle. Then 10,000 cards of which one in twenty is refused, until their grace windows are
//! over: the books are compared with the provider's. `cargo bench --bench judgement` (the built-in provider answers; Linux:
//! it reads /proc).

mod support;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::NaiveDateTime;
use diesel::Connection as _;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamp};
use muster::domain::currency::Currency;
use muster::domain::ids::OptionId;
use muster::domain::outcome::{self, JudgeInput, Judgement, PaidLine};
use muster::domain::price::{PriceTable, Steps, Threshold};
use serde_json::{Value, json};
use support::crowd::{self, GOOD, Wish};
use support::http::{self, Connection};
use support::server::{Server, free_address};
use support::{median, p99};
use tempfile::TempDir;
use tokio::task::JoinHandle;

/// How many orders are judged.
const ORDERS: usize = 100_000;
/// Over how many charges their pace is measured.
const CHARGES: usize = 1_500;
/// Calls in a second that the provider allows: what it grants a live key, and more.
const RATES: [&str; 2] = ["100", "400"];
/// How many cards are charged until nobody is left to pay.
const CARDS: usize = 10_000;
/// How many of [`WISHES`] come to nothing with so few others: too few want what they want, or it does not get that cheap.
const IN_VAIN: usize = 4;

/// Where the price changes; what is ordered reaches the last but one.
const STEPS: [i64; 5] = [1, 1_000, 20_000, 60_000, 500_000];
/// The options with their prices; too few want the last.
const OPTIONS: [(&str, [i64; 5], Option<i64>); 5] = [
    ("set", [10_000, 9_500, 9_000, 8_500, 8_000], None),
    ("lid", [2_000, 1_900, 1_800, 1_700, 1_600], Some(1_000)),
    ("cup", [1_500, 1_400, 1_300, 1_200, 1_100], None),
    ("jar", [4_000, 3_900, 3_800, 3_700, 3_600], Some(500)),
    ("tray", [3_000, 2_900, 2_800, 2_700, 2_600], Some(20_000)),
];

const fn wish(lines: &'static [(&'static str, i64)], limit: Option<usize>) -> Wish {
    Wish { lines, limit }
}

/// What shoppers want: alone and together, in any case and from each step on.
const WISHES: [Wish; 8] = [
    wish(&[("set", 1)], None),
    wish(&[("set", 1), ("lid", 1)], None),
    wish(&[("cup", 2)], Some(1)),
    wish(&[("jar", 1)], Some(2)),
    wish(&[("set", 2), ("jar", 1)], Some(3)),
    wish(&[("set", 1)], Some(4)),
    wish(&[("tray", 1)], None),
    wish(&[("set", 1), ("tray", 1)], None),
];

/// What the n-th shopper wants.
fn kind(n: usize) -> usize {
    match n % 50 {
        0..=19 => 0,
        20..=29 => 1,
        30..=35 => 2,
        36..=40 => 3,
        41..=44 => 4,
        45..=46 => 5,
        47..=48 => 6,
        _ => 7,
    }
}

fn offer(body: &mut Value) {
    let options = OPTIONS.iter().map(|(sku, prices, minimum)| {
        json!({"sku": sku, "name": format!("The {sku}"), "prices": prices, "minimum": minimum})
    });
    body["steps"] = json!(STEPS);
    body["options"] = options.collect();
}

fn main() {
    pure();
    let threads = support::threads();
    let start = tempfile::tempdir().expect("a temporary folder");
    let key = threads.block_on(crowd::open(start.path(), offer));
    crowd::place(&threads, start.path(), &WISHES);
    let many = copy_of(start.path());
    threads.block_on(crowd::copy(many.path(), ORDERS, kind, |_| GOOD));
    for rate in RATES {
        let place = copy_of(many.path());
        let address = free_address();
        let setting = format!("--provider-rate={rate}");
        let database = support::database_in(place.path());
        let (server, _) = Server::start(&database, place.path(), address, &[&setting]);
        threads.block_on(charged(server, (address, rate), place.path(), &key));
    }
    drop(many);
    threads.block_on(crowd::copy(start.path(), CARDS, |_| 0, card));
    let address = free_address();
    let database = support::database_in(start.path());
    let (server, _) = Server::start(&database, start.path(), address, &[]);
    threads.block_on(refused_cards(server, address, start.path(), &key));
}

/// The judgement of all lines, in memory.
fn pure() {
    let steps = Steps::try_from(STEPS.to_vec()).expect("steps");
    let ids: Vec<OptionId> = OPTIONS.iter().map(|_| OptionId::new()).collect();
    let table = |prices: &[i64]| PriceTable::new(prices.to_vec(), &steps, Currency::USD);
    let prices: BTreeMap<OptionId, PriceTable> = ids
        .iter()
        .zip(&OPTIONS)
        .map(|(id, (_, prices, _))| (*id, table(prices).expect("prices")))
        .collect();
    let minimums: BTreeMap<OptionId, i64> = ids
        .iter()
        .zip(&OPTIONS)
        .filter_map(|(id, (_, _, minimum))| Some((*id, (*minimum)?)))
        .collect();
    let mut lines = Vec::new();
    for n in 0..ORDERS {
        let wish = &WISHES[kind(n)];
        for (sku, quantity) in wish.lines {
            let at = OPTIONS.iter().position(|(known, _, _)| known == sku);
            let at = at.expect("an option");
            let limit = wish.limit.unwrap_or(0);
            lines.push(PaidLine {
                key: n,
                option: ids[at],
                quantity: *quantity,
                shown: OPTIONS[at].1[limit],
                limit,
            });
        }
    }
    let input = JudgeInput {
        steps: &steps,
        threshold: Threshold::Units(50_000),
        prices: &prices,
        minimums: &minimums,
        step: None,
        lines: &lines,
    };
    let mut times = Vec::new();
    for _ in 0..5 {
        let begun = Instant::now();
        let judged = outcome::judge(&input).expect("it fits");
        times.push(begun.elapsed().as_secs_f64());
        let Judgement::Success(success) = judged else {
            panic!("it comes together");
        };
        assert_eq!(success.step, 3, "the last but one step");
        assert!(!success.dropped.is_empty() && !success.released.is_empty());
    }
    println!(
        "{ORDERS} orders, {} lines judged in {:.4} s (wanted: 1)",
        lines.len(),
        median(times)
    );
}

/// Joining ends, and cards are charged at the pace of the provider.
async fn charged(server: Server, (address, rate): (SocketAddr, &str), data: &Path, key: &str) {
    tokio::time::sleep(Duration::from_secs(3)).await;
    let idle = server.memory();
    let others = Others::begin(address, 0);
    tokio::time::sleep(Duration::from_secs(5)).await;
    let alone = others.end().await;
    let others = Others::begin(address, 100_000);
    close(address, key).await;
    let mut books = Books::of(data);
    let paid = books.until_paid(CHARGES).await;
    let ended = books.time("SELECT closed_at AS at FROM campaigns WHERE slug = 'ridge'");
    let first = books.time("SELECT min(sent_at) AS at FROM payments WHERE kind = 'charge'");
    let begun = Instant::now();
    while books
        .maybe("SELECT settled_at AS at FROM batches WHERE collecting_since IS NOT NULL")
        .is_none()
    {
        tokio::time::sleep(Duration::from_millis(200)).await;
        assert!(begun.elapsed() < Duration::from_secs(600), "it is settled");
    }
    let settled =
        books.time("SELECT settled_at AS at FROM batches WHERE collecting_since IS NOT NULL");
    let seconds = |at: NaiveDateTime| (at - ended).as_seconds_f64();
    println!(
        "{ORDERS} orders: first charge {:.2} s after the end of joining (wanted: 10), the last order has its price after {:.1} s",
        seconds(first),
        seconds(settled)
    );
    let took = (paid[CHARGES - 1] - paid[0]).as_seconds_f64();
    // Whoever joins meanwhile needs a page, whose making comes before the charges at the same pace.
    let pages = books.pages_made(paid[0], paid[CHARGES - 1]);
    let reached = (CHARGES as f64 - 1.0 + pages as f64) / took;
    println!(
        "{CHARGES} charges, and {pages} pages for others, in {took:.1} s: {reached:.1}/s, {:.3} of the limit of {rate} (wanted: 0.95)",
        reached / rate.parse::<f64>().unwrap_or(f64::NAN)
    );
    let busy = others.end().await;
    println!("others meanwhile: {busy}; otherwise: {alone}");
    println!(
        "memory: {idle:.1} MiB idle, {:.1} MiB more at most (wanted: 200)",
        server.peak() - idle
    );
    server.stop().await;
}

async fn close(address: SocketAddr, key: &str) {
    let close = http::post_json_as("/api/v1/campaigns/ridge/close", "{}", key);
    let answer = Connection::open(address).await.ask(&close).await;
    assert_eq!(
        answer.status,
        200,
        "{}",
        String::from_utf8_lossy(&answer.body)
    );
}

/// The n-th shopper's card: of twenty one says no, in four ways.
fn card(n: usize) -> &'static str {
    match n % 80 {
        19 => "4000000000000002",
        39 => "4000000000009995",
        59 => "4000000000009987",
        79 => "4000002760003184",
        _ => GOOD,
    }
}

/// Charges all cards and lets the grace windows pass.
async fn refused_cards(server: Server, address: SocketAddr, data: &Path, key: &str) {
    let begun = Instant::now();
    close(address, key).await;
    let mut books = Books::of(data);
    let good = (0..CARDS).filter(|n| card(*n) == GOOD).count();
    books.until_paid(good + WISHES.len() - IN_VAIN).await;
    println!(
        "{good} cards charged without a limit in {:.1} s",
        begun.elapsed().as_secs_f64()
    );
    let days = http::post_json(
        "/sandbox/clock",
        &json!({"advance_seconds": 8 * 86_400}).to_string(),
    );
    let moved = Connection::open(address).await.ask(&days).await;
    assert_eq!(
        moved.status,
        200,
        "{}",
        String::from_utf8_lossy(&moved.body)
    );
    let refused = i64::try_from(CARDS - good).unwrap_or(0);
    let vain = i64::try_from(IN_VAIN).unwrap_or(0);
    books
        .until_orders("state = 'cancelled'", refused + vain)
        .await;
    let kept = i64::try_from(good + WISHES.len() - IN_VAIN).unwrap_or(0);
    // Judged once more when the last one was given up.
    let judged =
        "batch_id IN (SELECT id FROM batches WHERE collected_at IS NOT NULL AND failure IS NULL)";
    let which = format!("state IN ('confirmed', 'backordered') AND collected AND {judged}");
    books.until_orders(&which, kept).await;
    let audit = Command::new(env!("CARGO_BIN_EXE_muster"))
        .args(["audit", "--sandbox"])
        .arg(format!("--public-url=http://{address}"))
        .arg(format!("--database-url={}", support::database_in(data)))
        .arg(format!("--data-dir={}", data.display()))
        .output()
        .expect("the program");
    let said = String::from_utf8_lossy(&audit.stdout);
    assert!(audit.status.success(), "{said}");
    println!(
        "{CARDS} cards, {refused} of them refused to the end: {}",
        said.trim()
    );
    server.stop().await;
}

/// A place with the same data; nothing may run on it.
fn copy_of(data: &Path) -> TempDir {
    let copy = tempfile::tempdir().expect("a temporary folder");
    for entry in std::fs::read_dir(data).expect("the data") {
        let file = entry.expect("a file").path();
        if file.is_file() {
            let name = file.file_name().expect("a name");
            std::fs::copy(&file, copy.path().join(name)).expect("a copy");
        }
    }
    copy
}

#[derive(QueryableByName)]
struct At {
    #[diesel(sql_type = Nullable<Timestamp>)]
    at: Option<NaiveDateTime>,
}

#[derive(QueryableByName)]
struct Stands {
    #[diesel(sql_type = Text)]
    what: String,
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// The shop's books, read behind its back.
struct Books(SqliteConnection);

impl Books {
    fn of(data: &Path) -> Self {
        let file = data.join("muster.db").display().to_string();
        Self(SqliteConnection::establish(&file).expect("the books"))
    }

    fn maybe(&mut self, query: &str) -> Option<NaiveDateTime> {
        let rows: Vec<At> = diesel::sql_query(query).load(&mut self.0).expect("a time");
        rows.into_iter().find_map(|row| row.at)
    }

    fn time(&mut self, query: &str) -> NaiveDateTime {
        self.maybe(query).expect("a time")
    }

    fn count(&mut self, query: &str) -> i64 {
        let rows: Vec<Counted> = diesel::sql_query(query)
            .load(&mut self.0)
            .expect("a number");
        rows.first().expect("a number").n
    }

    /// Waits until so many charges are paid; when each was, the earliest first.
    async fn until_paid(&mut self, charges: usize) -> Vec<NaiveDateTime> {
        let begun = Instant::now();
        let which = "FROM payments WHERE state = 'paid' AND kind = 'charge'";
        while self.count(&format!("SELECT count(*) AS n {which}"))
            < i64::try_from(charges).unwrap_or(0)
        {
            tokio::time::sleep(Duration::from_millis(500)).await;
            assert!(
                begun.elapsed() < Duration::from_secs(900),
                "cards are charged"
            );
        }
        let all = format!("SELECT settled_at AS at {which} ORDER BY settled_at LIMIT {charges}");
        let rows: Vec<At> = diesel::sql_query(all).load(&mut self.0).expect("times");
        rows.into_iter().filter_map(|row| row.at).collect()
    }
}

impl Books {
    /// Where orders, batches and work stand, to be said where something is not as it should be.
    fn stands(&mut self) -> Vec<(String, i64)> {
        let query = "SELECT 'order ' || state AS what, count(*) AS n FROM orders GROUP BY state \
            UNION ALL SELECT 'batch ' || state, count(*) FROM batches GROUP BY state \
            UNION ALL SELECT 'due ' || state, count(*) FROM dues GROUP BY state \
            UNION ALL SELECT 'work ' || kind || ' at ' || min(run_at) || coalesce(max(problem), ''), count(*) \
                FROM jobs GROUP BY kind";
        let rows: Vec<Stands> = diesel::sql_query(query).load(&mut self.0).expect("it");
        rows.into_iter().map(|row| (row.what, row.n)).collect()
    }

    /// How many pages were made for who joined between these times.
    fn pages_made(&mut self, from: NaiveDateTime, to: NaiveDateTime) -> i64 {
        self.count(&format!(
            "SELECT count(*) AS n FROM payments WHERE kind <> 'charge' AND sent_at BETWEEN '{from}' AND '{to}'"
        ))
    }

    /// Waits until so many orders are so.
    async fn until_orders(&mut self, which: &str, wanted: i64) {
        let begun = Instant::now();
        let query = format!("SELECT count(*) AS n FROM orders WHERE {which}");
        let mut there = self.count(&query);
        while there != wanted {
            assert!(
                begun.elapsed() < Duration::from_secs(120),
                "{there} orders are {which}, not {wanted}: {:?}",
                self.stands()
            );
            tokio::time::sleep(Duration::from_millis(500)).await;
            there = self.count(&query);
        }
    }
}

/// Others who join another campaign and look at the one that is charged, one after the other.
struct Others {
    over: Arc<AtomicBool>,
    asking: JoinHandle<(Vec<Duration>, Vec<Duration>, usize)>,
}

impl Others {
    fn begin(address: SocketAddr, first: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let told = over.clone();
        let asking = tokio::spawn(async move {
            let mut asks = Connection::open(address).await;
            let (mut joins, mut looks, mut late) = (Vec::new(), Vec::new(), 0);
            let mut shopper = first;
            while !told.load(Ordering::Relaxed) {
                let join =
                    http::post_json("/api/v1/campaigns/other/orders", &support::body(shopper));
                let begun = Instant::now();
                let answer = asks.ask(&join).await;
                joins.push(begun.elapsed());
                assert_eq!(answer.status, 201);
                // A page that takes longer is led to from the order's own.
                let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
                late += usize::from(!said["checkout_url"].is_string());
                let begun = Instant::now();
                assert_eq!(asks.ask(&http::get("/c/ridge", "gzip")).await.status, 200);
                looks.push(begun.elapsed());
                shopper += 1;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            (joins, looks, late)
        });
        Self { over, asking }
    }

    /// Has them stop; how long they waited.
    async fn end(self) -> String {
        self.over.store(true, Ordering::Relaxed);
        let (joins, looks, late) = self.asking.await.expect("the others");
        let longest = |waits: &[Duration]| waits.iter().max().copied().unwrap_or_default();
        format!(
            "{} joins, {late} of them answered before their payment page was there, p99 {:.0?}, longest {:.0?}; its page p99 {:.0?}, longest {:.0?}",
            joins.len(),
            p99(joins.clone()),
            longest(&joins),
            p99(looks.clone()),
            longest(&looks)
        )
    }
}
