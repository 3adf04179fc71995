//! A stand-in for the provider: remembers what it was asked and answers what it was told to.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::Value;

use crate::stripe::{StripeConfig, StripeProvider};

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Asked {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub form: BTreeMap<String, String>,
    pub body: String,
    pub key: Option<String>,
    pub authorization: String,
    pub version: String,
}

/// What to do with a request.
enum Answer {
    With(u16, String),
    Never,
}

#[derive(Default)]
struct Books {
    asked: Mutex<Vec<Asked>>,
    answers: Mutex<VecDeque<Answer>>,
}

pub struct Fake {
    books: Arc<Books>,
    address: String,
    handle: ServerHandle,
}

impl Fake {
    pub fn start() -> Self {
        let books = Arc::new(Books::default());
        let shared = Arc::clone(&books);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::from(Arc::clone(&shared)))
                .default_service(web::to(take))
        })
        .workers(1)
        .shutdown_timeout(0)
        .disable_signals()
        .bind(("127.0.0.1", 0))
        .unwrap();
        let address = format!("http://{}/sandbox/stripe", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        Self {
            books,
            address,
            handle,
        }
    }

    pub fn answers(&self, status: u16, body: Value) -> &Self {
        self.answers_text(status, &body.to_string())
    }

    pub fn answers_text(&self, status: u16, body: &str) -> &Self {
        let answer = Answer::With(status, body.to_owned());
        self.books.answers.lock().unwrap().push_back(answer);
        self
    }

    pub fn never_answers(&self) -> &Self {
        self.books.answers.lock().unwrap().push_back(Answer::Never);
        self
    }

    pub fn provider(&self) -> StripeProvider {
        self.provider_within(Duration::from_secs(20))
    }

    pub fn provider_within(&self, timeout: Duration) -> StripeProvider {
        StripeProvider::new(StripeConfig {
            secret_key: "sk_test_fake".to_owned(),
            api_base: Some(self.address.clone()),
            timeout,
            calls_per_second: None,
        })
        .unwrap()
    }

    /// All it was asked.
    pub fn asked(&self) -> Vec<Asked> {
        self.books.asked.lock().unwrap().clone()
    }

    /// The one request it got.
    pub fn only(&self) -> Asked {
        let mut asked = self.asked();
        assert_eq!(asked.len(), 1, "{asked:?}");
        asked.remove(0)
    }

    pub async fn stop(self) {
        self.handle.stop(false).await;
    }
}

fn pairs(text: &str) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(text.as_bytes())
        .into_owned()
        .collect()
}

async fn take(request: HttpRequest, body: String, books: web::Data<Books>) -> HttpResponse {
    let header = |name: &str| {
        let value = request.headers().get(name)?;
        Some(value.to_str().unwrap().to_owned())
    };
    books.asked.lock().unwrap().push(Asked {
        method: request.method().to_string(),
        path: request.path().to_owned(),
        query: pairs(request.query_string()),
        form: pairs(&body),
        body,
        key: header("idempotency-key"),
        authorization: header("authorization").unwrap_or_default(),
        version: header("stripe-version").unwrap_or_default(),
    });
    let answer = books.answers.lock().unwrap().pop_front();
    match answer.expect("an answer for each request") {
        Answer::With(status, body) => {
            HttpResponse::build(StatusCode::from_u16(status).unwrap()).body(body)
        }
        Answer::Never => std::future::pending().await,
    }
}
