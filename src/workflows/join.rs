//! Joining: a hold on units, committed before anything is asked of the provider (domain sections 2, 3 and 4).
//!
//! Joins come in a rush, so they are placed together: the campaign is loaded and locked once, each request is decided
//! in its order on counters in memory, and what was granted is written with one statement a table. The statement that
//! takes units is guarded by the cap, so that no other process can oversell either.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use chrono::{Duration, NaiveDate};
use serde::{Deserialize, Serialize};

mod anew;
mod place;
mod same;
mod table;

pub use anew::{Accepted, price_anew};
pub use table::{first_page, new_page, no_room};
pub(super) use table::{under_cap, within_limit};

use super::desk::Problem;
use super::ports::Clock;
use crate::domain::country::Country;
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::CampaignId;
use crate::domain::order::Delivery;
use crate::domain::payment::{PagePlan, kept_pace};
use crate::domain::tariff::{Quote, Tariff};
use crate::store::campaigns::CampaignRow;
use crate::store::orders::OrderRow;
use crate::store::{Group, StoreError, Tx, orders};

/// Where an order goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Street and number.
    pub line1: String,
    /// What else the carrier needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line2: Option<String>,
    /// Town.
    pub city: String,
    /// State or province.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// Postal code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// ISO 3166 code.
    pub country: Country,
}

/// A checked wish to join.
#[derive(Debug, Clone)]
pub struct JoinRequest {
    /// The campaign.
    pub campaign: CampaignId,
    /// The name it was asked by, where that was remembered: it must still be the campaign's.
    pub named: Option<String>,
    /// The shopper: trimmed and lower-cased.
    pub email: String,
    /// The shopper's name.
    pub name: String,
    /// Where it goes.
    pub address: Address,
    /// Option codes and quantities, each code once, each quantity at least 1.
    pub lines: Vec<(String, i64)>,
    /// How the shopper wants the parcels.
    pub delivery: Delivery,
    /// The total the shopper was shown and agreed to; a higher one is not charged but shown again.
    pub agreed_total: Option<i64>,
    /// The version of the terms that was accepted; none where the caller is a program that the merchant runs.
    pub terms_version: Option<i32>,
    /// The network address it came from.
    pub joined_from: String,
    /// What makes a second submit the same order.
    pub form_key: Option<String>,
    /// In only if the step with this index is reached.
    pub limit_step: Option<usize>,
    /// The merchant buys what is missing after saved cards were charged.
    pub buys_missing: bool,
    /// Whether it may go on the waiting list.
    pub waits: Waits,
}

/// Whether a wish may go on the waiting list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Waits {
    /// No: where there is no room it is refused.
    #[default]
    No,
    /// Where there is no room; else it is a join like any other.
    IfSoldOut,
    /// It is for the list alone: where there is room, that is said and nothing is held.
    Only,
}

/// A line as it is frozen at joining.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenLine {
    /// The option's code.
    pub sku: String,
    /// Its name then.
    pub name: String,
    /// Whether it was exempt from withdrawal then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub made_to_order: bool,
    /// The weight of one unit then, grams; none where it was not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight_grams: Option<i64>,
}

impl FrozenLine {
    /// The weight of one unit as a tariff takes it, grams.
    pub fn grams(&self) -> i64 {
        self.weight_grams.unwrap_or(0)
    }
}

/// A deposit as it is agreed at joining.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenDeposit {
    /// What is paid at joining, minor units.
    pub amount: i64,
    /// Whether the merchant keeps it where the balance is not paid; else it goes back.
    pub forfeited: bool,
}

/// What was agreed at joining: it never changes, whatever becomes of the campaign's page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrozenQuote {
    /// The campaign's title then.
    pub title: String,
    /// The ship date that was promised; none in orders older than this field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised: Option<NaiveDate>,
    /// Whether its merchant grants withdrawal where no law does (domain section 6a).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawal: bool,
    /// Whether it is made from left-over stock: nothing is decided about it any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_stock: bool,
    /// The deposit, where one is paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deposit: Option<FrozenDeposit>,
    /// The index of the step whose price was shown.
    pub step: usize,
    /// The lines, in the quote's order.
    pub lines: Vec<FrozenLine>,
    /// What it came to.
    pub quote: Quote,
    /// The tariff by which it is computed again.
    pub tariff: Tariff,
}

impl FrozenQuote {
    /// What the tax of an order to this country is called with its rate, such as `VAT 19 %`.
    pub fn tax_label(&self, country: &str) -> String {
        Country::parse(country).map_or_else(|| "Tax".to_owned(), |c| self.tariff.tax_label(c))
    }
}

/// A granted hold.
#[derive(Debug, Clone)]
pub struct Placed {
    /// The order, pending.
    pub order: OrderRow,
    /// What was agreed.
    pub frozen: FrozenQuote,
    /// Whether a form's earlier submit had placed it already.
    pub again: bool,
}

/// Places joins together; the write lane's group.
pub struct Joins {
    clock: Arc<dyn Clock>,
    hold_minutes: i64,
    provider_rate: Option<u32>,
    offers: Mutex<HashMap<CampaignId, (String, Arc<CampaignDraft>)>>,
}

impl Joins {
    /// Places joins by this clock, under holds of this length.
    pub fn new(clock: Arc<dyn Clock>, hold_minutes: i64, provider_rate: Option<u32>) -> Self {
        Self {
            clock,
            hold_minutes,
            provider_rate,
            offers: Mutex::new(HashMap::new()),
        }
    }

    /// The campaign's offer, parsed once for each text of it.
    fn offer(&self, campaign: &CampaignRow) -> Result<Arc<CampaignDraft>, StoreError> {
        let mut offers = match self.offers.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some((text, offer)) = offers.get(&campaign.id)
            && *text == campaign.spec
        {
            return Ok(offer.clone());
        }
        let offer: Arc<CampaignDraft> = Arc::new(
            serde_json::from_str(&campaign.spec)
                .map_err(|e| StoreError::Damaged(format!("offer of {}: {e}", campaign.id)))?,
        );
        if offers.len() > 256 {
            offers.clear();
        }
        offers.insert(campaign.id, (campaign.spec.clone(), offer.clone()));
        Ok(offer)
    }
}

impl Group for Joins {
    type Request = JoinRequest;
    type Answer = Result<Placed, Problem>;

    fn run(&self, tx: &mut Tx, requests: &[JoinRequest]) -> Result<Vec<Self::Answer>, StoreError> {
        let mut answers: Vec<Option<Self::Answer>> = requests.iter().map(|_| None).collect();
        let mut ids: Vec<CampaignId> = requests.iter().map(|r| r.campaign).collect();
        // Locks are taken in one order everywhere.
        ids.sort_unstable();
        ids.dedup();
        for id in ids {
            let mine: Vec<usize> = (0..requests.len())
                .filter(|i| requests[*i].campaign == id)
                .collect();
            let wishes: Vec<&JoinRequest> = mine.iter().map(|i| &requests[*i]).collect();
            let placed = self.place(tx, id, &wishes)?;
            for (i, answer) in mine.into_iter().zip(placed) {
                answers[i] = Some(answer);
            }
        }
        Ok(answers
            .into_iter()
            .map(|a| a.unwrap_or(Err(Problem::Internal("a join was not decided".into()))))
            .collect())
    }
}

/// When the next payment page will be made: now, or later in a rush, at the pace the provider allows.
///
/// # Errors
/// What the database says.
pub fn plan_page(
    tx: &mut Tx,
    provider_rate: Option<u32>,
    hold_minutes: i64,
) -> Result<PagePlan, StoreError> {
    let wait = match provider_rate {
        Some(rate) if rate > 0 => {
            let waiting = orders::queue_length(tx.conn)?;
            Duration::milliseconds(waiting.saturating_mul(1000) / i64::from(kept_pace(rate)))
        }
        _ => Duration::zero(),
    };
    Ok(PagePlan::at(tx.now + wait, hold_minutes))
}
