//! A caller of the served API that checks every answer, and every body that was taken, against the description.

use std::net::TcpListener;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use chrono::{Duration, SecondsFormat};
use jsonschema::Draft;
use muster::web::api;
use muster::web::guard::{Guards, refuse_cross_site, security_headers};
use muster::workflows::ports::Clock;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::database::TestDatabase;
use crate::support::office::TestOffice;

/// The API on a port, with a merchant whose key is used where none is named.
pub struct Api {
    pub shop: TestOffice,
    pub key: String,
    pub base: String,
    client: reqwest::Client,
    server: ServerHandle,
    document: Value,
}

/// An answer.
#[derive(Debug)]
pub struct Got {
    pub status: u16,
    pub body: Value,
    pub headers: reqwest::header::HeaderMap,
}

impl Got {
    /// The answer's body, where it has this status.
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{:#}", self.body);
        self.body
    }

    /// The last word of a problem's type, where it has this status.
    pub fn refused(self, status: u16) -> String {
        let body = self.expect(status);
        let kind = body["type"].as_str().expect("a type");
        kind.rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// The fields that are wrong.
    pub fn wrong_fields(self) -> Vec<String> {
        let body = self.expect(422);
        let mut fields: Vec<String> = body["errors"]
            .as_array()
            .expect("errors")
            .iter()
            .map(|e| e["field"].as_str().expect("a field").to_owned())
            .collect();
        fields.sort();
        fields
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |v| v.to_str().expect("text"))
    }
}

impl Drop for Api {
    fn drop(&mut self) {
        // The runtime ends with the test and takes the server with it.
        drop(self.server.stop(false));
    }
}

/// A call that is being made up.
pub struct Ask<'a> {
    api: &'a Api,
    method: Method,
    path: String,
    key: Option<String>,
    body: Option<Value>,
    headers: Vec<(&'static str, String)>,
}

impl<'a> Ask<'a> {
    pub fn body(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }

    /// Without a key.
    pub fn anonymous(mut self) -> Self {
        self.key = None;
        self
    }

    pub fn key(mut self, key: &str) -> Self {
        self.key = Some(key.to_owned());
        self
    }

    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// With an `Idempotency-Key`.
    pub fn once(self, key: &str) -> Self {
        self.header("Idempotency-Key", key)
    }

    pub async fn send(self) -> Got {
        let url = format!("{}{}", self.api.base, self.path);
        let mut request = self.api.client.request(self.method.clone(), url);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        if let Some(body) = &self.body {
            request = request.json(body);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let got = read(request.send().await.expect("an answer")).await;
        self.api
            .check(&self.method, &self.path, self.body.as_ref(), &got);
        got
    }
}

async fn read(response: reqwest::Response) -> Got {
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let text = response.text().await.expect("a body");
    Got {
        status,
        headers,
        body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
    }
}

impl Api {
    /// Serves the API on a fresh database.
    pub async fn start(db: &TestDatabase) -> Self {
        let shop = TestOffice::start(db).await;
        let (_, key) = shop.merchant("Mill Lane").await;
        let guards = web::Data::new(Guards::new(&shop.office).expect("good settings"));
        let office = web::Data::new(shop.office.clone());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(office.clone())
                .app_data(guards.clone())
                .wrap(from_fn(refuse_cross_site))
                .wrap(from_fn(security_headers))
                .configure(api::configure)
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .expect("it listens")
        .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let client = reqwest::Client::new();
        let document = client
            .get(format!("{base}/api/v1/openapi.json"))
            .send()
            .await
            .expect("the description")
            .json()
            .await
            .expect("JSON");
        Self {
            shop,
            key,
            base,
            client,
            server: handle,
            document,
        }
    }

    pub fn document(&self) -> &Value {
        &self.document
    }

    pub fn ask(&self, method: Method, path: &str) -> Ask<'_> {
        Ask {
            api: self,
            method,
            path: format!("/api/v1{path}"),
            key: Some(self.key.clone()),
            body: None,
            headers: Vec::new(),
        }
    }

    pub fn get(&self, path: &str) -> Ask<'_> {
        self.ask(Method::GET, path)
    }

    pub fn post(&self, path: &str, body: Value) -> Ask<'_> {
        self.ask(Method::POST, path).body(body)
    }

    /// A request made by hand, unchecked.
    pub async fn raw(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<reqwest::Body>,
    ) -> Got {
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        read(request.body(body).send().await.expect("an answer")).await
    }

    fn check(&self, method: &Method, path: &str, sent: Option<&Value>, got: &Got) {
        let is_problem = got.status >= 400;
        let media = if is_problem {
            "application/problem+json"
        } else {
            "application/json"
        };
        assert_eq!(got.header("content-type"), media, "{}", got.body);
        let place = path.split('?').next().unwrap_or_default();
        let operation = self.operation(method, place);
        let Some(operation) = operation else {
            assert!(
                matches!(got.status, 404 | 405),
                "{method} {path} is not described"
            );
            self.must_fit(&json!({"$ref": "#/components/schemas/Problem"}), &got.body);
            return;
        };
        let described = &operation["responses"][got.status.to_string()];
        assert!(
            described.is_object(),
            "{method} {path} never answers {}",
            got.status
        );
        self.must_fit(&described["content"][media]["schema"], &got.body);
        if got.status < 300
            && let Some(sent) = sent
        {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            assert!(schema.is_object(), "{method} {path} takes no body");
            self.must_fit(schema, sent);
        }
        if is_problem {
            assert_eq!(got.body["status"], got.status);
        }
    }

    fn operation(&self, method: &Method, path: &str) -> Option<&Value> {
        let path: Vec<&str> = path.strip_prefix("/api/v1")?.split('/').collect();
        let paths = self.document["paths"].as_object()?;
        let (_, methods) = paths.iter().find(|(template, _)| {
            let template: Vec<&str> = template.split('/').collect();
            template.len() == path.len()
                && template
                    .iter()
                    .zip(&path)
                    .all(|(t, p)| t == p || t.starts_with('{'))
        })?;
        methods.get(method.as_str().to_lowercase())
    }

    /// Fails where a value does not fit a schema of the description.
    pub fn must_fit(&self, schema: &Value, value: &Value) {
        let mut schema = schema.clone();
        schema["components"] = self.document["components"].clone();
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .build(&schema)
            .expect("the description's schemas are schemas");
        let wrong: Vec<String> = validator
            .iter_errors(value)
            .map(|e| format!("{}: {e}", e.instance_path()))
            .collect();
        assert!(wrong.is_empty(), "{wrong:#?}\n{value:#}");
    }

    /// The moment so many days from now.
    pub fn in_days(&self, days: i64) -> String {
        let at = self.shop.clock.now() + Duration::days(days);
        at.to_rfc3339_opts(SecondsFormat::Secs, true)
    }

    /// The date so many days from now.
    pub fn day(&self, days: i64) -> String {
        (self.shop.clock.now() + Duration::days(days))
            .date_naive()
            .to_string()
    }

    /// A campaign's body: pens at 20, 18 from 3 units, 15 from 5; 3 units are wanted.
    pub fn pens(&self) -> Value {
        json!({
            "title": "Titanium pens",
            "description": "Pens that **last**.",
            "currency": "usd",
            "threshold": {"kind": "units", "target": 3},
            "deadline": self.in_days(7),
            "promised_ship_date": self.day(40),
            "stop_loss_date": self.day(80),
            "payment_mode": "charge_now",
            "trigger": "at_deadline",
            "steps": [1, 3, 5],
            "options": [
                {"sku": "raw", "name": "Raw", "prices": [2000, 1800, 1500], "cap": 8},
                {"sku": "black", "name": "Black", "prices": [2200, 2000, 1700], "per_shopper": 2},
            ],
            "supplier_ids": [],
            "shipping": [{"countries": ["US"], "price": 500}, {"countries": ["GB"], "price": 900}],
        })
    }

    /// Makes and publishes a campaign; its slug.
    pub async fn open(&self, body: Value) -> String {
        let made = self.post("/campaigns", body).send().await.expect(201);
        let slug = made["slug"].as_str().expect("a slug").to_owned();
        let path = format!("/campaigns/{slug}/publish");
        let open = self.ask(Method::POST, &path).send().await.expect(200);
        assert_eq!(open["state"], "open");
        slug
    }

    /// Joins without a key.
    pub async fn join(&self, slug: &str, body: Value) -> Got {
        let path = format!("/campaigns/{slug}/orders");
        self.post(&path, body).anonymous().send().await
    }

    /// Joins and pays; the path of the order with its token.
    pub async fn buy(&self, slug: &str, email: &str, sku: &str, quantity: i64) -> String {
        let joined = self
            .join(slug, wish(email, sku, quantity))
            .await
            .expect(201);
        let url = joined["checkout_url"].as_str().expect("a page");
        self.shop.pay(url).await;
        order_path(&joined)
    }
}

/// The path of a joined order.
pub fn order_path(joined: &Value) -> String {
    let text = |name: &str| joined[name].as_str().expect("a text").to_owned();
    format!("/orders/{}?t={}", text("order_id"), text("token"))
}

/// A wish to join.
pub fn wish(email: &str, sku: &str, quantity: i64) -> Value {
    json!({
        "email": email,
        "name": "Ada Lovelace",
        "address": {"line1": "12 St James's Square", "city": "Springfield", "postal_code": "12345", "country": "US"},
        "lines": [{"sku": sku, "quantity": quantity}],
        "delivery": "one_parcel",
    })
}

/// Dollars.
pub fn usd(amount: i64) -> Value {
    json!({"amount": amount, "currency": "usd"})
}
