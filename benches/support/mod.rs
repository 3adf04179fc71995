//! What the benches share: a shop with one campaign, a load of many connections, and how ratios are told.
//!
//! Machines differ and are noisy, so nothing here is asserted on time: each bench measures two things in turn, in one
//! run, and tells their ratio (the median of several rounds).

#![allow(dead_code, reason = "each bench uses its own part")]

pub mod crowd;
pub mod http;
pub mod server;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::Days;
use clap::Parser;
use muster::config::{Config, Settings};
use muster::domain::country::Country;
use muster::domain::draft::CampaignInput;
use muster::domain::ids::{MerchantId, OrderId, SupplierId};
use muster::domain::order::{Delivery, LineState, OrderState};
use muster::domain::promise::Promise;
use muster::store::campaigns::CampaignRow;
use muster::store::merchants::{MerchantRow, SupplierRow};
use muster::store::promises::PromiseRow;
use muster::store::{self, Tx, merchants};
use muster::workflows::campaigns;
use muster::workflows::desk::{Desk, Problem};
use muster::workflows::join::{Address, JoinRequest};
use muster::workflows::office::Office;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How many ask at once.
pub const CALLERS: usize = 64;

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    settings: Settings,
}

/// The settings of a sandbox on this database.
pub fn config(database: &str, data: &Path) -> Config {
    let line = Line::parse_from([
        "muster",
        "--sandbox",
        "--listen=127.0.0.1:0",
        &format!("--database-url={database}"),
        &format!("--data-dir={}", data.display()),
    ]);
    line.settings.check().expect("settings that hold")
}

/// Two threads, for whoever asks and whoever answers in this process.
pub fn threads() -> Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("threads")
}

/// A folder for the data, and the embedded database in it.
pub fn place() -> (TempDir, String) {
    let data = tempfile::tempdir().expect("a temporary folder");
    let database = database_in(data.path());
    (data, database)
}

/// The embedded database in a folder.
pub fn database_in(data: &Path) -> String {
    format!("sqlite:{}", data.join("muster.db").display())
}

/// Measures on the embedded database; with the feature `postgres` and the address of an empty database in
/// `MUSTER_BENCH_POSTGRES_URL` also there. Given are the database's name and address, and a folder for the data.
pub fn on_each_database(measure: impl Fn(&str, &str, &Path)) {
    let (data, database) = place();
    measure("SQLite", &database, data.path());
    match std::env::var("MUSTER_BENCH_POSTGRES_URL") {
        Ok(url) if cfg!(feature = "postgres") => measure("PostgreSQL", &url, data.path()),
        _ => println!("PostgreSQL: not measured"),
    }
}

/// How long small changes wait for the writer, one after the other, for so long or until it is over.
pub async fn waits(
    office: &Office,
    length: Duration,
    over: Option<Arc<AtomicBool>>,
) -> Vec<Duration> {
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
                store::misc::set_setting(tx.conn, "bench", "x")?;
                Ok(())
            })
            .await
            .expect("a change");
        waits.push(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    waits
}

/// Makes a merchant with a supplier and an open campaign of one option, with at most `cap` units.
pub fn open_campaign(
    desk: &Desk,
    tx: &mut Tx,
    slug: &str,
    cap: Option<i64>,
) -> Result<CampaignRow, Problem> {
    open_offer(desk, tx, slug, |body| {
        body["options"][0]["cap"] = json!(cap)
    })
}

/// As [`open_campaign`], of an offer that is changed first.
pub fn open_offer(
    desk: &Desk,
    tx: &mut Tx,
    slug: &str,
    change: impl FnOnce(&mut Value),
) -> Result<CampaignRow, Problem> {
    let now = tx.now;
    let merchant = MerchantRow {
        id: MerchantId::new(),
        slug: format!("shop-of-{slug}"),
        name: "Fern & Kiln".into(),
        email: "hello@fern.example".into(),
        address: "Rua do Forno 1\nPorto".into(),
        imprint: "Fern & Kiln Lda.".into(),
        terms: "Goods are made to order.".into(),
        privacy: "We keep your address to ship.".into(),
        terms_version: 1,
        payouts_manual: true,
        created_at: now.naive_utc(),
        withdrawal_everywhere: false,
    };
    let supplier = SupplierRow {
        id: SupplierId::new(),
        merchant_id: merchant.id,
        name: "Kasten Woodworks".into(),
        email: "orders@kasten.example".into(),
        address: "Kassel".into(),
        currency: "usd".into(),
        lead_time_days: 35,
        minimum_units: None,
        capacity_units: None,
        case_pack: 1,
        unit_costs: json!({"set": 4000}).to_string(),
        created_at: now.naive_utc(),
    };
    merchants::insert(tx.conn, &merchant)?;
    merchants::insert_supplier(tx.conn, &supplier)?;
    let day = |days: i64| {
        (now + chrono::Duration::days(days))
            .date_naive()
            .to_string()
    };
    let mut body = json!({
        "title": "Ridge pour-over set", "slug": slug,
        "description": "Thrown in one kiln run.\n\n".repeat(20), "currency": "usd",
        "threshold": {"kind": "units", "target": 5},
        "deadline": (now + chrono::Duration::days(7)).to_rfc3339(),
        "promised_ship_date": day(60), "stop_loss_date": day(120), "payment_mode": "charge_now",
        "trigger": "at_deadline", "steps": [1, 5, 10],
        "options": [{"sku": "set", "name": "Full set", "prices": [10000, 9000, 8000]}],
        "supplier_ids": [supplier.id.to_string()],
        "shipping": [{"countries": ["*"], "price": 0}],
    });
    change(&mut body);
    let input: CampaignInput = serde_json::from_value(body)?;
    let row = campaigns::create(tx, merchant.id, input)?;
    campaigns::publish(desk, tx, merchant.id, &row.slug)
}

/// The wish of one shopper for one unit.
pub fn wish(campaign: &CampaignRow, shopper: usize) -> JoinRequest {
    JoinRequest {
        campaign: campaign.id,
        named: None,
        email: format!("shopper{shopper}@mail.example"),
        name: "Ana Sousa".into(),
        address: Address {
            line1: "Rua das Flores 12".into(),
            line2: None,
            city: "Porto".into(),
            region: None,
            postal_code: Some("4050-262".into()),
            country: Country::parse("PT").expect("a country"),
        },
        lines: vec![("set".into(), 1)],
        delivery: Delivery::OneParcel,
        agreed_total: None,
        terms_version: Some(1),
        joined_from: "127.0.0.1".into(),
        form_key: Some(format!("form-{shopper}")),
        limit_step: None,
        buys_missing: false,
    }
}

/// How many per second.
pub fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The value below which 99 of 100 lie.
pub fn p99(mut values: Vec<Duration>) -> Duration {
    values.sort_unstable();
    values[(values.len() * 99 / 100).min(values.len() - 1)]
}

/// Makes paid orders as they are in a state, each with its promise, and with as many units as `units` says; what the
/// books say of them is not looked at by whoever uses this.
pub async fn fill(
    office: &Office,
    campaign: &CampaignRow,
    orders: usize,
    (state, line_state): (OrderState, LineState),
    units: impl Fn(usize) -> i64,
) {
    let first = office.join(wish(campaign, 0)).await.expect("a place").order;
    let id = first.id;
    let line = office
        .read(move |conn| Ok::<_, Problem>(store::orders::lines_of(conn, id)?))
        .await
        .expect("its line")
        .remove(0);
    for chunk in 0..orders.div_ceil(1000) {
        let (mut rows, mut lines) = (Vec::new(), Vec::new());
        for number in chunk * 1000..orders.min((chunk + 1) * 1000) {
            let mut row = first.clone();
            row.id = OrderId::new();
            row.number += i64::try_from(number + 1).unwrap_or(0);
            row.email = format!("paid{number}@mail.example");
            row.form_key = None;
            row.state = state;
            row.units = units(number);
            row.charged = row.total;
            let minute = i64::try_from(number % 1000).unwrap_or(0);
            row.confirmed_at = Some(row.created_at + chrono::Duration::minutes(minute));
            let mut line = line.clone();
            line.order_id = row.id;
            line.quantity = row.units;
            line.state = line_state;
            rows.push(row);
            lines.push(line);
        }
        office
            .write(move |_, tx| -> Result<(), Problem> {
                store::orders::insert(tx.conn, &rows, &lines, &[])?;
                let (promised, last) = (
                    tx.now.date_naive() + Days::new(60),
                    tx.now.date_naive() + Days::new(120),
                );
                for row in &rows {
                    let new = Promise::new(promised, last);
                    store::promises::insert(
                        tx.conn,
                        &PromiseRow {
                            order_id: row.id,
                            campaign_id: row.campaign_id,
                            batch_id: row.batch_id,
                            first_date: new.first_date,
                            agreed_date: new.agreed_date,
                            open_ended: new.open_ended,
                            stop_loss: new.stop_loss,
                            cancels_after: new.cancels_after,
                            updated_at: row.created_at,
                        },
                    )?;
                }
                Ok(())
            })
            .await
            .expect("orders");
    }
}

/// The body of a shopper's join by the API, for one unit.
pub fn body(shopper: usize) -> String {
    json!({
        "email": format!("shopper{shopper}@mail.example"),
        "name": "Ana Sousa",
        "address": {"line1": "Rua das Flores 12", "city": "Porto", "postal_code": "4050-262", "country": "PT"},
        "lines": [{"sku": "set", "quantity": 1}],
        "delivery": "one_parcel",
    })
    .to_string()
}
