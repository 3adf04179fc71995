//! One refund's way to the shopper: each call is a committed row, then the call, then its recorded outcome (domain
//! section 4).

use chrono::Duration;

use super::changes;
use super::desk::{Concerns, Desk, Problem, lock_campaign, merchant, offer};
use super::letters::Letter;
use super::money::{self, Heard, say};
use super::ports::{NewRefund, ProviderRefund, Tag};
use crate::domain::ids::RefundId;
use crate::domain::payment::{RefundAttemptState, RefundState};
use crate::store::campaigns::CampaignRow;
use crate::store::orders::OrderRow;
use crate::store::refunds::{RefundAttemptRow, RefundRow};
use crate::store::{Tx, orders, refunds};

/// A refund with all it hangs on, the campaign locked.
struct Loaded {
    campaign: CampaignRow,
    order: OrderRow,
    refund: RefundRow,
    call: RefundAttemptRow,
}

fn load(tx: &mut Tx, id: RefundId) -> Result<Loaded, Problem> {
    let refund = refunds::by_id(tx.conn, id)?.ok_or(Problem::NotFound("refund"))?;
    let campaign = lock_campaign(tx, refund.campaign_id)?;
    let refund = refunds::by_id(tx.conn, id)?.ok_or(Problem::NotFound("refund"))?;
    let order = orders::by_id(tx.conn, refund.order_id)?.ok_or(Problem::NotFound("order"))?;
    let call = refunds::attempt(tx.conn, id, refund.attempt)?
        .ok_or_else(|| Problem::Internal(format!("refund {id} has no call")))?;
    Ok(Loaded {
        campaign,
        order,
        refund,
        call,
    })
}

/// What is to be done for a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Nothing: it is done, given up, or held by a dispute.
    Nothing,
    /// Make the call.
    Call(Box<(NewRefund, String)>),
    /// Read the provider's list of this payment's refunds: the outcome of a call is to be found there.
    Look {
        /// The payment intent.
        intent: String,
        /// The call looked for.
        tag: Tag,
    },
    /// Ask for the refund by its id at the provider.
    Ask(String),
}

/// Keys are kept by the provider for 24 hours; after that its lists are read first.
const KEY_HOURS: i64 = 23;

/// Says what is to be done for a refund, and notes that it is about to be done.
///
/// # Errors
/// What the database says.
pub fn next(tx: &mut Tx, id: RefundId) -> Result<Step, Problem> {
    let Loaded {
        order,
        mut refund,
        mut call,
        ..
    } = load(tx, id)?;
    let over = matches!(
        refund.state,
        RefundState::Succeeded
            | RefundState::Failed
            | RefundState::PaidOtherwise
            | RefundState::Dropped
    );
    if over || refund.held {
        return Ok(Step::Nothing);
    }
    let now = tx.now.naive_utc();
    let page = orders::payment(tx.conn, refund.order_id, refund.payment_attempt)?
        .ok_or_else(|| Problem::Internal(format!("refund {id} has no payment")))?;
    let intent = page
        .intent_id
        .ok_or_else(|| Problem::Internal(format!("the payment of refund {id} has no intent")))?;
    let change = changes::note_of_refund(tx, &refund)?;
    let tag = Tag::refund(order.id, id, refund.purpose, call.attempt).of_change(change);
    match call.state {
        RefundAttemptState::Planned | RefundAttemptState::Sent => {
            let stale = call
                .first_sent_at
                .is_some_and(|at| now - at > Duration::hours(KEY_HOURS));
            if stale {
                call.state = RefundAttemptState::Unknown;
                refunds::save_attempt(tx.conn, &call)?;
                return Ok(Step::Look { intent, tag });
            }
            call.state = RefundAttemptState::Sent;
            call.first_sent_at = call.first_sent_at.or(Some(now));
            refunds::save_attempt(tx.conn, &call)?;
            refund.state = RefundState::Sent;
            refund.updated_at = now;
            refunds::save(tx.conn, &refund)?;
            let new = NewRefund {
                tag,
                intent,
                currency: money::currency(&refund.currency)?,
                amount: refund.amount,
            };
            Ok(Step::Call(Box::new((new, call.idempotency_key))))
        }
        RefundAttemptState::Unknown => Ok(Step::Look { intent, tag }),
        RefundAttemptState::Pending => match call.provider_id {
            Some(id) => Ok(Step::Ask(id)),
            None => Ok(Step::Look { intent, tag }),
        },
        RefundAttemptState::Absent | RefundAttemptState::Succeeded | RefundAttemptState::Failed => {
            Ok(Step::Nothing)
        }
    }
}

/// The provider failed at a call: its list is read before anything else.
///
/// # Errors
/// What the database says.
pub fn broke(tx: &mut Tx, id: RefundId, why: &str) -> Result<(), Problem> {
    let Loaded { mut call, .. } = load(tx, id)?;
    if call.state == RefundAttemptState::Sent {
        call.state = RefundAttemptState::Unknown;
        call.problem = Some(why.to_owned());
        call.looked_at = None;
        refunds::save_attempt(tx.conn, &call)?;
    }
    Ok(())
}

/// The call is absent from the provider's list. Absent twice, a minute apart: it never happened, and a new attempt with a
/// new key follows. Whether it does.
///
/// # Errors
/// What the database says.
pub fn absent(tx: &mut Tx, id: RefundId) -> Result<bool, Problem> {
    let Loaded {
        mut refund,
        mut call,
        ..
    } = load(tx, id)?;
    if call.state != RefundAttemptState::Unknown {
        return Ok(true);
    }
    let now = tx.now.naive_utc();
    match call.looked_at {
        Some(first) if now - first >= Duration::minutes(1) => {
            call.state = RefundAttemptState::Absent;
            refunds::save_attempt(tx.conn, &call)?;
            money::next_call(tx, &mut refund)?;
            Ok(true)
        }
        Some(_) => Ok(false),
        None => {
            call.looked_at = Some(now);
            refunds::save_attempt(tx.conn, &call)?;
            Ok(false)
        }
    }
}

/// The provider refused the call for good: it did not move money. A further call would be refused as well, so the
/// shopper is asked for another way at once, and staff see why.
///
/// # Errors
/// What the database says.
pub fn refused(desk: &Desk, tx: &mut Tx, id: RefundId, why: &str) -> Result<(), Problem> {
    let mut loaded = load(tx, id)?;
    if loaded.call.state != RefundAttemptState::Sent {
        return Ok(());
    }
    loaded.call.state = RefundAttemptState::Failed;
    loaded.call.problem = Some(why.to_owned());
    refunds::save_attempt(tx.conn, &loaded.call)?;
    loaded.refund.failures += 1;
    loaded.refund.state = RefundState::Failed;
    loaded.refund.updated_at = tx.now.naive_utc();
    refunds::save(tx.conn, &loaded.refund)?;
    money::keep(tx, &mut loaded.order)?;
    another_way(desk, tx, &loaded)
}

/// The provider refused the call because the charge is disputed: nothing moved, and the refund is held until the dispute
/// is over. A further call has a new key, as this one's answer would only be repeated.
///
/// # Errors
/// What the database says.
pub fn held_by_dispute(tx: &mut Tx, id: RefundId, why: &str) -> Result<(), Problem> {
    let Loaded {
        mut refund,
        mut call,
        ..
    } = load(tx, id)?;
    if call.state != RefundAttemptState::Sent {
        return Ok(());
    }
    call.state = RefundAttemptState::Absent;
    call.problem = Some(why.to_owned());
    refunds::save_attempt(tx.conn, &call)?;
    refund.held = true;
    money::next_call(tx, &mut refund)
}

/// Applies what the provider says of a refund, by the call it belongs to. Whether it is still on its way.
///
/// # Errors
/// What the database says.
pub fn heard(
    desk: &Desk,
    tx: &mut Tx,
    id: RefundId,
    attempt: i32,
    said: &ProviderRefund,
) -> Result<bool, Problem> {
    let mut loaded = load(tx, id)?;
    let mut call = refunds::attempt(tx.conn, id, attempt)?
        .ok_or_else(|| Problem::Internal(format!("refund {id} has no call {attempt}")))?;
    if said.amount != loaded.refund.amount {
        return Err(Problem::Internal(format!(
            "refund {} at the provider is over {} instead of {}",
            said.id, said.amount, loaded.refund.amount
        )));
    }
    let known = call.provider_id.as_deref();
    if known.is_some_and(|known| known != said.id) {
        return Err(Problem::Internal(format!(
            "refund {} is not the one of this call",
            said.id
        )));
    }
    let heard = money::refund_heard(tx, &mut loaded.order, &mut loaded.refund, &mut call, said)?;
    tx.touch(loaded.campaign.id);
    if heard == Heard::NeedsAnotherWay {
        another_way(desk, tx, &loaded)?;
    }
    Ok(matches!(heard, Heard::Pending))
}

/// Asks the shopper for another way, and tells staff.
fn another_way(desk: &Desk, tx: &mut Tx, loaded: &Loaded) -> Result<(), Problem> {
    let Loaded {
        campaign,
        order,
        refund,
        ..
    } = loaded;
    let merchant = merchant(tx, order.merchant_id)?;
    let draft = offer(campaign)?;
    let amount = say(refund.amount, &refund.currency);
    let once = format!("another_way:{}", refund.id);
    let letter = Letter::RefundNeedsAnotherWay {
        about: desk.about(&merchant, campaign, &draft, order),
        amount: amount.clone(),
        answer_to: merchant.email.clone(),
    };
    desk.tell_shopper(tx, &merchant, order, &once, letter)?;
    let number = super::desk::order_number(order.number);
    desk.tell_staff(
        tx,
        Concerns::order(order),
        &once,
        &format!("A refund of {amount} needs another way: order {number}"),
        vec![format!(
            "{} was asked by mail. Pay it otherwise and record the proof.",
            order.name
        )],
        &format!("/admin/orders/{}", order.id),
    )
}

/// Staff paid it in another way, with proof.
///
/// # Errors
/// A conflict where it did not fail.
pub fn paid_otherwise(tx: &mut Tx, id: RefundId, person: &str, proof: &str) -> Result<(), Problem> {
    let mut loaded = load(tx, id)?;
    let proof = crate::domain::text::clean_text(proof, 500)
        .map_err(|message| Problem::field("proof", message))?;
    if proof.is_empty() {
        return Err(Problem::field(
            "proof",
            "Write how it was paid and where the proof is, such as the bank's reference.",
        ));
    }
    money::paid_otherwise(tx, &mut loaded.order, &mut loaded.refund, &proof)?;
    let said = say(loaded.refund.amount, &loaded.refund.currency);
    super::desk::happened(
        tx,
        Concerns::order(&loaded.order),
        person,
        "paid_otherwise",
        format!("{said} was paid in another way."),
    )
}
