//! A page on its way into being: what is asked for, whether it is still asked, and what follows when it is not made.

use chrono::Duration;

use super::{Loaded, ended_unpaid, frozen, load, load_around, load_page};
use crate::domain::card::Decline;
use crate::domain::ids::OrderId;
use crate::domain::order::OrderState;
use crate::domain::payment::{AttemptState, PagePlan, PaymentKind};
use crate::store::dues::CardRow;
use crate::store::orders::{OrderRow, PaymentRow};
use crate::store::{Tx, changes, dues, jobs, orders};
use crate::workflows::changes::{note_of_page, page_plan};
use crate::workflows::collect;
use crate::workflows::desk::{Desk, Problem, enqueue, order_number, payment_subject};
use crate::workflows::join::{FrozenQuote, new_page};
use crate::workflows::money;
use crate::workflows::ports::{ChangeNote, Declined, NewPage, PageLine, PageMode, Tag};

/// The page to be asked for: made of frozen rows only, so that a repeated call has the same parameters.
///
/// # Errors
/// When a row is damaged.
pub fn page_request(
    desk: &Desk,
    order: &OrderRow,
    page: &PaymentRow,
    change: Option<ChangeNote>,
) -> Result<NewPage, Problem> {
    let agreed = frozen(order)?;
    let back = desk.links.order_url(order.id);
    let (mode, lines) = match page.kind {
        PaymentKind::Join | PaymentKind::Charge => (PageMode::Pay, whole(&agreed)),
        PaymentKind::Setup => (PageMode::Save, Vec::new()),
        PaymentKind::Deposit => {
            let name = format!("{}: deposit", agreed.title);
            (PageMode::PayAndSave, vec![one(name, page.amount)])
        }
        PaymentKind::Change => {
            let number = order_number(order.number);
            let name = format!("{}: change of order {number}", agreed.title);
            (PageMode::Pay, vec![one(name, page.amount)])
        }
        PaymentKind::Fix => {
            let name = format!("{}: order {}", agreed.title, order_number(order.number));
            (PageMode::Pay, vec![one(name, page.amount)])
        }
    };
    Ok(NewPage {
        tag: Tag::payment(order.id, page.kind, page.attempt).of_change(change),
        mode,
        currency: money::currency(&order.currency)?,
        lines,
        email: order.email.clone(),
        expires_at: page.expires_at.and_utc(),
        success_url: format!("{back}&paid=1"),
        cancel_url: format!("{back}&paid=0"),
    })
}

fn one(name: String, amount: i64) -> PageLine {
    PageLine {
        name,
        unit_amount: amount,
        quantity: 1,
    }
}

/// The lines of a page that charges the whole order.
fn whole(agreed: &FrozenQuote) -> Vec<PageLine> {
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
            lines.push(one(name.to_owned(), amount));
        }
    }
    lines
}

/// What is to be done for a page. Of one that is to be made it is noted that its creation is about to be sent; one that
/// would be refused for its expiry, or is not wanted any more, is not asked for at all.
///
/// # Errors
/// What the database says.
pub fn due(desk: &Desk, tx: &mut Tx, id: OrderId, attempt: i32) -> Result<Due, Problem> {
    let page = load_page(tx, id, attempt)?;
    match page.state {
        AttemptState::Planned if page.kind == PaymentKind::Charge => charging(desk, tx, page),
        AttemptState::Planned => sending(desk, tx, page),
        AttemptState::Open | AttemptState::Processing if page.kind == PaymentKind::Charge => {
            Ok(page.intent_id.map_or(Due::Nothing, Due::Intent))
        }
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
    /// Its creation is to be sent, with the change that it pays for, if it does.
    Make(Box<(OrderRow, PaymentRow, Option<ChangeNote>)>),
    /// First the intents that refusals left behind are cancelled: none of them may take money beside this attempt.
    CancelFirst(Vec<(i32, String)>),
    /// The saved card is to be charged.
    Charge(Box<(OrderRow, PaymentRow, CardRow)>),
    /// Whether the charge was made is not known: the provider's lists of this customer say.
    Find(Box<(PaymentRow, CardRow)>),
    /// A charge's intent is asked for.
    Intent(String),
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
            let change = note_of_page(tx, &page)?;
            return Ok(Due::Make(Box::new((order, page, change))));
        }
        // Within its life it was repeated; nobody was ever given its address. Its webhooks are still watched.
        let why = "the provider never told whether the page was made";
        let loaded = load_around(tx, page)?;
        ended_unpaid(desk, tx, loaded, AttemptState::Abandoned, Some(why))?;
        return Ok(Due::Nothing);
    }
    if page.close_wanted {
        let loaded = load_around(tx, page)?;
        ended_unpaid(desk, tx, loaded, AttemptState::Refused, None)?;
        return Ok(Due::Nothing);
    }
    if !plan.can_be_asked(tx.now) {
        let why = "its expiry came too near";
        let loaded = load_around(tx, page)?;
        replan(desk, tx, loaded, AttemptState::Refused, why)?;
        return Ok(Due::Nothing);
    }
    let left = left_behind(tx, &page)?;
    if !left.is_empty() {
        return Ok(Due::CancelFirst(left));
    }
    page.sent_at = Some(tx.now.naive_utc());
    orders::save_payment(tx.conn, &page)?;
    let change = note_of_page(tx, &page)?;
    Ok(Due::Make(Box::new((order, page, change))))
}

/// The intents that an order's refusals left behind, with their attempts: a page that saves another card charges nothing.
fn left_behind(tx: &mut Tx, page: &PaymentRow) -> Result<Vec<(i32, String)>, Problem> {
    if page.kind.joins() {
        return Ok(Vec::new());
    }
    Ok(orders::payments_of(tx.conn, page.order_id)?
        .into_iter()
        .filter(|other| other.state == AttemptState::Declined)
        .filter_map(|other| Some((other.attempt, other.intent_id?)))
        .collect())
}

/// Keys are kept by the provider for 24 hours: after that its lists are read first.
const KEY_HOURS: i64 = 23;

fn charging(desk: &Desk, tx: &mut Tx, mut page: PaymentRow) -> Result<Due, Problem> {
    let order = orders::by_id(tx.conn, page.order_id)?.ok_or(Problem::NotFound("order"))?;
    // Units left the order since it was planned.
    let too_much = page.amount > order.owed;
    if page.sent_at.is_none() && (page.close_wanted || too_much) {
        let closing = page.close_wanted;
        let loaded = load_around(tx, page)?;
        ended_unpaid(desk, tx, loaded, AttemptState::Refused, None)?;
        // What is left to collect, if anything, is looked at anew.
        if closing || !collect::charge_less(tx, &order)? {
            collect::settled(tx, order.id)?;
        }
        return Ok(Due::Nothing);
    }
    let left = left_behind(tx, &page)?;
    if page.sent_at.is_none() && !left.is_empty() {
        return Ok(Due::CancelFirst(left));
    }
    // Once it was sent, it goes on with the card that it was sent with, also where that is let go meanwhile.
    let card = match dues::card_of(tx.conn, order.id)? {
        None if page.sent_at.is_some() => dues::cards_of(tx.conn, order.id)?.into_iter().next(),
        card => card,
    };
    let Some(card) = card else {
        let mut loaded = load_around(tx, page)?;
        let none = Declined {
            decline: Decline::Hard,
            code: String::new(),
            message: "No card is saved for this order.".to_owned(),
        };
        collect::declined(desk, tx, &mut loaded, &none)?;
        return Ok(Due::Nothing);
    };
    let now = tx.now.naive_utc();
    let sent = *page.sent_at.get_or_insert(now);
    if page.looked_at.is_some() || now - sent > Duration::hours(KEY_HOURS) {
        return Ok(Due::Find(Box::new((page, card))));
    }
    orders::save_payment(tx.conn, &page)?;
    Ok(Due::Charge(Box::new((order, page, card))))
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
    let change = match page.kind {
        PaymentKind::Change => changes::under_way(tx.conn, order.id)?,
        _ => None,
    };
    let waits = match &change {
        Some(change) => {
            order.state == OrderState::Confirmed && change.attempt == Some(page.attempt)
        }
        None => order.state == OrderState::Pending,
    };
    if !waits || page.close_wanted || page.attempt >= MOST_ATTEMPTS {
        return ended_unpaid(
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
    let asked_by = change.as_ref().and_then(|row| row.asked_by.as_deref());
    let planned_at = tx.now + wait_before(page.attempt + 1);
    let plan = page_plan(desk, &campaign, asked_by, planned_at);
    let next = new_page(order.id, page.attempt + 1, page.amount, plan, page.kind);
    orders::insert_payment(tx.conn, &next)?;
    if let Some(mut change) = change {
        change.attempt = Some(next.attempt);
        change.hold_expires_at = plan.hold_expires_at.naive_utc();
        changes::save(tx.conn, &change)?;
    } else {
        order.hold_expires_at = plan.hold_expires_at.naive_utc();
        orders::save(tx.conn, &order)?;
    }
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
    ended_unpaid(desk, tx, loaded, AttemptState::Refused, Some(why))
}

/// How long a page's making is put off: the second follows at once; a provider that goes on failing is given more and
/// more time, so that an hour of it does not cost anybody the place.
fn wait_before(attempt: i32) -> Duration {
    match u32::try_from(attempt).unwrap_or(0) {
        0..=2 => Duration::zero(),
        later => Duration::seconds(2i64.saturating_pow(later - 2).min(300)),
    }
}
