//! One attempt to collect an order's money, and one movement of money back (domain section 4).

use chrono::{DateTime, Duration, Utc};

use super::words::words;

words! {
    /// What one attempt to collect an order's money, or to save its card, is (domain section 4).
    PaymentKind {
        /// The page at joining that pays the whole order: `charge_now`.
        Join = "join",
        /// The page at joining that saves the card: `charge_on_success`; also one that saves another card later.
        Setup = "setup",
        /// The page at joining that pays the deposit and saves the card.
        Deposit = "deposit",
        /// A charge of the saved card without its holder.
        Charge = "charge",
        /// A page on which the holder pays what the saved card did not.
        Fix = "fix",
        /// A page on which its shopper pays what a change of the order costs more.
        Change = "change",
    }
}

impl PaymentKind {
    /// Whether its holder completes it on a page of the provider's.
    pub fn is_page(self) -> bool {
        !matches!(self, PaymentKind::Charge)
    }

    /// Whether it may be wanted of an order that counts already: what is owed, another card, a change.
    pub fn is_later_page(self) -> bool {
        matches!(
            self,
            PaymentKind::Fix | PaymentKind::Setup | PaymentKind::Change
        )
    }

    /// Whether it is what makes an order count: one of these is there from the moment of joining.
    pub fn joins(self) -> bool {
        matches!(
            self,
            PaymentKind::Join | PaymentKind::Setup | PaymentKind::Deposit
        )
    }
}

/// How many calls a second are made of a provider that allows so many: one is left out, so that a turn that came late may let
/// the next one come early. One at least.
pub fn kept_pace(allowed: u32) -> u32 {
    allowed.saturating_sub(1).max(1)
}

words! {
    /// Where one payment page stands. Kept for staff where the provider said something unusual.
    AttemptState {
        /// Committed here; whether the provider made the page is not known yet.
        Planned = "planned",
        /// The page exists and can be paid.
        Open = "open",
        /// Completed unpaid: kept for staff, does not count, refunded if it settles.
        Processing = "processing",
        Paid = "paid",
        /// Completed without a payment: the card is saved.
        Saved = "saved",
        /// The card was charged and said no: no money moved, and its intent waits to be cancelled.
        Declined = "declined",
        Expired = "expired",
        /// Its creation never became known within its life; watched by its webhooks.
        Abandoned = "abandoned",
        /// The provider refused to make the page: it never existed.
        Refused = "refused",
    }
}

impl AttemptState {
    /// Whether the page may still be paid: its units stay taken.
    pub fn is_open(self) -> bool {
        matches!(
            self,
            AttemptState::Planned | AttemptState::Open | AttemptState::Processing
        )
    }
}

words! {
    /// Where a refund stands.
    RefundState {
        Queued = "queued",
        Sent = "sent",
        Pending = "pending",
        Succeeded = "succeeded",
        /// Failed twice: the shopper is asked for another way.
        Failed = "failed",
        PaidOtherwise = "paid_otherwise",
        /// Given up before it moved: a dispute took the money instead.
        Dropped = "dropped",
    }
}

impl RefundState {
    /// Whether the money is still owed.
    pub fn is_due(self) -> bool {
        match self {
            RefundState::Queued
            | RefundState::Sent
            | RefundState::Pending
            | RefundState::Failed => true,
            RefundState::Succeeded | RefundState::PaidOtherwise | RefundState::Dropped => false,
        }
    }
}

words! {
    /// Where one call for a refund stands.
    RefundAttemptState {
        Planned = "planned",
        /// Sent; the answer is not known: same key, same parameters again.
        Sent = "sent",
        /// A received 5xx: the provider's list is read before anything else.
        Unknown = "unknown",
        /// Absent from the provider's list twice, a minute apart: it never happened.
        Absent = "absent",
        Pending = "pending",
        Succeeded = "succeeded",
        Failed = "failed",
    }
}

words! {
    /// Why money goes back.
    RefundPurpose {
        Missed = "missed",
        Cancelled = "cancelled",
        Shortfall = "shortfall",
        Supplier = "supplier",
        StopLoss = "stop-loss",
        /// A better step was reached than the one charged.
        Difference = "difference",
        /// The shopper left.
        Shopper = "shopper",
        /// It was paid after its hold was freed, or twice.
        Late = "late",
        /// Due when a dispute cancelled the order.
        Dispute = "dispute",
        Goodwill = "goodwill",
        /// The ship date moved, and the shopper did not agree, or no notice came in time, or the merchant will not ship.
        Delay = "delay",
        /// It will not arrive: short for good.
        Short = "short",
        /// Its option was not produced.
        OptionDropped = "dropped",
        /// Units left the order at the merchant's word or by a change of it; the rest stays.
        Change = "change",
        /// The shopper withdrew from the contract before the goods went out.
        Withdrawal = "withdrawal",
        /// Goods came back, after a withdrawal or a claim.
        Returned = "returned",
        /// Lost, damaged or wrong goods.
        Claim = "claim",
        /// A deposit goes back because its balance was not paid, where the merchant promised that.
        Balance = "balance",
        /// A refund that gave way to the same one made before; always dropped.
        Replaced = "replaced",
    }
}

impl RefundPurpose {
    /// Whether an order gets it once for each payment at most: what cannot repeat by mistake. The others follow from
    /// what is kept of the order, so that a repeat finds nothing left to give back.
    pub fn is_once(self) -> bool {
        use RefundPurpose as P;
        match self {
            P::Missed
            | P::Cancelled
            | P::Shortfall
            | P::Supplier
            | P::Difference
            | P::Shopper
            | P::Late
            | P::Dispute => true,
            P::StopLoss
            | P::Goodwill
            | P::Delay
            | P::Short
            | P::OptionDropped
            | P::Change
            | P::Withdrawal
            | P::Returned
            | P::Claim
            | P::Balance
            | P::Replaced => false,
        }
    }

    /// Whether it is given for goods that the order keeps counting (domain section 7, rule 2: allowances). The others
    /// are the price of units that are cancelled.
    pub fn is_allowance(self) -> bool {
        matches!(
            self,
            RefundPurpose::Goodwill | RefundPurpose::Returned | RefundPurpose::Claim
        )
    }
}

words! {
    /// Where a dispute stands.
    DisputeState {
        /// Asked before it is raised: a refund that is due goes out at once.
        Inquiry = "inquiry",
        Open = "open",
        Won = "won",
        Lost = "lost",
    }
}

impl DisputeState {
    /// Whether the bank has decided.
    pub fn is_over(self) -> bool {
        match self {
            DisputeState::Won | DisputeState::Lost => true,
            DisputeState::Inquiry | DisputeState::Open => false,
        }
    }
}

words! {
    /// Where an answer to a dispute stands.
    EvidenceState {
        /// Committed; not sent yet.
        Planned = "planned",
        /// Sent; the answer is not known: same key, same words again.
        Sent = "sent",
        /// The provider has it.
        Done = "done",
        /// A received 5xx, and the provider does not have it: a new attempt follows.
        Absent = "absent",
        /// The provider did not take it.
        Refused = "refused",
    }
}

/// The planned life of one payment page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PagePlan {
    /// When its creation is planned.
    pub planned_at: DateTime<Utc>,
    /// The expiry it is made with: fixed in the committed row, never after the hold.
    pub expires_at: DateTime<Utc>,
    /// When the hold ends.
    pub hold_expires_at: DateTime<Utc>,
}

/// Minutes from a page's planned creation to its expiry: the provider takes 30 minutes to 24 hours (domain section 2).
pub const PAGE_MINUTES: i64 = 31;
/// The most minutes of a page that a letter leads to: under the provider's 24 hours, so that its making may be late.
pub const LETTER_MINUTES: i64 = 23 * 60;
/// The provider's least life of a payment page, in minutes.
pub const PROVIDER_LEAST_MINUTES: i64 = 30;

impl PagePlan {
    /// The plan of a page that is to be made at `planned_at`, under a hold of `hold_minutes` (at least 35).
    pub fn at(planned_at: DateTime<Utc>, hold_minutes: i64) -> Self {
        Self {
            planned_at,
            expires_at: planned_at + Duration::minutes(PAGE_MINUTES),
            hold_expires_at: planned_at + Duration::minutes(hold_minutes.max(35)),
        }
    }

    /// The plan of a page that a letter leads to, whose reader is not there yet: it is open for most of a day, but no longer
    /// than until `ends_at`, unless that is nearer than a page may end.
    pub fn by_letter(planned_at: DateTime<Utc>, ends_at: DateTime<Utc>, hold_minutes: i64) -> Self {
        let left = (ends_at - planned_at).num_minutes();
        let more = Duration::minutes(left.clamp(PAGE_MINUTES, LETTER_MINUTES) - PAGE_MINUTES);
        let plan = Self::at(planned_at, hold_minutes);
        Self {
            planned_at,
            expires_at: plan.expires_at + more,
            hold_expires_at: plan.hold_expires_at + more,
        }
    }

    /// Whether the provider would still take this expiry if it were asked at `now`. A few seconds are left for the
    /// way there and for clocks that differ.
    pub fn can_be_asked(&self, now: DateTime<Utc>) -> bool {
        now + Duration::minutes(PROVIDER_LEAST_MINUTES) + Duration::seconds(5) <= self.expires_at
    }
}
