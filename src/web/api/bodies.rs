//! What calls send. The structs are the description of each body; the functions beside them read one, and tell
//! everything that is wrong with it at once.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::fields::{Errors, Reader, integer_at, text_at};
use crate::domain::country::Country;
use crate::domain::draft::{
    BandInput, CampaignInput, OptionInput, ShippingInput, TaxInput, ThresholdInput,
};
use crate::domain::order::Delivery;
use crate::domain::price::MAX_UNITS;
use crate::domain::text::{clean_line, clean_text, normalize_email, optional_line};
use crate::workflows::join::Address;

/// Longest reason, in characters.
const MAX_REASON: usize = 500;
/// Most lines of one order: as many as a campaign has options.
const MAX_LINES: usize = 100;

/// A wish to join.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct JoinBody {
    /// The shopper: trimmed and lower-cased, it is who the shopper is.
    email: String,
    name: String,
    address: AddressBody,
    /// Each option once.
    #[schema(min_items = 1, max_items = 100)]
    lines: Vec<JoinLineBody>,
    /// `one_parcel` where it is left out.
    delivery: Option<Delivery>,
    /// An index into `steps`, only with `charge_on_success`: the order is in only if that step is reached.
    limit_step: Option<i64>,
    /// Where an option is sold out: go on the waiting list instead of being refused. False where it is left out.
    waitlist: Option<bool>,
}

/// Where an order goes.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct AddressBody {
    /// Street and number.
    line1: String,
    line2: Option<String>,
    city: String,
    region: Option<String>,
    postal_code: Option<String>,
    /// ISO 3166-1 code, such as `DE`.
    country: String,
}

/// An option and how many of it.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct JoinLineBody {
    sku: String,
    #[schema(minimum = 1)]
    quantity: i64,
}

/// A checked wish to join.
#[derive(Debug)]
pub(super) struct Wish {
    pub(super) email: String,
    pub(super) name: String,
    pub(super) address: Address,
    pub(super) delivery: Delivery,
    pub(super) limit_step: Option<usize>,
    pub(super) waitlist: bool,
}

/// What a join asks for, as far as it could be read: conflicts are found by it although other fields are wrong.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked {
    /// The shopper's address, trimmed and lower-cased.
    pub email: Option<String>,
    /// Option codes and quantities.
    pub lines: Vec<(String, i64)>,
    /// Whether it may be waited for.
    pub(super) waitlist: bool,
}

/// Reads a wish to join. What it asks for is given also where other fields are wrong: a conflict is told first.
pub(super) fn join(body: &Value, e: &mut Errors) -> (Asked, Option<Wish>) {
    let Some(mut r) = Reader::body(body, e) else {
        return (Asked::default(), None);
    };
    let email = r.text("email", e);
    let email = r.required("email", email, e, "the shopper's address");
    let email = email.and_then(|text| e.keep("email", normalize_email(text)));
    let name = r.text("name", e);
    let name = r.required("name", name, e, "the shopper's name");
    let name = name.and_then(|text| e.keep("name", clean_line(text, 200)));
    let parcel = r.object("address", e);
    let parcel = r.required("address", parcel, e, "where the order goes");
    let parcel = parcel.and_then(|r| address(r, e));
    let asked = Asked {
        email: email.clone(),
        lines: join_lines(&mut r, e),
        waitlist: r.boolean("waitlist", e).unwrap_or(false),
    };
    let delivery = r
        .text("delivery", e)
        .unwrap_or(Delivery::OneParcel.as_str());
    let delivery = e.keep(
        "delivery",
        delivery
            .parse()
            .map_err(|_| "write one of: one_parcel, as_available"),
    );
    let limit_step = r.integer("limit_step", e).map(|at| {
        let index = usize::try_from(at).map_err(|_| "write the index of a step, 0 for the first");
        e.keep("limit_step", index)
    });
    r.end(e);
    let wish = (|| {
        Some(Wish {
            email: email?,
            name: name?,
            address: parcel?,
            delivery: delivery?,
            limit_step: limit_step.map_or(Some(None), |at| at.map(Some))?,
            waitlist: asked.waitlist,
        })
    })();
    (asked, wish)
}

/// Reads an option and how many of it.
pub(super) fn line(value: &Value, at: String, e: &mut Errors) -> Option<(String, i64)> {
    let mut r = Reader::at(value, at, e)?;
    let sku = r.string("sku", e);
    let sku = r.required("sku", sku, e, "the option's code");
    let quantity = r.integer("quantity", e);
    let quantity = r.required("quantity", quantity, e, "how many, 1 or more");
    let quantity = quantity.filter(|n| {
        let fits = (1..=MAX_UNITS).contains(n);
        if !fits {
            let say = format!("write a whole number from 1 to {MAX_UNITS}");
            e.add(r.path("quantity"), say);
        }
        fits
    });
    r.end(e);
    Some((sku?, quantity?))
}

pub(super) fn join_lines(r: &mut Reader, e: &mut Errors) -> Vec<(String, i64)> {
    let lines = r.each("lines", e, line);
    let said = r.required("lines", lines, e, "at least one option and how many of it");
    let Some(lines) = said else { return Vec::new() };
    if lines.is_empty() && e.is_empty() {
        e.add("lines", "choose at least one option");
    }
    if lines.len() > MAX_LINES {
        e.add("lines", format!("write at most {MAX_LINES} lines"));
    }
    for (i, (sku, _)) in lines.iter().enumerate() {
        if lines[..i].iter().any(|(earlier, _)| earlier == sku) {
            e.add(
                format!("lines[{i}].sku"),
                "this option is in the list already; add the quantities up",
            );
        }
    }
    lines
}

pub(super) fn address(mut r: Reader, e: &mut Errors) -> Option<Address> {
    let line = |r: &mut Reader, name: &'static str, e: &mut Errors, say: &str, most: usize| {
        let text = r.text(name, e);
        let text = r.required(name, text, e, say)?;
        e.keep(&r.path(name), clean_line(text, most))
    };
    let maybe = |r: &mut Reader, name: &'static str, e: &mut Errors, most: usize| {
        let text = r.text(name, e);
        e.keep(&r.path(name), optional_line(text, most))
    };
    let line1 = line(&mut r, "line1", e, "street and number", 200);
    let line2 = maybe(&mut r, "line2", e, 200);
    let city = line(&mut r, "city", e, "the town", 100);
    let region = maybe(&mut r, "region", e, 100);
    let postal_code = maybe(&mut r, "postal_code", e, 20);
    let country = r.text("country", e);
    let country = r.required("country", country, e, "a code such as DE or US");
    let country = country.and_then(|code| {
        let found = Country::parse(code).ok_or("write a two-letter ISO 3166-1 code such as DE");
        e.keep(&r.path("country"), found)
    });
    r.end(e);
    Some(Address {
        line1: line1?,
        line2: line2?,
        city: city?,
        region: region?,
        postal_code: postal_code?,
        country: country?,
    })
}

/// A new campaign. Amounts are in minor units of its currency.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct CampaignBody {
    title: String,
    /// Its name in addresses; made of the title where it is left out.
    slug: Option<String>,
    /// Markdown.
    description: String,
    /// ISO 4217 code in lower case.
    currency: String,
    /// An IANA name; UTC where it is left out.
    time_zone: Option<String>,
    /// From publishing on where it is left out.
    opens_at: Option<DateTime<Utc>>,
    /// Whether publishing asks first who would buy: the campaign is then `interest`, and nothing is sold. It opens at
    /// `opens_at`, or when it is published once more. Fixed at publication.
    interest: Option<bool>,
    threshold: ThresholdBody,
    deadline: DateTime<Utc>,
    promised_ship_date: NaiveDate,
    stop_loss_date: NaiveDate,
    /// Days from the supplier's arrival to shipping; 2 where it is left out.
    handling_days: Option<i64>,
    /// `charge_now`, `charge_on_success` or `deposit`.
    payment_mode: String,
    /// Percent of the total that is paid at joining, 1 to 99; only with `deposit`.
    deposit_percent: Option<i64>,
    /// What becomes of a deposit whose balance is never paid, `returned` or `kept`; only with `deposit`.
    deposit_unpaid: Option<String>,
    /// `at_deadline` or `at_threshold`.
    trigger: String,
    /// Whether joining goes on after a batch was judged, for further batches, until the deadline; only with `at_threshold`.
    late_joins: Option<bool>,
    /// Unit counts, rising, the first is 1.
    steps: Vec<i64>,
    options: Vec<OptionBody>,
    /// The best first.
    supplier_ids: Vec<Uuid>,
    /// Units ordered on top of the paid ones.
    safety_percent: Option<i64>,
    /// `ftc` or `ask_always`.
    delay_policy: Option<String>,
    shipping: Vec<ShippingBody>,
    tax: Option<Vec<TaxBody>>,
}

/// Changes to a campaign: a JSON merge patch (RFC 7396) over the body it was made with.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct CampaignPatch {
    title: Option<String>,
    slug: Option<String>,
    description: Option<String>,
    currency: Option<String>,
    time_zone: Option<String>,
    opens_at: Option<DateTime<Utc>>,
    interest: Option<bool>,
    threshold: Option<ThresholdPatch>,
    deadline: Option<DateTime<Utc>>,
    promised_ship_date: Option<NaiveDate>,
    stop_loss_date: Option<NaiveDate>,
    handling_days: Option<i64>,
    payment_mode: Option<String>,
    deposit_percent: Option<i64>,
    deposit_unpaid: Option<String>,
    trigger: Option<String>,
    late_joins: Option<bool>,
    steps: Option<Vec<i64>>,
    options: Option<Vec<OptionBody>>,
    supplier_ids: Option<Vec<Uuid>>,
    safety_percent: Option<i64>,
    delay_policy: Option<String>,
    shipping: Option<Vec<ShippingBody>>,
    tax: Option<Vec<TaxBody>>,
}

/// What must be collected.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct ThresholdBody {
    /// `units` or `amount`.
    kind: String,
    /// Units or minor units.
    target: i64,
}

/// What changes of what must be collected.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct ThresholdPatch {
    kind: Option<String>,
    target: Option<i64>,
}

/// Nothing: the call says it all.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct NothingBody {}

/// One thing a shopper can choose.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct OptionBody {
    sku: String,
    name: String,
    /// One for each step, never rising.
    prices: Vec<i64>,
    /// Under so many paid units it is not produced, and its lines are refunded. At most the cap.
    #[schema(minimum = 1)]
    minimum: Option<i64>,
    cap: Option<i64>,
    per_shopper: Option<i64>,
    weight_grams: Option<i64>,
    /// Exempt from withdrawal: made to the shopper's order, or exempt for another reason. Told before joining.
    made_to_order: Option<bool>,
}

/// What shipping costs to some countries.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct ShippingBody {
    /// ISO 3166-1 codes, or `*` for the rest.
    countries: Vec<String>,
    /// What each order pays; 0 is free.
    price: i64,
    /// What larger orders pay on top, rising; the price that holds is the first band's that the order fits in.
    #[schema(max_items = 20)]
    bands: Option<Vec<BandBody>>,
}

/// What orders up to a bound pay on top. All bands of a rule go by units or all by weight; the last may have no bound,
/// else larger orders are not shipped.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct BandBody {
    /// Up to so many units.
    #[schema(minimum = 1)]
    up_to_units: Option<i64>,
    /// Up to this weight; every option must then have `weight_grams`.
    #[schema(minimum = 1)]
    up_to_grams: Option<i64>,
    /// Never less than that of the band before.
    price: i64,
}

/// The tax of some countries: by `rate_basis_points` or by `percent`.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct TaxBody {
    countries: Vec<String>,
    /// Hundredths of a percent.
    rate_basis_points: Option<i64>,
    /// Such as `19` or `8.25`.
    percent: Option<String>,
    /// Whether prices contain it.
    included: Option<bool>,
    /// What it is called on orders and receipts, such as `VAT`; left out: `Tax`.
    name: Option<String>,
}

/// Reads a campaign: types here, rules in the domain.
pub(super) fn campaign(body: &Value, e: &mut Errors) -> CampaignInput {
    let Some(mut r) = Reader::body(body, e) else {
        return CampaignInput::default();
    };
    let strings = |r: &mut Reader, name: &'static str, e: &mut Errors| r.each(name, e, text_at);
    let input = CampaignInput {
        title: r.string("title", e),
        slug: r.string("slug", e),
        description: r.string("description", e),
        currency: r.string("currency", e),
        time_zone: r.string("time_zone", e),
        opens_at: r.string("opens_at", e),
        interest: r.boolean("interest", e),
        threshold: r.object("threshold", e).map(|mut r| {
            let input = ThresholdInput {
                kind: r.string("kind", e),
                target: r.integer("target", e),
            };
            r.end(e);
            input
        }),
        deadline: r.string("deadline", e),
        promised_ship_date: r.string("promised_ship_date", e),
        stop_loss_date: r.string("stop_loss_date", e),
        handling_days: r.integer("handling_days", e),
        payment_mode: r.string("payment_mode", e),
        deposit_percent: r.integer("deposit_percent", e),
        deposit_unpaid: r.string("deposit_unpaid", e),
        trigger: r.string("trigger", e),
        late_joins: r.boolean("late_joins", e),
        steps: r.each("steps", e, integer_at),
        options: r.each("options", e, option),
        supplier_ids: strings(&mut r, "supplier_ids", e),
        safety_percent: r.integer("safety_percent", e),
        delay_policy: r.string("delay_policy", e),
        shipping: r.each("shipping", e, |value, at, e| {
            let mut r = Reader::at(value, at, e)?;
            let input = ShippingInput {
                countries: strings(&mut r, "countries", e),
                price: r.integer("price", e),
                bands: r.each("bands", e, band),
            };
            r.end(e);
            Some(input)
        }),
        tax: r.each("tax", e, |value, at, e| {
            let mut r = Reader::at(value, at, e)?;
            let input = TaxInput {
                countries: strings(&mut r, "countries", e),
                rate_basis_points: r.integer("rate_basis_points", e),
                percent: r.string("percent", e),
                included: r.boolean("included", e),
                name: r.string("name", e),
            };
            r.end(e);
            Some(input)
        }),
    };
    r.end(e);
    input
}

fn band(value: &Value, at: String, e: &mut Errors) -> Option<BandInput> {
    let mut r = Reader::at(value, at, e)?;
    let input = BandInput {
        up_to_units: r.integer("up_to_units", e),
        up_to_grams: r.integer("up_to_grams", e),
        price: r.integer("price", e),
    };
    r.end(e);
    Some(input)
}

fn option(value: &Value, at: String, e: &mut Errors) -> Option<OptionInput> {
    let mut r = Reader::at(value, at, e)?;
    let input = OptionInput {
        sku: r.string("sku", e),
        name: r.string("name", e),
        prices: r.each("prices", e, integer_at),
        minimum: r.integer("minimum", e),
        cap: r.integer("cap", e),
        per_shopper: r.integer("per_shopper", e),
        weight_grams: r.integer("weight_grams", e),
        made_to_order: r.boolean("made_to_order", e),
    };
    r.end(e);
    Some(input)
}

/// A later deadline.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct ExtendBody {
    deadline: DateTime<Utc>,
    /// Where the ship date moves with it.
    promised_ship_date: Option<NaiveDate>,
}

/// Reads a later deadline.
pub(super) fn extension(
    body: &Value,
    e: &mut Errors,
) -> Option<(DateTime<Utc>, Option<NaiveDate>)> {
    let mut r = Reader::body(body, e)?;
    let deadline = r.text("deadline", e);
    let deadline = r.required("deadline", deadline, e, "the new time");
    let deadline = deadline.and_then(|text| {
        let say = "write a time with its offset, such as 2026-12-01T18:00:00Z";
        e.keep(
            "deadline",
            DateTime::parse_from_rfc3339(text).map_err(|_| say),
        )
    });
    let ships_by = r.text("promised_ship_date", e).map(|text| {
        let date = crate::domain::day::parse_date(text).ok_or("write a date as YYYY-MM-DD");
        e.keep("promised_ship_date", date)
    });
    r.end(e);
    match ships_by {
        None => Some((deadline?.with_timezone(&Utc), None)),
        Some(date) => Some((deadline?.with_timezone(&Utc), Some(date?))),
    }
}

/// Why.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct ReasonBody {
    /// The shoppers read it.
    reason: String,
}

/// Reads a reason.
pub(super) fn reason(body: &Value, e: &mut Errors) -> Option<String> {
    let mut r = Reader::body(body, e)?;
    let reason = r.text("reason", e);
    let reason = r.required("reason", reason, e, "shoppers read it");
    r.end(e);
    let reason = e.keep("reason", clean_text(reason?, MAX_REASON))?;
    if reason.trim().is_empty() {
        e.add("reason", "write the reason; the shopper reads it");
        return None;
    }
    Some(reason)
}

/// How a purchase order is sent.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct SendBody {
    /// The campaign's first supplier where it is left out.
    supplier_id: Option<Uuid>,
    /// Units beyond those paid, divided among the options by paid units: to come to a supplier's minimum.
    added_units: Option<i64>,
    /// What a second supplier takes of it, in a purchase order of its own.
    split: Option<SplitBody>,
}

/// The part of a second supplier.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct SplitBody {
    supplier_id: Uuid,
    /// Paid units by the option's code; what is left out stays with the first supplier.
    units: BTreeMap<String, i64>,
}

/// What takes the place of a purchase order.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct ReplaceBody {
    /// The same supplier gets a new version under the same number; left out: the campaign's next supplier who did not
    /// refuse and can take it.
    supplier_id: Option<Uuid>,
    /// Why; the old supplier reads it.
    reason: String,
    /// Units beyond those paid.
    added_units: Option<i64>,
    /// What a second supplier takes of it.
    split: Option<SplitBody>,
}

/// A new supplier. Costs are in minor units of its currency.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code)]
pub(super) struct SupplierBody {
    name: String,
    /// Where purchase orders go.
    email: String,
    /// Its postal address, as it stands on purchase orders.
    address: Option<String>,
    minimum_units: Option<i64>,
    capacity_units: Option<i64>,
    /// 1 where it is left out.
    case_pack: Option<i64>,
    lead_time_days: i64,
    /// Cost of one unit by the option's code.
    unit_costs: BTreeMap<String, i64>,
    currency: String,
}
