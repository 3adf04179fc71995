//! From input to draft: every rule, every error at once.

use std::str::FromStr;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;

use super::bands::weights;
use super::lists::{cheapest_shipping, options, shipping, suppliers, tax};
use super::*;
use crate::domain::day;
use crate::domain::money::Money;
use crate::domain::price::MAX_UNITS;
use crate::domain::slug::is_valid_slug;
use crate::domain::text::{clean_line, clean_text};

/// No date lies further ahead: a typing error, not a plan.
const MAX_YEARS: i64 = 10;

/// The errors found so far. Each helper answers `None` where it has put one in.
pub(super) struct Errors(Vec<FieldError>);

impl Errors {
    pub(super) fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(FieldError::new(field, message));
    }

    /// A value that must be there.
    pub(super) fn required<T>(&mut self, field: &str, value: Option<T>, say: &str) -> Option<T> {
        if value.is_none() {
            self.add(field, format!("is required: {say}"));
        }
        value
    }

    /// The good part of a result; its error goes to `field`.
    pub(super) fn keep<T>(&mut self, field: &str, result: Result<T, impl ToString>) -> Option<T> {
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
    pub(super) fn optional(
        &mut self,
        field: &str,
        value: Option<i64>,
        limits: (i32, i32),
    ) -> Option<i32> {
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
    fn word<T: FromStr + Default>(
        &mut self,
        field: &str,
        word: Option<&str>,
        all: &str,
    ) -> Option<T> {
        let Some(word) = word else {
            return Some(T::default());
        };
        self.keep(
            field,
            word.parse().map_err(|_| format!("write one of: {all}")),
        )
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
        weights(e, &shipping, options.as_deref());
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
        let payment_mode = e.word(
            "payment_mode",
            self.payment_mode.as_deref(),
            "charge_now, charge_on_success, deposit",
        );
        let (deposit_percent, deposit_unpaid) = self.deposit(e, payment_mode);
        let trigger = e.word(
            "trigger",
            self.trigger.as_deref(),
            "at_deadline, at_threshold",
        );
        let late_joins = self.late_joins == Some(true);
        if late_joins && trigger.is_some_and(|trigger| trigger != Trigger::AtThreshold) {
            e.add(
                "late_joins",
                "further batches need the trigger at_threshold; choose it, or leave this out",
            );
        }
        let delay_policy = e.word(
            "delay_policy",
            self.delay_policy.as_deref(),
            "ftc, ask_always",
        );

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
                interest: self.interest == Some(true),
                threshold: threshold?,
                deadline: dates.deadline,
                promised_ship_date: dates.promised_ship_date,
                stop_loss_date: dates.stop_loss_date,
                handling_days,
                payment_mode: payment_mode?,
                deposit_percent,
                deposit_unpaid: deposit_unpaid?,
                trigger: trigger?,
                late_joins,
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

    /// The deposit and what becomes of it: only with the mode of that name, which needs a percentage. The trigger
    /// `at_threshold` needs everything paid at joining (domain section 2).
    fn deposit(&self, e: &mut Errors, mode: Option<PaymentMode>) -> (i32, Option<DepositUnpaid>) {
        let percent = e.number("deposit_percent", self.deposit_percent, (1, 99), 0);
        let words = "returned, kept";
        let unpaid = e.word("deposit_unpaid", self.deposit_unpaid.as_deref(), words);
        let is_deposit = mode == Some(PaymentMode::Deposit);
        if is_deposit && self.deposit_percent.is_none() {
            e.add(
                "deposit_percent",
                "is required: what is paid at joining, 1 to 99 percent",
            );
        }
        for (field, given) in [
            ("deposit_percent", self.deposit_percent.is_some()),
            ("deposit_unpaid", self.deposit_unpaid.is_some()),
        ] {
            if given && mode.is_some() && !is_deposit {
                e.add(field, "leave it out: only the payment mode deposit has one");
            }
        }
        if self.trigger.as_deref() == Some("at_threshold")
            && mode.is_some_and(|mode| mode != PaymentMode::ChargeNow)
        {
            e.add(
                "trigger",
                "at_threshold needs the payment mode charge_now; write at_deadline",
            );
        }
        (percent, unpaid)
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
        if let (Some(deadline), Some(promised), Some(zone)) = (deadline, promised, zone)
            && !day::is_before_day(deadline, promised, zone)
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
pub(super) fn at(list: &str, index: Option<usize>) -> String {
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
