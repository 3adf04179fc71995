//! The browser the other tests drive does what a visitor does.

use actix_web::dev::ServerHandle;
use actix_web::http::header::ContentType;
use actix_web::{App, HttpResponse, HttpServer, web};

use crate::support::browser::Browser;

const PAGE: &str = r#"<!doctype html><html lang="en"><title>Join</title>
<h1>Kettle</h1>
<p hidden>nobody sees this</p>
<form method="post" action="/joined">
  <input type="hidden" name="email" value="trap">
  <label for="email">E-mail <small>(for the order link)</small></label><input id="email" name="email">
  <label>Country <select name="country"><option value="de">Germany</option><option value="fr">France</option></select></label>
  <label>Ship by <input type="date" name="day"></label>
  <label><input type="checkbox" name="terms" value="yes"> I've read the terms</label>
  <input name="quantity" value="1">
  <button>Join and pay</button>
</form>
<p id="live">waiting</p>
<script src="/live.js"></script>"#;

/// What a page that moves by itself does: the text comes when the page has long been shown.
const SCRIPT: &str =
    "setTimeout(() => { document.getElementById('live').textContent = '5 of 10' }, 50);
    console.error('the console is heard');";

struct Shop {
    address: String,
    server: ServerHandle,
}

impl Shop {
    fn open() -> Self {
        let html = |body: String| {
            HttpResponse::Ok()
                .content_type(ContentType::html())
                .body(body)
        };
        let server = HttpServer::new(move || {
            App::new()
                .route(
                    "/",
                    web::get().to(move || async move { html(PAGE.to_owned()) }),
                )
                .route("/live.js", web::get().to(|| async { SCRIPT }))
                .route(
                    "/joined",
                    web::post().to(move |form: String| async move {
                        html(format!(
                            "<title>Joined</title><h1>Thank you</h1><code>{form}</code>"
                        ))
                    }),
                )
        })
        .workers(1)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .expect("a free port");
        let address = format!("http://{}/", server.addrs()[0]);
        let running = server.run();
        let server = running.handle();
        actix_web::rt::spawn(running);
        Self { address, server }
    }
}

#[actix_web::test]
async fn a_visitor_fills_in_a_form_and_sends_it() {
    let shop = Shop::open();
    let browser = Browser::open().await;
    browser.goto(&shop.address).await;
    browser.fill("E-mail", "ann@example.org").await;
    browser.fill("Country", "France").await;
    browser.fill("Ship by", "2026-12-24").await;
    browser.fill("I've read the terms", "on").await;
    browser.fill("quantity", "3").await;
    assert_eq!(browser.value_of("quantity").await, "3");
    browser.click("Join and pay").await;
    browser.wait_for_text("Thank you").await;
    assert_eq!(
        browser.text_of("code").await,
        "email=trap&email=ann%40example.org&country=fr&day=2026-12-24&terms=yes&quantity=3"
    );
    assert_eq!(browser.url().await, format!("{}joined", shop.address));
    shop.server.stop(false).await;
}

#[actix_web::test]
async fn a_visitor_sees_what_a_script_changes_and_the_test_hears_the_console() {
    let shop = Shop::open();
    let browser = Browser::open().await;
    browser.set_window_size(390, 844).await;
    browser.goto(&shop.address).await;
    browser.wait_for_text("5 of 10").await;
    assert!(!browser.visible_text().await.contains("nobody sees this"));
    assert_eq!(browser.count("option").await, 2);
    let errors = browser.console_errors().await;
    assert!(
        errors.iter().any(|e| e.contains("the console is heard")),
        "{errors:?}"
    );

    let folder = tempfile::tempdir().expect("a temporary folder");
    let picture = folder.path().join("pictures/join.png");
    browser.screenshot(&picture).await;
    let size = image::image_dimensions(&picture).expect("a PNG");
    assert!(size.0 <= 500, "the window is narrow: {size:?}");
    shop.server.stop(false).await;
}

#[actix_web::test]
async fn a_visitor_without_javascript_can_send_the_form_too() {
    let shop = Shop::open();
    let browser = Browser::open_without_javascript().await;
    browser.goto(&shop.address).await;
    browser.fill("E-mail", "bo@example.org").await;
    browser.click("Join and pay").await;
    browser.wait_for_text("Thank you").await;
    assert!(browser.text_of("code").await.contains("bo%40example.org"));
    browser.client().back().await.expect("the page before");
    assert_eq!(browser.text_of("#live").await, "waiting", "no script ran");
    shop.server.stop(false).await;
}
