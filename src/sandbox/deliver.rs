//! Webhooks on their way: signed as Stripe signs, at least once, in no order, tried again for three days.

use std::collections::HashMap;
use std::time::Duration;

use diesel::prelude::*;
use futures_util::StreamExt;
use futures_util::stream;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::Sandbox;
use super::api::endpoints::OWN;
use super::lane::LaneError;
use super::store::{self, delivery};

/// How long a delivery is tried, in seconds of the sandbox's clock.
const TRIED_FOR: i64 = 3 * 24 * 3600;

/// The longest pause between two tries, in seconds.
const LONGEST_PAUSE: i64 = 6 * 3600;

/// The most deliveries of one round, and of one moment.
const ROUND: i64 = 64;
const AT_ONCE: usize = 8;

#[derive(Debug, Clone)]
struct Due {
    id: i64,
    endpoint: String,
    created: i64,
    attempts: i32,
    url: String,
    secret: String,
    body: String,
    grouped: bool,
}

/// How often each delivery was tried in one move of the clock.
pub type Tries = HashMap<i64, u32>;

/// Delivers whenever events were written, and looks every second for what is to be tried again.
pub async fn run_until_stopped(sandbox: Sandbox) {
    let mut stop = sandbox.inner.stop.subscribe();
    if let Err(e) = sandbox.claim_endpoint().await {
        log::error!("sandbox: the webhook endpoint: {e}");
    }
    loop {
        if *stop.borrow() {
            return;
        }
        if let Err(e) = deliver_due(&sandbox, None, u32::MAX).await {
            log::error!("sandbox: deliveries: {e}");
        }
        tokio::select! {
            () = sandbox.inner.wake.notified() => {}
            () = tokio::time::sleep(Duration::from_secs(1)) => {}
            _ = stop.wait_for(|stopped| *stopped) => return,
        }
    }
}

/// Delivers what is due by now; in a move of the clock, nothing that was tried `most` times in it. Gives how many tries
/// were made.
pub async fn deliver_due(
    sandbox: &Sandbox,
    mut tries: Option<&mut Tries>,
    most: u32,
) -> Result<usize, LaneError> {
    let _one_at_a_time = sandbox.inner.delivering.lock().await;
    let mut count = 0;
    loop {
        let skip: Vec<i64> = match &tries {
            Some(tries) => tries
                .iter()
                .filter(|(_, n)| **n >= most)
                .map(|(id, _)| *id)
                .collect(),
            None => Vec::new(),
        };
        let mut batch = sandbox
            .read(move |b| load_due(b.conn, b.now, &skip))
            .await?;
        for due in batch.iter_mut().filter(|d| d.endpoint == OWN) {
            // The books may say what another process, with other settings, wrote there.
            due.url.clone_from(&sandbox.inner.config.webhook_url);
            due.secret.clone_from(&sandbox.inner.secret);
        }
        if batch.is_empty() {
            return Ok(count);
        }
        count += batch.len();
        if let Some(tries) = &mut tries {
            for due in &batch {
                *tries.entry(due.id).or_default() += 1;
            }
        }
        // A group keeps its (reversed) order.
        let at_once = if batch.iter().any(|d| d.grouped) {
            1
        } else {
            AT_ONCE
        };
        let results: Vec<(Due, bool)> = stream::iter(batch)
            .map(|due| async {
                let taken = send(sandbox, &due).await;
                (due, taken)
            })
            .buffer_unordered(at_once)
            .collect()
            .await;
        sandbox
            .write(None, move |b| note(b.conn, b.now, &results))
            .await?;
        if *sandbox.inner.stop.borrow() {
            return Ok(count);
        }
    }
}

/// The earliest time a delivery is due that was tried fewer than `most` times in this move.
pub async fn next_due(
    sandbox: &Sandbox,
    tries: &Tries,
    most: u32,
) -> Result<Option<i64>, LaneError> {
    let skip: Vec<i64> = tries
        .iter()
        .filter(|(_, n)| **n >= most)
        .map(|(id, _)| *id)
        .collect();
    sandbox
        .read(move |b| {
            delivery::table
                .filter(delivery::id.ne_all(skip))
                .select(diesel::dsl::min(delivery::next_at))
                .first(b.conn)
        })
        .await
}

type Row = (i64, String, String, i64, i32, i64, bool);

fn load_due(
    conn: &mut SqliteConnection,
    now: i64,
    skip: &[i64],
) -> Result<Vec<Due>, diesel::result::Error> {
    let mut rows: Vec<Row> = delivery::table
        .filter(delivery::next_at.le(now))
        .filter(delivery::id.ne_all(skip))
        .order((delivery::next_at.asc(), delivery::id.asc()))
        .limit(ROUND)
        .load(conn)?;
    if rows.iter().any(|r| r.6) {
        // One of a group is due: the whole group goes out, newest first.
        let held: Vec<Row> = delivery::table
            .filter(delivery::grouped.eq(true))
            .filter(delivery::id.ne_all(skip))
            .order(delivery::id.desc())
            .limit(ROUND)
            .load(conn)?;
        rows.retain(|r| !r.6);
        rows.splice(0..0, held);
    }
    let mut out = Vec::with_capacity(rows.len());
    for (id, event, endpoint, created, attempts, _, grouped) in rows {
        let found = (store::find(conn, &endpoint)?, store::find(conn, &event)?);
        let (url, secret, body) = match found {
            (Some(endpoint), Some(event)) => (
                super::books::text(&endpoint.body, "url").to_string(),
                super::books::text(&endpoint.hidden, "secret").to_string(),
                event.body.to_string(),
            ),
            // The endpoint is gone: nothing to send to, see `send`.
            _ => Default::default(),
        };
        out.push(Due {
            id,
            endpoint,
            created,
            attempts,
            url,
            secret,
            body,
            grouped,
        });
    }
    Ok(out)
}

/// Forgets what was taken; plans the next try of the rest.
fn note(
    conn: &mut SqliteConnection,
    now: i64,
    results: &[(Due, bool)],
) -> Result<(), diesel::result::Error> {
    for (due, taken) in results {
        let this = delivery::table.find(due.id);
        let pause = 1_i64
            .checked_shl(due.attempts.clamp(0, 20) as u32)
            .unwrap_or(LONGEST_PAUSE);
        let next_at = now + pause.min(LONGEST_PAUSE);
        if *taken || next_at > due.created + TRIED_FOR {
            diesel::delete(this).execute(conn)?;
        } else {
            diesel::update(this)
                .set((
                    delivery::attempts.eq(due.attempts + 1),
                    delivery::next_at.eq(next_at),
                    delivery::grouped.eq(false),
                ))
                .execute(conn)?;
        }
    }
    Ok(())
}

/// One try; whether it was taken (2xx), or can be forgotten.
async fn send(sandbox: &Sandbox, due: &Due) -> bool {
    if due.url.is_empty() {
        return true;
    }
    // The machine's own time: whoever verifies compares with his own (contracts: signatures).
    let signature = signature(&due.secret, chrono::Utc::now().timestamp(), &due.body);
    let sent = sandbox
        .inner
        .courier
        .post(&due.url)
        .header("content-type", "application/json; charset=utf-8")
        .header(
            "user-agent",
            "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
        )
        .header("stripe-signature", signature)
        .body(due.body.clone())
        .send()
        .await;
    match sent {
        Ok(answer) if answer.status().is_success() => true,
        Ok(answer) => {
            log::warn!(
                "sandbox: {} answered {} to a webhook",
                due.url,
                answer.status()
            );
            false
        }
        Err(e) => {
            log::warn!("sandbox: a webhook could not be delivered: {e}");
            false
        }
    }
}

/// `t=...,v1=...`: HMAC-SHA256 over time and body, as Stripe documents it.
fn signature(secret: &str, at: i64, body: &str) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(at.to_string().as_bytes());
    mac.update(b".");
    mac.update(body.as_bytes());
    let mut hex = String::with_capacity(64);
    for byte in mac.finalize().into_bytes() {
        use std::fmt::Write;
        let _ = write!(hex, "{byte:02x}");
    }
    format!("t={at},v1={hex}")
}
