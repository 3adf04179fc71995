//! What the provider says of a payment page, applied once, whatever the order in which it is heard (domain sections 2
//! and 4).

mod foreign;
mod lost;
mod making;
mod saving;
mod units;
mod words;

pub(super) use foreign::took_another_currency;
pub use lost::{make_again, number_of_lost, page_of};
pub use making::{Due, due, page_request, refused, try_anew};
use saving::{keep_card, let_go_unowed, saved};
pub use units::free;
use units::{is_sold, take_again, within_limit};
pub use words::{letter_lines, say_threshold};

use super::desk::{
    Concerns, Desk, Problem, enqueue, happened, merchant, offer, payment_subject, takes_orders,
};
use super::join::FrozenQuote;
use super::letters::{Letter, WhyCancelled};
use super::money::{self, say};
use super::ports::{Page, PageStatus, Tag};
use super::stock_sale;
use super::{batches, changes, collect, counts};
use crate::domain::campaign::CampaignState;
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::OrderId;
use crate::domain::order::{OrderEvent, OrderState};
use crate::domain::payment::{AttemptState, PaymentKind, RefundPurpose};
use crate::store::campaigns::{CampaignRow, Moved};
use crate::store::orders::{OrderRow, PaymentRow};
use crate::store::{Conn, Tx, campaigns, jobs, orders};

/// What was agreed at joining.
///
/// # Errors
/// When the row is damaged.
pub fn frozen(order: &OrderRow) -> Result<FrozenQuote, Problem> {
    Ok(serde_json::from_str(&order.quote)?)
}

/// An order and one of its pages, with the campaign locked.
pub(super) struct Loaded {
    pub(super) campaign: CampaignRow,
    pub(super) order: OrderRow,
    pub(super) page: PaymentRow,
}

pub(super) fn load(tx: &mut Tx, id: OrderId, attempt: i32) -> Result<Loaded, Problem> {
    let page = load_page(tx, id, attempt)?;
    load_around(tx, page)
}

/// A page, with the campaign locked: in a rush most of what is heard concerns the page alone.
fn load_page(tx: &mut Tx, id: OrderId, attempt: i32) -> Result<PaymentRow, Problem> {
    let campaign = orders::campaign_of(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
    campaigns::hold(tx.conn, campaign)?;
    orders::payment(tx.conn, id, attempt)?.ok_or(Problem::NotFound("payment"))
}

/// What a page belongs to. Its campaign is locked already.
fn load_around(tx: &mut Tx, page: PaymentRow) -> Result<Loaded, Problem> {
    let order = orders::by_id(tx.conn, page.order_id)?.ok_or(Problem::NotFound("order"))?;
    let campaign = campaigns::by_id(tx.conn, order.campaign_id)?;
    Ok(Loaded {
        campaign: campaign.ok_or(Problem::NotFound("campaign"))?,
        order,
        page,
    })
}

/// Applies what the provider says of a page.
///
/// # Errors
/// What the database says.
pub fn heard(
    desk: &Desk,
    tx: &mut Tx,
    id: OrderId,
    attempt: i32,
    said: &Page,
) -> Result<AttemptState, Problem> {
    let mut page = load_page(tx, id, attempt)?;
    if page.session_id.is_none() {
        page.session_id = Some(said.id.clone());
    } else if page.session_id.as_deref() != Some(&said.id) {
        return Err(Problem::Internal(format!(
            "page {} speaks for attempt {attempt} of order {id}, which has another page",
            said.id
        )));
    }
    if said.url.is_some() {
        page.url.clone_from(&said.url);
    }
    // Of one that is paid it is known: another would be another payment's.
    if said.intent.is_some() && (page.state != AttemptState::Paid || page.intent_id.is_none()) {
        page.intent_id.clone_from(&said.intent);
    }
    match said.status {
        Some(PageStatus::Paid) if page.state != AttemptState::Paid => {
            let kind = page.kind;
            let loaded = load_around(tx, page)?;
            if let Some(theirs) = said.currency.filter(|c| c.code() != loaded.order.currency) {
                return foreign::in_another_currency(desk, tx, loaded, said, theirs);
            }
            if kind == PaymentKind::Deposit {
                keep_card(tx, id, said.card.as_ref())?;
            }
            paid(desk, tx, loaded, said.amount)?;
            if kind == PaymentKind::Deposit {
                let_go_unowed(tx, id)?;
            }
            return Ok(AttemptState::Paid);
        }
        Some(PageStatus::Saved) if page.state != AttemptState::Saved => match &said.card {
            Some(card) => {
                let loaded = load_around(tx, page)?;
                saved(desk, tx, loaded, card)?;
                return Ok(AttemptState::Saved);
            }
            None => page.problem = Some("completed, and the provider named no card".into()),
        },
        Some(PageStatus::Expired) if page.state.is_open() => {
            let loaded = load_around(tx, page)?;
            ended_unpaid(desk, tx, loaded, AttemptState::Expired, None)?;
            return Ok(AttemptState::Expired);
        }
        Some(PageStatus::Unpaid) if page.state.is_open() => {
            page.state = AttemptState::Processing;
            page.problem = Some("completed; the money has not arrived yet".into());
        }
        Some(PageStatus::Open) if page.state == AttemptState::Planned => {
            page.state = AttemptState::Open;
        }
        None => page.problem = Some("the provider gave a state that is not known".into()),
        Some(_) => {}
    }
    let state = page.state;
    orders::save_payment(tx.conn, &page)?;
    let can_be_paid =
        state == AttemptState::Open && !page.close_wanted && tx.now < page.expires_at.and_utc();
    tx.heard(id, page.url.filter(|_| can_be_paid));
    Ok(state)
}

/// The provider took money for a page that it never told us of by its own id: applied as the page's own word would be.
///
/// # Errors
/// What the database says.
pub fn heard_paid(
    desk: &Desk,
    tx: &mut Tx,
    id: OrderId,
    attempt: i32,
    said: &Page,
) -> Result<(), Problem> {
    let mut loaded = load(tx, id, attempt)?;
    if loaded.page.state == AttemptState::Paid {
        return Ok(());
    }
    loaded.page.intent_id.clone_from(&said.intent);
    paid(desk, tx, loaded, said.amount)
}

/// The page took the money.
pub(super) fn paid(
    desk: &Desk,
    tx: &mut Tx,
    mut loaded: Loaded,
    amount: Option<i64>,
) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    let was_open = loaded.page.state.is_open();
    let asked = loaded.page.amount;
    let amount = amount.unwrap_or(asked);
    if amount != asked {
        loaded.page.problem = Some(format!("{amount} was captured instead of {asked}"));
    }
    loaded.page.state = AttemptState::Paid;
    loaded.page.settled_at = Some(now);
    loaded.page.amount = amount;
    orders::save_payment(tx.conn, &loaded.page)?;
    tx.heard(loaded.order.id, None);
    money::captured(tx, &mut loaded.order, &loaded.page, amount)?;
    if was_open {
        page_closed(tx, &loaded.campaign)?;
    }
    let short = amount < asked;
    if loaded.page.kind == PaymentKind::Change {
        return changes::paid(desk, tx, &mut loaded, asked);
    }
    if !loaded.page.kind.joins() {
        return collect::paid(desk, tx, &mut loaded, amount);
    }
    match loaded.order.state {
        OrderState::Pending if batches::has_failed(tx, &loaded.campaign, &loaded.order)? => {
            // Its turn among the failed batch's orders comes now: it never counted, and is told so once.
            super::judgement::settle_paid_late(desk, tx, &loaded.campaign, &mut loaded.order)
        }
        OrderState::Pending if short => turn_away(desk, tx, &mut loaded),
        OrderState::Pending => confirm(desk, tx, &mut loaded, amount - asked),
        OrderState::Expired => {
            if !short
                && is_sold(&loaded.campaign, &loaded.order, now)
                && within_limit(tx, &loaded.campaign, &loaded.order)?
                && take_again(tx, &mut loaded.order)?
            {
                confirm(desk, tx, &mut loaded, amount - asked)
            } else {
                give_back(desk, tx, &mut loaded, WhyCancelled::PaidTooLate)
            }
        }
        OrderState::Cancelled => {
            if loaded.order.units_taken {
                free(tx, &mut loaded.order)?;
            }
            give_back(desk, tx, &mut loaded, WhyCancelled::PaidTooLate)
        }
        OrderState::Confirmed
        | OrderState::Waitlisted
        | OrderState::Backordered
        | OrderState::PartlyShipped
        | OrderState::Shipped
        | OrderState::Delivered => give_back(desk, tx, &mut loaded, WhyCancelled::PaidTwice),
    }
}

/// Less came than the order costs: it does not count, and what came goes back.
fn turn_away(desk: &Desk, tx: &mut Tx, loaded: &mut Loaded) -> Result<(), Problem> {
    super::cancel::leave(tx, &loaded.campaign, &mut loaded.order, RefundPurpose::Late)?;
    told_back(desk, tx, loaded, WhyCancelled::WrongAmount)
}

/// One page less may be paid; the last one sets the judgement going.
pub(super) fn page_closed(tx: &mut Tx, campaign: &CampaignRow) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    campaigns::count(
        tx.conn,
        campaign.id,
        Moved {
            open_payments: -1,
            ..Moved::default()
        },
        now,
    )?;
    tx.touch(campaign.id);
    if campaign.open_payments <= 1 && !takes_orders(campaign, now) {
        enqueue(tx, jobs::CAMPAIGN, &campaign.id.to_string(), now)?;
    }
    Ok(())
}

/// The order is paid for: it counts. What came beyond its price goes back at once.
fn confirm(desk: &Desk, tx: &mut Tx, loaded: &mut Loaded, excess: i64) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    let order = &mut loaded.order;
    order.state = order.state.after(OrderEvent::Paid)?;
    order.confirmed_at = Some(now);
    order.closed_at = None;
    let kind = loaded.page.kind;
    order.collected = kind != PaymentKind::Setup;
    batches::enter(tx, &loaded.campaign, order)?;
    order.owed = match kind {
        PaymentKind::Setup => order.total,
        PaymentKind::Deposit => (order.total - (loaded.page.amount - excess)).max(0),
        PaymentKind::Join | PaymentKind::Charge | PaymentKind::Fix | PaymentKind::Change => 0,
    };
    orders::confirm_lines(tx.conn, order.id)?;
    counts::enter(tx, order)?;
    let draft = offer(&loaded.campaign)?;
    let attempt = loaded.page.attempt;
    money::commit_refund(tx, order, attempt, RefundPurpose::Late, excess)?;
    words::say_confirmed(tx, order, kind)?;
    if let Some(excess) = money::nonzero_said(excess, &order.currency) {
        happened(
            tx,
            Concerns::order(order),
            "system",
            "overpaid",
            format!("{excess} more was charged than the order costs; it goes back to the card."),
        )?;
    }
    if stock_sale::is_from_stock(order) {
        stock_sale::sold(tx, &loaded.campaign, &draft, order)?;
    } else if loaded.campaign.state == CampaignState::Collecting {
        collect::bought(tx, order)?;
    }
    money::keep(tx, order)?;
    // Other pages of the same order are not wanted any more.
    close_pages(tx, order.id)?;
    if stock_sale::is_from_stock(order) {
        super::notices::watch(tx, order.batch_id, draft.time_zone)?;
    } else {
        super::notices::promise(tx, &loaded.campaign, &draft, order)?;
    }
    if kind == PaymentKind::Setup {
        collect::watch_ending(tx, &loaded.campaign, order.id)?;
    }
    words::confirmation(desk, tx, &loaded.campaign, &draft, order)?;
    after_commitment(desk, tx, &loaded.campaign, &draft, order.units)
}

/// Wants every page of an order that may still be paid expired at the provider.
///
/// # Errors
/// What the database says.
pub fn close_pages(tx: &mut Tx, order: OrderId) -> Result<usize, Problem> {
    let now = tx.now.naive_utc();
    let mut open = 0;
    for mut page in orders::payments_of(tx.conn, order)? {
        if page.state.is_open() {
            page.close_wanted = true;
            orders::save_payment(tx.conn, &page)?;
            enqueue(
                tx,
                jobs::PAYMENT,
                &payment_subject(order, page.attempt),
                now,
            )?;
            open += 1;
        }
    }
    Ok(open)
}

/// What follows when units were committed: a better step is told; with the trigger `at_threshold` the order that
/// crosses ends joining.
pub(super) fn after_commitment(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
    units: i64,
) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    if campaign.state != CampaignState::Open {
        return Ok(());
    }
    let step = super::judgement::step_after(tx.conn, campaign, draft, units)?;
    let step = i32::try_from(step).unwrap_or(i32::MAX);
    if step > campaign.best_step_told {
        campaigns::set_step_told(tx.conn, campaign.id, step)?;
        enqueue(tx, jobs::STEP_TOLD, &format!("{}:{step}", campaign.id), now)?;
    }
    if super::judgement::close_by_trigger(desk, tx, campaign, draft)? {
        enqueue(tx, jobs::CAMPAIGN, &campaign.id.to_string(), now)?;
    }
    Ok(())
}

/// A payment that is not wanted goes back in full at once, with a note.
pub(super) fn give_back(
    desk: &Desk,
    tx: &mut Tx,
    loaded: &mut Loaded,
    why: WhyCancelled,
) -> Result<(), Problem> {
    let (attempt, amount) = (loaded.page.attempt, loaded.page.amount);
    money::commit_refund(tx, &mut loaded.order, attempt, RefundPurpose::Late, amount)?;
    told_back(desk, tx, loaded, why)
}

/// Notes and tells why a payment goes back.
fn told_back(
    desk: &Desk,
    tx: &mut Tx,
    loaded: &mut Loaded,
    why: WhyCancelled,
) -> Result<(), Problem> {
    let (attempt, amount) = (loaded.page.attempt, loaded.page.amount);
    let order = &mut loaded.order;
    let note = match why {
        WhyCancelled::PaidTwice => "It was paid twice; the second payment goes back.",
        WhyCancelled::NotOwed => {
            "What it was for had left the order before it came; the payment goes back in full."
        }
        WhyCancelled::WrongAmount => {
            "Less was charged than the order costs, so it does not count; the payment goes back in full."
        }
        _ => "It was paid after its units were free again; the payment goes back in full.",
    };
    if !matches!(why, WhyCancelled::PaidTwice | WhyCancelled::NotOwed) {
        order.note = Some(note.to_owned());
    }
    money::keep(tx, order)?;
    let back = say(amount, &order.currency);
    happened(
        tx,
        Concerns::order(order),
        "system",
        "late_payment",
        format!("{note} {back} is refunded."),
    )?;
    let merchant = merchant(tx, order.merchant_id)?;
    let draft = offer(&loaded.campaign)?;
    let letter = Letter::Cancelled {
        about: desk.about(&merchant, &loaded.campaign, &draft, order),
        why,
        back: Some(back),
    };
    desk.tell_shopper(
        tx,
        &merchant,
        order,
        &format!("late_payment:{attempt}"),
        letter,
    )
}

/// The page ended unpaid; with the last one the order's units are free.
pub(super) fn ended_unpaid(
    desk: &Desk,
    tx: &mut Tx,
    loaded: Loaded,
    end: AttemptState,
    why: Option<&str>,
) -> Result<(), Problem> {
    let Loaded {
        campaign,
        mut order,
        mut page,
    } = loaded;
    let now = tx.now.naive_utc();
    page.state = end;
    page.settled_at = Some(now);
    if let Some(why) = why {
        page.problem = Some(why.to_owned());
    }
    orders::save_payment(tx.conn, &page)?;
    tx.heard(order.id, None);
    page_closed(tx, &campaign)?;
    if page.kind == PaymentKind::Change {
        return changes::drop_unpaid(desk, tx, &campaign, &order, &page);
    }
    let another = orders::payments_of(tx.conn, order.id)?
        .iter()
        .any(|other| other.state.is_open());
    if another {
        return Ok(());
    }
    ran_out(tx, &campaign, &mut order, &page)
}

fn ran_out(
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &mut OrderRow,
    page: &PaymentRow,
) -> Result<(), Problem> {
    match order.state {
        // Its batch failed before its page was closed: it is cancelled with the others, when its turn comes.
        OrderState::Pending if batches::has_failed(tx, campaign, order)? => {
            free(tx, order)?;
            orders::save(tx.conn, order)?;
            Ok(())
        }
        OrderState::Pending => {
            free(tx, order)?;
            order.state = order.state.after(OrderEvent::RanOut)?;
            order.closed_at = Some(tx.now.naive_utc());
            orders::save(tx.conn, order)?;
            happened(
                tx,
                Concerns::order(order),
                "system",
                "ran_out",
                if took_another_currency(page) {
                    "The order was not paid; the units are free for others."
                } else {
                    "The time to pay ran out. Nothing was charged; the units are free for others."
                },
            )
        }
        OrderState::Cancelled if order.units_taken && order.charged == 0 => {
            free(tx, order)?;
            orders::save(tx.conn, order)?;
            Ok(())
        }
        _ => Ok(()),
    }
}

/// A webhook named the page of an attempt whose making never became known: its id is kept, so that it can be asked for.
///
/// # Errors
/// What the database says.
pub fn named(tx: &mut Tx, id: OrderId, attempt: i32, session: &str) -> Result<(), Problem> {
    let mut page = load_page(tx, id, attempt)?;
    if page.session_id.is_none() {
        page.session_id = Some(session.to_owned());
        orders::save_payment(tx.conn, &page)?;
    }
    Ok(())
}

/// The order and page behind a session or payment intent that a webhook named.
///
/// # Errors
/// What the database says.
pub fn find_page(
    conn: &mut Conn,
    session: Option<&str>,
    intent: Option<&str>,
    tag: Option<&Tag>,
) -> Result<Option<(OrderId, i32)>, Problem> {
    if let Some(session) = session
        && let Some(page) = orders::payment_by_session(conn, session)?
    {
        return Ok(Some((page.order_id, page.attempt)));
    }
    if let Some(intent) = intent
        && let Some(page) = orders::payment_by_intent(conn, intent)?
    {
        return Ok(Some((page.order_id, page.attempt)));
    }
    if let Some(tag) = tag
        && let Some(page) = orders::payment(conn, tag.order, tag.attempt)?
        && lost::may_be_of(conn, &page, tag)?
    {
        return Ok(Some((page.order_id, page.attempt)));
    }
    Ok(None)
}
