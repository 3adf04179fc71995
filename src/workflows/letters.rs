//! What is said in mails: plain data, put down in the transaction that gives reason for it. The words are the
//! templates' (`templates/email`).

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

mod after;
mod asked;
mod card;
mod delay;
mod waiting;

pub use after::{After, parcels_said};
pub use asked::{Asked, Asking};
pub use card::{AtTheEnd, CardNews, Joined, JoinedBy};
pub use delay::{Delay, DelayRefund};
pub use waiting::{Waiting, WhyEnded};

/// A mail, written.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Written {
    /// Its subject: the amount and the date in it where there are some.
    pub subject: String,
    /// The whole of it as plain text.
    pub text: String,
    /// The whole of it as HTML.
    pub html: String,
    /// What comes with it.
    pub attachments: Vec<Attachment>,
}

/// A file that comes with a mail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// Its media type, such as `text/csv; charset=utf-8`.
    pub media_type: String,
    /// Its text.
    pub text: String,
}

/// What every letter to a shopper knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The seller.
    pub merchant: String,
    /// The seller's postal address, in lines.
    pub merchant_address: String,
    /// The campaign's title.
    pub campaign: String,
    /// The campaign's page.
    pub campaign_url: String,
    /// The campaign's zone, an IANA name: dates are said in it.
    pub time_zone: String,
    /// The shopper's name.
    pub name: String,
    /// The order's number as people say it, such as `M-2417`.
    pub number: String,
    /// The order's own page, behind its signed link.
    pub order_url: String,
}

/// A line of an order, ready to be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LetterLine {
    /// Units.
    pub quantity: i64,
    /// The option's name.
    pub name: String,
    /// What the line costs, such as `$90.00`.
    pub amount: String,
}

/// Why a campaign failed, to be said to its shoppers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhyFailed {
    /// The threshold was missed: what came together and what was needed, such as `43 of 50 units`.
    Missed(String),
    /// The merchant cancelled it, in his words.
    Cancelled(String),
    /// Too little was left to order: what was missing, such as `3 units were missing after all cards were charged`;
    /// empty where nothing was left.
    Shortfall(String),
    /// The supplier's order could not be placed.
    Supplier,
    /// It was not shipped by the last day.
    StopLoss,
}

/// Why one order was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhyCancelled {
    /// The shopper asked for it.
    Shopper,
    /// The merchant's staff did, with a reason.
    Staff(String),
    /// It was paid after its units had been given to others, or the campaign had ended.
    PaidTooLate,
    /// A card was saved for it after its units had been given to others, or the campaign had ended.
    SavedTooLate,
    /// A card was saved for it after it had been cancelled.
    SavedAfterCancelling,
    /// It was paid twice: the second payment goes back, the order stays.
    PaidTwice,
    /// What its card was being charged for left it meanwhile: the charge goes back, the order stays as it is by then.
    NotOwed,
    /// Less was captured than the order costs: it does not count, and what came goes back.
    WrongAmount,
    /// Its payment was disputed.
    Disputed,
    /// The campaign came together without what it is over, such as `2 × Red`: too few were ordered.
    NotMade(String),
}

/// Why a supplier's order is taken back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum WhyWithdrawn {
    /// The campaign it was for has ended.
    CampaignEnded,
    /// Another order took its place; the merchant's reason.
    Replaced(String),
}

/// A purchase order's line, ready to be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PurchaseLetterLine {
    /// The option's code.
    pub sku: String,
    /// The option's name.
    pub name: String,
    /// Units bought.
    pub units: i64,
    /// Cost of one, such as `$48.00`.
    pub unit_cost: String,
    /// Cost of all.
    pub cost: String,
}

/// What a better step takes off what is still to be charged. Amounts are as people read them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LessToPay {
    /// How much less, such as `$10.00`.
    pub less: String,
    /// What is charged then; none where nothing is left to charge.
    pub left: Option<String>,
    /// Whether a deposit was paid, and it is the balance that falls.
    pub deposit: bool,
}

/// What the deadline that moved means for an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stands {
    /// It, or its deposit, is paid: so much goes back to who leaves, such as `$96.50`.
    Paid(String),
    /// A card is saved for it, and nothing was charged.
    Saved,
    /// It counts only when it is paid, or a card is saved for it.
    Unpaid {
        /// Whether it is a card that is saved.
        saves: bool,
    },
}

/// What a deposit that was paid means for what a campaign that came together costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AfterDeposit {
    /// What is charged when the goods arrive, such as `$420.00`; none where nothing is.
    pub balance: Option<String>,
}

/// Every mail there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Letter {
    /// The order is paid.
    OrderConfirmed {
        /// Whom and what it is about.
        about: About,
        /// The lines at the prices charged.
        lines: Vec<LetterLine>,
        /// Shipping, such as `$6.50`; none where it is free.
        shipping: Option<String>,
        /// Tax and its kind, such as `$3.80 included`.
        tax: Option<String>,
        /// What was charged.
        total: String,
        /// When the campaign ends.
        deadline: DateTime<Utc>,
        /// What must come together, such as `50 units`.
        threshold: String,
        /// The promised ship date.
        ships_by: NaiveDate,
        /// The stop-loss date.
        stop_loss: NaiveDate,
        /// Where its receipt is.
        #[serde(default)]
        receipt: Option<String>,
        /// What is said of withdrawal, sentence by sentence; nothing where there is no right.
        #[serde(default)]
        withdrawal: Vec<String>,
    },
    /// The order counts: a card is saved, or a deposit paid.
    Joined {
        /// Whom and what it is about.
        about: About,
        /// What was agreed.
        joined: Box<Joined>,
    },
    /// News of a saved card or a deposit.
    Card {
        /// Whom and what it is about.
        about: About,
        /// What there is to say.
        news: CardNews,
    },
    /// News of an order after it was ordered.
    After {
        /// Whom and what it is about.
        about: About,
        /// What there is to say.
        news: After,
    },
    /// An order from left-over stock is paid.
    SoldFromStock {
        /// Whom and what it is about.
        about: About,
        /// The lines at the prices charged.
        lines: Vec<LetterLine>,
        /// Shipping; none where it is free.
        shipping: Option<String>,
        /// Tax and its kind.
        tax: Option<String>,
        /// What was charged.
        total: String,
        /// The promised ship date.
        ships_by: NaiveDate,
        /// After this day it is refunded, unless it was shipped.
        last_day: NaiveDate,
        /// Where its receipt is.
        #[serde(default)]
        receipt: Option<String>,
        /// What is said of withdrawal, sentence by sentence; nothing where there is no right.
        #[serde(default)]
        withdrawal: Vec<String>,
    },
    /// A better step was reached.
    StepReached {
        /// Whom and what it is about.
        about: About,
        /// Units together, such as `100`.
        units: String,
        /// What goes back if it ends at this step, such as `$10.00`; none where nothing does.
        back: Option<String>,
        /// What is charged less if it ends at this step; none where everything was charged.
        #[serde(default)]
        less: Option<LessToPay>,
        /// When the campaign ends.
        deadline: DateTime<Utc>,
    },
    /// The campaign came together.
    Succeeded {
        /// Whom and what it is about.
        about: About,
        /// The lines at their final prices.
        lines: Vec<LetterLine>,
        /// Shipping.
        shipping: Option<String>,
        /// What the order costs in the end.
        total: String,
        /// What was charged; where a deposit was paid, that.
        charged: String,
        /// Where a deposit was paid: what follows.
        #[serde(default)]
        deposit: Option<AfterDeposit>,
        /// What goes back now; none where nothing does.
        back: Option<String>,
        /// The promised ship date.
        ships_by: NaiveDate,
        /// What of it is not produced, such as `2 × Red`.
        #[serde(default)]
        not_made: Vec<String>,
    },
    /// The campaign failed: everything goes back.
    Failed {
        /// Whom and what it is about.
        about: About,
        /// Why.
        why: WhyFailed,
        /// What goes back; none where nothing had been charged.
        back: Option<String>,
    },
    /// One order was cancelled, or a payment goes back.
    Cancelled {
        /// Whom and what it is about.
        about: About,
        /// Why.
        why: WhyCancelled,
        /// What goes back; none where nothing was charged.
        back: Option<String>,
    },
    /// The merchant moved the deadline, once.
    Extended {
        /// Whom and what it is about.
        about: About,
        /// The new deadline.
        deadline: DateTime<Utc>,
        /// The promised ship date as it is now.
        ships_by: NaiveDate,
        /// The one before, where it moved.
        ships_by_before: Option<NaiveDate>,
        /// What it means for this order.
        stands: Stands,
    },
    /// The merchant writes to everybody who joined.
    Update {
        /// Whom and what it is about.
        about: About,
        /// Its title.
        title: String,
        /// What it says, as Markdown.
        text: String,
        /// The same as HTML, sanitized, with whole addresses.
        html: String,
    },
    /// Links to a shopper's orders, asked for again.
    LinkAgain {
        /// The server's address.
        server: String,
        /// Campaign title, order number and link of each.
        orders: Vec<(String, String, String)>,
    },
    /// A refund failed twice: the shopper is asked for another way.
    RefundNeedsAnotherWay {
        /// Whom and what it is about.
        about: About,
        /// How much is owed.
        amount: String,
        /// Where the shopper can write to.
        answer_to: String,
    },
    /// A parcel is on its way.
    Shipped {
        /// Whom and what it is about.
        about: About,
        /// The parcel's number, such as `P-00012`.
        parcel: String,
        /// What is in it; the amounts are left out.
        lines: Vec<LetterLine>,
        /// Who carries it.
        carrier: Option<String>,
        /// Where it can be followed.
        tracking_number: Option<String>,
        /// Units that are still to come.
        rest: i64,
    },
    /// Units will not arrive any more.
    ShortForGood {
        /// Whom and what it is about.
        about: About,
        /// What will not arrive.
        lines: Vec<LetterLine>,
        /// What goes back; none where a dispute took it.
        back: Option<String>,
        /// Whether nothing of the order is left.
        whole: bool,
    },
    /// The ship date moved, or is not known any more.
    Delay {
        /// Whom and what it is about.
        about: About,
        /// What is asked or told.
        notice: Delay,
    },
    /// What was not shipped goes back.
    DelayRefund {
        /// Whom and what it is about.
        about: About,
        /// Why, and how much.
        refund: DelayRefund,
    },
    /// The purchase order, to the supplier.
    PurchaseOrder {
        /// Who buys.
        merchant: String,
        /// The buyer's postal address.
        merchant_address: String,
        /// The supplier's name.
        supplier: String,
        /// Its number and version as people say it, such as `PO-0031`, version 1.
        number: String,
        /// Its version.
        version: i32,
        /// The campaign's title.
        campaign: String,
        /// The lines.
        lines: Vec<PurchaseLetterLine>,
        /// Units of all lines.
        units: i64,
        /// Cost of all lines.
        total: String,
        /// When it was issued.
        issued_at: DateTime<Utc>,
        /// When the goods are wanted, where the lead time says.
        wanted_by: Option<NaiveDate>,
        /// The supplier's own view of it: no account needed.
        link: String,
    },
    /// The supplier has not answered for three days.
    PurchaseOrderReminder {
        /// Who buys.
        merchant: String,
        /// The supplier's name.
        supplier: String,
        /// Its number.
        number: String,
        /// Units of all lines.
        units: i64,
        /// When it was issued.
        issued_at: DateTime<Utc>,
        /// The supplier's own view of it.
        link: String,
    },
    /// The supplier's order is not wanted any more.
    PurchaseOrderCancelled {
        /// Who buys.
        merchant: String,
        /// The supplier's name.
        supplier: String,
        /// Its number.
        number: String,
        /// Units of all lines.
        units: i64,
        /// Why.
        why: WhyWithdrawn,
        /// The supplier's own view of it.
        link: String,
    },
    /// News of a waiting list.
    Waiting {
        /// Whom and what it is about.
        about: About,
        /// What there is to say.
        news: Waiting,
    },
    /// To somebody who has no order: an interest check, a vote.
    Asked {
        /// Whom and what it is about.
        about: Asking,
        /// What there is to say.
        news: Asked,
    },
    /// To staff: something waits for a person.
    Staff {
        /// The merchant.
        merchant: String,
        /// What it is about, for the subject.
        subject: String,
        /// What happened, sentence by sentence.
        lines: Vec<String>,
        /// Where in the panel it is dealt with.
        link: String,
    },
}

impl Letter {
    /// The kept word for the kind of letter.
    pub fn kind(&self) -> &'static str {
        match self {
            Letter::OrderConfirmed { .. } => "order_confirmed",
            Letter::Joined { .. } => "order_confirmed",
            Letter::Card { news, .. } => news.kind(),
            Letter::SoldFromStock { .. } => "sold_from_stock",
            Letter::StepReached { .. } => "step_reached",
            Letter::Succeeded { .. } => "succeeded",
            Letter::Failed { .. } => "failed",
            Letter::Cancelled { .. } => "cancelled",
            Letter::Extended { .. } => "extended",
            Letter::Update { .. } => "update",
            Letter::LinkAgain { .. } => "link_again",
            Letter::RefundNeedsAnotherWay { .. } => "refund_needs_another_way",
            Letter::Shipped { .. } => "shipped",
            Letter::ShortForGood { .. } => "short_for_good",
            Letter::Delay { .. } => "delay_notice",
            Letter::DelayRefund { .. } => "delay_refund",
            Letter::PurchaseOrder { .. } => "purchase_order",
            Letter::PurchaseOrderReminder { .. } => "purchase_order_reminder",
            Letter::PurchaseOrderCancelled { .. } => "purchase_order_cancelled",
            Letter::After { news, .. } => news.kind(),
            Letter::Waiting { news, .. } => news.kind(),
            Letter::Asked { news, .. } => news.kind(),
            Letter::Staff { .. } => "staff",
        }
    }
}
