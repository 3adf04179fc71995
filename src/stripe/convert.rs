//! The provider's objects in our words and our minor units.

use std::collections::HashMap;

use chrono::DateTime;
use stripe_shared::{
    Charge, ChargeStatus, CheckoutSession, CheckoutSessionMode, CheckoutSessionPaymentStatus,
    CheckoutSessionStatus, Dispute, PaymentIntent, Refund,
};
use stripe_types::{Expandable, List};

use super::cards;
use crate::domain::country::Country;
use crate::domain::currency::Currency;
use crate::workflows::ports::{
    Balance, CallError, ChangeNote, Listed, Page, PageStatus, ProviderCharge, ProviderDispute,
    ProviderRefund, ProviderRefundStatus, Tag,
};

/// Our ids among an object's metadata; none where it isn't ours.
pub(super) fn tag(metadata: &HashMap<String, String>) -> Option<Tag> {
    let purpose = metadata.get("purpose")?;
    (!purpose.is_empty()).then_some(())?;
    Some(Tag {
        order: metadata.get("order")?.parse().ok()?,
        purpose: purpose.clone(),
        attempt: metadata.get("attempt")?.parse().ok()?,
        change: change(metadata),
    })
}

/// What the change of an order is that a movement belongs to, if it says so and can be read.
fn change(metadata: &HashMap<String, String>) -> Option<ChangeNote> {
    let parts = (1..).map_while(|part| metadata.get(&lines_key(part)));
    let lines: String = parts.map(String::as_str).collect();
    Some(ChangeNote {
        change: metadata.get("change")?.parse().ok()?,
        lines: serde_json::from_str(&lines).ok()?,
        by_staff: metadata.contains_key(CHANGE_BY),
        country: match metadata.get(CHANGE_COUNTRY) {
            Some(code) => Some(Country::parse(code)?),
            None => None,
        },
    })
}

/// The key that says that staff asked for a change.
pub(super) const CHANGE_BY: &str = "change_by";
/// The key of the country to which a change sent an order.
pub(super) const CHANGE_COUNTRY: &str = "change_country";

/// The key of one part of a change's lines: a value has a limit.
pub(super) fn lines_key(part: usize) -> String {
    format!("lines_{part}")
}

/// A page. One whose amount can't be held in our units has none.
pub(super) fn page(session: CheckoutSession) -> Page {
    let amount = session
        .amount_total
        .zip(session.currency.as_ref())
        .and_then(|(amount, currency)| minor(amount, currency));
    Page {
        status: page_status(&session),
        card: cards::on_file(&session),
        amount,
        currency: session.currency.as_ref().and_then(currency),
        tag: session.metadata.as_ref().and_then(tag),
        id: session.id.as_str().to_owned(),
        url: session.url,
        intent: intent(session.payment_intent),
    }
}

/// Never guessed: a word that is not known, in any place, is none.
fn page_status(session: &CheckoutSession) -> Option<PageStatus> {
    match session.status.as_ref()? {
        CheckoutSessionStatus::Open => Some(PageStatus::Open),
        CheckoutSessionStatus::Expired => Some(PageStatus::Expired),
        CheckoutSessionStatus::Complete => match session.mode {
            CheckoutSessionMode::Payment => paid_status(&session.payment_status),
            // There is nothing to pay on such a page: whether the card is saved says its intent.
            CheckoutSessionMode::Setup => cards::is_set_up(session).then_some(PageStatus::Saved),
            _ => None,
        },
        _ => None,
    }
}

fn paid_status(payment: &CheckoutSessionPaymentStatus) -> Option<PageStatus> {
    match payment {
        CheckoutSessionPaymentStatus::Paid | CheckoutSessionPaymentStatus::NoPaymentRequired => {
            Some(PageStatus::Paid)
        }
        CheckoutSessionPaymentStatus::Unpaid => Some(PageStatus::Unpaid),
        _ => None,
    }
}

/// A refund.
///
/// # Errors
/// Unknown, when its amount can't be held in our units: an answer that can't be read.
pub(super) fn refund(refund: Refund) -> Result<ProviderRefund, CallError> {
    let amount = minor(refund.amount, &refund.currency)
        .ok_or_else(|| odd(refund.id.as_str(), refund.amount, &refund.currency))?;
    Ok(ProviderRefund {
        status: refund_status(refund.status.as_deref()),
        amount,
        tag: refund.metadata.as_ref().and_then(tag),
        id: refund.id.as_str().to_owned(),
        intent: intent(refund.payment_intent),
        failure: refund.failure_reason,
    })
}

/// `requires_action` never comes with a card: it is for staff to look at, like every word that is not known.
fn refund_status(word: Option<&str>) -> ProviderRefundStatus {
    match word {
        Some("pending") => ProviderRefundStatus::Pending,
        Some("succeeded") => ProviderRefundStatus::Succeeded,
        Some("failed" | "canceled") => ProviderRefundStatus::Failed,
        _ => ProviderRefundStatus::Unknown,
    }
}

/// A page of refunds.
///
/// # Errors
/// Unknown, when one of ours can't be read.
pub(super) fn refunds(list: List<Refund>) -> Result<Listed<ProviderRefund>, CallError> {
    listed(list, |refund| refund.id.as_str(), refund_of_list)
}

fn refund_of_list(one: Refund) -> Result<Option<ProviderRefund>, CallError> {
    let ours = one.metadata.as_ref().and_then(tag).is_some();
    left_alone_unless(ours, refund(one))
}

/// A page of charges.
///
/// # Errors
/// Unknown, when one of ours can't be read.
pub(super) fn charges(list: List<Charge>) -> Result<Listed<ProviderCharge>, CallError> {
    listed(list, |charge| charge.id.as_str(), charge_of_list)
}

fn charge_of_list(one: Charge) -> Result<Option<ProviderCharge>, CallError> {
    let tag = tag(&one.metadata);
    left_alone_unless(tag.is_some(), charge(one, tag))
}

fn charge(charge: Charge, tag: Option<Tag>) -> Result<ProviderCharge, CallError> {
    let (currency, amount) = currency(&charge.currency)
        .and_then(|ours| Some((ours, ours.from_provider(charge.amount_captured)?)))
        .ok_or_else(|| odd(charge.id.as_str(), charge.amount_captured, &charge.currency))?;
    Ok(ProviderCharge {
        paid: charge.paid && charge.captured && charge.status == ChargeStatus::Succeeded,
        id: charge.id.as_str().to_owned(),
        intent: intent(charge.payment_intent),
        amount,
        currency,
        tag,
    })
}

/// A dispute.
///
/// # Errors
/// Unknown, when its amount can't be held in our units.
pub(super) fn dispute(dispute: Dispute) -> Result<ProviderDispute, CallError> {
    let (currency, amount) = currency(&dispute.currency)
        .and_then(|ours| Some((ours, ours.from_provider(dispute.amount)?)))
        .ok_or_else(|| odd(dispute.id.as_str(), dispute.amount, &dispute.currency))?;
    let moved = dispute
        .balance_transactions
        .iter()
        .map(|moved| moved.amount);
    let details = dispute.evidence_details;
    Ok(ProviderDispute {
        id: dispute.id.as_str().to_owned(),
        amount,
        currency,
        withdrawn: moved.fold(0, i64::saturating_add) < 0,
        status: dispute.status.as_str().to_owned(),
        reason: dispute.reason,
        tag: dispute.charge.as_object().and_then(|c| tag(&c.metadata)),
        intent: intent(dispute.payment_intent),
        due_by: details
            .due_by
            .filter(|at| *at > 0)
            .and_then(|at| DateTime::from_timestamp(at, 0)),
        has_evidence: details.has_evidence,
        submissions: details.submission_count,
    })
}

/// A page of disputes.
///
/// # Errors
/// Unknown, when one of ours can't be read.
pub(super) fn disputes(list: List<Dispute>) -> Result<Listed<ProviderDispute>, CallError> {
    listed(list, |dispute| dispute.id.as_str(), dispute_of_list)
}

fn dispute_of_list(one: Dispute) -> Result<Option<ProviderDispute>, CallError> {
    let charge = one.charge.as_object();
    let ours = charge.and_then(|c| tag(&c.metadata)).is_some();
    left_alone_unless(ours, dispute(one))
}

/// The balance, by currency code. Currencies that can't be charged are left out: nothing of ours is in them.
pub(super) fn balance(balance: stripe_core::Balance) -> Vec<Balance> {
    let mut found: Vec<Balance> = Vec::new();
    let available = balance.available.iter().map(|part| (part, true));
    let pending = balance.pending.iter().map(|part| (part, false));
    for (part, is_available) in available.chain(pending) {
        let Some(ours) = currency(&part.currency) else {
            continue;
        };
        let Some(amount) = at_most(ours, part.amount) else {
            continue;
        };
        let at = match found.iter().position(|balance| balance.currency == ours) {
            Some(at) => at,
            None => {
                found.push(Balance {
                    currency: ours,
                    available: 0,
                    pending: 0,
                });
                found.len() - 1
            }
        };
        let sum = if is_available {
            &mut found[at].available
        } else {
            &mut found[at].pending
        };
        *sum = sum.saturating_add(amount);
    }
    found.sort_by_key(|balance| balance.currency);
    found
}

/// A balance in our units, rounded down: fees leave parts in it that our books have no unit for, and it must never
/// look larger than it is.
fn at_most(currency: Currency, amount: i64) -> Option<i64> {
    (0..100).find_map(|less| currency.from_provider(amount.checked_sub(less)?))
}

/// One page of a list, with the cursor of the next. Objects of others that can't be read are left out (domain section
/// 7, rule 8: others there are left alone).
pub(super) fn listed<T, U>(
    list: List<T>,
    id: impl Fn(&T) -> &str,
    one: impl Fn(T) -> Result<Option<U>, CallError>,
) -> Result<Listed<U>, CallError> {
    let last = list.data.last().map(|object| id(object).to_owned());
    let data = list
        .data
        .into_iter()
        .filter_map(|object| one(object).transpose())
        .collect::<Result<Vec<U>, CallError>>()?;
    Ok(Listed {
        data,
        next: last.filter(|_| list.has_more),
    })
}

/// An object of a list that could not be read is left out, unless it is ours.
///
/// # Errors
/// What it could not be read for, where it is ours.
pub(super) fn left_alone_unless<U>(
    ours: bool,
    read: Result<U, CallError>,
) -> Result<Option<U>, CallError> {
    match read {
        Err(_) if !ours => Ok(None),
        read => read.map(Some),
    }
}

fn intent(intent: Option<Expandable<PaymentIntent>>) -> Option<String> {
    intent.map(|intent| intent.id().as_str().to_owned())
}

pub(super) fn currency(theirs: &stripe_types::Currency) -> Option<Currency> {
    Currency::parse(&code(theirs))
}

/// The code of a currency. The client's own list lacks some that the provider takes (the dinars of Bahrain and Kuwait,
/// among others), and it prints those as its enum looks.
fn code(theirs: &stripe_types::Currency) -> String {
    match theirs {
        stripe_types::Currency::Unknown(code) => code.clone(),
        listed => listed.to_string(),
    }
}

/// An amount in our units; none where they can't hold it.
pub(super) fn minor(amount: i64, theirs: &stripe_types::Currency) -> Option<i64> {
    currency(theirs)?.from_provider(amount)
}

/// What an amount that can't be held is: an answer that can't be read.
pub(super) fn odd(id: &str, amount: i64, currency: &stripe_types::Currency) -> CallError {
    let code = code(currency);
    CallError::Unknown(format!("{id}: {amount} {code} can't be held in our units"))
}
