//! Changing what an order is over: how many of each, the new total, and the way to pay what it costs more.

mod asked;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};

use super::Opened;
use super::page::Facts;
use crate::domain::country::Country;
use crate::domain::draft::{FieldError, PaymentMode};
use crate::web::pages::{private, see_other};
use crate::web::shop::{line_row_with_price, money_table, quantity, seller, terms};
use crate::web::tongue::say;
use crate::web::view::{
    ChangePage, ChangeReviewPage, Field, MoneyRow, MoneyTable, Problems, grouped,
};
use crate::workflows::changes::{Came, Choice, Offer, Wish, change, choices, preview, take_back};
use crate::workflows::desk::Problem;

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
                .route(web::get().to(super::back))
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

/// `GET /o/{id}/change?t=`
async fn ask(opened: Opened) -> HttpResponse {
    show_form(
        &opened,
        &Sent::default(),
        Problems::default(),
        StatusCode::OK,
    )
    .await
}

/// `POST /o/{id}/change?t=`: first the new total, then, with it agreed to, the change.
async fn work(opened: Opened, form: web::Form<Vec<(String, String)>>) -> HttpResponse {
    let sent = Sent::read(&form);
    if sent.edits {
        return show_form(&opened, &sent, Problems::default(), StatusCode::OK).await;
    }
    let lines = match sent.lines() {
        Ok(lines) => lines,
        Err(problems) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            return show_form(&opened, &sent, problems, status).await;
        }
    };
    if !lines.is_empty() && lines.iter().all(|(_, n)| *n == 0) {
        return see_other(&opened.path("/cancel"));
    }
    match sent.agreed_total {
        None => review(&opened, &sent, &lines, None).await,
        Some(agreed) => agree(&opened, &sent, lines, agreed).await,
    }
}

/// `POST /o/{id}/change/back?t=`: the shopper takes back a change that is not paid yet.
async fn drop_it(opened: Opened) -> HttpResponse {
    let id = opened.id;
    match opened.office.write(move |_, tx| take_back(tx, id)).await {
        Ok(()) => see_other(&opened.path("")),
        Err(e) => opened.trouble(&e),
    }
}

/// The form, as it was typed or as the order is.
async fn show_form(
    opened: &Opened,
    sent: &Sent,
    problems: Problems,
    status: StatusCode,
) -> HttpResponse {
    let (id, now) = (opened.id, opened.office.now());
    let choices = match opened.office.read(move |conn| choices(conn, id, now)).await {
        Ok(choices) => choices,
        Err(e) => return opened.trouble(&e),
    };
    let facts = match opened.read().await {
        Ok(facts) => facts,
        Err(e) => return opened.trouble(&e),
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
        cancel_href: opened.path("/cancel"),
        shell: opened.shell("/change"),
        form: opened.form(&facts, "/change", problems),
    };
    private(status, &page)
}

/// The new total, before the button that agrees to it. `before`: what it was when it was last shown.
async fn review(
    opened: &Opened,
    sent: &Sent,
    lines: &[(String, i64)],
    before: Option<i64>,
) -> HttpResponse {
    let (id, now, wanted) = (opened.id, opened.office.now(), lines.to_vec());
    let offer = opened
        .office
        .read(move |conn| preview(conn, id, &wanted, now))
        .await;
    let offer = match offer {
        Ok(offer) => offer,
        Err(e) => return form_again(opened, sent, lines, e).await,
    };
    let facts = match opened.read().await {
        Ok(facts) => facts,
        Err(e) => return opened.trouble(&e),
    };
    if offer.is_nothing() {
        let mut problems = Problems::default();
        problems.add("lines", "That is what you have already.");
        return show_form(opened, sent, problems, StatusCode::OK).await;
    }
    let status = if before.is_some() {
        StatusCode::CONFLICT
    } else {
        StatusCode::OK
    };
    private(status, &review_page(opened, lines, before, &facts, &offer))
}

fn review_page(
    opened: &Opened,
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
        shell: opened.shell("/change"),
        form: opened.form(facts, "/change", Problems::default()),
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
        button: binds.then(|| {
            (
                opened.button_words(Country::parse(&offer.order.country)),
                say(now, currency),
            )
        }),
        next: if offer.moved.pay > 0 {
            "You pay by card on the payment provider's page. Until then your order stays as it is."
        } else {
            ""
        },
        edits: true,
    }
}

async fn agree(
    opened: &Opened,
    sent: &Sent,
    lines: Vec<(String, i64)>,
    agreed: i64,
) -> HttpResponse {
    let wish = Wish {
        order: opened.id,
        lines: lines.clone(),
        agreed_total: Some(agreed),
        form_key: sent.form_key.clone(),
        by: None,
    };
    let came = opened
        .office
        .write(move |desk, tx| change(desk, tx, &wish))
        .await;
    match came {
        Ok(Came::ToPay) => see_other(&opened.path("/pay")),
        Ok(Came::Done | Came::Nothing) => see_other(&format!("{}&done=altered", opened.path(""))),
        Err(Problem::Conflict {
            kind: "price-changed",
            ..
        }) => review(opened, sent, &lines, Some(agreed)).await,
        Err(e) => form_again(opened, sent, &lines, e).await,
    }
}

/// What was wished cannot be: the form again, where another wish may help.
async fn form_again(
    opened: &Opened,
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
        _ => return opened.trouble(&problem),
    };
    show_form(opened, sent, problems, status).await
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
    if !offer.entering.is_empty() {
        lines.push(
            "Should fewer arrive than were ordered, what you add comes after the orders that were paid before it."
                .to_owned(),
        );
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
    let rows = lines.map(|(line, priced)| line_row_with_price(&line.name, priced, currency));
    let mut movements = vec![MoneyRow::new("Before", say(offer.before.total, currency))];
    if offer.moved.pay > 0 {
        movements.push(MoneyRow::new("To pay now", say(offer.moved.pay, currency)));
    }
    if offer.moved.back > 0 {
        let back = format!("\u{2212}{}", say(offer.moved.back, currency));
        movements.push(MoneyRow::new("Goes back to you", back));
    }
    let caption = "What it costs after the change";
    let quote = &wanted.quote;
    let tax = wanted.tax_label(&offer.order.country);
    let sum = MoneyRow::new("New total", say(quote.total, currency));
    MoneyTable {
        movements,
        ..money_table(caption, rows.collect(), (quote, &tax, currency), sum)
    }
}
