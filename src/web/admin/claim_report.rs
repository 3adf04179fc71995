//! Staff write down that something is wrong with what was handed over.

use actix_web::{HttpResponse, web};

use super::form::{FormPage, Line, Pairs, Section, Typed};
use super::guard::{Refusal, Staff};
use super::kit::id;
use crate::domain::claim::{ClaimKind, MAX_TEXT};
use crate::domain::draft::FieldError;
use crate::domain::ids::OrderId;
use crate::web::view::{Choice, Field, Link, Problems};
use crate::workflows::claims::{Case, Report, Who, report};
use crate::workflows::desk::{Problem, order_number};
use crate::workflows::forms::is_first;

async fn case_of(staff: &Staff, path: &str) -> Result<Case, Refusal> {
    staff.manages()?;
    let (merchant, order) = (staff.merchant.id, id::<OrderId>(path)?);
    let found = staff.office.read(move |conn| -> Result<_, Problem> {
        let case = crate::workflows::claims::read(conn, order)?;
        if case.order.merchant_id == merchant {
            Ok(case)
        } else {
            Err(Problem::NotFound("order"))
        }
    });
    Ok(found.await?)
}

fn new_page(staff: &Staff, case: &Case, typed: &Typed, problems: Problems) -> HttpResponse {
    let href = format!("/admin/orders/{}", case.order.id);
    let number = order_number(case.order.number);
    let mut page = FormPage::new(
        staff.shell("orders"),
        format!("Something is wrong with order {number}"),
        format!("{href}/claims/new"),
    );
    page.crumbs = vec![
        Link::new("/admin/orders", "Orders"),
        Link::new(&href, &number),
    ];
    page.back = Some(Link::new(href, "Leave it"));
    page.lead = vec!["The shopper is told by mail that it is written down.".into()];
    let kinds = [
        (ClaimKind::Lost, "It never arrived"),
        (ClaimKind::Damaged, "It arrived damaged"),
        (ClaimKind::Wrong, "It is not what was ordered"),
        (ClaimKind::Returned, "It goes back, or came back"),
        (ClaimKind::Refused, "It was not accepted at the door"),
    ];
    let kinds = kinds.map(|(kind, label)| Choice::new(kind.as_str(), label));
    let mut lines: Vec<Line> = vec![
        Field::select("kind", "What", kinds.to_vec())
            .value(typed.get("kind"))
            .problems(&problems)
            .into(),
    ];
    for line in &case.lines {
        let most = case.claimable(line);
        if most > 0 {
            let name = format!("qty_{}", line.sku);
            let value = typed.get(&name).to_owned();
            let field = Field::input("number", name, case.name_of(line.option_id))
                .hint(format!("0 to {most}"))
                .range(Some("0".into()), Some(most.to_string()))
                .optional()
                .value(value)
                .problems(&problems);
            lines.push(field.into());
        }
    }
    lines.push(
        Field::area("text", "What is known", 4)
            .max_length(u32::try_from(MAX_TEXT).unwrap_or(2000))
            .optional()
            .value(typed.get("text"))
            .problems(&problems)
            .into(),
    );
    lines.push(Line::Hidden(
        "form_key".into(),
        crate::web::order::new_key(),
    ));
    page.sections = vec![Section::new("The matter", lines)];
    page.submit = "Write it down".to_owned();
    page.problems = problems;
    page.answer()
}

/// `GET /admin/orders/{id}/claims/new`
pub async fn new(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    let case = case_of(&staff, &path).await?;
    Ok(new_page(
        &staff,
        &case,
        &Typed::default(),
        Problems::default(),
    ))
}

/// `POST /admin/orders/{id}/claims/new`
pub async fn make(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    let case = case_of(&staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    let mut lines = Vec::new();
    for line in &case.lines {
        let text = typed.get(&format!("qty_{}", line.sku)).trim();
        if !matches!(text, "" | "0") {
            lines.push((line.sku.clone(), text.parse().unwrap_or(-1)));
        }
    }
    let wrong = |errors: &[FieldError]| {
        let problems = crate::web::order::claim_problems(errors, &lines);
        Ok(new_page(&staff, &case, &typed, problems))
    };
    let Ok(kind) = typed.get("kind").parse::<ClaimKind>() else {
        return wrong(&[FieldError::new("kind", "Choose what is the matter.")]);
    };
    let wish = Report {
        order: case.order.id,
        kind,
        lines: lines.clone(),
        text: typed.get("text").to_owned(),
        photos: Vec::new(),
    };
    let who = Who::Staff(staff.name());
    let (form, key) = (
        format!("claim:{}", case.order.id),
        typed.get("form_key").to_owned(),
    );
    let done = staff.office.write(move |desk, tx| -> Result<(), Problem> {
        if is_first(tx, &form, &key)? {
            report(desk, tx, &wish, &who)?;
        }
        Ok(())
    });
    match done.await {
        Ok(()) => staff.done(
            "It is written down.",
            &format!("/admin/orders/{}", case.order.id),
        ),
        Err(Problem::Invalid(errors)) => wrong(&errors),
        Err(other) => Err(other.into()),
    }
}
