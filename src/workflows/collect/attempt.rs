//! One charge of a saved card: what is asked for, and what follows from each answer (domain section 4).

use chrono::Duration;

use super::super::desk::{Desk, Problem};
use super::super::payment::{self, Loaded, frozen, load, page_closed};
use super::super::ports::{Declined, IntentStatus, NewCharge, ProviderIntent, Tag};
use super::{add_attempt, refused};
use crate::domain::card::Decline;
use crate::domain::ids::OrderId;
use crate::domain::order::OrderState;
use crate::domain::payment::{AttemptState, PaymentKind};
use crate::store::dues::CardRow;
use crate::store::orders::{OrderRow, PaymentRow};
use crate::store::{Tx, orders};
use crate::workflows::desk::order_number;
use crate::workflows::money;

/// The charge to be asked for: made of frozen rows only, so that a repeated call has the same parameters.
///
/// # Errors
/// When a row is damaged.
pub fn charge_request(
    order: &OrderRow,
    page: &PaymentRow,
    card: &CardRow,
) -> Result<NewCharge, Problem> {
    let agreed = frozen(order)?;
    Ok(NewCharge {
        tag: Tag::payment(order.id, PaymentKind::Charge, page.attempt),
        currency: money::currency(&order.currency)?,
        amount: page.amount,
        customer: card.customer_id.clone(),
        method: card.method_id.clone(),
        description: format!("{}: {}", agreed.title, order_number(order.number)),
    })
}

/// Applies what the provider says of a charge's intent, once.
///
/// # Errors
/// What the database says.
pub fn heard(
    desk: &Desk,
    tx: &mut Tx,
    id: OrderId,
    attempt: i32,
    said: &ProviderIntent,
) -> Result<AttemptState, Problem> {
    let mut loaded = load(tx, id, attempt)?;
    if loaded.page.intent_id.is_none() {
        loaded.page.intent_id = Some(said.id.clone());
    } else if loaded.page.intent_id.as_deref() != Some(&said.id) {
        return Err(Problem::Internal(format!(
            "intent {} speaks for attempt {attempt} of order {id}, which has another",
            said.id
        )));
    }
    match &said.status {
        _ if said.currency.code() != loaded.order.currency => {
            loaded.page.problem = Some(format!(
                "the provider charged it in {} instead of {}",
                said.currency.code(),
                loaded.order.currency
            ));
        }
        IntentStatus::Succeeded => {
            if loaded.page.state != AttemptState::Paid {
                payment::paid(desk, tx, loaded, Some(said.amount))?;
            }
            return Ok(AttemptState::Paid);
        }
        IntentStatus::Wanting(why) if loaded.page.state.is_open() => {
            let why = why.clone().unwrap_or_else(unsaid);
            declined(desk, tx, &mut loaded, &why)?;
            return Ok(AttemptState::Declined);
        }
        IntentStatus::Cancelled if loaded.page.state.is_open() => {
            over(
                tx,
                &mut loaded,
                AttemptState::Expired,
                "it was cancelled at the provider",
            )?;
            refused(
                desk,
                tx,
                &mut loaded,
                Decline::Soft,
                "it was cancelled at the provider",
            )?;
            return Ok(AttemptState::Expired);
        }
        IntentStatus::Cancelled if loaded.page.state == AttemptState::Declined => {
            loaded.page.state = AttemptState::Expired;
        }
        IntentStatus::Processing if loaded.page.state.is_open() => {
            loaded.page.state = AttemptState::Processing;
        }
        IntentStatus::Unknown => {
            loaded.page.problem = Some("the provider gave a state that is not known".into());
        }
        IntentStatus::Wanting(_) | IntentStatus::Cancelled | IntentStatus::Processing => {}
    }
    orders::save_payment(tx.conn, &loaded.page)?;
    Ok(loaded.page.state)
}

fn unsaid() -> Declined {
    Declined {
        decline: Decline::Soft,
        code: String::new(),
        message: "Your bank did not say why.".to_owned(),
    }
}

/// The bank, or the provider, said no to this charge.
///
/// # Errors
/// What the database says.
pub(in crate::workflows) fn declined(
    desk: &Desk,
    tx: &mut Tx,
    loaded: &mut Loaded,
    why: &Declined,
) -> Result<(), Problem> {
    let said = if why.code.is_empty() {
        why.message.clone()
    } else {
        format!("{}: {}", why.code, why.message)
    };
    over(tx, loaded, AttemptState::Declined, &said)?;
    refused(desk, tx, loaded, why.decline, &why.message)
}

/// The provider will never make this charge: its card is over for it.
///
/// # Errors
/// What the database says.
pub fn refused_for_good(
    desk: &Desk,
    tx: &mut Tx,
    id: OrderId,
    attempt: i32,
    code: &str,
    message: &str,
) -> Result<(), Problem> {
    let mut loaded = load(tx, id, attempt)?;
    if !loaded.page.state.is_open() {
        return Ok(());
    }
    let why = Declined {
        decline: Decline::Hard,
        code: code.to_owned(),
        message: message.to_owned(),
    };
    declined(desk, tx, &mut loaded, &why)
}

fn over(tx: &mut Tx, loaded: &mut Loaded, end: AttemptState, why: &str) -> Result<(), Problem> {
    loaded.page.state = end;
    loaded.page.problem = Some(why.to_owned());
    loaded.page.settled_at = Some(tx.now.naive_utc());
    orders::save_payment(tx.conn, &loaded.page)?;
    page_closed(tx, &loaded.campaign)
}

/// The intent that a refusal left behind was cancelled: it can never take money any more.
///
/// # Errors
/// What the database says.
pub fn intent_cancelled(tx: &mut Tx, id: OrderId, attempt: i32) -> Result<(), Problem> {
    let mut loaded = load(tx, id, attempt)?;
    if loaded.page.state == AttemptState::Declined {
        loaded.page.state = AttemptState::Expired;
        orders::save_payment(tx.conn, &loaded.page)?;
    }
    Ok(())
}

/// What follows where the provider's lists do not have a charge whose making is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Find {
    /// They are read once more, a minute later.
    Again,
    /// It was absent twice: a new attempt has begun.
    Anew,
}

/// The provider's lists do not have this charge. Absent twice, a minute apart: a new attempt with a new key.
///
/// # Errors
/// What the database says.
pub fn absent(tx: &mut Tx, id: OrderId, attempt: i32) -> Result<Find, Problem> {
    let mut loaded = load(tx, id, attempt)?;
    let now = tx.now.naive_utc();
    if loaded.page.state != AttemptState::Planned {
        return Ok(Find::Anew);
    }
    match loaded.page.looked_at {
        Some(before) if now - before >= Duration::minutes(1) => {
            let why = "the provider does not have it";
            over(tx, &mut loaded, AttemptState::Abandoned, why)?;
            let order = &loaded.order;
            if order.owed > 0 && order.state != OrderState::Cancelled {
                let until = tx.now + Duration::days(1);
                add_attempt(tx, order, PaymentKind::Charge, order.owed, until)?;
            }
            Ok(Find::Anew)
        }
        Some(_) => Ok(Find::Again),
        None => {
            loaded.page.looked_at = Some(now);
            orders::save_payment(tx.conn, &loaded.page)?;
            Ok(Find::Again)
        }
    }
}
