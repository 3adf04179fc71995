//! What staff decide about one order: cancelling it, and recording that a refund was paid in another way.

use actix_web::{HttpResponse, web};

use super::form::{FormPage, Pairs, Section, Typed, problems_of};
use super::guard::{Refusal, Staff};
use super::kit::{act, fact, id};
use super::order::{Known, load};
use crate::domain::ids::RefundId;
use crate::domain::text::clean_text;
use crate::store::Tx;
use crate::store::refunds::RefundRow;
use crate::web::view::{Field, Link, Problems};
use crate::workflows::cancel::{By, can_staff_cancel, cancel as cancel_order};
use crate::workflows::desk::{Desk, Problem, order_number};
use crate::workflows::money::say;
use crate::workflows::refund;

async fn one(staff: &Staff, path: &str) -> Result<Known, Refusal> {
    let (merchant, order) = (staff.merchant.clone(), id(path)?);
    Ok(staff
        .office
        .read(move |conn| load(conn, &merchant, order))
        .await?)
}

fn form(staff: &Staff, known: &Known, title: String, action: String) -> FormPage {
    let mut page = FormPage::new(staff.shell("orders"), title, action);
    let href = format!("/admin/orders/{}", known.order.id);
    page.crumbs = vec![
        Link::new("/admin/orders", "Orders"),
        Link::new(&href, order_number(known.order.number)),
    ];
    page.back = Some(Link::new(href, "Leave it as it is"));
    page
}

fn cancel_page(staff: &Staff, known: &Known, reason: &str, problems: Problems) -> HttpResponse {
    let order = &known.order;
    let number = order_number(order.number);
    let back = say(order.money().kept(), &order.currency);
    let action = format!("/admin/orders/{}/cancel", order.id);
    let mut page = form(staff, known, format!("Cancel order {number}"), action);
    let paid = order.money().kept() > 0;
    page.lead = vec![if paid {
        format!("{back} goes back to the card, shipping included. This can't be undone.")
    } else {
        "Nothing was charged, so nothing goes back. This can't be undone.".to_owned()
    }];
    page.facts = vec![
        fact("Shopper", order.name.clone()),
        fact("Charged", say(order.charged, &order.currency)),
        fact("Goes back", back.clone()),
    ];
    page.sections = vec![Section::new(
        "Why",
        vec![
            Field::area("reason", "Reason", 4)
                .hint("The shopper reads it in the mail.")
                .max_length(500)
                .value(reason)
                .problems(&problems)
                .into(),
        ],
    )];
    page.submit = if paid {
        format!("Cancel and refund {back}")
    } else {
        "Cancel this order".to_owned()
    };
    page.risk = true;
    page.problems = problems;
    page.answer()
}

fn cannot_cancel(known: &Known) -> Result<(), Refusal> {
    if can_staff_cancel(&known.order, &known.campaign) {
        return Ok(());
    }
    Err(Problem::conflict(
        "wrong-state",
        "This order can't be cancelled as a whole: it is closed already, or something of it was handed over.",
    )
    .into())
}

/// `GET /admin/orders/{id}/cancel`
pub async fn cancel(staff: Staff, path: web::Path<String>) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = one(&staff, &path).await?;
    cannot_cancel(&known)?;
    Ok(cancel_page(&staff, &known, "", Problems::default()))
}

/// `POST /admin/orders/{id}/cancel`
pub async fn do_cancel(
    staff: Staff,
    path: web::Path<String>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = one(&staff, &path).await?;
    let typed = Typed::from(form.into_inner());
    let reason = clean_text(typed.get("reason"), 500);
    let say = match &reason {
        Ok(text) if text.is_empty() => Some("Write the reason; the shopper reads it.".to_owned()),
        Ok(_) => None,
        Err(say) => Some(super::form::sentence(say)),
    };
    if let Some(say) = say {
        let mut problems = Problems::default();
        problems.add("reason", say);
        return Ok(cancel_page(&staff, &known, typed.get("reason"), problems));
    }
    let (order, by) = (
        known.order.id,
        By::Staff {
            name: staff.name(),
            reason: reason.unwrap_or_default(),
        },
    );
    let f = move |desk: &Desk, tx: &mut Tx| cancel_order(desk, tx, order, &by).map(|_| ());
    act(
        &staff,
        f,
        "The order is cancelled; its refund is on its way.",
        &format!("/admin/orders/{order}"),
    )
    .await
}

fn refund_of(known: &Known, path: &str) -> Result<RefundRow, Refusal> {
    let refund: RefundId = id(path)?;
    let found = known.refunds.iter().find(|(r, _)| r.id == refund);
    found.map(|(r, _)| r.clone()).ok_or(Refusal::NotFound)
}

fn otherwise_page(
    staff: &Staff,
    known: &Known,
    refund: &RefundRow,
    proof: &str,
    problems: Problems,
) -> HttpResponse {
    let amount = say(refund.amount, &refund.currency);
    let action = format!(
        "/admin/orders/{}/refunds/{}/paid-otherwise",
        known.order.id, refund.id
    );
    let mut page = form(
        staff,
        known,
        format!("{amount} was paid in another way"),
        action,
    );
    page.lead = vec![
        "First pay it: by bank transfer, for example, to the account the shopper named. Then record it here; the books \
         count it as refunded."
            .into(),
    ];
    page.facts = vec![
        fact("Shopper", known.order.name.clone()),
        fact("E-mail", known.order.email.clone()),
        fact("Amount", amount.clone()),
    ];
    page.sections = vec![Section::new(
        "Proof",
        vec![
            Field::area("proof", "How and when it was paid", 4)
                .hint("The bank's reference, the date, where the receipt is kept.")
                .max_length(500)
                .value(proof)
                .problems(&problems)
                .into(),
        ],
    )];
    page.submit = format!("Record that {amount} was paid");
    page.problems = problems;
    page.answer()
}

/// `GET /admin/orders/{id}/refunds/{refund}/paid-otherwise`
pub async fn paid_otherwise(
    staff: Staff,
    path: web::Path<(String, String)>,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = one(&staff, &path.0).await?;
    let refund = refund_of(&known, &path.1)?;
    Ok(otherwise_page(
        &staff,
        &known,
        &refund,
        "",
        Problems::default(),
    ))
}

/// `POST /admin/orders/{id}/refunds/{refund}/paid-otherwise`
pub async fn do_paid_otherwise(
    staff: Staff,
    path: web::Path<(String, String)>,
    form: Pairs,
) -> Result<HttpResponse, Refusal> {
    staff.manages()?;
    let known = one(&staff, &path.0).await?;
    let row = refund_of(&known, &path.1)?;
    let typed = Typed::from(form.into_inner());
    let (id, name, proof) = (row.id, staff.name(), typed.get("proof").to_owned());
    let f = move |_: &Desk, tx: &mut Tx| refund::paid_otherwise(tx, id, &name, &proof);
    let to = format!("/admin/orders/{}", known.order.id);
    match act(&staff, f, "It is recorded, with its proof.", &to).await {
        Err(Refusal::Problem(Problem::Invalid(errors))) => Ok(otherwise_page(
            &staff,
            &known,
            &row,
            typed.get("proof"),
            problems_of(&errors),
        )),
        other => other,
    }
}
