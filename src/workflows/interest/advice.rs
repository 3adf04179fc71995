//! What the answers mean for the steps that are planned, in words for staff.

use crate::domain::draft::CampaignDraft;
use crate::domain::interest::Demand;
use crate::domain::money::{Money, thousands};
use crate::domain::price::Threshold;
use crate::workflows::payment::say_threshold;

/// What the answers mean for steps and threshold, sentence by sentence.
pub fn advice(demand: &Demand, draft: &CampaignDraft) -> Vec<String> {
    let say = |amount: i64| Money::new(amount, draft.currency).format();
    if demand.all.points().is_empty() {
        return vec!["Nobody has answered yet.".to_owned()];
    }
    let mut lines = Vec::new();
    let Some(best) = demand.furthest() else {
        lines.push(format!(
            "Nobody would buy at the first price{}. {} wanted at lower prices.",
            price_words(draft, 0),
            units(demand.all.units(), "is", "are")
        ));
        if let Some((price, _)) = demand.all.best() {
            lines.push(format!(
                "The goods would be worth most at {}: {} there.",
                say(price),
                units(demand.all.units_at(price), "is wanted", "are wanted")
            ));
        }
        return lines;
    };
    let reached = &demand.steps[best];
    lines.push(format!(
        "The furthest step that the answers come to is the one from {}{}: {} there, worth {}.",
        units_only(reached.from),
        price_words(draft, best),
        units(reached.units, "is wanted", "are wanted"),
        say(reached.value)
    ));
    if let Some(next) = demand.steps.get(best + 1) {
        lines.push(format!(
            "The next step needs {}{}: {} short. A step from {} would be reached.",
            units_only(next.from),
            price_words(draft, best + 1),
            units(next.from - next.units, "is", "are"),
            units_only(next.units)
        ));
    }
    match demand.by_itself() {
        Some(step) if step < best => lines.push(format!(
            "If everybody waits until the price shown is low enough, it stops at the step from {}: {} at that price, and the \
             next one begins at {}. A lower first price, or steps that lie closer, would carry it on.",
            units_only(demand.steps[step].from),
            units(demand.steps[step].units, "is wanted", "are wanted"),
            units_only(demand.steps[step + 1].from)
        )),
        None => lines.push(format!(
            "Nobody would begin at the first price{}. If everybody waits until the price shown is low enough, nobody joins.",
            price_words(draft, 0)
        )),
        Some(_) => {}
    }
    let threshold = say_threshold(draft);
    lines.push(if reached.enough {
        format!("The threshold of {threshold} would be met.")
    } else {
        let missing = match draft.threshold {
            Threshold::Units(target) => units_only(target - reached.units),
            Threshold::Amount(target) => say(target - reached.value),
        };
        format!("The threshold of {threshold} would be missed by {missing}.")
    });
    lines
}

/// " at $90.00" where all options cost the same at a step, or there is one.
fn price_words(draft: &CampaignDraft, step: usize) -> String {
    let mut prices = draft.options.iter().map(|o| o.prices.price_at(step));
    match prices.next() {
        Some(price) if prices.all(|other| other == price) => {
            format!(" at {}", Money::new(price, draft.currency).format())
        }
        _ => String::new(),
    }
}

fn units_only(count: i64) -> String {
    match count {
        1 => "1 unit".to_owned(),
        n => format!("{} units", thousands(u64::try_from(n).unwrap_or(0))),
    }
}

fn units(count: i64, one: &str, many: &str) -> String {
    let verb = if count == 1 { one } else { many };
    format!("{} {verb}", units_only(count))
}
