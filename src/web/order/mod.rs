//! A shopper's order, behind its signed link: the way to its payment, the order itself, and leaving.

mod change;
mod claims;
mod delay;
mod due;
mod edit;
mod goods;
mod opened;
mod page;
mod papers;
mod waiting;
mod withdraw;

use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::order::OrderState;
use crate::store::orders::{self, PaymentRow};
use crate::store::{Conn, Tx, jobs};
use crate::web::pages::{private, see_other};
use crate::web::theme;
use crate::web::view::{CancelPage, OrderPage, Shell};
use crate::workflows::cancel::{By, cancel};
use crate::workflows::desk::{Desk, Problem, order_number, payment_subject};
use crate::workflows::office::Office;
use opened::Opened;
use page::{Consent, Facts, Ways, WrongProof};

pub(in crate::web) use claims::{at_fields as claim_problems, served as photo_answer};
pub(in crate::web) use edit::{
    address_fields, country_choices, is_of_address, pairs_of, shown_of, typed_of,
};
pub(in crate::web) use page::{claim_badge, claim_picture};
pub(in crate::web) use papers::sheet;

/// Puts the routes in.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .route("/o/{id}", web::get().to(show))
        .route("/o/{id}/pay", web::get().to(pay))
        .route("/o/{id}/pay", web::post().to(due::pay))
        .service(
            web::resource("/o/{id}/card")
                .route(web::get().to(back))
                .route(web::post().to(due::card)),
        )
        .service(
            web::resource("/o/{id}/accept")
                .route(web::get().to(back))
                .route(web::post().to(waiting::accept)),
        )
        .route("/o/{id}/arrived", web::post().to(goods::arrived))
        .service(
            web::resource("/o/{id}/cancel")
                .route(web::get().to(ask_to_cancel))
                .route(web::post().to(leave)),
        )
        .configure(delay::configure)
        .configure(claims::configure)
        .configure(withdraw::configure)
        .configure(papers::configure)
        .configure(edit::configure)
        .configure(change::configure);
}

/// The frame of a page behind a signed link.
fn frame(office: &Office, request: &HttpRequest, back: &str) -> Shell {
    Shell::private(theme::of(request), back, office.settings().sandbox)
}

/// `GET` of what only a form does: a reload or the address bar; back to the order.
async fn back(opened: Opened) -> HttpResponse {
    see_other(&opened.path(""))
}

/// How long an answer waits for the provider before it says that it waits.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// After how long it looks again without a bell: another machine may have heard of it.
const LOOK: Duration = Duration::from_millis(250);

/// Reads again, whenever something was heard of the order, while `waiting` says so; some two seconds in all.
async fn wait_while(opened: &Opened, waiting: impl Fn(&Facts) -> bool) -> Result<Facts, Problem> {
    let end = Instant::now() + LONGEST_WAIT;
    loop {
        let bell = opened.office.signals().bells.listen(opened.id);
        let facts = opened.read().await?;
        if !waiting(&facts) || Instant::now() >= end {
            return Ok(facts);
        }
        bell.wait(LOOK).await;
    }
}

/// `GET /o/{id}?t=`
async fn show(opened: Opened) -> HttpResponse {
    let returned = opened.asked.paid == "1";
    let facts = if returned {
        returned_paid(&opened).await
    } else {
        opened.read().await
    };
    let facts = match facts {
        Ok(facts) => facts,
        Err(e) => return opened.refused(&e),
    };
    if facts.order.state == OrderState::Waitlisted {
        match waiting::page(&opened).await {
            Ok(Some(page)) => return page,
            Ok(None) => {}
            Err(e) => return opened.refused(&e),
        }
    }
    let back = opened.path("");
    let mut shell = opened.shell("");
    if opened.asked.cancelled == "1" && facts.left_by_shopper() {
        shell.flash = Some(match facts.order.state {
            OrderState::Cancelled => "Your order is cancelled.".to_owned(),
            _ => "What was not shipped is cancelled. What you have stays yours.".to_owned(),
        });
    }
    if let Some(said) = said(&opened.asked.done) {
        shell.flash = Some(said.to_owned());
    }
    if opened.asked.arrived == "1" {
        shell.flash = Some("Noted: the parcel arrived.".to_owned());
    }
    let now = opened.office.now();
    if returned && facts.may_thank() {
        let known = facts.is_paid();
        if !known {
            shell.refresh = Some(3);
            shell.back = format!("{back}&paid=1");
        }
        return private(StatusCode::OK, &facts.thanks(shell, known, back, now));
    }
    if returned && facts.has_later_page() && facts.unheard().is_some() {
        shell.flash =
            Some("The provider has not told us yet. This page asks again by itself.".to_owned());
        shell.refresh = Some(3);
        shell.back = format!("{back}&paid=1");
    }
    let page = page_of(&opened, &facts, shell, None);
    private(StatusCode::OK, &page)
}

/// The order's page, with its links.
fn page_of(opened: &Opened, facts: &Facts, shell: Shell, wrong: Option<&WrongProof>) -> OrderPage {
    let links = &opened.office.desk().links;
    let ways = Ways {
        below: &|below| opened.path(below),
        notice: &|row| delay::path_of(links, row),
    };
    let mut page = facts.page(shell, &ways, opened.office.now(), wrong);
    page.goods = facts.goods(&opened.path("/arrived"));
    page
}

/// The line about what was just done.
fn said(done: &str) -> Option<&'static str> {
    match done {
        "reported" => Some("Your report is with the seller."),
        "sent" => Some("The seller knows that it is on its way."),
        "withdrawn" => Some("Your withdrawal is received. A mail says so, with the time."),
        "changed" => Some("The changes are saved."),
        "altered" => Some("Your order is changed."),
        _ => None,
    }
}

/// The order's page with a proof that could not be taken.
async fn show_with(opened: &Opened, wrong: WrongProof) -> HttpResponse {
    match opened.read().await {
        Ok(facts) => {
            let page = page_of(opened, &facts, opened.shell(""), Some(&wrong));
            private(StatusCode::UNPROCESSABLE_ENTITY, &page)
        }
        Err(e) => opened.refused(&e),
    }
}

/// A key for one rendering of a form.
pub(in crate::web) fn new_key() -> String {
    URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>())
}

/// The shopper comes back from the provider's page: a page whose end we have not heard of is asked for now, so that a
/// lost webhook is made good at once.
async fn returned_paid(opened: &Opened) -> Result<Facts, Problem> {
    let facts = opened.read().await?;
    let Some(open) = facts.unheard() else {
        return Ok(facts);
    };
    let subject = payment_subject(opened.id, open);
    opened
        .office
        .write(move |_: &Desk, tx: &mut Tx| {
            let now = tx.now.naive_utc();
            jobs::put(tx.conn, jobs::PAYMENT, &subject, now, now)?;
            tx.effects.work = true;
            Ok::<_, Problem>(())
        })
        .await?;
    wait_while(opened, |facts| facts.unheard() == Some(open)).await
}

/// `GET /o/{id}/pay?t=`: to the provider's page as soon as there is one.
async fn pay(opened: Opened) -> HttpResponse {
    let facts = match wait_while(&opened, Facts::waits_for_its_page).await {
        Ok(facts) => facts,
        Err(e) => return opened.refused(&e),
    };
    if let Some(url) = facts.checkout() {
        return see_other(url);
    }
    let Some(planned) = facts.planned().cloned() else {
        return see_other(&opened.path(""));
    };
    let place = opened
        .office
        .read(move |conn| place_of(conn, &planned))
        .await
        .unwrap_or(0);
    let mut shell = opened.shell("/pay");
    shell.refresh = Some(3);
    let now = opened.office.now();
    private(
        StatusCode::OK,
        &facts.queue(shell, place, opened.path(""), now),
    )
}

fn place_of(conn: &mut Conn, planned: &PaymentRow) -> Result<i64, Problem> {
    Ok(orders::queue_position(
        conn,
        planned.planned_at,
        planned.order_id,
    )?)
}

/// `GET /o/{id}/cancel?t=`
async fn ask_to_cancel(opened: Opened) -> HttpResponse {
    let facts = match opened.read().await {
        Ok(facts) => facts,
        Err(e) => return opened.refused(&e),
    };
    let (early, now) = (facts.can_leave(), opened.office.now());
    if !early && !facts.may_cancel_late(now) {
        return see_other(&opened.path(""));
    }
    let page = CancelPage {
        shell: opened.shell("/cancel"),
        number: order_number(facts.order.number),
        title: facts.campaign.title.clone(),
        amount: if early {
            facts.comes_back()
        } else {
            facts.late_back()
        },
        late: !early,
        part: !early && facts.consent().is_some_and(Consent::part_shipped),
        order_href: opened.path(""),
        action: opened.path("/cancel"),
    };
    private(StatusCode::OK, &page)
}

/// `POST /o/{id}/cancel?t=`
async fn leave(opened: Opened) -> HttpResponse {
    let id = opened.id;
    let left = opened
        .office
        .write(move |desk, tx| cancel(desk, tx, id, &By::Shopper))
        .await;
    match left {
        Ok(_) => see_other(&format!("{}&cancelled=1", opened.path(""))),
        Err(e) => {
            let back = opened.path("");
            // Of a partly shipped order the rest may have left just now, by the first of two clicks.
            let done = matches!(e, Problem::Conflict { .. })
                && opened.read().await.is_ok_and(|f| f.left_by_shopper());
            if done {
                return see_other(&format!("{back}&cancelled=1"));
            }
            opened.trouble(&e)
        }
    }
}
