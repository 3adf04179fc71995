//! The shopper's and the supplier's pages, as a browser without script asks for them.

mod joining;
mod orders;
mod pages;
mod supplier;

use muster::domain::ids::OrderId;
use muster::store::campaigns::CampaignRow;
use muster::store::orders::{OrderFilter, OrderRow};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use crate::support::shop::Shop;

/// A browser: it does not follow redirects, so that a test sees them.
pub struct Visitor<'a> {
    shop: &'a Shop,
    http: Client,
}

/// An answer, read.
pub struct Seen {
    pub status: u16,
    pub to: Option<String>,
    pub headers: reqwest::header::HeaderMap,
    pub html: String,
}

impl Seen {
    async fn of(answer: Response) -> Seen {
        Seen {
            status: answer.status().as_u16(),
            to: answer
                .headers()
                .get("location")
                .map(|to| to.to_str().unwrap().to_owned()),
            headers: answer.headers().clone(),
            html: answer.text().await.unwrap(),
        }
    }

    pub fn says(&self, words: &str) -> &Seen {
        assert!(
            self.html.contains(words),
            "{words:?} is not in\n{}",
            self.html
        );
        self
    }

    pub fn is(&self, status: u16) -> &Seen {
        assert_eq!(self.status, status, "{}", self.html);
        self
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let at = self
            .html
            .find(&mark)
            .unwrap_or_else(|| panic!("no {name} in {}", self.html));
        let rest = &self.html[at + mark.len()..];
        rest[..rest.find('"').unwrap()].to_owned()
    }
}

impl<'a> Visitor<'a> {
    pub fn of(shop: &'a Shop) -> Self {
        let http = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { shop, http }
    }

    pub async fn get(&self, path: &str) -> Seen {
        self.get_with(path, &[]).await
    }

    pub async fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Seen {
        let mut ask = self.http.get(self.shop.url(path));
        for (name, value) in headers {
            ask = ask.header(*name, *value);
        }
        Seen::of(ask.send().await.unwrap()).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Seen {
        let ask = self.http.post(self.shop.url(path)).form(form);
        Seen::of(ask.send().await.unwrap()).await
    }

    /// Sends the join form.
    pub async fn fill_in(&self, campaign: &CampaignRow, form: &[(&str, &str)]) -> Seen {
        let path = format!("/c/{}/orders", campaign.slug);
        self.post(&path, form).await
    }

    /// Fills in the form, sees the total, and presses the button that pays.
    pub async fn join(&self, campaign: &CampaignRow, email: &str, quantity: &str) -> OrderRow {
        let form = typed(email, quantity);
        let review = self.fill_in(campaign, &form).await;
        review.is(200);
        let placed = self.pay(campaign, &form, &review).await;
        placed.is(303);
        let to = placed.to.unwrap();
        let id = to.strip_prefix("/o/").unwrap().split('/').next().unwrap();
        self.shop.order(id.parse::<OrderId>().unwrap()).await
    }

    /// Presses the button of a review.
    pub async fn pay(&self, campaign: &CampaignRow, form: &[(&str, &str)], review: &Seen) -> Seen {
        let (total, key) = (review.hidden("confirmed_total"), review.hidden("form_key"));
        let mut form = form.to_vec();
        form.retain(|(name, _)| *name != "step");
        form.extend([
            ("confirmed_total", total.as_str()),
            ("form_key", key.as_str()),
            ("step", "pay"),
        ]);
        self.fill_in(campaign, &form).await
    }

    /// An order's page, with its token.
    pub fn path_of(&self, order: &OrderRow, below: &str) -> String {
        let links = &self.shop.running.app.office.desk().links;
        format!("/o/{}{below}?t={}", order.id, links.order_token(order.id))
    }

    /// All orders of a campaign.
    pub async fn orders_of(&self, campaign: &CampaignRow) -> Vec<OrderRow> {
        let (merchant, campaign) = (self.shop.merchant, campaign.id);
        let filter = OrderFilter {
            campaign: Some(campaign),
            ..OrderFilter::default()
        };
        self.shop
            .read(move |c| muster::store::orders::list(c, merchant, &filter, 100))
            .await
    }
}

/// A form in which nothing is wrong.
pub fn typed<'a>(email: &'a str, quantity: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("qty_set", quantity),
        ("email", email),
        ("name", "Ada Byron"),
        ("line1", "1 Mill Lane"),
        ("line2", ""),
        ("city", "Bath"),
        ("region", ""),
        ("postal_code", "BA1 1AA"),
        ("country", "GB"),
        ("delivery", "one_parcel"),
        ("terms", "1"),
        ("step", "review"),
    ]
}

/// The form with another value in one field.
pub fn but<'a>(
    mut form: Vec<(&'a str, &'a str)>,
    field: &str,
    value: &'a str,
) -> Vec<(&'a str, &'a str)> {
    for (name, v) in &mut form {
        if *name == field {
            *v = value;
        }
    }
    form
}
