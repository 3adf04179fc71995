//! The letters about saved cards and deposits: one frame, filled from what there is to say.

use askama::Template;

use crate::mail::words::{Rows, day, moment};
use crate::workflows::judgement::is_missing;
use crate::workflows::letters::{About, AtTheEnd, CardNews, Joined, JoinedBy};

letter!(Card, "email/card.html", "email/card.txt" {
    about: &'a About,
    title: &'a str,
    first: String,
    rows: Rows,
    by_itself: Vec<String>,
    may_do: Vec<String>,
    button: Option<&'a str>,
    withdrawal: &'a [String],
});

/// What happens to an order, and its deposit, that is not paid.
fn end(then: &AtTheEnd) -> String {
    match then {
        AtTheEnd::NothingCharged => "your order is cancelled. Nothing was charged.".to_owned(),
        AtTheEnd::DepositBack(amount) => {
            format!("your order is cancelled, and your deposit of {amount} goes back to you.")
        }
        AtTheEnd::DepositKept(amount) => format!(
            "your order is cancelled, and the seller keeps your deposit of {amount}, as was said when you joined."
        ),
    }
}

/// The order counts: a card is saved, or a deposit paid.
pub(super) fn joined(about: &About, j: &Joined, subject: &str) -> askama::Result<(String, String)> {
    let mut rows = Rows::of(&j.lines, j.shipping.as_deref());
    if let Some(tax) = &j.tax {
        rows.add("Tax", tax);
    }
    let ends = moment(j.deadline, &about.time_zone);
    let decided = format!(
        "{} must come together by {ends}. Then {} orders from the supplier, and your order ships by {}.",
        j.threshold,
        about.merchant,
        day(j.ships_by)
    );
    let order = format!("your order {} for {}", about.number, about.campaign);
    let (title, first, mut by_itself) = match &j.by {
        JoinedBy::Card { card, waits_for } => {
            rows.sum("You pay at most", &j.total);
            let mut parts = vec![decided];
            if let Some(step) = waits_for {
                parts.push(format!(
                    "You are in only if {step} is reached. If it is not, your order is released and nothing is charged."
                ));
            }
            parts.push(format!(
                "Only then {card} is charged, {} at the most: less if a better price is reached. If your bank says no, you have 7 days to pay in another way.",
                j.total
            ));
            parts.push("If it is missed, nothing is charged, and the card is not kept.".to_owned());
            let first = format!(
                "{order} by {} is in. {card} is saved; nothing was charged.",
                about.merchant
            );
            ("Your card is saved, nothing is charged yet", first, parts)
        }
        JoinedBy::Deposit {
            paid,
            balance,
            kept,
            when,
        } => {
            rows.sum("Total", &j.total);
            rows.add("Deposit, paid now", paid);
            rows.add("Balance, when the goods arrive", balance);
            let unpaid = if *kept {
                format!(
                    "If the balance is not paid within 7 days after that, your order is cancelled and {} keeps the deposit.",
                    about.merchant
                )
            } else {
                "If the balance is not paid within 7 days after that, your order is cancelled and the deposit goes back to you.".to_owned()
            };
            let parts = vec![
                decided,
                format!(
                    "If that is missed, {paid} goes back to you without your asking. Banks usually take 5 to 10 days to show it."
                ),
                format!(
                    "The balance of {balance} is charged to the same card {when}. You are told 3 days ahead. If a better price is reached, it is less."
                ),
                unpaid,
            ];
            let first = format!(
                "{order} by {} is in: a deposit of {paid} was charged.",
                about.merchant
            );
            ("Your deposit is paid", first, parts)
        }
    };
    by_itself.push(format!(
        "What has not shipped by the end of {} is refunded without your asking.",
        day(j.stop_loss)
    ));
    Card {
        about,
        title,
        first: beginning(&first),
        rows,
        by_itself,
        may_do: vec!["Until the supplier\u{2019}s order is sent you can cancel on your order page, at no cost.".to_owned()],
        button: None,
        withdrawal: &j.withdrawal,
    }
    .write(subject)
}

/// What there is to say of a saved card or a deposit.
pub(super) fn news(about: &About, n: &CardNews, subject: &str) -> askama::Result<(String, String)> {
    let order = format!("your order {} for {}", about.number, about.campaign);
    let at = |at| moment(at, &about.time_zone);
    let mut said = Card {
        about,
        title: "",
        first: String::new(),
        rows: Rows::default(),
        by_itself: Vec::new(),
        may_do: Vec::new(),
        button: None,
        withdrawal: &[],
    };
    match n {
        CardNews::Charged { amount, card } => {
            said.title = "Your order is paid";
            let whence = card
                .as_ref()
                .map_or(String::new(), |card| format!(" to {card}"));
            said.first = format!("{amount} was charged{whence} for {order}.");
            said.by_itself.push("The card is not kept any more. You hear when the supplier\u{2019}s order is out and when your parcel goes.".to_owned());
        }
        CardNews::Charging {
            amount,
            card,
            at_most,
            fell,
            not_made,
            ships_by,
        } => {
            said.title = "It came together: your card is charged";
            said.first = format!(
                "{} came together. {amount} is charged to {card} now for your order {}.",
                about.campaign, about.number
            );
            if !not_made.is_empty() {
                said.by_itself.push(format!(
                    "Too few were ordered of this, so it is not made and not sent: {}. You do not pay for it, and shipping and tax are computed without it.",
                    not_made.join(", ")
                ));
            }
            if at_most != amount {
                said.by_itself.push(format!(
                    "You joined for {at_most} at the most; {}.",
                    why_less(*fell, !not_made.is_empty())
                ));
            }
            said.by_itself.push(format!(
                "Once all cards are charged, {} orders from the supplier. Your order ships by {}.",
                about.merchant,
                day(*ships_by)
            ));
            said.by_itself.push("If your bank says no, you get a mail with a link, and have 7 days to pay in another way.".to_owned());
        }
        CardNews::Declined {
            amount,
            card,
            why,
            asks,
            again,
            until,
            then,
        } => {
            said.title = "Your card was not charged";
            let which = card.as_deref().unwrap_or("A card");
            said.first = if *asks {
                format!(
                    "{amount} is to be paid for {order}. Your bank wants you to confirm the payment, which only you can do."
                )
            } else {
                format!("{which} could not be charged {amount} for {order}. {why}")
            };
            if let Some(again) = again {
                said.by_itself
                    .push(format!("It is tried once more on {}.", at(*again)));
            }
            said.by_itself.push(format!(
                "If it is not paid by {}, {}",
                at(*until),
                end(then)
            ));
            said.may_do.push(format!(
                "Pay {amount} on your order page, with this card or another."
            ));
            said.button = Some("Pay now");
        }
        CardNews::NotPaid { amount, then } => {
            said.title = "Your order is cancelled";
            said.first = format!("{amount} was not paid in time for {order}: {}", end(then));
        }
        CardNews::Released { waited_for } => {
            said.title = "Your order is released";
            said.first = format!(
                "{order} waited for {waited_for}, which was not reached. Your order is released: nothing was charged, and your card is not kept."
            );
        }
        CardNews::Short {
            missing,
            until,
            back,
        } => {
            said.title = "Not enough could be charged";
            said.first = format!(
                "After all cards were charged, {} for {}.",
                is_missing(missing),
                about.campaign
            );
            said.by_itself.push(format!(
                "Until {} {} may buy what is missing. Then it goes on as planned.",
                at(*until),
                about.merchant
            ));
            said.by_itself.push(match back {
                Some(back) => format!("If not, {back} goes back to you without your asking."),
                None => "If not, the campaign ends. Nothing was charged to you.".to_owned(),
            });
        }
        CardNews::MadeUp { ships_by } => {
            said.title = "It goes on as planned";
            said.first = format!(
                "What was missing for {} after all cards were charged was made up in time: it goes on as planned, with your order {}.",
                about.campaign, about.number
            );
            said.by_itself.push(format!(
                "{} orders from the supplier. Your order ships by {}. Nothing more is charged for it.",
                about.merchant,
                day(*ships_by)
            ));
        }
        CardNews::Ends {
            card,
            expiry,
            charged_on,
        } => {
            said.title = "Your card ends before it is charged";
            said.first = format!(
                "{card}, saved for {order}, is good until {expiry}. It would be charged after {}.",
                at(*charged_on)
            );
            said.may_do.push("Save another card on your order page. Nothing is charged for that. If your bank has sent you a new card with the same number, save it again with its new date.".to_owned());
            said.by_itself.push("If you leave it, the card is tried all the same; if your bank says no, you have 7 days to pay in another way.".to_owned());
            said.button = Some("Save another card");
        }
        CardNews::BalanceAsked {
            amount,
            card,
            on,
            then,
        } => {
            said.title = "The goods arrive: the balance is due";
            said.first = match card {
                Some(card) => format!(
                    "The goods for {order} arrive. The balance of {amount} is charged to {card} on {}, or when they are there, if that is later.",
                    at(*on)
                ),
                None => format!(
                    "The goods for {order} arrive. The balance of {amount} is to be paid on your order page from now on."
                ),
            };
            said.by_itself.push(match card {
                Some(_) => format!(
                    "If your bank says no and it is not paid within 7 days after that, {}",
                    end(then)
                ),
                None => format!(
                    "If it is not paid within 7 days after {}, {}",
                    at(*on),
                    end(then)
                ),
            });
            if card.is_some() {
                said.may_do.push(
                    "You can pay it on your order page before, or save another card there."
                        .to_owned(),
                );
            }
            said.button = Some(card.as_ref().map_or("Pay now", |_| "Your order"));
        }
    }
    said.first = beginning(&said.first);
    said.write(subject)
}

/// Why less is charged than was said at joining.
fn why_less(fell: bool, not_made: bool) -> &'static str {
    match (fell, not_made) {
        (true, false) => "the price fell",
        (true, true) => "the price fell, and what is not made is taken off",
        (false, true) => "what is not made is taken off",
        (false, false) => "what has left your order since is taken off",
    }
}

/// With a capital letter.
fn beginning(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}
