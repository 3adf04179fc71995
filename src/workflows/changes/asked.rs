//! Changes that staff ask for: the shopper is told what it costs more and where to pay it, and it ends with joining.

use chrono::{DateTime, Utc};

use super::super::desk::{
    Concerns, Desk, Problem, ends_at, happened, lock_campaign, merchant, offer as offer_of,
};
use super::super::letters::{After, Letter, parcels_said};
use super::super::money::{nonzero_said, say};
use super::super::payment::frozen;
use super::effect::shipping_said;
use super::{
    Before, Destination, Offer, close_page, goes_to, is_closing, lines_said, take_back, wanted,
};
use crate::domain::change::Difference;
use crate::domain::ids::{CampaignId, ChangeId, OrderId};
use crate::domain::payment::PagePlan;
use crate::store::campaigns::CampaignRow;
use crate::store::changes::{self, ChangeRow, UnderWay};
use crate::store::orders::OrderRow;
use crate::store::{Conn, Tx, orders};

/// The plan of the page that pays for a change: who asks for it himself is there to pay; whom staff ask it for reads a
/// letter first.
pub(in crate::workflows) fn page_plan(
    desk: &Desk,
    campaign: &CampaignRow,
    asked_by: Option<&str>,
    planned_at: DateTime<Utc>,
) -> PagePlan {
    match asked_by {
        None => PagePlan::at(planned_at, desk.hold_minutes),
        Some(_) => PagePlan::by_letter(planned_at, ends_at(campaign).and_utc(), desk.hold_minutes),
    }
}

/// Tells the shopper what staff ask for.
pub(super) fn tell(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    offer: &Offer,
    row: &ChangeRow,
) -> Result<(), Problem> {
    let order = &offer.order;
    let currency = order.currency.as_str();
    let page = match row.attempt {
        Some(attempt) => orders::payment(tx.conn, order.id, attempt)?,
        None => None,
    };
    let until = page.map_or(row.hold_expires_at, |page| page.expires_at);
    let token = desk.links.order_token(order.id);
    let (mut before, mut now) = (
        offer.before.said(currency),
        lines_said(&offer.wanted, currency),
    );
    if offer.abroad().is_some() {
        before.extend(shipping_said(&offer.agreed, &order.country, currency));
        now.extend(shipping_said(&offer.wanted, offer.country(), currency));
    }
    let news = After::ChangeAsked {
        before,
        cost: say(offer.before.total, currency),
        now,
        goes_to: offer.goes_to.as_ref().map(Destination::lines),
        parcels: offer.delivery.map(|d| parcels_said(d).to_owned()),
        costs: say(offer.wanted.quote.total, currency),
        pay: say(offer.moved.pay, currency),
        later: nonzero_said(offer.moved.owed, currency),
        until: until.and_utc(),
        link: desk
            .links
            .url(&format!("/o/{}/change/asked?t={token}", order.id)),
    };
    let merchant = merchant(tx, order.merchant_id)?;
    let draft = offer_of(campaign)?;
    let letter = Letter::After {
        about: desk.about(&merchant, campaign, &draft, order),
        news,
    };
    let once = format!("change_asked:{}", row.id);
    desk.tell_shopper(tx, &merchant, order, &once, letter)
}

/// The change of an order that is under way, and what it comes to.
///
/// # Errors
/// When a row is damaged, or what the database says.
pub fn asked_for(conn: &mut Conn, order: &OrderRow) -> Result<Option<(ChangeRow, Offer)>, Problem> {
    let Some(row) = changes::under_way(conn, order.id)? else {
        return Ok(None);
    };
    let page = match row.attempt {
        Some(attempt) => orders::payment(conn, order.id, attempt)?,
        None => None,
    };
    let (wanted, before, agreed) = (wanted(&row)?, Before::read(&row)?, frozen(order)?);
    let pay = page.map_or(0, |page| page.amount);
    let rest = wanted.quote.total - order.money().kept() - pay - order.allowances - order.lost;
    let offer = Offer {
        order: order.clone(),
        changes_cost: before.country.is_some(),
        before,
        agreed,
        wanted,
        entering: row.held()?,
        goes_to: goes_to(&row)?,
        delivery: row.delivery,
        moved: Difference {
            pay,
            back: 0,
            owed: rest.max(0),
        },
        changes_lines: true,
    };
    Ok(Some((row, offer)))
}

/// The shopper agrees to a change that staff ask for, from this network address, and goes on to pay it; whether it is the one
/// under way still. What is kept: when, under which terms, for which total, and what was said of withdrawal.
///
/// # Errors
/// What the database says.
pub fn agree(tx: &mut Tx, order: OrderId, change: ChangeId, from: &str) -> Result<bool, Problem> {
    let campaign = orders::campaign_of(tx.conn, order)?.ok_or(Problem::NotFound("order"))?;
    lock_campaign(tx, campaign)?;
    let order = orders::by_id(tx.conn, order)?.ok_or(Problem::NotFound("order"))?;
    let found = asked_for(tx.conn, &order)?;
    let Some((mut row, offer)) = found.filter(|(row, _)| row.id == change) else {
        return Ok(false);
    };
    if row.asked_by.is_none() || row.agreed_at.is_some() {
        return Ok(true);
    }
    let seller = merchant(tx, order.merchant_id)?;
    row.agreed_at = Some(tx.now.naive_utc());
    row.agreed_terms = Some(seller.terms_version);
    row.agreed_from = Some(from.to_owned());
    changes::save_consent(tx.conn, &row)?;
    let mut detail = format!(
        "{}. In force: the seller's terms, version {}.",
        offer.said(),
        seller.terms_version
    );
    if !offer.withdrawal(seller.withdrawal_everywhere).is_empty() && !offer.exempt().is_empty() {
        let names = offer.exempt().join(", ");
        detail = format!("{detail} No right of withdrawal: {names}.");
    }
    let concerns = Concerns::order(&order);
    happened(tx, concerns, "shopper", "change_agreed", detail)?;
    Ok(true)
}

/// Staff take back a change that they asked for and that is not paid yet.
///
/// # Errors
/// A conflict where there is none.
pub fn withdraw(tx: &mut Tx, order: OrderId, who: &str) -> Result<(), Problem> {
    let campaign = orders::campaign_of(tx.conn, order)?.ok_or(Problem::NotFound("order"))?;
    lock_campaign(tx, campaign)?;
    let row = changes::under_way(tx.conn, order)?.filter(|row| row.asked_by.is_some());
    let Some(row) = row else {
        return Err(Problem::conflict(
            "wrong-state",
            "No change that you asked for is under way: it was paid, or it has ended.",
        ));
    };
    if is_closing(tx, &row)? {
        return Ok(());
    }
    let order_row = orders::by_id(tx.conn, order)?.ok_or(Problem::NotFound("order"))?;
    let detail = "The seller takes the change back.";
    let concerns = Concerns::order(&order_row);
    happened(tx, concerns, who, "change_withdrawn", detail)?;
    take_back(tx, order)
}

/// Joining ends before its time: changes that staff asked for end with it, because their pages would be waited for too
/// long.
///
/// # Errors
/// What the database says.
pub(in crate::workflows) fn end_of_joining(
    tx: &mut Tx,
    campaign: CampaignId,
) -> Result<(), Problem> {
    for (order, attempt) in changes::pages_of(tx.conn, UnderWay::AskedByStaff(campaign))? {
        close_page(tx, order, attempt)?;
    }
    Ok(())
}
