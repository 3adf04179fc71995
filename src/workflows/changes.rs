//! A shopper, or staff for one, changes what an order is over and where it goes, before the judgement: priced by the rules of
//! joining, the difference charged or given back (domain sections 3 and 4).
//!
//! What costs no more takes effect at once. What costs more is paid first: the units are held and a payment is committed
//! beside the change's row; the order stays as it is until the provider says that it is paid. What staff ask for is paid by
//! the shopper, whom a letter leads there.

use serde::{Deserialize, Serialize};

mod again;
mod allowed;
mod asked;
mod begun;
mod effect;
mod offer;
mod page;
mod places;
mod shown;

pub(super) use again::{
    Remade, note_of_page, note_of_refund, note_said, paid_again, refunded_again,
};
pub use asked::{agree, asked_for, withdraw};
pub(super) use asked::{end_of_joining, page_plan};
pub use effect::lines_said;
pub use offer::{Choice, Offer, choices, preview};
pub(super) use page::{drop_unpaid, paid};
pub(super) use places::{unpicked_by_payment, waiting_by_payment};
pub use shown::Shown;

use begun::{Begun, begin};
use effect::Effect;

use super::change::{Destination, Typed};
use super::claims::Who;
use super::desk::{
    Concerns, Desk, Problem, ends_at, enqueue, happened, lock_campaign, payment_subject,
};
use super::join::{FrozenQuote, new_page};
use super::money::say;
use super::payment::frozen;
use crate::domain::change::{ChangeEvent, ChangeState};
use crate::domain::ids::{BatchId, OptionId, OrderId};
use crate::domain::order::Delivery;
use crate::domain::payment::{PagePlan, PaymentKind};
use crate::store::campaigns::{CampaignRow, Moved};
use crate::store::changes::{ChangeRow, UnderWay};
use crate::store::orders::{LineRow, OrderRow};
use crate::store::{StoreError, Tx, campaigns, changes, jobs, orders};

/// What an order is to be; what is none stays as it is.
#[derive(Debug, Clone)]
pub struct Wish {
    /// The order.
    pub order: OrderId,
    /// Option codes and quantities; what is not named leaves the order.
    pub lines: Option<Vec<(String, i64)>>,
    /// Where it goes.
    pub address: Option<Typed>,
    /// How its parcels come.
    pub delivery: Option<Delivery>,
    /// The new total that was agreed to; a higher one is not charged but shown again.
    pub agreed_total: Option<i64>,
    /// What was shown and agreed to; what comes out otherwise is not done but shown again.
    pub shown: Option<Shown>,
    /// What makes a second submit the same change.
    pub form_key: Option<String>,
    /// Who of the staff asks for it; none: the order's shopper.
    pub by: Option<String>,
    /// The network address that it came from; kept where the shopper agrees.
    pub from: Option<String>,
}

impl Wish {
    /// That an order stays as it is, by its shopper's word.
    pub fn of(order: OrderId) -> Self {
        Self {
            order,
            lines: None,
            address: None,
            delivery: None,
            agreed_total: None,
            shown: None,
            form_key: None,
            by: None,
            from: None,
        }
    }

    /// Who wishes it.
    fn who(&self) -> Who {
        match &self.by {
            Some(name) => Who::Staff(name.clone()),
            None => Who::Shopper,
        }
    }
}

/// What came of a wish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// The order is as wished.
    Done,
    /// It will be, once it is paid.
    ToPay,
    /// It is over just that already.
    Nothing,
}

/// A line as it was before a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeforeLine {
    /// The option's code.
    pub sku: String,
    /// Its name.
    pub name: String,
    /// Units.
    pub quantity: i64,
    /// What each cost, minor units.
    pub unit_price: i64,
}

/// An order as it was before a change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Before {
    /// Its lines.
    pub lines: Vec<BeforeLine>,
    /// What it cost, minor units.
    pub total: i64,
    /// The code of the country it went to, where the change sends it to another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

impl Before {
    /// An order as it is now.
    fn of(order: &OrderRow, agreed: &FrozenQuote, rows: &[LineRow]) -> Self {
        let lines = agreed.lines.iter().filter_map(|line| {
            let row = rows.iter().find(|row| row.sku == line.sku)?;
            let quantity = row.units().wanted();
            (quantity > 0).then(|| BeforeLine {
                sku: line.sku.clone(),
                name: line.name.clone(),
                quantity,
                unit_price: row.unit_price,
            })
        });
        Self {
            lines: lines.collect(),
            total: order.final_total.unwrap_or(order.total),
            country: None,
        }
    }

    /// What a change's row says of it.
    ///
    /// # Errors
    /// When the row is damaged.
    pub fn read(row: &ChangeRow) -> Result<Self, Problem> {
        Ok(serde_json::from_str(&row.had)?)
    }
}

/// What is agreed once a change takes effect.
///
/// # Errors
/// When the row is damaged.
pub fn wanted(row: &ChangeRow) -> Result<FrozenQuote, Problem> {
    Ok(serde_json::from_str(&row.wanted)?)
}

/// Where an order goes once a change takes effect; none: as before.
///
/// # Errors
/// When the row is damaged.
pub fn goes_to(row: &ChangeRow) -> Result<Option<Destination>, Problem> {
    let kept = row.goes_to.as_deref();
    Ok(kept.map(serde_json::from_str).transpose()?)
}

/// Changes what an order is over and where it goes, or begins to. The same form, and the same wish while it is being paid, are
/// the same change. What costs the same to the last cent, with the same lines, is a correction and no change
/// ([`super::change`]).
///
/// # Errors
/// A conflict where the order cannot be changed, units are missing, or it comes out otherwise than was agreed; wrong fields.
pub fn change(desk: &Desk, tx: &mut Tx, wish: &Wish) -> Result<Came, Problem> {
    let id = orders::campaign_of(tx.conn, wish.order)?.ok_or(Problem::NotFound("order"))?;
    let campaign = lock_campaign(tx, id)?;
    if let Some(came) = asked_before(tx, wish)? {
        return Ok(came);
    }
    let now = tx.now;
    let offer = preview(tx.conn, wish, now)?;
    let total = offer.wanted.quote.total;
    let risen = wish.agreed_total.is_some_and(|agreed| total > agreed);
    if risen || wish.shown.as_ref().is_some_and(|s| *s != offer.shown()) {
        let total = say(total, &offer.order.currency);
        return Err(Problem::conflict(
            "price-changed",
            format!("The new total is {total} now. Look at it again before you agree."),
        ));
    }
    if offer.is_nothing() {
        return Ok(Came::Nothing);
    }
    if offer.is_correction() {
        let parcels = super::change::Change {
            address: wish.address.clone(),
            delivery: wish.delivery,
        };
        super::change::change(desk, tx, (None, wish.order), &parcels, &wish.who())?;
        return Ok(Came::Done);
    }
    if wish.by.is_some() {
        offer.may_be_made_for_the_shopper()?;
    }
    let came = if offer.moved.pay > 0 {
        plan(desk, tx, &campaign, wish, &offer)?;
        Came::ToPay
    } else {
        at_once(desk, tx, campaign, wish, offer)?;
        Came::Done
    };
    // As at joining: granted only if the clock at its commit reads before the deadline.
    let campaign = campaigns::by_id(tx.conn, id)?.ok_or(Problem::NotFound("campaign"))?;
    if desk.clock.now().naive_utc() >= ends_at(&campaign) && campaign.closed_at.is_none() {
        return Err(Problem::Again("the deadline passed meanwhile".to_owned()));
    }
    Ok(came)
}

/// What came of this form before, or of the same wish that is under way; none where it is a new one.
fn asked_before(tx: &mut Tx, wish: &Wish) -> Result<Option<Came>, Problem> {
    if let Some(key) = &wish.form_key
        && let Some(row) = changes::by_form(tx.conn, wish.order, key)?
    {
        if !is_same(tx, &row, wish)? {
            return Err(Problem::conflict(
                "form-used",
                "This form was used for another change already. Open the order again to change it once more.",
            ));
        }
        return match row.state {
            ChangeState::Planned => Ok(Some(Came::ToPay)),
            ChangeState::Done => Ok(Some(Came::Done)),
            ChangeState::Dropped => Err(Problem::conflict(
                "change-ended",
                "This change was not paid, and the order stayed as it was. Open the order again to change it.",
            )),
        };
    }
    let Some(row) = changes::under_way(tx.conn, wish.order)? else {
        return Ok(None);
    };
    // What the shopper began is the shopper's to pay: no letter goes out for it.
    let theirs = row.asked_by.is_none() && wish.by.is_some();
    if !theirs && is_same(tx, &row, wish)? && !is_closing(tx, &row)? {
        return Ok(Some(Came::ToPay));
    }
    Err(under_way())
}

/// Whether a wish asks for what a change makes of its order.
fn is_same(tx: &mut Tx, row: &ChangeRow, wish: &Wish) -> Result<bool, Problem> {
    let sorted = |mut lines: Vec<(String, i64)>| {
        lines.sort_unstable();
        lines
    };
    let agreed = wanted(row)?;
    let quantities = agreed.quote.lines.iter().map(|line| line.quantity);
    let skus = agreed.lines.iter().map(|line| line.sku.clone());
    let becomes = sorted(skus.zip(quantities).collect());
    let asked = match &wish.lines {
        Some(lines) => lines.iter().filter(|(_, n)| *n > 0).cloned().collect(),
        None => {
            let had = Before::read(row)?.lines.into_iter();
            had.map(|line| (line.sku, line.quantity)).collect()
        }
    };
    if becomes != sorted(asked) {
        return Ok(false);
    }
    let order = orders::by_id(tx.conn, wish.order)?.ok_or(Problem::NotFound("order"))?;
    let has = Destination::of(&order)?;
    let becomes = goes_to(row)?.unwrap_or_else(|| has.clone());
    let asked = match &wish.address {
        Some(typed) => typed.check(has.address.country, &agreed.tariff)?,
        None => has,
    };
    let delivery = row.delivery.unwrap_or(order.delivery);
    Ok(becomes == asked && wish.delivery.is_none_or(|asked| asked == delivery))
}

/// Whether the page of a change is to be closed.
fn is_closing(tx: &mut Tx, row: &ChangeRow) -> Result<bool, Problem> {
    let Some(attempt) = row.attempt else {
        return Ok(false);
    };
    let page = orders::payment(tx.conn, row.order_id, attempt)?;
    Ok(page.is_some_and(|page| page.close_wanted))
}

pub(super) fn under_way() -> Problem {
    Problem::conflict(
        "change-under-way",
        "A change of this order is being paid just now. Pay it on the order's page, or take it back there, before you change anything else.",
    )
}

/// Takes units where the caps leave room.
fn take(tx: &mut Tx, entering: &[(OptionId, i64)]) -> Result<(), Problem> {
    for (option, units) in entering {
        if !campaigns::take(tx.conn, *option, *units)? {
            // Somebody else took them between our reading and our writing: decide again.
            return Err(StoreError::Conflict("an option's cap").into());
        }
    }
    Ok(())
}

/// It costs no more: it takes effect now.
fn at_once(
    desk: &Desk,
    tx: &mut Tx,
    campaign: CampaignRow,
    wish: &Wish,
    offer: Offer,
) -> Result<(), Problem> {
    take(tx, &offer.entering)?;
    let plan = PagePlan::at(tx.now, desk.hold_minutes);
    let row = begin(tx, wish, &offer, (None, plan))?;
    let mut order = offer.order.clone();
    Effect::at_once(&campaign, &row, offer).take(desk, tx, &mut order)
}

/// It costs more: the units are held, and the difference is to be paid.
fn plan(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    wish: &Wish,
    offer: &Offer,
) -> Result<(), Problem> {
    let order = &offer.order;
    let pages = orders::payments_of(tx.conn, order.id)?;
    if pages.iter().any(|page| page.state.is_open()) {
        return Err(Problem::conflict(
            "page-open",
            "Another payment page of this order is open. Finish what you began there, or try again in half an hour.",
        ));
    }
    take(tx, &offer.entering)?;
    let attempt = pages.last().map_or(0, |page| page.attempt) + 1;
    let plan = page_plan(desk, campaign, wish.by.as_deref(), tx.now);
    let page = new_page(
        order.id,
        attempt,
        offer.moved.pay,
        plan,
        PaymentKind::Change,
    );
    orders::insert_payment(tx.conn, &page)?;
    let row = begin(tx, wish, offer, (Some(attempt), plan))?;
    let now = tx.now.naive_utc();
    let moved = Moved {
        open_payments: 1,
        ..Moved::default()
    };
    campaigns::count(tx.conn, campaign.id, moved, now)?;
    tx.touch(campaign.id);
    let subject = payment_subject(order.id, attempt);
    enqueue(tx, jobs::PAYMENT, &subject, page.planned_at)?;
    let pay = say(offer.moved.pay, &order.currency);
    let detail = format!(
        "It would be over {}. {pay} is to be paid for it. Until then the order stays as it is.",
        offer.said()
    );
    let concerns = Concerns::order(order);
    happened(tx, concerns, wish.who().actor(), "change_planned", detail)?;
    if wish.by.is_some() {
        asked::tell(desk, tx, campaign, offer, &row)?;
    }
    Ok(())
}

/// Takes back a change that was not paid yet: its page is expired at the provider, and then its units are free.
///
/// # Errors
/// What the database says.
pub fn take_back(tx: &mut Tx, id: OrderId) -> Result<(), Problem> {
    let campaign = orders::campaign_of(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
    lock_campaign(tx, campaign)?;
    let Some(attempt) = changes::under_way(tx.conn, id)?.and_then(|row| row.attempt) else {
        return Ok(());
    };
    close_page(tx, id, attempt)
}

/// Has the page that pays for a change expired at the provider.
fn close_page(tx: &mut Tx, id: OrderId, attempt: i32) -> Result<(), Problem> {
    let page = orders::payment(tx.conn, id, attempt)?;
    let Some(mut page) = page.filter(|page| page.state.is_open() && !page.close_wanted) else {
        return Ok(());
    };
    page.close_wanted = true;
    orders::save_payment(tx.conn, &page)?;
    let now = tx.now.naive_utc();
    enqueue(tx, jobs::PAYMENT, &payment_subject(id, attempt), now)
}

/// A batch is judged while changes of its orders are being paid: they can take effect no more, so their pages are closed.
///
/// # Errors
/// What the database says.
pub(super) fn end_of_batch(tx: &mut Tx, batch: BatchId) -> Result<(), Problem> {
    for (order, attempt) in changes::pages_of(tx.conn, UnderWay::InBatch(batch))? {
        close_page(tx, order, attempt)?;
    }
    Ok(())
}

/// A change is over.
fn close(tx: &mut Tx, row: &mut ChangeRow, event: ChangeEvent) -> Result<(), Problem> {
    row.state = row.state.after(event)?;
    row.closed_at = Some(tx.now.naive_utc());
    changes::save(tx.conn, row)?;
    Ok(())
}

/// Whether an order is as it was when a change of it was asked for.
fn is_as_before(tx: &mut Tx, order: &OrderRow, row: &ChangeRow) -> Result<bool, Problem> {
    let lines = orders::lines_of(tx.conn, order.id)?;
    let had = Before::read(row)?;
    // While a change is under way the country stays.
    let country = had.country.clone();
    let has = Before::of(order, &frozen(order)?, &lines);
    Ok(Before { country, ..has } == had)
}
