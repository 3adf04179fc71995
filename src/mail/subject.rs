//! The subjects: what happened, with its amount and its date where there are some.

use chrono::NaiveDate;

use super::words::{day, day_of, one_line, units};
use crate::domain::promise::{NoticeKind, RefundCause, Silence};
use crate::workflows::judgement::is_missing;
use crate::workflows::letters::{
    About, After, CardNews, Delay, DelayRefund, JoinedBy, Letter, Stands, WhyCancelled, WhyFailed,
    WhyWithdrawn,
};

/// A letter's subject, in one line whatever people typed.
pub fn of(letter: &Letter) -> String {
    one_line(&match letter {
        Letter::OrderConfirmed {
            about,
            total,
            deadline,
            ..
        } => format!(
            "Order {}: you paid {total}; {} is decided by {}",
            about.number,
            about.campaign,
            day_of(*deadline, &about.time_zone)
        ),
        Letter::Joined { about, joined } => {
            let ends = day_of(joined.deadline, &about.time_zone);
            let what = match &joined.by {
                JoinedBy::Card { .. } => "your card is saved, nothing is charged".to_owned(),
                JoinedBy::Deposit { paid, .. } => format!("you paid a deposit of {paid}"),
            };
            format!(
                "Order {}: {what}; {} is decided by {ends}",
                about.number, about.campaign
            )
        }
        Letter::Card { about, news } => card(about, news),
        Letter::SoldFromStock {
            about,
            total,
            ships_by,
            ..
        } => format!(
            "Order {}: you paid {total}; {} ships by {}",
            about.number,
            about.campaign,
            day(*ships_by)
        ),
        Letter::StepReached {
            about,
            units,
            back,
            less,
            deadline,
        } => {
            let ends = day_of(*deadline, &about.time_zone);
            let less = less.as_ref().map(|less| less.less.as_str());
            step(&about.campaign, units, (back.as_deref(), less), &ends)
        }
        Letter::Succeeded {
            about,
            deposit,
            back,
            ships_by,
            ..
        } => {
            let balance = deposit.as_ref().and_then(|d| d.balance.as_deref());
            let money = (back.as_deref(), balance);
            succeeded(&about.campaign, money, &day(*ships_by))
        }
        Letter::Failed { about, why, back } => failed(&about.campaign, why, back.as_deref()),
        Letter::Cancelled { about, why, back } => cancelled(&about.number, why, back.as_deref()),
        Letter::Extended {
            about,
            deadline,
            stands,
            ..
        } => {
            let may = match stands {
                Stands::Paid(back) => format!("stay, or take back {back}"),
                Stands::Saved | Stands::Unpaid { .. } => "stay, or leave".to_owned(),
            };
            let day = day_of(*deadline, &about.time_zone);
            format!("{} now ends on {day}: {may}", about.campaign)
        }
        Letter::Update { about, title, .. } => format!("{}: {title}", about.campaign),
        Letter::LinkAgain { server, orders } => match orders.len() {
            1 => format!("The link to your order at {server}"),
            n => format!("The links to your {n} orders at {server}"),
        },
        Letter::RefundNeedsAnotherWay { about, amount, .. } => format!(
            "Order {}: your refund of {amount} did not arrive, please say another way",
            about.number
        ),
        Letter::Shipped {
            about,
            parcel,
            carrier,
            ..
        } => match carrier {
            Some(carrier) => format!(
                "Order {}: parcel {parcel} is on its way with {carrier}",
                about.number
            ),
            None => format!("Order {}: parcel {parcel} is on its way", about.number),
        },
        Letter::ShortForGood { about, back, .. } => match back {
            Some(back) => format!(
                "Order {}: a part will not arrive, {back} goes back to you",
                about.number
            ),
            None => format!("Order {}: a part will not arrive", about.number),
        },
        Letter::Delay { about, notice } => delay(&about.number, notice),
        Letter::DelayRefund { about, refund } => delay_refund(&about.number, refund),
        Letter::PurchaseOrder {
            merchant,
            number,
            version,
            units: count,
            total,
            wanted_by,
            ..
        } => purchase(
            merchant,
            &numbered(number, *version),
            *count,
            total,
            *wanted_by,
        ),
        Letter::PurchaseOrderReminder {
            merchant,
            number,
            units: count,
            issued_at,
            ..
        } => format!(
            "Purchase order {number} from {merchant}, {}, waits for your answer since {}",
            units(*count),
            day_of(*issued_at, "UTC")
        ),
        Letter::PurchaseOrderCancelled {
            merchant,
            number,
            why,
            ..
        } => {
            let what = match why {
                WhyWithdrawn::CampaignEnded => "cancelled",
                WhyWithdrawn::Replaced(_) => "replaced",
            };
            format!("Purchase order {number} from {merchant} is {what}: please do not deliver")
        }
        Letter::Waiting { about, news } => super::letters::waiting_subject(about, news),
        Letter::Asked { about, news } => super::letters::asked_subject(about, news),
        Letter::After { about, news } => after(&about.number, news, &about.time_zone),
        Letter::Staff {
            merchant, subject, ..
        } => format!("{merchant}: {subject}"),
    })
}

/// The new date, and the last day to answer where silence cancels.
/// What is said of a saved card or a deposit.
fn card(about: &About, news: &CardNews) -> String {
    let zone = &about.time_zone;
    match news {
        CardNews::Charged { amount, .. } => format!("Order {}: {amount} was charged", about.number),
        CardNews::Charging { amount, .. } => {
            format!(
                "{} came together: {amount} is charged to your card",
                about.campaign
            )
        }
        CardNews::Declined { amount, until, .. } => format!(
            "Order {}: your card was not charged, pay {amount} by {}",
            about.number,
            day_of(*until, zone)
        ),
        CardNews::NotPaid { amount, .. } => {
            format!("Order {} is cancelled: {amount} was not paid", about.number)
        }
        CardNews::Released { .. } => {
            format!("Order {} is released: nothing was charged", about.number)
        }
        CardNews::Short { missing, until, .. } => format!(
            "{}: {}, decided by {}",
            about.campaign,
            is_missing(missing),
            day_of(*until, zone)
        ),
        CardNews::MadeUp { ships_by } => format!(
            "{} goes on as planned: what was missing is there, ships by {}",
            about.campaign,
            day(*ships_by)
        ),
        CardNews::Ends { expiry, .. } => format!(
            "Order {}: your card is good until {expiry}, please save another",
            about.number
        ),
        CardNews::BalanceAsked {
            amount, on, card, ..
        } => format!(
            "Order {}: the balance of {amount} is {} {}",
            about.number,
            card.as_ref().map_or("to be paid by", |_| "charged on"),
            day_of(*on, zone)
        ),
    }
}

fn delay(number: &str, notice: &Delay) -> String {
    let what = match notice.revised {
        Some(date) if notice.kind == NoticeKind::Told => format!("it ships by {}", day(date)),
        Some(date) => format!(
            "it ships by {} instead of {}",
            day(date),
            day(notice.replaces)
        ),
        None => "the new ship date is not known".to_owned(),
    };
    match notice.consequence {
        Some(said) if said.silence == Silence::Cancels => {
            let by = day(said.last_day);
            format!("Order {number}: {what}, please answer by {by}")
        }
        _ => format!("Order {number}: {what}"),
    }
}

fn delay_refund(number: &str, refund: &DelayRefund) -> String {
    let what = match (refund.cause, refund.part_shipped) {
        (RefundCause::WillNotShip, false) => "will not be shipped",
        (RefundCause::WillNotShip, true) => "the rest will not be shipped",
        (_, false) => "is cancelled",
        (_, true) => "the rest is cancelled",
    };
    let colon = if refund.part_shipped { ":" } else { "" };
    match (&refund.back, refund.held) {
        (Some(back), true) => format!("Order {number}{colon} {what}, {back} is owed to you"),
        (Some(back), false) => format!("Order {number}{colon} {what}, {back} goes back to you"),
        (None, _) => format!("Order {number}{colon} {what}"),
    }
}

fn after(number: &str, news: &After, zone: &str) -> String {
    match news {
        After::ClaimOpened { .. } => format!("Order {number}: your report is here"),
        After::ReturnAsked { by, .. } => {
            format!("Order {number}: please send it back by {}", day(*by))
        }
        After::ReturnReceived { .. } => format!("Order {number}: what you sent back is here"),
        After::Reship { .. } => format!("Order {number}: it is sent to you again"),
        After::Refunded { amount, held, .. } => match amount {
            Some(amount) if *held => format!("Order {number}: {amount} is owed to you"),
            Some(amount) => format!("Order {number}: {amount} goes back to you"),
            None => format!("Order {number}: your report is settled"),
        },
        After::PartlyRefunded {
            amount, held: true, ..
        } => format!("Order {number}: {amount} is owed to you"),
        After::PartlyRefunded { amount, .. } | After::Goodwill { amount, .. } => {
            format!("Order {number}: {amount} goes back to you")
        }
        After::Refused { .. } => format!("Order {number}: an answer to your report"),
        After::Withdrawn { at, .. } => format!(
            "Order {number}: your withdrawal of {} is here",
            day_of(*at, zone)
        ),
        After::UnitsLeft { amount, .. } => match amount {
            Some(amount) => {
                format!("Order {number}: a part is not shipped, {amount} goes back to you")
            }
            None => format!("Order {number}: a part is not shipped"),
        },
        After::AddressChanged { .. } => format!("Order {number} goes to another address"),
        After::OrderChanged {
            costs, paid, back, ..
        } => match (paid, back) {
            (Some(paid), _) => format!("Order {number} is changed: {paid} was charged"),
            (None, Some(back)) => format!("Order {number} is changed: {back} goes back to you"),
            (None, None) => format!("Order {number} is changed: it costs {costs}"),
        },
        After::ChangeAsked { pay, until, .. } => format!(
            "Order {number} is to be changed: pay {pay} by {}",
            day_of(*until, zone)
        ),
        After::ChangeRanOut { .. } => format!("Order {number} stays as it was"),
        After::ChangeTooLate { back } => {
            format!("Order {number} was not changed: {back} goes back to you")
        }
    }
}

fn cancelled(number: &str, why: &WhyCancelled, back: Option<&str>) -> String {
    match (why, back) {
        (WhyCancelled::Disputed, Some(back)) => {
            format!("Order {number} is cancelled: your bank decides about {back}")
        }
        (WhyCancelled::PaidTwice, Some(back)) => {
            format!("Order {number} was paid twice: {back} goes back to you")
        }
        (WhyCancelled::PaidTwice, None) => format!("Order {number} was paid twice"),
        (WhyCancelled::NotOwed, Some(back)) => {
            format!("Order {number}: {back} that you do not owe any more goes back to you")
        }
        (WhyCancelled::NotMade(_), None) => {
            format!("Order {number} is cancelled: nothing was charged")
        }
        (WhyCancelled::SavedTooLate | WhyCancelled::SavedAfterCancelling, _) => {
            format!("Order {number} does not count: your card is not kept, nothing is charged")
        }
        (_, Some(back)) => format!("Order {number} is cancelled: {back} goes back to you"),
        (_, None) => format!("Order {number} is cancelled"),
    }
}

/// What goes back, and what is charged less.
fn step(
    campaign: &str,
    units: &str,
    (back, less): (Option<&str>, Option<&str>),
    ends: &str,
) -> String {
    let what = match (back, less) {
        (_, Some(less)) => format!("{less} less to pay if it ends so on {ends}"),
        (Some(back), None) => format!("{back} back to you if it ends so on {ends}"),
        (None, None) => format!("it ends on {ends}"),
    };
    format!("{campaign}: {units} units together, {what}")
}

/// What goes back, and what is still to be charged.
fn succeeded(
    campaign: &str,
    (back, balance): (Option<&str>, Option<&str>),
    ships_by: &str,
) -> String {
    match (back, balance) {
        (Some(back), _) => {
            format!("{campaign} came together: {back} goes back to you, ships by {ships_by}")
        }
        (None, Some(balance)) => {
            format!("{campaign} came together: the balance is {balance}, ships by {ships_by}")
        }
        (None, None) => format!("{campaign} came together: ships by {ships_by}"),
    }
}

fn failed(campaign: &str, why: &WhyFailed, back: Option<&str>) -> String {
    let what = match why {
        WhyFailed::Missed(_) => "did not come together",
        WhyFailed::Cancelled(_) => "was cancelled",
        WhyFailed::Shortfall(_) | WhyFailed::Supplier => "will not be made",
        WhyFailed::StopLoss => "was not shipped in time",
    };
    match back {
        Some(back) => format!("{campaign} {what}: {back} goes back to you"),
        None => format!("{campaign} {what}: nothing was charged"),
    }
}

fn numbered(number: &str, version: i32) -> String {
    match version {
        ..=1 => number.to_owned(),
        n => format!("{number}, version {n},"),
    }
}

fn purchase(
    merchant: &str,
    number: &str,
    count: i64,
    total: &str,
    wanted_by: Option<NaiveDate>,
) -> String {
    let wanted = wanted_by.map(|date| format!(", wanted by {}", day(date)));
    format!(
        "Purchase order {number} from {merchant}: {}, {total}{}",
        units(count),
        wanted.unwrap_or_default()
    )
}
