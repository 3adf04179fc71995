//! What a purchase order says, and the letter that carries it.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

use super::super::batches;
use super::super::desk::{Desk, Problem, merchant, purchase_number};
use super::super::letters::{Letter, PurchaseLetterLine};
use super::super::money::say;
use crate::domain::day::day_of;
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::{BatchId, OptionId};
use crate::domain::purchase_order::{
    Blocked, PurchaseLine, SupplierTerms, Wanted, blocked, purchase_lines,
};
use crate::store::campaigns::CampaignRow;
use crate::store::merchants::SupplierRow;
use crate::store::purchase_orders::PurchaseOrderRow;
use crate::store::{Tx, campaigns};

/// What a purchase order says; frozen when it is issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The buyer.
    pub merchant: String,
    /// The buyer's postal address.
    pub merchant_address: String,
    /// The campaign's title.
    pub campaign: String,
    /// The number of the batch, where the campaign has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub batch: Option<i32>,
    /// The supplier's name; empty while there is none.
    pub supplier: String,
    /// Where it goes.
    pub supplier_email: String,
    /// The supplier's postal address.
    pub supplier_address: String,
    /// The code of the currency of its costs.
    pub currency: String,
    /// What is bought.
    pub lines: Vec<PurchaseLine>,
    /// Percent added for safety.
    pub safety_percent: i64,
    /// Units in a case.
    pub case_pack: i64,
    /// What it costs, in minor units.
    pub total: i64,
    /// When the goods are wanted, by the supplier's lead time.
    pub wanted_by: Option<NaiveDate>,
}

impl Document {
    /// What it is for: the campaign, with the batch where there are several.
    pub fn purpose(&self) -> String {
        match self.batch {
            Some(batch) => format!("{}, batch {batch}", self.campaign),
            None => self.campaign.clone(),
        }
    }

    /// Units of all lines.
    pub fn units(&self) -> i64 {
        self.lines.iter().map(|l| l.units).sum()
    }

    /// Units that shoppers paid for, of all lines.
    pub fn units_paid(&self) -> i64 {
        self.lines.iter().map(|l| l.paid).sum()
    }
}

/// A supplier's terms.
pub fn terms(supplier: &SupplierRow) -> SupplierTerms {
    SupplierTerms {
        minimum_units: supplier.minimum_units,
        capacity_units: supplier.capacity_units,
        case_pack: supplier.case_pack,
    }
}

/// What of a campaign's options is wanted, in the order of its offer, with what the supplier asks for it.
///
/// # Errors
/// What the database says.
pub fn wanted(
    tx: &mut Tx,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
    paid: &[(OptionId, i64)],
    supplier: Option<&SupplierRow>,
) -> Result<Vec<Wanted>, Problem> {
    let costs: BTreeMap<String, i64> = match supplier {
        Some(supplier) => serde_json::from_str(&supplier.unit_costs)?,
        None => BTreeMap::new(),
    };
    let options = campaigns::options_of(tx.conn, campaign.id)?;
    let units = |id: OptionId| {
        let found = paid.iter().find(|(option, _)| *option == id);
        found.map_or(0, |(_, units)| *units)
    };
    Ok(options
        .iter()
        .filter(|option| units(option.id) > 0)
        .map(|option| {
            let named = draft.options.iter().find(|o| o.sku == option.sku);
            Wanted {
                sku: option.sku.clone(),
                name: named.map_or_else(|| option.sku.clone(), |o| o.name.clone()),
                paid: units(option.id),
                unit_cost: costs.get(&option.sku).copied(),
            }
        })
        .collect())
}

/// Makes the document for these paid units and what staff added, and says what stands in its way.
///
/// # Errors
/// What the database says.
pub fn document(
    tx: &mut Tx,
    (campaign, batch): (&CampaignRow, BatchId),
    draft: &CampaignDraft,
    paid: &[(OptionId, i64)],
    added: i64,
    supplier: Option<&SupplierRow>,
) -> Result<(Document, Option<Blocked>), Problem> {
    let merchant = merchant(tx, campaign.merchant_id)?;
    let batch = campaigns::batch(tx.conn, batch)?.ok_or(Problem::NotFound("batch"))?;
    let safety = i64::from(draft.safety_percent);
    let case_pack = supplier.map_or(1, |s| s.case_pack);
    let too_large = || Problem::Internal("a purchase order is too large".into());
    let wanted = wanted(tx, campaign, draft, paid, supplier)?;
    let lines = purchase_lines(&wanted, added, safety, case_pack).ok_or_else(too_large)?;
    let mut total = 0i64;
    for line in &lines {
        let cost = line.units.checked_mul(line.unit_cost.unwrap_or(0));
        total = cost
            .and_then(|cost| total.checked_add(cost))
            .ok_or_else(too_large)?;
    }
    let stands = blocked(&lines, supplier.map(terms).as_ref());
    let document = Document {
        merchant: merchant.name,
        merchant_address: merchant.address,
        campaign: campaign.title.clone(),
        batch: batches::number(tx.conn, &batch)?,
        supplier: supplier.map(|s| s.name.clone()).unwrap_or_default(),
        supplier_email: supplier.map(|s| s.email.clone()).unwrap_or_default(),
        supplier_address: supplier.map(|s| s.address.clone()).unwrap_or_default(),
        currency: supplier.map_or_else(|| campaign.currency.clone(), |s| s.currency.clone()),
        lines,
        safety_percent: safety,
        case_pack,
        total,
        wanted_by: supplier
            .map(|s| day_of(tx.now, draft.time_zone) + Duration::days(i64::from(s.lead_time_days))),
    };
    Ok((document, stands))
}

/// The letter of an issued purchase order.
pub(super) fn purchase_letter(
    desk: &Desk,
    row: &PurchaseOrderRow,
    document: &Document,
    number: i64,
    issued_at: DateTime<Utc>,
) -> Letter {
    Letter::PurchaseOrder {
        merchant: document.merchant.clone(),
        merchant_address: document.merchant_address.clone(),
        supplier: document.supplier.clone(),
        number: purchase_number(number),
        version: row.version,
        campaign: document.purpose(),
        lines: document
            .lines
            .iter()
            .map(|line| {
                let cost = line.unit_cost.unwrap_or(0);
                PurchaseLetterLine {
                    sku: line.sku.clone(),
                    name: line.name.clone(),
                    units: line.units,
                    unit_cost: say(cost, &document.currency),
                    cost: say(cost.saturating_mul(line.units), &document.currency),
                }
            })
            .collect(),
        units: row.units,
        total: say(document.total, &document.currency),
        issued_at,
        wanted_by: document.wanted_by,
        link: desk.links.supplier_url(row.id, row.version),
    }
}

/// What blocks a purchase order, for staff.
pub fn say_blocked(stands: Blocked, document: &Document) -> String {
    let units = document.units();
    match stands {
        Blocked::NoSupplier => "No supplier is set for this campaign.".to_owned(),
        Blocked::UnderMinimum => {
            format!(
                "{units} units are under what {} takes an order for.",
                document.supplier
            )
        }
        Blocked::OverCapacity => format!(
            "{units} units are more than {} can make.",
            document.supplier
        ),
        Blocked::MissingCost => {
            format!(
                "{} has no unit cost for an option that was sold.",
                document.supplier
            )
        }
    }
}
