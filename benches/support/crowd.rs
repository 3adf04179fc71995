//! A campaign of many orders with saved cards: a few are placed and completed on the pages, the others are copies of them,
//! here and in the books of the built-in provider.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection as _, SqliteConnection};
use muster::app::{App, Role};
use muster::domain::ids::OrderId;
use muster::store::campaigns::{self, CampaignRow, Moved};
use muster::store::dues::{self, CardRow};
use muster::store::orders::{self, LineRow, OrderRow, PaymentRow};
use muster::store::promises::{self, PromiseRow};
use muster::workflows::accounts;
use muster::workflows::desk::Problem;
use muster::workflows::office::Office;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use super::http::{self, Connection};
use super::server::{Server, free_address};

/// How many orders are kept in one transaction.
const AT_ONCE: usize = 5_000;
/// The card of everybody who pays.
pub const GOOD: &str = "4242424242424242";

/// What one order wants, and the step that it waits for.
pub struct Wish {
    pub lines: &'static [(&'static str, i64)],
    pub limit: Option<usize>,
}

/// An order with all that belongs to it.
#[derive(Clone)]
struct Sample {
    order: OrderRow,
    lines: Vec<LineRow>,
    pages: Vec<PaymentRow>,
    card: CardRow,
    promise: PromiseRow,
}

/// A shop in a folder, which does not run: the campaign `ridge`, where cards are saved, and another seller's campaign
/// `other`, paid at joining. The key of a program that speaks for the first seller.
pub async fn open(data: &Path, change: impl Fn(&mut Value) + Send + 'static) -> String {
    let database = super::database_in(data);
    let app = App::build(super::config(&database, data), Role::Command).expect("a shop");
    let key = app
        .office
        .write(move |desk, tx| {
            let campaign = super::open_offer(desk, tx, "ridge", |body| {
                body["payment_mode"] = json!("charge_on_success");
                change(body);
            })?;
            super::open_campaign(desk, tx, "other", None)?;
            accounts::create_api_key(tx, campaign.merchant_id)
        })
        .await
        .expect("campaigns");
    app.office.stop();
    key
}

/// Has one order of each kind placed, and its card saved.
pub fn place(threads: &Runtime, data: &Path, wishes: &[Wish]) {
    let address = free_address();
    let (server, _) = Server::start(&super::database_in(data), data, address, &[]);
    threads.block_on(async {
        join(address, wishes).await;
        server.stop().await;
    });
}

async fn join(address: SocketAddr, wishes: &[Wish]) {
    let mut asks = Connection::open(address).await;
    for (n, wish) in wishes.iter().enumerate() {
        let mut body: Value = serde_json::from_str(&super::body(n)).expect("a wish");
        let lines = wish.lines.iter();
        let lines: Vec<Value> = lines
            .map(|(sku, quantity)| json!({"sku": sku, "quantity": quantity}))
            .collect();
        body["lines"] = json!(lines);
        body["limit_step"] = json!(wish.limit);
        let join = http::post_json("/api/v1/campaigns/ridge/orders", &body.to_string());
        let answer = asks.ask(&join).await;
        let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
        let url = said["checkout_url"].as_str();
        let page = url.and_then(|url| Some(&url[url.find("/sandbox/")?..]));
        let page = page.unwrap_or_else(|| panic!("no page: {} {said}", answer.status));
        let paid = http::post_form(page, &format!("card={GOOD}"));
        assert_eq!(asks.ask(&paid).await.status, 303);
    }
    // Webhooks are still on their way to the books.
    tokio::time::sleep(Duration::from_secs(3)).await;
}

/// Copies the orders that were placed until there are so many more: the n-th is made of `kind(n)`, and its card's number
/// at the provider is `card(n)`. The campaign then.
pub async fn copy(
    data: &Path,
    count: usize,
    kind: impl Fn(usize) -> usize,
    card: impl Fn(usize) -> &'static str,
) -> CampaignRow {
    let app = App::build(
        super::config(&super::database_in(data), data),
        Role::Command,
    );
    let office = app.expect("a shop").office.clone();
    let samples = samples(&office).await;
    let first = samples.first().expect("a sample");
    let (id, customer, method) = (
        first.order.campaign_id,
        first.card.customer_id.clone(),
        first.card.method_id.clone(),
    );
    for chunk in 0..count.div_ceil(AT_ONCE) {
        let numbers = chunk * AT_ONCE..count.min((chunk + 1) * AT_ONCE);
        let copies: Vec<Sample> = numbers.map(|n| copied(&samples[kind(n)], n)).collect();
        office
            .write(move |_, tx| -> Result<(), Problem> {
                let orders: Vec<_> = copies.iter().map(|one| one.order.clone()).collect();
                let lines: Vec<_> = copies.iter().flat_map(|one| one.lines.clone()).collect();
                let pages: Vec<_> = copies.iter().flat_map(|one| one.pages.clone()).collect();
                orders::insert(tx.conn, &orders, &lines, &pages)?;
                let now = tx.now.naive_utc();
                let (mut moved, mut by_option) = (Moved::default(), BTreeMap::new());
                let mut by_limit = BTreeMap::new();
                for one in &copies {
                    dues::save_card(tx.conn, &one.card)?;
                    promises::insert(tx.conn, &one.promise)?;
                    moved.orders += 1;
                    moved.committed += one.order.units;
                    for line in &one.lines {
                        *by_option.entry(line.option_id).or_insert(0) += line.quantity;
                        let waits = (line.option_id, one.order.limit_step);
                        *by_limit.entry(waits).or_insert(0) += line.quantity;
                    }
                }
                campaigns::count(tx.conn, id, moved, now)?;
                for (option, units) in by_option {
                    campaigns::count_option(tx.conn, option, units, units, 0)?;
                }
                for (waits, units) in by_limit {
                    dues::count_limit(tx.conn, id, waits, units)?;
                }
                Ok(())
            })
            .await
            .expect("copies");
    }
    let campaign = office
        .read(move |conn| Ok::<_, Problem>(campaigns::by_id(conn, id)?))
        .await;
    office.stop();
    copy_cards(data, count, &customer, &method, card);
    campaign.expect("a database").expect("the campaign")
}

/// The orders that were placed, each once its card is known.
async fn samples(office: &Office) -> Vec<Sample> {
    let placed = office.read(|conn| -> Result<_, Problem> {
        let campaign = campaigns::by_slug(conn, "ridge")?.ok_or(Problem::NotFound("campaign"))?;
        let batch = campaigns::batch_of(conn, campaign.id)?.ok_or(Problem::NotFound("batch"))?;
        let mut samples = Vec::new();
        for order in orders::of_batch(conn, batch.id, None, 1_000)? {
            samples.push(Sample {
                lines: orders::lines_of(conn, order.id)?,
                pages: orders::payments_of(conn, order.id)?,
                card: dues::card_of(conn, order.id)?.ok_or(Problem::NotFound("card"))?,
                promise: promises::of_order(conn, order.id)?.ok_or(Problem::NotFound("promise"))?,
                order,
            });
        }
        Ok(samples)
    });
    placed.await.expect("the orders that were placed")
}

fn copied(sample: &Sample, n: usize) -> Sample {
    let mut copy = sample.clone();
    let id = OrderId::new();
    copy.order.id = id;
    copy.order.number = 10_000 + i64::try_from(n).unwrap_or(0);
    copy.order.email = format!("copied{n}@mail.example");
    copy.order.form_key = None;
    copy.promise.order_id = id;
    copy.lines.iter_mut().for_each(|line| line.order_id = id);
    for page in &mut copy.pages {
        page.order_id = id;
        page.idempotency_key = format!("muster-copy-{n}-{}", page.attempt);
        page.session_id = Some(format!("cs_copy_{n}_{}", page.attempt));
    }
    copy.card.order_id = id;
    copy.card.customer_id = format!("cus_copy_{n}");
    copy.card.method_id = format!("pm_copy_{n}");
    copy
}

/// The provider knows the copies' customers and cards as it knows those of the sample.
fn copy_cards(
    data: &Path,
    count: usize,
    customer: &str,
    method: &str,
    card: impl Fn(usize) -> &'static str,
) {
    let file = data.join("sandbox.db").display().to_string();
    let mut books = SqliteConnection::establish(&file).expect("the provider's books");
    let mut sql = format!(
        "BEGIN;
        WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count} - 1)
        INSERT INTO object (id, kind, created, customer, payment_intent, charge, tag, due_at, body, hidden)
        SELECT replace(replace(id, '{method}', 'pm_copy_' || i), '{customer}', 'cus_copy_' || i), kind, created,
            replace(customer, '{customer}', 'cus_copy_' || i), payment_intent, charge, tag, due_at,
            replace(replace(body, '{method}', 'pm_copy_' || i), '{customer}', 'cus_copy_' || i), hidden
        FROM n, object WHERE id IN ('{method}', '{customer}') ORDER BY i;"
    );
    for n in (0..count).filter(|n| card(*n) != GOOD) {
        let number = card(n);
        sql.push_str(&format!(
            "UPDATE object SET hidden = json_set(hidden, '$.number', '{number}') WHERE id = 'pm_copy_{n}';"
        ));
    }
    sql.push_str("COMMIT;");
    books.batch_execute(&sql).expect("cards");
}
