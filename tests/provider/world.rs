//! Webhooks, the balance, the clock, the mailbox, and what survives a kill.

use std::sync::Mutex;
use std::sync::atomic::Ordering;

use chrono::{DateTime, TimeDelta, Utc};
use muster::sandbox::hooks::{Hooks, Mail, Mailbox, Pending, Work};
use muster::workflows::ports::Clock;
use serde_json::json;
use std::sync::Arc;

use crate::driver::{Served, s, serve};
use crate::stripe_spec::Spec;

fn count(told: &[String], kind: &str) -> usize {
    told.iter().filter(|t| *t == kind).count()
}

#[actix_web::test]
async fn events_are_objects_of_the_description_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    shop.paid("4000000000000259").await;
    shop.paid("4000000000001976").await;
    shop.told().await;
    let mut wrong = Vec::new();
    for event in shop.inbox.events.lock().expect("inbox").iter() {
        Spec::get().check_objects(event, &s(event, "/type"), &mut wrong);
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[actix_web::test]
async fn webhooks_come_twice_late_reordered_or_never_as_the_faults_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    shop.faults(json!({ "webhooks": "duplicate" })).await;
    shop.paid("4242424242424242").await;
    let told = shop.told().await;
    assert_eq!((told.len(), count(&told, "charge.succeeded")), (8, 2));

    shop.inbox.events.lock().expect("inbox").clear();
    shop.faults(json!({ "webhooks": "delay" })).await;
    shop.paid("4242424242424242").await;
    shop.advance(590).await;
    assert_eq!(shop.told().await.len(), 0);
    shop.advance(20).await;
    assert_eq!(shop.told().await.len(), 4);

    shop.inbox.events.lock().expect("inbox").clear();
    shop.faults(json!({ "webhooks": "reorder" })).await;
    shop.paid("4242424242424242").await;
    shop.advance(10).await;
    let newest_first = [
        "checkout.session.completed",
        "payment_intent.succeeded",
        "charge.succeeded",
        "payment_intent.created",
    ];
    assert_eq!(shop.told().await, newest_first);

    shop.inbox.events.lock().expect("inbox").clear();
    shop.faults(json!({ "webhooks": "drop" })).await;
    shop.paid("4242424242424242").await;
    shop.advance(3600).await;
    assert_eq!(shop.told().await.len(), 0);
    let listed = shop.ok("GET", "/v1/events", "type=charge.succeeded").await;
    assert_eq!(listed["data"].as_array().map(Vec::len), Some(4));
}

#[actix_web::test]
async fn a_webhook_that_was_refused_is_tried_again_and_given_up_after_three_days() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    shop.inbox.refuses.store(true, Ordering::SeqCst);
    shop.paid("4242424242424242").await;
    assert_eq!(shop.told().await.len(), 0);
    shop.inbox.refuses.store(false, Ordering::SeqCst);
    shop.advance(3600).await;
    assert_eq!(shop.told().await.len(), 4);

    shop.inbox.refuses.store(true, Ordering::SeqCst);
    shop.paid("4242424242424242").await;
    for _ in 0..4 {
        shop.advance(24 * 3600).await;
    }
    shop.inbox.refuses.store(false, Ordering::SeqCst);
    shop.advance(24 * 3600).await;
    assert_eq!(shop.told().await.len(), 4);
}

async fn refund(shop: &Served, card: &str) -> (String, String) {
    let paid = shop.paid(card).await;
    let form = format!("payment_intent={}", s(&paid, "/payment_intent/id"));
    let refund = shop.ok("POST", "/v1/refunds", &form).await;
    let charge = s(&refund, "/charge");
    (
        format!("/v1/refunds/{}", s(&refund, "/id")),
        format!("/v1/charges/{charge}"),
    )
}

#[actix_web::test]
async fn a_refund_fails_after_an_hour_and_the_money_is_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let (refund, charge) = refund(&shop, "4000000000005126").await;
    assert_eq!(
        s(&shop.ok("GET", &refund, "").await, "/status"),
        "succeeded"
    );
    assert_eq!(shop.ok("GET", &charge, "").await["refunded"], true);
    shop.advance(3600).await;
    let failed = shop
        .ok("GET", &refund, "expand[]=failure_balance_transaction")
        .await;
    assert_eq!(s(&failed, "/status"), "failed");
    assert_eq!(failed["failure_balance_transaction"]["amount"], 4500);
    assert_eq!(shop.ok("GET", &charge, "").await["amount_refunded"], 0);
    assert_eq!(
        shop.ok("GET", "/v1/balance", "").await["available"][0]["amount"],
        4500
    );
    let told = shop.told().await;
    for kind in [
        "refund.created",
        "charge.refunded",
        "refund.failed",
        "charge.refund.updated",
    ] {
        assert_eq!(count(&told, kind), 1, "{kind}");
    }
}

#[actix_web::test]
async fn a_refund_is_pending_for_an_hour_or_while_the_balance_is_short() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let (slow, _) = refund(&shop, "4000000000007726").await;
    assert_eq!(s(&shop.ok("GET", &slow, "").await, "/status"), "pending");
    shop.faults(json!({ "balance": "short" })).await;
    let (short, _) = refund(&shop, "4242424242424242").await;
    let balance = shop.ok("GET", "/v1/balance", "").await;
    assert_eq!(balance["available"][0]["amount"], 0);
    assert_eq!(balance["pending"][0]["amount"], 4500);
    shop.advance(7200).await;
    assert_eq!(s(&shop.ok("GET", &slow, "").await, "/status"), "succeeded");
    let waiting = shop.ok("GET", &short, "").await;
    assert_eq!(s(&waiting, "/pending_reason"), "insufficient_funds");
    shop.faults(json!({ "balance": "normal" })).await;
    assert_eq!(s(&shop.ok("GET", &short, "").await, "/status"), "succeeded");
    assert_eq!(
        shop.ok("GET", "/v1/balance", "").await["available"][0]["amount"],
        0
    );
    assert_eq!(count(&shop.told().await, "refund.updated"), 2);
}

#[actix_web::test]
async fn faults_name_what_they_change_and_nothing_unknown() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let (_, set) = shop.control("faults", json!({ "api": "rate_limit" })).await;
    assert_eq!(
        set,
        json!({ "webhooks": "normal", "api": "rate_limit", "balance": "normal" })
    );
    for wrong in [
        json!({ "api": "slow" }),
        json!({ "weather": "bad" }),
        json!([]),
        json!({ "api": 1 }),
    ] {
        let (status, problem) = shop.control("faults", wrong.clone()).await;
        assert_eq!(status, 422, "{wrong}");
        assert!(problem["errors"][0]["message"].is_string(), "{problem}");
    }
    let url = format!("{}/sandbox/faults", shop.base);
    let (_, text) = shop.page(&url).await;
    assert!(text.contains("\"api\":\"rate_limit\""), "{text}");
    assert_eq!(
        shop.post_form(&url, "api=normal&webhooks=drop&balance=normal")
            .await
            .0,
        303
    );
    assert!(shop.page(&url).await.1.contains("\"webhooks\":\"drop\""));
}

#[actix_web::test]
async fn the_clock_only_moves_forward_and_everybody_sees_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let before = shop.sandbox.clock().now();
    let to = before + TimeDelta::days(40);
    let (status, body) = shop
        .control("clock", json!({ "now": to.to_rfc3339() }))
        .await;
    assert_eq!(status, 200);
    let now: DateTime<Utc> = s(&body, "/now").parse().expect("a time");
    assert!(
        now.timestamp() >= to.timestamp() && now < to + TimeDelta::minutes(1),
        "{now}"
    );
    for wrong in [
        json!({ "now": before.to_rfc3339() }),
        json!({ "advance_seconds": -1 }),
        json!({ "advance_seconds": "a" }),
        json!({ "now": "tomorrow" }),
        json!({ "now": "9999-01-01T00:00:00Z" }),
        json!({}),
        json!({ "advance_seconds": 1, "now": to.to_rfc3339() }),
    ] {
        let (status, body) = shop.control("clock", wrong.clone()).await;
        assert_eq!(status, 422, "{wrong}: {body}");
    }
    let (status, text) = shop.page(&format!("{}/sandbox/clock", shop.base)).await;
    assert!(
        status == 200 && text.contains(&to.format("%Y-%m-%dT").to_string()),
        "{text}"
    );
    let url = format!("{}/sandbox/clock", shop.base);
    assert_eq!(shop.post_form(&url, "advance_seconds=60").await.0, 303);
    let at = (to + TimeDelta::days(1))
        .format("%Y-%m-%dT%H:%M")
        .to_string();
    assert_eq!(shop.post_form(&url, &format!("now={at}")).await.0, 303);
    let other = muster::sandbox::Sandbox::open(
        folder.path(),
        muster::sandbox::SandboxConfig {
            public_url: shop.base.clone(),
            webhook_url: format!("{}/webhooks/stripe", shop.base),
            webhook_secret: None,
        },
    )
    .expect("the books open twice");
    assert!(other.clock().now() > to);
    assert_eq!(other.webhook_secret(), shop.sandbox.webhook_secret());
    let (_, page) = shop.page(&format!("{}/sandbox", shop.base)).await;
    assert!(
        page.contains("ahead of the machine") && page.contains("Move the clock"),
        "{page}"
    );
}

/// Work that notes when it ran, some of it never getting done.
struct Noted {
    clock: Arc<dyn Clock>,
    due: Mutex<Vec<(DateTime<Utc>, bool, u32)>>,
    ran: Mutex<Vec<(DateTime<Utc>, DateTime<Utc>)>>,
}

impl Work for Noted {
    fn begin_move(&self) {
        self.due
            .lock()
            .expect("due")
            .iter_mut()
            .for_each(|d| d.2 = 0);
    }

    fn next_due(&self, max_tries: u32) -> Pending<'_, Option<DateTime<Utc>>> {
        let due = self.due.lock().expect("due");
        let next = due.iter().filter(|d| d.2 < max_tries).map(|d| d.0).min();
        Box::pin(async move { next })
    }

    fn run_due(&self, max_tries: u32) -> Pending<'_, ()> {
        let now = self.clock.now();
        let mut due = self.due.lock().expect("due");
        for d in due.iter_mut().filter(|d| d.0 <= now && d.2 < max_tries) {
            d.2 += 1;
            self.ran.lock().expect("ran").push((d.0, now));
        }
        due.retain(|d| !d.1 || d.0 > now);
        Box::pin(async {})
    }
}

impl Mailbox for Noted {
    fn list(&self) -> Pending<'_, Result<Vec<Mail>, String>> {
        let mail = |n: u32| Mail {
            to: format!("{n}@example.org"),
            subject: format!("<Step> {n}"),
            text: "See https://example.org/o/1?t=2 for <b>it</b>.\nBye".into(),
            html: "<p>See</p>".into(),
            at: DateTime::UNIX_EPOCH,
        };
        Box::pin(async move { Ok(vec![mail(1), mail(2)]) })
    }
}

#[actix_web::test]
async fn a_moved_clock_visits_each_due_time_and_gives_up_on_what_fails() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    let clock = shop.sandbox.clock();
    let start = clock.now();
    let hour = |n: i64| start + TimeDelta::hours(n);
    let due = vec![
        (hour(5), true, 0),
        (hour(1), true, 0),
        (hour(3), false, 0),
        (hour(9), true, 0),
    ];
    let noted = Arc::new(Noted {
        clock,
        due: Mutex::new(due),
        ran: Mutex::default(),
    });
    shop.sandbox.set_hooks(Hooks {
        work: noted.clone(),
        mailbox: noted.clone(),
    });
    let session = shop.session().await;
    shop.faults(json!({ "webhooks": "duplicate" })).await;
    shop.advance(6 * 3600).await;
    let ran = std::mem::take(&mut *noted.ran.lock().expect("ran"));
    let order: Vec<_> = ran.iter().map(|r| r.0).collect();
    assert_eq!(order, [hour(1), hour(3), hour(3), hour(3), hour(5)]);
    for (due, at) in ran {
        assert!(
            at >= due && at < due + TimeDelta::minutes(1),
            "due {due}, ran {at}"
        );
    }
    let now = shop
        .ok(
            "GET",
            &format!("/v1/checkout/sessions/{}", s(&session, "/id")),
            "",
        )
        .await;
    assert_eq!(s(&now, "/status"), "expired");
    // In the next move it is tried again.
    shop.advance(0).await;
    assert_eq!(noted.ran.lock().expect("ran").len(), 3);

    let url = format!("{}/sandbox/mail", shop.base);
    let (_, page) = shop.page(&url).await;
    assert!(
        page.contains("&#60;Step&#62; 2") || page.contains("&lt;Step&gt; 2"),
        "{page}"
    );
    assert!(
        page.contains("<a href=\"https://example.org/o/1?t=2\">"),
        "{page}"
    );
    assert!(!page.contains("<b>it") && page.contains("Bye"), "{page}");
    let client = reqwest::Client::new();
    let json = client
        .get(url)
        .header("accept", "application/json")
        .send()
        .await
        .expect("mail");
    let mails: serde_json::Value = json.json().await.expect("JSON");
    assert_eq!(s(&mails, "/0/to"), "1@example.org");
    assert_eq!(s(&mails, "/1/at"), "1970-01-01T00:00:00Z");
}

#[actix_web::test]
async fn the_books_live_through_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    shop.inbox.refuses.store(true, Ordering::SeqCst);
    let paid = shop.paid("4000000000005126").await;
    let form = format!("payment_intent={}", s(&paid, "/payment_intent/id"));
    let refund = shop.call("POST", "/v1/refunds", &form, Some("k")).await;
    shop.advance(60).await;
    shop.faults(json!({ "balance": "short" })).await;
    let (now, secret) = (
        shop.sandbox.clock().now(),
        shop.sandbox.webhook_secret().to_string(),
    );
    shop.kill().await;

    let shop = serve(folder.path()).await;
    assert!(shop.sandbox.clock().now() >= now);
    assert_eq!(shop.sandbox.webhook_secret(), secret);
    assert_eq!(
        shop.ok("GET", "/v1/balance", "").await["available"][0]["amount"],
        0
    );
    let again = shop.call("POST", "/v1/refunds", &form, Some("k")).await;
    assert!(again.replayed);
    assert_eq!(again.body, refund.body);
    shop.advance(3600).await;
    let told = shop.told().await;
    for kind in [
        "checkout.session.completed",
        "charge.refunded",
        "refund.failed",
    ] {
        assert_eq!(count(&told, kind), 1, "{kind} in {told:?}");
    }
}

#[actix_web::test]
async fn background_work_starts_and_stops() {
    let folder = tempfile::tempdir().expect("a folder");
    let shop = serve(folder.path()).await;
    shop.sandbox.start();
    shop.sandbox.start();
    shop.paid("4242424242424242").await;
    shop.sandbox.stop().await;
    assert_eq!(shop.told().await.len(), 4);
}
