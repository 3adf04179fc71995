//! Staff give something back: units that will not be shipped, or an amount. What goes back is shown before it acts.

use actix_web::{HttpResponse, web};

use super::form::{FormPage, Line, Pairs, Section, Typed, problems_of};
use super::guard::{Refusal, Staff};
use super::kit::{fact, id};
use crate::domain::draft::FieldError;
use crate::domain::ids::OrderId;
use crate::domain::money::parse_decimal;
use crate::domain::payment::DisputeState;
use crate::store::refunds;
use crate::web::view::{Field, Link, Problems};
use crate::workflows::claims::{Case, read};
use crate::workflows::desk::{Problem, order_number};
use crate::workflows::forms::is_first;
use crate::workflows::give_back::{MAX_REASON, Request, What, give_back, preview};
use crate::workflows::money::{currency, say};

/// Mounts it.
pub fn configure(cfg: &mut web::ServiceConfig) {
    cfg.route("/orders/{id}/refund", web::get().to(ask))
        .route("/orders/{id}/refund", web::post().to(act));
}

async fn case_of(staff: &Staff, path: &str) -> Result<(Case, bool), Refusal> {
    staff.manages()?;
    let (merchant, order) = (staff.merchant.id, id::<OrderId>(path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let case = read(conn, order)?;
        if case.order.merchant_id != merchant {
            return Err(Problem::NotFound("order"));
        }
        let disputes = refunds::disputes_of(conn, order)?;
        let open = disputes.iter().any(|d| d.state == DisputeState::Open);
        Ok((case, open))
    });
    Ok(found.await?)
}

fn frame(staff: &Staff, case: &Case, title: String) -> FormPage {
    let href = format!("/admin/orders/{}", case.order.id);
    let mut page = FormPage::new(staff.shell("orders"), title, format!("{href}/refund"));
    page.crumbs = vec![
        Link::new("/admin/orders", "Orders"),
        Link::new(&href, order_number(case.order.number)),
    ];
    page.back = Some(Link::new(href, "Leave it as it is"));
    let money = |amount| say(amount, &case.order.currency);
    page.facts = vec![
        fact("Shopper", case.order.name.clone()),
        fact("Charged", money(case.order.charged)),
        fact("Kept", money(case.order.money().kept())),
    ];
    page
}

fn draw(staff: &Staff, case: &Case, open: bool, typed: &Typed, problems: Problems) -> HttpResponse {
    let number = order_number(case.order.number);
    let mut page = frame(staff, case, format!("Refund a part of order {number}"));
    page.lead = vec![
        "Either units that will not be shipped, which leave the order at their price, or an amount out of goodwill for an \
         order that stays as it is. The next page shows what goes back; nothing is sent before."
            .into(),
    ];
    if open {
        page.lead.push(
            "The cardholder disputes this payment: what goes back is written down and waits until the bank has decided."
                .into(),
        );
    }
    let mut units = Vec::new();
    for line in &case.lines {
        let most = line.units().unshipped();
        if most > 0 {
            let name = format!("qty_{}", line.sku);
            let value = typed.get(&name).to_owned();
            let field = Field::input("number", name, case.name_of(line.option_id))
                .hint(format!("0 to {most}: not handed over yet."))
                .range(Some("0".into()), Some(most.to_string()))
                .optional()
                .value(value)
                .problems(&problems);
            units.push(Line::from(field));
        }
    }
    if units.is_empty() {
        units.push(Line::Text(
            "Everything was handed over. What is wrong with it is a claim.".into(),
        ));
    }
    page.sections = vec![
        Section::new("Units that will not be shipped", units),
        Section::new(
            "Or an amount",
            vec![
                Field::text("amount", "Amount")
                    .hint("Such as 12.50.")
                    .inputmode("decimal")
                    .optional()
                    .value(typed.get("amount"))
                    .problems(&problems)
                    .into(),
            ],
        ),
        reason_section(typed, &problems),
    ];
    page.submit = "Show what goes back".to_owned();
    page.problems = problems;
    page.answer()
}

fn reason_section(typed: &Typed, problems: &Problems) -> Section {
    Section::new(
        "Why",
        vec![
            Field::area("reason", "Reason", 4)
                .hint("The shopper reads it in the mail.")
                .max_length(u32::try_from(MAX_REASON).unwrap_or(500))
                .value(typed.get("reason"))
                .problems(problems)
                .into(),
        ],
    )
}

/// `GET /admin/orders/{id}/refund`
pub async fn ask(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let (case, open) = case_of(&staff, &path).await?;
    if !case.order.state.is_paid() {
        let say = "This order is not paid, or is closed: there is nothing to give back.";
        return Err(Problem::conflict("wrong-state", say).into());
    }
    Ok(draw(
        &staff,
        &case,
        open,
        &Typed::default(),
        Problems::default(),
    ))
}

/// What was asked for; else what is wrong with it, at the form's fields.
fn asked(case: &Case, typed: &Typed) -> Result<What, Problem> {
    let mut lines = Vec::new();
    for line in &case.lines {
        let text = typed.get(&format!("qty_{}", line.sku)).trim();
        if !matches!(text, "" | "0") {
            lines.push((line.sku.clone(), text.parse().unwrap_or(-1)));
        }
    }
    match (lines.is_empty(), typed.some("amount")) {
        (true, None) => Err(Problem::field(
            "amount",
            "write how many units, or an amount",
        )),
        (false, Some(_)) => Err(Problem::field(
            "amount",
            "write either units or an amount, not both",
        )),
        (false, None) => Ok(What::Lines(lines)),
        (true, Some(text)) => parse_decimal(text, currency(&case.order.currency)?)
            .map(What::Amount)
            .map_err(|e| Problem::field("amount", e.to_string())),
    }
}

fn at_fields(errors: &[FieldError], what: Option<&What>) -> Problems {
    let own: Vec<FieldError> = errors
        .iter()
        .map(|e| {
            let index = e.field.strip_prefix("lines[").and_then(|rest| {
                let at: usize = rest.split(']').next()?.parse().ok()?;
                match what? {
                    What::Lines(lines) => lines.get(at).map(|(sku, _)| sku.clone()),
                    What::Amount(_) => None,
                }
            });
            match index {
                Some(sku) => FieldError::new(format!("qty_{sku}"), &e.message),
                None => e.clone(),
            }
        })
        .collect();
    problems_of(&own)
}

/// The amount, before the button that gives it back.
fn shown(
    staff: &Staff,
    case: &Case,
    typed: &Typed,
    what: &What,
    back: i64,
    open: bool,
) -> HttpResponse {
    let number = order_number(case.order.number);
    let amount = say(back, &case.order.currency);
    let mut page = frame(staff, case, format!("{amount} goes back"));
    page.facts.push(fact("Goes back", amount.clone()));
    page.facts.push(fact(
        "Kept then",
        say(case.order.money().kept() - back, &case.order.currency),
    ));
    page.lead = vec![match what {
        What::Lines(_) => format!("These units leave order {number}. This can't be undone."),
        What::Amount(_) => format!("Order {number} stays as it is. This can't be undone."),
    }];
    if open {
        page.lead
            .push("An open dispute holds it: won, it goes out; lost, it is dropped.".into());
    }
    let mut hidden: Vec<Line> = case
        .lines
        .iter()
        .map(|l| format!("qty_{}", l.sku))
        .chain(["amount", "reason"].map(str::to_owned))
        .map(|name| {
            let value = typed.get(&name).to_owned();
            Line::Hidden(name, value)
        })
        .collect();
    hidden.push(Line::Hidden("shown".into(), back.to_string()));
    hidden.push(Line::Hidden(
        "form_key".into(),
        crate::web::order::new_key(),
    ));
    hidden.push(Line::Text(format!("The reason: {}", typed.get("reason"))));
    page.sections = vec![Section::new("Sure?", hidden)];
    page.submit = format!("Refund {amount}");
    page.risk = true;
    page.answer()
}

/// `POST /admin/orders/{id}/refund`
pub async fn act(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    let (case, open) = case_of(&staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    let what = asked(&case, &typed);
    let known = what.as_ref().ok().cloned();
    let fields = |errors: &[FieldError]| at_fields(errors, known.as_ref());
    let href = format!("/admin/orders/{}", case.order.id);
    let (Some(key), Ok(before)) = (typed.some("form_key"), typed.get("shown").parse::<i64>())
    else {
        // Everything that is wrong at once.
        let looked = what.and_then(|what| Ok((preview(&case, &what, open)?, what)));
        let mut errors = Vec::new();
        if typed.get("reason").trim().is_empty() {
            errors.push(FieldError::new(
                "reason",
                "write the reason; the shopper reads it",
            ));
        }
        return match looked {
            Ok((back, what)) if errors.is_empty() => {
                Ok(shown(&staff, &case, &typed, &what, back, open))
            }
            Ok(_) => Ok(draw(&staff, &case, open, &typed, fields(&errors))),
            Err(Problem::Invalid(mut wrong)) => {
                wrong.extend(errors);
                Ok(draw(&staff, &case, open, &typed, fields(&wrong)))
            }
            Err(other) => Err(other.into()),
        };
    };
    let request = Request {
        merchant: staff.merchant.id,
        order: case.order.id,
        what: what?,
        reason: typed.get("reason").to_owned(),
        shown: Some(before),
        person: staff.name(),
        once: Some(key.to_owned()),
    };
    let (form, key) = (format!("refund:{}", case.order.id), key.to_owned());
    let done = staff
        .office
        .write(move |desk, tx| -> Result<(), Problem> {
            if is_first(tx, &form, &key)? {
                give_back(desk, tx, &request)?;
            }
            Ok(())
        })
        .await;
    match done {
        Ok(()) => staff.done("It is written down; the money is on its way.", &href),
        Err(Problem::Invalid(errors)) => Ok(draw(&staff, &case, open, &typed, fields(&errors))),
        Err(other) => Err(other.into()),
    }
}
