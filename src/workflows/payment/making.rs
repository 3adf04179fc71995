//! A page on its way into being: what is asked for, whether it is still asked, and what follows when it is not made.

use chrono::Duration;

use super::{Loaded, ended, frozen, load, load_around, load_page};
use crate::domain::ids::OrderId;
use crate::domain::order::OrderState;
use crate::domain::payment::{AttemptState, PagePlan, PaymentKind};
use crate::store::orders::{OrderRow, PaymentRow};
use crate::store::{Tx, jobs, orders};
use crate::workflows::desk::{Desk, Problem, enqueue, payment_subject};
use crate::workflows::join::new_page;
use crate::workflows::money;
use crate::workflows::ports::{NewPage, PageLine, PageMode, Tag};

/// The page to be asked for: made of frozen rows only, so that a repeated call has the same parameters.
///
/// # Errors
/// When a row is damaged.
pub fn page_request(desk: &Desk, order: &OrderRow, page: &PaymentRow) -> Result<NewPage, Problem> {
    let agreed = frozen(order)?;
    let mut lines: Vec<PageLine> = agreed
        .lines
        .iter()
        .zip(&agreed.quote.lines)
        .map(|(line, priced)| PageLine {
            name: format!("{}: {}", agreed.title, line.name),
            unit_amount: priced.unit_price,
            quantity: priced.quantity,
        })
        .collect();
    for (name, amount) in [
        ("Shipping", agreed.quote.shipping),
        ("Tax", agreed.quote.tax_added),
    ] {
        if amount > 0 {
            lines.push(PageLine {
                name: name.to_owned(),
                unit_amount: amount,
                quantity: 1,
            });
        }
    }
    let back = desk.links.order_url(order.id);
    Ok(NewPage {
        tag: Tag::payment(order.id, PaymentKind::Join, page.attempt),
        mode: PageMode::Pay,
        currency: money::currency(&order.currency)?,
        lines,
        email: order.email.clone(),
        expires_at: page.expires_at.and_utc(),
        success_url: format!("{back}&paid=1"),
        cancel_url: format!("{back}&paid=0"),
    })
}

/// What is to be done for a page. Of one that is to be made it is noted that its creation is about to be sent; one that
/// would be refused for its expiry, or is not wanted any more, is not asked for at all.
///
/// # Errors
/// What the database says.
pub fn due(desk: &Desk, tx: &mut Tx, id: OrderId, attempt: i32) -> Result<Due, Problem> {
    let page = load_page(tx, id, attempt)?;
    match page.state {
        AttemptState::Planned => sending(desk, tx, page),
        AttemptState::Open | AttemptState::Processing => Ok(Due::Look(page)),
        // Its end is known. A page that was never told of, or was let go, may still have been paid: its webhooks
        // name it, and then it is asked for.
        AttemptState::Abandoned | AttemptState::Expired | AttemptState::Refused => {
            Ok(page.session_id.map_or(Due::Nothing, Due::Ask))
        }
        AttemptState::Paid | AttemptState::Saved | AttemptState::Declined => Ok(Due::Nothing),
    }
}

/// What is to be done for a page.
pub enum Due {
    /// Its creation is to be sent.
    Make(Box<(OrderRow, PaymentRow)>),
    /// It may be paid, or its time may be over.
    Look(PaymentRow),
    /// It is closed here; what the provider says of this id is asked for.
    Ask(String),
    /// There is nothing to do any more.
    Nothing,
}

fn sending(desk: &Desk, tx: &mut Tx, mut page: PaymentRow) -> Result<Due, Problem> {
    let order = orders::by_id(tx.conn, page.order_id)?.ok_or(Problem::NotFound("order"))?;
    let plan = PagePlan {
        planned_at: page.planned_at.and_utc(),
        expires_at: page.expires_at.and_utc(),
        hold_expires_at: order.hold_expires_at.and_utc(),
    };
    if page.sent_at.is_some() {
        if tx.now < plan.expires_at {
            return Ok(Due::Make(Box::new((order, page))));
        }
        // Within its life it was repeated; nobody was ever given its address. Its webhooks are still watched.
        let why = "the provider never told whether the page was made";
        let loaded = load_around(tx, page)?;
        ended(desk, tx, loaded, AttemptState::Abandoned, Some(why))?;
        return Ok(Due::Nothing);
    }
    if page.close_wanted {
        let loaded = load_around(tx, page)?;
        ended(desk, tx, loaded, AttemptState::Refused, None)?;
        return Ok(Due::Nothing);
    }
    if !plan.can_be_asked(tx.now) {
        let why = "its expiry came too near";
        let loaded = load_around(tx, page)?;
        replan(desk, tx, loaded, AttemptState::Refused, why)?;
        return Ok(Due::Nothing);
    }
    page.sent_at = Some(tx.now.naive_utc());
    orders::save_payment(tx.conn, &page)?;
    Ok(Due::Make(Box::new((order, page))))
}

/// A creation was answered 5xx, or refused because its expiry came too near: a new attempt with a new key, and the hold
/// moves with it. Nobody has the first page's address.
///
/// # Errors
/// What the database says.
pub fn try_anew(
    desk: &Desk,
    tx: &mut Tx,
    id: OrderId,
    attempt: i32,
    existed: bool,
    why: &str,
) -> Result<(), Problem> {
    let loaded = load(tx, id, attempt)?;
    if loaded.page.state != AttemptState::Planned {
        return Ok(());
    }
    let end = if existed {
        AttemptState::Abandoned
    } else {
        AttemptState::Refused
    };
    replan(desk, tx, loaded, end, why)
}

/// How many pages are made for one order at most before it is let go.
const MOST_ATTEMPTS: i32 = 20;

fn replan(
    desk: &Desk,
    tx: &mut Tx,
    loaded: Loaded,
    end: AttemptState,
    why: &str,
) -> Result<(), Problem> {
    let Loaded {
        campaign,
        mut order,
        mut page,
    } = loaded;
    if order.state != OrderState::Pending || page.close_wanted || page.attempt >= MOST_ATTEMPTS {
        return ended(
            desk,
            tx,
            Loaded {
                campaign,
                order,
                page,
            },
            end,
            Some(why),
        );
    }
    let now = tx.now.naive_utc();
    page.state = end;
    page.problem = Some(why.to_owned());
    page.settled_at = Some(now);
    orders::save_payment(tx.conn, &page)?;
    let plan = PagePlan::at(tx.now + wait_before(page.attempt + 1), desk.hold_minutes);
    order.hold_expires_at = plan.hold_expires_at.naive_utc();
    orders::save(tx.conn, &order)?;
    let next = new_page(order.id, page.attempt + 1, page.amount, plan);
    orders::insert_payment(tx.conn, &next)?;
    enqueue(
        tx,
        jobs::PAYMENT,
        &payment_subject(order.id, next.attempt),
        next.planned_at,
    )
}

/// The provider will never make this page: its order's units are free again.
///
/// # Errors
/// What the database says.
pub fn refused(
    desk: &Desk,
    tx: &mut Tx,
    id: OrderId,
    attempt: i32,
    why: &str,
) -> Result<(), Problem> {
    let loaded = load(tx, id, attempt)?;
    if loaded.page.state != AttemptState::Planned {
        return Ok(());
    }
    ended(desk, tx, loaded, AttemptState::Refused, Some(why))
}

/// How long a page's making is put off: the second follows at once; a provider that goes on failing is given more and
/// more time, so that an hour of it does not cost anybody the place.
fn wait_before(attempt: i32) -> Duration {
    match u32::try_from(attempt).unwrap_or(0) {
        0..=2 => Duration::zero(),
        later => Duration::seconds(2i64.saturating_pow(later - 2).min(300)),
    }
}
