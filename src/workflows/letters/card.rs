//! What shoppers are told of cards that were saved, of what is charged to them later, and of deposits.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::LetterLine;

/// News of a saved card or a deposit. Amounts are as people read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CardNews {
    /// The price was charged to the saved card.
    Charged {
        /// How much.
        amount: String,
        /// To which card; none where it was paid on a page.
        card: Option<String>,
    },
    /// The campaign came together: the price is charged now.
    Charging {
        /// How much.
        amount: String,
        /// To which card.
        card: String,
        /// What it could have been at the most.
        at_most: String,
        /// Whether the price fell since joining.
        fell: bool,
        /// What of it is not produced, such as `2 × Red`.
        #[serde(default)]
        not_made: Vec<String>,
        /// When it ships.
        ships_by: NaiveDate,
    },
    /// The card said no.
    Declined {
        /// How much is to be paid.
        amount: String,
        /// Which card.
        card: Option<String>,
        /// What the bank said.
        why: String,
        /// Whether the card's holder must be asked: only the page helps.
        asks: bool,
        /// The day on which it is tried again by itself, if it is.
        again: Option<DateTime<Utc>>,
        /// Until when it can be paid.
        until: DateTime<Utc>,
        /// What happens then.
        then: AtTheEnd,
    },
    /// It was not paid in time: the order is cancelled.
    NotPaid {
        /// How much was to be paid.
        amount: String,
        /// What becomes of the deposit.
        then: AtTheEnd,
    },
    /// The step that the order waited for was not reached.
    Released {
        /// What it waited for, such as `the price from 50 units`.
        waited_for: String,
    },
    /// Too little could be collected: the merchant may buy what is missing.
    Short {
        /// What is missing, such as `3 units`.
        missing: String,
        /// Until when.
        until: DateTime<Utc>,
        /// What was charged and would go back; none where nothing was.
        back: Option<String>,
    },
    /// What was missing was made up in time: it goes on.
    MadeUp {
        /// When it ships.
        ships_by: NaiveDate,
    },
    /// The card ends before it is charged.
    Ends {
        /// Which card.
        card: String,
        /// The last month in which it is good, as the card prints it.
        expiry: String,
        /// When it would be charged.
        charged_on: DateTime<Utc>,
    },
    /// The balance is charged soon.
    BalanceAsked {
        /// How much.
        amount: String,
        /// To which card; none where it is paid on a page.
        card: Option<String>,
        /// From when on.
        on: DateTime<Utc>,
        /// What becomes of the deposit if it is not paid.
        then: AtTheEnd,
    },
}

/// What happens to an order that is not paid in time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum AtTheEnd {
    /// It is cancelled; nothing was charged.
    NothingCharged,
    /// It is cancelled, and the deposit goes back.
    DepositBack(String),
    /// It is cancelled, and the seller keeps the deposit, as was said at joining.
    DepositKept(String),
}

impl CardNews {
    /// The kept word for the kind of letter.
    pub fn kind(&self) -> &'static str {
        match self {
            CardNews::Charged { .. } => "charged",
            CardNews::Charging { .. } => "charging",
            CardNews::Declined { .. } => "card_declined",
            CardNews::NotPaid { .. } => "not_paid",
            CardNews::Released { .. } => "released",
            CardNews::Short { .. } => "short_collected",
            CardNews::MadeUp { .. } => "short_made_up",
            CardNews::Ends { .. } => "card_ends",
            CardNews::BalanceAsked { .. } => "balance_asked",
        }
    }
}

/// An order that counts without being paid in full. Amounts are as people read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Joined {
    /// The lines at the prices shown.
    pub lines: Vec<LetterLine>,
    /// Shipping; none where it is free.
    pub shipping: Option<String>,
    /// Tax and its kind.
    pub tax: Option<String>,
    /// What it costs at the most.
    pub total: String,
    /// How it counts.
    pub by: JoinedBy,
    /// When the campaign ends.
    pub deadline: DateTime<Utc>,
    /// What must come together, such as `50 units`.
    pub threshold: String,
    /// The promised ship date.
    pub ships_by: NaiveDate,
    /// The stop-loss date.
    pub stop_loss: NaiveDate,
    /// What is said of withdrawal, sentence by sentence.
    pub withdrawal: Vec<String>,
}

/// What makes an order count that is not paid in full.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum JoinedBy {
    /// A card is saved.
    Card {
        /// Which, such as `Visa ending in 4242`.
        card: String,
        /// It is in only if this is reached, such as `the price from 50 units`.
        waits_for: Option<String>,
    },
    /// A deposit is paid.
    Deposit {
        /// How much.
        paid: String,
        /// What is left.
        balance: String,
        /// Whether the seller keeps the deposit where the balance is not paid.
        kept: bool,
        /// When the balance is charged, such as `when the goods arrive`.
        when: String,
    },
}
