//! A page saved a card: the order counts as committed, or has another card from now on (domain section 4).

use super::{Loaded, confirm, free, is_sold, page_closed, take_again, within_limit};
use crate::domain::ids::OrderId;
use crate::domain::order::OrderState;
use crate::domain::payment::AttemptState;
use crate::store::{Tx, orders};
use crate::workflows::desk::{Concerns, Desk, Problem, happened, merchant, offer};
use crate::workflows::letters::{Letter, WhyCancelled};
use crate::workflows::ports::CardOnFile;
use crate::workflows::{batches, cards, judgement, money};

/// The card that a deposit was paid with, kept for the balance. Without one the balance is paid on a page.
pub(super) fn keep_card(
    tx: &mut Tx,
    id: OrderId,
    card: Option<&CardOnFile>,
) -> Result<(), Problem> {
    if let Some(card) = card {
        cards::keep(tx, id, card)?;
    }
    Ok(())
}

/// Lets a deposit's card go where nothing is owed: it was all, or it was not taken and goes back.
pub(super) fn let_go_unowed(tx: &mut Tx, id: OrderId) -> Result<(), Problem> {
    let order = orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("order"))?;
    if order.owed <= 0 {
        cards::let_go(tx, id)?;
    }
    Ok(())
}

/// The page saved a card: the order counts as committed, or has another card from now on.
pub(super) fn saved(
    desk: &Desk,
    tx: &mut Tx,
    mut loaded: Loaded,
    card: &CardOnFile,
) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    let was_open = loaded.page.state.is_open();
    loaded.page.state = AttemptState::Saved;
    loaded.page.settled_at = Some(now);
    orders::save_payment(tx.conn, &loaded.page)?;
    tx.heard(loaded.order.id, None);
    if was_open {
        page_closed(tx, &loaded.campaign)?;
    }
    match loaded.order.state {
        OrderState::Pending if batches::has_failed(tx, &loaded.campaign, &loaded.order)? => {
            cards::refuse(tx, loaded.order.id, card)?;
            judgement::settle_paid_late(desk, tx, &loaded.campaign, &mut loaded.order)
        }
        OrderState::Pending => {
            cards::keep(tx, loaded.order.id, card)?;
            confirm(desk, tx, &mut loaded, 0)
        }
        OrderState::Expired | OrderState::Cancelled => {
            if loaded.order.state == OrderState::Expired
                && is_sold(&loaded.campaign, &loaded.order, now)
                && within_limit(tx, &loaded.campaign, &loaded.order)?
                && take_again(tx, &mut loaded.order)?
            {
                cards::keep(tx, loaded.order.id, card)?;
                return confirm(desk, tx, &mut loaded, 0);
            }
            if loaded.order.units_taken {
                free(tx, &mut loaded.order)?;
            }
            cards::refuse(tx, loaded.order.id, card)?;
            saved_too_late(desk, tx, &mut loaded)
        }
        OrderState::Confirmed
        | OrderState::Waitlisted
        | OrderState::Backordered
        | OrderState::PartlyShipped
        | OrderState::Shipped
        | OrderState::Delivered => cards::replaced(desk, tx, &mut loaded.order, card),
    }
}

/// Notes and tells that a card came too late for its order: it is not kept, and nothing is charged to it.
fn saved_too_late(desk: &Desk, tx: &mut Tx, loaded: &mut Loaded) -> Result<(), Problem> {
    let order = &mut loaded.order;
    let (why, note) = if order.state == OrderState::Cancelled {
        (
            WhyCancelled::SavedAfterCancelling,
            "The card was saved after the order was cancelled: it is not kept, and nothing is charged to it.",
        )
    } else {
        (
            WhyCancelled::SavedTooLate,
            "The card was saved after the units were free again: it is not kept, and nothing is charged.",
        )
    };
    order.note = Some(note.to_owned());
    money::keep(tx, order)?;
    happened(tx, Concerns::order(order), "system", "late_card", note)?;
    let merchant = merchant(tx, order.merchant_id)?;
    let draft = offer(&loaded.campaign)?;
    let letter = Letter::Cancelled {
        about: desk.about(&merchant, &loaded.campaign, &draft, order),
        why,
        back: None,
    };
    let once = format!("late_card:{}", loaded.page.attempt);
    desk.tell_shopper(tx, &merchant, order, &once, letter)
}
