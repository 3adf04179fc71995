//! The sandbox served on a free port, a caller whose every exchange is checked against Stripe's description, and the shop's
//! side of the webhooks.

use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use muster::sandbox::{Sandbox, SandboxConfig};
use serde_json::{Value, json};

use crate::stripe_spec::Spec;

/// What the shop was told: bodies whose signature was right.
#[derive(Default)]
pub struct Inbox {
    secret: Mutex<String>,
    /// In the order they came.
    pub events: Mutex<Vec<Value>>,
    /// Answers 500 while set.
    pub refuses: AtomicBool,
}

/// A served sandbox.
pub struct Served {
    pub sandbox: Sandbox,
    pub base: String,
    pub inbox: Arc<Inbox>,
    client: reqwest::Client,
    server: ServerHandle,
    keys: AtomicU64,
    between: Option<Between>,
}

/// A program that stands between caller and sandbox and checks too: `STRIPE_SPEC_PROXY` names a script that takes
/// `--listen`, `--upstream`, `--log` and `--check-responses`. Not needed; for proving by hand that it finds nothing.
struct Between {
    child: std::process::Child,
    base: String,
}

impl Between {
    fn start(upstream: &str) -> Option<Between> {
        use std::io::BufRead;
        let script = std::env::var("STRIPE_SPEC_PROXY").ok()?;
        let port = TcpListener::bind("127.0.0.1:0")
            .ok()?
            .local_addr()
            .ok()?
            .port();
        let log = std::env::temp_dir().join(format!("stripe-exchanges-{port}.jsonl"));
        let mut child = std::process::Command::new("python3")
            .args([&script, "--check-responses", "--listen", &port.to_string()])
            .args(["--upstream", upstream, "--log"])
            .arg(log)
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("the proxy starts");
        let mut ready = String::new();
        let out = child.stdout.take().expect("its output");
        std::io::BufReader::new(out)
            .read_line(&mut ready)
            .expect("it says that it listens");
        Some(Between {
            child,
            base: format!("http://127.0.0.1:{port}"),
        })
    }
}

impl Drop for Between {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// An answer.
pub struct Got {
    pub status: u16,
    pub body: Value,
    pub replayed: bool,
}

async fn take_webhook(inbox: web::Data<Inbox>, req: HttpRequest, body: String) -> HttpResponse {
    if inbox.refuses.load(Ordering::SeqCst) {
        return HttpResponse::InternalServerError().finish();
    }
    let signature = req
        .headers()
        .get("stripe-signature")
        .and_then(|v| v.to_str().ok());
    let secret = inbox.secret.lock().expect("inbox").clone();
    let parsed = stripe_webhook::Webhook::construct_event(&body, signature.unwrap_or(""), &secret);
    if let Err(e) = parsed {
        panic!("a webhook was not accepted: {e}: {body}");
    }
    inbox
        .events
        .lock()
        .expect("inbox")
        .push(serde_json::from_str(&body).expect("JSON"));
    HttpResponse::Ok().finish()
}

/// Serves the sandbox on the books in a folder; deliveries go to the same server.
pub async fn serve(folder: &Path) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let base = format!("http://{}", listener.local_addr().expect("an address"));
    let config = SandboxConfig {
        public_url: base.clone(),
        webhook_url: format!("{base}/webhooks/stripe"),
        webhook_secret: None,
    };
    let sandbox = Sandbox::open(folder, config).expect("the books open");
    let inbox = Arc::new(Inbox::default());
    *inbox.secret.lock().expect("inbox") = sandbox.webhook_secret().to_string();
    let (box_data, routes) = (web::Data::from(inbox.clone()), sandbox.clone());
    let server = HttpServer::new(move || {
        let routes = routes.clone();
        App::new()
            .app_data(box_data.clone())
            .route("/webhooks/stripe", web::post().to(take_webhook))
            .configure(move |cfg| routes.configure(cfg))
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(1)
    .listen(listener)
    .expect("it listens")
    .run();
    let handle = server.handle();
    tokio::spawn(server);
    let between = Between::start(&format!("{base}/sandbox/stripe"));
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(std::time::Duration::from_secs(20))
        .build()
        .expect("a client");
    Served {
        sandbox,
        base,
        inbox,
        client,
        server: handle,
        keys: AtomicU64::new(1),
        between,
    }
}

impl Served {
    /// Where the API is: the server itself, or what stands in between.
    pub fn api(&self) -> String {
        match &self.between {
            Some(between) => between.base.clone(),
            None => format!("{}/sandbox/stripe", self.base),
        }
    }

    /// Ends it as kill -9 would leave the books: nothing is told to the sandbox.
    pub async fn kill(self) {
        self.server.stop(false).await;
    }

    /// The official client, pointed here.
    pub fn client(&self) -> stripe::Client {
        stripe::ClientBuilder::new("sk_test_shop")
            .url(format!("{}/", self.api()))
            .timeout(std::time::Duration::from_secs(10))
            .build()
            .expect("a client")
    }

    /// A call that must be right, both ways, and answered 200.
    pub async fn ok(&self, method: &str, path: &str, parameters: &str) -> Value {
        let got = self.call(method, path, parameters, None).await;
        assert_eq!(
            got.status, 200,
            "{method} {path} {parameters}: {}",
            got.body
        );
        got.body
    }

    /// A well-formed call that the provider refuses: the `error` of its answer.
    pub async fn refused(&self, method: &str, path: &str, parameters: &str, status: u16) -> Value {
        let got = self.call(method, path, parameters, None).await;
        assert_eq!(
            got.status, status,
            "{method} {path} {parameters}: {}",
            got.body
        );
        got.body["error"].clone()
    }

    /// A call whose request is checked, and its answer where it is 200.
    pub async fn call(&self, method: &str, path: &str, parameters: &str, key: Option<&str>) -> Got {
        let spec = Spec::get();
        let op = spec
            .operation(method, path)
            .unwrap_or_else(|e| panic!("{e}"));
        let wrong = spec.check_request(&op, parameters);
        assert!(wrong.is_empty(), "{method} {path} {parameters}: {wrong:#?}");
        let got = self
            .raw(method, path, parameters, key)
            .await
            .expect("an answer");
        if got.status == 200 {
            let wrong = spec.check_answer(&op, &got.body);
            assert!(
                wrong.is_empty(),
                "{method} {path}: {wrong:#?}\n{:#}",
                got.body
            );
        } else {
            let mut wrong = Vec::new();
            spec.check_objects(&got.body, path, &mut wrong);
            assert!(wrong.is_empty(), "{method} {path}: {wrong:#?}");
        }
        got
    }

    /// A call that is not checked.
    pub async fn raw(
        &self,
        method: &str,
        path: &str,
        parameters: &str,
        key: Option<&str>,
    ) -> Result<Got, reqwest::Error> {
        let url = format!("{}{path}", self.api());
        let own = format!("test-{}", self.keys.fetch_add(1, Ordering::SeqCst));
        let request = match method {
            "POST" => self
                .client
                .post(url)
                .header("content-type", "application/x-www-form-urlencoded")
                .header("idempotency-key", key.unwrap_or(&own))
                .body(parameters.to_string()),
            "DELETE" => self.client.delete(url),
            _ => self.client.get(format!("{url}?{parameters}")),
        };
        let answer = request.bearer_auth("sk_test_shop").send().await?;
        Ok(Got {
            status: answer.status().as_u16(),
            replayed: answer.headers().contains_key("idempotent-replayed"),
            body: serde_json::from_str(&answer.text().await?).unwrap_or(Value::Null),
        })
    }

    /// Posts to the pay page; gives status, where it leads, and the page.
    pub async fn pay(&self, session: &Value, form: &str) -> (u16, String, String) {
        let url = session["url"].as_str().expect("an open session has a page");
        self.post_form(url, form).await
    }

    /// Posts a plain form.
    pub async fn post_form(&self, url: &str, form: &str) -> (u16, String, String) {
        let answer = self
            .client
            .post(url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(form.to_string())
            .send()
            .await
            .expect("an answer");
        let to = answer
            .headers()
            .get("location")
            .and_then(|v| v.to_str().ok())
            .unwrap_or("");
        let to = to.to_string();
        (
            answer.status().as_u16(),
            to,
            answer.text().await.expect("a text"),
        )
    }

    /// Gets a page.
    pub async fn page(&self, url: &str) -> (u16, String) {
        let answer = self.client.get(url).send().await.expect("an answer");
        (
            answer.status().as_u16(),
            answer.text().await.expect("a text"),
        )
    }

    /// Posts JSON to the control addresses.
    pub async fn control(&self, path: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/sandbox/{path}", self.base);
        let answer = self
            .client
            .post(url)
            .json(&body)
            .send()
            .await
            .expect("an answer");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    /// Moves the clock; zero does what is due now, deliveries included.
    pub async fn advance(&self, seconds: i64) {
        let (status, body) = self
            .control("clock", json!({ "advance_seconds": seconds }))
            .await;
        assert_eq!(status, 200, "{body}");
    }

    /// Sets faults.
    pub async fn faults(&self, faults: Value) {
        let (status, body) = self.control("faults", faults).await;
        assert_eq!(status, 200, "{body}");
    }

    /// What the shop was told so far, by type; deliveries due now are made first.
    pub async fn told(&self) -> Vec<String> {
        self.advance(0).await;
        let events = self.inbox.events.lock().expect("inbox");
        events
            .iter()
            .map(|e| e["type"].as_str().expect("a type").to_string())
            .collect()
    }

    /// A session for one thing at 45 dollars, open for 31 minutes.
    pub async fn session(&self) -> Value {
        self.ok("POST", "/v1/checkout/sessions", &self.session_form())
            .await
    }

    /// What such a session is asked with.
    pub fn session_form(&self) -> String {
        let expires = self.sandbox.clock().now().timestamp() + 31 * 60;
        format!(
            "mode=payment&payment_method_types[0]=card&client_reference_id=order-1&customer_email=ann@example.org\
             &expires_at={expires}&success_url={base}/thanks%3Fs%3D%7BCHECKOUT_SESSION_ID%7D&cancel_url={base}/back\
             &metadata[order]=order-1&payment_intent_data[metadata][order]=order-1\
             &line_items[0][quantity]=2&line_items[0][price_data][currency]=usd\
             &line_items[0][price_data][unit_amount]=2000\
             &line_items[0][price_data][product_data][name]=Brass+pen\
             &line_items[1][quantity]=1&line_items[1][price_data][currency]=usd\
             &line_items[1][price_data][unit_amount]=500\
             &line_items[1][price_data][product_data][name]=Shipping",
            base = self.base
        )
    }

    /// A paid session: with its intent and charge, expanded.
    pub async fn paid(&self, card: &str) -> Value {
        let session = self.session().await;
        let (status, to, page) = self
            .pay(&session, &format!("card={card}&outcome=succeed"))
            .await;
        assert_eq!(status, 303, "{page}");
        let id = session["id"].as_str().expect("an id");
        assert_eq!(to, format!("{}/thanks?s={id}", self.base));
        let path = format!("/v1/checkout/sessions/{id}");
        self.ok("GET", &path, "expand[]=payment_intent.latest_charge")
            .await
    }
}

/// A text field.
pub fn s(value: &Value, path: &str) -> String {
    value
        .pointer(path)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("{path} in {value:#}"))
        .into()
}
