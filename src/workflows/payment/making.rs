//! A page on its way into being: what is asked for, whether it is still asked, and what follows when it is not made.

use chrono::Duration;

use super::{Loaded, ended, frozen, load};
use crate::domain::ids::OrderId;
use crate::domain::order::OrderState;
use crate::domain::payment::{AttemptState, PagePlan};
use crate::store::orders::{OrderRow, PaymentRow};
use crate::store::{Tx, jobs, orders};
use crate::workflows::desk::{Desk, Problem, enqueue, payment_subject};
use crate::workflows::join::new_page;
use crate::workflows::money;
use crate::workflows::ports::{NewPage, PageLine, Tag};

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
        tag: Tag::join(order.id, page.attempt),
        currency: money::currency(&order.currency)?,
        lines,
        email: order.email.clone(),
        expires_at: page.expires_at.and_utc(),
        success_url: format!("{back}&paid=1"),
        cancel_url: format!("{back}&paid=0"),
    })
}

/// Notes that a page's creation is about to be sent. Whether it may be: a page that would be refused for its expiry,
/// or is not wanted any more, is not asked for at all.
///
/// # Errors
/// What the database says.
pub fn sending(desk: &Desk, tx: &mut Tx, id: OrderId, attempt: i32) -> Result<Sending, Problem> {
    let mut loaded = load(tx, id, attempt)?;
    if loaded.page.state != AttemptState::Planned {
        return Ok(Sending::Settled);
    }
    let plan = PagePlan {
        planned_at: loaded.page.planned_at.and_utc(),
        expires_at: loaded.page.expires_at.and_utc(),
        hold_expires_at: loaded.order.hold_expires_at.and_utc(),
    };
    if loaded.page.sent_at.is_none() {
        if loaded.page.close_wanted {
            ended(desk, tx, loaded, AttemptState::Refused, None)?;
            return Ok(Sending::Settled);
        }
        if !plan.can_be_asked(tx.now) {
            replan(
                desk,
                tx,
                loaded,
                AttemptState::Refused,
                "its expiry came too near",
            )?;
            return Ok(Sending::Settled);
        }
        loaded.page.sent_at = Some(tx.now.naive_utc());
        orders::save_payment(tx.conn, &loaded.page)?;
    } else if tx.now >= plan.expires_at {
        // Within its life it was repeated; nobody was ever given its address. Its webhooks are still watched.
        ended(
            desk,
            tx,
            loaded,
            AttemptState::Abandoned,
            Some("the provider never told whether the page was made"),
        )?;
        return Ok(Sending::Settled);
    }
    Ok(Sending::Go(Box::new((loaded.order, loaded.page))))
}

/// Whether a page's creation is sent.
pub enum Sending {
    /// Send it.
    Go(Box<(OrderRow, PaymentRow)>),
    /// There is nothing to send any more.
    Settled,
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
