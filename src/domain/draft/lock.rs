//! What may change once somebody has ordered (domain section 2): "only text, photos, added options, higher caps and
//! lower prices". A later deadline has a way of its own: it is extended once, and everybody is told.

use super::*;
use crate::domain::country::Country;

/// What `new` changes that is locked after the first order; empty where everything may change so.
///
/// Beside the list of domain section 2 it lets pass what no shopper was promised anything about: the suppliers and
/// safety units (a purchase order blocked for want of a supplier must be curable), weights, the order of options.
pub fn lock_violations(old: &CampaignDraft, new: &CampaignDraft) -> Vec<FieldError> {
    let mut errors = vec![];
    let mut locked = |field: &str, changed: bool, say: &str| {
        if changed {
            errors.push(FieldError::new(
                field,
                format!("locked after the first order: {say}"),
            ));
        }
    };
    // A new campaign's slug is made of its title; writing down the one it has is no change.
    let moved = new.slug.is_some() && new.slug_or_title() != old.slug_or_title();
    locked(
        "slug",
        moved || (old.slug.is_some() && new.slug.is_none()),
        "links to it are out",
    );
    locked(
        "currency",
        old.currency != new.currency,
        "it stays as it is",
    );
    locked(
        "time_zone",
        old.time_zone != new.time_zone,
        "dates promised depend on it",
    );
    locked(
        "opens_at",
        old.opens_at != new.opens_at,
        "it stays as it is",
    );
    locked(
        "threshold",
        old.threshold != new.threshold,
        "shoppers joined on this condition",
    );
    locked(
        "deadline",
        old.deadline != new.deadline,
        "extend the campaign instead, once",
    );
    let promised = old.promised_ship_date != new.promised_ship_date;
    locked(
        "promised_ship_date",
        promised,
        "it was promised to shoppers",
    );
    let stop_loss = old.stop_loss_date != new.stop_loss_date;
    locked("stop_loss_date", stop_loss, "it was promised to shoppers");
    let handling = old.handling_days != new.handling_days;
    locked("handling_days", handling, "ship dates depend on it");
    locked(
        "payment_mode",
        old.payment_mode != new.payment_mode,
        "it stays as it is",
    );
    locked(
        "deposit_percent",
        old.deposit_percent != new.deposit_percent || old.deposit_unpaid != new.deposit_unpaid,
        "shoppers joined with this deposit",
    );
    locked("trigger", old.trigger != new.trigger, "it stays as it is");
    locked(
        "late_joins",
        old.late_joins != new.late_joins,
        "it stays as it is",
    );
    locked(
        "steps",
        old.steps != new.steps,
        "shoppers joined for these steps",
    );
    locked(
        "delay_policy",
        old.delay_policy != new.delay_policy,
        "it stays as it is",
    );
    locked(
        "shipping",
        !ships_as_well(old, new),
        "prices of shipping may only be lowered",
    );
    locked("tax", old.tax != new.tax, "it stays as it is");
    errors.extend(option_violations(old, new));
    errors
}

/// Whether every country is shipped to as before, at most for the price it had.
fn ships_as_well(old: &CampaignDraft, new: &CampaignDraft) -> bool {
    let (old, new) = (old.tariff(), new.tariff());
    Country::all().all(
        |country| match (old.shipping_for(country), new.shipping_for(country)) {
            (Some(before), Some(after)) => after.is_as_good_as(before),
            (before, after) => before.is_none() && after.is_none(),
        },
    )
}

fn option_violations(old: &CampaignDraft, new: &CampaignDraft) -> Vec<FieldError> {
    let mut errors = vec![];
    let mut add = |field: String, say: &str| {
        errors.push(FieldError::new(
            field,
            format!("locked after the first order: {say}"),
        ));
    };
    for before in &old.options {
        let found = new
            .options
            .iter()
            .enumerate()
            .find(|(_, option)| option.sku == before.sku);
        let Some((index, after)) = found else {
            let say = format!("option {} cannot be removed or renamed", before.sku);
            add("options".to_owned(), &say);
            continue;
        };
        let prices = before.prices.prices().iter().zip(after.prices.prices());
        for (step, (was, is)) in prices.enumerate() {
            if is > was {
                let field = format!("options[{index}].prices[{step}]");
                add(field, "a price may only be lowered");
            }
        }
        if is_higher(before.minimum, after.minimum) {
            add(
                format!("options[{index}].minimum"),
                "a minimum may only be lowered",
            );
        }
        if is_lower(before.cap, after.cap) {
            add(format!("options[{index}].cap"), "a cap may only be raised");
        }
        if is_lower(before.per_shopper, after.per_shopper) {
            add(
                format!("options[{index}].per_shopper"),
                "this limit may only be raised",
            );
        }
        if after.made_to_order && !before.made_to_order {
            add(
                format!("options[{index}].made_to_order"),
                "shoppers joined with the right of withdrawal",
            );
        }
    }
    errors
}

/// Whether a minimum rose; none at all is the lowest.
fn is_higher(before: Option<i32>, after: Option<i32>) -> bool {
    after.is_some_and(|after| before.is_none_or(|before| after > before))
}

/// Whether a limit became tighter; none at all is the widest.
fn is_lower(before: Option<i32>, after: Option<i32>) -> bool {
    after.is_some_and(|after| before.is_none_or(|before| after < before))
}
