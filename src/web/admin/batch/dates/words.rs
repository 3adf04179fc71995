//! What a date would do, in words.

use crate::web::admin::kit::{Facts, fact};
use crate::web::view::{Day, plural};
use crate::workflows::money::say;
use crate::workflows::notices::Preview;

/// How many shoppers would get a mail.
pub fn mails(looked: &Preview) -> i64 {
    looked.told + looked.agrees + looked.cancels
}

/// In a sentence.
pub fn in_short(looked: &Preview, currency: &str) -> String {
    let told = match mails(looked) {
        0 => return "Passed on, nobody needs to hear of it.".to_owned(),
        n => plural(n, "shopper"),
    };
    match (looked.cancels, looked.answer_by.first()) {
        (n, Some((day, ..))) if n > 0 => format!(
            "Passed on, {told} are told. {n} must answer, the first by {}; {} goes back if none of them does.",
            Day(*day).text(),
            say(looked.on_silence, currency)
        ),
        _ => format!("Passed on, {told} are told; nobody is refunded by saying nothing."),
    }
}

/// Row by row: whom it concerns, and what silence does.
pub fn facts(looked: &Preview, currency: &str) -> Facts {
    let mut facts = vec![fact("Orders not shipped yet", looked.unshipped.to_string())];
    let mut add = |name: &str, n: i64, what: String| {
        if n > 0 {
            facts.push(fact(name, format!("{}{what}", plural(n, "order"))));
        }
    };
    let until = looked.agreed_until.map_or_else(String::new, |day| {
        format!(", to wait until {}", Day(day).text())
    });
    add("Silence agrees", looked.agrees, until);
    add(
        "Silence cancels",
        looked.cancels,
        format!(", {} goes back", say(looked.on_silence, currency)),
    );
    add("Only told, nothing to answer", looked.told, String::new());
    add("Hear nothing, they know it", looked.unneeded, String::new());
    for (day, orders, money) in &looked.answer_by {
        facts.push(fact(
            &format!("Answer by the end of {}", Day(*day).text()),
            match money {
                0 => plural(*orders, "order"),
                money => format!(
                    "{}; else {} goes back",
                    plural(*orders, "order"),
                    say(*money, currency)
                ),
            },
        ));
    }
    facts
}
