//! A campaign as its merchant writes it: parse, don't validate. The API and the panel both fill in a
//! [`CampaignInput`]; [`CampaignInput::check`] makes a [`CampaignDraft`] of it or says everything that is wrong at once.

use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

use super::currency::Currency;
use super::ids::SupplierId;
use super::price::{PriceTable, Steps, Threshold};
use super::tariff::{ShippingRule, Tariff, TaxRule};
use super::words::words;

mod bands;
mod check;
mod lists;
mod lock;

pub use lock::lock_violations;

/// Longest title, in characters.
pub const MAX_TITLE: usize = 120;
/// Longest description, in characters of Markdown.
pub const MAX_DESCRIPTION: usize = 20_000;
/// Longest SKU, in characters.
pub const MAX_SKU: usize = 40;
/// Longest option name, in characters.
pub const MAX_OPTION_NAME: usize = 120;
/// Most options of one campaign.
pub const MAX_OPTIONS: usize = 100;
/// Most suppliers of one campaign.
pub const MAX_SUPPLIERS: usize = 20;
/// Handling days where none are given.
pub const DEFAULT_HANDLING_DAYS: i32 = 2;

/// One field and what is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// Where: a path into the body, such as `options[0].prices[1]`.
    pub field: String,
    /// What to write instead.
    pub message: String,
}

impl FieldError {
    /// An error at `field`.
    pub fn new(field: impl Into<String>, message: impl Into<String>) -> FieldError {
        FieldError {
            field: field.into(),
            message: message.into(),
        }
    }
}

words! {
    /// When and how shoppers pay (domain section 4).
    #[derive(Default)]
    PaymentMode {
        /// All of it at joining; the difference, or everything, goes back.
        #[default]
        ChargeNow = "charge_now",
        /// A card is saved, and charged on success.
        ChargeOnSuccess = "charge_on_success",
        /// A part at joining, the rest when goods arrive.
        Deposit = "deposit",
    }
}

words! {
    /// What becomes of a deposit whose balance is never paid: said at joining (domain section 4).
    #[derive(Default)]
    DepositUnpaid {
        #[default]
        Returned = "returned",
        Kept = "kept",
    }
}

words! {
    /// When the batch is judged (domain section 2).
    #[derive(Default)]
    Trigger {
        /// After the deadline.
        #[default]
        AtDeadline = "at_deadline",
        /// As soon as the threshold is paid, at the latest at the deadline.
        AtThreshold = "at_threshold",
    }
}

words! {
    /// What a shopper's silence means when a date slips (domain section 6).
    #[derive(Default)]
    DelayPolicy {
        /// By 16 CFR Part 435.
        #[default]
        Ftc = "ftc",
        /// Silence never agrees.
        AskAlways = "ask_always",
    }
}

/// The body of `POST /campaigns`, as it came: every field may be missing, so that all that is wrong can be told at
/// once. Unknown fields are refused. Serialising a draft's input and laying a `PATCH` over it gives the new input.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)] // the names are the contract's; CampaignDraft says what they mean
pub struct CampaignInput {
    pub title: Option<String>,
    pub slug: Option<String>,
    pub description: Option<String>,
    pub currency: Option<String>,
    pub time_zone: Option<String>,
    pub opens_at: Option<String>,
    pub interest: Option<bool>,
    pub threshold: Option<ThresholdInput>,
    pub deadline: Option<String>,
    pub promised_ship_date: Option<String>,
    pub stop_loss_date: Option<String>,
    pub handling_days: Option<i64>,
    pub payment_mode: Option<String>,
    pub deposit_percent: Option<i64>,
    pub deposit_unpaid: Option<String>,
    pub trigger: Option<String>,
    pub late_joins: Option<bool>,
    pub steps: Option<Vec<i64>>,
    pub options: Option<Vec<OptionInput>>,
    pub supplier_ids: Option<Vec<String>>,
    pub safety_percent: Option<i64>,
    pub delay_policy: Option<String>,
    pub shipping: Option<Vec<ShippingInput>>,
    pub tax: Option<Vec<TaxInput>>,
}

/// `threshold` as it came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct ThresholdInput {
    pub kind: Option<String>,
    pub target: Option<i64>,
}

/// One of `options` as it came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct OptionInput {
    pub sku: Option<String>,
    pub name: Option<String>,
    pub prices: Option<Vec<i64>>,
    pub minimum: Option<i64>,
    pub cap: Option<i64>,
    pub per_shopper: Option<i64>,
    pub weight_grams: Option<i64>,
    pub made_to_order: Option<bool>,
}

/// One of `shipping` as it came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct ShippingInput {
    pub countries: Option<Vec<String>>,
    pub price: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bands: Option<Vec<BandInput>>,
}

/// One of a shipping rule's `bands` as it came.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct BandInput {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_to_units: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub up_to_grams: Option<i64>,
    pub price: Option<i64>,
}

/// One of `tax` as it came: the rate in hundredths of a percent, or in percent as text (`"19"`, `"8.25"`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[allow(missing_docs)]
pub struct TaxInput {
    pub countries: Option<Vec<String>>,
    pub rate_basis_points: Option<i64>,
    pub percent: Option<String>,
    pub included: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// One thing a shopper can choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionDraft {
    /// The merchant's name for it, unique within the campaign.
    pub sku: String,
    /// What shoppers read.
    pub name: String,
    /// Its price at each step, minor units.
    pub prices: PriceTable,
    /// Under so many units, among the orders that the step takes in, it is not produced; `None`: no minimum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum: Option<i32>,
    /// At most so many units are sold; `None`: no limit.
    pub cap: Option<i32>,
    /// At most so many units for one shopper; `None`: no limit.
    pub per_shopper: Option<i32>,
    /// Weight of one unit, grams.
    pub weight_grams: Option<i32>,
    /// Made to the shopper's order, or exempt for another reason: no right of withdrawal (domain section 6a).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub made_to_order: bool,
}

/// A campaign that keeps every rule that can be checked without looking elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampaignDraft {
    /// 1 to 120 characters.
    pub title: String,
    /// The wish for an address; `None`: made of the title. Whether it is free only the store knows.
    pub slug: Option<String>,
    /// Markdown, up to 20,000 characters.
    pub description: String,
    /// The currency of every amount in the campaign.
    pub currency: Currency,
    /// Where its days begin and end, fixed at publication.
    #[serde(with = "zone")]
    pub time_zone: Tz,
    /// When orders are taken from; `None`: from publishing on.
    pub opens_at: Option<DateTime<Utc>>,
    /// Whether publishing asks first who would buy, before anything is sold.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub interest: bool,
    /// What must be collected.
    pub threshold: Threshold,
    /// Orders are taken before this instant.
    pub deadline: DateTime<Utc>,
    /// The day by the end of which goods are handed to the carrier.
    pub promised_ship_date: NaiveDate,
    /// The day after which unshipped lines are refunded without being asked.
    pub stop_loss_date: NaiveDate,
    /// Days from the supplier's arrival to shipping, 0 to 60.
    pub handling_days: i32,
    /// When shoppers pay.
    pub payment_mode: PaymentMode,
    /// The deposit, percent of the total, 1 to 99; 0 where none is paid.
    #[serde(default, skip_serializing_if = "is_nought")]
    pub deposit_percent: i32,
    /// What becomes of a deposit whose balance is never paid.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deposit_unpaid: DepositUnpaid,
    /// When the batch is judged.
    pub trigger: Trigger,
    /// With the trigger `at_threshold`: whether joining goes on after a batch was judged, for further batches.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late_joins: bool,
    /// Unit counts at which the price changes.
    pub steps: Steps,
    /// What shoppers can choose: 1 to 100.
    pub options: Vec<OptionDraft>,
    /// Whom the goods are bought from, the best first. Whether they exist only the store knows.
    pub supplier_ids: Vec<SupplierId>,
    /// Units ordered on top of the paid ones, percent, 0 to 50.
    pub safety_percent: i32,
    /// What silence means when a date slips.
    pub delay_policy: DelayPolicy,
    /// Where orders are shipped to, and for how much.
    pub shipping: Vec<ShippingRule>,
    /// Taxes; a country without a rule has none.
    pub tax: Vec<TaxRule>,
}

impl CampaignDraft {
    /// The tariff that an order joining now keeps.
    pub fn tariff(&self) -> Tariff {
        let (shipping, tax) = (self.shipping.clone(), self.tax.clone());
        Tariff {
            currency: self.currency,
            shipping,
            tax,
        }
    }

    /// The address wished for, or one made of the title; `campaign` where the title has no Latin letter or digit.
    pub fn slug_or_title(&self) -> String {
        let slug = self
            .slug
            .clone()
            .unwrap_or_else(|| super::slug::slugify(&self.title));
        if slug.is_empty() {
            "campaign".to_owned()
        } else {
            slug
        }
    }

    /// The body that makes this very draft: to fill in a form, or to lay a `PATCH` over.
    pub fn to_input(&self) -> CampaignInput {
        let codes = |areas: &[super::tariff::Area]| {
            Some(areas.iter().map(|area| area.code().to_owned()).collect())
        };
        let rfc3339 = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        CampaignInput {
            title: Some(self.title.clone()),
            slug: self.slug.clone(),
            description: Some(self.description.clone()),
            currency: Some(self.currency.code().to_owned()),
            time_zone: Some(self.time_zone.name().to_owned()),
            opens_at: self.opens_at.map(rfc3339),
            interest: self.interest.then_some(true),
            threshold: Some(ThresholdInput {
                kind: Some(self.threshold.kind().to_owned()),
                target: Some(self.threshold.target()),
            }),
            deadline: Some(rfc3339(self.deadline)),
            promised_ship_date: Some(self.promised_ship_date.to_string()),
            stop_loss_date: Some(self.stop_loss_date.to_string()),
            handling_days: Some(self.handling_days.into()),
            payment_mode: Some(self.payment_mode.as_str().to_owned()),
            deposit_percent: (self.deposit_percent > 0).then(|| self.deposit_percent.into()),
            deposit_unpaid: (self.payment_mode == PaymentMode::Deposit)
                .then(|| self.deposit_unpaid.as_str().to_owned()),
            trigger: Some(self.trigger.as_str().to_owned()),
            late_joins: self.late_joins.then_some(true),
            steps: Some(self.steps.counts().to_vec()),
            options: Some(self.options.iter().map(OptionDraft::to_input).collect()),
            supplier_ids: Some(self.supplier_ids.iter().map(ToString::to_string).collect()),
            safety_percent: Some(self.safety_percent.into()),
            delay_policy: Some(self.delay_policy.as_str().to_owned()),
            shipping: Some(
                self.shipping
                    .iter()
                    .map(|rule| ShippingInput {
                        countries: codes(&rule.countries),
                        price: Some(rule.price),
                        bands: bands(&rule.bands),
                    })
                    .collect(),
            ),
            tax: Some(
                self.tax
                    .iter()
                    .map(|rule| TaxInput {
                        countries: codes(&rule.countries),
                        rate_basis_points: Some(rule.rate_basis_points),
                        percent: None,
                        included: Some(rule.included),
                        name: rule.name.clone(),
                    })
                    .collect(),
            ),
        }
    }
}

fn bands(bands: &[super::tariff::Band]) -> Option<Vec<BandInput>> {
    let input = |band: &super::tariff::Band| BandInput {
        up_to_units: band.up_to_units,
        up_to_grams: band.up_to_grams,
        price: Some(band.price),
    };
    (!bands.is_empty()).then(|| bands.iter().map(input).collect())
}

impl OptionDraft {
    /// The weight of one unit as a tariff takes it, grams.
    pub fn grams(&self) -> i64 {
        self.weight_grams.map_or(0, i64::from)
    }

    fn to_input(&self) -> OptionInput {
        OptionInput {
            sku: Some(self.sku.clone()),
            name: Some(self.name.clone()),
            prices: Some(self.prices.prices().to_vec()),
            minimum: self.minimum.map(i64::from),
            cap: self.cap.map(i64::from),
            per_shopper: self.per_shopper.map(i64::from),
            weight_grams: self.weight_grams.map(i64::from),
            made_to_order: self.made_to_order.then_some(true),
        }
    }
}

fn is_nought(number: &i32) -> bool {
    *number == 0
}

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A zone as its IANA name.
mod zone {
    use chrono_tz::Tz;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(zone.name())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Tz, D::Error> {
        let name = String::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
#[path = "tests/draft.rs"]
mod tests;
