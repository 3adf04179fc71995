//! An update to 50,000 shoppers: written into the outbox, each letter with its text, its HTML and its work. Wanted: under
//! 5 s, and whoever changes something meanwhile waits hardly longer than otherwise. `cargo bench --bench letters`; with
//! the feature `postgres` and a server's address in `MUSTER_BENCH_POSTGRES_URL` (an empty database of its own) also on
//! PostgreSQL.

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use muster::app::{App, Role};
use muster::domain::ids::{OrderId, PostId};
use muster::domain::order::{LineState, OrderState};
use muster::store::campaigns::CampaignRow;
use muster::store::orders;
use muster::workflows::desk::Problem;
use muster::workflows::office::Office;
use muster::workflows::posts::{self, NewPost};
use support::{p99, per_second, wish};

/// How many shoppers there are.
const SHOPPERS: usize = 50_000;

fn main() {
    let data = tempfile::tempdir().expect("a temporary folder");
    let database = format!("sqlite:{}", data.path().join("muster.db").display());
    measure("SQLite", &database, data.path());
    match std::env::var("MUSTER_BENCH_POSTGRES_URL") {
        Ok(url) if cfg!(feature = "postgres") => measure("PostgreSQL", &url, data.path()),
        _ => println!("PostgreSQL: not measured"),
    }
}

fn measure(name: &str, database: &str, data: &Path) {
    let threads = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads");
    let app = App::build(support::config(database, data), Role::Command).expect("a shop");
    let office = app.office.clone();
    threads.block_on(async {
        let campaign = office
            .write(|desk, tx| support::open_campaign(desk, tx, "ridge", None))
            .await
            .expect("a campaign");
        fill(&office, &campaign).await;
        let alone = waits(&office, Duration::from_secs(1), None).await;
        let over = Arc::new(AtomicBool::new(false));
        let meanwhile = {
            let (office, over) = (office.clone(), over.clone());
            tokio::spawn(async move { waits(&office, Duration::from_secs(600), Some(over)).await })
        };
        let begun = Instant::now();
        let letters = write(&office, &campaign).await;
        let took = begun.elapsed();
        over.store(true, Ordering::Relaxed);
        let meanwhile = meanwhile.await.expect("the others");
        println!(
            "{name}: an update to {letters} shoppers enqueued in {:.2} s (wanted: 5), {:.0} letters/s; a change waits p99 {:.1?} meanwhile, {:.1?} otherwise",
            took.as_secs_f64(),
            per_second(SHOPPERS, took),
            p99(meanwhile),
            p99(alone),
        );
        assert_eq!(usize::try_from(letters), Ok(SHOPPERS));
    });
    office.stop();
}

/// Orders as they are once they are paid: what the books say of them is not looked at here.
async fn fill(office: &Office, campaign: &CampaignRow) {
    let first = office.join(wish(campaign, 0)).await.expect("a place").order;
    let id = first.id;
    let line = office
        .read(move |conn| Ok::<_, Problem>(orders::lines_of(conn, id)?))
        .await
        .expect("its line")
        .remove(0);
    for chunk in 0..SHOPPERS / 1000 {
        let (first, line) = (first.clone(), line.clone());
        office
            .write(move |_, tx| -> Result<(), Problem> {
                let (mut rows, mut lines) = (Vec::new(), Vec::new());
                for n in 1..=1000 {
                    let number = chunk * 1000 + n;
                    let mut row = first.clone();
                    row.id = OrderId::new();
                    row.number += i64::try_from(number).unwrap_or(0);
                    row.email = format!("paid{number}@mail.example");
                    row.form_key = None;
                    row.state = OrderState::Confirmed;
                    let mut line = line.clone();
                    line.order_id = row.id;
                    line.state = LineState::Confirmed;
                    rows.push(row);
                    lines.push(line);
                }
                orders::insert(tx.conn, &rows, &lines, &[])?;
                Ok(())
            })
            .await
            .expect("orders");
    }
}

/// Writes the update and all its letters; to how many.
async fn write(office: &Office, campaign: &CampaignRow) -> i64 {
    let (merchant, slug) = (campaign.merchant_id, campaign.slug.clone());
    let post = office
        .write(move |_, tx| {
            let new = NewPost {
                title: "The kiln is booked".to_owned(),
                body: "We fire on **2 June**.\n\n".repeat(12),
                by: "Ana".to_owned(),
                once: None,
            };
            posts::write(tx, merchant, &slug, &new)
        })
        .await
        .expect("an update");
    let id: PostId = post.id;
    let mut after = None;
    loop {
        after = office
            .write(move |desk, tx| posts::tell(desk, tx, id, after))
            .await
            .expect("letters");
        if after.is_none() {
            return post.recipients;
        }
    }
}

/// How long small changes wait for the writer, one after the other.
async fn waits(office: &Office, length: Duration, over: Option<Arc<AtomicBool>>) -> Vec<Duration> {
    let begun = Instant::now();
    let mut waits = Vec::new();
    while begun.elapsed() < length
        && !over
            .as_ref()
            .is_some_and(|over| over.load(Ordering::Relaxed))
    {
        let asked = Instant::now();
        office
            .write(|_, tx| -> Result<(), Problem> {
                muster::store::misc::set_setting(tx.conn, "bench", "x")?;
                Ok(())
            })
            .await
            .expect("a change");
        waits.push(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    waits
}
