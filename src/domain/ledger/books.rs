//! Where one order's money is, read from its entries.

use super::{Account, Entry, EntryKind, LedgerError};

/// Where one order's money is, minor units (domain section 7, rule 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OrderBooks {
    /// All that the shopper paid.
    pub captured: i64,
    /// Sent back: at the provider or otherwise.
    pub refunded: i64,
    /// Promised back and not yet sent.
    pub due_back: i64,
    /// Taken back by the shopper's bank for good.
    pub lost_in_disputes: i64,
    /// A deposit that the merchant keeps.
    pub forfeited: i64,
}

impl OrderBooks {
    /// What is kept: captured less refunded, due back and lost.
    pub fn kept(&self) -> i64 {
        let gone = self.refunded.saturating_add(self.due_back);
        let gone = gone.saturating_add(self.forfeited);
        self.captured
            .saturating_sub(gone.saturating_add(self.lost_in_disputes))
    }

    /// Whether nothing is negative: no refund without a promise, no promise beyond what was captured.
    pub fn is_sound(&self) -> bool {
        [
            self.captured,
            self.refunded,
            self.due_back,
            self.lost_in_disputes,
            self.forfeited,
            self.kept(),
        ]
        .iter()
        .all(|amount| *amount >= 0)
    }

    /// Adds up the entries of one order. Error: too large, or more than one currency.
    pub fn of<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Result<OrderBooks, LedgerError> {
        use Account::{CustomerDeposits, DisputeLosses, ProviderClearing, RefundsDue};
        let mut books = OrderBooks::default();
        let mut currency = None;
        for entry in entries {
            if *currency.get_or_insert(entry.currency) != entry.currency {
                return Err(LedgerError::CurrencyMismatch);
            }
            match entry.kind {
                EntryKind::PaymentCaptured => {
                    move_to(&mut books.captured, entry.debit(ProviderClearing))?
                }
                EntryKind::RefundCommitted => {
                    move_to(&mut books.due_back, entry.debit(CustomerDeposits))?
                }
                EntryKind::RefundDone | EntryKind::RefundPaidOtherwise => {
                    move_to(&mut books.refunded, entry.debit(RefundsDue))?;
                    move_to(&mut books.due_back, -entry.debit(RefundsDue))?;
                }
                EntryKind::RefundUndone => {
                    move_to(&mut books.refunded, -entry.debit(ProviderClearing))?;
                    move_to(&mut books.due_back, entry.debit(ProviderClearing))?;
                }
                EntryKind::AllowanceCommitted => {
                    move_to(&mut books.due_back, entry.debit(Account::Allowances))?
                }
                EntryKind::RefundDropped | EntryKind::AllowanceDropped => {
                    move_to(&mut books.due_back, -entry.debit(RefundsDue))?
                }
                EntryKind::DisputeLost => {
                    move_to(&mut books.lost_in_disputes, entry.debit(DisputeLosses))?
                }
                EntryKind::DepositForfeited => {
                    move_to(&mut books.forfeited, entry.debit(CustomerDeposits))?
                }
                // An open dispute decides nothing yet; what is handed over stays kept; the rest is not the shopper's money.
                EntryKind::Fee
                | EntryKind::HandedOver
                | EntryKind::HandedOverUnpaid
                | EntryKind::DisputeOpened
                | EntryKind::DisputeWon
                | EntryKind::Settled
                | EntryKind::Payout => {}
            }
        }
        Ok(books)
    }
}

fn move_to(sum: &mut i64, amount: i64) -> Result<(), LedgerError> {
    *sum = sum.checked_add(amount).ok_or(LedgerError::Overflow)?;
    Ok(())
}
