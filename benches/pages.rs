//! A campaign's public page against the very same bytes from a bare actix-web server, plain and gzip, at 64 connections.
//! Wanted: at least 0.8 of the bare server. `cargo bench --bench pages`

mod support;

use std::net::{SocketAddr, TcpListener};

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{App as Bare, HttpResponse, HttpServer, web};
use muster::app::{App, Role};
use support::http::{self, Answer, Connection};
use support::{CALLERS, median, per_second};

/// How often each is measured, in turn.
const ROUNDS: usize = 7;
/// Requests of one measurement.
const REQUESTS: usize = 30_000;

#[actix_web::main]
async fn main() {
    let (data, database) = support::place();
    let app = App::build(support::config(&database, data.path()), Role::Pages).expect("a shop");
    let running = app.start(Role::Pages).await.expect("a shop that runs");
    running
        .app
        .office
        .write(|desk, tx| support::open_campaign(desk, tx, "ridge", None))
        .await
        .expect("a campaign");
    let muster: SocketAddr = running.app.public_url["http://".len()..]
        .parse()
        .expect("an address");
    for encoding in ["identity", "gzip"] {
        let page = Connection::open(muster)
            .await
            .ask(&http::get("/c/ridge", encoding))
            .await;
        assert_eq!(page.status, 200);
        assert_eq!(
            http::header(&page.head, "content-encoding").is_some(),
            encoding == "gzip"
        );
        let bytes = page.body.len();
        let (bare, handle) = bare(&page);
        let (mut ratios, mut ours, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let one = rate(muster, "/c/ridge", encoding, bytes).await;
            let other = rate(bare, "/", encoding, bytes).await;
            ratios.push(one / other);
            ours.push(one);
            theirs.push(other);
        }
        println!(
            "GET /c/{{slug}} {encoding}, {bytes} bytes, {CALLERS} connections: {:.0}/s, bare actix-web {:.0}/s, ratio {:.2} (wanted: 0.80)",
            median(ours),
            median(theirs),
            median(ratios)
        );
        handle.stop(false).await;
    }
    running.stop().await;
}

async fn rate(
    address: SocketAddr,
    path: &'static str,
    encoding: &'static str,
    bytes: usize,
) -> f64 {
    // Callers on threads of their own, as browsers are.
    let done = tokio::task::spawn_blocking(move || {
        let callers = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("threads");
        let request = http::get(path, encoding);
        callers.block_on(http::load(
            address,
            CALLERS,
            REQUESTS,
            move |_| request.clone(),
            move |answer| answer.body.len() == bytes,
        ))
    })
    .await
    .expect("a load");
    assert_eq!((done.refused, done.bad), (0, 0), "each answer is the page");
    per_second(done.answers, done.took)
}

/// A server that only hands out these very bytes, head and body, with as many workers.
fn bare(page: &Answer) -> (SocketAddr, actix_web::dev::ServerHandle) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("a port");
    let body = web::Bytes::from(page.body.clone());
    let head: Vec<(HeaderName, HeaderValue)> = page
        .head
        .lines()
        .filter_map(|line| line.split_once(": "))
        // Those two every server writes by itself.
        .filter(|(name, _)| {
            !["date", "content-length"].contains(&name.to_ascii_lowercase().as_str())
        })
        .map(|(name, value)| {
            (
                name.parse().expect("a name"),
                value.parse().expect("a value"),
            )
        })
        .collect();
    let server = HttpServer::new(move || {
        let (head, body) = (head.clone(), body.clone());
        Bare::new().route(
            "/",
            web::get().to(move || {
                let body = body.clone();
                let mut answer = HttpResponse::Ok();
                for line in &head {
                    answer.insert_header(line.clone());
                }
                async move { answer.body(body) }
            }),
        )
    })
    .workers(2)
    .tcp_nodelay(true)
    .disable_signals()
    .listen(listener)
    .expect("a port")
    .run();
    let handle = server.handle();
    tokio::spawn(server);
    (address, handle)
}
