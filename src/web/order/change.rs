//! Changing what an order is over: how many of each, the new total, and the way to pay what it costs more.

mod asked;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};

use super::page::Facts;
use super::{Opened, Query, form_of, read, refused, shell};
use crate::domain::button::button;
use crate::domain::country::Country;
use crate::domain::draft::{FieldError, PaymentMode};
use crate::web::pages::{private, see_other};
use crate::web::shop::{quantity, seller, shipping_and_tax, terms, trouble};
use crate::web::tongue::say;
use crate::web::view::{
    ChangePage, ChangeReviewPage, Field, MoneyRow, MoneyTable, Problems, grouped,
};
use crate::workflows::changes::{Came, Choice, Offer, Wish, change, choices, preview, take_back};
use crate::workflows::desk::Problem;
use crate::workflows::office::Office;

/// Puts the routes in.
pub(super) fn configure(config: &mut web::ServiceConfig) {
    config
        .service(
            web::resource("/o/{id}/change")
                .route(web::get().to(ask))
                .route(web::post().to(work)),
        )
        .service(
            web::resource("/o/{id}/change/asked")
                .route(web::get().to(asked::look))
                .route(web::post().to(asked::agree)),
        )
        .service(
            web::resource("/o/{id}/change/back")
                .route(web::get().to(super::due::back))
                .route(web::post().to(drop_it)),
        );
}

/// What a form sent.
#[derive(Debug, Default)]
struct Sent {
    /// Option codes and what was typed for each.
    units: Vec<(String, String)>,
    agreed_total: Option<i64>,
    form_key: Option<String>,
    edits: bool,
}

impl Sent {
    fn read(pairs: &[(String, String)]) -> Self {
        let get = |wanted: &str| {
            let mut found = pairs.iter().filter(|(name, _)| name == wanted);
            found.next().map(|(_, value)| value.as_str())
        };
        let units = pairs.iter().filter_map(|(name, value)| {
            let sku = name.strip_prefix("qty_")?;
            Some((sku.to_owned(), value.clone()))
        });
        let key = get("form_key").filter(|key| key.len() <= 64 && !key.is_empty());
        Self {
            units: units.take(200).collect(),
            agreed_total: get("agreed_total").and_then(|total| total.parse().ok()),
            form_key: key.map(|key| format!("form:{key}")),
            edits: get("step") == Some("edit"),
        }
    }

    /// Quantities by option; what is wrong with them, at its field.
    fn lines(&self) -> Result<Vec<(String, i64)>, Problems> {
        let mut problems = Problems::default();
        let mut lines = Vec::new();
        for (sku, typed) in &self.units {
            match quantity(typed) {
                Ok(n) => lines.push((sku.clone(), n)),
                Err(why) => problems.add(format!("qty_{sku}"), why),
            }
        }
        if problems.is_empty() {
            Ok(lines)
        } else {
            Err(problems)
        }
    }
}

/// One request about a change.
struct Desk<'a> {
    office: &'a Office,
    request: &'a HttpRequest,
    opened: Opened,
}

/// `GET /o/{id}/change?t=`
async fn ask(
    office: web::Data<Office>,
    request: HttpRequest,
    id: web::Path<String>,
    query: Query,
) -> HttpResponse {
    let opened = match Opened::new(&office, &id, query) {
        Ok(opened) => opened,
        Err(e) => return refused(&office, &request, &e),
    };
    let desk = Desk {
        office: &office,
        request: &request,
        opened,
    };
    desk.form(&Sent::default(), Problems::default(), StatusCode::OK)
        .await
}

/// `POST /o/{id}/change?t=`: first the new total, then, with it agreed to, the change.
async fn work(
    office: web::Data<Office>,
    request: HttpRequest,
    id: web::Path<String>,
    query: Query,
    form: web::Form<Vec<(String, String)>>,
) -> HttpResponse {
    let opened = match Opened::new(&office, &id, query) {
        Ok(opened) => opened,
        Err(e) => return refused(&office, &request, &e),
    };
    let desk = Desk {
        office: &office,
        request: &request,
        opened,
    };
    let sent = Sent::read(&form);
    if sent.edits {
        return desk.form(&sent, Problems::default(), StatusCode::OK).await;
    }
    let lines = match sent.lines() {
        Ok(lines) => lines,
        Err(problems) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return desk.form(&sent, problems, status).await;
        }
    };
    if !lines.is_empty() && lines.iter().all(|(_, n)| *n == 0) {
        return see_other(&desk.opened.path("/cancel"));
    }
    match sent.agreed_total {
        None => desk.review(&sent, &lines, None).await,
        Some(agreed) => desk.agree(&sent, lines, agreed).await,
    }
}

/// `POST /o/{id}/change/back?t=`: the shopper takes back a change that is not paid yet.
async fn drop_it(
    office: web::Data<Office>,
    request: HttpRequest,
    id: web::Path<String>,
    query: Query,
) -> HttpResponse {
    let opened = match Opened::new(&office, &id, query) {
        Ok(opened) => opened,
        Err(e) => return refused(&office, &request, &e),
    };
    let id = opened.id;
    match office.write(move |_, tx| take_back(tx, id)).await {
        Ok(()) => see_other(&opened.path("")),
        Err(e) => trouble::page(shell(&office, &request, &opened.path("")), &e),
    }
}

impl Desk<'_> {
    fn trouble(&self, problem: &Problem) -> HttpResponse {
        let back = self.opened.path("");
        trouble::page(shell(self.office, self.request, &back), problem)
    }

    /// The form, as it was typed or as the order is.
    async fn form(&self, sent: &Sent, problems: Problems, status: StatusCode) -> HttpResponse {
        let (id, now) = (self.opened.id, self.office.now());
        let choices = match self.office.read(move |conn| choices(conn, id, now)).await {
            Ok(choices) => choices,
            Err(e) => return self.trouble(&e),
        };
        let facts = match read(self.office, id).await {
            Ok(facts) => facts,
            Err(e) => return self.trouble(&e),
        };
        let units = choices.iter().map(|choice| {
            let typed = sent.units.iter().find(|(sku, _)| *sku == choice.sku);
            let typed = typed.map(|(_, typed)| typed.clone());
            field(choice, typed, &facts.order.currency, &problems)
        });
        let page = ChangePage {
            units: units.collect(),
            units_error: problems.of("lines").map(str::to_owned),
            title: facts.title().to_owned(),
            cancel_href: self.opened.path("/cancel"),
            shell: shell(self.office, self.request, &self.opened.path("/change")),
            form: form_of(&facts, &self.opened, "/change", problems),
        };
        private(status, &page)
    }

    /// The new total, before the button that agrees to it. `before`: what it was when it was last shown.
    async fn review(
        &self,
        sent: &Sent,
        lines: &[(String, i64)],
        before: Option<i64>,
    ) -> HttpResponse {
        let (id, now, wanted) = (self.opened.id, self.office.now(), lines.to_vec());
        let offer = self
            .office
            .read(move |conn| preview(conn, id, &wanted, now))
            .await;
        let offer = match offer {
            Ok(offer) => offer,
            Err(e) => return self.refused(sent, lines, e).await,
        };
        let facts = match read(self.office, id).await {
            Ok(facts) => facts,
            Err(e) => return self.trouble(&e),
        };
        if offer.is_nothing() {
            let mut problems = Problems::default();
            problems.add("lines", "That is what you have already.");
            return self.form(sent, problems, StatusCode::OK).await;
        }
        let status = if before.is_some() {
            StatusCode::CONFLICT
        } else {
            StatusCode::OK
        };
        private(status, &self.review_page(lines, before, &facts, &offer))
    }

    fn review_page(
        &self,
        lines: &[(String, i64)],
        before: Option<i64>,
        facts: &Facts,
        offer: &Offer,
    ) -> ChangeReviewPage {
        let currency = offer.order.currency.as_str();
        let (was, total) = (offer.before.total, offer.wanted.quote.total);
        // A higher price binds to pay it, also where only a card is saved for it.
        let binds = total > was;
        let now = if offer.moved.pay > 0 {
            offer.moved.pay
        } else {
            total
        };
        let fields = lines
            .iter()
            .map(|(sku, n)| (format!("qty_{sku}"), n.to_string()));
        ChangeReviewPage {
            shell: shell(self.office, self.request, &self.opened.path("/change")),
            form: form_of(facts, &self.opened, "/change", Problems::default()),
            title: facts.title().to_owned(),
            headline: match total - was {
                0 => "The same total".to_owned(),
                more if more > 0 => format!("{} more", say(more, currency)),
                less => format!("{} less", say(-less, currency)),
            },
            lines: said(offer),
            money: table(offer),
            fields: fields.collect(),
            agreed_total: total,
            changed: before.map(|before| say(before, currency)),
            seller: seller(facts.seller()),
            terms: terms(facts.seller()),
            button: binds.then(|| (self.words(&offer.order.country), say(now, currency))),
            next: if offer.moved.pay > 0 {
                "You pay by card on the payment provider's page. Until then your order stays as it is."
            } else {
                ""
            },
            edits: true,
        }
    }

    fn words(&self, country: &str) -> crate::domain::button::Words {
        let header = self.request.headers().get(header::ACCEPT_LANGUAGE);
        let text = header.and_then(|value| value.to_str().ok());
        let text = text.unwrap_or_default();
        match Country::parse(country) {
            Some(country) => button(country, text),
            None => crate::domain::button::ENGLISH,
        }
    }

    async fn agree(&self, sent: &Sent, lines: Vec<(String, i64)>, agreed: i64) -> HttpResponse {
        let wish = Wish {
            order: self.opened.id,
            lines: lines.clone(),
            agreed_total: Some(agreed),
            form_key: sent.form_key.clone(),
            by: None,
        };
        let came = self
            .office
            .write(move |desk, tx| change(desk, tx, &wish))
            .await;
        match came {
            Ok(Came::ToPay) => see_other(&self.opened.path("/pay")),
            Ok(Came::Done | Came::Nothing) => {
                see_other(&format!("{}&done=altered", self.opened.path("")))
            }
            Err(Problem::Conflict {
                kind: "price-changed",
                ..
            }) => self.review(sent, &lines, Some(agreed)).await,
            Err(e) => self.refused(sent, &lines, e).await,
        }
    }

    /// What was wished cannot be: the form again, where another wish may help.
    async fn refused(
        &self,
        sent: &Sent,
        lines: &[(String, i64)],
        problem: Problem,
    ) -> HttpResponse {
        let mut problems = Problems::default();
        let status = match &problem {
            Problem::Conflict {
                kind: "sold-out" | "limit-per-shopper",
                message,
            } => {
                problems.add("lines", message.clone());
                StatusCode::CONFLICT
            }
            Problem::Invalid(errors) => {
                for error in errors {
                    problems.add(field_of(error, lines), error.message.clone());
                }
                StatusCode::UNPROCESSABLE_ENTITY
            }
            _ => return self.trouble(&problem),
        };
        self.form(sent, problems, status).await
    }
}

/// The field of an option.
fn field(choice: &Choice, typed: Option<String>, currency: &str, problems: &Problems) -> Field {
    let mut hint = format!("{} each", say(choice.shown, currency));
    if choice.has > 0 {
        hint = if choice.costs == choice.shown {
            format!("you have {}, {hint}", grouped(choice.has))
        } else {
            format!(
                "you have {}, {} each; with more of it, {hint}",
                grouped(choice.has),
                say(choice.costs, currency)
            )
        };
    }
    if let Some(most) = choice.most {
        hint = format!("{hint}; {} at most", grouped(most));
    }
    let mut field = Field::text(format!("qty_{}", choice.sku), choice.name.clone())
        .value(typed.unwrap_or_else(|| choice.has.to_string()))
        .inputmode("numeric")
        .max_length(7)
        .problems(problems);
    field.hint = Some(hint);
    field
}

/// A workflow's name of a field as the form spells it.
fn field_of(error: &FieldError, lines: &[(String, i64)]) -> String {
    let at = error.field.strip_prefix("lines[");
    let at = at.and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
    match at.and_then(|at| lines.get(at)) {
        Some((sku, _)) => format!("qty_{sku}"),
        None => "lines".to_owned(),
    }
}

/// What happens to the money.
fn said(offer: &Offer) -> Vec<String> {
    let currency = offer.order.currency.as_str();
    let say = |amount| say(amount, currency);
    let (was, total) = (offer.before.total, offer.wanted.quote.total);
    let mut lines = vec![format!(
        "Your order costs {} now, and {} after the change, shipping and tax included.",
        say(was),
        say(total)
    )];
    let moved = offer.moved;
    let deposit = offer.order.mode == PaymentMode::Deposit;
    if moved.pay > 0 {
        let what = if deposit {
            "The deposit rises with it: "
        } else {
            ""
        };
        lines.push(format!(
            "{what}{} is charged once you pay on the next page. If you do not pay there, the order stays as it is.",
            say(moved.pay)
        ));
    } else if moved.back > 0 {
        lines.push(format!(
            "{} goes back to the card you paid with, at once. Banks take some days to show it.",
            say(moved.back)
        ));
    }
    match offer.order.mode {
        PaymentMode::ChargeOnSuccess => lines.push(format!(
            "Nothing is charged now. At most {} is charged to your saved card, and only if it comes together.",
            say(moved.owed)
        )),
        PaymentMode::Deposit if moved.owed > 0 => lines.push(format!(
            "{} at most is left to pay when the goods arrive.",
            say(moved.owed)
        )),
        PaymentMode::ChargeNow | PaymentMode::Deposit => {}
    }
    lines
}

/// The lines after the change.
fn table(offer: &Offer) -> MoneyTable {
    let currency = offer.order.currency.as_str();
    let wanted = &offer.wanted;
    let lines = wanted.lines.iter().zip(&wanted.quote.lines);
    let mut rows: Vec<MoneyRow> = lines
        .map(|(line, priced)| {
            let label = format!("{} \u{d7} {}", grouped(priced.quantity), line.name);
            let row = MoneyRow::new(label, say(priced.goods, currency));
            if priced.quantity > 1 {
                row.note(format!("{} each", say(priced.unit_price, currency)))
            } else {
                row
            }
        })
        .collect();
    let tax = wanted.tax_label(&offer.order.country);
    rows.extend(shipping_and_tax(&wanted.quote, &tax, |amount| {
        say(amount, currency)
    }));
    let mut sum = MoneyRow::new("New total", say(wanted.quote.total, currency));
    if wanted.quote.tax_included > 0 {
        let included = say(wanted.quote.tax_included, currency);
        sum = sum.note(format!("{included} {tax} included"));
    }
    let mut movements = vec![MoneyRow::new("Before", say(offer.before.total, currency))];
    if offer.moved.pay > 0 {
        movements.push(MoneyRow::new("To pay now", say(offer.moved.pay, currency)));
    }
    if offer.moved.back > 0 {
        let back = format!("\u{2212}{}", say(offer.moved.back, currency));
        movements.push(MoneyRow::new("Goes back to you", back));
    }
    MoneyTable {
        caption: "What it costs after the change".to_owned(),
        rows,
        sum,
        movements,
    }
}
