//! The kinds of background work, and whose turn comes first.

/// A kind of work. The name is kept in rows: it never changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind {
    /// The kept name.
    pub name: &'static str,
    /// Joining comes before refunds, refunds before mails: the lower goes first.
    pub priority: i32,
}

/// Drives one payment page from its planned creation to its end. Subject: `{order}:{attempt}`.
pub const PAYMENT: Kind = Kind {
    name: "payment",
    priority: 10,
};
/// The same for a charge of a saved card, at a turn of its own: who waits for a page comes first, and so does what needs no
/// call. Subject: `{order}:{attempt}`.
pub const CHARGE: Kind = Kind {
    name: PAYMENT.name,
    priority: 29,
};
/// Opens, judges, orders: drives one campaign by its dates. Subject: its id.
pub const CAMPAIGN: Kind = Kind {
    name: "campaign",
    priority: 20,
};
/// Offers units that came free to those who wait for them, and ends offers and lists. Subject: the campaign.
pub const WAITING: Kind = Kind {
    name: "waiting",
    priority: 22,
};
/// Gives the orders of a judged batch their final price, or their refund. Subject: the batch.
pub const SETTLE: Kind = Kind {
    name: "settle",
    priority: 25,
};
/// Looks whether the collecting of a batch with saved cards is over. Subject: the batch.
pub const COLLECT: Kind = Kind {
    name: "collect",
    priority: 24,
};
/// Tells the shoppers of a batch that too little was collected, or that this was made up. Subject: `{batch}:begun` or
/// `{batch}:made_up`.
pub const SHORTFALL_TOLD: Kind = Kind {
    name: "shortfall_told",
    priority: 42,
};
/// Drives what is collected from one order: its charge, its grace window. Subject: the order.
pub const DUE: Kind = Kind {
    name: "due",
    priority: 25,
};
/// Takes a card from its customer at the provider. Subject: the card's id there.
pub const DETACH: Kind = Kind {
    name: "detach",
    priority: 44,
};
/// Tells holders of cards that end before they are charged. Subject: the campaign.
pub const CARDS_END: Kind = Kind {
    name: "cards_end",
    priority: 43,
};
/// Asks for the balances of a batch when its goods arrive. Subject: the batch.
pub const BALANCE: Kind = Kind {
    name: "balance",
    priority: 27,
};
/// Tells everybody that a better step was reached. Subject: `{campaign}:{step}`.
pub const STEP_TOLD: Kind = Kind {
    name: "step_told",
    priority: 42,
};
/// Tells everybody that the deadline moved. Subject: the campaign.
pub const EXTENSION_TOLD: Kind = Kind {
    name: "extension_told",
    priority: 42,
};
/// Drives one refund to its end. Subject: its id.
pub const REFUND: Kind = Kind {
    name: "refund",
    priority: 30,
};
/// Fetches a refund that a webhook named and applies it. Subject: its id at the provider.
pub const REFUND_HEARD: Kind = Kind {
    name: "refund_heard",
    priority: 30,
};
/// Fetches a dispute and applies it. Subject: its id at the provider.
pub const DISPUTE: Kind = Kind {
    name: "dispute",
    priority: 30,
};
/// Sends an answer to a dispute. Subject: the dispute's id at the provider and the attempt.
pub const EVIDENCE: Kind = Kind {
    name: "evidence",
    priority: 31,
};
/// Gives a batch's stock to the lines that wait for it. Subject: the batch.
pub const ALLOCATE: Kind = Kind {
    name: "allocate",
    priority: 28,
};
/// Refunds the lines that will get nothing, some at a time. Subject: the batch.
pub const SHORT: Kind = Kind {
    name: "short",
    priority: 27,
};
/// Takes parcels of which nobody said so for arrived. Subject: the batch.
pub const ASSUME_DELIVERED: Kind = Kind {
    name: "assume_delivered",
    priority: 46,
};
/// Tells shoppers of a date that was set for their batch. Subject: the date's id.
pub const DATES_TOLD: Kind = Kind {
    name: "dates_told",
    priority: 41,
};
/// Keeps the promises of a batch, day by day: refunds those whose last day is over, sends the notice that nobody sent,
/// warns staff. Subject: the batch.
pub const PROMISE: Kind = Kind {
    name: "promise",
    priority: 26,
};
/// Refunds everything of a batch that will not be shipped. Subject: the batch.
pub const GIVEN_UP: Kind = Kind {
    name: "given_up",
    priority: 26,
};
/// Warns of a withdrawal's refund, and gives it on its last day. Subject: the claim.
pub const WITHDRAWAL: Kind = Kind {
    name: "withdrawal",
    priority: 29,
};
/// Writes an update to everybody who joined. Subject: the update's id.
pub const POST_TOLD: Kind = Kind {
    name: "post_told",
    priority: 42,
};
/// Tells those who answered an interest check that it opened, or will not. Subject: `{campaign}:opened` or
/// `{campaign}:cancelled`.
pub const INTEREST_TOLD: Kind = Kind {
    name: "interest_told",
    priority: 42,
};
/// Tells those who voted for an idea that a campaign came of it. Subject: the idea.
pub const IDEA_TOLD: Kind = Kind {
    name: "idea_told",
    priority: 43,
};
/// Looks whether a campaign has been quiet too long. Subject: the campaign.
pub const QUIET: Kind = Kind {
    name: "quiet",
    priority: 46,
};
/// Sends one mail. Subject: its id.
pub const MAIL: Kind = Kind {
    name: "mail",
    priority: 40,
};
/// Reminds a supplier, then tells staff. Subject: the purchase order.
pub const SUPPLIER_ANSWER: Kind = Kind {
    name: "supplier_answer",
    priority: 45,
};
/// Asks the provider for what no webhook told, for the whole account. Subject: `all`.
pub const RECONCILE: Kind = Kind {
    name: "reconcile",
    priority: 50,
};
/// Throws away what is kept for a time only. Subject: `all`.
pub const HOUSEKEEPING: Kind = Kind {
    name: "housekeeping",
    priority: 60,
};

/// Every kind there is.
pub const KINDS: &[Kind] = &[
    PAYMENT,
    CHARGE,
    CAMPAIGN,
    WAITING,
    SETTLE,
    COLLECT,
    SHORTFALL_TOLD,
    DUE,
    BALANCE,
    DETACH,
    CARDS_END,
    REFUND,
    REFUND_HEARD,
    DISPUTE,
    EVIDENCE,
    SHORT,
    ALLOCATE,
    PROMISE,
    GIVEN_UP,
    DATES_TOLD,
    WITHDRAWAL,
    MAIL,
    STEP_TOLD,
    EXTENSION_TOLD,
    POST_TOLD,
    INTEREST_TOLD,
    IDEA_TOLD,
    QUIET,
    SUPPLIER_ANSWER,
    ASSUME_DELIVERED,
    RECONCILE,
    HOUSEKEEPING,
];

/// The priorities of work that is calls by the ten thousand, when a campaign is charged or refunded: charges, refunds, and cards
/// that are let go after them.
pub const CALLS: [i32; 3] = [CHARGE.priority, REFUND.priority, DETACH.priority];

/// Whether work of this priority is such calls.
pub fn is_call(priority: i32) -> bool {
    CALLS.contains(&priority)
}
