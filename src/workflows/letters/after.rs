//! What shoppers are told of claims, returns, withdrawals, refunds by staff, and changes of their order.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::order::Delivery;

/// News of an order after it was ordered. `held`: an open dispute holds the refund.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum After {
    /// A claim was opened.
    ClaimOpened {
        /// What is the matter, such as `arrived damaged`.
        what: String,
        /// Which units.
        lines: Vec<String>,
        /// By the shopper, else by staff.
        by_shopper: bool,
    },
    /// The goods are to be sent back.
    ReturnAsked {
        /// Which units.
        lines: Vec<String>,
        /// Where to, in lines.
        address: String,
        /// By when.
        by: NaiveDate,
    },
    /// The goods came back.
    ReturnReceived {
        /// Which units.
        lines: Vec<String>,
    },
    /// The same is sent again.
    Reship {
        /// Which units.
        lines: Vec<String>,
    },
    /// The full price goes back.
    Refunded {
        /// Which units.
        lines: Vec<String>,
        /// How much; none where nothing was left to give back.
        amount: Option<String>,
        /// Whether it is held.
        held: bool,
    },
    /// A part of the price goes back.
    PartlyRefunded {
        /// How much.
        amount: String,
        /// Why so much.
        reason: String,
        /// Whether it is held.
        held: bool,
    },
    /// A claim was refused.
    Refused {
        /// Why.
        reason: String,
    },
    /// A withdrawal is acknowledged.
    Withdrawn {
        /// When it was declared.
        at: DateTime<Utc>,
        /// From which units.
        lines: Vec<String>,
        /// What goes back at once.
        back: Option<String>,
        /// Whether it is held.
        held: bool,
        /// Where goods are to be sent, and by when.
        return_to: Option<(String, NaiveDate)>,
        /// By when the refund of goods that were handed over is due.
        refund_by: Option<NaiveDate>,
    },
    /// Staff took units out of the order.
    UnitsLeft {
        /// Which.
        lines: Vec<String>,
        /// How much goes back; none where nothing does.
        amount: Option<String>,
        /// Why.
        reason: String,
        /// Whether it is held.
        held: bool,
    },
    /// Staff give something back out of goodwill.
    Goodwill {
        /// How much.
        amount: String,
        /// Why.
        reason: String,
    },
    /// The order goes to another address.
    AddressChanged {
        /// Name and address, line by line.
        lines: Vec<String>,
        /// By the shopper, else by staff.
        by_shopper: bool,
    },
    /// The order is over something else from now on.
    OrderChanged {
        /// What it was over, with the price of each line.
        before: Vec<String>,
        /// What it cost.
        cost: String,
        /// What it is over, with the price of each line.
        now: Vec<String>,
        /// What it costs.
        costs: String,
        /// Where it goes from now on, line by line; none: where it went.
        goes_to: Option<Vec<String>>,
        /// How its parcels come from now on; none: as they did.
        parcels: Option<String>,
        /// What was charged for it.
        paid: Option<String>,
        /// What goes back.
        back: Option<String>,
        /// What is to be paid later.
        later: Option<String>,
        /// Where the receipt of what was charged is.
        receipt: Option<String>,
        /// Staff asked for it, else the shopper did.
        by_staff: bool,
        /// What is to be said of withdrawal since it: where it goes gives the right anew, or an exempt option entered.
        #[serde(default)]
        withdrawal: Vec<String>,
    },
    /// Staff ask for a change that costs more: the shopper pays it, or nothing changes.
    ChangeAsked {
        /// What the order is over, with the price of each line.
        before: Vec<String>,
        /// What it costs.
        cost: String,
        /// What it would be over, with the price of each line.
        now: Vec<String>,
        /// What it would cost.
        costs: String,
        /// Where it would go, line by line; none: where it goes now.
        goes_to: Option<Vec<String>>,
        /// How its parcels would come; none: as they do now.
        parcels: Option<String>,
        /// What is to be paid for it.
        pay: String,
        /// What of the new total is to be paid later.
        later: Option<String>,
        /// Until when.
        until: DateTime<Utc>,
        /// Where it is looked at and paid.
        link: String,
    },
    /// A change was not paid in time: the order stays as it was.
    ChangeRanOut {
        /// What it would have been over.
        wanted: Vec<String>,
    },
    /// A change was paid, and could not be made any more: the order stays as it is, and the payment goes back.
    ChangeTooLate {
        /// What goes back.
        back: String,
    },
}

/// How parcels come, as a letter says it.
pub fn parcels_said(delivery: Delivery) -> &'static str {
    match delivery {
        Delivery::OneParcel => "Everything in one parcel.",
        Delivery::AsAvailable => "What is there is sent, the rest later.",
    }
}

impl After {
    /// The kept word for the kind of letter.
    pub fn kind(&self) -> &'static str {
        match self {
            After::ClaimOpened { .. } => "claim_opened",
            After::ReturnAsked { .. } => "return_asked",
            After::ReturnReceived { .. } => "return_received",
            After::Reship { .. } => "claim_reship",
            After::Refunded { .. } => "claim_refunded",
            After::PartlyRefunded { .. } => "claim_partly_refunded",
            After::Refused { .. } => "claim_refused",
            After::Withdrawn { .. } => "withdrawn",
            After::UnitsLeft { .. } => "units_left",
            After::Goodwill { .. } => "goodwill",
            After::AddressChanged { .. } => "address_changed",
            After::OrderChanged { .. } => "order_changed",
            After::ChangeAsked { .. } => "change_asked",
            After::ChangeRanOut { .. } => "change_ran_out",
            After::ChangeTooLate { .. } => "change_too_late",
        }
    }
}
