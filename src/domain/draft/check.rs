//! From input to draft: every rule, every error at once.

use std::collections::HashSet;
use std::str::FromStr;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;

use super::*;
use crate::domain::day;
use crate::domain::money::{Money, parse_decimal};
use crate::domain::price::MAX_UNITS;
use crate::domain::slug::is_valid_slug;
use crate::domain::tariff::{Area, WHOLE};
use crate::domain::text::{clean_line, clean_text};

/// No date lies further ahead: a typing error, not a plan.
const MAX_YEARS: i64 = 10;

/// The errors found so far. Each helper answers `None` where it has put one in.
struct Errors(Vec<FieldError>);

impl Errors {
    fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldError::new(field, message));
    }

    /// A value that must be there.
    fn required<T>(&mut self, field: &str, value: Option<T>, say: &str) -> Option<T> {
        if value.is_none() {
            self.add(field, format!("is required: {say}"));
        }
        value
    }

    /// The good part of a result; its error goes to `field`.
    fn keep<T>(&mut self, field: &str, result: Result<T, impl ToString>) -> Option<T> {
        result
            .map_err(|error| self.add(field, error.to_string()))
            .ok()
    }

    /// A whole number within limits, or a default where none is given.
    fn number(&mut self, field: &str, value: Option<i64>, limits: (i32, i32), none: i32) -> i32 {
        let Some(value) = value else { return none };
        self.within(field, value, limits).unwrap_or(none)
    }

    /// A whole number within limits, or nothing.
    fn optional(&mut self, field: &str, value: Option<i64>, limits: (i32, i32)) -> Option<i32> {
        self.within(field, value?, limits)
    }

    fn within(&mut self, field: &str, value: i64, (least, most): (i32, i32)) -> Option<i32> {
        let fits = i32::try_from(value)
            .ok()
            .filter(|value| (least..=most).contains(value));
        if fits.is_none() {
            self.add(
                field,
                format!("write a whole number from {least} to {most}"),
            );
        }
        fits
    }

    /// A word of a fixed list, or its default.
    fn word<T: FromStr<Err = UnknownWord> + Default>(
        &mut self,
        field: &str,
        word: Option<&str>,
    ) -> Option<T> {
        word.map_or_else(|| Some(T::default()), |word| self.keep(field, word.parse()))
    }

    /// Something of the contract that this version does not serve yet.
    fn not_yet(&mut self, field: &str, asked: bool, what: &str) {
        if asked {
            self.add(field, format!("not available in this version: {what}"));
        }
    }

    fn instant(&mut self, field: &str, text: &str) -> Option<DateTime<Utc>> {
        let say = "write a time with its offset, such as 2026-12-01T18:00:00Z";
        let parsed = DateTime::parse_from_rfc3339(text.trim()).map_err(|_| say);
        self.keep(field, parsed).map(|at| at.with_timezone(&Utc))
    }

    fn date(&mut self, field: &str, text: Option<String>, say: &str) -> Option<NaiveDate> {
        let text = self.required(field, text, say)?;
        self.keep(
            field,
            day::parse_date(&text).ok_or("write a date as YYYY-MM-DD"),
        )
    }
}

/// The dates of a draft, in order.
struct Dates {
    opens_at: Option<DateTime<Utc>>,
    deadline: DateTime<Utc>,
    promised_ship_date: NaiveDate,
    stop_loss_date: NaiveDate,
}

impl CampaignInput {
    /// A draft, or everything that is wrong (domain section 2): now < deadline < promised ship date < stop-loss date.
    pub fn check(self, now: DateTime<Utc>) -> Result<CampaignDraft, Vec<FieldError>> {
        self.check_against(now, None)
    }

    /// As [`CampaignInput::check`], for a campaign that already is `old`: a deadline that stays as it was may have
    /// passed.
    pub fn check_change(
        self,
        now: DateTime<Utc>,
        old: &CampaignDraft,
    ) -> Result<CampaignDraft, Vec<FieldError>> {
        self.check_against(now, Some(old))
    }

    fn check_against(
        mut self,
        now: DateTime<Utc>,
        old: Option<&CampaignDraft>,
    ) -> Result<CampaignDraft, Vec<FieldError>> {
        let mut errors = Errors(vec![]);
        let e = &mut errors;
        self.refuse_what_is_not_served(e);
        let title = e.required(
            "title",
            self.title.take(),
            "what is offered, in a few words",
        );
        let title = title.and_then(|title| e.keep("title", clean_line(&title, MAX_TITLE)));
        let slug = self.slug.take().and_then(|slug| self::slug(e, slug));
        let description = self.description.take().unwrap_or_default();
        let description = e.keep("description", clean_text(&description, MAX_DESCRIPTION));
        let currency = e.required("currency", self.currency.take(), "such as usd or eur");
        let currency = currency.and_then(|code| e.keep("currency", code.trim().parse()));
        let time_zone = self.zone(e);
        let dates = self.dates(e, time_zone, now, old);
        let steps = self.steps(e);
        let shipping = shipping(e, self.shipping.take(), currency);
        let cheapest = cheapest_shipping(&shipping);
        let options = options(e, self.options.take(), steps.as_ref(), currency, cheapest);
        let threshold = threshold(e, self.threshold.take(), currency, options.as_deref());
        let tax = tax(e, self.tax.take());
        let supplier_ids = suppliers(e, self.supplier_ids.take());
        let handling_days = e.number(
            "handling_days",
            self.handling_days,
            (0, 60),
            DEFAULT_HANDLING_DAYS,
        );
        let safety_percent = e.number("safety_percent", self.safety_percent, (0, 50), 0);
        let payment_mode = e.word("payment_mode", self.payment_mode.as_deref());
        let trigger = e.word("trigger", self.trigger.as_deref());
        let delay_policy = e.word("delay_policy", self.delay_policy.as_deref());

        // Every `None` has left an error behind, so a whole draft comes out exactly where there is none.
        let draft = (|| {
            let dates = dates?;
            Some(CampaignDraft {
                title: title?,
                slug,
                description: description?,
                currency: currency?,
                time_zone: time_zone?,
                opens_at: dates.opens_at,
                threshold: threshold?,
                deadline: dates.deadline,
                promised_ship_date: dates.promised_ship_date,
                stop_loss_date: dates.stop_loss_date,
                handling_days,
                payment_mode: payment_mode?,
                trigger: trigger?,
                steps: steps?,
                options: options?,
                supplier_ids,
                safety_percent,
                delay_policy: delay_policy?,
                shipping,
                tax,
            })
        })();
        match draft {
            Some(draft) if errors.0.is_empty() => Ok(draft),
            _ => Err(errors.0),
        }
    }

    fn refuse_what_is_not_served(&self, e: &mut Errors) {
        let mode = self.payment_mode.as_deref().unwrap_or("charge_now");
        let later = matches!(mode, "charge_on_success" | "deposit");
        e.not_yet("payment_mode", later, "write charge_now");
        let deposit = self.deposit_percent.is_some();
        e.not_yet(
            "deposit_percent",
            deposit,
            "leave it out; everything is paid at joining",
        );
        let interest = self.interest == Some(true);
        e.not_yet("interest", interest, "leave it out, or write false");
        let late = self.late_joins == Some(true);
        e.not_yet("late_joins", late, "leave it out, or write false");
    }

    fn zone(&self, e: &mut Errors) -> Option<Tz> {
        let name = self.time_zone.as_deref().map_or("UTC", str::trim);
        let say = "write an IANA time zone such as Europe/Berlin, America/New_York or UTC";
        e.keep("time_zone", name.parse().map_err(|_| say))
    }

    fn steps(&mut self, e: &mut Errors) -> Option<Steps> {
        let counts = e.required(
            "steps",
            self.steps.take(),
            "unit counts such as [1, 50, 100]",
        )?;
        match Steps::try_from(counts) {
            Ok(steps) => Some(steps),
            Err(error) => {
                e.add(at("steps", error.index()), error.to_string());
                None
            }
        }
    }

    fn dates(
        &mut self,
        e: &mut Errors,
        zone: Option<Tz>,
        now: DateTime<Utc>,
        old: Option<&CampaignDraft>,
    ) -> Option<Dates> {
        let opens = self.opens_at.take().filter(|text| !text.trim().is_empty());
        let opens_at = opens.and_then(|text| e.instant("opens_at", &text));
        let say = "the time up to which orders are taken";
        let deadline = e.required("deadline", self.deadline.take(), say);
        let deadline = deadline.and_then(|text| e.instant("deadline", &text));
        let say = "the day by which you ship";
        let promised = e.date("promised_ship_date", self.promised_ship_date.take(), say);
        let say = "the day after which unshipped orders are refunded";
        let stop_loss = e.date("stop_loss_date", self.stop_loss_date.take(), say);

        let unchanged = old.is_some_and(|old| Some(old.deadline) == deadline);
        if deadline.is_some_and(|deadline| deadline <= now) && !unchanged {
            e.add("deadline", "must be in the future");
        }
        let latest = now + Duration::days(MAX_YEARS * 365);
        if deadline.is_some_and(|deadline| deadline > latest) {
            e.add(
                "deadline",
                format!("must be within {MAX_YEARS} years from now"),
            );
        }
        if opens_at
            .zip(deadline)
            .is_some_and(|(opens, deadline)| opens >= deadline)
        {
            e.add("opens_at", "must be before the deadline");
        }
        // A day ends at the first instant of the next, so a deadline at midnight belongs to the day before it.
        if let (Some(deadline), Some(promised), Some(zone)) = (deadline, promised, zone)
            && deadline > day::day_start(promised, zone)
        {
            e.add(
                "promised_ship_date",
                "must be after the day of the deadline",
            );
        }
        if promised
            .zip(stop_loss)
            .is_some_and(|(promised, stop_loss)| stop_loss <= promised)
        {
            e.add("stop_loss_date", "must be after the promised ship date");
        }
        if stop_loss.is_some_and(|date| date > latest.date_naive()) {
            e.add(
                "stop_loss_date",
                format!("must be within {MAX_YEARS} years from now"),
            );
        }
        Some(Dates {
            opens_at,
            deadline: deadline?,
            promised_ship_date: promised?,
            stop_loss_date: stop_loss?,
        })
    }
}

/// `list[3]`, or `list` where the list as a whole is wrong.
fn at(list: &str, index: Option<usize>) -> String {
    index.map_or_else(|| list.to_owned(), |index| format!("{list}[{index}]"))
}

fn slug(e: &mut Errors, slug: String) -> Option<String> {
    let slug = slug.trim().to_owned();
    if slug.is_empty() {
        return None;
    }
    if !is_valid_slug(&slug) {
        e.add(
            "slug",
            "write at most 80 lower-case letters a-z and digits, in words joined by -",
        );
    }
    Some(slug)
}

fn threshold(
    e: &mut Errors,
    input: Option<ThresholdInput>,
    currency: Option<Currency>,
    options: Option<&[OptionDraft]>,
) -> Option<Threshold> {
    let say = r#"such as {"kind": "units", "target": 40}"#;
    let input = e.required("threshold", input, say)?;
    let kind = e.required("threshold.kind", input.kind, "units or amount");
    let target = e.required("threshold.target", input.target, "what must be collected");
    let (kind, target) = (kind?, target?);
    let threshold = match kind.as_str() {
        "units" => Threshold::Units(target),
        "amount" => Threshold::Amount(target),
        _ => {
            e.add("threshold.kind", "write one of: units, amount");
            return None;
        }
    };
    if target < 1 {
        e.add("threshold.target", "write a whole number above 0");
        return None;
    }
    if let Threshold::Units(units) = threshold
        && units > MAX_UNITS
    {
        e.add(
            "threshold.target",
            format!("write at most {MAX_UNITS} units"),
        );
        return None;
    }
    // What all caps together allow, where every option has one: beyond it the campaign cannot succeed.
    let caps: Option<Vec<i64>> =
        options.and_then(|all| all.iter().map(|option| option.cap.map(i64::from)).collect());
    let reachable = caps.zip(options).map(|(caps, options)| match threshold {
        Threshold::Units(_) => caps.iter().fold(0i64, |sum, cap| sum.saturating_add(*cap)),
        Threshold::Amount(_) => options.iter().zip(&caps).fold(0i64, |sum, (option, cap)| {
            sum.saturating_add(option.prices.price_at(0).saturating_mul(*cap))
        }),
    });
    if let Some(reachable) = reachable.filter(|reachable| target > *reachable) {
        let most = match (threshold, currency) {
            (Threshold::Amount(_), Some(currency)) => Money::new(reachable, currency).format(),
            _ => reachable.to_string(),
        };
        e.add(
            "threshold.target",
            format!("cannot be reached: the options' caps allow {most} at most"),
        );
    }
    Some(threshold)
}

fn options(
    e: &mut Errors,
    input: Option<Vec<OptionInput>>,
    steps: Option<&Steps>,
    currency: Option<Currency>,
    cheapest_shipping: i64,
) -> Option<Vec<OptionDraft>> {
    let input = e.required("options", input, "what shoppers can choose")?;
    if input.is_empty() || input.len() > MAX_OPTIONS {
        e.add("options", format!("give 1 to {MAX_OPTIONS} options"));
        return None;
    }
    let mut skus = HashSet::new();
    let mut drafts = Some(Vec::with_capacity(input.len()));
    for (index, input) in input.into_iter().enumerate() {
        let path = format!("options[{index}]");
        if let Some(sku) = &input.sku
            && !skus.insert(sku.trim().to_owned())
        {
            e.add(
                format!("{path}.sku"),
                "is already the sku of another option: write another",
            );
        }
        let draft = option(e, &path, input, steps, currency, cheapest_shipping);
        drafts = drafts.zip(draft).map(|(mut drafts, draft)| {
            drafts.push(draft);
            drafts
        });
    }
    drafts
}

fn option(
    e: &mut Errors,
    path: &str,
    input: OptionInput,
    steps: Option<&Steps>,
    currency: Option<Currency>,
    cheapest_shipping: i64,
) -> Option<OptionDraft> {
    let field = |name: &str| format!("{path}.{name}");
    let sku = e.required(&field("sku"), input.sku, "your name for the article");
    let sku = sku.and_then(|sku| e.keep(&field("sku"), clean_sku(&sku)));
    let name = e.required(&field("name"), input.name, "what shoppers read");
    let name = name.and_then(|name| e.keep(&field("name"), clean_line(&name, MAX_OPTION_NAME)));
    e.not_yet(&field("minimum"), input.minimum.is_some(), "leave it out");
    let cap = e.optional(&field("cap"), input.cap, (1, i32::MAX));
    let per_shopper = e.optional(&field("per_shopper"), input.per_shopper, (1, i32::MAX));
    let weight_grams = e.optional(&field("weight_grams"), input.weight_grams, (1, i32::MAX));
    let prices = e.required(&field("prices"), input.prices, "one price for each step");
    let prices =
        prices.and_then(|prices| self::prices(e, &field("prices"), prices, steps, currency));
    if let (Some(table), Some(currency)) = (&prices, currency) {
        chargeable(e, &field("prices"), table, currency, cheapest_shipping);
    }
    Some(OptionDraft {
        sku: sku?,
        name: name?,
        prices: prices?,
        cap,
        per_shopper,
        weight_grams,
    })
}

fn clean_sku(sku: &str) -> Result<String, String> {
    let sku = sku.trim();
    let fits = (1..=MAX_SKU).contains(&sku.len())
        && sku
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
    let say = || format!("write 1 to {MAX_SKU} of the characters A-Z a-z 0-9 . _ -");
    if fits { Ok(sku.to_owned()) } else { Err(say()) }
}

/// A price table, or the first thing wrong with it. Without good steps or currency there is nothing to compare with;
/// what can be said about the prices alone is said all the same.
fn prices(
    e: &mut Errors,
    field: &str,
    prices: Vec<i64>,
    steps: Option<&Steps>,
    currency: Option<Currency>,
) -> Option<PriceTable> {
    let table = match steps.zip(currency) {
        Some((steps, currency)) => PriceTable::new(prices, steps, currency),
        None => PriceTable::try_from(prices),
    };
    table
        .map_err(|error| e.add(at(field, error.index()), error.to_string()))
        .ok()
}

/// Each price, with the cheapest shipping, must be a charge that the provider takes.
fn chargeable(
    e: &mut Errors,
    field: &str,
    table: &PriceTable,
    currency: Currency,
    cheapest_shipping: i64,
) {
    let show = |amount| Money::new(amount, currency).format();
    for (index, price) in table.prices().iter().enumerate() {
        let (least, most) = (currency.min_charge(), currency.max_charge());
        if price.saturating_add(cheapest_shipping) < least {
            let say = format!(
                "must be at least {} with shipping: no smaller charge is taken",
                show(least)
            );
            e.add(at(field, Some(index)), say);
        }
        if *price > most {
            let say = format!("must be at most {}: no larger charge is taken", show(most));
            e.add(at(field, Some(index)), say);
        }
    }
}

fn shipping(
    e: &mut Errors,
    input: Option<Vec<ShippingInput>>,
    currency: Option<Currency>,
) -> Vec<ShippingRule> {
    let say = r#"such as [{"countries": ["*"], "price": 0}]"#;
    let Some(input) = e.required("shipping", input, say) else {
        return vec![];
    };
    if input.is_empty() {
        e.add("shipping", format!("say where you ship to, {say}"));
    }
    let mut seen = HashSet::new();
    let mut rules = Vec::with_capacity(input.len());
    for (index, input) in input.into_iter().enumerate() {
        let path = format!("shipping[{index}]");
        let countries = areas(e, &path, input.countries, &mut seen);
        let field = format!("{path}.price");
        let say = "the price of shipping one order; 0 is free";
        let Some(price) = e.required(&field, input.price, say) else {
            continue;
        };
        let most = currency.map_or(i64::MAX, Currency::max_charge);
        if price < 0 {
            e.add(&field, "write 0 or more");
        } else if price > most {
            e.add(
                &field,
                format!("write at most {most}: no larger charge is taken"),
            );
        } else if let Some(currency) = currency.filter(|currency| !currency.is_granular(price)) {
            let by = currency.granularity();
            e.add(
                &field,
                format!("in this currency it must be a multiple of {by} minor units"),
            );
        }
        rules.push(ShippingRule { countries, price });
    }
    rules
}

fn cheapest_shipping(rules: &[ShippingRule]) -> i64 {
    rules
        .iter()
        .map(|rule| rule.price.max(0))
        .min()
        .unwrap_or(0)
}

fn tax(e: &mut Errors, input: Option<Vec<TaxInput>>) -> Vec<TaxRule> {
    let mut seen = HashSet::new();
    let mut rules = vec![];
    for (index, input) in input.unwrap_or_default().into_iter().enumerate() {
        let path = format!("tax[{index}]");
        let countries = areas(e, &path, input.countries, &mut seen);
        let say = "whether your prices already contain the tax: true or false";
        let included = e.required(&format!("{path}.included"), input.included, say);
        let rate = rate(e, &path, input.rate_basis_points, input.percent.as_deref());
        if let (Some(included), Some(rate_basis_points)) = (included, rate) {
            rules.push(TaxRule {
                countries,
                rate_basis_points,
                included,
            });
        }
    }
    rules
}

/// A rate in hundredths of a percent, given as such or in percent.
fn rate(e: &mut Errors, path: &str, points: Option<i64>, percent: Option<&str>) -> Option<i64> {
    let field = format!("{path}.rate_basis_points");
    let points = match (points, percent) {
        (Some(points), None) => points,
        // Percent with two decimals is read like an amount with two decimals.
        (None, Some(text)) => match parse_decimal(text, Currency::EUR) {
            Ok(points) => points,
            Err(_) => {
                e.add(
                    format!("{path}.percent"),
                    "write a percentage such as 19 or 8.25",
                );
                return None;
            }
        },
        (Some(_), Some(_)) => {
            e.add(field, "write either rate_basis_points or percent, not both");
            return None;
        }
        (None, None) => {
            e.add(field, "is required: hundredths of a percent, 1900 for 19 %");
            return None;
        }
    };
    if !(0..=WHOLE).contains(&points) {
        e.add(
            field,
            format!("write 0 to {WHOLE} hundredths of a percent, 1900 for 19 %"),
        );
        return None;
    }
    Some(points)
}

/// The countries of one rule. A country stands in one rule of a list only.
fn areas(
    e: &mut Errors,
    path: &str,
    codes: Option<Vec<String>>,
    seen: &mut HashSet<Area>,
) -> Vec<Area> {
    let field = format!("{path}.countries");
    let codes = codes.unwrap_or_default();
    if codes.is_empty() {
        e.add(
            field,
            "is required: country codes such as [\"DE\", \"AT\"], or [\"*\"] for the rest",
        );
        return vec![];
    }
    let mut areas = Vec::with_capacity(codes.len().min(300));
    for (index, code) in codes.iter().enumerate() {
        match Area::parse(code.trim()) {
            None => {
                let say = "write a two-letter country code such as DE, or * for the rest";
                e.add(at(&field, Some(index)), say);
            }
            Some(area) if !seen.insert(area) => {
                e.add(
                    at(&field, Some(index)),
                    format!("{} stands here twice: keep one", area.code()),
                );
            }
            Some(area) => areas.push(area),
        }
    }
    areas
}

fn suppliers(e: &mut Errors, ids: Option<Vec<String>>) -> Vec<SupplierId> {
    let ids = ids.unwrap_or_default();
    if ids.len() > MAX_SUPPLIERS {
        e.add(
            "supplier_ids",
            format!("give at most {MAX_SUPPLIERS} suppliers, the best first"),
        );
        return vec![];
    }
    let mut known = Vec::with_capacity(ids.len());
    for (index, id) in ids.iter().enumerate() {
        let field = at("supplier_ids", Some(index));
        let say = "write a supplier's id, as POST /suppliers answered it";
        let Some(id) = e.keep(&field, id.trim().parse::<SupplierId>().map_err(|_| say)) else {
            continue;
        };
        if known.contains(&id) {
            e.add(field, "stands here twice: keep one");
        } else {
            known.push(id);
        }
    }
    known
}
