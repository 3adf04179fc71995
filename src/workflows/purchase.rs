//! The supplier's order: drafted with the judgement, sent as soon as nothing blocks it, acknowledged by link (domain
//! section 5).

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use serde::{Deserialize, Serialize};

mod supplier;

pub use supplier::{acknowledge, cancel_all, unanswered};

use super::desk::{
    Concerns, Desk, Post, Problem, enqueue, happened, lock_campaign, merchant, offer,
    purchase_number,
};
use super::judgement::fail;
use super::letters::{Letter, PurchaseLetterLine};
use super::money::say;
use super::signs;
use crate::domain::campaign::{BatchState, CampaignEvent, CampaignState, Failure};
use crate::domain::day::day_of;
use crate::domain::draft::CampaignDraft;
use crate::domain::ids::{CampaignId, OptionId, PurchaseOrderId, SupplierId};
use crate::domain::purchase_order::{
    Blocked, PurchaseLine, PurchaseOrderEvent, PurchaseOrderState, SupplierTerms, blocked,
    purchase_line,
};
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::merchants::SupplierRow;
use crate::store::purchase_orders::PurchaseOrderRow;
use crate::store::{Tx, campaigns, jobs, merchants, orders, purchase_orders};

/// What a purchase order says; frozen when it is issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// The buyer.
    pub merchant: String,
    /// The buyer's postal address.
    pub merchant_address: String,
    /// The campaign's title.
    pub campaign: String,
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
    /// Units of all lines.
    pub fn units(&self) -> i64 {
        self.lines.iter().map(|l| l.units).sum()
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

/// Makes the document for these paid units, and says what stands in its way.
///
/// # Errors
/// What the database says.
pub fn document(
    tx: &mut Tx,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
    paid: &[(OptionId, i64)],
    supplier: Option<&SupplierRow>,
) -> Result<(Document, Option<Blocked>), Problem> {
    let merchant = merchant(tx, campaign.merchant_id)?;
    let options = campaigns::options_of(tx.conn, campaign.id)?;
    let costs: BTreeMap<String, i64> = match supplier {
        Some(supplier) => serde_json::from_str(&supplier.unit_costs)?,
        None => BTreeMap::new(),
    };
    let safety = i64::from(draft.safety_percent);
    let case_pack = supplier.map_or(1, |s| s.case_pack);
    let too_large = || Problem::Internal("a purchase order is too large".into());
    let mut lines = Vec::new();
    let mut total = 0i64;
    for option in &options {
        let units = paid
            .iter()
            .find(|(id, _)| *id == option.id)
            .map_or(0, |(_, units)| *units);
        if units == 0 {
            continue;
        }
        let name = draft
            .options
            .iter()
            .find(|o| o.sku == option.sku)
            .map_or(option.sku.as_str(), |o| o.name.as_str());
        let cost = costs.get(&option.sku).copied();
        let line = purchase_line(&option.sku, name, units, safety, case_pack, cost)
            .ok_or_else(too_large)?;
        total = line
            .units
            .checked_mul(cost.unwrap_or(0))
            .and_then(|cost| total.checked_add(cost))
            .ok_or_else(too_large)?;
        lines.push(line);
    }
    let stands = blocked(&lines, supplier.map(terms).as_ref());
    let document = Document {
        merchant: merchant.name,
        merchant_address: merchant.address,
        campaign: campaign.title.clone(),
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

/// The supplier who is asked first.
fn first_supplier(
    tx: &mut Tx,
    campaign: &CampaignRow,
    draft: &CampaignDraft,
) -> Result<Option<SupplierRow>, Problem> {
    for id in &draft.supplier_ids {
        if let Some(supplier) = merchants::supplier(tx.conn, *id)?
            && supplier.merchant_id == campaign.merchant_id
        {
            return Ok(Some(supplier));
        }
    }
    Ok(None)
}

/// Drafts the purchase order of a judged batch.
///
/// # Errors
/// What the database says.
pub fn draft(
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    draft: &CampaignDraft,
    paid: &[(OptionId, i64)],
) -> Result<PurchaseOrderId, Problem> {
    let supplier = first_supplier(tx, campaign, draft)?;
    let (document, _) = document(tx, campaign, draft, paid, supplier.as_ref())?;
    let row = PurchaseOrderRow {
        id: PurchaseOrderId::new(),
        merchant_id: campaign.merchant_id,
        batch_id: batch.id,
        supplier_id: supplier.map(|s| s.id),
        number: None,
        version: 1,
        state: PurchaseOrderState::Draft,
        units: document.units(),
        units_paid: paid.iter().map(|(_, units)| units).sum(),
        document: serde_json::to_string(&document)?,
        created_at: tx.now.naive_utc(),
        sent_at: None,
        acknowledged_at: None,
        note: None,
        added_units: 0,
        replaces: None,
        in_production_at: None,
        shipped_at: None,
        carrier: None,
        tracking_number: None,
        received_at: None,
        closed_at: None,
    };
    purchase_orders::insert(tx.conn, &row)?;
    Ok(row.id)
}

/// What came of trying to send a batch's purchase order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// It is with the supplier, now or before, or there is nothing to send.
    Done,
    /// Something stands in its way; look again then.
    Blocked(Blocked, DateTime<Utc>),
}

/// Days after which staff are warned of a blocked purchase order; after the last entry's seventh day it fails.
const WARNED_ON: [i64; 3] = [1, 3, 5];
const FAILS_AFTER_DAYS: i64 = 7;

/// Sends the purchase order of a campaign that came together, or says what blocks it. With `supplier`, staff chose
/// whom it goes to.
///
/// Sending claims it and sums the paid units again in one transaction; cancellations are free until then. Nought
/// units: no purchase order, the campaign fails (`shortfall`). Blocked for 7 days: it fails (`supplier`).
///
/// # Errors
/// What the database says.
pub fn send(
    desk: &Desk,
    tx: &mut Tx,
    id: CampaignId,
    supplier: Option<SupplierId>,
) -> Result<Sent, Problem> {
    let campaign = lock_campaign(tx, id)?;
    if campaign.state != CampaignState::Collecting {
        return Ok(Sent::Done);
    }
    let terms = offer(&campaign)?;
    let batch = campaigns::batch_of(tx.conn, id)?
        .ok_or_else(|| Problem::Internal(format!("campaign {id} has no batch")))?;
    let paid: Vec<(OptionId, i64)> = orders::paid_units(tx.conn, batch.id)?
        .into_iter()
        .filter(|(_, units)| *units > 0)
        .collect();
    if paid.is_empty() {
        fail(desk, tx, &campaign, Failure::Shortfall, None)?;
        return Ok(Sent::Done);
    }
    let chosen = match supplier {
        Some(id) => {
            merchants::supplier(tx.conn, id)?.filter(|s| s.merchant_id == campaign.merchant_id)
        }
        None => first_supplier(tx, &campaign, &terms)?,
    };
    let (document, stands) = document(tx, &campaign, &terms, &paid, chosen.as_ref())?;
    let mut row = open_order(tx, &campaign, &batch, &terms, &paid)?;
    row.supplier_id = chosen.as_ref().map(|s| s.id);
    row.units = document.units();
    row.units_paid = paid.iter().map(|(_, units)| units).sum();
    row.document = serde_json::to_string(&document)?;
    match (stands, chosen) {
        (None, Some(supplier)) => issue(desk, tx, &campaign, &batch, row, &document, &supplier)?,
        (stands, _) => {
            purchase_orders::save(tx.conn, &row, PurchaseOrderState::Draft)?;
            let stands = stands.unwrap_or(Blocked::NoSupplier);
            return wait(desk, tx, &campaign, &batch, stands, &document);
        }
    }
    Ok(Sent::Done)
}

fn open_order(
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    terms: &CampaignDraft,
    paid: &[(OptionId, i64)],
) -> Result<PurchaseOrderRow, Problem> {
    let draft_of = |tx: &mut Tx| -> Result<Option<PurchaseOrderRow>, Problem> {
        Ok(purchase_orders::of_batch(tx.conn, batch.id)?
            .into_iter()
            .find(|p| p.state == PurchaseOrderState::Draft))
    };
    if let Some(row) = draft_of(tx)? {
        return Ok(row);
    }
    draft(tx, campaign, batch, terms, paid)?;
    draft_of(tx)?.ok_or_else(|| Problem::Internal("a draft was not kept".into()))
}

fn issue(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    mut row: PurchaseOrderRow,
    document: &Document,
    supplier: &SupplierRow,
) -> Result<(), Problem> {
    let now = tx.now.naive_utc();
    let number = merchants::take_numbers(tx.conn, campaign.merchant_id, "purchase_order", 1)?;
    row.state = row.state.after(PurchaseOrderEvent::Sent)?;
    row.number = Some(number);
    row.sent_at = Some(now);
    purchase_orders::save(tx.conn, &row, PurchaseOrderState::Draft)?;
    campaigns::set_blocked(tx.conn, batch.id, None, None, batch.blocked_warned)?;
    campaigns::move_batch(
        tx.conn,
        batch.id,
        BatchState::Collecting,
        BatchState::Ordered,
    )?;
    let to = campaign.state.after(CampaignEvent::Ordered)?;
    campaigns::move_state(tx.conn, campaign.id, campaign.state, to, None, now)?;
    orders::backorder(tx.conn, batch.id)?;
    signs::sign(tx, campaign)?;
    let said = purchase_number(number);
    happened(
        tx,
        Concerns::campaign(campaign),
        "system",
        "ordered",
        format!("{said} over {} units went to {}.", row.units, supplier.name),
    )?;
    let merchant = merchant(tx, campaign.merchant_id)?;
    let letter = purchase_letter(desk, &row, document, number, tx.now);
    desk.post(
        tx,
        Post {
            once: format!("purchase_order:{}:{}", row.id, row.version),
            to: &supplier.email,
            reply_to: Some(&merchant.email),
            concerns: Some(Concerns::campaign(campaign)),
            purchase_order: Some(row.id),
            letter,
        },
    )?;
    let reminder = now + Duration::days(3);
    enqueue(tx, jobs::SUPPLIER_ANSWER, &row.id.to_string(), reminder)
}

fn purchase_letter(
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
        campaign: document.campaign.clone(),
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

/// Sends the mail of an issued purchase order once more: same number, same content, same link.
///
/// # Errors
/// A conflict where it was not issued.
pub fn send_mail_again(desk: &Desk, tx: &mut Tx, id: PurchaseOrderId) -> Result<(), Problem> {
    let row = purchase_orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("purchase order"))?;
    let (Some(number), Some(sent_at)) = (row.number, row.sent_at) else {
        return Err(Problem::conflict(
            "wrong-state",
            "This purchase order was not sent yet.",
        ));
    };
    let document: Document = serde_json::from_str(&row.document)?;
    let merchant = merchant(tx, row.merchant_id)?;
    let letter = purchase_letter(desk, &row, &document, number, sent_at.and_utc());
    let once = format!(
        "purchase_order:{}:{}:{}",
        row.id,
        row.version,
        tx.now.timestamp()
    );
    desk.post(
        tx,
        Post {
            once,
            to: &document.supplier_email,
            reply_to: Some(&merchant.email),
            concerns: Some(Concerns {
                merchant: merchant.id,
                campaign: None,
                order: None,
            }),
            purchase_order: Some(row.id),
            letter,
        },
    )
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

fn wait(
    desk: &Desk,
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: &BatchRow,
    stands: Blocked,
    document: &Document,
) -> Result<Sent, Problem> {
    let now = tx.now.naive_utc();
    let since = batch.blocked_since.unwrap_or(now);
    let days = (now - since).num_days();
    let said = say_blocked(stands, document);
    if days >= FAILS_AFTER_DAYS {
        fail(desk, tx, campaign, Failure::Supplier, Some(&said))?;
        return Ok(Sent::Done);
    }
    let due = WARNED_ON.iter().filter(|day| days >= **day).count();
    let warned = usize::try_from(batch.blocked_warned).unwrap_or(0);
    if due > warned {
        desk.tell_staff(
            tx,
            Concerns::campaign(campaign),
            &format!("blocked:{}:{}", batch.id, WARNED_ON[due - 1]),
            &format!("{}: the supplier's order cannot be sent", campaign.title),
            vec![
                said.clone(),
                format!(
                    "Left as it is, the campaign fails and everybody is refunded on {}.",
                    (since + Duration::days(FAILS_AFTER_DAYS)).format("%-d %B %Y, %H:%M UTC")
                ),
            ],
            &format!("/admin/campaigns/{}", campaign.slug),
        )?;
    }
    if batch.blocked.is_none() {
        happened(tx, Concerns::campaign(campaign), "system", "blocked", said)?;
    }
    let warned = i32::try_from(due.max(warned)).unwrap_or(i32::MAX);
    campaigns::set_blocked(tx.conn, batch.id, Some(stands), Some(since), warned)?;
    let next = WARNED_ON
        .iter()
        .chain([&FAILS_AFTER_DAYS])
        .map(|day| since + Duration::days(*day))
        .find(|at| *at > now)
        .unwrap_or(now + Duration::days(1));
    Ok(Sent::Blocked(stands, next.and_utc()))
}
