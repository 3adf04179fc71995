//! What a shopper sees of an order: the way to its payment, the thanks, the order's own page, cancelling, and the link
//! again. All but the last two stand behind the signed link (`?t=`) and are answered with `Cache-Control: no-store`.
//!
//! After joining: 303 to the payment page where the provider has made it, else to [`QueuePage`], which asks again by
//! itself until it is there. The provider's success address is [`ThanksPage`], its cancel address [`OrderPage`].

use askama::Template;

use super::time::{Day, Moment, Timeline, grouped};
use super::{Badge, DelayOffer, Field, MoneyTable, PromiseTable, Shell};

/// The payment page is being prepared: place in the queue. `shell.refresh` makes the browser ask again; the handler
/// answers 303 to the payment page as soon as there is one.
#[derive(Clone, Debug, Template)]
#[template(path = "order/queue.html")]
pub struct QueuePage {
    /// Frame, private, with `refresh` set (2 to 5 seconds).
    pub shell: Shell,
    /// The campaign's title.
    pub title: String,
    /// Orders whose payment page is made before this one; nought: it is this one's turn.
    pub before: i64,
    /// What happens on it: "You will pay $96.50. Nothing is charged before you say so there."
    pub says: String,
    /// Until when the units are kept; none where they are the order's already.
    pub held: Option<super::Countdown>,
    /// The order's own page.
    pub order_href: String,
    /// Event stream; its messages have the key `place` ([`QueuePage::place_words`]) and `@go`: an address to go to.
    pub events: Option<String>,
}

impl QueuePage {
    /// Where it stands in the queue, in words; also the fragment `place`.
    pub fn place_words(before: i64) -> String {
        match before {
            0 => "It is your turn now.".to_owned(),
            1 => "1 order is before yours.".to_owned(),
            n => format!("{} orders are before yours.", grouped(n)),
        }
    }
}

/// Back from the provider's payment page.
#[derive(Clone, Debug, Template)]
#[template(path = "order/thanks.html")]
pub struct ThanksPage {
    /// Frame, private; with `refresh` while the payment is not confirmed yet.
    pub shell: Shell,
    /// The campaign's title.
    pub title: String,
    /// The campaign's address.
    pub campaign_href: String,
    /// Whether the provider has confirmed the payment.
    pub paid: bool,
    /// What it costs.
    pub total: String,
    /// What of it is paid when.
    pub asked: super::Asked,
    /// Where the mail goes.
    pub email: String,
    /// When it is decided.
    pub deadline: Moment,
    /// The threshold in words.
    pub threshold: String,
    /// Bought from left-over stock: when it ships; nothing is decided any more.
    pub from_stock: Option<Day>,
    /// What is missing to the next step: "12 more and everybody pays $80.00."
    pub next_step: Option<String>,
    /// The order's own page.
    pub order_href: String,
}

/// The offer to pay an order that is not paid yet.
#[derive(Clone, Debug)]
pub struct PayOffer {
    /// The provider's page, or the queue page.
    pub href: String,
    /// What stands above it: "Not paid yet".
    pub title: &'static str,
    /// What the button says: "Pay $96.50".
    pub words: String,
    /// Until when the units are kept.
    pub held: super::Countdown,
}

/// The offer to cancel.
#[derive(Clone, Debug)]
pub struct CancelOffer {
    /// The page that asks once more.
    pub href: String,
    /// What comes back: "$96.50"; none where nothing was paid.
    pub amount: Option<String>,
    /// Until when: "the order to the supplier goes out".
    pub until: &'static str,
    /// Because the promised date was moved: until the parcel is with the carrier.
    pub late: bool,
    /// A part is with the carrier already: only the rest is cancelled.
    pub part: bool,
}

/// A mail that did not arrive.
#[derive(Clone, Debug)]
pub struct MailProblem {
    /// The address.
    pub email: String,
    /// Its subject.
    pub subject: String,
    /// What the mail server said.
    pub reason: String,
}

/// How an order ended that will not be shipped.
#[derive(Clone, Debug)]
pub struct OrderEnd {
    /// Awaited while money is on its way back, else over.
    pub tone: super::Tone,
    /// "You cancelled this order".
    pub title: String,
    /// Why, and what becomes of the money: a paragraph each.
    pub lines: Vec<String>,
    /// What may be done instead.
    pub way: Option<super::Link>,
}

/// `/o/{id}?t=`
#[derive(Clone, Debug, Template)]
#[template(path = "order/order.html")]
pub struct OrderPage {
    /// Frame, private.
    pub shell: Shell,
    /// What the order is called in mails and on paper.
    pub number: String,
    /// The campaign's title.
    pub title: String,
    /// The campaign's address.
    pub campaign_href: String,
    /// The order's state word.
    pub state: String,
    /// The payment's state word.
    pub payment_state: String,
    /// When it was placed.
    pub placed: Moment,
    /// The number of its batch, where its campaign has several.
    pub batch: Option<i64>,
    /// Where it is, with what comes.
    pub timeline: Timeline,
    /// Lines, total, charges and refunds.
    pub money: MoneyTable,
    /// Receipts and credit notes, oldest first.
    pub papers: Vec<super::Link>,
    /// What is still to be paid, or was refused.
    pub due: Option<super::DuePart>,
    /// A change that is being paid.
    pub change: Option<super::ChangePart>,
    /// A delay that can be answered: stands first.
    pub delay: Option<DelayOffer>,
    /// Every date that was promised; none once nothing will be shipped.
    pub promise: Option<PromiseTable>,
    /// Name and address, line by line.
    pub address: Vec<String>,
    /// In one parcel, or as it becomes available.
    pub one_parcel: bool,
    /// Set while it can still be paid.
    pub pay: Option<PayOffer>,
    /// Set while it can be cancelled.
    pub cancel: Option<CancelOffer>,
    /// Mails that did not arrive.
    pub mail_problem: Option<MailProblem>,
    /// A refund failed twice: its amount. Another way is asked for.
    pub refund_needs_way: Option<String>,
    /// Whom to write to.
    pub seller_name: String,
    /// Their page.
    pub seller_href: String,
    /// Their mail address, where they have published one.
    pub seller_email: Option<String>,
    /// How it ended, where it will not be shipped.
    pub end: Option<OrderEnd>,
    /// Claims, withdrawal, changes.
    pub after: super::AfterPart,
    /// What is there for it, and its parcels; none before something is.
    pub goods: Option<OrderGoods>,
    /// What the seller wrote last, newest first.
    pub updates: Vec<super::Update>,
    /// Where all of that stands.
    pub updates_href: String,
    /// Event stream; a message with `@reload` draws the page again.
    pub events: Option<String>,
}

/// Goods of an order, as its shopper sees them.
#[derive(Clone, Debug)]
pub struct OrderGoods {
    /// What is there and not sent, in a sentence.
    pub ready: Option<String>,
    /// Each line with its state.
    pub lines: Vec<(String, Badge)>,
    /// Its parcels, first to last.
    pub parcels: Vec<ParcelCard>,
    /// Where *it arrived* posts to (`parcel`).
    pub arrived_action: String,
}

/// One parcel, as its shopper sees it.
#[derive(Clone, Debug)]
pub struct ParcelCard {
    /// Its id, for the form.
    pub id: String,
    /// "P-00012".
    pub number: String,
    /// Whether it was sent again.
    pub again: bool,
    /// Its state.
    pub badge: Badge,
    /// What is in it.
    pub lines: Vec<String>,
    /// Who carries it.
    pub carrier: Option<String>,
    /// Its tracking number.
    pub tracking: Option<String>,
    /// The tracking number as a link, for carriers whose page is known.
    pub follow: Option<super::Link>,
    /// Whether it may be said to have arrived.
    pub on_its_way: bool,
    /// When the carrier took it.
    pub handed_over: Option<Moment>,
    /// When it arrived.
    pub arrived: Option<Moment>,
}

impl OrderPage {
    /// Badge of the order.
    pub fn badge(&self) -> Badge {
        Badge::state(&self.state)
    }

    /// Badge of the payment.
    pub fn payment_badge(&self) -> Badge {
        Badge::state(&self.payment_state)
    }

    fn icons(&self) -> String {
        let mut names = Vec::new();
        if self.delay.is_some() {
            names.push("calendar");
        }
        if let Some(due) = self.due.as_ref().filter(|due| due.icon != "alert") {
            names.push(due.icon);
        }
        if self.end.is_some() {
            names.push("coins");
        }
        if self.pay.is_some() || self.change.is_some() {
            names.extend(["lock", "clock"]);
        }
        if self.mail_problem.is_some() {
            names.push("mail");
        }
        let wrong = self.after.claims.iter().any(|claim| {
            let proof = claim.sent.as_ref();
            proof.is_some_and(|(_, field)| field.error.is_some())
        });
        let declined = self.due.as_ref().is_some_and(|due| due.icon == "alert");
        if self.refund_needs_way.is_some() || wrong || declined {
            names.push("alert");
        }
        names.join(" ")
    }
}

/// Asks once more before an order is cancelled; its button posts to the address of the order's cancelling.
#[derive(Clone, Debug, Template)]
#[template(path = "order/cancel.html")]
pub struct CancelPage {
    /// Frame, private.
    pub shell: Shell,
    /// What the order is called.
    pub number: String,
    /// The campaign's title.
    pub title: String,
    /// Where the form posts to, with the token.
    pub action: String,
    /// What comes back; none where nothing was paid.
    pub amount: Option<String>,
    /// Because the promised date was moved.
    pub late: bool,
    /// A part is with the carrier already: only the rest is cancelled.
    pub part: bool,
    /// The order's own page.
    pub order_href: String,
}

impl CancelPage {
    fn button(&self) -> String {
        super::cancel_words(self.amount.as_deref(), self.part)
    }
}

/// `/orders/link`: the order's link once more.
#[derive(Clone, Debug, Template)]
#[template(path = "order/link.html")]
pub struct LinkAgainPage {
    /// Frame.
    pub shell: Shell,
    /// The address, with what is wrong with it ([`LinkAgainPage::field`]).
    pub email: Field,
}

impl LinkAgainPage {
    /// The field of the form, filled in.
    pub fn field(typed: &str, error: Option<String>) -> Field {
        let mut field = Field::input("email", "email", "E-mail you ordered with")
            .value(typed)
            .autocomplete("email")
            .max_length(254);
        field.error = error;
        field
    }
}

/// `/orders/link/sent`: says the same whether the address has orders or not.
#[derive(Clone, Debug, Template)]
#[template(path = "order/link_sent.html")]
pub struct LinkSentPage {
    /// Frame.
    pub shell: Shell,
}
