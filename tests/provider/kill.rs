//! kill -9 in the middle of work: what was answered is there, what was not is done once when it is asked again.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use serde_json::Value;

use crate::driver::{Served, s, serve};

const FOLDER: &str = "MUSTER_TEST_BOOKS";

/// Not a test of its own: the process that is killed. Without a folder it does nothing.
#[actix_web::test]
async fn serves_until_it_is_killed() {
    let Some(folder) = std::env::var_os(FOLDER) else {
        return;
    };
    let shop = serve(folder.as_ref()).await;
    println!("\nserving {}", shop.base);
    std::future::pending::<()>().await;
}

/// One client's keys, one after the other, until the server is gone; gives the answered keys and the last, unanswered one.
async fn ask_until_gone(
    base: &str,
    client: usize,
    answered: &Mutex<Vec<(String, Value)>>,
    total: &AtomicUsize,
) -> String {
    let http = reqwest::Client::new();
    for n in 0.. {
        let key = format!("{client}-{n}");
        let sent = http
            .post(format!("{base}/sandbox/stripe/v1/customers"))
            .bearer_auth("sk_test_1")
            .header("idempotency-key", &key)
            .body(format!("metadata[key]={key}"))
            .send()
            .await;
        let body = match sent {
            Ok(answer) => answer.json::<Value>().await,
            Err(e) => Err(e),
        };
        let Ok(body) = body else { return key };
        answered.lock().expect("a list").push((key, body));
        total.fetch_add(1, Ordering::SeqCst);
    }
    unreachable!("it asks until the server is gone")
}

async fn count(shop: &Served) -> usize {
    let mut all = 0;
    let mut query = "limit=100".to_string();
    loop {
        let page = shop.ok("GET", "/v1/customers", &query).await;
        let data = page["data"].as_array().expect("data");
        all += data.len();
        match data.last() {
            Some(last) if page["has_more"] == true => {
                query = format!("limit=100&starting_after={}", s(last, "/id"));
            }
            _ => return all,
        }
    }
}

#[actix_web::test]
async fn nothing_answered_is_lost_and_nothing_happens_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = Command::new(std::env::current_exe().expect("this program"))
        .args(["kill::serves_until_it_is_killed", "--exact", "--nocapture"])
        .env(FOLDER, folder.path())
        .env_remove("STRIPE_SPEC_PROXY")
        .stdout(Stdio::piped())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(child.stdout.take().expect("its output")).lines();
    let base = lines
        .map_while(Result::ok)
        .find_map(|l| l.strip_prefix("serving ").map(String::from))
        .expect("it serves");
    let (answered, total) = (Mutex::default(), AtomicUsize::new(0));
    let clients = join_all((0..8).map(|n| ask_until_gone(&base, n, &answered, &total)));
    let killer = async {
        while total.load(Ordering::SeqCst) < 200 {
            tokio::task::yield_now().await;
        }
        child.kill().expect("it can be killed");
        child.wait().expect("it is dead");
    };
    let (unanswered, ()) = futures_util::future::join(clients, killer).await;

    let shop = serve(folder.path()).await;
    let answered = answered.into_inner().expect("a list");
    for (key, body) in &answered {
        let form = format!("metadata[key]={key}");
        let again = shop.call("POST", "/v1/customers", &form, Some(key)).await;
        assert!(again.replayed, "{key} was answered and is gone");
        assert_eq!(again.body, *body);
    }
    for key in &unanswered {
        let form = format!("metadata[key]={key}");
        assert_eq!(
            shop.call("POST", "/v1/customers", &form, Some(key))
                .await
                .status,
            200
        );
    }
    assert_eq!(count(&shop).await, answered.len() + unanswered.len());
}
