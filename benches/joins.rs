//! Durable joins through the write lane (the hold is committed, the provider is not asked) against one durable
//! transaction per join, 64 callers on one campaign. Wanted: at least 8 times on SQLite, 10 times on PostgreSQL, and
//! the cap never exceeded. `cargo bench --bench joins`; with the feature `postgres` and a server's address in
//! `MUSTER_BENCH_POSTGRES_URL` also on PostgreSQL.

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use muster::app::{App, Role};
use muster::config::Config;
use muster::store::campaigns::{self, CampaignRow};
use muster::store::{self, Conn, Group, write_on};
use muster::workflows::desk::Problem;
use muster::workflows::join::Joins;
use muster::workflows::office::Office;
use muster::workflows::ports::SystemClock;
use support::{CALLERS, median, p99, per_second, wish};

/// How often each is measured, in turn.
const ROUNDS: usize = 5;
/// How long one measurement goes on.
const LENGTH: Duration = Duration::from_secs(3);

fn main() {
    let (data, database) = support::place();
    compare("SQLite", &database, data.path(), "8");
    #[cfg(feature = "postgres")]
    match std::env::var("MUSTER_BENCH_POSTGRES_URL") {
        Ok(server) => {
            let data = tempfile::tempdir().expect("a temporary folder");
            let database = Database::create(&server);
            compare("PostgreSQL", &database.url, data.path(), "10");
        }
        Err(_) => println!("PostgreSQL: not measured, MUSTER_BENCH_POSTGRES_URL is not set"),
    }
}

fn compare(name: &str, database: &str, data: &Path, wanted: &str) {
    let threads = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("threads");
    let config = support::config(database, data);
    let app = App::build(config.clone(), Role::Command).expect("a shop");
    let office = app.office.clone();
    let campaign = threads
        .block_on(
            office.write(|desk, tx| support::open_campaign(desk, tx, "ridge", Some(10_000_000))),
        )
        .expect("a campaign");
    let shopper = Arc::new(AtomicUsize::new(0));
    let (mut ratios, mut lanes, mut singles, mut waits) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let lane = threads.block_on(through_lane(&office, &campaign, &shopper));
        let single = one_by_one(&config, &campaign, &shopper);
        println!("  {name}: {:.0}/s, {:.0}/s", lane.rate(), single.rate());
        ratios.push(lane.rate() / single.rate());
        lanes.push(lane.rate());
        singles.push(single.rate());
        waits.push((p99(lane.waits), p99(single.waits)));
    }
    let (lane_wait, single_wait) = waits[ROUNDS / 2];
    println!(
        "{name}, {CALLERS} callers on one campaign: lane {:.0} joins/s (p99 {lane_wait:.1?}), one transaction each {:.0}/s (p99 {single_wait:.1?}), ratio {:.1} (wanted: {wanted})",
        median(lanes),
        median(singles),
        median(ratios)
    );
    let (cap, granted) = threads.block_on(until_sold_out(&office, &shopper));
    println!("{name}: cap {cap}, units taken {granted}");
    assert_eq!(cap, granted, "the cap is reached and never exceeded");
    office.stop();
}

struct Joined {
    took: Duration,
    waits: Vec<Duration>,
}

impl Joined {
    fn rate(&self) -> f64 {
        per_second(self.waits.len(), self.took)
    }
}

/// 64 callers, each with its next join as soon as the last one is durable.
async fn through_lane(
    office: &Office,
    campaign: &CampaignRow,
    shopper: &Arc<AtomicUsize>,
) -> Joined {
    let start = Instant::now();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (office, campaign, shopper) = (office.clone(), campaign.clone(), shopper.clone());
            tokio::spawn(async move {
                let mut waits = Vec::new();
                while start.elapsed() < LENGTH {
                    let wish = wish(&campaign, shopper.fetch_add(1, Ordering::Relaxed));
                    let asked = Instant::now();
                    office.join(wish).await.expect("a place");
                    waits.push(asked.elapsed());
                }
                waits
            })
        })
        .collect();
    let mut waits = Vec::new();
    for caller in callers {
        waits.extend(caller.await.expect("a caller"));
    }
    Joined {
        took: start.elapsed(),
        waits,
    }
}

/// 64 callers with a connection each, and a durable transaction for each join: the same workflow without the lane.
fn one_by_one(config: &Config, campaign: &CampaignRow, shopper: &Arc<AtomicUsize>) -> Joined {
    let start = Instant::now();
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let mut conn = store::connect(&config.database).expect("a connection");
            let (campaign, shopper) = (campaign.clone(), shopper.clone());
            let joins = Joins::new(Arc::new(SystemClock), 31, None);
            std::thread::spawn(move || {
                let mut waits = Vec::new();
                while start.elapsed() < LENGTH {
                    let wish = wish(&campaign, shopper.fetch_add(1, Ordering::Relaxed));
                    let asked = Instant::now();
                    place(&joins, &mut conn, wish);
                    waits.push(asked.elapsed());
                }
                waits
            })
        })
        .collect();
    let mut waits = Vec::new();
    for caller in callers {
        waits.extend(caller.join().expect("a caller"));
    }
    Joined {
        took: start.elapsed(),
        waits,
    }
}

fn place(joins: &Joins, conn: &mut Conn, wish: muster::workflows::join::JoinRequest) {
    let wishes = [wish];
    loop {
        let done = write_on(conn, chrono::Utc::now(), |tx| joins.run(tx, &wishes));
        match done {
            Ok(mut answers) => {
                answers.pop().expect("an answer").expect("a place");
                return;
            }
            // Met another caller: again, as a plain program would.
            Err(e) if e.is_passing() => {}
            Err(e) => panic!("{e}"),
        }
    }
}

/// Lets 64 callers run into a campaign's cap: what it is, and what was taken of it.
async fn until_sold_out(office: &Office, shopper: &Arc<AtomicUsize>) -> (i64, i64) {
    let cap = 5_003;
    let campaign = office
        .write(move |desk, tx| support::open_campaign(desk, tx, "capped", Some(cap)))
        .await
        .expect("a campaign");
    let id = campaign.id;
    let granted = Arc::new(AtomicI64::new(0));
    let callers: Vec<_> = (0..CALLERS)
        .map(|_| {
            let (office, campaign, shopper, granted) = (
                office.clone(),
                campaign.clone(),
                shopper.clone(),
                granted.clone(),
            );
            tokio::spawn(async move {
                loop {
                    let wish = wish(&campaign, shopper.fetch_add(1, Ordering::Relaxed));
                    match office.join(wish).await {
                        Ok(_) => granted.fetch_add(1, Ordering::Relaxed),
                        Err(Problem::Conflict {
                            kind: "sold-out", ..
                        }) => return,
                        Err(e) => panic!("{e}"),
                    };
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("a caller");
    }
    assert_eq!(
        granted.load(Ordering::Relaxed),
        cap,
        "each unit left was granted once"
    );
    let taken = office
        .read(move |conn| campaigns::options_of(conn, id))
        .await
        .expect("the option")
        .remove(0)
        .taken;
    (cap, taken)
}

/// A database of its own on a server, dropped at the end.
#[cfg(feature = "postgres")]
struct Database {
    server: String,
    name: String,
    url: String,
}

#[cfg(feature = "postgres")]
impl Database {
    fn create(server: &str) -> Self {
        let name = format!("muster_bench_{}", std::process::id());
        run(server, &format!("CREATE DATABASE {name}"));
        let base = server.rsplit_once('/').map_or(server, |(base, _)| base);
        Self {
            server: server.to_owned(),
            url: format!("{base}/{name}"),
            name,
        }
    }
}

#[cfg(feature = "postgres")]
impl Drop for Database {
    fn drop(&mut self) {
        run(
            &self.server,
            &format!("DROP DATABASE {} WITH (FORCE)", self.name),
        );
    }
}

#[cfg(feature = "postgres")]
fn run(server: &str, statement: &str) {
    use diesel::connection::SimpleConnection;
    let mut conn =
        <diesel::PgConnection as diesel::Connection>::establish(server).expect("a server");
    conn.batch_execute(statement)
        .expect("a right to make databases");
}
