//! Saved cards: until when they are good, and what follows from a bank's no (domain section 4).

use chrono::{DateTime, NaiveDate, Utc};

use super::words::words;

/// The last month in which a card is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CardExpiry {
    /// Four digits.
    pub year: i32,
    /// 1 to 12.
    pub month: u32,
}

impl CardExpiry {
    /// The expiry that is printed as this month of this year; none where that is no month.
    pub fn new(year: i32, month: u32) -> Option<Self> {
        NaiveDate::from_ymd_opt(year, month, 1).map(|_| Self { year, month })
    }

    /// The first day on which the card is no longer good: the first of the month that follows.
    pub fn ends(self) -> NaiveDate {
        let (year, month) = match self.month {
            12 => (self.year + 1, 1),
            month => (self.year, month + 1),
        };
        NaiveDate::from_ymd_opt(year, month, 1).unwrap_or(NaiveDate::MAX)
    }

    /// Whether it will be over when it is charged at `at`. Banks look at the month where they are, so that a day is left
    /// for the time zones.
    pub fn is_over_by(self, at: DateTime<Utc>) -> bool {
        at.date_naive() >= self.ends().pred_opt().unwrap_or(self.ends())
    }
}

impl std::fmt::Display for CardExpiry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:02}/{:02}", self.month, self.year.rem_euclid(100))
    }
}

/// The day on which a shopper is told that the card ends before it is charged: a week before it ends. None where it is
/// good until `charged`.
pub fn told_of_expiry_on(expiry: CardExpiry, charged: DateTime<Utc>) -> Option<NaiveDate> {
    expiry
        .is_over_by(charged)
        .then(|| expiry.ends() - chrono::Days::new(7))
}

words! {
    /// Where a card stands that was saved at the provider for an order.
    CardState {
        Saved = "saved",
        /// Not needed any more: to be taken from its customer at the provider.
        Unwanted = "unwanted",
        /// Taken: it can never be charged again.
        Detached = "detached",
    }
}

words! {
    /// What follows from a bank's no.
    Decline {
        /// It may pay another time: tried again while the grace window lasts.
        Soft = "soft",
        /// Its holder must be asked (`authentication_required`): only a page helps, the same charge would be refused again.
        Authentication = "authentication",
        /// The card will never pay, such as one that is lost or stolen: not tried again.
        Hard = "hard",
    }
}

/// The provider's codes after which a card is never charged again: it was reported lost or stolen, is over, or is none
/// (docs.stripe.com/declines/codes: "should not be retried").
const HARD: [&str; 12] = [
    "lost_card",
    "stolen_card",
    "pickup_card",
    "restricted_card",
    "expired_card",
    "fraudulent",
    "incorrect_number",
    "invalid_number",
    "invalid_account",
    "new_account_information_available",
    "security_violation",
    "revocation_of_all_authorizations",
];

impl Decline {
    /// What follows from the provider's error code and the bank's decline code; either may be empty.
    pub fn of(code: &str, decline_code: &str) -> Self {
        let is = |words: &[&str]| words.contains(&code) || words.contains(&decline_code);
        if is(&["authentication_required", "authentication_not_handled"]) {
            Decline::Authentication
        } else if is(&HARD) {
            Decline::Hard
        } else {
            Decline::Soft
        }
    }

    /// Whether charging the same card again, without its holder, makes sense.
    pub fn can_be_retried(self) -> bool {
        match self {
            Decline::Soft => true,
            Decline::Authentication | Decline::Hard => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn a_card_is_good_until_its_month_is_over() {
        let card = CardExpiry::new(2027, 3).unwrap();
        assert!(!card.is_over_by(at("2027-03-30T12:00:00Z")));
        assert!(card.is_over_by(at("2027-04-01T00:00:00Z")));
        assert_eq!(
            CardExpiry::new(2026, 12).unwrap().ends().to_string(),
            "2027-01-01"
        );
        assert!(CardExpiry::new(2026, 13).is_none());
    }

    #[test]
    fn its_holder_is_told_a_week_before_it_ends() {
        let card = CardExpiry::new(2027, 3).unwrap();
        assert_eq!(told_of_expiry_on(card, at("2027-03-20T12:00:00Z")), None);
        let told = told_of_expiry_on(card, at("2027-04-20T12:00:00Z"));
        assert_eq!(told.unwrap().to_string(), "2027-03-25");
    }

    #[test]
    fn lost_and_stolen_cards_are_not_tried_again() {
        assert_eq!(Decline::of("card_declined", "lost_card"), Decline::Hard);
        assert_eq!(Decline::of("card_declined", "stolen_card"), Decline::Hard);
        assert_eq!(Decline::of("expired_card", ""), Decline::Hard);
        assert!(Decline::of("card_declined", "insufficient_funds").can_be_retried());
        assert_eq!(
            Decline::of("authentication_required", "authentication_required"),
            Decline::Authentication
        );
    }
}
