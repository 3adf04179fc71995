//! The page on which a change's difference is paid: it was, or it ended.

use super::super::counts;
use super::super::desk::{Concerns, Desk, Problem, happened, merchant, offer};
use super::super::letters::{After, Letter};
use super::super::money::{self, say};
use super::super::papers;
use super::super::payment::{Loaded, took_another_currency};
use super::effect::Effect;
use super::offer::standing;
use super::{close, goes_to, is_as_before, lines_said, wanted};
use crate::domain::campaign::{BatchState, CampaignState};
use crate::domain::change::{ChangeEvent, ChangeState, difference};
use crate::domain::order::OrderState;
use crate::domain::payment::RefundPurpose;
use crate::store::campaigns::CampaignRow;
use crate::store::changes::ChangeRow;
use crate::store::orders::{OrderRow, PaymentRow};
use crate::store::{Tx, campaigns, changes};

/// The page took the money, which is booked: the change takes effect, if the order is still what it was made for. Else the
/// payment goes back in full. What came beyond the difference goes back in any case.
///
/// # Errors
/// What the database says.
pub(in crate::workflows) fn paid(
    desk: &Desk,
    tx: &mut Tx,
    loaded: &mut Loaded,
    asked: i64,
) -> Result<(), Problem> {
    let Some(mut row) = of_page(tx, &loaded.page)? else {
        return give_back(desk, tx, loaded);
    };
    let (attempt, amount) = (loaded.page.attempt, loaded.page.amount);
    if amount < asked || !fits(tx, loaded, &row, amount - asked)? {
        drop_planned(tx, &loaded.campaign, &mut row)?;
        return give_back(desk, tx, loaded);
    }
    close(tx, &mut row, ChangeEvent::Paid)?;
    let order = &mut loaded.order;
    money::commit_refund(tx, order, attempt, RefundPurpose::Late, amount - asked)?;
    let receipt = papers::newest_receipt(tx, order.id)?;
    Effect::paid(&loaded.campaign, &row, (asked, receipt))?.take(desk, tx, order)
}

/// The change under way that a page pays for.
pub(super) fn of_page(tx: &mut Tx, page: &PaymentRow) -> Result<Option<ChangeRow>, Problem> {
    let row = changes::under_way(tx.conn, page.order_id)?;
    Ok(row.filter(|row| row.attempt == Some(page.attempt)))
}

/// Whether a change that was paid can be made: the order counts, is what it was, and nothing is judged yet. Joining may have
/// ended: its units were held before.
fn fits(tx: &mut Tx, loaded: &Loaded, row: &ChangeRow, excess: i64) -> Result<bool, Problem> {
    let (campaign, order) = (&loaded.campaign, &loaded.order);
    let batch = campaigns::batch(tx.conn, order.batch_id)?;
    let gathers = batch.is_some_and(|batch| batch.state == BatchState::Gathering);
    if row.state != ChangeState::Planned
        || order.state != OrderState::Confirmed
        || campaign.state != CampaignState::Open
        || !gathers
        || !is_as_before(tx, order, row)?
    {
        return Ok(false);
    }
    let mut at = standing(order, &offer(campaign)?, wanted(row)?.quote.total)?;
    at.kept -= excess;
    Ok(difference(at).pay == 0)
}

/// A change is not made: its units are free.
pub(super) fn drop_planned(
    tx: &mut Tx,
    campaign: &CampaignRow,
    row: &mut ChangeRow,
) -> Result<(), Problem> {
    let held = row.held()?;
    close(tx, row, ChangeEvent::Dropped)?;
    counts::let_go(tx, campaign.id, &held)?;
    tx.touch(campaign.id);
    Ok(())
}

/// The payment goes back in full; the order stays as it is.
fn give_back(desk: &Desk, tx: &mut Tx, loaded: &mut Loaded) -> Result<(), Problem> {
    let (attempt, amount) = (loaded.page.attempt, loaded.page.amount);
    let order = &mut loaded.order;
    money::commit_refund(tx, order, attempt, RefundPurpose::Late, amount)?;
    money::keep(tx, order)?;
    let back = say(amount, &order.currency);
    let ended = order.state != OrderState::Confirmed;
    let detail = if ended {
        format!("A change was paid after its order had ended; {back} goes back to the card.")
    } else {
        format!(
            "A change was paid that could not be made any more. The order stays as it is; {back} goes back to the card."
        )
    };
    let concerns = Concerns::order(order);
    happened(tx, concerns, "system", "change_too_late", detail)?;
    let once = format!("change_too_late:{attempt}");
    let news = After::ChangeTooLate { back };
    tell(desk, tx, &loaded.campaign, &loaded.order, (&once, news))
}

/// The page of a change ended unpaid: the change is dropped, and the order stays as it was.
///
/// # Errors
/// What the database says.
pub(in crate::workflows) fn drop_unpaid(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &OrderRow,
    page: &PaymentRow,
) -> Result<(), Problem> {
    let Some(mut row) = of_page(tx, page)? else {
        return Ok(());
    };
    drop_planned(tx, campaign, &mut row)?;
    let batch = campaigns::batch(tx.conn, order.batch_id)?.map(|batch| batch.state);
    if order.state != OrderState::Confirmed || batch == Some(BatchState::Failed) {
        return Ok(());
    }
    let gathers = batch == Some(BatchState::Gathering);
    // What staff asked for ends with joining; what shoppers began is waited for.
    let ends_early = row.asked_by.is_some() && campaign.closed_at.is_some();
    let joining_ended = page.close_wanted && gathers && ends_early;
    let taken_back = page.close_wanted && gathers && !joining_ended;
    let detail = if took_another_currency(page) {
        "The change was not paid; the order stays as it was."
    } else if taken_back {
        "The change was taken back. Nothing was charged; the order stays as it was."
    } else if joining_ended {
        "Joining ended before the change was paid. Nothing was charged; the order stays as it was."
    } else if page.close_wanted {
        "The batch came together before the change was paid. Nothing was charged; the order stays as it was."
    } else {
        "The change was not paid in time. Nothing was charged; the order stays as it was."
    };
    let concerns = Concerns::order(order);
    happened(tx, concerns, "system", "change_ran_out", detail)?;
    // Who took it back knows; of what staff asked for either side may have taken it back.
    if taken_back && row.asked_by.is_none() {
        return Ok(());
    }
    let once = format!("change_ran_out:{}", row.id);
    let mut wanted = lines_said(&wanted(&row)?, &order.currency);
    if let Some(to) = goes_to(&row)? {
        wanted.push(format!("To {}", to.lines().join(", ")));
    }
    let news = After::ChangeRanOut { wanted };
    tell(desk, tx, campaign, order, (&once, news))
}

fn tell(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    order: &OrderRow,
    (once, news): (&str, After),
) -> Result<(), Problem> {
    let merchant = merchant(tx, order.merchant_id)?;
    let draft = offer(campaign)?;
    let letter = Letter::After {
        about: desk.about(&merchant, campaign, &draft, order),
        news,
    };
    desk.tell_shopper(tx, &merchant, order, once, letter)
}
