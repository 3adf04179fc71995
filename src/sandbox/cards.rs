//! The test cards and what each does: numbers, codes and messages are Stripe's (docs.stripe.com/testing).

use super::errors::Refusal;

/// What a card does when it is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// Pays.
    Pays,
    /// The bank says no.
    Declined(&'static Decline),
    /// Pays; a refund succeeds and fails an hour later.
    RefundFails,
    /// Pays; a refund is pending for an hour.
    RefundPending,
    /// Pays, and is disputed at once.
    Disputed,
    /// Pays, and the bank asks about it at once: an inquiry, which takes no money.
    Inquired,
}

/// When a card wants its holder asked (3-D Secure).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Never.
    Never,
    /// Until it was set up once.
    UntilSetUp,
    /// Each time.
    Always,
}

/// A bank's no.
#[derive(Debug, PartialEq, Eq)]
pub struct Decline {
    /// Stripe's `code`.
    pub code: &'static str,
    /// Stripe's `decline_code`.
    pub decline_code: &'static str,
    /// What the shopper reads.
    pub message: &'static str,
}

impl Decline {
    /// The error the API answers with.
    pub fn refusal(&self) -> Refusal {
        Refusal::card(self.code, Some(self.decline_code), self.message)
    }
}

/// A card number the sandbox knows.
#[derive(Debug, PartialEq, Eq)]
pub struct Card {
    /// All digits.
    pub number: &'static str,
    /// What a charge does.
    pub charge: Charge,
    /// Whether it can be saved although it can't be charged.
    pub saves: bool,
    /// 3-D Secure.
    pub asks: Asks,
    /// Stripe's ready-made payment method for this card.
    pub alias: &'static str,
    /// What it is for, as the pay page lists it.
    pub note: &'static str,
}

const GENERIC: Decline = Decline {
    code: "card_declined",
    decline_code: "generic_decline",
    message: "Your card was declined.",
};
const FUNDS: Decline = Decline {
    code: "card_declined",
    decline_code: "insufficient_funds",
    message: "Your card has insufficient funds.",
};
const LOST: Decline = Decline {
    code: "card_declined",
    decline_code: "lost_card",
    message: "Your card was declined.",
};
const STOLEN: Decline = Decline {
    code: "card_declined",
    decline_code: "stolen_card",
    message: "Your card was declined.",
};
/// The month that stands on the card is over.
pub const EXPIRED: Decline = Decline {
    code: "expired_card",
    decline_code: "expired_card",
    message: "Your card has expired.",
};
const CVC: Decline = Decline {
    code: "incorrect_cvc",
    decline_code: "incorrect_cvc",
    message: "Your card's security code is incorrect.",
};
const PROCESSING: Decline = Decline {
    code: "processing_error",
    decline_code: "processing_error",
    message: "An error occurred while processing your card. Try again in a little bit.",
};
const NOT_A_TEST_CARD: Decline = Decline {
    code: "card_declined",
    decline_code: "test_mode_live_card",
    message: "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test \
              cards, visit: https://stripe.com/docs/testing.",
};
/// The holder was asked and the answer was no.
pub const NOT_AUTHENTICATED: &str = "We are unable to authenticate your payment method. Please choose a different payment \
                                     method and try again.";
/// The holder would have to be asked, and is not there.
pub const AUTHENTICATION_REQUIRED: Decline = Decline {
    code: "authentication_required",
    decline_code: "authentication_required",
    message: "Your card was declined. This transaction requires authentication.",
};

const fn card(
    number: &'static str,
    alias: &'static str,
    charge: Charge,
    note: &'static str,
) -> Card {
    Card {
        number,
        charge,
        saves: !matches!(charge, Charge::Declined(_)),
        asks: Asks::Never,
        alias,
        note,
    }
}

/// Every card, in the order the pay page lists them.
pub const CARDS: [Card; 15] = [
    card("4242424242424242", "pm_card_visa", Charge::Pays, "Pays"),
    card(
        "4000000000000002",
        "pm_card_chargeDeclined",
        Charge::Declined(&GENERIC),
        "Declined",
    ),
    card(
        "4000000000009995",
        "pm_card_chargeDeclinedInsufficientFunds",
        Charge::Declined(&FUNDS),
        "Declined, no funds",
    ),
    card(
        "4000000000009987",
        "pm_card_chargeDeclinedLostCard",
        Charge::Declined(&LOST),
        "Declined, lost card",
    ),
    card(
        "4000000000009979",
        "pm_card_chargeDeclinedStolenCard",
        Charge::Declined(&STOLEN),
        "Declined, stolen card",
    ),
    card(
        "4000000000000069",
        "pm_card_chargeDeclinedExpiredCard",
        Charge::Declined(&EXPIRED),
        "Declined, expired",
    ),
    card(
        "4000000000000127",
        "pm_card_chargeDeclinedIncorrectCvc",
        Charge::Declined(&CVC),
        "Declined, wrong code",
    ),
    card(
        "4000000000000119",
        "pm_card_chargeDeclinedProcessingError",
        Charge::Declined(&PROCESSING),
        "Declined, processing error",
    ),
    Card {
        saves: true,
        ..card(
            "4000000000000341",
            "pm_card_chargeCustomerFail",
            Charge::Declined(&GENERIC),
            "Can be saved, fails when charged",
        )
    },
    Card {
        asks: Asks::UntilSetUp,
        ..card(
            "4000002500003155",
            "pm_card_authenticationRequiredOnSetup",
            Charge::Pays,
            "Asks the bank first, until saved",
        )
    },
    Card {
        asks: Asks::Always,
        ..card(
            "4000002760003184",
            "pm_card_authenticationRequired",
            Charge::Pays,
            "Asks the bank each time",
        )
    },
    card(
        "4000000000005126",
        "pm_card_refundFail",
        Charge::RefundFails,
        "Pays; a refund fails after an hour",
    ),
    card(
        "4000000000007726",
        "pm_card_pendingRefund",
        Charge::RefundPending,
        "Pays; a refund takes an hour",
    ),
    card(
        "4000000000000259",
        "pm_card_createDispute",
        Charge::Disputed,
        "Pays, then is disputed",
    ),
    card(
        "4000000000001976",
        "pm_card_createDisputeInquiry",
        Charge::Inquired,
        "Pays, then the bank inquires",
    ),
];

/// The card with this number, or the provider's refusal of any other.
pub fn look_up(number: &str) -> Result<&'static Card, Box<Refusal>> {
    if let Some(card) = CARDS.iter().find(|c| c.number == number) {
        return Ok(card);
    }
    if (12..=19).contains(&number.len()) && luhn(number) {
        return Err(NOT_A_TEST_CARD.refusal().into());
    }
    let refusal = Refusal::card("incorrect_number", None, "Your card number is incorrect.");
    Err(refusal.param("number").into())
}

/// The card behind one of Stripe's ready-made payment methods.
pub fn by_alias(alias: &str) -> Option<&'static Card> {
    CARDS.iter().find(|c| c.alias == alias)
}

fn luhn(number: &str) -> bool {
    let mut sum = 0;
    for (n, c) in number.chars().rev().enumerate() {
        let Some(mut digit) = c.to_digit(10) else {
            return false;
        };
        if n % 2 == 1 {
            digit *= 2;
            if digit > 9 {
                digit -= 9;
            }
        }
        sum += digit;
    }
    sum % 10 == 0
}
