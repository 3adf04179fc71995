//! Changes that staff ask for: the shopper is told what it costs more and where to pay it, and it ends with joining.

use chrono::{DateTime, Utc};

use super::super::desk::{
    Concerns, Desk, Problem, ends_at, happened, lock_campaign, merchant, offer as offer_of,
};
use super::super::letters::{After, Letter};
use super::super::money::{nonzero_said, say};
use super::{Before, Offer, close_page, is_closing, lines_said, take_back, wanted};
use crate::domain::change::Difference;
use crate::domain::ids::{CampaignId, OrderId};
use crate::domain::payment::PagePlan;
use crate::store::campaigns::CampaignRow;
use crate::store::changes::{self, ChangeRow};
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
    let news = After::ChangeAsked {
        before: offer.before.said(currency),
        cost: say(offer.before.total, currency),
        now: lines_said(&offer.wanted, currency),
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
    let wanted = wanted(&row)?;
    let pay = page.map_or(0, |page| page.amount);
    let rest = wanted.quote.total - order.money().kept() - pay - order.allowances - order.lost;
    let offer = Offer {
        order: order.clone(),
        before: Before::read(&row)?,
        wanted,
        entering: row.held()?,
        moved: Difference {
            pay,
            back: 0,
            owed: rest.max(0),
        },
        changes_lines: true,
    };
    Ok(Some((row, offer)))
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
    for (order, attempt) in changes::asked_by_staff(tx.conn, campaign)? {
        close_page(tx, order, attempt)?;
    }
    Ok(())
}
