//! The few traits behind which the outside lies, and the words in which it answers.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures_util::future::BoxFuture;

use super::letters::{Letter, Written};
use crate::domain::card::{CardExpiry, Decline};
use crate::domain::country::Country;
use crate::domain::currency::Currency;
use crate::domain::ids::{ChangeId, OrderId, RefundId};
use crate::domain::payment::{PaymentKind, RefundPurpose};

/// The one clock, given to everything; the domain never reads it by itself.
pub trait Clock: Send + Sync {
    /// The present moment, in UTC.
    fn now(&self) -> DateTime<Utc>;
}

/// The machine's clock.
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> DateTime<Utc> {
        Utc::now()
    }
}

/// How a call to the provider may end, other than well. What follows from each is in domain section 4.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CallError {
    /// A time-out, an answer that can't be read, a connection that broke, `idempotency_key_in_use`: it may or may not
    /// have happened. Same key, same parameters again.
    #[error("outcome unknown: {0}")]
    Unknown(String),
    /// Rate limited: it did not happen. Same key later.
    #[error("later: {0}")]
    Later(String),
    /// A received 5xx: it may have happened, and the key would only repeat the 5xx. The provider's lists are read.
    #[error("the provider failed: {0}")]
    Broken(String),
    /// Refused for good: it did not happen and will not with these parameters.
    #[error("refused: {message}")]
    Refused {
        /// The provider's code, such as `charge_already_refunded`; empty where it gave none.
        code: String,
        /// The parameter it concerns.
        param: String,
        /// The provider's sentence.
        message: String,
    },
}

impl CallError {
    /// Whether the provider said that there is no such object.
    pub fn is_missing(&self) -> bool {
        matches!(self, CallError::Refused { code, .. } if code == "resource_missing")
    }
}

/// Our ids on the provider's objects: what its lists are read by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// The order.
    pub order: OrderId,
    /// A [`PaymentKind`]'s word, or `refund:` with the refund's purpose and id.
    pub purpose: String,
    /// The attempt.
    pub attempt: i32,
    /// The change of the order that the money moves for.
    pub change: Option<ChangeNote>,
}

/// A change of an order, as the movements that it makes carry it: enough to make it again where a restored backup lost it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeNote {
    /// The change.
    pub change: ChangeId,
    /// What the order is over once it took effect: option code, units, and what each costs in minor units.
    pub lines: Vec<(String, i64, i64)>,
    /// Whether staff asked for it; who, the provider does not learn.
    pub by_staff: bool,
    /// The country to which it sent the order, where that was another one; of the address no more goes to the provider.
    pub country: Option<Country>,
}

impl Tag {
    /// The tag of a refund's call. It carries all that is needed to know the refund again, should our row be lost.
    pub fn refund(order: OrderId, refund: RefundId, purpose: RefundPurpose, attempt: i32) -> Self {
        Self {
            order,
            purpose: format!("refund:{purpose}:{refund}"),
            attempt,
            change: None,
        }
    }

    /// The tag of one attempt to collect an order's money, or to save its card.
    pub fn payment(order: OrderId, kind: PaymentKind, attempt: i32) -> Self {
        Self {
            order,
            purpose: kind.as_str().to_owned(),
            attempt,
            change: None,
        }
    }

    /// The same, of what moves for a change.
    #[must_use]
    pub fn of_change(self, change: Option<ChangeNote>) -> Self {
        Self { change, ..self }
    }

    /// Whether both name the same movement.
    pub fn names_the_same(&self, other: &Self) -> bool {
        let names = |tag: &Self| (tag.order, tag.purpose.clone(), tag.attempt);
        names(self) == names(other)
    }

    /// What kind of attempt it names, if it is one's.
    pub fn payment_kind(&self) -> Option<PaymentKind> {
        self.purpose.parse().ok()
    }

    /// The refund it names and why it went back, if it is one's.
    pub fn refund_id(&self) -> Option<(RefundId, RefundPurpose)> {
        let (purpose, id) = self.purpose.strip_prefix("refund:")?.split_once(':')?;
        Some((id.parse().ok()?, purpose.parse().ok()?))
    }
}

/// A line on the payment page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageLine {
    /// What it says.
    pub name: String,
    /// Price of one, in our minor units.
    pub unit_amount: i64,
    /// How many.
    pub quantity: i64,
}

/// What completing a page does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageMode {
    /// Pays.
    Pay,
    /// Pays, and saves the card for a later payment without its holder.
    PayAndSave,
    /// Saves the card and charges nothing; such a page has no lines.
    Save,
}

/// A payment page to be made. The same row always gives the same page: a repeated call has the same parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPage {
    /// Our ids.
    pub tag: Tag,
    /// What completing it does.
    pub mode: PageMode,
    /// Its currency.
    pub currency: Currency,
    /// What it charges; nothing where it only saves a card.
    pub lines: Vec<PageLine>,
    /// The shopper.
    pub email: String,
    /// Its expiry at the provider.
    pub expires_at: DateTime<Utc>,
    /// Where the shopper lands after paying.
    pub success_url: String,
    /// Where the shopper lands after turning back.
    pub cancel_url: String,
}

/// Where a page stands at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PageStatus {
    /// It can be paid.
    Open,
    /// It was completed and paid.
    Paid,
    /// It was completed, the card is saved, and nothing was to be paid.
    Saved,
    /// It was completed, and the money is not there yet.
    Unpaid,
    /// It ran out or was expired.
    Expired,
}

/// A page at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its id there.
    pub id: String,
    /// Where it stands; none where the provider used a word that is not known: kept for staff, never guessed.
    pub status: Option<PageStatus>,
    /// Where it is paid.
    pub url: Option<String>,
    /// The payment intent behind it.
    pub intent: Option<String>,
    /// What it charges, in our minor units.
    pub amount: Option<i64>,
    /// The currency that it charges it in; none where it only saves a card.
    pub currency: Option<Currency>,
    /// The card that it saved. Told where a page is asked for, not where it is made or expired.
    pub card: Option<CardOnFile>,
    /// Our ids on it.
    pub tag: Option<Tag>,
}

/// A card that is kept at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CardOnFile {
    /// The customer there whom it belongs to.
    pub customer: String,
    /// The payment method's id there.
    pub method: String,
    /// Its brand, such as `visa`.
    pub brand: String,
    /// Its last four digits.
    pub last4: String,
    /// The last month in which it is good.
    pub expiry: CardExpiry,
}

/// A charge of a saved card, without its holder. The same row always gives the same charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCharge {
    /// Our ids.
    pub tag: Tag,
    /// Its currency.
    pub currency: Currency,
    /// How much, in our minor units.
    pub amount: i64,
    /// The customer at the provider.
    pub customer: String,
    /// The saved card's id there.
    pub method: String,
    /// What it says on the provider's own pages: the campaign's title and the order's number.
    pub description: String,
}

/// Why a bank or the provider charged a card not: a [`Decline`] of the domain with the provider's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declined {
    /// What follows from it.
    pub decline: Decline,
    /// The provider's own codes, for staff: `card_declined/insufficient_funds`.
    pub code: String,
    /// The provider's sentence.
    pub message: String,
}

/// Where a payment intent stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntentStatus {
    /// The money came.
    Succeeded,
    /// The money is on its way.
    Processing,
    /// It wants another card, or its holder; what was said of the last try, where there was one.
    Wanting(Option<Declined>),
    /// It was cancelled: it can never take money any more.
    Cancelled,
    /// A word that is not known: kept for staff, never guessed.
    Unknown,
}

/// A payment intent at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderIntent {
    /// Its id there.
    pub id: String,
    /// Where it stands.
    pub status: IntentStatus,
    /// How much it is over, in our minor units; once it succeeded, how much came.
    pub amount: i64,
    /// Its currency.
    pub currency: Currency,
    /// Our ids on it.
    pub tag: Option<Tag>,
}

/// Where a refund stands at the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProviderRefundStatus {
    /// On its way.
    Pending,
    /// Done.
    Succeeded,
    /// It came back, or was cancelled.
    Failed,
    /// A word that is not known: kept for staff, never guessed.
    Unknown,
}

/// A refund at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderRefund {
    /// Its id there.
    pub id: String,
    /// Where it stands.
    pub status: ProviderRefundStatus,
    /// How much, in our minor units.
    pub amount: i64,
    /// The payment intent whose money it is.
    pub intent: Option<String>,
    /// Why it failed.
    pub failure: Option<String>,
    /// Our ids on it.
    pub tag: Option<Tag>,
}

/// A refund to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefund {
    /// Our ids.
    pub tag: Tag,
    /// The payment intent whose money goes back.
    pub intent: String,
    /// Its currency.
    pub currency: Currency,
    /// How much, in our minor units.
    pub amount: i64,
}

/// A captured charge at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderCharge {
    /// Its id there.
    pub id: String,
    /// The payment intent it belongs to.
    pub intent: Option<String>,
    /// How much was captured, in our minor units.
    pub amount: i64,
    /// Its currency.
    pub currency: Currency,
    /// Whether the money came.
    pub paid: bool,
    /// Our ids on it.
    pub tag: Option<Tag>,
}

impl ProviderCharge {
    /// What to say of it where it is in another currency than the one with this code, which its order is in.
    pub fn said_against(&self, code: &str) -> Option<String> {
        let theirs = self.currency.code();
        (theirs != code).then(|| {
            format!(
                "charge {} over {} is in {theirs}, the order is in {code}: it pays for nothing, refund it at the provider",
                self.id, self.amount
            )
        })
    }
}

/// A dispute at the provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderDispute {
    /// Its id there.
    pub id: String,
    /// The payment intent it concerns.
    pub intent: Option<String>,
    /// How much, in our minor units.
    pub amount: i64,
    /// The currency of it: a bank may dispute in another one than was charged.
    pub currency: Currency,
    /// Whether the provider took more money for it than it gave back, as its transactions say.
    pub withdrawn: bool,
    /// The provider's own word for where it stands.
    pub status: String,
    /// Why.
    pub reason: String,
    /// Our ids on the charge it concerns.
    pub tag: Option<Tag>,
    /// Until when an answer is taken; none: none is.
    pub due_by: Option<DateTime<Utc>>,
    /// Whether an answer lies there, sent on or not.
    pub has_evidence: bool,
    /// How many answers were sent on to the bank.
    pub submissions: u64,
}

/// An answer to a dispute: the provider's fields with their words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvidence {
    /// The dispute's id there.
    pub dispute: String,
    /// Field by field.
    pub fields: BTreeMap<EvidenceField, String>,
    /// Whether it goes on to the bank; else it is only laid down there.
    pub submits: bool,
}

crate::domain::words::words! {
    /// The provider's text fields that are filled in (<https://docs.stripe.com/api/disputes/evidence_object>).
    EvidenceField {
        ProductDescription = "product_description",
        CustomerName = "customer_name",
        CustomerEmail = "customer_email_address",
        PurchaseIp = "customer_purchase_ip",
        ShippingAddress = "shipping_address",
        ShippingCarrier = "shipping_carrier",
        ShippingDate = "shipping_date",
        TrackingNumber = "shipping_tracking_number",
        RefundPolicy = "refund_policy_disclosure",
        CancellationPolicy = "cancellation_policy_disclosure",
        Everything = "uncategorized_text",
    }
}

impl EvidenceField {
    /// Most characters that the provider takes.
    pub fn most(self) -> usize {
        use EvidenceField as F;
        match self {
            F::ProductDescription | F::RefundPolicy | F::CancellationPolicy | F::Everything => {
                20_000
            }
            F::CustomerName
            | F::CustomerEmail
            | F::PurchaseIp
            | F::ShippingAddress
            | F::ShippingCarrier
            | F::ShippingDate
            | F::TrackingNumber => 5_000,
        }
    }
}

/// What lies at the provider in one currency, in our minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Balance {
    /// The currency.
    pub currency: Currency,
    /// What refunds can be paid from.
    pub available: i64,
    /// What is on its way there.
    pub pending: i64,
}

/// One page of a list at the provider, newest first; `next` asks for what is older.
#[derive(Debug, Clone)]
pub struct Listed<T> {
    /// The objects.
    pub data: Vec<T>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// A call's answer, when it comes.
pub type Call<'a, T> = BoxFuture<'a, Result<T, CallError>>;

/// The payment provider. Each POST carries our key; nothing is repeated behind our back.
pub trait Provider: Send + Sync {
    /// Makes a payment page.
    fn create_page(&self, page: NewPage, key: String) -> Call<'_, Page>;
    /// Asks for a page.
    fn page(&self, id: String) -> Call<'_, Page>;
    /// Expires an open page; refused where it is not open any more.
    fn expire_page(&self, id: String, key: String) -> Call<'_, Page>;
    /// Charges a saved card without its holder. A decline is an answer: the intent that it leaves behind wants another
    /// card.
    fn create_charge(&self, charge: NewCharge, key: String) -> Call<'_, ProviderIntent>;
    /// Asks for a payment intent.
    fn intent(&self, id: String) -> Call<'_, ProviderIntent>;
    /// Cancels a payment intent; refused where it succeeded or was cancelled before.
    fn cancel_intent(&self, id: String, key: String) -> Call<'_, ProviderIntent>;
    /// The payment intents of one customer.
    fn intents(&self, customer: String, cursor: Option<String>)
    -> Call<'_, Listed<ProviderIntent>>;
    /// Takes a saved card from its customer: it can never be charged again. One that was taken before counts as taken.
    fn detach_card(&self, method: String, key: String) -> Call<'_, ()>;
    /// Sends money back.
    fn create_refund(&self, refund: NewRefund, key: String) -> Call<'_, ProviderRefund>;
    /// Asks for a refund.
    fn refund(&self, id: String) -> Call<'_, ProviderRefund>;
    /// The refunds of one payment intent, or of all, made since a time.
    fn refunds(
        &self,
        intent: Option<String>,
        since: Option<DateTime<Utc>>,
        cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderRefund>>;
    /// The charges made since a time.
    fn charges(
        &self,
        since: Option<DateTime<Utc>>,
        cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderCharge>>;
    /// Asks for a dispute.
    fn dispute(&self, id: String) -> Call<'_, ProviderDispute>;
    /// The disputes of one payment intent, or of all, opened since a time.
    fn disputes(
        &self,
        intent: Option<String>,
        since: Option<DateTime<Utc>>,
        cursor: Option<String>,
    ) -> Call<'_, Listed<ProviderDispute>>;
    /// Lays an answer to a dispute down, or sends it on to the bank.
    fn answer_dispute(&self, evidence: NewEvidence, key: String) -> Call<'_, ProviderDispute>;
    /// What lies at the provider.
    fn balance(&self) -> Call<'_, Vec<Balance>>;
}

/// Why a mail did not go out.
#[derive(Debug, Clone, thiserror::Error)]
pub enum MailError {
    /// The server may take it later.
    #[error("later: {0}")]
    Later(String),
    /// The server refused it for good: a bad address, for example.
    #[error("refused: {0}")]
    Refused(String),
}

/// A mail as it goes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outgoing {
    /// The Message-ID's left part: the same for a repeat.
    pub message_id: String,
    /// The name it comes from.
    pub from_name: String,
    /// Where answers go.
    pub reply_to: Option<String>,
    /// To whom.
    pub to: String,
    /// What it says.
    pub written: Written,
}

/// Whether a mail was handed to a server or kept in the database, where none is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivered {
    /// The server took it.
    Sent,
    /// Kept: no server is set.
    Kept,
}

/// Sends mails.
pub trait Mailer: Send + Sync {
    /// Sends one.
    fn send(&self, mail: Outgoing) -> BoxFuture<'_, Result<Delivered, MailError>>;
}

/// Writes letters: turns what is to be said into subject, text and HTML.
pub trait Scribe: Send + Sync {
    /// Writes one.
    ///
    /// # Errors
    /// A sentence for the log, when a template fails.
    fn write(&self, letter: &Letter) -> Result<Written, String>;
}
