//! Kill -9 at any moment, then restart, again and again: both stories end right all the same.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration as Moment;

use chrono::Duration;
use muster::domain::campaign::CampaignState;
use muster::domain::ids::OrderId;
use serde_json::{Value, json};

use super::agrees;
use super::simulation::Dice;
use crate::support::database::TestDatabase;
use crate::support::shop::{GOOD_CARD, Shop, Stopped, client};

/// A program of its own, killed with this value.
struct Program {
    child: Child,
    url: String,
}

impl Program {
    async fn start(settings: Vec<String>) -> Program {
        tokio::task::spawn_blocking(move || {
            let mut child = Command::new(env!("CARGO_BIN_EXE_muster"))
                .args(settings)
                .args(["--listen=127.0.0.1:0", "serve"])
                .env("RUST_LOG", "info")
                .stderr(Stdio::piped())
                .stdout(Stdio::null())
                .spawn()
                .expect("the program starts");
            let mut said = BufReader::new(child.stderr.take().unwrap());
            let mut line = String::new();
            let url = loop {
                line.clear();
                assert!(said.read_line(&mut line).unwrap() > 0, "it ended at once");
                if let Some((_, url)) = line.split_once("listening: ") {
                    break url.trim().to_owned();
                }
            };
            std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
            Program { child, url }
        })
        .await
        .unwrap()
    }

    /// SIGKILL: nothing is finished, nothing is flushed.
    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        self.kill();
    }
}

/// One shopper, who tries again until it works.
#[derive(Default)]
struct Shopper {
    order: Option<OrderId>,
    token: String,
    paid: bool,
}

/// What a shopper does next; whatever fails is tried again in the next life of the program.
async fn step(
    http: &reqwest::Client,
    url: &str,
    slug: &str,
    n: usize,
    shopper: &mut Shopper,
) -> Option<()> {
    let body = json!({
        "email": format!("s{n}@mail.example"), "name": "Ana Sousa", "delivery": "one_parcel",
        "address": {"line1": "Rua das Flores 12", "city": "Porto", "postal_code": "4050-262", "country": "PT"},
        "lines": [{"sku": "set", "quantity": 2}],
    });
    let Some(order) = shopper.order else {
        let answer = http
            .post(format!("{url}/api/v1/campaigns/{slug}/orders"))
            .header("Idempotency-Key", format!("{slug}-{n}"))
            .json(&body)
            .send()
            .await
            .ok()?;
        let status = answer.status();
        let answer: Value = answer.json().await.ok()?;
        assert!(
            status == 201 || status == 409 || status == 503,
            "{status} {answer}"
        );
        shopper.order = Some(answer["order_id"].as_str()?.parse().unwrap());
        shopper.token = answer["token"].as_str()?.to_owned();
        return Some(());
    };
    if shopper.paid {
        return Some(());
    }
    let token = &shopper.token;
    let order: Value = http
        .get(format!("{url}/api/v1/orders/{order}?t={token}"))
        .send()
        .await
        .ok()?
        .json()
        .await
        .ok()?;
    let page = order["checkout_url"].as_str()?;
    let session = page.rsplit('/').next()?;
    let paid = http
        .post(format!("{url}/sandbox/pay/{session}"))
        .form(&[("card", GOOD_CARD)])
        .send()
        .await
        .ok()?;
    shopper.paid = paid.status() == 303;
    Some(())
}

async fn lives(
    settings: Vec<String>,
    slugs: &[String],
    crowds: &mut [Vec<Shopper>],
    dice: &mut Dice,
    lives: usize,
) {
    let http = client();
    for _ in 0..lives {
        let mut program = Program::start(settings.clone()).await;
        let url = program.url.clone();
        let life = Moment::from_millis(dice.below(350) + 5);
        let days = dice.below(3);
        let work = async {
            loop {
                for (slug, crowd) in slugs.iter().zip(crowds.iter_mut()) {
                    for (n, shopper) in crowd.iter_mut().enumerate() {
                        let _ = step(&http, &url, slug, n, shopper).await;
                    }
                }
                let moved = json!({"advance_seconds": days * 40});
                let _ = http
                    .post(format!("{url}/sandbox/clock"))
                    .json(&moved)
                    .send()
                    .await;
            }
        };
        let _ = tokio::time::timeout(life, work).await;
        program.kill();
    }
}

both_databases! {
    async fn killed_at_any_moment_both_stories_end_right(db: TestDatabase) {
        both_stories(db).await;
    }
}

async fn both_stories(db: TestDatabase) {
    let shop = Shop::open(db).await;
    let reached = shop.publish(shop.example_a()).await;
    let mut body = shop.example_a();
    body["threshold"]["target"] = json!(500);
    let missed = shop.publish(body).await;
    let stopped: Stopped = shop.stop().await;
    let slugs = [reached.slug.clone(), missed.slug.clone()];
    let mut crowds: Vec<Vec<Shopper>> = (0..2)
        .map(|_| (0..4).map(|_| Shopper::default()).collect())
        .collect();
    let mut dice = Dice::new(20_261_122);
    lives(stopped.settings(), &slugs, &mut crowds, &mut dice, 12).await;
    // In peace: everybody joins and pays who has not yet.
    let shop = stopped.start().await;
    let url = shop.running.app.public_url.clone();
    for _ in 0..6 {
        for (slug, crowd) in slugs.iter().zip(crowds.iter_mut()) {
            for (n, shopper) in crowd.iter_mut().enumerate() {
                let _ = step(&shop.http, &url, slug, n, shopper).await;
            }
        }
        // Leases of those who were killed end.
        shop.advance(Duration::minutes(2)).await;
        shop.audit().await;
    }
    let orders: Vec<OrderId> = crowds.iter().flatten().filter_map(|s| s.order).collect();
    assert_eq!(orders.len(), 8, "everybody has an order");
    // Killed while it judges, refunds and orders.
    let stopped = shop.stop().await;
    for _ in 0..10 {
        let mut program = Program::start(stopped.settings()).await;
        let http = client();
        let moved = json!({"advance_seconds": 4 * 86_400});
        let asked = http
            .post(format!("{}/sandbox/clock", program.url))
            .json(&moved)
            .send();
        let _ = tokio::time::timeout(Moment::from_millis(dice.below(400) + 5), asked).await;
        program.kill();
    }
    let shop = stopped.start().await;
    shop.advance(Duration::days(8)).await;
    shop.advance(Duration::days(1)).await;
    shop.expect_state(&reached, CampaignState::Ordered).await;
    shop.expect_state(&missed, CampaignState::Failed).await;
    agrees(&shop, &orders).await;
    for (n, crowd) in crowds.iter().enumerate() {
        for shopper in crowd {
            let order = shop.order(shopper.order.unwrap()).await;
            assert_eq!(order.refund_due, 0, "{order:#?}");
            if n == 1 {
                assert_eq!(order.charged, order.refunded);
            } else if let Some(total) = order.final_total {
                assert_eq!(order.charged - order.refunded, total);
            }
        }
    }
    assert_eq!(shop.purchase_orders(&reached).await.len(), 1);
    assert_eq!(
        shop.mail_to("orders@kasten.example")
            .await
            .iter()
            .filter(|m| m.contains("PO-") && !m.contains("waits for your answer"))
            .count(),
        1
    );
    let mut settings = shop.settings();
    settings.push(format!(
        "--public-url={url}",
        url = shop.running.app.public_url
    ));
    let audit = tokio::task::spawn_blocking(move || {
        Command::new(env!("CARGO_BIN_EXE_muster"))
            .args(settings)
            .arg("audit")
            .output()
            .unwrap()
    });
    let audit = audit.await.unwrap();
    assert!(audit.status.success(), "{audit:?}");
    shop.close().await;
}
