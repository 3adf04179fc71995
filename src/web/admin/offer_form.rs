//! A campaign's form, read: what was typed becomes a [`CampaignInput`], a kept offer becomes what is typed.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;

use super::form::{Typed, dotted, sentence};
use super::offer_bands;
use crate::domain::currency::Currency;
use crate::domain::day::parse_local;
use crate::domain::draft::{
    BandInput, CampaignDraft, CampaignInput, FieldError, MAX_OPTIONS, MAX_SUPPLIERS, OptionInput,
    PaymentMode, ShippingInput, TaxInput, ThresholdInput,
};
use crate::domain::money::{Money, parse_decimal};
use crate::domain::price::Threshold;
use crate::domain::tariff::Area;
use crate::web::view::Problems;

/// Most rows of steps, shipping and tax that are read.
pub const MAX_ROWS: usize = 40;

/// What can't be changed any more, and why not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Locks {
    /// It was published: address, currency and zone stay.
    pub published: bool,
    /// Its deadline is out: it moves by extending alone.
    pub deadline: bool,
    /// It has opened: so does the opening.
    pub opened: bool,
    /// Somebody has ordered: the offer stays but for what makes it better.
    pub ordered: bool,
}

/// Takes out rows in which nothing was typed, so that a spare row is no error.
pub fn compact(typed: &mut Typed) {
    for list in ["options", "shipping", "tax", "supplier_ids"] {
        for row in (0..typed.rows_up_to(list, MAX_OPTIONS + 1)).rev() {
            let name = format!("{list}.{row}");
            // A choice is always sent, so it alone makes no rule.
            let blank = if list == "tax" {
                ["countries", "percent", "name"]
                    .iter()
                    .all(|part| typed.is_blank(&format!("{name}.{part}")))
            } else {
                typed.is_blank(&name)
            };
            if blank {
                typed.remove_row(list, row);
            }
        }
    }
    for step in (0..typed.rows_up_to("steps", MAX_ROWS)).rev() {
        let options = typed.rows_up_to("options", MAX_OPTIONS + 1);
        let prices = (0..options).all(|o| typed.is_blank(&format!("options.{o}.prices.{step}")));
        if typed.is_blank(&format!("steps.{step}")) && prices {
            remove_step(typed, step);
        }
    }
}

/// Takes a step out, with its prices.
pub fn remove_step(typed: &mut Typed, step: usize) {
    typed.remove_row("steps", step);
    for option in 0..typed.rows_up_to("options", MAX_OPTIONS + 1) {
        typed.remove_row(&format!("options.{option}.prices"), step);
    }
}

/// Puts what is locked back as it was: disabled fields are not sent.
pub fn restore(typed: &mut Typed, old: &CampaignDraft, locks: Locks) {
    let was = typed_of(old);
    let mut names: Vec<&str> = Vec::new();
    if locks.published {
        names.extend(["slug", "currency", "time_zone", "interest"]);
    }
    if locks.deadline {
        names.push("deadline");
    }
    if locks.opened {
        names.push("opens_at");
    }
    if locks.ordered {
        names.extend(["promised_ship_date", "stop_loss_date", "handling_days"]);
        names.extend([
            "threshold",
            "trigger",
            "late_joins",
            "delay_policy",
            "steps",
            "tax",
        ]);
        names.extend(["payment_mode", "deposit_percent", "deposit_unpaid"]);
    }
    for name in names {
        typed.replace(name, &was);
    }
}

struct Reader<'a> {
    typed: &'a Typed,
    currency: Option<Currency>,
    zone: Option<Tz>,
    errors: Vec<FieldError>,
}

/// Reads the form. What can't even be read as a number, an amount or a time is said here; the rest by the check of the
/// domain. Of a locked offer what is locked is taken as it was.
pub fn read(
    typed: &Typed,
    old: Option<&CampaignDraft>,
    locks: Locks,
) -> (CampaignInput, Vec<FieldError>) {
    let was = old.map(CampaignDraft::to_input);
    let fixed = |locked: bool| was.as_ref().filter(|_| locked);
    let text = |name: &str| Some(typed.get(name).to_owned()).filter(|t| !t.trim().is_empty());
    let currency = match fixed(locks.published) {
        Some(was) => was.currency.clone(),
        None => text("currency"),
    };
    let time_zone = match fixed(locks.published) {
        Some(was) => was.time_zone.clone(),
        None => text("time_zone"),
    };
    let mut reader = Reader {
        typed,
        currency: currency.as_deref().and_then(|c| Currency::parse(c.trim())),
        zone: time_zone
            .as_deref()
            .map_or(Some(Tz::UTC), |zone| zone.trim().parse().ok()),
        errors: Vec::new(),
    };
    let mut input = CampaignInput {
        title: text("title"),
        slug: text("slug"),
        description: Some(typed.get("description").to_owned()),
        currency,
        time_zone,
        opens_at: reader.instant("opens_at"),
        interest: Some(typed.ticked("interest")),
        threshold: Some(reader.threshold()),
        deadline: reader.instant("deadline"),
        promised_ship_date: text("promised_ship_date"),
        stop_loss_date: text("stop_loss_date"),
        handling_days: typed.number("handling_days", &mut reader.errors),
        payment_mode: Some(text("payment_mode").unwrap_or_else(|| "charge_now".to_owned())),
        trigger: text("trigger"),
        late_joins: Some(typed.get("late_joins") == "1"),
        steps: Some(reader.steps()),
        options: None,
        supplier_ids: Some(reader.suppliers()),
        safety_percent: typed.number("safety_percent", &mut reader.errors),
        delay_policy: text("delay_policy"),
        shipping: Some(reader.shipping()),
        tax: Some(reader.tax()),
        ..CampaignInput::default()
    };
    // Its fields are on the form in any case; only a deposit asks for them.
    if input.payment_mode.as_deref() == Some(PaymentMode::Deposit.as_str()) {
        input.deposit_percent = typed.number("deposit_percent", &mut reader.errors);
        input.deposit_unpaid = text("deposit_unpaid");
    }
    if let Some(was) = fixed(locks.published) {
        input.slug.clone_from(&was.slug);
        input.interest = was.interest;
    }
    if let Some(was) = fixed(locks.deadline) {
        input.deadline.clone_from(&was.deadline);
    }
    if let Some(was) = fixed(locks.opened) {
        input.opens_at.clone_from(&was.opens_at);
    }
    if let Some(was) = fixed(locks.ordered) {
        input.threshold.clone_from(&was.threshold);
        input.promised_ship_date.clone_from(&was.promised_ship_date);
        input.stop_loss_date.clone_from(&was.stop_loss_date);
        input.handling_days = was.handling_days;
        input.trigger.clone_from(&was.trigger);
        input.late_joins = was.late_joins;
        input.payment_mode.clone_from(&was.payment_mode);
        input.deposit_percent = was.deposit_percent;
        input.deposit_unpaid.clone_from(&was.deposit_unpaid);
        input.steps.clone_from(&was.steps);
        input.delay_policy.clone_from(&was.delay_policy);
        input.tax.clone_from(&was.tax);
    }
    let steps = input.steps.as_ref().map_or(0, Vec::len);
    input.options = Some(reader.options(steps));
    let mut errors = reader.errors;
    // What is locked was not asked for.
    if locks.ordered {
        let asked = ["threshold", "handling_days", "steps", "tax", "deposit"];
        errors.retain(|e| !asked.iter().any(|name| e.field.starts_with(name)));
    }
    if locks.deadline {
        errors.retain(|e| e.field != "deadline");
    }
    if locks.opened {
        errors.retain(|e| e.field != "opens_at");
    }
    (input, errors)
}

impl Reader<'_> {
    fn wrong(&mut self, field: &str, say: impl Into<String>) {
        self.errors.push(FieldError::new(field, say));
    }

    /// A local time of the form, as the domain takes instants.
    fn instant(&mut self, name: &str) -> Option<String> {
        let text = self.typed.some(name)?;
        // A wrong zone is said at the zone.
        let zone = self.zone?;
        let Some(at) = parse_local(text, zone) else {
            self.wrong(name, "write date and time, such as 2026-12-01T18:00");
            return None;
        };
        Some(at.to_rfc3339_opts(SecondsFormat::AutoSi, true))
    }

    fn amount(&mut self, name: &str) -> Option<i64> {
        let text = self.typed.some(name)?;
        // A wrong currency is said at the currency.
        match parse_decimal(text, self.currency?) {
            Ok(amount) => Some(amount),
            Err(e) => {
                self.wrong(name, e.to_string());
                None
            }
        }
    }

    fn threshold(&mut self) -> ThresholdInput {
        let kind = self.typed.some("threshold.kind").unwrap_or("units");
        let target = if kind == "amount" {
            self.amount("threshold.target")
        } else {
            self.typed.number("threshold.target", &mut self.errors)
        };
        ThresholdInput {
            kind: Some(kind.to_owned()),
            target,
        }
    }

    fn steps(&mut self) -> Vec<i64> {
        let mut steps = Vec::new();
        for step in 0..self.typed.rows_up_to("steps", MAX_ROWS) {
            let name = format!("steps.{step}");
            match self.typed.some(&name) {
                None => self.wrong(&name, "write from how many units this price holds"),
                Some(_) => steps.extend(self.typed.number(&name, &mut self.errors)),
            }
        }
        steps
    }

    fn options(&mut self, steps: usize) -> Vec<OptionInput> {
        let rows = self.typed.rows_up_to("options", MAX_OPTIONS + 1);
        (0..rows).map(|row| self.option(row, steps)).collect()
    }

    fn option(&mut self, row: usize, steps: usize) -> OptionInput {
        let typed = self.typed;
        let name = |part: &str| format!("options.{row}.{part}");
        let text = |part: &str| Some(typed.get(&name(part)).to_owned()).filter(|t| !t.is_empty());
        let mut prices = Vec::new();
        let mut whole = true;
        for step in 0..steps.max(1) {
            let field = name(&format!("prices.{step}"));
            if typed.some(&field).is_none() {
                self.wrong(&field, "write the price of one unit at this step");
            }
            match self.amount(&field) {
                Some(price) => prices.push(price),
                None => whole = false,
            }
        }
        OptionInput {
            sku: text("sku"),
            name: text("name"),
            prices: Some(prices).filter(|_| whole),
            minimum: typed.number(&name("minimum"), &mut self.errors),
            cap: typed.number(&name("cap"), &mut self.errors),
            per_shopper: typed.number(&name("per_shopper"), &mut self.errors),
            weight_grams: typed.number(&name("weight_grams"), &mut self.errors),
            made_to_order: Some(typed.ticked(&name("made_to_order"))),
        }
    }

    fn suppliers(&mut self) -> Vec<String> {
        let rows = self.typed.rows_up_to("supplier_ids", MAX_SUPPLIERS + 1);
        let chosen = (0..rows).filter_map(|row| self.typed.some(&format!("supplier_ids.{row}")));
        chosen.map(str::to_owned).collect()
    }

    fn countries(&self, name: &str) -> Option<Vec<String>> {
        let text = self.typed.some(name)?;
        let parts = text.split([',', ';', ' ', '\n', '\t', '\r']);
        let codes = parts.map(str::trim).filter(|code| !code.is_empty());
        Some(codes.map(str::to_owned).collect())
    }

    fn shipping(&mut self) -> Vec<ShippingInput> {
        let rows = self.typed.rows_up_to("shipping", MAX_ROWS);
        (0..rows)
            .map(|row| ShippingInput {
                countries: self.countries(&format!("shipping.{row}.countries")),
                price: self.amount(&format!("shipping.{row}.price")),
                bands: self.bands(&format!("shipping.{row}.bands")),
            })
            .collect()
    }

    fn bands(&mut self, name: &str) -> Option<Vec<BandInput>> {
        match offer_bands::read(self.typed.get(name), self.currency?) {
            Ok(bands) => bands,
            Err(say) => {
                self.wrong(name, say);
                None
            }
        }
    }

    fn tax(&mut self) -> Vec<TaxInput> {
        let rows = self.typed.rows_up_to("tax", MAX_ROWS);
        (0..rows)
            .map(|row| {
                let included = self.typed.get(&format!("tax.{row}.included"));
                let percent = self.typed.get(&format!("tax.{row}.percent"));
                TaxInput {
                    countries: self.countries(&format!("tax.{row}.countries")),
                    rate_basis_points: None,
                    percent: Some(percent.trim().trim_end_matches('%').trim().to_owned()),
                    included: Some(included != "no"),
                    name: self
                        .typed
                        .some(&format!("tax.{row}.name"))
                        .map(str::to_owned),
                }
            })
            .collect()
    }
}

/// A kept offer as it is typed.
pub fn typed_of(draft: &CampaignDraft) -> Typed {
    let mut typed = Typed::default();
    let money = |amount: i64| Money::new(amount, draft.currency).to_decimal();
    let number = |n: Option<i32>| n.map_or_else(String::new, |n| n.to_string());
    typed.set("title", &draft.title);
    typed.set("slug", draft.slug.clone().unwrap_or_default());
    typed.set("description", &draft.description);
    typed.set("currency", draft.currency.code());
    typed.set("time_zone", draft.time_zone.name());
    typed.set(
        "opens_at",
        draft
            .opens_at
            .map_or_else(String::new, |at| local(at, draft.time_zone)),
    );
    if draft.interest {
        typed.set("interest", "1");
    }
    typed.set("deadline", local(draft.deadline, draft.time_zone));
    typed.set("promised_ship_date", draft.promised_ship_date.to_string());
    typed.set("stop_loss_date", draft.stop_loss_date.to_string());
    typed.set("handling_days", draft.handling_days.to_string());
    typed.set("threshold.kind", draft.threshold.kind());
    typed.set(
        "threshold.target",
        match draft.threshold {
            Threshold::Units(units) => units.to_string(),
            Threshold::Amount(amount) => money(amount),
        },
    );
    typed.set("trigger", draft.trigger.as_str());
    if draft.late_joins {
        typed.set("late_joins", "1");
    }
    typed.set("payment_mode", draft.payment_mode.as_str());
    if draft.deposit_percent > 0 {
        typed.set("deposit_percent", draft.deposit_percent.to_string());
    }
    typed.set("deposit_unpaid", draft.deposit_unpaid.as_str());
    typed.set("safety_percent", draft.safety_percent.to_string());
    typed.set("delay_policy", draft.delay_policy.as_str());
    for (step, count) in draft.steps.counts().iter().enumerate() {
        typed.set(format!("steps.{step}"), count.to_string());
    }
    for (row, option) in draft.options.iter().enumerate() {
        let mut set = |part: &str, value: String| typed.set(format!("options.{row}.{part}"), value);
        set("sku", option.sku.clone());
        set("name", option.name.clone());
        set("minimum", number(option.minimum));
        set("cap", number(option.cap));
        set("per_shopper", number(option.per_shopper));
        set("weight_grams", number(option.weight_grams));
        if option.made_to_order {
            set("made_to_order", "1".to_owned());
        }
        for (step, price) in option.prices.prices().iter().enumerate() {
            set(&format!("prices.{step}"), money(*price));
        }
    }
    for (row, id) in draft.supplier_ids.iter().enumerate() {
        typed.set(format!("supplier_ids.{row}"), id.to_string());
    }
    for (row, rule) in draft.shipping.iter().enumerate() {
        typed.set(format!("shipping.{row}.countries"), codes(&rule.countries));
        typed.set(format!("shipping.{row}.price"), money(rule.price));
        let bands = offer_bands::typed(&rule.bands, draft.currency);
        typed.set(format!("shipping.{row}.bands"), bands);
    }
    for (row, rule) in draft.tax.iter().enumerate() {
        let points = rule.rate_basis_points;
        let percent = format!("{}.{:02}", points / 100, points % 100);
        typed.set(format!("tax.{row}.countries"), codes(&rule.countries));
        typed.set(format!("tax.{row}.percent"), percent);
        typed.set(
            format!("tax.{row}.name"),
            rule.name.clone().unwrap_or_default(),
        );
        let included = if rule.included { "yes" } else { "no" };
        typed.set(format!("tax.{row}.included"), included);
    }
    typed
}

/// A new campaign as it is typed: what most begin with.
pub fn typed_new() -> Typed {
    let mut typed = Typed::default();
    for (name, value) in [
        ("currency", "usd"),
        ("time_zone", "UTC"),
        ("threshold.kind", "units"),
        ("trigger", "at_deadline"),
        ("payment_mode", "charge_now"),
        ("deposit_unpaid", "returned"),
        ("delay_policy", "ftc"),
        ("handling_days", "2"),
        ("safety_percent", "0"),
        ("steps.0", "1"),
        ("shipping.0.countries", "*"),
    ] {
        typed.set(name, value);
    }
    typed
}

/// What a `datetime-local` field shows.
pub fn local(at: DateTime<Utc>, zone: Tz) -> String {
    let at = at.with_timezone(&zone);
    let seconds = at.format("%S").to_string() != "00";
    at.format(if seconds {
        "%Y-%m-%dT%H:%M:%S"
    } else {
        "%Y-%m-%dT%H:%M"
    })
    .to_string()
}

fn codes(areas: &[Area]) -> String {
    let codes: Vec<&str> = areas.iter().map(|area| area.code()).collect();
    codes.join(", ")
}

/// All that is wrong, at the form's fields. What was said while reading stands for what the check says of the same
/// field.
pub fn problems(read: &[FieldError], checked: &[FieldError]) -> Problems {
    let own: Vec<String> = read.iter().map(|e| field_of(&e.field)).collect();
    let told = |field: &str| {
        own.iter().any(|own| {
            own == field
                || own.starts_with(&format!("{field}."))
                || field.starts_with(&format!("{own}."))
        })
    };
    let mut problems = Problems::default();
    for error in read {
        problems.add(field_of(&error.field), words(error));
    }
    for error in checked {
        let field = field_of(&error.field);
        if !told(&dotted(&error.field)) && !told(&field) {
            problems.add(field, words(error));
        }
    }
    problems
}

/// Where an error stands in the form.
fn field_of(path: &str) -> String {
    let path = dotted(path);
    if let Some((row, _)) = path.split_once(".countries.") {
        return format!("{row}.countries");
    }
    if let Some((row, _)) = path.split_once(".bands.") {
        return format!("{row}.bands");
    }
    match path.as_str() {
        "threshold" => "threshold.target".to_owned(),
        "shipping" => "shipping.0.countries".to_owned(),
        "supplier_ids" => "supplier_ids.0".to_owned(),
        "options" => "options.0.sku".to_owned(),
        "steps" => "steps.0".to_owned(),
        _ if path.ends_with(".prices") => format!("{path}.0"),
        _ => path.replace(".rate_basis_points", ".percent"),
    }
}

/// The check's words, with the field named where they lean on it.
fn words(error: &FieldError) -> String {
    let of = match error.field.as_str() {
        "deadline" => "The deadline",
        "opens_at" => "The opening",
        "promised_ship_date" => "The promised ship date",
        "stop_loss_date" => "The stop-loss date",
        _ => "It",
    };
    let leans = ["must ", "cannot ", "stands "];
    if leans.iter().any(|word| error.message.starts_with(word)) {
        return sentence(&format!("{of} {}", error.message));
    }
    if let Some((_, band)) = error.field.split_once(".bands[")
        && let Some((index, _)) = band.split_once(']')
        && let Ok(index) = index.parse::<usize>()
    {
        return sentence(&format!("band {}: {}", index + 1, error.message));
    }
    sentence(&error.message)
}

#[cfg(test)]
#[path = "tests/offer_form.rs"]
mod tests;
