//! What calls about claims, withdrawals, changes and refunds send.

use serde_json::Value;
use utoipa::ToSchema;

use super::bodies::{AddressBody, line};
use super::fields::{Errors, Reader};
use crate::domain::claim::{ClaimKind, ClaimOutcome, MAX_TEXT};
use crate::domain::currency::Currency;
use crate::domain::money::Money;
use crate::domain::order::Delivery;
use crate::domain::text::clean_text;
use crate::store::orders::OrderRow;
use crate::workflows::change::{Change, Typed};
use crate::workflows::claims::decide::Decision;
use crate::workflows::desk::Problem;
use crate::workflows::give_back::{MAX_REASON, What};

/// An option and how many of it.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct UnitsBody {
    sku: String,
    #[schema(minimum = 1)]
    quantity: i64,
}

/// What is wrong with something that was handed over.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct ClaimBody {
    /// `lost`, `damaged`, `wrong`, `returned` or `refused`.
    kind: String,
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<UnitsBody>,
    /// In a few words; may be left out for what is lost.
    text: Option<String>,
}

/// How a claim ends.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct ResolveBody {
    /// `reship`, `refund`, `partial_refund` or `refused`.
    outcome: String,
    /// With `partial_refund`: how much. With `refund`: what is expected to go back; another amount is refused.
    amount: Option<Money>,
    /// With `partial_refund` and `refused`; the shopper reads it.
    reason: Option<String>,
}

/// A declaration of withdrawal. Everything that may be withdrawn from, where no lines are given; name and e-mail are the
/// order's where they are left out.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct WithdrawBody {
    lines: Option<Vec<UnitsBody>>,
    name: Option<String>,
    /// Where the acknowledgement goes as well.
    email: Option<String>,
}

/// What changes of an order; what is left out stays.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct ChangeBody {
    name: Option<String>,
    /// Whole; in another country only where shipping and tax come out the same there (see `changeOrderLines`).
    address: Option<AddressBody>,
    delivery: Option<Delivery>,
}

/// What is given back: `lines`, or an `amount` out of goodwill; the whole order where neither is given.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct RefundBody {
    /// Units that were not handed over and will not be shipped.
    lines: Option<Vec<UnitsBody>>,
    /// At most what is kept of the order.
    amount: Option<Money>,
    /// The shopper reads it.
    reason: String,
}

/// Reads options and how many of each.
pub(super) fn lines(r: &mut Reader, e: &mut Errors) -> Option<Vec<(String, i64)>> {
    let lines = r.each("lines", e, line)?;
    if lines.len() > 100 {
        e.add("lines", "write at most 100 lines");
    } else if lines.is_empty() && e.is_empty() {
        e.add("lines", "write at least one line, or leave it out");
    }
    Some(lines)
}

/// Reads an amount, which is in the order's currency; minor units.
pub(super) fn money(
    r: &mut Reader,
    name: &'static str,
    currency: Currency,
    e: &mut Errors,
) -> Option<i64> {
    let mut r = r.object(name, e)?;
    let amount = r.integer("amount", e);
    let amount = r.required("amount", amount, e, "minor units");
    let code = r.text("currency", e);
    let code = r.required("currency", code, e, "the order's currency");
    if code.is_some_and(|code| code != currency.code()) {
        let say = format!("write {}: the order is in it", currency.code());
        e.add(r.path("currency"), say);
    }
    r.end(e);
    code.and(amount)
}

fn reason(r: &mut Reader, needed: bool, e: &mut Errors) -> Option<String> {
    let reason = r.text("reason", e);
    if !needed && reason.is_none() {
        return Some(String::new());
    }
    let reason = r.required("reason", reason, e, "shoppers read it")?;
    let reason = e.keep("reason", clean_text(reason, MAX_REASON))?;
    if reason.trim().is_empty() {
        e.add("reason", "write the reason; the shopper reads it");
        return None;
    }
    Some(reason)
}

type ClaimSaid = (ClaimKind, Vec<(String, i64)>, String);

/// Reads a report.
pub(super) fn claim(body: &Value, e: &mut Errors) -> Option<ClaimSaid> {
    let mut r = Reader::body(body, e)?;
    let kind = r.text("kind", e);
    let kind = r.required("kind", kind, e, "what is the matter");
    let kind = kind.and_then(|word| {
        let found = word.parse::<ClaimKind>().ok();
        let found = found.filter(|kind| *kind != ClaimKind::Withdrawal);
        let say = "write one of: lost, damaged, wrong, returned, refused";
        e.keep("kind", found.ok_or(say))
    });
    let units = lines(&mut r, e);
    let units = r.required("lines", units, e, "the units it is about");
    let text = r.text("text", e).unwrap_or_default();
    let text = e.keep("text", clean_text(text, MAX_TEXT));
    r.end(e);
    Some((kind?, units?, text?))
}

/// Reads a decision.
pub(super) fn decision(body: &Value, currency: Currency, e: &mut Errors) -> Option<Decision> {
    let mut r = Reader::body(body, e)?;
    let outcome = r.text("outcome", e);
    let outcome = r.required("outcome", outcome, e, "how it ends");
    let outcome = outcome.and_then(|word| {
        let say = "write one of: reship, refund, partial_refund, refused";
        e.keep("outcome", word.parse::<ClaimOutcome>().map_err(|_| say))
    });
    let amount = money(&mut r, "amount", currency, e);
    let needs = matches!(
        outcome,
        Some(ClaimOutcome::PartialRefund | ClaimOutcome::Refused)
    );
    let reason = reason(&mut r, needs, e);
    if outcome == Some(ClaimOutcome::PartialRefund) {
        let _ = r.required("amount", amount, e, "how much");
    }
    r.end(e);
    Some(match outcome? {
        ClaimOutcome::Reship => Decision::Reship,
        ClaimOutcome::Refund => Decision::Refund { shown: amount },
        ClaimOutcome::PartialRefund => Decision::Part {
            amount: amount?,
            reason: reason?,
        },
        ClaimOutcome::Refused => Decision::Refuse { reason: reason? },
    })
}

type WithdrawalSaid = (Option<Vec<(String, i64)>>, Option<String>, Option<String>);

/// Reads a declaration of withdrawal.
pub(super) fn withdrawal(body: &Value, e: &mut Errors) -> Option<WithdrawalSaid> {
    let mut r = Reader::body(body, e)?;
    let units = lines(&mut r, e);
    let name = r.string("name", e);
    let email = r.string("email", e);
    r.end(e);
    Some((units, name, email))
}

/// Reads what changes of an order's parcels.
pub(super) fn change(body: &Value, order: &OrderRow, e: &mut Errors) -> Option<Change> {
    let mut r = Reader::body(body, e)?;
    let (address, delivery) = parcels(&mut r, order, e)?;
    r.end(e);
    if address.is_none() && delivery.is_none() && e.is_empty() {
        e.add("address", "write what changes: name, address or delivery");
    }
    Some(Change { address, delivery })
}

/// Reads where an order is to go and how; none of it where it stays, nothing where something is wrong.
pub(super) fn parcels(
    r: &mut Reader,
    order: &OrderRow,
    e: &mut Errors,
) -> Option<(Option<Typed>, Option<Delivery>)> {
    let name = r.string("name", e);
    let address = r.object("address", e);
    let address = address.map(|r| super::bodies::address(r, e));
    let delivery = r.text("delivery", e).map(|word| {
        let say = "write one of: one_parcel, as_available";
        e.keep("delivery", word.parse::<Delivery>().map_err(|_| say))
    });
    let typed = match (name, address) {
        (None, None) => None,
        (name, address) => {
            let mut typed: Typed = e.keep("address", Typed::of(order).map_err(said))?;
            if let Some(name) = name {
                typed.name = name;
            }
            if let Some(Some(address)) = address {
                typed.line1 = address.line1;
                typed.line2 = address.line2.unwrap_or_default();
                typed.city = address.city;
                typed.region = address.region.unwrap_or_default();
                typed.postal_code = address.postal_code.unwrap_or_default();
                address.country.code().clone_into(&mut typed.country);
            }
            Some(typed)
        }
    };
    Some((typed, delivery.flatten()))
}

fn said(problem: Problem) -> String {
    problem.to_string()
}

/// Reads what is given back, and why.
pub(super) fn refund(
    body: &Value,
    currency: Currency,
    e: &mut Errors,
) -> Option<(Option<What>, String)> {
    let mut r = Reader::body(body, e)?;
    let units = lines(&mut r, e);
    let amount = money(&mut r, "amount", currency, e);
    let both = body.get("lines").is_some() && body.get("amount").is_some();
    if both {
        e.add("amount", "write either lines or an amount, not both");
    }
    let reason = reason(&mut r, true, e);
    r.end(e);
    let what = match (units, amount) {
        (Some(lines), _) => Some(What::Lines(lines)),
        (None, Some(amount)) => Some(What::Amount(amount)),
        (None, None) => None,
    };
    Some((what, reason?))
}
