//! `POST /c/{slug}/orders`: from the form over the exact total to the order (domain section 4).

mod wait;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::cost::{asked, each, line_row, money_table, step_words};
use super::draw::{seller, terms, threshold_words};
use super::form::{Checked, Sent, check};
use super::load::{self, Facts};
use super::{Shop, allow, trouble};
use crate::domain::button::button;
use crate::domain::draft::{DepositUnpaid, PaymentMode};
use crate::domain::price::deposit_of;
use crate::domain::slug::is_valid_slug;
use crate::domain::tariff::{Quote, QuoteLine, quote};
use crate::domain::withdrawal::has_right;
use crate::web::guard::{Client, Limit};
use crate::web::pages::{private, refuse, see_other};
use crate::web::view::{
    Asked, FieldError, JoinInput, MoneyRow, MoneyTable, Problems, ReviewPage, Shell, grouped,
};
use crate::web::{theme, tongue};
use crate::workflows::desk::{Problem, ends_at};
use crate::workflows::join::{JoinRequest, Waits};
use crate::workflows::withdraw;

/// The most bytes of a form.
const MOST_BYTES: usize = 64 * 1024;

/// The body of a form that arrived whole; else the status that says why it is not taken.
pub fn whole(body: Result<web::Bytes, actix_web::Error>) -> Result<web::Bytes, StatusCode> {
    match body {
        Ok(body) if body.len() <= MOST_BYTES => Ok(body),
        Ok(_) => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(e) => Err(e.as_response_error().status_code()),
    }
}

/// What one submit of the form is worked off with.
struct Desk<'a> {
    shop: &'a Shop,
    request: &'a HttpRequest,
    client: Client,
    facts: Facts,
    sent: Sent,
}

/// `POST /c/{slug}/orders`
pub async fn join(
    shop: web::Data<Shop>,
    request: HttpRequest,
    client: Client,
    slug: web::Path<String>,
    body: Result<web::Bytes, actix_web::Error>,
) -> HttpResponse {
    let back = format!("/c/{slug}");
    let shell = Shell::public(theme::of(&request), &back, shop.sandbox());
    let body = match whole(body) {
        Ok(body) => body,
        Err(status) => return refuse(shell, status),
    };
    let facts = match read(&shop, &slug).await {
        Ok(Some(facts)) => facts,
        Ok(None) => return trouble::page(shell, &Problem::NotFound("campaign")),
        Err(e) => return trouble::page(shell, &e),
    };
    let desk = Desk {
        shop: &shop,
        request: &request,
        client,
        facts,
        sent: Sent::read(&body),
    };
    desk.work().await
}

/// `GET /c/{slug}/orders`: a reload or the address bar, after a form; back to it.
pub async fn back(slug: web::Path<String>) -> HttpResponse {
    let slug = slug.into_inner();
    if is_valid_slug(&slug) {
        see_other(&format!("/c/{slug}#join"))
    } else {
        see_other("/")
    }
}

async fn read(shop: &Shop, slug: &str) -> Result<Option<Facts>, Problem> {
    let slug = slug.to_owned();
    shop.office
        .read(move |conn| load::campaign(conn, &slug))
        .await
}

impl Desk<'_> {
    async fn work(mut self) -> HttpResponse {
        let waits = self.sent.step == "wait";
        let placing =
            self.sent.form_key.is_some() && (waits || self.sent.confirmed_total.is_some());
        if self.sent.step == "edit" {
            return self.form(StatusCode::OK, Problems::default()).await;
        }
        // An order that was placed already is found by its form, whatever has become of the campaign since.
        if !placing && !self.facts.sells(self.shop.office.now()) {
            let closed = "This campaign takes no orders now. Nothing was charged.";
            return self.form(StatusCode::CONFLICT, one("", closed)).await;
        }
        let checked = match check(&self.facts, &self.sent.input) {
            Ok(checked) => checked,
            Err(problems) => return self.form(StatusCode::UNPROCESSABLE_ENTITY, problems).await,
        };
        if waits {
            return self.wait(checked, placing).await;
        }
        if !placing || self.sent.step == "review" {
            if let Some(problems) = self.sold_out(&checked) {
                return self.form(StatusCode::CONFLICT, problems).await;
            }
            return self
                .review(&checked, StatusCode::OK, None, Vec::new())
                .await;
        }
        if let Err(too_many) = allow(self.request, Limit::Join, self.client) {
            let said = of_the_whole(
                "Too many orders came from your network in a minute. Nothing was charged. Press the button again later.",
            );
            let status = StatusCode::TOO_MANY_REQUESTS;
            let answer = self.review(&checked, status, None, vec![said]).await;
            return trouble::again_in(answer, too_many.retry_after);
        }
        match self.shop.office.join(self.wish(&checked)).await {
            Ok(placed) => {
                let token = self.shop.office.desk().links.order_token(placed.order.id);
                see_other(&format!("/o/{}/pay?t={token}", placed.order.id))
            }
            Err(problem) => self.refused(checked, problem).await,
        }
    }

    fn wish(&self, checked: &Checked) -> JoinRequest {
        let checked = checked.clone();
        JoinRequest {
            campaign: self.facts.campaign.id,
            named: None,
            email: checked.email,
            name: checked.name,
            address: checked.address,
            lines: checked.lines,
            delivery: checked.delivery,
            agreed_total: self.sent.confirmed_total,
            terms_version: Some(checked.terms_version),
            joined_from: self.client.to_string(),
            // A form's key is its own: none can be made to look like a program's.
            form_key: self.sent.form_key.as_ref().map(|key| format!("form:{key}")),
            limit_step: checked.limit_step,
            buys_missing: false,
            waits: Waits::No,
        }
    }

    /// The order was not placed: the page that says why, with everything typed.
    async fn refused(&mut self, checked: Checked, problem: Problem) -> HttpResponse {
        if let Problem::Busy(why) | Problem::Again(why) = &problem {
            log::warn!("a join was turned away: {why}");
            let said = of_the_whole(
                "The server is busy at the moment. Nothing was charged. Press the button again.",
            );
            let status = StatusCode::SERVICE_UNAVAILABLE;
            return trouble::busy(self.review(&checked, status, None, vec![said]).await);
        }
        // As it is now, which is not as it was when the form was read.
        match read(self.shop, &self.facts.campaign.slug).await {
            Ok(Some(facts)) => self.facts = facts,
            Ok(None) => return trouble::page(self.shell(), &Problem::NotFound("campaign")),
            Err(e) => return trouble::page(self.shell(), &e),
        }
        match problem {
            Problem::Conflict {
                kind: "price-changed",
                ..
            } => {
                let before = self.sent.confirmed_total.map(|t| self.facts.say(t));
                self.review(&checked, StatusCode::CONFLICT, before, Vec::new())
                    .await
            }
            Problem::Conflict { kind, message } => {
                let field = if kind == "campaign-closed" {
                    ""
                } else {
                    "options"
                };
                self.form(StatusCode::CONFLICT, one(field, &message)).await
            }
            Problem::Invalid(errors) => {
                let mut problems = Problems::default();
                for error in errors {
                    problems.add(field_of(&error.field, &checked), error.message);
                }
                self.form(StatusCode::UNPROCESSABLE_ENTITY, problems).await
            }
            other => trouble::page(self.shell(), &other),
        }
    }

    fn shell(&self) -> Shell {
        let back = format!("/c/{}", self.facts.campaign.slug);
        Shell::public(theme::of(self.request), &back, self.shop.sandbox())
    }

    /// What is wrong with the stock, before the total is shown.
    fn sold_out(&self, checked: &Checked) -> Option<Problems> {
        let mut problems = Problems::default();
        for (sku, quantity) in &checked.lines {
            let row = self.facts.options.iter().find(|o| o.sku == *sku)?;
            match self.facts.available(row) {
                Some(0) => problems.add(
                    format!("qty_{sku}"),
                    "Sold out. Units come back when a payment runs out.",
                ),
                Some(left) if left < *quantity => problems.add(
                    format!("qty_{sku}"),
                    format!("There are {} left. Choose fewer.", grouped(left)),
                ),
                _ => {}
            }
        }
        (!problems.is_empty()).then_some(problems)
    }

    /// The campaign's page with the form as it was typed.
    async fn form(&self, status: StatusCode, problems: Problems) -> HttpResponse {
        let typed = (&self.sent.input, problems);
        match self
            .shop
            .campaign_page(&self.facts, self.shell(), typed)
            .await
        {
            Ok(page) => private(status, &page),
            Err(e) => trouble::page(self.shell(), &e),
        }
    }

    /// The exact total, before the button that pays.
    async fn review(
        &self,
        checked: &Checked,
        status: StatusCode,
        changed: Option<String>,
        problems: Vec<FieldError>,
    ) -> HttpResponse {
        let priced = match self.price(checked) {
            Ok(priced) => priced,
            Err((field, why)) => {
                let problems = one(field, &why);
                return self.form(StatusCode::UNPROCESSABLE_ENTITY, problems).await;
            }
        };
        let facts = &self.facts;
        let page = ReviewPage {
            shell: self.shell().of_seller(&facts.merchant.slug),
            title: facts.title_to_join(),
            slug: facts.campaign.slug.clone(),
            money: self.table(checked, &priced),
            total: facts.say(priced.total),
            confirmed_total: priced.total,
            changed,
            asked: self.asked(checked, &priced),
            may_fall: facts.on_sale.is_none() && self.step(checked) + 1 < facts.draft.steps.len(),
            threshold: threshold_words(&facts.draft),
            deadline: facts.moment(ends_at(&facts.campaign)),
            ships_by: facts.ships_by(self.shop.office.now()),
            from_stock: facts.on_sale.is_some(),
            seller: seller(&facts.merchant),
            terms: terms(&facts.merchant),
            button: button(
                checked.address.country,
                tongue::spoken(self.request.headers()),
            ),
            withdrawal: self.withdrawal(checked),
            address: address(checked),
            email: checked.email.clone(),
            one_parcel: checked.delivery == crate::domain::order::Delivery::OneParcel,
            fields: self.sent.input.pairs(),
            form_key: self.sent.form_key.clone().unwrap_or_else(new_key),
            offer: None,
            problems,
        };
        private(status, &page)
    }

    /// What is said of withdrawal before joining (domain section 6a).
    fn withdrawal(&self, checked: &Checked) -> Vec<String> {
        let chosen = self.facts.merchant.withdrawal_everywhere;
        if !has_right(checked.address.country, chosen) {
            return Vec::new();
        }
        let exempt = checked.lines.iter().filter_map(|(sku, _)| {
            let option = self.facts.draft.options.iter().find(|o| o.sku == *sku)?;
            option.made_to_order.then_some(option.name.as_str())
        });
        withdraw::information(&exempt.collect::<Vec<_>>(), checked.lines.len())
    }

    /// The index of the step whose price is shown: of the later of the current one and the one that is waited for.
    fn step(&self, checked: &Checked) -> usize {
        match self.facts.on_sale {
            Some(_) => self.facts.step(),
            None => self.facts.current.max(checked.limit_step.unwrap_or(0)),
        }
    }

    /// What is paid now, and what later.
    fn asked(&self, checked: &Checked, priced: &Quote) -> Asked {
        let draft = &self.facts.draft;
        let mode = match self.facts.on_sale {
            Some(_) => PaymentMode::ChargeNow,
            None => draft.payment_mode,
        };
        let deposit = (mode == PaymentMode::Deposit).then(|| {
            let amount = deposit_of(priced.total, draft.deposit_percent, draft.currency);
            (amount, draft.deposit_unpaid == DepositUnpaid::Kept)
        });
        let total = (priced.total, draft.currency.code());
        asked(mode, total, deposit, || {
            checked.limit_step.and_then(|at| step_words(draft, at))
        })
    }

    /// What the lines cost at the price shown now; else the field at fault and why.
    fn price(&self, checked: &Checked) -> Result<Quote, (&'static str, String)> {
        let draft = &self.facts.draft;
        let step = self.step(checked);
        let lines: Vec<QuoteLine> = checked
            .lines
            .iter()
            .filter_map(|(sku, quantity)| {
                let option = draft.options.iter().find(|o| o.sku == *sku)?;
                Some(QuoteLine {
                    unit_price: option.prices.price_at(step),
                    quantity: *quantity,
                    weight_grams: option.grams(),
                })
            })
            .collect();
        let priced = quote(&lines, checked.address.country, &draft.tariff())
            .map_err(|e| ("options", format!("{e}.")))?;
        let currency = draft.currency;
        if priced.total < currency.min_charge() {
            let least = self.facts.say(currency.min_charge());
            let why = format!("Cards can be charged from {least} on. Choose more.");
            return Err(("options", why));
        }
        if !currency.is_chargeable(priced.total) {
            let most = self.facts.say(currency.max_charge());
            return Err((
                "options",
                format!("One order can be {most} at most. Choose fewer."),
            ));
        }
        Ok(priced)
    }

    fn table(&self, checked: &Checked, priced: &Quote) -> MoneyTable {
        let facts = &self.facts;
        let currency = facts.draft.currency.code();
        let lines = checked.lines.iter().zip(&priced.lines);
        let rows = lines.map(|((sku, _), line)| {
            let option = facts.draft.options.iter().find(|o| o.sku == *sku);
            let name = option.map_or(sku.as_str(), |o| o.name.as_str());
            let row = line_row(name, line, currency);
            let minimum = option
                .filter(|_| facts.on_sale.is_none())
                .and_then(|o| o.minimum);
            let made = minimum.map(|needed| {
                let needed = grouped(needed.into());
                format!(
                    "if fewer than {needed} are ordered it is not made, and its price comes back"
                )
            });
            let notes: Vec<String> = [each(line, currency), made].into_iter().flatten().collect();
            if notes.is_empty() {
                row
            } else {
                row.note(notes.join("; "))
            }
        });
        let tax = facts.draft.tariff().tax_label(checked.address.country);
        let sum = MoneyRow::new("Total", facts.say(priced.total));
        money_table(
            "What it costs",
            rows.collect(),
            (priced, &tax, currency),
            sum,
        )
    }
}

fn address(checked: &Checked) -> Vec<String> {
    let mut lines = vec![checked.name.clone()];
    lines.extend(address_lines(&checked.address));
    lines
}

/// An address, line by line.
pub fn address_lines(address: &crate::workflows::join::Address) -> Vec<String> {
    let place: Vec<&str> = [
        address.postal_code.as_deref(),
        Some(address.city.as_str()),
        address.region.as_deref(),
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut lines = vec![address.line1.clone()];
    lines.extend(address.line2.clone());
    lines.push(place.join(" "));
    lines.push(address.country.name().to_owned());
    lines
}

fn of_the_whole(message: &str) -> FieldError {
    FieldError {
        field: String::new(),
        message: message.to_owned(),
    }
}

fn one(field: &str, message: &str) -> Problems {
    let mut problems = Problems::default();
    problems.add(field, message);
    problems
}

/// A workflow's name of a field as the form spells it.
fn field_of(field: &str, checked: &Checked) -> String {
    if let Some(rest) = field.strip_prefix("lines[") {
        let index = rest.split(']').next().and_then(|i| i.parse::<usize>().ok());
        if let Some((sku, _)) = index.and_then(|i| checked.lines.get(i)) {
            return format!("qty_{sku}");
        }
    }
    match field {
        "lines" => "options",
        other => other.strip_prefix("address.").unwrap_or(other),
    }
    .to_owned()
}

fn new_key() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}

/// The form before anything is typed.
pub fn empty() -> JoinInput {
    JoinInput::default()
}
