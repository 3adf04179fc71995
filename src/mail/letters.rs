//! The letters as templates: each kind has a pair in `templates/email`, one HTML, one plain text, over the same view.

use askama::Template;

use super::subject;
use super::words::{Rows, day, moment, one_line, purchase_csv, purchase_text, units};
use crate::domain::shipment::tracking_link;
use crate::workflows::letters::{
    About, After, Attachment, LessToPay, Letter, LetterLine, PurchaseLetterLine, Stands,
    WhyCancelled, WhyFailed, WhyWithdrawn, Written,
};
use crate::workflows::ports::Scribe;

/// Writes the letters with the templates that are compiled in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Templates;

impl Scribe for Templates {
    fn write(&self, letter: &Letter) -> Result<Written, String> {
        let subject = subject::of(letter);
        let (html, text) = bodies(letter, &subject)
            .map_err(|error| format!("the template of a {} mail: {error}", letter.kind()))?;
        Ok(Written {
            subject,
            text: tidy(&text),
            html,
            attachments: attachments(letter)?,
        })
    }
}

/// A view, and its two templates over it: `l` is the letter in both.
macro_rules! letter {
    ($name:ident, $html:tt, $text:tt { $($field:ident: $kind:ty,)* }) => {
        struct $name<'a> {
            $($field: $kind,)*
        }

        impl $name<'_> {
            fn write(&self, subject: &str) -> askama::Result<(String, String)> {
                #[derive(Template)]
                #[template(path = $html, whitespace = "preserve")]
                struct Html<'a> {
                    subject: &'a str,
                    l: &'a $name<'a>,
                }
                // Empty lines are what divides a mail's text.
                #[derive(Template)]
                #[template(path = $text, whitespace = "preserve")]
                struct Text<'a> {
                    l: &'a $name<'a>,
                }
                Ok((Html { subject, l: self }.render()?, Text { l: self }.render()?))
            }
        }
    };
}

letter!(OrderConfirmed, "email/order_confirmed.html", "email/order_confirmed.txt" {
    about: &'a About,
    rows: Rows,
    total: &'a str,
    deadline: String,
    threshold: &'a str,
    ships_by: String,
    stop_loss: String,
    receipt: Option<&'a str>,
    withdrawal: &'a [String],
});

letter!(SoldFromStock, "email/sold_from_stock.html", "email/sold_from_stock.txt" {
    about: &'a About,
    rows: Rows,
    total: &'a str,
    ships_by: String,
    last_day: String,
    receipt: Option<&'a str>,
    withdrawal: &'a [String],
});

letter!(StepReached, "email/step_reached.html", "email/step_reached.txt" {
    about: &'a About,
    units: &'a str,
    back: Option<&'a str>,
    less: Option<&'a LessToPay>,
    deadline: String,
});

impl StepReached<'_> {
    /// Whether nothing was charged for the order yet.
    fn is_uncharged(&self) -> bool {
        self.less.is_some_and(|less| !less.deposit)
    }
}

letter!(Succeeded, "email/succeeded.html", "email/succeeded.txt" {
    about: &'a About,
    rows: Rows,
    deposit: bool,
    balance: Option<&'a str>,
    back: Option<&'a str>,
    ships_by: String,
    not_made: String,
});

letter!(Failed, "email/failed.html", "email/failed.txt" {
    about: &'a About,
    why: &'a WhyFailed,
    back: &'a Option<String>,
});

letter!(Cancelled, "email/cancelled.html", "email/cancelled.txt" {
    about: &'a About,
    why: &'a WhyCancelled,
    back: Option<&'a str>,
});

letter!(Extended, "email/extended.html", "email/extended.txt" {
    about: &'a About,
    deadline: String,
    ships_by: String,
    ships_by_before: Option<String>,
    stands: &'a Stands,
});

letter!(Update, "email/update.html", "email/update.txt" {
    about: &'a About,
    title: &'a str,
    text: &'a str,
    html: &'a str,
});

letter!(LinkAgain, "email/link_again.html", "email/link_again.txt" {
    server: &'a str,
    orders: &'a [(String, String, String)],
});

letter!(
    RefundNeedsAnotherWay,
    "email/refund_needs_another_way.html",
    "email/refund_needs_another_way.txt" {
        about: &'a About,
        amount: &'a str,
        answer_to: &'a str,
    }
);

letter!(Shipped, "email/shipped.html", "email/shipped.txt" {
    about: &'a About,
    parcel: &'a str,
    lines: &'a [LetterLine],
    carrier: Option<&'a str>,
    tracking: Option<&'a str>,
    link: Option<String>,
    rest: i64,
});

letter!(ShortForGood, "email/short_for_good.html", "email/short_for_good.txt" {
    about: &'a About,
    lines: &'a [LetterLine],
    back: Option<&'a str>,
    whole: bool,
});

letter!(PurchaseOrder, "email/purchase_order.html", "email/purchase_order.txt" {
    merchant: &'a str,
    merchant_address: &'a str,
    supplier: &'a str,
    number: &'a str,
    version: i32,
    campaign: &'a str,
    lines: &'a [PurchaseLetterLine],
    table: String,
    units: String,
    total: &'a str,
    issued_at: String,
    wanted_by: Option<String>,
    link: &'a str,
});

letter!(
    PurchaseOrderReminder,
    "email/purchase_order_reminder.html",
    "email/purchase_order_reminder.txt" {
        merchant: &'a str,
        supplier: &'a str,
        number: &'a str,
        units: String,
        issued_at: String,
        link: &'a str,
    }
);

letter!(
    PurchaseOrderCancelled,
    "email/purchase_order_cancelled.html",
    "email/purchase_order_cancelled.txt" {
        merchant: &'a str,
        supplier: &'a str,
        number: &'a str,
        units: String,
        why: &'a WhyWithdrawn,
        link: &'a str,
    }
);

letter!(AfterNews, "email/after.html", "email/after.txt" {
    about: &'a About,
    news: &'a After,
    at: String,
});

letter!(Staff, "email/staff.html", "email/staff.txt" {
    merchant: &'a str,
    lines: &'a [String],
    link: &'a str,
});

mod asked;
mod card;
mod delay;
mod waiting;

pub(super) use asked::subject as asked_subject;
pub(super) use waiting::subject as waiting_subject;

/// HTML and plain text of a letter.
fn bodies(letter: &Letter, subject: &str) -> askama::Result<(String, String)> {
    match letter {
        Letter::OrderConfirmed { .. } | Letter::SoldFromStock { .. } | Letter::Succeeded { .. } => {
            priced(letter, subject)
        }
        Letter::PurchaseOrder { .. }
        | Letter::PurchaseOrderReminder { .. }
        | Letter::PurchaseOrderCancelled { .. } => purchase(letter, subject),
        Letter::StepReached {
            about,
            units,
            back,
            less,
            deadline,
        } => StepReached {
            about,
            units,
            back: back.as_deref(),
            less: less.as_ref(),
            deadline: moment(*deadline, &about.time_zone),
        }
        .write(subject),
        Letter::Failed { about, why, back } => Failed { about, why, back }.write(subject),
        Letter::Cancelled { about, why, back } => {
            let back = back.as_deref();
            Cancelled { about, why, back }.write(subject)
        }
        Letter::Extended {
            about,
            deadline,
            ships_by,
            ships_by_before,
            stands,
        } => Extended {
            about,
            deadline: moment(*deadline, &about.time_zone),
            ships_by: day(*ships_by),
            ships_by_before: ships_by_before.map(day),
            stands,
        }
        .write(subject),
        Letter::Update {
            about,
            title,
            text,
            html,
        } => Update {
            about,
            title,
            text,
            html,
        }
        .write(subject),
        Letter::LinkAgain { server, orders } => LinkAgain { server, orders }.write(subject),
        Letter::RefundNeedsAnotherWay {
            about,
            amount,
            answer_to,
        } => RefundNeedsAnotherWay {
            about,
            amount,
            answer_to,
        }
        .write(subject),
        Letter::After { about, news } => AfterNews {
            about,
            news,
            at: match news {
                After::Withdrawn { at, .. } | After::ChangeAsked { until: at, .. } => {
                    moment(*at, &about.time_zone)
                }
                _ => String::new(),
            },
        }
        .write(subject),
        Letter::Joined { about, joined } => card::joined(about, joined, subject),
        Letter::Card { about, news } => card::news(about, news, subject),
        Letter::Shipped { .. } | Letter::ShortForGood { .. } => goods(letter, subject),
        Letter::Delay { about, notice } => delay::notice(about, notice, subject),
        Letter::DelayRefund { about, refund } => delay::refund(about, refund, subject),
        Letter::Asked { about, news } => asked::write(about, news, subject),
        Letter::Waiting { about, news } => waiting::write(about, news, subject),
        Letter::Staff {
            merchant,
            lines,
            link,
            ..
        } => Staff {
            merchant,
            lines,
            link,
        }
        .write(subject),
    }
}

/// The letters about parcels and what will not come.
fn goods(letter: &Letter, subject: &str) -> askama::Result<(String, String)> {
    match letter {
        Letter::Shipped {
            about,
            parcel,
            lines,
            carrier,
            tracking_number,
            rest,
        } => {
            let (carrier, tracking) = (carrier.as_deref(), tracking_number.as_deref());
            Shipped {
                about,
                parcel,
                lines,
                carrier,
                tracking,
                link: tracking.and_then(|number| tracking_link(carrier, number)),
                rest: *rest,
            }
            .write(subject)
        }
        Letter::ShortForGood {
            about,
            lines,
            back,
            whole,
        } => ShortForGood {
            about,
            lines,
            back: back.as_deref(),
            whole: *whole,
        }
        .write(subject),
        _ => Err(askama::Error::Fmt),
    }
}

/// The letters with what the order costs.
fn priced(letter: &Letter, subject: &str) -> askama::Result<(String, String)> {
    match letter {
        Letter::OrderConfirmed {
            about,
            lines,
            shipping,
            tax,
            total,
            deadline,
            threshold,
            ships_by,
            stop_loss,
            receipt,
            withdrawal,
        } => {
            let mut rows = Rows::of(lines, shipping.as_deref());
            if let Some(tax) = tax {
                rows.add("Tax", tax);
            }
            rows.sum("You paid", total);
            OrderConfirmed {
                about,
                rows,
                total,
                deadline: moment(*deadline, &about.time_zone),
                threshold,
                ships_by: day(*ships_by),
                stop_loss: day(*stop_loss),
                receipt: receipt.as_deref(),
                withdrawal,
            }
            .write(subject)
        }
        Letter::SoldFromStock {
            about,
            lines,
            shipping,
            tax,
            total,
            ships_by,
            last_day,
            receipt,
            withdrawal,
        } => {
            let mut rows = Rows::of(lines, shipping.as_deref());
            if let Some(tax) = tax {
                rows.add("Tax", tax);
            }
            rows.sum("You paid", total);
            SoldFromStock {
                about,
                rows,
                total,
                ships_by: day(*ships_by),
                last_day: day(*last_day),
                receipt: receipt.as_deref(),
                withdrawal,
            }
            .write(subject)
        }
        Letter::Succeeded {
            about,
            lines,
            shipping,
            total,
            charged,
            deposit,
            back,
            ships_by,
            not_made,
        } => {
            let mut rows = Rows::of(lines, shipping.as_deref());
            rows.sum("Your order costs", total);
            rows.add(
                deposit.as_ref().map_or("You paid", |_| "Deposit, paid"),
                charged,
            );
            let balance = deposit.as_ref().and_then(|d| d.balance.as_deref());
            if let Some(balance) = balance {
                rows.add("Balance, when the goods arrive", balance);
            }
            if let Some(back) = back {
                rows.sum("Goes back to you", back);
            }
            Succeeded {
                about,
                rows,
                deposit: deposit.is_some(),
                balance,
                back: back.as_deref(),
                ships_by: day(*ships_by),
                not_made: not_made.join(", "),
            }
            .write(subject)
        }
        _ => Err(askama::Error::Fmt),
    }
}

/// The letters to suppliers. They know no campaign's zone: their moments are in UTC, and say so.
fn purchase(letter: &Letter, subject: &str) -> askama::Result<(String, String)> {
    match letter {
        Letter::PurchaseOrder {
            merchant,
            merchant_address,
            supplier,
            number,
            version,
            campaign,
            lines,
            units: count,
            total,
            issued_at,
            wanted_by,
            link,
        } => PurchaseOrder {
            merchant,
            merchant_address,
            supplier,
            number,
            version: *version,
            campaign,
            lines,
            table: purchase_text(lines),
            units: units(*count),
            total,
            issued_at: moment(*issued_at, "UTC"),
            wanted_by: wanted_by.map(day),
            link,
        }
        .write(subject),
        Letter::PurchaseOrderReminder {
            merchant,
            supplier,
            number,
            units: count,
            issued_at,
            link,
        } => PurchaseOrderReminder {
            merchant,
            supplier,
            number,
            units: units(*count),
            issued_at: moment(*issued_at, "UTC"),
            link,
        }
        .write(subject),
        Letter::PurchaseOrderCancelled {
            merchant,
            supplier,
            number,
            units: count,
            why,
            link,
        } => PurchaseOrderCancelled {
            merchant,
            supplier,
            number,
            units: units(*count),
            why,
            link,
        }
        .write(subject),
        _ => Err(askama::Error::Fmt),
    }
}

fn attachments(letter: &Letter) -> Result<Vec<Attachment>, String> {
    let Letter::PurchaseOrder {
        number,
        version,
        lines,
        ..
    } = letter
    else {
        return Ok(Vec::new());
    };
    let number: String = one_line(number)
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
        .collect();
    Ok(vec![Attachment {
        name: format!("{number}-v{version}.csv"),
        media_type: "text/csv; charset=utf-8".to_owned(),
        text: purchase_csv(lines)?,
    }])
}

/// A plain text without blanks at line ends and without more than one empty line at a time: what templates and what
/// people typed leave behind.
fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    let mut empty = true;
    for line in text.lines().map(str::trim_end) {
        if line.is_empty() && empty {
            continue;
        }
        empty = line.is_empty();
        tidy.push_str(line);
        tidy.push('\n');
    }
    tidy.truncate(tidy.trim_end().len());
    tidy.push('\n');
    tidy
}
