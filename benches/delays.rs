//! A date that is told to 50,000 shoppers: notices written into the outbox, each with its letter and its work, and what
//! a look at it beforehand costs. Wanted: under 5 s. `cargo bench --bench delays`; with the feature `postgres` and a
//! server's address in `MUSTER_BENCH_POSTGRES_URL` (an empty database of its own) also on PostgreSQL.

mod support;

use std::path::Path;
use std::time::Instant;

use chrono::Days;
use muster::app::{App, Role};
use muster::domain::ids::OrderId;
use muster::domain::order::{LineState, OrderState};
use muster::store::campaigns::CampaignRow;
use muster::store::promises::PromiseRow;
use muster::store::{campaigns, orders, promises};
use muster::workflows::desk::Problem;
use muster::workflows::notices::{self, Moved};
use muster::workflows::office::Office;
use support::{per_second, wish};

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
        let moved = Moved {
            ship_date: Some(office.now().date_naive() + Days::new(80)),
            reason: "The second firing takes three weeks longer than planned.".to_owned(),
            ..Moved::default()
        };
        let id = campaign.id;
        let batch = office
            .read(move |conn| Ok::<_, Problem>(campaigns::batch_of(conn, id)?))
            .await
            .expect("a batch")
            .expect("a batch")
            .id;
        let (begun, now, asked) = (Instant::now(), office.now(), moved.clone());
        let seen = office
            .read(move |conn| notices::preview(conn, batch, &asked, now))
            .await
            .expect("a look");
        let looked = begun.elapsed();
        assert_eq!(usize::try_from(seen.agrees), Ok(SHOPPERS));
        let begun = Instant::now();
        let date = office
            .write(move |desk, tx| notices::announce(desk, tx, batch, moved.clone(), "Ines"))
            .await
            .expect("a date")
            .id;
        let mut after = None;
        loop {
            after = office
                .write(move |desk, tx| notices::tell_some(desk, tx, date, after))
                .await
                .expect("a round");
            if after.is_none() {
                break;
            }
        }
        let took = begun.elapsed();
        println!(
            "{name}: a date told to {SHOPPERS} shoppers in {:.2} s (wanted: 5), {:.0} notices/s; looked at beforehand in {:.2} s",
            took.as_secs_f64(),
            per_second(SHOPPERS, took),
            looked.as_secs_f64(),
        );
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
    let today = office.now().date_naive();
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
                for row in rows {
                    let promise = PromiseRow {
                        order_id: row.id,
                        campaign_id: row.campaign_id,
                        batch_id: row.batch_id,
                        first_date: today + Days::new(60),
                        agreed_date: None,
                        open_ended: false,
                        stop_loss: today + Days::new(120),
                        cancels_after: Some(today + Days::new(60)),
                        updated_at: tx.now.naive_utc(),
                    };
                    promises::insert(tx.conn, &promise)?;
                }
                Ok(())
            })
            .await
            .expect("orders");
    }
}
