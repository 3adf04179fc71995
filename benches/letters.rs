//! An update to 50,000 shoppers, and a notice that their date moved: written into the outbox, each letter with its text,
//! its HTML and its work. Wanted: under 5 s each, and whoever changes something meanwhile waits hardly longer than otherwise. `cargo bench --bench letters`; with
//! the feature `postgres` and a server's address in `MUSTER_BENCH_POSTGRES_URL` (an empty database of its own) also on
//! PostgreSQL.

mod support;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::Days;
use muster::app::{App, Role};
use muster::domain::campaign::BatchState;
use muster::domain::ids::{BatchId, PostId};
use muster::domain::order::{LineState, OrderState};
use muster::store::campaigns::{self, CampaignRow};
use muster::workflows::desk::Problem;
use muster::workflows::notices::{self, Moved};
use muster::workflows::office::Office;
use muster::workflows::posts::{self, NewPost};
use support::{p99, per_second, waits};

/// How many shoppers there are.
const SHOPPERS: usize = 50_000;

fn main() {
    support::on_each_database(measure);
}

fn measure(name: &str, database: &str, data: &Path) {
    let threads = support::threads();
    let app = App::build(support::config(database, data), Role::Command).expect("a shop");
    let office = app.office.clone();
    threads.block_on(async {
        let campaign = office
            .write(|desk, tx| support::open_campaign(desk, tx, "ridge", None))
            .await
            .expect("a campaign");
        let line = LineState::Backordered;
        support::fill(&office, &campaign, SHOPPERS, (OrderState::Backordered, line), |_| 1).await;
        let batch = ordered(&office, &campaign).await;
        let alone = p99(waits(&office, Duration::from_secs(1), None).await);
        let (letters, took, waited) = meanwhile(&office, write(&office, &campaign)).await;
        println!(
            "{name}: an update to {letters} shoppers enqueued in {:.2} s (wanted: 5), {:.0} letters/s; a change waits p99 {waited:.1?} meanwhile, {alone:.1?} otherwise",
            took.as_secs_f64(),
            per_second(SHOPPERS, took),
        );
        assert_eq!(usize::try_from(letters), Ok(SHOPPERS));
        let (notices, took, waited) = meanwhile(&office, move_date(&office, batch)).await;
        println!(
            "{name}: a delay notice to {notices} shoppers enqueued in {:.2} s (wanted: 5), {:.0} notices/s; a change waits p99 {waited:.1?} meanwhile, {alone:.1?} otherwise",
            took.as_secs_f64(),
            per_second(SHOPPERS, took),
        );
        assert_eq!(notices, SHOPPERS);
    });
    office.stop();
}

/// Does it while others change something: its answer, how long it took, how long the others waited.
async fn meanwhile<T>(office: &Office, deed: impl Future<Output = T>) -> (T, Duration, Duration) {
    let over = Arc::new(AtomicBool::new(false));
    let others = {
        let (office, over) = (office.clone(), over.clone());
        tokio::spawn(async move { waits(&office, Duration::from_secs(600), Some(over)).await })
    };
    let begun = Instant::now();
    let done = deed.await;
    let took = begun.elapsed();
    over.store(true, Ordering::Relaxed);
    (done, took, p99(others.await.expect("the others")))
}

/// The supplier has the order: its batch.
async fn ordered(office: &Office, campaign: &CampaignRow) -> BatchId {
    let id = campaign.id;
    office
        .write(move |_, tx| -> Result<BatchId, Problem> {
            let batch = campaigns::batch_of(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
            campaigns::move_batch(tx.conn, batch.id, batch.state, BatchState::Ordered)?;
            Ok(batch.id)
        })
        .await
        .expect("an order to the supplier")
}

/// The date moves, and every shopper gets a notice; how many.
async fn move_date(office: &Office, batch: BatchId) -> usize {
    let date = office
        .write(move |desk, tx| {
            let asked = Moved {
                ship_date: Some(tx.now.date_naive() + Days::new(80)),
                reason: "The kiln is being mended.".to_owned(),
                ..Moved::default()
            };
            notices::announce(desk, tx, batch, asked, "Ana")
        })
        .await
        .expect("a date");
    let id = date.id;
    let mut after = None;
    loop {
        after = office
            .write(move |desk, tx| notices::tell_some(desk, tx, id, after))
            .await
            .expect("notices");
        if after.is_none() {
            break;
        }
    }
    let all = i64::try_from(SHOPPERS).unwrap_or(i64::MAX);
    let written = office
        .read(move |conn| {
            Ok::<_, Problem>(muster::store::notices::of_batch(conn, batch, None, all)?)
        })
        .await;
    written.expect("notices").len()
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
