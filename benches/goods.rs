//! Ten thousand units arrive and are given to eight thousand orders, oldest payment first: the count, the allocation and
//! what it leaves on each line, in one transaction. Wanted: under 2 s. `cargo bench --bench goods`; with the feature
//! `postgres` and a server's address in `MUSTER_BENCH_POSTGRES_URL` (an empty database of its own) also on PostgreSQL.

mod support;

use std::path::Path;
use std::time::Instant;

use muster::app::{App, Role};
use muster::domain::campaign::{BatchState, CampaignState};
use muster::domain::order::{LineState, OrderState};
use muster::store::campaigns;
use muster::workflows::desk::Problem;
use muster::workflows::receive::{Count, Counted, Received, receive};

/// How many orders wait.
const ORDERS: usize = 8_000;
/// How many units they want: every fourth order wants two.
const UNITS: i64 = 10_000;

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
        let states = (OrderState::Backordered, LineState::Backordered);
        let wants = |n: usize| if n.is_multiple_of(4) { 2 } else { 1 };
        support::fill(&office, &campaign, ORDERS, states, wants).await;
        let (id, merchant) = (campaign.id, campaign.merchant_id);
        let batch = office
            .write(move |_, tx| -> Result<_, Problem> {
                let now = tx.now.naive_utc();
                let batch = campaigns::batch_of(tx.conn, id)?.ok_or(Problem::NotFound("batch"))?;
                campaigns::move_batch(tx.conn, batch.id, batch.state, BatchState::Ordered)?;
                let to = CampaignState::Ordered;
                campaigns::move_state(tx.conn, id, CampaignState::Open, to, None, now)?;
                campaigns::set_settled(tx.conn, batch.id, Some(now))?;
                Ok(batch.id)
            })
            .await
            .expect("an order to the supplier");
        let begun = Instant::now();
        let received: Received = office
            .write(move |_, tx| {
                let counted = Counted {
                    sku: "set".to_owned(),
                    good: UNITS,
                    damaged: 0,
                };
                let count = Count {
                    lines: vec![counted],
                    by: "Ana".to_owned(),
                    confirm: true,
                    ..Count::default()
                };
                receive(tx, merchant, batch, &count)
            })
            .await
            .expect("a receipt");
        let took = begun.elapsed();
        println!(
            "{name}: {} units given to {} orders in {:.2} s (wanted: 2)",
            received.allocated.units,
            received.allocated.orders,
            took.as_secs_f64(),
        );
        assert_eq!(
            (received.allocated.units, received.allocated.orders),
            (UNITS, ORDERS)
        );
    });
    office.stop();
}
