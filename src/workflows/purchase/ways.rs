//! Ways out where a purchase order cannot go to its supplier as it is, or does not stand any more: another supplier, two
//! of them, a new version for the same one, or nobody (domain section 5).

use std::collections::{BTreeMap, BTreeSet};

use super::super::desk::{Concerns, Desk, Problem, happened, offer};
use super::super::eta;
use super::super::letters::WhyWithdrawn;
use super::answer::{locked, reason_of};
use super::issue::{begin, blank, issue, said};
use super::withdraw::tell_withdrawn;
use super::{Document, Sent, document, first_supplier, say_blocked, send_with};
use crate::domain::campaign::BatchState;
use crate::domain::draft::{CampaignDraft, FieldError};
use crate::domain::ids::{BatchId, MerchantId, OptionId, PurchaseOrderId, SupplierId};
use crate::domain::price::MAX_UNITS;
use crate::domain::purchase_order::{PurchaseOrderEvent, PurchaseOrderState};
use crate::store::campaigns::{BatchRow, CampaignRow};
use crate::store::merchants::SupplierRow;
use crate::store::purchase_orders::PurchaseOrderRow;
use crate::store::{Tx, campaigns, merchants, orders, purchase_orders, stock as counted};

/// How staff want it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// To whom; none: whoever is next.
    pub supplier: Option<SupplierId>,
    /// Units to add; none: as many as before.
    pub added_units: Option<i64>,
    /// What a second supplier takes of it.
    pub split: Option<Split>,
}

/// The part of a second supplier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// Whose.
    pub supplier: SupplierId,
    /// Paid units by the option's code.
    pub units: BTreeMap<String, i64>,
}

/// One purchase order to be.
struct Part {
    supplier: SupplierRow,
    paid: Vec<(OptionId, i64)>,
    added: i64,
    document: Document,
}

/// A supplier who could take a purchase order, and what it would mean.
#[derive(Debug, Clone)]
pub struct Way {
    /// Whom.
    pub supplier: SupplierRow,
    /// What it would say.
    pub document: Document,
    /// What stands in its way.
    pub stands: Option<String>,
    /// Units to add to come to the minimum, where that is what stands in its way.
    pub missing: Option<i64>,
}

/// The paid units a purchase order is for, as things are now: a draft's are the batch's; one that was sent keeps its own,
/// less what was cancelled since and the others of its batch cover.
///
/// # Errors
/// What the database says.
pub fn units_of(
    tx: &mut Tx,
    campaign: &CampaignRow,
    row: &PurchaseOrderRow,
) -> Result<Vec<(OptionId, i64)>, Problem> {
    let mut paid = orders::units_to_buy(tx.conn, row.batch_id)?;
    if row.state != PurchaseOrderState::Draft {
        let short = counted::of_batch(tx.conn, row.batch_id)?;
        let mine: Document = serde_json::from_str(&row.document)?;
        let mut others = Vec::new();
        for other in purchase_orders::of_batch(tx.conn, row.batch_id)? {
            if other.id != row.id && other.state.stands() {
                others.push(serde_json::from_str::<Document>(&other.document)?);
            }
        }
        let options = campaigns::options_of(tx.conn, campaign.id)?;
        for (id, units) in &mut paid {
            let sku = options.iter().find(|o| o.id == *id).map(|o| &o.sku);
            let of = |document: &Document| -> i64 {
                let lines = document.lines.iter().filter(|l| Some(&l.sku) == sku);
                lines.map(|l| l.paid).sum()
            };
            let short = short.iter().find(|s| s.option_id == *id);
            let covered = others.iter().map(of).sum::<i64>() - short.map_or(0, |s| s.short);
            *units = (*units - covered.max(0)).min(of(&mine));
        }
    }
    paid.retain(|(_, units)| *units > 0);
    Ok(paid)
}

/// Every supplier of the merchant with what the purchase order would be at theirs.
///
/// # Errors
/// What the database says.
pub fn ways(
    tx: &mut Tx,
    campaign: &CampaignRow,
    row: &PurchaseOrderRow,
) -> Result<Vec<Way>, Problem> {
    let terms = offer(campaign)?;
    let paid = units_of(tx, campaign, row)?;
    let open = open_at(tx, row.batch_id, row.id)?;
    let mut ways = Vec::new();
    for supplier in merchants::suppliers_of(tx.conn, campaign.merchant_id)? {
        let (document, stands) = document(
            tx,
            (campaign, row.batch_id),
            &terms,
            &paid,
            0,
            Some(&supplier),
        )?;
        let wanted = super::wanted(tx, campaign, &terms, &paid, Some(&supplier))?;
        let missing = supplier.minimum_units.and_then(|minimum| {
            let safety = i64::from(terms.safety_percent);
            let pack = supplier.case_pack;
            crate::domain::purchase_order::added_for_minimum(&wanted, safety, pack, minimum)
        });
        let mut stands = stands.map(|s| say_blocked(s, &document));
        if open.contains(&supplier.id) {
            stands = Some(format!(
                "{} has an order of this batch already.",
                supplier.name
            ));
        }
        ways.push(Way {
            missing: missing.filter(|units| *units > 0),
            supplier,
            document,
            stands,
        });
    }
    Ok(ways)
}

/// Suppliers who have another open order of this batch.
fn open_at(
    tx: &mut Tx,
    batch: BatchId,
    but: PurchaseOrderId,
) -> Result<BTreeSet<SupplierId>, Problem> {
    use PurchaseOrderState as S;
    let rows = purchase_orders::of_batch(tx.conn, batch)?;
    let open = rows.into_iter().filter(|row| {
        let over = matches!(
            row.state,
            S::Rejected | S::Cancelled | S::Replaced | S::Closed
        );
        row.id != but && !over
    });
    Ok(open.filter_map(|row| row.supplier_id).collect())
}

fn supplier_of(
    tx: &mut Tx,
    merchant: MerchantId,
    id: SupplierId,
    field: &str,
) -> Result<SupplierRow, Problem> {
    merchants::supplier(tx.conn, id)?
        .filter(|s| s.merchant_id == merchant)
        .ok_or_else(|| Problem::field(field, "there is no such supplier; make it first"))
}

/// Divides the paid units among the plan's suppliers and writes what each would get. Nobody is asked for nothing, nobody
/// for more than was paid, and each must be able to take its part.
fn parts(
    tx: &mut Tx,
    campaign: &CampaignRow,
    terms: &CampaignDraft,
    row: &PurchaseOrderRow,
    first: SupplierRow,
    plan: &Plan,
) -> Result<Vec<Part>, Problem> {
    let paid = units_of(tx, campaign, row)?;
    if paid.is_empty() {
        return Err(Problem::conflict(
            "nothing-to-order",
            "Nobody's paid units wait for this purchase order any more.",
        ));
    }
    let before = Some(row.added_units).filter(|_| row.supplier_id == Some(first.id));
    let added = plan.added_units.or(before).unwrap_or(0);
    if !(0..=MAX_UNITS).contains(&added) {
        let say = format!("write a whole number from 0 to {MAX_UNITS}");
        return Err(Problem::field("added_units", say));
    }
    let mut shares = vec![(first, paid.clone(), added)];
    if let Some(split) = &plan.split {
        let second = supplier_of(
            tx,
            campaign.merchant_id,
            split.supplier,
            "split.supplier_id",
        )?;
        if second.id == shares[0].0.id {
            let say = "name another supplier than the first";
            return Err(Problem::field("split.supplier_id", say));
        }
        let (mine, theirs) = divide(tx, campaign, &paid, split)?;
        shares[0].1 = mine;
        shares.push((second, theirs, 0));
    }
    let open = open_at(tx, row.batch_id, row.id)?;
    let mut parts = Vec::new();
    for (supplier, paid, added) in shares {
        if open.contains(&supplier.id) {
            let say = format!(
                "{} has an order of this batch already: send that one in a new version.",
                supplier.name
            );
            return Err(Problem::conflict("purchase-order-blocked", say));
        }
        let (document, stands) = document(
            tx,
            (campaign, row.batch_id),
            terms,
            &paid,
            added,
            Some(&supplier),
        )?;
        if let Some(stands) = stands {
            let say = format!("{} It was not sent.", say_blocked(stands, &document));
            return Err(Problem::conflict("purchase-order-blocked", say));
        }
        parts.push(Part {
            supplier,
            paid,
            added,
            document,
        });
    }
    Ok(parts)
}

type Units = Vec<(OptionId, i64)>;

/// What the first and what the second supplier gets; together they are what was paid.
fn divide(
    tx: &mut Tx,
    campaign: &CampaignRow,
    paid: &[(OptionId, i64)],
    split: &Split,
) -> Result<(Units, Units), Problem> {
    let options = campaigns::options_of(tx.conn, campaign.id)?;
    let mut errors = Vec::new();
    let (mut mine, mut theirs) = (Vec::new(), Vec::new());
    for (id, units) in paid {
        let sku = options.iter().find(|o| o.id == *id).map(|o| o.sku.clone());
        let sku = sku.unwrap_or_default();
        let share = split.units.get(&sku).copied().unwrap_or(0);
        if !(0..=*units).contains(&share) {
            errors.push(FieldError::new(
                format!("split.units.{sku}"),
                format!("write a whole number from 0 to {units}, the units that were paid"),
            ));
            continue;
        }
        mine.push((*id, units - share));
        theirs.push((*id, share));
    }
    for sku in split.units.keys() {
        let known = options.iter().find(|o| o.sku == *sku);
        if known.is_none_or(|o| paid.iter().all(|(id, _)| *id != o.id)) {
            errors.push(FieldError::new(
                format!("split.units.{sku}"),
                "leave this out: no paid units have this code",
            ));
        }
    }
    mine.retain(|(_, units)| *units > 0);
    theirs.retain(|(_, units)| *units > 0);
    if errors.is_empty() && (mine.is_empty() || theirs.is_empty()) {
        errors.push(FieldError::new(
            "split.units",
            "leave at least one unit to each of the two suppliers",
        ));
    }
    if errors.is_empty() {
        Ok((mine, theirs))
    } else {
        Err(Problem::Invalid(errors))
    }
}

/// A purchase order of this merchant with its campaign locked and its batch.
fn own(
    tx: &mut Tx,
    merchant: MerchantId,
    id: PurchaseOrderId,
) -> Result<(PurchaseOrderRow, CampaignRow, BatchRow), Problem> {
    let (row, campaign) = locked(tx, id)?;
    if row.merchant_id != merchant {
        return Err(Problem::NotFound("purchase order"));
    }
    let batch = campaigns::batch(tx.conn, row.batch_id)?.ok_or(Problem::NotFound("batch"))?;
    Ok((row, campaign, batch))
}

/// Sends a draft as staff planned it: to a supplier of their choice, with added units, or split between two.
///
/// # Errors
/// A conflict where it does not wait to be sent, or where something blocks a split; what is wrong with the plan.
pub fn send_planned(
    desk: &Desk,
    tx: &mut Tx,
    merchant: MerchantId,
    id: PurchaseOrderId,
    plan: &Plan,
) -> Result<Sent, Problem> {
    let (mut row, campaign, batch) = own(tx, merchant, id)?;
    if row.state != PurchaseOrderState::Draft || batch.state != BatchState::Collecting {
        return Err(Problem::conflict(
            "wrong-state",
            format!(
                "This purchase order is {}; there is nothing to send.",
                row.state
            ),
        ));
    }
    if let Some(added) = plan.added_units
        && !(0..=MAX_UNITS).contains(&added)
    {
        let say = format!("write a whole number from 0 to {MAX_UNITS}");
        return Err(Problem::field("added_units", say));
    }
    if let Some(id) = plan.supplier {
        supplier_of(tx, merchant, id, "supplier_id")?;
    }
    if plan.split.is_none() {
        return send_with(desk, tx, batch.id, plan.supplier, plan.added_units);
    }
    let terms = offer(&campaign)?;
    let first = match plan.supplier {
        Some(id) => Some(supplier_of(tx, merchant, id, "supplier_id")?),
        None => first_supplier(tx, &campaign, &terms)?,
    };
    let first = first.ok_or_else(|| Problem::field("supplier_id", "name the first supplier"))?;
    let parts = parts(tx, &campaign, &terms, &row, first, plan)?;
    begin(tx, &batch)?;
    let mut own_row = Some(&mut row);
    for part in parts {
        let row = match own_row.take() {
            Some(row) => {
                fill(row, &part)?;
                row.clone()
            }
            None => draft_of(tx, &campaign, batch.id, &part)?,
        };
        issue(desk, tx, &campaign, row, &part.document, &part.supplier)?;
    }
    Ok(Sent::Done)
}

fn fill(row: &mut PurchaseOrderRow, part: &Part) -> Result<(), Problem> {
    row.supplier_id = Some(part.supplier.id);
    row.units = part.document.units();
    row.units_paid = part.paid.iter().map(|(_, units)| units).sum();
    row.added_units = part.added;
    row.document = serde_json::to_string(&part.document)?;
    Ok(())
}

/// Keeps the draft of another purchase order of a batch.
fn draft_of(
    tx: &mut Tx,
    campaign: &CampaignRow,
    batch: BatchId,
    part: &Part,
) -> Result<PurchaseOrderRow, Problem> {
    let mut row = blank(tx, campaign.merchant_id, batch, &part.document)?;
    fill(&mut row, part)?;
    purchase_orders::insert(tx.conn, &row)?;
    Ok(row)
}

/// Whether another purchase order may take the place of this one now.
///
/// # Errors
/// A conflict that says why not.
pub fn check_replaceable(tx: &mut Tx, row: &PurchaseOrderRow) -> Result<(), Problem> {
    row.state.after(PurchaseOrderEvent::Replaced)?;
    let batch = campaigns::batch(tx.conn, row.batch_id)?.ok_or(Problem::NotFound("batch"))?;
    let runs = match row.state {
        PurchaseOrderState::Draft => batch.state == BatchState::Collecting,
        _ => matches!(batch.state, BatchState::Ordered | BatchState::Fulfilling),
    };
    if runs {
        return Ok(());
    }
    Err(Problem::conflict(
        "wrong-state",
        format!("Its batch is {}: nothing is ordered for it.", batch.state),
    ))
}

/// Another purchase order takes the place of this one and keeps its batch. Named the same supplier, it is the next
/// version under the same number; another one gets a number of its own, and the old supplier is told why. Without a name
/// it is the campaign's next supplier who did not refuse and can take it. A draft was never sent: it goes to the other
/// supplier itself. The purchase order that stands now.
///
/// # Errors
/// A conflict where it is too late or something blocks the new one; what is wrong with plan and reason.
pub fn replace(
    desk: &Desk,
    tx: &mut Tx,
    merchant: MerchantId,
    id: PurchaseOrderId,
    plan: &Plan,
    reason: &str,
) -> Result<PurchaseOrderRow, Problem> {
    let (mut old, campaign, batch) = own(tx, merchant, id)?;
    check_replaceable(tx, &old)?;
    let from = old.state;
    let reason = reason_of(reason)?;
    if reason.is_empty() {
        let say = "write why it is replaced: the old supplier reads it";
        return Err(Problem::field("reason", say));
    }
    let terms = offer(&campaign)?;
    let first = next_supplier(tx, &campaign, &terms, &old, plan)?;
    let parts = parts(tx, &campaign, &terms, &old, first, plan)?;
    if from == PurchaseOrderState::Draft {
        let planned = Plan {
            supplier: Some(parts[0].supplier.id),
            ..plan.clone()
        };
        send_planned(desk, tx, merchant, id, &planned)?;
        return purchase_orders::by_id(tx.conn, id)?.ok_or(Problem::NotFound("purchase order"));
    }
    old.state = from.after(PurchaseOrderEvent::Replaced)?;
    old.withdrawn_at = Some(tx.now.naive_utc());
    old.withdrawn_because = Some(reason.clone());
    purchase_orders::save(tx.conn, &old, from)?;
    eta::drop_waiting(tx, batch.id, old.id)?;
    let mut new = Vec::new();
    for part in &parts {
        let mut row = blank(tx, merchant, batch.id, &part.document)?;
        row.replaces = Some(old.id);
        if Some(part.supplier.id) == old.supplier_id {
            row.number = old.number;
            row.version = next_version(tx, &old)?;
        }
        fill(&mut row, part)?;
        purchase_orders::insert(tx.conn, &row)?;
        new.push(issue(
            desk,
            tx,
            &campaign,
            row,
            &part.document,
            &part.supplier,
        )?);
    }
    let names: Vec<String> = new.iter().map(said).collect();
    let detail = format!(
        "{} is replaced by {}: {reason}",
        said(&old),
        names.join(" and ")
    );
    happened(
        tx,
        Concerns::campaign(&campaign),
        "staff",
        "replaced",
        detail,
    )?;
    if parts.iter().all(|p| Some(p.supplier.id) != old.supplier_id) {
        tell_withdrawn(desk, tx, &old, WhyWithdrawn::Replaced(reason))?;
    }
    Ok(new.remove(0))
}

/// The version after the last one of a purchase order's number.
fn next_version(tx: &mut Tx, of: &PurchaseOrderRow) -> Result<i32, Problem> {
    let all = purchase_orders::of_batch(tx.conn, of.batch_id)?;
    let versions = all.iter().filter(|row| row.number == of.number);
    Ok(versions.map(|row| row.version).max().unwrap_or(of.version) + 1)
}

/// Who gets it: whom staff named, or the campaign's next one who did not refuse this batch and can take it.
fn next_supplier(
    tx: &mut Tx,
    campaign: &CampaignRow,
    terms: &CampaignDraft,
    old: &PurchaseOrderRow,
    plan: &Plan,
) -> Result<SupplierRow, Problem> {
    if let Some(id) = plan.supplier {
        return supplier_of(tx, campaign.merchant_id, id, "supplier_id");
    }
    let asked: BTreeSet<SupplierId> = purchase_orders::of_batch(tx.conn, old.batch_id)?
        .iter()
        .filter(|row| row.rejected_at.is_some())
        .filter_map(|row| row.supplier_id)
        .collect();
    let ways = ways(tx, campaign, old)?;
    let can = |id: &SupplierId| {
        let way = ways.iter().find(|way| way.supplier.id == *id);
        way.filter(|way| {
            let whole = way.stands.is_none() || plan.split.is_some() || plan.added_units.is_some();
            whole && Some(way.supplier.id) != old.supplier_id && !asked.contains(id)
        })
    };
    let next = terms.supplier_ids.iter().find_map(can);
    next.map(|way| way.supplier.clone()).ok_or_else(|| {
        let say = "name a supplier: no other one of this campaign can take it as it is";
        Problem::field("supplier_id", say)
    })
}
