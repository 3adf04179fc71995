//! The letters about ship dates that move, and what goes back because of them.

use askama::Template;

use crate::domain::promise::{NoticeKind, RefundCause, Silence, day_after};
use crate::mail::words::day;
use crate::workflows::letters::{About, Delay, DelayRefund};

letter!(Notice, "email/delay_notice.html", "email/delay_notice.txt" {
    about: &'a About,
    n: &'a Delay,
    title: &'static str,
    told: bool,
    replaces: String,
    revised: Option<String>,
    order: String,
    sentence: String,
    silence: Option<Silence>,
    last_day: String,
    refund_day: String,
    stop_loss: String,
    after_stop_loss: String,
    later_stop_loss: Option<String>,
});

/// A notice: what it says of the date, why, what silence does, and both choices.
pub(super) fn notice(about: &About, n: &Delay, subject: &str) -> askama::Result<(String, String)> {
    let told = n.kind == NoticeKind::Told;
    let what = if n.part_shipped {
        "the rest of your"
    } else {
        "your"
    };
    let order = format!("{what} order {} for {}", about.number, about.campaign);
    let last_day = n.consequence.map_or(n.replaces, |said| said.last_day);
    let stop_loss = n.later_stop_loss.unwrap_or(n.stop_loss);
    Notice {
        about,
        n,
        title: match (told, n.revised) {
            (true, Some(_)) => "There is a new ship date",
            (_, None) => "The new ship date is not known",
            (false, Some(_)) if n.kind == NoticeKind::Renewed => "The ship date has moved again",
            (false, Some(_)) => "The ship date has moved",
        },
        told,
        replaces: day(n.replaces),
        revised: n.revised.map(day),
        sentence: beginning(&order),
        order,
        silence: n.consequence.map(|said| said.silence),
        last_day: day(last_day),
        refund_day: day(day_after(last_day)),
        stop_loss: day(stop_loss),
        after_stop_loss: day(day_after(stop_loss)),
        later_stop_loss: n.later_stop_loss.map(day),
    }
    .write(subject)
}

letter!(Refund, "email/delay_refund.html", "email/delay_refund.txt" {
    about: &'a About,
    r: &'a DelayRefund,
    title: &'static str,
    why: String,
    sentence: String,
    reason: Option<&'a str>,
    back: Option<&'a str>,
});

/// A refund of what was not shipped: why, and how much.
pub(super) fn refund(
    about: &About,
    r: &DelayRefund,
    subject: &str,
) -> askama::Result<(String, String)> {
    let order = format!("order {} for {}", about.number, about.campaign);
    let what = if r.part_shipped {
        format!("the rest of your {order}")
    } else {
        format!("your {order}")
    };
    let last = r.last_day.map(day).unwrap_or_default();
    let merchant = &about.merchant;
    let why = match r.cause {
        RefundCause::NoNotice => format!(
            "{what} was promised to be shipped by {last}. It was not, and no new date was told to you in time. So it is cancelled."
        ),
        RefundCause::FirstSilent => format!(
            "the ship date of {what} moved, and you were asked whether you keep waiting. There was no answer by {last}, and it was not shipped by then. So it is cancelled."
        ),
        RefundCause::RenewedSilent => format!(
            "the ship date of {what} moved again, and you were asked whether you keep waiting. There was no answer by {last}, and it was not shipped by then. So it is cancelled."
        ),
        RefundCause::AgreedPassed => format!(
            "{what} was to be shipped by {last}, the date you had agreed to. It was not. So it is cancelled."
        ),
        RefundCause::StopLoss => format!(
            "{last} was the last day for shipping {what}. It was not shipped by then. So it is cancelled."
        ),
        RefundCause::Cancelled => format!("{what} is cancelled, as you asked."),
        RefundCause::WillNotShip => {
            format!("{merchant} will not ship {what}. The reason:")
        }
    };
    Refund {
        about,
        r,
        title: match (r.cause, r.part_shipped) {
            (RefundCause::WillNotShip, false) => "Your order will not be shipped",
            (RefundCause::WillNotShip, true) => "The rest of your order will not be shipped",
            (_, false) => "Your order is cancelled",
            (_, true) => "The rest of your order is cancelled",
        },
        sentence: beginning(&why),
        why,
        reason: r.reason.as_deref(),
        back: r.back.as_deref(),
    }
    .write(subject)
}

/// With a capital letter, where nothing stands before it.
fn beginning(sentence: &str) -> String {
    let mut letters = sentence.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}
