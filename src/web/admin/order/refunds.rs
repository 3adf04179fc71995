//! An order's refunds with what comes next.

use crate::domain::payment::{RefundAttemptState, RefundState};
use crate::store::orders::OrderRow;
use crate::store::refunds::{RefundAttemptRow, RefundRow};
use crate::web::view::{Badge, state_word};
use crate::workflows::money::say;

/// A refund as staff see it.
pub(super) struct ShownRefund {
    pub(super) title: String,
    pub(super) badge: Badge,
    pub(super) next: String,
    pub(super) calls: Vec<String>,
    pub(super) proof: Option<String>,
    pub(super) deed: Option<String>,
}

pub(super) fn shown(
    order: &OrderRow,
    refund: &RefundRow,
    calls: &[RefundAttemptRow],
    manages: bool,
) -> ShownRefund {
    let amount = say(refund.amount, &refund.currency);
    let purpose = state_word(refund.purpose.as_str()).to_lowercase();
    ShownRefund {
        title: format!("{amount}, because: {purpose}"),
        badge: Badge::state(refund.state.as_str()),
        next: next_step(refund).to_owned(),
        calls: calls.iter().map(call).collect(),
        proof: refund.proof.clone(),
        deed: (manages && refund.state == RefundState::Failed).then(|| {
            format!(
                "/admin/orders/{}/refunds/{}/paid-otherwise",
                order.id, refund.id
            )
        }),
    }
}

/// What comes next of a refund, in words (domain section 4).
fn next_step(refund: &RefundRow) -> &'static str {
    match refund.state {
        _ if refund.held && refund.state.is_due() => {
            "An open dispute holds it. Won, it goes out; lost, it is dropped."
        }
        RefundState::Queued if refund.failures > 0 => {
            "The bank sent it back once; it goes out once more by itself."
        }
        RefundState::Queued => "It goes to the provider by itself.",
        RefundState::Sent => {
            "The provider was asked and its answer is not known yet. It is asked again under the same key, so nothing \
             is paid twice."
        }
        RefundState::Pending => {
            "The provider took it and waits for money or the bank. It is asked again."
        }
        RefundState::Succeeded => "Done. Banks take up to 10 days to show it.",
        RefundState::Failed => {
            "It needs you: the bank sent it back twice. The shopper was asked for another way; pay it so, and record it \
             with proof."
        }
        RefundState::PaidOtherwise => "Done, in another way.",
        RefundState::Dropped => "Dropped: a dispute took the money instead.",
    }
}

fn call(call: &RefundAttemptRow) -> String {
    let said = match call.state {
        RefundAttemptState::Planned => "not sent yet",
        RefundAttemptState::Sent => "sent, answer not known",
        RefundAttemptState::Unknown => "the provider failed; its list is read",
        RefundAttemptState::Absent => "it never happened",
        RefundAttemptState::Pending => "pending",
        RefundAttemptState::Succeeded => "succeeded",
        RefundAttemptState::Failed => "failed",
    };
    let at = call.first_sent_at.unwrap_or(call.created_at);
    let mut text = format!(
        "Call {}, {} UTC: {said}",
        call.attempt,
        at.format("%-d %B %Y, %H:%M")
    );
    if let Some(id) = &call.provider_id {
        text.push_str(&format!(", {id}"));
    }
    if let Some(problem) = &call.problem {
        text.push_str(&format!(". {problem}"));
    }
    text
}
