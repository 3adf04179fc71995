//! The journal's accounts and entries (domain section 7). Debits are positive, credits negative; an entry can only be
//! made through a constructor that balances it, or read back through one that checks it. A correction is a new entry.
//!
//! The store adds whose books an entry belongs to (the merchant) and when it was made.

mod books;

pub use books::OrderBooks;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::currency::Currency;
use super::ids::OrderId;
use super::money::Money;
use super::words::words;

words! {
    /// The accounts, per merchant and currency.
    Account {
        /// Money that moved at the provider and is on its way to or from the balance.
        ProviderClearing = "provider_clearing",
        /// Money available at the provider.
        ProviderBalance = "provider_balance",
        /// What the provider keeps for its work.
        ProviderFees = "provider_fees",
        /// What shoppers paid and have not received yet: a liability, by order.
        CustomerDeposits = "customer_deposits",
        /// Refunds promised and not yet done: a liability, by order.
        RefundsDue = "refunds_due",
        /// Goods handed over.
        RevenueGoods = "revenue_goods",
        /// Shipping of goods handed over.
        RevenueShipping = "revenue_shipping",
        /// Tax collected for the state.
        TaxPayable = "tax_payable",
        /// Money the provider holds while a dispute is open.
        DisputesHeld = "disputes_held",
        /// Money lost in disputes.
        DisputeLosses = "dispute_losses",
        /// Deposits that shoppers forfeited.
        Forfeited = "forfeited",
        /// Given back for goodwill, losses and returns.
        Allowances = "allowances",
        /// What the merchant bears.
        MerchantLoss = "merchant_loss",
        /// Owed to suppliers.
        SupplierPayable = "supplier_payable",
        /// The merchant's bank account.
        Bank = "bank",
    }
}

words! {
    /// What happened.
    EntryKind {
        /// A shopper's payment was captured.
        PaymentCaptured = "payment_captured",
        /// A refund was promised.
        RefundCommitted = "refund_committed",
        /// A promised refund was done at the provider.
        RefundDone = "refund_done",
        /// A refund that had been done came back.
        RefundUndone = "refund_undone",
        /// A promised refund was paid from the bank instead.
        RefundPaidOtherwise = "refund_paid_otherwise",
        /// A promised refund is not due any more.
        RefundDropped = "refund_dropped",
        /// A refund was promised for goods that the order keeps: goodwill, lost, returned.
        AllowanceCommitted = "allowance_committed",
        /// Such a refund is not due any more.
        AllowanceDropped = "allowance_dropped",
        /// Goods were handed over to the carrier: what was a deposit is revenue and tax.
        HandedOver = "handed_over",
        /// Goods were handed over whose price had gone back, or goes back: the merchant bears it.
        HandedOverUnpaid = "handed_over_unpaid",
        /// A deposit was forfeited, because its balance was never paid.
        DepositForfeited = "deposit_forfeited",
        /// The provider took a fee.
        Fee = "fee",
        /// The provider took money back for a dispute.
        DisputeOpened = "dispute_opened",
        /// A dispute was won: the money came back.
        DisputeWon = "dispute_won",
        /// A dispute was lost.
        DisputeLost = "dispute_lost",
        /// Money on its way became available at the provider.
        Settled = "settled",
        /// The provider paid out to the bank.
        Payout = "payout",
    }
}

/// One side of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posting {
    /// The account.
    pub account: Account,
    /// Minor units of the entry's currency: debit positive, credit negative, never 0.
    pub amount: i64,
    /// The order it concerns, where it concerns one.
    pub order: Option<OrderId>,
}

/// Something that happened to money: postings that add up to nought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    kind: EntryKind,
    currency: Currency,
    postings: Vec<Posting>,
}

/// Why there is no such entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The amount to be booked is nought or less.
    #[error("only amounts above 0 are booked, not {0}")]
    NotPositive(i64),
    /// The postings do not add up to nought, or there are none, or one is nought.
    #[error("the postings of a {0} do not balance")]
    Unbalanced(EntryKind),
    /// More of a lost dispute was to be taken from the deposit than was lost.
    #[error("a deposit cannot cover more than was lost")]
    BeyondLoss,
    /// A sum does not fit 64 bits.
    #[error("the books' sums are too large")]
    Overflow,
    /// Entries in several currencies met in one order.
    #[error("an order's entries are in one currency")]
    CurrencyMismatch,
}

impl Entry {
    /// A shopper's payment: clearing / deposits.
    pub fn payment_captured(order: OrderId, amount: Money) -> Result<Entry, LedgerError> {
        use Account::{CustomerDeposits, ProviderClearing};
        two(
            EntryKind::PaymentCaptured,
            ProviderClearing,
            CustomerDeposits,
            amount,
            Some(order),
        )
    }

    /// A refund is promised: deposits / refunds due.
    pub fn refund_committed(order: OrderId, amount: Money) -> Result<Entry, LedgerError> {
        use Account::{CustomerDeposits, RefundsDue};
        two(
            EntryKind::RefundCommitted,
            CustomerDeposits,
            RefundsDue,
            amount,
            Some(order),
        )
    }

    /// A promised refund was done at the provider: refunds due / clearing.
    pub fn refund_done(order: OrderId, amount: Money) -> Result<Entry, LedgerError> {
        use Account::{ProviderClearing, RefundsDue};
        two(
            EntryKind::RefundDone,
            RefundsDue,
            ProviderClearing,
            amount,
            Some(order),
        )
    }

    /// A refund failed after it had been done; it is due again: clearing / refunds due.
    pub fn refund_undone(order: OrderId, amount: Money) -> Result<Entry, LedgerError> {
        use Account::{ProviderClearing, RefundsDue};
        two(
            EntryKind::RefundUndone,
            ProviderClearing,
            RefundsDue,
            amount,
            Some(order),
        )
    }

    /// Staff paid a promised refund another way: refunds due / bank.
    pub fn refund_paid_otherwise(order: OrderId, amount: Money) -> Result<Entry, LedgerError> {
        use Account::{Bank, RefundsDue};
        two(
            EntryKind::RefundPaidOtherwise,
            RefundsDue,
            Bank,
            amount,
            Some(order),
        )
    }

    /// A promised refund is not due any more: refunds due / deposits.
    pub fn refund_dropped(order: OrderId, amount: Money) -> Result<Entry, LedgerError> {
        use Account::{CustomerDeposits, RefundsDue};
        two(
            EntryKind::RefundDropped,
            RefundsDue,
            CustomerDeposits,
            amount,
            Some(order),
        )
    }

    /// A refund is promised for goods that the order keeps: allowances / refunds due.
    pub fn allowance_committed(order: OrderId, amount: Money) -> Result<Entry, LedgerError> {
        use Account::{Allowances, RefundsDue};
        two(
            EntryKind::AllowanceCommitted,
            Allowances,
            RefundsDue,
            amount,
            Some(order),
        )
    }

    /// A refund for goods that the order keeps is not due any more: refunds due / allowances.
    pub fn allowance_dropped(order: OrderId, amount: Money) -> Result<Entry, LedgerError> {
        use Account::{Allowances, RefundsDue};
        two(
            EntryKind::AllowanceDropped,
            RefundsDue,
            Allowances,
            amount,
            Some(order),
        )
    }

    /// Goods are handed over: deposits / revenue and tax.
    pub fn handed_over(order: OrderId, revenue: Revenue) -> Result<Entry, LedgerError> {
        handover(
            EntryKind::HandedOver,
            Account::CustomerDeposits,
            order,
            revenue,
        )
    }

    /// Goods are handed over for which no deposit is there any more: merchant's loss / revenue and tax (domain
    /// section 5, a handover before the cancellation that is recorded after it).
    pub fn handed_over_unpaid(order: OrderId, revenue: Revenue) -> Result<Entry, LedgerError> {
        handover(
            EntryKind::HandedOverUnpaid,
            Account::MerchantLoss,
            order,
            revenue,
        )
    }

    /// The balance was never paid, and the deposit stays with the merchant as was said at joining: deposits / forfeited.
    pub fn deposit_forfeited(order: OrderId, amount: Money) -> Result<Entry, LedgerError> {
        use Account::{CustomerDeposits, Forfeited};
        two(
            EntryKind::DepositForfeited,
            CustomerDeposits,
            Forfeited,
            amount,
            Some(order),
        )
    }

    /// The provider took a fee, for an order where it says so: fees / clearing.
    pub fn fee(order: Option<OrderId>, amount: Money) -> Result<Entry, LedgerError> {
        use Account::{ProviderClearing, ProviderFees};
        two(
            EntryKind::Fee,
            ProviderFees,
            ProviderClearing,
            amount,
            order,
        )
    }

    /// The provider took the disputed amount back for now: held / clearing.
    pub fn dispute_opened(order: OrderId, amount: Money) -> Result<Entry, LedgerError> {
        use Account::{DisputesHeld, ProviderClearing};
        two(
            EntryKind::DisputeOpened,
            DisputesHeld,
            ProviderClearing,
            amount,
            Some(order),
        )
    }

    /// The dispute was won and the amount came back: clearing / held.
    pub fn dispute_won(order: OrderId, amount: Money) -> Result<Entry, LedgerError> {
        use Account::{DisputesHeld, ProviderClearing};
        two(
            EntryKind::DisputeWon,
            ProviderClearing,
            DisputesHeld,
            amount,
            Some(order),
        )
    }

    /// The dispute was lost: losses / held. What was still the shopper's deposit (`from_deposit`, minor units, 0 to
    /// the amount) is owed no longer and closes the loss: deposits / losses. Before goods are handed over that is all
    /// of it, afterwards what is left; a refund held for the order is dropped first.
    pub fn dispute_lost(
        order: OrderId,
        amount: Money,
        from_deposit: i64,
    ) -> Result<Entry, LedgerError> {
        use Account::{CustomerDeposits, DisputeLosses, DisputesHeld};
        if !(0..=amount.amount).contains(&from_deposit) {
            return Err(LedgerError::BeyondLoss);
        }
        let lost = EntryKind::DisputeLost;
        let mut entry = two(lost, DisputeLosses, DisputesHeld, amount, Some(order))?;
        if from_deposit > 0 {
            let closed = Money {
                amount: from_deposit,
                ..amount
            };
            let close = two(lost, CustomerDeposits, DisputeLosses, closed, Some(order))?;
            entry.postings.extend(close.postings);
        }
        Ok(entry)
    }

    /// Money on its way became available: balance / clearing.
    pub fn settled(amount: Money) -> Result<Entry, LedgerError> {
        use Account::{ProviderBalance, ProviderClearing};
        two(
            EntryKind::Settled,
            ProviderBalance,
            ProviderClearing,
            amount,
            None,
        )
    }

    /// The provider paid out: bank / balance.
    pub fn payout(amount: Money) -> Result<Entry, LedgerError> {
        use Account::{Bank, ProviderBalance};
        two(EntryKind::Payout, Bank, ProviderBalance, amount, None)
    }

    /// An entry read back from the store. Error: its postings do not balance.
    pub fn from_postings(
        kind: EntryKind,
        currency: Currency,
        postings: Vec<Posting>,
    ) -> Result<Entry, LedgerError> {
        let entry = Entry {
            kind,
            currency,
            postings,
        };
        if entry.is_balanced() {
            Ok(entry)
        } else {
            Err(LedgerError::Unbalanced(kind))
        }
    }

    /// What happened.
    pub fn kind(&self) -> EntryKind {
        self.kind
    }

    /// The currency of all postings.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// The postings: debits equal credits.
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }

    /// Whether debits equal credits and there is something to it.
    pub fn is_balanced(&self) -> bool {
        let sum: i128 = self
            .postings
            .iter()
            .map(|posting| i128::from(posting.amount))
            .sum();
        sum == 0 && !self.postings.is_empty() && self.postings.iter().all(|p| p.amount != 0)
    }

    /// The debits of an entry, minor units: what was moved.
    fn debit(&self, account: Account) -> i64 {
        let of_account = self
            .postings
            .iter()
            .filter(|p| p.account == account && p.amount > 0);
        of_account.fold(0, |sum, posting| sum.saturating_add(posting.amount))
    }
}

/// What goods that are handed over bring, minor units, none of them negative.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revenue {
    /// The currency.
    pub currency: Currency,
    /// Goods without tax.
    pub goods: i64,
    /// Shipping without tax.
    pub shipping: i64,
    /// Tax on both.
    pub tax: i64,
}

impl Revenue {
    /// All of it. Error: too large.
    pub fn sum(self) -> Result<i64, LedgerError> {
        self.goods
            .checked_add(self.shipping)
            .and_then(|sum| sum.checked_add(self.tax))
            .ok_or(LedgerError::Overflow)
    }

    /// As much of it as `limit` (minor units, not negative) pays for: goods first, then shipping, then tax.
    pub fn up_to(self, limit: i64) -> Result<Revenue, LedgerError> {
        self.sum()?;
        let mut left = limit.max(0);
        let mut take = |amount: i64| {
            let part = amount.clamp(0, left);
            left -= part;
            part
        };
        Ok(Revenue {
            goods: take(self.goods),
            shipping: take(self.shipping),
            tax: take(self.tax),
            ..self
        })
    }

    /// What is left of it beside `other`, which is part of it.
    pub fn less(self, other: Revenue) -> Revenue {
        Revenue {
            goods: self.goods - other.goods,
            shipping: self.shipping - other.shipping,
            tax: self.tax - other.tax,
            ..self
        }
    }
}

/// One debit over all of it, a credit for each part that is there.
fn handover(
    kind: EntryKind,
    debit: Account,
    order: OrderId,
    revenue: Revenue,
) -> Result<Entry, LedgerError> {
    let sum = revenue.sum()?;
    if sum <= 0 || revenue.goods < 0 || revenue.shipping < 0 || revenue.tax < 0 {
        return Err(LedgerError::NotPositive(sum));
    }
    let mut postings = vec![Posting {
        account: debit,
        amount: sum,
        order: Some(order),
    }];
    for (account, amount) in [
        (Account::RevenueGoods, revenue.goods),
        (Account::RevenueShipping, revenue.shipping),
        (Account::TaxPayable, revenue.tax),
    ] {
        if amount > 0 {
            postings.push(Posting {
                account,
                amount: -amount,
                order: Some(order),
            });
        }
    }
    Ok(Entry {
        kind,
        currency: revenue.currency,
        postings,
    })
}

/// One debit, one credit, the same amount.
fn two(
    kind: EntryKind,
    debit: Account,
    credit: Account,
    money: Money,
    order: Option<OrderId>,
) -> Result<Entry, LedgerError> {
    let Money { amount, currency } = money;
    if amount <= 0 {
        return Err(LedgerError::NotPositive(amount));
    }
    let postings = vec![
        Posting {
            account: debit,
            amount,
            order,
        },
        Posting {
            account: credit,
            amount: -amount,
            order,
        },
    ];
    Ok(Entry {
        kind,
        currency,
        postings,
    })
}

/// The balance of every account that the entries touch, by currency: debits positive.
pub fn balances<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
) -> Result<BTreeMap<(Account, Currency), i64>, LedgerError> {
    let mut sums = BTreeMap::new();
    for entry in entries {
        for posting in &entry.postings {
            let sum: &mut i64 = sums.entry((posting.account, entry.currency)).or_default();
            *sum = sum
                .checked_add(posting.amount)
                .ok_or(LedgerError::Overflow)?;
        }
    }
    Ok(sums)
}

#[cfg(test)]
#[path = "tests/ledger.rs"]
mod tests;
