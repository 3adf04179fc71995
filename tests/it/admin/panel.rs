//! A person of the staff with a browser that keeps its cookie.

use std::cell::RefCell;

use muster::domain::staff::Role;
use muster::workflows::accounts::{PasswordHash, add_staff};
use muster::workflows::desk::Problem;
use reqwest::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};

use crate::support::shop::Shop;

pub const PASSWORD: &str = "unrelated words";

pub struct Panel<'a> {
    pub shop: &'a Shop,
    cookie: RefCell<String>,
}

/// What the server answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub location: String,
    pub body: String,
}

impl Answer {
    #[track_caller]
    pub fn says(&self, words: &str) -> &Self {
        assert!(
            self.body.contains(words),
            "{words:?} is not on the page ({}): {}",
            self.status,
            self.body
        );
        self
    }

    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{} {}", self.location, self.body);
        self
    }

    #[track_caller]
    pub fn leads_to(&self, path: &str) -> &Self {
        assert_eq!(
            (self.status, self.location.as_str()),
            (303, path),
            "{}",
            self.body
        );
        self
    }
}

/// Lets somebody work for a merchant.
pub async fn hire(shop: &Shop, merchant: &str, email: &str, role: Role) {
    let hash = PasswordHash::make(PASSWORD).unwrap();
    let (merchant, email) = (merchant.to_owned(), email.to_owned());
    shop.running
        .app
        .office
        .write(move |_, tx| -> Result<(), Problem> {
            add_staff(tx, &merchant, &email, role, &hash).map(|_| ())
        })
        .await
        .unwrap();
}

impl<'a> Panel<'a> {
    /// A browser nobody is logged in with.
    pub fn stranger(shop: &'a Shop) -> Self {
        Self {
            shop,
            cookie: RefCell::default(),
        }
    }

    /// Hires somebody for the shop's merchant and logs in.
    pub async fn of(shop: &'a Shop, role: Role) -> Self {
        let email = format!("{role}@fern.example");
        hire(shop, "Fern & Kiln", &email, role).await;
        let panel = Self::stranger(shop);
        panel.log_in(&email, PASSWORD).await.leads_to("/admin");
        panel
    }

    pub async fn log_in(&self, email: &str, password: &str) -> Answer {
        self.post("/admin/login", &[("email", email), ("password", password)])
            .await
    }

    pub fn cookie(&self) -> String {
        self.cookie.borrow().clone()
    }

    pub fn take_cookie(&self, cookie: String) {
        self.cookie.replace(cookie);
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(self.shop.http.get(self.shop.url(path))).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(self.shop.http.post(self.shop.url(path)).form(form))
            .await
    }

    /// Uploads a file with its description.
    pub async fn upload(&self, path: &str, alt: &str, file: &[u8]) -> Answer {
        let mut body = format!(
            "--cut\r\nContent-Disposition: form-data; name=\"alt\"\r\n\r\n{alt}\r\n--cut\r\nContent-Disposition: \
             form-data; name=\"file\"; filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n"
        )
        .into_bytes();
        body.extend_from_slice(file);
        body.extend_from_slice(b"\r\n--cut--\r\n");
        let request = self
            .shop
            .http
            .post(self.shop.url(path))
            .header(CONTENT_TYPE, "multipart/form-data; boundary=cut")
            .body(body);
        self.send(request).await
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        let cookie = self.cookie();
        let request = if cookie.is_empty() {
            request
        } else {
            request.header(COOKIE, cookie)
        };
        let response = request.send().await.unwrap();
        let head = response.headers().clone();
        for set in head.get_all(SET_COOKIE) {
            let set = set.to_str().unwrap();
            assert!(
                set.contains("HttpOnly") && set.contains("SameSite=Lax"),
                "{set}"
            );
            let pair = set.split(';').next().unwrap_or_default();
            self.cookie.replace(pair.to_owned());
        }
        let location = head.get(LOCATION).and_then(|l| l.to_str().ok());
        Answer {
            status: response.status().as_u16(),
            location: location.unwrap_or_default().to_owned(),
            body: response.text().await.unwrap(),
        }
    }
}
